"""How each venue speaks over its sockets: what it answers, and what a subscription makes it send.

A dialect takes a client's text and returns the texts to send back; what was subscribed is kept in `topics`, topic → the
client's own name for it. After the venues' documentation; the specification of venues has the sources.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from deleverage.simulate.topics import binance_stream, bybit_topic, hyperliquid_topic, okx_topic

PUBLIC = ("depth", "bookTicker", "rpiDepth", "trade")
"""Streams of Binance's public route; everything else is on the market route."""


class Dialect:
    """The venue's side of one socket. `closes` says why the server has to close it, once it has to."""

    pings_every = 0.0
    quiet_limit = 0.0
    binary = False

    def __init__(self, host: str, path: str, query: Mapping[str, str]) -> None:
        self.host, self.path, self.query = host, path, query
        self.topics: dict[str, str] = {}
        self.closes = ""
        self.aborts = False
        self.refuses = False

    def hear(self, text: bytes) -> list[bytes]:
        """Answer one message of the client."""
        raise NotImplementedError

    def ping(self, ms: int) -> list[bytes]:
        """Return what the server sends of itself every `pings_every` seconds."""
        return []

    def wrap(self, topic: str, payload: bytes) -> bytes:
        """Put a payload in the envelope this socket uses."""
        return payload


class Binance(Dialect):
    """SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS; wrong routes acknowledge and stay silent, as since April 2026."""

    def __init__(self, host: str, path: str, query: Mapping[str, str]) -> None:
        super().__init__(host, path, query)
        self.is_combined = path.endswith("/stream")
        self._asked: list[str] = []
        named = query.get("streams", "") or (path.partition("/ws/")[2] if "/ws/" in path else "")
        self._add(named.split("/") if named else [])

    def hear(self, text: bytes) -> list[bytes]:
        asked = _object(text)
        number, method = asked.get("id"), asked.get("method")
        if method == "LIST_SUBSCRIPTIONS":
            return [_json({"result": self._asked, "id": number})]
        if self.refuses or method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return [_json({"error": {"code": 2, "msg": "Invalid request: unknown variant"}, "id": number})]
        names = [str(name) for name in asked.get("params", [])]
        if method == "SUBSCRIBE":
            self._add(names)
        else:
            for name in names:
                self.topics.pop(binance_stream(name), None)
        return [_json({"result": None, "id": number})]

    def _add(self, names: list[str]) -> None:
        for name in names:
            self._asked.append(name)
            topic = binance_stream(name)
            is_public = topic.partition("@")[2] in PUBLIC
            if self.host == "fstream.binance.com":
                route = "/public" if self.path.startswith("/public") else "/market" if self.path.startswith("/market") else ""
                if is_public != (route != "/market") or (route == "" and not is_public):
                    continue
            elif topic.startswith("!markPrice"):
                continue
            elif topic.startswith("!forceOrder"):
                topic = "!forceOrder@arr of coins"
            self.topics[topic] = name

    def wrap(self, topic: str, payload: bytes) -> bytes:
        if self.is_combined:
            return b'{"stream":"' + self.topics[topic].encode() + b'","data":' + payload + b"}"
        return payload


class Bybit(Dialect):
    """subscribe with success or failure of the whole frame; ping by product; cut after ten idle minutes."""

    quiet_limit = 600.0
    known = re.compile(
        r"(tickers|publicTrade|allLiquidation|orderbook\.\d+|kline\.\w+|insurance|adlAlert)\.[A-Z0-9-]+|adlAlert\.inverse|insurance\.inverse|system\.status"
    )

    def hear(self, text: bytes) -> list[bytes]:
        asked = _object(text)
        op, number = asked.get("op"), asked.get("req_id", "")
        is_option = self.path.endswith("/option")
        if op == "ping":
            if is_option:
                return [_json({"op": "pong", "args": ["1"], "conn_id": "local"})]
            return [_json({"success": True, "ret_msg": "pong", "conn_id": "local", "req_id": number, "op": "ping"})]
        names = [str(name) for name in asked.get("args", [])]
        bad = [name for name in names if not self.known.fullmatch(name)]
        if self.refuses or bad or op not in ("subscribe", "unsubscribe") or sum(map(len, names)) > 21_000:
            words = f"error:handler not found,topic:{bad[0] if bad else ''}"
            return [_json({"success": False, "ret_msg": words, "conn_id": "local", "req_id": number, "op": op})]
        for name in names:
            if op == "subscribe":
                self.topics[bybit_topic(name)] = name
            else:
                self.topics.pop(bybit_topic(name), None)
        return [_json({"success": True, "ret_msg": "", "conn_id": "local", "req_id": number, "op": op})]


class Okx(Dialect):
    """One acknowledgement a channel; text pings; cut after 30 s without a word from the client."""

    quiet_limit = 30.0
    known = frozenset({
        "liquidation-orders", "mark-price", "index-tickers", "funding-rate", "open-interest", "trades", "trades-all", "books", "candle1m",
        "opt-summary", "option-trades", "adl-warning", "instruments", "status", "tickers",
    })  # fmt: skip
    business = frozenset({"trades-all", "candle1m"})

    def hear(self, text: bytes) -> list[bytes]:
        if text == b"ping":
            return [b"pong"]
        asked = _object(text)
        answers = []
        for arg in asked.get("args", []):
            channel = str(arg.get("channel", ""))
            on_business = self.path.endswith("/business")
            if self.refuses or channel not in self.known or (channel in self.business) != on_business:
                words = f"Wrong URL or channel:{channel} doesn't exist. Please use the correct URL, channel and parameters"
                answers.append(_json({"event": "error", "code": "60018", "msg": words, "connId": "local"}))
                continue
            if asked.get("op") == "subscribe":
                self.topics[okx_topic(arg)] = channel
            else:
                self.topics.pop(okx_topic(arg), None)
            answers.append(_json({"event": asked.get("op"), "arg": arg, "connId": "local"}))
        return answers or [_json({"event": "error", "code": "60012", "msg": "Illegal request", "connId": "local"})]


class Htx(Dialect):
    """Everything packed; the server pings, in two dialects, and closes when two stay unanswered."""

    pings_every = 5.0
    binary = True

    def __init__(self, host: str, path: str, query: Mapping[str, str]) -> None:
        super().__init__(host, path, query)
        self.is_notification = path.endswith("notification")
        self._unanswered = 0

    def hear(self, text: bytes) -> list[bytes]:
        asked = _object(text)
        if "pong" in asked or asked.get("op") == "pong":
            self._unanswered = 0
            return []
        if self.is_notification:
            return self._notification(asked)
        name = str(asked.get("sub", ""))
        if self.refuses or not name.startswith("market."):
            return [
                _json({"status": "error", "err-code": "bad-request", "err-msg": f"invalid topic {name}", "id": asked.get("id"), "ts": 0})
            ]
        self.topics[name] = name
        return [_json({"id": asked.get("id"), "status": "ok", "subbed": name, "ts": 0})]

    def _notification(self, asked: dict[str, Any]) -> list[bytes]:
        topic, cid = str(asked.get("topic", "")), asked.get("cid")
        if self.refuses or asked.get("op") != "sub" or not topic.startswith("public."):
            return [_json({"op": "sub", "cid": cid, "topic": topic, "err-code": 2011, "err-msg": "invalid topic", "ts": 0})]
        code = 2014 if topic in self.topics else 0
        if self.path.startswith("/linear"):
            self.topics[topic] = topic
        else:
            self.topics[f"coins {topic}"] = topic
        return [_json({"op": "sub", "cid": cid, "topic": topic, "err-code": code, "ts": 0})]

    def ping(self, ms: int) -> list[bytes]:
        self._unanswered += 1
        if self._unanswered > 2:
            self.closes = "ping not answered"
            return []
        return [_json({"op": "ping", "ts": str(ms)} if self.is_notification else {"ping": ms})]


class Hyperliquid(Dialect):
    """One subscription a frame; a coin nobody knows aborts the socket without a word; cut after 60 silent seconds."""

    quiet_limit = 60.0
    coins = re.compile(r"[A-Za-z0-9:]+")

    def __init__(self, host: str, path: str, query: Mapping[str, str], info: Callable[[Mapping[str, Any]], Any]) -> None:
        super().__init__(host, path, query)
        self._info = info

    def hear(self, text: bytes) -> list[bytes]:
        asked = _object(text)
        method = asked.get("method")
        if method == "ping":
            return [_json({"channel": "pong"})]
        if method == "post":
            request = asked.get("request", {})
            payload = request.get("payload", {})
            answer = {"type": "info", "payload": {"type": payload.get("type"), "data": self._info(payload)}}
            return [_json({"channel": "post", "data": {"id": asked.get("id"), "response": answer}})]
        wanted = asked.get("subscription", {})
        if self.refuses or method not in ("subscribe", "unsubscribe") or not isinstance(wanted, dict):
            return [_json({"channel": "error", "data": f"Invalid subscription {text.decode(errors='replace')[:100]}"})]
        coin = wanted.get("coin")
        if coin is not None and coin not in {row["name"] for row in self._info({"type": "meta"})["universe"]}:
            self.aborts = True
            return []
        kind = str(wanted.get("type"))
        topic = hyperliquid_topic(kind, str(coin or wanted.get("user") or ""))
        self.topics[topic] = topic
        answers = [_json({"channel": "subscriptionResponse", "data": {"method": method, "subscription": wanted}})]
        if kind == "userFills":
            answers.append(_json({"channel": "userFills", "data": {"isSnapshot": True, "user": wanted.get("user"), "fills": []}}))
        return answers


class Deribit(Dialect):
    """JSON-RPC; channels nobody knows are left out of the answer without a word; heartbeats once asked for."""

    known = re.compile(r"(trades|book|ticker|quote)\..+|deribit_volatility_index\.\w+|instrument\.state\.\w+\.\w+|platform_state(\.\w+)?")

    def __init__(self, host: str, path: str, query: Mapping[str, str]) -> None:
        super().__init__(host, path, query)
        self._untested = 0

    def hear(self, text: bytes) -> list[bytes]:
        asked = _object(text)
        number, method = asked.get("id"), str(asked.get("method", ""))
        params = asked.get("params", {})
        if method == "public/test":
            self._untested = 0
            return [_json({"jsonrpc": "2.0", "id": number, "result": {"version": "1.2.26"}})]
        if method == "public/set_heartbeat":
            self.pings_every = float(params.get("interval", 30))
            return [_json({"jsonrpc": "2.0", "id": number, "result": "ok"})]
        names = [str(name) for name in params.get("channels", [])]
        if any(name.endswith(".raw") for name in names):
            return [
                _json(
                    {
                        "jsonrpc": "2.0",
                        "id": number,
                        "error": {"code": 13778, "message": "raw_subscriptions_not_available_for_unauthorized"},
                    }
                )
            ]
        if method != "public/subscribe":
            return [_json({"jsonrpc": "2.0", "id": number, "error": {"code": -32601, "message": "Method not found"}})]
        taken = [] if self.refuses else [name for name in names if self.known.fullmatch(name)]
        self.topics |= {name: name for name in taken}
        return [_json({"jsonrpc": "2.0", "id": number, "result": taken})]

    def ping(self, ms: int) -> list[bytes]:
        self._untested += 1
        if self._untested > 2:
            self.closes = "heartbeat not answered"
            return []
        return [_json({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})]


HOSTS = {
    "fstream.binance.com": "binance", "dstream.binance.com": "binance", "fapi.binance.com": "binance", "dapi.binance.com": "binance",
    "eapi.binance.com": "binance", "stream.bybit.com": "bybit", "api.bybit.com": "bybit", "ws.okx.com": "okx", "www.okx.com": "okx",
    "api.hbdm.com": "htx", "api.hyperliquid.xyz": "hyperliquid", "www.deribit.com": "deribit",
}  # fmt: skip
DIALECTS: dict[str, type[Dialect]] = {"binance": Binance, "bybit": Bybit, "okx": Okx, "htx": Htx, "deribit": Deribit}


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}


def _json(answer: object) -> bytes:
    return msgspec.json.encode(answer)
