"""How often each channel is expected to speak, before anything has been learnt of it, and what its silence can mean.

Frames a minute of a whole venue in a quiet market, taken low: 22 minutes of 2026-09-18 for liquidations (specification of venues,
section 1), documented push intervals and the bundled recordings for the rest. What is heard replaces them within hours.
"""

from typing import Literal, NamedTuple


class Expectation(NamedTuple):
    """Of one channel: `kind` busy (silence is a fault within a minute or two), sparse (silence may be calm) or quiet (silence is normal).

    `mark` is the text in a sent subscription that asks for it. `is_timely`: its events carry the instant at which they are sent.
    """

    per_minute: float
    kind: Literal["busy", "sparse", "quiet"]
    mark: str
    is_timely: bool = False


def _busy(per_minute: float, mark: str, is_timely: bool = False) -> Expectation:
    return Expectation(per_minute, "busy", mark, is_timely)


def _quiet(mark: str) -> Expectation:
    return Expectation(0.0, "quiet", mark)


EXPECTED: dict[str, dict[str, Expectation]] = {
    "binance": {
        "forceOrder": Expectation(2.7, "sparse", "forceOrder"), "markPrice": _busy(60, "markPrice@arr", True),
        "aggTrade": _busy(60, "aggTrade", True), "depth": _busy(300, "@depth", True), "trade": _busy(60, "@trade", True),
        "contractInfo": _quiet("contractInfo"),
    },
    "bybit": {
        "allLiquidation": Expectation(2.2, "sparse", "allLiquidation"), "tickers": _busy(60, "tickers.", True),
        "publicTrade": _busy(20, "publicTrade.BTCUSDT", True), "orderbook": _busy(120, "orderbook.", True), "kline": _busy(10, "kline."),
        "insurance": _quiet("insurance."), "adlAlert": _quiet("adlAlert."), "system": _quiet("system.status"),
    },
    "okx": {
        "liquidation-orders": Expectation(4.5, "sparse", "liquidation-orders"), "mark-price": _busy(60, "mark-price", True),
        "index-tickers": _busy(30, "index-tickers"), "funding-rate": _busy(1, "funding-rate"), "open-interest": _busy(10, "open-interest"),
        "trades-all": _busy(20, "trades-all", True), "books": _busy(120, '"books"', True), "candle1m": _busy(10, "candle1m"),
        "opt-summary": _busy(6, "opt-summary"), "option-trades": _quiet("option-trades"), "adl-warning": _quiet("adl-warning"),
        "instruments": _quiet("instruments"), "status": _quiet('"status"'),
    },
    "htx": {
        "liquidation_orders": Expectation(0.23, "sparse", "liquidation_orders"), "funding_rate": _busy(6, "funding_rate"),
        "depth": _busy(120, "depth.", True), "trade.detail": _busy(4, "trade.detail", True), "kline": _busy(4, "kline."),
        "mark_price": _busy(4, "mark_price."), "contract_info": _quiet("contract_info"),
    },
    "hyperliquid": {
        "userFills": _quiet("userFills"), "allDexsAssetCtxs": _busy(3, "allDexsAssetCtxs"), "fastAssetCtxs": _busy(20, "fastAssetCtxs"),
        "trades": _busy(6, '"trades"', True), "activeAssetCtx": _busy(30, "activeAssetCtx"), "l2Book": _busy(8, "l2Book", True),
        "bbo": _busy(30, '"bbo"', True), "allMids": _busy(8, "allMids"),
    },
    "deribit": {
        "trades": _busy(6, "trades.", True), "ticker": _busy(60, "ticker.", True), "book": _busy(60, "book.", True),
        "deribit_volatility_index": _busy(10, "deribit_volatility_index"), "instrument": _quiet("instrument.state"),
        "platform_state": _quiet("platform_state"),
    },
}  # fmt: skip


def asked_for(venue: str, frames: bytes) -> list[str]:
    """Return the channels that sent subscription frames ask for.

    >>> asked_for("binance", b'{"method":"SUBSCRIBE","params":["!forceOrder@arr","btcusdt@aggTrade"],"id":1}')
    ['forceOrder', 'aggTrade']
    """
    return [name for name, expectation in EXPECTED.get(venue, {}).items() if expectation.mark.encode() in frames]
