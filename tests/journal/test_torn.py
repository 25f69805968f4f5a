"""What a crash leaves behind: a torn tail costs itself and nothing else, and what was acknowledged is there."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journal.strategies import frame, write

from deleverage.errors import JournalError
from deleverage.journal import Frame, Journal, Repair, compact, read_frames, summary
from deleverage.journal.segment import END

KILLS = int(os.environ.get("DELEVERAGE_KILLS", "5"))


@pytest.fixture
def whole(tmp_path: Path) -> tuple[bytes, int]:
    """A segment of two batches, and where its last batch begins."""
    with Journal(tmp_path / "made", commit_every=1000) as journal:
        for number in range(3):
            journal.append(frame(number))
        journal.commit()
        path = tmp_path / "made" / "segment-00000001.arrows"
        first = path.stat().st_size
        journal.append(Frame(3, "htx", "a new route", b"last"))
        journal.append(frame(4))
    return path.read_bytes(), first


def test_a_tail_torn_at_every_byte(tmp_path: Path, whole: tuple[bytes, int]) -> None:
    content, first = whole
    complete = len(content) - len(END)
    path = tmp_path / "segment-00000007.arrows"
    for cut in range(first, len(content)):
        path.write_bytes(content[:cut])
        expected = list(range(5 if cut >= complete else 3))
        boundary = complete if cut >= complete else first
        assert [each.ts_recv for each in read_frames(tmp_path)] == expected, cut
        assert summary(tmp_path).torn_bytes == cut - boundary
        assert path.stat().st_size == cut, "a reader repaired"
        with Journal(tmp_path, commit_every=1000, fsync=False) as journal:
            assert journal.repaired == ([Repair(path.name, cut - boundary)] if cut > boundary else [])
            journal.append(frame(9))
        assert [each.ts_recv for each in read_frames(tmp_path)] == [*expected, 9], cut
        for left in tmp_path.glob("segment-*"):
            left.unlink()


def test_a_first_batch_torn_at_every_byte_leaves_nothing(tmp_path: Path, whole: tuple[bytes, int]) -> None:
    content, first = whole
    path = tmp_path / "segment-00000001.arrows"
    for cut in range(0, first, 7):
        path.write_bytes(content[:cut])
        assert list(read_frames(tmp_path)) == []
        with Journal(tmp_path, commit_every=1000) as journal:
            assert journal.repaired == ([Repair(path.name, cut)] if cut else [])
        assert not path.exists()


@pytest.mark.parametrize("tail", [b"\0" * 5000, b"\xff" * 100, b"garbage " * 50, END + b"more"])
def test_any_tail_is_cut(tmp_path: Path, whole: tuple[bytes, int], tail: bytes) -> None:
    content, _ = whole
    path = tmp_path / "segment-00000001.arrows"
    path.write_bytes(content.removesuffix(END) + tail)
    assert [each.ts_recv for each in read_frames(tmp_path)] == list(range(5))
    with Journal(tmp_path) as journal:
        assert sum(repair.bytes_cut for repair in journal.repaired) == len(tail.removeprefix(END))
    assert path.read_bytes() == content


def test_a_payload_that_looks_like_the_end_mark_is_not_one(tmp_path: Path) -> None:
    write(tmp_path, [Frame(1, "okx", "", END)])
    path = tmp_path / "segment-00000001.arrows"
    path.write_bytes(path.read_bytes().removesuffix(END))
    assert compact(tmp_path) == [], "an open segment was compacted"
    with Journal(tmp_path) as journal:
        assert journal.repaired == []
    assert len(compact(tmp_path)) == 1


def test_a_torn_segment_that_is_not_the_last_is_read_and_counted(tmp_path: Path) -> None:
    write(tmp_path, [frame(1)], [frame(2)])
    write(tmp_path, [frame(3)])
    path = tmp_path / "segment-00000001.arrows"
    path.write_bytes(path.read_bytes()[:-20])
    assert [each.ts_recv for each in read_frames(tmp_path)] == [1, 3]
    assert summary(tmp_path).torn_bytes > 0
    with Journal(tmp_path) as journal:
        assert journal.repaired == []


@pytest.mark.parametrize("content", [b"somebody's notes", b"PK\3\4" * 300])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "segment-00000001.arrows"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="not a journal segment"):
        Journal(tmp_path)
    with pytest.raises(JournalError, match="not a journal segment"):
        list(read_frames(tmp_path))
    assert path.read_bytes() == content
    path.unlink()
    with Journal(tmp_path):  # the refusal let go of the lock
        pass


CHILD = """
import sys
from deleverage.journal import Frame, Journal
run, hold = int(sys.argv[2]), bytes(2000)
with Journal(sys.argv[1], commit_every=0.005, rotate_bytes=2_000_000) as journal:
    number = told = 0
    while True:
        for _ in range(50):
            journal.append(Frame(number, "okx", str(run), b"%d " % number + hold))
            number += 1
        durable = journal.commit() if number % 1000 else journal.durable
        if durable != told:
            told = durable
            sys.stdout.write(f"{durable}\\n")
            sys.stdout.flush()
"""


def test_killed_while_writing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    chance = random.Random(20251010)
    acknowledged: list[int] = []
    for run in range(KILLS):
        command = [sys.executable, "-c", CHILD, str(tmp_path), str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
            assert child.stdout is not None
            told = 0
            for _ in range(chance.randrange(1, 60)):
                told = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            for line in child.stdout:  # what was said before the kill counts as said
                told = int(line) if line.endswith("\n") else told
        assert child.returncode == -signal.SIGKILL
        acknowledged.append(told)
        found: list[list[int]] = [[] for _ in acknowledged]
        for each in read_frames(tmp_path):
            found[int(each.route)].append(int(each.payload.split()[0]))
        for numbers, durable in zip(found, acknowledged, strict=True):
            assert numbers == list(range(len(numbers)))
            assert len(numbers) >= durable
        if run % 2:
            compact(tmp_path)
    before = list(read_frames(tmp_path))
    with Journal(tmp_path):
        pass
    assert list(read_frames(tmp_path)) == before
    assert summary(tmp_path).torn_bytes == 0
