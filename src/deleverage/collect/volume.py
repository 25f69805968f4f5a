"""How much a collection will write, before it starts: bytes a second by venue and kind, times what is planned."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from deleverage.venues.venue import Wanted

DAY = 86_400


class Flow(NamedTuple):
    """Bytes a second of one contract: of every contract, and of one in detail (trades, books, candles)."""

    every: float
    detail: float


# Measured in the bundled recordings where they hold the stream (frames a second × bytes a frame), with the documented push
# interval times a documented frame elsewhere (~). A quiet day of majors; a day of stress writes several times as much.
FLOWS: Mapping[str, Flow] = {
    "binance": Flow(190, 42_000),  # ~mark price of all, once a second; depth 19.0/s × 1603 B, trades 62/s × 161 B (2024-08-08)
    "bybit": Flow(250, 5_000),  # ~tickers of most contracts, majors 4.4/s × 181 B; books 9.2/s × 377 B, trades 0.6/s × 633 B (2026-08-09)
    "okx": Flow(250, 12_000),  # ~mark price and open interest; books 12/s × 898 B, trades 3/s × 166 B (2022-05-13)
    "htx": Flow(20, 6_500),  # ~polls; depth 8.2/s × 749 B (2022-02-19)
    "hyperliquid": Flow(70, 9_500),  # ~contexts of all, 117 kB every 13.6 s; books 1.8/s × 1631 B, trades 0.35/s × 1991 B, ~bbo
    "deribit": Flow(600, 6_000),  # ~tickers once or more a second; books and trades
}
OPTION = 450.0
"""Bytes a second of one option's ticker, documented frame once a second where it changes (~)."""
COMPACTED = 0.15
"""Share of that left after compaction; measured on the bundled recordings."""


def expected(plans: Iterable[tuple[str, Wanted]]) -> float:
    """Return the gigabytes a day the journal will grow by, before compaction."""
    total = 0.0
    for venue, wanted in plans:
        flow = FLOWS.get(venue, Flow(200, 10_000))
        for contract in wanted.instruments:
            if contract.kind == "option":
                total += OPTION
            else:
                total += flow.every + (flow.detail if contract.base in wanted.detail else 0.0)
    return total * DAY / 1e9
