"""What the linter finds: a claim of a text, the verdict, the rule, and the arithmetic."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from deleverage.report.lint.extract import Statement
from deleverage.report.lint.quantities import Quantity, money

Verdict = Literal["consistent", "inconsistent", "not_checkable"]


class Finding(NamedTuple):
    """A verdict on a claim; `order` is its place in the text, `of` the numbers of the text it has dealt with."""

    text: str
    verdict: Verdict
    rule: str
    arithmetic: str
    order: float = 0.0
    of: frozenset[int] = frozenset()


def judged(holds: bool, text: str, rule: str, arithmetic: str, order: float, of: Iterable[Statement] = ()) -> Finding:
    """A finding that is consistent or not."""
    return Finding(text, "consistent" if holds else "inconsistent", rule, arithmetic, order, frozenset(s.id for s in of))


def amount(q: Quantity) -> str:
    """A number as arithmetic is shown, in the unit of its kind."""
    if q.kind == "share":
        return f"{q.value:g} %"
    if q.kind in ("money", "price") and (abs(q.value) >= 1e6 or q.value == round(q.value)):
        return money(q.value)
    return f"{q.value:,.2f}".replace("-", "−") if q.value != round(q.value) else f"{q.value:,.0f}"


def span(low: float, high: float) -> str:
    """An interval of dollars."""
    return f"{money(low)} to {money(high)}"
