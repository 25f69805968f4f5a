"""Options for the command line and for Python, from the files or by the server that holds them: the same documents either way."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, cast

from deleverage.answers.liquidations import Answer
from deleverage.api import option_positions, options
from deleverage.api.option_material import Asked
from deleverage.api.options import Taken
from deleverage.api.reconstructed import as_served
from deleverage.api.routes import resolve
from deleverage.api.session import StoredSession
from deleverage.errors import BadInput
from deleverage.reader import Reader
from deleverage.venues import venue_named
from deleverage.when import duration, iso

Document = dict[str, Any]
MS = 1_000_000
DOCUMENTS: Mapping[str, tuple[str, Callable[..., Document], tuple[str, ...]]] = {
    "chain": ("chain", options.chain_document, ()), "smile": ("smile", options.smile_document, ("expiry",)),
    "surface": ("surface", options.surface_document, ()), "term": ("term", options.term_document, ()),
    "index": ("volatility-index", options.index_document, ()), "open-interest": ("open-interest", option_positions.interest_document, ()),
    "exposure": ("exposure", option_positions.exposure_document, ()), "density": ("density", option_positions.density_document, ("by",
    "days")),
    "touch": ("touch", option_positions.touch_document, ("level", "by", "days")),
}  # fmt: skip
"""What can be asked: its route below /v1/options, what writes the document, and what more it takes."""
SUMMARY = ("index", "term", "open-interest", "exposure")


def documents(
    reader: Reader, whats: tuple[str, ...], *, base: str = "BTC", venue: str | None = None, at: str | None = None, as_of: str | None = None,
    window: str = "24h", **more: Any,
) -> list[Document]:  # fmt: skip
    """Return what is asked of one chain, in order. Raises BadInput for a word, venue, time or duration that cannot be read."""
    given = {name: value for name, value in more.items() if value is not None}
    for what in whats:
        if what not in DOCUMENTS:
            raise BadInput(f"options tell nothing of {what!r}; there are {', '.join(DOCUMENTS)}")
        unknown = set(given) - set(DOCUMENTS[what][2])
        if unknown:
            raise BadInput(f"{what} takes no {' or '.join(sorted(unknown))}")
    if venue is not None:
        venue_named(venue)
    if reader.store is None:
        asked = {"base": base, "venue": venue, "at": at, "as_of": as_of, "window": window, **given}
        parameters = {name: str(value) for name, value in asked.items() if value is not None}
        return [cast(Document, reader.ask_json(f"options/{DOCUMENTS[what][0]}", parameters)["data"]) for what in whats]
    ends, known = resolve(at, as_of, time.time_ns())
    session = StoredSession(reader.store, "")
    start = ends - duration(window)
    taken = Taken(lambda: nullcontext(session), Asked(base, venue, start, ends, known))
    return [as_served(session.reconstructed(), start, ends, DOCUMENTS[what][1](taken, **given)) for what in whats]


def table(what: str, said: Document) -> Answer:
    """Write a document as rows for a table, volatilities in points; the footer says whose quotes, of when, and what they are not."""
    rows = ROWS[what](said)
    return Answer(rows, f"{what} of {said['base']} options", _footer(said), said["reason"])


def summary(said: list[Document]) -> Answer:
    """Write index, volatility and skew by tenor, positions and dealers' regime as rows of one table."""
    index, terms, interest, exposed = said
    rows: list[Document] = []

    def row(what: str, value: str, note: str = "") -> None:
        rows.append({"what": what, "value": value, "meaning": note})

    ours, told, apart = index["ours"], index["published"], index["difference_points"]
    row("volatility index, ours", _number(ours["points"] if ours else None, 2), "30 days, points, two-sided mids")
    if told is not None:
        beside = "" if apart is None else f"ours is {apart:+.2f} points from it, {abs(index['seconds_apart']):.0f} s apart"
        row(f"volatility index, {told['venue']}", _number(told["points"], 2), beside)
    for tenor in terms["tenors"]:
        if tenor["atm"] is not None:
            skew = ", ".join(f"{name.upper()} {_points(tenor[name])}" for name in ("rr25", "bf25", "rr10", "bf10"))
            row(f"at the money, {tenor['tenor_days']:.0f} d", _number(100 * tenor["atm"], 2), skew)
    ratios, ends = interest["put_call"], [e for e in interest["expiries"] if e["max_pain"] is not None]
    if ratios is not None:
        ways = ", ".join(f"{name} {_number(ratios[name], 2)}" for name in ("volume", "notional", "premium"))
        row("put/call, open interest", _number(ratios["open_interest"], 2), ways)
    if ends:
        most = max(ends, key=lambda e: e["open_interest"] or 0.0)
        row(
            "max pain",
            f"{most['max_pain']:,.0f}",
            f"{_day(most['expiry_ms'])}, the expiry with the most open interest; positioning, not a forecast",
        )
    for one in exposed["conventions"]:
        flips = ", ".join(f"{flip['price']:,.0f}" for flip in one["flips"]) or "none within 30 %"
        row(f"gamma, {one['title'].lower()}", f"{one['gamma_usd'] / 1e6:+,.1f} M", f"USD per 1 %; flips: {flips}")
    if exposed["conventions"]:
        row("regime", exposed["regime"] or "unknown", "a word only where all conventions agree")
    return Answer(rows if index["chain_at_ms"] else [], f"Options of {index['base']}", _footer(index), index["reason"])


def _footer(said: Document) -> str:
    if said["chain_at_ms"] is None:
        return ""
    late = f", {said['age_seconds'] / 60:.0f} min old" if said["is_stale"] else ""
    words = f"{said['venue']}, quotes of {iso(said['chain_at_ms'] * MS)[:19]}Z{late}: {said['used']} of {said['listed']} contracts fitted."
    if said.get("is_extrapolated") or (said.get("touch") or {}).get("is_extrapolated"):
        words += " The date is later than the last expiry: its volatility is carried on."
    extra = said.get("reminder") or said.get("sign") or ""
    return f"{words} {extra[:1].upper()}{extra[1:]}".strip()


def _number(value: float | None, digits: int) -> str:
    return "—" if value is None else f"{value:,.{digits}f}"


def _points(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:+.2f}"


def _day(ms: int) -> str:
    return iso(ms * MS)[:10]


def _scaled(row: Mapping[str, Any], *names: str) -> Document:
    """Volatilities as points."""
    return {f"{name}_points": None if row[name] is None else 100 * row[name] for name in names}


def _chain(said: Document) -> list[Document]:
    kept = ("strike", "option_type", "bid", "ask", "mark")
    return [
        {"expiry": _day(o["expiry_ms"]), **{n: o[n] for n in kept}, **_scaled(o, "iv", "mark_iv"), "delta": o["delta"],
         "open_interest": o["open_interest"], "why_not": o["why_not"]} for o in said["options"]
    ]  # fmt: skip


def _smile(said: Document) -> list[Document]:
    return [
        {"expiry": _day(s["expiry_ms"]), "days": s["days"], "forward": s["forward"], "kind": s["kind"], "quotes": s["quotes"], **_scaled(s,
        "atm"),
         "rms_points": s["rms_points"], "min_g": s["min_g"]} for s in said["expiries"]
    ]  # fmt: skip


def _surface(said: Document) -> list[Document]:
    rows = zip(said["tenor_days"], said["delta_iv"], strict=False)
    return [
        {"tenor_days": t} | {f"{n} points": None if v is None else 100 * v for n, v in zip(said["delta"], row, strict=True)}
        for t, row in rows
    ]


def _term(said: Document) -> list[Document]:
    names = ("atm", "rr25", "bf25", "rr10", "bf10")
    past = {row["horizon_days"]: row["now"] for row in said["realised"]}
    return [
        {"tenor_days": t["tenor_days"], "forward": t["forward"], **_scaled(t, *names), **_scaled({"realised": past.get(t["tenor_days"])},
        "realised")}
        for t in said["tenors"]
    ]  # fmt: skip


def _index(said: Document) -> list[Document]:
    rows = [{"index": v["name"], "points": v["points"], "at": iso(said["chain_at_ms"] * MS), "what": v["what"]} for v in said["variants"]]
    told = said["published"]
    return rows + ([] if told is None else [{"index": told["index_name"], "points": told["points"], "at": iso(told["ts_ms"] * MS),
                                             "what": f"published by {told['venue']}"}])  # fmt: skip


def _interest(said: Document) -> list[Document]:
    return [
        {"expiry": _day(e["expiry_ms"]), "calls": e["call_open_interest"], "puts": e["put_open_interest"], "max_pain": e["max_pain"],
         "put_call": e["put_call_open_interest"], "by_volume": e["put_call_volume"], "by_notional": e["put_call_notional"],
         "by_premium": e["put_call_premium"]} for e in said["expiries"]
    ]  # fmt: skip


def _exposure(said: Document) -> list[Document]:
    return [
        {"convention": c["name"], "gamma_usd": c["gamma_usd"], "low_usd": c["gamma_low"], "high_usd": c["gamma_high"], "vanna": c["vanna"],
         "charm": c["charm"], "flips": ", ".join(f"{f['price']:,.0f}" for f in c["flips"])} for c in said["conventions"]
    ]  # fmt: skip


def _density(said: Document) -> list[Document]:
    return [{"by": _day(said["by_ms"]), "below": q["price"], "probability": q["share"]} for q in said["quantiles"]]


def _touch(said: Document) -> list[Document]:
    found = said["touch"]
    if found is None:
        return []
    kept = ("finish", "low", "high", "flat_atm", "flat_level", "local_volatility", "twice_digital")
    return [{"level": said["level"], "by": _day(said["by_ms"]), **{name: found[name] for name in kept}}]


ROWS: Mapping[str, Callable[[Document], list[Document]]] = {
    "chain": _chain, "smile": _smile, "surface": _surface, "term": _term, "index": _index, "open-interest": _interest,
    "exposure": _exposure,
    "density": _density, "touch": _touch,
}  # fmt: skip
