"""The reconstruction held against what was published, and our estimates and waves against its own truth, over several seeds.

.venv/bin/python benchmarks/reconstruction.py [--seeds 20] [--first 1]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics import completeness
from deleverage.analytics.waves import Segmentation, contract_seconds, labels, rand_index, segment
from deleverage.simulate.reconstruction import facts, frames, world
from deleverage.simulate.reconstruction.facts import AT, HOUR

RULES = {"binance": "latest_per_second", "okx": "undisclosed"}
THROTTLED = tuple(RULES)
START = AT - 24 * HOUR


def prints(orders: pl.DataFrame) -> pl.DataFrame:
    """Orders as the tables give them to the estimators."""
    return orders.select(
        ts_event="ts", venue="venue", base="coin", symbol=pl.format("{}/USDT:USDT", "coin"),
        position_side=pl.when("is_long").then(pl.lit("long")).otherwise(pl.lit("short")), method=pl.lit("market"), notional_usd="usd",
        coverage_rule=pl.col("venue").replace_strict(RULES, default="full"),
    ).sort("ts_event", "venue", "symbol")  # fmt: skip


def worst_total(orders: pl.DataFrame) -> float:
    """Largest relative distance of a printed total from what was published, over venues, sides and coins."""
    seen = orders.filter("is_printed")

    def off(test: pl.Expr, target: float) -> float:
        return abs(float(np.sum(seen.filter(test)["usd"].to_numpy())) / 1e6 / target - 1)

    longs, shorts = pl.col("is_long"), ~pl.col("is_long")
    found = [off((pl.col("venue") == v) & side, t) for v, p in facts.TARGETS.items() for side, t in ((longs, p.long), (shorts, p.short))]
    found += [off(pl.col("coin") == c, t) for c, t in facts.BASES.items()]
    return max(*found, off(longs, facts.SIDES.long), off(shorts, facts.SIDES.short))


def cut(orders: pl.DataFrame) -> Segmentation:
    """The waves of a set of orders."""
    hidden = completeness.hidden(prints(orders))
    return segment(contract_seconds(hidden["ts_event"].to_numpy(), hidden["contract"].to_numpy()), START, AT)


def main(seeds: int, first: int) -> None:
    rows: list[dict[str, Any]] = []
    waves: list[tuple[float, float, int, int]] = []
    for seed in range(first, first + seeds):
        orders = world.make(seed).market.orders.filter((pl.col("ts") >= START) & (pl.col("ts") < AT))
        seen = orders.filter("is_printed")
        contracts = completeness.by_contract(completeness.hidden(prints(seen)))
        row: dict[str, Any] = {"seed": seed, "worst": worst_total(orders)}
        for name, venues in (*((v, (v,)) for v in THROTTLED), ("all", tuple(facts.TARGETS))):
            found = completeness.estimate(contracts.filter(pl.col("venue").is_in(venues)))
            true = float(orders.filter(pl.col("venue").is_in(venues))["usd"].sum())
            inside = found.low_usd <= true and (found.high_usd is None or true <= found.high_usd)
            row |= {f"{name}_true": true, f"{name}_seen": found.observed_usd, f"{name}_estimate": found.estimate_usd,
                    f"{name}_inside": inside, f"{name}_open": found.high_usd is None, f"{name}_low": found.low_usd / true}  # fmt: skip
        rows.append(row)
        whole, shown = cut(orders), cut(seen)
        plain, corrected = rand_index(labels(whole, START, AT), labels(shown, START, AT))
        waves.append((plain, corrected, len(whole.waves), len(shown.waves)))
    print(
        f"{seeds} seeds; printed totals by venue, side and coin off what was published by {max(r['worst'] for r in rows):.2%} at the most\n"
    )
    print("| feed | true, bn | seen | estimate | interval holds the truth | open upwards | lower end / truth |")
    print("|---|---|---|---|---|---|---|")
    for name in (*THROTTLED, "all"):
        mean = {
            key: float(np.mean([row[f"{name}_{key}"] for row in rows])) for key in ("true", "seen", "estimate", "inside", "open", "low")
        }
        print(f"| {name} | {mean['true'] / 1e9:.2f} | {mean['seen'] / mean['true']:.0%} | {mean['estimate'] / mean['true']:.0%} | "
              f"{mean['inside']:.0%} | {mean['open']:.0%} | {mean['low']:.0%} |")  # fmt: skip
    columns: list[NDArray[np.float64]] = [np.array(column, dtype=np.float64) for column in zip(*waves, strict=True)]
    rand, adjusted, truth, shown_waves = columns
    print(f"\nwaves of what was shown against those of the truth: Rand {np.median(rand):.3f} ({rand.min():.3f} to {rand.max():.3f}),")
    print(f"adjusted {np.median(adjusted):.2f} ({adjusted.min():.2f} to {adjusted.max():.2f});", end=" ")
    print(f"{truth.mean():.1f} waves in the truth, {shown_waves.mean():.1f} in what was shown")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.parquet"
        count = frames.write(world.make(), path)
        size = path.stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nthe day as frames: {count:,} in {time.perf_counter() - started:.1f} s, {size:.1f} MB, peak memory {memory:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    asked = parser.parse_args()
    main(asked.seeds, asked.first)
