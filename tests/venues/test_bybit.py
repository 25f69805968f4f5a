"""Bybit: fixtures, side and notional vectors, ticker and book sequences, plans, and every recorded frame."""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import AdlSignal, BookDepth, Event, FundingRate, Liquidation, MarkPrice, OpenInterest, Trade
from deleverage.instruments import Instrument
from deleverage.venues.bybit import FULL_SINCE, VENUE, infer, subscribe
from deleverage.venues.venue import Parser, Wanted, split_route

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "bybit").glob("*.json"))
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
LINEAR = "wss://stream.bybit.com/v5/public/linear"
RECV = 1_790_000_000_000_000_000
MS = 1_000_000


def parser(route: str = LINEAR, listed: Sequence[Instrument] = ()) -> Parser:
    return VENUE.parser(split_route(route), VENUE.instruments(listed))


def push(topic: str, data: object, kind: str = "snapshot", ts: int = 1_786_310_817_583) -> bytes:
    return msgspec.json.encode({"topic": topic, "type": kind, "ts": ts, "data": data})


def liquidation(symbol: str, side: str, size: str, price: str) -> Liquidation:
    row = {"T": 1_786_310_817_000, "s": symbol, "S": side, "v": size, "p": price}
    (event,) = parser().parse(push(f"allLiquidation.{symbol}", [row]), RECV)
    assert isinstance(event, Liquidation)
    return event


def same(value: object, wanted: object) -> bool:
    if isinstance(wanted, list):
        return isinstance(value, list) and [list(level) for level in value] == wanted
    if isinstance(wanted, float) and isinstance(value, float):
        return math.isclose(value, wanted, rel_tol=1e-12)
    return value == wanted


def numbers(event: Event) -> Iterator[float]:
    for value in msgspec.structs.astuple(event):
        if isinstance(value, list):
            yield from (number for level in value for number in level)
        elif isinstance(value, int | float):
            yield value


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("spaced", [False, True], ids=["compact", "spaced"])
def test_fixture(path: Path, spaced: bool) -> None:
    """The fast way (as the venue writes) and the slow way (any other JSON layout) give the same events."""
    case = json.loads(path.read_bytes())
    payload = json.dumps(case["payload"], separators=None if spaced else (",", ":")).encode()
    reading = parser(case["route"])
    events = reading.parse(payload, case["ts_recv"])
    assert [type(event).__name__ for event in events] == [wanted["event"] for wanted in case["expect"]]
    for event, wanted in zip(events, case["expect"], strict=True):
        assert event.venue == "bybit"
        assert event.ts_recv == case["ts_recv"]
        for field, value in wanted.items():
            if field != "event":
                assert same(getattr(event, field), value), (field, getattr(event, field), value)
    if "channel" in case:
        assert reading.channel == case["channel"]


def test_fixtures_are_there() -> None:
    assert len(FIXTURES) >= 85


# --- side, size, coverage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "position"), [("Buy", "long"), ("Sell", "short")])
def test_side_is_the_position(side: str, position: str) -> None:
    assert liquidation("BTCUSDT", side, "1", "100000").position_side == position


@pytest.mark.parametrize("side", ["buy", "", "Long", "None"])
def test_any_other_side_is_refused(side: str) -> None:
    with pytest.raises(ParseError):
        liquidation("BTCUSDT", side, "1", "100000")


@pytest.mark.parametrize(
    ("symbol", "size", "price", "quantity", "notional"),
    [
        ("ROSEUSDT", "20000", "0.04499", 20_000, 899.80),
        ("BTCUSD", "60000", "120000", 0.5, 60_000),
        ("BTCPERP", "0.25", "100000", 0.25, 25_000),
        ("ETHUSDT-25DEC26", "2", "2500", 2, 5_000),
        ("BTCUSDZ26", "60000", "100000", 0.6, 60_000),
    ],
)
def test_notional(symbol: str, size: str, price: str, quantity: float, notional: float) -> None:
    event = liquidation(symbol, "Buy", size, price)
    assert event.quantity == pytest.approx(quantity)
    assert event.notional_usd == pytest.approx(notional)
    assert event.price_kind == "bankruptcy"
    assert event.coverage_rule == "full"


def test_coverage_by_date() -> None:
    assert VENUE.coverage_at(FULL_SINCE - 1).rule == "undisclosed"
    assert VENUE.coverage_at(FULL_SINCE).rule == "full"


@pytest.mark.parametrize("text", ["allLiquidation", "liquidation", '{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}'])
def test_what_carries_liquidations(text: str) -> None:
    assert VENUE.carries_liquidations(text)
    assert not VENUE.carries_liquidations("publicTrade")


def test_fields_of_a_liquidation_that_are_missing_are_refused() -> None:
    with pytest.raises(ParseError) as caught:
        parser().parse(push("allLiquidation.BTCUSDT", [{"T": 1, "s": "BTCUSDT", "S": "Buy"}]), RECV)
    assert caught.value.channel == "allLiquidation"


def test_old_liquidation_without_size_is_refused() -> None:
    with pytest.raises(ParseError, match="no size"):
        parser().parse(push("liquidation.BTCUSDT", {"symbol": "BTCUSDT", "side": "Buy", "price": "1", "updatedTime": 5}), RECV)


# --- tickers ---------------------------------------------------------------------------------------------------------


def snapshot_then() -> Parser:
    reading = parser()
    row = {
        "symbol": "BTCUSDT", "markPrice": "65117.44", "indexPrice": "65137.76", "openInterest": "100", "openInterestValue": "6000000",
        "singleOpenInterest": "50", "singleOpenInterestValue": "3000000", "fundingIntervalHour": "8", "fundingCap": "0.005",
        "nextFundingTime": "1786320000000", "fundingRate": "0.0001",
    }  # fmt: skip
    assert len(reading.parse(push("tickers.BTCUSDT", row), RECV)) == 3
    return reading


def delta(reading: Parser, **fields: str) -> Sequence[Event]:
    return reading.parse(push("tickers.BTCUSDT", {"symbol": "BTCUSDT", **fields}, "delta"), RECV)


def test_delta_keeps_what_it_leaves_out() -> None:
    reading = snapshot_then()
    (event,) = delta(reading, markPrice="65000")
    assert isinstance(event, MarkPrice)
    assert (event.mark_price, event.index_price) == (65_000.0, 65_137.76)
    (event,) = delta(reading, indexPrice="64999")
    assert isinstance(event, MarkPrice)
    assert (event.mark_price, event.index_price) == (65_000.0, 64_999.0)


def test_delta_of_quotes_or_value_alone_says_nothing() -> None:
    reading = snapshot_then()
    assert not delta(reading, bid1Price="65114.20", bid1Size="6.054")
    assert not delta(reading, openInterestValue="6100000", singleOpenInterestValue="3050000")


def test_delta_of_open_interest_takes_the_latest_value() -> None:
    reading = snapshot_then()
    delta(reading, openInterestValue="6100000", singleOpenInterestValue="3050000")
    (event,) = delta(reading, openInterest="102", singleOpenInterest="51")
    assert isinstance(event, OpenInterest)
    assert (event.open_interest, event.open_interest_base, event.open_interest_usd, event.counting) == (102, 51, 3_050_000, "both_sides")


def test_funding_is_told_only_when_it_changes() -> None:
    reading = snapshot_then()
    assert not delta(reading, fundingRate="0.0001")
    (event,) = delta(reading, fundingRate="0.00005")
    assert isinstance(event, FundingRate)
    assert (event.funding_rate, event.funding_time, event.funding_interval_hours) == (0.00005, 1_786_320_000_000 * MS, 8.0)
    (event,) = delta(reading, nextFundingTime="1786348800000")
    assert isinstance(event, FundingRate)
    assert (event.funding_rate, event.funding_time) == (0.00005, 1_786_348_800_000 * MS)


def test_rate_that_deltas_leave_out_is_told_again_every_ten_minutes() -> None:
    reading, start, told = snapshot_then(), 1_786_310_817_583, []
    for ms in range(1_000, 1_500_000, 1_000):
        frame = push("tickers.BTCUSDT", {"symbol": "BTCUSDT", "markPrice": "65000"}, "delta", start + ms)
        told += [(e.ts_event // MS - start, e.funding_rate) for e in reading.parse(frame, RECV) if isinstance(e, FundingRate)]
    assert told == [(600_000, 0.0001), (1_200_000, 0.0001)]


def test_zero_rate_is_a_rate_and_blank_is_none() -> None:
    reading = snapshot_then()
    (event,) = delta(reading, fundingRate="0")
    assert isinstance(event, FundingRate)
    assert event.funding_rate == 0.0
    assert not delta(reading, fundingRate="")


def test_a_new_snapshot_forgets() -> None:
    reading = snapshot_then()
    (event,) = reading.parse(push("tickers.BTCUSDT", {"symbol": "BTCUSDT", "markPrice": "1"}), RECV)
    assert isinstance(event, MarkPrice)
    assert event.index_price is None


def test_a_new_connection_knows_nothing() -> None:
    (event,) = delta(parser(), markPrice="65000")
    assert isinstance(event, MarkPrice)
    assert event.index_price is None


def test_listed_interval_serves_where_the_ticker_has_none() -> None:
    listed = infer("BTCUSDT")
    assert listed is not None
    reading = parser(listed=[msgspec.structs.replace(listed, funding_interval_hours=4.0, is_inferred=False)])
    (event,) = delta(reading, fundingRate="0.0001")
    assert isinstance(event, FundingRate)
    assert event.funding_interval_hours == 4.0


# --- books, alerts, spot ---------------------------------------------------------------------------------------------


def book(update: int, kind: str) -> BookDepth:
    data = {"s": "BTCUSDT", "b": [["65000", "1"]], "a": [], "u": update, "seq": 9}
    (event,) = parser().parse(push("orderbook.50.BTCUSDT", data, kind), RECV)
    assert isinstance(event, BookDepth)
    return event


def test_book_sequence() -> None:
    assert (book(9, "snapshot").update, book(9, "snapshot").previous_sequence) == ("snapshot", None)
    assert (book(10, "delta").update, book(10, "delta").sequence, book(10, "delta").previous_sequence) == ("delta", 10, 9)
    assert (book(1, "delta").update, book(1, "delta").previous_sequence) == ("snapshot", None)


def alert(reading: Parser, balance: object, drawdown: object) -> Sequence[Event]:
    row = {"c": "USDT", "s": "BTCUSDT", "b": balance, "mb": "", "i_pr": -0.3, "pr": drawdown, "adl_tt": 10_000, "adl_sr": -0.25}
    return reading.parse(push("adlAlert.USDT", [row]), RECV)


def test_adl_is_active_from_the_trigger_to_the_stop() -> None:
    reading = parser()
    said = []
    for drawdown in (-0.1, -0.28, -0.30, -0.27, -0.25, -0.24, -0.28):
        (event,) = alert(reading, 20_000, drawdown)
        assert isinstance(event, AdlSignal)
        said.append(event.signal)
    assert said == ["pool", "pool", "active", "active", "active", "pool", "pool"]


@pytest.mark.parametrize(
    ("balance", "drawdown", "signal"), [(0, 0, "active"), (5_000, -0.9, "pool"), ("", "", "pool"), (None, None, "pool")]
)
def test_adl_needs_an_empty_pool_or_an_armed_trigger(balance: object, drawdown: object, signal: str) -> None:
    (event,) = alert(parser(), balance, drawdown)
    assert isinstance(event, AdlSignal)
    assert event.signal == signal


def test_adl_repeats_are_not_told_again() -> None:
    reading = parser()
    assert alert(reading, 20_000, -0.1)
    assert not alert(reading, 20_000, -0.1)
    assert alert(reading, 20_001, -0.1)


def test_spot_is_found_out_on_a_route_that_does_not_say() -> None:
    reading = parser("recorder-7")
    frame = push("orderbook.50.BTCUSDT", {"s": "BTCUSDT", "b": [], "a": [], "u": 5, "seq": 9}, "delta")
    assert reading.parse(frame, RECV)
    assert not reading.parse(push("tickers.BTCUSDT", {"symbol": "BTCUSDT", "lastPrice": "1"}), RECV)
    assert not reading.parse(frame, RECV)
    assert reading.channel == "spot"


def test_numeric_trade_ids_do_not_make_a_linear_socket_spot() -> None:
    row = {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "1", "i": "2280000001739247417", "BT": False}
    assert len(parser().parse(push("publicTrade.BTCUSDT", [row]), RECV)) == 1


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol", "expiry"),
    [
        ("BTCUSDT", "BTC/USDT:USDT", None),
        ("BTCPERP", "BTC/USDC:USDC", None),
        ("PERPUSDT", "PERP/USDT:USDT", None),
        ("BTCUSD", "BTC/USD:BTC", None),
        ("BTCUSDM21", "BTC/USD:BTC-210625", 1_624_608_000),
        ("BTCUSDU23", "BTC/USD:BTC-230929", 1_695_974_400),
        ("BTCUSDT-14AUG26", "BTC/USDT:USDT-260814", 1_786_694_400),
        ("BTC-25DEC26", "BTC/USDC:USDC-261225", 1_798_185_600),
        ("BTC-6JAN23-17500-C", "BTC/USDC:USDC-230106-17500-C", 1_672_992_000),
        ("SOL-26JUN26-0.5-P-USDT", "SOL/USDT:USDT-260626-0.5-P", 1_782_460_800),
        ("1INCHUSDT", "1INCH/USDT:USDT", None),
    ],
)
def test_infer(name: str, symbol: str, expiry: int | None) -> None:
    found = infer(name)
    assert found is not None
    assert found.is_inferred
    assert (found.symbol, found.expiry) == (symbol, None if expiry is None else expiry * 1_000_000_000)


@pytest.mark.parametrize(
    "name", ["", "-", "USDT", "PERP", "BTC", "BTCUSDT-", "BTCUSDT-31FEB26", "BTC-6JAN23-x-C", "BTC-6JAN23-0-C", "A-B-C", "BTC-6JAN23-1-X"]
)
def test_impossible_names(name: str) -> None:
    assert infer(name) is None


def test_scale_behind_the_coin() -> None:
    found = infer("SHIB1000USDT")
    assert found is not None
    assert (found.base, found.base_multiplier, found.symbol) == ("SHIB", 1000.0, "SHIB1000/USDT:USDT")


# --- plans -----------------------------------------------------------------------------------------------------------


def listed(*names: str) -> tuple[Instrument, ...]:
    return tuple(found for name in names if (found := infer(name)) is not None)


def topics(frames: Iterable[bytes]) -> list[str]:
    return [topic for frame in frames for topic in msgspec.json.decode(frame)["args"]]


def test_plan_within_the_limits() -> None:
    every = listed(*(f"COIN{n}USDT" for n in range(1500)), "BTCUSD")
    sockets = subscribe(Wanted(kinds=frozenset({"liquidations", "mark_prices"}), instruments=every))
    linear = [topic for socket in sockets if socket.url.endswith("/linear") for topic in topics(socket.frames)]
    assert {f"allLiquidation.COIN{n}USDT" for n in range(1500)} < set(linear)
    assert Counter(topic for topic in linear if topic != "tickers.BTCUSDT").most_common(1)[0][1] == 1
    for socket in sockets:
        assert len(topics(socket.frames)) <= 1000
        assert topics(socket.frames)[0] in ("tickers.BTCUSDT", "tickers.BTCUSD")
        for frame in socket.frames:
            assert len(msgspec.json.encode(msgspec.json.decode(frame)["args"])) <= 21_000
    assert topics(next(socket for socket in sockets if socket.url.endswith("/inverse")).frames) == [
        "tickers.BTCUSD",
        "allLiquidation.BTCUSD",
    ]


def test_plan_of_details_options_and_pools() -> None:
    kinds = frozenset({"trades", "book_depth", "option_quotes", "insurance_funds", "adl_signals", "venue_statuses"})
    wanted = Wanted(
        kinds=kinds, instruments=listed("BTCUSDT", "ETHUSDT", "BTC-25DEC26-100000-C", "BTC-25DEC26-90000-P"), detail=frozenset({"BTC"})
    )  # fmt: skip
    plan = {socket.url.rpartition("/")[2]: topics(socket.frames) for socket in subscribe(wanted)}
    assert plan["linear"] == [
        "tickers.BTCUSDT", "publicTrade.BTCUSDT", "orderbook.200.BTCUSDT", "insurance.USDT", "insurance.USDC", "adlAlert.USDT",
        "adlAlert.USDC",
    ]  # fmt: skip
    assert plan["inverse"] == ["tickers.BTCUSD", "insurance.inverse", "adlAlert.inverse"]
    assert plan["option"] == ["publicTrade.BTC", "tickers.BTC-25DEC26-100000-C", "tickers.BTC-25DEC26-90000-P"]
    assert plan["status"] == ["system.status"]


def test_heartbeat_is_ours_to_send() -> None:
    assert VENUE.heartbeat.payload == b'{"op":"ping"}'
    assert VENUE.heartbeat.every == 20
    assert VENUE.heartbeat.reply is None  # the venue never asks


@pytest.mark.parametrize("poll", VENUE.polls, ids=lambda poll: poll.url)
def test_every_poll_has_a_reader(poll: Any) -> None:
    reading = parser(poll.url.replace("{symbol}", "BTCUSDT"))
    assert not reading.parse(b'{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[]},"time":1}', RECV)
    assert reading.channel in poll.url
    assert ("{symbol}" in poll.url) == (poll.per == "symbol")


# --- what is no event ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b'{"topic":"somethingNew.BTCUSDT","data":[]}', b"{}", b'{"hello":1}'])
def test_unknown_kinds(payload: bytes) -> None:
    with pytest.raises(UnknownFrame):
        parser().parse(payload, RECV)


def test_unknown_address() -> None:
    with pytest.raises(UnknownFrame):
        parser("https://api.bybit.com/v5/market/brand-new").parse(b'{"retCode":0,"result":{"x":1}}', RECV)


@pytest.mark.parametrize("price", ["nan", "inf", "-1", "1e300", "", "x"])
def test_numbers_that_are_none(price: str) -> None:
    row = {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": price, "i": "a", "BT": False}
    with pytest.raises(ParseError) as caught:
        parser().parse(push("publicTrade.BTCUSDT", [row]), RECV)
    assert caught.value.channel == "publicTrade"


SAMPLES = [json.dumps(json.loads(path.read_bytes())["payload"], separators=(",", ":")).encode() for path in FIXTURES]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.integers(0, 10_000),
    st.binary(min_size=1, max_size=6),
    st.sampled_from([LINEAR, "x", "https://a.b/v5/market/tickers"]),
)
def test_damaged_frames_give_events_or_parse_errors(frame: bytes, at: int, noise: bytes, route: str) -> None:
    at %= len(frame)
    try:
        events = parser(route).parse(frame[:at] + noise + frame[at + len(noise) :], RECV)
    except ParseError:
        return
    for event in events:
        for number in numbers(event):
            assert math.isfinite(number)
            assert isinstance(number, float) or -(2**63) <= number < 2**63


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes(payload: bytes) -> None:
    try:
        parser().parse(payload, RECV)
    except ParseError:
        return


# --- recordings ------------------------------------------------------------------------------------------------------


def needs(*parts: str) -> Path:
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the recording {parts[-1]} is not here")
    return path


def recorded() -> Iterator[tuple[str, str, bytes, int]]:
    """Yield (address, connection, frame, ts_recv) of the recording of 2026-08-09."""
    addresses: dict[str, str] = {}
    with needs("cryptofeed", "BYBIT.jsonl.zst").open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file)):
            row = json.loads(line)
            if row["t"] == "connect":
                addresses[row["conn"]] = row["addr"]
            elif row["t"] in ("http", "recv"):
                address = row["url"] if row["t"] == "http" else addresses[row["conn"]]
                yield address, address if row["t"] == "http" else row["conn"], row["data"].encode(), int(row["ts"] * 1e9)


@pytest.mark.parametrize("told", [True, False], ids=["with addresses", "without"])
def test_recording_is_consumed(told: bool) -> None:
    instruments, parsers = VENUE.instruments(), {}
    seen: Counter[str] = Counter()
    events: list[Event] = []
    for address, connection, frame, ts_recv in recorded():
        route = split_route(address if told else "cryptofeed")
        reading = parsers.setdefault(connection, VENUE.parser(route, instruments))
        for event in reading.parse(frame, ts_recv):
            if isinstance(event, Instrument):
                inferred = infer(event.venue_symbol)
                assert inferred is not None
                assert inferred.is_same_contract(event)
                assert inferred.expiry == event.expiry
                instruments.add(event)
            events.append(event)
        seen[reading.channel] += 1
    assert seen == {
        "instruments-info": 2, "tickers": 758, "ack": 24, "orderbook": 1598, "kline": 71, "publicTrade": 102, "spot": 674
    }  # fmt: skip
    assert Counter(type(event).__name__ for event in events) == {
        "Instrument": 800, "MarkPrice": 138, "OpenInterest": 20, "FundingRate": 6, "BookDepth": 1598, "Candle": 75, "Trade": 327,
    }  # fmt: skip
    for event in events:
        assert all(math.isfinite(number) for number in numbers(event))
        if isinstance(event, OpenInterest):
            assert event.open_interest_base == pytest.approx(event.open_interest / 2, rel=1e-6)
    following: dict[str, int | None] = {}
    for event in events:
        if isinstance(event, BookDepth):
            if event.update == "delta":
                assert event.previous_sequence == following[event.symbol]
            following[event.symbol] = event.sequence
    prices = {event.symbol: event.price for event in events if isinstance(event, Trade)}
    for event in events:
        if isinstance(event, MarkPrice) and event.mark_price is not None and event.symbol in prices:
            assert event.mark_price == pytest.approx(prices[event.symbol], rel=0.01)


def test_recorded_liquidations_reconcile() -> None:
    """355 liquidations of 2026-10-10: every one is kept, with its own size and side, and in dollars as size times price."""
    path = needs("bybit_allliquidation_2026", "bybit_liq_2026-10-10_part1.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    pushes: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        pushes.setdefault((row["recv_ts_utc"], row["symbol"]), []).append(row)
    reading, events = parser(), []
    for (_, symbol), group in pushes.items():
        frame = push(f"allLiquidation.{symbol}", [json.loads(row["raw_json"]) for row in group])
        events += reading.parse(frame, RECV)
    assert len(events) == len(rows) == 355
    ordered = [row for group in pushes.values() for row in group]
    for event, row in zip(events, ordered, strict=True):
        assert isinstance(event, Liquidation)
        assert event.ts_event == int(row["exch_ts_ms"]) * MS
        assert event.position_side == {"Buy": "long", "Sell": "short"}[row["side"]]
        assert event.notional_usd == pytest.approx(float(row["size"]) * float(row["price"]))
    key = {(e.venue_symbol, e.ts_event, e.position_side, e.price, e.quantity, e.ordinal) for e in events if isinstance(e, Liquidation)}
    assert len(key) == 355


def test_old_native_messages_are_consumed() -> None:
    path = needs("tardis_native_messages", "bybit.jsonl")
    seen: Counter[str] = Counter()
    events: list[Event] = []
    for line in path.read_bytes().splitlines():
        reading = parser("bybit")
        events += reading.parse(line, RECV)
        seen[reading.channel] += 1
    assert seen == {
        "ack": 1, "instrument_info": 11, "orderBookL2_25": 13, "trade": 5, "orderBook_200": 3, "liquidation": 7, "publicTrade": 2,
        "orderbook": 5, "tickers": 5, "allLiquidation": 2,
    }  # fmt: skip
    sides = [(e.venue_symbol, e.position_side, e.coverage_rule) for e in events if isinstance(e, Liquidation)]
    assert Counter(rule for _, _, rule in sides) == {"undisclosed": 9, "full": 2}
    assert ("GALAUSDT", "long", "undisclosed") in sides
    assert ("PIPPINUSDT", "short", "full") in sides
    assert all(1.5e18 < e.ts_event < RECV for e in events)


def test_nautilus_messages_are_consumed() -> None:
    folder = needs("nautilus_fixtures", "bybit")
    kept = {}
    for path in sorted(folder.glob("*.json")):
        events = parser("nautilus").parse(path.read_bytes(), RECV)
        kept[path.stem] = [type(event).__name__ for event in events]
    assert kept.pop("http_get_klines_linear") == []  # the interval cannot be told
    assert len(kept) == 12
    assert all(kept.values())


def test_jkorf_messages_are_consumed() -> None:
    folder = needs("jkorf_fixtures", "bybit")
    kept: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        text = path.read_text().replace("|1|", "1")
        if path.stem.startswith("Subscriptions"):
            received = [part.strip()[1:] for part in re.split(r"^(?=[><=])", text, flags=re.M) if part.strip()[:1] in ("<", "=")]
            frames = [(LINEAR, part) for part in received]
        else:
            _, address, _, body = text.split("\n", 3)
            frames = [(f"https://api.bybit.com{address}", body)]
        kept[path.stem] = [type(e).__name__ for route, body in frames for e in parser(route).parse(body.encode(), RECV)]
    assert len(kept) == 14
    nothing = {"V5Api__ExchangeData__GetMarkPriceKlines", "V5Api__ExchangeData__GetTradeHistory"}  # no interval; spot
    assert {name for name, events in kept.items() if not events} == nothing
