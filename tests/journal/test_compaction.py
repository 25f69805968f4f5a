"""Compaction: the same rows in the same order, verified before anything is removed, and read once wherever a crash falls."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.journal.strategies import frame, write

from deleverage.errors import JournalError
from deleverage.journal import Frame, Journal, compact, compaction, read_frames, summary


class Crash(BaseException):
    """The machine stops here."""


@pytest.fixture
def recorded(tmp_path: Path) -> list[Frame]:
    write(tmp_path, [frame(3), frame(1), Frame(2, "htx", "", b"\xff\0", "gap", -4)], [frame(1)])
    write(tmp_path, [frame(12), frame(2)])
    return list(read_frames(tmp_path))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("segment-*") if path.suffix != ".json")


def test_closed_segments_become_parquet_of_the_same_rows(tmp_path: Path, recorded: list[Frame]) -> None:
    before = summary(tmp_path)
    made = compact(tmp_path)
    assert [path.name for path in made] == names(tmp_path) == ["segment-00000001.parquet", "segment-00000002.parquet"]
    assert list(read_frames(tmp_path)) == recorded
    after = summary(tmp_path)
    assert (after.frames, after.first, after.last, after.by_venue) == (before.frames, before.first, before.last, before.by_venue)
    stored = pq.read_table(made[0])
    assert stored["ts_recv"].to_pylist() == [3, 1, 2, 1], "rows keep the order they were written in"
    assert pq.ParquetFile(made[0]).metadata.row_group(0).column(5).compression == "ZSTD"
    assert compact(tmp_path) == []
    with Journal(tmp_path) as journal:
        journal.append(frame(0))
    assert next(read_frames(tmp_path)).ts_recv == 0


def test_the_segment_being_written_is_left_alone(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=1000, rotate_bytes=1) as journal:
        for number in range(3):
            journal.append(frame(number))
            journal.commit()
        assert [path.name for path in compact(tmp_path)] == ["segment-00000001.parquet", "segment-00000002.parquet"]
        journal.append(frame(3))
    assert [each.ts_recv for each in read_frames(tmp_path)] == [0, 1, 2, 3]


def test_only_what_is_older_than_before(tmp_path: Path, recorded: list[Frame]) -> None:
    assert compact(tmp_path, before=3) == []
    assert [path.name for path in compact(tmp_path, before=4)] == ["segment-00000001.parquet"]
    for sidecar in tmp_path.glob("*.json"):
        sidecar.unlink()
    assert compact(tmp_path, before=12) == []
    assert [path.name for path in compact(tmp_path, before=13)] == ["segment-00000002.parquet"]
    assert list(read_frames(tmp_path)) == recorded


def test_a_crash_at_any_step_costs_nothing(tmp_path: Path, recorded: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops before, and after, each call that changes the disk, until a run gets through."""
    remaining = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal remaining
            remaining -= 1
            if remaining == 0:
                raise Crash
            outcome = real(*args, **options)
            remaining -= 1
            if remaining == 0:
                raise Crash
            return outcome

        return call

    steps = 0
    for steps in range(1, 100):
        remaining = steps
        with monkeypatch.context() as patch:
            for place, name in ((pq, "write_table"), (os, "fsync"), (Path, "replace"), (Path, "unlink")):
                patch.setattr(place, name, counted(getattr(place, name)))
            try:
                compact(tmp_path)
            except Crash:
                pass
            else:
                break
        assert list(read_frames(tmp_path)) == recorded, steps
        assert summary(tmp_path).frames == len(recorded), steps
    assert steps > 10
    assert names(tmp_path) == ["segment-00000001.parquet", "segment-00000002.parquet"]
    assert list(read_frames(tmp_path)) == recorded


def test_both_forms_at_once_are_read_once_and_tidied(tmp_path: Path, recorded: list[Frame]) -> None:
    original = (tmp_path / "segment-00000001.arrows").read_bytes()
    compact(tmp_path)
    (tmp_path / "segment-00000001.arrows").write_bytes(original)
    (tmp_path / "segment-00000002.parquet.partial").write_bytes(b"half")
    assert list(read_frames(tmp_path)) == recorded
    assert summary(tmp_path).frames == len(recorded)
    with Journal(tmp_path) as journal:
        assert journal.repaired == []
    compact(tmp_path)
    assert names(tmp_path) == ["segment-00000001.parquet", "segment-00000002.parquet"]
    assert list(read_frames(tmp_path)) == recorded


@pytest.mark.parametrize("spoil", ["rows", "bytes"])
def test_an_original_stays_until_its_copy_reads_back(
    tmp_path: Path, recorded: list[Frame], monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    real = pq.write_table

    def wrong(table: Any, *args: Any, **options: Any) -> None:
        real(table.slice(1) if spoil == "rows" else table.take([1, 0, *range(2, len(table))]), *args, **options)

    monkeypatch.setattr(pq, "write_table", wrong)
    with pytest.raises(JournalError, match="does not read back as written; the original is kept"):
        compact(tmp_path)
    assert names(tmp_path) == ["segment-00000001.arrows", "segment-00000002.arrows"]
    assert list(read_frames(tmp_path)) == recorded


def test_a_full_disk_leaves_the_originals(tmp_path: Path, recorded: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(table: Any, path: Path, **options: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(JournalError, match="No space left on device"):
        compact(tmp_path)
    assert names(tmp_path) == ["segment-00000001.arrows", "segment-00000002.arrows"]
    assert list(read_frames(tmp_path)) == recorded


def test_a_reader_goes_on_when_its_segment_is_compacted(tmp_path: Path, recorded: list[Frame]) -> None:
    frames = read_frames(tmp_path)  # has listed the segments, opened none
    compact(tmp_path)
    assert list(frames) == recorded


def test_one_compaction_at_a_time(tmp_path: Path, recorded: list[Frame]) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match="being compacted by another process"):
            compact(tmp_path)
    finally:
        os.close(handle)
    assert len(compact(tmp_path)) == 2
    with pytest.raises(JournalError, match="cannot compact"):
        compact(tmp_path / "absent")


def test_the_digest_does_not_depend_on_chunks_but_on_order(tmp_path: Path, recorded: list[Frame]) -> None:
    table = pq.read_table(compact(tmp_path)[0])
    pieces = pq.read_table(tmp_path / "segment-00000001.parquet").slice(0, 0)
    pieces = compaction.pa.concat_tables([pieces, table.slice(0, 1), table.slice(1)])
    assert compaction.table_digest(pieces) == compaction.table_digest(table)
    assert compaction.table_digest(table.take([1, 0, 2, 3])) != compaction.table_digest(table)
    assert table.schema.metadata[b"deleverage.digest"].decode() == compaction.table_digest(table)
