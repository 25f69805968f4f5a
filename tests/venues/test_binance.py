"""Binance: fixtures, side and notional vectors, the book's join rule, subscriptions, and every recorded frame."""

import gzip
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.captures import recorded as bundled_frames

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import AdlSignal, BookDepth, Event, FundingRate, Liquidation, MarkPrice, Trade
from deleverage.instruments import Instrument
from deleverage.venues.binance import LARGEST_SINCE, VENUE, joins
from deleverage.venues.binance_contracts import STREAMS_PER_SOCKET, infer
from deleverage.venues.venue import Parser, Wanted, split_route

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "binance").glob("*.json"))
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
MARKET, PUBLIC = "wss://fstream.binance.com/market/stream", "wss://fstream.binance.com/public/stream"
NOW = 1_789_672_236_800_000_000


def parser(route: str = MARKET, listed: Sequence[Instrument] = ()) -> Parser:
    return VENUE.parser(split_route(route), VENUE.instruments(listed))


def parse(message: object, route: str = MARKET, at: Parser | None = None, now: int = NOW) -> list[Event]:
    return list((at or parser(route)).parse(msgspec.json.encode(message), now))


def case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(path for path in FIXTURES if path.stem == name).read_text())
    return found


def same(value: object, wanted: object) -> bool:
    if isinstance(wanted, list):
        return isinstance(value, list) and [list(level) for level in value] == wanted
    if isinstance(wanted, float) and isinstance(value, float | int):
        return math.isclose(value, wanted, rel_tol=1e-12)
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("layout", ["compact", "spaced", "reordered"])
def test_fixture(path: Path, layout: str) -> None:
    """The fast way (as the venue writes) and the slow way (any other JSON layout) give the same events."""
    fixture = json.loads(path.read_text())
    body = fixture["payload"]
    if layout == "reordered" and isinstance(body, dict):
        body = dict(reversed(body.items()))
    payload = json.dumps(body, separators=(",", ":"), indent=1 if layout == "spaced" else None).encode()
    reading = parser(fixture["route"])
    events = reading.parse(payload, fixture["ts_recv"])
    assert [type(event).__name__ for event in events] == [wanted["event"] for wanted in fixture["expect"]]
    for event, wanted in zip(events, fixture["expect"], strict=True):
        assert (event.venue, event.ts_recv) == ("binance", fixture["ts_recv"])
        for field, value in wanted.items():
            if field != "event":
                assert same(getattr(event, field), value), (field, getattr(event, field), value)
    assert reading.channel == fixture.get("channel", reading.channel) and reading.channel not in ("", "unknown")


@pytest.mark.parametrize(
    "path", [p for p in FIXTURES if not p.stem.startswith("rest_") and "own" not in p.stem], ids=lambda path: path.stem
)
def test_socket_frame_needs_no_route(path: Path) -> None:
    fixture = json.loads(path.read_text())
    for route in ("", "capture.gz", "https://fstream.binance.com/x?symbol=ETHUSDT"):
        events = parse(fixture["payload"], route, now=fixture["ts_recv"])
        assert [type(event).__name__ for event in events] == [wanted["event"] for wanted in fixture["expect"]]


@pytest.mark.parametrize(
    "name",
    [
        "rest_exchange_info", "rest_exchange_info_coin", "rest_option_exchange_info", "rest_open_interest", "rest_open_interest_coin",
        "rest_open_interest_history", "rest_open_interest_history_coin", "rest_premium_index", "rest_funding_history", "rest_insurance",
        "rest_adl_risk", "rest_brackets", "rest_brackets_coin",
    ],
)  # fmt: skip
def test_unmistakable_answer_needs_no_route(name: str) -> None:
    fixture = case(name)
    events = parse(fixture["payload"], "answer.json", now=fixture["ts_recv"])
    assert [(type(e).__name__, e.venue_symbol) for e in events] == [
        (type(e).__name__, e.venue_symbol) for e in parse(fixture["payload"], fixture["route"], now=fixture["ts_recv"])
    ]
    assert events


# --- liquidations and prints -----------------------------------------------------------------------------------------


def order(**over: object) -> dict[str, object]:
    plain = {"s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "2", "p": "90", "ap": "100", "z": "2", "T": 1_789_672_236_000}
    return {"e": "forceOrder", "E": 1_789_672_236_702, "o": {**plain, **over}}


@pytest.mark.parametrize(("side", "position"), [("SELL", "long"), ("BUY", "short")])
def test_side_of_the_order_closes_the_other_position(side: str, position: str) -> None:
    (event,) = parse(order(S=side))
    assert isinstance(event, Liquidation) and event.position_side == position


@pytest.mark.parametrize("side", ["", "Sell", "LONG", "buy"])
def test_unknown_side_is_refused(side: str) -> None:
    reading = parser()
    with pytest.raises(ParseError, match="forceOrder"):
        parse(order(S=side), at=reading)
    assert reading.channel == "forceOrder"


@pytest.mark.parametrize(
    ("name", "size", "price", "contracts", "quantity", "notional"),
    [
        ("COTIUSDT", "288183", "0.0219120", None, 288183, 6314.665896),  # the specification's vectors
        ("BTCUSD_PERP", "2304", "76800", 2304, 3.0, 230_400),
        ("ETHUSD_261225", "7", "2000", 7, 0.035, 70),
        ("BTCUSDT_261225", "0.5", "80000", None, 0.5, 40_000),
    ],
)
def test_notional(name: str, size: str, price: str, contracts: float | None, quantity: float, notional: float) -> None:
    (event,) = parse(order(s=name, q=size, z=size, p="1", ap=price))
    assert isinstance(event, Liquidation)
    assert event.contracts == contracts
    assert (event.quantity, event.notional_usd) == (pytest.approx(quantity, rel=1e-12), pytest.approx(notional, rel=1e-12))


@pytest.mark.parametrize(("name", "product"), [("BTCUSDT", "linear"), ("BTCUSD_PERP", "inverse"), ("BTCUSDC", "linear")])
@pytest.mark.parametrize("at", [LARGEST_SINCE - 1_000_000, LARGEST_SINCE])
def test_coverage_rule_is_the_one_in_force(name: str, product: str, at: int) -> None:
    (event,) = parse(order(s=name, T=at // 1_000_000))
    assert isinstance(event, Liquidation) and event.coverage_rule == VENUE.coverage_at(at, product).rule
    assert event.coverage_rule == ("largest_per_second" if product == "linear" and at >= LARGEST_SINCE else "latest_per_second")


def test_repeated_message_is_the_same_event() -> None:
    reading = parser()
    first, again = parse(order(), at=reading, now=1), parse(order(), at=reading, now=2)
    assert [msgspec.structs.replace(e, ts_recv=0) for e in first] == [msgspec.structs.replace(e, ts_recv=0) for e in again]


def print_(**over: object) -> dict[str, object]:
    return {"e": "trade", "E": 2, "T": 1, "s": "BTCUSDT", "t": 5, "p": "100", "q": "3", "X": "MARKET", "m": True, **over}


def test_prints_of_fund_and_deleveraging() -> None:
    kinds = {X: parse(print_(X=X)) for X in ("MARKET", "INSURANCE_FUND", "ADL", "NA")}
    assert {X: [type(e) for e in events] for X, events in kinds.items()} == {
        "MARKET": [Trade], "INSURANCE_FUND": [Trade], "ADL": [Trade, AdlSignal], "NA": [Trade],
    }  # fmt: skip
    assert [e.trade_kind for X in kinds for e in kinds[X] if isinstance(e, Trade)] == ["market", "insurance_fund", "adl", "other"]
    (_, signal) = parse(print_(X="ADL", s="BTCUSD_PERP"))
    assert isinstance(signal, AdlSignal)
    assert (signal.signal, signal.quantity, signal.notional_usd) == ("print", 3.0, 300.0)


@pytest.mark.parametrize("fields", [{"m": None}, {"m": None, "S": "0"}, {"s": "BTC-261225-90000-C", "m": None, "S": "LONG"}])
def test_trade_without_a_side_is_an_error(fields: dict[str, object]) -> None:
    with pytest.raises(ParseError):
        parse(print_(**fields))


# --- what a connection remembers -------------------------------------------------------------------------------------


def mark(at: int, **over: object) -> dict[str, object]:
    plain = {"e": "markPriceUpdate", "E": at, "s": "BTCUSDT", "p": "100", "i": "101", "r": "0.0001", "T": 1_789_690_000_000}
    return {**plain, **over}


def test_unchanged_rate_is_not_repeated() -> None:
    reading = parser()
    steps = [{}, {}, {"r": "0.0002"}, {"T": 1_789_700_000_000, "r": "0.0002"}, {"s": "ETHUSDT"}, {}]
    kinds = [[type(e) for e in parse(mark(n, **over), at=reading)][1:] for n, over in enumerate(steps)]
    assert kinds == [[FundingRate], [], [FundingRate], [FundingRate], [FundingRate], [FundingRate]]
    assert len(parse(mark(9))) == 2, "a new connection has been told nothing"


def test_unchanged_rate_is_told_again_every_ten_minutes() -> None:
    reading = parser()
    told = [ms for ms in range(0, 3_600_000, 1_000) if len(parse(mark(ms), at=reading)) == 2]
    assert told == [0, 600_000, 1_200_000, 1_800_000, 2_400_000, 3_000_000]


def test_stream_name_of_one_frame_says_nothing_of_the_next() -> None:
    body = case("depth_partial_is_a_snapshot")["payload"]
    reading = parser(PUBLIC)
    kinds = [parse(frame, at=reading)[0] for frame in (body, body["data"], {"stream": "btcusdt@depth@0ms", "data": body["data"]}, body)]
    assert [e.update for e in kinds if isinstance(e, BookDepth)] == ["snapshot", "delta", "delta", "snapshot"]


def test_one_odd_row_hides_no_other_and_alone_is_an_error() -> None:
    good, odd, bad = mark(1), mark(1, s="???"), mark(1, i="x")
    assert len(parse([odd, good, bad])) == 2
    assert len(parse({"stream": "!markPrice@arr@1s", "data": [odd, {"e": "brandNew"}, good, 5]})) == 2
    for rows in ([odd], [bad], [odd, bad]):
        with pytest.raises(ParseError):
            parse(rows)


# --- funding intervals ------------------------------------------------------------------------------------------------


def test_interval_is_unknown_until_funding_info_tells() -> None:
    info = case("rest_exchange_info")
    book = VENUE.instruments()
    for event in parse(info["payload"], info["route"]):
        assert isinstance(event, Instrument) and event.funding_interval_hours is None
        book.add(event)
    rows = [{"symbol": "DEFIUSDT", "adjustedFundingRateCap": "0.02", "adjustedFundingRateFloor": "-0.02", "fundingIntervalHours": 4}]
    reading = VENUE.parser(split_route("https://fapi.binance.com/fapi/v1/fundingInfo"), book)
    told = [e for e in parse(rows, at=reading) if isinstance(e, Instrument)]
    assert {e.venue_symbol: e.funding_interval_hours for e in told} == {
        "1000SHIBUSDT": 8.0, "BTCBUSD": 8.0, "BTCSTUSDT": 8.0, "BTCUSDT": 8.0, "DEFIUSDT": 4.0,
    }  # fmt: skip
    for event in told:
        book.add(event)
    again = parse([], at=reading)
    assert {e.venue_symbol: e.funding_interval_hours for e in again if isinstance(e, Instrument)} == {"DEFIUSDT": 8.0}
    listed = VENUE.parser(split_route(info["route"]), book)
    kept = {e.venue_symbol: e.funding_interval_hours for e in parse(info["payload"], at=listed) if isinstance(e, Instrument)}
    assert kept["DEFIUSDT"] == 4.0, "a listing keeps what only funding info knows"
    (_, rate) = parse(mark(1, s="DEFIUSDT"), at=VENUE.parser(split_route(MARKET), book))
    assert isinstance(rate, FundingRate) and rate.funding_interval_hours == 4.0


# --- books ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("snapshot", "first", "last", "previous", "joined"),
    [
        (160, 157, 165, 149, True),  # U <= lastUpdateId <= u
        (157, 157, 165, 149, True),
        (165, 157, 165, 149, True),
        (149, 157, 165, 149, True),  # the snapshot is what came right before
        (166, 157, 165, 149, False),  # older than the snapshot: dropped
        (148, 157, 165, 149, False),  # changes are missing: ask again
        (150, 157, 165, 149, False),
    ],
)
def test_book_joins_its_snapshot(snapshot: int, first: int, last: int, previous: int, joined: bool) -> None:
    assert joins(snapshot, first, last, previous) is joined


# --- names and listings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol", "base", "kind", "size_unit", "contract_size"),
    [
        ("BTCUSDT", "BTC/USDT:USDT", "BTC", "perpetual", "base", None),
        ("BTCUSDT_250627", "BTC/USDT:USDT-250627", "BTC", "future", "base", None),
        ("BTCUSD_PERP", "BTC/USD:BTC", "BTC", "perpetual", "contracts", 100.0),
        ("ADAUSD_PERP", "ADA/USD:ADA", "ADA", "perpetual", "contracts", 10.0),
        ("BTCUSD_250627", "BTC/USD:BTC-250627", "BTC", "future", "contracts", 100.0),
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT", "PEPE", "perpetual", "base", None),
        ("USDCUSDT", "USDC/USDT:USDT", "USDC", "perpetual", "base", None),
        ("币安人生USDT", "币安人生/USDT:USDT", "币安人生", "perpetual", "base", None),
        ("BTC-240927-25000-P", "BTC/USDT:USDT-240927-25000-P", "BTC", "option", "contracts", 1.0),
        ("DOGE-231006-0.06-C", "DOGE/USDT:USDT-231006-0.06-C", "DOGE", "option", "contracts", 1000.0),
        ("SOL-231006-20-C", "SOL/USDT:USDT-231006-20-C", "SOL", "option", "contracts", None),
    ],
)
def test_infer(name: str, symbol: str, base: str, kind: str, size_unit: str, contract_size: float | None) -> None:
    found = infer(name)
    assert found is not None and found.is_inferred
    assert (found.symbol, found.base, found.kind, found.size_unit, found.contract_size) == (symbol, base, kind, size_unit, contract_size)


@pytest.mark.parametrize(
    "name",
    ["", "USDT", "BTC", "btcusdt", "BTCUSDT_", "BTCUSDT_259999", "BTCUSDT_25062", "BTCUSDT_٢٥٠٦٢٧", "BTCUSDT_PERP_X", "BTC-240927-25000-X",
     "BTC-240927--P", "BTC-240927-1e9-P", "BTC-240927-nan-P", "-240927-1-P", "B TCUSDT", "A" * 60 + "USDT"],
)  # fmt: skip
def test_infer_refuses(name: str) -> None:
    assert infer(name) is None


@pytest.mark.parametrize("name", ["rest_exchange_info", "rest_exchange_info_coin", "rest_option_exchange_info", "option_symbol"])
def test_listing_and_name_agree(name: str) -> None:
    fixture = case(name)
    reading = parser(fixture["route"])
    for event in parse(fixture["payload"], at=reading):
        assert isinstance(event, Instrument)
        read = infer(event.venue_symbol)
        assert read is not None
        for field in (
            "symbol",
            "base",
            "quote",
            "settlement_asset",
            "kind",
            "contract_type",
            "size_unit",
            "expiry",
            "strike",
            "option_type",
        ):
            assert getattr(read, field) == getattr(event, field), field
        assert read.contract_size in (None, event.contract_size)
        assert reading.instruments.listed(event.venue_symbol) is None, "the pipeline adds listings, not the parser"


def test_unit_of_an_option_comes_from_its_listing() -> None:
    listed = msgspec.structs.replace(infer("SOL-231006-20-C"), contract_size=10.0, is_inferred=False)
    (event,) = parse(print_(s="SOL-231006-20-C", p="50", q="2"), at=parser(PUBLIC, [listed]))
    assert isinstance(event, Trade) and (event.price, event.quantity, event.contracts, event.notional_usd) == (5.0, 20.0, 2.0, None)


# --- what to subscribe ------------------------------------------------------------------------------------------------


def params(frame: bytes) -> list[str]:
    return list(json.loads(frame)["params"])


def wanted(*kinds: str, names: Sequence[str] = (), detail: Sequence[str] = ()) -> Wanted:
    found = tuple(i for name in names if (i := infer(name)) is not None)
    return Wanted(kinds=frozenset(kinds), instruments=found, detail=frozenset(detail))


def test_every_stream_goes_to_its_route() -> None:
    names = ("BTCUSDT", "BTCUSD_PERP", "ETHUSDT", "BTCUSDT_261225", "BTC-261225-90000-C")
    sockets = VENUE.subscribe(
        wanted("liquidations", "mark_prices", "instruments", "trades", "book_depth", names=names, detail=["BTC"])
    )  # fmt: skip
    plan = {socket.url: params(socket.frames[0]) for socket in sockets}
    assert plan == {
        "wss://fstream.binance.com/market/stream": [
            "!forceOrder@arr", "!markPrice@arr@1s", "!contractInfo", "btcusdt_261225@aggTrade", "btcusdt@aggTrade",
        ],
        "wss://fstream.binance.com/public/stream": ["btcusdt@depth@100ms", "btcusdt_261225@depth@100ms"],
        "wss://dstream.binance.com/stream": ["!forceOrder@arr", "btcusd_perp@depth@100ms", "btcusd_perp@aggTrade"],
    }  # fmt: skip
    assert [VENUE.carries_liquidations(socket.frames[0].decode()) for socket in sockets] == [True, False, True]


def test_sockets_stay_within_limits_and_each_has_a_control() -> None:
    names = [f"C{n}USDT" for n in range(500)]
    sockets = VENUE.subscribe(wanted("trades", "book_depth", "liquidations", names=names, detail=[f"C{n}" for n in range(500)]))
    for socket in sockets:
        streams = params(socket.frames[0])
        assert 0 < len(streams) <= STREAMS_PER_SOCKET <= 1024
        assert len(socket.frames) <= 10, "ten messages a second"
        assert "/public/" in socket.url or streams[-1] in ("btcusdt@aggTrade", "btcusd_perp@aggTrade")
    sent = [s for socket in sockets for s in params(socket.frames[0]) if s.startswith("c")]
    assert len(sent) == len(set(sent)) == 1000


def test_nothing_wanted_opens_nothing_and_the_control_alone_is_enough() -> None:
    assert VENUE.subscribe(wanted("option_quotes")) == []
    (socket,) = VENUE.subscribe(wanted("trades", names=["BTCUSDT"], detail=["BTC"]))
    assert params(socket.frames[0]) == ["btcusdt@aggTrade"]


def test_polls_have_readers_and_stay_within_the_weight_of_a_minute() -> None:
    contracts = {"linear": 700, "inverse": 100}
    asked = {poll: 1 if poll.per == "venue" else 10 if poll.tracked else contracts[poll.product] for poll in VENUE.polls}
    assert sum(60 / poll.every * poll.weight * count for poll, count in asked.items()) < 0.8 * 2400
    for poll in VENUE.polls:
        reading = parser(poll.url.format(symbol="BTCUSDT"))
        reading.parse(b'{"code":-1121,"msg":"Invalid symbol."}', NOW)
        assert reading.channel == "error"


# --- bad frames -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null", b"5", b"{}", b"[[]]", b"[5]", b'{"e":5}', b'{"stream":"a@b"}', b'{"stream":"a@b","data":null}',
        b'{"stream":"a@b","data":{}}',
        b'{"stream":"btcusdt@openInterest","data":{"symbol":"","openInterest":"1"}}', b'{"e":"trade"}', b'{"e":"brandNew","s":"BTCUSDT"}',
        b'{"e":"markPriceUpdate","E":1,"s":"BTCUSDT","p":"nan","T":0}', b'{"e":"markPriceUpdate","E":1e30,"s":"BTCUSDT","p":"1","T":0}',
        b'{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1,"i":"0m","o":1,"c":1,"h":1,"l":1,"v":1,"q":1,"n":1,"x":true,"V":1}}',
        b'{"e":"markPrice","E":1,"s":"BTCUSDT","mp":"1"}', b'{"e":"optionSymbol","E":1,"s":"BTC-261225-90000-C","u":0}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_bad_frames_are_parse_errors(payload: bytes) -> None:
    for route in (MARKET, "https://fapi.binance.com/fapi/v1/openInterest", "https://eapi.binance.com/eapi/v1/mark"):
        with pytest.raises(ParseError):
            parser(route).parse(payload, NOW)


def test_unknown_kinds_are_told_from_bad_frames() -> None:
    for frame in ({"e": "brandNew"}, {"stream": "btcusdt@brandNew", "data": {"e": "brandNew"}}, {"x": 1}, [{"e": "brandNew"}]):
        with pytest.raises(UnknownFrame):
            parse(frame)
    for path in ("/fapi/v1/brandNew", "/eapi/v1/fundingRate"):
        with pytest.raises(UnknownFrame):
            parse([], f"https://fapi.binance.com{path}")
    reading = parser()
    with pytest.raises(ParseError) as caught:
        parse({"stream": "btcusdt@depth@100ms", "data": {"e": "depthUpdate", "s": "BTCUSDT"}}, at=reading)
    assert (reading.channel, type(caught.value)) == ("depth", ParseError)


def test_liquidation_channel_is_named_even_when_the_frame_is_bad() -> None:
    reading = parser()
    with pytest.raises(ParseError):
        reading.parse(b'{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1}}', NOW)
    assert VENUE.carries_liquidations(reading.channel)


# --- recordings, read in place ---------------------------------------------------------------------------------------


def recorded(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the recording {name} is not beside this checkout")
    return path


def captured(name: str) -> Iterator[tuple[int, bytes]]:
    with gzip.open(recorded(name)) as lines:
        for line in lines:
            at, _, payload = line.rstrip(b"\n").partition(b" ")
            yield int(at), payload


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("hftbacktest/usdm_btcusdt_20240808.gz", {"bookTicker": 66089, "trade": 21313, "depth": 6552}),
        ("hftbacktest/cm_btcusd_perp_20240808.gz", {"bookTicker": 19136, "trade": 2286, "depth": 26848}),
    ],
)
def test_recorded_book_never_misses_a_change(name: str, channels: dict[str, int]) -> None:
    """All frames are consumed; every change follows the one before; and the snapshot among them joins."""
    reading = parser("capture.gz")
    counts: Counter[str] = Counter()
    changes: list[tuple[int, int, int]] = []
    snapshot, last, gaps = 0, None, 0
    for at, payload in captured(name):
        events = reading.parse(payload, at)
        counts[reading.channel] += 1
        if reading.channel != "depth":
            continue
        body = json.loads(payload)
        if "lastUpdateId" in body:
            snapshot = body["lastUpdateId"]
            continue
        (event,) = events
        assert isinstance(event, BookDepth) and event.update == "delta"
        gaps += last is not None and event.previous_sequence != last
        last = event.sequence
        changes.append((body["data"]["U"], body["data"]["u"], body["data"]["pu"]))
    assert counts == channels
    assert gaps == 0
    first = next(n for n, change in enumerate(changes) if change[1] >= snapshot)  # what is older than the snapshot is dropped
    assert joins(snapshot, *changes[first])
    assert sum(joins(snapshot, *change) for change in changes[first + 1 :]) <= 1


def test_recorded_messages_of_other_repositories_are_consumed() -> None:
    folder = recorded("tardis_native_messages")
    expected = {
        "binance-options.jsonl": ["Trade", "Trade", "BookDepth", "MarkPrice", "OptionQuote", "OptionQuote", "OpenInterest", "MarkPrice",
                                  "OpenInterest", "OptionQuote"],
        "binance-usdm.jsonl": ["Trade", "MarkPrice", "FundingRate", "Trade", "BookDepth", "BookDepth", "BookDepth", "OpenInterest",
                               "MarkPrice", "FundingRate", "Trade", "Trade", "Liquidation", "MarkPrice", "BookDepth"],
    }  # fmt: skip
    for name, kinds in expected.items():
        events = [event for line in (folder / name).read_bytes().splitlines() for event in parser().parse(line, NOW)]
        assert [type(event).__name__ for event in events] == kinds
    lines = [json.loads(line) for line in (folder / "binance-usdm.jsonl").read_bytes().splitlines()]
    depth, snapshot = lines[5]["data"], lines[6]["data"]
    assert joins(snapshot["lastUpdateId"], depth["U"], depth["u"], depth["pu"])


def test_marks_and_indices_of_a_recorded_minute_agree() -> None:
    """Options' index and the ticker of an option on it: 25 000 puts are worth less than their strike, and the index is near 27 000."""
    lines = recorded("tardis_native_messages/binance-options.jsonl").read_bytes().splitlines()
    events = [event for line in lines for event in parser().parse(line, NOW)]
    index = [event.index_price for event in events if isinstance(event, MarkPrice)]
    assert all(x is not None and 26_900 < x < 27_000 for x in index) and len(index) == 2


def test_the_fast_path_reads_what_the_handlers_read() -> None:
    """Combined streams take a short cut; any other socket address takes the handlers. Also with a contract listed on the way."""
    frames = [c.payload for c in list(bundled_frames("binance-2024-08-08"))[:4000]]
    listing = VENUE.infer("BTCUSDT")
    assert listing is not None
    relisted = msgspec.structs.replace(listing, base="XBT", symbol="XBT/USDT:USDT", is_inferred=False)
    books = VENUE.instruments(), VENUE.instruments()
    fast = VENUE.parser(split_route("wss://fstream.binance.com/market/stream"), books[0])
    slow = VENUE.parser(split_route("wss://fstream.binance.com/market/ws/x"), books[1])
    kinds = set()
    for number, frame in enumerate(frames):
        if number == 2000:
            for book in books:
                book.add(relisted)
        first, second = list(fast.parse(frame, 7)), list(slow.parse(frame, 7))
        assert first == second and fast.channel == slow.channel
        kinds |= {(type(e).__name__, e.base) for e in first}
    assert {("Trade", "BTC"), ("Trade", "XBT"), ("BookDepth", "BTC"), ("BookDepth", "XBT")} <= kinds


@pytest.mark.parametrize(
    ("payload", "channel"),
    [
        (b'[{"a":26129,"p":"0.016","q":"4.7","f":27781,"l":27781,"T":1498793709153,"m":true}]', "aggTrades"),
        (b'[[1591256460000,"9653.2"]]', "klines"),
    ],
)
def test_answers_on_an_address_that_tells_nothing_are_recognised(payload: bytes, channel: str) -> None:
    parser = VENUE.parser(split_route("rest"), VENUE.instruments())
    assert list(parser.parse(payload, 7)) == [] and parser.channel == channel
