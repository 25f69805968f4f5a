"""The commands figures, report and verify as their user meets them."""

import json
import sys
from pathlib import Path

import pytest
from tests import golden
from tests.cli.test_cli import golden_data, run  # noqa: F401 - a fixture

import deleverage

THEN = ("--at", golden.AT)


def written(capsys: pytest.CaptureFixture[str], data: Path, file: Path, *more: str) -> bytes:
    code, _, err = run(capsys, "report", *THEN, "-o", file, "--data", data, *more)
    assert code == 0, err
    return file.read_bytes()


def test_figures(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    code, out, _ = run(capsys, "figures", "--as-of", golden.AT, "--format", "json", "--data", golden_data)
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and rows["liquidations.total.24h"]["value"] == 1_830_970_000.0
    assert rows["liquidations.total.24h"]["sources"][0].startswith("liquidations?start=2025-11-21T00:00:00.000Z")
    code, out, _ = run(capsys, "figures", *THEN, "--window", "4h", "--data", golden_data)
    assert code == 0 and "liquidations.total.4h" in out and "1.83 bn USD" in out
    code, out, _ = run(capsys, "figures", "--about", "--format", "json")
    assert code == 0 and any(row["name"] == "liquidations.total.{window}" for row in json.loads(out))


@pytest.mark.parametrize(
    "form, begins", [("html", b"<!doctype html>"), ("md", b"<!-- deleverage-report"), ("json", b"{"), ("pdf", b"%PDF-")]
)
def test_a_report_in_every_form(
    golden_data: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    form: str,
    begins: bytes,
) -> None:
    content = written(capsys, golden_data, tmp_path / f"r.{form}", "--format", form)
    assert content.startswith(begins)
    assert written(capsys, golden_data, tmp_path / f"again.{form}", "--format", form) == content


def test_a_report_and_its_data_pack_verify(golden_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    file = tmp_path / "r.html"
    content = written(capsys, golden_data, file, "--bundle")
    code, out, _ = run(capsys, "verify", f"{file}.zip")
    assert code == 0 and "every value, word and hash agrees" in out
    code, out, _ = run(capsys, "verify", file, "--data", golden_data)
    assert code == 0 and "the data directory" in out
    assert content.count(b"1.83 bn USD") >= 2
    file.write_bytes(content.replace(b"1.83 bn USD", b"1.93 bn USD", 1))
    code, out, _ = run(capsys, "verify", file, "--data", golden_data, "--format", "json")
    assert code == 1 and {(row["said"], row["found"]) for row in json.loads(out.rpartition("]")[0] + "]")} == {("1.93", "1.83")}


def test_python_gives_the_same(golden_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    content = written(capsys, golden_data, tmp_path / "r.html")
    with deleverage.open(golden_data) as data:
        assert data.report(at=golden.AT) == content
        assert data.figures(at=golden.AT)["liquidations.long.24h"].value == 1_705_430_000.0


def test_a_later_report_says_what_was_revised(golden_data: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:  # noqa: F811
    before = sys.argv
    sys.argv = ["deleverage", "report", *THEN, "--as-of", "2025-12-01", "--format", "md", "--data", str(golden_data)]
    try:
        from deleverage import cli

        with pytest.raises(SystemExit) as stop:
            cli.main()
    finally:
        sys.argv = before
    out = capsysbinary.readouterr().out.decode()
    assert stop.value.code == 0 and "## What was revised" in out and "as known 1 December 2025" in out


@pytest.mark.parametrize("arguments, words", [
    (("report", "--format", "doc"), "html, md, pdf, json and zip"),
    (("report", "--bundle"), "add -o FILE"),
    (("report", "-o", "/nowhere/at/all.html"), "there is no directory"),
    (("report", "--window", "soon"), "cannot read the duration"),
    (("report", "--at", "yesterday"), "cannot read the time"),
    (("report", "--templates", "/nowhere"), "no directory of templates"),
    (("report", "--every", "1d"), "-o DIRECTORY"),
    (("report", "--every", "1s", "-o", "."), "every minute at most"),
    (("report", "--every", "1d", "-o", ".", "--at", golden.AT), "goes on from now"),
    (("figures", "--window", "0h"), "cannot read the duration"),
    (("verify", "/nowhere/r.zip"), "cannot read"),
])  # fmt: skip
def test_wrong_use_is_one_line(
    golden_data: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    data = ("--data", str(golden_data))
    code, _, err = run(capsys, *arguments, *data)
    assert code == 2 and words in err and err.count("\n") == 1
