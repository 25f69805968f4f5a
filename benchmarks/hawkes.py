"""The Hawkes fits: do their intervals cover, do they equal an independent likelihood, how fast are they.

.venv/bin/python benchmarks/hawkes.py [--fits 200] [--figure docs/images/hawkes-residuals.png] [--data DIR]
"""

import argparse
import time
from pathlib import Path

import hawkesbook  # type: ignore[import-untyped]  # it has none
import numpy as np

import real_feeds
from deleverage.analytics.hawkes import fit, fit_counts, ks_test, log_likelihood, residuals
from deleverage.simulate.hawkes_stream import hawkes_times

DECAYS = (1 / 3600, 1 / 300, 1 / 30, 1 / 3)


def coverage(fits: int) -> None:
    rng = np.random.default_rng(1)
    print("| branching ratio | fits | covered by the 95 % interval | mean estimate |\n|---|---|---|---|")
    covered = []
    for n in (0.3, 0.6, 0.85):
        rows = []
        for _ in range(fits // 3 + (n == 0.3) * (fits % 3)):
            times = hawkes_times(2 * (1 - n), n, 1.0, 600, rng)
            found = fit(times, 0, 600)
            rows.append((found.interval[0] <= n <= found.interval[1], found.branching))
        covered += [inside for inside, _ in rows]
        print(f"| {n} | {len(rows)} | {100 * np.mean([i for i, _ in rows]):.1f} % | {np.mean([b for _, b in rows]):.3f} |")
    error = 1.96 * (np.mean(covered) * (1 - np.mean(covered)) / len(covered)) ** 0.5
    print(f"| all | {len(covered)} | {100 * np.mean(covered):.1f} % ± {100 * error:.1f} | |")
    counted = []
    for seed in range(40):
        times = hawkes_times(0.2, 0.7, 0.02, 20_000, np.random.default_rng(seed))
        found_counts = fit_counts(np.bincount(times.astype(int), minlength=20_000).astype(float))
        counted.append(found_counts.interval[0] <= 0.7 <= found_counts.interval[1])
    print(f"\nCounts by the second, branching 0.7 over 50 s: {100 * np.mean(counted):.0f} % of {len(counted)} covered.")


def likelihood() -> None:
    rng = np.random.default_rng(2)
    worst = 0.0
    for _ in range(50):
        times = hawkes_times(1.0, 0.6, 2.0, 200, rng)
        mu, n, beta = rng.uniform(0.1, 2), rng.uniform(0.05, 0.95), rng.uniform(0.2, 10)
        theirs = float(hawkesbook.exp_log_likelihood(times, 200.0, np.array([mu, n * beta, beta])))
        worst = max(worst, abs(log_likelihood(times, 200.0, mu, n, beta) / theirs - 1))
    print(f"\nAgainst hawkesbook's likelihood, 50 streams: largest relative difference {worst:.1e}.")


def speed() -> None:
    times = hawkes_times(20.0, 0.8, 5.0, 1000.0, np.random.default_rng(3), lead=20.0)
    print("\n| fit | events | processor seconds | one pass of hawkesbook's likelihood, s | ratio |\n|---|---|---|---|---|")
    hawkesbook.exp_log_likelihood(times, 1000.0, np.array([20.0, 4.0, 5.0]))
    began = time.process_time()
    for _ in range(10):
        hawkesbook.exp_log_likelihood(times, 1000.0, np.array([20.0, 4.0, 5.0]))
    peer = (time.process_time() - began) / 10
    for name, decays in (("one exponential, free decay, interval by profile", None), ("three given decays", (0.5, 5.0, 50.0))):
        spent = []
        for _ in range(3):
            began = time.process_time()
            fit(times, 0, 1000.0, decays=decays)
            spent.append(time.process_time() - began)
        print(f"| {name} | {len(times):,} | {np.median(spent):.2f} | {peer:.4f} | {np.median(spent) / peer:.0f} |")


def figure(path: Path, data: Path) -> None:
    """Residuals of the Drift census around 5 January 2022 against the unit exponential."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    orders = real_feeds.drift(data).between(1_641_340_800.0, 1_641_513_600.0)
    times = np.sort(np.unique(orders.seconds) - 1_641_340_800.0 + np.random.default_rng(0).random(len(np.unique(orders.seconds))))
    print("\n| model | n | 95 % | log-likelihood | KS p |\n|---|---|---|---|---|")
    end = 172_801.0
    poisson = np.diff(times, prepend=0.0) * len(times) / end
    print(f"| constant rate | 0 | | {fit(times, 0, end).poisson:.1f} | {ks_test(poisson)[1]:.1e} |")
    fig, axis = plt.subplots(figsize=(5.2, 4))
    for name, found, colour in (
        ("one exponential", fit(times, 0, end), "#c8451c"), ("sum of exponentials", fit(times, 0, end, decays=DECAYS), "#0b7d72"),
    ):  # fmt: skip
        gaps = residuals(times, found)
        low, high = found.interval
        print(f"| {name} | {found.branching:.2f} | {low:.2f} to {high:.2f} | {found.log_likelihood:.1f} | {ks_test(gaps)[1]:.1e} |")
        expected = -np.log1p(-(np.arange(len(gaps)) + 0.5) / len(gaps))
        axis.plot(expected, np.sort(gaps), label=name, color=colour, lw=1.2)
    axis.plot([0, 7], [0, 7], color="black", lw=0.8)
    axis.set_xlim(0, 7)
    axis.set_ylim(0, 10)
    axis.set_xlabel("unit exponential")
    axis.set_ylabel("residual")
    axis.set_title("Residuals of the Drift census, 5-6 January 2022", loc="left", fontsize=10)
    axis.legend(frameon=False)
    fig.tight_layout()
    fig.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--figure", type=Path, default=None)
    parser.add_argument("--data", type=Path, default=None)
    asked = parser.parse_args()
    coverage(asked.fits)
    likelihood()
    speed()
    if asked.figure is not None and asked.data is not None:
        figure(asked.figure, asked.data)


if __name__ == "__main__":
    main()
