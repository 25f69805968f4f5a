"""New York's clock by its law, against the database of time zones."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from deleverage.references.publication import SECOND, instant, is_weekday, new_york, next_time, weekday_before, weekdays_missing

ZONE = ZoneInfo("America/New_York")


@given(st.integers(1_200_000_000, 2_100_000_000))
def test_the_clock_is_the_databases(seconds: int) -> None:
    local = datetime.fromtimestamp(seconds, UTC).astimezone(ZONE).replace(tzinfo=None)
    assert new_york(seconds * SECOND) == local
    again = instant(local)  # of the hour that comes twice, the first
    assert again == seconds * SECOND or (again == (seconds - 3600) * SECOND and new_york(again) == local)


@given(st.integers(1_200_000_000, 2_100_000_000), st.lists(st.times().map(lambda t: t.replace(microsecond=0)), min_size=1, max_size=3))
def test_the_next_time_is_ahead_on_a_weekday_and_nothing_lies_between(seconds: int, times: list[time]) -> None:
    now = seconds * SECOND
    due = next_time(now, times)
    assert 0 < due - now <= (4 * 24 + 1) * 3600 * SECOND
    today, last = new_york(now).date(), new_york(due).date()
    candidates = {
        instant(datetime.combine(day, t))
        for n in range((last - today).days + 1)
        for t in times
        if is_weekday(day := today + timedelta(days=n))
    }
    assert due in candidates and not any(now < c < due for c in candidates)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_weekdays(day: date) -> None:
    before = weekday_before(day)
    assert is_weekday(before) and 1 <= (day - before).days <= 3
    assert weekdays_missing(before.isoformat(), day) == is_weekday(day)
    assert weekdays_missing(day.isoformat(), before) == 0
