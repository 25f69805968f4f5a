"""What venues still tell of the past: asked after a gap, and 30 days back on first start; the answers go the way all frames go.

Events know by themselves that they are backfill: their parsers say so. Asking twice gives the same rows, which are taken once.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from deleverage.collect.polling import Poller
from deleverage.collect.questions import about, past
from deleverage.errors import Refused, VenueError
from deleverage.instruments import Instrument
from deleverage.venues.venue import History

RESERVE = 0.5
"""Share of a venue's budget left to its standing questions."""
SHORTEST = 1_000_000
"""A stretch (ns) that is not halved any further."""
ATTEMPTS = 4
SECOND = 1_000_000_000
WAITING = 200_000
"""Stretches waiting to be asked at most; more is refused, and said."""


class Stretch(NamedTuple):
    """A part of the past to ask for: [start, end), ns UTC, of the contract `names` fill in."""

    history: History
    names: dict[str, str]
    start: int
    end: int


class Backfill:
    """Asks one venue for its past, oldest request first. `asked`, `failed` and `full` count answers; `last_error` is in words."""

    def __init__(self, poller: Poller) -> None:
        self.poller = poller
        self.asked = self.failed = self.full = 0
        self.last_error = ""
        self._waiting: deque[Stretch] = deque()
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """Stretches still to be asked."""
        return len(self._waiting)

    def want(self, stretches: Iterable[Stretch]) -> int:
        """Take stretches to ask for; return how many were taken."""
        taken = 0
        for stretch in stretches:
            if len(self._waiting) >= WAITING:
                self.last_error = f"more than {WAITING:,} stretches wait to be asked; the rest is left out"
                break
            self._waiting.append(stretch)
            taken += 1
        if taken:
            self._idle.clear()
            self._more.set()
        return taken

    async def done(self) -> None:
        """Wait until nothing is left to ask."""
        await self._idle.wait()

    async def run(self) -> None:
        """Ask what is wanted until cancelled."""
        while True:
            if not self._waiting:
                self._idle.set()
                self._more.clear()
                await self._more.wait()
            await self._ask(self._waiting.popleft())

    async def _ask(self, stretch: Stretch) -> None:
        for attempt in range(ATTEMPTS):
            try:
                answer = await self.poller.ask(about(stretch.history, stretch.names, stretch.start, stretch.end), RESERVE)
            except Refused as error:
                self.last_error = str(error)  # the gate waits out the ban
            except VenueError as error:
                self.last_error = str(error)
                await asyncio.sleep(0.5 * 2**attempt)
            else:
                self.asked += 1
                self._halve(stretch, answer)
                return
        self.failed += 1

    def _halve(self, stretch: Stretch, answer: bytes) -> None:
        """Ask both halves of a stretch whose answer left rows out."""
        try:
            is_full = stretch.history.is_full(answer)
        except (msgspec.MsgspecError, ValueError, LookupError, TypeError) as error:
            self.last_error = f"an answer about {stretch.history.name} cannot be read: {' '.join(str(error).split())[:120]}"
            return
        length = stretch.end - stretch.start
        if is_full and length >= 2 * SHORTEST:
            self.full += 1
            middle = stretch.start + length // 2 // SHORTEST * SHORTEST
            self._waiting.appendleft(stretch._replace(start=middle))
            self._waiting.appendleft(stretch._replace(end=middle))


def stretches(
    history: History, listed: Iterable[Instrument], bases: Collection[str] | None, start: int, end: int, now: int
) -> Iterator[Stretch]:
    """Cut [start, end), ns UTC, into questions as long as the history allows, for every contract; what lies too deep is left out."""
    longest = max(int(history.longest * SECOND), SECOND)
    low = max(start, now - int(history.depth * SECOND))
    for names in past(history, listed, bases):
        at = low
        while at < end:
            yield Stretch(history, names, at, min(at + longest, end))
            at += longest


class Begun(msgspec.Struct):
    """What the first-start backfill of a data directory was asked for: question → days back, kept in a small file."""

    asked: dict[str, float] = {}

    @classmethod
    def read(cls, path: Path) -> "Begun":
        """Read the file; a missing or damaged one knows nothing, so that everything is asked again, which does no harm."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return cls()

    def write(self, path: Path) -> None:
        """Replace the file."""
        spare = path.with_suffix(".new")
        spare.write_bytes(msgspec.json.encode(self))
        spare.replace(path)
