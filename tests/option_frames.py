"""A chain whose truth is known, in Deribit's own words: premiums of the base slice of methods §6.3, which a fit must give back.

Total variance is that slice's, linear in time; forward and spot are 86,000. The expiry in 30 days holds table O's open interest (§6.6).
"""

import json
from collections.abc import Iterator
from math import log, sqrt

from scipy.stats import norm

from deleverage.journal.frame import Frame
from deleverage.when import instant, iso

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
AT = instant("2026-01-16T08:00:00Z", 0)
FORWARD = 86_000.0
DAYS = (7, 30, 60, 120)
B = (0.0135, 0.06, -0.40, 0.0, 0.16)
T30 = 30 / 365
STRIKES = [50_000 + 2_000 * i for i in range(46)] + [75_000, 85_000]
TABLE_O = {
    75_000: (200, 2600), 78_000: (150, 1800), 80_000: (600, 4200), 82_000: (500, 2500), 85_000: (1800, 2200), 88_000: (1500, 900),
    90_000: (3800, 1000), 94_000: (2600, 300), 100_000: (5200, 150),
}  # fmt: skip
HALF = 0.00004
"""Half the spread, in coins."""
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
HTTP = "https://www.deribit.com/api/v2/public/get_book_summary_by_currency?currency=BTC&kind=option"
SOCKET = "wss://www.deribit.com/ws/api/v2"


def variance(strike: float, years: float) -> float:
    """Total variance of the base slice at a strike, linear in time."""
    a, b, rho, m, s = B
    x = log(strike / FORWARD) - m
    return (a + b * (rho * x + sqrt(x * x + s * s))) * years / T30


def premium(strike: float, years: float, is_call: bool) -> float:
    """Black's premium in coins."""
    root = sqrt(variance(strike, years))
    d1 = log(FORWARD / strike) / root + root / 2
    sign = 1 if is_call else -1
    return float(sign * (norm.cdf(sign * d1) - strike / FORWARD * norm.cdf(sign * (d1 - root))))


def name(expiry: int, strike: float, is_call: bool) -> str:
    year, month, day = iso(expiry)[:10].split("-")
    return f"BTC-{int(day)}{MONTHS[int(month) - 1]}{year[2:]}-{strike:.0f}-{'C' if is_call else 'P'}"


def summary(at: int) -> Frame:
    """The answer of a poll at `at`."""
    rows = []
    for days in DAYS:
        expiry = AT + days * DAY
        years = (expiry - at) / (365 * DAY)
        for strike in sorted(STRIKES):
            for is_call in (True, False):
                mid = premium(strike, years, is_call)
                held = TABLE_O.get(strike, (0, 0))[0 if is_call else 1] if days == 30 else 0
                rows.append({
                    "instrument_name": name(expiry, strike, is_call), "creation_timestamp": at // 1_000_000, "mark_price": mid,
                    "bid_price": mid - HALF if mid > 2 * HALF else None, "ask_price": mid + HALF, "underlying_price": FORWARD,
                    "mark_iv": 100 * sqrt(variance(strike, years) / years), "open_interest": float(held), "volume": float(held) / 10,
                })  # fmt: skip
    return Frame(at + SECOND // 20, "deribit", HTTP, json.dumps({"jsonrpc": "2.0", "result": rows}).encode())


def pushed(at: int, channel: str, data: object) -> Frame:
    payload = {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}
    return Frame(at, "deribit", SOCKET, json.dumps(payload).encode(), connection=1)


def trade(at: int, number: int, strike: float, is_call: bool, direction: str, amount: float) -> dict[str, object]:
    return {
        "trade_id": str(number), "trade_seq": number, "timestamp": at // 1_000_000, "price": premium(strike, T30, is_call),
        "instrument_name": name(AT + 30 * DAY, strike, is_call), "direction": direction, "amount": amount, "tick_direction": 0,
        "index_price": FORWARD, "iv": 53.0, "mark_price": premium(strike, T30, is_call),
    }  # fmt: skip


def frames(hours: int = 2) -> Iterator[Frame]:
    """Chains twice an hour until AT, a published index once a minute, trades: takers buy 800 calls at 90,000, sell 40 puts at 80,000."""
    began = AT - hours * 3600 * SECOND
    yield Frame(began - SECOND, "deribit", SOCKET, b"", "open", 1)
    found = [summary(began + i * 1800 * SECOND) for i in range(2 * hours + 1)]
    index = {"volatility": 54.5, "index_name": "btc_usd"}
    for i in range(60 * hours + 1):
        at = began + i * 60 * SECOND
        found.append(pushed(at + SECOND // 10, "deribit_volatility_index.btc_usd", index | {"timestamp": at // 1_000_000}))
    bought = [trade(AT - (600 - i) * SECOND, 1 + i, 90_000, True, "buy", 80.0) for i in range(10)]
    for one in [*bought, trade(AT - 300 * SECOND, 99, 80_000, False, "sell", 40.0)]:
        at = int(str(one["timestamp"])) * 1_000_000
        found.append(pushed(at + SECOND // 10, f"trades.{one['instrument_name']}.100ms", [one]))
    yield from sorted(found, key=lambda frame: frame.ts_recv)
