"""Deribit: fixtures, side and notional vectors, the traps of its protocol, and every recorded frame."""

import base64
import contextlib
import gzip
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.funding import latest
from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Event, FundingRate, Liquidation, OpenInterest, OptionQuote, Trade
from deleverage.instruments import Instrument
from deleverage.tables import TABLES
from deleverage.venues.deribit import CHANNELS_PER_CALL, SOCKETS, VENUE, infer, omitted, reply, subscribe
from deleverage.venues.venue import Parser, Wanted, split_route

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "deribit").glob("*.json"))
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
WS = "wss://www.deribit.com/ws/api/v2"
RECV = 1_790_000_000_000_000_000


def parser(route: str = WS, listed: Sequence[Instrument] = ()) -> Parser:
    return VENUE.parser(split_route(route), VENUE.instruments(listed))


def push(channel: str, data: object) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})


def trade(**over: object) -> dict[str, object]:
    plain = {"instrument_name": "BTC-PERPETUAL", "trade_id": "1", "timestamp": 1_765_531_356_452, "direction": "sell", "price": 50_000.0}
    return {**plain, "amount": 100.0, "index_price": 50_010.0, **over}


def trades(*rows: dict[str, object]) -> bytes:
    return push("trades.future.any.100ms", list(rows))


def payload_of(case: dict[str, Any]) -> bytes:
    if "payload_base64" in case:
        return base64.b64decode(case["payload_base64"])
    payload = case["payload"]
    return payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()


def numbers(event: Event) -> Iterator[float]:
    for value in msgspec.structs.astuple(event):
        if isinstance(value, list):
            yield from (number for level in value for number in level)
        elif isinstance(value, int | float):
            yield value


def same(value: object, wanted: object) -> bool:
    if isinstance(wanted, list):
        return isinstance(value, list) and [list(level) for level in value] == wanted
    if isinstance(wanted, float) and isinstance(value, float):
        return math.isclose(value, wanted, rel_tol=1e-12)
    return value == wanted


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("spaced", [False, True], ids=["compact", "spaced"])
def test_fixture(path: Path, spaced: bool) -> None:
    """The fast way (as the venue writes) and the slow way (any other JSON layout) give the same events."""
    case = json.loads(path.read_bytes())
    payload = payload_of(case)
    if not spaced:
        payload = json.dumps(json.loads(payload), separators=(",", ":")).encode()
    reading = parser(case["route"])
    events = reading.parse(payload, case["ts_recv"])
    assert [type(event).__name__ for event in events] == [wanted["event"] for wanted in case["expect"]]
    for event, wanted in zip(events, case["expect"], strict=True):
        assert event.venue == "deribit"
        assert event.ts_recv == case["ts_recv"]
        for field, value in wanted.items():
            if field != "event":
                assert same(getattr(event, field), value), (field, getattr(event, field), value)
    if "channel" in case:
        assert reading.channel == case["channel"]


def test_fixtures_are_there() -> None:
    assert len(FIXTURES) >= 50


# --- side and size ---------------------------------------------------------------------------------------------------

SIDES = {
    ("T", "sell"): ["long"], ("T", "buy"): ["short"], ("M", "buy"): ["long"], ("M", "sell"): ["short"],
    ("MT", "sell"): ["long", "short"], ("MT", "buy"): ["short", "long"],
}  # fmt: skip


@pytest.mark.parametrize(("flag", "direction"), SIDES)
def test_position_side(flag: str, direction: str) -> None:
    events = parser().parse(trades(trade(liquidation=flag, direction=direction)), RECV)
    closed = [event for event in events if isinstance(event, Liquidation)]
    assert [event.position_side for event in closed] == SIDES[flag, direction]
    assert len(events) == 1 + len(closed)
    assert isinstance(events[0], Trade)
    assert events[0].taker_side == direction
    assert {(event.native_id, event.price_kind, event.coverage_rule) for event in closed} == {("1", "fill", "full")}


@pytest.mark.parametrize("flag", [None, ""])
def test_trade_without_flag_is_no_liquidation(flag: str | None) -> None:
    (event,) = parser().parse(trades(trade(liquidation=flag)), RECV)
    assert isinstance(event, Trade)
    assert event.liquidated == "none"


def test_unknown_flag_is_an_error() -> None:
    with pytest.raises(ParseError, match="liquidation flag"):
        parser().parse(trades(trade(liquidation="X")), RECV)


@pytest.mark.parametrize(
    ("name", "amount", "price", "index", "contracts", "quantity", "notional"),
    [
        ("BTC-PERPETUAL", 750.0, 92_288.5, None, 75.0, 750.0 / 92_288.5, 750.0),  # inverse: dollars, 10 a contract
        ("ETH-26DEC25", 750.0, 2_500.0, None, 750.0, 0.3, 750.0),  # inverse: dollars, 1 a contract
        ("BTC_USDC-PERPETUAL", 0.5, 90_000.0, None, None, 0.5, 45_000.0),  # linear: coins; the name does not tell the contract
        ("BTC-26DEC25-90000-C", 2.0, 0.05, 92_000.0, 2.0, 2.0, 184_000.0),  # option: coins at the index, never at the premium
        ("BTC-26DEC25-90000-C", 2.0, 0.05, None, 2.0, 2.0, None),
    ],
)
def test_notional(
    name: str, amount: float, price: float, index: float | None, contracts: float | None, quantity: float, notional: float | None
) -> None:
    frame = trades(trade(instrument_name=name, amount=amount, price=price, index_price=index, liquidation="T"))
    for event in parser().parse(frame, RECV):
        assert isinstance(event, Trade | Liquidation)
        assert event.contracts == contracts
        assert event.quantity == pytest.approx(quantity, rel=1e-12)
        assert event.notional_usd == notional


def test_contract_size_of_a_listing_is_never_multiplied_onto_amounts() -> None:
    listed = msgspec.structs.replace(infer("BTC_USDC-PERPETUAL"), contract_size=0.0001, is_inferred=False)
    (event,) = parser(WS, [listed]).parse(trades(trade(instrument_name="BTC_USDC-PERPETUAL", amount=0.5)), RECV)
    assert isinstance(event, Trade)
    assert (event.quantity, event.notional_usd) == (0.5, 25_000.0)
    assert event.contracts == pytest.approx(5_000)


def test_price_that_is_not_positive_is_an_error_except_for_combinations() -> None:
    with pytest.raises(ParseError, match="not positive"):
        parser().parse(trades(trade(price=-1.0)), RECV)
    assert parser().parse(trades(trade(price=-1.0, instrument_name="BTC-FS-26DEC25_PERP")), RECV) == []


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol", "size_unit", "contract_type"),
    [
        ("BTC-PERPETUAL", "BTC/USD:BTC", "usd", "inverse"),
        ("BTC_USDC-PERPETUAL", "BTC/USDC:USDC", "base", "linear"),
        ("BTC-27JUN25", "BTC/USD:BTC-250627", "usd", "inverse"),
        ("ETH-6AUG21-2800-C", "ETH/USD:ETH-210806-2800-C", "base", "inverse"),
        ("BTC-27JUN25-100000-C", "BTC/USD:BTC-250627-100000-C", "base", "inverse"),
        ("XRP_USDC-30JUN23-0d625-P", "XRP/USDC:USDC-230630-0.625-P", "base", "linear"),
    ],
)
def test_infer(name: str, symbol: str, size_unit: str, contract_type: str) -> None:
    read = infer(name)
    assert read is not None
    assert (read.symbol, read.size_unit, read.contract_type, read.is_inferred) == (symbol, size_unit, contract_type, True)


def test_expiry_is_eight_utc() -> None:
    read = infer("BTC-27JUN25")
    assert read is not None
    assert read.expiry == 1_751_011_200_000_000_000


@pytest.mark.parametrize(
    "name",
    ["", "BTC", "BTC-", "BTC-PERP", "BTC-31FEB25", "BTC-27XYZ25", "BTC-27JUN25-C", "BTC-27JUN25-1-X", "BTC-27JUN25-1d-C", "BTC-٢٧JUN25",
     "BTC_EURR-PERPETUAL", "BTC_USD-PERPETUAL", "btc-PERPETUAL", "BTC-FS-30SEP22_PERP", "BTC-27JUN25-100000-C-X"],
)  # fmt: skip
def test_infer_refuses(name: str) -> None:
    assert infer(name) is None


# --- what a connection remembers -------------------------------------------------------------------------------------


def ticker(at: int, **over: object) -> bytes:
    plain = {"instrument_name": "BTC-PERPETUAL", "timestamp": at, "mark_price": 50_000.0, "index_price": 50_000.0}
    return push("ticker.BTC-PERPETUAL.100ms", {**plain, "open_interest": 1e9, "funding_8h": 1e-4, **over})


def test_unchanged_rate_and_interest_are_not_repeated() -> None:
    reading, at = parser(), 1_765_531_356_452
    kinds = [[type(event) for event in reading.parse(ticker(at + ms, **over), RECV)][1:] for ms, over in (
        (0, {}), (100, {}), (200, {"funding_8h": 2e-4}), (300, {"open_interest": 2e9}), (60_299, {}), (120_300, {}),
    )]  # fmt: skip
    assert kinds == [[FundingRate, OpenInterest], [], [FundingRate], [FundingRate, OpenInterest], [OpenInterest], [OpenInterest]]
    assert len(parser().parse(ticker(at), RECV)) == 3  # a new connection has been told nothing


def test_a_rate_that_rests_for_a_day_is_never_older_than_ten_minutes() -> None:
    """Deribit names no settlement time, so nothing else would renew a rate that stays at 0."""
    reading, start, step = parser(), 1_765_531_356_452, 15_000
    events = [e for ms in range(0, 86_400_000, step) for e in reading.parse(ticker(start + ms, funding_8h=0), RECV)]
    rates = [e for e in events if isinstance(e, FundingRate)]
    assert [rate.ts_event for rate in rates] == [(start + n * 600_000) * 1_000_000 for n in range(144)]
    table = pl.DataFrame([msgspec.structs.asdict(rate) for rate in rates], schema=TABLES["funding_rates"].polars_schema)
    (row,) = latest(table, (start + 86_400_000 - 1) * 1_000_000).iter_rows(named=True)
    assert (row["funding_rate"], row["why_not"]) == (0.0, "")
    (old,) = latest(table.head(1), (start + 86_400_000 - 1) * 1_000_000).iter_rows(named=True)
    assert old["why_not"] == "stale"


def test_missing_mark_price_is_none_not_zero() -> None:
    events = parser().parse(ticker(1, mark_price=0, index_price=None, funding_8h=None), RECV)
    (interest,) = events
    assert isinstance(interest, OpenInterest)
    assert (interest.open_interest_base, interest.open_interest_usd) == (None, 1e9)


def test_book_sequence_shows_a_gap() -> None:
    """Follow prev_change_id; a subscription renewed on the same socket gives changes only, so no snapshot is invented."""
    book = {"instrument_name": "BTC-PERPETUAL", "timestamp": 1, "bids": [], "asks": []}
    pushes = [("snapshot", 10, None), ("change", 12, 10), ("change", 15, 12), ("change", 21, 18)]
    reading, gaps, last = parser(), 0, None
    for kind, change, previous in pushes:
        (event,) = reading.parse(
            push("book.BTC-PERPETUAL.100ms", {**book, "type": kind, "change_id": change, "prev_change_id": previous}), RECV
        )
        assert isinstance(event, BookDepth)
        assert event.update == ("snapshot" if kind == "snapshot" else "delta")
        gaps += event.update == "delta" and event.previous_sequence != last
        last = event.sequence
    assert gaps == 1


# --- control ---------------------------------------------------------------------------------------------------------


def test_reply_answers_test_requests_only() -> None:
    answer = reply(b'{ "jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}')
    assert answer is not None
    assert msgspec.json.decode(answer)["method"] == "public/test"
    assert reply(b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}') is None
    assert reply(push("announcements", {"body": "test_request"})) is None
    assert reply(b"test_request") is None


def test_omitted_channels_are_found() -> None:
    sent = b'{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["quote.A","quote.B","quote.C"]}}'
    assert omitted(sent, b'{"jsonrpc":"2.0","id":1,"result":["quote.C","quote.A"]}') == ["quote.B"]
    assert omitted(sent, b'{"id":1,"result":["quote.A","quote.B","quote.C"]}') == []
    assert omitted(sent, b'{"id":1,"error":{"code":13778,"message":"raw"}}') == ["quote.A", "quote.B", "quote.C"]
    assert omitted(b'{"id":1,"method":"public/test"}', b'{"id":1,"result":[]}') == []
    with pytest.raises(ParseError):
        omitted(sent, b"not json")


def test_unknown_kinds_are_told_from_bad_frames() -> None:
    for frame in (push("brand_new.BTC", {}), b'{"jsonrpc":"2.0","method":"surprise"}', b"{}"):
        with pytest.raises(UnknownFrame):
            parser().parse(frame, RECV)
    with pytest.raises(UnknownFrame):
        parser("https://www.deribit.com/api/v2/public/get_new_things").parse(b'{"jsonrpc":"2.0","result":[]}', RECV)
    reading = parser()
    with pytest.raises(ParseError) as caught:
        reading.parse(trades(trade(amount=None)), RECV)
    assert (reading.channel, type(caught.value)) == ("trades", ParseError)


@pytest.mark.parametrize("route", ["", "capture.gz", "https://www.deribit.com/api/v2/public/get_instruments?currency=BTC"])
def test_notification_parses_whatever_the_route(route: str) -> None:
    assert len(parser(route).parse(trades(trade()), RECV)) == 1


# --- subscriptions ---------------------------------------------------------------------------------------------------


def channels_of(frame: bytes) -> list[str]:
    return list(msgspec.json.decode(frame)["params"].get("channels", []))


def test_subscribe_stays_within_limits() -> None:
    futures = [infer("BTC-PERPETUAL"), infer("ETH_USDC-PERPETUAL"), infer("BTC-26DEC25")]
    options = [infer(f"BTC-26DEC25-{strike}-C") for strike in range(1000, 25_000, 2)]
    wanted = Wanted(
        kinds=frozenset({"liquidations", "trades", "mark_prices", "book_depth", "option_quotes", "instruments", "venue_statuses"}),
        instruments=tuple(i for i in futures + options if i is not None), detail=frozenset({"BTC"}),
    )  # fmt: skip
    sockets = subscribe(wanted)
    assert 0 < len(sockets) <= SOCKETS <= 32
    frames = [frame for socket in sockets for frame in socket.frames]
    sent = [channel for frame in frames for channel in channels_of(frame)]
    assert max(len(channels_of(frame)) for frame in frames) <= CHANNELS_PER_CALL <= 500
    assert len(sent) == len(set(sent))
    assert sent[:2] == ["trades.future.any.100ms", "trades.option.any.100ms"]
    assert {"ticker.ETH_USDC-PERPETUAL.100ms", "book.BTC-PERPETUAL.100ms", "ticker.BTC-26DEC25-1000-C.agg2", "platform_state"} <= set(sent)
    assert "book.ETH_USDC-PERPETUAL.100ms" not in sent
    assert not [channel for channel in sent if channel.endswith(".raw")]  # needs a login
    for socket in sockets:
        assert b"set_heartbeat" in socket.frames[0]


def test_subscribe_to_nothing_opens_nothing() -> None:
    assert subscribe(Wanted(kinds=frozenset(), instruments=())) == []


def test_liquidation_channels_are_recognised() -> None:
    (socket,) = subscribe(Wanted(kinds=frozenset({"liquidations"}), instruments=()))
    reading = parser()
    reading.parse(trades(trade()), RECV)
    assert VENUE.carries_liquidations(socket.frames[1].decode())
    assert VENUE.carries_liquidations(reading.channel)
    assert VENUE.carries_liquidations("https://www.deribit.com/api/v2/public/get_last_trades_by_currency?currency=BTC")
    assert not VENUE.carries_liquidations(push("ticker.BTC-PERPETUAL.100ms", {}).decode())
    assert VENUE.coverage_at(RECV).rule == "full"


# --- hostile bytes ---------------------------------------------------------------------------------------------------

SEEDS = [payload_of(json.loads(path.read_bytes())) for path in FIXTURES]
ROUTES = sorted({json.loads(path.read_bytes())["route"] for path in FIXTURES})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.sampled_from(ROUTES), st.data())
def test_damaged_frames_give_events_or_parse_errors(seed: bytes, route: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(cut, min(len(seed), cut + 12)))
    filling = data.draw(
        st.sampled_from([b"", b"null", b"-1", b"0", b"1e308", b'"nan"', b'"inf"', b"[]", b"{}", b"9" * 30, b"\xff", b'""', b"1e-300"])
    )
    try:
        events = parser(route).parse(seed[:cut] + filling + seed[end:], RECV)
    except ParseError:
        return
    for event in events:
        for number in numbers(event):
            assert math.isfinite(number)
            assert not isinstance(number, int) or -(2**63) <= number < 2**63


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(payload: bytes) -> None:
    reply(payload)
    with contextlib.suppress(ParseError):
        assert not parser().parse(payload, RECV)


# --- recordings, read in place ---------------------------------------------------------------------------------------


def recorded() -> Iterator[tuple[str, str, bytes, int]]:
    """Give (folder, route, payload, ts_recv) of everything native to this venue."""
    with gzip.open(DATA / "cryptofeed" / "DERIBIT.0.gz") as lines:
        for line in lines:
            if line.startswith(b"http"):
                route, _, rest = line.partition(b" -> ")
                ts, _, payload = rest.partition(b": ")
                yield "cryptofeed", route.decode(), payload, int(float(ts) * 1e9)
    for line in (DATA / "tardis_native_messages" / "deribit.jsonl").read_bytes().splitlines():
        if line:
            yield "tardis_native_messages", WS, line, RECV
    for path in sorted((DATA / "nautilus_fixtures" / "deribit").glob("*.json")):
        yield "nautilus_fixtures", WS, path.read_bytes(), RECV
    chain = json.loads(gzip.decompress((DATA / "deribit_eth_2026-06-11" / "deribit_eth_chain.json.gz").read_bytes()))
    # The author kept the rows of the answer and threw its envelope away; the rows are native.
    summary = "https://www.deribit.com/api/v2/public/get_book_summary_by_currency?currency=ETH&kind=option"
    yield "deribit_eth", summary, msgspec.json.encode({"jsonrpc": "2.0", "result": chain["rows"]}), chain["fetched_ms"] * 1_000_000
    tickers = json.loads(gzip.decompress((DATA / "deribit_eth_2026-06-11" / "deribit_eth_tickers.json.gz").read_bytes()))
    for name, result in tickers.items():
        route = f"https://www.deribit.com/api/v2/public/ticker?instrument_name={name}"
        yield "deribit_eth", route, msgspec.json.encode({"jsonrpc": "2.0", "result": result}), RECV


@pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not on this machine")
def test_every_recorded_frame_is_consumed() -> None:
    frames: dict[str, int] = {}
    events: dict[str, int] = {}
    for folder, route, payload, ts_recv in recorded():
        reading = parser(route)
        parsed = reading.parse(payload, ts_recv)  # an unknown or bad frame raises
        key = f"{folder}:{reading.channel}"
        frames[key] = frames.get(key, 0) + 1
        events[key] = events.get(key, 0) + len(parsed)
        for event in parsed:
            assert all(math.isfinite(number) for number in numbers(event))
    assert frames == {
        "cryptofeed:get_instruments": 4, "tardis_native_messages:trades": 3, "tardis_native_messages:quote": 1,
        "tardis_native_messages:book": 4, "tardis_native_messages:ticker": 10, "nautilus_fixtures:book": 3, "nautilus_fixtures:chart": 1,
        "nautilus_fixtures:quote": 1, "nautilus_fixtures:ticker": 1, "nautilus_fixtures:trades": 2,
        "nautilus_fixtures:deribit_volatility_index": 1, "deribit_eth:get_book_summary_by_currency": 1, "deribit_eth:ticker": 27,
    }  # fmt: skip
    assert events["cryptofeed:get_instruments"] == 398 + 426 + 177 + 16
    assert events["deribit_eth:get_book_summary_by_currency"] == 754
    assert events["deribit_eth:ticker"] == 27


@pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not on this machine")
def test_listings_and_names_agree() -> None:
    for folder, route, payload, ts_recv in recorded():
        if folder != "cryptofeed":
            continue
        for listed in parser(route).parse(payload, ts_recv):
            assert isinstance(listed, Instrument)
            read = infer(listed.venue_symbol)
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
                assert getattr(read, field) == getattr(listed, field), (listed.venue_symbol, field)
            assert read.contract_size in (None, listed.contract_size)


@pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not on this machine")
def test_longs_are_liquidated_in_the_recorded_fall() -> None:
    """12/13 March 2020, spot from 7,900 to 3,800: a taker's sell and a maker's buy both close longs."""
    closed = [
        event
        for folder, route, payload, ts_recv in recorded() if folder == "tardis_native_messages"
        for event in parser(route).parse(payload, ts_recv) if isinstance(event, Liquidation)
    ]  # fmt: skip
    assert [(event.position_side, event.notional_usd, event.contracts) for event in closed] == [
        ("long", 1120.0, 112.0),
        ("long", 2500.0, 250.0),
    ]


@pytest.mark.skipif(not DATA.exists(), reason="the shared recordings are not on this machine")
def test_summary_and_ticker_of_one_minute_agree() -> None:
    """The chain and the tickers were taken within 45 s of each other: volatilities are shares in both, interest in coins."""
    quotes: dict[str, list[OptionQuote]] = {}
    for folder, route, payload, ts_recv in recorded():
        if folder == "deribit_eth":
            for event in parser(route).parse(payload, ts_recv):
                assert isinstance(event, OptionQuote)
                quotes.setdefault(event.venue_symbol, []).append(event)
    pairs = [pair for pair in quotes.values() if len(pair) == 2]
    assert len(pairs) == 27
    for chain, single in pairs:
        assert chain.mark_iv == pytest.approx(single.mark_iv, rel=0.2)
        assert chain.open_interest == pytest.approx(single.open_interest, rel=0.05)
        assert chain.symbol == single.symbol
