"""One run of the whole path in a fresh process: frames → parser → live state and DuckDB on disk, as playback and import do it.

    .venv/bin/python benchmarks/full_path.py [--json] [--events 1200000]

The bundled Binance frames of 8 August 2024 with the forced orders of January 2025 spread evenly among them, again and again, each time
`PERIOD` later: the times inside the messages are rewritten, so that nothing is a repeat and the 24 h window fills and empties.
Rewriting is not timed. Memory is read a quarter of the way and at the end.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from frames import COINS, FUTURES, SELL_OFF, recorded

from deleverage.collect.ingest import BATCH
from deleverage.collect.pipeline import Pipeline
from deleverage.events import Event
from deleverage.journal.frame import Frame
from deleverage.live import Live
from deleverage.store.duck import DuckStore

PERIOD = 3 * 3_600_000_000_000
"""How much later each repetition is, ns."""
CHUNK = 20_000
TIMES = re.compile(rb'(?<="[ET]":)\d{13}')
MIB = 1024 * 1024


def one_round() -> list[Frame]:
    """Return the frames of one repetition in order of receipt."""
    books = [f for f in recorded(FUTURES, COINS) if f.direction == "in"]
    start, end = min(f.ts_recv for f in books), max(f.ts_recv for f in books)
    orders = [f for f in recorded(SELL_OFF) if f.direction == "in"]
    step = (end - start) // len(orders)
    moved = []
    for position, order in enumerate(orders):
        at = start + position * step
        payload = TIMES.sub(str(at // 1_000_000).encode(), order.payload)
        moved.append(Frame(at, order.venue, order.route, payload))
    return sorted(books + moved, key=lambda f: f.ts_recv)


def later(frames: Sequence[Frame], by: int) -> list[Frame]:
    """Move frames into the future, the times inside their messages too."""
    millis = by // 1_000_000
    return [
        Frame(f.ts_recv + by, f.venue, f.route, TIMES.sub(lambda m: str(int(m[0]) + millis).encode(), f.payload)) for f in frames
    ]


def chunks(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Yield the frames for ever, each repetition later than the one before."""
    turn = 0
    while True:
        for at in range(0, len(frames), CHUNK):
            yield later(frames[at : at + CHUNK], turn * PERIOD)
        turn += 1


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def run(events: int) -> dict[str, float]:
    """Take at least so many events through the whole path; returns what was measured."""
    frames = one_round()
    waiting: list[Event] = []
    live = Live(frames[0].ts_recv)

    def take(found: Sequence[Event]) -> None:
        waiting.extend(found)
        live.add(found)

    with tempfile.TemporaryDirectory() as directory:
        store = DuckStore(Path(directory) / "tables.duckdb")
        pipeline = Pipeline(take)
        feed, advance = pipeline.feed, live.advance
        spent = spent_cpu = stored = 0.0
        fed = seen = 0
        memory: list[int] = []
        for chunk in chunks(frames):
            started, cpu = time.perf_counter(), time.process_time()
            for frame in chunk:
                advance(frame.ts_recv)
                feed(frame)
                if len(waiting) >= BATCH:
                    before = time.perf_counter()
                    seen += store.append(waiting)
                    waiting.clear()
                    stored += time.perf_counter() - before
            spent, spent_cpu = spent + time.perf_counter() - started, spent_cpu + time.process_time() - cpu
            fed += len(chunk)
            if not memory and seen >= events / 4:
                memory.append(resident())
            if seen >= events:
                break
        memory.append(resident())
        lost = live.events - len(waiting) - seen
        counts = store.counts()
        size = sum(path.stat().st_size for path in Path(directory).iterdir())
        store.close()
    return {
        "frames": fed, "events": live.events, "rows": sum(counts.values()), "not_stored": lost, "seconds": spent,
        "seconds_storing": stored, "cpu_seconds": spent_cpu, "events_per_second": live.events / spent, "frames_per_second": fed / spent,
        "memory_quarter_bytes": memory[0], "memory_end_bytes": memory[-1], "memory_growth": memory[-1] / memory[0] - 1,
        "file_bytes": size, "hours_of_data": (live.now - frames[0].ts_recv) / 3.6e12,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=1_200_000)
    wanted = parser.parse_args()
    found = run(wanted.events)
    if wanted.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:22} {value:>16,.2f}" if isinstance(value, float) else f"{name:22} {value:>16,}")


if __name__ == "__main__":
    main()
