"""What holding a perpetual costs: funding rates of every venue on one scale, weighted, summed and compared.

Sign rule: a rate above 0 means that longs pay shorts, below 0 that shorts pay longs; nobody else is paid. The rate rests at +0.01 % per
8 h, not at 0: the rule of several venues is premium + clamp(interest − premium, ±0.05 %) with an interest of 0.01 %.

Rates are shares of notional per their own interval (1 to 8 h, which may change within a day); only after `records` has brought them to
8 h may they be compared. Predicted rates can still change and are never mixed with settled ones. A settlement closes the time it pays
for, so windows and buckets here are (start, end]. Nothing after `at` is looked at; years have 365 days.
"""

from typing import Literal

import msgspec
import polars as pl

Kind = Literal["predicted", "settled"]
Weighting = Literal["open_interest", "volume"]
HOUR = 3_600_000_000_000
YEAR_HOURS = 8760
RESTING_8H = 0.0001
"""Where the rate rests while the premium is within 0.05 % of the interest."""
STALE_AFTER = 2
"""Intervals after which a rate no longer counts."""
LATE = 300_000_000_000
"""Settlements are stamped up to this long after (or before) the full hour they belong to."""
CAPS_PER_HOUR = {"hyperliquid": 0.04}
"""Caps of venues that do not print them beside the rate."""
CONTRACT = ["venue", "symbol", "base"]
DATED = r":[^-]+-"


def payer(rate: float | None) -> Literal["longs", "shorts", "nobody", "unknown"]:
    """Return who pays at this rate.

    >>> payer(0.0001), payer(-0.0001), payer(0.0), payer(None)
    ('longs', 'shorts', 'nobody', 'unknown')
    """
    if rate is None or rate != rate:
        return "unknown"
    return "longs" if rate > 0 else "shorts" if rate < 0 else "nobody"


def sign_rule(rate: float | None) -> str:
    """Say who pays whom at this rate.

    >>> sign_rule(0.00002), sign_rule(-0.00002), sign_rule(0.0)
    ('longs pay shorts', 'shorts pay longs', 'nobody pays')
    """
    return {"longs": "longs pay shorts", "shorts": "shorts pay longs", "nobody": "nobody pays", "unknown": "not known"}[payer(rate)]


def clamped(premium: float, interest: float = RESTING_8H, width: float = 0.0005) -> float:
    """Return the rate per 8 h by the rule that Binance, Gate and Hyperliquid share: P + clamp(I − P, ±width).

    >>> round(clamped(0.01), 6), clamped(0.0003)
    (0.0095, 0.0001)
    """
    return premium + min(max(interest - premium, -width), width)


def eight_hour(rate: float, hours: float) -> float:
    """Return the rate per 8 h of a rate per `hours`."""
    return rate * 8 / hours


def annual_simple(rate: float, hours: float) -> float:
    """Return the rate per year (365 days) without reinvestment."""
    return rate * YEAR_HOURS / hours


def annual_compound(rate: float, hours: float) -> float:
    """Return the rate per year with every payment reinvested.

    >>> round(annual_compound(0.0001, 8), 6)
    0.115714
    """
    return float((1 + rate) ** (YEAR_HOURS / hours) - 1)


def records(funding_rates: pl.DataFrame, at: int, *, as_of: int | None = None) -> pl.DataFrame:
    """Bring rows of table funding_rates with `ts_event` ≤ `at` (and received by `as_of`) to one scale, sorted by contract, kind and time.

    Columns: venue, symbol, base, funding_kind, ts_event, funding_time (snapped to the full hour; of settled rows `ts_event` where
    null), funding_rate, funding_interval_hours, is_interval_inferred, rate_8h, apr, apy (null where the interval is not known),
    hit ('cap', 'floor' or '': the market's own rate lies beyond a hit one, it is censored). Of a settlement told twice the later counts.

    An interval that is not stated is inferred from the settlement before, stated or predicted. A lone longer gap is taken for a missing
    row, not for a longer interval: a lengthened interval is recognised at its second settlement.
    """
    known = funding_rates.filter((pl.col("ts_event") <= at) & pl.col("funding_rate").is_finite())
    if as_of is not None:
        known = known.filter(pl.col("ts_recv") <= as_of)
    due = pl.coalesce("funding_time", pl.when(pl.col("funding_kind") == "settled").then("ts_event"))
    hour = (due + HOUR // 2) // HOUR * HOUR
    rows = known.with_columns(funding_time=pl.when((due - hour).abs() <= LATE).then(hour).otherwise(due))
    gap, before, after = (pl.col(name) for name in ("gap", "before", "after"))
    is_hole = (gap > before) & (after.is_null() | (gap > after))
    grid = (
        rows.select([*CONTRACT, "funding_time"]).drop_nulls("funding_time").unique().sort([*CONTRACT, "funding_time"])
        .with_columns(gap=(pl.col("funding_time").diff() / HOUR).over(CONTRACT))
        .with_columns(before=gap.shift(1).over(CONTRACT), after=gap.shift(-1).over(CONTRACT))
        .with_columns(inferred=pl.when(is_hole).then(before).otherwise(pl.coalesce("gap", "after")))
        .with_columns(inferred=pl.when(pl.col("inferred").is_between(0.25, 24)).then("inferred"))
        .with_columns(inferred=pl.col("inferred").forward_fill().over(CONTRACT))
        .select([*CONTRACT, "funding_time", "inferred"])
    )  # fmt: skip
    stated = pl.when(pl.col("funding_interval_hours") > 0).then("funding_interval_hours")
    hours, rate = pl.col("funding_interval_hours"), pl.col("funding_rate")
    cap_per_hour = pl.col("venue").replace_strict(CAPS_PER_HOUR, default=None, return_dtype=pl.Float64)
    cap, floor = pl.coalesce("rate_cap", cap_per_hour * hours), pl.coalesce("rate_floor", -cap_per_hour * hours)
    slack = 1e-9
    shaped = (
        rows.join(grid, on=[*CONTRACT, "funding_time"], how="left")
        .with_columns(funding_interval_hours=pl.coalesce(stated, "inferred"), is_interval_inferred=stated.is_null())
        .with_columns(
            is_interval_inferred=pl.col("is_interval_inferred") & hours.is_not_null(), rate_8h=rate * 8 / hours,
            apr=rate * YEAR_HOURS / hours, apy=pl.when(rate > -1).then((1 + rate) ** (YEAR_HOURS / hours) - 1),
            hit=pl.when(rate >= cap - slack).then(pl.lit("cap")).when(rate <= floor + slack).then(pl.lit("floor")).otherwise(pl.lit("")),
        )
        .sort([*CONTRACT, "funding_kind", "funding_time", "ts_event", "ts_recv", "funding_rate"])
    )  # fmt: skip
    is_last = pl.struct([*CONTRACT, "funding_kind", "funding_time"]).is_last_distinct()
    return shaped.filter((pl.col("funding_kind") == "predicted") | is_last).select([
        *CONTRACT, "funding_kind", "ts_event", "funding_time", "funding_rate", "funding_interval_hours", "is_interval_inferred",
        "rate_8h", "apr", "apy", "hit",
    ])  # fmt: skip


def latest(funding_rates: pl.DataFrame, at: int, *, as_of: int | None = None) -> pl.DataFrame:
    """Return the last predicted and the last settled rate of every contract as of `at`: `records`' columns, one row per contract and kind.

    Adds pays (the sign rule in words), age_hours (since it was said; of settled ones since the settlement) and why_not ('' where the
    rate counts, else 'stale': older than two intervals, or 'interval not known').
    """
    found = records(funding_rates, at, as_of=as_of)
    since = pl.when(pl.col("funding_kind") == "settled").then("funding_time").otherwise("ts_event")
    age = (at - since) / HOUR
    rate = pl.col("funding_rate")
    return (
        found.with_columns(age_hours=age)
        .sort([*CONTRACT, "funding_kind", "age_hours"], descending=[False] * 4 + [True], maintain_order=True)
        .group_by([*CONTRACT, "funding_kind"], maintain_order=True).last()
        .with_columns(
            pays=pl.when(rate > 0).then(pl.lit(sign_rule(1))).when(rate < 0).then(pl.lit(sign_rule(-1))).otherwise(pl.lit(sign_rule(0))),
            why_not=pl.when(pl.col("funding_interval_hours").is_null()).then(pl.lit("interval not known"))
            .when(pl.col("age_hours") > STALE_AFTER * pl.col("funding_interval_hours")).then(pl.lit("stale")).otherwise(pl.lit("")),
        )
    )  # fmt: skip


def volume_weights(candles: pl.DataFrame, at: int, *, hours: float = 24.0) -> pl.DataFrame:
    """Return dollars traded per contract (venue, symbol, base, usd) in [at − hours, at) from closed last-price rows of table candles.

    Of candles of several lengths those that cover most of the window count, the shorter at a tie. A candle without quantity counts 0.
    """
    start = at - int(hours * HOUR)
    rows = (
        candles.filter((pl.col("price_kind") == "last") & (pl.col("ts_open") >= start))
        .filter(pl.col("ts_open") + pl.col("interval_seconds") * 1_000_000_000 <= at)
        .sort(["ts_recv", "ts_event"]).unique([*CONTRACT, "interval_seconds", "ts_open"], keep="last", maintain_order=True)
        .group_by([*CONTRACT, "interval_seconds"], maintain_order=True)
        .agg(usd=(pl.col("quantity") * pl.col("close")).sum(), covered=pl.col("interval_seconds").sum())
    )  # fmt: skip
    return rows.sort([*CONTRACT, "covered", "interval_seconds"], descending=[False] * 3 + [True, False]).unique(
        CONTRACT, keep="first", maintain_order=True
    ).select([*CONTRACT, "usd"])  # fmt: skip


class Weighted(msgspec.Struct, frozen=True, kw_only=True):
    """A rate over venues, per 8 h, weighted by open interest or volume; None where nothing fresh has a weight.

    `coverage` is the share of all weight (perpetuals only) whose rate was fresh; weights are renormalised over those. `share_negative`
    is the share of venues whose own weighted rate is below 0. `stale`, `unweighted` (a fresh rate, no weight) and `without_rate`
    (a weight, no rate at all) name contracts as "venue symbol"; `hit` those at their cap or floor, whose rates are censored.
    """

    weighting: Weighting
    funding_kind: Kind
    rate_8h: float | None
    apr: float | None
    apy: float | None
    low_8h: float | None
    high_8h: float | None
    share_negative: float | None
    contracts: int
    weight_usd: float
    coverage: float | None
    pays: str
    stale: tuple[str, ...]
    unweighted: tuple[str, ...]
    without_rate: tuple[str, ...]
    hit: tuple[str, ...]


def _names(rows: pl.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(f"{v} {s}".strip() for v, s in rows.select("venue", "symbol").iter_rows()))


def aggregate(
    rates: pl.DataFrame, weights: pl.DataFrame, *, base: str | None = None, kind: Kind = "predicted", weighting: Weighting = "open_interest"
) -> Weighted:  # fmt: skip
    """Weigh the rates of `latest` by `weights` (venue, symbol, base, usd: `volume_weights`, `open_interest.weights`), one coin or all.

    Σ w·f8 / Σ w over fresh rates, each brought to 8 h first. Cost: one join.
    """
    chosen = rates.filter(pl.col("funding_kind") == kind)
    weighed = weights.filter((pl.col("usd") > 0) & ~pl.col("symbol").str.contains(DATED))
    if base is not None:
        chosen, weighed = chosen.filter(pl.col("base") == base), weighed.filter(pl.col("base") == base)
    weighed = weighed.group_by(CONTRACT).agg(pl.col("usd").sum())
    joined = chosen.join(weighed, on=CONTRACT, how="left").sort(CONTRACT)
    fresh = joined.filter(pl.col("why_not") == "")
    used = fresh.drop_nulls("usd")
    total, counted = float(weighed["usd"].sort().sum()), float(used["usd"].sort().sum())
    rate = float((used["rate_8h"] * used["usd"]).sum()) / counted if counted > 0 else None
    low, high = (float(v) if isinstance(v, float) else None for v in (used["rate_8h"].min(), used["rate_8h"].max()))
    if rate is not None and low is not None and high is not None:
        rate = min(max(rate, low), high)
    venues = used.group_by("venue").agg(f=(pl.col("rate_8h") * pl.col("usd")).sum())["f"]
    return Weighted(
        weighting=weighting, funding_kind=kind, rate_8h=rate, low_8h=low, high_8h=high, pays=sign_rule(rate),
        apr=None if rate is None else annual_simple(rate, 8), apy=None if rate is None else annual_compound(rate, 8),
        share_negative=float((venues < 0).sum()) / len(venues) if len(venues) else None,
        contracts=len(used), weight_usd=counted, coverage=min(counted / total, 1.0) if total > 0 else None,
        stale=_names(joined.filter(pl.col("why_not") != "")), unweighted=_names(fresh.filter(pl.col("usd").is_null())),
        without_rate=_names(weighed.join(chosen, on=CONTRACT, how="anti")), hit=_names(used.filter(pl.col("hit") != "")),
    )  # fmt: skip


def spreads(rates: pl.DataFrame, *, base: str, kind: Kind = "predicted") -> pl.DataFrame:
    """Return every pair of fresh contracts of one coin in `latest`, the widest first: long where less is paid, short where more is.

    Columns: long_venue, long_symbol, short_venue, short_symbol, long_8h, short_8h, spread_8h (≥ 0, what the pair is paid per 8 h and
    notional while both rates hold), apr, is_censored (one is at its cap or floor). Costs of trading and margin are not in it.
    """
    fresh = rates.filter((pl.col("base") == base) & (pl.col("funding_kind") == kind) & (pl.col("why_not") == ""))
    one = fresh.select("venue", "symbol", "rate_8h", "hit").sort("rate_8h", "venue", "symbol").with_row_index("rank")
    pairs = one.join(one, how="cross", suffix="_short").filter(pl.col("rank") < pl.col("rank_short"))
    spread = pl.col("rate_8h_short") - pl.col("rate_8h")
    return pairs.select(
        long_venue="venue", long_symbol="symbol", short_venue="venue_short", short_symbol="symbol_short", long_8h="rate_8h",
        short_8h="rate_8h_short", spread_8h=spread, apr=spread * YEAR_HOURS / 8,
        is_censored=(pl.col("hit") != "") | (pl.col("hit_short") != ""),
    ).sort(["spread_8h", "long_venue", "short_venue", "long_symbol", "short_symbol"], descending=[True] + [False] * 4)  # fmt: skip


def prediction_errors(funding_rates: pl.DataFrame, at: int, *, lead_hours: float = 0.0, as_of: int | None = None) -> pl.DataFrame:
    """Set each settled rate beside what had been predicted `lead_hours` or more before its settlement, the last such prediction.

    Columns: venue, symbol, base, funding_time, predicted_8h, settled_8h, error_8h (predicted − settled), lead_hours. Settlements that
    nothing was predicted of are left out; continuous funding (Deribit) predicts no settlement.
    """
    rows = records(funding_rates, at, as_of=as_of)
    settled = rows.filter(pl.col("funding_kind") == "settled").select([*CONTRACT, "funding_time", pl.col("rate_8h").alias("settled_8h")])
    said = rows.filter((pl.col("funding_kind") == "predicted") & (pl.col("ts_event") <= pl.col("funding_time") - int(lead_hours * HOUR)))
    last = said.unique([*CONTRACT, "funding_time"], keep="last", maintain_order=True).select([
        *CONTRACT, "funding_time", pl.col("rate_8h").alias("predicted_8h"),
        ((pl.col("funding_time") - pl.col("ts_event")) / HOUR).alias("lead_hours"),
    ])  # fmt: skip
    joined = settled.join(last, on=[*CONTRACT, "funding_time"], how="inner").sort([*CONTRACT, "funding_time"])
    return joined.with_columns(error_8h=pl.col("predicted_8h") - pl.col("settled_8h")).select([
        *CONTRACT, "funding_time", "predicted_8h", "settled_8h", "error_8h", "lead_hours",
    ])  # fmt: skip
