"""Tabular files of others (CSV, gzipped CSV, Parquet) as rows of one of our tables; bad input is refused whole, with the row.

A column of the file is taken for ours when the names agree but for case, spaces, dashes and underscores; all else is said by the
caller. Cells are read by `units.py`; what the file leaves out is derived by `derivations.py`
and `completion.py`, and the note says how.
"""

import csv
import difflib
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from deleverage.errors import BadInput
from deleverage.store import units as read
from deleverage.store.completion import SIZES, SPAN, Infer, Rows, listed
from deleverage.store.derivations import derive
from deleverage.store.saved_answers import saved_answer
from deleverage.store.units import Limits, Read
from deleverage.tables import LEVELS, TABLES, Column


class Tabular(NamedTuple):
    """A file as rows of a table.

    `rows` has exactly the table's Arrow schema, in file order. `digest` names file content and mapping (16 hex digits): the same
    file read the same way has the same digest. `file` is the file's name without its folder. `rejected` is always 0: a file
    with a bad row is refused whole. `note` says, by column, what was derived and how; `unused` lists file columns not taken,
    `repeats` and `empty` count rows.
    """

    rows: pa.Table
    digest: str
    file: str
    rejected: int
    note: dict[str, str]


WIDE = {"etf_flows": ("net_flow_usd", "fund"), "macro_observations": ("value", "series")}
"""Tables whose files come with one column per fund or series: the value's column names the other."""
POSITIVE = {
    "strike", "contract_size", "base_multiplier", "interval_seconds", "period_seconds", "funding_interval_hours", "leverage",
    "max_leverage", "tier",
}  # fmt: skip
SIZED = {
    *SIZES, "open_interest", "open_interest_base", "open_interest_usd", "trade_count", "taker_buy_quantity", "volume_24h", "lower", "upper",
    "volatility", "open", "high", "low", "ordinal", "bid_iv", "ask_iv", "mark_iv", "bid_price", "ask_price", "last_price", "margin_used",
    "long_usd", "short_usd", "long_quantity", "short_quantity", "long_short_ratio",
}  # fmt: skip
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
    """Read a .csv, .csv.gz or .parquet file, or a saved answer of a reference (.html, .json), as rows of `table`.

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
    try:
        payload = _payload(path)
        digest = _digest(payload, table, columns, units, constants, lag)
        answer = saved_answer(path.name, payload, table, now)
        raw, named = _frame(path.name, payload) if answer is None else (answer, True)
        rows = Rows(path.name, TABLES[table])
        mapping = _Mapping(rows, columns, units, constants)
        mapping.read(mapping.pick(raw, named))
        rows.complaints.settle(path.name)
        derive(rows)
        return Tabular(rows.complete(lag, now, infer), digest, path.name, 0, rows.note)
    except BadInput as error:
        raise BadInput(_line(error)) from None


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
            table = pyarrow.parquet.read_table(pa.BufferReader(payload))
            table.validate(full=True)  # Polars panics at damaged text, and at damaged names, which fail here as well
            frame = pl.from_arrow(table.rename_columns(_distinct(table.column_names)))
            assert isinstance(frame, pl.DataFrame)
            return frame, True
        except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError) as error:
            raise BadInput(f"{name} is not a readable Parquet file: {_line(error, 120)}") from None
    if lower.endswith(".gz"):
        try:
            payload = gzip.decompress(payload)
        except (EOFError, zlib.error, OSError) as error:
            raise BadInput(f"{name} is not a complete gzip file: {_line(error, 120)}") from None
        lower = lower[:-3]
    if not lower.endswith(".csv"):
        raise BadInput(f"{name} is of no kind that can be imported; expected .csv, .csv.gz or .parquet")
    return _csv(name, payload.removeprefix(b"\xef\xbb\xbf"))


def _csv(name: str, payload: bytes) -> tuple[pl.DataFrame, bool]:
    payload = payload.lstrip(b"\r\n")
    try:
        if not payload.isascii():
            payload.decode()
    except UnicodeDecodeError as error:
        line = payload.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{name} line {line} is not text in UTF-8; expected comma-separated values in UTF-8") from None
    start = payload[:65536].decode(errors="ignore")
    separator = max(",;\t|", key=start.partition("\n")[0].count)
    try:
        cells = [cell.strip() for cell in next(csv.reader(io.StringIO(start), delimiter=separator), [])]
    except csv.Error as error:
        raise BadInput(f"{name} is not a well-formed CSV file: {_line(error, 120)}") from None
    if not any(cells):
        raise BadInput(f"{name} is empty; expected a header line and rows")
    if "\0" in start:
        raise BadInput(f"{name} is not text; expected lines of comma-separated values")
    named = not any(re.match(read.NUMBER_TEXT, cell) or re.match(read.ISO_TEXT, cell) for cell in cells)
    labels = [str(n) for n in range(1, len(cells) + 1)]
    ragged: list[pyarrow.csv.InvalidRow] = []

    def odd(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        frame = pyarrow.csv.read_csv(
            pa.BufferReader(payload),
            read_options=pyarrow.csv.ReadOptions(column_names=labels, skip_rows_after_names=int(named), use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=b'"' in payload, invalid_row_handler=odd),
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(labels, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise BadInput(f"{name} is not a well-formed CSV file in UTF-8: {_line(error, 120)}") from None
    if ragged:
        first = ragged[0]
        more = f" (and {len(ragged) - 1} more rows)" if len(ragged) > 1 else ""
        raise BadInput(
            f"{name} row {first.number - named}: {first.actual_columns} cells; expected {first.expected_columns} as in the first line{more}"
        )
    result = pl.from_arrow(frame)
    assert isinstance(result, pl.DataFrame)
    if named:
        result.columns = _distinct(cells)
    return result, named


def _distinct(labels: Sequence[str]) -> list[str]:
    """Tell columns of one name apart: a, b, a#3."""
    return [label if label not in labels[:at] else f"{label}#{at + 1}" for at, label in enumerate(labels)]


def _line(error: BaseException, limit: int = 1000) -> str:
    """Put a message on one printable line, whatever the file holds."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:limit]


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _fold(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name).lower()


# --- from the file's columns to ours ---------------------------------------------------------------------------------


class _Mapping:
    """Which column of the file, which unit and which constant stand for which of ours, as the user and the names say."""

    def __init__(self, rows: Rows, columns: Mapping[str, str], units: Mapping[str, str], constants: Mapping[str, str]) -> None:
        self.rows = rows
        self.columns, self.units, self.constants = (self._spelt(said) for said in (columns, units, constants))
        for name in self.columns:
            if name in self.constants:
                raise BadInput(f"{name} is given by --column and by --set; expected one of the two")

    def _spelt(self, said: Mapping[str, str]) -> dict[str, str]:
        """Our names as we spell them. Raises BadInput for one that the table does not have."""
        spelling = {_fold(name): name for name in self.rows.columns}
        for name in said:
            if _fold(name) not in spelling:
                known = self.rows.columns
                raise BadInput(f"{self.rows.table.name} has no column {name!r}{_meant(name, known)}; expected one of {', '.join(known)}")
        return {spelling[_fold(name)]: value for name, value in said.items()}

    def pick(self, raw: pl.DataFrame, named: bool) -> pl.DataFrame:
        """Return the file's columns under our names, cells as they are, and `row` from 1."""
        rows, header = self.rows, raw.columns
        if raw.is_empty():
            raise BadInput(f"{rows.file} has no rows")
        rows.header = header
        folded: dict[str, list[str]] = {}
        for label in header if named else ():
            folded.setdefault(_fold(label), []).append(label)

        def find(ours: str, said: str) -> str:
            labels = [said] if said in header else folded.get(_fold(said), [])
            if len(labels) == 1:
                return labels[0]
            if not named:
                raise BadInput(f"--column {ours}={said}: {rows.file} has no header line; name columns by number, 1 to {len(header)}")
            raise BadInput(f"--column {ours}={said}: {rows.file} has no such column{_meant(said, header)}; it has: {listed(header)}")

        value, label_column = WIDE.get(rows.table.name, ("", ""))
        said = self.columns.get(value, "")
        many = said not in header and (said == "*" or "," in said)
        theirs = {ours: find(ours, name) for ours, name in self.columns.items() if not (many and ours == value)}
        mapped = set(theirs.values())
        for ours in rows.columns:
            labels = [label for label in folded.get(_fold(ours), []) if label not in mapped]
            stands_in = ours not in rows.own and ours in {c.name for c in SPAN} and "ts_event" in theirs
            if not labels or ours in self.columns or ours in self.constants or stands_in:
                continue
            if len(labels) > 1:
                raise BadInput(f"{rows.file} has {' and '.join(labels)}, either of which may be {ours}; say which with --column {ours}=…")
            theirs[ours] = labels[0]
        if said == "*":
            values = [label for label in header if label not in theirs.values()]
            if not values:
                raise BadInput(f"--column {value}=*: {rows.file} has no further column; it has: {listed(header)}")
        else:
            values = [find(value, part.strip()) for part in said.split(",")] if many else [theirs[value]] if value in theirs else []
        for name, unit in self.units.items():
            if name not in theirs and name not in self.constants and not (values and name == value):
                raise BadInput(f"--unit {name}={unit}: {rows.file} gives no {name}; say --column {name}=…")
        unused = [label for label in header if label not in theirs.values() and label not in values]
        if unused:
            rows.note["unused"] = ", ".join(unused)
        rows.theirs = theirs
        number = pl.int_range(1, raw.height + 1).alias("row")
        narrow = raw.select(number, *(pl.col(label).alias(ours) for ours, label in theirs.items()))
        if not values or label_column in theirs or label_column in self.constants:
            if many:
                raise BadInput(f"{value} from several columns leaves no place for {label_column}, which is then their names")
            return narrow
        return self._stack(raw, narrow, value, label_column, values)

    def _stack(self, raw: pl.DataFrame, narrow: pl.DataFrame, value: str, label_column: str, labels: list[str]) -> pl.DataFrame:
        """Give every row and labelled column a row of its own; in etf_flows an empty cell is no reading."""
        self.rows.theirs.pop(value, None)
        self.rows.note[label_column] = f"from the column's name: {', '.join(labels)}"
        parts = [narrow.with_columns(raw[label].alias(value), pl.lit(label).alias(label_column)) for label in labels]
        wide = pl.concat(parts, how="vertical_relaxed").sort("row", maintain_order=True)
        if self.rows.table.name != "etf_flows":
            return wide
        blank = wide.select(pl.col(value).is_null() | pl.col(value).cast(pl.String).str.strip_chars().is_in(["", "-"]))[value]
        if blank.any():
            self.rows.note["empty"] = f"{blank.sum()} empty cells are no reading and became no rows"
        if blank.all():
            raise BadInput(f"{self.rows.file} has no value in {', '.join(labels)}")
        return wide.filter(~blank)

    def read(self, raw: pl.DataFrame) -> None:
        """Read all cells into `rows.frame`; what cannot be read goes to the complaints."""
        rows, number, required = self.rows, raw["row"], self.rows.required()
        premium = "premium" in self.constants.get("price_kind", "").lower()
        if rows.table.name == "candles" and "price_kind" in raw.columns:
            premium = bool(raw["price_kind"].cast(pl.String).str.to_lowercase().str.contains("premium").any())
        made: dict[str, pl.Series] = {"row": number}
        for name, column in rows.columns.items():
            is_constant = name in self.constants
            if not is_constant and name not in raw.columns:
                continue
            try:
                cells = self._cells(pl.Series(name, [self.constants[name]]) if is_constant else raw[name], column, premium)
            except BadInput as error:
                raise BadInput(f"{rows.file}: {error}") from None
            if not is_constant:
                rows.complain(name, cells, number)
                made[name] = cells.values
                if name in required:
                    rows.complain(name, Read(cells.values, cells.values.is_null() & ~cells.bad, lambda _: "the cell is empty"), number)
                continue
            if cells.bad[0] or (cells.values[0] is None and name in required):
                why = cells.why(0) if cells.bad[0] else "it is empty"
                raise BadInput(f"--set {name}={self.constants[name]}: {why}; expected {rows.wanted(name)}")
            made[name] = pl.repeat(cells.values[0], raw.height, dtype=cells.values.dtype, eager=True)
        rows.frame = pl.DataFrame(made)

    def _cells(self, raw: pl.Series, column: Column, premium: bool) -> Read:
        """Read one column in the way its type, unit and annotation ask for; a premium index may be negative."""
        name, unit = column.name, self.units.get(column.name)
        earliest = read.EARLIEST_MACRO if self.rows.table.name == "macro_observations" else read.EARLIEST
        if column.unit == "ns UTC":
            return read.times(raw, column, unit, earliest)
        if column.arrow in (pa.float64(), pa.int64()):
            limits: Limits = "any"
            if name in POSITIVE or (column.unit == "USD per base" and not premium):
                limits = "positive"
            elif name in SIZED and not (premium and column.unit == "USD per base"):
                limits = "not negative"
            elif name in SHARES:
                limits = "share"
            elif name in RATES:
                limits = "rate"
            return read.numbers(raw, column, unit, limits, column.arrow == pa.int64())
        if unit is not None:
            raise BadInput(f"--unit {name}={unit}: {name} is no number and has no unit")
        if column.unit == "date":
            return read.dates(raw, column, earliest)
        if column.arrow == pa.bool_():
            return read.flags(raw, column)
        if column.arrow == LEVELS:
            return read.levels(raw, column)
        if name == "interval":
            return read.intervals(raw, column)
        words = self.rows.choices.get(name)
        return read.choices(raw, column, words) if words else read.texts(raw, column)
