"""One run of the whole path in a fresh process: frames → parser → live state and DuckDB on disk, as playback and import do it.

    .venv/bin/python benchmarks/full_path.py [--json] [--events 1200000] [--no-freeze]

The bundled Binance frames of 8 August 2024 with the forced orders of January 2025 spread evenly among them, again and again, each time
`PERIOD` later: the times inside the messages are rewritten, so that nothing is a repeat and the 24 h window fills and empties.
Reading and rewriting frames is not timed, nor is there anything else between one chunk and the next; the last, smaller batch
is stored within the time. Memory is read after every chunk: the report gives the medians around a quarter of the way and near the end, and
how much of it is DuckDB's cache of the file's own pages. The garbage collector is spared as `up`, `replay` and `import` spare it;
`--no-freeze` leaves it as Python starts it. Where the time goes: storing is timed batch by batch, parsing and the live state in passes of
their own over the same frames afterwards, and the rest is what is left: keeping the events, the loop, the garbage collector, waiting.
"""

import argparse
import gc
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from deleverage.collect.ingest import BATCH
from deleverage.collect.pipeline import Pipeline
from deleverage.events import Event
from deleverage.journal.frame import Frame
from deleverage.live import Live
from deleverage.store import duck
from deleverage.store.duck import DuckStore
from frames import COINS, FUTURES, SELL_OFF, recorded

PERIOD = 3 * 3_600_000_000_000
"""How much later each repetition is, ns."""
CHUNK = 20_000
TIMES = re.compile(rb'(?<="[ET]":)\d{13}')


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
    return [Frame(f.ts_recv + by, f.venue, f.route, TIMES.sub(lambda m: str(int(m[0]) + millis).encode(), f.payload)) for f in frames]


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


class Clock:
    """Adds up the time spent in a function of the store."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, called: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return called(*given, **named)
            finally:
                self.seconds += time.perf_counter() - started

        return timed


def alone(frames: Sequence[Frame]) -> tuple[float, float]:
    """Return seconds per event of parsing (counting included) and of the live state, each in a pass of its own."""
    found: list[tuple[int, Sequence[Event]]] = []
    pipeline = Pipeline(lambda events: None)
    events = 0
    parsing = keeping = 0.0
    live = Live(frames[0].ts_recv)
    for at in range(0, len(frames), CHUNK):
        chunk = frames[at : at + CHUNK]
        started = time.perf_counter()
        for frame in chunk:
            pipeline.feed(frame)
        parsing += time.perf_counter() - started
        again = Pipeline(lambda events: None)
        found = [(frame.ts_recv, again.feed(frame)) for frame in chunk]
        started = time.perf_counter()
        for ts_recv, its in found:
            live.advance(ts_recv)
            live.add(its)
        keeping += time.perf_counter() - started
        events += sum(len(its) for _, its in found)
    return parsing / events, keeping / events


def run(events: int, freeze: bool = True) -> dict[str, float]:
    """Take at least so many events through the whole path; returns what was measured."""
    frames = one_round()
    if freeze:
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
    waiting: list[Event] = []
    live = Live(frames[0].ts_recv)

    def take(found: Sequence[Event]) -> None:
        waiting.extend(found)
        live.add(found)

    with tempfile.TemporaryDirectory() as directory:
        store = DuckStore(Path(directory) / "tables.duckdb")
        arrow, repeats, names = Clock(), Clock(), vars(duck)
        real, names["to_arrow"] = names["to_arrow"], arrow.around(names["to_arrow"])
        store._unseen = repeats.around(store._unseen)  # type: ignore[method-assign]
        pipeline = Pipeline(take)
        feed, advance = pipeline.feed, live.advance
        spent = stored = 0.0
        fed = seen = 0
        memory: list[tuple[float, int, int]] = []  # share of the way, resident, of it pages of the file
        for chunk in chunks(frames):
            started = time.perf_counter()
            for frame in chunk:
                advance(frame.ts_recv)
                feed(frame)
                if len(waiting) >= BATCH:
                    before = time.perf_counter()
                    seen += store.append(waiting)
                    waiting.clear()
                    stored += time.perf_counter() - before
            spent += time.perf_counter() - started
            fed += len(chunk)
            memory.append((seen / events, resident(), cached(store)))
            if seen >= events:
                break
        started = time.perf_counter()
        seen += store.append(waiting)
        waiting.clear()
        last = time.perf_counter() - started
        spent, stored = spent + last, stored + last
        names["to_arrow"] = real
        rows, lost = sum(store.counts().values()), live.events - len(waiting) - seen
        size = sum(path.stat().st_size for path in Path(directory).iterdir())
        store.close()
    quarter, quarter_cache = (median(row[at] for row in memory if 0.15 <= row[0] <= 0.35) for at in (1, 2))
    end, end_cache = (median(row[at] for row in memory if row[0] >= 0.9) for at in (1, 2))
    parsing, keeping = (seconds * live.events for seconds in alone(frames))
    inserting = stored - arrow.seconds - repeats.seconds
    return {
        "share_parse": parsing / spent, "share_live": keeping / spent, "share_to_arrow": arrow.seconds / spent,
        "share_repeats": repeats.seconds / spent, "share_insert_commit": inserting / spent,
        "share_rest": 1 - (parsing + keeping + stored) / spent,
        "frames": fed, "events": live.events, "rows": rows, "not_stored": lost, "seconds": spent, "seconds_storing": stored,
        "events_per_second": live.events / spent, "hours_of_data": (live.now - frames[0].ts_recv) / 3.6e12, "file_bytes": size,
        "memory_quarter_bytes": quarter, "memory_end_bytes": end, "memory_growth": end / quarter - 1,
        "cache_quarter_bytes": quarter_cache, "cache_end_bytes": end_cache,
        "memory_growth_without_cache": (end - end_cache) / (quarter - quarter_cache) - 1,
    }  # fmt: skip


def cached(store: DuckStore) -> int:
    """Return the bytes of the file's pages that DuckDB holds in memory."""
    rows = store._rows("SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'BASE_TABLE'")
    return sum(int(str(value)) for (value,) in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=1_200_000)
    parser.add_argument("--no-freeze", action="store_true", help="leave the garbage collector as Python starts it")
    wanted = parser.parse_args()
    found = run(wanted.events, not wanted.no_freeze)
    if wanted.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:22} {value:>16,.2f}" if isinstance(value, float) else f"{name:22} {value:>16,}")


if __name__ == "__main__":
    main()
