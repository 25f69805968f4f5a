"""How fast the journal takes frames and gives them back, beside writing and reading the same bytes plainly.

    .venv/bin/python benchmarks/journal.py [--json] [--rounds 5]

Appending and one last commit of the bundled Binance frames, with fsync as when recording live and without; then reading them as
frames and as Arrow batches. The plain write is one write call and one fsync of all payloads joined: the least anything could cost.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from deleverage.journal import Frame, Journal, read_batches, read_frames
from frames import COINS, FUTURES, recorded


def append(frames: Sequence[Frame], directory: Path, fsync: bool) -> None:
    """Append every frame and close."""
    with Journal(directory, fsync=fsync) as journal:
        for frame in frames:
            journal.append(frame)


def plain_write(payload: bytes, path: Path) -> None:
    """Write and fsync."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(handle, payload)
    os.fsync(handle)
    os.close(handle)


def count_frames(directory: Path) -> int:
    """Read everything frame by frame."""
    return sum(1 for _ in read_frames(directory))


def count_rows(directory: Path) -> int:
    """Read everything as Arrow batches."""
    return sum(batch.num_rows for batch in read_batches(directory))


def run(rounds: int) -> dict[str, Any]:
    """Measure on the wall; returns medians per second."""
    frames = recorded(FUTURES, COINS)
    payload = b"".join(frame.payload for frame in frames)
    seconds: dict[str, list[float]] = {}
    size = 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home:
            synced, unsynced, plain = (Path(home) / name for name in ("synced", "unsynced", "plain"))
            steps: dict[str, Callable[[], object]] = {
                "plain write": partial(plain_write, payload, plain),
                "append, fsync": partial(append, frames, synced, True),
                "append, no fsync": partial(append, frames, unsynced, False),
                "plain read": plain.read_bytes,
                "read frames": partial(count_frames, synced),
                "read batches": partial(count_rows, synced),
            }
            for name, step in steps.items():
                started = time.perf_counter()
                step()
                seconds.setdefault(name, []).append(time.perf_counter() - started)
            size = sum(path.stat().st_size for path in synced.glob("segment-*"))
    typical = {name: median(values) for name, values in seconds.items()}
    return {
        "frames": len(frames),
        "payload_bytes": len(payload),
        "journal_bytes": size,
        "frames_per_second": {name: len(frames) / value for name, value in typical.items()},
        "megabytes_per_second": {name: len(payload) / value / 1e6 for name, value in typical.items()},
        "append_times_plain_write": typical["append, fsync"] / typical["plain write"],
        "read_times_plain_read": typical["read frames"] / typical["plain read"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    report = run(wanted.rounds)
    if wanted.json:
        print(json.dumps(report, indent=1))
        return
    print(f"{report['frames']:,} frames, {report['payload_bytes'] / 1e6:.1f} MB of payload, {report['journal_bytes'] / 1e6:.1f} MB on disk")
    for name, each in report["frames_per_second"].items():
        print(f"{name:18} {each:>14,.0f} frames/s {report['megabytes_per_second'][name]:>9,.0f} MB/s")
    print(f"appending takes {report['append_times_plain_write']:.1f} times as long as a plain write of the payloads with fsync")


if __name__ == "__main__":
    main()
