"""`deleverage import TABLE`: mapped, taken once, known when it says, refused whole."""

import json
from pathlib import Path

import pytest
from tests import golden
from tests.cli.test_cli import run

import deleverage


def write_golden(path: Path) -> Path:
    """The golden table as a CSV of sums, known an hour after."""
    lines = ["venue,base,ts,longs,shorts"]
    lines += [
        f"{venue},BTC,2025-11-21T23:00:00Z,{long_usd / 1e6},{short_usd / 1e6}" for venue, (long_usd, short_usd) in golden.TABLE.items()
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


HEAD = "venue,base,ts_event,position_side,notional_usd\n"
MAPPING = [
    "--column",
    "ts_event=ts",
    "--column",
    "long_usd=longs",
    "--column",
    "short_usd=shorts",
    "--unit",
    "long_usd=musd",
    "--unit",
    "short_usd=musd",
]


def test_golden_sums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_golden(tmp_path / "sums.csv")
    arguments = ["import", "liquidations", file, *MAPPING, "--lag", "1h", "--data", tmp_path / "d", "--report", "json"]
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "") and (json.loads(out)["rows"], json.loads(out)["new"]) == (10, 10)
    _, out, _ = run(capsys, *arguments)
    assert json.loads(out)["new"] == 0, "the same file is taken once"
    _, out, _ = run(capsys, "liquidations", "--as-of", golden.AT, "--format", "json", "--data", tmp_path / "d")
    assert {r["venue"]: (r["long_usd"], r["short_usd"]) for r in json.loads(out)} == golden.TABLE
    _, out, _ = run(
        capsys, "liquidations", "--at", golden.AT, "--as-of", "2025-11-21T23:59:00Z", "--format", "json", "--data", tmp_path / "d"
    )
    assert sum(r["total_usd"] for r in json.loads(out)) == 0, "not known before its lag"


def test_without_a_lag_rows_are_known_when_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_golden(tmp_path / "sums.csv")
    run(capsys, "import", "liquidations", file, *MAPPING, "--data", tmp_path / "d")
    _, out, err = run(capsys, "liquidations", "--at", golden.AT, "--format", "json", "--data", tmp_path / "d")
    assert "add --as-of now to see them" in err
    _, out, _ = run(capsys, "liquidations", "--at", golden.AT, "--as-of", "now", "--format", "json", "--data", tmp_path / "d")
    assert sum(r["total_usd"] for r in json.loads(out)) == 1_830_970_000.0


def test_rows_name_their_file_and_survive_the_loss_of_the_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_golden(tmp_path / "sums.csv")
    run(capsys, "import", "liquidations", file, *MAPPING, "--data", tmp_path / "d")
    with deleverage.open(tmp_path / "d") as data:
        before = data.liquidations()
    assert before["source"].str.starts_with("import:").all()
    (tmp_path / "d" / "tables.duckdb").unlink()
    with deleverage.open(tmp_path / "d") as data:
        assert data.liquidations().equals(before)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "okx,BTC,2025-11-21,sell,5\n", "position_side"),
        (HEAD + "okx,BTC,soon,long,5\n", "row 1, column ts_event"),
        (
            HEAD + "okx,BTC,2025-11-21,long,5\nokx,BTC,2025-11-21,long,-5\n",
            "row 2, column notional_usd",
        ),
        ("", "x.csv"),
    ],
)  # fmt: skip
def test_a_bad_row_refuses_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    code, _, err = run(capsys, "import", "liquidations", tmp_path / "x.csv", "--data", tmp_path / "d")
    assert code == 2 and expected in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "d" / "tables.duckdb").exists()


def test_unknown_table_and_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown table 'feelings'" in run(capsys, "import", "feelings", tmp_path / "x.csv", "--data", tmp_path / "d")[2]
    assert "x.csv" in run(capsys, "import", "trades", tmp_path / "x.csv", "--data", tmp_path / "d")[2]
