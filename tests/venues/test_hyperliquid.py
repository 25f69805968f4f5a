"""Hyperliquid: every fixture, the traps of fills and backlog, and every recorded frame consumed."""

import gzip
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import Event, FundingRate, Liquidation, MarginTiers, MarkPrice, OpenInterest, PositionSnapshot, Trade
from deleverage.instruments import Instrument
from deleverage.venues.hyperliquid import MOST_SUBSCRIPTIONS, VENUE
from deleverage.venues.hyperliquid_questions import WATCHED
from deleverage.venues.venue import Parser, Wanted, split_route

HERE = Path(__file__).parents[1]
SHARED = HERE / ".." / ".." / "shared" / "data"
FIXTURES = sorted((HERE / "fixtures" / "hyperliquid").glob("*.json"))
WS = "wss://api.hyperliquid.xyz/ws"
INFO = "https://api.hyperliquid.xyz/info"
NOW = 1_790_232_237_200_000_000
OWNER, MAKER = "0xa59f55114ccb120487c4fb5766cb89b123c13563", "0x622450a3048ae44a5c54e2b54c91b082313e1d23"
T = TypeVar("T")
FORCED = {"liquidatedUser": OWNER, "markPx": "0.15319", "method": "market"}
OWN = {
    "coin": "WLFI", "px": "0.15327", "sz": "890.0", "side": "B", "time": 1761584402387, "startPosition": "-890.0", "dir": "Close Short",
    "crossed": True, "tid": 87867877881544, "liquidation": FORCED,
}  # fmt: skip
COUNTER = {**OWN, "side": "A", "startPosition": "-121769.0", "dir": "Open Short", "crossed": False}


def parser(route: str = WS) -> Parser:
    return VENUE.parser(split_route(route), VENUE.instruments())


def parse(payload: object, route: str = WS, at: Parser | None = None) -> Sequence[Event]:
    return (at or parser(route)).parse(msgspec.json.encode(payload), NOW)


def of(kind: type[T], events: Iterable[object]) -> list[T]:
    return [e for e in events if isinstance(e, kind)]


def unzipped(name: str) -> list[bytes]:
    return gzip.decompress(shared(name).read_bytes()).splitlines()


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"recording {name} is not beside this checkout")
    return path


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: p.stem)
def test_fixture(path: Path) -> None:
    case = json.loads(path.read_text())
    payload = case["payload"].encode() if isinstance(case["payload"], str) else json.dumps(case["payload"]).encode()
    events = parser(case["route"]).parse(payload, case["ts_recv"])
    assert [type(e).__name__ for e in events] == [want["event"] for want in case["expect"]]
    for event, want in zip(events, case["expect"], strict=True):
        for field, value in want.items():
            if field == "event":
                continue
            found = getattr(event, field)
            if isinstance(found, list):
                found = [list(level) for level in found]
            assert found == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), field


def test_fixtures_cover_every_channel_and_answer() -> None:
    seen = set()
    for path in FIXTURES:
        case = json.loads(path.read_text())
        p = parser(case["route"])
        p.parse(case["payload"].encode() if isinstance(case["payload"], str) else json.dumps(case["payload"]).encode(), case["ts_recv"])
        seen.add(p.channel)
    assert seen >= {
        "trades", "l2Book", "bbo", "activeAssetCtx", "activeSpotAssetCtx", "allDexsAssetCtxs", "fastAssetCtxs", "allMids", "candle",
        "userFills", "userEvents", "webData2", "node_fills", "ack", "heartbeat", "error", "meta", "metaAndAssetCtxs", "allPerpMetas",
        "fundingHistory", "predictedFundings", "candleSnapshot", "recentTrades", "userFillsByTime", "clearinghouseState", "exchangeStatus",
        "vaultDetails", "userNonFundingLedgerUpdates",
    }  # fmt: skip


# --- whose close was forced ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "position_side", "before"), [("A", "long", "890.0"), ("B", "short", "-890.0")])
def test_side_of_the_liquidated_users_own_fill(side: str, position_side: str, before: str) -> None:
    fill = {**OWN, "side": side, "startPosition": before}
    for payload in ({"channel": "userFills", "data": {"user": OWNER, "fills": [fill]}}, {"channel": "user", "data": {"fills": [fill]}}):
        (liquidation,) = of(Liquidation, parse(payload))
        assert liquidation.position_side == position_side


def test_counterparty_never_counts_whatever_the_route() -> None:
    frames: list[tuple[object, str]] = [
        ({"channel": "userFills", "data": {"user": MAKER, "fills": [COUNTER]}}, WS),
        ({"channel": "user", "data": {"fills": [COUNTER]}}, WS),
        ({"block_number": 1, "events": [[MAKER, COUNTER]]}, "node_fills_by_block"),
        ([MAKER, COUNTER], "node_fills"),
        ([COUNTER], f"{INFO}?type=userFills&user={MAKER}"),
        ([COUNTER], INFO),
    ]
    for payload, route in frames:
        events = parse(payload, route)
        assert not of(Liquidation, events), route
        assert len(of(Trade, events)) <= 1


def test_hidden_owner_counts_only_a_closing_taker() -> None:
    def liquidations(**change: object) -> int:
        return len(of(Liquidation, parse({"channel": "user", "data": {"fills": [{**OWN, **change}]}})))

    assert liquidations() == 1
    assert liquidations(crossed=False) == 0  # the maker that happened to close
    assert liquidations(startPosition="0.0", dir="Open Long") == 0
    assert liquidations(startPosition="-1.0", dir="Short > Long") == 0  # a liquidation never turns a position round
    assert liquidations(dir="Liquidated Cross Short", crossed=False) == 1
    assert liquidations(liquidation=None) == 0


def test_method_and_account() -> None:
    def one(**change: object) -> Liquidation:
        (found,) = of(
            Liquidation, parse({"channel": "userFills", "data": {"user": OWNER.upper().replace("0X", "0x"), "fills": [{**OWN, **change}]}})
        )
        return found

    assert one().method == "market"
    assert one(liquidation={**FORCED, "method": "backstop"}).method == "backstop"
    assert one(liquidation={**FORCED, "method": "novel"}).method == "unknown"
    assert one(dir="Auto-Deleveraging", liquidation={**FORCED, "liquidatedUser": MAKER}).method == "adl"
    assert one(dir="Auto-Deleveraging", liquidation=None).mark_price is None
    assert one().account == OWNER.upper().replace("0X", "0x")
    assert one(liquidation={**FORCED, "markPx": None}).mark_price is None


def test_adl_and_the_liquidation_it_settles_are_two_sides_of_one_trade() -> None:
    winner = {**OWN, "side": "B", "dir": "Auto-Deleveraging", "crossed": True, "liquidation": {**FORCED, "liquidatedUser": MAKER}}
    loser = {**winner, "side": "A", "startPosition": "890.0", "dir": "Close Long", "crossed": False}
    events = parse({"block_number": 1, "events": [[OWNER, winner], [MAKER, loser]]}, "node_fills_by_block")
    assert {(e.method, e.position_side, e.account) for e in of(Liquidation, events)} == {("adl", "short", OWNER), ("market", "long", MAKER)}
    (trade,) = of(Trade, events)
    assert (trade.trade_kind, trade.buyer, trade.seller) == ("adl", OWNER, MAKER)


def test_coverage_rule_is_on_every_row() -> None:
    node = of(Liquidation, parse({"block_number": 1, "events": [[OWNER, OWN]]}, "node_fills_by_block"))
    user = of(Liquidation, parse({"channel": "userFills", "data": {"user": OWNER, "fills": [OWN]}}))
    assert [e.coverage_rule for e in node + user] == ["full", "watched_accounts"]
    assert VENUE.coverage_at(NOW).rule == "watched_accounts"
    assert VENUE.coverage_at(NOW, "linear").rule == "watched_accounts"
    assert VENUE.coverage_at(NOW, "node_fills").rule == "full"
    for text in ("userFills", "userEvents", "node_fills", "node_fills_by_block", '{"type":"userFills","user":"0x1"}'):
        assert VENUE.carries_liquidations(text)
    for text in ("trades", "userFundings", "webData2", WS, INFO):
        assert not VENUE.carries_liquidations(text)


def test_fills_without_tid_are_numbered() -> None:
    fill = {k: v for k, v in OWN.items() if k != "tid"}
    found = of(Liquidation, parse({"channel": "userFills", "data": {"user": OWNER, "fills": [fill, fill]}}))
    assert [(e.native_id, e.ordinal) for e in found] == [("", 0), ("", 1)]


# --- trades ----------------------------------------------------------------------------------------------------------


def trades_frame(*rows: tuple[str, int, int]) -> dict[str, object]:
    return {
        "channel": "trades",
        "data": [{"coin": c, "side": "B", "px": "10.0", "sz": "2.0", "time": t, "tid": i, "users": ["0xb", "0xs"]} for c, t, i in rows],
    }


def test_backlog_is_the_first_frame_of_each_coin_of_a_connection() -> None:
    p = parser()
    marks = []
    for rows in ([("BTC", 1, 1), ("BTC", 2, 2)], [("ETH", 1, 1)], [("BTC", 3, 3), ("ETH", 4, 4)], [("SOL", 1, 1), ("BTC", 5, 5)]):
        marks.append([t.is_backfill for t in of(Trade, parse(trades_frame(*rows), at=p))])
    assert marks == [[True, True], [True], [False, False], [True, False]]
    assert [t.is_backfill for t in of(Trade, parse(trades_frame(("BTC", 6, 6))))] == [True]  # a new connection begins anew


def test_equal_tids_are_different_trades_by_time_or_coin() -> None:
    found = of(Trade, parse(trades_frame(("BTC", 1, 7), ("BTC", 2, 7), ("ETH", 1, 7))))
    assert len({(t.venue_symbol, t.ts_event, t.trade_id) for t in found}) == 3


def test_public_trade_measures_as_the_instrument_does() -> None:
    for coin in ("BTC", "kPEPE", "xyz:SP500"):
        (trade,) = of(Trade, parse(trades_frame((coin, 1, 1))))
        assert (trade.contracts, trade.quantity, trade.notional_usd) == VENUE.instruments().get(coin).measure(2.0, 10.0)


def test_node_lines_give_one_trade_when_the_second_half_arrives() -> None:
    p = parser("node_fills")
    assert [type(e).__name__ for e in parse([OWNER, OWN], at=p)] == ["Liquidation"]
    (trade,) = parse([MAKER, COUNTER], at=p)
    assert isinstance(trade, Trade)
    assert (trade.taker_side, trade.liquidated, trade.buyer, trade.seller) == ("buy", "taker", OWNER, MAKER)
    block = parse({"block_number": 1, "events": [[OWNER, OWN], [MAKER, COUNTER]]}, "node_fills_by_block")
    assert of(Trade, block) == [trade]


def test_half_of_a_block_is_a_trade_of_one_side() -> None:
    (trade,) = parse({"block_number": 1, "events": [[MAKER, {**COUNTER, "liquidation": None}]]}, "node_fills_by_block")
    assert isinstance(trade, Trade)
    assert (trade.taker_side, trade.buyer, trade.seller) == ("buy", None, MAKER)


# --- contexts, funding, universe -------------------------------------------------------------------------------------

CTX = {"funding": "0.00001", "openInterest": "10.0", "oraclePx": "100.0", "markPx": "101.0"}


def test_unchanged_prediction_is_said_anew_each_hour_and_ten_minutes() -> None:
    p = parser()
    hour = 3_600_000_000_000
    start = NOW // hour * hour

    def funding(ts: int, rate: str) -> list[tuple[float, int | None]]:
        frame = msgspec.json.encode({"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": {**CTX, "funding": rate}}})
        return [(e.funding_rate, e.funding_time) for e in of(FundingRate, p.parse(frame, ts))]

    assert funding(start, "0.00001") == [(1e-05, start + hour)]
    assert funding(start + 1, "0.00001") == []
    assert funding(start + 2, "0.00002") == [(2e-05, start + hour)]
    assert funding(start + hour, "0.00002") == [(2e-05, start + 2 * hour)]
    told = [n for n in range(1, 60) if funding(start + hour + n * hour // 60, "0.00002")]
    assert told == [10, 20, 30, 40, 50]


def test_positional_contexts_follow_the_metas_of_the_same_connection() -> None:
    p = parser()
    btc, old = {"name": "BTC", "szDecimals": 5, "maxLeverage": 40}, {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True}
    eth, index = {"name": "ETH", "szDecimals": 4, "maxLeverage": 25}, {"name": "xyz:SP500", "szDecimals": 3, "maxLeverage": 20}
    metas = [{"universe": [btc, old, eth]}, {"universe": [index]}]
    listing = parse(
        {"channel": "post", "data": {"id": 1, "response": {"type": "info", "payload": {"type": "allPerpMetas", "data": metas}}}}, at=p
    )
    assert [e.venue_symbol for e in of(Instrument, listing)] == ["BTC", "OLD", "ETH", "xyz:SP500"]
    other = {**CTX, "markPx": "7.0"}
    push = {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [CTX, CTX, other, other]], ["xyz", [other]], ["new", [CTX]]]}}
    marks = {e.venue_symbol: e.mark_price for e in of(MarkPrice, parse(push, at=p))}
    assert marks == {"BTC": 101.0, "ETH": 7.0, "xyz:SP500": 7.0}
    short = {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [CTX]]]}}
    assert parse(short, at=p) == []  # fewer contexts than listings cannot be told apart
    assert parse(push) == []


def test_notional_vectors() -> None:
    btc = VENUE.instruments().get("BTC")
    assert btc.measure(0.015, 104_320.0) == (0.015, 0.015, pytest.approx(1564.8))
    (oi,) = of(OpenInterest, parse({"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": CTX}}))
    assert (oi.open_interest, oi.open_interest_base, oi.open_interest_usd, oi.counting) == (10.0, 10.0, 1010.0, "one_side")


def test_margin_above_the_first_step_of_btc() -> None:
    path = shared("crypto_research_rest/hyperliquid_meta.json")
    tiers = [e for e in of(MarginTiers, parser(INFO).parse(path.read_bytes(), NOW)) if e.venue_symbol == "BTC"]
    top = tiers[-1]
    assert (top.lower, top.maintenance_deduction) == (150e6, 1_875_000.0)
    assert top.maintenance_margin_rate is not None and top.maintenance_deduction is not None
    assert 200e6 * top.maintenance_margin_rate - top.maintenance_deduction == 3_125_000.0


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol", "base", "multiplier"),
    [
        ("BTC", "BTC/USDC:USDC", "BTC", 1.0),
        ("kPEPE", "KPEPE/USDC:USDC", "PEPE", 1000.0),
        ("xyz:SP500", "XYZ-SP500/USDC:USDC", "SP500", 1.0),
        ("hyna:BTC", "HYNA-BTC/USDE:USDE", "BTC", 1.0),
    ],
)  # fmt: skip
def test_inferred_equals_listed(name: str, symbol: str, base: str, multiplier: float) -> None:
    inferred = VENUE.infer(name)
    assert inferred is not None and inferred.is_inferred
    assert (inferred.symbol, inferred.base, inferred.base_multiplier, inferred.contract_type) == (symbol, base, multiplier, "linear")
    token = 235 if name.startswith("hyna") else 0
    meta = {"universe": [{"name": name, "szDecimals": 2, "maxLeverage": 10}], "collateralToken": token}
    (listed,) = of(Instrument, parse(meta, f"{INFO}?type=meta"))
    assert inferred.is_same_contract(listed) and not listed.is_inferred


@pytest.mark.parametrize("name", ["", "@107", "PURR/USDC", "#14880", "+1", "BTC ", "a:b:c", "XYZ:SP500", "x" * 60, "ö"])
def test_names_that_are_no_perpetual(name: str) -> None:
    assert VENUE.infer(name) is None


# --- sockets and heartbeat -------------------------------------------------------------------------------------------


def listed(count: int) -> tuple[Instrument, ...]:
    found = [VENUE.infer(f"C{n}") for n in range(count)]
    return tuple(msgspec.structs.replace(i, is_inferred=False, base="ANY") for i in found if i is not None)


def test_subscriptions_stay_within_the_limits() -> None:
    kinds = frozenset({"liquidations", "trades", "book_depth", "mark_prices", "funding_rates", "open_interest"})
    plan = VENUE.subscribe(Wanted(kinds=kinds, instruments=listed(400), detail=frozenset({"ANY"})))
    frames = [json.loads(f) for s in plan for f in s.frames]
    streams = [f["subscription"] for f in frames if f["method"] == "subscribe"]
    users = {s["user"] for s in streams if "user" in s}
    assert len(plan) <= 10 and len(streams) <= 1000 and len(frames) <= 2000
    assert users == set(WATCHED) and len(users) <= 10
    assert all(s.url == WS for s in plan)
    assert all(not isinstance(value, list) for s in streams for value in s.values())  # one stream a frame
    assert len({json.dumps(s) for s in streams}) == len(streams)
    assert sum(s["type"] == "trades" for s in streams) == 400  # the limit cuts books first
    assert sum("coin" in s for s in streams) == MOST_SUBSCRIPTIONS


def test_only_listed_and_trading_names_are_subscribed() -> None:
    good, gone, guessed = listed(3)
    wanted = (good, msgspec.structs.replace(gone, status="delisted"), msgspec.structs.replace(guessed, is_inferred=True))
    plan = VENUE.subscribe(Wanted(kinds=frozenset({"trades"}), instruments=wanted, detail=frozenset({"ANY"})))
    assert [json.loads(f)["subscription"] for s in plan for f in s.frames] == [{"type": "trades", "coin": "C0"}]
    assert VENUE.subscribe(Wanted(kinds=frozenset({"trades"}), instruments=wanted)) == []


def test_metas_are_asked_before_the_contexts_they_order() -> None:
    (socket,) = VENUE.subscribe(Wanted(kinds=frozenset({"mark_prices"}), instruments=()))
    first, second, *_ = (json.loads(f) for f in socket.frames)
    assert first["request"]["payload"] == {"type": "allPerpMetas"} and second["subscription"] == {"type": "allDexsAssetCtxs"}


def test_heartbeat_and_polls() -> None:
    beat = VENUE.heartbeat
    assert beat.payload == b'{"method":"ping"}' and beat.every is not None and beat.every < 60 and beat.reply is None
    p = parser()
    assert p.parse(b'{"channel":"pong"}', NOW) == () and p.channel == "heartbeat"
    for poll in VENUE.polls:
        assert poll.method == "POST" and json.loads(poll.body)["type"] == split_route(poll.url).query["type"]
    assert sum(poll.weight * 60 / poll.every for poll in VENUE.polls) < 1200


# --- bad frames ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null ,", b"[", b"{}{}", b'"text"', b"\xff\xfe", b"[[[[", b'{"channel":5}', b'{"channel":"trades","data":[{"coin":"BTC"}]}',
        b'{"channel":"trades","data":[{"coin":"BTC","side":"X","px":"1","sz":"1","time":1,"tid":1}]}',
        b'{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"nan","sz":"1","time":1,"tid":1}]}',
        b'{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"1","sz":"inf","time":1,"tid":1}]}',
        b'{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"1","sz":"1","time":99999999999999,"tid":1}]}',
        b'{"channel":"trades","data":[{"coin":"B C","side":"A","px":"1","sz":"1","time":1,"tid":1}]}',
        b'{"channel":"fastAssetCtxs","data":"!!!"}', b'{"channel":"fastAssetCtxs","data":"AAAA"}',
        b'{"channel":"candle","data":{"t":1,"T":2,"s":"BTC","i":"99999999999m","o":1,"c":1,"h":1,"l":1,"v":1}}',
        b'["0x1",{"coin":"BTC"}]', b'{"block_number":1,"events":[["0x1",{}]]}',
    ],
)  # fmt: skip
def test_bad_frames_raise_parse_error(payload: bytes) -> None:
    with pytest.raises(ParseError):
        parser().parse(payload, NOW)


def test_channel_is_known_when_a_frame_fails() -> None:
    for payload, channel in (
        (b'{"channel":"trades","data":[{"coin":1}]}', "trades"), (b'{"data":{"fills":1},"channel":"userFills"}', "userFills"),
        (b'["0x1",{"coin":"BTC"}]', "node_fills"), (b'{"events":1,"block_number":1}', "node_fills"),
    ):  # fmt: skip
        p = parser()
        with pytest.raises(ParseError) as caught:
            p.parse(payload, NOW)
        assert caught.value.channel == channel and not isinstance(caught.value, UnknownFrame)


def test_unknown_kinds() -> None:
    for payload in (b'{"channel":"brandNew","data":{}}', b'{"what":1}', b"[[1,2,3]]"):
        with pytest.raises(UnknownFrame):
            parser().parse(payload, NOW)


@pytest.mark.parametrize("route", [WS, INFO, "node_fills_by_block", "odd", f"{INFO}?type=clearinghouseState&user=0x1"])
def test_frames_parse_whatever_the_route_says(route: str) -> None:
    assert len(parse(trades_frame(("BTC", 1, 1)), route)) == 1
    assert len(of(Liquidation, parse([OWNER, OWN], route))) == 1


def corpus() -> list[bytes]:
    cases = [json.loads(path.read_text()) for path in FIXTURES]
    return [json.dumps(case["payload"]).encode() for case in cases]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_frames_give_events_or_parse_error(data: st.DataObject) -> None:
    frame = bytearray(data.draw(st.sampled_from(corpus())))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    kind = data.draw(st.sampled_from([WS, INFO, f"{INFO}?type=meta", f"{INFO}?type=userFills", "node_fills"]))
    try:
        events = parser(kind).parse(bytes(frame), NOW)
    except ParseError:
        return
    for event in events:
        for field in event.__struct_fields__:
            value = getattr(event, field)
            assert not isinstance(value, float) or math.isfinite(value)
            assert isinstance(value, bool) or not isinstance(value, int) or -(2**63) <= value < 2**63


# --- recordings, read in place ---------------------------------------------------------------------------------------


def recorded() -> Iterator[tuple[str, str, bytes, int]]:
    """Every frame of the venue beside this checkout: folder, route, payload, receive time."""
    for line in unzipped("hftbacktest/hyperliquid_btcusd_20250126.gz"):
        ts, _, frame = line.partition(b" ")
        yield "hftbacktest", WS, frame, int(ts)
    for line in unzipped("hyperliquid_node_fills/node_fills_20251027_part1.jsonl.gz"):
        yield "node", "node_fills_by_block", line, NOW
    for line in shared("tardis_native_messages/hyperliquid.jsonl").read_bytes().splitlines():
        yield "tardis", "tardis", line, NOW
    for path in sorted(shared("nautilus_fixtures/hyperliquid").iterdir()):
        yield "nautilus", path.name, path.read_bytes(), NOW
    for path in sorted(shared("jkorf_fixtures/hyperliquid").iterdir()):
        text = path.read_text()
        if path.name.startswith("Subscriptions"):
            acks, _, update = text.partition("\n= ")
            yield "jkorf", WS, update.encode(), NOW
            for line in acks.splitlines():
                if line.startswith("< "):
                    yield "jkorf", WS, line[2:].encode(), NOW
        else:
            yield "jkorf", INFO, text.split("\n", 3)[3].encode(), NOW
    for name in ("hyperliquid_meta.json", "hyperliquid_funding_btc.json"):
        yield "research", INFO, shared(f"crypto_research_rest/{name}").read_bytes(), NOW


def cassettes() -> Iterator[tuple[dict[str, Any], bytes]]:
    yaml = pytest.importorskip("yaml")
    for path in sorted(shared("hyperliquid_sdk_cassettes").iterdir()):
        for exchange in yaml.safe_load(path.read_text())["interactions"]:
            body = exchange["response"]["body"]["string"]
            yield json.loads(exchange["request"]["body"]), body if isinstance(body, bytes) else body.encode()


def test_every_recorded_frame_is_consumed() -> None:
    parsers: dict[tuple[str, str], Parser] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for folder, route, payload, ts in recorded():
        p = parsers.setdefault((folder, route), parser(route))
        p.parse(payload, ts)  # raises for an unknown or bad frame
        counts[folder, p.channel] += 1
    assert counts["hftbacktest", "l2Book"] == 46 and counts["hftbacktest", "trades"] == 9
    assert counts["node", "node_fills"] == 700
    assert counts["tardis", "trades"] == 4 and counts["jkorf", "ack"] == 3
    assert "unknown" not in {channel for _, channel in counts}


@pytest.mark.parametrize("bare", [True, False])
def test_every_cassette_is_consumed(bare: bool) -> None:
    kinds = Counter()
    for asked, payload in cassettes():
        p = parser(INFO if bare else f"{INFO}?" + "&".join(f"{k}={v}" for k, v in asked.items() if k in ("type", "coin", "user", "dex")))
        events = p.parse(payload, NOW)
        kinds[asked["type"]] += 1
        if not bare:
            assert p.channel == asked["type"]
        if asked["type"] == "fundingHistory":
            assert {e.funding_interval_hours for e in of(FundingRate, events)} == {8.0} and len(events) == 34
        if asked["type"] == "clearinghouseState":
            assert {e.account for e in of(PositionSnapshot, events)} == {"" if bare else asked["user"]} and len(events) == 12
    assert kinds["meta"] == 3 and kinds["userFills"] == 1


def test_node_recording_gives_one_trade_per_tid_and_one_liquidation() -> None:
    lines = unzipped("hyperliquid_node_fills/node_fills_20251027_part1.jsonl.gz")
    blocks, by_line, single, tids = parser("node_fills_by_block"), parser("node_fills"), [], set()
    events: list[Event] = []
    for line in lines:
        events += blocks.parse(line, NOW)
        for pair in json.loads(line)["events"]:
            single += by_line.parse(json.dumps(pair).encode(), NOW)
            if not pair[1]["coin"].startswith("@"):
                tids.add((pair[1]["coin"], str(pair[1]["tid"])))
    trades = of(Trade, events)
    assert len(trades) == len(tids) == 2282
    assert {(t.venue_symbol, t.trade_id) for t in trades} == tids
    assert all(t.buyer and t.seller and t.buyer != t.seller for t in trades)
    (liquidation,) = of(Liquidation, events)
    assert (liquidation.account, liquidation.position_side, liquidation.venue_symbol) == (OWNER, "short", "WLFI")
    assert sorted(map(repr, single)) == sorted(map(repr, events))


def test_contexts_of_every_dex_are_read_once_the_order_is_known() -> None:
    frame = shared("nautilus_fixtures/hyperliquid/ws_all_dexs_asset_ctxs.json").read_bytes()
    p = parser()
    assert p.parse(frame, NOW) == []
    meta = json.loads(shared("crypto_research_rest/hyperliquid_meta.json").read_bytes())[0]
    parse(meta, at=p)
    marks = {e.venue_symbol: e for e in of(MarkPrice, p.parse(frame, NOW))}
    assert (marks["BTC"].mark_price, marks["BTC"].index_price) == (77562.0, 77605.0)
    assert len(marks) == sum(not a.get("isDelisted") for a in meta["universe"]) == 190


def test_recorded_backlog_is_older_than_what_follows() -> None:
    p = parser()
    marks = []
    for line in unzipped("hftbacktest/hyperliquid_btcusd_20250126.gz"):
        ts, _, frame = line.partition(b" ")
        trades = of(Trade, p.parse(frame, int(ts)))
        if trades:
            marks.append((trades[0].is_backfill, max(int(ts) - t.ts_event for t in trades)))
    assert [m for m, _ in marks] == [True] + [False] * 8
    assert marks[0][1] > 40e9 and max(age for _, age in marks[1:]) < 5e9
