"""What a sentence of the report is made of: words, and figures as printed. `sentences.py` builds them, `rules.py` says what may be said."""

import re
from math import floor, log10
from typing import NamedTuple

from deleverage.errors import DeleverageError
from deleverage.figure import Figure, dollars, hash_inputs
from deleverage.report.rules import RULES as RULES

UNKNOWN = "not known"
SCALES = {" bn": 1e9, " M": 1e6, " k": 1e3, "": 1.0}
DECIMALS = {"percent": 2, "points": 1, "index": 0, "count": 0, "ratio": 2, "beta": 2, "days": 0, "seconds": 0, "relative": 2}
AFTER = {"percent": " %", "points": " points", "days": " days", "seconds": " s", "relative": " of the strongest"}
RATE = re.compile(r"rate_(\d+)h")
WINDOW = re.compile(r"\d+[smhd]")


class RuleBroken(DeleverageError):
    """A rule forbids the sentence. `rule` is a name of `RULES`, `arithmetic` what was compared."""

    def __init__(self, rule: str, arithmetic: str) -> None:
        super().__init__(f"{RULES[rule]}: {arithmetic}")
        self.rule, self.arithmetic = rule, arithmetic


class Shown(NamedTuple):
    """One number as printed, rounded to what is known."""

    figure: Figure
    text: str


class Claim(NamedTuple):
    """A sentence whose `rules` (names of `RULES`) held when it was built."""

    parts: tuple[str | Shown, ...]
    rules: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentence as printed."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures it prints, in order."""
        return tuple(part.figure for part in self.parts if isinstance(part, Shown))


def show(figure: Figure, decimals: int | None = None) -> Shown:
    """Print a figure by its unit; a wide interval takes digits away, and is printed behind with its level. Stale ones say so.

    Units: `usd`, `price` (USD a coin), `share` and `volatility` (0.574 is 57.4 %), `change` (signed share), `percent` (4.12 is 4.12 %),
    `rate_8h` (funding per 8 h, any hours), `points`, `index`, `count`, `ratio`, `beta`, `days`, `seconds`, `relative`, `coin:BTC`.
    `decimals` overrides those of the unit.

    >>> show(Figure(name="x", value=1_830_970_000.0, unit="usd", at=0, as_of=0)).text
    '1.83 bn USD'
    >>> show(Figure(name="x", value=0.0000688, unit="rate_8h", at=0, as_of=0)).text
    '0.0069 % per 8 h'
    """
    if figure.value is None:
        return Shown(figure, UNKNOWN)
    text = _number(figure.value, figure.unit, decimals, figure.interval)
    if figure.interval is not None:
        low, high = (_number(end, figure.unit, decimals, figure.interval) for end in figure.interval)
        level = "" if figure.level is None else f", {figure.level:.0%} interval"
        text += f" ({low} to {high}{level})"
    return Shown(figure, text + (" (stale)" if is_stale(figure) else ""))


def is_stale(figure: Figure) -> bool:
    """Tell whether a figure is older than it should be; in a reconstruction its note says so, since its status is `modelled`."""
    return figure.status == "stale" or (figure.status == "modelled" and figure.note.rpartition("; ")[2] == "stale")


def _number(value: float, unit: str, decimals: int | None, interval: tuple[float, float] | None) -> str:
    """Write a value in its unit, with as many decimals as half the width of the interval leaves meaning (two digits of it)."""
    rate = RATE.fullmatch(unit)
    factor, usual, after, sign = 1.0, DECIMALS.get(unit, 2), AFTER.get(unit, ""), ""
    if unit == "usd":
        printed = dollars(interval[1] if interval else value)
        scale = next(word for word in SCALES if printed.endswith(word))
        factor, usual, after = 1 / SCALES[scale], 2 if scale in (" bn", " M") else int(scale == " k"), f"{scale} USD"
    elif unit in ("share", "volatility", "change"):
        factor, usual, after, sign = 100.0, 1, " %", "+" if unit == "change" else ""
    elif rate:
        factor, usual, after = 100.0, 4, f" % per {rate[1]} h"
    elif unit == "price":
        usual, after = max(0, 4 - floor(log10(abs(value)))) if 0 < abs(value) < 1e4 else 0, " USD"
    elif unit.startswith("coin:"):
        usual, after = 0 if abs(value) >= 1000 else 2, f" {unit[5:]}"
    places = usual if decimals is None else decimals
    width = 0.0 if interval is None else (interval[1] - interval[0]) / 2 * factor
    if width > 0:
        places = max(min(places, 1 - floor(log10(width))), 0)
    return f"{value * factor:{sign},.{places}f}{after}".replace("-", "−")


def window_of(figure: Figure) -> str | None:
    """Return the window a figure's name ends in.

    >>> window_of(Figure(name="liquidations.total.24h", value=1.0, unit="usd", at=0, as_of=0))
    '24h'
    """
    last = figure.name.rpartition(".")[2]
    return last if WINDOW.fullmatch(last) else None


def named(figure: Figure, word: str) -> str:
    """Name what is worked out from a figure, its window staying last.

    >>> named(Figure(name="liquidations.total.24h", value=1.0, unit="usd", at=0, as_of=0), "share")
    'liquidations.total.share.24h'
    """
    window = window_of(figure)
    return f"{figure.name}.{word}" if window is None else f"{figure.name[: -len(window)]}{word}.{window}"


def derived(name: str, value: float | None, unit: str, *of: Figure) -> Figure:
    """A figure worked out from others: known as late as the latest of them, no better than the worst, missing what any misses."""
    worst = next((s for s in ("missing", "stale", "modelled", "estimated") if any(f.status == s for f in of)), "measured")
    if value is None:
        worst = "missing"
    covered = [f.coverage for f in of if f.coverage is not None]
    return Figure(
        name=name, value=None if worst == "missing" else value, unit=unit, at=max(f.at for f in of), as_of=max(f.as_of for f in of),
        status=worst, coverage=min(covered, default=None),  # type: ignore[arg-type]  # a member of Status
        sources=tuple(dict.fromkeys(s for f in of for s in f.sources)), missing=tuple(dict.fromkeys(m for f in of for m in f.missing)),
        note="from " + ", ".join(f.name for f in of), inputs_hash=hash_inputs((f.name, f.value, f.inputs_hash) for f in of),
    )  # fmt: skip
