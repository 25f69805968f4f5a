"""Reading a journal in time order: every segment sorted by itself, overlapping segments merged, the rest never opened."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from deleverage.errors import JournalError
from deleverage.journal.frame import LATEST, Frame, frame_digest
from deleverage.journal.segment import Bounds, Segment, bounds_of, frames_of, known_bounds, read_segment, segments

_BATCH_ROWS = 65_536


class JournalSummary(msgspec.Struct, frozen=True):
    """What a journal holds: rows, size of its segments on disk in bytes, earliest and latest `ts_recv` (ns UTC, both inclusive,
    None when empty), rows per venue, payload bytes, and bytes after the last whole batch of a torn segment, which cannot be read."""

    frames: int
    bytes: int
    first: int | None
    last: int | None
    by_venue: dict[str, int]
    payload_bytes: int = 0
    torn_bytes: int = 0


def read_batches(
    directory: Path, *, start: int | None = None, end: int | None = None, venue: str | None = None, direction: str | None = None
) -> Iterator[pa.RecordBatch]:
    """Read a journal as Arrow batches of at most 65,536 rows, in (`ts_recv`, segment, row) order across batches.

    - `start`, `end`: `ts_recv`, ns UTC, half-open [start, end); None is no bound.
    - `venue`, `direction`: keep only these; None keeps all.

    Columns as in `segment.COLUMNS`: `venue`, `route` and `direction` are dictionary-encoded strings. A segment being written is
    read up to its last whole batch. Raises JournalError, at the call when there is no such directory.
    """
    return _merged(_indexed(directory), start if start is not None else -1, end if end is not None else LATEST + 1, venue, direction)


def read_frames(
    directory: Path, *, start: int | None = None, end: int | None = None, venue: str | None = None, direction: str | None = None
) -> Iterator[Frame]:
    """Read a journal frame by frame, in (`ts_recv`, segment, row) order; arguments and errors as for `read_batches`."""
    return iter(frames_of(read_batches(directory, start=start, end=end, venue=venue, direction=direction)))


def read_segment_file(path: Path) -> Iterator[Frame]:
    """Read one segment by itself, stably sorted by `ts_recv`. Raises JournalError when it is no segment."""
    content = read_segment(Segment(0, path))
    return iter(frames_of(_sorted(content.table).to_batches(max_chunksize=_BATCH_ROWS)))


def summary(directory: Path) -> JournalSummary:
    """Count what a journal holds; closed segments are not opened. Raises JournalError."""
    bounds = [bounds for _, bounds, _ in _indexed(directory)]
    filled = [each for each in bounds if each.frames]
    venues: Counter[str] = Counter()
    for each in filled:
        venues.update(each.by_venue)
    return JournalSummary(
        frames=sum(each.frames for each in filled),
        bytes=sum(each.bytes for each in bounds),
        first=min((each.first for each in filled), default=None),
        last=max((each.last for each in filled), default=None),
        by_venue=dict(sorted(venues.items())),
        payload_bytes=sum(each.payload_bytes for each in filled),
        torn_bytes=sum(each.torn_bytes for each in bounds),
    )


def known_frames(directory: Path, start: int | None = None, end: int | None = None) -> Counter[bytes]:
    """Count the frames of a stretch by `frame_digest`, so that an import adds only what is missing, repeats included.

    `start`, `end`: `ts_recv`, ns UTC, half-open [start, end). A directory that does not exist knows nothing. Raises JournalError.
    """
    if not Path(directory).exists():
        return Counter()
    return Counter(map(frame_digest, read_frames(directory, start=start, end=end)))


def _indexed(directory: Path) -> list[tuple[Segment, Bounds, Any]]:
    """Every segment with its bounds; where they had to be computed, the newest one also with its rows, for it may be growing."""
    directory = Path(directory)
    if not directory.is_dir():
        raise JournalError(f"{directory} is not a journal: {'not a directory' if directory.exists() else 'no such directory'}")
    index: list[tuple[Segment, Bounds, Any]] = []
    found = segments(directory)
    for segment in found:
        bounds, table = known_bounds(segment), None
        if bounds is None:
            content = read_segment(segment)
            bounds = bounds_of(segment, content)
            table = content.table if segment is found[-1] else None
        index.append((segment, bounds, table))
    return index


def _merged(
    index: list[tuple[Segment, Bounds, Any]], start: int, end: int, venue: str | None, direction: str | None
) -> Iterator[pa.RecordBatch]:
    wanted = [
        entry
        for entry in index
        if entry[1].frames and entry[1].first < end and entry[1].last >= start and (venue is None or venue in entry[1].by_venue)
    ]
    wanted.sort(key=lambda entry: (entry[1].first, entry[0].number))
    opened: list[tuple[int, Any]] = []  # number and the rows not yet given out, sorted
    for position, (segment, bounds, table) in enumerate(wanted):
        if table is None:
            table = read_segment(segment).table
        rows = _chosen(table if bounds.is_sorted else _sorted(table), start, end, venue, direction)
        opened = sorted([*opened, (segment.number, rows)], key=lambda entry: entry[0])
        # Nothing opened later is earlier than the next segment's first row; rows at that very instant wait, for order among equals.
        horizon = wanted[position + 1][1].first if position + 1 < len(wanted) else end
        ready, waiting = [], []
        for number, rows in opened:
            cut = _row_at(rows, horizon)
            ready.append(rows.slice(0, cut))
            if cut < len(rows):
                waiting.append((number, rows.slice(cut)))
        opened = waiting
        ready = [rows for rows in ready if len(rows)]
        if ready:
            merged = ready[0] if len(ready) == 1 else _sorted(pa.concat_tables(ready).unify_dictionaries().combine_chunks())
            yield from merged.to_batches(max_chunksize=_BATCH_ROWS)


def _chosen(table: Any, start: int, end: int, venue: str | None, direction: str | None) -> Any:
    low, high = _row_at(table, start), _row_at(table, end)
    rows = table.slice(low, high - low)
    for name, value in (("venue", venue), ("direction", direction)):
        if value is not None:
            rows = rows.filter(pc.equal(rows[name], value))
    return rows


def _row_at(rows: Any, instant: int) -> int:
    """The first row at or after `instant`; rows are sorted."""
    if instant > LATEST:
        return len(rows)
    return int(np.searchsorted(rows["ts_recv"].to_numpy(), np.int64(instant), side="left"))


def _sorted(table: Any) -> Any:
    """Sort by time; rows of one instant keep their order, which pyarrow's own sort does not promise."""
    return table.take(pa.array(np.argsort(table["ts_recv"].to_numpy(), kind="stable")))
