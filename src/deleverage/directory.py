"""A data directory as a researcher holds it: its tables, and what is worked out of them."""

from typing import Any

import polars as pl

from deleverage.answers import leverage, liquidations, options, outside, report
from deleverage.figure import Figure
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
        return pl.DataFrame(liquidations.liquidation_totals(self, window, by, at, as_of, estimate=True).rows, infer_schema_length=None)

    def waves(
        self, window: str = "24h", scale: str = "minutes", base: str = "BTC", at: str | None = None, as_of: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the waves of `scale` minutes or hours, earliest first, each with everything known of it."""
        return liquidations.wave_table(self, window, scale, base, at, as_of).rows

    def ladder(self, window: str = "24h", reference: str = "BTC", at: str | None = None, as_of: str | None = None) -> pl.DataFrame:
        """Return the coins in the order in which they were liquidated; times in seconds from the window's start."""
        return pl.DataFrame(liquidations.ladder_table(self, window, reference, at, as_of).rows, infer_schema_length=None)

    def flow(self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None) -> dict[str, Any]:
        """Return the move of one coin taken apart by venue, in coins."""
        return liquidations.flow_of(self, window, base, at, as_of)

    def liquidity(
        self, window: str = "1h", base: str = "BTC", at: str | None = None, as_of: str | None = None, venue: str | None = None
    ) -> dict[str, Any]:
        """Return what rested in the books of one coin: depth, spread, cost of a trade, what was withdrawn, map and walls; at most 4 h.

        The document of `/v1/liquidity`. Depth beyond what is visible is None.
        """
        return liquidations.liquidity_of(self, window, base, at, as_of, venue)

    def funding(self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None) -> dict[str, Any]:
        """Return funding of one coin: the document of `/v1/funding`. Rates are shares; above 0 longs pay shorts."""
        return leverage.document(self, "funding", window, base, at, as_of)

    def open_interest_summary(
        self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None, months: int = 7
    ) -> dict[str, Any]:
        """Return open interest of one coin, one-sided, and its fall from the peak of `months`: the document of `/v1/open-interest`."""
        return leverage.document(self, "open-interest", window, base, at, as_of, months=months)

    def basis(self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None) -> dict[str, Any]:
        """Return what futures of one coin cost over the spot: the document of `/v1/basis`."""
        return leverage.document(self, "basis", window, base, at, as_of)

    def positioning(self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None) -> dict[str, Any]:
        """Return how accounts, top traders and takers lean: the document of `/v1/positioning`."""
        return leverage.document(self, "positioning", window, base, at, as_of)

    def beta(self, window: str = "24h", base: str = "BTC", at: str | None = None, as_of: str | None = None) -> dict[str, Any]:
        """Return how one coin moved with other series: the document of `/v1/beta`."""
        return leverage.document(self, "beta", window, base, at, as_of)

    def option_chain(
        self, base: str = "BTC", at: str | None = None, as_of: str | None = None, venue: str | None = None
    ) -> pl.DataFrame:  # fmt: skip
        """Return every listed option of one coin, cleaned: prices in USD, volatilities as decimals, greeks; `why_not` where left out."""
        said = options.documents(self, ("chain",), base=base, venue=venue, at=at, as_of=as_of)[0]
        return pl.DataFrame(said["options"], infer_schema_length=None)

    def options(
        self, what: str, base: str = "BTC", at: str | None = None, as_of: str | None = None, venue: str | None = None, window: str = "24h",
        **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Return smile, surface, term, index, open-interest, exposure, density or touch: the document of `/v1/options`.

        `more`: expiry of smile; by (a date) or days of density and touch; level (USD) of touch. The chain is the last told within 2 h of
        `at`; where there is none, `reason` says why. Volatilities are decimals, the index is in points.
        """
        return options.documents(self, (what,), base=base, venue=venue, at=at, as_of=as_of, window=window, **more)[0]

    def sentiment(
        self, at: str | None = None, as_of: str | None = None, index: str = "fear_and_greed", days: int = 400
    ) -> dict[str, Any]:  # fmt: skip
        """Return the published index and our own with every part: the document of `/v1/sentiment`."""
        return outside.document(self, "sentiment", at, as_of, index=index, days=days)

    def fund_flows(
        self, base: str = "BTC", at: str | None = None, as_of: str | None = None, source: str | None = None, days: int = 250
    ) -> dict[str, Any]:
        """Return net flows of one coin's US spot funds by day, month and fund: the document of `/v1/etf-flows`. USD, outflows negative."""
        return outside.document(self, "etf-flows", at, as_of, base=base, source=source, days=days)

    def macro(self, base: str = "BTC", at: str | None = None, as_of: str | None = None, days: int = 400) -> dict[str, Any]:
        """Return economic series as known and one coin's betas to them: the document of `/v1/macro`."""
        return outside.document(self, "macro", at, as_of, base=base, days=days)

    def figures(self, window: str = "24h", at: str | None = None, as_of: str | None = None, base: str = "BTC") -> dict[str, Figure]:
        """Return every figure that can be stated of a window, by name: value, unit, status, interval, coverage, source rows, hash."""
        return report.figures_of(self, window, at, as_of, base)

    def report(
        self, format: str = "html", window: str = "24h", at: str | None = None, as_of: str | None = None, base: str = "BTC"
    ) -> bytes:  # fmt: skip
        """Return the written report of a window as html, md, pdf, json, or zip: the data pack that `deleverage verify` reads."""
        return report.report_of(self, format, window, at, as_of, base)
