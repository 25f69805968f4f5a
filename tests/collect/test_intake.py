"""Every frame reaches the journal and the consumer once and in order; a slow consumer stops the reading, not the frames."""

import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from deleverage.collect.intake import Intake
from deleverage.errors import JournalError
from deleverage.journal.file import Journal
from deleverage.journal.frame import Frame
from deleverage.journal.reading import read_frames


def frame(n: int) -> Frame:
    return Frame(n, "okx", "wss://x", b"%d" % n)


def test_in_order_and_once(tmp_path: Path) -> None:
    seen: list[Frame] = []
    with Journal(tmp_path) as journal:
        intake = Intake(journal, seen.extend, 1000)
        for n in range(5000):
            intake.take(frame(n))
        intake.stop()
    assert [f.ts_recv for f in seen] == list(range(5000)) == [f.ts_recv for f in read_frames(tmp_path)]
    assert intake.frames == intake.parsed == 5000 and intake.queued == 0 and intake.lag() == 0.0


def test_a_slow_consumer_pauses_reading_and_resumes_it(tmp_path: Path) -> None:
    go = threading.Event()
    calls: list[str] = []

    def consume(frames: Sequence[Frame]) -> None:
        go.wait(10)

    with Journal(tmp_path) as journal:
        intake = Intake(journal, consume, 100)
        intake.pause, intake.resume = lambda: calls.append("pause"), lambda: calls.append("resume")
        for n in range(1, 700):
            intake.take(Frame(time.time_ns() - 2_000_000_000, "okx", "wss://x", b"%d" % n))
        assert intake.is_paused and calls == ["pause"] and intake.lag() > 1.9
        go.set()
        intake.stop()
    assert calls[:2] == ["pause", "resume"] and not intake.is_paused and intake.parsed == 699


def test_a_failure_of_the_consumer_is_kept(tmp_path: Path) -> None:
    def consume(frames: Sequence[Frame]) -> None:
        raise ValueError("broken")

    with Journal(tmp_path) as journal:
        intake = Intake(journal, consume, 100)
        intake.take(frame(1))
        intake.stop()
    assert isinstance(intake.failure, ValueError)
    with pytest.raises(JournalError):
        intake.take(frame(2))


def test_our_clock_never_repeats(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        intake = Intake(journal, lambda frames: None, 100)
        times = [intake.now() for _ in range(10_000)]
        intake.stop()
    assert all(a < b for a, b in pairwise(times))
