"""The decomposition of a move: parts add up, and it says when it cannot tell."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deleverage.analytics.flow import decompose, line, per_bucket
from deleverage.errors import BadInput

COINS = st.floats(0, 1e6, allow_nan=False)


@given(buy=COINS, sell=COINS, change=st.floats(-1, 1), forced=st.floats(0, 1))
def test_parts_add_to_volume_and_to_the_change_of_open_interest(buy: float, sell: float, change: float, forced: float) -> None:
    traded = buy + sell
    flow = decompose(
        taker_buy=buy, taker_sell=sell, oi_start=5e6, oi_end=5e6 + change * traded, forced_long=forced * sell, forced_short=0.0
    )
    if flow.both_open is None or flow.both_close is None or flow.changed_hands is None:
        return
    near = pytest.approx(traded, rel=1e-6, abs=1e-6)
    assert flow.both_open.value + flow.changed_hands.value + flow.both_close.value == near
    assert flow.both_open.value - flow.both_close.value == pytest.approx(flow.oi_change, rel=1e-6, abs=1e-5 * max(traded, 1e-3))
    assert flow.voluntary_closing is not None and flow.opening is not None
    assert flow.forced is not None
    assert flow.forced + flow.voluntary_closing.value + flow.opening.value == pytest.approx(2 * traded, rel=1e-6, abs=1e-6)
    for part in (flow.both_open, flow.changed_hands, flow.both_close):
        assert part.low - 1e-6 * max(traded, 1) <= part.value <= part.high + 1e-6 * max(traded, 1)


def test_a_fall_of_closing_longs() -> None:
    flow = decompose(taker_buy=40, taker_sell=60, oi_start=1000, oi_end=950, forced_long=30, forced_short=0)
    assert flow.both_close is not None
    assert (flow.both_close.low, flow.both_close.high) == (50, 75)
    assert flow.forced_share_of_taker == 0.5
    assert flow.forced_share_of_closing == pytest.approx(30 / 150)
    assert line(flow) == "Forced selling was 50.0% of taker selling, and 20.0% of all closing."


def test_little_is_called_little() -> None:
    flow = decompose(taker_buy=400, taker_sell=600, oi_start=1000, oi_end=1010, forced_long=6, forced_short=0)
    assert "mostly not forced" in line(flow)
    unsure = decompose(taker_buy=400, taker_sell=600, oi_start=None, oi_end=None, forced_long=6, forced_short=0, forced_high=90)
    assert line(unsure).startswith("Forced selling was at least 1.0% of taker selling;")
    assert "not known" in line(unsure)


def test_what_does_not_fit_is_named() -> None:
    late = decompose(taker_buy=1, taker_sell=2, oi_start=10, oi_end=9, forced_long=5, forced_short=0)
    assert "clocks differ" in line(late)
    thin = decompose(taker_buy=1, taker_sell=1, oi_start=10, oi_end=2, forced_long=1, forced_short=0)
    assert thin.both_close is None
    assert "trades are missing" in thin.problems[0]
    none = decompose(taker_buy=1, taker_sell=2, oi_start=None, oi_end=None, forced_long=0, forced_short=0)
    assert (line(none), line(none, heard=0.1)) == ("No forced order was seen: the move was not forced.", "No forced order was seen.")
    with pytest.raises(BadInput):
        decompose(taker_buy=-1, taker_sell=0, oi_start=None, oi_end=None, forced_long=0, forced_short=0)


def test_silence_is_not_calm() -> None:
    deaf = decompose(taker_buy=40, taker_sell=60, oi_start=1000, oi_end=990, forced_long=None, forced_short=None)
    assert deaf.forced is None and deaf.forced_share_of_taker is None and deaf.voluntary_closing is None
    assert deaf.both_close is not None
    little = decompose(taker_buy=400, taker_sell=600, oi_start=1000, oi_end=1010, forced_long=6, forced_short=0)
    assert "mostly" not in line(little, heard=0.5)
    assert line(little, heard=0.5).startswith("Forced selling was at least 1.0%")
    assert line(deaf) == "Liquidations were not received: what was forced cannot be said."


def test_auto_deleveraging_is_taken_off_first() -> None:
    flow = decompose(taker_buy=50, taker_sell=50, oi_start=100, oi_end=80, forced_long=5, forced_short=0, adl=20)
    assert flow.oi_change == 0
    assert flow.both_close is not None and flow.both_open is not None
    assert flow.both_close.value == flow.both_open.value == 25


def test_buckets_agree_with_single_moves() -> None:
    row = {"taker_buy": 40.0, "taker_sell": 60.0, "oi_start": 1000.0, "oi_end": 950.0, "forced_long": 30.0, "forced_short": 0.0}
    got = per_bucket(pl.DataFrame([row])).row(0, named=True)
    flow = decompose(**row)
    assert flow.voluntary_closing is not None and flow.opening is not None
    assert (got["voluntary_closing"], got["opening"], got["forced_share"]) == (flow.voluntary_closing.value, flow.opening.value, 0.5)
