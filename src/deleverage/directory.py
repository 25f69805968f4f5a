"""A data directory as a researcher holds it: its tables, and what is worked out of them."""

from typing import Any

import polars as pl

from deleverage import answers
from deleverage.reader import Reader


class Directory(Reader):
    """A data directory, open for reading: the tables of `Reader`, and totals, waves, ladder and flow over a window [at − window, at).

    `window` is a duration (1h, 24h, 7d); `at` and `as_of` are ISO 8601 text, each defaulting to the other, both to now. Raises
    BadInput for what cannot be read.
    """

    def totals(self, window: str = "24h", by: str = "venue", at: str | None = None, as_of: str | None = None) -> pl.DataFrame:
        """Liquidated notional in USD by venue, base, side, size (or several, as in "venue,side"), observed and estimated.

        `estimate_usd` has its 90 % interval `low_usd`, `high_usd` (null: nothing bounds it), `saturation`, `status` and `method`.
        """
        return pl.DataFrame(answers.liquidation_totals(self, window, by, at, as_of, estimate=True).rows, infer_schema_length=None)

    def waves(
        self, window: str = "24h", scale: str = "minutes", base: str = "BTC", at: str | None = None, as_of: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the waves of `scale` minutes or hours, earliest first, each with everything known of it."""
        return answers.wave_table(self, window, scale, base, at, as_of).rows

    def ladder(self, window: str = "24h", reference: str = "BTC", at: str | None = None, as_of: str | None = None) -> pl.DataFrame:
        """Return the coins in the order in which they were liquidated; times in seconds from the window's start."""
        return pl.DataFrame(answers.ladder_table(self, window, reference, at, as_of).rows, infer_schema_length=None)

    def flow(self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None) -> dict[str, Any]:
        """Return the move of one coin taken apart by venue, in coins."""
        return answers.flow_of(self, window, base, at, as_of)

    def liquidity(
        self, window: str = "1h", base: str = "BTC", at: str | None = None, as_of: str | None = None, venue: str | None = None
    ) -> dict[str, Any]:
        """Return what rested in the books of one coin: depth, spread, cost of a trade, what was withdrawn, map and walls; at most 4 h.

        The document of `/v1/liquidity`. Depth beyond what is visible is None.
        """
        return answers.liquidity_of(self, window, base, at, as_of, venue)
