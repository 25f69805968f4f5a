"""The wider economy as one document: levels as known, lines through the past year, and how a coin moved with them."""

from typing import NamedTuple

import polars as pl

from deleverage.analytics import macro
from deleverage.analytics.macro import BREAKEVEN, NOMINAL, REAL, new_york
from deleverage.api import beta, leverage, outside
from deleverage.api.anatomy import MS
from deleverage.api.outside import DAY, POINTS, Document, Rows, Scope, figure, origin
from deleverage.api.session import Session
from deleverage.figure import Status
from deleverage.references import REFERENCES

METHOD = "docs/methods/macro.md"


class About(NamedTuple):
    """A series in words: its name, how it comes out, and what one step of its beta is."""

    title: str
    publication: str
    step: str


DAILY, WEEKLY = "by the trading day, a day late", "by the trading day, released on Mondays for the week before"
ABOUT = {
    NOMINAL: About("10-year yield, nominal", DAILY, "percentage point"),
    REAL: About("10-year yield, real", DAILY, "percentage point"),
    BREAKEVEN: About("10-year breakeven inflation", f"made here of {NOMINAL} less {REAL}", "percentage point"),
    "DTWEXBGS": About("Broad dollar index", WEEKLY, "percent"),
    "SP500": About("S&P 500", DAILY, "percent"),
    "NASDAQCOM": About("Nasdaq Composite", DAILY, "percent"),
    "VIXCLS": About("VIX", DAILY, "point"),
}
"""DTWEXBGS is the Federal Reserve's broad index, not the DXY of the futures market."""
EQUITIES = ("SP500", "NASDAQCOM", "VIXCLS")
CHANCE = "one interval in twenty excludes 0 by chance alone; a beta is no forecast"
OLD_DAYS = 10
"""Age in days at which a series without a known schedule is stale."""


class Material(NamedTuple):
    """Observations known, and the coin's prices that go with them."""

    scope: Scope
    base: str
    rows: Rows
    moves: beta.Material


def read(session: Session, scope: Scope, base: str = "BTC") -> Material:
    """Read what is needed; the caller holds the session."""
    rows = outside.read(session, scope, "macro_observations")
    moves = beta.read(session, leverage.Scope(scope.at - DAY, scope.at, scope.as_of, base), ())
    return Material(scope, base, rows, moves)


def document(material: Material, days: int = 400) -> Document:
    """Write the answer with lines over the last `days`."""
    scope = material.scope
    rows = outside.closed_by(material.rows.frame, "observation_date", scope.at)
    held = macro.names_of(rows) if rows.height else []
    series = [name for name in ABOUT if name in held] + [name for name in held if name not in ABOUT]
    levels = [_level(row, rows, scope) for row in macro.levels(rows, scope.as_of, series).to_dicts()]
    moved = beta.document(material.moves)
    betas = [_beta(row, material.base) for row in {(row["series"], row["n"]): row for row in moved["daily"]}.values()]
    names = {row["series"] for row in levels}
    source = origin(_most(rows)) if rows.height else None
    return {
        **scope.head(), "base": material.base, "levels": levels, "lines": _lines(rows, names, scope, days), "betas": betas,
        "betas_reason": moved["daily_reason"], "betas_note": CHANCE if betas else "", "price": _price(material),
        "source": None if source is None else source._asdict(),
        "absent": [{"series": s, "title": ABOUT[s].title, "why": _absent(s)} for s in EQUITIES if s not in names],
        "status": "missing" if not levels else "stale" if any(row["status"] == "stale" for row in levels) else "measured",
        "headline": headline(levels), "words": [row["words"] for row in betas],
        "empty": None if levels else outside.nothing(material.rows, scope, "observation of an economic series"),
        "figures": _figures(material, levels, betas), "method": METHOD, "beta_method": "docs/methods/beta.md",
    }  # fmt: skip


def _absent(series: str) -> str:
    return (
        f"not in the data; its owner lets nobody pass it on, so it is never bundled. FRED serves it ({series}): collect it, or "
        f"{outside.HOW['macro_observations']}"
    )


def _level(row: Document, rows: pl.DataFrame, scope: Scope) -> Document:
    series = row["series"]
    about = ABOUT.get(series, About(series, "not known here", "percent"))
    today = pl.Series([scope.at]).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("America/New_York").dt.date()[0]
    age = (today - row["observation_date"]).days
    made = (NOMINAL, REAL) if series == BREAKEVEN else (series,)
    said = [_late(rows, name, scope) for name in made]
    why = "; ".join(word for word in said if word)
    return row | {
        "title": about.title, "publication": about.publication, "observation_date": str(row["observation_date"]),
        "month_before_date": None if row["month_before_date"] is None else str(row["month_before_date"]), "age_days": age,
        "known_at_ms": row.pop("known_at") // MS, "held_ms": new_york(pl.Series([row["observation_date"]]))[0] // MS,
        "status": "stale" if why else "measured", "evidence": why, "is_ours": series == BREAKEVEN,
    }  # fmt: skip


def _late(rows: pl.DataFrame, series: str, scope: Scope) -> str:
    newest, source = outside.newest_day("macro_observations", rows, series), _source(rows, series)
    if source in REFERENCES:
        return outside.late(source, series, newest, scope.at)
    age = (scope.at - new_york(pl.Series([newest]))[0]) / DAY
    return f"{series} is {age:.0f} days old" if age > OLD_DAYS else ""


def _lines(rows: pl.DataFrame, names: set[str], scope: Scope, days: int) -> list[Document]:
    found = []
    for series in sorted(names):
        held = macro.observed(rows, series, scope.as_of).filter(pl.col("ts") > scope.at - days * DAY)
        kept, step = outside.thinned(held, POINTS)
        found.append({
            "series": series, "ts_ms": (kept["ts"] // MS).to_list(), "observation_date": kept["observation_date"].cast(pl.String).to_list(),
            "value": kept["value"].to_list(), "every": step,
        })  # fmt: skip
    return found


def _price(material: Material) -> Document | None:
    past = material.moves.past
    return None if past is None else {"venue": past.venue, "symbol": past.symbol, "price_kind": past.price_kind}


def _beta(row: Document, base: str) -> Document:
    about = ABOUT.get(row["series"], About(row["series"], "", "percent"))
    return row | {"title": about.title, "step": about.step, "words": verdict(row, about, base)}


def verdict(row: Document, about: About, base: str) -> str:
    """Say what a beta amounts to: how far the coin moved per step of the series, or that it cannot be told from 0."""
    if row["beta"] is None or row["beta_low"] is None:
        return f"{base} against {about.title}: cannot be told from {row['n']} changes."
    per_point = row["kind"] == "difference"
    size = 100 if per_point else 1
    interval = f"{size * row['beta_low']:+.1f} to {size * row['beta_high']:+.1f}"
    head = f"{base} against {about.title}, last {row['n']} changes: {size * row['beta']:+.1f} % per {about.step}"
    tail = "not told from 0" if row["verdict"] == "not resolvable" else f"{base} {row['verdict']} it"
    return f"{head} ({100 * row['level']:.0f} %: {interval}), {tail}."


def headline(levels: list[Document]) -> str:
    """Say where yields and the dollar stand against a month before."""
    said = []
    by_name = {row["series"]: row for row in levels}
    for name, short in ((NOMINAL, "10-year yield"), (REAL, "real"), (BREAKEVEN, "breakeven"), ("DTWEXBGS", "broad dollar index")):
        if name not in by_name:
            continue
        row = by_name[name]
        unit = " %" if row["unit"] == "percent" else ""
        change = "" if row["month_change"] is None else f" ({row['month_change']:+.2f} in a month)"
        said.append(f"{short} {row['value']:.2f}{unit}{change}")
    text = ", ".join(said)
    return text[:1].upper() + text[1:]


def _figures(material: Material, levels: list[Document], betas: list[Document]) -> list[Document]:
    scope = material.scope
    found = []
    for row in levels:
        status: Status = "stale" if row["status"] == "stale" else "measured"
        source = f"macro_observations/{_source(material.rows.frame, NOMINAL if row['is_ours'] else row['series'])}"
        inputs = (row["observation_date"], row["value"], row["known_at_ms"])
        found.append(figure(
            f"macro.{row['series']}", row["value"], row["unit"], scope, sources=(source,), status=status, inputs=inputs,
            note=f"of {row['observation_date']}, {row['age_days']} days old; {row['publication']}",
        ))  # fmt: skip
    price = _price(material)
    by = () if price is None else (f"{price['price_kind']}/{price['venue']}/{price['symbol']}",)
    for row in betas:
        unit = "log change per log change" if row["kind"] == "log" else "log change per point"
        interval = None if row["beta_low"] is None or row["beta_high"] is None else (row["beta_low"], row["beta_high"])
        found.append(figure(
            f"macro.beta.{material.base}.{row['series']}.{row['n']}", row["beta"], unit, scope,
            sources=(f"macro_observations/{row['series']}", *by), status="estimated",
            interval=interval, level=row["level"], inputs=sorted(row.items(), key=str), note=row["verdict"],
        ))  # fmt: skip
    return found or [figure("macro.DGS10", None, "percent", scope, sources=(), inputs=(), note="no observation is known")]


def _source(rows: pl.DataFrame, series: str) -> str:
    return _most(rows.filter(pl.col("series") == series))


def _most(rows: pl.DataFrame) -> str:
    return str(rows["venue"].mode().sort()[0])
