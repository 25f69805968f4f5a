"""Binance's REST answers: instruments, open interest, funding, insurance, tiers, history. One reader per address.

An answer that came with an address which does not name it is told by its keys, where these leave no doubt.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import (
    AdlSignal,
    BookDepth,
    Candle,
    CandleKind,
    Event,
    FundingRate,
    InsuranceFund,
    MarginTiers,
    MarkPrice,
    OpenInterest,
    PositioningRatio,
    RatioKind,
    Trade,
)  # fmt: skip
from deleverage.instruments import DOLLARS, Instrument, make
from deleverage.venues import binance_options as options
from deleverage.venues.venue import MS, Blank, Count, Millis, Number, Parser, Price, Size, reading

NAME = "binance"
INTERVAL_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000}
Level = tuple[Price, Size]


class Listing(msgspec.Struct):
    symbol: str
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    contractType: str = ""
    deliveryDate: Millis = 0
    contractSize: Price | None = None
    status: str = ""
    contractStatus: str = ""
    filters: list[dict[str, Any]] = []


class ExchangeInfo(msgspec.Struct):
    symbols: list[Listing]
    serverTime: Millis = 0


class OpenInterestAnswer(msgspec.Struct):
    symbol: str
    openInterest: Size
    time: Millis | None = None


class OpenInterestRow(msgspec.Struct):
    sumOpenInterest: Size
    sumOpenInterestValue: Size
    timestamp: Millis
    symbol: str = ""
    pair: str = ""
    contractType: str = "PERPETUAL"


class PremiumIndex(msgspec.Struct):
    symbol: str
    markPrice: Size
    time: Millis
    indexPrice: Blank = ""
    lastFundingRate: Blank = ""
    nextFundingTime: Millis = 0


class FundingRow(msgspec.Struct):
    symbol: str
    fundingTime: Millis
    fundingRate: Number
    markPrice: Blank = ""


class FundingInfo(msgspec.Struct):
    symbol: str
    fundingIntervalHours: Number
    adjustedFundingRateCap: Number | None = None
    adjustedFundingRateFloor: Number | None = None


class FundBalance(msgspec.Struct):
    asset: str
    marginBalance: Number
    updateTime: Millis


class FundGroup(msgspec.Struct):
    assets: list[FundBalance]
    symbols: list[str] = []


class AdlRisk(msgspec.Struct):
    symbol: str
    adlRisk: str
    updateTime: Millis


class DepthAnswer(msgspec.Struct):
    lastUpdateId: Count
    bids: list[Level]
    asks: list[Level]
    symbol: str = ""
    T: Millis | None = None


class RestTrade(msgspec.Struct):
    price: Price
    qty: Size
    time: Millis
    isBuyerMaker: bool
    id: Count


class RestAggTrade(msgspec.Struct):
    a: Count
    p: Price
    q: Size
    T: Millis
    m: bool


class RatioRow(msgspec.Struct):
    timestamp: Millis
    longAccount: Number | None = None
    shortAccount: Number | None = None
    longPosition: Number | None = None
    shortPosition: Number | None = None
    buyVol: Number | None = None
    sellVol: Number | None = None
    takerBuyVol: Number | None = None
    takerSellVol: Number | None = None
    symbol: str = ""
    pair: str = ""


class Bracket(msgspec.Struct):
    bracket: Count
    initialLeverage: Number
    maintMarginRatio: Number
    cum: Number | None = None
    notionalFloor: Size | None = None
    notionalCap: Size | None = None
    qtyFloor: Size | None = None
    qtylFloor: Size | None = None  # the venue's spelling
    qtyCap: Size | None = None


class Brackets(msgspec.Struct):
    brackets: list[Bracket]
    symbol: str = ""
    pair: str = ""


EXCHANGE_INFO = msgspec.json.Decoder(ExchangeInfo, strict=False)
OPEN_INTEREST = msgspec.json.Decoder(OpenInterestAnswer, strict=False)
OPEN_INTEREST_ROWS = msgspec.json.Decoder(list[OpenInterestRow], strict=False)
PREMIUM_INDEX = msgspec.json.Decoder(PremiumIndex | list[PremiumIndex], strict=False)
FUNDING_ROWS = msgspec.json.Decoder(list[FundingRow], strict=False)
FUNDING_INFO = msgspec.json.Decoder(list[FundingInfo], strict=False)
FUND_GROUPS = msgspec.json.Decoder(FundGroup | list[FundGroup], strict=False)
ADL_RISKS = msgspec.json.Decoder(AdlRisk | list[AdlRisk], strict=False)
DEPTH = msgspec.json.Decoder(DepthAnswer, strict=False)
REST_TRADES = msgspec.json.Decoder(list[RestTrade], strict=False)
REST_AGG_TRADES = msgspec.json.Decoder(list[RestAggTrade], strict=False)
KlineRow = tuple[Millis, Number, Number, Number, Number, str | float, Millis, str | float, Count, str | float, str | float, Any]
KLINES = msgspec.json.Decoder(list[KlineRow], strict=False)
RATIO_ROWS = msgspec.json.Decoder(list[RatioRow], strict=False)
BRACKETS = msgspec.json.Decoder(Brackets | list[Brackets], strict=False)
GLANCE = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[dict[str, msgspec.Raw]])
CANDLE_KINDS: dict[str, CandleKind] = {
    "klines": "last", "markPriceKlines": "mark", "indexPriceKlines": "index", "premiumIndexKlines": "premium",
}  # fmt: skip
RATIO_KINDS: dict[str, RatioKind] = {
    "globalLongShortAccountRatio": "accounts", "topLongShortAccountRatio": "top_accounts",
    "topLongShortPositionRatio": "top_positions", "takerlongshortRatio": "taker_volume", "takerBuySellVol": "taker_volume",
}  # fmt: skip


def _symbol_asked(parser: Parser) -> Instrument | None:
    """Return the contract the address asked for; None when it names none, so that the answer cannot be attributed."""
    symbol = parser.route.query.get("symbol") or parser.route.query.get("pair")
    return parser.instruments.get(symbol.upper()) if symbol else None


def exchange_info(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = EXCHANGE_INFO.decode(payload)
    events: list[Event] = []
    for row in answer.symbols:
        # A contract that never opened has no contract type yet, one that is closing has "CURRENT_QUARTER DELIVERING".
        perpetual = "PERPETUAL" in row.contractType if row.contractType else "_" not in row.symbol.removesuffix("_PERP")
        if not perpetual and not row.deliveryDate:
            continue
        is_coin = row.contractSize is not None
        before = parser.instruments.listed(row.symbol)
        tick = next((reading(f.get("tickSize")) for f in row.filters if f.get("filterType") == "PRICE_FILTER"), None)
        events.append(
            make(
                NAME, row.symbol, row.baseAsset, row.quoteAsset, settlement_asset=row.marginAsset,
                expiry=None if perpetual else row.deliveryDate * MS, size_unit="contracts" if is_coin else "base",
                contract_size=row.contractSize, tick_size=tick,
                funding_interval_hours=before.funding_interval_hours if before else None,
                status=(row.status or row.contractStatus).lower(), ts_event=answer.serverTime * MS, ts_recv=ts_recv,
            )
        )  # fmt: skip
    return events


def funding_info(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Read the intervals of the contracts named; every other perpetual of the family settles each 8 h."""
    rows = {row.symbol: row for row in FUNDING_INFO.decode(payload)}
    coin = "/dapi/" in parser.route.path or any(name.endswith("_PERP") for name in rows)
    events = []
    for known in parser.instruments.all_listed():
        if known.kind != "perpetual" or (known.contract_type == "inverse") != coin:
            continue
        row = rows.get(known.venue_symbol)
        hours = 8.0 if row is None else row.fundingIntervalHours
        if hours != known.funding_interval_hours or row is not None:
            events.append(msgspec.structs.replace(known, funding_interval_hours=hours, ts_recv=ts_recv))
    return events


def open_interest(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    row = OPEN_INTEREST.decode(payload)
    i = parser.instruments.get(row.symbol)
    _, base, usd = i.measure(row.openInterest, None)  # USD-M counts coins, COIN-M contracts of dollars
    ts = ts_recv if row.time is None else row.time * MS
    return (OpenInterest(NAME, i.symbol, row.symbol, i.base, ts, ts_recv, row.openInterest, base, usd),)


def open_interest_history(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in OPEN_INTEREST_ROWS.decode(payload):
        i = _contract_of(parser, row.symbol, row.pair, row.contractType)
        if i is None:
            continue
        # USD-M: base and dollars; COIN-M: contracts and coins. The stamp is the end of the period.
        is_coin = i.size_unit == "contracts"
        base = row.sumOpenInterestValue if is_coin else row.sumOpenInterest
        usd = i.notional_usd(row.sumOpenInterest, None) if is_coin else row.sumOpenInterestValue if i.quote in DOLLARS else None
        events.append(
            OpenInterest(
                NAME, i.symbol, i.venue_symbol, i.base, row.timestamp * MS, ts_recv, row.sumOpenInterest, base, usd, "one_side", True,
            )
        )  # fmt: skip
    return events


def _contract_of(parser: Parser, symbol: str, pair: str, contract_type: str = "PERPETUAL") -> Instrument | None:
    """Return the contract a row of statistics is of; COIN-M rows name the pair, and sums over all its contracts are of none."""
    if symbol:
        return parser.instruments.get(symbol)
    if pair:
        return parser.instruments.get(f"{pair}_PERP") if contract_type == "PERPETUAL" else None
    return _symbol_asked(parser)


def premium_index(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    rows = PREMIUM_INDEX.decode(payload)
    for row in rows if isinstance(rows, list) else [rows]:
        i = parser.instruments.get(row.symbol)
        if not row.time:
            continue  # delisted
        ts, index = row.time * MS, reading(row.indexPrice) or None
        if row.markPrice or index:
            events.append(MarkPrice(NAME, i.symbol, row.symbol, i.base, ts, ts_recv, row.markPrice or None, index))
        rate = reading(row.lastFundingRate)
        if rate is not None and row.nextFundingTime:
            when = row.nextFundingTime * MS
            events.append(FundingRate(NAME, i.symbol, row.symbol, i.base, ts, ts_recv, rate, i.funding_interval_hours, when, "predicted"))
    return events


def funding_history(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    before: dict[str, int] = {}
    for row in FUNDING_ROWS.decode(payload):
        i, when = parser.instruments.get(row.symbol), row.fundingTime * MS
        # The interval in force then is the distance to the settlement before, not what the listing says today.
        hours: float | None = round((row.fundingTime - before.get(row.symbol, 0)) / 3_600_000)
        before[row.symbol] = row.fundingTime
        if hours not in (1, 2, 4, 8):
            hours = i.funding_interval_hours
        events.append(
            FundingRate(
                NAME, i.symbol, row.symbol, i.base, when, ts_recv, row.fundingRate, None if hours is None else float(hours), when,
                "settled", is_backfill=True,
            )
        )  # fmt: skip
    return events


def insurance(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    groups = FUND_GROUPS.decode(payload)
    events: list[Event] = []
    for group in groups if isinstance(groups, list) else [groups]:
        # A pool is shared by hundreds of contracts: it is named after one that stays.
        names = group.symbols
        pool = "BTCUSDT" if "BTCUSDT" in names else names[0] if names else "all"
        i = parser.instruments.get(pool) if len(names) == 1 else None
        symbol, base = (i.symbol, i.base) if i else ("", "")
        for a in group.assets:
            events.append(
                InsuranceFund(
                    NAME, symbol, pool if i else "", base, a.updateTime * MS, ts_recv, pool, a.asset, a.marginBalance,
                    a.marginBalance if a.asset in DOLLARS else None,
                )
            )  # fmt: skip
    return events


def adl_risk(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows = ADL_RISKS.decode(payload)
    events: list[Event] = []
    for row in rows if isinstance(rows, list) else [rows]:
        i = parser.instruments.get(row.symbol)
        events.append(AdlSignal(NAME, i.symbol, row.symbol, i.base, row.updateTime * MS, ts_recv, "risk", risk=row.adlRisk))
    return events


def depth(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    row = DEPTH.decode(payload)
    i = parser.instruments.get(row.symbol) if row.symbol else _symbol_asked(parser)
    if i is None:
        return ()
    ts = ts_recv if row.T is None else row.T * MS
    return (BookDepth(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, "snapshot", row.bids, row.asks, i.size_unit, row.lastUpdateId),)


def trades(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows, i = REST_TRADES.decode(payload), _symbol_asked(parser)
    return () if i is None else [_past_trade(i, r.id, r.price, r.qty, r.time, r.isBuyerMaker, False, ts_recv) for r in rows]


def agg_trades(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows, i = REST_AGG_TRADES.decode(payload), _symbol_asked(parser)
    return () if i is None else [_past_trade(i, r.a, r.p, r.q, r.T, r.m, True, ts_recv) for r in rows]


def _past_trade(i: Instrument, number: int, price: float, size: float, at: int, sold: bool, merged: bool, ts_recv: int) -> Trade:
    contracts, quantity, notional = i.measure(size, price if i.quote in DOLLARS else None)
    return Trade(
        NAME, i.symbol, i.venue_symbol, i.base, at * MS, ts_recv, str(number), "sell" if sold else "buy", price, quantity, contracts,
        notional, "aggregate" if merged else "market", is_backfill=True,
    )  # fmt: skip


def klines(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows, i = KLINES.decode(payload), _symbol_asked(parser)
    seconds = seconds_of(parser.route.query.get("interval", "1m"))
    kind = CANDLE_KINDS[parser.channel]
    return () if i is None else [_candle(i, row, seconds, kind, ts_recv) for row in rows]


def ratio(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    kind = RATIO_KINDS[parser.channel]
    seconds = seconds_of(parser.route.query["period"]) if "period" in parser.route.query else None
    events = []
    for row in RATIO_ROWS.decode(payload):
        i = _contract_of(parser, row.symbol, row.pair)
        longs = next((x for x in (row.longAccount, row.longPosition, row.buyVol, row.takerBuyVol) if x is not None), None)
        shorts = next((x for x in (row.shortAccount, row.shortPosition, row.sellVol, row.takerSellVol) if x is not None), None)
        if i is None or longs is None or shorts is None or min(longs, shorts) < 0 or longs + shorts <= 0:
            continue
        total = longs + shorts
        events.append(
            PositioningRatio(
                NAME, i.symbol, i.venue_symbol, i.base, row.timestamp * MS, ts_recv, kind, longs / total, shorts / total, seconds
            )
        )
    return events


def brackets(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    answer = BRACKETS.decode(payload)
    for row in answer if isinstance(answer, list) else [answer]:
        i = parser.instruments.get(row.symbol or row.pair)
        for b in row.brackets:
            coin = b.notionalFloor is None
            lower = b.notionalFloor if not coin else b.qtyFloor if b.qtyFloor is not None else b.qtylFloor
            if lower is None:
                raise ParseError(parser.channel, f"a step of {i.venue_symbol[:40]!r} has no floor")
            events.append(
                MarginTiers(
                    NAME, i.symbol, i.venue_symbol, i.base, ts_recv, ts_recv, b.bracket, lower, b.qtyCap if coin else b.notionalCap,
                    "base" if coin else "usd", b.maintMarginRatio, b.initialLeverage, _inverted(b.initialLeverage), b.cum,
                )
            )  # fmt: skip
    return events


def _inverted(leverage: float) -> float | None:
    return 1 / leverage if leverage >= 1 else None


def nothing(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Accept an answer that is described and holds nothing we keep."""
    msgspec.json.decode(payload)
    return ()


def seconds_of(interval: str) -> int:
    count = int(interval[:-1])
    if not 0 < count < 10_000:
        raise ValueError(f"interval {interval[:20]!r}")
    return count * INTERVAL_SECONDS[interval[-1]]


def _candle(i: Instrument, row: KlineRow, seconds: int, kind: CandleKind, ts_recv: int) -> Candle:
    opened, o, h, low, c, volume, closes, quote, count, bought, bought_quote, _ = row
    if kind != "premium" and min(o, h, low, c) <= 0:
        raise ValueError("a candle's price is not positive")
    quantity = notional = taker = None
    if kind == "last":
        quantity, notional, taker = candle_volumes(i, _number(volume), _number(quote), _number(bought), _number(bought_quote), c)
    ends = closes * MS
    return Candle(
        NAME, i.symbol, i.venue_symbol, i.base, min(ends, ts_recv), ts_recv, seconds, opened * MS, o, h, low, c, quantity, notional,
        count if kind == "last" else None, taker, kind, ends < ts_recv, True,
    )  # fmt: skip


def candle_volumes(
    i: Instrument, volume: float | None, quote: float | None, bought: float | None, bought_quote: float | None, price: float
) -> tuple[float | None, float | None, float | None]:
    """Return quantity, notional and quantity bought by takers. USD-M: coins and quote; COIN-M: contracts and coins."""
    if i.size_unit == "base":
        return volume, quote if i.quote in DOLLARS else None, bought
    return quote, None if volume is None else i.notional_usd(volume, price), bought_quote


def _number(text: str | float) -> float | None:
    return reading(text.strip() if isinstance(text, str) else text)


Reader = Callable[[Parser, bytes, int], Sequence[Event]]
READERS: dict[str, Reader] = {
    "exchangeInfo": exchange_info, "openInterest": open_interest,
    "openInterestHist": open_interest_history, "premiumIndex": premium_index,
    "fundingRate": funding_history, "fundingInfo": funding_info,
    "insuranceBalance": insurance, "symbolAdlRisk": adl_risk, "depth": depth,
    "trades": trades, "historicalTrades": trades, "aggTrades": agg_trades,
    **dict.fromkeys(CANDLE_KINDS, klines), "leverageBracket": brackets,
    **dict.fromkeys(RATIO_KINDS, ratio),
    **dict.fromkeys(
        ("24hr", "bookTicker", "price", "time", "ping", "adlQuantile", "basis", "constituents", "continuousKlines", "indexInfo",
         "assetIndex", "delivery-price", "tradingSchedule"), nothing,
    ),
}  # fmt: skip
OPTION_READERS: dict[str, Reader] = {
    "exchangeInfo": options.exchange_info, "mark": options.marks, "openInterest": options.interests, "depth": depth,
    **dict.fromkeys(("time", "ping", "index", "ticker", "trades", "klines", "exerciseHistory", "blockTrades", "historicalTrades"), nothing),
}  # fmt: skip
SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("exchangeInfo", ("timezone", "symbols")), ("insuranceBalance", ("symbols", "assets")), ("openInterest", ("symbol", "openInterest")),
    ("openInterestHist", ("sumOpenInterestValue",)), ("premiumIndex", ("symbol", "markPrice", "lastFundingRate")),
    ("fundingRate", ("symbol", "fundingRate")), ("fundingInfo", ("symbol", "fundingIntervalHours")),
    ("symbolAdlRisk", ("symbol", "adlRisk")), ("adlQuantile", ("adlQuantile",)), ("leverageBracket", ("brackets",)),
    ("depth", ("bids",)), ("bookTicker", ("bidPrice",)),
    ("24hr", ("priceChange",)), ("trades", ("isBuyerMaker",)), ("aggTrades", ("a", "p", "q", "f", "l", "T", "m")),
)  # fmt: skip


def rest_reader(path: str) -> tuple[str, Reader] | None:
    """Find the reader of a REST address by its last path element; None for a socket."""
    if not path.startswith(("/fapi/", "/dapi/", "/eapi/", "/futures/")):
        return None
    name = path.rstrip("/").rpartition("/")[2]
    reader = (OPTION_READERS if path.startswith("/eapi/") else READERS).get(name)
    return name, partial(_unknown, name) if reader is None else reader


def shape_reader(payload: bytes) -> tuple[str, Reader] | None:
    """Find the reader of an answer by its keys; None when they do not tell. Raises msgspec errors for what is no object or rows of them."""
    glance = GLANCE.decode(payload)
    if isinstance(glance, list):
        if not glance:
            return None
        glance = glance[0]
    if "optionSymbols" in glance:
        return "exchangeInfo", options.exchange_info
    return next(((name, READERS[name]) for name, keys in SHAPES if all(key in glance for key in keys)), None)


def _unknown(name: str, parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    raise UnknownFrame(name, "no such address is described")
