"""Log lines for people and for machines; a repeated complaint is said once a minute."""

import json

import pytest

from deleverage import log


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_said", {})


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    log.log().info("feed", venue="okx", state="blind")
    said = json.loads(capsys.readouterr().err)
    assert said["event"] == "feed" and said["venue"] == "okx" and said["level"] == "info" and said["timestamp"].endswith("Z")


def test_console_lines_and_levels(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("console", "warning")
    log.log().info("quiet")
    log.log().warning("loud", why="because")
    said = capsys.readouterr().err
    assert "quiet" not in said and "loud" in said and "because" in said and said.count("\n") == 1


def test_a_complaint_is_said_once_a_minute(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    log.configure("json")
    clock = [1000.0]
    monkeypatch.setattr("deleverage.log.time.monotonic", lambda: clock[0])
    for _ in range(5):
        log.complain("okx/books", "bad frame", reason="x")
    log.complain("htx/depth", "bad frame", reason="y")
    clock[0] += 61
    log.complain("okx/books", "bad frame", reason="x")
    assert len(capsys.readouterr().err.splitlines()) == 3
