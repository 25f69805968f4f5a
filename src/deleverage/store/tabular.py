"""Tabular files of others (CSV, gzipped CSV, Parquet) as rows of one of our tables; bad input is refused whole, with the row.

A column of the file is taken for ours when the names agree but for case, spaces, dashes and underscores; all else is said by the
caller. Whatever was derived rather than read is listed in the note.
"""

import csv
import difflib
import gzip
import hashlib
import io
import re
import types
import typing
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.csv

from deleverage.errors import BadInput
from deleverage.instruments import Instrument, split_scale
from deleverage.store import units as read
from deleverage.store.units import Limits, Read
from deleverage.tables import LEVELS, TABLES, Column, Table

Infer: TypeAlias = Callable[[str, str], Instrument | None]
Note: TypeAlias = dict[str, str]


class Tabular(NamedTuple):
    """A file as rows of a table.

    `rows` has exactly the table's Arrow schema, in file order. `digest` names file content and mapping (16 hex digits): the same
    file read the same way has the same digest. `file` is the file's name without its folder. `rejected` is always 0: a file
    with a bad row is refused whole. `note` says, by column, what was derived and how.
    """

    rows: pa.Table
    digest: str
    file: str
    rejected: int
    note: dict[str, str]


def _float(name: str, unit: str, meaning: str) -> Column:
    return Column(name, pa.float64(), unit, meaning, True)


OPENED = Column("ts_open", pa.int64(), "ns UTC", "start of the interval the row is about; ts_event is its end", True)
SECONDS = Column("interval_seconds", pa.int64(), "s", "length of the interval the row is about", True)
INTERVAL = Column("interval", pa.string(), "", "length of the interval: 1m, 5m, 1h, 1d", True)
ALIASES: dict[str, tuple[Column, ...]] = {
    "liquidations": (
        _float("long_usd", "USD", "sum of longs force-closed; becomes a row of its own"),
        _float("short_usd", "USD", "sum of shorts force-closed; becomes a row of its own"),
        _float("long_quantity", "base", "sum of longs force-closed, in coins; becomes a row of its own"),
        _float("short_quantity", "base", "sum of shorts force-closed, in coins; becomes a row of its own"),
        Column("order_side", pa.string(), "buy|sell", "side of the liquidation order: sell closes a long", True),
    ),
    "trades": (Column("is_buyer_maker", pa.bool_(), "", "true when the taker sold", True),),
    "positioning_ratios": (_float("long_short_ratio", "", "long share by short share"),),
}  # fmt: skip
"""Columns a file may have that are no column of ours but say one. All tables also take `ts_open`, `interval_seconds`, `interval`."""

SIZES = ("quantity", "contracts", "notional_usd")
NEEDS: dict[str, tuple[str, ...]] = {
    "liquidations": SIZES, "trades": SIZES, "mark_prices": ("mark_price", "index_price"), "macro_observations": ("value",),
    "option_quotes": ("bid_price", "ask_price", "mark_price", "last_price", "bid_iv", "ask_iv", "mark_iv", "open_interest"),
    "margin_tiers": ("maintenance_margin_rate", "max_leverage"),
}  # fmt: skip
"""At least one of these is needed: without it a row says nothing."""

WIDE = {"etf_flows": ("net_flow_usd", "fund"), "macro_observations": ("value", "series")}
"""Tables whose files come with one column per fund or series: the value's column names the other."""

TIME_FROM = {"etf_flows": "trading_day", "macro_observations": "observation_date", "gaps": "ts_start", "funding_rates": "funding_time"}
DEFAULTS: dict[tuple[str, str], str] = {
    ("liquidations", "method"): "unknown", ("liquidations", "price_kind"): "unknown", ("liquidations", "coverage_rule"): "undisclosed",
    ("funding_rates", "funding_kind"): "settled",
}  # fmt: skip
NAMELESS = {"insurance_funds", "adl_signals", "gaps", "venue_statuses", "sentiment_readings", "macro_observations"}
"""Tables whose rows need not be about a contract or coin."""
IDENTITY = ("symbol", "venue_symbol", "base")
INFERRED = (
    "symbol", "base", "quote", "settlement_asset", "kind", "contract_type", "size_unit", "contract_size", "base_multiplier",
    "strike", "expiry", "option_type",
)  # fmt: skip
POSITIVE = {"strike", "contract_size", "base_multiplier", "interval_seconds", "period_seconds", "funding_interval_hours", "leverage",
            "max_leverage", "tier", "long_short_ratio"}  # fmt: skip
SIZED = {*SIZES, "open_interest", "open_interest_base", "open_interest_usd", "trade_count", "taker_buy_quantity", "volume_24h", "lower",
         "upper", "volatility", "ordinal", "bid_iv", "ask_iv", "mark_iv", "bid_price", "ask_price", "last_price", "long_usd", "short_usd",
         "long_quantity", "short_quantity", "margin_used", "open", "high", "low"}  # fmt: skip
SHARES = {"long_share", "short_share", "maintenance_margin_rate", "initial_margin_rate"}
RATES = {"funding_rate", "rate_cap", "rate_floor"}


def read_tabular(
    path: Path,
    table: str,
    *,
    columns: Mapping[str, str],
    units: Mapping[str, str],
    constants: Mapping[str, str],
    lag: int | None,
    now: int,
    infer: Infer,
) -> Tabular:
    """Read a .csv, .csv.gz or .parquet file as rows of `table`.

    `columns` maps our column to the file's; in a file without a header line columns are called 1, 2, 3 … For etf_flows and
    macro_observations it may name several columns (`IBIT,FBTC` or `*` for all that are left), one fund or series each.
    `units` maps our column to the unit of the file, `constants` our column to a value for all rows, as text.
    `lag` (ns) is how long after `ts_event` a row was known; without it and without a `ts_recv` column all rows were known at
    `now` (ns UTC). `infer` reads a contract from (venue, venue_symbol), or returns None.

    Raises BadInput in one line; for a bad row it says the row (1 is the first below the header), the column and what is expected.
    """
    if table not in TABLES:
        raise BadInput(f"unknown table {table!r}{_meant(table, TABLES)}; known: {', '.join(TABLES)}")
    if lag is not None and not 0 <= lag <= 3660 * read.DAY:
        raise BadInput("--lag must lie between 0 and ten years")
    payload = _payload(path)
    digest = _digest(payload, table, columns, units, constants, lag)
    return _Import(path.name, TABLES[table], dict(columns), dict(units), dict(constants), infer).run(payload, digest, lag, now)


# --- the file --------------------------------------------------------------------------------------------------------


def _payload(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a directory; expected a .csv, .csv.gz or .parquet file")
        payload = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not payload:
        raise BadInput(f"{path.name} is empty; expected a header line and rows")
    return payload


def _digest(payload: bytes, table: str, *said: object) -> str:
    mapping = msgspec.json.encode([table, *(dict(s) if isinstance(s, Mapping) else s for s in said)], order="sorted")
    content = hashlib.blake2b(payload, digest_size=32).digest()
    return hashlib.blake2b(content + mapping, digest_size=8).hexdigest()


def _frame(name: str, payload: bytes) -> tuple[pl.DataFrame, bool]:
    """The file as a frame (a CSV's cells as text), and whether its columns have names."""
    lower = name.lower()
    if lower.endswith((".parquet", ".pq")):
        try:
            return pl.read_parquet(io.BytesIO(payload)), True
        except Exception as error:  # polars raises several kinds, and panics, on damaged files
            raise BadInput(f"{name} is not a readable Parquet file: {_line(error)}") from None
    if lower.endswith(".gz"):
        try:
            payload = gzip.decompress(payload)
        except (EOFError, zlib.error, OSError) as error:
            raise BadInput(f"{name} is not a complete gzip file: {_line(error)}") from None
        lower = lower[:-3]
    if not lower.endswith(".csv"):
        raise BadInput(f"{name} is of no kind that can be imported; expected .csv, .csv.gz or .parquet")
    return _csv(name, payload.removeprefix(b"\xef\xbb\xbf"))


def _csv(name: str, payload: bytes) -> tuple[pl.DataFrame, bool]:
    try:
        start = payload[:65536].decode("utf-8", errors="ignore").lstrip("\r\n")
        if "\0" in start:
            raise BadInput(f"{name} is not text; expected lines of comma-separated values")
        line = start.splitlines()[0] if start.strip() else ""
        separator = max(",;\t|", key=line.count)
        cells = next(csv.reader(io.StringIO(start), delimiter=separator), [])
        if not any(cell.strip() for cell in cells):
            raise BadInput(f"{name} is empty; expected a header line and rows")
        named = not any(re.match(read.NUMBER_TEXT, c.strip()) or re.match(read.ISO_TEXT.replace("?P<", "?P<"), c.strip()) for c in cells)
        labels = [str(n) for n in range(1, len(cells) + 1)]
        frame = pyarrow.csv.read_csv(
            pa.BufferReader(payload),
            read_options=pyarrow.csv.ReadOptions(column_names=labels, skip_rows_after_names=int(named), use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values='"' in start or b'"' in payload),
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(labels, pa.string()), strings_can_be_null=False),
        )
    except (pa.ArrowInvalid, csv.Error) as error:
        raise BadInput(f"{name} is not a well-formed CSV file: {_line(error)}") from None
    result = pl.from_arrow(frame)
    assert isinstance(result, pl.DataFrame)
    if named:
        seen: dict[str, int] = {}
        for position, cell in enumerate(c.strip() for c in cells):
            seen[cell] = seen.get(cell, 0) + 1
            labels[position] = cell if seen[cell] == 1 else f"{cell}#{seen[cell]}"
        result.columns = labels
    return result, named


def _line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:140]


def _meant(word: str, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _fold(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name).lower()


# --- one import ------------------------------------------------------------------------------------------------------


class _Complaints:
    """Bad cells, gathered until the first bad row and the number of further ones can be told."""

    def __init__(self) -> None:
        self._found: list[tuple[pl.Series, str, Read]] = []

    def add(self, rows: pl.Series, place: str, cells: Read) -> None:
        if cells.bad.any():
            self._found.append((rows, place, cells))

    def settle(self, file: str) -> None:
        if not self._found:
            return
        firsts = [(int(rows.filter(cells.bad)[0]), order) for order, (rows, _, cells) in enumerate(self._found)]
        row, order = min(firsts)
        rows, place, cells = self._found[order]
        position = int(cells.bad.arg_max() or 0)
        further = pl.concat([r.filter(c.bad) for r, _, c in self._found]).n_unique() - 1
        more = f" (and {further} more row{'s' if further > 1 else ''})" if further else ""
        column, _, wanted = place.partition("\0")
        raise BadInput(f"{file} row {row}, column {column}: {cells.why(position)}; expected {wanted}{more}")


class _Import:
    """One file on its way into one table. `frame` holds our columns as they come to be, and `row`, the number in the file."""

    def __init__(
        self, file: str, table: Table, columns: dict[str, str], units: dict[str, str], constants: dict[str, str], infer: Infer
    ) -> None:
        self.file, self.table, self.infer = file, table, infer
        self.columns, self.units, self.constants = columns, units, constants
        self.ours = {c.name: c for c in (*table.columns, *ALIASES.get(table.name, ()), INTERVAL)}
        for extra in (OPENED, SECONDS):
            self.ours.setdefault(extra.name, extra)
        self.choices = {name: _choices(hint) for name, hint in typing.get_type_hints(table.event).items()}
        self.defaults = {f.name: f.default for f in msgspec.structs.fields(table.event) if f.default is not msgspec.NODEFAULT}
        self.note: Note = {}
        self.complaints = _Complaints()
        self.sources: dict[str, str] = {}
        self.header: list[str] = []

    def run(self, payload: bytes, digest: str, lag: int | None, now: int) -> Tabular:
        self._check_names()
        raw, named = _frame(self.file, payload)
        if raw.height == 0:
            raise BadInput(f"{self.file} has no rows")
        self.header = raw.columns
        self.frame = self._read(self._mapped(raw, named))
        self.complaints.settle(self.file)
        DERIVE.get(self.table.name, lambda _: None)(self)
        self._time(lag, now)
        self._identity()
        self._fill()
        self._number_repeats()
        self.complaints.settle(self.file)
        return Tabular(self._arrow(), digest, self.file, 0, self.note)
