"""Deribit's rows, alike in notifications and answers, and its REST (JSON-RPC) answers. One reader per method."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal

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
    PositionSide,
    Trade,
    TradeKind,
    VenueStatus,
    VolatilityIndex,
)  # fmt: skip
from deleverage.instruments import DOLLARS, Instrument, make
from deleverage.venues.repeats import Repeats
from deleverage.venues.venue import MS, Count, Instruments, Millis, Number, Parser, Price, Route, Size

NAME = "deribit"
FUNDING_HOURS = 8.0  # accrues continuously, is quoted per 8 h
REPEAT_AFTER = 60_000_000_000  # ns; an unchanged open interest is told again once a minute
LEAST_PRICE = 1e-12  # below it a dollar size divided by the price would leave the finite numbers
# Combinations (BTC-FS-30SEP22_PERP, BTC-CSR12-16SEP22-21000_23000) and spot pairs (ETH_BTC): recognised, not kept.
UNTRACKED = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)?-[A-Z][A-Z0-9]*-[A-Z0-9_-]+|[A-Z0-9]+_[A-Z0-9]+")
SIDES: dict[tuple[str, str], tuple[PositionSide, ...]] = {
    ("T", "sell"): ("long",), ("T", "buy"): ("short",),
    ("M", "sell"): ("short",), ("M", "buy"): ("long",),
    ("MT", "sell"): ("long", "short"), ("MT", "buy"): ("short", "long"),
}  # fmt: skip
"""Whose position was closed, by flag and taker's direction; of two, the taker's first."""
LIQUIDATED: dict[str, Literal["taker", "maker", "both"]] = {"T": "taker", "M": "maker", "MT": "both"}
PlainLevel = tuple[Number, Size]
Divisor = Annotated[float, msgspec.Meta(gt=LEAST_PRICE, lt=1e15)]


class TradeRow(msgspec.Struct, gc=False):
    instrument_name: str
    trade_id: str
    timestamp: Millis
    direction: Literal["buy", "sell"]
    price: Number
    amount: Size
    index_price: Number | None = None
    mark_price: Number | None = None
    contracts: Size | None = None
    liquidation: str | None = None
    block_trade_id: str | int | None = None
    combo_trade_id: str | int | None = None


class Greeks(msgspec.Struct, gc=False):
    delta: Number | None = None
    gamma: Number | None = None
    vega: Number | None = None
    theta: Number | None = None
    rho: Number | None = None


class Stats(msgspec.Struct, gc=False):
    volume: Size | None = None


class Ticker(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Millis
    mark_price: Number | None = None
    index_price: Number | None = None
    open_interest: Size | None = None
    funding_8h: Number | None = None
    best_bid_price: Number | None = None
    best_ask_price: Number | None = None
    last_price: Number | None = None
    mark_iv: Number | None = None
    bid_iv: Number | None = None
    ask_iv: Number | None = None
    underlying_price: Number | None = None
    greeks: Greeks | None = None
    stats: Stats | None = None


class BookAnswer(Ticker):
    change_id: Count | None = None
    bids: list[PlainLevel] = []
    asks: list[PlainLevel] = []


class Summary(msgspec.Struct):
    instrument_name: str
    creation_timestamp: Millis
    mark_price: Number | None = None
    open_interest: Size | None = None
    funding_8h: Number | None = None
    bid_price: Number | None = None
    ask_price: Number | None = None
    last: Number | None = None
    mark_iv: Number | None = None
    underlying_price: Number | None = None
    volume: Size | None = None


class Listing(msgspec.Struct):
    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    expiration_timestamp: Count
    contract_size: Divisor | None = None
    tick_size: Size | None = None
    strike: Price | None = None
    option_type: Literal["call", "put"] | None = None
    settlement_currency: str = ""
    settlement_period: str = ""
    max_leverage: Size | None = None
    is_active: bool = True
    state: str = ""


class TradesAnswer(msgspec.Struct):
    trades: list[TradeRow]


class FundingRow(msgspec.Struct):
    timestamp: Millis
    interest_1h: Number


class VolatilityAnswer(msgspec.Struct):
    data: list[tuple[Millis, Size, Size, Size, Size]]


class ChartAnswer(msgspec.Struct):
    ticks: list[Millis]
    open: list[Number]
    high: list[Number]
    low: list[Number]
    close: list[Number]
    volume: list[Size]
    cost: list[Size]


class StatusAnswer(msgspec.Struct):
    locked: str | bool
    locked_indices: list[str] = []


class Probe(msgspec.Struct):
    """Enough of an answer to tell which method it answers."""

    instrument_name: Any = None
    kind: Any = None
    trades: Any = None
    change_id: Any = None
    mark_price: Any = None
    creation_timestamp: Any = None
    interest_1h: Any = None
    ticks: Any = None
    settlements: Any = None
    continuation: Any = None
    data: Any = None


LISTINGS = msgspec.json.Decoder(Listing | list[Listing], strict=False)
TRADES = msgspec.json.Decoder(TradesAnswer, strict=False)
SUMMARIES = msgspec.json.Decoder(list[Summary], strict=False)
TICKER = msgspec.json.Decoder(Ticker, strict=False)
BOOK = msgspec.json.Decoder(BookAnswer, strict=False)
FUNDING_ROWS = msgspec.json.Decoder(list[FundingRow], strict=False)
VOLATILITY = msgspec.json.Decoder(VolatilityAnswer, strict=False)
CHART = msgspec.json.Decoder(ChartAnswer, strict=False)
STATUS = msgspec.json.Decoder(StatusAnswer, strict=False)
PROBE = msgspec.json.Decoder(Probe | list[Probe | str | float | list[Any] | None] | str | float | bool | None)


class RowParser(Parser):
    """What notifications and answers share: trades, tickers, and the predicted rates already told on this connection."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self._known = instruments.known
        self._rates = Repeats()
        self._interest: dict[str, tuple[float, int]] = {}

    def contract(self, name: str) -> Instrument | None:
        """Return the contract of that name; None for a combination or a spot pair."""
        return None if UNTRACKED.fullmatch(name) else self.instruments.get(name)

    def trades(self, rows: Iterable[TradeRow], ts_recv: int, is_backfill: bool = False) -> list[Event]:
        events: list[Event] = []
        for m in rows:
            name, price, flag = m.instrument_name, m.price, m.liquidation
            i = self._known.get(name) or self.contract(name)
            if i is None:
                continue
            if i.kind == "option":  # trades in premium: the dollar value needs the index
                index = m.index_price
                contracts, quantity, notional = i.measure(m.amount, index if index is not None and index > 0 else None)
            elif price > LEAST_PRICE:
                if i.size_unit == "usd":  # as `measure` does it, without the call
                    size, amount = i.contract_size, m.amount
                    contracts, quantity, notional = amount / size if size else None, amount / price, amount
                else:
                    contracts, quantity, notional = i.measure(m.amount, price)
            else:
                raise ParseError("trades", f"price {price} of {name[:40]!r} is not positive")
            if m.contracts is not None:
                contracts = m.contracts
            kind: TradeKind = "market"
            if m.block_trade_id is not None:
                kind = "block"
            elif m.combo_trade_id is not None:
                kind = "other"  # a leg: its price is derived from the combination's, it did not meet the leg's own book
            if flag and flag not in LIQUIDATED:
                raise ParseError("trades", f"liquidation flag {flag[:20]!r} is none of M, T, MT")
            ts = m.timestamp * MS
            events.append(
                Trade(
                    NAME, i.symbol, name, i.base, ts, ts_recv, m.trade_id, m.direction, price, quantity, contracts, notional, kind,
                    LIQUIDATED[flag] if flag else "none", None, None, is_backfill,
                )
            )  # fmt: skip
            if not flag:
                continue
            for side in SIDES[flag, m.direction]:
                events.append(
                    Liquidation(
                        NAME, i.symbol, name, i.base, ts, ts_recv, side, price, "fill", quantity, contracts, notional, "market", "full",
                        m.trade_id, 0, m.mark_price, None, is_backfill,
                    )
                )  # fmt: skip
        return events

    def ticker(self, m: Ticker, ts_recv: int) -> Sequence[Event]:
        name = m.instrument_name
        i = self._known.get(name) or self.contract(name)
        if i is None:
            return ()
        ts = m.timestamp * MS
        if i.kind != "option":
            return self.state(i, ts, ts_recv, m.mark_price, m.index_price, m.open_interest, m.funding_8h)
        g = m.greeks or NO_GREEKS
        bid, ask = m.best_bid_price or None, m.best_ask_price or None
        return (
            option_quote(
                i, ts, ts_recv, bid, ask, m.mark_price, m.last_price, None if bid is None else m.bid_iv, None if ask is None else m.ask_iv,
                m.mark_iv, g, m.underlying_price, m.index_price, m.open_interest, m.stats.volume if m.stats else None,
            ),
        )  # fmt: skip

    def state(
        self, i: Instrument, ts: int, ts_recv: int, mark: float | None, index: float | None, interest: float | None, rate: float | None
    ) -> list[Event]:
        """Say a future's mark price, and its funding rate and open interest where they are new or not said for a while."""
        name = i.venue_symbol
        if mark is not None and mark <= LEAST_PRICE:
            mark = None
        events: list[Event] = []
        if mark is not None or index is not None:
            events.append(MarkPrice(NAME, i.symbol, name, i.base, ts, ts_recv, mark, index))
        if rate is not None and i.kind == "perpetual" and self._rates.is_news(name, rate, ts):
            events.append(FundingRate(NAME, i.symbol, name, i.base, ts, ts_recv, rate, FUNDING_HOURS, None, "predicted"))
        if interest is not None:
            told = self._interest.get(name)
            if told is None or told[0] != interest or ts - told[1] >= REPEAT_AFTER:
                self._interest[name] = (interest, ts)
                _, base, usd = i.measure(interest, mark)
                events.append(OpenInterest(NAME, i.symbol, name, i.base, ts, ts_recv, interest, base, usd))
        return events

    def asked(self) -> Instrument | None:
        """Return the contract the address names; None where it names none, so that the answer cannot be attributed."""
        name = self.route.query.get("instrument_name")
        return self.contract(name) if name else None


NO_GREEKS = Greeks()


def option_quote(
    i: Instrument, ts: int, ts_recv: int, bid: float | None, ask: float | None, mark: float | None, last: float | None,
    bid_iv: float | None, ask_iv: float | None, mark_iv: float | None, g: Greeks, underlying: float | None, index: float | None,
    interest: float | None, volume: float | None,
) -> OptionQuote:  # fmt: skip
    """Build the quote of an option; volatilities come in percent, and zero stands for none."""
    if i.strike is None or i.expiry is None or i.option_type is None:
        raise ParseError("ticker", f"{i.venue_symbol[:40]!r} is not an option")
    return OptionQuote(
        NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, i.strike, i.expiry, i.option_type,
        "base" if i.contract_type == "inverse" else "usd", bid, ask, mark, last or None,
        bid_iv / 100.0 if bid_iv is not None and bid_iv > 0 else None, ask_iv / 100.0 if ask_iv is not None and ask_iv > 0 else None,
        mark_iv / 100.0 if mark_iv is not None and mark_iv > 0 else None,
        g.delta, g.gamma, g.vega, g.theta, g.rho, underlying, index, interest, volume,
    )  # fmt: skip


def candle(
    i: Instrument, seconds: int, opened: int, prices: tuple[float, float, float, float], volume: float, cost: float, ts_recv: int,
    is_backfill: bool,
) -> Candle:  # fmt: skip
    """Build a candle that opened at `opened` (ms): `volume` is in base coins, `cost` in dollars (of an option: in premium)."""
    start = opened * MS
    closes = start + seconds * 1_000_000_000
    return Candle(
        NAME, i.symbol, i.venue_symbol, i.base, min(closes, ts_recv), ts_recv, seconds, start, *prices, volume,
        None if i.kind == "option" else cost, None, None, "last", closes <= ts_recv, is_backfill,
    )  # fmt: skip


def seconds_of(resolution: str, unit: int) -> int:
    """Read a resolution: `1D`, or a count of `unit` seconds.

    >>> seconds_of("1D", 60), seconds_of("15", 60), seconds_of("3600", 1)
    (86400, 900, 3600)
    """
    if resolution == "1D":
        return 86_400
    if not re.fullmatch("[0-9]{1,5}", resolution) or int(resolution) == 0:
        raise ValueError(f"resolution {resolution[:20]!r}")
    return int(resolution) * unit


# --- answers: each reader gets the `result` member and the venue's time of answering (ns UTC) ------------------------


def listings(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    answer = LISTINGS.decode(result)
    events: list[Event] = []
    for row in answer if isinstance(answer, list) else [answer]:
        quote = "USD" if row.quote_currency == row.base_currency else row.quote_currency  # inverse options are quoted in the coin
        if row.kind not in ("future", "option") or quote not in DOLLARS:
            continue
        settlement = row.settlement_currency or (row.base_currency if quote == "USD" else quote)
        perpetual = row.settlement_period == "perpetual"
        if not 0 <= row.expiration_timestamp <= 9_000_000_000_000 and not perpetual:
            raise ValueError("expiration_timestamp out of range")
        if row.kind == "option" and (row.option_type is None or row.strike is None):
            raise ValueError(f"option {row.instrument_name[:40]!r} without type or strike")
        inverse = settlement == row.base_currency
        events.append(
            make(
                NAME, row.instrument_name, row.base_currency, quote, settlement_asset=settlement,
                kind="option" if row.option_type else "perpetual" if perpetual else "future",
                expiry=None if perpetual else row.expiration_timestamp * MS, strike=row.strike, option_type=row.option_type,
                contract_type="inverse" if inverse else "linear", size_unit="usd" if inverse and row.kind == "future" else "base",
                contract_size=row.contract_size, tick_size=row.tick_size, max_leverage=row.max_leverage,
                funding_interval_hours=FUNDING_HOURS if perpetual else None,
                status=row.state.lower() or ("open" if row.is_active else "inactive"), ts_event=answered, ts_recv=ts_recv,
            )
        )  # fmt: skip
    return events


def last_trades(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    return parser.trades(TRADES.decode(result).trades, ts_recv, True)


def ticker(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    return parser.ticker(TICKER.decode(result), ts_recv)


def order_book(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    row = BOOK.decode(result)
    i = parser.contract(row.instrument_name)
    if i is None:
        return ()
    ts = row.timestamp * MS
    book = BookDepth(
        NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, "snapshot", row.bids, row.asks, i.size_unit, row.change_id
    )  # fmt: skip
    return (book, *parser.ticker(row, ts_recv))


def summaries(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    events: list[Event] = []
    for m in SUMMARIES.decode(result):
        i = parser.contract(m.instrument_name)
        if i is None:
            continue
        ts = m.creation_timestamp * MS
        if i.kind != "option":
            events += parser.state(i, ts, ts_recv, m.mark_price, None, m.open_interest, m.funding_8h)
            continue
        bid, ask = m.bid_price or None, m.ask_price or None
        events.append(
            option_quote(
                i, ts, ts_recv, bid, ask, m.mark_price, m.last, None, None, m.mark_iv, NO_GREEKS, m.underlying_price, None,
                m.open_interest, m.volume,
            )
        )  # fmt: skip
    return events


def funding_history(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    rows, i = FUNDING_ROWS.decode(result), parser.asked()
    if i is None:
        return ()
    # interest_1h is what the hour before the stamp paid; interest_8h counts the same hours eight times over.
    return [
        FundingRate(
            NAME, i.symbol, i.venue_symbol, i.base, r.timestamp * MS, ts_recv, r.interest_1h, 1.0, r.timestamp * MS, "settled",
            is_backfill=True,
        )
        for r in rows
    ]  # fmt: skip


def volatility_index(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    rows, query = VOLATILITY.decode(result).data, parser.route.query
    resolution = query.get("resolution") or query.get("vix_resolution") or ""
    if "currency" not in query or not resolution:
        return ()
    coin, seconds = query["currency"].upper(), seconds_of(resolution, 1)
    index = f"{coin.lower()}_usd"
    # Rows are stamped with the start of their interval; the close is known at its end.
    return [
        VolatilityIndex(
            NAME, "", index, coin, min(start * MS + seconds * 1_000_000_000, ts_recv), ts_recv, index, c, seconds, o, h, low, True
        )
        for start, o, h, low, c in rows
    ]


def chart(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    m, i, resolution = CHART.decode(result), parser.asked(), parser.route.query.get("resolution")
    if i is None or not resolution:
        return ()
    seconds = seconds_of(resolution, 60)
    return [
        candle(i, seconds, start, (o, h, low, c), volume, cost, ts_recv, True)
        for start, o, h, low, c, volume, cost in zip(m.ticks, m.open, m.high, m.low, m.close, m.volume, m.cost, strict=True)
    ]


def platform_status(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    answer = STATUS.decode(result)
    status = {"false": "operational", "true": "locked"}.get(str(answer.locked).lower(), str(answer.locked).lower())
    return (VenueStatus(NAME, "", "", "", answered, ts_recv, status, ",".join(answer.locked_indices)),)


def nothing(parser: RowParser, result: bytes, ts_recv: int, answered: int) -> Sequence[Event]:
    """Accept an answer that is described and holds nothing we keep (bankruptcies among settlements are no liquidations)."""
    msgspec.json.decode(result)
    return ()


Reader = Callable[[RowParser, bytes, int, int], Sequence[Event]]
READERS: dict[str, Reader] = {
    "get_instruments": listings, "get_instrument": listings, "ticker": ticker, "get_order_book": order_book,
    "get_order_book_by_instrument_id": order_book, "get_book_summary_by_currency": summaries,
    "get_book_summary_by_instrument": summaries, "get_funding_rate_history": funding_history,
    "get_volatility_index_data": volatility_index, "get_tradingview_chart_data": chart, "status": platform_status,
    **{f"get_last_trades_by_{by}{span}": last_trades for by in ("instrument", "currency") for span in ("", "_and_time")},
    **dict.fromkeys(
        (
            "get_last_settlements_by_currency", "get_last_settlements_by_instrument", "get_delivery_prices", "get_funding_chart_data",
            "get_funding_rate_value", "get_historical_volatility", "get_index", "get_index_price", "get_index_price_names",
            "get_supported_index_names", "get_mark_price_history", "get_trade_volumes", "get_currencies", "get_contract_size",
            "get_announcements", "get_combos", "get_combo_ids", "get_combo_details", "get_expirations", "get_time", "hello", "test",
            "subscribe", "unsubscribe", "unsubscribe_all", "set_heartbeat", "disable_heartbeat",
        ),
        nothing,
    ),
}  # fmt: skip


def method_of(path: str) -> str:
    """Return the JSON-RPC method an address names, without `public/`; empty where it names none."""
    head, _, name = path.rstrip("/").rpartition("/")
    return name if head.endswith(("/public", "/private")) or head in ("public", "private") else ""


def method_answered(result: bytes) -> str:
    """Tell from its shape which method an answer belongs to; empty where the shape does not say."""
    answer = PROBE.decode(result)
    rows = isinstance(answer, list)
    row = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(row, Probe):
        return ""
    if row.instrument_name is not None and row.kind is not None:
        return "get_instruments"
    if row.interest_1h is not None:
        return "get_funding_rate_history"
    if rows:
        return "get_book_summary_by_currency" if row.instrument_name is not None and row.creation_timestamp is not None else ""
    marks = (
        (row.trades, "get_last_trades_by_instrument"), (row.change_id, "get_order_book"), (row.mark_price, "ticker"),
        (row.ticks, "get_tradingview_chart_data"), (row.settlements, "get_last_settlements_by_currency"),
        (row.data, "get_volatility_index_data" if row.continuation is not None else ""),
    )  # fmt: skip
    return next((method for mark, method in marks if mark is not None), "")


def reader_of(method: str) -> Reader:
    """Return the reader of a method's answer. Raises UnknownFrame for a method nobody described."""
    reader = READERS.get(method)
    if reader is None:
        raise UnknownFrame(method, "no such method is described")
    return reader
