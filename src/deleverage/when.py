"""Instants and durations as people write them, in ns UTC."""

from datetime import UTC, datetime

from deleverage.errors import BadInput

SECOND = 1_000_000_000
UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
EARLIEST, LATEST = 1_230_768_000 * SECOND, 4_102_444_800 * SECOND  # 2009, before which there was no coin, and 2100


def instant(text: str, now: int) -> int:
    """Read an instant: `now`, ISO 8601 (naive is UTC, a bare date is its midnight), unix seconds, ms, µs, ns told by their size,
    or exact nanoseconds as `123ns`.

    >>> instant("2025-11-21T12:25:00Z", 0), instant("2025-11-21", 0), instant("1763727900000", 0)
    (1763727900000000000, 1763683200000000000, 1763727900000000000)

    Raises BadInput for anything else, and for instants outside 2009–2100.
    """
    text = text.strip()
    if text == "now":
        return now
    if text.endswith("ns") and text[:-2].isascii() and text[:-2].isdigit() and len(text) <= 21:
        return min(int(text[:-2]), 2**63 - 1)
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20:
        number = int(text)
        scale = next((s for s, limit in ((SECOND, 10**11), (10**6, 10**14), (10**3, 10**17)) if abs(number) < limit), 1)
        at = number * scale
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise BadInput(f"cannot read the time {text!r}; write it like 2025-11-21T12:25:00Z, as unix time, or now") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        at = round(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond * 1000
    if not EARLIEST <= at <= LATEST:
        raise BadInput(f"the time {text!r} is outside 2009–2100")
    return at


def duration(text: str) -> int:
    """Read a duration: a whole number and s, m, h or d.

    >>> duration("24h") == 24 * UNITS["h"], duration("90m") == 90 * UNITS["m"]
    (True, True)

    Raises BadInput for anything else, and for more than 3650 days.
    """
    number, unit = text[:-1], text[-1:]
    if (
        len(text) > 12
        or unit not in UNITS
        or not number.isdigit()
        or not number.isascii()
        or not 0 < int(number) * UNITS[unit] <= 3650 * UNITS["d"]
    ):
        raise BadInput(f"cannot read the duration {text!r}; write it like 1h, 24h, 90m or 7d"[:200])
    return int(number) * UNITS[unit]


def iso(at: int) -> str:
    """Write an instant (ns UTC) in ISO 8601 with milliseconds.

    >>> iso(1763727900123000000)
    '2025-11-21T12:25:00.123Z'
    """
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % SECOND // 1_000_000:03d}Z"
