"""Slopes and intervals: the worked numbers, statsmodels as the oracle, and what scaling and shifting may not change."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor

from deleverage.analytics.regression import (
    correlation,
    correlation_interval,
    ewma_beta,
    least_squares,
    newey_west_lags,
    ridge,
    variance_inflation,
)  # fmt: skip
from deleverage.errors import BadInput

DOLLAR = np.array([0.002, -0.001, 0.003, 0.001, -0.002, 0.004, -0.003, 0.001, 0, 0.002])
REAL = np.array([0.01, -0.02, 0.03, 0.02, -0.01, 0.04, -0.02, 0, 0.01, 0.02])
BITCOIN = np.array([-0.009, 0.005, -0.016, -0.004, 0.012, -0.022, 0.014, -0.002, 0.001, -0.010])
BOTH = np.column_stack([DOLLAR, REAL])


def test_least_squares_has_the_worked_numbers() -> None:
    fit = least_squares(BOTH, BITCOIN, lags=2)
    assert fit.coefficients == pytest.approx([6.35697764e-4, -4.80493446, -0.0465304549], rel=1e-8)
    assert fit.t == pytest.approx([1.5087499, -6.73615251, -0.66050978], rel=1e-7)
    assert fit.r_squared == pytest.approx(0.9856549093, rel=1e-9)
    assert (fit.n, fit.lags) == (10, 2)


def test_correlation_and_ewma_beta_have_the_worked_numbers() -> None:
    assert correlation(DOLLAR, BITCOIN) == pytest.approx(-0.9922717346, abs=1e-10)
    assert ewma_beta(DOLLAR, BITCOIN) == pytest.approx(-5.1893322485, rel=1e-10)
    assert least_squares(DOLLAR[-5:], BITCOIN[-5:]).coefficients[1] == pytest.approx(-5.1044776, rel=1e-7)


def test_inflation_tells_the_collinear_pair_and_ridge_shares_between_them() -> None:
    design = sm.add_constant(BOTH)
    expected = [variance_inflation_factor(design, column) for column in (1, 2)]
    assert variance_inflation(BOTH) == pytest.approx(expected)
    assert min(expected) > 5
    assert variance_inflation(np.column_stack([DOLLAR, 2 * DOLLAR, REAL]))[0] == np.inf
    assert np.isnan(variance_inflation(np.column_stack([DOLLAR, np.ones(10)]))[1])
    scale = BOTH.std(axis=0)
    # the same as least squares over rows that pull every slope towards nought
    pulled = np.vstack([(BOTH - BOTH.mean(axis=0)) / scale, np.eye(2)])
    expected = np.linalg.lstsq(pulled, np.append(BITCOIN - BITCOIN.mean(), [0, 0]), rcond=None)[0] / scale
    assert ridge(BOTH, BITCOIN) == pytest.approx(expected)
    assert ridge(BOTH, BITCOIN, 0) == pytest.approx([-4.80493446, -0.0465304549], rel=1e-8)


@given(st.integers(0, 10_000), st.integers(15, 120), st.integers(1, 3), st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_errors_are_those_of_statsmodels(seed: int, n: int, k: int, lags: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k)) * 10.0 ** rng.integers(-3, 4, k)
    y = rng.normal(size=n) * np.abs(1 + x[:, 0])
    ours = least_squares(x, y, lags)
    theirs = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)
    assert ours.coefficients == pytest.approx(theirs.params, rel=1e-7, abs=1e-12)
    assert ours.errors == pytest.approx(theirs.bse, rel=1e-7)
    half = np.diff(theirs.conf_int(0.05), axis=1)[:, 0] / 2
    b = (lags + 1) / n
    wider = half * (1.96 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3) / 1.96  # Kiefer and Vogelsang 2005, Bartlett, 97.5 %
    assert ours.high - ours.coefficients == pytest.approx(wider, rel=1e-6)
    assert ours.coefficients - ours.low == pytest.approx(wider, rel=1e-6)
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-9)


def test_the_interval_of_thirty_rows_holds_the_slope_nearly_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(800):
        x, noise = rng.normal(size=(2, 30))
        fit = least_squares(x, 0.5 * x + noise)
        held += fit.low[1] <= 0.5 <= fit.high[1]
    assert 0.925 <= held / 800 <= 0.975  # 89 % without the widening


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-100, -0.01), st.floats(-5, 5))
@settings(max_examples=60, deadline=None)
def test_units_and_levels_change_no_finding(seed: int, a: float, b: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=40)
    y = 0.5 * x + rng.normal(size=40)
    plain, scaled = least_squares(x, y), least_squares(a * x + shift, b * y - shift)
    assert scaled.coefficients[1] == pytest.approx(b / a * plain.coefficients[1], rel=1e-6, abs=1e-9)
    assert scaled.t[1] == pytest.approx(-plain.t[1], rel=1e-6)
    assert correlation(a * x + shift, b * y) == pytest.approx(-correlation(x, y), abs=1e-9)
    assert ewma_beta(a * x + shift, b * y - shift) == pytest.approx(b / a * ewma_beta(x, y), rel=1e-6, abs=1e-9)


@given(st.floats(-0.999, 0.999), st.integers(4, 500))
def test_a_correlations_interval_holds_it_mirrors_and_narrows(rho: float, n: int) -> None:
    low, high = correlation_interval(rho, n)
    assert -1 <= low < rho < high <= 1
    assert correlation_interval(-rho, n) == pytest.approx((-high, -low))
    narrower = correlation_interval(rho, 4 * n)
    assert low <= narrower[0] <= narrower[1] <= high


def test_what_cannot_be_told_is_nan() -> None:
    for fit in (
        least_squares(np.ones(20), np.arange(20.0)), least_squares(DOLLAR[:2], BITCOIN[:2]), least_squares(np.zeros(0), np.zeros(0)),
        least_squares(np.column_stack([DOLLAR, 3 * DOLLAR + 1]), BITCOIN),
    ):  # fmt: skip
        assert np.isnan(fit.coefficients).all()
        assert np.isnan(fit.r_squared)
    assert np.isnan(correlation(DOLLAR, np.ones(10)))
    assert np.isnan(ewma_beta(np.ones(10), BITCOIN))
    assert np.isnan(correlation_interval(0.5, 3)).all()
    assert np.isnan(correlation_interval(float("nan"), 30)).all()
    assert correlation_interval(1.0, 30) == (1.0, 1.0)
    assert np.isnan(ridge(np.ones((10, 1)), BITCOIN)).all()
    with pytest.raises(BadInput):
        least_squares(DOLLAR, BITCOIN[:5])


def test_a_perfect_fit_has_no_error() -> None:
    fit = least_squares(np.arange(10.0), 2 * np.arange(10.0) + 1, 0)
    assert fit.coefficients == pytest.approx([1, 2])
    assert fit.errors == pytest.approx([0, 0], abs=1e-12)


def test_lags_grow_slowly() -> None:
    assert [newey_west_lags(n) for n in (0, 1, 30, 100, 1000)] == [0, 1, 3, 4, 6]
