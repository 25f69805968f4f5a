"""An order book rebuilt from what a venue sends: snapshots, numbered changes, best quotes.

A snapshot replaces the book; a change sets levels, 0 deletes. A change fits when its previous number is the last one (Binance `pu`,
OKX `prevSeqId`, Deribit `prev_change_id`, Bybit `u` - 1, HTX `version` - 1), or when it begins before the last and goes beyond it; a
repeat is passed over; a number left out empties the book until the next snapshot. Bybit's `u` = 1 comes as a snapshot.

What is known ends somewhere. Bybit, OKX, HTX and Hyperliquid send the best levels only and move that window themselves: the worst level
held is the edge. Binance sends changes of the whole book and, on asking, its best thousand levels, numbered so that they join the chain:
the edge is the worst price of that answer. Beyond it only levels that changed are held. Answers without changes replace each other. A
price that lay inside the spread since the chain began is known as well (nothing rested there then, and every change since has come): best
quotes, which Binance numbers alike, widen the edges, and a chain without any snapshot is known between its lowest bid and its highest
ask.
"""

from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SNAPSHOT, DELTA, TOP = 0, 1, 2
ABSENT = -(2**63)
"""A number the venue does not give."""
WHOLE_CHANGES = frozenset({"binance"})
"""Venues whose changes tell of the whole book while their snapshots do not."""
LAST, BEGAN, CHAINED, BEST_BID, BEST_ASK, HOLES, LOWEST, HIGHEST, QUOTED, WAITING = range(10)


class Rows(NamedTuple):
    """Rows of table book_depth of one contract in the order of receipt. `clock` is ts_event (ns UTC) made to never go back; levels of
    row i are [starts[i], starts[i + 1]) of the flat arrays, sizes in the venue's unit."""

    clock: Ints
    update: NDArray[np.int8]
    sequence: Ints
    previous: Ints
    bid_starts: Ints
    bid_prices: Floats
    bid_sizes: Floats
    ask_starts: Ints
    ask_prices: Floats
    ask_sizes: Floats


def rows_of(frame: pl.DataFrame) -> Rows:
    """Flatten rows of book_depth of one contract (ts_event, update, bids, asks, sequence, previous_sequence), in the order of receipt."""
    kinds = frame["update"].replace_strict({"snapshot": SNAPSHOT, "delta": DELTA, "top": TOP}, return_dtype=pl.Int8)
    clock = np.maximum.accumulate(frame["ts_event"].to_numpy())
    numbers = [frame[name].fill_null(ABSENT).to_numpy() for name in ("sequence", "previous_sequence")]
    return Rows(clock, kinds.to_numpy(), numbers[0], numbers[1], *_flat(frame["bids"]), *_flat(frame["asks"]))


def _flat(levels: pl.Series) -> tuple[Ints, Floats, Floats]:
    counts = levels.list.len().to_numpy()
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    flat = levels.filter(levels.list.len() > 0).explode()
    return starts, flat.struct.field("price").to_numpy().astype(float), flat.struct.field("size").to_numpy().astype(float)


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


@_jit
def _set(ids, sizes, first, last, held):  # type: ignore[no-untyped-def]  # numba reads the types
    for j in range(first, last):
        held[ids[j]] = sizes[j]


@_jit
def _change(ids, sizes, first, last, held, removed):  # type: ignore[no-untyped-def]  # numba reads the types
    for j in range(first, last):
        i, size = ids[j], sizes[j]
        if size < held[i]:
            removed[i] += held[i] - size
        held[i] = size


@_jit
def _find_best(bids, asks, state, bid, ask):  # type: ignore[no-untyped-def]  # numba reads the types
    """Note the best prices, looking inward from places at or beyond them."""
    while bid >= 0 and bids[bid] <= 0:
        bid -= 1
    while ask < len(asks) and asks[ask] <= 0:
        ask += 1
    state[BEST_BID], state[BEST_ASK] = bid, ask


@_jit
def _widen(r, rows, bid_ids, ask_ids, prices, bids, asks, state, edges):  # type: ignore[no-untyped-def]  # numba reads the types
    """Take from snapshot `r` what lies beyond the edges."""
    low, high = edges[0], edges[1]
    for j in range(rows.bid_starts[r], rows.bid_starts[r + 1]):
        price = prices[bid_ids[j]]
        if price < low:
            bids[bid_ids[j]] = rows.bid_sizes[j]
            edges[0] = min(edges[0], price)
    for j in range(rows.ask_starts[r], rows.ask_starts[r + 1]):
        price = prices[ask_ids[j]]
        if price > high:
            asks[ask_ids[j]] = rows.ask_sizes[j]
            edges[1] = max(edges[1], price)
    _find_best(bids, asks, state, len(bids) - 1, 0)


@_jit
def _join_behind(r, rows, bid_ids, ask_ids, prices, bids, asks, state, edges):  # type: ignore[no-untyped-def]  # numba reads the types
    """Join snapshot `r`, older than the changes applied: what has changed since goes on top of it again."""
    number = rows.sequence[r]
    back, joins = r, number == state[LAST]
    for j in range(r - 1, -1, -1):
        if rows.update[j] != DELTA or rows.sequence[j] > state[LAST]:
            continue
        if rows.sequence[j] <= number:
            break
        back = j
        if rows.previous[j] <= number:
            joins = True
            break
    if not joins or number < state[BEGAN]:
        return
    _widen(r, rows, bid_ids, ask_ids, prices, bids, asks, state, edges)
    for j in range(back, r):
        if rows.update[j] == DELTA:
            _set(bid_ids, rows.bid_sizes, rows.bid_starts[j], rows.bid_starts[j + 1], bids)
            _set(ask_ids, rows.ask_sizes, rows.ask_starts[j], rows.ask_starts[j + 1], asks)
    _find_best(bids, asks, state, len(bids) - 1, 0)


@_jit
def _note_quote(r, rows, bid_ids, ask_ids, state, edges):  # type: ignore[no-untyped-def]  # numba reads the types
    """Keep the lowest bid and the highest ask quoted since the last change."""
    b, a = rows.bid_starts[r], rows.ask_starts[r]
    if rows.bid_starts[r + 1] == b or rows.ask_starts[r + 1] == a:
        return
    if state[LOWEST] < 0 or bid_ids[b] <= state[LOWEST]:
        state[LOWEST], edges[2] = bid_ids[b], rows.bid_sizes[b]
    if state[HIGHEST] < 0 or ask_ids[a] >= state[HIGHEST]:
        state[HIGHEST], edges[3] = ask_ids[a], rows.ask_sizes[a]
    state[QUOTED] = rows.sequence[r]


@_jit
def _use_quotes(prices, bids, asks, state, edges):  # type: ignore[no-untyped-def]  # numba reads the types
    """Move the edges out to the quotes kept: inside of them every level is known."""
    i = state[LOWEST]
    if prices[i] < edges[0]:
        bids[i], edges[0] = edges[2], prices[i]
    j = state[HIGHEST]
    if prices[j] > edges[1]:
        asks[j], edges[1] = edges[3], prices[j]
    _find_best(bids, asks, state, max(state[BEST_BID], i), min(state[BEST_ASK], j))
    state[LOWEST], state[HIGHEST] = -1, -1


@_jit
def _forget(bids, asks, state, edges):  # type: ignore[no-untyped-def]  # numba reads the types
    bids[:] = 0.0
    asks[:] = 0.0
    state[CHAINED], state[BEST_BID], state[BEST_ASK] = 0, -1, len(asks)
    state[LOWEST], state[HIGHEST], state[WAITING] = -1, -1, -1
    edges[0], edges[1] = np.inf, -np.inf


@_jit
def _apply(first, last, rows, bid_ids, ask_ids, prices, bids, asks, gone_bids, gone_asks, state, edges, whole):  # type: ignore[no-untyped-def]  # fmt: skip  # numba reads the types
    for r in range(first, last):
        number, before = rows.sequence[r], rows.previous[r]
        if rows.update[r] == TOP:
            if whole and state[CHAINED] and number > state[LAST]:
                _note_quote(r, rows, bid_ids, ask_ids, state, edges)
            continue
        if rows.update[r] == SNAPSHOT:
            if whole and state[CHAINED] and number != ABSENT and state[LAST] != ABSENT:
                if number <= state[LAST]:
                    _join_behind(r, rows, bid_ids, ask_ids, prices, bids, asks, state, edges)
                    continue
                # Where no change has come since the answer before, none keeps the book: the newer answer is the book.
                if state[WAITING] < 0 and state[LAST] != state[BEGAN]:
                    state[WAITING] = r  # it joins when the changes have come that far
                    continue
            _forget(bids, asks, state, edges)
            _widen(r, rows, bid_ids, ask_ids, prices, bids, asks, state, edges)
            state[LAST], state[BEGAN], state[CHAINED] = number, number, 1
            continue
        if state[CHAINED] and number != ABSENT and before != ABSENT and state[LAST] != ABSENT:
            if before < state[LAST] and number <= state[LAST]:
                continue
            if before > state[LAST]:
                state[HOLES] += 1
                _forget(bids, asks, state, edges)
        if not state[CHAINED]:
            if not whole or number == ABSENT:
                continue
            _forget(bids, asks, state, edges)
            state[CHAINED], state[BEGAN] = 1, before
        waiting = state[WAITING]
        if waiting >= 0 and number >= rows.sequence[waiting]:
            if before <= rows.sequence[waiting]:
                _widen(waiting, rows, bid_ids, ask_ids, prices, bids, asks, state, edges)
            state[WAITING] = -1
        if state[LOWEST] >= 0 and number >= state[QUOTED]:
            _use_quotes(prices, bids, asks, state, edges)
        b0, b1, a0, a1 = rows.bid_starts[r], rows.bid_starts[r + 1], rows.ask_starts[r], rows.ask_starts[r + 1]
        _change(bid_ids, rows.bid_sizes, b0, b1, bids, gone_bids)
        _change(ask_ids, rows.ask_sizes, a0, a1, asks, gone_asks)
        bid, ask = state[BEST_BID], state[BEST_ASK]
        for j in range(b0, b1):
            bid = max(bid, bid_ids[j])
        for j in range(a0, a1):
            ask = min(ask, ask_ids[j])
        _find_best(bids, asks, state, bid, ask)
        state[LAST] = number


class OrderBook:
    """One contract's book. `load` rows, then `advance` through them; cost 0.1 µs a level. Not thread-safe.

    `prices` are all prices met, ascending; `bids` and `asks` the sizes resting there now, in the venue's unit; `removed` what changes
    took away per price since the rows were loaded, by trade or by cancelling.
    """

    def __init__(self, venue: str) -> None:
        self.venue, self.is_whole = venue, venue in WHOLE_CHANGES
        self.prices = self.bids = self.asks = np.zeros(0)
        self.removed = (self.bids, self.asks)
        self.last_clock = 0
        self._state = np.array([ABSENT, ABSENT, 0, -1, 0, 0, -1, -1, ABSENT, -1], dtype=np.int64)
        self._edges = np.array([np.inf, -np.inf, 0.0, 0.0])
        self._rows: Rows | None = None
        self._ids = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._next = 0

    def load(self, rows: Rows) -> None:
        """Take the next rows, after those loaded before were all advanced through."""
        held = (self.bids != 0) | (self.asks != 0)
        kept = self.prices[held]
        pending = [int(self._state[k]) for k in (LOWEST, HIGHEST)]
        quoted = [self.prices[i] if i >= 0 else np.nan for i in pending]
        prices = np.unique(np.concatenate([kept, rows.bid_prices, rows.ask_prices, [q for q in quoted if q == q]]))
        bids, asks = np.zeros(len(prices)), np.zeros(len(prices))
        at = np.searchsorted(prices, kept)
        bids[at], asks[at] = self.bids[held], self.asks[held]
        self.prices, self.bids, self.asks = prices, bids, asks
        self.removed = (np.zeros(len(prices)), np.zeros(len(prices)))
        for k, price in zip((LOWEST, HIGHEST), quoted, strict=True):
            self._state[k] = np.searchsorted(prices, price) if price == price else -1
        self._state[WAITING] = -1
        _find_best(bids, asks, self._state, len(bids) - 1, 0)
        self._rows, self._next = rows, 0
        self._ids = (np.searchsorted(prices, rows.bid_prices), np.searchsorted(prices, rows.ask_prices))

    def advance(self, until: int | None = None) -> None:
        """Apply the loaded rows up to number `until`, exclusive (None: all)."""
        rows = self._rows
        assert rows is not None
        last = len(rows.clock) if until is None else until
        if last <= self._next:
            return
        arrays = (*self._ids, self.prices, self.bids, self.asks, *self.removed, self._state, self._edges)
        _apply(self._next, last, rows, *arrays, self.is_whole)
        self._next, self.last_clock = last, int(rows.clock[last - 1])

    def copy(self) -> Self:
        """Return a book that goes on from here by itself, without the rows."""
        other = type(self)(self.venue)
        held = (self.bids != 0) | (self.asks != 0)
        held[[int(i) for i in self._state[[LOWEST, HIGHEST]] if i >= 0]] = True
        places = np.cumsum(held) - 1
        other.prices, other.bids, other.asks = self.prices[held], self.bids[held], self.asks[held]
        other._state, other._edges, other.last_clock = self._state.copy(), self._edges.copy(), self.last_clock
        for k in (LOWEST, HIGHEST):
            if self._state[k] >= 0:
                other._state[k] = places[self._state[k]]
        _find_best(other.bids, other.asks, other._state, len(other.bids) - 1, 0)
        return other

    @property
    def is_known(self) -> bool:
        """Whether a best bid and a best ask are known, and do not cross."""
        bid, ask = self.best
        low, high = self.edges
        return bool(self._state[CHAINED]) and bid >= low and ask <= high and bid < ask

    @property
    def best(self) -> tuple[float, float]:
        """Best bid and ask; NaN where the side is empty."""
        bid, ask = int(self._state[BEST_BID]), int(self._state[BEST_ASK])
        return float(self.prices[bid]) if bid >= 0 else np.nan, float(self.prices[ask]) if ask < len(self.prices) else np.nan

    @property
    def best_places(self) -> tuple[int, int]:
        """Places of the best bid and ask in `prices`; -1 and the length where a side is empty."""
        return int(self._state[BEST_BID]), int(self._state[BEST_ASK])

    @property
    def edges(self) -> tuple[float, float]:
        """The lowest and highest price down and up to which everything is known, inclusive; (inf, -inf) when nothing is."""
        if self.is_whole or not self._state[CHAINED]:
            return float(self._edges[0]), float(self._edges[1])
        bids, asks = np.flatnonzero(self.bids), np.flatnonzero(self.asks)
        return float(self.prices[bids[0]]) if len(bids) else np.inf, float(self.prices[asks[-1]]) if len(asks) else -np.inf

    @property
    def number(self) -> int:
        """The venue's number of the last message the book holds; `ABSENT` where it gives none."""
        return int(self._state[LAST])

    @property
    def holes(self) -> int:
        """How often numbers were left out."""
        return int(self._state[HOLES])

    def levels(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return bids and asks as (price, size), best first, as far as everything is known."""
        low, high = self.edges
        bids = [(float(self.prices[i]), float(self.bids[i])) for i in np.flatnonzero(self.bids)[::-1] if self.prices[i] >= low]
        asks = [(float(self.prices[i]), float(self.asks[i])) for i in np.flatnonzero(self.asks) if self.prices[i] <= high]
        return bids, asks
