"""The tables on disk: what a store does, whatever the engine. `duck.py` is the embedded one.

Rows are appended in transactions and never changed. `source` is `journal` for rows parsed from frames and
`import:<digest>` for rows of a tabular file; the former can be rebuilt from the journal, the latter from the kept file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import msgspec
import pyarrow as pa

from deleverage.analytics.coverage import Span
from deleverage.analytics.liquidations import Group, Sum

JOURNAL = "journal"


class Ingested(NamedTuple):
    """What tables were made from: journal `rows` of any direction, `events` parsed, frames that were `failures`.

    `until` is the `ts_recv` of the last of those rows; `resume` that of the row a reading has to start from so that every parser
    has heard its whole connection (ns UTC): from there tables can go on. `is_open`: live collection was going on when this was
    written, so that the tables may hold rows received after `until`, even such as never reached the journal.
    """

    rows: int
    events: int
    failures: int
    until: int = 0
    resume: int = 0
    is_open: bool = False


class PriceSeries(NamedTuple):
    """Prices of one contract in time order, `points` as (ts_event, price), and what they are."""

    venue: str
    symbol: str
    price_kind: str
    points: list[tuple[int, float]]


class Store(Protocol):
    """Append, read, sum. Times are ns UTC; ranges are [start, end) on `ts_event`; `as_of` keeps rows with ts_recv <= as_of."""

    def append(self, events: Sequence[msgspec.Struct]) -> int:
        """Append events of any classes in one transaction; rows already there are skipped. Returns the rows added."""

    def append_import(self, table: str, rows: pa.Table, digest: str, file: str, spans: Sequence[Span]) -> int:
        """Append the rows of a tabular file with its spans, and remember its digest. Returns the rows added."""

    def imported(self) -> dict[str, str]:
        """Return the tabular files taken in: digest → file name."""

    def rebuilding(self, venue: str, since: int = 0) -> AbstractContextManager[None]:
        """Replace the rows of a venue that came from the journal, received at `since` (ns UTC) or later, by what is appended inside;
        on an error nothing changes."""

    def forget(self, venue: str, since: int) -> None:
        """Delete a venue's rows that came from the journal and were received at `since` (ns UTC) or later."""

    def read(
        self,
        table: str,
        *,
        start: int | None = None,
        end: int | None = None,
        venue: str | None = None,
        base: str | None = None,
        as_of: int | None = None,
        source: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        where: Mapping[str, object] | None = None,
        collapse: bool = False,
        largest_by: str | None = None,
        at_least: float | None = None,
        skip: int = 0,
    ) -> pa.Table:
        """Return rows in a total order (ts_event, ts_recv, then every column); `collapse` keeps the last reading per state,
        `largest_by` puts the largest of that column first, `at_least` bounds notional_usd, `skip` leaves out the first rows."""

    def latest(
        self, table: str, per: Sequence[str], start: int, end: int, as_of: int, *, base: str | None = None, venue: str | None = None,
        where: Mapping[str, object] | None = None, bucket: int | None = None, told: Sequence[str] = (),
    ) -> pa.Table:  # fmt: skip
        """Return the last row in [start, end) of each `per` (column names), with `bucket` (ns) of each `per` and bucket, in time order.

        Of rows equal in ts_event the one received last counts. With `told` (column names), the last of each kind of row: which of these
        columns it tells.
        """

    def liquidation_sums(self, start: int, end: int, as_of: int) -> dict[Group, Sum]:
        """Sum liquidations with start <= ts_event < end known at `as_of`, by venue, base, side and method."""

    def liquidation_grid(self, start: int, end: int, bucket: int, as_of: int) -> Iterator[tuple[str, int, str, int]]:
        """Yield (venue, slot, position_side, micros) of market liquidations in [start, end), empty slots left out.

        Buckets of `bucket` ns are aligned to UTC; slot 0 is the one that holds `start`.
        """

    def liquidation_rules(self, start: int, end: int, as_of: int) -> dict[str, str]:
        """Return the coverage rule of the rows a sum holds, by venue; `mixed` where they differ."""

    def liquidation_prints(self, start: int, end: int, as_of: int) -> pa.Table:
        """Return what completeness and waves need of priced market liquidations in [start, end), ordered by ts_event."""

    def counted_liquidations(self, start: int, end: int, as_of: int) -> pa.Table:
        """Return the rows that `liquidation_sums` adds up, in no order: both clocks, contract, side, method, price, size, coverage rule."""

    def open_interest_series(self, start: int, end: int, as_of: int, bucket: int) -> pa.Table:
        """Return the last open interest per contract and bucket in [start, end): venue, base, symbol, ts_event, usd, quantity.

        Coins told alone are valued at the contract's mark price of at most 15 minutes before; without one they are left out.
        """

    def taker_flow(self, start: int, end: int, as_of: int, bucket: int) -> pa.Table:
        """Return taker buying and selling of perpetuals and futures by venue, base and bucket: ts_event (of the bucket's start), buy_usd,
        sell_usd, buy_quantity, sell_quantity; from trades, for a venue and base without any from one-minute candles."""

    def depth_series(self, start: int, end: int, as_of: int, base: str, bucket: int) -> pa.Table:
        """Return resting depth within 1 % of the best price per contract and bucket, from full books: bid_usd, ask_usd."""

    def book_rows(self, base: str, start: int, end: int, as_of: int, venue: str | None = None, *, begin: bool = True) -> pa.Table:
        """Return what books of perpetuals and futures are rebuilt from: rows of book_depth in [start, end) and, with `begin`, those from
        a contract's last snapshot before `start` (at most a day) on; ordered by receipt."""

    def traded_at(self, venue: str, symbol: str, start: int, end: int, as_of: int) -> dict[tuple[str, float], float]:
        """Sum what was traded in [start, end) by the side of the book that was hit (bid, ask) and price, USD."""

    def option_trades(self, base: str, venue: str, since: int, at: int, as_of: int) -> pa.Table:
        """Return trades of options of a base on one venue with ts_event <= at and since < ts_recv <= as_of, in time order."""

    def liquidations_at_mark(self, start: int, end: int, as_of: int) -> dict[str, tuple[float, float, int]]:
        """Return by venue what orders printed at a bankruptcy price sum to: (USD as printed, USD at the mark price then, orders).

        Only orders with a mark price of the same contract known at most a minute before are in both sums.
        """

    def price_series(
        self, base: str, start: int, end: int, as_of: int, bucket: int, *, venue: str | None = None, tables: Sequence[str] = ()
    ) -> PriceSeries | None:
        """Return the best price series of a base: candles, else mark prices, trades, or liquidation prices; last per bucket.

        Of contracts that tell it through as much of [start, end), within a twentieth, that of the venue with the most trading serves
        (Binance, Bybit, OKX, Deribit, Hyperliquid, HTX). `venue` and `tables` (in that order) restrict where it may come from.
        """

    def write_spans(self, spans: Sequence[Span], venue: str | None) -> None:
        """Replace the spans of a venue (None: append only)."""

    def spans(self) -> list[Span]:
        """Return all spans by venue and start."""

    def ingested(self) -> dict[str, Ingested]:
        """Return how much of the journal is in the tables, by venue."""

    def set_ingested(self, venue: str, ingested: Ingested) -> None:
        """Record how much of a venue's journal is in the tables."""

    def extent(self, table: str) -> tuple[int, int] | None:
        """Return the first and last ts_event of a table; None when it is empty."""

    def counts(self) -> dict[str, int]:
        """Return the number of rows of every table that has any."""

    def close(self) -> None:
        """Close; further calls fail."""
