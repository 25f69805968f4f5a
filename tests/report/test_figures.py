"""Figures: the golden numbers, arithmetic on rows made here, and that each names rows which give its digest."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import golden
from tests.report.readings import AT, HOUR, STRESS, golden_reading, made_reading, quiet, reading_of, stress  # noqa: F401 - fixtures

from deleverage.errors import BadInput
from deleverage.figure import hash_inputs
from deleverage.report.digest import digest
from deleverage.report.figures import REGISTRY, figures
from deleverage.report.reading import Reading
from deleverage.report.selector import Selector, parse
from deleverage.report.stated import stated
from deleverage.store.folder import Folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return golden_reading(tmp_path_factory.mktemp("golden"))


def test_the_published_table(published: Reading) -> None:
    known = figures(published)
    assert known["liquidations.total.24h"].value == 1_830_970_000.0
    assert known["liquidations.long.24h"].value == 1_705_430_000.0
    assert known["liquidations.short.24h"].value == 125_540_000.0
    for venue, (longs, shorts) in golden.TABLE.items():
        assert known[f"liquidations.venue.{venue}.24h"].value == pytest.approx(longs + shorts, rel=1e-12)
        assert round(known[f"liquidations.venue.{venue}.long_share.24h"].value or 0, 3) == golden.RAW_LONG_SHARES[venue]
    assert known["liquidations.count.24h"].value == 5 * 2 * golden.PARTS
    assert known["liquidations.total.24h"].missing == ("deribit",)
    assert known["liquidations.base.BTC.share.24h"].value == 1.0


def test_funding_is_weighed_and_keeps_its_sign() -> None:
    known = figures(made_reading())
    assert known["funding.oi_weighted.BTC"].value == pytest.approx((3 * 0.0001 - 0.00008) / 4)
    assert "longs pay shorts" in known["funding.oi_weighted.BTC"].note
    assert known["funding.venue.hyperliquid.BTC"].value == pytest.approx(-0.00008)
    assert "shorts pay longs" in known["funding.venue.hyperliquid.BTC"].note
    assert known["funding.share_negative.BTC"].value == 0.5


def test_open_interest_in_coins_and_dollars() -> None:
    known = figures(made_reading())
    assert known["open_interest.coin.BTC"].value == 4000.0 and known["open_interest.usd.BTC"].value == 320_000_000.0
    assert known["open_interest.change.coin.BTC.24h"].value == pytest.approx(1 / 1.1 - 1)
    drawdown = known["open_interest.drawdown.coin.BTC"]
    assert drawdown.status == "missing" and "at least a month" in drawdown.note


def test_sentiment_against_a_month_before() -> None:
    known = figures(made_reading())
    assert known["sentiment.fear_greed"].value == 14.0
    assert known["sentiment.fear_greed.change.1m"].value == 14.0 - 34.0
    assert known["sentiment.fear_greed.change.1d"].value == 14.0 - 11.0


def test_what_is_not_known_is_a_figure_that_says_why() -> None:
    for name, figure in figures(made_reading()).items():
        if figure.value is None:
            assert figure.status == "missing", name
    known = figures(made_reading())
    assert known["liquidations.total.24h"].status == "missing" and known["options.volatility_index.BTC"].note
    assert known["etf.BTC.net_flow.day"].note == "no flows of exchange-traded funds are in the data"


def test_every_figure_names_rows_that_give_its_digest(stress: Folder) -> None:  # noqa: F811
    reading = reading_of(stress, STRESS[1], HOUR)
    for name, figure in figures(reading).items():
        assert figure.sources, name
        selectors = [parse(source) for source in figure.sources]
        rows = [reading.rows(selector) for selector in sorted(selectors, key=lambda s: s.text)]
        plain = [frame.drop("row_hash") if "row_hash" in frame.columns else frame for frame in rows]
        assert figure.inputs_hash == hash_inputs([reading.window, reading.at, *map(digest, plain)]), name
        if figure.status != "missing" and not name.startswith("liquidations.coverage"):
            assert sum(map(len, rows)) > 0, name


def test_totals_are_the_sums_of_the_rows_they_name(stress: Folder) -> None:  # noqa: F811
    reading = reading_of(stress, STRESS[1], HOUR)
    known = figures(reading)
    for name in ("total", "long", "short", "venue.binance", "base.BTC"):
        figure = known[f"liquidations.{name}.1h"]
        rows = pl.concat([reading.rows(source) for source in figure.sources])
        assert figure.value == pytest.approx(rows["notional_usd"].sum(), rel=1e-9)


def test_shorter_windows_hold_no_more_than_the_longer(stress: Folder) -> None:  # noqa: F811
    known = figures(reading_of(stress, STRESS[1], 24 * HOUR))
    values = [known[f"liquidations.total.{hours}h"].value or 0 for hours in (1, 4, 12, 24)]
    assert values == sorted(values)


def test_nothing_that_became_known_later_counts(stress: Folder) -> None:  # noqa: F811
    early = figures(reading_of(stress, STRESS[1], HOUR, as_of=STRESS[1] - 20 * 60 * 10**9))["liquidations.total.1h"]
    late = figures(reading_of(stress, STRESS[1], HOUR))["liquidations.total.1h"]
    assert early.value is not None and late.value is not None and early.value < late.value


def test_in_a_reconstruction_everything_known_is_modelled() -> None:
    import msgspec

    reading = made_reading()
    made = Reading(msgspec.structs.replace(reading.question, is_reconstruction=True), reading.frames)
    assert {figure.status for figure in figures(made).values()} == {"modelled", "missing"}


def test_the_registry_names_every_kind() -> None:
    assert len(REGISTRY) >= 25 and all(spec.about for spec in REGISTRY.values())
    assert len({spec.name for spec in REGISTRY.values()}) == len(REGISTRY)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), st.floats(allow_nan=False), st.sampled_from(["a", "b", ""])), max_size=20), st.randoms())
def test_digests_do_not_depend_on_the_order_of_rows(rows: list[tuple[int, float, str]], random: object) -> None:
    rows = [(a % 2**62, b, c) for a, b, c in rows]
    schema = {"n": pl.Int64, "x": pl.Float64, "s": pl.String}
    other = list(rows)
    random.shuffle(other)  # type: ignore[attr-defined]
    assert digest(pl.DataFrame(rows, schema, orient="row")) == digest(pl.DataFrame(other, schema, orient="row"))
    if rows:
        fewer = pl.DataFrame(rows[1:], schema, orient="row")
        assert digest(pl.DataFrame(rows, schema, orient="row")) != digest(fewer)


@pytest.mark.parametrize("column, value", [("n", 8), ("x", 1.5000000000000002), ("s", "okx ")])
def test_a_digest_sees_the_smallest_change(column: str, value: object) -> None:
    rows = pl.DataFrame({"n": [7], "x": [1.5], "s": ["okx"]})
    assert digest(rows) != digest(rows.with_columns(pl.lit(value).alias(column)))


@settings(deadline=None)
@given(
    st.sampled_from(["liquidations", "etf_flows"]), st.none() | st.integers(10**18, 4 * 10**18), st.integers(10**18, 4 * 10**18),
    st.dictionaries(st.sampled_from(["venue", "base", "position_side", "symbol"]), st.sampled_from(["okx", "a|b", "BTC/USDT:USDT"])),
)  # fmt: skip
def test_a_selector_is_read_as_it_was_written(table: str, start: int | None, end: int, filters: dict[str, str]) -> None:
    route = sorted(filters.items(), key=lambda item: item[0] not in ("venue", "base"))
    one = Selector(table, start, end, end, tuple(route))
    assert parse(one.text) == one


@pytest.mark.parametrize("text", ["", "liquidations", "liquidations?venue=okx", "x?as_of=yesterday"])
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)


def test_a_filter_of_a_column_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="no column"):
        Selector("liquidations", None, None, AT, (("fund", "IBIT"),)).of(pl.DataFrame({"ts_event": [1], "ts_recv": [1]}))


def test_a_number_that_is_none_is_missing() -> None:
    reading = made_reading()
    figure = stated(reading, "x", float("nan"), "usd", [], status="estimated", interval=(0.0, 1.0), level=0.9)
    assert (figure.value, figure.status, figure.interval, figure.level) == (None, "missing", None, None)


def test_a_directory_gives_the_same_digests_twice(stress: Folder, tmp_path: Path) -> None:  # noqa: F811
    from tests.report.readings import folder_of

    again = folder_of(tmp_path, STRESS[0])
    one, other = (figures(reading_of(folder, STRESS[1], HOUR)) for folder in (stress, again))
    assert one == other
