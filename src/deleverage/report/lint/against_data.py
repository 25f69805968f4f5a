"""What a text says against the system's own figures at a moment."""

import re
from collections.abc import Iterator, Mapping, Sequence

from deleverage.figure import Figure
from deleverage.report.claims import show
from deleverage.report.lint.extract import Statement
from deleverage.report.lint.finding import Finding, amount
from deleverage.report.lint.sums import is_share
from deleverage.report.lint.values import INDEX

MACRO: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("DFII10", re.compile(r"\b(?:10-year|ten-year|10y) (?:US )?(?:real|TIPS)|real (?:10-year |ten-year )?yield", re.I)),
    ("DGS10", re.compile(r"\b(?:10-year|ten-year|10y)\b", re.I)),
    ("VIXCLS", re.compile(r"\bVIX\b")),
    ("DTWEXBGS", re.compile(r"\b(?:broad|trade-weighted) dollar", re.I)),
)
FLOOR = re.compile(r"floor|per second|undisclosed|at least")
FULL = 0.999
"""Coverage from which an amount that was seen is the whole rather than a floor, where no venue is missing."""


def names_for(s: Statement) -> list[str]:
    """Names under which the figure of a statement would stand, best first.

    Money and shares of liquidations need a window; without one the report's own, 24 h, is meant.
    """
    q, text = s.quantity, s.sentence.text
    hours = 24.0 if s.hours is None else s.hours
    window = f"{hours:g}h"
    if s.topic == "liquidations" and re.search(r"\bestimat|\binterval\b", text, re.I):
        is_whole = not s.venues and not s.coins and s.side is None and q.kind == "money" and q.until is None
        return [f"liquidations.estimate.{window}"] if is_whole else []
    if s.topic == "liquidations" and len(s.venues) + len(s.coins) <= 1 and s.role != "rest":
        subject = f"liquidations.venue.{s.venues[0]}" if s.venues else f"liquidations.base.{s.coins[0]}" if s.coins else "liquidations"
        if q.kind == "money":
            side = s.side or ("" if s.venues or s.coins else "total")
            return [f"{subject}.{side}.{window}" if side else f"{subject}.{window}"]
        if q.kind == "share" and is_share(s):
            return (
                [f"{subject}.{'long_share' if s.side == 'long' else 'share'}.{window}"]
                if s.side != "short" and (s.side or subject != "liquidations")
                else []
            )
    if q.kind in ("number", "points") and INDEX.search(text) and 0 <= q.value <= 100 and not s.is_earlier:
        return ["sentiment.fear_greed"]
    base = s.coins[0] if s.coins else "BTC"
    if (
        s.topic == "flows"
        and q.kind == "money"
        and re.search(r"\b(?:day|daily|on )\b", text)
        and not re.search(r"month|week|so far|cumulative|record|since", text, re.I)
    ):
        return [f"etf.{base}.net_flow.day"]
    if re.search(r"\bDVOL\b", s.near + text) and q.kind in ("share", "number", "points") and re.search(r"DVOL[^;]{0,50}$", text[: q.start]):
        return [f"options.published_index.{base}", f"options.volatility_index.{base}"]
    if q.kind == "share" and re.search(r"\bfunding\b", text, re.I) and abs(q.value) < 1:
        return [f"funding.venue.{s.venues[0]}.{base}"] if s.venues else [f"funding.oi_weighted.{base}"]
    if q.kind in ("share", "number"):
        for series, pattern in MACRO:
            if pattern.search(s.before[-60:] + s.after[:30]):
                return [f"macro.{series}"]
    return []


def against_data(found: Sequence[Statement], figures: Mapping[str, Figure]) -> Iterator[Finding]:
    """Hold every statement whose figure is known against it."""
    for s in found:
        name = next((n for n in names_for(s) if n in figures), None)
        if name is None or (s.is_earlier and ".estimate." not in name):
            continue
        figure = figures[name]
        ids = frozenset({s.id})
        if figure.value is None:
            yield Finding(
                s.sentence.text, "not_checkable", "data", f"{name} is missing: {figure.note or 'not in the data'}", s.sentence.order, ids
            )
            continue
        value = _in_unit(figure.value, figure, s)
        low, high = (
            (value, value)
            if figure.interval is None
            else (_in_unit(figure.interval[0], figure, s), _in_unit(figure.interval[1], figure, s))
        )
        q, words = s.quantity, f"said {s.quantity.text}; {name} is {show(figure).text}"
        top = q.until.high if q.until is not None else q.high
        slack = max(q.step, 0.005 * abs(value)) if q.kind == "money" else q.step
        fits = q.low - slack <= high and low - slack <= top
        if figure.status == "modelled":
            yield Finding(s.sentence.text, "consistent" if fits else "not_checkable", "data", f"{words}, modelled", s.sentence.order, ids)
        elif fits:
            yield Finding(s.sentence.text, "consistent", "data", words, s.sentence.order, ids)
        elif name.startswith("liquidations.") and _is_floor(figure) and (q.kind != "money" or q.value > value):
            yield Finding(s.sentence.text, "not_checkable", "data", f"{words}, which is a floor: {_why(figure)}", s.sentence.order, ids)
        elif figure.status == "stale":
            yield Finding(s.sentence.text, "not_checkable", "data", f"{words}, which is stale", s.sentence.order, ids)
        else:
            yield Finding(s.sentence.text, "inconsistent", "data", f"{words}, not {amount(q)}", s.sentence.order, ids)


def _in_unit(value: float, figure: Figure, s: Statement) -> float:
    """A figure's value in the unit the text is written in."""
    if s.quantity.kind == "share" and (figure.unit in ("share", "volatility", "change") or figure.unit.startswith("rate_")):
        return 100.0 * value
    is_outflow = (
        s.topic == "flows" and not s.quantity.is_signed and re.search(r"outflow|redemption|withdr|left|pulled", s.sentence.text, re.I)
    )
    return -value if is_outflow else value


def _is_floor(figure: Figure) -> bool:
    return bool(figure.missing) or (figure.coverage or 0.0) < FULL or bool(FLOOR.search(figure.note))


def _why(figure: Figure) -> str:
    if figure.missing:
        return "missing " + ", ".join(figure.missing)
    return figure.note or "feeds leave orders out"
