"""The slices of methods 6.3, exact refits, freedom from arbitrage whatever the quotes say, and real chains."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.options import black76
from deleverage.analytics.options.chain import build
from deleverage.analytics.options.smile import Slice, Surface, calendar_gap, fit, fit_slice
from deleverage.analytics.options.svi import Svi, fit_ssvi, fit_svi, ssvi, ssvi_checks
from deleverage.errors import BadInput
from tests.analytics.options.chains import POLLED, real_chains

VOGT = Svi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
B = Svi(0.0135, 0.06, -0.40, 0.0, 0.16)
FORWARD, MONTH = 86000.0, 30 / 365
LISTED = (70, 75, 79, 80, 82, 85, 88, 90, 94, 100, 110)
VOLS = (0.643960, 0.598258, 0.566803, 0.559951, 0.547743, 0.533645, 0.524916, 0.521918, 0.521452, 0.529833, 0.553790)
WIDE = np.linspace(-1.5, 1.5, 30_001)


def test_vogts_slice_is_not_free_of_arbitrage():
    g = VOGT.g(WIDE)
    assert g.min() == pytest.approx(-0.0328635, abs=1e-7)
    assert WIDE[g.argmin()] == pytest.approx(0.879, abs=5e-4)
    below = WIDE[g < 0]
    assert (below[0], below[-1]) == pytest.approx((0.643, 1.256), abs=1.1e-3)
    assert float(VOGT.total_variance(0.0)) == pytest.approx(0.0174262526, rel=1e-8)
    assert VOGT.min_g() == pytest.approx(-0.0328635, abs=1e-6)


def test_base_slice_has_the_printed_volatilities():
    base = Slice(0, MONTH, FORWARD, B, "svi", pl.DataFrame(), 0.0, 0.0, 0.0)
    assert float(base.volatility(FORWARD)) == pytest.approx((0.0231 * 365 / 30) ** 0.5, rel=1e-14)
    assert float(base.volatility(FORWARD)) == pytest.approx(0.5301414916, rel=1e-8)
    assert B.g(WIDE).min() == pytest.approx(0.2918, abs=5e-5)
    assert base.volatility(1000.0 * np.array(LISTED)) == pytest.approx(VOLS, abs=5.1e-7)


def test_derivatives_are_those_of_the_slice():
    k, h = np.linspace(-1, 1, 41), 1e-5
    for slice_ in (B, VOGT):
        up, down = slice_.total_variance(k + h), slice_.total_variance(k - h)
        assert slice_.slope(k) == pytest.approx((up - down) / (2 * h), abs=1e-8)
        assert slice_.curvature(k) == pytest.approx((up - 2 * slice_.total_variance(k) + down) / h**2, abs=1e-4)


def test_g_has_the_sign_of_the_density():
    # The second difference of Black's price in strike is the density; g is it over something above 0 (Gatheral and Jacquier 2014).
    k = np.linspace(-1.2, 1.4, 53)
    strikes = np.exp(k)
    for slice_ in (B, VOGT):

        def call(strike, s=slice_):
            return black76.price(1.0, strike, 1.0, np.sqrt(s.total_variance(np.log(strike))), True)

        h = 1e-4 * strikes
        density = (call(strikes + h) - 2 * call(strikes) + call(strikes - h)) / h**2
        w = slice_.total_variance(k)
        minus = -k / np.sqrt(w) - np.sqrt(w) / 2
        expected = slice_.g(k) / np.sqrt(2 * np.pi * w) * np.exp(-(minus**2) / 2) / strikes
        assert density == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("strikes", [LISTED[:10], LISTED])
def test_refit_of_the_base_slice_is_exact(strikes):
    k = np.log(1000.0 * np.array(strikes) / FORWARD)
    found = fit_svi(k, B.total_variance(k), np.ones(len(k)))
    assert found == pytest.approx(B, abs=1e-6)


def test_a_steep_wing_is_an_arbitrage_wherever_the_grid_ends():
    assert Svi(0.04, 1.2, 0.8, 0.0, 0.2).min_g() == -np.inf
    assert Svi(-0.04, 0.2, 0.0, 0.0, 0.1).min_g() == -np.inf


def test_ssvi_checks_and_shape():
    theta, rho = 0.01919, -0.3
    phi = 0.9 * theta**-0.45
    assert phi == pytest.approx(5.33161, abs=5e-6)
    assert ssvi_checks(theta, rho, phi) == pytest.approx((0.13301, 0.70915), abs=5e-6)
    k = np.linspace(-1, 1, 21)
    printed = theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
    slice_ = ssvi(theta, rho, phi)
    assert slice_.total_variance(k) == pytest.approx(printed, rel=1e-12)
    assert slice_.min_g() > 0
    assert fit_ssvi(k, printed, np.ones(21)) == pytest.approx(slice_, rel=1e-5)


def test_arbitrageable_quotes_get_a_slice_without_arbitrage():
    k = np.linspace(-1.2, 1.4, 27)
    found = made(k, np.sqrt(VOGT.total_variance(k)), 1.0)
    assert found.min_g >= 0
    assert found.kind == "svi"
    assert 0.05 < found.worst_points < 5


def made(k, iv, years, weight=None, after=None, expiry=1):
    frame = pl.DataFrame({"k": k, "iv": iv, "weight": np.ones(len(k)) if weight is None else weight})
    return fit_slice(frame, expiry, years, FORWARD, after)


def test_few_quotes_get_few_parameters():
    k = np.array([-0.1, 0.0, 0.12])
    assert made(k, np.array([0.6, 0.55, 0.53]), MONTH).kind == "ssvi"
    flat = made(k[:2], np.array([0.6, 0.6]), MONTH)
    assert flat.kind == "flat"
    assert float(flat.volatility(50_000.0)) == pytest.approx(0.6)
    after = made(np.log(1000.0 * np.array(LISTED) / FORWARD), np.array(VOLS), MONTH)
    scaled = made(k[1:2], np.array([0.5]), MONTH / 3, after=after)
    assert scaled.kind == "scaled"
    assert float(scaled.volatility(FORWARD)) == pytest.approx(0.5)
    with pytest.raises(BadInput):
        made(k[:0], k[:0], MONTH)


def test_weights_say_which_quotes_are_followed():
    k = np.linspace(-0.4, 0.4, 9)
    iv = 0.5 + 0.1 * k**2
    wrong = iv.copy()
    wrong[4] += 0.05
    light, heavy = (made(k, wrong, MONTH, weight=np.where(np.arange(9) == 4, x, 1.0)) for x in (0.01, 100.0))
    assert abs(float(light.volatility(FORWARD)) - 0.5) < 0.001
    assert abs(float(heavy.volatility(FORWARD)) - 0.55) < 0.005


noisy = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(0.0, 0.3), st.floats(0.2, 1.5), st.floats(0.05, 1.5), st.floats(0.002, 1.5)
)


@settings(max_examples=60, deadline=None)
@given(noisy)
def test_no_butterfly_arbitrage_whatever_the_quotes_say(case):
    seed, count, noise, level, width, years = case
    rng = np.random.default_rng(seed)
    k = np.sort(rng.uniform(-width, width, count))
    iv = level * np.clip(1 + rng.normal(0, noise, count) + rng.normal(0, 1) * k, 0.1, 5)
    found = made(k, iv, years, weight=rng.uniform(0.1, 100, count))
    assert found.min_g >= 0
    # Looked at again on another grid than the fit's own: wings included.
    far = np.concatenate([np.linspace(-3, 3, 4001), -np.geomspace(3, 1e3, 200), np.geomspace(3, 1e3, 200)])
    assert found.svi.g(far).min() > -1e-9
    assert found.total_variance(far).min() > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0.0, 0.3))
def test_total_variance_never_falls_with_time(seed, expiries, noise):
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.uniform(0.003, 1.0, expiries))
    later = None
    slices = []
    for years in ends[::-1]:
        count = int(rng.integers(1, 25))
        k = np.sort(rng.uniform(-0.9, 0.9, count))
        iv = np.clip(0.6 + rng.normal(0, 0.15) + rng.normal(0, 0.3) * k + 0.4 * k * k + rng.normal(0, noise, count), 0.05, 4)
        later = made(k, iv, years, after=later)
        slices.insert(0, later)
    surface = Surface("deribit", "BTC", 0, tuple(slices))
    assert min(s.min_g for s in slices) >= 0
    assert calendar_gap(surface) >= 0
    times = np.sort(np.concatenate([ends, np.linspace(0.001, 1.4, 60)]))
    for k in rng.uniform(-3, 3, 20):
        w = surface.total_variance(k, times)
        assert (np.diff(w) >= -1e-9 * w[1:]).all()


def test_the_surface_is_linear_in_total_variance_and_keeps_volatility_outside():
    soon = made(np.array([0.0]), np.array([0.8]), 10 / 365)
    late = made(np.array([0.0]), np.array([0.5]), 45 / 365)._replace(forward=88000.0)
    surface = Surface("deribit", "BTC", 0, (soon, late))
    assert float(surface.volatility(surface.forward(MONTH), MONTH)) == pytest.approx(0.5529143566, abs=1e-10)
    assert surface.volatility(80_000.0, np.array([1, 10, 45, 400]) / 365) == pytest.approx([0.8, 0.8, 0.5, 0.5])
    assert surface.total_variance(np.zeros((3, 1)), np.array([10, 45]) / 365).shape == (3, 2)
    assert surface.forward(np.array([1, 10, 27.5, 45, 400]) / 365) == pytest.approx([86000, 86000, (86000 * 88000) ** 0.5, 88000, 88000])
    assert np.isnan(surface.volatility(80_000.0, 0.0))
    with pytest.raises(BadInput):
        Surface("deribit", "BTC", 0, ()).forward(0.1)


# --- real chains -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def surfaces():
    return {
        name: (build(quotes, at, venue="deribit", base=base, filters=POLLED), quotes) for name, base, at, quotes in real_chains()
    }  # fmt: skip


def test_real_surfaces_are_free_of_arbitrage_and_follow_the_quotes(surfaces):
    for name, (chain, _) in surfaces.items():
        surface = fit(chain)
        assert len(surface.slices) == len(chain.forwards), name
        assert min(s.min_g for s in surface.slices) >= 0, name
        assert calendar_gap(surface) >= 0, name
        assert np.median([s.rms_points for s in surface.slices]) < 0.7, name
        assert sum(s.kind == "svi" for s in surface.slices) >= 0.9 * len(surface.slices), name


def test_most_real_quotes_hold_the_fitted_smile_between_bid_and_ask(surfaces):
    inside, count = 0, 0
    for chain, _ in surfaces.values():
        for slice_ in fit(chain).slices:
            rows = chain.options.filter(pl.col("is_used") & (pl.col("expiry") == slice_.expiry))
            fitted = slice_.volatility(rows["strike"].to_numpy())
            inside += int(((fitted >= rows["bid_iv"].fill_null(0).to_numpy()) & (fitted <= rows["ask_iv"].to_numpy())).sum())
            count += len(rows)
    assert inside > 0.8 * count


def test_a_chain_without_a_clean_quote_has_no_slice(surfaces):
    chain, _ = next(iter(surfaces.values()))
    assert fit(chain._replace(options=chain.options.with_columns(is_used=False))).slices == ()
