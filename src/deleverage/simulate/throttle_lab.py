"""Scoring the completeness estimates: throttle a feed known to be complete, estimate what was left out, compare.

Windows are one contract's ten minutes (real: one episode). The calibration and the score use different stretches of the real feeds
and streams drawn from laws fitted to those different stretches.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deleverage.analytics import completeness
from deleverage.simulate.liquidation_stream import StreamLaw, stream
from deleverage.simulate.throttle import RULES, Rule, printed

Floats = NDArray[np.float64]

# Moments of complete feeds, by `liquidation_stream.fit`: Bybit allLiquidation of 10 October 2026 (00:00–00:36 and 00:36–01:13),
# the Drift v1 census (to 23 December 2021 and after), Aave on Ethereum (to 2023 and from 2024, in slots of 12 s).
TRAINING = (
    StreamLaw(0.298, 0.333, 0.366, 29.4, 5.00, 1.88, 1.97, 0.00, 0.73, 0.157, -0.15, 3.61),
    StreamLaw(0.340, 0.333, 0.412, 18.4, 3.63, 2.65, 0.94, 0.00, 0.85, 0.5, 0.64, 0.128),
    StreamLaw(0.151, 0.333, 0.438, 25.5, 8.85, 2.35, 0.96, 0.67, 0.85, 0.5, 1.00, 0.031),
)
HELD_OUT = (
    StreamLaw(0.300, 0.333, 0.300, 18.6, 5.47, 1.97, 4.12, 0.00, 0.97, 0.625, 0.85, 2.91),
    StreamLaw(0.365, 0.333, 0.544, 13.5, 2.00, 3.17, 0.56, 0.08, 0.85, 0.5, 0.42, 0.403),
    StreamLaw(0.317, 0.333, 0.308, 21.2, 8.08, 3.43, 1.02, 0.66, 0.85, 0.5, 1.00, 0.043),
)
"""Drift and Aave tell no sides: theirs are Bybit's. Aave's slots of 12 s are taken as seconds."""
WINDOW = 600.0
"""Seconds of a simulated window."""
HARDEST = 3_000.0
"""First orders of the hardest simulated shock; with their children they pass 11,279 orders in one second."""


class Feed(NamedTuple):
    """A complete feed cut into windows: per order its window, time in slots of the rule, USD, side."""

    window: NDArray[np.int64]
    slots: Floats
    usd: Floats
    is_long: NDArray[np.bool_]
    has_sides: bool = True


class Scored(NamedTuple):
    """One window and one side (or `both`) under one rule, USD; `whole` is the window's true total of both sides.

    The shares are long shares (0–1), None in a feed without sides.
    """

    side: completeness.Side
    truth: float
    observed: float
    estimate: float
    low: float
    high: float | None
    saturation: float
    true_share: float | None
    raw_share: float | None
    corrected_share: float | None
    orders: int
    whole: float


def simulated(laws: Sequence[StreamLaw], windows: int, seed: int) -> Feed:
    """Draw windows from laws varied about those given, from calm to `HARDEST`; every window holds at least five orders."""
    rng = np.random.default_rng(seed)
    columns: list[tuple[NDArray[np.int64], Floats, Floats, NDArray[np.bool_]]] = []
    while len(columns) < windows:
        law = _varied(laws[len(columns) % len(laws)], rng)
        try:
            drawn = stream(law, WINDOW, rng, shock_orders=float(np.exp(rng.uniform(0, np.log(HARDEST)))))
        except ValueError:
            continue
        if len(drawn.usd) >= 5:
            columns.append((np.full(len(drawn.usd), len(columns)), drawn.seconds, drawn.usd, drawn.is_long))
    window, seconds, usd, is_long = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Feed(window, seconds, usd, is_long)


def _varied(law: StreamLaw, rng: np.random.Generator) -> StreamLaw:
    def near(value: float, log_sd: float) -> float:
        return float(value * np.exp(log_sd * rng.standard_normal()))

    return law._replace(
        fast=min(near(law.fast, 0.2), 0.6), slow=min(near(law.slow, 0.2), 0.6), fast_seconds=near(law.fast_seconds, 0.4),
        slow_seconds=near(law.slow_seconds, 0.4), log_sd=near(law.log_sd, 0.15), size_memory=float(rng.uniform(0, 0.7)),
        side_memory=float(rng.uniform(0.6, 1)), long_share=float(rng.uniform(0.1, 0.9)), swell=float(rng.uniform(-0.2, 1)),
        per_hour=near(law.per_hour, 1.0) * 10,
    )  # fmt: skip


def episodes(seconds: Floats, usd: Floats, is_long: NDArray[np.bool_], contract: NDArray[np.int64], slot: float, fewest: int) -> Feed:
    """Cut a real complete feed into episodes: one contract's orders with no pause over 300 slots, `fewest` at least.

    A feed with one side only passes all long. `slot` is the length of the rule's slot in seconds, a chain's block time for example.
    """
    order = np.lexsort((seconds, contract))
    t, c = seconds[order] / slot, contract[order]
    starts = np.ones(len(t), dtype=bool)
    starts[1:] = (np.diff(c) != 0) | (np.diff(t) > 300)
    episode = np.cumsum(starts) - 1
    kept = np.bincount(episode)[episode] >= fewest
    return Feed(
        np.unique(episode[kept], return_inverse=True)[1], t[kept], usd[order][kept], is_long[order][kept], bool(0 < is_long.mean() < 1)
    )


def throttled(feed: Feed, rule: Rule, seed: int = 0) -> pl.DataFrame:
    """Return the frame of liquidations that a venue with this rule would print; each window stands as a contract of its own."""
    shown = printed(feed.window, feed.slots, feed.usd, rule, rng=np.random.default_rng(seed))
    return pl.DataFrame({
        "ts_event": (feed.slots[shown] * 1e9).astype(np.int64), "venue": "lab", "base": "", "symbol": feed.window[shown].astype(str),
        "coverage_rule": "undisclosed" if rule == "one_per_second" else rule, "method": "market",
        "position_side": np.where(feed.is_long[shown], "long", "short"), "notional_usd": feed.usd[shown],
    })  # fmt: skip


def score(feed: Feed, rule: Rule) -> list[Scored]:
    """Throttle, estimate and compare, window by window: both sides together first, then each side where the feed has sides."""
    contracts = completeness.by_contract(completeness.hidden(throttled(feed, rule)))
    windows = int(feed.window.max()) + 1
    longs = np.bincount(feed.window, feed.usd * feed.is_long, windows)
    shorts = np.bincount(feed.window, feed.usd * ~feed.is_long, windows)
    counts = np.bincount(feed.window, minlength=windows)
    scored = []
    for row in range(len(contracts)):
        contract = contracts[row]
        window = int(contract["symbol"][0])
        truth = {"both": longs[window] + shorts[window], "long": longs[window], "short": shorts[window]}
        share = completeness.long_share(contract) if feed.has_sides else None
        sides: tuple[completeness.Side, ...] = ("both", "long", "short") if feed.has_sides else ("both",)
        for side in sides:
            if truth[side] == 0:
                continue
            found = completeness.estimate(contract, side)
            scored.append(Scored(
                side, truth[side], found.observed_usd, found.estimate_usd, found.low_usd, found.high_usd, found.saturation,
                truth["long"] / truth["both"] if share else None, share.raw if share else None, share.corrected if share else None,
                int(counts[window]), truth["both"],
            ))  # fmt: skip
    return scored


class Row(NamedTuple):
    """A regime's score. `bias` and `error` are the median of estimate/truth − 1 and of its absolute value; `naive_` of the observed,
    `factor_` of the observed times a constant fitted elsewhere. `covered` is the share of truths in the interval, of bounded
    ones; `interval_ratio` the mean interval score over that of [observed, observed], both relative to the window's total;
    `share_better` the share of the `share_windows` with a raw long share off by over a point where the corrected one is nearer."""

    regime: str
    windows: int
    bounded: int
    bias: float
    error: float
    naive_bias: float
    factor_error: float
    covered: float
    interval_ratio: float
    share_error_raw: float | None
    share_error: float | None
    share_better: float | None
    share_windows: int


BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.01)


def summary(scored: Iterable[Scored], factor: float, name: str = "") -> Row:
    """Sum up a regime; `factor` is the constant that truths exceed observed totals by elsewhere."""
    rows = list(scored)
    truth, observed, estimate, low = (np.array([getattr(r, f) for r in rows]) for f in ("truth", "observed", "estimate", "low"))
    bounded = np.array([r.high is not None for r in rows])
    high = np.array([np.inf if r.high is None else r.high for r in rows])
    slack = 1e-9 * truth
    inside = (low <= truth + slack) & (truth <= high + slack)
    whole = np.array([r.whole for r in rows])[bounded]
    ours = completeness.interval_score(truth[bounded], low[bounded], high[bounded]) / whole
    naive = completeness.interval_score(truth[bounded], observed[bounded], observed[bounded]) / whole
    sided = [r for r in rows if r.true_share is not None and r.raw_share is not None and r.corrected_share is not None]
    raw = np.array([abs(r.raw_share - r.true_share) for r in sided if r.raw_share is not None and r.true_share is not None])
    better = np.array([abs(r.corrected_share - r.true_share) for r in sided if r.corrected_share is not None and r.true_share is not None])
    off = raw > 0.01
    return Row(
        name, len(rows), int(bounded.sum()), float(np.median(estimate / truth - 1)), float(np.median(np.abs(estimate / truth - 1))),
        float(np.median(observed / truth - 1)), float(np.median(np.abs(observed * factor / truth - 1))),
        float(inside[bounded].mean()) if bounded.any() else float("nan"),
        float(ours.mean() / naive.mean()) if bounded.any() and naive.mean() > 0 else float("nan"),
        float(raw.mean()) if len(raw) else None, float(better.mean()) if len(raw) else None,
        float((better[off] < raw[off]).mean()) if off.any() else None, int(off.sum()),
    )  # fmt: skip


def by_saturation(scored: Sequence[Scored], factor: float) -> Iterator[Row]:
    """Sum up by how full the seconds were."""
    for low, high in pairwise(BINS):
        inside = [r for r in scored if low <= r.saturation < high]
        if inside:
            yield summary(inside, factor, f"{low:.1f}–{min(high, 1):.1f}")


def constant_factor(scored: Sequence[Scored]) -> float:
    """Return what truths exceed observed totals by, all windows together: the baseline a table of venue factors would use."""
    return sum(r.truth for r in scored) / sum(r.observed for r in scored)


def calibrate(feed: Feed, rule: Rule, knots: Sequence[float], reach: float = 0.07) -> completeness.Calibration:
    """Set centre, shift and width at each knot of occupancy, from the windows within `reach` of it (fewer than 40: as at the knot before).

    `centre` makes the median of the estimate right; shift and width make 5 % of truths fall out at each end, by search on a grid.
    """
    contracts = completeness.by_contract(completeness.hidden(throttled(feed, rule)))
    window = contracts["symbol"].cast(pl.Int64).to_numpy()
    count = int(feed.window.max()) + 1
    true = {
        "long": np.bincount(feed.window, feed.usd * feed.is_long, count),
        "short": np.bincount(feed.window, feed.usd * ~feed.is_long, count),
    }
    both = (contracts["hidden_long"] + contracts["hidden_short"]).to_numpy()
    fullness = np.divide(contracts["fullness"].to_numpy(), both, out=np.zeros(len(both)), where=both > 0)
    parts = [
        np.stack([true[side][window] - contracts[f"observed_{side}"].to_numpy(), contracts[f"hidden_{side}"].to_numpy(),
                  contracts[f"variance_{side}"].to_numpy(), fullness, true[side][window]], axis=1)
        for side in ("long", "short")
    ]  # fmt: skip
    missed, hidden, variance, full, truth = np.concatenate(parts).T
    centres, shifts, widths = [], [], []
    for knot in knots:
        near = (np.abs(full - knot) <= reach) & (truth > 0) & (hidden > 0)
        if near.sum() < 40:
            near = (np.abs(full - knot) <= 3 * reach) & (truth > 0) & (hidden > 0)
        centres.append(float(np.clip(np.median(missed[near] / hidden[near]), 1.0, 3.0)))
        best = (np.inf, 0.0, 1.0)
        for shift in np.arange(-0.6, 2.01, 0.1):
            mean = hidden[near] * np.exp(shift)
            for width in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0):
                law = variance[near] * np.exp(2 * shift) + (width * mean) ** 2
                low, high = completeness.gamma_interval(mean, law)
                slack = 1e-9 * truth[near]
                under, over = (missed[near] < low - slack).mean(), (missed[near] > high + slack).mean()
                gap = abs(under - 0.05) + abs(over - 0.05) + 2 * abs(under + over - 0.1)
                if gap < best[0] - 1e-9:
                    best = (gap, float(shift), width)
        shifts.append(best[1])
        widths.append(best[2])
    return completeness.Calibration(
        tuple(knots), tuple(round(c, 2) for c in centres), tuple(round(s, 2) for s in shifts), tuple(round(w, 2) for w in widths)
    )


TITLES = {"largest_per_second": "largest per second", "latest_per_second": "latest per second", "one_per_second": "one per second, any"}


def report(windows: int, seed: int = 6) -> tuple[list[dict[str, object]], str]:
    """Score every rule on simulated streams of laws held out, per side; rows to print and a footer."""
    training, held_out = simulated(TRAINING, max(windows // 2, 20), seed - 1), simulated(HELD_OUT, windows, seed)
    rows: list[dict[str, object]] = []
    for rule in RULES:
        factor = constant_factor([r for r in score(training, rule) if r.side == "both"])
        scored = [r for r in score(held_out, rule) if r.side != "both"]
        for row in (summary(scored, factor, "all"), *by_saturation(scored, factor)):
            numbers = {k: _rounded(v) for k, v in row._asdict().items() if k != "regime"}
            rows.append({"rule": TITLES[rule], "saturation": row.regime, **numbers})
    peak = int(np.unique(held_out.window * 1000 + np.floor(held_out.slots).astype(np.int64), return_counts=True)[1].max())
    return rows, f"{len(held_out.usd):,} simulated orders in {windows} windows, up to {peak:,} of a contract in one second; per side."


def _rounded(value: object) -> object:
    if not isinstance(value, float):
        return value
    return round(value, 3) if np.isfinite(value) else None
