"""The published sentiment index, our own beside it, fund flows and yields: the numbers and the figure of their method pages.

.venv/bin/python benchmarks/sentiment.py --data DIR [--figures docs/images]
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from beta import observations
from deleverage.analytics import etf_flows, macro, sentiment
from deleverage.analytics.macro import DAY, HOUR

DAYS = ("2025-10-06", "2025-10-10", "2025-10-21", "2025-11-14", "2025-11-20", "2025-11-21", "2025-11-22", "2025-12-31", "2026-01-25")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def published(folder: Path) -> pl.DataFrame:
    file = pl.read_csv(folder / "fear_greed" / "fng.csv")
    ts = pl.col("timestamp") * 1_000_000_000
    return file.select(
        venue=pl.lit("alternative_me"), index_name=pl.lit("fear_and_greed"), ts_event=ts, value="value", classification="classification",
        ts_recv=ts,
    )  # fmt: skip


def flows(folder: Path, base: str) -> pl.DataFrame:
    """The table of a base in dollars; each day counts as known at 06:00 UTC of the next."""
    wide = pl.read_csv(folder / "etf_flows" / f"etf_{base.lower()}.csv", infer_schema=False).filter(pl.col("Date") != "Seed")
    day = pl.col("Date").str.to_date("%d %b %Y")
    return wide.unpivot(index="Date", variable_name="fund", value_name="million").drop_nulls().select(
        venue=pl.lit("farside"), base=pl.lit(base), fund="fund", trading_day=day.cast(pl.String),
        net_flow_usd=pl.col("million").cast(pl.Float64) * 1e6, is_provisional=pl.lit(False),
        ts_recv=day.cast(pl.Datetime("ns")).dt.epoch("ns") + 30 * HOUR,
    )  # fmt: skip


def daily(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bitcoin's price and the published volatility index at each midnight UTC since August 2023."""
    kept = json.loads((folder / "dvol" / "BTC_DVOL_1d.json").read_text())
    ts = pl.Series(kept["dates"]).str.to_date().cast(pl.Datetime("ns")).dt.epoch("ns")
    return pl.DataFrame({"ts": ts, "price": kept["btc_prices"]}), pl.DataFrame({"ts": ts, "value": kept["dvol"]})


def components(folder: Path) -> dict[str, pl.DataFrame]:
    """Five of the eight components; skew, liquidations and breadth have no daily history here."""
    prices, volatility = daily(folder)
    days = etf_flows.daily(etf_flows.fund_days(flows(folder, "BTC"))[0])
    weekly = days.select(ts="known_at", value=pl.col("net_flow_usd").rolling_sum(5))
    funding = pl.read_parquet(folder / "seven_venues_2025_2026" / "funding_rates.parquet")
    rate = funding.columns[-1]
    funding = funding.filter((pl.col("venue") == "binance") & (pl.col("coin") == "BTC")).sort("timestamp")
    day = pl.col("timestamp").dt.epoch("ns") // DAY * DAY + DAY
    return {
        "volatility": volatility, "drawdown": sentiment.drawdown(prices), "momentum": sentiment.momentum(prices), "etf_flow": weekly,
        "funding": funding.group_by(day.alias("ts")).agg(pl.col(rate).mean().alias("value")).sort("ts"),
    }  # fmt: skip


def own(folder: Path) -> pl.DataFrame:
    parts = components(folder)
    ends = parts["volatility"]["ts"].to_list()
    found = [(ts, sentiment.own_index(parts, ts)) for ts in ends]
    return pl.DataFrame(
        {"ts": [ts for ts, _ in found], "value": [index.value for _, index in found]}, schema_overrides={"value": pl.Float64}
    )


def tables(folder: Path) -> None:
    readings, parts = published(folder), components(folder)
    print("| day | published | band | source's word | month before | days in band | ours | weight present | contributions |")
    print("|---|---|---|---|---|---|---|---|---|")
    for day in DAYS:
        found = sentiment.latest(readings, "fear_and_greed", at(day))
        ours = sentiment.own_index(parts, at(day))
        assert found is not None
        told = ", ".join(f"{p.component} {p.contribution:.1f}" for p in ours.parts if p.percentile is not None)
        value = "not told" if ours.value is None else f"{ours.value:.1f}"
        print(
            f"| {day} | {found.value:.0f} | {found.band} | {found.source_band} | {found.month_before:.0f} ({found.month_before_band}) |"
            f" {found.days_in_band} | {value} | {ours.present:.0%} | {told} |"
        )
    both = own(folder).drop_nulls().join(readings.select(ts="ts_event", published="value"), on="ts")
    rho = np.corrcoef(both["value"], both["published"])[0, 1]
    same = np.mean([sentiment.band(a) == sentiment.band(b) for a, b in zip(both["value"], both["published"], strict=True)])
    print(f"\nours against published, {both.height} days: correlation {rho:.2f}, same band on {same:.0%}")
    prices = daily(folder)[0]
    for label, index in (("published", readings.select(ts="ts_event", value="value")), ("ours", own(folder).drop_nulls())):
        for horizon in (7, 30):
            found_q = sentiment.returns_after(index, prices, horizon)
            print(f"\n**{label}, {horizon} days after**\n\n| quintile | days | mean | against other days (95 %) |\n|---|---|---|---|")
            for q in found_q:
                print(f"| {q.quintile} | {q.days} | {q.mean:+.1%} | {q.excess:+.1%} ({q.low:+.1%} to {q.high:+.1%}) |")
    for base in ("BTC", "ETH"):
        for day in ("2025-11-21T12:00", "2025-12-31T12:00", "2026-01-25"):
            s = etf_flows.summary(flows(folder, base), at(day), base=base)
            assert s is not None
            print(
                f"\n{base} as known {day}: {s.trading_day} {s.net_flow_usd / 1e6:.1f} M (provisional: {s.is_provisional}),"
                f" outflow rank {s.outflow_rank} of {s.days}, z {s.z:.2f}, robust {s.robust_z:.2f}, {s.month} to date"
                f" {s.month_to_date_usd / 1e6:.1f}, last complete {s.last_complete_month} {(s.last_complete_month_usd or 0) / 1e6:.1f},"
                f" cumulative {s.cumulative_usd / 1e6:.1f}, streak {s.streak}, longest {s.longest_outflow}, missing {s.missing_days}"
            )
            for r in s.records:
                print(
                    f"  {r.period} {r.direction}: {r.when} {r.net_flow_usd / 1e6:.1f} of {r.of}, {r.since} to {r.until}, whole {r.is_whole}"
                )
    seen = observations(folder)
    for day in ("2025-11-20", "2026-01-23"):
        with pl.Config(tbl_cols=20, tbl_width_chars=220):
            print(macro.levels(seen, macro.new_york(pl.Series([day]))[0]))


def figure(folder: Path, images: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    ours, readings = own(folder), published(folder)
    start = at("2024-12-01")
    fig, axis = plt.subplots(figsize=(9, 2.9))
    for frame, label, colour in (
        (readings.select(ts="ts_event", value="value"), "published (alternative.me)", "#1f4e79"),
        (ours, "ours, from five of eight parts", "#b5541c"),
    ):
        rows = frame.filter(pl.col("ts") >= start)
        axis.plot(rows["ts"].cast(pl.Datetime("ns")).to_numpy(), rows["value"].to_numpy(), color=colour, linewidth=1.1, label=label)
    for edge in (25, 45, 55, 75):
        axis.axhline(edge, color="#999999", linewidth=0.5)
    axis.set_ylim(0, 100)
    axis.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    axis.set_title("Sentiment: 0 fear, 100 greed; lines where bands end", loc="left", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    fig.tight_layout()
    fig.savefig(images / "sentiment.png", dpi=110)
    plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--figures", type=Path)
    asked = parser.parse_args()
    tables(asked.data)
    if asked.figures:
        figure(asked.data, asked.figures)


if __name__ == "__main__":
    main()
