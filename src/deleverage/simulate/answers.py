"""What the venues of the venue server answer over HTTP: contracts, open interest, their time; a valid empty answer to the rest."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deleverage.simulate.constructed import PRICES, deribit_ticker, hyperliquid_context

LISTED = 1_600_000_000_000


class Answers:
    """Answers of all venues. `recorded` are raw answers by the path they were given to; `contracts` extra names by venue."""

    def __init__(self, recorded: Mapping[str, bytes], seen: Mapping[str, Sequence[str]]) -> None:
        self._recorded = recorded
        self.names: dict[str, dict[str, bool]] = {venue: dict.fromkeys(names, True) for venue, names in seen.items()}

    def trade(self, venue: str, name: str) -> None:
        """Make a contract trade."""
        self.names.setdefault(venue, {})[name] = True

    def halt(self, venue: str, name: str) -> None:
        """Make a contract stop trading."""
        self.names.setdefault(venue, {})[name] = False

    def answer(self, venue: str, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, bytes]:
        """Return status and body; `ms` is the venue's time."""
        make = {
            "binance": self._binance, "bybit": self._bybit, "okx": self._okx, "htx": self._htx, "hyperliquid": self._hyperliquid,
            "deribit": self._deribit,
        }[venue]  # fmt: skip
        status, answer = make(host, path, query, body, ms)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode()

    def _trading(self, venue: str, extra: Sequence[str], keep: Callable[[str], bool]) -> list[tuple[str, bool]]:
        names = dict.fromkeys(extra, True) | {n: t for n, t in self.names.get(venue, {}).items() if keep(n)}
        return list(names.items())

    def _binance(self, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, Any]:
        last = path.rpartition("/")[2]
        is_coin = host.startswith("dapi")
        if last == "time":
            return 200, {"serverTime": ms}
        if last == "exchangeInfo" and "/eapi/" in path:
            return 200, {"timezone": "UTC", "serverTime": ms, "optionContracts": [], "optionAssets": [], "optionSymbols": []}
        if last == "exchangeInfo":
            suffix = "USD_PERP" if is_coin else "USDT"
            own = self._trading("binance", [coin + suffix for coin in PRICES], lambda n: ("USD_" in n) == is_coin)
            return 200, {"timezone": "UTC", "serverTime": ms, "symbols": [_binance_listing(n, t, is_coin) for n, t in own]}
        if last == "openInterest":
            return 200, {"symbol": query.get("symbol", ""), "openInterest": "31955.346", "time": ms}
        if last == "premiumIndex":
            return 200, []
        known = ("fundingInfo", "fundingRate", "insuranceBalance", "symbolAdlRisk", "klines", "openInterestHist", "aggTrades", "mark")
        if last in known or path.startswith("/futures/data/"):
            return 200, []
        return 400, {"code": -1121, "msg": "Invalid symbol."} if query.get("symbol") else {"code": -1130, "msg": f"no {path[:60]}"}

    def _bybit(self, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, Any]:
        category = query.get("category", "")
        result: dict[str, Any] = {"category": category, "list": [], "nextPageCursor": ""}
        if path.endswith("/instruments-info"):
            recorded = self._recorded.get(f"{path}?{category}")
            if recorded is not None:
                answer = json.loads(recorded)
                gone = {n for n, t in self.names.get("bybit", {}).items() if not t}
                rows = [row for row in answer["result"]["list"] if row["symbol"] not in gone]
                known = {row["symbol"] for row in rows}
                rows += [_bybit_listing(n) for n, t in self.names.get("bybit", {}).items() if t and n.endswith("USDT") and n not in known]
                answer["result"]["list"] = rows
                answer["time"] = ms
                return 200, answer
            suffix = {"inverse": "USD", "linear": "USDT"}.get(category)
            own = self._trading("bybit", [coin + suffix for coin in PRICES], lambda n: n.endswith(suffix)) if suffix else []
            result["list"] = [_bybit_listing(name) for name, trades in own if trades]
        elif path.endswith("/time"):
            result = {"timeSecond": str(ms // 1000), "timeNano": str(ms * 1_000_000)}
        elif "/market/" not in path and "/system/" not in path:
            return 404, {"retCode": 404, "retMsg": "not found", "result": {}, "time": ms}
        return 200, {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": ms}

    def _okx(self, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, Any]:
        data: list[Any] = []
        product = query.get("instType", "")
        if path.endswith("/public/time"):
            data = [{"ts": str(ms)}]
        elif path.endswith("/public/instruments") and product == "SWAP":
            extra = [f"{coin}-{quote}-SWAP" for coin in PRICES for quote in ("USDT", "USD")]
            data = [_okx_listing(n, t) for n, t in self._trading("okx", extra, lambda n: n.endswith("-SWAP"))]
        elif path.endswith("/public/open-interest") and product == "SWAP":
            data = [{"instType": "SWAP", "instId": f"{c}-USDT-SWAP", "oi": "2216113", "oiCcy": "22161.13", "ts": str(ms)} for c in PRICES]
        elif not path.startswith("/api/v5/"):
            return 404, {"code": "50404", "msg": "not found", "data": []}
        return 200, {"code": "0", "msg": "", "data": data}

    def _htx(self, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, Any]:
        last = path.rpartition("/")[2]
        data: Any = []
        if path.startswith("/v5/"):
            return 200, {"code": 200, "message": "success", "data": [], "ts": ms}
        if last == "timestamp":
            return 200, {"status": "ok", "ts": ms}
        if last in ("swap_contract_info", "contract_contract_info"):
            suffix = {"/linear-swap-api/": "-USDT", "/swap-api/": "-USD"}.get(path[: path.find("/v1")] + "/", "")
            own = self._trading("htx", [c + suffix for c in PRICES], lambda n: n.endswith(suffix)) if suffix else []
            data = [_htx_listing(name, trades) for name, trades in own]
        elif last == "swap_open_interest":
            data = [
                {"symbol": c, "contract_code": f"{c}-USDT", "volume": 120000.0, "amount": 120.0, "value": 120.0 * p, "trade_amount": 1.0,
                 "trade_volume": 1.0, "trade_turnover": 1.0, "contract_type": "swap", "pair": f"{c}-USDT", "business_type": "swap"}
                for c, p in PRICES.items()
            ] if path.startswith("/linear") else []  # fmt: skip
        elif last == "kline":
            return 200, {"status": "ok", "ch": f"market.{query.get('contract_code')}.kline.{query.get('period')}", "data": [], "ts": ms}
        elif last.endswith(("_ratio", "_his_open_interest", "_historical_funding_rate")):
            data = None
        return 200, {"status": "ok", "data": data, "ts": ms}

    def _hyperliquid(self, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, Any]:
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            return 422, b"Failed to deserialize the JSON body into the target type"
        return 200, self.info(asked, ms)

    def info(self, asked: Mapping[str, Any], ms: int) -> Any:
        """Answer Hyperliquid's info questions, over HTTP or the socket."""
        names = self._trading("hyperliquid", list(PRICES), lambda n: True)
        meta = {
            "universe": [
                {"name": name, "szDecimals": 5, "maxLeverage": 40, "marginTableId": 40, **({} if trades else {"isDelisted": True})}
                for name, trades in names
            ],
            "marginTables": [], "collateralToken": 0,
        }  # fmt: skip
        contexts = [hyperliquid_context(PRICES.get(name, 1.0)) for name, _ in names]
        known: dict[str, Any] = {
            "allPerpMetas": [meta], "meta": meta, "metaAndAssetCtxs": [meta, contexts],
            "exchangeStatus": {"time": ms, "specialStatuses": None},
            "clearinghouseState": {
                "marginSummary": {"accountValue": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0", "totalMarginUsed": "0.0"},
                "crossMarginSummary": {"accountValue": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0", "totalMarginUsed": "0.0"},
                "crossMaintenanceMarginUsed": "0.0", "withdrawable": "0.0", "assetPositions": [], "time": ms,
            },
        }  # fmt: skip
        return known.get(str(asked.get("type")), [])

    def _deribit(self, host: str, path: str, query: Mapping[str, str], body: bytes, ms: int) -> tuple[int, Any]:
        method = path.rpartition("/public/")[2]
        if method == "get_instruments":
            own = self._trading("deribit", [f"{c}-PERPETUAL" for c in PRICES], lambda n: "-" in n) if query.get("kind") == "future" else []
            result: Any = [_deribit_listing(name, trades) for name, trades in own]
        elif method == "get_time":
            result = ms
        elif method == "status":
            result = {"locked": "false", "locked_indices": []}
        elif method.startswith("get_last_trades"):
            result = {"trades": [], "has_more": False}
        elif method == "get_volatility_index_data":
            result = {"data": [], "continuation": None}
        elif method == "get_tradingview_chart_data":
            result = {name: [] for name in ("ticks", "open", "high", "low", "close", "volume", "cost")} | {"status": "ok"}
        elif method == "ticker":
            result = deribit_ticker(query.get("instrument_name", "BTC-PERPETUAL"), PRICES["BTC"], ms)
        elif method in ("get_book_summary_by_currency", "get_funding_rate_history"):
            result = []
        else:
            return 400, {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}}
        return 200, {"jsonrpc": "2.0", "result": result, "usIn": ms * 1000, "usOut": ms * 1000, "usDiff": 1, "testnet": False}


def _binance_listing(name: str, trades: bool, is_coin: bool) -> dict[str, Any]:
    base = re.sub(r"(USDT|USDC|USD_PERP|USD_\d+)$", "", name)
    quote = "USD" if is_coin else name[len(base) :]
    row: dict[str, Any] = {
        "symbol": name, "pair": base + quote, "contractType": "PERPETUAL", "deliveryDate": 4133404800000, "onboardDate": LISTED,
        "baseAsset": base, "quoteAsset": quote, "marginAsset": base if is_coin else quote, "underlyingType": "COIN",
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.10"}],
    }  # fmt: skip
    status = "TRADING" if trades else "SETTLING"
    return row | ({"contractStatus": status, "contractSize": 100 if base == "BTC" else 10} if is_coin else {"status": status})


def _bybit_listing(name: str) -> dict[str, Any]:
    is_inverse = name.endswith("USD")
    base = name.removesuffix("USDT").removesuffix("USD")
    return {
        "symbol": name, "contractType": "InversePerpetual" if is_inverse else "LinearPerpetual", "status": "Trading", "baseCoin": base,
        "quoteCoin": "USD" if is_inverse else "USDT", "settleCoin": base if is_inverse else "USDT", "launchTime": str(LISTED),
        "deliveryTime": "0", "priceFilter": {"tickSize": "0.1"}, "leverageFilter": {"maxLeverage": "100.00"}, "fundingInterval": 480,
        "lotSizeFilter": {},
    }  # fmt: skip


def _okx_listing(name: str, trades: bool) -> dict[str, Any]:
    base, quote, _ = name.split("-", 2)
    is_inverse = quote == "USD"
    size = ("100" if base == "BTC" else "10") if is_inverse else {"BTC": "0.01", "ETH": "0.1"}.get(base, "1")
    return {
        "instId": name, "instType": "SWAP", "instFamily": f"{base}-{quote}", "uly": f"{base}-{quote}", "ctMult": "1",
        "ctType": "inverse" if is_inverse else "linear", "ctVal": size, "ctValCcy": "USD" if is_inverse else base, "expTime": "",
        "settleCcy": base if is_inverse else quote, "lever": "100", "listTime": str(LISTED), "tickSz": "0.1", "quoteCcy": "", "baseCcy": "",
        "state": "live" if trades else "suspend", "optType": "", "stk": "", "alias": "", "category": "1",
    }  # fmt: skip


def _htx_listing(name: str, trades: bool) -> dict[str, Any]:
    base, _, quote = name.partition("-")
    size = (100 if base == "BTC" else 10) if quote == "USD" else {"BTC": 0.001, "ETH": 0.01}.get(base, 1)
    return {
        "symbol": base, "contract_code": name, "contract_size": size, "price_tick": 0.1, "delivery_date": "", "delivery_time": "",
        "create_date": "20201021", "contract_status": 1 if trades else 0, "settlement_date": "1700006400000", "support_margin_mode": "all",
        "business_type": "swap", "pair": name, "contract_type": "swap", "settlement_period": "8",
    }  # fmt: skip


def _deribit_listing(name: str, trades: bool) -> dict[str, Any]:
    base = name.partition("-")[0]
    return {
        "instrument_name": name, "kind": "future", "settlement_period": "perpetual", "base_currency": base, "quote_currency": "USD",
        "counter_currency": "USD", "settlement_currency": base, "instrument_type": "reversed", "is_active": trades, "tick_size": 0.5,
        "contract_size": 10.0 if base == "BTC" else 1.0, "max_leverage": 50, "expiration_timestamp": 32503708800000,
        "creation_timestamp": LISTED, "max_liquidation_commission": 0.005, "min_trade_amount": 10.0, "state": "open",
    }  # fmt: skip
