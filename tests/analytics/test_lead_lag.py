"""Lead and lag: the worked numbers, leads that exist and leads that do not."""

import numpy as np
import polars as pl
import pytest

from deleverage.analytics.lead_lag import (
    SECOND,
    correlation,
    correlogram,
    covariance,
    cross_correlation,
    downside_beta,
    elasticity,
    event_time,
    ladder,
    lead,
    page_trend,
    prewhitened,
)  # fmt: skip
from deleverage.errors import BadInput

T1 = np.array([0, 1, 3, 4, 7, 9, 10], dtype=float)
X1 = np.array([0, 0.5, 0.3, 1, 0.6, 1.1, 0.9])
T2 = np.array([0, 2, 3.5, 6, 8, 10])
X2 = np.array([0, 0.2, 0.6, 0.9, 0.5, 0.8])
BTC = np.array([5, 30, 60, 40, 20, 10, 5, 3, 2, 1], dtype=float)
ETH = np.array([1, 8, 30, 50, 45, 20, 10, 6, 3, 2], dtype=float)
ALT = np.array([0, 2, 8, 18, 30, 34, 24, 14, 8, 4], dtype=float)


def leader_and_follower() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ticks of a leader and of a follower three seconds behind, from a linear congruential generator."""
    state = 12345

    def uniform() -> float:
        nonlocal state
        state = (1103515245 * state + 12345) % 2**31
        return state / 2**31

    def normals(n: int) -> np.ndarray:
        return np.array([sum(uniform() for _ in range(12)) - 6 for _ in range(n)])

    walk = np.cumsum(normals(2000))
    noise = np.cumsum(0.3 * normals(2000))
    follower = 0.8 * np.concatenate([np.zeros(3), walk[:-3]]) + noise
    keep1 = np.array([uniform() < 0.7 for _ in range(2000)])
    keep2 = np.array([uniform() < 0.4 for _ in range(2000)])
    t = np.arange(2000, dtype=float)
    return t[keep1], walk[keep1], t[keep2], follower[keep2]


def test_covariance_and_correlogram_have_the_worked_numbers() -> None:
    assert covariance(T1, X1, T2, X2) == pytest.approx(0.4)
    assert correlation(T1, X1, T2, X2) == pytest.approx(0.4908067826, abs=1e-9)
    expected = [-0.184053, -0.368105, 0.490807, 0.441726, 0.564428, 0.061351]
    assert correlogram(T1, X1, T2, X2, range(-2, 4)) == pytest.approx(expected, abs=1e-6)


def test_a_series_with_itself_has_its_realised_variance() -> None:
    assert covariance(T1, X1, T1, X1) == pytest.approx(float((np.diff(X1) ** 2).sum()))
    assert correlation(T1, np.ones(7), T2, X2) is None


def test_the_generated_leader_leads_by_three_seconds() -> None:
    series = leader_and_follower()
    rhos = correlogram(*series, range(-8, 9))
    assert int(np.argmax(np.abs(rhos))) - 8 == 3
    assert rhos[11] == pytest.approx(0.954487, abs=1e-4)
    assert rhos[8] == pytest.approx(0.236783, abs=1e-4)
    assert float((rhos[9:] ** 2).sum() / (rhos[:8] ** 2).sum()) == pytest.approx(58.0591, rel=1e-3)
    found = lead(*series, range(-8, 9), rng=np.random.default_rng(1))
    assert (found.lag_seconds, found.verdict) == (3, "leads")
    assert found.low is not None and found.high is not None
    assert found.low > 0
    back = lead(*series[2:], *series[:2], range(-8, 9), rng=np.random.default_rng(1))
    assert (back.lag_seconds, back.verdict) == (-3, "lags")


def test_no_lead_where_stamps_or_chance_hide_it() -> None:
    series = leader_and_follower()
    assert lead(*series, range(-8, 9), rng=np.random.default_rng(1), resolution=5).verdict == "not resolvable"
    rng = np.random.default_rng(6)
    t = np.arange(2000, dtype=float)
    apart = lead(t, np.cumsum(rng.normal(size=2000)), t, np.cumsum(rng.normal(size=2000)), range(-8, 9), rng=rng)
    assert apart.verdict == "not resolvable"
    walk = np.cumsum(rng.normal(size=2000))
    assert lead(t, walk, t, walk, range(-8, 9), rng=rng).verdict == "together"


def test_event_times_have_the_worked_numbers() -> None:
    assert [event_time(x, 0.5) for x in (BTC, ETH, ALT)] == pytest.approx([2.883333, 3.970000, 5.382353], abs=1e-6)
    assert [event_time(x, 0.1) for x in (BTC, ETH, ALT)] == pytest.approx([1.42, 2.283333, 3.233333], abs=1e-6)
    assert event_time(np.zeros(3), 0.5) is None


def test_cross_correlation_peaks_at_the_worked_lags() -> None:
    lags = list(range(-3, 4))
    eth, alt = cross_correlation(BTC, ETH, lags), cross_correlation(BTC, ALT, lags)
    assert (lags[int(np.argmax(eth))], eth.max()) == (1, pytest.approx(0.8993, abs=5e-5))
    assert (lags[int(np.argmax(alt))], alt.max()) == (2, pytest.approx(0.6968, abs=5e-5))


def test_prewhitening_takes_the_memory_out() -> None:
    rng = np.random.default_rng(3)
    x = np.zeros(2000)
    for i in range(1, 2000):
        x[i] = 0.9 * x[i - 1] + rng.normal()
    y = np.roll(x, 2) + rng.normal(size=2000)
    a, b = prewhitened(x, y)
    rho = cross_correlation(a, b, range(-5, 6))
    assert int(np.argmax(rho)) - 5 == 2
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.06


def test_betas_and_elasticities() -> None:
    benchmark = np.array([-0.02, -0.03, -0.011, 0.02, -0.005, -0.04])
    assert downside_beta(1.5 * benchmark, benchmark) == pytest.approx(1.5)
    assert downside_beta(benchmark, np.abs(benchmark)) is None
    assert elasticity(50e6, 10e9, -0.05) == pytest.approx(0.001)
    assert elasticity(50e6, 10e9, 0.01) is None


def test_a_ladder_orders_coins_and_leaves_the_thin_ones_open() -> None:
    rng = np.random.default_rng(2)
    parts = [("BTC", 300, 400.0), ("ETH", 300, 600.0), ("SOL", 6, 500.0)]
    frame = pl.concat([
        pl.DataFrame({"ts_event": (rng.normal(at, 120, n) * SECOND).astype(np.int64), "base": base, "notional_usd": rng.lognormal(8, 1, n)})
        for base, n, at in parts
    ])  # fmt: skip
    rungs = ladder(frame, 0, 1800 * SECOND)
    assert [(r.base, r.verdict) for r in rungs] == [("BTC", "together"), ("ETH", "lags"), ("SOL", "not resolvable")]
    assert rungs[1].t50_low is not None and rungs[1].t50 is not None
    assert rungs[1].t50_low < rungs[1].t50


def test_a_ladder_does_not_depend_on_the_order_of_orders_at_one_instant() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"ts_event": np.repeat(np.arange(60) * 10 * SECOND, 5), "base": "BTC", "notional_usd": rng.lognormal(8, 1, 300)})
    assert ladder(frame, 0, 600 * SECOND) == ladder(frame.reverse(), 0, 600 * SECOND)


def test_a_trend_over_events() -> None:
    assert page_trend(np.array([[1, 2, 3], [1, 2, 3], [1, 3, 2], [1, 2, 3]]))[1] < 0.01
    assert page_trend(np.array([[3, 2, 1], [1, 2, 3]]))[1] > 0.4
    with pytest.raises(BadInput):
        page_trend(np.array([[1, 2, 3]]))
