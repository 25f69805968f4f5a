"""The day in each venue's own words: one function per venue and kind of message, native JSON out.

What venues send beyond this (every trade, every change of a book) is not made up. Times are the venue's, ms UTC where it speaks of ms.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from deleverage.simulate.reconstruction.facts import COINS, HOUR, SECOND, START
from deleverage.simulate.reconstruction.quotes import DIGITS, TICK, Book, Candle
from deleverage.simulate.reconstruction.world import World

MS = 1_000_000
Spoken = tuple[str, Any]
"""An address, and the message (encoded to JSON later)."""
Order = Mapping[str, Any]
EIGHT = 8 * HOUR
OKX_SIZE = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "HYPE": 0.1, "DOGE": 1000.0, "XRP": 100.0, "SUI": 1.0}
HTX_SIZE = {"BTC": 0.001, "ETH": 0.01, "SOL": 1.0, "HYPE": 1.0, "DOGE": 100.0, "XRP": 10.0, "SUI": 1.0}
BINANCE, BYBIT, OKX = "https://fapi.binance.com", "https://api.bybit.com/v5/market", "https://www.okx.com/api/v5"
HTX, DERIBIT = "https://api.hbdm.com/linear-swap-api/v1", "https://www.deribit.com/api/v2/public"
BINANCE_SOCKET, BINANCE_BOOKS = "wss://fstream.binance.com/market/stream", "wss://fstream.binance.com/public/stream"
BYBIT_SOCKET, OKX_SOCKET = "wss://stream.bybit.com/v5/public/linear", "wss://ws.okx.com:8443/ws/v5/public"
HTX_SOCKET, HTX_NOTICES = "wss://api.hbdm.com/linear-swap-ws", "wss://api.hbdm.com/linear-swap-notification"
HYPERLIQUID_SOCKET, DERIBIT_SOCKET = "wss://api.hyperliquid.xyz/ws", "wss://www.deribit.com/ws/api/v2"
LISTED_MS = 1_600_000_000_000


def text(price: float, coin: str) -> str:
    """Write a price with the contract's digits."""
    return f"{price:.{DIGITS[coin]}f}"


def size(coins: float) -> str:
    """Write a size without a float's tail."""
    return f"{coins:.6f}".rstrip("0").rstrip(".")


def next_funding(ts: int, hours: int = 8) -> int:
    """The next settlement after an instant, ms UTC."""
    return (ts // (hours * HOUR) + 1) * hours * HOUR // MS


def rate(world: World, contract: tuple[str, str], ts: int) -> float:
    """The rate that will be settled next (recorded: what it came to), else the last known."""
    known = world.funding[contract]
    coming = [r for at, r in known if at > ts]
    return coming[0] if coming else known[-1][1] if known else 0.0001


def deribit_push(channel: str, data: Any) -> Spoken:
    """Wrap a notification."""
    return DERIBIT_SOCKET, {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}


def deribit_answer(question: str, result: Any, ts: int) -> Spoken:
    """Wrap an answer."""
    micros = ts // 1000
    return f"{DERIBIT}/{question}", {
        "jsonrpc": "2.0",
        "result": result,
        "usIn": micros - 900,
        "usOut": micros,
        "usDiff": 900,
        "testnet": False,
    }


# --- listings ---------------------------------------------------------------------------------------------------------


def listings() -> Iterator[tuple[str, Spoken]]:
    """Yield every venue's list of contracts, (venue, answer)."""
    yield "binance", (f"{BINANCE}/fapi/v1/exchangeInfo", {"timezone": "UTC", "serverTime": START // MS, "symbols": [
        {"symbol": f"{c}USDT", "pair": f"{c}USDT", "contractType": "PERPETUAL", "deliveryDate": 4133404800000, "status": "TRADING",
         "baseAsset": c, "quoteAsset": "USDT", "marginAsset": "USDT", "underlyingType": "COIN",
         "filters": [{"filterType": "PRICE_FILTER", "tickSize": f"{TICK[c]:.6g}"}]} for c in COINS]})  # fmt: skip
    yield "bybit", (f"{BYBIT}/instruments-info?category=linear&limit=1000", {"retCode": 0, "retMsg": "OK", "result": {
        "category": "linear", "nextPageCursor": "", "list": [
            {"symbol": f"{c}USDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": c, "quoteCoin": "USDT",
             "launchTime": str(LISTED_MS), "deliveryTime": "0", "priceScale": str(DIGITS[c]),
             "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
             "priceFilter": {"tickSize": f"{TICK[c]:.6g}"}, "lotSizeFilter": {"qtyStep": "0.001"}, "fundingInterval": 480,
             "settleCoin": "USDT"} for c in COINS]}, "retExtInfo": {}, "time": START // MS})  # fmt: skip
    yield "okx", (f"{OKX}/public/instruments?instType=SWAP", {"code": "0", "msg": "", "data": [
        {"alias": "", "baseCcy": "", "category": "1", "ctMult": "1", "ctType": "linear", "ctVal": size(OKX_SIZE[c]), "ctValCcy": c,
         "expTime": "", "instId": f"{c}-USDT-SWAP", "instFamily": f"{c}-USDT", "instType": "SWAP", "lever": "100", "listTime": str(LISTED_MS),
         "lotSz": "0.01", "minSz": "0.01", "optType": "", "quoteCcy": "", "settleCcy": "USDT", "state": "live", "stk": "",
         "tickSz": f"{TICK[c]:.6g}", "uly": f"{c}-USDT"} for c in COINS]})  # fmt: skip
    yield "htx", (f"{HTX}/swap_contract_info?business_type=all", {"status": "ok", "ts": START // MS, "data": [
        {"symbol": c, "contract_code": f"{c}-USDT", "contract_size": HTX_SIZE[c], "price_tick": TICK[c], "delivery_date": "",
         "delivery_time": "", "create_date": "20201021", "contract_status": 1, "settlement_date": str(START // MS),
         "support_margin_mode": "all", "business_type": "swap", "pair": f"{c}-USDT", "contract_type": "swap",
         "settlement_period": "8"} for c in COINS]})  # fmt: skip
    yield "hyperliquid", ("https://api.hyperliquid.xyz/info?type=allPerpMetas", [
        {"collateralToken": 0, "marginTables": [], "universe": [{"maxLeverage": 40 if c == "BTC" else 20, "name": c, "szDecimals": 5}
                                                                for c in COINS]}])  # fmt: skip
    yield "deribit", deribit_answer("get_instruments?currency=any&kind=future&expired=false", [
        {"tick_size": 0.5 if c == "BTC" else 0.05, "taker_commission": 0.0005, "settlement_period": "perpetual", "quote_currency": "USD",
         "settlement_currency": c, "instrument_type": "reversed", "min_trade_amount": 10.0 if c == "BTC" else 1.0,
         "max_liquidation_commission": 0.005, "max_leverage": 50, "maker_commission": 0.0, "kind": "future", "is_active": True,
         "instrument_name": f"{c}-PERPETUAL", "expiration_timestamp": 32503708800000, "creation_timestamp": 1534242287000,
         "contract_size": 10.0 if c == "BTC" else 1.0, "base_currency": c, "counter_currency": "USD"} for c in ("BTC", "ETH")] + [
        {"tick_size": 0.01, "taker_commission": 0.0005, "settlement_period": "perpetual", "quote_currency": "USDC",
         "settlement_currency": "USDC", "instrument_type": "linear", "min_trade_amount": 0.1, "max_liquidation_commission": 0.0075,
         "max_leverage": 50, "maker_commission": 0.0, "kind": "future", "is_active": True, "instrument_name": "SOL_USDC-PERPETUAL",
         "expiration_timestamp": 32503708800000, "creation_timestamp": 1534242287000, "contract_size": 0.1, "base_currency": "SOL",
         "counter_currency": "USDC"}], START)  # fmt: skip


# --- forced orders ----------------------------------------------------------------------------------------------------


def binance_forced(order: Order) -> Spoken:
    """One forceOrder push."""
    coin, ms, q = order["coin"], order["ts"] // MS, size(order["size"])
    return BINANCE_SOCKET, {"stream": "!forceOrder@arr", "data": {"e": "forceOrder", "E": ms + 6, "o": {
        "s": f"{coin}USDT", "S": "SELL" if order["is_long"] else "BUY", "o": "LIMIT", "f": "IOC", "q": q,
        "p": text(order["bankruptcy"], coin), "ap": f"{order['fill']:.8f}", "X": "FILLED", "l": q, "z": q, "T": ms}}}  # fmt: skip


def bybit_forced(coin: str, push_ms: int, orders: Iterable[Order]) -> Spoken:
    """One allLiquidation push: what came within half a second."""
    return BYBIT_SOCKET, {"topic": f"allLiquidation.{coin}USDT", "type": "snapshot", "ts": push_ms, "data": [
        {"T": o["ts"] // MS, "s": f"{coin}USDT", "S": "Buy" if o["is_long"] else "Sell", "v": size(o["size"]),
         "p": f"{o['bankruptcy']:.8g}"} for o in orders]}  # fmt: skip


def okx_forced(order: Order) -> Spoken:
    """One liquidation-orders push."""
    coin = order["coin"]
    detail = {"bkLoss": "0", "bkPx": f"{order['bankruptcy']:.8g}", "ccy": "", "posSide": "long" if order["is_long"] else "short",
              "side": "sell" if order["is_long"] else "buy", "sz": size(order["size"] / OKX_SIZE[coin]), "ts": str(order["ts"] // MS)}  # fmt: skip
    return OKX_SOCKET, {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [
        {"details": [detail], "instFamily": f"{coin}-USDT", "instId": f"{coin}-USDT-SWAP", "instType": "SWAP", "uly": f"{coin}-USDT"}]}  # fmt: skip


def htx_forced(order: Order) -> Spoken:
    """One liquidation_orders push."""
    coin, ms, price = order["coin"], order["ts"] // MS, round(order["bankruptcy"], 8)
    return HTX_NOTICES, {"op": "notify", "topic": "public.*.liquidation_orders", "ts": ms + 5, "data": [
        {"symbol": coin, "contract_code": f"{coin}-USDT", "direction": "sell" if order["is_long"] else "buy", "offset": "close",
         "volume": round(order["size"] / HTX_SIZE[coin], 6), "price": price, "created_at": ms, "amount": order["size"],
         "trade_turnover": round(price * order["size"], 8), "contract_type": "swap", "pair": f"{coin}-USDT", "business_type": "swap"}]}  # fmt: skip


def hyperliquid_fills(order: Order, number: int) -> list[list[Any]]:
    """Both fills of one forced order, as a node writes them: the account's own and its counterparty's."""
    ms, coin = order["ts"] // MS, order["coin"]
    account = f"0x{order['account'] + 1:039x}{COINS.index(coin)}"
    common = {"coin": coin, "px": f"{order['fill']:.8g}", "sz": size(order["size"]), "time": ms, "hash": f"0x{number:064x}", "tid": number,
              "liquidation": {"liquidatedUser": account, "markPx": f"{order['mark']:.8g}", "method": "market"}, "feeToken": "USDC", "fee": "0.0"}  # fmt: skip
    own = {**common, "side": "A" if order["is_long"] else "B", "dir": "Close Long" if order["is_long"] else "Close Short", "crossed": True,
           "startPosition": ("" if order["is_long"] else "-") + size(order["size"]), "closedPnl": "0.0", "oid": 2 * number}  # fmt: skip
    other = {**common, "side": "B" if order["is_long"] else "A", "dir": "Open Long" if order["is_long"] else "Open Short", "crossed": False,
             "startPosition": "0.0", "closedPnl": "0.0", "oid": 2 * number + 1}  # fmt: skip
    return [[account, own], ["0x" + "f" * 40, other]]


def hyperliquid_block(ms: int, number: int, fills: list[list[Any]]) -> Spoken:
    """One line of a node: the fills of a block."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    block, local = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3], datetime.fromtimestamp((ms + 180) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return "node_fills_by_block", {"local_time": local, "block_time": block, "block_number": number, "events": fills}


def deribit_name(coin: str) -> str:
    """Spell the perpetual."""
    return f"{coin}_USDC-PERPETUAL" if coin == "SOL" else f"{coin}-PERPETUAL"


def deribit_forced(order: Order, number: int, index: float) -> Spoken:
    """One trade print of a forced taker."""
    coin = order["coin"]
    if coin == "SOL":
        amount, contracts = order["size"], round(order["size"] / 0.1, 6)
    else:
        step = 10.0 if coin == "BTC" else 1.0
        contracts = float(max(round(order["size"] * order["fill"] / step), 1))
        amount = contracts * step
    return deribit_push("trades.future.any.100ms", [
        {"timestamp": order["ts"] // MS, "price": round(order["fill"], 4), "amount": amount, "direction": "sell" if order["is_long"] else "buy",
         "index_price": round(index, 4), "instrument_name": deribit_name(coin), "trade_seq": number, "mark_price": round(order["mark"], 4),
         "tick_direction": 2, "contracts": contracts, "trade_id": str(number), "liquidation": "T"}])  # fmt: skip


# --- marks, funding, open interest -----------------------------------------------------------------------------------


def marks(world: World, venue: str, ts: int) -> Iterator[Spoken]:
    """What a venue says of its contracts' marks (with funding and open interest where it says them in one breath) at an instant."""
    ms = ts // MS
    minute = (ts - START) // (60 * SECOND)
    own = [coin for name, coin in world.contracts if name == venue]
    mark = {c: world.mark((venue, c), ts) for c in own}
    interest = {c: float(world.ledgers[venue, c].open_interest[minute]) for c in own}
    if venue == "binance":
        yield BINANCE_SOCKET, {"stream": "!markPrice@arr@1s", "data": [
            {"e": "markPriceUpdate", "E": ms, "s": f"{c}USDT", "p": f"{mark[c]:.8f}", "ap": f"{mark[c]:.8f}", "P": f"{mark[c]:.8f}",
             "i": f"{world.index_price(c, ts):.8f}", "r": f"{rate(world, (venue, c), ts):.8f}", "T": next_funding(ts), "st": 1} for c in own]}  # fmt: skip
    elif venue == "bybit":
        for c in own:
            price = world.price((venue, c), ts)
            yield BYBIT_SOCKET, {"topic": f"tickers.{c}USDT", "type": "snapshot", "cs": ms, "ts": ms, "data": {
                "symbol": f"{c}USDT", "lastPrice": text(price, c), "markPrice": f"{mark[c]:.6f}", "indexPrice": f"{world.index_price(c, ts):.6f}",
                "openInterest": size(2 * interest[c]), "openInterestValue": f"{2 * interest[c] * mark[c]:.2f}",
                "singleOpenInterest": size(interest[c]), "singleOpenInterestValue": f"{interest[c] * mark[c]:.2f}",
                "fundingRate": f"{rate(world, (venue, c), ts):.8f}", "nextFundingTime": str(next_funding(ts)), "fundingIntervalHour": "8",
                "fundingCap": "0.005", "bid1Price": text(price, c), "bid1Size": "1", "ask1Price": text(price + TICK[c], c), "ask1Size": "1"}}  # fmt: skip
    elif venue == "okx":
        for c in own:
            name = f"{c}-USDT-SWAP"
            yield OKX_SOCKET, {"arg": {"channel": "mark-price", "instId": name},
                               "data": [{"instType": "SWAP", "instId": name, "markPx": f"{mark[c]:.6f}", "ts": str(ms)}]}  # fmt: skip
    elif venue == "htx":
        yield f"{HTX}/swap_index", {"status": "ok", "ts": ms, "data": [
            {"index_price": round(world.index_price(c, ts), 6), "index_ts": ms, "contract_code": f"{c}-USDT", "trade_partition": "USDT"} for c in own]}  # fmt: skip
    elif venue == "hyperliquid":
        for c in own:
            yield HYPERLIQUID_SOCKET, {"channel": "activeAssetCtx", "data": {"coin": c, "ctx": {
                "funding": f"{rate(world, (venue, c), ts):.10f}", "openInterest": size(interest[c]), "prevDayPx": f"{mark[c]:.6g}",
                "dayNtlVlm": "0.0", "premium": f"{mark[c] / world.index_price(c, ts) - 1:.8f}", "oraclePx": f"{world.index_price(c, ts):.8g}",
                "markPx": f"{mark[c]:.8g}", "midPx": f"{mark[c]:.8g}", "impactPxs": [f"{mark[c]:.8g}"] * 2, "dayBaseVlm": "0.0"}}}  # fmt: skip
    else:
        for c in own:
            yield deribit_push(f"ticker.{deribit_name(c)}.100ms", {
                "timestamp": ms, "state": "open", "instrument_name": deribit_name(c), "index_price": round(world.index_price(c, ts), 4),
                "last_price": round(world.price((venue, c), ts), 4), "settlement_price": round(mark[c], 4),
                "open_interest": round(interest[c] * (1 if c == "SOL" else mark[c]), 1), "mark_price": round(mark[c], 4),
                "best_ask_price": round(mark[c] * 1.00002, 4), "best_bid_price": round(mark[c] * 0.99998, 4), "best_ask_amount": 10.0,
                "best_bid_amount": 10.0, "current_funding": 0.0, "funding_8h": rate(world, (venue, c), ts),
                "stats": {"high": 0.0, "low": 0.0, "price_change": 0.0, "volume": 0.0, "volume_usd": 0.0}})  # fmt: skip


def minutely(world: World, venue: str, ts: int) -> Iterator[Spoken]:
    """Open interest and funding where a venue tells them apart from its marks."""
    ms = ts // MS
    minute = (ts - START) // (60 * SECOND)
    own = [coin for name, coin in world.contracts if name == venue]
    for c in own:
        held = float(world.ledgers[venue, c].open_interest[minute])
        if venue == "binance":
            yield f"{BINANCE}/fapi/v1/openInterest?symbol={c}USDT", {"openInterest": size(held), "symbol": f"{c}USDT", "time": ms}
        elif venue == "okx":
            name = f"{c}-USDT-SWAP"
            coming = next_funding(ts)
            yield OKX_SOCKET, {"arg": {"channel": "funding-rate", "instId": name}, "data": [
                {"formulaType": "noRate", "fundingRate": f"{rate(world, (venue, c), ts):.10f}", "fundingTime": str(coming), "instId": name,
                 "instType": "SWAP", "maxFundingRate": "0.00375", "method": "current_period", "minFundingRate": "-0.00375",
                 "nextFundingRate": "", "nextFundingTime": str(coming + EIGHT // MS), "premium": "0", "settFundingRate": "",
                 "settState": "processing", "ts": str(ms)}]}  # fmt: skip
    if venue == "okx":
        yield f"{OKX}/public/open-interest?instType=SWAP", {"code": "0", "msg": "", "data": [
            {"instType": "SWAP", "instId": f"{c}-USDT-SWAP", "oi": size(float(world.ledgers[venue, c].open_interest[minute]) / OKX_SIZE[c]),
             "oiCcy": size(float(world.ledgers[venue, c].open_interest[minute])), "ts": str(ms)} for c in own]}  # fmt: skip
    elif venue == "htx":
        held_by = {c: float(world.ledgers[venue, c].open_interest[minute]) for c in own}
        yield f"{HTX}/swap_open_interest?business_type=all", {"status": "ok", "ts": ms, "data": [
            {"volume": round(held_by[c] / HTX_SIZE[c], 3), "amount": round(held_by[c], 4), "symbol": c,
             "value": round(held_by[c] * world.mark((venue, c), ts), 4), "contract_code": f"{c}-USDT", "business_type": "swap",
             "pair": f"{c}-USDT", "contract_type": "swap"} for c in own]}  # fmt: skip
        yield f"{HTX}/swap_batch_funding_rate", {"status": "ok", "ts": ms, "data": [
            {"funding_rate": f"{rate(world, (venue, c), ts):.10f}", "contract_code": f"{c}-USDT", "symbol": c, "fee_asset": "USDT",
             "funding_time": str(next_funding(ts))} for c in own]}  # fmt: skip


def settled(venue: str, coin: str, history: list[tuple[int, float]], ts: int) -> Spoken | None:
    """The settled funding of one contract up to an instant."""
    past = [(at, r) for at, r in history if at <= ts]
    if venue == "binance":
        return f"{BINANCE}/fapi/v1/fundingRate?symbol={coin}USDT&limit=1000", [
            {"symbol": f"{coin}USDT", "fundingTime": at // MS, "fundingRate": f"{r:.8f}", "markPrice": ""} for at, r in past]  # fmt: skip
    if venue == "bybit":
        rows = [{"symbol": f"{coin}USDT", "fundingRate": f"{r:.8f}", "fundingRateTimestamp": str(at // MS)} for at, r in reversed(past)]
        return f"{BYBIT}/funding/history?category=linear&symbol={coin}USDT&limit=200", {
            "retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows}, "retExtInfo": {}, "time": ts // MS}  # fmt: skip
    if venue == "hyperliquid":
        return "https://api.hyperliquid.xyz/info?type=fundingHistory", [
            {"coin": coin, "fundingRate": f"{r:.10f}", "premium": "0.0", "time": at // MS} for at, r in past]  # fmt: skip
    return None


# --- candles, books, ratios -------------------------------------------------------------------------------------------


def candle(venue: str, coin: str, c: Candle, ts: int) -> Spoken:
    """A finished minute."""
    ms, o, h, low, close = c.start // MS, *(text(p, coin) for p in (c.open, c.high, c.low, c.close))
    turnover = c.quantity * (c.open + c.close) / 2
    row: list[Any]
    if venue == "binance":
        row = [
            ms,
            o,
            h,
            low,
            close,
            size(c.quantity),
            ms + 59_999,
            f"{turnover:.4f}",
            0,
            size(c.taker_buy),
            f"{c.taker_buy * c.close:.4f}",
            "0",
        ]
        return f"{BINANCE}/fapi/v1/klines?symbol={coin}USDT&interval=1m&limit=1", [row]
    if venue == "bybit":
        return BYBIT_SOCKET, {"topic": f"kline.1.{coin}USDT", "type": "snapshot", "ts": ts // MS, "data": [
            {"start": ms, "end": ms + 59_999, "interval": "1", "open": o, "close": close, "high": h, "low": low, "volume": size(c.quantity),
             "turnover": f"{turnover:.4f}", "confirm": True, "timestamp": ts // MS}]}  # fmt: skip
    if venue == "okx":
        row = [str(ms), o, h, low, close, size(c.quantity / OKX_SIZE[coin]), size(c.quantity), f"{turnover:.4f}", "1"]
        return f"{OKX}/market/history-candles?instId={coin}-USDT-SWAP&bar=1m&limit=1", {"code": "0", "msg": "", "data": [row]}
    if venue == "htx":
        return HTX_SOCKET, {"ch": f"market.{coin}-USDT.kline.1min", "ts": ts // MS, "tick": {
            "id": ms // 1000, "mrid": 1, "open": c.open, "close": c.close, "high": c.high, "low": c.low, "amount": 2 * c.quantity,
            "vol": round(2 * c.quantity / HTX_SIZE[coin], 3), "trade_turnover": round(2 * turnover, 4), "count": 1}}  # fmt: skip
    if venue == "hyperliquid":
        return "https://api.hyperliquid.xyz/info?type=candleSnapshot", [
            {"t": ms, "T": ms + 59_999, "s": coin, "i": "1m", "o": o, "c": close, "h": h, "l": low, "v": size(c.quantity), "n": 1}]  # fmt: skip
    return deribit_answer(
        f"get_tradingview_chart_data?instrument_name={deribit_name(coin)}&start_timestamp={ms}&end_timestamp={ms}&resolution=1",
        {"status": "ok", "ticks": [ms], "open": [c.open], "high": [c.high], "low": [c.low], "close": [c.close], "volume": [c.quantity],
         "cost": [round(turnover, 2)]}, ts)  # fmt: skip


def depth(venue: str, coin: str, book: Book, ts: int, number: int) -> Spoken:
    """A whole book; sizes in the venue's unit."""
    ms = ts // MS
    if venue == "binance":
        return f"{BINANCE}/fapi/v1/depth?symbol={coin}USDT&limit=1000", {
            "lastUpdateId": number, "E": ms, "T": ms, "bids": _levels(book.bids, coin), "asks": _levels(book.asks, coin)}  # fmt: skip
    if venue == "bybit":
        return BYBIT_SOCKET, {"topic": f"orderbook.200.{coin}USDT", "type": "snapshot", "ts": ms, "data": {
            "s": f"{coin}USDT", "b": _levels(book.bids, coin), "a": _levels(book.asks, coin), "u": number, "seq": number}}  # fmt: skip
    if venue == "okx":
        sides: list[Any] = [[[text(p, coin), size(q / OKX_SIZE[coin]), "0", "1"] for p, q in side] for side in book]
        return OKX_SOCKET, {"arg": {"channel": "books", "instId": f"{coin}-USDT-SWAP"}, "action": "snapshot", "data": [
            {"asks": sides[1], "bids": sides[0], "ts": str(ms), "checksum": 0, "prevSeqId": -1, "seqId": number}]}  # fmt: skip
    if venue == "htx":
        sides = [[[p, max(round(q / HTX_SIZE[coin]), 1)] for p, q in side] for side in book]
        return HTX_SOCKET, {"ch": f"market.{coin}-USDT.depth.step0", "ts": ms, "tick": {
            "mrid": number, "id": ms // 1000, "bids": sides[0], "asks": sides[1], "ts": ms, "version": number, "ch": f"market.{coin}-USDT.depth.step0"}}  # fmt: skip
    if venue == "hyperliquid":
        sides = [[{"px": text(p, coin), "sz": size(q), "n": 1} for p, q in side[:20]] for side in book]
        return HYPERLIQUID_SOCKET, {"channel": "l2Book", "data": {"coin": coin, "time": ms, "levels": sides}}
    sides = [[["new", p, round(q if coin == "SOL" else max(round(p * q / 10), 1) * 10.0, 1)] for p, q in side] for side in book]
    return deribit_push(f"book.{deribit_name(coin)}.100ms", {
        "type": "snapshot", "timestamp": ms, "instrument_name": deribit_name(coin), "change_id": number, "bids": sides[0], "asks": sides[1]})  # fmt: skip


def _levels(side: list[tuple[float, float]], coin: str) -> list[list[str]]:
    return [[text(p, coin), size(q)] for p, q in side]


def accounts(venue: str, coin: str, long_share: float, ts: int) -> Spoken | None:
    """How accounts split, where a venue tells it."""
    ms, long = ts // MS, round(long_share, 4)
    row: Any
    if venue == "binance":
        return f"{BINANCE}/futures/data/globalLongShortAccountRatio?symbol={coin}USDT&period=5m&limit=1", [
            {"symbol": f"{coin}USDT", "longShortRatio": f"{long / (1 - long):.4f}", "longAccount": f"{long:.4f}", "shortAccount": f"{1 - long:.4f}",
             "timestamp": str(ms)}]  # fmt: skip
    if venue == "bybit":
        row = {"symbol": f"{coin}USDT", "buyRatio": f"{long:.4f}", "sellRatio": f"{1 - long:.4f}", "timestamp": str(ms)}
        return f"{BYBIT}/account-ratio?category=linear&symbol={coin}USDT&period=5min&limit=1", {
            "retCode": 0, "retMsg": "OK", "result": {"list": [row]}, "retExtInfo": {}, "time": ms}  # fmt: skip
    if venue == "okx":
        return f"{OKX}/rubik/stat/contracts/long-short-account-ratio-contract?instId={coin}-USDT-SWAP&period=5m&limit=1", {
            "code": "0", "msg": "", "data": [[str(ms), f"{long / (1 - long):.4f}"]]}  # fmt: skip
    return None
