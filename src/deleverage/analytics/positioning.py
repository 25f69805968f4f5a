"""How accounts, top traders and takers lean: four shares that are often mistaken for one another, each with what it can and cannot say.

In dollars there are always as many longs as shorts. What differs is how many accounts hold them, how the largest lean, and who crosses the
book. A share is long over long + short (0–1); the ratio that venues print is long over short. Nothing after `at` is looked at.
"""

from typing import Literal, NamedTuple

import polars as pl

from deleverage.analytics.funding import CONTRACT, HOUR

Kind = Literal["accounts", "top_accounts", "top_positions", "taker_volume"]
FEW_READINGS = 2 * HOUR
"""How old a reading may be, by default; venues print these every five minutes to a day."""


class Measure(NamedTuple):
    """A ratio in words."""

    name: str
    says: str
    cannot_say: str


MEASURES: dict[Kind, Measure] = {
    "accounts": Measure(
        "Accounts, long and short",
        "How many accounts are net long and how many net short: where the many small ones lean.",
        "Nothing of money: open interest long equals open interest short, so many small longs face few large shorts. Neither hedges on "
        "other venues nor several accounts of one owner are seen.",
    ),
    "top_accounts": Measure(
        "Top traders' accounts",
        "How many of the largest accounts (at Binance the fifth with the largest margin balance) are net long and how many net short.",
        "Not how much they hold, nor who they are: market makers and carry trades are among them, whose futures leg hedges another.",
    ),
    "top_positions": Measure(
        "Top traders' positions",
        "How the positions of the largest accounts split between long and short, by size.",
        "Not direction of a view: a short leg against coins or ETF shares held counts as short. The other accounts hold the reverse.",
    ),
    "taker_volume": Measure(
        "Taker buying and selling",
        "What share of the volume was bought by those who crossed the book: who was in a hurry in that period.",
        "Not who opened and who closed: a taker's purchase may be a new long or a short covered, or forced. Nothing of what is held.",
    ),
}  # fmt: skip


def shaped(positioning_ratios: pl.DataFrame, at: int, *, as_of: int | None = None) -> pl.DataFrame:
    """Return rows of table positioning_ratios with `ts_event` ≤ `at` (received by `as_of`), the last received per contract, kind, period
    and instant: venue, symbol, base, ratio_kind, period_seconds, ts_event, long_share, short_share (made to add to 1), ratio (long over
    short; null where there is no short).
    """
    rows = positioning_ratios.filter((pl.col("ts_event") <= at) & (pl.col("long_share") >= 0) & (pl.col("short_share") >= 0))
    if as_of is not None:
        rows = rows.filter(pl.col("ts_recv") <= as_of)
    long, short = pl.col("long_share"), pl.col("short_share")
    key = [*CONTRACT, "ratio_kind", "period_seconds", "ts_event"]
    return rows.filter(long + short > 0).sort([*key, "ts_recv", "long_share"]).unique(key, keep="last", maintain_order=True).select(
        *key, long_share=long / (long + short), short_share=short / (long + short), ratio=pl.when(short > 0).then(long / short)
    )  # fmt: skip


def latest(rows: pl.DataFrame, at: int, *, tolerance: int = FEW_READINGS) -> pl.DataFrame:
    """Return the last of `shaped` rows per contract and kind at or before `at` (of periods, the shortest at that instant), with
    age_seconds, is_stale (older than its period and `tolerance` together), and change_24h of long_share (null without a reading of 24 to
    26 h before).
    """
    known = rows.filter(pl.col("ts_event") <= at)
    group = [*CONTRACT, "ratio_kind"]
    ordered = known.sort([*group, "ts_event", "period_seconds"], descending=[False] * 5 + [True], nulls_last=False)
    last = ordered.group_by(group, maintain_order=True).last()
    age = at - pl.col("ts_event")
    then = known.select([*group, "period_seconds", "ts_event", pl.col("long_share").alias("before")]).sort("ts_event")
    aged = last.with_columns(
        wanted=pl.col("ts_event") - 24 * HOUR, age_seconds=age / 1e9,
        is_stale=age > tolerance + pl.col("period_seconds").fill_null(0) * 1_000_000_000,
    )  # fmt: skip
    joined = aged.with_columns(pl.col("period_seconds").fill_null(-1)).sort("wanted").join_asof(
        then.with_columns(pl.col("period_seconds").fill_null(-1)), left_on="wanted", right_on="ts_event", by=[*group, "period_seconds"],
        strategy="backward", tolerance=2 * HOUR, check_sortedness=False, suffix="_then",
    )  # fmt: skip
    return joined.with_columns(
        change_24h=pl.col("long_share") - pl.col("before"), period_seconds=pl.col("period_seconds").replace(-1, None)
    ).select([
        *group, "period_seconds", "ts_event", "long_share", "short_share", "ratio", "age_seconds", "is_stale", "change_24h",
    ]).sort(group)  # fmt: skip


def series(rows: pl.DataFrame, kind: Kind, start: int, end: int, *, base: str | None = None) -> pl.DataFrame:
    """Return `shaped` rows of one kind over [start, end), by contract, period and time."""
    chosen = rows.filter((pl.col("ratio_kind") == kind) & (pl.col("ts_event") >= start) & (pl.col("ts_event") < end))
    if base is not None:
        chosen = chosen.filter(pl.col("base") == base)
    return chosen.sort([*CONTRACT, "period_seconds", "ts_event"])


def taker_flow(trades: pl.DataFrame, start: int, end: int, every: int | None = None, *, as_of: int | None = None) -> pl.DataFrame:
    """Return what takers bought and sold over [start, end) from table trades, per contract and step of `every` ns on UTC (None: one).

    Columns: venue, symbol, base, ts (start of the step), buy_usd, sell_usd, long_share (bought; null where nothing traded in dollars
    known), ratio, trades. Block trades, insurance-fund and auto-deleveraging prints cross no book and are left out.
    """
    rows = trades.filter(
        (pl.col("ts_event") >= start) & (pl.col("ts_event") < end) & (pl.col("notional_usd") >= 0)
        & ~pl.col("trade_kind").is_in(["block", "insurance_fund", "adl"])
    )  # fmt: skip
    if as_of is not None:
        rows = rows.filter(pl.col("ts_recv") <= as_of)
    step = pl.lit(start, pl.Int64) if every is None else pl.col("ts_event") // every * every
    usd, side = pl.col("notional_usd"), pl.col("taker_side")
    bought, sold = pl.col("buy_usd"), pl.col("sell_usd")
    return rows.with_columns(ts=step).group_by([*CONTRACT, "ts"]).agg(
        buy_usd=usd.filter(side == "buy").sort().sum(), sell_usd=usd.filter(side == "sell").sort().sum(), trades=pl.len().cast(pl.Int64),
    ).with_columns(
        long_share=pl.when(bought + sold > 0).then(bought / (bought + sold)), ratio=pl.when(sold > 0).then(bought / sold),
    ).sort([*CONTRACT, "ts"]).select([*CONTRACT, "ts", "buy_usd", "sell_usd", "long_share", "ratio", "trades"])  # fmt: skip
