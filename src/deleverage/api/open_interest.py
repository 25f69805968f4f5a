"""How much is held open in one coin, as one document: by venue and margin, its changes, its fall from the peak, and who seems to act.

The window is read at once; the months that a peak is looked for in are read piece by piece, the session held only meanwhile.
"""

from typing import Any, NamedTuple

import polars as pl

from deleverage.analytics import open_interest
from deleverage.analytics.funding import HOUR
from deleverage.analytics.open_interest import TOLERANCE, Drawdown, Total
from deleverage.api import leverage
from deleverage.api.anatomy import MS
from deleverage.api.leverage import DAY, Holding, Scope
from deleverage.errors import BadInput
from deleverage.venues import VENUES

POINTS = 300
MOST_MONTHS = 24
CELLS = 48
"""Steps of which price and open interest are compared."""
DEAD = (0.002, 0.005)
"""Moves of price and of coins over a day that are too little to tell who acted."""
CHANGES = {"1h": HOUR, "4h": 4 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
SAYS = (
    "Dollars move with the price; only a fall in coins says that positions were closed. One side is counted on every venue: each long "
    "has a short."
)
NO_CAPITALISATION = "no market capitalisation or exchange reserves are stored to set it against"


class Material(NamedTuple):
    """`shaped` open interest of one coin: over the window, about the instants changes are told from, and hourly over the months."""

    scope: Scope
    window: pl.DataFrame
    then: pl.DataFrame
    months: int
    past: pl.DataFrame


def months_before(at: int, months: int) -> int:
    """Return the instant (ns UTC) so many calendar months before."""
    return int(pl.Series([at]).cast(pl.Datetime("ns")).dt.offset_by(f"-{months}mo").dt.epoch("ns").item())


def read(hold: Holding, scope: Scope, months: int) -> Material:
    """Read what is needed, holding the session for one piece at a time. Raises BadInput outside 1 to 24 months."""
    if not 1 <= months <= MOST_MONTHS:
        raise BadInput(f"a peak is looked for over 1 to {MOST_MONTHS} months, not {months}")
    bucket = scope.bucket(POINTS)
    with hold() as session:
        session.flush()
        fine = max(bucket // 4, leverage.MINUTE)
        window = leverage.interest(session, scope, scope.start - max(TOLERANCE, bucket), bucket=fine)
        then = [leverage.interest(session, scope, scope.at - width - TOLERANCE, end=scope.at - width + 1) for width in CHANGES.values()]
    past = leverage.hourly(hold, scope, months_before(scope.at, months) - HOUR)
    return Material(scope, window, pl.concat(then), months, past)


def document(material: Material) -> dict[str, Any]:
    """Write the answer."""
    scope, bucket = material.scope, material.scope.bucket(POINTS)
    held = open_interest.readings(material.window, scope.at)
    total = open_interest.total(held, base=scope.base, expected=list(VENUES))
    series = _series(material.window, scope, bucket)
    changes = _changes(material)
    fall, left_out = _drawdown(material)
    reason = "" if len(material.window) else f"no open interest of {scope.base} was read in this window"
    if not reason and total.contracts == 0:
        reason = "every reading is older than a quarter of an hour"
    return {
        **scope.head(), "says": SAYS, "totals": {**total._asdict(), "reason": reason},
        "venues": leverage.written(open_interest.split(held, ["venue"])),
        "margin_types": leverage.written(open_interest.split(held, ["margin_type"])), "contracts": leverage.written(held),
        "changes": changes, "drawdown": fall | {"left_out": left_out}, "leverage_ratio": None, "leverage_ratio_reason": NO_CAPITALISATION,
        "series": _told(series, bucket), "by_venue": _parts(material.window, scope, bucket, "venue"),
        "by_margin_type": _parts(material.window, scope, bucket, "margin_type"), "regimes": _regimes(material.window, scope),
        "counting_breaks": leverage.written(open_interest.counting_breaks(material.window)), "reason": reason,
        "figures": _figures(scope, held, total, changes, fall, reason),
    }  # fmt: skip


def _series(rows: pl.DataFrame, scope: Scope, every: int, by: tuple[open_interest.By, ...] = ()) -> pl.DataFrame:
    """Open interest on the grid that ends at the window's end."""
    first = scope.at - (scope.at - scope.start) // every * every
    return open_interest.series(rows, first, scope.at, every, base=scope.base, by=by, tolerance=max(TOLERANCE, every))


def _told(series: pl.DataFrame, step: int) -> dict[str, Any]:
    """The window's course, with its fall from the window's own high so far; a row with a contract missing has no fall."""
    fall = open_interest.since_high(series)
    rows = leverage.in_ms(series.join(fall, on="ts", how="left").sort("ts").drop("missing"))
    return {"step_ms": step // MS, **{name: rows[name].to_list() for name in rows.columns}}


def _parts(rows: pl.DataFrame, scope: Scope, every: int, by: open_interest.By) -> list[dict[str, Any]]:
    if not len(rows):
        return []
    kept = [by, "ts", "coins", "usd"]
    whole = _series(rows, scope, every).select("ts")
    groups = _series(rows, scope, every, (by,)).select(kept)
    found = []
    for (name,), part in groups.group_by([by], maintain_order=True):
        full = whole.join(part, on="ts", how="left").sort("ts")
        found.append({by: name, "coins": full["coins"].to_list(), "usd": full["usd"].to_list()})
    return sorted(found, key=lambda row: str(row[by]))


def _changes(material: Material) -> list[dict[str, Any]]:
    scope = material.scope
    rows = pl.concat([material.then, material.window]).unique(maintain_order=True).sort("venue", "symbol", "base", "ts_event")
    found = []
    for name, width in CHANGES.items():
        ends = open_interest.series(rows, scope.at - width, scope.at, width, base=scope.base)
        row = open_interest.changes(ends, scope.at, [width]).drop("window").to_dicts()[0]
        reason = ""
        if row["coins"] is None and row["usd"] is None:
            gone = sorted({contract for missing in ends["missing"].to_list() for contract in missing})
            reason = f"not read at both ends: {', '.join(gone)}" if gone else "not read at both ends"
        found.append({"window": name, **row, "reason": reason})
    return found


def _drawdown(material: Material) -> tuple[dict[str, Any], list[str]]:
    """The fall from the highest of the months, of venues that were read all the while; null with the reason where the history is short."""
    scope = material.scope
    start = months_before(scope.at, material.months)
    kept, late = open_interest.reaching_back(material.past, start)
    chosen = kept if len(kept) else material.past
    first = scope.at - (scope.at - start + HOUR) // HOUR * HOUR
    series = open_interest.series(chosen, first, scope.at, HOUR, base=scope.base, tolerance=HOUR)
    found = open_interest.drawdown(series, scope.at, months=material.months)
    return leverage.struct(found) | {"reason": _why(found, material.past)}, list(late)


def _why(found: Drawdown, rows: pl.DataFrame) -> str:
    if found.coins is not None:
        return ""
    first = rows["ts_event"].min()
    if not isinstance(first, int):
        return "nothing was read in these months"
    if first > months_before(found.at, found.months) + DAY:
        return f"a peak of {found.months} months needs as long a history; there are {(found.at - first) / DAY:.1f} days of it"
    return "not every contract was read at both ends of the months"


def _regimes(rows: pl.DataFrame, scope: Scope) -> dict[str, Any]:
    """Who seems to have acted in each step of the window, by price and coins. What is too little to tell shrinks with the root of time."""
    every = scope.bucket(CELLS)
    price, coins = (share * (every / DAY) ** 0.5 for share in DEAD)
    found = leverage.in_ms(open_interest.quadrants(_series(rows, scope, every), dead_price=price, dead_oi=coins))
    return {"step_ms": every // MS, "dead_price": price, "dead_oi": coins, **{name: found[name].to_list() for name in found.columns}}


def _figures(
    scope: Scope, held: pl.DataFrame, total: Total, changes: list[dict[str, Any]], fall: dict[str, Any], reason: str
) -> list[dict[str, Any]]:  # fmt: skip
    venues = leverage.sources("open_interest", held["venue"].to_list())
    missing = [*total.missing, *total.stale]
    inputs = held.rows()
    share = 1 - len(total.missing) / len(VENUES)
    figures = [
        leverage.told(
            f"open_interest.{unit}", value, unit if unit == "usd" else scope.base, scope, inputs=[unit, inputs], sources=venues,
            missing=missing, coverage=share, note=reason or (f"{total.contracts} contracts" if value is not None else "partly unknown"),
        ) for unit, value in (("coins", total.coins), ("usd", total.usd))
    ]  # fmt: skip
    for row in changes:
        for unit in ("coins", "usd"):
            figures.append(leverage.told(
                f"open_interest.change.{row['window']}.{unit}", row[f"{unit}_share"], "share", scope, inputs=[unit, row], sources=venues,
                missing=missing, note=row["reason"],
            ))  # fmt: skip
    for unit in ("coins", "usd"):
        figures.append(leverage.told(
            f"open_interest.drawdown.{fall['months']}mo.{unit}", fall[unit], "share", scope, inputs=[unit, sorted(fall.items(), key=str)],
            sources=venues, coverage=fall["coverage"], note=fall["reason"],
        ))  # fmt: skip
    return figures
