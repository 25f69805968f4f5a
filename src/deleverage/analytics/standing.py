"""Where a value stands among those before it: its rank with ties shared, and its distance from the middle in usual deviations.

The history never holds the value itself: give what came strictly before. NaN in a history is no observation.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

NORMAL = 1.4826
"""Standard deviations per median absolute deviation of a normal distribution."""


def mid_rank(history: ArrayLike, value: float) -> float | None:
    """Return the share (0–1) of the history below the value, ties counting half; None without a history or a value.

    >>> mid_rank((38, 41, 44, 40, 47, 52, 58, 61, 55, 49), 55)
    0.75
    """
    past = np.asarray(history, dtype=float)
    past = past[~np.isnan(past)]
    if not len(past) or np.isnan(value):
        return None
    return float(((past < value).sum() + (past == value).sum() / 2) / len(past))


class Distance(NamedTuple):
    """Deviations from the history's mean (`z`) and, not swayed by a few large values, from its median (`robust_z`)."""

    z: float | None
    robust_z: float | None


def distance(history: ArrayLike, value: float) -> Distance:
    """Return how far the value lies from its history: (x − mean)/sd (n − 1), and (x − median)/(1.4826 MAD); None where nothing varies.

    >>> distance((1, 2, 3, 4, 5), 6)
    Distance(z=1.8973665961010275, robust_z=2.0234722784297857)
    """
    past = np.asarray(history, dtype=float)
    past = past[~np.isnan(past)]
    if len(past) < 3 or np.isnan(value):
        return Distance(None, None)
    spread, middle = float(past.std(ddof=1)), float(np.median(past))
    usual = NORMAL * float(np.median(np.abs(past - middle)))
    return Distance((value - float(past.mean())) / spread if spread > 0 else None, (value - middle) / usual if usual > 0 else None)
