"""How volatility, skew and the index went through a window, the published index beside them, and what the price did meanwhile.

A window is cut into at most 48 buckets aligned to UTC. The session is held while the quotes of one are read, never while they are
fitted, and a bucket that is over is worked out once.
"""

from typing import Any, NamedTuple, cast

import polars as pl

from deleverage.analytics.options import chain, smile, term, volatility_index
from deleverage.analytics.options.quotes import KINDS
from deleverage.api.anatomy import MS, frame
from deleverage.api.option_material import FILTERS, REACHES, SECOND, SETTLED, Asked, Desk, Hold, Material
from deleverage.api.session import Session

MOST = 48
STEPS = tuple(m * 60 * SECOND for m in (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 5760, 10080))
"""Lengths of a bucket (ns)."""
TENOR = 30.0
NAMES = ("atm", "rr25", "bf25", "rr10", "bf10", "index")
CANDLE = 900 * SECOND
CANDLE_DAYS = 400
"""How far back closes are read for realised volatility."""
DAY = 86_400 * SECOND


class Candles(NamedTuple):
    """Closes of one contract as rows that `realised` takes; `source` names the contract. Empty where none are known."""

    rows: pl.DataFrame
    source: str


def bucket_of(asked: Asked) -> int:
    """Return the length (ns) of a bucket: the shortest step that needs no more than 48 of them."""
    needed = (asked.at - asked.start) / MOST
    return next((step for step in STEPS if step >= needed), -int(-needed // DAY) * DAY)


def points(hold: Hold, desk: Desk, material: Material) -> list[dict[str, Any]]:
    """Return one row per bucket that has a chain: ts_ms (of its newest quote) and 30-day `NAMES`: decimals, the index in points."""
    if material.venue is None:
        return []
    with desk.past:
        return _points(hold, desk, material, material.venue)


def _points(hold: Hold, desk: Desk, material: Material, venue: str) -> list[dict[str, Any]]:
    asked, bucket = material.asked, bucket_of(material.asked)
    found = []
    for number in range(asked.start // bucket, asked.at // bucket + 1):
        low, high = number * bucket, min((number + 1) * bucket, asked.at + 1)
        key = (asked.base, venue, bucket, number)
        is_over = asked.as_of >= high + SETTLED and high == (number + 1) * bucket
        known = desk.points.get(key, asked.as_of) if is_over else None
        if known is None:
            with hold() as session:
                quotes = _quotes(session, asked, venue, low, high)
            point = _point(quotes, asked.base, venue)
            if is_over:
                desk.points.put(key, asked.as_of, point)
        else:
            point = known.value
        if point is not None:
            found.append(point)
    return found[-MOST:]


def _quotes(session: Session, asked: Asked, venue: str, low: int, high: int) -> pl.DataFrame:
    """Read the last quotes of a bucket [low, high); the caller holds the session."""
    rows = pl.DataFrame()
    for reach in (*REACHES, high - low):
        start = max(low, high - reach)
        rows = frame(
            session.store.latest("option_quotes", ("venue_symbol",), start, high, asked.as_of, base=asked.base, venue=venue, told=KINDS)
        )  # fmt: skip
        if not rows.is_empty() or start == low:
            break
    return rows


def _point(quotes: pl.DataFrame, base: str, venue: str) -> dict[str, Any] | None:
    """What one chain says of 30 days. Expiries are fitted from the latest on, so those before the ones around 30 days can be left out."""
    if quotes.is_empty():
        return None
    at = int(quotes["ts_event"].max())  # type: ignore[arg-type]  # not empty
    built = chain.build(quotes, at, venue=venue, base=base, filters=FILTERS)
    index = volatility_index.from_chain(built)
    ends = sorted(f.expiry for f in built.forwards if f.years * 365 <= TENOR)
    kept = built._replace(options=built.options.filter(pl.col("expiry") >= ends[-1])) if ends else built
    row = term.constant_maturity(smile.fit(kept), [TENOR]).row(0, named=True)
    return {"ts_ms": at // MS} | {name: row.get(name) for name in NAMES} | {"index": index.points}


def published(session: Session, asked: Asked) -> pl.DataFrame:
    """Read the published index of the base: ts_event, volatility (points), venue, index_name, the last of each bucket; the caller holds
    the session."""
    start = min(asked.start, asked.at - REACHES[-1])
    rows = frame(
        session.store.latest(
            "volatility_indices", ("venue", "index_name"), start, asked.at + 1, asked.as_of, base=asked.base, bucket=bucket_of(asked)
        )
    )
    if rows.is_empty():
        return rows
    first = rows.group_by("venue", "index_name").len().sort("len", "venue", "index_name", descending=[True, False, False]).row(0)
    return rows.filter(venue=first[0], index_name=first[1]).select("ts_event", "volatility", "venue", "index_name").sort("ts_event")


def candles(session: Session, desk: Desk, asked: Asked, venue: str | None) -> Candles:
    """Read closes of one contract of the base every quarter of an hour, over 400 days at most: on the options' venue where it has any, of
    the contract told most finely. The caller holds the session."""
    end = asked.at // CANDLE * CANDLE
    key = (asked.base, venue, end)
    if asked.as_of < end + SETTLED:
        return _candles(session, asked, venue, end)
    known = desk.candles.get(key, asked.as_of)
    if known is None:
        found: Candles = _candles(session, asked, venue, end)
        desk.candles.put(key, asked.as_of, found)
        return found
    return cast(Candles, known.value)


def _candles(session: Session, asked: Asked, venue: str | None, end: int) -> Candles:
    store, empty = session.store, Candles(pl.DataFrame(), "")
    per = ("venue", "symbol", "interval_seconds", "price_kind")
    series = frame(store.latest("candles", per, end - 2 * DAY, asked.at + 1, asked.as_of, base=asked.base, where={"is_closed": True}))
    series = series.filter(pl.col("price_kind").is_in(["last", "index"]))
    if series.is_empty():
        return empty
    chosen = series.sort(
        pl.col("venue") != (venue or ""), "interval_seconds", "price_kind", "venue", "symbol", descending=[False, False, True, False, False]
    ).row(0, named=True)
    step = max(int(chosen["interval_seconds"]) * SECOND, CANDLE)
    rows = frame(
        store.latest(
            "candles", ("symbol",), end - CANDLE_DAYS * DAY, end, asked.as_of, base=asked.base, venue=chosen["venue"], bucket=step,
            where={"symbol": chosen["symbol"], "interval_seconds": chosen["interval_seconds"], "price_kind": chosen["price_kind"],
                   "is_closed": True},
        )
    )  # fmt: skip
    close = pl.col("ts_open") + pl.col("interval_seconds").cast(pl.Int64) * SECOND
    kept = rows.select((close - step).alias("ts_open"), pl.lit(step // SECOND).cast(pl.Int64).alias("interval_seconds"), "close")
    words = f"closes every {step // SECOND // 60} min of {chosen['symbol']} on {chosen['venue']}"
    return Candles(kept.unique("ts_open", keep="last").sort("ts_open"), words)
