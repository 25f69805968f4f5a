"""Time along the foot of a chart, UTC."""

from datetime import UTC, datetime

from deleverage.report.charts.canvas import WIDTH, Scale, Sheet

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = (MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY)


def words(at: int, form: str) -> str:
    """Write an instant (ns UTC) by a form of strftime; names of months are English whatever the locale."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    months = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
    form = form.replace("%B", months[moment.month - 1]).replace("%b", months[moment.month - 1][:3]).replace("%-d", str(moment.day))
    return moment.strftime(form)


def time_axis(sheet: Sheet, scale: Scale, y: float, most: int = 8) -> None:
    """Mark round hours or days (or months) below `y`; the scale's values are ns UTC."""
    low, high = int(scale.low), int(scale.high)
    span = (high - low) / SECOND
    step = next((s for s in STEPS if span / s <= most), 0)
    marks: list[int] = []
    if step:
        first = -(-low // (step * SECOND))
        marks = [i * step * SECOND for i in range(first, high // (step * SECOND) + 1)]
    else:
        each = next(m for m in (1, 2, 3, 6, 12) if span / (30 * DAY * m) <= most)
        begin = datetime.fromtimestamp(low // SECOND, UTC)
        for number in range(begin.year * 12, begin.year * 12 + 12 * 12):
            at = int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * SECOND
            if low <= at <= high and number % each == 0:
                marks.append(at)
    before = ""
    for at in marks:
        x = scale(at)
        sheet.line(x, y, x, y + 4, "s-edge")
        day = words(at, "%-d %b") if step else words(at, "%b %Y")
        hour = words(at, "%H:%M") if step and step < DAY else day
        place, anchor = (x, "middle") if x < WIDTH - 22 else (WIDTH - 1, "end")
        sheet.text(place, y + 16, hour, "ts", anchor)
        if step and step < DAY and day != before:
            sheet.text(place, y + 29, day, "ts", anchor)
        before = day
