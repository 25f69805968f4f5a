"""The fault table: every misbehaviour of the venue server against the collector, all venues at once, measured and written down.

Each fault has a venue server and a collector of its own, side by side in one process; each warms up, meets the fault at the
same moment, and is watched until it has recovered. Thresholds are the real ones. Writes docs/reliability.md.

    .venv/bin/python benchmarks/faults.py            (about seven minutes)
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deleverage.collect.collector import Collector
from deleverage.config import CollectSettings, Settings, VenueSettings
from deleverage.events import Event, Gap, Liquidation, Trade
from deleverage.journal.frame import Frame
from deleverage.log import configure
from deleverage.simulate.faults import Fault, Kind
from deleverage.simulate.venue_server import VenueServer, recorded
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.venues import VENUES

WARM = 45.0
NOT_DATA = ("ack", "heartbeat", "error", "post", "unknown", "gzip", "allPerpMetas", "system", "instruments")
RECORDINGS = (
    "binance-2025-01-26", "bybit-2026-08-09", "bybit-2026-10-10", "htx-2022-02-19", "hyperliquid-2025-01-26", "okx-2022-05-13",
    "okx-2026-08-31",
)  # fmt: skip


@dataclass
class Case:
    """A fault, how long it lasts (s), and how long the collector is watched afterwards."""

    kind: Kind
    seconds: float
    after: float = 30.0
    share: float = 1.0
    amount: float = 0.0
    topic: str = ""
    words: str = ""
    venues: tuple[str, ...] = tuple(VENUES)


CASES = (
    Case("drop", 20, words="TCP aborted again and again for 20 s"),
    Case("close", 0, words="every socket closed properly, once"),
    Case("cut_off", 0, words="every socket closed, as at a 24 h cut-off"),
    Case("stall", 200, words="sockets open, nothing sent"),
    Case("wrong_route", 200, words="subscriptions acknowledged, nothing sent (April 2026)"),
    Case("half_frame", 3, words="half a frame, then the connection ends"),
    Case("garbage", 5, share=0.2, words="random bytes, broken JSON, broken UTF-8 among good frames"),
    Case("gzip_error", 5, share=0.2, words="frames that do not unpack", venues=("htx",)),
    Case("duplicate", 10, words="every frame twice"),
    Case("reorder", 10, share=0.3, words="a third of the frames change places"),
    Case("sequence_gap", 10, amount=3, words="three of ten frames left out"),
    Case("clock_skew", 60, amount=-30, words="event times and server clock 30 s late"),
    Case("status_429", 20, amount=15, words="429 with Retry-After 15 to questions and handshakes, sockets dropped"),
    Case("status_418", 20, amount=15, words="418 with Retry-After 15, sockets dropped"),
    Case("status_403", 20, words="403 without a delay, sockets dropped"),
    Case("slow_loris", 20, words="answers and handshakes a byte at a time, sockets dropped"),
    Case("bad_ack", 30, words="subscriptions refused, sockets dropped"),
    Case("no_pong", 130, words="pings and pongs not answered"),
)
DROPS_FIRST = ("status_429", "status_418", "status_403", "slow_loris", "bad_ack", "wrong_route")


@dataclass
class Run:
    """One case under way and what was seen of it."""

    case: Case
    faulted: float = 0.0
    cleared: float = 0.0
    detected: dict[str, tuple[float, str]] = field(default_factory=dict)
    recovered: dict[str, float] = field(default_factory=dict)
    kept: list[Event] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    heard: set[tuple[str, str]] = field(default_factory=set)
    rows: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)

    def take(self, events: Sequence[Event]) -> None:
        first = events[0]
        if isinstance(first, Trade | Liquidation):
            self.kept.extend(events)
        elif isinstance(first, Gap):
            self.gaps.extend(e for e in events if isinstance(e, Gap))


def received(collector: Collector, venue: str) -> int:
    """Return the data frames of a venue's sockets that were taken in."""
    counts = list(collector.pipeline.tally.by_channel.items())
    rest = {str(q.name) for q in collector.venues[venue].poller.standing} if venue in collector.venues else set()
    total = 0
    for name, count in counts:
        owner, _, channel = name.partition("/")
        if owner == venue and channel not in NOT_DATA and channel in {c for _, c in collector.states} | {"allMids"} and channel not in rest:
            total += count.frames
    return total


def look(run: Run, collector: Collector, before: dict[str, int], now: float) -> None:
    """Note what the collector says of each venue since the fault began."""
    for venue in run.case.venues:
        own = collector.venues[venue]
        if venue not in run.detected:
            bad = next(
                (
                    s
                    for (v, _), s in collector.states.items()
                    if v == venue and (v, s.channel) in run.heard and s.state != "live" and s.since > run.faulted * 1e9 - 2e8
                ),
                None,
            )
            errors = sum(c.errors + c.unknown for n, c in list(collector.pipeline.tally.by_channel.items()) if n.startswith(venue + "/"))
            lost = sum(socket.outages for socket in own.sockets)
            if own.gate.is_banned:
                run.detected[venue] = (now - run.faulted, "ban")
            elif lost > before[venue + " outages"] and run.case.kind not in DROPS_FIRST:
                run.detected[venue] = (now - run.faulted, "socket lost")
            elif errors > before[venue + " errors"]:
                run.detected[venue] = (now - run.faulted, "frames counted as errors")
            elif bad is not None and (bad.state != "down" or run.case.kind not in DROPS_FIRST):
                run.detected[venue] = (now - run.faulted, f"{bad.channel} {bad.state}")
        if run.cleared and venue not in run.recovered:
            sockets = list(own.sockets)
            hears = all(s.current is not None and s.current.first.is_set() and not s.current.closed.done() for s in sockets)
            well = all(s.state in ("live", "thin") for (v, c), s in collector.states.items() if v == venue and (v, c) in run.heard)
            if sockets and hears and well and not own.gate.is_banned:
                run.recovered[venue] = now - run.cleared


async def play(case: Case, frames: list[Frame], directory: Path, begin: asyncio.Event) -> Run:
    """Run one case."""
    run = Run(case)
    async with VenueServer(frames) as server:
        folder = Folder(directory / case.kind)
        folder.create()
        venues = {name: VenueSettings(gateway=server.gateway) for name in VENUES}
        settings = Settings(data=folder.path, venues=venues, collect=CollectSettings(backfill=False, relist_seconds=5))
        collector = Collector(settings, folder, lock=threading.RLock(), on_events=run.take)
        task = asyncio.create_task(collector.run())
        await begin.wait()
        await asyncio.sleep(WARM)
        before = {}
        for venue in VENUES:
            errors = sum(c.errors + c.unknown for n, c in list(collector.pipeline.tally.by_channel.items()) if n.startswith(venue + "/"))
            before[venue + " errors"] = errors
            before[venue + " outages"] = sum(s.outages for s in collector.venues[venue].sockets)
            before[venue] = received(collector, venue)
            run.sent[venue] = server.sent[venue]
        run.heard = {key for key, state in collector.states.items() if state.last_recv}
        run.faulted = time.time()
        server.set_faults([Fault(case.kind, share=case.share, amount=case.amount, topic=case.topic)])
        if case.kind in DROPS_FIRST:
            for client in list(server._clients):
                client.transport.abort()
        await watch(run, collector, before, case.seconds)
        server.set_faults([])
        run.cleared = time.time()
        await watch(run, collector, before, case.after)
        for _ in range(200):
            if len(run.recovered) == len(case.venues) or case.kind not in ("status_403", "bad_ack", "wrong_route", "stall", "clock_skew"):
                break
            await watch(run, collector, before, 1.0)
        server.is_quiet = True
        await asyncio.sleep(1.0)
        for venue in case.venues:
            took, how = run.detected.get(venue, (float("nan"), "not seen"))
            back = run.recovered.get(venue)
            lost = server.sent[venue] - run.sent[venue] - (received(collector, venue) - before[venue])
            run.rows[venue] = (
                "—" if took != took else f"{took:.0f} s, {how}", "not yet" if back is None else f"{back:.1f} s", str(max(lost, 0)), "",
            )  # fmt: skip
        collector.stop()
        await task
    store = DuckStore(None)
    store.append(run.kept)
    for venue in case.venues:
        found = store.read("trades", venue=venue).to_pylist()
        trades = Counter((r["venue_symbol"], r["trade_id"], r["ts_event"], r["trade_kind"]) for r in found if r["trade_id"])
        orders = Counter(
            (r["venue_symbol"], r["ts_event"], r["native_id"], r["price"], r["quantity"], r["position_side"], r["ordinal"])
            for r in store.read("liquidations", venue=venue).to_pylist()
        )
        again = sum(n - 1 for n in trades.values()) + sum(n - 1 for n in orders.values())
        run.rows[venue] = (*run.rows[venue][:3], str(again))
    store.close()
    return run


async def watch(run: Run, collector: Collector, before: dict[str, int], seconds: float) -> None:
    """Look several times a second for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.2)
        look(run, collector, before, time.time())
    look(run, collector, before, time.time())


def page(runs: Sequence[Run]) -> str:
    """Write the table."""
    lines = ["| fault | venue | detected in, by | recovered in | frames lost | events twice |", "|---|---|---|---|---|---|"]
    for run in runs:
        for n, venue in enumerate(run.case.venues):
            detected, recovered, lost, again = run.rows[venue]
            words = f"**{run.case.kind}**: {run.case.words}" if n == 0 else ""
            lines.append(f"| {words} | {VENUES[venue].title} | {detected} | {recovered} | {lost} | {again} |")
    return "\n".join(lines)


async def main(kinds: Sequence[str]) -> list[Run]:
    """Run the cases side by side."""
    cases = [case for case in CASES if not kinds or case.kind in kinds]
    frames = list(recorded(RECORDINGS))
    begin = asyncio.Event()
    with tempfile.TemporaryDirectory() as directory:
        tasks = [asyncio.create_task(play(case, frames, Path(directory), begin)) for case in cases]
        await asyncio.sleep(3 * len(cases))
        begin.set()
        return list(await asyncio.gather(*tasks))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="only these faults")
    parser.add_argument("--write", type=Path, help="page whose table between the marks is replaced")
    chosen = parser.parse_args()
    configure(level="error")
    table = page(asyncio.run(main(chosen.kinds)))
    print(table)
    if chosen.write:
        text = chosen.write.read_text()
        head, _, rest = text.partition("<!-- table -->\n")
        chosen.write.write_text(f"{head}<!-- table -->\n{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}")
