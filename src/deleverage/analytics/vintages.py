"""What was known when: successive readings of a table of states, brought down to the last one received by a moment."""

from collections.abc import Sequence

import polars as pl

from deleverage.errors import BadInput
from deleverage.tables import TABLES


def known(readings: pl.DataFrame, table: str, as_of: int | None = None) -> pl.DataFrame:
    """Return the last reading per state received by `as_of` (ns UTC, inclusive; None: all), in the order of the table's state columns.

    Of readings received at one instant the greatest in the table's key counts, so that the order of rows never matters.
    Raises BadInput where the table keeps no states or the frame lacks its columns.
    """
    schema = TABLES[table]
    if not schema.state:
        raise BadInput(f"{table} holds events, not readings of a state")
    if absent := [name for name in (*schema.key, "ts_recv") if name not in readings.columns]:
        raise BadInput(f"{table} needs the columns {', '.join(absent)}")
    rows = readings if as_of is None else readings.filter(pl.col("ts_recv") <= as_of)
    rest = [name for name in schema.key if name not in schema.state]
    ordered = rows.sort([*schema.state, "ts_recv", *rest], nulls_last=False)
    return ordered.unique(list(schema.state), keep="last", maintain_order=True)


def choose_source(readings: pl.DataFrame, source: str | None, of: Sequence[str]) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    """Return the rows of one source (`venue`), its name, and the others' names: sources are never mixed, for they differ.

    Without a name it is the source with most distinct values of the columns `of`; of equals the first by name. An empty frame has ''.
    """
    counts = readings.group_by("venue").agg(pl.struct(list(of)).n_unique().alias("n")).sort(["n", "venue"], descending=[True, False])
    names = counts["venue"].to_list()
    chosen = source if source is not None else (names[0] if names else "")
    return readings.filter(pl.col("venue") == chosen), chosen, tuple(sorted(name for name in names if name != chosen))
