"""Mills' ratio of the normal law, M(z) = Φ(-z) / φ(z), and D(z) = 1 - z·M(z), to 1e-15 relative for every z ≥ -1.5.

Both are integrals of positive functions, M(z) = ∫ exp(-zu - u²/2) du and D(z) = ∫ u·exp(-zu - u²/2) du over u > 0, so nothing cancels
far out. They are integrated once, at import, at the nodes of a piecewise polynomial in y = 2 / (z + 3.5), which is in (0, 1]; a
value then costs one division and seven multiplications.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

LOWEST = -1.5
"""The least z of the tables."""
_PIECES = 128
_NODES = 8


def _jit(function: Any) -> Any:
    return njit(cache=True, nogil=True, inline="always", error_model="numpy")(function)


def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of M/y and D/y², highest power first, in the place within each piece of (0, 1], from -1 to 1."""
    place = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
    y = ((np.arange(_PIECES)[:, None] + (place + 1) / 2) / _PIECES).ravel()
    z = 2 / y - 2 + LOWEST
    step = 1 / 16  # double-exponential rule (Takahasi and Mori 1974) of 136 nodes; a power of two, or the nodes themselves are rounded
    a = np.arange(-4.25, 4.25, step)
    base = np.exp(a - np.exp(-a))
    width = 1 / np.sqrt(1 + np.maximum(z, 0.0) ** 2)
    u = width[:, None] * base
    values = np.exp(-u * (z[:, None] + u / 2)) * (base * (1 + np.exp(-a)) * step) * width[:, None]
    m, d = values.sum(1) / y, (values * u).sum(1) / y**2
    cosines = np.cos(np.arange(_NODES)[:, None] * np.arccos(place)) * (2 / _NODES)
    cosines[0] /= 2
    powers = np.stack([np.pad(c := chebyshev.cheb2poly(row), (0, _NODES - len(c))) for row in np.eye(_NODES)])[:, ::-1]
    # first to Chebyshev's polynomials, then to powers by whole numbers: one product of both matrices would lose a digit
    return (m.reshape(_PIECES, _NODES) @ cosines.T) @ powers, (d.reshape(_PIECES, _NODES) @ cosines.T) @ powers


_M, _D = _tables()


@_jit
def mills(z):  # type: ignore[no-untyped-def]  # numba reads the types
    """M(z); z ≥ -1.5 is not checked."""
    y = 2.0 / (z + 3.5)
    scaled = y * _PIECES
    i = min(int(scaled), _PIECES - 1)
    v = 2.0 * (scaled - i) - 1.0
    c = _M[i]
    return y * (((((((c[0] * v + c[1]) * v + c[2]) * v + c[3]) * v + c[4]) * v + c[5]) * v + c[6]) * v + c[7])


@_jit
def shortfall(z):  # type: ignore[no-untyped-def]  # numba reads the types
    """D(z); z ≥ -1.5 is not checked."""
    y = 2.0 / (z + 3.5)
    scaled = y * _PIECES
    i = min(int(scaled), _PIECES - 1)
    v = 2.0 * (scaled - i) - 1.0
    c = _D[i]
    return y * y * (((((((c[0] * v + c[1]) * v + c[2]) * v + c[3]) * v + c[4]) * v + c[5]) * v + c[6]) * v + c[7])
