"""What rests in the books over a window, as one document.

The window is read piece by piece, the session held only while a piece is read. How books stood between pieces is kept for the next
question: a chain of changes begun hours ago need not be followed again.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics import completeness, liquidity, waves
from deleverage.analytics.book_map import BookMap
from deleverage.analytics.liquidity import COLUMNS, DISTANCES, SECOND, SIZES, Unit
from deleverage.analytics.order_book import OrderBook, rows_of
from deleverage.analytics.waves import Scale
from deleverage.api.anatomy import MS, Material, frame
from deleverage.api.anatomy import read as read_material
from deleverage.api.kept import Kept
from deleverage.api.session import Session
from deleverage.store.store import Store
from deleverage.venues import venue_named

PIECE = 600 * SECOND
"""Time (ns) read at once."""
LONGEST = 4 * 3600 * SECOND
"""Longest stretch (ns) whose books are rebuilt: the end of a longer window."""
SETTLED = 60 * SECOND
"""Age (ns) from which nothing of a piece is still on its way."""
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60)
"""Lengths of a bucket, seconds."""
MOST_KEPT = 64
"""Piece ends whose books are kept per store."""

Key = tuple[str, str, str, str]
"""Venue, symbol, the venue's own symbol, unit of sizes."""
Books = dict[Key, OrderBook]
_KEPT: "WeakKeyDictionary[Store, Kept[Books]]" = WeakKeyDictionary()


class Reading:
    """One question's books, followed through its window [start, at) (ns UTC).

    For each of `pieces`: `read` while holding the session, then `take` outside. The map is of the contract with `venue` and `symbol`, or of
    that with the most resting within 0.1 % in the first piece in which any book is known.
    """

    def __init__(
        self, session: Session, start: int, at: int, as_of: int, base: str, venue: str | None, symbol: str | None, buckets: int
    ) -> None:
        if venue is not None:
            venue_named(venue)
        self.asked, self.start, self.at, self.as_of = start, max(start, at - LONGEST), at, as_of
        self.base, self.venue, self.symbol, self.store = base, venue, symbol, session.store
        needed = (self.at - self.start) / SECOND / buckets
        self.bucket = round(next((s for s in STEPS if s >= needed), math.ceil(needed)) * SECOND)
        self.instants = liquidity.grid(self.start, at, self.bucket)
        self.values: dict[Key, NDArray[np.float64]] = {}
        self.books: Books = {}
        self.map: BookMap | None = None
        self.drawn: Key | None = None
        self.traded: Mapping[tuple[str, float], float] | None = None
        self.sizes = _contract_sizes(session.store, base, as_of)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Cut the window at multiples of `PIECE`, beginning with one at or before its start."""
        low = self.start // PIECE * PIECE
        known = _KEPT.setdefault(self.store, Kept(MOST_KEPT)).get((self.base, self.venue, low), self.as_of)
        if known is not None:
            self.books = {key: book.copy() for key, book in known.value.items()}
        while low < self.at:
            high = min(low + PIECE, self.at)
            yield low, high
            low = high

    def read(self, session: Session, low: int, high: int) -> pl.DataFrame:
        """Read the rows of a piece; the caller holds the session."""
        session.flush()
        begin = low <= self.start and not self.books
        return frame(session.store.book_rows(self.base, low, high, self.as_of, self.venue, begin=begin))

    def read_trades(self, session: Session) -> None:
        """Read what was traded at which price of the contract drawn; the caller holds the session."""
        if self.drawn is not None:
            found = session.store.traded_at(self.drawn[0], self.drawn[1], self.start, self.at, self.as_of)
            self.traded = found or None

    def take(self, rows: pl.DataFrame, low: int, high: int) -> None:
        """Follow the books through the rows of the piece [low, high)."""
        parts: dict[Key, pl.DataFrame] = {}
        for (venue, symbol, name, size_unit), part in rows.group_by(["venue", "symbol", "venue_symbol", "size_unit"], maintain_order=True):
            parts[str(venue), str(symbol), str(name), str(size_unit)] = part
        first, last = (int(i) for i in np.searchsorted(self.instants, [low, high], side="right"))
        before = {key: self.books[key].copy() for key in parts if key in self.books and self.drawn is None}
        for key in sorted(set(parts) | set(self.books)):
            book = self.books.setdefault(key, OrderBook(key[0]))
            values = self.values.setdefault(key, np.full((len(self.instants), len(COLUMNS)), np.nan))
            drawn = self.map if key == self.drawn else None
            values[first:last] = self._follow(book, parts.get(key, rows.clear()), first, last, self._unit(key), drawn)
        chosen = None if self.map is not None else self._choose(first, last)
        if chosen is not None and chosen in parts:
            self.drawn, self.map = chosen, BookMap(self.instants, self._unit(chosen))
            self._follow(before.get(chosen, OrderBook(chosen[0])), parts[chosen], first, last, self._unit(chosen), self.map)
        if high % PIECE == 0 and high <= self.as_of - SETTLED:
            books = {key: book.copy() for key, book in self.books.items()}
            _KEPT.setdefault(self.store, Kept(MOST_KEPT)).put((self.base, self.venue, high), self.as_of, books)

    def _follow(self, book: OrderBook, rows: pl.DataFrame, first: int, last: int, unit: Unit, drawn: BookMap | None) -> NDArray[np.float64]:
        also = None if drawn is None else (lambda k: drawn.take(first + k, book))
        values = liquidity.observe(book, rows_of(rows), self.instants[first:last], unit, also)
        if drawn is not None:
            drawn.count_removed(book)
        return values

    def _unit(self, key: Key) -> Unit:
        return liquidity.unit_of(key[3], *self.sizes.get((key[0], key[2]), (None, None)))

    def _choose(self, first: int, last: int) -> Key | None:
        """Return the contract to draw: the one asked for, else the one with the most visible within 0.1 %; None without any."""
        near = [COLUMNS.index(f"{side}_at_least_usd_10bps") for side in ("bid", "ask")]
        known = {}
        for key, values in self.values.items():
            found = values[first:last][~np.isnan(values[first:last, near[0]])]
            if len(found) and self.symbol in (None, key[1]):
                known[key] = float(found[:, near].sum(axis=1).mean())
        return max(known, key=lambda key: known[key]) if known else None

    def document(
        self, material: Material | None = None, scale: Scale = "minutes", asked: tuple[int, int, bool] | None = None
    ) -> dict[str, Any]:
        """Write the answer; with `material` also what the window's waves took, or with `asked` (start, end, longs were closed) what that
        stretch took alone."""
        series = {key: liquidity.series_of(self.instants, values) for key, values in sorted(self.values.items())}
        return {
            "base": self.base, "start_ms": self.start // MS, "at_ms": self.at // MS, "bucket_ms": self.bucket // MS,
            "is_cut": self.start > self.asked, "distances_percent": [d * 100 for d in DISTANCES], "sizes_usd": list(SIZES),
            "ts_ms": (self.instants // MS).tolist(), "venues": [self._venue(key, rows) for key, rows in series.items()],
            "reason": self._reason(), "heatmap": self._heatmap(), "walls": self._walls(),
            "waves": _waves(series, material, scale) if asked is None else _taken(series, [(1, *asked)]),
        }  # fmt: skip

    def _reason(self) -> str:
        """Why there are no books, or no map of the contract asked for."""
        where = f"{self.base}{f' on {self.venue}' if self.venue else ''}"
        if not self.values:
            return f"no order book of {where} was told in this window"
        if self.map is None:
            return f"no book of {self.symbol or where} was known at any instant of the window: no map of it"
        return ""

    def _venue(self, key: Key, rows: pl.DataFrame) -> dict[str, Any]:
        now = {name: rows[name][-1] for name in COLUMNS}
        depth = [
            {"distance_percent": d * 100} | {
                f"{side}_{kind}": now[f"{side}_{kind}_{d * 1e4:g}bps"] for kind in ("usd", "at_least_usd") for side in ("bid", "ask")
            } for d in DISTANCES
        ]  # fmt: skip
        cost = [{"size_usd": s} | {f"{way}_bps": now[f"{way}_bps_{s / 1000:g}k"] for way in ("buy", "sell")} for s in SIZES]
        depths = {
            side: {f"{d * 100:g}": _whole(rows[f"{side}_usd_{d * 1e4:g}bps"]) for d in DISTANCES} for side in ("bid", "ask")
        }  # fmt: skip
        costs = {way: {f"{s:.0f}": _rounded(rows[f"{way}_bps_{s / 1000:g}k"], 4) for s in SIZES} for way in ("buy", "sell")}
        return {
            "venue": key[0], "symbol": key[1], "status": self._status(key, rows), "mid": now["mid"], "spread_bps": now["spread_bps"],
            "reach_percent": {"bid": _percent(now["bid_reach"]), "ask": _percent(now["ask_reach"])}, "depth": depth, "cost": cost,
            "withdrawal": [_withdrawal(w) for w in liquidity.withdrawal(rows)], "holes": self.books[key].holes,
            "known_share": rows["mid"].count() / len(rows),
            "series": {
                "mid": rows["mid"].to_list(), "spread_bps": _rounded(rows["spread_bps"], 4),
                "bid_reach_percent": _rounded(rows["bid_reach"] * 100, 4), "ask_reach_percent": _rounded(rows["ask_reach"] * 100, 4),
                "bid_usd": depths["bid"], "ask_usd": depths["ask"], "buy_bps": costs["buy"], "sell_bps": costs["sell"],
            },
        }  # fmt: skip

    def _status(self, key: Key, rows: pl.DataFrame) -> str:
        if rows["mid"].count() == 0:
            return "no snapshot to begin from, or its updates were left out"
        if self._unit(key).factor != self._unit(key).factor:
            return "the contract's size is not known: no dollars"
        if rows["mid"][-1] is None:
            return "not known at the end of the window"
        reach = min(rows["bid_reach"][-1], rows["ask_reach"][-1])
        return "known" if reach >= max(DISTANCES) else f"visible to {reach:.2%} only: beyond it depth is not known"

    def _heatmap(self) -> dict[str, Any] | None:
        image = None if self.map is None else self.map.image()
        if image is None or self.map is None or self.drawn is None:
            return None
        cells = [[None if x != x else round(x) for x in row] for row in image.usd.tolist()]
        return {
            "venue": self.drawn[0], "symbol": self.drawn[1], "ts_ms": (self.instants // MS).tolist(),
            "price_edges": image.edges.tolist(), "mid": _nulled(self.map.mids), "usd": cells,
        }  # fmt: skip

    def _walls(self) -> list[dict[str, Any]]:
        found = [] if self.map is None else self.map.walls(self.traded)
        rows = [msgspec.structs.asdict(wall) for wall in found]
        return [{"first_ms": row.pop("first") // MS, "last_ms": row.pop("last") // MS, **row} for row in rows]


def _contract_sizes(store: Store, base: str, as_of: int) -> dict[tuple[str, str], tuple[float, str]]:
    """Return the size and type of every contract listed by `as_of`; sizes do not change, so a later listing serves where there is none."""
    listed = frame(store.read("instruments", base=base, collapse=True)).filter(pl.col("contract_size").is_not_null())
    rows = listed.select("venue", "venue_symbol", "contract_size", "contract_type").iter_rows()
    return {(venue, name): (size, kind) for venue, name, size, kind in rows}


def _waves(series: Mapping[Key, pl.DataFrame], material: Material | None, scale: Scale) -> list[dict[str, Any]]:
    if material is None or not series:
        return []
    found = waves.waves(completeness.hidden(material.prints), material.start, material.at, scale, material.around)
    return _taken(series, [(wave.number, wave.start, wave.end, wave.long_usd >= wave.short_usd) for wave in found])


def _taken(series: Mapping[Key, pl.DataFrame], found: Sequence[tuple[int, int, int, bool]]) -> list[dict[str, Any]]:
    """What stretches took of the books: number, start, end (ns UTC), whether bids were hit."""
    if not series:
        return []
    books = pl.concat(
        [rows.select(pl.lit(key[0]).alias("venue"), pl.lit(key[1]).alias("symbol"), pl.all()) for key, rows in series.items()]
    )
    rows = []
    for number, start, end, sells in found:
        taken = liquidity.consumption(books, start, end, sells=sells)
        rows.append({
            "number": number, "start_ms": start // MS, "end_ms": end // MS, "side": "bid" if sells else "ask",
            "contracts": [
                {"distance_percent": row.pop("distance") * 100, **row} for row in (msgspec.structs.asdict(t) for t in taken)
            ],
        })  # fmt: skip
    return rows


def answer(session: Session, start: int, at: int, as_of: int, base: str, venue: str | None = None, buckets: int = 240) -> dict[str, Any]:
    """Read and write it all at once, of a session nobody else uses."""
    reading = Reading(session, start, at, as_of, base, venue, None, buckets)
    for low, high in reading.pieces():
        reading.take(reading.read(session, low, high), low, high)
    reading.read_trades(session)
    return reading.document(read_prints(session, start, at, as_of))


def read_prints(session: Session, start: int, at: int, as_of: int) -> Material:
    """Read the forced orders whose waves are told; the caller holds the session."""
    return read_material(session, max(start, at - LONGEST), at, as_of, whole=False)


def _withdrawal(found: liquidity.Withdrawal) -> dict[str, Any]:
    return {
        "side": found.side, "distance_percent": found.distance * 100, "now_usd": found.now_usd, "median_usd": found.median_usd,
        "change": found.change,
    }  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _whole(values: pl.Series) -> list[int | None]:
    return values.round(0).cast(pl.Int64).to_list()


def _rounded(values: pl.Series, digits: int) -> list[float | None]:
    return values.round(digits).to_list()


def _nulled(values: Sequence[float] | NDArray[np.float64]) -> list[float | None]:
    return [None if x != x else float(x) for x in values]
