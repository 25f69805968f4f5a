"""The raw recording on disk: append, group commit, rotate; one writer, any number of readers, nothing acknowledged is ever lost."""

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec

from deleverage.errors import JournalError
from deleverage.journal.compaction import compact
from deleverage.journal.encoder import Encoder
from deleverage.journal.frame import LATEST, Frame
from deleverage.journal.reading import JournalSummary, known_frames, read_batches, read_frames, summary
from deleverage.journal.segment import (
    END,
    Segment,
    bounds_of,
    known_bounds,
    read_segment,
    read_stream,
    reason,
    segment_path,
    segments,
    sync_directory,
    write_bounds,
)

__all__ = ["Journal", "JournalSummary", "Repair", "compact", "known_frames", "read_batches", "read_frames", "summary"]

MIB = 1024 * 1024
_SOON = 4 * MIB
_AT_ONCE = 64 * MIB
_FRAME_BYTES = 64
"""What a buffered frame weighs besides its payload, roughly: a flood of empty frames must also fill the buffer."""


class Repair(msgspec.Struct, frozen=True):
    """A torn tail that was cut when the journal was opened: the segment's file name and how many bytes went."""

    segment: str
    bytes_cut: int


class Journal:
    """The one writer of a journal directory; made if it does not exist. Use it as a context manager.

    - `commit_every`: seconds between group commits by a thread of its own; a buffer of 4 MiB is committed sooner.
    - `rotate_bytes`, `rotate_seconds`: a segment is closed at the first commit that finds it this large or this old.
    - `fsync`: False leaves durability to the operating system (imports that can be repeated).

    `append` may be called from any thread. What was appended becomes durable in that order: `durable` counts how many frames
    are on disk. `repaired` lists the torn tail found on opening, if any. A new journal object always starts a new segment.
    After a failed write nothing more is accepted: what was committed is intact, the file is cut back to it, and the error says
    how many frames were not committed.

    Raises JournalError when the directory is being written by another process, is no directory or cannot be written.
    """

    def __init__(
        self, directory: Path, *, commit_every: float = 0.1, rotate_bytes: int = 64 * MIB, rotate_seconds: float = 3600, fsync: bool = True
    ) -> None:
        self.directory = Path(directory)
        self.repaired: list[Repair] = []
        self.durable = 0
        self._rotate_bytes, self._rotate_seconds, self._fsync = rotate_bytes, rotate_seconds, fsync
        self._buffer: list[Frame] = []
        self._weight = 0
        self._buffering = threading.Lock()
        self._committing = threading.RLock()
        self._failure: JournalError | None = None
        self._is_reported = False
        self._is_closed = False
        self._handle: int | None = None
        self._encoder = Encoder()
        self._size = 0
        self._opened_at = 0.0
        self._lock = _take_lock(self.directory)
        try:
            self._next = self._repair()
        except BaseException:
            _release_lock(self._lock)
            raise
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._commit_for_ever, args=(commit_every,), name="journal-commit", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            with suppress(JournalError):  # the error under way must not be hidden by a second one
                self.close()

    def append(self, frame: Frame) -> None:
        """Take a frame; it is durable after the next commit. Waits for the disk only when 64 MiB are waiting for it.

        Raises JournalError when the journal is closed or a write has failed, and for a `ts_recv` outside int64 nanoseconds or a
        payload that is not bytes (the frame is then not taken).
        """
        payload = frame.payload
        if type(payload) is not bytes or not 0 <= frame.ts_recv <= LATEST:
            raise JournalError(f"cannot record a frame with ts_recv {frame.ts_recv!r} and a payload of type {type(payload).__name__}")
        with self._buffering:
            if self._failure is not None or self._is_closed:
                raise self._refusal()
            self._buffer.append(frame)
            self._weight = weight = self._weight + len(payload) + _FRAME_BYTES
        if weight >= _SOON:
            if not self._wake.is_set():
                self._wake.set()
            if weight >= _AT_ONCE:
                self.commit()

    def commit(self) -> int:
        """Write what is buffered as one record batch and fsync it; return how many frames appended to this object are durable by now.

        The count includes what the thread committed: once it is n, the first n frames appended are on disk.
        Raises JournalError when the write fails or one has failed before.
        """
        try:
            return self._commit()
        except JournalError:
            self._is_reported = True
            raise

    def close(self) -> None:
        """Commit, close the segment and let the next writer in. Does nothing when called again.

        Raises JournalError when the last commit fails, or an earlier one failed and nobody has been told.
        """
        with self._buffering:
            if self._is_closed:
                return
            self._is_closed = True
        try:
            self._wake.set()
            self._thread.join()
            if self._failure is None:
                self.commit()
            elif not self._is_reported:
                raise self._refusal()
        finally:
            with self._committing:
                self._close_segment()
            _release_lock(self._lock)

    def _commit(self) -> int:
        with self._committing:
            if self._failure is not None:
                raise self._failure
            with self._buffering:
                frames, self._buffer, self._weight = self._buffer, [], 0
            if frames:
                try:
                    self._write(frames)
                except BaseException as error:  # an interrupt too: what follows half a batch would be lost with it
                    failure = self._fail(error, len(frames))
                    if isinstance(error, Exception):
                        raise failure from error
                    raise
                self.durable += len(frames)
            return self.durable

    def _commit_for_ever(self, every: float) -> None:
        while not self._is_closed and self._failure is None:
            self._wake.wait(every)
            self._wake.clear()
            with suppress(JournalError), self._committing:  # the next append, commit or close raises it where someone listens
                self._commit()
                if self._is_old():
                    self._close_segment()

    def _is_old(self) -> bool:
        return self._handle is not None and time.monotonic() - self._opened_at >= self._rotate_seconds

    def _refusal(self) -> JournalError:
        if self._failure is None:
            return JournalError(f"the journal {self.directory} is closed")
        self._is_reported = True
        return self._failure

    def _fail(self, error: BaseException, lost: int) -> JournalError:
        with self._buffering:
            lost += len(self._buffer)
            self._buffer = []
            self._failure = JournalError(
                f"cannot write the journal {self.directory}: {reason(error)}; {lost} frames were not committed, "
                f"{self.durable} committed before them are intact"
            )
        if self._handle is not None:
            with suppress(OSError):
                os.ftruncate(self._handle, self._size)
                if not self._size:
                    segment_path(self.directory, self._next - 1).unlink()
        return self._failure

    def _write(self, frames: list[Frame]) -> None:
        if self._handle is not None and (self._size >= self._rotate_bytes or self._is_old()):
            self._close_segment()
        is_new = self._handle is None
        if self._handle is None:
            path = segment_path(self.directory, self._next)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            self._next += 1
            self._encoder = Encoder()
            self._size = 0
            self._opened_at = time.monotonic()
        content = self._encoder.batch(frames)
        _write_all(self._handle, content)
        if self._fsync:
            os.fsync(self._handle)
            if is_new:
                sync_directory(self.directory)
        self._size += len(content)

    def _close_segment(self) -> None:
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        segment = Segment(self._next - 1, segment_path(self.directory, self._next - 1))
        try:
            if self._size:
                size = _mark_end(handle, self._size)
                write_bounds(segment, self._encoder.bounds(segment.path.name, size))
        finally:
            os.close(handle)

    def _repair(self) -> int:
        """Cut the newest segment's torn tail, close it, compute missing bounds; return the number of the next segment."""
        found = segments(self.directory)
        try:
            if found and found[-1].path.suffix == ".arrows":
                self._repair_last(found[-1])
        except (OSError, ValueError) as error:
            raise JournalError(f"cannot open the journal {self.directory}: {found[-1].path.name}: {reason(error)}") from error
        for segment in found:
            if segment.path.exists() and known_bounds(segment) is None:
                _remember(segment)
        return found[-1].number + 1 if found else 1

    def _repair_last(self, last: Segment) -> None:
        content = read_stream(last.path.read_bytes())
        if content.torn_bytes:
            self.repaired.append(Repair(last.path.name, content.torn_bytes))
        if not content.whole:
            last.path.unlink()
        elif content.torn_bytes or not content.is_closed:
            handle = os.open(last.path, os.O_WRONLY)
            try:
                os.ftruncate(handle, content.whole)
                if not content.is_closed:
                    _mark_end(handle, content.whole)
                if self._fsync:
                    os.fsync(handle)
            finally:
                os.close(handle)


def _remember(segment: Segment) -> None:
    with suppress(JournalError):
        write_bounds(segment, bounds_of(segment, read_segment(segment)))


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _mark_end(handle: int, size: int) -> int:
    """Close the stream and return the file's size; where the mark does not fit, the stream reads the same without it."""
    with suppress(OSError):
        if os.pwrite(handle, END, size) == len(END):
            return size + len(END)
    with suppress(OSError):
        os.ftruncate(handle, size)
    return size


def _take_lock(directory: Path) -> int:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise JournalError(f"cannot open the journal {directory}: {_why_not(directory, error)}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        with suppress(OSError):  # the number is a courtesy; a full disk is reported by the first commit
            os.pwrite(handle, str(os.getpid()).encode(), 0)
    except BlockingIOError as error:
        writer = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        by = f"process {writer}" if writer.isdigit() else "another process"
        raise JournalError(f"the journal {directory} is being written by {by}; stop it, or choose another directory") from error
    except OSError as error:
        os.close(handle)
        raise JournalError(f"cannot lock the journal {directory}: {reason(error)}") from error
    return handle


def _why_not(directory: Path, error: OSError) -> str:
    return "it is not a directory" if isinstance(error, FileExistsError | NotADirectoryError) else reason(error)


def _release_lock(handle: int) -> None:
    with suppress(OSError):
        os.ftruncate(handle, 0)
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
