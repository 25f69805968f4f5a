"""What moved: the price with its waves and broken levels, funding by venue, open interest with its peak."""

from collections.abc import Sequence
from typing import NamedTuple

from deleverage.report.charts.canvas import WIDTH, Chart, Scale, Sheet, foot, footer, percent, value_axis
from deleverage.report.charts.clock import time_axis, words

LEFT, RIGHT = 58.0, WIDTH - 8
RESTING = 0.0001


class Band(NamedTuple):
    """A wave [start, end), ns UTC: its number, and whether longs were the larger side."""

    number: int
    start: int
    end: int
    is_long: bool


class Level(NamedTuple):
    """A level that broke, its price and why it was one."""

    price: float
    words: str


def price(
    points: Sequence[tuple[int, float]], bands: Sequence[Band], broken: Sequence[Level], start: int, end: int, what: str, source: str
) -> Chart:
    """The price as a line, waves as bands (ember: longs), broken levels dashed; a silence of a twentieth of the window is a gap."""
    height, top = 250.0, 26.0
    sheet = Sheet(height + top + 36 + foot(source))
    low, high = min(p for _, p in points), max(p for _, p in points)
    pad = (high - low) * 0.06 or high * 0.001
    x, y = Scale(start, end, LEFT, RIGHT), Scale(low - pad, high + pad, top + height, top)
    value_axis(sheet, y, LEFT, RIGHT, lambda v: f"{v:,.0f}" if high > 1000 else f"{v:,.4g}")
    edge = -1e9
    for band in bands:
        a, b = x(max(band.start, start)), x(min(band.end, end))
        sheet.rect(a, top, max(b - a, 2.5), height, "f-wave" if band.is_long else "f-wave-short")
        if a - edge > 14:
            sheet.text((a + max(b, a + 2.5)) / 2, top - 4, str(band.number), "ts", "middle")
            edge = a
    used: list[float] = []
    for level in broken:
        if low - pad < level.price < high + pad:
            at = y(level.price)
            sheet.line(LEFT, at, RIGHT, at, "s-broken")
            if all(abs(at - other) > 13 for other in used):
                sheet.text(RIGHT, at - 4, level.words, "ts halo", "end")
                used.append(at)
    longest = (end - start) / 20
    run: list[tuple[float, float]] = []
    for number, (at, value) in enumerate(points):
        if number and at - points[number - 1][0] > longest:
            _segment(sheet, run)
            run = []
        run.append((x(at), y(value)))
    _segment(sheet, run)
    time_axis(sheet, x, top + height)
    footer(sheet, source, top + height + 48)
    alt = f"{what} from {points[0][1]:,.0f} to {points[-1][1]:,.0f} USD, between {low:,.0f} and {high:,.0f}; {len(bands)} waves are marked."
    return Chart("price", sheet.svg(alt), alt)


def _segment(sheet: Sheet, run: list[tuple[float, float]]) -> None:
    if len(run) == 1:
        sheet.dot(*run[0], "f-ink", 1.5)
    else:
        sheet.path(run, "s-price")


class Rate(NamedTuple):
    """A rate per 8 h, and whether it still counts."""

    title: str
    rate: float
    is_stale: bool


def funding(rates: Sequence[Rate], weighted: float | None, source: str) -> Chart:
    """Rates per 8 h from zero: right of it longs pay shorts, left of it shorts pay longs; the resting rate is marked."""
    row, left, top = 26.0, 120.0, 36.0
    bottom = top + row * (len(rates) + (weighted is not None))
    sheet = Sheet(bottom + 24 + foot(source))
    values = [r.rate for r in rates] + [RESTING, 0.0] + ([weighted] if weighted is not None else [])
    pad = (max(values) - min(values)) * 0.12
    x = Scale(min(values) - (pad if min(values) < 0 else 0), max(values) + pad, left, WIDTH - 70)
    zero = x(0.0)
    if zero - left > 150:
        sheet.text(zero - 6, 11, "← shorts pay longs", "ts", "end")
    sheet.text(zero + 6, 11, "longs pay shorts →", "ts")
    sheet.line(x(RESTING), top - 8, x(RESTING), bottom, "s-broken")
    is_near = x(RESTING) >= WIDTH - 170
    sheet.text(x(RESTING) + (-4 if is_near else 4), top - 10, "rests at 0.01 %", "ts", "end" if is_near else "start")
    sheet.line(zero, top - 8, zero, bottom, "s-edge")
    lines = [(r.title, r.rate, "f-hatch" if r.is_stale else "f-ink-3") for r in rates]
    lines += [("weighted", weighted, "f-ink")] if weighted is not None else []
    for number, (title, rate, kind) in enumerate(lines):
        y = top + row * number
        sheet.text(0, y + 15, title, "tb")
        end = x(rate)
        sheet.rect(min(zero, end), y + 5, max(abs(end - zero), 1), 13, kind, f"{title}: {rate:.6%} per 8 h")
        words_at, anchor = (end + 5, "start") if rate >= 0 else (end - 5, "end")
        sheet.text(words_at, y + 15, f"{rate * 100:.4f} %".replace("-", "−"), "t", anchor)
    footer(sheet, source, bottom + 18)
    alt = "Funding per 8 h by venue: " + ", ".join(f"{title} {rate * 100:.4f} %" for title, rate, _ in lines) + "."
    return Chart("funding", sheet.svg(alt), alt)


def open_interest(points: Sequence[tuple[int, float | None]], coin: str, source: str) -> Chart:
    """Open interest in coins with its highest marked and what it is off it; incomplete hours are gaps."""
    height, top = 170.0, 16.0
    sheet = Sheet(height + top + 36 + foot(source))
    known = [(at, v) for at, v in points if v is not None]
    low, high = min(v for _, v in known), max(v for _, v in known)
    pad = (high - low) * 0.1 or high * 0.01
    x, y = Scale(points[0][0], points[-1][0], LEFT, RIGHT - 4), Scale(low - pad, high + pad, top + height, top)
    value_axis(sheet, y, LEFT, RIGHT, lambda v: f"{v / 1000:,.0f}k" if high > 10_000 else f"{v:,.0f}", 4)
    run: list[tuple[float, float]] = []
    for at, value in points:
        if value is None:
            _segment(sheet, run) if run else None
            run = []
        else:
            run.append((x(at), y(value)))
    _segment(sheet, run) if run else None
    peak_at, peak = max(known, key=lambda p: (p[1], -p[0]))
    last_at, last = known[-1]
    sheet.line(LEFT, y(peak), RIGHT, y(peak), "s-broken")
    sheet.dot(x(peak_at), y(peak), "f-ink", 3)
    sheet.dot(x(last_at), y(last), "f-ink", 3)
    text = f"highest shown {peak:,.0f} {coin}, {words(peak_at, '%-d %b %H:%M')}; now {percent(last / peak - 1, 1)} off it"
    sheet.text(RIGHT, y(peak) - 5, text, "ts", "end")
    time_axis(sheet, x, top + height)
    footer(sheet, source, top + height + 48)
    alt = f"Open interest in {coin}: {text}."
    return Chart("open-interest", sheet.svg(alt), alt)
