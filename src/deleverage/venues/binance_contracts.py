"""Binance's contract names, and which streams to ask for."""

import re
from datetime import UTC, datetime

import msgspec

from deleverage.instruments import Instrument, make
from deleverage.venues.binance_options import NAME
from deleverage.venues.venue import Subscription, Wanted

QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "USD1", "BTC", "ETH", "USD")
DETAIL = (("trades", "@aggTrade"), ("book_depth", "@depth@100ms"))
STREAMS_PER_SOCKET = 200
OPTION_UNITS = {"BTC": 1.0, "ETH": 1.0, "XRP": 100.0, "DOGE": 1000.0}  # coins a contract; of others the listing tells
STRIKE = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)


def infer(venue_symbol: str) -> Instrument | None:
    """Read a contract from its name: BTCUSDT, BTCUSDT_250627, BTCUSD_PERP, BTCUSD_250627, BTC-240927-25000-P."""
    if len(venue_symbol) > 40:
        return None
    if venue_symbol.count("-") == 3:
        return _infer_option(venue_symbol)
    pair, dash, suffix = venue_symbol.partition("_")
    quote = next((q for q in QUOTES if pair.endswith(q) and len(pair) > len(q)), None)
    if quote is None or not pair.isalnum() or (dash and not suffix):
        return None
    expiry = None if suffix in ("", "PERP") else _eight_utc(suffix)
    if suffix not in ("", "PERP") and expiry is None:
        return None
    coin = pair.removesuffix(quote)
    inverse = quote == "USD"  # only COIN-M quotes in plain USD; 100 USD a contract for BTC, 10 USD for every other coin
    return make(
        NAME, venue_symbol, coin, quote, expiry=expiry, size_unit="contracts" if inverse else "base",
        contract_size=(100.0 if coin == "BTC" else 10.0) if inverse else None, is_inferred=True,
    )  # fmt: skip


def _infer_option(venue_symbol: str) -> Instrument | None:
    coin, day, price, kind = venue_symbol.split("-")
    expiry = _eight_utc(day)
    if expiry is None or kind not in ("C", "P") or not coin.isalnum() or not STRIKE.fullmatch(price):
        return None
    return make(
        NAME, venue_symbol, coin, "USDT", expiry=expiry, strike=float(price), option_type="call" if kind == "C" else "put",
        size_unit="contracts", contract_size=OPTION_UNITS.get(coin), is_inferred=True,
    )  # fmt: skip


def _eight_utc(text: str) -> int | None:
    if len(text) != 6 or not text.isascii() or not text.isdigit():
        return None
    try:
        return int(datetime.strptime(text, "%y%m%d").replace(hour=8, tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError:
        return None


def subscribe(wanted: Wanted) -> list[Subscription]:
    """Plan sockets: array streams for everything, per-symbol streams for the bases in detail.

    Every socket that may stay quiet carries one busy control stream, since the failure of a wrong route is silence. The array of
    mark prices holds COIN-M too (30 of 745 rows on 2026-10-07), so it is asked for once; forced orders are asked for on both hosts.
    """
    usdm, coinm = "wss://fstream.binance.com", "wss://dstream.binance.com"
    forced = ["!forceOrder@arr"] if "liquidations" in wanted.kinds else []
    market = [*forced]
    if wanted.kinds & {"mark_prices", "funding_rates"}:
        market.append("!markPrice@arr@1s")
    if wanted.kinds & {"instruments", "margin_tiers"}:
        market.append("!contractInfo")
    detailed = [i for i in wanted.instruments if i.base in wanted.detail and i.kind != "option"]
    kinds = [suffix for kind, suffix in DETAIL if kind in wanted.kinds]
    linear = [f"{i.venue_symbol.lower()}{suffix}" for i in detailed if i.contract_type == "linear" for suffix in kinds]
    inverse = [f"{i.venue_symbol.lower()}{suffix}" for i in detailed if i.contract_type == "inverse" for suffix in kinds]
    return [
        *_sockets(f"{usdm}/market/stream", [*market, *(s for s in linear if "@depth" not in s)], "btcusdt@aggTrade"),
        *_sockets(f"{usdm}/public/stream", [s for s in linear if "@depth" in s], ""),
        *_sockets(f"{coinm}/stream", [*forced, *inverse], "btcusd_perp@aggTrade"),
    ]


def _sockets(url: str, streams: list[str], control: str) -> list[Subscription]:
    """Divide streams among sockets; each carries the control stream, if there is one."""
    unique = [stream for stream in dict.fromkeys(streams) if stream != control]
    room = STREAMS_PER_SOCKET - bool(control)
    parts = [unique[start : start + room] for start in range(0, len(unique), room)]
    if not parts and control in streams:
        parts = [[]]
    frames = [{"method": "SUBSCRIBE", "params": [*part, control] if control else part, "id": 1} for part in parts]
    return [Subscription(url=url, frames=(msgspec.json.encode(frame),)) for frame in frames]
