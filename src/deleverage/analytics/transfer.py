"""Liquidations of a throttled venue from what they do to open interest and to taker flow, as learnt on venues that show all.

On full-feed venues liquidated notional is regressed on the fall of open interest and the taker flow in excess on the move's side,
both coefficients at least 0; the fit is then applied to a throttled venue's own open interest and flow. A fall of open interest
alone bounds nothing: new counterparties hide it, voluntary closing feigns it. The interval is that of leave-one-out errors.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import nnls

from deleverage.errors import BadInput

FEWEST = 5
"""Rows below which no interval is given."""


class Transfer(NamedTuple):
    """L = a · fall of open interest + b · taker excess, all USD; `log_errors` are leave-one-out ln(true / fitted), sorted."""

    a: float
    b: float
    residual: float
    log_errors: tuple[float, ...]

    def estimate(self, oi_drop: float, taker_excess: float) -> float:
        """Apply to one move; falls and excesses below 0 count as 0."""
        return self.a * max(oi_drop, 0.0) + self.b * max(taker_excess, 0.0)

    def interval(self, oi_drop: float, taker_excess: float, level: float = 0.9) -> tuple[float, float] | None:
        """Return the interval of the estimate from the leave-one-out errors; None when the fit had fewer than `FEWEST` rows."""
        if len(self.log_errors) < FEWEST:
            return None
        centre = self.estimate(oi_drop, taker_excess)
        low, high = np.quantile(self.log_errors, [(1 - level) / 2, (1 + level) / 2])
        return centre * float(np.exp(low)), centre * float(np.exp(high))


def fit_transfer(oi_drop: NDArray[np.float64], taker_excess: NDArray[np.float64], liquidated: NDArray[np.float64]) -> Transfer:
    """Fit on moves of full-feed venues (USD, one row a move) by non-negative least squares (Lawson and Hanson 1974).

    Raises BadInput on fewer than 2 rows. Fails where a venue's counterparties differ in habit from those it was learnt on:
    the leave-one-out errors do not tell of that.
    """
    if len(liquidated) < 2:
        raise BadInput("a transfer needs at least 2 moves of a full-feed venue")
    rows = np.stack([np.maximum(oi_drop, 0), np.maximum(taker_excess, 0)], axis=1)
    (a, b), residual = nnls(rows, liquidated)
    errors = []
    for left_out in range(len(liquidated)):
        kept = np.arange(len(liquidated)) != left_out
        coefficients, _ = nnls(rows[kept], liquidated[kept])
        fitted = float(rows[left_out] @ coefficients)
        if fitted > 0 and liquidated[left_out] > 0:
            errors.append(float(np.log(liquidated[left_out] / fitted)))
    return Transfer(float(a), float(b), float(residual), tuple(sorted(errors)))


class Range(NamedTuple):
    """An estimate with its 90 % interval, USD."""

    usd: float
    low: float
    high: float


def combine(ranges: list[Range], observed: float) -> Range:
    """Combine independent estimates of one total by the precision of their logs; nothing falls below what was observed.

    Estimates that exclude each other are not averaged away: the interval then spans both.

    >>> combine([Range(200.0, 100.0, 400.0), Range(200.0, 100.0, 400.0)], 90.0).usd
    200.0
    """
    if not ranges:
        raise BadInput("nothing to combine")
    if len(ranges) == 1:
        return ranges[0]
    logs = np.log([max(r.usd, 1e-9) for r in ranges])
    spread = np.array([max(np.log(max(r.high, 1e-9)) - np.log(max(r.low, observed, 1e-9)), 1e-3) / (2 * 1.645) for r in ranges])
    weight = 1 / spread**2
    centre, sd = float(logs @ weight / weight.sum()), float(weight.sum() ** -0.5)
    low, high = np.exp(centre - 1.645 * sd), np.exp(centre + 1.645 * sd)
    if max(r.low for r in ranges) > min(r.high for r in ranges):
        low, high = min(r.low for r in ranges), max(r.high for r in ranges)
    return Range(max(float(np.exp(centre)), observed), max(float(low), observed), max(float(high), observed))


BUCKET = 300_000_000_000
"""Length of a move, ns."""
ENOUGH = 20
"""Moves of full-feed venues below which nothing is transferred."""


class Transferred(NamedTuple):
    """What a venue's own open interest and taker flow say was liquidated there over a window, from `moves` of full-feed venues; USD."""

    usd: float
    low: float
    high: float
    moves: int


def moves(prints: pl.DataFrame, open_interest: pl.DataFrame, taker: pl.DataFrame) -> pl.DataFrame:
    """Return a row per venue, base and five minutes in which both open interest and taker flow are known.

    `prints` has `venue`, `base`, `ts_event`, `position_side`, `notional_usd`; `open_interest` `venue`, `base`, `symbol`, `ts_event`, `usd`;
    `taker` `venue`, `base`, `ts_event`, `buy_usd`, `sell_usd`. Adds `liquidated`, `oi_drop` (above 0: it fell) and `taker_excess` (of
    selling where more longs were liquidated, else of buying), all USD.
    """
    keys = ("venue", "base", "move")
    move = (pl.col("ts_event") // BUCKET).alias("move")
    last = open_interest.with_columns(move).group_by("venue", "base", "symbol", "move").agg(pl.col("usd").sort_by("ts_event").last())
    held = last.group_by(keys).agg(pl.col("usd").sum()).sort(keys)
    drop = held.with_columns(
        oi_drop=pl.col("usd").shift(1).over("venue", "base") - pl.col("usd"), gap=pl.col("move").diff().over("venue", "base")
    ).filter(pl.col("gap") == 1)
    flow = taker.with_columns(move).group_by(keys).agg((pl.col("sell_usd") - pl.col("buy_usd")).sum().alias("selling"))
    longs = pl.col("notional_usd").filter(pl.col("position_side") == "long").sum()
    forced = prints.with_columns(move).group_by(keys).agg(pl.col("notional_usd").sum().alias("liquidated"), longs.alias("longs"))
    rows = drop.join(flow, on=keys).join(forced, on=keys, how="left").with_columns(pl.col("liquidated", "longs").fill_null(0.0))
    falls = pl.when(pl.col("liquidated") > 0).then(pl.col("longs") * 2 >= pl.col("liquidated")).otherwise(pl.col("selling") >= 0)
    return rows.with_columns(taker_excess=pl.when(falls).then(pl.col("selling")).otherwise(-pl.col("selling"))).sort(keys)


def transferred(rows: pl.DataFrame, full: Sequence[str], throttled: Sequence[str]) -> dict[str, Transferred]:
    """Fit on the moves of `full` venues that hold liquidations and apply to each `throttled` one; empty below `ENOUGH`.

    The interval is that of single moves, as if all of a sum erred alike: it is wide on purpose.
    """
    known = rows.filter(pl.col("venue").is_in(list(full)) & (pl.col("liquidated") > 0))
    if len(known) < ENOUGH:
        return {}
    fitted = fit_transfer(known["oi_drop"].to_numpy(), known["taker_excess"].to_numpy(), known["liquidated"].to_numpy())
    found = {}
    for venue in throttled:
        own = rows.filter((pl.col("venue") == venue) & (pl.col("liquidated") > 0))
        usd = sum(fitted.estimate(drop, excess) for drop, excess in own.select("oi_drop", "taker_excess").iter_rows())
        if usd > 0 and fitted.log_errors:
            low, high = np.quantile(fitted.log_errors, [0.05, 0.95])
            found[venue] = Transferred(usd, usd * float(np.exp(low)), usd * float(np.exp(high)), len(known))
    return found
