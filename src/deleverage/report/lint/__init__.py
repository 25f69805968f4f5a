"""A linter for other people's market text: its numeric claims against each other, and against the tables where they are given.

Deterministic, English, no model: rules and arithmetic. `docs/methods/claims.md` says every rule, and what it cannot see.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from deleverage.figure import Figure
from deleverage.report.lint import tables as table_checks
from deleverage.report.lint.against_data import against_data
from deleverage.report.lint.changes import changes, ranges
from deleverage.report.lint.dates import calendar, unequal_windows
from deleverage.report.lint.extract import Statement
from deleverage.report.lint.finding import Finding, Verdict, amount
from deleverage.report.lint.flows import flows, streaks
from deleverage.report.lint.funding import funding, yearly_funding
from deleverage.report.lint.labels import statements as label
from deleverage.report.lint.markdown import Sentence, read
from deleverage.report.lint.proportions import fractions, ranks
from deleverage.report.lint.ratio import long_short_ratio
from deleverage.report.lint.records import month_of, records
from deleverage.report.lint.shares import shares
from deleverage.report.lint.sums import sums
from deleverage.report.lint.tables import check as check_table
from deleverage.report.lint.values import fear_and_greed, volatility, yields
from deleverage.report.lint.words import intensity, losses, names, sides, untested

MOST_NUMBERS = 600
"""Numbers of sentences, and of tables, that are held against each other: every one meets every other."""

BY_WORDS = (funding, losses, intensity, sides, untested, fear_and_greed, volatility, changes, ranges, yearly_funding, flows, yields,
            calendar, long_short_ratio, unequal_windows)  # fmt: skip
"""Checks that read sentences themselves."""


class Row(TypedDict):
    """A finding as printed."""

    text: str
    verdict: Verdict
    rule: str
    arithmetic: str


def lint(text: str, figures: Mapping[str, Figure] | None = None, month: str | None = None) -> list[Row]:
    """Judge an English text, in its order.

    `figures` are the system's own at the moment the text speaks of, by name; without them the text is held against itself alone.
    `month` is the month in which it is written ("November"), for records; else that of its dates. A number no rule reaches is
    `not_checkable` by rule `no_counterpart`.

    >>> [(row["verdict"], row["rule"]) for row in lint("Funding is slightly positive, so longs are being paid.")]
    [('inconsistent', 'funding_sign')]
    >>> [(row["verdict"], row["rule"]) for row in lint("2.00 bn USD was liquidated: 1.86 bn long, 140.2 M short.")]
    [('consistent', 'parts_total')]
    """
    sentences, tables = read(text)
    found = label(sentences)
    in_tables = table_checks.statements(tables, len(found))
    wholes = [
        s for s in found if s.quantity.kind == "money" and s.role == "total" and s.side is None and s.topic in ("liquidations", "none")
    ]
    findings: list[Finding] = []
    for table in tables:
        findings += check_table(table, wholes)
    held = [*found[:MOST_NUMBERS], *in_tables[:MOST_NUMBERS]]
    findings += sums(held)
    findings += shares(held)
    findings += fractions(sentences, held)
    findings += ranks(sentences, found)
    for by_words in BY_WORDS:
        findings += by_words(sentences)
    findings += names(sentences, tables)
    findings += streaks(sentences, tables)
    findings += records(sentences, month_of(sentences, month))
    if figures:
        findings += against_data([*found, *in_tables], figures)
    findings += _left(sentences, found, findings)
    order = {s.id: s.sentence.order for s in (*found, *in_tables)}
    placed = [(min((order[i] for i in f.of), default=f.order), f) for f in findings]
    rows: list[Row] = []
    for _, f in sorted(placed, key=lambda pair: pair[0]):
        row: Row = {"text": f.text, "verdict": f.verdict, "rule": f.rule, "arithmetic": f.arithmetic}
        if row not in rows:
            rows.append(row)
    return rows


def _left(sentences: Sequence[Sentence], found: Sequence[Statement], findings: Sequence[Finding]) -> Iterator[Finding]:
    """Numbers that no rule has dealt with, a sentence at a time."""
    dealt = {i for f in findings for i in f.of}
    judged_whole = [f.text for f in findings if not f.of and f.verdict != "not_checkable"]
    left: dict[int, list[Statement]] = {}
    for s in found:
        if s.id not in dealt and s.quantity.kind != "number":
            left.setdefault(s.sentence.order, []).append(s)
    for sentence in sentences:
        own = left.get(sentence.order, [])
        if own and not any(sentence.text in text for text in judged_whole):
            said = ", ".join(dict.fromkeys(_said(s) for s in own))
            yield Finding(sentence.text, "not_checkable", "no_counterpart", f"nothing to hold it against: {said}", sentence.order)


def _said(s: Statement) -> str:
    about = " ".join(filter(None, (*s.venues, *s.coins, s.side or "")))
    value = s.quantity.text if s.quantity.until is not None else amount(s.quantity)
    return f"{' '.join(value.split())}{f' ({about})' if about else ''}"
