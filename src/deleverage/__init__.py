"""Watches crypto-derivatives markets come under stress: what was force-closed, where, and how much of it could be seen.

    import deleverage
    data = deleverage.open("my-data")
    data.liquidations(start="2025-01-27", end="2025-01-28", base="BTC")   # a Polars frame, both clocks in it
    data.totals(window="24h", at="2025-01-27T17:20Z")                     # observed, and estimated with 90 % intervals

Importing this opens nothing and starts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "open"]

if TYPE_CHECKING:
    from pathlib import Path

    from deleverage.directory import Directory


def open(path: str | Path | None = None) -> Directory:
    """Open a data directory for reading (None: the one of the settings).

    While a server has the directory open, the rows come from it; otherwise from the files. Use it as a context manager
    or call `close()`. Raises BadInput when there is no such directory, StoreError when another process holds the tables.
    """
    from deleverage.directory import Directory
    from deleverage.reader import open_reader

    return open_reader(path, Directory)
