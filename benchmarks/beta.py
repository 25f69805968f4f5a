"""Betas of bitcoin to the dollar and to yields, how far their intervals can be trusted, and the figure of the method page.

.venv/bin/python benchmarks/beta.py --data DIR [--figures docs/images]
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics import macro, regression

SERIES = ("DTWEXBGS", "DGS10", "DFII10", "BREAKEVEN10")


def observations(folder: Path) -> pl.DataFrame:
    """Daily values of three series; the files keep no receipt, so each counts as known on its day."""
    parts = []
    for name in ("DTWEXBGS", "DGS10", "DFII10"):
        file = pl.read_csv(folder / "fred" / f"{name}.csv")
        parts.append(file.select(
            venue=pl.lit("fred"), series=pl.lit(name), observation_date="date", value=pl.col(name).cast(pl.Float64),
            ts_recv=pl.lit(0, pl.Int64),
        ))  # fmt: skip
    return pl.concat(parts)


def hourly(folder: Path, coin: str, value: str) -> pl.DataFrame:
    candles = pl.read_parquet(folder / "seven_venues_2025_2026" / "candles.parquet")
    rows = candles.filter((pl.col("venue") == "binance") & (pl.col("coin") == coin))
    return rows.select(pl.col("timestamp").dt.epoch("ns").alias("ts") + macro.HOUR, pl.col("c").alias(value)).sort("ts")


def daily(folder: Path) -> pl.DataFrame:
    """Bitcoin once a day since August 2023, of midnight UTC."""
    kept = json.loads((folder / "dvol" / "BTC_DVOL_1d.json").read_text())
    days = pl.Series(kept["dates"]).str.to_date()
    return pl.DataFrame({"ts": days.cast(pl.Datetime("ns")).dt.epoch("ns"), "price": kept["btc_prices"]})


def row(label: str, found: macro.Beta) -> str:
    if found.beta is None or found.beta_low is None or found.beta_high is None or found.correlation is None:
        return f"| {label} | {found.n} | not told | | | | |"
    assert found.correlation_low is not None and found.correlation_high is not None
    day = datetime.fromtimestamp((found.start or 0) / 1e9, tz=UTC).date()
    size = 100 if found.kind == "difference" else 1  # per percentage point: in percent
    unit = " % per point" if found.kind == "difference" else ""
    slope = f"{size * found.beta:.2f} ({size * found.beta_low:.2f} to {size * found.beta_high:.2f}){unit}"
    rho = f"{found.correlation:.2f} ({found.correlation_low:.2f} to {found.correlation_high:.2f})"
    return f"| {label} | {found.n} | {day} | {slope} | {size * (found.ewma_beta or 0):.2f}{unit} | {rho} | {found.verdict} |"


HEAD = "| | changes | from | beta (95 %) | EWMA beta | correlation (95 %) | verdict |\n|---|---|---|---|---|---|---|"


def tables(folder: Path) -> None:
    seen, hours, days = observations(folder), hourly(folder, "BTC", "price"), daily(folder)
    print("**At the New York close, hourly prices**\n\n" + HEAD)
    for name in SERIES:
        moved = macro.changes(hours, macro.observed(seen, name), kind=macro.KINDS[name])
        for window in (30, 90, None):
            print(
                row(f"{name}, {'last ' + str(window) if window else 'all'}", macro.beta(moved, name, window=window, kind=macro.KINDS[name]))
            )
    print("\n**The dollar index by the hour of New York at which bitcoin is read, all changes**\n\n" + HEAD)
    for at in ("08:00", "10:00", "12:00", "14:00", "16:00", "20:00"):
        moved = macro.changes(hours, macro.observed(seen, "DTWEXBGS", at=at))
        print(row(at, macro.beta(moved, "DTWEXBGS")))
    print("\n**Midnight UTC's price instead (August 2023 on), the error that sampling makes**\n\n" + HEAD)
    for name in SERIES:
        values = macro.observed(seen, name)
        kind = macro.KINDS[name]
        print(row(f"{name}, midnight before", macro.beta(macro.changes(days, values, kind=kind, oldest=macro.DAY), name, kind=kind)))
        after = values.with_columns(pl.col("ts") + 8 * macro.HOUR)
        print(row(f"{name}, midnight after", macro.beta(macro.changes(days, after, kind=kind, oldest=macro.DAY), name, kind=kind)))
    joint = macro.joint({
        name: macro.changes(hours, macro.observed(seen, name), kind=macro.KINDS[name]) for name in ("DTWEXBGS", "DGS10", "DFII10")
    })  # fmt: skip
    print("\n**Three at once**\n\n| | beta | 95 % | t | VIF | ridge |\n|---|---|---|---|---|---|")
    for k, name in enumerate(joint.series):
        print(
            f"| {name} | {joint.betas[k]:.3f} | {joint.low[k]:.3f} to {joint.high[k]:.3f} | {joint.t[k]:.2f} | {joint.inflation[k]:.1f} |"
            f" {joint.ridge[k]:.3f} |"
        )
    print(f"\n{joint.n} changes, R² {joint.r_squared:.3f}")
    print("\n**Other coins by the hour, last 30 days**\n\n" + HEAD)
    for coin in ("ETH", "SOL"):
        moved = macro.changes(hours, hourly(folder, coin, "value"), longest=macro.HOUR)
        print(row(f"BTC on {coin}", macro.beta(moved, coin, window=720)))


def paths(rng: np.random.Generator, n: int, memory: float, tails: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shocks = rng.standard_t(4, (2, n + 50)) if tails else rng.normal(size=(2, n + 50))
    for i in range(1, n + 50):
        shocks[:, i] += memory * shocks[:, i - 1]
    return shocks[0, 50:], shocks[1, 50:]


def coverage(draws: int = 2000) -> None:
    """How often intervals hold the truth (slope 0.5; correlation of that model), by simulation."""
    print("\n**Coverage of the 95 % intervals, 2,000 draws each**\n")
    print("| changes | noise | beta (Newey–West) | correlation (Fisher) |\n|---|---|---|---|")
    rng = np.random.default_rng(0)
    for n in (30, 90, 250):
        for label, memory, tails, changing in (
            ("independent, normal", 0, False, False), ("memory 0.3", 0.3, False, False), ("tails of t(4)", 0, True, False),
            ("noise grows with x", 0, False, True),
        ):  # fmt: skip
            slope = rho = 0
            truth = 0.5 / (0.25 + (2 if changing else 1)) ** 0.5  # noise of variance E(1 + x²)
            for _ in range(draws):
                x, noise = paths(rng, n, memory, tails)
                y = 0.5 * x + noise * (np.sqrt(1 + x**2) if changing else 1)
                fit = regression.least_squares(x, y)
                slope += fit.low[1] <= 0.5 <= fit.high[1]
                low, high = regression.correlation_interval(regression.correlation(x, y), n)
                rho += low <= truth <= high
            print(f"| {n} | {label} | {slope / draws:.1%} | {rho / draws:.1%} |")


def figure(folder: Path, images: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    seen, hours = observations(folder), hourly(folder, "BTC", "price")
    fig, axes = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True)
    for axis, name, title, size in (
        (axes[0], "DTWEXBGS", "beta to the broad dollar index", 1),
        (axes[1], "DFII10", "% per percentage point of the 10-year real yield", 100),
    ):  # fmt: skip
        moved = macro.changes(hours, macro.observed(seen, name), kind=macro.KINDS[name])
        found = macro.rolling(moved, 60)
        at = found["ts"].cast(pl.Datetime("ns")).to_numpy()
        axis.fill_between(at, size * found["beta_low"], size * found["beta_high"], color="#9bb8d3", alpha=0.5, linewidth=0)
        axis.plot(at, size * found["beta"], color="#1f4e79", linewidth=1.5, label="last 60 changes, 95 % interval")
        axis.plot(at, size * found["ewma_beta"], color="#b5541c", linewidth=0.9, label="EWMA 0.94")
        axis.axhline(0, color="#555555", linewidth=0.8)
        axis.set_title(f"Bitcoin: {title}", loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    fig.text(0.01, 0.005, "Binance hourly closes at 16:00 New York; FRED DTWEXBGS, DFII10", fontsize=7, color="#555555")
    fig.tight_layout(rect=(0, 0.02, 1, 1))
    fig.savefig(images / "beta.png", dpi=110)
    plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--figures", type=Path)
    asked = parser.parse_args()
    tables(asked.data)
    coverage()
    if asked.figures:
        figure(asked.data, asked.figures)


if __name__ == "__main__":
    main()
