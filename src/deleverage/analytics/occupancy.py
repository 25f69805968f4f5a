"""How many orders a throttled feed had, from how many of its seconds hold a print (occupancy inversion).

A feed that prints at most one order per contract and second shows in N of T seconds that there was at least one. With Poisson
counts the rate follows from q = N/T as −ln(1−q); with negative binomial counts of dispersion k it is k((1−q)^(−1/k) − 1), always
more. It holds for homogeneous stretches of one contract, both sides together: per side it is wrong, since both share the second;
under *largest per second* the printed sizes are no fair sample, so only counts are told, not money (see `largest`, `latest`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from deleverage.errors import BadInput


class Occupancy(NamedTuple):
    """Of `slots` seconds `printed` hold a print. `rate` is orders a second, `low` and `high` its interval, `factor` orders per print.

    With every second printed there is no upper end: `rate`, `events`, `factor` and `high` are None and `low` holds alone.
    """

    printed: int
    slots: int
    q: float
    rate: float | None
    low: float
    high: float | None
    standard_error: float | None
    events: float | None
    factor: float | None


def occupancy(printed: int, slots: int, dispersion: float | None = None, level: float = 0.95) -> Occupancy:
    """Invert the share of seconds with a print; `dispersion` None is Poisson. The interval is Clopper and Pearson's (1934) at `level`.

    At q = 1 the lower end is that of a Jeffreys posterior at (1 − level): one-sided. Raises BadInput unless 0 <= printed <= slots.

    >>> round(occupancy(45, 60).factor, 4), round(occupancy(60, 60).low, 4)
    (1.8484, 3.4617)
    """
    if not 0 <= printed <= slots or slots == 0:
        raise BadInput(f"{printed} printed seconds of {slots}: give 0 <= printed <= slots, slots at least 1")
    tail = (1 - level) / 2
    if printed == slots:
        least = float(betaincinv(printed + 0.5, 0.5, 1 - level))
        return Occupancy(printed, slots, 1.0, None, _rate(least, dispersion), None, None, None, None)
    q = printed / slots
    low = float(betaincinv(printed, slots - printed + 1, tail)) if printed else 0.0
    high = float(betaincinv(printed + 1, slots - printed, 1 - tail))
    rate = _rate(q, dispersion)
    error = float(np.sqrt(q / (slots * (1 - q))))
    return Occupancy(
        printed, slots, q, rate, _rate(low, dispersion), _rate(high, dispersion), error, rate * slots, rate / q if printed else None
    )


def _rate(q: float, dispersion: float | None) -> float:
    if dispersion is None:
        return float(-np.log1p(-q))
    return float(dispersion * ((1 - q) ** (-1 / dispersion) - 1))


class BySide(NamedTuple):
    """Estimated true notional by side, USD."""

    long_usd: float
    short_usd: float


def largest(usd: NDArray[np.float64], is_long: NDArray[np.bool_], slots: int) -> BySide:
    """Estimate a homogeneous stretch printed under *largest per second*: Σ size / G(size), per side.

    `usd` are the prints of one contract, one a slot; G(s) is the share of all `slots` seconds, empty ones included, whose print is
    below s (half of its own atom counted). Assumes Poisson counts and sizes free of time: bursts inside the stretch bias it down.
    """
    if len(usd) == 0:
        return BySide(0.0, 0.0)
    order = np.argsort(usd, kind="stable")
    below = np.empty(len(usd))
    below[order] = np.arange(len(usd)) + 0.5
    weighted = usd / ((slots - len(usd) + below) / slots)
    return BySide(float(weighted[is_long].sum()), float(weighted[~is_long].sum()))


def latest(usd: NDArray[np.float64], is_long: NDArray[np.bool_], slots: int) -> BySide | None:
    """Estimate a homogeneous stretch printed under *latest per second*: Σ size · rate/q, with q over both sides.

    None where every second holds a print: nothing bounds it then. Assumes the printed order is a fair draw of its second.
    """
    if len(usd) >= slots:
        return None
    factor = occupancy(len(usd), slots).factor or 1.0
    return BySide(float(usd[is_long].sum() * factor), float(usd[~is_long].sum() * factor))
