"""How long a day's report takes from a store of a million liquidations, and how large it is; and what other printers would cost.

    python benchmarks/report.py [--orders 1000000] [--profile]

A million forced orders of one day on five venues and 300 contracts, with two stresses in it, every one a row of the table. Times are wall
clock, best and median of five after one that compiles; a busy machine is told by its load.
"""

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from deleverage.analytics.coverage import Span
from deleverage.api.session import StoredSession
from deleverage.report.compose import compose
from deleverage.report.reading import read
from deleverage.report.render import FORMS, render
from deleverage.store.duck import DuckStore
from deleverage.tables import TABLES

AT = 1_763_737_200 * 10**9
DAY = 86_400 * 10**9
VENUES = {"binance": "largest_per_second", "bybit": "full", "okx": "undisclosed", "htx": "presumed_full", "hyperliquid": "full"}


def store_of(orders: int, path: Path) -> DuckStore:
    """Fill a store with a day of forced orders: half spread over the day, half in two stresses of an hour."""
    import polars as pl

    rng = np.random.default_rng(7)
    calm = rng.integers(AT - DAY, AT, orders // 2)
    stress = np.concatenate([AT - share * 3600 * 10**9 + rng.exponential(900e9, orders // 4).astype(np.int64) for share in (14, 8)])
    ts = np.sort(np.concatenate([calm, np.minimum(stress, AT - 1)]))
    n = len(ts)
    venue, contract = rng.choice(list(VENUES), n), (300 * rng.random(n) ** 2).astype(int)
    base = np.array([f"C{i}" if i else "BTC" for i in range(300)])[contract]
    usd = np.round(np.exp(rng.normal(8, 1.6, n)), 6)
    frame = pl.DataFrame({
        "venue": venue, "symbol": base, "venue_symbol": base, "base": base, "ts_event": ts, "ts_recv": ts + 50_000_000,
        "position_side": np.where(rng.random(n) < 0.85, "long", "short"), "price": 80_000.0, "price_kind": "fill", "quantity": usd / 80_000,
        "contracts": None, "notional_usd": usd, "method": "market", "coverage_rule": [VENUES[v] for v in venue], "native_id": "",
        "ordinal": np.arange(n), "is_backfill": False, "mark_price": None, "account": None,
    }, strict=False)  # fmt: skip
    schema = TABLES["liquidations"].polars_schema
    frame = frame.with_columns(pl.format("{}/USDT:USDT", "symbol").alias("symbol"))
    missing = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in frame.columns]
    rows = frame.with_columns(missing).select([pl.col(name).cast(kind) for name, kind in schema.items()])
    store = DuckStore(path)
    spans = [Span(v, "", AT - DAY, AT, True, "import") for v in VENUES]
    store.append_import("liquidations", rows.to_arrow(), "benchmark", "made here", spans)
    return store


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        store = store_of(asked.orders, Path(folder) / "store.duckdb")
        took, load = time.perf_counter() - began, os.getloadavg()[0]
        print(f"{asked.orders:,} liquidations stored in {took:.1f} s; load {load:.1f} on {os.cpu_count()} cores")
        session = StoredSession(store, "")
        parts: dict[str, list[float]] = {"read": [], "compose": [], **{form: [] for form in FORMS}, "total, html": []}
        sizes: dict[str, int] = {}
        for number in range(6):
            times: dict[str, float] = {}
            t = time.perf_counter()
            reading = read(session, AT, AT, DAY)
            times["read"] = time.perf_counter() - t
            t = time.perf_counter()
            report = compose(reading)
            times["compose"] = time.perf_counter() - t
            for form in FORMS:
                t = time.perf_counter()
                sizes[form] = len(render(report, form))
                times[form] = time.perf_counter() - t
            times["total, html"] = times["read"] + times["compose"] + times["html"]
            if number:
                for name, value in times.items():
                    parts[name].append(value)
        print(f"{'part':<14}{'best, s':>10}{'median, s':>12}{'bytes':>12}")
        for name, values in parts.items():
            print(f"{name:<14}{min(values):>10.3f}{statistics.median(values):>12.3f}{sizes.get(name, 0) or '':>12}")
        print(report.headline.text)
        if asked.profile:
            profile = cProfile.Profile()
            profile.enable()
            compose(read(session, AT, AT, DAY))
            profile.disable()
            pstats.Stats(profile, stream=sys.stdout).sort_stats("cumtime").print_stats(40)
        store.close()


if __name__ == "__main__":
    main()
