"""Bybit's REST answers: instruments, tickers, open interest, funding, candles, pools, tiers, trades. One reader per address."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, TypeVar

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
    PositioningRatio,
    Trade,
    VenueStatus,
)  # fmt: skip
from deleverage.instruments import DOLLARS, Instrument
from deleverage.venues.bybit_names import NAME, infer, named
from deleverage.venues.bybit_tickers import Ticker, Tickers, open_interest_of, positive
from deleverage.venues.venue import MS, Blank, Count, Instruments, Millis, Number, Parser, Price, Route, Size, reading

INTERVAL_SECONDS = {"D": 86_400, "W": 604_800, "M": 2_592_000}
PERIOD_SECONDS = {"min": 60, "h": 3600, "d": 86_400}
Level = tuple[Price, Size]
T = TypeVar("T")


class Answer(msgspec.Struct, Generic[T]):
    result: T
    time: Millis | None = None


class Rows(msgspec.Struct, Generic[T]):
    rows: list[T] = msgspec.field(name="list")
    category: str = ""
    symbol: str = ""
    updatedTime: Millis | None = None


class Listing(msgspec.Struct):
    symbol: str
    baseCoin: str
    quoteCoin: str
    settleCoin: str = ""
    contractType: str = ""
    optionsType: str = ""
    status: str = ""
    deliveryTime: Millis = 0
    fundingInterval: Number = 0
    priceFilter: dict[str, Any] = {}
    leverageFilter: dict[str, Any] = {}


class OpenInterestRow(msgspec.Struct):
    openInterest: Size
    timestamp: Millis
    singleOpenInterest: Size | None = None


class FundingRow(msgspec.Struct):
    symbol: str
    fundingRate: Number
    fundingRateTimestamp: Millis


class Fund(msgspec.Struct):
    coin: str
    balance: Number
    symbols: str = ""
    value: Blank = ""


class AdlRow(msgspec.Struct):
    coin: str
    symbol: str
    balance: Blank | Number | None = None
    insurancePnlRatio: Blank | Number | None = None
    pnlRatio: Blank | Number | None = None
    adlTriggerThreshold: Blank | Number | None = None
    adlStopRatio: Blank | Number | None = None


class RatioRow(msgspec.Struct):
    symbol: str
    buyRatio: Number
    sellRatio: Number
    timestamp: Millis


class RiskTier(msgspec.Struct):
    symbol: str
    riskLimitValue: Size
    maintenanceMargin: Blank | Number = ""
    initialMargin: Blank | Number = ""
    maxLeverage: Blank | Number = ""
    mmDeduction: Blank | Number = ""


class PastTrade(msgspec.Struct):
    execId: str
    symbol: str
    price: Price
    size: Size
    side: Literal["Buy", "Sell"]
    time: Millis
    isBlockTrade: bool = False
    isRPITrade: bool = False
    iP: Blank | None = None


class Book(msgspec.Struct):
    s: str
    b: list[Level]
    a: list[Level]
    u: Count
    ts: Millis
    cts: Millis | None = None


class PastCandle(msgspec.Struct, array_like=True):
    start: Millis
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Size | None = None
    turnover: Size | None = None


class Status(msgspec.Struct):
    state: str
    title: str = ""
    begin: Blank = ""
    end: Blank = ""


LISTINGS = msgspec.json.Decoder(Answer[Rows[Listing]], strict=False)
TICKERS = msgspec.json.Decoder(Answer[Rows[Ticker]], strict=False)
OPEN_INTEREST = msgspec.json.Decoder(Answer[Rows[OpenInterestRow]], strict=False)
FUNDING = msgspec.json.Decoder(Answer[Rows[FundingRow]], strict=False)
FUNDS = msgspec.json.Decoder(Answer[Rows[Fund]], strict=False)
ADL = msgspec.json.Decoder(Answer[Rows[AdlRow]], strict=False)
RATIOS = msgspec.json.Decoder(Answer[Rows[RatioRow]], strict=False)
TIERS = msgspec.json.Decoder(Answer[Rows[RiskTier]], strict=False)
TRADES = msgspec.json.Decoder(Answer[Rows[PastTrade]], strict=False)
BOOK = msgspec.json.Decoder(Answer[Book], strict=False)
KLINES = msgspec.json.Decoder(Answer[Rows[PastCandle]], strict=False)
STATUSES = msgspec.json.Decoder(Answer[Rows[Status]], strict=False)
CANDLE_KINDS: dict[str, CandleKind] = {
    "kline": "last", "mark-price-kline": "mark", "index-price-kline": "index", "premium-index-price-kline": "premium",
}  # fmt: skip


class BybitBase(Parser):
    """What socket frames and REST answers of one connection share."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self.tickers = Tickers(instruments)
        self._adl: dict[str, tuple[float | None, ...]] = {}
        self._deleveraging: set[str] = set()

    def adl_signal(
        self, symbol: str, coin: str, balance: float | None, drawdown: float | None, trigger: float | None, stop: float | None,
        threshold: float | None, ts: int, ts_recv: int,
    ) -> Sequence[Event]:  # fmt: skip
        """Make the event of one pool row unless it repeats. Active: an empty pool, or a drawdown past its trigger, until its stop."""
        said = (balance, drawdown, trigger, stop, threshold)
        if self._adl.get(symbol) == said:
            return ()
        self._adl[symbol] = said
        i = self.instruments.get(symbol)
        armed = balance is not None and threshold is not None and balance > threshold and drawdown is not None
        if armed and trigger is not None and drawdown is not None and drawdown <= trigger:
            self._deleveraging.add(symbol)
        elif not (armed and stop is not None and drawdown is not None and drawdown <= stop):
            self._deleveraging.discard(symbol)
        active = symbol in self._deleveraging or (balance is not None and balance <= 0)
        signal: Literal["active", "pool"] = "active" if active else "pool"
        return (AdlSignal(NAME, i.symbol, symbol, i.base, ts, ts_recv, signal, coin, "", balance, drawdown, trigger, stop, threshold),)

    def is_spot(self, category: str = "") -> bool:
        return category == "spot" or self.route.query.get("category") == "spot"


def fund(parser: Parser, row: Fund, ts: int, ts_recv: int) -> InsuranceFund:
    """Read one pool. A pool of one contract carries its name; the shared pool has no symbols."""
    i = parser.instruments.get(row.symbols) if row.symbols and "," not in row.symbols else None
    usd = reading(row.value)
    if usd is None and row.coin in DOLLARS:
        usd = row.balance
    names = (i.symbol, i.venue_symbol, i.base) if i is not None else ("", "", "")
    return InsuranceFund(NAME, *names, ts, ts_recv, row.symbols or "shared", row.coin, row.balance, usd)


def _when(answer: Answer[Any], ts_recv: int) -> int:
    return ts_recv if answer.time is None else answer.time * MS


def instruments_info(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = LISTINGS.decode(payload)
    if parser.is_spot(answer.result.category):
        return ()
    events: list[Event] = []
    for row in answer.result.rows:
        if not (row.contractType or row.optionsType):
            continue  # a spot pair
        read = infer(row.symbol)  # the name carries the delivery day
        dated = not row.contractType.endswith("Perpetual")
        expiry = (read.expiry if read and read.expiry else row.deliveryTime * MS) if dated else None
        strike = read.strike if read is not None and row.optionsType else None
        if row.optionsType and strike is None:
            continue  # a name without a strike
        option: Literal["call", "put"] | None = None if strike is None else "call" if row.optionsType == "Call" else "put"
        hours = row.fundingInterval / 60 if row.fundingInterval > 0 and not dated else None  # minutes on the wire
        events.append(
            named(
                row.symbol, row.baseCoin, row.quoteCoin, row.settleCoin or row.quoteCoin, expiry, strike, option,
                kind="option" if option else "future" if dated else "perpetual", tick_size=reading(row.priceFilter.get("tickSize")),
                max_leverage=reading(row.leverageFilter.get("maxLeverage")), funding_interval_hours=hours, status=row.status.lower(),
                ts_event=(answer.time or 0) * MS, ts_recv=ts_recv,
            )
        )  # fmt: skip
    return events


def tickers(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = TICKERS.decode(payload)
    if parser.is_spot(answer.result.category):
        return ()
    ts = _when(answer, ts_recv)
    return [event for row in answer.result.rows for event in parser.tickers.read(row, row, ts, ts_recv)]


def open_interest(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    result = OPEN_INTEREST.decode(payload).result
    i = _asked(parser, result.symbol)
    if i is None:
        return ()
    return [
        event
        for r in result.rows
        for event in open_interest_of(i, r.openInterest, r.singleOpenInterest, None, None, r.timestamp * MS, ts_recv, True)
    ]


def _asked(parser: BybitBase, symbol: str) -> Instrument | None:
    """Return the contract the answer or the address names; None when neither does, so that it cannot be attributed."""
    symbol = symbol or parser.route.query.get("symbol", "")
    return parser.instruments.get(symbol) if symbol else None


def funding_history(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows = FUNDING.decode(payload).result.rows
    events: list[Event] = []
    for n, row in enumerate(rows):
        older = rows[n + 1] if n + 1 < len(rows) else None  # newest first: the interval ends at the settlement
        i, when = parser.instruments.get(row.symbol), row.fundingRateTimestamp * MS
        hours = i.funding_interval_hours
        if older is not None and older.symbol == row.symbol and older.fundingRateTimestamp < row.fundingRateTimestamp:
            hours = (row.fundingRateTimestamp - older.fundingRateTimestamp) / 3_600_000
        events.append(
            FundingRate(NAME, i.symbol, row.symbol, i.base, when, ts_recv, row.fundingRate, hours, when, "settled", is_backfill=True)
        )
    return events


def insurance(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = FUNDS.decode(payload)
    at = answer.result.updatedTime
    return [fund(parser, row, _when(answer, ts_recv) if at is None else at * MS, ts_recv) for row in answer.result.rows]


def adl_alert(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = ADL.decode(payload)
    at = answer.result.updatedTime
    ts = _when(answer, ts_recv) if at is None else at * MS
    return [
        event
        for r in answer.result.rows
        for event in parser.adl_signal(
            r.symbol, r.coin, reading(r.balance), reading(r.pnlRatio), reading(r.insurancePnlRatio), reading(r.adlStopRatio),
            reading(r.adlTriggerThreshold), ts, ts_recv,
        )
    ]  # fmt: skip


def account_ratio(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    period = re.fullmatch(r"(\d{1,3})(min|h|d)", parser.route.query.get("period", ""))
    seconds = None if period is None else int(period[1]) * PERIOD_SECONDS[period[2]]
    events: list[Event] = []
    for r in RATIOS.decode(payload).result.rows:
        i, total = parser.instruments.get(r.symbol), r.buyRatio + r.sellRatio
        if r.buyRatio < 0 or r.sellRatio < 0 or total <= 0:
            continue
        shares = r.buyRatio / total, r.sellRatio / total
        events.append(PositioningRatio(NAME, i.symbol, r.symbol, i.base, r.timestamp * MS, ts_recv, "accounts", *shares, seconds))
    return events


def risk_limit(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = TIERS.decode(payload)
    ts = _when(answer, ts_recv)
    steps: dict[str, list[RiskTier]] = {}
    for row in answer.result.rows:
        steps.setdefault(row.symbol, []).append(row)
    events: list[Event] = []
    for symbol, rows in steps.items():
        i, lower = parser.instruments.get(symbol), 0.0
        for tier, row in enumerate(sorted(rows, key=lambda r: r.riskLimitValue), 1):
            leverage, maintenance, initial = reading(row.maxLeverage), reading(row.maintenanceMargin), reading(row.initialMargin)
            # Percent ("0.5") or share (0.005): initial margin times leverage is 100 or 1, maintenance stays within it.
            is_percent = (initial or maintenance or 0.0) * (leverage or 0.0) > 10
            scale = 0.01 if is_percent else 1.0
            events.append(
                MarginTiers(
                    NAME, i.symbol, symbol, i.base, ts, ts_recv, tier, lower, row.riskLimitValue,
                    "base" if i.contract_type == "inverse" else "usd", None if maintenance is None else maintenance * scale, leverage,
                    None if initial is None else initial * scale, reading(row.mmDeduction),
                )
            )  # fmt: skip
            lower = row.riskLimitValue
    return events


def recent_trade(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    result = TRADES.decode(payload).result
    if parser.is_spot(result.category):
        return ()
    events: list[Event] = []
    for r in result.rows:
        i = parser.instruments.get(r.symbol)
        contracts, quantity, notional = i.measure(r.size, positive(r.iP) if i.kind == "option" else r.price)
        kind: Literal["block", "rpi", "market"] = "block" if r.isBlockTrade else "rpi" if r.isRPITrade else "market"
        events.append(
            Trade(
                NAME, i.symbol, r.symbol, i.base, r.time * MS, ts_recv, r.execId, "buy" if r.side == "Buy" else "sell", r.price, quantity,
                contracts, notional, kind, is_backfill=True,
            )
        )  # fmt: skip
    return events


def orderbook(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    if parser.is_spot():
        return ()
    book = BOOK.decode(payload).result
    i = parser.instruments.get(book.s)
    ts = (book.ts if book.cts is None else book.cts) * MS
    return (BookDepth(NAME, i.symbol, book.s, i.base, ts, ts_recv, "snapshot", book.b, book.a, i.size_unit, book.u),)


def klines(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = KLINES.decode(payload)
    i, interval = _asked(parser, answer.result.symbol), parser.route.query.get("interval")
    kind = CANDLE_KINDS.get(parser.channel)
    if i is None or interval is None or kind is None or parser.is_spot(answer.result.category):
        return ()
    now, seconds = _when(answer, ts_recv), seconds_of(interval)
    events: list[Event] = []
    for row in answer.result.rows:
        opened = row.start * MS
        end = opened + seconds * 1_000_000_000
        quantity, notional = candle_volume(i, row.volume, row.turnover)
        events.append(
            Candle(
                NAME, i.symbol, i.venue_symbol, i.base, min(end, now), ts_recv, seconds, opened, row.open, row.high, row.low, row.close,
                quantity, notional, None, None, kind, end <= now, True,
            )
        )  # fmt: skip
    return events


def candle_volume(i: Instrument, volume: float | None, turnover: float | None) -> tuple[float | None, float | None]:
    """Read volume and turnover as base units and dollars: inverse candles count dollars and turn over coins."""
    return (turnover, volume) if i.size_unit == "usd" else (volume, turnover)


def status(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = STATUSES.decode(payload)
    return [venue_status(row, _when(answer, ts_recv), ts_recv) for row in answer.result.rows]


def venue_status(row: Status, ts: int, ts_recv: int) -> VenueStatus:
    detail = f"{row.title} ({row.begin}–{row.end} ms)" if row.begin or row.end else row.title
    return VenueStatus(NAME, "", "", "", ts, ts_recv, row.state, detail)


def nothing(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Accept an answer that is described and holds nothing we keep."""
    msgspec.json.decode(payload)
    return ()


def seconds_of(interval: str) -> int:
    """Read a candle interval: minutes, or D, W, M."""
    seconds = INTERVAL_SECONDS.get(interval) or int(interval) * 60
    if not 0 < seconds <= 2_592_000:
        raise ValueError(f"interval {interval[:20]!r}")
    return seconds


Reader = Callable[[BybitBase, bytes, int], Sequence[Event]]
READERS: dict[str, Reader] = {
    "instruments-info": instruments_info, "tickers": tickers, "open-interest": open_interest, "history": funding_history,
    "insurance": insurance, "adlAlert": adl_alert, "account-ratio": account_ratio, "risk-limit": risk_limit,
    "recent-trade": recent_trade, "orderbook": orderbook, "status": status, **dict.fromkeys(CANDLE_KINDS, klines),
    **dict.fromkeys(
        ("time", "rpi_orderbook", "delivery-price", "new-delivery-price", "historical-volatility", "index-price-components",
         "price-limit", "fee-group-info", "announcements", "index", "full-ob"), nothing,
    ),
}  # fmt: skip
SHAPES = (
    (b'"fundingRateTimestamp"', "history"), (b'"riskLimitValue"', "risk-limit"), (b'"priceFilter"', "instruments-info"),
    (b'"execId"', "recent-trade"), (b'"buyRatio"', "account-ratio"), (b'"insurancePnlRatio"', "adlAlert"),
    (b'"markPrice"', "tickers"), (b'"usdIndexPrice"', "time"), (b'"openInterest"', "open-interest"), (b'"symbols"', "insurance"),
    (b'"seq"', "orderbook"), (b'"maintainType"', "status"), (b'"timeSecond"', "time"),
)  # fmt: skip


def rest_reader(path: str, payload: bytes) -> tuple[str, Reader]:
    """Find the reader of an answer by the last element of its address, else by the fields only it has."""
    name = path.rstrip("/").rpartition("/")[2]
    if path.startswith("/v5/") and name in READERS:
        return name, READERS[name]
    shape = next((name for mark, name in SHAPES if mark in payload), "")
    if shape:
        return shape, READERS[shape]
    if path.startswith("/v5/") and not path.startswith("/v5/public"):
        raise UnknownFrame(name, "no such address is described")
    return "unattributed", nothing  # candles without their interval, or an empty list
