"""The venue server speaks each dialect: what is subscribed is acknowledged as documented and parses; what is wrong is refused so."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deleverage.instruments import Instrument
from deleverage.journal.frame import Frame
from deleverage.simulate.faults import Fault
from deleverage.simulate.venue_server import VenueServer, recorded
from deleverage.venues import VENUES
from deleverage.venues.venue import split_route

pytestmark = pytest.mark.anyio


@cache
def frames() -> tuple[Frame, ...]:
    return tuple(
        recorded(
            ["binance-2025-01-26", "bybit-2026-08-09", "bybit-2026-10-10", "htx-2022-02-19", "hyperliquid-2025-01-26", "okx-2026-08-31"]
        )
    )


@asynccontextmanager
async def served(*faults: Fault, speed: float = 20.0) -> AsyncIterator[VenueServer]:
    async with VenueServer(frames(), speed=speed, faults=list(faults)) as server:
        yield server


@asynccontextmanager
async def socket(server: VenueServer, url: str) -> AsyncIterator[ClientConnection]:
    async with connect(server.gateway.replace("http", "ws") + "/" + url, compression=None, open_timeout=20) as found:
        yield found


async def hear(client: ClientConnection, url: str, venue: str, want: str, seconds: float = 10) -> Any:
    """Read until the venue's own parser names the channel `want`; every frame must parse. Returns the frame."""
    parser = VENUES[venue].parser(split_route(f"wss://{url}"), VENUES[venue].instruments())
    async with asyncio.timeout(seconds):
        while True:
            message = await client.recv()
            payload = message.encode() if isinstance(message, str) else message
            parser.parse(payload, 1_800_000_000_000_000_000)
            if parser.channel == want:
                return payload


async def get(server: VenueServer, path: str, body: object = None) -> tuple[int, Any]:
    def ask() -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(server.gateway + path, data), timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(ask)


PUBLIC = "ws.okx.com/ws/v5/public"
DERIBIT = '{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["trades.future.any.100ms"]}}'
SPOKEN = [
    ("binance", "fstream.binance.com/market/stream", '{"method":"SUBSCRIBE","params":["!forceOrder@arr"],"id":1}', "forceOrder"),
    ("binance", "fstream.binance.com/market/ws/!forceOrder@arr", "", "forceOrder"),
    ("binance", "dstream.binance.com/stream", '{"method":"SUBSCRIBE","params":["btcusd_perp@aggTrade"],"id":1}', "aggTrade"),
    ("bybit", "stream.bybit.com/v5/public/linear", '{"op":"subscribe","args":["tickers.BTCUSDT","orderbook.200.BTCUSDT"]}', "orderbook"),
    ("okx", PUBLIC, '{"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"}]}', "liquidation-orders"),
    ("htx", "api.hbdm.com/linear-swap-notification", '{"op":"sub","cid":"1","topic":"public.*.funding_rate"}', "funding_rate"),
    ("htx", "api.hbdm.com/swap-ws", '{"sub":"market.ATOM-USD.trade.detail","id":"1"}', "trade.detail"),
    ("hyperliquid", "api.hyperliquid.xyz/ws", '{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}', "trades"),
    ("deribit", "www.deribit.com/ws/api/v2", DERIBIT, "trades"),
]  # fmt: skip


@pytest.mark.parametrize(("venue", "url", "subscription", "channel"), SPOKEN)
async def test_a_subscription_is_acknowledged_and_served(venue: str, url: str, subscription: str, channel: str) -> None:
    async with served() as server, socket(server, url) as client:
        if subscription:
            await client.send(subscription)
            await hear(client, url, venue, "ack")
        await hear(client, url, venue, channel)
        assert server.stats()["sent"][venue] >= 1


async def test_the_old_route_acknowledges_and_stays_silent() -> None:
    url = "fstream.binance.com/stream"
    async with served() as server, socket(server, url) as client:
        await client.send('{"method":"SUBSCRIBE","params":["!forceOrder@arr","btcusdt@aggTrade"],"id":7}')
        assert json.loads(await client.recv()) == {"result": None, "id": 7}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.recv(), 1.5)


async def test_unknown_topics_are_refused_as_each_venue_does() -> None:
    async with served() as server:
        async with socket(server, "stream.bybit.com/v5/public/linear") as client:
            await client.send('{"op":"subscribe","args":["tickers.BTCUSDT","nonsense"]}')
            assert json.loads(await client.recv())["success"] is False
        async with socket(server, "ws.okx.com/ws/v5/public") as client:
            await client.send('{"op":"subscribe","args":[{"channel":"trades-all","instId":"BTC-USDT-SWAP"}]}')
            assert json.loads(await client.recv())["event"] == "error"
        async with socket(server, "www.deribit.com/ws/api/v2") as client:
            await client.send(
                '{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["ticker.BTC-PERPETUAL.100ms","what"]}}'
            )
            assert json.loads(await client.recv())["result"] == ["ticker.BTC-PERPETUAL.100ms"]
            await client.send('{"jsonrpc":"2.0","id":2,"method":"public/subscribe","params":{"channels":["ticker.BTC-PERPETUAL.raw"]}}')
            while "error" not in (answer := json.loads(await client.recv())):
                pass
            assert answer["error"]["code"] == 13778
        async with socket(server, "api.hyperliquid.xyz/ws") as client:
            await client.send('{"method":"subscribe","subscription":{"type":"trades","coin":"NOSUCHCOIN"}}')
            with pytest.raises(ConnectionClosed):
                await client.recv()


@pytest.mark.parametrize("venue", VENUES)
async def test_lists_of_contracts_parse(venue: str) -> None:
    async with served() as server:
        listed = []
        for poll in VENUES[venue].polls:
            if poll.name == "instruments" and poll.per == "venue":
                path = "/" + poll.url.partition("://")[2]
                status, answer = await get(server, path, json.loads(poll.body) if poll.body else None)
                assert status == 200
                parser = VENUES[venue].parser(split_route(poll.url), VENUES[venue].instruments())
                listed += [e for e in parser.parse(json.dumps(answer).encode(), 1_800_000_000_000_000_000) if isinstance(e, Instrument)]
        assert any(i.base == "BTC" and i.is_trading for i in listed)


async def test_recorded_instants_are_moved_to_now() -> None:
    url = "ws.okx.com/ws/v5/public"
    async with served() as server, socket(server, url) as client:
        await client.send('{"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"}]}')
        frame = json.loads(await hear(client, url, "okx", "liquidation-orders"))
        assert abs(int(frame["data"][0]["details"][0]["ts"]) / 1000 - time.time()) < 30


@pytest.mark.parametrize(("kind", "status"), [("status_429", 429), ("status_418", 418), ("status_403", 403)])
async def test_refusals(kind: Any, status: int) -> None:
    async with served(Fault(kind, venue="okx", amount=7)) as server:
        assert (await get(server, "/www.okx.com/api/v5/public/time"))[0] == status
        assert (await get(server, "/api.bybit.com/v5/market/time"))[0] == 200
        with pytest.raises(InvalidStatus) as refused:
            async with socket(server, "ws.okx.com/ws/v5/public"):
                pass
        assert refused.value.response.status_code == status and refused.value.response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("kind", ["stall", "wrong_route", "silent_topic"])
async def test_silences(kind: Any) -> None:
    url = "stream.bybit.com/v5/public/linear"
    async with (
        served(Fault(kind, venue="bybit", topic="tickers" if kind == "silent_topic" else "")) as server,
        socket(server, url) as client,
    ):
        await client.send('{"op":"subscribe","args":["tickers.BTCUSDT"]}')
        if kind != "stall":
            assert json.loads(await client.recv())["success"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.recv(), 1.0)


@pytest.mark.parametrize("kind", ["drop", "close", "cut_off"])
async def test_endings(kind: Any) -> None:
    url = "stream.bybit.com/v5/public/linear"
    async with served() as server, socket(server, url) as client:
        await client.send('{"op":"subscribe","args":["tickers.BTCUSDT"]}')
        await client.recv()
        server.set_faults([Fault(kind, venue="bybit")])
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await client.recv()
        assert (closed.value.rcvd is None) == (kind == "drop")
        assert server.stats()["faults"][f"bybit/{kind}"] >= 1


@pytest.mark.parametrize("kind", ["duplicate", "garbage", "reorder", "sequence_gap", "half_frame", "bad_ack"])
async def test_bad_frames(kind: Any) -> None:
    url = "stream.bybit.com/v5/public/linear"
    async with served(speed=5) as server, socket(server, url) as client:
        if kind == "bad_ack":
            server.set_faults([Fault(kind, venue="bybit")])
        await client.send('{"op":"subscribe","args":["orderbook.200.BTCUSDT","tickers.BTCUSDT"]}')
        first = json.loads(await client.recv())
        assert first["success"] is (kind != "bad_ack")
        if kind == "bad_ack":
            return
        server.set_faults([Fault(kind, venue="bybit", amount=5)])
        got: list[bytes] = []
        try:
            async with asyncio.timeout(10):
                while server.faults.shown[f"bybit/{kind}"] < 3 or len(got) < 20:
                    message = await client.recv()
                    got.append(message.encode() if isinstance(message, str) else message)
        except (ConnectionClosed, UnicodeDecodeError):
            assert kind in ("half_frame", "garbage")
        if kind == "duplicate":
            assert any(a == b for a, b in pairwise(got))
        if kind == "garbage":
            assert any(b"broken" in g or not g.startswith(b"{") for g in got)
        assert server.faults.shown[f"bybit/{kind}"] >= 1


async def test_contracts_come_and_go() -> None:
    async with served() as server:
        path = "/fapi.binance.com/fapi/v1/exchangeInfo"
        server.set_faults([Fault("list", venue="binance", name="NEWUSDT")])
        rows = {r["symbol"]: r["status"] for r in (await get(server, path))[1]["symbols"]}
        assert rows["NEWUSDT"] == "TRADING"
        server.set_faults([Fault("delist", venue="binance", name="NEWUSDT")])
        rows = {r["symbol"]: r["status"] for r in (await get(server, path))[1]["symbols"]}
        assert rows["NEWUSDT"] != "TRADING"


async def test_it_is_steered_over_http() -> None:
    async with served() as server:
        assert (await get(server, "/-/faults", [{"kind": "stall", "venue": "okx"}]))[0] == 200
        assert server.faults.faults[0].venue == "okx"
        assert (await get(server, "/-/faults", [{"kind": "nonsense"}]))[0] == 400
        assert (await get(server, "/-/rate", {"rate": 100}))[0] == 200 and server.rate == 100
        assert (await get(server, "/-/nothing"))[0] == 404
        assert (await get(server, "/no.such.host/x"))[0] == 404
