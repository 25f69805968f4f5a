"""The collection as Prometheus metrics, made anew from its status for every scrape."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from deleverage.collect.status import CollectorStatus

STATES = ("live", "thin", "silent", "blind", "skewed", "down")


def metrics_text(status: CollectorStatus) -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Scrape(status))
    return generate_latest(registry)


class _Scrape(Collector):
    def __init__(self, status: CollectorStatus) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Yield every metric."""
        yield from _intake(self._status)
        yield from _venues(self._status)
        yield from _channels(self._status)


def _intake(status: CollectorStatus) -> Iterator[Metric]:
    intake = status.intake
    for name, text, value in (
        ("deleverage_lag_seconds", "Age of the oldest frame not yet parsed.", intake.lag_seconds),
        ("deleverage_queue_frames", "Frames waiting to be parsed.", intake.queued_frames),
        ("deleverage_queue_capacity_frames", "Frames that may wait before sockets are no longer read.", intake.capacity),
        ("deleverage_paused", "1 while sockets are not read because the queue is full.", float(intake.is_paused)),
        ("deleverage_disk_free_bytes", "Free space of the data directory's disk.", status.free_gb * 1e9),
        ("deleverage_started_timestamp_seconds", "When collecting began, Unix time.", status.started_at / 1e9),
        ("deleverage_failed", "1 when collecting has stopped for a failure.", float(bool(status.failure))),
    ):
        yield GaugeMetricFamily(name, text, value=value)
    for name, text, value in (
        ("deleverage_frames", "Frames taken in.", intake.frames),
        ("deleverage_bytes", "Payload bytes taken in.", intake.bytes),
        ("deleverage_journal_durable_frames", "Frames on disk.", intake.durable),
    ):
        yield CounterMetricFamily(name, text, value=value)


def _venues(status: CollectorStatus) -> Iterator[Metric]:
    offset = GaugeMetricFamily("deleverage_clock_offset_seconds", "Venue's clock ahead of ours.", labels=["venue"])
    weight = GaugeMetricFamily("deleverage_rest_weight_used", "Weight of questions in the venue's window.", labels=["venue"])
    limit = GaugeMetricFamily("deleverage_rest_weight_limit", "Weight the venue allows in its window.", labels=["venue"])
    contracts = GaugeMetricFamily("deleverage_contracts", "Contracts known.", labels=["venue"])
    banned = GaugeMetricFamily("deleverage_banned_seconds", "Seconds until the venue takes questions again.", labels=["venue"])
    sockets = GaugeMetricFamily("deleverage_connections_open", "Sockets open.", labels=["venue"])
    lost = CounterMetricFamily("deleverage_reconnects", "Sockets lost.", labels=["venue"])
    failed = CounterMetricFamily("deleverage_poll_failures", "Standing questions that failed.", labels=["venue"])
    waiting = GaugeMetricFamily("deleverage_backfill_waiting", "Stretches of the past still to be asked.", labels=["venue"])
    missed = CounterMetricFamily("deleverage_backfill_failures", "Questions about the past that failed.", labels=["venue"])
    for v in status.venues:
        if v.clock_offset_ns is not None:
            offset.add_metric([v.venue], v.clock_offset_ns / 1e9)
        weight.add_metric([v.venue], v.weight_used)
        limit.add_metric([v.venue], v.weight_limit)
        contracts.add_metric([v.venue], v.contracts)
        banned.add_metric([v.venue], v.banned_seconds)
        sockets.add_metric([v.venue], sum(c.connection > 0 for c in v.connections))
        lost.add_metric([v.venue], sum(c.reconnects for c in v.connections))
        failed.add_metric([v.venue], sum(p.failed for p in v.polls))
        waiting.add_metric([v.venue], v.backfill_waiting)
        missed.add_metric([v.venue], v.backfill_failed)
    yield from (offset, weight, limit, contracts, banned, sockets, lost, failed, waiting, missed)


def _channels(status: CollectorStatus) -> Iterator[Metric]:
    labels = ["venue", "channel"]
    frames = CounterMetricFamily("deleverage_channel_frames", "Frames of a channel.", labels=labels)
    events = CounterMetricFamily("deleverage_channel_events", "Events parsed of a channel.", labels=labels)
    errors = CounterMetricFamily("deleverage_channel_errors", "Frames of a channel that did not parse.", labels=labels)
    heard = GaugeMetricFamily("deleverage_channel_last_timestamp_seconds", "When a channel was last heard, Unix time.", labels=labels)
    lag = GaugeMetricFamily("deleverage_channel_lag_seconds", "Seconds since a channel was last heard.", labels=labels)
    state = GaugeMetricFamily("deleverage_feed_state", "1 for the state a feed is in.", labels=[*labels, "state"])
    for v in status.venues:
        for c in v.channels:
            frames.add_metric([v.venue, c.channel], c.frames)
            events.add_metric([v.venue, c.channel], c.events)
            errors.add_metric([v.venue, c.channel], c.errors)
            if c.last_recv:
                heard.add_metric([v.venue, c.channel], c.last_recv / 1e9)
            if c.lag_seconds is not None:
                lag.add_metric([v.venue, c.channel], c.lag_seconds)
            for name in STATES:
                state.add_metric([v.venue, c.channel, name], float(c.state == name))
    yield from (frames, events, errors, heard, lag, state)
