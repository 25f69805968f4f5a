"""Closed segments become zstd Parquet: written aside, read back, compared, renamed, and only then is the original removed."""

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deleverage.errors import JournalError
from deleverage.journal.segment import (
    COLUMNS,
    Segment,
    bounds_of,
    known_bounds,
    read_segment,
    reason,
    segments,
    sync_directory,
    write_bounds,
)

_ROW_GROUP = 65_536


def compact(directory: Path, before: int | None = None) -> list[Path]:
    """Turn closed segments into zstd Parquet, and return the files made.

    `before`: only segments whose latest `ts_recv` (ns UTC) is earlier than this; None takes every closed one. The segment a
    writer is appending to is never taken, so it may run meanwhile; so may readers. An original is removed only after its
    Parquet file is on disk and was read back with the same number of rows and the same digest; after a crash anywhere in between
    every row is still read once, and the next call finishes the work.

    Raises JournalError when the directory is being compacted already, cannot be written, or a file does not read back as written;
    the originals are then all still there.
    """
    directory = Path(directory)
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise JournalError(f"cannot compact {directory}: {reason(error)}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _compact(directory, before)
    except BlockingIOError as error:
        raise JournalError(f"the journal {directory} is being compacted by another process") from error
    except OSError as error:
        raise JournalError(f"cannot compact {directory}: {reason(error)}") from error
    finally:
        os.close(handle)


def table_digest(table: Any) -> str:
    """Name the content of a journal table: blake2b over every column's lengths and bytes in row order, however it is chunked."""
    digest = hashlib.blake2b(digest_size=16)
    for name in COLUMNS.names:
        column = table[name]
        if not (pa.types.is_integer(column.type)):
            chunks = [chunk.cast(pa.large_binary()) for chunk in column.cast(_plain(column.type)).chunks]
            for chunk in chunks:
                digest.update(pc.binary_length(chunk).to_numpy(zero_copy_only=False).tobytes())
            for chunk in chunks:
                digest.update(_joined(chunk))
        else:
            digest.update(column.to_numpy().tobytes())
    return digest.hexdigest()


def _compact(directory: Path, before: int | None) -> list[Path]:
    for left_over in directory.glob("segment-*.parquet.partial"):
        left_over.unlink()
    made = []
    # Looked for by name, not through `segments`: a crash may have left an original beside its finished Parquet file.
    for path in sorted(directory.glob("segment-*.arrows")):
        segment = Segment(int(path.stem.removeprefix("segment-")), path)
        if before is not None and (bounds := known_bounds(segment)) is not None and bounds.last >= before:
            continue
        content = read_segment(segment)
        if not content.is_closed and segment.number == segments(directory)[-1].number:
            continue
        if before is not None and bounds_of(segment, content).last >= before:
            continue
        made.append(_replace(segment, content.table))
    return made


def _replace(segment: Segment, table: Any) -> Path:
    target = segment.in_form(".parquet")
    draft = target.path.with_suffix(".parquet.partial")
    digest = table_digest(table)
    marked = table.replace_schema_metadata({**COLUMNS.metadata, "deleverage.digest": digest, "deleverage.rows": str(len(table))})
    try:
        pq.write_table(marked, draft, compression="zstd", row_group_size=_ROW_GROUP)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft_content = read_segment(Segment(segment.number, draft))
        if len(draft_content.table) != len(table) or table_digest(draft_content.table) != digest:
            raise JournalError(f"cannot compact {segment.path}: the Parquet file does not read back as written; the original is kept")
        draft.replace(target.path)
    except (OSError, pa.ArrowException, JournalError):
        with suppress(OSError):
            draft.unlink()
        raise
    sync_directory(target.path.parent)
    bounds = bounds_of(target, draft_content)
    write_bounds(target, msgspec.structs.replace(bounds, file=target.path.name))
    segment.path.unlink(missing_ok=True)
    sync_directory(target.path.parent)
    return target.path


def _plain(kind: Any) -> Any:
    return pa.binary() if pa.types.is_binary(kind) else pa.string()


def _joined(chunk: Any) -> bytes:
    """The bytes of a large_binary array from its first row to its last, without copying them twice."""
    if not len(chunk):
        return b""
    buffers = chunk.buffers()
    offsets = memoryview(buffers[1]).cast("q")
    return bytes(memoryview(buffers[2])[offsets[chunk.offset] : offsets[chunk.offset + len(chunk)]]) if buffers[2] else b""
