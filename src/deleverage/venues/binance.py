"""Binance USD-M and COIN-M futures and options: https://developers.binance.com/docs/derivatives

- Since 2026-04-23 only `/market` sockets of fstream carry forceOrder, markPrice, aggTrade and klines; `/public` carries books
  and raw trades; an unrouted socket connects, acknowledges and stays silent (change notice of 2026-03-06).
- `forceOrder` shows at most one order per symbol and second: the latest until the docs change of April 2026, the largest
  since; the COIN-M page still says latest (read 2026-05-28). No history is offered.
- `forceOrder.o.S` is the side of the liquidation order: SELL closes a long. `o.p` is its limit, `o.ap` the average fill.
- Since June 2026 all-market arrays mix both families; `st` is 1 for USD-M, 2 for COIN-M. The symbol's form says it as well.
- Raw trades are undocumented; their `X` marks prints of the insurance fund and of auto-deleveraging, the only public trace. `NA`
  marks records with price and size 0 which are no trades, some fifteen a minute on BTCUSDT (several collectors, 2026).
- Partial books (`depth5`) and books with retail orders (`rpiDepth`) are `depthUpdate` too: only the stream's name tells.
- exchangeInfo does not say the funding interval; fundingInfo lists contracts whose interval or cap differs from the usual 8 h.
- ETHBTC is quoted in BTC: its notional in dollars is unknown.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import (
    AdlSignal,
    BookDepth,
    Candle,
    Event,
    FundingRate,
    Liquidation,
    MarginTiers,
    MarkPrice,
    TakerSide,
    Trade,
    TradeKind,
)  # fmt: skip
from deleverage.instruments import DOLLARS, Instrument
from deleverage.venues import binance_options as options
from deleverage.venues import binance_questions as questions
from deleverage.venues.binance_contracts import infer, subscribe
from deleverage.venues.binance_rest import NAME, READERS, candle_volumes, rest_reader, seconds_of, shape_reader
from deleverage.venues.repeats import Repeats
from deleverage.venues.venue import (
    MS,
    Blank,
    Count,
    Coverage,
    Heartbeat,
    Instruments,
    Millis,
    Number,
    Parser,
    Price,
    Route,
    Size,
    Venue,
    number_repeats,
    one_line,
    reading,
)  # fmt: skip

LARGEST_SINCE = 1_776_902_400_000_000_000  # 2026-04-23: the day the routed addresses came into force; the docs name only the month
Level = tuple[Price, Size]


# --- wire types, in the venue's spelling; `e` tells them apart -------------------------------------------------------


class AggTrade(msgspec.Struct, tag="aggTrade", tag_field="e", gc=False):
    s: str
    p: Price
    q: Size
    T: Millis
    m: bool
    l: Count  # noqa: E741 - the venue's spelling
    a: Count | None = None


class RawTrade(msgspec.Struct, tag="trade", tag_field="e", gc=False):
    s: str
    t: Count
    p: Size
    q: Size
    T: Millis
    m: bool | None = None
    X: str = "MARKET"
    S: str = ""


class Order(msgspec.Struct, gc=False):
    s: str
    S: str
    q: Size
    p: Size
    T: Millis
    ap: Size = 0.0
    z: Size = 0.0


class ForceOrder(msgspec.Struct, tag="forceOrder", tag_field="e", gc=False):
    o: Order


class MarkPriceUpdate(msgspec.Struct, tag="markPriceUpdate", tag_field="e", gc=False):
    s: str
    E: Millis
    p: Size
    i: Blank | None = None
    r: Blank | None = None
    T: Millis = 0


class DepthUpdate(msgspec.Struct, tag="depthUpdate", tag_field="e", gc=False):
    s: str
    T: Millis
    u: Count
    pu: Count
    b: list[Level]
    a: list[Level]


class BookTicker(msgspec.Struct, tag="bookTicker", tag_field="e", gc=False):
    s: str
    T: Millis
    u: Count
    b: Size
    B: Size
    a: Size
    A: Size


class KlineBody(msgspec.Struct, gc=False):
    t: Millis
    i: str
    o: Price
    c: Price
    h: Price
    l: Price  # noqa: E741 - the venue's spelling
    v: Size
    q: Size
    n: Count
    x: bool
    V: Size
    Q: Size | None = None


class Kline(msgspec.Struct, tag="kline", tag_field="e", gc=False):
    s: str
    E: Millis
    k: KlineBody


class OptionDepth(msgspec.Struct, tag="depth", tag_field="e", gc=False):
    s: str
    T: Millis
    u: Count
    b: list[Level]
    a: list[Level]
    pu: Count | None = None


class Index(msgspec.Struct, tag="index", tag_field="e", gc=False):
    s: str
    E: Millis
    p: Price


class OptionIndex(msgspec.Struct, tag="indexPrice", tag_field="e", gc=False):
    s: str
    E: Millis
    p: Price


class CoinIndex(msgspec.Struct, tag="indexPriceUpdate", tag_field="e", gc=False):
    i: str
    E: Millis
    p: Price


class Step(msgspec.Struct, gc=False):
    bs: Count
    bnf: Size
    bnc: Size
    mmr: Number
    ma: Number
    cf: Number | None = None


class ContractInfo(msgspec.Struct, tag="contractInfo", tag_field="e", gc=False):
    s: str
    E: Millis
    cs: str = ""
    bks: list[Step] = []


Message = (
    AggTrade | RawTrade | ForceOrder | MarkPriceUpdate | DepthUpdate | BookTicker | Kline | OptionDepth | Index | OptionIndex | CoinIndex
    | ContractInfo | options.OptionTicker | options.OptionMark | options.OptionOpenInterest | options.OptionSymbol
)  # fmt: skip


class Combined(msgspec.Struct, gc=False):
    stream: str
    data: Message | list[Message]


class Control(msgspec.Struct, gc=False):
    """Whatever object a frame is: its marks."""

    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    lastUpdateId: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    e: str = ""
    stream: str = ""


MESSAGE = msgspec.json.Decoder(Message | list[Message], strict=False)
COMBINED = msgspec.json.Decoder(Combined, strict=False)
_decode_combined = COMBINED.decode
CONTROL = msgspec.json.Decoder(Control)
ROWS = msgspec.json.Decoder(list[msgspec.Raw])
TRADE_KINDS: dict[str, TradeKind] = {
    "MARKET": "market", "RPI": "rpi", "INSURANCE_FUND": "insurance_fund", "ADL": "adl", "BLOCK": "block",
}  # fmt: skip
TAKERS: dict[bool, TakerSide] = {True: "sell", False: "buy"}  # by whether the buyer was the maker
SIDES: dict[str, TakerSide] = {"BUY": "buy", "SELL": "sell", "1": "buy", "-1": "sell"}
CHANNELS = {"markPriceUpdate": "markPrice", "depthUpdate": "depth", "24hrTicker": "ticker", "indexPriceUpdate": "indexPrice"}
PARTIAL = re.compile(r"@depth\d")
NOT_KEPT = frozenset({"24hrMiniTicker", "compositeIndex", "assetIndexUpdate", "continuous_kline", "indexPrice_kline", "markPrice_kline"})


class BinanceParser(Parser):
    """Frames of any Binance derivatives socket, and answers of its REST addresses."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._known = instruments.known
        self._rates = Repeats()
        self._stream = route.path
        self._on: dict[type, Callable[[Any, int], Sequence[Event]]] = {
            AggTrade: self._agg_trade, RawTrade: self._raw_trade, ForceOrder: self._force_order, MarkPriceUpdate: self._mark_price,
            DepthUpdate: self._depth, BookTicker: self._book_ticker, Kline: self._kline, OptionDepth: self._option_depth,
            Index: self._index, OptionIndex: self._index, CoinIndex: self._coin_index, ContractInfo: self._contract_info,
            options.OptionTicker: partial(options.ticker, self), options.OptionMark: partial(options.mark, self),
            options.OptionOpenInterest: partial(options.open_interest, self), options.OptionSymbol: partial(options.symbol, self),
            list: partial(self._each, self._message),
        }  # fmt: skip
        self._rest = rest_reader(route.path)
        self._is_combined = self._rest is None and route.path.endswith("/stream")
        self._plain: dict[str, tuple[Instrument, str, str]] = {}

    def parse(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """See `Parser.parse`. Trades and best quotes of combined streams are read here, without a further call; it is the same reading
        as that of the methods below, which serve whatever is not a contract sized in coins and quoted in dollars."""
        if not self._is_combined:
            return super().parse(payload, ts_recv)
        try:
            frame = _decode_combined(payload)
        except self._BAD:
            return super().parse(payload, ts_recv)  # an acknowledgement, or it says what is wrong
        m = frame.data
        if type(m) is AggTrade:
            name = m.s
            plain = self._plain.get(name)
            if plain is None or plain[0] is not self._known.get(name):  # new, or listed since
                plain = self._learn_plain(name)
            if plain is not None:
                self.channel = "aggTrade"
                _, symbol, base = plain
                price, size = m.p, m.q
                number = str(m.l if m.a is None else m.a)
                taker: TakerSide = "sell" if m.m else "buy"
                return (
                    Trade(NAME, symbol, name, base, m.T * 1_000_000, ts_recv, number, taker, price, size, None, size * price, "aggregate"),
                )
        elif type(m) is RawTrade:
            name = m.s
            plain = self._plain.get(name)
            if plain is None or plain[0] is not self._known.get(name):
                plain = self._learn_plain(name)
            if plain is not None and m.m is not None and m.X == "MARKET" and m.p >= 1e-15:
                self.channel = "trade"
                _, symbol, base = plain
                price, size = m.p, m.q
                return (Trade(NAME, symbol, name, base, m.T * 1_000_000, ts_recv, str(m.t), TAKERS[m.m], price, size, None, size * price),)
        elif type(m) is BookTicker:
            name = m.s
            i = self._known.get(name)
            if i is not None:
                self.channel = "bookTicker"
                bids, asks = [(m.b, m.B)] if m.b else [], [(m.a, m.A)] if m.a else []  # a price of 0: that side is empty
                return (BookDepth(NAME, i.symbol, name, i.base, m.T * 1_000_000, ts_recv, "top", bids, asks, i.size_unit, m.u),)
        self._stream = frame.stream
        try:
            return self._on[type(m)](m, ts_recv)
        except ParseError:
            raise
        except self._BAD as error:
            raise ParseError(self.channel or "unknown", one_line(error)) from error

    def _learn_plain(self, name: str) -> tuple[Instrument, str, str] | None:
        """Remember a contract sized in coins and quoted in dollars, no option; None for any other, and for one not met before."""
        i = self._known.get(name)
        if i is None or i.size_unit != "base" or i.quote not in DOLLARS or i.kind == "option":
            return None
        plain = self._plain[name] = (i, i.symbol, i.base)
        return plain

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        if self._rest is not None:
            return self._answer(payload, ts_recv, *self._rest)
        try:
            if payload[:9] == b'{"stream"':
                frame = _decode_combined(payload)
                self._stream, message = frame.stream, frame.data
            else:
                self._stream, message = self.route.path, MESSAGE.decode(payload)
        except msgspec.DecodeError as error:
            self.channel = "unknown"
            if isinstance(error, msgspec.ValidationError):
                return self._control(payload, ts_recv)
            raise
        return self._on[type(message)](message, ts_recv)

    def _message(self, message: Message, ts_recv: int) -> Sequence[Event]:
        return self._on[type(message)](message, ts_recv)

    def _each(self, read: Callable[[Any, int], Sequence[Event]], rows: Sequence[Any], ts_recv: int) -> Sequence[Event]:
        """Read the rows of an array. A row that cannot be read is left out as long as another can: one odd contract must not
        hide the market."""
        events: list[Event] = []
        failed: Exception | None = None
        if not rows:
            self.channel = _channel_of(self._stream)
        for row in rows:
            try:
                events += read(row, ts_recv)
            except (ParseError, *self._BAD) as error:
                failed = failed or error
        if failed is not None and not events:
            raise failed
        closed = [event for event in events if isinstance(event, Liquidation)]
        return number_repeats(closed) if len(closed) == len(events) > 1 else events

    def _answer(self, payload: bytes, ts_recv: int, name: str, reader: Callable[[Parser, bytes, int], Sequence[Event]]) -> Sequence[Event]:
        self.channel = name
        try:
            return reader(self, payload, ts_recv)
        except msgspec.ValidationError:
            if payload.lstrip()[:1] == b"{" and CONTROL.decode(payload).code is not msgspec.UNSET:
                self.channel = "error"
                return ()
            raise

    def _control(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Recognise what is not a market event; raise with the reason for what should have been one."""
        if payload.lstrip()[:1] == b"[":
            rows = ROWS.decode(payload)
            if not rows or b'"e"' in bytes(rows[0]):
                return self._each(self._row, [bytes(row) for row in rows], ts_recv)
            return self._shape(payload, ts_recv)
        frame = CONTROL.decode(payload)
        if frame.stream and frame.data is not msgspec.UNSET:
            self._stream, inner = frame.stream, bytes(frame.data)
            self.channel = _channel_of(frame.stream)
            if b'"e"' not in inner:
                return self._generated(frame.stream, inner, ts_recv)
            return self._control(inner, ts_recv) if inner.lstrip()[:1] == b"[" else self._row(inner, ts_recv)
        if frame.e:
            return self._row(payload, ts_recv)
        if frame.error is not msgspec.UNSET or frame.code is not msgspec.UNSET:
            self.channel = "error"
            return ()
        if frame.result is not msgspec.UNSET or frame.id is not msgspec.UNSET:
            self.channel = "ack"
            return ()
        return self._shape(payload, ts_recv)

    def _row(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Read one message; raise the reason if it is a bad one of a known kind."""
        kind = CONTROL.decode(payload).e
        self.channel = CHANNELS.get(kind, kind) or self.channel
        if kind in NOT_KEPT:
            return ()
        try:
            message = MESSAGE.decode(payload)
        except msgspec.ValidationError as error:
            if str(error).startswith("Invalid value"):
                raise UnknownFrame(self.channel, "no such message is described") from error
            raise ParseError(self.channel, str(error)[:160]) from error
        if type(message) is list:
            raise ParseError(self.channel, "an array within an array")
        return self._on[type(message)](message, ts_recv)

    def _shape(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        if payload.lstrip()[:2] == b"[[" and all(map(len, msgspec.json.decode(payload, type=list[list[Any]]))):
            self.channel = "klines"  # rows without a contract or an interval: nothing can be made of them
            return ()
        found = shape_reader(payload)
        if found is None:
            raise UnknownFrame("unknown", "no such message is described")
        return self._answer(payload, ts_recv, *found)

    def _generated(self, stream: str, inner: bytes, ts_recv: int) -> Sequence[Event]:
        """Read REST answers that a recorder put into the stream (`btcusdt@openInterest`, `btcusdt@depthSnapshot`)."""
        symbol, _, kind = stream.partition("@")
        if kind not in ("openInterest", "depthSnapshot"):
            raise UnknownFrame(self.channel, "no such stream is described")
        name = "depth" if kind == "depthSnapshot" else kind
        self.channel = name
        asked = BinanceParser(Route(stream, "", stream, {"symbol": symbol}), self.instruments)
        return READERS[name](asked, inner, ts_recv)

    # --- socket messages ---

    def _agg_trade(self, m: AggTrade, ts_recv: int) -> Sequence[Event]:
        self.channel = "aggTrade"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        number, taker = str(m.l if m.a is None else m.a), TAKERS[m.m]
        if i.size_unit == "base" and i.quote in DOLLARS:
            return (Trade(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, number, taker, m.p, m.q, None, m.q * m.p, "aggregate"),)
        contracts, quantity, notional = i.measure(m.q, m.p if i.quote in DOLLARS else None)
        return (Trade(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, number, taker, m.p, quantity, contracts, notional, "aggregate"),)

    def _raw_trade(self, m: RawTrade, ts_recv: int) -> Sequence[Event]:
        self.channel = "trade"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        if m.X != "MARKET" or m.p < 1e-15 or i.quote not in DOLLARS or i.kind == "option":
            return self._odd_trade(m, i, ts_recv)
        taker = _taker(m) if m.m is None else TAKERS[m.m]
        if i.size_unit == "base":
            return (Trade(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, str(m.t), taker, m.p, m.q, None, m.q * m.p),)
        contracts, quantity, notional = i.measure(m.q, m.p)
        return (Trade(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, str(m.t), taker, m.p, quantity, contracts, notional),)

    def _odd_trade(self, m: RawTrade, i: Instrument, ts_recv: int) -> Sequence[Event]:
        """Read a print outside the book, of an option, or in another coin than dollars."""
        if _positive(m.p) is None:  # X is NA: a record of no trade
            return ()
        is_option = i.kind == "option"
        # An option trades in premium; its notional needs the underlying, which this message lacks.
        contracts, quantity, notional = i.measure(m.q, m.p if i.quote in DOLLARS and not is_option else None)
        price = m.p / (i.contract_size or 1.0) if is_option else m.p
        kind = TRADE_KINDS.get(m.X, "other")
        trade = Trade(
            NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, str(m.t), _taker(m), price, quantity, contracts, notional, kind,
        )  # fmt: skip
        if kind != "adl":
            return (trade,)
        return (trade, AdlSignal(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "print", quantity=quantity, notional_usd=notional))

    def _force_order(self, m: ForceOrder, ts_recv: int) -> Sequence[Event]:
        self.channel = "forceOrder"
        o = m.o
        i = self.instruments.get(o.s)
        if o.S not in ("SELL", "BUY"):
            raise ParseError("forceOrder", f"order side {o.S[:20]!r} is neither SELL nor BUY")
        average = _positive(o.ap)
        filled = o.z > 0 and average is not None
        price, size = (average, o.z) if filled else (_positive(o.p), o.q)
        contracts, quantity, notional = i.measure(size, price if i.quote in DOLLARS else None)
        ts = o.T * MS
        return (
            Liquidation(
                NAME, i.symbol, o.s, i.base, ts, ts_recv, "long" if o.S == "SELL" else "short", price, "fill" if filled else "order",
                quantity, contracts, notional, "market", _coverage_rule(ts, i),
            ),
        )  # fmt: skip

    def _mark_price(self, m: MarkPriceUpdate, ts_recv: int) -> Sequence[Event]:
        self.channel = "markPrice"
        i = self.instruments.get(m.s)
        ts, index = m.E * MS, reading(m.i) or None
        if not m.p and index is None:
            return ()  # a contract that has not opened
        mark = MarkPrice(NAME, i.symbol, m.s, i.base, ts, ts_recv, m.p or None, index)
        # Delivery contracts have no funding (T is 0). A rate is repeated every second: a change is an event, and so is one in ten minutes.
        if not m.r or m.T == 0 or not self._rates.is_news(m.s, (m.r, m.T), ts):
            return (mark,)
        rate = FundingRate(NAME, i.symbol, m.s, i.base, ts, ts_recv, reading(m.r) or 0.0, i.funding_interval_hours, m.T * MS, "predicted")
        return (mark, rate)

    def _depth(self, m: DepthUpdate, ts_recv: int) -> Sequence[Event]:
        self.channel = "depth"
        stream = self._stream
        if "@depth@" not in stream:  # the name alone tells whole books of a few levels, and books that hold other orders
            if PARTIAL.search(stream):
                return self._partial_depth(m, ts_recv)
            if "@rpiDepth" in stream:
                self.channel = "rpiDepth"
                return ()
        i = self._known.get(m.s) or self.instruments.get(m.s)
        return (BookDepth(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "delta", m.b, m.a, i.size_unit, m.u, m.pu),)

    def _partial_depth(self, m: DepthUpdate | OptionDepth, ts_recv: int) -> Sequence[Event]:
        i = self.instruments.get(m.s)
        return (BookDepth(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "snapshot", m.b, m.a, i.size_unit, m.u),)

    def _option_depth(self, m: OptionDepth, ts_recv: int) -> Sequence[Event]:
        self.channel = "depth"
        return self._partial_depth(m, ts_recv)

    def _book_ticker(self, m: BookTicker, ts_recv: int) -> Sequence[Event]:
        self.channel = "bookTicker"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        bids, asks = [(m.b, m.B)] if m.b else [], [(m.a, m.A)] if m.a else []  # a price of 0: that side is empty
        return (BookDepth(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "top", bids, asks, i.size_unit, m.u),)

    def _kline(self, m: Kline, ts_recv: int) -> Sequence[Event]:
        self.channel = "kline"
        i, k = self.instruments.get(m.s), m.k
        quantity, notional, bought = candle_volumes(i, k.v, k.q, k.V, k.Q, k.c)
        return (
            Candle(
                NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, seconds_of(k.i), k.t * MS, k.o, k.h, k.l, k.c, quantity, notional,
                k.n, bought, "last", k.x,
            ),
        )  # fmt: skip

    def _index(self, m: Index | OptionIndex, ts_recv: int) -> Sequence[Event]:
        self.channel = "index"
        i = self.instruments.get(m.s)
        return (_pair_index(m.s, i, m.E, m.p, ts_recv),)

    def _coin_index(self, m: CoinIndex, ts_recv: int) -> Sequence[Event]:
        self.channel = "indexPrice"
        return (_pair_index(m.i, self.instruments.get(f"{m.i}_PERP"), m.E, m.p, ts_recv),)

    def _contract_info(self, m: ContractInfo, ts_recv: int) -> Sequence[Event]:
        """Read a listing's change. It says neither size nor tick: what is known of them stays, listed or only inferred."""
        self.channel = "contractInfo"
        i, ts = self.instruments.get(m.s), m.E * MS
        changed: Event = msgspec.structs.replace(i, status=m.cs.lower() or i.status, ts_event=ts, ts_recv=ts_recv)
        unit: Literal["usd", "base"] = "usd" if i.size_unit == "base" else "base"
        steps = [
            MarginTiers(
                NAME, i.symbol, m.s, i.base, ts, ts_recv, b.bs, b.bnf, b.bnc, unit, b.mmr, b.ma, 1 / b.ma if b.ma >= 1 else None, b.cf
            )
            for b in m.bks
        ]
        return [changed, *steps]


def _positive(price: float) -> float | None:
    """Return a price that may be 0 for none. Raises ValueError for one too small to divide by."""
    if 0 < price < 1e-15:
        raise ValueError(f"price {price} is no price")
    return price or None


def _taker(m: RawTrade) -> TakerSide:
    if m.m is not None:
        return TAKERS[m.m]
    side = SIDES.get(m.S)
    if side is None:
        raise ParseError("trade", f"taker side {m.S[:20]!r} is none of BUY, SELL, 1, -1")
    return side


def _pair_index(pair: str, i: Instrument, at: int, price: float, ts_recv: int) -> MarkPrice:
    """Return the index of a pair, which is of no contract: its symbol is that of the pair."""
    return MarkPrice(NAME, f"{i.base}/{i.quote}", pair, i.base, at * MS, ts_recv, None, price)


def _channel_of(stream: str) -> str:
    """Return the channel of a stream's name: `!forceOrder@arr`, `btcusdt@depth@100ms`."""
    name = stream.removeprefix("!").partition("@")[0] if stream.startswith("!") else stream.partition("@")[2].partition("@")[0]
    return name or "unknown"


def joins(snapshot: int, first: int, last: int, previous: int) -> bool:
    """Tell whether a change of the book (U, u, pu) continues a snapshot (lastUpdateId): the snapshot lies within it, or right before.

    >>> joins(687687945, 687687944, 687687946, 687687900), joins(100, 105, 110, 100), joins(100, 105, 110, 99)
    (True, True, False)
    """
    return first <= snapshot <= last or previous == snapshot


def _coverage_rule(ts: int, i: Instrument) -> str:
    return "largest_per_second" if ts >= LARGEST_SINCE and i.contract_type == "linear" else "latest_per_second"


VENUE = Venue(
    name=NAME,
    title="Binance",
    docs="https://developers.binance.com/docs/derivatives",
    owns=("binance.com", "binance.vision"),
    parser=BinanceParser,
    infer=infer,
    coverage=(
        Coverage(
            rule="latest_per_second", note="at most one order per contract and second, the latest", source="Liquidation-Order-Streams page"
        ),
        Coverage(
            rule="largest_per_second", since=LARGEST_SINCE, product="linear",
            note="at most one order per contract and second, the largest; the docs changed in April 2026, day unstated",
            source="Liquidation-Order-Streams page, copy of 2026-05-28",
        ),
    ),
    liquidation_channels=("forceOrder",),
    subscribe=subscribe,
    heartbeat=Heartbeat(idle_cut=600, lifetime=86_400),
    polls=questions.POLLS,
    histories=questions.HISTORIES,
    limits=questions.LIMITS,
    clock=questions.CLOCK,
)  # fmt: skip
