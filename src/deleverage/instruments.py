"""What a contract is, and the one place where a size on the wire becomes base units and dollars.

Four kinds of size exist in the field (the venue table of notional vectors is a test):
a size in base coins, in contracts of some base coins (linear), in contracts of some dollars (inverse), in dollars.
"""

from typing import Literal, TypeAlias

import msgspec

ContractType = Literal["linear", "inverse"]
Kind = Literal["perpetual", "future", "option"]
SizeUnit = Literal["base", "contracts", "usd"]

DOLLARS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "USDE", "USDH", "USDT0", "USD1"})
"""Assets counted as 1.0 USD. Where a rate series is set, the Figure says so."""

TRADING = frozenset({"trading", "live", "open", "started"})
"""Words of the venues for a contract that trades now."""

Measure: TypeAlias = tuple[float | None, float | None, float | None]
"""One size as (contracts, quantity in base units, notional in USD); None where the contract size or a price is missing.
A plain tuple: it is made once per event, and a named one costs four times as much."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of one venue, as listed or, where `contract_size` is None, as inferred from its name.

    `symbol` is ccxt's unified form: `BTC/USDT:USDT`, `BTC/USD:BTC`, `BTC/USDT:USDT-250627`,
    `BTC/USD:BTC-250627-100000-C`. `size_unit` is the unit of sizes on this venue's wire for this contract.
    `contract_size` is base coins (linear) or dollars (inverse) per contract. `expiry` is ns UTC.
    `base` is the coin without a scale prefix; `base_multiplier` is 1000 for `1000PEPE` and `kPEPE`, so that base units
    compare across venues as quantity * base_multiplier. `ts_event` is the venue's clock or 0, `ts_recv` ours; both ns UTC.
    """

    venue: str
    symbol: str
    venue_symbol: str
    base: str
    quote: str
    settlement_asset: str
    kind: Kind = "perpetual"
    contract_type: ContractType = "linear"
    size_unit: SizeUnit = "base"
    contract_size: float | None = None
    base_multiplier: float = 1.0
    tick_size: float | None = None
    max_leverage: float | None = None
    funding_interval_hours: float | None = None
    strike: float | None = None
    expiry: int | None = None
    option_type: Literal["call", "put"] | None = None
    status: str = "trading"
    is_inferred: bool = False
    ts_event: int = 0
    ts_recv: int = 0

    @property
    def is_trading(self) -> bool:
        """Whether the venue's word for its status means that it trades now."""
        return self.status in TRADING

    def measure(self, size: float, price: float | None) -> Measure:
        """Turn a size on this venue's wire into contracts, base units and US dollars.

        `price` is dollars per base coin (for an option: the underlying's, never the premium).
        A missing price or contract size leaves None, never zero.

        >>> make("okx", "ETH-USDT-SWAP", "ETH", "USDT", size_unit="contracts", contract_size=0.1).measure(13, 2500)
        (13, 1.3, 3250.0)
        """
        if self.size_unit == "base":
            contracts = size / self.contract_size if self.contract_size else None
            return contracts, size, None if price is None else size * price
        if self.size_unit == "usd":
            contracts = size / self.contract_size if self.contract_size else None
            return contracts, size / price if price else None, size
        if self.contract_size is None:
            return size, None, None
        if self.contract_type == "inverse":
            notional = size * self.contract_size
            return size, notional / price if price else None, notional
        quantity = size * self.contract_size
        return size, quantity, None if price is None else quantity * price

    def notional_usd(self, size: float, price: float | None) -> float | None:
        """Return the dollar value of a wire size at `price`; None when the contract size or a needed price is unknown."""
        return self.measure(size, price)[2]

    def is_same_contract(self, other: "Instrument") -> bool:
        """Tell whether both turn the same wire size into the same numbers under the same name."""
        return (self.symbol, self.base, self.size_unit, self.contract_type, self.contract_size, self.base_multiplier) == (
            other.symbol, other.base, other.size_unit, other.contract_type, other.contract_size, other.base_multiplier,
        )  # fmt: skip


SCALE_PREFIXES = (("1000000", 1e6), ("1000", 1e3), ("10000", 1e4), ("1M", 1e6))


def split_scale(coin: str) -> tuple[str, float]:
    """Split a scaled listing into coin and multiplier.

    >>> split_scale("1000PEPE"), split_scale("1000000MOG"), split_scale("BTC"), split_scale("1INCH")
    (('PEPE', 1000.0), ('MOG', 1000000.0), ('BTC', 1.0), ('1INCH', 1.0))
    """
    for prefix, multiplier in SCALE_PREFIXES:
        rest = coin[len(prefix) :]
        if coin.startswith(prefix) and rest and not rest[0].isdigit():
            return rest, multiplier
    return coin, 1.0


def unified_symbol(
    coin: str, quote: str, settlement_asset: str, expiry_yymmdd: str = "", strike: str = "", option_type: str | None = None
) -> str:
    """Spell a contract in ccxt's unified form.

    >>> unified_symbol("BTC", "USD", "BTC", "250627", "100000", "call")
    'BTC/USD:BTC-250627-100000-C'
    """
    text = f"{coin}/{quote}:{settlement_asset}"
    if expiry_yymmdd:
        text += f"-{expiry_yymmdd}"
    if option_type:
        text += f"-{strike}-{'C' if option_type == 'call' else 'P'}"
    return text


def make(
    venue: str,
    venue_symbol: str,
    coin: str,
    quote: str,
    *,
    settlement_asset: str | None = None,
    expiry: int | None = None,
    strike: float | None = None,
    option_type: Literal["call", "put"] | None = None,
    kind: Kind | None = None,
    contract_type: ContractType | None = None,
    size_unit: SizeUnit = "base",
    contract_size: float | None = None,
    tick_size: float | None = None,
    max_leverage: float | None = None,
    funding_interval_hours: float | None = None,
    status: str = "trading",
    is_inferred: bool = False,
    ts_event: int = 0,
    ts_recv: int = 0,
) -> Instrument:
    """Build an Instrument from what a venue says, deriving symbol, kind and contract type.

    A contract settled in its own coin is inverse, any other linear, unless `contract_type` says otherwise.
    `expiry` is ns UTC.

    >>> make("binance", "BTCUSD_PERP", "BTC", "USD", size_unit="contracts", contract_size=100).measure(2304, 60000.0)
    (2304, 3.84, 230400)
    """
    if settlement_asset is None:
        settlement_asset = coin if quote == "USD" else quote
    if kind is None:
        kind = "option" if option_type else "future" if expiry else "perpetual"
    if contract_type is None:
        contract_type = "inverse" if settlement_asset == coin and kind != "option" else "linear"
    base, multiplier = split_scale(coin)
    strike_text = "" if strike is None else f"{strike:.12g}"
    symbol = unified_symbol(coin, quote, settlement_asset, yymmdd(expiry) if expiry else "", strike_text, option_type)
    return Instrument(
        venue=venue, symbol=symbol, venue_symbol=venue_symbol, base=base, quote=quote, settlement_asset=settlement_asset,
        kind=kind, contract_type=contract_type, size_unit=size_unit, contract_size=contract_size, base_multiplier=multiplier,
        tick_size=tick_size, max_leverage=max_leverage, funding_interval_hours=funding_interval_hours, strike=strike,
        expiry=expiry, option_type=option_type, status=status, is_inferred=is_inferred, ts_event=ts_event, ts_recv=ts_recv,
    )  # fmt: skip


def yymmdd(expiry: int) -> str:
    """Write an instant (ns UTC) as its UTC date, YYMMDD.

    >>> yymmdd(1751011200_000_000_000)
    '250627'
    """
    from datetime import UTC, datetime

    return datetime.fromtimestamp(expiry // 1_000_000_000, UTC).strftime("%y%m%d")
