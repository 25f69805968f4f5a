"""Flows of funds: the sign of an outflow, and how many days in a row a table shows."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence, Table
from deleverage.report.lint.tables import TOTAL_ROW, columns

_MEASURED = r"(?:of|at|was|were|is|are|reached|totall?ed|totall?ing|hit|came in at|stood at|amounted to|amounting to|came to|worth)"
_ABOUT = r"(?:about |nearly |over |roughly |around |some )?"
OUT = re.compile(rf"\b(?:net )?outflows? {_MEASURED}\s+{_ABOUT}(?P<v>\+\s?\$?\d[\d.,]*)", re.I)
INTO = re.compile(rf"\b(?:net )?inflows? {_MEASURED}\s+{_ABOUT}(?P<v>[-−]\s?\$?\d[\d.,]*)", re.I)
TURNED = re.compile(
    r"\bflows?\b[^.;,]{0,24}?\b(?P<w>positive|negative)\b[^.;,]{0,16}?(?P<v>(?P<s>[-−+])\s?\$?\d[\d.,]*)", re.I
)  # fmt: skip
LOST = re.compile(r"\b(?:bled|shed|lost|saw (?:net )?outflows|net outflows? of|outflows of|withdr[ae]w)\b", re.I)
GAINED = re.compile(r"\b(?:took in|attracted|drew (?:in )?|gained|saw (?:net )?inflows|net inflows? of|inflows of|pulled in|added)\b", re.I)
DAYS_OF = re.compile(
    r"\b(?:an?|their|its|the|for an?) (?:\w+ )?(?:straight|consecutive|successive)? ?(?:day|session|week) of (?:net )?(?P<f>in|out)flows\b"
    r"|\b\w+ (?:straight|consecutive|successive) (?:days?|sessions?|weeks?) of (?:net )?(?P<f2>in|out)flows\b",
    re.I,
)
ENDED = re.compile(r"\b(?:after|end(?:ed|ing|s)?|snap\w*|break\w*|broke|follow\w*|revers\w*|halt\w*|despite|from|but|unlike|since)\b", re.I)


def flows(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Outflows are negative, inflows positive."""
    for s in sentences:
        for pattern, word in ((OUT, "outflow"), (INTO, "inflow")):
            if match := pattern.search(s.text):
                yield judged(False, s.text, "flow_sign", f"an {word} of {match['v']}", s.order)
        for match in TURNED.finditer(s.text):
            if (match["w"].lower() == "positive") != (match["s"] == "+"):
                yield judged(False, s.text, "flow_sign", f"{match['w']} flows of {match['v']}", s.order)
        for clause in re.split(r";|\bwhile\b|\bwhereas\b|\bbut\b", s.text):
            days = DAYS_OF.search(clause)
            lost, gained = LOST.search(clause), GAINED.search(clause)
            if days is None or bool(lost) == bool(gained) or ENDED.search(clause) or not re.search(r"\bETFs?\b|\bfunds?\b|IBIT", s.text):
                continue
            is_in = (days["f"] or days["f2"]).lower() == "in"
            verb = lost or gained
            if verb is not None and verb.start() < days.start() and is_in == bool(lost):
                yield judged(False, s.text, "flow_sign", f"“{verb[0].strip()}” and “{days[0]}”", s.order)


WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "second": 2, "third": 3,
         "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}  # fmt: skip
_MANY = r"(?P<n>\d{1,2}|" + "|".join(WORDS) + r")"
STREAK = re.compile(
    rf"\b{_MANY}(?:st|nd|rd|th)?[- ](?:straight|consecutive|successive|trading days? in a row|days? in a row)\b"
    rf"|\b(?P<n2>\d{{1,2}}|{'|'.join(WORDS)})[- ](?:day|session)(?:s)? (?:\w+ )?(?:streak|run)\b",
    re.I,
)
_OUT_WORD = re.compile(r"\boutflow|\bred\b|\bbled\b|\bbleed|\bredemption|\bnegative|\bwithdraw|\blos(?:t|ing|ses)\b|\bshed\b", re.I)
_IN_WORD = re.compile(r"\binflow|\bgreen\b|\bpositive|\badded|\battract", re.I)
_DATED = re.compile(
    r"\W*(?:\d{1,2}(?:st|nd|rd|th)? \w{3}|20\d\d-\d|\w{3,9}\.? \d|(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri)(?:day)?\b)", re.I
)
CLOSE = 4
"""Paragraphs and tables between a streak and its table."""


def streaks(sentences: Sequence[Sentence], tables: Sequence[Table]) -> Iterator[Finding]:
    """Days in a row of one sign against the longest such run of a table of days close by, where the table is long enough to show it."""
    for s in sentences:
        match = STREAK.search(s.text)
        if match is None or re.search(r"\bweeks?\b|\bmonths?\b", s.text[match.start() : match.end() + 8], re.I):
            continue
        out, into = bool(_OUT_WORD.search(s.text)), bool(_IN_WORD.search(s.text))
        if out == into:
            continue
        told = (match["n"] or match["n2"]).lower()
        days = WORDS.get(told) or int(told)
        for table in tables:
            signs = _signs(table) if abs(table.block - s.block) <= CLOSE else []
            if len(signs) < max(days, 2):
                continue
            longest = max((sum(1 for _ in run) for sign, run in groupby(signs) if sign == (-1 if out else 1)), default=0)
            shown = " ".join("−" if sign < 0 else "+" if sign > 0 else "0" for sign in signs)
            yield judged(
                longest >= days, s.text, "streak", f"the days of the table are {shown}: at most {longest} in a row, said {days}", s.order
            )
            break


def _signs(table: Table) -> list[int]:
    """The sign of each day of a table of dated rows: of its total, else of its only column of numbers; [] where it is no such table."""
    found = [c for c in columns(table) if any(q is not None for q in c.cells)]
    totals = [c for c in found if c.role == "total"] or found
    if not totals or (len(totals) > 1 and totals[0].role != "total"):
        return []
    rows = [(row[0], totals[-1].cells[i]) for i, row in enumerate(table.rows) if not TOTAL_ROW.fullmatch(row[0].strip())]
    if not rows or not all(_DATED.match(name) and q is not None for name, q in rows):
        return []
    return [(q.value > 0) - (q.value < 0) for _, q in rows if q is not None]
