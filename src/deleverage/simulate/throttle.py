"""The rules by which venues thin their liquidation feeds, applied to a feed known to be complete."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["largest_per_second", "latest_per_second", "one_per_second"]
RULES: tuple[Rule, ...] = ("largest_per_second", "latest_per_second", "one_per_second")


def printed(
    contract: NDArray[np.int64], seconds: NDArray[np.float64], usd: NDArray[np.float64], rule: Rule, slot: float = 1.0,
    rng: np.random.Generator | None = None,
) -> NDArray[np.int64]:  # fmt: skip
    """Return the positions of the orders a throttled feed prints, by (contract, slot).

    `seconds` is the order's time; slots of `slot` seconds are aligned to the clock. `largest_per_second` keeps the largest of each
    (contract, slot), the first of equals; `latest_per_second` the last; `one_per_second` one of them at random (`rng`), since
    a venue that does not say which one may print any.
    """
    slots = np.floor(seconds / slot).astype(np.int64)
    order = np.arange(len(usd))
    if rule == "largest_per_second":
        ranked = np.lexsort((order, -usd, slots, contract))
    elif rule == "latest_per_second":
        ranked = np.lexsort((-order, -seconds, slots, contract))
    else:
        ranked = np.lexsort(((rng or np.random.default_rng(0)).random(len(usd)), slots, contract))
    is_first = np.ones(len(usd), dtype=bool)
    is_first[1:] = (np.diff(contract[ranked]) != 0) | (np.diff(slots[ranked]) != 0)
    return ranked[is_first]
