"""What a level of funding means: a word relative to where it rests (+0.01 % per 8 h, not 0) and to its own past 90 days.

    hot           above 0.03 %
    elevated      above the resting band, not hot
    resting       within 0.002 % of 0.01 %
    compressed    0 to 0.008 %, in the lowest quarter of the past 90 days, and lower there than three days before
    low           below the resting band, at or above 0, not compressed
    brief flip    below 0 for fewer than three buckets of 8 h in a row
    flipped       below 0, and so were at least six of the last nine
    negative      below 0, neither brief nor that persistent

All on settled rates in buckets of 8 h, so that hourly and 8-hourly venues are judged over equal time. Where the past is shorter than 90
days its rank is not known: then `compressed` and `low` cannot be told apart and the word is None. Thresholds are a judgement, not a model.
"""

from typing import Literal

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics.funding import HOUR, RESTING_8H
from deleverage.errors import BadInput

Word = Literal["hot", "elevated", "resting", "compressed", "low", "brief flip", "flipped", "negative"]
Floats = NDArray[np.float64]
DAY = 24 * HOUR
CONSISTENT = 1.4826
"""Standard deviations per median absolute deviation of a normal."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Where one word ends and the next begins; rates per 8 h, shares 0–1. `least_share` is how much of the past must be there."""

    resting_8h: float = RESTING_8H
    resting_band_8h: float = 0.00002
    hot_8h: float = 0.0003
    compressed_8h: float = 0.00008
    compressed_percentile: float = 0.25
    of_last: int = 9
    flipped_at_least: int = 6
    brief_fewer_than: int = 3
    history_days: int = 90
    least_share: float = 0.8
    bucket_hours: float = 8.0

    def __post_init__(self) -> None:
        if not 0 <= self.compressed_8h <= self.resting_8h <= self.hot_8h or not 0 < self.flipped_at_least <= self.of_last:
            raise BadInput("thresholds rise: 0 ≤ compressed_8h ≤ resting_8h ≤ hot_8h, and flipped_at_least ≤ of_last")


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """Funding at the end of one bucket. `above_resting_8h` is the rate less the resting one; `percentile` (0–1, share of the past below,
    ties half) and `robust_z` are against the past 90 days, None where those are not there (z also where more than half are equal).
    `negative_of_last` of `of_last` buckets and `negative_run` in a row were below 0; `why` says what decided, or why there is no word."""

    ts_end: int
    word: Word | None
    rate_8h: float
    above_resting_8h: float
    percentile: float | None
    percentile_before: float | None
    robust_z: float | None
    negative_of_last: int
    of_last: int
    negative_run: int
    share_negative: float | None
    is_censored: bool
    why: str


def robust_z(value: float, past: Floats) -> float | None:
    """Return (value − median) / (1.4826 × median absolute deviation) of the past; None where it is empty or more than half of it equal.

    >>> round(robust_z(0.1, np.array([0.9, 0.8, 1.1, 1.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15])), 6)
    -1.124151
    """
    if not len(past):
        return None
    middle = float(np.median(past))
    spread = float(np.median(np.abs(past - middle)))
    return (value - middle) / (CONSISTENT * spread) if spread > 1e-12 * max(1e-4, abs(middle)) else None


def percentile(value: float, past: Floats) -> float | None:
    """Return the share of the past below the value, equal ones counted half (0–1); None where there is no past."""
    if not len(past):
        return None
    equal = np.isclose(past, value, rtol=0, atol=1e-12)
    return float((((past < value) & ~equal).sum() + equal.sum() / 2) / len(past))


def regimes(buckets: pl.DataFrame, start: int, end: int, *, thresholds: Thresholds | None = None) -> list[Regime]:
    """Name every bucket of one series with start < ts_end ≤ end; each sees only buckets before it.

    `buckets` has `ts_end` and `rate_8h` of one contract or coin (`history` with 8 h, `combined`), optionally `share_negative` and `hit`;
    it must reach back `history_days` before `start` for ranks. Raises BadInput on two rows of one time. Cost: buckets × past.
    """
    limits = thresholds or Thresholds()
    rows = buckets.drop_nulls("rate_8h").filter(pl.col("ts_end") <= end).sort("ts_end")
    times, rates = rows["ts_end"].to_numpy(), rows["rate_8h"].to_numpy()
    if (np.diff(times) <= 0).any():
        raise BadInput("regimes are of one series: filter to one contract, or combine() first")
    shares = rows["share_negative"].to_list() if "share_negative" in rows.columns else [None] * len(rows)
    hits = rows["hit"].to_list() if "hit" in rows.columns else [""] * len(rows)
    return [
        _one(times[: i + 1], rates[: i + 1], shares[i], hits[i], limits) for i in range(len(rows)) if times[i] > start
    ]  # fmt: skip


def regime(buckets: pl.DataFrame, at: int, *, thresholds: Thresholds | None = None) -> Regime | None:
    """Name the last bucket that ends at or before `at`; None where there is none. See `regimes`."""
    last = buckets.drop_nulls("rate_8h").filter(pl.col("ts_end") <= at)["ts_end"].max()
    return regimes(buckets, last - 1, at, thresholds=thresholds)[0] if isinstance(last, int) else None


def _past(times: NDArray[np.int64], rates: Floats, at: int, limits: Thresholds) -> Floats | None:
    """Rates of the `history_days` before `at`, exclusive; None where too few of them are there or they do not reach back."""
    inside = (times < at) & (times >= at - limits.history_days * DAY)
    expected = limits.history_days * 24 / limits.bucket_hours
    is_told = inside.sum() >= limits.least_share * expected and times[inside][0] <= at - (limits.history_days - 1) * DAY
    return rates[inside] if is_told else None


def _one(times: NDArray[np.int64], rates: Floats, share: float | None, hit: str, limits: Thresholds) -> Regime:
    at, rate = int(times[-1]), float(rates[-1])
    past = _past(times, rates, at, limits)
    rank = None if past is None else percentile(rate, past)
    earlier = np.searchsorted(times, at - int(limits.of_last * limits.bucket_hours * HOUR), side="right") - 1
    rank_before = percentile(float(rates[earlier]), past) if past is not None and earlier >= 0 else None
    recent = rates[times > at - int(limits.of_last * limits.bucket_hours * HOUR)]
    negative = int((recent < 0).sum())
    above = np.flatnonzero(rates >= 0)
    run = len(rates) - (int(above[-1]) + 1 if len(above) else 0)
    word, why = _word(rate, rank, rank_before, negative, run, limits)
    return Regime(
        ts_end=at, word=word, rate_8h=rate, above_resting_8h=rate - limits.resting_8h, percentile=rank, percentile_before=rank_before,
        robust_z=None if past is None else robust_z(rate, past), negative_of_last=negative, of_last=len(recent), negative_run=run,
        share_negative=share, is_censored=bool(hit), why=why,
    )  # fmt: skip


def _word(
    rate: float, rank: float | None, before: float | None, negative: int, run: int, limits: Thresholds
) -> tuple[Word | None, str]:  # fmt: skip
    slack = 1e-12
    if rate > limits.hot_8h:
        return "hot", f"above {limits.hot_8h:.3%}"
    if rate < 0:
        if negative >= limits.flipped_at_least:
            return "flipped", f"below 0 in {negative} of the last {limits.of_last}"
        if run < limits.brief_fewer_than:
            return "brief flip", f"below 0 for {run} in a row, {negative} of the last {limits.of_last}"
        return "negative", f"below 0 for {run} in a row, {negative} of the last {limits.of_last}"
    if abs(rate - limits.resting_8h) <= limits.resting_band_8h + slack:
        return "resting", f"within {limits.resting_band_8h:.3%} of {limits.resting_8h:.2%}"
    if rate > limits.resting_8h:
        return "elevated", f"above the resting {limits.resting_8h:.2%}, at most {limits.hot_8h:.3%}"
    if rate >= limits.compressed_8h:
        return "low", f"below the resting band, not below {limits.compressed_8h:.3%}"
    if rank is None or before is None:
        return None, f"0 to {limits.compressed_8h:.3%}, and the past {limits.history_days} days are not there to compare with"
    if rank < limits.compressed_percentile and rank < before:
        return "compressed", f"rank {rank:.0%} of the past {limits.history_days} days, {before:.0%} three days before"
    return "low", f"rank {rank:.0%} of the past {limits.history_days} days, {before:.0%} three days before"


def fitted(rates_8h: Floats, thresholds: Thresholds | None = None) -> Thresholds:
    """Return thresholds moved to a series' own quantiles: hot to the 95 %, compressed to the 25 % one, each kept on its side of resting.

    Raises BadInput under 100 rates.
    """
    known = rates_8h[np.isfinite(rates_8h)]
    if len(known) < 100:
        raise BadInput("thresholds need at least 100 rates to be fitted to")
    limits = thresholds or Thresholds()
    lower, upper = limits.resting_8h - limits.resting_band_8h, limits.resting_8h + limits.resting_band_8h
    quarter, top = (float(v) for v in np.quantile(known, [0.25, 0.95]))
    return msgspec.structs.replace(limits, hot_8h=max(top, upper), compressed_8h=min(max(quarter, 0.0), lower))
