"""Our volatility index beside the published one, on every real chain: each variant, and what each open rule of the method moves.

PYTHONPATH=. .venv/bin/python benchmarks/volatility_index.py [--figures docs/images]
"""

import argparse
import csv
import datetime as dt
import gzip
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tests.analytics.options.chains import POLLED, real_chains
from tests.captures import shared

from deleverage.analytics.options.chain import Chain, build
from deleverage.analytics.options.smile import Surface, fit
from deleverage.analytics.options.volatility_index import MATCHED, Index, Prices, Rules, from_chain

Floats = NDArray[np.float64]
VARIANTS: tuple[Prices, ...] = ("mid", "clean", "mark", "smile")
WHOLE = Rules(least_ratio=0.7)
CHOICES: tuple[tuple[str, Prices, Rules], ...] = (
    ("two-sided mids, as documented", "mid", Rules()),
    ("clean quotes (spread within 30 % or 2 ticks)", "clean", Rules()),
    ("venue's marks, every strike", "mark", Rules()),
    ("continuous strip of the smile", "smile", Rules()),
    ("the chain's forward, not the nearest pair's", "mid", Rules(own_forward=False)),
    ("skip an expiry listed only down to above 0.7 F", "mid", WHOLE),
    ("stop after two strikes without a quote", "mid", Rules(empty_run=2)),
    ("stop after one", "mid", Rules(empty_run=1)),
    ("spread at most 50 % of mid", "mid", Rules(widest=0.5)),
    ("30 %", "mid", Rules(widest=0.3)),
    ("20 %", "mid", Rules(widest=0.2)),
    ("10 %", "mid", Rules(widest=0.1)),
    ("mid at least 0.0005 F", "mid", Rules(cheapest=0.0005)),
    ("0.001 F", "mid", Rules(cheapest=0.001)),
    ("0.0018 F (`MATCHED`)", "mid", MATCHED),
    ("0.002 F", "mid", Rules(cheapest=0.002)),
    ("0.003 F", "mid", Rules(cheapest=0.003)),
    ("marks, strikes of 0.6 to 1.6 F", "mark", Rules(low=0.6, high=1.6)),
    ("0.7 to 1.4 F", "mark", Rules(low=0.7, high=1.4)),
    ("0.75 to 1.3 F", "mark", Rules(low=0.75, high=1.3)),
    ("0.8 to 1.25 F", "mark", Rules(low=0.8, high=1.25)),
)
FAMILIES: tuple[tuple[str, Prices, tuple[Rules, ...]], ...] = (
    ("widest spread", "mid", tuple(Rules(widest=float(x)) for x in np.arange(0.06, 0.52, 0.02))),
    ("cheapest mid", "mid", tuple(Rules(cheapest=float(x)) for x in np.arange(0.0, 0.0042, 0.0002))),
    ("strikes e^-x to e^x of F", "mark", tuple(Rules(low=float(np.exp(-x)), high=float(np.exp(x))) for x in np.arange(0.15, 0.76, 0.02))),
)


class Case(NamedTuple):
    """One chain and the published closes around it (None: not published here)."""

    name: str
    chain: Chain
    surface: Surface
    before: float | None
    after: float | None
    reference: float | None

    def ours(self, prices: Prices, rules: Rules = Rules()) -> Index:  # noqa: B008  # an immutable default
        return from_chain(self.chain, prices=prices, rules=rules, surface=self.surface)


def cases() -> list[Case]:
    """The chains, with the daily closes (of their day's end, 24:00 UTC) before and after, and the line between them at its instant."""
    published = json.loads(shared("dvol/BTC_DVOL_1d.json").read_text())
    closes = {dt.date.fromisoformat(d).toordinal() + 1: v for d, v in zip(published["dates"], published["dvol"], strict=True)}
    epoch = dt.date(1970, 1, 1).toordinal()
    found = []
    for name, base, at, quotes in real_chains():
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        days = at / 86_400e9 + epoch
        before, after = (closes.get(int(days) + k) if base == "BTC" else None for k in (0, 1))
        reference = None if before is None or after is None else before + (after - before) * (days % 1)
        found.append(Case(name, chain, fit(chain), before, after, reference))
    return found


def clock(at: int) -> str:
    return dt.datetime.fromtimestamp(at / 1e9, dt.UTC).strftime("%Y-%m-%d %H:%M")


def timing() -> None:
    """How far published hourly values lie from the line between the daily closes around them: the best any chain could be told to agree."""
    with gzip.open(shared("dvol/BTC_DVOL_1h.csv.gz"), "rt") as lines:
        close = {int(row["timestamp"]) // 3_600_000 + 1: float(row["dvol_close"]) for row in csv.DictReader(lines)}
    daily = json.loads(shared("dvol/BTC_DVOL_1d.json").read_text())
    pairs = [
        (value, close.get((dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days * 24 + 24))
        for day, value in zip(daily["dates"], daily["dvol"], strict=True)
    ]
    both = [(a, b) for a, b in pairs if b is not None]
    print(f"\nDaily close against the hourly close of 24:00 UTC: {sum(abs(a - b) < 0.005 for a, b in both)} of {len(both)} days equal")
    print("\n| published history | days | 12:30 from the line: median, % | 90 % within | an hour from the close: median, % | 90 % within |")
    print("|---|---|---|---|---|---|")
    for name, start in (("2021-03 to 2025-10", 0), ("2025", (dt.date(2025, 1, 1) - dt.date(1970, 1, 1)).days * 24)):
        noon, hour = [], []
        for t in close:
            if t % 24 or t < start:
                continue
            if all(t + k in close for k in (12, 13, 24)):
                line = close[t] + (close[t + 24] - close[t]) * 12.5 / 24
                noon.append(abs((close[t + 12] + close[t + 13]) / 2 / line - 1))
            if t + 1 in close:
                hour.append(abs(close[t + 1] / close[t] - 1))
        cells = [f"{100 * q:.2f}" for v in (noon, hour) for q in (np.median(v), np.quantile(v, 0.9))]
        print(f"| {name} | {len(noon)} | {' | '.join(cells)} |")


def table(found: list[Case]) -> None:
    print("\n| chain, UTC | published before | after | line | " + " | ".join(VARIANTS) + " | error of mid | at-the-money, 30 d |")
    print("|---|" + "---|" * (5 + len(VARIANTS)))
    for case in found:
        values = [case.ours(v).points for v in VARIANTS]
        told = ["" if v is None else f"{v:.2f}" for v in (case.before, case.after, case.reference, *values)]
        error = "none published"
        if case.reference is not None and values[0] is not None:
            error = f"{values[0] - case.reference:+.2f} ({100 * (values[0] / case.reference - 1):+.2f} %)"
        money = 100 * float(np.sqrt(case.surface.total_variance(0.0, 30 / 365) * 365 / 30))
        print(f"| {case.chain.base} {clock(case.chain.at)} | {' | '.join(told)} | {error} | {money:.2f} |")
    print("\n| chain | leg, days | strikes | from | to | volatility, points | weight |\n|---|---|---|---|---|---|---|")
    for case in found:
        index = case.ours("mid")
        for leg in (index.near, index.next):
            if leg is not None:
                cells = f"{leg.years * 365:.2f} | {leg.strikes} | {leg.low_strike:,.0f} | {leg.high_strike:,.0f}"
                print(f"| {case.chain.base} {clock(case.chain.at)} | {cells} | {100 * leg.variance**0.5:.2f} | {leg.weight:.2f} |")


def errors(known: list[Case], prices: Prices, rules: Rules) -> Floats:
    """Our index less the line between the closes, points."""
    points = [case.ours(prices, rules).points for case in known]
    return np.array([np.nan if p is None else p - (c.reference or np.nan) for p, c in zip(points, known, strict=True)])


def choices(known: list[Case]) -> None:
    reference = np.array([case.reference for case in known], dtype=np.float64)
    whole = errors(known, "mid", Rules())
    print("\n| choice | moves the index, points (median; least, most) | bias, % | median error, % | worst, % | within 1.5 % | within 5 % |")
    print("|---|---|---|---|---|---|---|")
    for name, prices, rules in CHOICES:
        error = errors(known, prices, rules)
        moved, share = error - whole, error / reference * 100
        away = np.abs(share)
        print(
            f"| {name} | {np.median(moved):+.2f} ({moved.min():+.2f}, {moved.max():+.2f}) | {share.mean():+.2f} | {np.median(away):.2f} "
            f"| {away.max():.2f} | {(away <= 1.5).sum()} of {len(away)} | {(away <= 5).sum()} of {len(away)} |"
        )
    print("\n| one number chosen on five chains, scored on the sixth | chosen | median error, % | worst, % |\n|---|---|---|---|")
    for name, prices, family in FAMILIES:
        share = np.array([np.abs(errors(known, prices, rules) / reference) for rules in family]) * 100
        best = [int(np.argmin(np.nanmax(np.delete(share, i, axis=1), axis=1))) for i in range(len(known))]
        left = np.array([share[b, i] for i, b in enumerate(best)])
        values = [family[b].widest or family[b].cheapest or float(np.log(family[b].high)) for b in best]
        print(f"| {name} | {min(values):.4g} to {max(values):.4g} | {np.median(left):.2f} | {left.max():.2f} |")


def figure(path: Path, known: list[Case]) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), width_ratios=(1.15, 1))
    x = np.arange(len(known))
    for i, case in enumerate(known):
        left.plot([i, i], [case.before or np.nan, case.after or np.nan], color="#c3c8ce", lw=7, solid_capstyle="butt", zorder=1)
    left.scatter(
        x, [c.reference or np.nan for c in known], color="#454c55", marker="_", s=160, zorder=2, label="published; bar: closes around"
    )
    for variant, marker, colour in zip(VARIANTS, "o^sD", ("#e4572e", "#f2a541", "#2e86ab", "#7b4fa3"), strict=True):
        left.scatter(x, [c.ours(variant).points or np.nan for c in known], marker=marker, s=22, color=colour, zorder=3, label=variant)
    left.set_xticks(x, [clock(c.chain.at)[5:].replace(" ", "\n") for c in known], fontsize=8)
    left.set_ylabel("points")
    left.set_ylim(36.4, 43.2)
    left.set_title("BTC, January 2026", loc="left", fontsize=10)
    left.legend(fontsize=7, frameon=False, loc="lower right")
    cuts = np.arange(0.15, 0.86, 0.02)
    for case in known:
        moved = [
            (case.ours("mark", Rules(low=float(np.exp(-c)), high=float(np.exp(c)))).points or np.nan) - (case.reference or 0) for c in cuts
        ]
        right.plot(cuts, moved, lw=1, label=clock(case.chain.at)[5:])
    right.axhline(0, color="#454c55", lw=0.8)
    right.set_xlabel("strikes kept: |ln K/F| up to")
    right.set_ylabel("ours less published, points")
    right.set_title("What the wings decide (marks)", loc="left", fontsize=10)
    right.legend(fontsize=7, frameon=False, loc="lower right")
    fig.tight_layout()
    fig.savefig(path, dpi=110)
    plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path)
    asked = parser.parse_args()
    found = cases()
    known = [case for case in found if case.reference is not None]
    timing()
    table(found)
    choices(known)
    if asked.figures is not None:
        figure(asked.figures / "volatility-index.png", known)


if __name__ == "__main__":
    main()
