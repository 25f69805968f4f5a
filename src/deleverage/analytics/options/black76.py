"""Black's (1976) price of an option on a forward, undiscounted, its implied volatility and its sensitivities."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]


class Greeks(NamedTuple):
    """Derivatives of the price in USD: raw, vega per 1.00 of volatility, theta and charm per year of passing time."""

    delta: Floats
    delta_premium_adjusted: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    vanna: Floats
    charm: Floats
    volga: Floats


def price(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, is_call: ArrayLike) -> Floats:
    """Return prices in the forward's unit; all arguments broadcast."""
    f, k, t, v = (np.asarray(a, dtype=np.float64) for a in (forward, strike, years, volatility))
    sign = np.where(is_call, 1.0, -1.0)
    with np.errstate(all="ignore"):
        s = v * np.sqrt(t)
        d1 = np.log(f / k) / s + s / 2
        found = sign * (f * ndtr(sign * d1) - k * ndtr(sign * (d1 - s)))
        return np.asarray(np.where(s > 0, found, np.where(s == 0, np.maximum(sign * (f - k), 0.0), np.nan)), dtype=np.float64)


_black = price  # the argument of the next has its name


def implied_volatility(price: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, is_call: ArrayLike) -> Floats:
    """Return the volatility of each price; NaN unless the price is strictly between the no-arbitrage bounds."""
    p, f, k, t = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (price, forward, strike, years)))
    sign = np.where(is_call, 1.0, -1.0)
    with np.errstate(all="ignore"):
        intrinsic = np.maximum(sign * (f - k), 0.0)
        fine = (p > intrinsic) & (p < np.where(sign > 0, f, k)) & (t > 0) & (f > 0) & (k > 0)
        otm, out = p - intrinsic, k > f
        low, high = np.full(np.broadcast(p, sign).shape, 1e-9), np.full(np.broadcast(p, sign).shape, 40.0)
        for _ in range(70):
            mid = (low + high) / 2
            below = _black(f, k, 1.0, mid, out) < otm
            low, high = np.where(below, mid, low), np.where(below, high, mid)
        return np.asarray(np.where(fine, (low + high) / 2 / np.sqrt(t), np.nan), dtype=np.float64)


def greeks(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, is_call: ArrayLike) -> Greeks:
    """Return all sensitivities, of the arguments' broadcast shape; NaN where volatility or time is not above zero."""
    f, k, t, v = (np.asarray(a, dtype=np.float64) for a in (forward, strike, years, volatility))
    f, k, t, v, sign = np.broadcast_arrays(f, k, t, v, np.where(is_call, 1.0, -1.0))
    with np.errstate(all="ignore"):
        s = np.where((v > 0) & (t > 0), v * np.sqrt(np.maximum(t, 0.0)), np.nan)
        d1 = np.log(f / k) / s + s / 2
        d2 = d1 - s
        density = np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
        vega = f * density * np.sqrt(t)
        return Greeks(
            sign * ndtr(sign * d1),
            sign * k / f * ndtr(sign * d2),
            density / (f * s),
            vega,
            -vega * v / (2 * t),
            -density * d2 / v,
            density * d2 / (2 * t),
            vega * d1 * d2 / v,
        )
