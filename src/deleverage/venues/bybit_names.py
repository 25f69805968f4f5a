"""Bybit's contract names: what a name alone tells, and how a contract is built. Source: listings of 2026-08-09 and the v5 enums page."""

import calendar
import re
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from deleverage.instruments import Instrument, make
from deleverage.venues.venue import reading

NAME = "bybit"
QUOTES = ("USDT", "USDC", "USDE", "USD1", "USD")
DELIVERY_MONTHS = "FGHJKMNQUVXZ"
INVERSE_FUTURE = re.compile(rf"(.+)USD([{DELIVERY_MONTHS}])(\d\d)")
SCALED_TAIL = re.compile(r"([A-Z]{2,})(1000+)")


def infer(venue_symbol: str) -> Instrument | None:
    """Read a contract from its name: BTCUSDT, BTCPERP (USDC), BTCUSD, BTCUSDU23, BTCUSDT-14AUG26, BTC-30DEC22, BTC-30DEC22-18000-C."""
    name, *rest = venue_symbol.split("-")
    if not name:
        return None
    if len(rest) in (3, 4) and rest[2] in ("C", "P"):
        expiry, strike = _eight_utc(rest[0]), _strike(rest[1])
        if expiry is None or strike is None:
            return None
        quote = rest[3] if len(rest) == 4 else "USDC"
        return named(venue_symbol, name, quote, quote, expiry, strike, "call" if rest[2] == "C" else "put", is_inferred=True)
    if len(rest) > 1:
        return None
    future = INVERSE_FUTURE.fullmatch(name) if not rest else None
    if future is not None:
        return named(venue_symbol, future[1], "USD", future[1], _last_friday(future[2], int(future[3])), is_inferred=True)
    expiry = _eight_utc(rest[0]) if rest else None
    if rest and expiry is None:
        return None
    if name.endswith("PERP") and len(name) > 4 and not rest:
        return named(venue_symbol, name[:-4], "USDC", "USDC", is_inferred=True)
    quote = next((q for q in QUOTES if name.endswith(q) and len(name) > len(q)), "")
    if quote:
        coin = name[: -len(quote)]
        return named(venue_symbol, coin, quote, coin if quote == "USD" else quote, expiry, is_inferred=True)
    return named(venue_symbol, name, "USDC", "USDC", expiry, is_inferred=True) if rest else None


def named(
    venue_symbol: str, coin: str, quote: str, settled: str, expiry: int | None = None, strike: float | None = None,
    option_type: Literal["call", "put"] | None = None, **facts: Any,
) -> Instrument:  # fmt: skip
    """Build a contract. Linear and option sizes are base coins, inverse sizes are dollars, a contract of 1 USD; there is no multiplier."""
    inverse = settled == coin and option_type is None
    made = make(
        NAME, venue_symbol, coin, quote, settlement_asset=settled, expiry=expiry, strike=strike, option_type=option_type,
        size_unit="usd" if inverse else "base", contract_size=1.0 if inverse else None, **facts,
    )  # fmt: skip
    scaled = SCALED_TAIL.fullmatch(coin)  # SHIB1000USDT carries its scale behind the coin
    if scaled is None or made.base_multiplier != 1.0:
        return made
    return msgspec.structs.replace(made, base=scaled[1], base_multiplier=float(scaled[2]))


def _strike(text: str) -> float | None:
    try:
        strike = reading(text)
    except ValueError:
        return None
    return strike if strike is not None and strike > 0 else None


def _eight_utc(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, "%d%b%y").replace(hour=8, tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError:
        return None


def _last_friday(letter: str, year: int) -> int:
    month = DELIVERY_MONTHS.index(letter) + 1
    day = max(week[calendar.FRIDAY] for week in calendar.monthcalendar(2000 + year, month))
    return int(datetime(2000 + year, month, day, 8, tzinfo=UTC).timestamp()) * 1_000_000_000
