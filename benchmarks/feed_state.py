"""The feed states against 52 simulated weeks: false alarms, and how soon a dead topic is named, by its rate.

The simulator is of another family than the detector's silence law: a log-normal rate that wanders (hours), shared in part by all
venues, with a day cycle, sudden bursts that decay, and Poisson arrivals within the minute. Spread and memory are those of the
hourly liquidated amounts of Binance in 2024 (BTC, ETH, SOL: standard deviation of the logarithm 1.5 to 1.9, correlation 0.5 from hour
to hour); rates are the measured ones of quiet markets.

    .venv/bin/python benchmarks/feed_state.py [--weeks 52]
"""

import argparse
import json
from collections import Counter

import numpy as np

from deleverage.collect.expected_rates import EXPECTED
from deleverage.collect.feed_state import FeedMonitor, FeedState, Line, Reading
from deleverage.events import Liquidation

MINUTE = 60_000_000_000
T0 = 1_790_000_000_000_000_000 // MINUTE * MINUTE
SPARSE = {
    "binance": ("forceOrder", 2.7),
    "bybit": ("allLiquidation", 2.2),
    "okx": ("liquidation-orders", 4.5),
    "htx": ("liquidation_orders", 0.23),
}
CONTROL = {"binance": "markPrice", "bybit": "tickers", "okx": "mark-price", "htx": "funding_rate"}
SIGMA, MEMORY_HOURS, SHARED = 1.5, 1.5, 0.7
BURSTS_A_DAY, BURST_TIMES, BURST_MINUTES = 1.5, 20.0, 20.0


def arrivals(minutes: int, rates: dict[str, float], seed: int) -> dict[str, np.ndarray]:
    """Return liquidation prints per minute by venue."""
    chance = np.random.default_rng(seed)
    keep = np.exp(-1 / (MEMORY_HOURS * 60))

    def wander() -> np.ndarray:
        noise = chance.normal(size=minutes) * np.sqrt(1 - keep**2)
        found = np.empty(minutes)
        value = chance.normal()
        for n in range(minutes):
            value = keep * value + noise[n]
            found[n] = value
        return found

    common = wander()
    burst = np.zeros(minutes)
    starts = np.flatnonzero(chance.random(minutes) < BURSTS_A_DAY / 1440)
    level = 0.0
    marks = dict.fromkeys(starts.tolist(), True)
    for n in range(minutes):
        level = level * np.exp(-1 / BURST_MINUTES) + (chance.exponential(BURST_TIMES) if n in marks else 0.0)
        burst[n] = level
    day = 1 + 0.5 * np.sin(2 * np.pi * np.arange(minutes) / 1440)
    found = {}
    for venue, rate in rates.items():
        own = SHARED * common + np.sqrt(1 - SHARED**2) * wander()
        intensity = rate * day * (np.exp(SIGMA * own - SIGMA**2 / 2) + burst)
        found[venue] = chance.poisson(intensity)
    return found


class Watch:
    """A monitor fed minute by minute."""

    def __init__(self, rates: dict[str, float], seed: int, minutes: int) -> None:
        self.monitor = FeedMonitor(T0)
        self.counts = {(v, c): 0 for v in rates for c in (SPARSE[v][0], CONTROL[v])}
        self.last = dict.fromkeys(self.counts, 0)
        self.prints = arrivals(minutes, rates, seed)
        self.rates, self.dead, self.minute = rates, set[tuple[str, str]](), 0
        self.states: dict[tuple[str, str], FeedState] = {}
        for venue in rates:
            self.monitor.lines(venue, [Line((SPARSE[venue][0], CONTROL[venue]), T0)], T0)

    def step(self) -> None:
        now = T0 + (self.minute + 1) * MINUTE
        for venue in self.rates:
            sparse, control = (venue, SPARSE[venue][0]), (venue, CONTROL[venue])
            n = int(self.prints[venue][self.minute])
            if n and sparse not in self.dead:
                self.counts[sparse] += n
                self.last[sparse] = now - MINUTE // (n + 1)
                self.monitor.saw([Liquidation(venue, "", "", "BTC", now, now, "long", 1.0, "fill", 1.0, 1.0, 1.0, "market", "full")])
            if control not in self.dead:
                self.counts[control] += int(EXPECTED[venue][CONTROL[venue]].per_minute)
                self.last[control] = now - 500_000_000
        self.monitor.observe(now, [Reading(v, c, n, n, self.last[v, c], 0) for (v, c), n in self.counts.items()])
        self.states = {(s.venue, s.channel): s for s in self.monitor.states(now)}
        self.minute += 1


def false_alarms(weeks: int, seed: int) -> dict[str, float]:
    """Return alarms on liquidation channels per venue-week when nothing is wrong."""
    minutes = weeks * 7 * 1440
    rates = {venue: rate for venue, (_, rate) in SPARSE.items()}
    watch = Watch(rates, seed, minutes)
    alarms: Counter[str] = Counter()
    before: dict[tuple[str, str], str] = {}
    for _ in range(minutes):
        watch.step()
        for key, state in watch.states.items():
            if state.state in ("blind", "silent", "skewed", "down") and before.get(key) in ("live", "thin"):
                alarms[key[0]] += 1
            before[key] = state.state
    return {venue: round(alarms[venue] / weeks, 3) for venue in rates}


def delays(rate: float, times: int, kind: str) -> list[float]:
    """Return the minutes until a dead topic (or control stream) of `rate` prints a minute is named, in several runs."""
    found = []
    for seed in range(times):
        rates = {venue: r for venue, (_, r) in SPARSE.items()} | {"bybit": rate}
        chance = np.random.default_rng(seed)
        wait = 1440 + int(chance.integers(0, 720))
        watch = Watch(rates, 100 + seed, wait + 3 * 1440)
        for _ in range(wait):
            watch.step()
        key = ("bybit", SPARSE["bybit"][0] if kind == "topic" else CONTROL["bybit"])
        watch.dead.add(key)
        for after in range(1, 3 * 1440):
            watch.step()
            if watch.states[key].state in ("blind", "silent"):
                found.append(float(after))
                break
        else:
            found.append(float("inf"))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--times", type=int, default=12)
    chosen = parser.parse_args()
    print(json.dumps({"false alarms per venue-week": false_alarms(chosen.weeks, 1), "weeks": chosen.weeks}), flush=True)
    print(json.dumps({"stopped control stream, minutes": max(delays(2.2, 3, "control"))}), flush=True)
    for rate in (0.23, 1.0, 2.2, 4.5, 20.0, 60.0):
        took = delays(rate, chosen.times, "topic")
        row = {
            "rate a minute": rate,
            "median minutes": float(np.median(took)),
            "p95 minutes": float(np.quantile(took, 0.95, method="higher")),
        }
        print(json.dumps({"dead topic": row}), flush=True)
