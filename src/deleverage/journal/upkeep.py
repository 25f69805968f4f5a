"""A journal kept within bounds: closed segments compacted, old ones let go, and a full disk seen before it is full."""

import os
import shutil
import time
from pathlib import Path

import msgspec

from deleverage.errors import JournalError
from deleverage.journal.compaction import compact
from deleverage.journal.segment import Bounds, Segment, bounds_of, known_bounds, read_segment, reason, segments, sync_directory

HOUR = 3_600_000_000_000
GB = 1e9


def free_gb(path: Path) -> float:
    """Return the free gigabytes of the disk that holds `path`."""
    return shutil.disk_usage(path).free / GB


def check_disk(path: Path, least_gb: float) -> None:
    """Raise JournalError when less than `least_gb` gigabytes are free."""
    free = free_gb(path)
    if free < least_gb:
        raise JournalError(
            f"the disk of {path} has {free:.1f} GB left, collecting stops below {least_gb:g} GB (journal.least_free_gb); "
            "free some space and start again: everything received so far is safe"
        )


def keep(directory: Path, *, compact_after_hours: float, keep_days: float) -> tuple[int, int]:
    """Compact segments older than the one bound and delete those older than the other (0: never); return how many of each.

    Only closed segments are touched, so that it may run beside the writer, and nothing later than the first row that stays:
    tables can then be made anew from there on. Raises JournalError.
    """
    now = time.time_ns()
    made = len(compact(directory, before=now - int(compact_after_hours * HOUR)))
    try:
        return made, _let_go(directory, now - int(keep_days * 24 * HOUR)) if keep_days else 0
    except OSError as error:
        raise JournalError(f"cannot delete old segments of {directory}: {reason(error)}") from error


def _let_go(directory: Path, before: int) -> int:
    found = segments(directory)
    old = [(segment, bounds) for segment in found[:-1] if (bounds := _bounds(segment)).last < before]
    if not old:
        return 0
    names = {segment.number for segment, _ in old}
    staying = [bounds.first for segment in found if segment.number not in names and (bounds := _bounds(segment)).frames]
    old.sort(key=lambda entry: entry[1].last, reverse=True)
    going: list[tuple[Segment, Bounds]] = []
    for segment, bounds in old:
        if staying and bounds.last >= min(staying):
            staying.append(bounds.first)
        else:
            going.append((segment, bounds))
    for segment, bounds in reversed(going):  # the earliest first: a crash leaves no hole
        retire(directory, bounds.by_venue)
        for form in (".parquet", ".arrows"):  # a crash while compacting may have left both
            segment.in_form(form).path.unlink(missing_ok=True)
        segment.sidecar.unlink(missing_ok=True)
    return len(going)


def _bounds(segment: Segment) -> Bounds:
    return known_bounds(segment) or bounds_of(segment, read_segment(segment))


def retire(directory: Path, rows: dict[str, int]) -> None:
    """Remember how many rows of each venue are let go: tables made from them stay as they are."""
    total = retired(directory)
    for venue, count in rows.items():
        total[venue] = total.get(venue, 0) + count
    draft = directory / "retired.json.partial"
    with draft.open("wb") as written:
        written.write(msgspec.json.encode(total))
        written.flush()
        os.fsync(written.fileno())
    draft.replace(directory / "retired.json")
    sync_directory(directory)


def retired(directory: Path) -> dict[str, int]:
    """Return how many rows of each venue were let go since the journal began.

    Raises JournalError when that cannot be read: taken for none, tables would be made anew without what was let go.
    """
    path = directory / "retired.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalError(
            f"cannot read {path}, which counts the rows deleted by journal.keep_days: {reason(error)}; "
            "remove it to have the tables made anew from what is left"
        ) from error
