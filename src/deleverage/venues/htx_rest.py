"""HTX's rows and REST answers: instruments, liquidations, funding, open interest, ratios, insurance, tiers. One reader per address.

Notification sockets carry the same rows as the REST answers, so both read them here.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from deleverage.errors import ParseError, UnknownFrame
from deleverage.events import (
    BookDepth,
    Candle,
    CandleKind,
    Event,
    FundingRate,
    InsuranceFund,
    Liquidation,
    MarginTiers,
    MarkPrice,
    OpenInterest,
    PositioningRatio,
    PositionSide,
    RatioKind,
    VenueStatus,
)  # fmt: skip
from deleverage.instruments import Instrument, make
from deleverage.venues.venue import MS, Count, CoverageRule, Millis, Number, Parser, Price, Size, number_repeats, reading

NAME = "htx"
ALIASES = ("CW", "NW", "CQ", "NQ", "FUTURES")
DASHED = re.compile(r"([^\s.*_/\\-]{1,30})-(USDT|USDC|HUSD|USD)(?:-(\d{6}|CW|NW|CQ|NQ|FUTURES))?")
COIN_FUTURE = re.compile(r"([A-Z0-9]{0,28}[A-Z])_?(\d{6}|(?<=_)(?:CW|NW|CQ|NQ))")
STATUSES = {
    0: "delisted", 1: "trading", 2: "pending", 3: "suspended", 4: "suspending", 5: "settling", 6: "delivering", 7: "settled",
    8: "delivered", 9: "suspended",
}  # fmt: skip
RULE: CoverageRule = "presumed_full"
HOUR = 3_600_000_000_000
ONE_SIDE = 0.5
"""Trades and candles count the buyer's and the seller's contracts; this takes one of them."""
Serial: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=9_000_000_000)]
Loose: TypeAlias = float | str | None
"""A number that may be quoted, blank, null or missing; read it with `reading`."""
When: TypeAlias = int | str | None
"""Milliseconds that may be quoted, blank, null or missing; read them with `instant`."""


class Answer(msgspec.Struct):
    status: Any = None
    code: Any = None
    ts: Millis | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    ticks: msgspec.Raw = msgspec.Raw(b"")
    ch: str = ""


class Listing(msgspec.Struct):
    contract_code: str
    contract_size: Loose = None
    price_tick: Loose = None
    contract_status: Count = 1
    delivery_time: When = None
    delivery_date: str | None = ""
    settlement_period: Loose = None


class Elements(msgspec.Struct):
    contract_code: str
    settle_period: Loose = None
    max_level: Loose = None


class LiquidationRow(msgspec.Struct):
    contract_code: str
    volume: Size
    direction: str = ""
    side: str = ""
    position_side: str | None = ""
    price: Price | None = None
    bankrupt_price: Price | None = None
    created_at: When = None
    liquidation_time: When = None
    amount: Loose = None
    trade_turnover: Loose = None
    query_id: int | str | None = None
    id: int | str | None = None


class LiquidationPage(msgspec.Struct):
    orders: list[LiquidationRow]


class FundingRow(msgspec.Struct):
    contract_code: str
    funding_rate: Loose = None
    estimated_rate: Loose = None
    funding_time: When = None
    next_funding_time: When = None
    settlement_time: When = None
    min_funding_rate: Loose = None
    max_funding_rate: Loose = None


class FundingPage(msgspec.Struct):
    data: list[FundingRow]


class InterestRow(msgspec.Struct):
    contract_code: str
    volume: Size
    amount: Loose = None
    value: Loose = None


class InterestTick(msgspec.Struct):
    volume: Size
    ts: Millis
    amount_type: Count = 1
    value: Loose = None


class InterestHistory(msgspec.Struct):
    tick: list[InterestTick]
    contract_code: str = ""
    symbol: str = ""


class IndexRow(msgspec.Struct):
    contract_code: str = ""
    index_price: Price | None = None
    index_ts: When = None


class FundTick(msgspec.Struct):
    insurance_fund: Number
    ts: Millis


class FundHistory(msgspec.Struct):
    tick: list[FundTick]
    contract_code: str = ""
    symbol: str = ""


class RiskRow(msgspec.Struct):
    insurance_fund: Number
    contract_code: str = ""
    symbol: str = ""


class RatioRow(msgspec.Struct):
    buy_ratio: Loose = None
    sell_ratio: Loose = None
    ts: When = None
    contract_code: str = ""


class RatioHistory(msgspec.Struct):
    list: list[RatioRow]
    contract_code: str = ""


class Ladder(msgspec.Struct):
    min_size: Number
    adjust_factor: Number
    max_size: Number | None = None


class LeverLadders(msgspec.Struct):
    lever_rate: Price
    ladders: list[Ladder]


class AdjustFactors(msgspec.Struct):
    list: list[LeverLadders]
    contract_code: str = ""
    margin_mode: str = ""


class RiskLimit(msgspec.Struct):
    contract_code: str
    max_lever: Loose = None
    maintenance_margin_rate: Loose = None
    tier: Count = 1
    min_volume: Loose = None
    max_volume: Loose = None
    margin_mode: str = ""
    volume_unit: str = ""


class BestRow(msgspec.Struct):
    contract_code: str
    ts: Millis | None = None
    mrid: Serial | None = None
    bid: tuple[Price, Size] | None = None
    ask: tuple[Price, Size] | None = None


class Bar(msgspec.Struct, gc=False):
    id: Seconds
    open: Number
    high: Number
    low: Number
    close: Number
    amount: Size | None = None
    vol: Size | None = None
    trade_turnover: Size | None = None
    count: Number | None = None


class Bars(msgspec.Struct, gc=False):
    tick: Bar | None = None
    data: list[Bar] = []
    ts: Millis | None = None


class BasisRow(msgspec.Struct, gc=False):
    id: Seconds
    index_price: Loose = None


class Basis(msgspec.Struct, gc=False):
    tick: BasisRow | None = None
    data: list[BasisRow] = []
    ts: Millis | None = None


class SystemState(msgspec.Struct):
    heartbeat: Count
    estimated_recovery_time: When = None


ANSWER = msgspec.json.Decoder(Answer, strict=False)
LISTINGS = msgspec.json.Decoder(list[Listing], strict=False)
ELEMENTS = msgspec.json.Decoder(list[Elements], strict=False)
LIQUIDATIONS = msgspec.json.Decoder(list[LiquidationRow] | LiquidationPage, strict=False)
FUNDING = msgspec.json.Decoder(FundingRow | list[FundingRow], strict=False)
FUNDING_HISTORY = msgspec.json.Decoder(FundingPage | list[FundingRow], strict=False)
INTEREST = msgspec.json.Decoder(InterestRow | list[InterestRow], strict=False)
INTEREST_HISTORY = msgspec.json.Decoder(InterestHistory, strict=False)
INDICES = msgspec.json.Decoder(list[IndexRow], strict=False)
FUNDS = msgspec.json.Decoder(FundHistory | list[RiskRow], strict=False)
RATIOS = msgspec.json.Decoder(RatioHistory | list[RatioRow], strict=False)
ADJUST_FACTORS = msgspec.json.Decoder(list[AdjustFactors], strict=False)
RISK_LIMITS = msgspec.json.Decoder(list[RiskLimit], strict=False)
BEST = msgspec.json.Decoder(list[BestRow], strict=False)
SYSTEM = msgspec.json.Decoder(SystemState, strict=False)
BARS = msgspec.json.Decoder(Bars, strict=False)
BASIS = msgspec.json.Decoder(Basis, strict=False)
CANDLE_KINDS: dict[str, CandleKind] = {"kline": "last", "mark_price": "mark", "index": "index", "premium_index": "premium"}
PERIOD_SECONDS = {
    "1min": 60, "5min": 300, "15min": 900, "30min": 1800, "60min": 3600, "1hour": 3600, "4hour": 14_400, "12hour": 43_200, "1day": 86_400,
    "1week": 604_800, "1mon": 2_592_000,
}  # fmt: skip


def instant(value: When) -> int | None:
    """Read milliseconds as ns; None when the venue leaves them out.

    >>> instant("1603699200000"), instant(""), instant(None)
    (1603699200000000000, None, None)
    """
    if value is None or value == "":
        return None
    number = int(value)
    if not 0 <= number <= 9_000_000_000_000:
        raise ValueError(f"instant out of range: {str(value)[:40]}")
    return number * MS


def eight_utc(text: str, form: str) -> int | None:
    """Contracts are delivered at 16:00 in Singapore, 08:00 UTC."""
    try:
        day = datetime.strptime(text, form).replace(hour=8, tzinfo=UTC)
    except ValueError:
        return None
    return int(day.timestamp()) * 1_000_000_000 if 1970 <= day.year < 2200 else None


def infer(venue_symbol: str) -> Instrument | None:
    """Read a contract from its name: BTC-USDT, BTC-USD, BTC-USDT-250627, BTC250627; BTC_CQ and BTC-USDT-CQ are rolling names.

    A rolling name gets a symbol of its own (`BTC/USD:BTC-CQ`), as it stands for another contract every week or quarter.
    """
    if found := DASHED.fullmatch(venue_symbol):
        coin, quote, suffix = found.group(1), found.group(2), found.group(3) or ""
    elif found := COIN_FUTURE.fullmatch(venue_symbol):
        coin, quote, suffix = found.group(1), "USD", found.group(2)
    else:
        return None
    expiry = eight_utc(suffix, "%y%m%d") if suffix and suffix not in ALIASES else None
    if suffix and suffix not in ALIASES and expiry is None:
        return None
    inverse = quote == "USD"  # a coin-margined contract is 100 USD for BTC and 10 USD for any other coin
    contract = make(
        NAME, venue_symbol, coin, quote, expiry=expiry, kind="future" if suffix else "perpetual", size_unit="contracts",
        contract_size=(100.0 if coin == "BTC" else 10.0) if inverse else None, is_inferred=True,
    )  # fmt: skip
    return msgspec.structs.replace(contract, symbol=f"{contract.symbol}-{suffix}") if suffix in ALIASES else contract


# --- rows that sockets and REST share ---------------------------------------------------------------------------------


def listings(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in LISTINGS.decode(data):
        named = infer(row.contract_code)
        if named is None:
            continue  # a name this file cannot read must not hide the others
        known = parser.instruments.listed(row.contract_code)
        expiry = instant(row.delivery_time) or eight_utc(row.delivery_date or "", "%Y%m%d") or named.expiry
        hours = _hours(row.settlement_period) or (known.funding_interval_hours if known else None)
        size = reading(row.contract_size)
        events.append(
            msgspec.structs.replace(
                named, contract_size=size if size is not None and size > 0 else named.contract_size, tick_size=reading(row.price_tick),
                expiry=expiry if named.kind == "future" else None, funding_interval_hours=hours if named.kind == "perpetual" else None,
                max_leverage=known.max_leverage if known else None,
                status=STATUSES.get(row.contract_status, str(row.contract_status)), is_inferred=False, ts_event=ts, ts_recv=ts_recv,
            )
        )  # fmt: skip
    return events


def _hours(value: Loose) -> float | None:
    hours = reading(value)
    return hours if hours is not None and 0 < hours <= 168 else None


def elements(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    return [
        msgspec.structs.replace(
            known, funding_interval_hours=_hours(row.settle_period) or known.funding_interval_hours,
            max_leverage=reading(row.max_level) or known.max_leverage, ts_event=ts, ts_recv=ts_recv,
        )
        for row in ELEMENTS.decode(data)
        if (known := parser.instruments.listed(row.contract_code)) is not None
    ]  # fmt: skip


def liquidations(parser: Parser, data: bytes, ts: int, ts_recv: int, is_backfill: bool = True) -> Sequence[Event]:
    rows = LIQUIDATIONS.decode(data)
    found = [_liquidation(parser, row, ts, ts_recv, is_backfill) for row in (rows if isinstance(rows, list) else rows.orders)]
    return found if len(found) < 2 else number_repeats(found)


def _liquidation(parser: Parser, row: LiquidationRow, ts: int, ts_recv: int, is_backfill: bool) -> Liquidation:
    i = parser.instruments.get(row.contract_code)
    price = row.price or row.bankrupt_price
    if price is None:
        raise ParseError(parser.channel, "a liquidation without a price")
    contracts, quantity, notional = i.measure(row.volume, price)
    turnover, amount = reading(row.trade_turnover), reading(row.amount)
    if i.contract_type == "linear":
        # `amount` is coins on sockets but contracts in v5's own example; the turnover agrees with the volume in both.
        if turnover is not None and turnover > 0:
            quantity, notional = turnover / price, turnover
        elif quantity is None and amount is not None and row.liquidation_time is None:
            quantity, notional = amount, amount * price
    when = instant(row.liquidation_time if row.created_at is None else row.created_at)
    native_id = row.id if row.query_id is None else row.query_id
    return Liquidation(
        NAME, i.symbol, row.contract_code, i.base, ts if when is None else when, ts_recv, _position_side(parser, row), price, "bankruptcy",
        quantity, contracts, notional, "market", RULE, "" if native_id is None else str(native_id), is_backfill=is_backfill,
    )  # fmt: skip


def _position_side(parser: Parser, row: LiquidationRow) -> PositionSide:
    """`direction` (and v5's `side`) is the side of the liquidation order: a sell closes a long."""
    order = row.side or row.direction
    if order not in ("buy", "sell"):
        raise ParseError(parser.channel, f"order side {order[:20]!r} is neither buy nor sell")
    side: PositionSide = "long" if order == "sell" else "short"
    if row.position_side in ("long", "short") and row.position_side != side:
        raise ParseError(parser.channel, f"a {order} order cannot close a {row.position_side}")
    return side


def open_interest(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    rows = INTEREST.decode(data)
    events = []
    for row in rows if isinstance(rows, list) else [rows]:
        i = parser.instruments.get(row.contract_code)
        _, base, usd = i.measure(row.volume, None)
        amount, value = reading(row.amount), reading(row.value)
        base = base if amount is None else amount
        usd = value if i.contract_type == "linear" else usd
        events.append(OpenInterest(NAME, i.symbol, row.contract_code, i.base, ts, ts_recv, row.volume, base, usd))
    return events


def system(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    state = SYSTEM.decode(data)
    until = instant(state.estimated_recovery_time)
    detail = "" if until is None else f"recovery expected at {datetime.fromtimestamp(until // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return (VenueStatus(NAME, "", "", "", ts, ts_recv, "operational" if state.heartbeat == 1 else "maintenance", detail),)


def candle(i: Instrument, bar: Bar, channel: str, seconds: int, ts: int, ts_recv: int, is_closed: bool, is_backfill: bool) -> Candle:
    kind = CANDLE_KINDS[channel]
    quantity = notional = trades = None
    if kind == "last":
        volume, coins, turnover = (None if x is None else x * ONE_SIDE for x in (bar.vol, bar.amount, bar.trade_turnover))
        quantity, trades = coins, None if bar.count is None else int(bar.count)
        notional = turnover
        if i.contract_type == "inverse":
            notional = None if volume is None else i.notional_usd(volume, bar.close)
    return Candle(
        NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, seconds, bar.id * 1_000_000_000, bar.open, bar.high, bar.low, bar.close,
        quantity, notional, trades, None, kind, is_closed, is_backfill,
    )  # fmt: skip


def basis(i: Instrument, m: Basis, detail: str, ts_recv: int) -> Sequence[Event]:
    """Read the index at the open or close of a bar (`detail` is 1min.open); the other price of the pair is the last trade, not the mark."""
    period, _, which = detail.partition(".")
    seconds = PERIOD_SECONDS.get(period, 0)
    if which not in ("open", "close"):
        return ()
    events = []
    for row in m.data if m.tick is None else [m.tick]:
        price = reading(row.index_price)
        if price is None:
            continue
        end = (row.id + seconds) * 1_000_000_000 if m.tick is None or m.ts is None else m.ts * MS
        ts = row.id * 1_000_000_000 if which == "open" else end
        events.append(MarkPrice(NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, None, price))
    return events


# --- REST only --------------------------------------------------------------------------------------------------------


def funding(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    rows = FUNDING.decode(data)
    events = []
    for row in rows if isinstance(rows, list) else [rows]:
        i, rate, when, after = parser.instruments.get(row.contract_code), reading(row.funding_rate), row.funding_time, row.next_funding_time
        if rate is None:
            continue  # dated futures are listed with null
        due, following = instant(when), instant(after)
        hours = (following - due) / HOUR if due is not None and following is not None and following > due else i.funding_interval_hours
        events.append(
            FundingRate(
                NAME, i.symbol, row.contract_code, i.base, ts, ts_recv, rate, hours, due, "predicted", reading(row.max_funding_rate),
                reading(row.min_funding_rate),
            )
        )  # fmt: skip
    return events


def funding_history(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    page = FUNDING_HISTORY.decode(data)
    rows = page if isinstance(page, list) else page.data
    dated = sorted((when, n) for n, row in enumerate(rows) if (when := instant(row.funding_time)) is not None)
    events: list[Event] = []
    before: dict[str, int] = {}
    for when, n in dated:
        row = rows[n]
        i, rate = parser.instruments.get(row.contract_code), reading(row.funding_rate)
        gap = (when - before.get(row.contract_code, when)) / HOUR
        before[row.contract_code] = when
        if rate is None:
            continue
        hours = gap if gap in (1, 2, 4, 8) else i.funding_interval_hours
        events.append(FundingRate(NAME, i.symbol, row.contract_code, i.base, when, ts_recv, rate, hours, when, "settled", is_backfill=True))
    return events


def open_interest_history(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    answer = INTEREST_HISTORY.decode(data)
    i = _contract_asked(parser, answer.contract_code)
    if i is None:
        return ()
    events = []
    for tick in answer.tick:
        _, base, usd = i.measure(tick.volume, None)
        if tick.amount_type == 2:  # asked in coins
            base, usd = tick.volume, None
        value = reading(tick.value)
        usd = value if i.contract_type == "linear" else usd
        events.append(OpenInterest(NAME, i.symbol, i.venue_symbol, i.base, tick.ts * MS, ts_recv, tick.volume, base, usd, "one_side", True))
    return events


def index(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in INDICES.decode(data):
        if row.index_price is None or not row.contract_code:
            continue
        i, when = parser.instruments.get(row.contract_code), instant(row.index_ts)
        events.append(MarkPrice(NAME, i.symbol, row.contract_code, i.base, ts if when is None else when, ts_recv, None, row.index_price))
    return events


def insurance(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    answer = FUNDS.decode(data)
    if isinstance(answer, list):
        readings = [(row.contract_code or row.symbol, row.insurance_fund, ts) for row in answer]
    else:
        readings = [(answer.contract_code or answer.symbol, tick.insurance_fund, tick.ts * MS) for tick in answer.tick]
    events = []
    for pool, balance, when in readings:
        i = infer(pool)
        inverse = i is None or i.contract_type == "inverse"  # coin-margined futures name a fund by its coin alone
        asset = pool if i is None else i.settlement_asset
        symbol, base = ("", pool) if i is None else (i.symbol, i.base)
        events.append(
            InsuranceFund(NAME, symbol, pool if i else "", base, when, ts_recv, pool, asset, balance, None if inverse else balance)
        )
    return events


def ratios(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    answer = RATIOS.decode(data)
    kind: RatioKind = "top_positions" if "position" in parser.channel else "top_accounts"
    seconds = PERIOD_SECONDS.get(parser.route.query.get("period", ""))
    rows, code = (answer, "") if isinstance(answer, list) else (answer.list, answer.contract_code)
    events = []
    for row in rows:
        i, longs, shorts = _contract_asked(parser, row.contract_code or code), reading(row.buy_ratio), reading(row.sell_ratio)
        if i is None or longs is None or shorts is None or longs < 0 or shorts < 0 or longs + shorts <= 0:
            continue
        when, total = instant(row.ts), longs + shorts  # accounts locked on both sides are left out
        events.append(
            PositioningRatio(
                NAME, i.symbol, i.venue_symbol, i.base, ts if when is None else when, ts_recv, kind, longs / total, shorts / total, seconds
            )
        )
    return events


def adjust_factors(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    """Read the old margin model: liquidation comes when equity / used margin falls to the factor, so the rate is factor / leverage.

    Every leverage has its own ladder; steps are numbered on through them, highest leverage first.
    """
    events: list[Event] = []
    for row in ADJUST_FACTORS.decode(data):
        i = _contract_asked(parser, row.contract_code)
        if i is None:
            continue
        mode = row.margin_mode or ("cross" if "cross" in parser.channel else "isolated" if i.contract_type == "linear" else "")
        steps = [(lever.lever_rate, step) for lever in sorted(row.list, key=lambda x: -x.lever_rate) for step in lever.ladders]
        events += [
            _tier(i, ts, ts_recv, number, step.min_size, step.max_size, "contracts", step.adjust_factor / leverage, leverage, mode)
            for number, (leverage, step) in enumerate(steps, 1)
        ]
    return events


def risk_limits(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in RISK_LIMITS.decode(data):
        i, leverage, rate = parser.instruments.get(row.contract_code), reading(row.max_lever), reading(row.maintenance_margin_rate)
        lower, upper, unit = reading(row.min_volume), reading(row.max_volume), row.volume_unit.upper()
        bound: Literal["usd", "contracts", "base"] = "usd" if unit == i.quote else "base" if unit == i.base else "contracts"
        events.append(_tier(i, ts, ts_recv, row.tier, lower or 0.0, upper, bound, rate, leverage, row.margin_mode))
    return events


def _tier(
    i: Instrument, ts: int, ts_recv: int, number: int, lower: float, upper: float | None, unit: Literal["usd", "contracts", "base"],
    rate: float | None, leverage: float | None, mode: str,
) -> MarginTiers:  # fmt: skip
    return MarginTiers(
        NAME, i.symbol, i.venue_symbol, i.base, ts, ts_recv, number, lower, upper, unit, rate, leverage,
        None if leverage is None or leverage < 1e-6 else 1 / leverage,
        margin_mode="cross" if mode == "cross" else "isolated" if mode == "isolated" else "any",
    )  # fmt: skip


def best_quotes(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    events = []
    for row in BEST.decode(data):
        i, when = parser.instruments.get(row.contract_code), ts if row.ts is None else row.ts * MS
        bids, asks = [] if row.bid is None else [row.bid], [] if row.ask is None else [row.ask]
        events.append(BookDepth(NAME, i.symbol, row.contract_code, i.base, when, ts_recv, "top", bids, asks, i.size_unit, row.mrid))
    return events


def nothing(parser: Parser, data: bytes, ts: int, ts_recv: int) -> Sequence[Event]:
    """Accept an answer that is described and holds nothing we keep."""
    return ()


def _contract_asked(parser: Parser, code: str) -> Instrument | None:
    """Return the contract the body names, else the one the address asked for; None when neither names one."""
    code = code or parser.route.query.get("contract_code", "").upper()
    return parser.instruments.get(code) if code else None


Reader: TypeAlias = Callable[[Parser, bytes, int, int], Sequence[Event]]
READERS: dict[str, Reader] = {
    "swap_contract_info": listings, "contract_contract_info": listings, "swap_query_elements": elements,
    "contract_query_elements": elements, "swap_liquidation_orders": liquidations, "contract_liquidation_orders": liquidations,
    "liquidation_orders": liquidations, "swap_funding_rate": funding, "swap_batch_funding_rate": funding, "funding_rate": funding,
    "swap_historical_funding_rate": funding_history, "funding_rate_history": funding_history, "swap_open_interest": open_interest,
    "contract_open_interest": open_interest, "open_interest": open_interest, "swap_his_open_interest": open_interest_history,
    "contract_his_open_interest": open_interest_history, "swap_index": index, "swap_insurance_fund": insurance,
    "contract_insurance_fund": insurance, "swap_risk_info": insurance, "contract_risk_info": insurance,
    "swap_elite_account_ratio": ratios, "swap_elite_position_ratio": ratios, "contract_elite_account_ratio": ratios,
    "contract_elite_position_ratio": ratios, "elite_account_ratio": ratios, "elite_position_ratio": ratios,
    "swap_adjustfactor": adjust_factors, "swap_cross_adjustfactor": adjust_factors, "contract_adjustfactor": adjust_factors,
    "risk_limit": risk_limits, "bbo": best_quotes,
    # Bounds of free margin, not of positions: nothing a maintenance-margin table holds.
    **dict.fromkeys(("swap_ladder_margin", "swap_cross_ladder_margin", "contract_ladder_margin"), nothing),
    **dict.fromkeys(
        (
            "swap_settlement_records", "contract_settlement_records", "settlement_history", "swap_price_limit", "contract_price_limit",
            "price_limit", "swap_api_state", "contract_api_state", "swap_estimated_settlement_price", "estimated_settlement_price",
            "contract_delivery_price", "swap_delivery_price", "contract_index", "timestamp", "get_timestamp", "heartbeat", "merged",
            "batch_merged", "swap_cross_trade_state", "swap_cross_transfer_state", "multi_assets_margin",
            "assets_deduction_currency",
        ),
        nothing,
    ),
}  # fmt: skip
BY_CHANNEL = frozenset(
    ("depth", "trade", "kline", "detail", "linear_swap_mark_price_kline", "swap_mark_price_kline", "mark_price_kline", "index",
     "linear_swap_premium_index_kline", "swap_premium_index_kline", "linear_swap_estimated_rate_kline", "swap_estimated_rate_kline",
     "linear_swap_basis", "swap_basis", "basis")
)  # fmt: skip
"""Addresses whose answers name their channel in `ch` and read like the socket's frames."""
SHAPES: tuple[tuple[bytes, str], ...] = (
    (b'"liquidation_time"', "liquidation_orders"), (b'"query_id"', "swap_liquidation_orders"),
    (b'"adjust_factor"', "swap_adjustfactor"), (b'"maintenance_margin_rate"', "risk_limit"), (b'"estimated_clawback"', "swap_risk_info"),
    (b'"insurance_fund"', "swap_insurance_fund"), (b'"amount_type"', "swap_his_open_interest"),
    (b'"avg_premium_index"', "swap_historical_funding_rate"), (b'"price_tick"', "swap_contract_info"),
    (b'"index_ts"', "swap_index"), (b'"funding_time"', "swap_batch_funding_rate"),
    (b'"trade_amount"', "swap_open_interest"), (b'"locked_ratio"', "swap_elite_account_ratio"),
    (b'"max_margin_available"', "swap_ladder_margin"), (b'"clawback_ratio"', "swap_settlement_records"),
)  # fmt: skip
"""What tells an answer apart where the address does not, in the order to try."""
ROOMS = ("/linear-swap-api/", "/swap-api/", "/linear-swap-ex/", "/swap-ex/", "/v2/", "/v5/", "/api/", "/market/", "/index/", "/heartbeat")


def rest_name(path: str) -> str | None:
    """Name a REST address by its last path element; None for a socket."""
    if not path.startswith(ROOMS):
        return None
    head, _, last = path.rstrip("/").rpartition("/")
    return "risk_limit" if head.endswith("/risk") and last == "limit" else last


def read_answer(parser: Parser, name: str, payload: bytes, ts_recv: int) -> Sequence[Event]:
    """Read one REST answer; an error reply yields nothing."""
    answer = ANSWER.decode(payload)
    if answer.status not in (None, "ok") or answer.code not in (None, 200):
        parser.channel = "error"
        return ()
    reader = READERS.get(name)
    if reader is None:
        raise UnknownFrame(name, "no such address is described")
    data = bytes(answer.data) or bytes(answer.ticks)
    if data in (b"", b"null"):
        return ()
    return reader(parser, data, ts_recv if answer.ts is None else answer.ts * MS, ts_recv)
