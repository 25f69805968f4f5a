"""What was liquidated: bars by venue, venue by time, and coins as a treemap."""

from collections.abc import Sequence
from typing import NamedTuple

from deleverage.figure import dollars
from deleverage.report.charts.canvas import RAMP, WIDTH, Chart, Scale, Sheet, foot, footer, percent, ticks
from deleverage.report.charts.clock import time_axis

NAMES = 176.0
MOST_BUCKETS = 96


class Bar(NamedTuple):
    """One venue: what was seen of longs and shorts, the interval of the estimate, its rule and the share received."""

    title: str
    long_usd: float
    short_usd: float
    low_usd: float | None
    high_usd: float | None
    is_bounded: bool
    rule: str
    coverage: float


def venues(bars: Sequence[Bar], source: str) -> Chart:
    """Long and short bars by venue from zero, the estimate as a whisker; an arrow where nothing bounds it."""
    row, left, right = 40.0, NAMES, WIDTH - 90
    sheet = Sheet(34 + row * len(bars) + 26 + foot(source))
    most = max([b.long_usd + b.short_usd for b in bars] + [b.high_usd or 0.0 for b in bars if b.is_bounded])
    most = max(most, *(1.12 * (b.low_usd or 0.0) for b in bars), 1.0)
    scale = Scale(0.0, most * 1.02, left, right)
    sheet.rect(left, 0, 10, 10, "f-long")
    sheet.text(left + 15, 9, "longs")
    sheet.rect(left + 62, 0, 10, 10, "f-short")
    sheet.text(left + 77, 9, "shorts")
    if any(b.high_usd or not b.is_bounded for b in bars):
        sheet.line(left + 132, 5, left + 152, 5, "s-whisker")
        sheet.text(left + 158, 9, "90 % interval of what feeds hid; an arrow: not bounded")
    bottom = 26 + row * len(bars)
    for value in ticks(0.0, most, 5):
        x = scale(value)
        sheet.line(x, 22, x, bottom, "s-line" if value else "s-edge")
        sheet.text(x, bottom + 14, dollars(value).replace(".00", ""), "ts", "middle")
    for number, bar in enumerate(bars):
        y = 28 + row * number
        sheet.text(0, y + 13, bar.title, "tb")
        sheet.text(0, y + 27, f"{bar.rule} · {percent(bar.coverage)} received", "ts")
        total = bar.long_usd + bar.short_usd
        parts = ((0.0, bar.long_usd, "long"), (bar.long_usd, total, "short"))
        for low, high, side in parts:
            tip = f"{bar.title}, {side}s: {dollars(high - low)} USD"
            sheet.rect(scale(low), y + 4, scale(high) - scale(low), 18, f"f-{side}", tip)
        end = scale(total)
        if bar.low_usd is not None:
            most_x = scale(bar.high_usd) if bar.is_bounded and bar.high_usd is not None else right - 6
            sheet.line(scale(bar.low_usd), y + 27, most_x, y + 27, "s-whisker")
            sheet.line(scale(bar.low_usd), y + 24, scale(bar.low_usd), y + 30, "s-whisker")
            if bar.is_bounded:
                sheet.line(most_x, y + 24, most_x, y + 30, "s-whisker")
            else:
                sheet.path([(most_x - 5, y + 23), (most_x, y + 27), (most_x - 5, y + 31)], "s-whisker")
        sheet.text(end + 6, y + 17, dollars(total), "tb")
    sheet.text(right + 86, bottom + 14, "USD", "ts", "end")
    footer(sheet, source, bottom + 34)
    said = ", ".join(f"{b.title} {dollars(b.long_usd + b.short_usd)} USD" for b in bars)
    alt = f"Bars of what was liquidated in the window by venue, longs and shorts: {said}."
    return Chart("venues", sheet.svg(alt), alt)


class Row(NamedTuple):
    """One venue's cells, None where nothing was being received."""

    title: str
    values: Sequence[float | None]


def heatmap(rows: Sequence[Row], start: int, bucket: int, source: str) -> Chart:
    """Venue by time: darker is more; hatched where nothing was being received."""
    row, left, right = 26.0, NAMES - 66, WIDTH - 4
    top = 30.0
    buckets = max((len(r.values) for r in rows), default=1)
    bottom = top + row * len(rows)
    sheet = Sheet(bottom + 36 + foot(source))
    most = max((v for r in rows for v in r.values if v), default=1.0)
    scale = Scale(start, start + bucket * buckets, left, right)
    width = (right - left) / buckets
    sheet.text(0, 11, "USD per cell", "ts")
    for number in range(len(RAMP)):
        sheet.rect(left + 58 * number, 0, 57, 15, f"f-r{number}")
        words = f"≤ {_short(most * (number + 1) ** 2 / len(RAMP) ** 2)}"
        sheet.text(left + 58 * number + 28.5, 11, words, f"w w{number}", "middle")
    sheet.rect(left + 58 * len(RAMP) + 14, 0, 18, 15, "f-hatch")
    sheet.text(left + 58 * len(RAMP) + 38, 11, "not received", "ts")
    for number, line in enumerate(rows):
        y = top + row * number
        sheet.text(0, y + 16, line.title, "tb")
        run = 0
        for index, value in enumerate([*line.values, 0.0]):  # what was not received is one stretch, not a hundred cells
            if value is None:
                run += 1
                continue
            if run:
                sheet.rect(left + (index - run) * width, y, run * width, row - 3, "f-hatch")
                run = 0
            if index < len(line.values):
                step = min(int((value / most) ** 0.5 * len(RAMP)), len(RAMP) - 1)
                sheet.rect(left + index * width, y, max(width - 0.6, 0.6), row - 3, f"f-r{step}" if value else "f-zero")
    time_axis(sheet, scale, bottom)
    footer(sheet, source, bottom + 48)
    alt = f"Liquidated notional by venue and time; the fullest cell holds {dollars(most)} USD. Hatched where nothing was received."
    return Chart("heatmap", sheet.svg(alt), alt)


def _short(usd: float) -> str:
    text = dollars(usd)
    head, _, tail = text.partition(" ")
    return f"{float(head):.3g} {tail}".strip() if tail else head


class Box(NamedTuple):
    """One coin: its notional, and the part of it that was long."""

    title: str
    usd: float
    long_share: float | None


def treemap(boxes: Sequence[Box], source: str) -> Chart:
    """Coins by size, largest first, with an explicit rest; the lower strip of a box is the long part."""
    height = 230.0
    sheet = Sheet(height + foot(source))
    whole = sum(b.usd for b in boxes) or 1.0
    for box, (x, y, w, h) in zip(boxes, _squares([b.usd for b in boxes], 0.0, 0.0, WIDTH, height), strict=True):
        sheet.rect(x + 1, y + 1, w - 2, h - 2, "f-zero", f"{box.title}: {dollars(box.usd)} USD")
        if box.long_share is not None:
            sheet.rect(x + 1, y + h - 7, (w - 2) * box.long_share, 6, "f-long")
            sheet.rect(x + 1 + (w - 2) * box.long_share, y + h - 7, (w - 2) * (1 - box.long_share), 6, "f-short")
        if w > 52 and h > 30:
            sheet.text(x + 8, y + 18, box.title, "tb")
        if w > 84 and h > 46:
            sheet.text(x + 8, y + 33, f"{dollars(box.usd)} · {percent(box.usd / whole)}", "ts")
    footer(sheet, source, height + 18)
    alt = "Coins by liquidated notional: " + ", ".join(f"{b.title} {dollars(b.usd)} USD" for b in boxes) + "."
    return Chart("coins", sheet.svg(alt), alt)


def _squares(sizes: Sequence[float], x: float, y: float, width: float, height: float) -> list[tuple[float, float, float, float]]:
    """Lay out areas, largest first, as near to squares as rows allow (Bruls, Huizing and van Wijk 2000)."""
    found: list[tuple[float, float, float, float]] = []
    left = list(sizes)
    whole = sum(left) or 1.0
    area = width * height
    while left:
        short = min(width, height)
        if short <= 0:
            return [*found, *((x, y, 0.0, 0.0) for _ in left)]
        row: list[float] = []
        best = float("inf")
        while left:
            trial = [*row, left[0] / whole * area]
            thick = sum(trial) / short
            worst = max(max(thick * thick / a, a / (thick * thick)) if a else 1e9 for a in trial)
            if row and worst > best:
                break
            row, best = trial, worst
            left.pop(0)
        thick, along = sum(row) / short, 0.0
        for a in row:
            long = a / thick if thick else 0.0
            found.append((x, y + along, thick, long) if width >= height else (x + along, y, long, thick))
            along += long
        if width >= height:
            x, width = x + thick, width - thick
        else:
            y, height = y + thick, height - thick
    return found
