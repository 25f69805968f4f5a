"""The format of one journal segment: its columns, its names on disk, and what a file holds that may end torn.

A segment is an Arrow IPC stream (`segment-00000042.arrows`) or, once compacted, a Parquet file of the same rows in the same order
(`segment-00000042.parquet`). Beside a closed one lies `segment-00000042.json` with its bounds and counts, so that a range can be read
without opening every file; it is trusted only while it names the file and its size.
"""

import io
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from deleverage.errors import JournalError
from deleverage.journal.frame import Frame

_NAME = pa.dictionary(pa.int32(), pa.string())
COLUMNS = pa.schema(
    [
        pa.field("ts_recv", pa.int64(), nullable=False),
        pa.field("venue", _NAME, nullable=False),
        pa.field("route", _NAME, nullable=False),
        pa.field("direction", _NAME, nullable=False),
        pa.field("connection", pa.int64(), nullable=False),
        pa.field("payload", pa.binary(), nullable=False),
    ],
    metadata={"deleverage.journal": "1"},
)
"""The columns of every segment and of every batch read from a journal; the metadata is the version of the format."""

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""The end-of-stream mark of Arrow IPC: a segment that carries it is closed and will not grow."""

_FILE = re.compile(r"segment-(\d{8,})\.(arrows|parquet)")


def _opening() -> bytes:
    sink = io.BytesIO()
    ipc.new_stream(sink, COLUMNS).close()
    return sink.getvalue().removesuffix(END)


_OPENING = _opening()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment holds: rows, earliest and latest `ts_recv` (ns UTC, both inclusive), and its torn bytes if any."""

    file: str
    bytes: int
    frames: int = 0
    first: int = 0
    last: int = 0
    payload_bytes: int = 0
    torn_bytes: int = 0
    is_sorted: bool = True
    by_venue: dict[str, int] = {}


class Segment(msgspec.Struct, frozen=True):
    """A segment's number and the file that holds it."""

    number: int
    path: Path

    @property
    def sidecar(self) -> Path:
        return self.path.with_suffix(".json")

    def in_form(self, form: str) -> "Segment":
        """The same segment as `.arrows` or `.parquet`, whether or not that file exists."""
        return Segment(self.number, self.path.with_suffix(form))


def segment_path(directory: Path, number: int) -> Path:
    """Where the stream segment of that number lives."""
    return directory / f"segment-{number:08d}.arrows"


def segments(directory: Path) -> list[Segment]:
    """Return every segment once, by number; one present in both forms is its Parquet file, which was verified before it got its name.

    Raises JournalError when the directory cannot be listed.
    """
    found: dict[int, Segment] = {}
    try:
        names = sorted(entry.name for entry in directory.iterdir())
    except OSError as error:
        raise JournalError(f"cannot read the journal {directory}: {reason(error)}") from error
    for name in names:  # "….arrows" sorts before "….parquet", which therefore wins
        if match := _FILE.fullmatch(name):
            number = int(match[1])
            found[number] = Segment(number, directory / name)
    return [found[number] for number in sorted(found)]


def reason(error: BaseException) -> str:
    """Say in one line why the operating system or Arrow refused.

    >>> reason(OSError(28, "No space left on device"))
    'No space left on device'
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200] or type(error).__name__


class Content(msgspec.Struct, frozen=True):
    """A segment as read: its rows in the order they were written, how many bytes of the file they and the end mark take,
    the size of the file in bytes, and whether it will not grow any more."""

    table: Any
    whole: int
    size: int
    is_closed: bool

    @property
    def torn_bytes(self) -> int:
        return self.size - self.whole


def read_stream(content: bytes) -> Content:
    """Read a stream segment up to its last whole batch; what follows is counted, not read.

    Raises ValueError when the bytes are not those of a journal segment, torn or not.
    """
    if len(content) < len(_OPENING):
        if _OPENING.startswith(content) or not content.strip(b"\0"):
            return Content(COLUMNS.empty_table(), 0, len(content), False)
        raise ValueError("not a journal segment")
    source = pa.BufferReader(content)
    batches = []
    try:
        reader = ipc.open_stream(source)
    except (pa.ArrowException, OSError) as error:
        if not content.strip(b"\0"):
            return Content(COLUMNS.empty_table(), 0, len(content), False)
        raise ValueError("not a journal segment") from error
    _check_columns(reader.schema)
    end = source.tell()
    with suppress(StopIteration, pa.ArrowException, OSError):
        while True:
            batch = reader.read_next_batch()
            batch.validate()
            batches.append(batch)
            end = source.tell()
    is_closed = content[end : end + len(END)] == END
    whole = end + len(END) if is_closed else end if batches else 0
    return Content(_in_one_piece(pa.Table.from_batches(batches, COLUMNS)), whole, len(content), is_closed)


def read_segment(segment: Segment) -> Content:
    """Read one segment, in the other form if it was compacted meanwhile. Raises JournalError when it cannot be read."""
    other = ".arrows" if segment.path.suffix == ".parquet" else ".parquet"
    for candidate in (segment, segment.in_form(other)):
        try:
            if candidate.path.suffix == ".arrows":
                return read_stream(candidate.path.read_bytes())
            table = pq.ParquetFile(candidate.path).read()
            _check_columns(table.schema)
            size = candidate.path.stat().st_size
            return Content(_in_one_piece(table.cast(COLUMNS)), size, size, True)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, pa.ArrowException) as error:
            raise JournalError(f"cannot read {candidate.path}: {reason(error)}") from error
    raise JournalError(f"cannot read {segment.path}: it is gone")


def bounds_of(segment: Segment, content: Content) -> Bounds:
    """Compute a segment's bounds from its rows."""
    table = content.table
    here = Bounds(file=segment.path.name, bytes=content.size, torn_bytes=content.torn_bytes)
    if not len(table):
        return here
    times = table["ts_recv"].to_numpy()
    counts = pc.value_counts(table["venue"].cast(pa.string())).to_pylist()
    return msgspec.structs.replace(
        here,
        frames=len(table),
        first=int(times.min()),
        last=int(times.max()),
        payload_bytes=pc.sum(pc.binary_length(table["payload"])).as_py(),
        is_sorted=bool((times[1:] >= times[:-1]).all()),
        by_venue={entry["values"]: entry["counts"] for entry in sorted(counts, key=lambda entry: str(entry["values"]))},
    )


def known_bounds(segment: Segment) -> Bounds | None:
    """Return the sidecar's bounds, None when there is none or it speaks of another file or size."""
    try:
        bounds = msgspec.json.decode(segment.sidecar.read_bytes(), type=Bounds)
        fits = (bounds.file, bounds.bytes) == (segment.path.name, segment.path.stat().st_size)
    except (OSError, msgspec.DecodeError):
        return None
    return bounds if fits else None


def write_bounds(segment: Segment, bounds: Bounds) -> None:
    """Write the sidecar. It can always be computed again, so a refusal is no error."""
    draft = segment.sidecar.with_suffix(".json.partial")
    with suppress(OSError):
        draft.write_bytes(msgspec.json.encode(bounds))
        draft.replace(segment.sidecar)


def sync_directory(directory: Path) -> None:
    """Make new and removed names of a directory durable. Raises OSError."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_columns(schema: Any) -> None:
    names, types = COLUMNS.names, COLUMNS.types
    if schema.names != names or any(not _alike(found, wanted) for found, wanted in zip(schema.types, types, strict=True)):
        raise ValueError(f"not a journal segment: columns {', '.join(schema.names)[:120]} instead of {', '.join(names)}")


def _alike(found: Any, wanted: Any) -> bool:
    return bool(found == wanted or (wanted == _NAME and pa.types.is_string(found)))


def _in_one_piece(table: Any) -> Any:
    return table.unify_dictionaries().combine_chunks()


def frames_of(batches: Iterable[Any]) -> Iterable[Frame]:
    """Turn batches of the journal's columns into frames, row by row."""
    for batch in batches:
        texts = [_texts(batch.column(name)) for name in ("venue", "route", "direction")]
        times, connections, payloads = (batch.column(name).to_pylist() for name in ("ts_recv", "connection", "payload"))
        yield from map(Frame, times, texts[0], texts[1], payloads, texts[2], connections)


def _texts(column: Any) -> list[str]:
    names = column.dictionary.to_pylist()
    return [names[code] for code in column.indices.to_pylist()]
