"""The command line as its user meets it: the golden table exact, formats, and one line for every wrong input."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests import golden

import deleverage
from deleverage import cli, config
from deleverage.journal.interchange import write_jsonl


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, output, errors."""
    before = sys.argv
    sys.argv = ["deleverage", *map(str, arguments)]
    config.settings.cache_clear()
    try:
        cli.main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    finally:
        sys.argv = before
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(scope="module")
def golden_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory made by `import raw` of native frames that add to the golden table."""
    folder = tmp_path_factory.mktemp("golden")
    write_jsonl(golden.frames(), folder / "golden.jsonl")
    done = subprocess.run(
        [sys.executable, "-m", "deleverage.cli", "import", "raw", folder / "golden.jsonl", "--data", folder / "data", "--report", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["frames"] == 5 * 2 * golden.PARTS and report["events"]["liquidations"] == 5 * 2 * golden.PARTS
    assert report["unknown"] == report["errors"] == 0
    return folder / "data"


def test_golden_table(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "liquidations", "--window", "24h", "--by", "venue", "--as-of", golden.AT, "--format", "json", "--data", golden_data
    )
    rows = {row["venue"]: row for row in json.loads(out)}
    assert code == 0 and set(rows) == set(golden.TABLE)
    for venue, (long_usd, short_usd) in golden.TABLE.items():
        assert (rows[venue]["long_usd"], rows[venue]["short_usd"]) == (long_usd, short_usd)
        assert rows[venue]["total_usd"] == round(long_usd + short_usd, 6)
        assert rows[venue]["count"] == 2 * golden.PARTS
        assert round(rows[venue]["long_share"], 3) == golden.RAW_LONG_SHARES[venue]
    assert sum(row["total_usd"] for row in rows.values()) == 1_830_970_000.0
    assert sum(row["long_usd"] for row in rows.values()) == 1_705_430_000.0
    two = rows["bybit"]["total_usd"] + rows["hyperliquid"]["total_usd"]
    assert round(two / 2.00e9, 3) == 0.629


def test_by_base_and_side(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "liquidations", "--by", "base", "--at", golden.AT, "--format", "json", "--data", golden_data)
    (row,) = json.loads(out)
    assert (row["base"], row["total_usd"]) == ("BTC", 1_830_970_000.0)
    _, out, _ = run(capsys, "liquidations", "--by", "side", "--at", golden.AT, "--format", "csv", "--data", golden_data)
    assert out.splitlines()[0].startswith("side,long_usd,short_usd,total_usd,count,long_share")
    assert out.splitlines()[1].startswith("long,1705430000.0,0.0,1705430000.0")


def test_window_and_knowledge_are_apart(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def total(*arguments: str) -> float:
        _, out, _ = run(capsys, "liquidations", *arguments, "--format", "json", "--data", golden_data)
        return sum(row["total_usd"] for row in json.loads(out))

    assert total("--at", golden.AT) == total("--as-of", golden.AT) == total("--at", golden.AT, "--as-of", "now") == 1_830_970_000.0
    assert total("--window", "90s", "--at", golden.AT) == 1_830_970_000.0 / golden.PARTS
    assert total("--at", golden.AT, "--as-of", "2025-11-21T23:57:30Z") == 1_830_970_000.0 / 2, "two of four orders were known by then"
    assert total() == 0


def test_an_empty_window_says_why(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "liquidations", "--data", golden_data)
    assert "nothing to show" in out and "choose one with --at" in err and "2025-11-21" in err
    _, _, err = run(capsys, "liquidations", "--at", golden.AT, "--as-of", "2025-11-20", "--data", golden_data)
    assert "40 orders of this window became known after" in err


def test_the_table_names_what_is_missing(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "liquidations", "--at", golden.AT, "--data", golden_data)
    assert "629.11 M" in out and "628.82 M" in out and "Not received in this window: Deribit." in out


def test_feeds(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "feeds", "--format", "json", "--data", golden_data)
    states = {row["venue"]: row["state"] for row in json.loads(out)}
    assert states == {**dict.fromkeys(golden.TABLE, "ended"), "deribit": "not_recorded"}
    _, out, _ = run(capsys, "feeds", "--at", "2025-11-21T23:58:30Z", "--format", "json", "--data", golden_data)
    assert {row["venue"]: row["state"] for row in json.loads(out)}["okx"] == "recorded"


def test_python_api(golden_data: Path) -> None:
    with deleverage.open(golden_data) as data:
        frame = data.liquidations(start="2025-11-21", end="2025-11-22", venue="okx")
        assert frame.height == 8 and set(frame["position_side"]) == {"long", "short"}
        assert frame["ts_recv"].dtype == frame["ts_event"].dtype == pl.Int64
        assert data.liquidations(as_of="2025-11-21T23:57:30Z").height == 20
        assert data.trades().height == 8, "the two sides of a Hyperliquid fill are one trade"


def test_export_formats_agree_and_repeat(golden_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("parquet", "csv", "arrow"):
        for name in ("first", "second"):
            code, _, err = run(capsys, "export", "liquidations", "--format", form, "-o", tmp_path / f"{name}.{form}", "--data", golden_data)
            assert (code, err) == (0, "")
        assert (tmp_path / f"first.{form}").read_bytes() == (tmp_path / f"second.{form}").read_bytes()
    parquet, arrow = pl.read_parquet(tmp_path / "first.parquet"), pl.read_ipc_stream(tmp_path / "first.arrow")
    assert parquet.equals(arrow) and parquet.height == 40
    assert pl.read_csv(tmp_path / "first.csv")["notional_usd"].to_list() == parquet["notional_usd"].to_list()


def test_replay_twice_gives_identical_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        code, out, _ = run(capsys, "replay", "binance-2025-01-26", "--data", tmp_path / name)
        assert code == 0 and "3494 frames (3498 new): 3494 liquidations" in out
        run(capsys, "export", "liquidations", "-o", tmp_path / f"{name}.parquet", "--data", tmp_path / name)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert pl.read_parquet(tmp_path / "one.parquet").height == 1821


def test_raw_goes_out_and_comes_back(golden_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "export", "raw", "-o", tmp_path / "out.jsonl", "--data", golden_data)
    code, out, _ = run(capsys, "import", "raw", tmp_path / "out.jsonl", "--data", tmp_path / "again", "--report", "json")
    assert code == 0 and json.loads(out)["frames"] == 40
    run(capsys, "export", "raw", "-o", tmp_path / "again.jsonl", "--data", tmp_path / "again")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()


WRONG = [
    (["liquidations", "--window", "soon"], "cannot read the duration 'soon'"),
    (["liquidations", "--at", "yesterday"], "cannot read the time 'yesterday'"),
    (["liquidations", "--by", "mood"], "there are venue, base, side and size"),
    (["liquidations", "--format", "xml"], "there are table, json and csv"),
    (["export", "feelings"], "unknown table 'feelings'"),
    (["export", "liquidations", "--venue", "mtgox"], "unknown venue 'mtgox'"),
    (["export", "raw", "--venue", "mtgox"], "unknown venue 'mtgox'; known: binance"),
    (["feeds", "--at", "dawn"], "cannot read the time 'dawn'"),
    (["export", "liquidations", "--format", "xls"], "there are parquet, csv and arrow"),
    (["export", "liquidations", "-o", "/nowhere/at/all.csv"], "there is no directory"),
    (["frobnicate"], "No such command 'frobnicate'"),
    (["liquidations", "--frobnicate"], "No such option"),
    (["up", "--port", "0"], "--port"),
    (["up", "no-such-recording"], "no recording 'no-such-recording'"),
    (["import", "raw", "nowhere.jsonl"], "no such file or recording: nowhere.jsonl"),
    (["replay", "nowhere"], "no such file or recording"),
    (["import", "liquidations", "x.csv", "--column", "price"], "is not NAME=VALUE"),
    (["import", "raw", "binance-2025-01-26", "--report", "xml"], "there is json"),
]


@pytest.mark.parametrize(("arguments", "expected"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_wrong_input_is_one_line_and_exit_2(
    golden_data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    extra = [] if arguments[0] in ("frobnicate",) or "--frobnicate" in arguments else ["--data", str(golden_data)]
    code, _, err = run(capsys, *arguments, *extra)
    assert code == 2 and expected in err and len(err.strip().splitlines()) == 1 and "Traceback" not in err


def test_bad_lines_are_named_and_nothing_before_them_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = (golden.frames())[:3]
    write_jsonl(good, tmp_path / "bad.jsonl")
    with (tmp_path / "bad.jsonl").open("a") as file:
        file.write("this is no frame\n")
    code, _, err = run(capsys, "import", "raw", tmp_path / "bad.jsonl", "--data", tmp_path / "d")
    assert code == 2 and "line 4" in err and len(err.strip().splitlines()) == 1
    with deleverage.open(tmp_path / "d") as data:
        assert data.liquidations().height == 3


def test_unknown_venue_in_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.jsonl").write_text('{"ts_recv": 1, "venue": "mtgox", "route": "r", "payload": "{}"}\n')
    code, _, err = run(capsys, "import", "raw", tmp_path / "x.jsonl", "--data", tmp_path / "d")
    assert code == 2 and "unknown venue 'mtgox'; known: binance" in err


def test_a_missing_directory_is_not_made_by_looking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "liquidations", "--data", tmp_path / "nothing")
    assert code == 2 and "no data directory at" in err and not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("port = [", "is not valid TOML"), ("prot = 1", "did you mean 'port'"), ("port = 'high'", "port"), ("port = 0", "port")],
)
def test_bad_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    (tmp_path / "deleverage.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "liquidations")
    assert code == 2 and expected in err and len(err.strip().splitlines()) == 1


HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_locked_store(golden_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(golden_data / "tables.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        for command in (["liquidations"], ["import", "raw", "binance-2025-01-26"]):
            code, _, err = run(capsys, *command, "--data", golden_data)
            assert code == 2 and "in use by another process" in err and len(err.strip().splitlines()) == 1
    finally:
        holder.communicate()


def test_every_command_has_help_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for command in ("up", "replay", "import", "export", "liquidations", "feeds", "recordings"):
        assert command in out
        code, text, _ = run(capsys, command, "--help")
        assert code == 0 and "Usage:" in text
    for command in ("up", "replay", "import", "export", "liquidations"):
        assert "Examples:" in run(capsys, command, "--help")[1]
