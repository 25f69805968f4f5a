from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.open_interest import (
    TOLERANCE,
    changes,
    counting_breaks,
    drawdown,
    leverage_ratio,
    quadrant,
    quadrants,
    reaching_back,
    readings,
    series,
    shaped,
    since_high,
    split,
    total,
    weights,
)
from deleverage.errors import BadInput
from tests.analytics.leverage import DAY, HOUR, MINUTE, binance_open_interest, contexts, ns, table

AT = ns(2025, 11, 21)
LINEAR, INVERSE, DATED = "BTC/USDT:USDT", "BTC/USD:BTC", "BTC/USD:BTC-251226"


def held(*rows: tuple[str, str, int, float | None, float | None], **more: Any) -> pl.DataFrame:
    return table("open_interest", [
        {"venue": v, "symbol": s, "ts_event": ts, "open_interest_base": coins, "open_interest_usd": usd, "open_interest": 0.0}
        for v, s, ts, coins, usd in rows
    ], counting="one_side", **more)  # fmt: skip


def test_dollars_fall_by_a_quarter_while_coins_stand_at_their_peak() -> None:
    """The worked example: 78, 94, 88, 68 bn at 112, 126, 110, 85 thousand."""
    months = [ns(2025, m, 21) for m in (8, 9, 10, 11)]
    usd, price = [78e9, 94e9, 88e9, 68e9], [112e3, 126e3, 110e3, 85e3]
    rows = shaped(held(*(("x", LINEAR, t, u / p, u) for t, u, p in zip(months, usd, price, strict=True))), AT)
    assert (rows["open_interest_base"] / 1e6).to_list() == pytest.approx([0.6964, 0.7460, 0.8, 0.8], abs=5e-5)
    table_ = rows.select(ts="ts_event", coins="open_interest_base", usd="open_interest_usd").with_columns(
        contracts=pl.lit(1), venues=pl.lit(1), missing=pl.lit([], pl.List(pl.String)), is_complete=pl.lit(True)
    )
    found = drawdown(table_, AT, months=3)
    assert found.usd == pytest.approx(-0.276596, rel=1e-5) and found.coins == 0.0
    assert found.usd_peak_at == months[1] and leverage_ratio(68e9, 1690e9) == pytest.approx(0.0402367, rel=1e-6)
    too_short = drawdown(table_, AT, months=7)
    assert (too_short.usd, too_short.coins, too_short.usd_peak) == (None, None, None) and too_short.history_days == pytest.approx(92)
    assert leverage_ratio(None, 1.0) is None and leverage_ratio(1.0, 0.0) is None
    with pytest.raises(BadInput):
        drawdown(table_, AT, months=0)


def test_totals_by_venue_and_margin_name_what_is_missing() -> None:
    rows = shaped(
        held(
            ("a", LINEAR, AT - MINUTE, 10.0, 850e3), ("a", INVERSE, AT - MINUTE, 4.0, 340e3), ("b", LINEAR, AT - 16 * MINUTE, 99.0, 1e6),
            ("b", DATED, AT - MINUTE, 1.0, 86e3), ("a", LINEAR, AT + 1, 1e9, 1e9), ("a", "BTC/USD:BTC-251226-90000-C", AT, 1e9, 1e9),
            ("a", LINEAR, AT - 2 * MINUTE, 1.0, 1.0),
        ), AT,
    )  # fmt: skip
    found = readings(rows, AT)
    assert found["margin_type"].to_list() == ["inverse", "linear", "inverse", "linear"] and found["is_dated"].to_list() == [0, 0, 1, 0]
    whole = total(found, base="BTC", expected=("a", "b", "c"))
    assert whole == (15.0, 850e3 + 340e3 + 86e3, 3, ("c",), (f"b {LINEAR}",))
    by_margin = split(found, ["margin_type"])
    assert by_margin.select("margin_type", "coins", "usd").rows() == [("inverse", 5.0, 426e3), ("linear", 10.0, 850e3)]
    assert split(found, ["venue", "margin_type"])["share"].sum() == pytest.approx(1.0)
    assert weights(found)["usd"].to_list() == [340e3, 850e3, 86e3]
    assert total(found.clear(), base="BTC", expected=("a",)) == (None, None, 0, ("a",), ())


def test_a_figure_in_one_unit_becomes_two_with_the_contracts_own_mark() -> None:
    marks = table("mark_prices", [
        {"venue": "a", "symbol": LINEAR, "ts_event": AT - h * MINUTE, "mark_price": p} for h, p in ((30, 1.0), (3, 85_000.0), (0, 2.0))
    ])  # fmt: skip
    rows = held(("a", LINEAR, AT - MINUTE, 10.0, None), ("b", LINEAR, AT - MINUTE, 10.0, None))
    found = readings(shaped(rows, AT, prices=marks), AT)
    assert found["open_interest_usd"].to_list() == [850_000.0, None] and found["is_converted"].to_list() == [True, False]
    assert (total(found, base="BTC").coins, total(found, base="BTC").usd) == (20.0, None)
    assert total(found, base=None).coins is None


def test_a_series_tells_gaps_from_listings_and_expiries() -> None:
    hours = [AT + h * HOUR for h in range(6)]
    expiring = "BTC/USD:BTC-251121"  # 08:00 UTC of the day before would be 251120; this one lives through hour 8
    rows = held(
        *(("a", LINEAR, t, 10.0, 10.0) for t in hours), *(("b", LINEAR, t, 5.0, 5.0) for t in hours[:2] + hours[3:]),
        *(("a", INVERSE, t, 1.0, 1.0) for t in hours[4:]), *(("a", "BTC/USD:BTC-251120", t, 7.0, 7.0) for t in [AT - 20 * HOUR]),
        *(("a", expiring, t, 2.0, 2.0) for t in hours[:5]),
    )  # fmt: skip
    found = series(shaped(rows, hours[-1]), AT, hours[-1], HOUR, base="BTC")
    assert found["coins"].to_list() == [17, 17, 12, 17, 18, 16]
    assert found["missing"].to_list() == [[], [], [f"b {LINEAR}"], [], [], [f"a {expiring}"]]
    assert found["is_complete"].to_list() == [True, True, False, True, True, False]
    by_venue = series(shaped(rows, hours[-1]), AT, hours[-1], HOUR, base="BTC", by=["venue"])
    assert by_venue.filter(pl.col("venue") == "b")["coins"].to_list() == [5, 5, None, 5, 5, 5]
    late = pl.concat([rows, held(("c", LINEAR, hours[3], 1.0, 1.0))])
    assert series(shaped(late, hours[3]), AT, hours[3], HOUR, base="BTC")["is_complete"].to_list() == [False, False, False, True]
    kept, left_out = reaching_back(shaped(late, hours[3]), AT, tolerance=HOUR)
    assert left_out == ("c",) and set(kept["venue"]) == {"a", "b"}
    with pytest.raises(BadInput):
        series(shaped(rows, AT), AT, AT, 0, base="BTC")


def test_changes_and_quadrants_by_hand() -> None:
    prices, coins = [100.0, 102.0, 104.0, 101.0, 98.0, 98.0], [10.0, 11.0, 10.0, 11.0, 10.0, 12.0]
    rows = shaped(held(*(("a", LINEAR, AT + i * HOUR, c, c * p) for i, (p, c) in enumerate(zip(prices, coins, strict=True)))), AT + DAY)
    found = series(rows, AT, AT + 5 * HOUR, HOUR, base="BTC")
    assert quadrants(found)["quadrant"].to_list() == ["new longs", "short covering", "new shorts", "long closing", "no change"]
    moved = changes(found, AT + 4 * HOUR, [HOUR, 4 * HOUR, 5 * HOUR])
    assert moved["coins"].to_list() == [-1.0, 0.0, None] and moved["usd_share"].to_list() == [pytest.approx(980 / 1111 - 1), -0.02, None]


@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_quadrants_mirror(price: float, oi: float) -> None:
    mirrored = {"new longs": "long closing", "long closing": "new longs", "new shorts": "short covering", "short covering": "new shorts"}
    word = quadrant(price, oi)
    assert quadrant(-price, -oi) == mirrored.get(word, "no change")
    assert (word == "no change") == (abs(price) <= 0.002 or abs(oi) <= 0.005)


def test_a_venue_that_began_to_count_one_side_is_found() -> None:
    rows = shaped(held(*(("a", LINEAR, AT + i * MINUTE, c, 1.0) for i, c in enumerate((63.9, 64.0, 31.9, 31.8, 40.0)))), AT + DAY)
    found = counting_breaks(rows)
    assert found["ts_event"].to_list() == [AT + 2 * MINUTE] and found["ratio"].to_list() == pytest.approx([31.9 / 64.0])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(100, 1e5)), min_size=40, max_size=40), st.floats(0.01, 100), st.randoms())
def test_drawdowns_are_never_above_zero_and_know_no_unit(parts: list[tuple[float, float]], scale: float, random: Any) -> None:
    rows = [("a", LINEAR, AT - (39 - i) * DAY, c, c * p) for i, (c, p) in enumerate(parts)]
    mixed = list(rows)
    random.shuffle(mixed)

    def found(some: list[tuple[str, str, int, float, float]], k: float = 1.0) -> Any:
        frame = shaped(held(*((v, s, t, c * k, u * k) for v, s, t, c, u in some)), AT)
        return drawdown(series(frame, AT - 39 * DAY, AT, DAY, base="BTC"), AT, months=1)

    one = found(rows)
    assert one == found(mixed)
    recent = np.array([c for c, _ in parts[-32:]])  # 21 October to 21 November are 31 days
    assert one.coins == pytest.approx(recent[-1] / recent.max() - 1, abs=1e-12)
    assert one.coins <= 0 and one.usd <= 0
    scaled = found(rows, scale)
    assert (scaled.coins, scaled.usd) == (pytest.approx(one.coins, abs=1e-9), pytest.approx(one.usd, abs=1e-9))


# --- real readings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_binance_in_january_2026(coin: str) -> None:
    at = ns(2026, 1, 25, 23, 55)
    raw = binance_open_interest(coin)
    found = series(shaped(raw, at), at - 55 * DAY, at, 5 * MINUTE, base=coin)
    assert found["is_complete"].mean() > 0.995  # type: ignore[operator]  # a share
    month = drawdown(found, at, months=1)
    window = raw.filter((pl.col("ts_event") >= ns(2025, 12, 25, 23, 55)) & (pl.col("ts_event") <= at))
    assert month.coins == pytest.approx(window["open_interest_base"][-1] / window["open_interest_base"].max() - 1, rel=1e-9)  # type: ignore[operator]
    assert month.usd == pytest.approx(window["open_interest_usd"][-1] / window["open_interest_usd"].max() - 1, rel=1e-9)  # type: ignore[operator]
    seven = drawdown(found, at, months=7)
    assert seven.coins is None and seven.usd is None and 54 < seven.history_days < 56
    assert counting_breaks(shaped(raw, at)).is_empty()


def test_hyperliquid_contexts_in_coins_and_dollars() -> None:
    lines = contexts("BTC", "20260612")
    rows = table("open_interest", [
        {"venue": "hyperliquid", "symbol": "BTC/USDC:USDC", "ts_event": int(x["ts"]) * 1_000_000, "open_interest": x["oi"],
         "open_interest_base": x["oi"]} for x in lines
    ], counting="one_side")  # fmt: skip
    marks = table("mark_prices", [
        {"venue": "hyperliquid", "symbol": "BTC/USDC:USDC", "ts_event": int(x["ts"]) * 1_000_000, "mark_price": x["mark"]} for x in lines
    ])  # fmt: skip
    at = int(lines[700]["ts"]) * 1_000_000
    whole = total(readings(shaped(rows, at, prices=marks), at, tolerance=TOLERANCE), base="BTC")
    assert whole.coins == lines[700]["oi"] and whole.usd == pytest.approx(lines[700]["oi"] * lines[700]["mark"])


def test_the_fall_since_the_high_of_the_rows_themselves() -> None:
    """100, 125, 100 coins at 10, 8, 9 dollars: 20 % below the high in coins, 10 % in dollars; incomplete rows have no fall."""
    rows = pl.DataFrame({
        "ts": [1, 2, 3, 4], "coins": [100.0, 125.0, 300.0, 100.0], "usd": [1000.0, 1000.0, 9999.0, 900.0], "venues": [2, 2, 1, 2],
        "is_complete": [True, True, False, True],
    })  # fmt: skip
    found = since_high(rows)
    assert found["ts"].to_list() == [1, 2, 4]
    assert found["coins_fall"].to_list() == pytest.approx([0, 0, -0.2]) and found["usd_fall"].to_list() == pytest.approx([0, 0, -0.1])
    assert since_high(rows.clear()).is_empty()
