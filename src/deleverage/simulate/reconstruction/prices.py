"""Seconds from hours: a bridge through the open, the extremes and the close of every recorded hour.

Within the hour only the open, high, low and close are real; when the extremes came is drawn (bitcoin's low of the 21st is known), the
same for all coins but for a minute, as falls come together. Two coins without recorded candles follow those that have them.
"""

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.simulate.reconstruction.facts import END, HOUR, LOW, RECORDED, SECOND, START, hours

Floats = NDArray[np.float64]
SECONDS = (END - START) // SECOND
FOLLOWERS = {"XRP": (2.10, 1.05), "SUI": (1.52, 1.25)}
"""Assumed price at the start, and how strongly the coin follows the mean of ether and solana."""
ROUGH = 0.4
"""Noise within the hour, against what a Brownian path of the same range would have."""
TOGETHER = 0.8
"""Correlation of the noise of two coins within the hour."""
APART = 0.00004
"""Standard deviation by which a venue without recorded candles stands off the two that have them."""


def paths(rng: np.random.Generator) -> dict[str, dict[str, Floats]]:
    """Return the price of every coin at every second by venue: SECONDS + 1 values from START to END, USD.

    Venues: binance, bybit (through their own candles), and the others between them.
    """
    count = SECONDS * SECOND // HOUR
    extremes = _extremes(rng, count)
    common = rng.standard_normal(SECONDS)
    found: dict[str, dict[str, Floats]] = {}
    for coin in RECORDED:
        noise = common if coin == "BTC" else TOGETHER * common + np.sqrt(1 - TOGETHER**2) * rng.standard_normal(SECONDS)
        moved = extremes if coin == "BTC" else np.clip(extremes + rng.integers(-45, 46, extremes.shape), 5, 3594)
        found[coin] = {venue: _bridge(hours(venue, coin, START, END), moved, noise) for venue in ("binance", "bybit")}
    returns = 0.5 * (np.diff(np.log(found["ETH"]["binance"])) + np.diff(np.log(found["SOL"]["binance"])))
    for coin, (first, strength) in FOLLOWERS.items():
        own = strength * returns + 0.00006 * rng.standard_normal(SECONDS)
        path = first * np.exp(np.concatenate([[0.0], np.cumsum(own)]))
        found[coin] = {"binance": path, "bybit": path}
    for venues in found.values():
        middle = np.sqrt(venues["binance"] * venues["bybit"])
        for venue in ("okx", "htx", "hyperliquid", "deribit"):
            venues[venue] = middle * np.exp(_wander(rng, len(middle)))
    return found


def _extremes(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Draw the seconds within each hour at which its high and its low came."""
    drawn = rng.integers(90, 3510, (count, 2))
    near = np.abs(drawn[:, 0] - drawn[:, 1]) < 300
    drawn[near, 0] = (drawn[near, 1] + 1500) % 3420 + 90
    hour, within = divmod((LOW[0] - START) // SECOND, 3600)
    drawn[hour, 1] = within
    if abs(drawn[hour, 0] - within) < 600:
        drawn[hour, 0] = 3300
    return drawn


def _bridge(rows: pl.DataFrame, extremes: NDArray[np.int64], noise: Floats) -> Floats:
    """Join the knots of each hour by bridges of Brownian noise, folded back into the hour's range; knots are met exactly."""
    path = np.empty(len(noise) + 1)
    logs = np.log(rows.select("o", "h", "l", "c").to_numpy())
    for i, (o, h, low, c) in enumerate(logs):
        at_high, at_low = int(extremes[i, 0]), int(extremes[i, 1])
        first, second = ((at_high, h), (at_low, low)) if at_high < at_low else ((at_low, low), (at_high, h))
        knots = [(0, o), first, second, (3600, c)]
        scale = ROUGH * max(h - low, 1e-9) / (2 * np.sqrt(np.log(2))) / 60
        for (t0, x0), (t1, x1) in pairwise(knots):
            steps = np.cumsum(noise[i * 3600 + t0 : i * 3600 + t1]) * scale
            share = np.arange(1, t1 - t0 + 1) / (t1 - t0)
            values = x0 + (x1 - x0) * share + steps - share * steps[-1]
            path[i * 3600 + t0 + 1 : i * 3600 + t1 + 1] = _folded(values, low, h)
    path[0] = logs[0, 0]
    return np.exp(path)


def _folded(values: Floats, low: float, high: float) -> Floats:
    """Reflect values at both ends of [low, high]."""
    width = high - low
    if width <= 0:
        return np.full_like(values, low)
    inside = np.mod(values - low, 2 * width)
    folded: Floats = low + np.where(inside > width, 2 * width - inside, inside)
    return folded


def _wander(rng: np.random.Generator, count: int) -> Floats:
    """A mean-reverting walk: how far one venue stands off the others, log."""
    knots = rng.standard_normal(count // 60 + 2) * APART
    whole: Floats = np.interp(np.arange(count) / 60, np.arange(len(knots)), knots)
    return whole
