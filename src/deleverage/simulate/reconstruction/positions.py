"""Leveraged positions entered along the path, held for a while, and forced closed where the path crosses what their margin bears.

Agents, not a point process: no arrival is excited by another. Waves come from prices falling through where positions lie. A position
is isolated: its margin and the venue's maintenance rate give the price of liquidation (linear contracts).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from deleverage.simulate.reconstruction.facts import HOUR, START, hours

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
BEFORE = 14 * 24
"""Hours before the start in which positions may have been entered."""
LEVERAGES = np.array([5.0, 10.0, 20.0, 25.0, 50.0, 100.0])
SHARES = np.array([0.18, 0.32, 0.22, 0.10, 0.13, 0.05])
"""How many positions are opened at each leverage."""
HELD = np.array([240.0, 120.0, 48.0, 36.0, 10.0, 3.0])
"""Mean hours a position is held at each."""
MAINTENANCE = np.array([0.02, 0.01, 0.01, 0.005, 0.005, 0.004])
"""Maintenance rate: large positions may use little leverage only."""
TAKEN = 0.15
"""Mean gain in price at which a position is closed by its owner: in a fall shorts are closed, so that open interest falls with it."""
BLOCK = 64


class Positions(NamedTuple):
    """Positions of one contract, one row each: arrays of equal length.

    `entered`, `left` and `forced` are seconds after START (entered may be negative); `left` is when the owner closes, `forced` when the
    mark crosses the liquidation price before that, −1 where it never does within the 48 hours.
    """

    is_long: NDArray[np.bool_]
    entry: Floats
    leverage: Floats
    maintenance: Floats
    size: Floats
    entered: Whole
    left: Whole
    liquidation: Floats
    forced: Whole

    @property
    def bankruptcy(self) -> Floats:
        """Price at which the margin is gone, USD."""
        return self.entry * (1 - np.where(self.is_long, 1.0, -1.0) / self.leverage)


def liquidation_price(entry: Floats, leverage: Floats, maintenance: Floats, side: Floats) -> Floats:
    """Return E(1 − side/L)/(1 − side·m), `side` +1 long, −1 short.

    >>> liquidation_price(np.array([90_000.0]), np.array([20.0]), np.array([0.005]), np.array([1.0])).round(6)
    array([85929.648241])
    """
    found: Floats = entry * (1 - side / leverage) / (1 - side * maintenance)
    return found


def positions(mark: Floats, venue: str, coin: str, count: int, median_usd: float, rng: np.random.Generator) -> Positions:
    """Draw `count` positions of a contract whose mark price per second is `mark`; sizes are lognormal around `median_usd`."""
    seconds = len(mark) - 1
    kind = rng.choice(len(LEVERAGES), count, p=SHARES)
    leverage = LEVERAGES[kind] * rng.uniform(0.7, 1.0, count)
    is_long = rng.random(count) < 0.55
    side = np.where(is_long, 1.0, -1.0)
    entered, entry = _entries(mark, venue, coin, count, rng)
    left = entered + np.maximum(rng.exponential(HELD[kind] * 3600), 30).astype(np.int64)
    price = liquidation_price(entry, leverage, MAINTENANCE[kind], side)
    alive = (left > 0) & ~_crossed_before(venue, coin, entered, price, side)
    ends, begun = _block_ends(mark), np.maximum(entered, 0)
    goal = entry * (1 + side * TAKEN * rng.exponential(1.0, count))
    taken = first_crossing(mark, ends, goal, side < 0, begun, np.minimum(left, seconds), alive)
    left = np.where(taken >= 0, taken, left)
    forced = first_crossing(mark, ends, price, side > 0, begun, np.minimum(left, seconds), alive)
    size = median_usd * np.exp(1.7 * rng.standard_normal(count)) / entry
    keep = np.flatnonzero(alive)
    whole = (is_long, entry, leverage, MAINTENANCE[kind], size, entered, left, price, forced)
    return Positions._make(column[keep] for column in whole)


def _entries(mark: Floats, venue: str, coin: str, count: int, rng: np.random.Generator) -> tuple[Whole, Floats]:
    """Draw when positions were entered, the more recent the likelier, and at which price."""
    seconds = len(mark) - 1
    earlier = rng.random(count) < 0.85
    ages = np.minimum(rng.exponential(72.0, count), BEFORE - 1.0)
    within = rng.integers(0, seconds - 60, count)
    entered = np.where(earlier, (-ages * 3600).astype(np.int64) - 1, within)
    real = venue if venue in ("binance", "bybit") else "binance"
    past = hours(real, coin, START - BEFORE * HOUR, START)
    closes = past["c"].to_numpy() if past.height else np.full(BEFORE, mark[0])
    slot = np.clip(len(closes) + entered // 3600, 0, len(closes) - 1)
    entry = np.where(earlier, closes[slot], mark[np.maximum(entered, 0)])
    return entered, entry


def _crossed_before(venue: str, coin: str, entered: Whole, price: Floats, side: Floats) -> NDArray[np.bool_]:
    """Tell which positions the recorded hours before the start had closed already."""
    past = hours(venue if venue in ("binance", "bybit") else "binance", coin, START - BEFORE * HOUR, START)
    if not past.height:
        return np.zeros(len(entered), dtype=bool)
    lowest = np.minimum.accumulate(past["l"].to_numpy()[::-1])[::-1]
    highest = np.maximum.accumulate(past["h"].to_numpy()[::-1])[::-1]
    after = np.clip(past.height + entered // 3600 + 1, 0, past.height)  # hours after the one of the entry
    low = np.append(lowest, np.inf)[after]
    high = np.append(highest, -np.inf)[after]
    return (entered < 0) & np.where(side > 0, low <= price, high >= price)


def _block_ends(mark: Floats) -> Floats:
    """Lowest and highest mark of each block of seconds, so that a crossing is found in few steps."""
    padded = np.append(mark, np.full(-len(mark) % BLOCK, mark[-1])).reshape(-1, BLOCK)
    return np.stack([padded.min(axis=1), padded.max(axis=1)])


@njit(cache=True, nogil=True)
def first_crossing(
    mark: Floats, ends: Floats, price: Floats, is_long: NDArray[np.bool_], start: Whole, stop: Whole, alive: NDArray[np.bool_]
) -> Whole:
    """Return the first second in (start, stop] at which the mark is at or beyond each price, −1 where it is not."""
    found = np.full(len(price), -1, dtype=np.int64)
    for i in range(len(price)):
        if not alive[i]:
            continue
        second = start[i] + 1
        last = min(stop[i], len(mark) - 1)
        while second <= last:
            block = second // BLOCK
            hit = ends[0, block] <= price[i] if is_long[i] else ends[1, block] >= price[i]
            if not hit:
                second = (block + 1) * BLOCK
                continue
            if (is_long[i] and mark[second] <= price[i]) or (not is_long[i] and mark[second] >= price[i]):
                found[i] = second
                break
            second += 1
    return found


def smoothed(path: Floats, seconds: float = 15.0) -> Floats:
    """Return the mark price venues margin on: the path's exponential mean over `seconds`."""
    from scipy.signal import lfilter

    weight = 1 - np.exp(-1 / seconds)
    found = lfilter([weight], [1, weight - 1], path, zi=np.array([(1 - weight) * path[0]]))[0]
    return np.asarray(found, dtype=np.float64)
