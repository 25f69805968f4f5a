"""Reading a data directory from Python: Polars frames with both clocks, from the files or from the server that holds them."""

import io
import json
import urllib.error
import urllib.parse
import urllib.request
from functools import partialmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import polars as pl
import pyarrow as pa

from deleverage import config
from deleverage.collect.history import open_up_to_date
from deleverage.errors import BadInput, StoreError
from deleverage.journal.frame import RECONSTRUCTION
from deleverage.references import SOURCES
from deleverage.store.duck import DuckStore, table_named
from deleverage.store.folder import Folder
from deleverage.when import instant

Instant = str | int | None


class Reader:
    """A data directory, open for reading.

    Every table is a method: `liquidations(start=…, end=…, venue=…, base=…, as_of=…)` and its siblings return a Polars
    frame. `start` (inclusive) and `end` (exclusive) are on `ts_event`; `as_of` keeps rows with `ts_recv` <= it. Instants are
    ISO 8601 text (naive is UTC), or int ns UTC; None is no limit. Rows are ordered by (`ts_event`, `ts_recv`, then every column).
    """

    def __init__(self, folder: Folder, store: DuckStore | None, url: str | None) -> None:
        self.folder, self._store, self._url = folder, store, url

    def read(
        self, table: str, start: Instant = None, end: Instant = None, venue: str | None = None, base: str | None = None,
        as_of: Instant = None,
    ) -> pl.DataFrame:  # fmt: skip
        """Return rows of one table; see the class. Raises BadInput for an unknown table or an unreadable time."""
        name = table_named(table).name
        first, last = _ns(start), _ns(end)
        if first is not None and last is not None and first > last:
            raise BadInput("start is not before end; start is inclusive, end exclusive")
        if self._store is not None:
            rows = self._store.read(name, start=_ns(start), end=_ns(end), venue=venue, base=base, as_of=_ns(as_of))
        else:
            times = {"start": _ns(start), "end": _ns(end), "as_of": _ns(as_of)}
            said = {"venue": venue, "base": base, **{key: None if at is None else f"{at}ns" for key, at in times.items()}}
            answer = self.ask(f"tables/{name}", {key: value for key, value in said.items() if value is not None})
            rows = pa.ipc.open_stream(io.BytesIO(answer)).read_all()
        if rows.num_rows == 0 and venue is not None and venue not in SOURCES:
            raise BadInput(f"unknown venue {venue!r}, and no row names it; known: {', '.join(SOURCES)}")
        frame = pl.from_arrow(rows)
        assert isinstance(frame, pl.DataFrame)
        return frame

    liquidations = partialmethod(read, "liquidations")
    trades = partialmethod(read, "trades")
    candles = partialmethod(read, "candles")
    mark_prices = partialmethod(read, "mark_prices")
    funding_rates = partialmethod(read, "funding_rates")
    open_interest = partialmethod(read, "open_interest")
    positioning_ratios = partialmethod(read, "positioning_ratios")
    book_depth = partialmethod(read, "book_depth")
    option_quotes = partialmethod(read, "option_quotes")
    volatility_indices = partialmethod(read, "volatility_indices")
    etf_flows = partialmethod(read, "etf_flows")
    sentiment_readings = partialmethod(read, "sentiment_readings")
    macro_observations = partialmethod(read, "macro_observations")
    position_snapshots = partialmethod(read, "position_snapshots")
    margin_tiers = partialmethod(read, "margin_tiers")
    insurance_funds = partialmethod(read, "insurance_funds")
    adl_signals = partialmethod(read, "adl_signals")
    venue_statuses = partialmethod(read, "venue_statuses")
    gaps = partialmethod(read, "gaps")
    instruments = partialmethod(read, "instruments")

    @property
    def played(self) -> str:
        """What the server that holds the directory is playing; empty where the rows are the directory's own."""
        if self._store is not None:
            return ""
        health = self.ask_json("health", {})
        return f"a replay of {health['label']}" if health["mode"] == "playback" else ""

    @property
    def is_reconstruction(self) -> bool:
        """Whether any row was made, not recorded: frames, totals and figures of such a directory are modelled.

        `venue_statuses` has the rows that say so, `reconstruction` with START/END of what they cover.
        """
        if self._store is not None:
            return bool(self._store.read("venue_statuses", where={"status": RECONSTRUCTION}, limit=1).num_rows)
        return RECONSTRUCTION in self.read("venue_statuses")["status"]

    @property
    def store(self) -> DuckStore | None:
        """The tables themselves, None while a server holds them."""
        return self._store

    def ask(self, route: str, parameters: dict[str, str]) -> bytes:
        """Ask the server that holds the directory. Raises BadInput with its one line, StoreError when it does not answer."""
        url = f"{self._url}/v1/{route}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            try:
                message = json.loads(error.read())["error"]["message"]
            except (ValueError, KeyError, TypeError):
                message = f"the server at {self._url} answered {error.code}"
            raise BadInput(message) from None
        except OSError as error:
            raise StoreError(f"the server at {self._url} does not answer: {error}") from None

    def ask_json(self, route: str, parameters: dict[str, str]) -> Any:
        """Ask the server and read its JSON."""
        return json.loads(self.ask(route, parameters))

    def close(self) -> None:
        """Release the directory."""
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


Kind = TypeVar("Kind", bound=Reader)


def open_reader(path: str | Path | None, kind: type[Kind]) -> Kind:
    """Open a directory: through the server that holds it, else its files, brought up to date with the journal first."""
    folder = Folder(path if path is not None else config.settings().data)
    if not folder.path.is_dir():
        raise BadInput(f"no data directory at {folder.path}; import or record something first, or name another with --data")
    serving = folder.serving()
    if serving is not None:
        return kind(folder, None, serving.url)
    folder.create()
    return kind(folder, open_up_to_date(folder), None)


def _ns(at: Instant) -> int | None:
    if at is None or (isinstance(at, int) and not isinstance(at, bool)):
        return at
    if not isinstance(at, str):
        raise BadInput(f"cannot read the time {at!r}; give ISO 8601 text or int nanoseconds UTC")
    import time

    return instant(at, time.time_ns())
