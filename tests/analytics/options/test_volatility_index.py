"""The volatility index: worked numbers of the method, arithmetic, and real chains beside the published index."""

import datetime as dt
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deleverage.analytics.options.black76 import price
from deleverage.analytics.options.chain import COLUMNS, Chain, Forward, build
from deleverage.analytics.options.volatility_index import (
    Prices,
    Rules,
    continuous_variance,
    cutoff_strike,
    from_chain,
    interpolated,
    interquartile_mean,
    out_of_the_money,
    parity_forward,
    straddling,
    strip_variance,
    weights,
    widths,
)
from deleverage.errors import BadInput
from tests.analytics.options.chains import POLLED, real_chains
from tests.captures import shared

STRIKES = 1000.0 * np.array([
    50, 55, 60, 65, 70, 72, 74, 75, 76, 78, 80, 82, 84, 85, 86, 88, 90, 92, 94, 95, 96, 98, 100, 105, 110, 115, 120, 130, 140,
])  # fmt: skip
NEAR = (85_900.0, 23 / 365, (0.0104, 0.052, -0.42, 0.0, 0.14))
NEXT = (86_150.0, 37 / 365, (0.0166, 0.067, -0.38, 0.0, 0.18))
DAY = 86_400 * 1_000_000_000
LISTED: tuple[Prices, ...] = ("mid", "clean", "mark")
AT = 1_768_435_200_000_000_000


def svi(a: float, b: float, rho: float, m: float, s: float) -> Callable[[Any], Any]:
    return lambda k: a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + s * s))


def premiums(leg: tuple[float, float, tuple[float, ...]], strikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    forward, years, parameters = leg
    volatility = np.sqrt(svi(*parameters)(np.log(strikes / forward)) / years)
    return tuple(price(forward, strikes, years, volatility, is_call) for is_call in (True, False))  # type: ignore[return-value]


def variance(leg: tuple[float, float, tuple[float, ...]], low: float = 0.0, high: float = np.inf) -> tuple[float, float]:
    strikes = STRIKES[(low <= STRIKES) & (high >= STRIKES)]
    calls, puts = premiums(leg, strikes)
    forward = parity_forward(strikes, calls, puts)
    assert forward is not None
    assert forward == pytest.approx(leg[0], rel=1e-12)
    cutoff = cutoff_strike(strikes, calls, puts, forward)
    assert cutoff is not None
    return cutoff, strip_variance(*out_of_the_money(strikes, calls, puts, cutoff), forward, cutoff, leg[1])


def made(legs: tuple[tuple[float, float, tuple[float, ...]], ...] = (NEAR, NEXT), spread: float = 0.02) -> Chain:
    """A chain of the worked example, quoted `spread` around its premiums."""
    rows, forwards = [], []
    for forward, years, parameters in legs:
        expiry = AT + round(years * 365 * DAY)
        forwards.append(Forward(expiry, years, forward, "parity", 5, 0.0))
        for kind, values in zip(("call", "put"), premiums((forward, years, parameters), STRIKES), strict=True):
            for strike, value in zip(STRIKES, values, strict=True):
                row = {"symbol": f"{expiry}-{strike:g}-{kind}", "expiry": expiry, "years": years, "strike": strike, "option_type": kind}
                row |= {"forward": forward, "bid": value * (1 - spread / 2), "ask": value * (1 + spread / 2), "mark": value, "iv": 0.5}
                rows.append({**row, "why_not": "", "is_used": True})
    return Chain("deribit", "BTC", AT, None, tuple(forwards), pl.DataFrame(rows, schema=COLUMNS))


def test_worked_variances_and_index() -> None:
    (k0_near, near), (k0_next, after) = variance(NEAR), variance(NEXT)
    assert (k0_near, k0_next) == (85_000, 86_000)
    assert near == pytest.approx(0.3419504661, rel=1e-9)
    assert after == pytest.approx(0.3408454643, rel=1e-9)
    assert interpolated(near, NEAR[1], after, NEXT[1]) == pytest.approx(58.4182375917, rel=1e-10)


@pytest.mark.parametrize(
    ("low", "high", "points"), [(60_000, 120_000, 57.3672382), (70_000, 110_000, 54.1226558), (75_000, 100_000, 49.6098196)]
)
def test_worked_wing_cuts(low: float, high: float, points: float) -> None:
    found = interpolated(variance(NEAR, low, high)[1], NEAR[1], variance(NEXT, low, high)[1], NEXT[1])
    assert found == pytest.approx(points, rel=1e-8)


def test_worked_continuous_strip() -> None:
    near, after = (continuous_variance(svi(*leg[2]), leg[1]) for leg in (NEAR, NEXT))
    assert interpolated(near, NEAR[1], after, NEXT[1]) == pytest.approx(58.6516603320, rel=1e-6)


@pytest.mark.parametrize(("volatility", "years"), [(0.05, 1 / 365), (0.55, 30 / 365), (2.0, 1.0)])
def test_a_flat_smile_gives_its_own_variance(volatility: float, years: float) -> None:
    assert continuous_variance(lambda k: np.full_like(k, volatility**2 * years), years) == pytest.approx(volatility**2, rel=1e-7)


@given(st.floats(0.2, 1.5), st.floats(20_000, 150_000))
def test_a_dense_strip_gives_the_flat_variance(volatility: float, forward: float) -> None:
    # Strikes every half percent over ten deviations: the sum is off by its trapezoids only.
    years = 20 / 365
    strikes = forward * np.exp(np.arange(-10 * volatility * years**0.5, 10 * volatility * years**0.5, 0.005))
    calls, puts = (price(forward, strikes, years, volatility, side) for side in (True, False))
    cutoff = cutoff_strike(strikes, calls, puts, forward)
    assert cutoff is not None
    found = strip_variance(*out_of_the_money(strikes, calls, puts, cutoff), forward, cutoff, years)
    assert found == pytest.approx(volatility**2, rel=2e-3)


def test_the_interquartile_mean() -> None:
    raw = [60, 60.2, 60.1, 59.9, 75, 60.3, 60.1, 60, 45, 60.2, 60.1, 60]
    assert interquartile_mean(raw) == pytest.approx(60.0833333, rel=1e-8)
    assert interquartile_mean([np.nan, *raw, np.nan]) == pytest.approx(60.0833333, rel=1e-8)
    assert interquartile_mean([1e9] * 5 + [60.0] * 120) == 60.0  # older than 120 seconds
    assert interquartile_mean([np.nan]) is None


def test_the_forward_is_taken_where_call_and_put_are_closest() -> None:
    strikes, nan = [90.0, 100.0, 110.0], np.nan
    assert parity_forward(strikes, [12, 5, 1], [2, 4, 11]) == 101
    assert parity_forward(strikes, [12, 5, 4], [2, 4, 5]) == (101 + 109) / 2  # a tie
    assert parity_forward(strikes, [12, 5, nan], [nan, 4, 11]) is None  # one strike has both


def test_the_cutoff_needs_both_prices() -> None:
    assert cutoff_strike([90.0, 100.0, 110.0], [12, np.nan, 1], [2, 4, 11], 105.0) == 90
    assert cutoff_strike([90.0], [12], [2], 80.0) is None


def test_what_enters_a_strip() -> None:
    strikes, prices = out_of_the_money([110.0, 90.0, 100.0, 120.0], [1, 12, 5, np.nan], [11, 2, 4, 21], 100.0)
    assert strikes.tolist() == [90, 100, 110]
    assert prices.tolist() == [2, 4.5, 1]
    assert widths([90, 100, 120, 130]).tolist() == [10, 15, 15, 10]
    with pytest.raises(BadInput):
        widths([90])


def test_the_expiries_that_straddle() -> None:
    assert straddling([t / 365 for t in (2, 23, 9, 60, 37)]) == (1, 4)
    assert straddling([30 / 365, 31 / 365]) == (0, 1)
    assert straddling([2 / 365, 29 / 365]) is None
    assert straddling([31 / 365]) is None
    assert list(weights(23 / 365, 37 / 365)) == pytest.approx([0.5, 0.5])
    with pytest.raises(BadInput, match="straddle"):
        weights(31 / 365, 37 / 365)


def test_a_chain_gives_the_worked_index() -> None:
    for prices in LISTED:
        found = from_chain(made(), prices=prices)
        assert found.points == pytest.approx(58.4182375917, rel=1e-9)
        assert found.near is not None
        assert found.next is not None
        assert (found.near.cutoff, found.next.cutoff) == (85_000, 86_000)
        assert (found.near.strikes, found.near.low_strike, found.near.high_strike) == (29, 50_000, 140_000)
        assert [found.near.weight, found.next.weight] == pytest.approx([0.5, 0.5])
        assert found.reasons == ()


def test_rules_cut_the_wings() -> None:
    # 70 to 110 thousand around both forwards; the near leg and the next then hold the strikes of the worked example.
    cut = from_chain(made(), rules=Rules(low=0.8, high=1.29))
    assert cut.points == pytest.approx(54.1226558, rel=1e-8)
    chain = made()
    gone = (pl.col("strike") > 95_000) & (pl.col("strike") < 100_000) & (pl.col("option_type") == "call")
    holed = chain._replace(options=chain.options.with_columns(bid=pl.when(~gone).then("bid")))
    for run, high in ((0, 140_000), (2, 95_000), (3, 140_000)):  # 96 and 98 thousand have no bid
        near = from_chain(holed, rules=Rules(empty_run=run)).near
        assert near is not None
        assert near.high_strike == high
    assert from_chain(made(spread=0.4), rules=Rules(widest=0.3)).points is None
    cheap = from_chain(made(), rules=Rules(cheapest=0.002)).near
    assert cheap is not None
    assert cheap.low_strike is not None
    calls, puts = premiums(NEAR, STRIKES)
    assert cheap.low_strike == STRIKES[puts >= 0.002 * NEAR[0]][0]
    assert cheap.high_strike == STRIKES[calls >= 0.002 * NEAR[0]][-1]


def test_no_index_names_its_reason() -> None:
    alone = from_chain(made((NEAR,)))
    assert alone.points is None
    assert alone.next is None
    assert alone.near is not None
    assert alone.reasons == ("no usable expiry after 30 days",)
    empty = from_chain(Chain("deribit", "BTC", AT, None, (), COLUMNS.to_frame()))
    assert empty.reasons == ("no usable expiry at or before 30 days or after 30 days",)
    bare = made()
    bare = bare._replace(options=bare.options.with_columns(ask=pl.lit(None, pl.Float64)))
    assert any("fewer than two strikes" in reason for reason in from_chain(bare).reasons)
    assert from_chain(bare, prices="mark").points is not None


def test_an_expiry_passed_over_is_named() -> None:
    early = (85_700.0, 16 / 365, (0.0073, 0.045, -0.42, 0.0, 0.12))
    chain = made((early, NEAR, NEXT))
    near = chain.forwards[1].expiry
    chain = chain._replace(options=chain.options.with_columns(bid=pl.when(pl.col("expiry") != near).then("bid")))
    found = from_chain(chain)
    assert found.near is not None
    assert found.near.expiry == chain.forwards[0].expiry
    assert "23.00 d" in found.reasons[0]
    short = from_chain(made((early, NEAR, NEXT)), rules=Rules(least_days=24)).reasons
    assert any("expires within 24 days" in reason for reason in short)
    high = from_chain(made((NEAR, NEXT)), rules=Rules(least_ratio=0.5)).reasons
    assert any("lies above 0.5 of the forward" in reason for reason in high)


def test_the_smile_needs_a_surface() -> None:
    with pytest.raises(BadInput):
        from_chain(made(), prices="smile")
    pieces = [
        SimpleNamespace(expiry=f.expiry, years=f.years, forward=f.price, total_variance=svi(*leg[2]))
        for f, leg in zip(made().forwards, (NEAR, NEXT), strict=True)
    ]
    surface: Any = SimpleNamespace(slices=tuple(pieces))
    nothing: Any = SimpleNamespace(slices=())
    found = from_chain(made(), prices="smile", surface=surface)
    assert found.points == pytest.approx(58.6516603320, rel=1e-6)
    assert found.near is not None
    assert (found.near.strikes, found.near.low_strike) == (0, None)
    assert from_chain(made(), prices="smile", surface=nothing).points is None


def test_real_chains_come_close_to_the_published_index() -> None:
    """Within 7 % of the published closes that bracket the instant; measured errors: docs/methods/volatility-index.md."""
    published = json.loads(shared("dvol/BTC_DVOL_1d.json").read_text())
    # A day's value is of its end: equal to the hourly close of 24:00 on all 735 days that both files hold.
    closes = {dt.date.fromisoformat(day): value for day, value in zip(published["dates"], published["dvol"], strict=True)}
    seen = 0
    for _, base, at, quotes in real_chains():
        day = dt.datetime.fromtimestamp(at / 1e9, dt.UTC).date()
        if base != "BTC" or day not in closes:
            continue
        around = (closes[day - dt.timedelta(days=1)], closes[day])
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        for prices in LISTED:
            points = from_chain(chain, prices=prices).points
            assert points is not None
            assert min(around) * 0.93 < points < max(around) * 1.07
            seen += 1
    assert seen == 18
