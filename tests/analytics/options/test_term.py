"""The worked numbers of methods 6.4, and no word beyond the listed expiries."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from deleverage.analytics.options.chain import build
from deleverage.analytics.options.smile import Slice, Surface, fit
from deleverage.analytics.options.svi import Svi
from deleverage.analytics.options.term import constant_maturity, delta_log_moneyness, listed
from tests.analytics.options.chains import POLLED, real_chains

B = Svi(0.0135, 0.06, -0.40, 0.0, 0.16)


def slice_(days, svi, forward=86000.0):
    return Slice(int(days), days / 365, forward, svi, "svi", pl.DataFrame(), 0.0, 0.0, svi.min_g())


def surface(*slices):
    return Surface("deribit", "BTC", 0, slices)


def flat(volatility, days):
    return slice_(days, Svi(volatility**2 * days / 365, 0.0, 0.0, 0.0, 1.0))


def test_the_worked_skew_by_forward_delta():
    row = listed(surface(slice_(30, B))).row(0, named=True)
    assert row["call25"] == pytest.approx(96242.301084, rel=1e-9)
    assert row["put25"] == pytest.approx(78014.457745, rel=1e-9)
    assert row["rr25"] == pytest.approx(-0.0503646688, abs=1e-9)
    assert row["bf25"] == pytest.approx(0.0186675908, abs=1e-9)
    assert row["atm"] == pytest.approx(0.5301414916, rel=1e-8)
    assert row["rr25"] + 0.5739914157 == pytest.approx(0.5236267469, abs=1e-9)
    assert row["skew25"] == pytest.approx(-0.0503646688 / 0.5301414916, abs=1e-8)
    assert row["rr10"] < row["rr25"] < 0 < row["bf25"] < row["bf10"]


def test_term_structure_is_interpolated_in_total_variance():
    both = surface(flat(0.80, 10), flat(0.50, 45))
    found = constant_maturity(both, [30]).row(0, named=True)
    assert found["atm"] == pytest.approx(0.5529143566, abs=1e-10)
    assert found["rr25"] == pytest.approx(0, abs=1e-12)
    assert found["bf10"] == pytest.approx(0, abs=1e-12)


def test_nothing_is_extrapolated():
    found = constant_maturity(surface(flat(0.80, 10), flat(0.50, 45)))
    assert found["tenor_days"].to_list() == [7, 14, 30, 60, 90, 180]
    assert found["atm"].is_null().to_list() == [True, False, False, True, True, True]
    assert found.filter(pl.col("atm").is_null()).drop("tenor_days", "years").null_count().row(0) == (4,) * 9
    assert constant_maturity(surface()).drop_nulls("atm").is_empty()
    assert constant_maturity(surface(flat(0.80, 7), flat(0.5, 180)), [7, 180])["atm"].to_list() == pytest.approx([0.8, 0.5])
    assert listed(surface()).is_empty()


@pytest.mark.parametrize(("delta", "is_call"), [(0.25, True), (0.25, False), (0.10, True), (0.10, False), (0.5, True), (0.01, False)])
def test_the_strike_has_the_delta_asked_for(delta, is_call):
    k = delta_log_moneyness(lambda x: float(B.total_variance(x)), delta, is_call)
    w = float(B.total_variance(k))
    d1 = -k / w**0.5 + w**0.5 / 2
    assert norm.cdf(d1 if is_call else -d1) == pytest.approx(delta, abs=1e-12)


def test_real_skews_agree_with_the_volatility_at_the_venues_own_deltas():
    # Independent of our smile: the venue's mark volatilities interpolated at its own forward deltas.
    off = []
    for name, base, at, quotes in real_chains():
        marks = quotes.drop_nulls(["delta", "mark_iv"])
        for row in listed(fit(build(quotes, at, venue="deribit", base=base, filters=POLLED))).drop_nulls("rr25").iter_rows(named=True):
            of = marks.filter(pl.col("expiry") == row["expiry"])
            sides = []
            for kind, delta in (("call", 0.25), ("put", -0.25)):
                side = of.filter(option_type=kind).sort("delta")
                d, v = side["delta"].to_list(), side["mark_iv"].to_list()
                above = next((i for i, x in enumerate(d) if x >= delta), 0)
                if above and d[above] - d[above - 1] < 0.15:
                    share = (delta - d[above - 1]) / (d[above] - d[above - 1])
                    sides.append(v[above - 1] + share * (v[above] - v[above - 1]))
            if len(sides) == 2 and row["years"] > 2 / 365:
                off.append(abs(row["rr25"] - (sides[0] - sides[1])))
                assert off[-1] < 0.03, (name, row["tenor_days"])
    assert len(off) > 40
    assert np.median(off) < 0.005
