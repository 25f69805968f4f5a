"""Completeness: floors stay floors, intervals contain the truth as often as they say, and what cannot be told is not."""

import numpy as np
import polars as pl
import pytest

from deleverage.analytics import completeness
from deleverage.simulate import throttle_lab as lab
from deleverage.simulate.liquidation_stream import fit, stream
from deleverage.simulate.throttle import printed


def frame(usd: list[float], rule: str, venue: str = "okx", at: list[int] | None = None) -> pl.DataFrame:
    seconds = list(range(0, 60 * len(usd), 60)) if at is None else at
    types = {"ts_event": pl.Int64, "notional_usd": pl.Float64}
    return pl.DataFrame({
        "ts_event": [s * 10**9 for s in seconds], "venue": venue, "base": "BTC", "symbol": "BTC/USDT:USDT", "coverage_rule": rule,
        "method": "market", "position_side": "long", "notional_usd": usd,
    }, schema_overrides=types)  # fmt: skip


def estimated(liquidations: pl.DataFrame, side: completeness.Side = "both") -> completeness.Estimate:
    return completeness.estimate(completeness.by_contract(completeness.hidden(liquidations)), side)


def test_a_full_feed_is_what_it_shows() -> None:
    found = estimated(frame([100.0, 200.0], "full"))
    assert (found.observed_usd, found.estimate_usd, found.low_usd, found.high_usd, found.status) == (300, 300, 300, 300, "measured")


def test_watched_accounts_are_a_floor_and_named() -> None:
    found = estimated(frame([100.0], "watched_accounts", "hyperliquid"))
    assert (found.status, found.unseen, found.estimate_usd) == ("floor", ("hyperliquid",), 100)


def test_seconds_full_throughout_have_no_upper_end_under_latest() -> None:
    found = estimated(frame([100.0] * 300, "latest_per_second", at=list(range(300))))
    assert found.high_usd is None and found.status == "floor" and found.saturation > 0.9
    bounded = estimated(frame(list(np.linspace(10, 1000, 300)), "largest_per_second", at=list(range(300))))
    assert bounded.high_usd is not None


def test_nothing_is_nothing() -> None:
    found = estimated(frame([], "full"))
    assert (found.observed_usd, found.estimate_usd, found.seconds_at_cap) == (0, 0, 0)
    assert completeness.long_share(completeness.by_contract(completeness.hidden(frame([], "full")))).raw is None


def test_auto_deleveraging_and_unpriced_orders_hide_nothing() -> None:
    rows = frame([100.0, 100.0], "latest_per_second").with_columns(method=pl.Series(["adl", "backstop"]))
    assert completeness.hidden(rows).is_empty()
    assert completeness.hidden(frame([100.0], "full").with_columns(notional_usd=pl.lit(None, pl.Float64))).is_empty()


@pytest.mark.parametrize("rule", ["largest_per_second", "latest_per_second", "one_per_second"])
def test_intervals_cover_on_laws_that_were_not_fitted_on(rule: lab.Rule) -> None:
    scored = [r for r in lab.score(lab.simulated(lab.HELD_OUT, 240, seed=11), rule) if r.side != "both"]
    row = lab.summary(scored, 1.2)
    assert 0.80 < row.covered < 0.97
    assert all(r.low >= r.observed - 1e-6 for r in scored)
    if rule == "largest_per_second":
        assert row.error < abs(row.naive_bias) and row.error < row.factor_error and row.interval_ratio < 0.5
        assert row.share_better is not None and row.share_better > 0.6


def test_the_throttle_keeps_what_its_rule_says() -> None:
    contract, seconds = np.array([0, 0, 0, 1]), np.array([1.1, 1.5, 1.9, 1.2])
    usd = np.array([5.0, 9.0, 7.0, 1.0])
    assert sorted(printed(contract, seconds, usd, "largest_per_second")) == [1, 3]
    assert sorted(printed(contract, seconds, usd, "latest_per_second")) == [2, 3]
    assert len(printed(contract, seconds, usd, "one_per_second")) == 2
    assert sorted(printed(contract, seconds, usd, "largest_per_second", slot=12.0)) == [1, 3]


def test_a_law_fitted_to_a_drawn_stream_is_near_the_one_it_was_drawn_from() -> None:
    law = lab.TRAINING[0]._replace(per_hour=2.0)
    drawn = [stream(law, 7200.0, np.random.default_rng(seed)) for seed in range(120)]
    contract = np.concatenate([np.full(len(s.usd), k) for k, s in enumerate(drawn)])
    seconds, usd, is_long = (np.concatenate([getattr(s, name) for s in drawn]) for name in ("seconds", "usd", "is_long"))
    fitted = fit(seconds, usd, is_long, contract)
    assert fitted.fast + fitted.slow == pytest.approx(law.fast + law.slow, abs=0.15)
    assert fitted.log_sd == pytest.approx(law.log_sd, rel=0.15)
    assert fitted.side_memory > 0.4


def test_streams_do_not_explode_in_silence() -> None:
    with pytest.raises(ValueError, match="too explosive"):
        stream(lab.TRAINING[0], 600.0, np.random.default_rng(1), shock_orders=5000, most=1000)


def test_a_long_share_bent_by_the_cap_is_bent_back() -> None:
    rng = np.random.default_rng(5)
    n = 4000
    seconds, is_long = np.sort(rng.uniform(0, 600, n)), rng.random(n) < 0.9
    usd = np.where(is_long, rng.lognormal(6, 1, n), rng.lognormal(8, 1, n))  # few shorts, but large: the cap shows them first
    feed = lab.Feed(np.zeros(n, np.int64), seconds, usd, is_long)
    both = next(r for r in lab.score(feed, "largest_per_second") if r.side == "both")
    assert both.true_share is not None and both.raw_share is not None and both.corrected_share is not None
    assert both.raw_share < both.true_share - 0.1
    assert abs(both.corrected_share - both.true_share) < 0.3 * abs(both.raw_share - both.true_share)
