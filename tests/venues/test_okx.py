"""OKX: fixtures, side and notional vectors, the traps of its protocol, and every recorded frame."""

import csv
import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import BookDepth, Event, FundingRate, Liquidation, OpenInterest, OptionQuote, Trade
from deleverage.instruments import Instrument, make
from deleverage.venues.okx import DOCS_2026_07_19, VENUE, subscribe
from deleverage.venues.okx_rest import infer
from deleverage.venues.venue import Instruments, Parser, Wanted, split_route

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "okx").glob("*.json"))
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
WS = "wss://ws.okx.com:8443/ws/v5/public"
REST = "https://www.okx.com/api/v5/"
RECV = 1_790_000_000_000_000_000
NOW_MS = 1_789_669_898_955


def recorded(folder: str) -> Path:
    path = DATA / folder
    if not path.is_dir():
        pytest.skip(f"the recording {folder} is not here")
    return path


def listed(name: str, size: float) -> Instrument:
    known = infer(name)
    assert known is not None
    return msgspec.structs.replace(known, contract_size=size, is_inferred=False)


def parser(route: str = WS, *known: Instrument) -> Parser:
    return VENUE.parser(split_route(route), VENUE.instruments(known))


def push(channel: str, rows: Sequence[object], action: str = "", **arg: object) -> bytes:
    frame: dict[str, object] = {"arg": {"channel": channel, **arg}, "data": rows}
    return msgspec.json.encode({**frame, "action": action} if action else frame)


def detail(**over: object) -> dict[str, object]:
    return {"bkLoss": "0", "bkPx": "2500", "ccy": "", "posSide": "long", "side": "sell", "sz": "13", "ts": str(NOW_MS), **over}


def liquidations(name: str, *details: dict[str, object], product: str = "SWAP") -> bytes:
    return push("liquidation-orders", [{"details": details, "instId": name, "instType": product}], instType=product)


def only(p: Parser, payload: bytes) -> Any:
    (event,) = p.parse(payload, RECV)
    return event


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
        return math.isclose(value, wanted, rel_tol=1e-9)
    return value == wanted


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("layout", ["compact", "spaced", "reordered"])
def test_fixture(path: Path, layout: str) -> None:
    """The fast way (as the venue writes) and the slow way (any other JSON layout) give the same events."""
    case = json.loads(path.read_bytes())
    payload = case["payload"]
    if isinstance(payload, str):
        frame = payload.encode()
    elif layout == "reordered":
        frame = json.dumps(dict(reversed(payload.items()))).encode()
    else:
        frame = json.dumps(payload, separators=(",", ":") if layout == "compact" else (", ", ": ")).encode()
    events = parser(case["route"]).parse(frame, case["ts_recv"])
    assert [type(event).__name__ for event in events] == [wanted["event"] for wanted in case["expect"]]
    for event, wanted in zip(events, case["expect"], strict=True):
        assert event.venue == "okx" and event.ts_recv == case["ts_recv"]
        for field, value in wanted.items():
            if field != "event":
                assert same(getattr(event, field), value), f"{field}: {getattr(event, field)!r}, not {value!r}"


def test_fixtures_exist() -> None:
    assert len(FIXTURES) > 60


@pytest.mark.parametrize("path", [p for p in FIXTURES if '"arg": {' in p.read_text()], ids=lambda path: path.stem)
def test_a_push_parses_whatever_the_route_says(path: Path) -> None:
    case = json.loads(path.read_bytes())
    events = parser(REST + "public/instruments?instType=SPOT").parse(json.dumps(case["payload"]).encode(), RECV)
    assert [type(event).__name__ for event in events] == [wanted["event"] for wanted in case["expect"]]


# --- liquidations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "order", "closed"),
    [
        ("long", "sell", "long"),
        ("short", "buy", "short"),
        ("net", "sell", "long"),
        ("net", "buy", "short"),
        ("", "sell", "long"),
        ("", "buy", "short"),
    ],
)
def test_side(position: str, order: str, closed: str) -> None:
    event = only(parser(), liquidations("ETH-USDT-SWAP", detail(posSide=position, side=order)))
    assert event.position_side == closed


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises(ParseError) as caught:
        parser().parse(liquidations("ETH-USDT-SWAP", detail(posSide="net", side="close")), RECV)
    assert caught.value.channel == "liquidation-orders"


@pytest.mark.parametrize(
    ("name", "size", "contracts", "price", "quantity", "notional"),
    [
        ("ETH-USDT-SWAP", 0.1, "13", "2500", 1.3, 3250.0),  # venues.md 2.2
        ("BTC-USD-SWAP", 100.0, "20", "50000", 0.04, 2000.0),  # venues.md 2.2
        ("CNPY-USDT-SWAP", 10.0, "2137", "0.4162", 21370.0, 8894.194),  # the capture of venues.md 5.3, size constructed
        ("SKHYNIX-USDT-SWAP", 0.1, "0.139", "1160.03", 0.0139, 16.124417),
    ],
)
def test_notional(name: str, size: float, contracts: str, price: str, quantity: float, notional: float) -> None:
    event = only(parser(WS, listed(name, size)), liquidations(name, detail(sz=contracts, bkPx=price)))
    assert event.contracts == float(contracts)
    assert event.quantity == pytest.approx(quantity) and event.notional_usd == pytest.approx(notional)


def test_unknown_contract_size_leaves_the_notional_open() -> None:
    event = only(parser(), liquidations("ETH-USDT-SWAP", detail()))
    assert (event.contracts, event.quantity, event.notional_usd) == (13.0, None, None)


def test_every_detail_counts_and_repeats_are_numbered() -> None:
    frame = liquidations("ETH-USDT-SWAP", detail(), detail(), detail(sz="14"), detail())
    events = parser().parse(frame, RECV)
    assert [(event.contracts, event.ordinal) for event in events if isinstance(event, Liquidation)] == [(13, 0), (13, 1), (14, 0), (13, 2)]


def test_first_push_of_each_product_is_backlog() -> None:
    p = parser()
    frames = [("SWAP", True), ("SWAP", False), ("FUTURES", True), ("FUTURES", False), ("SWAP", False)]
    for product, is_backlog in frames:
        assert only(p, liquidations("ETH-USDT-SWAP", detail(), product=product)).is_backfill is is_backlog
    p.parse(b'{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"},"connId":"a4d3ae55"}', RECV)
    assert only(p, liquidations("ETH-USDT-SWAP", detail())).is_backfill is True


def test_order_of_time_is_kept_as_sent() -> None:
    frame = liquidations("ETH-USDT-SWAP", detail(), detail(ts=str(NOW_MS - 695_000)))
    assert [event.ts_event for event in parser().parse(frame, RECV)] == [NOW_MS * 1_000_000, (NOW_MS - 695_000) * 1_000_000]


def test_rest_and_socket_rows_are_one_event_to_the_key() -> None:
    row = {"details": [detail()], "instId": "ETH-USDT-SWAP", "instType": "SWAP"}
    rest = only(parser(REST + "public/liquidation-orders?instType=SWAP"), msgspec.json.encode({"code": "0", "data": [row]}))
    live = only(parser(), liquidations("ETH-USDT-SWAP", detail()))
    key = ("venue_symbol", "ts_event", "native_id", "position_side", "price", "contracts", "quantity", "method", "ordinal")
    assert [getattr(rest, k) for k in key] == [getattr(live, k) for k in key]
    assert rest.is_backfill


@pytest.mark.parametrize(("days", "kind"), [(-1, "bankruptcy"), (0, "mark")])
def test_price_kind_is_that_of_the_docs_in_force(days: int, kind: str) -> None:
    ms = DOCS_2026_07_19 // 1_000_000 + days * 86_400_000
    assert only(parser(), liquidations("ETH-USDT-SWAP", detail(ts=str(ms)))).price_kind == kind


def test_coverage_is_undisclosed_and_dated() -> None:
    before, after = VENUE.coverage_at(DOCS_2026_07_19 - 1), VENUE.coverage_at(DOCS_2026_07_19)
    assert (before.rule, after.rule) == ("undisclosed", "undisclosed") and before.note != after.note


def test_a_liquidation_without_price_is_counted_not_made_up() -> None:
    with pytest.raises(ParseError):
        parser().parse(liquidations("ETH-USDT-SWAP", detail(bkPx="")), RECV)


def test_option_liquidation_has_no_notional() -> None:
    p = parser(WS, listed("BTC-USD-250328-92000-C", 0.01))
    event = only(p, liquidations("BTC-USD-250328-92000-C", detail(bkPx="0.03", sz="100"), product="OPTION"))
    assert event.quantity == pytest.approx(1.0) and event.notional_usd is None


# --- books -----------------------------------------------------------------------------------------------------------


def test_official_sequence_example() -> None:
    """(-1,10) (10,15) (15,15) (15,3) (3,5) is valid throughout; the heartbeat is no change."""
    p, last, chain = parser(), None, []
    steps = [(-1, 10, "snapshot"), (10, 15, "update"), (15, 15, "update"), (15, 3, "update"), (3, 5, "update")]
    for before, after, action in steps:
        levels: list[list[str]] = [] if before == after else [["1", "2", "0", "1"]]
        row = {"asks": levels, "bids": [], "ts": "1597026383085", "checksum": 0, "prevSeqId": before, "seqId": after}
        for event in p.parse(push("books", [row], action, instId="BTC-USDT-SWAP"), RECV):
            assert isinstance(event, BookDepth)
            assert event.update == "snapshot" or event.previous_sequence == last
            last = event.sequence
            chain.append(last)
        assert p.channel == "books"
    assert chain == [10, 15, 3, 5]


@pytest.mark.parametrize("checksum", [0, -855196043, None])
def test_checksum_is_ignored(checksum: int | None) -> None:
    row = {"asks": [["1", "2", "0", "1"]], "bids": [], "ts": "1597026383085", "checksum": checksum, "prevSeqId": 1, "seqId": 2}
    assert only(parser(), push("books", [row], "update", instId="BTC-USDT-SWAP")).sequence == 2


def test_an_empty_change_that_moves_the_sequence_is_kept() -> None:
    row = {"asks": [], "bids": [], "ts": "1597026383085", "prevSeqId": 7, "seqId": 9}
    event = only(parser(), push("books", [row], "update", instId="BTC-USDT-SWAP"))
    assert (event.previous_sequence, event.sequence, event.bids, event.asks) == (7, 9, [], [])


# --- funding, open interest, options ---------------------------------------------------------------------------------


def funding(**over: str) -> bytes:
    row = {"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": "1773158400000", "nextFundingTime": "1773172800000"}
    row |= {"prevFundingTime": "1773144000000", "settFundingRate": "0.0002", "settState": "settled", "ts": "1773150000000", **over}
    return push("funding-rate", [row], instId="BTC-USDT-SWAP")


def test_funding_interval_is_the_step_between_settlements() -> None:
    predicted, settled = parser().parse(funding(), RECV)
    assert isinstance(predicted, FundingRate) and isinstance(settled, FundingRate)
    assert (predicted.funding_kind, predicted.funding_interval_hours, predicted.funding_time) == ("predicted", 4.0, 1773158400 * 10**9)
    assert (settled.funding_kind, settled.funding_interval_hours, settled.funding_time) == ("settled", 4.0, 1773144000 * 10**9)
    _, changed = parser().parse(funding(nextFundingTime="1773162000000"), RECV)
    assert isinstance(changed, FundingRate) and changed.funding_interval_hours is None  # 4 h before, 1 h after: not told


def test_unchanged_rates_are_said_once_per_connection() -> None:
    p = parser()
    assert len(p.parse(funding(), RECV)) == 2
    assert p.parse(funding(ts="1773150060000"), RECV) == []
    assert [event.funding_rate for event in p.parse(funding(fundingRate="0.00011"), RECV) if isinstance(event, FundingRate)] == [0.00011]
    assert len(parser().parse(funding(), RECV)) == 2


def test_unchanged_prediction_is_told_again_every_ten_minutes() -> None:
    p, start = parser(), 1773150000000
    told = [ms for ms in range(0, 1_800_000, 60_000) if p.parse(funding(ts=str(start + ms)), RECV)]
    assert told == [0, 600_000, 1_200_000]
    (predicted,) = p.parse(funding(ts=str(start + 1_800_000)), RECV)
    assert isinstance(predicted, FundingRate) and predicted.funding_kind == "predicted"  # a settled rate is a fact, told once


def test_a_blank_rate_is_none_and_zero_is_zero() -> None:
    assert parser().parse(funding(fundingRate="", settFundingRate=""), RECV) == []
    predicted = parser().parse(funding(fundingRate="0"), RECV)[0]
    assert isinstance(predicted, FundingRate) and predicted.funding_rate == 0.0


def test_option_trade_counts_dollars_at_the_index() -> None:
    row = {"instId": "BTC-USD-221230-16600-P", "tradeId": "65", "px": "0.005", "sz": "30", "side": "sell", "ts": "1672225112048"}
    p = parser(WS, listed("BTC-USD-221230-16600-P", 0.01))
    priced = only(p, push("option-trades", [{**row, "idxPx": "16667"}], instType="OPTION"))
    assert priced.quantity == pytest.approx(0.3) and priced.notional_usd == pytest.approx(0.3 * 16667)
    assert only(p, push("trades", [row], instId="BTC-USD-221230-16600-P")).notional_usd is None


def test_option_quote_needs_an_option() -> None:
    with pytest.raises(ParseError):
        parser().parse(push("opt-summary", [{"instId": "BTC-USD-SWAP", "ts": "1", "markVol": "1"}], instFamily="BTC-USD"), RECV)


def test_tiers_of_a_family_reach_its_listed_futures() -> None:
    row = {"tier": "1", "minSz": "0", "maxSz": "", "mmr": "0.004", "imr": "0.008", "maxLever": "125", "instFamily": "BTC-USD"}
    p = parser(REST + "public/position-tiers?instType=FUTURES&tdMode=isolated", listed("BTC-USD-270326", 100), listed("ETH-USD-270326", 10))
    event = only(p, msgspec.json.encode({"code": "0", "data": [row]}))
    assert (event.venue_symbol, event.upper, event.margin_mode, event.maintenance_margin_rate) == (
        "BTC-USD-270326",
        None,
        "isolated",
        0.004,
    )


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol", "base", "kind", "contract_type", "size"),
    [
        ("BTC-USDT-SWAP", "BTC/USDT:USDT", "BTC", "perpetual", "linear", None),
        ("BTC-USD-SWAP", "BTC/USD:BTC", "BTC", "perpetual", "inverse", 100.0),
        ("ETH-USD-SWAP", "ETH/USD:ETH", "ETH", "perpetual", "inverse", 10.0),
        ("BTC-USDC-SWAP", "BTC/USDC:USDC", "BTC", "perpetual", "linear", None),
        ("BTC-USD_UM-SWAP", "BTC/USD:USD", "BTC", "perpetual", "linear", None),
        ("BTC-USD_UM_XPERP-310404", "BTC/USD:USD-310404", "BTC", "future", "linear", None),
        ("BTC-USD-220527", "BTC/USD:BTC-220527", "BTC", "future", "inverse", 100.0),
        ("FIL-USDT-220325", "FIL/USDT:USDT-220325", "FIL", "future", "linear", None),
        ("BTC-USD-250328-92000-C", "BTC/USD:BTC-250328-92000-C", "BTC", "option", "linear", None),
        ("ETH-USD-250328-1250.5-P", "ETH/USD:ETH-250328-1250.5-P", "ETH", "option", "linear", None),
        ("1INCH-USDT-SWAP", "1INCH/USDT:USDT", "1INCH", "perpetual", "linear", None),
        ("SKHYNIX-USDT-SWAP", "SKHYNIX/USDT:USDT", "SKHYNIX", "perpetual", "linear", None),
    ],
)
def test_names(name: str, symbol: str, base: str, kind: str, contract_type: str, size: float | None) -> None:
    i = infer(name)
    assert i is not None and i.is_inferred and i.size_unit == "contracts"
    assert (i.symbol, i.base, i.kind, i.contract_type, i.contract_size) == (symbol, base, kind, contract_type, size)


@pytest.mark.parametrize(
    "name",
    ["", "-", "BTC", "BTC-USDT", "BTC-USDT-", "-USDT-SWAP", "BTC-USDT-250230", "BTC-USD-250328-x-C", "BTC-USD-250328-1_0-C", "A-B-C"],
)
def test_impossible_names(name: str) -> None:
    assert infer(name) is None


# --- control ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "channel"),
    [
        (b"pong", "heartbeat"),
        (b'{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"connId":"a"}', "ack"),
        (b'{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"event":"subscribe"}', "ack"),
        (b'{"id":"1","event":"unsubscribe","arg":{"channel":"trades"}}', "ack"),
        (b'{"event":"channel-conn-count","channel":"trades","connCount":"1","connId":"a"}', "ack"),
        (b'{"event":"error","code":"60012","msg":"Invalid request","connId":"a"}', "error"),
        (b'{"event":"error","message":"Channel doesn\'t exist","errorCode":30040}', "error"),
        (b'{"code":"50011","msg":"Too Many Requests","data":[]}', "error"),
        (b'{"code":"50011","msg":"Too Many Requests"}', "error"),
        (b'{"arg":{"channel":"sprd-bbo-tbt","sprdId":"BTC-USDT_BTC-USDT-SWAP"},"data":[{}]}', "sprd-bbo-tbt"),
        (b'{"arg":{"channel":"estimated-price","instId":"BTC-USD-250627"},"data":[{"settlePx":"1"}]}', "estimated-price"),
        (b'{"table":"spot/ticker","data":[{"instrument_id":"BTC-USDT","last":"1"}]}', "spot/ticker"),
        (b'{"table":"futures/price_range","data":[{"instrument_id":"BTC-USD-190628","highest":"1"}]}', "futures/price_range"),
        (b'{"code":"0","msg":"","data":[["1597026383085","3.721","3.743","3.677","3.708","0"]]}', "candles"),
    ],
)
def test_recognised(payload: bytes, channel: str) -> None:
    p = parser()
    assert not p.parse(payload, RECV) and p.channel == channel


@pytest.mark.parametrize(
    "payload",
    [
        b'{"arg":{"channel":"moon-phase"},"data":[{"a":1}]}',
        b'{"table":"swap/moon","data":[]}',
        b'{"event":"eclipse"}',
        b'{"code":"0","data":[{"moon":1}]}',
        b"{}",
    ],
)
def test_unknown_kinds_are_said_to_be_unknown(payload: bytes) -> None:
    with pytest.raises(UnknownFrame):
        parser().parse(payload, RECV)


def test_unknown_address_is_unknown() -> None:
    with pytest.raises(UnknownFrame):
        parser(REST + "public/moon-phase").parse(b'{"code":"0","data":[{}]}', RECV)


def test_channel_is_set_before_a_bad_frame_fails() -> None:
    p = parser()
    with pytest.raises(ParseError) as caught:
        p.parse(b'{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP"}]}', RECV)
    assert caught.value.channel == p.channel == "trades"


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "1e30", "", "x"])
def test_numbers_out_of_range_are_refused(number: str) -> None:
    row = {"instId": "BTC-USD-SWAP", "tradeId": "1", "px": number, "sz": "1", "side": "buy", "ts": "1"}
    with pytest.raises(ParseError):
        parser().parse(push("trades", [row], instId="BTC-USD-SWAP"), RECV)


SAMPLES = [json.dumps(case["payload"]).encode() for case in (json.loads(path.read_bytes()) for path in FIXTURES)]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_bytes_give_events_or_parse_error(data: st.DataObject) -> None:
    sample = bytearray(data.draw(st.sampled_from(SAMPLES) | st.binary(max_size=80)))
    for _ in range(data.draw(st.integers(0, 6))):
        if sample:
            at = data.draw(st.integers(0, len(sample) - 1))
            sample[at : at + data.draw(st.integers(0, 3))] = data.draw(
                st.binary(max_size=3) | st.sampled_from([b"9" * 20, b'"', b"nan", b"-", b"[["])
            )
    route = data.draw(
        st.sampled_from([WS, "", REST + "market/candles?instId=BTC-USDT-SWAP&bar=3M", REST + "public/position-tiers?instType=SWAP"])
    )
    try:
        events = parser(route).parse(bytes(sample), RECV)
    except ParseError:
        return
    for event in events:
        assert all(math.isfinite(n) and (not isinstance(n, int) or -(2**63) <= n < 2**63) for n in numbers(event))


# --- subscriptions ---------------------------------------------------------------------------------------------------


def test_subscriptions_keep_within_the_limits() -> None:
    names = [f"C{n}-USDT-SWAP" for n in range(400)] + ["BTC-USDT-SWAP", "BTC-USD-270326", "BTC-USD-270326-100000-C"]
    kinds = "liquidations trades book_depth mark_prices funding_rates open_interest"
    kinds += " instruments adl_signals option_quotes candles venue_statuses"
    wanted = Wanted(
        kinds=frozenset(kinds.split()),
        instruments=tuple(listed(name, 1.0) for name in names),
        detail=frozenset({"BTC", *(f"C{n}" for n in range(50))}),
    )
    seen: Counter[tuple[str, str]] = Counter()
    for socket in subscribe(wanted):
        args = [arg for frame in socket.frames for arg in json.loads(frame)["args"]]
        assert 0 < len(args) <= 480 and all(len(frame) < 64_000 for frame in socket.frames)
        assert sum(arg["channel"] == "books" for arg in args) < 30
        for arg in args:
            business = arg["channel"] == "trades-all" or arg["channel"].startswith("candle")
            assert socket.url.endswith("/business" if business else "/public")
            seen[arg["channel"], arg.get("instId", arg.get("instFamily", arg.get("instType", "")))] += 1
    assert seen.pop(("mark-price", "BTC-USDT-SWAP")) == 2  # once more beside the liquidations, to tell a dead socket from a calm market
    assert max(seen.values()) == 1
    assert seen["liquidation-orders", "SWAP"] == seen["liquidation-orders", "FUTURES"] == 1
    assert sum(n for (channel, _), n in seen.items() if channel == "mark-price") == 401
    assert sum(n for (channel, _), n in seen.items() if channel == "funding-rate") == 401  # a dated future pays none
    assert sum(n for (channel, _), n in seen.items() if channel == "books") == 52
    assert ("index-tickers", "BTC-USD") in seen and ("opt-summary", "BTC-USD") in seen


def test_nothing_wanted_opens_nothing() -> None:
    assert subscribe(Wanted(kinds=frozenset(), instruments=())) == []


def test_liquidation_subscription_is_known_as_such() -> None:
    (socket,) = subscribe(Wanted(kinds=frozenset({"liquidations"}), instruments=()))
    assert all(VENUE.carries_liquidations(frame.decode()) for frame in socket.frames)
    assert VENUE.carries_liquidations("futures/liquidation") and not VENUE.carries_liquidations("trades-all")


def test_heartbeat_beats_the_cut_of_30_seconds() -> None:
    assert VENUE.heartbeat.payload == b"ping" and VENUE.heartbeat.every is not None and VENUE.heartbeat.every < 30
    assert VENUE.heartbeat.reply is None  # the venue never asks


# --- recordings ------------------------------------------------------------------------------------------------------


def fill(instruments: Instruments, events: Sequence[Event]) -> None:
    for event in events:
        if isinstance(event, Instrument):
            instruments.add(event)


def test_recording_of_2022_is_consumed() -> None:
    folder = recorded("cryptofeed")
    instruments, seen = VENUE.instruments(), Counter[tuple[str, str]]()
    for line in gzip.decompress((folder / "OKX.0.gz").read_bytes()).splitlines():
        if line.startswith(b"http"):
            head, _, body = line.partition(b": {")
            listing = VENUE.parser(split_route(head.partition(b" -> ")[0].decode()), instruments).parse(b"{" + body, RECV)
            for event in listing:
                assert isinstance(event, Instrument)
                named = infer(event.venue_symbol)
                assert named is not None and event.contract_size is not None
                assert (named.symbol, named.base, named.expiry, named.contract_type) == (
                    event.symbol, event.base, event.expiry, event.contract_type,
                )  # fmt: skip
                assert named.contract_size in (None, event.contract_size)
            fill(instruments, listing)
    assert len(instruments.all_listed()) == 966
    p = VENUE.parser(split_route(WS), instruments)
    for line in gzip.decompress((folder / "OKX.ws.1.0.gz").read_bytes()).splitlines():
        if line[:1].isdigit():
            events = p.parse(line.partition(b": ")[2].strip(), RECV)
            seen[p.channel, "frames"] += 1
            for event in events:
                seen[p.channel, type(event).__name__] += 1
                assert not isinstance(event, Trade) or (event.notional_usd or 0) > 0
    assert seen == {
        ("ack", "frames"): 18, ("books", "frames"): 290, ("books", "BookDepth"): 192, ("tickers", "frames"): 28,
        ("tickers", "BookDepth"): 3, ("trades", "frames"): 74, ("trades", "Trade"): 5,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["okx-swap", "okx-futures"])
def test_messages_of_2019_to_2023_are_consumed(name: str) -> None:
    seen: Counter[str] = Counter()
    p = parser("recorded")
    for line in (recorded("tardis_native_messages") / f"{name}.jsonl").read_bytes().splitlines():
        for event in p.parse(line, RECV):
            seen[type(event).__name__] += 1
            assert all(math.isfinite(n) for n in numbers(event))
    swap = {"BookDepth": 8, "OpenInterest": 3, "FundingRate": 2, "MarkPrice": 3, "Trade": 1}
    futures = {"Trade": 5, "BookDepth": 9, "FundingRate": 1, "MarkPrice": 4, "OpenInterest": 5, "Liquidation": 6}
    assert seen == (swap if name == "okx-swap" else futures)


def test_vendor_made_liquidations_have_their_sides() -> None:
    p, sides = parser("recorded"), []
    for line in (recorded("tardis_native_messages") / "okx-futures.jsonl").read_bytes().splitlines():
        sides += [(e.venue_symbol, e.position_side, e.notional_usd) for e in p.parse(line, RECV) if isinstance(e, Liquidation)]
    assert sides[:3] == [("ETH-USD-210326", "long", 4750.0), ("BTC-USD-210326", "short", 800.0), ("BTC-USD-220624", "short", 1200.0)]


def test_message_samples_are_consumed() -> None:
    for path in sorted((recorded("jkorf_fixtures") / "okx").glob("*.txt")):
        text = path.read_text()
        if text.startswith(">"):
            p = parser()
            _, ack, update = text.split("\n", 2)
            assert p.parse(ack[2:].encode(), RECV) == () and p.channel == "ack"
            p.parse(update.removeprefix("=").encode(), RECV)
        else:
            _, address, _, body = text.split("\n", 3)
            known = parser(address)
            events = known.parse(body.encode(), RECV)
            assert known.channel == address.rpartition("/")[2]
            # The same answer at an unhelpful address reads the same.
            assert list(parser("recorded").parse(body.encode(), RECV)) == list(events)
    for path in sorted((recorded("nautilus_fixtures") / "okx").glob("*.json")):
        p = parser("recorded")
        p.parse(path.read_bytes(), RECV)
        assert p.channel != "unknown"


def test_liquidations_of_2026_read_as_recorded() -> None:
    path = recorded("okx_liquidation_orders_2026") / "okx_liq_2026-08-31_part1.csv"
    p, prices = parser(), defaultdict(list)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for n, row in enumerate(rows):
        frame = liquidations(row["inst_id"], json.loads(row["raw_json"]))
        event = only(p, frame)
        assert (event.position_side, event.contracts, event.price) == (row["pos_side"], float(row["sz"]), float(row["bk_px"]))
        assert event.ts_event == int(row["exch_ts_ms"]) * 1_000_000 and event.is_backfill is (n == 0)
        prices[event.venue_symbol].append((event.ts_event, event.price))
    assert len(rows) == 74
    # No contract shows two in one second, and along a fall prices step down like one mark: the evidence behind price_kind.
    assert len({(row["inst_id"], int(row["exch_ts_ms"]) // 1000) for row in rows}) == 74
    steps = [b[1] - a[1] for series in prices.values() for a, b in zip(sorted(series), sorted(series)[1:], strict=False)]
    assert len(steps) == 48 and sum(step > 0 for step in steps) == 1


def test_answers_of_2026_are_consumed() -> None:
    folder = recorded("crypto_research_rest")
    for rows in json.loads((folder / "okx_oi.json").read_bytes()).values():
        event = only(parser("recorded"), msgspec.json.encode({"code": "0", "data": rows}))
        assert isinstance(event, OpenInterest) and event.open_interest_usd and event.open_interest_base
    for answer in json.loads((folder / "okx_funding.json").read_bytes()).values():
        p = parser("recorded")
        predicted, settled = p.parse(msgspec.json.encode({"code": "0", "data": answer["current"]}), RECV)
        past = p.parse(msgspec.json.encode({"code": "0", "data": answer["history"]}), RECV)
        assert isinstance(predicted, FundingRate) and predicted.funding_interval_hours == 8.0
        newest = past[0]
        # What the socket says was settled is the newest row of the history: one row to the table's key.
        key = ("venue_symbol", "ts_event", "funding_kind", "funding_time", "funding_rate")
        assert [getattr(settled, k) for k in key] == [getattr(newest, k) for k in key]


def test_option_quotes_carry_shares_not_percent() -> None:
    for event in parser("recorded").parse((recorded("nautilus_fixtures") / "okx" / "ws_opt_summary.json").read_bytes(), RECV):
        assert isinstance(event, OptionQuote) and event.mark_iv is not None and 0.1 < event.mark_iv < 2


def test_measuring_needs_the_listing() -> None:
    """A listing that arrives after a name was used tells the pipeline to rebuild."""
    instruments = VENUE.instruments()
    p = VENUE.parser(split_route(WS), instruments)
    p.parse(liquidations("ETH-USDT-SWAP", detail()), RECV)
    assert instruments.add(make("okx", "ETH-USDT-SWAP", "ETH", "USDT", size_unit="contracts", contract_size=0.1)) is True
    assert only(p, liquidations("ETH-USDT-SWAP", detail())).notional_usd == pytest.approx(3250.0)
