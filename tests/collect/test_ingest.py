"""Tables are a function of the set of frames: halves in either order, twice, instruments last: the same."""

import random
from pathlib import Path

import pytest

from deleverage.collect.ingest import catch_up, import_frames, import_sources, rebuild
from deleverage.errors import BadInput, StoreError
from deleverage.journal.frame import Frame
from deleverage.journal.interchange import read_source, write_jsonl
from deleverage.recordings import bundled
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.tables import TABLES

OKX = "wss://ws.okx.com:8443/ws/v5/public"
LISTING = (
    b'{"code":"0","msg":"","data":[{"instType":"SWAP","instId":"ETH-USDT-SWAP","instFamily":"ETH-USDT","uly":"ETH-USDT","settleCcy":"USDT",'
    b'"ctVal":"0.1","ctMult":"1","ctValCcy":"ETH","ctType":"linear","state":"live","tickSz":"0.01","expTime":"","baseCcy":"","quoteCcy":""}]}'
)


def okx_order(at: int, size: str = "13") -> bytes:
    return (
        f'{{"arg":{{"channel":"liquidation-orders","instType":"SWAP"}},"data":[{{"instId":"ETH-USDT-SWAP","instFamily":"ETH-USDT","instType":"SWAP",'
        f'"details":[{{"bkLoss":"0","bkPx":"2500","ccy":"","posSide":"long","side":"sell","sz":"{size}","ts":"{at}"}}]}}]}}'
    ).encode()


def tables_of(folder: Folder) -> dict[str, bytes]:
    """Every table as bytes, in the order of export."""
    store = DuckStore(folder.tables)
    try:
        return {name: str(store.read(name).to_pylist()).encode() for name in TABLES}
    finally:
        store.close()


def bring(path: Path, *parts: list[Frame]) -> Folder:
    folder = Folder(path)
    folder.create()
    for part in parts:
        store = DuckStore(folder.tables)
        import_frames(folder, store, part)
        store.close()
    return folder


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Real frames of four venues: the sell-off, the Bybit hour, sparse tickers with books, HTX gzip."""
    names = ("binance-2025-01-26", "bybit-2026-10-10", "bybit-2026-08-09", "hyperliquid-2025-01-26")
    found = [frame for name in names for frame in read_source(bundled()[name].path)]
    return [f for f in found if f.venue != "binance" or f.ts_recv % 3 == 0]


@pytest.fixture(scope="module")
def whole(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return tables_of(bring(tmp_path_factory.mktemp("whole"), frames))


def test_the_whole_holds_something(whole: dict[str, bytes]) -> None:
    assert len(whole["liquidations"]) > 10_000 and len(whole["trades"]) > 10_000 and len(whole["funding_rates"]) > 100


@pytest.mark.parametrize("swap", [False, True], ids=["in order", "second half first"])
def test_halves(frames: list[Frame], whole: dict[str, bytes], tmp_path: Path, swap: bool) -> None:
    half = len(frames) // 2
    parts = [frames[:half], frames[half:]]
    assert tables_of(bring(tmp_path, *(reversed(parts) if swap else parts))) == whole


def test_twice(frames: list[Frame], whole: dict[str, bytes], tmp_path: Path) -> None:
    assert tables_of(bring(tmp_path, frames, frames)) == whole


def test_importing_again_adds_nothing(frames: list[Frame], tmp_path: Path) -> None:
    folder = bring(tmp_path, frames)
    store = DuckStore(folder.tables)
    tally, new = import_frames(folder, store, frames)
    store.close()
    assert new == 0 and tally.frames > 3000


def test_identical_frames_keep_their_multiplicity(tmp_path: Path) -> None:
    frame = Frame(5, "bybit", "wss://stream.bybit.com/v5/public/linear", b'{"op":"pong"}')
    folder = bring(tmp_path, [frame, frame], [frame], [frame, frame, frame])
    assert len(list(read_source(folder.journal))) == 3


def test_a_source_named_twice_is_taken_once(tmp_path: Path) -> None:
    report = import_sources(Folder(tmp_path / "d"), ["okx-2026-08-31", "okx-2026-08-31"])
    assert report["frames"] == 148 and report["new"] == 76


def test_a_bad_gap_row_is_counted_and_harms_nothing(tmp_path: Path) -> None:
    bad = [b"no json", b'{"channel":"x","start":99999999999999999999999,"reason":"r"}', b'{"start":1}']
    frames = [Frame(5 + n, "okx", OKX, payload, "gap") for n, payload in enumerate(bad)]
    good = Frame(9, "okx", OKX, b'{"channel":"trades","start":1,"end":2,"reason":"closed"}', "gap")
    folder = bring(tmp_path, [*frames, good])
    store = DuckStore(folder.tables)
    assert store.read("gaps")["channel"].to_pylist() == ["trades"] and store.ingested()["okx"].failures == 3
    store.close()


def test_instruments_last(tmp_path: Path) -> None:
    rest = Frame(10**18, "okx", "https://www.okx.com/api/v5/public/instruments?instType=SWAP", LISTING)
    opened = Frame(10, "okx", OKX, b"", "open")
    orders = [opened, *(Frame(10 + n, "okx", OKX, okx_order(1_700_000_000_000 + n)) for n in range(1, 5))]
    late, early = bring(tmp_path / "late", orders, [rest]), bring(tmp_path / "early", [rest], orders)
    assert tables_of(late) == tables_of(early)
    store = DuckStore(late.tables)
    rows = store.read("liquidations").to_pylist()
    store.close()
    assert [row["notional_usd"] for row in rows] == [3250.0] * 4


def test_orders_before_any_listing_are_counted_not_priced(tmp_path: Path) -> None:
    folder = bring(tmp_path, [Frame(10, "okx", OKX, b"", "open"), Frame(11, "okx", OKX, okx_order(1_700_000_000_000))])
    store = DuckStore(folder.tables)
    (row,) = store.read("liquidations").to_pylist()
    (amount,) = store.liquidation_sums(0, 2**62, 2**62).values()
    store.close()
    assert row["contracts"] == 13 and row["notional_usd"] is None and amount == (0, 1, 1)


def test_overlapping_sockets_take_the_larger_multiplicity(tmp_path: Path) -> None:
    push = b'{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1700000000500,"data":[%s]}'
    one = b'{"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"1","p":"30000"}'
    route = "wss://stream.bybit.com/v5/public/linear"
    frames = [
        Frame(1_700_000_000_600_000_000, "bybit", route, push % one, connection=1),
        Frame(1_700_000_000_700_000_000, "bybit", route, push % (one + b"," + one), connection=2),
    ]
    folder = bring(tmp_path, frames)
    store = DuckStore(folder.tables)
    (amount,) = store.liquidation_sums(0, 2**62, 2**62).values()
    store.close()
    assert amount.orders == 2 and amount.micros == 60_000_000_000


def test_tables_left_behind_catch_up(frames: list[Frame], whole: dict[str, bytes], tmp_path: Path) -> None:
    folder = bring(tmp_path, frames)
    folder.tables.unlink()
    store = DuckStore(folder.tables)
    behind = catch_up(folder, store)
    assert set(behind) == {f.venue for f in frames} and catch_up(folder, store) == []
    store.close()
    assert tables_of(folder) == whole


def test_a_failed_rebuild_leaves_the_old_tables(
    frames: list[Frame], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bring(tmp_path, frames)
    store = DuckStore(folder.tables)

    def full(*args: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(store, "write_spans", full)
    with pytest.raises(StoreError, match="disk full"):
        rebuild(folder, store, "binance")
    store.close()
    assert tables_of(folder) == whole


def test_sources_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file or recording"):
        import_sources(Folder(tmp_path / "d"), ["binance-2025-01-26", "nowhere.jsonl"])
    assert not (tmp_path / "d").exists()


def test_interchange_round_trip_gives_the_same_tables(frames: list[Frame], whole: dict[str, bytes], tmp_path: Path) -> None:
    write_jsonl(frames, tmp_path / "frames.jsonl.zst")
    assert tables_of(bring(tmp_path / "d", list(read_source(tmp_path / "frames.jsonl.zst")))) == whole


def test_order_of_import_does_not_matter_for_random_splits(frames: list[Frame], tmp_path: Path) -> None:
    sample = [f for f in frames if f.venue == "bybit"][:600]
    reference = tables_of(bring(tmp_path / "reference", sample))
    for seed in range(3):
        cut = sorted(random.Random(seed).sample(range(1, len(sample)), 3))
        parts = [sample[a:b] for a, b in zip([0, *cut], [*cut, len(sample)], strict=True)]
        random.Random(seed).shuffle(parts)
        assert tables_of(bring(tmp_path / str(seed), *parts)) == reference
