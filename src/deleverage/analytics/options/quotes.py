"""What several kinds of messages told of an option, as one row.

A venue may tell volatilities by one message, premiums by another and open interest by a third (OKX), or marks more often than quotes
(Deribit). The last row alone would lose the rest, and the last value of each column alone would keep a bid that is gone.
"""

import polars as pl

SIDES = ("bid_price", "ask_price", "bid_iv", "ask_iv")
"""The quote: all four of one row, for a bid left out of a newer quote is no bid."""
SAYS_SIDES = (*SIDES, "delta")
"""A row that tells any of these is a quote; venues that tell greeks tell quotes beside them, so that such a row without any has none."""
LASTING = (
    "mark_price", "last_price", "mark_iv", "delta", "gamma", "vega", "theta", "rho", "underlying_price", "index_price", "open_interest",
    "volume_24h",
)  # fmt: skip
"""Columns that hold until told anew."""
PRICES = ("underlying_price", "index_price")
PRICES_HOLD = 180_000_000_000
"""How long (ns) before a contract's newest row a price of the coin still counts: the market may have moved since."""
KINDS = (*SIDES, "delta", "mark_price", "mark_iv", "underlying_price", "index_price", "open_interest", "volume_24h")
"""Which of them a row tells is its kind: the last row of each kind is all that `merged` needs (`Store.latest(..., told=KINDS)`)."""
CONTRACT = ("venue", "symbol")


def merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per contract of rows of `option_quotes`, in the order venue, symbol, whatever order they came in.

    Quotes, `ts_event` and `ts_recv` are those of the newest row that quotes (where none does, of the newest row); `LASTING` columns as
    last told (prices of the coin at most three minutes before), the others of the newest row. Newest by the venue's clock, ties by ours.
    Merging again changes nothing.
    """
    per = [c for c in CONTRACT if c in rows.columns]
    if rows.is_empty() or rows.select(pl.struct(per).is_unique().all()).item():
        return rows.sort(per)
    clocks = [c for c in ("ts_event", "ts_recv") if c in rows.columns]
    # Rows equal in both clocks still need one order, whatever order they came in.
    rest = [c for c in rows.columns if c not in clocks and rows.schema[c].is_numeric()]
    ordered = rows.sort(*per, *clocks, *rest, nulls_last=False)
    sides, lasting = ([c for c in names if c in rows.columns] for names in ((*SIDES, *clocks), LASTING))
    newest = ordered.unique(per, keep="last", maintain_order=True)
    says = pl.any_horizontal(pl.col(c).is_not_null() for c in SAYS_SIDES if c in rows.columns)
    quoting = ordered.filter(says).unique(per, keep="last", maintain_order=True).select(*per, *sides, pl.lit(value=True).alias("quotes"))
    told = ordered.select(*per, *(_as_told(c).over(per) for c in lasting)).unique(per, keep="last", maintain_order=True)
    both = newest.join(quoting, on=per, how="left", suffix=" quoted", maintain_order="left")
    chosen = [pl.when("quotes").then(f"{c} quoted").otherwise(c).alias(c) for c in sides]
    return both.with_columns(chosen).with_columns(told.select(lasting)).select(rows.columns)


def _as_told(column: str) -> pl.Expr:
    """A lasting column, filled forward within a contract in the order of time."""
    filled = pl.col(column).forward_fill()
    if column not in PRICES:
        return filled
    told_at = pl.when(pl.col(column).is_not_null()).then("ts_event").forward_fill()
    return pl.when(pl.col("ts_event") - told_at <= PRICES_HOLD).then(filled)
