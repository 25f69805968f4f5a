"""Sentiment as one document: the published index with whose word it is, and our own with every part."""

from typing import NamedTuple

import msgspec
import polars as pl

from deleverage.analytics import sentiment
from deleverage.analytics.sentiment import NEEDED, UPPER, OwnIndex, Sentiment
from deleverage.api import outside, sentiment_parts
from deleverage.api.anatomy import MS
from deleverage.api.outside import DAY, POINTS, Document, Rows, Scope, figure, origin
from deleverage.api.sentiment_parts import ABOUT, Parts
from deleverage.api.session import Session
from deleverage.figure import Status
from deleverage.references.fear_greed import INDEX
from deleverage.references.reference import day_of

TITLES = {INDEX: "Fear & Greed Index"}
OURS = "deleverage"
METHOD = "docs/methods/sentiment.md"


class Material(NamedTuple):
    """Readings of the published index, and the components of ours."""

    scope: Scope
    index_name: str
    rows: Rows
    parts: Parts


def read(session: Session, scope: Scope, index: str = INDEX) -> Material:
    """Read what is needed; the caller holds the session."""
    rows = outside.read(session, scope, "sentiment_readings", index_name=index)
    flows = outside.closed_by(outside.read(session, scope, "etf_flows", base=sentiment_parts.BASE).frame, "trading_day", scope.at)
    return Material(scope, index, rows, sentiment_parts.read(session, scope, flows))


def document(material: Material, days: int = 400) -> Document:
    """Write the answer with histories over the last `days`."""
    scope = material.scope
    found = sentiment.latest(material.rows.frame, material.index_name, scope.as_of)
    published = None if found is None else _published(found, scope)
    instants = [scope.at - n * DAY * max(1, -(-days // POINTS)) for n in reversed(range(min(days, POINTS)))]
    *past, own = sentiment.own_indices(material.parts.frames, instants)
    figures = [_figure(material, found), *_own_figures(material, own)]
    return {
        **scope.head(), "index": published, "bands": _bands(), "history": _history(material, days),
        "own": _own(material, own),
        "own_history": {
            "ts_ms": [ts // MS for ts, one in zip(instants, [*past, own], strict=True) if one.value is not None],
            "value": [round(one.value, 4) for one in [*past, own] if one.value is not None],
        },
        "headline": headline(found, own), "empty": None if found else outside.nothing(material.rows, scope, "reading of a sentiment index"),
        "figures": figures, "method": METHOD,
    }  # fmt: skip


def _bands() -> list[Document]:
    starts = [0.0, *(end for end, _ in UPPER[:-1])]
    return [{"band": word, "from": start, "to": min(end, 100.0)} for start, (end, word) in zip(starts, UPPER, strict=True)]


def _stale(found: Sentiment, scope: Scope) -> str:
    """Say why the value is old; "" where it is not."""
    if scope.at - found.ts_event < sentiment.STALE:
        return ""
    known = outside.late(found.source, found.index_name, day_of(found.ts_event), scope.at)
    return known or f"the last value is {(scope.at - found.ts_event) / outside.HOUR:.0f} hours old; one is due every 24"


def _published(found: Sentiment, scope: Scope) -> Document:
    row: Document = msgspec.to_builtins(found)
    for name in ("ts_event", "known_at", "month_before_at", "as_low_on", "as_high_on", "since"):
        value = row.pop(name)
        row[{"ts_event": "ts"}.get(name, name) + "_ms"] = None if value is None else value // MS
    whose, why = origin(found.source), _stale(found, scope)
    row.pop("is_stale")
    return row | {
        "title": TITLES.get(found.index_name, found.index_name), "band_by": OURS, "source_band_by": whose.source,
        "words_differ": bool(found.source_band) and found.source_band.lower() != found.band, "status": "stale" if why else "measured",
        "evidence": why, "age_hours": (scope.at - found.ts_event) / outside.HOUR, "attribution": whose.attribution, "terms": whose.terms,
        "source_title": whose.title, "schedule": whose.schedule,
    }  # fmt: skip


def _figure(material: Material, found: Sentiment | None) -> Document:
    scope = material.scope
    name = "sentiment.fear_greed" if material.index_name == INDEX else f"sentiment.{material.index_name}"
    if found is None:
        return figure(name, None, "index points", scope, sources=(), inputs=(), note="no reading is known")
    status: Status = "stale" if _stale(found, scope) else "measured"
    return figure(
        name, found.value, "index points", scope, sources=(f"sentiment_readings/{found.source}",), status=status,
        inputs=(found.ts_event, found.known_at, found.value), note=f"{found.band} (our band); {origin(found.source).attribution}",
    )  # fmt: skip


def _history(material: Material, days: int) -> Document:
    held = sentiment.history(material.rows.frame, material.index_name, material.scope.as_of)
    rows, step = outside.thinned(held.filter(pl.col("ts_event") > material.scope.at - days * DAY))
    return {
        "ts_ms": (rows["ts_event"] // MS).to_list(), "value": rows["value"].to_list(), "band": rows["band"].to_list(),
        "source_band": rows["source_band"].to_list(), "every": step,
    }  # fmt: skip


def _own(material: Material, own: OwnIndex) -> Document:
    parts = []
    for part in own.parts:
        about, held = ABOUT[part.component], material.parts.frames.get(part.component)
        why = "" if part.percentile is not None else _why_missing(material, part.component, part.history)
        parts.append(msgspec.to_builtins(part) | {
            "title": about.title, "unit": about.unit, "why_missing": why, "source": material.parts.sources.get(part.component, ""),
            "ts_ms": None if held is None or part.value is None else int(held["ts"][-1]) // MS,
        })  # fmt: skip
    return {
        "value": own.value, "band": own.band, "band_by": OURS, "present": own.present, "needed": NEEDED, "missing": list(own.missing),
        "parts": parts, "status": "missing" if own.value is None else "modelled",
        "reason": "" if own.value is not None else _why_none(own), "attribution": "Own index: deleverage; weights chosen, not fitted",
    }  # fmt: skip


def _why_none(own: OwnIndex) -> str:
    return f"components of {100 * own.present:.0f} % of the weight are known; half is needed. Missing: {', '.join(own.missing)}"


def _why_missing(material: Material, component: str, before: int) -> str:
    about, held = ABOUT[component], material.parts.frames.get(component)
    if held is None:
        return f"not in the data: needs {about.needs}"
    age = (material.scope.at - int(held["ts"][-1])) / DAY
    known = "1 day before it is known" if before == 1 else f"{before} days before it are known"
    return f"{known}; 90 are needed" if age <= 4 else f"its last value is {age:.0f} days old; four are allowed"


def _own_figures(material: Material, own: OwnIndex) -> list[Document]:
    scope, used = material.scope, [p for p in own.parts if p.percentile is not None]
    sources = sorted({material.parts.sources[p.component] for p in used})
    return [figure(
        "sentiment.own", own.value, "index points", scope, sources=sources, status="modelled", missing=own.missing, coverage=own.present,
        inputs=[(p.component, p.value, p.history, p.percentile) for p in used],
        note="weights chosen, not fitted; no forecast" if own.value is not None else _why_none(own),
    )]  # fmt: skip


def headline(found: Sentiment | None, own: OwnIndex) -> str:
    """Say where sentiment stands, against a month before; "" where no index is known."""
    if found is None:
        return "" if own.value is None else f"Our own index is {own.value:.0f}, {own.band}."
    text = f"{'Fear & Greed' if found.index_name == INDEX else found.index_name} {found.value:.0f}, {found.band}"
    if found.days_in_band > 1:
        text += f" for {found.days_in_band} days"
    if found.month_before is not None:
        text += f"; a month before {found.month_before:.0f}, {found.month_before_band}"
    return text
