"""What it costs to hold a perpetual, as one document: every venue's rate on one scale, weighted, named, compared and added up."""

from typing import Any, NamedTuple

import msgspec
import polars as pl

from deleverage.analytics import funding, funding_history, funding_regimes, open_interest
from deleverage.analytics.funding import CONTRACT, HOUR, Kind, Weighted, Weighting
from deleverage.api import leverage
from deleverage.api.anatomy import MS, frame
from deleverage.api.leverage import DAY, Holding, Scope
from deleverage.api.session import Session

POINTS = 200
PAST = (funding_regimes.Thresholds().history_days + 1) * DAY
"""What is read before a moment, so that its rate can be ranked."""
FRESH = 25 * HOUR
"""Predicted rates older than this count nowhere: two intervals of the longest kind."""
SIGN_RULE = "above 0 longs pay shorts, below 0 shorts pay longs; it rests at +0.01 % per 8 h, not at 0"
KINDS: tuple[Kind, ...] = ("predicted", "settled")
WEIGHTINGS: tuple[Weighting, ...] = ("open_interest", "volume")
NO_PAST = "no rate was settled before this moment"


class Material(NamedTuple):
    """Rates of one coin, the open interest and the candles that weigh them, and the open interest of the past by the hour."""

    scope: Scope
    rates: pl.DataFrame
    interest: pl.DataFrame
    candles: pl.DataFrame
    past: pl.DataFrame


def read(hold: Holding, scope: Scope) -> Material:
    """Read what is needed, holding the session for one piece at a time."""
    with hold() as session:
        session.flush()
        rates, held, candles = _now(session, scope)
    has_settled = (rates["funding_kind"] == "settled").any()
    return Material(scope, rates, held, candles, leverage.hourly(hold, scope, scope.at - PAST) if has_settled else pl.DataFrame())


def _now(session: Session, scope: Scope) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Rates, and what weighs them at the moment: open interest and candles."""
    start, at = scope.start, scope.at
    settled = frame(session.store.read(
        "funding_rates", start=min(start - 3 * DAY, at - PAST), end=at + 1, base=scope.base, as_of=scope.as_of,
        where={"funding_kind": "settled"},
    )).drop("source", strict=False)  # fmt: skip
    predicted = leverage.readings(
        session, scope, "funding_rates", min(start - 9 * HOUR, at - FRESH), bucket=scope.bucket(POINTS), funding_kind="predicted"
    )
    candles = leverage.readings(
        session, scope, "candles", at - DAY, per=("venue", "symbol", "interval_seconds", "ts_open"), price_kind="last"
    )
    held = leverage.interest(session, scope, at - 2 * open_interest.TOLERANCE)
    return pl.concat([settled, predicted.select(settled.columns)]), held, candles


def document(material: Material) -> dict[str, Any]:
    """Write the answer."""
    scope = material.scope
    latest = funding.latest(material.rates, scope.at)
    held = leverage.weights(material.interest, scope)
    traded = funding.volume_weights(material.candles, scope.at)
    weighing = {"open_interest": held, "volume": traded}
    aggregates = {
        (kind, weighting): funding.aggregate(latest, weighing[weighting], base=scope.base, kind=kind, weighting=weighting)
        for kind in KINDS for weighting in WEIGHTINGS
    }  # fmt: skip
    chosen: Kind = "predicted" if (latest["funding_kind"] == "predicted").any() else "settled"
    paid = funding_history.cumulative(material.rates, scope.start, scope.at)
    regime, why, words, past = _regimes(material)
    return {
        **scope.head(), "sign_rule": SIGN_RULE, "resting_8h": funding.RESTING_8H, "kind": chosen,
        "venues": _venues(latest, held, traded), "aggregates": {
            kind: {weighting: _aggregate(aggregates[kind, weighting]) for weighting in WEIGHTINGS} for kind in KINDS
        },
        "regime": regime, "regime_reason": why, "thresholds": msgspec.structs.asdict(funding_regimes.Thresholds()), "regimes": words,
        "spreads": leverage.written(funding.spreads(latest, base=scope.base, kind=chosen)), "cumulative": leverage.written(paid),
        "history": _history(material), "reason": _reason(latest, scope),
        "figures": _figures(material, latest, aggregates, weighing, chosen, paid, regime, why, past),
    }  # fmt: skip


def _reason(latest: pl.DataFrame, scope: Scope) -> str:
    return "" if len(latest) else f"no funding rate of {scope.base} was known by this moment"


def _aggregate(found: Weighted) -> dict[str, Any]:
    row = leverage.struct(found)
    if found.rate_8h is None:
        weight = "open interest" if found.weighting == "open_interest" else "volume of the last 24 h"
        row["reason"] = f"no fresh {found.funding_kind} rate has a {weight} to weigh it by"
    return row


RATE = (
    "ts_event", "funding_time", "funding_rate", "funding_interval_hours", "is_interval_inferred", "rate_8h", "apr", "apy", "hit", "pays",
    "age_hours", "why_not",
)  # fmt: skip


def _venues(latest: pl.DataFrame, held: pl.DataFrame, traded: pl.DataFrame) -> list[dict[str, Any]]:
    """One row per contract: what was predicted and settled last, and what it weighs."""
    usd = {name: {(v, s): usd for v, s, _, usd in rows.iter_rows()} for name, rows in (("oi", held), ("volume", traded))}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    margin = open_interest.margin_type("symbol")
    for row in leverage.written(latest.with_columns(margin_type=margin)):
        key = row["venue"], row["symbol"]
        empty = {"venue": key[0], "symbol": key[1], "margin_type": row["margin_type"], "predicted": None, "settled": None}
        weights = {"open_interest_usd": usd["oi"].get(key), "volume_24h_usd": usd["volume"].get(key)}
        rate = {name: value for name, value in row.items() if name.removesuffix("_ms") in RATE}
        rows.setdefault(key, empty | weights)[row["funding_kind"]] = {**rate, "is_stale": row["why_not"] == "stale"}
    return [rows[key] for key in sorted(rows)]


def _series(material: Material) -> pl.DataFrame:
    """Settled funding of the past and the window, over venues, weighed by open interest where there is any."""
    scope = material.scope
    buckets = funding_history.history(material.rates, min(scope.start, scope.at - PAST), scope.at)
    past = None
    if len(material.past) and material.past["open_interest_usd"].count():
        past = material.past.with_columns(ts_recv=pl.col("ts_event"))  # one reading each: which came last no longer matters
    return funding_history.combined(buckets, past, base=scope.base)


def _regimes(material: Material) -> tuple[dict[str, Any] | None, str, list[dict[str, Any]], pl.DataFrame]:
    """The regime, why none is named, those of the window, and the series they are read from."""
    scope = material.scope
    if not len(material.rates.filter(pl.col("funding_kind") == "settled")):
        return None, NO_PAST, [], pl.DataFrame()
    series = _series(material)
    last = funding_regimes.regime(series, scope.at)
    if last is None:
        return None, NO_PAST, [], series
    rows = series.filter(pl.col("ts_end") == last.ts_end)
    more = {"weighting": rows["weighting"][0], "coverage": rows["coverage"][0], "contracts": rows["contracts"][0]}
    kept = ("ts_end_ms", "word", "rate_8h", "percentile", "share_negative")
    found = [leverage.struct(one) for one in funding_regimes.regimes(series, scope.start, scope.at)[-POINTS:]]
    reason = "" if last.word is not None else last.why
    return leverage.struct(last) | more, reason, [{name: row[name] for name in kept} for row in found], series


def _history(material: Material) -> dict[str, Any]:
    """Settlements and predictions through the window: each settlement while the window is short, else buckets. What was predicted when
    the window began stands at its start."""
    scope, window = material.scope, material.scope.at - material.scope.start
    hours = (
        None if window <= POINTS * HOUR else next((h for h in (8.0, 24.0, 72.0) if window / (h * HOUR) <= POINTS), window / HOUR / POINTS)
    )
    settled = funding_history.history(material.rates, scope.start, scope.at, hours=hours)
    said = funding.records(material.rates, scope.at).filter((pl.col("funding_kind") == "predicted") & pl.col("rate_8h").is_not_null())
    said = said.group_by([*CONTRACT, pl.col("ts_event").clip(scope.start) // scope.bucket(POINTS)], maintain_order=True).agg(
        pl.col("ts_event").last().clip(scope.start).alias("ts"), pl.col("rate_8h").last(), pl.col("hit").last()
    ).select([*CONTRACT, "ts", "rate_8h", "hit"])  # fmt: skip
    return {
        "bucket_hours": hours, "settled": leverage.columns(settled), "predicted": leverage.columns(said),
        "predicted_bucket_ms": scope.bucket(POINTS) // MS,
    }  # fmt: skip


def _figures(
    material: Material, latest: pl.DataFrame, aggregates: dict[tuple[Kind, Weighting], Weighted], weighing: dict[str, pl.DataFrame],
    kind: Kind, paid: pl.DataFrame, regime: dict[str, Any] | None, why: str, past: pl.DataFrame,
) -> list[dict[str, Any]]:  # fmt: skip
    scope = material.scope
    venues = leverage.sources("funding_rates", latest["venue"].to_list())
    inputs = latest.filter(pl.col("funding_kind") == kind).rows()
    figures = []
    for weighting in WEIGHTINGS:
        found, weights = aggregates[kind, weighting], weighing[weighting].sort(CONTRACT).rows()
        note = "; ".join(
            [found.pays, *([f"stale, left out: {', '.join(found.stale)}"] if found.stale else []),
             *([f"at cap or floor: {', '.join(found.hit)}"] if found.hit else [])]
        )  # fmt: skip
        for name, value in (("rate_8h", found.rate_8h), ("apr", found.apr)):
            figures.append(leverage.told(
                f"funding.{kind}.{weighting}.{name}", value, "share per 8 h" if name == "rate_8h" else "share per year", scope,
                inputs=[kind, weighting, inputs, weights], sources=venues, coverage=found.coverage,
                missing=[*found.stale, *found.without_rate], note=note,
            ))  # fmt: skip
    rate = None if regime is None else regime["rate_8h"]
    figures.append(leverage.told(
        "funding.settled.regime", rate, "share per 8 h", scope, inputs=[past.rows()], sources=venues,
        coverage=None if regime is None else regime["coverage"], note=why if regime is None else regime["word"] or why,
    ))  # fmt: skip
    for venue, symbol, share, covered in paid.select("venue", "symbol", "paid", "coverage").iter_rows():
        figures.append(leverage.told(
            f"funding.paid.{venue}.{symbol}", share, "share of notional", scope, inputs=[venue, symbol, scope.start, share],
            sources=[f"funding_rates/{venue}"], coverage=covered, note=funding.sign_rule(share),
        ))  # fmt: skip
    return figures
