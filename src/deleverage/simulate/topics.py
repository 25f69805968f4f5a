"""Which topic a recorded frame is of, in the words in which it is subscribed, venue by venue."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

Topics = list[tuple[str, bytes | None]]
"""Topics of one frame, each with another payload to send instead of its own, or None."""
PACE = re.compile(r"@(?:\d+ms|\d+s)$")


def binance_stream(name: str) -> str:
    """Leave the pace out of a stream's name: recorded books came at another one.

    >>> binance_stream("btcusdt@depth@100ms"), binance_stream("!markPrice@arr@1s")
    ('btcusdt@depth', '!markPrice@arr')
    """
    return PACE.sub("", name)


def _binance(frame: Any, route: str) -> Topics:
    data = frame.get("data", frame) if isinstance(frame, dict) else frame
    if not isinstance(data, dict) or "e" not in data:
        return []
    kind, encode = data["e"], msgspec.json.encode
    if kind == "forceOrder":
        return [("!forceOrder@arr", encode(data))]
    name = {"depthUpdate": "depth", "markPriceUpdate": "markPrice"}.get(kind, kind)
    topics: Topics = [(f"{data['s'].lower()}@{name}", encode(data))]
    if kind == "trade" and data.get("X") in (None, "MARKET"):  # the same print as the documented stream has it, one trade each
        merged = {k: data[k] for k in ("E", "s", "p", "q", "T", "m")} | {"e": "aggTrade", "a": data["t"], "f": data["t"], "l": data["t"]}
        topics.append((f"{data['s'].lower()}@aggTrade", encode(merged)))
    return topics


def bybit_topic(name: str) -> str:
    """Leave the depth out of a book's topic: recorded books have another one.

    >>> bybit_topic("orderbook.50.BTCUSDT")
    'orderbook.BTCUSDT'
    """
    return re.sub(r"^orderbook\.\d+", "orderbook", name)


def _bybit(frame: Any, route: str) -> Topics:
    return [(bybit_topic(frame["topic"]), None)] if isinstance(frame, dict) and "topic" in frame else []


def okx_topic(arg: dict[str, str]) -> str:
    """Name what an OKX subscription asks for.

    >>> okx_topic({"channel": "books", "instId": "BTC-USDT-SWAP"})
    'books:BTC-USDT-SWAP'
    """
    return f"{arg.get('channel', '')}:{arg.get('instId') or arg.get('instFamily') or arg.get('instType') or ''}"


def _okx(frame: Any, route: str) -> Topics:
    if not isinstance(frame, dict) or "data" not in frame or "arg" not in frame:
        return []
    topic = okx_topic(frame["arg"])
    topics: Topics = [(topic, None)]
    if topic.startswith("trades:"):  # one print a match on the business socket
        renamed = {**frame, "arg": {**frame["arg"], "channel": "trades-all"}}
        topics.append((topic.replace("trades:", "trades-all:"), msgspec.json.encode(renamed)))
    return topics


def _htx(frame: Any, route: str) -> Topics:
    if not isinstance(frame, dict):
        return []
    if frame.get("op") == "notify":
        topic = str(frame["topic"])
        return [(topic, None), (re.sub(r"^public\.[^.]+\.", "public.*.", topic), None)]
    return [(frame["ch"], None)] if "ch" in frame and "tick" in frame else []


def hyperliquid_topic(kind: str, of: str) -> str:
    """Name what a Hyperliquid subscription asks for."""
    return f"{kind}:{of}"


def _hyperliquid(frame: Any, route: str) -> Topics:
    if not isinstance(frame, dict) or "channel" not in frame:
        return []
    channel, data = frame["channel"], frame.get("data")
    if channel in ("subscriptionResponse", "pong", "error", "post"):
        return []
    if isinstance(data, list):
        return [(hyperliquid_topic(channel, data[0]["coin"]), None)] if data else []
    if isinstance(data, dict) and "coin" in data:
        return [(hyperliquid_topic(channel, data["coin"]), None)]
    if isinstance(data, dict) and "user" in data:
        return [(hyperliquid_topic(channel, data["user"]), None)]
    return [(hyperliquid_topic(channel, ""), None)]


def _deribit(frame: Any, route: str) -> Topics:
    params = frame.get("params") if isinstance(frame, dict) else None
    if not isinstance(params, dict) or "channel" not in params:
        return []
    channel = str(params["channel"])
    topics: Topics = [(channel, None)]
    if channel.startswith("trades.") and not channel.startswith(("trades.future.", "trades.option.")):
        kind = "option" if channel.count("-") > 2 else "future"
        family = f"trades.{kind}.any.100ms"
        topics.append((family, msgspec.json.encode({**frame, "params": {**params, "channel": family}})))
    return topics


TOPICS: dict[str, Callable[[Any, str], Topics]] = {
    "binance": _binance, "bybit": _bybit, "okx": _okx, "htx": _htx, "hyperliquid": _hyperliquid, "deribit": _deribit,
}  # fmt: skip
