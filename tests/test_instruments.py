"""Every worked vector of the notional table: what a size on the wire is in dollars."""

import pytest

from deleverage.instruments import Instrument, make, split_scale

VECTORS = [
    # venue, contract, size on the wire, price, notional in USD
    (make("binance", "COTIUSDT", "COTI", "USDT"), 288183, 0.0219120, 6314.67),
    (make("binance", "BTCUSD_PERP", "BTC", "USD", size_unit="contracts", contract_size=100), 2304, 76822.0, 230_400.0),
    (make("bybit", "ROSEUSDT", "ROSE", "USDT"), 20000, 0.04499, 899.80),
    (make("bybit", "BTCUSD", "BTC", "USD", size_unit="usd"), 60000, 50000.0, 60_000.0),
    (make("okx", "ETH-USDT-SWAP", "ETH", "USDT", size_unit="contracts", contract_size=0.1), 13, 2500.0, 3250.0),
    (make("okx", "BTC-USD-SWAP", "BTC", "USD", size_unit="contracts", contract_size=100), 20, 61000.0, 2000.0),
    (make("htx", "ETH-USDT", "ETH", "USDT", size_unit="contracts", contract_size=0.01), 500, 2446.26, 12231.30),
    (make("htx", "BTC-USD", "BTC", "USD", size_unit="contracts", contract_size=100), 5, 61000.0, 500.0),
    (make("htx", "ATOM-USD", "ATOM", "USD", size_unit="contracts", contract_size=10), 5, 27.0, 50.0),
    (make("hyperliquid", "BTC", "BTC", "USDC"), 0.5, 104320.0, 52160.0),
    (make("deribit", "BTC-PERPETUAL", "BTC", "USD", size_unit="usd", contract_size=10), 750, 92294.5, 750.0),
    (make("deribit", "BTC_USDC-PERPETUAL", "BTC", "USDC", contract_size=0.0001), 0.25, 90000.0, 22500.0),
]


@pytest.mark.parametrize(("instrument", "size", "price", "usd"), VECTORS, ids=lambda v: v.symbol if isinstance(v, Instrument) else "")
def test_notional(instrument: Instrument, size: float, price: float, usd: float) -> None:
    assert instrument.notional_usd(size, price) == pytest.approx(usd, abs=0.005)


def test_coin_margined_notional_does_not_depend_on_price() -> None:
    coin = VECTORS[1][0]
    assert coin.notional_usd(2304, 1.0) == coin.notional_usd(2304, 1e6) == 230_400.0
    assert coin.measure(2304, 60000.0)[1] == pytest.approx(3.84)


def test_contracts_of_unknown_size_are_kept_and_not_priced() -> None:
    unknown = make("okx", "X-USDT-SWAP", "X", "USDT", size_unit="contracts", is_inferred=True)
    assert unknown.measure(7, 3.0) == (7, None, None)


def test_dollar_contracts_count_contracts() -> None:
    assert VECTORS[10][0].measure(750, 92294.5)[0] == 75


def test_a_missing_price_is_not_zero() -> None:
    assert make("binance", "BTCUSDT", "BTC", "USDT").measure(2.0, None) == (None, 2.0, None)


@pytest.mark.parametrize(
    ("coin", "base", "multiplier"),
    [("1000PEPE", "PEPE", 1e3), ("1000000MOG", "MOG", 1e6), ("1INCH", "1INCH", 1.0), ("1MBABYDOGE", "BABYDOGE", 1e6), ("BTC", "BTC", 1.0),
     ("10000SATS", "SATS", 1e4), ("1000", "1000", 1.0)],
)  # fmt: skip
def test_scaled_listings(coin: str, base: str, multiplier: float) -> None:
    assert split_scale(coin) == (base, multiplier)


@pytest.mark.parametrize(
    ("instrument", "symbol"),
    [
        (make("binance", "BTCUSDT", "BTC", "USDT"), "BTC/USDT:USDT"),
        (make("binance", "BTCUSD_PERP", "BTC", "USD", size_unit="contracts"), "BTC/USD:BTC"),
        (make("okx", "BTC-USD-250627", "BTC", "USD", expiry=1751011200_000_000_000), "BTC/USD:BTC-250627"),
        (
            make("deribit", "BTC-27JUN25-100000-C", "BTC", "USD", expiry=1751011200_000_000_000, strike=100000.0, option_type="call"),
            "BTC/USD:BTC-250627-100000-C",
        ),
    ],
)
def test_canonical_symbols(instrument: Instrument, symbol: str) -> None:
    assert instrument.symbol == symbol


def test_contract_types() -> None:
    assert make("x", "a", "BTC", "USD").contract_type == "inverse"
    assert make("x", "a", "BTC", "USDT").contract_type == "linear"
    assert make("x", "a", "BTC", "USD", strike=1.0, expiry=1, option_type="put").contract_type == "linear"
