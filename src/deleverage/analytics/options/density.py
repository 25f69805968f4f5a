"""What option prices say of where the price may be: its density, and the chances of finishing beyond, touching and never leaving levels.

All of it is under the forward measure: what the chain charges, with its premium for risk, and not how often it happens; every
result carries `RISK_NEUTRAL`, and whoever shows a result shows that too. Touching is not given by the prices of options that pay at
expiry: it comes as a range between models that agree on those.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from deleverage.analytics.options import local_volatility
from deleverage.analytics.options.local_volatility import Law
from deleverage.analytics.options.smile import Surface
from deleverage.analytics.options.touch import flat_stay, flat_touch, watched
from deleverage.errors import BadInput

Floats = NDArray[np.float64]
RISK_NEUTRAL = "Risk-neutral: the chances option prices charge for, premium for risk included; not the real-world probability."
LEAST_VARIANCE = 1e-9
ROOT = np.sqrt(2 * np.pi)
TAIL = 1e-6
REACHES = (4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 24.0)


class Density(msgspec.Struct, frozen=True):
    """The law of the price after `years`: `density` per USD and `below` = P(S < strike) at each of `strikes` (USD).

    `mass` and `mean` are integrals over the strikes shown: 1 and the forward, less what lies outside. `least` below 0 says that the fit
    has arbitrage there. `is_extrapolated`: later than the last expiry, with its volatility.
    """

    years: float
    forward: float
    strikes: Floats
    density: Floats
    below: Floats
    mass: float
    mean: float
    least: float
    is_extrapolated: bool
    reminder: str = RISK_NEUTRAL


class Touch(msgspec.Struct, frozen=True):
    """Chances by `years` of a `level` (USD; `side` of spot it is on), all 0 to 1.

    `finish`: beyond it at the end, by the smile; `finish_naive`: N(d2) at the level's own volatility, which forgets the slope of the
    smile. Touching: one volatility (`flat_atm`, `flat_level`), the fitted surface (`local_volatility`), and as a rule of thumb
    `twice_digital`, 2·finish. `low` to `high` is the range of the first three, never below `finish`. `watched_every`: years between
    looks, None for always. `clipped`: share of the grid where the surface allowed no local volatility, above 0 with arbitrage.
    """

    level: float
    years: float
    side: str
    finish: float
    finish_naive: float
    flat_atm: float
    flat_level: float
    local_volatility: float
    twice_digital: float
    low: float
    high: float
    watched_every: float | None
    clipped: float
    is_extrapolated: bool
    reminder: str = RISK_NEUTRAL


class Corridor(msgspec.Struct, frozen=True):
    """Chance of never leaving (`low`, `high`) in `years`, watched always, under one volatility and under local volatility; of finishing
    inside, by the smile."""

    low: float
    high: float
    years: float
    stay_flat: float
    stay_local_volatility: float
    finish_inside: float
    clipped: float
    is_extrapolated: bool
    reminder: str = RISK_NEUTRAL


def law(surface: Surface, spot: float | None = None) -> Law:
    """Return a surface as the arrays used here; `spot` (USD) is the price that may touch, None: the first forward.

    Raises BadInput for a surface without slices.
    """
    if not surface.slices:
        raise BadInput("the surface has no expiry: no quote of the chain was clean")
    slices = surface.slices
    years, forwards = np.array([s.years for s in slices]), np.array([s.forward for s in slices])
    return Law(years, np.array([s.svi for s in slices], dtype=np.float64), np.log(forwards), spot or float(forwards[0]))


def finish_below(law: Law, level: ArrayLike, years: float) -> Floats:
    """Return P(S < level) after `years` by the smile: 1 + dC/dK = N(-d2) + n(d2)·d(sigma√T)/dk, in [0, 1]; NaN unless level > 0."""
    levels = np.asarray(level, dtype=np.float64)
    usable = levels > 0
    k = np.log(np.where(usable, levels, 1.0)) - local_volatility.log_forward(law, _checked(years))
    w, slope, _, _ = local_volatility.variances(law, np.atleast_1d(k).ravel(), years)
    sd = np.sqrt(np.maximum(w, LEAST_VARIANCE))
    d2 = -np.atleast_1d(k).ravel() / sd - sd / 2
    found = ndtr(-d2) + np.exp(-d2 * d2 / 2) / ROOT * slope / (2 * sd)
    return np.where(usable, np.clip(found, 0.0, 1.0).reshape(levels.shape), np.nan)


def density(law: Law, years: float, strikes: Floats | None = None) -> Density:
    """Return the density after `years`: f(K) = g(k)·n(d2)/(K·√w), from the fit itself, so that no differences of prices are taken.

    `strikes` increase; without them 801 even in log, out to where a millionth is left (at most 24 at-the-money standard deviations).
    Cost: one pass over the strikes. Fails in the wings beyond the last strike quoted, where it is the fit that speaks. Breeden and
    Litzenberger (1978); Gatheral and Jacquier (2014) for g.
    """
    mid = local_volatility.log_forward(law, _checked(years))
    if strikes is None:
        unit = float(np.sqrt(max(local_volatility.variances(law, np.zeros(1), years)[0][0], LEAST_VARIANCE)))
        down, up = (next((z for z in REACHES if _tail(law, mid, years, sign * z * unit) < TAIL), REACHES[-1]) * unit for sign in (-1, 1))
        strikes = np.exp(np.linspace(mid - down, mid + up, 801))
    k = np.log(strikes) - mid
    w, slope, curve, _ = local_volatility.variances(law, k, years)
    w = np.maximum(w, LEAST_VARIANCE)
    g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + curve / 2
    sd = np.sqrt(w)
    d2 = -k / sd - sd / 2
    found = g * np.exp(-d2 * d2 / 2) / (ROOT * sd * strikes)
    mass, mean = float(np.trapezoid(found, strikes)), float(np.trapezoid(found * strikes, strikes))
    below = finish_below(law, strikes, years)
    return Density(years, float(np.exp(mid)), strikes, found, below, mass, mean, float(found.min()), _is_late(law, years))


def touch(law: Law, level: float, years: float, *, every: float | None = None, grid: tuple[int, int] = (400, 200)) -> Touch:
    """Return the chances of finishing beyond and of touching `level` by `years`.

    `every`: years between looks at the price (`DAILY`, `HOURLY` of `touch`): barriers move away (Broadie, Glasserman and Kou 1997).
    Flat models: one volatility to the date, at the money or at the level, and the carry of the forward. `grid` of local volatility:
    (nodes, steps); 400 × 200 is within 1e-5 of 1600 × 1600 on the smiles tried. Raises BadInput for a level or time not above 0.
    """
    if not level > 0:
        raise BadInput(f"a level is a price above 0, not {level}")
    mid = local_volatility.log_forward(law, _checked(years))
    is_below = level < law.spot
    sign = 1.0 if is_below else -1.0
    k = np.array([0.0, np.log(level) - mid])
    w = np.maximum(local_volatility.variances(law, k, years)[0], LEAST_VARIANCE)
    flat_vol, level_vol = np.sqrt(w / years)
    below = float(finish_below(law, level, years))
    carry = (mid - float(np.log(law.spot))) / years
    naive = float(ndtr(sign * (k[1] / np.sqrt(w[1]) + np.sqrt(w[1]) / 2)))
    at_atm, at_level = (float(watched(level, law.spot, v, every)) if every else level for v in (flat_vol, level_vol))
    flat_atm = float(flat_touch(law.spot, at_atm, years, flat_vol, carry))
    flat_level = float(flat_touch(law.spot, at_level, years, level_vol, carry))
    solved = local_volatility.touch(law, at_level, years, grid)
    finish = below if is_below else 1 - below
    models = [flat_atm, flat_level, solved.probability]
    return Touch(
        level, years, "down" if is_below else "up", finish, naive, flat_atm, flat_level, solved.probability, min(2 * finish, 1.0),
        max(min(models), finish), max(*models, finish), every, solved.clipped, _is_late(law, years),
    )  # fmt: skip


def corridor(law: Law, low: float, high: float, years: float, *, grid: tuple[int, int] = (400, 200)) -> Corridor:
    """Return the chance of never leaving (low, high) within `years`. Raises BadInput unless 0 < low < high and years > 0."""
    if not 0 < low < high:
        raise BadInput(f"a corridor runs from a lower price above 0 to a higher one, not from {low} to {high}")
    mid = local_volatility.log_forward(law, _checked(years))
    vol = float(np.sqrt(max(local_volatility.variances(law, np.zeros(1), years)[0][0], LEAST_VARIANCE) / years))
    flat = flat_stay(law.spot, low, high, years, vol, (mid - float(np.log(law.spot))) / years)
    solved = local_volatility.stay(law, low, high, years, grid)
    below, above = finish_below(law, np.array([low, high]), years)
    return Corridor(low, high, years, flat, solved.probability, float(above - below), solved.clipped, _is_late(law, years))


def touches(law: Law, levels: Sequence[float] | Floats, years: Sequence[float] | Floats, *, every: float | None = None) -> pl.DataFrame:
    """Return `touch` of each level by each date as rows with the fields of `Touch` but the reminder, which is `RISK_NEUTRAL` for all."""
    rows = [touch(law, float(level), float(t), every=every) for t in years for level in levels]
    names = [name for name in Touch.__struct_fields__ if name != "reminder"]
    numbers = pl.Float64()
    types = {"side": pl.String(), "is_extrapolated": pl.Boolean()}
    schema = {name: types.get(name, numbers) for name in names}
    return pl.DataFrame([[getattr(row, name) for name in names] for row in rows], schema=schema, orient="row")


def _checked(years: float) -> float:
    if not years > 0:
        raise BadInput(f"a date must lie ahead: {years} years is not above 0")
    return float(years)


def _tail(law: Law, mid: float, years: float, k: float) -> float:
    """Chance of finishing beyond log moneyness k, away from the middle."""
    below = float(finish_below(law, np.exp(mid + k), years))
    return below if k < 0 else 1 - below


def _is_late(law: Law, years: float) -> bool:
    return bool(years > law.years[-1])
