"""A sheet to draw on: SVG whose colours are classes, so that a page gives them by theme and a PDF by one style element.

Numbers are written with two decimals at most: the same drawing is the same bytes on every machine.
"""

from collections.abc import Callable, Sequence
from html import escape
from math import floor, log10
from typing import NamedTuple

WIDTH = 720.0
LINE = 116
"""Characters of a line of small print."""
LIGHT = {
    "long": "#c8451c", "short": "#0b7d72", "ink": "#14171b", "ink-2": "#454c55", "ink-3": "#5f6670", "line": "#e2ded4", "edge": "#7c8189",
    "hatch": "#cfcabd", "zero": "#e7e3d9", "panel": "#fffefb", "attention": "#855400", "on-fill": "#ffffff",
    "binance": "#c9a227", "bybit": "#9b6bdf", "hyperliquid": "#4f9de8", "okx": "#8a93a0", "htx": "#d973b5", "deribit": "#7fae3f",
}  # fmt: skip
"""The screen's colours on paper."""
RAMP = ("#f3e3d3", "#f6c28b", "#ee8f4a", "#d45a2a", "#a3311f", "#67161c", "#33071a")
"""Of heatmaps on a light ground, from little to much; even steps of lightness, so that it reads in grey."""
NIGHT = ("#2b1a22", "#561d2c", "#8c2a2c", "#c04a2a", "#e88a45", "#f5c07a", "#fdeec8")
"""The same on a dark ground: much is light."""


class Chart(NamedTuple):
    """A finished picture: its SVG, and what it shows in words."""

    name: str
    svg: str
    alt: str


def n(x: float) -> str:
    """Write a coordinate.

    >>> n(1.0), n(0.126), n(-0.0)
    ('1', '0.13', '0')
    """
    return f"{round(x, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def percent(share: float, digits: int = 0) -> str:
    """Write a share in percent.

    >>> percent(0.314), percent(0.0021), percent(-0.0312, 1)
    ('31 %', '0.2 %', '−3.1 %')
    """
    digits = digits or (1 if 0 < abs(share) < 0.0995 else 0)
    return f"{share * 100:.{digits}f} %".replace("-", "−")


class Sheet:
    """Elements in the order they were drawn, `height` high."""

    def __init__(self, height: float) -> None:
        self.height, self._parts = height, list[str]()

    def rect(self, x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> None:
        """Draw a filled rectangle; `kind` is a class such as f-long, or a colour #…."""
        fill = f' fill="{kind}"' if kind.startswith("#") else f' class="{kind}"'
        inside = f"<title>{escape(tip)}</title></rect>" if tip else "</rect>"
        self._parts.append(f'<rect x="{n(x)}" y="{n(y)}" width="{n(max(width, 0))}" height="{n(max(height, 0))}"{fill}>{inside}')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a line; `kind` is a class such as s-line."""
        self._parts.append(f'<line x1="{n(x1)}" y1="{n(y1)}" x2="{n(x2)}" y2="{n(y2)}" class="{kind}"/>')

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw a line through points."""
        if points:
            self._parts.append(f'<path d="M{"L".join(f"{n(x)} {n(y)}" for x, y in points)}" class="{kind}"/>')

    def dot(self, x: float, y: float, kind: str, radius: float = 4.0) -> None:
        """Draw a disc."""
        self._parts.append(f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(radius)}" class="{kind}"/>')

    def text(self, x: float, y: float, words: str, kind: str = "t", anchor: str = "start") -> None:
        """Write words on a baseline; classes: t usual, ts small, tb strong; `anchor` start, middle, end."""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text x="{n(x)}" y="{n(y)}" class="{kind}"{place}>{escape(words)}</text>')

    def svg(self, alt: str) -> str:
        """Return the drawing; the pattern is for what was not received, or is estimated."""
        defs = (
            '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<line x1="0" y1="0" x2="0" y2="6" class="s-hatch"/></pattern></defs>'
        )
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(WIDTH)} {n(self.height)}" role="img" aria-label="{escape(alt)}">'
        return f"{head}{defs}{''.join(self._parts)}</svg>"


def style(colours: dict[str, str] | None = None, fonts: str = "var(--sans)") -> str:
    """Return the rules of the classes: by custom properties of the page and for its drawings alone, or in fixed colours."""

    def c(name: str) -> str:
        return colours[name] if colours else f"var(--{name})"

    ramp = RAMP if colours else [f"var(--r{i})" for i in range(len(RAMP))]
    rules = [f".f-r{i}{{fill:{colour}}}" for i, colour in enumerate(ramp)]
    rules += [f".w{i}{{font-size:11px;fill:{inverse(RAMP[i]) if colours else f'var(--w{i})'}}}" for i in range(len(RAMP))]
    rules += [f".f-{name}{{fill:{c(name)}}}" for name in LIGHT]
    rules += [f".s-{name}{{stroke:{c(name)};fill:none;stroke-width:1}}" for name in LIGHT]
    rules += [
        f".t,.ts,.tb,.w{{font-family:{fonts};font-size:12px}}", f".t{{fill:{c('ink-2')}}}", f".ts{{font-size:11px;fill:{c('ink-3')}}}",
        f".tb{{font-weight:600;fill:{c('ink')}}}", ".tl{font-size:11px;fill:#14171b}", ".td{font-size:11px;fill:#ffffff}",
        f".s-price{{stroke:{c('ink')};fill:none;stroke-width:1.5;stroke-linejoin:round}}",
        f".s-broken{{stroke:{c('edge')};fill:none;stroke-width:1;stroke-dasharray:4 3}}",
        f".s-whisker{{stroke:{c('ink')};fill:none;stroke-width:1.25}}",
        f".f-wave{{fill:{c('long')};opacity:.16}}", f".f-wave-short{{fill:{c('short')};opacity:.16}}", ".f-hatch{fill:url(#hatch)}",
        f".s-hatch{{stroke:{c('hatch')};fill:none;stroke-width:2}}",
    ]  # fmt: skip
    return "".join(rules if colours else [f".report svg {rule.replace(',.', ',.report svg .')}" for rule in rules])


def inverse(colour: str) -> str:
    """Return black or white, whichever reads on a colour.

    >>> inverse("#f3e3d3"), inverse("#33071a")
    ('#14171b', '#ffffff')
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#14171b" if 0.3 * red + 0.59 * green + 0.11 * blue > 130 else "#ffffff"


def ramp_properties(ramp: Sequence[str]) -> str:
    """Write a ramp and what is written on it as custom properties."""
    return "".join(f"--r{i}:{colour};--w{i}:{inverse(colour)};" for i, colour in enumerate(ramp))


class Scale(NamedTuple):
    """From values to coordinates, straight."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.start + (value - self.low) / span * (self.end - self.start) if span else (self.start + self.end) / 2


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round values within [low, high].

    >>> ticks(0, 100, 5), ticks(-0.013, 0.02, 4)
    ([0.0, 20.0, 40.0, 60.0, 80.0, 100.0], [-0.01, 0.0, 0.01, 0.02])
    """
    if high <= low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = -floor(-low / step + 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, floor(high / step + 1e-9) + 1)]


def value_axis(sheet: Sheet, scale: Scale, left: float, right: float, write: Callable[[float], str], most: int = 5) -> None:
    """Rule a sheet across at round values and write them at its left edge."""
    for value in ticks(scale.low, scale.high, most):
        y = scale(value)
        sheet.line(left, y, right, y, "s-line" if value else "s-edge")
        sheet.text(left - 6, y + 4, write(value), "ts", "end")


def across(sheet: Sheet, scale: Scale, y: float, write: Callable[[float], str], most: int = 8) -> None:
    """Write round values of a scale along a foot, none cut by an edge."""
    for value in ticks(scale.low, scale.high, most):
        x = scale(value)
        sheet.text(min(x, WIDTH - 1), y, write(value), "ts", "middle" if x < WIDTH - 24 else "end")


def footer(sheet: Sheet, words: str, y: float) -> None:
    """Print source and coverage at the foot of a picture, over as many lines as they take."""
    for number, line in enumerate(wrapped(words, LINE)):
        sheet.text(0, y + 14 * number, line, "ts")


def wrapped(words: str, most: int) -> list[str]:
    """Cut words into lines of `most` characters."""
    lines, line = [], ""
    for word in words.split():
        if line and len(line) + 1 + len(word) > most:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def foot(words: str) -> float:
    """Height that a footer takes."""
    return 12 + 14 * len(wrapped(words, LINE))
