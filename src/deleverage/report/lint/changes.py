"""Changes and ranges: what rose ends higher, by the percent that is named; a range begins at its lower end."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.lint.finding import Finding, amount, judged
from deleverage.report.lint.markdown import Sentence
from deleverage.report.lint.quantities import Quantity, quantities

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
TO_FROM = re.compile(r"\b(?:to|at)\s+(?P<t>.{1,40}?)\s+from\s+(?P<f>.{1,42})", re.I)


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
    if times := MULTIPLIED.search(before):
        yield from _multiplied(s, times, start, end)
    said = [
        q
        for q in quantities(clause)
        if q.kind == "share"
        and q.start not in (start.start, end.start)
        and abs(q.start - match.start()) < 90
        and _is_of(clause, match, q, start, end)
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


def _is_of(clause: str, match: re.Match[str], q: Quantity, start: Quantity, end: Quantity) -> bool:
    """Whether a percentage beside "from a to b" is that change: no other verb stands between them, and no other time."""
    gap = clause[q.end : match.start()] if q.start < match.start() else clause[match.end() if match.end() < q.start else end.end : q.start]
    after, before = clause[q.end : q.end + 28], clause[max(0, q.start - 28) : q.start]
    if q.start < match.start() and (UP.search(gap) or DOWN.search(gap)):
        return False
    if re.match(r"\s*(?:below|above|off|from (?:its|the|a|an|last)|since|this|year|YTD|week|month)\b", after, re.I):
        return False
    if re.search(r"\bstill\b", before, re.I):
        return False
    if re.match(r"\s*(?:on|over|in|for|within) (?:the|a|an|one|\d+|past|last)\b", after, re.I) and re.search(
        r"\b(?:high|low|peak|record|top|bottom)s?\b", clause[match.start("f") : start.start] + clause[match.start("t") : end.start], re.I
    ):
        return False
    verbs = [(m.start(), sign) for sign, p in ((1, UP), (-1, DOWN)) for m in p.finditer(before)]
    return not verbs or (max(verbs)[1] > 0) == (end.value >= start.value) or len(verbs) == _verbs(clause)


def _verbs(clause: str) -> int:
    return len(UP.findall(clause)) + len(DOWN.findall(clause))


MULTIPLIED = re.compile(
    r"\b(?P<q>more than |over |nearly |almost |about |roughly )?(?P<w>doubled|tripled|trebled|quadrupled|halved)\b[^.;]{0,24}$", re.I
)
TIMES = {"doubled": 2.0, "tripled": 3.0, "trebled": 3.0, "quadrupled": 4.0, "halved": 2.0}


def _multiplied(s: Sentence, match: re.Match[str], start: Quantity, end: Quantity) -> Iterator[Finding]:
    """ "doubled from a to b" by its numbers."""
    times, word = TIMES[match["w"].lower()], (match["q"] or "").strip().lower()
    a, b = (end, start) if match["w"].lower() == "halved" else (start, end)
    if a.low <= 0 or b.low <= 0:
        return
    low, high = b.low / a.high, b.high / a.low
    least = times if word in ("more than", "over") else times * (0.85 if word in ("nearly", "almost") else 0.93)
    most = times if word in ("nearly", "almost") else 1e9 if word in ("more than", "over") else times * 1.25
    words = f"“{match['q'] or ''}{match['w']}” from {amount(start)} to {amount(end)}: a ratio of {b.value / a.value:.2f}"
    yield judged(high >= least and low <= most, s.text, "percent_change", words, s.order)


_OF_DAY = r"(?: (?:of|for) the (?:day|session|week|month))?"


def ranges(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A range begins at its lower end; a low is not above the high of the same sentence."""
    for s in sentences:
        for q in quantities(s.text):
            if q.until is not None and q.kind in ("price", "money"):
                holds = q.low <= q.until.high or (q.value < 0 and q.until.value < 0)
                descending = re.search(r"\b(?:pocket|zone|support|down|low|slide|drop|fell|fall)\w*", s.text, re.I)
                if not holds and not (descending and q.kind == "price"):
                    yield judged(False, s.text, "price_range", f"from {amount(q)} to {amount(q.until)} runs backwards", s.order)
        low = re.search(
            rf"\blow(?:s)?{_OF_DAY} (?:of|at|near|around|was|:)?\s*(?:about |around "
            rf"|near )?(\$?\d[\d.,]*\d\s?k?)",
            s.text,
            re.I,
        )
        high = re.search(
            rf"(?<!all-time )\bhigh(?:s)?{_OF_DAY} (?:of|at|near|around|was|:)?\s*(?:about |around "
            rf"|near )?(\$?\d[\d.,]*\d\s?k?)",
            s.text,
            re.I,
        )
        if low and high:
            a, b = quantities(low[1]), quantities(high[1])
            if a and b and a[0].kind == b[0].kind:
                yield judged(a[0].low <= b[0].high, s.text, "price_range", f"low {amount(a[0])}, high {amount(b[0])}", s.order)
