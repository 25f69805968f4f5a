"""HTX: fixtures, side and notional vectors, backlog, both-sided sizes, keepalive, packing, and every recorded frame."""

import ast
import base64
import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Candle, Event, FundingRate, Liquidation, OpenInterest, Trade
from deleverage.instruments import Instrument
from deleverage.venues import htx
from deleverage.venues.htx import VENUE, reply
from deleverage.venues.venue import Instruments, Parser, Wanted, split_route

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "htx").glob("*.json"))
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
MARKET = "wss://api.hbdm.com/linear-swap-ws"
NOTICES = "wss://api.hbdm.com/linear-swap-notification"
NOW = 1_700_000_000_000_000_000


def parser(route: str = MARKET, instruments: Instruments | None = None) -> Parser:
    return VENUE.parser(split_route(route), instruments or VENUE.instruments())


def packed(frame: object) -> bytes:
    return gzip.compress(frame if isinstance(frame, bytes) else json.dumps(frame).encode())


def payload_of(fixture: dict[str, Any]) -> bytes:
    if "payload_base64" in fixture:
        return base64.b64decode(fixture["payload_base64"])
    body = fixture["payload"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def same(found: object, wanted: object) -> bool:
    if isinstance(wanted, list):
        return isinstance(found, list | tuple) and len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float | int) and not isinstance(wanted, bool):
        if isinstance(found, int) and isinstance(wanted, int):
            return found == wanted
        return isinstance(found, float | int) and math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-15)
    return found == wanted


def check(events: list[Event], expect: list[dict[str, Any]]) -> None:
    assert [type(event).__name__ for event in events] == [e["event"] for e in expect]
    for event, wanted in zip(events, expect, strict=True):
        for field, value in wanted.items():
            if field != "event":
                assert same(getattr(event, field), value), f"{field}: {getattr(event, field)!r} is not {value!r}"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixture(path: Path) -> None:
    fixture = json.loads(path.read_text())
    payload = payload_of(fixture)
    for frame in (payload, payload if payload.startswith(b"\x1f\x8b") else packed(payload)):
        p = parser(fixture["route"])
        check(list(p.parse(frame, fixture["ts_recv"])), fixture["expect"])
        assert p.channel not in ("", "unknown")


@pytest.mark.parametrize("path", [p for p in FIXTURES if not p.stem.startswith("rest_")], ids=lambda path: path.stem)
def test_socket_frame_needs_no_route(path: Path) -> None:
    fixture = json.loads(path.read_text())
    check(list(parser("some-capture.bin").parse(payload_of(fixture), fixture["ts_recv"])), fixture["expect"])


@pytest.mark.parametrize(
    "name",
    [
        "rest_liquidation_orders_v3", "rest_liquidation_orders_v5", "rest_adjustfactor_isolated", "rest_risk_info",
        "rest_insurance_fund", "rest_open_interest", "rest_open_interest_history", "rest_historical_funding_rate",
        "rest_funding_rate", "rest_contract_info", "rest_index", "rest_risk_limit", "rest_ladder_margin", "rest_settlement_records",
        "rest_depth_step6", "rest_history_trade",
    ],
)  # fmt: skip
def test_unmistakable_answer_needs_no_route(name: str) -> None:
    fixture = json.loads(next(p for p in FIXTURES if p.stem == name).read_text())
    check(list(parser("answer.json").parse(payload_of(fixture), fixture["ts_recv"])), fixture["expect"])


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("error_2014_benign", "ack"), ("error_2011", "error"), ("error_topic", "error"), ("rest_error", "error"),
        ("rest_error_v5", "error"), ("subscribed", "ack"), ("subscribed_op", "ack"), ("op_ping", "heartbeat"), ("ping_packed", "heartbeat"),
        ("subscribed_packed", "ack"),
        ("liquidation_orders_swap", "liquidation_orders"), ("rest_liquidation_orders_v5", "liquidation_orders"),
        ("trade_detail_backlog", "trade.detail"), ("depth_step0_packed", "depth"), ("system_maintenance", "system"),
    ],
)  # fmt: skip
def test_channel(name: str, channel: str) -> None:
    fixture = json.loads(next(p for p in FIXTURES if p.stem == name).read_text())
    p = parser(fixture["route"])
    p.parse(payload_of(fixture), fixture["ts_recv"])
    assert p.channel == channel


# --- liquidations -----------------------------------------------------------------------------------------------------


def liquidation(**fields: Any) -> bytes:
    row = {"contract_code": "ETH-USDT", "offset": "close", "volume": 500, "price": 2446.26, "created_at": 1, **fields}
    return json.dumps({"op": "notify", "topic": "public.*.liquidation_orders", "ts": 2, "data": [row]}).encode()


@pytest.mark.parametrize(("direction", "side"), [("sell", "long"), ("buy", "short")])
def test_direction_is_the_order(direction: str, side: str) -> None:
    (event,) = parser(NOTICES).parse(liquidation(direction=direction, trade_turnover=12231.3), NOW)
    assert isinstance(event, Liquidation) and event.position_side == side


@pytest.mark.parametrize("direction", ["", "Sell", "long", "none"])
def test_unknown_direction_is_refused(direction: str) -> None:
    p = parser(NOTICES)
    with pytest.raises(ParseError, match="liquidation_orders"):
        p.parse(liquidation(direction=direction), NOW)
    assert p.channel == "liquidation_orders"


def test_v5_sides_must_agree() -> None:
    row = {"contract_code": "BTC-USDT", "volume": "2", "bankrupt_price": "62978.5", "liquidation_time": "1781849094165", "side": "buy"}
    route = "https://api.hbdm.com/v5/market/liquidation_orders"
    for position_side, side in (("short", "short"), ("both", "short"), ("", "short")):
        body = json.dumps({"code": 200, "data": [{**row, "position_side": position_side}]}).encode()
        (event,) = parser(route).parse(body, NOW)
        assert isinstance(event, Liquidation) and event.position_side == side
    with pytest.raises(ParseError, match="cannot close a long"):
        parser(route).parse(json.dumps({"code": 200, "data": [{**row, "position_side": "long"}]}).encode(), NOW)


def listed(code: str, size: float) -> Instruments:
    found = VENUE.infer(code)
    assert found is not None
    return VENUE.instruments([msgspec.structs.replace(found, contract_size=size, is_inferred=False)])


@pytest.mark.parametrize(
    ("code", "contract_size", "volume", "price", "turnover"),
    [("ETH-USDT", 0.01, 500, 2446.26, 12231.3), ("BTC-USDT", 0.001, 2, 62978.5, 125.957),
     ("BTC-USDT-211210", 0.001, 479, 51441.7, 24640.5743)],
)  # fmt: skip
def test_turnover_reconciles(code: str, contract_size: float, volume: float, price: float, turnover: float) -> None:
    """Volume times contract size times price is the turnover: the specification's vectors, exactly."""
    frame = liquidation(contract_code=code, direction="sell", volume=volume, price=price, amount=volume, trade_turnover=turnover)
    (event,) = parser(NOTICES, listed(code, contract_size)).parse(frame, NOW)
    assert isinstance(event, Liquidation)
    assert event.notional_usd == turnover
    assert event.quantity == pytest.approx(volume * contract_size, rel=1e-12)
    (bare,) = parser(NOTICES, listed(code, contract_size)).parse(
        liquidation(contract_code=code, direction="sell", volume=volume, price=price), NOW
    )
    assert isinstance(bare, Liquidation) and bare.notional_usd == pytest.approx(turnover, rel=1e-12)


@pytest.mark.parametrize(("code", "notional"), [("BTC-USD", 700.0), ("ETH-USD", 70.0), ("BTC210625", 700.0), ("XRP_CQ", 70.0)])
def test_coin_margined_notional_needs_no_price(code: str, notional: float) -> None:
    (event,) = parser(NOTICES).parse(liquidation(contract_code=code, direction="buy", volume=7, price=40.0, trade_turnover=1e9), NOW)
    assert isinstance(event, Liquidation)
    assert (event.contracts, event.notional_usd, event.quantity) == (7, notional, notional / 40)


def test_every_liquidation_states_its_coverage() -> None:
    (event,) = parser(NOTICES).parse(liquidation(direction="sell"), NOW)
    assert isinstance(event, Liquidation)
    assert event.coverage_rule == VENUE.coverage_at(event.ts_event).rule == "presumed_full"


@pytest.mark.parametrize("name", [p.stem for p in FIXTURES if "liquidation_orders" in p.stem])
def test_liquidation_channels_cover(name: str) -> None:
    fixture = json.loads(next(p for p in FIXTURES if p.stem == name).read_text())
    p = parser(fixture["route"])
    p.parse(payload_of(fixture), fixture["ts_recv"])
    assert VENUE.carries_liquidations(p.channel)


# --- trades -----------------------------------------------------------------------------------------------------------


def trades(code: str, *rows: dict[str, Any]) -> bytes:
    return json.dumps({"ch": f"market.{code}.trade.detail", "ts": 3, "tick": {"id": 1, "ts": 2, "data": rows}}).encode()


ROW = {"amount": 196, "quantity": 1.96, "trade_turnover": 4403.1204, "ts": 1722863196444, "id": 1000219512747480000, "price": 2246.49}


def test_first_push_of_each_contract_is_backlog() -> None:
    p = parser()
    first = trades("ETH-USDT", {**ROW, "direction": "sell"})
    assert p.parse(first, NOW) == ()
    assert p.parse(trades("BTC-USDT", {**ROW, "direction": "sell"}), NOW) == ()
    assert len(p.parse(trades("ETH-USDT", {**ROW, "direction": "sell"}, {**ROW, "direction": "buy"}), NOW)) == 2
    assert len(p.parse(trades("BTC-USDT", {**ROW, "direction": "sell"}), NOW)) == 1
    assert parser().parse(first, NOW) == (), "a new connection has a backlog of its own"


def test_linear_trade_counts_one_side() -> None:
    p = parser()
    frame = trades("ETH-USDT", {**ROW, "direction": "sell"})
    p.parse(frame, NOW)
    (unlisted,) = p.parse(frame, NOW)
    q = parser(instruments=listed("ETH-USDT", 0.01))
    q.parse(frame, NOW)
    (known,) = q.parse(frame, NOW)
    for event in (unlisted, known):
        assert isinstance(event, Trade)
        assert (event.taker_side, event.contracts, event.trade_id) == ("sell", 98.0, "1000219512747480000")
        assert event.quantity == pytest.approx(0.98, rel=1e-12)
        assert event.notional_usd == pytest.approx(2201.5602, rel=1e-12)


def test_trade_without_sizes_stays_unknown() -> None:
    p = parser()
    frame = trades("ETH-USDT", {"amount": 8, "ts": 1, "id": 2, "price": 10.5, "direction": "buy"})
    p.parse(frame, NOW)
    (event,) = p.parse(frame, NOW)
    assert isinstance(event, Trade) and (event.contracts, event.quantity, event.notional_usd) == (4.0, None, None)


# --- books, candles, funding ------------------------------------------------------------------------------------------


def test_book_versions_chain() -> None:
    p = parser()
    names = ("depth_high_freq_snapshot", "depth_high_freq_update", "depth_high_freq_empty")
    frames = [payload_of(json.loads(next(f for f in FIXTURES if f.stem == name).read_text())) for name in names]
    books = [event for frame in frames for event in p.parse(frame, NOW)]
    assert all(isinstance(book, BookDepth) for book in books)
    assert [(b.sequence, b.previous_sequence) for b in books if isinstance(b, BookDepth)] == [(500, None), (501, 500), (502, 501)]


def test_incremental_book_needs_version_and_known_event() -> None:
    for tick in ({"bids": [], "asks": [], "event": "update"}, {"bids": [], "asks": [], "version": 1}, {"event": "reset", "version": 1}):
        p = parser()
        with pytest.raises(ParseError):
            p.parse(json.dumps({"ch": "market.BTC-USDT.depth.size_20.high_freq", "ts": 1, "tick": tick}).encode(), NOW)
        assert p.channel == "depth"


def test_a_candle_closes_when_the_next_begins() -> None:
    p = parser()

    def push(start: int, close: float) -> list[Candle]:
        tick = {"id": start, "open": 10, "close": close, "high": 12, "low": 9, "amount": 2, "vol": 4, "trade_turnover": 20, "count": 3}
        frame = {"ch": "market.BTC-USDT.kline.1min", "ts": (start + 30) * 1000, "tick": tick}
        return [event for event in p.parse(json.dumps(frame).encode(), NOW) if isinstance(event, Candle)]

    assert [c.is_closed for c in push(60, 10)] == [False]
    assert [c.is_closed for c in push(60, 11)] == [False]
    closed, running = push(120, 11.5)
    assert (closed.is_closed, closed.ts_open, closed.close) == (True, 60 * 10**9, 11)
    assert (running.is_closed, running.ts_open, running.close) == (False, 120 * 10**9, 11.5)


def funding(rate: str, estimated: str | None = None, settlement: str = "1592913600000", ts: int = 1592904820339) -> bytes:
    row = {
        "contract_code": "BTC-USD",
        "funding_time": "1",
        "funding_rate": rate,
        "estimated_rate": estimated,
        "settlement_time": settlement,
    }
    return json.dumps({"op": "notify", "topic": "public.BTC-USD.funding_rate", "ts": ts, "data": [row]}).encode()


def test_unchanged_funding_is_not_repeated() -> None:
    p = parser(NOTICES)
    assert len(p.parse(funding("0.0001"), NOW)) == 1
    assert len(p.parse(funding("0.000100"), NOW)) == 0
    assert len(p.parse(funding("0.0002"), NOW)) == 1
    assert len(p.parse(funding("0.0002", settlement="1592942400000"), NOW)) == 1
    assert len(parser(NOTICES).parse(funding("0.0002"), NOW)) == 1, "a new connection starts afresh"


def test_unchanged_funding_is_told_again_every_ten_minutes() -> None:
    p, start = parser(NOTICES), 1592904820339
    told = [ms for ms in range(0, 1_800_000, 5_000) if p.parse(funding("0.0001", ts=start + ms), NOW)]
    assert told == [0, 600_000, 1_200_000]


def test_estimated_rate_belongs_to_the_settlement_after() -> None:
    assert len(parser(NOTICES).parse(funding("0.0001", "0.00011"), NOW)) == 1, "without the interval its settlement is unknown"
    found = VENUE.infer("BTC-USD")
    assert found is not None
    book = VENUE.instruments([msgspec.structs.replace(found, funding_interval_hours=8.0, is_inferred=False)])
    this, following = parser(NOTICES, book).parse(funding("0.0001", "0.00011"), NOW)
    assert isinstance(this, FundingRate) and isinstance(following, FundingRate)
    assert (this.funding_rate, this.funding_time) == (0.0001, 1592913600000 * 10**6)
    assert (following.funding_rate, following.funding_time) == (0.00011, (1592913600000 + 8 * 3_600_000) * 10**6)
    assert this.funding_kind == following.funding_kind == "predicted"


def test_open_interest_history_in_coins() -> None:
    body = {"status": "ok", "data": {"contract_code": "BTC-USD", "tick": [{"volume": "12.5", "amount_type": 2, "ts": 1, "value": ""}]}}
    (event,) = parser("https://api.hbdm.com/swap-api/v1/swap_his_open_interest").parse(json.dumps(body).encode(), NOW)
    assert isinstance(event, OpenInterest) and (event.open_interest_base, event.open_interest_usd) == (12.5, None)


# --- names and listings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "symbol", "base", "kind", "contract_size"),
    [
        ("BTC-USDT", "BTC/USDT:USDT", "BTC", "perpetual", None),
        ("BTC-USD", "BTC/USD:BTC", "BTC", "perpetual", 100.0),
        ("SHIB-USD", "SHIB/USD:SHIB", "SHIB", "perpetual", 10.0),
        ("BTC-USDT-250627", "BTC/USDT:USDT-250627", "BTC", "future", None),
        ("BTC250627", "BTC/USD:BTC-250627", "BTC", "future", 100.0),
        ("1INCH210625", "1INCH/USD:1INCH-210625", "1INCH", "future", 10.0),
        ("BTC_CQ", "BTC/USD:BTC-CQ", "BTC", "future", 100.0),
        ("BTC-USDT-NW", "BTC/USDT:USDT-NW", "BTC", "future", None),
        ("龙虾-USDT", "龙虾/USDT:USDT", "龙虾", "perpetual", None),
    ],
)
def test_infer(code: str, symbol: str, base: str, kind: str, contract_size: float | None) -> None:
    found = VENUE.infer(code)
    assert found is not None and found.is_inferred
    assert (found.symbol, found.base, found.kind, found.contract_size) == (symbol, base, kind, contract_size)
    assert found.size_unit == "contracts"


@pytest.mark.parametrize(
    "code", ["", "BTC", "*", "-USDT", "BTC-EUR", "BTC-USDT-259999", "BTC_XX", "BTCUSDT", "BTC USDT", "a.b-USDT", "BTCCQ"]
)
def test_impossible_names(code: str) -> None:
    assert VENUE.infer(code) is None


@pytest.mark.parametrize("name", ["rest_contract_info", "rest_contract_info_coin_swap", "rest_contract_info_coin_future", "contract_info"])
def test_listing_and_name_agree(name: str) -> None:
    fixture = json.loads(next(p for p in FIXTURES if p.stem == name).read_text())
    p = parser(fixture["route"])
    for event in p.parse(payload_of(fixture), fixture["ts_recv"]):
        assert isinstance(event, Instrument)
        inferred = VENUE.infer(event.venue_symbol)
        assert inferred is not None
        assert (inferred.symbol, inferred.base, inferred.expiry) == (event.symbol, event.base, event.expiry)
        assert p.instruments.listed(event.venue_symbol) is None, "the pipeline adds listings, not the parser"


def test_push_keeps_the_interval_that_only_rest_knows() -> None:
    found = VENUE.infer("MANA-USDT")
    assert found is not None
    book = VENUE.instruments([msgspec.structs.replace(found, contract_size=10.0, funding_interval_hours=4.0, is_inferred=False)])
    fixture = json.loads(next(p for p in FIXTURES if p.stem == "contract_info").read_text())
    (event,) = parser(NOTICES, book).parse(payload_of(fixture), NOW)
    assert isinstance(event, Instrument) and event.funding_interval_hours == 4.0


# --- packing and keepalive --------------------------------------------------------------------------------------------


def test_damaged_packing_is_a_parse_error() -> None:
    whole = packed(liquidation(direction="sell"))
    for bad in (whole[:-1], whole[:20], whole[:2], whole + b"x", whole[:12] + b"\xff" + whole[13:]):
        p = parser(NOTICES)
        with pytest.raises(ParseError):
            p.parse(bad, NOW)
        assert p.channel == "gzip"
    assert len(parser(NOTICES).parse(whole, NOW)) == 1


def test_a_bomb_does_not_unpack() -> None:
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))
    assert len(bomb) < 100_000
    with pytest.raises(ParseError, match="16777216"):
        parser().parse(bomb, NOW)


@pytest.mark.parametrize("pack", [packed, bytes])
def test_replies_to_both_dialects(pack: Any) -> None:
    assert reply(pack(b'{"ping":1645289389619}')) == b'{"pong":1645289389619}'
    assert reply(pack(b'{"op":"ping","ts":"1492420473058"}')) == b'{"op":"pong","ts":"1492420473058"}'
    assert reply(pack(b'{"op":"ping","ts":1492420473058}')) == b'{"op":"pong","ts":1492420473058}'
    for other in (b'{"op":"notify","ts":1}', b'{"pong":1}', b"[]", b"", b"ping", b'{"op":"sub","ping":1}', b"[" * 199):
        assert reply(pack(other)) is None
    assert reply(gzip.compress(b'{"ping":1}')[:-2]) is None
    assert VENUE.heartbeat.reply is reply


def test_every_recorded_ping_is_answered() -> None:
    fixture = json.loads(next(p for p in FIXTURES if p.stem == "ping_packed").read_text())
    answer = reply(payload_of(fixture))
    assert answer is not None and json.loads(answer) == {"pong": json.loads(zlib.decompress(payload_of(fixture), 31))["ping"]}


# --- whatever the bytes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null", b"[]", b"{}", b"1", b"\x1f\x8b", b'{"ch":"', b'{"ch":""}', b'{"ch":"market"}', b'{"ch":"market.BTC-USDT.nope"}',
        b'{"ch":"market.BTC.depth.step0","tick":{}}',
        b'{"ch":"market.BTC-USDT.kline.7min","tick":{"id":1,"open":1,"high":1,"low":1,"close":1}}',
        b'{"op":"notify"}', b'{"op":"notify","topic":"orders.BTC-USDT","data":[]}', b'{"op":"notify","topic":"public.*.funding_rate"}',
        b'{"ch":"market.BTC-USD.trade.detail","tick":{"data":[{"amount":"nan","ts":1,"id":1,"price":1,"direction":"buy"}]}}',
        b'{"ch":"market.BTC-USD.trade.detail","tick":{"data":[{"amount":1,"ts":1,"id":1,"price":1e-300,"direction":"buy"}]}}',
        b'{"ch":"market.BTC-USD.trade.detail","tick":{"data":[{"amount":1,"ts":1,"id":1,"price":1,"direction":"hold"}]}}',
        b'{"ch":"market.BTC-USD.bbo","ts":99999999999999999,"tick":{"bid":[1,1],"ask":[2,2]}}',
        b'{"op":"notify","topic":"public.*.funding_rate","ts":1,"data":[{"contract_code":"BTC-USD","funding_rate":"inf"}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_bad_frames_are_parse_errors(payload: bytes) -> None:
    for frame in (payload, packed(payload)):
        with pytest.raises(ParseError):
            parser().parse(frame, NOW)


def test_unknown_kinds_are_told_apart() -> None:
    for frame in (b'{"ch":"market.BTC-USDT.nope"}', b'{"op":"notify","topic":"orders.BTC-USDT"}', b'{"x":1}'):
        with pytest.raises(UnknownFrame):
            parser().parse(frame, NOW)
    with pytest.raises(UnknownFrame):
        parser("https://api.hbdm.com/linear-swap-api/v1/nope").parse(b'{"status":"ok","data":[]}', NOW)


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, float | int):
        yield value


def test_mutated_frames_give_events_or_parse_errors() -> None:
    """Every fixture with one byte changed, dropped or doubled, at a spread of places: finite numbers, int64 instants, or ParseError."""
    for path in FIXTURES:
        fixture = json.loads(path.read_text())
        payload = payload_of(fixture)
        payload = zlib.decompress(payload, 31) if payload.startswith(b"\x1f\x8b") else payload
        if len(payload) > 5000:
            continue
        for at in range(0, len(payload), max(1, len(payload) // 60)):
            for bad in (
                payload[:at],
                payload[:at] + b"9" + payload[at:],
                payload[:at] + b"-" + payload[at + 1 :],
                payload[:at] + payload[at + 1 :],
            ):
                try:
                    events = parser(fixture["route"]).parse(bad, fixture["ts_recv"])
                except ParseError:
                    continue
                for event in events:
                    for number in numbers(msgspec.structs.astuple(event)):
                        assert math.isfinite(number)
                        assert not isinstance(number, int) or -(2**63) <= number < 2**63


# --- what to subscribe ------------------------------------------------------------------------------------------------


def wanted(*kinds: str, codes: tuple[str, ...] = (), detail: frozenset[str] = frozenset()) -> Wanted:
    contracts = [found for code in codes if (found := VENUE.infer(code)) is not None]
    return Wanted(kinds=frozenset(kinds), instruments=tuple(contracts), detail=detail)


def test_liquidations_need_one_wildcard_per_family_and_a_control() -> None:
    plan = VENUE.subscribe(wanted("liquidations"))
    assert [s.url.rpartition("/")[2] for s in plan] == ["linear-swap-notification", "swap-notification", "notification"]
    for socket in plan:
        topics = [json.loads(frame)["topic"] for frame in socket.frames]
        assert topics[0] == "public.*.liquidation_orders"
        assert VENUE.carries_liquidations(socket.frames[0].decode())
    for socket in plan[:2]:
        assert json.loads(socket.frames[-1])["topic"] == "public.*.funding_rate", "the control stream"
    assert json.loads(plan[0].frames[0])["business_type"] == "all"
    assert VENUE.subscribe(wanted("option_quotes")) == []


def test_detail_goes_to_the_socket_of_its_family() -> None:
    codes = ("BTC-USDT", "BTC-USDT-250627", "BTC-USD", "BTC250627", "ETH-USDT")
    plan = VENUE.subscribe(wanted("trades", "book_depth", "mark_prices", codes=codes, detail=frozenset({"BTC"})))
    topics = {s.url.rpartition("/")[2]: [json.loads(f).get("sub") for f in s.frames] for s in plan}
    assert topics["linear-swap-ws"] == [
        "market.BTC-USDT.trade.detail", "market.BTC-USDT.depth.size_150.high_freq",
        "market.BTC-USDT-250627.trade.detail", "market.BTC-USDT-250627.depth.size_150.high_freq",
    ]  # fmt: skip
    assert topics["swap-ws"] == ["market.BTC-USD.trade.detail", "market.BTC-USD.depth.size_150.high_freq"]
    assert topics["ws"] == ["market.BTC250627.trade.detail", "market.BTC250627.depth.size_150.high_freq"]
    assert topics["ws_index"] == ["market.BTC-USDT.mark_price.1min", "market.BTC-USD.mark_price.1min"]
    depth = [json.loads(f) for s in plan for f in s.frames if b".depth." in f]
    assert depth and all(f["data_type"] == "incremental" for f in depth)


def test_sockets_stay_within_limits() -> None:
    codes = tuple(f"C{n}-USDT" for n in range(400))
    plan = VENUE.subscribe(wanted("trades", "book_depth", codes=codes, detail=frozenset(f"C{n}" for n in range(400))))
    assert max(len(s.frames) for s in plan) <= htx.TOPICS_PER_SOCKET
    sent = [json.loads(f)["sub"] for s in plan for f in s.frames]
    assert len(sent) == len(set(sent)) == 800


def test_polls_parse_as_rest_and_stay_within_limits() -> None:
    """240 questions in 3 s are allowed; every address has a reader."""
    assert sum(3 * poll.weight / poll.every for poll in VENUE.polls) < 240
    for poll in VENUE.polls:
        assert parser(poll.url).parse(b'{"status":"ok","data":[],"ts":1}', NOW) in ((), [])


def test_owns_its_hosts() -> None:
    for url in ("wss://api.hbdm.com/swap-ws", "https://api.hbdm.vn/v5/market/risk/limit", "wss://api.huobi.pro/ws"):
        assert split_route(url).host.endswith(VENUE.owns)


# --- recordings -------------------------------------------------------------------------------------------------------


def recorded(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the shared recordings are not here: {name}")
    return path


def coin_swap_frames() -> Iterator[tuple[int, bytes]]:
    with gzip.open(recorded("cryptofeed/HUOBI_SWAP.ws.1.0.gz"), "rt") as lines:
        for line in lines:
            stamp, _, text = line.partition(": ")
            if not stamp.startswith("wss") and text.strip():
                yield int(float(stamp) * 1e9), ast.literal_eval(text.strip())


def test_recording_of_2022_is_consumed() -> None:
    p = parser("wss://api.hbdm.com/swap-ws")
    channels: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    answered = 0
    for ts, frame in coin_swap_frames():
        kinds.update(type(event).__name__ for event in p.parse(frame, ts))
        channels[p.channel] += 1
        answered += reply(frame) is not None
    assert channels == {"depth": 1274, "ack": 10, "trade.detail": 6, "heartbeat": 6}
    assert kinds == {"BookDepth": 1274, "Trade": 1}, "five of the six trade pushes are backlog"
    assert answered == 6


def test_recorded_trade_took_half_its_amount_off_the_book() -> None:
    """The evidence for counting one side: the bid at the trade's price falls by what the trade event says, half of what the wire says."""
    p = parser("wss://api.hbdm.com/swap-ws")
    events = [e for ts, frame in coin_swap_frames() for e in p.parse(frame, ts) if getattr(e, "venue_symbol", "") == "SHIB-USD"]
    at = next(n for n, event in enumerate(events) if isinstance(event, Trade))
    trade, before, after = events[at], events[at - 1], events[at + 1]
    assert isinstance(trade, Trade) and isinstance(before, BookDepth) and isinstance(after, BookDepth)
    assert trade.taker_side == "sell"
    assert dict(before.bids)[trade.price] - dict(after.bids)[trade.price] == trade.contracts == 25
    assert trade.notional_usd == 250


def test_recorded_messages_of_coin_swaps_are_consumed() -> None:
    lines = recorded("tardis_native_messages/htx-coin-swap.jsonl").read_bytes().splitlines()
    p = parser("htx-coin-swap.jsonl")
    events = [event for line in lines for event in p.parse(line, NOW)]
    assert [type(e).__name__ for e in events] == [
        "Trade", "BookDepth", "MarkPrice", "OpenInterest", "FundingRate", "Liquidation", "Liquidation", "BookDepth",
    ]  # fmt: skip
    trade, _, mark, interest, rate, short, long, _ = events
    check(
        [trade, mark, interest, rate, short, long],
        [
            {"event": "Trade", "symbol": "BSV/USD:BSV", "contracts": 40, "notional_usd": 400},
            {"event": "MarkPrice", "index_price": 9582.975, "mark_price": None},
            {"event": "OpenInterest", "open_interest": 1711705, "open_interest_base": 17841.411298728373, "open_interest_usd": 171170500},
            {"event": "FundingRate", "funding_rate": 0.0001, "funding_time": 1592913600000 * 10**6, "funding_kind": "predicted"},
            {"event": "Liquidation", "position_side": "short", "contracts": 231, "notional_usd": 2310, "quantity": 2310 / 229.95},
            {"event": "Liquidation", "position_side": "long", "contracts": 3, "notional_usd": 30},
        ],
    )
    assert isinstance(interest, OpenInterest) and interest.open_interest % 2 == 1, "an odd count cannot be the sum of two equal sides"


def test_documented_messages_are_consumed() -> None:
    folder = recorded("jkorf_fixtures/htx")
    seen: Counter[str] = Counter()
    for path in sorted(folder.glob("*.txt")):
        text = path.read_text()
        if path.name.startswith("Subscriptions"):
            _, ack, update = text.replace("|1|", "1").split("\n", 2)
            p = parser(NOTICES if "Liquidation" in path.name else MARKET)
            assert p.parse(ack.removeprefix("<").encode(), NOW) == () and p.channel == "ack"
            p.parse(update.removeprefix("=").encode(), NOW)
        else:
            _, address, _, body = text.split("\n", 3)
            p = parser(f"https://api.hbdm.com{address.strip()}")
            p.parse(body.encode(), NOW)
        assert p.channel not in ("", "unknown", "error"), path.name
        seen[p.channel] += 1
    assert sum(seen.values()) == 20
