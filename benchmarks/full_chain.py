"""What one full chain costs on one core: clean, forwards, volatilities, greeks, smiles, index, exposure under three conventions.

`benchmarks/options.py --only full_chain` runs this with one thread on one processor. The chain of 1,000 options is made: 12 expiries of
1 to 365 days, the base slice of the tests (least variance 0.0135·T/30 d and so on) seen at a tick of 0.0001 coins with spreads as wide as
Deribit's, each strike a call and a put, with 20,000 signed trades. Real Deribit chains are timed as they are, beside it. Times are of the
processor, all threads of the process together.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.analytics.options.chains import POLLED, _chains
from tests.captures import SHARED

from deleverage.analytics.options import black76, exposure, volatility_index
from deleverage.analytics.options.chain import Chain, build
from deleverage.analytics.options.smile import Surface, fit
from deleverage.analytics.options.svi import Svi
from deleverage.tables import TABLES

AT = 1_768_000_000_000_000_000
DAY = 86_400_000_000_000
YEAR = 365 * DAY
DAYS = (1.4, 2.4, 3.4, 7.4, 14.4, 23.4, 37.4, 51.4, 86.4, 177.4, 268.4, 364.4)
STRIKES = (26, 28, 28, 32, 38, 44, 50, 52, 54, 54, 48, 46)
"""Strikes of each expiry: 500, so 1,000 options."""
FORWARD, TICK = 86_000.0, 0.0001
ROUNDS = 40
Stage = Callable[[], Any]


def slice_of(days: float) -> Svi:
    """The base slice at 30 days, its parameters growing with time so that no expiry lies above the next."""
    share = days / 30
    width = float(np.sqrt(share))
    return Svi(0.0135 * share, 0.06 * share / width, -0.40, 0.0, 0.16 * width)


def made() -> pl.DataFrame:
    """Rows of `option_quotes` of 1,000 options."""
    rows = []
    rng = np.random.default_rng(5)
    for days, count in zip(DAYS, STRIKES, strict=True):
        expiry, smile, years = AT + int(days * DAY), slice_of(days), days / 365
        reach = 2.6 * 0.53 * np.sqrt(years)
        step = 250.0 if days < 4 else 500.0 if days < 30 else 1000.0
        strikes = np.unique(np.round(FORWARD * np.exp(np.linspace(-1.1 * reach, reach, count)) / step) * step)
        while len(strikes) < count:
            strikes = np.append(strikes, strikes[-1] + step)
        volatility = np.sqrt(smile.total_variance(np.log(strikes / FORWARD)) / years)
        for kind in ("call", "put"):
            premium = black76.price(FORWARD, strikes, years, volatility, kind == "call") / FORWARD
            half = np.maximum(0.015 * premium, TICK) * rng.uniform(0.6, 1.4, count)
            bid, ask = np.floor((premium - half) / TICK) * TICK, np.ceil((premium + half) / TICK) * TICK
            for n, strike in enumerate(strikes.tolist()):
                rows.append({
                    "venue": "deribit", "base": "BTC", "symbol": f"BTC/USD:BTC-{days}-{strike:.0f}-{kind[0].upper()}",
                    "venue_symbol": f"BTC-{days}-{strike:.0f}-{kind[0].upper()}", "ts_event": AT - n * 1_000_000, "ts_recv": AT,
                    "strike": strike, "expiry": expiry, "option_type": kind, "premium_unit": "base",
                    "bid_price": float(bid[n]) if bid[n] > 0 else None, "ask_price": float(ask[n]), "mark_price": float(premium[n]),
                    "mark_iv": float(volatility[n]), "underlying_price": FORWARD, "index_price": FORWARD,
                    "open_interest": float(rng.gamma(0.5, 400.0)), "volume_24h": float(rng.gamma(0.3, 100.0)),
                })  # fmt: skip
    return pl.DataFrame(rows, schema=TABLES["option_quotes"].polars_schema)


def signed(quotes: pl.DataFrame, count: int = 20_000) -> pl.DataFrame:
    """Trades at random of the options quoted."""
    rng = np.random.default_rng(6)
    at, of = int(quotes["ts_event"].max()), rng.integers(0, len(quotes), count)  # type: ignore[arg-type]
    return pl.DataFrame({
        "symbol": quotes["symbol"].gather(of), "ts_event": np.sort(at - rng.integers(0, 30 * DAY, count)),
        "taker_side": np.where(rng.random(count) < 0.5, "buy", "sell").tolist(), "quantity": rng.gamma(0.5, 8.0, count),
        "trade_kind": ["market"] * count, "liquidated": ["none"] * count,
    })  # fmt: skip


class Run:
    """One chain, worked through once per call of `once`; `spent`: processor seconds by stage."""

    def __init__(self, base: str, at: int, quotes: pl.DataFrame) -> None:
        self.base, self.at, self.quotes, self.trades = base, at, quotes, signed(quotes)
        self.spent: dict[str, list[float]] = {}
        self.chain: Chain
        self.surface: Surface

    def timed(self, name: str, work: Stage) -> Any:
        began = time.process_time()
        found = work()
        self.spent.setdefault(name, []).append(time.process_time() - began)
        return found

    def once(self) -> None:
        self.timed("all", self._everything)

    def _everything(self) -> None:
        self.chain = self.timed(
            "clean, forwards, volatilities", lambda: build(self.quotes, self.at, venue="deribit", base=self.base, filters=POLLED)
        )
        self.surface = self.timed("smiles", lambda: fit(self.chain))
        self.timed("greeks", self._greeks)
        self.timed("index", lambda: volatility_index.from_chain(self.chain))
        self.timed("exposure, three conventions", self._exposure)

    def _greeks(self) -> black76.Greeks:
        options = self.chain.options
        forward, strike, years, iv = (
            options[name].to_numpy() for name in ("forward", "strike", "years", "mark_iv")
        )  # fmt: skip
        return black76.greeks(forward, strike, years, iv, (options["option_type"] == "call").to_numpy())

    def _exposure(self) -> exposure.Exposure:
        return exposure.dealers(
            self.chain.options, self.chain.index_price or FORWARD, surface=self.surface, trades=self.trades, at=self.at,
            rng=np.random.default_rng(7),
        )  # fmt: skip


def main() -> None:
    runs = {"made, 1,000 options": Run("BTC", AT, made())}
    runs |= {name: Run(base, at, quotes) for name, base, at, quotes in _chains(SHARED)}
    for run in runs.values():
        for _ in range(2):
            run.once()
        run.spent.clear()
    for _ in range(ROUNDS):
        for run in runs.values():
            run.once()
    said = []
    for name, run in runs.items():
        middle = {stage: 1e3 * statistics.median(times) for stage, times in run.spent.items()}
        worst = 1e3 * sorted(run.spent["all"])[int(0.9 * ROUNDS)]
        used = int(run.chain.options["is_used"].sum())
        counts = {"options": len(run.chain.options), "used": used, "expiries": len(run.surface.slices)}
        said.append({"chain": name, "worst": worst} | counts | middle)
    json.dump({"threads": pl.thread_pool_size(), "processors": len(os.sched_getaffinity(0)), "rows": said}, sys.stdout)


if __name__ == "__main__":
    main()
