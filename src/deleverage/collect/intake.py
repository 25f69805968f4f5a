"""From sockets to parsers: every frame goes to the journal first, then through a bounded queue to one parsing thread.

When the queue is full the sockets are no longer read, so that a slow parser or disk is felt by the venue's own buffers, never
by a lost frame. Lag is the age of the oldest frame not yet parsed.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from deleverage.journal.file import Journal
from deleverage.journal.frame import Frame

BATCH = 500
"""Frames given to the consumer at a time."""


class Intake:
    """Takes frames on the event loop and gives them, in order, to `consume` on a thread of its own.

    `pause` and `resume` are called (from the loop and from the thread) when the queue fills to `capacity` frames and when half
    of it has drained. An exception of `consume` or of the journal is kept in `failure`, and nothing more is taken.
    """

    def __init__(self, journal: Journal, consume: Callable[[Sequence[Frame]], None], capacity: int) -> None:
        self.journal, self.capacity = journal, capacity
        self.failure: BaseException | None = None
        self.is_paused = False
        self.pause: Callable[[], None] = lambda: None
        self.resume: Callable[[], None] = lambda: None
        self.frames = self.bytes = self.parsed = 0
        self._consume = consume
        self._queue: deque[Frame] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._last = 0
        self._thread = threading.Thread(target=self._run, name="parse", daemon=True)
        self._thread.start()

    def now(self) -> int:
        """Return our clock in ns UTC; later than every time before, unless the machine's clock was set back by over a second."""
        now = time.time_ns()
        if self._last - 1_000_000_000 < now <= self._last:
            now = self._last + 1
        self._last = now
        return now

    def take(self, frame: Frame) -> None:
        """Journal a frame and queue it. Raises JournalError when the journal takes nothing more."""
        self.journal.append(frame)
        self.frames += 1
        self.bytes += len(frame.payload)
        self._queue.append(frame)
        if not self._wake.is_set():
            self._wake.set()
        if not self.is_paused and len(self._queue) >= self.capacity:
            self.is_paused = True
            self.pause()

    @property
    def queued(self) -> int:
        """Frames waiting to be parsed."""
        return len(self._queue)

    def lag(self) -> float:
        """Return the age in seconds of the oldest frame not yet parsed; 0 when none waits."""
        try:
            return max(time.time_ns() - self._queue[0].ts_recv, 0) / 1e9
        except IndexError:
            return 0.0

    def stop(self) -> None:
        """Parse what is queued, then end the thread."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        queue = self._queue
        try:
            while True:
                self._wake.clear()
                while queue:
                    batch = [queue.popleft() for _ in range(min(len(queue), BATCH))]
                    self._consume(batch)
                    self.parsed += len(batch)
                    if self.is_paused and len(queue) <= self.capacity // 2:
                        self.is_paused = False
                        self.resume()
                if self._stopping and not queue:
                    return
                self._wake.wait(0.2)
        except BaseException as error:  # told to whoever waits for the collector: a thread has nobody to raise to
            self.failure = error
