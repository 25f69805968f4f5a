"""Reading: one order whatever the order of writing, ranges and filters, and what a reader is told when there is nothing to read."""

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.strategies import crowded_frame, frame, write

from deleverage.errors import JournalError
from deleverage.journal import (
    Frame,
    Journal,
    JournalSummary,
    compact,
    frame_digest,
    known_frames,
    read_batches,
    read_frames,
    reading,
    summary,
)
from deleverage.journal.segment import COLUMNS

_recording = st.lists(st.lists(st.lists(crowded_frame, max_size=5), max_size=3), max_size=5)
_instant = st.none() | st.integers(-1, 14)


@settings(deadline=None)
@given(_recording, _instant, _instant, st.sampled_from([None, "okx", "nobody"]), st.sampled_from([None, "out"]), st.booleans())
def test_order_and_choice(
    segments: list[list[list[Frame]]], start: int | None, end: int | None, venue: str | None, direction: str | None, is_compacted: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for commits in segments:
            write(directory, *commits)
        if is_compacted:
            compact(directory, before=8)
        appended = [each for commits in segments for frames in commits for each in frames]
        expected = [
            each
            for each in sorted(appended, key=lambda each: each.ts_recv)  # stable: equal instants stay in the order of appending
            if (start is None or each.ts_recv >= start)
            and (end is None or each.ts_recv < end)
            and (venue is None or each.venue == venue)
            and (direction is None or each.direction == direction)
        ]
        assert list(read_frames(directory, start=start, end=end, venue=venue, direction=direction)) == expected
        batches = list(read_batches(directory, start=start, end=end, venue=venue, direction=direction))
        assert all(batch.schema == COLUMNS and batch.num_rows for batch in batches)
        assert [row for batch in batches for row in batch.column("payload").to_pylist()] == [each.payload for each in expected]
        inside = [each for each in appended if (start is None or each.ts_recv >= start) and (end is None or each.ts_recv < end)]
        assert known_frames(directory, start, end) == Counter(map(frame_digest, inside))
        held = summary(directory)
        assert held.frames == len(appended)
        assert (held.first, held.last) == (
            min((e.ts_recv for e in appended), default=None),
            max((e.ts_recv for e in appended), default=None),
        )
        assert held.by_venue == dict(sorted(Counter(each.venue for each in appended).items()))


def test_older_frames_imported_later_come_first(tmp_path: Path) -> None:
    write(tmp_path, [frame(n, 100 + n) for n in range(5)])
    write(tmp_path, [frame(n, 90 + n) for n in range(20, 0, -1)])
    write(tmp_path, [frame(99, 102)])
    times = [each.ts_recv for each in read_frames(tmp_path)]
    assert times == sorted(times)
    at_102 = [each.payload for each in read_frames(tmp_path, start=102, end=103)]
    assert at_102 == [frame(2).payload, frame(12).payload, frame(99).payload]


def test_segments_outside_the_range_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        write(tmp_path, [frame(number, number * 10), frame(number, number * 10 + 5)])
    opened: list[int] = []
    real = reading.read_segment
    monkeypatch.setattr(reading, "read_segment", lambda segment: (opened.append(segment.number), real(segment))[1])
    assert [each.ts_recv for each in read_frames(tmp_path, start=20, end=31)] == [20, 25, 30]
    assert opened == [3, 4]
    opened.clear()
    assert not list(read_frames(tmp_path, venue="nobody"))
    assert summary(tmp_path).frames == 10
    assert opened == []


def test_bounds_that_are_missing_or_of_another_file_are_computed_anew(tmp_path: Path) -> None:
    write(tmp_path, [frame(1), frame(2)])
    write(tmp_path, [frame(3)])
    expected = summary(tmp_path)
    sidecar = tmp_path / "segment-00000001.json"
    right = sidecar.read_bytes()
    for wrong in (b"", b"{", right.replace(b'"bytes":', b'"bytes":1'), (tmp_path / "segment-00000002.json").read_bytes()):
        sidecar.write_bytes(wrong)
        assert summary(tmp_path) == expected
        assert [each.ts_recv for each in read_frames(tmp_path, end=3)] == [1, 2]
        assert sidecar.read_bytes() == wrong, "a reader wrote"
    with Journal(tmp_path):
        assert sidecar.read_bytes() == right
    for each in tmp_path.glob("*.json"):
        each.unlink()
    assert [each.ts_recv for each in read_frames(tmp_path)] == [1, 2, 3]


def test_reading_while_it_is_written(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=1000) as journal:
        for number in range(10):
            journal.append(frame(number))
            journal.commit()
            assert [each.ts_recv for each in read_frames(tmp_path)] == list(range(number + 1))


def test_overlapping_segments_stay_within_the_size_of_a_batch(tmp_path: Path) -> None:
    count = reading._BATCH_ROWS + 1000
    write(tmp_path, [Frame(n, "okx", "", b"") for n in range(0, count, 2)])
    write(tmp_path, [Frame(n, "htx", "", b"") for n in range(1, count, 2)])
    batches = list(read_batches(tmp_path))
    assert max(batch.num_rows for batch in batches) <= reading._BATCH_ROWS
    assert pa.concat_arrays([batch.column("ts_recv") for batch in batches]).to_pylist() == list(range(count))


def test_nothing_to_read(tmp_path: Path) -> None:
    assert summary(tmp_path) == JournalSummary(0, 0, None, None, {})
    assert list(read_frames(tmp_path)) == []
    assert known_frames(tmp_path / "absent", 0, 9) == Counter()
    with pytest.raises(JournalError, match="no such directory"):
        read_frames(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="not a directory"):
        summary(tmp_path / "file")


def test_a_damaged_or_foreign_parquet_segment_is_named(tmp_path: Path) -> None:
    (tmp_path / "segment-00000001.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(JournalError, match=r"segment-00000001\.parquet"):
        list(read_frames(tmp_path))
    pq.write_table(pa.table({"price": [1.0]}), tmp_path / "segment-00000001.parquet")
    with pytest.raises(JournalError, match="columns price instead of ts_recv, venue"):
        list(read_frames(tmp_path))


def test_known_frames_counts_repeats(tmp_path: Path) -> None:
    twice, once = frame(1), frame(2)
    write(tmp_path, [twice, once])
    write(tmp_path, [twice])
    assert known_frames(tmp_path, 0, 9) == Counter({frame_digest(twice): 2, frame_digest(once): 1})
    assert known_frames(tmp_path, 2, 3) == Counter({frame_digest(once): 1})


def test_digests_tell_fields_apart() -> None:
    frames = [
        Frame(1, "ab", "c", b"d"),
        Frame(1, "a", "bc", b"d"),
        Frame(1, "ab", "", b"cd"),
        Frame(2, "ab", "c", b"d"),
        Frame(1, "ab", "c", b"d", "out"),
        Frame(1, "ab", "c", b""),
    ]
    assert len(set(map(frame_digest, frames))) == len(frames)
    assert {len(frame_digest(each)) for each in frames} == {16}
