"""Sentiment: a published index with its band and history, and an index of our own whose every part is shown.

Nothing looks ahead: a reading counts from when it was received, a percentile from what came strictly before.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from deleverage.analytics import regression
from deleverage.analytics.macro import sample
from deleverage.analytics.standing import mid_rank
from deleverage.analytics.vintages import choose_source, known
from deleverage.errors import BadInput

Band = Literal["extreme fear", "fear", "neutral", "greed", "extreme greed"]
HOUR = 3_600_000_000_000
DAY = 24 * HOUR
STALE = 36 * HOUR
"""Age at which a daily reading is stale: the next one is due 24 hours after it."""
UPPER: tuple[tuple[float, Band], ...] = (
    (25, "extreme fear"),
    (45, "fear"),
    (55, "neutral"),
    (75, "greed"),
    (float("inf"), "extreme greed"),
)
"""Each band and the value at which it has ended."""


def band(value: float) -> Band:
    """Return the band of a value from 0 (fear) to 100 (greed): ≤ 24, 25–44, 45–54, 55–74, ≥ 75; a fraction belongs to its whole part.

    >>> [band(v) for v in (24, 24.9, 25, 44, 45, 54, 55, 74, 75)]
    ['extreme fear', 'extreme fear', 'fear', 'fear', 'neutral', 'neutral', 'greed', 'greed', 'extreme greed']

    Raises BadInput outside 0–100.
    """
    if not 0 <= value <= 100:
        raise BadInput(f"a sentiment of {value} is outside 0–100")
    return next(word for end, word in UPPER if value < end)


class Sentiment(msgspec.Struct, frozen=True):
    """The last reading of an index. `source_band` is the source's own word for it, which may be of a neighbouring band ('' without).

    `month_before` is the reading of the same day of the month before (up to 3 days earlier where that is absent). `days_in_band` counts
    daily readings up to this one in this band without a day between missing. `as_low_on` (`as_high_on`) is the last earlier reading at or
    below (above) it, None when there is none since `since`. `year_rank` is the mid-rank (0–1) among the 365 days before. Times ns UTC.
    """

    index_name: str
    source: str
    other_sources: tuple[str, ...]
    value: float
    band: Band
    source_band: str
    ts_event: int
    known_at: int
    is_stale: bool
    change: float | None
    month_before: float | None
    month_before_band: Band | None
    month_before_at: int | None
    month_change: float | None
    days_in_band: int
    as_low_on: int | None
    as_high_on: int | None
    year_rank: float | None
    since: int
    readings: int


def history(readings: pl.DataFrame, index_name: str, as_of: int | None = None, *, source: str | None = None) -> pl.DataFrame:
    """Return an index as known by `as_of` (rows of sentiment_readings), oldest first.

    Columns `ts_event`, `value`, `band` (by our bands), `source_band` (the source's word), `known_at`; times ns UTC.
    """
    return _history(readings, index_name, as_of, source)[0]


def _history(readings: pl.DataFrame, index_name: str, as_of: int | None, source: str | None) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    rows = known(readings.filter(pl.col("index_name") == index_name), "sentiment_readings", as_of)
    rows, name, others = choose_source(rows, source, ["ts_event"])
    words = [band(value) for value in rows["value"]]
    held = rows.select("ts_event", "value", pl.Series("band", words, pl.String), source_band="classification", known_at="ts_recv")
    return held.sort("ts_event"), name, others


def latest(readings: pl.DataFrame, index_name: str, as_of: int, *, source: str | None = None) -> Sentiment | None:
    """Return the last reading known by `as_of` (ns UTC) and what it compares with; None where there is none."""
    held, name, others = _history(readings, index_name, as_of, source)
    held = held.filter(pl.col("ts_event") <= as_of)
    if not held.height:
        return None
    last = held.row(-1, named=True)
    at, value = last["ts_event"], last["value"]
    month = pl.Series([at]).cast(pl.Datetime("ns")).dt.offset_by("-1mo").dt.epoch("ns")[0]
    before = held.filter((pl.col("ts_event") <= month) & (pl.col("ts_event") >= month - 3 * DAY))
    past = before.row(-1, named=True) if before.height else None
    yesterday = held.filter(pl.col("ts_event") == at - DAY)["value"]
    year = held.filter((pl.col("ts_event") >= at - 365 * DAY) & (pl.col("ts_event") < at))["value"].to_numpy()
    run, words, times = 1, held["band"].to_list(), held["ts_event"].to_list()
    while run < held.height and words[-run - 1] == words[-1] and times[-run] - times[-run - 1] <= DAY:
        run += 1
    earlier = held[:-1]
    return Sentiment(
        index_name=index_name, source=name, other_sources=others, value=value, band=band(value), source_band=last["source_band"],
        ts_event=at, known_at=last["known_at"], is_stale=as_of - at >= STALE, change=value - yesterday[0] if len(yesterday) else None,
        month_before=past["value"] if past else None, month_before_band=band(past["value"]) if past else None,
        month_before_at=past["ts_event"] if past else None, month_change=value - past["value"] if past else None, days_in_band=run,
        as_low_on=_last(earlier.filter(pl.col("value") <= value)), as_high_on=_last(earlier.filter(pl.col("value") >= value)),
        year_rank=mid_rank(year, value) if len(year) >= 60 else None, since=held["ts_event"][0], readings=held.height,
    )  # fmt: skip


def _last(rows: pl.DataFrame) -> int | None:
    return int(rows["ts_event"][-1]) if rows.height else None


# --- an index of our own ------------------------------------------------------------------------------------------------

WEIGHTS: dict[str, float] = {
    "volatility": 0.20, "drawdown": 0.15, "momentum": 0.15, "funding": 0.10, "skew": 0.15, "liquidations": 0.10, "etf_flow": 0.10,
    "breadth": 0.05,
}  # fmt: skip
"""Fixed and published; they were chosen, not fitted."""
GREEDY: dict[str, Literal[1, -1]] = {
    "volatility": -1, "drawdown": 1, "momentum": 1, "funding": 1, "skew": 1, "liquidations": -1, "etf_flow": 1, "breadth": 1,
}  # fmt: skip
"""1 where more of it is greed: drawdown is at most 0, skew is calls over puts, liquidations are of longs over their usual."""
NEEDED = 0.5
"""Share of the weights that must be present."""


class Part(msgspec.Struct, frozen=True):
    """One component: its `percentile` (0 fear, 100 greed; None: missing), `share` of the index (its weight among those present) and the
    points it contributes. `value` is the component itself, `history` how many values before it it was ranked among."""

    component: str
    weight: float
    share: float
    percentile: float | None
    contribution: float
    value: float | None = None
    history: int = 0


class OwnIndex(msgspec.Struct, frozen=True):
    """Our index (0–100), None where components of less than half the weight are present. Contributions add up to the value."""

    value: float | None
    band: Band | None
    parts: tuple[Part, ...]
    present: float
    missing: tuple[str, ...]


def combine(percentiles: Mapping[str, float | None], weights: Mapping[str, float] = WEIGHTS) -> OwnIndex:
    """Combine percentiles (0–100, 0 fear) by weight; components that are None or absent drop out and the other weights are renormalised.

    Raises BadInput for a component without a weight or a percentile outside 0–100.
    """
    return _combined({name: (p, None, 0) for name, p in percentiles.items()}, weights)


def _combined(known_parts: Mapping[str, tuple[float | None, float | None, int]], weights: Mapping[str, float]) -> OwnIndex:
    if unknown := sorted(set(known_parts) - set(weights)):
        raise BadInput(f"no weight for {', '.join(unknown)}; known: {', '.join(weights)}")
    told = {name: known_parts.get(name, (None, None, 0)) for name in weights}
    if any(p is not None and not 0 <= p <= 100 for p, _, _ in told.values()):
        raise BadInput("percentiles are from 0 (fear) to 100 (greed)")
    present = sum(weights[name] for name, (p, _, _) in told.items() if p is not None)
    parts = []
    for name, (p, value, before) in told.items():
        share = weights[name] / present if p is not None else 0.0
        parts.append(Part(name, weights[name], share, p, share * p if p is not None else 0.0, value, before))
    total = present / sum(weights.values())
    value = min(100.0, sum(part.contribution for part in parts)) if total >= NEEDED else None
    missing = tuple(name for name, (p, _, _) in told.items() if p is None)
    return OwnIndex(value, None if value is None else band(value), tuple(parts), total, missing)


def own_index(
    components: Mapping[str, pl.DataFrame], at: int, *, weights: Mapping[str, float] = WEIGHTS, oldest: int = 4 * DAY, fewest: int = 90
) -> OwnIndex:
    """Return our index at an instant (ns UTC) from components, each a frame `ts` (when it was known), `value`, a row a day or trading day.

    A component is its last value at or before `at`, missing when over `oldest` ns old or with under `fewest` values in the 365 days
    before it; its percentile is the mid-rank among those, turned round where more means fear (`GREEDY`). Values after `at` are not read.
    Assumes a component means the same all year; fails after a change of regime, when everything ranks at one end for months.
    """
    return own_indices(components, [at], weights=weights, oldest=oldest, fewest=fewest)[0]


def own_indices(
    components: Mapping[str, pl.DataFrame], instants: Sequence[int], *, weights: Mapping[str, float] = WEIGHTS, oldest: int = 4 * DAY,
    fewest: int = 90,
) -> list[OwnIndex]:  # fmt: skip
    """Return our index at each of several instants (ns UTC), as `own_index` would have told it then."""
    held = {name: frame.drop_nulls().sort("ts") for name, frame in components.items()}
    arrays = {name: (rows["ts"].to_numpy(), rows["value"].cast(pl.Float64).to_numpy()) for name, rows in held.items()}
    found = []
    for at in instants:
        told: dict[str, tuple[float | None, float | None, int]] = {}
        for name, (ts, values) in arrays.items():
            last = int(np.searchsorted(ts, at, "right")) - 1
            if last < 0 or at - ts[last] > oldest:
                continue
            year = values[int(np.searchsorted(ts, ts[last] - 365 * DAY)) : int(np.searchsorted(ts, ts[last]))]
            value = float(values[last])
            rank = mid_rank(year, value) if len(year) >= fewest else None
            percentile = None if rank is None else 100 * (rank if GREEDY.get(name, 1) > 0 else 1 - rank)
            told[name] = (percentile, value, len(year))
        found.append(_combined(told, weights))
    return found


def drawdown(prices: pl.DataFrame, days: int = 365) -> pl.DataFrame:
    """Return `ts`, `value`: the price (ts, price; one a day) over its highest of the last `days` days, less 1; at most 0."""
    peak = pl.col("price").rolling_max_by("ts", f"{days * DAY}i")
    return prices.sort("ts").select("ts", value=pl.col("price") / peak - 1)


def momentum(prices: pl.DataFrame, days: int = 30) -> pl.DataFrame:
    """Return `ts`, `value`: the log of the price over its mean of the last `days` days; null before those have passed."""
    rows = prices.sort("ts").with_columns(mean=pl.col("price").rolling_mean_by("ts", f"{days * DAY}i"))
    full = pl.col("ts") - pl.col("ts").min() >= (days - 1) * DAY
    return rows.select("ts", value=pl.when(full).then((pl.col("price") / pl.col("mean")).log()))


class Quintile(msgspec.Struct, frozen=True):
    """Returns after days in one fifth of the trailing year's ranks (1: fear): their mean (log), and how much it exceeds that of the other
    days, with the 95 % interval that allows for overlapping returns (Newey–West over the horizon, widened)."""

    quintile: int
    days: int
    mean: float
    excess: float | None
    low: float | None
    high: float | None


def returns_after(index: pl.DataFrame, prices: pl.DataFrame, days: int = 30, *, fewest: int = 90) -> list[Quintile]:
    """Test whether an index (ts, value) foretells the log return of the price (ts, price) over the next `days` days, by quintile.

    A day's quintile is that of its mid-rank among the 365 days before. Says nothing of what it costs to act on it.
    """
    held = index.sort("ts")
    ts, values = held["ts"].to_numpy(), held["value"].to_numpy()
    ranks: list[float | None] = []
    for position, at in enumerate(ts):
        year = values[int(np.searchsorted(ts, at - 365 * DAY)) : position]
        ranks.append(mid_rank(year, values[position]) if len(year) >= fewest else None)
    now, later = (sample(prices, held["ts"] + ahead * DAY, DAY) for ahead in (0, days))
    frame = pl.DataFrame({"rank": pl.Series(ranks, dtype=pl.Float64), "gain": (later / now).log()}).drop_nulls()
    fifth = np.minimum((frame["rank"].to_numpy() * 5).astype(int), 4)
    gains = frame["gain"].to_numpy()
    found = []
    for which in range(5):
        inside = (fifth == which).astype(np.float64)
        if not inside.any():
            continue
        fit = regression.least_squares(inside, gains, lags=days)
        excess = [None if np.isnan(v) else float(v) for v in (fit.coefficients[1], fit.low[1], fit.high[1])]
        found.append(Quintile(which + 1, int(inside.sum()), float(gains[inside > 0].mean()), *excess))
    return found
