"""What the first page shows, as one document: every number in it can be asked for by itself from the routes beside it."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypedDict

from msgspec import structs

from deleverage.analytics.coverage import Span, of_liquidations, stretches
from deleverage.analytics.liquidations import By, Group, Sum, Total, Treemap, grid_values, totals, treemap
from deleverage.api.reconstructed import overlaps
from deleverage.api.session import Session
from deleverage.collect.status import VenueStatus
from deleverage.figure import Figure, Status, dollars, hash_inputs
from deleverage.venues import VENUES
from deleverage.venues.venue import Coverage
from deleverage.when import iso

MS = 1_000_000
UNHEARD = ("down", "blind", "silent", "skewed")
"""States of a venue's liquidation channel in which a total does not hold it."""
RECENT = 60_000_000_000
"""A moment this near (ns) to the collection's now is now."""
STALE = 600 * 1_000_000_000
"""A recorded feed that said nothing for this long (ns) is shown with the age of its last event."""


class Moment:
    """A window of a session: [at − window, at) as known at `as_of`; all ns UTC. Sums and spans are read once."""

    def __init__(self, session: Session, window: int, at: int, as_of: int) -> None:
        self.session, self.window, self.at, self.as_of = session, window, at, as_of
        self.start = at - window
        known = (s for s in session.spans() if s.start < min(at, as_of) and s.known <= as_of)
        self.spans = [s if s.end is None else structs.replace(s, end=min(s.end, as_of)) for s in known]
        self._sums: dict[Group, Sum] | None = None
        self._rules: dict[str, str] | None = None
        self._unheard: dict[str, str] | None = None

    @property
    def is_reconstruction(self) -> bool:
        """Whether the window holds anything that was made again, not recorded."""
        return overlaps(self.session.reconstructed(), self.start, self.at)

    @property
    def sums(self) -> dict[Group, Sum]:
        """Exact sums of the window."""
        if self._sums is None:
            self._sums = self.session.sums(self.window, self.at, self.as_of)
        return self._sums

    def coverage(self, venue: str) -> float:
        """Share of the window in which the venue's liquidations were being received."""
        return sum(high - low for low, high in self._stretches(venue)) / self.window

    def _stretches(self, venue: str) -> list[tuple[int, int]]:
        """Parts of the window in which the venue's liquidations were being received, as far as known by then."""
        return stretches(of_liquidations(self.spans, venue), self.start, max(min(self.at, self.as_of), self.start))

    def overall_coverage(self) -> float:
        """Mean coverage of the venues that were received at all in the window; the others are `missing`."""
        shares = [share for share in map(self.coverage, VENUES) if share > 0]
        return sum(shares) / len(shares) if shares else 0.0

    def missing(self) -> list[str]:
        """Venues of which nothing was received in the window, and those whose liquidations are not to be believed at its end."""
        seen = {venue for venue, *_ in self.sums}
        return [v for v in VENUES if v in self.unheard() or (v not in seen and self.coverage(v) == 0)]

    def unheard(self) -> dict[str, str]:
        """Venues that are being collected and whose liquidations are not heard at the window's end, each with the reason in words."""
        if self._unheard is None:
            self._unheard = {}
            believed = believed_now(self)
            for name, state in (believed or {}).items():
                if state.state in UNHEARD:
                    self._unheard[name] = f"{state.state} since {iso(state.since)[11:16]}: {state.evidence}"
            if believed is None:
                for gap in self.gaps():
                    venue = VENUES.get(gap["venue"])
                    if venue is not None and gap["end_ms"] is None and venue.carries_liquidations(gap["channel"]):
                        self._unheard[venue.name] = gap["reason"]
        return self._unheard

    def rule(self, venue: str) -> Coverage:
        """Return the coverage rule in force at the end of the window."""
        return VENUES[venue].coverage_at(min(self.at, self.as_of), "linear")

    def shown_rule(self, venue: str) -> str:
        """Return the coverage rule of the rows in the window, `mixed` where they differ; without rows the venue's own."""
        if self._rules is None:
            self._rules = self.session.rules(self.start, self.at, self.as_of)
        return self._rules.get(venue) or (self.rule(venue).rule if venue in VENUES else "undisclosed")

    def totals(self, by: By | None) -> list[Total]:
        """Totals by `by`, each with its coverage."""
        rows = totals(self.sums, by)
        for row in rows:
            venue = row.get("venue")
            row["coverage"] = self.coverage(venue) if venue else self.overall_coverage()
            if venue:
                row["coverage_rule"] = self.shown_rule(venue)
        return rows

    def figure(self) -> Figure:
        """The total as a Figure: what it is made of, how much was covered, and a digest of the exact inputs."""
        row = self.totals(None)[0]
        seen = row["count"] > row["unpriced_count"] or (row["count"] == 0 and row["coverage"] > 0)
        venues = sorted({venue for venue, *_ in self.sums})
        status: Status = "missing" if not seen else "modelled" if self.is_reconstruction else "measured"
        return Figure(
            name=f"liquidations.total.{self.window // 1_000_000_000}s", value=row["total_usd"] if seen else None, unit="usd", at=self.at,
            as_of=self.as_of, status=status, coverage=row["coverage"],
            sources=tuple(f"liquidations/{venue}" for venue in venues), missing=tuple(self.missing()),
            note="floor" if self.is_floor() else "", inputs_hash=hash_inputs([self.window, self.at, sorted(self.sums.items())]),
        )  # fmt: skip

    def is_floor(self) -> bool:
        """Tell whether any feed in the sums leaves orders out."""
        return any(self.shown_rule(venue) not in ("full", "presumed_full") for venue, *_ in self.sums)

    def heatmap(self, bucket: int | None = None) -> dict[str, Any]:
        """Venue × time; null where nothing was being received."""
        bucket = bucket or max(self.window // 96, 60_000_000_000)
        start = self.start // bucket * bucket  # buckets are aligned to UTC; the first and last may be cut by the window
        buckets = -(-(self.at - start) // bucket)
        cells = self.session.grid(self.start, self.at, bucket, self.as_of)
        rows: list[dict[str, Any]] = []
        for name, venue in VENUES.items():
            covered = [False] * buckets
            for low, high in self._stretches(name):
                for slot in range((low - start) // bucket, (high - 1 - start) // bucket + 1):
                    covered[slot] = True
            values, longs, shorts = grid_values(cells, name, covered)
            rows.append({"venue": name, "title": venue.title, "values": values, "long": longs, "short": shorts})
        most = max((v for row in rows for v in row["values"] if v is not None), default=0.0)
        return {"bucket_ms": bucket // MS, "start_ms": start // MS, "buckets": buckets, "rows": rows, "max_usd": most}

    def treemap(self, top: int) -> Treemap:
        """The largest bases and the explicit rest."""
        return treemap(self.sums, top)

    def orders(self, limit: int, *, largest: bool = False, **filters: Any) -> list[dict[str, Any]]:
        """Return liquidation orders of the window, newest (or largest) first."""
        self.session.flush()
        table = self.session.store.read(
            "liquidations", start=self.start, end=self.at, as_of=self.as_of, limit=limit, newest_first=True,
            largest_by="notional_usd" if largest else None, **filters,
        )  # fmt: skip
        return [order(row) for row in table.to_pylist()]

    def prices(self, base: str, points: int = 1500) -> dict[str, Any]:
        """The best price series of a base in the window, with its liquidations as markers."""
        self.session.flush()
        bucket = max(self.window // points, 1_000_000_000)
        series = self.session.store.price_series(base, self.start, self.at, self.as_of, bucket)
        gap = max(bucket * 5, 300_000_000_000)
        found: dict[str, Any] = {"base": base, "symbol": None, "venue": None, "price_kind": None, "points": [], "gap_ms": gap // MS}
        if series is not None:
            found |= {
                "symbol": series.symbol, "venue": series.venue, "price_kind": series.price_kind,
                "points": [[at // MS, price] for at, price in series.points],
            }  # fmt: skip
        found["markers"] = self.orders(300, largest=True, base=base)
        return found

    def bases(self) -> list[str]:
        """Bases liquidated in the window, most liquidated first, BTC always among them."""
        names = [row["base"] for row in totals(self.sums, "base")][:24]
        return names if "BTC" in names else [*names, "BTC"]

    def venues(self) -> list[dict[str, Any]]:
        """Every venue there is: its totals, coverage and the state of its feed; nulls where it was not recorded."""
        found = {row["venue"]: row for row in self.totals("venue")}
        feeds = {feed["venue"]: feed for feed in self.feeds()}
        rows = []
        for name, venue in VENUES.items():
            share = self.coverage(name)
            row: dict[str, Any] = {"venue": name, "title": venue.title, "recorded": share > 0 or name in found}
            amounts = found.get(name) or (totals({}, None)[0] if share > 0 else {})
            for field in (
                "long_usd",
                "short_usd",
                "total_usd",
                "count",
                "share",
                "long_share",
                "unpriced_count",
                "backstop_usd",
                "adl_usd",
            ):
                row[field] = amounts.get(field)
            rule = self.rule(name)
            feed = feeds[name]
            row |= {
                "coverage": share, "coverage_rule": self.shown_rule(name), "coverage_note": rule.note, "state": feed["state"],
                "evidence": feed["evidence"], "last_event_ms": feed["last_event_ms"],
            }  # fmt: skip
            rows.append(row)
        return sorted(rows, key=lambda r: (not r["recorded"], -(r["total_usd"] or 0.0), r["title"]))

    def feeds(self) -> list[dict[str, Any]]:
        """What is known of each venue's feed at the end of the window."""
        frames, failures, believed = self.session.frames(), self.session.failures(), believed_now(self)
        rows = []
        for name, venue in VENUES.items():
            own = [s for s in self.spans if s.venue == name]
            parts = stretches(own, 0, min(self.at, self.as_of))
            state, evidence, last = _state(own, parts, min(self.at, self.as_of))
            rule = self.rule(name)
            if believed is not None and name in believed:
                state, evidence = believed[name].state, believed[name].evidence
            shown = self.shown_rule(name)
            note = rule.note if shown == rule.rule else f"what is in the data was published under the rule {shown.replace('_', ' ')}"
            rows.append({
                "venue": name, "title": venue.title, "state": state, "evidence": evidence, "coverage_rule": shown,
                "coverage_note": note, "coverage_source": rule.source, "last_event_ms": None if last is None else last // MS,
                "age_seconds": None if last is None else max(self.at - last, 0) / 1e9,
                "frames": frames.get(name, 0), "errors": failures.get(name, 0),
                "carries_liquidations": any(s.liquidations for s in own),
                "stretches": [[low // MS, high // MS] for low, high in parts],
            })  # fmt: skip
        return rows

    def gaps(self, limit: int = 500) -> list[dict[str, Any]]:
        """Return the stretches of the window in which a channel was not received, as last said of each; newest first."""
        self.session.flush()
        rows = self.session.store.read("gaps", as_of=self.as_of, end=self.at).to_pylist()
        said = {(r["venue"], r["channel"], r["ts_start"]): r for r in sorted(rows, key=lambda r: r["ts_recv"])}
        for (venue, _, start), row in said.items():
            if row["ts_end"] is None:  # nothing was collected after a crash or a stop: what was open ended there
                row["ts_end"] = min((s for v, c, s in said if v == venue and c == "*" and s > start), default=None)
        found = [r for r in said.values() if r["ts_end"] is None or r["ts_end"] > self.start]
        return [
            {"venue": r["venue"], "channel": r["channel"], "start_ms": r["ts_start"] // MS,
             "end_ms": None if r["ts_end"] is None else r["ts_end"] // MS, "reason": r["reason"]}
            for r in sorted(found, key=lambda r: -r["ts_start"])[:limit]
        ]  # fmt: skip

    def state_history(self) -> list[dict[str, Any]]:
        """Return what was believed of each channel through the window: stretches [start, end), the last one without an end."""
        self.session.flush()
        rows = self.session.store.read("feed_states", as_of=self.as_of, end=self.at).to_pylist()
        by_channel: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in rows:
            by_channel.setdefault((row["venue"], row["channel"]), []).append(row)
        found = []
        for (venue, channel), changes in sorted(by_channel.items()):
            for change, following in zip_longest(changes, changes[1:]):
                end = None if following is None else following["ts_event"]
                if end is None or end > self.start:
                    found.append({
                        "venue": venue, "channel": channel, "state": change["state"], "evidence": change["evidence"],
                        "start_ms": max(change["ts_event"], self.start) // MS, "end_ms": None if end is None else end // MS,
                    })  # fmt: skip
        return found


def believed_now(moment: Moment) -> dict[str, VenueStatus] | None:
    """Return how collecting stands by venue; None when nothing is collected, or the moment is not now."""
    status = moment.session.collection()
    if status is None or moment.at != moment.as_of or status.now - moment.at > RECENT:
        return None
    return {venue.venue: venue for venue in status.venues}


def _state(spans: Sequence[Span], parts: Sequence[tuple[int, int]], at: int) -> tuple[str, str, int | None]:
    """Say in a word and in a sentence what a venue's recording amounts to at `at`, and when it last received."""
    if not parts:
        return "not_recorded", "this venue is not in the data", None
    last = parts[-1][1]
    what = "liquidations" if any(s.liquidations for s in spans) else "other channels, not liquidations"
    if any(s.end is None for s in spans) or last >= at:
        return "recorded", f"receiving {what}", at
    return "ended", f"{what} were received until {iso(last)}", last


ORDER_FIELDS = ("venue", "symbol", "base", "position_side", "price", "price_kind", "quantity", "notional_usd", "method", "coverage_rule")


def order(row: Mapping[str, Any]) -> dict[str, Any]:
    """Shape a row of the liquidations table, or an event as a mapping, for an answer."""
    times = {"ts_ms": row["ts_event"] // MS, "ts_ns": str(row["ts_event"])}
    return {**times, **{name: row[name] for name in ORDER_FIELDS}, "is_backfill": row["is_backfill"]}


class Tile(TypedDict):
    """Totals of one standing window."""

    window: str
    long_usd: float
    short_usd: float
    total_usd: float
    count: int
    long_share: float | None
    coverage: float
    status: str
    missing: list[str]
    floor: bool
    sources: list[str]
    inputs_hash: str
    unpriced_count: int


def tile(name: str, moment: Moment) -> Tile:
    """Sum up one standing window."""
    row, figure = moment.totals(None)[0], moment.figure()
    return {
        "window": name, "long_usd": row["long_usd"], "short_usd": row["short_usd"], "total_usd": row["total_usd"], "count": row["count"],
        "long_share": row["long_share"], "coverage": row["coverage"], "status": figure.status,
        "missing": list(figure.missing), "floor": bool(figure.note), "sources": list(figure.sources), "inputs_hash": figure.inputs_hash,
        "unpriced_count": row["unpriced_count"],
    }  # fmt: skip


def headline(window: str, moment: Moment, waves: Sequence[Mapping[str, Any]] = ()) -> str:
    """Say in one sentence what was liquidated, on how many of the venues, and on which side."""
    if moment.is_reconstruction:
        said = _said(window, moment, waves)
        return f"Reconstructed, not recorded: {said[0].lower()}{said[1:]}"
    return _said(window, moment, waves)


def _said(window: str, moment: Moment, waves: Sequence[Mapping[str, Any]]) -> str:
    row, window = moment.totals(None)[0], f"{window[:-1]} {window[-1]}"
    unheard = moment.unheard()
    without = "".join(f" Without {VENUES[name].title}: {words}." for name, words in unheard.items())
    received = [name for name in VENUES if name not in unheard and (moment.coverage(name) > 0 or any(v == name for v, *_ in moment.sums))]
    where = f"on {len(received)} of {len(VENUES)} venues"
    if not received:
        return f"Nothing was received in these {window}: no venue's liquidations are in the data."
    if row["count"] == 0:
        return f"No liquidation was received in {window} {where}; {_percent(row['coverage'])} of the time was covered.{without}"
    if row["unpriced_count"] == row["count"]:
        return f"{row['count']:,} forced orders in {window} {where}; none can be priced, since the contract sizes are not known."
    least = "at least " if moment.is_floor() or moment.missing() else ""
    side = "" if row["long_share"] is None else f", {_percent(row['long_share'])} long"
    unpriced = f"; {row['unpriced_count']:,} orders are not priced" if row["unpriced_count"] else ""
    covered = f"{_percent(row['coverage'])} of the time was covered"
    text = f"{least}{_amount(row['total_usd'])} USD liquidated in {window} {where}{side}{unpriced}; {covered}."
    text += _waves(waves, moment.at) + without
    return text[0].upper() + text[1:]


def _waves(waves: Sequence[Mapping[str, Any]], at: int) -> str:
    """Say how many waves there were and how long ago the last ended; nothing where there were none."""
    if not waves:
        return ""
    last = waves[-1]
    minutes = max(at // MS - last["end_ms"], 0) // 60_000
    count = "One wave" if len(waves) == 1 else f"{len(waves)} waves"
    if last["is_open"]:
        return f" {count}; the last is in progress."
    return f" {count}; the last ended {f'{minutes} min' if minutes < 120 else f'{minutes // 60} h'} ago."


def _amount(usd: float) -> str:
    """Write an amount as the tiles below the sentence do: of millions one decimal."""
    return f"{usd / 1e6:.1f} M" if 999_950 <= usd < 999_950_000 else dollars(usd)


def _percent(share: float) -> str:
    """Write a share; nothing but all of it is 100 %."""
    if 0.995 <= share < 1:
        return "> 99.9 %" if share > 0.999 else f"{100 * share:.1f} %"
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"
