"""The loop live collection and replay share: a frame in, its events out, with everything counted.

A parser lives as long as its connection. A frame that does not parse is counted by venue, channel and reason, and the
stream goes on. Which stretches a venue was received in is kept as spans: from the rows that say a connection opened and
closed, or, for frames brought in without such rows, from the frames themselves.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, TypeAlias, TypeVar

import msgspec

from deleverage.analytics.coverage import Span, cut
from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import Event, FeedState, Gap, VenueStatus
from deleverage.instruments import Instrument
from deleverage.journal.frame import RECONSTRUCTION, Frame
from deleverage.references import source_named
from deleverage.tables import TABLE_OF
from deleverage.venues.venue import Instruments, Parser, Venue, split_route

Instant: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
SILENCE = 600 * 1_000_000_000
"""Without opened and closed rows, a silence longer than this (ns) ends a span."""


Said = TypeVar("Said")


class Count(msgspec.Struct):
    """Frames of one channel, by what became of them; `events` counts events, not frames.

    `heard` counts those that came by themselves, answers to questions left out; of these `last_recv` is our clock at the last frame
    and `newest` the venue's clock of the last event, ns UTC, 0 when there was none."""

    frames: int = 0
    events: int = 0
    ignored: int = 0
    unknown: int = 0
    errors: int = 0
    heard: int = 0
    last_recv: int = 0
    newest: int = 0

    def report(self) -> dict[str, int]:
        """Return the counts alone."""
        return {name: getattr(self, name) for name in ("frames", "events", "ignored", "unknown", "errors")}


class Tally(msgspec.Struct):
    """What went through a pipeline. `events` by table, `by_channel` by `venue/channel`, `reasons` of failures by the same.

    The channels are counted as frames come; `Pipeline.finish` sums them up."""

    frames: int = 0
    events: dict[str, int] = msgspec.field(default_factory=dict)
    ignored: int = 0
    unknown: int = 0
    errors: int = 0
    by_channel: dict[str, Count] = msgspec.field(default_factory=dict)
    reasons: dict[str, int] = msgspec.field(default_factory=dict)

    def report(self) -> dict[str, object]:
        """Return the report of `deleverage import raw --report json`."""
        return {
            "frames": self.frames, "events": dict(sorted(self.events.items())), "ignored": self.ignored, "unknown": self.unknown,
            "errors": self.errors, "by_channel": {name: c.report() for name, c in sorted(self.by_channel.items())},
            "reasons": dict(sorted(self.reasons.items())),
        }  # fmt: skip


class _SaidGap(msgspec.Struct):
    """The payload of a `gap` row; instants in ns UTC, [start, end)."""

    channel: str
    start: Instant
    end: Instant | None = None
    reason: str = ""


class _SaidState(msgspec.Struct):
    """The payload of a `state` row; `since` in ns UTC."""

    channel: str
    state: str
    evidence: str = ""
    since: Instant = 0


_GAP = msgspec.json.Decoder(_SaidGap)
_STATE = msgspec.json.Decoder(_SaidState)


class _Connection:
    """One connection, or one route of frames brought in without connection rows."""

    __slots__ = ("carries", "counts", "end", "explicit", "is_heard", "parser", "route", "start", "venue")

    def __init__(self, venue: Venue, route: str, parser: Parser, start: int, explicit: bool) -> None:
        self.venue, self.route, self.parser, self.start, self.end, self.explicit = venue, route, parser, start, start, explicit
        self.carries = venue.carries_liquidations(route)
        self.is_heard = not route.startswith("http")
        self.counts: dict[str, Count] = {}

    def span(self, is_open: bool = False) -> Span:
        end = None if is_open else self.end + (0 if self.explicit else 1)
        return Span(self.venue.name, self.route, self.start, end, self.carries, "connection" if self.explicit else "inferred")


class Pipeline:
    """Parses frames in the order they are given. `sink` receives the events of each frame that has any.

    `listed` seeds the contracts per venue (for a second pass, when a listing arrived after the events it explains):
    `stale` then names the venues whose events, parsed before a listing, would now read differently.
    """

    def __init__(self, sink: Callable[[Sequence[Event]], None], listed: Mapping[str, Sequence[Instrument]] | None = None) -> None:
        self._sink = sink
        self._books: dict[str, Instruments] = {}
        self._listed = listed or {}
        self._connections: dict[tuple[str, str, int], _Connection] = {}
        self._closed: list[Span] = []
        self.tally = Tally()
        self._kinds: defaultdict[type, int] = defaultdict(int)
        self.stale: set[str] = set()
        self.first_listed: dict[str, dict[str, Instrument]] = {}
        self.labels: list[str] = []
        self._gaps: dict[tuple[str, str, int], int | None] = {}

    def feed(self, frame: Frame) -> Sequence[Event]:
        """Take one frame of any direction; return the events it held. Raises BadInput for a venue nobody described."""
        key = (frame.venue, frame.route, frame.connection)
        if frame.direction == "in":
            if frame.route.startswith("http"):  # the answer to a poll: every one stands alone
                return self._parse(self._connection(key, frame.ts_recv, explicit=False), frame)
            connection = self._connections.get(key)
            if connection is None or (not connection.explicit and frame.ts_recv - connection.end > SILENCE):
                connection = self._open(key, frame.ts_recv, explicit=False, fresh=connection is None)
            connection.end = frame.ts_recv
            return self._parse(connection, frame)
        if frame.direction == "open":
            self._open(key, frame.ts_recv, explicit=True, fresh=True)
        elif frame.direction == "close":
            self._close(key, frame.ts_recv)
        elif frame.direction == "out":
            connection = self._connections.get(key) or self._open(key, frame.ts_recv, explicit=False, fresh=True)
            connection.carries = connection.carries or connection.venue.carries_liquidations(frame.payload.decode(errors="replace"))
        elif frame.direction == "gap":
            return self._gap(frame)
        elif frame.direction == "state":
            return self._state(frame)
        elif frame.direction == "mark":
            return self._mark(frame)
        return ()

    def _mark(self, frame: Frame) -> Sequence[Event]:
        """Take a label; one that says `reconstruction` becomes a row, so that tables made of such frames say what they are."""
        label = frame.payload.decode(errors="replace")
        self.labels.append(label)
        kind, _, detail = label.partition(" ")
        if kind != RECONSTRUCTION:
            return ()
        said = (VenueStatus(frame.venue, "", "", "", frame.ts_recv, frame.ts_recv, RECONSTRUCTION, detail),)
        self._sink(said)
        return said

    def _parse(self, connection: _Connection, frame: Frame) -> Sequence[Event]:
        parser, kinds = connection.parser, self._kinds
        try:
            events = parser.parse(frame.payload, frame.ts_recv)
        except ParseError as error:
            self._failed(connection, error)
            return ()
        count = connection.counts.get(parser.channel) or self._count(connection, parser.channel)
        count.frames += 1
        if connection.is_heard:
            count.heard += 1
            count.last_recv = frame.ts_recv
        if not events:
            count.ignored += 1
            return ()
        count.events += len(events)
        if connection.is_heard:
            count.newest = events[-1].ts_event
        for event in events:
            kinds[type(event)] += 1
        if type(events[0]) is Instrument:
            self._learn(connection.venue.name, events)
        self._sink(events)
        return events

    def _failed(self, connection: _Connection, error: ParseError) -> None:
        count = connection.counts.get(error.channel) or self._count(connection, error.channel)
        count.frames += 1
        if isinstance(error, UnknownFrame):
            count.unknown += 1
        else:
            count.errors += 1
        reason = f"{connection.venue.name}/{error.channel}: {error.reason}"
        if reason in self.tally.reasons or len(self.tally.reasons) < 1000:
            self.tally.reasons[reason] = self.tally.reasons.get(reason, 0) + 1

    def _count(self, connection: _Connection, channel: str) -> Count:
        """Return the count of a channel seen for the first time on a connection."""
        connection.carries = connection.carries or connection.venue.carries_liquidations(channel)
        count = self.tally.by_channel.setdefault(f"{connection.venue.name}/{channel}", Count())
        connection.counts[channel] = count
        return count

    def _learn(self, venue: str, events: Sequence[Event]) -> None:
        book = self.book(venue)
        first = self.first_listed.setdefault(venue, {})
        for event in events:
            if isinstance(event, Instrument):
                first.setdefault(event.venue_symbol, event)
                if book.add(event):
                    self.stale.add(venue)

    def _gap(self, frame: Frame) -> Sequence[Event]:
        """Read a row about a lost stretch; one of a channel that carries liquidations is also cut out of the spans."""
        said = self._said(frame, _GAP)
        if said is None:
            return ()
        if said.channel == "*":  # nothing was collected from then on: what was open before ended there
            self._gaps |= {
                key: said.start for key, end in self._gaps.items() if key[0] == frame.venue and end is None and key[2] < said.start
            }
        if source_named(frame.venue).carries_liquidations(said.channel):
            self._gaps[frame.venue, said.channel, said.start] = said.end
        gap = Gap(frame.venue, "", "", "", said.start, frame.ts_recv, said.channel, said.start, said.end, said.reason)
        self._sink((gap,))
        return (gap,)

    def _state(self, frame: Frame) -> Sequence[Event]:
        """Read a row about a feed's state."""
        said = self._said(frame, _STATE)
        if said is None:
            return ()
        change = FeedState(frame.venue, "", "", "", frame.ts_recv, frame.ts_recv, said.channel, said.state, said.since, said.evidence)
        self._sink((change,))
        return (change,)

    def _said(self, frame: Frame, decoder: msgspec.json.Decoder[Said]) -> Said | None:
        try:
            return decoder.decode(frame.payload)
        except msgspec.MsgspecError as error:
            connection = self._connection((frame.venue, frame.route, frame.connection), frame.ts_recv, explicit=False)
            self._failed(connection, ParseError(frame.direction, " ".join(str(error).split())[:160]))
            return None

    def channels(self, venue: str, route: str, connection: int) -> list[str]:
        """Return the channels heard on a connection that is open, acknowledgements and heartbeats left out."""
        found = self._connections.get((venue, route, connection))
        return [] if found is None else [name for name in list(found.counts) if name not in ("ack", "heartbeat", "error")]

    def book(self, venue: str) -> Instruments:
        """Return the contracts of a venue. Raises BadInput for an unknown one."""
        book = self._books.get(venue)
        if book is None:
            book = self._books[venue] = source_named(venue).instruments(self._listed.get(venue, ()))
        return book

    def _open(self, key: tuple[str, str, int], at: int, *, explicit: bool, fresh: bool) -> _Connection:
        """Start a connection, or a new span of one whose frames fell silent (`fresh` False keeps its parser)."""
        before = self._connections.get(key)
        if before is not None:
            self._closed.append(before.span())
        connection = self._connection(key, at, explicit=explicit)
        if before is not None and not fresh:
            connection.parser, connection.counts, connection.carries = before.parser, before.counts, before.carries
        self._connections[key] = connection
        return connection

    def _connection(self, key: tuple[str, str, int], at: int, *, explicit: bool) -> _Connection:
        venue = source_named(key[0])
        return _Connection(venue, key[1], venue.parser(split_route(key[1]), self.book(key[0])), at, explicit)

    def _close(self, key: tuple[str, str, int], at: int) -> None:
        connection = self._connections.pop(key, None)
        if connection is not None:
            connection.end = at
            self._closed.append(connection.span())

    def resume(self, venue: str, last: int) -> int:
        """Return the instant (ns UTC) from which a later reading must start to hear every connection whole that is open at `last`."""
        return min((c.start for (name, _, _), c in list(self._connections.items()) if name == venue), default=last)

    def finish(self) -> Tally:
        """Sum up frames over channels and events by table, and return the tally. May be called again after more frames."""
        counts = self.tally.by_channel.values()
        for name in ("frames", "ignored", "unknown", "errors"):
            setattr(self.tally, name, sum(getattr(count, name) for count in counts))
        self.tally.events = {TABLE_OF[kind].name: n for kind, n in self._kinds.items()}
        return self.tally

    def spans(self, *, still_open: bool = False) -> list[Span]:
        """Return the spans of all connections so far; open ones end now, or have no end with `still_open`."""
        spans = [*self._closed, *(c.span(still_open and c.explicit) for c in self._connections.values())]
        for (venue, _, start), end in sorted(self._gaps.items()):
            spans = [part for span in spans for part in cut(span, venue, start, end)]
        return sorted(spans, key=lambda span: (span.venue, span.start, span.route))
