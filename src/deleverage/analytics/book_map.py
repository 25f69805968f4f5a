"""A book drawn over time: what rests at which price, and which large levels stay.

The map holds US dollars per price bin and instant, null beyond what is known. A wall is a level at least five times as large as its
neighbours (mean of ten levels on either side). It is `persistent` when it stood ten minutes without a break in at least four fifths
of the time it was in sight, and trading, where it reached the level, was not dwarfed by cancelling (20 to 1); `flickering` when it
came and went three times or stood less than half of that time; `unresolved` when it has not been watched for long enough to tell.
Presence is looked at on the grid of instants: what comes and goes between two of them is not seen.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics.liquidity import SECOND, Unit
from deleverage.analytics.order_book import Floats, Ints, OrderBook

Grid = NDArray[np.float32]
FINE = 0.5e-4
"""Height of a bin as a share of the first mid price."""
SPAN = 0.04
"""Prices up to this share from the first mid are drawn."""
NEAR = 0.02
"""Walls are looked for up to this share from the mid."""
NEIGHBOURS = 10
LARGE, NOTED, MOST = 5.0, 3.0, 20
"""Times the neighbours' mean for a wall, for its presence to be noted, and levels noted per side and instant."""
LASTING = 600.0
"""Seconds a persistent wall stood."""
FEWEST = 5
"""Instants in sight below which a level is not judged."""


class Wall(msgspec.Struct, frozen=True):
    """A large level. `usd` is its median size while there, `ratio` the largest seen to its neighbours, `share` that of the instants in
    sight since it first stood at which it did, `times` how often it came, `first` and `last` ns UTC. `removed_usd` is what changes took
    away there, `traded_usd` what was traded into it, `cancel_to_trade` the rest to that. None: no changes or trades are at hand."""

    side: Literal["bid", "ask"]
    price: float
    usd: float
    ratio: float
    share: float
    survival_seconds: float
    times: int
    first: int
    last: int
    removed_usd: float | None
    traded_usd: float | None
    cancel_to_trade: float | None
    kind: Literal["persistent", "flickering", "unresolved"]


class Image(NamedTuple):
    """Dollars resting, bids and asks together: `usd` is instants × bins, NaN where not known; `edges` the bins' prices, ascending."""

    edges: Floats
    usd: Floats


class BookMap:
    """Collects the map and the large levels of one contract, instant by instant."""

    def __init__(self, instants: Ints, unit: Unit) -> None:
        self.instants, self.unit = instants, unit
        self.bins = 2 * round(SPAN / FINE)
        self.usd: Grid = np.full((len(instants), self.bins), np.nan, dtype=np.float32)
        self.mids = np.full(len(instants), np.nan)
        self.known = np.full((len(instants), 2), np.nan)
        self.reference = np.nan
        self._large: list[tuple[int, bool, Floats, Floats, Floats]] = []
        self._removed: dict[bool, dict[float, float]] = {True: {}, False: {}}
        self._has_changes = False

    def take(self, k: int, book: OrderBook) -> None:
        """Look at a known book at instant number `k`."""
        bid, ask = book.best
        mid = (bid + ask) / 2
        if self.reference != self.reference:
            self.reference = mid
        low, high = book.edges
        self.mids[k], self.known[k] = mid, (low, high)
        if self.unit.factor != self.unit.factor:
            return
        lowest = self.reference * (1 - SPAN)
        step = self.reference * FINE
        first, last = (int(np.clip(b, 0, self.bins)) for b in (np.ceil((low - lowest) / step), np.floor((high - lowest) / step)))
        self.usd[k, first:last] = 0
        for is_bid in (True, False):
            price, usd = self._side(book, is_bid, mid, max(low, lowest), high)
            place = ((price - lowest) / step).astype(np.int64)
            inside = (place >= first) & (place < last)
            self.usd[k] += np.bincount(place[inside], usd[inside], self.bins).astype(np.float32)
            self._note(k, is_bid, price, usd, mid)

    def _side(self, book: OrderBook, is_bid: bool, mid: float, low: float, high: float) -> tuple[Floats, Floats]:
        held = book.bids if is_bid else book.asks
        first, last = np.searchsorted(book.prices, [low, mid] if is_bid else [mid, high * (1 + 1e-12)])
        there = first + np.flatnonzero(held[first:last])
        price = book.prices[there]
        return price, held[there] * self.unit.factor * (1.0 if self.unit.is_usd else price)

    def _note(self, k: int, is_bid: bool, price: Floats, usd: Floats, mid: float) -> None:
        n = len(usd)
        if n < 3:
            return
        running = np.concatenate([[0.0], np.cumsum(usd)])
        place = np.arange(n)
        after, before = np.minimum(place + NEIGHBOURS + 1, n), np.maximum(place - NEIGHBOURS, 0)
        ratio = usd / np.maximum((running[after] - running[before] - usd) / (after - before - 1), 1e-9)
        large = np.flatnonzero((ratio >= NOTED) & (np.abs(price / mid - 1) <= NEAR))
        if len(large) > MOST:
            large = large[np.argsort(usd[large])[-MOST:]]
        self._large.append((k, is_bid, price[large], usd[large], ratio[large]))

    def count_removed(self, book: OrderBook) -> None:
        """Add what the loaded rows took away; call it once per loading, after the last row."""
        for is_bid, removed in ((True, book.removed[0]), (False, book.removed[1])):
            sums = self._removed[is_bid]
            for i in np.flatnonzero(removed):
                price = float(book.prices[i])
                usd = float(removed[i]) * self.unit.factor * (1.0 if self.unit.is_usd else price)
                sums[price] = sums.get(price, 0.0) + usd
                self._has_changes = True

    def image(self, most: int = 120) -> Image | None:
        """Return the map in at most `most` bins over the prices known at some instant; None when there is nothing.

        A bin is known when all of its parts are.
        """
        seen = np.flatnonzero(~np.isnan(self.usd).all(axis=0))
        if not len(seen):
            return None
        lowest, highest = np.nanmin(self.mids) * (1 - NEAR), np.nanmax(self.mids) * (1 + NEAR)
        base, step = self.reference * (1 - SPAN), self.reference * FINE
        first, last = max(int(seen[0]), int((lowest - base) / step)), min(int(seen[-1]) + 1, int(np.ceil((highest - base) / step)))
        wide = -(-(last - first) // most)
        count = -(-(last - first) // wide)
        padded: Floats = np.full((len(self.usd), count * wide), np.nan)
        padded[:, : min(last, first + count * wide) - first] = self.usd[:, first:last]
        edges: Floats = base + step * (first + wide * np.arange(count + 1, dtype=np.float64))
        return Image(edges, padded.reshape(len(padded), count, wide).sum(axis=2))

    def walls(self, traded: Mapping[tuple[str, float], float] | None = None, most: int = 40) -> list[Wall]:
        """Return the walls, largest first. `traded` by (side that was hit, price) in USD (None: no trades are at hand)."""
        if not self._large:
            return []
        noted = pl.concat(
            [pl.DataFrame({"k": [k] * len(p), "bid": [b] * len(p), "price": p, "usd": u, "ratio": r},
                          schema={"k": pl.Int64, "bid": pl.Boolean, "price": pl.Float64, "usd": pl.Float64, "ratio": pl.Float64})
             for k, b, p, u, r in self._large]
        )  # fmt: skip
        largest = (
            noted.group_by("bid", "price")
            .agg(pl.col("k"), pl.col("usd"), pl.col("usd").median().alias("middle"), pl.col("ratio").max())
            .filter(pl.col("ratio") >= LARGE)
            .sort(pl.col("middle") * pl.col("k").list.len(), "price", descending=[True, False])
            .head(most)
        )
        found = [self._wall(bool(b), p, np.array(k), np.array(u), m, r, traded) for b, p, k, u, m, r in largest.iter_rows()]
        return sorted(found, key=lambda wall: -wall.usd)

    def _wall(
        self,
        is_bid: bool,
        price: float,
        k: Ints,
        usd: Floats,
        middle: float,
        ratio: float,
        traded: Mapping[tuple[str, float], float] | None,
    ) -> Wall:
        with np.errstate(invalid="ignore"):
            beside = self.mids > price if is_bid else self.mids < price
            near = (np.abs(price / self.mids - 1) <= NEAR) & (price >= self.known[:, 0]) & (price <= self.known[:, 1])
        sight = np.flatnonzero(beside & near)
        there = np.zeros(len(self.instants), dtype=bool)
        there[k[usd >= middle / 2]] = True
        sight = sight[sight >= np.flatnonzero(there)[0]]
        seen = there[sight]
        starts = np.flatnonzero(seen & ~np.concatenate([[False], seen[:-1]]))
        ends = np.flatnonzero(seen & ~np.concatenate([seen[1:], [False]]))
        lasted = (self.instants[sight[ends]] - self.instants[sight[starts]]) / SECOND
        share, survival, times = float(seen.mean()), float(lasted.max()), len(starts)
        side: Literal["bid", "ask"] = "bid" if is_bid else "ask"
        removed = self._removed[is_bid].get(price, 0.0) if self._has_changes else None
        hit = None if traded is None else traded.get((side, price), 0.0)
        cancel = max(removed - hit, 0.0) / hit if removed is not None and hit else None
        kind: Literal["persistent", "flickering", "unresolved"] = "unresolved"
        if len(sight) >= FEWEST:
            if times >= 3 or share < 0.5:
                kind = "flickering"
            elif survival >= LASTING and share >= 0.8 and (cancel is None or cancel <= 20):
                kind = "persistent"
        present = self.instants[np.flatnonzero(there)]
        return Wall(
            side, price, middle, ratio, share, survival, times, int(present[0]), int(present[-1]), removed, hit, cancel, kind
        )  # fmt: skip
