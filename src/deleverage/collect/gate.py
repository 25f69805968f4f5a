"""What a venue lets us do now: new sockets and questions are let through within its limits, and not at all while it has banned us."""

import asyncio
from collections import deque
from email.utils import parsedate_to_datetime
from time import monotonic, time

from deleverage.venues.venue import Limits

SHARE = 0.8
"""Part of a venue's limits that is used: other programs behind the same address ask as well."""


class Gate:
    """Paces what is asked of one venue. Times are seconds of the monotonic clock; one event loop uses it.

    While `is_out` (a socket could not be opened), one socket tries for all, holding `trying`: attempts count against the limit too.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.banned_until = 0.0
        self.ban_reason = ""
        self.failures = 0
        self.trying = asyncio.Lock()
        self._opens: deque[float] = deque()
        self._opening = asyncio.Lock()
        self._spent: deque[tuple[float, float]] = deque()
        self._weight = 0.0
        self._asking = asyncio.Lock()

    def ban(self, reason: str, seconds: float | None = None) -> None:
        """Let nothing through for `seconds` (None: the venue's own ban), or longer if a longer ban is in force."""
        until = monotonic() + (self.limits.ban if seconds is None else seconds)
        if until > self.banned_until:
            self.banned_until, self.ban_reason = until, reason

    @property
    def is_out(self) -> bool:
        """Whether the last socket tried could not be opened."""
        return self.failures > 0

    @property
    def is_banned(self) -> bool:
        """Whether a ban is in force."""
        return monotonic() < self.banned_until

    @property
    def banned_seconds(self) -> float:
        """Seconds until a ban ends; 0 without one."""
        return max(self.banned_until - monotonic(), 0.0)

    @property
    def weight_used(self) -> float:
        """Weight spent in the running window, as far as we know."""
        self._forget()
        return self._weight

    async def open(self) -> None:
        """Wait until a new socket may be opened."""
        async with self._opening:
            most = max(1, int(self.limits.opens * SHARE))
            while True:
                await self._until_allowed()
                now = monotonic()
                while self._opens and self._opens[0] <= now - self.limits.opens_every:
                    self._opens.popleft()
                if len(self._opens) < most:
                    self._opens.append(now)
                    return
                await asyncio.sleep(self._opens[0] + self.limits.opens_every - now)

    async def ask(self, weight: float, reserve: float = 0.0) -> None:
        """Wait until a question of `weight` may be asked, leaving the share `reserve` of the budget to others."""
        async with self._asking:
            most = max(self.limits.weight * SHARE * (1 - reserve), weight)
            while True:
                await self._until_allowed()
                self._forget()
                if self._weight + weight <= most:
                    self._spent.append((monotonic(), weight))
                    self._weight += weight
                    return
                await asyncio.sleep(min(max(self._spent[0][0] + self.limits.weight_every - monotonic(), 0.01), 1.0))

    def told(self, used: float) -> None:
        """Take the venue's own word for what is used, when it is more than ours."""
        self._forget()
        if used > self._weight:
            self._spent.append((monotonic(), used - self._weight))
            self._weight = used

    def _forget(self) -> None:
        past = monotonic() - self.limits.weight_every
        while self._spent and self._spent[0][0] <= past:
            self._weight -= self._spent.popleft()[1]
        if not self._spent:
            self._weight = 0.0

    async def _until_allowed(self) -> None:
        while (left := self.banned_until - monotonic()) > 0:
            await asyncio.sleep(min(left, 60.0))


def retry_after(text: str | None) -> float | None:
    """Read a Retry-After header, seconds or a date; None when it is absent or unreadable.

    >>> retry_after("30"), retry_after("soon"), retry_after(None)
    (30.0, None, None)
    """
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), 3 * 86_400) if seconds == seconds else None
