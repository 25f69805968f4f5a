"""What the future costs over the spot: dated futures by expiry, perpetuals as a premium, and the basis at a constant maturity.

    simple       (F / S − 1) · 365 / days             logarithmic  ln(F / S) · 365 / days
    premium      (mark − index) / index               of a perpetual: what its funding is made from

F is the venue's mark price, S its index. A positive basis pays whoever sells the future and holds the coin; it is a price of leverage, and
says nothing about direction. Close to expiry a tick is a large yield: under a day nothing is annualised. Nothing after `at` is seen.
"""

from math import log

import polars as pl

from deleverage.analytics.funding import CONTRACT

MINUTE = 60_000_000_000
DAY = 1440 * MINUTE
TOLERANCE = 15 * MINUTE
"""How old a mark or index may be, by default."""
YEAR_DAYS = 365
FEWEST_DAYS = 1.0
DATED = r":[^-]+-(\d{6})$"
PERPETUAL = r":[^-]+$"


def simple(future: float, spot: float, days: float) -> float:
    """Return the basis per year (365 days), simple.

    >>> round(simple(86_500, 85_500, 33), 8)
    0.12936381
    """
    return (future / spot - 1) * YEAR_DAYS / days


def logarithmic(future: float, spot: float, days: float) -> float:
    """Return the basis per year (365 days), logarithmic.

    >>> round(logarithmic(86_500, 85_500, 33), 8)
    0.12861315
    """
    return log(future / spot) * YEAR_DAYS / days


def expiry(symbol: str = "symbol") -> pl.Expr:
    """Return the expression of a dated future's expiry, ns UTC, of a column of canonical symbols; null of others.

    The symbol tells the day (BTC/USD:BTC-250627); the hour is 08:00 UTC, which is Binance's, Bybit's, OKX's, HTX's and Deribit's.
    """
    day = pl.col(symbol).str.extract(DATED).str.to_datetime("%y%m%d", strict=False, time_unit="us")
    return day.dt.epoch("us") * 1000 + 480 * MINUTE


def quotes(mark_prices: pl.DataFrame, at: int, *, as_of: int | None = None, tolerance: int = TOLERANCE) -> pl.DataFrame:
    """Return the last mark and index of every contract of table mark_prices, each at most `tolerance` before `at`.

    Columns: venue, symbol, base, ts_event (of the mark), mark_price, index_price, index_source: 'contract' (told with this contract),
    'venue' (by another contract of the venue on the same pair, median), or null where there is none. USDT, USDC and USD are kept apart.
    """
    told = mark_prices.filter((pl.col("ts_event") <= at) & (pl.col("ts_event") >= at - tolerance))
    if as_of is not None:
        told = told.filter(pl.col("ts_recv") <= as_of)
    told = told.sort([*CONTRACT, "ts_event", "ts_recv"])
    mark = pl.col("mark_price") > 0
    found = told.group_by(CONTRACT, maintain_order=True).agg(
        ts_event=pl.col("ts_event").filter(mark).last(), mark_price=pl.col("mark_price").filter(mark).last(),
        own=pl.col("index_price").filter(pl.col("index_price") > 0).last(),
    ).with_columns(pair=pl.col("symbol").str.extract(r"^([^:]+)"))  # fmt: skip
    index = found.drop_nulls("own").group_by("venue", "pair").agg(other=pl.col("own").median())
    return found.join(index, on=["venue", "pair"], how="left").with_columns(
        index_price=pl.coalesce("own", "other"),
        index_source=pl.when(pl.col("own").is_not_null()).then(pl.lit("contract")).when(pl.col("other").is_not_null()).then(pl.lit("venue")),
    ).drop_nulls("mark_price").select([
        *CONTRACT, "ts_event", "mark_price", "index_price", "index_source",
    ]).sort(CONTRACT)  # fmt: skip


def term_structure(
    mark_prices: pl.DataFrame, at: int, *, base: str | None = None, as_of: int | None = None, tolerance: int = TOLERANCE
) -> pl.DataFrame:  # fmt: skip
    """Return the dated futures that trade at `at`, by venue and expiry: `quotes`' columns, expiry (ns UTC), days, basis (F/S − 1),
    simple_apr, log_apr (null under a day to expiry, or without an index).
    """
    found = quotes(mark_prices, at, as_of=as_of, tolerance=tolerance).with_columns(expiry=expiry()).filter(pl.col("expiry") > at)
    if base is not None:
        found = found.filter(pl.col("base") == base)
    ratio, days = pl.col("mark_price") / pl.col("index_price"), pl.col("days")
    is_far = days >= FEWEST_DAYS
    return found.with_columns(days=(pl.col("expiry") - at) / DAY).with_columns(
        basis=ratio - 1, simple_apr=pl.when(is_far).then((ratio - 1) * YEAR_DAYS / days),
        log_apr=pl.when(is_far).then(ratio.log() * YEAR_DAYS / days),
    ).sort("base", "venue", "expiry", "symbol")  # fmt: skip


def constant_maturity(term: pl.DataFrame, days: float) -> pl.DataFrame:
    """Return the basis of `term_structure` at `days` per venue and pair, where two expiries straddle it: venue, base, pair, days, log_apr,
    simple_apr, near_days, far_days. ln(F/S) is taken as linear in time between the two; nothing is extrapolated, other rows are null.
    """
    rows = term.filter(pl.col("days") >= FEWEST_DAYS).drop_nulls("basis").with_columns(
        pair=pl.col("symbol").str.extract(r"^([^-]+)"), level=(1 + pl.col("basis")).log()
    ).sort("venue", "base", "pair", "days")  # fmt: skip
    near, far = pl.col("days") <= days, pl.col("days") >= days
    ends = rows.group_by("venue", "base", "pair", maintain_order=True).agg(
        near_days=pl.col("days").filter(near).last(), near=pl.col("level").filter(near).last(),
        far_days=pl.col("days").filter(far).first(), far=pl.col("level").filter(far).first(),
    )  # fmt: skip
    width = pl.col("far_days") - pl.col("near_days")
    share = pl.when(width > 0).then((days - pl.col("near_days")) / width).when(width == 0).then(0.0)
    level = pl.col("near") + share * (pl.col("far") - pl.col("near"))
    straddled = pl.col("near").is_not_null() & pl.col("far").is_not_null()
    return ends.with_columns(level=level).select(
        "venue", "base", "pair", days=pl.lit(float(days)), log_apr=pl.col("level") * YEAR_DAYS / days,
        simple_apr=(pl.col("level").exp() - 1) * YEAR_DAYS / days, near_days=pl.when(straddled).then("near_days"),
        far_days=pl.when(straddled).then("far_days"),
    )  # fmt: skip


def premiums(
    mark_prices: pl.DataFrame, at: int, *, base: str | None = None, as_of: int | None = None, tolerance: int = TOLERANCE
) -> pl.DataFrame:  # fmt: skip
    """Return every perpetual's premium at `at`: `quotes`' columns and premium, (mark − index) / index as a share; null without an index."""
    found = quotes(mark_prices, at, as_of=as_of, tolerance=tolerance).filter(
        pl.col("symbol").str.contains(PERPETUAL) | ~pl.col("symbol").str.contains(":")
    )
    if base is not None:
        found = found.filter(pl.col("base") == base)
    return found.with_columns(premium=pl.col("mark_price") / pl.col("index_price") - 1)


def premium_series(mark_prices: pl.DataFrame, start: int, end: int, every: int) -> pl.DataFrame:
    """Return the premium of every perpetual over [start, end) in steps of `every` ns aligned to UTC: venue, symbol, base, ts (start of the
    step), premium (mean), low, high, readings. Only rows that tell mark and index together count.
    """
    rows = mark_prices.filter(
        (pl.col("ts_event") >= start) & (pl.col("ts_event") < end) & (pl.col("mark_price") > 0) & (pl.col("index_price") > 0)
        & (pl.col("symbol").str.contains(PERPETUAL) | ~pl.col("symbol").str.contains(":"))
    ).unique([*CONTRACT, "ts_event", "mark_price", "index_price"]).sort([*CONTRACT, "ts_event", "mark_price", "index_price"])  # fmt: skip
    premium = pl.col("mark_price") / pl.col("index_price") - 1
    return rows.with_columns(ts=pl.col("ts_event") // every * every, premium=premium).group_by([*CONTRACT, "ts"], maintain_order=True).agg(
        pl.col("premium").mean(), low=pl.col("premium").min(), high=pl.col("premium").max(), readings=pl.len().cast(pl.Int64)
    )  # fmt: skip
