"""What a file may leave out or say otherwise, table by table: sums of both sides, order sides, intervals, shares, days.

`derive` runs first on the columns read; what is common to all tables comes after it, in `completion.py`.
"""

from collections.abc import Callable

import polars as pl

from deleverage.errors import BadInput
from deleverage.store.completion import Rows
from deleverage.store.units import CLOCKS, DAY


def derive(rows: Rows) -> None:
    """Fill what this table's other columns say. Raises BadInput where they contradict each other or say too little."""
    particular = DERIVE.get(rows.table.name)
    if particular is not None:
        particular(rows)


def _liquidations(r: Rows) -> None:
    for name, long, how in (
        ("order_side", "sell", "the opposite of the order's side"),
        ("entry_side", "buy", "the side it was opened with"),
    ):
        if r.has(name):
            r.put("position_side", pl.when(pl.col(name) == long).then(pl.lit("long")).otherwise(pl.lit("short")), how)
    _sums(r)
    if not r.has("position_side"):
        raise r.missing(
            "position_side",
            ", or --column order_side=… for the side of the liquidation order, or sums with --column long_usd=… --column short_usd=…",
        )
    _notional(r)


def _sums(r: Rows) -> None:
    """Turn a row with the sums of both sides into two rows; a sum of zero becomes none."""
    kinds = [(ours, f"long_{name}", f"short_{name}") for ours, name in (("notional_usd", "usd"), ("quantity", "quantity"))]
    kinds = [kind for kind in kinds if r.has(kind[1]) or r.has(kind[2])]
    if not kinds:
        return
    for _, *pair in kinds:
        if not r.has(*pair):
            raise r.missing(next(name for name in pair if not r.has(name)))
    if r.has("position_side"):
        raise BadInput(f"{r.file} gives both position_side and sums of longs and shorts; expected one of the two")
    sides = [
        r.frame.with_columns(pl.lit(side).alias("position_side"), *(pl.col(kind[at]).alias(kind[0]) for kind in kinds))
        for at, side in ((1, "long"), (2, "short"))
    ]
    r.are_sums = True
    both = pl.concat(sides).sort("row", maintain_order=True)
    r.frame = both.filter(pl.any_horizontal(pl.col(ours) > 0 for ours, _, _ in kinds))
    r.note["position_side"] = f"a row per side; {both.height - r.frame.height} sums of zero became none"
    if r.frame.is_empty():
        raise BadInput(f"{r.file} has no sum above zero, so there is nothing to import")


def _notional(r: Rows) -> None:
    """Dollars from quantity and price where they are missing; not for options, whose price is a premium."""
    if r.has("quantity", "price"):
        names = [pl.col(name).fill_null("") for name in ("symbol", "venue_symbol") if r.has(name)]
        is_option = pl.any_horizontal(name.str.contains(r"-[CP]$") for name in names) if names else pl.lit(False)
        r.put("notional_usd", pl.when(~is_option).then(pl.col("quantity") * pl.col("price")), "quantity × price")


def _trades(r: Rows) -> None:
    if r.has("is_buyer_maker"):
        r.put("taker_side", pl.when("is_buyer_maker").then(pl.lit("sell")).otherwise(pl.lit("buy")), "is_buyer_maker")
    r.put("trade_id", pl.col("row").cast(pl.String), "the row's number")
    _notional(r)


def _candles(r: Rows) -> None:
    if not r.has("ts_open") and not r.has("ts_event"):
        raise r.missing("ts_open", " (or ts_event, the end of the interval)")
    for name in ("open", "high", "low", "close"):
        if not r.has(name):
            raise r.missing(name)
    r.put("interval_seconds", r.seconds(), "interval")
    span = pl.col("interval_seconds") * CLOCKS["s"]
    if r.has("ts_open"):
        r.put("ts_event", pl.col("ts_open") + span, "the end of the interval")
    r.put("ts_open", pl.col("ts_event") - span, "the interval before ts_event")
    r.fail("high", pl.col("high") < pl.max_horizontal("open", "low", "close"), "high is below open, low or close")
    r.fail("low", pl.col("low") > pl.min_horizontal("open", "close"), "low is above open or close")


def _open_interest(r: Rows) -> None:
    for name in ("open_interest_base", "open_interest_usd"):
        if r.has(name):
            r.put("open_interest", pl.col(name), name)


def _positioning(r: Rows) -> None:
    if r.has("long_short_ratio"):
        r.put("long_share", pl.col("long_short_ratio") / (1 + pl.col("long_short_ratio")), "long_short_ratio")
    for name, other in (("short_share", "long_share"), ("long_share", "short_share")):
        if r.has(other):
            r.put(name, 1 - pl.col(other), f"1 less {other}")
    if r.has("long_share", "short_share"):
        apart = (pl.col("long_share") + pl.col("short_share") - 1).abs() > 0.02
        r.fail("long_share", apart, "long and short share do not add up to 1")
    if r.has("interval") or r.has("interval_seconds"):
        r.put("period_seconds", r.seconds(), "interval")


def _volatility(r: Rows) -> None:
    if r.has("interval") or (r.has("ts_open") and not r.has("ts_event")):
        r.put("interval_seconds", r.seconds(), "interval")
    if r.has("index_name"):
        r.put("venue_symbol", pl.col("index_name"), "index_name")
    if not r.has("base"):
        raise r.missing("base")


def _day(column: str) -> Callable[[Rows], None]:
    """Fill a date from ts_event."""

    def derive(r: Rows) -> None:
        if r.has("ts_event"):
            day = (pl.col("ts_event") // DAY).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")
            r.put(column, day, "the UTC day of ts_event")
        if r.has("fund"):
            r.frame = r.frame.with_columns(pl.col("fund").str.to_uppercase())

    return derive


DERIVE: dict[str, Callable[[Rows], None]] = {
    "liquidations": _liquidations, "trades": _trades, "candles": _candles, "open_interest": _open_interest,
    "positioning_ratios": _positioning, "volatility_indices": _volatility, "etf_flows": _day("trading_day"),
    "macro_observations": _day("observation_date"),
}  # fmt: skip
