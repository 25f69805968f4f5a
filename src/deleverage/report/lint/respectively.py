"""Names told first and their numbers behind, one each: "longs and shorts were $310 million and $190 million, respectively"."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from deleverage.report.lint.extract import LONG, SHORT
from deleverage.report.lint.quantities import Quantity
from deleverage.report.names import coins_in, venues_in

_JOIN = re.compile(r"[\s,/&]*(?:\band\b|\bvs\.?|\bversus\b|\bto\b|\bagainst\b|/|&|,)?[\s/&]*", re.I)
_SIDES = re.compile(
    r"\b(?P<a>longs?|shorts?|bulls|bears)\b(?:[- ](?:side|positions?|liquidations?))?\s?(?:/|-to-|\bto\b|\bvs\.?|\bversus\b|\band\b|&|:)\s?"
    r"\b(?P<b>longs?|shorts?|bulls|bears)\b[^\d.;,()$]{0,40}?[:=(]?\s*(?:\b(?:is|are|was|were|split|at|of|stood at)\b[^\d$;,]{0,12})?$",
    re.I,
)  # fmt: skip
MOST_NAMES = 8


class Named(NamedTuple):
    """A venue, coin or side by its key, and where it stands."""

    kind: str
    key: str
    start: int
    end: int


def named(text: str) -> list[Named]:
    """Venues, coins and sides of a text in their order."""
    found = [Named("venue", n.key, n.start, n.end) for n in venues_in(text)] + [
        Named("coin", n.key, n.start, n.end) for n in coins_in(text)
    ]
    found += [Named("side", side, m.start(), m.end()) for side, p in (("long", LONG), ("short", SHORT)) for m in p.finditer(text)]
    return sorted(found, key=lambda n: (n.start, n.end))


def respective(text: str, numbers: Sequence[Quantity]) -> dict[int, Named]:
    """Which number (by its place) belongs to which name, where a list of names is followed by a list of as many numbers.

    >>> from deleverage.report.lint.quantities import quantities
    >>> text = "Binance and Bybit liquidated $410 million and $380 million respectively"
    >>> {i: n.key for i, n in respective(text, quantities(text)).items()}
    {0: 'binance', 1: 'bybit'}
    """
    if len(numbers) < 2:
        return {}
    runs = _runs(text, numbers)
    found: dict[int, Named] = {}
    is_told = [m.start() for m in re.finditer(r"\brespectively\b", text, re.I)]
    for run in runs:
        first, last = numbers[run[0]], numbers[run[-1]]
        said = [at for at in is_told if -16 <= at - last.end <= 80 or 0 <= first.start - at <= 40]
        before = text[: first.start]
        if said:
            groups = [g for g in _groups(before) if len(g) == len(run)]
            if groups:
                found |= dict(zip(run, groups[-1], strict=True))
        elif len(run) == 2 and (sides := _SIDES.search(before)) and sides["a"][:1].lower() != sides["b"][:1].lower():
            keys = ["long" if word.lower().startswith(("long", "bull")) else "short" for word in (sides["a"], sides["b"])]
            if (
                keys[0] != keys[1]
                and not LONG.search(text[first.end : last.end + 16])
                and not SHORT.search(text[first.end : last.end + 16])
            ):
                found |= {i: Named("side", key, sides.start(), sides.end()) for i, key in zip(run, keys, strict=True)}
    return found


def _runs(text: str, numbers: Sequence[Quantity]) -> list[list[int]]:
    """Numbers of one kind with no more than a joining word between them."""
    runs: list[list[int]] = []
    for i, q in enumerate(numbers):
        if runs and numbers[runs[-1][-1]].kind == q.kind and _JOIN.fullmatch(text[numbers[i - 1].end : q.start]):
            runs[-1].append(i)
        else:
            runs.append([i])
    return [run for run in runs if 2 <= len(run) <= MOST_NAMES]


def _groups(text: str) -> list[list[Named]]:
    """Lists of names of one kind, with no more than joining words between them."""
    groups: list[list[Named]] = []
    found = named(text)
    if found:
        groups.append([found[0]])
    for a, b in pairwise(found):
        if a.kind == b.kind and _JOIN.fullmatch(text[a.end : b.start]):
            groups[-1].append(b)
        elif b.start >= a.end:
            groups.append([b])
    return groups
