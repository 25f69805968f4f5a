"""Whole option chains in other venues' words, CONSTRUCTED from the slices of methods 6.3 and 6.5, so that the truth is known.

Premiums are the slices', the quotes a step of the venue's price grid or more around them; read through the venues' own parsers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl

from deleverage.analytics.options import black76
from deleverage.analytics.options.svi import Svi
from deleverage.events import Event, OpenInterest, OptionQuote
from deleverage.tables import TABLES
from deleverage.venues import binance, bybit, okx
from deleverage.venues.venue import Venue, split_route

MS = 1_000_000
AT = int(datetime(2025, 12, 10, 8, tzinfo=UTC).timestamp()) * 1_000_000_000
STRIKES = (50, 55, 60, 65, 70, 72, 74, 75, 76, 78, 80, 82, 84, 85, 86, 88, 90, 92, 94, 95, 96, 98, 100, 105, 110, 115, 120, 130, 140)
"""Thousands of dollars: those of the worked index."""
INTEREST = 12.34


class Truth(NamedTuple):
    """One expiry: its day, days from `AT`, forward and slice."""

    day: str
    days: int
    forward: float
    svi: Svi

    def volatility(self, strike: np.ndarray) -> np.ndarray:
        return np.sqrt(self.svi.total_variance(np.log(strike / self.forward)) / (self.days / 365))


NEAR = Truth("260102", 23, 85_900.0, Svi(0.0104, 0.052, -0.42, 0.0, 0.14))
BASE = Truth("260109", 30, 86_000.0, Svi(0.0135, 0.06, -0.40, 0.0, 0.16))
NEXT = Truth("260116", 37, 86_150.0, Svi(0.0166, 0.067, -0.38, 0.0, 0.18))
EVERY = (NEAR, BASE, NEXT)


class Option(NamedTuple):
    """One option as it is quoted, in dollars and in coins of its own forward."""

    truth: Truth
    strike: int
    kind: str
    iv: float
    premium: float
    bid: float
    ask: float

    def quoted(self, price: float) -> str:
        """The volatility of a price, as venues print it: blank where there is none."""
        iv = black76.implied_volatility(price, self.truth.forward, float(self.strike), self.truth.days / 365, self.kind == "C")
        return "" if not price or np.isnan(iv) else f"{float(iv):.4f}"


def options(tick: float, in_coins: bool, of: Sequence[Truth] = EVERY) -> list[Option]:
    """Quote every option: bid and ask are the steps of `tick` (coins or dollars) that lie below and above the premium."""
    found = []
    for truth in of:
        strikes = np.array(STRIKES) * 1000.0
        for kind in "CP":
            iv = truth.volatility(strikes)
            premium = black76.price(truth.forward, strikes, truth.days / 365, iv, kind == "C")
            step = tick * truth.forward if in_coins else tick
            bid, ask = np.floor(premium / step) * step, (np.floor(premium / step) + 1) * step
            rows = zip(STRIKES, iv.tolist(), premium.tolist(), bid.tolist(), ask.tolist(), strict=True)
            found += [Option(truth, k * 1000, kind, v, p, b, a) for k, v, p, b, a in rows]
    return found


def read(venue: Venue, url: str, message: object, ts_recv: int) -> list[Event]:
    """Read one message by the venue's parser."""
    parser = venue.parser(split_route(url), venue.instruments(()))
    return list(parser.parse(msgspec.json.encode(message), ts_recv))


def table(events: Sequence[Event]) -> pl.DataFrame:
    """The option quotes among events, with the open interest that was told apart from them beside each."""
    told = {e.venue_symbol: e.open_interest_base for e in events if isinstance(e, OpenInterest)}
    rows = [msgspec.structs.asdict(e) for e in events if isinstance(e, OptionQuote)]
    quotes = pl.DataFrame(rows, schema=TABLES["option_quotes"].polars_schema)
    apart = pl.col("venue_symbol").replace_strict(told, default=None, return_dtype=pl.Float64)
    return quotes.with_columns(open_interest=pl.coalesce("open_interest", apart))


# --- OKX: volatilities by one message, premiums by another, marks and open interest by a third and a fourth ------------------------

OKX_TICK = 0.0001


def okx_name(o: Option) -> str:
    return f"BTC-USD-{o.truth.day}-{o.strike}-{o.kind}"


def okx_summary(at: int, of: Sequence[Option]) -> list[Event]:
    rows = [
        {
            "instType": "OPTION", "instId": okx_name(o), "uly": "BTC-USD", "delta": "0.5", "deltaBS": "0.5", "bidVol": o.quoted(o.bid),
            "askVol": o.quoted(o.ask), "markVol": f"{o.iv:.6f}", "fwdPx": str(o.truth.forward), "ts": str(at // MS),
        }
        for o in of
    ]  # fmt: skip
    message = {"arg": {"channel": "opt-summary", "instFamily": "BTC-USD"}, "data": rows}
    return read(okx.VENUE, "wss://ws.okx.com:8443/ws/v5/public", message, at)


def okx_tickers(at: int, of: Sequence[Option]) -> list[Event]:
    rows = [
        {
            "instType": "OPTION", "instId": okx_name(o), "last": "", "bidSz": "1",
            "bidPx": f"{o.bid / o.truth.forward:.4f}" if o.bid else "",
            "askPx": f"{o.ask / o.truth.forward:.4f}", "askSz": "1", "volCcy24h": "3.5", "vol24h": "350", "ts": str(at // MS),
        }
        for o in of
    ]  # fmt: skip
    url = "https://www.okx.com/api/v5/market/tickers?instType=OPTION&instFamily=BTC-USD"
    return read(okx.VENUE, url, {"code": "0", "msg": "", "data": rows}, at)


def okx_marks(at: int, of: Sequence[Option]) -> list[Event]:
    rows = [{"instType": "OPTION", "instId": okx_name(o), "markPx": f"{o.premium / o.truth.forward:.8f}", "ts": str(at // MS)} for o in of]
    events = []
    for row in rows:  # one contract a message
        message = {"arg": {"channel": "mark-price", "instId": row["instId"]}, "data": [row]}
        events += read(okx.VENUE, "wss://ws.okx.com:8443/ws/v5/public", message, at)
    return events


def okx_interest(at: int, of: Sequence[Option]) -> list[Event]:
    rows = [
        {"instType": "OPTION", "instId": okx_name(o), "oi": str(INTEREST * 100), "oiCcy": str(INTEREST), "oiUsd": "1", "ts": str(at // MS)}
        for o in of
    ]
    url = "https://www.okx.com/api/v5/public/open-interest?instType=OPTION&instFamily=BTC-USD"
    return read(okx.VENUE, url, {"code": "0", "msg": "", "data": rows}, at)


# --- Bybit: everything in one answer, in dollars -----------------------------------------------------------------------------------

BYBIT_TICK = 5.0


def bybit_tickers(at: int, of: Sequence[Option]) -> list[Event]:
    rows = []
    for o in of:
        day = datetime.strptime(o.truth.day, "%y%m%d").strftime("%-d%b%y").upper()
        rows.append({
            "symbol": f"BTC-{day}-{o.strike}-{o.kind}", "bid1Price": f"{o.bid:g}", "bid1Size": "1", "bid1Iv": o.quoted(o.bid) or "0",
            "ask1Price": f"{o.ask:g}", "ask1Size": "1", "ask1Iv": o.quoted(o.ask) or "0", "lastPrice": "0", "markPrice": f"{o.premium:.8f}",
            "indexPrice": "85950.5", "markIv": f"{o.iv:.4f}", "underlyingPrice": str(o.truth.forward), "openInterest": str(INTEREST),
            "turnover24h": "1", "volume24h": "3.5", "totalVolume": "9", "totalTurnover": "9", "delta": "0.5", "gamma": "0", "vega": "1",
            "theta": "-1", "predictedDeliveryPrice": "0", "change24h": "0",
        })  # fmt: skip
    message = {"retCode": 0, "retMsg": "OK", "result": {"category": "option", "list": rows}, "retExtInfo": {}, "time": at // MS}
    return read(bybit.VENUE, "https://api.bybit.com/v5/market/tickers?category=option&baseCoin=BTC", message, at)


# --- Binance: volatilities and marks over HTTP, premiums on the socket ---------------------------------------------------------------

BINANCE_TICK = 5.0


def binance_name(o: Option) -> str:
    return f"BTC-{o.truth.day}-{o.strike}-{o.kind}"


def binance_answer(at: int, of: Sequence[Option]) -> list[Event]:
    rows = [
        {
            "symbol": binance_name(o), "markPrice": f"{o.premium:.3f}", "bidIV": o.quoted(o.bid) or "-1", "askIV": o.quoted(o.ask) or "-1",
            "markIV": f"{o.iv:.8f}", "delta": "0.5", "theta": "-1", "gamma": "0", "vega": "1", "highPriceLimit": "1", "lowPriceLimit": "1",
        }
        for o in of
    ]  # fmt: skip
    return read(binance.VENUE, "https://eapi.binance.com/eapi/v1/mark", rows, at)


def binance_socket(at: int, of: Sequence[Option]) -> list[Event]:
    rows = [
        {
            "e": "markPrice", "E": at // MS, "s": binance_name(o), "mp": f"{o.premium:.3f}", "i": "85950.5", "P": "0", "bo": f"{o.bid:.3f}",
            "ao": f"{o.ask:.3f}", "bq": "1", "aq": "1", "b": o.quoted(o.bid) or "-1", "a": o.quoted(o.ask) or "-1", "hl": "1", "ll": "1",
            "vo": f"{o.iv:.7f}", "rf": "0.0", "d": "0.5", "t": "-1", "g": "0", "v": "1",
        }
        for o in of
    ]  # fmt: skip
    url = "wss://fstream.binance.com/market/stream"
    return read(binance.VENUE, url, {"stream": "btcusdt@optionMarkPrice", "data": rows}, at)


def binance_statistics(at: int, of: Sequence[Option]) -> list[Event]:
    """24 h statistics, which tell the last price and the volume and no quote."""
    events: list[Event] = []
    for o in of:
        message = {"e": "24hrTicker", "E": at // MS, "s": binance_name(o), "c": "200.0", "v": "9.0", "q": "1800", "C": at // MS}
        events += read(binance.VENUE, "wss://fstream.binance.com/public/stream", message, at)
    return events
