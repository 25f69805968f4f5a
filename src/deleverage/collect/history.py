"""Tabular history into a data directory: the file's rows are kept as Parquet beside the journal, then appended to their table."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deleverage.analytics.coverage import Span
from deleverage.collect.ingest import catch_up, open_tables
from deleverage.errors import StoreError
from deleverage.instruments import Instrument
from deleverage.store.duck import DuckStore, table_named
from deleverage.store.folder import Folder
from deleverage.store.store import Store
from deleverage.store.tabular import read_tabular
from deleverage.venues import VENUES
from deleverage.when import duration

NO_LAG = ("0", "0s", "0m", "0h", "0d")
META = b"deleverage.import"
"""Key of the Parquet metadata that says what a kept file is."""


def import_table(
    folder: Folder, path: Path, table: str, *, columns: Mapping[str, str], units: Mapping[str, str], constants: Mapping[str, str],
    lag: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Bring one CSV or Parquet file into a table; returns what was done. See `read_tabular` for the mapping and the refusals.

    The same file with the same mapping is taken once. Rows get `source = import:<digest>`; `ts_recv` is the mapped known-at
    column, else `ts_event` + `lag`, else now.
    """
    table_named(table)
    known_after = None if lag is None else 0 if lag in NO_LAG else duration(lag)
    found = read_tabular(path, table, columns=columns, units=units, constants=constants, lag=known_after, now=time.time_ns(), infer=_infer)
    folder.create()
    store = open_tables(folder)
    try:
        kept = folder.imports / f"{found.digest}.parquet"
        new = 0
        if found.digest not in store.imported():
            if not kept.exists():
                said = {
                    "table": table, "file": found.file, "taken": time.time_ns(), "columns": dict(columns), "units": dict(units),
                    "constants": dict(constants), "lag": lag,
                }  # fmt: skip
                draft = kept.with_suffix(".partial")
                pq.write_table(found.rows.replace_schema_metadata({META: json.dumps(said)}), draft, compression="zstd")
                draft.replace(kept)
            new = append_file(store, kept)
    finally:
        store.close()
    return {
        "file": found.file,
        "table": table,
        "rows": found.rows.num_rows,
        "new": new,
        "source": f"import:{found.digest}",
        "note": found.note,
    }


def append_file(store: Store, kept: Path) -> int:
    """Append a kept file to its table and record the stretch it covers; returns the rows that were new."""
    try:
        rows = pq.read_table(kept)
        said = json.loads(rows.schema.metadata[META])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{kept} is damaged: {' '.join(str(error).split())[:120]}; delete it and import its file again") from None
    table, digest = said["table"], kept.stem
    rows = rows.replace_schema_metadata(None).cast(table_named(table).arrow_schema)
    spans = _spans(rows, said["file"]) if table == "liquidations" else []
    return store.append_import(table, rows, digest, said["file"], spans)


def catch_up_imports(folder: Folder, store: Store) -> list[str]:
    """Append kept files the tables do not hold (the tables were deleted, or a crash came between); returns their digests."""
    held = store.imported()
    missing = sorted((kept for kept in folder.imports.glob("*.parquet") if kept.stem not in held), key=_taken)
    for kept in missing:
        append_file(store, kept)
    return [kept.stem for kept in missing]


def open_up_to_date(folder: Folder) -> DuckStore:
    """Open the tables and bring them up to the journal and the kept files; closes them again if that fails."""
    store = DuckStore(folder.tables)
    try:
        catch_up(folder, store)
        catch_up_imports(folder, store)
    except BaseException:
        store.close()
        raise
    return store


def _taken(kept: Path) -> tuple[int, str]:
    """Order kept files as they were taken in; a damaged one first, so that it is met and named."""
    try:
        return int(json.loads(pq.read_schema(kept).metadata[META])["taken"]), kept.stem
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        return 0, kept.stem


def _spans(rows: pa.Table, file: str) -> list[Span]:
    """A file of liquidations covers each of its venues from its first to its last row."""
    spans = []
    for venue in sorted(set(rows["venue"].to_pylist())):
        own = rows.filter(pc.equal(rows["venue"], venue))
        first, last, known = pc.min(own["ts_event"]), pc.max(own["ts_event"]), pc.max(own["ts_recv"])
        spans.append(Span(venue, file, first.as_py(), last.as_py() + 1, True, "import", known.as_py()))
    return spans


def _infer(venue: str, venue_symbol: str) -> Instrument | None:
    known = VENUES.get(venue)
    return None if known is None else known.infer(venue_symbol)
