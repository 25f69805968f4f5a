"""Binance options: socket messages of both generations and REST answers.

- A contract is `unit` coins (BTC 1, XRP 100, DOGE 1000); premiums and sizes are per contract. Here they become per coin.
- Until the move to fstream the ticker carried quotes and greeks and `markPrice` a price alone; since then it is the other way
  round, trades say BUY or SELL instead of 1 or -1, and books have `pu` (options pages, copy of 2026-03).
- Open interest is in contracts with its value in dollars beside it; the value is 0 where the venue has not computed it.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from deleverage.errors import ParseError
from deleverage.events import Event, OpenInterest, OptionQuote
from deleverage.instruments import Instrument, make
from deleverage.venues.venue import MS, Millis, Number, Parser, Price, Size, reading

NAME = "binance"


class OptionTicker(msgspec.Struct, tag="24hrTicker", tag_field="e", gc=False):
    """24 h statistics; of a future too, whose fields of the same letters mean other things."""

    s: str
    E: Millis
    c: Number
    bo: Size | None = None
    ao: Size | None = None
    b: Number | None = None
    a: Number | None = None
    d: Number | None = None
    g: Number | None = None
    v: Number | None = None
    t: Number | None = None
    vo: Number | None = None
    mp: Size | None = None
    V: Size | None = None


class OptionMark(msgspec.Struct, tag="markPrice", tag_field="e", gc=False):
    s: str
    E: Millis
    mp: Size
    i: Size | None = None
    bo: Size | None = None
    ao: Size | None = None
    b: Number | None = None
    a: Number | None = None
    vo: Number | None = None
    d: Number | None = None
    g: Number | None = None
    v: Number | None = None
    t: Number | None = None


class OptionOpenInterest(msgspec.Struct, tag="openInterest", tag_field="e", gc=False):
    s: str
    E: Millis
    o: Size
    h: Size


class OptionSymbol(msgspec.Struct, tag="optionSymbol", tag_field="e", gc=False):
    s: str
    E: Millis
    u: Price
    cs: str = ""


class OptionListing(msgspec.Struct):
    symbol: str
    unit: Price
    status: str = "trading"
    filters: list[dict[str, Any]] = []


class OptionMarkRow(msgspec.Struct):
    symbol: str
    markPrice: Size
    bidIV: Number | None = None
    askIV: Number | None = None
    markIV: Number | None = None
    delta: Number | None = None
    gamma: Number | None = None
    vega: Number | None = None
    theta: Number | None = None


class OptionInterestRow(msgspec.Struct):
    symbol: str
    sumOpenInterest: Size
    sumOpenInterestUsd: Size
    timestamp: Millis


class OptionInfo(msgspec.Struct):
    optionSymbols: list[OptionListing]
    serverTime: Millis = 0


OPTION_INFO = msgspec.json.Decoder(OptionInfo, strict=False)
MARK_ROWS = msgspec.json.Decoder(list[OptionMarkRow], strict=False)
INTEREST_ROWS = msgspec.json.Decoder(list[OptionInterestRow], strict=False)
Terms = tuple[float, int, Literal["call", "put"]]


def ticker(parser: Parser, m: OptionTicker, ts_recv: int) -> Sequence[Event]:
    parser.channel = "ticker"
    i = parser.instruments.get(m.s)
    if i.kind != "option":
        return ()  # nothing that trades and mark prices do not say
    strike, expiry, kind = _terms(i)
    unit = i.contract_size or 1.0
    is_new = m.vo is None  # then `v` is the volume, not vega
    volume = m.v if is_new else m.V
    return (
        OptionQuote(
            NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, strike, expiry, kind, "usd", _per_coin(m.bo, unit), _per_coin(m.ao, unit),
            _per_coin(m.mp, unit), _per_coin(m.c, unit), _iv(m.b), _iv(m.a), _iv(m.vo), m.d, m.g, None if is_new else m.v, m.t,
            volume_24h=None if volume is None else volume * unit,
        ),
    )  # fmt: skip


def mark(parser: Parser, m: OptionMark, ts_recv: int) -> Sequence[Event]:
    parser.channel = "markPrice"
    i = parser.instruments.get(m.s)
    strike, expiry, kind = _terms(i)
    unit = i.contract_size or 1.0
    return (
        OptionQuote(
            NAME, i.symbol, m.s, i.base, m.E * MS, ts_recv, strike, expiry, kind, "usd", _per_coin(m.bo, unit), _per_coin(m.ao, unit),
            m.mp / unit, None, _iv(m.b), _iv(m.a), _iv(m.vo), m.d, m.g, m.v, m.t, index_price=m.i or None,
        ),
    )  # fmt: skip


def open_interest(parser: Parser, m: OptionOpenInterest, ts_recv: int) -> Sequence[Event]:
    parser.channel = "openInterest"
    return (_interest(parser.instruments.get(m.s), m.o, m.h, m.E, ts_recv),)


def symbol(parser: Parser, m: OptionSymbol, ts_recv: int) -> Sequence[Event]:
    parser.channel = "optionSymbol"
    return (_listed(parser, m.s, m.u, None, m.cs, m.E, ts_recv),)


def exchange_info(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    answer = OPTION_INFO.decode(payload)
    events = []
    for row in answer.optionSymbols:
        tick = next((reading(f.get("tickSize")) for f in row.filters if f.get("filterType") == "PRICE_FILTER"), None)
        tick = None if tick is None else tick / row.unit
        events.append(_listed(parser, row.symbol, row.unit, tick, row.status, answer.serverTime, ts_recv))
    return events


def marks(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in MARK_ROWS.decode(payload):
        i = parser.instruments.get(row.symbol)
        strike, expiry, kind = _terms(i)
        events.append(
            OptionQuote(
                NAME, i.symbol, row.symbol, i.base, ts_recv, ts_recv, strike, expiry, kind, "usd", None, None,
                row.markPrice / (i.contract_size or 1.0), None, _iv(row.bidIV), _iv(row.askIV), _iv(row.markIV), row.delta, row.gamma,
                row.vega, row.theta,
            )
        )  # fmt: skip
    return events


def interests(parser: Parser, payload: bytes, ts_recv: int) -> Sequence[Event]:
    rows = INTEREST_ROWS.decode(payload)
    return [_interest(parser.instruments.get(r.symbol), r.sumOpenInterest, r.sumOpenInterestUsd, r.timestamp, ts_recv) for r in rows]


def _interest(i: Instrument, contracts: float, dollars: float, at: int, ts_recv: int) -> OpenInterest:
    _, base, _ = i.measure(contracts, None)
    usd = dollars if dollars or not contracts else None
    return OpenInterest(
        NAME, i.symbol, i.venue_symbol, i.base, at * MS, ts_recv, contracts, base, usd
    )  # fmt: skip


def _listed(parser: Parser, name: str, unit: float, tick: float | None, status: str, at: int, ts_recv: int) -> Instrument:
    i = parser.instruments.get(name)
    strike, expiry, kind = _terms(i)
    return make(
        NAME, name, i.base, i.quote, expiry=expiry, strike=strike, option_type=kind, size_unit="contracts", contract_size=unit,
        tick_size=tick, status=status.lower(), ts_event=at * MS, ts_recv=ts_recv,
    )  # fmt: skip


def _terms(i: Instrument) -> Terms:
    if i.strike is None or i.expiry is None or i.option_type is None:
        raise ParseError("option", f"{i.venue_symbol[:40]!r} is not an option")
    return i.strike, i.expiry, i.option_type


def _per_coin(price: float | None, unit: float) -> float | None:
    """Turn a premium per contract into one per coin; zero is a placeholder for no quote."""
    return price / unit if price else None


def _iv(value: float | None) -> float | None:
    """Read an implied volatility; zero and negative ones are placeholders for no quote."""
    return value if value is not None and value > 0 else None
