"""The venue table of 20–21 November 2025: published long and short USD per venue, and native frames that add to it."""

import json

from deleverage.journal.frame import Frame

TABLE = {  # venue: (long USD, short USD)
    "bybit": (595_430_000.0, 33_680_000.0),
    "hyperliquid": (620_800_000.0, 8_020_000.0),
    "binance": (228_860_000.0, 53_420_000.0),
    "htx": (146_180_000.0, 5_930_000.0),
    "okx": (114_160_000.0, 24_490_000.0),
}
RAW_LONG_SHARES = {"bybit": 0.946, "hyperliquid": 0.987, "binance": 0.811, "htx": 0.961, "okx": 0.823}
END = 1_763_769_600_000_000_000  # 2025-11-22T00:00:00Z
AT = "2025-11-22T00:00:00Z"
PARTS = 4  # every amount is split into this many orders, so that sums are sums


def frames() -> list[Frame]:
    """Native frames of five venues, constructed so that they add to the table; an order every minute before the end."""
    made = []
    for venue, amounts in TABLE.items():
        for side, usd in zip(("long", "short"), amounts, strict=True):
            for part in range(PARTS):
                at = END // 1_000_000 - 60_000 * (part + 1) - (7 if side == "short" else 0)
                route, message = NATIVE[venue](side, round(usd / PARTS, 6), at)
                made.append(Frame((at + 50) * 1_000_000, venue, route, json.dumps(message).encode()))
    return sorted(made, key=lambda frame: frame.ts_recv)


def _binance(side: str, usd: float, at: int) -> tuple[str, object]:
    order = {"s": "BTCUSDT", "S": "SELL" if side == "long" else "BUY", "o": "LIMIT", "f": "IOC", "q": str(usd / 80_000), "p": "80000",
             "ap": "80000", "X": "FILLED", "l": "1", "z": f"{usd / 80_000:.6f}", "T": at}  # fmt: skip
    return "wss://fstream.binance.com/market/ws/!forceOrder@arr", {"e": "forceOrder", "E": at, "o": order}


def _bybit(side: str, usd: float, at: int) -> tuple[str, object]:
    row = {"T": at, "s": "BTCUSDT", "S": "Buy" if side == "long" else "Sell", "v": f"{usd / 80_000:.6f}", "p": "80000"}
    message = {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": at, "data": [row]}
    return "wss://stream.bybit.com/v5/public/linear", message


def _okx(side: str, usd: float, at: int) -> tuple[str, object]:
    # BTC-USD-SWAP: 100 USD a contract
    detail = {"bkLoss": "0", "bkPx": "80000", "ccy": "", "posSide": side, "side": "sell" if side == "long" else "buy",
              "sz": f"{usd / 100:.4f}", "ts": str(at)}  # fmt: skip
    data = [{"instId": "BTC-USD-SWAP", "instFamily": "BTC-USD", "instType": "SWAP", "details": [detail]}]
    return "wss://ws.okx.com:8443/ws/v5/public", {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": data}


def _htx(side: str, usd: float, at: int) -> tuple[str, object]:
    row = {"symbol": "BTC", "contract_code": "BTC-USDT", "direction": "sell" if side == "long" else "buy", "offset": "close",
           "volume": usd / 80, "price": 80000, "created_at": at, "amount": usd / 80_000, "trade_turnover": usd,
           "contract_type": "swap", "pair": "BTC-USDT", "business_type": "swap"}  # fmt: skip
    message = {"op": "notify", "topic": "public.*.liquidation_orders", "ts": at, "data": [row]}
    return "wss://api.hbdm.com/linear-swap-notification", message


def _hyperliquid(side: str, usd: float, at: int) -> tuple[str, object]:
    user, other = "0x" + "a" * 40, "0x" + "b" * 40
    before = "1000.0" if side == "long" else "-100000.0"
    fill = {"coin": "BTC", "px": "80000.0", "sz": f"{usd / 80_000:.6f}", "time": at, "startPosition": before,
            "closedPnl": "-1.0", "hash": "0x0", "oid": at, "crossed": True, "fee": "0.0", "feeToken": "USDC",
            "tid": at * 10 + (side == "long"),
            "liquidation": {"liquidatedUser": user, "markPx": "80000.0", "method": "market"}}  # fmt: skip
    forced = {**fill, "side": "A" if side == "long" else "B", "dir": "Close Long" if side == "long" else "Close Short"}
    taken = {**fill, "side": "B" if side == "long" else "A", "dir": "Open Long" if side == "long" else "Open Short", "crossed": False}
    block = {
        "local_time": "2025-11-21T23:00:00.0",
        "block_time": "2025-11-21T23:00:00.0",
        "block_number": at,
        "events": [[user, forced], [other, taken]],
    }
    return "node_fills_by_block", block


NATIVE = {"binance": _binance, "bybit": _bybit, "okx": _okx, "htx": _htx, "hyperliquid": _hyperliquid}
