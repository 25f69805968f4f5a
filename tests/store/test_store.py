"""What every store does. A second engine joins the list of fixtures and passes the same tests."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.coverage import Span
from deleverage.analytics.liquidations import Sum
from deleverage.errors import BadInput, StoreError
from deleverage.events import BookDepth, Candle, FundingRate, Liquidation, MarkPrice, OpenInterest, Trade
from deleverage.instruments import Instrument, make
from deleverage.store.columns import to_arrow
from deleverage.store.duck import DuckStore
from deleverage.store.store import Store
from deleverage.tables import TABLES


@pytest.fixture(params=[DuckStore], ids=["duckdb"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = request.param(None)
    yield opened
    opened.close()


def order(ts: int, recv: int | None = None, usd: float | None = 100.0, venue: str = "binance", **changes: object) -> Liquidation:
    base = Liquidation(venue, "BTC/USDT:USDT", "BTCUSDT", "BTC", ts, ts if recv is None else recv, "long", 100.0, "fill", 1.0, None, usd,
                       "market", "latest_per_second")  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def trade(ts: int, number: str, price: float = 5.0) -> Trade:
    return Trade("binance", "BTC/USDT:USDT", "BTCUSDT", "BTC", ts, ts, number, "buy", price, 1.0, None, price)


def test_append_read_and_filters(store: Store) -> None:
    assert store.append([order(10), order(20, venue="okx"), order(30, base="ETH", venue_symbol="ETHUSDT"), trade(15, "1")]) == 4
    assert store.counts() == {"liquidations": 3, "trades": 1}
    assert [r["ts_event"] for r in store.read("liquidations").to_pylist()] == [10, 20, 30]
    assert store.read("liquidations", start=10, end=30).num_rows == 2, "start is inclusive, end exclusive"
    assert store.read("liquidations", venue="okx").num_rows == 1
    assert store.read("liquidations", base="ETH").num_rows == 1
    assert [r["ts_event"] for r in store.read("liquidations", limit=1, newest_first=True).to_pylist()] == [30]
    assert store.extent("liquidations") == (10, 30) and store.extent("candles") is None


def test_as_of_is_what_was_known(store: Store) -> None:
    store.append([order(10, recv=100), order(11, recv=50)])
    assert store.read("liquidations", as_of=99).num_rows == 1
    assert store.read("liquidations", as_of=100).num_rows == 2, "known at the instant itself counts"
    assert store.liquidation_sums(0, 20, 99)["binance", "BTC", "long", "market"] == Sum(100_000_000, 1, 0)


def test_same_key_is_the_same_event_and_the_first_received_stays(store: Store) -> None:
    assert store.append([order(10, recv=11), order(10, recv=12)]) == 1
    assert store.append([order(10, recv=13), order(10, recv=13, ordinal=1)]) == 1
    rows = store.read("liquidations").to_pylist()
    assert [(r["ts_recv"], r["ordinal"]) for r in rows] == [(11, 0), (13, 1)]


def test_null_is_equal_to_null_in_a_key(store: Store) -> None:
    rate = FundingRate("okx", "s", "s", "BTC", 5, 5, 0.0001, 8.0, None, "predicted")
    assert store.append([rate]) == 1 and store.append([rate]) == 0


def test_revisions_are_appended_and_collapse_to_the_last_known(store: Store) -> None:
    def candle(recv: int, close: float, closed: bool) -> Candle:
        return Candle("binance", "s", "BTCUSDT", "BTC", recv, recv, 60, 0, 1.0, 2.0, 1.0, close, is_closed=closed)

    store.append([candle(10, 1.5, False), candle(20, 1.7, False), candle(61, 1.9, True)])
    assert store.read("candles").num_rows == 3
    assert store.read("candles", collapse=True)["close"].to_pylist() == [1.9]
    assert store.read("candles", collapse=True, as_of=30)["close"].to_pylist() == [1.7]


def test_listings_are_kept_when_they_change(store: Store) -> None:
    def listing(recv: int, status: str) -> object:
        return make("okx", "X-USDT-SWAP", "X", "USDT", size_unit="contracts", contract_size=1.0, status=status, ts_recv=recv)

    changes = [listing(1, "live"), listing(2, "live"), listing(3, "suspend"), listing(4, "live")]
    assert store.append(changes[:2]) == 1 and store.append(changes[2:]) == 2, "back to live is a change, not a repeat"
    assert store.read("instruments", collapse=True)["status"].to_pylist() == ["live"]
    assert store.read("instruments", collapse=True, as_of=3)["status"].to_pylist() == ["suspend"]


def test_books_keep_their_levels(store: Store) -> None:
    book = BookDepth("okx", "s", "s", "BTC", 5, 5, "snapshot", [(1.0, 2.0), (0.5, 3.0)], [], "contracts", 7)
    store.append([book, msgspec.structs.replace(book, ts_event=6, bids=[], asks=[(9.0, 1.0)])])
    first, second = store.read("book_depth").to_pylist()
    assert first["bids"] == [{"price": 1.0, "size": 2.0}, {"price": 0.5, "size": 3.0}] and first["asks"] == []
    assert second["asks"] == [{"price": 9.0, "size": 1.0}] and second["bids"] == []


def test_rebuilding_replaces_one_venue_and_leaves_files_alone(store: Store) -> None:
    store.append([order(10), order(20, venue="okx")])
    store.append_import("liquidations", to_arrow([order(99)]), "abc", "sums.csv", [Span("binance", "sums.csv", 99, 100, True, "import")])
    with store.rebuilding("binance"):
        store.append([order(11), order(12)])
    assert [(r["ts_event"], r["source"]) for r in store.read("liquidations").to_pylist()] == [
        (11, "journal"), (12, "journal"), (20, "journal"), (99, "import:abc"),
    ]  # fmt: skip
    assert store.imported() == {"abc": "sums.csv"} and [s.basis for s in store.spans()] == ["import"]


def test_an_error_while_rebuilding_changes_nothing(store: Store) -> None:
    store.append([order(10)])
    with pytest.raises(RuntimeError), store.rebuilding("binance"):
        store.append([order(11)])
        raise RuntimeError
    assert [r["ts_event"] for r in store.read("liquidations").to_pylist()] == [10]


@pytest.mark.parametrize("recorded_first", [True, False])
def test_where_a_venue_was_recorded_the_recording_counts_and_files_count_elsewhere(store: Store, recorded_first: bool) -> None:
    def from_file() -> None:
        rows = to_arrow([order(10, recv=500, usd=7.0, price=None), order(30, recv=500, usd=9.0)])
        store.append_import("liquidations", rows, "abc", "f.csv", [])

    if not recorded_first:
        from_file()
    store.append([order(10)])
    store.write_spans([Span("binance", "r", 5, 20, True, "connection")], "binance")
    if recorded_first:
        from_file()
    assert store.read("liquidations").num_rows == 3, "both are kept, each with its source"
    assert store.liquidation_sums(0, 99, 999)["binance", "BTC", "long", "market"] == Sum(109_000_000, 2, 0)
    assert sum(micros for *_, micros in store.liquidation_grid(0, 99, 99, 999)) == 109_000_000
    store.write_spans([Span("binance", "r", 5, 20, False, "connection")], "binance")
    assert store.liquidation_sums(0, 99, 999)["binance", "BTC", "long", "market"].orders == 3, "that connection carried no liquidations"


def test_an_absurd_order_is_counted_and_not_priced(store: Store) -> None:
    store.append([order(10, usd=1e13), order(11, usd=5.0)])
    assert store.liquidation_sums(0, 99, 99)["binance", "BTC", "long", "market"] == Sum(5_000_000, 2, 1)


def test_quotes_without_a_sequence_have_no_identity(store: Store) -> None:
    quote = BookDepth("deribit", "s", "s", "BTC", 5, 5, "top", [(1.0, 2.0)], [(2.0, 2.0)], "usd")
    assert store.append([quote, msgspec.structs.replace(quote, bids=[(1.5, 1.0)])]) == 2
    numbered = msgspec.structs.replace(quote, sequence=4)
    assert store.append([numbered, numbered]) == 1


def test_imported_states_keep_their_vintages(store: Store) -> None:
    def tiers(recv: int) -> pa.Table:
        return to_arrow([make("okx", "X-USDT-SWAP", "X", "USDT", contract_size=1.0, ts_recv=recv)])

    store.append_import("instruments", tiers(100), "a", "a.csv", [])
    store.append_import("instruments", tiers(50), "b", "b.csv", [])
    assert store.read("instruments", as_of=75).num_rows == 1, "an older vintage is not lost to a later one that says the same"


def test_tables_of_another_schema_are_made_anew(tmp_path: Path) -> None:
    import duckdb

    store = DuckStore(tmp_path / "tables.duckdb")
    store.append([order(10)])
    store.close()
    with duckdb.connect(str(tmp_path / "tables.duckdb")) as raw:
        raw.execute("UPDATE schema_version SET version = 'older'")
    store = DuckStore(tmp_path / "tables.duckdb")
    assert store.counts() == {} and store.ingested() == {}
    store.close()


def test_sums_are_exact(store: Store) -> None:
    amounts = [0.1, 0.2, 0.3, 1e9, 0.000001, 123456789.123456]
    store.append([order(10, usd=usd, ordinal=n) for n, usd in enumerate(amounts)] + [order(10, usd=None, ordinal=99)])
    assert store.liquidation_sums(0, 11, 99)["binance", "BTC", "long", "market"] == Sum(1_123_456_789_723_457, 7, 1)


def test_adl_and_backstop_stay_apart_in_the_grid(store: Store) -> None:
    store.append([order(10), order(11, method="adl"), order(12, method="backstop"), order(13, method="unknown")])
    assert list(store.liquidation_grid(0, 100, 100, 99)) == [("binance", 0, "long", 200_000_000)]


def test_prices_come_from_the_best_source(store: Store) -> None:
    store.append([order(n * 10, price=100.0 + n) for n in range(5)])
    assert store.price_series("BTC", 0, 100, 99, 1) == (
        "binance",
        "BTC/USDT:USDT",
        "liquidation fill",
        [(n * 10, 100.0 + n) for n in range(5)],
    )
    store.append([trade(n, str(n), 50.0 + n) for n in range(3)])
    found = store.price_series("BTC", 0, 100, 99, 2)
    assert found is not None and found.price_kind == "trade" and found.points == [(1, 51.0), (2, 52.0)]
    assert store.price_series("ETH", 0, 100, 99, 1) is None


def told(venue: str, count: int, end: int) -> list[Trade]:
    """Trades of a venue spread over [0, end); their price says whose they are by its number of rows."""
    name = "BTC/USDT:USDT"
    return [
        Trade(venue, name, "BTCUSDT", "BTC", t, t, f"{n}", "buy", float(count), 1.0, None, 1.0)
        for n in range(count)
        for t in [n * end // count]
    ]


def test_of_prices_told_equally_well_the_largest_venue_serves(store: Store) -> None:
    store.append([*told("htx", 400, 2000), *told("deribit", 200, 2000), *told("binance", 195, 2000)])
    found = store.price_series("BTC", 0, 2000, 9999, 100)
    assert found is not None and found.venue == "binance", "195 of 200 parts are as good as all"
    found = store.price_series("BTC", 0, 2000, 9999, 100, venue="htx")
    assert found is not None and found.venue == "htx"


def test_a_price_told_for_half_the_time_gives_way(store: Store) -> None:
    store.append([*told("htx", 200, 2000), *told("binance", 900, 1000)])
    found = store.price_series("BTC", 0, 2000, 9999, 100)
    assert found is not None and found.venue == "htx" and len(found.points) == 20


def test_spans(store: Store) -> None:
    spans = [Span("okx", "r", 1, 5, True, "connection"), Span("okx", "r", 7, None, False, "inferred")]
    store.write_spans(spans, "okx")
    store.write_spans(spans, "okx")
    assert store.spans() == spans


def test_unknown_table(store: Store) -> None:
    with pytest.raises(BadInput, match="unknown table 'feelings'; known: liquidations"):
        store.read("feelings")


def test_every_table_can_hold_and_return_its_schema(store: Store) -> None:
    for name, table in TABLES.items():
        assert store.read(name).schema.names == [c.name for c in table.columns] + ["source"]
        empty = table.arrow_schema.empty_table()
        assert store.append_import(name, empty, name, "f", []) == 0


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tables.duckdb").write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError, match="cannot be opened as a store"):
        DuckStore(tmp_path / "tables.duckdb")


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    first = DuckStore(tmp_path / "tables.duckdb")
    first.append([order(10)])
    first.close()
    second = DuckStore(tmp_path / "tables.duckdb")
    assert second.read("liquidations").num_rows == 1
    second.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3), st.floats(0.01, 1e7)), max_size=30), st.integers(1, 49))
def test_a_range_is_the_sum_of_its_parts_and_order_does_not_matter(rows: list[tuple[int, int, float]], cut: int) -> None:
    events = [order(ts, ordinal=n, usd=usd) for ts, n, usd in rows]
    one, two = DuckStore(None), DuckStore(None)
    try:
        one.append(list({(e.ts_event, e.ordinal): e for e in reversed(events)}.values()))
        two.append(list({(e.ts_event, e.ordinal): e for e in reversed(events)}.values())[::-1])
        assert one.read("liquidations").equals(two.read("liquidations"))
        whole, left, right = (one.liquidation_sums(a, b, 99) for a, b in ((0, 51), (0, cut), (cut, 51)))
        key = ("binance", "BTC", "long", "market")
        total = [sum(part.get(key, Sum(0, 0, 0))[i] for part in (left, right)) for i in range(3)]
        assert list(whole.get(key, Sum(0, 0, 0))) == total
    finally:
        one.close()
        two.close()


def test_read_gives_arrow(store: Store) -> None:
    assert isinstance(store.read("trades"), pa.Table)


def test_latest_is_the_last_row_of_each_contract_known_by_then(store: Store) -> None:
    store.append([order(10), order(20, recv=25), order(20, recv=90, price=7.0), order(15, venue="okx"), order(40, venue="okx")])
    kept = store.latest("liquidations", ("venue", "venue_symbol"), 0, 40, 50).to_pylist()
    assert [(row["venue"], row["ts_event"], row["ts_recv"]) for row in kept] == [("okx", 15, 15), ("binance", 20, 25)]
    later = store.latest("liquidations", ("venue", "venue_symbol"), 0, 40, 90, venue="binance").to_pylist()
    assert [row["price"] for row in later] == [7.0], "of rows equal in ts_event the one received last counts"
    buckets = store.latest("liquidations", ("venue",), 0, 50, 99, bucket=20, where={"position_side": "long"}).to_pylist()
    assert [(row["venue"], row["ts_event"]) for row in buckets] == [("binance", 10), ("okx", 15), ("binance", 20), ("okx", 40)]
    assert store.latest("liquidations", ("venue",), 0, 50, 99, base="ETH").num_rows == 0


def contract(venue: str, name: str, size: float | None, quote: str, settle: str, ts_recv: int = 0) -> Instrument:
    return make(
        venue, name, "BTC", quote, settlement_asset=settle, size_unit="contracts", contract_size=size, ts_event=ts_recv, ts_recv=ts_recv
    )


def test_depth_counts_books_in_coins_dollars_and_contracts_of_a_known_size(store: Store) -> None:
    """Bids at 100 and 99.5 lie within 1 % of the best, one at 98 does not; asks at 101 and 102 do, one at 103 does not."""
    bids, asks = [(100.0, 2.0), (99.5, 4.0), (98.0, 50.0)], [(101.0, 1.0), (102.0, 3.0), (103.0, 50.0)]
    linear, inverse = contract("okx", "L", 0.01, "USDT", "USDT", 90), contract("okx", "I", 100.0, "USD", "BTC")
    unknown = contract("htx", "U", None, "USDT", "USDT")
    books = [
        BookDepth(venue, symbol, name, "BTC", 5, 5, "snapshot", bids, asks, unit, 7)
        for venue, symbol, name, unit in (
            ("bybit", "c", "C", "base"), ("deribit", "d", "D", "usd"), ("okx", "l", "L", "contracts"), ("okx", "i", "I", "contracts"),
            ("htx", "u", "U", "contracts"), ("gate", "n", "N", "contracts"),
        )
    ]  # fmt: skip
    store.append([*books, linear, inverse, unknown])
    found = {row["symbol"]: (row["bid_usd"], row["ask_usd"]) for row in store.depth_series(0, 10, 50, "BTC", 5).to_pylist()}
    coins = (100 * 2 + 99.5 * 4, 101 + 102 * 3)
    assert found.keys() == {"c", "d", "l", "i"}, "a size that nobody told is not guessed"
    assert found["c"] == pytest.approx(coins)
    assert found["d"] == (6.0, 4.0)
    assert found["l"] == pytest.approx((coins[0] / 100, coins[1] / 100)), "listed after the moment asked for: sizes do not change"
    assert found["i"] == pytest.approx((600.0, 400.0))


def test_open_interest_in_coins_alone_is_valued_at_the_last_mark_price(store: Store) -> None:
    minute = 60 * 10**9

    def interest(venue: str, ts: int, coins: float | None, usd: float | None) -> OpenInterest:
        return OpenInterest(venue, "BTC/USDT:USDT", "BTCUSDT", "BTC", ts, ts, 1.0, coins, usd)

    def mark(venue: str, ts: int, price: float) -> MarkPrice:
        return MarkPrice(venue, "BTC/USDT:USDT", "BTCUSDT", "BTC", ts, ts, price, None)

    told = [interest("binance", 20 * minute, 3.0, None), interest("bybit", 20 * minute, 3.0, 7.0), interest("htx", 20 * minute, 3.0, None)]
    told += [interest("okx", 20 * minute, None, None), interest("gate", 20 * minute, 3.0, None)]
    marks = [mark("binance", 10 * minute, 90.0), mark("binance", 19 * minute, 100.0), mark("binance", 21 * minute, 110.0)]
    marks += [mark("bybit", 19 * minute, 100.0), mark("htx", 5 * minute - 1, 100.0), mark("gate", 20 * minute, 50.0)]
    store.append([*told, *marks])
    rows = store.open_interest_series(15 * minute, 30 * minute, 30 * minute, minute).to_pylist()
    found = {row["venue"]: (row["usd"], row["quantity"]) for row in rows}
    assert found == {"binance": (300.0, 3.0), "bybit": (7.0, 3.0), "gate": (150.0, 3.0)}, "htx's mark is older than 15 minutes"


def test_latest_of_each_kind_of_row(store: Store) -> None:
    store.append([order(10), order(20, usd=None), order(30), order(35, usd=None, price=None)])
    kept = store.latest("liquidations", ("venue_symbol",), 0, 40, 99, told=("notional_usd",)).to_pylist()
    assert [row["ts_event"] for row in kept] == [30, 35], "the last that tells dollars, and the last that does not"
    kept = store.latest("liquidations", ("venue_symbol",), 0, 40, 99, told=("notional_usd", "price")).to_pylist()
    assert [row["ts_event"] for row in kept] == [20, 30, 35]
