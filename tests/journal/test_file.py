"""Appending: what is durable when, where segments end, who may write, and what is said when it cannot be done."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow.ipc as ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.strategies import any_frame, frame, write

from deleverage.errors import JournalError
from deleverage.journal import Frame, Journal, file, read_frames, summary
from deleverage.journal.frame import LATEST

SHORT = 5.0
"""Seconds a thread is given for what takes it a tenth of one."""


def until(condition: object) -> bool:
    deadline = time.monotonic() + SHORT
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.002)
    return False


def stored(directory: Path) -> list[Path]:
    return sorted(directory.glob("segment-*.arrows"))


@settings(deadline=None)
@given(st.lists(st.lists(any_frame, max_size=6), max_size=4))
def test_what_goes_in_comes_out(commits: list[list[Frame]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), *commits)
        appended = [each for frames in commits for each in frames]
        assert list(read_frames(Path(name))) == sorted(appended, key=lambda each: each.ts_recv)
        held = summary(Path(name))
        assert (held.frames, held.payload_bytes) == (len(appended), sum(len(each.payload) for each in appended))
        assert sum(held.by_venue.values()) == len(appended)


def test_commit_counts_all_that_is_durable(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=1000) as journal:
        assert journal.commit() == 0
        for number in range(3):
            journal.append(frame(number))
        assert not stored(tmp_path)
        assert journal.commit() == 3
        assert [each.payload for each in read_frames(tmp_path)] == [frame(n).payload for n in range(3)]
        journal.append(frame(3))
        assert journal.commit() == journal.durable == 4
        assert journal.commit() == 4


def test_a_commit_is_one_batch_and_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), real(handle))[1])
    with Journal(tmp_path, commit_every=1000) as journal:
        journal.append(frame(0))
        journal.commit()  # a new segment also syncs its directory
        before = len(synced)
        for number in range(1000):
            journal.append(frame(number))
        journal.commit()
        assert len(synced) == before + 1
    assert [batch.num_rows for batch in ipc.open_stream(stored(tmp_path)[0].read_bytes())] == [1, 1000]


def test_the_thread_commits_by_itself(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=0.01) as journal:
        journal.append(frame(1))
        assert until(lambda: journal.durable == 1)
        assert [each.ts_recv for each in read_frames(tmp_path)] == [1]


def test_a_full_buffer_is_committed_early(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=1000) as journal:
        for number in range(5):
            journal.append(Frame(number, "okx", "", bytes(1024 * 1024)))
        assert until(lambda: journal.durable >= 4)


def test_an_overfull_buffer_makes_append_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_SOON", 1000)
    monkeypatch.setattr(file, "_AT_ONCE", 1000)
    with Journal(tmp_path, commit_every=1000) as journal:
        for number in range(3):
            journal.append(Frame(number, "okx", "", bytes(400)))
        assert journal.durable == 3


def test_appending_from_many_threads_loses_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=0.001, fsync=False) as journal:

        def work(worker: int) -> None:
            for number in range(2000):
                journal.append(Frame(number, "okx", str(worker), b"%d" % number))

        workers = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
    found = list(read_frames(tmp_path))
    for worker in range(4):
        assert [int(each.payload) for each in found if each.route == str(worker)] == list(range(2000))


def test_segments_rotate_by_size(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=1000, rotate_bytes=3000) as journal:
        for number in range(30):
            journal.append(Frame(number, "okx", "", bytes(500)))
            journal.commit()
    files = stored(tmp_path)
    assert len(files) > 3
    assert all(path.stat().st_size < 3000 + 2000 for path in files)
    assert [each.ts_recv for each in read_frames(tmp_path)] == list(range(30))


def test_segments_rotate_by_age_even_when_idle(tmp_path: Path) -> None:
    with Journal(tmp_path, commit_every=0.01, rotate_seconds=0.05) as journal:
        journal.append(frame(1))
        assert until(lambda: (tmp_path / "segment-00000001.json").exists())
        journal.append(frame(2))
        journal.commit()
        assert len(stored(tmp_path)) == 2


def test_each_writer_starts_a_segment_and_an_idle_one_none(tmp_path: Path) -> None:
    write(tmp_path, [frame(1)])
    write(tmp_path)
    write(tmp_path, [frame(2)])
    assert [path.name for path in stored(tmp_path)] == ["segment-00000001.arrows", "segment-00000002.arrows"]


def test_names_are_written_anew_only_when_they_change(tmp_path: Path) -> None:
    long = "wss://stream/" + "x" * 2000
    write(tmp_path, *[[Frame(n, "okx", long, b"{}")] for n in range(100)])
    assert stored(tmp_path)[0].stat().st_size < 100 * 1000
    once = tmp_path / "once"
    write(once, *[[Frame(n, "okx", f"https://rest/?start={n:0100d}", b"{}")] for n in range(300)])
    assert stored(once)[0].stat().st_size < 300 * 6000
    assert [each.route for each in read_frames(once)] == [f"https://rest/?start={n:0100d}" for n in range(300)]


def test_a_route_without_utf8_form_does_not_stop_the_recording(tmp_path: Path) -> None:
    write(tmp_path, [Frame(1, "okx", "a\ud800b", b"x")])
    assert [each.route for each in read_frames(tmp_path)] == ["a?b"]


@pytest.mark.parametrize("bad", [Frame(-1, "okx", "", b""), Frame(LATEST + 1, "okx", "", b""), Frame(1, "okx", "", bytearray(b"x"))])  # type: ignore[arg-type]
def test_what_cannot_be_recorded_is_refused_and_the_rest_goes_on(tmp_path: Path, bad: Frame) -> None:
    with Journal(tmp_path, commit_every=1000) as journal:
        journal.append(frame(1))
        with pytest.raises(JournalError, match="cannot record a frame"):
            journal.append(bad)
        assert journal.commit() == 1


def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(frame(1))
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.append(frame(2))
    assert summary(tmp_path).frames == 1


def test_a_second_writer_is_refused_in_one_line(tmp_path: Path) -> None:
    with Journal(tmp_path):
        with pytest.raises(JournalError) as refusal:
            Journal(tmp_path)
        assert str(tmp_path) in str(refusal.value)
        assert f"process {os.getpid()}" in str(refusal.value)
        assert "\n" not in str(refusal.value)
        code = "import sys; from deleverage.journal import Journal; Journal(sys.argv[1])"
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=environment())
        assert f"is being written by process {os.getpid()}" in other.stderr
    with Journal(tmp_path) as journal:
        assert journal.repaired == []


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("x")
    with pytest.raises(JournalError, match=r"occupied: it is not a directory$"):
        Journal(tmp_path / "occupied")
    with pytest.raises(JournalError, match=r"it is not a directory$"):
        Journal(tmp_path / "occupied" / "journal")


def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            with pytest.raises(JournalError, match=r"Permission denied$"):
                Journal(tmp_path / "journal")
        finally:
            os.seteuid(0)
    else:
        with pytest.raises(JournalError, match=r"Permission denied$"):
            Journal(tmp_path / "journal")
    tmp_path.chmod(0o700)


def test_an_interrupt_in_the_middle_of_a_write_ends_the_recording_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def half(handle: int, content: bytes) -> int:
        real(handle, content[: len(content) // 2])
        raise KeyboardInterrupt

    journal = Journal(tmp_path, commit_every=1000)
    journal.append(frame(1))
    journal.commit()
    journal.append(frame(2))
    monkeypatch.setattr(os, "write", half)
    with pytest.raises(KeyboardInterrupt):
        journal.commit()
    monkeypatch.setattr(os, "write", real)
    with pytest.raises(JournalError, match="1 frames were not committed, 1 committed before them are intact"):
        journal.append(frame(3))
    journal.close()
    assert [each.ts_recv for each in read_frames(tmp_path)] == [1]
    assert summary(tmp_path).torn_bytes == 0


def test_what_came_while_the_write_failed_is_counted_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, commit_every=1000)

    def full(handle: int, content: bytes) -> int:
        journal.append(frame(3))
        raise OSError(28, "No space left on device")

    journal.append(frame(1))
    journal.append(frame(2))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(JournalError, match="3 frames were not committed, 0 committed"):
            journal.commit()
    journal.close()


def test_a_failure_in_the_thread_reaches_whoever_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    for close_first in (True, False):
        journal = Journal(tmp_path, commit_every=0.01)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            journal.append(frame(1))
            journal._thread.join(SHORT)
            assert not journal._thread.is_alive()
            if close_first:
                with pytest.raises(JournalError, match="No space left on device; 1 frames were not committed"):
                    journal.close()
            else:
                with pytest.raises(JournalError, match="No space left on device; 1 frames were not committed"):
                    journal.append(frame(2))
                with pytest.raises(JournalError):
                    journal.commit()
                journal.close()
    assert not stored(tmp_path)


FILL = """
import os, resource, sys
from deleverage.errors import JournalError
from deleverage.journal import Frame, Journal
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
journal = Journal(sys.argv[1], commit_every=1000, rotate_bytes=200_000)
taken = 0
try:
    while True:
        for _ in range(100):
            journal.append(Frame(taken, "okx", "wss://x", os.urandom(500)))
            taken += 1
        journal.commit()
        if taken > 100_000:
            break
except JournalError as error:
    print(taken, journal.durable, error, sep="|")
journal.close()
"""


def check_full(directory: Path, *limit: str) -> None:
    ran = subprocess.run([sys.executable, "-c", FILL, str(directory), *limit], capture_output=True, text=True, env=environment())
    assert ran.returncode == 0, ran.stderr
    taken, durable, message = ran.stdout.strip().split("|")
    assert message.count("\n") == 0
    assert f"{int(taken) - int(durable)} frames were not committed, {durable} committed" in message
    assert [each.ts_recv for each in read_frames(directory)] == list(range(int(durable)))
    assert int(durable) >= 100
    assert summary(directory).torn_bytes == 0


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    check_full(tmp_path, "150000")


def test_a_full_disk(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        check_full(tmp_path / "journal")
        (tmp_path / "journal" / "segment-00000001.arrows").unlink()
        write(tmp_path / "journal", [frame(1)])  # with room again, recording goes on
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
