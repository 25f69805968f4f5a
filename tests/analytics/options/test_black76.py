"""Black's formula: the worked numbers, QuantLib and exact arithmetic as oracles, and what no price may break."""

from typing import NamedTuple

import mpmath
import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # as its own documentation has it
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numpy.typing import NDArray

from deleverage.analytics.options.black76 import greeks, implied_volatility, price
from deleverage.analytics.options.mills import mills, shortfall

Floats = NDArray[np.float64]
WORKED = (86_000.0, 85_000.0, 30 / 365, 0.55)
FORWARD = st.floats(0.01, 200_000)
LOG_MONEYNESS = st.one_of(st.just(0.0), st.floats(-2, 2))
YEARS = st.floats(1 / 8_760, 3)
VOLATILITY = st.floats(0.05, 3)


class Drawn(NamedTuple):
    forward: Floats
    strike: Floats
    years: Floats
    volatility: Floats
    is_call: NDArray[np.bool_]


def drawn(count: int, reach: float) -> Drawn:
    """Options of either kind with strikes within `reach` standard deviations of the forward."""
    rng = np.random.default_rng(76)
    years, volatility = np.exp(rng.uniform(np.log(2 / 365), np.log(2.0), count)), rng.uniform(0.3, 1.2, count)
    forward = rng.uniform(20_000, 120_000, count)
    strike = forward * np.exp(rng.uniform(-reach, reach, count) * volatility * np.sqrt(years))
    return Drawn(forward, strike, years, volatility, rng.random(count) < 0.5)


def exact(forward: float, strike: float, years: float, volatility: float, is_call: bool) -> mpmath.mpf:
    with mpmath.workdps(60):
        f, k, t, v = (mpmath.mpf(float(a)) for a in (forward, strike, years, volatility))
        s, sign = v * mpmath.sqrt(t), 1 if is_call else -1
        d1 = mpmath.log(f / k) / s + s / 2
        return sign * (f * mpmath.ncdf(sign * d1) - k * mpmath.ncdf(sign * (d1 - s)))


def calculators(options: Drawn) -> list[ql.BlackCalculator]:
    total = options.volatility * np.sqrt(options.years)
    kinds = [ql.Option.Call if call else ql.Option.Put for call in options.is_call]
    rows = zip(kinds, options.strike.tolist(), options.forward.tolist(), total.tolist(), strict=True)
    return [ql.BlackCalculator(ql.PlainVanillaPayoff(kind, k), f, s, 1.0) for kind, k, f, s in rows]


def test_prices_and_volatilities_have_the_worked_numbers() -> None:
    both = price(*WORKED, [True, False])
    assert both == pytest.approx([5_887.57618846, 4_887.57618846], rel=1e-12)
    assert both / 86_000 == pytest.approx([0.06846018824, 0.05683228126], rel=1e-9)
    back = implied_volatility([5_887.57618846, 4_887.57618846], 86_000, 85_000, 30 / 365, [True, False])
    assert back == pytest.approx([0.55, 0.55], rel=1e-12)
    assert implied_volatility(both * 1.0371, 86_000, 85_000, 30 / 365, [True, False]) == pytest.approx([0.57246886, 0.56865245], rel=3e-8)
    c, p = both / 86_000
    assert 85_000 / (1 - (c - p)) == pytest.approx(86_000, rel=1e-12)


def test_greeks_have_the_worked_numbers() -> None:
    found = greeks(*WORKED, True)
    assert found.delta == pytest.approx(0.5608070925, abs=1e-10)
    assert found.delta_premium_adjusted == pytest.approx(0.4923469043, abs=1e-10)
    assert found.delta_premium_adjusted * 86_000 / 85_000 == pytest.approx(0.4981392208, abs=1e-10)
    assert found.gamma == pytest.approx(2.90770592e-05, rel=1e-8)
    assert found.vega / 100 == pytest.approx(97.21616, rel=1e-7)
    assert found.vanna == pytest.approx(0.0033438708, rel=1e-7)
    assert found.charm == pytest.approx(-0.0111880343, rel=1e-7)
    assert found.charm / 365 == pytest.approx(-3.06521e-05, rel=1e-5)


def test_ten_thousand_prices_and_volatilities_are_those_of_quantlib() -> None:
    # QuantLib rounds a price at some 4e-16 of max(F, K); that is less than 1e-8 of the volatility only where vega is as large as this
    options = drawn(10_000, 6.0)
    theirs = np.array([c.value() for c in calculators(options)])
    assert np.max(np.abs(price(*options) - theirs) / np.maximum(options.forward, options.strike)) < 1e-14
    vega = greeks(*options).vega
    allowed = options.volatility * vega > 1e-7 * np.maximum(options.forward, options.strike)
    assert allowed.sum() > 8_000
    found = implied_volatility(theirs, *options[:3], options.is_call)
    assert np.max(np.abs(found / options.volatility - 1)[allowed]) < 1e-8


def test_the_solver_agrees_with_that_of_quantlib() -> None:
    options = drawn(1_000, 3.0)
    prices = price(*options)
    kinds = [ql.Option.Call if call else ql.Option.Put for call in options.is_call]
    rows = zip(kinds, options.strike.tolist(), options.forward.tolist(), prices.tolist(), strict=True)
    theirs = np.array([ql.blackFormulaImpliedStdDev(kind, k, f, p, 1.0, 0.0, ql.nullDouble(), 1e-12, 1_000) for kind, k, f, p in rows])
    assert implied_volatility(prices, *options[:3], options.is_call) * np.sqrt(options.years) == pytest.approx(theirs, rel=1e-8)


def test_ten_thousand_greeks_are_those_of_quantlib() -> None:
    options = drawn(10_000, 4.5)  # further out QuantLib's own distribution function has fewer than nine digits
    theirs, found = calculators(options), greeks(*options)
    each = list(zip(theirs, options.forward.tolist(), options.years.tolist(), strict=True))
    vanna = np.array([c.vanna(f, t) for c, f, t in each])
    expected = {
        "delta": [c.deltaForward() for c in theirs],
        "delta_premium_adjusted": -options.strike / options.forward * np.array([c.strikeSensitivity() for c in theirs]),
        "gamma": [c.gammaForward() for c in theirs],
        "vega": [c.vega(t) for c, _, t in each],
        "theta": [c.theta(f, t) for c, f, t in each],
        "vanna": vanna,
        "charm": -vanna * options.volatility / (2 * options.years),  # delta depends on volatility and time through σ√T alone
        "volga": np.array([c.volga(t) for c, _, t in each]) * np.sqrt(options.years),  # QuantLib divides by σ√T, not by σ
    }
    for name, column in expected.items():
        assert np.max(np.abs(getattr(found, name) / np.asarray(column) - 1)) < 1e-9, name


def test_volga_and_charm_are_derivatives() -> None:
    # what QuantLib does not tell directly: central differences of its own vega and delta, of the fourth order
    def total(v: float, t: float) -> ql.BlackCalculator:
        return ql.BlackCalculator(ql.PlainVanillaPayoff(ql.Option.Call, 95_000.0), 86_000.0, v * t**0.5, 1.0)

    found = greeks(86_000, 95_000, 0.2, 0.6, True)
    near, far = (total(0.6 + h, 0.2).vega(0.2) - total(0.6 - h, 0.2).vega(0.2) for h in (0.001, 0.002))
    assert found.volga == pytest.approx((8 * near - far) / 0.012, rel=1e-8)
    near, far = (total(0.6, 0.2 + h).deltaForward() - total(0.6, 0.2 - h).deltaForward() for h in (0.001, 0.002))
    assert found.charm == pytest.approx(-(8 * near - far) / 0.012, rel=1e-7)


def test_far_from_the_money_nothing_is_lost() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(-2, 2, 600) * rng.choice([1, 0.1, 1e-3, 1e-6, 0.0], 600)
    s, years = np.exp(rng.uniform(np.log(1e-3), np.log(6), 600)), rng.uniform(0.001, 2, 600)
    keep = np.abs(x) < 30 * s  # prices down to 1e-190 of the strike
    x, s, years = x[keep], s[keep], years[keep]
    options = Drawn(100 * np.exp(x), np.full(len(x), 100.0), years, s / np.sqrt(years), x <= 0)
    truth = [exact(*row) for row in zip(*options, strict=True)]
    expected = np.array([float(p) for p in truth])
    distance = np.maximum(1, (x / s) ** 2)  # an exponent of h²/2 is itself rounded
    assert expected.min() < 1e-100
    assert np.max(np.abs(price(*options) / expected - 1) / distance) < 1e-13
    spread = np.maximum(1, expected / (options.volatility * greeks(*options).vega))
    error = np.abs(implied_volatility(expected, *options[:3], options.is_call) / options.volatility - 1)
    assert np.max(error / spread) < 1e-13


def test_round_trips_are_exact_where_conditioning_allows() -> None:
    options = drawn(10_000, 8.0)
    prices, vega = price(*options), greeks(*options).vega
    # a price is rounded at 1.1e-16 of itself: 1e-13 of the volatility where price / (volatility·vega) is a thousand
    allowed = prices < 1_000 * options.volatility * vega
    error = np.abs(implied_volatility(prices, *options[:3], options.is_call) / options.volatility - 1)
    assert allowed.sum() > 6_000
    assert error[allowed].max() < 1e-12


def test_near_the_upper_bound() -> None:
    volatility = np.array([2.0, 4.0, 8.0, 12.0])
    truth = np.array([float(exact(100.0, 90.0, 1.0, v, True)) for v in volatility])
    found = implied_volatility(truth, 100.0, 90.0, 1.0, True)
    rounding = truth / (volatility * greeks(100.0, 90.0, 1.0, volatility, True).vega)
    assert np.all(np.abs(found / volatility - 1) < 1e-15 * (1 + rounding) * 4)


def test_the_least_prices_have_volatilities() -> None:
    # at the money the price of a little volatility is F·σ·√(T / 2π); the other strike is e³⁰ away
    tiny = np.array([1e-4, 1e-20, 1e-170, 1e-300])
    assert implied_volatility(100 * tiny, 100.0, 100.0, 1.0, True) == pytest.approx(tiny * np.sqrt(2 * np.pi), rel=1e-8)
    far = exact(100 * float(np.exp(30.0)), 100.0, 1.0, 0.809, False)
    assert 1e-300 < far < 1e-290
    assert implied_volatility(float(far), 100 * np.exp(30.0), 100.0, 1.0, False) == pytest.approx(0.809, rel=1e-13)


@njit
def _values(z, m, d):  # type: ignore[no-untyped-def]
    for i in range(len(z)):
        m[i], d[i] = mills(z[i]), shortfall(z[i])


def test_mills_ratio_is_exact() -> None:
    rng = np.random.default_rng(5)
    z = np.concatenate([[-1.5, 0.0], rng.uniform(-1.5, 10, 300), 10 ** rng.uniform(0.5, 3, 200)])
    m, d = np.empty(len(z)), np.empty(len(z))
    _values(z, m, d)
    for at, ratio, rest in zip(z, m, d, strict=True):
        with mpmath.workdps(50):
            x = mpmath.mpf(float(at))
            true = mpmath.erfc(x / mpmath.sqrt(2)) * mpmath.sqrt(mpmath.pi / 2) * mpmath.exp(x * x / 2)
            assert abs(ratio / true - 1) < 3e-15
            assert abs(rest / (1 - x * true) - 1) < 3e-15


@given(FORWARD, LOG_MONEYNESS, YEARS, VOLATILITY)
def test_calls_less_puts_are_forward_less_strike(forward: float, x: float, years: float, volatility: float) -> None:
    strike = forward * float(np.exp(-x))
    call, put = price(forward, strike, years, volatility, [True, False])
    assert call - put == pytest.approx(forward - strike, abs=1e-14 * (forward + strike))
    calls, puts = (greeks(forward, strike, years, volatility, side) for side in (True, False))
    assert calls.delta - puts.delta == pytest.approx(1, abs=1e-14)
    assert calls.delta_premium_adjusted - puts.delta_premium_adjusted == pytest.approx(strike / forward, rel=1e-14)
    assert calls.delta_premium_adjusted == pytest.approx(calls.delta - call / forward, abs=1e-13)


@given(FORWARD, LOG_MONEYNESS, YEARS, VOLATILITY, st.booleans(), st.floats(1.001, 1.5))
def test_prices_rise_with_volatility_and_fall_with_distance(
    forward: float, x: float, years: float, volatility: float, is_call: bool, more: float
) -> None:
    strike = forward * float(np.exp(-x))
    low, high = price(forward, strike, years, [volatility, volatility * more], is_call)
    upper = forward if is_call else strike
    assert max(0.0, forward - strike if is_call else strike - forward) <= low <= high * (1 + 1e-15) <= upper * (1 + 2e-15)
    near, far = price(forward, [strike, strike * more], years, volatility, is_call)
    assert near >= far if is_call else near <= far
    if greeks(forward, strike, years, volatility, is_call).vega * volatility > 1e-6 * upper:
        assert low < high
        found = implied_volatility([low, high], forward, strike, years, is_call)
        assert found[0] < found[1]


@given(FORWARD, LOG_MONEYNESS, YEARS, st.booleans(), st.floats(0, 2))
def test_outside_the_bounds_there_is_no_volatility(forward: float, x: float, years: float, is_call: bool, beyond: float) -> None:
    strike = forward * float(np.exp(-x))
    intrinsic, upper = max(0.0, forward - strike if is_call else strike - forward), forward if is_call else strike
    outside = [intrinsic * (1 - beyond / 2), upper * (1 + beyond), -beyond, np.nan, np.inf, -np.inf]
    assert np.isnan(implied_volatility(outside, forward, strike, years, is_call)).all()
    share = np.array([1e-6, 0.5, 1 - 1e-6])
    inside = implied_volatility(intrinsic + share * (upper - intrinsic), forward, strike, years, is_call)
    assert np.isfinite(inside).all()
    assert (np.diff(inside) > 0).all()


def test_arguments_broadcast_and_what_is_unknown_stays_unknown() -> None:
    strikes, years = np.array([80_000.0, 90_000.0, 100_000.0]), np.array([[0.1], [0.5]])
    grid = price(86_000, strikes, years, 0.5, True)
    assert grid.shape == (2, 3)
    assert implied_volatility(grid, 86_000, strikes, years, True) == pytest.approx(np.full((2, 3), 0.5), rel=1e-12)
    assert greeks(86_000, strikes, years, 0.5, True).vega.shape == (2, 3)
    assert price([], [], [], [], []).shape == (0,)
    bad = [(np.nan, 1, 1, 0.5), (1, -1, 1, 0.5), (0, 1, 1, 0.5), (1, 1, -1, 0.5), (1, 1, 1, -0.5), (1, 1, np.inf, 0.5)]
    columns = np.array(bad, dtype=float).T
    assert np.isnan(price(*columns, True)).all()
    assert np.isnan(greeks(*columns, True)).all()
    assert np.isnan(implied_volatility(0.2, *columns[:3, :4], True)[[0, 1, 2, 3]]).all()
    assert price(110, 100, [0, 1], [0.5, 0], True) == pytest.approx([10, 10])
    assert np.isnan(greeks(110, 100, [0, 1], [0.5, 0], True).delta).all()
