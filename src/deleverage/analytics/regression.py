"""Slopes and correlations with honest errors: least squares with Newey and West's, Fisher's interval, weights that fade, collinearity.

Rows are in time order, oldest first. A slope that cannot be told (too few rows, a regressor that never moves, regressors that are
copies of each other) is NaN, never zero.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from deleverage.errors import BadInput

Floats = NDArray[np.float64]


class Fit(NamedTuple):
    """A linear fit: `coefficients` (the constant first), their standard `errors`, `t` and (low, high) at `level`, all of length k+1."""

    coefficients: Floats
    errors: Floats
    t: Floats
    low: Floats
    high: Floats
    r_squared: float
    n: int
    lags: int
    level: float


def newey_west_lags(n: int) -> int:
    """Return the usual number of lags for n rows, floor(4 (n/100)^(2/9)) (Newey and West 1994).

    >>> newey_west_lags(30), newey_west_lags(90), newey_west_lags(1000)
    (3, 3, 6)
    """
    return int(4 * (n / 100) ** (2 / 9)) if n > 0 else 0


def least_squares(x: Floats, y: Floats, lags: int | None = None, level: float = 0.95) -> Fit:
    """Fit y (n) on a constant and the columns of x (n or n × k) by least squares.

    Errors are Newey and West's (1987): Bartlett weights over `lags` (None: the usual number), times n/(n − k − 1). The interval is
    Student's with n − k − 1 degrees, widened for the share of the sample that the lags take (Kiefer and Vogelsang 2005). It allows for
    changing variance and short memory; with 30 rows it is still a little narrow (coverage: docs/methods/beta.md). Everything is NaN
    where the fit is not determined. Cost: n·k² per lag.
    """
    columns = x[:, None] if x.ndim == 1 else x
    if len(columns) != len(y):
        raise BadInput(f"{len(columns)} rows of regressors and {len(y)} of the regressed: they must be as many")
    n, k = len(y), columns.shape[1] + 1
    lags = max(0, min(newey_west_lags(n) if lags is None else lags, n - 1))
    nothing = np.full(k, np.nan)
    centred = columns - columns.mean(axis=0) if n else columns
    moved = np.abs(centred).max(axis=0, initial=0.0) > 1e-12 * np.abs(columns).max(axis=0, initial=0.0)
    if n <= k or not moved.all():
        return Fit(nothing, nothing, nothing, nothing, nothing, float("nan"), n, lags, level)
    # each column scaled to its own size, so that a yield in points and a return in decimals weigh alike in the rank
    scale = np.sqrt((centred**2).mean(axis=0))
    design = np.column_stack([np.ones(n), centred / scale])
    if np.linalg.matrix_rank(design, tol=1e-9 * n**0.5) < k:
        return Fit(nothing, nothing, nothing, nothing, nothing, float("nan"), n, lags, level)
    bread = np.linalg.inv(design.T @ design)
    slopes = bread @ (design.T @ y)
    residuals = y - design @ slopes
    scores = design * residuals[:, None]
    meat = scores.T @ scores
    for lag in range(1, lags + 1):
        product = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (product + product.T)
    back = np.diag(np.concatenate([[1.0], 1 / scale]))
    back[0, 1:] = -columns.mean(axis=0) / scale
    coefficients = back @ slopes
    variance = np.diag(back @ bread @ meat @ bread @ back.T) * n / (n - k)
    errors = np.sqrt(np.maximum(variance, 0.0))
    reach = float(stdtrit(n - k, (1 + level) / 2)) * _widened((lags + 1) / n) * errors
    total = float(((y - y.mean()) ** 2).sum())
    return Fit(
        coefficients, errors, np.divide(coefficients, errors, out=np.full(k, np.nan), where=errors > 0), coefficients - reach,
        coefficients + reach, 1 - float(residuals @ residuals) / total if total > 0 else float("nan"), n, lags, level,
    )  # fmt: skip


def _widened(share: float) -> float:
    """Kiefer and Vogelsang's 97.5 % quantile for Bartlett weights over a share of the sample, in units of the normal's."""
    return (1.96 + 2.9694 * share + 0.4160 * share**2 - 0.5324 * share**3) / 1.96


def correlation(x: Floats, y: Floats) -> float:
    """Return Pearson's correlation; NaN under three rows or where either never moves."""
    a, b = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    scale = float(a @ a) ** 0.5 * float(b @ b) ** 0.5
    return float(np.clip(a @ b / scale, -1.0, 1.0)) if len(x) >= 3 and scale > 0 else float("nan")


def correlation_interval(rho: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Fisher's interval of a correlation over n independent pairs; (NaN, NaN) under four.

    Fat tails and memory make the true interval wider.

    >>> low, high = correlation_interval(0.5, 28)
    >>> round(low, 3), round(high, 3)
    (0.156, 0.736)
    """
    if n < 4 or not abs(rho) <= 1:
        return float("nan"), float("nan")
    if abs(rho) == 1:
        return rho, rho
    centre, reach = np.arctanh(rho), float(ndtri((1 + level) / 2)) / (n - 3) ** 0.5
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


def ewma_beta(x: Floats, y: Floats, decay: float = 0.94) -> float:
    """Return the slope of y on x with weights decay^age, about the weighted means (RiskMetrics' decay is 0.94); NaN where x never moves.

    At 0.94 it rests on some (1 + decay)/(1 − decay) = 32 rows: no interval is given, and none should be read into it.
    """
    if len(x) < 3:
        return float("nan")
    weights = decay ** np.arange(len(x) - 1, -1, -1.0)
    weights /= weights.sum()
    a, b = x - weights @ x, y - weights @ y
    variance = float(weights @ a**2)
    return float(weights @ (a * b)) / variance if variance > 1e-24 * float(weights @ x**2) else float("nan")


def variance_inflation(x: Floats) -> Floats:
    """Return per column of x (n × k) by how much the others inflate the variance of its slope: 1/(1 − R²) on them; above 10, beware.

    Infinite for a column that the others make up, NaN for one that never moves.
    """
    found = []
    for column in range(x.shape[1]):
        rest = np.column_stack([np.ones(len(x)), np.delete(x, column, axis=1)])
        total = float(((x[:, column] - x[:, column].mean()) ** 2).sum())
        error = x[:, column] - rest @ np.linalg.lstsq(rest, x[:, column], rcond=None)[0]
        left = float(error @ error)
        found.append(float("nan") if total == 0 else total / left if left > 1e-18 * total else float("inf"))
    return np.array(found)


def ridge(x: Floats, y: Floats, penalty: float = 1.0) -> Floats:
    """Return slopes (k, no constant) shrunk by `penalty` times their squares, columns of x scaled to variance 1 first.

    Steadier than least squares where columns nearly repeat each other, and biased towards nought: read the sign, not the size.
    """
    scale = x.std(axis=0) if len(x) >= 3 else np.zeros(x.shape[1])
    if not (scale > 0).all():
        return np.full(x.shape[1], np.nan)
    columns = (x - x.mean(axis=0)) / scale
    shrunk: Floats = np.linalg.solve(columns.T @ columns + penalty * np.eye(x.shape[1]), columns.T @ (y - y.mean())) / scale
    return shrunk
