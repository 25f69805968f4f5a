"""Where option positions and trades sit: open interest and volume by strike and expiry, max pain, put/call ratios, notable trades.

All of it is positioning: who holds what, not where the price goes. Open interest has two sides and says of neither who he is.
"""

from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from deleverage.analytics.options.black76 import greeks

Floats = NDArray[np.float64]
YEAR_NS = 365 * 86_400 * 1_000_000_000


class Pain(NamedTuple):
    """The listed strike at which holders of all options are paid least, and that payout: in USD, and in base coins (payout over S)."""

    strike: float
    usd: float
    base_strike: float
    base: float


class PutCall(msgspec.Struct, frozen=True):
    """Puts over calls; None where there are no calls. `open_interest` and `volume` (24 h) in base coins, `notional` in USD at the strike
    (what exercise would exchange), `premium` in USD: volume of 24 h at the venue's mark."""

    open_interest: float | None
    volume: float | None
    notional: float | None
    premium: float | None


class Notable(NamedTuple):
    """What makes a trade notable, any one of: premium paid in USD, vega in USD per volatility point."""

    premium_usd: float = 250_000.0
    vega_usd: float = 10_000.0


NOTABLE = Notable()


def payouts(strikes: ArrayLike, call_open_interest: ArrayLike, put_open_interest: ArrayLike, settlements: ArrayLike) -> Floats:
    """Return what holders of all options get, USD, at each settlement price. Open interest in base coins; NaN (unknown) counts as 0."""
    k, s = np.asarray(strikes, dtype=np.float64), np.asarray(settlements, dtype=np.float64)[:, None]
    calls, puts = (np.nan_to_num(np.asarray(v, dtype=np.float64), nan=0.0) for v in (call_open_interest, put_open_interest))
    paid: Floats = (calls * np.maximum(s - k, 0) + puts * np.maximum(k - s, 0)).sum(axis=1)
    return paid


def max_pain(strikes: ArrayLike, call_open_interest: ArrayLike, put_open_interest: ArrayLike) -> Pain | None:
    """Return the listed strike of the least payout, the lowest on ties; None where no open interest is known or all is zero.

    >>> max_pain([90.0, 100.0, 110.0], [0.0, 0.0, 5.0], [5.0, 0.0, 0.0])
    Pain(strike=90.0, usd=0.0, base_strike=90.0, base=0.0)
    """
    k = np.unique(np.asarray(strikes, dtype=np.float64))
    known = np.concatenate([np.asarray(v, dtype=np.float64) for v in (call_open_interest, put_open_interest)])
    if not len(k) or not (known > 0).any():
        return None
    usd = payouts(strikes, call_open_interest, put_open_interest, k)
    best, in_base = int(np.argmin(usd)), int(np.argmin(usd / k))
    return Pain(float(k[best]), float(usd[best]), float(k[in_base]), float((usd / k)[in_base]))


def by_strike(options: pl.DataFrame, price: float | None = None) -> pl.DataFrame:
    """Return one row per expiry and strike of a chain's options, ascending.

    Columns `call_` and `put_` of `open_interest`, `volume_24h` (base coins), `open_interest_usd`, `volume_24h_usd`: at `price` (the
    index), or at each expiry's forward where None. Null where the option is not listed or the venue did not say. Contracts that share
    strike, expiry and kind add up.
    """
    each = pl.col("forward") if price is None else pl.lit(price)
    amounts = {name: pl.col(name) for name in ("open_interest", "volume_24h")}
    amounts |= {f"{name}_usd": pl.col(name) * each for name in ("open_interest", "volume_24h")}
    sums = [
        _sum(value.filter(pl.col("option_type") == kind)).alias(f"{kind}_{name}")
        for kind in ("call", "put")
        for name, value in amounts.items()
    ]
    return options.group_by("expiry", "strike").agg(sums).sort("expiry", "strike")


def _sum(value: pl.Expr) -> pl.Expr:
    """Sum of what is known; null where nothing is."""
    return pl.when(value.is_not_null().any()).then(value.sum())


def _floats(column: pl.Series) -> Floats:
    """Numbers, NaN where null."""
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def by_expiry(options: pl.DataFrame, price: float | None = None) -> pl.DataFrame:
    """Return one row per expiry: the sums of `by_strike`, `max_pain` and `max_pain_usd` (payout there), `max_pain_base_strike` and
    `max_pain_base`, and `put_call_` `open_interest`, `volume`, `notional`, `premium` (see `PutCall`)."""
    strikes = by_strike(options, price)
    sums = strikes.group_by("expiry").agg(_sum(pl.col(name)) for name in strikes.columns if name.startswith(("call_", "put_")))
    rows = []
    for (expiry,), own in options.group_by(["expiry"], maintain_order=True):
        at = strikes.filter(pl.col("expiry") == expiry)
        pain = max_pain(*(_floats(at[name]) for name in ("strike", "call_open_interest", "put_open_interest")))
        ratios = put_call(own)
        rows.append((expiry, *(pain or (None,) * 4), *msgspec.structs.astuple(ratios)))
    names = ("max_pain", "max_pain_usd", "max_pain_base_strike", "max_pain_base", *(f"put_call_{n}" for n in PutCall.__struct_fields__))
    schema = {"expiry": pl.Int64, **dict.fromkeys(names, pl.Float64)}
    return sums.join(pl.DataFrame(rows, schema=schema, orient="row"), on="expiry").sort("expiry")


def put_call(options: pl.DataFrame) -> PutCall:
    """Return the put/call ratio four ways over all rows given; unknown amounts are left out of their side."""
    amounts = {
        "open_interest": pl.col("open_interest"), "volume": pl.col("volume_24h"), "notional": pl.col("open_interest") * pl.col("strike"),
        "premium": pl.col("volume_24h") * pl.col("mark"),
    }  # fmt: skip
    sums = options.select(
        value.filter(pl.col("option_type") == kind).sum().alias(f"{kind}_{name}")
        for kind in ("call", "put")
        for name, value in amounts.items()
    ).row(0, named=True)
    return PutCall(**{name: sums[f"put_{name}"] / sums[f"call_{name}"] if sums[f"call_{name}"] else None for name in amounts})


def trades(rows: pl.DataFrame, options: pl.DataFrame) -> pl.DataFrame:
    """Return the option trades among rows of table `trades` whose contract the chain lists, sorted by time, with premium and vega.

    Adds `expiry`, `strike`, `option_type`, `premium_usd` (price × quantity; where the contract settles in the coin, at the chain's
    forward), `vega_usd` (USD per volatility point of the whole trade, unsigned), `is_block`, and `legs`: block trades of that very
    instant, which are one structure as far as the feed tells. Vega and forward are the chain's, not those of the trade's instant: keep
    the two close. Null where a quantity, volatility or forward is not known.
    """
    listed = options.select("symbol", "expiry", "strike", "option_type", "forward", volatility=pl.coalesce("iv", "mark_iv"))
    found = rows.join(listed, on="symbol").sort("ts_event", "symbol", "trade_id")
    years = (found["expiry"] - found["ts_event"]).cast(pl.Float64) / YEAR_NS
    is_call = (found["option_type"] == "call").to_numpy()
    vega = greeks(_floats(found["forward"]), _floats(found["strike"]), _floats(years), _floats(found["volatility"]), is_call).vega
    in_coin = pl.col("symbol").str.extract(r":([^-]+)-") == pl.col("base")
    valued = found.with_columns(
        premium_usd=pl.col("price") * pl.col("quantity") * pl.when(in_coin).then(pl.col("forward")).otherwise(1.0),
        vega_usd=(pl.Series(vega).fill_nan(None) / 100 * found["quantity"]).abs(),
        is_block=pl.col("trade_kind") == "block",
    )
    legs = pl.when("is_block").then(pl.len().over("venue", "ts_event", "trade_kind")).otherwise(1)
    return valued.with_columns(legs=legs).drop("forward", "volatility")


def notable(rows: pl.DataFrame, options: pl.DataFrame, thresholds: Notable = NOTABLE, most: int = 50) -> pl.DataFrame:
    """Return the trades (see `trades`) at or above a threshold, largest first: by the larger of premium and vega over their thresholds.

    Adds `score` (that multiple, at least 1) and `reason`: `premium`, `vega` or `both`. Blocks are marked, not preferred.
    """
    premium, vega = pl.col("premium_usd") / thresholds.premium_usd, pl.col("vega_usd") / thresholds.vega_usd
    by_premium, by_vega = (premium >= 1).fill_null(value=False), (vega >= 1).fill_null(value=False)
    reason = pl.when(by_premium & by_vega).then(pl.lit("both")).when(by_premium).then(pl.lit("premium")).otherwise(pl.lit("vega"))
    large = trades(rows, options).with_columns(score=pl.max_horizontal(premium, vega), reason=reason)
    order = ["score", "ts_event", "symbol", "trade_id"]
    return large.filter(by_premium | by_vega).sort(order, descending=[True, False, False, False]).head(most)


def blocks(rows: pl.DataFrame, options: pl.DataFrame) -> pl.DataFrame:
    """Return one row per instant of block trades: `ts_event`, `legs`, `quantity`, `premium_usd` and `vega_usd` of all legs, and the taker's
    `net_premium_usd` (paid above 0) and `net_vega_usd` (bought above 0). Two structures of one millisecond are told as one."""
    sign = pl.when(pl.col("taker_side") == "buy").then(1.0).otherwise(-1.0)
    return trades(rows, options).filter("is_block").group_by("venue", "ts_event").agg(
        pl.col("legs").first(), pl.col("symbol").sort().unique(maintain_order=True).alias("symbols"), pl.col("quantity").sum(),
        pl.col("premium_usd").sum(), pl.col("vega_usd").sum(),
        (pl.col("premium_usd") * sign).sum().alias("net_premium_usd"), (pl.col("vega_usd") * sign).sum().alias("net_vega_usd"),
    ).sort("ts_event", "venue")  # fmt: skip
