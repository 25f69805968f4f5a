"""What a venue is, and the parser contract every venue file fulfils. Nothing here opens, waits or reads a clock."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec

from deleverage.errors import ParseError
from deleverage.events import Event, Liquidation
from deleverage.instruments import Instrument

MS = 1_000_000
"""Nanoseconds per millisecond."""

# Wire types. Decoders run with strict=False, which reads numbers out of strings and would let "nan" and "inf" pass:
# the bounds refuse them, and keep instants within int64 nanoseconds.
Price: TypeAlias = Annotated[float, msgspec.Meta(gt=1e-15, lt=1e15)]
Size: TypeAlias = Annotated[float, msgspec.Meta(ge=0, lt=1e18)]
Number: TypeAlias = Annotated[float, msgspec.Meta(gt=-1e18, lt=1e18)]
Millis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=9_000_000_000_000)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Blank: TypeAlias = str
"""A number that may be the empty string; read it with `reading`."""

CoverageRule: TypeAlias = Literal[
    "full",  # the venue documents every liquidation
    "presumed_full",  # no throttle documented, none seen
    "largest_per_second",  # the largest order per contract and second
    "latest_per_second",  # the latest order per contract and second
    "undisclosed",  # the venue says it is not the total and not what it leaves out
    "watched_accounts",  # only the accounts being watched
    "none",  # the venue publishes nothing
]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of reality a venue's liquidation feed shows from `since` (ns UTC, inclusive) on, and who says so."""

    rule: CoverageRule
    since: int = 0
    product: str = ""
    note: str = ""
    source: str = ""


Per: TypeAlias = Literal["venue", "symbol", "base", "family"]


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """One REST question asked again every `every` seconds; `weight` in the venue's own rate units.

    `url` and `body` may hold `{symbol}`, `{base}` or `{family}` as `per` says: one question for each name among the trading
    contracts of `product` (`linear`, `inverse`, `perpetual`, `option`; empty: all but options), only of tracked bases with `tracked`.
    `due`, where given, says when to ask again: from the instant of an answer and the answer to an instant (ns UTC), or ParseError; then
    `every` is how long to wait after a failure, longer after several.
    """

    name: str
    url: str
    every: float
    weight: float = 1.0
    per: Per = "venue"
    product: str = ""
    tracked: bool = False
    method: Literal["GET", "POST"] = "GET"
    body: str = ""
    due: Callable[[int, bytes], int] | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One REST question about the past: rows of table `name` in [start, end), which may lie at most `depth` seconds back.

    `url` and `body` hold `{start}` and `{end}` in `unit` since 1970, and the placeholders of a Poll. One question spans at most
    `longest` seconds; `is_full` tells from the answer that rows were left out, and the stretch is asked again in halves.
    `{before}` is the last instant before `{start}`, for venues that leave their bound out. `fills_gaps`: asked after an outage
    of at least `shortest_gap` seconds; `on_start`: asked on first start for tracked bases, `back` seconds into the past (0: as the
    settings say).
    """

    name: str
    url: str
    longest: float
    depth: float = 3.2e8
    unit: Literal["ms", "s"] = "ms"
    weight: float = 1.0
    per: Per = "symbol"
    product: str = ""
    method: Literal["GET", "POST"] = "GET"
    body: str = ""
    is_full: Callable[[bytes], bool] = lambda payload: False
    fills_gaps: bool = True
    on_start: bool = False
    back: float = 0.0
    shortest_gap: float = 0.0


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """The question for a venue's time; `read` takes ns UTC out of the answer."""

    url: str
    read: Callable[[bytes], int]
    method: Literal["GET", "POST"] = "GET"
    body: str = ""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue allows one address; `source` says where it says so.

    `opens` new sockets per `opens_every` seconds and at most `sockets` at once (0: no limit known); `sends` frames a second on
    one socket; `weight` of REST questions per `weight_every` seconds, of which `weight_header` may tell what is used;
    `ban` is how long to stay away (s) after a refusal that names no delay.
    """

    opens: int = 10
    opens_every: float = 60.0
    sockets: int = 0
    sends: float = 5.0
    weight: float = 600.0
    weight_every: float = 60.0
    weight_header: str = ""
    ban: float = 120.0
    source: str = ""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """How a socket is kept open: send `payload` every `every` seconds, and answer what `reply` recognises."""

    every: float | None = None
    payload: bytes = b""
    reply: Callable[[bytes], bytes | None] | None = None
    idle_cut: float | None = None
    lifetime: float | None = None


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One socket to open: its address and the frames to send once it is open, in order."""

    url: str
    frames: tuple[bytes, ...] = ()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to subscribe: `kinds` are table names; `instruments` those the venue lists; `detail` bases that get trades and depth."""

    kinds: frozenset[str]
    instruments: tuple[Instrument, ...]
    detail: frozenset[str] = frozenset()


class Route(NamedTuple):
    """An address taken apart; `query` keeps the first value of each name."""

    url: str
    host: str
    path: str
    query: dict[str, str]


def split_route(url: str) -> Route:
    """Take an address apart; a method before it (`GET /v1/x`) is left out, text that is no address becomes the path.

    >>> split_route("https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT").query
    {'symbol': 'BTCUSDT'}
    """
    try:
        parts = urlsplit(url.rpartition(" ")[2])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return Route(url, parts.hostname or "", parts.path, query)
    except ValueError:
        return Route(url, "", url, {})


class Instruments:
    """The contracts of one venue: listed ones, and ones inferred from a name until a listing arrives.

    A name used before its listing is remembered: `add` returns True when the listing turns out to measure or name the
    contract differently, which means that events already parsed have to be rebuilt. `known` is for hot paths that look a name
    up before they call `get`.
    """

    def __init__(self, infer: Callable[[str], Instrument | None], listed: Iterable[Instrument] = ()) -> None:
        self._infer = infer
        self.known: dict[str, Instrument] = {instrument.venue_symbol: instrument for instrument in listed}
        self._used_inferred: set[str] = set()

    def get(self, venue_symbol: str) -> Instrument:
        """Return the contract of that name, inferred if it was never listed. Raises ParseError for an impossible name."""
        found = self.known.get(venue_symbol)
        if found is not None:
            return found
        inferred = self._infer(venue_symbol)
        if inferred is None:
            raise ParseError("symbol", f"cannot read the contract name {venue_symbol[:40]!r}")
        self.known[venue_symbol] = inferred
        self._used_inferred.add(venue_symbol)
        return inferred

    def listed(self, venue_symbol: str) -> Instrument | None:
        """Return the contract only if a listing was seen."""
        found = self.known.get(venue_symbol)
        return None if found is None or found.is_inferred else found

    def all_listed(self) -> list[Instrument]:
        """Every contract a listing was seen of, by venue symbol."""
        return [self.known[name] for name in sorted(self.known) if not self.known[name].is_inferred]

    def add(self, instrument: Instrument) -> bool:
        """Take a listing; True when events parsed before it would now read differently."""
        before = self.known.get(instrument.venue_symbol)
        self.known[instrument.venue_symbol] = instrument
        if instrument.venue_symbol in self._used_inferred:
            self._used_inferred.discard(instrument.venue_symbol)
            return before is not None and not before.is_same_contract(instrument)
        return False


class Parser:
    """Turns the frames of one connection (or the answers of one address) into events.

    A new one is made for every connection, so that nothing learnt before a gap survives it. Subclasses write `_events`;
    `channel` names the channel of the last frame in the venue's words, `ack`, `heartbeat` and `error` included.
    """

    channel: str
    _BAD: ClassVar = (msgspec.MsgspecError, AttributeError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError)

    def __init__(self, route: Route, instruments: Instruments) -> None:
        self.route = route
        self.instruments = instruments
        self.channel = ""

    def parse(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Return the events of one frame received at `ts_recv` (ns UTC); empty for acks, heartbeats and backlog.

        Raises ParseError (UnknownFrame for a kind nobody described) and nothing else, whatever the bytes.
        """
        try:
            return self._events(payload, ts_recv)
        except ParseError:
            raise
        except self._BAD as error:
            raise ParseError(self.channel or "unknown", one_line(error)) from error

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        raise NotImplementedError


def one_line(error: Exception) -> str:
    """Return an error's words as one short line."""
    text = " ".join(str(error).split())
    return (text or type(error).__name__)[:160]


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the rest of the system knows of a venue.

    `owns` are host suffixes of its addresses. `liquidation_channels` are prefixes of parser channels on which
    liquidations travel: a connection that carries one covers the venue's liquidations while it is open.
    `subscribe` plans sockets and frames; `polls` are the REST questions asked for ever, `histories` those about the past;
    `limits` bound both; `clock` asks for its time.
    """

    name: str
    title: str
    docs: str
    owns: tuple[str, ...]
    parser: Callable[[Route, Instruments], Parser]
    infer: Callable[[str], Instrument | None]
    coverage: tuple[Coverage, ...]
    liquidation_channels: tuple[str, ...]
    subscribe: Callable[[Wanted], list[Subscription]]
    heartbeat: Heartbeat = Heartbeat()
    polls: tuple[Poll, ...] = ()
    histories: tuple[History, ...] = ()
    limits: Limits = Limits()
    clock: Clock | None = None

    def coverage_at(self, ts: int, product: str = "") -> Coverage:
        """Return the coverage rule in force at `ts` (ns UTC) for `product` (a rule without product serves all)."""
        rules = [c for c in self.coverage if c.product in ("", product) and c.since <= ts]
        return max(rules, key=lambda c: c.since) if rules else Coverage(rule="none")

    def carries_liquidations(self, text: str) -> bool:
        """Tell whether a channel name, an address or a sent subscription names a channel on which liquidations travel."""
        return any(mark in text for mark in self.liquidation_channels)

    def instruments(self, listed: Iterable[Instrument] = ()) -> Instruments:
        """Start an empty (or given) book of this venue's contracts."""
        return Instruments(self.infer, listed)


def more_than(rows: int, name: str = "") -> Callable[[bytes], bool]:
    """Tell that an answer holds as many rows as it may, so that some were left out; `name` leads to the rows.

    >>> more_than(2, "result.list")(b'{"result":{"list":[1,2]}}')
    True
    """

    def is_full(payload: bytes) -> bool:
        found: Any = msgspec.json.decode(payload)
        for part in name.split(".") if name else ():
            found = found[int(part)] if part.isdigit() else found[part]
        return len(found) >= rows

    return is_full


def at(name: str) -> Callable[[bytes], int]:
    """Read an instant in milliseconds out of a JSON answer, by the names that lead to it.

    >>> at("result.0.ts")(b'{"result":[{"ts":"1789672236000"}]}')
    1789672236000000000
    """

    def read(payload: bytes) -> int:
        found: Any = msgspec.json.decode(payload)
        for part in name.split("."):
            found = found[int(part)] if part.isdigit() else found[part]
        return int(found) * MS

    return read


def reading(text: str | float | None) -> float | None:
    """Read a number that a venue may leave blank; blank is None, never zero.

    >>> reading("1.5"), reading(""), reading(None)
    (1.5, None, None)
    """
    if text is None or text == "":
        return None
    number = float(text)
    if not -1e18 < number < 1e18:
        raise ValueError(f"number out of range: {text!r}"[:80])
    return number


def number_repeats(liquidations: Sequence[Liquidation]) -> list[Liquidation]:
    """Give identical liquidations of one push their ordinals 0, 1, 2 … so that none is taken for a repeat of another."""
    seen: dict[Liquidation, int] = {}
    numbered = []
    for liquidation in liquidations:
        ordinal = seen.get(liquidation, 0)
        seen[liquidation] = ordinal + 1
        numbered.append(msgspec.structs.replace(liquidation, ordinal=ordinal) if ordinal else liquidation)
    return numbered
