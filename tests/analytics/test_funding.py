import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.funding import (
    RESTING_8H,
    aggregate,
    annual_compound,
    annual_simple,
    clamped,
    latest,
    payer,
    prediction_errors,
    records,
    sign_rule,
    spreads,
    volume_weights,
)  # fmt: skip
from tests.analytics.leverage import DAY, HOUR, MINUTE, columns, ns, seven_venues, table
from tests.captures import shared

AT = ns(2025, 11, 21, 12)
SYMBOL = "BTC/USDT:USDT"
WORKED = (  # venue, rate, hours, open interest, volume: the spec's example
    ("binance", 0.0001, 8.0, 10.0, 40.0), ("bybit", 0.00005, 8.0, 6.0, 25.0),
    ("hyperliquid", 0.0000125, 1.0, 5.0, 8.0), ("okx", -0.00002, 8.0, 4.0, 15.0),
)  # fmt: skip


def predicted(rows: list[tuple[Any, ...]], **more: Any) -> pl.DataFrame:
    return table("funding_rates", [
        {"venue": v, "symbol": SYMBOL, "ts_event": AT - MINUTE, "funding_rate": rate, "funding_interval_hours": hours}
        for v, rate, hours, *_ in rows
    ], funding_time=AT + HOUR, funding_kind="predicted", **more)  # fmt: skip


def weights(rows: list[tuple[Any, ...]], column: int) -> pl.DataFrame:
    return pl.DataFrame([{"venue": r[0], "symbol": SYMBOL, "base": "BTC", "usd": r[column]} for r in rows], orient="row")


def settled(hours: list[float], rates: list[float] | None = None, **more: Any) -> pl.DataFrame:
    base = ns(2025, 11, 1)
    return table("funding_rates", [
        {"venue": "x", "symbol": SYMBOL, "ts_event": base + int(h * HOUR), "funding_rate": 0.0001 if rates is None else rates[i]}
        for i, h in enumerate(hours)
    ], funding_kind="settled", **more)  # fmt: skip


def test_the_worked_aggregates_and_the_classic_mistake() -> None:
    found = latest(predicted(list(WORKED)), AT)
    by_oi = aggregate(found, weights(list(WORKED), 3))
    assert by_oi.rate_8h == pytest.approx(0.0000688, rel=1e-9)
    assert (by_oi.apr, by_oi.apy) == (pytest.approx(0.075336, rel=1e-6), pytest.approx(0.07824359, rel=1e-6))
    assert (by_oi.share_negative, by_oi.coverage, by_oi.pays) == (0.25, 1.0, "longs pay shorts")
    assert (by_oi.low_8h, by_oi.high_8h) == (-0.00002, pytest.approx(0.0001))
    by_volume = aggregate(found, weights(list(WORKED), 4), weighting="volume")
    assert by_volume.rate_8h == pytest.approx(0.00006534091, rel=1e-6)
    assert by_volume.apr == pytest.approx(0.0715483, rel=1e-6)
    # An hourly rate weighed as if it were one of 8 h gives the figure that the spec calls wrong. Ours is not it.
    unconverted = sum(rate * oi for _, rate, _, oi, _ in WORKED) / sum(oi for *_, oi, _ in WORKED)
    assert unconverted == pytest.approx(0.0000513, rel=1e-9)
    assert by_oi.rate_8h is not None and abs(by_oi.rate_8h - unconverted) > 0.000017


def test_a_year_of_the_resting_rate() -> None:
    assert annual_simple(RESTING_8H, 8) == pytest.approx(0.1095)
    assert annual_compound(RESTING_8H, 8) == pytest.approx(0.115714, rel=1e-5)
    assert annual_simple(RESTING_8H / 8, 1) == pytest.approx(0.1095)


@pytest.mark.parametrize(
    ("premium", "rate"), [(0.01, 0.0095), (0.0003, 0.0001), (0.0006, 0.0001), (-0.0003, 0.0001), (-0.0006, -0.0001), (0.0, 0.0001)]
)
def test_the_clamp(premium: float, rate: float) -> None:
    assert clamped(premium) == pytest.approx(rate, abs=1e-15)


def test_the_clamp_gives_what_hyperliquid_charged() -> None:
    """Native fundingHistory with the hour's premium: every rate is an eighth of the rule's."""
    rows = json.loads(shared("crypto_research_rest/hyperliquid_funding_btc.json").read_text())
    assert len(rows) > 100
    for row in rows:
        assert float(row["fundingRate"]) == pytest.approx(clamped(float(row["premium"])) / 8, abs=1e-10)
    assert sum(float(row["fundingRate"]) < 0 for row in rows) > 0


def test_who_pays() -> None:
    assert sign_rule(0.0001) == "longs pay shorts" and sign_rule(-1e-9) == "shorts pay longs" and sign_rule(0.0) == "nobody pays"
    assert (payer(float("nan")), sign_rule(None)) == ("unknown", "not known")
    pays = latest(predicted([("a", 0.0, 8.0), ("b", -0.1, 8.0), ("c", 0.1, 8.0)]), AT)["pays"].to_list()
    assert pays == ["nobody pays", "shorts pay longs", "longs pay shorts"]


def test_stale_rates_and_missing_venues_are_named_and_weights_renormalised() -> None:
    old = predicted([("bybit", 0.05, 8.0)]).with_columns(ts_event=pl.lit(AT - 17 * HOUR), ts_recv=pl.lit(AT - 17 * HOUR))
    at_the_edge = predicted([("okx", -0.00002, 8.0)]).with_columns(ts_event=pl.lit(AT - 16 * HOUR))
    rows = pl.concat([predicted([WORKED[0]]), old, at_the_edge, predicted([("gate", 0.0002, 8.0)]), predicted([("mexc", 0.1, None)])])
    held = pl.concat([weights(list(WORKED), 3), weights([("mexc", 0, 0, 5.0)], 3)])
    dated = pl.DataFrame({"venue": ["binance"], "symbol": ["BTC/USDT:USDT-251226"], "base": ["BTC"], "usd": [1000.0]})
    found = aggregate(latest(rows, AT), pl.concat([held, dated]), base="BTC")
    assert found.rate_8h == pytest.approx((0.0001 * 10 - 0.00002 * 4) / 14)
    assert found.coverage == pytest.approx(14 / 30)
    assert found.stale == (f"bybit {SYMBOL}", f"mexc {SYMBOL}")
    assert (found.unweighted, found.without_rate) == ((f"gate {SYMBOL}",), (f"hyperliquid {SYMBOL}",))
    nothing = aggregate(latest(rows, AT), held, kind="settled")
    assert (nothing.rate_8h, nothing.apr, nothing.coverage, nothing.pays) == (None, None, 0.0, "not known")


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-0.01, 0.01), st.sampled_from([1.0, 2.0, 4.0, 8.0]), st.floats(1, 1e10)), min_size=1, max_size=7),
    st.randoms(),
    st.floats(0.001, 1000),
)
def test_aggregates_do_not_depend_on_order_or_unit(parts: list[tuple[float, float, float]], random: Any, scale: float) -> None:
    rows = [(f"v{i}", rate, hours, usd) for i, (rate, hours, usd) in enumerate(parts)]
    mixed = list(rows)
    random.shuffle(mixed)
    one, other = (aggregate(latest(predicted(r), AT), weights(r, 3)) for r in (rows, mixed))
    assert one == other
    assert one.rate_8h is not None and one.low_8h is not None and one.high_8h is not None
    assert one.low_8h <= one.rate_8h <= one.high_8h
    expected = sum(rate * 8 / hours * usd for _, rate, hours, usd in rows) / sum(usd for *_, usd in rows)
    assert one.rate_8h == pytest.approx(expected, rel=1e-9, abs=1e-15)
    scaled = aggregate(latest(predicted(rows), AT), weights(rows, 3).with_columns(pl.col("usd") * scale))
    assert scaled.rate_8h == pytest.approx(one.rate_8h, rel=1e-9, abs=1e-15)
    hourly = [(v, rate / hours, 1.0, usd) for v, rate, hours, usd in rows]
    assert aggregate(latest(predicted(hourly), AT), weights(rows, 3)).rate_8h == pytest.approx(one.rate_8h, rel=1e-9, abs=1e-15)


def test_intervals_are_read_per_record_and_inferred_where_they_are_not_told() -> None:
    eight_then_four = settled([0, 8, 16, 20, 24, 28])
    found = records(eight_then_four, ns(2025, 12, 1))
    assert found["funding_interval_hours"].to_list() == [8, 8, 8, 4, 4, 4] and found["is_interval_inferred"].all()
    assert found["rate_8h"].to_list() == pytest.approx([0.0001] * 3 + [0.0002] * 3)
    a_row_is_missing = records(settled([0, 1, 2, 4, 5, 6]), ns(2025, 12, 1))
    assert a_row_is_missing["funding_interval_hours"].to_list() == [1] * 6
    lengthened = records(settled([0, 4, 8, 16, 24]), ns(2025, 12, 1))
    assert lengthened["funding_interval_hours"].to_list() == [4, 4, 4, 8, 8]
    told = records(settled([0, 8, 16], funding_interval_hours=4.0), ns(2025, 12, 1))
    assert told["funding_interval_hours"].to_list() == [4, 4, 4] and not told["is_interval_inferred"].any()
    alone = records(settled([0]), ns(2025, 12, 1))
    assert alone["funding_interval_hours"].to_list() == [None] and alone["rate_8h"].to_list() == [None]


def test_a_prediction_takes_its_interval_from_the_settlement_before_it() -> None:
    last = settled([0, 8, 16])
    next_one = table("funding_rates", [{
        "venue": "x", "symbol": SYMBOL, "ts_event": ns(2025, 11, 1, 17), "funding_rate": 0.0001, "funding_time": ns(2025, 11, 1, 20),
        "funding_kind": "predicted",
    }])  # fmt: skip
    found = latest(pl.concat([last, next_one]), ns(2025, 11, 1, 18)).filter(pl.col("funding_kind") == "predicted")
    assert found["funding_interval_hours"].to_list() == [4] and found["is_interval_inferred"].to_list() == [True]


def test_predicted_and_settled_stay_apart_and_nothing_is_seen_early() -> None:
    said = predicted([("x", 0.0003, 8.0)])
    rows = pl.concat([settled([0, 8], [0.0001, 0.0002]), said])
    found = latest(rows, AT)
    assert dict(found.select("funding_kind", "funding_rate").iter_rows()) == {"predicted": 0.0003, "settled": 0.0002}
    assert found.filter(pl.col("funding_kind") == "settled")["why_not"].to_list() == ["stale"]
    before = ns(2025, 11, 1, 7)
    assert latest(rows, before)["funding_rate"].to_list() == [0.0001]
    learned_late = rows.with_columns(ts_recv=pl.lit(AT + DAY))
    assert latest(learned_late, AT, as_of=AT).is_empty() and len(latest(learned_late, AT, as_of=AT + DAY)) == 2


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.floats(-0.01, 0.01)), min_size=1, max_size=20, unique_by=lambda r: r[0]), st.integers(0, 60)
)
def test_rows_after_at_change_nothing(rows: list[tuple[int, float]], cut: int) -> None:
    at = ns(2025, 11, 1) + cut * HOUR
    whole = settled([h for h, _ in rows], [r for _, r in rows])
    known = whole.filter(pl.col("ts_event") <= at)
    assert latest(whole, at).equals(latest(known, at))


def test_caps_and_floors_are_flagged() -> None:
    rows = predicted([("a", 0.00375, 8.0), ("b", -0.00375, 8.0), ("c", 0.0037, 8.0)], rate_cap=0.00375, rate_floor=-0.00375)
    hyper = predicted([("hyperliquid", 0.04, 1.0)])
    found = latest(pl.concat([rows, hyper]), AT)
    assert found["hit"].to_list() == ["cap", "floor", "", "cap"]
    assert aggregate(found, weights([("a", 0, 0, 1.0), ("c", 0, 0, 1.0)], 3)).hit == (f"a {SYMBOL}",)


def test_spreads_between_venues() -> None:
    found = spreads(latest(predicted(list(WORKED)), AT), base="BTC")
    assert len(found) == 6
    assert found.row(0, named=True)["long_venue"] == "okx"
    assert found["spread_8h"][0] == pytest.approx(0.00012) and found["apr"][0] == pytest.approx(0.00012 * 1095)
    same = found.filter((pl.col("long_venue") == "binance") & (pl.col("short_venue") == "hyperliquid"))
    assert same["spread_8h"].to_list() == pytest.approx([0.0])
    assert (found["spread_8h"] >= 0).all()


def test_what_was_predicted_against_what_was_settled() -> None:
    due = ns(2025, 11, 1, 8)
    said = table("funding_rates", [
        {"venue": "x", "symbol": SYMBOL, "ts_event": due - lead * MINUTE, "funding_rate": rate, "funding_time": due}
        for lead, rate in ((300, 0.0004), (90, 0.0002), (1, 0.00012), (-1, 0.0001))
    ], funding_kind="predicted", funding_interval_hours=8.0)  # fmt: skip
    rows = pl.concat([said, settled([0, 8.00001], funding_interval_hours=8.0)])
    last = prediction_errors(rows, due + HOUR)
    assert last["error_8h"].to_list() == pytest.approx([0.00002]) and last["lead_hours"].to_list() == pytest.approx([1 / 60])
    hour_before = prediction_errors(rows, due + HOUR, lead_hours=1)
    assert hour_before["error_8h"].to_list() == pytest.approx([0.0001])
    assert prediction_errors(rows, due - MINUTE).is_empty()


def test_volume_of_the_last_day() -> None:
    rows = [
        {"venue": "x", "symbol": SYMBOL, "ts_open": AT - h * HOUR, "ts_event": AT - (h - 1) * HOUR, "quantity": 2.0, "close": 100.0}
        for h in (0, 1, 2, 24, 25)
    ]
    hours = table("candles", rows, price_kind="last", interval_seconds=3600, open=1.0, high=1.0, low=1.0, is_closed=True)
    minute = table("candles", [{**rows[1], "ts_open": AT - MINUTE}], price_kind="last", interval_seconds=60, open=1.0, high=1.0, low=1.0)
    again = hours.slice(1, 1).with_columns(quantity=pl.lit(3.0), ts_recv=pl.lit(AT))
    assert volume_weights(pl.concat([hours, minute, again]), AT)["usd"].to_list() == [300 + 200 + 200]


# --- real settlements ----------------------------------------------------------------------------------------------------


def test_intervals_of_real_settlements_that_tell_none() -> None:
    found = records(seven_venues(), ns(2026, 1, 26))
    hours = found.group_by("venue").agg(pl.col("funding_interval_hours").unique())
    assert dict(hours.iter_rows()) == {"binance": [8], "bybit": [8], "hyperliquid": [1], "kraken": [1]}


def test_okx_settled_what_its_history_says() -> None:
    answer = json.loads(shared("crypto_research_rest/okx_funding.json").read_text())["BTC-USDT-SWAP"]
    now, past = answer["current"][0], answer["history"]
    frame = pl.DataFrame({
        "ts_event": [int(r["fundingTime"]) * 1_000_000 for r in past], "funding_rate": [float(r["realizedRate"]) for r in past],
    })  # fmt: skip
    rows = columns("funding_rates", frame, venue="okx", symbol=SYMBOL, base="BTC", funding_kind="settled")
    found = latest(rows, int(now["ts"]) * 1_000_000)
    assert found["funding_rate"].to_list() == [float(now["settFundingRate"])]
    assert found["funding_interval_hours"].to_list() == [(int(now["nextFundingTime"]) - int(now["fundingTime"])) / 3_600_000]
    assert found["why_not"].to_list() == [""]


def test_a_file_of_rates_per_hour_agrees_once_it_is_told_so() -> None:
    """The one publisher divides Binance's 8 h rate by 8; taken for rates of 8 h they would be 8 times too small."""
    frame = pl.read_csv(shared("binance_oi_funding_2026/BTC_funding.csv")).select(
        ts_event=pl.col("ts") * 1_000_000, funding_rate=pl.col("rate").cast(pl.Float64)
    )
    told = columns("funding_rates", frame, venue="binance", symbol=SYMBOL, base="BTC", funding_kind="settled", funding_interval_hours=1.0)
    at = ns(2026, 1, 26)
    joined = records(told, at).join(records(seven_venues(), at), on=["venue", "funding_time"], suffix="_other")
    assert len(joined) > 150
    assert (joined["rate_8h"] - joined["rate_8h_other"]).abs().max() <= 8.1e-10 * 1.01  # the file has ten decimals
