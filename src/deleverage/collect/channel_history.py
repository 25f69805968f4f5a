"""What is remembered of one channel: counts by minute, rates now and at this hour of the day, and how odd a silence is."""

from collections import deque
from math import exp, log

from deleverage.collect.expected_rates import Expectation

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
SHAPE = 3.0
"""Shape of the law of silences. Gaps scaled by the rate of the last minutes have a heavier tail than exponential ones: of 2,331 gaps
recorded on Binance and Bybit (2024-08-17, 2025-01-26, 2026-10-10) the longest was 31 mean gaps; this law expects one such in 1,450."""
HALF_LIFE = 600.0
"""Seconds after which half of the trailing rate is new."""
PRIOR_MINUTES = 30.0
"""Minutes of listening that weigh as much as the expectation we start with."""
DAILY_DECAY = 0.8
"""Share of an hour's memory that is left a day later."""
KEPT = 61
"""Minutes of counts kept."""


def oddity(gaps: float, shape: float = SHAPE) -> float:
    """Return the probability of a silence of at least `gaps` mean gaps: a Lomax law, the gaps of a stream whose rate itself varies.

    >>> round(oddity(0), 3), round(oddity(61.7), 5)
    (1.0, 0.0001)
    """
    return float((1 + gaps / shape) ** -shape)


class ChannelHistory:
    """Counts of one channel. Times are ns UTC and never go back."""

    def __init__(self, expectation: Expectation, now: int) -> None:
        self.expectation = expectation
        self.started = now
        self.seen = 0
        self.last_recv = 0
        self.last_event = 0
        self.minutes: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self.hours: list[tuple[float, float]] = [(0.0, 0.0)] * 24
        self._n, self._t, self._silent = 0.0, 0.0, 0.0
        self._at = now
        self._hour_at = now

    def add(self, frames: int, now: int, last_recv: int, last_event: int, is_learning: bool) -> None:
        """Take `frames` heard since the last call.

        A silence is learnt when it is over, so that it is judged by the rate before it; `is_learning` False: it was an outage.
        """
        self._silent += max(now - self._at, 0) / SECOND
        self._at = now
        if not is_learning:
            self._silent = 0.0
        if frames:
            fade = exp(-log(2) * self._silent / HALF_LIFE)
            self._n, self._t = self._n * fade + frames, self._t * fade + self._silent
            self._learn(frames, self._silent, now)
            self._silent = 0.0
            self.seen += frames
            self.last_recv, self.last_event = last_recv, last_event or self.last_event
            minute = now // MINUTE
            if self.minutes and self.minutes[-1][0] == minute:
                self.minutes[-1] = (minute, self.minutes[-1][1] + frames)
            else:
                self.minutes.append((minute, frames))

    def _learn(self, frames: int, elapsed: float, now: int) -> None:
        hour = now // HOUR % 24
        count, minutes = self.hours[hour]
        if now // HOUR != self._hour_at // HOUR:
            count, minutes = count * DAILY_DECAY, minutes * DAILY_DECAY
        self._hour_at = now
        self.hours[hour] = (count + frames, minutes + elapsed / 60)

    def usual(self, now: int) -> float:
        """Return the frames a minute expected at this hour of the day, from what was heard and what was expected at first."""
        hour = now // HOUR % 24
        count = minutes = 0.0
        for offset, weight in ((-1, 0.5), (0, 1.0), (1, 0.5)):
            c, m = self.hours[(hour + offset) % 24]
            count, minutes = count + weight * c, minutes + weight * m
        every_count, every_minutes = map(sum, zip(*self.hours, strict=True))  # other hours say something where this one is new
        count, minutes = count + 0.2 * every_count, minutes + 0.2 * every_minutes
        return (self.expectation.per_minute * PRIOR_MINUTES + count) / (PRIOR_MINUTES + minutes)

    def trailing(self) -> float:
        """Return the frames a minute over the last minutes in which the channel was believed, shrunk toward nothing known."""
        per_second = self.expectation.per_minute / 60
        weight = min(3.0 / per_second, HALF_LIFE) if per_second else HALF_LIFE
        return 60 * (self._n + per_second * weight) / (self._t + weight)

    def count(self, now: int, minutes: int) -> int:
        """Return the frames of the running minute and the `minutes` - 1 before it."""
        first = now // MINUTE - minutes + 1
        return sum(n for minute, n in self.minutes if minute >= first)
