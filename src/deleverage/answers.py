"""What the command line asks, answered from the files or by the server that holds them: the same numbers either way."""

import time
from typing import Any, NamedTuple, cast, get_args

from deleverage.analytics.liquidations import By
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


def liquidation_totals(reader: Reader, window: str, by: str, at: str | None, as_of: str | None) -> Answer:
    """Totals over a window. Raises BadInput for a `by`, duration or time that cannot be read."""
    if by not in get_args(By):
        raise BadInput(f"cannot add up by {by!r}; there are venue, base and side")
    width = duration(window)
    if reader.store is None:
        asked = {"window": window, "by": by, **{k: v for k, v in (("at", at), ("as_of", as_of)) if v is not None}}
        said = reader.ask_json("liquidations/totals", asked)
        return Answer(said["data"], f"{said['label']}: {window} to {said['at']}", _footer(said["missing"]))
    ends, known = resolve(at, as_of, time.time_ns())
    moment = Moment(StoredSession(reader.store, ""), width, ends, known)
    rows = moment.totals(cast(By, by))
    return Answer(list(rows), f"Liquidations, {window} to {iso(ends)}", _footer(moment.missing()), _hint(moment))


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


def feed_states(reader: Reader, at: str | None, as_of: str | None) -> list[dict[str, Any]]:
    """Return the state of every venue's feed at a moment, as it was known then."""
    if reader.store is None:
        asked = {k: v for k, v in (("at", at), ("as_of", as_of)) if v is not None}
        return cast(list[dict[str, Any]], reader.ask_json("feeds", asked)["data"])
    ends, known = resolve(at, as_of, time.time_ns())
    return Moment(StoredSession(reader.store, ""), 1, ends, known).feeds()
