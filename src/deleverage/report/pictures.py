"""The charts of a reading: what is drawn, and the source and coverage printed on it."""

import numpy as np
import polars as pl

from deleverage.analytics import completeness, etf_flows, funding, macro, sentiment
from deleverage.analytics.liquidations import treemap
from deleverage.report.charts import liquidated, moves, outside
from deleverage.report.charts.canvas import Chart, percent
from deleverage.report.charts.clock import words
from deleverage.report.figures import leverage as figures_leverage
from deleverage.report.figures import options as figures_options
from deleverage.report.figures import outside as figures_outside
from deleverage.report.figures import waves as figures_waves
from deleverage.report.figures.liquidations import BASES, by_venue, contracts
from deleverage.report.reading import DAY, Reading
from deleverage.venues import VENUES

MOST_LEVELS = 5
"""Broken levels drawn: the roundest."""
MOST_POINTS = 1200
"""Points of a line: more than a page has room for are thinned to the extremes of each slot."""


def credit(reading: Reading, what: str) -> str:
    """Write where a picture's data is from, of when, and what made it."""
    made = "Reconstruction, not recorded events. " if reading.question.is_reconstruction else ""
    known = "" if reading.at == reading.as_of else f" as known {words(reading.as_of, '%-d %b %Y %H:%M')}"
    return f"{made}Source: {what}. To {words(reading.at, '%-d %B %Y %H:%M')} UTC{known}."


def _titles(names: list[str]) -> str:
    return ", ".join(VENUES[name].title if name in VENUES else name for name in names)


def _liquidation_credit(reading: Reading) -> str:
    named = [row["venue"] for row in by_venue(reading)] or reading.seen
    absent = f"; not received: {_titles(list(reading.missing))}" if reading.missing else ""
    return credit(reading, f"forced orders of {_titles(named)}, {percent(reading.coverage)} of the window received{absent}")


def venues(reading: Reading) -> Chart | None:
    """Bars by venue with estimates."""
    rows = [row for row in by_venue(reading) if row["total_usd"]]
    if not rows:
        return None
    guesses = {str(name): completeness.estimate(own) for (name,), own in contracts(reading).group_by(["venue"], maintain_order=True)}
    bars = []
    for row in rows:
        told = guesses.get(row["venue"])
        whisker = told if told is not None and told.status != "measured" else None
        bars.append(liquidated.Bar(
            VENUES[row["venue"]].title, row["long_usd"], row["short_usd"], None if whisker is None else whisker.low_usd,
            None if whisker is None else whisker.high_usd, whisker is None or whisker.high_usd is not None,
            reading.rules.get(row["venue"], "undisclosed").replace("_per_second", "/s").replace("_", " "), reading.heard(row["venue"]),
        ))  # fmt: skip
    return liquidated.venues(bars, _liquidation_credit(reading))


def heatmap(reading: Reading) -> Chart | None:
    """Venue by time."""
    if not by_venue(reading):
        return None
    bucket = max(reading.window // liquidated.MOST_BUCKETS, 60 * 1_000_000_000)
    start = reading.start // bucket * bucket
    count = -(-(reading.at - start) // bucket)
    inside = reading.prints.filter(pl.col("ts_event") >= reading.start)
    cells = inside.group_by("venue", slot=(pl.col("ts_event") - start) // bucket).agg(
        micros=(pl.col("notional_usd") * 1e6 + 0.5).floor().cast(pl.Int64).sum()
    )  # fmt: skip
    sums = {(venue, slot): micros / 1e6 for venue, slot, micros in cells.iter_rows()}
    rows = []
    for name in reading.seen:
        covered = [False] * count
        for low, high in reading.stretches(name):
            for slot in range((low - start) // bucket, (high - 1 - start) // bucket + 1):
                covered[slot] = True
        values = [sums.get((name, slot), 0.0 if covered[slot] else None) for slot in range(count)]
        rows.append(liquidated.Row(VENUES[name].title, values))
    return liquidated.heatmap(rows, start, bucket, _liquidation_credit(reading))


def coins(reading: Reading) -> Chart | None:
    """Coins by size, with the rest."""
    tree = treemap(reading.sums, BASES)
    if not tree["total_usd"] or len(tree["items"]) < 2:
        return None
    boxes = [liquidated.Box(row["base"], row["total_usd"], row["long_share"]) for row in tree["items"]]
    rest = tree["rest"]
    if rest["bases"]:
        share = rest["long_usd"] / rest["total_usd"] if rest["total_usd"] else None
        boxes.append(liquidated.Box(f"{rest['bases']} others", rest["total_usd"], share))
    return liquidated.treemap(boxes, _liquidation_credit(reading))


def price(reading: Reading) -> Chart | None:
    """The price with waves and broken levels."""
    of = reading.priced("window", reading.start)
    rows = reading.rows(of).sort("ts_event")
    if len(rows) < 3:
        return None
    points = thinned(list(rows.select("ts_event", "price").iter_rows()))
    found = figures_waves.told(reading)
    bands = [moves.Band(w.number, w.start, w.end, w.long_usd >= w.short_usd) for w in found]
    largest = sorted(found, key=lambda w: -(w.long_usd + w.short_usd))[:3]
    broken = [moves.Level(level.price, level.words) for w in largest for level in figures_waves.levels(w)]
    what = f"{rows['symbol'][0]} on {VENUES[rows['venue'][0]].title}" if rows["venue"][0] in VENUES else str(rows["symbol"][0])
    source = credit(reading, f"{rows['price_kind'][0]} of {what}; numbers: waves; dashed: levels that broke in the largest")
    roundest = sorted({level.price: level for level in broken}.values(), key=lambda level: (-_zeros(level.price), -level.price))
    unique = roundest[:MOST_LEVELS]
    return moves.price(points, bands, unique, reading.start, reading.at, reading.question.base, source)


def _zeros(price: float) -> int:
    """How round a price is."""
    digits = f"{price:.6f}".rstrip("0").rstrip(".").replace(".", "")
    return len(digits) - len(digits.rstrip("0"))


def thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Keep the first, lowest, highest and last of every slot, so that no extreme is lost."""
    if len(points) <= MOST_POINTS:
        return points
    size = -(-len(points) * 4 // MOST_POINTS)
    kept: list[tuple[int, float]] = []
    for first in range(0, len(points), size):
        slot = points[first : first + size]
        low, high = min(slot, key=lambda p: p[1]), max(slot, key=lambda p: p[1])
        kept += sorted({slot[0], low, high, slot[-1]})
    return kept


def rates(reading: Reading) -> Chart | None:
    """Funding by venue."""
    kind = figures_leverage.kind(reading)
    own = figures_leverage.main_contracts(reading)
    if not own:
        return None
    found = [moves.Rate(VENUES[r["venue"]].title if r["venue"] in VENUES else r["venue"], r["rate_8h"], r["why_not"] == "stale")
             for r in sorted(own, key=lambda r: (-r["rate_8h"], r["venue"]))]  # fmt: skip
    whole: funding.Weighted = figures_leverage.weighted(reading)
    base = reading.question.base
    note = f"{kind} rates per 8 h of the main {base} contract of each venue; weighted by open interest"
    hatched = ", hatched: stale" if any(r.is_stale for r in found) else ""
    return moves.funding(found, whole.rate_8h, credit(reading, note + hatched))


def interest(reading: Reading) -> Chart | None:
    """Open interest in coins by hour."""
    rows = figures_leverage.series(reading)
    if rows.is_empty():
        return None
    points = [(ts, coins if complete else None) for ts, coins, complete in rows.select("ts", "coins", "is_complete").iter_rows()]
    first = next((i for i, (_, v) in enumerate(points) if v is not None), len(points))
    if len([v for _, v in points[first:] if v is not None]) < 4:
        return None
    source = credit(reading, f"one-sided open interest of {reading.question.base} futures and perpetuals of the venues read, hourly")
    return moves.open_interest(points[first:], reading.question.base, source)


def smiles(reading: Reading) -> Chart | None:
    """Smiles of three expiries: the nearest past two days, and those nearest to 30 and 90 days."""
    found = figures_options.fitted(reading)
    if found is None:
        return None
    built, surface = found
    usable = [s for s in surface.slices if s.years * 365 >= 2 and len(s.quotes) >= 4]
    if not usable:
        return None
    chosen = [usable[0], *(min(usable, key=lambda s, d=days: abs(s.years * 365 - d)) for days in (30, 90))]  # type: ignore[misc]
    spot, lines = figures_options.spot(reading, built), []
    for one in dict.fromkeys(s.expiry for s in chosen):
        fit = next(s for s in usable if s.expiry == one)
        quotes = [(fit.forward * float(np.exp(k)), iv) for k, iv in fit.quotes.select("k", "iv").sort("k").iter_rows()]
        low, high = max(quotes[0][0], 0.7 * spot), min(quotes[-1][0], 1.35 * spot)
        curve = [(k, float(fit.volatility(k))) for k in np.linspace(low, high, 81)] if high > low else []
        lines.append(outside.Smile(words(one, "%-d %b %Y"), curve, quotes))
    return outside.smiles(
        lines, spot, credit(reading, f"{built.base} options of {VENUES[built.venue].title}, quotes to {words(built.at, '%H:%M')}")
    )


def gamma(reading: Reading) -> Chart | None:
    """Dealers' gamma by price."""
    found, made = figures_options.dealers(reading), figures_options.fitted(reading)
    if found is None or made is None:
        return None
    spot = figures_options.spot(reading, made[0])
    lines = []
    for one in found.conventions:
        points = [(float(p), float(v)) for p, v in zip(found.prices, one.curve, strict=True) if 0.75 * spot <= p <= 1.25 * spot]
        if points:
            lines.append(outside.Curve(one.name.replace("_", " "), points))
    if not lines:
        return None
    what = "open interest of options on " + VENUES[made[0].venue].title + "; whose positions they are is an assumption, see the conventions"
    return outside.gamma(lines, spot, credit(reading, what))


def mood(reading: Reading) -> Chart | None:
    """The sentiment index over a year."""
    rows = reading.plain("sentiment_readings")
    held = sentiment.history(rows, figures_outside.index_name(reading), reading.as_of).filter(
        pl.col("ts_event").is_between(reading.at - 365 * DAY, reading.at)
    )
    if len(held) < 30:
        return None
    points = list(held.select("ts_event", "value").iter_rows())
    return outside.sentiment(points, credit(reading, "alternative.me, Crypto Fear & Greed Index, one value a day"))


def flows(reading: Reading, base: str = "BTC") -> Chart | None:
    """Net flows of a coin's funds over the last sixty trading days."""
    rows = reading.plain("etf_flows").filter(pl.col("ts_event") <= reading.at)
    told, source, _ = etf_flows.fund_days(rows, reading.as_of, base=base)
    days = etf_flows.daily(told).tail(60)
    if len(days) < 5:
        return None
    ts = days["trading_day"].cast(pl.Datetime("ns")).dt.epoch("ns").to_list()
    points = list(zip(ts, days["net_flow_usd"].to_list(), days["is_provisional"].to_list(), strict=True))
    return outside.flows(
        points, credit(reading, f"net flows of US spot {base} funds by trading day as told by {source}; hatched: provisional")
    )


TITLES = {
    "DGS10": "10-year yield, %", "DFII10": "10-year real yield, %", "BREAKEVEN10": "10-year breakeven, %",
    "DTWEXBGS": "Broad dollar index", "SP500": "S&P 500", "NASDAQCOM": "Nasdaq Composite", "VIXCLS": "VIX",
}  # fmt: skip
"""Series drawn and tabled, by what they are called."""


def economy(reading: Reading) -> Chart | None:
    """Yields and the dollar over a year."""
    rows = reading.plain("macro_observations")
    lines = []
    for name in TITLES:
        if not len(rows):
            break
        held = macro.observed(rows, name, reading.as_of).filter(pl.col("ts").is_between(reading.at - 365 * DAY, reading.at))
        if len(held) > 20:
            digits = 2 if name in macro.UNITS else 1
            points = list(held.select("ts", "value").iter_rows())
            lines.append(outside.Series(TITLES[name], points, lambda v, d=digits: f"{v:,.{d}f}"))  # type: ignore[misc]
    if not lines:
        return None
    return outside.macro(lines[:6], credit(reading, "FRED, Federal Reserve Bank of St. Louis; each on its own scale"))
