"""The transfer from full feeds to throttled ones, on moves made by a known rule."""

import numpy as np
import polars as pl
import pytest

from deleverage.analytics.transfer import BUCKET, moves, transferred


def made(venues: tuple[str, ...], count: int = 60) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Five minutes each: liquidated = 0.5 · fall of open interest + 0.3 · excess selling; `okx` shows a quarter of its own."""
    rng = np.random.default_rng(1)
    prints, interest, taker = [], [], []
    for venue in venues:
        held = 1e9
        for k in range(count):
            drop, excess, at = rng.uniform(1e5, 1e7), rng.uniform(1e5, 1e7), k * BUCKET + 1000
            held -= drop
            usd = (0.5 * drop + 0.3 * excess) * np.exp(0.2 * rng.normal())
            prints.append((venue, "BTC", at, "long", usd / 4 if venue == "okx" else usd))
            interest.append((venue, "BTC", "BTC/USDT:USDT", at, held))
            taker.append((venue, "BTC", k * BUCKET, 1e6, 1e6 + excess))
    names = ("venue", "base", "ts_event", "position_side", "notional_usd")
    return (
        pl.DataFrame(prints, schema=list(names), orient="row"),
        pl.DataFrame(interest, schema=["venue", "base", "symbol", "ts_event", "usd"], orient="row"),
        pl.DataFrame(taker, schema=["venue", "base", "ts_event", "buy_usd", "sell_usd"], orient="row"),
    )


def test_a_throttled_venue_is_told_by_full_ones() -> None:
    prints, interest, taker = made(("bybit", "okx"))
    rows = moves(prints, interest, taker)
    assert rows.filter(pl.col("venue") == "bybit").height == 59
    found = transferred(rows, ["bybit"], ["okx"])["okx"]
    seen = prints.filter(pl.col("venue") == "okx")["notional_usd"].sum()
    assert found.usd == pytest.approx(4 * seen, rel=0.15)
    assert found.low < 4 * seen < found.high


def test_too_few_moves_transfer_nothing() -> None:
    prints, interest, taker = made(("bybit", "okx"), count=12)
    assert transferred(moves(prints, interest, taker), ["bybit"], ["okx"]) == {}


def test_a_hole_in_open_interest_is_no_move() -> None:
    prints, interest, taker = made(("bybit",), count=10)
    holed = interest.filter(pl.col("ts_event") // BUCKET != 5)
    assert set(moves(prints, holed, taker)["move"].to_list()) == {1, 2, 3, 4, 7, 8, 9}
