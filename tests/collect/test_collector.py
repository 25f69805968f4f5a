"""The collector against the venue server, unchanged but for its settings: everything is taken once, losses are said, bans are kept."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deleverage.collect.collector import Collector
from deleverage.collect.questions import discovery
from deleverage.config import CollectSettings, JournalSettings, Settings, VenueSettings
from deleverage.errors import JournalError
from deleverage.events import Event, Gap, Liquidation, Trade
from deleverage.journal.frame import Frame
from deleverage.journal.reading import read_frames
from deleverage.simulate.faults import Fault
from deleverage.simulate.venue_server import VenueServer, recorded
from deleverage.store.folder import Folder
from deleverage.venues import VENUES

pytestmark = pytest.mark.anyio


@cache
def frames() -> tuple[Frame, ...]:
    return tuple(recorded(["binance-2025-01-26", "bybit-2026-10-10", "htx-2022-02-19", "hyperliquid-2025-01-26", "okx-2026-08-31"]))


class Collection:
    """A collector under way, and what it said."""

    def __init__(self, server: VenueServer, collector: Collector, events: list[Event]) -> None:
        self.server, self.collector, self.events = server, collector, events

    async def until(self, test: Callable[[], Any], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not test():
                await asyncio.sleep(0.05)

    def heard(self, *venues: str) -> bool:
        """Whether every socket of the venues has heard something."""
        own = [self.collector.venues.get(v) for v in venues or VENUES]
        return all(v is not None and v.sockets and all(s.current is not None and s.current.first.is_set() for s in v.sockets) for v in own)


@asynccontextmanager
async def collecting(tmp_path: Path, *, only: Sequence[str] = (), stop: bool = True, **collect: Any) -> AsyncIterator[Collection]:
    events: list[Event] = []
    async with VenueServer(frames(), speed=5.0) as server:
        venues = {name: VenueSettings(gateway=server.gateway, enabled=not only or name in only) for name in VENUES}
        settings = Settings(data=tmp_path, venues=venues, collect=CollectSettings(**{"backfill": False, "relist_seconds": 1, **collect}))
        folder = Folder(tmp_path)
        folder.create()
        collector = Collector(settings, folder, lock=threading.RLock(), on_events=events.extend)
        task = asyncio.create_task(collector.run())
        try:
            yield Collection(server, collector, events)
        finally:
            collector.stop()
            await task


async def test_all_six_venues_are_collected_and_everything_sent_is_in_the_journal(tmp_path: Path) -> None:
    async with collecting(tmp_path) as c:
        await c.until(lambda: c.heard() and sum(c.server.sent.values()) > 400, 40)
        c.server.is_quiet = True
        sent = dict(c.server.sent)
        await asyncio.sleep(0.5)
    taken = list(read_frames(tmp_path / "journal"))
    assert {f.venue for f in taken} == set(VENUES) and {f.direction for f in taken} >= {"open", "out", "in", "close"}
    opened = {(f.venue, f.route, f.connection) for f in taken if f.direction == "open"}
    assert opened == {(f.venue, f.route, f.connection) for f in taken if f.direction == "close"}
    assert all(f.route.startswith(("wss://", "https://")) and "127.0.0.1" not in f.route for f in taken if f.direction == "in")
    for venue in VENUES:
        data = [f for f in taken if f.venue == venue and f.direction == "in" and f.route.startswith("wss")]
        assert len(data) >= sent[venue]
    assert any(isinstance(e, Liquidation) for e in c.events) and c.collector.pipeline.finish().errors == 0


async def test_a_lost_socket_is_opened_again_and_the_loss_is_a_row(tmp_path: Path) -> None:
    async with collecting(tmp_path, only=["okx", "bybit"]) as c:
        await c.until(lambda: c.heard("okx", "bybit"), 40)
        await asyncio.sleep(1.2)
        c.server.set_faults([Fault("drop", venue="okx")])
        c.server.set_faults([])
        await c.until(lambda: all(s.outages == 1 for s in c.collector.venues["okx"].sockets))
        await c.until(lambda: c.heard("okx") and any(isinstance(e, Gap) and e.channel == "liquidation-orders" for e in c.events))
        gap = next(e for e in c.events if isinstance(e, Gap) and e.channel == "liquidation-orders")
        assert gap.ts_end is not None and 0 < gap.ts_end - gap.ts_start < 10e9 and "broke" in gap.reason
        assert all(s.outages == 0 for s in c.collector.venues["bybit"].sockets)


async def test_rotation_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    from deleverage.store.duck import DuckStore

    async with collecting(tmp_path, only=["deribit"], rotate_hours=3 / 3600) as c:
        await c.until(lambda: c.heard("deribit"), 40)
        await c.until(lambda: next(c.collector._numbers) and sum(f for f in [c.server.connections["deribit"]]) >= 4, 40)
        c.server.is_quiet = True
        await asyncio.sleep(0.5)
        assert all(s.outages == 0 for s in c.collector.venues["deribit"].sockets)
    trades = [e for e in c.events if isinstance(e, Trade)]
    store = DuckStore(None)
    store.append(c.events)
    kept = [row["trade_id"] for row in store.read("trades").to_pylist()]
    store.close()
    assert len(kept) == len(set(kept)) < len(trades)  # both sockets heard some prints; the tables hold each once
    seconds = sorted(e.ts_event for e in trades)
    assert max(b - a for a, b in pairwise(seconds)) < 2.5e9  # one print a second, none missing
    assert not [e for e in c.events if isinstance(e, Gap) and e.channel != "*"]


async def test_a_ban_is_waited_out(tmp_path: Path) -> None:
    async with collecting(tmp_path, only=["okx"]) as c:
        await c.until(lambda: c.heard("okx"), 40)
        c.server.set_faults([Fault("status_429", venue="okx", amount=3)])
        for client in list(c.server._clients):
            client.transport.abort()
        await c.until(lambda: c.collector.venues["okx"].gate.is_banned)
        asked = c.server.requests["okx"]
        c.server.set_faults([])
        await asyncio.sleep(1.5)
        assert c.server.requests["okx"] - asked <= 4  # what was under way when the ban was heard
        status = next(v for v in c.collector.status().venues if v.venue == "okx")
        assert status.banned_seconds > 0 and "429" in status.ban_reason
        await c.until(lambda: c.heard("okx"), 20)


async def test_listings_are_followed_without_a_restart(tmp_path: Path) -> None:
    async with collecting(tmp_path, only=["bybit"], bases=("NEW",)) as c:
        await c.until(lambda: c.heard("bybit"), 40)
        assert not any(b"NEWUSDT" in f for s in c.collector.venues["bybit"].sockets for f in s.subscription.frames)
        c.server.set_faults([Fault("list", venue="bybit", name="NEWUSDT")])
        for question in discovery(VENUES["bybit"]):
            await c.collector.venues["bybit"].poller.ask(question)
        await c.until(
            lambda: any(b"allLiquidation.NEWUSDT" in f for s in c.collector.venues["bybit"].sockets for f in s.subscription.frames)
        )
        await c.until(lambda: c.heard("bybit"))
        assert all(s.outages == 0 for s in c.collector.venues["bybit"].sockets)


async def test_a_slow_parser_stops_the_reading_and_loses_nothing(tmp_path: Path) -> None:
    async with collecting(tmp_path, only=["bybit", "binance"], queue_frames=100) as c:
        await c.until(lambda: c.heard("bybit", "binance"), 40)
        c.server.rate = 3000.0
        paused = 0
        with c.collector.lock:  # the parsing thread waits for it
            for _ in range(40):
                await asyncio.sleep(0.05)
                paused += c.collector.intake.is_paused
            assert paused and c.collector.intake.queued < 20_000 and c.collector.intake.lag() > 0.5
        await c.until(lambda: not c.collector.intake.is_paused and c.collector.intake.queued < 100)
        c.server.is_quiet = True
        await asyncio.sleep(1.0)
        sent = dict(c.server.sent)
    taken = [f for f in read_frames(tmp_path / "journal") if f.direction == "in" and f.route.startswith("wss")]
    for venue in ("bybit", "binance"):
        assert sum(f.venue == venue for f in taken) >= sent[venue]


async def test_a_full_disk_stops_it_with_one_clear_line(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, journal=JournalSettings(least_free_gb=1e9))
    folder = Folder(tmp_path)
    folder.create()
    with pytest.raises(JournalError, match="collecting stops below"):
        Collector(settings, folder, lock=threading.RLock(), on_events=lambda events: None)


async def test_backfill_asks_for_what_was_missed_and_says_so(tmp_path: Path) -> None:
    async with collecting(tmp_path, only=["htx", "deribit"], backfill=True, backfill_days=1.0) as c:
        await c.until(lambda: c.heard("htx", "deribit"), 40)
        await c.until(
            lambda: all(c.collector.venues[v].is_begun and c.collector.venues[v].backfill.waiting == 0 for v in ("htx", "deribit")), 60
        )
        assert c.collector.venues["htx"].backfill.asked > 3 and not c.collector.venues["htx"].backfill.failed
        now = c.collector.intake.now()
        taken = c.collector.venues["htx"].fill(now - 3 * 3_600_000_000_000, now)
        assert taken >= 2  # liquidations of every contract, in windows of two hours
    assert (tmp_path / "backfilled.json").exists()
    routes = {f.route for f in read_frames(tmp_path / "journal", venue="htx") if f.direction == "in"}
    assert any("liquidation_orders" in route or "kline" in route for route in routes)
