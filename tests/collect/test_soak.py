"""An hour of random faults (`make soak`; seconds in CI): no task is left behind, memory and open files do not grow."""

import asyncio
import os
import random
import threading
import time
from pathlib import Path

import psutil
import pytest

from deleverage.collect.collector import Collector
from deleverage.config import CollectSettings, Settings, VenueSettings
from deleverage.simulate.faults import Fault
from deleverage.simulate.venue_server import VenueServer, recorded
from deleverage.store.folder import Folder
from deleverage.venues import VENUES

SECONDS = float(os.environ.get("DELEVERAGE_SOAK_SECONDS", "25"))
KINDS = (
    "drop", "close", "cut_off", "half_frame", "garbage", "duplicate", "reorder", "sequence_gap", "clock_skew", "status_429", "slow_loris",
    "bad_ack",
)  # fmt: skip


@pytest.mark.anyio
async def test_soak(tmp_path: Path) -> None:
    chance, before = random.Random(7), asyncio.all_tasks()
    process = psutil.Process()
    frames = list(recorded(["binance-2025-01-26", "bybit-2026-08-09", "htx-2022-02-19", "hyperliquid-2025-01-26", "okx-2026-08-31"]))
    async with VenueServer(frames, speed=3.0) as server:
        venues = {name: VenueSettings(gateway=server.gateway) for name in VENUES}
        collect = CollectSettings(backfill=False, rotate_hours=20 / 3600, relist_seconds=2)
        folder = Folder(tmp_path)
        folder.create()
        collector = Collector(
            Settings(data=tmp_path, venues=venues, collect=collect), folder, lock=threading.RLock(), on_events=lambda e: None
        )
        task = asyncio.create_task(collector.run())
        await asyncio.sleep(min(SECONDS / 3, 120))
        tasks, files, memory, shown = len(asyncio.all_tasks()), process.num_fds(), process.memory_info().rss, 0
        end = time.monotonic() + SECONDS * 2 / 3
        while time.monotonic() < end:
            kind = chance.choice(KINDS)
            server.set_faults([Fault(kind, venue=chance.choice([*VENUES, ""]), share=chance.choice([0.05, 0.3, 1.0]), amount=1)])  # type: ignore[arg-type]
            await asyncio.sleep(chance.uniform(0.2, min(8.0, SECONDS / 20)))
            server.set_faults([])
            shown += 1
            await asyncio.sleep(chance.uniform(0.2, min(8.0, SECONDS / 20)))
            assert not task.done(), task
        for _ in range(200):  # what was thrown off comes back
            sockets = [s for v in collector.venues.values() for s in v.sockets]
            if all(s.current is not None and s.current.first.is_set() for s in sockets) and not any(
                v.gate.is_banned for v in collector.venues.values()
            ):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError([(s.subscription.url, s.last_error) for s in sockets if s.current is None])
        await asyncio.sleep(3)
        assert shown > 2 and collector.intake.queued < 1000 and collector.intake.lag() < 5
        assert len(asyncio.all_tasks()) <= tasks * 1.25 + 10  # a replacement under way has two sockets
        assert process.num_fds() <= files * 1.25 + 10
        assert process.memory_info().rss <= memory * 1.25 + 60e6
        collector.stop()
        await task
    assert asyncio.all_tasks() <= before
    assert collector.intake.parsed == collector.intake.frames
