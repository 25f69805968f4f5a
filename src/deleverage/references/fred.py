"""FRED, the Federal Reserve Bank of St. Louis: yields, the dollar index, equities. CSV without a key, the API with one.

The CSV's date column is `observation_date` (formerly `DATE`); a cell `.` is missing, an empty one too, neither is zero. Values are
revised: every answer holds the whole series from `SINCE` on, so that a revision is seen and appended. Of the vintages in an API answer
the last one is today's value; the others say what was known when, and come in by import. Source: https://fred.stlouisfed.org/docs/api/fred/
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import msgspec

from deleverage.errors import ParseError
from deleverage.events import Event, MacroObservation
from deleverage.references.publication import SECOND, instant, new_york, next_time, overdue, weekday_before
from deleverage.references.reference import Days, Reference
from deleverage.venues.venue import Limits, Parser, Poll, reading

NAME = "fred"
CSV, API = "fred_csv", "fred_api"
SINCE = "2003-01-01"
GROUPS: tuple[tuple[tuple[str, ...], tuple[time, ...]], ...] = (
    (("DGS10", "DFII10"), (time(15, 20), time(16, 20), time(17, 20))),
    (("DTWEXBGS",), (time(16, 20),)),
    (("SP500", "NASDAQCOM", "VIXCLS"), (time(9, 40), time(20, 30))),
)
"""Series released together, and New York's hours at which they are asked for: H.15 comes at 15:15 or 16:15, H.10 at 16:15 on Mondays."""
TOLERATED = {"DGS10": 1, "DFII10": 1, "DTWEXBGS": 7, "SP500": 1, "NASDAQCOM": 1, "VIXCLS": 1}
"""Weekdays that may be missing: holidays, and for the dollar index a week and a holiday."""
SERVES = time(18)
"""New York's hour at which the day before is out."""
FIRST, LAST = "1776-01-01", "2200-12-31"
"""Days an observation may be of: nanoseconds since 1970 hold little more."""
HEADERS = ("observation_date", "date")


class Observation(NamedTuple):
    """One value of a series; `value` None where the source marks it missing; `since` is the first day it was published, "" unknown."""

    series: str
    day: str
    value: float | None
    since: str = ""


class _Row(msgspec.Struct):
    date: str
    value: str
    realtime_start: str = ""
    realtime_end: str = ""


class _Answer(msgspec.Struct):
    observations: list[_Row]


_DECODER = msgspec.json.Decoder(_Answer)


def read_csv(payload: bytes) -> list[Observation]:
    """Read a CSV answer of one or several series. Raises ParseError.

    Empty cells before a series begins and after its last value are no observations; `.` always is one, a missing one.
    """
    try:
        lines = payload.removeprefix(b"\xef\xbb\xbf").decode().splitlines()
    except UnicodeDecodeError as error:
        raise ParseError(CSV, "not text in UTF-8") from error
    header = [cell.strip().strip('"') for cell in lines[0].split(",")] if lines else []
    if len(header) < 2 or header[0].lower() not in HEADERS or len(set(header)) < len(header) or not all(header):
        raise ParseError(CSV, f"no header with {HEADERS[0]} and series: {','.join(header)[:80]!r}")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            cells = [cell.strip().strip('"') for cell in line.split(",")]
            if len(cells) != len(header):
                raise ParseError(CSV, f"line {number} has {len(cells)} cells, the header {len(header)}")
            rows.append((_day(cells[0], CSV), cells))
    found: list[Observation] = []
    for at, series in enumerate(header[1:], 1):
        said = [n for n, (_, cells) in enumerate(rows) if cells[at]]
        for day, cells in rows[said[0] : said[-1] + 1] if said else ():
            found.append(Observation(series, day, _value(cells[at], CSV)))
    return found


def read_api(payload: bytes, series: str) -> list[Observation]:
    """Read an API answer, which does not name its series; every vintage is an observation, in the answer's order. Raises ParseError."""
    try:
        answer = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(API, " ".join(str(error).split())[:160]) from error
    return [
        Observation(series, _day(r.date, API), _value(r.value, API), _day(r.realtime_start, API) if r.realtime_start else "")
        for r in answer.observations
    ]


def _day(text: str, channel: str) -> str:
    try:
        if len(text) == 10 and FIRST <= text <= LAST:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ParseError(channel, f"{text[:20]!r} is no day")


def _value(text: str, channel: str) -> float | None:
    try:
        return None if text == "." else reading(text)
    except ValueError as error:
        raise ParseError(channel, f"{text[:20]!r} is no value") from error


class FredParser(Parser):
    """CSV or API answers → MacroObservation, of each day the value in force."""

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        self.channel = API if payload[:20].lstrip().startswith(b"{") else CSV
        if self.channel == CSV:
            found = read_csv(payload)
        else:
            series = self.route.query.get("series_id", "")
            if not series:
                raise ParseError(API, "the address names no series_id")
            found = read_api(payload, series)
        last: dict[tuple[str, str], Observation] = {}
        for one in found:
            before = last.get((one.series, one.day))
            if before is None or one.since >= before.since:
                last[one.series, one.day] = one
        return [MacroObservation(NAME, "", "", "", _midnight(o.day), ts_recv, o.series, o.day, o.value) for o in last.values()]


def saved_answer(payload: bytes, now: int) -> dict[str, list[str | float | int | None]]:
    """Return a saved API answer as columns of the table macro_observations, the series blank; every vintage known from the end of its
    first day in New York on, at the latest `now` (ns UTC). Raises ParseError."""
    found = sorted(read_api(payload, ""), key=lambda o: (o.day, o.since))
    if not found:
        raise ParseError(API, "an answer without an observation")
    known: list[str | float | int | None] = [min(_end(o.since), now) if o.since else now for o in found]
    return {
        "venue": [NAME for _ in found], "series": ["" for _ in found], "observation_date": [o.day for o in found],
        "value": [o.value for o in found], "ts_recv": known,
    }  # fmt: skip


def _midnight(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) * SECOND


def _end(day: str) -> int:
    return instant(datetime.combine(date.fromisoformat(day) + timedelta(days=1), time()))


def due_at(times: tuple[time, ...], read: Callable[[bytes], list[Observation]]) -> Callable[[int, bytes], int]:
    """Return a schedule: the next of New York's hours on a weekday, whatever was answered. It raises ParseError for what is no answer."""

    def due(now: int, payload: bytes) -> int:
        read(payload)
        return next_time(now, times)

    return due


def late(newest: Days, now: int) -> str:
    """Say which series lack more days than holidays explain."""
    local = new_york(now)
    expected = weekday_before(local.date())
    return overdue(newest, expected if local.time() >= SERVES else weekday_before(expected), TOLERATED)


def _api(payload: bytes) -> list[Observation]:
    return read_api(payload, "")


_GRAPH = "https://fred.stlouisfed.org/graph/fredgraph.csv"
_OBSERVATIONS = "https://api.stlouisfed.org/fred/series/observations"
REFERENCE = Reference(
    name=NAME,
    title="FRED",
    docs="https://fred.stlouisfed.org/docs/api/fred/",
    owns=("stlouisfed.org",),
    parser=FredParser,
    setting="fred",
    schedule="weekdays, New York time: yields 15:20, 16:20, 17:20; dollar index 16:20; equities 09:40 and 20:30",
    attribution="FRED, Federal Reserve Bank of St. Louis (https://fred.stlouisfed.org)",
    terms="yields and dollar index are public; SP500, NASDAQCOM and VIXCLS belong to their owners: your own use only, never bundled",
    late=late,
    polls=tuple(
        Poll(name="macro_observations", url=f"{_GRAPH}?id={','.join(ids)}&cosd={SINCE}", every=1800, due=due_at(times, read_csv))
        for ids, times in GROUPS
    ),
    keyed_polls=tuple(
        Poll(
            name="macro_observations", url=f"{_OBSERVATIONS}?series_id={name}&observation_start={SINCE}&file_type=json", every=1800,
            due=due_at(times, _api),
        )
        for ids, times in GROUPS
        for name in ids
    ),
    limits=Limits(weight=120, weight_every=60, ban=3600, source="API page: 120 questions a minute with a key"),
)  # fmt: skip
