"""A node's hourly files are followed as they grow, across hours, lines taken once, on from where it left off."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from deleverage.collect.intake import Intake
from deleverage.collect.node_fills import NodeFills, Place
from deleverage.journal.file import Journal
from deleverage.journal.frame import Frame
from deleverage.journal.interchange import read_source


def line(second: int) -> bytes:
    stamp = f"2025-10-10T21:00:{second:02d}.5"
    return json.dumps({"local_time": stamp, "block_time": stamp, "block_number": second, "events": []}).encode() + b"\n"


class Taken:
    def __init__(self, tmp_path: Path) -> None:
        self.frames: list[Frame] = []
        self.journal = Journal(tmp_path / "journal")
        self.intake = Intake(self.journal, self.frames.extend, 1000)

    def all(self) -> list[int]:
        self.intake.stop()
        self.journal.close()
        return [json.loads(f.payload)["block_number"] for f in self.frames]


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Taken]:
    yield Taken(tmp_path)


def drain(fills: NodeFills) -> None:
    for _ in range(20):
        if not fills.read():
            return


def test_growing_files_half_lines_and_the_next_hour(tmp_path: Path, taken: Taken) -> None:
    folder, place = tmp_path / "hourly", tmp_path / "place.json"
    day = folder / "20251010"
    day.mkdir(parents=True)
    (day / "9").write_bytes(line(1) + line(2)[:20])
    fills = NodeFills(folder, place, taken.intake)
    drain(fills)
    assert fills.lines == 1
    with (day / "9").open("ab") as file:
        file.write(line(2)[20:] + b"nonsense\n")
    drain(fills)
    (day / "10").write_bytes(line(3))
    drain(fills)
    drain(fills)
    assert fills.lines == 3 and fills.bad == 1 and fills.place.file.endswith("10")
    again = NodeFills(folder, place, taken.intake)
    with (day / "10").open("ab") as file:
        file.write(line(4))
    drain(again)
    assert again.lines == 1
    assert taken.all() == [1, 2, 3, 4]


def test_an_empty_or_missing_folder_waits(tmp_path: Path, taken: Taken) -> None:
    fills = NodeFills(tmp_path / "nowhere", tmp_path / "place.json", taken.intake)
    assert fills.read() is False and fills.place == Place()
    assert taken.all() == []


def test_the_archives_compression_can_be_imported(tmp_path: Path) -> None:
    packed = tmp_path / "21.lz4"
    with pa.CompressedOutputStream(pa.OSFile(str(packed), "wb"), "lz4") as out:
        out.write(line(7) + line(8))
    assert [json.loads(f.payload)["block_number"] for f in read_source(packed)] == [7, 8]
