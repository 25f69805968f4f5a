"""What a server shows: stored data, or a recording being played. One lock guards the live state and the tables behind it."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from deleverage.analytics.coverage import Span
from deleverage.analytics.liquidations import Group, Sum
from deleverage.api.reconstructed import reconstructed
from deleverage.collect.pipeline import Pipeline, Tally
from deleverage.collect.status import CollectorStatus
from deleverage.events import Event
from deleverage.journal.frame import LATEST, RECONSTRUCTION, Frame
from deleverage.live import LONGEST, WINDOWS, Live
from deleverage.recordings import Recording
from deleverage.store.duck import DuckStore
from deleverage.store.store import Store

TICK = 0.05
"""Seconds between two steps of a playback."""
MOST_BEHIND = 0.25
"""Seconds a step may make up for: a machine that cannot keep up plays slower instead of ever larger steps."""
HURRY, HURRY_STEP = 0.3, 300_000_000_000
"""Seconds for which a playback reads on without letting others in while it makes for its opening, and by which steps (ns)."""
FLUSH = 0.5
"""Seconds after which waiting events go to the tables."""
LEAD_IN = 2_000_000_000
"""A stretch without anything recorded is skipped up to this long (ns) before the next one."""


@dataclass
class Clock:
    """Where a session stands; instants in ns UTC. `speed` is recorded seconds per second; what lies before `opens_at` is passed over."""

    now: int
    start: int
    end: int
    speed: float = 0.0
    playing: bool = False
    finished: bool = False
    opens_at: int = 0


class Session(ABC):
    """What all modes share: the tables, an optional live state, and a clock."""

    mode: Literal["playback", "stored", "live"]

    def __init__(self, store: Store, label: str, recording: Recording | None) -> None:
        self.store, self.label, self.recording = store, label, recording
        self.live: Live | None = None
        self.lock = threading.RLock()
        self.is_closed = False
        self.tally = Tally()
        self.failure = ""

    @abstractmethod
    def clock(self) -> Clock:
        """Return where the session stands."""

    def now(self) -> int:
        """Return the session's now, ns UTC."""
        return self.clock().now

    def spans(self) -> list[Span]:
        """Return the stretches in which each venue was received."""
        return self.store.spans()

    def reconstructed(self) -> list[tuple[int, int]]:
        """Return the stretches that were made again, not recorded; ns UTC, half-open."""
        return []

    @property
    def is_hurrying(self) -> bool:
        """Whether a playback is still making for where it opens."""
        return False

    def frames(self) -> dict[str, int]:
        """Return the frames behind the tables by venue."""
        found: dict[str, int] = {}
        for name, count in self.tally.by_channel.items():
            venue = name.partition("/")[0]
            found[venue] = found.get(venue, 0) + count.frames
        return found

    def failures(self) -> dict[str, int]:
        """Return the frames that could not be parsed, by venue."""
        found: dict[str, int] = {}
        for name, count in self.tally.by_channel.items():
            venue = name.partition("/")[0]
            found[venue] = found.get(venue, 0) + count.errors + count.unknown
        return found

    def collection(self) -> CollectorStatus | None:
        """Return how collecting goes; None when nothing is being collected."""
        return None

    @abstractmethod
    def flush(self) -> None:
        """Bring the tables up to the session's now."""

    def sums(self, window: int, at: int, as_of: int) -> dict[Group, Sum]:
        """Sum liquidations over [at − window, at) as known at `as_of`: from memory when that is now, else from the tables."""
        with self.lock:
            if self.live is not None and at == as_of == self.live.now:
                for name, width in WINDOWS.items():
                    if width == window:
                        return self.live.sums(name)
            self.flush()
            return self.store.liquidation_sums(at - window, at, as_of)

    def grid(self, start: int, at: int, bucket: int, as_of: int) -> list[tuple[str, int, str, int]]:
        """Return (venue, slot, position_side, micros) of [start, at) in buckets of `bucket` ns: from memory when that is now."""
        with self.lock:
            live = self.live
            if live is not None and at == as_of == live.now and at - start <= LONGEST + bucket:
                return list(live.grid(start, at, bucket))
            self.flush()
            return list(self.store.liquidation_grid(start, at, bucket, as_of))

    def rules(self, start: int, at: int, as_of: int) -> dict[str, str]:
        """Return the coverage rule of the liquidations in [start, at), by venue; `mixed` where they differ."""
        with self.lock:
            self.flush()
            return self.store.liquidation_rules(start, at, as_of)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the session still, and open, while an answer is made."""
        with self.lock:
            yield

    def last_prices(self, base: str) -> list[dict[str, object]]:
        """Return the last price seen of every contract of a base, newest first; empty without a live state."""
        with self.lock:
            found = [] if self.live is None else [(key, last) for key, last in self.live.prices.items() if last.base == base]
            return [
                {"venue": venue, "symbol": symbol, "price": last.price, "price_kind": last.price_kind, "ts_ms": last.ts_event // 1_000_000}
                for (venue, symbol), last in sorted(found, key=lambda item: -item[1].ts_event)
            ]

    def close(self) -> None:
        """Release everything, once whoever holds the lock is done."""
        with self.lock:
            self.is_closed = True
            self.store.close()


class StoredSession(Session):
    """The tables of a data directory as they are. Its now is the wall clock."""

    mode = "stored"

    def __init__(self, store: Store, label: str) -> None:
        super().__init__(store, label, None)
        spans = store.spans()
        extents = [e for e in map(store.extent, store.counts()) if e is not None and e[1] > 0]
        starts = [s.start for s in spans] or [low for low, _ in extents] or [0]
        ends = [s.end for s in spans if s.end is not None] + [high for _, high in extents] or [0]
        self._start, self._end = min(starts), max(ends)
        self._reconstructed = reconstructed(store)

    def reconstructed(self) -> list[tuple[int, int]]:
        """See `Session.reconstructed`: what the tables say of themselves."""
        return self._reconstructed

    def frames(self) -> dict[str, int]:
        """Return the journal's rows by venue, as the tables were made from them."""
        return {venue: found.rows for venue, found in self.store.ingested().items()}

    def flush(self) -> None:
        """Nothing waits: the tables are as they are."""

    def failures(self) -> dict[str, int]:
        """Return the frames that could not be parsed, by venue, as counted when the tables were made."""
        return {venue: found.failures for venue, found in self.store.ingested().items()}

    def clock(self) -> Clock:
        """Return the wall clock, and the first and last instant there is data of."""
        return Clock(time.time_ns(), self._start, self._end, finished=True)


@dataclass
class _Progress:
    frames: Iterator[Frame]
    waiting: list[Event] = field(default_factory=list)
    flushed: float = 0.0
    ahead: Frame | None = None
    is_quiet: bool = False


class PlaybackSession(Session):
    """Plays recorded frames through the live code path: pipeline, live state, tables in memory. Its now is the recording's."""

    mode = "playback"

    def __init__(
        self, frames: Callable[[], Iterable[Frame]], label: str, recording: Recording | None, *, speed: float, extent: tuple[int, int],
        stretches: Sequence[tuple[int, int]],
    ) -> None:  # fmt: skip
        """`frames` starts the recording anew; `extent` is its first and last instant; it stands still until `start`.

        What lies before the recording's `opens_at` is passed over as fast as it can be read.
        """
        super().__init__(DuckStore(None), label, recording)
        self._frames, self._stretches = frames, sorted(stretches)
        self._clock = Clock(extent[0], *extent, speed=speed, opens_at=0 if recording is None else recording.opens_at)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
        self.on_events: Callable[[Sequence[Event]], None] = lambda events: None
        self._rewind()

    def start(self) -> None:
        """Begin to play."""
        self._clock.playing = True
        self._thread.start()

    def clock(self) -> Clock:
        """Return where the playback stands; needs no lock, since every field is replaced whole."""
        return Clock(**vars(self._clock))

    def spans(self) -> list[Span]:
        """Return the stretches received so far; a connection that is open now has no end."""
        with self.lock:
            return self._pipeline.spans(still_open=True)

    def reconstructed(self) -> list[tuple[int, int]]:
        """See `Session.reconstructed`: the whole of a playback whose frames are marked so, from the first of them on."""
        is_one = self.recording is not None and self.recording.is_reconstruction
        marked = any(label.startswith(RECONSTRUCTION) for label in self._pipeline.labels)
        return [(0, LATEST)] if is_one or marked else []

    def flush(self) -> None:
        """Append the waiting events to the tables."""
        with self.lock:
            if self._progress.waiting:
                self.store.append(self._progress.waiting)
                self._progress.waiting.clear()
            self._progress.flushed = time.monotonic()

    def control(self, *, playing: bool | None = None, speed: float | None = None, to: int | None = None) -> None:
        """Play, pause, change speed, or seek to an instant (ns UTC); seeking back starts over and catches up."""
        with self.lock:
            if speed is not None:
                self._clock.speed = speed
            if playing is not None:
                if playing and self._clock.finished:
                    self._rewind()
                self._clock.playing = playing
            if to is not None:
                to = min(max(to, self._clock.start), self._clock.end + 1)
                if to < self._clock.now:
                    self._rewind()
                self._clock.opens_at = 0
                self._pass_over(to)

    @property
    def is_hurrying(self) -> bool:
        """See `Session.is_hurrying`."""
        return self._clock.now < self._clock.opens_at

    def _pass_over(self, to: int) -> None:
        """Advance without telling: what is passed over is not news."""
        self._progress.is_quiet = True
        try:
            self._advance(to)
        finally:
            self._progress.is_quiet = False

    def close(self) -> None:
        """Stop the thread and close the tables."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        super().close()

    def _rewind(self) -> None:
        """Start over with empty tables."""
        self.store.close()
        self.store = DuckStore(None)
        self._progress = _Progress(iter(self._frames()))
        self._pipeline = Pipeline(self._take)
        self.tally = self._pipeline.tally
        self._clock.now, self._clock.finished = self._clock.start, False
        self.live = Live(self._clock.start)
        self.failure = ""

    def _take(self, events: Sequence[Event]) -> None:
        assert self.live is not None
        self._progress.waiting.extend(events)
        self.live.add(events)
        if not self._progress.is_quiet:
            self.on_events(events)

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(TICK):
            moment = time.monotonic()
            elapsed, last = min(moment - last, MOST_BEHIND), moment
            with self.lock:
                if not self._clock.playing or self._clock.finished:
                    continue
                try:
                    if self.is_hurrying:
                        self._hurry()
                        continue
                    self._advance(self._skip(self._clock.now + round(elapsed * self._clock.speed * 1e9)))
                except Exception as error:  # the thread is the last to hear of it: say it on the page, and stand still
                    self.failure = f"playback stopped: {' '.join(str(error).split())[:200]}"
                    self._clock.playing = False

    def _hurry(self) -> None:
        """Read on towards where the recording opens, for a moment at a time, so that the page can be asked meanwhile."""
        until = time.monotonic() + HURRY
        while self._clock.now < self._clock.opens_at and time.monotonic() < until:
            self._pass_over(min(self._clock.now + HURRY_STEP, self._clock.opens_at))

    def _skip(self, target: int) -> int:
        """Jump over a stretch in which nothing was recorded."""
        if any(low - LEAD_IN <= target <= high for low, high in self._stretches):
            return target
        later = [low for low, _ in self._stretches if low > target]
        return max(target, min(later) - LEAD_IN) if later else target

    def _advance(self, target: int) -> None:
        assert self.live is not None
        progress, live = self._progress, self.live
        frame = progress.ahead or next(progress.frames, None)
        while frame is not None and frame.ts_recv <= target:
            progress.ahead = None
            live.advance(frame.ts_recv)
            self._pipeline.feed(frame)
            if len(progress.waiting) >= 20_000:
                self.flush()
            frame = next(progress.frames, None)
        progress.ahead = frame
        live.advance(target)
        self._clock.now = live.now
        if frame is None and target > self._clock.end:
            self._clock.finished, self._clock.playing = True, False
        self._pipeline.finish()
        if progress.waiting and time.monotonic() - progress.flushed > FLUSH:
            self.flush()
