"""Everything that is collected from one venue: its contracts, its sockets, its questions, its clock."""

import asyncio
import time
from collections.abc import Callable, Iterator

from deleverage.collect.backfill import SECOND, Backfill, Begun, stretches
from deleverage.collect.gate import Gate
from deleverage.collect.intake import Intake
from deleverage.collect.polling import Poller
from deleverage.collect.questions import discovery, standing
from deleverage.collect.reconnecting import Reconnecting
from deleverage.collect.status import ConnectionStatus
from deleverage.config import CollectSettings, VenueSettings
from deleverage.errors import VenueError
from deleverage.instruments import Instrument
from deleverage.tables import TABLES
from deleverage.venues.venue import Subscription, Venue, Wanted

DISCOVERY = 20.0
"""Seconds to wait for the lists of contracts before sockets are opened with what is known."""
CLOCK_EVERY = 60.0
CLOCK_AT_FIRST = 15.0
"""Seconds between two looks at the venue's clock, and between the first few, and while it is off."""
CLOCK_READINGS = 5
"""Readings of the clock kept; the one with the shortest round trip counts."""


class VenueCollector:
    """Collects from one venue. `listed` are its contracts by venue symbol; `relist` is told when they changed.

    `gap(venue, channels, route, start, end, reason)` is called with every stretch a socket lost.
    """

    def __init__(
        self, venue: Venue, intake: Intake, how: VenueSettings, settings: CollectSettings, numbers: Iterator[int],
        on_gap: Callable[["VenueCollector", Reconnecting, int, int, str], None], listed: dict[str, Instrument],
    ) -> None:  # fmt: skip
        self.venue, self.listed = venue, listed
        self.gate = Gate(venue.limits)
        self.poller = Poller(venue, intake, self.gate, how)
        self.sockets: dict[Reconnecting, asyncio.Task[None]] = {}
        self.backfill = Backfill(self.poller)
        self.clock: tuple[int, int] | None = None
        self.last_error = ""
        self.is_discovered = self.is_begun = False
        self.planned_at = 0.0
        self._intake, self._how, self._settings, self._numbers, self._on_gap = intake, how, settings, numbers, on_gap
        self._changed = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Collect until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._watch_clock())
                found = tasks.create_task(self._discover())
                if not self.listed:
                    await asyncio.wait({found}, timeout=DISCOVERY)
                    await self._parsed()
                self._plan()
                tasks.create_task(self.poller.run())
                if self._settings.backfill:
                    tasks.create_task(self.backfill.run())
                while True:
                    await self._changed.wait()
                    await asyncio.sleep(max(self.planned_at + self._settings.relist_seconds - time.monotonic(), 0.5))
                    self._changed.clear()
                    self._plan()
        finally:
            await self.poller.close()

    def relist(self) -> None:
        """Plan anew: contracts came or went."""
        self._changed.set()

    def wanted(self) -> Wanted:
        """Say what to subscribe."""
        settings = self._settings
        options, bases = frozenset(settings.option_bases), frozenset(settings.bases)
        now = self._intake.now()
        book = list(self.listed.values())  # a copy at once: the parsing thread adds to it
        trading = tuple(
            i
            for i in sorted(book, key=lambda i: i.venue_symbol)
            if i.is_trading and (i.expiry is None or i.expiry > now) and (i.kind != "option" or i.base in options)
        )
        return Wanted(kinds=frozenset(settings.kinds or TABLES), instruments=trading, detail=bases | options)

    def fill(self, start: int, end: int) -> int:
        """Ask for what was missed in [start, end), ns UTC; return how many questions that takes."""
        if not self._settings.backfill:
            return 0
        wanted, taken = self.wanted(), 0
        for history in self.venue.histories:
            if history.fills_gaps and history.name in wanted.kinds and end - start >= history.shortest_gap * SECOND:
                bases = None if history.name == "liquidations" else wanted.detail
                taken += self.backfill.want(stretches(history, wanted.instruments, bases, start, end, end))
        return taken

    def begin(self, begun: Begun, ended: int | None = None) -> bool:
        """Ask for the days before the first start, and for what was missed since `ended` (ns UTC), once; True when `begun` changed."""
        if self.is_begun:
            return False
        self.is_begun = True
        if ended is not None:
            self.fill(ended, self._intake.now())
        wanted, now, is_new = self.wanted(), self._intake.now(), False
        days = self._settings.backfill_days
        for history in self.venue.histories if self._settings.backfill else ():
            name = f"{self.venue.name} {history.name} {history.url} {history.body}"
            if not history.on_start or history.name not in wanted.kinds or begun.asked.get(name, 0.0) >= days:
                continue
            begun.asked[name] = days
            is_new = True
            start = now - int((history.back or days * 86_400) * SECOND)
            self.backfill.want(stretches(history, wanted.instruments, wanted.detail, start, now, now))
        return is_new

    async def _discover(self) -> None:
        """Ask for the lists of contracts until each was answered once."""
        left = discovery(self.venue)
        pause = 1.0
        while left:
            for question in list(left):
                try:
                    await self.poller.ask(question)
                    left.remove(question)
                except VenueError as error:
                    self.last_error = str(error)
            if left:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 60)
        await self._parsed()
        self.is_discovered = True
        self.relist()

    async def _parsed(self) -> None:
        """Wait until what has been taken so far is parsed, at most a few seconds."""
        target = self._intake.frames
        for _ in range(100):
            if self._intake.parsed >= target:
                return
            await asyncio.sleep(0.05)

    def _plan(self) -> None:
        """Open, replace and close sockets so that they carry the subscriptions planned for the contracts listed now."""
        assert self._tasks is not None
        wanted = self.wanted()
        self.planned_at = time.monotonic()
        plan = self.venue.subscribe(wanted)
        kept = [socket for socket in self.sockets if not self.sockets[socket].done()]
        new: list[Subscription] = []
        for subscription in plan:
            same = next((s for s in kept if s.subscription == subscription), None)
            if same is None:
                new.append(subscription)
            else:
                kept.remove(same)
        for subscription in new:
            old = next((s for s in kept if s.subscription.url == subscription.url), None)
            if old is not None:
                kept.remove(old)
                old.replace(subscription, "contracts were listed or delisted")
                continue
            socket = Reconnecting(
                self.venue, subscription, self._intake, self.gate, self._how, rotate=self._settings.rotate_hours * 3600,
                renumber=self._numbers, on_gap=self._gap,
            )  # fmt: skip
            self.sockets[socket] = self._tasks.create_task(socket.run())
        for socket in kept:
            self.sockets.pop(socket).cancel()
        questions = standing(self.venue, wanted.instruments, wanted.detail)
        kinds = wanted.kinds | {"instruments"}
        self.poller.plan({q: every for q, every in questions.items() if q.name not in TABLES or q.name in kinds})

    def _gap(self, socket: Reconnecting, start: int, end: int, reason: str) -> None:
        self._on_gap(self, socket, start, end, reason)

    async def _watch_clock(self) -> None:
        """Keep an estimate of how far the venue's clock is from ours."""
        readings: list[tuple[int, int]] = []
        if self.venue.clock is None:
            return
        while True:
            try:
                newest = await self.poller.time()
                best = min([*readings, newest], key=lambda reading: reading[1])
                moved = abs(newest[0] - best[0]) > newest[1] + best[1]  # a clock was set: older readings say nothing any more
                readings = [newest] if moved else [*readings[1 - CLOCK_READINGS :], newest]
                self.clock = newest if moved else best
            except (VenueError, ValueError, LookupError, TypeError) as error:
                self.last_error = str(error)
            is_off = self.clock is not None and abs(self.clock[0]) > SECOND
            await asyncio.sleep(CLOCK_AT_FIRST if len(readings) < 3 or is_off else CLOCK_EVERY)


def describe(socket: Reconnecting) -> ConnectionStatus:
    """Write a socket for the status: the connection in use, and what became of those before it."""
    current, route = socket.current, socket.subscription.url
    if current is None:
        return ConnectionStatus(0, route, "", 0, 0, 0, 0, socket.outages, socket.last_error)
    return ConnectionStatus(
        current.number, route, current.address, current.opened_at, current.frames, current.bytes, current.last_recv, socket.outages,
        socket.last_error,
    )  # fmt: skip
