"""Tables and frames out of a data directory. The same data gives the same bytes."""

import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa

from deleverage.errors import BadInput
from deleverage.journal.frame import RECONSTRUCTION
from deleverage.journal.interchange import write_jsonl
from deleverage.journal.reading import read_frames
from deleverage.reader import Reader
from deleverage.references import source_named
from deleverage.store.folder import Folder
from deleverage.when import instant


def export_table(reader: Reader, table: str, form: str, output: Path | None, **filters: Any) -> None:
    """Write a table as parquet, csv or arrow, to a file or to standard output. Rows are in the reader's order."""
    if form not in ("parquet", "csv", "arrow"):
        raise BadInput(f"unknown format {form!r}; there are parquet, csv and arrow")
    frame = reader.read(table, **filters)
    target: Any = sys.stdout.buffer if output is None else _writable(output)
    if form == "csv":
        nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
        levels = pl.element().struct.json_encode()
        flat = [pl.format("[{}]", pl.col(name).list.eval(levels).list.join(",")).alias(name) for name in nested]
        frame.with_columns(flat).write_csv(target)
    elif form == "arrow":
        rows = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        with pa.ipc.new_stream(target if output is None else str(target), rows.schema) as writer:
            writer.write_table(rows)
    else:
        frame.write_parquet(target, compression="zstd", statistics=True)


def export_raw(folder: Folder, output: Path | None, *, start: str | None, end: str | None, venue: str | None) -> bool:
    """Write frames as JSON Lines in (ts_recv, sequence) order; `.gz` and `.zst` names are compressed. Tell whether any are marked as made.

    The mark of a reconstruction goes before its frames also where it stands before `start` or with another venue.
    """
    if not folder.journal.is_dir():
        raise BadInput(f"no journal in {folder.path}; nothing was recorded or imported there")
    if venue is not None:
        source_named(venue)
    now = time.time_ns()
    first, last = (None if text is None else instant(text, now) for text in (start, end))
    marks = [f for f in read_frames(folder.journal, end=last, direction="mark") if f.payload.startswith(RECONSTRUCTION.encode())]
    inside = {f.payload for f in marks if f.venue in (venue or f.venue,) and f.ts_recv >= (first or f.ts_recv)}
    outside = {f.payload: f for f in reversed(marks) if f.payload not in inside}
    frames = chain(reversed(outside.values()), read_frames(folder.journal, start=first, end=last, venue=venue))
    write_jsonl(frames, cast(BinaryIO, sys.stdout.buffer) if output is None else _writable(output))
    return bool(marks)


def _writable(path: Path) -> Path:
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(f"cannot write {path}: {'it is a directory' if path.is_dir() else f'there is no directory {path.parent}'}")
    return path
