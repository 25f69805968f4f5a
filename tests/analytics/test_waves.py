"""Waves: planted ones are found, and each says what it was."""

import numpy as np
import polars as pl
import pytest

from deleverage.analytics import completeness
from deleverage.analytics.waves import SECOND, Around, contract_seconds, labels, rand_index, segment, waves
from deleverage.errors import BadInput

HOUR = 3600 * SECOND


def orders(ts: np.ndarray, venue: str = "bybit", base: str = "BTC", side: str = "long", usd: float = 1000.0) -> pl.DataFrame:
    return pl.DataFrame({
        "ts_event": np.sort(ts).astype(np.int64), "venue": venue, "base": base, "symbol": base, "coverage_rule": "full", "method": "market",
        "position_side": side, "notional_usd": usd,
    })  # fmt: skip


def planted(seed: int = 1) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """Six hours of calm with two waves; bybit is 20 s ahead of okx in the first."""
    rng = np.random.default_rng(seed)
    frames = [orders(rng.uniform(0, 6 * HOUR, 200))]
    spans = [(2 * HOUR, 2 * HOUR + 240 * SECOND), (4 * HOUR, 4 * HOUR + 400 * SECOND)]
    for k, (start, end) in enumerate(spans):
        frames.append(orders(rng.uniform(start, end, 150), usd=5000.0))
        frames.append(orders(rng.uniform(start + 20 * SECOND, end, 120), venue="okx", base="ETH", side="short" if k else "long"))
    return completeness.hidden(pl.concat(frames)), spans


def test_planted_waves_are_found_with_their_boundaries() -> None:
    errors = []
    for seed in range(10):
        hidden, spans = planted(seed)
        found = waves(hidden, 0, 6 * HOUR)
        assert len(found) == 2
        errors += [abs(w.start - a) / SECOND for w, (a, _) in zip(found, spans, strict=True)]
        errors += [abs(w.end - b) / SECOND for w, (_, b) in zip(found, spans, strict=True)]
    assert np.median(errors) < 10
    assert np.max(errors) < 60


def test_a_wave_names_its_venues_bases_and_sides() -> None:
    first, second = waves(planted()[0], 0, 6 * HOUR)
    assert [v.name for v in first.venues] == ["bybit", "okx"]
    assert first.venues[1].low is not None
    assert 5 < first.venues[1].low < first.venues[1].lag_seconds < (first.venues[1].high or 0) < 60
    assert {b.name for b in first.bases} == {"BTC", "ETH"}
    assert first.short_usd == 0
    assert second.short_usd == 120_000
    assert first.estimate.status == "measured"
    assert first.estimate.observed_usd == pytest.approx(first.long_usd)
    assert not first.is_open
    assert first.price is None
    assert "no price" in first.ended


def test_a_wave_in_progress_says_so_and_a_lost_feed_too() -> None:
    hidden, spans = planted()
    early = waves(hidden, 0, spans[0][0] + 120 * SECOND)
    assert early[-1].is_open
    assert early[-1].ended == "in progress"
    lost = waves(hidden, 0, 3 * HOUR, around=Around(heard=[(0, spans[0][1])]))
    assert lost[0].ended == "its end was not received"


def test_price_levels_and_open_interest_are_told_where_known() -> None:
    hidden, spans = planted()
    ts = np.arange(0, 6 * HOUR, 10 * SECOND, dtype=np.int64)
    start, end = spans[0]
    price = np.interp(ts, [0, start, end, end + 120 * SECOND, 6 * HOUR], [85_500, 85_400, 83_700, 84_600, 84_600])
    interest = pl.DataFrame({"venue": "bybit", "symbol": "BTC", "ts_event": [start - SECOND, end + SECOND], "usd": [9e6, 7.5e6]})
    around = Around(prices=pl.DataFrame({"ts_event": ts, "price": price}), open_interest=interest)
    first = waves(hidden, 0, 6 * HOUR, around=around)[0]
    assert first.price is not None
    assert first.price.change == pytest.approx(83_700 / 85_400 - 1, abs=1e-3)
    assert "85,000 down" in first.levels_broken
    assert "84,000 down" not in first.levels_broken
    assert first.open_interest_removed == {"bybit": pytest.approx(1.5e6)}
    assert first.ended.startswith("the price turned")


def test_open_interest_that_falls_with_the_price_alone_was_not_removed() -> None:
    hidden, spans = planted()
    start, end = spans[0]
    # 100 coins stay open while the price falls from 90,000 to 75,000; elsewhere 20 of 100 are closed; a third tells no coins.
    interest = pl.DataFrame(
        {
            "venue": ["bybit", "okx", "htx"] * 2, "symbol": ["BTC"] * 6, "ts_event": [start - SECOND] * 3 + [end + SECOND] * 3,
            "usd": [9e6, 9e6, 9e6, 7.5e6, 6e6, 7.5e6], "quantity": [100.0, 100.0, None, 100.0, 80.0, None],
        }
    )  # fmt: skip
    first = waves(hidden, 0, 6 * HOUR, around=Around(open_interest=interest))[0]
    assert first.open_interest_removed == {"bybit": 0.0, "htx": pytest.approx(1.5e6), "okx": pytest.approx(20 * 90_000.0)}


def test_pieces_in_one_contract_second_are_one() -> None:
    ts = np.array([5, 6, 7, SECOND + 1], dtype=np.int64)
    assert contract_seconds(ts, np.array([1, 1, 2, 1])).tolist() == [5, 7, SECOND + 1]


def test_thinned_streams_are_cut_alike() -> None:
    hidden, _ = planted(3)
    ts = contract_seconds(hidden["ts_event"].to_numpy(), hidden["contract"].to_numpy())
    whole = labels(segment(ts, 0, 6 * HOUR), 0, 6 * HOUR)
    rng = np.random.default_rng(9)
    scores = [rand_index(whole, labels(segment(ts[rng.random(len(ts)) < 0.8], 0, 6 * HOUR), 0, 6 * HOUR))[1] for _ in range(20)]
    assert np.median(scores) > 0.9


def test_an_empty_and_a_reversed_window() -> None:
    hidden, _ = planted()
    assert waves(hidden.clear(), 0, HOUR) == []
    with pytest.raises(BadInput, match="before"):
        segment(np.array([], dtype=np.int64), 5, 5)
