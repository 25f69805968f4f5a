"""Candles and books of the reconstructed day, in coins and USD, before any venue spells them."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deleverage.simulate.reconstruction.facts import SECOND, START
from deleverage.simulate.reconstruction.world import DEPTH_USD, MINUTES, VENUE_DEPTH, Contract, World

Floats = NDArray[np.float64]
TICK = {"BTC": 0.1, "ETH": 0.01, "SOL": 0.01, "HYPE": 0.001, "DOGE": 0.00001, "XRP": 0.0001, "SUI": 0.0001}
DIGITS = {coin: max(0, round(-np.log10(tick))) for coin, tick in TICK.items()}
DISTANCES = np.concatenate([[0.00004], np.geomspace(0.0002, 0.021, 24)])
"""How far from the middle the levels of a book lie: beyond 2 %."""
SHAPE = np.diff(np.concatenate([[0.0], DISTANCES**0.9])) / 0.01**0.9
"""Size of each level against the size within 1 %."""


class Candle(NamedTuple):
    """One minute: prices in USD, sizes in coins."""

    start: int
    open: float
    high: float
    low: float
    close: float
    quantity: float
    taker_buy: float


class Book(NamedTuple):
    """Levels (price, coins), best first."""

    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Candles:
    """The minutes of every contract of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ranges: dict[Contract, tuple[Floats, Floats]] = {}

    def at(self, contract: Contract, minute: int) -> Candle:
        """Return the minute that begins `minute` minutes after START."""
        path = self._world.market.lasts[contract]
        if contract not in self._ranges:
            rows = np.concatenate([path[:-1].reshape(MINUTES, 60), path[60::60, None]], axis=1)
            self._ranges[contract] = (rows.max(axis=1), rows.min(axis=1))
        high, low = self._ranges[contract]
        flow, digits = self._world.flows[contract], DIGITS[contract[1]]
        prices = (path[60 * minute], high[minute], low[minute], path[60 * minute + 60])
        rounded = [round(float(p), digits) for p in prices]
        bought, sold = float(flow.buy[minute]), float(flow.sell[minute])
        return Candle(START + minute * 60 * SECOND, *rounded, round(bought + sold, 4), round(bought, 4))  # type: ignore[call-arg]  # four prices


@cache
def _noise(seed: int, contract: Contract) -> Floats:
    rng = np.random.default_rng([seed, *contract[0].encode(), *contract[1].encode()])
    whole: Floats = np.exp(0.25 * rng.standard_normal((MINUTES + 1, 2, len(DISTANCES))))
    return whole


def book(world: World, contract: Contract, ts: int) -> Book:
    """Return the book at an instant: thinner in stress, and thinner on the side the price runs to."""
    venue, coin = contract
    minute = (ts - START) // (60 * SECOND)
    middle, digits = world.price(contract, ts), DIGITS[coin]
    left = 1 - float(world.stress[coin][min(minute, MINUTES - 1)])
    earlier = world.price(contract, max(ts - 300 * SECOND, START))
    lean = float(np.clip((middle / earlier - 1) * 15, -0.35, 0.35))
    usd = DEPTH_USD[coin] * VENUE_DEPTH[venue] * left
    noise = _noise(world.seed, contract)[minute]
    sides = []
    for way, sign in ((0, -1.0), (1, 1.0)):
        prices = np.round(middle * (1 + sign * DISTANCES), digits)
        coins = usd * (1 - sign * lean) * SHAPE * noise[way] / prices
        sides.append([(float(p), max(round(float(q), 3), 0.001)) for p, q in zip(prices, coins, strict=True)])
    return Book(*sides)
