"""A journal kept within bounds: closed segments compacted, old ones let go, and a full disk seen before it is full."""

import shutil
import time
from pathlib import Path

import msgspec

from deleverage.errors import JournalError
from deleverage.journal.compaction import compact
from deleverage.journal.segment import known_bounds, segments

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

    Only closed segments are touched, so that it may run beside the writer. Raises JournalError.
    """
    now = time.time_ns()
    made = len(compact(directory, before=now - int(compact_after_hours * HOUR)))
    gone = 0
    if keep_days:
        for segment in segments(directory)[:-1]:
            bounds = known_bounds(segment)
            if bounds is not None and bounds.last < now - int(keep_days * 24 * HOUR):
                retire(directory, bounds.by_venue)
                segment.path.unlink(missing_ok=True)
                segment.sidecar.unlink(missing_ok=True)
                gone += 1
    return made, gone


def retire(directory: Path, rows: dict[str, int]) -> None:
    """Remember how many rows of each venue are let go: tables made from them stay as they are."""
    total = retired(directory)
    for venue, count in rows.items():
        total[venue] = total.get(venue, 0) + count
    spare = directory / "retired.json.new"
    spare.write_bytes(msgspec.json.encode(total))
    spare.replace(directory / "retired.json")


def retired(directory: Path) -> dict[str, int]:
    """Return how many rows of each venue were let go since the journal began."""
    try:
        return msgspec.json.decode((directory / "retired.json").read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        return {}
