"""Sentiment: bands, months before, our own index by the worked numbers, nothing ahead; eight years of a real index."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.sentiment import (
    DAY,
    GREEDY,
    WEIGHTS,
    band,
    combine,
    drawdown,
    history,
    latest,
    momentum,
    own_index,
    own_indices,
    returns_after,
)
from deleverage.analytics.standing import mid_rank
from deleverage.errors import BadInput
from deleverage.tables import TABLES
from tests.captures import shared

FNG = "fear_and_greed"
PERCENTILES = {"volatility": 6, "drawdown": 10, "momentum": 12, "funding": 28, "skew": 9, "liquidations": 3, "etf_flow": 5, "breadth": 35}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def rows(values: dict[str, float], lag: int = 0, venue: str = "alternative_me", word: str = "") -> pl.DataFrame:
    """Rows of table sentiment_readings."""
    times = [at(day) for day in values]
    return pl.DataFrame({
        "venue": venue, "index_name": FNG, "ts_event": times, "value": [float(v) for v in values.values()], "classification": word,
        "ts_recv": [t + lag for t in times],
    })  # fmt: skip


def real() -> pl.DataFrame:
    file = pl.read_csv(shared("fear_greed/fng.csv"))
    ts = pl.col("timestamp") * 1_000_000_000
    return file.select(
        venue=pl.lit("alternative_me"), index_name=pl.lit(FNG), ts_event=ts, value="value", classification="classification", ts_recv=ts
    )


@given(st.integers(0, 100))
def test_bands_are_exact(value: int) -> None:
    words = ["extreme fear"] * 25 + ["fear"] * 20 + ["neutral"] * 10 + ["greed"] * 20 + ["extreme greed"] * 26
    assert band(value) == words[value]


def test_there_is_no_band_outside() -> None:
    for value in (-1, 101, float("nan")):
        with pytest.raises(BadInput):
            band(value)


def test_the_last_reading_and_what_it_compares_with() -> None:
    days = {"2025-10-20": 60.0, "2025-11-17": 14.0, "2025-11-18": 11.0, "2025-11-19": 16.0, "2025-11-20": 11.0}
    found = latest(rows(days), FNG, at("2025-11-20T18:00"))
    assert found is not None
    assert (found.value, found.band, found.change, found.is_stale) == (11, "extreme fear", -5, False)
    assert (found.month_before, found.month_before_band, found.month_change) == (60, "greed", -49)
    assert (found.days_in_band, found.as_low_on, found.as_high_on) == (4, at("2025-11-18"), at("2025-11-19"))
    assert (found.year_rank, found.readings) == (None, 5)


def test_a_day_not_told_ends_the_run_and_leaves_no_change() -> None:
    found = latest(rows({"2025-11-17": 14, "2025-11-19": 16, "2025-11-20": 11}), FNG, at("2025-11-21"))
    assert found is not None
    assert found.days_in_band == 2
    found = latest(rows({"2025-11-18": 16, "2025-11-20": 11}), FNG, at("2025-11-22"))
    assert found is not None
    assert (found.change, found.days_in_band, found.is_stale, found.month_before) == (None, 1, True, None)


def test_nothing_is_known_before_it_was_received() -> None:
    late = rows({"2025-11-19": 16, "2025-11-20": 11}, lag=600 * 10**9)
    assert latest(late, FNG, at("2025-11-19")) is None
    assert latest(pl.DataFrame(schema=TABLES["sentiment_readings"].polars_schema), FNG, at("2025-11-19")) is None
    found = latest(late, FNG, at("2025-11-20T00:05"))
    assert found is not None and found.value == 16
    revised = pl.concat([late, rows({"2025-11-20": 12}, lag=3600 * 10**9)])
    assert history(revised, FNG, at("2025-11-20T00:30"))["value"].to_list() == [16, 11]
    assert history(revised, FNG)["value"].to_list() == [16, 12]
    assert history(pl.concat([revised, rows({"2025-11-20": 40}, venue="other")]), FNG)["value"].to_list() == [16, 12]


def test_our_index_has_the_worked_numbers() -> None:
    found = combine(PERCENTILES)
    assert found.value == pytest.approx(11.2, abs=1e-9)
    assert (found.band, found.missing) == ("extreme fear", ())
    assert found.present == pytest.approx(1)
    assert sum(part.contribution for part in found.parts) == pytest.approx(11.2)
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert set(WEIGHTS) == set(GREEDY)
    assert mid_rank((38, 41, 44, 40, 47, 52, 58, 61, 55, 49), 55) == 0.75


def test_missing_components_renormalise_as_in_the_worked_example() -> None:
    weights = {"volatility": 25, "momentum": 25, "social": 15, "surveys": 15, "dominance": 10, "trends": 10}
    found = combine({"volatility": 1, "momentum": 1, "social": 1, "surveys": None, "dominance": 1, "trends": 1}, weights)
    shares = {part.component: part.share for part in found.parts}
    assert [round(shares[name], 4) for name in weights if name != "surveys"] == [0.2941, 0.2941, 0.1765, 0.1176, 0.1176]
    assert (shares["surveys"], found.missing, found.present) == (0, ("surveys",), pytest.approx(0.85))
    assert combine({"volatility": 10, "drawdown": 10}).value is None  # 35 % of the weights
    with pytest.raises(BadInput, match="no weight for mood"):
        combine({"mood": 3})
    with pytest.raises(BadInput, match="from 0"):
        combine({"volatility": 101})


@given(st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 100), min_size=5))
def test_our_index_lies_among_its_parts(percentiles: dict[str, float]) -> None:
    found = combine(percentiles)
    if found.value is None:
        assert sum(WEIGHTS[name] for name in percentiles) < 0.5 + 1e-9
        return
    assert min(percentiles.values()) - 1e-9 <= found.value <= max(percentiles.values()) + 1e-9
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    assert found.value == pytest.approx(sum(part.contribution for part in found.parts))


@given(st.integers(0, 500), st.integers(150, 280))
@settings(max_examples=25, deadline=None)
def test_our_index_never_looks_ahead(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    ts = np.arange(300) * DAY
    components = {name: pl.DataFrame({"ts": ts, "value": rng.normal(size=300)}) for name in WEIGHTS}
    now = int(ts[cut])
    only_then = own_index({name: frame[: cut + 1] for name, frame in components.items()}, now)
    assert own_index(components, now) == only_then == own_indices(components, [int(ts[-1]), now])[1]


def test_our_index_turns_fear_to_the_low_end_and_drops_what_is_old_or_short() -> None:
    ts = np.arange(200) * DAY
    rising = pl.DataFrame({"ts": ts, "value": np.arange(200.0)})
    found = own_index({"volatility": rising, "momentum": rising, "skew": rising[:195], "funding": rising[-50:]}, int(ts[-1]))
    parts = {part.component: part for part in found.parts}
    assert (parts["volatility"].percentile, parts["momentum"].percentile) == (0, 100)
    assert (parts["skew"].percentile, parts["funding"].percentile) == (None, None)  # over four days old; 49 values before it
    assert parts["volatility"].history == 199
    assert found.value is None  # 35 % of the weights


def test_components_from_prices() -> None:
    prices = pl.DataFrame({"ts": np.arange(4) * DAY, "price": [100.0, 120.0, 90.0, 96.0]})
    assert drawdown(prices)["value"].to_list() == pytest.approx([0, 0, -0.25, -0.2])
    assert drawdown(prices, 2)["value"].to_list() == pytest.approx([0, 0, -0.25, 0])
    assert momentum(prices, 3)["value"].to_list()[:2] == [None, None]
    assert momentum(prices, 3)["value"].to_list()[2:] == pytest.approx([np.log(90 / (310 / 3)), np.log(96 / 102)])


def test_an_index_that_foretells_is_told_from_one_that_does_not() -> None:
    rng = np.random.default_rng(4)
    ts = np.arange(1200) * DAY
    steps = 0.01 * rng.normal(size=1200)
    prices = pl.DataFrame({"ts": ts, "price": np.exp(np.cumsum(steps))})
    foresight = pl.DataFrame({"ts": ts[:-6], "value": [steps[i + 1 : i + 6].sum() for i in range(1194)]})
    first, *_, last = returns_after(foresight, prices, 5)
    assert (first.quintile, last.quintile) == (1, 5)
    assert first.high is not None and first.high < 0
    assert last.low is not None and last.low > 0
    chance = returns_after(pl.DataFrame({"ts": ts, "value": rng.normal(size=1200)}), prices, 5)
    assert sum(q.low is not None and q.high is not None and (q.low > 0 or q.high < 0) for q in chance) <= 1
    assert sum(q.days for q in chance) <= 1200 - 90


# --- real data ----------------------------------------------------------------------------------------------------------


def test_bands_have_the_measured_frequencies() -> None:
    held = history(real(), FNG).filter(pl.col("ts_event") <= at("2025-05-02"))
    assert held.height == 2644
    counts = dict(held["band"].value_counts().iter_rows())
    shares = [round(100 * counts[word] / 2644, 2) for word in ("extreme fear", "fear", "neutral", "greed", "extreme greed")]
    assert shares == [19.21, 29.54, 14.98, 23.94, 12.33]
    assert ((held["value"] <= 15).sum(), held["value"].min()) == (152, 5)


def test_no_value_is_ambiguous_and_the_sources_words_differ_at_four_values_only() -> None:
    held = history(real(), FNG)
    assert held.height == 2912
    words = held.group_by("value").agg(pl.col("band").n_unique(), pl.col("source_band").n_unique())
    assert (words["band"] == 1).all()
    # in this file the source's words begin a value later at four ends: 25 extreme fear, 45 and 46 fear, 75 greed
    apart = held.filter(pl.col("band") != pl.col("source_band").str.to_lowercase())
    assert sorted(apart["value"].unique().to_list()) == [25, 45, 46, 75]
    assert apart.height == 150


def test_sentiment_on_the_day_of_the_fall() -> None:
    found = latest(real(), FNG, at("2025-11-21T12:00"))
    assert found is not None
    assert (found.value, found.band, found.source_band) == (14, "extreme fear", "Extreme Fear")
    # the reports of that day had the market greedy a month before; the index did not
    assert (found.month_before, found.month_before_band, found.month_before_at) == (34, "fear", at("2025-10-21"))
    assert found.as_low_on == at("2025-11-20")
