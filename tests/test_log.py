"""Log lines for people and for machines; a repeated complaint is said once a minute."""

import json

import pytest
import structlog

from deleverage import log


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_said", {})
    monkeypatch.setattr(log, "_unsaid", {})


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
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(each["reason"], each.get("unsaid")) for each in said] == [("x", None), ("y", None), ("x", 4)]


def test_what_a_venue_sent_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("console", "json"):
        log.configure(form)  # type: ignore[arg-type]  # both are literals
        log.log().warning("two\nlines", reason="c\nd", payload=b"\x00\n")
        assert capsys.readouterr().err.count("\n") == 1


def test_a_traceback_is_written_in_either_form(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("console", "json"):
        log.configure(form)  # type: ignore[arg-type]  # both are literals
        try:
            raise ValueError("deep")
        except ValueError:
            log.log().exception("unforeseen")
        said = capsys.readouterr().err
        assert "unforeseen" in said and "ValueError: deep" in said and (form == "console" or json.loads(said)["exception"])


def test_unless_configured_standard_output_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    log.complain("k", "early")
    said = capsys.readouterr()
    assert said.out == "" and "early" in said.err


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, text: str = "") -> int:
            raise OSError(28, "No space left on device")

        flush = write
        isatty = staticmethod(lambda: False)

    log.configure("json")
    monkeypatch.setattr("sys.stderr", Full())
    log.log().error("collecting stops")
