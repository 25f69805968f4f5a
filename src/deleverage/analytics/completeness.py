"""How much was really liquidated behind what a feed showed: observed floor, estimate, 90 % interval, and why.

Full feeds are what they show. Throttled ones print one order per contract and second; `hidden_orders` gives what each print
hides, and this room turns sums of that into intervals. The mean and spread of the hidden part follow a gamma law whose centre
and width were set on complete feeds throttled by the same rule (see `CALIBRATIONS`); where nothing bounds the truth, the
estimate is a floor (`high_usd` None). Nothing here changes what was observed.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaincinv

from deleverage.analytics.hidden_orders import hidden_orders
from deleverage.analytics.liquidations import IN_MARKET

SECOND = 1_000_000_000
COMPLETE = ("full", "presumed_full")
THROTTLED = ("largest_per_second", "latest_per_second", "undisclosed")
SPREAD = 0.7
"""How far counts per contract and second exceed Poisson (variance over mean, less one), as fitted on complete feeds."""
CONTRACT_CORRELATION = 0.1
"""How far the model errs alike on different contracts of a window."""
FULLEST = 0.75
"""Under *latest* (and *undisclosed*) nothing bounds a contract whose seconds are fuller than this around its prints."""

Floats = NDArray[np.float64]


class Calibration(NamedTuple):
    """By occupancy (0–1) around the prints: the factor to the median, and the log shift and relative width of the interval's law."""

    occupancy: tuple[float, ...]
    centre: tuple[float, ...]
    shift: tuple[float, ...]
    width: tuple[float, ...]

    def at(self, occupancy: Floats) -> tuple[Floats, Floats, Floats]:
        """Interpolate centre, shift and width."""
        knots = self.occupancy
        return np.interp(occupancy, knots, self.centre), np.interp(occupancy, knots, self.shift), np.interp(occupancy, knots, self.width)


_KNOTS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
CALIBRATIONS = {
    "largest_per_second": Calibration(
        _KNOTS, (1.0, 1.0, 1.0, 1.0, 1.06, 1.06, 1.1, 1.13, 1.13, 1.25), (0.2, 0.3, 0.3, 0.4, 0.4, 0.4, 0.3, 0.3, 0.2, 0.4),
        (2.0, 1.5, 0.8, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25),
    ),
    "latest_per_second": Calibration(
        _KNOTS[:8], (1.0, 1.0, 1.0, 1.04, 1.17, 1.17, 1.18, 1.18), (1.3, 1.6, 0.8, 0.9, 0.9, 0.8, 1.6, 0.7),
        (3.0, 2.5, 1.0, 0.6, 0.6, 0.6, 0.8, 0.6),
    ),
    "undisclosed": Calibration(
        _KNOTS[:8], (1.0, 1.0, 1.13, 1.4, 1.6, 1.6, 1.66, 1.9), (1.4, 1.6, 1.1, 1.1, 1.2, 1.3, 1.2, 1.3),
        (3.0, 2.5, 0.9, 0.5, 0.4, 0.45, 0.45, 0.45),
    ),
}  # fmt: skip
"""Set by `simulate.throttle_lab.calibrate` on streams fitted to Bybit (10 October 2026, first 36 minutes), Drift (to 23 December 2021)
and Aave (to 2023); a centre below 1 is taken as 1, or sums of many calm contracts would be too low."""

CONTRACT = ("venue", "base", "symbol", "coverage_rule")
PARTS = (
    "observed_long",
    "observed_short",
    "hidden_long",
    "hidden_short",
    "least_long",
    "least_short",
    "variance_long",
    "variance_short",
    "fullness",
    "at_cap",
    "prints",
)


PER_PRINT = ("hidden_long", "hidden_short", "least_long", "least_short", "variance_long", "variance_short", "occupancy")


def hidden(liquidations: pl.DataFrame) -> pl.DataFrame:
    """Return priced market liquidations with what each hides: `hidden_long`, `hidden_short` (USD), their variances, `occupancy`.

    `least_long`, `least_short` are the same if orders came no more in bursts than chance has it (Poisson counts): the least there can be
    where seconds are full and nothing tells how many came. Under *largest* they are what is expected.

    Needs `ts_event` (ns), the columns of `CONTRACT`, `position_side`, `method` and `notional_usd`. Prints of a feed that shows all, or of
    one nothing can be said of, hide 0. A frame should reach some minutes beyond the window it is summed over: neighbours tell the rate.
    """
    kept = liquidations.filter(pl.col("method").is_in(IN_MARKET) & (pl.col("notional_usd") > 0))
    keys = ("venue", "symbol", "coverage_rule")
    numbered = kept.select(keys).unique().sort(keys).with_row_index("contract").with_columns(pl.col("contract").cast(pl.Int64))
    kept = kept.join(numbered, on=keys, how="left", maintain_order="left").with_columns(
        second=pl.col("ts_event") // SECOND, is_long=pl.col("position_side") == "long"
    )
    columns = {name: np.zeros(len(kept)) for name in PER_PRINT}
    for rule in THROTTLED:
        prints = kept.with_row_index("row").filter(pl.col("coverage_rule") == rule).sort("contract", "second", "ts_event", "row")
        if prints.is_empty():
            continue
        rows = prints["row"].to_numpy()
        for name, values in zip(columns, _under(rule, prints), strict=True):
            columns[name][rows] = values
    return kept.with_columns(**{name: pl.Series(name, values) for name, values in columns.items()})


def _under(rule: str, prints: pl.DataFrame) -> tuple[Floats, ...]:
    """What prints hide under a rule; where it is not disclosed which order is printed, the mean of both rules, wide enough for either."""
    arrays = prints["contract"].to_numpy(), prints["second"].to_numpy(), prints["notional_usd"].to_numpy(), prints["is_long"].to_numpy()
    found = [
        hidden_orders(*arrays, is_largest, SPREAD)
        for is_largest in ((True,) if rule.startswith("largest") else (False,) if rule.startswith("latest") else (True, False))
    ]
    one, other = found[0], found[-1]
    least = one if rule.startswith("largest") else hidden_orders(*arrays, False, 0.0)
    return (
        (one.longs + other.longs) / 2, (one.shorts + other.shorts) / 2, least.longs, least.shorts,
        (one.variance_longs + other.variance_longs) / 2 + ((one.longs - other.longs) / 2) ** 2,
        (one.variance_shorts + other.variance_shorts) / 2 + ((one.shorts - other.shorts) / 2) ** 2,
        one.occupancy,
    )  # fmt: skip


def by_contract(prints: pl.DataFrame) -> pl.DataFrame:
    """Sum a window of `hidden` rows by contract: the additive `PARTS` an estimate is made of."""
    usd, both = pl.col("notional_usd"), pl.col("hidden_long") + pl.col("hidden_short")
    return prints.group_by("contract").agg(
        pl.col(CONTRACT).first(),
        usd.filter(pl.col("is_long")).sum().alias("observed_long"), usd.filter(~pl.col("is_long")).sum().alias("observed_short"),
        pl.col("hidden_long", "hidden_short", "least_long", "least_short", "variance_long", "variance_short").sum(),
        (both * pl.col("occupancy")).sum().alias("fullness"), pl.col("second").n_unique().alias("at_cap"), pl.len().alias("prints"),
    ).drop("contract").sort(CONTRACT)  # fmt: skip


Side = Literal["long", "short", "both"]
Status = Literal["measured", "estimated", "floor"]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What was liquidated: `observed_usd` is a floor, `low_usd`–`high_usd` the 90 % interval of the truth, USD.

    `high_usd` None: nothing bounds it, read the estimate as "at least". `saturation` is how full the seconds around the hidden orders
    were (0–1), `seconds_at_cap` the contract-seconds that hold a print of a throttled feed. `unseen` names venues of which only a
    part is published: the interval is that of the others.
    """

    side: Side
    observed_usd: float
    estimate_usd: float
    low_usd: float
    high_usd: float | None
    saturation: float
    seconds_at_cap: int
    status: Status
    method: str
    unseen: tuple[str, ...] = ()


METHODS = {
    "full": "shown in full", "presumed_full": "shown in full as far as known", "largest_per_second": "size-aware, largest per second",
    "latest_per_second": "size-aware, latest per second", "undisclosed": "one per second, rule undisclosed: both rules",
    "watched_accounts": "watched accounts only", "none": "not published",
}  # fmt: skip


def estimate(contracts: pl.DataFrame, side: Side = "both") -> Estimate:
    """Estimate the sum of some contracts (rows of `by_contract`) for one side or both."""
    sides = ("long", "short") if side == "both" else (side,)
    observed = sum(contracts[f"observed_{s}"].to_numpy() for s in sides)
    mean = sum(contracts[f"hidden_{s}"].to_numpy() for s in sides)
    variance = sum(contracts[f"variance_{s}"].to_numpy() for s in sides)
    rules = contracts["coverage_rule"].to_list()
    total_hidden = (contracts["hidden_long"] + contracts["hidden_short"]).to_numpy()
    fullness = np.divide(contracts["fullness"].to_numpy(), total_hidden, out=np.zeros(len(contracts)), where=total_hidden > 0)
    centre, shift, width = np.ones(len(contracts)), np.zeros(len(contracts)), np.zeros(len(contracts))
    for rule, calibration in CALIBRATIONS.items():
        mask = np.array([r == rule for r in rules], dtype=bool)
        if mask.any():
            centre[mask], shift[mask], width[mask] = calibration.at(fullness[mask])
    floor = float(np.sum(observed))
    guess = float(np.sum(mean * centre))
    law_mean, law_width = mean * np.exp(shift), mean * np.exp(shift) * width
    rho = CONTRACT_CORRELATION
    law_variance = float(np.sum(variance * np.exp(2 * shift)) + rho * np.sum(law_width) ** 2 + (1 - rho) * np.sum(law_width**2))
    low, high = (
        (float(end[0]) for end in gamma_interval(np.array([np.sum(law_mean)]), np.array([law_variance]))) if guess > 0 else (0.0, 0.0)
    )
    full = np.array([r in ("latest_per_second", "undisclosed") and f > FULLEST for r, f in zip(rules, fullness, strict=True)], dtype=bool)
    unbounded = bool(full.any())
    if unbounded and guess > 0:  # nothing tells how bursts went there: the low end is that of plain chance
        least = sum(contracts[f"least_{s}"].to_numpy() for s in sides)
        share = np.divide(least, mean, out=np.zeros(len(contracts)), where=mean > 0)
        spread = np.where(full, variance * share**2, variance * np.exp(2 * shift))
        wide = np.where(full, 0.0, law_width)
        spread_sum = float(np.sum(spread) + rho * np.sum(wide) ** 2 + (1 - rho) * np.sum(wide**2))
        plain = float(gamma_interval(np.array([max(np.sum(np.where(full, least, law_mean)), 1e-9)]), np.array([spread_sum]))[0][0])
        low = min(low, plain)
    unseen = tuple(sorted({v for v, r in zip(contracts["venue"], rules, strict=True) if r not in COMPLETE + THROTTLED}))
    throttled = np.array([r in THROTTLED for r in rules], dtype=bool)
    hidden_sum = float(np.sum(total_hidden))
    status: Status = "floor" if unbounded or unseen else "estimated" if throttled.any() else "measured"
    return Estimate(
        side=side, observed_usd=floor, estimate_usd=floor + min(max(guess, low), high), low_usd=floor + low,
        high_usd=None if unbounded else floor + high, saturation=float(contracts["fullness"].sum()) / hidden_sum if hidden_sum else 0.0,
        seconds_at_cap=int(contracts["at_cap"].to_numpy()[throttled].sum()) if len(contracts) else 0, status=status,
        method="; ".join(METHODS.get(rule, rule) for rule in sorted(set(rules))), unseen=unseen,
    )  # fmt: skip


def gamma_interval(mean: Floats, variance: Floats, level: float = 0.9) -> tuple[Floats, Floats]:
    """Return the central interval of gamma laws of these means (above 0) and variances."""
    shape = np.maximum(mean * mean / np.maximum(variance, 1e-12), 1e-3)
    low, high = (gammaincinv(shape, tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    return low * mean / shape, high * mean / shape


class LongShare(msgspec.Struct, frozen=True):
    """The long share of what was liquidated: as seen, corrected, its 90 % interval, and the points the cap explains."""

    raw: float | None
    corrected: float | None
    low: float | None
    high: float | None
    cap_points: float | None


def long_share(contracts: pl.DataFrame) -> LongShare:
    """Return the long share raw and corrected; None throughout when nothing was liquidated. The interval takes the sides' ends together."""
    longs, shorts = estimate(contracts, "long"), estimate(contracts, "short")
    if longs.observed_usd + shorts.observed_usd == 0:
        return LongShare(None, None, None, None, None)
    raw = longs.observed_usd / (longs.observed_usd + shorts.observed_usd)
    corrected = longs.estimate_usd / (longs.estimate_usd + shorts.estimate_usd)
    low = None if shorts.high_usd is None else longs.low_usd / (longs.low_usd + shorts.high_usd) if longs.low_usd else 0.0
    high = None if longs.high_usd is None else longs.high_usd / (longs.high_usd + shorts.low_usd) if longs.high_usd else 0.0
    return LongShare(raw, corrected, low, high, (corrected - raw) * 100)


def interval_score(truth: Floats, low: Floats, high: Floats, level: float = 0.9) -> Floats:
    """Return the interval score (Gneiting and Raftery 2007), smaller is better: width, plus 2/α times what falls outside."""
    alpha = 1 - level
    score: Floats = (high - low) + 2 / alpha * (np.maximum(low - truth, 0) + np.maximum(truth - high, 0))
    return score


def total(contracts: pl.DataFrame, by: Literal["venue", "base"] | None = None) -> dict[str, tuple[Estimate, Estimate, Estimate]]:
    """Return (both, long, short) estimates by venue or base, or of all under ""."""
    groups: Sequence[tuple[str, pl.DataFrame]] = (
        [("", contracts)] if by is None else [(str(name), rows) for (name,), rows in contracts.group_by([by], maintain_order=True)]
    )
    return {name: (estimate(rows), estimate(rows, "long"), estimate(rows, "short")) for name, rows in groups}
