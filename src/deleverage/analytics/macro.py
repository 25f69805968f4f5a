"""Bitcoin beside the wider economy: levels as they were known, and betas over changes between the same instants.

A daily US series holds at an hour of New York (16:00 unless told otherwise; summer time by date) and the price is taken at that very
instant. Changes, never levels; both sides of a change span the same time, also over weekends and holidays. An observation counts from
when it was received (`ts_recv`): yields come a day late, the dollar index up to a week.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics import regression
from deleverage.analytics.standing import mid_rank
from deleverage.analytics.vintages import choose_source, known
from deleverage.errors import BadInput

Kind = Literal["log", "difference"]
Verdict = Literal["moves with", "moves against", "not resolvable"]
HOUR = 3_600_000_000_000
DAY = 24 * HOUR
FEWEST = 10
"""Changes below which no beta is told."""
NOMINAL, REAL, BREAKEVEN = "DGS10", "DFII10", "BREAKEVEN10"
KINDS: dict[str, Kind] = {
    NOMINAL: "difference", REAL: "difference", BREAKEVEN: "difference", "VIXCLS": "difference",
    "DTWEXBGS": "log", "SP500": "log", "NASDAQCOM": "log",
}  # fmt: skip
"""How a series changes: yields and volatility in points, indices in logs. A series not listed changes in logs."""
UNITS = {NOMINAL: "percent", REAL: "percent", BREAKEVEN: "percent", "VIXCLS": "points"}


def new_york(days: pl.Series, at: str = "16:00") -> pl.Series:
    """Return the instant (ns UTC) of an hour of New York on each day (dates, or text like 2025-11-20), summer time respected.

    >>> new_york(pl.Series(["2025-07-01", "2025-12-01"]), "16:00").to_list()
    [1751400000000000000, 1764622800000000000]
    """
    dates = days.str.to_date("%Y-%m-%d") if days.dtype == pl.String else days.cast(pl.Date)
    hour, minute = (int(part) for part in at.split(":"))
    local = dates.to_frame("d").select(pl.col("d").dt.combine(pl.time(hour, minute), time_unit="ns"))["d"]
    return local.dt.replace_time_zone("America/New_York").dt.epoch("ns").alias("ts")


def observed(
    observations: pl.DataFrame, series: str, as_of: int | None = None, *, at: str = "16:00", source: str | None = None
) -> pl.DataFrame:
    """Return one economic series as it was known: `observation_date` (Date), `ts`, `value`, `known_at`, oldest first.

    Takes rows of table macro_observations; dates marked missing are left out. `ts` (ns UTC) is when the value held, `known_at` when the
    last vintage was received. BREAKEVEN10 is made of the dates on which both DGS10 and DFII10 are known, nominal less real.
    """
    if series == BREAKEVEN:
        both = observed(observations, NOMINAL, as_of, at=at, source=source).join(
            observed(observations, REAL, as_of, at=at, source=source), on=["observation_date", "ts"], suffix="_real"
        )
        return both.select(
            "observation_date", "ts", value=pl.col("value") - pl.col("value_real"), known_at=pl.max_horizontal("known_at", "known_at_real")
        ).sort("ts")
    rows = known(observations.filter(pl.col("series") == series), "macro_observations", as_of)
    rows = choose_source(rows, source, ["observation_date"])[0].drop_nulls("value")
    held = rows.select(pl.col("observation_date").str.to_date("%Y-%m-%d"), "value", known_at="ts_recv")
    held = held.with_columns(new_york(held["observation_date"], at))
    if as_of is not None:
        held = held.filter(pl.col("ts") <= as_of)
    return held.select("observation_date", "ts", "value", "known_at").sort("ts")


def closes(candles: pl.DataFrame, as_of: int | None = None) -> pl.DataFrame:
    """Return `ts` (ns UTC, when the candle ended) and `price` (its close) of one contract's closed candles, as known by `as_of`.

    Raises BadInput when the rows (table candles) are of more than one contract or kind of price.
    """
    rows = candles.filter(pl.col("is_closed"))
    if as_of is not None:
        rows = rows.filter(pl.col("ts_recv") <= as_of)
    if rows.select("venue", "symbol", "price_kind").n_unique() > 1:
        raise BadInput("a beta needs the candles of one contract and one kind of price; filter them first")
    held = rows.sort("ts_recv").select(ts=pl.col("ts_open") + pl.col("interval_seconds").cast(pl.Int64) * 1_000_000_000, price="close")
    return held.unique("ts", keep="last").sort("ts")


def sample(held: pl.DataFrame, instants: pl.Series, oldest: int = 2 * HOUR) -> pl.Series:
    """Return the last value (second column of `held`: ts, value) at or before each instant; null where it is older than `oldest` ns."""
    time, value = held.columns[:2]
    asked = pl.DataFrame({"asked": instants, "row": np.arange(len(instants))}).sort("asked")
    found = asked.join_asof(held.sort(time), left_on="asked", right_on=time, strategy="backward", tolerance=oldest)
    return found.sort("row")[value]


def changes(
    prices: pl.DataFrame, other: pl.DataFrame, *, kind: Kind = "log", oldest: int = 2 * HOUR, longest: int = 5 * DAY
) -> pl.DataFrame:
    """Return the price's log change and the other series' change between the same instants: `ts_from`, `ts`, `base`, `other`.

    `prices` has ts (ns UTC, when it held) and price; `other` has ts and value, whose instants decide. An intraday series is the same,
    put on a grid with `sample`. A price older than `oldest` at an instant drops the instant; a change over more than `longest` ns is
    dropped. No value after an instant is ever used.
    """
    both = pl.DataFrame({"ts": other["ts"], "value": other["value"], "price": sample(prices.select("ts", "price"), other["ts"], oldest)})
    both = both.drop_nulls().sort("ts")
    if (kind == "log" and (both["value"] <= 0).any()) or (both["price"] <= 0).any():
        raise BadInput("a log change needs values above 0; take the difference instead")
    moved = pl.col("value").log().diff() if kind == "log" else pl.col("value").diff()
    made = both.select(ts_from=pl.col("ts").shift(1), ts="ts", base=pl.col("price").log().diff(), other=moved).drop_nulls()
    return made.filter(pl.col("ts") - pl.col("ts_from") <= longest)


NUMBERS = ("beta", "beta_low", "beta_high", "t", "correlation", "correlation_low", "correlation_high", "ewma_beta", "r_squared")


class Beta(msgspec.Struct, frozen=True):
    """How the price moved with one series over its last `n` changes, from `start` to `end` (ns UTC).

    `beta` is the log change of the price per log change of the series, or per point of it (`kind`), with its (low, high) by Newey and
    West's errors over `lags`; `correlation` has Fisher's interval. `ewma_beta` weighs changes by 0.94 per step back, over all of them.
    None where it cannot be told. The verdict says whether the interval of beta excludes 0: one window among many will by chance.
    """

    series: str
    kind: Kind
    n: int
    start: int | None
    end: int | None
    beta: float | None
    beta_low: float | None
    beta_high: float | None
    t: float | None
    correlation: float | None
    correlation_low: float | None
    correlation_high: float | None
    ewma_beta: float | None
    r_squared: float | None
    lags: int
    level: float
    verdict: Verdict


def beta(
    moved: pl.DataFrame, series: str = "", *, window: int | None = None, kind: Kind = "log", lags: int | None = None, level: float = 0.95
) -> Beta:
    """Return the beta over the last `window` rows (None: all) of `changes`; nothing is told under `FEWEST` of them."""
    x, y = moved["other"].to_numpy(), moved["base"].to_numpy()
    last = slice(max(len(x) - window, 0) if window else 0, None)
    n = len(x[last])
    start, end = (int(moved["ts_from"][last][0]), int(moved["ts"][-1])) if n else (None, None)
    if n < FEWEST:
        nothing: dict[str, float | None] = dict.fromkeys(NUMBERS)
        return Beta(series=series, kind=kind, n=n, start=start, end=end, lags=0, level=level, verdict="not resolvable", **nothing)
    fit = regression.least_squares(x[last], y[last], lags, level)
    rho = regression.correlation(x[last], y[last])
    numbers = np.array([
        fit.coefficients[1], fit.low[1], fit.high[1], fit.t[1], rho, *regression.correlation_interval(rho, n, level),
        regression.ewma_beta(x, y), fit.r_squared,
    ])  # fmt: skip
    verdict: Verdict = "moves with" if fit.low[1] > 0 else "moves against" if fit.high[1] < 0 else "not resolvable"
    told = dict(zip(NUMBERS, _told(numbers), strict=True))
    return Beta(series=series, kind=kind, n=n, start=start, end=end, lags=fit.lags, level=level, verdict=verdict, **told)


def rolling(moved: pl.DataFrame, window: int = 90, *, lags: int | None = None, level: float = 0.95) -> pl.DataFrame:
    """Return the beta over the `window` changes ending at each: `ts` and the numbers of `Beta`, null where not told; no row looks ahead.

    Starts with the first full window. Cost: one small fit per row (some 0.1 ms).
    """
    rows = []
    for end in range(window, moved.height + 1):
        found = beta(moved[:end], window=window, lags=lags, level=level)
        rows.append([found.end, *(getattr(found, name) for name in NUMBERS)])
    schema = {"ts": pl.Int64} | dict.fromkeys(NUMBERS, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


class Joint(msgspec.Struct, frozen=True):
    """Several series at once: slope, (low, high), t, variance inflation and ridge slope of each, in the order of `series`.

    Where inflation exceeds 10 the slopes trade places with one another: read the ridge's signs, or one series alone. None: not told.
    """

    series: tuple[str, ...]
    n: int
    betas: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    t: tuple[float | None, ...]
    inflation: tuple[float | None, ...]
    ridge: tuple[float | None, ...]
    constant: float | None
    r_squared: float | None
    lags: int


def joint(moved: Mapping[str, pl.DataFrame], *, lags: int | None = None, level: float = 0.95, penalty: float = 1.0) -> Joint:
    """Fit the price's change on several series' changes at once, over the spans (`ts_from`, `ts`) common to all."""
    names = tuple(moved)
    if not names:
        raise BadInput("name at least one series")
    frame = moved[names[0]].rename({"other": names[0]})
    for name in names[1:]:
        frame = frame.join(moved[name].select("ts_from", "ts", pl.col("other").alias(name)), on=["ts_from", "ts"])
    frame = frame.sort("ts")
    x, y = frame.select(names).to_numpy().astype(np.float64), frame["base"].to_numpy()
    fit = regression.least_squares(x, y, lags, level)
    enough = len(y) > len(names) + 2
    inflation = regression.variance_inflation(x) if enough else np.full(len(names), np.nan)
    return Joint(
        names, len(y), _told(fit.coefficients[1:]), _told(fit.low[1:]), _told(fit.high[1:]), _told(fit.t[1:]), _told(inflation),
        _told(regression.ridge(x, y, penalty)), _told(fit.coefficients[:1])[0], _told(np.array([fit.r_squared]))[0], fit.lags,
    )  # fmt: skip


def _told(numbers: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(float(v) if np.isfinite(v) else None for v in numbers)


def betas(
    prices: pl.DataFrame, observations: pl.DataFrame, as_of: int | None = None, *, series: Sequence[str] | None = None,
    windows: Sequence[int] = (30, 90), at: Mapping[str, str] | None = None, level: float = 0.95,
) -> list[Beta]:  # fmt: skip
    """Return the beta to each series (None: all in the frame, and the breakeven where it can be made) over each window, known by `as_of`.

    `prices` has ts and price; those after `as_of` are not used. `at` gives an hour of New York other than 16:00 for a series.
    """
    if as_of is not None:
        prices = prices.filter(pl.col("ts") <= as_of)
    found = []
    for name in names_of(observations) if series is None else series:
        kind = KINDS.get(name, "log")
        values = observed(observations, name, as_of, at=(at or {}).get(name, "16:00"))
        moved = changes(prices, values, kind=kind)
        found += [beta(moved, name, window=window, kind=kind, level=level) for window in windows]
    return found


def names_of(observations: pl.DataFrame) -> list[str]:
    """Return the series in the rows, sorted, with BREAKEVEN10 where it can be made."""
    names = sorted(observations["series"].unique().to_list())
    return [*names, BREAKEVEN] if {NOMINAL, REAL} <= set(names) else names


LEVELS = {
    "series": pl.String, "observation_date": pl.Date, "value": pl.Float64, "unit": pl.String, "known_at": pl.Int64, "age_days": pl.Int64,
    "change": pl.Float64, "month_before_date": pl.Date, "month_before": pl.Float64, "month_change": pl.Float64, "year_rank": pl.Float64,
}  # fmt: skip


def levels(observations: pl.DataFrame, as_of: int, series: Sequence[str] | None = None) -> pl.DataFrame:
    """Return where each series stood as known by `as_of`, one row per series (LEVELS); series without an observation are left out.

    `age_days` counts from the observation's New York date to that of `as_of`: a value is as old as that, whenever it arrived. `change`
    is from the observation before, `month_change` from the last one on or before the same day of the month before (null when that is
    over a week older), in the series' own unit. `year_rank` is the mid-rank (0–1) among the observations of the 365 days before it.
    """
    today = pl.Series([as_of]).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("America/New_York").dt.date()[0]
    rows = []
    for name in names_of(observations) if series is None else series:
        held = observed(observations, name, as_of)
        if not held.height:
            continue
        day, value = held["observation_date"][-1], held["value"][-1]
        month_ago = pl.Series([day]).dt.offset_by("-1mo")[0]
        before = held.filter((pl.col("observation_date") <= month_ago) & ((month_ago - pl.col("observation_date")).dt.total_days() <= 7))
        past, then = (before["value"][-1], before["observation_date"][-1]) if before.height else (None, None)
        year = held.filter((pl.col("ts") >= held["ts"][-1] - 365 * DAY) & (pl.col("ts") < held["ts"][-1]))["value"].to_numpy()
        rows.append([
            name, day, value, UNITS.get(name, "index"), held["known_at"][-1], (today - day).days,
            value - held["value"][-2] if held.height > 1 else None, then, past, None if past is None else value - past,
            mid_rank(year, value) if len(year) >= 60 else None,
        ])  # fmt: skip
    return pl.DataFrame(rows, schema=LEVELS, orient="row")
