"""What the options' answers are made of: quotes, spot and trades, read under the session's lock; chain and surface, fitted outside it.

Both are kept by what they were made of, so that a page that asks seven routes has them fitted once.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import polars as pl

from deleverage.analytics.options import chain, smile
from deleverage.analytics.options.chain import Chain
from deleverage.analytics.options.quotes import KINDS, merged
from deleverage.analytics.options.smile import Surface
from deleverage.api.anatomy import MS, frame
from deleverage.api.kept import Kept
from deleverage.api.session import Session
from deleverage.figure import hash_inputs
from deleverage.store.store import Store
from deleverage.when import iso

SECOND = 1_000_000_000
REACHES = (180 * SECOND, 2 * 3600 * SECOND)
"""How far back (ns) quotes are looked for: first where polls of the moment lie, then where a chain told twice an hour lies."""
FILTERS = chain.Filters(max_age_seconds=180.0)
"""Contracts are asked for one after another or once a minute, and told when they change: within three minutes of the newest is now."""
STALE = 600 * SECOND
"""Age (ns) from which a chain is called stale."""
SETTLED = 60 * SECOND
"""Age (ns) from which no trade is still on its way."""
SPOT_AGE = 600 * SECOND
FIRST_VENUE = "deribit"
FITS_KEPT = 6
POINTS_KEPT = 2000
TOGETHER = 5 * SECOND
"""Questions asked within so long (ns) are answered from one chain."""
Hold = Callable[[], AbstractContextManager[Session]]
"""Gives the session, to be held while something is read of it."""


class Asked(NamedTuple):
    """A question: the chain of `base` on `venue` (None: chosen here) at `at` as known at `as_of`; `start` begins the window (ns UTC)."""

    base: str
    venue: str | None
    start: int
    at: int
    as_of: int


class Spot(NamedTuple):
    """The price of the base in USD that options are set against, from where, and when (ns UTC)."""

    price: float
    source: str
    ts: int


class Material(NamedTuple):
    """Quotes of one venue, last row per contract; `venues`: contracts quoted by each. Without quotes `reason` says why."""

    asked: Asked
    venue: str | None
    venues: Mapping[str, int]
    quotes: pl.DataFrame
    index_price: Spot | None
    last_known: int | None
    reason: str


class Fit(NamedTuple):
    """A chain and its surface, as of the newest quote; `digest` of the quotes they were made from."""

    material: Material
    chain: Chain
    surface: Surface
    spot: Spot
    digest: str

    @property
    def age(self) -> int:
        """How old (ns) the newest quote was at the moment asked for."""
        return max(self.material.asked.at - self.chain.at, 0)


class Desk:
    """What is kept of one store: fits and whatever was worked out of them, one at a time (`lock`); trades and candles, which only who holds
    the session touches. The lock is never waited for while the session is held."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fits: OrderedDict[tuple[object, ...], Fit] = OrderedDict()
        self.worked: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self.trades: dict[tuple[str, str], tuple[int, pl.DataFrame]] = {}
        self.points: Kept[dict[str, Any] | None] = Kept(POINTS_KEPT)
        self.candles: Kept[Any] = Kept(1)
        self.past = threading.Lock()
        """Who works the past out; whoever else wants it waits and finds it. Taken before the session and before `lock`."""
        self.material: tuple[int, Material] | None = None
        """What was read last, and the session's now when it was."""

    def once(self, key: tuple[object, ...], work: Callable[[], Any], most: int = 24) -> Any:
        """Return what `work` gives, from before where the key is the same."""
        with self.lock:
            if key not in self.worked:
                self.worked[key] = work()
                while len(self.worked) > most:
                    self.worked.popitem(last=False)
            self.worked.move_to_end(key)
            return self.worked[key]


_DESKS: "WeakKeyDictionary[Store, Desk]" = WeakKeyDictionary()


def desk_of(session: Session) -> Desk:
    """Return what is kept of the session's store; the caller holds the session."""
    return _DESKS.setdefault(session.store, Desk())


def read(session: Session, asked: Asked) -> Material:
    """Read the chain's rows, once for a question asked again at once; the caller holds the session."""
    desk, now = desk_of(session), session.now()
    if desk.material is not None:
        read_at, material = desk.material
        if material.asked == asked and 0 <= now - read_at <= TOGETHER:
            return material
    material = _read(session, asked)
    desk.material = now, material
    return material


def _read(session: Session, asked: Asked) -> Material:
    session.flush()
    store, per = session.store, ("venue", "venue_symbol")
    rows = pl.DataFrame()
    for reach in REACHES:
        end = asked.at + 1
        rows = merged(
            frame(store.latest("option_quotes", per, asked.at - reach, end, asked.as_of, base=asked.base, venue=asked.venue, told=KINDS))
        )
        if not rows.is_empty():
            break
    counts = {str(name): int(n) for name, n in rows.group_by("venue").len().sort("len", "venue", descending=[True, False]).iter_rows()}
    venue = _choose(counts)
    if venue is None:
        return Material(asked, None, {}, rows, None, *_nothing(session, asked))
    quotes = rows.filter(venue=venue)
    at = int(quotes["ts_event"].max())  # type: ignore[arg-type]  # not empty
    return Material(asked, venue, counts, _with_interest(store, asked, venue, quotes, at), _index(store, asked, venue, at), at, "")


def _choose(counts: Mapping[str, int]) -> str | None:
    """Deribit, unless it quotes less than half of what the fullest venue does."""
    if not counts:
        return None
    fullest = max(counts, key=lambda name: counts[name])
    return FIRST_VENUE if 2 * counts.get(FIRST_VENUE, 0) >= counts[fullest] else fullest


def _nothing(session: Session, asked: Asked) -> tuple[int | None, str]:
    """When there were quotes last, and the reason in words."""
    where = f"of {asked.base}{f' on {asked.venue}' if asked.venue else ''}"
    extent = session.store.extent("option_quotes")
    if extent is None:
        return None, f"no option quotes {where} in the data; collect live, or import the table option_quotes, and they appear here"
    words = f"no option quotes {where} in the 2 h before {iso(asked.at)}; the data has some from {iso(extent[0])} to {iso(extent[1])}"
    return extent[1], words


def _with_interest(store: Store, asked: Asked, venue: str, quotes: pl.DataFrame, at: int) -> pl.DataFrame:
    """Fill open interest in where the venue tells it apart from its quotes (OKX)."""
    if quotes["open_interest"].null_count() < len(quotes):
        return quotes
    apart = frame(store.latest("open_interest", ("symbol",), at - REACHES[-1], at + 1, asked.as_of, base=asked.base, venue=venue))
    told = apart.select("symbol", told=pl.col("open_interest_base").cast(pl.Float64))
    return quotes.join(told, on="symbol", how="left").with_columns(open_interest=pl.coalesce("open_interest", "told")).drop("told")


def _index(store: Store, asked: Asked, venue: str, at: int) -> Spot | None:
    """The index price beside the venue's futures at the chain's instant, else any venue's; None where none is known."""
    rows = frame(store.latest("mark_prices", ("venue", "symbol"), at - SPOT_AGE, at + 1, asked.as_of, base=asked.base))
    rows = rows.drop_nulls("index_price")
    for kept in (rows.filter(venue=venue), rows):
        if len(kept):
            last = kept.sort("ts_event", "venue", "symbol").row(-1, named=True)
            return Spot(float(last["index_price"]), f"index price of {last['venue']}", int(last["ts_event"]))
    return None


def fit(desk: Desk, material: Material) -> Fit | None:
    """Return chain and surface of the material; None without quotes or without one whose forward is known. Holds no session."""
    if material.venue is None:
        return None
    asked = material.asked
    key = (asked.base, material.venue, material.index_price, len(material.quotes), int(material.quotes.hash_rows().sum()))
    with desk.lock:
        found = desk.fits.get(key)
        if found is None:
            found = _fitted(material)
            if found is None:
                return None
            desk.fits[key] = found
            while len(desk.fits) > FITS_KEPT:
                desk.fits.popitem(last=False)
        desk.fits.move_to_end(key)
    return found._replace(material=material)


def _fitted(material: Material) -> Fit | None:
    assert material.venue is not None and material.last_known is not None
    built = chain.build(material.quotes, material.last_known, venue=material.venue, base=material.asked.base, filters=FILTERS)
    if not built.forwards:
        return None
    spot = material.index_price
    if built.index_price is not None:
        spot = Spot(built.index_price, f"index price in the quotes of {material.venue}", built.at)
    if spot is None:
        first = built.forwards[0]
        spot = Spot(first.price, f"forward of the first expiry, {first.method}", built.at)
    columns = ["symbol", "ts_event", "bid_price", "ask_price", "mark_price", "bid_iv", "ask_iv", "mark_iv", "open_interest", "volume_24h"]
    digest = hash_inputs([spot.price, material.quotes.select(columns).sort("symbol", "ts_event").rows()])
    return Fit(material, built, smile.fit(built), spot, digest)


def read_trades(session: Session, material: Material, desk: Desk) -> pl.DataFrame:
    """Return all trades of the venue's options known by the moment asked for; only those not read before are read anew. The caller holds
    the session."""
    assert material.venue is not None
    asked, key = material.asked, (material.asked.base, material.venue)
    until, kept = desk.trades.get(key, (0, None))
    if kept is None or until < asked.as_of:
        newer = frame(session.store.option_trades(*key, until, 2**63 - 1, asked.as_of))
        rows = newer if kept is None else pl.concat([kept, newer])
        settled = max(min(asked.as_of, session.now()) - SETTLED, until)
        desk.trades[key] = (settled, rows.filter(pl.col("ts_recv") <= settled))
    else:
        rows = kept
    return rows.filter((pl.col("ts_event") <= asked.at) & (pl.col("ts_recv") <= asked.as_of))


def heading(material: Material, fitted: Fit | None) -> dict[str, Any]:
    """Write what every answer about options begins with: whose chain, of when, how much of it was usable, or why there is none."""
    asked = material.asked
    head: dict[str, Any] = {
        "base": asked.base, "venue": material.venue, "venues": [{"venue": v, "contracts": n} for v, n in material.venues.items()],
        "chain_at_ms": None, "age_seconds": None, "is_stale": None, "spot": None, "listed": 0, "used": 0, "coverage": None,
        "reason": material.reason, "inputs_hash": "",
        "last_known_ms": None if material.last_known is None else material.last_known // MS,
    }  # fmt: skip
    if fitted is None:
        if material.venue is not None:
            head["reason"] = f"the quotes of {material.venue} give no forward: no expiry has a two-sided pair or an underlying price"
        return head
    options = fitted.chain.options
    used = int(options["is_used"].sum())
    return head | {
        "chain_at_ms": fitted.chain.at // MS, "age_seconds": fitted.age / SECOND, "is_stale": fitted.age > STALE,
        "spot": {"price": fitted.spot.price, "source": fitted.spot.source, "ts_ms": fitted.spot.ts // MS}, "listed": len(options),
        "used": used, "coverage": coverage(fitted), "inputs_hash": fitted.digest,
        "reason": "" if used else "no quote of the chain is clean: nothing could be fitted",
    }  # fmt: skip


def coverage(fitted: Fit) -> float | None:
    """Share of the out-of-the-money contracts listed whose quotes are clean."""
    options = fitted.chain.options
    wanted = options.filter(pl.col("why_not") != "in the money")
    return int(wanted["is_used"].sum()) / len(wanted) if len(wanted) else None
