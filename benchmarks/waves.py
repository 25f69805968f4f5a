"""Waves of real events, how stable they are under thinning, and how well planted ones are found again.

.venv/bin/python benchmarks/waves.py [--data DIR] [--figures docs/images]
"""

import argparse
import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import real_feeds
from deleverage.analytics import completeness
from deleverage.analytics.bursts import count_bursts
from deleverage.analytics.waves import SECOND, Scale, contract_seconds, labels, rand_index, segment, waves
from deleverage.simulate.hawkes_stream import hawkes_times

EVENTS: tuple[tuple[str, str, float, float, Scale], ...] = (
    ("Drift, 4 December 2021", "drift", 1_638_532_800.0, 1_638_662_400.0, "minutes"),
    ("Drift, 5 and 6 January 2022", "drift", 1_641_391_200.0, 1_641_448_800.0, "minutes"),
    ("Drift, 4 to 8 January 2022, by hours", "drift", 1_641_254_400.0, 1_641_600_000.0, "hours"),
    ("Binance, 26 January 2025", "binance", 1_737_908_829.0, 1_737_911_680.0, "minutes"),
    ("Binance, 27 January 2025", "binance", 1_737_996_611.0, 1_737_998_430.0, "minutes"),
    ("Bybit, 10 October 2026", "bybit", 1_791_590_400.0, 1_791_594_780.0, "minutes"),
)


def clock(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%d %H:%M:%S")


def real(folder: Path, figures: Path | None) -> None:
    for title, source, start, end, scale in EVENTS:
        orders: real_feeds.Orders = getattr(real_feeds, source)(folder).between(start, end)
        hidden = completeness.hidden(orders.frame(source, "latest_per_second" if source == "binance" else "full"))
        low, high = int(start * 1e9), int(end * 1e9)
        found = waves(hidden, low, high, scale)
        ts = contract_seconds(hidden["ts_event"].to_numpy(), hidden["contract"].to_numpy())
        whole = labels(segment(ts, low, high, scale), low, high)
        rng = np.random.default_rng(0)
        scores = [
            rand_index(whole, labels(segment(ts[rng.random(len(ts)) < 0.8], low, high, scale), low, high)) for _ in range(50)
        ] if len(found) else []  # fmt: skip
        plain, adjusted = (np.median([s[k] for s in scores]) for k in (0, 1)) if scores else (np.nan, np.nan)
        print(f"\n### {title}: {len(orders.usd):,} orders, Rand {plain:.3f}, adjusted {adjusted:.2f} (median of 50 thinnings to 80 %)\n")
        print("| wave | began | lasted, s | orders | USD seen | estimate | n (95 %) |\n|---|---|---|---|---|---|---|")
        for w in found:
            n = "" if w.branching is None else f"{w.branching:.2f} ({w.branching_low:.2f} to {w.branching_high:.2f})"
            estimate = (
                "as seen"
                if w.estimate.status == "measured"
                else f"{w.estimate.estimate_usd:,.0f} ({w.estimate.low_usd:,.0f} to {w.estimate.high_usd or np.inf:,.0f})"
            )
            seconds, usd = (w.end - w.start) / 1e9, w.long_usd + w.short_usd
            print(f"| {w.number} | {clock(w.start / 1e9)} | {seconds:.0f} | {w.orders} | {usd:,.0f} | {estimate} | {n} |")
        if figures is not None:
            figure(figures / f"waves-{source}-{int(start)}.png", title, ts, [(w.start, w.end) for w in found], low, high, scale)


def bitcoin_hours(folder: Path) -> None:
    """Hours of January 2026 by dollars liquidated (CoinGlass: Binance, Bybit, OKX); units of the median hour."""
    rows = pl.read_csv(folder / "coinglass_btc" / "BTC_liquidation_1h.csv", infer_schema_length=None)
    usd_column = next(c for c in rows.columns if "total" in c.lower())
    at = pl.from_epoch(rows["time"] if "time" in rows.columns else rows[rows.columns[0]], "ms")
    year = dt.datetime(2026, 1, 1)  # the column has no zone and is UTC
    rows = rows.with_columns(at=at).filter(pl.col("at") >= year).sort("at")
    usd = rows[usd_column].cast(pl.Float64).to_numpy()
    unit = float(np.median(usd)) * 4
    found = count_bursts(np.round(usd / unit), float(np.mean(usd / unit)), gamma=1.0).bursts()
    print(f"\n### BTC hours of January 2026, {len(usd)} hours, unit {unit / 1e6:.1f} M USD\n\n| began | hours | USD |\n|---|---|---|")
    for burst in found:
        print(f"| {rows['at'][burst.first]:%d %H:%M} | {burst.last - burst.first + 1} | {usd[burst.first : burst.last + 1].sum():,.0f} |")


def shocks(folder: Path) -> None:
    """Auto-deleveraging shocks of 10 October 2025, cut by the second, against the waves their authors published."""
    rows = pl.read_csv(folder / "hyperliquid_2025-10-10" / "per_shock_metrics_queue.csv")
    published = pl.read_csv(folder / "hyperliquid_2025-10-10" / "policy_per_wave_metrics.csv")

    def ns(column: pl.Series) -> NDArray[np.int64]:
        return column.str.slice(0, 23).str.pad_end(23, "0").str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", strict=False).dt.epoch("ns").to_numpy()

    times, starts, ends = ns(rows["t_start"]), ns(published["t_start"]), ns(published["t_end"])
    ts = np.sort(times)
    low, high = int(ts[0]) // SECOND * SECOND, int(ts[-1]) + SECOND
    cut = segment(ts, low, high, "seconds")
    ours = labels(cut, low, high)
    theirs = np.zeros(len(ours), dtype=np.int64)
    for number, (a, b) in enumerate(zip(starts, ends, strict=True), 1):
        theirs[max((a - low) // SECOND, 0) : (b - low) // SECOND + 1] = number
    plain, adjusted = rand_index(ours, theirs)
    lags = [min(abs(a - s) for a, _, _ in cut.waves) / 1e9 for s in starts] if cut.waves else []
    print(f"\n### 10 October 2025: {len(ts)} shocks, {len(cut.waves)} waves by the second, {len(starts)} published\n")
    near = f"median {np.median(lags):.1f} s, {sum(x <= 2 for x in lags)} of {len(lags)} within 2 s"
    print(f"Rand {plain:.3f}, adjusted {adjusted:.2f}; from each published start to the nearest of ours: {near}.")
    for a, b, _ in cut.waves:
        print(f"- {clock(a / 1e9)}, {(b - a) / 1e9:.1f} s")


def planted() -> None:
    """Waves planted on a self-exciting background."""
    rng = np.random.default_rng(4)
    errors, counts = [], []
    for _ in range(40):
        background = hawkes_times(0.01, 0.4, 0.1, 21_600, rng)
        starts = np.sort(rng.choice(np.arange(1, 11), 3, replace=False)) * 1_800.0
        ends = starts + rng.uniform(60, 900, 3)
        inside = [np.sort(rng.uniform(a, b, rng.poisson((b - a) * rng.uniform(0.15, 1.0)))) for a, b in zip(starts, ends, strict=True)]
        ts = (np.sort(np.concatenate([background, *inside])) * 1e9).astype(np.int64)
        found = segment(ts, 0, int(21_600e9), "minutes").waves
        counts.append(len(found))
        for a, b in zip(starts, ends, strict=True):
            near = min(found, key=lambda w: abs(w[0] / 1e9 - a), default=None)
            if near is not None:
                errors.append((near[0] / 1e9 - a, near[1] / 1e9 - b))
    start, end = np.abs(np.array(errors)).T
    print(f"\n### Planted: 40 streams of six hours with three waves each; found {np.mean(counts):.1f} on average\n")
    print("| boundary | median error, s | 90 % within, s |\n|---|---|---|")
    print(
        f"| start | {np.median(start):.1f} | {np.quantile(start, 0.9):.1f} |\n| end | {np.median(end):.1f} | {np.quantile(end, 0.9):.1f} |"
    )


def figure(path: Path, title: str, ts: NDArray[np.int64], found: list[tuple[int, int]], low: int, high: int, scale: Scale) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    slot = {"seconds": 1, "minutes": 10, "hours": 300}[scale]
    counts = np.bincount((ts - low) // (slot * SECOND), minlength=(high - low) // (slot * SECOND) + 1)
    hours = np.arange(len(counts)) * slot / 3600
    fig, axis = plt.subplots(figsize=(9, 2.6))
    for a, b in found:
        axis.axvspan((a - low) / 3.6e12, (b - low) / 3.6e12, color="#e4572e", alpha=0.25, lw=0)
    axis.fill_between(hours, counts, step="post", color="#454c55", lw=0)
    axis.set_xlim(0, hours[-1])
    axis.set_ylim(bottom=0)
    axis.set_xlabel(f"hours from {clock(low / 1e9)} UTC")
    axis.set_ylabel(f"contract-seconds\nper {slot} s")
    axis.set_title(f"{title}: {len(found)} waves", loc="left", fontsize=10)
    fig.tight_layout()
    fig.savefig(path, dpi=120)
    plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--figures", type=Path, default=None)
    asked = parser.parse_args()
    planted()
    if asked.data is not None:
        real(asked.data, asked.figures)
        bitcoin_hours(asked.data)
        shocks(asked.data)


if __name__ == "__main__":
    main()
