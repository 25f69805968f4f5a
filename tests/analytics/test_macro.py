"""The wider economy: instants, vintages, betas between the same instants, levels; the real yields, dollar and bitcoin of 2025."""

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.macro import (
    BREAKEVEN,
    DAY,
    HOUR,
    beta,
    betas,
    changes,
    closes,
    joint,
    levels,
    names_of,
    new_york,
    observed,
    rolling,
    sample,
)  # fmt: skip
from deleverage.analytics.vintages import choose_source, known
from deleverage.errors import BadInput
from deleverage.tables import TABLES
from tests.analytics.test_regression import BITCOIN, DOLLAR, REAL
from tests.captures import shared


def rows(series: str, days: list[str], values: list[float | None], ts_recv: int | list[int] = 0, venue: str = "fred") -> pl.DataFrame:
    """Rows of table macro_observations."""
    return pl.DataFrame(
        {
            "venue": venue, "series": series, "observation_date": days, "value": values,
            "ts_recv": [ts_recv] * len(days) if isinstance(ts_recv, int) else ts_recv,
        },
        schema_overrides={"value": pl.Float64, "ts_recv": pl.Int64},
    )  # fmt: skip


def fred(name: str) -> pl.DataFrame:
    """The file of one series, taken as known on the day itself: it keeps no receipt."""
    file = pl.read_csv(shared(f"fred/{name}.csv"))
    return rows(name, file["date"].to_list(), file[name].to_list())


def moved(x: np.ndarray, y: np.ndarray) -> pl.DataFrame:
    ts = np.arange(len(x)) * DAY
    return pl.DataFrame({"ts_from": ts, "ts": ts + DAY, "base": y, "other": x})


@given(st.dates(date(2015, 1, 1), date(2035, 12, 31)), st.sampled_from(["00:30", "09:30", "12:00", "16:00"]))
def test_an_hour_of_new_york_is_that_of_its_time_zone(day: date, at: str) -> None:
    hour, minute = map(int, at.split(":"))
    expected = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo("America/New_York")).timestamp()
    assert new_york(pl.Series([day]), at)[0] == int(expected) * 1_000_000_000
    assert new_york(pl.Series([day.isoformat()]), at)[0] == int(expected) * 1_000_000_000


def test_summer_time_moves_the_close_in_utc() -> None:
    found = new_york(pl.Series(["2025-03-07", "2025-03-10", "2025-10-31", "2025-11-03"])).cast(pl.Datetime("ns"))
    assert found.dt.hour().to_list() == [21, 20, 20, 21]


def test_what_was_known_is_the_last_reading_received_by_then() -> None:
    vintages = rows("DGS10", ["2025-11-19", "2025-11-19", "2025-11-20"], [4.10, 4.12, 4.11], [10, 30, 20])
    for shuffled in (vintages, vintages.reverse()):
        assert known(shuffled, "macro_observations", 9).height == 0
        assert known(shuffled, "macro_observations", 10)["value"].to_list() == [4.10]
        assert known(shuffled, "macro_observations", 29)["value"].to_list() == [4.10, 4.11]
        assert known(shuffled, "macro_observations")["value"].to_list() == [4.12, 4.11]
    with pytest.raises(BadInput, match="not readings of a state"):
        known(vintages, "liquidations")
    with pytest.raises(BadInput, match="needs the columns value"):
        known(vintages.drop("value"), "macro_observations")


def test_a_revision_to_missing_takes_the_value_back() -> None:
    late = 2 * 10**18
    vintages = rows("DGS10", ["2025-11-19", "2025-11-19"], [4.10, None], [10, late])
    assert observed(vintages, "DGS10", late - 1)["value"].to_list() == [4.10]
    assert observed(vintages, "DGS10", late).height == 0


def test_sources_are_never_mixed() -> None:
    two = pl.concat([rows("DGS10", ["2025-11-19", "2025-11-20"], [4.0, 4.1]), rows("DGS10", ["2025-11-21"], [9.0], venue="other")])
    assert observed(two, "DGS10")["value"].to_list() == [4.0, 4.1]
    assert observed(two, "DGS10", source="other")["value"].to_list() == [9.0]
    assert choose_source(two, None, ["observation_date"])[1:] == ("fred", ("other",))
    assert choose_source(two[:0], None, ["observation_date"])[1:] == ("", ())


def test_the_breakeven_is_nominal_less_real_on_common_dates() -> None:
    both = pl.concat([rows("DGS10", ["2025-11-19", "2025-11-20"], [4.13, 4.10]), rows("DFII10", ["2025-11-20", "2025-11-21"], [1.85, 1.8])])
    found = observed(both, BREAKEVEN)
    assert found["observation_date"].to_list() == [date(2025, 11, 20)]
    assert found["value"][0] == pytest.approx(2.25)
    assert names_of(both) == ["DFII10", "DGS10", BREAKEVEN]


def test_changes_span_the_same_time_on_both_sides_and_look_at_no_later_price() -> None:
    values = observed(rows("X", ["2025-11-20", "2025-11-21", "2025-11-24"], [100.0, 110.0, 99.0]), "X")
    thursday, friday, monday = values["ts"].to_list()
    ticks = {thursday - HOUR: 50.0, thursday + 1: 1.0, friday: 60.0, friday + 1: 1.0, monday - 2 * HOUR: 30.0, monday + 1: 1.0}
    prices = pl.DataFrame({"ts": list(ticks), "price": list(ticks.values())})
    found = changes(prices, values)
    assert found["ts_from"].to_list() == [thursday, friday]
    assert found["base"].to_list() == pytest.approx([np.log(60 / 50), np.log(30 / 60)])
    assert found["other"].to_list() == pytest.approx([np.log(1.1), np.log(0.9)])
    assert changes(prices, values, kind="difference")["other"].to_list() == pytest.approx([10, -11])
    assert changes(prices, values, oldest=HOUR)["ts"].to_list() == [friday]
    assert changes(prices, values, longest=2 * DAY)["ts"].to_list() == [friday]
    with pytest.raises(BadInput, match="above 0"):
        changes(prices, values.with_columns(value=pl.lit(0.0)))


def test_samples_are_the_last_at_or_before() -> None:
    held = pl.DataFrame({"ts": [10, 20], "price": [1.0, 2.0]})
    assert sample(held, pl.Series([25, 9, 20, 19, 100]), oldest=50).to_list() == [2.0, None, 2.0, 1.0, None]


def test_closes_hold_when_the_candle_ends_and_are_of_one_contract() -> None:
    candles = pl.DataFrame({
        "venue": "bybit", "symbol": ["a", "a", "b"], "price_kind": "last", "is_closed": [True, False, True],
        "ts_open": [0, 3600 * 10**9, 0], "interval_seconds": 3600, "close": [5.0, 6.0, 7.0], "ts_recv": [4, 5, 6],
    })  # fmt: skip
    assert closes(candles[:2]).rows() == [(HOUR, 5.0)]
    assert closes(candles[:2], 3).height == 0
    with pytest.raises(BadInput, match="one contract"):
        closes(candles)


def test_beta_has_the_worked_numbers() -> None:
    found = beta(moved(DOLLAR, BITCOIN), "DTWEXBGS")
    assert found.correlation == pytest.approx(-0.9922717346, abs=1e-10)
    assert found.ewma_beta == pytest.approx(-5.1893322485, rel=1e-10)
    assert (found.n, found.verdict, found.start, found.end) == (10, "moves against", 0, 10 * DAY)
    assert found.correlation_low is not None and found.correlation_high is not None
    # Fisher: atanh of the correlation ± 1.959963985/√7
    assert np.arctanh(found.correlation_low) == pytest.approx(np.arctanh(-0.9922717346) - 1.959963985 / 7**0.5, rel=1e-6)
    assert np.arctanh(found.correlation_high) == pytest.approx(np.arctanh(-0.9922717346) + 1.959963985 / 7**0.5, rel=1e-6)
    assert beta(moved(DOLLAR[:9], BITCOIN[:9])).beta is None
    assert beta(moved(np.zeros(10), BITCOIN)).verdict == "not resolvable"
    both = joint({"DTWEXBGS": moved(DOLLAR, BITCOIN), "DFII10": moved(REAL, BITCOIN)}, lags=2)
    assert both.betas == pytest.approx((-4.80493446, -0.0465304549), rel=1e-8)
    assert both.t == pytest.approx((-6.73615251, -0.66050978), rel=1e-7)
    assert both.constant == pytest.approx(6.35697764e-4, rel=1e-8)
    assert both.r_squared == pytest.approx(0.9856549093, rel=1e-9)
    assert both.inflation == pytest.approx([1 / (1 - np.corrcoef(DOLLAR, REAL)[0, 1] ** 2)] * 2)


def test_joint_rests_on_common_spans_alone() -> None:
    rng = np.random.default_rng(1)
    x, z, y = rng.normal(size=(3, 40))
    short = moved(z, y).filter(pl.col("ts") > 10 * DAY)
    assert joint({"x": moved(x, y), "z": short}).n == 30
    assert joint({"x": moved(x, y)[:2], "z": short}).betas == (None, None)
    with pytest.raises(BadInput):
        joint({})


@given(st.integers(0, 1000), st.integers(10, 40), st.integers(45, 70))
@settings(max_examples=20, deadline=None)
def test_a_rolling_beta_never_looks_ahead(seed: int, window: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    whole = moved(rng.normal(size=80), rng.normal(size=80))
    assert rolling(whole[:cut], window).equals(rolling(whole, window)[: cut - window + 1])


def test_a_rolling_beta_has_the_last_windows() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    whole = moved(x, 2 * x + 0.1 * rng.normal(size=60))
    found = rolling(whole, 30)
    assert found.height == 31
    assert found["beta"][-1] == pytest.approx(np.polyfit(x[-30:], whole["base"].to_numpy()[-30:], 1)[0])
    assert found["beta"][0] == pytest.approx(np.polyfit(x[:30], whole["base"].to_numpy()[:30], 1)[0])
    assert rolling(whole[:5], 30).height == 0


def test_what_came_later_changes_no_past_beta() -> None:
    rng = np.random.default_rng(5)
    days = pl.date_range(date(2025, 1, 1), date(2025, 4, 30), eager=True)
    values = 100 * np.exp(np.cumsum(0.01 * rng.normal(size=len(days))))
    ts = new_york(days)
    received = (ts + 7 * DAY).to_list()
    observations = rows("DTWEXBGS", days.cast(pl.String).to_list(), values.tolist(), received)
    prices = pl.DataFrame({"ts": ts, "price": 1e5 / values})
    as_of = int(ts[80])
    then = betas(prices, observations, as_of, windows=[30])[0]
    assert then.end == ts[73]
    assert then.beta == pytest.approx(-1)
    past = betas(prices[:81], observations.filter(pl.col("ts_recv") <= as_of), windows=[30])[0]
    assert then == past


def test_levels_tell_the_age_and_the_month_before() -> None:
    as_of = int(new_york(pl.Series(["2025-11-21"]))[0])
    days = ["2025-10-20", "2025-10-21", "2025-11-19", "2025-11-20", "2025-11-21"]
    found = levels(pl.concat([
        rows("DGS10", days, [4.0, 3.98, 4.13, 4.10, 4.06], [0, 0, 0, 0, as_of + 1]), rows("SP500", ["2025-11-20"], [6539.0]),
    ]), as_of)  # fmt: skip
    ten, stocks = found.to_dicts()
    assert (ten["observation_date"], ten["age_days"], ten["unit"]) == (date(2025, 11, 20), 1, "percent")
    assert (ten["value"], ten["change"], ten["month_change"]) == pytest.approx((4.10, -0.03, 0.10))
    assert ten["month_before_date"] == date(2025, 10, 20)
    assert (stocks["change"], stocks["month_change"], stocks["year_rank"]) == (None, None, None)
    assert levels(rows("DGS10", ["2025-11-21"], [4.06], as_of + 1), as_of).height == 0
    empty = pl.DataFrame(schema=TABLES["macro_observations"].polars_schema)
    assert levels(empty, as_of).height == 0
    prices = pl.DataFrame(schema={"ts": pl.Int64, "price": pl.Float64})
    assert betas(prices, empty, as_of) == []
    assert [b.n for b in betas(prices, rows("SP500", ["2025-11-20"], [6539.0]), as_of)] == [0, 0]


# --- real data ----------------------------------------------------------------------------------------------------------


def bitcoin() -> pl.DataFrame:
    """Binance's hourly closes, each at the end of its hour."""
    candles = pl.read_parquet(shared("seven_venues_2025_2026/candles.parquet")).filter(
        (pl.col("venue") == "binance") & (pl.col("coin") == "BTC")
    )
    return candles.select(ts=pl.col("timestamp").dt.epoch("ns") + HOUR, price="c").sort("ts")


def test_the_ten_year_yields_around_the_fall_of_november_2025() -> None:
    observations = pl.concat([fred("DGS10"), fred("DFII10"), fred("DTWEXBGS")])
    as_of = int(new_york(pl.Series(["2025-11-20"]))[0])
    found = {row["series"]: row for row in levels(observations, as_of).to_dicts()}
    assert found["DGS10"]["value"] == 4.10  # the article: 4.1 to 4.2 %
    assert found["BREAKEVEN10"]["value"] == pytest.approx(found["DGS10"]["value"] - found["DFII10"]["value"])
    assert 2.0 < found["BREAKEVEN10"]["value"] < 2.5
    assert abs(found["DTWEXBGS"]["month_change"]) / found["DTWEXBGS"]["value"] < 0.02  # "steady"


def test_bitcoins_betas_agree_with_a_second_path() -> None:
    prices, dollar = bitcoin(), fred("DTWEXBGS")
    found = betas(prices, dollar, windows=[90])[0]
    # the second path: a dictionary of hourly closes, read at the close of each business day
    by_hour = dict(zip(prices["ts"].to_list(), prices["price"].to_list(), strict=True))
    zone, pairs = ZoneInfo("America/New_York"), []
    for day, value in zip(dollar["observation_date"], dollar["value"], strict=True):
        at = int(datetime.fromisoformat(f"{day}T16:00").replace(tzinfo=zone).timestamp()) * 1_000_000_000
        if at in by_hour and value is not None:
            pairs.append((by_hour[at], value))
    logs = np.diff(np.log(np.array(pairs)), axis=0)[-90:]
    assert found.n == 90
    assert found.beta == pytest.approx(np.polyfit(logs[:, 1], logs[:, 0], 1)[0])
    assert found.correlation == pytest.approx(np.corrcoef(logs.T)[0, 1])


def test_an_hourly_series_has_a_beta_too() -> None:
    candles = pl.read_parquet(shared("seven_venues_2025_2026/candles.parquet")).filter(
        (pl.col("venue") == "binance") & (pl.col("coin") == "ETH")
    )
    ether = candles.select(ts=pl.col("timestamp").dt.epoch("ns") + HOUR, value="c").sort("ts")
    found = beta(changes(bitcoin(), ether, longest=HOUR), "ETH", window=24 * 30)
    assert found.verdict == "moves with"
    assert found.correlation is not None and found.correlation > 0.7


def test_prices_of_another_hour_tell_nothing() -> None:
    daily = json.loads(shared("dvol/BTC_DVOL_1d.json").read_text())
    days = pl.Series(daily["dates"]).str.to_date()
    prices = pl.DataFrame({"ts": days.cast(pl.Datetime("ns")).dt.epoch("ns"), "price": daily["btc_prices"]})
    dollar = observed(fred("DTWEXBGS"), "DTWEXBGS")
    assert changes(prices, dollar).height == 0  # midnight's price is not the close's
    assert changes(prices, dollar, oldest=DAY).height > 500
