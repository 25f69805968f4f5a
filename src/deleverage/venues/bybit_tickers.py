"""Bybit's tickers: one shape on sockets (a snapshot, then sparse deltas) and in REST answers; mark, funding, open interest, options."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from deleverage.events import Event, FundingRate, MarkPrice, OpenInterest, OptionQuote
from deleverage.instruments import Instrument
from deleverage.venues.bybit_names import NAME
from deleverage.venues.repeats import Repeats
from deleverage.venues.venue import MS, Blank, Instruments, Number, Size, reading

Quote: TypeAlias = Size | Literal[""] | None
"""A figure that is absent, blank, or a number in text; zero mostly stands for none."""
Greek: TypeAlias = Number | Literal[""] | None


def positive(text: str | float | None) -> float | None:
    """Read a number whose zero is a placeholder: no quote, no mark yet."""
    number = reading(text)
    return number if number is not None and number > 1e-15 else None


def millis(text: Blank | None) -> int | None:
    """Read an instant in ms as ns; blank and "0" mean none."""
    at = int(text) if text else 0
    if not 0 <= at <= 9_000_000_000_000:
        raise ValueError("time out of range")
    return at * MS or None


class Ticker(msgspec.Struct, gc=False):
    symbol: str
    markPrice: Quote = None
    indexPrice: Quote = None
    openInterest: Quote = None
    singleOpenInterest: Quote = None
    openInterestValue: Quote = None
    singleOpenInterestValue: Quote = None
    fundingRate: Blank | None = None
    nextFundingTime: Blank | None = None
    fundingIntervalHour: Quote = None
    fundingCap: Quote = None
    # of options; REST numbers the best quotes
    bidPrice: Quote = None
    bid1Price: Quote = None
    askPrice: Quote = None
    ask1Price: Quote = None
    bidIv: Quote = None
    bid1Iv: Quote = None
    askIv: Quote = None
    ask1Iv: Quote = None
    markPriceIv: Quote = None
    markIv: Quote = None
    lastPrice: Quote = None
    delta: Greek = None
    gamma: Greek = None
    vega: Greek = None
    theta: Greek = None
    underlyingPrice: Quote = None
    volume24h: Quote = None


class Tickers:
    """What a connection said of each contract so far: a delta holds changed fields only."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._have: dict[str, Ticker] = {}
        self._rates = Repeats()

    def change(self, t: Ticker, ts: int, ts_recv: int) -> Sequence[Event]:
        """Return what a delta changes, completed from what was remembered."""
        if (
            t.markPrice is None and t.indexPrice is None and t.singleOpenInterestValue is None and t.openInterestValue is None
            and t.openInterest is None and t.fundingRate is None and t.nextFundingTime is None and "-" not in t.symbol
        ):  # fmt: skip
            return ()  # most of them: only the best quotes moved
        return self.read(t, self._have.get(t.symbol, t), ts, ts_recv)

    def read(self, t: Ticker, have: Ticker, ts: int, ts_recv: int) -> Sequence[Event]:
        """Return what `t` says, once `have` (for a snapshot the same) has taken it up."""
        name = t.symbol
        i = self._instruments.known.get(name) or self._instruments.get(name)
        if have is t:
            self._have[name] = t
        if i.kind == "option":
            return (self._option(i, t, have, ts, ts_recv),)
        events: list[Event] = []
        if t.markPrice is not None or t.indexPrice is not None:
            if t.markPrice is not None:
                have.markPrice = t.markPrice
            if t.indexPrice is not None:
                have.indexPrice = t.indexPrice
            if have.markPrice or have.indexPrice:
                mark, index = have.markPrice or None, have.indexPrice or None
                events.append(MarkPrice(NAME, i.symbol, t.symbol, i.base, ts, ts_recv, mark, index))
        if t.openInterestValue is not None:
            have.openInterestValue = t.openInterestValue
        if t.singleOpenInterestValue is not None:
            have.singleOpenInterestValue = t.singleOpenInterestValue
        if t.openInterest is not None:  # the value alone follows the price
            events += self._interest(i, t, have, ts, ts_recv)
        if t.fundingRate is not None or t.nextFundingTime is not None:
            for field in ("fundingRate", "nextFundingTime", "fundingIntervalHour", "fundingCap"):
                if (value := getattr(t, field)) is not None:
                    setattr(have, field, value)
        # A delta leaves an unchanged rate out: beside a mark price it is said again every ten minutes.
        if have.fundingRate and self._rates.is_news(name, (have.fundingRate, have.nextFundingTime), ts):
            events += self._rate(i, have, ts, ts_recv)
        return events

    @staticmethod
    def _interest(i: Instrument, t: Ticker, have: Ticker, ts: int, ts_recv: int) -> Sequence[Event]:
        have.openInterest = t.openInterest
        if t.singleOpenInterest is not None:
            have.singleOpenInterest = t.singleOpenInterest
        both, single = reading(have.openInterest), reading(have.singleOpenInterest)
        value, single_value = reading(have.openInterestValue), reading(have.singleOpenInterestValue)
        if single_value is None and value is not None:
            single_value = value / 2
        return open_interest_of(i, both, single, single_value, have.markPrice or None, ts, ts_recv)

    @staticmethod
    def _rate(i: Instrument, have: Ticker, ts: int, ts_recv: int) -> Sequence[Event]:
        rate = reading(have.fundingRate)
        if rate is None or i.kind != "perpetual":
            return ()
        cap = have.fundingCap or None
        hours = have.fundingIntervalHour or i.funding_interval_hours
        return (
            FundingRate(
                NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, rate, hours, millis(have.nextFundingTime), "predicted", cap,
                None if cap is None else -cap,
            ),
        )  # fmt: skip

    @staticmethod
    def _option(i: Instrument, t: Ticker, have: Ticker, ts: int, ts_recv: int) -> Event:
        if have is not t:
            for name in t.__struct_fields__:
                if (value := getattr(t, name)) is not None:
                    setattr(have, name, value)
        assert i.strike is not None and i.expiry is not None and i.option_type is not None
        return OptionQuote(
            NAME, i.symbol, t.symbol, i.base, ts, ts_recv, i.strike, i.expiry, i.option_type, "usd",
            have.bidPrice or have.bid1Price or None, have.askPrice or have.ask1Price or None, reading(have.markPrice),
            have.lastPrice or None, have.bidIv or have.bid1Iv or None, have.askIv or have.ask1Iv or None,
            have.markPriceIv or have.markIv or None, reading(have.delta), reading(have.gamma), reading(have.vega), reading(have.theta),
            None, have.underlyingPrice or None, have.indexPrice or None, reading(have.openInterest), reading(have.volume24h),
        )  # fmt: skip


def open_interest_of(
    i: Instrument, both: float | None, single: float | None, single_value: float | None, mark: float | None, ts: int, ts_recv: int,
    is_backfill: bool = False,
) -> Sequence[Event]:  # fmt: skip
    """Make the event of a published figure: the sum of both sides, beside which one side is printed since 2026-06-11.

    `single_value` is one side in the settlement asset: dollars of a linear contract, coins of an inverse one.
    """
    published, one = (single, single) if both is None else (both, both / 2 if single is None else single)
    if published is None or one is None:
        return ()
    mark = positive(mark)
    base: float | None
    usd: float | None
    if i.size_unit == "usd":
        base, usd = (one / mark if mark else None) if single_value is None else single_value, one
    else:
        base, usd = one, (one * mark if mark else None) if single_value is None else single_value
    counting: Literal["one_side", "both_sides"] = "one_side" if both is None else "both_sides"
    return (OpenInterest(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, published, base, usd, counting, is_backfill),)
