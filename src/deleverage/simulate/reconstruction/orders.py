"""The forced orders of the 48 hours, all of them and those a feed would have printed, scaled to what was published.

Which order comes when is the path's and the positions' doing; only sizes are scaled, by one factor per venue, side and coin, so that
the *printed* notional of the published 24 hours meets every published total. The truth behind a throttle is then whatever it is.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.simulate.reconstruction.facts import AT, BASES, COINS, HOUR, SECOND, SIDES, START, TARGETS
from deleverage.simulate.reconstruction.positions import Positions, positions, smoothed
from deleverage.simulate.throttle import printed

Floats = NDArray[np.float64]
MEAN_USD = {"bybit": 14_000.0, "hyperliquid": 18_000.0, "binance": 9_000.0, "htx": 12_000.0, "okx": 11_000.0, "deribit": 30_000.0}
"""Assumed mean size of a forced order, USD: decides how many positions are drawn."""
CAUGHT = 0.13
"""Share of the positions drawn that a fall like this one closes: decides how many are drawn, nothing else."""
RULES = {"binance": "latest_per_second", "okx": "one_per_second"}
"""Venues whose feed showed one order per contract and second in November 2025; the others showed all."""
AT_BANKRUPTCY = ("bybit", "okx", "htx")
"""Venues that print the bankruptcy price."""
LOT = {"BTC": 0.001, "ETH": 0.01, "SOL": 0.1, "HYPE": 0.1, "DOGE": 1.0, "XRP": 1.0, "SUI": 1.0}
"""Smallest step of a size in coins."""
DAILY_USD = {"BTC": 30e9, "ETH": 18e9, "SOL": 6e9, "HYPE": 1e9, "DOGE": 2e9, "XRP": 3e9, "SUI": 1e9}
"""Assumed volume a day: decides how far forced orders push their own fills."""
EARLIER = 0.3
"""Size of orders before the published 24 hours, against the same scaling inside: assumed, nothing was published of them."""
LISTED = {venue: COINS if venue != "deribit" else ("BTC", "ETH", "SOL") for venue in TARGETS}
FIRST_PART, PAUSE = 0.2, 30
"""Hyperliquid closes a fifth of a large position first and the rest 30 s later (margining page)."""
LARGE_USD = 100_000.0


class Market(NamedTuple):
    """The whole truth: prices, positions and forced orders by (venue, coin)."""

    marks: Mapping[tuple[str, str], Floats]
    lasts: Mapping[tuple[str, str], Floats]
    positions: Mapping[tuple[str, str], Positions]
    orders: pl.DataFrame


def market(paths: Mapping[str, Mapping[str, Floats]], scale: float, rng: np.random.Generator) -> Market:
    """Draw positions of every contract and let the path close them. `scale` multiplies how many there are; totals stay.

    `orders` has venue, coin, ts (ns UTC), is_long, size (coins), mark, fill, bankruptcy (USD), account, is_printed, and usd as the
    venue's feed would have it.
    """
    lasts = {(venue, coin): paths[coin][venue] for venue in TARGETS for coin in LISTED[venue]}
    marks = {key: smoothed(path) for key, path in lasts.items()}
    drawn: dict[tuple[str, str], Positions] = {}
    frames = []
    for (venue, coin), mark in marks.items():
        target = sum(TARGETS[venue]) * 1e6 * _share(venue, coin)
        count = max(int(scale * target / MEAN_USD[venue] / CAUGHT), 4000)
        own = drawn[venue, coin] = positions(mark, venue, coin, count, MEAN_USD[venue] / 4.2, rng)
        frames.append(_forced(venue, coin, own, mark, rng))
    orders = pl.concat(frames).sort("ts", "venue", "coin", "account")
    factors = calibrated(_with_printed(orders, rng))
    orders = orders.join(factors, on=["venue", "coin", "is_long"], how="left").with_columns(
        pl.col("size") * pl.col("factor") * pl.when(pl.col("ts") < AT - 24 * HOUR).then(EARLIER).otherwise(1.0)
    )
    orders = _with_printed(_executed(orders.drop("factor")), rng).sort("ts", "venue", "coin", "account")
    return Market(marks, lasts, {key: _scaled(rows, key, factors, orders) for key, rows in drawn.items()}, orders)


def _share(venue: str, coin: str) -> float:
    """Share of a venue's notional expected in a coin, before anything is scaled."""
    rest = {"HYPE": 0.3, "DOGE": 0.25, "XRP": 0.3, "SUI": 0.15}
    total = sum(SIDES)
    share = BASES[coin] / total if coin in BASES else (total - sum(BASES.values())) / total * rest[coin]
    return share / sum(BASES.values()) * total if venue == "deribit" else share


def _forced(venue: str, coin: str, held: Positions, mark: Floats, rng: np.random.Generator) -> pl.DataFrame:
    """The orders of one contract, a split one as two."""
    hit = np.flatnonzero(held.forced >= 0)
    second = held.forced[hit]
    late = np.minimum(rng.exponential(0.35, len(hit)) + 0.02, 4.0)
    frame = pl.DataFrame({
        "venue": venue, "coin": coin, "ts": START + second * SECOND + (late * 1e6).astype(np.int64) * 1000, "is_long": held.is_long[hit],
        "size": held.size[hit], "mark": mark[second], "bankruptcy": held.bankruptcy[hit], "account": hit.astype(np.int64),
    })  # fmt: skip
    if venue != "hyperliquid":
        return frame
    is_large = pl.col("size") * pl.col("mark") > LARGE_USD
    small, large = frame.filter(~is_large), frame.filter(is_large)
    later = np.minimum((large["ts"].to_numpy() - START) // SECOND + PAUSE, len(mark) - 2)
    first = large.with_columns(pl.col("size") * FIRST_PART)
    rest = large.with_columns(
        pl.col("size") * (1 - FIRST_PART), ts=pl.Series(START + later * SECOND + 500_000_000), mark=pl.Series(mark[later])
    )
    return pl.concat([small, first, rest])


def _executed(orders: pl.DataFrame) -> pl.DataFrame:
    """Round sizes to lots and let what is forced in ten seconds push its own fills: half the square root of its share of a day's volume."""
    lots = pl.col("coin").replace_strict(LOT, return_dtype=pl.Float64)
    orders = orders.with_columns(size=((pl.col("size") / lots).round().clip(1) * lots).round(6))
    pushed = (
        orders.with_columns(slot=pl.col("ts") // (10 * SECOND), notional=pl.col("size") * pl.col("mark"))
        .select(pl.col("notional").sum().over("venue", "coin", "slot"))["notional"].to_numpy()
    )  # fmt: skip
    volume = orders["coin"].replace_strict(DAILY_USD, return_dtype=pl.Float64).to_numpy()
    slip = np.minimum(0.0002 + 0.5 * np.sqrt(pushed / volume) * 0.06, 0.03)
    side = np.where(orders["is_long"].to_numpy(), 1.0, -1.0)
    return orders.with_columns(fill=pl.Series(orders["mark"].to_numpy() * (1 - side * slip)))


def _with_printed(orders: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Mark what a feed shows, and the notional as its parser reads it."""
    fill = pl.col("fill") if "fill" in orders.columns else pl.col("mark")
    priced = pl.when(pl.col("venue").is_in(AT_BANKRUPTCY)).then(pl.col("bankruptcy")).otherwise(fill)
    orders = orders.with_columns(usd=pl.col("size") * priced)
    contract = orders.select(pl.struct("venue", "coin").rank("dense"))["venue"].to_numpy().astype(np.int64)
    seconds = (orders["ts"].to_numpy() - START) / SECOND
    shown = ~orders["venue"].is_in(list(RULES)).to_numpy()
    for venue in RULES:
        own = np.flatnonzero((orders["venue"] == venue).to_numpy())
        # both rules by time alone, so that what is shown does not change when sizes are scaled
        shown[own[printed(contract[own], seconds[own], np.ones(len(own)), "latest_per_second", rng=rng)]] = True
    return orders.with_columns(is_printed=pl.Series(shown))


def calibrated(orders: pl.DataFrame, rounds: int = 200) -> pl.DataFrame:
    """Return the factor of every (venue, coin, is_long) by which sizes are multiplied so that printed notional meets the published totals.

    Iterative proportional fitting of the printed 24 hours to the totals by venue and side, and by coin.
    """
    inside = orders.filter(pl.col("is_printed") & (pl.col("ts") >= AT - 24 * HOUR) & (pl.col("ts") < AT))
    cells = inside.group_by("venue", "coin", "is_long").agg(pl.col("usd").sum()).sort("venue", "coin", "is_long")
    group = cells["coin"].map_elements(lambda coin: coin if coin in BASES else "other", return_dtype=pl.String).to_numpy()
    rest = sum(SIDES) - sum(BASES.values())
    targets = [TARGETS[venue].long if is_long else TARGETS[venue].short for venue, is_long in cells.select("venue", "is_long").rows()]
    rows = cells.select(pl.struct("venue", "is_long").rank("dense"))["venue"].to_numpy()
    usd = cells["usd"].to_numpy() / 1e6
    factor = np.ones(len(usd))
    for _ in range(rounds):
        for coin in (*BASES, "other"):
            own = group == coin
            factor[own] *= (BASES.get(coin, rest)) / (usd[own] * factor[own]).sum()
        for row in np.unique(rows):
            own = rows == row
            factor[own] *= targets[int(np.flatnonzero(own)[0])] / (usd[own] * factor[own]).sum()
    found = cells.select("venue", "coin", "is_long").with_columns(factor=pl.Series(factor))
    everything = orders.select("venue", "coin", "is_long").unique()
    return everything.join(found, on=["venue", "coin", "is_long"], how="left").with_columns(pl.col("factor").fill_null(1.0))


def _scaled(held: Positions, key: tuple[str, str], factors: pl.DataFrame, orders: pl.DataFrame) -> Positions:
    """Scale the sizes of positions as their forced orders were; one that is forced is as large as its orders together."""
    own = factors.filter((pl.col("venue") == key[0]) & (pl.col("coin") == key[1]))
    by_side = dict(own.select("is_long", "factor").iter_rows())
    size = held.size * np.where(held.is_long, by_side.get(True, 1.0), by_side.get(False, 1.0))
    filled = orders.filter((pl.col("venue") == key[0]) & (pl.col("coin") == key[1])).group_by("account").agg(pl.col("size").sum())
    size[filled["account"].to_numpy()] = filled["size"].to_numpy()
    return held._replace(size=size)
