"""Who moves first: price leads from unevenly spaced ticks, and the order in which coins are liquidated in one event.

Convention: a lag above 0 means that the first series leads. A lead shorter than the clocks can tell is "not resolvable"; so is one
that a null of broken pairing reaches. One macro shock hits all at once: then there is no lead to find.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec
import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from deleverage.errors import BadInput

Floats = NDArray[np.float64]
Verdict = Literal["leads", "lags", "together", "not resolvable"]
SECOND = 1_000_000_000
MOST_MINUTES = 20_160
"""Minutes (two weeks) of the longest window whose lag in minutes is looked for."""
FEWEST = 20
"""Orders of a base below which its place in the ladder is not resolvable."""


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


@_jit
def _overlaps(t1, d1, t2, d2, shift):  # type: ignore[no-untyped-def]  # numba reads the types
    """Σ dX_i·dY_j over intervals (t1[i], t1[i+1]] + shift and (t2[j], t2[j+1]] that overlap."""
    total = 0.0
    low = 0
    for i in range(len(d1)):
        start, end = t1[i] + shift, t1[i + 1] + shift
        while low < len(d2) and t2[low + 1] <= start:
            low += 1
        j = low
        while j < len(d2) and t2[j] < end:
            total += d1[i] * d2[j]
            j += 1
    return total


def covariance(t1: Floats, x1: Floats, t2: Floats, x2: Floats, shift: float = 0.0) -> float:
    """Return Hayashi and Yoshida's (2005) covariance of two series of ticks, series 1 moved later by `shift` (unit of the times)."""
    return float(_overlaps(t1, np.diff(x1), t2, np.diff(x2), shift))


def correlation(t1: Floats, x1: Floats, t2: Floats, x2: Floats, shift: float = 0.0) -> float | None:
    """Return the covariance over the root of both realised variances; None where either series never moves."""
    scale = float((np.diff(x1) ** 2).sum() * (np.diff(x2) ** 2).sum())
    return covariance(t1, x1, t2, x2, shift) / scale**0.5 if scale > 0 else None


def correlogram(t1: Floats, x1: Floats, t2: Floats, x2: Floats, shifts: Sequence[float] | Floats) -> Floats:
    """Return the correlation at each shift; NaN throughout where a series never moves."""
    return np.array([np.nan if (rho := correlation(t1, x1, t2, x2, float(s))) is None else rho for s in shifts])


class Lead(msgspec.Struct, frozen=True):
    """Which of two series leads: the shift of the largest |correlation| (seconds; above 0: the first leads), its 90 %
    block-bootstrap interval, the 95 % quantile of the largest |correlation| under the null, and the asymmetry of squared correlation
    towards the first (Huth and Abergel 2014; above 1: it leads)."""

    lag_seconds: float | None
    low: float | None
    high: float | None
    rho: float | None
    null_rho: float | None
    asymmetry: float | None
    resolution_seconds: float
    verdict: Verdict


def lead(
    t1: Floats, x1: Floats, t2: Floats, x2: Floats, shifts: Sequence[float] | Floats, *, rng: np.random.Generator,
    resolution: float = 0.0, block: float = 300.0, draws: int = 100,
) -> Lead:  # fmt: skip
    """Estimate the lead of series 1 (log prices at exchange times in seconds) by the shifted correlation (Hoffmann et al. 2013).

    Blocks of `block` seconds are drawn again for the interval and paired at random for the null. `resolution` is what the stamps
    cannot resolve; the sparser series' median gap counts too. Cost: ticks × shifts × draws, over sums kept per block.
    """
    shifts = np.asarray(shifts, dtype=float)
    if len(t1) < 3 or len(t2) < 3:
        raise BadInput("a lead needs at least three ticks of each series")
    fine = max(resolution, float(np.median(np.diff(shifts))) if len(shifts) > 1 else 0.0)
    rhos = correlogram(t1, x1, t2, x2, shifts)
    if np.isnan(rhos).any():
        return Lead(None, None, None, None, None, None, fine, "not resolvable")
    best = int(np.argmax(np.abs(rhos)))
    ahead, behind = float((rhos[shifts > 0] ** 2).sum()), float((rhos[shifts < 0] ** 2).sum())
    first, last = max(t1[0], t2[0]), min(t1[-1], t2[-1])
    edges = np.arange(first, last + 1e-9, block)
    pieces1, pieces2 = _cut(t1, x1, edges), _cut(t2, x2, edges)
    count = len(pieces1)
    low = high = null = None
    if count >= 4:
        sums = np.array([[_aligned(a, b, s) for s in shifts] for a, b in zip(pieces1, pieces2, strict=True)])
        picked = rng.integers(0, count, (draws, count))
        lags = shifts[np.argmax(np.abs(sums[picked].sum(axis=1)), axis=1)]
        low, high = float(np.quantile(lags, 0.05)), float(np.quantile(lags, 0.95))
        scale = float((np.diff(x1) ** 2).sum() * (np.diff(x2) ** 2).sum()) ** 0.5
        tops = []
        for _ in range(draws):
            order = (np.arange(count) + rng.integers(1, count)) % count
            flips = rng.choice([-1.0, 1.0], count)
            broken = sum(
                f * np.array([_aligned(pieces1[k], pieces2[o], s) for s in shifts])
                for k, o, f in zip(range(count), order, flips, strict=True)
            )
            tops.append(float(np.max(np.abs(broken))) / scale)
        null = float(np.quantile(tops, 0.95))
    lag, rho = float(shifts[best]), float(rhos[best])
    verdict: Verdict = "leads" if lag > 0 else "lags"
    if null is None or low is None or high is None or abs(rho) <= null:
        verdict = "not resolvable"
    elif abs(lag) <= fine / 2 or (low <= 0 <= high):
        verdict = "together" if max(abs(low), abs(high)) <= 2 * fine else "not resolvable"
    elif abs(lag) <= resolution:
        verdict = "not resolvable"
    return Lead(lag, low, high, rho, null, ahead / behind if behind > 0 else None, fine, verdict)


def _cut(t: Floats, x: Floats, edges: Floats) -> list[tuple[Floats, Floats]]:
    """Cut ticks into blocks, times from the block's start; a block keeps the tick before it, so that no return is lost."""
    found = []
    for start, end in pairwise(edges):
        a, b = np.searchsorted(t, [start, end])
        a = max(a - 1, 0)
        found.append((t[a:b] - start, x[a:b]))
    return found


def _aligned(one: tuple[Floats, Floats], other: tuple[Floats, Floats], shift: float) -> float:
    return covariance(*one, *other, shift) if len(one[0]) > 1 and len(other[0]) > 1 else 0.0


def event_time(notionals: Floats, share: float, width: float = 1.0) -> float | None:
    """Return when `share` of the whole had been liquidated, interpolated inside its bucket of `width`; None where nothing was.

    >>> round(event_time(np.array([5, 30, 60, 40, 20, 10, 5, 3, 2, 1.0]), 0.5), 6)
    2.883333
    """
    running = np.cumsum(notionals)
    if not len(running) or running[-1] <= 0:
        return None
    goal = share * running[-1]
    position = int(np.searchsorted(running, goal))
    before = running[position - 1] if position else 0.0
    return float((position + (goal - before) / notionals[position]) * width)


def cross_correlation(x: Floats, y: Floats, lags: Sequence[int]) -> Floats:
    """Return the correlation of x(t) with y(t + lag) at each lag (above 0: x leads), about the means and variances of the whole series."""
    a, b = x - x.mean(), y - y.mean()
    scale = float((a @ a) * (b @ b)) ** 0.5
    found = [float(a[: len(a) - lag] @ b[lag:] if lag >= 0 else a[-lag:] @ b[: len(b) + lag]) for lag in lags]
    return np.array(found) / scale if scale > 0 else np.full(len(found), np.nan)


def prewhitened(x: Floats, y: Floats, most: int = 5) -> tuple[Floats, Floats]:
    """Return both series after the autoregression that fits x best by AIC (order 0 to `most`) is taken off; the start is dropped."""
    x, y = x - x.mean(), y - y.mean()
    best_aic, weights = np.inf, np.zeros(0)
    for order in range(most + 1):
        past = np.stack([x[most - k : len(x) - k] for k in range(1, order + 1)], axis=1) if order else np.zeros((len(x) - most, 0))
        fitted = np.linalg.lstsq(past, x[most:], rcond=None)[0] if order else np.zeros(0)
        error = x[most:] - past @ fitted
        aic = len(error) * np.log(max(float(error @ error) / len(error), 1e-300)) + 2 * order
        if aic < best_aic:
            best_aic, weights = aic, np.asarray(fitted, dtype=np.float64)

    def filtered(z: Floats) -> Floats:
        past = sum((w * z[most - k : len(z) - k] for k, w in enumerate(weights, 1)), np.zeros(len(z) - most))
        out: Floats = z[most:] - past
        return out

    return filtered(x), filtered(y)


def downside_beta(returns: Floats, benchmark: Floats, threshold: float = -0.01) -> float | None:
    """Return the slope of returns on the benchmark's, over periods in which the benchmark fell below `threshold`; None under 3 of them."""
    fell = benchmark < threshold
    if fell.sum() < 3 or np.var(benchmark[fell]) == 0:
        return None
    return float(np.cov(returns[fell], benchmark[fell])[0, 1] / np.var(benchmark[fell], ddof=1))


def elasticity(liquidated_usd: float, open_interest_usd: float, change: float) -> float | None:
    """Return the share of open interest liquidated per 1 % fall of the benchmark; None unless it fell and open interest is known."""
    return liquidated_usd / open_interest_usd / (-change * 100) if change < 0 and open_interest_usd > 0 else None


class Rung(msgspec.Struct, frozen=True):
    """A base in one event: when 10 % and 50 % of its forced notional was through (seconds from the start; 90 % bootstrap
    interval of t50), and how far behind the reference its minutes are (pre-whitened, minutes; None where no lag stands out of ±2/√n)."""

    base: str
    usd: float
    orders: int
    t10: float | None
    t50: float | None
    t50_low: float | None
    t50_high: float | None
    lag_minutes: int | None
    verdict: Verdict


def ladder(liquidations: pl.DataFrame, start: int, end: int, reference: str = "BTC", most: int = 12, seed: int = 0) -> list[Rung]:
    """Order the bases of an event [start, end) by t50; the reference and bases under `FEWEST` orders included, the latter unresolved.

    Needs `ts_event` (ns UTC), `base`, `notional_usd`. `leads` and `lags` say that the interval of t50 less the reference's excludes 0.
    Throttled feeds flatten peaks but delay nothing beyond their second.
    """
    inside = liquidations.filter((pl.col("ts_event") >= start) & (pl.col("ts_event") < end) & (pl.col("notional_usd") > 0))
    inside = inside.sort("ts_event", "notional_usd")
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[Floats, Floats]] = {
        str(base): ((rows["ts_event"].to_numpy() - start) / SECOND, rows["notional_usd"].to_numpy())
        for (base,), rows in inside.group_by(["base"], maintain_order=True)
    }
    names = sorted(found, key=lambda b: -float(found[b][1].sum()))[:most]
    if reference in found and reference not in names:
        names.append(reference)
    drawn = {base: _t50_draws(*found[base], rng) for base in names}
    minutes = max(int(np.ceil((end - start) / (60 * SECOND))), 1)
    rows: dict[str, Floats] = {
        base: np.bincount((found[base][0] // 60).astype(int), found[base][1], minutes).astype(np.float64) for base in names
    }
    rungs = []
    for base in names:
        seconds, usd = found[base]
        draws, ours = drawn.get(reference), drawn[base]
        verdict: Verdict = "not resolvable"
        low = high = None
        if ours is not None:
            low, high = (float(v) for v in np.quantile(ours, [0.05, 0.95]))
            if base == reference:
                verdict = "together"
            elif draws is not None:
                behind = np.quantile(ours - draws, [0.05, 0.95])
                verdict = (
                    "lags" if behind[0] > 1 else "leads" if behind[1] < -1 else "together" if max(abs(behind)) < 60 else "not resolvable"
                )
        t10, t50 = (_weighted(seconds, usd, share) for share in (0.1, 0.5))
        rungs.append(Rung(
            base, float(usd.sum()), len(usd), t10, t50, low, high,
            None if base == reference or reference not in rows else _peak_lag(rows[reference], rows[base]), verdict,
        ))  # fmt: skip
    return sorted(rungs, key=lambda r: (r.verdict == "not resolvable" and r.base != reference, r.t50 if r.t50 is not None else np.inf))


def _weighted(seconds: Floats, usd: Floats, share: float) -> float:
    running = np.cumsum(usd)
    return float(seconds[int(np.searchsorted(running, share * running[-1]))])


def _t50_draws(seconds: Floats, usd: Floats, rng: np.random.Generator, draws: int = 200) -> Floats | None:
    if len(usd) < FEWEST:
        return None
    weights = rng.poisson(1.0, (draws, len(usd))) * usd
    running = np.cumsum(weights, axis=1)
    half = running[:, -1:] / 2
    drawn: Floats = seconds[np.argmax(running >= half, axis=1)]
    return drawn


def _peak_lag(reference: Floats, other: Floats) -> int | None:
    """Lag in minutes of the largest pre-whitened correlation of log notionals, where it stands out."""
    if not 20 <= len(reference) <= MOST_MINUTES:
        return None
    x, y = prewhitened(np.log1p(reference), np.log1p(other))
    lags = list(range(-5, 6))
    rho = cross_correlation(x, y, lags)
    if np.isnan(rho).any() or np.max(np.abs(rho)) < 2 / np.sqrt(len(x)):
        return None
    return lags[int(np.argmax(np.abs(rho)))]


def page_trend(ranks: NDArray[np.float64]) -> tuple[float, float]:
    """Return Page's L (1963) and its one-sided p (normal approximation) that columns, as ordered, rise in rank over the rows (events).

    `ranks` is events × bases, ranks 1…k within each row. Raises BadInput on fewer than two events or three bases.
    """
    from scipy.special import ndtr  # not needed for anything else here

    events, bases = ranks.shape
    if events < 2 or bases < 3:
        raise BadInput("a trend over events needs at least two events and three bases")
    statistic = float((ranks.sum(axis=0) * np.arange(1, bases + 1)).sum())
    mean = events * bases * (bases + 1) ** 2 / 4
    sd = (events * bases**2 * (bases + 1) ** 2 * (bases - 1) / 144) ** 0.5
    return statistic, float(ndtr(-(statistic - mean) / sd))
