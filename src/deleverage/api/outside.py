"""The outside world: what sentiment, ETF flows and macro series share. Whose data it is, how old, and what to do where there is none."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from deleverage.analytics.macro import new_york
from deleverage.api.anatomy import MS, frame
from deleverage.api.session import Session
from deleverage.figure import Figure, Status, hash_inputs, spelled
from deleverage.references import REFERENCES, etf_flows, fred
from deleverage.references.reference import SERIES, day_of
from deleverage.when import iso

Document = dict[str, Any]
HOUR = 3_600_000_000_000
DAY = 24 * HOUR
POINTS = 400
"""Most points of a history in an answer."""


class Scope(NamedTuple):
    """One question: what held at `at` as known at `as_of` (ns UTC)."""

    at: int
    as_of: int

    def head(self) -> Document:
        """Begin an answer."""
        return {"at_ms": self.at // MS, "as_of_ms": self.as_of // MS}


class Rows(NamedTuple):
    """Rows of one of the tables that references fill, known at the scope's `as_of` and of its `at` or before; `later` were known since."""

    table: str
    frame: pl.DataFrame
    later: int


def read(session: Session, scope: Scope, table: str, **where: object) -> Rows:
    """Read a table; the caller holds the session."""
    session.flush()
    base = where.pop("base", None)
    rows = session.store.read(table, end=scope.at + 1, as_of=scope.as_of, base=None if base is None else str(base), where=where)
    later = 0
    if not rows.num_rows:
        later = session.store.read(table, end=scope.at + 1, base=None if base is None else str(base), where=where).num_rows
    return Rows(table, frame(rows), later)


def closed_by(rows: pl.DataFrame, column: str, at: int, hour: str = "16:00") -> pl.DataFrame:
    """Keep the rows whose day (`column`, YYYY-MM-DD) had reached an hour of New York by `at`."""
    return rows.filter(new_york(rows[column], hour) <= at) if rows.height else rows


class Origin(NamedTuple):
    """Whose data a source's are: to be shown beside its values."""

    source: str
    title: str
    attribution: str
    terms: str
    schedule: str


def origin(source: str) -> Origin:
    """Say whose a source's data are; of one that no reference names, that it was imported."""
    known = REFERENCES.get(source)
    if known is None:
        return Origin(source, source, f"Source: {source}, imported", "its owner's; not known here", "not asked for: imported")
    return Origin(source, known.title, known.attribution, known.terms, known.schedule)


def late(source: str, series: str, day: str, at: int) -> str:
    """Say what should be known of a series of a reference by `at` and is not; "" when nothing is, or its schedule is not known.

    `day` is the newest one known, YYYY-MM-DD.
    """
    known = REFERENCES.get(source)
    return "" if known is None else known.late(_on_time(source) | {series: day}, at)


def _on_time(source: str) -> dict[str, str]:
    """Every series of a source as if it were never late, so that lateness is told of one alone."""
    names = {etf_flows.NAME: etf_flows.TOLERATED, fred.NAME: fred.TOLERATED}
    return dict.fromkeys(names.get(source, ()), fred.LAST)


HOW: Mapping[str, str] = {
    "sentiment_readings": "deleverage import sentiment_readings fng.csv --column ts_event=timestamp --set venue=alternative.me"
    " --set index_name=fear_and_greed --lag 0s",
    "etf_flows": "deleverage import etf_flows flows.csv --column trading_day=Date --column net_flow_usd=* --unit net_flow_usd=million"
    " --set venue=farside --set base=BTC --lag 1d",
    "macro_observations": "deleverage import macro_observations fredgraph.csv --column value=* --set venue=fred --lag 1d",
}
"""By table: the command that brings a file in (docs/importing-history.md)."""
SETTING = {"sentiment_readings": "fear_greed", "etf_flows": "farside", "macro_observations": "fred"}


def nothing(rows: Rows, scope: Scope, what: str) -> Document:
    """Say why there is nothing, and how to bring it in."""
    asked = f"collect it (references.{SETTING[rows.table]}.enabled, while deleverage up --live runs)"
    if rows.later:
        reason = f"{rows.later:,} rows of {what} became known after {iso(scope.as_of)}: ask as of a later moment, or import with --lag"
    else:
        reason = f"no {what} is in the data up to {iso(scope.at)}"
    return {"reason": reason, "how": f"{asked}, or import a file: {HOW[rows.table]}"}


def newest_day(table: str, rows: pl.DataFrame, series: str) -> str:
    """Return the newest day with a value of a series, as YYYY-MM-DD; "" without one."""
    name, day, value = SERIES[table]
    days: list[str | int] = rows.filter((pl.col(name) == series) & pl.col(value).is_not_null())[day].to_list()
    if not days:
        return ""
    last = max(days)
    return last if isinstance(last, str) else day_of(last)


def figure(
    name: str, value: float | None, unit: str, scope: Scope, *, sources: Sequence[str], inputs: Sequence[object],
    status: Status = "measured", interval: tuple[float, float] | None = None, level: float | None = None, note: str = "",
    missing: Sequence[str] = (), coverage: float | None = None,
) -> Document:  # fmt: skip
    """Write a Figure for an answer; without a value it is missing and `note` says why."""
    return spelled(Figure(
        name=name, value=value, unit=unit, at=scope.at, as_of=scope.as_of, status="missing" if value is None else status,
        interval=interval if value is not None else None, level=level if interval is not None and value is not None else None,
        coverage=coverage, sources=tuple(sources), missing=tuple(missing), note=note, inputs_hash=hash_inputs([name, *inputs]),
    ))  # fmt: skip


def thinned(rows: pl.DataFrame, most: int = POINTS) -> tuple[pl.DataFrame, int]:
    """Return every k-th row counted from the last, at most `most` of them, and k."""
    step = max(1, -(-rows.height // most))
    return rows.filter((pl.int_range(rows.height).reverse() % step) == 0) if rows.height else rows, step
