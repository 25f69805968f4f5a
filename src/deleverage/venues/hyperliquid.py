"""Hyperliquid perpetuals, first dex and builder dexs: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api

- No channel carries all liquidations. `liquidation` stands only on fills: of accounts one watches, or of all accounts in a node's
  files (`node_fills_by_block`, public archive from 2025-07-27). It stands on both sides' fills (node file of 2025-10-27); only the
  fill owned by `liquidatedUser` counts. Channel `user` names no owner.
- `side` A is a sell and B a buy: of the taker in `trades`, of the fill's owner in fills. `tid` is a 50-bit hash: a trade is known by
  time, coin and tid. `users` is [buyer, seller], absent before 2025.
- The first `trades` frame of each coin is backlog, up to 50 s old (recording of 2025-01-26); it is marked as backfill.
- `l2Book` replaces the whole book and has no sequence: 20 levels about every 5.4 s, or 5 levels every 0.54 s with `fast`
  (arbitrage-observatory, 2026-09-24).
- Contexts have no time. `allDexsAssetCtxs` names no coins: order is that of `meta`, which we ask for on the same socket.
  `fastAssetCtxs` is base64 of raw deflate.
- Funding is hourly now; it was paid every 8 h in May 2023 (fundingHistory of 2023-07-17).
- `k` coins are thousands of tokens. `@107`, `PURR/USDC` are spot and `#14880` outcomes: recognised, nothing kept.
- A subscription to an unknown coin closes the whole socket without a word (2026-09-24): only listed names are sent.
"""

import zlib
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Event, MarkPrice
from deleverage.venues import hyperliquid_questions as questions
from deleverage.venues.hyperliquid_fills import NAME, Fill, Pairing, is_perpetual, watched
from deleverage.venues.hyperliquid_rest import (
    AccountState,
    AssetCtx,
    Book,
    CandleRow,
    InfoParser,
    Level,
    PublicTrade,
    infer,
    public_trade,
    read_answer,
    read_book,
    read_candle,
    read_context,
    read_contexts,
    read_positions,
    with_ordinals,
)
from deleverage.venues.venue import MS, Coverage, Heartbeat, Instruments, Millis, Route, Size, Subscription, Venue, Wanted

SOCKET, INFO = "wss://api.hyperliquid.xyz/ws", "https://api.hyperliquid.xyz/info"
PER_SOCKET, MOST_SUBSCRIPTIONS = 240, 960  # 10 sockets, 1000 subscriptions and 10 users per address (limits page, 2026)
MOST_INFLATED = 16_000_000
# --- wire types, in the venue's spelling; `channel` tells them apart -------------------------------------------------


class Trades(msgspec.Struct, tag="trades", tag_field="channel", gc=False):
    data: list[PublicTrade]


class L2Book(msgspec.Struct, tag="l2Book", tag_field="channel", gc=False):
    data: Book


class BestBody(msgspec.Struct, gc=False):
    coin: str
    time: Millis
    bbo: list[Level | None]


class Best(msgspec.Struct, tag="bbo", tag_field="channel", gc=False):
    data: BestBody


class CtxBody(msgspec.Struct, gc=False):
    coin: str
    ctx: AssetCtx


class ActiveAssetCtx(msgspec.Struct, tag="activeAssetCtx", tag_field="channel", gc=False):
    data: CtxBody


class AllCtxsBody(msgspec.Struct):
    ctxs: list[tuple[str, list[AssetCtx]]]


class AllDexsAssetCtxs(msgspec.Struct, tag="allDexsAssetCtxs", tag_field="channel"):
    data: AllCtxsBody


class DexCtxsBody(msgspec.Struct):
    ctxs: list[AssetCtx]
    dex: str = ""


class AssetCtxs(msgspec.Struct, tag="assetCtxs", tag_field="channel"):
    data: DexCtxsBody


class FastAssetCtxs(msgspec.Struct, tag="fastAssetCtxs", tag_field="channel"):
    data: str


class CandlePush(msgspec.Struct, tag="candle", tag_field="channel"):
    data: CandleRow | list[CandleRow]


class FillsBody(msgspec.Struct):
    fills: list[Fill]
    user: str = ""
    isSnapshot: bool | None = None


class UserFills(msgspec.Struct, tag="userFills", tag_field="channel"):
    data: FillsBody


class UserEventBody(msgspec.Struct):
    fills: list[Fill] | None = None


class User(msgspec.Struct, tag="user", tag_field="channel"):
    data: UserEventBody


class UserEvents(msgspec.Struct, tag="userEvents", tag_field="channel"):
    data: UserEventBody


class AccountBody(msgspec.Struct):
    clearinghouseState: AccountState | None
    user: str = ""


class ClearinghouseState(msgspec.Struct, tag="clearinghouseState", tag_field="channel"):
    data: AccountBody


class WebData2(msgspec.Struct, tag="webData2", tag_field="channel"):
    data: AccountBody


class AccountsBody(msgspec.Struct):
    clearinghouseStates: list[tuple[str, AccountState]]
    user: str = ""


class AllDexsClearinghouseState(msgspec.Struct, tag="allDexsClearinghouseState", tag_field="channel"):
    data: AccountsBody


class Payload(msgspec.Struct):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class Response(msgspec.Struct):
    type: str
    payload: Payload | str


class PostBody(msgspec.Struct):
    response: Response


class Post(msgspec.Struct, tag="post", tag_field="channel"):
    data: PostBody


class Block(msgspec.Struct):
    events: list[tuple[str, Fill]]


class FastCtx(msgspec.Struct):
    markPx: Size | None = None


class Envelope(msgspec.Struct):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    block_number: Any = None


Message = (
    Trades | L2Book | Best | ActiveAssetCtx | AllDexsAssetCtxs | AssetCtxs | FastAssetCtxs | CandlePush | UserFills | User | UserEvents
    | ClearinghouseState | WebData2 | AllDexsClearinghouseState | Post
)  # fmt: skip
MESSAGE = msgspec.json.Decoder(Message, strict=False)
BLOCK = msgspec.json.Decoder(Block, strict=False)
LINE = msgspec.json.Decoder(tuple[str, Fill], strict=False)
FAST_CTXS = msgspec.json.Decoder(dict[str, FastCtx], strict=False)
ENVELOPE = msgspec.json.Decoder(Envelope)
QUIET = frozenset((
    "allMids", "activeSpotAssetCtx", "spotAssetCtxs", "activeAssetData", "notification", "orderUpdates", "openOrders", "userFundings",
    "userNonFundingLedgerUpdates", "userTwapSliceFills", "userTwapHistory", "userHistoricalOrders", "twapStates", "spotState", "webData3",
    "outcomeMetaUpdates", "explorerBlock", "explorerTxs",
))  # fmt: skip
CHANNEL_WORDS = {"subscriptionResponse": "ack", "pong": "heartbeat", "error": "error"}


class HyperliquidParser(InfoParser):
    """Frames of the socket, answers of `/info`, and lines of a node's fill files. What a payload is shows in the payload."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._known = instruments.known
        self._begun: set[str] = set()
        self._pairing = Pairing(instruments)
        self._on: dict[type, Callable[[Any, int], Sequence[Event]]] = {
            Trades: self._trades, L2Book: self._book, Best: self._best, ActiveAssetCtx: self._active_ctx, AllDexsAssetCtxs: self._all_ctxs,
            AssetCtxs: self._dex_ctxs, FastAssetCtxs: self._fast_ctxs, CandlePush: self._candle, UserFills: self._user_fills,
            User: self._user_events, UserEvents: self._user_events, ClearinghouseState: self._account, WebData2: self._web_data,
            AllDexsClearinghouseState: self._accounts, Post: self._post,
        }  # fmt: skip

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        self.channel = "unknown"
        try:
            message = MESSAGE.decode(payload)
        except msgspec.DecodeError as error:
            return self._other(payload, ts_recv, error)
        return self._on[type(message)](message, ts_recv)

    def _other(self, payload: bytes, ts_recv: int, error: msgspec.DecodeError) -> Sequence[Event]:
        """Read what is no market event of the socket; raise with the reason for what should have been one."""
        text = payload.lstrip()
        if text.startswith(b'["0x'):
            self.channel = "node_fills"
            return self._line(payload, ts_recv)
        if text.startswith(b"Websocket connection"):
            self.channel = "ack"
            return ()
        if text.startswith((b"Failed to", b'"Failed to')):  # the whole answer to a question it does not understand
            self.channel = "error"
            return ()
        envelope = ENVELOPE.decode(payload) if text.startswith(b"{") else Envelope()
        if envelope.block_number is not None:
            self.channel = "node_fills"
            return self._block(payload, ts_recv)
        if not envelope.channel:
            return read_answer(self, payload, ts_recv, self.route.query.get("type", ""))
        self.channel = CHANNEL_WORDS.get(envelope.channel, envelope.channel)
        if envelope.channel in CHANNEL_WORDS or envelope.channel in QUIET:
            return ()
        if "Invalid value" in str(error) and "$.channel" in str(error):
            raise UnknownFrame(envelope.channel, "no such channel is described")
        raise error

    # --- public channels ---

    def _trades(self, m: Trades, ts_recv: int) -> Sequence[Event]:
        self.channel = "trades"
        events: list[Event] = []
        add, coin, i, is_backlog, first = events.append, "", None, False, None
        for t in m.data:
            if t.coin != coin:
                coin = t.coin
                i = self._known.get(coin)
                if i is None and is_perpetual(coin):
                    i = self.instruments.get(coin)
                is_backlog = coin not in self._begun
                if is_backlog:
                    first = [*(first or ()), coin]
            if i is not None:
                add(public_trade(i, t, ts_recv, is_backlog))
        if first is not None:
            self._begun.update(first)
        return events

    def _book(self, m: L2Book, ts_recv: int) -> Sequence[Event]:
        self.channel = "l2Book"
        return read_book(self, m.data, ts_recv)

    def _best(self, m: Best, ts_recv: int) -> Sequence[Event]:
        self.channel = "bbo"
        b = m.data
        i = self._known.get(b.coin)
        if i is None:
            if not is_perpetual(b.coin):
                return ()
            i = self.instruments.get(b.coin)
        bid, ask = b.bbo[0] if b.bbo else None, b.bbo[1] if len(b.bbo) > 1 else None
        bids, asks = [(bid.px, bid.sz)] if bid else [], [(ask.px, ask.sz)] if ask else []
        return (BookDepth(NAME, i.symbol, b.coin, i.base, b.time * MS, ts_recv, "top", bids, asks, "base"),)

    def _active_ctx(self, m: ActiveAssetCtx, ts_recv: int) -> Sequence[Event]:
        self.channel = "activeAssetCtx"
        coin, events = m.data.coin, list[Event]()
        if is_perpetual(coin):
            read_context(self, self._known.get(coin) or self.instruments.get(coin), m.data.ctx, ts_recv, events)
        return events

    def _all_ctxs(self, m: AllDexsAssetCtxs, ts_recv: int) -> Sequence[Event]:
        self.channel = "allDexsAssetCtxs"
        return [event for dex, contexts in m.data.ctxs for event in read_contexts(self, dex, contexts, ts_recv)]

    def _dex_ctxs(self, m: AssetCtxs, ts_recv: int) -> Sequence[Event]:
        self.channel = "assetCtxs"
        return read_contexts(self, m.data.dex, m.data.ctxs, ts_recv)

    def _fast_ctxs(self, m: FastAssetCtxs, ts_recv: int) -> Sequence[Event]:
        """Read mark prices: all coins first, then those that changed. A coin whose mark stayed has none and is no event."""
        self.channel = "fastAssetCtxs"
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            text = inflater.decompress(b64decode(m.data, validate=True), MOST_INFLATED)
        except zlib.error as error:
            raise ParseError("fastAssetCtxs", "does not inflate") from error
        events: list[Event] = []
        for coin, ctx in FAST_CTXS.decode(text).items():
            if ctx.markPx and is_perpetual(coin):
                i = self._known.get(coin) or self.instruments.get(coin)
                events.append(MarkPrice(NAME, i.symbol, coin, i.base, ts_recv, ts_recv, ctx.markPx))
        return events

    def _candle(self, m: CandlePush, ts_recv: int) -> Sequence[Event]:
        self.channel = "candle"
        rows = m.data if isinstance(m.data, list) else [m.data]
        return [event for row in rows for event in read_candle(self, row, ts_recv, False)]

    # --- accounts ---

    def _user_fills(self, m: UserFills, ts_recv: int) -> Sequence[Event]:
        self.channel = "userFills"
        return with_ordinals(watched(self.instruments, m.data.fills, m.data.user, ts_recv, bool(m.data.isSnapshot)))

    def _user_events(self, m: User | UserEvents, ts_recv: int) -> Sequence[Event]:
        """Read fills that name no owner. The `liquidation` event beside them is a sum over coins without price: nothing to keep."""
        self.channel = "userEvents"
        return with_ordinals(watched(self.instruments, m.data.fills or (), "", ts_recv, False))

    def _account(self, m: ClearinghouseState, ts_recv: int) -> Sequence[Event]:
        self.channel = "clearinghouseState"
        state = m.data.clearinghouseState
        return [] if state is None else read_positions(self, state, m.data.user, ts_recv)

    def _web_data(self, m: WebData2, ts_recv: int) -> Sequence[Event]:
        self.channel = "webData2"
        state = m.data.clearinghouseState
        return [] if state is None else read_positions(self, state, m.data.user, ts_recv)

    def _accounts(self, m: AllDexsClearinghouseState, ts_recv: int) -> Sequence[Event]:
        self.channel = "allDexsClearinghouseState"
        return [event for _, state in m.data.clearinghouseStates for event in read_positions(self, state, m.data.user, ts_recv)]

    def _post(self, m: Post, ts_recv: int) -> Sequence[Event]:
        """Read an answer of `/info` given over the socket."""
        self.channel = "post"
        response = m.data.response
        if isinstance(response.payload, str) or response.type != "info":
            self.channel = "error" if response.type == "error" else "post"
            return ()
        inner = bytes(response.payload.data)
        return read_answer(self, inner, ts_recv, response.payload.type)

    # --- a node's files ---

    def _block(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        return self._pairing.add_block(BLOCK.decode(payload).events, ts_recv)

    def _line(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        """Read one fill of the older files; its trade is told when the other half comes, on a later line."""
        events: list[Event] = []
        owner, fill = LINE.decode(payload)
        self._pairing.add(owner, fill, ts_recv, events)
        return events


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan sockets: contexts of all coins, the watched accounts, and per-coin streams for the bases in detail.

    One stream a frame. Trades come first, so that the limit of subscriptions cuts books. The metas are asked for before the
    contexts whose order they give.
    """
    sockets: list[Subscription] = []
    contexts = bool(wanted.kinds & {"mark_prices", "funding_rates", "open_interest", "instruments", "margin_tiers"})
    if contexts:
        ask = b'{"method":"post","id":1,"request":{"type":"info","payload":{"type":"allPerpMetas"}}}'
        sockets.append(Subscription(url=SOCKET, frames=(ask, _stream("allDexsAssetCtxs"), _stream("fastAssetCtxs"))))
    if "liquidations" in wanted.kinds:  # the mids of all coins come every few seconds: they tell a dead socket from a calm market
        fills = [_stream("userFills", user=user) for user in questions.WATCHED]
        sockets.append(Subscription(url=SOCKET, frames=(_stream("allMids"), *fills)))
    listed = [i for i in wanted.instruments if not i.is_inferred and i.is_trading]
    coins = [i.venue_symbol for i in listed if i.base in wanted.detail]
    streams = [_stream("trades", coin=coin) for coin in coins if "trades" in wanted.kinds]
    streams += [_stream("activeAssetCtx", coin=coin) for coin in coins if contexts]
    streams += [_stream(kind, coin=coin) for kind in ("l2Book", "bbo") for coin in coins if "book_depth" in wanted.kinds]
    streams = list(dict.fromkeys(streams))[:MOST_SUBSCRIPTIONS]
    parts = [streams[start : start + PER_SOCKET] for start in range(0, len(streams), PER_SOCKET)]
    return sockets + [Subscription(url=SOCKET, frames=tuple(part)) for part in parts]


def _stream(kind: str, **names: str) -> bytes:
    return msgspec.json.encode({"method": "subscribe", "subscription": {"type": kind, **names}})


VENUE = Venue(
    name=NAME,
    title="Hyperliquid",
    docs="https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api",
    owns=("hyperliquid.xyz", "hyperliquid-testnet.xyz"),
    parser=HyperliquidParser,
    infer=infer,
    coverage=(
        Coverage(
            rule="full", product="node_fills", note="a node writes every fill; imported files, archive from 2025-07-27",
            source="hyperliquid-dex/node README of 2026-05-09",
        ),
        Coverage(
            rule="watched_accounts", note="no public channel; only forced closes of the accounts watched",
            source="websocket subscriptions page, 2026-09-23",
        ),
    ),
    liquidation_channels=("userFills", "userEvents", "node_fills"),
    subscribe=subscribe,
    heartbeat=Heartbeat(every=30, payload=b'{"method":"ping"}', idle_cut=60),
    polls=questions.POLLS,
    histories=questions.HISTORIES,
    limits=questions.LIMITS,
    clock=questions.CLOCK,
)  # fmt: skip
