"""What a chain says of volatility, as documents: the chain, its smiles, the surface, constant maturities, and the volatility index.

Everything under a fitted curve is `modelled`; a chain that is old is `stale`; what is not there is null, with the reason in words.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics.options import black76, realised, term, volatility_index
from deleverage.analytics.options.smile import Slice
from deleverage.analytics.options.volatility_index import MATCHED, Index, Leg, Prices
from deleverage.api import option_history
from deleverage.api.anatomy import MS
from deleverage.api.option_history import Candles
from deleverage.api.option_material import SECOND, STALE, Asked, Desk, Fit, Hold, Material, coverage, desk_of, fit, heading, read
from deleverage.errors import BadInput
from deleverage.figure import Figure, Status, hash_inputs, spelled
from deleverage.when import instant, iso

SIGN = (
    "a risk reversal is the call's volatility less the put's: below 0 puts are dearer (some vendors turn it round); skew eases as it rises"
)
DELTA_CONVENTION = "forward delta N(d1), not adjusted for the premium; volatilities are decimals per year of 365 days"
MONEYNESS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3)
DELTAS = ((0.1, False, "10Δ put"), (0.25, False, "25Δ put"), (0.5, True, "at the money"), (0.25, True, "25Δ call"), (0.1, True, "10Δ call"))
SKILL = "On six real BTC chains of January 2026 it read 2.69 % above the published index (median; at worst 4.40 %)."
"""Measured in docs/methods/volatility-index.md."""
HORIZONS = (1.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0)
CURVE_POINTS = 81
TOLD = ("atm", "rr25", "bf25", "rr10", "bf10")
"""What is told of one maturity."""
Document = dict[str, Any]


class Taken:
    """One question's material and fit, and what is kept between questions."""

    def __init__(self, hold: Hold, asked: Asked) -> None:
        self.hold, self.asked = hold, asked
        with hold() as session:
            self.desk: Desk = desk_of(session)
            self.material: Material = read(session, asked)
        self.fit: Fit | None = fit(self.desk, self.material)

    def head(self) -> Document:
        """Write what every answer begins with."""
        return heading(self.material, self.fit)


def figure(
    taken: Taken, name: str, value: float | None, unit: str, status: Status = "modelled", *, inputs: Sequence[object] = (),
    also: Sequence[str] = (), **more: Any,
) -> Document:  # fmt: skip
    """Write a number of the chain as a Figure; one of an old chain is stale. `inputs` is what went into it beside the chain,
    from the tables `also`."""
    fitted, asked = taken.fit, taken.asked
    known = value is not None and np.isfinite(value)
    if not known:
        status = "missing"
    elif fitted is not None and fitted.age > STALE and status != "missing":
        status = "stale"
    digest = "" if fitted is None else hash_inputs([fitted.digest, *inputs]) if inputs else fitted.digest
    tables = () if fitted is None else tuple(f"{table}/{fitted.chain.venue}" for table in ("option_quotes", *also))
    return spelled(Figure(
        name=f"options.{asked.base}.{name}", value=float(value) if known and value is not None else None, unit=unit, at=asked.at,
        as_of=asked.as_of, status=status, coverage=None if fitted is None else coverage(fitted),
        inputs_hash=digest, sources=tables, **more,
    ))  # fmt: skip


def numbers(values: NDArray[np.float64] | list[float], digits: int = 8) -> list[float | None]:
    """Write an array with its NaN as null."""
    return [round(float(v), digits) if np.isfinite(v) else None for v in values]


def chain_document(taken: Taken) -> Document:
    """Every listed option with its cleaned quote, volatilities and greeks, the forward of every expiry, and who was left out and why."""
    fitted = taken.fit
    if fitted is None:
        return taken.head() | {"forwards": [], "left_out": [], "options": [], "convention": DELTA_CONVENTION, "figures": []}
    options = fitted.chain.options
    vol = options.select(pl.coalesce("iv", "mark_iv"))["iv"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    forward, strike, years = (options[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("forward", "strike", "years"))
    greeks = black76.greeks(forward, strike, years, vol, (options["option_type"] == "call").to_numpy())
    columns = {"delta": greeks.delta, "gamma": greeks.gamma, "vega": greeks.vega / 100, "theta": greeks.theta / 365}
    rows = options.with_columns(pl.Series(name, values).fill_nan(None) for name, values in columns.items())
    rows = rows.with_columns(expiry_ms=pl.col("expiry") // MS, quote_ms=pl.col("quote_ts") // MS).drop("expiry", "quote_ts")
    left = options.filter(pl.col("why_not") != "").group_by("why_not").agg(pl.len().alias("contracts"), pl.col("open_interest").sum())
    forwards = [
        {"expiry_ms": f.expiry // MS, "days": f.years * 365, "price": f.price, "method": f.method, "pairs": f.pairs,
         "spread": f.spread if np.isfinite(f.spread) else None} for f in fitted.chain.forwards
    ]  # fmt: skip
    return taken.head() | {
        "forwards": forwards, "options": rows.to_dicts(), "convention": DELTA_CONVENTION + "; vega USD per point, theta USD per day",
        "left_out": left.sort("contracts", "why_not", descending=[True, False]).rename({"why_not": "reason"}).to_dicts(),
        "figures": [figure(taken, "contracts.used", float(options["is_used"].sum()), "count", "measured")],
    }  # fmt: skip


def smile_document(taken: Taken, expiry: str | None = None) -> Document:
    """The fitted smile of every expiry, or of the one named, with the quotes it was fitted to and those left aside, and Durrleman's g."""
    fitted = taken.fit
    slices = () if fitted is None else fitted.surface.slices
    chosen = slices if expiry is None or fitted is None else (_named(slices, expiry),)
    ends = [
        {"expiry_ms": s.expiry // MS, "days": s.years * 365, "forward": s.forward, "kind": s.kind, "quotes": len(s.quotes),
         "rms_points": s.rms_points, "min_g": s.min_g, "atm": float(np.sqrt(s.total_variance(0.0) / s.years))} for s in slices
    ]  # fmt: skip
    worst = max((s.rms_points for s in slices), default=None)
    return taken.head() | {
        "expiries": ends, "slices": [] if fitted is None else [_slice(fitted, s) for s in chosen], "convention": DELTA_CONVENTION,
        "figures": [
            figure(taken, "smile.worst_rms", worst, "points"),
            figure(taken, "smile.least_g", min((s.min_g for s in slices), default=None), "g"),
        ],
    }  # fmt: skip


def _named(slices: tuple[Slice, ...], expiry: str) -> Slice:
    at = instant(expiry, 0)
    for one in slices:
        if one.expiry == at or iso(one.expiry)[:10] == expiry[:10]:
            return one
    raise BadInput(f"no fitted expiry {expiry!r}; there are {', '.join(iso(s.expiry)[:10] for s in slices) or 'none'}"[:300])


def _slice(fitted: Fit, one: Slice) -> Document:
    options = fitted.chain.options.filter(pl.col("expiry") == one.expiry)
    low, high = float(one.quotes["k"].min()), float(one.quotes["k"].max())  # type: ignore[arg-type]  # a slice has quotes
    listed = options["k"].drop_nulls()
    margin = 0.15 * max(high - low, 0.05)
    first, last = max(low - margin, float(listed.min())), min(high + margin, float(listed.max()))  # type: ignore[arg-type]  # likewise
    k = np.linspace(min(first, low), max(last, high), CURVE_POINTS)
    names = ("symbol", "strike", "option_type", "k", "bid_iv", "ask_iv", "mid_iv", "mark_iv", "open_interest", "is_used", "why_not")
    return {
        "expiry_ms": one.expiry // MS, "days": one.years * 365, "forward": one.forward, "kind": one.kind, "rms_points": one.rms_points,
        "worst_points": one.worst_points, "min_g": one.min_g, "svi": one.svi._asdict(), "quoted_k": [low, high],
        "curve": {"k": numbers(k), "strike": numbers(one.forward * np.exp(k), 2), "iv": numbers(np.sqrt(one.total_variance(k) / one.years)),
                  "g": numbers(one.svi.g(k))},
        "quotes": options.select(names).to_dicts(),
    }  # fmt: skip


def surface_document(taken: Taken) -> Document:
    """The surface as two grids, tenor by moneyness K/F and tenor by forward delta; null outside the listed expiries."""
    fitted = taken.fit
    tenors = list(term.TENOR_DAYS)
    empty: Document = {
        "tenor_days": tenors, "moneyness": list(MONEYNESS), "moneyness_iv": [], "delta": [d[2] for d in DELTAS], "delta_iv": [],
        "delta_strike": [], "convention": DELTA_CONVENTION, "figures": [],
    }  # fmt: skip
    if fitted is None or not fitted.surface.slices:
        return taken.head() | empty
    surface = fitted.surface
    first, last = surface.slices[0].years, surface.slices[-1].years
    grid: list[list[float | None]] = []
    by_delta: list[list[float | None]] = []
    strikes: list[list[float | None]] = []
    for days in tenors:
        years = days / 365
        if not first <= years <= last:
            grid.append([None] * len(MONEYNESS))
            by_delta.append([None] * len(DELTAS))
            strikes.append([None] * len(DELTAS))
            continue
        forward = float(surface.forward(years))
        grid.append(numbers(surface.volatility(forward * np.array(MONEYNESS), years)))
        ks = [0.0 if delta == 0.5 else _k(fitted, years, delta, is_call) for delta, is_call, _ in DELTAS]
        by_delta.append([None if k is None else float(np.sqrt(surface.total_variance(k, years) / years)) for k in ks])
        strikes.append([None if k is None else forward * float(np.exp(k)) for k in ks])
    return taken.head() | empty | {"moneyness_iv": grid, "delta_iv": by_delta, "delta_strike": strikes}


def _k(fitted: Fit, years: float, delta: float, is_call: bool) -> float | None:
    return term.delta_log_moneyness(lambda k: float(fitted.surface.total_variance(k, years)), delta, is_call)


def term_document(taken: Taken) -> Document:
    """At the money, risk reversals and butterflies at constant maturities and at every expiry; how those of 30 days went through the
    window; realised volatility with its cone, and what options ask above it."""
    fitted, asked = taken.fit, taken.asked
    with taken.hold() as session:
        closes = option_history.candles(session, taken.desk, asked, taken.material.venue)
    past = _realised(taken, closes)
    empty: Document = {
        "sign": SIGN,
        "convention": DELTA_CONVENTION,
        "tenors": [],
        "expiries": [],
        "history": _history(taken),
        **past,
        "figures": [],
    }
    if fitted is None or not fitted.surface.slices:
        return taken.head() | empty

    def work() -> tuple[list[Document], list[Document]]:
        return term.constant_maturity(fitted.surface).to_dicts(), term.listed(fitted.surface).to_dicts()

    tenors, expiries = taken.desk.once(("term", fitted.digest), work)
    ends = [{"expiry_ms": row["expiry"] // MS} | {k: v for k, v in row.items() if k != "expiry"} for row in expiries]
    month = next(row for row in tenors if row["tenor_days"] == 30.0)
    premium = next((row["premium"] for row in past["variance_premium"] if row["tenor_days"] == 30.0), None)
    return taken.head() | empty | {
        "tenors": tenors, "expiries": ends,
        "figures": [
            *(figure(taken, f"{name}.30d", month[name], "volatility", note=SIGN if name.startswith("rr") else "") for name in TOLD),
            figure(taken, "variance_premium.30d", premium, "variance", note="implied less realised variance of 30 days before, per year",
                   inputs=[past["realised_source"], premium]),
        ],
    }  # fmt: skip


def _history(taken: Taken) -> Document:
    rows = option_history.points(taken.hold, taken.desk, taken.material)
    names = ("ts_ms", *option_history.NAMES)
    told = {name: [row[name] for row in rows] for name in names}
    return {"tenor_days": option_history.TENOR, "bucket_ms": option_history.bucket_of(taken.asked) // MS} | told


def _realised(taken: Taken, closes: Candles) -> Document:
    """Realised volatility over horizons with the cone of its past, and the premium of implied over realised variance."""
    nothing: Document = {
        "realised": [], "realised_source": closes.source, "variance_premium": [],
        "realised_reason": "no closed candles of the base in the data: realised volatility is not known",
    }  # fmt: skip
    if closes.rows.is_empty():
        return nothing
    at = taken.asked.at

    def work() -> list[Document]:
        return realised.cone(closes.rows, at, HORIZONS).to_dicts()

    rows: list[Document] = taken.desk.once(("cone", closes.source, int(closes.rows.hash_rows().sum())), work)
    premium = []
    if taken.fit is not None and taken.fit.surface.slices:
        past = {row["horizon_days"]: row["now"] for row in rows}
        for row in term.constant_maturity(taken.fit.surface).iter_rows(named=True):
            before = past.get(row["tenor_days"])
            premium.append({
                "tenor_days": row["tenor_days"], "implied": row["atm"], "realised_before": before,
                "premium": None if row["atm"] is None or before is None else row["atm"] ** 2 - before**2,
            })  # fmt: skip
    long_enough = any(row["now"] is not None for row in rows)
    reason = "" if long_enough else "the candles in the data are shorter than a day: realised volatility is not known"
    return {"realised": rows, "realised_source": closes.source, "variance_premium": premium, "realised_reason": reason}


VARIANTS: tuple[tuple[str, Prices, str], ...] = (
    ("mid", "mid", "two-sided mids of every listed strike, as the method is documented"),
    ("clean", "clean", "mids of clean quotes only"),
    ("mark", "mark", "the venue's own marks"),
    ("smile", "smile", "a continuous strip of the fitted smile, wings and all"),
    (
        "matched",
        "mid",
        "mids of at least 0.18 % of the forward: the wing rule nearest to the published index on six chains of one fortnight",
    ),
)


def index_document(taken: Taken) -> Document:
    """The 30-day volatility index made from this chain, with both legs and what was passed over; other ways to make it; the published one
    beside, with its own time."""
    fitted, asked = taken.fit, taken.asked
    with taken.hold() as session:
        told = option_history.published(session, asked)
    last = None if told.is_empty() else told.row(-1, named=True)
    beside: Document | None = None
    if last is not None:
        beside = {
            "points": last["volatility"], "ts_ms": last["ts_event"] // MS, "venue": last["venue"], "index_name": last["index_name"],
            "age_seconds": (asked.at - last["ts_event"]) / SECOND,
        }  # fmt: skip
    history = _history(taken)
    lines = {
        "bucket_ms": history["bucket_ms"], "ts_ms": history["ts_ms"], "points": history["index"],
        "published_ts_ms": [] if told.is_empty() else (told["ts_event"] // MS).to_list(),
        "published": [] if told.is_empty() else told["volatility"].to_list(),
    }  # fmt: skip
    answer: Document = taken.head() | {
        "ours": None, "published": beside, "difference_points": None, "seconds_apart": None, "variants": [], "history": lines,
        "unit": "points: 42 is 42 % a year", "skill": SKILL, "figures": [],
    }  # fmt: skip
    if fitted is None:
        return answer | {"figures": [_published_figure(taken, beside)]}

    def work() -> list[Index]:
        return [
            volatility_index.from_chain(
                fitted.chain, prices=prices, surface=fitted.surface, rules=MATCHED if name == "matched" else volatility_index.DEFAULT
            )
            for name, prices, _ in VARIANTS
        ]

    made: list[Index] = taken.desk.once(("index", fitted.digest), work)
    ours = made[0]
    variants = [
        {"name": name, "points": index.points, "what": what, "reasons": list(index.reasons)}
        for (name, _, what), index in zip(VARIANTS, made, strict=True)
    ]
    said = {"points": ours.points, "prices": ours.prices, "near": _leg(ours.near), "next": _leg(ours.next), "reasons": list(ours.reasons)}
    own = figure(taken, "index.30d", ours.points, "points", "estimated", note="; ".join(ours.reasons))
    return answer | {
        "ours": said, "variants": variants, "figures": [own, _published_figure(taken, beside)],
        "difference_points": None if beside is None or ours.points is None else ours.points - beside["points"],
        "seconds_apart": None if beside is None else (fitted.chain.at // MS - beside["ts_ms"]) / 1000,
    }  # fmt: skip


def _published_figure(taken: Taken, beside: Document | None) -> Document:
    asked = taken.asked
    made = figure(taken, "published_index.30d", None if beside is None else beside["points"], "points", "measured")
    if beside is None:
        return made
    late = beside["age_seconds"] > STALE / SECOND
    return made | {
        "status": "stale" if late else "measured", "sources": [f"volatility_indices/{beside['venue']}"], "coverage": None,
        "inputs_hash": hash_inputs([asked.base, beside["ts_ms"], beside["points"]]),
    }  # fmt: skip


def _leg(leg: Leg | None) -> Document | None:
    if leg is None:
        return None
    return {"expiry_ms": leg.expiry // MS, "days": leg.years * 365} | {
        k: v for k, v in msgspec.structs.asdict(leg).items() if k != "expiry"
    }
