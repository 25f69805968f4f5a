"""What traded in a move, taken apart: forced closing, voluntary closing, new positions, and hands that only changed.

Every trade of quantity q has two sides, and each side opens or closes: open interest changes by +q (both open), 0 (one of
each) or −q (both close). So with V traded and ΔOI: opened + changed hands + closed = V and opened − closed = ΔOI, which leaves one
freedom; the parts are given as the ranges the identities allow, and as the split in between that changes hands least
surprisingly: as if the two sides of each trade were paired at random (the share that closes is the same on both sides).
A forced order always closes; whether its counterparty opens or closes cannot be seen.
"""

from typing import NamedTuple

import msgspec
import polars as pl

from deleverage.errors import BadInput


class Part(NamedTuple):
    """A part of the traded volume, in coins: the range the accounting allows and the central split."""

    low: float
    value: float
    high: float


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A move taken apart, in base coins, one-sided (a trade of q counts q).

    By side of a trade: `forced` + `voluntary_closing` + `opening` = 2 × `traded`, since each trade has two sides; by trade, `both_open` +
    `changed_hands` + `both_close` = `traded` and `both_open` − `both_close` = `oi_change`. `forced_share_of_taker` is forced selling over
    taker selling (a rise: buying over buying); `forced_share_of_closing` forced over all closing. None where open interest is not
    known; everything about forced flow where liquidations were not received. `problems` names what does not fit together.
    """

    traded: float
    taker_buy: float
    taker_sell: float
    oi_change: float | None
    forced: float | None
    forced_high: float | None
    voluntary_closing: Part | None
    opening: Part | None
    both_open: Part | None
    changed_hands: Part | None
    both_close: Part | None
    other_taker_sell: float | None
    other_taker_buy: float | None
    forced_share_of_taker: float | None
    forced_share_of_closing: float | None
    problems: tuple[str, ...]


def decompose(
    *, taker_buy: float, taker_sell: float, oi_start: float | None, oi_end: float | None, forced_long: float | None,
    forced_short: float | None,
    adl: float = 0.0, forced_high: float | None = None,
) -> Flow:  # fmt: skip
    """Take one contract's move apart; all in base coins over the same window, open interest one-sided.

    `forced_long` are forced sells of longs, `forced_short` forced buys (None: not received); `forced_high` the upper end of the
    estimate of their sum. `adl` is auto-deleveraged quantity: it closes both sides outside the book, so it is taken off ΔOI first.
    Raises BadInput on negatives.
    """
    if min(taker_buy, taker_sell, forced_long or 0.0, forced_short or 0.0, adl) < 0:
        raise BadInput("volumes are not negative; open interest falls by oi_end < oi_start")
    is_told = forced_long is not None and forced_short is not None
    sold, bought = forced_long or 0.0, forced_short or 0.0
    traded, forced = taker_buy + taker_sell, sold + bought
    slack = 1e-9 * max(traded, forced, 1e-12)
    problems = []
    if sold > taker_sell + slack:
        problems.append(f"forced selling ({sold:.6g}) exceeds taker selling ({taker_sell:.6g}): trades are missing, or clocks differ")
    if bought > taker_buy + slack:
        problems.append(f"forced buying ({bought:.6g}) exceeds taker buying ({taker_buy:.6g}): trades are missing, or clocks differ")
    change = None if oi_start is None or oi_end is None else oi_end - oi_start + adl
    opened = closed = hands = voluntary = opening = None
    closing_share = None
    if change is not None and traded > 0:
        if abs(change) > traded + slack:
            problems.append(f"open interest changed by {change:.6g}, more than was traded ({traded:.6g}): trades are missing")
        else:
            least_open, least_close, most = max(change, 0.0), max(-change, 0.0), (traded - abs(change)) / 2
            close = (1 - change / traded) / 2  # share of sides that close
            central = traded * close * close
            closed = Part(least_close, central, least_close + most)
            opened = Part(least_open, central + change, least_open + most)
            hands = Part(0.0, traded - 2 * central - change, traded - abs(change))
            # sides: closing ones are 2·closed + hands = V − ΔOI whatever the split
            sides_closing = traded - change
            if forced > sides_closing + slack:
                problems.append(f"forced closing ({forced:.6g}) exceeds all closing ({sides_closing:.6g}): readings are off in time")
            fixed = sides_closing - forced
            if is_told:
                voluntary = Part(fixed if forced_high is None else sides_closing - max(forced_high, forced), fixed, fixed)
            opening = Part(traded + change, traded + change, traded + change)
            closing_share = forced / sides_closing if sides_closing > 0 and is_told else None
    falls = taker_sell >= taker_buy if sold == bought else sold > bought
    hit, side = (sold, taker_sell) if falls else (bought, taker_buy)
    return Flow(
        traded=traded, taker_buy=taker_buy, taker_sell=taker_sell, oi_change=change,
        forced=forced if is_told else None, forced_high=forced_high,
        voluntary_closing=voluntary, opening=opening, both_open=opened, changed_hands=hands, both_close=closed,
        other_taker_sell=taker_sell - sold if is_told else None, other_taker_buy=taker_buy - bought if is_told else None,
        forced_share_of_taker=hit / side if side > 0 and is_told else None, forced_share_of_closing=closing_share, problems=tuple(problems),
    )  # fmt: skip


MOSTLY = 0.9
"""Share of a window received from which its fewness tells something."""
LITTLE = 0.1
"""Share of taker flow under which forced flow explains little."""


def line(flow: Flow, heard: float = 1.0) -> str:
    """Say in one sentence what forced flow explains, and plainly when that is little or cannot be said.

    `heard` is the share of the window in which liquidations were received; below `MOSTLY` nothing is concluded from there being few.
    """
    if flow.problems:
        return f"Not resolvable: {flow.problems[0]}."
    if flow.forced is None or flow.other_taker_sell is None:
        return "Liquidations were not received: what was forced cannot be said."
    if flow.forced == 0 and not flow.forced_high:
        return "No forced order was seen" + (": the move was not forced." if heard >= MOSTLY and flow.traded > 0 else ".")
    if flow.forced_share_of_taker is None:
        return "No trades are at hand: what forced flow explains cannot be said."
    selling = flow.taker_sell >= flow.taker_buy or flow.other_taker_sell < flow.taker_sell
    word = "selling" if selling else "buying"
    share = flow.forced_share_of_taker
    least = "at least " if heard < MOSTLY or (flow.forced_high is not None and flow.forced_high > flow.forced) else ""
    text = f"Forced {word} was {least}{share:.1%} of taker {word}"
    if (
        heard >= MOSTLY
        and share < LITTLE
        and (flow.forced_high is None or flow.forced_high <= LITTLE * (flow.taker_sell if selling else flow.taker_buy))
    ):
        text += ": the move was mostly not forced"
    if flow.forced_share_of_closing is not None:
        text += f", and {flow.forced_share_of_closing:.1%} of all closing"
    if flow.oi_change is None:
        text += "; open interest is not known, so closing cannot be told from opening"
    return text + "."


def per_bucket(frame: pl.DataFrame) -> pl.DataFrame:
    """Take buckets apart, a row each: `taker_buy`, `taker_sell`, `oi_start`, `oi_end`, `forced_long`, `forced_short`, in coins.

    Adds `oi_change`, `forced`, `voluntary_closing`, `opening`, `forced_share` (of the taker side that was hit); they add up as in `Flow`.
    """
    traded, change = pl.col("taker_buy") + pl.col("taker_sell"), pl.col("oi_end") - pl.col("oi_start")
    forced = pl.col("forced_long") + pl.col("forced_short")
    return frame.with_columns(
        oi_change=change, forced=forced, voluntary_closing=traded - change - forced, opening=traded + change,
        forced_share=pl.when(traded > 0).then(pl.max_horizontal("forced_long", "forced_short")
            / pl.when(pl.col("forced_long") >= pl.col("forced_short")).then(pl.col("taker_sell")).otherwise(pl.col("taker_buy"))),
    )  # fmt: skip
