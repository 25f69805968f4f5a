"""Which rows a figure was made from, as one line that can be opened: `/v1/tables/` and it is the address of the rows.

`liquidations?venue=bybit&start=…&end=…&as_of=…#position_side=long`: table, filters of the route, and after `#` what it does not filter by.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import polars as pl

from deleverage.errors import BadInput
from deleverage.when import EARLIEST, LATEST, instant, iso

MS = 1_000_000
ROUTE = ("venue", "base")


class Selector(NamedTuple):
    """Rows of `table` with start <= ts_event < end (ns UTC; None: no end) known at `as_of`; `filters` are equalities."""

    table: str
    start: int | None
    end: int | None
    as_of: int
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The one line.

        >>> Selector("liquidations", 0, 15 * 10**17, 15 * 10**17, (("venue", "okx"), ("position_side", "long"))).text
        'liquidations?venue=okx&start=0ns&end=2017-07-14T02:40:00.000Z&as_of=2017-07-14T02:40:00.000Z#position_side=long'
        """
        times = {"start": self.start, "end": self.end, "as_of": self.as_of}
        route = {name: value for name, value in self.filters if name in ROUTE}
        route |= {name: written(at) for name, at in times.items() if at is not None}
        rest = [f"{name}={value}" for name, value in self.filters if name not in ROUTE]
        return f"{self.table}?{urlencode(route, safe=':')}" + (f"#{','.join(rest)}" if rest else "")

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Select from rows of the table; a filter of a column they lack is a BadInput."""
        clock = pl.col("ts_event" if "ts_event" in rows.columns else "start")  # spans begin; they are no events
        tests = [clock >= self.start] if self.start is not None else []
        if self.end is not None:
            tests.append(clock < self.end)
        if "ts_recv" in rows.columns:
            tests.append(pl.col("ts_recv") <= self.as_of)
        for name, value in self.filters:
            if name not in rows.columns:
                raise BadInput(f"{self.table} has no column {name!r} to select by")
            column = pl.col(name) if rows.schema[name] == pl.String else pl.col(name).cast(pl.String)
            tests.append(column == value if "|" not in value else column.is_in(value.split("|")))
        return rows.filter(*tests) if tests else rows


def written(at: int) -> str:
    """Write an instant exactly: ISO 8601 to the millisecond where that is exact, else nanoseconds."""
    return iso(at) if at % MS == 0 and EARLIEST <= at <= LATEST else f"{at}ns"


def parse(text: str) -> Selector:
    """Read what `Selector.text` wrote. Raises BadInput for anything else.

    >>> s = Selector("etf_flows", None, 5 * 10**18 // 4, 5 * 10**18 // 4, (("base", "BTC"),)); parse(s.text) == s
    True
    """
    head, _, tail = text.partition("#")
    table, mark, query = head.partition("?")
    given: Mapping[str, str] = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    if not mark or "as_of" not in given:
        raise BadInput(f"{text[:80]!r} does not say which rows; written like liquidations?venue=okx&start=…&end=…&as_of=…")
    times = {name: instant(given[name], 0) if name in given else None for name in ("start", "end", "as_of")}
    filters = [(name, value) for name, value in given.items() if name in ROUTE]
    for part in tail.split(",") if tail else ():
        name, _, value = part.partition("=")
        filters.append((name, value))
    as_of = times["as_of"]
    assert as_of is not None
    return Selector(table, times["start"], times["end"], as_of, tuple(filters))
