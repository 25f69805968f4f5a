"""Settled funding through time and the words for it, on planted series and on the four venues public for November 2025."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.funding_history import combined, cumulative, flips, history
from deleverage.analytics.funding_regimes import Thresholds, fitted, percentile, regime, regimes, robust_z
from deleverage.errors import BadInput
from tests.analytics.leverage import DAY, HOUR, MINUTE, ns, seven_venues, table

BASE = ns(2025, 6, 1)
SYMBOL = "BTC/USDT:USDT"


def settled(venue: str, hours: float, rates: list[float], first: int = BASE) -> pl.DataFrame:
    return table("funding_rates", [
        {"venue": venue, "symbol": SYMBOL, "ts_event": first + int((i + 1) * hours * HOUR), "funding_rate": rate}
        for i, rate in enumerate(rates)
    ], funding_kind="settled", funding_interval_hours=hours)  # fmt: skip


def buckets(rates: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"ts_end": [BASE + i * 8 * HOUR for i in range(len(rates))], "rate_8h": rates})


PAST = [0.00005 + 0.0000001 * i for i in range(280)]
"""93 days between 0.005 % and 0.0078 %."""


def test_hourly_and_eight_hourly_settlements_share_a_bucket() -> None:
    rows = pl.concat([settled("a", 8, [0.0001, 0.0002]), settled("b", 1, [0.0000125] * 8 + [0.00005] * 8)])
    found = history(rows, BASE, BASE + DAY)
    assert found["ts_end"].to_list() == [BASE + 8 * HOUR, BASE + 16 * HOUR] * 2
    assert found["rate_8h"].to_list() == pytest.approx([0.0001, 0.0002, 0.0001, 0.0004])
    assert found["settlements"].to_list() == [1, 1, 8, 8] and found["hours"].to_list() == [8] * 4


def test_a_settlement_stamped_late_stays_in_its_bucket_and_a_missing_one_shows() -> None:
    rows = settled("b", 1, [0.0000125] * 8).with_columns(ts_event=pl.col("ts_event") + 65_000_000).slice(1)
    found = history(rows, BASE, BASE + DAY)
    assert (found["ts_end"].to_list(), found["hours"].to_list()) == ([BASE + 8 * HOUR], [7])
    assert found["rate_8h"].to_list() == pytest.approx([0.0001]) and found["paid"].to_list() == pytest.approx([0.0000875])


def test_windows_are_open_at_the_start_and_closed_at_the_end() -> None:
    rows = settled("a", 8, [0.1, 0.2, 0.4, -0.8])
    found = cumulative(rows, BASE + 8 * HOUR, BASE + 32 * HOUR).row(0, named=True)
    assert (found["paid"], found["hours"], found["coverage"]) == (pytest.approx(-0.2), 24, 1.0)
    assert (found["negatives"], found["longest_negative_hours"]) == (1, 8)
    assert found["apr"] == pytest.approx(-0.2 * 365)
    assert cumulative(rows, BASE + 8 * HOUR, BASE + 56 * HOUR)["coverage"].to_list() == [0.5]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-0.01, 0.01), min_size=2, max_size=60), st.sampled_from([1.0, 2.0, 4.0, 8.0]), st.sampled_from([8.0, 24.0, None]))
def test_buckets_add_up_to_the_window(rates: list[float], hours: float, width: float | None) -> None:
    rows = settled("a", hours, rates)
    end = BASE + int(len(rates) * hours * HOUR)
    whole = cumulative(rows, BASE, end).row(0, named=True)
    parts = history(rows, BASE, end, hours=width)
    assert parts["paid"].sum() == pytest.approx(whole["paid"], abs=1e-12) == pytest.approx(sum(rates), abs=1e-12)
    assert parts["negatives"].sum() == sum(r < 0 for r in rates)
    assert history(rows.sample(fraction=1, shuffle=True, seed=1), BASE, end, hours=width).equals(parts)


def test_venues_combine_by_open_interest_or_alike() -> None:
    rates = pl.concat([settled("a", 8, [0.0001] * 3), settled("b", 8, [-0.0002] * 3), settled("c", 8, [0.5] * 3)])
    held = table("open_interest", [
        {"venue": v, "symbol": SYMBOL, "ts_event": BASE + at * HOUR, "open_interest_usd": usd, "open_interest": 1.0, "counting": "one_side"}
        for v, at, usd in (("a", 7, 30.0), ("b", 7, 10.0), ("b", 9, 30.0), ("d", 7, 10.0))
    ])  # fmt: skip
    by_oi = combined(history(rates, BASE, BASE + DAY), held, tolerance=16 * HOUR)
    assert by_oi["rate_8h"].to_list() == pytest.approx([0.000025, -0.00005, -0.0002])
    assert by_oi["coverage"].to_list() == pytest.approx([40 / 50, 60 / 70, 1]) and by_oi["contracts"].to_list() == [2, 2, 1]
    assert by_oi["share_negative"].to_list() == [0.5, 0.5, 1.0]
    alike = combined(history(rates, BASE, BASE + DAY))
    assert alike["rate_8h"].to_list() == pytest.approx([(0.0001 - 0.0002 + 0.5) / 3] * 3) and alike["coverage"].null_count() == 3
    assert combined(history(rates, BASE, BASE + DAY), held.clear())["rate_8h"].to_list() == [None] * 3


def test_weighing_is_the_same_to_the_last_digit_whatever_order_rows_come_in() -> None:
    rng, venues = np.random.default_rng(0), [f"v{i}" for i in range(40)]
    rates = history(pl.concat([settled(v, 8, rng.normal(0, 1e-4, 30).tolist()) for v in venues]), BASE, BASE + 10 * DAY)
    held = table("open_interest", [
        {"venue": v, "symbol": SYMBOL, "ts_event": BASE, "open_interest_usd": usd, "open_interest": 1.0, "counting": "one_side"}
        for v, usd in zip(venues, rng.lognormal(20, 3, len(venues)).tolist(), strict=True)
    ])  # fmt: skip
    first = combined(rates, held, tolerance=10 * DAY)
    for seed in range(10):
        mixed = [rows.sample(fraction=1, shuffle=True, seed=seed) for rows in (rates, held)]
        assert combined(*mixed, tolerance=10 * DAY).equals(first)


def test_flips_are_brief_or_sustained_by_hours() -> None:
    rows = pl.concat([
        settled("a", 8, [0.1, -0.1, -0.2, 0.1, -0.1, -0.1, -0.1, 0.1, -0.1]), settled("b", 1, [0.1] + [-0.1] * 23 + [0.0] + [-0.1] * 24),
    ])  # fmt: skip
    found = flips(rows, BASE + 20 * HOUR, BASE + 72 * HOUR)
    assert found.select("venue", "settlements", "hours", "flip", "is_ongoing").rows() == [
        ("a", 2, 16.0, "brief", False), ("a", 3, 24.0, "sustained", False), ("a", 1, 8.0, "brief", True),
        ("b", 23, 23.0, "brief", False), ("b", 24, 24.0, "sustained", True),
    ]  # fmt: skip
    assert found["start"][0] == BASE + 8 * HOUR and found["end"][0] == BASE + 24 * HOUR and found["lowest_8h"][0] == -0.2
    assert flips(rows, BASE + 20 * HOUR, BASE + 40 * HOUR)["end"].max() == BASE + 40 * HOUR


def test_the_worked_robust_z() -> None:
    past = np.array([0.9, 0.8, 1.1, 1.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15])
    assert robust_z(0.1, past) == pytest.approx(-1.124151, rel=1e-6)
    assert robust_z(0.1, np.array([1.0, 1.0, 1.0, 2.0])) is None and robust_z(1.0, np.zeros(0)) is None
    assert percentile(0.6, past) == pytest.approx(5.5 / 11) and percentile(2.0, past) == 1.0


@pytest.mark.parametrize(
    ("last", "word"),
    [
        ([0.00031], "hot"), ([0.0003], "elevated"), ([0.00012], "resting"), ([0.00008], "resting"), ([0.0001], "resting"),
        ([0.00002], "compressed"), ([0.0], "compressed"), ([0.000075], "low"), ([-0.00001], "brief flip"),
        ([-0.00001] * 2, "brief flip"), ([-0.00001] * 3, "negative"), ([-0.00001] * 6, "flipped"),
        ([-0.1, 0.1, -0.1, -0.1, 0.1, -0.1, -0.1, 0.1, -0.1], "flipped"),
    ],
)  # fmt: skip
def test_each_word(last: list[float], word: str) -> None:
    series = buckets(PAST + last)
    found = regime(series, series["ts_end"][-1])
    assert found is not None and found.word == word and found.why
    assert found.above_resting_8h == pytest.approx(last[-1] - 0.0001)


def test_a_short_past_gives_no_rank_and_no_word_that_needs_one() -> None:
    short = buckets([0.00005] * 200 + [0.00002])
    found = regime(short, short["ts_end"][-1])
    assert found is not None and (found.word, found.percentile, found.robust_z) == (None, None, None) and "90 days" in found.why
    hot = regime(buckets([0.0004]), BASE)
    assert hot is not None and hot.word == "hot" and hot.percentile is None
    holes = buckets([*PAST, 0.00002]).gather_every(2)
    sparse = regime(holes, holes["ts_end"][-1])
    assert sparse is not None and sparse.percentile is None
    assert regime(buckets([0.0001]), BASE - 1) is None


def test_low_for_days_is_no_longer_falling() -> None:
    series = buckets(PAST + [0.00002] * 12)
    assert [r.word for r in regimes(series, BASE + 279 * 8 * HOUR, series["ts_end"][-1])] == ["compressed"] * 9 + ["low"] * 3


def test_regimes_see_nothing_later_and_take_one_series() -> None:
    series = buckets([*PAST, 0.00002, -0.0001, 0.0004])
    whole = regimes(series, BASE + 279 * 8 * HOUR, series["ts_end"][-1])
    assert [r.word for r in whole] == ["compressed", "brief flip", "hot"]
    for found in whole:
        assert regime(series.filter(pl.col("ts_end") <= found.ts_end), found.ts_end) == found
        assert regime(series, found.ts_end + HOUR) == found
    with pytest.raises(BadInput):
        regimes(pl.concat([series, series]), 0, BASE + DAY)


def test_thresholds_are_a_value_and_can_be_fitted() -> None:
    limits = fitted(np.linspace(0, 0.001, 1001))
    assert (limits.hot_8h, limits.compressed_8h) == (pytest.approx(0.00095), pytest.approx(0.00008))
    series = buckets([*PAST, 0.00031])
    found = regime(series, series["ts_end"][-1], thresholds=limits)
    assert found is not None and found.word == "elevated"
    with pytest.raises(BadInput):
        Thresholds(hot_8h=0.00005)
    with pytest.raises(BadInput):
        fitted(np.ones(5))


# --- 20 to 22 November 2025 ------------------------------------------------------------------------------------------------


def test_november_2025_compressed_at_three_venues_and_briefly_negative_at_two() -> None:
    """The article: compressed toward neutral on major venues, some briefly negative. So it was, but for Hyperliquid, which rested."""
    rates = seven_venues()
    start, end = ns(2025, 11, 19, 16), ns(2025, 11, 23)
    found = flips(rates, start, end)
    assert found.select("venue", "settlements", "hours", "flip").rows() == [("bybit", 2, 16.0, "brief"), ("kraken", 1, 1.0, "brief")]
    assert found["lowest_8h"][0] == -7.26e-06 and found["end"][0] == ns(2025, 11, 21, 8)
    rows = history(rates, 0, end)
    words = {v: [r.word for r in regimes(rows.filter(pl.col("venue") == v), start, end)] for v in rows["venue"].unique()}
    assert words["bybit"][2:5] == ["compressed", "brief flip", "brief flip"]
    assert words["binance"].count("compressed") == 1 and "brief flip" not in words["binance"]
    assert words["hyperliquid"].count("resting") == 9 and words["kraken"].count("compressed") == 4
    lowest = rows.filter((pl.col("venue") == "binance") & (pl.col("ts_end") > start))["rate_8h"].min()
    assert lowest == 1.373e-05
    assert not any("flip" in (w or "") for w in (r.word for r in regimes(combined(rows), start, end)))


def test_a_rate_that_rests_half_the_time_has_no_robust_z() -> None:
    rows = history(seven_venues(venues=("hyperliquid",)), 0, ns(2025, 11, 22))
    found = regime(rows, ns(2025, 11, 22) + MINUTE)
    assert found is not None and found.robust_z is None and found.percentile is not None
