"""What our sentiment index is made of, day by day, from the tables: each component a frame `ts` (when it was known), `value`.

A row received more than three days after its time was brought in afterwards and counts from its own time; else from its receipt.
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from deleverage.analytics import etf_flows, funding_history, sentiment
from deleverage.analytics.coverage import coverage, of_liquidations
from deleverage.api.anatomy import frame
from deleverage.api.outside import DAY, HOUR, Scope
from deleverage.api.session import Session

BASE = "BTC"
PAST = 2 * 365 * DAY + 30 * DAY
"""A year of history for each day of the year before."""
AFTERWARDS = 3 * DAY
MONTH = 30
COINS = 8
"""Coins below which breadth is not told."""
COVERED = 0.9
"""Share of a day in which liquidations must have been received."""


class About(NamedTuple):
    """A component in words: what it is, the unit of its value, and what has to be in the data for it."""

    title: str
    unit: str
    needs: str


ABOUT: Mapping[str, About] = {
    "volatility": About("Volatility index", "points", "a year of the published volatility index (volatility_indices)"),
    "drawdown": About("Price under its highest of a year", "share", "a year of bitcoin's prices (candles)"),
    "momentum": About("Price over its 30-day mean", "log", "a year of bitcoin's prices (candles)"),
    "skew": About("Calls over puts", "points", "a year of daily option chains (option_quotes); not made from them yet"),
    "funding": About("Funding, mean of a day", "share per 8 h", "a year of settled funding (funding_rates)"),
    "liquidations": About(
        "Long liquidations over their usual", "times", "a year of days on which one venue's liquidations were received throughout"
    ),
    "etf_flow": About("ETF flow of five days", "usd", "half a year of flows (etf_flows)"),
    "breadth": About("Coins above their 30-day mean", "share", f"a year of hourly or daily candles of {COINS} coins on one venue"),
}


class Parts(NamedTuple):
    """The components that can be made, and which rows each rests on."""

    frames: Mapping[str, pl.DataFrame]
    sources: Mapping[str, str]


def read(session: Session, scope: Scope, flows: pl.DataFrame) -> Parts:
    """Read every component up to the scope's `at`; `flows`: rows of etf_flows of the base. The caller holds the session."""
    start = max(scope.at - PAST, 0)
    frames: dict[str, pl.DataFrame] = {}
    sources: dict[str, str] = {}
    for name, source, rows in (
        _volatility(session, scope, start), *_prices(session, scope, start), _funding(session, scope, start),
        _liquidations(session, scope, start), _flow(flows),
    ):  # fmt: skip
        if rows is not None and rows.height:
            frames[name], sources[name] = rows, source
    return Parts(frames, sources)


Part = tuple[str, str, pl.DataFrame | None]


def _known() -> pl.Expr:
    received = pl.col("ts_recv")
    return pl.when(received - pl.col("ts_event") <= AFTERWARDS).then(pl.max_horizontal("ts_event", received)).otherwise("ts_event")


def _volatility(session: Session, scope: Scope, start: int) -> Part:
    per = ("venue", "index_name")
    rows = frame(session.store.latest("volatility_indices", per, start, scope.at + 1, scope.as_of, base=BASE, bucket=DAY))
    if not rows.height:
        return "volatility", "", None
    (venue, name), held = _most(rows, *per)
    return "volatility", f"volatility_indices/{venue}/{name}", held.select(ts=_known(), value="volatility").sort("ts")


def _prices(session: Session, scope: Scope, start: int) -> list[Part]:
    series = session.store.price_series(BASE, start, scope.at, scope.as_of, DAY)
    if series is None:
        return []
    prices = pl.DataFrame(series.points, schema={"ts": pl.Int64, "price": pl.Float64}, orient="row")
    source = f"{series.price_kind} price/{series.venue}/{series.symbol}"
    return [
        ("drawdown", source, sentiment.drawdown(prices)), ("momentum", source, sentiment.momentum(prices, MONTH).drop_nulls()),
        ("breadth", f"candles/{series.venue}", _breadth(session, scope, start, series.venue)),
    ]  # fmt: skip


def _breadth(session: Session, scope: Scope, start: int, venue: str) -> pl.DataFrame | None:
    for seconds in (86_400, 3_600):
        rows = frame(session.store.latest(
            "candles", ("base", "symbol"), start, scope.at + 1, scope.as_of, venue=venue, bucket=DAY,
            where={"price_kind": "last", "interval_seconds": seconds, "is_closed": True},
        ))  # fmt: skip
        if rows["base"].n_unique() >= COINS:
            break
    else:
        return None
    longest = rows.group_by("base", "symbol").len().sort("len", "symbol", descending=[True, False]).unique("base", keep="first")
    held = rows.join(longest.select("base", "symbol"), on=["base", "symbol"]).select("base", day=pl.col("ts_event") // DAY, price="close")
    mean = pl.col("price").rolling_mean_by("day", f"{MONTH}i").over("base")
    full = pl.col("day") - pl.col("day").min().over("base") >= MONTH - 1
    above = held.sort("base", "day").filter(full).with_columns(above=pl.col("price") > mean) if held.height else held
    days = above.group_by("day").agg(pl.col("above").mean().alias("value"), pl.len().alias("coins")).filter(pl.col("coins") >= COINS)
    return days.select(ts=pl.min_horizontal((pl.col("day") + 1) * DAY, scope.at), value="value").sort("ts")


def _funding(session: Session, scope: Scope, start: int) -> Part:
    rows = frame(session.store.latest(
        "funding_rates", ("venue", "symbol"), start, scope.at + 1, scope.as_of, base=BASE, where={"funding_kind": "settled"}, bucket=HOUR
    ))  # fmt: skip
    if not rows.height:
        return "funding", "", None
    days = funding_history.history(rows, start, scope.at, hours=24).filter(pl.col("ts_end") <= scope.at).drop_nulls("rate_8h")
    if not days.height:
        return "funding", "", None
    (venue, symbol), held = _most(days, "venue", "symbol")
    return "funding", f"funding_rates/{venue}/{symbol}", held.select(ts="ts_end", value="rate_8h").sort("ts")


def _liquidations(session: Session, scope: Scope, start: int) -> Part:
    first = start // DAY
    sums: dict[tuple[str, int], float] = {}
    for venue, slot, side, micros in session.store.liquidation_grid(first * DAY, scope.at, DAY, scope.as_of):
        if side == "long":
            sums[venue, first + slot] = micros / 1e6
    spans = [span for span in session.spans() if span.known <= scope.as_of]
    best: tuple[str, list[tuple[int, float]]] = ("", [])
    for venue in sorted({venue for venue, _ in sums}):
        own = of_liquidations(spans, venue)
        days = sorted(day for v, day in sums if v == venue)
        held = [
            (day, sums.get((venue, day), 0.0)) for day in range(days[0], scope.at // DAY)
            if coverage(own, day * DAY, (day + 1) * DAY) >= COVERED
        ]  # fmt: skip
        best = max(best, (venue, held), key=lambda found: len(found[1]))
    if not best[1]:
        return "liquidations", "", None
    rows = pl.DataFrame(best[1], schema={"day": pl.Int64, "usd": pl.Float64}, orient="row")
    usual = pl.col("usd").rolling_median_by("day", f"{MONTH}i", closed="left")
    times = rows.select(ts=(pl.col("day") + 1) * DAY, value=pl.when(usual > 0).then(pl.col("usd") / usual)).drop_nulls()
    return "liquidations", f"liquidations/{best[0]}", times


def _flow(flows: pl.DataFrame) -> Part:
    told, source, _ = etf_flows.fund_days(flows, base=BASE)
    if not told.height:
        return "etf_flow", "", None
    midnight = pl.col("trading_day").cast(pl.Datetime("ns")).dt.epoch("ns")
    by_morning = midnight + 30 * HOUR
    received = pl.col("known_at")
    days = etf_flows.daily(told).select(
        ts=pl.when(received - midnight <= AFTERWARDS).then(pl.max_horizontal(by_morning, received)).otherwise(by_morning),
        value=pl.col("net_flow_usd").rolling_sum(5),
    )
    return "etf_flow", f"etf_flows/{source}", days.drop_nulls().sort("ts")


def _most(rows: pl.DataFrame, *by: str) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Return the group with most rows (of equals the first by name): its names and its rows."""
    counts = rows.group_by(by).len().sort(["len", *by], descending=[True, *(False for _ in by)])
    names = counts.row(0)[:-1]
    return names, rows.filter(pl.all_horizontal(pl.col(name) == value for name, value in zip(by, names, strict=True)))
