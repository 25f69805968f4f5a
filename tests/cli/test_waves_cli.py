"""`waves`, `liquidations --estimate`, `score`, and the same from Python."""

import json
from pathlib import Path

import pytest
from tests.cli.test_cli import run

import deleverage

AT = "2025-01-27T17:20:30Z"


@pytest.fixture(scope="module")
def sell_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from deleverage.collect.ingest import import_frames
    from deleverage.journal.interchange import read_source
    from deleverage.recordings import recording_named
    from deleverage.store.duck import DuckStore
    from deleverage.store.folder import Folder

    folder = Folder(tmp_path_factory.mktemp("sell-off"))
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, read_source(recording_named("binance-2025-01-26").path))
    store.close()
    return folder.path


def test_waves_are_printed_and_told_in_full_as_json(sell_off: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "waves", "--at", AT, "--as-of", "now", "--data", sell_off, "--format", "csv")
    assert code == 0 and len(out.splitlines()) == 3 and out.startswith("wave,start,seconds")
    code, out, err = run(capsys, "waves", "--at", AT, "--as-of", "now", "--data", sell_off, "--format", "json")
    assert code == 0 and json.loads(out)[0]["estimate"]["interval"][1] > json.loads(out)[0]["total_usd"]
    code, out, err = run(capsys, "waves", "--at", "2024-01-01", "--as-of", "now", "--data", sell_off)
    assert code == 0 and "choose one with --at" in err
    code, out, err = run(capsys, "waves", "--scale", "days", "--data", sell_off)
    assert (code, err) == (2, "deleverage: unknown scale 'days'; there are seconds, minutes and hours\n")


def test_estimates_stand_beside_totals(sell_off: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--at", AT, "--as-of", "now", "--data", sell_off, "--format", "json")
    code, out, _ = run(capsys, "liquidations", "--estimate", *options)
    (row,) = json.loads(out)
    assert code == 0 and row["low_usd"] >= row["total_usd"] - 1e-3 and row["high_usd"] > row["estimate_usd"]
    code, out, _ = run(capsys, "liquidations", "--by", "venue,size", *options)
    assert code == 0 and {r["size"] for r in json.loads(out)} <= {"under 1k", "1k-10k", "10k-100k", "100k-1m", "1m and over"}


def test_python_tells_the_same(sell_off: Path) -> None:
    with deleverage.open(sell_off) as directory:
        totals = directory.totals(at=AT, as_of="now")
        assert totals["estimate_usd"][0] > totals["total_usd"][0]
        waves = directory.waves(at=AT, as_of="now")
        assert [wave["number"] for wave in waves] == [1, 2]
        assert directory.ladder(at=AT, as_of="now").filter(base="BTC")["verdict"][0] == "together"
        assert directory.flow(at=AT, as_of="now")["without_trades"] == ["binance"]


def test_the_score_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "score", "completeness", "--windows", 24, "--format", "json")
    rows = json.loads(out)
    assert code == 0 and {row["rule"] for row in rows} == {"largest per second", "latest per second", "one per second, any"}
    code, _, err = run(capsys, "score", "luck")
    assert (code, err) == (2, "deleverage: no model 'luck' is scored yet; there is completeness\n")
