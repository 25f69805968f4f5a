"""What a throttled feed left out behind each order it printed: the expected notional of the orders hidden in the same second.

The model: clusters of forced orders arrive in a contract's second as a Poisson number, and a cluster has a log-series number
of orders, so a second's count is negative binomial, a gamma mixture of Poisson counts whose scale `spread` is the same in
calm and in stress (0: plain Poisson). How often clusters come is read from how full the seconds around a print are; how
large the hidden orders are from the printed ones, each weighted by the inverse of its own chance to be printed
(Horvitz and Thompson 1952). Under *largest per second* an order of a size that few exceed is surely seen and a small one
rarely, so the weight falls with size; under *latest per second* every order of a second is as likely to be the printed one.

Hidden notional belongs to the print whose second hides it, so windows add up and an estimate never touches a print.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Hidden(NamedTuple):
    """Per print, in the order given: expected hidden notional of either side and its variance (USD, USD²), how full the seconds
    around it were (0–1), and the expected number of hidden orders."""

    longs: Floats
    shorts: Floats
    variance_longs: Floats
    variance_shorts: Floats
    occupancy: Floats
    orders: Floats


def hidden_orders(
    contract: NDArray[np.int64], second: NDArray[np.int64], usd: Floats, is_long: NDArray[np.bool_], is_largest: bool,
    spread: float, neighbours: int = 8, own_weight: float = 16.0, slot: int = 1,
) -> Hidden:  # fmt: skip
    """Return what each print hides. Prints are sorted by (contract, second); `second` counts slots of `slot` seconds.

    `is_largest` tells the rule, `spread` how far counts exceed Poisson, `neighbours` how many prints to each side tell the local
    rate, `own_weight` how many neighbours the print's own side counts for. Cost: n log n for the sort by size, else linear.
    """
    return Hidden(*_by_contract(contract, second, usd, is_long, is_largest, spread, neighbours, own_weight))


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True)(function)


@_jit
def _local_occupancy(second, first, last, i, neighbours):  # type: ignore[no-untyped-def]  # numba reads the types
    """Share of slots with a print around print `i`, from the span of its neighbours; the print's own slot does not count."""
    low, high = max(first, i - neighbours), min(last, i + neighbours)
    inside = 0
    previous = second[low]
    for j in range(low + 1, high + 1):
        if second[j] != previous:
            inside += 1
            previous = second[j]
    slots = second[high] - second[low] + 1
    if inside == 0:
        return 0.0
    # both ends are prints by construction: they and the print itself tell nothing of the rate
    return min((inside - 1 + 0.5) / (slots - 2 + 1.0), 1 - 0.5 / (slots + 1.0)) if slots > 2 else 0.5


@_jit
def _by_contract(contract, second, usd, is_long, is_largest, spread, neighbours, own_weight):  # type: ignore[no-untyped-def]  # numba reads the types
    n = len(usd)
    longs, shorts = np.zeros(n), np.zeros(n)
    longs_var, shorts_var = np.zeros(n), np.zeros(n)
    occupancy, orders = np.zeros(n), np.zeros(n)
    first = 0
    while first < n:
        last = first
        while last + 1 < n and contract[last + 1] == contract[first]:
            last += 1
        size = last - first + 1
        rate = np.empty(size)  # gamma shape: clusters a slot over the mean of ln
        burst = np.log1p(spread) if spread > 1e-9 else 1e-9
        scale = max(spread, 1e-9)
        for i in range(size):
            q = _local_occupancy(second, first, last, first + i, neighbours)
            occupancy[first + i] = q
            rate[i] = -np.log1p(-q) / burst
        by_size = np.argsort(usd[first : last + 1])
        below = np.empty(size)  # share of orders (hidden ones included) that are smaller
        weight = np.ones(size)
        told = np.zeros(size + 1)
        if is_largest:
            for _ in range(12):
                total = weight.sum()
                running = 0.0
                for position in by_size:
                    below[position] = (running + 0.5 * weight[position]) / total
                    running += weight[position]
                moved = 0.0
                for i in range(size):
                    new = (1 + scale * (1 - below[i])) ** (rate[i] + 1)
                    new = min(new, 1e6)
                    moved = max(moved, abs(np.log(new / weight[i])))
                    weight[i] = np.sqrt(new * weight[i])
                if moved < 0.01:
                    break
                # the local rate again, now that each print's size tells too: maximum likelihood over its neighbours' seconds
                told[0] = 0.0
                for i in range(size):
                    told[i + 1] = told[i] + np.log1p(scale * (1 - below[i]))
                for i in range(size):
                    low, high = max(0, i - neighbours), min(size - 1, i + neighbours)
                    prints = high - low + 1
                    if prints > 2:
                        empty = max(second[first + high] - second[first + low] + 1 - prints, 0)
                        rate[i] = (prints - 2 + 0.5) / (told[high] - told[low + 1] + (empty + 0.5) * burst)
        mean_below = np.empty(size)  # mean of size, and of size squared, over orders smaller than this one
        square_below = np.empty(size)
        total, sum_usd, sum_square = 0.0, 0.0, 0.0
        for position in by_size:
            value, mass = usd[first + position], weight[position]
            mean_below[position] = (sum_usd + 0.5 * mass * value) / (total + 0.5 * mass)
            square_below[position] = (sum_square + 0.5 * mass * value * value) / (total + 0.5 * mass)
            total += mass
            sum_usd += mass * value
            sum_square += mass * value * value
        for i in range(size):
            at = first + i
            if is_largest:
                share = below[i]
                expected = (rate[i] + 1) * share / (1 / scale + 1 - share)
                count_var = expected + expected * expected / (rate[i] + 1)
                mean, square = mean_below[i], square_below[i]
            else:
                q = max(1 - np.exp(-rate[i] * burst), 1e-12)
                expected = max(rate[i] * scale / q - 1, 0.0)
                second_moment = (rate[i] * scale * (1 + scale) + (rate[i] * scale) ** 2) / q
                count_var = max(second_moment - (expected + 1) ** 2, 0.0)
                low, high = max(0, i - neighbours), min(size - 1, i + neighbours)
                local = usd[first + low : first + high + 1].mean()
                mean = 0.5 * local + 0.5 * sum_usd / total
                square = 0.5 * (usd[first + low : first + high + 1] ** 2).mean() + 0.5 * sum_square / total
            low, high = max(0, i - neighbours // 2), min(size - 1, i + neighbours // 2)
            mine, all_ = (own_weight if is_long[at] else 0.0), own_weight
            for j in range(low, high + 1):
                mass = weight[j] / weight[i] if is_largest else 1.0
                all_ += mass
                if is_long[first + j]:
                    mine += mass
            p = mine / all_
            uncertain = p * (1 - p) / (high - low + 2)
            hidden = expected * mean
            variance = expected * (square - mean * mean) + count_var * mean * mean
            longs[at], shorts[at] = hidden * p, hidden * (1 - p)
            extra = hidden * hidden * uncertain
            longs_var[at] = variance * p * p + expected * square * p * (1 - p) + extra
            shorts_var[at] = variance * (1 - p) * (1 - p) + expected * square * p * (1 - p) + extra
            orders[at] = expected
        first = last + 1
    return longs, shorts, longs_var, shorts_var, occupancy, orders
