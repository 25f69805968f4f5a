"""The worked numbers of methods 6.1, every reason a quote is left out for, other venues' units, and real chains."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from deleverage.analytics.options import black76
from deleverage.analytics.options.chain import COLUMNS, FILTERS, YEAR, Filters, build
from deleverage.errors import BadInput
from deleverage.tables import TABLES
from deleverage.venues import bybit, okx
from deleverage.venues.venue import split_route
from tests.analytics.options.chains import POLLED, frame, real_chains
from tests.captures import shared

AT = 1_768_000_000_000_000_000
DAY = 86_400_000_000_000
EXPIRY = AT + 30 * DAY


def quote(strike, option_type, bid, ask, **given):
    row = {
        "venue": "deribit", "base": "BTC", "venue_symbol": "", "ts_event": AT, "ts_recv": AT, "strike": float(strike), "expiry": EXPIRY,
        "option_type": option_type, "premium_unit": "base", "bid_price": bid, "ask_price": ask,
    } | given  # fmt: skip
    row["symbol"] = given.get("symbol", f"BTC-{row['expiry']}-{strike}-{option_type}")
    return row


def table(rows):
    return pl.DataFrame(rows, schema=TABLES["option_quotes"].polars_schema)


def made(rows, filters=FILTERS, at=AT):
    return build(table(rows), at, venue="deribit", base="BTC", filters=filters)


def pair(strike, forward, vol=0.55, half=0.0005, unit="base", days=30, **given):
    """A call and a put at Black's price, `half` of the premium's unit on both sides."""
    years = days / 365
    rows = []
    for kind in ("call", "put"):
        premium = float(black76.price(forward, strike, years, vol, kind == "call")) / (forward if unit == "base" else 1.0)
        rows.append(
            quote(strike, kind, premium - half, premium + half, premium_unit=unit, expiry=AT + days * DAY, mark_price=premium, **given)
        )
    return rows


# --- the worked example of methods 6.1 ---------------------------------------------------------------------------------


def worked(unit):
    calls = {"base": 0.06846018824, "usd": 5887.57618846}
    puts = {"base": 0.05683228126, "usd": 4887.57618846}
    return [
        quote(85000, "call", calls[unit], calls[unit], premium_unit=unit, underlying_price=85500.0),
        quote(85000, "put", puts[unit], puts[unit], premium_unit=unit, underlying_price=85500.0),
    ]


@pytest.mark.parametrize("unit", ["base", "usd"])
def test_parity_gives_the_forward_from_premiums_alone(unit):
    chain = made(worked(unit))
    (forward,) = chain.forwards
    assert forward.price == pytest.approx(86000, rel=1e-8)
    assert (forward.method, forward.pairs, forward.years) == ("parity", 1, 30 / 365)
    call, put = chain.options.sort("option_type").iter_rows(named=True)
    assert call["mid"] == pytest.approx(5887.57618846, rel=1e-8)
    assert put["mid"] == pytest.approx(4887.57618846, rel=1e-8)
    assert call["mid_iv"] == pytest.approx(0.55, abs=1e-8)
    assert put["iv"] == pytest.approx(0.55, abs=1e-8)
    assert (call["why_not"], put["why_not"], put["is_used"]) == ("in the money", "", True)


def test_premiums_turned_into_dollars_by_a_spot_price_would_misplace_the_forward():
    # The spec's trap: c - p in dollars at spot 85,500 gives K + 85,500 (c - p) = 85,994.1860, not 86,000.
    c, p = 0.06846018824, 0.05683228126
    assert 85000 + 85500 * (c - p) == pytest.approx(85994.1860, abs=1e-4)
    assert made(worked("base")).forwards[0].price == pytest.approx(86000, abs=1e-3)


def test_the_tick_of_a_deep_wing_moves_its_volatility_by_points():
    # F 86,000, put at 60,000, 7 days, 90 %: 0.0000586 coins, quoted at the tick of 0.0001 it reads 94.7056 % (methods 6.1).
    rows = [*pair(84000, 86000, vol=0.9, days=7), *pair(88000, 86000, vol=0.9, days=7)]
    rows.append(quote(60000, "put", 0.0001, 0.0001, symbol="x", expiry=AT + 7 * DAY))
    assert float(black76.price(86000, 60000, 7 / 365, 0.9, False)) / 86000 == pytest.approx(0.0000586, abs=5e-8)
    assert made(rows).options.filter(symbol="x")["iv"][0] == pytest.approx(0.947056, rel=1e-6)


# --- forwards ----------------------------------------------------------------------------------------------------------


def test_each_expiry_has_its_own_forward_and_its_own_conversion():
    chain = made([*pair(84000, 86000), *pair(86000, 86000), *pair(90000, 88000, days=90), *pair(88000, 88000, days=90)])
    assert [f.price for f in chain.forwards] == pytest.approx([86000, 88000], rel=1e-9)
    assert chain.options["mid_iv"].to_list() == pytest.approx([0.55] * 8, rel=1e-6)


def test_one_old_quote_does_not_move_the_forward():
    rows = [row for strike in (82000, 84000, 86000, 88000, 90000) for row in pair(strike, 86000, underlying_price=86010.0)]
    broken = [dict(r, bid_price=r["bid_price"] + 0.02, ask_price=r["ask_price"] + 0.02) if r["strike"] == 86000 else r for r in rows[:5]]
    found = made(broken + rows[5:]).forwards[0]
    assert found.price == pytest.approx(86000, rel=1e-6)
    assert found.pairs == 4


def test_without_a_pair_the_venues_underlying_is_taken_and_without_that_nothing():
    calls = [r for r in pair(86000, 86000, underlying_price=86123.0) if r["option_type"] == "call"]
    (forward,) = made(calls).forwards
    assert (forward.price, forward.method, forward.pairs) == (86123.0, "underlying", 0)
    assert np.isnan(forward.spread)
    bare = made([dict(r, underlying_price=None) for r in calls])
    assert bare.forwards == ()
    assert bare.options.select("forward", "k", "mid", "mid_iv", "why_not").row(0) == (None, None, None, None, "no forward")


# --- reasons -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"bid_price": None}, "no bid"),
        ({"ask_price": None}, "no ask"),
        ({"bid_price": 0.004, "ask_price": 0.0035}, "crossed"),
        ({"ts_event": AT - 5_000_000_001}, "stale"),
        ({"ts_event": AT - 5_000_000_000}, ""),
        ({"bid_price": 0.0034, "ask_price": 0.0047}, "wide"),  # 0.0013 of 0.00405 is 32 %
        ({"bid_price": 0.0035, "ask_price": 0.0047}, ""),  # 0.0012 of 0.0041 is 29 %
        ({"bid_price": 0.0001, "ask_price": 0.0003}, ""),  # two ticks, however cheap
        ({"bid_price": 0.0001, "ask_price": 0.00041}, "wide"),
        ({"bid_price": 1.1, "ask_price": 1.2}, "outside bounds"),
        ({"strike": 60000.0, "bid_price": 0.25, "ask_price": 0.26}, "outside bounds"),  # below 1 - 60/86 = 0.302
        ({"strike": 60000.0, "bid_price": 0.31, "ask_price": 0.32}, "in the money"),
        ({"expiry": AT + 29 * 60 * 1_000_000_000, "underlying_price": 86000.0}, "expiring"),
    ],
)
def test_a_discarded_quote_says_why(changed, reason):
    call = quote(100000, "call", 0.0040, 0.0045) | changed | {"symbol": "x"}
    rows = [*pair(84000, 86000), *pair(88000, 86000), call]
    options = made(rows).options
    assert options.columns == COLUMNS.names()
    row = options.filter(symbol="x").row(0, named=True)
    assert row["why_not"] == reason
    assert row["is_used"] == (reason == "")
    assert (row["iv"] is not None) == (reason in ("", "in the money"))


def test_ticks_of_dollar_premiums_are_the_smallest_step_quoted():
    rows = [*pair(86000, 86000, unit="usd", half=5), quote(120000, "call", 5.0, 15.0, premium_unit="usd", symbol="x")]
    rows += [
        quote(121000, "call", 5.0, 10.0, premium_unit="usd", symbol="y"),
        quote(122000, "call", 5.0, 25.0, premium_unit="usd", symbol="z"),
    ]
    found = dict(made(rows, Filters(tick=5.0)).options.select("symbol", "why_not").rows())
    assert (found["x"], found["y"], found["z"]) == ("", "", "wide")
    rounded = [r | {"bid_price": 5 * round(r["bid_price"] / 5), "ask_price": 5 * round(r["ask_price"] / 5)} for r in rows]
    found = dict(made(rounded).options.select("symbol", "why_not").rows())
    assert (found["x"], found["y"], found["z"]) == ("", "", "wide")


def test_the_last_row_of_a_contract_counts_expired_ones_are_gone_and_the_future_is_not_seen():
    old = pair(86000, 86000, vol=0.8, ts_event=AT - 1000, open_interest=12.0, index_price=85000.0)
    gone = pair(86000, 86000, days=0.0)
    late = pair(86000, 86000, vol=0.9, ts_event=AT + 1)
    chain = made([*pair(86000, 86000), *old, *gone, *late])
    assert len(chain.options) == 2
    assert chain.options["mid_iv"].to_list() == pytest.approx([0.55, 0.55], rel=1e-9)
    assert chain.options["open_interest"].to_list() == [12.0, 12.0]
    assert chain.index_price == 85000.0


def test_a_chain_of_nothing_is_empty_and_a_foreign_frame_is_refused():
    assert made([]).options.schema == COLUMNS
    assert build(table(pair(86000, 86000)), AT, venue="okx", base="BTC").options.is_empty()
    with pytest.raises(BadInput, match="strike"):
        build(pl.DataFrame({"venue": ["x"]}), AT, venue="deribit", base="BTC")


# --- other venues ------------------------------------------------------------------------------------------------------


def test_okx_tells_volatilities_without_premiums_and_gets_blacks_price():
    path = shared("jkorf_fixtures/okx/Subscriptions__Unified__ExchangeData__OptionSummary.txt")
    payload = path.read_text().partition("\n=")[2].strip().replace("BTC-USD-200103-5500-C", "BTC-USD-200925-45000-C").encode()
    parser = okx.VENUE.parser(split_route("wss://ws.okx.com:8443/ws/v5/public"), okx.VENUE.instruments(()))
    quotes = frame(parser.parse(payload.replace(b'"bidVol": ""', b'"bidVol": "0.9"'), AT))
    at = int(quotes["ts_event"][0])
    chain = build(quotes, at, venue="okx", base="BTC")
    row = chain.options.row(0, named=True)
    assert row["forward"] == pytest.approx(39016.8143629068452065)
    assert (row["bid_iv"], row["ask_iv"], row["mark_iv"]) == pytest.approx((0.9, 1.5625, 0.9987))
    assert row["bid"] == pytest.approx(float(black76.price(row["forward"], 45000, row["years"], 0.9, True)))


def test_bybits_dollar_premium_gives_bybits_own_volatility():
    parser = bybit.VENUE.parser(split_route("wss://stream.bybit.com/v5/public/option"), bybit.VENUE.instruments(()))
    quotes = frame(parser.parse(shared("nautilus_fixtures/bybit/ws_ticker_option.json").read_bytes(), AT))
    at = int(quotes["ts_event"][0])
    row = build(quotes, at, venue="bybit", base="BTC").options.row(0, named=True)
    assert (row["forward"], row["ask"], row["why_not"]) == (16815.1, 10.0, "no bid")
    assert row["ask_iv"] == pytest.approx(0.514, abs=0.005)
    assert float(black76.implied_volatility(row["mark"], row["forward"], 17500, row["years"], True)) == pytest.approx(0.4896, abs=0.005)


# --- properties and real chains -----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(order: random.Random):
    rows = [r for strike in (80000, 84000, 86000, 88000, 95000) for r in pair(strike, 86000, half=0.0007 + strike / 1e9)]
    rows += [dict(r, ts_event=AT - 1_000_000, mark_price=0.2) for r in rows[:4]] + pair(86000, 87000, days=60)
    rows += [dict(r, bid_price=r["bid_price"] - 1e-4) for r in rows[:2]]  # equal in both clocks
    mixed = rows.copy()
    order.shuffle(mixed)
    one, other = made(rows), made(mixed)
    assert one.forwards == other.forwards or np.allclose([f.price for f in one.forwards], [f.price for f in other.forwards], rtol=0)
    assert_frame_equal(one.options, other.options, check_exact=True)


def test_real_forwards_lie_within_a_thousandth_of_the_venues_own():
    for name, base, at, quotes in real_chains():
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        own = dict(quotes.group_by("expiry").agg(pl.col("underlying_price").median()).rows())
        assert len(chain.forwards) == quotes["expiry"].n_unique(), name
        for forward in chain.forwards:
            assert forward.method == "parity"
            assert forward.price == pytest.approx(own[forward.expiry], rel=1e-3), name


def test_real_volatilities_are_the_venues_to_a_fifth_of_a_point():
    for name, base, at, quotes in real_chains():
        used = build(quotes, at, venue="deribit", base=base, filters=POLLED).options.filter("is_used")
        assert len(used) > 0.3 * len(quotes), name
        assert (used["iv"] - used["mark_iv"]).abs().median() < 0.002, name


def test_real_bid_and_ask_volatilities_are_the_venues():
    name, base, at, quotes = next(c for c in real_chains() if c[0] == "deribit-btc-20260116")
    chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
    both = chain.options.filter("is_used").join(quotes.select("symbol", "bid_iv", "ask_iv"), on="symbol", suffix="_venue")
    for side in ("bid_iv", "ask_iv"):
        assert (both[side] - both[f"{side}_venue"]).abs().median() < 0.002, (name, side)


def test_years_are_of_365_days():
    assert YEAR == 365 * DAY
