"""What is asked of liquidations, waves, the ladder, flow, books and feeds, answered from the files or by the server that holds them."""

import time
from typing import Any, NamedTuple, cast, get_args

from deleverage.analytics.liquidations import DIMENSIONS, By
from deleverage.analytics.waves import Scale
from deleverage.api import anatomy, liquidity
from deleverage.api.feeds import reference_rows
from deleverage.api.reconstructed import as_served
from deleverage.api.routes import resolve
from deleverage.api.session import StoredSession
from deleverage.api.view import Moment
from deleverage.errors import BadInput
from deleverage.reader import Reader
from deleverage.venues import VENUES
from deleverage.when import duration, iso


class Answer(NamedTuple):
    """Rows to print, with a title, a footer that names what is missing, and a hint where nothing was found."""

    rows: list[Any]
    title: str = ""
    footer: str = ""
    hint: str = ""


def liquidation_totals(reader: Reader, window: str, by: str, at: str | None, as_of: str | None, *, estimate: bool = False) -> Answer:
    """Totals over a window, with what was left out estimated beside. Raises BadInput for a `by`, duration or time that cannot be read."""
    if any(key not in DIMENSIONS for key in by.split(",")):
        raise BadInput(f"cannot add up by {by!r}; there are venue, base, side and size, alone or together as in venue,side")
    moment = None if reader.store is None else _moment(reader, window, at, as_of)
    if moment is None:
        said = reader.ask_json("liquidations/totals", _asked(window, at, as_of) | {"by": by, "estimate": str(estimate).lower()})
        title, rows, missing = f"{said['label']}: {window} to {said['at']}", said["data"], said["missing"]
    else:
        single = moment.totals(cast(By, by)) if by in get_args(By) else None
        material = anatomy.read(moment.session, moment.start, moment.at, moment.as_of, whole=False)
        empty = anatomy.frame(moment.session.store.open_interest_series(0, 0, 0, 1))
        found = anatomy.totals_document(material, by, single, moment.totals(None)[0], empty, {}, with_estimate=estimate)
        rows = _served(moment, found["data"] if estimate or single is None else list(single))
        title, missing = f"Liquidations, {window} to {iso(moment.at)}", moment.missing()
    rows = [_flat(row) if estimate else {k: v for k, v in row.items() if k not in BESIDE} for row in rows]
    return Answer(list(rows), title, _footer(missing), "" if moment is None else _hint(moment))


BESIDE = ("open_interest_share", "printed_at_bankruptcy_usd", "same_at_mark_usd")
"""What the server's answer tells of a row beside its totals."""


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Write an estimate as columns."""
    kept = {
        k: v for k, v in row.items() if k in ("venue", "base", "side", "size", "long_usd", "short_usd", "total_usd", "count", "long_share")
    }
    found = row.get("estimate") or {}
    share = row.get("long_share_corrected") or {}
    columns = {name: found.get(name) for name in ("estimate_usd", "low_usd", "high_usd", "saturation", "status", "method")}
    return kept | columns | ({"long_share_corrected": share.get("corrected")} if "long_share_corrected" in row else {})


def wave_table(reader: Reader, window: str, scale: str, base: str, at: str | None, as_of: str | None) -> Answer:
    """The waves of a window, earliest first, each with everything known of it. Raises BadInput for what cannot be read."""
    if scale not in get_args(Scale):
        raise BadInput(f"unknown scale {scale!r}; there are seconds, minutes and hours")
    if reader.store is None:
        said = reader.ask_json("waves", _asked(window, at, as_of) | {"scale": scale, "base": base})
        return Answer(said["data"], f"{said['label']}: waves, {window} to {said['at']}", _footer(said["missing"]))
    moment = _moment(reader, window, at, as_of)
    rows = anatomy.wave_rows(anatomy.read(moment.session, moment.start, moment.at, moment.as_of, base), cast(Scale, scale))
    return Answer(_served(moment, rows), f"Waves, {window} to {iso(moment.at)}", _footer(moment.missing()), _hint(moment))


def short_estimate(row: dict[str, Any]) -> dict[str, Any]:
    """A total with its estimate as one line of a table."""
    share = row.get("long_share_corrected")
    return {
        **{key: row[key] for key in DIMENSIONS if key in row}, "seen_usd": row["total_usd"], "estimate_usd": row["estimate_usd"],
        "low_usd": row["low_usd"], "high_usd": row["high_usd"], "long_share": row["long_share"],
        **({} if share is None else {"corrected_share": share}), "status": row["status"],
    }  # fmt: skip


def short_score(row: dict[str, Any]) -> dict[str, Any]:
    """A score as one line of a table."""
    covered = row["covered"]
    return {
        "rule": row["rule"], "full": row["saturation"], "windows": row["windows"], "bias": f"{row['bias']:+.0%}",
        "error": f"{row['error']:.0%}", "as seen": f"{row['naive_bias']:+.0%}", "covered": "" if covered is None else f"{covered:.1%}",
    }  # fmt: skip


def narrow_wave(row: dict[str, Any]) -> dict[str, Any]:
    """A line of `short_wave` that fits a terminal."""
    return {
        "wave": row["wave"], "began": row["start"][5:].replace("T", " "), "s": row["seconds"],
        "seen_usd": row["long_usd"] + row["short_usd"], "est_usd": row["estimate_usd"], "most_usd": row["high_usd"],
        "first": row["first"], "price": row["price_change"] or "", "ended": row["ended"],
    }  # fmt: skip


def short_wave(row: dict[str, Any]) -> dict[str, Any]:
    """A wave as one line of a table."""
    estimate, price = row["estimate"], row["price"]
    return {
        "wave": row["number"], "start": iso(row["start"])[:19], "seconds": round(row["seconds"]), "orders": row["orders"],
        "long_usd": row["long_usd"], "short_usd": row["short_usd"], "estimate_usd": estimate["estimate_usd"],
        "high_usd": estimate["high_usd"], "first": row["venues"][0]["name"],
        "price_change": None if price is None else f"{price['change']:+.2%}",
        "broke": ", ".join(row["levels_broken"]), "branching": row["branching"], "ended": row["ended"],
    }  # fmt: skip


def ladder_table(reader: Reader, window: str, reference: str, at: str | None, as_of: str | None) -> Answer:
    """The order in which coins were liquidated in a window."""
    if reader.store is None:
        said = reader.ask_json("ladder", _asked(window, at, as_of) | {"reference": reference})
        return Answer(said["data"], said["label"], _footer(said["missing"]))
    moment = _moment(reader, window, at, as_of)
    material = anatomy.read(moment.session, moment.start, moment.at, moment.as_of, whole=False)
    rows = anatomy.ladder_rows(material, reference, anatomy.read_prices(moment.session, material, reference))
    return Answer(rows, f"Ladder, {window} to {iso(moment.at)}", _footer(moment.missing()), _hint(moment))


def flow_of(reader: Reader, window: str, base: str, at: str | None, as_of: str | None) -> dict[str, Any]:
    """The move of one coin taken apart, by venue."""
    if reader.store is None:
        return cast(dict[str, Any], reader.ask_json("flow", _asked(window, at, as_of) | {"base": base})["data"])
    moment = _moment(reader, window, at, as_of)
    found = anatomy.flow_document(anatomy.read(moment.session, moment.start, moment.at, moment.as_of, base), base)
    return cast(dict[str, Any], _served(moment, found))


def liquidity_of(reader: Reader, window: str, base: str, at: str | None, as_of: str | None, venue: str | None = None) -> dict[str, Any]:
    """What rested in the books of one coin."""
    if reader.store is None:
        asked = _asked(window, at, as_of) | {"base": base} | ({} if venue is None else {"venue": venue})
        return cast(dict[str, Any], reader.ask_json("liquidity", asked)["data"])
    moment = _moment(reader, window, at, as_of)
    return liquidity.answer(moment.session, moment.start, moment.at, moment.as_of, base, venue)


def _moment(reader: Reader, window: str, at: str | None, as_of: str | None) -> Moment:
    assert reader.store is not None
    ends, known = resolve(at, as_of, time.time_ns())
    return Moment(StoredSession(reader.store, ""), duration(window), ends, known)


def _served(moment: Moment, answer: Any) -> Any:
    return as_served(moment.session.reconstructed(), moment.start, moment.at, answer)


def _asked(window: str, at: str | None, as_of: str | None) -> dict[str, str]:
    return {"window": window, **{k: v for k, v in (("at", at), ("as_of", as_of)) if v is not None}}


def _footer(missing: list[str]) -> str:
    if not missing:
        return ""
    return f"Not received in this window: {', '.join(VENUES[m].title if m in VENUES else m for m in missing)}."


def _hint(moment: Moment) -> str:
    """Say why nothing was found, when the reason is the window or what was known."""
    if moment.sums:
        return ""
    store = moment.session.store
    later = sum(s.orders for s in store.liquidation_sums(moment.start, moment.at, 2**62).values())
    if later:
        return f"{later} orders of this window became known after {iso(moment.as_of)}; add --as-of now to see them"
    extent = store.extent("liquidations")
    if extent is None:
        return "there are no liquidations in this data directory yet; see deleverage import and deleverage replay"
    return f"no liquidations in this window; there are some from {iso(extent[0])} to {iso(extent[1])}: choose one with --at"


def everything(reader: Reader) -> Moment | None:
    """Return the window that holds every liquidation of a directory; None when there are none or a server holds it."""
    if reader.store is None:
        return None
    extent = reader.store.extent("liquidations")
    if extent is None:
        return None
    return Moment(StoredSession(reader.store, ""), extent[1] - extent[0] + 1, extent[1] + 1, 2**62)


def reference_states(reader: Reader, at: str | None, as_of: str | None) -> list[dict[str, Any]]:
    """Return the state of every reference at a moment, as it was known then."""
    if reader.store is None:
        asked = {k: v for k, v in (("at", at), ("as_of", as_of)) if v is not None}
        return cast(list[dict[str, Any]], reader.ask_json("references", asked)["data"])
    ends, known = resolve(at, as_of, time.time_ns())
    return reference_rows(Moment(StoredSession(reader.store, ""), 1, ends, known))


def feed_states(reader: Reader, at: str | None, as_of: str | None) -> list[dict[str, Any]]:
    """Return the state of every venue's feed at a moment, as it was known then."""
    if reader.store is None:
        asked = {k: v for k, v in (("at", at), ("as_of", as_of)) if v is not None}
        return cast(list[dict[str, Any]], reader.ask_json("feeds", asked)["data"])
    ends, known = resolve(at, as_of, time.time_ns())
    return Moment(StoredSession(reader.store, ""), 1, ends, known).feeds()
