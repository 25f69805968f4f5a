"""What the command line and Python ask about the outside world, from the files or by the server that holds them: the same documents."""

import time
from collections.abc import Mapping
from typing import Any, cast

from deleverage.answers.liquidations import Answer
from deleverage.api import etf_flows, macro, sentiment
from deleverage.api.outside import DAY, Document, Scope
from deleverage.api.reconstructed import as_served
from deleverage.api.routes import resolve
from deleverage.api.session import StoredSession
from deleverage.errors import BadInput
from deleverage.figure import dollars
from deleverage.reader import Reader
from deleverage.when import iso

SUBJECTS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "sentiment": (sentiment, ("index",)), "etf-flows": (etf_flows, ("base", "source")), "macro": (macro, ("base",)),
}  # fmt: skip
"""By route: what reads and writes it, and what `read` takes."""
VIEWS = {"sentiment": ("index", "part", "history"), "etf-flows": ("day", "fund", "month"), "macro": ("level", "beta")}
DAYS = 15
"""Trading days in a table."""


def document(
    reader: Reader, subject: str, at: str | None = None, as_of: str | None = None, *, days: int | None = None, **more: str | None
) -> Document:
    """Return the document of `/v1/<subject>`. Raises BadInput for a time that cannot be read."""
    module, _ = SUBJECTS[subject]
    given = {name: value for name, value in more.items() if value is not None}
    length = {} if days is None else {"days": days}
    if reader.store is None:
        times = {name: value for name, value in (("at", at), ("as_of", as_of)) if value is not None}
        asked = given | times | {name: str(value) for name, value in length.items()}
        return cast(Document, reader.ask_json(subject, asked)["data"])
    scope, session = Scope(*resolve(at, as_of, time.time_ns())), StoredSession(reader.store, "")
    found = module.document(module.read(session, scope, **given), **length)
    return cast(Document, as_served(session.reconstructed(), scope.at - DAY, scope.at, found))


def _view(subject: str, by: str) -> None:
    if by not in VIEWS[subject]:
        raise BadInput(f"cannot show {subject} by {by!r}; there are {', '.join(VIEWS[subject][:-1])} and {VIEWS[subject][-1]}")


def _hint(found: Document) -> str:
    return "" if found["empty"] is None else f"{found['empty']['reason']}; {found['empty']['how']}"


def _day(ms: int | None) -> str | None:
    return None if ms is None else iso(ms * 1_000_000)[:10]


def _value(value: float | None, unit: str) -> str | None:
    if value is None:
        return None
    if unit == "usd":
        return f"{dollars(value)} USD"
    if unit.startswith("share"):
        return f"{value:.{2 if abs(value) >= 0.001 else 4}%}{unit.removeprefix('share')}"
    return f"{value:.2f} {unit}"


def _part(p: Document) -> Document:
    return {
        "part": p["title"], "weight": f"{p['weight']:.0%}", "percentile": p["percentile"],
        "points": p["contribution"] if p["share"] else None, "value": _value(p["value"], p["unit"]),
        "days before": p["history"],
    }  # fmt: skip


def sentiment_table(reader: Reader, by: str, index: str, at: str | None, as_of: str | None) -> Answer:
    """The published index and ours, the parts of ours, or the published one's history."""
    _view("sentiment", by)
    found = document(reader, "sentiment", at, as_of, index=index)
    published, own = found["index"], found["own"]
    title = f"Sentiment, {iso(found['at_ms'] * 1_000_000)}"
    lines = [f"{found['headline']}."] if found["headline"] else []
    if published is not None:
        stale = f" STALE: {published['evidence']}." if published["status"] == "stale" else ""
        lines += [f"{published['attribution']}.{stale}"]
    if by == "part":
        value = own["value"]
        told = own["reason"] if value is None else f"Our own index: {value:.1f}, {own['band']}; {100 * own['present']:.0f} % of the weight"
        missing = [f"{p['title']}: {p['why_missing']}." for p in own["parts"] if p["why_missing"]]
        words = [f"{told}. 0 is fear, 100 greed; weights chosen, not fitted.", *missing]
        return Answer([_part(p) for p in own["parts"]], title, "\n".join(words))
    if by == "history":
        past = found["history"]
        rows = [
            {"day": _day(ts), "value": value, "band": band, "source's word": word} for ts, value, band, word in zip(
                past["ts_ms"], past["value"], past["band"], past["source_band"], strict=True)
        ]  # fmt: skip
        return Answer(rows, title, "\n".join(lines), _hint(found))
    rows = [] if published is None else [{
        "index": published["title"], "value": published["value"], "band": published["band"], "its source": published["source_band"],
        "of": _day(published["ts_ms"]), "month before": published["month_before"], "days in band": published["days_in_band"],
        "status": published["status"],
    }]  # fmt: skip
    if own["value"] is not None:
        rows.append({
            "index": "Our own", "value": own["value"], "band": own["band"], "its source": None, "of": _day(found["at_ms"]),
            "month before": None, "days in band": None, "status": own["status"],
        })  # fmt: skip
    elif rows:
        lines.append(f"Our own index: {own['reason']}.")
    return Answer(rows, title, "\n".join(lines), _hint(found))


def flows_table(reader: Reader, by: str, base: str, source: str | None, at: str | None, as_of: str | None) -> Answer:
    """Flows of the last trading days, by fund, or by month."""
    _view("etf-flows", by)
    found = document(reader, "etf-flows", at, as_of, base=base, source=source)
    title = f"ETF flows of {base}, {iso(found['at_ms'] * 1_000_000)}"
    if found["summary"] is None:
        return Answer([], title, "", _hint(found))
    rows: list[Document]
    if by == "fund":
        rows = found["by_fund"]
    elif by == "month":
        rows = [row | {"note": "month to date" if row["is_month_to_date"] else ""} for row in found["months"]]
    else:
        daily = found["daily"]
        names = ("trading_day", "net_flow_usd", "funds", "month_to_date_usd", "cumulative_usd", "is_provisional")
        rows = [dict(zip(names, values, strict=True)) for values in zip(*(daily[name] for name in names), strict=True)][-DAYS:]
    stale = [f"STALE: {found['evidence']}."] if found["status"] == "stale" else []
    records = [record["words"] for record in found["records"]]
    lines = [f"{found['headline']}.", *found["words"], *records, *stale, f"{found['source']['attribution']}."]
    return Answer(rows, title, "\n".join(lines))


def macro_table(reader: Reader, by: str, base: str, at: str | None, as_of: str | None) -> Answer:
    """Levels of economic series, or how a coin moved with them."""
    _view("macro", by)
    found = document(reader, "macro", at, as_of, base=base)
    title = f"Macro, {iso(found['at_ms'] * 1_000_000)}"
    if not found["levels"]:
        return Answer([], title, "", _hint(found))
    absent = ", ".join(row["title"] for row in found["absent"])
    lines = [f"Not in the data: {absent}."] if absent else []
    lines.append(f"{found['source']['attribution']}.")
    if by == "beta":
        kept = ("series", "n", "beta", "beta_low", "beta_high", "correlation", "verdict")
        rows = [{name: row[name] for name in kept} for row in found["betas"]]
        words = [*found["words"], f"{found['betas_note'].capitalize()}."] if rows else []
        return Answer(rows, f"{title}: {base}", "\n".join([*words, *lines]), found["betas_reason"])
    names = ("series", "title", "value", "unit", "change", "month_change", "observation_date", "age_days", "status")
    late = [f"STALE: {row['evidence']}." for row in found["levels"] if row["evidence"]]
    rows = [{name: row[name] for name in names} for row in found["levels"]]
    return Answer(rows, title, "\n".join([f"{found['headline']}.", *late, *lines]))
