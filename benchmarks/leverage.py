"""Funding of November 2025 at four venues, and open interest off its peak in January 2026: the tables and pictures of two method pages.

.venv/bin/python benchmarks/leverage.py [--data DIR] [--figures docs/images]
"""

import argparse
import datetime as dt
import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics import basis, funding, funding_history, funding_regimes, open_interest
from deleverage.tables import TABLES
from deleverage.venues import deribit

HOUR = funding.HOUR
DAY = 24 * HOUR
VENUES = ("binance", "bybit", "hyperliquid", "kraken")
COLOURS = {"binance": "#c28a00", "bybit": "#d1495b", "hyperliquid": "#2a9d8f", "kraken": "#5b5bd6"}


def ns(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp()) * 1_000_000_000  # type: ignore[misc, arg-type]  # y, m, d, h


def stamp(at: int | None) -> str:
    return "" if at is None else dt.datetime.fromtimestamp(at / 1e9, dt.UTC).strftime("%d %b %H:%M")


def header(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |\n|" + "---|" * len(cells))


def whole(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    schema = TABLES[name].polars_schema
    missing = {c: pl.lit("" if dtype == pl.String else None) for c, dtype in schema.items() if c not in frame.columns}
    return frame.with_columns(**missing | {"ts_recv": pl.col("ts_event")}).select(pl.col(c).cast(dtype) for c, dtype in schema.items())


def settled(folder: Path, coin: str = "BTC") -> pl.DataFrame:
    frame = pl.read_parquet(folder / "seven_venues_2025_2026" / "funding_rates.parquet")
    chosen = frame.filter((pl.col("coin") == coin) & pl.col("venue").is_in(VENUES))
    return whole("funding_rates", chosen.select(
        "venue", "funding_rate", ts_event=pl.col("timestamp").dt.epoch("ns"), base="coin", symbol=pl.lit(f"{coin}/USDT:USDT"),
        funding_kind=pl.lit("settled"),
    ))  # fmt: skip


def held(folder: Path, coin: str) -> pl.DataFrame:
    with gzip.open(folder / "binance_oi_funding_2026" / f"{coin}_oi_5m.csv.gz") as file:
        frame = pl.read_csv(file.read())
    return whole("open_interest", frame.select(
        ts_event=pl.col("t") * 1_000_000, open_interest="oi", open_interest_base="oi", open_interest_usd="oi_usd", venue=pl.lit("binance"),
        symbol=pl.lit(f"{coin}/USDT:USDT"), base=pl.lit(coin), counting=pl.lit("one_side"),
    ))  # fmt: skip


def november(rates: pl.DataFrame) -> None:
    start, end = ns(2025, 11, 19, 16), ns(2025, 11, 23)
    rows = funding_history.history(rates, 0, end)
    series = {v: rows.filter(pl.col("venue") == v) for v in VENUES} | {"all alike": funding_history.combined(rows)}
    named = {v: funding_regimes.regimes(frame, start, end) for v, frame in series.items()}
    print(
        "\n### Per 8 h, % (rank of the past 90 days)\n\n| until, November 2025 UTC | "
        + " | ".join(named)
        + " |\n|---|"
        + "---|" * len(named)
    )
    for moment in zip(*named.values(), strict=True):
        cells = [f"{r.rate_8h * 100:+.4f} {r.word} ({r.percentile:.0%})" for r in moment]
        print(f"| {stamp(moment[0].ts_end)} | " + " | ".join(cells) + " |")
    print("\n### Stretches below 0\n")
    header("venue", "from", "until", "settlements", "hours", "lowest per 8 h, %", "")
    for f in funding_history.flips(rates, start, end).iter_rows(named=True):
        lowest = f"{f['lowest_8h'] * 100:.5f}"
        print(
            f"| {f['venue']} | {stamp(f['start'])} | {stamp(f['end'])} | {f['settlements']} | {f['hours']:.0f} | {lowest} | {f['flip']} |"
        )
    print("\n### Paid by longs\n")
    header("venue", "20–22 November, %", "per year, %", "90 days to the 23rd, %", "per year, %", "of settlements below 0")
    short, long = (funding_history.cumulative(rates, since, end) for since in (ns(2025, 11, 20), end - 90 * DAY))
    for a, b in zip(short.iter_rows(named=True), long.iter_rows(named=True), strict=True):
        paid = [f"{a['paid'] * 100:.4f}", f"{a['apr'] * 100:.2f}", f"{b['paid'] * 100:.3f}", f"{b['apr'] * 100:.2f}"]
        print(f"| {a['venue']} | {' | '.join(paid)} | {b['negatives'] / b['settlements']:.1%} |")


def words(rates: pl.DataFrame) -> None:
    end = ns(2026, 1, 26)
    rows = funding_history.history(rates, 0, end)
    order = ["hot", "elevated", "resting", "low", "compressed", "brief flip", "negative", "flipped"]
    print(
        "\n### Share of 8 h buckets, 9 June 2025 to 25 January 2026, %\n\n| venue | "
        + " | ".join(order)
        + " |\n|---|"
        + "---|" * len(order)
    )
    for venue in VENUES:
        found = [r.word for r in funding_regimes.regimes(rows.filter(pl.col("venue") == venue), ns(2025, 6, 9), end)]
        print(f"| {venue} | " + " | ".join(f"{100 * found.count(w) / len(found):.1f}" for w in order) + " |")  # type: ignore[arg-type]


def off_peak(folder: Path) -> dict[str, pl.DataFrame]:
    at, totals = ns(2026, 1, 25, 23) + 55 * 60_000_000_000, {}
    print("\n### Off the highest of the month to 25 January 2026, 23:55 UTC\n")
    quadrants = ("new longs", "short covering", "new shorts", "long closing")
    header("coin", "coins, %", "peak", "dollars, %", "peak", "of seven months", *(f"hours of {q}" for q in quadrants))
    for coin in ("BTC", "ETH", "SOL"):
        rows = open_interest.shaped(held(folder, coin), at)
        totals[coin] = open_interest.series(rows, ns(2025, 12, 1, 1), at, 5 * 60_000_000_000, base=coin)
        month, seven = (open_interest.drawdown(totals[coin], at, months=m) for m in (1, 7))
        steps = open_interest.quadrants(open_interest.series(rows, ns(2025, 12, 2), at, HOUR, base=coin))["quadrant"].to_list()
        assert month.coins is not None and month.usd is not None and seven.coins is None
        counted = " | ".join(str(steps.count(w)) for w in quadrants)
        print(
            f"| {coin} | {month.coins * 100:.2f} | {stamp(month.coins_peak_at)} | {month.usd * 100:.2f} | {stamp(month.usd_peak_at)} "
            f"| not known: {seven.history_days:.0f} days | {counted} |"
        )
    return totals


def premium(folder: Path) -> None:
    print("\n### Premium of Hyperliquid's perpetuals, 12 to 18 June 2026, %\n\n| coin | mean | lowest hour | highest hour | readings |")
    print("|---|---|---|---|---|")
    for coin in ("BTC", "ETH", "SOL"):
        lines = []
        for path in sorted((folder / "hyperliquid_recorder_2026").glob(f"ctx_{coin}_*.jsonl.gz")):
            with gzip.open(path, "rt") as file:
                lines += [json.loads(line) for line in file]
        frame = pl.DataFrame(lines).select(
            ts_event=pl.col("ts") * 1_000_000, mark_price="mark", index_price="oracle", venue=pl.lit("hyperliquid"), base=pl.lit(coin),
            symbol=pl.lit(f"{coin}/USDC:USDC"),
        )  # fmt: skip
        hours = basis.premium_series(whole("mark_prices", frame), ns(2026, 6, 12), ns(2026, 6, 19), HOUR)["premium"] * 100
        mean, low, high = (float(v) for v in (hours.mean(), hours.min(), hours.max()))  # type: ignore[arg-type]  # they are numbers
        print(f"| {coin} | {mean:.4f} | {low:.4f} | {high:.4f} | {len(lines)} |")


def curve(folder: Path) -> None:
    print("\n### Deribit's BTC futures, January 2026: basis per year, %\n")
    header("at, UTC", "index", "expiries", "nearest (days)", "30 days", "90 days", "180 days", "perpetual's premium, %")
    for path in sorted((folder / "deribit_btc_snapshots_2026-01").glob("*_futures_raw.csv.gz")):
        with gzip.open(path) as file:
            listed = pl.read_csv(file.read(), infer_schema_length=None)
        symbols = [(i.symbol if i else "") for i in (deribit.infer(name) for name in listed["instrument_name"])]
        rows = whole("mark_prices", listed.select(
            "mark_price", "index_price", ts_event=pl.col("timestamp") * 1_000_000, symbol=pl.Series(symbols), venue=pl.lit("deribit"),
            base=pl.lit("BTC"),
        ))  # fmt: skip
        at = int(rows["ts_event"].max())  # type: ignore[arg-type]  # a time
        term = basis.term_structure(rows, at, base="BTC")
        fixed = [f"{basis.constant_maturity(term, days)['log_apr'][0] * 100:.2f}" for days in (30, 90, 180)]
        near = term.drop_nulls("log_apr").row(0, named=True)
        premium = basis.premiums(rows, at)["premium"][0] * 100
        first = f"{near['log_apr'] * 100:.2f} ({near['days']:.1f})"
        print(f"| {stamp(at)} | {near['index_price']:,.0f} | {len(term)} | {first} | {' | '.join(fixed)} | {premium:.4f} |")


def cost(rates: pl.DataFrame, oi: pl.DataFrame) -> None:
    def milliseconds(work: object) -> float:
        best = 1e9
        for _ in range(5):
            began = time.perf_counter()
            work()  # type: ignore[operator]
            best = min(best, (time.perf_counter() - began) * 1e3)
        return best

    at = ns(2026, 1, 26)
    rows = funding_history.history(rates.filter(pl.col("venue") == "binance"), 0, at)
    print("\n### Cost, best of five\n\n| what | rows | ms |\n|---|---|---|")
    print(f"| latest rates | {len(rates)} | {milliseconds(lambda: funding.latest(rates, at)):.1f} |")
    print(f"| history in 8 h | {len(rates)} | {milliseconds(lambda: funding_history.history(rates, 0, at)):.1f} |")
    print(f"| one regime | {len(rows)} | {milliseconds(lambda: funding_regimes.regime(rows, at)):.2f} |")
    print(f"| drawdown of a series | {len(oi)} | {milliseconds(lambda: open_interest.drawdown(oi, at, months=1)):.1f} |")


def figures(folder: Path, rates: pl.DataFrame, totals: dict[str, pl.DataFrame]) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import dates
    from matplotlib import pyplot as plt

    def moments(ts: Sequence[int] | pl.Series) -> NDArray[np.float64]:
        return np.array([t / DAY for t in ts])  # days since 1970, as matplotlib counts them

    start, end = ns(2025, 11, 10), ns(2025, 11, 30)
    rows = funding_history.history(rates, start, end)
    figure, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
    axes.axhline(0, color="#444", lw=0.8)
    axes.axhspan(0.008, 0.012, color="#999", alpha=0.25, lw=0, label="resting")
    for venue in VENUES:
        part = rows.filter(pl.col("venue") == venue)
        axes.step(moments(part["ts_end"]), part["rate_8h"] * 100, where="pre", color=COLOURS[venue], lw=1.3, label=venue)
    axes.axvspan(*moments([ns(2025, 11, 20), ns(2025, 11, 23)]), color="#d1495b", alpha=0.08, lw=0)
    axes.set_ylabel("% per 8 h")
    axes.set_title("BTC funding, November 2025: above 0 longs pay shorts", fontsize=10, loc="left")
    axes.xaxis.set_major_locator(dates.DayLocator(interval=2))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b"))  # type: ignore[no-untyped-call]
    axes.legend(ncols=5, fontsize=8, frameon=False, loc="upper right")
    figure.savefig(folder / "funding-2025-11.png", dpi=110)
    plt.close(figure)

    figure, row = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
    for axes, (coin, total) in zip(row, totals.items(), strict=True):
        thin = total.filter(pl.col("is_complete")).gather_every(12)
        for name, colour, label in (("coins", "#2a9d8f", "in coins"), ("usd", "#d1495b", "in dollars")):
            axes.plot(moments(thin["ts"]), (thin[name] / thin[name].cum_max() - 1) * 100, color=colour, lw=1.1, label=label)
        axes.set_title(coin, fontsize=10, loc="left")
        axes.xaxis_date()
        axes.xaxis.set_major_locator(dates.DayLocator(interval=20))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b"))  # type: ignore[no-untyped-call]
        axes.tick_params(labelsize=8)
    row[0].set_ylabel("% off the highest since 1 December")
    row[0].legend(fontsize=8, frameon=False, loc="lower left")
    figure.savefig(folder / "open-interest-2026-01.png", dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--figures", type=Path)
    options = parser.parse_args()
    rates = settled(options.data)
    november(rates)
    words(rates)
    totals = off_peak(options.data)
    premium(options.data)
    curve(options.data)
    cost(rates, totals["BTC"])
    if options.figures is not None:
        figures(options.figures, rates, totals)


if __name__ == "__main__":
    main()
