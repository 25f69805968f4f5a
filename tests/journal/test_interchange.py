"""Interchange: frames survive JSON Lines, bad lines are named with their number, and any source is told by what it is."""

import gzip
import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.strategies import any_frame, frame, write

from deleverage.errors import BadInput
from deleverage.journal import Frame, read_jsonl, read_source, write_jsonl

GOOD = b'{"ts_recv":1,"venue":"okx","route":"wss://x","payload":"{}"}\n'
NODE = (
    b'{"local_time":"2025-10-27T17:00:00.063787823","block_time":"2025-10-27T16:59:59.797563798","block_number":777010829,"events":[]}\n'
    b'{"local_time":"2025-10-27T17:00:01","block_time":"2025-10-27T17:00:00.9","block_number":777010830,"events":[["0x1",{"coin":"BTC"}]]}\n'
)


@settings(deadline=None)
@given(st.lists(any_frame, max_size=8), st.sampled_from(["f.jsonl", "f.jsonl.gz", "f.jsonl.zst"]))
def test_frames_survive(frames: list[Frame], name: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        assert write_jsonl(frames, path) == len(frames)
        assert list(read_jsonl(path)) == frames
        assert list(read_source(path)) == frames
        first = path.read_bytes()
        write_jsonl(frames, path)
        assert path.read_bytes() == first
        assert [left.name for left in Path(directory).iterdir()] == [name]


def test_the_written_form() -> None:
    stream = io.BytesIO()
    write_jsonl(
        [Frame(1, "okx", "wss://x", b'{"a":"\xc3\xa9"}'), Frame(2, "htx", "r", b"\xff\0", "out", 3), Frame(3, "htx", "", b"")], stream
    )
    assert stream.getvalue().decode().splitlines() == [
        '{"ts_recv":1,"venue":"okx","route":"wss://x","payload":"{\\"a\\":\\"é\\"}"}',
        '{"ts_recv":2,"venue":"htx","route":"r","payload_base64":"/wA=","direction":"out","connection":3}',
        '{"ts_recv":3,"venue":"htx","route":"","payload":""}',
    ]


def test_compressed_files_carry_no_time_and_no_name(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_jsonl([frame(1)], tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).startswith(b'{"ts_recv":1,')


def test_blank_lines_marks_and_foreign_keys_do_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"\xef\xbb\xbf\r\n" + GOOD.replace(b"\n", b"\r\n") + b"  \n\n" + GOOD.replace(b"{", b'{"note":[1],', 1).rstrip(b"\n"))
    assert list(read_jsonl(path)) == [Frame(1, "okx", "wss://x", b"{}")] * 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "truncated"),
        (b"nonsense", "malformed"),
        (b"[1]", "Expected `object`"),
        (b"1", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b'{"venue":"okx","route":"","payload":""}', "`ts_recv`"),
        (b'{"ts_recv":1,"route":"","payload":""}', "`venue`"),
        (b'{"ts_recv":1,"venue":"okx","payload":""}', "`route`"),
        (b'{"ts_recv":1,"venue":"okx","route":""}', "neither `payload` nor"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":"","payload_base64":""}', "both"),
        (b'{"ts_recv":-1,"venue":"okx","route":"","payload":""}', ">= 0"),
        (b'{"ts_recv":1.5,"venue":"okx","route":"","payload":""}', "Expected `int`"),
        (b'{"ts_recv":true,"venue":"okx","route":"","payload":""}', "Expected `int`"),
        (b'{"ts_recv":"1","venue":"okx","route":"","payload":""}', "Expected `int`"),
        (b'{"ts_recv":9223372036854775808,"venue":"okx","route":"","payload":""}', "ts_recv"),
        (b'{"ts_recv":1,"venue":"","route":"","payload":""}', "length >= 1"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":{}}', "$.payload"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":null}', "$.payload"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload_base64":"a"}', "not base64"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload_base64":"!!!!"}', "not base64"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload_base64":"\xc3\xa9"}', "not base64"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":"","direction":"up"}', "'up'"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":"","connection":"1"}', "$.connection"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":"\\ud800"}', "line 3"),
        (b'{"ts_recv":1,"venue":"okx","route":"","payload":""} x', "trailing"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "expected"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, said: str, suffix: str) -> None:
    path = tmp_path / f"file.jsonl{suffix}"
    content = GOOD + b"\n" + line + b"\n" + GOOD
    path.write_bytes(gzip.compress(content) if suffix else content)
    frames = read_jsonl(path)
    assert next(frames) == Frame(1, "okx", "wss://x", b"{}")
    with pytest.raises(BadInput) as refusal:
        next(frames)
    message = str(refusal.value)
    assert message.startswith(f"{path} line 3: ")
    assert said in message
    assert '; expected {"ts_recv": int ns UTC' in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_file_cut_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    content = GOOD * 50
    whole = gzip.compress(content) if kind == "gz" else zstandard.compress(content)
    path = tmp_path / f"file.jsonl.{kind}"
    for cut in range(4, len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(BadInput, match=r"file\.jsonl"):
            list(read_jsonl(path))
    path.write_bytes(whole[: len(whole) - 1])
    with pytest.raises(BadInput, match="is cut off"):
        list(read_jsonl(path))


def test_a_damaged_compressed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl.gz"
    content = bytearray(gzip.compress(GOOD * 50))
    content[-6] ^= 1  # its checksum
    path.write_bytes(content)
    with pytest.raises(BadInput, match="incorrect data check"):
        list(read_jsonl(path))
    path.write_bytes(gzip.compress(GOOD) + b"rubbish")
    with pytest.raises(BadInput, match=r"line 2: .*incorrect header check"):
        list(read_jsonl(path))


def test_members_one_after_another_are_one_file(tmp_path: Path) -> None:
    halves = GOOD[:30], GOOD[30:] + GOOD
    (tmp_path / "a.jsonl.gz").write_bytes(b"".join(map(gzip.compress, halves)) + b"\0" * 512)
    (tmp_path / "a.jsonl.zst").write_bytes(b"".join(map(zstandard.compress, halves)))
    for path in tmp_path.iterdir():
        assert list(read_jsonl(path)) == [Frame(1, "okx", "wss://x", b"{}")] * 2


def test_lines_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    frames = [Frame(1, "okx", "", bytes([65 + n]) * 200_000) for n in range(3)]
    for name in ("f.jsonl", "f.jsonl.gz", "f.jsonl.zst"):
        write_jsonl(frames, tmp_path / name)
        assert list(read_jsonl(tmp_path / name)) == frames


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"absent\.jsonl: No such file or directory; expected"):
        list(read_jsonl(tmp_path / "absent.jsonl"))
    with pytest.raises(BadInput, match="Is a directory; expected"):
        list(read_jsonl(tmp_path))
    (tmp_path / "empty.jsonl").touch()
    assert list(read_source(tmp_path / "empty.jsonl")) == []


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file or directory; expected"):
        write_jsonl([], tmp_path / "absent" / "f.jsonl")
    (tmp_path / "full").mkdir()
    with pytest.raises(BadInput, match="Is a directory; expected"):
        write_jsonl([], tmp_path / "full")
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(GOOD)
    for bad in (Frame(1, "", "", b""), Frame(-1, "okx", "", b""), Frame(1, "okx", "\ud800", b""), Frame(1, "okx", "", b"", "up")):
        with pytest.raises(BadInput, match="cannot write a frame"):
            write_jsonl([frame(1), bad], kept)
    assert kept.read_bytes() == GOOD
    assert sorted(left.name for left in tmp_path.iterdir()) == ["full", "kept.jsonl"]


def test_sources_that_are_journals(tmp_path: Path) -> None:
    frames = [frame(2), frame(1), frame(3)]
    write(tmp_path / "data" / "journal", frames)
    ordered = sorted(frames, key=lambda each: each.ts_recv)
    segment = tmp_path / "data" / "journal" / "segment-00000001.arrows"
    for source in (tmp_path / "data", tmp_path / "data" / "journal", segment):
        assert list(read_source(source)) == ordered
    plain = pa.table(
        {
            "ts_recv": pa.array([2, 1], pa.int64()),
            "venue": ["okx", "htx"],
            "route": ["", "r"],
            "direction": ["in", "out"],
            "connection": pa.array([0, 5], pa.int64()),
            "payload": pa.array([b"", b"x"], pa.binary()),
        }
    )
    pq.write_table(plain, tmp_path / "shipped.parquet")
    assert list(read_source(tmp_path / "shipped.parquet")) == [Frame(1, "htx", "r", b"x", "out", 5), Frame(2, "okx", "", b"")]


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a", "a.jsonl.xz"])
def test_unknown_sources_are_told_what_is_accepted(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD)
    for source in (tmp_path / name, tmp_path, tmp_path / "absent.jsonl", tmp_path / name / "below"):
        with pytest.raises(BadInput, match=r"expected a journal directory, .* or JSON Lines \(\.jsonl, .*Hyperliquid node fills"):
            read_source(source)


def test_foreign_segments_are_told_what_is_accepted(tmp_path: Path) -> None:
    pq.write_table(pa.table({"price": [1.0]}), tmp_path / "prices.parquet")
    (tmp_path / "notes.arrows").write_text("notes")
    for source in tmp_path.iterdir():
        with pytest.raises(BadInput, match=r"not a journal segment.*; expected a journal directory"):
            read_source(source)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_node_fills_become_frames(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"node_fills.jsonl{suffix}"
    path.write_bytes(gzip.compress(NODE) if suffix else NODE)
    first, second = NODE.splitlines()
    assert list(read_source(path)) == [
        Frame(1761584400063787823, "hyperliquid", "node_fills_by_block", first),
        Frame(1761584401000000000, "hyperliquid", "node_fills_by_block", second),
    ]


@pytest.mark.parametrize(
    "wrong",
    ['"local_time":"yesterday"', '"local_time":"2025-13-27T17:00:01"', '"local_time":1', '"local_time":"1969-10-27T17:00:01"', '"x":1'],
)
def test_a_bad_node_line_is_named(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "node.jsonl"
    path.write_bytes(NODE.replace(b'"local_time":"2025-10-27T17:00:01"', wrong.encode()))
    with pytest.raises(BadInput, match=r"node\.jsonl line 2: .*; expected \{.local_time"):
        list(read_source(path))
