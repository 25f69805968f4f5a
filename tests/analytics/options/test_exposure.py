"""Dealers' exposure: the worked table, flips with bands, positions from signed trades, words only where conventions agree."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.options import black76
from deleverage.analytics.options.chain import build
from deleverage.analytics.options.dealer_flow import LARGEST, infer
from deleverage.analytics.options.exposure import Book, Convention, Exposure, Zone, book, conventions, dealers, exposure, profile
from deleverage.analytics.options.smile import fit
from deleverage.errors import BadInput
from deleverage.tables import TABLES
from tests.analytics.options.chains import POLLED, real_chains

SPOT, YEARS = 85_000.0, 10 / 365
STRIKES = np.array([75, 78, 80, 82, 85, 88, 90, 94, 100]) * 1000.0
CALLS = np.array([200, 150, 600, 500, 1800, 1500, 3800, 2600, 5200.0])
PUTS = np.array([2600, 1800, 4200, 2500, 2200, 900, 1000, 300, 150.0])
VOLS = np.array([0.70, 0.65, 0.62, 0.59, 0.55, 0.53, 0.52, 0.53, 0.56])
INFERRED = np.array([-900, -700, -1600, -1250, -1300, -600, 750, 1200, 2100.0])
AT = 1_700_000_000_000_000_000


def options() -> pl.DataFrame:
    """Table O as rows of `Chain.options`: nine calls, then nine puts."""
    return pl.DataFrame({
        "symbol": [f"{k:.0f}-{t}" for t in "CP" for k in STRIKES], "expiry": [AT + 10 * 86_400 * 10**9] * 18, "years": [YEARS] * 18,
        "strike": np.tile(STRIKES, 2), "option_type": ["call"] * 9 + ["put"] * 9, "forward": [SPOT] * 18, "iv": np.tile(VOLS, 2),
        "mark_iv": np.tile(VOLS, 2), "open_interest": np.concatenate([CALLS, PUTS]),
    })  # fmt: skip


def inferred(draws: np.ndarray | None = None, prices: np.ndarray | None = None) -> Exposure:
    contracts = book(options().head(9))
    return exposure(contracts, SPOT, {"flow": INFERRED}, draws=None if draws is None else {"flow": draws}, prices=prices)


def by_name(found: Exposure) -> dict[str, Convention]:
    return {one.name: one for one in found.conventions}


def test_naive_exposure_has_the_worked_numbers() -> None:
    found = by_name(dealers(options(), SPOT))["equity"]
    assert found.gamma_usd == pytest.approx(-4_408_665.47, rel=1e-8)
    contracts = book(options())
    curve = profile(contracts, conventions(contracts)["equity"], SPOT, np.array([80, 82, 88, 90, 94]) * 1000.0)
    assert curve / 1e6 == pytest.approx([-20.581, -15.6373, 8.9324, 17.3879, 29.7645], abs=6e-5)
    (flip,) = found.flips
    assert flip.price == pytest.approx(86_007.889279, abs=1e-5)
    assert flip.to_long
    assert (flip.low, flip.high, flip.share) == (None, None, None)
    assert found.short_zones == (Zone(None, flip.price),)


def test_inferred_exposure_has_the_worked_numbers() -> None:
    (found,) = inferred().conventions
    assert found.gamma_usd / 1e6 == pytest.approx(-11.4615, abs=6e-5)
    curve = profile(book(options().head(9)), INFERRED, SPOT, np.array([80, 82, 88, 90, 92, 94]) * 1000.0)
    assert curve / 1e6 == pytest.approx([-15.5677, -14.8905, -5.8166, -1.5281, 2.6104, 6.1786], abs=6e-5)
    assert found.flips[0].price == pytest.approx(90_718.439860, abs=1e-5)
    assert found.vanna == pytest.approx(25.14796, abs=6e-6)
    assert found.charm == pytest.approx(-73.81514, abs=6e-6)


def test_profiles_are_gamma_evaluated_anew_with_forwards_moved_in_proportion() -> None:
    contracts = book(options().with_columns(forward=pl.lit(SPOT * 1.01)))
    position = conventions(contracts)["equity"]
    prices = np.array([70_000.0, 91_000.0])
    moved = 1.01 * prices[:, None]
    gamma = black76.greeks(moved, contracts.strike, contracts.years, contracts.volatility, contracts.is_call).gamma
    assert profile(contracts, position, SPOT, prices) == pytest.approx((0.01 * moved**2 * gamma) @ position)


def test_strikes_add_up_to_each_convention() -> None:
    found = dealers(options(), SPOT)
    sums = found.strikes.group_by("convention").agg(pl.col("gamma_usd", "vanna", "charm", "position").sum())
    for one in found.conventions:
        row = sums.row(by_predicate=pl.col("convention") == one.name, named=True)
        assert (row["gamma_usd"], row["vanna"], row["charm"]) == pytest.approx((one.gamma_usd, one.vanna, one.charm))
        assert row["position"] == pytest.approx(one.position.sum())
    assert found.strikes.filter(convention="short_everything")["open_interest"].sum() == CALLS.sum() + PUTS.sum()


def test_a_word_comes_only_where_all_conventions_agree() -> None:
    assert dealers(options(), SPOT).regime == "dealers short gamma"
    assert dealers(options().with_columns(forward=pl.lit(92_000.0)), 92_000.0).regime == "conventions disagree"
    contracts = book(options().head(9))
    assert exposure(contracts, SPOT, {"a": CALLS, "b": CALLS / 2}).regime == "dealers long gamma"
    assert exposure(contracts, SPOT, {"a": CALLS, "b": 0 * CALLS}).regime == "dealers long gamma"
    assert exposure(contracts, SPOT, {"a": 0 * CALLS}).regime is None
    band = np.stack([CALLS, -CALLS])
    assert exposure(contracts, SPOT, {"a": CALLS}, draws={"a": band}).regime == "conventions disagree"


def test_every_flip_is_found_and_zones_lie_between() -> None:
    contracts = Book(
        pl.Series(["a", "b", "c"]), np.zeros(3, np.int64), np.array([70_000.0, 85_000, 100_000]), np.full(3, 0.01), np.full(3, SPOT),
        np.full(3, 0.5), np.ones(3, bool), np.ones(3),
    )  # fmt: skip
    (short_outside,) = exposure(contracts, SPOT, {"a": np.array([-1.0, 1, -1])}).conventions
    low, high = short_outside.flips
    assert (low.to_long, high.to_long) == (True, False)
    assert 70_000 < low.price < 85_000 < high.price < 100_000
    assert short_outside.short_zones == (Zone(None, low.price), Zone(high.price, None))
    (short_inside,) = exposure(contracts, SPOT, {"a": np.array([1.0, -1, 1])}).conventions
    assert [f.price for f in short_inside.flips] == pytest.approx([low.price, high.price])
    assert short_inside.short_zones == (Zone(low.price, high.price),)
    (short,) = exposure(contracts, SPOT, {"a": -np.ones(3)}).conventions
    assert (short.flips, short.short_zones) == ((), (Zone(None, None),))
    assert exposure(contracts, SPOT, {"a": np.ones(3)}).conventions[0].short_zones == ()


def test_bands_hold_the_flips_of_the_draws() -> None:
    rng = np.random.default_rng(3)
    draws = INFERRED + rng.normal(0, 150, (400, 9))
    (found,) = inferred(draws).conventions
    each = [inferred(prices=np.linspace(80_000, 105_000, 101)).conventions[0].flips]
    assert len(each[0]) == 1
    alone = []
    for draw in draws[:60]:
        flips = exposure(book(options().head(9)), SPOT, {"flow": draw}, prices=np.linspace(80_000, 105_000, 101)).conventions[0].flips
        alone += [f.price for f in flips if f.to_long]
    (flip,) = found.flips
    assert flip.low is not None and flip.high is not None and flip.share is not None
    assert flip.low < flip.price < flip.high
    assert flip.share > 0.99
    inside = np.mean([(flip.low <= p <= flip.high) for p in alone])
    assert 0.75 < inside < 1
    assert found.gamma_low is not None and found.gamma_high is not None and found.gamma_low < found.gamma_usd < found.gamma_high
    assert found.curve_low is not None and (found.curve_low <= found.curve_high).all()


def trades(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of the table, ordinary unless said otherwise."""
    usual = {
        "venue": "deribit", "venue_symbol": "", "base": "BTC", "ts_event": AT - 10**9, "ts_recv": AT, "trade_id": "", "taker_side": "buy",
        "price": 0.01, "quantity": 1.0, "trade_kind": "market", "liquidated": "none", "is_backfill": False,
    }  # fmt: skip
    schema = TABLES["trades"].polars_schema
    return pl.DataFrame([usual | row for row in rows], schema=schema, orient="row")


def contracts_of(*interest: float, **columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"symbol": list("abcdefgh"[: len(interest)]), "open_interest": list(interest)} | columns)


def test_dealers_hold_minus_what_takers_bought_capped_and_shrunk() -> None:
    seen = trades([
        {"symbol": "a", "quantity": 30.0}, {"symbol": "a", "quantity": 10.0, "taker_side": "sell"},
        {"symbol": "b", "quantity": 500.0, "taker_side": "sell"}, {"symbol": "expired", "quantity": 9.0},
        {"symbol": "a", "quantity": 7.0, "ts_event": AT + 1}, {"symbol": "c", "quantity": None},
    ])  # fmt: skip
    found = infer(contracts_of(100.0, 200.0, 50.0), seen, AT, rng=np.random.default_rng(0))
    assert found.position == pytest.approx([-20 * 0.7, 200 * 0.7, 0])  # e = .15 shrinks by .7
    assert found.counted == 540
    assert found.unsized == 1
    assert found.coverage == pytest.approx((40 + 200 + 0) / 350)
    assert found.signed_share == pytest.approx((20 + 200) / 350)
    assert "history incomplete" in found.note and "69%" in found.note
    exact = infer(contracts_of(100.0, 200.0, 50.0), seen, AT, rng=np.random.default_rng(0), error_rate=0)
    assert exact.position.tolist() == [-20, 200, 0]
    assert (exact.draws == exact.position).all()


def test_blocks_combinations_and_liquidations_are_kept_apart() -> None:
    seen = trades([
        {"symbol": "a", "quantity": 5.0}, {"symbol": "a", "quantity": 100.0, "trade_kind": "block"},
        {"symbol": "a", "quantity": 40.0, "trade_kind": "other"}, {"symbol": "a", "quantity": 3.0, "liquidated": "taker"},
        {"symbol": "a", "quantity": 2.0, "liquidated": "maker"}, {"symbol": "a", "quantity": 8.0, "liquidated": "both"},
    ])  # fmt: skip
    contracts = contracts_of(1000.0)
    found = infer(contracts, seen, AT, rng=np.random.default_rng(0), error_rate=0)
    # The liquidated maker is the customer, and sold.
    assert found.position.tolist() == [-(5 + 3 - 2)]
    assert (found.counted, found.blocks, found.combos, found.both_liquidated) == (10, 100, 40, 8)
    whole = infer(contracts, seen, AT, rng=np.random.default_rng(0), error_rate=0, with_blocks=True, with_combos=True)
    assert whole.position.tolist() == [-146]
    assert (whole.blocks, whole.combos) == (0, 0)


def test_a_history_from_before_each_listing_is_complete_and_none_is_said_to_be() -> None:
    seen = trades([{"symbol": "a", "quantity": 100.0}, {"symbol": "b", "quantity": 100.0, "taker_side": "sell"}])
    listed = contracts_of(50.0, 50.0, listed_at=[AT - 10**15, AT - 10**14])
    rng = np.random.default_rng(0)
    assert infer(listed, seen, AT, rng=rng, since=AT - 10**16).note == ""
    half = infer(listed, seen, AT, rng=rng, since=AT - 5 * 10**14)
    assert half.complete_share == 0.5 and "50%" in half.note
    assert "not known" in infer(listed, seen, AT, rng=rng).note
    none = infer(listed, seen.clear(), AT, rng=rng)
    assert (none.coverage, none.first_ts) == (0, None)
    assert none.position.tolist() == [0, 0] and (none.draws == 0).all()
    assert infer(contracts_of(0.0), seen, AT, rng=rng).coverage is None


@pytest.mark.parametrize("orders", [LARGEST // 2, LARGEST * 20])
def test_draws_scatter_as_independent_errors_do(orders: int) -> None:
    sizes = np.random.default_rng(5).lognormal(0, 1, orders)
    seen = trades([{"symbol": "a", "quantity": float(q), "ts_event": AT - i - 1} for i, q in enumerate(sizes)])
    found = infer(contracts_of(1e9), seen, AT, rng=np.random.default_rng(6), error_rate=0.2, draws=4000)
    drawn = found.draws[:, 0]
    sd = 2 * np.sqrt(0.2 * 0.8 * float((sizes**2).sum()))
    assert found.position[0] == pytest.approx(-0.6 * sizes.sum())
    assert drawn.mean() == pytest.approx(-0.6 * sizes.sum(), abs=4 * sd / 4000**0.5)
    assert drawn.std() == pytest.approx(sd, rel=0.06)
    again = infer(contracts_of(1e9), seen, AT, rng=np.random.default_rng(6), error_rate=0.2, draws=4000)
    assert (again.draws == found.draws).all()


def test_prints_of_one_order_err_together() -> None:
    seen = trades([{"symbol": "a", "quantity": 1.0, "trade_id": str(i)} for i in range(100)])
    found = infer(contracts_of(1e9), seen, AT, rng=np.random.default_rng(1), draws=500)
    assert set(found.draws[:, 0].round(9)) == {-100.0, 100.0}


def test_trades_planted_after_table_o_give_its_inferred_exposure() -> None:
    """Customers buy 900 of the 75,000 strike, and so on: the flow convention finds the worked curve, shrunk."""
    bought = [
        {"symbol": f"{k:.0f}-C", "quantity": abs(q), "taker_side": "buy" if q < 0 else "sell"}
        for k, q in zip(STRIKES, INFERRED, strict=True)
    ]
    whole = options().with_columns(open_interest=pl.lit(5000.0))
    found = dealers(whole, SPOT, trades=trades(bought), at=AT, rng=np.random.default_rng(0))
    flow = by_name(found)["flow"]
    assert flow.gamma_usd / 1e6 == pytest.approx(-11.4615 * 0.7, abs=6e-5)
    assert flow.flips[0].price == pytest.approx(90_718.439860, abs=1e-5)  # shrinking all alike moves no flip
    assert flow.gamma_low is not None and flow.gamma_high is not None
    assert flow.gamma_low < flow.gamma_usd < flow.gamma_high
    assert found.flow is not None and "history incomplete" in found.flow.note
    # As many calls as puts of every strike: what is left of the equity convention is rounding, and no flip.
    assert (by_name(found)["equity"].gamma_usd, by_name(found)["equity"].flips) == (0, ())
    half = dealers(whole, SPOT, trades=trades(bought), at=AT, rng=np.random.default_rng(0), error_rate=0)
    assert by_name(half)["flow"].gamma_low == pytest.approx(by_name(half)["flow"].gamma_usd)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0.1, 50)), max_size=40), st.floats(0, 0.49))
def test_nobody_holds_more_than_there_is(rows: list[tuple[str, bool, float]], error_rate: float) -> None:
    seen = trades([
        {"symbol": s, "taker_side": "buy" if up else "sell", "quantity": q, "ts_event": AT - n} for n, (s, up, q) in enumerate(rows)
    ])  # fmt: skip
    interest = np.array([5.0, 50.0, 0.0])
    found = infer(contracts_of(*interest), seen, AT, rng=np.random.default_rng(0), error_rate=error_rate, draws=20)
    most = interest * (1 - 2 * error_rate) + 1e-9
    assert (np.abs(found.position) <= most).all() and (np.abs(found.draws) <= most).all()
    assert found.coverage is not None and 0 <= found.coverage <= 1


def test_contracts_without_volatility_or_interest_are_left_out_and_counted() -> None:
    rows = options()
    rows = rows.with_columns(
        iv=pl.when(pl.int_range(18) == 0).then(None).otherwise(pl.col("iv")),
        mark_iv=pl.when(pl.int_range(18) == 0).then(None).otherwise(pl.col("mark_iv")),
        open_interest=pl.when(pl.int_range(18) == 17).then(None).otherwise(pl.col("open_interest")),
    )
    found = book(rows)
    assert (len(found.strike), found.left_out) == (16, 2)
    assert found.left_out_share == pytest.approx(200 / (CALLS.sum() + PUTS[:-1].sum()))
    for bad in (
        lambda: book(rows.drop("iv")), lambda: dealers(rows, SPOT, trades=trades([])), lambda: dealers(rows, 0.0),
        lambda: infer(contracts_of(1.0), trades([]).drop("liquidated"), AT, rng=np.random.default_rng(0)),
        lambda: infer(contracts_of(1.0), trades([]), AT, rng=np.random.default_rng(0), error_rate=0.5),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            bad()
    empty = dealers(rows.clear(), SPOT)
    assert empty.regime is None and all(one.flips == () for one in empty.conventions)


def test_gamma_of_real_chains_is_the_venues() -> None:
    """Deribit publishes gamma per contract to five digits, of its own mark volatility."""
    compared = 0
    for name, base, at, quotes in real_chains():
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        assert chain.index_price is not None
        marks = chain.options.with_columns(iv=pl.lit(None, pl.Float64))
        contracts = book(marks)
        published = quotes.group_by("symbol").last().select("symbol", "gamma").drop_nulls()
        both = contracts.symbol.to_frame("symbol").with_row_index().join(published, on="symbol")
        of = both["index"].to_numpy()
        # Two days are left: that the chain was polled over a minute does not matter.
        of_late = contracts.years[of] > 2 / 365
        ours = black76.greeks(contracts.forward, contracts.strike, contracts.years, contracts.volatility, contracts.is_call).gamma[of]
        theirs = both["gamma"].to_numpy()
        far = np.abs(ours - theirs)[of_late]
        if base == "BTC" and len(far):
            compared += len(far)
            # Half of the fifth digit, and what moved while the chain was polled.
            assert far.max() < 6e-6, name
        fitted = dealers(chain.options, chain.index_price, surface=fit(chain))
        assert fitted.left_out == 0, name
        assert by_name(fitted)["short_everything"].gamma_usd < 0
        assert abs(by_name(fitted)["equity"].gamma_usd) < -by_name(fitted)["short_everything"].gamma_usd
    assert compared > 1000
