"""How a coin moves with the wider economy, with volatility and with other coins, as one document."""

import itertools
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from deleverage.analytics import macro
from deleverage.analytics.macro import Beta
from deleverage.api import leverage
from deleverage.api.anatomy import MS, frame
from deleverage.api.leverage import DAY, MINUTE, Scope
from deleverage.api.session import Session
from deleverage.store.store import PriceSeries

DAYS = (30, 90)
"""Changes of a daily series over which its beta is told."""
PAST = 150 * DAY
"""What holds 90 trading days."""
STEPS = 288
OTHERS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE")


class Material(NamedTuple):
    """Hourly prices of the past, prices of the window by the step, and what they are set against."""

    scope: Scope
    past: PriceSeries | None
    prices: PriceSeries | None
    observations: pl.DataFrame
    indices: pl.DataFrame
    others: dict[str, PriceSeries]


def _step(scope: Scope) -> int:
    return max(scope.bucket(STEPS), 5 * MINUTE)


def read(session: Session, scope: Scope, others: tuple[str, ...] = OTHERS) -> Material:
    """Read what is needed; the caller holds the session."""
    session.flush()
    store, step, start, at, as_of = session.store, _step(scope), scope.start, scope.at, scope.as_of
    observations = frame(store.read("macro_observations", end=at + 1, as_of=as_of))
    past = store.price_series(scope.base, at - PAST, at, as_of, 60 * MINUTE) if len(observations) else None
    prices = store.price_series(scope.base, start - step, at, as_of, step)
    found = {}
    for base in [b for b in others if b != scope.base]:
        own = store.price_series(base, start - step, at, as_of, step, venue=None if prices is None else prices.venue)
        if own is not None:
            found[base] = own
    indices = frame(store.latest("volatility_indices", ("venue", "index_name"), start - step, at, as_of, bucket=step))
    return Material(scope, past, prices, observations, indices, found)


def document(material: Material) -> dict[str, Any]:
    """Write the answer: betas of the window's moves by the step, and of daily changes to economic series."""
    scope, step = material.scope, _step(material.scope)
    prices = material.prices
    against = _against(material)
    within: list[dict[str, Any]] = []
    if prices is not None:
        own = _frame(prices)
        instants = pl.Series(np.arange(scope.at - (scope.at - scope.start) // step * step, scope.at + 1, step), dtype=pl.Int64)
        for name, unit, held in against:
            grid = pl.DataFrame({"ts": instants, "value": macro.sample(held, instants, 2 * step)}).drop_nulls()
            kind: macro.Kind = "difference" if unit == "points" else "log"
            moved = macro.changes(own, grid, kind=kind, oldest=2 * step, longest=2 * step)
            within.append(_row(macro.beta(moved, name, kind=kind), unit, None))
    daily: list[dict[str, Any]] = []
    if material.past is not None:
        found = macro.betas(_frame(material.past), material.observations, scope.as_of, windows=DAYS)
        daily = [_row(one, macro.UNITS.get(one.series, "index"), days) for one, days in zip(found, itertools.cycle(DAYS), strict=False)]
    return {
        **scope.head(), "step_ms": step // MS,
        "price": None if prices is None else {"venue": prices.venue, "symbol": prices.symbol, "price_kind": prices.price_kind},
        "within": within, "within_reason": "" if within else _no_prices(material, bool(against)), "daily": daily,
        "daily_reason": "" if daily else "no economic series were known by this moment" if not len(material.observations)
        else f"no prices of {scope.base} go with them",
        "figures": [
            leverage.told(
                f"beta.{row['series']}.{_span(row)}", row["beta"], "per log change" if row["kind"] == "log" else "per point", scope,
                inputs=[sorted(row.items(), key=str)], level=row["level"] if row["beta"] is not None else None,
                interval=None if row["beta_low"] is None or row["beta_high"] is None else (row["beta_low"], row["beta_high"]),
                note=row["verdict"] if row["beta"] is not None else f"{row['n']} changes are too few",
            ) for row in [*within, *daily]
        ],
    }  # fmt: skip


def _frame(series: PriceSeries) -> pl.DataFrame:
    return pl.DataFrame(series.points, schema={"ts": pl.Int64, "price": pl.Float64}, orient="row").unique("ts", keep="last").sort("ts")


def _against(material: Material) -> list[tuple[str, str, pl.DataFrame]]:
    """What the window's prices are set against: name, unit, and (ts, value)."""
    found = []
    for (venue, name), rows in material.indices.group_by(["venue", "index_name"], maintain_order=True):
        coin = str(name).partition("_")[0].upper()
        if coin == material.scope.base:
            values = rows.select(pl.col("ts_event").alias("ts"), pl.col("volatility").alias("value")).unique("ts", keep="last").sort("ts")
            found.append((f"volatility index of {coin} ({venue})", "points", values))
    return found + [(base, "price", _frame(series).rename({"price": "value"})) for base, series in material.others.items()]


def _span(row: dict[str, Any]) -> str:
    return "within" if row["of_days"] is None else f"{row['of_days']}d"


def _row(found: Beta, unit: str, days: int | None) -> dict[str, Any]:
    """`of_days`: how many daily changes were asked for, of which `n` are known; None for those of the window."""
    return leverage.struct(found) | {"unit": unit, "of_days": days}


def _no_prices(material: Material, has_others: bool) -> str:
    if material.prices is None:
        return f"no prices of {material.scope.base} in this window"
    return "no other prices or volatility index in this window" if not has_others else ""
