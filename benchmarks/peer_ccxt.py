"""One pass of ccxt.pro over Binance messages: its socket client's own entrance, JSON decoding (orjson, as installed) included.

    peers.py runs it:  .peers/bin/python peer_ccxt.py FILE     (one message per line; a pass per line of standard input)

The exchange is made offline, with one market set by hand; nobody awaits the trades, which is in its favour.
"""

import asyncio
from importlib import import_module
from importlib.metadata import version
from typing import Any

from peer_passes import serve

URL = "wss://fstream.binance.com/stream"
SYMBOL = "BTC/USDT:USDT"


async def client() -> tuple[Any, Any]:
    """Return ccxt's Binance and its client of one socket, not connected."""
    exchange = import_module("ccxt.pro").binance({"enableRateLimit": False})
    market = {
        "id": "BTCUSDT", "lowercaseId": "btcusdt", "symbol": SYMBOL, "base": "BTC", "quote": "USDT", "settle": "USDT", "baseId": "BTC",
        "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False, "margin": False, "swap": True, "future": False,
        "option": False, "active": True, "contract": True, "linear": True, "inverse": False, "subType": "linear", "contractSize": 1,
        "precision": {"amount": 0.001, "price": 0.1}, "limits": {}, "info": {},
    }  # fmt: skip
    exchange.set_markets([market])
    return exchange, exchange.client(URL)


def main() -> None:
    loop = asyncio.new_event_loop()
    exchange, made = loop.run_until_complete(client())
    seen = [0]
    parse = exchange.parse_ws_trade

    def counted(*given: Any) -> Any:
        seen[0] += 1
        return parse(*given)

    async def one_pass(messages: list[str]) -> None:
        take = made.handle_text_or_binary_message
        for message in messages:
            take(message)

    def run(messages: list[str]) -> int:
        if not seen[0]:  # the first message tells that trades come out; it is not timed twice, and nothing is wrapped afterwards
            exchange.parse_ws_trade = counted
            made.handle_text_or_binary_message(messages[0])
            exchange.parse_ws_trade = parse
            assert exchange.trades[SYMBOL][-1]["symbol"] == SYMBOL
        loop.run_until_complete(one_pass(messages))
        return len(messages) * seen[0]

    serve("ccxt.pro", version("ccxt"), run)
    loop.run_until_complete(exchange.close())


if __name__ == "__main__":
    main()
