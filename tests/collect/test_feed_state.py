"""Calm is told from blind: by a channel's own rate, by other channels of the venue, by other venues, and never from nothing."""

import random
from itertools import pairwise

import pytest

from deleverage.collect.channel_history import ChannelHistory, oddity
from deleverage.collect.expected_rates import EXPECTED, asked_for
from deleverage.collect.feed_state import FeedMonitor, FeedState, Line, Reading
from deleverage.collect.pipeline import Pipeline
from deleverage.events import Liquidation, MarkPrice, OpenInterest
from deleverage.journal.interchange import read_source
from deleverage.recordings import bundled
from deleverage.venues import VENUES

S = 1_000_000_000
T0 = 1_790_000_000 * S


class Venues:
    """Feeds a monitor second by second with given rates a minute; `dead` channels stop."""

    def __init__(self, rates: dict[tuple[str, str], float], seed: int = 7) -> None:
        self.rates, self.dead, self.now = rates, set[tuple[str, str]](), T0
        self.monitor = FeedMonitor(T0)
        self.counts = dict.fromkeys(rates, 0)
        self.last = dict.fromkeys(rates, 0)
        self.random = random.Random(seed)
        self.open = {venue: T0 for venue, _ in rates}
        self.found: dict[tuple[str, str], FeedState] = {}

    def run(self, seconds: int, until: str = "", channel: tuple[str, str] = ("", "")) -> int | None:
        """Let time pass; with `until`, return the seconds after which the channel is in that state."""
        for second in range(seconds):
            self.now += S
            for key, rate in self.rates.items():
                if key in self.dead or not self.open[key[0]]:
                    continue
                n = sum(self.random.random() < rate / 60 / 20 for _ in range(20))
                if n:
                    self.counts[key] += n
                    self.last[key] = self.now
                    if EXPECTED[key[0]][key[1]].kind == "sparse":
                        self.monitor.saw([forced(key[0], self.now)] * n)
            if second % 5 == 0 or until:
                for venue, opened in self.open.items():
                    names = tuple(c for v, c in self.rates if v == venue)
                    self.monitor.lines(venue, [Line(names, opened, "" if opened else "closed by the venue")], self.now)
                self.monitor.observe(self.now, [Reading(v, c, n, n, self.last[v, c], self.last[v, c]) for (v, c), n in self.counts.items()])
                self.found = {(s.venue, s.channel): s for s in self.monitor.states(self.now)}
                if until and self.found[channel].state == until:
                    return second + 1
        return None


def forced(venue: str, at: int) -> Liquidation:
    return Liquidation(venue, "BTC/USDT:USDT", "BTCUSDT", "BTC", at, at, "long", 1.0, "fill", 1.0, 1.0, 1.0, "market", "full")


RATES = {
    ("binance", "forceOrder"): 20.0, ("binance", "markPrice"): 60.0, ("bybit", "allLiquidation"): 10.0, ("bybit", "tickers"): 300.0,
    ("okx", "liquidation-orders"): 10.0, ("okx", "mark-price"): 120.0,
}  # fmt: skip


def test_calm_is_live() -> None:
    venues = Venues(RATES)
    for _ in range(60):
        venues.run(60)
        assert {s.state for s in venues.found.values()} == {"live"}, [s for s in venues.found.values() if s.state != "live"]


def test_a_stopped_control_stream_is_named_within_three_minutes() -> None:
    venues = Venues(RATES)
    venues.run(900)
    venues.dead.add(("binance", "markPrice"))
    after = venues.run(200, "silent", ("binance", "markPrice"))
    assert after is not None and after <= 180
    assert "usually" in venues.found["binance", "markPrice"].evidence


def test_a_wrong_route_is_named_within_three_minutes() -> None:
    """It acknowledges and sends nothing, from the start: the April 2026 case."""
    venues = Venues(RATES)
    venues.dead = {key for key in RATES if key[0] == "binance"}
    after = venues.run(200, "blind", ("binance", "markPrice"))
    assert after is not None and after <= 180
    assert "nothing of it ever came" in venues.found["binance", "markPrice"].evidence


def test_one_dead_sparse_topic_is_blind_while_the_socket_is_busy() -> None:
    venues = Venues(RATES)
    venues.run(3600)
    venues.dead.add(("binance", "forceOrder"))
    after = venues.run(1800, "blind", ("binance", "forceOrder"))
    assert after is not None and 60 < after < 600
    evidence = venues.found["binance", "forceOrder"].evidence
    assert "probability" in evidence and "other venues" in evidence
    assert venues.monitor.overall("binance", VENUES["binance"].liquidation_channels).state == "blind"  # type: ignore[union-attr]


def test_calm_everywhere_is_believed_longer_than_calm_of_one() -> None:
    alone, together = Venues(RATES), Venues(RATES)
    for venues in (alone, together):
        venues.run(3600)
    alone.dead.add(("binance", "forceOrder"))
    together.dead |= {key for key in RATES if EXPECTED[key[0]][key[1]].kind == "sparse"}
    one = alone.run(7200, "blind", ("binance", "forceOrder"))
    all_of_them = together.run(7200, "blind", ("binance", "forceOrder"))
    assert one is not None and (all_of_them is None or all_of_them > one)


def test_price_moved_and_others_liquidated() -> None:
    venues = Venues({**RATES, ("binance", "forceOrder"): 3.0, ("bybit", "allLiquidation"): 2.0, ("okx", "liquidation-orders"): 4.0})
    venues.run(1800)
    venues.dead.add(("bybit", "allLiquidation"))
    venues.run(200)
    venues.rates |= {("binance", "forceOrder"): 120.0, ("okx", "liquidation-orders"): 150.0}
    for step in range(240):
        price = 100_000.0 * (1 - 0.02 * step / 240)
        venues.monitor.saw([MarkPrice("okx", "BTC/USDT:USDT", "x", "BTC", venues.now, venues.now, price, None)])
        venues.run(1, "never", ("bybit", "allLiquidation"))
        if venues.found["bybit", "allLiquidation"].state == "blind":
            break
    assert venues.found["bybit", "allLiquidation"].state == "blind"
    assert (
        "liquidated, this printed nothing" in venues.found["bybit", "allLiquidation"].evidence
        or "probability" in venues.found["bybit", "allLiquidation"].evidence
    )


def test_open_interest_fell_without_prints() -> None:
    venues = Venues({("binance", "forceOrder"): 1.0, ("binance", "markPrice"): 60.0})
    venues.run(1800)
    venues.dead.add(("binance", "forceOrder"))
    venues.run(560)
    for step in range(60):
        at = venues.now
        interest = 1000.0 * (1 - 0.05 * step / 60)
        venues.monitor.saw([OpenInterest("binance", "BTC/USDT:USDT", "BTCUSDT", "BTC", at, at, interest, interest, None)])
        venues.monitor.saw([MarkPrice("binance", "BTC/USDT:USDT", "x", "BTC", at, at, 100_000 - 40.0 * step, None)])
        venues.run(2, "never", ("binance", "forceOrder"))
    assert venues.found["binance", "forceOrder"].state == "blind" and "open interest fell" in venues.found["binance", "forceOrder"].evidence


def test_down_says_why_and_recovers() -> None:
    venues = Venues(RATES)
    venues.run(120)
    venues.open["okx"] = 0
    venues.run(20)
    assert venues.found["okx", "mark-price"].state == "down" and "closed by the venue" in venues.found["okx", "mark-price"].evidence
    venues.open["okx"] = venues.now
    venues.run(20)
    assert venues.found["okx", "mark-price"].state == "live"


def test_thin() -> None:
    venues = Venues({("bybit", "tickers"): 300.0})
    venues.run(3600)
    venues.rates["bybit", "tickers"] = 15.0
    assert venues.run(1500, "thin", ("bybit", "tickers")) is not None


@pytest.mark.parametrize("ahead", [-30, 30])
def test_a_clock_that_is_off(ahead: int) -> None:
    venues = Venues(RATES)
    venues.run(60)
    venues.monitor.clock("okx", ahead * S, S // 10)
    venues.run(10)
    assert venues.found["okx", "mark-price"].state == "skewed" and f"{ahead:+.1f} s" in venues.found["okx", "mark-price"].evidence
    assert venues.found["binance", "markPrice"].state == "live"


def test_when_every_venue_is_off_the_clock_is_ours() -> None:
    venues = Venues(RATES)
    venues.run(60)
    for venue in ("okx", "bybit", "binance"):
        venues.monitor.clock(venue, -30 * S, S // 10)
    venues.run(10)
    assert "ours is wrong" in venues.found["okx", "mark-price"].evidence


def test_late_events_are_skewed() -> None:
    monitor = FeedMonitor(T0)
    monitor.lines("okx", [Line(("mark-price",), T0)], T0)
    for n in range(1, 90):
        monitor.observe(T0 + n * S, [Reading("okx", "mark-price", n, n, T0 + n * S, T0 + (n - 40) * S)])
    (state,) = monitor.states(T0 + 90 * S)
    assert state.state == "skewed" and "late" in state.evidence


def test_an_outage_is_not_learnt_as_normal() -> None:
    history = ChannelHistory(EXPECTED["bybit"]["tickers"], T0)
    for n in range(3600):
        history.add(5, T0 + n * S, T0 + n * S, 0, True)
    usual = history.usual(T0 + 3600 * S)
    for n in range(3600, 7200):
        history.add(0, T0 + n * S, 0, 0, False)
    assert usual > 150 and history.usual(T0 + 7200 * S) > 100


def test_the_law_of_silences_is_a_probability() -> None:
    values = [oddity(x) for x in (0, 0.5, 1, 5, 20, 100, 1e6)]
    assert values[0] == 1 and all(0 < b < a <= 1 for a, b in pairwise(values))


@pytest.mark.parametrize("venue", sorted(EXPECTED))
def test_every_channel_that_is_expected_has_a_mark_that_is_found(venue: str) -> None:
    for name, expectation in EXPECTED[venue].items():
        assert name in asked_for(venue, b"..." + expectation.mark.encode() + b"...")
    assert set(EXPECTED) == set(VENUES)


@pytest.mark.parametrize("name", ["binance-2025-01-26", "bybit-2026-10-10", "okx-2026-08-31", "bybit-2026-08-09", "binance-2024-08-08"])
def test_no_false_alarm_on_a_native_capture(name: str) -> None:
    """Each recorded stretch is watched second by second from its first to its last frame, as if it were heard now."""
    recording = bundled()[name]
    (venue,) = recording.venues
    frames = [f for f in read_source(recording.path) if f.direction == "in" and f.route.startswith("wss")]
    for low, high in recording.stretches:
        own = iter([f for f in frames if low <= f.ts_recv <= high])
        monitor, pipeline = FeedMonitor(low), Pipeline(lambda events: None)
        waiting = next(own, None)
        heard: set[str] = set()
        for now in range(low + S, high, S):
            while waiting is not None and waiting.ts_recv <= now:
                pipeline.feed(waiting)
                waiting = next(own, None)
            counts = {n.partition("/")[2]: c for n, c in pipeline.tally.by_channel.items()}
            heard |= {channel for channel in counts if channel in EXPECTED[venue]}
            monitor.lines(venue, [Line(tuple(sorted(heard)), low)], now)
            monitor.observe(now, [Reading(venue, c, n.frames, n.events, n.last_recv, 0) for c, n in counts.items()])
            for state in monitor.states(now):
                assert state.state in ("live", "thin"), state
        assert heard
