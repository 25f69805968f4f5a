"""Occupancy inversion, the size-aware estimators on homogeneous streams, and the transfer from full feeds: worked numbers."""

import numpy as np
import pytest

from deleverage.analytics.occupancy import largest, latest, occupancy
from deleverage.analytics.transfer import Range, combine, fit_transfer
from deleverage.errors import BadInput
from deleverage.simulate.throttle import Rule, printed


def test_poisson_occupancy_has_the_worked_numbers() -> None:
    seen = occupancy(45, 60)
    assert seen.q == 0.75
    assert (seen.rate, seen.events, seen.factor) == pytest.approx((1.3862943611, 83.1776617, 1.8483925), rel=2e-8)
    assert (seen.low, seen.high) == pytest.approx((0.971285, 1.916058), abs=5e-7)
    assert seen.standard_error == pytest.approx(0.2236068, rel=1e-6)


@pytest.mark.parametrize(("dispersion", "mean", "factor"), [(0.5, 7.5, 10), (1, 3, 4), (2, 2, 2.6667), (5, 1.5975396, 2.13005)])
def test_dispersed_counts_invert_to_more(dispersion: float, mean: float, factor: float) -> None:
    seen = occupancy(45, 60, dispersion)
    assert seen.rate == pytest.approx(mean, rel=1e-6)
    assert seen.factor == pytest.approx(factor, rel=2e-5)


def test_a_full_minute_tells_a_lower_end_only() -> None:
    seen = occupancy(60, 60)
    assert seen.low == pytest.approx(3.4617, abs=5e-5)
    assert seen.rate is seen.high is seen.factor is None


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(BadInput, match="0 <= printed <= slots"):
        occupancy(61, 60)


@pytest.mark.parametrize("rate", [0.54, 1.66, 3.2])  # saturation 0.42, 0.81, 0.96
@pytest.mark.parametrize("rule", ["largest_per_second", "latest_per_second"])
def test_size_aware_estimators_are_unbiased_on_homogeneous_streams(rate: float, rule: Rule) -> None:
    rng = np.random.default_rng(7)
    truth, found = np.zeros(2), np.zeros(2)
    slots = 600
    for _ in range(150):
        n = rng.poisson(rate * slots)
        seconds, usd, is_long = rng.uniform(0, slots, n), rng.lognormal(8, 1, n), rng.random(n) < 0.8
        shown = printed(np.zeros(n, np.int64), seconds, usd, rule)
        estimate = (largest if rule == "largest_per_second" else latest)(usd[shown], is_long[shown], slots)
        assert estimate is not None
        truth += [usd[is_long].sum(), usd[~is_long].sum()]
        found += estimate
    assert found / truth == pytest.approx([1, 1], abs=0.04)
    assert found[0] / found.sum() == pytest.approx(truth[0] / truth.sum(), abs=0.01)


def test_transfer_has_the_worked_numbers() -> None:
    drop, excess, liquidated = np.array(
        [(100, 40, 58), (250, 90, 139), (60, 80, 52), (400, 210, 247), (30, 10, 17), (180, 120, 115)], dtype=float
    ).T
    fitted = fit_transfer(drop, excess, liquidated)
    assert (fitted.a, fitted.b, fitted.residual) == pytest.approx((0.45235861, 0.30477106, 4.02654534), rel=1e-7)
    assert fitted.estimate(500, 260) == pytest.approx(305.419783, rel=2e-8)
    assert fitted.estimate(500, 260) / 90 == pytest.approx(3.393553, rel=1e-6)
    interval = fitted.interval(500, 260)
    assert interval is not None
    assert interval[0] < 305.42 < interval[1]


def test_estimates_that_exclude_each_other_are_spanned() -> None:
    combined = combine([Range(100, 90, 110), Range(300, 280, 330)], 50)
    assert (combined.low, combined.high) == (90, 330)
    agreeing = combine([Range(100, 50, 200), Range(120, 60, 240)], 55)
    assert 100 < agreeing.usd < 120
    assert agreeing.high - agreeing.low < 150
