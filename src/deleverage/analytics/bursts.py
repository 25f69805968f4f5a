"""Burst states of a stream (Kleinberg 2002): the cheapest sequence of levels when each slot pays for its misfit and each rise a toll."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import gammaln

from deleverage.errors import BadInput

Floats = NDArray[np.float64]


class Burst(NamedTuple):
    """Slots [first, last] in which the state is at least `level`; `weight` is what the burst saves over staying one level lower."""

    first: int
    last: int
    level: int
    weight: float


class States(NamedTuple):
    """State per slot (0 is calm), the cost of the whole sequence, and the cost of each slot in each state (slots × states)."""

    state: NDArray[np.int64]
    cost: float
    costs: Floats

    def bursts(self, level: int = 1) -> list[Burst]:
        """Return the maximal runs at `level` or above, in order."""
        inside = np.concatenate([[False], self.state >= level, [False]])
        edges = np.flatnonzero(np.diff(inside.astype(np.int8)))
        saved = self.costs[:, level - 1] - self.costs[:, level]
        return [Burst(int(a), int(b) - 1, level, float(saved[a:b].sum())) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def binomial_bursts(relevant: NDArray[np.float64], total: NDArray[np.float64], scale: float = 2.0, gamma: float = 1.0) -> States:
    """Two states on r of d per slot: base rate R/D, burst rate `scale` times that (below 1). A rise costs `gamma`·ln(slots).

    Raises BadInput when a slot has more relevant than total, or nothing is relevant at all.
    """
    r, d = np.asarray(relevant, dtype=float), np.asarray(total, dtype=float)
    if (r > d).any() or r.sum() == 0:
        raise BadInput("each slot needs 0 <= relevant <= total, and one of them something relevant")
    base = r.sum() / d.sum()
    rates = np.array([base, min(scale * base, 1 - 1e-9)])
    choose = gammaln(d + 1) - gammaln(r + 1) - gammaln(d - r + 1)
    costs = -(choose[:, None] + r[:, None] * np.log(rates) + (d - r)[:, None] * np.log1p(-rates))
    return _viterbi(costs, gamma * np.log(len(r)))


def count_bursts(counts: NDArray[np.float64], base: float, scale: float = 3.0, gamma: float = 2.0, levels: int = 3) -> States:
    """States on Poisson counts per slot: rate `base`·`scale`^level, up to `levels` above calm. A rise by one level costs `gamma`·ln(slots).

    Raises BadInput for a base that is not above 0.
    """
    if base <= 0:
        raise BadInput("the base rate of a burst model is above 0")
    c = np.asarray(counts, dtype=float)[:, None]
    rates = base * scale ** np.arange(levels + 1)
    return _viterbi(rates - c * np.log(rates) + gammaln(c + 1), gamma * np.log(max(len(counts), 2)))


def _viterbi(costs: Floats, toll: float) -> States:
    state, cost = _cheapest(costs, toll)
    return States(state, float(cost), costs)


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


@_jit
def _cheapest(costs, toll):  # type: ignore[no-untyped-def]  # numba reads the types
    """Viterbi from calm: a rise of k levels costs k tolls, a fall nothing."""
    slots, states = costs.shape
    came = np.zeros((slots, states), dtype=np.int64)
    best = np.empty(states)
    for s in range(states):
        best[s] = costs[0, s] + toll * s
    for t in range(1, slots):
        new = np.empty(states)
        for s in range(states):
            least, source = np.inf, 0
            for previous in range(states):
                cost = best[previous] + toll * max(s - previous, 0)
                if cost < least - 1e-12:
                    least, source = cost, previous
            new[s] = least + costs[t, s]
            came[t, s] = source
        best = new
    path = np.zeros(slots, dtype=np.int64)
    path[-1] = np.argmin(best)
    for t in range(slots - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path, best.min()


def change_points(values: Floats, penalty: float, smallest: int = 2) -> list[int]:
    """Return the ends of stretches of constant mean (PELT, Killick et al. 2012; l2 cost); the last is the length. It looks ahead."""
    import ruptures  # slow to import

    found = ruptures.Pelt(model="l2", min_size=smallest, jump=1).fit(np.asarray(values, dtype=float)).predict(pen=penalty)
    return [int(end) for end in found]
