"""Verification: an honest pack agrees, a second is the same bytes, and a single changed digit anywhere is caught and named."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tests.report.readings import HOUR, STRESS, made_reading, reading_of, stress  # noqa: F401 - a fixture

from deleverage.errors import BadInput
from deleverage.report.bundle import pack, unpack
from deleverage.report.bundle import reading_of as unpacked
from deleverage.report.compose import compose
from deleverage.report.figures import figures
from deleverage.report.reading import Reading
from deleverage.report.render import FORMS, render
from deleverage.report.verify import Verdict, verify
from deleverage.store.folder import Folder


@pytest.fixture(scope="module")
def reading(stress: Folder) -> Reading:  # noqa: F811
    return reading_of(stress, STRESS[1], HOUR)


@pytest.fixture(scope="module")
def packed(reading: Reading) -> bytes:
    return pack(reading, compose(reading), FORMS)


def judged(tmp_path: Path, content: bytes) -> Verdict:
    (tmp_path / "report.zip").write_bytes(content)
    return verify(tmp_path / "report.zip")


def changed(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same pack with one file changed; the manifest stays as it was."""
    files = {each: data if each != name else change(data) for each, data in unpack(content, "pack").items()}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for each, data in files.items():
            archive.writestr(each, data)
    return sink.getvalue()


def digit(pattern: bytes) -> Callable[[bytes], bytes]:
    """Change the last digit of what the pattern's group finds."""

    def change(content: bytes) -> bytes:
        found = re.search(pattern, content)
        assert found is not None, pattern
        at = found.end(1) - 1
        other = b"1" if content[at : at + 1] != b"1" else b"2"
        return content[:at] + other + content[at + 1 :]

    return change


def test_an_honest_pack_agrees(packed: bytes, tmp_path: Path) -> None:
    verdict = judged(tmp_path, packed)
    assert verdict.differences == () and verdict.figures >= 60 and verdict.against == "its own rows"


def test_a_pack_gives_the_reading_it_was_made_of(reading: Reading, packed: bytes) -> None:
    assert figures(unpacked(unpack(packed, "pack"))) == figures(reading)


def test_a_pack_is_the_same_bytes_twice(reading: Reading, packed: bytes) -> None:
    assert pack(reading, compose(reading), FORMS) == packed


@pytest.mark.parametrize("name, pattern, said", [
    ("report.html", rb">(3\.08) M USD<sup>1</sup>", "liquidations.total.1h"),
    ("report.html", rb"<b>1 [^<]*</b> (\d+\.\d+) usd", "liquidations.total.1h"),
    ("report.html", rb"<text[^>]*>(\d+\.\d+) M</text>", ""),
    ("report.html", rb"<path d=\"M(\d+)", ""),
    ("report.md", rb"# At least (3\.08)", ""),
    ("report.json", rb"\"text\": \"(3\.08) M USD\"", "liquidations"),
    ("report.fragment", rb"hash ([0-9]+)", ""),
])  # fmt: skip
def test_a_digit_of_the_text_is_caught_and_named(packed: bytes, tmp_path: Path, name: str, pattern: bytes, said: str) -> None:
    verdict = judged(tmp_path, changed(packed, name, digit(pattern)))
    assert any(d.where.startswith(f"{name}: SHA-256") for d in verdict.differences)
    assert any(d.where.startswith(name) and "SHA" not in d.where and said in d.where and d.said != d.found for d in verdict.differences)


def test_a_digit_of_the_pages_is_caught(packed: bytes, tmp_path: Path) -> None:
    verdict = judged(tmp_path, changed(packed, "report.pdf", digit(rb"/Length (\d+)")))
    assert any(d.where == "report.pdf" and "differ from byte" in d.found for d in verdict.differences)


@pytest.mark.parametrize("pattern, field", [
    (rb"\"liquidations\.total\.1h\",\s*\"value\": (\d+\.\d+)", "value"), (rb"\"inputs_hash\": \"([0-9]+)", "inputs_hash"),
    (rb"\"coverage\": (0\.\d+)", "coverage"), (rb"\"interval\": \[\s*(\d+)", "interval"),
])  # fmt: skip
def test_a_digit_of_a_figure_is_caught_and_named(packed: bytes, tmp_path: Path, pattern: bytes, field: str) -> None:
    verdict = judged(tmp_path, changed(packed, "figures.json", digit(pattern)))
    assert any(d.where.startswith("figure ") and d.where.endswith(f": {field}") for d in verdict.differences)


def test_a_row_is_caught_by_the_figures_made_of_it(packed: bytes, tmp_path: Path) -> None:
    def change(content: bytes) -> bytes:
        rows = pl.read_parquet(io.BytesIO(content))
        last = pl.int_range(pl.len()) == pl.len() - 1
        sink = io.BytesIO()
        rows.with_columns(pl.when(last).then(pl.col("notional_usd") + 1.0).otherwise("notional_usd").alias("notional_usd")).write_parquet(
            sink
        )
        return sink.getvalue()

    verdict = judged(tmp_path, changed(packed, "rows/liquidations.parquet", change))
    named = {d.where for d in verdict.differences}
    assert "rows/liquidations.parquet: SHA-256" in named
    assert "figure liquidations.total.1h: value" in named and "figure liquidations.total.1h: inputs_hash" in named


def test_a_column_that_is_gone_is_caught(packed: bytes, tmp_path: Path) -> None:
    def change(content: bytes) -> bytes:
        sink = io.BytesIO()
        pl.read_parquet(io.BytesIO(content)).drop("notional_usd").write_parquet(sink)
        return sink.getvalue()

    verdict = judged(tmp_path, changed(packed, "rows/liquidations.parquet", change))
    assert {"rows", "rows/liquidations.parquet: SHA-256"} <= {d.where for d in verdict.differences}


def test_a_row_that_is_gone_or_added_is_caught(packed: bytes, tmp_path: Path) -> None:
    for change in (lambda rows: rows.head(len(rows) - 1), lambda rows: pl.concat([rows, rows.tail(1)])):

        def applied(content: bytes, change: Callable[[pl.DataFrame], pl.DataFrame] = change) -> bytes:
            sink = io.BytesIO()
            change(pl.read_parquet(io.BytesIO(content))).write_parquet(sink)
            return sink.getvalue()

        verdict = judged(tmp_path, changed(packed, "rows/liquidations.parquet", applied))
        assert any(d.where == "figure liquidations.count.1h: value" for d in verdict.differences)


def test_another_question_is_caught(packed: bytes, tmp_path: Path) -> None:
    verdict = judged(tmp_path, changed(packed, "question.json", lambda text: text.replace(b"3600000000000", b"1800000000000")))
    assert any(d.where.startswith("figure ") for d in verdict.differences)


@pytest.mark.parametrize("form", ["html", "md", "json", "pdf"])
def test_a_report_by_itself_is_compared_with_the_data(form: str, reading: Reading, stress: Folder, tmp_path: Path) -> None:  # noqa: F811
    def again(at: int, as_of: int, window: int, base: str) -> Reading:
        return reading_of(stress, at, window, as_of, base)

    file = tmp_path / f"report.{form}"
    file.write_bytes(render(compose(reading), form))  # type: ignore[arg-type]
    assert verify(file, again).differences == ()
    content = file.read_bytes()
    at = content.rfind(b"3.08") if form != "pdf" else content.find(b"/Length ") + 8
    file.write_bytes(content[:at] + b"9" + content[at + 1 :])
    assert verify(file, again).differences


def test_own_templates_travel_with_the_pack(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "report.md").write_text("{{ report.headline.text }}, our way\n")
    (own / "notes.txt").write_text("left at home")
    reading = made_reading()
    content = pack(reading, compose(reading), ("md",), own)
    assert "templates/report.md" in unpack(content, "pack") and "templates/notes.txt" not in unpack(content, "pack")
    assert judged(tmp_path, content).differences == ()


def test_a_later_report_verifies_with_what_was_known_before(tmp_path: Path) -> None:
    reading = made_reading(later=True)
    content = pack(reading, compose(reading), ("html", "json"))
    assert any(name.startswith("rows/before/") for name in unpack(content, "pack"))
    assert judged(tmp_path, content).differences == ()


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"plain words", b"", b"at=1ns as_of=1ns window=0ns base=BTC"])
def test_what_is_no_report_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        verify(file, lambda *asked: made_reading())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["question.json", "figures.json", "rows/liquidations.parquet"])
def test_garbage_in_a_pack_is_named(packed: bytes, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=re.escape(name)):
        judged(tmp_path, changed(packed, name, lambda _: b"\x00garbage"))


def test_a_report_without_a_directory_says_what_to_do(reading: Reading, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_bytes(render(compose(reading), "html"))
    with pytest.raises(BadInput, match="--data"):
        verify(tmp_path / "r.html")
