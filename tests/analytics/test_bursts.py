"""Burst states and change points: the worked numbers."""

import numpy as np
import pytest

from deleverage.analytics.bursts import Burst, binomial_bursts, change_points, count_bursts
from deleverage.errors import BadInput

RELEVANT = np.array([2, 3, 2, 4, 12, 15, 14, 3, 2, 2, 9, 11, 2, 3], dtype=float)
TOTAL = np.full(14, 100.0)


def test_one_burst_at_a_full_toll() -> None:
    found = binomial_bursts(RELEVANT, TOTAL)
    assert found.cost == pytest.approx(41.51258227, abs=1e-8)
    assert [(b.first, b.last) for b in found.bursts()] == [(4, 6)]
    assert found.bursts()[0].weight == pytest.approx(11.33592074, abs=1e-8)


def test_two_bursts_at_half_the_toll() -> None:
    found = binomial_bursts(RELEVANT, TOTAL, gamma=0.5)
    assert found.cost == pytest.approx(39.52207286, abs=1e-8)
    assert [(b.first, b.last) for b in found.bursts()] == [(4, 6), (10, 11)]
    assert found.bursts()[1].weight == pytest.approx(1.99050941, abs=1e-8)


def test_change_points_of_the_worked_series() -> None:
    x = np.array([2, 3, 2, 4, 3, 2, 12, 15, 14, 13, 16, 3, 2, 2, 3, 9, 11, 10, 12, 2, 3, 2], dtype=float)
    ends = change_points(x, 40)
    assert ends == [6, 11, 15, 19, 22]
    cost = sum(float(((part - part.mean()) ** 2).sum()) for part in np.split(x, ends[:-1]))
    assert cost == pytest.approx(20.0)


def test_calm_counts_have_no_burst_and_a_storm_has_levels() -> None:
    rng = np.random.default_rng(2)
    calm = rng.poisson(2.0, 500).astype(float)
    assert count_bursts(calm, 2.0).bursts() == []
    calm[200:220] = rng.poisson(30.0, 20)
    states = count_bursts(calm, 2.0)
    assert [(b.first, b.last) for b in states.bursts()] == [(200, 219)]
    assert states.bursts(2)[0].first in range(200, 203)
    assert isinstance(states.bursts()[0], Burst)


def test_impossible_slots_are_refused() -> None:
    with pytest.raises(BadInput, match="relevant"):
        binomial_bursts(np.array([3.0]), np.array([2.0]))
    with pytest.raises(BadInput, match="above 0"):
        count_bursts(np.zeros(3), 0.0)
