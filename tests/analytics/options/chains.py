"""Real Deribit chains as frames of `option_quotes`, read in place through the project's own parser; never shipped.

Their quotes were polled one after another over up to 90 seconds, so build them with `filters=POLLED`.
"""

import csv
import gzip
import json
from collections.abc import Iterable
from functools import cache
from math import log
from pathlib import Path

import msgspec
import polars as pl
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from deleverage.analytics.options.chain import Filters
from deleverage.events import Event, OptionQuote
from deleverage.tables import TABLES
from deleverage.venues.deribit import VENUE
from deleverage.venues.venue import split_route
from tests.captures import SHARED

POLLED = Filters(max_age_seconds=180.0)
MS = 1_000_000
TEXT = frozenset({"instrument_name", "state", "underlying_index"})
TICKER = (
    "instrument_name", "timestamp", "index_price", "last_price", "open_interest", "mark_price", "best_ask_price", "best_bid_price",
    "mark_iv", "bid_iv", "ask_iv", "underlying_price",
)  # fmt: skip
GREEKS = ("delta", "gamma", "vega", "theta", "rho")
RealChain = tuple[str, str, int, pl.DataFrame]


def frame(events: Iterable[Event]) -> pl.DataFrame:
    """Return the option quotes among events as rows of the table."""
    schema = TABLES["option_quotes"].polars_schema
    rows = [msgspec.structs.asdict(event) for event in events if isinstance(event, OptionQuote)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def real_chains() -> list[RealChain]:
    """Return every real chain here as (name, base, at ns UTC of its last quote, rows of option_quotes); skips where there is none."""
    found = _chains(SHARED)
    if not found:
        pytest.skip("no capture of an option chain is beside this checkout")
    return list(found)


@cache
def _chains(data: Path) -> tuple[RealChain, ...]:
    found = []
    for path in sorted((data / "deribit_btc_snapshots_2026-01").glob("*_options_raw.csv.gz")):
        found.append((f"deribit-btc-{path.name[4:12]}", "BTC", _snapshot(path)))
    if (data / "deribit_eth_2026-06-11").exists():
        found.append(("deribit-eth-20260611", "ETH", _ether(data / "deribit_eth_2026-06-11")))
    march = data / "deribit_misc" / "deribit_btc_options_2026-03.csv"
    if march.exists():
        found.append(("deribit-btc-20260301", "BTC", _march(march)))
    return tuple((name, base, int(quotes["ts_event"].max()), quotes) for name, base, quotes in found)  # type: ignore[arg-type]


def answers(method: str, results: Iterable[object], ts_recv: int) -> list[Event]:
    """Read Deribit's answers to one method, as its HTTP address gives them."""
    parser = VENUE.parser(split_route(f"https://www.deribit.com/api/v2/public/{method}"), VENUE.instruments(()))
    events: list[Event] = []
    for result in results:
        events += parser.parse(json.dumps({"jsonrpc": "2.0", "result": result}).encode(), ts_recv)
    return events


def _number(text: str) -> float | None:
    return float(text) if text else None


def _snapshot(path: Path) -> pl.DataFrame:
    """Put the columns of a worksheet of public/ticker back into its answers."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    tickers = []
    for row in rows:
        ticker: dict[str, object] = {name: row[name] if name in TEXT else _number(row[name]) for name in TICKER}
        ticker["timestamp"] = int(row["timestamp"])
        ticker["greeks"] = {name: _number(row[f"greeks_{name}"]) for name in GREEKS}
        ticker["stats"] = {"volume": _number(row["stats_volume"])}
        tickers.append(ticker)
    return frame(answers("ticker", tickers, max(int(row["timestamp"]) for row in rows) * MS))


def _ether(folder: Path) -> pl.DataFrame:
    """Read the book summary of a whole currency, and the tickers of a few contracts asked right after it."""
    summary = json.loads(gzip.decompress((folder / "deribit_eth_chain.json.gz").read_bytes()))
    tickers = json.loads(gzip.decompress((folder / "deribit_eth_tickers.json.gz").read_bytes()))
    at = summary["fetched_ms"] * MS
    return frame(
        [
            *answers("get_book_summary_by_currency", [summary["rows"]], at),
            *answers("ticker", tickers.values(), max(t["timestamp"] for t in tickers.values()) * MS),
        ]
    )


def _march(path: Path) -> pl.DataFrame:
    """Read a worksheet that kept no time: it is the one at which the venue's marks and mark volatilities agree (all expiries say so)."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    at = _when(rows)
    tickers = []
    for row in rows:
        ticker: dict[str, object] = {name: row[name] if name in TEXT else _number(row[name]) for name in TICKER if name in row}
        ticker |= {"timestamp": at, "index_price": _number(row["spot_ref"]), "stats": {"volume": _number(row["volume"])}}
        ticker["greeks"] = {name: _number(row[name]) for name in GREEKS if name in row}
        tickers.append(ticker)
    return frame(answers("ticker", tickers, at * MS))


def _when(rows: list[dict[str, str]]) -> int:
    """Solve Black's formula for the time to expiry, contract by contract near the money; the median instant (ms UTC)."""
    found = []
    for row in rows:
        forward, strike, vol = float(row["underlying_price"]), float(row["strike"]), float(row["mark_iv"]) / 100
        if abs(strike / forward - 1) > 0.05:
            continue
        sign = 1.0 if row["type"] == "call" else -1.0

        def excess(
            years: float, f: float = forward, k: float = strike, v: float = vol, s: float = sign, m: str = row["mark_price"]
        ) -> float:
            d1 = (log(f / k) + v * v * years / 2) / (v * years**0.5)
            return float(s * (f * norm.cdf(s * d1) - k * norm.cdf(s * (d1 - v * years**0.5)))) - float(m) * f

        if excess(1e-5) * excess(2.0) < 0:
            found.append(float(row["expiration_timestamp"]) - brentq(excess, 1e-5, 2.0) * 365 * 86_400_000)
    return int(sorted(found)[len(found) // 2])
