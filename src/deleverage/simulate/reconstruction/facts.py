"""What is known of the day: hourly candles and funding that were recorded, and the totals that were published. Nothing is made up here."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import polars as pl

HERE = Path(__file__).parent / "facts"
SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_763_596_800 * SECOND
"""2025-11-20T00:00:00Z, ns UTC: where the 48 hours begin."""
END = START + 48 * HOUR
AT = START + 39 * HOUR
"""2025-11-21T15:00:00Z: where the 24 hours of the published totals are taken to end; the article gives no instant."""
LOW = (START + 36 * HOUR + 25 * 60 * SECOND, 80_600.0)
"""The low of bitcoin on Binance's perpetual: 12:25 UTC on the 21st."""

COINS = ("BTC", "ETH", "SOL", "HYPE", "DOGE", "XRP", "SUI")
RECORDED = ("BTC", "ETH", "SOL", "HYPE", "DOGE")
"""Coins whose candles were recorded; the others follow them (`prices`)."""


class Published(NamedTuple):
    """Notional liquidated in 24 h on one venue, millions of USD."""

    long: float
    short: float


VENUES = {
    "bybit": Published(595.43, 33.68), "hyperliquid": Published(620.80, 8.02), "binance": Published(228.86, 53.42),
    "htx": Published(146.18, 5.93), "okx": Published(114.16, 24.49),
}  # fmt: skip
"""As the article of 21 November 2025 gives them."""
SIDES = Published(1860.0, 140.2)
"""All venues."""
REST = Published(SIDES.long - sum(v.long for v in VENUES.values()), SIDES.short - sum(v.short for v in VENUES.values()))
"""Of venues the article does not name; put on Deribit, whose own total was not published."""
TARGETS = {**VENUES, "deribit": REST}
BASES = {"BTC": 1010.0, "ETH": 423.0, "SOL": 100.0}
"""Of both sides by coin; the rest, 467, is spread over the other coins."""
VOLATILITY_INDEX = {"2025-11-20": 54.7, "2025-11-21": 57.4, "2025-11-22": 59.2}
"""Closes of Deribit's bitcoin volatility index."""
FEAR_AND_GREED = {"2025-11-20": 11, "2025-11-21": 14, "2025-11-22": 11}


@cache
def candles() -> pl.DataFrame:
    """Return hourly candles: timestamp, venue (binance, bybit), coin, o, h, l, c, v (coins); 1 to 22 November 2025."""
    return pl.read_parquet(HERE / "candles.parquet").sort("venue", "coin", "timestamp")


@cache
def funding() -> pl.DataFrame:
    """Return settled funding: timestamp, venue (binance, bybit, hyperliquid), coin, funding_rate per the venue's own interval."""
    return pl.read_parquet(HERE / "funding.parquet").sort("venue", "coin", "timestamp")


def hours(venue: str, coin: str, start: int, end: int) -> pl.DataFrame:
    """Return the candles of one contract whose hour begins in [start, end), ns UTC, in order of time."""
    span = (pl.col("timestamp").dt.timestamp("ns") >= start) & (pl.col("timestamp").dt.timestamp("ns") < end)
    return candles().filter((pl.col("venue") == venue) & (pl.col("coin") == coin) & span)
