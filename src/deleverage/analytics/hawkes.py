"""How self-exciting a stream of forced orders is: Hawkes processes fitted by maximum likelihood (Hawkes 1971, Ogata 1988).

An order raises the rate of further orders by n·β·exp(−β·s), s seconds later, or by a sum of such terms; n, the branching ratio, is
the mean number of orders one order sets off. A cluster has 1/(1−n) orders on average. Times are seconds as floats, ascending.

Fails where: stamps are rounded (ties break a point process: jitter them inside the tick, or use `fit_counts`); the baseline moves
and is taken as constant, or a few outside shocks come: both feign an n near 1, so compare with a piecewise baseline. Cost: O(N) a
step, 30 to 60 steps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize

from deleverage.errors import BadInput

Floats = NDArray[np.float64]
FEWEST = 10
"""Events below which nothing is fitted."""
LIKELIHOOD_DROP = 1.9207
"""Half the 95 % quantile of χ² with one degree of freedom."""


class Hawkes(NamedTuple):
    """A fit over [`start`, `end`). `baseline` is the outside rate (events/s) on each stretch between `breaks`; `parts` are the children an
    event has by each of `decays` (1/s), `branching` their sum and `interval` its 95 % interval. `poisson` is the log-likelihood
    of the same baseline without self-excitation: AIC compares them."""

    baseline: tuple[float, ...]
    breaks: tuple[float, ...]
    parts: tuple[float, ...]
    decays: tuple[float, ...]
    branching: float
    interval: tuple[float, float]
    log_likelihood: float
    poisson: float
    events: int
    start: float
    end: float

    @property
    def aic(self) -> float:
        """Akaike's criterion; with free decays each counts as a parameter."""
        return 2 * (len(self.baseline) + len(self.parts) + (1 if len(self.decays) == 1 else 0)) - 2 * self.log_likelihood

    @property
    def poisson_aic(self) -> float:
        """Akaike's criterion of the baseline alone."""
        return 2 * len(self.baseline) - 2 * self.poisson


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


@_jit
def _exponential(times, start, end, mu, spans, piece, n, beta):  # type: ignore[no-untyped-def]  # numba reads the types
    """Log-likelihood and its gradient by (mu…, n, beta)."""
    pieces = len(mu)
    gradient = np.zeros(pieces + 2)
    value, excited, aged, previous = 0.0, 0.0, 0.0, start
    for i in range(len(times)):
        if i:
            gap = times[i] - previous
            fade = np.exp(-beta * gap)
            aged = fade * (aged + gap * (excited + 1))
            excited = fade * (excited + 1)
        previous = times[i]
        rate = mu[piece[i]] + n * beta * excited
        value += np.log(rate)
        gradient[piece[i]] += 1 / rate
        gradient[pieces] += beta * excited / rate
        gradient[pieces + 1] += n * (excited - beta * aged) / rate
        left = end - times[i]
        tail = np.exp(-beta * left)
        value -= n * (1 - tail)
        gradient[pieces] -= 1 - tail
        gradient[pieces + 1] -= n * left * tail
    for j in range(pieces):
        value -= mu[j] * spans[j]
        gradient[j] -= spans[j]
    return value, gradient


@_jit
def _excitation(times, end, decays):  # type: ignore[no-untyped-def]  # numba reads the types
    """Per event and decay: β·Σ exp(−β(t_i − t_j)); and per decay the compensator for one child."""
    rates = np.zeros((len(times), len(decays)))
    integral = np.zeros(len(decays))
    for m in range(len(decays)):
        excited = 0.0
        for i in range(len(times)):
            if i:
                excited = np.exp(-decays[m] * (times[i] - times[i - 1])) * (excited + 1)
            rates[i, m] = decays[m] * excited
            integral[m] += 1 - np.exp(-decays[m] * (end - times[i]))
    return rates, integral


def fit(times: Floats, start: float, end: float, *, decays: Sequence[float] | None = None, breaks: Sequence[float] = ()) -> Hawkes:
    """Fit by maximum likelihood over [start, end). `decays` None: one exponential with a free decay; else a part for each decay given.

    `breaks` cut the baseline into constant stretches. The interval of the branching ratio is where the profile likelihood falls by
    1.92 (95 %). Raises BadInput on fewer than `FEWEST` events, unsorted times or times outside [start, end).
    """
    times = _checked(times, start, end)
    edges = np.array([start, *sorted(breaks), end], dtype=float)
    if (np.diff(edges) <= 0).any():
        raise BadInput("breaks lie strictly inside [start, end)")
    spans = np.diff(edges)
    piece = np.searchsorted(edges[1:-1], times, side="right")
    counts = np.bincount(piece, minlength=len(spans)).astype(float)
    poisson = float(np.sum(np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / spans), 0.0) - counts))
    if decays is None:
        values, likelihood, interval = _fit_exponential(times, start, end, spans, piece, counts)
        return Hawkes(
            tuple(values[:-2]), tuple(edges[1:-1]), (float(values[-2]),), (float(values[-1]),), float(values[-2]), interval,
            likelihood, poisson, len(times), start, end,
        )  # fmt: skip
    values, likelihood, interval = _fit_parts(times, end, np.array(decays, dtype=float), spans, piece, counts)
    mu, parts = values[: len(spans)], values[len(spans) :]
    return Hawkes(
        tuple(mu),
        tuple(edges[1:-1]),
        tuple(parts),
        tuple(decays),
        float(parts.sum()),
        interval,
        likelihood,
        poisson,
        len(times),
        start,
        end,
    )


def _checked(times: Floats, start: float, end: float) -> Floats:
    times = np.asarray(times, dtype=float)
    if len(times) < FEWEST:
        raise BadInput(f"{len(times)} events are too few for a Hawkes fit; {FEWEST} are needed")
    if (np.diff(times) < 0).any() or times[0] < start or times[-1] >= end:
        raise BadInput("times ascend and lie in [start, end)")
    return times


def _fit_exponential(
    times: Floats, start: float, end: float, spans: Floats, piece: NDArray[np.int64], counts: Floats
) -> tuple[Floats, float, tuple[float, float]]:
    span, n = end - start, len(times)

    def cost(logs: Floats) -> tuple[float, Floats]:
        values = np.exp(logs)
        likelihood, gradient = _exponential(times, start, end, values[:-2], spans, piece, values[-2], values[-1])
        return -likelihood, -gradient * values

    bounds = [(np.log(1e-4 / span), np.log(1e3 * n / span))] * len(spans) + [
        (np.log(1e-6), np.log(5.0)),
        (np.log(0.1 / span), np.log(1e5 * n / span)),
    ]
    best: Any = None
    gap = max(float(np.median(np.diff(times))), span / n * 1e-3)
    for guess_n, guess_beta in ((0.5, 1 / gap), (0.5, 0.1 / gap), (0.8, 0.01 / gap)):
        first = np.log([*(np.maximum(counts, 0.5) * (1 - guess_n) / spans), guess_n, np.clip(guess_beta, 0.2 / span, 1e4 * n / span)])
        found = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300, "ftol": 1e-12, "gtol": 1e-7})
        best = found if best is None or found.fun < best.fun else best
        if n > 20_000:
            break

    def profile(log_n: float, warm: Floats) -> tuple[float, Floats]:
        pinned = [*bounds[:-2], (log_n, log_n), bounds[-1]]
        warm = np.where(np.arange(len(warm)) == len(warm) - 2, log_n, warm)
        found = minimize(cost, warm, jac=True, method="L-BFGS-B", bounds=pinned, options={"maxiter": 60, "ftol": 1e-10})
        return float(found.fun), found.x

    interval = _profile_interval(profile, best.x, float(best.fun), len(best.x) - 2, n)
    return np.exp(best.x), -float(best.fun), interval


def _profile_interval(profile: Any, best: Floats, least: float, position: int, events: int) -> tuple[float, float]:
    """Find where the profile of the cost rises by 1.92 on either side, to 1 % of n, by expanding then bisecting log n."""
    ends = []
    step0 = float(np.clip(3 / np.sqrt(events), 0.005, 0.3))
    for sign in (-1.0, 1.0):
        inside, outside, warm, step = best[position], None, best, step0
        while outside is None and abs(inside - best[position]) < 12:
            trial = inside + sign * step
            cost, at = profile(trial, warm)
            if cost - least > LIKELIHOOD_DROP:
                outside = trial
            else:
                inside, warm, step = trial, at, step * 2
        while outside is not None and abs(outside - inside) > max(0.1 * step0, 0.002):
            trial = (inside + outside) / 2
            cost, at = profile(trial, warm)
            if cost - least > LIKELIHOOD_DROP:
                outside = trial
            else:
                inside, warm = trial, at
        ends.append(float(np.exp(inside if outside is None else (inside + outside) / 2)) if outside is not None or sign > 0 else 0.0)
    return ends[0], ends[1]


def _fit_parts(
    times: Floats, end: float, decays: Floats, spans: Floats, piece: NDArray[np.int64], counts: Floats
) -> tuple[Floats, float, tuple[float, float]]:
    """Concave problem in (mu, parts) by bounded quasi-Newton; the interval of their sum by the observed information."""
    rates, integral = _excitation(times, end, decays)
    design = np.concatenate([np.eye(len(spans))[piece], rates], axis=1)
    charge = np.concatenate([spans, integral])
    scale = np.concatenate([np.maximum(counts, 0.5) / spans, np.ones(len(decays))])

    def cost(values: Floats) -> tuple[float, Floats]:
        weights = values * scale
        intensity = design @ weights
        return float(charge @ weights - np.log(intensity).sum()), (charge - design.T @ (1 / intensity)) * scale

    first = np.concatenate([np.full(len(spans), 0.5), np.full(len(decays), 0.5 / len(decays))])
    found = minimize(
        cost,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=[(1e-6, None)] * len(spans) + [(0.0, 5.0)] * len(decays),
        options={"maxiter": 500, "ftol": 1e-13},
    )
    values = found.x * scale
    free = values > 1e-9
    weighted = design[:, free] / (design @ values)[:, None]
    covariance = np.linalg.pinv(weighted.T @ weighted)
    is_part = (np.arange(len(values)) >= len(spans))[free]
    error, total = float(np.sqrt(max(is_part @ covariance @ is_part, 0.0))), float(values[len(spans) :].sum())
    return values, -float(found.fun), (max(total - 1.96 * error, 0.0), total + 1.96 * error)


def log_likelihood(times: Floats, end: float, mu: float, n: float, beta: float) -> float:
    """Return the log-likelihood of a constant-baseline exponential Hawkes process on [0, end)."""
    times = np.asarray(times, dtype=float)
    value, _ = _exponential(times, 0.0, end, np.array([mu]), np.array([end]), np.zeros(len(times), dtype=np.int64), n, beta)
    return float(value)


def intensity(times: Floats, at: float, mu: float, n: float, beta: float) -> float:
    """Return the rate at an instant given the events strictly before it."""
    past = times[times < at]
    return float(mu + n * beta * np.exp(-beta * (at - past)).sum())


def intensities(times: Floats, fitted: Hawkes) -> tuple[Floats, Floats]:
    """Return per event the whole rate and its outside part just before it."""
    rates, _ = _excitation(times, fitted.end, np.array(fitted.decays))
    outside = np.array(fitted.baseline)[np.searchsorted(np.array(fitted.breaks), times, side="right")]
    return outside + rates @ np.array(fitted.parts), outside


def immigrant_probabilities(times: Floats, fitted: Hawkes) -> Floats:
    """Return per event the chance that it came from outside; their sum is the expected number of clusters."""
    whole, outside = intensities(times, fitted)
    chances: Floats = outside / whole
    return chances


def residuals(times: Floats, fitted: Hawkes) -> Floats:
    """Return the increments of the compensator between events, from `start` on: unit exponential if the model is right (time rescaling)."""
    edges = np.array([fitted.start, *fitted.breaks, fitted.end])
    outside = np.interp(times, edges, np.concatenate([[0.0], np.cumsum(np.array(fitted.baseline) * np.diff(edges))]))
    compensator = outside
    for n, beta in zip(fitted.parts, fitted.decays, strict=True):
        rates, _ = _excitation(times, fitted.end, np.array([beta]))
        # Σ_{j<i} (1 − e^{−β(t_i − t_j)}) = i − Σ e^{…}
        compensator = compensator + n * (np.arange(len(times)) - rates[:, 0] / beta)
    return np.diff(compensator, prepend=0.0)


def ks_test(gaps: Floats) -> tuple[float, float]:
    """Return Kolmogorov and Smirnov's distance of residuals from the unit exponential and its p (optimistic after a fit)."""
    from scipy.stats import kstest  # slow to import

    found = kstest(gaps, "expon")
    return float(found.statistic), float(found.pvalue)


class CountHawkes(NamedTuple):
    """A fit to counts per slot: rate μ + n·Σ (1−ρ)ρ^(k−1)·count(t−k). `memory` is the mean lag in slots; `dispersion` is Pearson's χ² per
    degree of freedom, by which `interval` (95 %) is widened: above 1, orders come in clusters inside a slot."""

    mu: float
    branching: float
    memory: float
    interval: tuple[float, float]
    log_likelihood: float
    poisson: float
    dispersion: float
    slots: int


@_jit
def _counts_likelihood(counts, mu, n, rho):  # type: ignore[no-untyped-def]  # numba reads the types
    """Quasi-log-likelihood, its gradient by (mu, n, rho), and Pearson's chi squared."""
    value, trace, slope, chi = 0.0, 0.0, 0.0, 0.0
    gradient = np.zeros(3)
    for t in range(len(counts)):
        if t:
            slope = trace + rho * slope - counts[t - 1]
            trace = rho * trace + (1 - rho) * counts[t - 1]
        rate = mu + n * trace
        value += counts[t] * np.log(rate) - rate
        chi += (counts[t] - rate) ** 2 / rate
        pull = counts[t] / rate - 1
        gradient[0] += pull
        gradient[1] += pull * trace
        gradient[2] += pull * n * slope
    return value, gradient, chi


def fit_counts(counts: Floats, *, with_interval: bool = True) -> CountHawkes:
    """Fit the discrete-time variant to counts per slot of equal length, for block time or feeds stamped to the second.

    Poisson quasi-likelihood with a geometric kernel. Excitation inside a slot is not seen: the branching ratio is that across slots.
    Without `with_interval` the interval is left (0, inf), five times as fast.
    Raises BadInput on fewer than `FEWEST` events or slots.
    """
    counts = np.asarray(counts, dtype=float)
    if counts.sum() < FEWEST or len(counts) < FEWEST:
        raise BadInput(f"{counts.sum():.0f} events in {len(counts)} slots are too few; {FEWEST} of each are needed")
    mean = counts.mean()

    def cost(values: Floats) -> tuple[float, Floats]:
        mu, n, rho = np.exp(values[0]), np.exp(values[1]), 1 / (1 + np.exp(-values[2]))
        likelihood, gradient, _ = _counts_likelihood(counts, mu, n, rho)
        return -float(likelihood), -gradient * np.array([mu, n, rho * (1 - rho)])

    bounds = [(np.log(mean * 1e-4), np.log(mean * 10)), (np.log(1e-5), np.log(3.0)), (-6.0, 7.0)]
    fits = [minimize(cost, [np.log(mean / 2), np.log(0.5), rho], jac=True, method="L-BFGS-B", bounds=bounds) for rho in (-1.0, 1.0, 3.0)]
    best = min(fits, key=lambda f: float(f.fun))
    mu, n, rho = float(np.exp(best.x[0])), float(np.exp(best.x[1])), float(1 / (1 + np.exp(-best.x[2])))
    _, _, chi = _counts_likelihood(counts, mu, n, rho)
    dispersion = max(float(chi) / max(len(counts) - 3, 1), 1.0)

    def profile(log_n: float, warm: Floats) -> tuple[float, Floats]:
        found = minimize(cost, [warm[0], log_n, warm[2]], jac=True, method="L-BFGS-B", bounds=[bounds[0], (log_n, log_n), bounds[2]])
        return float(found.fun) / dispersion, found.x

    interval = (0.0, np.inf)
    if with_interval:
        interval = _profile_interval(profile, best.x, float(best.fun) / dispersion, 1, int(counts.sum()))
    poisson = float(np.sum(counts * np.log(mean) - mean))
    return CountHawkes(mu, n, 1 / (1 - rho), interval, -float(best.fun), poisson, dispersion, len(counts))
