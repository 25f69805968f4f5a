"""Options and the outside world: smiles, dealers' gamma by price, sentiment, fund flows, yields and the dollar."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from deleverage.figure import dollars
from deleverage.report.charts.canvas import WIDTH, Chart, Scale, Sheet, across, foot, footer, value_axis
from deleverage.report.charts.clock import time_axis, words

LEFT, RIGHT = 58.0, WIDTH - 8
DAY = 86_400 * 1_000_000_000
Points = Sequence[tuple[float, float]]


class Smile(NamedTuple):
    """One expiry: the fitted curve and the quotes it was fitted to, both (strike, volatility)."""

    title: str
    curve: Points
    quotes: Points


KINDS = ("ink", "long", "short")


def smiles(found: Sequence[Smile], spot: float, source: str) -> Chart:
    """Implied volatility by strike, a curve through the quotes of up to three expiries."""
    height, top = 210.0, 22.0
    sheet = Sheet(height + top + 40 + foot(source))
    every = [p for s in found for p in s.curve]
    strikes, vols = [k for k, _ in every], [v for _, v in every]
    pad = (max(vols) - min(vols)) * 0.08 or 0.01
    x, y = Scale(min(strikes), max(strikes), LEFT, RIGHT), Scale(max(min(vols) - pad, 0), max(vols) + pad, top + height, top)
    value_axis(sheet, y, LEFT, RIGHT, lambda v: f"{v * 100:.0f} %")
    sheet.line(x(spot), top, x(spot), top + height, "s-broken")
    sheet.text(x(spot) + 4, top + 11, f"spot {spot:,.0f}", "ts")
    at = LEFT
    for smile, hue in zip(found, ("ink", "deribit", "bybit"), strict=False):
        for k, v in smile.quotes:
            if x.low <= k <= x.high and y.low <= v <= y.high:
                sheet.dot(x(k), y(v), f"f-{hue}", 1.8)
        sheet.path([(x(k), y(v)) for k, v in smile.curve], f"s-{hue}")
        sheet.rect(at, 2, 12, 4, f"f-{hue}")
        sheet.text(at + 17, 10, smile.title)
        at += 34 + 6.8 * len(smile.title)
    across(sheet, x, top + height + 15, lambda v: f"{v:,.0f}")
    sheet.text(RIGHT, top + height + 30, "strike, USD", "ts", "end")
    footer(sheet, source, top + height + 46)
    alt = "Implied volatility by strike: " + ", ".join(s.title for s in found) + "; lower strikes to the left."
    return Chart("smiles", sheet.svg(alt), alt)


class Curve(NamedTuple):
    """One convention: USD that dealers must sell per rise of 1 %, by price."""

    title: str
    points: Points


def gamma(found: Sequence[Curve], spot: float, source: str) -> Chart:
    """Dealers' gamma by price under every convention; below zero they buy into a rise and sell into a fall."""
    height, top = 190.0, 22.0
    sheet = Sheet(height + top + 40 + foot(source))
    every = [p for c in found for p in c.points]
    x = Scale(min(k for k, _ in every), max(k for k, _ in every), LEFT, RIGHT)
    low, high = min(0.0, *(v for _, v in every)), max(0.0, *(v for _, v in every))
    y = Scale(low - (high - low) * 0.05, high + (high - low) * 0.05, top + height, top)
    value_axis(sheet, y, LEFT, RIGHT, lambda v: dollars(v).replace(".00", "").replace("-", "−"))
    sheet.line(x(spot), top, x(spot), top + height, "s-broken")
    sheet.text(x(spot) + 4, top + 11, f"spot {spot:,.0f}", "ts")
    at = LEFT
    for curve, hue in zip(found, ("ink", "bybit", "deribit"), strict=False):
        sheet.path([(x(k), y(v)) for k, v in curve.points], f"s-{hue}")
        sheet.rect(at, 2, 12, 4, f"f-{hue}")
        sheet.text(at + 17, 10, curve.title)
        at += 34 + 6.8 * len(curve.title)
    across(sheet, x, top + height + 15, lambda v: f"{v:,.0f}")
    sheet.text(RIGHT, top + height + 30, "price, USD", "ts", "end")
    footer(sheet, source, top + height + 46)
    alt = "Dealers' gamma by price: " + ", ".join(f"{c.title}" for c in found) + ", USD to sell per rise of 1 %."
    return Chart("gamma", sheet.svg(alt), alt)


BANDS = ((0, 24.5, "extreme fear"), (24.5, 44.5, "fear"), (44.5, 54.5, "neutral"), (54.5, 74.5, "greed"), (74.5, 100, "extreme greed"))


def sentiment(points: Sequence[tuple[int, float]], source: str) -> Chart:
    """The index by day with its bands."""
    height, top = 150.0, 8.0
    sheet = Sheet(height + top + 36 + foot(source))
    x, y = Scale(points[0][0], points[-1][0], LEFT, RIGHT - 82), Scale(0, 100, top + height, top)
    for low, high, name in BANDS:
        if name in ("extreme fear", "extreme greed"):
            sheet.rect(LEFT, y(high), RIGHT - 82 - LEFT, y(low) - y(high), "f-zero")
        sheet.text(RIGHT - 76, (y(low) + y(high)) / 2 + 4, name, "ts")
    for value in (0, 25, 50, 75, 100):
        sheet.line(LEFT, y(value), RIGHT - 82, y(value), "s-line")
        sheet.text(LEFT - 6, y(value) + 4, str(value), "ts", "end")
    sheet.path([(x(at), y(v)) for at, v in points], "s-price")
    sheet.dot(x(points[-1][0]), y(points[-1][1]), "f-ink", 3.5)
    time_axis(sheet, x, top + height)
    footer(sheet, source, top + height + 36)
    alt = f"The index by day from {words(points[0][0], '%-d %B %Y')}; last {points[-1][1]:.0f}."
    return Chart("sentiment", sheet.svg(alt), alt)


def flows(days: Sequence[tuple[int, float, bool]], source: str) -> Chart:
    """Net flow by trading day from zero; hatched where provisional."""
    height, top = 170.0, 8.0
    sheet = Sheet(height + top + 36 + foot(source))
    values = [v for _, v, _ in days]
    low, high = min(0.0, *values), max(0.0, *values)
    x = Scale(days[0][0] - DAY, days[-1][0] + DAY, LEFT, RIGHT)
    y = Scale(low - (high - low) * 0.04, high + (high - low) * 0.04, top + height, top)
    value_axis(sheet, y, LEFT, RIGHT, lambda v: dollars(v).replace(".00", "").replace("-", "−"))
    width = max(min((RIGHT - LEFT) / ((days[-1][0] - days[0][0]) / DAY + 2) * 0.8, 14), 1.5)
    for at, value, provisional in days:
        tip = f"{words(at, '%-d %B %Y')}: {dollars(value)} USD"
        sheet.rect(x(at) - width / 2, min(y(0), y(value)), width, abs(y(value) - y(0)), "f-hatch" if provisional else "f-ink-3", tip)
    time_axis(sheet, x, top + height)
    footer(sheet, source, top + height + 36)
    alt = f"Net flow by trading day, USD; last {dollars(values[-1])}, outflows below zero."
    return Chart("flows", sheet.svg(alt), alt)


class Series(NamedTuple):
    """One economic series: (instant, value) by day, and how its values are written."""

    title: str
    points: Sequence[tuple[int, float]]
    write: Callable[[float], str]


def macro(found: Sequence[Series], source: str) -> Chart:
    """Small multiples of a year, each on its own scale, the last value marked."""
    columns = min(len(found), 2)
    rows = -(-len(found) // columns)
    width, height = (WIDTH - 24 * (columns - 1)) / columns, 130.0
    sheet = Sheet(rows * (height + 44) + foot(source))
    for number, series in enumerate(found):
        left, top = (number % columns) * (width + 24) + 44, (number // columns) * (height + 44) + 20
        right = left + width - 44
        values = [v for _, v in series.points]
        pad = (max(values) - min(values)) * 0.1 or abs(values[-1]) * 0.01 or 1.0
        x = Scale(series.points[0][0], series.points[-1][0], left, right - 6)
        y = Scale(min(values) - pad, max(values) + pad, top + height - 20, top)
        sheet.text(left - 44, top - 7, f"{series.title} · {series.write(values[-1])}", "tb")
        value_axis(sheet, y, left, right, series.write, 3)
        sheet.path([(x(at), y(v)) for at, v in series.points], "s-price")
        sheet.dot(x(series.points[-1][0]), y(values[-1]), "f-ink", 3)
        time_axis(sheet, x, top + height - 20, 4)
    footer(sheet, source, rows * (height + 44) + 12)
    alt = "; ".join(f"{s.title}: last {s.write(s.points[-1][1])}" for s in found) + "."
    return Chart("macro", sheet.svg(alt), alt)
