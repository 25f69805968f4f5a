"""What dealers must trade to stay hedged: gamma, vanna and charm by strike and expiry under several assumptions of who holds what.

Open interest says how much is held, never by whom. The same contracts under two sign conventions have flip levels thousands of dollars
apart, so every number here stands beside its convention, and a word for the whole only where all of them agree.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq

from deleverage.analytics.options import black76
from deleverage.analytics.options.dealer_flow import Flow, infer
from deleverage.analytics.options.smile import Surface
from deleverage.errors import BadInput

Floats = NDArray[np.float64]
Regime = Literal["dealers short gamma", "dealers long gamma", "conventions disagree"]
ROOT = np.sqrt(2 * np.pi)
ROUND_OFF = 1e-12
"""Share of the gross exposure below which the net is nothing but rounding."""
LOW, HIGH = 0.05, 0.95
"""Quantiles of every band."""
ABOUT = {
    "equity": "dealers long every call and short every put: the habit of equity indices, where customers sell calls and buy puts",
    "short_everything": "dealers short every option: customers only buy; the most short gamma that the open interest allows",
    "flow": "dealers hold minus what takers bought, by the signed trades seen, with an error rate of the sign",
}
STICKY = "each strike keeps its volatility as the price moves; forwards move in proportion; time stands still"


class Book(NamedTuple):
    """Contracts as arrays of one length: expiry ns UTC, strike and forward USD, volatility decimal, open interest in base coins.

    `left_out`: listed contracts without a volatility or open interest; `left_out_share`: their part of the open interest.
    """

    symbol: pl.Series
    expiry: NDArray[np.int64]
    strike: Floats
    years: Floats
    forward: Floats
    volatility: Floats
    is_call: NDArray[np.bool_]
    open_interest: Floats
    left_out: int = 0
    left_out_share: float = 0.0


class Flip(NamedTuple):
    """A price at which exposure changes sign; `to_long`: long gamma above it. `low` and `high` (5 to 95 %) among the `share` of draws
    that have such a flip nearer to this than to the next; None without draws."""

    price: float
    to_long: bool
    low: float | None
    high: float | None
    share: float | None


class Zone(NamedTuple):
    """Prices at which dealers are short gamma, ends exclusive; None where it goes on beyond the grid."""

    low: float | None
    high: float | None


class Convention(msgspec.Struct, frozen=True):
    """Exposure under one convention. `gamma_usd`: USD that dealers must sell per rise of 1 % from spot to stay hedged (below 0: buy);
    `vanna` base coins of delta per volatility point, `charm` base coins of delta per day. `curve`: gamma_usd at each of the prices.
    Bands, 5 to 95 %, come from draws of positions; None without. `about`: the assumption in words."""

    name: str
    about: str
    position: Floats
    gamma_usd: float
    gamma_low: float | None
    gamma_high: float | None
    vanna: float
    charm: float
    curve: Floats
    curve_low: Floats | None
    curve_high: Floats | None
    flips: tuple[Flip, ...]
    short_zones: tuple[Zone, ...]


class Exposure(msgspec.Struct, frozen=True):
    """All conventions side by side at `spot` and over `prices` (USD). `strikes`: rows of convention, expiry, strike with open_interest,
    position, gamma_usd, vanna, charm; sums over rows are sums of exposure. `regime` holds for spot: None where nobody holds anything."""

    spot: float
    prices: Floats
    conventions: tuple[Convention, ...]
    strikes: pl.DataFrame
    regime: Regime | None
    flow: Flow | None
    left_out: int
    left_out_share: float
    assumption: str = STICKY


def book(options: pl.DataFrame, surface: Surface | None = None) -> Book:
    """Take the contracts with open interest out of `Chain.options`: volatility is the surface's where it has the expiry, else `iv`, else
    the venue's `mark_iv`.

    Nothing is filled in: a contract without a volatility or open interest is left out and counted. Raises BadInput for a missing column.
    """
    needed = {"symbol", "expiry", "strike", "option_type", "years", "forward", "iv", "mark_iv", "open_interest"} - set(options.columns)
    if needed:
        raise BadInput(f"options lack the columns {', '.join(sorted(needed))}")
    fitted = np.full(len(options), np.nan)
    for one in () if surface is None else surface.slices:
        of = (options["expiry"] == one.expiry).to_numpy()
        fitted[of] = one.volatility(options["strike"].to_numpy()[of])
    rows = options.with_columns(volatility=pl.coalesce(pl.Series(fitted).fill_nan(None), pl.col("iv", "mark_iv").fill_nan(None)))
    usable = pl.all_horizontal(pl.col("volatility", "years", "forward") > 0, pl.col("open_interest").is_not_null()).fill_null(False)
    kept = rows.filter(usable)
    whole, inside = (float(frame["open_interest"].fill_nan(0.0).sum()) for frame in (rows, kept))
    volatility, years, forward, strike, interest = (
        kept[name].to_numpy() for name in ("volatility", "years", "forward", "strike", "open_interest")
    )
    return Book(
        kept["symbol"], kept["expiry"].to_numpy(), strike, years, forward, volatility, (kept["option_type"] == "call").to_numpy(), interest,
        len(rows) - len(kept), 1 - inside / whole if whole else 0.0,
    )  # fmt: skip


def unit_gamma(contracts: Book, spot: float, prices: Floats) -> Floats:
    """Return (prices, contracts): USD of delta that one coin of each contract, held long, gains per 1 % at each price: 0.01·F²·Gamma.

    Sticky strikes: see `STICKY`. Cost: one exponential per cell.
    """
    sd = contracts.volatility * np.sqrt(contracts.years)
    base = np.log(contracts.forward / contracts.strike) / sd + sd / 2
    moved = np.log(prices / spot)
    d1 = moved[:, None] / sd
    d1 += base
    np.square(d1, out=d1)
    d1 *= -0.5
    with np.errstate(under="ignore"):
        np.exp(d1, out=d1)
        d1 *= 0.01 * contracts.forward / (ROOT * sd)
        d1 *= (prices / spot)[:, None]
    return d1


def profile(contracts: Book, positions: Floats, spot: float, prices: Floats) -> Floats:
    """Return dealers' gamma in USD per 1 % at each price for each row of `positions` (..., contracts): shape (..., prices)."""
    return np.asarray(positions @ unit_gamma(contracts, spot, prices).T)


def conventions(contracts: Book) -> dict[str, Floats]:
    """Return dealers' positions (base coins, + long) under the conventions that need nothing but open interest."""
    return {
        "equity": np.where(contracts.is_call, contracts.open_interest, -contracts.open_interest),
        "short_everything": -contracts.open_interest,
    }


def exposure(
    contracts: Book, spot: float, positions: Mapping[str, Floats], *, draws: Mapping[str, Floats] | None = None,
    prices: Floats | None = None, flow: Flow | None = None,
) -> Exposure:  # fmt: skip
    """Return exposures at `spot` (USD) for each named row of `positions` (base coins, + long), with bands where it has `draws`.

    `prices` increase; without them 121 even ones from 0.7 to 1.3 of spot. Flips and zones are those on the grid, flips between two of its
    prices solved for; two flips between neighbours stay unseen. Assumes black76 and that hedgers hedge all the time. Raises BadInput for a
    spot not above 0.
    """
    if not spot > 0:
        raise BadInput(f"spot is a price above 0, not {spot}")
    grid = np.linspace(0.7, 1.3, 121) * spot if prices is None else np.asarray(prices, dtype=np.float64)
    units = unit_gamma(contracts, spot, np.append(grid, spot))
    here = black76.greeks(contracts.forward, contracts.strike, contracts.years, contracts.volatility, contracts.is_call)
    each = {"gamma_usd": units[-1], "vanna": here.vanna / 100, "charm": here.charm / 365}
    found, tables = [], []
    for name, position in positions.items():
        curve = units @ position
        curve[np.abs(curve) <= ROUND_OFF * (units @ np.abs(position))] = 0.0
        drawn = None if draws is None or name not in draws else draws[name] @ units.T
        low, high = (None, None) if drawn is None else np.quantile(drawn, [LOW, HIGH], axis=0)
        prices_at = _roots(contracts, position, spot, grid, curve[:-1])
        found.append(
            Convention(
                name, ABOUT.get(name, name), position, float(curve[-1]), None if low is None else float(low[-1]),
                None if high is None else float(high[-1]), float(position @ each["vanna"]), float(position @ each["charm"]), curve[:-1],
                None if low is None else low[:-1], None if high is None else high[:-1],
                _flips(prices_at, grid, None if drawn is None else drawn[:, :-1]), _zones(prices_at, curve[:-1]),
            )
        )  # fmt: skip
        columns = {"expiry": contracts.expiry, "strike": contracts.strike, "open_interest": contracts.open_interest, "position": position}
        rows = pl.DataFrame(columns | {key: position * value for key, value in each.items()})
        sums = rows.group_by("expiry", "strike").agg(pl.all().sum()).sort("expiry", "strike")
        tables.append(sums.select(pl.lit(name).alias("convention"), pl.all()))
    strikes = pl.concat(tables) if tables else pl.DataFrame()
    return Exposure(spot, grid, tuple(found), strikes, regime(found), flow, contracts.left_out, contracts.left_out_share)


def dealers(
    options: pl.DataFrame, spot: float, *, surface: Surface | None = None, trades: pl.DataFrame | None = None, at: int | None = None,
    rng: np.random.Generator | None = None, error_rate: float = 0.15, draws: int = 200, since: int | None = None,
    prices: Floats | None = None,
) -> Exposure:  # fmt: skip
    """Return the exposures of `Chain.options` under equity, short_everything and, with signed `trades` until `at` (ns UTC), flow.

    See `book` for `surface` and `dealer_flow.infer` for the trades; `rng` (needed with trades) makes the draws. Raises
    BadInput where `at` or `rng` is missing.
    """
    contracts = book(options, surface)
    positions = conventions(contracts)
    if trades is None:
        return exposure(contracts, spot, positions, prices=prices)
    if at is None or rng is None:
        raise BadInput("exposure by flow needs the instant of the chain and a random generator")
    names = ["symbol", "open_interest", *(["listed_at"] if "listed_at" in options.columns else [])]
    asked = contracts.symbol.to_frame("symbol").join(options.select(names), on="symbol", how="left", maintain_order="left")
    flow = infer(asked, trades, at, rng=rng, error_rate=error_rate, draws=draws, since=since)
    return exposure(contracts, spot, positions | {"flow": flow.position}, draws={"flow": flow.draws}, prices=prices, flow=flow)


def regime(found: list[Convention]) -> Regime | None:
    """Return the word for spot that every convention supports, its whole band on one side; one without exposure has no say.

    With short_everything among them "long" never comes: nobody can know that customers do not hold it all.
    """
    signs = set()
    for one in found:
        ends = [one.gamma_usd, *(z for z in (one.gamma_low, one.gamma_high) if z is not None)]
        if any(ends):
            signs |= {float(np.sign(z)) for z in ends}
    if not signs:
        return None
    return "dealers short gamma" if signs == {-1.0} else "dealers long gamma" if signs == {1.0} else "conventions disagree"


def _roots(contracts: Book, position: Floats, spot: float, grid: Floats, curve: Floats) -> list[tuple[float, bool]]:
    """Prices at which the curve changes sign, solved within their cell, and whether it rises there."""

    def at(price: float) -> float:
        return float(profile(contracts, position, spot, np.array([price]))[0])

    found = []
    for i in np.flatnonzero(np.sign(curve[:-1]) * np.sign(curve[1:]) < 0):
        found.append((float(brentq(at, grid[i], grid[i + 1], xtol=1e-11 * spot, rtol=1e-12)), bool(curve[i + 1] > 0)))
    for i in np.flatnonzero((curve[1:-1] == 0) & (np.sign(curve[:-2]) * np.sign(curve[2:]) < 0)) + 1:
        found.append((float(grid[i]), bool(curve[i + 1] > 0)))
    return sorted(found)


def _flips(roots: list[tuple[float, bool]], grid: Floats, drawn: Floats | None) -> tuple[Flip, ...]:
    """Give each flip its band: in every draw the flip of its direction nearest to it, if nearer to it than to its neighbours."""
    if drawn is None:
        return tuple(Flip(price, to_long, None, None, None) for price, to_long in roots)
    before, after = drawn[:, :-1], drawn[:, 1:]
    which, cell = np.nonzero(np.sign(before) * np.sign(after) < 0)
    left, right = before[which, cell], after[which, cell]
    # Straight within a cell: the band is wider than what that misses.
    price = grid[cell] + (grid[cell + 1] - grid[cell]) * left / (left - right)
    found = []
    for n, (root, to_long) in enumerate(roots):
        low = (roots[n - 1][0] + root) / 2 if n else grid[0]
        high = (roots[n + 1][0] + root) / 2 if n + 1 < len(roots) else grid[-1]
        of = (price >= low) & (price <= high) & ((right > 0) == to_long)
        nearest: dict[int, float] = {}
        for draw, p in zip(which[of].tolist(), price[of].tolist(), strict=True):
            if draw not in nearest or abs(p - root) < abs(nearest[draw] - root):
                nearest[draw] = p
        ends = np.quantile(list(nearest.values()), [LOW, HIGH]) if nearest else None
        share = len(nearest) / len(drawn)
        found.append(Flip(root, to_long, None if ends is None else float(ends[0]), None if ends is None else float(ends[1]), share))
    return tuple(found)


def _zones(roots: list[tuple[float, bool]], curve: Floats) -> tuple[Zone, ...]:
    """Stretches of short gamma between flips."""
    if not roots:
        return (Zone(None, None),) if (curve < 0).any() else ()
    zones, start = [], None
    if not roots[0][1]:
        start = roots[0][0]
    else:
        zones.append(Zone(None, roots[0][0]))
    for price, to_long in roots[1:]:
        if to_long:
            zones.append(Zone(start, price))
        else:
            start = price
    if not roots[-1][1]:
        zones.append(Zone(start, None))
    return tuple(zones)
