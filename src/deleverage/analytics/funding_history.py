"""Funding that was settled: per bucket of UTC, over a window, over venues, and the times it was negative.

A settlement closes the time it pays for, so everything here is over (start, end]; eight hourly settlements and the 8-hour one of 08:00
pay for the same hours and share a bucket. Predicted rates have no place here.
"""

import polars as pl

from deleverage.analytics.funding import CONTRACT, DATED, HOUR, YEAR_HOURS, records

BRIEF_HOURS = 24.0
"""Negative for less than three settlements of 8 h is a brief flip."""


def history(
    funding_rates: pl.DataFrame, start: int, end: int, *, hours: float | None = 8.0, as_of: int | None = None
) -> pl.DataFrame:  # fmt: skip
    """Return settled funding in (start, end] per contract and bucket of `hours` on UTC; `hours=None`: each settlement.

    Columns: venue, symbol, base, ts_end (ns UTC, end of the bucket), paid (Σ of rates, what a long paid per notional), hours (that the
    settlements pay for: fewer than the bucket's where some are missing), rate_8h (null where an interval is not known), settlements,
    negatives, hit ('cap', 'floor' or ''). Eight hourly settlements and one 8-hour settlement of 08:00 share a bucket.
    """
    rows = records(funding_rates, end, as_of=as_of).filter((pl.col("funding_kind") == "settled") & (pl.col("funding_time") > start))
    width = None if hours is None else int(hours * HOUR)
    time = pl.col("funding_time")
    bucketed = rows.with_columns(ts_end=time if width is None else (time + (width - 1)) // width * width)
    interval = pl.col("funding_interval_hours")
    return bucketed.group_by([*CONTRACT, "ts_end"], maintain_order=True).agg(
        paid=pl.col("funding_rate").sum(), hours=pl.when(interval.null_count() == 0).then(interval.sum()),
        settlements=pl.len().cast(pl.Int64), negatives=(pl.col("funding_rate") < 0).sum().cast(pl.Int64), hit=pl.col("hit").max(),
    ).with_columns(rate_8h=pl.col("paid") * 8 / pl.col("hours")).sort([*CONTRACT, "ts_end"]).select([
        *CONTRACT, "ts_end", "paid", "hours", "rate_8h", "settlements", "negatives", "hit",
    ])  # fmt: skip


def cumulative(funding_rates: pl.DataFrame, start: int, end: int, *, as_of: int | None = None) -> pl.DataFrame:
    """Return what longs paid per notional and contract over (start, end], simply added.

    Columns: venue, symbol, base, paid (above 0: by longs to shorts), hours, coverage (share of the window that settlements pay for; null
    where an interval is not known), rate_8h, apr (means), settlements, negatives, longest_negative_hours.
    """
    rows = history(funding_rates, start, end, hours=None, as_of=as_of)
    summed = rows.group_by(CONTRACT, maintain_order=True).agg(
        paid=pl.col("paid").sum(), hours=pl.when(pl.col("hours").null_count() == 0).then(pl.col("hours").sum()),
        settlements=pl.len().cast(pl.Int64), negatives=pl.col("negatives").sum(),
    )  # fmt: skip
    longest = _runs(rows).group_by(CONTRACT).agg(longest_negative_hours=pl.col("hours").max())
    return (
        summed.join(longest, on=CONTRACT, how="left")
        .with_columns(
            coverage=(pl.col("hours") * HOUR / (end - start)).clip(0, 1), rate_8h=pl.col("paid") * 8 / pl.col("hours"),
            apr=pl.col("paid") * YEAR_HOURS / pl.col("hours"), longest_negative_hours=pl.col("longest_negative_hours").fill_null(0.0),
        )
        .sort(CONTRACT)
        .select([*CONTRACT, "paid", "hours", "coverage", "rate_8h", "apr", "settlements", "negatives", "longest_negative_hours"])
    )  # fmt: skip


def combined(
    buckets: pl.DataFrame, open_interest: pl.DataFrame | None = None, *, tolerance: int = 24 * HOUR, base: str | None = None
) -> pl.DataFrame:  # fmt: skip
    """Weigh the buckets of `history` over contracts by open interest (the last row of the table at or before the bucket's end, at most
    `tolerance` old), or every contract alike with None; per coin.

    Columns: base, ts_end, rate_8h (null where nothing has a weight), low_8h, high_8h, contracts, share_negative (of the venues that
    count), coverage (share of the weight whose rate is there; null with None), weighting ('open_interest' or 'equal'), hit.
    """
    rows = buckets if base is None else buckets.filter(pl.col("base") == base)
    if open_interest is None:
        weighed = rows.with_columns(usd=pl.lit(1.0), whole=pl.lit(None, pl.Float64))
    else:
        held = (
            open_interest.filter((pl.col("open_interest_usd") > 0) & ~pl.col("symbol").str.contains(DATED))
            .sort("ts_event", "ts_recv").select([*CONTRACT, "ts_event", pl.col("open_interest_usd").alias("usd")])
        )  # fmt: skip
        ends = rows.select("base", "ts_end").unique().join(held.select(CONTRACT).unique(), on="base").sort("ts_end")
        each = ends.join_asof(
            held.sort("ts_event"), left_on="ts_end", right_on="ts_event", by=CONTRACT, strategy="backward", tolerance=tolerance,
            check_sortedness=False,
        ).sort("base", "ts_end", "venue", "symbol")  # fmt: skip  # sums are the same, whatever order the rows came in
        whole = each.group_by("base", "ts_end", maintain_order=True).agg(whole=pl.col("usd").sum())
        weighed = rows.join(each.select([*CONTRACT, "ts_end", "usd"]), on=[*CONTRACT, "ts_end"], how="left").join(
            whole, on=["base", "ts_end"], how="left"
        )
    used = weighed.filter(pl.col("usd").is_not_null() & pl.col("rate_8h").is_not_null()).sort(["base", "ts_end", "venue", "symbol"])
    venues = used.group_by("base", "ts_end", "venue", maintain_order=True).agg(f=(pl.col("rate_8h") * pl.col("usd")).sum())
    negative = venues.group_by("base", "ts_end").agg(share_negative=(pl.col("f") < 0).mean())
    low, high = pl.col("rate_8h").min(), pl.col("rate_8h").max()
    sums = used.group_by("base", "ts_end", maintain_order=True).agg(
        rate_8h=((pl.col("rate_8h") * pl.col("usd")).sum() / pl.col("usd").sum()).clip(low, high), low_8h=low, high_8h=high,
        contracts=pl.len().cast(pl.Int64), coverage=(pl.col("usd").sum() / pl.col("whole").first()).clip(0, 1), hit=pl.col("hit").max(),
    )  # fmt: skip
    times = weighed.select("base", "ts_end").unique()
    return (
        times.join(sums, on=["base", "ts_end"], how="left").join(negative, on=["base", "ts_end"], how="left")
        .with_columns(
            pl.col("contracts").fill_null(0), pl.col("hit").fill_null(""),
            weighting=pl.lit("equal" if open_interest is None else "open_interest"),
        )
        .sort("base", "ts_end")
        .select("base", "ts_end", "rate_8h", "low_8h", "high_8h", "contracts", "share_negative", "coverage", "weighting", "hit")
    )  # fmt: skip


def _runs(rows: pl.DataFrame) -> pl.DataFrame:
    """Stretches of negative settlements of `history` with `hours=None`; a settlement at 0 or above, or a missing row, ends one."""
    is_negative = pl.col("paid") < 0
    gap = pl.col("ts_end") - pl.col("ts_end").shift(1).over(CONTRACT) - (pl.col("hours") * HOUR).cast(pl.Int64)
    begins = ~is_negative.shift(1).over(CONTRACT).fill_null(False) | (gap > HOUR // 2).fill_null(False)
    numbered = rows.with_columns(run=(is_negative & begins).cum_sum().over(CONTRACT)).filter(is_negative)
    return numbered.group_by([*CONTRACT, "run"], maintain_order=True).agg(
        start=pl.col("ts_end").first() - (pl.col("hours").first() * HOUR).cast(pl.Int64), end=pl.col("ts_end").last(),
        settlements=pl.len().cast(pl.Int64), hours=pl.col("hours").sum(), lowest_8h=pl.col("rate_8h").min(), paid=pl.col("paid").sum(),
    )  # fmt: skip


def flips(funding_rates: pl.DataFrame, start: int, end: int, *, as_of: int | None = None) -> pl.DataFrame:
    """Return the stretches in which shorts paid longs, settlement by settlement, that overlap (start, end]; followed up to `end` only.

    Columns: venue, symbol, base, start, end (ns UTC, of the time paid for), settlements, hours, lowest_8h, paid (below 0), flip ('brief'
    under 24 h, which is three settlements of 8 h, else 'sustained'), is_ongoing (the contract's last settlement by `end` is in it).
    """
    rows = history(funding_rates, min(start, 0), end, hours=None, as_of=as_of)
    last = rows.group_by(CONTRACT).agg(last=pl.col("ts_end").max())
    found = _runs(rows).filter(pl.col("end") > start).join(last, on=CONTRACT, how="left")
    return found.with_columns(
        flip=pl.when(pl.col("hours") < BRIEF_HOURS).then(pl.lit("brief")).otherwise(pl.lit("sustained")),
        is_ongoing=pl.col("end") == pl.col("last"),
    ).sort([*CONTRACT, "start"]).drop("run", "last")  # fmt: skip
