"""Price levels that people watch, and when they broke: round numbers and swing highs and lows. Nothing looks ahead."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Kind = Literal["round", "swing_low", "swing_high"]
Direction = Literal["down", "up"]
Times = NDArray[np.int64]
Floats = NDArray[np.float64]
SECOND = 1_000_000_000


class Level(NamedTuple):
    """A price; `rank` 0 is the roundest. `known_from` is the first instant (ns UTC) at which it could be known."""

    price: float
    kind: Kind
    rank: int
    known_from: int


class Break(NamedTuple):
    """A level crossed at `ts` and not taken back until `confirmed` (ns UTC)."""

    level: Level
    direction: Direction
    ts: int
    confirmed: int


def round_numbers(low: float, high: float) -> list[Level]:
    """Return round prices in [low, high]: multiples of a step near 1 % of the price, ranked 0 for ten steps, 1 for five, 2 for one.

    >>> [level.price for level in round_numbers(81_600, 84_500) if level.rank < 2]
    []
    >>> [level.price for level in round_numbers(81_600, 84_500)]
    [82000.0, 83000.0, 84000.0]
    """
    if not 0 < low <= high:
        return []
    step = 10.0 ** np.floor(np.log10((low + high) / 2) - 1 + 1e-12)
    if step / ((low + high) / 2) > 0.025:
        step /= 10 if step / ((low + high) / 2) > 0.1 else 5 if step / ((low + high) / 2) > 0.05 else 2
    found = []
    for multiple in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1):
        rank = 0 if multiple % 10 == 0 else 1 if multiple % 5 == 0 else 2
        found.append(Level(round(float(multiple * step), 12), "round", rank, 0))
    return found


def swing_levels(ts: Times, price: Floats, window: int) -> list[Level]:
    """Return prices lower (higher) than all others within `window` ns before and after; known `window` after they were made."""
    found = []
    for i in range(len(ts)):
        first, last = np.searchsorted(ts, [ts[i] - window, ts[i] + window])
        if ts[i] - ts[0] < window or ts[-1] - ts[i] < window:
            continue
        around = price[first:last]
        if price[i] == around.min() and int(np.argmin(around)) + first == i and around.max() > price[i]:
            found.append(Level(float(price[i]), "swing_low", 1, int(ts[i]) + window))
        elif price[i] == around.max() and int(np.argmax(around)) + first == i and around.min() < price[i]:
            found.append(Level(float(price[i]), "swing_high", 1, int(ts[i]) + window))
    return found


def breaks(ts: Times, price: Floats, levels: list[Level], band: float = 0.001, holds: int = 300 * SECOND) -> list[Break]:
    """Return when levels broke: the first price beyond l(1∓band) after one on the other side, none coming back for `holds` ns.

    A level is armed by a price beyond the band on its near side, and armed again by the next. A cross less than `holds` before the end
    of the series is not confirmed and not returned.
    """
    found = []
    for level in levels:
        for direction, sign in (("down", -1.0), ("up", 1.0)):
            distance = sign * (price / level.price - 1)
            armed = False
            position = int(np.searchsorted(ts, level.known_from))
            while position < len(ts):
                if not armed:
                    nearby = np.flatnonzero(distance[position:] < -band)
                    if not len(nearby):
                        break
                    position, armed = position + int(nearby[0]), True
                    continue
                beyond = np.flatnonzero(distance[position:] > band)
                if not len(beyond):
                    break
                cross = position + int(beyond[0])
                confirmed = int(ts[cross]) + holds
                until = int(np.searchsorted(ts, confirmed, side="right"))
                if until >= len(ts) and ts[-1] < confirmed:
                    break
                if (distance[cross:until] >= 0).all():
                    found.append(Break(level, direction, int(ts[cross]), confirmed))  # type: ignore[arg-type]  # a literal by the loop
                    armed = False
                position = cross + 1
    return sorted(found, key=lambda b: (b.ts, b.level.price))


class Alignment(NamedTuple):
    """Whether liquidations follow breaks: `statistic` is their mean excess over usual, `p` its rank among levels at random."""

    statistic: float | None
    p: float | None
    breaks: int


def alignment(
    ts: Times, price: Floats, prices: Floats, liquidated_ts: Times, usd: Floats, rng: np.random.Generator, draws: int = 1000
) -> Alignment:
    """Test whether liquidated notional follows breaks of `prices` more than of as many levels at random log offsets.

    Per break: notional in the 15 minutes after, over the median 15-minute notional of the 4 hours around it; breaks with a median of 0
    count the mean instead. None where no level broke.
    """
    running = np.concatenate([[0.0], np.cumsum(usd)])

    def within(start: int, end: int) -> float:
        first, last = np.searchsorted(liquidated_ts, [start, end])
        return float(running[last] - running[first])

    quarter = 900 * SECOND

    def statistic(candidates: Floats) -> tuple[float | None, int]:
        found = breaks(ts, price, [Level(float(p), "round", 2, 0) for p in candidates], holds=60 * SECOND)
        ratios = []
        for broken in found:
            usual = [within(broken.ts + k * quarter, broken.ts + (k + 1) * quarter) for k in range(-8, 8)]
            middle = float(np.median(usual)) or float(np.mean(usual))
            if middle > 0:
                ratios.append(within(broken.ts, broken.ts + quarter) / middle)
        return (float(np.mean(ratios)) if ratios else None), len(found)

    observed, count = statistic(prices)
    if observed is None:
        return Alignment(None, None, count)
    low, high = np.log(price.min()), np.log(price.max())
    null = [statistic(np.exp(rng.uniform(low, high, len(prices))))[0] for _ in range(draws)]
    drawn = np.array([x for x in null if x is not None])
    return Alignment(observed, float((1 + (drawn >= observed).sum()) / (1 + len(drawn))), count)
