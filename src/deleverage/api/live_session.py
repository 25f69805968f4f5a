"""A session that collects: venues' sockets into the journal, the live state and the tables. Its now is the wall clock."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from deleverage.analytics.coverage import Span
from deleverage.analytics.liquidations import Group, Sum
from deleverage.api.reconstructed import reconstructed
from deleverage.api.session import FLUSH, Clock, Session
from deleverage.collect.collector import Collector
from deleverage.collect.history import open_up_to_date
from deleverage.collect.ingest import known_contracts
from deleverage.collect.status import CollectorStatus
from deleverage.config import Settings
from deleverage.errors import DeleverageError
from deleverage.events import Event, Liquidation
from deleverage.live import LONGEST, WINDOWS, Live
from deleverage.references import SOURCES
from deleverage.store.folder import Folder
from deleverage.store.store import Ingested

CHECKPOINT = 30.0
"""Seconds between two notes in the tables of how far they reach, so that a crash is caught up quickly."""

REMEMBERED = 16
"""Instants of which the standing sums are remembered."""
RULES_KEPT = 10_000_000_000
"""Nanoseconds for which the coverage rules of a standing window are kept."""
RECENT = 2_000_000_000
"""Nanoseconds in which the live state still answers for an instant that has passed."""


class LiveSession(Session):
    """Collects from the venues on a thread of its own while it is open."""

    mode = "live"

    def __init__(self, folder: Folder, settings: Settings) -> None:
        """Bring the tables up to the journal, load the last day into the live state, and be ready to `start`."""
        super().__init__(open_up_to_date(folder), "Live", None)
        self._started = time.time_ns()
        self.live = Live(self._started)
        self.on_events: Callable[[Sequence[Event]], None] = lambda events: None
        self._waiting: deque[Sequence[Event]] = deque()
        self._flushing = threading.Lock()
        self._answering = threading.RLock()
        self._rules: dict[int, tuple[int, dict[str, str]]] = {}
        self._asked = self._flushed = 0
        self._sums: dict[int, dict[int, dict[Group, Sum]]] = {}
        listed = {name: known_contracts(self.store, name) for name in SOURCES}
        self._before = self.store.ingested()
        self._spans = self.store.spans()
        self._recall(self._started)
        self.collector = Collector(settings, folder, lock=self.lock, on_events=self._take, on_batch=self._advance, listed=listed)
        self.tally = self.collector.pipeline.tally
        self._closing = threading.Event()
        self._reconstructed = reconstructed(self.store)
        self._collecting = threading.Thread(target=self._collect, name="collect", daemon=True)
        self._writing = threading.Thread(target=self._write, name="store", daemon=True)

    def reconstructed(self) -> list[tuple[int, int]]:
        """See `Session.reconstructed`: what the tables held before collecting began."""
        return self._reconstructed

    def start(self) -> None:
        """Begin to collect."""
        for venue in SOURCES:
            before = self._before.get(venue, Ingested(0, 0, 0))
            self.store.set_ingested(venue, before._replace(until=self._started, resume=self._started, is_open=True))
        self._collecting.start()
        self._writing.start()

    def now(self) -> int:
        """Return the wall clock, ns UTC, with the standing sums remembered as they are at that instant."""
        assert self.live is not None
        with self.lock:
            self.live.advance(time.time_ns())
            at = self._asked = self.live.now
            self._sums[at] = {width: self.live.sums(name) for name, width in WINDOWS.items()}
            while len(self._sums) > REMEMBERED:
                del self._sums[next(iter(self._sums))]
        return at

    def sums(self, window: int, at: int, as_of: int) -> dict[Group, Sum]:
        """Sum liquidations over [at − window, at): what `now` remembered, else from the tables."""
        remembered = self._sums.get(at, {}).get(window) if at == as_of else None
        if remembered is not None:
            return remembered
        self.flush()
        return self.store.liquidation_sums(at - window, at, as_of)

    def grid(self, start: int, at: int, bucket: int, as_of: int) -> list[tuple[str, int, str, int]]:
        """See `Session.grid`; memory answers for the last second too, since collecting goes on while an answer is made."""
        assert self.live is not None
        with self.lock:
            if at == as_of and self.live.now - RECENT <= at <= self.live.now and at - start <= LONGEST + bucket:
                return list(self.live.grid(start, at, bucket))
        self.flush()
        return list(self.store.liquidation_grid(start, at, bucket, as_of))

    def rules(self, start: int, at: int, as_of: int) -> dict[str, str]:
        """See `Session.rules`; those of a standing window up to now are asked anew every ten seconds only: they hardly ever change."""
        width = at - start
        known = self._rules.get(width)
        if known is not None and at == as_of and 0 <= at - known[0] < RULES_KEPT:
            return known[1]
        self.flush()
        found = self.store.liquidation_rules(start, at, as_of)
        if at == as_of and width in WINDOWS.values():
            self._rules[width] = (at, found)
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the session open while an answer is made; collecting goes on."""
        with self._answering:
            yield

    def clock(self) -> Clock:
        """Return the wall clock, and since when there is data."""
        now = time.time_ns()
        return Clock(now, min((s.start for s in self._spans), default=self._started), now, speed=1.0, playing=True)

    def spans(self) -> list[Span]:
        """Return the stretches received before and since the start; a connection that is open now has no end."""
        with self.lock:
            return [*self._spans, *self.collector.pipeline.spans(still_open=True)]

    def frames(self) -> dict[str, int]:
        """Return the frames received by venue, those of earlier runs included."""
        return _added(super().frames(), {venue: found.rows for venue, found in self._before.items()})

    def failures(self) -> dict[str, int]:
        """Return the frames that could not be parsed by venue, those of earlier runs included."""
        return _added(super().failures(), {venue: found.failures for venue, found in self._before.items()})

    def collection(self) -> CollectorStatus | None:
        """Return how collecting goes."""
        return self.collector.status()

    def flush(self) -> None:
        """Append the waiting events to the tables, unless they hold everything up to the last moment asked about."""
        if self._flushed > self._asked:
            return
        with self._flushing:
            now = time.time_ns()
            events: list[Event] = []
            while self._waiting:
                events.extend(self._waiting.popleft())
            if events:
                self.store.append(events)
            self._flushed = now

    def close(self) -> None:
        """Stop collecting, parse and store what was received, close the tables."""
        self.collector.stop()
        if self._collecting.is_alive():
            self._collecting.join()
        self._closing.set()
        if self._writing.is_alive():
            self._writing.join()
        if not self.failure:
            self._checkpoint(is_last=True)
        with self._answering:
            super().close()

    def _recall(self, now: int) -> None:
        """Load the liquidations of the last day into the live state."""
        assert self.live is not None
        names = Liquidation.__struct_fields__
        rows = self.store.read("liquidations", start=now - LONGEST, end=now).to_pylist()
        self.live.add([Liquidation(**{name: row[name] for name in names}) for row in rows])
        self.live.advance(now)

    def _take(self, events: Sequence[Event]) -> None:
        assert self.live is not None
        self._waiting.append(events)
        self.live.add(events)
        self.on_events(events)

    def _advance(self, ts_recv: int) -> None:
        assert self.live is not None
        self.live.advance(ts_recv)

    def _collect(self) -> None:
        try:
            asyncio.run(self.collector.run())
        except DeleverageError as error:
            self.failure = f"collecting stopped: {error}"
        except Exception as error:  # the thread is the last to hear of it: say it on the page
            self.failure = f"collecting stopped: {type(error).__name__}: {' '.join(str(error).split())[:200]}"

    def _write(self) -> None:
        """Append events as they come, and note how far the tables reach."""
        noted = time.monotonic()
        while not self._closing.wait(FLUSH):
            try:
                self._asked = time.time_ns()
                self.flush()
                if time.monotonic() - noted > CHECKPOINT:
                    noted = time.monotonic()
                    self._checkpoint()
            except DeleverageError as error:
                self.failure = f"the tables could not be written: {error}"
                self.collector.stop()
                return

    def _checkpoint(self, is_last: bool = False) -> None:
        """Note in the tables which rows of the journal they hold, and which stretches were received."""
        collector = self.collector
        with self.lock:
            rows, until = dict(collector.rows), dict(collector.last)
            tally = collector.pipeline.finish()
            spans = collector.pipeline.spans(still_open=not is_last)
            failures = super().failures()
            resume = {venue: collector.pipeline.resume(venue, until.get(venue, self._started)) for venue in SOURCES}
        collector.commit()  # tables must never reach further than the journal
        self._asked = time.time_ns()
        self.flush()
        for venue in SOURCES:
            count = rows.get(venue, 0)
            before = self._before.get(venue, Ingested(0, 0, 0))
            events = sum(c.events for name, c in list(tally.by_channel.items()) if name.partition("/")[0] == venue)
            own = [s for s in spans if s.venue == venue]
            self.store.write_spans([*(s for s in self._spans if s.venue == venue and s.basis != "import"), *own], venue)
            failed = before.failures + failures.get(venue, 0)
            last = until.get(venue, self._started)
            self.store.set_ingested(venue, Ingested(before.rows + count, before.events + events, failed, last, resume[venue], not is_last))


def _added(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in sorted({*a, *b})}
