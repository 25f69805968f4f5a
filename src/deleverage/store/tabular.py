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
    payload = payload.lstrip(b"\r\n")
    start = payload[:65536].decode("utf-8", errors="replace")
    separator = max(",;\t|", key=start.partition("\n")[0].count)
    try:
        cells = [cell.strip() for cell in next(csv.reader(io.StringIO(start), delimiter=separator), [])]
    except csv.Error as error:
        raise BadInput(f"{name} is not a well-formed CSV file: {_line(error)}") from None
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
        raise BadInput(f"{name} is not a well-formed CSV file in UTF-8: {_line(error)}") from None
    if ragged:
        first = ragged[0]
        more = f" (and {len(ragged) - 1} more rows)" if len(ragged) > 1 else ""
        raise BadInput(f"{name} row {first.number - named}: {first.actual_columns} cells; expected {first.expected_columns} as in row 1{more}")
    result = pl.from_arrow(frame)
    assert isinstance(result, pl.DataFrame)
    if named:
        result.columns = [cell if cell not in cells[:at] else f"{cell}#{at + 1}" for at, cell in enumerate(cells)]
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

    frame: pl.DataFrame

    def __init__(
        self, file: str, table: Table, columns: Mapping[str, str], units: Mapping[str, str], constants: Mapping[str, str], infer: Infer
    ) -> None:
        self.file, self.table, self.infer = file, table, infer
        self.ours = {c.name: c for c in (OPENED, SECONDS, INTERVAL, *ALIASES.get(table.name, ()), *table.columns)}
        self.choices = {name: _choices(hint) for name, hint in typing.get_type_hints(table.event).items()}
        self.defaults: dict[str, object] = {c.name: False for c in table.columns if c.arrow == pa.bool_()}
        self.defaults |= {f.name: f.default for f in msgspec.structs.fields(table.event) if f.default is not msgspec.NODEFAULT}
        self.defaults |= {"is_backfill": True, **DEFAULTS.get(table.name, {})}
        self.columns, self.units, self.constants = (self._checked(said) for said in (columns, units, constants))
        both = [name for name in self.columns if name in self.constants]
        if both:
            raise BadInput(f"{both[0]} is given twice, by --column and by --set; expected one of the two")
        self.note: dict[str, str] = {}
        self.complaints = _Complaints()

    def run(self, payload: bytes, digest: str, lag: int | None, now: int) -> Tabular:
        """Take the file through all steps; see `read_tabular`."""
        raw, named = _frame(self.file, payload)
        if raw.height == 0:
            raise BadInput(f"{self.file} has no rows")
        self._convert(self._mapped(raw, named))
        self.complaints.settle(self.file)
        DERIVE.get(self.table.name, lambda _: None)(self)
        self._clocks(lag, now)
        self._identity()
        self._fill()
        self._number()
        self.complaints.settle(self.file)
        frame = self.frame.select(c.name for c in self.table.columns).cast(dict(self.table.polars_schema))
        return Tabular(frame.to_arrow().cast(self.table.arrow_schema), digest, self.file, 0, self.note)

    # --- mapping ---

    def _checked(self, said: Mapping[str, str]) -> dict[str, str]:
        """Our names as we spell them. Raises BadInput for a name that is none of this table's."""
        spelt = {_fold(name): name for name in self.ours}
        for name in said:
            if _fold(name) not in spelt:
                known = ", ".join(n for n in self.ours if n not in ("ts_open", "interval_seconds", "interval") or n in self.table_names)
                raise BadInput(f"{self.table.name} has no column {name!r}{_meant(name, self.ours)}; it has: {known}")
        return {spelt[_fold(name)]: value for name, value in said.items()}

    @property
    def table_names(self) -> set[str]:
        return {c.name for c in self.table.columns}

    def _mapped(self, raw: pl.DataFrame, named: bool) -> pl.DataFrame:
        """The file's columns under our names, unread, with `row` from 1."""
        self.header = raw.columns
        folded: dict[str, list[str]] = {}
        for label in raw.columns if named else ():
            folded.setdefault(_fold(label), []).append(label)
        value, name = WIDE.get(self.table.name, ("", ""))
        theirs: dict[str, list[str]] = {}
        for ours, said in self.columns.items():
            if said in raw.columns or ours != value or not (said == "*" or "," in said):
                theirs[ours] = [self._found(ours, said, folded, named)]
            elif said != "*":
                theirs[ours] = [self._found(ours, part.strip(), folded, named) for part in said.split(",")]
        for ours in self.ours:
            labels = folded.get(_fold(ours), [])
            extra = ours not in self.table_names and ours in ("ts_open", "interval_seconds", "interval") and "ts_event" in theirs
            if not labels or ours in theirs or ours in self.constants or ours in self.columns or extra:
                continue
            if len(labels) > 1:
                raise BadInput(f"{self.file} has {' and '.join(labels)}, both of which may be {ours}; say which with --column {ours}=…")
            theirs[ours] = labels
        taken = {label for labels in theirs.values() for label in labels}
        if self.columns.get(value) == "*":
            theirs[value] = [label for label in raw.columns if label not in taken]
            taken |= set(theirs[value])
        unused = [label for label in raw.columns if label not in taken]
        if unused:
            self.note["unused"] = ", ".join(unused)
        self.theirs = {ours: labels[0] for ours, labels in theirs.items()}
        for unit in self.units:
            if unit not in theirs and unit not in self.constants:
                raise BadInput(f"--unit {unit}={self.units[unit]}: {self.file} gives no {unit}; map it with --column {unit}=…")
        plain = raw.select(*(pl.col(labels[0]).alias(ours) for ours, labels in theirs.items() if ours != value)).with_columns(
            row=pl.int_range(1, raw.height + 1)
        )
        if value not in theirs:
            return plain
        if name in theirs or name in self.constants:
            return plain.with_columns(raw[theirs[value][0]].alias(value))
        self.theirs.pop(value)
        self.note[name] = f"the names of the columns {', '.join(theirs[value])}"
        wide = pl.concat([plain.with_columns(raw[label].alias(value), pl.lit(label).alias(name)) for label in theirs[value]], how="vertical_relaxed")
        wide = wide.sort("row", maintain_order=True)
        if self.table.name == "etf_flows":
            blank = wide[value].is_null() | wide[value].cast(pl.String).str.strip_chars().is_in(["", "-"])
            if blank.any():
                self.note["empty"] = f"{blank.sum()} empty cells are no reading and became no rows"
            wide = wide.filter(~blank)
            if wide.height == 0:
                raise BadInput(f"{self.file} has no rows with a value in {', '.join(theirs[value])}")
        return wide

    def _found(self, ours: str, said: str, folded: Mapping[str, list[str]], named: bool) -> str:
        if said in self.header:
            return said
        labels = folded.get(_fold(said), [])
        if len(labels) == 1:
            return labels[0]
        if not named:
            raise BadInput(
                f"--column {ours}={said}: {self.file} has no header line; name its columns by number, 1 to {len(self.header)}"
            )
        raise BadInput(f"--column {ours}={said}: {self.file} has no such column{_meant(said, self.header)}; it has: {', '.join(self.header)}")

    # --- reading cells ---

    def _convert(self, raw: pl.DataFrame) -> None:
        rows = raw["row"]
        premium = "premium" in self.constants.get("price_kind", "").lower()
        if self.table.name == "candles" and "price_kind" in raw.columns and raw["price_kind"].dtype == pl.String:
            premium = bool(raw["price_kind"].str.to_lowercase().str.contains("premium").any())
        made: dict[str, pl.Series] = {}
        for name, column in self.ours.items():
            if name in self.constants:
                cells = self._cells(pl.Series(name, [self.constants[name]]), column, premium)
                if cells.bad[0] or (cells.values[0] is None and self.constants[name] and name in self._required()):
                    raise BadInput(f"--set {name}={self.constants[name]}: {cells.why(0)}; expected {read.expected(column)}")
                made[name] = pl.repeat(cells.values[0], raw.height, dtype=cells.values.dtype, eager=True)
            elif name in raw.columns:
                cells = self._cells(raw[name], column, premium)
                self._complain(rows, name, cells)
                made[name] = cells.values
            if name in made and name in self._required() and name not in self.constants:
                self._complain(rows, name, Read(made[name], made[name].is_null() & ~cells.bad, lambda _: "the cell is empty"))
        self.frame = pl.DataFrame({"row": rows, **made})

    def _complain(self, rows: pl.Series, name: str, cells: Read) -> None:
        theirs = self.theirs.get(name, name)
        self.complaints.add(rows, name if theirs == name else f"{name} ({theirs})", read.expected(self.ours[name]), cells)

    def _required(self) -> set[str]:
        """Columns whose cells may not be empty once the column is given."""
        derived = {*IDENTITY, "open_interest", "funding_kind", "ordinal", "trade_id"}
        own = {c.name for c in self.table.columns if not c.nullable and c.name not in self.defaults and c.name not in derived}
        return own | {name for name in self.ours if name not in self.table_names}

    def _cells(self, raw: pl.Series, column: Column, premium: bool) -> Read:
        """Read one column in the way its type, unit and annotation ask for."""
        name, unit = column.name, self.units.get(column.name)
        earliest = read.EARLIEST_MACRO if self.table.name == "macro_observations" else read.EARLIEST
        if column.unit == "ns UTC":
            return read.times(raw, column, unit, earliest)
        if column.arrow in (pa.float64(), pa.int64()):
            limits: Limits = "any"
            if name in POSITIVE or (column.unit == "USD per base" and not premium):
                limits = "positive"
            elif name in SIZED and not premium:
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
        words = self.choices.get(name) or (("buy", "sell") if name == "order_side" else ())
        return read.choices(raw, column, words) if words else read.texts(raw, column)

    # --- deriving ---

    def has(self, *names: str) -> bool:
        """Tell whether all these columns are there."""
        return all(name in self.frame.columns for name in names)

    def put(self, how: str | None = None, **columns: pl.Expr) -> None:
        """Add or replace columns; `how` goes into the note of each."""
        self.frame = self.frame.with_columns(**columns)
        if how is not None:
            self.note |= dict.fromkeys(columns, how)

    def fail(self, name: str, bad: pl.Expr, why: str) -> None:
        """Complain about the rows in which `bad` holds."""
        mask = self.frame.select(bad.fill_null(False).alias("bad"))["bad"]
        self._complain(self.frame["row"], name, Read(mask, mask, lambda _: why))

    def missing(self, name: str, hint: str = "") -> BadInput:
        """The error for a column that is needed and not given."""
        column = self.ours[name]
        words = self.choices.get(name, ())
        wanted = f"one of {', '.join(words)}" if words else read.expected(column)
        ways = f"--column {name}=…" + ("" if column.unit == "ns UTC" else f" or --set {name}={words[0] if words else '…'}")
        return BadInput(
            f"{self.file} gives no {name} for {self.table.name} (expected {wanted}); say {ways}{hint}; the file's columns: {', '.join(self.header)}"
        )

    def _clocks(self, lag: int | None, now: int) -> None:
        """Fill ts_event and ts_recv."""
        source = TIME_FROM.get(self.table.name, "")
        if not self.has("ts_event"):
            if self.has("ts_open"):
                self.put("ts_open and the interval", ts_event=pl.col("ts_open") + self.seconds() * read.CLOCKS["s"])
            elif source and self.has(source):
                day = self.ours[source].unit == "date"
                self.put(source, ts_event=pl.col(source).str.to_date("%Y-%m-%d").cast(pl.Int64) * read.DAY if day else pl.col(source))
            else:
                close = [h for h in self.header if re.search(r"time|date|^ts|^t$", h.lower())]
                raise self.missing("ts_event", f", perhaps {close[0]!r}" if close else "")
        if source == "funding_time" and not self.has(source):
            self.put("ts_event", funding_time=pl.col("ts_event"))
        if self.has("ts_recv"):
            if lag is not None:
                self.note["ts_recv"] = "as in the file; --lag was not needed"
        elif lag is not None:
            self.put(f"ts_event and {lag / 1e9:g} s", ts_recv=pl.col("ts_event") + lag)
        else:
            self.put("when imported", ts_recv=pl.lit(now, dtype=pl.Int64))

    def seconds(self) -> pl.Expr:
        """Length of the interval a row is about: given, or the spacing of the rows where it is regular."""
        for name in ("interval_seconds", "interval", "period_seconds"):
            if self.has(name):
                return pl.col(name)
        time = "ts_open" if self.has("ts_open") else "ts_event"
        group = [name for name in ("venue", *IDENTITY, "price_kind", "index_name") if self.has(name)]
        steps = self.frame.select([*group, time]).unique().sort(time)
        gaps = (steps.select(pl.col(time).diff().over(group)) if group else steps.select(pl.col(time).diff()))[time].drop_nulls()
        step = int(gaps.min() or 0) if len(gaps) else 0  # type: ignore[call-overload]
        regular = step >= read.CLOCKS["s"] and step % read.CLOCKS["s"] == 0 and bool((gaps % step == 0).all())
        if not regular or (gaps == step).sum() < 0.9 * len(gaps):
            raise BadInput(
                f"{self.file} gives no interval, and its rows are not regularly spaced; say --set interval=1h, or --column interval=…"
            )
        self.note["interval_seconds"] = f"the spacing of the rows, {step // read.CLOCKS['s']} s"
        return pl.lit(step // read.CLOCKS["s"], dtype=pl.Int64)

    def _identity(self) -> None:
        """Fill symbol, venue_symbol, base and what else a contract's name says."""
        if not self.has("venue"):
            raise self.missing("venue")
        self.put(venue=pl.col("venue").str.to_lowercase())
        nameless = self.table.name in NAMELESS
        if self.has("base"):
            self._each("base", base=lambda coin: _coin(coin))
        if self.has("symbol") and not self.has("venue_symbol"):
            unified = bool(self.frame["symbol"].str.contains("/", literal=True).any())
            self.put("symbol", venue_symbol=pl.col("symbol"))
            if not unified:
                self.frame = self.frame.drop("symbol")
        if self.has("venue_symbol"):
            self._read_names()
        elif self.has("base"):
            self.put("base", symbol=pl.col("base"), venue_symbol=pl.col("base"))
        elif not nameless:
            raise self.missing("base", ", or venue_symbol, or symbol")
        for name in IDENTITY:
            self.put(**{name: pl.col(name).fill_null("") if self.has(name) else pl.lit("")})
        if not nameless:
            for name in IDENTITY:
                loose = self.table.name == "volatility_indices" and name == "symbol"
                self.fail(name, (pl.col(name) == "") & ~pl.lit(loose), "the cell is empty, and no other column says it")
