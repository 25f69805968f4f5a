"""What a report is before it is printed: sections of sentences, tables and pictures, whose every number is a figure with a footnote."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from deleverage.figure import Figure
from deleverage.report.charts.canvas import Chart
from deleverage.report.claims import Claim, RuleBroken, Shown
from deleverage.report.reading import Question

Cell = str | Shown
Part = str | Shown


class Paragraph(NamedTuple):
    """Sentences one after another."""

    claims: tuple[Claim, ...]
    kind: str = "paragraph"


class Listing(NamedTuple):
    """Sentences one below another."""

    claims: tuple[Claim, ...]
    kind: str = "listing"


class Table(NamedTuple):
    """Heads, rows of cells, and what stands below; the last row is a total where `has_total`."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    has_total: bool = False
    kind: str = "table"


class Picture(NamedTuple):
    """A chart under a title that states the finding."""

    title: Claim
    chart: Chart
    kind: str = "picture"


Block = Paragraph | Listing | Table | Picture


class Section(NamedTuple):
    """A part of the report. `salience` 0–1 decided its place."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    salience: float = 0.0


class Report(NamedTuple):
    """The whole. `label` is the first line where the events were made, not recorded; `figures` are all there are, printed or not.

    `withheld`: sentences that a rule forbade, with the rule and the arithmetic.
    """

    question: Question
    length: str
    label: str
    kicker: str
    headline: Claim
    lede: tuple[Claim, ...]
    sections: tuple[Section, ...]
    figures: dict[str, Figure]
    withheld: tuple[tuple[str, str], ...]

    def shown(self) -> list[Shown]:
        """Every number printed, in the order of printing."""
        found: list[Shown] = []
        for claim in (self.headline, *self.lede):
            found += of_claim(claim)
        for section in self.sections:
            for block in section.blocks:
                found += of_block(block)
        return found

    def numbers(self) -> dict[str, int]:
        """Number of the footnote of every figure printed, by the figure's name, in the order of first printing."""
        names = dict.fromkeys(shown.figure.name for shown in self.shown())
        return {name: number for number, name in enumerate(names, 1)}

    def printed(self) -> dict[str, Figure]:
        """The figures printed, by name. Raises ValueError where one name is given to two figures."""
        found: dict[str, Figure] = {}
        for shown in self.shown():
            if found.setdefault(shown.figure.name, shown.figure) != shown.figure:
                raise ValueError(f"two figures are called {shown.figure.name}")
        return found


def of_claim(claim: Claim) -> list[Shown]:
    """The numbers of a sentence."""
    return [part for part in claim.parts if isinstance(part, Shown)]


def of_block(block: Block) -> list[Shown]:
    """The numbers of a block."""
    if isinstance(block, Table):
        return [cell for row in block.rows for cell in row if isinstance(cell, Shown)]
    if isinstance(block, Picture):
        return of_claim(block.title)
    return [shown for claim in block.claims for shown in of_claim(claim)]


def plain(*parts: Part) -> Claim:
    """A sentence of words and figures to which no rule applies but that what is missing is not stated."""
    missing = [part.figure for part in parts if isinstance(part, Shown) and part.figure.value is None]
    if missing:
        raise RuleBroken("known", f"{missing[0].name} is missing")
    return Claim(tuple(parts), ("known",))


class Attempts:
    """Sentences tried; those a rule forbids are left out and remembered."""

    def __init__(self) -> None:
        self.withheld: list[tuple[str, str]] = []

    def __call__(self, builder: Callable[..., Claim], *arguments: Any, **named: Any) -> tuple[Claim, ...]:
        """Return the sentence as the only one of a tuple, an empty one where a rule forbids it."""
        try:
            return (builder(*arguments, **named),)
        except RuleBroken as broken:
            self.withheld.append((broken.rule, broken.arithmetic))
            return ()


def joined(words: Sequence[str]) -> str:
    """Write a list as English does.

    >>> joined(["OKX"]), joined(["OKX", "HTX"]), joined(["OKX", "HTX", "Bybit"])
    ('OKX', 'OKX and HTX', 'OKX, HTX and Bybit')
    """
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""
