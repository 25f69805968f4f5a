"""Hawkes fits: the worked numbers, an independent likelihood, and what a fit must give back."""

import hawkesbook
import numpy as np
import pytest

from deleverage.analytics.hawkes import fit, fit_counts, immigrant_probabilities, intensity, ks_test, log_likelihood, residuals
from deleverage.errors import BadInput
from deleverage.simulate.hawkes_stream import hawkes_times

TIMES = np.array([0.5, 0.9, 1.1, 1.2, 4.0, 4.1, 4.3, 4.35, 4.6, 5.2, 9.0, 12.0, 12.05, 12.1, 12.4, 12.9, 13.0, 18.5])


def at(mu: float, n: float, beta: float):  # type: ignore[no-untyped-def]
    return fit(TIMES, 0, 20)._replace(baseline=(mu,), parts=(n,), decays=(beta,))


def test_likelihood_has_the_worked_number_and_equals_an_independent_one() -> None:
    assert log_likelihood(TIMES, 20, 0.4, 0.5, 2) == pytest.approx(-15.4598325945, abs=1e-9)
    rng = np.random.default_rng(3)
    for _ in range(20):
        mu, n, beta = rng.uniform(0.1, 2), rng.uniform(0.05, 0.95), rng.uniform(0.2, 10)
        theirs = hawkesbook.exp_log_likelihood(TIMES, 20.0, np.array([mu, n * beta, beta]))
        assert log_likelihood(TIMES, 20, mu, n, beta) == pytest.approx(theirs, rel=1e-9)


def test_fit_has_the_worked_maximum() -> None:
    fitted = fit(TIMES, 0, 20)
    assert fitted.log_likelihood == pytest.approx(-14.4324282, abs=2e-7)
    assert (fitted.baseline[0], fitted.branching, fitted.decays[0]) == pytest.approx((0.41016, 0.54438, 3.70463), rel=2e-4)
    assert fitted.poisson == pytest.approx(-19.8964893, abs=1e-7)
    assert (fitted.aic, fitted.poisson_aic) == pytest.approx((34.8649, 41.7930), abs=1e-4)
    assert ks_test(residuals(TIMES, fitted)) == pytest.approx((0.12370, 0.91470), abs=2e-4)
    assert fitted.interval[0] < fitted.branching < fitted.interval[1]


def test_residuals_intensity_and_immigrants_have_the_worked_numbers() -> None:
    given = at(0.4, 0.5, 2)
    assert ks_test(residuals(TIMES, given)) == pytest.approx((0.20260309, 0.39751), abs=1e-5)
    assert intensity(TIMES, 4.36, 0.4, 0.5, 2) == pytest.approx(3.3530972171, abs=1e-9)
    assert immigrant_probabilities(TIMES, given).sum() == pytest.approx(8.37797, abs=1e-5)


def test_a_sum_of_exponentials_with_one_decay_is_the_exponential() -> None:
    one = fit(TIMES, 0, 20)
    summed = fit(TIMES, 0, 20, decays=one.decays)
    assert summed.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)
    assert summed.branching == pytest.approx(one.branching, rel=1e-3)
    two = fit(TIMES, 0, 20, decays=(0.3, one.decays[0]))
    assert two.log_likelihood >= summed.log_likelihood - 1e-6
    assert ks_test(residuals(TIMES, two))[0] < 0.2


def test_a_piecewise_baseline_takes_away_a_feigned_self_excitation() -> None:
    rng = np.random.default_rng(5)
    times = np.sort(np.concatenate([rng.uniform(0, 500, 100), rng.uniform(500, 600, 400)]))
    constant, cut = fit(times, 0, 600), fit(times, 0, 600, breaks=(500,))
    assert constant.branching > 0.7
    assert cut.branching < 0.25
    assert cut.aic < constant.aic


def test_counts_give_back_the_branching_across_slots() -> None:
    fits = [
        fit_counts(np.bincount(hawkes_times(0.2, 0.7, 0.02, 20_000, np.random.default_rng(seed)).astype(int), minlength=20_000))
        for seed in range(8)
    ]
    assert np.mean([f.branching for f in fits]) == pytest.approx(0.7, abs=0.05)
    assert sum(f.interval[0] < 0.7 < f.interval[1] for f in fits) >= 6
    assert np.median([f.memory for f in fits]) == pytest.approx(50, rel=0.3)


@pytest.mark.parametrize("times", [[1.0, 2.0], [3.0, *range(20)], [*range(12), 30.0]])
def test_bad_times_are_refused(times: list[float]) -> None:
    with pytest.raises(BadInput):
        fit(np.array(times), 0, 20)
