"""Killed at random moments under load, the collector loses nothing the journal had acknowledged, and its tables are the journal's."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serving import free_port

from deleverage.collect.history import open_up_to_date
from deleverage.collect.ingest import rebuild
from deleverage.journal.reading import summary
from deleverage.store.folder import Folder
from deleverage.tables import TABLES
from deleverage.venues import VENUES

KILLS = int(os.environ.get("DELEVERAGE_KILLS", "5"))


@pytest.fixture
def gateway() -> Iterator[str]:
    """A venue server in a process of its own, sending 2,000 frames a second."""
    recordings = ("binance-2025-01-26", "bybit-2026-08-09", "htx-2022-02-19", "hyperliquid-2025-01-26", "okx-2026-08-31")
    arguments = [part for name in recordings for part in ("--serve", name)]
    process = subprocess.Popen([sys.executable, "-m", "deleverage.cli", "simulate", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        urllib.request.urlopen(urllib.request.Request(f"{url}/-/rate", b'{"rate": 2000}')).close()
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=10)


class Running:
    """`deleverage up --live` against the gateway."""

    def __init__(self, data: Path, gateway: str) -> None:
        self.port = free_port()
        environment = dict(os.environ, DELEVERAGE_LOG__LEVEL="error", DELEVERAGE_COLLECT__BACKFILL="false")
        environment |= {f"DELEVERAGE_VENUES__{name.upper()}__GATEWAY": gateway for name in VENUES}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deleverage.cli", "up", "--live", "--data", str(data), "--port", str(self.port)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def intake(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/intake", timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())["data"]
            return found

    def until_collecting(self, frames: int) -> None:
        for _ in range(600):
            assert self.process.poll() is None, self.process.communicate()[1]
            try:
                if self.intake()["frames"] >= frames:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("nothing was collected in 30 s")


def test_killed_at_random_moments(tmp_path: Path, gateway: str) -> None:
    chance = random.Random(20251010)
    folder = Folder(tmp_path / "data")
    acknowledged = 0
    for _ in range(KILLS):
        running = Running(folder.path, gateway)
        running.until_collecting(200)
        time.sleep(chance.uniform(0, 1.5))
        acknowledged_now = running.intake()["journal_frames"]
        running.process.send_signal(signal.SIGKILL)
        running.process.communicate(timeout=10)
        held = summary(folder.journal).frames
        assert held >= acknowledged + acknowledged_now
        acknowledged = held
    running = Running(folder.path, gateway)
    running.until_collecting(500)
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=20)
    assert running.process.returncode == 0
    assert summary(folder.journal).frames > acknowledged

    store = open_up_to_date(folder)
    try:
        caught_up = {table: store.read(table) for table in TABLES}
        assert caught_up["trades"].num_rows and caught_up["book_depth"].num_rows
        for venue in VENUES:
            rebuild(folder, store, venue)
        for table, rows in caught_up.items():
            assert store.read(table).equals(rows), table
    finally:
        store.close()
