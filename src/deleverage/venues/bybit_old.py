"""Bybit's socket formats before v5 (2019 to 2023): trade, orderBookL2_25, orderBook_200, instrument_info, liquidation.

Inverse contracts write snake_case and numbers, linear ones snake_case and texts, USDC ones camelCase: names are compared without
underscores and case. `_e4`, `_e6` and `_e8` are scales; `timestamp_e6` is microseconds. Neither has a sequence to check gaps by.
`generated` liquidations were asked from REST (`/v2/public/liq-records`) by the recorder, with ids and numbers, before 2021-09-20.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from deleverage.errors import ParseError
from deleverage.events import BookDepth, Event, FundingRate, Liquidation, MarkPrice, Trade
from deleverage.instruments import Instrument
from deleverage.venues.bybit_names import NAME
from deleverage.venues.bybit_rest import BybitBase, Level
from deleverage.venues.bybit_tickers import open_interest_of, positive
from deleverage.venues.venue import MS, Blank, Count, Millis, Number, Price, Size, number_repeats, reading

CAPPED = "undisclosed"
"""At most one order per contract and second, said the last copies of the docs; not which one. "Real-time" before."""
Side = Literal["Buy", "Sell"]


class OldLiquidation(msgspec.Struct, gc=False):
    symbol: str
    side: Side
    price: Blank | Number
    size: Size | None = None
    qty: Size | None = None
    time: Millis | None = None
    updatedTime: Millis | None = None
    updateTime: Millis | None = None
    id: Count | None = None


class OldLiquidations(msgspec.Struct, gc=False):
    data: OldLiquidation | list[OldLiquidation]
    ts: Millis | None = None
    generated: bool = False


class OldTrade(msgspec.Struct, gc=False):
    symbol: str
    side: Side
    price: Price
    size: Size
    timestamp: str = ""
    trade_id: str = ""
    tradeId: str = ""
    trade_time_ms: Millis | None = None
    tradeTimeMs: Millis | None = None


class OldTrades(msgspec.Struct, gc=False):
    data: list[OldTrade]


class OldLevel(msgspec.Struct, gc=False):
    price: Price
    side: Side
    size: Size = 0.0


class OldBook(msgspec.Struct, gc=False):
    order_book: list[OldLevel] = []
    orderBook: list[OldLevel] = []
    delete: list[OldLevel] = []
    update: list[OldLevel] = []
    insert: list[OldLevel] = []


class OldBooks(msgspec.Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    data: OldBook | list[OldLevel]
    timestamp_e6: Count | None = None
    timestampE6: Count | None = None
    cross_seq: Count | None = None
    crossSeq: Count | None = None


class OldInfo(msgspec.Struct, gc=False):
    type: Literal["snapshot", "delta"]
    data: dict[str, Any]
    timestamp_e6: Count | None = None
    timestampE6: Count | None = None


LIQUIDATIONS = msgspec.json.Decoder(OldLiquidations, strict=False)
TRADES = msgspec.json.Decoder(OldTrades, strict=False)
BOOKS = msgspec.json.Decoder(OldBooks, strict=False)
INFO = msgspec.json.Decoder(OldInfo, strict=False)


def liquidation(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Read `liquidation.{symbol}`: `side` is the position's (Buy: a long), `price` the bankruptcy price; early docs said otherwise."""
    frame = LIQUIDATIONS.decode(payload)
    events = []
    for row in frame.data if isinstance(frame.data, list) else [frame.data]:
        i = parser.instruments.get(row.symbol)
        size = row.qty if row.size is None else row.size
        at = next((t for t in (row.updatedTime, row.updateTime, row.time, frame.ts) if t is not None), None)
        if size is None or at is None:
            raise ParseError("liquidation", "no size or no time")
        price = positive(row.price)
        contracts, quantity, notional = i.measure(size, price)
        events.append(
            Liquidation(
                NAME, i.symbol, row.symbol, i.base, at * MS, ts_recv, "long" if row.side == "Buy" else "short", price, "bankruptcy",
                quantity, contracts, notional, "market", CAPPED, "" if row.id is None else str(row.id), is_backfill=frame.generated,
            )
        )  # fmt: skip
    return number_repeats(events)


def trade(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in TRADES.decode(payload).data:
        i = parser.instruments.get(row.symbol)
        at = row.tradeTimeMs if row.trade_time_ms is None else row.trade_time_ms
        ts = _iso(row.timestamp) if at is None else at * MS
        contracts, quantity, notional = i.measure(row.size, row.price)
        events.append(
            Trade(
                NAME, i.symbol, row.symbol, i.base, ts_recv if ts is None else ts, ts_recv, row.trade_id or row.tradeId,
                "buy" if row.side == "Buy" else "sell", row.price, quantity, contracts, notional,
            )
        )  # fmt: skip
    return events


def book(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    frame = BOOKS.decode(payload)
    i = parser.instruments.get(frame.topic.rpartition(".")[2])
    d = frame.data
    levels = d if isinstance(d, list) else [*d.order_book, *d.orderBook, *d.delete, *d.update, *d.insert]
    bids: list[Level] = [(level.price, level.size) for level in levels if level.side == "Buy"]
    asks: list[Level] = [(level.price, level.size) for level in levels if level.side == "Sell"]
    ts = _micros(frame.timestamp_e6, frame.timestampE6, ts_recv)
    sequence = frame.crossSeq if frame.cross_seq is None else frame.cross_seq
    return (BookDepth(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, frame.type, bids, asks, i.size_unit, sequence),)


def instrument_info(parser: BybitBase, payload: bytes, ts_recv: int) -> Sequence[Event]:
    frame = INFO.decode(payload)
    ts = _micros(frame.timestamp_e6, frame.timestampE6, ts_recv)
    rows = frame.data.get("update", [frame.data] if "symbol" in frame.data else [])
    events: list[Event] = []
    for row in rows:
        if not isinstance(row, dict):
            raise ParseError("instrument_info", "a row is no object")
        fields = {name.replace("_", "").lower(): value for name, value in row.items()}
        events += _info(parser.instruments.get(str(fields["symbol"])), fields, ts, ts_recv)
    return events


def _info(i: Instrument, fields: dict[str, Any], ts: int, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    mark = _scaled(fields, "markprice", "e4", 1e4)
    index = _scaled(fields, "indexprice", "e4", 1e4)
    if mark or index:
        events.append(MarkPrice(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, mark or None, index or None))
    rate = _scaled(fields, "fundingrate", "e6", 1e6)
    if rate is not None and i.kind == "perpetual":
        when = _iso(str(fields.get("nextfundingtime", "")))
        hours = i.funding_interval_hours
        events.append(FundingRate(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, rate, hours, when, "predicted"))
    interest = _scaled(fields, "openinterest", "e8", 1e8)
    if interest is not None:
        events += open_interest_of(i, interest, None, None, mark, ts, ts_recv)
    return events


def _scaled(fields: dict[str, Any], name: str, suffix: str, scale: float) -> float | None:
    """Read a field by its plain name, else by its scaled one."""
    plain = reading(fields.get(name))
    if plain is not None:
        return plain
    scaled = reading(fields.get(name + suffix))
    return None if scaled is None else scaled / scale


def _micros(snake: int | None, camel: int | None, otherwise: int) -> int:
    at = camel if snake is None else snake
    if at is None:
        return otherwise
    if not 0 <= at <= 9_000_000_000_000_000:
        raise ValueError("time out of range")
    return at * 1000


def _iso(text: str) -> int | None:
    """Read an ISO instant as ns; blank and the epoch mean none."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if not 1970 <= moment.year < 2200 or moment.tzinfo is None:
        raise ValueError(f"time {text[:40]!r}")
    return (int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000) or None
