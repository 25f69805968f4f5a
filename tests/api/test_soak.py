"""Playing for a long time leaks nothing: memory, threads and open files stay where they were."""

import os
import threading
import time
from pathlib import Path

import psutil

from deleverage.api.server import Server
from deleverage.api.session import PlaybackSession
from deleverage.store.folder import Folder

SECONDS = float(os.environ.get("DELEVERAGE_SOAK_SECONDS", "6"))


def test_memory_threads_and_files_stay_flat(tmp_path: Path) -> None:
    """Open, play, seek and switch recordings for a while; compare the end with the state after a warm-up of a third of it."""
    server, process = Server(Folder(tmp_path)), psutil.Process()
    names = ("bybit-2026-10-10", "okx-2026-08-31", "hyperliquid-2025-01-26", "bybit-2026-08-09", "binance-2025-01-26")
    began, rounds, warm = time.monotonic(), 0, (0, 0, 0)
    while time.monotonic() - began < SECONDS or rounds < 6:
        server.open_recording(names[rounds % len(names)], 5000)
        session = server.session
        assert isinstance(session, PlaybackSession) and not session.failure
        session.control(to=session.clock().end + 1)
        session.control(to=session.clock().start)
        rounds += 1
        if rounds == 5 or (rounds % 5 == 0 and time.monotonic() - began < SECONDS / 3):
            warm = (process.memory_info().rss, threading.active_count(), process.num_fds())
    server.close()
    rss, threads, files = process.memory_info().rss, threading.active_count(), process.num_fds()
    assert threads <= warm[1] and files <= warm[2] + 2
    assert rss < warm[0] * 1.5 + 50e6, f"memory grew from {warm[0] / 1e6:.0f} MB to {rss / 1e6:.0f} MB in {rounds} rounds"
