"""Options: how fast implied volatilities are found, how far they and the greeks are from QuantLib's, and what a whole chain costs.

.venv/bin/python benchmarks/options.py [--only speed]

Points are drawn alike for all: forward 86,000, volatility 0.3 to 1.2, two days to two years, strikes within three standard deviations
(six for accuracy); prices are QuantLib's, of the out-of-the-money option for speed, of either for accuracy. Times are of the processor,
medians of five rounds in turn after one to warm up. QuantLib, vollib and lets_be_rational take one option a call, from lists made
beforehand.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import QuantLib as ql  # type: ignore[import-untyped]  # noqa: N813  # as its own documentation has it
from numpy.typing import NDArray

from deleverage.analytics.options import black76
from peers import OPTION_PEERS, Worker

Floats = NDArray[np.float64]
ROUNDS = 5


class Points(NamedTuple):
    """Options at random, with QuantLib's price of each."""

    price: Floats
    forward: Floats
    strike: Floats
    years: Floats
    volatility: Floats
    is_call: NDArray[np.bool_]

    def calculators(self) -> list[ql.BlackCalculator]:
        """QuantLib's formula for each option."""
        total = self.volatility * np.sqrt(self.years)
        kinds = [ql.Option.Call if call else ql.Option.Put for call in self.is_call]
        rows = zip(kinds, self.strike.tolist(), self.forward.tolist(), total.tolist(), strict=True)
        return [ql.BlackCalculator(ql.PlainVanillaPayoff(kind, k), f, s, 1.0) for kind, k, f, s in rows]


def points(count: int, seed: int, reach: float, out_of_the_money: bool) -> Points:
    """Draw options with strikes within `reach` standard deviations."""
    rng = np.random.default_rng(seed)
    years, volatility = np.exp(rng.uniform(np.log(2 / 365), np.log(2.0), count)), rng.uniform(0.3, 1.2, count)
    forward = np.full(count, 86_000.0)
    strike = forward * np.exp(rng.uniform(-reach, reach, count) * volatility * np.sqrt(years))
    is_call = strike >= forward if out_of_the_money else rng.random(count) < 0.5
    found = Points(np.empty(0), forward, strike, years, volatility, is_call)
    return found._replace(price=np.array([c.value() for c in found.calculators()]))


def ours(drawn: Points) -> Callable[[], Floats]:
    return lambda: black76.implied_volatility(drawn.price, drawn.forward, drawn.strike, drawn.years, drawn.is_call)


def quantlib(drawn: Points, accuracy: float) -> Callable[[], Floats]:
    rows = [
        (ql.Option.Call if call else ql.Option.Put, k, f, p, 1.0, 0.0, ql.nullDouble(), accuracy, 1000)
        for p, f, k, call in zip(*(a.tolist() for a in (drawn.price, drawn.forward, drawn.strike, drawn.is_call)), strict=True)
    ]
    invert, root = ql.blackFormulaImpliedStdDev, np.sqrt(drawn.years)
    return lambda: np.array([invert(*row) for row in rows]) / root


def timed(run: Callable[[], Floats], volatility: Floats, least: float = 0.05) -> tuple[float, float]:
    """Processor seconds of one pass, over as many as take `least` seconds, and its worst relative error."""
    passes, began = 0, time.process_time()
    while (spent := time.process_time() - began) < least or not passes:
        found, passes = run(), passes + 1
    return spent / passes, float(np.max(np.abs(found / volatility - 1)))


def asked_of(worker: Worker) -> tuple[float, float] | None:
    said = worker.one_pass()
    return None if said is None else (said["seconds"], said["worst"])


def speed() -> None:
    """Inversions a second, and how many times as fast as each other solver ours is."""
    print("\n| options | solver | inversions/s | ours is, times | worst relative error |\n|---:|---|---:|---:|---:|")
    for count in (1_000, 10_000, 100_000):
        drawn = points(count, count, 3.0, out_of_the_money=True)
        with tempfile.TemporaryDirectory() as folder:
            workers = {}
            for name in OPTION_PEERS:
                path = Path(folder) / f"{name}.json"
                path.write_text(json.dumps({"peer": name} | {key: column.tolist() for key, column in drawn._asdict().items()}))
                workers[name] = Worker(name, path)
            runs: dict[str, Callable[[], tuple[float, float] | None]] = {
                "ours": partial(timed, ours(drawn), drawn.volatility),
                "QuantLib, 1e-6 (its default)": partial(timed, quantlib(drawn, 1e-6), drawn.volatility),
                "QuantLib, 1e-12": partial(timed, quantlib(drawn, 1e-12), drawn.volatility),
                **{f"{name}, pure Python": partial(asked_of, worker) for name, worker in workers.items()},
            }
            rounds = [[(name, run()) for name, run in runs.items()] for _ in range(ROUNDS + 1)][1:]
            for worker in workers.values():
                worker.close()
                if worker.problem:
                    print(f"left out: {worker.name}, {worker.problem}")
        took = {name: [said for r in rounds for other, said in r if other == name and said is not None] for name in runs}
        medians = {name: statistics.median(seconds for seconds, _ in said) for name, said in took.items() if said}
        for name, seconds in medians.items():
            error = max(worst for _, worst in took[name])
            print(f"| {count:,} | {name} | {count / seconds:,.0f} | {seconds / medians['ours']:.1f} | {error:.1e} |")
        if count == 100_000:
            ratio = medians["QuantLib, 1e-12"] / medians["ours"]
            print(f"\nGoal: at least 3 times QuantLib at 1e-12: {'met' if ratio >= 3 else 'missed'} ({ratio:.1f}).")


def accuracy() -> None:
    """Worst relative differences from QuantLib over 10,000 points, of either side of the money.

    QuantLib's price is rounded at some 4e-16 of the larger of forward and strike. That moves a volatility by less than 1e-8 of itself only
    where volatility·vega > 1e-7·max(F, K): there they are compared. Greeks are compared within 4.5 standard deviations: QuantLib's Φ is
    rounded at 1e-16 until it is 1e-8. Its volga divides by σ√T where σ belongs, and is multiplied by √T here.
    """
    drawn = points(10_000, 1, 6.0, out_of_the_money=False)
    made = black76.greeks(drawn.forward, drawn.strike, drawn.years, drawn.volatility, drawn.is_call)
    theirs = drawn.calculators()
    each = list(zip(theirs, drawn.forward.tolist(), drawn.years.tolist(), strict=True))
    vanna = np.array([c.vanna(f, t) for c, f, t in each])
    delta = np.array([c.deltaForward() for c in theirs])
    expected = {
        "delta": delta,
        "delta_premium_adjusted": -drawn.strike / drawn.forward * np.array([c.strikeSensitivity() for c in theirs]),
        "gamma": np.array([c.gammaForward() for c in theirs]),
        "vega": np.array([c.vega(t) for c, _, t in each]),
        "theta": np.array([c.theta(f, t) for c, f, t in each]),
        "vanna": vanna,
        "charm": -vanna * drawn.volatility / (2 * drawn.years),  # delta depends on volatility and time through σ√T alone
        "volga": np.array([c.volga(t) for c, _, t in each]) * np.sqrt(drawn.years),
    }
    allowed = drawn.volatility * made.vega > 1e-7 * np.maximum(drawn.forward, drawn.strike)
    near = np.abs(np.log(drawn.strike / drawn.forward)) < 4.5 * drawn.volatility * np.sqrt(drawn.years)
    print(f"\n| {len(delta):,} points | compared | worst relative difference from QuantLib |\n|---|---:|---:|")
    found = black76.implied_volatility(drawn.price, drawn.forward, drawn.strike, drawn.years, drawn.is_call)
    print(f"| implied volatility | {int(allowed.sum()):,} | {np.max(np.abs(found / drawn.volatility - 1)[allowed]):.1e} |")
    value = black76.price(drawn.forward, drawn.strike, drawn.years, drawn.volatility, drawn.is_call)
    again = black76.implied_volatility(value, drawn.forward, drawn.strike, drawn.years, drawn.is_call)
    rounding = value / (drawn.volatility * made.vega)
    worst = np.max(np.abs(again / drawn.volatility - 1) / np.maximum(1.0, rounding))
    print(f"| our own price and back, over max(1, price / (volatility·vega)) | {len(again):,} | {worst:.1e} |")
    for name, column in expected.items():
        print(f"| {name} | {int(near.sum()):,} | {np.max(np.abs(getattr(made, name) / column - 1)[near]):.1e} |")


def full_chain() -> None:
    """What a chain of 1,000 options costs from quotes to exposure: a process of its own, one thread of one processor."""
    alone = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "NUMBA", "OPENBLAS", "MKL")} | {"POLARS_MAX_THREADS": "1"}
    one = min(os.sched_getaffinity(0))
    command = [sys.executable, str(Path(__file__).with_name("full_chain.py"))]
    ran = subprocess.run(
        command, env=os.environ | alone, stdout=subprocess.PIPE, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {one})
    )  # fmt: skip
    said = json.loads(ran.stdout)
    stages = [name for name in said["rows"][0] if name not in ("chain", "options", "used", "expiries", "worst", "all")]
    print(f"\n| chain | options | fitted | expiries | {' | '.join(stages)} | all, ms | 90 % below |\n|---|{'---:|' * (len(stages) + 5)}")
    for row in said["rows"]:
        cells = " | ".join(f"{row[name]:.1f}" for name in stages)
        print(
            f"| {row['chain']} | {row['options']} | {row['used']} | {row['expiries']} | {cells} | {row['all']:.1f} | {row['worst']:.1f} |"
        )
    first = said["rows"][0]
    met = "met" if first["all"] < 100 else "missed"
    print(f"\nGoal: {first['options']:,} options in under 100 ms on one core: {met} ({first['all']:.0f}).")


SECTIONS: dict[str, Callable[[], None]] = {"accuracy": accuracy, "speed": speed, "full_chain": full_chain}
"""What one run prints, in this order. A further section is a function that prints its table, and one entry here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, default=None)
    asked = parser.parse_args()
    for name, section in SECTIONS.items():
        if asked.only in (None, name):
            section()


if __name__ == "__main__":
    main()
