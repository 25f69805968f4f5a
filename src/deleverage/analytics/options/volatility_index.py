"""A 30-day volatility index from one option chain, by the method of Deribit's DVOL as far as it is documented.

The published rules leave open how deep a quote must be and which quotes are dropped; `Rules` holds what was left open, because the wings
decide more points than anything else. The raw index is one instant; the published one is the interquartile mean of its last 120 seconds.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from deleverage.analytics.options.black76 import price
from deleverage.errors import BadInput

if TYPE_CHECKING:
    from deleverage.analytics.options.chain import Chain
    from deleverage.analytics.options.smile import Surface

Floats = NDArray[np.float64]
Prices = Literal["mid", "clean", "mark", "smile"]
DAYS = 30.0
YEAR_DAYS = 365.0


class Rules(NamedTuple):
    """What the published method leaves open. The defaults take every listed strike with a price, and every listed expiry.

    `widest`: largest spread as a share of the mid (None: any). `empty_run`: walking out from the money, stop after so many strikes in a row
    without a price (0: never). `low`, `high`: only strikes of low·F to high·F. `cheapest`: smallest price as a share of the forward.
    `own_forward`: parity from the same prices; otherwise the chain's forward. `fewest`: out-of-the-money prices an expiry must have.
    `least_days`, `least_ratio`: an expiry counts from so many days on, and when its lowest strike lies at or below least_ratio·F.
    """

    widest: float | None = None
    empty_run: int = 0
    low: float = 0.0
    high: float = np.inf
    cheapest: float = 0.0
    own_forward: bool = True
    fewest: int = 3
    least_days: float = 0.0
    least_ratio: float = np.inf


DEFAULT = Rules()
MATCHED = Rules(cheapest=0.0018)
"""The wing rule nearest to the published index on six chains of one calm fortnight (docs/methods/volatility-index.md): a calibration, not
part of the method. A floor on price moves out with volatility, as a floor on the strike would not."""


class Leg(msgspec.Struct, frozen=True):
    """One expiry's part: `expiry` ns UTC, forward and cut-off strike K0 in USD, strikes that entered, the lowest and highest of them (a
    continuous strip has none: 0 and None), sigma² per year, and the weight of its total variance in the index."""

    expiry: int
    years: float
    forward: float
    cutoff: float | None
    strikes: int
    low_strike: float | None
    high_strike: float | None
    variance: float
    weight: float


class Index(msgspec.Struct, frozen=True):
    """The raw index of one instant in points (58.4 is 58.4 % a year), with both legs. `reasons`: why expiries were passed over, and,
    where `points` is None, why there is no index."""

    at: int
    base: str
    prices: Prices
    points: float | None
    near: Leg | None
    next: Leg | None
    reasons: tuple[str, ...] = ()


# --- one expiry, plain arrays --------------------------------------------------------------------------------------------------


def parity_forward(strikes: ArrayLike, calls: ArrayLike, puts: ArrayLike) -> float | None:
    """Return K + C - P at the strike of least |C - P|, the mean on ties; None under two strikes with both. USD, NaN is no price."""
    k, c, p = (np.asarray(v, dtype=np.float64) for v in (strikes, calls, puts))
    both = np.isfinite(c) & np.isfinite(p)
    if both.sum() < 2:
        return None
    apart = np.abs(c - p)[both]
    nearest = apart <= apart.min() * (1 + 1e-12)
    return float(np.mean((k + c - p)[both][nearest]))


def cutoff_strike(strikes: ArrayLike, calls: ArrayLike, puts: ArrayLike, forward: float) -> float | None:
    """Return K0, the highest strike at or below the forward with a call and a put; None where there is none."""
    k, c, p = (np.asarray(v, dtype=np.float64) for v in (strikes, calls, puts))
    fit = np.isfinite(c) & np.isfinite(p) & (k <= forward)
    return float(k[fit].max()) if fit.any() else None


def out_of_the_money(strikes: ArrayLike, calls: ArrayLike, puts: ArrayLike, cutoff: float) -> tuple[Floats, Floats]:
    """Return the strikes, ascending, and prices that enter: puts below K0, calls above, their mean at K0. Missing prices are left out."""
    k, c, p = (np.asarray(v, dtype=np.float64) for v in (strikes, calls, puts))
    q = np.where(k < cutoff, p, np.where(k > cutoff, c, (c + p) / 2))
    order = np.argsort(k, kind="stable")
    known = order[np.isfinite(q[order])]
    return k[known], q[known]


def widths(strikes: ArrayLike) -> Floats:
    """Return half the gap between each strike's neighbours; at the ends the whole gap to the only one. BadInput under two strikes."""
    k = np.asarray(strikes, dtype=np.float64)
    if len(k) < 2:
        raise BadInput("the width of a strike needs a second strike")
    return np.concatenate([[k[1] - k[0]], (k[2:] - k[:-2]) / 2, [k[-1] - k[-2]]])


def strip_variance(strikes: ArrayLike, prices: ArrayLike, forward: float, cutoff: float, years: float) -> float:
    """Return sigma² per year of listed strikes: (2/T)·Σ dK/K²·Q(K) - (F/K0 - 1)²/T, rate 0. Strikes ascending, prices in USD."""
    k, q = np.asarray(strikes, dtype=np.float64), np.asarray(prices, dtype=np.float64)
    return float(2 / years * (widths(k) / k**2 * q).sum() - (forward / cutoff - 1) ** 2 / years)


def continuous_variance(total_variance: Callable[[Floats], Floats], years: float, reach: float = 20.0, points: int = 4001) -> float:
    """Return sigma² per year of a strip of every strike priced by a smile w(k), k = ln(K/F), out to `reach` at-the-money deviations.

    The sum over strikes becomes (2/T)∫ Q(k)/(F·e^k) dk, by Simpson's rule on each side of the money, where the integrand has its kink.
    """
    from scipy.integrate import simpson  # nothing else here needs it

    edge = max(reach * float(np.sqrt(total_variance(np.zeros(1))[0])), 0.5)
    total = 0.0
    for side in (-1.0, 1.0):
        k = np.linspace(0.0, side * edge, points)
        value = price(1.0, np.exp(k), 1.0, np.sqrt(total_variance(k)), side > 0)
        total += float(simpson(value * np.exp(-k), x=np.abs(k)))
    return 2 / years * total


# --- two expiries ------------------------------------------------------------------------------------------------------------


def weights(near_years: float, next_years: float, days: float = DAYS) -> tuple[float, float]:
    """Return the weights of the near and next total variance at `days`. BadInput unless they straddle it (near at or before)."""
    goal = days / YEAR_DAYS
    if not near_years <= goal < next_years:
        raise BadInput(f"expiries in {near_years * YEAR_DAYS:.2f} and {next_years * YEAR_DAYS:.2f} days do not straddle {days:g}")
    return (next_years - goal) / (next_years - near_years), (goal - near_years) / (next_years - near_years)


def interpolated(near_variance: float, near_years: float, next_variance: float, next_years: float, days: float = DAYS) -> float:
    """Return the index in points: 100·sqrt of the total variance at `days`, linear in time, per year."""
    a, b = weights(near_years, next_years, days)
    return float(100 * np.sqrt((a * near_years * near_variance + b * next_years * next_variance) * YEAR_DAYS / days))


def straddling(years: Sequence[float], days: float = DAYS) -> tuple[int, int] | None:
    """Return the positions of the last expiry at or before `days` and of the first after; None where a side has none."""
    goal = days / YEAR_DAYS
    before = [i for i, t in enumerate(years) if 0 < t <= goal]
    after = [i for i, t in enumerate(years) if t > goal]
    return (max(before, key=lambda i: years[i]), min(after, key=lambda i: years[i])) if before and after else None


def interquartile_mean(raw: ArrayLike, last: int = 120) -> float | None:
    """Return the mean of the middle half of the last `last` raw points, as published values are: the lowest and highest quarter go.

    Quarters are rounded down. NaN is a second without a value and is left out; None where nothing is left.

    >>> round(interquartile_mean([60, 60.2, 60.1, 59.9, 75, 60.3, 60.1, 60, 45, 60.2, 60.1, 60]), 6)
    60.083333
    """
    tail = np.asarray(raw, dtype=np.float64)[-last:]
    known = np.sort(tail[np.isfinite(tail)])
    cut = len(known) // 4
    return float(known[cut : len(known) - cut].mean()) if len(known) else None


# --- a chain -----------------------------------------------------------------------------------------------------------------


def _gated(strikes: Floats, prices: Floats, forward: float, rules: Rules, outward: Literal[-1, 1]) -> Floats:
    """Prices of one side, NaN where the rules drop them."""
    inside = (strikes >= rules.low * forward) & (strikes <= rules.high * forward)
    kept = np.where((prices >= rules.cheapest * forward) & inside, prices, np.nan)
    if not rules.empty_run:
        return kept
    wing = np.flatnonzero(strikes * outward > forward * outward)[::outward]
    missing = 0
    for position, i in enumerate(wing):
        missing = missing + 1 if np.isnan(kept[i]) else 0
        if missing == rules.empty_run:
            kept[wing[position:]] = np.nan
            break
    return kept


def _prices(options: pl.DataFrame, option_type: str, prices: Prices, rules: Rules) -> pl.DataFrame:
    """Strike and price of one side, the mean over contracts of a strike; a mid needs a bid and an ask above zero, neither stale."""
    quoted = (pl.col("bid") > 0) & (pl.col("ask") >= pl.col("bid"))
    mid = (pl.col("bid") + pl.col("ask")) / 2
    if rules.widest is not None:
        quoted &= pl.col("ask") - pl.col("bid") <= rules.widest * mid
    if prices == "clean":
        quoted &= pl.col("iv").is_not_null()
    value = pl.col("mark") if prices == "mark" else pl.when(quoted).then(mid)
    side = options.filter((pl.col("option_type") == option_type) & (pl.col("why_not") != "stale"))
    return side.group_by("strike").agg(value.mean().alias(option_type))


def _listed_leg(options: pl.DataFrame, prices: Prices, forward: float, rules: Rules) -> Leg | str:
    """The part of one expiry from listed strikes, or why it has none. `weight` is filled in later."""
    sides = (_prices(options, kind, prices, rules) for kind in ("call", "put"))
    strips = next(sides).join(next(sides), on="strike", how="full", coalesce=True).sort("strike")
    k, c, p = (strips[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("strike", "call", "put"))
    if rules.least_ratio * forward < k.min():
        return f"the lowest strike {k.min():g} lies above {rules.least_ratio:g} of the forward"
    own = parity_forward(k, c, p) if rules.own_forward else forward
    if own is None:
        return "fewer than two strikes with both a call and a put price"
    cutoff = cutoff_strike(k, c, p, own)
    if cutoff is None:
        return "no strike at or below the forward has both prices"
    strikes, q = out_of_the_money(k, _gated(k, c, own, rules, 1), _gated(k, p, own, rules, -1), cutoff)
    if len(strikes) < max(rules.fewest, 2):
        return f"{len(strikes)} out-of-the-money prices, fewer than {max(rules.fewest, 2)}"
    years, expiry = float(options["years"][0]), int(options["expiry"][0])
    variance = strip_variance(strikes, q, own, cutoff, years)
    return Leg(expiry, years, own, cutoff, len(strikes), float(strikes[0]), float(strikes[-1]), variance, 0.0)


def _smile_leg(surface: "Surface", expiry: int) -> Leg | str:
    for piece in surface.slices:
        if piece.expiry == expiry:
            variance = continuous_variance(piece.total_variance, piece.years)
            return Leg(expiry, piece.years, piece.forward, None, 0, None, None, variance, 0.0)
    return "no fitted smile"


def from_chain(
    chain: "Chain", *, prices: Prices = "mid", days: float = DAYS, rules: Rules = DEFAULT, surface: "Surface | None" = None,
) -> Index:  # fmt: skip
    """Return the raw index of a chain from two-sided `mid`s, those of `clean` quotes, the venue's `mark`s, or the fitted `smile`.

    The nearest expiry that gives a variance on each side of `days` is used; one passed over is named with its reason.
    `smile` needs `surface` of the same chain, else BadInput. Rate 0, years of 365 days.
    """
    if prices == "smile" and surface is None:
        raise BadInput("an index from the smile needs the fitted surface")
    forwards = {f.expiry: f for f in chain.forwards}
    goal = days / YEAR_DAYS
    reasons: list[str] = []
    legs: list[Leg | None] = [None, None]
    ordered = sorted((f for f in chain.forwards if f.years > 0), key=lambda f: abs(f.years - goal))
    by_expiry = {int(key[0]): rows for key, rows in chain.options.group_by(["expiry"])}
    for forward in ordered:
        side = 0 if forward.years <= goal else 1
        if legs[side] is not None or forward.expiry not in by_expiry:
            continue
        if forward.years * YEAR_DAYS < rules.least_days:
            found: Leg | str = f"expires within {rules.least_days:g} days"
        elif prices == "smile" and surface is not None:
            found = _smile_leg(surface, forward.expiry)
        else:
            found = _listed_leg(by_expiry[forward.expiry], prices, forwards[forward.expiry].price, rules)
        if isinstance(found, str):
            reasons.append(f"expiry in {forward.years * YEAR_DAYS:.2f} d: {found}")
        else:
            legs[side] = found
    near, after = legs
    if near is None or after is None:
        missing = " or ".join(name for name, leg in ((f"at or before {days:g} days", near), (f"after {days:g} days", after)) if leg is None)
        return Index(chain.at, chain.base, prices, None, near, after, (*reasons, f"no usable expiry {missing}"))
    a, b = weights(near.years, after.years, days)
    total = a * near.years * near.variance + b * after.years * after.variance
    near, after = msgspec.structs.replace(near, weight=a), msgspec.structs.replace(after, weight=b)
    if total <= 0:
        return Index(chain.at, chain.base, prices, None, near, after, (*reasons, "the interpolated variance is not above zero"))
    return Index(chain.at, chain.base, prices, float(100 * np.sqrt(total / goal)), near, after, tuple(reasons))
