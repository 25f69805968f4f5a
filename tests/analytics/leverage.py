"""Frames of the tables that leverage is read from: small ones by hand, real ones from the captures, read in place."""

import datetime as dt
import gzip
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from deleverage.tables import TABLES
from deleverage.venues import deribit
from tests.captures import shared

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def ns(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type]


def table(name: str, rows: Sequence[dict[str, Any]], **constant: Any) -> pl.DataFrame:
    """Rows of one table, columns that are not given null or empty; received when they happened."""
    schema = TABLES[name].polars_schema
    empty = {column: ("" if dtype == pl.String else None) for column, dtype in schema.items()}
    full = [{**empty, **constant, **row} for row in rows]
    for row in full:
        row["base"] = row["base"] or row["symbol"].partition("/")[0]
        row["ts_recv"] = row["ts_event"] if row["ts_recv"] is None else row["ts_recv"]
    return pl.DataFrame(full, schema=schema)


def columns(name: str, frame: pl.DataFrame, **constant: Any) -> pl.DataFrame:
    """A frame with some of a table's columns as the whole table."""
    schema = TABLES[name].polars_schema
    have = frame.with_columns(**{key: pl.lit(value) for key, value in constant.items()})
    if "ts_recv" not in have.columns:
        have = have.with_columns(ts_recv=pl.col("ts_event"))
    missing = {c: pl.lit("" if dtype == pl.String else None) for c, dtype in schema.items() if c not in have.columns}
    return have.with_columns(**missing).select(pl.col(c).cast(dtype) for c, dtype in schema.items())


def seven_venues(coin: str = "BTC", venues: Sequence[str] = ("binance", "bybit", "hyperliquid", "kraken")) -> pl.DataFrame:
    """Settled rates of table funding_rates as published: neither interval nor settlement time."""
    frame = pl.read_parquet(shared("seven_venues_2025_2026/funding_rates.parquet"))
    chosen = frame.filter((pl.col("coin") == coin) & pl.col("venue").is_in(venues)).select(
        "venue", "funding_rate", ts_event=pl.col("timestamp").dt.epoch("ns"), base="coin"
    )
    return columns("funding_rates", chosen, symbol=f"{coin}/USDT:USDT", funding_kind="settled")


def binance_open_interest(coin: str) -> pl.DataFrame:
    """Open interest each five minutes, December 2025 and January 2026."""
    with gzip.open(shared(f"binance_oi_funding_2026/{coin}_oi_5m.csv.gz")) as file:
        frame = pl.read_csv(file.read())
    return columns(
        "open_interest",
        frame.select(ts_event=pl.col("t") * 1_000_000, open_interest="oi", open_interest_base="oi", open_interest_usd="oi_usd"),
        venue="binance", symbol=f"{coin}/USDT:USDT", base=coin, counting="one_side",
    )  # fmt: skip


def contexts(coin: str, day: str) -> list[dict[str, float]]:
    """Hyperliquid's asset context about once a minute: ts (ms), funding, oi, mark, oracle."""
    with gzip.open(shared(f"hyperliquid_recorder_2026/ctx_{coin}_{day}.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line in lines]


def deribit_futures(day: str) -> pl.DataFrame:
    """Futures and perpetual of a Deribit snapshot (its own field names), with our symbol by its name."""
    with gzip.open(shared(f"deribit_btc_snapshots_2026-01/BTC_{day}_futures_raw.csv.gz")) as file:
        frame = pl.read_csv(file.read(), infer_schema_length=None)
    contracts = [deribit.infer(name) for name in frame["instrument_name"]]
    return frame.with_columns(symbol=pl.Series([c.symbol if c else "" for c in contracts]), ts_event=pl.col("timestamp") * 1_000_000)
