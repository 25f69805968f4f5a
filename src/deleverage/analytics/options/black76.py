"""Black's (1976) price of a European option on a forward, undiscounted, its implied volatility and its sensitivities.

In normalised form, with x = -|ln(F/K)|, s = σ√T, h = x/s, t = s/2, the out-of-the-money option of the pair is worth √(FK)·b, where

    b = φ(h)·exp(-t²/2)·[Y(h+t) - Y(h-t)],   Y(z) = Φ(z) / φ(z) = M(-z),   db/ds = φ(h)·exp(-t²/2)

(Jäckel 2015, "Let's be rational"). Nothing cancels far out of the money; for small s the bracket is the integral of Y' = D(-z) over
(h-t, h+t), by Gauss and Legendre. The in-the-money option is that and the intrinsic value.

Assumes a lognormal forward and European exercise. Cost: about 0.12 µs an inversion. Forward, strike and price in one unit (USD).
"""

from math import exp, log, log1p, nan, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from deleverage.analytics.options.mills import mills, shortfall

Floats = NDArray[np.float64]
_ROOT = 0.3989422804014327
"""1 / √(2π)."""
_FURTHEST = 1.5
"""d1 of the out-of-the-money option above which the complement to the upper bound is used."""


class Greeks(NamedTuple):
    """Derivatives of the price in USD, raw; NaN where forward, strike, years or volatility is not above zero.

    `delta` by the forward; `delta_premium_adjusted` is delta - price/forward, that of an option whose premium is paid and owned in the
    coin; `gamma` d delta by the forward, per USD; `vega` USD per 1.00 of volatility; `theta` USD, and `charm` delta, per year of passing
    time, at a constant forward; `vanna` d delta and `volga` d vega per 1.00 of volatility.
    """

    delta: Floats
    delta_premium_adjusted: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    vanna: Floats
    charm: Floats
    volga: Floats


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True, error_model="numpy")(function)


@_jit
def _moneyness(f, k):  # type: ignore[no-untyped-def]  # numba reads the types
    """ln(F/K), to full relative precision at the money as well."""
    return log1p((f - k) / k) if 0.5 * k < f < 2.0 * k else log(f / k)


@_jit
def _bracket(h, t):  # type: ignore[no-untyped-def]
    """Y(h+t) - Y(h-t) for h ≤ 0 ≤ t, h + t ≤ 1.5."""
    if t > 0.05:
        return mills(-h - t) - mills(t - h)
    near, far = 0.33998104358485626 * t, 0.8611363115940526 * t
    inner = shortfall(-h - near) + shortfall(near - h)
    outer = shortfall(-h - far) + shortfall(far - h)
    return t * (0.6521451548625461 * inner + 0.34785484513745385 * outer)


@_jit
def _below(z):  # type: ignore[no-untyped-def]
    """Φ(z)."""
    density = _ROOT * exp(-0.5 * z * z)
    return density * mills(-z) if z <= _FURTHEST else 1.0 - density * mills(z)


@_jit
def _price(f, k, years, volatility, call):  # type: ignore[no-untyped-def]
    if not (f > 0.0 and k > 0.0 and years >= 0.0 and volatility >= 0.0 and f + k + years + volatility < np.inf):
        return nan
    intrinsic = max(f - k, 0.0) if call else max(k - f, 0.0)
    s = volatility * sqrt(years)
    if s == 0.0:
        return intrinsic
    h, t = -abs(_moneyness(f, k)) / s, 0.5 * s
    root = sqrt(f) * sqrt(k) * _ROOT * exp(-0.5 * (h * h + t * t))
    if h + t > _FURTHEST:
        return min(f, k) - root * (mills(h + t) + mills(t - h)) + intrinsic
    return root * _bracket(h, t) + intrinsic


@_jit
def _start(x, beta, xi):  # type: ignore[no-untyped-def]
    """A first s, for x = -|ln(F/K)| and xi = |F-K| / √(FK): the normal (Bachelier's) volatility, by a rational fit good to 2e-5, taken
    to the lognormal by the first term of Grunspan's (2011) expansion in s."""
    ratio = xi / beta
    w = 0.5 * (log1p(ratio) if ratio < 1e300 else log(xi) - log(beta))
    y = 1.0 / (1.0 + w / 3.0)
    above = 0.8666399 + y * (19.54138 + y * (-23.21195 + y * (25.93193 + y * 7.58932)))
    under = 1.0 + y * (22.08275 + y * (-29.59572 + y * (34.37465 - y * 3.35238)))
    slope = above / (under * sqrt(y))
    s = 2.0 * beta * slope if ratio < 1e-8 else -x * slope / w
    square = x * x
    bend = (1.0 / 24.0 - square / 2880.0) if square < 1.0 else log(-xi / x) / square
    return s * (1.0 + bend * s * s)


@_jit
def _total_low(x, beta, xi):  # type: ignore[no-untyped-def]
    """s with b(x, s) = beta, on ln b, by Householder's third-order steps, as shares of s: the n-th derivative comes times sⁿ."""
    low, high = 0.0, _FURTHEST + sqrt(_FURTHEST * _FURTHEST - 2.0 * x)
    s = min(_start(x, beta, xi), 0.999 * high)
    goal = log(beta / _ROOT)
    for _ in range(60):
        h, t = x / s, 0.5 * s
        bracket = _bracket(h, t)
        off = log(bracket) - 0.5 * (h * h + t * t) - goal
        if off > 0.0:
            high = s
        else:
            low = s
        n, q = s / bracket, h * h - t * t
        second, third = q - n, (q - n) ** 2 - 3.0 * h * h - t * t - n * (q - n)
        share = -off / n
        share *= (1.0 + 0.5 * second * share) / (1.0 + share * (second + third * share / 6.0))
        new = s + share * s
        if abs(share) < 1e-4:
            return new
        s = new if low < new < high else 0.5 * (low + high)
    return s


@_jit
def _total_high(x, rest):  # type: ignore[no-untyped-def]
    """s with exp(x/2) - b(x, s) = rest, on ln rest, for b of at least 0.8 of its bound; there d1 > 0.84."""
    low, high = 0.84 + sqrt(0.84 * 0.84 - 2.0 * x), np.inf
    goal = log(rest / _ROOT)
    s = low
    for _ in range(60):
        h, t = x / s, 0.5 * s
        total = mills(h + t) + mills(t - h)
        off = goal - log(total) + 0.5 * (h * h + t * t)
        if off > 0.0:
            high = s
        else:
            low = s
        n, q = s / total, h * h - t * t
        second, third = q + n, (q + n) ** 2 - 3.0 * h * h - t * t + n * (q + n)
        share = -off / n
        share *= (1.0 + 0.5 * second * share) / (1.0 + share * (second + third * share / 6.0))
        new = s + share * s
        if abs(share) < 1e-4:
            return new
        s = new if low < new < high else (0.5 * (low + high) if high < np.inf else 1.5 * s)
    return s


@_jit
def _implied(p, f, k, years, call):  # type: ignore[no-untyped-def]
    if not (f > 0.0 and k > 0.0 and years > 0.0 and f + k + years < np.inf):
        return nan
    bound, intrinsic = (f, max(f - k, 0.0)) if call else (k, max(k - f, 0.0))
    if not intrinsic < p < bound:
        return nan
    x, root, otm = -abs(_moneyness(f, k)), sqrt(f) * sqrt(k), p - intrinsic
    if otm > 0.8 * min(f, k):
        return _total_high(x, (bound - p) / root) / sqrt(years)
    return _total_low(x, otm / root, abs(f - k) / root) / sqrt(years)


@_jit
def _prices(f, k, years, volatility, call, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        out[i] = _price(f[i], k[i], years[i], volatility[i], call[i])


@_jit
def _implieds(p, f, k, years, call, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        out[i] = _implied(p[i], f[i], k[i], years[i], call[i])


@_jit
def _all_greeks(forward, strike, years, volatility, call, out):  # type: ignore[no-untyped-def]
    for i in range(len(call)):
        f, k, u, v = forward[i], strike[i], years[i], volatility[i]
        if not (f > 0.0 and k > 0.0 and u > 0.0 and v > 0.0 and f + k + u + v < np.inf):
            out[:, i] = nan
            continue
        root = sqrt(u)
        s, x = v * root, _moneyness(f, k)
        d1, d2 = x / s + 0.5 * s, x / s - 0.5 * s
        density = _ROOT * exp(-0.5 * d1 * d1)
        vega = f * density * root
        sign = 1.0 if call[i] else -1.0
        out[0, i] = sign * _below(sign * d1)
        out[1, i] = sign * k / f * _below(sign * d2)
        out[2, i] = density / (f * s)
        out[3, i] = vega
        out[4, i] = -0.5 * vega * v / u
        out[5, i] = -density * d2 / v
        out[6, i] = 0.5 * density * d2 / u
        out[7, i] = vega * d1 * d2 / v


def _columns(*numbers: ArrayLike, is_call: ArrayLike) -> tuple[tuple[int, ...], list[Floats], NDArray[np.bool_]]:
    """The arguments' common shape, and each as a flat column of it."""
    *wide, call = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in numbers), np.asarray(is_call, dtype=np.bool_))
    return call.shape, [np.ascontiguousarray(a).ravel() for a in wide], np.ascontiguousarray(call).ravel()


def price(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, is_call: ArrayLike) -> Floats:
    """Return undiscounted prices, in the unit of forward and strike; all arguments broadcast.

    `years` of 365 days, `volatility` as a decimal a year. Intrinsic value where either is zero; NaN where either is negative, where
    forward or strike is not above zero, and where anything is NaN or infinite. The out-of-the-money option keeps its relative
    accuracy however little it is worth.

    >>> price(86_000, 85_000, 30 / 365, 0.55, [True, False])
    array([5887.57618846, 4887.57618846])
    """
    shape, columns, call = _columns(forward, strike, years, volatility, is_call=is_call)
    out = np.empty(len(call))
    _prices(*columns, call, out)
    return out.reshape(shape)


def implied_volatility(price: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, is_call: ArrayLike) -> Floats:
    """Return the volatility, as a decimal a year, at which Black's price is `price`; all arguments broadcast.

    NaN unless the price is strictly between intrinsic value and the upper bound (the forward of a call, the strike of a put), forward,
    strike and years are above zero, and all are finite; never clipped. In-the-money prices are inverted through parity. The relative
    error is below 3e-14 times max(1, price / (volatility·vega)): where that quotient is large, the rounding of the price itself decides.

    >>> implied_volatility([5887.57618846, 990.0], 86_000, 85_000, 30 / 365, True)
    array([0.55, nan])
    """
    shape, columns, call = _columns(price, forward, strike, years, is_call=is_call)
    out = np.empty(len(call))
    _implieds(*columns, call, out)
    return out.reshape(shape)


def greeks(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, is_call: ArrayLike) -> Greeks:
    """Return all sensitivities (`Greeks` tells units), each of the arguments' broadcast shape."""
    shape, columns, call = _columns(forward, strike, years, volatility, is_call=is_call)
    out = np.empty((8, len(call)))
    _all_greeks(*columns, call, out)
    return Greeks(*(row.reshape(shape) for row in out))
