"""`deleverage up` as a process: others answer while it runs, wrong starts are one line, a stop is clean."""

import json
import subprocess
import sys
from pathlib import Path

from tests.serving import up

import deleverage


def command(*arguments: object) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "deleverage.cli", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def told(printed: list[dict[str, object]], served: list[dict[str, object]]) -> bool:
    """Tell whether the command line printed the served totals; the server tells more of each row (estimates, shares)."""
    return bool(printed) and printed == [{key: row[key] for key in printed[0]} for row in served]


def test_others_answer_while_it_runs(tmp_path: Path) -> None:
    with up(tmp_path, "binance-2025-01-26", "--speed", "1") as server:
        server.post("playback", {"action": "pause"})
        server.post("playback", {"action": "seek", "to_ms": 1737998430000})
        expected = server.get("liquidations/totals?by=venue")["data"]
        code, out, err = command("liquidations", "--format", "json", "--data", tmp_path)
        assert (code, err) == (0, "") and told(json.loads(out), expected) and expected[0]["count"] == 1344
        with deleverage.open(tmp_path) as data:
            assert data.liquidations().height == 1821
            assert data.liquidations(base="BTC", start="2025-01-27").height == 37
        code, out, _ = command("feeds", "--format", "json", "--data", tmp_path)
        assert code == 0 and json.loads(out)[0]["venue"] == "binance"
        code, out, err = command("export", "liquidations", "--format", "csv", "--data", tmp_path)
        assert code == 0 and len(out.splitlines()) == 1822 and "a replay of Binance forced orders" in err
        code, _, err = command("liquidations", "--window", "1y", "--data", tmp_path)
        assert code == 2 and "cannot read the duration" in err
        code, _, err = command("import", "raw", "bybit-2026-10-10", "--data", tmp_path)
        assert code == 2 and "is being served at" in err and len(err.splitlines()) == 1
        code, _, err = command("up", "--data", tmp_path, "--port", "1")
        assert code == 2 and "already being served at" in err
        port = server.url.rpartition(":")[2]
        code, _, err = command("up", "--data", tmp_path / "other", "--port", port)
        assert code == 2 and "choose another with --port" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "serving.json").exists()
    assert not (tmp_path / "tables.duckdb").exists(), "a playback leaves nothing that could be taken for recorded data"


def test_stored_data_is_shown_and_readable(tmp_path: Path) -> None:
    assert command("replay", "bybit-2026-10-10", "--data", tmp_path)[0] == 0
    with up(tmp_path) as server:
        health = server.get("health")
        assert health["mode"] == "stored"
        at = "2026-10-10T01:13:10Z"
        served = server.get(f"liquidations/totals?at={at}&as_of=now")["data"]
        with deleverage.open(tmp_path) as data:
            assert data.liquidations().height == 355
    code, out, _ = command("liquidations", "--at", at, "--as-of", "now", "--format", "json", "--data", tmp_path)
    assert code == 0 and told(json.loads(out), served)


def test_a_dead_servers_announcement_is_not_believed(tmp_path: Path) -> None:
    assert command("replay", "okx-2026-08-31", "--data", tmp_path)[0] == 0
    with up(tmp_path) as server:
        server.process.kill()
        server.process.wait()
    assert (tmp_path / "serving.json").exists()
    code, out, _ = command("liquidations", "--at", "2026-08-31T00:03:00Z", "--format", "json", "--data", tmp_path)
    assert code == 0 and json.loads(out)[0]["count"] == json.loads(out)[0]["unpriced_count"] == 74
