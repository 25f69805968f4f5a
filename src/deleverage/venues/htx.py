"""HTX (Huobi) USDT-margined swaps and futures, coin-margined swaps and futures: https://www.htx.com/en-us/opend/newApiPages/

- Every frame is one gzip member, acks and pings included; imports hold plain JSON as well. Both are read (recordings of 2020 to 2024).
- The server pings every 5 s and closes after 20 s without an answer (probe of 2026-09-23); market and notification sockets speak
  different dialects: `{"ping":ts}` and `{"op":"ping","ts":ts}`. Answers are plain text.
- The first push of `trade.detail` per contract is backlog, up to 16 s old and before or after the ack (recording of 2022-02-19).
- Sizes of trades and candles count both sides ("Sum of both buy and sell sides", API pages). Seen: a taker's sell printed as 50
  took 25 off the bid, 105 to 80 (SHIB-USD, recording of 2022-02-19). They are halved here. Liquidations, books and open interest
  are not doubled: odd contract counts occur in them.
- `direction` of a liquidation is the side of the liquidation order, although the page calls it long or short: sell closes a long. Its
  price is the bankruptcy price. `trade_turnover` can be trusted, `amount` cannot: v5's own example gives contracts there.
- Funding: `settlement_time` is what the rate belongs to; `funding_time` on the socket is when it was computed, on REST the settlement.
- Error 2014 (already covered by a wider subscription) is benign.
- An incremental book's `version` grows by exactly 1 per stream (63,000 deltas without a gap, probe of 2026-09-23); a snapshot restarts it.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Candle, Event, FundingRate, MarkPrice, TakerSide, Trade
from deleverage.venues import htx_questions as questions
from deleverage.venues import htx_rest as rest
from deleverage.venues.htx_rest import NAME, ONE_SIDE, Serial, infer
from deleverage.venues.repeats import Repeats
from deleverage.venues.venue import (
    MS,
    Count,
    Coverage,
    Heartbeat,
    Instruments,
    Millis,
    Parser,
    Price,
    Route,
    Size,
    Subscription,
    Venue,
    Wanted,
    reading,
)

GZIP = b"\x1f\x8b"
LARGEST_FRAME = 16 * 1024 * 1024
TOPICS = frozenset(("liquidation_orders", "funding_rate", "contract_info", "contract_elements", "heartbeat"))
BENIGN = frozenset((None, 0, "0", 2014, "2014"))
TOPICS_PER_SOCKET = 150
Level: TypeAlias = tuple[Price, Size]


# --- wire types, in the venue's spelling; the channel in `ch` tells them apart ----------------------------------------


class TradeRow(msgspec.Struct, gc=False):
    amount: Size
    ts: Millis
    id: Count
    price: Price
    direction: TakerSide
    quantity: Size | None = None
    trade_turnover: Size | None = None
    contract_code: str = ""


class TradeBatch(msgspec.Struct, gc=False):
    data: list[TradeRow]


class Trades(msgspec.Struct, gc=False):
    tick: TradeBatch | None = None
    data: list[TradeBatch] = []


class AskedTrades(msgspec.Struct, gc=False):
    data: list[TradeRow]


class Book(msgspec.Struct, gc=False):
    bids: list[Level] = []
    asks: list[Level] = []
    ts: Millis | None = None
    version: Serial | None = None
    mrid: Serial | None = None
    event: Literal["snapshot", "update", ""] = ""


class Depth(msgspec.Struct, gc=False):
    tick: Book
    ts: Millis | None = None


class Best(msgspec.Struct, gc=False):
    bid: Level | None = None
    ask: Level | None = None
    ts: Millis | None = None
    mrid: Serial | None = None


class BestQuote(msgspec.Struct, gc=False):
    tick: Best
    ts: Millis | None = None


class Generated(msgspec.Struct, gc=False):
    data: msgspec.Raw
    ts: Millis | None = None


class Frame(msgspec.Struct, gc=False):  # whatever does not open with its channel
    ch: str = ""
    rep: str = ""
    op: str = ""
    topic: str = ""
    ping: Any = None
    pong: Any = None
    ts: Any = None
    status: Any = None
    subbed: Any = None
    unsubbed: Any = None
    err_code: Any = msgspec.field(name="err-code", default=None)
    data: msgspec.Raw = msgspec.Raw(b"")


class Ping(msgspec.Struct, gc=False):
    op: str = ""
    ping: msgspec.Raw = msgspec.Raw(b"")
    ts: msgspec.Raw = msgspec.Raw(b"")


FRAME = msgspec.json.Decoder(Frame)
PING = msgspec.json.Decoder(Ping)
TRADES = msgspec.json.Decoder(Trades, strict=False)
ASKED_TRADES = msgspec.json.Decoder(AskedTrades, strict=False)
DEPTH = msgspec.json.Decoder(Depth, strict=False)
BEST_QUOTE = msgspec.json.Decoder(BestQuote, strict=False)
GENERATED = msgspec.json.Decoder(Generated, strict=False)
MILLIS = msgspec.json.Decoder(Millis, strict=False)
FUNDING_ROWS = msgspec.json.Decoder(list[rest.FundingRow], strict=False)


class Topic(NamedTuple):
    """A market channel taken apart: its kind, contract, rest, and how to read its frames."""

    channel: str
    decode: Callable[[bytes], Any]
    read: "Callable[[Any, Topic, int], Sequence[Event]]"
    code: str
    detail: str


class HtxParser(Parser):
    """Frames of any HTX derivatives socket, and answers of its REST addresses."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._known = instruments.known
        self._rest = rest.rest_name(route.path)
        self._topics: dict[bytes, Topic] = {}
        self._past_backlog: set[str] = set()
        self._rates = Repeats()
        self._running: dict[tuple[str, str, str], Candle] = {}

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        if not payload.startswith(b'{"ch":"'):
            if not payload.startswith(GZIP):
                self.channel = self._rest or "unknown"
                return self._other(payload, ts_recv)
            self.channel = "gzip"
            payload = gunzip(payload)
            if not payload.startswith(b'{"ch":"'):
                self.channel = self._rest or "unknown"
                return self._other(payload, ts_recv)
        name = payload[7 : payload.find(b'"', 7)]
        topic = self._topics.get(name) or self._topic(name)
        self.channel, decode, read = topic[:3]
        return read(decode(payload), topic, ts_recv)

    def _topic(self, name: bytes) -> Topic:
        """Take a channel apart once per connection: market.BTC-USDT.depth.size_150.high_freq."""
        self.channel = "unknown"
        market, code, kind, detail = [*name.decode().split(".", 3), "", "", ""][:4]
        readings: dict[str, tuple[Callable[[bytes], Any], Callable[[Any, Topic, int], Sequence[Event]]]] = {
            "trade": (TRADES.decode, self._trades), "depth": (DEPTH.decode, self._depth), "bbo": (BEST_QUOTE.decode, self._best),
            "basis": (rest.BASIS.decode, self._basis), "open_interest": (GENERATED.decode, self._open_interest),
            "detail": (msgspec.json.decode, self._nothing), "estimated_rate": (msgspec.json.decode, self._nothing),
            **dict.fromkeys(rest.CANDLE_KINDS, (rest.BARS.decode, self._bars)),
        }  # fmt: skip
        if market != "market" or kind not in readings:
            raise UnknownFrame(kind[:40] or "unknown", "no such channel is described")
        self.channel = "trade.detail" if kind == "trade" else kind
        if code != "*":
            self.instruments.get(code)
        found = Topic(self.channel, *readings[kind], code, detail)
        self._topics[name] = found
        return found

    def _other(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Read REST answers and notifications; recognise acks, pings and refusals."""
        if self._rest is not None and self._rest not in rest.BY_CHANNEL:
            return rest.read_answer(self, self._rest, payload, ts_recv)
        frame = FRAME.decode(payload)
        if frame.ch:
            topic = self._topic(frame.ch.encode())
            self.channel = topic.channel
            return topic.read(topic.decode(payload), topic, ts_recv)
        if frame.ping is not None or frame.pong is not None or frame.op in ("ping", "pong"):
            self.channel = "heartbeat"
            return ()
        if frame.op == "notify":
            return self._notify(frame, ts_recv)
        if frame.op or frame.subbed is not None or frame.unsubbed is not None:
            self.channel = "ack" if frame.op not in ("close", "error") and frame.err_code in BENIGN else "error"
            return ()
        if frame.rep:
            return self._asked(frame.rep, payload, ts_recv)
        for mark, name in rest.SHAPES:
            if mark in payload:
                self.channel = name
                return rest.read_answer(self, name, payload, ts_recv)
        if frame.status is not None or frame.err_code is not None:
            self.channel = "ack" if frame.status == "ok" and frame.err_code in BENIGN else "error"
            return ()
        raise UnknownFrame("unknown", "no such message is described")

    def _notify(self, frame: Frame, ts_recv: int) -> Sequence[Event]:
        kind = frame.topic.rpartition(".")[2]
        self.channel = {"heartbeat": "system"}.get(kind, kind) if kind in TOPICS else "unknown"
        ts = ts_recv if frame.ts is None else MILLIS.decode(msgspec.json.encode(frame.ts)) * MS
        data = bytes(frame.data)
        if kind == "liquidation_orders":
            return rest.liquidations(self, data, ts, ts_recv, is_backfill=False)
        if kind == "funding_rate":
            return self._funding_rates(data, ts, ts_recv)
        if kind == "contract_info":
            return rest.listings(self, data, ts, ts_recv)
        if kind == "contract_elements":
            return rest.elements(self, data, ts, ts_recv)
        if kind == "heartbeat":
            return rest.system(self, data, ts, ts_recv)
        raise UnknownFrame(kind[:40] or "unknown", "no such topic is described")

    def _asked(self, rep: str, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Read the answer to a `req`: history over a socket."""
        topic = self._topic(rep.encode())
        self.channel = topic.channel
        if topic.channel == "trade.detail":
            return [self._trade(topic.code, row, ts_recv, True) for row in ASKED_TRADES.decode(payload).data]
        if topic.channel in rest.CANDLE_KINDS or topic.channel == "basis":
            return topic.read(topic.decode(payload), topic, ts_recv)
        return ()

    # --- market channels ---

    def _trades(self, m: Trades, topic: Topic, ts_recv: int) -> Sequence[Event]:
        code, batch = topic.code, m.tick
        if self._rest is not None or batch is None:
            return [self._trade(code, row, ts_recv, True) for one in (m.data if batch is None else [batch]) for row in one.data]
        if code not in self._past_backlog:
            self._past_backlog.add(code)
            return ()
        if len(batch.data) == 1:
            return (self._trade(code, batch.data[0], ts_recv),)
        return [self._trade(code, row, ts_recv) for row in batch.data]

    def _trade(self, code: str, row: TradeRow, ts_recv: int, is_backfill: bool = False) -> Trade:
        code = row.contract_code or code  # some answers hold all contracts
        i = self._known.get(code) or self.instruments.get(code)
        price = row.price
        contracts, quantity, notional = i.measure(row.amount * ONE_SIDE, price)
        if quantity is None and row.quantity is not None:
            quantity = row.quantity * ONE_SIDE
            notional = quantity * price if row.trade_turnover is None else row.trade_turnover * ONE_SIDE
        return Trade(
            NAME, i.symbol, code, i.base, row.ts * MS, ts_recv, str(row.id), row.direction, price, quantity, contracts, notional,
            is_backfill=is_backfill,
        )  # fmt: skip

    def _depth(self, m: Depth, topic: Topic, ts_recv: int) -> Sequence[Event]:
        code, book, serial, before = topic.code, m.tick, m.tick.mrid, None
        i = self._known.get(code) or self.instruments.get(code)
        at = book.ts or m.ts
        ts = ts_recv if at is None else at * MS
        update: Literal["snapshot", "delta"] = "snapshot"
        if topic.detail.endswith("high_freq"):
            serial = book.version
            if serial is None or book.event == "":
                raise ParseError("depth", "incremental book without version or event")
            if book.event == "update":
                update, before = "delta", serial - 1
        elif topic.detail not in ("step0", "step6"):
            return ()  # levels merged into coarser prices are not the book
        return (BookDepth(NAME, i.symbol, code, i.base, ts, ts_recv, update, book.bids, book.asks, "contracts", serial, before),)

    def _best(self, m: BestQuote, topic: Topic, ts_recv: int) -> Sequence[Event]:
        code, best = topic.code, m.tick
        i = self._known.get(code) or self.instruments.get(code)
        ts = best.ts or m.ts
        bids, asks = [] if best.bid is None else [best.bid], [] if best.ask is None else [best.ask]
        ts = ts_recv if ts is None else ts * MS
        return (BookDepth(NAME, i.symbol, code, i.base, ts, ts_recv, "top", bids, asks, "contracts", best.mrid),)

    def _bars(self, m: rest.Bars, topic: Topic, ts_recv: int) -> Sequence[Event]:
        i = self.instruments.get(topic.code)
        seconds = rest.PERIOD_SECONDS.get(topic.detail)
        if seconds is None:
            raise ParseError(topic.channel, f"period {topic.detail[:20]!r} is not described")
        if m.tick is None:
            ends = [(bar, (bar.id + seconds) * 1_000_000_000) for bar in m.data]
            return [rest.candle(i, bar, topic.channel, seconds, end, ts_recv, end < ts_recv, True) for bar, end in ends]
        ts = ts_recv if m.ts is None else m.ts * MS
        running = rest.candle(i, m.tick, topic.channel, seconds, ts, ts_recv, False, self._rest is not None)
        events: list[Event] = []
        key = (topic.channel, topic.code, topic.detail)
        before = self._running.get(key)
        if before is not None and before.ts_open < running.ts_open:  # a bar is over when the next one begins
            events.append(msgspec.structs.replace(before, is_closed=True, ts_recv=ts_recv))
        self._running[key] = running
        events.append(running)
        if topic.channel == "mark_price":
            events.append(MarkPrice(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, m.tick.close))
        elif topic.channel == "index":
            events.append(MarkPrice(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, None, m.tick.close))
        return events

    def _basis(self, m: rest.Basis, topic: Topic, ts_recv: int) -> Sequence[Event]:
        return rest.basis(self.instruments.get(topic.code), m, topic.detail, ts_recv)

    def _open_interest(self, m: Generated, topic: Topic, ts_recv: int) -> Sequence[Event]:
        """Read REST answers that a recorder put into the stream."""
        return rest.open_interest(self, bytes(m.data), ts_recv if m.ts is None else m.ts * MS, ts_recv)

    def _nothing(self, m: Any, topic: Topic, ts_recv: int) -> Sequence[Event]:
        return ()  # 24 h statistics, and candles of an estimate

    def _funding_rates(self, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
        events = []
        for row in FUNDING_ROWS.decode(data):
            i, rate, when = self.instruments.get(row.contract_code), reading(row.funding_rate), rest.instant(row.settlement_time)
            # A rate is repeated every few seconds: a change is an event, and so is one in ten minutes.
            if rate is None or not self._rates.is_news(row.contract_code, (rate, when), ts):
                continue
            hours, code = i.funding_interval_hours, row.contract_code
            events.append(FundingRate(NAME, i.symbol, code, i.base, ts, ts_recv, rate, hours, when, "predicted"))
            following = reading(row.estimated_rate)  # of the settlement after; null since 2026 at the latest
            if following is not None and hours is not None and when is not None:
                due = when + int(hours * rest.HOUR)
                events.append(FundingRate(NAME, i.symbol, code, i.base, ts, ts_recv, following, hours, due, "predicted"))
        return events


def gunzip(payload: bytes) -> bytes:
    """Unpack one gzip member of at most 16 MB. Raises ParseError for anything else."""
    unpacker = zlib.decompressobj(31)
    try:
        text = unpacker.decompress(payload, LARGEST_FRAME)
    except zlib.error as error:
        raise ParseError("gzip", str(error)[:160]) from error
    if unpacker.unconsumed_tail:
        raise ParseError("gzip", f"unpacks to more than {LARGEST_FRAME} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise ParseError("gzip", "not one whole gzip member")
    return text


def reply(payload: bytes) -> bytes | None:
    """Answer a server's ping of either dialect with plain text; None for every other frame.

    >>> reply(b'{"ping":1645289389619}'), reply(b'{"op":"ping","ts":"1492420473058"}'), reply(b'{"pong":1}')
    (b'{"pong":1645289389619}', b'{"op":"pong","ts":"1492420473058"}', None)
    """
    if len(payload) > 200:
        return None  # a ping is short: 22 bytes, 42 packed
    try:
        frame = PING.decode(gunzip(payload) if payload.startswith(GZIP) else payload)
    except (msgspec.MsgspecError, ParseError, ValueError, RecursionError):
        return None
    if frame.op == "ping" and bytes(frame.ts):
        return b'{"op":"pong","ts":' + bytes(frame.ts) + b"}"
    return b'{"pong":' + bytes(frame.ping) + b"}" if not frame.op and bytes(frame.ping) else None


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan sockets: one for the notifications of each family, and market sockets of at most 150 topics for the bases in detail.

    The venue takes 40 subscriptions a second per socket. Funding of all swaps pushes every 5 s and is the control stream of
    liquidations, which may be silent for many minutes.
    """
    host = "wss://api.hbdm.com"
    names = [name for name, kind in (("liquidation_orders", "liquidations"), ("contract_info", "instruments")) if kind in wanted.kinds]
    plans: list[tuple[str, list[dict[str, Any]]]] = []
    for address in ("linear-swap-notification", "swap-notification", "notification"):
        wider = {"business_type": "all"} if address.startswith("linear") else {}
        frames = [{"op": "sub", "cid": name, "topic": f"public.*.{name}", **wider} for name in names]
        if address != "notification" and (names or "funding_rates" in wanted.kinds):  # dated coin futures have no funding
            frames.append({"op": "sub", "cid": "funding_rate", "topic": "public.*.funding_rate"})
        if frames:
            plans.append((f"{host}/{address}", frames))
    detailed = [i for i in wanted.instruments if i.base in wanted.detail and i.kind != "option"]
    channels = {"trades": "trade.detail", "book_depth": "depth.size_150.high_freq", "candles": "kline.1min"}
    market: dict[str, list[dict[str, Any]]] = {}
    for i in detailed:
        family = "linear-swap-ws" if i.contract_type == "linear" else "swap-ws" if i.kind == "perpetual" else "ws"
        for kind, channel in channels.items():
            if kind in wanted.kinds:
                extra = {"data_type": "incremental"} if kind == "book_depth" else {}
                market.setdefault(family, []).append({"sub": f"market.{i.venue_symbol}.{channel}", "id": i.venue_symbol, **extra})
        if "mark_prices" in wanted.kinds and i.kind == "perpetual":
            market.setdefault("ws_index", []).append({"sub": f"market.{i.venue_symbol}.mark_price.1min", "id": i.venue_symbol})
    for family, subs in market.items():
        plans += [(f"{host}/{family}", subs[n : n + TOPICS_PER_SOCKET]) for n in range(0, len(subs), TOPICS_PER_SOCKET)]
    return [Subscription(url=url, frames=tuple(map(msgspec.json.encode, frames))) for url, frames in plans]


VENUE = Venue(
    name=NAME,
    title="HTX",
    docs="https://www.htx.com/en-us/opend/newApiPages/",
    owns=("hbdm.com", "hbdm.vn", "huobi.pro", "btcgateway.pro", "htx.com"),
    parser=HtxParser,
    infer=infer,
    coverage=(
        Coverage(
            rule=rest.RULE,
            note="no throttle is documented and none was seen; the feed is thin (5 events in 22 minutes of 2026-09-18)",
            source="Subscribe Liquidation Orders page; topic offered since 2020-04-09 (change log of the coin swaps, 1.0.2)",
        ),
    ),
    liquidation_channels=("liquidation_orders",),
    subscribe=subscribe,
    heartbeat=Heartbeat(reply=reply, idle_cut=20),
    polls=questions.POLLS,
    histories=questions.HISTORIES,
    limits=questions.LIMITS,
    clock=questions.CLOCK,
)
