"""Chains of OKX, Bybit and Binance from their own messages: rows that tell different things are one, and the planted smile comes back."""

import random

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deleverage.analytics.options import black76, volatility_index
from deleverage.analytics.options.chain import Chain, build
from deleverage.analytics.options.exposure import dealers
from deleverage.analytics.options.quotes import KINDS, PRICES_HOLD, merged
from deleverage.analytics.options.smile import calendar_gap, fit
from deleverage.analytics.options.term import constant_maturity
from deleverage.events import OptionQuote
from deleverage.store.duck import DuckStore
from deleverage.tables import TABLES
from tests.analytics.options import dialects
from tests.analytics.options.dialects import AT, BASE, EVERY, INTEREST, NEAR, NEXT, options, table

SECOND = 1_000_000_000
IN_COINS, IN_DOLLARS = options(dialects.OKX_TICK, in_coins=True), options(dialects.BYBIT_TICK, in_coins=False)
WORKED_INDEX = 58.4182375917  # methods 6.5


def okx_rows(of):
    """Premiums polled at AT less 20 s, volatilities and marks since; in the end marks alone, which quote nothing."""
    quotes = [*dialects.okx_tickers(AT - 20 * SECOND, of), *dialects.okx_interest(AT - 30 * SECOND, of)]
    return [*quotes, *dialects.okx_summary(AT - SECOND, of), *dialects.okx_marks(AT, of)]


CASES = {
    "okx, every message": ("okx", okx_rows, IN_COINS, dialects.OKX_TICK, "underlying"),
    "okx, tickers alone": ("okx", lambda of: dialects.okx_tickers(AT, of), IN_COINS, dialects.OKX_TICK, "parity"),
    "okx, summary alone": ("okx", lambda of: dialects.okx_summary(AT, of), IN_COINS, dialects.OKX_TICK, "underlying"),
    "bybit": ("bybit", lambda of: dialects.bybit_tickers(AT, of), IN_DOLLARS, dialects.BYBIT_TICK, "parity"),
    "binance, http": ("binance", lambda of: dialects.binance_answer(AT, of), IN_DOLLARS, dialects.BINANCE_TICK, "marks"),
    "binance, socket": (
        "binance", lambda of: [*dialects.binance_socket(AT - SECOND, of), *dialects.binance_statistics(AT, of)], IN_DOLLARS,
        dialects.BINANCE_TICK, "parity",
    ),
}  # fmt: skip


def chain_of(case: str, only=EVERY) -> tuple[Chain, float]:
    """The chain of a case and its step in dollars."""
    venue, rows, of, tick, _ = CASES[case]
    built = build(table(rows([o for o in of if o.truth in only])), AT, venue=venue, base="BTC")
    return built, tick * BASE.forward if of is IN_COINS else tick


@pytest.mark.parametrize("case", CASES)
def test_the_planted_smile_comes_back_from_each_venues_own_messages(case):
    chain, step = chain_of(case)
    assert len(chain.options) == len(IN_COINS)
    assert [f.method for f in chain.forwards] == [CASES[case][4]] * 3
    for forward, truth in zip(chain.forwards, EVERY, strict=True):
        assert forward.years == truth.days / 365
        # A mid is off by half a step at most, so an estimate by parity is by a whole one.
        assert forward.price == pytest.approx(truth.forward, abs=step)
    surface = fit(chain)
    assert [s.kind for s in surface.slices] == ["svi"] * 3
    assert min(s.min_g for s in surface.slices) >= 0
    assert calendar_gap(surface) >= 0
    for found, truth in zip(surface.slices, EVERY, strict=True):
        used = chain.options.filter(pl.col("is_used") & (pl.col("expiry") == found.expiry))
        strike = used["strike"].to_numpy()
        assert len(strike) >= 20
        iv = truth.volatility(strike)
        vega = black76.greeks(truth.forward, strike, found.years, iv, strike >= truth.forward).vega
        weight = 1 / np.maximum(step / vega, 1e-12)
        # Where the forward is off by its own step, a premium at the money is too by half of that.
        noise = np.where(found.forward == truth.forward, 0.5, 1.0) * step / vega + 1e-4
        off = weight * (found.volatility(strike) - iv)
        # The truth is an SVI slice: nothing fits better than twice as far from the truth as the quotes are (triangle inequality).
        assert np.sqrt((off**2).mean()) <= 2 * np.sqrt(((weight * noise) ** 2).mean())
    middle = surface.slices[1]
    # Methods 6.3: at the money, 80,000 and 94,000 of the base slice. A step is worth 0.05 to 0.1 points there.
    assert middle.volatility([86_000, 80_000, 94_000]) == pytest.approx([0.5301414916, 0.559951, 0.521452], abs=2e-3)
    row = constant_maturity(surface, [30.0]).row(0, named=True)
    assert (row["atm"], row["rr25"], row["bf25"]) == pytest.approx((0.5301414916, -0.0503646688, 0.0186675908), abs=3e-3)


@pytest.mark.parametrize("case", CASES)
def test_the_worked_index_comes_back_as_far_as_steps_allow(case):
    chain, step = chain_of(case, only=(NEAR, NEXT))
    index = volatility_index.from_chain(chain)
    assert index.points is not None and index.near is not None and index.next is not None
    # Each mid off by half a step in the same direction moves the sum by (2/T)·Σ ΔK/K²·step/2, and a missing wing by its premium.
    strikes = np.array(dialects.STRIKES) * 1000.0
    worst = 0.0
    for leg, truth in ((index.near, NEAR), (index.next, NEXT)):
        shift = (2 / leg.years) * (volatility_index.widths(strikes) / strikes**2 * step).sum()
        assert leg.strikes >= 25
        assert leg.forward == pytest.approx(truth.forward, abs=step)
        worst += leg.weight * leg.years * shift * 365 / 30
    assert index.points == pytest.approx(WORKED_INDEX, abs=100 * (np.sqrt((WORKED_INDEX / 100) ** 2 + worst) - WORKED_INDEX / 100))


def test_open_interest_and_exposure_of_a_chain_told_in_four_messages():
    chain, _ = chain_of("okx, every message")
    assert chain.options["open_interest"].to_list() == [INTEREST] * len(IN_COINS)
    assert chain.options["volume_24h"].to_list() == [3.5] * len(IN_COINS)
    # Marks came a second later than volatilities and say nothing of quotes.
    assert chain.options["quote_ts"].unique().to_list() == [AT - SECOND]
    assert chain.options["mark"].null_count() == 0
    short = dealers(chain.options, BASE.forward, surface=fit(chain)).conventions[1]
    of = chain.options
    gamma = black76.greeks(*(of[c].to_numpy() for c in ("forward", "strike", "years")), of["mark_iv"].to_numpy(), True).gamma
    expected = -(INTEREST * 0.01 * of["forward"].to_numpy() ** 2 * gamma).sum()
    assert short.gamma_usd == pytest.approx(expected, rel=5e-3)


# --- what is one row ------------------------------------------------------------------------------------------------------------


def row(ts, **given):
    fixed = {"venue": "okx", "base": "BTC", "symbol": "x", "venue_symbol": "x", "strike": 1.0, "expiry": 9, "option_type": "call"}
    return fixed | {"premium_unit": "base", "ts_event": ts, "ts_recv": ts} | given


def one(*rows):
    (found,) = merged(pl.DataFrame(list(rows), schema=TABLES["option_quotes"].polars_schema)).iter_rows(named=True)
    return found


def test_a_bid_that_is_gone_does_not_come_back():
    summary, ticker = row(1, bid_iv=0.5, ask_iv=0.6, delta=0.4, mark_iv=0.55), row(2, ask_price=0.02, volume_24h=1.0)
    found = one(summary, ticker)
    assert (found["bid_price"], found["bid_iv"], found["ask_price"], found["ask_iv"]) == (None, None, 0.02, None)
    assert (found["mark_iv"], found["delta"], found["volume_24h"], found["ts_event"]) == (0.55, 0.4, 1.0, 2)
    nothing = one(ticker, row(3, delta=0.4))  # greeks without any quote: none is there
    assert (nothing["ask_price"], nothing["ts_event"]) == (None, 3)


def test_a_row_that_quotes_nothing_leaves_the_quote_and_its_time():
    found = one(row(1, bid_price=0.01, ask_price=0.02, open_interest=5.0), row(2, mark_price=0.015), row(3, open_interest=7.0))
    assert (found["bid_price"], found["ask_price"], found["mark_price"], found["open_interest"]) == (0.01, 0.02, 0.015, 7.0)
    assert (found["ts_event"], found["ts_recv"]) == (1, 1)


def test_prices_of_the_coin_count_for_three_minutes():
    old = row(0, underlying_price=86_000.0, index_price=85_900.0, delta=0.5)
    still, late = (one(old, row(ts, bid_price=0.01)) for ts in (PRICES_HOLD, PRICES_HOLD + 1))
    assert (still["underlying_price"], still["index_price"]) == (86_000.0, 85_900.0)
    assert (late["underlying_price"], late["index_price"]) == (None, None)


def test_neither_order_nor_merging_twice_nor_the_tables_change_a_thing():
    """The last row of each kind, which is what the tables are asked for, merges into the same as all rows."""
    events = [e for e in okx_rows(IN_COINS[:40]) if isinstance(e, OptionQuote)]
    events += [e for e in dialects.okx_tickers(AT - 5 * SECOND, IN_COINS[:20]) if isinstance(e, OptionQuote)]
    rows = table(events)
    expected = merged(rows)
    assert expected["symbol"].is_unique().all()
    assert_frame_equal(merged(rows.sample(fraction=1.0, shuffle=True, seed=3)), expected)
    assert_frame_equal(merged(expected), expected)
    random.Random(4).shuffle(events)
    store = DuckStore(None)
    try:
        store.append(events)
        kept = pl.from_arrow(store.latest("option_quotes", ("venue", "venue_symbol"), 0, AT + 1, AT + 1, told=KINDS))
        last = pl.from_arrow(store.latest("option_quotes", ("venue", "venue_symbol"), 0, AT + 1, AT + 1))
    finally:
        store.close()
    assert_frame_equal(merged(kept).select(expected.columns), expected)
    assert last["bid_iv"].null_count() == len(last), "the last rows alone are marks"
