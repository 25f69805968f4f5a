"""Realised volatility against series whose volatility is known, its cone, the variance premium, and nothing of the future."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.options.realised import DAY, cone, realised_variance, realised_volatility, variance_premium
from deleverage.errors import BadInput

START = 1_767_225_600_000_000_000
HOUR = DAY // 24


def candles(close, interval=3600, high=None, low=None, drop=()):
    keep = [i for i in range(len(close)) if i not in set(drop)]
    close = np.asarray(close, float)
    return pl.DataFrame(
        {
            "ts_open": START + np.arange(len(close)) * interval * 1_000_000_000, "interval_seconds": [interval] * len(close),
            "close": close, "high": close if high is None else high, "low": close if low is None else low,
        }
    )[keep]  # fmt: skip


def alternating(hours, size=0.01):
    return 100 * np.exp(size * (np.arange(hours) % 2))


def test_returns_of_one_size_give_that_size_a_year():
    found = realised_volatility(candles(alternating(24 * 8)), START + 8 * DAY, 7)
    assert found == pytest.approx(0.01 * (365 * 24) ** 0.5, rel=1e-12)


def test_parkinson_takes_the_range():
    close = np.full(24 * 8, 100.0)
    frame = candles(close, high=close * np.exp(0.01), low=close * np.exp(-0.01))
    expected = (0.02**2 / (4 * np.log(2)) * 365 * 24) ** 0.5
    assert realised_volatility(frame, START + 8 * DAY, 7, "parkinson") == pytest.approx(expected, rel=1e-12)


def test_both_estimators_find_the_volatility_of_a_brownian_path():
    rng = np.random.default_rng(5)
    fine = 60
    path = np.cumsum(rng.normal(0, 0.6 / (365 * 24 * fine) ** 0.5, 24 * 180 * fine)).reshape(-1, fine)
    price = 50_000 * np.exp(path)
    frame = candles(price[:, -1], high=price.max(axis=1), low=price.min(axis=1))
    at = START + 180 * DAY
    assert realised_volatility(frame, at, 179, "close") == pytest.approx(0.6, abs=0.02)
    parkinson = realised_volatility(frame, at, 179, "parkinson")
    assert 0.5 < parkinson < 0.6  # too low, for a path seen 60 times an hour does not show its whole range


def test_a_window_not_covered_is_not_known():
    close = alternating(24 * 8)
    at = START + 8 * DAY
    assert realised_volatility(candles(close), at, 14) is None
    assert realised_volatility(candles(close), at + DAY, 7) is None
    assert realised_volatility(candles(close, drop=range(20, 60)), at, 7, "parkinson") is None
    assert realised_volatility(candles(close, drop=range(100, 104)), at, 7) == pytest.approx(0.01 * (163 / 167 * 365 * 24) ** 0.5, rel=0.02)
    assert realised_volatility(candles(close)[:0], at, 7) is None


def test_candles_of_two_intervals_or_without_ranges_are_refused():
    mixed = pl.concat([candles(alternating(24)), candles(alternating(24), interval=60)])
    with pytest.raises(BadInput, match="intervals"):
        realised_variance(mixed.with_columns(ts_open=pl.int_range(pl.len())), 1)
    with pytest.raises(BadInput, match="high"):
        realised_variance(candles(alternating(24)).drop("high"), 1, "parkinson")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(24 * 8, 24 * 20))
def test_nothing_looks_ahead(seed, cut):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 24 * 25)))
    at = START + cut * HOUR
    other = close.copy()
    other[cut:] *= np.exp(rng.normal(0, 1, len(close) - cut))
    implied = pl.DataFrame({"ts": [START + 8 * DAY, at - 7 * DAY, at], "tenor_days": [7.0] * 3, "iv": [0.6] * 3})
    one, two = candles(close), candles(other)
    assert realised_volatility(one, at, 7) == realised_volatility(two, at, 7)
    assert cone(one, at, [7]).equals(cone(two, at, [7]))
    assert variance_premium(implied, one, at).equals(variance_premium(implied, two, at))


def test_the_cone_orders_its_quantiles_and_says_how_many_windows():
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.005, 24 * 90)))
    found = cone(candles(close), START + 90 * DAY, [7, 30, 180])
    row = found.row(0, named=True)
    values = [row[x] for x in ("low", "q10", "q25", "median", "q75", "q90", "high")]
    assert values == sorted(values)
    assert row["low"] <= row["now"] <= row["high"]
    assert row["independent"] == 12
    assert found["low"][1] > found["low"][0]  # longer windows vary less
    assert found.row(2, named=True)["median"] is None
    assert found["windows"].to_list()[2] == 0


def test_the_premium_says_which_windows_and_when_it_was_known():
    close = np.concatenate([alternating(24 * 10, 0.01), 100 * np.exp(0.02 * (np.arange(24 * 10) % 2))])
    ts = START + 10 * DAY
    implied = pl.DataFrame({"ts": [ts], "tenor_days": [7.0], "iv": [1.2]})
    year = 365 * 24
    row = variance_premium(implied, candles(close), START + 20 * DAY).row(0, named=True)
    assert row["premium_before"] == pytest.approx(1.44 - 0.01**2 * year, rel=1e-9)
    assert row["premium_after"] == pytest.approx(1.44 - 0.02**2 * year, rel=0.01)  # one return of 168 joins the halves
    assert row["known_from"] == ts + 7 * DAY
    early = variance_premium(implied, candles(close), ts + 7 * DAY - 1).row(0, named=True)
    assert early["premium_before"] == row["premium_before"]
    assert early["premium_after"] is None
    assert variance_premium(implied, candles(close), ts - 1).is_empty()
