"""When sources publish: New York's clock by the law of its summer time, weekdays, and what should be out by now. Instants are ns UTC."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def new_york(ts: int) -> datetime:
    """Return New York's wall clock at an instant, without a zone; right since 2007.

    >>> new_york(1_795_305_600_000_000_000)
    datetime.datetime(2026, 11, 21, 19, 0)
    """
    utc = datetime.fromtimestamp(ts // SECOND, UTC).replace(tzinfo=None)
    return utc + _offset(utc)


def instant(local: datetime) -> int:
    """Return the instant of New York's wall clock; the hour that comes twice is taken as the first, one that never comes as an hour later.

    >>> instant(datetime(2026, 7, 1, 16, 15)) == 1_782_936_900_000_000_000
    True
    """
    summer = local + timedelta(hours=4)
    utc = summer if _offset(summer) == timedelta(hours=-4) else local + timedelta(hours=5)
    return int(utc.replace(tzinfo=UTC).timestamp()) * SECOND


def _offset(utc: datetime) -> timedelta:
    """Summer time runs from the second Sunday of March to the first of November, 02:00 on the wall."""
    start = datetime.combine(_sunday(utc.year, 3, 8), time(7))
    end = datetime.combine(_sunday(utc.year, 11, 1), time(6))
    return timedelta(hours=-4 if start <= utc < end else -5)


def _sunday(year: int, month: int, day: int) -> date:
    """Return the first Sunday on or after a day."""
    first = date(year, month, day)
    return first + timedelta(days=6 - first.weekday())


def is_weekday(day: date) -> bool:
    """Tell whether a day is Monday to Friday."""
    return day.weekday() < 5


def weekday_before(day: date) -> date:
    """Return the last weekday before a day.

    >>> weekday_before(date(2026, 10, 12))
    datetime.date(2026, 10, 9)
    """
    day -= timedelta(days=1)
    while not is_weekday(day):
        day -= timedelta(days=1)
    return day


def next_time(now: int, times: Iterable[time]) -> int:
    """Return the next instant after `now` at which New York's clock shows one of `times` on a weekday."""
    local = new_york(now)
    for ahead in range(8):
        day = local.date() + timedelta(days=ahead)
        if is_weekday(day):
            for at in sorted(times):
                due = instant(datetime.combine(day, at))
                if due > now:
                    return due
    raise AssertionError("a week has weekdays")


def weekdays_missing(newest: str, expected: date) -> int:
    """Count the weekdays after the day `newest` (YYYY-MM-DD) up to `expected`, inclusive.

    >>> weekdays_missing("2026-10-08", date(2026, 10, 12))
    2
    """
    day, count = date.fromisoformat(newest), 0
    if (expected - day).days > 400:
        return 280
    while day < expected:
        day += timedelta(days=1)
        count += is_weekday(day)
    return count


def overdue(newest: Mapping[str, str], expected: date, tolerated: Mapping[str, int]) -> str:
    """Say which series lack more weekdays up to `expected` than `tolerated` (holidays, weekly releases); "" when none does.

    Series of `tolerated` that are not in `newest` were never received.
    """
    words = []
    for name, most in tolerated.items():
        if name not in newest:
            words.append(f"{name} was never received")
        elif (missing := weekdays_missing(newest[name], expected)) > most:
            words.append(f"{name} lacks {missing} weekdays up to {expected.isoformat()}")
    return ", ".join(words)
