"""OKX before v5: `{"table": "swap/trade", "data": [...]}`, sent until 2021 and still found in recordings.

- One row type serves all tables; swaps say `size` where futures say `qty`, numbers come bare or as text.
- A `liquidation` table was never sent: recorders polled REST and wrote it. `type` 3 closes a long, 4 a short.
- Funding rows carry the rate of the settlement named and a guess for the one after; the guess is not kept.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from deleverage.errors import UnknownFrame
from deleverage.events import BookDepth, Event, FundingRate, Liquidation, MarkPrice, OpenInterest, PositionSide, TakerSide, Trade
from deleverage.instruments import Instrument
from deleverage.venues.okx_rest import NAME, Level, OkxRows
from deleverage.venues.venue import Number, Price, Size, number_repeats

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Row(msgspec.Struct, gc=False):
    instrument_id: str = ""
    timestamp: datetime | None = None
    created_at: datetime | None = None
    side: str = ""
    type: str = ""
    trade_id: str = ""
    price: Price | None = None
    qty: Size | None = None
    size: Size | None = None
    asks: list[Level] = []
    bids: list[Level] = []
    last: Price | None = None
    open_interest: Size | None = None
    best_bid: Size | None = None
    best_ask: Size | None = None
    best_bid_size: Size | None = None
    best_ask_size: Size | None = None
    funding_rate: Number | None = None
    funding_time: datetime | None = None
    mark_price: Price | None = None


class Table(msgspec.Struct, gc=False):
    data: list[Row]
    action: str = ""


TABLE = msgspec.json.Decoder(Table, strict=False)
OTHER_TABLES = ("price_range", "estimated_price", "candle", "instruments", "summary")


def read_table(p: OkxRows, table: str, payload: bytes, ts_recv: int, coverage_rule: Callable[[int], str]) -> Sequence[Event]:
    """Return the events of a v3 frame; empty for spot and index tables and for those which hold nothing we keep."""
    product, _, kind = table.partition("/")
    read = READERS.get("depth" if kind.startswith("depth") else kind)
    if product in ("spot", "index", "option") or (product in ("swap", "futures") and kind.startswith(OTHER_TABLES)):
        TABLE.decode(payload)
        return ()
    if read is None or product not in ("swap", "futures"):
        raise UnknownFrame(table[:40], "no such table is described")
    frame = TABLE.decode(payload)
    contracts = [(row, p.contract(row.instrument_id)) for row in frame.data]
    events = [event for row, i in contracts if i is not None for event in read(frame, row, i, ts_recv)]
    if kind != "liquidation":
        return events
    return number_repeats([msgspec.structs.replace(event, coverage_rule=coverage_rule(event.ts_event)) for event in events])


def _ns(when: datetime | None) -> int:
    if when is None:
        raise ValueError("no time")
    ns = (when - EPOCH) // MICROSECOND * 1000
    if not 0 <= ns < 2**63:
        raise ValueError("time out of range")
    return ns


def _trade(frame: Table, m: Row, i: Instrument, ts_recv: int) -> list[Any]:
    size = m.qty if m.size is None else m.size
    if m.price is None or size is None or m.side not in ("buy", "sell"):
        raise ValueError("a trade without price, size or side")
    contracts, quantity, notional = i.measure(size, m.price)
    side: TakerSide = "buy" if m.side == "buy" else "sell"
    ts = _ns(m.timestamp)
    return [Trade(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, m.trade_id, side, m.price, quantity, contracts, notional)]


def _depth(frame: Table, m: Row, i: Instrument, ts_recv: int) -> list[Any]:
    bids, asks = [(level.px, level.sz) for level in m.bids], [(level.px, level.sz) for level in m.asks]
    update: Literal["snapshot", "delta"] = "delta" if frame.action == "update" else "snapshot"
    return [BookDepth(NAME, i.symbol, i.venue_symbol, i.base, _ns(m.timestamp), ts_recv, update, bids, asks, "contracts")]


def _ticker(frame: Table, m: Row, i: Instrument, ts_recv: int) -> list[Any]:
    events: list[Any] = []
    ts = _ns(m.timestamp)
    if m.best_bid and m.best_ask and m.best_bid_size is not None and m.best_ask_size is not None:
        bids, asks = [(m.best_bid, m.best_bid_size)], [(m.best_ask, m.best_ask_size)]
        events.append(BookDepth(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, "top", bids, asks, "contracts"))
    if m.open_interest is not None:
        _, base, usd = i.measure(m.open_interest, m.last)
        events.append(OpenInterest(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, m.open_interest, base, usd))
    return events


def _funding(frame: Table, m: Row, i: Instrument, ts_recv: int) -> list[Any]:
    if m.funding_rate is None or m.funding_time is None:
        return []
    due = _ns(m.funding_time)
    return [FundingRate(NAME, i.symbol, i.venue_symbol, i.base, ts_recv, ts_recv, m.funding_rate, None, due, "predicted")]


def _mark(frame: Table, m: Row, i: Instrument, ts_recv: int) -> list[Any]:
    if m.mark_price is None:
        raise ValueError("no mark price")
    return [MarkPrice(NAME, i.symbol, i.venue_symbol, i.base, _ns(m.timestamp), ts_recv, m.mark_price)]


def _liquidation(frame: Table, m: Row, i: Instrument, ts_recv: int) -> list[Any]:
    if m.price is None or m.size is None or m.type not in ("3", "4"):
        raise ValueError(f"a liquidation without price or size, or of type {m.type[:20]!r}")
    contracts, quantity, notional = i.measure(m.size, m.price)
    side: PositionSide = "long" if m.type == "3" else "short"
    return [
        Liquidation(
            NAME, i.symbol, i.venue_symbol, i.base, _ns(m.created_at), ts_recv, side, m.price, "order", quantity, contracts, notional,
            "unknown", "", is_backfill=True,
        )
    ]  # fmt: skip


READERS: dict[str, Callable[[Table, Row, Instrument, int], list[Any]]] = {
    "trade": _trade, "depth": _depth, "ticker": _ticker, "funding_rate": _funding, "mark_price": _mark, "liquidation": _liquidation,
}  # fmt: skip
