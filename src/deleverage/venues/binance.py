"""Binance USD-M and COIN-M futures and options: https://developers.binance.com/docs/derivatives

- Since 2026-04-23 only `/market` sockets of fstream carry forceOrder, markPrice, aggTrade and klines; `/public` carries books
  and raw trades; an unrouted socket connects, acknowledges and stays silent (change notice of 2026-03-06).
- `forceOrder` shows at most one order per symbol and second: the latest until the docs change of April 2026, the largest
  since; the COIN-M page still says latest (read 2026-05-28). No history is offered.
- `forceOrder.o.S` is the side of the liquidation order: SELL closes a long. `o.p` is its limit, `o.ap` the average fill.
- Since June 2026 all-market arrays mix both families; `st` is 1 for USD-M, 2 for COIN-M. The symbol's form says it as well.
- Raw trades are undocumented; their `X` marks prints of the insurance fund and of auto-deleveraging, the only public trace.
- fundingInfo lists only contracts whose interval differs from 8 h.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import (
    BookDepth,
    Candle,
    Event,
    FundingRate,
    Liquidation,
    MarkPrice,
    OpenInterest,
    OptionQuote,
    Trade,
    TradeKind,
)  # fmt: skip
from deleverage.instruments import Instrument, make
from deleverage.venues.binance_rest import NAME, READERS, rest_reader, seconds_of
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
    Poll,
    Price,
    Route,
    Size,
    Subscription,
    Venue,
    Wanted,
    reading,
)  # fmt: skip

LARGEST_SINCE = 1_776_902_400_000_000_000  # 2026-04-23: the day the routed addresses came into force; the docs name only the month
QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "USD1", "BTC", "ETH", "USD")
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
    p: Price
    q: Size
    T: Millis
    m: bool | None = None
    X: str = "MARKET"
    S: Count | None = None


class Order(msgspec.Struct, gc=False):
    s: str
    S: str
    q: Size
    p: Price
    T: Millis
    ap: Size = 0.0
    z: Size = 0.0


class ForceOrder(msgspec.Struct, tag="forceOrder", tag_field="e", gc=False):
    o: Order


class MarkPriceUpdate(msgspec.Struct, tag="markPriceUpdate", tag_field="e", gc=False):
    s: str
    E: Millis
    p: Price
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
    b: Price
    B: Size
    a: Price
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


class Ticker(msgspec.Struct, tag="24hrTicker", tag_field="e", gc=False):
    s: str
    E: Millis
    c: Number
    bo: Size | None = None
    ao: Size | None = None
    b: Number | None = None
    a: Number | None = None
    d: Number | None = None
    g: Number | None = None
    v: Number | None = None
    t: Number | None = None
    vo: Number | None = None
    mp: Size | None = None
    V: Size | None = None


class OptionMark(msgspec.Struct, tag="markPrice", tag_field="e", gc=False):
    s: str
    E: Millis
    mp: Size


class OptionOpenInterest(msgspec.Struct, tag="openInterest", tag_field="e", gc=False):
    s: str
    E: Millis
    o: Size
    h: Size


class Index(msgspec.Struct, tag="index", tag_field="e", gc=False):
    s: str
    E: Millis
    p: Price


class ContractInfo(msgspec.Struct, tag="contractInfo", tag_field="e", gc=False):
    s: str
    E: Millis
    ps: str = ""
    ct: str = ""
    cs: str = ""


Message = (
    AggTrade | RawTrade | ForceOrder | MarkPriceUpdate | DepthUpdate | BookTicker | Kline | OptionDepth | Ticker | OptionMark
    | OptionOpenInterest | Index | ContractInfo
)  # fmt: skip


class Combined(msgspec.Struct, gc=False):
    data: Message | list[Message]


class Control(msgspec.Struct, gc=False):
    id: Any = None
    result: Any = None
    error: Any = None
    code: Any = None
    e: str = ""
    stream: str = ""
    lastUpdateId: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")


MESSAGE = msgspec.json.Decoder(Message | list[Message], strict=False)
COMBINED = msgspec.json.Decoder(Combined, strict=False)
CONTROL = msgspec.json.Decoder(Control, strict=False)
TRADE_KINDS: dict[str, TradeKind] = {"MARKET": "market", "RPI": "rpi", "INSURANCE_FUND": "insurance_fund", "ADL": "adl"}


class BinanceParser(Parser):
    """Frames of any Binance derivatives socket, and answers of its REST addresses."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._known = instruments.known
        self._funding: dict[str, tuple[str, int]] = {}
        self._on: dict[type, Callable[[Any, int], Sequence[Event]]] = {
            AggTrade: self._agg_trade, RawTrade: self._raw_trade, ForceOrder: self._force_order, MarkPriceUpdate: self._mark_price,
            DepthUpdate: self._depth, BookTicker: self._book_ticker, Kline: self._kline, OptionDepth: self._option_depth,
            Ticker: self._ticker, OptionMark: self._option_mark, OptionOpenInterest: self._option_open_interest,
            Index: self._index, ContractInfo: self._contract_info,
        }  # fmt: skip
        self._rest = rest_reader(route.path)

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        if self._rest is not None:
            self.channel = self._rest[0]
            return self._rest[1](self, payload, ts_recv)
        self.channel = "unknown"
        try:
            message = COMBINED.decode(payload).data if payload.startswith(b'{"stream"') else MESSAGE.decode(payload)
        except msgspec.ValidationError:
            return self._control(payload, ts_recv)
        if type(message) is list:
            return [event for one in message for event in self._on[type(one)](one, ts_recv)]
        return self._on[type(message)](message, ts_recv)

    def _control(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Recognise what is not a market event; raise with the reason for what should have been one."""
        frame = CONTROL.decode(payload)
        if frame.stream:
            self.channel = frame.stream.partition("@")[2] or frame.stream
            inner = bytes(frame.data)
            if b'"e"' not in inner:
                return self._generated(frame.stream, inner, ts_recv)
            MESSAGE.decode(inner)  # raises the reason if it is a bad message of a known kind
            return self._events(inner, ts_recv)
        if frame.error is not None or frame.code is not None:
            self.channel = "error"
            return ()
        if frame.id is not None:
            self.channel = "ack"
            return ()
        if frame.lastUpdateId is not None:  # recorders put the REST snapshot between the diffs
            self.channel = "depth"
            return READERS["depth"](self, payload, ts_recv)
        if frame.e:
            self.channel = frame.e
            MESSAGE.decode(payload)
        raise UnknownFrame(frame.e or "unknown", "no such message is described")

    def _generated(self, stream: str, inner: bytes, ts_recv: int) -> Sequence[Event]:
        """Read REST answers that a recorder put into the stream (`btcusdt@openInterest`, `btcusdt@depthSnapshot`)."""
        symbol, _, kind = stream.partition("@")
        reader = {"openInterest": "/fapi/v1/openInterest", "depthSnapshot": f"/fapi/v1/depth?symbol={symbol.upper()}"}.get(kind)
        if reader is None:
            raise UnknownFrame(kind or "unknown", "no such stream is described")
        path, _, query = reader.partition("?")
        parser = BinanceParser(Route(reader, "", path, dict([query.split("=")]) if query else {}), self.instruments)
        return parser.parse(inner, ts_recv)

    # --- socket messages ---

    def _agg_trade(self, m: AggTrade, ts_recv: int) -> Sequence[Event]:
        self.channel = "aggTrade"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        contracts, quantity, notional = i.measure(m.q, m.p)
        return (
            Trade(
                NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, str(m.l if m.a is None else m.a), "sell" if m.m else "buy", m.p, quantity, contracts, notional,
                "aggregate",
            ),
        )  # fmt: skip

    def _raw_trade(self, m: RawTrade, ts_recv: int) -> Sequence[Event]:
        self.channel = "trade"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        sold = m.m if m.m is not None else m.S == -1
        # An option trades in premium; its notional needs the underlying, which this message lacks.
        contracts, quantity, notional = i.measure(m.q, None if i.kind == "option" else m.p)
        kind = TRADE_KINDS.get(m.X, "other")
        return (
            Trade(
                NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, str(m.t), "sell" if sold else "buy", m.p, quantity, contracts,
                notional, kind,
            ),
        )  # fmt: skip

    def _force_order(self, m: ForceOrder, ts_recv: int) -> Sequence[Event]:
        self.channel = "forceOrder"
        o = m.o
        i = self.instruments.get(o.s)
        if o.S not in ("SELL", "BUY"):
            raise ParseError("forceOrder", f"order side {o.S[:20]!r} is neither SELL nor BUY")
        filled = o.z > 0 and o.ap > 0
        price, size = (o.ap, o.z) if filled else (o.p, o.q)
        contracts, quantity, notional = i.measure(size, price)
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
        ts = m.E * MS
        mark = MarkPrice(NAME, i.symbol, m.s, i.base, ts, ts_recv, m.p, reading(m.i))
        # Delivery contracts have no funding (T is 0). A rate is repeated every second: only a change is an event.
        if not m.r or m.T == 0 or self._funding.get(m.s) == (m.r, m.T):
            return (mark,)
        self._funding[m.s] = (m.r, m.T)
        rate = FundingRate(NAME, i.symbol, m.s, i.base, ts, ts_recv, reading(m.r) or 0.0, i.funding_interval_hours, m.T * MS, "predicted")
        return (mark, rate)

    def _depth(self, m: DepthUpdate, ts_recv: int) -> Sequence[Event]:
        self.channel = "depth"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        return (BookDepth(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "delta", m.b, m.a, i.size_unit, m.u, m.pu),)

    def _book_ticker(self, m: BookTicker, ts_recv: int) -> Sequence[Event]:
        self.channel = "bookTicker"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        return (BookDepth(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "top", [(m.b, m.B)], [(m.a, m.A)], i.size_unit, m.u),)

    def _kline(self, m: Kline, ts_recv: int) -> Sequence[Event]:
        self.channel = "kline"
        i, k = self.instruments.get(m.s), m.k
        # USD-M: v in coins, q in dollars; COIN-M: v in contracts, q in coins.
        quantity, notional, bought = (k.v, k.q, k.V) if i.size_unit == "base" else (k.q, i.notional_usd(k.v, k.c), None)
        return (
            Candle(
                NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, seconds_of(k.i), k.t * MS, k.o, k.h, k.l, k.c, quantity, notional,
                k.n, bought, "last", k.x,
            ),
        )  # fmt: skip

    def _option_depth(self, m: OptionDepth, ts_recv: int) -> Sequence[Event]:
        self.channel = "depth"
        i = self._known.get(m.s) or self.instruments.get(m.s)
        return (BookDepth(NAME, i.symbol, m.s, i.base, m.T * MS, ts_recv, "snapshot", m.b, m.a, i.size_unit, m.u),)

    def _ticker(self, m: Ticker, ts_recv: int) -> Sequence[Event]:
        self.channel = "ticker"
        i = self.instruments.get(m.s)
        if i.kind != "option":
            return ()  # 24 h statistics of a future; nothing that trades and mark prices do not say
        assert i.strike is not None and i.expiry is not None and i.option_type is not None
        return (
            OptionQuote(
                NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, i.strike, i.expiry, i.option_type, "usd", m.bo or None, m.ao or None,
                m.mp, m.c or None, _iv(m.b), _iv(m.a), _iv(m.vo), m.d, m.g, m.v, m.t, volume_24h=m.V,
            ),
        )  # fmt: skip

    def _option_mark(self, m: OptionMark, ts_recv: int) -> Sequence[Event]:
        self.channel = "markPrice"
        i = self.instruments.get(m.s)
        if i.strike is None or i.expiry is None or i.option_type is None:
            raise ParseError("markPrice", f"{m.s[:40]!r} is not an option")
        return (OptionQuote(NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, i.strike, i.expiry, i.option_type, "usd", mark_price=m.mp),)

    def _option_open_interest(self, m: OptionOpenInterest, ts_recv: int) -> Sequence[Event]:
        self.channel = "openInterest"
        i = self.instruments.get(m.s)
        return (OpenInterest(NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, m.o, m.o, m.h),)

    def _index(self, m: Index, ts_recv: int) -> Sequence[Event]:
        self.channel = "index"
        i = self.instruments.get(m.s)
        return (MarkPrice(NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, None, m.p),)

    def _contract_info(self, m: ContractInfo, ts_recv: int) -> Sequence[Event]:
        self.channel = "contractInfo"
        known = self.instruments.get(m.s)
        return (msgspec.structs.replace(known, status=m.cs.lower(), is_inferred=False, ts_event=m.E * MS, ts_recv=ts_recv),)


def _coverage_rule(ts: int, i: Instrument) -> str:
    return "largest_per_second" if ts >= LARGEST_SINCE and i.contract_type == "linear" else "latest_per_second"


def _iv(value: float | None) -> float | None:
    """Read an implied volatility; zero and negative ones are placeholders for no quote."""
    return value if value is not None and value > 0 else None


def infer(venue_symbol: str) -> Instrument | None:
    """Read a contract from its name: BTCUSDT, BTCUSDT_250627, BTCUSD_PERP, BTCUSD_250627, BTC-240927-25000-P."""
    pair, _, suffix = venue_symbol.partition("_")
    option = venue_symbol.split("-")
    if len(option) == 4 and option[3] in ("C", "P"):
        expiry, strike = _eight_utc(option[1]), reading(option[2])
        if expiry is None or strike is None:
            return None
        return make(
            NAME, venue_symbol, option[0], "USDT", expiry=expiry, strike=strike, option_type="call" if option[3] == "C" else "put",
            size_unit="base", is_inferred=True,
        )  # fmt: skip
    quote = next((q for q in QUOTES if pair.endswith(q) and len(pair) > len(q)), None)
    if quote is None or not venue_symbol:
        return None
    coin = pair[: -len(quote)]
    expiry = None if suffix in ("", "PERP") else _eight_utc(suffix)
    if suffix not in ("", "PERP") and expiry is None:
        return None
    inverse = quote == "USD"  # only COIN-M quotes in plain USD; 100 USD a contract for BTC, 10 USD for every other coin
    return make(
        NAME, venue_symbol, coin, quote, expiry=expiry, size_unit="contracts" if inverse else "base",
        contract_size=(100.0 if coin == "BTC" else 10.0) if inverse else None, is_inferred=True,
    )  # fmt: skip


def _eight_utc(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, "%y%m%d").replace(hour=8, tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError:
        return None


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan sockets: array streams for everything, per-symbol streams in sockets of at most 200 for the bases in detail.

    Every `/market` socket carries one busy control stream, since the failure of a wrong route is silence.
    """
    usdm, coinm = "wss://fstream.binance.com", "wss://dstream.binance.com"
    market: list[str] = []
    if "liquidations" in wanted.kinds:
        market.append("!forceOrder@arr")
    if wanted.kinds & {"mark_prices", "funding_rates"}:
        market.append("!markPrice@arr@1s")
    if "instruments" in wanted.kinds:
        market.append("!contractInfo")
    detailed = [i for i in wanted.instruments if i.base in wanted.detail and i.kind != "option"]
    trades = [f"{i.venue_symbol.lower()}@aggTrade" for i in detailed if "trades" in wanted.kinds]
    books = [f"{i.venue_symbol.lower()}@depth@100ms" for i in detailed if "book_depth" in wanted.kinds]
    linear = {i.venue_symbol.lower() for i in detailed if i.contract_type == "linear"}
    plans = [
        (f"{usdm}/market/stream", [*market, "btcusdt@aggTrade", *(t for t in trades if t.split("@")[0] in linear)]),
        (f"{usdm}/public/stream", [b for b in books if b.split("@")[0] in linear]),
        (f"{coinm}/stream", [*market, "btcusd_perp@aggTrade", *(s for s in trades + books if s.split("@")[0] not in linear)]),
    ]
    sockets = []
    for url, streams in plans:
        unique = list(dict.fromkeys(streams))
        for start in range(0, len(unique), 200):
            part = unique[start : start + 200]
            frame = msgspec.json.encode({"method": "SUBSCRIBE", "params": part, "id": 1})
            sockets.append(Subscription(url=url, frames=(frame,)))
    return sockets


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
    polls=(
        Poll(name="instruments", url="https://fapi.binance.com/fapi/v1/exchangeInfo", every=900),
        Poll(name="instruments", url="https://dapi.binance.com/dapi/v1/exchangeInfo", every=900),
        Poll(name="funding_info", url="https://fapi.binance.com/fapi/v1/fundingInfo", every=3600),
        Poll(name="open_interest", url="https://fapi.binance.com/fapi/v1/openInterest?symbol={symbol}", every=60, per="symbol"),
        Poll(name="insurance_funds", url="https://fapi.binance.com/fapi/v1/insuranceBalance", every=300),
        Poll(name="adl_signals", url="https://fapi.binance.com/fapi/v1/symbolAdlRisk", every=60),
    ),
)  # fmt: skip
