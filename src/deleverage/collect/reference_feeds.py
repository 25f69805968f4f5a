"""The references under way: asked by the collectors venues are collected with, believed by what was answered and what is late."""

from collections.abc import Iterator, Sequence

import msgspec

from deleverage.collect.feed_state import FeedState
from deleverage.collect.intake import Intake
from deleverage.collect.status import ReferenceStatus
from deleverage.collect.venue_collector import VenueCollector
from deleverage.config import Settings, VenueSettings
from deleverage.events import Event
from deleverage.references import REFERENCES
from deleverage.references.reference import SERIES, Reference, believed, days_of
from deleverage.tables import TABLE_OF


def reached(settings: Settings, reference: Reference) -> VenueSettings:
    """Return how a reference is reached."""
    how: VenueSettings = getattr(settings.references, reference.setting)
    return how


class ReferenceFeeds:
    """Collectors of the enabled references, and what is believed of each: `live` or `stale`, under the name of its table."""

    def __init__(self, settings: Settings, intake: Intake, numbers: Iterator[int]) -> None:
        self.collectors: dict[str, VenueCollector] = {}
        self.states: dict[str, FeedState] = {}
        self._intake = intake
        self._first: dict[str, int] = {}
        self._newest: dict[str, dict[str, str]] = {name: {} for name in REFERENCES}
        collect = settings.collect.model_copy(update={"kinds": ()})  # which tables venues fill is no matter here
        for name, reference in REFERENCES.items():
            how = reached(settings, reference)
            if how.enabled:
                asked = reference.with_key() if how.query else reference
                self.collectors[name] = VenueCollector(asked, intake, how, collect, numbers, lambda *gap: None, {})

    def saw(self, events: Sequence[Event]) -> None:
        """Take the events of one answer; on the parsing thread."""
        newest = self._newest.get(events[0].venue)
        if newest is not None:
            table = TABLE_OF[type(events[0])].name
            if table not in SERIES:
                return
            for name, day in days_of(table, map(msgspec.structs.asdict, events)).items():
                newest[name] = max(day, newest.get(name, ""))

    def look(self, now: int) -> list[FeedState]:
        """Return the beliefs that changed (ns UTC); nothing is believed before a question was answered or failed."""
        changed = []
        for name, collector in self.collectors.items():
            asked = list(collector.poller.standing.values())
            row = max((a.row for a in asked), default=0)
            if not row and not self._is_heard(name, all(a.answered for a in asked) and bool(asked)):
                continue
            newest = dict(self._newest[name])
            error = next((a.last_error for a in asked if a.last_error), "")
            belief = believed(REFERENCES[name], newest, now, failed=row, error=error)
            before = self.states.get(name)
            since = now if before is None or before.state != belief.state else before.since
            self.states[name] = FeedState(name, collector.venue.polls[0].name, belief.state, since, belief.evidence)
            if before is None or before.state != belief.state:
                changed.append(self.states[name])
        return changed

    def _is_heard(self, name: str, is_answered: bool) -> bool:
        """Tell whether every question was answered once, and those answers were parsed."""
        if name not in self._first and is_answered:
            self._first[name] = self._intake.frames
        return name in self._first and self._intake.parsed >= self._first[name]

    def statuses(self) -> list[ReferenceStatus]:
        """Return how each enabled reference stands."""
        found = []
        for name, collector in self.collectors.items():
            state, reference, gate = self.states.get(name), REFERENCES[name], collector.gate
            found.append(ReferenceStatus(
                name, reference.title, "unknown" if state is None else state.state, "not answered yet" if state is None else state.evidence,
                0 if state is None else state.since, dict(self._newest[name]), reference.attribution, reference.terms,
                gate.ban_reason if gate.is_banned else "", collector.poller.statuses(),
            ))  # fmt: skip
        return found
