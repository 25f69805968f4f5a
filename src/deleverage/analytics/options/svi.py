"""The SVI slice (Gatheral and Jacquier 2014): total variance of one expiry as a hyperbola in log-moneyness, and how it is fitted.

Fitted by least squares in (ln of least variance, ln b, atanh ρ, m, ln s), so that every step is a slice with w > 0, with penalties where
Durrleman's g is negative and where the slice lies above a ceiling. Starts come from Zeliade's reduction (De Marco and Martini 2009): with m
and s given, w is linear in the other three, so a grid over the two finds the valley.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FAR = np.geomspace(0.05, 100.0, 12)
VERTEX = 41
GRID = np.concatenate([np.sinh(np.linspace(-4.0, 4.0, VERTEX)), -_FAR, _FAR])
"""Where g is held up while fitting: VERTEX points in units of s around m, then k itself out into the wings."""
_WINGS = np.geomspace(0.005, 1e3, 250)
CHECK = np.sinh(np.linspace(-6.5, 6.5, 801))
WINGS = np.concatenate([-_WINGS, [0.0], _WINGS])
"""Where g is looked at afterwards, before its dips are looked at more closely: CHECK in units of s around m, WINGS in k."""
_SIDE = np.concatenate([np.linspace(0.02, 0.5, 13), np.linspace(0.6, 3.0, 13)])
SPAN = np.concatenate([-_SIDE[::-1], [0.0], _SIDE])
"""Log-moneyness at which a slice is held below the next expiry: strikes from 5 % to 20 times the forward."""
CLEAR = 1e-3
"""g is pushed above this while fitting, so that between points of the grid it stays above 0."""


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


class Svi(NamedTuple):
    """w(k) = a + b(ρ(k - m) + √((k - m)² + s²)), total variance σ²T at k = ln(K/F)."""

    a: float
    b: float
    rho: float
    m: float
    s: float

    def total_variance(self, k: float | Floats) -> Floats:
        """Return w(k)."""
        x = np.asarray(k, float) - self.m
        return np.asarray(self.a + self.b * (self.rho * x + np.sqrt(x * x + self.s * self.s)))

    def slope(self, k: float | Floats) -> Floats:
        """Return w'(k)."""
        x = np.asarray(k, float) - self.m
        return np.asarray(self.b * (self.rho + x / np.sqrt(x * x + self.s * self.s)))

    def curvature(self, k: float | Floats) -> Floats:
        """Return w''(k)."""
        x = np.asarray(k, float) - self.m
        return np.asarray(self.b * self.s * self.s / (x * x + self.s * self.s) ** 1.5)

    def g(self, k: float | Floats) -> Floats:
        """Return Durrleman's g(k); the density of the price is negative where g is."""
        at = np.asarray(k, float)
        w, slope = self.total_variance(at), self.slope(at)
        return (1 - at * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + self.curvature(at) / 2

    def least_variance(self) -> float:
        """Return the least total variance over all k."""
        return float(self.a + self.b * self.s * np.sqrt(1 - self.rho * self.rho))

    def min_g(self) -> float:
        """Return the least g over all k: grids fine at the vertex and wide, finer in the dips, and what g tends to in the wings.

        -inf where total variance is not above 0 or a wing is as steep as 2, so that d+ does not fall to -inf (Lee 2004).
        """
        steepest = self.b * (1 + abs(self.rho))
        if self.least_variance() <= 0 or steepest >= 2:
            return float("-inf")
        k = np.unique(np.concatenate([self.m + self.s * CHECK, WINGS]))
        g = self.g(k)
        dips = np.flatnonzero((g[1:-1] <= g[:-2]) & (g[1:-1] <= g[2:]) & (g[1:-1] < g.min() + CLEAR)) + 1
        closer = [self.g(np.linspace(k[i - 1], k[i + 1], 201)).min() for i in dips]
        return float(min(g.min(), 0.25 - steepest**2 / 16, *closer))


def ssvi(theta: float, rho: float, phi: float) -> Svi:
    """Return w = θ/2 (1 + ρφk + √((φk + ρ)² + 1 - ρ²)) as a slice of `Svi`; θ is its total variance at the money, φ > 0."""
    return Svi(theta / 2 * (1 - rho * rho), theta * phi / 2, rho, -rho / phi, float(np.sqrt(1 - rho * rho)) / phi)


def ssvi_checks(theta: float, rho: float, phi: float) -> tuple[float, float]:
    """Return θφ(1 + |ρ|) and θφ²(1 + |ρ|): below 4 and at most 4 there is no butterfly arbitrage (sufficient)."""
    return theta * phi * (1 + abs(rho)), theta * phi * phi * (1 + abs(rho))


@_jit
def _slice(p):  # type: ignore[no-untyped-def]  # numba reads the types
    """(ln of least variance, ln b, atanh ρ, m, ln s) as (a, b, ρ, m, s)."""
    b, rho, s = np.exp(p[1]), np.tanh(p[2]), np.exp(p[4])
    return np.exp(p[0]) - b * s * np.sqrt(1 - rho * rho), b, rho, p[3], s


@_jit
def _ssvi_slice(p):  # type: ignore[no-untyped-def]  # numba reads the types
    """(ln θ, atanh ρ, logit of φ's share of the largest without arbitrage) as (a, b, ρ, m, s)."""
    theta, rho = np.exp(p[0]), np.tanh(p[1])
    room = 4 / (theta * (1 + abs(rho)))
    phi = min(0.999 * room, np.sqrt(room)) / (1 + np.exp(-p[2]))
    return theta / 2 * (1 - rho * rho), theta * phi / 2, rho, -rho / phi, np.sqrt(1 - rho * rho) / phi


@_jit
def _residuals(p, k, w, u, grid, span, ceiling, hold, out):  # type: ignore[no-untyped-def]  # numba reads the types
    """Weighted misfit, then g below CLEAR on the grid and at both ends, then the share above the ceiling, `hold` times."""
    is_ssvi = len(p) == 3
    if is_ssvi:
        a, b, rho, m, s = _ssvi_slice(p)
    else:
        a, b, rho, m, s = _slice(p)
    n = len(k)
    for i in range(n):
        x = k[i] - m
        out[i] = u[i] * (a + b * (rho * x + np.sqrt(x * x + s * s)) - w[i])
    if not is_ssvi:
        for j in range(len(grid)):
            x = s * grid[j] if j < VERTEX else grid[j] - m
            at, root = m + x, np.sqrt(x * x + s * s)
            v = a + b * (rho * x + root)
            slope = b * (rho + x / root)
            g = (1 - at * slope / (2 * v)) ** 2 - slope * slope / 4 * (1 / v + 0.25) + b * s * s / root**3 / 2
            out[n + j] = hold * max(0.0, CLEAR - g)
        n += len(grid)
        out[n] = hold * max(0.0, b * (1 + abs(rho)) - 1.99)
        n += 1
    for j in range(len(ceiling)):
        x = span[j] - m
        out[n + j] = hold * max(0.0, (a + b * (rho * x + np.sqrt(x * x + s * s))) / ceiling[j] - 1)
    return n + len(ceiling)


@_jit
def _solve(p, k, w, u, grid, span, ceiling, hold, low, high, steps):  # type: ignore[no-untyped-def]  # numba reads the types
    """Levenberg and Marquardt within [low, high], derivatives by central differences. Returns (p, cost)."""
    size, most = len(p), len(k) + len(grid) + 1 + len(ceiling)
    r, more, less = np.zeros(most), np.zeros(most), np.zeros(most)
    n = _residuals(p, k, w, u, grid, span, ceiling, hold, r)
    cost = (r[:n] ** 2).sum()
    jacobian = np.zeros((most, size))
    damping = 1e-3
    for _ in range(steps):
        for q in range(size):
            h = 1e-6 * max(0.1, abs(p[q]))
            moved = p.copy()
            moved[q] = p[q] + h
            _residuals(moved, k, w, u, grid, span, ceiling, hold, more)
            moved[q] = p[q] - h
            _residuals(moved, k, w, u, grid, span, ceiling, hold, less)
            jacobian[:n, q] = (more[:n] - less[:n]) / (2 * h)
        normal = jacobian[:n].T @ jacobian[:n]
        gradient = jacobian[:n].T @ r[:n]
        before = cost
        while damping < 1e12:
            damped = normal.copy()
            for q in range(size):
                damped[q, q] += damping * (normal[q, q] + 1e-9)
            moved = np.minimum(np.maximum(p - np.linalg.solve(damped, gradient), low), high)
            _residuals(moved, k, w, u, grid, span, ceiling, hold, more)
            tried = (more[:n] ** 2).sum()
            if tried < cost:
                p, cost, damping = moved, tried, damping / 5
                r[:n] = more[:n]
                break
            damping *= 4
        if damping >= 1e12 or before - cost <= 1e-13 * before or cost < 1e-26:
            break
    return p, cost


@_jit
def _starts(k, w, u, width):  # type: ignore[no-untyped-def]  # numba reads the types
    """Zeliade's reduction over a grid of (m, s): the linear best of the other three, made a slice. Rows: parameters, misfit."""
    found = np.zeros((42, 6))
    row = 0
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for m_at in np.array([-0.8, -0.4, -0.15, 0.0, 0.15, 0.4, 0.8]):
        for s_at in np.array([0.08, 0.2, 0.45, 0.9, 1.8, 4.0]):
            m, s = m_at * width, s_at * width
            normal[:], right[:] = 0.0, 0.0
            for i in range(len(k)):
                x = k[i] - m
                basis = (1.0, x, np.sqrt(x * x + s * s))
                for q in range(3):
                    right[q] += u[i] ** 2 * basis[q] * w[i]
                    for t in range(3):
                        normal[q, t] += u[i] ** 2 * basis[q] * basis[t]
            for q in range(3):
                normal[q, q] *= 1 + 1e-10
            _, d, c = np.linalg.solve(normal, right)
            b = min(max(c, 1e-4), 1.5)
            rho = min(max(d / b, -0.95), 0.95)
            b = min(b, 1.95 / (1 + abs(rho)))
            # The level again for the b and ρ taken, so that it can be compared.
            level = mass = 0.0
            for i in range(len(k)):
                x = k[i] - m
                level += u[i] ** 2 * (w[i] - b * (rho * x + np.sqrt(x * x + s * s)))
                mass += u[i] ** 2
            dip = b * s * np.sqrt(1 - rho * rho)
            least = max(level / mass + dip, 0.02 * w.min())
            misfit = 0.0
            for i in range(len(k)):
                x = k[i] - m
                misfit += (u[i] * (least - dip + b * (rho * x + np.sqrt(x * x + s * s)) - w[i])) ** 2
            found[row] = np.array([np.log(least), np.log(b), np.arctanh(rho), m, np.log(s), misfit])
            row += 1
    return found[np.argsort(found[:, 5])]


NO_CEILING = np.zeros(0)


def fit_svi(k: Floats, w: Floats, u: Floats, ceiling: Floats = NO_CEILING, tries: int = 3) -> Svi:
    """Fit a slice to at least five total variances `w` at `k`, misfits weighted by `u`, below `ceiling` on SPAN (empty: none).

    Penalties grow until g and the ceiling hold; a slice that still breaks them is returned as it is: look at `min_g`.
    """
    width = max(float(np.ptp(k)) / 2, 0.02)
    low = np.array([np.log(1e-3 * w.min()), np.log(1e-6), -3.8, k.min() - width, np.log(0.02 * width)])
    high = np.array([np.log(1.5 * w.max()), np.log(1.99), 3.8, k.max() + width, np.log(20 * width)])
    unit = float(np.median(w))
    weights = u / np.sqrt((u * u).sum())
    best, least = None, np.inf
    starts = _starts(k, w, weights, width)[:, :5]
    hold = 0.3 * unit * float(np.sqrt((weights**2).sum()))
    for start in _apart(starts, tries):
        p, cost = _solve(np.clip(start, low, high), k, w, weights, GRID, SPAN, ceiling, hold, low, high, 60)
        if cost < least:
            best, least = p, cost
    assert best is not None
    found = Svi(*(float(x) for x in _slice(best)))
    for _ in range(4):
        if found.min_g() >= 0 and _holds(found, ceiling):
            break
        hold *= 10
        best, _ = _solve(best, k, w, weights, GRID, SPAN, ceiling, hold, low, high, 60)
        found = Svi(*(float(x) for x in _slice(best)))
    return found


def fit_ssvi(k: Floats, w: Floats, u: Floats, ceiling: Floats = NO_CEILING) -> Svi:
    """Fit three parameters within SSVI's sufficient conditions, so that g >= 0 whatever the quotes say."""
    weights = u / np.sqrt((u * u).sum())
    unit = float(np.median(w))
    low, high = np.array([np.log(0.05 * w.min()), -3.8, -12.0]), np.array([np.log(3 * w.max()), 3.8, 12.0])
    best, least = None, np.inf
    for rho in (-0.5, 0.0, 0.5):
        p, cost = _solve(np.array([np.log(unit), rho, -1.0]), k, w, weights, GRID[:0], SPAN, ceiling, 30 * unit, low, high, 60)
        if cost < least:
            best, least = p, cost
    assert best is not None
    return Svi(*(float(x) for x in _ssvi_slice(best)))


def _apart(starts: Floats, tries: int) -> list[Floats]:
    """The best starts that differ in m or s."""
    taken: list[Floats] = []
    for start in starts:
        if all(abs(start[4] - t[4]) > 0.5 or abs(start[3] - t[3]) > 0.1 * np.exp(start[4]) for t in taken):
            taken.append(start)
        if len(taken) == tries:
            break
    return taken


def _holds(found: Svi, ceiling: Floats) -> bool:
    return len(ceiling) == 0 or bool((found.total_variance(SPAN) <= ceiling * (1 + 1e-4)).all())
