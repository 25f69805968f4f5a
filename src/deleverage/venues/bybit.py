"""Bybit v5 linear and inverse contracts and options: https://bybit-exchange.github.io/docs/v5

- `allLiquidation.{symbol}` shows every liquidation, batched every 500 ms (docs, copy of 2026-07-24; changelog 2025-02-20). It replaced
  `liquidation.{symbol}`, at most one order per contract and second. There is no wildcard, no id and no history.
- `S` of a liquidation is the side of the POSITION: Buy means a long was closed (docs; early copies said "order side"). `p` is the
  bankruptcy price, hundreds of bps from the market (in 2026-10 data as well): never a trade print.
- Tickers of futures are a snapshot, then sparse deltas: an absent field is unchanged.
- `openInterest` is the sum of both sides; one side is printed beside it since 2026-06-11 (half, but for rounding, on 2026-08-09).
- Linear and option sizes are base coins, inverse sizes dollars; no multiplier. `fundingInterval` of a listing is in minutes.
- A book message with `u` = 1 is a snapshot whatever its type (docs). `u` rose by exactly 1 in all 2142 deltas recorded on 2026-08-09;
  no gap rule is documented. Depth 1 has been snapshots only since 2025-03-20 (changelog).
- Spot has the same topics and the same names on another address; numeric trade ids and bare tickers give it away elsewhere.
- Pongs differ by product; a rejected subscription answers `success: false` for its whole frame.
- Formats before v5 are in `bybit_old.py`; `trade.` and `liquidation.` go by the fields they hold.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from types import MethodType
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from deleverage.errors import UnknownFrame
from deleverage.events import BookDepth, Candle, Event, Liquidation, Trade
from deleverage.instruments import Instrument
from deleverage.venues import bybit_old
from deleverage.venues import bybit_questions as questions
from deleverage.venues.bybit_names import NAME, infer
from deleverage.venues.bybit_rest import BybitBase, Fund, Status, candle_volume, fund, rest_reader, seconds_of, venue_status
from deleverage.venues.bybit_tickers import Quote, Ticker, positive
from deleverage.venues.venue import (
    MS,
    Blank,
    Count,
    Coverage,
    Heartbeat,
    Instruments,
    Millis,
    Number,
    Price,
    Route,
    Size,
    Subscription,
    Venue,
    Wanted,
    number_repeats,
    reading,
)  # fmt: skip

FULL_SINCE = 1_739_491_200_000_000_000  # 2025-02-14: the docs' example message; the changelog announced the stream on 2025-02-20
TOP_ONLY_SINCE = 1_742_428_800_000  # 2025-03-20, ms: from here on depth 1 pushes snapshots only
Level = tuple[Price, Size]
Side = Literal["Buy", "Sell"]


# --- wire types, in the venue's spelling -----------------------------------------------------------------------------


class TradeRow(msgspec.Struct, gc=False):
    T: Millis
    s: str
    S: Side
    v: Size
    p: Price
    i: str
    BT: bool = False
    RPI: bool = False
    iP: Quote = None


class TradePush(msgspec.Struct, gc=False):
    data: list[TradeRow]


class LiquidationRow(msgspec.Struct, gc=False):
    T: Millis
    s: str
    S: Side
    v: Size
    p: Quote


class LiquidationPush(msgspec.Struct, gc=False):
    data: LiquidationRow | list[LiquidationRow]


class TickerPush(msgspec.Struct, gc=False):
    data: Ticker
    ts: Millis
    type: Literal["snapshot", "delta"] = "snapshot"


class Book(msgspec.Struct, gc=False):
    s: str
    b: list[Level]
    a: list[Level]
    u: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class BookPush(msgspec.Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    ts: Millis
    data: Book
    cts: Millis | None = None


class KlineRow(msgspec.Struct, gc=False):
    start: Millis
    interval: str
    open: Price
    close: Price
    high: Price
    low: Price
    volume: Size
    turnover: Size
    confirm: bool
    timestamp: Millis


class KlinePush(msgspec.Struct, gc=False):
    topic: str
    data: list[KlineRow]


class PoolRow(Fund, gc=False):
    updateTime: Millis | None = None


class PoolPush(msgspec.Struct, gc=False):
    data: list[dict[str, Any]]
    ts: Millis | None = None


class AdlAlert(msgspec.Struct, gc=False):
    c: str
    s: str
    b: Blank | Number | None = None
    i_pr: Blank | Number | None = None
    pr: Blank | Number | None = None
    adl_tt: Blank | Number | None = None
    adl_sr: Blank | Number | None = None


class AdlPush(msgspec.Struct, gc=False):
    ts: Millis
    data: list[AdlAlert]


class StatusPush(msgspec.Struct, gc=False):
    ts: Millis
    data: list[Status]


class Control(msgspec.Struct, gc=False):
    topic: str = ""
    op: str = ""
    type: str = ""
    ret_msg: str | None = None
    success: bool | None = None
    request: dict[str, Any] | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    pong: Any = None
    retCode: Count | None = None
    ret_code: Count | None = None


TRADES = msgspec.json.Decoder(TradePush, strict=False)
LIQUIDATIONS = msgspec.json.Decoder(LiquidationPush, strict=False)
TICKERS = msgspec.json.Decoder(TickerPush, strict=False)
BOOKS = msgspec.json.Decoder(BookPush, strict=False)
KLINES = msgspec.json.Decoder(KlinePush, strict=False)
POOLS = msgspec.json.Decoder(PoolPush, strict=False)
ADL_ALERTS = msgspec.json.Decoder(AdlPush, strict=False)
STATUSES = msgspec.json.Decoder(StatusPush, strict=False)
CONTROL = msgspec.json.Decoder(Control, strict=False)
HOT = ("publicTrade", "tickers", "orderbook", "allLiquidation")
KEPT_NOTHING = frozenset({"priceLimit", "kline_lt", "tickers_lt", "lt", "candle", "klineV2"})

Reader: TypeAlias = Callable[["BybitParser", bytes, int], Sequence[Event]]


class BybitParser(BybitBase):
    """Frames of any Bybit public socket, and answers of its REST addresses."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._known = instruments.known
        self._on: dict[bytes, tuple[str, Callable[[bytes, int], Sequence[Event]]]] = {
            f'{{"topic":"{kind}.'.encode()[:18]: (kind, MethodType(READERS[kind], self)) for kind in HOT
        }
        self._spot = False
        if "spot" in route.path:
            self._is_spot()
        self._may_be_spot = not any(f"/{product}" in route.path for product in ("linear", "inverse", "option"))

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        known = self._on.get(payload[:18])
        if known is not None:  # nearly every frame: its first bytes tell the kind, so that it is decoded once
            self.channel, read = known
            return read(payload, ts_recv)
        self.channel = "unknown"
        return self._control(payload, ts_recv)

    def _control(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Read what does not open with a topic, and recognise what is not a market event."""
        frame = CONTROL.decode(payload)
        if frame.topic:
            kind = frame.topic.partition(".")[0][:40] or "unknown"
            self.channel = "spot" if self._spot else kind
            if self._spot or kind in KEPT_NOTHING:
                return ()
            if kind in READERS:
                return READERS[kind](self, payload, ts_recv)
            raise UnknownFrame(kind, "no such topic is described")
        if frame.retCode is not None or frame.ret_code is not None:
            if frame.retCode or frame.ret_code:
                self.channel = "error"
                return ()
            self.channel, reader = rest_reader(self.route.path, payload)
            return reader(self, payload, ts_recv)
        asked = frame.op or str((frame.request or {}).get("op", ""))
        if asked in ("ping", "pong") or frame.ret_msg == "pong" or frame.pong is not None:
            self.channel = "heartbeat"
        elif frame.success is not None or frame.type == "COMMAND_RESP" or asked:
            failed = frame.success is False or b'"failTopics":["' in bytes(frame.data).replace(b" ", b"")
            self.channel = "error" if failed else "ack"
            # Spot acknowledges with the word, the others with nothing (recording of 2026-08-09).
            if self._may_be_spot and frame.ret_msg == "subscribe":
                self._is_spot()
                self.channel = "ack"
        else:
            raise UnknownFrame("unknown", "neither topic, answer nor acknowledgement")
        return ()

    def _is_spot(self) -> Sequence[Event]:
        """Remember that this connection is one of spot: its frames are recognised and hold nothing we keep."""
        self.channel = "spot"
        self._spot = True
        self._on = {}
        return ()

    # --- socket messages ---

    def trade(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        rows = TRADES.decode(payload).data
        if self._may_be_spot and rows and rows[0].i.isdigit():
            return self._is_spot()
        events = []
        for r in rows:
            i, price = self._known.get(r.s) or self.instruments.get(r.s), r.p
            # An option trades in premium; its notional is that of the underlying, at the index price.
            contracts, quantity, notional = i.measure(r.v, price if i.kind != "option" else r.iP or None)
            events.append(
                Trade(
                    NAME, i.symbol, r.s, i.base, r.T * MS, ts_recv, r.i, "buy" if r.S == "Buy" else "sell", price, quantity, contracts,
                    notional, "block" if r.BT else "rpi" if r.RPI else "market",
                )
            )  # fmt: skip
        return events

    def old_or_new_trade(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        return bybit_old.trade(self, payload, ts_recv) if b'"side"' in payload else self.trade(payload, ts_recv)

    def liquidation(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        data = LIQUIDATIONS.decode(payload).data
        events = []
        for r in data if isinstance(data, list) else [data]:
            i = self._known.get(r.s) or self.instruments.get(r.s)
            price = positive(r.p)  # a position that cannot go bankrupt has none
            contracts, quantity, notional = i.measure(r.v, price)
            events.append(
                Liquidation(
                    NAME, i.symbol, r.s, i.base, r.T * MS, ts_recv, "long" if r.S == "Buy" else "short", price, "bankruptcy",
                    quantity, contracts, notional, "market", "full",
                )
            )  # fmt: skip
        return number_repeats(events) if len(events) > 1 else events

    def ticker(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        push = TICKERS.decode(payload)
        t = push.data
        if push.type == "delta":
            return self.tickers.change(t, push.ts * MS, ts_recv)
        if t.markPrice is None and t.openInterest is None and self._may_be_spot:
            return self._is_spot()
        return self.tickers.read(t, t, push.ts * MS, ts_recv)

    def book(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        try:
            push = BOOKS.decode(payload)
        except msgspec.ValidationError:
            if b'"orderbook.rpi.' in payload:
                return ()  # levels of two sizes, of which only retail orders can use the second
            raise
        d, at = push.data, push.ts if push.cts is None else push.cts
        i = self._known.get(d.s) or self.instruments.get(d.s)
        if push.type == "snapshot" or d.u == 1:
            top = push.topic.startswith("orderbook.1.") and push.ts >= TOP_ONLY_SINCE
            depth = BookDepth(
                NAME, i.symbol, d.s, i.base, at * MS, ts_recv, "top" if top else "snapshot", d.b, d.a, i.size_unit, d.u
            )  # fmt: skip
        else:
            depth = BookDepth(NAME, i.symbol, d.s, i.base, at * MS, ts_recv, "delta", d.b, d.a, i.size_unit, d.u, d.u - 1)
        return (depth,)

    def candle(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        push = KLINES.decode(payload)
        i = self.instruments.get(push.topic.split(".", 2)[2])
        return [
            Candle(
                NAME, i.symbol, i.venue_symbol, i.base, r.timestamp * MS, ts_recv, seconds_of(r.interval), r.start * MS, r.open, r.high,
                r.low, r.close, *candle_volume(i, r.volume, r.turnover), is_closed=r.confirm,
            )
            for r in push.data
        ]  # fmt: skip

    def pools(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        push = POOLS.decode(payload)
        rows = [msgspec.convert(r, PoolRow, strict=False) for r in push.data if "coin" in r]  # rows of before v5 have a currency
        return [fund(self, r, _ns(r.updateTime, push.ts, ts_recv), ts_recv) for r in rows]

    def adl_alert(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        push = ADL_ALERTS.decode(payload)
        return [
            event
            for r in push.data
            for event in self.adl_signal(
                r.s, r.c, reading(r.b), reading(r.pr), reading(r.i_pr), reading(r.adl_sr), reading(r.adl_tt), push.ts * MS, ts_recv
            )
        ]

    def status(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        push = STATUSES.decode(payload)
        return [venue_status(row, push.ts * MS, ts_recv) for row in push.data]


def _ns(first: int | None, second: int | None, otherwise: int) -> int:
    at = second if first is None else first
    return otherwise if at is None else at * MS


READERS: dict[str, Reader] = {
    "publicTrade": BybitParser.trade, "allLiquidation": BybitParser.liquidation, "tickers": BybitParser.ticker,
    "orderbook": BybitParser.book, "kline": BybitParser.candle, "insurance": BybitParser.pools, "adlAlert": BybitParser.adl_alert,
    "system": BybitParser.status, "trade": BybitParser.old_or_new_trade, "liquidation": bybit_old.liquidation,
    "instrument_info": bybit_old.instrument_info, "orderBookL2_25": bybit_old.book, "orderBook_200": bybit_old.book,
}  # fmt: skip


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan one socket per product, more where a thousand topics are passed, in frames of at most 200 topics.

    There are no wildcards, so the plan follows the listed contracts. Liquidations are rare: a ticker on every socket tells a
    silent socket from a calm market.
    """
    planned: dict[str, list[str]] = {"linear": [], "inverse": [], "option": []}
    kinds = wanted.kinds
    for i in wanted.instruments:
        planned["option" if i.kind == "option" else i.contract_type] += _topics(i, kinds, i.base in wanted.detail)
    for kind, topic in (("insurance_funds", "insurance"), ("adl_signals", "adlAlert")):
        if kind in kinds:
            planned["linear"] += [f"{topic}.USDT", f"{topic}.USDC"]
            planned["inverse"].append(f"{topic}.inverse")
    sockets = []
    for product, control in (("linear", "tickers.BTCUSDT"), ("inverse", "tickers.BTCUSD"), ("option", "publicTrade.BTC")):
        topics = list(dict.fromkeys(planned[product]))
        for start in range(0, len(topics), 999):
            mine = dict.fromkeys(chain([control], topics[start : start + 999]))
            sockets.append(Subscription(url=f"wss://stream.bybit.com/v5/public/{product}", frames=tuple(_frames(mine))))
    if "venue_statuses" in kinds:
        sockets.append(Subscription(url="wss://stream.bybit.com/v5/public/misc/status", frames=tuple(_frames(["system.status"]))))
    return sockets


def _topics(i: Instrument, kinds: frozenset[str], in_detail: bool) -> list[str]:
    name, topics = i.venue_symbol, []
    if i.kind == "option":
        if in_detail and "option_quotes" in kinds:
            topics.append(f"tickers.{name}")
        if in_detail and "trades" in kinds:
            topics.append(f"publicTrade.{name.partition('-')[0]}")  # options trade in one topic per coin
        return topics
    if "liquidations" in kinds:
        topics.append(f"allLiquidation.{name}")
    if kinds & {"mark_prices", "funding_rates", "open_interest"}:
        topics.append(f"tickers.{name}")
    if in_detail:
        topics += [f"{topic}.{name}" for kind, topic in DETAIL if kind in kinds]
    return topics


DETAIL = (("trades", "publicTrade"), ("book_depth", "orderbook.200"), ("candles", "kline.1"))


def _frames(topics: Iterable[str]) -> Iterable[bytes]:
    """Split topics into requests: the venue takes 21,000 characters of `args`, and a bad topic fails its whole frame."""
    every = list(topics)
    for start in range(0, len(every), 200):
        yield msgspec.json.encode({"op": "subscribe", "args": every[start : start + 200]})


VENUE = Venue(
    name=NAME,
    title="Bybit",
    docs="https://bybit-exchange.github.io/docs/v5",
    owns=("bybit.com", "bybit.eu", "bybit.kz", "bybit-tr.com", "bybitgeorgia.ge", "bytick.com"),
    parser=BybitParser,
    infer=infer,
    coverage=(
        Coverage(
            rule="undisclosed", note="liquidation.{symbol}: at most one order per contract and second; which one is not said",
            source="Liquidation page, last copies; changelog of 2025-02-20",
        ),
        Coverage(
            rule="full", since=FULL_SINCE, note="allLiquidation.{symbol}: every liquidation, pushed every 500 ms",
            source="All Liquidation page, copy of 2026-07-24; changelog of 2025-02-20",
        ),
    ),
    liquidation_channels=("allLiquidation", "liquidation"),
    subscribe=subscribe,
    heartbeat=Heartbeat(every=20, payload=b'{"op":"ping"}', idle_cut=600),
    polls=questions.POLLS,
    histories=questions.HISTORIES,
    limits=questions.LIMITS,
    clock=questions.CLOCK,
)  # fmt: skip
