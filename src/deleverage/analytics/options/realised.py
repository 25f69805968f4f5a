"""Volatility that happened, how it compares with its own past, and what options asked for it. Nothing looks ahead.

A candle counts from its close on: one that is open at `at` is not seen. Volatilities are decimals per year of 365 days.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.errors import BadInput

Floats = NDArray[np.float64]
Estimator = Literal["close", "parkinson"]
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
HORIZON_DAYS = (7.0, 14.0, 30.0, 60.0, 90.0, 180.0)
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
LEAST_SHARE = 0.9
"""Share of a window's candles below which its volatility is not known."""


def realised_variance(candles: pl.DataFrame, window_days: float, estimator: Estimator = "close") -> pl.DataFrame:
    """Return (ts, variance, share) at the close of every candle: annualised variance of the `window_days` up to and with it.

    `candles` of one contract: ts_open (ns UTC), interval_seconds, close, and for parkinson high and low. "close": mean squared log return
    between neighbouring closes, mean not taken off; a return across missing candles counts over the time it took. "parkinson": mean
    ln(high/low)² / (4 ln 2), which takes a price without jumps or drift and is too low where few trades made the range (Parkinson 1980).
    Variance is null where less than 90 % of the window (`share`) is covered. Raises BadInput for candles of several intervals.
    """
    wanted = ("ts_open", "interval_seconds", "close", *(("high", "low") if estimator == "parkinson" else ()))
    if lacking := set(wanted) - set(candles.columns):
        raise BadInput(f"candles lack the columns {', '.join(sorted(lacking))}")
    rows = candles.select(wanted).drop_nulls().unique("ts_open", keep="last", maintain_order=True).sort("ts_open")
    if rows["interval_seconds"].n_unique() > 1:
        raise BadInput("candles are of several intervals; take one")
    if rows.is_empty():
        return pl.DataFrame(schema={"ts": pl.Int64, "variance": pl.Float64, "share": pl.Float64})
    step = int(rows["interval_seconds"][0]) * SECOND
    opened = rows["ts_open"].to_numpy()
    ts = opened + step
    window = round(window_days * DAY)
    if estimator == "close":
        moved = np.diff(np.log(rows["close"].to_numpy()), prepend=np.nan) ** 2
        spent = np.diff(opened, prepend=opened[0]).astype(float)
        moved[0] = 0.0
    else:
        moved = np.log(rows["high"].to_numpy() / rows["low"].to_numpy()) ** 2 / (4 * np.log(2))
        spent = np.full(len(rows), float(step))
    # A return that began before the window belongs to the windows that hold all of it.
    began = ts - spent.astype(np.int64)
    total, time = np.concatenate([[0.0], np.cumsum(moved)]), np.concatenate([[0.0], np.cumsum(spent)])
    first = np.searchsorted(began, ts - window, side="left")
    last = np.arange(1, len(ts) + 1)
    first = np.minimum(first, last)
    covered = time[last] - time[first]
    share = covered / window
    known = share >= LEAST_SHARE
    variance = np.divide((total[last] - total[first]) * 365 * DAY, covered, out=np.full(len(ts), np.nan), where=known)
    return pl.DataFrame({"ts": ts, "variance": variance, "share": share}).with_columns(pl.col("variance").fill_nan(None))


def realised_volatility(candles: pl.DataFrame, at: int, window_days: float, estimator: Estimator = "close") -> float | None:
    """Return the volatility of the `window_days` up to the last candle closed by `at` (ns UTC); None where it is not known.

    Not known either where that candle closed more than a tenth of the window before `at`.
    """
    seen = _seen(realised_variance(candles, window_days, estimator), at)
    if seen.is_empty() or at - seen["ts"][-1] > window_days * DAY / 10:
        return None
    value = seen["variance"][-1]
    return None if value is None else float(value) ** 0.5


def cone(candles: pl.DataFrame, at: int, horizon_days: Sequence[float] = HORIZON_DAYS, estimator: Estimator = "close") -> pl.DataFrame:
    """Return the volatility cone at `at` (ns UTC): per horizon (days), realised volatility's quantiles over the candles closed by then.

    Columns: horizon_days, now, rank (share of windows not above now), low, q10, q25, median, q75, q90, high, windows (ends looked at),
    independent (how many windows fit end to end: overlapping ones tell little more). Null where no window is known.
    """
    names = ("low", "q10", "q25", "median", "q75", "q90", "high")
    rows = []
    for days in horizon_days:
        seen = _seen(realised_variance(candles, days, estimator), at).drop_nulls("variance")
        row: dict[str, float | int | None] = {"horizon_days": float(days), "windows": len(seen), "independent": 0}
        if len(seen):
            past = np.sqrt(seen["variance"].to_numpy())
            now = realised_volatility(candles, at, days, estimator)
            row |= dict(zip(names, (float(x) for x in np.quantile(past, QUANTILES)), strict=True))
            row |= {"now": now, "rank": None if now is None else float((past <= now).mean())}
            row["independent"] = 1 + int((seen["ts"][-1] - seen["ts"][0]) // round(days * DAY))
        rows.append(row)
    schema = dict.fromkeys(("horizon_days", "now", "rank", *names), pl.Float64) | {"windows": pl.Int64, "independent": pl.Int64}
    return pl.DataFrame(rows, schema=schema)


def variance_premium(implied: pl.DataFrame, candles: pl.DataFrame, at: int, estimator: Estimator = "close") -> pl.DataFrame:
    """Return implied less realised variance for rows of `implied`: ts (ns UTC), tenor_days, iv (decimal); rows after `at` are not seen.

    Adds realised_before (variance of the tenor's length up to ts) and premium_before = iv² - realised_before, which could be known at ts;
    realised_after (of the tenor's length after ts) and premium_after = iv² - realised_after, known from `known_from` = ts + tenor, and
    null while that is after `at`. Both windows end with the last candle closed by then,
    at most one candle before. Variance per year: 0.04 is iv 60 % against 56.6 % realised.
    """
    step = int(candles["interval_seconds"].max() or 0) * SECOND  # type: ignore[arg-type]  # an integer column
    frames = []
    for (days,), rows in implied.filter(pl.col("ts") <= at).sort("ts").group_by("tenor_days", maintain_order=True):
        tenor = float(days)
        length = round(tenor * DAY)
        past = _seen(realised_variance(candles, tenor, estimator), at).select("ts", "variance").set_sorted("ts")
        dated = rows.with_columns(known_from=pl.col("ts") + length)
        for name, key in (("before", "ts"), ("after", "known_from")):
            asked = dated.select(pl.col(key).alias("asked")).with_row_index("row").sort("asked")
            found = asked.join_asof(past, left_on="asked", right_on="ts", strategy="backward", tolerance=step).sort("row")["variance"]
            dated = dated.with_columns(found.alias(f"realised_{name}"))
        dated = dated.with_columns(realised_after=pl.when(pl.col("known_from") <= at).then("realised_after"))
        frames.append(dated.with_columns((pl.col("iv") ** 2 - pl.col(f"realised_{x}")).alias(f"premium_{x}") for x in ("before", "after")))
    extra = ("realised_before", "premium_before", "realised_after", "premium_after")
    empty = implied.clear().with_columns(*(pl.lit(None, pl.Float64).alias(x) for x in extra), pl.lit(None, pl.Int64).alias("known_from"))
    columns = [*implied.columns, *extra, "known_from"]
    return pl.concat([f.select(columns) for f in frames]).sort("ts", "tenor_days") if frames else empty.select(columns)


def _seen(frame: pl.DataFrame, at: int) -> pl.DataFrame:
    return frame.filter(pl.col("ts") <= at)
