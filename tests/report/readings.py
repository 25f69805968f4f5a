"""Readings for tests of the report: the golden table, the bundled day of stress and quiet day, and rows made here."""

from pathlib import Path

import pytest
from tests import golden

from deleverage.api.session import StoredSession
from deleverage.collect.ingest import import_frames, import_sources
from deleverage.events import FundingRate, OpenInterest, SentimentReading
from deleverage.report.reading import Reading, read
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.when import instant

HOUR = 3600 * 10**9
STRESS = ("binance-2025-01-26", instant("2025-01-27T17:20:30Z", 0))
QUIET = ("bybit-2026-10-10", instant("2026-10-10T01:10:00Z", 0))


def folder_of(tmp: Path, recording: str) -> Folder:
    """A data directory that holds a bundled recording."""
    folder = Folder(tmp / recording)
    import_sources(folder, [recording])
    return folder


def reading_of(folder: Folder, at: int, window: int, as_of: int | None = None, base: str = "BTC") -> Reading:
    """What a report reads of a directory."""
    from deleverage.collect.history import open_up_to_date

    session = StoredSession(open_up_to_date(folder), "")
    try:
        return read(session, at, at if as_of is None else as_of, window, base)
    finally:
        session.close()


def golden_reading(tmp: Path) -> Reading:
    """The published table of 20–21 November 2025."""
    folder = Folder(tmp / "golden")
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, golden.frames())
    session = StoredSession(store, "")
    try:
        return read(session, golden.END, golden.END, 24 * HOUR)
    finally:
        session.close()


AT = instant("2025-11-21T15:00:00Z", 0)
RATES = {"binance": (0.0001, 8.0), "hyperliquid": (-0.00001, 1.0)}
"""Rate and interval in hours: 0.0001 per 8 h, and −0.00001 per 1 h, which is −0.00008 per 8 h."""
COINS = {"binance": 3000.0, "hyperliquid": 1000.0}


def made_reading(later: bool = False) -> Reading:
    """Two venues' funding and open interest at 80,000 USD a coin, and Fear & Greed of 14 after 34; no liquidation.

    Weighted by open interest the rate is (3 × 0.0001 − 0.00008) / 4 = 0.000055. With `later` an hour has passed in which the last
    reading of Fear & Greed was corrected to 15.
    """
    store, rows = DuckStore(None), list[object]()
    for venue, (rate, hours) in RATES.items():
        quote = "USDC" if venue == "hyperliquid" else "USDT"
        contract = {"venue": venue, "symbol": f"BTC/{quote}:{quote}", "venue_symbol": "BTC", "base": "BTC"}
        told = {**contract, "ts_event": AT - 60 * 10**9, "ts_recv": AT - 60 * 10**9}
        rows.append(FundingRate(**told, funding_rate=rate, funding_interval_hours=hours, funding_time=AT + HOUR, funding_kind="predicted"))
        for ago, coins in ((25, 1.1 * COINS[venue]), (24, 1.1 * COINS[venue]), (0, COINS[venue])):
            at = AT - ago * HOUR - 60 * 10**9
            amounts = {"open_interest": coins, "open_interest_base": coins, "open_interest_usd": coins * 80_000}
            rows.append(OpenInterest(**{**contract, "ts_event": at, "ts_recv": at}, **amounts, counting="one_side"))
    index = {"venue": "alternative.me", "symbol": "", "venue_symbol": "", "base": "", "index_name": "fear_and_greed"}
    for at, value in (("2025-10-21", 34.0), ("2025-11-20", 11.0), ("2025-11-21", 14.0)):
        when = instant(at, 0)
        rows.append(SentimentReading(**index, ts_event=when, ts_recv=when, value=value, classification=""))
    if later:
        when = instant("2025-11-21", 0)
        rows.append(SentimentReading(**index, ts_event=when, ts_recv=AT + HOUR, value=15.0, classification=""))
    store.append(rows)  # type: ignore[arg-type]  # events of several classes
    session = StoredSession(store, "")
    try:
        return read(session, AT, AT + 2 * HOUR if later else AT, 24 * HOUR)
    finally:
        session.close()


@pytest.fixture(scope="session")
def stress(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return folder_of(tmp_path_factory.mktemp("stress"), STRESS[0])


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return folder_of(tmp_path_factory.mktemp("quiet"), QUIET[0])
