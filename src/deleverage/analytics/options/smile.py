"""Smiles of a chain: one slice of total variance per expiry, without butterfly or calendar arbitrage, and the surface between them.

Assumes that the quotes of an expiry were good at one instant. Fails where few strikes are quoted: wings beyond the last quote are
the model's, not the market's. Cost: about 1 ms per expiry. Gatheral and Jacquier (2014); De Marco and Martini (2009) for the starts.
"""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from deleverage.analytics.options import black76
from deleverage.analytics.options.chain import Chain
from deleverage.analytics.options.svi import SPAN, Svi, fit_ssvi, fit_svi
from deleverage.errors import BadInput

Floats = NDArray[np.float64]
Kind = Literal["svi", "ssvi", "scaled", "flat"]
DENSE = np.linspace(-3.0, 3.0, 601)
"""Log-moneyness at which neighbouring expiries are compared: no calendar arbitrage at strikes from 5 % to 20 times the forward.
Further out two wings may cross: holding their slopes too would cost 0.03 points of misfit on real chains, for strikes nobody lists."""
NEAR = np.sinh(np.linspace(-4.0, 4.0, 81))
MARGIN = 1e-7
"""Share of its variance that a slice which touches the next one gives up, so that it stays below between the points compared."""
FEWEST_SVI, FEWEST_SSVI = 5, 3
"""Strikes below which a slice takes fewer parameters."""
SPREAD_FLOOR = 0.25
"""Share of the expiry's median spread below which a narrower one weighs no more."""


class Slice(NamedTuple):
    """The smile of one expiry (ns UTC), `forward` in dollars. `quotes`: k, iv (decimal), weight of the options it was fitted to.

    `kind`: svi; ssvi (three parameters, as a slice of `Svi`); scaled (the next expiry, times a constant); flat. `rms_points` and
    `worst_points`: misfit to the quotes in vol points, unweighted. `min_g` < 0 would be butterfly arbitrage.
    """

    expiry: int
    years: float
    forward: float
    svi: Svi
    kind: Kind
    quotes: pl.DataFrame
    rms_points: float
    worst_points: float
    min_g: float

    def total_variance(self, k: ArrayLike) -> Floats:
        """Return σ²T at k = ln(K / forward)."""
        return self.svi.total_variance(np.asarray(k, float))

    def volatility(self, strike: ArrayLike) -> Floats:
        """Return σ (decimal per year) at strikes in dollars."""
        return np.asarray(np.sqrt(self.total_variance(np.log(np.asarray(strike, float) / self.forward)) / self.years))


class Surface(NamedTuple):
    """Slices of one base on one venue at `at` (ns UTC), by expiry; empty where nothing could be fitted (its methods then raise BadInput).

    Total variance is linear in time between expiries at equal k; before the first and after the last, volatility at k stays the same.
    The forward is log-linear between expiries and constant outside.
    """

    venue: str
    base: str
    at: int
    slices: tuple[Slice, ...]

    def total_variance(self, k: ArrayLike, years: ArrayLike) -> Floats:
        """Return σ²T at k and `years` from `at`; both broadcast."""
        ends = self._ends()
        t, at = np.broadcast_arrays(np.asarray(years, float), np.asarray(k, float))
        later = np.minimum(np.searchsorted(ends, t), len(ends) - 1)
        sooner = np.maximum(later - 1, 0)
        a, b, rho, m, s = np.array([x.svi for x in self.slices]).T
        w0, w1 = (
            a[i] + b[i] * (rho[i] * (at - m[i]) + np.sqrt((at - m[i]) ** 2 + s[i] ** 2)) for i in (sooner, later)
        )  # fmt: skip
        gap = ends[later] - ends[sooner]
        share = np.where(gap > 0, (t - ends[sooner]) / np.where(gap > 0, gap, 1.0), 0.0)
        inside = w0 + share * (w1 - w0)
        return np.asarray(np.where((t >= ends[0]) & (t <= ends[-1]), inside, w1 * t / ends[later]))

    def volatility(self, strike: ArrayLike, years: ArrayLike) -> Floats:
        """Return σ at strikes in dollars and `years` from `at`; NaN where years <= 0."""
        t = np.asarray(years, float)
        k = np.log(np.asarray(strike, float) / self.forward(t))
        w = self.total_variance(k, t)
        return np.asarray(np.sqrt(np.divide(w, t, out=np.full(w.shape, np.nan), where=np.broadcast_to(t > 0, w.shape))))

    def forward(self, years: ArrayLike) -> Floats:
        """Return the forward in dollars, `years` from `at`."""
        return np.asarray(np.exp(np.interp(np.asarray(years, float), self._ends(), np.log([s.forward for s in self.slices]))))

    def _ends(self) -> Floats:
        if not self.slices:
            raise BadInput("the surface has no expiry: no quote of the chain was clean")
        return np.array([s.years for s in self.slices])


def fit(chain: Chain) -> Surface:
    """Fit every expiry of a chain, the latest first, each held below the one after; expiries without a usable quote are left out.

    A soon expiry is quoted on few strikes: what bounds its wings is the next, which is quoted further out.
    """
    slices: list[Slice] = []
    used = chain.options.filter("is_used")
    for rows in reversed(used.partition_by("expiry", maintain_order=True) if len(used) else []):
        slices.append(fit_slice(quotes(rows), rows["expiry"][0], rows["years"][0], rows["forward"][0], slices[-1] if slices else None))
    return Surface(chain.venue, chain.base, chain.at, tuple(reversed(slices)))


def quotes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return k, iv, weight of rows of `Chain.options` of one expiry: weight is vega over spread, per 1.00 of volatility."""
    forward, strike, years, iv, bid, ask = (rows[c].to_numpy() for c in ("forward", "strike", "years", "iv", "bid", "ask"))
    vega = black76.greeks(forward, strike, years, iv, (rows["option_type"] == "call").to_numpy()).vega
    spread = (ask - bid) / np.maximum(vega, 1e-12 * forward)
    spread = np.maximum(spread, max(SPREAD_FLOOR * float(np.median(spread)), 1e-6))
    return rows.select("k", "iv").with_columns(weight=pl.Series(1 / spread))


def fit_slice(quotes: pl.DataFrame, expiry: int, years: float, forward: float, after: Slice | None = None) -> Slice:
    """Fit one expiry to quotes (k, iv, weight per 1.00 of volatility) so that it lies nowhere above `after`, the next expiry.

    SVI from five strikes on; where that cannot be made free of arbitrage, the closest of SSVI and the slice after times a constant
    (where there is none: a flat smile). Raises BadInput without quotes.
    """
    if quotes.is_empty():
        raise BadInput("a smile needs at least one quote")
    k, iv, weight = (quotes[c].to_numpy().astype(float) for c in ("k", "iv", "weight"))
    w = iv * iv * years
    u = weight / (2 * iv * years)
    strikes = len(np.unique(k))
    ceiling = np.zeros(0) if after is None else after.svi.total_variance(SPAN)
    tried: list[tuple[Kind, Svi]] = []
    if strikes >= FEWEST_SVI:
        tried = _allowed("svi", fit_svi(k, w, u, ceiling), after)
    if not tried:
        if strikes >= FEWEST_SSVI:
            tried = _allowed("ssvi", fit_ssvi(k, w, u, ceiling), after)
        if after is None:
            tried.append(("flat", Svi(float(np.average(w, weights=u * u)), 0.0, 0.0, 0.0, 1.0)))
        else:
            shape = after.svi.total_variance(k)
            tried.append(("scaled", _times(after.svi, min(1.0, float((u * u * shape * w).sum() / (u * u * shape * shape).sum())))))
    kind, svi = min(tried, key=lambda t: float(((u * (t[1].total_variance(k) - w)) ** 2).sum()))
    off = 100 * (np.sqrt(svi.total_variance(k) / years) - iv)
    rms, worst = float(np.sqrt((off * off).mean())), float(np.abs(off).max())
    return Slice(expiry, years, forward, svi, kind, quotes.select("k", "iv", "weight"), rms, worst, svi.min_g())


def _allowed(kind: Kind, svi: Svi, after: Slice | None) -> list[tuple[Kind, Svi]]:
    """The slice, scaled to lie below the one after; nothing where it has butterfly arbitrage."""
    if svi.min_g() < 0:
        return []
    if after is not None:
        k = _compared(svi, after.svi)
        room = float((after.svi.total_variance(k) / svi.total_variance(k)).min())
        svi = svi if room >= 1 + MARGIN else _times(svi, room * (1 - MARGIN))
    return [(kind, svi)]


def _times(svi: Svi, share: float) -> Svi:
    """A slice times a share of at most 1, which keeps g >= 0: of g's terms the first stays, the third shrinks by the share's square."""
    return svi._replace(a=svi.a * share, b=svi.b * share)


def _compared(soon: Svi, late: Svi) -> Floats:
    """Log-moneyness at which two slices are compared: DENSE, both vertices, and closely about every point where they come near."""
    k = np.concatenate([DENSE, soon.m + soon.s * NEAR, late.m + late.s * NEAR])
    k = np.unique(k[np.abs(k) <= DENSE[-1]])
    ratio = late.total_variance(k) / soon.total_variance(k)
    inner = np.flatnonzero((ratio[1:-1] <= ratio[:-2]) & (ratio[1:-1] <= ratio[2:]) & (ratio[1:-1] < 1.01 * ratio.min())) + 1
    return np.concatenate([k, *(np.linspace(k[i - 1], k[i + 1], 201) for i in inner)])


def calendar_gap(surface: Surface) -> float:
    """Return the least increase of total variance from one expiry to the next over |k| <= 3; below 0: calendar arbitrage, NaN below two."""
    gaps = []
    for soon, late in pairwise(s.svi for s in surface.slices):
        k = _compared(soon, late)
        gaps.append(float((late.total_variance(k) - soon.total_variance(k)).min()))
    return min(gaps) if gaps else float("nan")
