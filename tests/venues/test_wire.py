"""What goes over the wire, line by line beside the specification of venues (sections 3 to 8)."""

import json
from dataclasses import dataclass, field

import msgspec
import pytest

from deleverage.instruments import Instrument
from deleverage.tables import TABLES
from deleverage.venues import VENUES
from deleverage.venues.venue import Subscription, Wanted

KINDS = frozenset({"liquidations", "mark_prices", "funding_rates", "open_interest", "trades", "book_depth"})


@dataclass
class Wire:
    """One venue, as its documentation has it."""

    contracts: list[str]
    sockets: dict[str, list[str]]
    heartbeat: tuple[float | None, bytes, float | None, float | None]
    replies: dict[bytes, bytes] = field(default_factory=dict)
    limits: tuple[float, float, int] = (0, 0, 0)  # weight, per seconds, sockets at once
    time: str = ""
    rest: list[str] = field(default_factory=list)


WIRES = {
    # 3.1 routes since 2026-04-23, 3.2 limits: 24 h cut, no ping of ours (the server's are answered by the socket), 2400 weight a minute
    "binance": Wire(
        ["BTCUSDT", "ETHUSDT", "BTCUSD_PERP"],
        {
            "wss://fstream.binance.com/market/stream": ['{"method":"SUBSCRIBE","params":["!forceOrder@arr","!markPrice@arr@1s","btcusdt@aggTrade"],"id":1}'],
            "wss://fstream.binance.com/public/stream": ['{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms"],"id":1}'],
            "wss://dstream.binance.com/stream": ['{"method":"SUBSCRIBE","params":["!forceOrder@arr","btcusd_perp@depth@100ms","btcusd_perp@aggTrade"],"id":1}'],
        },
        (None, b"", 600, 86_400),
        limits=(2400, 60, 0),
        time="https://fapi.binance.com/fapi/v1/time",
        rest=[
            "https://fapi.binance.com/fapi/v1/exchangeInfo", "https://dapi.binance.com/dapi/v1/exchangeInfo",
            "https://fapi.binance.com/fapi/v1/openInterest?symbol={symbol}", "https://dapi.binance.com/dapi/v1/openInterest?symbol={symbol}",
            "https://fapi.binance.com/fapi/v1/insuranceBalance", "https://fapi.binance.com/fapi/v1/symbolAdlRisk",
        ],
    ),
    # 4.1 ping every 20 s, cut after 10 min, 600 questions in 5 s; 4.3 one topic a contract, no wildcard
    "bybit": Wire(
        ["BTCUSDT", "ETHUSDT", "BTCUSD"],
        {
            "wss://stream.bybit.com/v5/public/linear": [
                '{"op":"subscribe","args":["tickers.BTCUSDT","allLiquidation.BTCUSDT","publicTrade.BTCUSDT","orderbook.200.BTCUSDT",'
                '"allLiquidation.ETHUSDT","tickers.ETHUSDT"]}'
            ],
            "wss://stream.bybit.com/v5/public/inverse": [
                '{"op":"subscribe","args":["tickers.BTCUSD","allLiquidation.BTCUSD","publicTrade.BTCUSD","orderbook.200.BTCUSD"]}'
            ],
        },
        (20, b'{"op":"ping"}', 600, None),
        limits=(600, 5, 1000),
        time="https://api.bybit.com/v5/market/time",
        rest=[
            "https://api.bybit.com/v5/market/instruments-info?category=linear&limit=1000",
            "https://api.bybit.com/v5/market/tickers?category=inverse", "https://api.bybit.com/v5/market/insurance",
            "https://api.bybit.com/v5/market/adlAlert",
        ],
    ),
    # 5.1 text ping within 30 s, 3 connections a second; 5.3 liquidations by product; trades-all on business, books apart
    "okx": Wire(
        ["BTC-USDT-SWAP", "ETH-USDT-SWAP"],
        {
            "wss://ws.okx.com:8443/ws/v5/public": [
                '{"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"},{"channel":"liquidation-orders","instType":"FUTURES"},'
                '{"channel":"mark-price","instId":"BTC-USDT-SWAP"}]}',
                '{"op":"subscribe","args":[{"channel":"mark-price","instId":"BTC-USDT-SWAP"},{"channel":"mark-price","instId":"ETH-USDT-SWAP"},'
                '{"channel":"index-tickers","instId":"BTC-USDT"},{"channel":"index-tickers","instId":"ETH-USDT"},'
                '{"channel":"funding-rate","instId":"BTC-USDT-SWAP"},{"channel":"funding-rate","instId":"ETH-USDT-SWAP"},'
                '{"channel":"open-interest","instId":"BTC-USDT-SWAP"},{"channel":"open-interest","instId":"ETH-USDT-SWAP"}]}',
                '{"op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT-SWAP"}]}',
            ],
            "wss://ws.okx.com:8443/ws/v5/business": ['{"op":"subscribe","args":[{"channel":"trades-all","instId":"BTC-USDT-SWAP"}]}'],
        },
        (20, b"ping", 45, None),
        limits=(10, 2, 0),
        time="https://www.okx.com/api/v5/public/time",
        rest=[
            "https://www.okx.com/api/v5/public/instruments?instType=SWAP", "https://www.okx.com/api/v5/public/open-interest?instType=SWAP",
            "https://www.okx.com/api/v5/public/position-tiers?instType=SWAP&tdMode=cross&instFamily={family}",
        ],
    ),
    # 6.1 the server pings, in two dialects; 6.3 one wildcard carries all liquidations; 240 questions in 3 s
    "htx": Wire(
        ["BTC-USDT", "ETH-USDT"],
        {
            "wss://api.hbdm.com/linear-swap-notification": [
                '{"op":"sub","cid":"liquidation_orders","topic":"public.*.liquidation_orders","business_type":"all"}',
                '{"op":"sub","cid":"funding_rate","topic":"public.*.funding_rate"}',
            ],
            "wss://api.hbdm.com/swap-notification": [
                '{"op":"sub","cid":"liquidation_orders","topic":"public.*.liquidation_orders"}',
                '{"op":"sub","cid":"funding_rate","topic":"public.*.funding_rate"}',
            ],
            "wss://api.hbdm.com/notification": ['{"op":"sub","cid":"liquidation_orders","topic":"public.*.liquidation_orders"}'],
            "wss://api.hbdm.com/linear-swap-ws": [
                '{"sub":"market.BTC-USDT.trade.detail","id":"BTC-USDT"}',
                '{"sub":"market.BTC-USDT.depth.size_150.high_freq","id":"BTC-USDT","data_type":"incremental"}',
            ],
            "wss://api.hbdm.com/ws_index": ['{"sub":"market.BTC-USDT.mark_price.1min","id":"BTC-USDT"}'],
        },
        (None, b"", 20, None),
        replies={b'{"ping":1645289389619}': b'{"pong":1645289389619}', b'{"op":"ping","ts":"1492420473058"}': b'{"op":"pong","ts":"1492420473058"}'},
        limits=(240, 3, 0),
        time="https://api.hbdm.com/api/v1/timestamp",
        rest=[
            "https://api.hbdm.com/linear-swap-api/v1/swap_contract_info?business_type=all",
            "https://api.hbdm.com/linear-swap-api/v1/swap_open_interest?business_type=all",
        ],
    ),
    # 7.1 10 sockets, 1200 weight a minute, ping within 60 s, one subscription a frame; 7.6 route A: the vault's accounts
    "hyperliquid": Wire(
        ["BTC", "ETH"],
        {
            "wss://api.hyperliquid.xyz/ws": [
                '{"method":"post","id":1,"request":{"type":"info","payload":{"type":"allPerpMetas"}}}',
                '{"method":"subscribe","subscription":{"type":"allDexsAssetCtxs"}}', '{"method":"subscribe","subscription":{"type":"fastAssetCtxs"}}',
                '{"method":"subscribe","subscription":{"type":"allMids"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0x010461c14e146ac35fe42271bdc1134ee31c703a"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0x2e3d94f0562703b25c83308a05046ddaf9a8dd14"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0x31ca8395cf837de08b24da3f660e77761dfb974b"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0x469f690213c467c39a23efacfd2816896009d7d8"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70"}}',
                '{"method":"subscribe","subscription":{"type":"userFills","user":"0xb0a55f13d22f66e6d495ac98113841b2326e9540"}}',
                '{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}',
                '{"method":"subscribe","subscription":{"type":"activeAssetCtx","coin":"BTC"}}',
                '{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}', '{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}',
            ],
        },
        (30, b'{"method":"ping"}', 60, None),
        limits=(1200, 60, 10),
        time="https://api.hyperliquid.xyz/info?type=exchangeStatus",
        rest=["https://api.hyperliquid.xyz/info?type=allPerpMetas", "https://api.hyperliquid.xyz/info?type=metaAndAssetCtxs"],
    ),
    # 8.1 heartbeats asked for and answered with public/test, 32 connections, 500 channels a call
    "deribit": Wire(
        ["BTC-PERPETUAL", "ETH-PERPETUAL"],
        {
            "wss://www.deribit.com/ws/api/v2": [
                '{"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":30}}',
                '{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["trades.future.any.100ms","trades.option.any.100ms",'
                '"ticker.BTC-PERPETUAL.100ms","ticker.ETH-PERPETUAL.100ms","book.BTC-PERPETUAL.100ms"]}}',
            ],
        },
        (None, b"", 60, None),
        replies={
            b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}': b'{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}'
        },
        limits=(50_000, 10, 32),
        time="https://www.deribit.com/api/v2/public/get_time",
        rest=["https://www.deribit.com/api/v2/public/get_instruments?currency=any&kind=future&expired=false"],
    ),
}  # fmt: skip


def listed(venue: str, names: list[str]) -> tuple[Instrument, ...]:
    found = [VENUES[venue].infer(name) for name in names]
    return tuple(msgspec.structs.replace(i, is_inferred=False) for i in found if i is not None)


def plan(venue: str, names: list[str], kinds: frozenset[str] = KINDS, detail: frozenset[str] = frozenset({"BTC"})) -> list[Subscription]:
    return VENUES[venue].subscribe(Wanted(kinds=kinds, instruments=listed(venue, names), detail=detail))


@pytest.mark.parametrize("venue", WIRES)
def test_sockets_and_subscriptions(venue: str) -> None:
    found: dict[str, list[object]] = {}
    for subscription in plan(venue, WIRES[venue].contracts):
        found.setdefault(subscription.url, []).extend(json.loads(frame) for frame in subscription.frames)
    assert found == {url: [json.loads(frame) for frame in frames] for url, frames in WIRES[venue].sockets.items()}


@pytest.mark.parametrize("venue", WIRES)
def test_heartbeats(venue: str) -> None:
    wire, heartbeat = WIRES[venue], VENUES[venue].heartbeat
    assert (heartbeat.every, heartbeat.payload, heartbeat.idle_cut, heartbeat.lifetime) == wire.heartbeat
    for ping, pong in wire.replies.items():
        assert heartbeat.reply is not None and heartbeat.reply(ping) == pong
    assert (heartbeat.reply is None) == (not wire.replies)


@pytest.mark.parametrize("venue", WIRES)
def test_limits_time_and_questions(venue: str) -> None:
    wire, own = WIRES[venue], VENUES[venue]
    assert (own.limits.weight, own.limits.weight_every, own.limits.sockets) == wire.limits and own.limits.source
    assert own.clock is not None and own.clock.url == wire.time
    asked = {poll.url for poll in own.polls}
    assert set(wire.rest) <= asked, set(wire.rest) - asked


def many(venue: str, count: int) -> list[str]:
    coins = [f"C{n}" for n in range(count)]
    form = {
        "binance": "{}USDT",
        "bybit": "{}USDT",
        "okx": "{}-USDT-SWAP",
        "htx": "{}-USDT",
        "hyperliquid": "{}",
        "deribit": "{}_USDC-PERPETUAL",
    }
    return ["BTC-PERPETUAL" if venue == "deribit" else form[venue].format("BTC")] + [form[venue].format(coin) for coin in coins]


def test_eight_hundred_contracts_fit_each_venues_limits() -> None:
    everything, all_of_them = frozenset(TABLES), frozenset({"BTC", *(f"C{n}" for n in range(800))})
    for frame in (f for s in plan("bybit", many("bybit", 800), everything) for f in s.frames):
        assert len("".join(json.loads(frame)["args"])) <= 21_000
    for subscription in plan("okx", many("okx", 800), everything):
        assert sum(len(json.loads(f)["args"]) for f in subscription.frames) <= 480 and all(len(f) <= 64_000 for f in subscription.frames)
    for subscription in plan("binance", many("binance", 800), everything, all_of_them):
        assert sum(len(json.loads(f)["params"]) for f in subscription.frames) <= 1024
    sockets = plan("hyperliquid", many("hyperliquid", 800), everything, all_of_them)
    subscribed = [json.loads(f)["subscription"] for s in sockets for f in s.frames if b'"subscribe"' in f]
    assert len(sockets) <= 10 and len(subscribed) <= 1000 and len({s["user"] for s in subscribed if "user" in s}) <= 10
    for frame in (f for s in plan("deribit", many("deribit", 800), everything) for f in s.frames if b"channels" in f):
        assert len(json.loads(frame)["params"]["channels"]) <= 500


@pytest.mark.parametrize(
    ("venue", "busy"),
    [
        ("binance", "aggTrade"),
        ("bybit", "tickers."),
        ("okx", "mark-price"),
        ("htx", "funding_rate"),
        ("hyperliquid", "allMids"),
        ("deribit", "ticker."),
    ],
)
def test_liquidations_never_travel_alone(venue: str, busy: str) -> None:
    """Trap 14: silence of a sparse socket tells nothing, so that a busy channel goes with it. Coin futures of HTX have none to offer."""
    for subscription in plan(venue, WIRES[venue].contracts):
        text = b"".join(subscription.frames).decode()
        if VENUES[venue].carries_liquidations(text) and not subscription.url.endswith("hbdm.com/notification"):
            assert busy in text, subscription.url
