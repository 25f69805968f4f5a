"""`funding`, `open-interest`, `basis`, `positioning` and `beta`, from files and from the server that holds them."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.api.test_leverage import AT, example
from tests.cli.test_cli import run
from tests.outside_rows import stored
from tests.serving import up


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("four"), example())


def test_funding_says_who_pays_whom(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "funding", "--at", AT, "--data", four)
    assert code == 0
    whole = " ".join(out.split())
    assert "By open interest: +0.0069 % per 8 h, +7.53 % a year (+7.82 % compounded), longs pay shorts" in whole
    assert "Regime: no rate was settled before this moment." in whole and "above 0 longs pay shorts, below 0 shorts pay longs" in whole
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "−0.0020 %" in lines["okx"] and "shorts" in lines["okx"]
    assert "1 h" in lines["hyperliquid"] and "+0.0013 %" in lines["hyperliquid"] and "+0.0100 %" in lines["hyperliquid"]


def test_funding_in_other_views_and_formats(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "funding", "--at", AT, "--data", four, "--by", "spread", "--format", "json")
    widest = json.loads(out)[0]
    assert code == 0 and widest["long_venue"] == "okx" and widest["spread_8h"] == pytest.approx(0.00012)
    code, out, _ = run(capsys, "funding", "--at", AT, "--data", four, "--format", "csv")
    rows = {row["venue"]: row for row in csv.DictReader(io.StringIO(out))}
    assert float(rows["hyperliquid"]["predicted_rate_8h"]) == pytest.approx(0.0001) and rows["okx"]["settled_rate"] == ""
    assert float(rows["hyperliquid"]["predicted_rate"]) == pytest.approx(0.0000125)
    code, _, err = run(capsys, "funding", "--at", AT, "--data", four, "--by", "colour")
    assert (code, err) == (2, "deleverage: cannot show funding by 'colour'; there are venue, spread and history\n")
    code, out, err = run(capsys, "funding", "--at", AT, "--data", four, "--base", "NOPE")
    assert code == 0 and "nothing to show" in out and "no funding rate of NOPE was known" in err


def test_the_other_commands(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "open-interest", "--at", AT, "--data", four)
    assert code == 0 and "All: 25 BTC, 25 USD." in out and "Not read: deribit, htx." in out and "only a fall in coins" in out
    code, out, _ = run(capsys, "basis", "--at", AT, "--data", four)
    assert code == 0 and "No dated future of BTC" in out
    code, out, err = run(capsys, "positioning", "--at", AT, "--data", four)
    assert code == 0 and "no venue told how positions of BTC lean" in err
    code, out, _ = run(capsys, "beta", "--at", AT, "--data", four)
    assert code == 0 and "No economic series were known by this moment." in " ".join(out.split())
    code, _, err = run(capsys, "open-interest", "--window", "soon", "--data", four)
    assert code == 2 and err.count("\n") == 1 and "duration" in err


def test_the_server_gives_the_same(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [("funding", "--at", AT, "--format", "json"), ("open-interest", "--at", AT, "--format", "json"), ("basis", "--at", AT)]
    alone = [run(capsys, *question, "--data", four)[:2] for question in asked]
    with up(four):
        served = [run(capsys, *question, "--data", four)[:2] for question in asked]
    assert served == alone and alone[0][0] == 0
