"""Deribit futures, perpetuals and options, inverse and USDC-linear: https://docs.deribit.com

- Liquidations are a flag on public trades: `M`, `T` or `MT` says that the maker, the taker or both were being liquidated
  (docs, trades.(kind).(currency).(interval), read 2026). `direction` is the taker's, so `M` turns it round and `MT` is two closes.
  The first flag on record is of 2020-03-13; trades of 2019-09-01 carry none.
- Until the release of 2023-08-01 portfolio-margin liquidations went through futures where possible; since then options are closed as
  well, and the fallback, a hedge in the perpetual, may open a position although its trade is flagged (release note of that date).
- Sizes on the wire are `amount`: dollars for inverse futures, base coins for linear ones and for options; never contracts.
  BTC_USDC-PERPETUAL had a contract of 0.001 BTC in May 2022 (listing) and has 0.0001 BTC now (docs): read it from the listing.
- An unknown channel is silently left out of the answer to public/subscribe: compare with `omitted`. Interval `raw` needs a login.
- Subscribing again on a socket that is subscribed gives no new book snapshot: unsubscribe first or reopen (seen 2026-09-22).
- In 2019 book pushes had no `type`: the first lacks prev_change_id. A book that was empty starts with `change` after 0 (2021-09-07).
- Funding accrues continuously and is quoted per 8 h; the history is hourly.
- Linear strikes spell the decimal point `d`: MATIC_USDC-9MAR24-1d02-C. Everything dated expires at 08:00 UTC.
- Combinations (BTC-FS-…, BTC-CS-…) have prices that may be negative; their legs are published as trades of the legs' contracts.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Event, MarkPrice, OptionQuote, VenueStatus, VolatilityIndex
from deleverage.instruments import DOLLARS, Instrument, make
from deleverage.venues import deribit_questions as questions
from deleverage.venues.deribit_rest import (
    FUNDING_HOURS,
    NAME,
    NO_GREEKS,
    PlainLevel,
    RowParser,
    Ticker,
    TradeRow,
    candle,
    method_answered,
    method_of,
    option_quote,
    reader_of,
    seconds_of,
)  # fmt: skip
from deleverage.venues.venue import (
    MS,
    Count,
    Coverage,
    Heartbeat,
    Instruments,
    Millis,
    Number,
    Route,
    Size,
    Subscription,
    Venue,
    Wanted,
    one_line,
)  # fmt: skip

URL = "wss://www.deribit.com/ws/api/v2"
CHANNELS_PER_CALL = 500
SOCKETS = 16  # half of the 32 connections an address may hold, HTTP requests included
HEARTBEAT_SECONDS = 30
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
COIN = re.compile("[A-Z0-9]{1,20}")
DATE = re.compile("([0-9]{1,2})([A-Z]{3})([0-9]{2})")
STRIKE = re.compile("[0-9]{1,12}(?:d[0-9]{1,9})?")
INVERSE_SIZES = {"BTC": 10.0, "ETH": 1.0, "SOL": 10.0}
GROUPED_CHANNEL = re.compile(rb'"channel"\s*:\s*"book(?:\.[^".]+){4}"')  # book.{name}.{group}.{depth}.{interval}: always the whole book
T = TypeVar("T")
Level = tuple[Literal["new", "change", "delete"], Number, Size]


# --- wire types, in the venue's spelling; trades and tickers: deribit_rest -------------------------------------------


class Params(msgspec.Struct, Generic[T], gc=False):
    data: T


class Frame(msgspec.Struct, Generic[T], gc=False):
    """A notification whose topic is known; trades keep the garbage collector out of it, there being no cycles."""

    params: Params[T]


class Book(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Millis
    change_id: Count
    bids: list[Level]
    asks: list[Level]
    prev_change_id: Count | None = None
    type: Literal["snapshot", "change"] | None = None


class GroupedBook(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Millis
    change_id: Count
    bids: list[PlainLevel]
    asks: list[PlainLevel]


class Quote(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Millis
    best_bid_price: Number | None = None
    best_bid_amount: Size | None = None
    best_ask_price: Number | None = None
    best_ask_amount: Size | None = None


class IncrementalTicker(Ticker):
    type: str = ""


class Volatility(msgspec.Struct):
    timestamp: Millis
    volatility: Size
    index_name: str


class IndexPrice(msgspec.Struct):
    timestamp: Millis
    price: Size
    index_name: str


class ChartTick(msgspec.Struct):
    tick: Millis
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Size
    cost: Size


class OptionMark(msgspec.Struct):
    instrument_name: str
    mark_price: Size
    iv: Size
    timestamp: Millis | None = None


class PlatformState(msgspec.Struct):
    locked: bool | None = None
    price_index: str = ""
    maintenance: bool | None = None
    allow_unauthenticated_public_requests: bool | None = None


class InstrumentState(msgspec.Struct):
    instrument_name: str
    state: str
    timestamp: Millis


class Notice(msgspec.Struct):
    channel: str = ""
    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Envelope(msgspec.Struct):
    method: str = ""
    params: Notice | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: Any = None
    id: Any = None
    usOut: Count | None = None


class Request(msgspec.Struct):
    params: dict[str, Any] = {}


class Ack(msgspec.Struct):
    result: list[str] = []
    error: Any = None


ENVELOPE = msgspec.json.Decoder(Envelope)
TRADES = msgspec.json.Decoder(Frame[list[TradeRow]], strict=False)
TICKER = msgspec.json.Decoder(Frame[Ticker], strict=False)
BOOK = msgspec.json.Decoder(Frame[Book], strict=False)
GROUPED = msgspec.json.Decoder(Frame[GroupedBook], strict=False)
QUOTE = msgspec.json.Decoder(Frame[Quote], strict=False)
INCREMENTAL = msgspec.json.Decoder(IncrementalTicker, strict=False)
VOLATILITY = msgspec.json.Decoder(Volatility, strict=False)
INDEX_PRICE = msgspec.json.Decoder(IndexPrice, strict=False)
CHART = msgspec.json.Decoder(ChartTick, strict=False)
OPTION_MARKS = msgspec.json.Decoder(list[OptionMark], strict=False)
PLATFORM = msgspec.json.Decoder(PlatformState)
INSTRUMENT_STATE = msgspec.json.Decoder(InstrumentState, strict=False)
REQUEST = msgspec.json.Decoder(Request)
ACK = msgspec.json.Decoder(Ack)
HEAD = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
HEAD_END = len(HEAD) + 5  # "book." and the first letters of the other hot topics
Hot = tuple[str, Callable[[bytes], Frame[Any]], Callable[[Any, int], Sequence[Event]]]
IGNORED = frozenset({
    "announcements", "deribit_price_ranking", "deribit_price_statistics", "estimated_expiration_price", "rfq", "block_rfq",
    "block_trade_confirmations", "user",
})  # fmt: skip


class DeribitParser(RowParser):
    """Frames of any Deribit socket, and answers of its REST addresses."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._method = method_of(route.path)
        self._hot: dict[str, Hot] = {
            "trades": ("trades", TRADES.decode, self.trades), "ticker": ("ticker", TICKER.decode, self.ticker),
            "book": ("book", BOOK.decode, self._book), "quote": ("quote", QUOTE.decode, self._quote),
        }  # fmt: skip
        self._by_head = {(HEAD + f"{topic}.".encode())[:HEAD_END]: hot for topic, hot in self._hot.items()}
        self._cold: dict[str, Callable[[bytes, str, int], Sequence[Event]]] = {
            "incremental_ticker": self._incremental, "deribit_volatility_index": self._volatility, "chart": self._chart,
            "deribit_price_index": self._index_price, "markprice": self._option_marks, "platform_state": self._platform,
            "instrument": self._instrument_state, "perpetual": self._perpetual,
        }  # fmt: skip

    def parse(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """See `Parser.parse`. Notifications of the hot channels, spelled as the venue spells them, go straight to their readers."""
        hot = self._by_head.get(payload[:HEAD_END])
        if hot is None:
            return super().parse(payload, ts_recv)
        self.channel, decode, read = hot
        try:
            frame = decode(payload)
        except self._BAD:
            return super().parse(payload, ts_recv)  # a grouped book, or it says what is wrong
        try:
            return read(frame.params.data, ts_recv)
        except ParseError:
            raise
        except self._BAD as error:
            raise ParseError(self.channel, one_line(error)) from error

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        hot = self._by_head.get(payload[:HEAD_END])  # how the venue writes every notification of a hot channel
        if hot is None:
            self.channel = "unknown"
            frame = ENVELOPE.decode(payload)
            notice = frame.params if frame.method == "subscription" else None
            hot = None if notice is None else self._hot.get(notice.channel.partition(".")[0])
            if hot is None:
                return self._control(frame, ts_recv) if notice is None else self._notification(notice, ts_recv)
        self.channel, decode, read = hot
        try:
            return read(decode(payload).params.data, ts_recv)  # the whole frame at once
        except msgspec.ValidationError:
            if GROUPED_CHANNEL.search(payload) is None:
                raise
            return self._grouped_book(GROUPED.decode(payload).params.data, ts_recv)

    def _notification(self, notice: Notice, ts_recv: int) -> Sequence[Event]:
        topic, _, rest = notice.channel.partition(".")
        self.channel = topic[:40]
        cold = self._cold.get(topic)
        if cold is not None:
            return cold(bytes(notice.data), rest, ts_recv)
        if topic in IGNORED:
            return ()
        raise UnknownFrame(topic[:40] or "unknown", "no such channel is described")

    def _control(self, frame: Envelope, ts_recv: int) -> Sequence[Event]:
        if frame.method == "heartbeat":
            self.channel = "heartbeat"
            return ()
        if frame.error is not None:
            self.channel = "error"
            return ()
        result = bytes(frame.result)
        if result:
            return self._answer(result, frame, ts_recv)
        raise UnknownFrame(frame.method[:40] or "unknown", "neither a notification nor an answer")

    def _answer(self, result: bytes, frame: Envelope, ts_recv: int) -> Sequence[Event]:
        """Read an answer by the method its address names, on a socket by its shape; the rest acknowledges something we sent."""
        self.channel = self._method or method_answered(result) or "ack"
        if self.channel == "ack":
            return ()
        answered = ts_recv if frame.usOut is None or not 0 <= frame.usOut <= 9_000_000_000_000_000 else frame.usOut * 1000
        return reader_of(self.channel)(self, result, ts_recv, answered)

    # --- notifications ---

    def _book(self, m: Book, ts_recv: int) -> Sequence[Event]:
        name = m.instrument_name
        i = self._known.get(name) or self.contract(name)
        if i is None:
            return ()
        whole = m.type == "snapshot" or (m.type is None and m.prev_change_id is None)
        bids = [(price, 0.0 if action == "delete" else size) for action, price, size in m.bids] if m.bids else []
        asks = [(price, 0.0 if action == "delete" else size) for action, price, size in m.asks] if m.asks else []
        return (
            BookDepth(
                NAME, i.symbol, name, i.base, m.timestamp * MS, ts_recv, "snapshot" if whole else "delta", bids, asks, i.size_unit,
                m.change_id, None if whole else m.prev_change_id,
            ),
        )  # fmt: skip

    def _grouped_book(self, m: GroupedBook, ts_recv: int) -> Sequence[Event]:
        i = self.contract(m.instrument_name)
        if i is None:
            return ()
        ts = m.timestamp * MS
        return (BookDepth(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, "snapshot", m.bids, m.asks, i.size_unit, m.change_id),)

    def _quote(self, m: Quote, ts_recv: int) -> Sequence[Event]:
        name = m.instrument_name
        i = self._known.get(name) or self.contract(name)
        if i is None:
            return ()
        bids = [(m.best_bid_price, m.best_bid_amount)] if m.best_bid_price and m.best_bid_amount else []
        asks = [(m.best_ask_price, m.best_ask_amount)] if m.best_ask_price and m.best_ask_amount else []
        return (BookDepth(NAME, i.symbol, name, i.base, m.timestamp * MS, ts_recv, "top", bids, asks, i.size_unit),)

    def _incremental(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        m = INCREMENTAL.decode(data)
        i = self.contract(m.instrument_name)
        # A change names only what changed: of an option's quote the rest would read as missing.
        if i is None or (i.kind == "option" and m.type != "snapshot"):
            return ()
        return self.ticker(m, ts_recv)

    def _volatility(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        m = VOLATILITY.decode(data)
        coin = m.index_name.partition("_")[0].upper()
        return (VolatilityIndex(NAME, "", m.index_name, coin, m.timestamp * MS, ts_recv, m.index_name, m.volatility),)

    def _index_price(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        m = INDEX_PRICE.decode(data)
        coin, _, quote = m.index_name.upper().partition("_")
        return (MarkPrice(NAME, f"{coin}/{quote}", m.index_name, coin, m.timestamp * MS, ts_recv, None, m.price),)

    def _chart(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        _, name, resolution = rest.split(".")  # trades.{name}.{resolution}
        m, i = CHART.decode(data), self.contract(name)
        if i is None:
            return ()
        return (candle(i, seconds_of(resolution, 60), m.tick, (m.open, m.high, m.low, m.close), m.volume, m.cost, ts_recv, False),)

    def _option_marks(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        events: list[OptionQuote] = []
        for m in OPTION_MARKS.decode(data):
            i = self.contract(m.instrument_name)
            ts = ts_recv if m.timestamp is None else m.timestamp * MS
            if i is not None:  # here, and only here, the volatility is a share
                events.append(
                    option_quote(i, ts, ts_recv, None, None, m.mark_price, None, None, None, m.iv * 100, NO_GREEKS, None, None, None, None)
                )
        return events

    def _platform(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        m = PLATFORM.decode(data)
        if m.maintenance is not None:
            status = "maintenance" if m.maintenance else "operational"
        elif m.locked is not None:
            status = "locked" if m.locked else "operational"
        elif m.allow_unauthenticated_public_requests is not None:
            status = "operational" if m.allow_unauthenticated_public_requests else "degraded"
        else:
            raise ParseError("platform_state", "says neither locked nor maintenance nor who may ask")
        detail = m.price_index or ("public_methods" if m.allow_unauthenticated_public_requests is not None else "")
        return (VenueStatus(NAME, "", "", "", ts_recv, ts_recv, status, detail),)

    def _instrument_state(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        m = INSTRUMENT_STATE.decode(data)
        i = self.contract(m.instrument_name)
        if i is None:
            return ()
        return (msgspec.structs.replace(i, status=m.state.lower(), ts_event=m.timestamp * MS, ts_recv=ts_recv),)

    def _perpetual(self, data: bytes, rest: str, ts_recv: int) -> Sequence[Event]:
        msgspec.json.decode(data)  # interest and index price, which the ticker says with a documented period
        return ()


def reply(frame: bytes) -> bytes | None:
    """Answer a test request; the server closes a socket that does not. None for any other frame.

    >>> reply(b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}')
    b'{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}'
    """
    if b"test_request" not in frame:
        return None
    try:
        message = ENVELOPE.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if message.method != "heartbeat" or message.params is None or message.params.type != "test_request":
        return None
    return b'{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}'


def omitted(sent: bytes, ack: bytes) -> list[str]:
    """Return the channels of a sent public/subscribe that its acknowledgement leaves out: the venue never says so otherwise.

    An error in place of a result leaves out all of them. Raises ParseError when either frame is not what it should be.

    >>> omitted(b'{"id":1,"params":{"channels":["quote.BTC-PERPETUAL","quote.BTC-X"]}}', b'{"id":1,"result":["quote.BTC-PERPETUAL"]}')
    ['quote.BTC-X']
    """
    try:
        request, answer = REQUEST.decode(sent), ACK.decode(ack)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ParseError("ack", str(error)[:160]) from error
    granted = set(answer.result)
    return [channel for channel in request.params.get("channels", ()) if channel not in granted]


def infer(venue_symbol: str) -> Instrument | None:
    """Read a contract from its name: BTC-PERPETUAL, BTC_USDC-PERPETUAL, BTC-27JUN25, BTC-27JUN25-100000-C, XRP_USDC-30JUN23-0d625-C."""
    pair, *rest = venue_symbol.split("-")
    coin, joint, quote = pair.partition("_")
    if not COIN.fullmatch(coin) or len(rest) not in (1, 3) or (joint and (quote == "USD" or quote not in DOLLARS)):
        return None
    inverse = not joint
    common: dict[str, Any] = {"contract_type": "inverse" if inverse else "linear", "is_inferred": True}
    quote = quote or "USD"
    if rest == ["PERPETUAL"] or len(rest) == 1:
        expiry = None if rest[0] == "PERPETUAL" else _eight_utc(rest[0])
        if expiry is None and rest[0] != "PERPETUAL":
            return None
        return make(
            NAME, venue_symbol, coin, quote, expiry=expiry, size_unit="usd" if inverse else "base",
            contract_size=INVERSE_SIZES.get(coin) if inverse else None, funding_interval_hours=None if expiry else FUNDING_HOURS, **common,
        )  # fmt: skip
    expiry = _eight_utc(rest[0])
    if expiry is None or not STRIKE.fullmatch(rest[1]) or rest[2] not in ("C", "P"):
        return None
    return make(
        NAME, venue_symbol, coin, quote, expiry=expiry, strike=float(rest[1].replace("d", ".")),
        option_type="call" if rest[2] == "C" else "put", contract_size=1.0 if inverse else None, **common,
    )  # fmt: skip


def _eight_utc(text: str) -> int | None:
    found = DATE.fullmatch(text)
    if found is None or found[2] not in MONTHS:
        return None
    try:
        return int(datetime(2000 + int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]), 8, tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError:
        return None


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan sockets of 500-channel subscriptions, trades first; every socket asks for heartbeats, which `reply` answers.

    Trades come by family, so that contracts listed later are heard as well. Options get tickers for the bases in detail, once a second.
    """
    channels: list[str] = []
    if wanted.kinds & {"liquidations", "trades"}:
        channels += ["trades.future.any.100ms", "trades.option.any.100ms"]
    if "venue_statuses" in wanted.kinds:
        channels += ["platform_state", "platform_state.public_methods_state"]
    if "instruments" in wanted.kinds:
        channels += ["instrument.state.future.any", "instrument.state.option.any"]
    if "volatility_indices" in wanted.kinds:
        channels += ["deribit_volatility_index.btc_usd", "deribit_volatility_index.eth_usd"]
    futures = [i for i in wanted.instruments if i.kind != "option"]
    if wanted.kinds & {"mark_prices", "funding_rates", "open_interest"}:
        channels += [f"ticker.{i.venue_symbol}.100ms" for i in futures]
    if "book_depth" in wanted.kinds:
        channels += [f"book.{i.venue_symbol}.100ms" for i in futures if i.base in wanted.detail]
    if "option_quotes" in wanted.kinds:
        channels += [f"ticker.{i.venue_symbol}.agg2" for i in wanted.instruments if i.kind == "option" and i.base in wanted.detail]
    unique = list(dict.fromkeys(channels))
    calls = [_call("subscribe", {"channels": unique[at : at + CHANNELS_PER_CALL]}) for at in range(0, len(unique), CHANNELS_PER_CALL)]
    each = max(1, -(-len(calls) // SOCKETS))
    beat = _call("set_heartbeat", {"interval": HEARTBEAT_SECONDS})
    return [Subscription(url=URL, frames=(beat, *calls[at : at + each])) for at in range(0, len(calls), each)]


def _call(method: str, params: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": f"public/{method}", "params": params})


VENUE = Venue(
    name=NAME,
    title="Deribit",
    docs="https://docs.deribit.com",
    owns=("deribit.com",),
    parser=DeribitParser,
    infer=infer,
    coverage=(
        Coverage(
            rule="full", note="every public trade says whether maker or taker was being liquidated; oldest flag on record 2020-03-13",
            source="docs.deribit.com, trades.(kind).(currency).(interval)",
        ),
    ),
    liquidation_channels=("trades",),
    subscribe=subscribe,
    heartbeat=Heartbeat(reply=reply, idle_cut=2 * HEARTBEAT_SECONDS),
    polls=questions.POLLS,
    histories=questions.HISTORIES,
    limits=questions.LIMITS,
    clock=questions.CLOCK,
)  # fmt: skip
