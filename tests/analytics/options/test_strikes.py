"""Positions by strike: the worked table, arithmetic, and real chains."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deleverage.analytics.options.black76 import price
from deleverage.analytics.options.chain import COLUMNS, build
from deleverage.analytics.options.strikes import Notable, blocks, by_expiry, by_strike, max_pain, notable, payouts, put_call, trades
from deleverage.tables import TABLES
from tests.analytics.options.chains import POLLED, real_chains

DAY = 86_400 * 1_000_000_000
AT = 1_768_435_200_000_000_000
FORWARD = 85_000.0
TABLE = {
    75: (200, 2600, 0.70), 78: (150, 1800, 0.65), 80: (600, 4200, 0.62), 82: (500, 2500, 0.59), 85: (1800, 2200, 0.55),
    88: (1500, 900, 0.53), 90: (3800, 1000, 0.52), 94: (2600, 300, 0.53), 100: (5200, 150, 0.56),
}  # fmt: skip
STRIKES = [1000.0 * k for k in TABLE]
CALLS, PUTS = [float(v[0]) for v in TABLE.values()], [float(v[1]) for v in TABLE.values()]


def options() -> pl.DataFrame:
    """Table O as a chain's options: ten days, F = 85,000."""
    rows = []
    for strike, (calls, puts, volatility) in TABLE.items():
        for kind, open_interest in (("call", calls), ("put", puts)):
            mark = float(price(FORWARD, 1000.0 * strike, 10 / 365, volatility, kind == "call"))
            rows.append({
                "symbol": f"BTC/USD:BTC-260124-{strike}000-{kind[0].upper()}", "expiry": AT + 10 * DAY, "years": 10 / 365,
                "strike": 1000.0 * strike, "option_type": kind, "forward": FORWARD, "mark": mark, "mark_iv": volatility,
                "open_interest": float(open_interest), "volume_24h": open_interest / 10,
            })  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS)


def prints(*rows: dict[str, object]) -> pl.DataFrame:
    schema = TABLES["trades"].polars_schema
    filled = [
        {"venue": "deribit", "base": "BTC", "ts_event": AT, "trade_id": str(i), "taker_side": "buy", "trade_kind": "market", **row}
        for i, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=schema)


def test_max_pain_of_the_worked_table() -> None:
    found = max_pain(STRIKES, CALLS, PUTS)
    assert found is not None
    assert (found.strike, found.base_strike) == (85_000, 85_000)
    assert found.usd == pytest.approx(20.2e6, rel=1e-9)
    assert found.base == pytest.approx(237.647059, rel=1e-8)
    assert payouts(STRIKES, CALLS, PUTS, [88_000.0])[0] == pytest.approx(22.9e6, rel=1e-9)


def test_put_call_of_the_worked_table() -> None:
    found = put_call(options())
    assert found.open_interest == pytest.approx(15_650 / 16_350, rel=1e-12)
    assert found.open_interest == pytest.approx(0.9571865, rel=1e-7)
    assert found.volume == pytest.approx(0.9571865, rel=1e-7)  # a tenth of open interest on both sides
    assert found.notional == pytest.approx(np.dot(STRIKES, PUTS) / np.dot(STRIKES, CALLS), rel=1e-12)
    marks = {kind: options().filter(option_type=kind)["mark"].to_numpy() for kind in ("call", "put")}
    assert found.premium == pytest.approx(np.dot(marks["put"], PUTS) / np.dot(marks["call"], CALLS), rel=1e-12)
    nobody = put_call(options().filter(option_type="put"))
    assert (nobody.open_interest, nobody.volume, nobody.notional, nobody.premium) == (None,) * 4


def test_the_base_payout_can_have_another_strike() -> None:
    # Puts of 1 at 100: 20 USD at 80 and 0 at 100; calls of 1.1 at 80: 22 USD at 100. In coins 20/80 = .25 and 22/100 = .22.
    found = max_pain([80.0, 100.0], [1.1, 0.0], [0.0, 1.0])
    assert found is not None
    assert (found.strike, found.usd) == (80, 20)
    assert found.base_strike == 100
    assert found.base == pytest.approx(0.22)


def test_nothing_known_is_no_max_pain() -> None:
    assert max_pain([], [], []) is None
    assert max_pain([80.0], [np.nan], [np.nan]) is None
    assert max_pain([80.0], [0.0], [0.0]) is None
    assert max_pain([80.0, 100.0], [np.nan, np.nan], [3.0, 0.0]) == (80, 0, 80, 0)  # at their strike puts pay nothing


POSITIONS = st.lists(st.tuples(st.integers(1, 200), st.integers(0, 9999), st.integers(0, 9999)), min_size=1, max_size=20)


@given(POSITIONS)
def test_no_listed_strike_pays_less(rows: list[tuple[int, int, int]]) -> None:
    k, calls, puts = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = max_pain(k, calls, puts)
    if not (calls.any() or puts.any()):
        assert found is None
        return
    assert found is not None
    by_hand = [sum(c * max(s - x, 0) + p * max(x - s, 0) for x, c, p in zip(k, calls, puts, strict=True)) for s in k]
    assert found.usd == pytest.approx(min(by_hand))
    assert found.base == pytest.approx(min(paid / s for paid, s in zip(by_hand, k, strict=True)))


def test_by_strike_and_by_expiry_add_up() -> None:
    strikes = by_strike(options())
    assert strikes["strike"].to_list() == STRIKES
    assert strikes["call_open_interest"].to_list() == CALLS
    assert strikes["put_volume_24h"].to_list() == pytest.approx([p / 10 for p in PUTS])
    assert strikes["put_open_interest_usd"].to_list() == pytest.approx([p * FORWARD for p in PUTS])
    assert by_strike(options(), 84_000.0)["call_open_interest_usd"].to_list() == pytest.approx([c * 84_000 for c in CALLS])
    (row,) = by_expiry(options()).iter_rows(named=True)
    assert (row["call_open_interest"], row["put_open_interest"]) == (16_350, 15_650)
    assert row["max_pain"] == 85_000
    assert row["max_pain_usd"] == pytest.approx(20.2e6)
    assert row["max_pain_base"] == pytest.approx(237.647059, rel=1e-8)
    assert row["put_call_open_interest"] == pytest.approx(0.9571865, rel=1e-7)


def test_what_is_not_listed_or_said_is_null() -> None:
    part = options().filter((pl.col("strike") != 75_000) | (pl.col("option_type") == "call"))
    part = part.with_columns(open_interest=pl.when(pl.col("strike") != 78_000).then("open_interest"))
    strikes = by_strike(part)
    assert strikes["put_open_interest"].to_list()[:3] == [None, None, 4200]
    assert strikes["call_open_interest"].to_list()[:3] == [200, None, 600]
    assert by_expiry(part)["put_open_interest"].to_list() == [15_650 - 2600 - 1800]
    assert by_expiry(options().head(0)).is_empty()


def test_trades_are_valued_by_the_chain() -> None:
    call, put = "BTC/USD:BTC-260124-85000-C", "BTC/USD:BTC-260124-85000-P"
    found = trades(prints({"symbol": call, "price": 0.03, "quantity": 100.0}, {"symbol": "BTC/USD:BTC", "price": 85_000.0}), options())
    assert found["premium_usd"].to_list() == [pytest.approx(0.03 * 100 * 85_000)]
    # Vega at the money by difference of two prices, a tenth of a point apart.
    up, down = (float(price(FORWARD, 85_000.0, 10 / 365, 0.55 + step, True)) for step in (5e-4, -5e-4))
    assert found["vega_usd"].to_list() == [pytest.approx((up - down) * 10 * 100, rel=1e-5)]
    usdc = options().with_columns(pl.col("symbol").str.replace("USD:BTC", "USDC:USDC"))
    linear = trades(prints({"symbol": "BTC/USDC:USDC-260124-85000-P", "price": 2500.0, "quantity": 2.0}), usdc)
    assert linear["premium_usd"].to_list() == [5000.0]
    assert trades(prints({"symbol": put, "price": 0.03}), options())["premium_usd"].to_list() == [None]


def test_notable_trades_and_blocks() -> None:
    call, put, far = (f"BTC/USD:BTC-260124-{k}" for k in ("85000-C", "85000-P", "100000-C"))
    rows = prints(
        {"symbol": call, "price": 0.03, "quantity": 1.0},
        {"symbol": far, "price": 0.001, "quantity": 900.0},
        {"symbol": call, "price": 0.04, "quantity": 50.0, "trade_kind": "block", "ts_event": AT + 1},
        {"symbol": put, "price": 0.03, "quantity": 50.0, "trade_kind": "block", "ts_event": AT + 1, "taker_side": "sell"},
        {"symbol": put, "price": 0.03, "quantity": 80.0, "trade_kind": "block", "ts_event": AT + 2},
        {"symbol": put, "price": 0.03, "quantity": None},
    )
    limits = Notable(premium_usd=150_000.0, vega_usd=10_000.0)
    found = notable(rows, options(), limits)
    # 900 × .001 × 85,000 = 76,500 USD; 50 × .04 × 85,000 = 170,000; 80 × .03 × 85,000 = 204,000.
    assert found.select("trade_id", "reason").rows() == [("4", "premium"), ("1", "vega"), ("2", "premium")]
    up, down = (float(price(FORWARD, 100_000.0, 10 / 365, 0.56 + step, True)) for step in (5e-4, -5e-4))
    assert found["score"].to_list() == pytest.approx([204 / 150, (up - down) * 10 * 900 / 10_000, 170 / 150], rel=1e-5)
    assert found["legs"].to_list() == [1, 1, 2]
    assert notable(rows, options(), limits, most=1)["trade_id"].to_list() == ["4"]
    first, second = blocks(rows, options()).iter_rows(named=True)
    assert (first["legs"], first["symbols"], second["legs"]) == (2, [call, put], 1)
    assert first["premium_usd"] == pytest.approx(170_000 + 127_500)
    assert first["net_premium_usd"] == pytest.approx(170_000 - 127_500)
    assert first["net_vega_usd"] == pytest.approx(0.0, abs=1e-6)  # a call bought and a put sold at one strike


def test_real_chains_agree_with_what_the_rows_say() -> None:
    for name, base, at, quotes in real_chains():
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        expiries = by_expiry(chain.options, chain.index_price)
        last = quotes.filter(pl.col("expiry") > at).sort("ts_event").group_by("symbol").agg(pl.col("open_interest").drop_nulls().last())
        total = float(expiries["call_open_interest"].sum()) + float(expiries["put_open_interest"].sum())
        assert total == pytest.approx(last["open_interest"].sum(), rel=1e-9), name
        for row in expiries.iter_rows(named=True):
            listed = chain.options.filter(expiry=row["expiry"])["strike"]
            assert row["max_pain"] is None or row["max_pain"] in listed
