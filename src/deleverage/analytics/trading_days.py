"""Days on which New York's exchanges trade, by rule: weekdays without the holidays in force since 2022 and the days of mourning since.

A closure that nobody could foresee is added by hand; early closes are trading days.
"""

from datetime import date, timedelta

MOURNING = frozenset({date(2025, 1, 9)})


def easter(year: int) -> date:
    """Return Easter Sunday by the Gregorian rule (Meeus).

    >>> easter(2024), easter(2025)
    (datetime.date(2024, 3, 31), datetime.date(2025, 4, 20))
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th weekday (0: Monday) of a month; the last for n = -1."""
    if n < 0:
        last = (date(year, month + 1, 1) if month < 12 else date(year + 1, 1, 1)) - timedelta(1)
        return last - timedelta((last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def holidays(year: int) -> frozenset[date]:
    """Return the exchange's full closures of a year. A Saturday's holiday is kept on Friday, a Sunday's on Monday; but New Year's Day on a
    Saturday is not kept."""
    fixed = [date(year, 6, 19), date(year, 7, 4), date(year, 12, 25)]
    if date(year, 1, 1).weekday() != 5:
        fixed.append(date(year, 1, 1))
    moved = {day + timedelta({5: -1, 6: 1}.get(day.weekday(), 0)) for day in fixed}
    floating = {_nth(year, 1, 0, 3), _nth(year, 2, 0, 3), easter(year) - timedelta(2), _nth(year, 5, 0, -1), _nth(year, 9, 0, 1)}
    return frozenset(moved | floating | {_nth(year, 11, 3, 4)} | {day for day in MOURNING if day.year == year})


def trading_days(first: date, last: date) -> list[date]:
    """Return the trading days from first to last, both inclusive; empty when last is before first."""
    closed = frozenset().union(*(holidays(year) for year in range(first.year, last.year + 1)))
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in closed]
