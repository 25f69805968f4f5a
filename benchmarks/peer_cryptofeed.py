"""One pass of cryptofeed over Binance messages: its own `message_handler`, an awaited callback, one event loop.

    peers.py runs it:  .peers/bin/python peer_cryptofeed.py FILE     (one message per line; a pass per line of standard input)

The symbols are set by hand, where cryptofeed would ask the venue. Messages are text, as its socket library hands them out.
"""

import asyncio
import time
from importlib import import_module
from importlib.metadata import version
from typing import Any

from peer_passes import serve


def feed() -> tuple[Any, list[int]]:
    """Return a Binance futures feed with one trade callback, and the count of its calls."""
    symbols, exchanges, defines = (import_module(f"cryptofeed.{name}") for name in ("symbols", "exchanges", "defines"))
    symbols.Symbols.set(defines.BINANCE_FUTURES, {"BTC-USDT-PERP": "BTCUSDT"}, {"instrument_type": {}, "tick_size": {}})
    calls = [0]

    async def on_trade(trade: Any, receipt_timestamp: float) -> None:
        calls[0] += 1

    made = exchanges.BinanceFutures(symbols=["BTC-USDT-PERP"], channels=[defines.TRADES], callbacks={defines.TRADES: on_trade})
    return made, calls


def main() -> None:
    made, calls = feed()
    loop = asyncio.new_event_loop()

    async def one_pass(messages: list[str]) -> None:
        handle, now = made.message_handler, time.time()
        for message in messages:
            await handle(message, None, now)

    def run(messages: list[str]) -> int:
        before = calls[0]
        loop.run_until_complete(one_pass(messages))
        return calls[0] - before

    serve("cryptofeed", version("cryptofeed"), run)


if __name__ == "__main__":
    main()
