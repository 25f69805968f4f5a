"""What every tabular file may leave out: the clocks, the contract's names, the columns a table needs. Said, derived, or refused.

`Rows` holds the columns read so far under our names. Every step adds columns and says in the note how; nothing replaces a cell
that the file gives.
"""

import re
import types
import typing
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
import polars as pl
import pyarrow as pa

from deleverage.errors import BadInput
from deleverage.instruments import Instrument, split_scale
from deleverage.store.units import CLOCKS, DAY, Read, expected
from deleverage.tables import Column, Table

Infer: TypeAlias = Callable[[str, str], Instrument | None]
"""(venue, venue_symbol) to the contract, None where the name cannot be read."""


def _float(name: str, unit: str, meaning: str) -> Column:
    return Column(name, pa.float64(), unit, meaning, True)


SPAN = (
    Column("ts_open", pa.int64(), "ns UTC", "start of the interval the row is about; ts_event is its end", True),
    Column("interval_seconds", pa.int64(), "s", "length of the interval the row is about", True),
    Column("interval", pa.string(), "", "length of the interval: 1m, 5m, 1h, 1d", True),
)
"""Columns that every table takes besides its own: `ts_open` and an interval stand for `ts_event`."""
ALIASES: dict[str, tuple[Column, ...]] = {
    "liquidations": (
        _float("long_usd", "USD", "sum of longs force-closed; becomes a row of its own"),
        _float("short_usd", "USD", "sum of shorts force-closed; becomes a row of its own"),
        _float("long_quantity", "base", "sum of longs force-closed, in coins; becomes a row of its own"),
        _float("short_quantity", "base", "sum of shorts force-closed, in coins; becomes a row of its own"),
        Column("order_side", pa.string(), "buy|sell", "side of the liquidation order: sell closes a long", True),
        Column("entry_side", pa.string(), "buy|sell", "side that had opened the position: buy for a long (Bybit's feed says it so)", True),
    ),
    "trades": (Column("is_buyer_maker", pa.bool_(), "", "true when the taker sold", True),),
    "positioning_ratios": (_float("long_short_ratio", "", "long share by short share"),),
}
"""Columns a file may have that are none of the table's but say one of them."""

SIZES = ("quantity", "contracts", "notional_usd")
NEEDS: dict[str, tuple[str, ...]] = {
    "liquidations": SIZES, "trades": SIZES, "mark_prices": ("mark_price", "index_price"), "macro_observations": ("value",),
    "option_quotes": ("mark_price", "bid_price", "ask_price", "last_price", "mark_iv", "bid_iv", "ask_iv", "open_interest"),
    "margin_tiers": ("maintenance_margin_rate", "max_leverage"),
}  # fmt: skip
"""At least one of these nullable columns is needed: without any a row says nothing."""
TIME_FROM = {"etf_flows": "trading_day", "macro_observations": "observation_date", "gaps": "ts_start", "funding_rates": "funding_time"}
DEFAULTS: dict[str, dict[str, object]] = {
    "liquidations": {"method": "unknown", "price_kind": "unknown", "coverage_rule": "undisclosed"},
    "funding_rates": {"funding_kind": "settled"},
}
NAMELESS = {"insurance_funds", "adl_signals", "gaps", "feed_states", "venue_statuses", "sentiment_readings", "macro_observations"}
"""Tables whose rows need not be about a contract or a coin."""
IDENTITY = ("symbol", "venue_symbol", "base")
INFERRED = (
    "quote", "settlement_asset", "kind", "contract_type", "size_unit", "contract_size", "base_multiplier", "strike", "expiry",
    "option_type",
)  # fmt: skip
"""What else a contract's name says, where the table has a column for it."""


class Complaints:
    """Bad cells, gathered until the first bad row and the number of further ones can be told."""

    def __init__(self) -> None:
        self._found: list[tuple[pl.Series, str, str, Read]] = []

    def add(self, rows: pl.Series, column: str, wanted: str, cells: Read) -> None:
        """Take the bad cells of one column; `rows` are their row numbers in the file."""
        if cells.bad.any():
            self._found.append((rows, column, wanted, cells))

    def settle(self, file: str) -> None:
        """Raise BadInput for the first bad row, if there is one."""
        if not self._found:
            return
        firsts = [least(rows.filter(cells.bad)) for rows, _, _, cells in self._found]
        rows, column, wanted, cells = self._found[firsts.index(min(firsts))]
        position = int((cells.bad & (rows == min(firsts))).arg_max() or 0)
        further = pl.concat([r.filter(c.bad) for r, _, _, c in self._found]).n_unique() - 1
        more = f" (and {further} more row{'s' if further > 1 else ''})" if further else ""
        raise BadInput(f"{file} row {min(firsts)}, column {column}: {cells.why(position)}; expected {wanted}{more}")


def listed(names: Sequence[str]) -> str:
    """Write names one after another, the first thirty at most."""
    return ", ".join(names) if len(names) <= 30 else f"{', '.join(names[:30])} and {len(names) - 30} more"


def least(numbers: pl.Series) -> int:
    """Smallest of some whole numbers, 0 when there are none."""
    value = numbers.min()
    return value if isinstance(value, int) else 0


class Rows:
    """The rows of one file on their way into one table.

    `frame` holds our columns as they come to be, and `row`, the number in the file; `theirs` how the file calls them;
    `columns` all columns that may be given; `header` the file's own columns.
    """

    frame: pl.DataFrame

    def __init__(self, file: str, table: Table) -> None:
        self.file, self.table = file, table
        self.own = {c.name: c for c in table.columns}
        self.columns = self.own | {c.name: c for c in (*ALIASES.get(table.name, ()), *SPAN) if c.name not in self.own}
        self.choices = {name: _choices(hint) for name, hint in typing.get_type_hints(table.event).items()}
        self.choices |= {"order_side": ("buy", "sell"), "entry_side": ("buy", "sell")}
        self.defaults: dict[str, object] = {c.name: False for c in table.columns if c.arrow == pa.bool_()}
        self.defaults |= {f.name: f.default for f in msgspec.structs.fields(table.event) if f.default is not msgspec.NODEFAULT}
        self.defaults |= {"is_backfill": True, **DEFAULTS.get(table.name, {})}
        self.theirs: dict[str, str] = {}
        self.header: Sequence[str] = ()
        self.note: dict[str, str] = {}
        self.are_sums = False
        self.complaints = Complaints()

    def has(self, *names: str) -> bool:
        """Tell whether all these columns are there."""
        return all(name in self.frame.columns for name in names)

    def put(self, name: str, values: pl.Expr, how: str | None = None) -> None:
        """Add a column, or fill the empty cells of one that is there; `how` goes into the note when it was not there."""
        if how is not None and not self.has(name):
            self.note[name] = how
        self.frame = self.frame.with_columns((pl.coalesce(name, values) if self.has(name) else values).alias(name))

    def required(self) -> set[str]:
        """Columns whose cells may not be empty once the column is given: nothing can be derived for them."""
        derived = {*IDENTITY, "open_interest", "ordinal", "trade_id"}
        own = {c.name for c in self.table.columns if not c.nullable and c.name not in self.defaults and c.name not in derived}
        return own | (self.columns.keys() - self.own.keys())

    def complain(self, name: str, cells: Read, rows: pl.Series) -> None:
        """Take the bad cells of a column."""
        theirs = self.theirs.get(name, name)
        self.complaints.add(rows, name if theirs == name else f"{name} ({theirs})", self.wanted(name), cells)

    def wanted(self, name: str) -> str:
        """Say what a column holds: its words, or its unit."""
        words = self.choices.get(name, ())
        return f"one of {', '.join(words)}" if words else expected(self.columns[name])

    def fail(self, name: str, bad: pl.Expr, why: str) -> None:
        """Complain about the rows in which `bad` holds."""
        mask = self.frame.select(bad.fill_null(False).alias("bad"))["bad"]
        self.complain(name, Read(mask, mask, lambda _: why), self.frame["row"])

    def missing(self, name: str, hint: str = "") -> BadInput:
        """Return the error for a column that is needed and not given."""
        words = self.choices.get(name, ())
        ways = f"--column {name}=…" + ("" if self.columns[name].unit == "ns UTC" else f" or --set {name}={words[0] if words else '…'}")
        there = f"the file's columns: {listed(self.header)}"
        return BadInput(f"{self.file} gives no {name} for {self.table.name} (expected {self.wanted(name)}); say {ways}{hint}; {there}")

    def complete(self, lag: int | None, now: int, infer: Infer) -> pa.Table:
        """Fill all that is missing and return the table. Raises BadInput for the first row that cannot be completed."""
        self._clocks(lag, now)
        self._identity(infer)
        self._fill()
        self._number_repeats()
        self.complaints.settle(self.file)
        frame = self.frame.select(c.name for c in self.table.columns).cast(self.table.polars_schema)
        return frame.to_arrow().cast(self.table.arrow_schema)

    def _clocks(self, lag: int | None, now: int) -> None:
        """Fill ts_event and ts_recv."""
        source = TIME_FROM.get(self.table.name, "")
        if not self.has("ts_event"):
            if self.has("ts_open"):
                self.put("ts_event", pl.col("ts_open") + self.seconds() * CLOCKS["s"], "the end of the interval")
            elif source and self.has(source):
                is_day = self.columns[source].unit == "date"
                day = pl.col(source).str.to_date("%Y-%m-%d").cast(pl.Int64) * DAY
                self.put("ts_event", day if is_day else pl.col(source), f"{source}, 00:00 UTC" if is_day else source)
            else:
                close = [label for label in self.header if re.search(r"time|date|^ts|^t$", label.lower())]
                raise self.missing("ts_event", f" (perhaps ts_event={close[0]})" if close else "")
        if source == "funding_time":
            self.put(source, pl.col("ts_event"), "ts_event")
        if self.has("ts_recv"):
            if lag is not None:
                self.note["ts_recv"] = "as in the file; --lag was not needed"
        elif lag is not None:
            self.put("ts_recv", pl.col("ts_event") + lag, f"{lag / CLOCKS['s']:g} s after ts_event")
        else:
            self.put("ts_recv", pl.lit(now, dtype=pl.Int64), "when imported")

    def seconds(self) -> pl.Expr:
        """Length of the interval a row is about: given, or the spacing of the rows where it is regular (holes are allowed)."""
        for name in ("interval_seconds", "interval", "period_seconds"):
            if self.has(name):
                return pl.col(name)
        time = "ts_open" if self.has("ts_open") else "ts_event"
        group = [name for name in ("venue", *IDENTITY, "price_kind", "index_name", "ratio_kind") if self.has(name)]
        steps = self.frame.select(*group, time).unique().sort(time)
        gap = pl.col(time).diff()
        gaps = steps.select(gap.over(group) if group else gap)[time].drop_nulls()
        step = least(gaps)
        if step == 0 or step % CLOCKS["s"] or (gaps % step != 0).any() or (gaps == step).sum() < 0.9 * len(gaps):
            raise BadInput(
                f"{self.file} gives no interval, and its rows are not evenly spaced; say --set interval=1h or --column interval=…"
            )
        self.note["interval"] = f"{step // CLOCKS['s']} s, the spacing of the rows"
        return pl.lit(step // CLOCKS["s"], dtype=pl.Int64)

    def _identity(self, infer: Infer) -> None:
        """Fill symbol, venue_symbol, base and what else a contract's name says. Every name is read once, not per row."""
        if not self.has("venue"):
            raise self.missing("venue")
        given = [name for name in ("venue", *IDENTITY) if self.has(name)]
        if given == ["venue"] and self.table.name not in NAMELESS:
            raise self.missing("base", " (or the same for venue_symbol or symbol)")
        extra = [name for name in INFERRED if name in self.own]
        wanted = any(not self.has(name) or self.frame[name].null_count() for name in ("symbol", "base", *extra))
        known = self.frame.select(given).unique(maintain_order=True)
        reader = infer if wanted and self.table.name != "volatility_indices" else None  # an index's name is no contract's
        rows = [self._contract(reader, extra, **names) for names in known.iter_rows(named=True)]
        schema = {f"_{name}": self.table.polars_schema[name] for name in ("venue", *IDENTITY, *extra)}
        found = known.hstack(pl.DataFrame(rows, schema=schema, orient="row"))
        self.frame = self.frame.join(found, on=given, how="left", nulls_equal=True, maintain_order="left")
        self.frame = self.frame.with_columns(pl.col(f"_{name}").alias(name) for name in ("venue", *IDENTITY))
        self.note |= {name: f"from {' and '.join(given)}" for name in IDENTITY if name not in given and (self.frame[name] != "").any()}
        if self.table.name == "instruments" and not self.has("contract_size"):
            self.put("is_inferred", pl.lit(True), "the file does not give the contract's size")
        for name in extra:
            if self.frame[f"_{name}"].null_count() < self.frame.height:
                self.put(name, pl.col(f"_{name}"), "from the contract's name")
        if self.table.name not in NAMELESS:
            shown = next(name for name in ("venue_symbol", "symbol", "base") if name in given)
            why = "no contract's name that can be read, so the coin is unknown; say --set base=BTC or --column base=…"
            self.fail(shown, pl.col("base") == "", why)

    def _contract(
        self, infer: Infer | None, extra: Sequence[str], venue: str | None, symbol: str | None = None, venue_symbol: str | None = None,
        base: str | None = None,
    ) -> list[object]:  # fmt: skip
        """Complete the names of one contract; what the file says wins over what the name says."""
        venue = (venue or "").lower()
        if venue_symbol is None and symbol is not None and "/" not in symbol:
            symbol, venue_symbol = None, symbol  # many files call the venue's spelling a symbol
        found = infer(venue, venue_symbol) if infer is not None and venue_symbol is not None else None
        unified = symbol if symbol is not None and "/" in symbol else ""
        coin = _coin(base) if base else found.base if found else _coin(unified.partition("/")[0])
        index = self.table.name == "volatility_indices"
        if not unified and found is not None:
            symbol = found.symbol
        symbol = symbol or ("" if index else venue_symbol or coin)
        return [venue, symbol, venue_symbol or symbol or coin, coin, *(getattr(found, name) if found else None for name in extra)]

    def _fill(self) -> None:
        """Give every column that is left its default, null or a refusal, and check what only whole rows can show."""
        needs = NEEDS.get(self.table.name, ())
        there = [name for name in needs if self.has(name)]
        if needs and not there:
            raise self.missing(needs[0], f" (or {', '.join(needs[1:])})" if needs[1:] else "")
        if self.table.name in ("liquidations", "trades", "mark_prices"):
            self.fail(there[0], pl.all_horizontal(pl.col(there).is_null()), f"the row has no {' and no '.join(there)}")
        for column in self.table.columns:
            name, default = column.name, self.defaults.get(column.name)
            kind = self.table.polars_schema[name]
            if default is not None:
                self.put(name, pl.lit(default, dtype=kind), "empty" if default == "" else f"{default} for all rows")
            elif column.nullable and not self.has(name):
                self.put(name, pl.lit(None, dtype=kind))
            elif not column.nullable and not self.has(name):
                raise self.missing(name)
            elif not column.nullable:
                self.fail(name, pl.col(name).is_null(), "the cell is empty")

    def _number_repeats(self) -> None:
        """Number liquidations equal in the key, so that none is taken for a repeat.

        Sums are different: two for the same time and side are one sum said twice, or a mistake. Other repeats are counted; the
        store leaves them out.
        """
        key = [name for name in self.table.key if name != "ordinal"]
        if self.are_sums:
            place = ["venue", "venue_symbol", "ts_event", "position_side"]
            same = pl.all_horizontal(pl.col(size).eq_missing(pl.col(size).first().over(place)) for size in SIZES)
            self.fail("ts_event", ~same, "a second sum for the same time and side, which differs from the first")
            once = self.frame.unique([*place, *SIZES], keep="first", maintain_order=True)
            if once.height < self.frame.height:
                self.note["repeats"] = f"{self.frame.height - once.height} sums stand in the file twice and count once"
            self.complaints.settle(self.file)
            self.frame = once
            return
        if "ordinal" in self.table.key and "ordinal" in self.note:
            self.frame = self.frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).over(key).alias("ordinal"))
            self.note["ordinal"] = "counted over rows equal in all else"
        repeats = self.frame.height - self.frame.select(self.table.key).n_unique()
        if repeats:
            self.note["repeats"] = f"{repeats} rows repeat an earlier one in {', '.join(key)}; the first counts"


def _choices(hint: object) -> tuple[str, ...]:
    """The words a Literal annotation allows, also inside Optional; empty for any other."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next((words for arm in typing.get_args(hint) if (words := _choices(arm))), ())
    return tuple(typing.get_args(hint)) if typing.get_origin(hint) is typing.Literal else ()


def _coin(text: str) -> str:
    """A coin without its scale prefix: `btc` and `BTC` are BTC, `1000PEPE` and `kPEPE` are PEPE."""
    if re.fullmatch(r"k[A-Z0-9]{2,}", text):
        return text[1:]
    return split_scale(text.upper() if text.islower() else text)[0]
