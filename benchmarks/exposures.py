"""Exposure, density and touching on real chains: what the conventions and models say, how far apart they are, and what they cost.

PYTHONPATH=. .venv/bin/python benchmarks/exposures.py [--figures docs/images]
"""

import argparse
import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from tests.analytics.options.chains import POLLED, real_chains

from deleverage.analytics.options import density, local_volatility
from deleverage.analytics.options.chain import Chain, build
from deleverage.analytics.options.exposure import Book, Exposure, book, conventions, dealers, exposure, profile
from deleverage.analytics.options.smile import Surface, fit

WEEK, MONTH, QUARTER = 7 / 365, 30 / 365, 90 / 365
COLOURS = {"equity": "#2e6fb7", "short_everything": "#e4572e"}


def when(ns: int) -> str:
    return dt.datetime.fromtimestamp(ns / 1e9, dt.UTC).strftime("%-d %b %Y, %H:%M")


def chains() -> list[tuple[Chain, Surface, float]]:
    found = []
    for _, base, at, quotes in real_chains():
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        if chain.index_price is not None:
            found.append((chain, fit(chain), chain.index_price))
    return found


def moving_smile(chain: Chain, surface: Surface, spot: float, prices: np.ndarray) -> np.ndarray:
    """The equity convention's curve were each smile to move along with the price."""
    plain = book(chain.options, surface)
    position, curve = conventions(plain)["equity"], []
    for price in prices:
        options = chain.options.with_columns(strike=pl.col("strike") * spot / price)
        moved = book(options, surface)._replace(strike=plain.strike)
        curve.append(float(profile(moved, position, spot, np.array([price]))[0]))
    return np.array(curve)


def exposures(found: list[tuple[Chain, Surface, float]]) -> None:
    print("\n| chain | index | options | equity, M USD per 1 % | its flip | flip, moving smile | short everything, M USD | word |")
    print("|---|---|---|---|---|---|---|---|")
    for chain, surface, spot in found:
        both = dealers(chain.options, spot, surface=surface)
        equity, short = both.conventions
        prices = both.prices[::2]
        curve = moving_smile(chain, surface, spot, prices)
        cells = np.flatnonzero(np.sign(curve[:-1]) != np.sign(curve[1:]))
        other = [prices[c] + (prices[c + 1] - prices[c]) * curve[c] / (curve[c] - curve[c + 1]) for c in cells]
        flips = [", ".join(f"{p:,.0f}" for p in ps) for ps in ([f.price for f in equity.flips], other)]
        print(
            f"| {chain.base}, {when(chain.at)} | {spot:,.0f} | {len(chain.options)} | {equity.gamma_usd / 1e6:+.1f} | {flips[0]} "
            f"| {flips[1]} | {short.gamma_usd / 1e6:+.1f} | {both.regime} |"
        )


def touching(found: list[tuple[Chain, Surface, float]]) -> None:
    print("\n| chain | level | finish | naive | flat ATM | flat at level | local volatility | 2x digital | at 1600 x 1600 |")
    print("|---|---|---|---|---|---|---|---|---|")
    widths, errors, gaps = [], [], []
    for chain, surface, spot in found:
        law = density.law(surface, spot)
        for years in (WEEK, MONTH, QUARTER):
            for ratio in (0.80, 0.85, 0.90, 0.95, 1.05, 1.10, 1.15, 1.20):
                one = density.touch(law, ratio * spot, years)
                fine = local_volatility.touch(law, ratio * spot, years, (1600, 1600)).probability
                errors.append(abs(fine - one.local_volatility))
                gaps.append(abs(one.finish_naive - one.finish))
                if years == MONTH:
                    widths.append(one.high - one.low)
                if years == MONTH and ratio in (0.85, 1.10):
                    print(
                        f"| {chain.base}, {when(chain.at)} | {ratio - 1:+.0%} | {one.finish:.4f} | {one.finish_naive:.4f} "
                        f"| {one.flat_atm:.4f} | {one.flat_level:.4f} | {one.local_volatility:.4f} | {one.twice_digital:.4f} | {fine:.4f} |"
                    )
    print(f"\nRange of a month's touch, -20 to +20 %: median {np.median(widths):.3f}, widest {max(widths):.3f}.")
    print(
        f"Forgetting the slope of the smile moves the chance of finishing by {np.median(gaps):.3f} in the median, at most {max(gaps):.3f}."
    )
    print(f"Grid of 400 x 200 against 1600 x 1600: worst {max(errors):.1e} of {len(errors)}.")


def densities(found: list[tuple[Chain, Surface, float]]) -> None:
    masses, means, least = [], [], []
    for _, surface, spot in found:
        law = density.law(surface, spot)
        for one in surface.slices:
            d = density.density(law, one.years)
            masses.append(abs(d.mass - 1))
            means.append(abs(d.mean / one.forward - 1))
            least.append(d.least)
    off = f"mass off 1 by at most {max(masses):.1e}, mean off the forward by {max(means):.1e}, least density {min(least):.1e}"
    print(f"\n{len(masses)} expiries: {off}.")


def best(call: Callable[[], object], times: int = 30) -> float:
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1e3


def cost() -> None:
    rng = np.random.default_rng(0)
    n = 1000
    contracts = Book(
        pl.Series([""] * n), np.repeat(np.arange(10), 100), np.tile(np.linspace(40e3, 160e3, 100), 10),
        np.repeat(np.linspace(0.01, 1, 10), 100), np.full(n, 86e3), np.full(n, 0.5), np.arange(n) % 2 == 0, rng.random(n) * 100,
    )  # fmt: skip
    held = conventions(contracts) | {"flow": rng.normal(size=n)}
    rows, prices = np.stack(list(held.values())), np.linspace(0.7, 1.3, 121) * 86e3
    draws = {"flow": rng.normal(size=(200, n))}
    law = local_volatility.Law(np.array([MONTH]), np.array([[0.0135, 0.06, -0.4, 0, 0.16]]), np.log([86e3]), 86e3)
    print("\n| 1,000 options, 121 prices, 3 conventions | ms |\n|---|---|")
    print(f"| profiles | {best(lambda: profile(contracts, rows, 86e3, prices)):.2f} |")
    print(f"| exposure: curves, flips, zones, by strike | {best(lambda: exposure(contracts, 86e3, held)):.1f} |")
    print(f"| with bands of 200 draws | {best(lambda: exposure(contracts, 86e3, held, draws=draws)):.1f} |")
    print(f"| touch of one level, all models | {best(lambda: density.touch(law, 80e3, MONTH)):.1f} |")
    print(f"| density, 801 strikes | {best(lambda: density.density(law, MONTH)):.2f} |")


def pictures(found: list[tuple[Chain, Surface, float]], folder: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    coins = [one for one in found if one[0].base == "BTC" and len(one[0].options) > 500]
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    for axis, (chain, surface, spot) in zip(axes, (coins[0], coins[-1]), strict=True):
        both: Exposure = dealers(chain.options, spot, surface=surface)
        for one in both.conventions:
            axis.plot(both.prices / 1e3, one.curve / 1e6, color=COLOURS[one.name], label=one.name.replace("_", " "))
            for flip in one.flips:
                axis.plot(flip.price / 1e3, 0, "o", color=COLOURS[one.name])
                axis.annotate(f"flip {flip.price / 1e3:,.1f}", (flip.price / 1e3, 0), (6, -14), textcoords="offset points", fontsize=8)
        axis.axhline(0, color="#454c55", lw=0.8)
        axis.axvline(spot / 1e3, color="#454c55", lw=0.8, ls=":")
        axis.set_title(f"{when(chain.at)} UTC: {both.regime}", loc="left", fontsize=9)
        axis.set_xlabel("BTC, thousand USD (dotted: index)")
    axes[0].set_ylabel("dealers' gamma,\nmillion USD per 1 %")
    axes[0].legend(frameon=False, fontsize=8)
    fig.tight_layout()
    fig.savefig(folder / "gamma-exposure.png", dpi=120)
    plt.close(fig)

    chain, surface, spot = coins[-1]
    law = density.law(surface, spot)
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
    for years, colour in ((WEEK, "#9bb8d3"), (MONTH, "#2e6fb7"), (QUARTER, "#16324f")):
        strikes = np.linspace(0.5, 1.6, 400) * spot
        left.plot(strikes / 1e3, density.density(law, years, strikes).density * 1e3, color=colour, label=f"{years * 365:.0f} days")
    left.set_title(f"Risk-neutral density, {when(chain.at)} UTC", loc="left", fontsize=9)
    left.set_ylabel("per thousand USD")
    left.legend(frameon=False, fontsize=8)
    levels = np.concatenate([np.linspace(0.7, 0.995, 40), np.linspace(1.005, 1.35, 40)]) * spot
    rows = density.touches(law, levels, [MONTH])
    x = levels / 1e3
    right.fill_between(x, rows["low"], rows["high"], color="#e4572e", alpha=0.3, lw=0, label="touch: range of models")
    right.plot(x, rows["local_volatility"], color="#e4572e", label="touch: local volatility")
    right.plot(x, rows["twice_digital"], color="#454c55", lw=0.8, ls="--", label="2 x digital")
    right.plot(x, rows["finish"], color="#2e6fb7", label="finish beyond")
    right.set_title("Within 30 days (risk-neutral)", loc="left", fontsize=9)
    right.set_ylim(0, 1)
    right.legend(frameon=False, fontsize=8)
    for axis in (left, right):
        axis.axvline(spot / 1e3, color="#454c55", lw=0.8, ls=":")
        axis.set_xlabel("BTC, thousand USD (dotted: index)")
    fig.tight_layout()
    fig.savefig(folder / "risk-neutral-density.png", dpi=120)
    plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, default=None)
    asked = parser.parse_args()
    found = chains()
    exposures(found)
    densities(found)
    touching(found)
    cost()
    if asked.figures is not None:
        pictures(found, asked.figures)


if __name__ == "__main__":
    main()
