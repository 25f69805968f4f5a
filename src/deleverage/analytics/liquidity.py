"""What rests in the books: depth, spread, the cost of a trade, how much was withdrawn, and what a wave took.

Distances are from the mid price. Where the visible book ends before a distance, the depth there is not known: null, with what is
visible as `at_least`. So is the cost of a trade that the visible book cannot fill. Dollars are price times quantity; for contracts
sized in dollars the size itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from deleverage.analytics.order_book import Floats, Ints, OrderBook, Rows, rows_of

SECOND = 1_000_000_000
DISTANCES = (0.001, 0.005, 0.01, 0.02)
"""Shares of the mid price."""
SIZES = (100_000.0, 1_000_000.0, 10_000_000.0)
"""Sizes of trades, USD."""
STALE = 60 * SECOND
"""Age (ns) of a contract's last row from which its book is no longer known."""
HALF = 0.5

DEPTHS = tuple(f"{side}_usd_{d * 1e4:g}bps" for side in ("bid", "ask") for d in DISTANCES)
FLOORS = tuple(f"{side}_at_least_usd_{d * 1e4:g}bps" for side in ("bid", "ask") for d in DISTANCES)
COSTS = tuple(f"{side}_bps_{s / 1000:g}k" for side in ("buy", "sell") for s in SIZES)
COLUMNS = ("mid", "spread_bps", "bid_reach", "ask_reach", *DEPTHS, *FLOORS, *COSTS)


class Unit(NamedTuple):
    """How a size becomes dollars: size × `factor`, × price unless `is_usd`. A NaN factor: the contract's size is not known."""

    factor: float
    is_usd: bool


def unit_of(size_unit: str, contract_size: float | None = None, contract_type: str | None = None) -> Unit:
    """Return the unit of a book's sizes (base, contracts, usd); `contract_size` is base coins (linear) or dollars (inverse).

    >>> unit_of("contracts", 100.0, "inverse")
    Unit(factor=100.0, is_usd=True)
    """
    if size_unit == "contracts":
        return Unit(np.nan if contract_size is None else contract_size, contract_type == "inverse")
    return Unit(1.0, size_unit == "usd")


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


@_jit
def _walk(prices, held, best, step, edge, mid, factor, is_usd, distances, sizes, depths, floors, costs):  # type: ignore[no-untyped-def]  # numba reads the types
    """One side outward from its best price to its known edge."""
    total, base, d, s, i = 0.0, 0.0, 0, 0, best
    while 0 <= i < len(prices):
        price = prices[i]
        if (price - edge) * step > 0:
            break
        if held[i] > 0:
            away = abs(price - mid) / mid
            while d < len(distances) and away > distances[d]:
                floors[d] = total
                d += 1
            usd = held[i] * factor * (1.0 if is_usd else price)
            while s < len(sizes) and total + usd >= sizes[s]:
                coins = base + (sizes[s] - total) / price
                costs[s] = (sizes[s] / coins - mid) * step / mid * 1e4
                s += 1
            total, base = total + usd, base + usd / price
            if d == len(distances) and s == len(sizes):
                break
        i += step
    floors[d:] = total
    reach = (edge - mid) * step / mid
    for k in range(len(distances)):
        if reach >= distances[k]:
            depths[k] = floors[k]
    return reach


def measure(book: OrderBook, unit: Unit, out: Floats) -> None:
    """Write COLUMNS of the book as it stands into `out`; NaN where the book does not tell."""
    out[:] = np.nan
    if not book.is_known:
        return
    (bid, ask), (low, high), (b, a) = book.best, book.edges, book.best_places
    mid = (bid + ask) / 2
    out[0], out[1] = mid, (ask - bid) / mid * 1e4
    n, m = len(DISTANCES), len(SIZES)
    depths, floors, costs = out[4 : 4 + 2 * n], out[4 + 2 * n : 4 + 4 * n], out[4 + 4 * n :]
    grids = np.array(DISTANCES), np.array(SIZES)
    out[2] = _walk(book.prices, book.bids, b, -1, low, mid, *unit, *grids, depths[:n], floors[:n], costs[m:])
    out[3] = _walk(book.prices, book.asks, a, 1, high, mid, *unit, *grids, depths[n:], floors[n:], costs[:m])
    if unit.factor != unit.factor:
        out[4:] = np.nan


def grid(start: int, end: int, bucket: int) -> Ints:
    """Return the ends of the UTC-aligned buckets of `bucket` ns that end in (start, end], and `end`; ns UTC."""
    ends = np.arange((start // bucket + 1) * bucket, end + 1, bucket, dtype=np.int64)
    return ends if len(ends) and ends[-1] == end else np.append(ends, end)


def observe(book: OrderBook, rows: Rows, instants: Ints, unit: Unit, also: Any = None) -> NDArray[np.float64]:
    """Advance through `rows` and return COLUMNS at each instant: the book after all rows with ts_event before it.

    A book without a row for `STALE` is not known. `also` is called with the number of each instant at which the book is known.
    """
    book.load(rows)
    out = np.empty((len(instants), len(COLUMNS)))
    for k, last in enumerate(np.searchsorted(rows.clock, instants, side="left").tolist()):
        book.advance(last)
        if instants[k] - book.last_clock > STALE:
            out[k] = np.nan
            continue
        measure(book, unit, out[k])
        if also is not None and out[k, 0] == out[k, 0]:
            also(k)
    book.advance()
    return out


def series_of(instants: Ints, values: NDArray[np.float64]) -> pl.DataFrame:
    """Return `ts` (ns UTC) and COLUMNS, null where not known."""
    columns = {name: pl.Series(values[:, k]).fill_nan(None) for k, name in enumerate(COLUMNS)}
    return pl.DataFrame({"ts": pl.Series(instants, dtype=pl.Int64), **columns})


def liquidity(
    rows: pl.DataFrame, start: int, end: int, bucket: int, contracts: Mapping[tuple[str, str], tuple[float, str]] | None = None
) -> pl.DataFrame:
    """Return every contract's book on a grid: venue, symbol, ts and COLUMNS, sorted so.

    `rows` are of table book_depth in the order of receipt, reaching back to a snapshot before `start` (see `Store.book_rows`);
    `contracts` by (venue, venue_symbol): contract size and type, needed where sizes are contracts. Cost: 1 s for 40 M levels.
    """
    instants, found = grid(start, end, bucket), []
    for (venue, symbol, name, size_unit), part in rows.group_by(["venue", "symbol", "venue_symbol", "size_unit"], maintain_order=True):
        unit = unit_of(str(size_unit), *(contracts or {}).get((str(venue), str(name)), (None, None)))
        values = observe(OrderBook(str(venue)), rows_of(part), instants, unit)
        found.append(series_of(instants, values).select(pl.lit(venue).alias("venue"), pl.lit(symbol).alias("symbol"), pl.all()))
    if not found:
        empty = {"venue": pl.String, "symbol": pl.String, "ts": pl.Int64, **dict.fromkeys(COLUMNS, pl.Float64)}
        return pl.DataFrame(schema=empty)
    return pl.concat(found).sort("venue", "symbol", "ts")


def widest(series: pl.DataFrame, side: str) -> str | None:
    """Return the column of the widest distance whose depth is known for at least nine tenths of the time the book is; None without."""
    known = series["mid"].count()
    for d in reversed(DISTANCES):
        name = f"{side}_usd_{d * 1e4:g}bps"
        if known and series[name].count() >= 0.9 * known:
            return name
    return None


class Withdrawal(msgspec.Struct, frozen=True):
    """Depth of one side at one distance: now, the median of the window before, and their ratio less 1 (negative: withdrawn)."""

    side: str
    distance: float
    now_usd: float
    median_usd: float
    change: float


def withdrawal(series: pl.DataFrame, at: int | None = None) -> list[Withdrawal]:
    """Return per side and distance how the last depth before `at` (None: the end) stands to the median of those before it.

    At least ten known readings before are needed.
    """
    inside = series if at is None else series.filter(pl.col("ts") <= at)
    found = []
    for side in ("bid", "ask"):
        for d in DISTANCES:
            values = inside[f"{side}_usd_{d * 1e4:g}bps"]
            if len(values) == 0 or values[-1] is None or values[:-1].count() < 10:
                continue
            median = float(np.median(values[:-1].drop_nulls().to_numpy()))
            if median > 0:
                found.append(Withdrawal(side, d, values[-1], median, values[-1] / median - 1))
    return found


class Consumption(msgspec.Struct, frozen=True):
    """What a wave took of one contract's book, on the side that was hit, within `distance` of the mid price.

    `before_usd` is the median of the minute before, `least_usd` the least from the wave's start to its end. `refill_seconds`: from the
    least until half of what was gone is back. `half_depth_seconds`: from the least until half of the depth before is there, 0 when it
    never was below. None: not seen.
    """

    venue: str
    symbol: str
    side: str
    distance: float
    before_usd: float
    least_usd: float
    consumed_usd: float
    refill_seconds: float | None
    half_depth_seconds: float | None


def consumption(series: pl.DataFrame, low: int, high: int, *, sells: bool) -> list[Consumption]:
    """Return by contract what the wave [low, high) (ns UTC; `sells`: longs were closed, bids hit) took, and how fast it came back."""
    found = []
    side = "bid" if sells else "ask"
    for (venue, symbol), part in series.group_by(["venue", "symbol"], maintain_order=True):
        near = part.filter(pl.col("ts").is_between(low - 60 * SECOND, high))
        column = widest(near, side)
        if column is None:
            continue
        ts, usd = part["ts"].to_numpy(), part[column].to_numpy()
        before = usd[(ts > low - 60 * SECOND) & (ts <= low)]
        during = np.flatnonzero((ts > low) & (ts <= high) & ~np.isnan(usd))
        if not (~np.isnan(before)).any() or not len(during):
            continue
        was = float(np.nanmedian(before))
        bottom = int(during[np.argmin(usd[during])])
        least = float(usd[bottom])
        half_back = 0.0 if least >= was else _until(ts, usd, bottom, least + HALF * (was - least))
        half_there = 0.0 if least >= HALF * was else _until(ts, usd, bottom, HALF * was)
        distance = next(d for d in DISTANCES if column == f"{side}_usd_{d * 1e4:g}bps")
        found.append(Consumption(str(venue), str(symbol), side, distance, was, least, max(was - least, 0.0), half_back, half_there))
    return found


def _until(ts: Ints, usd: Floats, first: int, level: float) -> float | None:
    reached = np.flatnonzero(usd[first:] >= level)  # NaN is not
    return float((ts[first + int(reached[0])] - ts[first]) / SECOND) if len(reached) else None


def totals(series: pl.DataFrame, names: Sequence[str] = DEPTHS) -> pl.DataFrame:
    """Add depths over contracts per `ts`; a sum in which a contract with a known mid lacks its depth is null. `contracts`: how many."""
    known = series.filter(pl.col("mid").is_not_null())
    sums = [pl.when(pl.col(n).null_count() == 0).then(pl.col(n).sum()).alias(n) for n in names]
    return known.group_by("ts").agg(pl.len().alias("contracts"), *sums).sort("ts")
