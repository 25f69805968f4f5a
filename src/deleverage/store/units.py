"""Columns of foreign files into our types and units: numbers, times (int64 ns UTC), dates, flags, enumerations, books.

Every reader takes a whole column and returns values, a mask of the cells it could not read and the reason for one of them;
an empty cell is null. Nothing is guessed silently: what cannot be read is refused by the caller, with the row.
"""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

import msgspec
import polars as pl

from deleverage.errors import BadInput
from deleverage.tables import Column

DAY = 86_400_000_000_000
"""Nanoseconds per day."""
EARLIEST, LATEST = 1_230_768_000_000_000_000, 4_102_444_800_000_000_000
"""Market data lies in [2009, 2100); ns UTC."""
EARLIEST_MACRO = -2_208_988_800_000_000_000
"""Economic series may go back to 1900; ns UTC."""

CLOCKS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "µs": 1_000, "ns": 1}
PLAIN = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
MONEY = {"usd": 1, "kusd": 1_000, "musd": 1_000_000, "bnusd": 1_000_000_000}
SHARES = {"share": Fraction(1), "percent": Fraction(1, 100), "bps": Fraction(1, 10_000)}
SECONDS = {
    "ns": Fraction(1, 10**9), "us": Fraction(1, 10**6), "ms": Fraction(1, 1000), "s": Fraction(1), "min": Fraction(60),
    "h": Fraction(3600), "d": Fraction(86_400),
}  # fmt: skip

WORDS = {
    "USD": "US dollars", "USD per base": "dollars per base coin", "base": "base coins", "contracts": "contracts", "s": "seconds",
    "h": "hours", "share": "a share (0.01 is 1 %)", "share per interval": "a share per funding interval (0.0001 is 0.01 %)",
    "percent per year": "percent per year (59.2 is 59.2 %)", "share per year": "a share per year (0.5 is 50 %)",
    "ns UTC": "a time: ISO 8601 (without zone: UTC), or s, ms, µs or ns since 1970", "date": "a date such as 2024-01-31",
    "as published": "a number as the venue publishes it",
}  # fmt: skip

BLANK = ("", ".", "null")
"""Texts that mean no value in a column of numbers, times or flags; FRED writes a dot."""
NUMBER_TEXT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
DD = "[0-9][0-9]"
ISO_TEXT = (
    rf"^(?P<day>[0-9]{{4}}-{DD}-{DD})(?:[T ](?P<h>{DD}):(?P<m>{DD})(?::(?P<s>{DD})(?:\.(?P<f>[0-9]{{1,9}}))?)?)?"
    rf"\s*(?P<zone>Z|z|UTC|[+-]{DD}:?{DD})?$"
)
DATE_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y")
OFFSET = re.compile(rf"^([+-])({DD}):?({DD})$")


class Read(NamedTuple):
    """A column after reading: the values, the cells that could not be read, and why one of them (by position) could not."""

    values: pl.Series
    bad: pl.Series
    why: Callable[[int], str]


Limits: TypeAlias = Literal["any", "positive", "not negative", "share", "rate"]
"""Which numbers a column may hold: above zero, zero and above, 0 to 1, -1 to 1."""
LIMIT_WORDS = {"positive": "is not above zero", "not negative": "is below zero", "share": "is not within 0 to 1",
               "rate": "is not within -1 to 1; percent? say so with --unit"}  # fmt: skip


def expected(column: Column) -> str:
    """Say in a few words what a column wants."""
    return WORDS.get(column.unit, column.meaning if not column.unit else f"{column.unit} ({column.meaning})")


def factor(unit: str, column: Column) -> Fraction:
    """Return by what a number in `unit` is multiplied to become the column's own unit. Raises BadInput for one that does not fit.

    >>> import pyarrow as pa
    >>> factor("percent", Column("long_share", pa.float64(), "share", "", False))
    Fraction(1, 100)
    """
    name = unit.strip().lower()
    fits: dict[str, Fraction] = {key: Fraction(value) for key, value in PLAIN.items()}
    if column.unit.startswith("USD") or column.unit == "as published":
        fits |= {key: Fraction(value) for key, value in MONEY.items()}
    if column.unit in ("base", "contracts"):
        fits[column.unit] = Fraction(1)
    if column.unit == "as published":
        fits |= {"base": Fraction(1), "contracts": Fraction(1)}
    if column.unit.startswith("share"):
        fits |= SHARES
    if column.unit.startswith("percent"):
        fits |= {key: value * 100 for key, value in SHARES.items()}
    if column.unit in ("s", "h"):
        hours = 3600 if column.unit == "h" else 1
        fits = {key: value / hours for key, value in SECONDS.items()}
    if name in fits:
        return fits[name]
    number = Fraction(name) if len(name) <= 24 and re.fullmatch(r"[0-9]*\.?[0-9]+(e[+-]?[0-9]{1,2})?", name) else Fraction(0)
    if number == 0:
        raise BadInput(
            f"--unit {column.name}={unit}: {column.name} is kept as {expected(column)}; expected one of {', '.join(fits)},"
            " or a number to multiply by, such as 1e6"
        )
    return number


def _text(raw: pl.Series) -> pl.Series | None:
    """The column as stripped text, blanks null; None when it does not hold text."""
    if raw.dtype == pl.Null:
        return raw.cast(pl.String)
    if raw.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    text = raw.cast(pl.String).str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(BLANK), None)


def _none(raw: pl.Series) -> pl.Series:
    return pl.repeat(False, len(raw), dtype=pl.Boolean, eager=True)


def _unfit(raw: pl.Series, column: Column) -> BadInput:
    return BadInput(f"column {column.name} holds values of type {raw.dtype}; expected {expected(column)}")


def numbers(raw: pl.Series, column: Column, unit: str | None, limits: Limits, whole: bool) -> Read:
    """Read numbers as float64 (or int64 when `whole`), multiplied into the column's unit; nan and infinities are refused."""
    by = factor(unit, column) if unit else Fraction(1)
    text = _text(raw)
    if text is None and not raw.dtype.is_numeric():
        raise _unfit(raw, column)
    if text is not None:
        fine = text.str.contains(NUMBER_TEXT)
        given = text.is_not_null()
        values = text.set(~fine, None).cast(pl.Float64, strict=False)
    else:
        given = raw.is_not_null()
        values = raw.cast(pl.Float64, strict=False)
    if by != 1:  # a division by 100 is exact where a product with 0.01 is not
        values = values * float(by.numerator) / float(by.denominator)
    sound = (values.is_finite() & (values.abs() < 1e18)).fill_null(False)
    if whole:
        exact = (raw if text is None else text).cast(pl.Int64, strict=False) if by == 1 else None
        integral = values.set(~sound, None)
        sound &= (integral == integral.round()).fill_null(False)
        rounded = integral.set(~sound, None).cast(pl.Int64, strict=False)
        values_out = rounded if exact is None or raw.dtype.is_float() else exact.zip_with(exact.is_not_null(), rounded)
    else:
        values_out = values
    ranges = {"any": (-1e18, 1e18), "positive": (5e-324, 1e18), "not negative": (0.0, 1e18), "share": (0.0, 1.0), "rate": (-1.0, 1.0)}
    within = values.is_between(*ranges[limits]).fill_null(False)
    bad = given & ~(sound & within)

    def why(position: int) -> str:
        cell = raw[position]
        shown = _shown(cell)
        if not sound[position]:
            if whole and values[position] is not None and abs(values[position]) < 1e18:
                return f"{shown} is not a whole number"
            if str(cell).strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
                return f"{shown} is not a number; leave the cell empty where it is unknown"
            if "," in str(cell):
                return f"{shown} is not a number; write it with a point and without thousands separators"
            return f"{shown} is not a number"
        return f"{shown} {LIMIT_WORDS[limits]}"

    return Read(values_out.set(bad, None), bad, why)


def _shown(cell: object) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else text[:57] + "..."


def times(raw: pl.Series, column: Column, unit: str | None, earliest: int = EARLIEST) -> Read:
    """Read times as int64 ns UTC in [earliest, 2100).

    `unit` None: ISO 8601 (without a zone: UTC) or an integer whose magnitude says s, ms, µs or ns, the same for all rows.
    `unit` s, ms, us, ns: numbers since 1970 in that unit. `unit` an offset such as +06:00: times without a zone are in it.
    """
    if unit is not None and unit not in CLOCKS and not OFFSET.match(unit):
        raise BadInput(f"--unit {column.name}={unit}: expected s, ms, us, ns, or the zone of times without one, such as +06:00")
    shift = _offset(unit) if unit and unit not in CLOCKS else 0
    if raw.dtype == pl.Date:
        return _bounded(raw, raw.to_physical().cast(pl.Int64), DAY, shift, earliest, _none(raw), unit)
    if isinstance(raw.dtype, pl.Datetime):
        return _bounded(
            raw, raw.to_physical(), CLOCKS[raw.dtype.time_unit], 0 if raw.dtype.time_zone else shift, earliest, _none(raw), unit
        )
    text = _text(raw)
    if text is None and not raw.dtype.is_numeric():
        raise _unfit(raw, column)
    if text is not None and unit not in CLOCKS:
        first = text.drop_nulls()
        if len(first) and not re.match(NUMBER_TEXT, first[0]):
            return _written(raw, text, shift, earliest)
    if text is not None:
        parts = text.str.extract_groups(r"^([0-9]{1,19})(?:\.([0-9]{1,9}))?$")
        count = parts.struct.field("1").cast(pl.Int64, strict=False)
        fraction = parts.struct.field("2").str.pad_end(9, "0").cast(pl.Int64, strict=False).fill_null(0)
        odd = text.is_not_null() & count.is_null()
    elif raw.dtype.is_float():
        whole = raw.cast(pl.Float64).floor()
        count = whole.cast(pl.Int64, strict=False)
        fraction = ((raw - whole) * 1e9).round().cast(pl.Int64, strict=False).fill_null(0)
        odd = raw.is_not_null() & count.is_null()
    else:
        count = raw.cast(pl.Int64, strict=False)
        fraction = None
        odd = raw.is_not_null() & count.is_null()
    first = count.drop_nulls()
    name = unit if unit in CLOCKS else _clock(first[0]) if len(first) else "ns"
    if unit not in CLOCKS:
        low, high = {"s": (0, 10**11), "ms": (10**11, 10**14), "us": (10**14, 10**17), "ns": (10**17, 2**63 - 1)}[name]
        odd |= (count.is_not_null() & ~((count >= low) & (count < high))).fill_null(False)
    multiplier = CLOCKS[name]
    extra = 0 if fraction is None else fraction * multiplier // 1_000_000_000
    return _bounded(raw, count.set(odd, None), multiplier, -extra, earliest, odd, name)


def _clock(count: int) -> str:
    """The unit an integer time is in, by its magnitude."""
    return "s" if abs(count) < 10**11 else "ms" if abs(count) < 10**14 else "us" if abs(count) < 10**17 else "ns"


def _offset(unit: str) -> int:
    found = OFFSET.match(unit)
    assert found is not None
    sign, hours, minutes = found.groups()
    return (-1 if sign == "-" else 1) * (int(hours) * 60 + int(minutes)) * 60 * CLOCKS["s"]


def _bounded(
    raw: pl.Series, count: pl.Series, multiplier: int, shift: int | pl.Series, earliest: int, odd: pl.Series, unit: str | None
) -> Read:
    """Multiply into ns without overflow, take `shift` (ns) off, and refuse what lies outside [earliest, 2100)."""
    inside = count.is_between(earliest // multiplier - DAY // multiplier - 1, LATEST // multiplier + DAY // multiplier + 1)
    values = count.set(~inside, None) * multiplier - shift
    bad = odd | (count.is_not_null() & ~values.is_between(earliest, LATEST - 1).fill_null(False))

    def why(position: int) -> str:
        shown = _shown(raw[position]) if raw.dtype == pl.String or raw.dtype.is_numeric() else str(raw[position])
        if odd[position]:
            clash = raw.dtype.is_numeric() or re.match(NUMBER_TEXT, str(raw[position]).strip())
            return f"{shown} is not a time in {unit} as the rows before it" if clash and position else f"{shown} is not a time"
        said = f" (read as {unit})" if unit in CLOCKS else ""
        return f"{shown}{said} lies outside the years {1900 if earliest < 0 else 2009} to 2100"

    return Read(values.set(bad, None), bad, why)


def _written(raw: pl.Series, text: pl.Series, shift: int, earliest: int) -> Read:
    """Times written out. A zone in the cell wins over `shift`, the zone (ns east of UTC) of those without."""
    part = text.str.extract_groups(ISO_TEXT).struct
    days = part.field("day").str.to_date("%Y-%m-%d", strict=False)
    if (days.is_null() & text.is_not_null()).any():
        for pattern in DATE_WORDS:
            days = days.zip_with(days.is_not_null() | text.is_null(), text.str.to_date(pattern, strict=False))
    h, m, s = (part.field(name).cast(pl.Int64).fill_null(0) for name in ("h", "m", "s"))
    fraction = part.field("f").str.pad_end(9, "0").cast(pl.Int64).fill_null(0)
    zone = part.field("zone")
    east = zone.str.extract_groups(rf"^([+-])({DD}):?({DD})$").struct
    minutes = east.field("2").cast(pl.Int64) * 60 + east.field("3").cast(pl.Int64)
    stated = minutes.zip_with((east.field("1") != "-").fill_null(True), -minutes).fill_null(0) * 60 * CLOCKS["s"]
    offset = stated.zip_with(zone.is_not_null(), pl.repeat(shift, len(raw), dtype=pl.Int64, eager=True))
    seconds = days.cast(pl.Int32).cast(pl.Int64) * 86_400 + h * 3600 + m * 60 + s
    odd = text.is_not_null() & (days.is_null() | (h > 23) | (m > 59) | (s > 59))
    return _bounded(raw, seconds.set(odd, None), CLOCKS["s"], offset - fraction, earliest, odd, None)


def dates(raw: pl.Series, column: Column, earliest: int) -> Read:
    """Read dates as text YYYY-MM-DD; of a time, its UTC day."""
    read = times(raw, column, None, earliest)

    def why(position: int) -> str:
        return read.why(position).replace("is not a time", "is not a date")

    return read._replace(why=why, values=(read.values // DAY).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d"))


def flags(raw: pl.Series, column: Column) -> Read:
    """Read true/false, yes/no, 1/0."""
    if raw.dtype == pl.Boolean:
        return Read(raw, _none(raw), str)
    text = _text(raw) if not raw.dtype.is_integer() else raw.cast(pl.String)
    if text is None:
        raise _unfit(raw, column)
    lower = text.str.to_lowercase()
    yes = lower.is_in(["true", "t", "yes", "1"])
    bad = text.is_not_null() & ~yes & ~lower.is_in(["false", "f", "no", "0"])
    return Read(yes.set(bad | text.is_null(), None), bad, lambda position: f"{_shown(raw[position])} is neither true nor false")


def choices(raw: pl.Series, column: Column, allowed: Sequence[str]) -> Read:
    """Read one of a few words, in any case. An order side is not taken for a position side."""
    text = _text(raw)
    if text is None:
        raise _unfit(raw, column)
    lower = text.str.to_lowercase()
    bad = text.is_not_null() & ~lower.is_in(list(allowed))

    def why(position: int) -> str:
        if column.name == "position_side" and lower[position] in ("buy", "sell"):
            return (
                f"{_shown(raw[position])} is the side of an order, not of a position: a sell order closes a long; map the column with"
                " --column order_side=… (entry_side where buy means that a long was closed)"
            )
        return f"{_shown(raw[position])} is unknown"

    return Read(lower.set(bad, None), bad, why)


def texts(raw: pl.Series, column: Column) -> Read:
    """Read text as it stands, stripped; empty text is null, and numbers that stand for names lose their `.0`."""
    if raw.dtype.is_float() and raw.drop_nulls().is_finite().all() and (raw.drop_nulls() % 1 == 0).all():
        raw = raw.cast(pl.Int64, strict=False)
    if raw.dtype.is_nested() or raw.dtype == pl.Binary:
        raise _unfit(raw, column)
    text = raw.cast(pl.String).str.strip_chars()
    return Read(text.set(text == "", None), _none(raw), str)


def intervals(raw: pl.Series, column: Column) -> Read:
    """Read spans such as 1m, 5m, 1h, 1d, 1w as whole seconds. A bare number and 1M (a month) are refused."""
    text = _text(raw)
    if text is None:
        raise _unfit(raw, column)
    parts = text.str.extract_groups(r"^([0-9]{1,6})\s*([a-zA-Z]+)$").struct
    word = parts.field("2").set((parts.field("2") == "M").fill_null(False), None).str.to_lowercase()
    names = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800}
    seconds = parts.field("1").cast(pl.Int64) * word.replace_strict(names, default=None, return_dtype=pl.Int64)
    bad = text.is_not_null() & ~(seconds > 0).fill_null(False)
    return Read(seconds.set(bad, None), bad, lambda position: f"{_shown(raw[position])} is no interval such as 1m, 5m, 1h, 1d")


LEVEL = pl.List(pl.Struct({"price": pl.Float64, "size": pl.Float64}))


class _Level(msgspec.Struct):
    price: float
    size: float


def levels(raw: pl.Series, column: Column) -> Read:
    """Read book sides: lists of (price, size), or their JSON text, [[price, size], …] or [{"price": …, "size": …}, …]."""
    pair = pl.List(pl.List(pl.Float64))
    try:
        rows = raw
        if raw.dtype == pl.String:
            named = bool(raw.str.contains("{", literal=True).any())
            rows = raw.str.json_decode(LEVEL if named else pair)
        if isinstance(rows.dtype, pl.List) and not isinstance(rows.dtype.inner, pl.Struct):
            first, second = pl.element().list.get(0, null_on_oob=True), pl.element().list.get(1, null_on_oob=True)
            rows = rows.cast(pair).list.eval(pl.struct(first.alias("price"), second.alias("size")))
        rows = rows.cast(LEVEL)
    except pl.exceptions.PolarsError:
        return _unread_levels(raw, column)
    price, size = pl.element().struct.field("price"), pl.element().struct.field("size")
    fine = (price > 0) & price.is_finite() & (size >= 0) & size.is_finite()
    bad = ~rows.list.eval(fine.fill_null(False)).list.all().fill_null(True)
    return Read(rows, bad, lambda position: "a level has no price above zero or no size")


def _unread_levels(raw: pl.Series, column: Column) -> Read:
    """Find the cells that are no book side, one by one."""
    bad = []
    for cell in raw:
        try:
            rows = msgspec.json.decode(cell) if isinstance(cell, str) else cell
            msgspec.convert(rows, list[tuple[float, float] | _Level] | None)
            bad.append(False)
        except msgspec.MsgspecError:
            bad.append(True)
    if not any(bad):
        raise _unfit(raw, column)
    return Read(raw, pl.Series(bad), lambda position: f"{_shown(raw[position])} is not a list such as [[price, size], …]")
