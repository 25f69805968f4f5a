"""Hyperliquid's fills: whose close was forced, and one Trade out of the two fills every trade leaves.

A trade leaves two fills with one `tid`, and `liquidation` stands on both of them. Only the fill owned by `liquidatedUser` is a
liquidation; the other owner merely traded with it. `Auto-Deleveraging` in `dir` marks the fill of the winner that was closed;
its `liquidatedUser` is the other side.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from deleverage.events import Event, Liquidation, Method, Trade, TradeKind
from deleverage.instruments import Instrument
from deleverage.venues.venue import MS, Count, CoverageRule, Instruments, Millis, Number, Size

NAME = "hyperliquid"
METHODS: dict[str, Method] = {"market": "market", "backstop": "backstop"}
ADL = "Auto-Deleveraging"
MOST_WAITING = 4096
"""Fills that may wait for their other half when a node writes one per line; the oldest is then let go one-sided."""


class Forced(msgspec.Struct, gc=False):
    liquidatedUser: str | None = None
    markPx: Size | None = None
    method: str = ""


class Fill(msgspec.Struct, gc=False):
    coin: str
    px: Size  # zero in dust conversions and settlements
    sz: Size
    side: Literal["A", "B"]
    time: Millis
    dir: str = ""
    crossed: bool = False
    tid: Count | None = None
    startPosition: Number | None = None
    liquidation: Forced | None = None


Owned = tuple[str, Fill]


def is_perpetual(coin: str) -> bool:
    """Tell a perpetual from spot pairs (`@107`, `PURR/USDC`) and outcome markets (`#14880`, `+1`), which yield nothing.

    >>> [is_perpetual(coin) for coin in ("BTC", "xyz:SP500", "@107", "PURR/USDC", "#14880")]
    [True, True, False, False, False]
    """
    return coin[:1] not in ("@", "#", "+") and "/" not in coin


def how_forced(fill: Fill, owner: str) -> Method | None:
    """Say by what method the owner of `fill` was closed; None when the owner was not. `owner` is empty where the frame hides it.

    Without an owner (channel `user`) only a closing taker can be the liquidated one: a market liquidation takes from the book
    and never opens, and the maker beside it carries the same `liquidation` object.
    """
    if fill.dir == ADL:
        return "adl"
    forced = fill.liquidation
    if forced is None:
        return "unknown" if fill.dir.startswith("Liquidated") else None
    if owner and forced.liquidatedUser:
        is_own = owner.lower() == forced.liquidatedUser.lower()
    else:
        is_own = fill.dir.startswith("Liquidated") or (fill.crossed and _closes(fill))
    return METHODS.get(forced.method, "unknown") if is_own else None


def _closes(fill: Fill) -> bool:
    """Tell whether the fill only reduces the position its owner had; with float room for the last lot."""
    before = fill.startPosition or 0.0
    return (before > 0 if fill.side == "A" else before < 0) and fill.sz <= abs(before) * (1 + 1e-9)


def liquidation(
    i: Instrument, fill: Fill, owner: str, method: Method, rule: CoverageRule, ts_recv: int, is_backfill: bool = False
) -> Liquidation:
    """Build the forced close of the owner: a sell (A) closes a long, a buy (B) a short."""
    contracts, quantity, notional = i.measure(fill.sz, fill.px)
    forced = fill.liquidation
    account = owner or (forced.liquidatedUser if forced is not None and method != "adl" else None)
    return Liquidation(
        NAME, i.symbol, fill.coin, i.base, fill.time * MS, ts_recv, "long" if fill.side == "A" else "short", fill.px, "fill", quantity,
        contracts, notional, method, rule, "" if fill.tid is None else str(fill.tid),
        mark_price=forced.markPx or None if forced is not None else None, account=account or None, is_backfill=is_backfill,
    )  # fmt: skip


def trade(i: Instrument, owner: str, fill: Fill, other: Owned | None, ts_recv: int, is_backfill: bool = False) -> Trade:
    """Build one Trade of a fill and, where it is known, its other half. The taker is who crossed the book."""
    size, price, forced = fill.sz, fill.px, fill.liquidation  # a coin a contract, as everywhere on this venue
    is_buy = fill.side == "B"
    if forced is None and other is not None and fill.crossed != other[1].crossed and ADL not in (fill.dir, other[1].dir):
        buyer, seller = (owner, other[0]) if is_buy else (other[0], owner)
        return Trade(
            NAME, i.symbol, fill.coin, i.base, fill.time * MS, ts_recv, str(fill.tid), "buy" if is_buy == fill.crossed else "sell", price,
            size, size, size * price, "market", "none", buyer, seller, is_backfill,
        )  # fmt: skip
    victim = (forced.liquidatedUser or "").lower() if forced is not None else ""
    is_own = victim != "" and owner.lower() == victim
    partner, partner_crossed = (other[0], other[1].crossed) if other is not None else ("", not fill.crossed)
    if not partner and victim and not is_own:
        partner = victim
    past_the_book = fill.crossed == partner_crossed  # then the side that had to close counts as the taker
    took = is_own if past_the_book and victim else fill.crossed
    buyer, seller = (owner, partner) if is_buy else (partner, owner)
    kind: TradeKind = "market"
    if fill.dir == ADL or (other is not None and other[1].dir == ADL):
        kind = "adl"
    elif forced is not None and forced.method == "backstop":
        kind = "other"  # handed to the liquidator vault, not traded on the book
    return Trade(
        NAME, i.symbol, fill.coin, i.base, fill.time * MS, ts_recv, str(fill.tid), "buy" if is_buy == took else "sell", price, size, size,
        size * price, kind, "none" if not victim else "taker" if is_own == took else "maker", buyer or None, seller or None,
        is_backfill,
    )  # fmt: skip


def watched(instruments: Instruments, fills: Iterable[Fill], owner: str, ts_recv: int, is_backfill: bool) -> list[Event]:
    """Read fills of one account: its own forced closes, and as Trades the forced closes of others it traded with.

    Its ordinary fills are left to the public trades: alone they would pass for the market's flow.
    """
    events: list[Event] = []
    for fill in fills:
        if not is_perpetual(fill.coin) or not fill.px:
            continue
        method = how_forced(fill, owner)
        if method is not None:
            i = instruments.get(fill.coin)
            events.append(liquidation(i, fill, owner, method, "watched_accounts", ts_recv, is_backfill))
        elif fill.liquidation is not None and fill.tid is not None:
            events.append(trade(instruments.get(fill.coin), owner, fill, None, ts_recv, is_backfill))
    return events


class Pairing:
    """Joins the two fills of each trade that a node writes."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._waiting: dict[tuple[int, str, int], Owned] = {}

    def add_block(self, fills: Iterable[Owned], ts_recv: int) -> list[Event]:
        """Read one block. A fill whose other half is not in its block has none to come: it is told one-sided."""
        events: list[Event] = []
        for owner, fill in fills:
            self.add(owner, fill, ts_recv, events)
        for key in list(self._waiting):
            self._let_go(key, ts_recv, events)
        return events

    def add(self, owner: str, fill: Fill, ts_recv: int, events: list[Event]) -> None:
        """Append what the fill says: a forced close at once, the Trade when its second half arrives."""
        i = self._instruments.known.get(fill.coin)
        if i is None:
            if not is_perpetual(fill.coin):
                return
            i = self._instruments.get(fill.coin)
        if not fill.px:
            return
        if fill.liquidation is not None or fill.dir == ADL or fill.dir.startswith("Liquidated"):
            method = how_forced(fill, owner)
            if method is not None:
                events.append(liquidation(i, fill, owner, method, "full", ts_recv))
        if fill.tid is None:
            return
        key = (fill.tid, fill.coin, fill.time)
        first = self._waiting.pop(key, None)
        if first is not None:
            events.append(trade(i, first[0], first[1], (owner, fill), ts_recv))
            return
        self._waiting[key] = (owner, fill)
        if len(self._waiting) > MOST_WAITING:
            self._let_go(next(iter(self._waiting)), ts_recv, events)

    def _let_go(self, key: tuple[int, str, int], ts_recv: int, events: list[Event]) -> None:
        owner, fill = self._waiting.pop(key)
        events.append(trade(self._instruments.get(fill.coin), owner, fill, None, ts_recv))
