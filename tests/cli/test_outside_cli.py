"""`sentiment`, `etf-flows` and `macro` on constructed rows, from files and from Python: the same documents."""

import json
from pathlib import Path

import pytest
from tests.cli.test_cli import run
from tests.outside_rows import EVENING, flows, market, observations, readings, stored
from tests.serving import up

import deleverage
from deleverage.directory import Directory
from deleverage.reader import Reader


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("outside"), readings(), flows(), observations(), market())


def test_sentiment_is_printed_with_its_source(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "sentiment", "--at", EVENING, "--data", data)
    assert code == 0 and err == "" and "extreme fear" in out and "https://alternative.me" in out and "a month before 60, greed" in out
    code, out, _ = run(capsys, "sentiment", "--by", "part", "--at", EVENING, "--data", data)
    assert code == 0 and "50.00" in out and "60 % of the weight" in out and "Calls over puts: not in the data" in out
    code, out, _ = run(capsys, "sentiment", "--by", "history", "--at", EVENING, "--data", data, "--format", "csv")
    assert out.splitlines()[-1] == "2026-03-13,20.0,extreme fear,Extreme Fear"
    code, out, _ = run(capsys, "sentiment", "--at", EVENING, "--data", data, "--format", "json")
    assert json.loads(out)["index"]["attribution"].startswith("Fear & Greed Index: alternative.me")


def test_flows_by_day_fund_and_month(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "etf-flows", "--at", EVENING, "--data", data)
    assert code == 0 and "40.00 M USD left, provisional" in out and "Farside Investors" in out
    assert "3 trading days of outflow in a row since 2026-03-10" in out and "Largest told inflow of a complete month" in out
    code, out, _ = run(capsys, "etf-flows", "--by", "fund", "--at", EVENING, "--data", data, "--format", "csv")
    assert out.splitlines()[1].startswith("BBBB,2026-03-12,-50000000.0,True")
    code, out, _ = run(capsys, "etf-flows", "--by", "month", "--at", EVENING, "--data", data)
    assert out.count("month to date") >= 1 and "2026-02" in out


def test_macro_levels_and_betas(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "macro", "--at", EVENING, "--data", data)
    assert code == 0 and "BREAKEVEN10" in out and "Not in the data: S&P 500, Nasdaq Composite, VIX." in out and "FRED" in out
    code, out, _ = run(capsys, "macro", "--by", "beta", "--at", EVENING, "--data", data)
    assert "not resolvable" in out and "One interval in twenty" in out


def test_wrong_input_is_one_line_and_nothing_says_how(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "etf-flows", "--by", "hour", "--data", data)
    assert (code, err) == (2, "deleverage: cannot show etf-flows by 'hour'; there are day, fund and month\n")
    code, _, err = run(capsys, "etf-flows", "--base", "ETH", "--at", EVENING, "--data", data)
    assert code == 0 and err.startswith("no flow of ETH funds is in the data") and "deleverage import etf_flows" in err
    code, _, err = run(capsys, "macro", "--at", "soon", "--data", data)
    assert code == 2 and err.count("\n") == 1


def test_python_and_a_server_tell_the_same(data: Path) -> None:
    with deleverage.open(data) as directory:
        assert isinstance(directory, Directory)
        own = [directory.sentiment(at=EVENING), directory.fund_flows(at=EVENING), directory.macro(at=EVENING)]
    with up(data), deleverage.open(data) as asking:
        assert isinstance(asking, Reader) and asking.store is None
        served = [asking.sentiment(at=EVENING), asking.fund_flows(at=EVENING), asking.macro(at=EVENING)]
    assert json.loads(json.dumps(own)) == served  # JSON has lists where Python has tuples
