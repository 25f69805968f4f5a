"""What estimates, waves, heatmap and treemap cost: a day of a million liquidations from the tables, and beside 20,000 events a second.

    .venv/bin/python benchmarks/aggregates.py [--orders 1000000] [--seconds 20]

The orders are drawn (a self-exciting stream over 200 contracts of four venues); only their number and spread matter here.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from deleverage.analytics import completeness
from deleverage.analytics.liquidations import treemap
from deleverage.analytics.waves import SECOND, waves
from deleverage.api.anatomy import day, read
from deleverage.api.session import StoredSession
from deleverage.events import Liquidation
from deleverage.live import LONGEST, WINDOWS, Live
from deleverage.store.duck import DuckStore

READ, SUMS = "read from the tables", "sums, treemap, heatmap"
PAGE = "(all windows' estimates and waves, as the page asks)"
VENUES = (("binance", "largest_per_second"), ("bybit", "full"), ("okx", "undisclosed"), ("htx", "presumed_full"))
BASES = 50
START = 1_790_000_000 * SECOND


def drawn(count: int, span: int, seed: int = 0) -> list[Liquidation]:
    """Draw orders over `span` ns: a third in calm, the rest in twelve shocks."""
    rng = np.random.default_rng(seed)
    shocks = rng.uniform(0, span, 12)
    at = np.where(
        rng.random(count) < 1 / 3, rng.uniform(0, span, count), shocks[rng.integers(0, 12, count)] + rng.exponential(span / 150, count)
    )
    at = np.sort(at[at < span]).astype(np.int64)
    usd, venue, base, side = rng.lognormal(8, 2, len(at)), rng.integers(0, 4, len(at)), rng.zipf(1.4, len(at)) % BASES, rng.random(len(at))
    return [
        Liquidation(
            venue=VENUES[v][0], symbol=f"C{b}/USDT:USDT", venue_symbol=f"C{b}USDT", base=f"C{b}",
            ts_event=START + int(t), ts_recv=START + int(t),
            position_side="long" if s < 0.8 else "short", price=1.0, price_kind="fill", quantity=float(u), contracts=None,
            notional_usd=float(u),
            method="market", coverage_rule=VENUES[v][1], native_id=str(n), ordinal=0,
        )
        for n, (t, u, v, b, s) in enumerate(zip(at.tolist(), usd.tolist(), venue.tolist(), base.tolist(), side.tolist(), strict=True))
    ]  # fmt: skip


def recompute(count: int) -> None:
    orders = drawn(count, LONGEST)
    with tempfile.TemporaryDirectory() as folder:
        store = DuckStore(Path(folder) / "tables.duckdb")
        for first in range(0, len(orders), 50_000):
            store.append(orders[first : first + 50_000])
        session, at = StoredSession(store, "drawn"), START + LONGEST
        completeness.hidden(read(session, at - SECOND, at, at).prints)  # compile
        day(read(session, at - 3600 * SECOND, at, at))
        print(f"| step, {len(orders):,} liquidations of 24 h | s |\n|---|---|")
        rounds = [measured(session, store, at) for _ in range(5)]
        for name in rounds[0]:
            print(f"| {name} | {np.median([r[name] for r in rounds]):.2f} |")
        whole = [sum(r[name] for name in (READ, SUMS, PAGE)) for r in rounds]
        print(f"| everything, median of five | {np.median(whole):.2f} ({min(whole):.2f} to {max(whole):.2f}) |")
        store.close()


def measured(session: StoredSession, store: DuckStore, at: int) -> dict[str, float]:
    """Seconds each step takes, once."""
    steps = {}
    began = time.perf_counter()
    material = read(session, at - LONGEST, at, at)
    steps[READ] = time.perf_counter() - began
    began = time.perf_counter()
    prints = completeness.hidden(material.prints)
    steps["what each print hides"] = time.perf_counter() - began
    began = time.perf_counter()
    waves(prints, material.start, at, "minutes", material.around)
    steps["waves"] = time.perf_counter() - began
    began = time.perf_counter()
    treemap(store.liquidation_sums(at - LONGEST, at, at), 12)
    list(store.liquidation_grid(at - LONGEST, at, 900 * SECOND, at))
    steps[SUMS] = time.perf_counter() - began
    began = time.perf_counter()
    day(material)
    steps[PAGE] = time.perf_counter() - began
    return steps


def beside(rate: int, seconds: int) -> None:
    """Feed a live state for `seconds` at `rate` orders a second while another thread works the day out again and again."""
    orders = drawn(rate * seconds, seconds * SECOND, 1)
    live = Live(START)
    stop, rounds = threading.Event(), 0

    def again() -> None:
        nonlocal rounds
        store = DuckStore(None)
        taken = 0
        while not stop.is_set():
            at = live.now
            fresh = orders[taken : taken + int(live.events) - taken]
            store.append(fresh)
            taken += len(fresh)
            session = StoredSession(store, "drawn")
            day(read(session, at - LONGEST, at, at))
            rounds += 1
            stop.wait(3)
        store.close()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    began, behind, position = time.perf_counter(), 0.0, 0
    while position < len(orders):
        now = time.perf_counter() - began
        due = START + int(now * SECOND)
        first = position
        while position < len(orders) and orders[position].ts_event <= due and position - first < 2000:
            position += 1
        live.add(orders[first:position])
        live.advance(due)
        if position < len(orders) and orders[position].ts_event <= due:
            behind = max(behind, (due - orders[position].ts_event) / 1e9)
        for window in WINDOWS:
            live.sums(window)
        list(live.grid(live.now - LONGEST, live.now, 900 * SECOND)) if position % 20_000 < 2000 else None
        time.sleep(0.01)
    took = time.perf_counter() - began
    stop.set()
    thread.join()
    print(f"\nBeside {rate:,} orders a second for {seconds} s: fed in {took:.1f} s, at most {behind:.2f} s behind;", end=" ")
    print(f"the day was worked out {rounds} times meanwhile.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()
    recompute(asked.orders)
    beside(20_000, asked.seconds)


if __name__ == "__main__":
    main()
