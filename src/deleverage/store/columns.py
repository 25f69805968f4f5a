"""Events into Arrow columns, fast: a batch of records of one class becomes one table of its schema."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from deleverage.events import BookDepth, Levels
from deleverage.tables import LEVELS, TABLE_OF, Table

_astuple = msgspec.structs.astuple


def to_arrow(events: Sequence[msgspec.Struct]) -> pa.Table:
    """Turn events of one class (at least one) into a table of that class's schema, rows in order."""
    table = TABLE_OF[type(events[0])]
    columns = list(zip(*map(_astuple, events), strict=True))
    arrays = [
        _levels(values) if column.arrow == LEVELS else pa.array(values, column.arrow, from_pandas=False)
        for column, values in zip(table.columns, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=table.arrow_schema)


def empty(table: Table) -> pa.Table:
    """Return a table of that schema without rows."""
    return table.arrow_schema.empty_table()


def _levels(books: Sequence[Levels]) -> pa.Array:
    """Turn many lists of (price, size) into one Arrow list column."""
    offsets = np.zeros(len(books) + 1, dtype=np.int32)
    np.cumsum([len(book) for book in books], out=offsets[1:])
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(books)), dtype=np.float64).reshape(-1, 2)
    prices, sizes = np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1])
    struct = pa.StructArray.from_arrays([pa.array(prices), pa.array(sizes)], fields=list(LEVELS.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets), struct, type=LEVELS)


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


__all__ = ["BookDepth", "empty", "group", "to_arrow"]
