import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deleverage.analytics.basis import constant_maturity, logarithmic, premium_series, premiums, quotes, simple, term_structure
from tests.analytics.leverage import DAY, HOUR, MINUTE, columns, contexts, deribit_futures, ns, table

AT = ns(2025, 11, 21, 8)
NEAR, FAR = "BTC/USD:BTC-251224", "BTC/USD:BTC-260327"


def marks(*rows: tuple[str, str, int, float | None, float | None]) -> pl.DataFrame:
    return table("mark_prices", [{"venue": v, "symbol": s, "ts_event": ts, "mark_price": m, "index_price": i} for v, s, ts, m, i in rows])


def test_the_worked_basis_and_its_row() -> None:
    assert simple(86_500, 85_500, 33) == pytest.approx(0.12936381, rel=1e-7)
    assert logarithmic(86_500, 85_500, 33) == pytest.approx(0.12861315, rel=1e-7)
    found = term_structure(marks(("deribit", NEAR, AT - MINUTE, 86_500.0, 85_500.0)), AT, base="BTC").row(0, named=True)
    assert (found["days"], found["expiry"], found["index_source"]) == (33.0, ns(2025, 12, 24, 8), "contract")
    assert (found["simple_apr"], found["log_apr"]) == (pytest.approx(0.12936381, rel=1e-7), pytest.approx(0.12861315, rel=1e-7))


def test_an_index_may_come_from_the_venues_other_contracts_of_the_pair() -> None:
    rows = marks(
        ("a", "BTC/USD:BTC", AT - MINUTE, 85_400.0, 85_500.0), ("a", NEAR, AT - MINUTE, 86_500.0, None),
        ("a", "BTC/USDT:USDT-251224", AT - MINUTE, 86_500.0, None), ("b", NEAR, AT - MINUTE, 86_500.0, None),
        ("a", FAR, AT - 16 * MINUTE, 90_000.0, 85_500.0), ("a", NEAR, AT + 1, 1.0, 1.0),
        ("a", "BTC/USD:BTC-251121", AT, 85_500.0, 85_500.0),
    )  # fmt: skip
    found = term_structure(rows, AT)
    assert found.select("venue", "symbol", "index_price", "index_source").rows() == [
        ("a", NEAR, 85_500.0, "venue"), ("a", "BTC/USDT:USDT-251224", None, None), ("b", NEAR, None, None),
    ]  # fmt: skip
    assert found["basis"].null_count() == 2
    assert premiums(rows, AT)["premium"].to_list() == [pytest.approx(-100 / 85_500)]


def test_mark_and_index_told_apart_are_put_together() -> None:
    rows = marks(("a", NEAR, AT - 2 * MINUTE, 86_500.0, None), ("a", NEAR, AT - MINUTE, None, 85_500.0))
    assert quotes(rows, AT).select("ts_event", "mark_price", "index_price").rows() == [(AT - 2 * MINUTE, 86_500.0, 85_500.0)]


def test_under_a_day_nothing_is_annualised() -> None:
    found = term_structure(marks(("a", "BTC/USD:BTC-251122", AT + HOUR - MINUTE, 86_000.0, 85_500.0)), AT + HOUR)
    assert found["basis"].to_list() == pytest.approx([500 / 85_500]) and found["simple_apr"].to_list() == [None]


def test_constant_maturity_only_between_two_expiries() -> None:
    term = term_structure(
        marks(("a", NEAR, AT, 86_500.0, 85_500.0), ("a", FAR, AT, 88_000.0, 85_500.0), ("b", FAR, AT, 88_000.0, 85_500.0)), AT
    )
    found = constant_maturity(term, 90.0)
    near, far = math.log(86_500 / 85_500), math.log(88_000 / 85_500)
    level = near + (90 - 33) / (126 - 33) * (far - near)
    assert found["log_apr"].to_list() == [pytest.approx(level * 365 / 90), None]
    assert found["simple_apr"][0] == pytest.approx((math.exp(level) - 1) * 365 / 90)
    assert found.select("near_days", "far_days").rows() == [(33.0, 126.0), (None, None)]
    assert constant_maturity(term, 33.0)["log_apr"][0] == pytest.approx(near * 365 / 33)
    assert constant_maturity(term, 30.0)["log_apr"].null_count() == 2


@given(st.floats(1e3, 1e6), st.floats(0.5, 2.0), st.floats(1, 700), st.floats(0.01, 100))
def test_log_is_at_most_simple_and_scale_does_not_matter(spot: float, ratio: float, days: float, scale: float) -> None:
    future = spot * ratio
    assert logarithmic(future, spot, days) <= simple(future, spot, days) + 1e-12
    assert simple(future * scale, spot * scale, days) == pytest.approx(simple(future, spot, days), rel=1e-6, abs=1e-9)
    assert math.copysign(1, simple(future, spot, days)) == math.copysign(1, logarithmic(future, spot, days)) or abs(ratio - 1) < 1e-12


def test_hyperliquids_premium_of_a_day() -> None:
    lines = contexts("BTC", "20260612")
    rows = marks(*(("hyperliquid", "BTC/USDC:USDC", int(x["ts"]) * 1_000_000, x["mark"], x["oracle"]) for x in lines))
    start = ns(2026, 6, 12)
    found = premium_series(rows, start, start + DAY, HOUR)
    assert len(found) == 24 and found["readings"].sum() == len(lines)
    first = [x["mark"] / x["oracle"] - 1 for x in lines if x["ts"] < 1_781_226_000_000]
    assert found["premium"][0] == pytest.approx(sum(first) / len(first)) and found["low"][0] == pytest.approx(min(first))
    assert premium_series(rows.sample(fraction=1, shuffle=True, seed=2), start, start + DAY, HOUR).equals(found)


@pytest.mark.parametrize("day", ["20260114", "20260115", "20260116", "20260118", "20260119", "20260120"])
def test_deribits_curve_and_its_own_expiries(day: str) -> None:
    listed = deribit_futures(day)
    rows = columns("mark_prices", listed.select("symbol", "ts_event", "mark_price", "index_price"), venue="deribit", base="BTC")
    at = int(listed["ts_event"].max())  # type: ignore[arg-type]  # a time
    term = term_structure(rows, at, base="BTC")
    dated = listed.filter(pl.col("instrument_name") != "BTC-PERPETUAL").sort("expiration_timestamp")
    assert term["expiry"].to_list() == [t * 1_000_000 for t in dated["expiration_timestamp"]]
    assert term["basis"].to_list() == pytest.approx((dated["mark_price"] / dated["index_price"] - 1).to_list())
    (perpetual,) = listed.filter(pl.col("instrument_name") == "BTC-PERPETUAL").iter_rows(named=True)
    assert premiums(rows, at)["premium"].to_list() == [pytest.approx(perpetual["mark_price"] / perpetual["index_price"] - 1)]
    month = constant_maturity(term, 30.0).row(0, named=True)
    around = term.filter(pl.col("days").is_in([month["near_days"], month["far_days"]]))["basis"]
    assert around.min() <= math.expm1(month["log_apr"] * 30 / 365) <= around.max()  # type: ignore[operator]  # numbers
