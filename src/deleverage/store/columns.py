"""Events into Arrow columns, fast: a batch of records of one class becomes one table of its schema."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from deleverage.tables import LEVELS, TABLE_OF, Table

PIECE = 200
"""Books converted at a time."""


def to_arrow(events: Sequence[msgspec.Struct]) -> pa.Table:
    """Turn events of one class (at least one) into a table of that class's schema, rows in order.

    One column at a time: turning every event into a tuple first costs twice as much, half of it the garbage collector's.
    Columns of book levels are made in pieces: the interpreter is held while one is made, and others wait for it.
    """
    table = TABLE_OF[type(events[0])]
    return pa.Table.from_arrays([_column(events, column.name, column.arrow) for column in table.columns], schema=table.arrow_schema)


def _column(events: Sequence[msgspec.Struct], name: str, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    values = list(map(attrgetter(name), events))
    if kind != LEVELS or len(values) <= PIECE:
        return pa.array(values, kind, from_pandas=False)
    return pa.chunked_array([pa.array(values[at : at + PIECE], kind, from_pandas=False) for at in range(0, len(values), PIECE)], kind)


def empty(table: Table) -> pa.Table:
    """Return a table of that schema without rows."""
    return table.arrow_schema.empty_table()


def group(events: Sequence[Any]) -> dict[type, list[Any]]:
    """Sort events into lists by class, order kept."""
    groups: dict[type, list[Any]] = {}
    for event in events:
        kind = type(event)
        if kind in groups:
            groups[kind].append(event)
        else:
            groups[kind] = [event]
    return groups
