"""One planned subscription kept received: reconnect for ever, replace in time, the new socket heard before the old one goes."""

import asyncio
import random
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from deleverage.collect.connection import Connection
from deleverage.collect.gate import Gate
from deleverage.collect.intake import Intake
from deleverage.config import VenueSettings
from deleverage.errors import Refused, VenueError
from deleverage.venues.venue import Subscription, Venue

FIRST_DELAY = 0.2
"""Seconds before the second attempt to reconnect, at most; the first one waits for nothing, and every next one twice as long."""
SHORT_OUTAGE = 60.0
"""Seconds of outage during which attempts are at most `SHORT_DELAY` apart."""
SHORT_DELAY = 3.0
LONG_DELAY = 40.0
OVERLAP = 10.0
"""Seconds a new socket may take to hear something before it replaces the old one anyway."""
PROVEN = 20.0
"""Seconds a socket must have lived for the next attempt to be quick again: one that is closed at once is tried ever more slowly."""
SETTLE = 1.0
"""Seconds both sockets are heard after the new one has heard something."""


class Reconnecting:
    """Keeps one subscription received over one socket after the other, `run` until cancelled.

    - `outages`: how often the socket was lost, replacements not counted; `last_error`: why it was last lost or not opened.
    - `renumber` gives connections their numbers, which are unique within a journal.
    - `on_gap(start, end, reason)`: called when it hears again, with the stretch (ns UTC) in which nothing was heard.
    """

    def __init__(
        self, venue: Venue, subscription: Subscription, intake: Intake, gate: Gate, how: VenueSettings, *, rotate: float,
        renumber: Iterator[int], on_gap: Callable[["Reconnecting", int, int, str], None],
    ) -> None:  # fmt: skip
        self.venue, self.subscription = venue, subscription
        self.current: Connection | None = None
        self.outages = 0
        self.last_error = ""
        self.lost_at = 0
        self._intake, self._gate, self._how = intake, gate, how
        self._rotate = min(rotate, 0.95 * (venue.heartbeat.lifetime or rotate))
        self._numbers = renumber
        self._on_gap = on_gap
        self._replace = asyncio.Event()
        self._why = ""
        self._live: set[Connection] = set()
        self._attempt = 0

    def replace(self, subscription: Subscription | None, why: str) -> None:
        """Open a new socket (with another subscription, unless None) and close this one once the new one hears."""
        if subscription is not None:
            self.subscription = subscription
        self._why = why
        self._replace.set()

    def connections(self) -> tuple[Connection, ...]:
        """Return the sockets open now: one, or two while one replaces the other."""
        return tuple(self._live)

    async def run(self) -> None:
        """Keep the subscription received until cancelled."""
        try:
            while True:
                connection = await self._connect()
                self.current = connection
                while not connection.closed.done():
                    connection = await self._stay(connection)
                self._lost(connection)
        finally:
            for connection in self._live:
                connection.close("we stop")

    async def _stay(self, connection: Connection) -> Connection:
        """Wait until the socket closes or is to be replaced; return the one in use afterwards."""
        await _either(connection.closed, self._replace, self._rotate * random.uniform(0.9, 1.0))
        if connection.closed.done():
            return connection
        why = self._why or "replaced before the venue's cut-off"
        self._replace.clear()
        self._why = ""
        try:
            new = await self._open()
        except VenueError as error:
            self.last_error = str(error)
            await asyncio.sleep(random.uniform(1, SHORT_DELAY))
            self.replace(None, why)
            return connection
        await _either(new.closed, new.first, OVERLAP)
        if new.closed.done():  # the old one stays: a subscription the venue chokes on must not cost what works
            self.last_error = f"the new socket was closed at once: {new.closed.result()}"
            self._live.discard(new)
            await asyncio.sleep(random.uniform(1, SHORT_DELAY))
            return connection
        await _either(new.closed, new.subscribed, 60.0)
        await asyncio.sleep(SETTLE)
        connection.close(why)
        self._live.discard(connection)
        self.current = new
        return new

    async def _connect(self) -> Connection:
        """Try until a socket is open."""
        since = monotonic()
        while True:
            if self._gate.is_out:
                async with self._gate.trying:
                    connection = await self._try(since, at_once=not self._gate.is_out)  # another one has found the way back
            else:
                connection = await self._try(since)
            if connection is not None:
                return connection

    async def _try(self, since: float, *, at_once: bool = False) -> Connection | None:
        """Try once, after the pause that is due; `since` is when the outage began (monotonic seconds)."""
        gate = self._gate
        tries = gate.failures if gate.is_out else self._attempt
        if tries and not at_once:
            most = SHORT_DELAY if monotonic() - since < SHORT_OUTAGE else LONG_DELAY
            await asyncio.sleep(min(most, FIRST_DELAY * 2 ** (tries - 1)) * random.uniform(0.5, 1.0))
        self._attempt = min(self._attempt + 1, 12)
        try:
            connection = await self._open()
        except VenueError as error:
            if isinstance(error, Refused):
                gate.ban(str(error), error.retry_after)
            gate.failures = min(gate.failures + 1, 12)
            self._failed(error)
            return None
        gate.failures = 0
        if self.lost_at:
            self._on_gap(self, self.lost_at, connection.opened_at, self.last_error)
            self.lost_at = 0
        return connection

    def _failed(self, error: VenueError) -> None:
        if str(error) != self.last_error and self.lost_at == 0:
            self.lost_at = self._intake.now()
        self.last_error = str(error)

    async def _open(self) -> Connection:
        connection = Connection(self.venue, self.subscription, next(self._numbers), self._intake, self._gate)
        await connection.open(self._how)
        self._live.add(connection)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._live.discard(connection)
        self.current = None
        self.outages += 1
        self.last_error = connection.closed.result()
        self.lost_at = connection.last_recv or connection.opened_at or self._intake.now()
        if self._intake.now() - connection.opened_at > PROVEN * 1e9:
            self._attempt = 0


async def _either(closed: asyncio.Future[str], event: asyncio.Event, timeout: float) -> None:
    """Wait until the socket has closed, the event has come, or the time is up."""
    coming = asyncio.ensure_future(event.wait())
    waited: set[asyncio.Future[Any]] = {closed, coming}
    try:
        await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        coming.cancel()
