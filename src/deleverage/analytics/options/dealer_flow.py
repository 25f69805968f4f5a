"""What dealers hold, inferred from who crossed the book: every option begins at zero, so dealers hold minus what takers have bought."""

import msgspec
import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from deleverage.errors import BadInput

Floats = NDArray[np.float64]
NEEDED = {"symbol", "ts_event", "taker_side", "quantity", "trade_kind", "liquidated"}
LARGEST = 64
"""Orders of a contract whose errors are drawn one by one; the rest as one normal of the same variance."""
BLOCK = 2_000
"""Orders whose errors are drawn at once: bounds the memory."""


class Flow(msgspec.Struct, frozen=True):
    """Inferred positions of dealers, base coins, + long, in the order of the contracts asked for.

    `position`: minus the taker-signed sum, at most the open interest, shrunk by 1 - 2·error_rate. `draws` (draws, contracts): the same
    with signs that may be wrong. `coverage`: share of open interest that as much counted volume could have opened, at best;
    `signed_share`: share that one side of takers holds; `complete_share`: share in contracts whose whole life the history holds (None:
    listing times unknown). All None without open interest. Base coins: `counted`, and left aside `blocks`, `combos`, `both_liquidated`;
    `unsized` trades had no size. `note` says what the history lacks; empty: nothing.
    """

    position: Floats
    draws: Floats
    error_rate: float
    coverage: float | None
    signed_share: float | None
    complete_share: float | None
    first_ts: int | None
    counted: float
    blocks: float
    combos: float
    both_liquidated: float
    unsized: int
    note: str


def infer(
    contracts: pl.DataFrame, trades: pl.DataFrame, at: int, *, rng: np.random.Generator, error_rate: float = 0.15, draws: int = 200,
    with_blocks: bool = False, with_combos: bool = False, since: int | None = None,
) -> Flow:  # fmt: skip
    """Infer dealers' positions in `contracts` (columns symbol, open_interest in base coins; optional listed_at, ns UTC) at `at` (ns UTC).

    `trades`: rows of that table, of one venue; those after `at` or of other contracts (expired ones are settled) are not seen. `since`:
    from when trades were received without gaps (ns UTC), for `complete_share`. The customer is taken to be the taker; of a liquidation,
    who was liquidated; with both liquidated there is none. Blocks (arranged between customers as well) and legs of combinations
    (trade_kind other: the taker's side is the combination's) are left aside unless asked for.

    Assumes errors independent between orders (prints of one contract, side and instant are one order) with the same rate, so that draws
    are exact for the 64 largest of a contract and normal for the rest. Fails where errors lean one way: dealers who cross the book. Cost:
    one grouping and draws × 64 × contracts, 1 s per million trades. Raises BadInput for a missing column or an error rate outside [0, 0.5).
    """
    missing = NEEDED - set(trades.columns)
    if missing:
        raise BadInput(f"trades lack the columns {', '.join(sorted(missing))}")
    if not 0 <= error_rate < 0.5:
        raise BadInput(f"an error rate lies in [0, 0.5), not {error_rate}: at 0.5 the sign says nothing")
    interest = contracts["open_interest"].cast(pl.Float64).fill_null(0.0).fill_nan(0.0).to_numpy()
    places = pl.DataFrame({"symbol": contracts["symbol"], "place": np.arange(len(contracts))})
    seen = trades.filter(pl.col("ts_event") <= at).join(places, on="symbol")
    blocks, combos, both = pl.col("trade_kind") == "block", pl.col("trade_kind") == "other", pl.col("liquidated") == "both"
    aside = both | (blocks if not with_blocks else False) | (combos if not with_combos else False)
    side = pl.when(pl.col("taker_side") == "buy").then(1.0).otherwise(-1.0)
    customer = pl.when(pl.col("liquidated") == "maker").then(-side).otherwise(side)
    sized = seen.filter(pl.col("quantity").is_not_null())
    orders = (
        sized.filter(~aside).group_by("place", "ts_event", customer.alias("sign")).agg(pl.col("quantity").sum())
        .sort("place", "quantity", "ts_event", "sign", descending=[False, True, False, False])
    )  # fmt: skip

    def total(which: pl.Expr) -> float:
        return float(sized.filter(which)["quantity"].sum())

    place, size = orders["place"].to_numpy(), orders["quantity"].to_numpy()
    signed = -orders["sign"].to_numpy() * size
    raw, volume = (np.bincount(place, z, len(contracts)).astype(np.float64) for z in (signed, size))
    keep = 1 - 2 * error_rate
    position: Floats = np.clip(raw, -interest, interest) * keep
    noise = _noise(place, signed, len(contracts), error_rate, draws, rng)
    drawn = np.clip(raw * keep + noise, -interest * keep, interest * keep)

    whole = float(interest.sum())
    complete = None
    if since is not None and "listed_at" in contracts.columns and whole:
        complete = float(interest[(contracts["listed_at"].fill_null(0) >= since).to_numpy()].sum()) / whole
    coverage = float(np.minimum(interest, volume).sum()) / whole if whole else None
    first = seen["ts_event"].min() if len(seen) else None
    return Flow(
        position, drawn, error_rate, coverage, float(np.minimum(np.abs(raw), interest).sum()) / whole if whole else None, complete,
        int(first) if isinstance(first, int) else None, float(size.sum()), total(blocks) if not with_blocks else 0.0,
        total(combos & ~both) if not with_combos else 0.0, total(both & ~blocks), len(seen) - len(sized), _note(coverage, complete),
    )  # fmt: skip


def _noise(place: NDArray[np.int64], signed: Floats, contracts: int, error_rate: float, draws: int, rng: np.random.Generator) -> Floats:
    """Errors of the sums about their mean: a sign is wrong with `error_rate` on its own. Orders come by contract, largest first."""
    noise = np.zeros((contracts, draws))
    if not len(place) or not error_rate:
        return noise.T
    starts = np.searchsorted(place, np.arange(contracts))
    rank = np.arange(len(place)) - starts[place]
    large = rank < LARGEST
    rest = np.bincount(place[~large], signed[~large] ** 2, contracts)
    deviation = np.sqrt(4 * error_rate * (1 - error_rate) * rest)
    noisy = np.flatnonzero(deviation)
    noise[noisy] = rng.standard_normal((len(noisy), draws)) * deviation[noisy, None]
    one_by_one = np.flatnonzero(large)
    for start in range(0, len(one_by_one), BLOCK):
        of = one_by_one[start : start + BLOCK]
        _add_errors(noise, place[of], signed[of], rng.random((len(of), draws), dtype=np.float32), error_rate)
    return noise.T


@njit(cache=True, nogil=True)
def _add_errors(noise, place, signed, chance, error_rate):  # type: ignore[no-untyped-def]  # numba reads the types
    """Add to the rows of `noise` each order's error in every draw: wrong where its chance lies below the rate, less what is expected."""
    for n in range(len(place)):
        expected = 2 * error_rate * signed[n]
        for draw in range(noise.shape[1]):
            noise[place[n], draw] += expected - (2 * signed[n] if chance[n, draw] < error_rate else 0.0)


def _note(coverage: float | None, complete: float | None) -> str:
    if coverage is None:
        return "no open interest to explain"
    said = []
    if coverage < 1:
        said.append(f"the trades seen can have opened at most {coverage:.0%} of the open interest")
    if complete is None:
        said.append("whether the history reaches back to each listing is not known")
    elif complete < 1:
        said.append(f"only {complete:.0%} of the open interest is in contracts listed since the history began")
    return "history incomplete: " + "; ".join(said) if said else ""
