"""What the answers about leverage share: the question's scope, readings of the tables, figures.

Material is read while the session is held and worked on outside it, as everywhere.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
import polars as pl

from deleverage.analytics import open_interest
from deleverage.analytics.funding import CONTRACT, HOUR
from deleverage.api.anatomy import MS, frame
from deleverage.api.kept import Kept
from deleverage.api.session import Session
from deleverage.figure import Figure, Status, hash_inputs, spelled
from deleverage.store.store import Store

MINUTE = 60_000_000_000
DAY = 24 * HOUR
PER = ("venue", "symbol")
PIECE = 7 * DAY
"""Time (ns) of the past read at once."""
MOST_KEPT = 400
"""Pieces of the past kept per store."""
STEPS = tuple(n * MINUTE for n in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 7200, 14400))
"""Lengths of a bucket that a reader can name."""
CLOCKS = ("start", "end", "ts_end", "ts", "ts_event", "funding_time", "expiry", "coins_peak_at", "usd_peak_at", "at")
"""Columns of analytics that hold instants, ns UTC; answers tell them in ms."""


Holding = Callable[[], AbstractContextManager[Session]]
"""Holds the session still while something is read of it."""
_KEPT: "WeakKeyDictionary[Store, Kept[pl.DataFrame]]" = WeakKeyDictionary()


class Scope(NamedTuple):
    """One question: a window [start, at) as known at `as_of` (ns UTC), of one coin."""

    start: int
    at: int
    as_of: int
    base: str

    def bucket(self, points: int) -> int:
        """Return the shortest step (ns) with which the window has at most `points`."""
        needed = (self.at - self.start) / points
        return next((step for step in STEPS if step >= needed), -(-int(needed) // DAY) * DAY)

    def head(self) -> dict[str, Any]:
        """Begin an answer."""
        return {"base": self.base, "start_ms": self.start // MS, "at_ms": self.at // MS}


def readings(
    session: Session, scope: Scope, table: str, start: int, *, end: int | None = None, bucket: int | None = None, per: Sequence[str] = PER,
    **where: object,
) -> pl.DataFrame:  # fmt: skip
    """Read the last row of each contract (and bucket, ns) in [start, at], or [start, end); the caller holds the session."""
    last = scope.at + 1 if end is None else end
    return frame(session.store.latest(table, per, start, last, scope.as_of, base=scope.base, where=where or None, bucket=bucket))


def interest(session: Session, scope: Scope, start: int, *, end: int | None = None, bucket: int | None = None) -> pl.DataFrame:
    """Read open interest in [start, at] or [start, end), last row per contract and bucket, as `shaped` rows.

    What a venue tells in one unit only is converted by its mark price, over more than two days by its price nearest before (last trades).
    """
    rows = readings(session, scope, "open_interest", start, end=end, bucket=bucket)
    last = scope.at + 1 if end is None else end
    step = 2 * MINUTE if bucket is None else max(bucket // 4, MINUTE)
    lacking = rows.filter(pl.col("open_interest_base").is_null() ^ pl.col("open_interest_usd").is_null())
    prices = None
    if len(lacking):
        begin = start - open_interest.TOLERANCE
        if last - begin <= 2 * DAY + 2 * open_interest.TOLERANCE:
            marks = [
                readings(session, scope, "mark_prices", begin, end=last, bucket=step, venue=v) for v in lacking["venue"].unique().sort()
            ]
        else:
            marks = [
                _prices(session, scope, lacking.filter(pl.col("venue") == v), begin, last, step) for v in lacking["venue"].unique().sort()
            ]
        prices = pl.concat([found.select([*CONTRACT, "ts_event", "ts_recv", "mark_price"]) for found in marks])
    return open_interest.shaped(rows, last - 1, prices=prices, tolerance=max(open_interest.TOLERANCE, step))


def _prices(session: Session, scope: Scope, rows: pl.DataFrame, start: int, end: int, step: int) -> pl.DataFrame:
    """The venue's price by the step, for each of the contracts."""
    found = session.store.price_series(scope.base, start, end, scope.as_of, step, venue=rows["venue"][0])
    points = pl.DataFrame([] if found is None else found.points, schema={"ts_event": pl.Int64, "mark_price": pl.Float64}, orient="row")
    contracts = rows.select(CONTRACT).unique().sort(CONTRACT)
    return contracts.join(points.with_columns(ts_recv=pl.col("ts_event")), how="cross")


def hourly(hold: Holding, scope: Scope, start: int) -> pl.DataFrame:
    """Read open interest from `start` to the moment, the last per contract and hour, holding the session for one piece at a time.

    Whole pieces are `kept`.
    """
    found = []
    for low in range(start // PIECE * PIECE, scope.at + 1, PIECE):
        high = min(low + PIECE, scope.at + 1)
        with hold() as session:
            pieces = _KEPT.setdefault(session.store, Kept(MOST_KEPT))
            known = pieces.get((scope.base, low), scope.as_of) if high == low + PIECE else None
            rows = interest(session, scope, low, end=high, bucket=HOUR) if known is None else known.value
            if known is None and high == low + PIECE and high <= scope.as_of - MINUTE:
                pieces.put((scope.base, low), scope.as_of, rows)
        found.append(rows)
    return pl.concat(found)


def weights(shaped: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Return the open interest that weighs rates: fresh readings of the coin."""
    return open_interest.weights(open_interest.readings(shaped, scope.at))


def told(
    name: str, value: float | None, unit: str, scope: Scope, *, inputs: Sequence[object], sources: Sequence[str] = (),
    missing: Sequence[str] = (), coverage: float | None = None, interval: tuple[float, float] | None = None, level: float | None = None,
    note: str = "", stale: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Write a figure for an answer. A value that is None is missing; `note` says why."""
    status: Status = "missing" if value is None else "stale" if stale else "measured"
    return spelled(Figure(
        name=name, value=value, unit=unit, at=scope.at, as_of=scope.as_of, status=status, interval=interval, level=level, coverage=coverage,
        sources=tuple(sources), missing=tuple(missing), note=note, inputs_hash=hash_inputs([scope.base, scope.at, *inputs]),
    ))  # fmt: skip


def in_ms(rows: pl.DataFrame) -> pl.DataFrame:
    """Tell instants in ms: `ts_end` becomes `ts_end_ms`, and so on."""
    clocks = [name for name in CLOCKS if name in rows.columns]
    return rows.with_columns((pl.col(name) // MS).alias(f"{name}_ms") for name in clocks).drop(clocks)


def written(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Write rows for an answer: instants in ms, null where not known or not a number."""
    numbers = [name for name, kind in rows.schema.items() if kind == pl.Float64]
    return in_ms(rows).with_columns(pl.when(pl.col(n).is_finite()).then(pl.col(n)).alias(n) for n in numbers).to_dicts()


def struct(found: msgspec.Struct) -> dict[str, Any]:
    """Write what analytics found, instants in ms."""
    row: dict[str, Any] = msgspec.to_builtins(found)
    for name in [n for n in row if n in CLOCKS]:
        value = row.pop(name)
        row[f"{name}_ms"] = None if value is None else value // MS
    return row


def columns(rows: pl.DataFrame, by: Sequence[str] = tuple(CONTRACT)) -> list[dict[str, Any]]:
    """Write rows as one object per contract with a list per column, which is shorter than an object per row."""
    told_rows = in_ms(rows)
    rest = [name for name in told_rows.columns if name not in by]
    found = []
    for keys, part in told_rows.group_by(by, maintain_order=True):
        found.append(dict(zip(by, keys, strict=True)) | {name: part[name].to_list() for name in rest})
    return found


def sources(table: str, venues: Sequence[str]) -> list[str]:
    """Name where numbers come from, as figures do."""
    return [f"{table}/{venue}" for venue in sorted(set(venues))]
