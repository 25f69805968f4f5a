"""Records: only of complete periods, only over a history that is stated."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.lint.extract import DATE, MONTHS
from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence

RECORD = re.compile(
    r"\b(?:record(?!ed|ing|er|s? (?:show|of trades))(?:s)?|all-?time|ever\b(?! since)|unprecedented|(?:highest|lowest|largest"
    r"|biggest|worst|best|most|deepest|heaviest|steepest|smallest)(?: \w+){0,4} (?:since|in (?:(?:(?:the|their"
    r"|its) )?(?:\w+['’]?s?['’]? ){0,2}history|\w+ (?:years"
    r"|months))|on record))\b",
    re.I,
)
NOT_RECORD = re.compile(
    r"\b(?:track record|on the record|record (?:date|keeping|book)|for the record|hardly ever|more than ever|than ever"
    r"|what\w*ever|ever[- ](?:closer|more|since)|world record|no record|not a record|short of (?:a|the) record"
    r"|all-?time highs? of|(?:from|below|off|under|since) (?:its|the|an?|their) (?:\w+ )?(?:all-?time|record))\b",
    re.I,
)
UNFINISHED = re.compile(
    r"\b(?:so far|to date|month-to-date|MTD|year-to-date|YTD|this (?:month|week|quarter|year)|still (?:running|open"
    r"|under way)|(?:still|yet) (?:an?|one|two|three|\w+) (?:\w+ )?(?:days?|weeks?|sessions?)(?: (?:to go|left|away))?"
    r"|(?:an?|one|two|three|several|\w+) (?:\w+ )?(?:days?|weeks?|sessions?) (?:remain\w*|still left|left|to go)"
    r"|with (?:\w+ ){1,4}(?:left|to go)|on (?:course|track|pace) (?:for|to)|is heading|not (?:yet )?(?:over|finished|ended|done|complete)\b"
    r"|(?:is|has)n[’']t (?:yet )?(?:over|finished|ended|done)|has not (?:yet )?(?:finished|ended)"
    r"|unfinished|incomplete|ongoing|current month|already|heading for)\b",
    re.I,
)
PACING = re.compile(r"on (?:course|track|pace)|heading", re.I)
HISTORY = re.compile(
    r"\b(?:since (?:launch|inception|trading began|(?:the )?(?:funds|ETFs|products) (?:launched|began)"
    r"|(?:\w+ )?\d{1,2}? ?\w* ?(?:20\d\d))|since \w+ 20\d\d|(?:of|over|among|across|in) (?:the |all |its )?\d+ (?:complete "
    r"|full |whole )?(?:months|days|weeks|years|quarters)|going back to|20\d\d (?:to|through|[-–]) )",
    re.I,
)
MONTH = re.compile(
    r"\b(January|February|March|April|May(?= \d|\b(?! be| have| not| still| yet))|June|July|August|September|October|November|December)\b"
)
STANDING = re.compile(
    r"\b(?:complete|full|whole) (?:calendar )?months?\b|\bthe record (?:is|was|for|of|remains|stands|set)\b|\bshort of\b"
    r"|\b(?:previous|prior|old|existing) record\b"
    r"|\b(?:close to|near(?:ing)?|below|approach\w+) (?:a|the|its) record\b",
    re.I,
)


def records(sentences: Sequence[Sentence], month_of_text: str | None) -> Iterator[Finding]:
    """A record is of complete periods, against a stated history. `month_of_text`: the month in which it is written, None unknown."""
    for s in sentences:
        match = RECORD.search(s.text)
        if not match or NOT_RECORD.search(s.text):
            continue
        around = s.text
        monthly = re.search(r"\b(?:month|monthly)\b", around, re.I) or MONTH.search(DATE.sub("", around))
        month = MONTH.search(DATE.sub("", around[match.start() :])) or MONTH.search(DATE.sub("", around))
        marks = list(UNFINISHED.finditer(around))
        running = next((m for m in marks if not PACING.search(m[0])), marks[0] if marks else None)
        if STANDING.search(around):
            yield Finding(s.text, "not_checkable", "record", "the record of other, complete periods is named, not in the text", s.order)
            continue
        same = (
            month is not None
            and month_of_text is not None
            and month[1] == month_of_text
            and not re.search(r"complete|full month|ended|whole month", around, re.I)
        )
        pacing = any(PACING.search(m[0]) for m in marks) and not re.search(r"\balready\b", around, re.I)
        hist = HISTORY.search(around)
        daily = re.search(r"\b(?:daily|single[- ]day|one[- ]day|day|hour|session)\b", around, re.I)
        if (
            running
            and not pacing
            and (monthly or re.search(r"\b(?:week|quarter|year)\b", around, re.I))
            and not (daily and not re.search(r"month|so far", around, re.I))
        ):
            yield judged(False, s.text, "record", f"“{match[0]}” of a period that has not ended (“{running[0]}”)", s.order)
        elif same and monthly and not pacing and not daily:
            yield judged(
                False,
                s.text,
                "record",
                f"“{match[0]}” of {month[1] if month else ''}, which has not ended where the text is written",
                s.order,
            )
        elif hist:
            yield Finding(s.text, "not_checkable", "record", f"history stated (“{hist[0]}”), not in the text", s.order)
        else:
            yield Finding(s.text, "not_checkable", "record", f"“{match[0]}” without the history it is over", s.order)


def month_of(sentences: Sequence[Sentence], at_month: str | None) -> str | None:
    """The month a text is written in: that of `--at`, else of its dates that name a day, where they agree."""
    if at_month:
        return at_month
    months = {(m["m"] or m["m2"])[:3] for s in sentences for m in DATE.finditer(s.text) if m["m"] or m["m2"]}
    return next((name for name in MONTHS.split("|") if name[:3] in months), None) if len(months) == 1 else None
