"""Volatility at constant maturities: at the money, risk reversals and butterflies by forward delta, never beyond the listed expiries.

Sign: a risk reversal is the call's volatility less the put's, so below 0 puts are dearer; some vendors turn it round. Skew "eases" when
it rises towards 0. Total variance is interpolated, not volatility (methods 6.4).
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from deleverage.analytics.options.smile import Surface

Floats = NDArray[np.float64]
TENOR_DAYS = (7.0, 14.0, 30.0, 60.0, 90.0, 180.0)
DELTAS = (0.25, 0.10)
NAMES = ("rr25", "bf25", "rr10", "bf10")
SCHEMA = pl.Schema(
    {"tenor_days": pl.Float64, "years": pl.Float64, "forward": pl.Float64, "atm": pl.Float64}
    | dict.fromkeys((*NAMES, "skew25", "call25", "put25"), pl.Float64)
)


def delta_log_moneyness(total_variance: Callable[[float], float], delta: float, is_call: bool) -> float | None:
    """Return k = ln(K/F) whose option has forward delta N(d1) = `delta` (put: N(-d1) = `delta`) on a smile; None where none has.

    The root nearest the money is taken. `total_variance` maps k to σ²T; `delta` in (0, 0.5].
    """
    target = float(ndtri(delta)) * (1.0 if is_call else -1.0)

    def excess(k: float) -> float:
        root = total_variance(k) ** 0.5
        return float(-k / root + root / 2 - target)

    step = total_variance(0.0) ** 0.5 * (1.0 if is_call else -1.0)
    inner, outer = 0.0, 0.5 * step
    # d1 at the money is σ√T/2, above a call's target: walk outwards until it is passed.
    for _ in range(200):
        if excess(inner) * excess(outer) <= 0:
            return float(brentq(excess, inner, outer, xtol=1e-14, rtol=1e-14))
        inner, outer = outer, outer + 0.5 * step
    return None


def constant_maturity(surface: Surface, tenor_days: Sequence[float] = TENOR_DAYS) -> pl.DataFrame:
    """Return one row per tenor: tenor_days, years, forward, atm, rr25, bf25, rr10, bf10, skew25, call25, put25.

    `atm` is the volatility at K = forward; rr = call less put, bf = their mean less `atm`, at 25 and 10 % forward delta, all decimals
    per year (0.05 is five points); skew25 = rr25 / atm; call25 and put25 are the strikes in dollars. All null outside the listed
    expiries: nothing is extrapolated. Cost: about 1 ms per tenor.
    """
    ends = [s.years for s in surface.slices]
    rows = []
    for days in tenor_days:
        years = days / 365
        inside = bool(ends) and ends[0] - 1e-12 <= years <= ends[-1] + 1e-12
        row: dict[str, float | None] = {"tenor_days": float(days), "years": years}
        rows.append(row | (_point(surface, years) if inside else {}))
    return pl.DataFrame(rows, schema=SCHEMA)


def listed(surface: Surface) -> pl.DataFrame:
    """Return the same row for every listed expiry, with its `expiry` (ns UTC) first; tenor_days counts from `surface.at`."""
    points = constant_maturity(surface, [s.years * 365 for s in surface.slices])
    return points.insert_column(0, pl.Series("expiry", [s.expiry for s in surface.slices], pl.Int64))


def _point(surface: Surface, years: float) -> dict[str, float | None]:
    def w(k: float) -> float:
        return float(surface.total_variance(k, years))

    forward, atm = float(surface.forward(years)), (w(0.0) / years) ** 0.5
    found: dict[str, float | None] = {"forward": forward, "atm": atm}
    for delta in DELTAS:
        call, put = delta_log_moneyness(w, delta, True), delta_log_moneyness(w, delta, False)
        if call is None or put is None:
            continue
        up, down = (w(call) / years) ** 0.5, (w(put) / years) ** 0.5
        name = f"{100 * delta:.0f}"
        found |= {f"rr{name}": up - down, f"bf{name}": (up + down) / 2 - atm}
        if delta == 0.25:
            found |= {"skew25": (up - down) / atm, "call25": forward * float(np.exp(call)), "put25": forward * float(np.exp(put))}
    return found
