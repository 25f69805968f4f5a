"""Liquidation totals: exact sums by venue, base or side, and the shapes the page draws from them.

Totals hold what venues closed in the market. Positions taken over by a fund (`backstop`) and auto-deleveraged ones
(`adl`) are told apart and never added in. Every total is what was seen: a floor wherever a feed leaves orders out.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import floor
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import polars as pl

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


Dimension = Literal["venue", "base", "side", "size"]
DIMENSIONS: tuple[Dimension, ...] = ("venue", "base", "side", "size")
SIZES = (1e3, 1e4, 1e5, 1e6)
"""Upper ends (USD, exclusive) of the size buckets; the last has none."""
SIZE_NAMES = ("under 1k", "1k-10k", "10k-100k", "100k-1m", "1m and over")


def breakdown(prints: pl.DataFrame, by: Sequence[Dimension]) -> list[dict[str, str | float | int | None]]:
    """Add up priced market liquidations by any of `DIMENSIONS`, largest first, exactly to the millionth of a dollar.

    `prints` has `venue`, `base`, `position_side`, `notional_usd`. Each row has its keys, `long_usd`, `short_usd`, `total_usd`, `count`,
    `largest_usd`, `long_share` and `share` of the whole.
    """
    by = list(dict.fromkeys(by))
    usd = (pl.col("notional_usd") * 1e6 + 0.5).floor().cast(pl.Int64)
    size: pl.Expr = pl.lit(SIZE_NAMES[-1])
    for name, end in reversed(list(zip(SIZE_NAMES, SIZES, strict=False))):
        size = pl.when(pl.col("notional_usd") < end).then(pl.lit(name)).otherwise(size)
    keyed = prints.with_columns(micros=usd, side=pl.col("position_side"), size=size)
    sums = keyed.group_by(by).agg(
        pl.col("micros").filter(pl.col("side") == "long").sum().alias("long"),
        pl.col("micros").filter(pl.col("side") == "short").sum().alias("short"),
        pl.len().alias("count"), pl.col("micros").max().alias("largest"),
    ).with_columns(total=pl.col("long") + pl.col("short"))  # fmt: skip
    whole = int(sums["total"].sum())
    return [
        {**{key: row[key] for key in by}, "long_usd": row["long"] / 1e6, "short_usd": row["short"] / 1e6, "total_usd": row["total"] / 1e6,
         "count": row["count"], "largest_usd": row["largest"] / 1e6, "long_share": row["long"] / row["total"] if row["total"] else None,
         "share": row["total"] / whole if whole else None}
        for row in sums.sort(pl.col("total"), *by, descending=[True, *[False] * len(by)]).to_dicts()
    ]  # fmt: skip


class Concentration(TypedDict):
    """How far a window was one print rather than a stream, from its minutes: shares of the whole, the rate of the busiest 40 minutes over
    that of the rest, and Gini's coefficient (0: even). Null where nothing was liquidated or the window is too short."""

    peak_minute_usd: float | None
    peak_minute_share: float | None
    peak_40_minute_share: float | None
    peak_40_minute_ratio: float | None
    gini: float | None


def concentration(minutes: Sequence[float]) -> Concentration:
    """Measure concentration over the notional of each minute of a window, empty ones included.

    >>> concentration([0.0] * 59 + [10.0])["gini"]
    0.98333
    """
    values = np.asarray(minutes, dtype=float)
    whole = float(values.sum())
    if whole <= 0:
        return {
            "peak_minute_usd": None,
            "peak_minute_share": None,
            "peak_40_minute_share": None,
            "peak_40_minute_ratio": None,
            "gini": None,
        }
    peak = float(values.max())
    n = len(values)
    ranked = np.sort(values)
    gini = float((2 * np.arange(1, n + 1) - n - 1) @ ranked / (n * whole))
    share = ratio = None
    if n > 40:
        running = np.concatenate([[0.0], np.cumsum(values)])
        best = float((running[40:] - running[:-40]).max())
        share, rest = best / whole, whole - best
        ratio = (best / 40) / (rest / (n - 40)) if rest > 0 else None
    return Concentration(
        peak_minute_usd=peak, peak_minute_share=peak / whole, peak_40_minute_share=share, peak_40_minute_ratio=ratio, gini=gini
    )


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
