"""Complete and throttled feeds of liquidations that others published, read in place from a folder; none of them is shipped.

`--data DIR` holds one folder per source, as named below. What is not there is left out of the tables, and said.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray


class Orders(NamedTuple):
    """Forced orders: a contract's number, seconds UTC, USD, side."""

    contract: NDArray[np.int64]
    seconds: NDArray[np.float64]
    usd: NDArray[np.float64]
    is_long: NDArray[np.bool_]

    def between(self, start: float, end: float) -> "Orders":
        """Keep [start, end) seconds."""
        kept = (self.seconds >= start) & (self.seconds < end)
        return Orders(self.contract[kept], self.seconds[kept], self.usd[kept], self.is_long[kept])

    def frame(self, venue: str = "feed", rule: str = "full") -> pl.DataFrame:
        """Shape them as the liquidations the analytics take."""
        return pl.DataFrame({
            "ts_event": (self.seconds * 1e9).astype(np.int64), "venue": venue, "base": self.contract.astype(str),
            "symbol": self.contract.astype(str), "coverage_rule": rule, "method": "market",
            "position_side": np.where(self.is_long, "long", "short"), "notional_usd": self.usd,
        })  # fmt: skip


def numbered(names: pl.Series) -> NDArray[np.int64]:
    return names.rank("dense").cast(pl.Int64).to_numpy()


def bybit(folder: Path) -> Orders:
    """Bybit allLiquidation of 10 October 2026: complete, 100 contracts."""
    rows = pl.read_csv(folder / "bybit_allliquidation_2026" / "bybit_liq_2026-10-10_part1.csv")
    return Orders(
        numbered(rows["symbol"]),
        rows["exch_ts_ms"].to_numpy() / 1e3,
        (rows["size"] * rows["price"]).to_numpy(),
        (rows["side"] == "Buy").to_numpy(),
    )


def drift(folder: Path) -> Orders:
    """The Drift v1 census, 2021-22: complete, one market for all, no sides."""
    rows = pl.read_csv(folder / "drift_v1_2021" / "liquidation_history_part1.csv.gz")
    rows = rows.filter((pl.col("record_id") > 0) & (pl.col("base_asset_value_closed") > 0)).sort("record_id")
    at = rows["ts"].str.to_datetime(format="%Y-%m-%d %H:%M:%S%z", time_zone="UTC").dt.epoch("s").to_numpy().astype(float)
    return Orders(np.zeros(len(rows), np.int64), at, rows["base_asset_value_closed"].to_numpy() / 1e6, np.ones(len(rows), bool))


def aave(folder: Path) -> Orders:
    """Aave liquidations with bitcoin collateral on Ethereum: bursts, no sides, blocks of 12 s."""
    rows = pl.read_csv(folder / "aave_ethereum_btc_liquidations" / "collateral_liquidations_part1.csv.gz", infer_schema_length=None)
    rows = rows.filter(pl.col("amount_usd") > 0).sort("timestamp")
    return Orders(
        np.zeros(len(rows), np.int64), rows["timestamp"].to_numpy().astype(float), rows["amount_usd"].to_numpy(), np.ones(len(rows), bool)
    )


def binance(folder: Path) -> Orders:
    """Binance forced orders of 26-27 January 2025, each order once: throttled, latest per second."""
    path = folder / "binance_forceorder_events" / "binance_forceorder_2025-01-26_27.csv"
    rows = pl.read_csv(path, has_header=False, infer_schema_length=None, truncate_ragged_lines=True)
    symbol, side, quantity, price, at = (rows.columns[k] for k in (0, 1, 4, 5, 10))
    rows = rows.unique([symbol, side, quantity, price, at]).sort(at)
    usd = (rows[rows.columns[9]].cast(pl.Float64) * rows[rows.columns[6]].cast(pl.Float64)).to_numpy()
    return Orders(numbered(rows[symbol]), rows[at].to_numpy() / 1e3, usd, (rows[side] == "SELL").to_numpy())


def okx(folder: Path) -> Orders:
    """OKX liquidation orders, two minutes of 31 August 2026; sizes are contracts, of unknown value."""
    rows = pl.read_csv(folder / "okx_liquidation_orders_2026" / "okx_liq_2026-08-31_part1.csv")
    return Orders(
        numbered(rows["inst_id"]),
        rows["exch_ts_ms"].to_numpy() / 1e3,
        (rows["sz"] * rows["bk_px"]).to_numpy(),
        (rows["pos_side"] == "long").to_numpy(),
    )
