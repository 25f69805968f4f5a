"""Our volatilities against the venue's, how closely smiles follow quotes, and whether they hold arbitrage, on real Deribit chains.

.venv/bin/python benchmarks/smiles.py [--figures docs/images]

Reads the chains the tests read, beside the checkout.
"""

import argparse
import datetime as dt
import json
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.analytics.options.chains import POLLED, real_chains
from tests.captures import SHARED

from deleverage.analytics.options import black76
from deleverage.analytics.options.chain import Chain, build
from deleverage.analytics.options.realised import DAY, cone, variance_premium
from deleverage.analytics.options.smile import Slice, Surface, calendar_gap, fit, fit_slice
from deleverage.analytics.options.term import constant_maturity

BUCKETS = (
    ("put, under 10Δ", "put", 0.0, 0.10), ("put, 10 to 25Δ", "put", 0.10, 0.25), ("put, 25 to 40Δ", "put", 0.25, 0.40),
    ("at the money, over 40Δ", "", 0.40, 1.0), ("call, 25 to 40Δ", "call", 0.25, 0.40), ("call, 10 to 25Δ", "call", 0.10, 0.25),
    ("call, under 10Δ", "call", 0.0, 0.10),
)  # fmt: skip
PICTURE = ("deribit-btc-20260120", 38)


def used(chain: Chain, surface: Surface) -> pl.DataFrame:
    """Options fitted to, with the fitted volatility and their forward delta, each expiry's own side."""
    frames = []
    for found in surface.slices:
        rows = chain.options.filter(pl.col("is_used") & (pl.col("expiry") == found.expiry))
        iv = found.volatility(rows["strike"].to_numpy())
        delta = black76.greeks(found.forward, rows["strike"].to_numpy(), found.years, iv, (rows["option_type"] == "call").to_numpy()).delta
        frames.append(rows.with_columns(fit=pl.Series(iv), delta=pl.Series(np.abs(delta))))
    return pl.concat(frames)


def against_marks(rows: pl.DataFrame) -> None:
    print("\n| delta | options | quote to mark, points | 90 % below | fit to mark, points |")
    print("|---|---|---|---|---|")
    for title, kind, low, high in BUCKETS:
        of = rows.filter((pl.col("delta") >= low) & (pl.col("delta") < high) & ((pl.lit(kind) == "") | (pl.col("option_type") == kind)))
        ours, fitted = ((of[c] - of["mark_iv"]).abs().drop_nulls().to_numpy() * 100 for c in ("iv", "fit"))
        print(f"| {title} | {len(of)} | {np.median(ours):.2f} | {np.quantile(ours, 0.9):.2f} | {np.median(fitted):.2f} |")


def picture(folder: Path, name: str, chain: Chain, found: Slice) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = chain.options.filter(pl.col("is_used") & (pl.col("expiry") == found.expiry))
    k, low, high = (rows[c].fill_null(np.nan).to_numpy() for c in ("k", "bid_iv", "ask_iv"))
    at = np.linspace(k.min() - 0.15, k.max() + 0.15, 400)
    fig, (above, below) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, height_ratios=[3, 1])
    above.vlines(k, 100 * low, 100 * high, color="#777", lw=3, label="quotes, bid to ask")
    above.plot(at, 100 * np.sqrt(found.total_variance(at) / found.years), color="#b3261e", lw=1.2, label="fit (SVI)")
    above.set_ylabel("volatility, % per year")
    above.set_title(f"{name}: {found.years * 365:.0f} days to expiry, {len(rows)} quotes, rms {found.rms_points:.2f} points", fontsize=10)
    above.legend(frameon=False)
    below.plot(at, found.svi.g(at), color="#1d5f8a", lw=1.2)
    below.axhline(0, color="#777", lw=0.8)
    below.set(ylabel="g(k)", xlabel="k = ln(strike / forward)", ylim=(-0.1, None))
    fig.tight_layout()
    fig.savefig(folder / f"smile-{name}.png", dpi=110)


def premium() -> None:
    """DVOL's square less realised variance of 30 days, before and after, by daily closes (August 2023 to January 2026)."""
    path = SHARED / "dvol" / "BTC_DVOL_1d.json"
    if not path.exists():
        return
    told = json.loads(path.read_text())
    opened = [int(dt.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * 1_000_000_000 for day in told["dates"]]
    candles = pl.DataFrame({"ts_open": opened, "interval_seconds": 86_400, "close": told["btc_prices"]})
    implied = pl.DataFrame({"ts": [t + DAY for t in opened], "tenor_days": 30.0, "iv": [x / 100 for x in told["dvol"]]})
    found = variance_premium(implied, candles, opened[-1] + DAY)
    print("\n| realised over | days | mean premium, variance | above 0 | implied, realised, points |\n|---|---|---|---|---|")
    for side in ("before", "after"):
        rows = found.drop_nulls(f"premium_{side}")
        gap, realised = rows[f"premium_{side}"].to_numpy(), rows[f"realised_{side}"].to_numpy()
        iv, past = 100 * float(np.mean(rows["iv"].to_numpy())), 100 * np.sqrt(realised).mean()
        print(f"| 30 days {side} | {len(rows)} | {gap.mean():.4f} | {(gap > 0).mean():.0%} | {iv:.1f}, {past:.1f} |")
    with pl.Config(tbl_cols=12, float_precision=3):
        print(cone(candles, opened[-1] + DAY, (7.0, 30.0, 90.0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path)
    asked = parser.parse_args()
    everything, alone, spreads, basis = [], [], [], []
    print("| chain | listed | used | expiries | build, ms | fit, ms | rms, points | worst expiry | least g | least calendar step |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    free = 0
    reasons: dict[str, int] = {}
    terms = []
    chains = real_chains()
    for name, base, at, quotes in chains:
        chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
        fit(chain)  # compiled before it is timed
        built, fitted = [], []
        for _ in range(7):
            start = time.perf_counter()
            chain = build(quotes, at, venue="deribit", base=base, filters=POLLED)
            middle = time.perf_counter()
            surface = fit(chain)
            built.append(middle - start)
            fitted.append(time.perf_counter() - middle)
        rows = used(chain, surface)
        everything.append(rows)
        least, step = min(s.min_g for s in surface.slices), calendar_gap(surface)
        free += least >= 0 and step >= 0
        rms = [s.rms_points for s in surface.slices]
        single = [fit_slice(s.quotes, s.expiry, s.years, s.forward) for s in surface.slices]
        alone += [(s.rms_points, t.rms_points, s.kind) for s, t in zip(surface.slices, single, strict=True)]
        crossed = calendar_gap(surface._replace(slices=tuple(single)))
        spreads.append(crossed < 0)
        own = dict(quotes.group_by("expiry").agg(pl.col("underlying_price").median()).rows())
        basis += [abs(f.price / own[f.expiry] - 1) * 1e4 for f in chain.forwards]
        for reason, count in chain.options["why_not"].value_counts().rows():
            reasons[reason] = reasons.get(reason, 0) + count
        print(
            f"| {name} | {len(chain.options)} | {len(rows)} | {len(surface.slices)} | {1e3 * min(built):.1f} | {1e3 * min(fitted):.1f} |"
            f" {np.median(rms):.2f} | {max(rms):.2f} | {least:.4f} | {step:.1e} |"
        )
        terms.append((name, constant_maturity(surface)))
        if asked.figures and name == PICTURE[0]:
            near = min(surface.slices, key=lambda s: abs(s.years * 365 - PICTURE[1]))
            picture(asked.figures, name, chain, near)
    rows = pl.concat(everything)
    both = np.array([(a, b) for a, b, _ in alone])
    inside = float(np.mean(((rows["fit"] >= rows["bid_iv"].fill_null(0)) & (rows["fit"] <= rows["ask_iv"])).drop_nulls().to_numpy()))
    print(
        f"\nfree of butterfly and calendar arbitrage: {free} of {len(chains)}; fitted expiry by expiry alone {len(chains) - sum(spreads)}"
    )
    print(f"rms per expiry: median {np.median(both[:, 0]):.2f} points, mean {both[:, 0].mean():.2f}; alone {both[:, 1].mean():.2f}")
    print(f"kinds: { {k: sum(x == k for _, _, x in alone) for k in ('svi', 'ssvi', 'scaled', 'flat')} }; inside bid and ask: {inside:.1%}")
    print(f"parity forward against the venue's underlying: median {np.median(basis):.2f} basis points, worst {max(basis):.2f}")
    print("left out:", ", ".join(f"{k or 'used'} {v}" for k, v in sorted(reasons.items(), key=lambda x: -x[1])))
    against_marks(rows)
    print("\n| chain | " + " | ".join(f"{d:.0f} d: ATM, RR25, BF25" for d in (7, 30, 90, 180)) + " |\n|---|---|---|---|---|")
    for name, frame in terms:
        cells = []
        for row in frame.filter(pl.col("tenor_days").is_in([7.0, 30.0, 90.0, 180.0])).iter_rows(named=True):
            told = row["rr25"] is not None
            cells.append(f"{100 * row['atm']:.1f}, {100 * row['rr25']:+.1f}, {100 * row['bf25']:+.1f}" if told else "not listed")
        print(f"| {name} | {' | '.join(cells)} |")
    premium()


if __name__ == "__main__":
    main()
