"""`deleverage options`, and the same from Python: from the files, and through the server that holds them."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.cli.test_cli import run
from tests.option_frames import AT, STRIKES, frames
from tests.serving import imported, up

import deleverage
from deleverage.when import iso


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(tmp_path_factory.mktemp("options"), frames()).path


def options(capsys: pytest.CaptureFixture[str], data: Path, *more: object) -> tuple[int, str, str]:
    return run(capsys, "options", *more, "--at", iso(AT), "--as-of", "now", "--window", "2h", "--data", data)


def test_the_summary_says_it_on_one_screen(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = options(capsys, data)
    assert code == 0 and err == ""
    rows = {line[:33].strip(): line[33:] for line in out.splitlines()}
    assert "54.50" in rows["volatility index, deribit"]
    assert "53.01" in rows["at the money, 30 d"] and "RR25 -5.04, BF25 +1.87" in rows["at the money, 30 d"]
    assert "85,000" in rows["max pain"] and "conventions disagree" in rows["regime"]
    assert "contracts fitted" in out
    code, out, _ = options(capsys, data, "--format", "json")
    assert set(json.loads(out)) == {"index", "term", "open-interest", "exposure"}


@pytest.mark.parametrize("what", ["chain", "smile", "surface", "term", "index", "open-interest", "exposure", "density", "touch"])
def test_every_word_prints_as_table_csv_and_json(data: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = options(capsys, data, what)
    assert (code, err) == (0, "") and out.startswith(f"{what} of BTC options") and "nothing to show" not in out
    code, out, _ = options(capsys, data, what, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and rows and None not in rows[0].values()
    code, out, _ = options(capsys, data, what, "--format", "json")
    assert code == 0 and json.loads(out)["listed"] == 8 * len(STRIKES)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "-inf", "4000"])
def test_days_that_cannot_be_told_are_one_line(data: Path, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("touch", "density"):
        code, out, err = options(capsys, data, what, "--days", days)
        assert (code, out) == (2, "") and err.count("\n") == 1 and f"{float(days):g} days ahead cannot be told" in err


def test_the_chain_is_readable_on_a_terminal_and_a_late_date_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = options(capsys, data, "chain")
    assert code == 0 and "…" not in out and "2026-02-15    94,000   call" in out
    code, out, _ = options(capsys, data, "touch", "--days", "119")
    assert code == 0 and "last expiry" not in out
    for what in ("touch", "density"):
        code, out, _ = options(capsys, data, what, "--days", "200")
        assert code == 0 and "later than the last expiry" in " ".join(out.split())


def test_a_level_and_a_date_are_asked_for(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = options(capsys, data, "touch", "--level", 80_000, "--days", 30, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == 0 and float(row["finish"]) == pytest.approx(0.299084, abs=1e-3)
    assert float(row["flat_atm"]) == pytest.approx(0.656960, abs=1e-3)
    code, out, _ = options(capsys, data, "smile", "--expiry", "2026-02-15", "--format", "json")
    assert code == 0 and len(json.loads(out)["slices"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mood",), "options tell nothing of 'mood'; there are chain, smile"), (("chain", "--level", "3"), "chain takes no level"),
        (("--venue", "mtgox"), "unknown venue 'mtgox'"), (("touch", "--level", "5"), "the level 5 is further"),
        (("density", "--by", "2020-01-01"), "does not lie after"), (("--format", "pdf"), "unknown format 'pdf'"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_one_line(data: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = options(capsys, data, *arguments)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


def test_nothing_there_says_where_something_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "options", "--at", "2025-06-01", "--as-of", "now", "--data", data)
    assert code == 0 and "no option quotes of BTC in the 2 h before" in err and "2026-01-16" in err


def test_python_tells_the_same_with_and_without_a_server(data: Path) -> None:
    at = iso(AT)
    with deleverage.open(data) as directory:
        chain = directory.option_chain(at=at, as_of="now")
        own = directory.options("term", at=at, as_of="now", window="2h")
        touch = directory.options("touch", at=at, as_of="now", level=80_000, days=30)
    assert len(chain) == 8 * len(STRIKES) and chain["is_used"].sum() > 100
    month = next(t for t in own["tenors"] if t["tenor_days"] == 30)
    assert month["rr25"] == pytest.approx(-0.0503646688, rel=2e-3)
    with up(data), deleverage.open(data) as directory:
        served = directory.options("term", at=at, as_of="now", window="2h")
        assert served["tenors"] == own["tenors"] and served["history"] == own["history"]
        assert directory.options("touch", at=at, as_of="now", level=80_000, days=30)["touch"] == touch["touch"]
        assert directory.option_chain(at=at, as_of="now").equals(chain)
