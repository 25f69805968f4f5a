"""OKX rows that come rarely: listings, prices, funding, open interest, options, funds, tiers, history.

OKX uses the same rows on sockets and in REST answers, so one reader serves both: a frame without `arg` is a REST answer.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Generic, Literal, TypeVar

import msgspec

from deleverage.errors import ParseError
from deleverage.events import (
    AdlSignal,
    Candle,
    CandleKind,
    Event,
    FundingRate,
    InsuranceFund,
    MarginTiers,
    MarkPrice,
    OpenInterest,
    OptionQuote,
    PositioningRatio,
    RatioKind,
    VenueStatus,
)  # fmt: skip
from deleverage.instruments import DOLLARS, Instrument, make
from deleverage.venues.repeats import Repeats
from deleverage.venues.venue import MS, Blank, Count, Instruments, Millis, Number, Parser, Price, Route, Size, reading

NAME = "okx"
HOUR = 3600 * 1000 * MS
LATEST = 9_000_000_000_000 * MS
UNIT_SECONDS = {"s": 1, "m": 60, "H": 3600, "D": 86_400, "W": 604_800, "M": 2_592_000}
CONTRACT = re.compile(r"([^-\s]{1,40})-([A-Z0-9]{1,10})((?:_[A-Z0-9]+)*)-(?:SWAP|(\d{6})(?:-(\d+(?:\.\d+)?)-([CP]))?)", re.ASCII)
INTERVAL = re.compile(r"([1-9]\d?)([smHDWM])(?:utc)?", re.ASCII)
T = TypeVar("T")


class Arg(msgspec.Struct, frozen=True, gc=False):
    channel: str = ""
    instId: str = ""
    instType: str = ""
    instFamily: str = ""
    generated: bool = False


class Frame(msgspec.Struct, Generic[T], gc=False):
    """A push (`arg` names its channel) or a REST answer (`arg` is empty)."""

    data: list[T]
    arg: Arg = Arg()
    action: str = ""


class Level(msgspec.Struct, array_like=True, gc=False):
    """Price and size of [price, size, ...]; what follows is skipped."""

    px: Price
    sz: Size


class Listing(msgspec.Struct):
    instType: str
    instId: str
    ctVal: Blank = ""
    ctMult: Blank = ""
    ctType: str = ""
    expTime: Blank = ""
    tickSz: Blank = ""
    lever: Blank = ""
    state: str = ""


class MarkRow(msgspec.Struct):
    instId: str
    markPx: Price
    ts: Millis


class IndexRow(msgspec.Struct):
    instId: str
    idxPx: Price
    ts: Millis


class FundingRow(msgspec.Struct):
    instId: str
    fundingTime: Blank
    fundingRate: Blank = ""
    nextFundingTime: Blank = ""
    prevFundingTime: Blank = ""
    maxFundingRate: Blank = ""
    minFundingRate: Blank = ""
    settState: str = ""
    settFundingRate: Blank = ""
    ts: Blank = ""


class SettledRow(msgspec.Struct):
    instId: str
    fundingTime: Millis
    fundingRate: Blank = ""
    realizedRate: Blank = ""


class InterestRow(msgspec.Struct):
    instId: str
    oi: Size
    ts: Millis
    oiCcy: Blank = ""
    oiUsd: Blank = ""


class OptionRow(msgspec.Struct):
    instId: str
    ts: Millis
    markVol: Blank = ""
    bidVol: Blank = ""
    askVol: Blank = ""
    fwdPx: Blank = ""
    delta: Blank = ""
    gamma: Blank = ""
    vega: Blank = ""
    theta: Blank = ""
    deltaBS: Blank = ""
    gammaBS: Blank = ""
    vegaBS: Blank = ""
    thetaBS: Blank = ""


class AdlRow(msgspec.Struct):
    instType: str
    instFamily: str
    state: str
    ts: Millis
    bal: Blank = ""
    decRate: Blank = ""
    adlRate: Blank = ""
    adlRecRate: Blank = ""
    adlBal: Blank = ""


class FundDetail(msgspec.Struct):
    ccy: str
    ts: Millis
    balance: Blank = ""
    amt: Blank = ""
    type: str = ""


class FundRow(msgspec.Struct):
    details: list[FundDetail]
    instType: str = ""
    instFamily: str = ""


class TierRow(msgspec.Struct):
    tier: Count
    minSz: Size
    mmr: Number
    imr: Number
    maxLever: Number
    maxSz: Blank = ""
    instId: str = ""
    instFamily: str = ""


class StatusRow(msgspec.Struct):
    state: str
    title: str = ""
    ts: Blank = ""


class OkxRows(Parser):
    """What the readers below need to know of a connection."""

    def __init__(self, route: Route, instruments: Instruments) -> None:
        super().__init__(route, instruments)
        self.known = instruments.known
        self.said: dict[tuple[str, str], object] = {}
        self.rates = Repeats()
        self.begun: set[str] = set()

    def contract(self, name: str) -> Instrument | None:
        """Return the contract of that name; None for a spot pair (`BTC-USDT`), which is no contract."""
        return self.known.get(name) or (None if name.count("-") == 1 and len(name) > 2 else self.instruments.get(name))

    def changed(self, what: str, name: str, value: object) -> bool:
        """Tell whether `value` differs from the last one said of `name` on this connection."""
        if self.said.get((what, name)) == value:
            return False
        self.said[what, name] = value
        return True


def infer(venue_symbol: str) -> Instrument | None:
    """Read a contract from its name: BTC-USDT-SWAP, BTC-USD-250627, BTC-USD_UM-SWAP, BTC-USD-250627-100000-C.

    `_UM` contracts are quoted and margined in dollars of several kinds (USD, USDC, USDG): one settlement asset, USD.
    Every inverse future and swap listed in May 2022 is 100 USD for BTC and 10 USD for the other 39 coins.
    """
    found = CONTRACT.fullmatch(venue_symbol)
    if found is None:
        return None
    coin, quote, suffix, day, strike, kind = found.groups()
    expiry = _eight_utc(day) if day else None
    if day and expiry is None:
        return None
    inverse = quote == "USD" and not suffix
    return make(
        NAME, venue_symbol, coin, quote, settlement_asset=quote if suffix else None, expiry=expiry,
        strike=reading(strike) if strike else None, option_type=None if kind is None else "call" if kind == "C" else "put",
        size_unit="contracts", contract_size=(100.0 if coin == "BTC" else 10.0) if inverse and kind is None else None, is_inferred=True,
    )  # fmt: skip


def _eight_utc(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, "%y%m%d").replace(hour=8, tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError:
        return None


def instant(text: Blank) -> int | None:
    """Read milliseconds that may be blank or 0 as ns UTC; None for both."""
    if not text:
        return None
    ns = int(text) * MS
    if not 0 <= ns <= LATEST:
        raise ValueError(f"time out of range: {text[:40]!r}")
    return ns or None


def seconds_of(interval: str) -> int:
    """Read a bar length: 1m, 4H, 1Dutc, 3M (a month counts 30 days)."""
    found = INTERVAL.fullmatch(interval)
    if found is None:
        raise ValueError(f"interval {interval[:20]!r}")
    return int(found[1]) * UNIT_SECONDS[found[2]]


def instruments(p: OkxRows, frame: Frame[Listing], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in frame.data:
        i = infer(row.instId) if row.instType in ("SWAP", "FUTURES", "OPTION") else None
        if i is None:
            continue  # spot, margin and event contracts
        value, multiplier, known = reading(row.ctVal), reading(row.ctMult), p.instruments.listed(row.instId)
        events.append(
            msgspec.structs.replace(
                i, contract_size=None if not value else float(f"{value * (multiplier or 1.0):.12g}"),
                contract_type="inverse" if row.ctType == "inverse" else "linear", tick_size=reading(row.tickSz),
                # The expTime of a swap is the day it is delisted, not an expiry.
                expiry=None if i.kind == "perpetual" else instant(row.expTime) or i.expiry, max_leverage=reading(row.lever),
                funding_interval_hours=known.funding_interval_hours if known else None, status=row.state.lower() or "unknown",
                is_inferred=False, ts_recv=ts_recv,
            )
        )  # fmt: skip
    return events


def mark_price(p: OkxRows, frame: Frame[MarkRow], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in frame.data:
        i = p.contract(row.instId)
        if i is None:
            continue  # margin
        if i.kind == "option":
            events.append(option_quote(i, row.ts * MS, ts_recv, mark_price=row.markPx))
        else:
            events.append(MarkPrice(NAME, i.symbol, row.instId, i.base, row.ts * MS, ts_recv, row.markPx))
    return events


def index_contract(p: OkxRows, index: str) -> Instrument:
    """Return the perpetual on an index (`BTC-USDT` → `BTC-USDT-SWAP`), whose symbol the index price is filed under."""
    i = p.known.get(f"{index}-SWAP") or infer(f"{index}-SWAP")
    if i is None:
        raise ParseError(p.channel, f"cannot read the index name {index[:40]!r}")
    return i


def index_tickers(p: OkxRows, frame: Frame[IndexRow], ts_recv: int) -> Sequence[Event]:
    rows = [(row, index_contract(p, row.instId)) for row in frame.data]
    return [MarkPrice(NAME, i.symbol, row.instId, i.base, row.ts * MS, ts_recv, None, row.idxPx) for row, i in rows]


def funding_rate(p: OkxRows, frame: Frame[FundingRow], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in frame.data:
        i = p.contract(row.instId)
        if i is None:
            continue
        due, following, before, ts = (instant(x) for x in (row.fundingTime, row.nextFundingTime, row.prevFundingTime, row.ts))
        hours = (following - due) / HOUR if following and due and following > due else None
        rate, settled = reading(row.fundingRate), reading(row.settFundingRate)
        # Pushed every 30 to 90 s whether it changed or not: a change is an event, and so is one in ten minutes.
        if rate is not None and p.rates.is_news(row.instId, (rate, due), ts or ts_recv):
            cap, floor = reading(row.maxFundingRate), reading(row.minFundingRate)
            events.append(
                FundingRate(NAME, i.symbol, row.instId, i.base, ts or ts_recv, ts_recv, rate, hours, due, "predicted", cap, floor)
            )
        # In the state `processing` the field holds the rate being settled, which has no settlement time yet.
        if settled is not None and row.settState == "settled" and p.changed("settled", row.instId, (settled, before)):
            steady = hours if before and due and following and due - before == following - due else None
            when = before or ts or ts_recv
            events.append(FundingRate(NAME, i.symbol, row.instId, i.base, when, ts_recv, settled, steady, before, "settled"))
    return events


def funding_history(p: OkxRows, frame: Frame[SettledRow], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row, older in zip_longest(frame.data, frame.data[1:]):
        i, when = p.contract(row.instId), row.fundingTime * MS
        rate = reading(row.realizedRate)
        rate = reading(row.fundingRate) if rate is None else rate
        if i is None or rate is None:
            continue
        # Rows come newest first without holes: the step to the next row is the interval this rate was paid for.
        step = (when - older.fundingTime * MS) / HOUR if older is not None and older.instId == row.instId else None
        hours = step if step is not None and 0 < step <= 24 else None
        events.append(
            FundingRate(NAME, i.symbol, row.instId, i.base, when, ts_recv, rate, hours, when, "settled", is_backfill=True)
        )  # fmt: skip
    return events


def open_interest(p: OkxRows, frame: Frame[InterestRow], ts_recv: int) -> Sequence[Event]:
    rows = [(row, p.contract(row.instId)) for row in frame.data]
    return [_interest(i, row.ts, row.oi, row.oiCcy, row.oiUsd, ts_recv, False) for row, i in rows if i is not None]


def interest_history(p: OkxRows, frame: Frame[list[str]], ts_recv: int) -> Sequence[Event]:
    i = asked(p)
    if i is None:
        return ()
    return [_interest(i, int(row[0]), oi, row[2], row[3], ts_recv, True) for row in frame.data if (oi := reading(row[1])) is not None]


def _interest(i: Instrument, ts: int, oi: float, coins: Blank, dollars: Blank, ts_recv: int, backfill: bool) -> OpenInterest:
    _, base, usd = i.measure(oi, None)
    base, usd = (theirs if theirs is not None else ours for theirs, ours in ((reading(coins), base), (reading(dollars), usd)))
    when = instant(str(ts)) or ts_recv
    return OpenInterest(NAME, i.symbol, i.venue_symbol, i.base, when, ts_recv, oi, base, usd, "one_side", backfill)


def option_quote(i: Instrument, ts: int, ts_recv: int, **fields: float | None) -> OptionQuote:
    if i.strike is None or i.expiry is None or i.option_type is None:
        raise ParseError("option", f"{i.venue_symbol[:40]!r} is not an option")
    unit: Literal["base", "usd"] = "base" if i.settlement_asset not in DOLLARS else "usd"
    return OptionQuote(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, i.strike, i.expiry, i.option_type, unit, **fields)


def option_summary(p: OkxRows, frame: Frame[OptionRow], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in frame.data:
        # The plain greeks are in coins; the Black-Scholes ones compare with other venues.
        greeks = [row.deltaBS or row.delta, row.gammaBS or row.gamma, row.vegaBS or row.vega, row.thetaBS or row.theta]
        delta, gamma, vega, theta = (reading(x) for x in greeks)
        events.append(
            option_quote(
                p.instruments.get(row.instId), row.ts * MS, ts_recv, bid_iv=_iv(row.bidVol), ask_iv=_iv(row.askVol),
                mark_iv=_iv(row.markVol), delta=delta, gamma=gamma, vega=vega, theta=theta, underlying_price=reading(row.fwdPx),
            )
        )  # fmt: skip
    return events


def _iv(text: Blank) -> float | None:
    """Read an implied volatility; 0 stands for no quote."""
    return reading(text) or None


ADL_STATES: dict[str, Literal["normal", "warning", "active"]] = {"normal": "normal", "warning": "warning", "adl": "active"}


def adl_warning(p: OkxRows, frame: Frame[AdlRow], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in frame.data:
        signal, coin = ADL_STATES[row.state], row.instFamily.partition("-")[0]
        i = p.known.get(f"{row.instFamily}-SWAP") or infer(f"{row.instFamily}-SWAP") if row.instType == "SWAP" else None
        symbol, name, base = (i.symbol, i.venue_symbol, i.base) if i else ("", "", coin)
        # Rates are printed as positive falls; ours are negative. Since 2026 they and the trigger balance are blank.
        fall, start, stop = (None if x is None else -abs(x) for x in (reading(r) for r in (row.decRate, row.adlRate, row.adlRecRate)))
        events.append(
            AdlSignal(
                NAME, symbol, name, base, row.ts * MS, ts_recv, signal, f"{row.instType}:{row.instFamily}", row.state,
                reading(row.bal), fall, start, stop, reading(row.adlBal),
            )
        )  # fmt: skip
    return events


def insurance_fund(p: OkxRows, frame: Frame[FundRow], ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in frame.data:
        pool, coin = f"{row.instType}:{row.instFamily}", row.instFamily.partition("-")[0]
        for d in row.details:
            balance = reading(d.balance)
            if balance is not None:
                events.append(InsuranceFund(NAME, "", "", coin, d.ts * MS, ts_recv, pool, d.ccy, balance, None, reading(d.amt), d.type))
    return events


def position_tiers(p: OkxRows, frame: Frame[TierRow], ts_recv: int) -> Sequence[Event]:
    product, mode = p.route.query.get("instType", ""), p.route.query.get("tdMode", "")
    margin_mode: Literal["cross", "isolated", "any"] = "cross" if mode == "cross" else "isolated" if mode == "isolated" else "any"
    events: list[Event] = []
    for row in frame.data:
        family = row.instFamily or p.route.query.get("instFamily", "")
        contracts = []
        if product == "SWAP" and family:
            contracts = [p.instruments.get(f"{family}-SWAP")]
        elif product == "FUTURES" and family:
            contracts = [i for i in p.instruments.all_listed() if i.kind == "future" and i.venue_symbol.startswith(f"{family}-")]
        events += [
            MarginTiers(
                NAME, i.symbol, i.venue_symbol, i.base, ts_recv, ts_recv, row.tier, row.minSz, reading(row.maxSz), "contracts",
                row.mmr, row.maxLever, row.imr, None, margin_mode,
            )
            for i in contracts
        ]  # fmt: skip
    return events


def status(p: OkxRows, frame: Frame[StatusRow], ts_recv: int) -> Sequence[Event]:
    return [VenueStatus(NAME, "", "", "", instant(row.ts) or ts_recv, ts_recv, row.state, row.title) for row in frame.data]


def candles(p: OkxRows, frame: Frame[list[str]], ts_recv: int) -> Sequence[Event]:
    """Read rows of [ts, o, h, l, c, (volume in contracts, in coins, in quote,) confirm], bare or with volumes."""
    prefix, _, bar = p.channel.partition("candle")
    kind: CandleKind = "mark" if "mark" in prefix else "index" if "index" in prefix else "last"
    is_answer = bar in ("", "s")
    seconds = seconds_of(p.route.query.get("bar", "1m") if is_answer else bar)
    name = frame.arg.instId or p.route.query.get("instId", "")
    i = None if not name else index_contract(p, name) if kind == "index" else p.contract(name)
    if i is None:
        return ()
    events = []
    for row in frame.data:
        opened = instant(row[0])
        if opened is None:
            raise ValueError("a candle without time")
        closes = opened + seconds * 1_000_000_000
        o, h, low, c = (_price(x) for x in row[1:5])
        confirmed = row[-1] == "1" if len(row) in (6, 9) else closes <= ts_recv
        has_volume = kind == "last" and len(row) >= 7
        events.append(
            Candle(
                NAME, i.symbol, name, i.base, closes if confirmed else ts_recv, ts_recv, seconds, opened, o, h, low, c,
                reading(row[6]) if has_volume else None, reading(row[7]) if has_volume and len(row) == 9 and i.kind != "option" else None,
                None, None, kind, confirmed, is_answer,
            )
        )  # fmt: skip
    return events


def _price(text: str) -> float:
    price = reading(text)
    if price is None or price <= 0:
        raise ValueError(f"price {text[:40]!r}")
    return price


RATIO_KINDS: dict[str, RatioKind] = {
    "long-short-account-ratio-contract": "accounts", "long-short-account-ratio-contract-top-trader": "top_accounts",
    "long-short-position-ratio-contract-top-trader": "top_positions", "taker-volume-contract": "taker_volume",
}  # fmt: skip


def ratio(p: OkxRows, frame: Frame[list[str]], ts_recv: int) -> Sequence[Event]:
    """Read rows of [ts, long/short] or, for takers, [ts, sold, bought]."""
    kind, i = RATIO_KINDS[p.channel], asked(p)
    seconds = seconds_of(p.route.query["period"]) if "period" in p.route.query else None
    if i is None:
        return ()
    events = []
    for row in frame.data:
        shorts, longs = (reading(row[1]), reading(row[2])) if kind == "taker_volume" else (1.0, reading(row[1]))
        if shorts is None or longs is None or longs < 0 or shorts < 0 or longs + shorts <= 0:
            continue
        total, ts = longs + shorts, instant(row[0]) or ts_recv
        events.append(
            PositioningRatio(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, kind, longs / total, shorts / total, seconds)
        )  # fmt: skip
    return events


def nothing(p: OkxRows, frame: object, ts_recv: int) -> Sequence[Event]:
    """Accept a message that is described and holds nothing we keep."""
    return ()


def asked(p: OkxRows) -> Instrument | None:
    """Return the contract the address asked for; None when it names none, so that the answer cannot be attributed."""
    name = p.route.query.get("instId")
    return p.contract(name) if name else None


class Anything(msgspec.Struct):
    """Any JSON object."""


def decoder(row: Any) -> Callable[[bytes], Any]:
    """Return the typed decoder of pushes and answers made of `row`."""
    frame: Any = Frame
    return msgspec.json.Decoder(frame[row], strict=False).decode


Reader = tuple[Callable[[bytes], Any], Callable[[Any, Any, int], Sequence[Event]]]
"""A decoder, and what turns its frame into events."""
CANDLES: Reader = (decoder(list[str]), candles)
NOTHING: Reader = (msgspec.json.Decoder(Anything).decode, nothing)
READERS: dict[str, Reader] = {
    "instruments": (decoder(Listing), instruments), "mark-price": (decoder(MarkRow), mark_price),
    "index-tickers": (decoder(IndexRow), index_tickers), "funding-rate": (decoder(FundingRow), funding_rate),
    "funding-rate-history": (decoder(SettledRow), funding_history), "open-interest": (decoder(InterestRow), open_interest),
    "open-interest-history": (decoder(list[str]), interest_history), "opt-summary": (decoder(OptionRow), option_summary),
    "adl-warning": (decoder(AdlRow), adl_warning), "insurance-fund": (decoder(FundRow), insurance_fund),
    "security-fund": (decoder(FundRow), insurance_fund), "position-tiers": (decoder(TierRow), position_tiers),
    "status": (decoder(StatusRow), status),
    **{name: (decoder(list[str]), ratio) for name in RATIO_KINDS},
    **dict.fromkeys(
        (
            "candles", "history-candles", "mark-price-candles", "history-mark-price-candles", "index-candles", "history-index-candles",
        ),
        CANDLES,
    ),
    **dict.fromkeys(
        (
            "price-limit", "estimated-price", "economic-calendar", "block-tickers", "block-ticker", "public-struc-block-trades",
            "call-auction-details", "event-contract-markets", "books-lite", "instrument-family-trades", "time", "underlying",
            "delivery-exercise-history", "estimated-settlement-info", "settlement-history", "premium-history", "platform-24-volume",
            "discount-rate-interest-free-quota", "interest-rate-loan-quota", "convert-contract-coin", "instrument-tick-bands",
            "exchange-rate", "index-components", "long-short-account-ratio", "taker-volume", "taker-block-volume", "open-interest-volume",
            "open-interest-volume-ratio", "open-interest-volume-expiry", "open-interest-volume-strike", "support-coin",
        ),
        NOTHING,
    ),
}  # fmt: skip
