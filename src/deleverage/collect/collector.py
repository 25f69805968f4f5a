"""Collects from every enabled venue until stopped: sockets and questions into the journal, frames into events, feeds into states."""

import asyncio
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import msgspec

from deleverage.collect.backfill import Begun
from deleverage.collect.expected_rates import asked_for
from deleverage.collect.feed_state import FeedMonitor, FeedState, Line, Reading
from deleverage.collect.intake import Intake
from deleverage.collect.node_fills import NodeFills
from deleverage.collect.pipeline import Count, Pipeline
from deleverage.collect.positions import PositionWatch
from deleverage.collect.reconnecting import Reconnecting
from deleverage.collect.reference_feeds import ReferenceFeeds
from deleverage.collect.sequences import BOOKS, SequenceWatch
from deleverage.collect.status import ChannelStatus, CollectorStatus, IntakeStatus, VenueStatus
from deleverage.collect.venue_collector import VenueCollector, describe
from deleverage.collect.volume import expected
from deleverage.config import Settings
from deleverage.errors import JournalError
from deleverage.events import BookDepth, Event
from deleverage.instruments import Instrument
from deleverage.journal.file import Journal
from deleverage.journal.frame import Frame
from deleverage.journal.reading import summary
from deleverage.journal.upkeep import check_disk, free_gb, keep
from deleverage.log import complain, log
from deleverage.store.folder import Folder
from deleverage.venues import VENUES
from deleverage.venues.venue import Subscription

TICK = 1.0
"""Seconds between two looks at the feeds."""
UPKEEP_TICKS, REPORT_TICKS = 900, 3600
"""Looks between two tidyings of the journal, and between two lines in the log that say how it goes."""
LOST = ("down", "silent", "blind", "skewed")
"""States of a liquidation channel in which what it says is no measure of what happened."""
CURABLE = ("silent", "blind")
CURE_EVERY = 120.0
"""Seconds between two attempts to cure a feed by opening its sockets anew."""


class Collector:
    """One collection, from `run` to `stop`. Frames are parsed on a thread of the intake, under `lock`.

    - `on_events`: given the events of each frame, on that thread; `on_batch(ts_recv)`: called after each batch.
    - `rows`, `last`: rows taken by venue, and the `ts_recv` of the last of them (ns UTC), as far as parsed.
    - `listed`: contracts known from before, by venue, so that sockets open without waiting for the lists.
    Raises JournalError when the directory cannot be written.
    """

    def __init__(
        self, settings: Settings, folder: Folder, *, lock: AbstractContextManager[object], on_events: Callable[[Sequence[Event]], None],
        on_batch: Callable[[int], None] = lambda ts_recv: None, listed: Mapping[str, Sequence[Instrument]] | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.lock = lock
        self.started_at = time.time_ns()
        self.rows: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.pipeline = Pipeline(self._sink, listed)
        self.failure = ""
        self._on_events, self._on_batch = on_events, on_batch
        self.folder = folder
        self._ended = summary(folder.journal).last if folder.journal.is_dir() else None
        check_disk(folder.path, settings.journal.least_free_gb)
        self._journal = Journal(folder.journal)
        self.intake = Intake(self._journal, self._consume, settings.collect.queue_frames)
        self._numbers = itertools.count(int(time.time()))
        self._listed = {name: {i.venue_symbol: i for i in (listed or {}).get(name, ())} for name in VENUES}
        self.venues: dict[str, VenueCollector] = {}
        self.references = ReferenceFeeds(settings, self.intake, self._numbers)
        self.monitor = FeedMonitor(self.started_at)
        self._sequences = SequenceWatch()
        self._holes: deque[tuple[str, str, str]] = deque(maxlen=10_000)
        self.positions = PositionWatch(settings.hyperliquid)
        self.states: dict[tuple[str, str], FeedState] = {}
        self._cured: dict[str, tuple[float, int]] = {}
        self._ticks = 0
        self._heard: dict[Reconnecting, list[str]] = {}
        self._asked: dict[Subscription, tuple[str, ...]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._stopped_early = threading.Event()

    async def run(self) -> None:
        """Collect until `stop`, or until the journal fails; what was received by then is journalled and parsed.

        Raises JournalError or whatever ended the parsing thread.
        """
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        if self._stopped_early.is_set():
            self._stopping.set()
        self._say_absence()
        self.intake.pause, self.intake.resume = self._pause, lambda: self._soon(self._resume)
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, venue in VENUES.items():
                    how = self.settings.venue(name)
                    if how.enabled:
                        collector = VenueCollector(
                            venue, self.intake, how, self.settings.collect, self._numbers, self._gap, self._listed[name]
                        )
                        self.venues[name] = collector
                        tasks.create_task(self._collect(collector))
                for reference in self.references.collectors.values():
                    tasks.create_task(self._collect(reference))
                if "hyperliquid" in self.venues:
                    self._watch_hyperliquid(tasks)
                tasks.create_task(self._watch())
                await self._stopping.wait()
                raise _Stopped
        except* _Stopped:
            pass
        finally:
            self._close_gaps()
            await asyncio.sleep(0)  # the sockets say their close rows
            await asyncio.to_thread(self.intake.stop)
            await asyncio.to_thread(self._journal.close)
        if self.intake.failure is not None:
            raise self.intake.failure
        if self.failure:
            raise JournalError(self.failure)

    def _watch_hyperliquid(self, tasks: asyncio.TaskGroup) -> None:
        """See more of Hyperliquid than its public streams tell: positions by account, and a node's own fills."""
        if self.settings.hyperliquid.watch_weight:
            tasks.create_task(self.positions.run(self.venues["hyperliquid"].poller))
        if self.settings.hyperliquid.node_fills:
            folder = Path(self.settings.hyperliquid.node_fills).expanduser()
            tasks.create_task(NodeFills(folder, self.folder.path / "node_fills.json", self.intake).run())

    def stop(self) -> None:
        """End the collection; may be called from any thread, before `run` as well."""
        self._stopped_early.set()
        if self._stopping is not None:
            self._soon(self._stopping.set)

    def commit(self) -> None:
        """Make what was received so far durable; may be called from any thread. Raises JournalError."""
        self._journal.commit()

    def status(self) -> CollectorStatus:
        """Return how the collection stands now."""
        intake, counts = self.intake, dict(self.pipeline.tally.by_channel)
        return CollectorStatus(
            self.started_at, time.time_ns(), self.failure, self.expected_gb(), round(free_gb(self.folder.journal), 1),
            IntakeStatus(
                intake.queued, intake.capacity, intake.lag(), intake.is_paused, intake.frames, intake.bytes, intake.parsed,
                self._journal.durable,
            ),
            [self._venue_status(collector, counts) for collector in list(self.venues.values())], self.references.statuses(),
        )  # fmt: skip

    def expected_gb(self) -> float | None:
        """Return the gigabytes a day the journal is expected to grow by; None until contracts are known."""
        plans = [(name, collector.wanted()) for name, collector in list(self.venues.items())]
        return round(expected(plans), 1) if any(wanted.instruments for _, wanted in plans) else None

    def _venue_status(self, collector: VenueCollector, counts: dict[str, Count]) -> VenueStatus:
        name, gate = collector.venue.name, collector.gate
        overall = self.monitor.overall(name, collector.venue.liquidation_channels)
        offset, error = collector.clock or (None, None)
        none = Count()
        channels = []
        for (venue, channel), state in sorted(self.states.items()):
            if venue == name:
                count = counts.get(f"{name}/{channel}", none)
                channels.append(ChannelStatus(
                    channel, state.state, state.since, state.evidence, state.rate_per_minute, state.expected_per_minute, count.last_recv,
                    state.lag_seconds, count.frames, count.events, count.errors + count.unknown,
                ))  # fmt: skip
        return VenueStatus(
            name, "down" if overall is None else overall.state, collector.last_error if overall is None else overall.evidence,
            0 if overall is None else overall.since, len(collector.listed), offset, error, gate.weight_used, gate.limits.weight,
            gate.banned_seconds, gate.ban_reason if gate.is_banned else "", collector.last_error, collector.backfill.waiting,
            collector.backfill.asked, collector.backfill.failed, [describe(socket) for socket in list(collector.sockets)], channels,
            collector.poller.statuses(), self.positions.words() if name == "hyperliquid" else "",
        )  # fmt: skip

    async def _collect(self, collector: VenueCollector) -> None:
        """Run one venue; what goes wrong in it must not end the others."""
        while True:
            try:
                await collector.run()
            except* Exception as errors:
                collector.last_error = f"collecting stopped and began anew: {' '.join(str(errors.exceptions[0]).split())[:200]}"
                log().error("venue", venue=collector.venue.name, reason=collector.last_error)
            await asyncio.sleep(5)

    def _soon(self, call: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _pause(self) -> None:
        for collector in self.venues.values():
            for socket in collector.sockets:
                for connection in socket.connections():
                    connection.pause()

    def _resume(self) -> None:
        for collector in self.venues.values():
            for socket in collector.sockets:
                for connection in socket.connections():
                    connection.resume()

    def _consume(self, frames: Sequence[Frame]) -> None:
        """Parse a batch; on the intake's thread."""
        rows, last, feed = self.rows, self.last, self.pipeline.feed
        with self.lock:
            for frame in frames:
                if frame.direction == "open":
                    self._sequences.reset(frame.venue)
                feed(frame)
                rows[frame.venue] = rows.get(frame.venue, 0) + 1
                last[frame.venue] = frame.ts_recv
            self._on_batch(frames[-1].ts_recv)

    def _sink(self, events: Sequence[Event]) -> None:
        if type(events[0]) is Instrument:
            self._learn(events)
        self.monitor.saw(events)
        self.references.saw(events)
        if type(events[0]) is BookDepth:
            for event, words in self._sequences.saw(events):
                self._holes.append((event.venue, BOOKS[event.venue], words))
        if events[0].venue == "hyperliquid":
            self.positions.saw(events)
        self._on_events(events)

    def _learn(self, events: Sequence[Event]) -> None:
        changed = set()
        for event in events:
            if isinstance(event, Instrument):
                book = self._listed[event.venue]
                before = book.get(event.venue_symbol)
                book[event.venue_symbol] = event
                if before is None or before.status != event.status:
                    changed.add(event.venue)
        for venue in changed:
            self._soon(partial(self._relist, venue))

    def _relist(self, venue: str) -> None:
        if venue in self.venues:
            self.venues[venue].relist()

    def _gap(self, collector: VenueCollector, socket: Reconnecting, start: int, end: int, reason: str) -> None:
        """A socket hears again: say what it lost."""
        for channel in self._heard.pop(socket, None) or self._channels(collector.venue.name, socket.subscription) or ["*"]:
            self._say_gap(collector.venue.name, channel, start, end, reason, socket.subscription.url)
        collector.fill(start, end)

    def _say_absence(self) -> None:
        """Nothing was collected since the journal ended: say so for every venue, and have it filled once contracts are known."""
        if self._ended is None:
            return
        now = self.intake.now()
        for name in VENUES:
            if self.settings.venue(name).enabled:
                self._say_gap(name, "*", self._ended, now, "nothing was being collected")

    def _close_gaps(self) -> None:
        """We stop: what is a gap until now is one until now; what follows is our absence."""
        if self.intake.failure is not None or self.failure:
            return
        now = self.intake.now()
        for (venue, channel), state in self.states.items():
            if state.state in LOST and VENUES[venue].carries_liquidations(channel):
                self._say_gap(venue, channel, state.since, now, f"{state.state}: {state.evidence}")

    def _say_gap(self, venue: str, channel: str, start: int, end: int | None, reason: str, route: str = "") -> None:
        payload = msgspec.json.encode({"channel": channel, "start": start, "end": end, "reason": reason})
        self.intake.take(Frame(self.intake.now(), venue, route, payload, "gap"))

    async def _watch(self) -> None:
        """Look at the feeds once a second, at the disk and at what was let lie less often."""
        begun = Begun.read(self.folder.begun)
        while True:
            await asyncio.sleep(TICK)
            for collector in (*self.venues.values(), *self.references.collectors.values()):
                if collector.is_discovered and collector.begin(begun, self._ended):
                    begun.write(self.folder.begun)
            try:
                if self.intake.failure is not None:
                    raise self.intake.failure
                self._look(self.intake.now())
                if self._ticks % 10 == 0:
                    check_disk(self.folder.journal, self.settings.journal.least_free_gb)
            except JournalError as error:
                self.failure = str(error)
                log().error("collecting stops", reason=self.failure)
                self.stop()
                return
            self._ticks += 1
            if self._ticks % UPKEEP_TICKS == 0:
                await self._tidy()
            if self._ticks in (5, 30, 300) or self._ticks % REPORT_TICKS == 0:
                self._report()

    async def _tidy(self) -> None:
        """Compact and let go what the settings say."""
        kept = self.settings.journal
        try:
            made, gone = await asyncio.to_thread(
                keep, self.folder.journal, compact_after_hours=kept.compact_after_hours, keep_days=kept.keep_days
            )
        except JournalError as error:
            complain("upkeep", "the journal could not be tidied", reason=str(error))
        else:
            if made or gone:
                log().info("journal tidied", compacted=made, deleted=gone)

    def _report(self) -> None:
        """Say how it goes."""
        status = self.status()
        states = {v.venue: v.state for v in status.venues}
        log().info(
            "collecting", frames=status.intake.frames, lag_seconds=round(status.intake.lag_seconds, 2), free_gb=status.free_gb,
            expected_gb_a_day=status.expected_gb_a_day, **states,
        )  # fmt: skip

    def _look(self, now: int) -> None:
        monitor = self.monitor
        for name, collector in self.venues.items():
            if collector.clock is not None:
                monitor.clock(name, *collector.clock)
            lines = []
            for socket in collector.sockets:
                current = socket.current
                if current is not None and current.frames:
                    heard = self.pipeline.channels(name, current.route, current.number)
                    if heard:
                        self._heard[socket] = heard
                channels = self._channels(name, socket.subscription)
                lines.append(Line(channels, 0 if current is None else current.opened_at, socket.last_error))
            monitor.lines(name, lines, now)
        self._say_holes(now)
        counts = list(self.pipeline.tally.by_channel.items())
        monitor.observe(now, [_reading(name, c.heard, c.events, c.last_recv, c.newest) for name, c in counts])
        for reference in self.references.look(now):
            self._say_state(reference, now)
        dead: dict[str, list[str]] = {}
        for state in monitor.states(now):
            self._believe(state, now)
            if state.state in CURABLE:
                dead.setdefault(state.venue, []).append(state.channel)
        for venue in self.venues:
            if venue in dead:
                self._cure(venue, dead[venue], f"{', '.join(dead[venue])} cannot be believed")
            elif venue in self._cured and time.monotonic() - self._cured[venue][0] > CURE_EVERY:
                del self._cured[venue]

    def _say_holes(self, now: int) -> None:
        """Updates that never came are gaps; a book with a hole is no book, so its sockets are opened anew."""
        told = set()
        while self._holes:
            venue, channel, words = self._holes.popleft()
            self.monitor.sequence_gap(venue, channel, words, now)
            if venue not in told:
                told.add(venue)
                self._say_gap(venue, channel, now, now + 1, words)
                self._cure(venue, [channel], "numbers of a book were left out")

    def _cure(self, venue: str, channels: Sequence[str], why: str) -> None:
        """Open the sockets of some channels anew; again after two minutes, and ever less often while it does not help."""
        last, times = self._cured.get(venue, (-CURE_EVERY, 0))
        if time.monotonic() - last >= min(CURE_EVERY * 2 ** max(times - 2, 0), 3600.0):
            self._cured[venue] = (time.monotonic(), times + 1)
            for socket in self.venues[venue].sockets:
                if socket.current is not None and set(self._channels(venue, socket.subscription)) & set(channels):
                    socket.replace(None, why)

    def _channels(self, venue: str, subscription: Subscription) -> tuple[str, ...]:
        """Return the channels a subscription asks for."""
        found = self._asked.get(subscription)
        if found is None:
            found = self._asked[subscription] = tuple(asked_for(venue, b"\n".join(subscription.frames)))
        return found

    def _believe(self, state: FeedState, now: int) -> None:
        """Journal a change of what is believed of a feed; a liquidation channel that is not to be believed is a gap."""
        key = (state.venue, state.channel)
        before = self.states.get(key)
        self.states[key] = state
        if before is not None and before.state == state.state:
            return
        self._say_state(state, now, is_new=before is None)
        if not VENUES[state.venue].carries_liquidations(state.channel):
            return
        if before is not None and before.state in LOST:
            self._say_gap(state.venue, state.channel, before.since, now, f"{before.state}: {before.evidence}")
        if state.state in LOST:
            self._say_gap(state.venue, state.channel, state.since, None, f"{state.state}: {state.evidence}")

    def _say_state(self, state: FeedState, now: int, is_new: bool = False) -> None:
        """Log and journal what is believed of a feed from now on; that a new one is live is not worth a line."""
        if not is_new or state.state != "live":
            say = log().info if state.state == "live" else log().warning
            say("feed", venue=state.venue, channel=state.channel, state=state.state, evidence=state.evidence)
        said = {"channel": state.channel, "state": state.state, "evidence": state.evidence, "since": state.since}
        self.intake.take(Frame(now, state.venue, "", msgspec.json.encode(said), "state"))


class _Stopped(Exception):
    """The collection was asked to end."""


def _reading(name: str, frames: int, events: int, last: int, newest: int) -> Reading:
    venue, _, channel = name.partition("/")
    return Reading(venue, channel, frames, events, last, newest)
