"""How accounts, top traders and takers lean, as one document, each ratio with what it says and what it cannot say."""

from typing import Any, NamedTuple

import polars as pl

from deleverage.analytics import funding, positioning
from deleverage.analytics.funding import HOUR
from deleverage.analytics.positioning import MEASURES
from deleverage.api import leverage
from deleverage.api.anatomy import MS, frame
from deleverage.api.leverage import DAY, Scope
from deleverage.api.session import Session

POINTS = 200
PER = ("venue", "symbol", "ratio_kind", "period_seconds")
CANDLE = ("venue", "symbol", "interval_seconds", "ts_open")


class Material(NamedTuple):
    """Ratios of one coin through the window and the day before the moment, what takers traded, by venue and step, and candles that say
    how much was traded in all (None: the window is longer than a week)."""

    scope: Scope
    ratios: pl.DataFrame
    taken: pl.DataFrame
    candles: pl.DataFrame | None


def read(session: Session, scope: Scope) -> Material:
    """Read what is needed; the caller holds the session."""
    session.flush()
    bucket = scope.bucket(POINTS)
    fine = leverage.readings(session, scope, "positioning_ratios", scope.at - DAY - 4 * HOUR, bucket=5 * leverage.MINUTE, per=PER)
    coarse = leverage.readings(session, scope, "positioning_ratios", scope.start, bucket=bucket, per=PER)
    taken = frame(session.store.taker_flow(scope.start, scope.at, scope.as_of, bucket)).filter(pl.col("base") == scope.base)
    is_short = scope.at - scope.start <= 7 * DAY
    candles = leverage.readings(session, scope, "candles", scope.start, per=CANDLE, price_kind="last") if is_short else None
    return Material(scope, pl.concat([fine, coarse]).unique(maintain_order=True), taken, candles)


def document(material: Material) -> dict[str, Any]:
    """Write the answer."""
    scope, bucket = material.scope, material.scope.bucket(POINTS)
    shaped = positioning.shaped(material.ratios, scope.at)
    latest = positioning.latest(shaped, scope.at)
    series = [leverage.columns(_thinned(shaped, kind, scope, bucket), [*leverage.PER, "base", "ratio_kind"]) for kind in MEASURES]
    taken = _taken(material)
    return {
        **scope.head(), "measures": [{"ratio_kind": kind, **measure._asdict()} for kind, measure in MEASURES.items()],
        "rows": leverage.written(latest), "series": [one for found in series for one in found], "step_ms": bucket // MS,
        "taker_flow": taken, "reason": "" if len(latest) or taken else f"no venue told how positions of {scope.base} lean by this moment",
        "figures": _figures(scope, latest),
    }  # fmt: skip


def _thinned(shaped: pl.DataFrame, kind: positioning.Kind, scope: Scope, bucket: int) -> pl.DataFrame:
    """The last of each step, of the shortest period a venue prints."""
    rows = positioning.series(shaped, kind, scope.start, scope.at + 1, base=scope.base)
    shortest = rows.filter(pl.col("period_seconds").fill_null(0) == pl.col("period_seconds").fill_null(0).min().over("venue", "symbol"))
    group = ["venue", "symbol", "base", "ratio_kind"]
    return shortest.group_by([*group, pl.col("ts_event") // bucket], maintain_order=True).agg(
        pl.col("ts_event").last().alias("ts"), pl.col("long_share").last()
    ).select([*group, "ts", "long_share"])  # fmt: skip


def _taken(material: Material) -> list[dict[str, Any]]:
    """What takers bought and sold by venue, from trades (or candles where a venue's trades are not there), its course, and the share of
    the venue's volume that is in it."""
    scope, found = material.scope, []
    whole: dict[str, float] = {}
    if material.candles is not None:
        traded = funding.volume_weights(material.candles, scope.at, hours=(scope.at - scope.start) / HOUR)
        whole = dict(traded.group_by("venue").agg(pl.col("usd").sum()).iter_rows())
    for (venue,), part in material.taken.sort("ts_event").group_by(["venue"], maintain_order=True):
        steps = part.group_by("ts_event", maintain_order=True).agg(pl.col("buy_usd").sum(), pl.col("sell_usd").sum())
        bought, sold = float(steps["buy_usd"].sum()), float(steps["sell_usd"].sum())
        both = pl.col("buy_usd") + pl.col("sell_usd")
        share = steps.select(pl.when(both > 0).then(pl.col("buy_usd") / both))["buy_usd"]
        found.append({
            "venue": venue, "ratio_kind": "taker_volume", "buy_usd": bought, "sell_usd": sold,
            "long_share": bought / (bought + sold) if bought + sold > 0 else None,
            "coverage": min((bought + sold) / whole[str(venue)], 1.0) if whole.get(str(venue)) else None,
            "ts_ms": (steps["ts_event"] // MS).to_list(), "share": share.to_list(),
        })  # fmt: skip
    return sorted(found, key=lambda row: str(row["venue"]))


def _figures(scope: Scope, latest: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        leverage.told(
            f"positioning.{row['ratio_kind']}.{row['venue']}.{row['symbol']}", row["long_share"], "share", scope,
            inputs=[sorted(row.items(), key=str)], sources=[f"positioning_ratios/{row['venue']}"], stale=bool(row["is_stale"]),
            note=MEASURES[row["ratio_kind"]].says if row["ratio_kind"] in MEASURES else "",
        ) for row in latest.to_dicts()
    ]  # fmt: skip
