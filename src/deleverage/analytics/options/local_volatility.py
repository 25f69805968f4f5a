"""Local volatility of a fitted surface (Dupire 1994) and the chance of reaching barriers under it, by finite differences.

The price is S(t) = F(t)·exp(X(t)) with X driven by sigma(X, t)² = (dw/dT)/g(k, w) at k = X: it returns every option of the surface. What
it says of touching is one answer among many that do: a stochastic volatility returns the same options and touches otherwise.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST, MOST = 1e-4, 25.0
"""Bounds of the local variance per year (1 % to 500 % volatility); a surface with arbitrage has places beyond them."""
DAMPED = 4
"""Half steps taken implicitly from expiry, so that the jump in the corner does not ring (Rannacher 1984)."""
FEWEST_STEPS = 4
"""Steps between two neighbouring slices at least."""
WIDTH = 7.0
"""Standard deviations beyond spot at which the far end of the grid lies."""


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True, error_model="numpy")(function)


class Law(NamedTuple):
    """A surface as plain arrays, increasing in time: `years` (m,), `svi` (m, 5) of (a, b, rho, m, s), `log_forward` (m,); spot in USD.

    Total variance is linear in time at equal k, with flat volatility before the first and after the last slice; log forwards are linear
    from spot at 0, and constant after the last.
    """

    years: Floats
    svi: Floats
    log_forward: Floats
    spot: float


class Solution(NamedTuple):
    """A probability; `clipped`: share of the grid within three standard deviations where the local variance left its bounds."""

    probability: float
    clipped: float


@_jit
def _svi(p, k):  # type: ignore[no-untyped-def]  # numba reads the types
    """w, dw/dk, d²w/dk² of one slice."""
    d = k - p[3]
    r = np.sqrt(d * d + p[4] * p[4])
    if r == 0.0:
        return p[0], 0.0, 0.0
    return p[0] + p[1] * (p[2] * d + r), p[1] * (p[2] + d / r), p[1] * p[4] * p[4] / (r * r * r)


@_jit
def _place(years, t):  # type: ignore[no-untyped-def]
    """The slices around t and their weights now, and the rates at which total variance changes with each."""
    last = len(years) - 1
    if t <= years[0]:
        return 0, 0, t / years[0], 0.0, 1 / years[0], 0.0
    if t > years[last]:
        return last, last, t / years[last], 0.0, 1 / years[last], 0.0
    j = 1
    while years[j] < t:
        j += 1
    gap = years[j] - years[j - 1]
    share = (t - years[j - 1]) / gap
    return j - 1, j, 1 - share, share, -1 / gap, 1 / gap


@_jit
def _variance(years, svi, k, t):  # type: ignore[no-untyped-def]
    """w, dw/dk, d²w/dk², dw/dT of the surface at (k, t)."""
    i, j, one, two, one_t, two_t = _place(years, t)
    a, a1, a2 = _svi(svi[i], k)
    if i == j:
        return one * a, one * a1, one * a2, one_t * a
    b, b1, b2 = _svi(svi[j], k)
    return one * a + two * b, one * a1 + two * b1, one * a2 + two * b2, one_t * a + two_t * b


@_jit
def _variances(years, svi, ks, t):  # type: ignore[no-untyped-def]
    found = np.empty((4, len(ks)))
    for n in range(len(ks)):
        found[0, n], found[1, n], found[2, n], found[3, n] = _variance(years, svi, ks[n], t)
    return found


@_jit
def _forward(years, logs, start, t):  # type: ignore[no-untyped-def]
    """Log forward at t and its slope."""
    last = len(years) - 1
    if t > years[last]:
        return logs[last], 0.0
    j = 0
    while years[j] < t:
        j += 1
    before_t = years[j - 1] if j else 0.0
    before = logs[j - 1] if j else start
    slope = (logs[j] - before) / (years[j] - before_t)
    return before + slope * (t - before_t), slope


@_jit
def _solve(years, svi, logs, start, times, low, high, nodes, left, right, inside):  # type: ignore[no-untyped-def]
    """Backward through falling `times` from `inside` at the first with `left` and `right` held at the ends (logs of price)."""
    dx = (high - low) / nodes
    v = np.full(nodes + 1, inside)
    v[0], v[nodes] = left, right
    upper, rest = np.empty(nodes + 1), np.empty(nodes + 1)
    down, up = np.empty(nodes + 1), np.empty(nodes + 1)
    count, outside = 0, 0
    for n in range(len(times) - 1):
        dt = times[n] - times[n + 1]
        theta = 1.0 if n < DAMPED else 0.5
        middle = times[n] - dt * 0.5
        forward, slope = _forward(years, logs, start, middle)
        i, j, one, two, one_t, two_t = _place(years, middle)
        near = 3 * np.sqrt(max(one * _svi(svi[i], 0.0)[0] + two * _svi(svi[j], 0.0)[0], 1e-12))
        for x in range(1, nodes):
            k = low + x * dx - forward
            w, w1, w2 = _svi(svi[i], k)
            wt = one_t * w
            w, w1, w2 = one * w, one * w1, one * w2
            if i != j:
                b, b1, b2 = _svi(svi[j], k)
                w, w1, w2, wt = w + two * b, w1 + two * b1, w2 + two * b2, wt + two_t * b
            w = max(w, 1e-9)
            inner = 1 - 0.5 * k * w1 / w
            g = inner * inner - 0.25 * w1 * w1 * (1 / w + 0.25) + 0.5 * w2
            wanted = wt / g if g > 0 else np.inf
            local = min(max(wanted, LEAST), MOST)
            if abs(k) <= near:
                count += 1
                outside += local != wanted
            a = 0.5 * local / (dx * dx)
            b = 0.5 * (slope - 0.5 * local) / dx
            down[x], up[x] = (a - b) * dt, (a + b) * dt
        # (1 - theta L) v_new = (1 + (1 - theta) L) v_old, by Thomas' elimination.
        upper[0], rest[0] = 0.0, left
        for x in range(1, nodes):
            explicit = v[x] + (1 - theta) * (down[x] * (v[x - 1] - v[x]) + up[x] * (v[x + 1] - v[x]))
            scale = 1 / (1 + theta * (down[x] + up[x]) - theta * down[x] * upper[x - 1])
            upper[x] = theta * up[x] * scale
            rest[x] = (explicit + theta * down[x] * rest[x - 1]) * scale
        for x in range(nodes - 1, 0, -1):
            v[x] = rest[x] + upper[x] * v[x + 1]
    return v, outside / max(count, 1)


def _times(law: Law, years: float, steps: int) -> Floats:
    """Falling from `years` to 0, about `steps` even steps that meet every slice, where local volatility jumps; the first two halved."""
    ends = np.concatenate([[0.0], law.years[law.years < years * (1 - 1e-9)], [years]])
    parts = [np.linspace(a, b, max(FEWEST_STEPS, int(np.ceil(steps * (b - a) / years))) + 1)[1:] for a, b in pairwise(ends)]
    falling = np.concatenate([[0.0], *parts])[::-1]
    halves = (falling[: DAMPED // 2] + falling[1 : DAMPED // 2 + 1]) / 2
    return np.ascontiguousarray(np.sort(np.concatenate([falling, halves]))[::-1])


def _between(row: Floats, position: float) -> float:
    """Read a row between nodes by the cubic through the four around it."""
    first = int(min(max(np.floor(position) - 1, 0), len(row) - 4))
    a, b, c, d = (position - first - n for n in range(4))
    return float(np.dot([-b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6], row[first : first + 4]))


def _run(law: Law, years: float, low: float, high: float, grid: tuple[int, int], ends: tuple[float, float], inside: float) -> Solution:
    start = float(np.log(law.spot))
    times = _times(law, years, grid[1])
    row, clipped = _solve(law.years, law.svi, law.log_forward, start, times, low, high, grid[0], *ends, inside)
    value = _between(row, (start - low) / (high - low) * grid[0])
    return Solution(min(max(value, 0.0), 1.0), float(clipped))


def variances(law: Law, k: Floats, years: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return total variance, its first and second derivatives in k, and its rate per year, at log moneyness `k` and `years`."""
    found = _variances(law.years, law.svi, np.ascontiguousarray(k, dtype=np.float64), float(years))
    return found[0], found[1], found[2], found[3]


def log_forward(law: Law, years: float) -> float:
    """Return the log of the forward to `years`."""
    return float(_forward(law.years, law.log_forward, float(np.log(law.spot)), float(years))[0])


def _reach(law: Law, years: float) -> float:
    """Distance in log price that hardly any path goes."""
    width = WIDTH * float(np.sqrt(variances(law, np.zeros(1), years)[0][0]))
    return max(width, 0.02)


def touch(law: Law, level: float, years: float, grid: tuple[int, int] = (400, 200)) -> Solution:
    """Return the probability of touching `level` within `years` under local volatility; `grid` is (nodes of price, steps of time).

    Crank-Nicolson on V_t + mu·V_x + ½sigma²(V_xx - V_x) = 0 with V = 1 at the level. Cost: nodes × steps. Wrong where the surface has
    arbitrage: see `clipped`.
    """
    start, barrier = float(np.log(law.spot)), float(np.log(level))
    reach = _reach(law, years)
    if barrier < start:
        return _run(law, years, barrier, start + reach, grid, (1.0, 0.0), 0.0)
    if barrier > start:
        return _run(law, years, start - reach, barrier, grid, (0.0, 1.0), 0.0)
    return Solution(1.0, 0.0)


def stay(law: Law, low: float, high: float, years: float, grid: tuple[int, int] = (400, 200)) -> Solution:
    """Return the probability of never leaving (low, high) within `years` under local volatility; 0 where spot lies outside."""
    if not low < law.spot < high:
        return Solution(0.0, 0.0)
    reach = _reach(law, years)
    start = float(np.log(law.spot))
    bottom, top = max(float(np.log(low)), start - reach), min(float(np.log(high)), start + reach)
    return _run(law, years, bottom, top, grid, (0.0, 0.0), 1.0)
