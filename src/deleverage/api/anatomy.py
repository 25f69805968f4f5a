"""What lies behind the totals: how much was hidden, the waves, who went first, what was forced.

Frames are read under the session's lock and worked on outside it.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from deleverage.analytics import completeness, flow, lead_lag, transfer, waves
from deleverage.analytics.coverage import coverage, of_liquidations, stretches
from deleverage.analytics.liquidations import Dimension, breakdown, concentration
from deleverage.analytics.waves import SECOND, Around, Scale
from deleverage.api.session import Session
from deleverage.live import LONGEST, WINDOWS
from deleverage.log import complain

MS = 1_000_000
LEAD = 600 * SECOND
"""Read before a window, so that its first prints have neighbours."""
PRICE_POINTS = 8_000
TICK = SECOND // 10
SHIFTS = np.concatenate([np.arange(-10, -1.5, 1.0), np.arange(-1, 1.05, 0.2), np.arange(2, 10.5, 1.0)])
"""Seconds by which prices are shifted against each other."""
LONGEST_LEAD = 7200 * SECOND
"""Longest window (ns) whose price leads are looked for."""
PRICED = 5
"""Bases whose prices are set against the reference's."""
MOST_MINUTES = 5_256_000
"""Minutes (ten years) of the longest window whose concentration is told."""
FRESH = 3.0
"""Seconds between two readings of the whole day at least; and twenty times what one costs."""


class Material(NamedTuple):
    """What was read of a session for [start, at) as known at `as_of` (ns UTC): raw prints from `LEAD` before, what lies around, and
    the share of the window in which each venue's liquidations were received."""

    start: int
    at: int
    as_of: int
    prints: pl.DataFrame
    around: Around
    heard: Mapping[str, float]


def frame(table: pa.Table) -> pl.DataFrame:
    """Turn an Arrow table into a frame."""
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found


def read(session: Session, start: int, at: int, as_of: int, base: str = "BTC", *, whole: bool = True, flows: bool = False) -> Material:
    """Read what is needed; the caller holds the session. Without `whole` only the prints, with `flows` open interest and taker flow too."""
    session.flush()
    store = session.store
    prints = frame(store.liquidation_prints(start - LEAD, at, as_of))
    spans = [span for span in session.spans() if span.known <= as_of]
    heard = {venue: coverage(of_liquidations(spans, venue), start, at) for venue in {span.venue for span in spans}}
    if flows:
        interest, taker = store.open_interest_series(start, at, as_of, transfer.BUCKET), store.taker_flow(start, at, as_of, transfer.BUCKET)
        return Material(start, at, as_of, prints, Around(open_interest=_filled(interest), taker=_filled(taker)), heard)
    if not whole:
        return Material(start, at, as_of, prints, Around(), heard)
    bucket = max((at - start) // PRICE_POINTS, SECOND)
    series = store.price_series(base, start - LEAD, at, as_of, bucket)
    prices = None
    if series is not None:
        ts, price = zip(*series.points, strict=True)
        prices = pl.DataFrame({"ts_event": ts, "price": price}, schema={"ts_event": pl.Int64, "price": pl.Float64})
    around = Around(
        base, series.price_kind if series is not None else "", prices,
        _filled(store.open_interest_series(start - 2 * LEAD, at, as_of, 60 * SECOND)),
        _filled(store.taker_flow(start, at, as_of, 5 * SECOND)),
        _filled(store.depth_series(start, at, as_of, base, 5 * SECOND), "bid_usd", "ask_usd"),
        _heard(session, start, at, as_of),
    )  # fmt: skip
    return Material(start, at, as_of, prints, around, heard)


def _filled(table: pa.Table, *needed: str) -> pl.DataFrame | None:
    rows = frame(table).drop_nulls(list(needed)) if needed else frame(table)
    return None if rows.is_empty() else rows


def _heard(session: Session, start: int, at: int, as_of: int) -> list[tuple[int, int]] | None:
    """Return the stretches of [start, at) in which any venue's liquidations were being received; None where no span tells."""
    spans = [span for span in session.spans() if span.liquidations and span.known <= as_of]
    return stretches(spans, start, at) or None


def hidden_prints(material: Material) -> pl.DataFrame:
    """Return the window's prints with what each hides."""
    return completeness.hidden(material.prints).filter(pl.col("ts_event") >= material.start)


def document_of(estimate: completeness.Estimate, at: int) -> dict[str, Any]:
    """Write an estimate for an answer."""
    found: dict[str, Any] = msgspec.structs.asdict(estimate)
    return {**found, "unseen": list(estimate.unseen), "interval": [estimate.low_usd, estimate.high_usd], "at_ms": at // MS}


def estimates(contracts: pl.DataFrame, at: int, by: str | None) -> dict[str, dict[str, Any]]:
    """Return by venue, base or side (None: under "") the estimate of both sides and the long share, raw and corrected."""
    if by == "side":
        longs, shorts = completeness.estimate(contracts, "long"), completeness.estimate(contracts, "short")
        return {"long": {"estimate": document_of(longs, at)}, "short": {"estimate": document_of(shorts, at)}}
    groups = [("", contracts)] if by is None else [(str(name), rows) for (name,), rows in contracts.group_by([by], maintain_order=True)]
    return {
        name: {
            "estimate": document_of(completeness.estimate(rows), at),
            "estimate_long": document_of(completeness.estimate(rows, "long"), at),
            "estimate_short": document_of(completeness.estimate(rows, "short"), at),
            "long_share_corrected": msgspec.structs.asdict(completeness.long_share(rows)),
        }
        for name, rows in groups
    }


def totals_document(
    material: Material, by: str, rows: Sequence[Mapping[str, Any]] | None, whole: Mapping[str, Any], interest: pl.DataFrame,
    marks: Mapping[str, tuple[float, float, int]], *, with_estimate: bool,
) -> dict[str, Any]:  # fmt: skip
    """Complete an answer about totals: `rows` as summed (None: broken down here by several keys), estimates, concentration, marks, and
    the share of the open interest at the window's start."""
    inside = material.prints.filter(pl.col("ts_event") >= material.start)
    given: Sequence[Mapping[str, Any]] = breakdown(inside, [cast(Dimension, key) for key in by.split(",")]) if rows is None else rows
    data = [dict(row) for row in given]
    total: dict[str, Any] = dict(whole) | {
        **concentration(_by_minute(inside, material.start, material.at)), "largest_usd": inside["notional_usd"].max(),
        "printed_at_bankruptcy_usd": sum(a for a, _, _ in marks.values()) if marks else None,
        "same_at_mark_usd": sum(b for _, b, _ in marks.values()) if marks else None,
    }  # fmt: skip
    held = interest.group_by("venue", "base", "symbol").agg(pl.col("usd").sort_by("ts_event").first())
    if rows is not None and by in ("venue", "base"):
        sums = dict(held.group_by(by).agg(pl.col("usd").sum()).iter_rows())
        for row in data:
            usd = sums.get(row[by])
            row["open_interest_share"] = row["total_usd"] / usd if usd else None
            if by == "venue":
                row["printed_at_bankruptcy_usd"], row["same_at_mark_usd"], _ = marks.get(row["venue"], (None, None, 0))
    if with_estimate:
        contracts = completeness.by_contract(hidden_prints(material))
        if rows is not None:
            found = estimates(contracts, material.at, by)
            if by == "venue":
                _transfer(found, contracts, inside, material.around)
            for row in data:
                row |= _beside(found.get(row[by]), row)
        total |= _beside(estimates(contracts, material.at, None)[""], total)
    return {"data": data, "total": total}


def _beside(found: Mapping[str, Any] | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """The estimate's fields beside a row's own; without a priced order in it there is none."""
    if found is None or row["count"] == row["unpriced_count"]:
        return {"estimate": None, "interval": None, "status": "missing" if not row.get("coverage", 1) else "measured"}
    return {**found, "interval": found["estimate"]["interval"], "status": found["estimate"]["status"]}


def _transfer(found: dict[str, dict[str, Any]], contracts: pl.DataFrame, prints: pl.DataFrame, around: Around) -> None:
    """Put beside throttled venues' estimates what full-feed venues' habits say of theirs, and both combined."""
    if around.open_interest is None or around.taker is None:
        return
    rules = dict(contracts.select("venue", "coverage_rule").iter_rows())
    full = [venue for venue, rule in rules.items() if rule in completeness.COMPLETE]
    throttled = [venue for venue, rule in rules.items() if rule in completeness.THROTTLED]
    said = transfer.transferred(transfer.moves(prints, around.open_interest, around.taker), full, throttled)
    for venue, other in said.items():
        own = found[venue]["estimate"]
        ranges = [transfer.Range(other.usd, other.low, other.high)]
        if own["high_usd"] is not None:
            ranges.append(transfer.Range(own["estimate_usd"], own["low_usd"], own["high_usd"]))
        both = transfer.combine(ranges, own["observed_usd"])
        found[venue] |= {"transfer": other._asdict(), "combined": both._asdict()}


def _by_minute(prints: pl.DataFrame, start: int, at: int) -> list[float]:
    minutes = max((at - start) // (60 * SECOND), 1)
    if minutes > MOST_MINUTES:
        return []
    slots = ((prints["ts_event"] - start) // (60 * SECOND)).clip(0, minutes - 1).to_numpy()
    return list(np.bincount(slots, prints["notional_usd"].to_numpy(), minutes))


def wave_rows(material: Material, scale: Scale) -> list[dict[str, Any]]:
    """Return the waves of the window, earliest first."""
    found = waves.waves(completeness.hidden(material.prints), material.start, material.at, scale, material.around)
    return [wave_document(wave) for wave in found]


def wave_document(wave: waves.Wave) -> dict[str, Any]:
    """Write a wave for an answer."""
    row: dict[str, Any] = msgspec.to_builtins(wave)
    return {
        **row, "start_ms": wave.start // MS, "end_ms": wave.end // MS, "start_ns": str(wave.start), "end_ns": str(wave.end),
        "estimate": document_of(wave.estimate, wave.end), "total_usd": wave.long_usd + wave.short_usd,
        "seconds": (wave.end - wave.start) / SECOND,
    }  # fmt: skip


class Prices(NamedTuple):
    """Last prices per tenth of a second of some bases, all on one venue: base → (seconds, log price); and open interest by base, USD."""

    venue: str
    kind: str
    series: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    open_interest: Mapping[str, float]


def read_prices(session: Session, material: Material, reference: str) -> Prices | None:
    """Read the prices of the reference and of the most liquidated bases on its venue, over `LONGEST_LEAD` at most; None without any."""
    store, start, at, as_of = session.store, material.start, material.at, material.as_of
    held = frame(store.open_interest_series(start - LEAD, start + LEAD, as_of, 2 * LEAD))
    usd = held.group_by("venue", "base", "symbol").agg(pl.col("usd").first()).group_by("base").agg(pl.col("usd").sum())
    interest = {str(base): float(amount) for base, amount in usd.iter_rows()}
    own = None
    if at - start <= LONGEST_LEAD:
        own = store.price_series(reference, start, at, as_of, TICK, tables=("trades", "mark_prices"))
    if own is None:
        return Prices("", "", {}, interest) if interest else None
    table = ("trades",) if own.price_kind == "trade" else ("mark_prices",)
    inside = material.prints.filter(pl.col("ts_event") >= start)
    largest = inside.group_by("base").agg(pl.col("notional_usd").sum()).sort("notional_usd", "base", descending=[True, False])["base"]
    series = {reference: _ticks(own.points)}
    for base in [b for b in largest.to_list() if b != reference][:PRICED]:
        found = store.price_series(base, start, at, as_of, TICK, venue=own.venue, tables=table)
        if found is not None and len(found.points) >= 50:
            series[base] = _ticks(found.points)
    return Prices(own.venue, own.price_kind, series, interest)


def _ticks(points: Sequence[tuple[int, float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ts, price = zip(*points, strict=True)
    return np.array(ts, dtype=np.int64) / SECOND, np.log(np.array(price, dtype=np.float64))


def ladder_rows(material: Material, reference: str, prices: Prices | None = None) -> list[dict[str, Any]]:
    """Return the bases of the window in the order in which they were liquidated, with what their prices say where they are known."""
    inside = material.prints.filter(pl.col("ts_event") >= material.start)
    rows = []
    for rung in lead_lag.ladder(inside, material.start, material.at, reference):
        row = msgspec.structs.asdict(rung) | {
            "t10_ms": None if rung.t10 is None else material.start // MS + round(rung.t10 * 1000),
            "price_lead": None, "price_venue": None, "downside_beta": None, "elasticity": None,
        }  # fmt: skip
        if prices is not None:
            row |= _by_prices(rung, reference, prices)
        rows.append(row)
    return rows


def _by_prices(rung: lead_lag.Rung, reference: str, prices: Prices) -> dict[str, Any]:
    """Who led by price (above 0: the reference leads), the downside beta, and the share of open interest liquidated per 1 % of its fall."""
    known: dict[str, Any] = {"price_venue": prices.venue or None}
    lead_prices = prices.series.get(reference)
    if lead_prices is None or len(lead_prices[0]) < 3:
        return known
    change = float(np.exp(lead_prices[1][-1] - lead_prices[1][0])) - 1
    if rung.base in prices.open_interest:
        known["elasticity"] = lead_lag.elasticity(rung.usd, prices.open_interest[rung.base], change)
    own = prices.series.get(rung.base)
    if own is None or rung.base == reference:
        return known
    found = lead_lag.lead(*lead_prices, *own, SHIFTS, rng=np.random.default_rng(0), resolution=TICK / SECOND, draws=60)
    grid = np.arange(max(lead_prices[0][0], own[0][0]), min(lead_prices[0][-1], own[0][-1]), 300.0)
    returns = [np.diff(np.interp(grid, *series)) for series in (own, lead_prices)] if len(grid) > 4 else [np.zeros(0)] * 2
    known["price_lead"] = msgspec.structs.asdict(found)
    known["downside_beta"] = lead_lag.downside_beta(*returns)
    return known


def flow_document(material: Material, base: str) -> dict[str, Any]:
    """Take the window's move of one base apart, over the venues whose trades and open interest are both known; dollars."""
    around = material.around
    own = material.prints.filter((pl.col("base") == base) & (pl.col("ts_event") >= material.start))
    traded = None if around.taker is None else around.taker.filter(pl.col("base") == base)
    venues = sorted(set(traded["venue"].to_list())) if traded is not None else []
    rows = [_venue_flow(material, base, venue, own, traded) for venue in venues if traded is not None]
    unknown = sorted(set(own["venue"].to_list()) - set(venues))
    return {"base": base, "venues": rows, "without_trades": unknown}


def _venue_flow(material: Material, base: str, venue: str, prints: pl.DataFrame, traded: pl.DataFrame) -> dict[str, Any]:
    taken = traded.filter(pl.col("venue") == venue)
    buy, sell = float(taken["buy_quantity"].sum()), float(taken["sell_quantity"].sum())
    price = (float(taken["buy_usd"].sum()) + float(taken["sell_usd"].sum())) / (buy + sell) if buy + sell else 0.0
    mine = prints.filter(pl.col("venue") == venue)
    share = material.heard.get(venue, 0.0)
    is_heard = share > 0 or len(mine) > 0
    forced = {side: float(mine.filter(pl.col("position_side") == side)["notional_usd"].sum()) for side in ("long", "short")}
    start_oi = end_oi = None
    if material.around.open_interest is not None:
        own = material.around.open_interest.filter((pl.col("venue") == venue) & (pl.col("base") == base)).drop_nulls("quantity")
        last = pl.col("quantity").sort_by("ts_event").last()
        before = own.filter(pl.col("ts_event") <= material.start).group_by("symbol").agg(last)
        after = own.filter(pl.col("ts_event") > material.start).group_by("symbol").agg(last)
        both = before.join(after, on="symbol", suffix="_after")
        if len(both):
            start_oi, end_oi = float(both["quantity"].sum()), float(both["quantity_after"].sum())
    high = None
    if price and len(mine):
        contracts = completeness.by_contract(hidden_prints(material).filter((pl.col("venue") == venue) & (pl.col("base") == base)))
        top = completeness.estimate(contracts).high_usd
        high = None if top is None else top / price
    found = flow.decompose(
        taker_buy=buy, taker_sell=sell, oi_start=start_oi, oi_end=end_oi, forced_high=high,
        forced_long=forced["long"] / price if price and is_heard else None,
        forced_short=forced["short"] / price if price and is_heard else None,
    )  # fmt: skip
    line = flow.line(found, share)
    if is_heard and share < 0.99:
        line += f" Liquidations were received for {share:.0%} of the window."
    return {"venue": venue, "price": price, "line": line, "liquidation_coverage": share, **msgspec.to_builtins(found)}


class Truth:
    """The last day's estimates and waves of a session that moves, kept fresh in the background: a reading is never waited for twice."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._latest: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None
        self._finished = self._cost = 0.0

    @property
    def at(self) -> int:
        """The moment of the newest reading; 0 before the first."""
        return 0 if self._latest is None else int(self._latest["at"])

    def latest(self, now: int) -> dict[str, Any] | None:
        """Return what was last found, at most a reading old, and see to the next; None while there is none before `now`."""
        due = now != self.at and time.monotonic() - self._finished > max(FRESH, 20 * self._cost)
        if due and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._read, name="truth", daemon=True)
            self._thread.start()
        return self._latest if self.at <= now else None

    def _read(self) -> None:
        began = time.monotonic()
        try:
            with self.session.held():
                if self.session.is_closed:
                    return
                now = self.session.now()
                material = read(self.session, now - LONGEST, now, now)
            self._latest = day(material)
        except Exception as error:  # the page goes on without estimates, and somebody is told
            complain("truth", "estimates could not be worked out", error=" ".join(str(error).split())[:200])
        finally:
            self._finished = time.monotonic()
            self._cost = self._finished - began

    def join(self) -> None:
        """Wait for a reading under way."""
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()


def day(material: Material) -> dict[str, Any]:
    """Work out the standing windows' estimates, overall and by venue, and the waves, of a day's material."""
    prints = completeness.hidden(material.prints)
    windows: dict[str, Any] = {}
    for name, width in WINDOWS.items():
        contracts = completeness.by_contract(prints.filter(pl.col("ts_event") >= material.at - width))
        windows[name] = {"all": estimates(contracts, material.at, None)[""], "venues": estimates(contracts, material.at, "venue")}
    found = waves.waves(prints, material.start, material.at, "minutes", material.around)
    return {"at": material.at, "windows": windows, "waves": [wave_document(wave) for wave in found]}


def raised(found: dict[str, Any] | None, row_total: float | None) -> dict[str, Any] | None:
    """Put an estimate upon what is observed now: what it adds is kept, the floor is the present one."""
    if found is None or row_total is None:
        return None
    estimate = found["estimate"]
    more = row_total - estimate["observed_usd"]
    high = None if estimate["high_usd"] is None else estimate["high_usd"] + more
    low = estimate["low_usd"] + more
    return {
        **estimate, "observed_usd": row_total, "estimate_usd": estimate["estimate_usd"] + more, "low_usd": low, "high_usd": high,
        "interval": [low, high],
    }  # fmt: skip
