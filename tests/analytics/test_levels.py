"""Round numbers, swing levels and breaks."""

import numpy as np

from deleverage.analytics.levels import SECOND, Level, alignment, breaks, round_numbers, swing_levels

MINUTE = 60 * SECOND


def walk(*prices: float) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(prices), dtype=np.int64) * MINUTE, np.array(prices, dtype=float)


def test_round_numbers_are_ranked_by_roundness() -> None:
    ranks = {level.price: level.rank for level in round_numbers(79_500, 90_500)}
    assert ranks[80_000] == ranks[90_000] == 0
    assert ranks[85_000] == 1
    assert ranks[82_000] == 2
    assert [level.price for level in round_numbers(2.35, 2.55)] == [2.35, 2.4, 2.45, 2.5, 2.55]
    assert round_numbers(0, 1) == []


def test_a_swing_low_is_known_only_later() -> None:
    ts, price = walk(10, 9, 8, 7, 8, 9, 10, 11)
    (low,) = swing_levels(ts, price, 3 * MINUTE)
    assert (low.price, low.kind, low.known_from) == (7, "swing_low", 6 * MINUTE)


def test_a_break_holds_and_rearms() -> None:
    level = [Level(100.0, "round", 0, 0)]
    ts, price = walk(101, 101, 99, 98, 98, 98, 98, 98, 98, 101, 98, 97, 97, 97, 97, 97, 97)
    found = [b for b in breaks(ts, price, level) if b.direction == "down"]
    assert [b.ts // MINUTE for b in found] == [2, 10]


def test_a_break_taken_back_at_once_is_none() -> None:
    ts, price = walk(101, 99, 101, 101, 101, 101, 101, 101, 101)
    assert [b for b in breaks(ts, price, [Level(100.0, "round", 0, 0)]) if b.direction == "down"] == []


def test_a_break_at_the_end_is_not_yet_one() -> None:
    ts, price = walk(101, 101, 101, 101, 101, 99, 98)
    assert breaks(ts, price, [Level(100.0, "round", 0, 0)]) == []


def test_a_level_breaks_only_once_known() -> None:
    ts, price = walk(101, 99, 98, 98, 98, 98, 98, 98, 98)
    assert breaks(ts, price, [Level(100.0, "swing_low", 1, 2 * MINUTE)]) == []


def test_liquidations_after_breaks_are_told_from_chance() -> None:
    rng = np.random.default_rng(4)
    ts = np.arange(0, 24 * 60, dtype=np.int64) * MINUTE
    price = np.linspace(99_900, 90_100, len(ts))
    levels = np.arange(91_000, 99_001, 2_000.0)
    crossed = [int(ts[np.flatnonzero(price < level * 0.999)[0]]) for level in levels]
    calm = rng.uniform(0, ts[-1], 400)
    storm = np.concatenate([at + rng.uniform(0, 600 * SECOND, 40) for at in crossed])
    when = np.sort(np.concatenate([calm, storm])).astype(np.int64)
    found = alignment(ts, price, levels, when, np.ones(len(when)), rng, draws=100)
    assert found.p is not None
    assert found.p < 0.05
    random = alignment(ts, price, levels, np.sort(calm).astype(np.int64), np.ones(len(calm)), rng, draws=100)
    assert random.p is not None
    assert random.p > 0.02
