"""Liquidation totals: exact sums by venue, base or side, and the shapes the page draws from them.

Totals hold what venues closed in the market. Positions taken over by a fund (`backstop`) and auto-deleveraged ones
(`adl`) are told apart and never added in. Every total is what was seen: a floor wherever a feed leaves orders out.
"""

from collections.abc import Iterable, Mapping
from math import floor
from typing import Literal, NamedTuple, TypedDict

By = Literal["venue", "base", "side"]
IN_MARKET = ("market", "unknown")
MOST_USD = 1e12
"""An order of a trillion dollars or more is no order: it is counted and not priced."""


class Sum(NamedTuple):
    """Exact money: `micros` are millionths of a US dollar. `unpriced` counts rows whose contract size is unknown."""

    micros: int
    orders: int
    unpriced: int


Group = tuple[str, str, str, str]
"""(venue, base, position_side, method)"""


class Total(TypedDict, total=False):
    """Liquidated notional in US dollars. `long_share` is null when nothing was liquidated; `share` is of the whole."""

    venue: str
    base: str
    side: str
    long_usd: float
    short_usd: float
    total_usd: float
    count: int
    long_share: float | None
    share: float | None
    coverage: float
    coverage_rule: str
    unpriced_count: int
    backstop_usd: float
    adl_usd: float


def micros(notional_usd: float | None) -> int | None:
    """Turn dollars into whole millionths, half rounded up, None where unknown or absurd; the store does the same in SQL.

    >>> micros(6314.666), micros(None), micros(1e13)
    (6314666000, None, None)
    """
    return floor(notional_usd * 1e6 + 0.5) if notional_usd is not None and notional_usd < MOST_USD else None


class _Cell:
    __slots__ = ("adl", "backstop", "count", "long", "short", "unpriced")

    def __init__(self) -> None:
        self.long = self.short = self.count = self.unpriced = self.backstop = self.adl = 0


def totals(sums: Mapping[Group, Sum], by: By | None) -> list[Total]:
    """Add up sums by `by` (None: one overall row), largest first, ties by name. The parts add exactly to the whole.

    >>> totals({("okx", "BTC", "long", "market"): Sum(3_000_000, 2, 0), ("okx", "BTC", "short", "market"): Sum(1_000_000, 1, 0)}, None)
    [{'long_usd': 3.0, 'short_usd': 1.0, 'total_usd': 4.0, 'count': 3, 'long_share': 0.75, 'share': 1.0, 'unpriced_count': 0,
      'backstop_usd': 0.0, 'adl_usd': 0.0}]
    """
    cells: dict[str, _Cell] = {} if by else {"": _Cell()}
    for (venue, base, side, method), amount in sums.items():
        name = {"venue": venue, "base": base, "side": side}.get(by or "", "")
        cell = cells.setdefault(name, _Cell())
        if method == "backstop":
            cell.backstop += amount.micros
        elif method == "adl":
            cell.adl += amount.micros
        else:
            cell.count += amount.orders
            cell.unpriced += amount.unpriced
            if side == "long":
                cell.long += amount.micros
            else:
                cell.short += amount.micros
    whole = sum(cell.long + cell.short for cell in cells.values())
    rows = [_total(by, name, cell, whole) for name, cell in cells.items()]
    return sorted(rows, key=lambda row: (-row["total_usd"], str(row.get(by or "", ""))))


def _total(by: By | None, name: str, cell: _Cell, whole: int) -> Total:
    total = cell.long + cell.short
    row: Total = {}
    if by is not None:
        row[by] = name
    row["long_usd"], row["short_usd"], row["total_usd"] = cell.long / 1e6, cell.short / 1e6, total / 1e6
    row["count"] = cell.count
    row["long_share"] = cell.long / total if total else None
    row["share"] = total / whole if whole else None
    row["unpriced_count"], row["backstop_usd"], row["adl_usd"] = cell.unpriced, cell.backstop / 1e6, cell.adl / 1e6
    return row


class Rest(TypedDict):
    """Everything a treemap does not name."""

    long_usd: float
    short_usd: float
    total_usd: float
    count: int
    share: float | None
    bases: int


class Treemap(TypedDict):
    """The largest bases by liquidated notional, and the explicit rest: together they are the whole."""

    total_usd: float
    items: list[Total]
    rest: Rest


def treemap(sums: Mapping[Group, Sum], top: int) -> Treemap:
    """Name the `top` bases and put the others into the rest. Sums stay exact: they are taken in millionths."""
    rows = totals(sums, "base")
    named = {row["base"] for row in rows[:top]}
    others = totals({group: amount for group, amount in sums.items() if group[1] not in named}, None)[0]
    whole = totals(sums, None)[0]["total_usd"]
    rest: Rest = {
        "long_usd": others["long_usd"], "short_usd": others["short_usd"], "total_usd": others["total_usd"], "count": others["count"],
        "share": others["total_usd"] / whole if whole else None, "bases": max(len(rows) - top, 0),
    }  # fmt: skip
    return {"total_usd": whole, "items": rows[:top], "rest": rest}


def grid_values(
    cells: Iterable[tuple[str, int, str, int]], venue: str, covered: list[bool]
) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """Lay out one venue's row of a heatmap as (total, long, short) per bucket; null where nothing was being received."""
    longs, shorts = [0] * len(covered), [0] * len(covered)
    for name, slot, side, micros in cells:
        if name == venue and 0 <= slot < len(covered):
            (longs if side == "long" else shorts)[slot] += micros

    def shown(amounts: list[int]) -> list[float | None]:
        return [amount / 1e6 if amount or seen else None for amount, seen in zip(amounts, covered, strict=True)]

    return shown([a + b for a, b in zip(longs, shorts, strict=True)]), shown(longs), shown(shorts)
