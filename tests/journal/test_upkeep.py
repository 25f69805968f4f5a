"""Old segments are compacted and let go; what was let go is remembered, and tables made from it stay."""

import time
from pathlib import Path

import pytest

from deleverage.collect.ingest import catch_up, import_frames, rebuild
from deleverage.errors import JournalError
from deleverage.journal.file import Journal
from deleverage.journal.frame import Frame
from deleverage.journal.reading import summary
from deleverage.journal.upkeep import check_disk, free_gb, keep, retired
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder

DAY = 86_400_000_000_000


def order(at: int) -> bytes:
    ms = at // 1_000_000
    return (
        f'{{"e":"forceOrder","E":{ms},"o":{{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"1","p":"100","ap":"100",'
        f'"X":"FILLED","l":"1","z":"1","T":{ms}}}}}'
    ).encode()


def recorded(start: int, count: int) -> list[Frame]:
    return [
        Frame(start + n * 1_000_000_000, "binance", "wss://fstream.binance.com/market/ws", order(start + n * 1_000_000_000))
        for n in range(count)
    ]


def test_compacted_then_let_go_and_the_tables_stay(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.create()
    now = time.time_ns()
    store = DuckStore(folder.tables)
    import_frames(folder, store, recorded(now - 10 * DAY, 5))
    import_frames(folder, store, recorded(now - 3 * DAY, 7))
    import_frames(folder, store, recorded(now, 2))
    rows = store.read("liquidations")
    assert rows.num_rows == 14
    made, gone = keep(folder.journal, compact_after_hours=24, keep_days=0)
    assert (made, gone) == (2, 0) and summary(folder.journal).frames == 14
    assert catch_up(folder, store) == []
    made, gone = keep(folder.journal, compact_after_hours=24, keep_days=7)
    assert (made, gone) == (0, 1) and summary(folder.journal).frames == 9 and retired(folder.journal) == {"binance": 5}
    assert catch_up(folder, store) == [] and store.read("liquidations").equals(rows)
    rebuild(folder, store, "binance")
    assert store.read("liquidations").equals(rows) and store.ingested()["binance"].rows == 14
    store.close()


def test_the_open_segment_is_never_touched(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for frame in recorded(1_000 * DAY, 3):
            journal.append(frame)
        journal.commit()
        assert keep(tmp_path, compact_after_hours=0.001, keep_days=0.001) == (0, 0)
        assert journal.commit() == 3
    assert summary(tmp_path).frames == 3


def test_a_segment_stays_while_an_earlier_row_does(tmp_path: Path) -> None:
    """Tables are made anew from the first row in the journal: what was let go must all be earlier."""
    folder = Folder(tmp_path)
    folder.create()
    now = time.time_ns()
    store = DuckStore(folder.tables)
    import_frames(folder, store, recorded(now - 20 * DAY, 3))
    import_frames(folder, store, recorded(now - 10 * DAY, 4))
    import_frames(folder, store, [*recorded(now - 12 * DAY, 1), *recorded(now, 1)])
    import_frames(folder, store, recorded(now + DAY, 1))
    rows = store.read("liquidations")
    assert keep(folder.journal, compact_after_hours=24 * 365, keep_days=7) == (0, 1) and retired(folder.journal) == {"binance": 3}
    rebuild(folder, store, "binance")
    assert store.read("liquidations").equals(rows) and rows.num_rows == 10
    store.close()


def test_both_forms_of_a_segment_go(tmp_path: Path) -> None:
    """A crash while compacting leaves the original beside its Parquet file; one alone must not come back."""
    for start in (1_000 * DAY, 2_000 * DAY):
        with Journal(tmp_path) as journal:
            for frame in recorded(start, 3):
                journal.append(frame)
    first = min(tmp_path.glob("segment-*.arrows"))
    content = first.read_bytes()
    assert keep(tmp_path, compact_after_hours=24, keep_days=0) == (2, 0)
    first.write_bytes(content)
    assert keep(tmp_path, compact_after_hours=24 * 36_500, keep_days=1) == (0, 1)
    assert summary(tmp_path).frames == 3 and not first.exists()


def test_what_was_let_go_is_never_taken_for_nothing(tmp_path: Path) -> None:
    assert retired(tmp_path) == {}
    (tmp_path / "retired.json").write_bytes(b"")
    with pytest.raises(JournalError, match=r"cannot read .*retired\.json.*keep_days"):
        retired(tmp_path)


def test_a_disk_nearly_full_is_said_in_one_line(tmp_path: Path) -> None:
    check_disk(tmp_path, 0)
    with pytest.raises(JournalError) as error:
        check_disk(tmp_path, free_gb(tmp_path) + 10)
    assert "\n" not in str(error.value) and "least_free_gb" in str(error.value) and "safe" in str(error.value)
