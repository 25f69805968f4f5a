"""One table per event: the meaning, unit and Arrow type of every column, and which columns identify a row.

The data dictionary (`docs/data-dictionary.md`) is generated from here; a test holds columns and event fields together.
Two rows with equal `key` are the same event seen twice: the one received first stays. A table with `state` columns holds
successive readings of something: what was known at a moment is the last reading per `state` received by then.
"""

import types
import typing

import msgspec
import polars as pl
import pyarrow as pa

from deleverage import events
from deleverage.instruments import Instrument


class Column(msgspec.Struct, frozen=True):
    """A column: its Arrow type, unit, and meaning in one sentence."""

    name: str
    arrow: pa.DataType
    unit: str
    meaning: str
    nullable: bool


class Table(msgspec.Struct, frozen=True):
    """Where the events of one class go. `key` identifies a row; `state` (may be empty) what successive rows describe."""

    name: str
    event: type[msgspec.Struct]
    about: str
    key: tuple[str, ...]
    state: tuple[str, ...]
    columns: tuple[Column, ...]
    anonymous_without: str = ""
    """A row in which this column is null has no identity and is never taken for a repeat."""

    @property
    def arrow_schema(self) -> pa.Schema:
        """Schema of every frame of this table, columns in order."""
        return pa.schema([pa.field(c.name, c.arrow, nullable=c.nullable) for c in self.columns])

    @property
    def polars_schema(self) -> pl.Schema:
        """The same, for Polars."""
        return pl.Schema(pl.from_arrow(self.arrow_schema.empty_table()).schema)  # type: ignore[union-attr]  # a table gives a frame


LEVELS = pa.list_(pa.struct([pa.field("price", pa.float64(), False), pa.field("size", pa.float64(), False)]))
ARROW_TYPES: dict[object, pa.DataType] = {
    str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_(), events.Levels: LEVELS,
}  # fmt: skip

MEANINGS: dict[str, tuple[str, str]] = {
    # name: (unit, meaning); a `Table` below overrides one where its own meaning differs
    "venue": ("", "lower-case name of the venue"),
    "symbol": ("", "canonical contract, ccxt's unified form: BTC/USDT:USDT, BTC/USD:BTC, BTC/USD:BTC-250627-100000-C"),
    "venue_symbol": ("", "the venue's own spelling of the contract"),
    "base": ("", "coin the contract is on, without a scale prefix (PEPE for 1000PEPE)"),
    "ts_event": ("ns UTC", "the venue's clock; ts_recv where the venue gives no time"),
    "ts_recv": ("ns UTC", "our clock when the frame arrived: when this was known"),
    "trade_id": ("", "the venue's own identifier, unique per contract"),
    "taker_side": ("buy|sell", "side of the order that crossed the book"),
    "price": ("USD per base", "price of the print"),
    "quantity": ("base", "size in base coins as listed (1000PEPE counts thousands); null when the contract size is unknown"),
    "contracts": ("contracts", "size in contracts; null when the venue trades in base coins without a contract size"),
    "notional_usd": ("USD", "size in dollars at `price`; USDT and USDC count as 1.0; null when the contract size is unknown"),
    "trade_kind": ("", "market, aggregate (several fills at one price), rpi, insurance_fund, adl, block, other"),
    "liquidated": ("", "who was being liquidated: none, maker, taker, both; unknown where the venue does not say"),
    "buyer": ("", "account that bought, where public"),
    "seller": ("", "account that sold, where public"),
    "is_backfill": ("", "fetched or replayed afterwards, not seen as it happened"),
    "interval_seconds": ("s", "length of the interval"),
    "ts_open": ("ns UTC", "start of the interval, inclusive"),
    "open": ("USD per base", "first price"),
    "high": ("USD per base", "highest price"),
    "low": ("USD per base", "lowest price"),
    "close": ("USD per base", "last price"),
    "trade_count": ("trades", "number of trades"),
    "taker_buy_quantity": ("base", "quantity bought by takers"),
    "price_kind": ("", "what the price is"),
    "is_closed": ("", "false while the interval is still running"),
    "position_side": ("long|short", "whose position"),
    "method": ("", "market, backstop (taken over by a fund or vault), adl, unknown"),
    "coverage_rule": ("", "how much of reality the feed shows: the venue's rule in force at ts_event"),
    "native_id": ("", "the venue's own identifier, empty where it has none"),
    "ordinal": ("", "0 for the first, 1 for the second of identical rows within one push"),
    "mark_price": ("USD per base", "the venue's mark price"),
    "account": ("", "public account identifier"),
    "index_price": ("USD per base", "the venue's index (spot) price"),
    "funding_rate": ("share per interval", "rate for one funding interval; positive: longs pay shorts"),
    "funding_interval_hours": ("h", "length of the funding interval; null where the message does not say"),
    "funding_time": ("ns UTC", "settlement the rate belongs to: past for settled, next for predicted"),
    "funding_kind": ("predicted|settled", "whether the rate can still change"),
    "rate_cap": ("share per interval", "highest rate the venue allows"),
    "rate_floor": ("share per interval", "lowest rate the venue allows"),
    "open_interest": ("as published", "figure as the venue prints it, in its own unit and counting"),
    "open_interest_base": ("base", "one-sided, in base coins"),
    "open_interest_usd": ("USD", "one-sided, in dollars"),
    "counting": ("one_side|both_sides", "how the published figure counts; base and USD are one-sided always"),
    "ratio_kind": ("", "what is split: accounts, top_accounts, top_positions, taker_volume"),
    "long_share": ("share", "long (or taker-buy) part, 0–1"),
    "short_share": ("share", "short (or taker-sell) part, 0–1"),
    "period_seconds": ("s", "length of the measuring period"),
    "update": ("snapshot|delta|top", "snapshot replaces the book; delta changes levels (size 0 deletes); top is best bid and ask"),
    "bids": ("USD, size_unit", "(price, size) levels as sent"),
    "asks": ("USD, size_unit", "(price, size) levels as sent"),
    "size_unit": ("base|contracts|usd", "unit of sizes on this venue's wire"),
    "sequence": ("", "the venue's sequence number after this message"),
    "previous_sequence": ("", "the sequence number this message must follow; null where the venue gives none"),
    "strike": ("USD", "strike price"),
    "expiry": ("ns UTC", "expiry instant"),
    "option_type": ("call|put", "option type"),
    "premium_unit": ("base|usd", "unit of bid_price, ask_price, mark_price and last_price"),
    "bid_price": ("premium_unit", "best bid"),
    "ask_price": ("premium_unit", "best ask"),
    "last_price": ("premium_unit", "last traded price"),
    "bid_iv": ("share per year", "implied volatility at the bid, 0.5 is 50 %"),
    "ask_iv": ("share per year", "implied volatility at the ask"),
    "mark_iv": ("share per year", "implied volatility at the mark"),
    "delta": ("", "as published by the venue"),
    "gamma": ("", "as published by the venue"),
    "vega": ("", "as published by the venue"),
    "theta": ("", "as published by the venue"),
    "rho": ("", "as published by the venue"),
    "underlying_price": ("USD per base", "forward or future the option is priced on"),
    "volume_24h": ("base", "traded in the last 24 h"),
    "index_name": ("", "name of the index"),
    "volatility": ("percent per year", "index value, 59.2 is 59.2 %"),
    "fund": ("", "fund ticker, or TOTAL"),
    "trading_day": ("date", "US trading day, YYYY-MM-DD"),
    "net_flow_usd": ("USD", "creations minus redemptions; negative is an outflow"),
    "is_provisional": ("", "may still be revised by the source"),
    "value": ("index points", "value of the reading"),
    "classification": ("", "the source's own word for the value"),
    "series": ("", "series identifier of the source"),
    "observation_date": ("date", "day the observation is for, YYYY-MM-DD"),
    "entry_price": ("USD per base", "average entry"),
    "liquidation_price": ("USD per base", "price at which the venue would liquidate, as published; null when it gives none"),
    "leverage": ("", "leverage set by the account"),
    "margin_mode": ("", "cross, isolated, or any"),
    "margin_used": ("USD", "margin bound by the position"),
    "unrealized_pnl_usd": ("USD", "profit or loss at the mark price"),
    "account_value_usd": ("USD", "value of the whole account"),
    "tier": ("", "number of the step, from 1"),
    "lower": ("bound_unit", "smallest position of the step, inclusive"),
    "upper": ("bound_unit", "largest position of the step; null: no limit"),
    "bound_unit": ("usd|contracts|base", "unit of lower and upper"),
    "maintenance_margin_rate": ("share", "maintenance margin per notional"),
    "max_leverage": ("", "highest leverage allowed"),
    "initial_margin_rate": ("share", "initial margin per notional"),
    "maintenance_deduction": ("USD", "amount taken off so that margin is continuous over steps"),
    "pool": ("", "name of the fund or pool"),
    "asset": ("", "asset the balance is in"),
    "balance": ("asset", "balance"),
    "balance_usd": ("USD", "balance in dollars where the venue says so"),
    "change": ("asset", "change the row reports"),
    "change_kind": ("", "the venue's word for the change"),
    "signal": ("", "warning, active, risk, pool, print, normal"),
    "risk": ("", "the venue's word or number for the risk level"),
    "drawdown": ("share", "fall of the pool from its 8 h peak, negative"),
    "trigger": ("share", "drawdown at which deleveraging starts"),
    "stop": ("share", "drawdown at which it stops"),
    "threshold": ("asset", "pool balance that arms the trigger"),
    "status": ("", "the venue's word"),
    "detail": ("", "further words of the venue"),
    "channel": ("", "channel, in the words of the venue file"),
    "state": ("", "what is believed of the feed: live, thin, silent, blind, skewed or down; of a reference: live or stale"),
    "ts_since": ("ns UTC", "since when it is true, our clock"),
    "evidence": ("", "why it is believed"),
    "ts_start": ("ns UTC", "start of the stretch, inclusive"),
    "ts_end": ("ns UTC", "end of the stretch, exclusive; null: still open"),
    "reason": ("", "why"),
    "quote": ("", "quote asset"),
    "settlement_asset": ("", "asset profit and loss is paid in"),
    "kind": ("", "perpetual, future, option"),
    "contract_type": ("linear|inverse", "inverse: settled in the coin itself"),
    "contract_size": ("base or USD", "base coins (linear) or dollars (inverse) per contract; null when only inferred from the name"),
    "base_multiplier": ("", "coins per listed unit: 1000 for 1000PEPE and kPEPE"),
    "tick_size": ("USD per base", "smallest price step"),
    "is_inferred": ("", "true when read from the name only, not from a listing"),
}  # fmt: skip


def _arrow_type(annotation: object) -> tuple[pa.DataType, bool]:
    """Arrow type and nullability of an event field's annotation."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        arms = [a for a in typing.get_args(annotation) if a is not type(None)]
        return _arrow_type(arms[0])[0], True
    if typing.get_origin(annotation) is typing.Literal:
        return pa.string(), False
    return ARROW_TYPES[annotation], False


def _table(
    name: str,
    event: type[msgspec.Struct],
    about: str,
    *,
    key: str,
    state: str = "",
    anonymous_without: str = "",
    **overrides: tuple[str, str],
) -> Table:
    columns = []
    for field, annotation in typing.get_type_hints(event).items():
        unit, meaning = overrides.get(field) or MEANINGS[field]
        arrow, nullable = _arrow_type(annotation)
        columns.append(Column(field, arrow, unit, meaning, nullable))
    return Table(name, event, about, tuple(key.split()), tuple(state.split()), tuple(columns), anonymous_without)


CONTRACT = "venue venue_symbol"

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "liquidations", events.Liquidation, "Forced closes, one row per order or fill as the venue shows it.",
            key=f"{CONTRACT} ts_event native_id position_side price contracts quantity method ordinal",
            price=("USD per base", "see price_kind; null in imported sums"),
            price_kind=("", "what `price` is: fill (average), order (limit), bankruptcy, mark; unknown in imported sums"),
            position_side=("long|short", "whose position was force-closed (never the order side)"),
        ),
        _table("trades", events.Trade, "Public trade prints.", key=f"{CONTRACT} ts_event trade_kind trade_id taker_side price"),
        _table(
            "candles", events.Candle, "Open, high, low, close per interval.",
            key=f"{CONTRACT} price_kind interval_seconds ts_open ts_event open high low close quantity is_closed",
            state=f"{CONTRACT} price_kind interval_seconds ts_open",
            price_kind=("last|mark|index|premium", "which price the candle is of"),
        ),
        _table(
            "mark_prices", events.MarkPrice, "Mark and index prices.",
            key=f"{CONTRACT} ts_event mark_price index_price",
        ),
        _table(
            "funding_rates", events.FundingRate, "Funding rates, predicted and settled.",
            key=f"{CONTRACT} ts_event funding_kind funding_time funding_rate",
        ),
        _table(
            "open_interest", events.OpenInterest, "Open interest readings.",
            key=f"{CONTRACT} ts_event open_interest open_interest_base open_interest_usd",
        ),
        _table(
            "positioning_ratios", events.PositioningRatio, "Long and short shares of accounts, positions or takers.",
            key=f"{CONTRACT} ts_event ratio_kind period_seconds long_share",
        ),
        _table(
            "book_depth", events.BookDepth, "Order-book snapshots, changes and best quotes.",
            key=f"{CONTRACT} ts_event update sequence", anonymous_without="sequence",
        ),
        _table(
            "option_quotes", events.OptionQuote, "Quotes, implied volatilities and greeks of options.",
            key=f"{CONTRACT} ts_event bid_price ask_price mark_price mark_iv open_interest delta",
            mark_price=("premium_unit", "the venue's mark premium"),
            open_interest=("base", "open interest of this option"),
        ),
        _table(
            "volatility_indices", events.VolatilityIndex, "Published implied-volatility indices.",
            key="venue index_name ts_event interval_seconds volatility",
            open=("percent per year", "first value"),
            high=("percent per year", "highest value"),
            low=("percent per year", "lowest value"),
        ),
        _table(
            "etf_flows", events.EtfFlow, "Net flows of exchange-traded funds.",
            key="venue base fund trading_day net_flow_usd is_provisional",
            state="venue base fund trading_day",
        ),
        _table(
            "sentiment_readings", events.SentimentReading, "Sentiment indices.",
            key="venue index_name ts_event value",
            state="venue index_name ts_event",
        ),
        _table(
            "macro_observations", events.MacroObservation, "Economic series with vintages.",
            key="venue series observation_date value",
            state="venue series observation_date",
            value=("series unit", "value; null where the source marks it missing"),
        ),
        _table(
            "position_snapshots", events.PositionSnapshot, "Open positions of accounts that are public.",
            key=f"{CONTRACT} account ts_event position_side quantity",
            position_side=("long|short", "direction of the position"),
        ),
        _table(
            "margin_tiers", events.MarginTiers, "Maintenance-margin tables, one row per step.",
            key=f"{CONTRACT} margin_mode tier lower upper maintenance_margin_rate max_leverage maintenance_deduction",
            state=f"{CONTRACT} margin_mode tier",
        ),
        _table(
            "insurance_funds", events.InsuranceFund, "Balances of insurance funds.",
            key=f"{CONTRACT} pool asset ts_event balance change change_kind",
        ),
        _table(
            "adl_signals", events.AdlSignal, "Auto-deleveraging alerts, risk levels and prints.",
            key=f"{CONTRACT} pool ts_event signal risk balance drawdown quantity",
        ),
        _table("venue_statuses", events.VenueStatus, "What venues say of themselves.", key="venue ts_event status detail"),
        _table("gaps", events.Gap, "Stretches in which a channel was not received.", key=f"{CONTRACT} channel ts_start ts_end"),
        _table("feed_states", events.FeedState, "Changes of what is believed of each feed.", key="venue channel ts_event state"),
        _table(
            "instruments", Instrument, "Listed contracts.",
            key=f"{CONTRACT} contract_size status tick_size max_leverage funding_interval_hours",
            state=CONTRACT,
            status=("", "the venue's listing status, lower case"),
        ),
    )
}  # fmt: skip

TABLE_OF: dict[type[msgspec.Struct], Table] = {table.event: table for table in TABLES.values()}


def data_dictionary() -> str:
    """Write every table and column as one Markdown page."""
    lines = [
        "# Data dictionary",
        "",
        "Generated from `src/deleverage/tables.py` by `make docs`; do not edit. Times are int64 ns UTC. Null means unknown, never zero.",
        "Rows equal in the key are one event seen twice; the one received first stays.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", table.about, "", f"Key: `{'`, `'.join(table.key)}`."]
        if table.state:
            lines += [f"Successive readings of: `{'`, `'.join(table.state)}`."]
        if table.anonymous_without:
            lines += [f"A row whose `{table.anonymous_without}` is null has no identity and is never taken for a repeat."]
        lines += ["", "| column | type | unit | null | meaning |", "|---|---|---|---|---|"]
        for c in table.columns:
            arrow = "list of (price, size)" if c.arrow == LEVELS else str(c.arrow)
            unit, meaning = (text.replace("|", "\\|") for text in (c.unit, c.meaning))
            lines.append(f"| `{c.name}` | {arrow} | {unit} | {'yes' if c.nullable else ''} | {meaning} |")
    return "\n".join(lines) + "\n"
