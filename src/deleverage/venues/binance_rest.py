"""Binance's REST answers: instruments, open interest, funding, insurance, tiers, history. One reader per address."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from deleverage.errors import UnknownFrame
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
from deleverage.instruments import Instrument, make
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
    contractSize: Size | None = None
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


class PremiumIndex(msgspec.Struct):
    symbol: str
    markPrice: Price
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
    symbol: str = ""
    pair: str = ""


class Bracket(msgspec.Struct):
    bracket: Count
    initialLeverage: Number
    maintMarginRatio: Number
    cum: Number
    notionalFloor: Number | None = None
    notionalCap: Number | None = None
    qtyFloor: Number | None = None
    qtyCap: Number | None = None


class Brackets(msgspec.Struct):
    symbol: str
    brackets: list[Bracket]


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
KLINES = msgspec.json.Decoder(list[list[Any]])
RATIO_ROWS = msgspec.json.Decoder(list[RatioRow], strict=False)
BRACKETS = msgspec.json.Decoder(list[Brackets], strict=False)
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
        if not row.contractType or " " in row.contractType:
            continue  # listed but never opened
        known = parser.instruments.listed(row.symbol)
        is_coin = row.contractSize is not None
        tick = next((reading(f.get("tickSize")) for f in row.filters if f.get("filterType") == "PRICE_FILTER"), None)
        perpetual = row.contractType.endswith("PERPETUAL")
        events.append(
            make(
                NAME, row.symbol, row.baseAsset, row.quoteAsset, settlement_asset=row.marginAsset,
                expiry=None if perpetual else row.deliveryDate * MS, size_unit="contracts" if is_coin else "base",
                contract_size=row.contractSize, tick_size=tick,
                funding_interval_hours=((known.funding_interval_hours if known else None) or 8.0) if perpetual else None,
                status=(row.status or row.contractStatus).lower(), ts_event=answer.serverTime * MS, ts_recv=ts_recv,
            )
        )  # fmt: skip
    return events


def funding_info(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    return [
        msgspec.structs.replace(known, funding_interval_hours=row.fundingIntervalHours, ts_recv=ts_recv)
        for row in FUNDING_INFO.decode(payload)
        if (known := parser.instruments.listed(row.symbol)) is not None
    ]


def open_interest(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    row = OPEN_INTEREST.decode(payload)
    i = parser.instruments.get(row.symbol)
    _, base, usd = i.measure(row.openInterest, None)
    ts = ts_recv if row.time is None else row.time * MS
    return (OpenInterest(NAME, i.symbol, row.symbol, i.base, ts, ts_recv, row.openInterest, base, usd),)


def open_interest_history(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in OPEN_INTEREST_ROWS.decode(payload):
        i = parser.instruments.get(row.symbol) if row.symbol else _symbol_asked(parser)
        if i is None:
            continue
        # USD-M: base and dollars; COIN-M: contracts and coins. The stamp is the end of the period.
        is_coin = i.size_unit == "contracts"
        base = row.sumOpenInterestValue if is_coin else row.sumOpenInterest
        usd = i.notional_usd(row.sumOpenInterest, None) if is_coin else row.sumOpenInterestValue
        events.append(
            OpenInterest(
                NAME, i.symbol, i.venue_symbol, i.base, row.timestamp * MS, ts_recv, row.sumOpenInterest, base, usd, "one_side", True,
            )
        )  # fmt: skip
    return events


def premium_index(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    rows = PREMIUM_INDEX.decode(payload)
    for row in rows if isinstance(rows, list) else [rows]:
        i = parser.instruments.get(row.symbol)
        ts = row.time * MS
        events.append(MarkPrice(NAME, i.symbol, row.symbol, i.base, ts, ts_recv, row.markPrice, reading(row.indexPrice)))
        rate = reading(row.lastFundingRate)
        if rate is not None and row.nextFundingTime:
            when = row.nextFundingTime * MS
            events.append(FundingRate(NAME, i.symbol, row.symbol, i.base, ts, ts_recv, rate, i.funding_interval_hours, when, "predicted"))
    return events


def funding_history(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in FUNDING_ROWS.decode(payload):
        i, when = parser.instruments.get(row.symbol), row.fundingTime * MS
        events.append(
            FundingRate(
                NAME, i.symbol, row.symbol, i.base, when, ts_recv, row.fundingRate, i.funding_interval_hours, when, "settled",
                is_backfill=True,
            )
        )  # fmt: skip
    return events


def insurance(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    groups = FUND_GROUPS.decode(payload)
    return [
        InsuranceFund(NAME, "", "", "", a.updateTime * MS, ts_recv, ",".join(group.symbols) or "all", a.asset, a.marginBalance)
        for group in (groups if isinstance(groups, list) else [groups])
        for a in group.assets
    ]


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
    contracts, quantity, notional = i.measure(size, price)
    return Trade(
        NAME, i.symbol, i.venue_symbol, i.base, at * MS, ts_recv, str(number), "sell" if sold else "buy", price, quantity, contracts,
        notional, "aggregate" if merged else "market", is_backfill=True,
    )  # fmt: skip


def klines(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows, i = KLINES.decode(payload), _symbol_asked(parser)
    seconds = seconds_of(parser.route.query.get("interval", "1m"))
    kind = CANDLE_KINDS[parser.channel]
    if i is None:
        return ()
    return [_candle(i, row, seconds, kind, ts_recv) for row in rows]


def ratio(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    kind = RATIO_KINDS[parser.channel]
    seconds = seconds_of(parser.route.query["period"]) if "period" in parser.route.query else None
    events = []
    for row in RATIO_ROWS.decode(payload):
        i = parser.instruments.get(row.symbol) if row.symbol else _symbol_asked(parser)
        longs = next((x for x in (row.longAccount, row.longPosition, row.buyVol) if x is not None), None)
        shorts = next((x for x in (row.shortAccount, row.shortPosition, row.sellVol) if x is not None), None)
        if i is None or longs is None or shorts is None or longs + shorts <= 0:
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
    for row in BRACKETS.decode(payload):
        i = parser.instruments.get(row.symbol)
        for b in row.brackets:
            coin = b.notionalFloor is None
            lower, upper = (b.qtyFloor, b.qtyCap) if coin else (b.notionalFloor, b.notionalCap)
            events.append(
                MarginTiers(
                    NAME, i.symbol, row.symbol, i.base, ts_recv, ts_recv, b.bracket, lower or 0.0, upper, "base" if coin else "usd",
                    b.maintMarginRatio, b.initialLeverage, 1 / b.initialLeverage if b.initialLeverage else None, b.cum,
                )
            )  # fmt: skip
    return events


def nothing(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Accept an answer that is described and holds nothing we keep."""
    msgspec.json.decode(payload)
    return ()


def seconds_of(interval: str) -> int:
    count = int(interval[:-1])
    if not 0 < count < 10_000:
        raise ValueError(f"interval {interval[:20]!r}")
    return count * INTERVAL_SECONDS[interval[-1]]


def _candle(i: Instrument, row: list[Any], seconds: int, kind: CandleKind, ts_recv: int) -> Candle:
    opened, closes = int(row[0]), int(row[6])
    if not (0 <= opened <= 9_000_000_000_000 and 0 <= closes <= 9_000_000_000_000):
        raise ValueError("candle time out of range")
    o, h, low, c = (float(reading(str(x).strip()) or 0.0) for x in row[1:5])
    quantity = notional = bought = None
    if kind == "last":
        volume, quote = reading(str(row[5]).strip()), reading(str(row[7]).strip())
        if i.size_unit == "base":
            quantity, notional, bought = volume, quote, reading(str(row[9]).strip())
        else:
            quantity, notional = quote, None if volume is None else i.notional_usd(volume, c)
    return Candle(
        NAME, i.symbol, i.venue_symbol, i.base, closes * MS, ts_recv, seconds, opened * MS, o, h, low, c, quantity, notional,
        int(row[8]) if kind == "last" else None, bought, kind, closes * MS < ts_recv, True,
    )  # fmt: skip


Reader = Callable[[Parser, bytes, int], Sequence[Event]]
READERS: dict[str, Reader] = {
    "exchangeInfo": exchange_info, "openInterest": open_interest,
    "openInterestHist": open_interest_history, "premiumIndex": premium_index,
    "fundingRate": funding_history, "fundingInfo": funding_info,
    "insuranceBalance": insurance, "symbolAdlRisk": adl_risk, "depth": depth,
    "trades": trades, "historicalTrades": trades, "aggTrades": agg_trades,
    **dict.fromkeys(CANDLE_KINDS, klines), "leverageBracket": brackets,
    **dict.fromkeys(RATIO_KINDS, ratio),
    **dict.fromkeys(("24hr", "bookTicker", "price", "time", "ping", "adlQuantile", "basis", "constituents"), nothing),
}  # fmt: skip


def rest_reader(path: str) -> tuple[str, Reader] | None:
    """Find the reader of a REST address by its last path element; None for a socket."""
    if not path.startswith(("/fapi/", "/dapi/", "/eapi/", "/futures/")):
        return None
    name = path.rstrip("/").rpartition("/")[2]
    reader = READERS.get(name)
    if reader is None:

        def unknown(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
            raise UnknownFrame(name, "no such address is described")

        return name, unknown
    return name, reader
