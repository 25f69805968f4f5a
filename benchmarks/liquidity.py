"""How fast books are rebuilt and measured, what it takes, and how a real one looks.

.venv/bin/python benchmarks/liquidity.py [--figure docs/images/liquidity-binance-2024-08-08.png]
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from deleverage.analytics.book_map import BookMap
from deleverage.analytics.liquidity import SECOND, grid, liquidity, observe, unit_of
from deleverage.analytics.order_book import OrderBook, rows_of
from deleverage.collect.pipeline import Pipeline
from deleverage.events import BookDepth
from deleverage.journal.interchange import read_source
from deleverage.recordings import bundled
from deleverage.store.columns import to_arrow

SIZES = {"htx": (10.0, "inverse"), "okx": (100.0, "inverse")}
"""Dollars per contract of the coin-margined contracts recorded."""


def books(name: str) -> pl.DataFrame:
    rows: list[BookDepth] = []
    pipeline = Pipeline(lambda events: rows.extend(e for e in events if isinstance(e, BookDepth)))
    for frame in read_source(bundled()[name].path):
        pipeline.feed(frame)
    found = pl.from_arrow(to_arrow(rows))
    assert isinstance(found, pl.DataFrame)
    return found


def speed(name: str) -> None:
    frame = books(name)
    levels = sum(int(frame[side].list.len().to_numpy().sum()) for side in ("bids", "asks"))
    start, end = int(frame["ts_event"].to_numpy().min()), int(frame["ts_event"].to_numpy().max())
    sizes = {(v, s): SIZES[v] for v, s in frame.select("venue", "venue_symbol").unique().iter_rows() if v in SIZES}
    bucket = max((end - start) // 500, 1)
    liquidity(frame, start, end, bucket, sizes)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        series = liquidity(frame, start, end, bucket, sizes)
        best = min(best, time.perf_counter() - began)
    known = series["mid"].count() / len(series)
    bid, ask = (float(np.nanmedian(series[name].to_numpy())) for name in ("bid_reach", "ask_reach"))
    print(
        f"| {name} | {len(frame):,} | {levels:,} | {best * 1e3:.0f} | {len(frame) / best / 1e6:.2f} M | {levels / best / 1e6:.1f} M |"
        f" {known:.0%} | {bid:.3%} / {ask:.3%} |"
    )


def figure(path: Path) -> None:
    import matplotlib.pyplot as plt

    frame = books("binance-2024-08-08")
    start, end = int(frame["ts_event"].to_numpy().min()), int(frame["ts_event"].to_numpy().max())
    instants = grid(start, end, SECOND)
    book, unit = OrderBook("binance"), unit_of("base")
    drawn = BookMap(instants, unit)
    observe(book, rows_of(frame), instants, unit, lambda k: drawn.take(k, book))
    image = drawn.image(120)
    assert image is not None
    seconds = (instants - instants[0]) / SECOND
    fig, axes = plt.subplots(figsize=(9, 4.2), dpi=110, layout="constrained")
    shown = np.log10(np.clip(image.usd, 1e3, None))
    mesh = axes.pcolormesh(np.append(seconds, seconds[-1] + 1), image.edges, shown.T, cmap="inferno", vmin=3.5, vmax=7.5, rasterized=True)
    axes.plot(seconds, drawn.mids, color="white", lw=0.9)
    axes.set(xlabel="seconds from 23:54:15 UTC, 8 August 2024", ylabel="USD per BTC", facecolor="#d0d0d0")
    axes.set_title("Binance BTCUSDT: what rested at which price (grey: not known; white: mid price)", fontsize=10)
    bar = fig.colorbar(mesh, ticks=[4, 5, 6, 7])
    bar.ax.set_yticklabels(["10 k", "100 k", "1 M", "10 M"])
    bar.set_label("USD per bin")
    fig.savefig(path)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--figure", type=Path)
    asked = options.parse_args()
    print(
        "| recording | rows | levels | ms | rows a second | levels a second | known | reach, bid / ask |\n|---|---|---|---|---|---|---|---|"
    )
    for name in ("binance-2024-08-08", "hyperliquid-2025-01-26", "htx-2022-02-19", "bybit-2026-08-09", "okx-2022-05-13"):
        speed(name)
    print(f"\nPeak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    if asked.figure is not None:
        figure(asked.figure)


if __name__ == "__main__":
    main()
