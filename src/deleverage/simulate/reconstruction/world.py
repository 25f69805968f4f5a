"""Everything of the 48 hours that venues would have told of, in arrays: open interest, flows, funding, depth. Frames are made of it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.simulate.reconstruction import facts
from deleverage.simulate.reconstruction.facts import END, SECOND, START
from deleverage.simulate.reconstruction.orders import DAILY_USD, Market, market
from deleverage.simulate.reconstruction.positions import Positions
from deleverage.simulate.reconstruction.prices import SECONDS, paths

Floats = NDArray[np.float64]
Contract = tuple[str, str]
MINUTES = SECONDS // 60
PASSIVE = 2.5
"""Open interest that nothing here closes, as a multiple of the positions open at the start."""
DEPTH_USD = {"BTC": 14e6, "ETH": 9e6, "SOL": 4e6, "HYPE": 1.5e6, "DOGE": 1.2e6, "XRP": 2e6, "SUI": 0.8e6}
"""Assumed resting size within 1 % of the price on one side of one calm venue; of bitcoin the mean of major venues on 11 November 2025."""
VENUE_DEPTH = {"binance": 1.6, "bybit": 1.0, "okx": 1.1, "htx": 0.4, "hyperliquid": 0.7, "deribit": 0.5}
VOLUME = {"binance": 0.42, "bybit": 0.19, "okx": 0.17, "htx": 0.06, "hyperliquid": 0.12, "deribit": 0.04}
"""Assumed share of a day's volume."""


class Ledger(NamedTuple):
    """Coins held in one contract at the end of every minute (MINUTES + 1 values, the first at START).

    Every position stands against the house, which holds what is left over: longs and shorts are equal at all times.
    """

    long: Floats
    short: Floats
    house: Floats
    passive: float
    long_accounts: Floats

    @property
    def open_interest(self) -> Floats:
        """Coins, one side."""
        found: Floats = self.passive + self.long + np.maximum(self.house, 0.0)
        return found


class Flow(NamedTuple):
    """Coins bought and sold by takers in every minute, forced orders included."""

    buy: Floats
    sell: Floats


class World(NamedTuple):
    """The day, as (venue, coin) → arrays. `stress` is by minute, 0 calm to 1: the share of depth that is withdrawn."""

    seed: int
    scale: float
    market: Market
    ledgers: Mapping[Contract, Ledger]
    flows: Mapping[Contract, Flow]
    funding: Mapping[Contract, list[tuple[int, float]]]
    stress: Mapping[str, Floats]

    @property
    def contracts(self) -> list[Contract]:
        """Every (venue, coin), in order."""
        return list(self.market.lasts)

    def price(self, contract: Contract, ts: int) -> float:
        """Last price at an instant, ns UTC."""
        return float(self.market.lasts[contract][(ts - START) // SECOND])

    def mark(self, contract: Contract, ts: int) -> float:
        """Mark price at an instant, ns UTC."""
        return float(self.market.marks[contract][(ts - START) // SECOND])

    def index_price(self, coin: str, ts: int) -> float:
        """Index at an instant: the middle of the two venues whose candles were recorded."""
        lasts, second = self.market.lasts, (ts - START) // SECOND
        return float(np.sqrt(lasts["binance", coin][second] * lasts["bybit", coin][second]))


def make(seed: int = 20251121, scale: float = 1.0) -> World:
    """Make the day. The same seed and scale give the same world."""
    rng = np.random.default_rng(seed)
    drawn = paths(rng)
    made = market(drawn, scale, rng)
    ledgers = {key: ledger(held) for key, held in made.positions.items()}
    flows = {key: _flow(key, made, rng) for key in made.lasts}
    stress = {coin: _stress(drawn[coin]["binance"]) for coin in facts.COINS}
    return World(seed, scale, made, ledgers, flows, {key: _funding(*key) for key in made.lasts}, stress)


def ledger(held: Positions) -> Ledger:
    """Add up who holds what by minute, from when positions were entered, left and forced."""
    out = np.where(held.forced >= 0, held.forced, held.left)
    sides = []
    for side in (held.is_long, ~held.is_long):
        steps = np.zeros(MINUTES + 2)
        accounts = np.zeros(MINUTES + 2)
        enter = np.clip(-(-held.entered[side] // 60), 0, MINUTES + 1)
        leave = np.clip(-(-out[side] // 60), 0, MINUTES + 1)
        np.add.at(steps, enter, held.size[side])
        np.add.at(steps, leave, -held.size[side])
        np.add.at(accounts, enter, 1.0)
        np.add.at(accounts, leave, -1.0)
        sides.append((np.cumsum(steps)[:-1], np.cumsum(accounts)[:-1]))
    (long, long_accounts), (short, short_accounts) = sides
    return Ledger(long, short, short - long, PASSIVE * float(max(long[0], short[0])), long_accounts / (long_accounts + short_accounts))


def _flow(key: Contract, made: Market, rng: np.random.Generator) -> Flow:
    """What takers bought and sold: positions entered, left and forced, and everybody else in proportion to how much prices moved."""
    held, path = made.positions[key], made.lasts[key]
    buy, sell = np.zeros(MINUTES), np.zeros(MINUTES)
    for into, instants, side in (
        (buy, held.entered, held.is_long), (sell, held.entered, ~held.is_long),
        (sell, held.left, held.is_long & (held.forced < 0)), (buy, held.left, ~held.is_long & (held.forced < 0)),
    ):  # fmt: skip
        inside = side & (instants >= 0) & (instants < SECONDS)
        np.add.at(into, instants[inside] // 60, held.size[inside])
    own = made.orders.filter((pl.col("venue") == key[0]) & (pl.col("coin") == key[1]))
    minute = np.minimum((own["ts"].to_numpy() - START) // (60 * SECOND), MINUTES - 1)
    is_long = own["is_long"].to_numpy()
    np.add.at(sell, minute[is_long], own["size"].to_numpy()[is_long])
    np.add.at(buy, minute[~is_long], own["size"].to_numpy()[~is_long])
    by_minute = np.abs(np.diff(np.log(path))).reshape(MINUTES, 60).sum(axis=1)
    usual = DAILY_USD[key[1]] * VOLUME[key[0]] / 1440 / path[:-1:60] * by_minute / by_minute.mean()
    moved = np.log(path[60::60] / path[:-60:60])
    lean = 0.5 + np.clip(12 * moved, -0.25, 0.25) + 0.02 * rng.standard_normal(MINUTES)
    return Flow(buy + usual * lean, sell + usual * (1 - lean))


def _stress(path: Floats) -> Floats:
    """Share of depth withdrawn by minute: grows with how far the price moved in the five minutes before."""
    minutes = path[::60]
    moved = np.abs(np.log(minutes[5:] / minutes[:-5]))
    found = np.concatenate([np.zeros(5), 1 - np.exp(-45 * moved)])
    smooth: Floats = np.minimum(np.convolve(found, np.exp(-np.arange(20) / 5) / np.exp(-np.arange(20) / 5).sum())[: len(found)] * 1.3, 0.93)
    return smooth


def _funding(venue: str, coin: str) -> list[tuple[int, float]]:
    """Settled funding in and around the 48 hours: recorded where it was, else the mean of Binance's and Bybit's (8 h)."""
    rows = facts.funding().filter(pl.col("coin") == coin).with_columns(ts=pl.col("timestamp").dt.timestamp("ns") // SECOND * SECOND)
    own = rows.filter(pl.col("venue") == venue)
    if own.is_empty() and not rows.is_empty():
        own = rows.filter(pl.col("venue").is_in(["binance", "bybit"])).group_by("ts").agg(pl.col("funding_rate").mean())
    near = own.filter((pl.col("ts") >= START - 24 * facts.HOUR * 7) & (pl.col("ts") <= END)).sort("ts")
    return [(int(ts), float(rate)) for ts, rate in near.select("ts", "funding_rate").iter_rows()]
