"""The embedded store: one DuckDB file, or memory."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec
import polars as pl
import pyarrow as pa

from deleverage.analytics.coverage import Span
from deleverage.analytics.liquidations import MOST_USD, Group, Sum
from deleverage.errors import BadInput, StoreError
from deleverage.figure import hash_inputs
from deleverage.store import series
from deleverage.store.columns import group, to_arrow
from deleverage.store.store import JOURNAL, Ingested, PriceSeries
from deleverage.tables import LEVELS, TABLE_OF, TABLES, Table

SQL_TYPES = {pa.string(): "VARCHAR", pa.float64(): "DOUBLE", pa.int64(): "BIGINT", pa.bool_(): "BOOLEAN",
             LEVELS: "STRUCT(price DOUBLE, size DOUBLE)[]"}  # fmt: skip
MICROS = f"CAST(FLOOR(CASE WHEN notional_usd < {MOST_USD} THEN notional_usd END * 1e6::DOUBLE + 0.5::DOUBLE) AS BIGINT)"
"""Dollars to millionths, rounded half up: the same IEEE steps as `micros`, so that sums agree to the last digit."""
COUNTED = """ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND NOT (source <> 'journal' AND EXISTS (
    SELECT 1 FROM spans WHERE spans.venue = liquidations.venue AND spans.liquidations AND spans.basis <> 'import'
    AND liquidations.ts_event >= spans.start_ns AND liquidations.ts_event < coalesce(spans.end_ns, 9223372036854775807)))"""
"""Rows a sum over [start, end) as of an instant holds: where a venue was recorded the recording counts, files count elsewhere."""
LOG_BYTES = "64MB"
"""Size of the write-ahead log at which DuckDB folds it into the file. Its own 16 MB is a batch or two: every row written twice."""
VERSION = hash_inputs([5, *((t.name, [(c.name, str(c.arrow)) for c in t.columns], t.key, t.state) for t in TABLES.values())])
"""Changes with the tables, and by hand (the number in front) when parsers read frames differently."""
PRICE_SOURCES = (  # table, column, what the price is, further test; the first that has rows serves
    ("candles", "close", "'candle close'", " AND price_kind = 'last'"),
    ("mark_prices", "mark_price", "'mark'", ""),
    ("trades", "price", "'trade'", " AND strpos(symbol, '-') = 0"),
    ("liquidations", "price", "'liquidation ' || price_kind", ""),
)
PRICE_VENUES = ("binance", "bybit", "okx", "deribit", "hyperliquid", "htx")
"""Whose price stands for the market's among those told equally well: by how much is traded there."""
EQUALLY_WELL = 0.95
PRICE_PARTS = 200
"""Parts a range is cut into to see how much of it a price is told in."""


class DuckStore:
    """See `Store`. One process at a time holds the file; inside it, any thread may read while one appends."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file (None: in memory). Raises StoreError in one line when it is locked or damaged.

        Tables written under another schema are dropped: they are made anew from the journal and the kept files.
        """
        self.path = path
        try:
            self._db = duckdb.connect(str(path) if path else ":memory:")
        except duckdb.Error as error:
            text = " ".join(str(error).split())
            if "lock" in text.lower():
                raise StoreError(f"{path} is in use by another process; stop it, or use another --data directory") from None
            raise StoreError(f"{path} cannot be opened as a store: {text[:160]}") from None
        self._db.execute(f"SET wal_autocheckpoint = '{LOG_BYTES}'")
        self._writing = threading.RLock()
        self._inside = False
        self._db.execute("CREATE TABLE IF NOT EXISTS schema_version (version VARCHAR)")
        if [row[0] for row in self._db.execute("SELECT version FROM schema_version").fetchall()] != [VERSION]:
            for (name,) in self._db.execute("SELECT table_name FROM information_schema.tables").fetchall():
                self._db.execute(f'DROP TABLE "{name}"')
            self._db.execute("CREATE TABLE schema_version (version VARCHAR)")
            self._db.execute("INSERT INTO schema_version VALUES (?)", [VERSION])
        for table in TABLES.values():
            columns = ", ".join(f'"{c.name}" {SQL_TYPES[c.arrow]}{"" if c.nullable else " NOT NULL"}' for c in table.columns)
            self._db.execute(f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns}, source VARCHAR NOT NULL)')
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS spans (venue VARCHAR, route VARCHAR, start_ns BIGINT, end_ns BIGINT,"
            " liquidations BOOLEAN, basis VARCHAR, known BIGINT)"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS imported (digest VARCHAR PRIMARY KEY, file VARCHAR)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS ingested "
            "(venue VARCHAR PRIMARY KEY, rows BIGINT, events BIGINT, failures BIGINT, until BIGINT, resume BIGINT, is_open BOOLEAN)"
        )

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._writing:
            if self._inside:
                yield self._db
                return
            self._inside = True
            try:
                self._db.execute("BEGIN")
                yield self._db
                self._db.execute("COMMIT")
            except duckdb.Error as error:
                self._rollback()
                raise StoreError(f"the tables could not be written: {' '.join(str(error).split())[:200]}") from error
            except BaseException:
                self._rollback()
                raise
            finally:
                self._inside = False

    def _rollback(self) -> None:
        try:
            self._db.execute("ROLLBACK")
        except duckdb.Error:
            return  # nothing was begun, or the engine has rolled back already

    def append(self, events: Sequence[msgspec.Struct]) -> int:
        """See `Store.append`."""
        if not events:
            return 0
        try:
            batches = [(TABLE_OF[kind], to_arrow(rows)) for kind, rows in group(events).items()]
        except (pa.ArrowException, OverflowError, TypeError) as error:
            raise StoreError(f"an event does not fit its table: {' '.join(str(error).split())[:160]}") from error
        with self._transaction():
            return sum(self._insert(table, rows, JOURNAL) for table, rows in batches)

    def append_import(self, table: str, rows: pa.Table, digest: str, file: str, spans: Sequence[Span]) -> int:
        """See `Store.append_import`."""
        with self._transaction() as db:
            added = self._insert(TABLES[table], rows, f"import:{digest}") if rows.num_rows else 0
            self.write_spans(spans, None)
            db.execute("INSERT OR REPLACE INTO imported VALUES (?, ?)", [digest, file])
            return added

    def imported(self) -> dict[str, str]:
        """See `Store.imported`."""
        return {str(digest): str(file) for digest, file in self._rows("SELECT * FROM imported ORDER BY digest")}

    def _insert(self, table: Table, rows: pa.Table, source: str) -> int:
        """Insert the rows that are not there yet; of rows equal in the key, the first of the batch."""
        frame = pl.from_arrow(rows)
        assert isinstance(frame, pl.DataFrame)
        if table.state and "ts_event" not in table.key and source == JOURNAL:
            frame = self._changes(table, frame)
        else:
            keys = frame.select(self._identity(table)).with_row_index("row")
            if keys.drop("row").is_duplicated().any():
                keys = keys.unique(subset=self._identity(table), keep="first", maintain_order=True)
            keys = self._unseen(table, keys, source)
            if table.anonymous_without:  # a row without this column has no identity: it is never a repeat
                nameless = frame[table.anonymous_without].is_null().arg_true().cast(pl.UInt32)
                keys = pl.DataFrame({"row": pl.concat([keys["row"], nameless]).unique().sort()})
            if keys.height < frame.height:
                frame = frame[keys["row"]]
        if frame.is_empty():
            return 0
        names = ", ".join(f'"{c.name}"' for c in table.columns)
        self._db.register("batch", rows if frame.height == rows.num_rows else frame.to_arrow())
        try:
            self._db.execute(f'INSERT INTO "{table.name}" SELECT {names}, ? FROM batch', [source])
        finally:
            self._db.unregister("batch")
        return frame.height

    def _identity(self, table: Table) -> list[str]:
        """Columns that make two rows one: the key, and for states without a clock in it also when they were known."""
        return list(table.key) if "ts_event" in table.key else [*table.key, "ts_recv"]

    def _unseen(self, table: Table, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """Leave out rows that are in the table already. Recorded rows and rows of files do not know of each other."""
        keys = self._identity(table)
        clock = "ts_event" if "ts_event" in keys else "ts_recv"
        sql = f'SELECT {", ".join(f"{chr(34)}{k}{chr(34)}" for k in keys)} FROM "{table.name}"'
        sql += f" WHERE {clock} BETWEEN ? AND ? AND (source = '{JOURNAL}') = ?"
        parameters: list[object] = [frame[clock].min(), frame[clock].max(), source == JOURNAL]
        there = pl.from_arrow(self._db.sql(sql, params=parameters).to_arrow_table())
        assert isinstance(there, pl.DataFrame)
        return frame if there.is_empty() else frame.join(there, on=keys, how="anti", nulls_equal=True, maintain_order="left")

    def _changes(self, table: Table, frame: pl.DataFrame) -> pl.DataFrame:
        """Keep the recorded rows that differ from the previous recorded reading of the same state; they come in order."""
        state, values = list(table.state), [k for k in table.key if k not in table.state]
        last = f"SELECT * EXCLUDE (source) FROM \"{table.name}\" WHERE source = '{JOURNAL}' QUALIFY row_number()"
        last += f" OVER (PARTITION BY {', '.join(state)} ORDER BY ts_recv DESC) = 1"
        before = pl.from_arrow(self._db.sql(last).to_arrow_table())
        assert isinstance(before, pl.DataFrame)
        both = pl.concat([before.with_columns(pl.lit(False).alias("new")), frame.with_columns(pl.lit(True).alias("new"))], how="vertical")
        same = pl.all_horizontal([pl.col(v).eq_missing(pl.col(v).shift(1).over(state)) for v in values])
        first = pl.int_range(pl.len()).over(state) == 0
        return both.filter(pl.col("new") & (first | ~same)).drop("new")

    @contextmanager
    def rebuilding(self, venue: str, since: int = 0) -> Iterator[None]:
        """See `Store.rebuilding`."""
        with self._transaction() as db:
            for table in TABLES:
                db.execute(f'DELETE FROM "{table}" WHERE venue = ? AND source = ? AND ts_recv >= ?', [venue, JOURNAL, since])
            db.execute("DELETE FROM spans WHERE venue = ? AND basis <> 'import'", [venue])
            db.execute("DELETE FROM ingested WHERE venue = ?", [venue])
            yield

    def forget(self, venue: str, since: int) -> None:
        """See `Store.forget`."""
        with self._transaction() as db:
            for table in TABLES:
                db.execute(f'DELETE FROM "{table}" WHERE venue = ? AND source = ? AND ts_recv >= ?', [venue, JOURNAL, since])

    def read(
        self, table: str, *, start: int | None = None, end: int | None = None, venue: str | None = None, base: str | None = None,
        as_of: int | None = None, source: str | None = None, limit: int | None = None, newest_first: bool = False,
        where: Mapping[str, object] | None = None, collapse: bool = False, largest_by: str | None = None, at_least: float | None = None,
        skip: int = 0,
    ) -> pa.Table:  # fmt: skip
        """See `Store.read`."""
        spec = table_named(table)
        tests: list[str] = []
        values: list[object] = []
        for test, value in (
            ("ts_event >= ?", start), ("ts_event < ?", end), ("venue = ?", venue), ("base = ?", base),
            ("ts_recv <= ?", as_of), ("source = ?", source), ("notional_usd >= ?", at_least),
            *((f'"{name}" = ?', v) for name, v in (where or {}).items()),
        ):  # fmt: skip
            if value is not None:
                tests.append(test)
                values.append(value)
        direction = " DESC" if newest_first else ""
        rest = [c.name for c in spec.columns if c.name not in ("ts_event", "ts_recv") and c.arrow != LEVELS]
        order = ", ".join(f'"{name}"{direction}' for name in ("ts_event", "ts_recv", *rest, "source"))
        sql = f'SELECT * FROM "{table}"' + (f" WHERE {' AND '.join(tests)}" if tests else "")
        if collapse and spec.state:
            sql += f" QUALIFY row_number() OVER (PARTITION BY {', '.join(spec.state)} ORDER BY ts_recv DESC, ts_event DESC, {order}) = 1"
        if largest_by is not None:
            order = f'"{largest_by}" DESC NULLS LAST, {order}'
        sql += f" ORDER BY {order}" + (f" LIMIT {int(limit)}" if limit is not None else "")
        sql += f" OFFSET {int(skip)}" if skip else ""
        return self._query(sql, values)

    def latest(
        self, table: str, per: Sequence[str], start: int, end: int, as_of: int, *, base: str | None = None, venue: str | None = None,
        where: Mapping[str, object] | None = None, bucket: int | None = None, told: Sequence[str] = (),
    ) -> pa.Table:  # fmt: skip
        """See `Store.latest`."""
        spec = table_named(table)
        named = {"base": base, "venue": venue, **(where or {})}
        given = {name: value for name, value in named.items() if value is not None}
        tests = ["ts_event >= ?", "ts_event < ?", "ts_recv <= ?", *(f'"{name}" = ?' for name in given)]
        kind = [f'"{name}" IS NULL' for name in told]
        of = [*(f'"{name}"' for name in per), *kind, *([] if bucket is None else [f"ts_event // {int(bucket)}"])]
        rest = [f'"{c.name}"' for c in spec.columns if c.name not in ("ts_event", "ts_recv") and c.arrow != LEVELS]
        order = f"ts_event DESC, ts_recv DESC, {', '.join(rest)}"
        return self._query(
            f'SELECT * EXCLUDE (source) FROM "{spec.name}" WHERE {" AND ".join(tests)}'
            f" QUALIFY row_number() OVER (PARTITION BY {', '.join(of)} ORDER BY {order}) = 1 ORDER BY ts_event, {', '.join(of)}",
            [start, end, as_of, *given.values()],
        )

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        try:
            return self._db.cursor().sql(sql, params=list(parameters)).to_arrow_table()
        except duckdb.Error as error:
            raise StoreError(f"the tables could not be read: {' '.join(str(error).split())[:200]}") from error

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            return self._db.cursor().execute(sql, list(parameters)).fetchall()
        except duckdb.Error as error:
            raise StoreError(f"the tables could not be read: {' '.join(str(error).split())[:200]}") from error

    def liquidation_sums(self, start: int, end: int, as_of: int) -> dict[Group, Sum]:
        """See `Store.liquidation_sums`."""
        rows = self._rows(
            f"SELECT venue, base, position_side, method, CAST(coalesce(sum({MICROS}), 0) AS BIGINT), count(*),"
            f" count(*) FILTER ({MICROS} IS NULL) FROM liquidations WHERE {COUNTED} GROUP BY ALL ORDER BY ALL",
            [start, end, as_of],
        )
        return {(str(v), str(b), str(s), str(m)): Sum(int(str(a)), int(str(n)), int(str(u))) for v, b, s, m, a, n, u in rows}

    def liquidation_grid(self, start: int, end: int, bucket: int, as_of: int) -> Iterator[tuple[str, int, str, int]]:
        """See `Store.liquidation_grid`."""
        rows = self._rows(
            f"SELECT venue, ts_event // ? - ? AS slot, position_side, CAST(coalesce(sum({MICROS}), 0) AS BIGINT) FROM liquidations"
            f" WHERE {COUNTED} AND method IN ('market', 'unknown') GROUP BY ALL ORDER BY ALL",
            [bucket, start // bucket, start, end, as_of],
        )
        return ((str(v), int(str(i)), str(side), int(str(micros))) for v, i, side, micros in rows)

    def liquidation_rules(self, start: int, end: int, as_of: int) -> dict[str, str]:
        """See `Store.liquidation_rules`."""
        rows = self._rows(
            f"SELECT venue, min(coverage_rule), max(coverage_rule) FROM liquidations WHERE {COUNTED} GROUP BY venue ORDER BY venue",
            [start, end, as_of],
        )
        return {str(venue): str(low) if low == high else "mixed" for venue, low, high in rows}

    def liquidation_prints(self, start: int, end: int, as_of: int) -> pa.Table:
        """See `Store.liquidation_prints`."""
        return self._query(series.PRINTS.format(counted=COUNTED, most=MOST_USD), [start, end, as_of])

    def counted_liquidations(self, start: int, end: int, as_of: int) -> pa.Table:
        """See `Store.counted_liquidations`."""
        return self._query(series.COUNTED_ROWS.format(counted=COUNTED), [start, end, as_of])

    def open_interest_series(self, start: int, end: int, as_of: int, bucket: int) -> pa.Table:
        """See `Store.open_interest_series`."""
        age = series.INTEREST_MARK_AGE
        return self._query(series.OPEN_INTEREST, [start, end, as_of, bucket, start - age, end, as_of, age])

    def taker_flow(self, start: int, end: int, as_of: int, bucket: int) -> pa.Table:
        """See `Store.taker_flow`."""
        return self._query(series.TAKER_FLOW, [bucket, bucket, start, end, as_of] * 2)

    def depth_series(self, start: int, end: int, as_of: int, base: str, bucket: int) -> pa.Table:
        """See `Store.depth_series`."""
        return self._query(series.DEPTH, [base, base, start, end, as_of, bucket])

    def book_rows(self, base: str, start: int, end: int, as_of: int, venue: str | None = None, *, begin: bool = True) -> pa.Table:
        """See `Store.book_rows`."""
        early = start - series.BOOK_LOOKBACK if begin else start
        return self._query(series.BOOK_ROWS, [base, early, start, as_of, base, early, end, start, as_of, venue, venue])

    def traded_at(self, venue: str, symbol: str, start: int, end: int, as_of: int) -> dict[tuple[str, float], float]:
        """See `Store.traded_at`."""
        rows = self._rows(series.TRADED_AT, [venue, symbol, start, end, as_of])
        return {(str(side), float(str(price))): float(str(usd)) for side, price, usd in rows}

    def option_trades(self, base: str, venue: str, since: int, at: int, as_of: int) -> pa.Table:
        """See `Store.option_trades`."""
        # The unified symbol of an option ends in its strike and C or P; nothing else does.
        return self._query(
            "SELECT * EXCLUDE (source) FROM trades WHERE base = ? AND venue = ? AND ts_recv > ? AND ts_event <= ? AND ts_recv <= ?"
            " AND (symbol LIKE '%-C' OR symbol LIKE '%-P') ORDER BY ts_event, ts_recv, symbol, trade_id",
            [base, venue, since, at, as_of],
        )

    def liquidations_at_mark(self, start: int, end: int, as_of: int) -> dict[str, tuple[float, float, int]]:
        """See `Store.liquidations_at_mark`."""
        sql = series.AT_MARK.format(counted=COUNTED, most=MOST_USD, longest=series.MARK_AGE)
        rows = self._rows(sql, [start, end, as_of, start - series.MARK_AGE, end, as_of])
        return {str(venue): (float(str(a)), float(str(b)), int(str(n))) for venue, a, b, n in rows}

    def price_series(
        self, base: str, start: int, end: int, as_of: int, bucket: int, *, venue: str | None = None, tables: Sequence[str] = ()
    ) -> PriceSeries | None:
        """See `Store.price_series`."""
        sources = [s for t in tables for s in PRICE_SOURCES if s[0] == t] if tables else PRICE_SOURCES
        for table, price, kind, also in sources:
            found = self._rows(
                f"SELECT venue, symbol, {kind} AS kind, count(*) AS n, count(DISTINCT (ts_event - ?) // ?) AS parts FROM {table}"
                f" WHERE base = ? AND ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND {price} IS NOT NULL{also}"
                " AND (? IS NULL OR venue = ?) GROUP BY venue, symbol, kind"
                " QUALIFY parts >= ? * max(parts) OVER ()"
                " ORDER BY coalesce(nullif(list_position(?, venue), 0), 99), n DESC, venue, symbol, kind LIMIT 1",
                [start, max((end - start) // PRICE_PARTS, 1), base, start, end, as_of, venue, venue, EQUALLY_WELL, list(PRICE_VENUES)],
            )
            if not found:
                continue
            found_venue, symbol, label = (str(x) for x in found[0][:3])
            rows = self._rows(
                f"SELECT max(ts_event), arg_max({price}, (ts_event, {price})) FROM {table} WHERE venue = ? AND symbol = ? AND {kind} = ?"
                f" AND ts_event >= ? AND ts_event < ? AND ts_recv <= ? AND {price} IS NOT NULL{also}"
                " GROUP BY ts_event // ? ORDER BY 1",
                [found_venue, symbol, label, start, end, as_of, max(bucket, 1)],
            )
            return PriceSeries(found_venue, symbol, label, [(int(str(t)), float(str(p))) for t, p in rows])
        return None

    def write_spans(self, spans: Sequence[Span], venue: str | None) -> None:
        """See `Store.write_spans`."""
        with self._transaction() as db:
            if venue is not None:
                db.execute("DELETE FROM spans WHERE venue = ? AND basis <> 'import'", [venue])
            if spans:
                db.executemany("INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?)", [list(msgspec.structs.astuple(s)) for s in spans])

    def spans(self) -> list[Span]:
        """See `Store.spans`."""
        rows = self._rows("SELECT * FROM spans ORDER BY venue, start_ns, route")
        return [msgspec.convert(dict(zip(Span.__struct_fields__, row, strict=True)), Span) for row in rows]

    def ingested(self) -> dict[str, Ingested]:
        """See `Store.ingested`."""
        found = self._rows("SELECT venue, rows, events, failures, until, resume, is_open FROM ingested ORDER BY venue")
        return {
            str(venue): Ingested(int(str(a)), int(str(b)), int(str(c)), int(str(d)), int(str(e)), bool(f))
            for venue, a, b, c, d, e, f in found
        }

    def set_ingested(self, venue: str, ingested: Ingested) -> None:
        """See `Store.set_ingested`."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO ingested VALUES (?, ?, ?, ?, ?, ?, ?)", [venue, *ingested])

    def extent(self, table: str) -> tuple[int, int] | None:
        """See `Store.extent`."""
        low, high = self._rows(f'SELECT min(ts_event), max(ts_event) FROM "{table_named(table).name}"')[0]
        return None if low is None else (int(str(low)), int(str(high)))

    def counts(self) -> dict[str, int]:
        """See `Store.counts`."""
        sql = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in TABLES)
        return {str(name): int(str(n)) for name, n in self._rows(sql) if n}

    def close(self) -> None:
        """See `Store.close`."""
        self._db.close()


def table_named(name: str) -> Table:
    """Return the table of that name. Raises BadInput naming the known ones."""
    try:
        return TABLES[name]
    except KeyError:
        raise BadInput(f"unknown table {name!r}; known: {', '.join(TABLES)}") from None
