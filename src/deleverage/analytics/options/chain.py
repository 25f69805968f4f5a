"""A chain of listed options made clean: a forward per expiry, premiums in dollars at that forward, volatilities, and who was left out.

Premiums in the base coin are worth premium × the forward of the SAME expiry; a spot price or another expiry's forward would move every
volatility (methods 6.1). Where a venue gives volatilities and no premiums (OKX's summary), the premium is Black's at its volatility.
"""

from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics.options import black76
from deleverage.analytics.options.quotes import SIDES, merged
from deleverage.errors import BadInput

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
SECOND = 1_000_000_000
YEAR = 365 * 86_400 * SECOND
BASE_TICK = 0.0001
"""Smallest step of premiums in the base coin (Deribit; OKX's and Deribit's dearer options step by 0.0005)."""
COLUMNS = pl.Schema({
    "symbol": pl.String, "expiry": pl.Int64, "years": pl.Float64, "strike": pl.Float64, "option_type": pl.String, "forward": pl.Float64,
    "k": pl.Float64, "bid": pl.Float64, "ask": pl.Float64, "mid": pl.Float64, "mark": pl.Float64, "bid_iv": pl.Float64,
    "ask_iv": pl.Float64, "mid_iv": pl.Float64, "iv": pl.Float64, "mark_iv": pl.Float64, "open_interest": pl.Float64,
    "volume_24h": pl.Float64, "quote_ts": pl.Int64, "is_used": pl.Boolean, "why_not": pl.String,
})  # fmt: skip
"""Columns of `Chain.options`."""


class Filters(msgspec.Struct, frozen=True):
    """Which quotes are believed (methods 6.1); None switches a rule off.

    Age is `at` less the quote's own time: pass more where contracts are polled one after another. A quote is wide when its spread exceeds
    both `max_spread` × mid and `max_spread_ticks` ticks; `tick` is in the premium's unit, None: 0.0001 coins, or for dollar premiums the
    smallest step between two prices quoted in the chain. Within `min_minutes` of expiry the settlement average has begun (Deribit: 30).
    Parity uses strikes within `parity_width` standard deviations of the money, at most the `parity_pairs` nearest.
    """

    max_age_seconds: float | None = 5.0
    max_spread: float | None = 0.30
    max_spread_ticks: float = 2.0
    tick: float | None = None
    min_minutes: float = 30.0
    parity_width: float = 1.0
    parity_pairs: int = 8


FILTERS = Filters()


class Forward(NamedTuple):
    """The forward of one expiry in dollars, by parity of quotes, else as the venue tells it, else by parity of the venue's marks.

    `spread`: (weighted) standard deviation of the parity estimates, NaN below two.
    """

    expiry: int
    years: float
    price: float
    method: Literal["parity", "underlying", "marks"]
    pairs: int
    spread: float


class Chain(NamedTuple):
    """One base on one venue at `at` (ns UTC). `options`: one row per listed option in the order expiry, strike, option_type.

    Prices are dollars per base coin; null is missing. `k` = ln(strike / forward). bid_iv, ask_iv and mid_iv are ours, null outside
    Black's bounds; `iv` is mid_iv where the quote is clean. `is_used`: clean and out of the money; else `why_not` says why, one of: no
    forward, expiring, no bid, no ask, crossed, stale, wide, outside bounds, in the money.
    """

    venue: str
    base: str
    at: int
    index_price: float | None
    forwards: tuple[Forward, ...]
    options: pl.DataFrame


def build(quotes: pl.DataFrame, at: int, *, venue: str, base: str, filters: Filters = FILTERS) -> Chain:
    """Make the chain of `venue` and `base` at `at` (ns UTC) from rows of `option_quotes`; rows after `at` are not seen.

    Several rows of a contract are one as `quotes.merged` has it: the newest quote, and the last said of all else. A contract that expires
    at or before `at` is dropped. Raises BadInput where columns are missing. Cost: about 5 ms per 1,000 options.
    """
    missing = {"venue", "base", "symbol", "ts_event", "strike", "expiry", "option_type", "premium_unit"} - set(quotes.columns)
    if missing:
        raise BadInput(f"option quotes lack the columns {', '.join(sorted(missing))}")
    rows = _last(quotes.filter(venue=venue, base=base).filter((pl.col("ts_event") <= at) & (pl.col("expiry") > at)))
    index = rows.filter(pl.col("index_price").is_not_null()).sort("ts_event", "symbol")["index_price"].to_list()
    index_price = float(index[-1]) if index else None
    if rows.is_empty():
        return Chain(venue, base, at, index_price, (), COLUMNS.to_frame())
    strike, bid, ask, mark, underlying = (_floats(rows, c) for c in ("strike", "bid_price", "ask_price", "mark_price", "underlying_price"))
    expiry, quoted = rows["expiry"].to_numpy(), rows["ts_event"].to_numpy()
    is_call, is_base = (rows["option_type"] == "call").to_numpy(), (rows["premium_unit"] == "base").to_numpy()
    years = (expiry - at) / YEAR
    fresh = np.ones(len(rows), bool) if filters.max_age_seconds is None else at - quoted <= filters.max_age_seconds * SECOND
    tick = np.where(is_base, BASE_TICK, _step(bid[~is_base], ask[~is_base])) if filters.tick is None else np.full(len(rows), filters.tick)

    forwards = []
    forward = np.full(len(rows), np.nan)
    for end in np.unique(expiry):
        of = np.flatnonzero(expiry == end)
        ends = int(end), float(years[of[0]])
        found = _forward(
            *ends, strike[of], is_call[of], is_base[of], bid[of], ask[of], fresh[of], underlying[of], quoted[of], filters
        ) or _by_marks(*ends, strike[of], is_call[of], is_base[of], np.where(fresh[of], mark[of], np.nan))  # fmt: skip
        if found is not None:
            forwards.append(found)
            forward[of] = found.price

    unit = np.where(is_base, forward, 1.0)
    bid, ask, mark, tick = bid * unit, ask * unit, mark * unit, tick * unit
    bid, ask = (
        _premium(price, _floats(rows, iv), forward, strike, years, is_call) for price, iv in ((bid, "bid_iv"), (ask, "ask_iv"))
    )  # fmt: skip
    mid = (bid + ask) / 2
    ivs = black76.implied_volatility(np.stack([bid, ask, mid]), forward, strike, years, is_call)
    bid_iv, ask_iv, mid_iv = (np.asarray(x, float) for x in ivs)
    with np.errstate(invalid="ignore"):
        reasons: list[tuple[str, Bools]] = [
            ("no forward", np.isnan(forward)),
            ("expiring", years * YEAR < filters.min_minutes * 60 * SECOND),
            ("no bid", ~(bid > 0)),
            ("no ask", ~(ask > 0)),
            ("crossed", bid > ask),
            ("stale", ~fresh),
            ("wide", _wide(bid, ask, mid, tick, filters)),
            ("outside bounds", np.isnan(mid_iv)),
        ]
        in_the_money = np.where(is_call, strike < forward, strike >= forward)
    why_not = np.select([hit for _, hit in reasons], [name for name, _ in reasons], "")
    is_clean = why_not == ""
    why_not = np.where(is_clean & in_the_money, "in the money", why_not)
    with np.errstate(invalid="ignore"):
        k = np.log(strike / forward)
    options = pl.DataFrame(
        {
            "symbol": rows["symbol"], "expiry": expiry, "years": years, "strike": strike, "option_type": rows["option_type"],
            "forward": forward, "k": k, "bid": bid, "ask": ask, "mid": mid, "mark": mark, "bid_iv": bid_iv, "ask_iv": ask_iv,
            "mid_iv": mid_iv, "iv": np.where(is_clean, mid_iv, np.nan), "mark_iv": _floats(rows, "mark_iv"),
            "open_interest": _floats(rows, "open_interest"), "volume_24h": _floats(rows, "volume_24h"), "quote_ts": quoted,
            "is_used": why_not == "", "why_not": why_not.astype(str),
        },
        schema=COLUMNS,
    )  # fmt: skip
    return Chain(venue, base, at, index_price, tuple(forwards), options.with_columns(pl.selectors.float().fill_nan(None)))


def _last(quotes: pl.DataFrame) -> pl.DataFrame:
    """One row per contract, in the chain's order, with a column for whatever may be asked."""
    rows = merged(quotes)
    asked = (*SIDES, "mark_price", "mark_iv", "underlying_price", "index_price", "open_interest", "volume_24h")
    absent = [pl.lit(None, pl.Float64).alias(c) for c in asked if c not in quotes.columns]
    return rows.with_columns(absent).sort("expiry", "strike", "option_type", "symbol")


def _floats(rows: pl.DataFrame, column: str) -> Floats:
    if column not in rows.columns:
        return np.full(len(rows), np.nan)
    return rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy().astype(float)


def _step(bid: Floats, ask: Floats) -> float:
    """The smallest step between two different prices quoted; 0 where there are fewer than two."""
    prices = np.unique(np.concatenate([bid, ask]))
    prices = np.unique(np.round(prices[np.isfinite(prices)], 9))
    return float(np.diff(prices).min()) if len(prices) > 1 else 0.0


def _wide(bid: Floats, ask: Floats, mid: Floats, tick: Floats, filters: Filters) -> Bools:
    if filters.max_spread is None:
        return np.zeros(len(bid), bool)
    return ask - bid > np.maximum(filters.max_spread * mid, filters.max_spread_ticks * tick) * (1 + 1e-9)


def _premium(price: Floats, iv: Floats, forward: Floats, strike: Floats, years: Floats, is_call: Bools) -> Floats:
    """The premium in dollars: the quoted one, else Black's at the quoted volatility."""
    told = np.isnan(price) & np.isfinite(iv) & np.isfinite(forward)
    if not told.any():
        return price
    filled = price.copy()
    filled[told] = black76.price(forward[told], strike[told], years[told], iv[told], is_call[told])
    return filled


def _forward(
    expiry: int, years: float, strike: Floats, is_call: Bools, is_base: Bools, bid: Floats, ask: Floats, fresh: Bools, underlying: Floats,
    quoted: NDArray[np.int64], filters: Filters,
) -> Forward | None:  # fmt: skip
    """Parity near the money, weighted by the inverse square of what the spreads leave open; else the venue's own underlying price."""
    with np.errstate(invalid="ignore"):
        two_sided = fresh & (bid > 0) & (ask >= bid)
    told = np.flatnonzero(np.isfinite(underlying))
    own = None
    if len(told):
        newest = told[quoted[told] == quoted[told].max()]
        own = Forward(expiry, years, float(np.median(underlying[newest])), "underlying", 0, float("nan"))
    calls, puts = ({(float(strike[i]), bool(is_base[i])): i for i in np.flatnonzero(two_sided & side)} for side in (is_call, ~is_call))
    both = sorted(calls.keys() & puts.keys())
    if not both:
        return own
    c, p = np.array([calls[x] for x in both]), np.array([puts[x] for x in both])
    strikes, base = strike[c], is_base[c]
    gap = (bid[c] + ask[c]) / 2 - (bid[p] + ask[p]) / 2
    half = (ask[c] - bid[c] + ask[p] - bid[p]) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.where(base, strikes / (1 - gap), strikes + gap)
        error = np.where(base, estimate**2 / strikes * half, half)
        time_value = np.where(base, estimate, 1.0) * np.minimum((bid[c] + ask[c]) / 2, (bid[p] + ask[p]) / 2)
    sane = np.isfinite(estimate) & (estimate > 0)
    if not sane.any():
        return own
    strikes, estimate, error, time_value = strikes[sane], estimate[sane], error[sane], time_value[sane]
    # At the money the premium is about 0.4 F σ√T, which tells the width of the market without a volatility.
    centre = float(np.median(estimate[np.argsort(np.abs(np.log(strikes / estimate)), kind="stable")[:3]]))
    deviation = 2.5 * float(time_value.max()) / centre
    distance = np.abs(np.log(strikes / centre))
    near = np.argsort(distance, kind="stable")[: filters.parity_pairs]
    near = near[(distance[near] <= filters.parity_width * deviation) | (np.arange(len(near)) < 2)]
    estimate, error = estimate[near], np.maximum(error[near], 1e-9 * centre)
    middle = _weighted_median(estimate, 1 / error)
    # A pair whose spreads do not reach the middle is an outlier: one of its quotes is old or wrong.
    agree = np.abs(estimate - middle) <= error
    weight = agree / error**2
    price = float((weight * estimate).sum() / weight.sum())
    pairs = int(agree.sum())
    spread = float(np.sqrt((weight * (estimate - price) ** 2).sum() / weight.sum())) if pairs > 1 else float("nan")
    return Forward(expiry, years, price, "parity", pairs, spread)


def _by_marks(expiry: int, years: float, strike: Floats, is_call: Bools, is_base: Bools, mark: Floats) -> Forward | None:
    """Parity of the venue's own marks, of the three strikes nearest to the money: Binance's answers tell neither premiums nor a forward."""
    calls, puts = ({float(strike[i]): i for i in np.flatnonzero(np.isfinite(mark) & side)} for side in (is_call, ~is_call))
    both = sorted(calls.keys() & puts.keys())
    if not both:
        return None
    c, p = np.array([calls[x] for x in both]), np.array([puts[x] for x in both])
    gap = mark[c] - mark[p]
    nearest = np.argsort(np.abs(gap), kind="stable")[:3]
    with np.errstate(divide="ignore"):
        estimates = np.where(is_base[c], strike[c] / (1 - gap), strike[c] + gap)[nearest]
    price = float(np.median(estimates))
    spread = float(estimates.std()) if len(nearest) > 1 else float("nan")
    return Forward(expiry, years, price, "marks", len(nearest), spread) if price > 0 and np.isfinite(price) else None


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])
