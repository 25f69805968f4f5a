"""Large positions on Hyperliquid, asked for by account within the venue's weight; what they cover is stated as a share."""

import asyncio
import time
from collections.abc import Sequence
from threading import Lock

from deleverage.collect.polling import Poller
from deleverage.collect.questions import Question
from deleverage.config import HyperliquidSettings
from deleverage.errors import VenueError
from deleverage.events import Event, OpenInterest, PositionSnapshot, Trade
from deleverage.venues.hyperliquid_questions import INFO, WATCHED
from deleverage.venues.hyperliquid_watch import WEIGHT, WatchList
from deleverage.venues.venue import split_route

RESERVE = 0.3
"""Share of the venue's budget left to its standing questions."""


class PositionWatch:
    """Watches accounts: `saw` meets them on the parsing thread, `run` asks on the event loop."""

    def __init__(self, settings: HyperliquidSettings) -> None:
        always = (*WATCHED, *settings.watch_accounts)
        self.list = WatchList(settings.watch_weight, least_usd=settings.least_position_usd, always=always)
        self.asked = self.failed = 0
        self._open_interest: dict[str, float] = {}
        self._lock = Lock()

    def saw(self, events: Sequence[Event]) -> None:
        """Take Hyperliquid's trades and open interest."""
        first = events[0]
        if isinstance(first, Trade):
            with self._lock:
                self.list.traded(e for e in events if isinstance(e, Trade) and not e.is_backfill)
        for event in events:
            if isinstance(event, OpenInterest) and event.open_interest_base:
                self._open_interest[event.base] = event.open_interest_base

    async def run(self, poller: Poller) -> None:
        """Ask the accounts that are due until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            with self._lock:
                due = self.list.due(time.monotonic())
            for name in due:
                await self._ask(poller, name)

    async def _ask(self, poller: Poller, name: str) -> None:
        url = f"{INFO}?type=clearinghouseState&user={name}"
        question = Question("position_snapshots", url, "POST", f'{{"type":"clearinghouseState","user":"{name}"}}', WEIGHT)
        self.asked += 1
        try:
            answer = await poller.ask(question, RESERVE)
            venue = poller.venue
            events = venue.parser(split_route(url), venue.instruments()).parse(answer, time.time_ns())
        except VenueError:
            self.failed += 1
            return
        with self._lock:
            self.list.answered(name, [e for e in events if isinstance(e, PositionSnapshot)])

    def shares(self) -> dict[str, float]:
        """Return the share of each coin's open interest that the watched positions hold, 0–1."""
        with self._lock:
            return self.list.shares(self._open_interest)

    def words(self) -> str:
        """Say what is watched."""
        shares = self.shares()
        named = ", ".join(f"{share:.0%} of {coin}" for coin, share in sorted(shares.items(), key=lambda s: -s[1])[:3])
        holding = len(self.list.positions)
        return f"positions of {holding} accounts watched" + (f", {named} open interest" if named else "")
