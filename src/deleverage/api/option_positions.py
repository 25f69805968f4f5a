"""What a chain says of positions and of where the price may go, as documents: open interest, exposure, density, touching a level."""

from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics.options import density, exposure, strikes
from deleverage.analytics.options.chain import YEAR
from deleverage.analytics.options.dealer_flow import Flow
from deleverage.analytics.options.density import RISK_NEUTRAL, Density, Touch
from deleverage.analytics.options.exposure import Convention, Exposure
from deleverage.api.anatomy import MS
from deleverage.api.option_material import Fit, read_trades
from deleverage.api.options import Document, Taken, figure, numbers
from deleverage.errors import BadInput
from deleverage.when import instant, iso

TITLES = {"equity": "Long calls, short puts", "short_everything": "Short everything", "flow": "Inferred from trades"}
POSITIONING = "Positioning, not a forecast: open interest does not tell who holds what, and pinning to max pain is weakly evidenced."
UNITS = "gamma: USD dealers sell per 1 % rise (below 0: buy) to stay hedged; vanna: coins per volatility point; charm: coins per day"
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
DAYS = 30.0
MOST_DAYS = 3650.0
SHOWN = 201
"""Points of a density that are told, of the 801 it is worked out on."""
WIDEST = 20.0
"""Levels between spot / 20 and spot × 20 are answered."""
PROFILE = np.concatenate([np.arange(0.6, 1.0, 0.025), np.arange(1.025, 1.401, 0.025)])
ROUGH = (200, 100)
"""Grid of the profile: within 1e-4 of the finer one of the level asked for."""


def interest_document(taken: Taken, most: int = 50) -> Document:
    """Open interest and volume by strike and by expiry, max pain, put/call ratios four ways, notable trades and blocks of the window."""
    fitted = taken.fit
    empty: Document = {
        "strikes": [], "by_strike": [], "expiries": [], "put_call": None, "total": None, "trades_seen": 0, "notable": [], "blocks": [],
        "thresholds": strikes.NOTABLE._asdict(), "figures": [], "reminder": POSITIONING,
    }  # fmt: skip
    if fitted is None:
        return taken.head() | empty
    with taken.hold() as session:
        rows = read_trades(session, taken.material, taken.desk)
    rows = rows.filter(pl.col("ts_event") >= taken.asked.start)

    def work() -> Document:
        return _interest(fitted, rows, most)

    found: Document = taken.desk.once(("interest", fitted.digest, taken.asked.start, len(rows), _last(rows)), work)
    largest = max(found["expiries"], key=lambda e: e["open_interest"] or 0.0, default=None)
    ratios = found["put_call"]
    return taken.head() | empty | found | {
        "trades_seen": len(rows),
        "figures": [
            *(figure(taken, f"put_call.{name}", value, "ratio", "measured") for name, value in ratios.items()),
            figure(taken, "open_interest", found["total"]["open_interest_usd"], "usd", "measured", note="one-sided, at the index"),
            figure(taken, "max_pain", None if largest is None else largest["max_pain"], "usd", "measured",
                   note="" if largest is None else f"of {iso(largest['expiry_ms'] * MS)[:10]}, the expiry with the most open interest"),
        ],
    }  # fmt: skip


def _last(rows: pl.DataFrame) -> int:
    return 0 if rows.is_empty() else int(rows["ts_recv"].max())  # type: ignore[arg-type]  # integers


def _interest(fitted: Fit, rows: pl.DataFrame, most: int) -> Document:
    options, price = fitted.chain.options, fitted.spot.price
    by_strike, by_expiry = strikes.by_strike(options, price), strikes.by_expiry(options, price)
    names = [name for name in by_strike.columns if name.startswith(("call_", "put_"))]
    known = [pl.when(pl.col(n).is_not_null().any()).then(pl.col(n).sum()).alias(n) for n in names]
    by_expiry = by_expiry.with_columns(open_interest=pl.sum_horizontal("call_open_interest", "put_open_interest"))
    held, traded = (float(options[name].sum()) if options[name].count() else None for name in ("open_interest", "volume_24h"))
    return {
        "strikes": by_strike.group_by("strike").agg(known).sort("strike").to_dicts(), "by_strike": _expiries(by_strike).to_dicts(),
        "expiries": _expiries(by_expiry).with_columns(days=(pl.col("expiry_ms") - fitted.chain.at // MS) / 86_400_000).to_dicts(),
        "put_call": msgspec.structs.asdict(strikes.put_call(options)),
        "total": {"open_interest": held, "open_interest_usd": None if held is None else held * price, "volume_24h": traded},
        "notable": _trades(strikes.notable(rows, options, most=most)) if len(rows) else [],
        "blocks": _blocks(strikes.blocks(rows, options).sort("ts_event", descending=True).head(most)) if len(rows) else [],
    }  # fmt: skip


def _expiries(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select((pl.col("expiry") // MS).alias("expiry_ms"), pl.all().exclude("expiry"))


def _trades(rows: pl.DataFrame) -> list[Document]:
    names = (
        "symbol", "strike", "option_type", "taker_side", "price", "quantity", "premium_usd", "vega_usd", "is_block", "legs", "score",
        "reason",
    )  # fmt: skip
    return rows.select((pl.col("ts_event") // MS).alias("ts_ms"), (pl.col("expiry") // MS).alias("expiry_ms"), *names).to_dicts()


def _blocks(rows: pl.DataFrame) -> list[Document]:
    return rows.with_columns(ts_ms=pl.col("ts_event") // MS).drop("ts_event").to_dicts()


def exposure_document(taken: Taken) -> Document:
    """Dealers' gamma, vanna and charm under every convention side by side: over the price, by strike and by expiry, with flips, bands and
    zones of short gamma; a word for the whole only where all agree."""
    fitted = taken.fit
    empty: Document = {
        "prices": [], "conventions": [], "regime": None, "flow": None, "left_out": 0, "left_out_share": None, "units": UNITS,
        "assumption": exposure.STICKY, "figures": [],
    }  # fmt: skip
    if fitted is None:
        return taken.head() | empty
    with taken.hold() as session:
        rows = read_trades(session, taken.material, taken.desk)

    def work() -> Exposure:
        given = None if rows.is_empty() else rows
        return exposure.dealers(
            fitted.chain.options, fitted.spot.price, surface=fitted.surface, trades=given, at=fitted.chain.at, rng=np.random.default_rng(0)
        )

    found: Exposure = taken.desk.once(("exposure", fitted.digest, len(rows), _last(rows)), work)
    flow = found.flow
    held = not found.strikes.is_empty() and float(found.strikes["open_interest"].sum()) > 0
    reason = "" if held else "the venue told no open interest with its quotes: nobody's exposure is known"
    head = taken.head()
    return head | empty | {
        "reason": head["reason"] or reason, "prices": numbers(found.prices, 2), "regime": found.regime, "left_out": found.left_out,
        "left_out_share": found.left_out_share, "conventions": [_convention(c, found) for c in found.conventions] if held else [],
        "flow": None if flow is None else _flow(flow) | {"trades": len(rows)},
        "figures": [_gamma_figure(taken, c, rows) for c in found.conventions] if held else [],
    }  # fmt: skip


def _gamma_figure(taken: Taken, one: Convention, trades: pl.DataFrame) -> Document:
    low, high = _cents(one.gamma_low), _cents(one.gamma_high)
    band = None if low is None or high is None else (min(low, high), max(low, high))
    more: Document = {"inputs": [len(trades), _last(trades)], "also": ["trades"]} if one.name == "flow" else {}
    level = None if band is None else 0.9
    return figure(taken, f"gamma.{one.name}", _cents(one.gamma_usd), "usd per 1 %", interval=band, level=level, note=one.about, **more)


def _cents(usd: float | None) -> float | None:
    """What lies beyond depends on the order in which products are added."""
    return None if usd is None or not np.isfinite(usd) else round(usd, 2)


def _flow(flow: Flow) -> Document:
    told = {k: v for k, v in msgspec.structs.asdict(flow).items() if k not in ("position", "draws", "first_ts")}
    return told | {"first_ms": None if flow.first_ts is None else flow.first_ts // MS}


def _convention(one: Convention, found: Exposure) -> Document:
    rows = found.strikes.filter(convention=one.name)
    sums = [pl.col(name).sum() for name in ("open_interest", "position", "gamma_usd", "vanna", "charm")]
    return {
        "name": one.name, "title": TITLES.get(one.name, one.name), "about": one.about, "gamma_usd": _cents(one.gamma_usd),
        "gamma_low": _cents(one.gamma_low), "gamma_high": _cents(one.gamma_high), "vanna": one.vanna, "charm": one.charm,
        "curve": numbers(one.curve, 0),
        "curve_low": None if one.curve_low is None else numbers(one.curve_low, 0),
        "curve_high": None if one.curve_high is None else numbers(one.curve_high, 0),
        "flips": [f._asdict() for f in one.flips], "short_zones": [z._asdict() for z in one.short_zones],
        "by_strike": rows.group_by("strike").agg(sums).sort("strike").to_dicts(),
        "by_expiry": _expiries(rows.group_by("expiry").agg(sums).sort("expiry")).to_dicts(),
    }  # fmt: skip


def _ahead(fitted: Fit, by: str | None, days: float | None) -> tuple[float, int]:
    """The date asked for, in years from the chain and ns UTC; 30 days where none is."""
    if by is not None and days is not None:
        raise BadInput("give by (a date) or days, not both")
    if by is None:
        length = DAYS if days is None else days
        if not 0 < length <= MOST_DAYS:
            raise BadInput(f"{length:g} days ahead cannot be told; take above 0 and at most {MOST_DAYS:g}")
        return length / 365, fitted.chain.at + round(length * 86_400e9)
    at = instant(by, fitted.chain.at)
    if at <= fitted.chain.at:
        raise BadInput(f"the date {by!r} does not lie after the chain's {iso(fitted.chain.at)}")
    return (at - fitted.chain.at) / YEAR, at


def _later(is_extrapolated: bool) -> str:
    return "Later than the last expiry: its volatility is carried on. " if is_extrapolated else ""


def density_document(taken: Taken, by: str | None = None, days: float | None = None) -> Document:
    """The risk-neutral density of the price at a date, its quantiles, and how much of it lies within what is quoted."""
    fitted = taken.fit
    empty: Document = {
        "by_ms": None, "days": None, "forward": None, "strikes": [], "density": [], "below": [], "quantiles": [], "mass": None,
        "mean": None, "least": None, "is_extrapolated": None, "chances": {}, "expiries_ms": [], "reminder": RISK_NEUTRAL, "figures": [],
    }  # fmt: skip
    if fitted is None or not fitted.surface.slices:
        return taken.head() | empty
    years, at = _ahead(fitted, by, days)

    def work() -> Density:
        return density.density(density.law(fitted.surface, fitted.spot.price), years)

    found: Density = taken.desk.once(("density", fitted.digest, years), work)
    every = max((len(found.strikes) - 1) // (SHOWN - 1), 1)
    quantiles = [{"share": q, "price": _quantile(found, q)} for q in QUANTILES]
    below = {f"below_{share:g}": _below(found, share * fitted.spot.price) for share in (0.8, 0.9, 1.1, 1.2)}
    return taken.head() | empty | {
        "by_ms": at // MS, "days": years * 365, "forward": found.forward, "strikes": numbers(found.strikes[::every], 2),
        "density": numbers(found.density[::every], 12), "below": numbers(found.below[::every]), "quantiles": quantiles, "mass": found.mass,
        "mean": found.mean, "least": found.least, "is_extrapolated": found.is_extrapolated, "chances": below,
        "expiries_ms": [s.expiry // MS for s in fitted.surface.slices],
        "figures": [
            figure(taken, "density.median", _quantile(found, 0.5), "usd", inputs=[years], note=_later(found.is_extrapolated) + RISK_NEUTRAL)
        ],
    }  # fmt: skip


def _quantile(found: Density, share: float) -> float | None:
    below = np.maximum.accumulate(found.below)
    return float(np.interp(share, below, found.strikes)) if below[0] <= share <= below[-1] else None


def _below(found: Density, price: float) -> float:
    return float(np.interp(price, found.strikes, found.below, left=0.0, right=1.0))


def touch_document(taken: Taken, level: float | None = None, by: str | None = None, days: float | None = None) -> Document:
    """The chance of finishing beyond and of touching a level by a date: under one volatility (at the money, at the level), under local
    volatility, twice the digital, and the range between models; the same for levels around spot."""
    fitted = taken.fit
    empty: Document = {"level": level, "by_ms": None, "days": None, "touch": None, "profile": None, "reminder": RISK_NEUTRAL, "figures": []}
    if fitted is None or not fitted.surface.slices:
        return taken.head() | empty
    years, at = _ahead(fitted, by, days)
    spot = fitted.spot.price
    asked = float(f"{0.9 * spot:.2g}") if level is None else level
    if not spot / WIDEST <= asked <= spot * WIDEST:
        raise BadInput(f"the level {asked:g} is further than a factor of {WIDEST:g} from spot at {spot:,.0f}")

    def work() -> Touch:
        return density.touch(density.law(fitted.surface, spot), asked, years)

    found: Touch = taken.desk.once(("touch", fitted.digest, years, asked), work)
    profile: Document = taken.desk.once(("profile", fitted.digest, years), lambda: _profile(fitted, spot, years))
    told = {k: v for k, v in msgspec.structs.asdict(found).items() if k != "reminder"}
    day, reminder = iso(at)[:10], _later(found.is_extrapolated) + RISK_NEUTRAL
    return taken.head() | empty | {
        "level": asked, "by_ms": at // MS, "days": years * 365, "touch": told, "profile": profile,
        "figures": [
            figure(taken, "touch", (found.low + found.high) / 2, "probability", interval=(found.low, found.high), level=None,
                   inputs=[asked, years], note=f"{asked:,.0f} by {day}; the range is between models. {reminder}"),
            figure(taken, "finish", found.finish, "probability", inputs=[asked, years], note=f"beyond {asked:,.0f} on {day}. {reminder}"),
        ],
    }  # fmt: skip


def _profile(fitted: Fit, spot: float, years: float) -> Document:
    law = density.law(fitted.surface, spot)
    levels: NDArray[np.float64] = np.round(PROFILE * spot, 0 if spot > 1000 else 4)
    rows: list[Touch] = [density.touch(law, float(level), years, grid=ROUGH) for level in levels]
    told: dict[str, Any] = {
        name: numbers([getattr(row, name) for row in rows], 6) for name in ("finish", "low", "high", "local_volatility")
    }
    return {"levels": levels.tolist()} | told
