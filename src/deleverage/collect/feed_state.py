"""What each feed is worth now: live, thin, silent, blind, skewed or down, with the evidence in words.

From data, not from pings. Nothing here opens, waits or reads a clock: times are ns UTC, given.

- `down`    no socket that carries the channel is open.
- `silent`  the channel should be busy and nothing comes.
- `blind`   the socket lives and other channels speak, but this one is silent beyond belief, given its own rate and what other venues
            print; or was subscribed and never came; or printed nothing while the price fell and others liquidated.
- `skewed`  its events come late, or the venue's clock or ours is wrong.
- `thin`    it speaks, but far less than usual.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from deleverage.collect.channel_history import MINUTE, SECOND, ChannelHistory, oddity
from deleverage.collect.expected_rates import EXPECTED, Expectation
from deleverage.events import Event, Liquidation, MarkPrice, OpenInterest

UNBELIEVABLE = 1e-4
"""Probability below which a silence is not taken for calm."""
NEVER_CAME = 120.0
"""Seconds after which a busy channel that was subscribed and never came is called blind."""
REFUSED_AFTER = 8.0
"""Seconds after which a busy channel that did not come is called blind when the venue answered with an error."""
BUSY_SILENCE = (30.0, 150.0)
"""Seconds of silence of a busy channel that are a fault: 30 mean gaps, within these bounds."""
DOWN_AFTER = 2.0
LATE = 15.0
"""Seconds by which events may come late."""
SKEW = 2.0
"""Seconds by which the venue's clock may differ from ours."""
THIN = 0.15
"""Share of the usual rate below which a busy channel is thin, over ten minutes."""
MOVE, MOVE_MINUTES = 0.01, 5
"""Price move, and minutes it takes, after which a venue without prints is suspected when others liquidate."""
OTHERS, TIMES_USUAL = 2, 5.0
"""Venues that must liquidate this many times their usual."""
FALL = 0.03
"""Fall of open interest in ten minutes that cannot happen without prints when the price moves as well."""
LOST = ("down", "silent", "blind")
UNKNOWN = Expectation(0.0, "quiet", "")


class Reading(msgspec.Struct, frozen=True):
    """Counts of one channel since the start: frames and events; our clock at the last frame, the venue's at the newest event."""

    venue: str
    channel: str
    frames: int
    events: int
    last_recv: int
    newest: int


class Line(msgspec.Struct, frozen=True):
    """One socket: the channels asked of it, since when it is open (ns UTC, 0: it is not), and why it is not."""

    channels: tuple[str, ...]
    opened_at: int
    reason: str = ""


class FeedState(msgspec.Struct, frozen=True):
    """What is believed of one channel, since when (ns UTC), and why. Rates are frames a minute; `lag_seconds` None: not known."""

    venue: str
    channel: str
    state: str
    since: int
    evidence: str
    rate_per_minute: float = 0.0
    expected_per_minute: float = 0.0
    last_recv: int = 0
    lag_seconds: float | None = None


class FeedMonitor:
    """Believes something of every channel that was subscribed. Fed once a second, and with the events as they come."""

    def __init__(self, now: int) -> None:
        self.started = now
        self._histories: dict[tuple[str, str], ChannelHistory] = {}
        self._frames: dict[tuple[str, str], int] = {}
        self._lines: dict[str, Sequence[Line]] = {}
        self._first_open: dict[tuple[str, str], int] = {}
        self._down_since: dict[tuple[str, str], int] = {}
        self._states: dict[tuple[str, str], FeedState] = {}
        self._clocks: dict[str, tuple[int, int]] = {}
        self._prices: dict[str, deque[tuple[int, float]]] = {}
        self._interest: dict[str, deque[tuple[int, float]]] = {}
        self._prints: dict[str, deque[int]] = {}
        self._latest: tuple[int, float] = (0, 0.0)
        self._seen: dict[str, list[int]] = {}
        self._holes: dict[tuple[str, str], tuple[int, str]] = {}
        self._refused: dict[str, int] = {}

    def lines(self, venue: str, lines: Sequence[Line], now: int) -> None:
        """Take the sockets of a venue as they are."""
        self._lines[venue] = lines
        for line in lines:
            for channel in line.channels:
                self._history(venue, channel, now)

    def clock(self, venue: str, offset: int, error: int) -> None:
        """Take an estimate of how far the venue's clock is ahead of ours, and the error of that, ns."""
        self._clocks[venue] = (offset, error)

    def saw(self, events: Sequence[Event]) -> None:
        """Take events as evidence across venues: liquidations, bitcoin's price and open interest. May be called from another thread."""
        first = events[0]
        if isinstance(first, Liquidation):
            if not first.is_backfill:
                self._seen.setdefault(first.venue, []).extend(e.ts_recv for e in events if isinstance(e, Liquidation))
        elif isinstance(first, MarkPrice):
            for event in events:
                if isinstance(event, MarkPrice) and event.base == "BTC" and event.mark_price:
                    self._latest = (event.ts_recv, event.mark_price)
        elif isinstance(first, OpenInterest) and not first.is_backfill:
            for event in events:
                if isinstance(event, OpenInterest) and event.base == "BTC" and event.open_interest:
                    self._keep(self._interest, f"{event.venue} {event.venue_symbol}", event.ts_recv, event.open_interest)

    def sequence_gap(self, venue: str, channel: str, words: str, now: int) -> None:
        """Take it that updates of a channel never came."""
        self._holes[venue, channel] = (now, words)

    def observe(self, now: int, readings: Iterable[Reading]) -> None:
        """Take the counts of all channels as they are now."""
        for reading in readings:
            key = (reading.venue, reading.channel)
            if reading.channel == "error" and reading.frames > self._frames.get(key, 0):
                self._frames[key], self._refused[reading.venue] = reading.frames, reading.last_recv or now
            if key not in self._histories and reading.channel not in EXPECTED.get(reading.venue, {}):
                continue
            new = reading.frames - self._frames.get(key, 0)
            self._frames[key] = reading.frames
            believed = self._states.get(key)
            is_learning = believed is None or believed.state in ("live", "thin")
            self._history(*key, now).add(new, now, reading.last_recv, reading.newest, is_learning)
        if self._latest[0]:
            self._keep(self._prices, "BTC", *self._latest)
        for venue, times in list(self._seen.items()):
            taken, self._seen[venue] = times, []
            prints = self._prints.setdefault(venue, deque(maxlen=5000))
            prints.extend(taken)

    def states(self, now: int) -> list[FeedState]:
        """Return what is believed of every channel that is subscribed."""
        found = []
        for venue, lines in self._lines.items():
            for channel in dict.fromkeys(c for line in lines for c in line.channels):
                state, evidence, since = self._judge(venue, channel, [line for line in lines if channel in line.channels], now)
                history = self._histories[venue, channel]
                before = self._states.get((venue, channel))
                if before is not None and before.state == state:
                    since = before.since
                lag = (now - history.last_recv) / SECOND if history.last_recv else None
                rate = history.count(now, 10) / min(10, max((now - history.started) / MINUTE, 1 / 6))
                believed = FeedState(
                    venue, channel, state, since, evidence, round(rate, 2), round(history.usual(now), 2), history.last_recv, lag
                )
                self._states[venue, channel] = believed
                found.append(believed)
        return found

    def overall(self, venue: str, liquidation_channels: Sequence[str]) -> FeedState | None:
        """Return what decides about a venue: its liquidation channel, or the worst of its busy channels; None before anything is known."""
        own = [s for (name, _), s in self._states.items() if name == venue]
        carried = [s for s in own if any(mark in s.channel for mark in liquidation_channels)]
        rank = ("down", "blind", "silent", "skewed", "thin", "live")
        worst = sorted(carried or own, key=lambda s: rank.index(s.state))
        return worst[0] if worst else None

    def _history(self, venue: str, channel: str, now: int) -> ChannelHistory:
        found = self._histories.get((venue, channel))
        if found is None:
            expectation = EXPECTED.get(venue, {}).get(channel, UNKNOWN)
            found = self._histories[venue, channel] = ChannelHistory(expectation, now)
        return found

    def _judge(self, venue: str, channel: str, lines: Sequence[Line], now: int) -> tuple[str, str, int]:
        history = self._histories[venue, channel]
        opened = [line.opened_at for line in lines if line.opened_at]
        if not opened:
            since = self._down_since.setdefault((venue, channel), now)
            if (now - since) / SECOND >= DOWN_AFTER:
                reason = next((line.reason for line in lines if line.reason), "not opened yet")
                return "down", f"no socket is open: {reason}", since
            before = self._states.get((venue, channel))
            return (before.state, before.evidence, before.since) if before else ("live", "being opened", now)
        key = (venue, channel)
        self._down_since.pop(key, None)
        first = self._first_open.setdefault(key, min(opened))
        before, kind = self._states.get(key), history.expectation.kind
        judged: tuple[str, str, int] | None
        if kind == "busy" and before is not None and before.state in LOST and history.last_recv < min(opened):
            if history.seen == 0 and (now - first) / SECOND > NEVER_CAME:  # opened again and again, and still nothing
                return "blind", f"subscribed {_time((now - first) / SECOND)} ago, and nothing of it ever came", first
            return before.state, f"opened again {_time((now - min(opened)) / SECOND)} ago, nothing came yet", before.since
        if kind == "busy":
            judged = self._busy(venue, history, min(opened), now)
        elif kind == "sparse":
            judged = self._dead_socket(venue, lines) or self._sparse(venue, channel, history, min(opened), now)
        else:
            judged = None
        at, words = self._holes.get((venue, channel), (0, ""))
        if judged is None and now - at < MINUTE:
            judged = ("thin", words, at)
        return judged or self._clocked(venue, history, now) or ("live", self._calm(kind, history, now), now)

    def _dead_socket(self, venue: str, lines: Sequence[Line]) -> tuple[str, str, int] | None:
        """A channel that may be calm is not believed on a socket whose busy channels are dead."""
        worst: tuple[str, str, int] | None = None
        for line in lines:
            busy = [
                (c, s)
                for c in line.channels
                if EXPECTED.get(venue, {}).get(c, UNKNOWN).kind == "busy" and (s := self._states.get((venue, c)))
            ]
            dead = [(c, s) for c, s in busy if s.state in ("silent", "blind")]
            if not busy or len(dead) < len(busy):
                return None
            worst = "blind", f"its socket says nothing: {dead[0][0]} {dead[0][1].evidence}"[:300], dead[0][1].since
        return worst

    def _busy(self, venue: str, history: ChannelHistory, opened: int, now: int) -> tuple[str, str, int] | None:
        low, high = BUSY_SILENCE
        usual = min(history.usual(now), max(history.trailing(), history.expectation.per_minute))
        limit = min(max(30 * 60 / usual if usual else high, low), high)
        heard = max(history.last_recv, opened)
        silent = (now - heard) / SECOND
        if history.last_recv < opened and silent > REFUSED_AFTER and self._refused.get(venue, 0) >= opened:
            return "blind", "the venue answered the subscription with an error, and nothing of this came", opened
        if history.last_recv < opened and silent > NEVER_CAME and not history.seen:
            return "blind", f"subscribed {_time(silent)} ago, and nothing of it ever came", opened
        if silent > limit:
            return "silent", f"nothing for {_time(silent)}, usually {usual:.0f} a minute", heard
        if (now - max(opened, history.started)) > 11 * MINUTE:
            count, expected = history.count(now - MINUTE, 10), usual * 10
            if expected >= 30 and count < THIN * expected:
                return "thin", f"{count} frames in ten minutes, usually {expected:.0f}", now
        return None

    def _sparse(self, venue: str, channel: str, history: ChannelHistory, opened: int, now: int) -> tuple[str, str, int] | None:
        heard = max(history.last_recv, opened)
        silent = (now - heard) / SECOND
        others, active = self._others(venue, silent, now)
        expected = history.usual(now) * min(max(others, 0.05), 3.0)
        rate = min(expected, history.trailing()) if history.seen >= 5 else expected
        odd = oddity(rate * silent / 60)
        state = "blind" if self._is_alive(venue, heard, now) else "silent"
        if silent > 60 and odd < UNBELIEVABLE:
            return state, (
                f"nothing for {_time(silent)}; at {rate:.2g} a minute, with other venues at {others:.1f} times their usual, "
                f"the probability of that is {odd:.0e}"
            ), heard  # fmt: skip
        moved = self._move(now, MOVE_MINUTES)
        if silent > MOVE_MINUTES * 60 and abs(moved) >= MOVE:
            if len(active) >= OTHERS and history.usual(now) * MOVE_MINUTES * TIMES_USUAL >= 12:
                return (
                    "blind",
                    f"bitcoin moved {moved:+.1%} in {MOVE_MINUTES} minutes and {', '.join(active)} liquidated, this printed nothing",
                    heard,
                )
            fall = self._fall(venue, now)
            if fall <= -FALL and silent > 600 and history.usual(now) * 10 >= 5:
                return (
                    "blind",
                    f"open interest fell {-fall:.1%} in ten minutes while bitcoin moved {moved:+.1%}, this printed nothing",
                    heard,
                )
        return None

    def _clocked(self, venue: str, history: ChannelHistory, now: int) -> tuple[str, str, int] | None:
        offset, error = self._clocks.get(venue, (0, 0))
        if abs(offset) - error > SKEW * SECOND:
            same = [name for name, (other, _) in self._clocks.items() if abs(other - offset) < SKEW * SECOND]
            whose = "ours is wrong, every venue says so" if len(same) > 2 and len(same) == len(self._clocks) else "theirs or ours is wrong"
            return "skewed", f"the venue's clock is {offset / SECOND:+.1f} s from ours; {whose}", now
        if history.expectation.is_timely and history.last_event and now - history.last_recv < MINUTE:
            late = (history.last_recv + offset - history.last_event) / SECOND
            if late > LATE:
                return "skewed", f"its events come {_time(late)} late", now
            if late < -LATE:
                return "skewed", f"its events are dated {_time(-late)} ahead", now
        return None

    def _calm(self, kind: str, history: ChannelHistory, now: int) -> str:
        if not history.last_recv:
            return "nothing yet, which is normal" if kind != "busy" else "just opened"
        ago = f"last heard {_time((now - history.last_recv) / SECOND)} ago"
        return ago if kind == "busy" else f"{ago}; silence is normal here" if kind == "quiet" else f"{ago}; a calm of that length is usual"

    def _is_alive(self, venue: str, since: int, now: int) -> bool:
        """Whether busy channels of the venue spoke lately."""
        return any(
            h.expectation.kind == "busy" and now - h.last_recv < 90 * SECOND for (name, _), h in self._histories.items() if name == venue
        )

    def _others(self, venue: str, silent: float, now: int) -> tuple[float, list[str]]:
        """Return how lively other venues' liquidations are, as a multiple of their usual, and those far above it."""
        minutes = min(max(int(silent / 60), 10), 60)
        seen = expected = 0.0
        active = []
        for (name, channel), history in self._histories.items():
            state = self._states.get((name, channel))
            if name == venue or history.expectation.kind != "sparse" or (state is not None and state.state not in ("live", "thin")):
                continue
            known = min(minutes, max((now - history.started) / MINUTE, 1.0))
            count, usual = history.count(now, minutes), history.usual(now)
            seen, expected = seen + count, expected + usual * known
            if history.count(now, MOVE_MINUTES + 1) >= max(TIMES_USUAL * usual * MOVE_MINUTES, 5):
                active.append(name)
        return (seen + 3) / (expected + 3), active

    def _move(self, now: int, minutes: int) -> float:
        prices = [p for at, p in self._prices.get("BTC", ()) if at >= now - minutes * MINUTE]
        if len(prices) < 2:
            return 0.0
        low, high = min(prices), max(prices)
        return (high - low) / low * (1 if prices.index(low) < prices.index(high) else -1)

    def _fall(self, venue: str, now: int) -> float:
        worst = 0.0
        for name, readings in list(self._interest.items()):
            recent = [v for at, v in list(readings) if at >= now - 10 * MINUTE]
            if name.startswith(f"{venue} ") and len(recent) >= 2:
                worst = min(worst, recent[-1] / max(recent) - 1)
        return worst

    def _keep(self, kept: dict[str, deque[tuple[int, float]]], name: str, at: int, value: float) -> None:
        readings = kept.setdefault(name, deque(maxlen=1200))
        if not readings or at - readings[-1][0] >= SECOND:
            readings.append((at, value))


def _time(seconds: float) -> str:
    """Write a stretch of time as one would say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
