"""Complete streams of forced orders with the habits of recorded ones, to be throttled where the truth is known.

A cluster process with two speeds, of another family than the estimators that are scored on it: forced orders set off others
within a fraction of a second and over tens of seconds, large ones more of them; shocks raise the rate of first orders and
then die away; sizes follow their parent's and swell in a shock; a child closes mostly its parent's side.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class StreamLaw(NamedTuple):
    """What a complete stream is like. Times in seconds, sizes in USD.

    `fast` and `slow` are the mean children of an order at the two speeds, `fast_seconds` and `slow_seconds` their mean delay;
    `log_mean`, `log_sd` the law of sizes and `tail` its Pareto exponent above the 95th percentile; `size_memory` the correlation of a
    child's log size with its parent's, `side_memory` the chance that a child closes its parent's side for certain rather than by
    `long_share`; `swell` the rise of log size at a shock's height; `per_hour` first orders an hour in calm.
    """

    fast: float
    fast_seconds: float
    slow: float
    slow_seconds: float
    log_mean: float
    log_sd: float
    tail: float
    size_memory: float
    side_memory: float
    long_share: float
    swell: float
    per_hour: float


class Stream(NamedTuple):
    """Forced orders in time order: `seconds` from the start, `usd`, `is_long`."""

    seconds: Floats
    usd: Floats
    is_long: NDArray[np.bool_]


def fit(seconds: Floats, usd: Floats, is_long: NDArray[np.bool_], contract: NDArray[np.int64], slot: float = 1.0) -> StreamLaw:
    """Fit a law by moments to a complete feed of contracts (each sorted by time). Unsided feeds pass all long: `side_memory` is 1.

    Orders of a contract in one slot are one fast cluster, clusters at most 120 slots apart one slow one; clusters of mean
    size C have a branching ratio 1 − 1/C. Delays inside a slot cannot be seen: a third of it is taken.
    """
    order = np.lexsort((seconds, contract))
    t, x, side, c = np.floor(seconds[order] / slot) * slot, np.log(usd[order]), is_long[order], contract[order]
    same_contract = np.diff(c) == 0
    gap = np.diff(t)
    in_slot, in_burst = same_contract & (gap == 0), same_contract & (gap <= 120 * slot)
    slots, bursts = len(t) - int(in_slot.sum()), len(t) - int(in_burst.sum())
    waits = gap[in_burst & ~in_slot]
    centred = x - x.mean()
    memory = float(np.mean(centred[1:][in_burst] * centred[:-1][in_burst]) / max(centred.var(), 1e-9)) if in_burst.any() else 0.0
    long_share = float(side.mean())
    agree = float(np.mean(side[1:][in_burst] == side[:-1][in_burst])) if in_burst.any() else 1.0
    chance = long_share**2 + (1 - long_share) ** 2
    top = np.sort(x)[-max(len(x) // 20, 5) :]
    busy = np.concatenate([[False], in_burst])
    fast = 1 - slots / len(t)
    return StreamLaw(
        fast=fast, fast_seconds=slot / 3, slow=(1 - bursts / slots) * (1 - fast),
        slow_seconds=float(waits.mean()) if len(waits) else 30.0 * slot,
        log_mean=float(x.mean()), log_sd=float(x.std()), tail=float(1 / max(np.mean(top - top[0]), 0.2)),
        size_memory=float(np.clip(memory, 0, 0.95)),
        side_memory=float(np.clip((agree - chance) / (1 - chance), 0, 1)) if chance < 1 else 1.0, long_share=long_share,
        swell=float(np.clip(x[busy].mean() - x[~busy].mean(), -1, 1)) if busy.any() else 0.0,
        per_hour=bursts / max((t.max() - t.min()) / 3600, 1e-9) / len(np.unique(c)),
    )  # fmt: skip


def stream(law: StreamLaw, duration: float, rng: np.random.Generator, shock_orders: float = 0.0, most: int = 400_000) -> Stream:
    """Draw one contract's complete stream over [0, duration) seconds.

    `shock_orders` is the expected number of first orders of one shock, which strikes uniformly in the window and dies away with a mean
    of a tenth of it. Raises ValueError when more than `most` orders come out: the law is then too explosive for its length.
    """
    calm = rng.uniform(-300, duration, rng.poisson(law.per_hour * (duration + 300) / 3600))
    strike = rng.uniform(0, duration * 0.8)
    fading = duration / 10 * rng.uniform(0.2, 1.5)
    struck = strike + rng.exponential(fading, rng.poisson(shock_orders))
    tilt = rng.beta(2, 2) if shock_orders else 0.5  # a shock falls on one side mostly
    long_share = np.clip(law.long_share * 2 * tilt, 0.02, 0.98)
    times, logs, sides = np.concatenate([calm, struck]), None, None
    logs = (
        law.log_mean
        + law.log_sd * rng.standard_normal(len(times))
        + law.swell * np.exp(-np.abs(times - strike) / fading) * (times > strike)
    )
    sides = rng.random(len(times)) < long_share
    all_times, all_logs, all_sides = [times], [logs], [sides]
    count = len(times)
    while len(times):
        parts = []
        for branching, delay in ((law.fast, law.fast_seconds), (law.slow, law.slow_seconds)):
            appetite = np.clip(np.exp(0.3 * (logs - law.log_mean)), 0.3, 3.0)
            appetite /= np.exp(0.045 * law.log_sd**2)
            children = rng.poisson(np.minimum(branching * appetite, 0.98))
            parent = np.repeat(np.arange(len(times)), children)
            born = times[parent] + rng.exponential(delay, len(parent))
            drift = law.log_mean + law.size_memory * (logs[parent] - law.log_mean)
            grown = drift + law.log_sd * np.sqrt(1 - law.size_memory**2) * rng.standard_normal(len(parent))
            side = np.where(rng.random(len(parent)) < law.side_memory, sides[parent], rng.random(len(parent)) < long_share)
            kept = born < duration
            parts.append((born[kept], grown[kept], side[kept]))
        times, logs, sides = (np.concatenate(column) for column in zip(*parts, strict=True))
        all_times.append(times)
        all_logs.append(logs)
        all_sides.append(sides)
        count += len(times)
        if count > most:
            raise ValueError(f"more than {most} orders: the law is too explosive for {duration:.0f} seconds")
    when, log, long = np.concatenate(all_times), np.concatenate(all_logs), np.concatenate(all_sides).astype(bool)
    inside = (when >= 0) & (when < duration)
    when, log, long = when[inside], log[inside], long[inside]
    heavy = law.log_mean + 1.645 * law.log_sd
    log = np.where(log > heavy, heavy + rng.exponential(1 / max(law.tail, 0.8), len(log)), log)
    order = np.argsort(when, kind="stable")
    return Stream(when[order], np.exp(np.minimum(log[order], law.log_mean + 7 * law.log_sd)), long[order])
