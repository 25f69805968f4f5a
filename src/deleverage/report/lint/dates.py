"""Dates that exist, and amounts compared over equal windows."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from deleverage.report.lint.extract import DATE, MONTHS, window_hours
from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence
from deleverage.report.lint.quantities import quantities


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
                named = "|".join(days)
                weekday = re.search(rf"\b({named})\s?[,(]?\s*(?:the )?$", s.text[: m.start()]) or re.match(
                    rf"\s?(?:\(|, an? |, which (?:is|was) a )({named})\b", s.text[m.end() :]
                )
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
