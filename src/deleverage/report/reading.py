"""Everything a report is made from, read once: frames of rows as known at a moment. What follows is a function of it alone.

So a report can be made again from its data pack, and no figure has an input that is not in it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

import msgspec
import polars as pl

from deleverage.analytics.coverage import Span, coverage, of_liquidations, stretches
from deleverage.analytics.liquidations import IN_MARKET, MOST_USD, Group, Sum
from deleverage.analytics.waves import SECOND
from deleverage.api import option_material
from deleverage.api.anatomy import LEAD, PRICE_POINTS, frame
from deleverage.api.reconstructed import overlaps
from deleverage.api.session import Session
from deleverage.figure import hash_inputs
from deleverage.report.digest import fingerprints, of_hashes
from deleverage.report.selector import Selector, parse
from deleverage.store.store import Store
from deleverage.venues import VENUES

HOUR = 3600 * SECOND
DAY = 24 * HOUR
MONTHS = 6
"""Months of open interest read: the peak is looked for in them."""
SERIES = {"window": "prices", "hourly": "prices", "minutes": "open_interest_minutes"}
"""Frame of each series: the last row per bucket rather than every row."""
BETA_DAYS = 140
"""Days of hourly prices read: ninety trading days of them."""
Found = TypeVar("Found")


class Question(msgspec.Struct, frozen=True):
    """What is reported on: [at − window, at) as known at `as_of`, ns UTC; `base` is the coin whose price is told. `is_reconstruction`:
    the rows were made, not recorded."""

    at: int
    as_of: int
    window: int
    base: str = "BTC"
    is_reconstruction: bool = False


class Reading:
    """Frames by name. `liquidations` reaches from `LEAD` before the window, everything else as far back as it is told of.

    All but `liquidations`, whose money is summed exactly, are put in a total order: sums of floats depend on it.
    """

    def __init__(self, question: Question, frames: Mapping[str, pl.DataFrame]) -> None:
        self.question = question
        self.frames = {name: rows if name == "liquidations" else _ordered(rows) for name, rows in frames.items()}
        self.at, self.as_of, self.window = question.at, question.as_of, question.window
        self.start = self.at - self.window
        self.before: Reading | None = None
        """The same moment as it was known then, where more is known now."""
        self._kept: dict[str, Any] = {}

    @property
    def length(self) -> str:
        """The window in words of the command line: 24h, 90m, 7d is 168h."""
        for size, unit in ((HOUR, "h"), (60 * SECOND, "m"), (SECOND, "s")):
            if self.window % size == 0:
                return f"{self.window // size}{unit}"
        return f"{self.window}ns"

    def once(self, name: str, work: Callable[[], Found]) -> Found:
        """Return what `work` gives, worked out once per reading."""
        if name not in self._kept:
            self._kept[name] = work()
        return cast(Found, self._kept[name])

    # --- rows ------------------------------------------------------------------------------------------------------------

    def select(self, table: str, *, start: int | None = None, end: int | None = None, **filters: Any) -> Selector:
        """Return the selector of some rows; `end` defaults to the window's, `filters` are text."""
        return Selector(table, start, self.at if end is None else end, self.as_of, tuple(filters.items()))

    def within(self, table: str, **filters: Any) -> Selector:
        """Return the selector of the window's rows."""
        return self.select(table, start=self.start, **filters)

    def priced(self, series: str, start: int) -> Selector:
        """Return the selector of the base's prices (`window` or `hourly`) from `start` on."""
        rows = self.frames["prices"].filter(series=series)
        if rows.is_empty():
            return self.select("candles", start=start, base=self.question.base, series=series)
        named: dict[str, Any] = {name: str(rows[name][0]) for name in ("venue", "base", "symbol")}
        return self.select(str(rows["table"][0]), start=start, **named, series=series)

    def rows(self, selector: Selector | str) -> pl.DataFrame:
        """Return the rows a selector names, of those read. Raises BadInput where it names none of the frames."""
        found = parse(selector) if isinstance(selector, str) else selector
        return found.of(self.frames[self._frame_of(found)])

    def _frame_of(self, selector: Selector) -> str:
        """Name the frame a selector speaks of: series read by bucket are in one of their own, whatever table they are from."""
        return SERIES.get(dict(selector.filters).get("series", ""), selector.table)

    def plain(self, name: str) -> pl.DataFrame:
        """Return a frame with its own columns alone."""
        rows = self.frames[name]
        return rows.drop("row_hash") if "row_hash" in rows.columns else rows

    def digest(self, selectors: Sequence[Selector]) -> str:
        """Digest the rows of some selectors, and the question they answer."""
        return hash_inputs([self.window, self.at, *(self._digest(s) for s in sorted(selectors, key=lambda s: s.text))])

    def _digest(self, selector: Selector) -> str:
        def work() -> str:
            name = self._frame_of(selector)
            rows = self.frames[name]
            if "row_hash" not in rows.columns:
                rows = self.frames[name] = rows.with_columns(pl.Series("row_hash", fingerprints(rows)))
            needed = {"ts_event", "start", "ts_recv", "row_hash", *(name for name, _ in selector.filters)}
            return of_hashes(selector.of(rows.select([name for name in rows.columns if name in needed]))["row_hash"].to_numpy())

        return self.once(f"digest {selector.text}", work)

    # --- what several figures need ---------------------------------------------------------------------------------------

    @cached_property
    def spans(self) -> list[Span]:
        """Stretches received, as far as known."""
        names = Span.__struct_fields__
        return [Span(**{name: row[name] for name in names}) for row in self.frames["spans"].to_dicts()]

    def heard(self, venue: str) -> float:
        """Share of the window in which a venue's liquidations were being received."""
        return self.once(f"heard {venue}", lambda: coverage(of_liquidations(self.spans, venue), self.start, self._until))

    def stretches(self, venue: str) -> list[tuple[int, int]]:
        """Parts of the window in which a venue's liquidations were being received."""
        return stretches(of_liquidations(self.spans, venue), self.start, self._until)

    @property
    def _until(self) -> int:
        return max(min(self.at, self.as_of), self.start)

    @cached_property
    def prints(self) -> pl.DataFrame:
        """Priced market liquidations of venues from `LEAD` before the window on."""
        rows = self.frames["liquidations"]
        of_venues = pl.col("venue").is_in(list(VENUES)) & pl.col("method").is_in(IN_MARKET) & (pl.col("notional_usd") < MOST_USD)
        return rows.filter(of_venues).sort("ts_event", "venue", "symbol", "position_side", "notional_usd", "quantity", "price")

    @cached_property
    def sums(self) -> dict[Group, Sum]:
        """Exact sums of the window by venue, base, side and method; of venues alone."""
        return {group: found for group, found in self._all_sums.items() if group[0] in VENUES}

    @cached_property
    def others(self) -> dict[Group, Sum]:
        """Exact sums of what other aggregators say, as imported; never added to ours."""
        return {group: found for group, found in self._all_sums.items() if group[0] not in VENUES}

    @cached_property
    def _all_sums(self) -> dict[Group, Sum]:
        usd = pl.col("notional_usd")
        micros = pl.when(usd < MOST_USD).then((usd * 1e6 + 0.5).floor().cast(pl.Int64))
        rows = self.frames["liquidations"].filter(pl.col("ts_event") >= self.start).group_by("venue", "base", "position_side", "method")
        found = rows.agg(micros.sum().alias("micros"), pl.len().alias("n"), micros.is_null().sum().alias("unpriced"))
        return {(v, b, s, m): Sum(int(a), int(n), int(u)) for v, b, s, m, a, n, u in found.sort(pl.all()).iter_rows()}

    @cached_property
    def seen(self) -> list[str]:
        """Venues with orders in the window or received in it."""
        named = {venue for venue, *_ in self.sums}
        return [venue for venue in VENUES if venue in named or self.heard(venue) > 0]

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Venues of which nothing was received in the window."""
        return tuple(venue for venue in VENUES if venue not in self.seen)

    @cached_property
    def coverage(self) -> float:
        """Mean share of the window received, over the venues received at all."""
        shares = [self.heard(venue) for venue in self.seen if self.heard(venue) > 0]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def rules(self) -> dict[str, str]:
        """Coverage rule of each venue's orders in the window, `mixed` where they differ; without orders the venue's own."""

        def work() -> dict[str, str]:
            rows = self.frames["liquidations"].filter(pl.col("ts_event") >= self.start).group_by("venue")
            pairs = rows.agg(low=pl.col("coverage_rule").min(), high=pl.col("coverage_rule").max()).iter_rows()
            said = {venue: low if low == high else "mixed" for venue, low, high in pairs}
            own = {v: VENUES[v].coverage_at(min(self.at, self.as_of), "linear").rule for v in self.seen}
            return {**own, **{venue: rule for venue, rule in said.items() if venue in VENUES}}

        return self.once("rules", work)

    def floor(self, venue: str | None = None) -> bool:
        """Tell whether a venue's sum (None: the total) is a floor: its feed leaves orders out, or part of the window was not received."""
        names = self.seen if venue is None else [venue]
        return any(self.rules.get(v) not in ("full", "presumed_full") for v in names) or (venue is None and bool(self.missing))


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort by every column that is not nested, time first."""
    flat = sorted((name for name, kind in rows.schema.items() if not kind.is_nested()), key=lambda name: (name != "ts_event", name))
    return rows.sort(flat, nulls_last=False) if flat and len(rows) else rows


def read(session: Session, at: int, as_of: int, window: int, base: str = "BTC") -> Reading:
    """Read what a report on [at − window, at) as known at `as_of` (ns UTC) needs; the caller holds the session.

    Where that is later than the moment itself, what was known then is read too: a later report tells what was revised.
    """
    found = _read(session, at, as_of, window, base)
    if as_of > at:
        found.before = _read(session, at, at, window, base)
    return found


def _read(session: Session, at: int, as_of: int, window: int, base: str) -> Reading:
    session.flush()
    store, start = session.store, at - window
    question = Question(at, as_of, window, base, overlaps(session.reconstructed(), start, at))
    spans = [s for s in session.spans() if s.start < min(at, as_of) and s.known <= as_of]
    spans = [s if s.end is None else msgspec.structs.replace(s, end=min(s.end, as_of)) for s in spans]
    schema = {"venue": pl.String, "route": pl.String, "start": pl.Int64, "end": pl.Int64, "liquidations": pl.Boolean, "basis": pl.String,
              "known": pl.Int64}  # fmt: skip
    frames = {
        "spans": pl.DataFrame([msgspec.structs.asdict(s) for s in spans], schema=schema).sort("venue", "start", "route"),
        "liquidations": frame(store.counted_liquidations(start - LEAD, at, as_of)),
        "prices": pl.concat(
            [
                _prices(store, "window", base, start - LEAD, at, as_of, max(window // PRICE_POINTS, SECOND)),
                _prices(store, "hourly", base, at - BETA_DAYS * DAY, at, as_of, HOUR),
            ]
        ),
        "open_interest_minutes": frame(store.open_interest_series(start - 2 * LEAD, at, as_of, 60 * SECOND)).with_columns(
            series=pl.lit("minutes")
        ),
        "mark_prices": _latest(store, "mark_prices", at - MONTHS * 31 * DAY, at, as_of, base, HOUR),
        "taker_flow": frame(store.taker_flow(start, at, as_of, 5 * SECOND)),
        "book_depth": frame(store.depth_series(start, at, as_of, base, 5 * SECOND)),
        "open_interest": _latest(store, "open_interest", at - MONTHS * 31 * DAY, at, as_of, base, HOUR),
        "funding_rates": _latest(store, "funding_rates", start - 14 * DAY, at, as_of, base, HOUR, "funding_kind"),
        "volatility_indices": frame(store.latest("volatility_indices", ("venue", "index_name"), at - 60 * DAY, at, as_of, bucket=HOUR)),
        **{name: frame(store.read(name, end=at, as_of=as_of)).drop("source") for name in ("etf_flows", "sentiment_readings")},
        "macro_observations": frame(store.read("macro_observations", start=at - 800 * DAY, end=at, as_of=as_of)).drop("source"),
        "gaps": frame(store.read("gaps", end=at, as_of=as_of)).drop("source"),
    }
    frames["open_interest_minutes"] = frames["open_interest_minutes"].with_columns(series=pl.lit("minutes"))
    asked = option_material.Asked(base, None, start, at, as_of)
    material = option_material.read(session, asked)
    quotes, spot = material.quotes, material.index_price
    frames["option_quotes"] = quotes if quotes.width else frame(store.read("option_quotes", limit=0)).drop("source")
    told = [] if spot is None else [spot._asdict()]
    frames["spot"] = pl.DataFrame(told, schema={"price": pl.Float64, "source": pl.String, "ts": pl.Int64})
    return Reading(question, frames)


def _latest(store: Store, table: str, start: int, at: int, as_of: int, base: str, bucket: int, *more: str) -> pl.DataFrame:
    rows = frame(store.latest(table, ("venue", "venue_symbol", *more), start, at, as_of, base=base, bucket=bucket))
    return rows if rows.is_empty() else rows.sort("ts_event", "venue", "symbol")


def _prices(store: Store, series: str, base: str, start: int, at: int, as_of: int, bucket: int) -> pl.DataFrame:
    """The best price series of a base, its last price per bucket; column `table` says where it is from."""
    found = store.price_series(base, start, at, as_of, bucket)
    schema = {"table": pl.String, "series": pl.String, "venue": pl.String, "symbol": pl.String, "base": pl.String, "price_kind": pl.String,
              "ts_event": pl.Int64, "price": pl.Float64}  # fmt: skip
    if found is None:
        return pl.DataFrame(schema=schema)
    tables = {"candle close": "candles", "mark": "mark_prices", "trade": "trades"}
    ts, price = zip(*found.points, strict=True)
    rows = pl.DataFrame({"ts_event": ts, "price": price}, schema={"ts_event": pl.Int64, "price": pl.Float64})
    said = {"table": tables.get(found.price_kind, "liquidations"), "series": series, "venue": found.venue, "symbol": found.symbol,
            "base": base, "price_kind": found.price_kind}  # fmt: skip
    return rows.with_columns(**{name: pl.lit(value) for name, value in said.items()}).select(list(schema))
