"""Who pays funding, by its sign, and what a rate of an interval is a year."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.lint.extract import DENIED
from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence

_ADVERB = (
    r"(?:\s+(?:\w+ly|still|now|being|getting|currently|again|mostly|effectively|in effect|once again|also|therefore|thus"
    r"|then|instead|just))*"
)
LONGS = (
    r"(?:the )?(?:longs|long (?:positions?|holders?|traders?|side)|long[- ]side traders|bulls|those (?:who are )?long"
    r"|traders who are long|holders of longs?|bull(?:ish)? traders|buyers)"
)
SHORTS = (
    r"(?:the )?(?:shorts|short (?:positions?|sellers?|holders?|traders?|side)|bears|those (?:who are )?short|traders who are short"
    r"|anyone short|bear(?:ish)? traders)"
)
LONGS_RECEIVE = re.compile(
    rf"\b{LONGS}\b(?:\s+(?:are|were|is|was|get|got|have been|had been|being))+{_ADVERB}\s+(?:paid|compensated|rewarded|subsidi[sz]ed)\b"
    rf"|\b{LONGS}(?:\s+(?:are|were|have been|will|would|can))?{_ADVERB}\s+(?:get|got|receiv\w+|collect\w*|earn\w*"
    rf"|pocket\w*)\b(?!\s+(?:liquidat|squeez|wiped|hit|stopped|burn|loss|attention))"
    rf"|\b{SHORTS}{_ADVERB}(?:\s+(?:are|were|is|was|have been|had to|have to|must|would|will))?{_ADVERB}\s+(?:pay|pays|paid"
    rf"|paying)\b(?!\s+by)(?:\s+(?:\w+\s+){{0,4}}?{LONGS}\b)"
    rf"|\b{SHORTS}{_ADVERB}(?:\s+(?:are|were|have been))?{_ADVERB}\s+(?:pay|pays|paying)\b(?!\s+(?:by|attention))(?!.{{0,20}}\b{SHORTS})"
    rf"|\b(?:pay(?:s|ing)?|paid|compensat\w+|reward(?:s|ed|ing)?|subsidi[sz]\w+)\s+(?:to\s+)?(?:the )?{LONGS}\b"
    rf"|\bfrom {SHORTS} to {LONGS}\b|\b{LONGS} (?:(?:are|were|being) )+paid\b|\bpaid to (?:be|stay|hold|go|remain) long",
    re.I,
)  # fmt: skip
SHORTS_RECEIVE = re.compile(
    rf"\b{SHORTS}\b(?:\s+(?:are|were|is|was|get|got|have been|had been|being))+{_ADVERB}\s+(?:paid|compensated|rewarded|subsidi[sz]ed)\b"
    rf"|\b{SHORTS}(?:\s+(?:are|were|have been|will|would|can))?{_ADVERB}\s+(?:get|got|receiv\w+|collect\w*|earn\w*"
    rf"|pocket\w*)\b(?!\s+(?:liquidat|squeez|wiped|hit|stopped|burn|loss|attention))"
    rf"|\b{LONGS}{_ADVERB}(?:\s+(?:are|were|is|was|have been|had to|have to|must|would|will))?{_ADVERB}\s+(?:pay|pays|paid"
    rf"|paying)\b(?!\s+by)(?:\s+(?:\w+\s+){{0,4}}?{SHORTS}\b)"
    rf"|\b{LONGS}{_ADVERB}(?:\s+(?:are|were|have been))?{_ADVERB}\s+(?:pay|pays|paying)\b(?!\s+(?:by|attention))(?!.{{0,20}}\b{LONGS})"
    rf"|\b(?:pay(?:s|ing)?|paid|compensat\w+|reward(?:s|ed|ing)?|subsidi[sz]\w+)\s+(?:to\s+)?(?:the )?{SHORTS}\b"
    rf"|\bfrom {LONGS} to {SHORTS}\b|\b{SHORTS} (?:(?:are|were|being) )+paid\b|\bpaid to (?:be|stay|hold|go|remain) short",
    re.I,
)  # fmt: skip
POSITIVE = re.compile(
    r"\b(?:positive|above zero|above neutral|in the green|(?:flipp\w+|turn\w+|went|is|are|stay\w*|remain\w*) green)\b"
    r"|(?<![\w.])\+\s?0?\.\d+\s?%",
    re.I,
)
NEGATIVE = re.compile(
    r"\b(?:negative|below zero|sub-zero|in the red|(?:flipp\w+|turn\w+|went|is|are|stay\w*|remain\w*) red|inverted)\b"
    r"|(?<![\w.\d])[-−]\s?\d*\.\d+\s?(?:%|bps)",
    re.I,
)
PLAIN_RATE = re.compile(r"(?<![\w.\-−+])\d*\.\d+\s?%", re.I)
YEARLY_RATE = re.compile(
    r"\bfunding\b[^,;.%]{0,40}?(?<![\w.\-−+])(?P<a>\d+(?:\.\d+)?)\s?%[^,;.]{0,12}(?:annuali[sz]ed|a year|APR|per annum)"
    r"|\bannuali[sz]ed\b[^,;.%]{0,20}\bfunding\b[^,;.%\d]{0,24}?(?<![\w.\-−+])(?P<b>\d+(?:\.\d+)?)\s?%",
    re.I,
)
NO_SIGN = re.compile(r"\b(?:no longer|not|never|cannot be|from|left|without) (?:\w+ )?(?=positive|negative)", re.I)

WHERE = re.compile(r"\b(?P<w>positive|negative)\b[^.;,]{0,24},? (?:where|when|at which)\b[^.;,]{0,24}$", re.I)
"""The payer is told of the sign that is named there: "from negative levels, where longs were paid, to positive"."""
HAD_BEEN = re.compile(r"\b(?:which|that|it|rates?|funding)?\s*(?:had been|used to be|had stayed|had turned)\b[^,;.]*(?:\.\d[^,;.]*)*", re.I)
"""A sign of an earlier time, up to the end of its clause: it is that of a payer who is named there alone."""
REPORTED = re.compile(
    r"\b(?:that|this|which) is (?:wrong|false|incorrect|untrue|not (?:true|right|so)|a (?:myth|mistake|misconception))\b"
    r"|\b(?:misconception|contrary to)\b"
    r"|\b(?:people|some|many|traders) (?:\w+ )?(?:think|believe|assume)\b",
    re.I,
)


def funding(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Positive funding: longs pay shorts. The sign is the last one named before the payer, in the sentence or the one before."""
    held: tuple[int, int, str] | None = None  # order, sign, words
    for sentence in sentences:
        text = sentence.text
        about = bool(re.search(r"\bfunding\b|\bperp\w* (?:rates?|premium)\b|\bcarry (?:cost|rate)", text, re.I))
        paid = [(m.start(), -1, m[0]) for m in LONGS_RECEIVE.finditer(text)] + [(m.start(), 1, m[0]) for m in SHORTS_RECEIVE.finditer(text)]
        if held is not None and (sentence.order - held[0] > 1):
            held = None
        signs = _signs(text) if about or (held and paid) else []
        was = [(m.start(), m.end()) for m in HAD_BEEN.finditer(text)]
        if paid and (about or held) and not REPORTED.search(text):
            for start, needs, words in sorted(paid):
                inside = [s for s in signs if any(a <= s[0] < b and a <= start < b for a, b in was)]
                now = inside or [s for s in signs if not any(a <= s[0] < b for a, b in was)]
                before = [s for s in now if s[0] < start] or now
                if DENIED.search(text[max(0, start - 24) : start + len(words)]) or (len({n for p, n, _ in paid if p == start}) > 1):
                    continue
                sign = before[-1][1:] if before else (held[1:] if held else None)
                if before and not [s for s in now if s[0] < start] and len({s[1] for s in now}) > 1:
                    sign = now[0][1:]
                if where := WHERE.search(text[:start]):
                    sign = (1 if where["w"].lower() == "positive" else -1, where["w"])
                who = "longs are paid" if needs < 0 else "longs pay"
                if sign is None:
                    yield Finding(text, "not_checkable", "funding_sign", f"{who}, and the sign of funding is not said", sentence.order)
                    continue
                rule = "positive funding: longs pay shorts" if sign[0] > 0 else "negative funding: shorts pay longs"
                yield judged(sign[0] == needs, text, "funding_sign", f"“{sign[1]}” and “{words.strip()}”; {rule}", sentence.order)
        if signs:
            held = (sentence.order, signs[-1][1], signs[-1][2])
        yield from _signed_rate(sentence) if about else ()


def _signs(text: str) -> list[tuple[int, int, str]]:
    """The signs of funding a sentence names, in order: words, signed rates, and bare rates where no word of their clause is negative."""
    found = [(m.start(), 1, m[0]) for m in POSITIVE.finditer(text)] + [(m.start(), -1, m[0]) for m in NEGATIVE.finditer(text)]
    denied = [m.end() for m in NO_SIGN.finditer(text)]
    found = [sign for sign in found if sign[0] not in denied]
    for rate in PLAIN_RATE.finditer(text):
        clause = re.split(r"[,;:]|\bbut\b|\bwhile\b|\bwhereas\b", text[: rate.start()])[-1]
        if (
            0 < float(rate[0].rstrip("% ")) < 1
            and not NEGATIVE.search(clause)
            and re.search(r"\bfunding\b|\brate\b", text[: rate.start()], re.I)
        ):
            found.append((rate.start(), 1, rate[0]))
    for rate in YEARLY_RATE.finditer(text):
        if not NEGATIVE.search(rate[0]):
            found.append((rate.start(), 1, rate[0]))
    return sorted(found)


def _signed_rate(sentence: Sentence) -> Iterator[Finding]:
    match = re.search(
        r"\bpositive\b[^,.;]{0,40}?(?<![\w\d])([-−]\s?\d*\.\d+\s?%)|\bnegative\b[^,.;]{0,40}?(\+\s?\d*\.\d+\s?%)", sentence.text, re.I
    )
    if match:
        yield judged(False, sentence.text, "funding_sign", f"“{match[0]}”: the word and the sign of the rate differ", sentence.order)


def yearly_funding(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A funding rate of an interval against its rate a year."""
    rate = re.compile(
        r"(?:\b(?:(?P<n2>\d+|eight|four|one)[- ]?(?:hours?|h)|(?P<u2>hourly))\s+(?:\w+\s+){0,2}?(?:funding|rate)\b[^.;%\d]{0,24}"
        r"(?P<r2>[-−+]?\d*\.?\d+)\s?%)|(?P<r>[-−+]?\d*\.?\d+)\s?%\s?(?:per|every|each|an?|/|over|for)?\s?(?:(?P<n>\d+|eight|four"
        r"|one)[- ]?)?(?P<u>h\b"
        r"|hours?\b|hourly)",
        re.I,
    )
    year = re.compile(
        r"(?P<y>[-−+]?\d+(?:\.\d+)?)\s?%\s?(?:\w+\s){0,2}?(?P<w>annuali[sz]ed|a year|per year|per annum|APR|APY|annually)"
        r"|(?:annuali[sz]\w*|a year|APR|yearly)\s(?:\w+\s){0,3}?(?P<y2>[-−+]?\d+(?:\.\d+)?)\s?%",
        re.I,
    )
    for s in sentences:
        a, b = rate.search(s.text), year.search(s.text)
        if not a or not b or not re.search(r"funding|perp", s.text, re.I):
            continue
        number, told = (a["n"] or a["n2"] or "1").lower(), a["r"] or a["r2"]
        hours = {"eight": 8.0, "four": 4.0, "one": 1.0}.get(number) or float(number)
        if hours <= 0:
            continue
        value, written = float(told.replace("−", "-")), (b["y"] or b["y2"]).replace("−", "-")
        step = 0.5 * 10.0 ** -len(told.partition(".")[2])
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
