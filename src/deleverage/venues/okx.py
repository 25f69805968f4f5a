"""OKX v5 swaps, futures and options: https://www.okx.com/docs-v5/en/

- `liquidation-orders` is not the total of liquidations (docs, always). Older docs add: per future and swap at most one order a
  second; the copy of 2026-07-19 no longer says so, yet no contract-second of our recording of 2026-08-31 holds two.
- `details` is a list: every entry counts. Entries come late (695 s seen 2026-08-31) and out of order (docs of 2026-07-19).
- `bkPx` was the bankruptcy price; the docs of 2026-07-19 call it "liquidation mark price", and the prices recorded on 2026-08-31
  fall from one liquidation to the next as one mark price would and bankruptcy prices of many accounts would not.
- The first push after subscribing is the recent past (tardis-node drops it): kept, as backfill.
- `posSide` is the position, `side` the closing order; `posSide` may be `net` (docs), then `side` decides: sell closes a long.
- Sizes are contracts of ctVal x ctMult: coins (linear, options) or dollars (inverse).
- The funding interval is nextFundingTime - fundingTime and changes without notice; `nextFundingRate` is dead.
- Book checksums are 0 since 2026 and are ignored; a heartbeat repeats its sequence number with empty sides.
- Before 2021 frames were `{"table": "swap/trade", ...}` (v3); liquidations then were polled by recorders.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Event, Liquidation, PositionSide, PriceKind, TakerSide, Trade, TradeKind, VenueStatus
from deleverage.instruments import Instrument
from deleverage.venues import okx_questions as questions
from deleverage.venues.okx_rest import (
    CANDLES,
    NAME,
    READERS,
    Arg,
    Frame,
    Level,
    OkxRows,
    Reader,
    asked,
    decoder,
    infer,
    option_quote,
)  # fmt: skip
from deleverage.venues.okx_v3 import read_table
from deleverage.venues.venue import (
    MS,
    Blank,
    Count,
    Coverage,
    Heartbeat,
    Instruments,
    Millis,
    Price,
    Route,
    Size,
    Subscription,
    Venue,
    Wanted,
    number_repeats,
    reading,
)  # fmt: skip

DOCS_2026_07_19 = 1_784_419_200_000_000_000  # first copy of the docs without the cap and with "liquidation mark price"


SMALLEST_PRICE = 1e-18  # so that dollars over price stay finite
Quote: TypeAlias = Size | Literal[""]
"""A number, 0 and blank where nobody quotes."""


# --- wire types, in the venue's spelling -----------------------------------------------------------------------------


class TradeRow(msgspec.Struct, gc=False):
    instId: str
    tradeId: str
    px: Price
    sz: Size
    side: TakerSide
    ts: Millis
    count: str = ""
    source: str = ""
    idxPx: Blank = ""


class BookRow(msgspec.Struct, gc=False):
    asks: list[Level]
    bids: list[Level]
    ts: Millis
    seqId: Count | None = None
    prevSeqId: Count | None = None


class TickerRow(msgspec.Struct, gc=False):
    instId: str
    ts: Millis
    last: Quote = ""
    bidPx: Quote = ""
    bidSz: Quote = ""
    askPx: Quote = ""
    askSz: Quote = ""
    volCcy24h: Blank = ""


class Detail(msgspec.Struct, gc=False):
    side: str
    sz: Size
    ts: Millis
    posSide: str = ""
    bkPx: Blank = ""


class LiquidationRow(msgspec.Struct, gc=False):
    instId: str
    details: list[Detail]


class Envelope(msgspec.Struct, gc=False):
    arg: Arg = Arg()
    event: str = ""
    op: str = ""
    msg: str = ""
    table: str = ""
    code: str | int | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


ENVELOPE = msgspec.json.Decoder(Envelope, strict=False)
KEYS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
FRAMES: dict[str, Reader] = {}
"""Every channel and REST address by name; the parser's own are added below it."""
SHAPES = (
    ("details", "instId", "liquidation-orders"), ("details", "details", "insurance-fund"), ("markVol", "instId", "opt-summary"),
    ("ctVal", "instId", "instruments"), ("mmr", "maxLever", "position-tiers"), ("tradeId", "fillVol", "option-trades"),
    ("tradeId", "px", "trades"), ("oi", "instId", "open-interest"), ("realizedRate", "instId", "funding-rate-history"),
    ("fundingTime", "instId", "funding-rate"), ("markPx", "instId", "mark-price"), ("idxPx", "instId", "index-tickers"),
    ("bidPx", "instId", "tickers"), ("asks", "bids", "books"), ("scheDesc", "state", "status"), ("buyLmt", "instId", "price-limit"),
)  # fmt: skip
"""Two keys of a row that give away what a REST answer with an unhelpful address is."""


class OkxParser(OkxRows):
    """Frames of any OKX public socket, and answers of its REST addresses."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._address = route.path.rstrip("/").rpartition("/")[2] if "/api/v5/" in route.path else ""

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        known = PUSHES.get(payload[: payload.find(b'"', 19)])
        if known is None:
            return self._rare(payload.strip(), ts_recv)
        self.channel, decode, read = known
        try:
            frame = decode(payload)
        except msgspec.ValidationError:
            if b'"event"' not in payload:
                raise
            return self._rare(payload, ts_recv)  # an acknowledgement that opens like a push
        return read(self, frame, ts_recv)

    def _rare(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Read everything that does not open like a push of a known channel."""
        self.channel = "unknown"
        if payload in (b"pong", b"ping"):
            self.channel = "heartbeat"
            return ()
        if payload.startswith(b"["):
            payload = b'{"data":' + payload + b"}"  # rows that lost their envelope
        frame = ENVELOPE.decode(payload)
        if frame.event or frame.op:
            return self._control(frame, ts_recv)
        if frame.arg.channel:
            return self._read(frame.arg.channel, payload, ts_recv)
        if frame.table:
            self.channel = frame.table[:60]
            return read_table(self, frame.table, payload, ts_recv, _coverage_rule)
        if frame.code not in (None, "0", 0):
            self.channel = "error"
            return ()
        if not bytes(frame.data):
            raise UnknownFrame("unknown", "neither a push nor an answer")
        return self._read(self._address or self._shape(bytes(frame.data)), payload, ts_recv)

    def _read(self, name: str, payload: bytes, ts_recv: int) -> Sequence[Event]:
        self.channel = name[:60]
        reader = FRAMES.get(name)
        if reader is None and name.startswith(("candle", "mark-price-candle", "index-candle")):
            reader = CANDLES
        if reader is None and name.startswith("sprd-"):
            return ()  # spreads between contracts
        if reader is None:
            raise UnknownFrame(self.channel, "no such channel or address is described")
        return reader[1](self, reader[0](payload), ts_recv)

    def _shape(self, rows: bytes) -> str:
        """Tell from the keys of its first row what an answer is whose address does not tell."""
        if rows[1:].lstrip().startswith(b"["):
            return "candles"
        first = next(iter(KEYS.decode(rows)), None)
        if first is None:
            return "time"  # an empty answer
        for key, other, name in SHAPES:
            if key in first and other in first:
                return name
        raise UnknownFrame("unknown", "no such answer is described")

    def _control(self, frame: Envelope, ts_recv: int) -> Sequence[Event]:
        if frame.event in ("error", "channel-conn-count-error"):
            self.channel = "error"
        elif frame.event == "notice":
            self.channel = "notice"
            return (VenueStatus(NAME, "", "", "", ts_recv, ts_recv, "notice", frame.msg),)
        elif frame.op or frame.event in ("subscribe", "unsubscribe", "login", "channel-conn-count"):
            self.channel = "ack"
            if frame.event == "subscribe" and frame.arg.channel == "liquidation-orders":
                self.begun.discard(frame.arg.instType)
        else:
            raise UnknownFrame(frame.event[:40], "no such event is described")
        return ()

    # --- pushes and answers of the same rows ---

    def _trades(self, frame: Frame[TradeRow], ts_recv: int) -> Sequence[Event]:
        events = []
        is_backfill = not frame.arg.channel
        for m in frame.data:
            i = self.known.get(m.instId) or self.contract(m.instId)
            if i is None:
                continue  # spot
            # An option trades in premium; its notional needs the index, which only some of its messages have.
            contracts, quantity, notional = i.measure(m.sz, m.px if i.kind != "option" else reading(m.idxPx))
            kind: TradeKind = "rpi" if m.source == "1" else "market" if m.count in ("", "1") else "aggregate"
            events.append(
                Trade(
                    NAME, i.symbol, m.instId, i.base, m.ts * MS, ts_recv, m.tradeId, m.side, m.px, quantity, contracts, notional,
                    kind, "unknown", None, None, is_backfill,
                )
            )  # fmt: skip
        return events

    def _block_trades(self, frame: Frame[TradeRow], ts_recv: int) -> Sequence[Event]:
        return [msgspec.structs.replace(event, trade_kind="block") for event in self._trades(frame, ts_recv)]

    def _books(self, frame: Frame[BookRow], ts_recv: int) -> Sequence[Event]:
        i = self.known.get(frame.arg.instId)
        if i is None:
            i = self.contract(frame.arg.instId) if frame.arg.instId else asked(self)
            if i is None:
                return ()  # spot, or an answer that does not say which contract
        update: Literal["snapshot", "delta", "top"] = "delta"
        if frame.action != "update":
            update = "top" if self.channel == "bbo-tbt" else "snapshot"
        events = []
        for m in frame.data:
            bids, asks = [(level.px, level.sz) for level in m.bids], [(level.px, level.sz) for level in m.asks]
            before: int | None = m.prevSeqId
            if before is not None:
                if before < 0:  # the start of a sequence
                    before = None
                elif before == m.seqId and not bids and not asks:
                    continue  # heartbeat, once a minute without changes
            events.append(
                BookDepth(
                    NAME, i.symbol, i.venue_symbol, i.base, m.ts * MS, ts_recv, update, bids, asks, "contracts", m.seqId, before,
                )
            )  # fmt: skip
        return events

    def _tickers(self, frame: Frame[TickerRow], ts_recv: int) -> Sequence[Event]:
        events: list[Event] = []
        for m in frame.data:
            i = self.known.get(m.instId) or self.contract(m.instId)
            if i is None:
                continue  # spot
            if i.kind == "option":
                prices = {"bid_price": m.bidPx or None, "ask_price": m.askPx or None, "last_price": m.last or None}
                events.append(option_quote(i, m.ts * MS, ts_recv, **prices, volume_24h=reading(m.volCcy24h)))
                continue
            bids = [(m.bidPx, m.bidSz)] if m.bidPx and m.bidSz else []
            asks = [(m.askPx, m.askSz)] if m.askPx and m.askSz else []
            if bids or asks:
                events.append(BookDepth(NAME, i.symbol, m.instId, i.base, m.ts * MS, ts_recv, "top", bids, asks, "contracts"))
        return events

    def _liquidations(self, frame: Frame[LiquidationRow], ts_recv: int) -> Sequence[Event]:
        product = frame.arg.instType or self.route.query.get("instType", "")
        is_backfill = not frame.arg.channel or frame.arg.generated or product not in self.begun
        self.begun.add(product)
        closed = []
        for row in frame.data:
            i = self.contract(row.instId)
            if i is not None:  # else margin on a spot pair
                closed += [self._liquidation(i, d, ts_recv, is_backfill) for d in row.details]
        return number_repeats(closed)

    def _polled_liquidations(self, frame: Frame[Detail], ts_recv: int) -> Sequence[Event]:
        """Read the `liquidations` a recorder made out of REST answers before the channel existed (2021 to 2023)."""
        i = self.contract(frame.arg.instId)
        return () if i is None else number_repeats([self._liquidation(i, d, ts_recv, True) for d in frame.data])

    def _liquidation(self, i: Instrument, d: Detail, ts_recv: int, is_backfill: bool) -> Liquidation:
        side: PositionSide
        if d.posSide == "long" or d.posSide == "short":
            side = "long" if d.posSide == "long" else "short"
        elif d.side == "sell" or d.side == "buy":
            side = "long" if d.side == "sell" else "short"
        else:
            raise ParseError(self.channel, f"neither position {d.posSide[:20]!r} nor order {d.side[:20]!r} is a side")
        price = reading(d.bkPx)
        if price is None or price < SMALLEST_PRICE:
            raise ParseError(self.channel, f"bkPx {d.bkPx[:20]!r} is no price")
        contracts, quantity, notional = i.measure(d.sz, None if i.kind == "option" else price)
        ts = d.ts * MS
        kind: PriceKind = "mark" if ts >= DOCS_2026_07_19 else "bankruptcy"
        return Liquidation(
            NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, side, price, kind, quantity, contracts, notional, "unknown",
            _coverage_rule(ts), is_backfill=is_backfill,
        )  # fmt: skip


def _coverage_rule(ts: int) -> str:
    return VENUE.coverage_at(ts).rule


TRADES: Reader = (decoder(TradeRow), OkxParser._trades)
BLOCK_TRADES: Reader = (decoder(TradeRow), OkxParser._block_trades)
BOOKS: Reader = (decoder(BookRow), OkxParser._books)
TICKERS: Reader = (decoder(TickerRow), OkxParser._tickers)
FRAMES |= READERS | {
    **dict.fromkeys(("trades", "trades-all", "history-trades", "option-trades"), TRADES),
    **dict.fromkeys(("public-block-trades", "block-trades"), BLOCK_TRADES),
    **dict.fromkeys(("books", "books5", "bbo-tbt", "books-l2-tbt", "books50-l2-tbt", "books-full", "books-elp"), BOOKS),
    **dict.fromkeys(("tickers", "ticker"), TICKERS),
    "liquidation-orders": (decoder(LiquidationRow), OkxParser._liquidations),
    "liquidations": (decoder(Detail), OkxParser._polled_liquidations),
}
PUSHES = {f'{{"arg":{{"channel":"{name}'.encode(): (name, *reader) for name, reader in FRAMES.items()}
"""Readers by how a push begins, up to the end of the channel's name."""


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan sockets: one for the channels of whole products, then sockets of at most 240 contract channels or 24 books.

    A connection may send 480 subscriptions an hour, of at most 64 KB each. Prints and candles are on the business socket.
    """
    public, business = "wss://ws.okx.com:8443/ws/v5/public", "wss://ws.okx.com:8443/ws/v5/business"
    kinds, products = wanted.kinds, ("SWAP", "FUTURES")
    whole: list[dict[str, str]] = []
    if "liquidations" in kinds:
        whole += [{"channel": "liquidation-orders", "instType": p} for p in products]
        whole.append({"channel": "mark-price", "instId": "BTC-USDT-SWAP"})  # busy: tells a dead socket from a calm market
    if "adl_signals" in kinds:
        whole += [{"channel": "adl-warning", "instType": p} for p in products]
    if "instruments" in kinds:
        whole += [{"channel": "instruments", "instType": p} for p in (*products, "OPTION")]
    if "venue_statuses" in kinds:
        whole.append({"channel": "status"})
    families = sorted({_family(i.venue_symbol) for i in wanted.instruments if i.kind == "option"})
    if "option_quotes" in kinds:
        whole += [{"channel": "opt-summary", "instFamily": f} for f in families]
    if "trades" in kinds:
        whole += [{"channel": "option-trades", "instType": "OPTION", "instFamily": f} for f in families if f.split("-")[0] in wanted.detail]
    futures = [i for i in wanted.instruments if i.kind != "option"]
    detailed = [i.venue_symbol for i in futures if i.base in wanted.detail]
    each: list[tuple[str, str]] = []
    if "mark_prices" in kinds:
        each += [("mark-price", i.venue_symbol) for i in futures]
        each += [("index-tickers", name) for name in sorted({_family(i.venue_symbol).partition("_")[0] for i in futures})]
    if "funding_rates" in kinds:
        each += [("funding-rate", i.venue_symbol) for i in futures if i.kind == "perpetual" or "_XPERP-" in i.venue_symbol]
    if "open_interest" in kinds:
        each += [("open-interest", i.venue_symbol) for i in futures]
    prints = [("trades-all", name) for name in detailed if "trades" in kinds]
    prints += [("candle1m", name) for name in detailed if "candles" in kinds]
    books = [("books", name) for name in detailed if "book_depth" in kinds]
    sockets = [_socket(public, whole)] if whole else []
    for url, channels, most in ((public, each, 240), (business, prints, 240), (public, books, 24)):
        args = [{"channel": channel, "instId": name} for channel, name in channels]
        sockets += [_socket(url, args[start : start + most]) for start in range(0, len(args), most)]
    return sockets


def _family(name: str) -> str:
    return "-".join(name.split("-")[:2])


def _socket(url: str, args: list[dict[str, str]]) -> Subscription:
    parts = [args[start : start + 60] for start in range(0, len(args), 60)]
    return Subscription(url=url, frames=tuple(msgspec.json.encode({"op": "subscribe", "args": part}) for part in parts))


VENUE = Venue(
    name=NAME,
    title="OKX",
    docs="https://www.okx.com/docs-v5/en/",
    owns=("okx.com", "okex.com"),
    parser=OkxParser,
    infer=infer,
    coverage=(
        Coverage(
            rule="undisclosed", note="not the total; per contract at most one order a second, the docs do not say which",
            source="liquidation orders channel page, copies before 2026",
        ),
        Coverage(
            rule="undisclosed", since=DOCS_2026_07_19,
            note="not the total; the sentence on one order a second is gone, but no second of a contract showed two on 2026-08-31",
            source="liquidation orders channel page, copy of 2026-07-19",
        ),
    ),
    liquidation_channels=("liquidation",),
    subscribe=subscribe,
    heartbeat=Heartbeat(every=20, payload=b"ping", idle_cut=45),
    polls=questions.POLLS,
    histories=questions.HISTORIES,
    limits=questions.LIMITS,
    clock=questions.CLOCK,
)  # fmt: skip
