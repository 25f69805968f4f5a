"""Asks a venue over HTTP: its standing questions again and again, within its limits. Raw answers go the way frames go."""

import asyncio
import heapq
import random
from time import monotonic
from typing import Any

import httpx2 as httpx

from deleverage.collect.addresses import actual
from deleverage.collect.gate import Gate, retry_after
from deleverage.collect.intake import Intake
from deleverage.collect.questions import Question
from deleverage.collect.status import PollStatus
from deleverage.config import VenueSettings
from deleverage.errors import RateLimited, Refused, VenueError
from deleverage.journal.frame import Frame
from deleverage.venues.venue import Venue

ANSWER = 15.0
"""Seconds an answer may take as a whole."""
AT_ONCE = 4
"""Questions under way to one venue at a time."""
SPREAD = 0.02
"""Part of a question's period by which it is moved at random, so that they do not march in step."""
AFTER = 20.0
"""Seconds within which a question with its own hours is asked after them."""
LONGEST = 6 * 3600.0
"""Seconds at most until a question with its own hours is asked again after failures."""


class Asked:
    """What became of one standing question so far."""

    __slots__ = ("answered", "asked", "due", "every", "failed", "last_error", "question", "row")

    def __init__(self, question: Question, every: float, due: float) -> None:
        self.question, self.every, self.due = question, every, due
        self.asked = self.answered = self.failed = self.row = 0
        self.last_error = ""

    def after_failure(self) -> float:
        """Return the seconds to wait after failures, `row` of them without an answer between."""
        return min(self.every * 2 ** min(self.row - 1, 10), max(LONGEST, self.every)) if self.question.due is not None else self.every


class Poller:
    """Asks one venue. `standing` holds every standing question; `plan` changes them; `ask` asks one at once."""

    def __init__(self, venue: Venue, intake: Intake, gate: Gate, how: VenueSettings) -> None:
        self.venue = venue
        self.standing: dict[Question, Asked] = {}
        self._intake, self._gate, self._how = intake, gate, how
        self._client = httpx.AsyncClient(
            proxy=how.proxy or None, timeout=ANSWER, follow_redirects=False, trust_env=False, headers={"User-Agent": "deleverage"},
            limits=httpx.Limits(max_connections=AT_ONCE + 2, max_keepalive_connections=AT_ONCE + 2),
        )  # fmt: skip
        self._due: list[tuple[float, int, Asked]] = []
        self._order = 0
        self._more = asyncio.Event()

    def plan(self, questions: dict[Question, float]) -> None:
        """Replace the standing questions by these; new ones are spread over their period, so that none comes in a rush."""
        now = monotonic()
        for gone in [question for question in self.standing if question not in questions]:
            del self.standing[gone]
        for question, every in questions.items():
            known = self.standing.get(question)
            if known is None:
                self._schedule(Asked(question, every, now + random.uniform(0, min(every, 60.0))))
            else:
                known.every = every
        self._more.set()

    def statuses(self) -> list[PollStatus]:
        """Return what became of the standing questions, by table."""
        found: dict[str, list[Asked]] = {}
        for asked in list(self.standing.values()):
            found.setdefault(asked.question.name, []).append(asked)
        return [
            PollStatus(name, len(some), sum(a.asked for a in some), sum(a.failed for a in some), max(a.last_error for a in some))
            for name, some in sorted(found.items())
        ]

    async def run(self) -> None:
        """Ask what is due until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._worker())

    async def ask(self, question: Question, reserve: float = 0.0) -> bytes:
        """Ask one question, journal the answer and return it. Raises VenueError (Refused, RateLimited) in words.

        `reserve` is the share of the budget left to others.
        """
        await self._gate.ask(question.weight, reserve)
        status, headers, content = await self._request(question.method, question.url, question.body)
        if self.venue.limits.weight_header and (used := headers.get(self.venue.limits.weight_header, "")).isdigit():
            self._gate.told(float(used))
        if status != 200:
            raise self._refusal(status, retry_after(headers.get("Retry-After")), question, content)
        self._intake.take(Frame(self._intake.now(), self.venue.name, question.url, content))
        return content

    async def time(self) -> tuple[int, int]:
        """Ask the venue's clock; return its offset to ours and the error of that (half the round trip), ns. Raises VenueError."""
        clock = self.venue.clock
        if clock is None:
            raise VenueError(f"{self.venue.title} tells no time")
        await self._gate.ask(1.0)
        before = self._intake.now()
        status, _, content = await self._request(clock.method, clock.url, clock.body)
        after = self._intake.now()
        if status != 200:
            raise VenueError(f"{clock.url} answered {status}")
        return clock.read(content) - (before + after) // 2, (after - before) // 2

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()

    async def _request(self, method: str, url: str, body: str) -> tuple[int, Any, bytes]:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            async with asyncio.timeout(ANSWER):
                answer = await self._client.request(method, actual(url, self._how), content=body or None, headers=headers)
                return answer.status_code, answer.headers, answer.content
        except TimeoutError:
            raise VenueError(f"no answer from {url} within {ANSWER:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            words = " ".join(str(error).split()).replace(self._how.query or "\n", "…")  # a key is never said
            raise VenueError(f"cannot ask {url}: {words[:160] or type(error).__name__}") from error

    def _refusal(self, status: int, delay: float | None, question: Question, content: bytes) -> VenueError:
        words = f"{question.url} answered {status}: {' '.join(content[:160].decode(errors='replace').split())}"
        if status in (418, 429):
            self._gate.ban(words, delay)
            return RateLimited(words, delay)
        if status in (403, 451):
            self._gate.ban(words, delay)
            return Refused(words, delay)
        return VenueError(words)

    def _schedule(self, asked: Asked) -> None:
        self.standing[asked.question] = asked
        self._push(asked)

    def _push(self, asked: Asked) -> None:
        self._order += 1
        heapq.heappush(self._due, (asked.due, self._order, asked))

    async def _worker(self) -> None:
        while True:
            if not self._due or self._due[0][0] > monotonic() or self._intake.is_paused:
                self._more.clear()
                wait = min(self._due[0][0] - monotonic(), 1.0) if self._due else 1.0
                try:
                    async with asyncio.timeout(max(wait, 0.05)):
                        await self._more.wait()
                except TimeoutError:
                    pass
                continue
            asked = heapq.heappop(self._due)[2]
            if self.standing.get(asked.question) is not asked:
                continue  # no longer planned
            asked.asked += 1
            due, wait = asked.question.due, asked.every
            try:
                answer = await self.ask(asked.question)
                if due is not None:
                    now = self._intake.now()
                    wait = max((due(now, answer) - now) / 1e9, 1.0)
                asked.answered += 1
                asked.row, asked.last_error = 0, ""
            except VenueError as error:
                asked.failed += 1
                asked.row, asked.last_error = asked.row + 1, str(error)
                wait = asked.after_failure()
            if due is None:
                asked.due = max(asked.due + asked.every, monotonic() + 1.0) + asked.every * random.uniform(-SPREAD, SPREAD)
            else:
                asked.due = monotonic() + wait + random.uniform(0, AFTER)
            self._push(asked)
