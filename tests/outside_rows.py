"""Rows of the tables that references fill, constructed: small made-up numbers whose sums can be seen, not anyone's data."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from deleverage.analytics.trading_days import trading_days
from deleverage.collect.history import import_table
from deleverage.events import Candle, EtfFlow, Event, FundingRate, MacroObservation, SentimentReading, VolatilityIndex
from deleverage.store.columns import group, to_arrow
from deleverage.store.folder import Folder
from deleverage.tables import TABLE_OF

DAY = 86_400_000_000_000
HOUR = DAY // 24
LAST = date(2026, 3, 12)
"""A Thursday; New York is in summer time since the 8th."""
EVENING = "2026-03-13T12:00:00Z"
"""The morning after, by when the flows of the last day are known."""


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000


def days(count: int) -> list[date]:
    """Return the days up to the day after the last, oldest first."""
    return [LAST + timedelta(days=1 - n) for n in reversed(range(count))]


def readings(count: int = 120) -> list[Event]:
    """A mood that fell from 60 to 20 on 10 March; the source's own word for 20 is in capitals, as it writes it."""
    found: list[Event] = []
    for day in days(count):
        value = 20.0 if day >= date(2026, 3, 10) else 60.0
        word = "Extreme Fear" if value < 25 else "Greed"
        found.append(SentimentReading("alternative.me", "", "", "", midnight(day), midnight(day) + HOUR, "fear_and_greed", value, word))
    return found


def flow(day: date, fund: str, usd: float, *, provisional: bool = False, received: int | None = None, base: str = "BTC") -> EtfFlow:
    known = midnight(day) + 30 * HOUR if received is None else received
    return EtfFlow("farside", base, base, base, midnight(day), known, fund, day.isoformat(), usd, provisional)


def flows(first: date = date(2025, 12, 31)) -> list[Event]:
    """Two funds, one bringing 10 M a trading day and one losing 4 M, until 10 March: from then on 50 M leave the second a day."""
    found: list[Event] = []
    for day in trading_days(first, LAST):
        second = -50e6 if day >= date(2026, 3, 10) else -4e6
        found += [flow(day, "AAAA", 10e6), flow(day, "BBBB", second), flow(day, "TOTAL", 10e6 + second)]
    return found


def observations(count: int = 120) -> list[Event]:
    """Yields that alternate by a hundredth, real ones flat, and a dollar that climbs; each known at 21:00 UTC of the next day."""
    found: list[Event] = []
    for n, day in enumerate(trading_days(LAST - timedelta(days=count), LAST)):
        for series, value in (("DGS10", 4.0 + n % 2 / 100), ("DFII10", 1.5), ("DTWEXBGS", 120 + n / 10)):
            ts = midnight(day)
            found.append(MacroObservation("fred", "", "", "", ts, ts + 45 * HOUR, series, day.isoformat(), value))
    return found


def market(count: int = 400) -> list[Event]:
    """A year and more of a coin that rises by a thousandth a day, calm, with funding at rest."""
    found: list[Event] = []
    for n in range(count * 24):
        at = midnight(LAST) + DAY - (count * 24 - 1 - n) * HOUR
        price = 50_000 * 1.001 ** (n / 24)
        found.append(Candle("binance", "BTC/USDT:USDT", "BTCUSDT", "BTC", at, at, 3600, at - HOUR, price, price, price, price, 1.0))
        if n % 8 == 7:
            found.append(FundingRate("binance", "BTC/USDT:USDT", "BTCUSDT", "BTC", at, at, 1e-4, 8.0, at, "settled"))
        if n % 24 == 23:
            found.append(VolatilityIndex("deribit", "", "btc_usd", "BTC", at, at, "btc_usd", 40.0 + n % 7))
    return found


def stored(path: Path, *events: Sequence[Event]) -> Path:
    """Bring rows into a data directory as files of tables, each known when it was received."""
    folder = Folder(path / "data")
    folder.create()
    for number, batch in enumerate(events):
        for kind, rows in group(batch).items():
            file = path / f"{TABLE_OF[kind].name}-{number}.parquet"
            pq.write_table(to_arrow(rows), file)
            import_table(folder, file, TABLE_OF[kind].name, columns={}, units={}, constants={}, lag=None)
    return folder.path
