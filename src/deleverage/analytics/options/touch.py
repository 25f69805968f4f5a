"""Touching a level by a date: closed forms under one volatility, with a carry, watched always or now and then.

Risk-neutral, as everything made from option prices. Levels and spot in USD, years of 365 days, volatilities as decimals.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr

Floats = NDArray[np.float64]
SHIFT = 0.5825971579390106
"""-zeta(1/2)/sqrt(2 pi): Broadie, Glasserman and Kou (1997)."""
DAILY, HOURLY = 1 / 365, 1 / 8760
MOST_TERMS = 4000


def flat_touch(spot: ArrayLike, level: ArrayLike, years: ArrayLike, volatility: ArrayLike, carry: ArrayLike = 0.0) -> Floats:
    """Return the probability that the price touches `level` (from above where it lies below spot, else from below) within `years`.

    Geometric Brownian motion of one volatility and drift `carry` per year (0: the price is its own forward). All broadcast. 1 at the
    level; NaN where an argument is NaN or not positive. Fails where there is a smile: the volatility to take is then not known.
    """
    s, h, t, v, c = np.broadcast_arrays(*(np.asarray(z, dtype=np.float64) for z in (spot, level, years, volatility, carry)))
    usable = (s > 0) & (h > 0) & (t > 0) & (v > 0) & np.isfinite(c)
    s, h, t, v, c = (np.where(usable, z, 1.0) for z in (s, h, t, v, c))
    away = np.abs(np.log(h / s))
    # Mirrored, so that the level lies at -away: the drift changes sign for a level above.
    mu = np.where(h < s, 1.0, -1.0) * (c - v * v / 2)
    sd = v * np.sqrt(t)
    found = ndtr((-away - mu * t) / sd) + np.exp(-2 * mu * away / v**2 + log_ndtr((-away + mu * t) / sd))
    return np.where(usable, np.where(away == 0, 1.0, np.minimum(found, 1.0)), np.nan)


def flat_finish(spot: ArrayLike, level: ArrayLike, years: ArrayLike, volatility: ArrayLike, carry: ArrayLike = 0.0) -> Floats:
    """Return the probability that the price is below `level` after `years`, under one volatility: N(-d2)."""
    s, h, t, v, c = (np.asarray(z, dtype=np.float64) for z in (spot, level, years, volatility, carry))
    sd = v * np.sqrt(t)
    return np.asarray(ndtr((np.log(h / s) - (c - v * v / 2) * t) / sd))


def flat_stay(spot: float, low: float, high: float, years: float, volatility: float, carry: float = 0.0) -> float:
    """Return the probability that the price never leaves (low, high) within `years`, under one volatility: a sine series.

    0 where spot lies outside. Terms fall as exp(-n² pi² sd²/(2 width²)) and are summed until they vanish.
    """
    if not low < spot < high:
        return 0.0
    width, x = float(np.log(high / low)), float(np.log(spot / low))
    variance = volatility**2
    slope = (carry - variance / 2) / variance
    decay = np.pi**2 * variance * years / (2 * width**2)
    n = np.arange(1, min(MOST_TERMS, int(np.sqrt(45 / decay)) + 3))
    beta = n * np.pi / width
    weights = np.sin(beta * x) * beta * (1 - (-1.0) ** n * np.exp(slope * width)) / (slope**2 + beta**2)
    series = float((weights * np.exp(-decay * n**2)).sum()) * 2 / width
    return min(max(series * float(np.exp(-slope * x - slope**2 * variance * years / 2)), 0.0), 1.0)


def watched(level: ArrayLike, spot: ArrayLike, volatility: ArrayLike, every: float) -> Floats:
    """Return the level to use in a formula of continuous watching when the price is only seen each `every` years: further away.

    Broadie, Glasserman and Kou (1997); error o(sqrt(every)), so not for a handful of looks.

    >>> round(float(watched(80_000, 86_000, 0.5301414916, DAILY)), 3)
    78717.085
    """
    h, s, v = (np.asarray(z, dtype=np.float64) for z in (level, spot, volatility))
    return np.asarray(h * np.exp(np.where(h < s, -1.0, 1.0) * SHIFT * v * np.sqrt(every)))
