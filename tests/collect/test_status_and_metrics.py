"""The status says everything the metrics and the page need, and the metrics are what Prometheus reads."""

import re
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from deleverage.collect.metrics import metrics_text
from deleverage.collect.status import ChannelStatus, CollectorStatus, ConnectionStatus, IntakeStatus, PollStatus, VenueStatus


def status(state: str = "live") -> CollectorStatus:
    channel = ChannelStatus("forceOrder", state, 1, "why", 2.0, 3.0, 4, 5.0, 60, 70, 8)
    socket = ConnectionStatus(7, "wss://x", "ws://y", 1, 2, 3, 4, 5, "lost")
    venue = VenueStatus(
        "binance", state, "why", 1, 300, 2_000_000, 1_000_000, 240.0, 2400.0, 0.0, "", "", 3, 4, 5, [socket], [channel],
        [PollStatus("open_interest", 300, 900, 2, "no answer")],
    )  # fmt: skip
    return CollectorStatus(1, 2, "", 12.5, 80.0, IntakeStatus(10, 100, 0.25, False, 1000, 5000, 990, 950), [venue])


def read(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_every_number_is_there() -> None:
    found = read(metrics_text(status()))
    binance = (("venue", "binance"),)
    channel = (("channel", "forceOrder"), ("venue", "binance"))
    assert found["deleverage_lag_seconds", ()] == 0.25 and found["deleverage_queue_frames", ()] == 10
    assert found["deleverage_frames_total", ()] == 1000 and found["deleverage_journal_durable_frames_total", ()] == 950
    assert found["deleverage_clock_offset_seconds", binance] == 0.002 and found["deleverage_reconnects_total", binance] == 5
    assert found["deleverage_connections_open", binance] == 1 and found["deleverage_poll_failures_total", binance] == 2
    assert found["deleverage_channel_frames_total", channel] == 60 and found["deleverage_channel_errors_total", channel] == 8


def test_one_state_at_a_time() -> None:
    for state in ("live", "blind", "down"):
        found = read(metrics_text(status(state)))
        states = {dict(labels)["state"]: value for (name, labels), value in found.items() if name == "deleverage_feed_state"}
        assert states[state] == 1 and sum(states.values()) == 1


def test_every_metric_is_on_its_page_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    documented = {name for line in page.splitlines() if line.startswith("|") for name in re.findall(r"`(deleverage_\w+)`", line)}
    assert documented == {name for name, _ in read(metrics_text(status()))}


def test_what_is_not_known_is_left_out() -> None:
    channel = ChannelStatus("books", "live", 1, "", 0.0, 0.0, 0, None, 0, 0, 0)
    venue = msgspec.structs.replace(status().venues[0], clock_offset_ns=None, channels=[channel])
    found = {name for name, _ in read(metrics_text(msgspec.structs.replace(status(), venues=[venue])))}
    assert not found & {"deleverage_clock_offset_seconds", "deleverage_channel_lag_seconds", "deleverage_channel_last_timestamp_seconds"}
    assert "deleverage_feed_state" in found
