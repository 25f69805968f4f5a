"""Everything a venue or a reference can say, as small immutable records. What each field means and its unit: `tables.py`.

Every event opens with the same six fields, so parsers may build it positionally: `venue`, `symbol` (canonical),
`venue_symbol`, `base`, `ts_event` (the venue's clock), `ts_recv` (ours), both int64 ns UTC. `ts_event` equals `ts_recv`
where the venue gives no time. An absent value is None, never zero.
"""

from typing import Literal, TypeAlias

import msgspec

from deleverage.instruments import Instrument, SizeUnit

Levels: TypeAlias = list[tuple[float, float]]
PositionSide: TypeAlias = Literal["long", "short"]
TakerSide: TypeAlias = Literal["buy", "sell"]
PriceKind: TypeAlias = Literal["fill", "order", "bankruptcy", "mark", "unknown"]
TradeKind: TypeAlias = Literal["market", "aggregate", "rpi", "insurance_fund", "adl", "block", "other"]
CandleKind: TypeAlias = Literal["last", "mark", "index", "premium"]
RatioKind: TypeAlias = Literal["accounts", "top_accounts", "top_positions", "taker_volume"]
Method: TypeAlias = Literal["market", "backstop", "adl", "unknown"]


class Header(msgspec.Struct, frozen=True, gc=False):
    """The fields all events share."""

    venue: str
    symbol: str
    venue_symbol: str
    base: str
    ts_event: int
    ts_recv: int


class Trade(Header, frozen=True, gc=False):
    """One public trade print (or one aggregate of prints where the venue only publishes those)."""

    trade_id: str
    taker_side: TakerSide
    price: float
    quantity: float | None
    contracts: float | None
    notional_usd: float | None
    trade_kind: TradeKind = "market"
    liquidated: Literal["none", "maker", "taker", "both", "unknown"] = "unknown"
    buyer: str | None = None
    seller: str | None = None
    is_backfill: bool = False


class Candle(Header, frozen=True, gc=False):
    """Open, high, low, close over [ts_open, ts_open + interval_seconds)."""

    interval_seconds: int
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    quantity: float | None = None
    notional_usd: float | None = None
    trade_count: int | None = None
    taker_buy_quantity: float | None = None
    price_kind: CandleKind = "last"
    is_closed: bool = True
    is_backfill: bool = False


class Liquidation(Header, frozen=True, gc=False):
    """One forced close, as far as the venue shows it. `notional_usd` is size closed, never a loss."""

    position_side: PositionSide
    price: float | None
    price_kind: PriceKind
    quantity: float | None
    contracts: float | None
    notional_usd: float | None
    method: Method
    coverage_rule: str
    native_id: str = ""
    ordinal: int = 0
    mark_price: float | None = None
    account: str | None = None
    is_backfill: bool = False


class MarkPrice(Header, frozen=True, gc=False):
    """The price margin is computed on, and the index behind it."""

    mark_price: float | None
    index_price: float | None = None


class FundingRate(Header, frozen=True, gc=False):
    """A funding rate per its own interval; positive means longs pay shorts."""

    funding_rate: float
    funding_interval_hours: float | None
    funding_time: int | None
    funding_kind: Literal["predicted", "settled"]
    rate_cap: float | None = None
    rate_floor: float | None = None
    is_backfill: bool = False


class OpenInterest(Header, frozen=True, gc=False):
    """Contracts outstanding at an instant; base and USD are always one-sided."""

    open_interest: float
    open_interest_base: float | None
    open_interest_usd: float | None
    counting: Literal["one_side", "both_sides"] = "one_side"
    is_backfill: bool = False


class PositioningRatio(Header, frozen=True, gc=False):
    """How accounts, positions or takers split between long and short."""

    ratio_kind: RatioKind
    long_share: float
    short_share: float
    period_seconds: int | None = None


class BookDepth(Header, frozen=True, gc=False):
    """Order-book levels: a full snapshot, a change (size 0 deletes), or only the best bid and ask."""

    update: Literal["snapshot", "delta", "top"]
    bids: Levels
    asks: Levels
    size_unit: SizeUnit
    sequence: int | None = None
    previous_sequence: int | None = None


class OptionQuote(Header, frozen=True, gc=False):
    """State of one listed option."""

    strike: float
    expiry: int
    option_type: Literal["call", "put"]
    premium_unit: Literal["base", "usd"]
    bid_price: float | None = None
    ask_price: float | None = None
    mark_price: float | None = None
    last_price: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    mark_iv: float | None = None
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    rho: float | None = None
    underlying_price: float | None = None
    index_price: float | None = None
    open_interest: float | None = None
    volume_24h: float | None = None


class VolatilityIndex(Header, frozen=True, gc=False):
    """A published implied-volatility index, annualised percent."""

    index_name: str
    volatility: float
    interval_seconds: int | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    is_backfill: bool = False


class EtfFlow(Header, frozen=True, gc=False):
    """Net flow of one fund on one trading day."""

    fund: str
    trading_day: str
    net_flow_usd: float
    is_provisional: bool = False


class SentimentReading(Header, frozen=True, gc=False):
    """One value of a sentiment index."""

    index_name: str
    value: float
    classification: str = ""


class MacroObservation(Header, frozen=True, gc=False):
    """One observation of an economic series."""

    series: str
    observation_date: str
    value: float | None


class PositionSnapshot(Header, frozen=True, gc=False):
    """One account's open position, where a venue publishes positions."""

    account: str
    position_side: PositionSide
    quantity: float
    entry_price: float | None
    liquidation_price: float | None
    notional_usd: float | None
    leverage: float | None
    margin_mode: Literal["cross", "isolated"]
    margin_used: float | None
    unrealized_pnl_usd: float | None
    account_value_usd: float | None


class MarginTiers(Header, frozen=True, gc=False):
    """One step of a venue's maintenance-margin table."""

    tier: int
    lower: float
    upper: float | None
    bound_unit: Literal["usd", "contracts", "base"]
    maintenance_margin_rate: float | None
    max_leverage: float | None
    initial_margin_rate: float | None = None
    maintenance_deduction: float | None = None
    margin_mode: Literal["cross", "isolated", "any"] = "any"


class InsuranceFund(Header, frozen=True, gc=False):
    """Balance of an insurance fund or pool. `symbol` and `base` are empty for a fund shared by many contracts."""

    pool: str
    asset: str
    balance: float
    balance_usd: float | None = None
    change: float | None = None
    change_kind: str = ""


class AdlSignal(Header, frozen=True, gc=False):
    """A venue's word on auto-deleveraging: an alert, a risk level, a pool nearing its threshold, or a print."""

    signal: Literal["warning", "active", "risk", "pool", "print", "normal"]
    pool: str = ""
    risk: str = ""
    balance: float | None = None
    drawdown: float | None = None
    trigger: float | None = None
    stop: float | None = None
    threshold: float | None = None
    quantity: float | None = None
    notional_usd: float | None = None


class VenueStatus(Header, frozen=True, gc=False):
    """A venue's announcement about itself: maintenance, locked, degraded, operational."""

    status: str
    detail: str = ""


class Gap(Header, frozen=True, gc=False):
    """A stretch [ts_start, ts_end) in which a channel was not received. `ts_end` None: still open."""

    channel: str
    ts_start: int
    ts_end: int | None
    reason: str


class FeedState(Header, frozen=True, gc=False):
    """A change of what is believed of a channel's feed; in force from `ts_event` (our clock), true since `ts_since`.

    `state`: live, thin, silent, blind, skewed or down; `evidence` says why in words.
    """

    channel: str
    state: str
    ts_since: int
    evidence: str


Event: TypeAlias = (
    Trade | Candle | Liquidation | MarkPrice | FundingRate | OpenInterest | PositioningRatio | BookDepth | OptionQuote
    | VolatilityIndex | EtfFlow | SentimentReading | MacroObservation | PositionSnapshot | MarginTiers | InsuranceFund
    | AdlSignal | VenueStatus | Gap | FeedState | Instrument
)  # fmt: skip
