"""Documented frames for streams no shippable recording holds, so that every stream of the venue server speaks. Never called recorded.

Prices stand still: these frames prove transport, not markets.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import msgspec

PRICES = {"BTC": 92_000.0, "ETH": 3_100.0, "SOL": 140.0}
USER = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"


class Beat(NamedTuple):
    """A constructed stream: `frame(now_ms)` every `every` seconds."""

    venue: str
    topic: str
    every: float
    frame: Callable[[int], Any]


def beats() -> Iterator[Beat]:
    """Yield every constructed stream."""
    yield Beat("binance", "!markPrice@arr", 1, lambda ms: [_binance_mark(coin, ms) for coin in PRICES])
    for coin, price in PRICES.items():
        yield from _of_coin(coin, price)
    yield Beat("htx", "public.*.funding_rate", 5, lambda ms: _htx_funding(ms, "USDT"))
    yield Beat("htx", "coins public.*.funding_rate", 5, lambda ms: _htx_funding(ms, "USD"))
    yield Beat("hyperliquid", "allMids:", 5, lambda ms: {"channel": "allMids", "data": {"mids": {c: str(p) for c, p in PRICES.items()}}})
    yield Beat("hyperliquid", "allDexsAssetCtxs:", 13.6, lambda ms: {
        "channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [hyperliquid_context(price) for price in PRICES.values()]]]},
    })  # fmt: skip
    for index in ("btc_usd", "eth_usd"):
        channel = f"deribit_volatility_index.{index}"
        yield Beat("deribit", channel, 1, lambda ms, channel=channel, index=index: _deribit(  # type: ignore[misc]  # the default binds the loop's value
            channel, {"timestamp": ms, "volatility": 51.3, "index_name": index}))  # fmt: skip
    yield Beat("deribit", "trades.future.any.100ms", 1, lambda ms: _deribit("trades.future.any.100ms", [deribit_trade(ms, ms)]))


def _of_coin(coin: str, price: float) -> Iterator[Beat]:
    low = coin.lower()
    yield Beat("binance", f"{low}usdt@aggTrade", 0.5, lambda ms: _agg_trade(f"{coin}USDT", price, ms))
    yield Beat("binance", f"{low}usd_perp@aggTrade", 1, lambda ms: _agg_trade(f"{coin}USD_PERP", price, ms))
    numbers = count(1)
    yield Beat("binance", f"{low}usdt@depth", 0.5, lambda ms: {
        "e": "depthUpdate", "E": ms, "T": ms, "s": f"{coin}USDT", "U": (n := next(numbers)), "u": n, "pu": n - 1,
        "b": [[str(price - 1), "1.0"]], "a": [[str(price + 1), "1.0"]],
    })  # fmt: skip
    for name in (f"{coin}USDT", f"{coin}USD"):
        yield Beat("bybit", f"tickers.{name}", 0.5, lambda ms, name=name: _bybit_ticker(name, price, ms))  # type: ignore[misc]  # the default binds the loop's value
        yield Beat("bybit", f"publicTrade.{name}", 1, lambda ms, name=name: {  # type: ignore[misc]  # the default binds the loop's value
            "topic": f"publicTrade.{name}", "type": "snapshot", "ts": ms,
            "data": [{"T": ms, "s": name, "S": "Buy", "v": "0.1", "p": str(price), "L": "PlusTick", "i": f"constructed-{ms}", "BT": False}],
        })  # fmt: skip
    for name, kind in ((f"{coin}-USDT-SWAP", "SWAP"), (f"{coin}-USD-SWAP", "SWAP")):
        yield Beat("okx", f"mark-price:{name}", 1, lambda ms, name=name, kind=kind: _okx("mark-price", name, {  # type: ignore[misc]  # the default binds the loop's value
            "instType": kind, "instId": name, "markPx": str(price), "ts": str(ms)}))  # fmt: skip
        yield Beat("okx", f"open-interest:{name}", 3, lambda ms, name=name, kind=kind: _okx("open-interest", name, {  # type: ignore[misc]  # the default binds the loop's value
            "instType": kind, "instId": name, "oi": "2216113", "oiCcy": "22161.13", "ts": str(ms)}))  # fmt: skip
        yield Beat("okx", f"trades-all:{name}", 1, lambda ms, name=name: _okx("trades-all", name, {  # type: ignore[misc]  # the default binds the loop's value
            "instId": name, "tradeId": str(ms), "px": str(price), "sz": "1", "side": "buy", "ts": str(ms)}))  # fmt: skip
    for name in (f"{coin}-USDT", f"{coin}-USD"):
        yield Beat("okx", f"index-tickers:{name}", 2, lambda ms, name=name: _okx("index-tickers", name, {  # type: ignore[misc]  # the default binds the loop's value
            "instId": name, "idxPx": str(price), "ts": str(ms)}))  # fmt: skip
        yield Beat("htx", f"market.{name}.trade.detail", 2, lambda ms, name=name: {  # type: ignore[misc]  # the default binds the loop's value
            "ch": f"market.{name}.trade.detail", "ts": ms, "tick": {"id": ms, "ts": ms, "data": [
                {"amount": 2, "quantity": 0.002, "trade_turnover": 184, "ts": ms, "id": ms, "price": price, "direction": "buy"}]},
        })  # fmt: skip
    yield Beat("hyperliquid", f"trades:{coin}", 1, lambda ms: {"channel": "trades", "data": [
        {"coin": coin, "side": "B", "px": str(price), "sz": "0.01", "time": ms, "hash": "0x00", "tid": ms,
         "users": ["0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222"]}]})  # fmt: skip
    yield Beat("hyperliquid", f"activeAssetCtx:{coin}", 1, lambda ms: {
        "channel": "activeAssetCtx", "data": {"coin": coin, "ctx": hyperliquid_context(price)}})  # fmt: skip
    yield Beat("hyperliquid", f"bbo:{coin}", 0.5, lambda ms: {"channel": "bbo", "data": {"coin": coin, "time": ms, "bbo": [
        {"px": str(price - 1), "sz": "1.0", "n": 1}, {"px": str(price + 1), "sz": "1.0", "n": 1}]}})  # fmt: skip
    yield Beat("hyperliquid", f"l2Book:{coin}", 0.5, lambda ms: {"channel": "l2Book", "data": {"coin": coin, "time": ms, "levels": [
        [{"px": str(price - 1), "sz": "1.0", "n": 1}], [{"px": str(price + 1), "sz": "1.0", "n": 1}]]}})  # fmt: skip
    channel = f"ticker.{coin}-PERPETUAL.100ms"
    yield Beat("deribit", channel, 0.5, lambda ms: _deribit(channel, deribit_ticker(f"{coin}-PERPETUAL", price, ms)))


def _binance_mark(coin: str, ms: int) -> dict[str, Any]:
    price = f"{PRICES[coin]:.2f}"
    return {"e": "markPriceUpdate", "E": ms, "s": f"{coin}USDT", "p": price, "ap": price, "P": price, "i": price, "r": "0.00008900",
            "T": ms // 28_800_000 * 28_800_000 + 28_800_000, "st": 1}  # fmt: skip


def _agg_trade(name: str, price: float, ms: int) -> dict[str, Any]:
    return {"e": "aggTrade", "E": ms, "s": name, "a": ms, "p": str(price), "q": "0.010", "f": ms, "l": ms, "T": ms, "m": False}


def _bybit_ticker(name: str, price: float, ms: int) -> dict[str, Any]:
    return {
        "topic": f"tickers.{name}", "type": "snapshot", "ts": ms, "cs": ms, "data": {
            "symbol": name, "lastPrice": str(price), "markPrice": str(price), "indexPrice": str(price), "openInterest": "63910.691",
            "openInterestValue": "5879783572", "singleOpenInterest": "31955.346", "singleOpenInterestValue": "2939891832",
            "fundingRate": "0.0001", "nextFundingTime": str(ms // 28_800_000 * 28_800_000 + 28_800_000), "fundingIntervalHour": "8",
            "bid1Price": str(price - 0.5), "bid1Size": "1", "ask1Price": str(price + 0.5), "ask1Size": "1"},
    }  # fmt: skip


def _okx(channel: str, name: str, row: dict[str, str]) -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": name}, "data": [row]}


def _htx_funding(ms: int, quote: str) -> dict[str, Any]:
    rows = [
        {"symbol": coin, "contract_code": f"{coin}-{quote}", "fee_asset": quote, "funding_time": str(ms), "funding_rate": "0.000064",
         "estimated_rate": None, "settlement_time": str(ms // 28_800_000 * 28_800_000 + 28_800_000)}
        for coin in PRICES
    ]  # fmt: skip
    return {"op": "notify", "topic": "public.*.funding_rate", "ts": ms, "data": rows}


def hyperliquid_context(price: float) -> dict[str, Any]:
    """Build the context of one coin."""
    return {
        "funding": "0.0000125", "openInterest": "23106.72", "prevDayPx": str(price), "dayNtlVlm": "1000000.0", "premium": "0.0001",
        "oraclePx": str(price), "markPx": str(price), "midPx": str(price), "impactPxs": [str(price), str(price)], "dayBaseVlm": "10.0",
    }  # fmt: skip


def deribit_trade(ms: int, number: int) -> dict[str, Any]:
    """Build one print of the bitcoin perpetual."""
    return {
        "timestamp": ms, "price": PRICES["BTC"], "amount": 10.0, "direction": "sell", "index_price": PRICES["BTC"], "contracts": 1.0,
        "instrument_name": "BTC-PERPETUAL", "trade_seq": number, "mark_price": PRICES["BTC"], "tick_direction": 2, "trade_id": str(number),
    }  # fmt: skip


def deribit_ticker(name: str, price: float, ms: int) -> dict[str, Any]:
    """Build the ticker of a perpetual."""
    return {
        "timestamp": ms, "state": "open", "instrument_name": name, "index_price": price, "last_price": price, "settlement_price": price,
        "open_interest": 1132329370.0, "mark_price": price, "best_ask_price": price + 0.5, "best_bid_price": price - 0.5,
        "best_ask_amount": 10.0, "best_bid_amount": 20.0, "current_funding": 0.0, "funding_8h": 1.742e-05,
        "stats": {"high": price, "low": price, "price_change": 0.0, "volume": 10.0, "volume_usd": 900000.0},
    }  # fmt: skip


def _deribit(channel: str, data: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}


def fills(first: int, number: int, ms: int) -> bytes:
    """Return one frame of `number` liquidation fills of a watched Hyperliquid account, numbered from `first`: 0.1 BTC each."""
    rows = [
        {"coin": "BTC", "px": "92000.0", "sz": "0.1", "side": "A", "time": ms, "startPosition": "10.0", "dir": "Close Long",
         "closedPnl": "-1.0", "hash": "0x00", "oid": n, "crossed": True, "fee": "0.0", "tid": n, "feeToken": "USDC",
         "liquidation": {"liquidatedUser": USER, "markPx": "92000.0", "method": "market"}}
        for n in range(first, first + number)
    ]  # fmt: skip
    return msgspec.json.encode({"channel": "userFills", "data": {"user": USER, "fills": rows}})
