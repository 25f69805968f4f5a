"""Hyperliquid's answers to `POST /info`: contracts, margin tiers, contexts, funding, positions, history. One reader per type.

The type is in the body of the question, so our own addresses repeat it as `?type=…`; a bare address is read by its shape.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from deleverage.errors import UnknownFrame
from deleverage.events import (
    BookDepth,
    Candle,
    Event,
    FundingRate,
    Liquidation,
    MarginTiers,
    MarkPrice,
    OpenInterest,
    PositionSnapshot,
    Trade,
    VenueStatus,
)  # fmt: skip
from deleverage.instruments import Instrument, make, split_scale
from deleverage.venues.hyperliquid_fills import NAME, Fill, is_perpetual, watched
from deleverage.venues.repeats import REPEAT_AFTER
from deleverage.venues.venue import MS, Count, Instruments, Millis, Number, Parser, Price, Route, Size, number_repeats

HOUR_MS = 3_600_000
HOUR_NS = HOUR_MS * MS
HOURLY_SINCE = 1_704_067_200_000  # 2024-01-01: funding is hourly in every record since; in May 2023 it was paid every 8 h
NAMES = re.compile(r"(?:([a-z][a-z0-9]{0,15}):)?([A-Za-z0-9][A-Za-z0-9_.&-]{0,31})")
COLLATERAL = {0: "USDC", 235: "USDE", 268: "USDT0", 360: "USDH"}  # spot token index; perpDexs answers of 2026
DEX_QUOTES = {"hyna": "USDE", "cash": "USDT0", "km": "USDH", "flx": "USDH", "vntl": "USDH"}  # other dexs are margined in USDC
Times: TypeAlias = Annotated[float, msgspec.Meta(ge=0.1, le=1e6)]
SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000}


# --- wire types, in the venue's spelling -----------------------------------------------------------------------------


class Level(msgspec.Struct, gc=False):
    px: Price
    sz: Size


class Book(msgspec.Struct, gc=False):
    coin: str
    levels: tuple[list[Level], list[Level]]
    time: Millis | None = None


class PublicTrade(msgspec.Struct, gc=False):
    coin: str
    side: Literal["A", "B"]
    px: Price
    sz: Size
    time: Millis
    tid: Count
    users: tuple[str, str] | None = None


class AssetCtx(msgspec.Struct, gc=False):
    funding: Number | None = None
    openInterest: Size | None = None
    oraclePx: Size | None = None
    markPx: Size | None = None


class Asset(msgspec.Struct):
    name: str
    szDecimals: Count
    maxLeverage: Times
    marginTableId: Count | None = None
    isDelisted: bool | None = None
    onlyIsolated: bool | None = None
    marginMode: str | None = None


class Tier(msgspec.Struct):
    lowerBound: Size
    maxLeverage: Times


class MarginTable(msgspec.Struct):
    marginTiers: list[Tier]


class Meta(msgspec.Struct):
    universe: list[Asset]
    marginTables: list[tuple[Count, MarginTable]] = []
    collateralToken: Count = 0


class FundingRow(msgspec.Struct):
    coin: str
    fundingRate: Number
    time: Millis


class Prediction(msgspec.Struct):
    fundingRate: Number
    nextFundingTime: Millis
    fundingIntervalHours: Times | None = None


class CandleRow(msgspec.Struct, gc=False):
    t: Millis
    T: Millis
    s: str
    i: str
    o: Price
    c: Price
    h: Price
    l: Price  # noqa: E741 - the venue's spelling
    v: Size
    n: Count | None = None


class Leverage(msgspec.Struct):
    type: Literal["cross", "isolated"]
    value: Number


class Position(msgspec.Struct):
    coin: str
    szi: Number
    leverage: Leverage
    entryPx: Size | None = None
    liquidationPx: Number | None = None
    positionValue: Size | None = None
    marginUsed: Size | None = None
    unrealizedPnl: Number | None = None


class AssetPosition(msgspec.Struct):
    position: Position


class MarginSummary(msgspec.Struct):
    accountValue: Number


class AccountState(msgspec.Struct):
    assetPositions: list[AssetPosition]
    marginSummary: MarginSummary | None = None
    time: Millis | None = None


class Status(msgspec.Struct):
    time: Millis | None = None
    specialStatuses: list[Any] | None = None


METAS = msgspec.json.Decoder(list[Meta], strict=False)
META = msgspec.json.Decoder(Meta, strict=False)
META_AND_CTXS = msgspec.json.Decoder(tuple[Meta, list[AssetCtx]], strict=False)
FUNDING_ROWS = msgspec.json.Decoder(list[FundingRow], strict=False)
PREDICTIONS = msgspec.json.Decoder(list[tuple[str, list[tuple[str, Prediction | None]]]], strict=False)
CANDLES = msgspec.json.Decoder(list[CandleRow], strict=False)
BOOK = msgspec.json.Decoder(Book | None, strict=False)
PUBLIC_TRADES = msgspec.json.Decoder(list[PublicTrade], strict=False)
FILLS = msgspec.json.Decoder(list[Fill], strict=False)
ACCOUNT = msgspec.json.Decoder(AccountState | None, strict=False)
STATUS = msgspec.json.Decoder(Status, strict=False)


class InfoParser(Parser):
    """What one connection has to remember: the order of each dex's universe, and the funding rates already said."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self.universe: dict[str, list[str | None]] = {}
        self.predicted: dict[str, tuple[float, int, int]] = {}


def contract(
    name: str, quote: str | None = None, *, tick_size: float | None = None, max_leverage: float | None = None, status: str = "trading",
    is_inferred: bool = False, ts_recv: int = 0,
) -> Instrument:  # fmt: skip
    """Build a perpetual of its name. Sizes are coins, or thousands of them where `k` leads; builder dexs prefix theirs.

    >>> [(c.symbol, c.base, c.base_multiplier) for c in map(contract, ("BTC", "kPEPE", "xyz:SP500"))]
    [('BTC/USDC:USDC', 'BTC', 1.0), ('KPEPE/USDC:USDC', 'PEPE', 1000.0), ('XYZ-SP500/USDC:USDC', 'SP500', 1.0)]
    """
    dex, _, coin = name.rpartition(":")
    made = make(
        NAME, name, (f"{dex}-{coin}" if dex else coin).upper(), quote or DEX_QUOTES.get(dex, "USDC"), contract_size=1.0,
        tick_size=tick_size, max_leverage=max_leverage, funding_interval_hours=1.0, status=status, is_inferred=is_inferred,
        ts_recv=ts_recv,
    )  # fmt: skip
    base, multiplier = (coin[1:], 1000.0) if coin[0] == "k" and coin[1:2].isupper() else split_scale(coin)
    return msgspec.structs.replace(made, base=base, base_multiplier=multiplier)


def infer(venue_symbol: str) -> Instrument | None:
    """Read a perpetual from its name: BTC, kPEPE, xyz:SP500. Spot pairs and outcomes are None."""
    if not is_perpetual(venue_symbol) or NAMES.fullmatch(venue_symbol) is None:
        return None
    return contract(venue_symbol, is_inferred=True)


def read_meta(parser: InfoParser, meta: Meta, ts_recv: int) -> list[Event]:
    """List a dex's contracts and their margin tiers, and remember its order for contexts that name no coin."""
    quote = COLLATERAL.get(meta.collateralToken, f"TOKEN{meta.collateralToken}")
    tables = {number: table.marginTiers for number, table in meta.marginTables}
    events: list[Event] = []
    for a in meta.universe:
        if infer(a.name) is None:
            continue
        i = contract(
            a.name, quote, tick_size=10.0 ** (a.szDecimals - 6) if 0 <= a.szDecimals <= 6 else None, max_leverage=a.maxLeverage,
            status="delisted" if a.isDelisted else "trading", ts_recv=ts_recv,
        )  # fmt: skip
        events.append(i)
        if not a.isDelisted:
            events.extend(_tiers(i, a, tables, ts_recv))
    if meta.universe:
        dex = meta.universe[0].name.rpartition(":")[0]
        parser.universe[dex] = [None if a.isDelisted or infer(a.name) is None else a.name for a in meta.universe]
    return events


def _tiers(i: Instrument, asset: Asset, tables: dict[int, list[Tier]], ts_recv: int) -> list[MarginTiers]:
    """Spell out a margin table: maintenance is half the initial margin at the step's highest leverage."""
    number = asset.marginTableId
    steps = tables.get(number) if number is not None else None
    if steps is None:  # numbers below 50 are tables of one step, with that leverage
        leverage = asset.maxLeverage if number is None else float(number) if number < 50 else 0.0
        steps = [Tier(0.0, leverage)] if leverage > 0 else []
    mode: Literal["isolated", "any"] = "isolated" if asset.onlyIsolated or asset.marginMode in ("noCross", "strictIsolated") else "any"
    rows: list[MarginTiers] = []
    rate = deduction = 0.0
    for n, step in enumerate(steps):
        before, rate = rate, 0.5 / step.maxLeverage
        deduction += step.lowerBound * (rate - before) if n else 0.0
        upper = steps[n + 1].lowerBound if n + 1 < len(steps) else None
        rows.append(
            MarginTiers(
                NAME, i.symbol, i.venue_symbol, i.base, ts_recv, ts_recv, n + 1, step.lowerBound, upper, "usd", rate, step.maxLeverage,
                1 / step.maxLeverage, deduction, mode,
            )
        )  # fmt: skip
    return rows


def read_context(parser: InfoParser, i: Instrument, ctx: AssetCtx, ts_recv: int, events: list[Event]) -> None:
    """Append mark, predicted funding and open interest. The venue stamps no time: it is ours. Funding is due at the full hour."""
    symbol, coin, base = i.symbol, i.venue_symbol, i.base
    mark, oracle, funding, oi = ctx.markPx or None, ctx.oraclePx or None, ctx.funding, ctx.openInterest
    if mark or oracle:
        events.append(MarkPrice(NAME, symbol, coin, base, ts_recv, ts_recv, mark, oracle))
    if oi is not None:  # in coins
        events.append(OpenInterest(NAME, symbol, coin, base, ts_recv, ts_recv, oi, oi, oi * mark if mark else None))
    if funding is not None:
        said = parser.predicted.get(coin)
        if said is None or said[0] != funding or said[1] <= ts_recv or ts_recv - said[2] >= REPEAT_AFTER:
            _predict(parser, i, funding, 1.0, (ts_recv // HOUR_NS + 1) * HOUR_NS, ts_recv, events)


def _predict(parser: InfoParser, i: Instrument, rate: float, hours: float, due: int, ts_recv: int, events: list[Event]) -> None:
    """Append a predicted rate unless this connection said the same within ten minutes."""
    said = parser.predicted.get(i.venue_symbol)
    if said is None or said[:2] != (rate, due) or ts_recv - said[2] >= REPEAT_AFTER:
        parser.predicted[i.venue_symbol] = (rate, due, ts_recv)
        events.append(FundingRate(NAME, i.symbol, i.venue_symbol, i.base, ts_recv, ts_recv, rate, hours, due, "predicted"))


def read_contexts(parser: InfoParser, dex: str, contexts: Sequence[AssetCtx], ts_recv: int) -> list[Event]:
    """Read contexts that are told apart by position. Nothing without a meta on this connection; listings are only appended."""
    names, events = parser.universe.get(dex, []), list[Event]()
    if len(contexts) >= len(names):
        for name, ctx in zip(names, contexts, strict=False):
            if name is not None:
                read_context(parser, parser.instruments.get(name), ctx, ts_recv, events)
    return events


def meta_answer(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    return read_meta(parser, META.decode(payload), ts_recv)


def all_metas(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    return [event for meta in METAS.decode(payload) for event in read_meta(parser, meta, ts_recv)]


def meta_and_contexts(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    meta, contexts = META_AND_CTXS.decode(payload)
    events = read_meta(parser, meta, ts_recv)
    listed = {e.venue_symbol: e for e in events if isinstance(e, Instrument) and e.status == "trading"}
    for a, ctx in zip(meta.universe, contexts, strict=False):
        if a.name in listed:
            read_context(parser, listed[a.name], ctx, ts_recv, events)
    return events


def funding_history(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Read settled rates. The interval is the gap to the nearest neighbour: 8 h in May 2023, 1 h now."""
    rows = FUNDING_ROWS.decode(payload)
    gaps: dict[tuple[str, int], int] = {}
    for before, after in pairwise(sorted({(row.coin, row.time) for row in rows})):
        if before[0] == after[0]:
            gap = after[1] - before[1]
            gaps[before] = min(gap, gaps.get(before, gap))
            gaps[after] = gap
    events: list[Event] = []
    for row in rows:
        i = parser.instruments.get(row.coin)
        gap = gaps.get((row.coin, row.time), HOUR_MS if row.time >= HOURLY_SINCE else 0)
        hours = round(gap / HOUR_MS)
        late = row.time % HOUR_MS
        due = row.time - late if late < 300_000 else row.time
        events.append(
            FundingRate(
                NAME, i.symbol, row.coin, i.base, row.time * MS, ts_recv, row.fundingRate, float(hours) if 1 <= hours <= 24 else None,
                due * MS, "settled", is_backfill=True,
            )
        )  # fmt: skip
    return events


def predicted_fundings(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Read the venue's own predictions; those it lists of Binance and Bybit are theirs to tell."""
    events: list[Event] = []
    for coin, rows in PREDICTIONS.decode(payload):
        own = next((p for venue, p in rows if venue == "HlPerp"), None)
        if own is not None and is_perpetual(coin):
            i = parser.instruments.get(coin)
            _predict(parser, i, own.fundingRate, own.fundingIntervalHours or 1.0, own.nextFundingTime * MS, ts_recv, events)
    return events


def read_book(parser: InfoParser, book: Book, ts_recv: int) -> Sequence[Event]:
    i = parser.instruments.known.get(book.coin)
    if i is None:
        if not is_perpetual(book.coin):
            return ()
        i = parser.instruments.get(book.coin)
    bids, asks = book.levels
    return (
        BookDepth(
            NAME, i.symbol, book.coin, i.base, ts_recv if book.time is None else book.time * MS, ts_recv, "snapshot",
            [(x.px, x.sz) for x in bids], [(x.px, x.sz) for x in asks], "base",
        ),
    )  # fmt: skip


def book_answer(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    book = BOOK.decode(payload)  # null for a coin that does not exist
    return () if book is None else read_book(parser, book, ts_recv)


def public_trade(i: Instrument, t: PublicTrade, ts_recv: int, is_backfill: bool) -> Trade:
    """Build a Trade; `side` is the taker's and `users` are buyer and seller (10,680 of 10,680 checked, LH0 study 2026-09-29)."""
    buyer, seller = t.users or (None, None)
    price, size = t.px, t.sz  # a coin a contract: what `measure` would say, without the call
    return Trade(
        NAME, i.symbol, t.coin, i.base, t.time * MS, ts_recv, str(t.tid), "buy" if t.side == "B" else "sell", price, size, size,
        size * price, "market", "unknown", buyer, seller, is_backfill,
    )  # fmt: skip


def recent_trades(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows = PUBLIC_TRADES.decode(payload)
    return [public_trade(parser.instruments.get(t.coin), t, ts_recv, True) for t in rows if is_perpetual(t.coin)]


def read_candle(parser: InfoParser, row: CandleRow, ts_recv: int, is_backfill: bool) -> list[Event]:
    """Read a candle; `v` is in coins, and turnover is not given. History is stamped with the close, a live one with our clock."""
    if not is_perpetual(row.s):
        return []
    i = parser.instruments.get(row.s)
    count, is_closed = int(row.i[:-1]), ts_recv > row.T * MS
    if not 0 < count < 10_000:
        raise ValueError(f"interval {row.i[:20]!r}")
    return [
        Candle(
            NAME, i.symbol, row.s, i.base, row.T * MS if is_backfill else ts_recv, ts_recv, count * SECONDS[row.i[-1]],
            row.t * MS, row.o, row.h, row.l, row.c, row.v, None, row.n, is_closed=is_closed, is_backfill=is_backfill,
        )
    ]  # fmt: skip


def candles(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    return [event for row in CANDLES.decode(payload) for event in read_candle(parser, row, ts_recv, True)]


def user_fills(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events = watched(parser.instruments, FILLS.decode(payload), parser.route.query.get("user", ""), ts_recv, True)
    return with_ordinals(events)


def with_ordinals(events: list[Event]) -> list[Event]:
    """Number the repeats among the liquidations of one push; fills before 2024 carry no `tid`."""
    numbered = iter(number_repeats([e for e in events if isinstance(e, Liquidation)]))
    return [next(numbered) if isinstance(e, Liquidation) else e for e in events]


def read_positions(parser: InfoParser, state: AccountState, account: str, ts_recv: int) -> list[Event]:
    """Read the open positions of an account; the account is empty where neither frame nor address names it."""
    ts = ts_recv if state.time is None else state.time * MS
    value = None if state.marginSummary is None else state.marginSummary.accountValue
    events: list[Event] = []
    for p in (row.position for row in state.assetPositions):
        if not p.szi or not is_perpetual(p.coin):
            continue
        i = parser.instruments.get(p.coin)
        at = p.liquidationPx if p.liquidationPx is not None and p.liquidationPx > 0 else None
        events.append(
            PositionSnapshot(
                NAME, i.symbol, p.coin, i.base, ts, ts_recv, account, "long" if p.szi > 0 else "short", abs(p.szi), p.entryPx or None,
                at, p.positionValue, p.leverage.value, p.leverage.type, p.marginUsed, p.unrealizedPnl, value,
            )
        )  # fmt: skip
    return events


def account_state(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    state = ACCOUNT.decode(payload)
    return () if state is None else read_positions(parser, state, parser.route.query.get("user", ""), ts_recv)


def exchange_status(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    status = STATUS.decode(payload)
    special = status.specialStatuses or []
    ts = ts_recv if status.time is None else status.time * MS
    detail = msgspec.json.encode(special).decode() if special else ""
    return (VenueStatus(NAME, "", "", "", ts, ts_recv, "special" if special else "operational", detail),)


def nothing(parser: InfoParser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Accept an answer that is described and holds nothing we keep."""
    msgspec.json.decode(payload)
    return ()


Reader = Callable[[InfoParser, bytes, int], Sequence[Event]]
READERS: dict[str, Reader] = {
    "meta": meta_answer, "metaAndAssetCtxs": meta_and_contexts, "allPerpMetas": all_metas, "fundingHistory": funding_history,
    "predictedFundings": predicted_fundings, "l2Book": book_answer, "recentTrades": recent_trades, "candleSnapshot": candles,
    "userFills": user_fills, "userFillsByTime": user_fills, "clearinghouseState": account_state, "exchangeStatus": exchange_status,
    **dict.fromkeys(
        (
            "allMids", "perpDexs", "perpDexLimits", "perpDexStatus", "perpsAtOpenInterestCap", "vaultDetails", "vaultSummaries",
            "userVaultEquities", "userFunding", "userNonFundingLedgerUpdates", "userTwapSliceFills", "userTwapSliceFillsByTime",
            "twapHistory", "openOrders", "frontendOpenOrders", "historicalOrders", "orderStatus", "userRateLimit", "userRole", "userFees",
            "portfolio", "subAccounts", "subAccounts2", "referral", "liquidatable", "marginTable", "activeAssetData", "spotMeta",
            "spotMetaAndAssetCtxs", "spotClearinghouseState", "tokenDetails", "outcomeMeta", "delegations", "delegatorSummary",
            "maxBuilderFee", "alignedQuoteTokenInfo", "empty",
        ),
        nothing,
    ),
}  # fmt: skip


def shape_of(answer: Any) -> str | None:
    """Name the type of an answer by its keys; None when no described type looks like it."""
    if answer is None or answer == [] or answer == {}:
        return "empty"
    if isinstance(answer, dict):
        return _shape_of_object(answer)
    first = answer[0] if isinstance(answer, list) else answer
    if isinstance(first, dict):
        if "universe" in first:
            pair = len(answer) == 2 and isinstance(answer[1], list)
            return ("spotMetaAndAssetCtxs" if "tokens" in first else "metaAndAssetCtxs") if pair else "allPerpMetas"
        kinds = (
            ("fundingRate", "fundingHistory"), ("delta", "userNonFundingLedgerUpdates"), ("dir", "userFills"), ("tid", "recentTrades"),
            ("t", "candleSnapshot"), ("order", "historicalOrders"), ("oid", "openOrders"), ("fill", "userTwapSliceFills"),
            ("vaultAddress", "userVaultEquities"), ("fullName", "perpDexs"), ("subAccountUser", "subAccounts"),
        )  # fmt: skip
        return next((kind for key, kind in kinds if key in first), None)
    if first is None:
        return "perpDexs"
    if isinstance(first, str) and isinstance(answer, list):
        return "perpsAtOpenInterestCap"
    if isinstance(first, list) and len(first) == 2 and isinstance(first[0], str):
        return "predictedFundings" if isinstance(first[1], list) else "portfolio"
    return None


def _shape_of_object(answer: dict[str, Any]) -> str | None:
    kinds = (
        ("tokens", "spotMeta"), ("universe", "meta"), ("assetPositions", "clearinghouseState"), ("levels", "l2Book"),
        ("relationship", "vaultDetails"), ("vaultAddress", "vaultDetails"), ("specialStatuses", "exchangeStatus"),
        ("marginTiers", "marginTable"), ("balances", "spotClearinghouseState"), ("leverage", "activeAssetData"), ("role", "userRole"),
        ("nRequestsUsed", "userRateLimit"), ("dailyUserVlm", "userFees"), ("status", "orderStatus"), ("totalOiCap", "perpDexLimits"),
    )  # fmt: skip
    found = next((kind for key, kind in kinds if key in answer), None)
    if found is None and all(isinstance(value, str) and value.replace(".", "", 1).isdigit() for value in answer.values()):
        return "allMids"
    return found


def read_answer(parser: InfoParser, payload: bytes, ts_recv: int, kind: str = "") -> Sequence[Event]:
    """Read one answer of `/info`, of the type asked for or else of the type it looks like."""
    reader = READERS.get(kind)
    if reader is None:
        shape = shape_of(msgspec.json.decode(payload))
        if shape is None:
            raise UnknownFrame(kind or "unknown", "no such answer is described")
        kind, reader = shape, READERS[shape]
    parser.channel = kind
    return reader(parser, payload, ts_recv)
