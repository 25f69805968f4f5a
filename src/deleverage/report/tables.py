"""A table of figures whose parts add up, as Markdown or as cells."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deleverage.figure import Figure
from deleverage.report.claims import Shown, derived, named, show
from deleverage.report.sentences import TOLERANCE, adds_up, same_moment, share

MILLION = 1e6


class ClaimTable(NamedTuple):
    """Heads, and rows of cells; the last row is the total when `rules` holds parts_total."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str | Shown, ...], ...]
    rules: tuple[str, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure printed, row by row."""
        return tuple(cell.figure for row in self.rows for cell in row if isinstance(cell, Shown))

    def markdown(self) -> str:
        """The table in Markdown, numbers to the right."""
        lines = [self.heads, tuple("---:" if i else "---" for i in range(len(self.heads)))]
        lines += [tuple(cell if isinstance(cell, str) else cell.text for cell in row) for row in self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def millions(figure: Figure) -> Shown:
    """Print dollars in millions with two decimals, the unit being in the head: 1,830.97."""
    return Shown(figure, "not known" if figure.value is None else f"{figure.value / MILLION:,.2f}".replace("-", "−"))


def sides_table(
    what: str, rows: Mapping[str, tuple[Figure, Figure, Figure]], total: tuple[Figure, Figure, Figure], *, rest: str = "rest"
) -> ClaimTable:
    """Rows of (total, long, short) by name with shares of the whole and of longs, and their total.

    Where the rows do not reach the total the difference is printed as `rest`; where they pass it, RuleBroken.
    """
    cells: list[tuple[str | Shown, ...]] = []
    same_moment(*total, *(figure for row in rows.values() for figure in row))
    summed: Sequence[tuple[Figure, Figure, Figure]] = list(rows.values())
    missing = [
        round(whole.value - sum(row[i].value or 0.0 for row in summed), 6) for i, whole in enumerate(total) if whole.value is not None
    ]
    if len(missing) == 3 and abs(missing[0] - missing[1] - missing[2]) <= TOLERANCE * (total[0].value or 0.0):
        missing[0] = missing[1] + missing[2]
    shown = dict(rows)
    if any(round(gap) > 0 for gap in missing) and len(missing) == 3:
        rests = [derived(named(whole, "rest"), gap, "usd", whole) for whole, gap in zip(total, missing, strict=True)]
        shown[rest] = (rests[0], rests[1], rests[2])
    for i, whole in enumerate(total):
        adds_up(whole, [row[i] for row in shown.values()])
    for name, row in {**shown, "total": total}.items():
        adds_up(row[0], row[1:])
        of_whole, of_long = share(row[0], total[0]), share(row[1], row[0])
        cells.append((name, *(millions(figure) for figure in row), show(of_whole), show(of_long)))
    heads = (what, "total, M USD", "long, M USD", "short, M USD", "share", "long share")
    return ClaimTable(heads, tuple(cells), ("parts_total", "share_of_amounts", "equal_windows"))
