"""How well the completeness estimates do where the truth is known: simulated and real complete feeds, throttled as venues throttle them.

.venv/bin/python benchmarks/throttle.py [--windows 3200] [--data DIR] [--figure docs/images/completeness.png] [--calibrate]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import binomtest

import real_feeds
from deleverage.analytics import completeness
from deleverage.simulate import throttle_lab as lab
from deleverage.simulate.throttle import RULES

SPLIT = {"bybit": 1_791_592_584.0, "drift": 1_640_217_600.0, "aave": 1_704_067_200.0}
"""Before: fitted on. From: scored (seconds UTC)."""
SLOT = {"bybit": 1.0, "drift": 1.0, "aave": 12.0}
FEWEST = {"bybit": 4, "drift": 8, "aave": 8}
HEAD = (
    "| rule | regime | windows | bounded | bias | error | bias of observed | error of a constant | covered | interval score"
    " | share, raw | corrected | better |"
)


def line(rule: str, row: lab.Row) -> str:
    def points(value: float | None) -> str:
        return "" if value is None or not np.isfinite(value) else f"{100 * value:.1f}"

    better = "" if row.share_better is None else f"{100 * row.share_better:.0f} % of {row.share_windows}"
    score = "" if not np.isfinite(row.interval_ratio) else f"{row.interval_ratio:.2f}"
    return (
        f"| {lab.TITLES[rule]} | {row.regime} | {row.windows} | {row.bounded} | {100 * row.bias:+.0f} % | {100 * row.error:.0f} %"
        f" | {100 * row.naive_bias:+.0f} % | {100 * row.factor_error:.0f} % | {points(row.covered)} % | {score}"
        f" | {points(row.share_error_raw)} | {points(row.share_error)} | {better} |"
    )


def together(feed: lab.Feed, contracts: int, rule: str) -> tuple[float, float, int]:
    """Cover and bias of sums over several contracts at once, as a venue's total is."""
    parts = completeness.by_contract(completeness.hidden(lab.throttled(feed, rule)))  # type: ignore[arg-type]  # one of RULES
    group = parts["symbol"].cast(pl.Int64).to_numpy() // contracts
    truth = np.bincount(feed.window // contracts, feed.usd)
    inside, ratios = [], []
    for number in np.unique(group):
        found = completeness.estimate(parts.filter(pl.lit(pl.Series(group == number))))
        if found.high_usd is not None:
            inside.append(found.low_usd <= truth[number] <= found.high_usd)
        ratios.append(found.estimate_usd / truth[number] - 1)
    return float(np.mean(inside)) if inside else float("nan"), float(np.median(ratios)), len(inside)


def simulated(windows: int) -> list[lab.Scored]:
    training, held_out = lab.simulated(lab.TRAINING, windows // 2, 5), lab.simulated(lab.HELD_OUT, windows, 6)
    peak = int(np.unique(held_out.window * 1000 + np.floor(held_out.slots).astype(np.int64), return_counts=True)[1].max())
    print(
        f"\n## Simulated: {windows} windows, {len(held_out.usd):,} orders, up to {peak:,} of one contract in one second; per side\n\n{HEAD}"
    )
    print("|" + "---|" * 13)
    drawn: list[lab.Scored] = []
    for rule in RULES:
        factor = lab.constant_factor([r for r in lab.score(training, rule) if r.side == "both"])
        scored = lab.score(held_out, rule)
        sides = [r for r in scored if r.side != "both"]
        for row in (lab.summary(sides, factor, "all"), *lab.by_saturation(sides, factor)):
            print(line(rule, row))
        if rule == "largest_per_second":
            drawn = sides
    print("\nSums over 20 contracts at once:\n")
    for rule in RULES:
        covered, bias, count = together(held_out, 20, rule)
        print(f"- {lab.TITLES[rule]}: {100 * covered:.0f} % of {count} bounded totals covered, median bias {100 * bias:+.0f} %")
    return drawn


def real(folder: Path) -> None:
    print(f"\n## Real complete feeds, stretches not fitted on\n\n{HEAD}\n" + "|" + "---|" * 13)
    pooled: dict[str, list[lab.Scored]] = {rule: [] for rule in RULES}
    for name in ("bybit", "drift", "aave"):
        orders: real_feeds.Orders = getattr(real_feeds, name)(folder)
        later = orders.between(SPLIT[name], np.inf)
        feed = lab.episodes(later.seconds, later.usd, later.is_long, later.contract, SLOT[name], FEWEST[name])
        for rule in RULES:
            scored = [r for r in lab.score(feed, rule) if (r.side != "both") == feed.has_sides]
            pooled[rule] += scored
            print(line(rule, lab.summary(scored, 1.2, name)))
    for kind, scored in pooled.items():
        row = lab.summary(scored, 1.2, "all")
        inside = round(row.covered * row.bounded)
        p = binomtest(inside, row.bounded, 0.9).pvalue
        print(f"\n{lab.TITLES[kind]}: {inside} of {row.bounded} covered; binomial test against 90 %: p = {p:.3f};", end=" ")
        print(f"interval score {row.interval_ratio:.2f} of the naive one")
    okx = real_feeds.okx(folder)
    same, near = close_pairs(okx)
    seconds = len(np.unique(okx.contract * 10**7 + okx.seconds.astype(np.int64) % 10**7))
    print(f"\nOKX, two minutes: {len(okx.usd)} orders in {seconds} contract-seconds;", end=" ")
    print(f"pairs of a contract less than a second apart: {len(near)}, of them in one second of the clock: {same}.")
    print(f"Without a cap by the clock's second, so few by chance: p = {float(np.prod(near)):.4f}")


def close_pairs(orders: real_feeds.Orders) -> tuple[int, list[float]]:
    """Pairs of neighbours of one contract under a second apart: how many share a second, and each one's chance not to."""
    order = np.lexsort((orders.seconds, orders.contract))
    t, c = orders.seconds[order], orders.contract[order]
    gap = np.diff(t)
    near = (np.diff(c) == 0) & (gap < 1)
    return int((np.floor(t[1:][near]) == np.floor(t[:-1][near])).sum()), [float(g) for g in gap[near]]


def figure(scored: Sequence[lab.Scored], path: Path) -> None:
    """Error against saturation, largest per second: observed and estimated over truth."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    rng = np.random.default_rng(0)
    kept = [scored[k] for k in rng.permutation(len(scored))[:1200]]
    x = [r.saturation for r in kept]
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, values, title in (
        (axes[0], [r.observed / r.truth for r in kept], "As observed"), (axes[1], [r.estimate / r.truth for r in kept], "Estimated"),
    ):  # fmt: skip
        axis.scatter(x, values, s=5, alpha=0.4, color="#888888" if axis is axes[0] else "#c8451c", linewidths=0)
        axis.axhline(1, color="black", lw=0.8)
        axis.set_yscale("log")
        axis.set_ylim(0.1, 5)
        axis.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"], minor=False)
        axis.minorticks_off()
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlabel("how full the seconds are (0 to 1)")
    axes[0].set_ylabel("over the truth, log scale")
    fig.suptitle("Largest order per second: simulated windows of ten minutes, per side", x=0.01, ha="left", fontsize=11)
    fig.tight_layout()
    fig.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=3200)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--figure", type=Path, default=None)
    parser.add_argument("--calibrate", action="store_true", help="print the calibration the training laws give, and stop")
    asked = parser.parse_args()
    if asked.calibrate:
        training = lab.simulated(lab.TRAINING, 3600, 5)
        knots = completeness.CALIBRATIONS["largest_per_second"].occupancy
        for rule in RULES:
            print(rule, lab.calibrate(training, rule, knots if rule == "largest_per_second" else knots[:8]))
        return
    drawn = simulated(asked.windows)
    if asked.figure is not None:
        figure(drawn, asked.figure)
    if asked.data is not None:
        real(asked.data)


if __name__ == "__main__":
    main()
