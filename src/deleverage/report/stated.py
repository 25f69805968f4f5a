"""How a figure is made of rows, and what is said of a kind of figure."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from deleverage.figure import Figure, Status
from deleverage.report.reading import Reading
from deleverage.report.selector import Selector


class Spec(NamedTuple):
    """A kind of figure: `name` with placeholders in braces, its unit, what it is, and how it is made."""

    name: str
    unit: str
    about: str
    make: Callable[[Reading], Figure | list[Figure]]


def stated(
    reading: Reading, name: str, value: float | None, unit: str, sources: Sequence[Selector], *, status: Status = "measured",
    at: int | None = None, interval: tuple[float, float] | None = None, level: float | None = None, coverage: float | None = None,
    missing: tuple[str, ...] = (), note: str = "", digits: int = 6,
) -> Figure:  # fmt: skip
    """Make a figure whose inputs are the rows of some selectors; a value that is None or not finite is `missing`.

    What a model gives is kept to `digits` significant ones: the rest depends on how many threads summed. In a reconstruction everything
    that is known is `modelled`.
    """
    known = value is not None and math.isfinite(value)
    if status != "measured" and value is not None:
        value = rounded(value, digits)
        interval = None if interval is None else (rounded(interval[0], digits), rounded(interval[1], digits))
    if reading.question.is_reconstruction:
        note = f"{note}{'; ' if note else ''}stale" if status == "stale" else note
        status = "modelled"
    given = None if not known or interval is None or not all(map(math.isfinite, interval)) else interval
    return Figure(
        name=name, value=value if known else None, unit=unit, at=reading.at if at is None else at, as_of=reading.as_of,
        status=status if known else "missing", interval=given, level=level if given else None,
        coverage=None if coverage is None else min(max(coverage, 0.0), 1.0), sources=tuple(s.text for s in sources), missing=missing,
        note=note, inputs_hash=reading.digest(sources),
    )  # fmt: skip


def rounded(value: float, digits: int) -> float:
    """Keep significant digits.

    >>> rounded(2630685051.588447, 6), rounded(0.94318221, 3), rounded(math.inf, 3)
    (2630690000.0, 0.943, inf)
    """
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value
