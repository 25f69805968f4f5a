"""Figures of what was liquidated: totals, sides, venues, coins, estimates, and what other aggregators say."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from deleverage.analytics import completeness
from deleverage.analytics.liquidations import Group, Sum, concentration, totals, treemap
from deleverage.analytics.waves import SECOND
from deleverage.figure import Figure
from deleverage.report.reading import HOUR, Reading
from deleverage.report.stated import Spec, stated
from deleverage.venues import VENUES

BASES = 8
"""Coins told by name; the others are the rest."""
SHORTER = (1, 4, 12)
"""Hours of the windows told beside the one asked for."""


def _venues(reading: Reading) -> dict[str, Any]:
    """The filter that leaves out what other aggregators say; none is needed where nothing of theirs is in the window."""
    return {"venue": "|".join(VENUES)} if reading.others else {}


def floor_note(reading: Reading) -> str:
    """Say why a total is a floor; '' where it is none."""
    leaves_out = any(reading.rules.get(venue) not in ("full", "presumed_full") for venue in reading.seen)
    reasons = (["feeds leave orders out"] if leaves_out else []) + (["venues are missing"] if reading.missing else [])
    return f"a floor: {' and '.join(reasons)}" if reasons else ""


def whole(reading: Reading) -> dict[str, Any]:
    """The overall row of totals of venues."""
    return reading.once("whole", lambda: dict(totals(reading.sums, None)[0]))


def by_venue(reading: Reading) -> list[dict[str, Any]]:
    """Rows of totals by venue, largest first."""
    return reading.once("by venue", lambda: [dict(row) for row in totals(reading.sums, "venue")])


def hidden(reading: Reading) -> pl.DataFrame:
    """The prints with what each hides, from before the window on."""
    return reading.once("hidden", lambda: completeness.hidden(reading.prints))


def contracts(reading: Reading) -> pl.DataFrame:
    """The window's prints summed by contract, what they hide with them."""
    inside = pl.col("ts_event") >= reading.start
    return reading.once("contracts", lambda: completeness.by_contract(hidden(reading).filter(inside)))


def _is_seen(row: Mapping[str, Any], covered: float) -> bool:
    """Tell whether a sum says anything: orders that are priced, or none while somebody listened."""
    return bool(row["count"] > row["unpriced_count"] or (row["count"] == 0 and covered > 0))


def total_figures(reading: Reading) -> list[Figure]:
    """Total, long, short, long share, orders, largest order, busiest minute, coverage, venues."""
    w, row = reading.length, whole(reading)
    rows, seen = reading.within("liquidations", **_venues(reading)), _is_seen(whole(reading), reading.coverage)
    note = floor_note(reading)
    said: dict[str, Any] = {"coverage": reading.coverage, "missing": reading.missing, "note": note}
    if row["unpriced_count"]:
        said["note"] = f"{note}{'; ' if note else ''}{row['unpriced_count']} orders are not priced"
    found = [stated(reading, f"liquidations.total.{w}", row["total_usd"] if seen else None, "usd", [rows], **said)]
    for side in ("long", "short"):
        of = reading.within("liquidations", **_venues(reading), position_side=side)
        found.append(stated(reading, f"liquidations.{side}.{w}", row[f"{side}_usd"] if seen else None, "usd", [of], **said))
    inside = reading.prints.filter(pl.col("ts_event") >= reading.start)
    largest = inside["notional_usd"].max() if len(inside) else None
    found += [
        stated(reading, f"liquidations.long_share.{w}", row["long_share"], "share", [rows], **said),
        stated(reading, f"liquidations.count.{w}", float(row["count"]) if seen else None, "count", [rows], **said),
        stated(reading, f"liquidations.largest.{w}", largest, "usd", [rows], **said),  # type: ignore[arg-type]  # a float of a frame
        stated(reading, f"liquidations.coverage.{w}", reading.coverage, "share", [reading.select("spans")], missing=reading.missing,
               note="mean share of the window in which the venues received were received"),
        stated(reading, f"liquidations.venues.{w}", float(len(reading.seen)), "count", [reading.select("spans")], missing=reading.missing),
        stated(reading, "liquidations.venues", float(len(VENUES)), "count", [reading.select("spans")], note="venues this system knows"),
    ]  # fmt: skip
    minutes = max(reading.window // (60 * SECOND), 1)
    slots = ((inside["ts_event"] - reading.start) // (60 * SECOND)).clip(0, minutes - 1).to_numpy()
    peak = concentration(list(np.bincount(slots, inside["notional_usd"].to_numpy(), minutes)))["peak_minute_usd"] if seen else None
    found.append(stated(reading, f"liquidations.peak_minute.{w}", peak, "usd", [rows], **said))
    for method in ("backstop", "adl"):
        if row[f"{method}_usd"]:
            of = reading.within("liquidations", **_venues(reading), method=method)
            found.append(stated(reading, f"liquidations.{method}.{w}", row[f"{method}_usd"], "usd", [of], **said))
    return found


def shorter_figures(reading: Reading) -> list[Figure]:
    """Totals of the last 1, 4 and 12 hours, where the window is longer."""
    found = []
    rows = reading.frames["liquidations"].filter(pl.col("venue").is_in(list(VENUES)) & pl.col("method").is_in(["market", "unknown"]))
    micros = (pl.col("notional_usd") * 1e6 + 0.5).floor().cast(pl.Int64)
    for hours in SHORTER:
        if hours * HOUR >= reading.window:
            continue
        start = reading.at - hours * HOUR
        usd = int(rows.filter(pl.col("ts_event") >= start).select(micros.sum()).item() or 0) / 1e6
        shares = [sum(b - max(a, start) for a, b in reading.stretches(v) if b > start) / (hours * HOUR) for v in reading.seen]
        heard = [s for s in shares if s > 0]
        covered = sum(heard) / len(heard) if heard else 0.0
        of = reading.select("liquidations", start=start, **_venues(reading))
        value = usd if usd or covered else None
        found.append(stated(reading, f"liquidations.total.{hours}h", value, "usd", [of], coverage=covered, missing=reading.missing,
                            note=floor_note(reading) if value is not None else ""))  # fmt: skip
    return found


def estimate_figures(reading: Reading) -> list[Figure]:
    """What was really liquidated behind what the feeds showed, overall and by venue, and the long share corrected for it."""
    if contracts(reading).is_empty():
        return []
    w = reading.length
    found = [_estimate(reading, f"liquidations.estimate.{w}", contracts(reading), None)]
    share = completeness.long_share(contracts(reading))
    rows = reading.within("liquidations", **_venues(reading))
    band = None if share.low is None or share.high is None else (share.low, share.high)
    found.append(stated(reading, f"liquidations.long_share_corrected.{w}", share.corrected, "share", [rows], status="estimated",
                        interval=band, level=0.9, coverage=reading.coverage, missing=reading.missing))  # fmt: skip
    for (venue,), own in contracts(reading).group_by(["venue"], maintain_order=True):
        found.append(_estimate(reading, f"liquidations.venue.{venue}.estimate.{w}", own, str(venue)))
    return found


def _estimate(reading: Reading, name: str, rows: pl.DataFrame, venue: str | None) -> Figure:
    told = completeness.estimate(rows)
    band = None if told.high_usd is None else (told.low_usd, told.high_usd)
    status = "measured" if told.status == "measured" else "estimated"
    if told.status == "measured":
        band = None
    unbounded = "; nothing bounds it from above: read it as at least" if told.high_usd is None else ""
    of = reading.within("liquidations", **(_venues(reading) if venue is None else {"venue": venue}))
    return stated(
        reading, name, told.estimate_usd, "usd", [of], status=status,  # type: ignore[arg-type]
        interval=band, level=0.9, coverage=reading.coverage if venue is None else reading.heard(venue), note=told.method + unbounded,
        missing=reading.missing if venue is None else (),
    )  # fmt: skip


def venue_figures(reading: Reading) -> list[Figure]:
    """Total, long, short, share of the whole, long share, orders and coverage of each venue that was seen."""
    w, found = reading.length, []
    rows = {row["venue"]: row for row in by_venue(reading)}
    empty = totals({}, None)[0]
    for venue in [*rows, *(v for v in reading.seen if v not in rows)]:
        row: Mapping[str, Any] = rows.get(venue, empty)
        heard, rule = reading.heard(venue), reading.rules.get(venue, "undisclosed")
        of = reading.within("liquidations", venue=venue)
        note = f"feed: {rule.replace('_', ' ')}"
        seen = _is_seen(row, heard)
        for kind, value, unit in (
            ("", row["total_usd"], "usd"), ("long.", row["long_usd"], "usd"), ("short.", row["short_usd"], "usd"),
            ("count.", float(row["count"]), "count"), ("share.", row["share"], "share"), ("long_share.", row["long_share"], "share"),
        ):  # fmt: skip
            told = value if (seen and venue in rows) or (seen and unit != "share") else None
            sources = [reading.within("liquidations", **_venues(reading))] if kind == "share." else [of]
            found.append(stated(reading, f"liquidations.venue.{venue}.{kind}{w}", told, unit, sources, coverage=heard, note=note))
        found.append(stated(reading, f"liquidations.venue.{venue}.coverage.{w}", heard, "share", [reading.select("spans", venue=venue)],
                            note="share of the window in which its liquidations were received"))  # fmt: skip
    return found


def base_figures(reading: Reading) -> list[Figure]:
    """The most liquidated coins, and the explicit rest: together they are the whole."""
    if not whole(reading)["total_usd"]:
        return []
    w = reading.length
    tree = treemap(reading.sums, BASES)
    every, found = reading.within("liquidations", **_venues(reading)), []
    for row in tree["items"]:
        of = reading.within("liquidations", base=row["base"], **_venues(reading))
        said: dict[str, Any] = {"coverage": reading.coverage, "missing": reading.missing}
        found += [
            stated(reading, f"liquidations.base.{row['base']}.{w}", row["total_usd"], "usd", [of], **said),
            stated(reading, f"liquidations.base.{row['base']}.share.{w}", row["share"], "share", [every], **said),
            stated(reading, f"liquidations.base.{row['base']}.long_share.{w}", row["long_share"], "share", [of], **said),
        ]
    if tree["rest"]["bases"]:
        of = reading.within("liquidations", **_venues(reading))
        rest = tree["rest"]
        found += [
            stated(reading, f"liquidations.base.rest.{w}", rest["total_usd"], "usd", [of], coverage=reading.coverage),
            stated(reading, f"liquidations.base.rest.share.{w}", rest["share"], "share", [of], coverage=reading.coverage),
            stated(reading, f"liquidations.base.rest.coins.{w}", float(rest["bases"]), "count", [of], coverage=reading.coverage),
        ]
    return found


def elsewhere_figures(reading: Reading) -> list[Figure]:
    """Totals that other aggregators state, as imported: beside ours, never in them."""
    w, found = reading.length, []
    groups: dict[str, dict[Group, Sum]] = {}
    for group, amount in reading.others.items():
        groups.setdefault(group[0], {})[group] = amount
    for name, sums in sorted(groups.items()):
        row, of = totals(sums, None)[0], reading.within("liquidations", venue=name)
        note = "as imported; how that aggregator counts is not known here"
        for kind, value in (("", row["total_usd"]), ("long.", row["long_usd"]), ("short.", row["short_usd"])):
            found.append(stated(reading, f"liquidations.elsewhere.{name}.{kind}{w}", value, "usd", [of], note=note))
    return found


SPECS = (
    Spec("liquidations.total.{window}", "usd", "what venues closed by force, as seen", total_figures),
    Spec("liquidations.{side}.{window}", "usd", "the same of longs, of shorts", total_figures),
    Spec("liquidations.{backstop|adl}.{window}", "usd", "taken over by a fund, or auto-deleveraged: not in the total", total_figures),
    Spec("liquidations.long_share.{window}", "share", "long part of the total", total_figures),
    Spec("liquidations.{count|largest|peak_minute}.{window}", "", "orders; the largest; the busiest minute", total_figures),
    Spec("liquidations.{coverage|venues}.{window}", "", "how much was received, from how many venues", total_figures),
    Spec("liquidations.total.{1h|4h|12h}", "usd", "what was closed in the last hours of the window", shorter_figures),
    Spec("liquidations.estimate.{window}", "usd", "what was closed behind what feeds showed, with a 90 % interval", estimate_figures),
    Spec("liquidations.long_share_corrected.{window}", "share", "the long share with what feeds hid", estimate_figures),
    Spec("liquidations.venue.{venue}.estimate.{window}", "usd", "the estimate of one venue", estimate_figures),
    Spec("liquidations.venue.{venue}.{window}", "usd", "of one venue; also .long .short .count .share .coverage …", venue_figures),
    Spec("liquidations.base.{base}.{window}", "usd", "total of one coin, or of the rest; also .share .long_share", base_figures),
    Spec("liquidations.elsewhere.{name}.{window}", "usd", "what another aggregator states, as imported", elsewhere_figures),
)  # fmt: skip
