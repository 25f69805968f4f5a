"""What a reference is: a venue that lists nothing and pushes nothing, is asked at its hours of publication, and has terms."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from deleverage.instruments import Instrument
from deleverage.venues.venue import Coverage, Poll, Subscription, Venue, Wanted

Days: TypeAlias = Mapping[str, str]
"""The newest day known of each series (`BTC` of the flows, `DGS10`, `fear_and_greed`), as YYYY-MM-DD."""


def _lists_nothing(venue_symbol: str) -> Instrument | None:
    return None


def _pushes_nothing(wanted: Wanted) -> list[Subscription]:
    return []


class Reference(Venue, frozen=True, kw_only=True):
    """Everything the rest of the system knows of a reference; what venues have and references have not is empty.

    `setting` is its key under `references` in the settings; `attribution` must stand beside its values wherever they are shown (empty:
    none is asked for), `terms` say what may be done with them. `keyed_polls` are asked in place of `polls` when the settings hold a key.
    `schedule` says when it is asked, in words; `late` what should be known by an instant (ns UTC) and is not, "" when nothing is.
    """

    setting: str
    schedule: str
    attribution: str = ""
    terms: str = ""
    late: Callable[[Days, int], str]
    keyed_polls: tuple[Poll, ...] = ()
    infer: Callable[[str], Instrument | None] = _lists_nothing
    coverage: tuple[Coverage, ...] = ()
    liquidation_channels: tuple[str, ...] = ()
    subscribe: Callable[[Wanted], list[Subscription]] = _pushes_nothing

    def with_key(self) -> "Reference":
        """Return the reference as it is asked with a key."""
        return msgspec.structs.replace(self, polls=self.keyed_polls or self.polls)


class Belief(NamedTuple):
    """What a reference is worth: `live`, or `stale` (what was known stays, and is old), with the evidence in words."""

    state: Literal["live", "stale"]
    evidence: str


SERIES: Mapping[str, tuple[str, str, str]] = {
    "etf_flows": ("base", "trading_day", "net_flow_usd"),
    "macro_observations": ("series", "observation_date", "value"),
    "sentiment_readings": ("index_name", "ts_event", "value"),
}
"""By table: what names a series, a row's day, and the value without which it tells nothing."""


def days_of(table: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the newest day of each series with a value among rows of one of the tables references fill."""
    series, day, value = SERIES[table]
    found: dict[str, str] = {}
    for row in rows:
        if row[value] is not None:
            known = row[day] if isinstance(row[day], str) else day_of(row[day])
            if known > found.get(row[series], ""):
                found[row[series]] = known
    return found


def day_of(ts: int) -> str:
    """Return the UTC day of an instant (ns UTC).

    >>> day_of(1_777_248_000_000_000_000)
    '2026-04-27'
    """
    return datetime.fromtimestamp(ts // 1_000_000_000, UTC).date().isoformat()


def believed(reference: Reference, newest: Days, now: int, *, failed: int = 0, error: str = "") -> Belief:
    """Say what a reference is worth at `now` (ns UTC): stale while questions fail (`failed` in a row, `error` why) or values are late."""
    known = ", ".join(f"{name} {day}" for name, day in sorted(newest.items()))
    kept = f"the newest values known are kept: {known}" if known else "nothing was received yet; what was known before is kept"
    if failed:
        times = "question" if failed == 1 else f"{failed} questions"
        return Belief("stale", f"the last {times} failed: {error[:160]}; {kept}")
    late = reference.late(newest, now)
    if late:
        return Belief("stale", f"{late}; {kept}")
    return Belief("live", f"newest: {known}")
