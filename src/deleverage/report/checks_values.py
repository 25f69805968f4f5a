"""Levels and their words: Fear & Greed and its bands, volatility, ranges, changes, yearly rates, flows, fractions, ranks, dates."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from deleverage.analytics.sentiment import band
from deleverage.report.extract import DATE, MONTHS, window_hours
from deleverage.report.finding import Finding, amount, judged
from deleverage.report.markdown import Sentence
from deleverage.report.quantities import Quantity, quantities

INDEX = re.compile(r"\bfear\s*(?:&|and|&amp;|-and-|/)\s*greed\b(?: index)?|\bF&G\b|\bFGI\b|\bsentiment (?:index|gauge|reading)\b", re.I)
BAND = re.compile(
    r"\b(extreme(?:ly)? (?:fear(?:ful)?|greed(?:y)?)|(?<!extreme )(?<!extremely )(?:fear(?:ful)?|greed(?:y)?|neutral))\b", re.I
)


def fear_and_greed(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A value of the index and its word, nearest to each other within the sentence (or the one behind)."""
    for i, s in enumerate(sentences):
        named = INDEX.search(s.text)
        if not named:
            continue
        text = INDEX.sub(lambda m: " " * len(m[0]), s.text)
        values = [q for q in quantities(text) if q.kind in ("number", "points") and _is_level(text, q)]
        words = [(m.start(), m[1].lower()) for m in BAND.finditer(text)]
        whole = s.text
        if values and not words and i + 1 < len(sentences) and sentences[i + 1].block == s.block and not quantities(sentences[i + 1].text):
            follow = sentences[i + 1].text
            if not INDEX.search(follow) and re.match(r"(?:That|This|It|The (?:index|gauge|reading))\b", follow):
                words = [(len(text) + m.start(), m[1].lower()) for m in BAND.finditer(follow)]
                whole = f"{s.text} {follow}"
        for q in values:
            if not 0 <= q.value <= 100 and q.value < 1000:
                yield judged(False, whole, "fear_greed_band", f"{q.value:g} is outside 0–100", s.order)
        for start, word in words:
            if not values:
                yield Finding(whole, "not_checkable", "fear_greed_band", f"“{word}” without its value", s.order)
                break
            if not _is_of_value(text, values, start):
                continue
            near = _nearest(text, values, start, len(words))
            if near is None or not 0 <= near.value <= 100:
                continue
            said = re.sub(r"extremely", "extreme", re.sub(r"greedy$", "greed", re.sub(r"fearful$", "fear", word)))
            ends = {band(near.value), band(near.until.value) if near.until and 0 <= near.until.value <= 100 else band(near.value)}
            shown = near.text.strip()
            yield judged(ends == {said}, whole, "fear_greed_band", f"{shown} is {' to '.join(sorted(ends))}, said {said}", s.order)


def _is_of_value(text: str, values: Sequence[Quantity], start: int) -> bool:
    """Whether a band's word stands in a clause with a value, and is not of another time."""
    clauses = [(m.start(), m.end()) for m in re.finditer(r"[^;.!?]+", text)]
    begin, end = next(((a, b) for a, b in clauses if a <= start < b), (0, len(text)))
    if not any(begin <= q.start < end for q in values) and any(a <= q.start < b for q in values for a, b in clauses):
        return False
    comma = max(text.rfind(",", 0, start), text.rfind(" and ", 0, start), begin)
    close = min((i for i in (text.find(",", start), text.find(" and ", start), end) if i >= 0), default=end)
    has_own = any(comma <= q.start < close for q in values)
    return has_own or not re.search(r"\b(?:ago|before|earlier|last (?:week|month|year)|previous)\b", text[comma:close])


def _is_level(text: str, q: Quantity) -> bool:
    behind, before = text[q.end : q.end + 18], text[max(0, q.start - 22) : q.start]
    is_scale = bool(re.search(r"(?:/|out of |of )\s?$", before)) and q.value == 100
    is_change = q.kind == "points" and bool(re.search(r"\b(?:by|fell|rose|dropped|up|down|lost|gained)\s*$", before))
    is_date = bool(
        re.search(rf"(?:{MONTHS})\s*$", before) or re.match(rf"\s*(?:{MONTHS})\b|(?:st|nd|rd|th)\b|-?\s?(?:day|week|month|year)", behind)
    )
    return not is_scale and not is_change and not is_date and not re.fullmatch(r"20\d\d", q.text)


def _nearest(text: str, values: Sequence[Quantity], start: int, words: int) -> Quantity | None:
    if len(values) == 1 and words == 1:
        between = text[min(values[0].end, start) : max(values[0].end, start)]
        return None if re.search(r"\b(?:ago|before|earlier|last|previous)\b", between) else values[0]

    def far(q: Quantity) -> float:
        gap = text[q.end : start] if q.end <= start else text[start : q.start]
        cut = (
            60 * len(re.findall(r"[,;.]|\bfrom\b|\band\b|\bwhile\b|\bcompared\b|\bversus\b|\bto\b", gap))
            if q.end > start
            else 30 * len(re.findall(r"[;.]|\bfrom\b|\band\b|\bto\b", gap))
        )
        return len(gap) + cut

    return min(values, key=far)


def volatility(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """DVOL and implied volatility are percent a year; a day is that over √365."""
    for s in sentences:
        if not re.search(r"\bDVOL\b|implied vol|volatility index|\bIV\b|\bVolmex\b|\bBVIV\b", s.text):
            continue
        for match in re.finditer(
            r"\bDVOL\b[^.;]{0,40}?\b(?:at|of|to|near|around|was|is|in)\s+(?:about |around |roughly )?((?:\$\s?\d[\d.,]*)"
            r"|\d[\d.,]*\s?(?:USD|dollars))",
            s.text,
        ):
            yield judged(False, s.text, "volatility_unit", f"“{match[1]}”: the index is percent a year, not dollars", s.order)
        named = r"(?:DVOL|implied vol\w*|volatility index|\bIV)\b[^;\d]{0,60}$"
        levels = [q for q in quantities(s.text) if q.kind in ("share", "number", "points") and re.search(named, s.text[: q.start])]
        for q in levels[:1]:
            after = s.text[q.end :]
            if (
                q.kind == "share"
                and q.value < 3
                and not re.search(r"\b(?:rose|fell|up|down|gained|lost|by|change\w*)\s*$", s.text[: q.start])
                and not re.match(r"[^.;]{0,20}\b(?:daily|a day|per day|move)", after)
            ):
                yield judged(
                    False,
                    s.text,
                    "volatility_unit",
                    f"{q.text}: an index of {q.value:g} % a year is no market's; a fraction was printed as percent",
                    s.order,
                )
            day = re.search(
                r"(?:daily|a day|per day|one-day|day's|24-hour)[^.;]{0,40}?(?P<a>\d+(?:\.\d+)?)\s?%"
                r"|(?P<b>\d+(?:\.\d+)?)\s?%\s?(?:\w+\s){0,3}?(?:a day|per day|daily|each day|one-day)",
                after,
            )
            if day and q.value > 5:
                written = day["a"] or day["b"]
                said, step = float(written), 0.5 * 10.0 ** -len(written.partition(".")[2])
                fits = [q.value / 365**0.5, q.value / 20, q.value / 252**0.5, q.value / 19]
                holds = any(abs(said - f) <= step + 0.03 * f for f in fits)
                yield judged(
                    holds, s.text, "volatility_unit", f"{q.value:g} / √365 = {q.value / 365**0.5:.2f} % a day, said {said:g} %", s.order
                )


UP = re.compile(
    r"\b(?:rose|risen|rising|climb\w*|rebound\w*|recover\w*|rall\w+|jump\w*|surg\w+|increas\w+|gained|advanc\w+|bounc\w+"
    r"|grew|up|higher)\b",
    re.I,
)
DOWN = re.compile(
    r"\b(?:fell|fallen|falling|drop\w*|declin\w+|slid\w*|plung\w+|tumbl\w+|sank|decreas\w+|crash\w*|slump\w*|retreat\w*"
    r"|shrank|down|lower|compress\w*|eas(?:ed|ing))\b",
    re.I,
)
FROM_TO = re.compile(r"\bfrom\s+(?P<f>.{1,42}?)\s+to\s+(?P<t>.{1,40})", re.I)
TO_FROM = re.compile(r"\bto\s+(?P<t>.{1,40}?)\s+from\s+(?P<f>.{1,42})", re.I)


def changes(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """What rose ends higher, what fell lower, by the percent that is named."""
    for s in sentences:
        for clause in re.split(r";|\bwhile\b|\bwhereas\b|\bbut\b", s.text):
            for pattern in (FROM_TO, TO_FROM):
                match = pattern.search(clause)
                if match:
                    yield from _change(s, clause, match)
                    break


def _change(s: Sentence, clause: str, match: re.Match[str]) -> Iterator[Finding]:
    def first(group: str) -> Quantity | None:
        found = [
            q
            for q in quantities(clause)
            if match.start(group) - 8 <= q.start <= match.start(group) + 28
            and q.end <= match.end(group) + 12
            and q.end > match.start(group)
        ]
        return found[0] if found else None

    start, end = first("f"), first("t")
    before = clause[: match.start()]
    if start is None or end is None or start.kind != end.kind or start.start == end.start or start.until or end.until:
        return
    verb = [(m.start(), 1, m[0]) for m in UP.finditer(before)] + [(m.start(), -1, m[0]) for m in DOWN.finditer(before)]
    verb = [v for v in verb if len(before) - v[0] < 70]
    if verb:
        _, sign, word = max(verb)
        holds = (end.high >= start.low) if sign > 0 else (end.low <= start.high)
        moved = holds and not (start.value == end.value and start.step == end.step)
        yield judged(moved, s.text, "direction", f"“{word}” from {amount(start)} to {amount(end)}", s.order)
    said = [
        q for q in quantities(clause) if q.kind == "share" and q.start not in (start.start, end.start) and abs(q.start - match.start()) < 90
    ]
    if (
        len(said) == 1
        and not re.search(r"\b(?:down|up) from\b", clause)
        and start.kind in ("price", "money")
        and start.value > 0
        and not re.search(r"annual|a year|share|account", clause, re.I)
    ):
        values = [100 * (e / b - 1) for b in (start.low, start.high) for e in (end.low, end.high) if b > 0]
        q = said[0]
        size = (min(abs(v) for v in values), max(abs(v) for v in values))
        exact = 100 * (end.value / start.value - 1)
        holds = q.within(*size) if not q.is_signed else q.within(min(values), max(values))
        yield judged(holds, s.text, "percent_change", f"{amount(end)} / {amount(start)} − 1 = {exact:+.2f} %, said {q.text}", s.order)


def ranges(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A range begins at its lower end; a low is not above the high of the same sentence."""
    for s in sentences:
        for q in quantities(s.text):
            if q.until is not None and q.kind in ("price", "money"):
                holds = q.low <= q.until.high or (q.value < 0 and q.until.value < 0)
                descending = re.search(r"\b(?:pocket|zone|support|down|low|slide|drop|fell|fall)\w*", s.text, re.I)
                if not holds and not (descending and q.kind == "price"):
                    yield judged(False, s.text, "price_range", f"from {amount(q)} to {amount(q.until)} runs backwards", s.order)
        low = re.search(r"\blow(?:s)? (?:of|at|near|around|was|:)?\s*(?:about |around |near )?(\$?\d[\d.,]*\d\s?k?)", s.text, re.I)
        high = re.search(
            r"(?<!all-time )\bhigh(?:s)? (?:of|at|near|around|was|:)?\s*(?:about |around |near )?(\$?\d[\d.,]*\d\s?k?)", s.text, re.I
        )
        if low and high:
            a, b = quantities(low[1]), quantities(high[1])
            if a and b and a[0].kind == b[0].kind:
                yield judged(a[0].low <= b[0].high, s.text, "price_range", f"low {amount(a[0])}, high {amount(b[0])}", s.order)


def yearly_funding(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A funding rate of an interval against its rate a year."""
    rate = re.compile(
        r"(?P<r>[-−+]?\d*\.?\d+)\s?%\s?(?:per|every|each|an?|/|over|for)?\s?(?:(?P<n>\d+|eight|four|one)[- ]?)?(?P<u>h\b"
        r"|hours?\b|hourly)",
        re.I,
    )
    year = re.compile(
        r"(?P<y>[-−+]?\d+(?:\.\d+)?)\s?%\s?(?:\w+\s){0,2}?(?P<w>annuali[sz]ed|a year|per year|per annum|APR|APY|annually)"
        r"|annuali[sz]\w*\s(?:\w+\s){0,3}?(?P<y2>[-−+]?\d+(?:\.\d+)?)\s?%",
        re.I,
    )
    for s in sentences:
        a, b = rate.search(s.text), year.search(s.text)
        if not a or not b or not re.search(r"funding|perp", s.text, re.I):
            continue
        hours = {"eight": 8.0, "four": 4.0, "one": 1.0}.get((a["n"] or "1").lower()) or float(a["n"] or 1)
        value, written = float(a["r"].replace("−", "-")), (b["y"] or b["y2"]).replace("−", "-")
        step = 0.5 * 10.0 ** -len(a["r"].partition(".")[2])
        said, grain = float(written), 0.5 * 10.0 ** -len(written.partition(".")[2])
        simple, compound = value * 8760 / hours, 100 * ((1 + value / 100) ** (8760 / hours) - 1)
        slack = grain + min(step * 8760 / hours, 0.05 * abs(simple)) + 1e-9
        holds = min(abs(said - simple), abs(said - compound)) <= slack
        yield judged(
            holds,
            s.text,
            "funding_annual",
            f"{value:g} % × 8760 h / {hours:g} h = {simple:.2f} % ({compound:.2f} % compounded), said {said:g} %",
            s.order,
        )


def flows(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Outflows are negative, inflows positive."""
    out = re.compile(
        r"\b(?:net )?outflows? (?:of|at|was|were|reached|totall?ed|hit)\s+(?:about |nearly "
        r"|over )?(\+\s?\$?\d[\d.,]*)",
        re.I,
    )
    into = re.compile(
        r"\b(?:net )?inflows? (?:of|at|was|were|reached|totall?ed|hit)\s+(?:about |nearly |over )?([-−]\s?\$?\d[\d.,]*)", re.I
    )
    for s in sentences:
        for pattern, word in ((out, "outflow"), (into, "inflow")):
            if match := pattern.search(s.text):
                yield judged(False, s.text, "flow_sign", f"an {word} of {match[1]}", s.order)


def yields(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Real yield = nominal − breakeven."""
    for s in sentences:
        found: dict[str, Quantity] = {}
        for q in quantities(s.text):
            if q.kind != "share" or q.until is not None:
                continue
            before = re.split(r"[,;()]|\band\b", s.text[: q.start])[-1].lower()
            name = (
                "breakeven"
                if re.search(r"breakeven|inflation", before)
                else "real"
                if "real" in before or "tips" in before
                else "nominal"
                if re.search(r"nominal|10-year|ten-year|treasury", before)
                else ""
            )
            if name:
                found.setdefault(name, q)
        if len(found) == 3:
            low = found["nominal"].low - found["breakeven"].high - 0.005
            high = found["nominal"].high - found["breakeven"].low + 0.005
            values = {name: q.value for name, q in found.items()}
            difference = f"{values['nominal']:g} − {values['breakeven']:g} = {values['nominal'] - values['breakeven']:.2f}"
            words = f"{difference}, said {values['real']:g}"
            yield judged(found["real"].within(low, high), s.text, "real_yield", words, s.order)


def calendar(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Dates exist and fall on the weekday that is named."""
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    for s in sentences:
        for m in DATE.finditer(s.text):
            month = next((i for i, name in enumerate(MONTHS.split("|"), 1) if (m["m"] or m["m2"] or "").startswith(name[:3])), 0)
            for day in filter(None, (m["d"], m["d2"], m["d3"], m["d4"])):
                if (month and int(day) > (29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31)) or (month and int(day) == 0):
                    yield judged(False, s.text, "calendar", f"there is no {m[0]}", s.order)
                    break
            else:
                weekday = re.search(rf"\b({'|'.join(days)}),?\s*(?:the )?$", s.text[: m.start()])
                if weekday and m["y"] and month and not (m["d3"] or m["d4"]):
                    try:
                        actual = days[date(int(m["y"]), month, int(m["d"] or m["d2"])).weekday()]
                    except ValueError:
                        yield judged(False, s.text, "calendar", f"there is no {m[0]}", s.order)
                        continue
                    yield judged(actual == weekday[1], s.text, "calendar", f"{m[0]} is a {actual}", s.order)


def unequal_windows(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Amounts of two windows held against each other."""
    against = re.compile(
        r"\b(?:compar\w+ (?:with|to)|versus|vs\.?|against|more than (?!\W?\d)|than|up from|down from|exceed\w*|double|twice"
        r"|outpac\w+|surpass\w*|dwarf\w*)\b",
        re.I,
    )
    for s in sentences:
        found = [q for q in quantities(s.text) if q.kind in ("money", "coin")]
        match = against.search(s.text)
        if not match or len(found) < 2 or re.search(r"\b(?:entire|whole|combined|all of)\b", s.text, re.I):
            continue
        left, right = window_hours(s.text[: match.start()]), window_hours(s.text[match.start() :])
        if (
            left
            and right
            and not (set(left) & set(right))
            and any(q.start > match.start() for q in found)
            and any(q.start < match.start() for q in found)
        ):
            yield judged(False, s.text, "equal_windows", f"{left[-1]:g} h held against {right[0]:g} h", s.order)
        elif left and right:
            yield judged(
                True,
                s.text,
                "equal_windows",
                f"both over {(set(left) & set(right)).pop():g} h" if set(left) & set(right) else "one window",
                s.order,
            )


def levels_and_words(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Every check of this file."""
    for check in (fear_and_greed, volatility, changes, ranges, yearly_funding, flows, yields, calendar, unequal_windows):
        yield from check(sentences)
