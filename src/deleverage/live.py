"""What the screen shows, kept in memory: exact rolling liquidation totals, the tape, last prices.

The totals equal the store's answer over the same window at any instant: a window is [now − W, now) on the venue's clock,
an event seen twice counts once, money is summed in whole millionths of a dollar. An event costs amortised constant time
as long as it arrives nearly in the order of its own clock; a late one costs the shifting of what came after it.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from deleverage.analytics.liquidations import IN_MARKET, Group, Sum, micros
from deleverage.events import BookDepth, Event, Liquidation, MarkPrice, Trade

HOUR = 3_600_000_000_000
WINDOWS = {"1h": HOUR, "4h": 4 * HOUR, "12h": 12 * HOUR, "24h": 24 * HOUR}
"""Windows kept at all times, in ns."""
LONGEST = max(WINDOWS.values())
TAPE = 2_000
"""Liquidations the tape remembers."""
COMPACT = 65_536
"""Expired rows kept before the arrays are cut."""
NEVER = 2**63 - 1


class LastPrice(msgspec.Struct):
    """The last price seen of one contract, with its kind (`mark`, `trade`, or a liquidation's price kind) and instants."""

    base: str
    price: float
    price_kind: str
    ts_event: int
    ts_recv: int


class Live:
    """Rolling state of one session. Not thread-safe: whoever feeds and whoever reads hold one lock."""

    def __init__(self, now: int = 0) -> None:
        """Start empty with the clock at `now`, ns UTC."""
        self.now = now
        self.tape: deque[Liquidation] = deque(maxlen=TAPE)
        self.prices: dict[tuple[str, str], LastPrice] = {}
        self.events = 0
        self._groups: list[Group] = []
        self._group_index: dict[Group, int] = {}
        self._ts, self._micros, self._group, self._identity = array("q"), array("q"), array("q"), array("q")
        self._seen: set[int] = set()
        self._high = 0  # first row with ts_event >= now
        self._low = dict.fromkeys(WINDOWS, 0)  # per window: first row inside
        self._sums: dict[str, list[list[int]]] = {window: [] for window in WINDOWS}
        self._due = NEVER  # the first instant at which a row enters or leaves a window

    def add(self, events: Iterable[Event]) -> None:
        """Take events known at the clock's present position."""
        for event in events:
            self.events += 1
            if isinstance(event, BookDepth):
                continue  # most events are, and nothing here is made of books
            if isinstance(event, Trade):
                self._price(event, event.price, "trade")
            elif isinstance(event, Liquidation):
                self._add_liquidation(event)
            elif isinstance(event, MarkPrice) and event.mark_price is not None:
                self._price(event, event.mark_price, "mark")

    def advance(self, now: int) -> None:
        """Move the clock forward to `now` (ns UTC); it never goes back."""
        if now <= self.now:
            return
        self.now = now
        if now < self._due:
            return
        stop = bisect_left(self._ts, now, self._high)
        for row in range(self._high, stop):
            for window in WINDOWS:
                self._count(window, row, 1)
        self._high = stop
        for window, width in WINDOWS.items():
            row, edge = self._low[window], now - width
            while row < self._high and self._ts[row] < edge:
                self._count(window, row, -1)
                row += 1
            self._low[window] = row
        self._compact()
        self._due = self._next_change()

    def sums(self, window: str) -> dict[Group, Sum]:
        """Return the exact sums of one of `WINDOWS` ending now, by (venue, base, side, method)."""
        return {group: Sum(*cell) for group, cell in sorted(zip(self._groups, self._sums[window], strict=True)) if cell[1] > 0}

    def grid(self, start: int, end: int, bucket: int) -> Iterator[tuple[str, int, str, int]]:
        """Yield (venue, slot, side, micros) of market liquidations in [start, end) up to now; see `Store.liquidation_grid`."""
        cells: dict[tuple[str, int, str], int] = {}
        first = start // bucket
        for row in range(bisect_left(self._ts, start), min(self._high, bisect_left(self._ts, end))):
            venue, _, side, method = self._groups[self._group[row]]
            if method in IN_MARKET:
                cell = (venue, self._ts[row] // bucket - first, side)
                cells[cell] = cells.get(cell, 0) + max(self._micros[row], 0)
        return ((venue, slot, side, amount) for (venue, slot, side), amount in sorted(cells.items()))

    def _add_liquidation(self, liquidation: Liquidation) -> None:
        ts = liquidation.ts_event
        if ts < self.now - LONGEST:
            return
        identity = hash(
            (liquidation.venue, liquidation.venue_symbol, ts, liquidation.native_id, liquidation.position_side, liquidation.price,
             liquidation.contracts, liquidation.quantity, liquidation.method, liquidation.ordinal)
        )  # fmt: skip
        if identity in self._seen:
            return
        self._seen.add(identity)
        if liquidation.price is not None:
            self._price(liquidation, liquidation.price, liquidation.price_kind)
        self.tape.append(liquidation)
        group = (liquidation.venue, liquidation.base, liquidation.position_side, liquidation.method)
        index = self._group_index.get(group)
        if index is None:
            index = self._group_index[group] = len(self._groups)
            self._groups.append(group)
            for cells in self._sums.values():
                cells.append([0, 0, 0])
        priced = micros(liquidation.notional_usd)
        amount = -1 if priced is None else priced
        self._due = 0
        row = bisect_right(self._ts, ts)
        for column, value in ((self._ts, ts), (self._micros, amount), (self._group, index), (self._identity, identity)):
            column.insert(row, value)
        if ts >= self.now:
            return
        self._high += 1
        for window, width in WINDOWS.items():
            if ts >= self.now - width:
                self._count(window, row, 1)
            else:
                self._low[window] += 1

    def _count(self, window: str, row: int, sign: int) -> None:
        cell = self._sums[window][self._group[row]]
        amount = self._micros[row]
        if amount < 0:
            cell[2] += sign
        else:
            cell[0] += sign * amount
        cell[1] += sign

    def _price(self, event: Trade | MarkPrice | Liquidation, price: float, kind: str) -> None:
        key = (event.venue, event.symbol)
        last = self.prices.get(key)
        if last is None:
            self.prices[key] = LastPrice(event.base, price, kind, event.ts_event, event.ts_recv)
        elif event.ts_event >= last.ts_event:
            last.price, last.price_kind, last.ts_event, last.ts_recv = price, kind, event.ts_event, event.ts_recv

    def _next_change(self) -> int:
        """Return the first instant at which a row enters a window (it is then in the past) or leaves one."""
        changes = [self._ts[self._high] + 1] if self._high < len(self._ts) else []
        changes += [self._ts[low] + WINDOWS[window] + 1 for window, low in self._low.items() if low < self._high]
        return min(changes, default=NEVER)

    def _compact(self) -> None:
        """Cut the rows that have left the longest window, once they are many."""
        expired = min(self._low.values())
        if expired < COMPACT or expired * 2 < len(self._ts):
            return
        self._seen.difference_update(self._identity[:expired])
        for column in (self._ts, self._micros, self._group, self._identity):
            del column[:expired]
        self._high -= expired
        for window in self._low:
            self._low[window] -= expired
