"""Levels and their words: Fear & Greed and its bands, volatility a day and a year, the real yield."""

import re
from collections.abc import Iterator, Sequence

from deleverage.analytics.sentiment import band
from deleverage.report.lint.extract import MONTHS
from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence
from deleverage.report.lint.quantities import Quantity, quantities

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
        text = INDEX.sub(lambda m: " " * len(m[0]), s.text).replace("i.e.", "i e ")
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
    if re.search(r"\b(?:out of|from|leav\w+|left|exit\w*|away from|escap\w+)\s+(?:the )?[“\"‘']?$", text[begin:start], re.I):
        return False
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
    is_threshold = bool(
        re.match(r"(?:below|above|under|over)\b", q.text)
        and re.search(r"\b(?:fell|dropped|rose|slipped|climbed|moved|went|stay\w*)\s*$", before)
    )
    return not is_threshold and not is_scale and not is_change and not is_date and not re.fullmatch(r"20\d\d", q.text)


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


IMPLIES = re.compile(
    r"\b(?:impl(?:y|ies|ied|ying) (?!vol)|translat\w+|equat\w+|mean\w*|suggest\w*|pric(?:es?|ed|ing) in|correspond\w*|equal\w*|equivalent"
    r"|amounts to|works out|expect\w*|i\.e\.)",
    re.I,
)


def volatility(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """DVOL and implied volatility are percent a year; a day is that over √365."""
    for s in sentences:
        if not re.search(r"\bDVOL\b|[Ii]mplied vol|[Vv]olatility index|\bIV\b|\bVolmex\b|\bBVIV\b", s.text):
            continue
        for match in re.finditer(
            r"\bDVOL\b[^.;]{0,40}?\b(?:at|of|to|near|around|was|is|in)\s+(?:about |around |roughly )?((?:\$\s?\d[\d.,]*)"
            r"|\d[\d.,]*\s?(?:USD|dollars))",
            s.text,
        ):
            yield judged(False, s.text, "volatility_unit", f"“{match[1]}”: the index is percent a year, not dollars", s.order)
        named = r"(?:DVOL|[Ii]mplied vol\w*|[Vv]olatility index|\bIV)\b[^;\d]{0,60}$"
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
                r"(?:daily|a day|per day|one-day|1-day|single-day|day's|24-hour)[^.;]{0,40}?(?P<a>\d+(?:\.\d+)?)\s?%"
                r"|(?P<b>\d+(?:\.\d+)?)\s?%\s?(?:\w+\s){0,3}?(?:a day|per day|daily|each day|one-day)",
                after,
            )
            if day and q.value > 5 and IMPLIES.search(s.text):
                written = day["a"] or day["b"]
                said, step = float(written), 0.5 * 10.0 ** -len(written.partition(".")[2])
                fits = [q.value / 365**0.5, q.value / 20, q.value / 252**0.5, q.value / 19]
                holds = any(abs(said - f) <= step + 0.03 * f for f in fits)
                yield judged(
                    holds, s.text, "volatility_unit", f"{q.value:g} / √365 = {q.value / 365**0.5:.2f} % a day, said {said:g} %", s.order
                )


def yields(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Real yield = nominal − breakeven."""
    for s in sentences:
        found: dict[str, Quantity] = {}
        for q in quantities(s.text):
            if q.kind != "share" or q.until is not None:
                continue
            before = re.split(r"[,;:()]|\b(?:and|minus|less|plus)\b", s.text[: q.start])[-1].lower()
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
