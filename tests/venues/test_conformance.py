"""What every venue must do, whatever its wire: every recorded frame is consumed, and every event is one the tables can hold."""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.captures import FORMATS, NOT_RECORDED, Capture, captures, recorded

from deleverage.collect.pipeline import Pipeline, Tally
from deleverage.errors import ParseError
from deleverage.events import Event, Liquidation
from deleverage.instruments import Instrument
from deleverage.journal.frame import Frame
from deleverage.recordings import bundled
from deleverage.store.columns import group, to_arrow
from deleverage.tables import LEVELS, TABLE_OF
from deleverage.venues import VENUES
from deleverage.venues.venue import Venue, split_route

TESTS = Path(__file__).parents[1]
DAY = 86_400 * 1_000_000_000
SKEW = 5 * 1_000_000_000
"""How far a venue's clock may run ahead of a recorder's: one recorder was 1.3 s behind."""
IDLE = {"ack", "heartbeat", "error"}

# Frames per channel of every capture, and of every bundled recording.
FRAMES: dict[tuple[str, str], str] = {
    ("cryptofeed", "binance"): "aggTrade 91, bookTicker 613, depth 764, exchangeInfo 1, kline 67",
    ("cryptofeed", "bybit"): ("ack 24, instruments-info 2, kline 71, orderbook 1598, publicTrade 102, spot 674, tickers 758"),
    ("cryptofeed", "deribit"): "get_instruments 4",
    ("cryptofeed", "htx"): "ack 10, depth 1274, heartbeat 6, trade.detail 6",
    ("cryptofeed", "okx"): "ack 18, books 290, instruments 25, tickers 28, trades 74",
    ("hftbacktest", "binance"): "bookTicker 85225, depth 33400, trade 23599",
    ("hftbacktest", "hyperliquid"): "l2Book 46, trades 9",
    ("hyperliquid_node_fills", "hyperliquid"): "node_fills 700",
    ("hyperliquid_sdk_cassettes", "hyperliquid"): (
        "allMids 1, clearinghouseState 1, fundingHistory 1, l2Book 1, meta 3, userFills 1, userFunding 1, userNonFundingLedgerUpdates 1"
    ),
    ("tardis_native_messages", "binance"): (
        "aggTrade 1, bookTicker 1, depth 4, forceOrder 1, index 2, markPrice 4, openInterest 3, ticker 4, trade 5"
    ),
    ("tardis_native_messages", "bybit"): (
        "ack 1, allLiquidation 2, instrument_info 11, liquidation 7, orderBookL2_25 13, orderBook_200 3, orderbook 5, "
        "publicTrade 2, tickers 5, trade 5"
    ),
    ("tardis_native_messages", "deribit"): "book 4, quote 1, ticker 10, trades 3",
    ("tardis_native_messages", "htx"): (
        "ack 2, basis 1, bbo 1, depth 1, funding_rate 1, liquidation_orders 2, open_interest 1, trade.detail 2"
    ),
    ("tardis_native_messages", "hyperliquid"): "activeAssetCtx 1, activeSpotAssetCtx 1, bbo 2, l2Book 2, trades 4",
    ("tardis_native_messages", "okx"): (
        "ack 1, bbo-tbt 2, books-l2-tbt 3, funding-rate 2, futures/depth 2, futures/depth_l2_tbt 3, futures/liquidation 2, "
        "futures/mark_price 1, futures/ticker 4, futures/trade 4, index-tickers 2, liquidation-orders 2, liquidations 2, "
        "mark-price 3, open-interest 2, price-limit 1, swap/depth 1, swap/depth_l2_tbt 1, swap/funding_rate 2, swap/mark_price "
        "1, swap/ticker 3, swap/trade 2, tickers 3, trades 2"
    ),
    ("nautilus_fixtures", "binance"): ("aggTrade 1, bookTicker 1, depth 1, forceOrder 1, kline 2, markPrice 1, ticker 1, trade 1"),
    ("nautilus_fixtures", "bybit"): (
        "history 1, instruments-info 3, kline 1, orderbook 3, recent-trade 1, tickers 2, trade 1, unattributed 1"
    ),
    ("nautilus_fixtures", "deribit"): "book 3, chart 1, deribit_volatility_index 1, quote 1, ticker 1, trades 2",
    ("nautilus_fixtures", "hyperliquid"): "allDexsAssetCtxs 1, allMids 1, allPerpMetas 1, l2Book 1, meta 1, userEvents 1",
    ("nautilus_fixtures", "okx"): (
        "bbo-tbt 1, books 2, funding-rate 1, instruments 1, opt-summary 1, position-tiers 1, tickers 1, trades 1"
    ),
    ("jkorf_fixtures", "binance"): (
        "24hr 1, ack 8, adlQuantile 1, aggTrade 1, aggTrades 1, bookTicker 2, depth 3, forceOrder 1, fundingInfo 1, fundingRate "
        "1, insuranceBalance 1, kline 1, leverageBracket 1, markPrice 1, markPriceKlines 1, openInterest 1, openInterestHist 1, "
        "premiumIndex 1, ticker 1, trades 1"
    ),
    ("jkorf_fixtures", "bybit"): (
        "ack 3, allLiquidation 1, history 1, instruments-info 2, insurance 1, mark-price-kline 1, open-interest 1, orderbook 1, "
        "publicTrade 1, recent-trade 1, risk-limit 1, tickers 3"
    ),
    ("jkorf_fixtures", "htx"): (
        "ack 3, depth 1, detail 1, liquidation_orders 1, swap_adjustfactor 1, swap_batch_funding_rate 1, "
        "swap_cross_adjustfactor 1, swap_cross_ladder_margin 1, swap_elite_account_ratio 1, swap_elite_position_ratio 1, "
        "swap_funding_rate 1, swap_his_open_interest 1, swap_historical_funding_rate 1, swap_insurance_fund 1, "
        "swap_ladder_margin 1, swap_liquidation_orders 1, swap_open_interest 1, swap_risk_info 1, swap_settlement_records 1, "
        "trade.detail 2"
    ),
    ("jkorf_fixtures", "hyperliquid"): (
        "ack 3, bbo 1, clearinghouseState 1, fundingHistory 1, l2Book 1, meta 1, metaAndAssetCtxs 1, perpsAtOpenInterestCap 1, "
        "trades 1, userNonFundingLedgerUpdates 1"
    ),
    ("jkorf_fixtures", "okx"): (
        "ack 7, books 2, funding-rate 2, funding-rate-history 1, insurance-fund 1, mark-price 2, mark-price-candle1D 1, "
        "mark-price-candles 1, open-interest 1, opt-summary 1, position-tiers 1, tickers 1, trades 2"
    ),
    ("bybit_allliquidation_2026", "bybit"): "allLiquidation 265",
    ("okx_liquidation_orders_2026", "okx"): "liquidation-orders 74",
    ("binance-2025-01-26", "binance"): "forceOrder 3494",
    ("binance-2024-08-08", "binance"): "bookTicker 66089, depth 6552, trade 21313",
    ("binance-coin-2024-08-08", "binance"): "bookTicker 19136, depth 26848, trade 2286",
    ("bybit-2026-08-09", "bybit"): ("ack 17, instruments-info 1, kline 71, orderbook 1598, publicTrade 102, tickers 758"),
    ("bybit-2026-10-10", "bybit"): "allLiquidation 265",
    ("htx-2022-02-19", "htx"): "ack 10, depth 1274, heartbeat 6, trade.detail 6",
    ("hyperliquid-2025-01-26", "hyperliquid"): "l2Book 46, trades 9",
    ("okx-2022-05-13", "okx"): "ack 18, books 290, tickers 28, trades 74",
    ("okx-2026-08-31", "okx"): "liquidation-orders 74",
}
EVENTS: dict[tuple[str, str], str] = {
    ("cryptofeed", "binance"): "book_depth 1377, candles 67, instruments 122, trades 91",
    ("cryptofeed", "bybit"): (
        "book_depth 1598, candles 75, funding_rates 6, instruments 800, mark_prices 138, open_interest 20, trades 327"
    ),
    ("cryptofeed", "deribit"): "instruments 1017",
    ("cryptofeed", "htx"): "book_depth 1274, trades 1",
    ("cryptofeed", "okx"): "book_depth 195, instruments 4830, trades 5",
    ("hftbacktest", "binance"): "book_depth 118624, trades 23599",
    ("hftbacktest", "hyperliquid"): "book_depth 46, trades 64",
    ("hyperliquid_node_fills", "hyperliquid"): "liquidations 1, trades 2282",
    ("hyperliquid_sdk_cassettes", "hyperliquid"): (
        "book_depth 1, funding_rates 34, instruments 84, margin_tiers 84, position_snapshots 12"
    ),
    ("tardis_native_messages", "binance"): (
        "book_depth 5, funding_rates 2, liquidations 1, mark_prices 5, open_interest 3, option_quotes 3, trades 6"
    ),
    ("tardis_native_messages", "bybit"): ("book_depth 21, funding_rates 5, liquidations 11, mark_prices 11, open_interest 7, trades 9"),
    ("tardis_native_messages", "deribit"): (
        "book_depth 5, funding_rates 2, liquidations 2, mark_prices 2, open_interest 2, option_quotes 5, trades 4"
    ),
    ("tardis_native_messages", "htx"): ("book_depth 2, funding_rates 1, liquidations 2, mark_prices 1, open_interest 1, trades 1"),
    ("tardis_native_messages", "hyperliquid"): "book_depth 3, funding_rates 1, mark_prices 1, open_interest 1, trades 6",
    ("tardis_native_messages", "okx"): ("book_depth 17, funding_rates 3, liquidations 6, mark_prices 7, open_interest 8, trades 6"),
    ("nautilus_fixtures", "binance"): ("book_depth 2, candles 2, funding_rates 1, liquidations 1, mark_prices 1, trades 2"),
    ("nautilus_fixtures", "bybit"): (
        "book_depth 3, candles 1, funding_rates 3, instruments 4, mark_prices 1, open_interest 1, option_quotes 1, trades 2"
    ),
    ("nautilus_fixtures", "deribit"): (
        "book_depth 4, candles 1, funding_rates 1, mark_prices 1, open_interest 1, trades 2, volatility_indices 1"
    ),
    ("nautilus_fixtures", "hyperliquid"): "book_depth 1, instruments 6, margin_tiers 6, trades 1",
    ("nautilus_fixtures", "okx"): "funding_rates 1, instruments 1, option_quotes 2",
    ("jkorf_fixtures", "binance"): (
        "book_depth 3, candles 1, funding_rates 4, insurance_funds 4, liquidations 1, margin_tiers 1, mark_prices 2, "
        "open_interest 3, trades 1"
    ),
    ("jkorf_fixtures", "bybit"): (
        "book_depth 1, funding_rates 3, instruments 2, insurance_funds 5, liquidations 1, margin_tiers 1, mark_prices 2, "
        "open_interest 4, option_quotes 1, trades 1"
    ),
    ("jkorf_fixtures", "htx"): (
        "book_depth 1, funding_rates 4, insurance_funds 8, liquidations 2, margin_tiers 8, open_interest 5, positioning_ratios 2, trades 1"
    ),
    ("jkorf_fixtures", "hyperliquid"): (
        "book_depth 2, funding_rates 4, instruments 7, margin_tiers 6, mark_prices 3, open_interest 3, position_snapshots 1, trades 1"
    ),
    ("jkorf_fixtures", "okx"): ("funding_rates 6, insurance_funds 1, mark_prices 2, open_interest 1, option_quotes 1"),
    ("bybit_allliquidation_2026", "bybit"): "liquidations 355",
    ("okx_liquidation_orders_2026", "okx"): "liquidations 74",
    ("binance-2025-01-26", "binance"): "liquidations 3494",
    ("binance-2024-08-08", "binance"): "book_depth 72640, trades 21313",
    ("binance-coin-2024-08-08", "binance"): "book_depth 45984, trades 2286",
    ("bybit-2026-08-09", "bybit"): (
        "book_depth 1598, candles 75, funding_rates 6, instruments 800, mark_prices 138, open_interest 20, trades 327"
    ),
    ("bybit-2026-10-10", "bybit"): "liquidations 355",
    ("htx-2022-02-19", "htx"): "book_depth 1274, trades 1",
    ("hyperliquid-2025-01-26", "hyperliquid"): "book_depth 46, trades 64",
    ("okx-2022-05-13", "okx"): "book_depth 195, trades 5",
    ("okx-2026-08-31", "okx"): "liquidations 74",
}


def counted(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (part.rpartition(" ") for part in text.split(", "))}


def frames_of(folder: str, venue: str) -> list[Capture]:
    rows = recorded(folder) if folder in bundled() else captures(folder)
    return [capture for capture in rows if capture.venue == venue]


def play(frames: Iterable[Capture]) -> tuple[Tally, list[Event]]:
    events: list[Event] = []
    pipeline = Pipeline(events.extend)
    for frame in frames:
        pipeline.feed(Frame(frame.ts_recv, frame.venue, frame.route, frame.payload))
    return pipeline.finish(), events


# --- recorded frames --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "venue"), FRAMES, ids=lambda part: part)
def test_every_recorded_frame_is_consumed(folder: str, venue: str) -> None:
    frames = frames_of(folder, venue)
    tally, events = play(frames)
    assert (tally.unknown, tally.errors) == (0, 0), tally.reasons
    channels = {name.partition("/")[2]: count for name, count in tally.by_channel.items()}
    assert {name: count.frames for name, count in channels.items()} == counted(FRAMES[folder, venue])
    assert tally.frames == len(frames) == sum(counted(FRAMES[folder, venue]).values())
    assert not {name: count.events for name, count in channels.items() if name in IDLE and count.events}, "an idle frame emitted events"
    kinds = {TABLE_OF[kind].name: len(rows) for kind, rows in group(events).items()}
    short = {name: (kinds.get(name, 0), least) for name, least in counted(EVENTS[folder, venue]).items() if kinds.get(name, 0) < least}
    assert not short, f"fewer events than known to be there (found, known): {short}"
    check_events(venue, events, is_recording=frames[0].ts_recv != NOT_RECORDED)


def test_no_capture_is_left_out() -> None:
    """Whoever adds a recording or a capture states what is in it."""
    assert {folder for folder, _ in FRAMES} == {*FORMATS, *bundled()}
    assert FRAMES.keys() == EVENTS.keys()
    assert {venue for _, venue in FRAMES} == VENUES.keys()
    for name, recording in bundled().items():
        assert {venue for folder, venue in FRAMES if folder == name} == set(recording.venues)


@pytest.mark.parametrize("folder", FORMATS)
def test_no_venue_of_a_capture_is_left_out(folder: str) -> None:
    assert {capture.venue for capture in captures(folder)} == {venue for name, venue in FRAMES if name == folder}


def check_events(venue: str, events: Sequence[Event], *, is_recording: bool) -> None:
    """Hold events against their tables: convertible, finite, of this venue; those of a recording at plausible times, one under each key."""
    for kind, rows in group(events).items():
        table = to_arrow(rows)  # refuses a null where none may be, and an int beyond int64
        check_finite(table)
        assert set(table["venue"].to_pylist()) == {venue}
        assert pc.min(table["ts_event"]).as_py() >= 0
        if is_recording and kind is not Instrument:  # a listing is as old as the venue's cache of it
            check_clocks(rows)
            check_identity(kind, rows)


def check_finite(table: pa.Table) -> None:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_floating(column.type):
            assert pc.all(pc.is_finite(column.drop_null())).as_py() in (True, None), name
        elif column.type == LEVELS:
            for part in pc.struct_field(pc.list_flatten(column), [0]), pc.struct_field(pc.list_flatten(column), [1]):
                assert pc.all(pc.is_finite(part)).as_py() in (True, None), name


def check_clocks(rows: Sequence[Any]) -> None:
    ahead = next((row for row in rows if row.ts_event > row.ts_recv + SKEW), None)
    assert ahead is None, f"the venue's clock is ahead of ours: {ahead}"
    old = next((row for row in rows if row.ts_event < row.ts_recv - DAY and not getattr(row, "is_backfill", False)), None)
    assert old is None, f"more than a day old and not marked as backfill: {old}"


def check_identity(kind: type, rows: Sequence[Any]) -> None:
    """Events equal in their table's key are one event seen twice: equal in all but when, and how, it was seen."""
    key = TABLE_OF[kind].key
    seen: dict[tuple[object, ...], Any] = {}
    for row in rows:
        values = tuple(getattr(row, name) for name in key)
        first = seen.setdefault(values, row)
        if first is not row:
            left, right = (without_receipt(event) for event in (first, row))
            assert left == right, f"two {TABLE_OF[kind].name} under one key: {first} {row}"


def without_receipt(event: Any) -> Any:
    seen: dict[str, Any] = {"ts_recv": 0}
    if hasattr(event, "is_backfill"):
        seen["is_backfill"] = False
    return msgspec.structs.replace(event, **seen)


@pytest.mark.parametrize(("folder", "venue"), [case for case in FRAMES if "instruments" in EVENTS[case]], ids=lambda part: part)
def test_listings_and_names_agree(folder: str, venue: str) -> None:
    _, events = play(frames_of(folder, venue))
    listed = [event for event in events if isinstance(event, Instrument) and not event.is_inferred]
    assert listed
    wrong = [
        (event.venue_symbol, event.symbol, event.base, read and (read.symbol, read.base))
        for event in listed
        if (read := VENUES[venue].infer(event.venue_symbol)) is None or (read.symbol, read.base) != (event.symbol, event.base)
    ]
    assert not wrong, f"{len(wrong)} of {len(listed)}: {wrong[:5]}"


# --- semantics --------------------------------------------------------------------------------------------------------


def liquidations(name: str) -> list[Liquidation]:
    """Return the liquidations of a bundled recording, each once, by the venue's time."""
    _, events = play(recorded(name))
    key = TABLE_OF[Liquidation].key
    distinct = {tuple(getattr(event, column) for column in key): event for event in reversed(events) if isinstance(event, Liquidation)}
    return sorted(distinct.values(), key=lambda event: event.ts_event)


def direction(closed: Sequence[Liquidation], least: int) -> Counter[str]:
    """Tell how many contracts with at least so many liquidations rose and fell from the first to the last of their prices."""
    prices: dict[str, list[float]] = defaultdict(list)
    for event in closed:
        if event.price is not None:
            prices[event.symbol].append(event.price)
    ways = ((rows[-1] > rows[0]) - (rows[-1] < rows[0]) for rows in prices.values() if len(rows) >= least)
    return Counter({1: "rose", 0: "stayed", -1: "fell"}[way] for way in ways)


def test_longs_are_liquidated_in_the_fall_binance_recorded() -> None:
    """26–27 January 2025: 69 of 78 contracts fell, and four dollars in five that were closed by force were long."""
    closed = liquidations("binance-2025-01-26")
    assert len(closed) == 1821, "of 3,494 messages 1,673 repeat an order"
    ways = direction(closed, 5)
    assert ways["fell"] > 5 * ways["rose"]
    usd = {side: sum(event.notional_usd or 0 for event in closed if event.position_side == side) for side in ("long", "short")}
    assert usd["long"] == pytest.approx(2_823_683.47, abs=0.01) and usd["short"] == pytest.approx(709_728.70, abs=0.01)
    assert sum(event.position_side == "long" for event in closed) == 1216


def test_longs_are_liquidated_in_the_fall_okx_recorded() -> None:
    """31 August 2026, two minutes: every contract with five orders or more fell, and 68 of 74 orders closed longs."""
    closed = liquidations("okx-2026-08-31")
    assert direction(closed, 5) == {"fell": 4}
    assert Counter(event.position_side for event in closed) == {"long": 68, "short": 6}
    assert {event.notional_usd for event in closed} == {None}, "contract sizes of that day were not recorded: unknown, never zero"


def test_bankruptcy_prices_bybit_recorded_lie_on_their_side_of_the_market() -> None:
    """10 October 2026, neither a fall nor a rally. A long's bankruptcy price lies below the market and a short's above it, so wherever one
    contract had both within two minutes the long's is the lower: read the wrong way round, all 71 pairs would be on their heads."""
    closed = liquidations("bybit-2026-10-10")
    assert len(closed) == 355
    pairs = [
        (long.price, short.price)
        for long in closed if long.position_side == "long"
        for short in closed if short.position_side == "short" and short.symbol == long.symbol
        and abs(short.ts_event - long.ts_event) < 120 * 1_000_000_000
    ]  # fmt: skip
    assert len(pairs) == 71
    assert all(low is not None and high is not None and low < high for low, high in pairs)


@pytest.mark.parametrize(("folder", "venue"), [case for case in FRAMES if "liquidations" in EVENTS[case]], ids=lambda part: part)
def test_liquidations_say_how_much_of_reality_they_are(folder: str, venue: str) -> None:
    _, events = play(frames_of(folder, venue))
    rules = {rule.rule for rule in VENUES[venue].coverage}
    for event in events:
        if isinstance(event, Liquidation):
            assert event.coverage_rule in rules and event.price_kind != "unknown"
            if event.notional_usd is not None and event.quantity and event.price:
                assert event.notional_usd == pytest.approx(event.quantity * event.price, rel=1e-9)


# --- state ------------------------------------------------------------------------------------------------------------


def fixtures(venue: str) -> Iterator[tuple[str, str, bytes, int]]:
    for path in sorted((TESTS / "fixtures" / venue).glob("*.json")):
        case = json.loads(path.read_text())
        body = case.get("payload")
        payload = (
            base64.b64decode(case["payload_base64"])
            if body is None
            else body.encode()
            if isinstance(body, str)
            else json.dumps(body).encode()
        )
        yield path.stem, case["route"], payload, case["ts_recv"]


def outcome(venue: Venue, route: str, payload: bytes, ts_recv: int, parser: Any = None) -> object:
    reading = parser or venue.parser(split_route(route), venue.instruments())
    try:
        return list(reading.parse(payload, ts_recv))
    except ParseError as error:
        return type(error)


@pytest.mark.parametrize("name", VENUES)
def test_a_new_connection_remembers_nothing(name: str) -> None:
    """What a parser says of a frame after a gap does not depend on what an earlier parser was told."""
    venue = VENUES[name]
    cases = list(fixtures(name))
    first = {case: outcome(venue, route, payload, at) for case, route, payload, at in cases}
    old = {route: venue.parser(split_route(route), venue.instruments()) for _, route, _, _ in cases}
    for _ in range(2):
        for _, route, payload, at in cases:
            outcome(venue, route, payload, at, old[route])
    again = {case: outcome(venue, route, payload, at) for case, route, payload, at in cases}
    assert [case for case in first if first[case] != again[case]] == []


@pytest.mark.parametrize("name", VENUES)
def test_parsers_teach_the_book_of_contracts_nothing(name: str) -> None:
    """A parser infers names, which it must; listings are added by the pipeline, so that replay sees them in the order of frames."""
    venue = VENUES[name]
    for _, route, payload, at in fixtures(name):
        book = venue.instruments()
        outcome(venue, route, payload, at, venue.parser(split_route(route), book))
        assert book.all_listed() == []


@pytest.mark.parametrize("name", VENUES)
def test_idle_frames_emit_nothing(name: str) -> None:
    venue, seen = VENUES[name], Counter[str]()
    for case, route, payload, at in fixtures(name):
        parser = venue.parser(split_route(route), venue.instruments())
        events = outcome(venue, route, payload, at, parser)
        seen[parser.channel] += 1
        assert not (parser.channel in IDLE and events), case
    assert seen["ack"] >= 1 and seen["error"] >= 1, "the fixtures hold an acknowledgement and a refusal"


@pytest.mark.parametrize("name", VENUES)
def test_events_of_fixtures_fit_their_tables(name: str) -> None:
    venue = VENUES[name]
    for _, route, payload, at in fixtures(name):
        events = outcome(venue, route, payload, at)
        if isinstance(events, list):
            check_events(name, events, is_recording=False)


@pytest.mark.parametrize("name", VENUES)
def test_listings_come_first(name: str) -> None:
    """The pipeline looks at the first event of a frame to tell whether there are listings to learn."""
    venue = VENUES[name]
    for case, route, payload, at in fixtures(name):
        events = outcome(venue, route, payload, at)
        if isinstance(events, list) and any(isinstance(event, Instrument) for event in events):
            assert isinstance(events[0], Instrument), case


# --- what a venue declares --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VENUES)
def test_venue_has_fixtures_a_page_and_its_quirks_in_words(name: str) -> None:
    venue = VENUES[name]
    assert len(list(fixtures(name))) >= 20
    page = (TESTS.parent / "docs" / "venues" / f"{name}.md").read_text()
    assert len(page.splitlines()) <= 80 and page.startswith(f"# {venue.title}")
    for rule in venue.coverage:
        assert rule.source and rule.note, "a coverage rule says what it means and who says so"
    doc = import_module(f"deleverage.venues.{name}").__doc__ or ""
    quirks = [line for line in doc.splitlines() if line.startswith("- ")]
    assert len(quirks) >= 3 and venue.docs.removeprefix("https://").split("/")[0] in doc


@pytest.mark.parametrize("name", VENUES)
def test_provenance_of_every_fixture_is_stated(name: str) -> None:
    for path in sorted((TESTS / "fixtures" / name).glob("*.json")):
        case = json.loads(path.read_text())
        assert len(case["provenance"]) >= 11, path.name
        assert not {"tardis", "nautilus"} & set(case["provenance"].lower().replace("-", " ").replace("/", " ").split()), path.name
        assert len(path.read_text().splitlines()) <= 500, path.name


@pytest.mark.parametrize("name", VENUES)
def test_addresses_belong_to_the_venue(name: str) -> None:
    venue = VENUES[name]
    for poll in venue.polls:
        assert split_route(poll.url.replace("{", "").replace("}", "")).host.endswith(venue.owns), poll.url
        assert poll.every > 0 and poll.weight >= 0
    for _, route, _, _ in fixtures(name):
        if "://" in route:
            assert split_route(route).host.endswith(venue.owns), route
    owners = [other.name for other in VENUES.values() if any(host.endswith(other.owns) for host in venue.owns)]
    assert owners == [name]


@pytest.mark.parametrize("name", VENUES)
def test_coverage_begins_somewhere_and_is_dated(name: str) -> None:
    venue = VENUES[name]
    products = {rule.product for rule in venue.coverage}
    for product in products:
        dates = [rule.since for rule in venue.coverage if rule.product == product]
        assert len(dates) == len(set(dates))
        assert all(since == 0 or 1_500_000_000 * 10**9 < since < NOT_RECORDED for since in dates)
    assert venue.coverage_at(NOT_RECORDED).rule != "none" or {rule.rule for rule in venue.coverage} == {"none"}
