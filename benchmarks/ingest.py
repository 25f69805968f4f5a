"""How fast frames become events and rows, beside the bare decoders and two peers: one run, same frames, passes interleaved.

    .venv/bin/python benchmarks/ingest.py [--json] [--seconds 90]

(a) json.loads · (b) the msgspec decoder the venue file itself uses, alone · (c) our parser · (d) parser, live state and store ·
(e) cryptofeed · (f) ccxt.pro. Method and last results: README.md beside this file.
"""

import argparse
import gc
import json
import platform
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from frames import FrameSet, agg_trades, decoder_of, venue_frames
from peers import PEERS, Worker

LEAST_ROUNDS = 5
FULL_RUNS = 3
PARTS = ("parse", "live", "to_arrow", "repeats", "insert_commit", "rest")


class Rate(NamedTuple):
    """Frames (or events) per second over the repetitions: median, and the middle half around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:>11,.0f}  ({self.low:,.0f} to {self.high:,.0f})"


class Goal(NamedTuple):
    """One of the goals of the issue, and what came out."""

    text: str
    value: float
    least: float
    met: bool


def rate(values: Iterable[float]) -> Rate:
    """Sum up the repetitions of one measurement."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return Rate(median(ordered), ordered[quarter], ordered[-1 - quarter])


def json_pass(found: FrameSet) -> Callable[[], float]:
    """(a) Decode every frame with the standard library."""
    payloads = [payload for payload, _ in found.frames]
    load = _unpacked_loads if payloads[0].startswith(b"\x1f\x8b") else json.loads
    return _timed(lambda: [None for payload in payloads if load(payload) is None], len(payloads))


def _unpacked_loads(payload: bytes) -> Any:
    return json.loads(zlib.decompress(payload, 31))


def decode_pass(found: FrameSet) -> Callable[[], float]:
    """(b) Decode every frame with the typed decoder of its channel, chosen beforehand."""
    groups: dict[Callable[[bytes], Any], list[bytes]] = {}
    for payload, _ in found.frames:
        decode = decoder_of(found.venue, payload)
        assert decode is not None
        groups.setdefault(decode, []).append(payload)

    def run() -> None:
        for decode, payloads in groups.items():
            for payload in payloads:
                decode(payload)

    return _timed(run, len(found.frames))


def parse_pass(found: FrameSet) -> Callable[[], float]:
    """(c) Parse every frame to events, with a parser made anew as for a new connection; one receipt time for all, as with the peers."""
    payloads, ts_recv = [payload for payload, _ in found.frames], found.frames[0][1]

    def run() -> float:
        parse = found.parser().parse
        started = time.process_time()
        for payload in payloads:
            parse(payload, ts_recv)
        return len(payloads) / (time.process_time() - started)

    return run


def peer_pass(worker: Worker) -> Callable[[], float]:
    """(e), (f) One pass of a peer; 0 when it cannot."""
    return lambda: float((worker.one_pass() or {}).get("frames_per_second", 0.0))


def _timed(run: Callable[[], object], frames: int) -> Callable[[], float]:
    def timed() -> float:
        started = time.process_time()
        run()
        return frames / (time.process_time() - started)

    return timed


def measure(passes: dict[str, Callable[[], float]], seconds: float) -> dict[str, Rate]:
    """Run all passes in turn, again and again, until the time is up."""
    for run in passes.values():
        run()  # once to warm up
    found: dict[str, list[float]] = {name: [] for name in passes}
    until = time.monotonic() + seconds
    while time.monotonic() < until or min(map(len, found.values())) < LEAST_ROUNDS:
        for name, run in passes.items():
            found[name].append(run())
    return {name: rate(values) for name, values in found.items()}


def full_path(*options: str) -> dict[str, float]:
    """(d) Run the whole path once, in a fresh process."""
    command = [sys.executable, str(Path(__file__).parent / "full_path.py"), "--json", *options]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(said.strip().splitlines()[-1])
    return found


def goals(rates: dict[str, Rate], names: Iterable[str], full: dict[str, float]) -> list[Goal]:
    """Compare with what the issue asks for."""
    found = []

    def add(text: str, value: float, least: float) -> None:
        found.append(Goal(text, round(value, 3), least, value >= least))

    for name in names:
        add(f"(c) at least 40 % of (b): {name}", rates[f"c {name}"].median / rates[f"b {name}"].median, 0.4)
    ours = rates["c aggTrade"].median
    for letter, peer, least in (("e", "cryptofeed", 3.0), ("f", "ccxt.pro", 12.0)):
        theirs = rates[f"{letter} {peer}"].median
        if theirs:
            add(f"(c) at least {least:g} times ({letter}) {peer}", ours / theirs, least)
    add("(d) at least 150,000 events/s", full["events_per_second"], 150_000)
    growth = full["memory_growth"]
    found.append(Goal("(d) memory grows by less than 10 % from a quarter of the way to the end", round(growth, 3), 0.1, growth < 0.1))
    return found


def run(seconds: float) -> dict[str, Any]:
    """Measure everything; returns the report."""
    sets = {_name(found): found for found in venue_frames()}
    sets["aggTrade"] = agg_trades()
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory() as directory:
        messages = Path(directory) / "messages.txt"
        messages.write_bytes(b"\n".join(payload for payload, _ in sets["aggTrade"].frames))
        workers = {name: Worker(name, messages) for name in PEERS}
        passes: dict[str, Callable[[], float]] = {}
        for name, found in sets.items():
            passes |= {f"a {name}": json_pass(found), f"b {name}": decode_pass(found), f"c {name}": parse_pass(found)}
        passes |= {f"{letter} {name}": peer_pass(workers[name]) for letter, name in zip("ef", PEERS, strict=True)}
        rates = measure(passes, seconds)
        for worker in workers.values():
            worker.close()
    both = [(full_path(), full_path("--no-freeze")) for _ in range(FULL_RUNS)]
    runs, plain = [one for one, _ in both], [one for _, one in both]
    full = {name: median(one[name] for one in runs) for name in runs[0]}
    return {
        "python": platform.python_version(), "versions": {name: version(name) for name in ("msgspec", "duckdb", "polars", "pyarrow")},
        "frames": {name: f"{len(found.frames):,} frames: {found.about}" for name, found in sets.items()},
        "rates": {name: found._asdict() for name, found in rates.items()},
        "peers_missing": {name: worker.problem for name, worker in workers.items() if worker.problem},
        "full_path": full, "full_path_runs": [one["events_per_second"] for one in runs],
        "full_path_plain": median(one["events_per_second"] for one in plain),
        "goals": [goal._asdict() for goal in goals(rates, sets, full)],
    }  # fmt: skip


def _name(found: FrameSet) -> str:
    return f"{found.venue} unpacked" if found.about.endswith("unpacked beforehand") else found.venue


def show(report: dict[str, Any]) -> None:
    """Print the report for people."""
    for name, about in report["frames"].items():
        print(f"\n{name}: {about}")
        rates = {letter: Rate(**report["rates"][f"{letter} {name}"]) for letter in "abc"}
        for letter, what in (("a", "json.loads"), ("b", "typed decode"), ("c", "our parser")):
            share = rates[letter].median / rates["b"].median
            print(f"  ({letter}) {what:13} {rates[letter]} frames/s  {share:6.0%} of (b)")
    for letter, name in zip("ef", PEERS, strict=True):
        problem = report["peers_missing"].get(name)
        print(f"  ({letter}) {name:13} {problem or Rate(**report['rates'][f'{letter} {name}'])}" + ("" if problem else " frames/s"))
    full, runs = report["full_path"], ", ".join(f"{one:,.0f}" for one in report["full_path_runs"])
    print(f"\n(d) {full['events_per_second']:,.0f} events/s on the wall (runs: {runs}),")
    parts = ", ".join(f"{full[f'share_{part}']:.0%} {part.replace('_', ' ')}" for part in PARTS)
    print(f"    of the time {parts}; {full['rows']:,.0f} rows, {full['hours_of_data']:.0f} h of data")
    print(f"    with the garbage collector as Python starts it: {report['full_path_plain']:,.0f} events/s")
    quarter, end, file = (full[f"{name}_bytes"] / 2**20 for name in ("memory_quarter", "memory_end", "file"))
    print(f"    memory {quarter:,.0f} MB at a quarter of the way, {end:,.0f} MB at the end, {file:,.0f} MB on disk;")
    print(f"    it grows by {full['memory_growth_without_cache']:.1%} without DuckDB's cache of pages of that file")
    print("\ngoals")
    for goal in report["goals"]:
        print(f"  {'met   ' if goal['met'] else 'MISSED'} {goal['value']:>12,.2f}  {goal['text']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--seconds", type=float, default=90.0, help="how long to repeat the passes (at least five rounds)")
    wanted = parser.parse_args()
    report = run(wanted.seconds)
    if wanted.json:
        print(json.dumps(report, indent=1))
    else:
        show(report)


if __name__ == "__main__":
    main()
