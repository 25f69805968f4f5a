"""Whether bitcoin leads ether and solana by price, hour by hour, on one venue's own trades.

.venv/bin/python benchmarks/lead_lag.py --data DIR [--hours 24]
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deleverage.analytics.lead_lag import lead

SHIFTS = np.concatenate([np.arange(-10, -1.5, 1.0), np.arange(-1, 1.05, 0.2), np.arange(2, 10.5, 1.0)])


def ticks(folder: Path, coin: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Last trade of each tenth of a second: seconds UTC, log price (Hyperliquid, 17 June 2026)."""
    with gzip.open(folder / "hyperliquid_recorder_2026" / f"trades_{coin}_20260617.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    ts, price = np.array([r["ts"] for r in rows]), np.array([r["px"] for r in rows], dtype=float)
    order = np.argsort(ts, kind="stable")
    ts, price = ts[order], price[order]
    last = np.append(np.diff(ts // 100) != 0, True)
    return ts[last] / 1e3, np.log(price[last])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hours", type=int, default=24)
    asked = parser.parse_args()
    series = {coin: ticks(asked.data, coin) for coin in ("BTC", "ETH", "SOL")}
    start = max(t[0] for t, _ in series.values())
    print("| pair | hours | leads | lags | together | not resolvable | median lag, s | median correlation | null's 95 % |")
    print("|---|---|---|---|---|---|---|---|---|")
    for other in ("ETH", "SOL"):
        found = []
        for hour in range(asked.hours):
            parts = []
            for t, x in (series["BTC"], series[other]):
                low, high = np.searchsorted(t, [start + hour * 3600, start + (hour + 1) * 3600])
                parts += [t[low:high], x[low:high]]
            if min(len(parts[0]), len(parts[2])) > 100:
                found.append(
                    lead(parts[0], parts[1], parts[2], parts[3], SHIFTS, rng=np.random.default_rng(hour), resolution=0.1, draws=60)
                )
        counts = [sum(f.verdict == v for f in found) for v in ("leads", "lags", "together", "not resolvable")]
        known = [f for f in found if f.lag_seconds is not None and f.rho is not None and f.null_rho is not None]
        lag, rho, null = (float(np.median([getattr(f, name) for f in known])) for name in ("lag_seconds", "rho", "null_rho"))
        print(f"| BTC, {other} | {len(found)} | {' | '.join(map(str, counts))} | {lag:.1f} | {rho:.2f} | {null:.2f} |")


if __name__ == "__main__":
    main()
