"""A chain of bitcoin options that agrees with what was published: the volatility index of those days, puts dearer at the short end,
open calls heaviest from 90,000 to 100,000, open puts from 80,000 to 85,000. Everything else of it is assumed, and made up.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from deleverage.simulate.reconstruction.facts import END, HOUR, SECOND, START
from deleverage.simulate.reconstruction.wire import Spoken, deribit_answer, deribit_push
from deleverage.simulate.reconstruction.world import MINUTES, World

Floats = NDArray[np.float64]
YEAR = 365 * 24 * HOUR
CARRY = 0.045
"""Assumed yearly premium of the forwards."""
RHO, ETA, GAMMA = -0.30, 0.95, 0.45
"""Shape of the smile: SSVI with a power law, free of arbitrage since ETA (1 + |RHO|) < 2."""
SHORT_END = 0.18
"""How much higher the volatility of tomorrow stands than that of 30 days."""
EXPIRIES = ("2025-11-21", "2025-11-22", "2025-11-23", "2025-11-24", "2025-11-28", "2025-12-05", "2025-12-12", "2025-12-26", "2026-01-30",
            "2026-03-27", "2026-06-26", "2026-09-25")  # fmt: skip
LEVELS = ((0, 52.5), (24, 54.7), (31, 56.5), (31.7, 61.0), (36.5, 63.5), (40, 60.5), (48, 57.4))
"""Hours after START and the volatility index then: the closes at 24 and 48 are published, the rest is drawn through the low 60s."""
CALLS = {90: 5.0, 92: 2.0, 94: 2.6, 95: 4.0, 100: 7.0, 105: 3.5, 110: 4.5, 115: 2.5, 120: 5.0, 130: 2.5, 140: 2.0}
PUTS = {70: 2.6, 75: 3.2, 78: 1.6, 80: 6.0, 82: 3.0, 84: 2.2, 85: 6.5, 86: 1.6, 88: 2.2, 90: 3.5, 95: 2.0, 100: 2.4}
"""Thousands of coins open by strike (in thousands) over all expiries; other strikes hold a little."""
WEIGHTS = (0.03, 0.02, 0.015, 0.012, 0.16, 0.05, 0.04, 0.36, 0.09, 0.13, 0.06, 0.033)
"""Share of the open interest in each expiry."""


class Option(NamedTuple):
    """One listed option; `open_interest` in coins at the start."""

    name: str
    expiry: int
    strike: float
    is_call: bool
    open_interest: float


@cache
def listed() -> tuple[Option, ...]:
    """Return every option, by expiry, strike and kind."""
    found = []
    for text, weight in zip(EXPIRIES, WEIGHTS, strict=True):
        day = datetime.fromisoformat(text).replace(hour=8, tzinfo=UTC)
        expiry = int(day.timestamp()) * SECOND
        for strike in _strikes((expiry - START) / YEAR):
            for is_call in (True, False):
                heavy = (CALLS if is_call else PUTS).get(strike // 1000, 0.25) * 1000
                name = f"BTC-{day.day}{day.strftime('%b%y').upper()}-{strike}-{'C' if is_call else 'P'}"
                found.append(Option(name, expiry, float(strike), is_call, round(heavy * weight, 1)))
    return tuple(found)


def _strikes(years: float) -> list[int]:
    """Strikes as listed: close together near the money, wide apart far out."""
    near = [k for k in range(60_000, 121_000, 1000) if abs(k / 90_000 - 1) < 0.16]
    wide = [*range(50_000, 160_001, 5000)] if years > 0.02 else [*range(70_000, 112_001, 2000)]
    far = [*range(20_000, 400_001, 20_000)] if years > 0.09 else []
    return sorted({*near, *wide, *far})


def index_level(ts: int) -> float:
    """The volatility index the chain is made for at an instant, percent."""
    hours, levels = zip(*LEVELS, strict=True)
    return float(np.interp((ts - START) / HOUR, hours, levels))


def total_variance(k: Floats, years: float, level: float) -> Floats:
    """Return the total variance at log-moneyness k: SSVI around an at-the-money volatility that gives the level at 30 days."""
    return _ssvi(k, _theta(years, level))


def _theta(years: float, level: float) -> float:
    at_the_money = level / 100 / _ratio() * (1 + SHORT_END * np.exp(-years * 365 / 6) - SHORT_END * np.exp(-5.0))
    return float(at_the_money**2 * years)


def _ssvi(k: Floats, theta: float) -> Floats:
    phi = ETA / (theta**GAMMA * (1 + theta) ** (1 - GAMMA))
    found: Floats = theta / 2 * (1 + RHO * phi * k + np.sqrt((phi * k + RHO) ** 2 + 1 - RHO**2))
    return found


@cache
def _ratio() -> float:
    """Model-free volatility of 30 days over the volatility at the money: the wings are in the index, so it stands higher."""
    years, volatility = 30 / 365, 0.55
    k = np.linspace(-1.2, 1.2, 4801)
    w = _ssvi(k, volatility**2 * years)
    premium = _black(k, np.sqrt(w), k > 0)
    integrand = premium * np.exp(-k)
    variance = 2 / years * float(np.sum((integrand[1:] + integrand[:-1]) / 2 * np.diff(k)))
    return float(np.sqrt(variance) / volatility)


def _black(k: Floats, deviation: Floats, is_call: NDArray[np.bool_]) -> Floats:
    """Undiscounted price over the forward at log-moneyness k."""
    d1 = -k / deviation + deviation / 2
    d2 = d1 - deviation
    found: Floats = np.where(is_call, ndtr(d1) - np.exp(k) * ndtr(d2), np.exp(k) * ndtr(-d2) - ndtr(-d1))
    return found


def listing(ts: int) -> Spoken:
    """The venue's list of options."""
    return deribit_answer("get_instruments?currency=any&kind=option&expired=false", [
        {"tick_size": 0.0001, "taker_commission": 0.0003, "strike": o.strike, "settlement_period": "month", "quote_currency": "BTC",
         "settlement_currency": "BTC", "option_type": "call" if o.is_call else "put", "min_trade_amount": 0.1, "maker_commission": 0.0003,
         "kind": "option", "is_active": True, "instrument_name": o.name, "expiration_timestamp": o.expiry // 1_000_000,
         "creation_timestamp": 1_755_000_000_000, "contract_size": 1.0, "base_currency": "BTC", "counter_currency": "USD",
         "instrument_type": "reversed"} for o in listed()], ts)  # fmt: skip


def chain(world: World, ts: int) -> Spoken:
    """The book summary of all options that have not expired."""
    rows: list[dict[str, Any]] = []
    spot, level = world.index_price("BTC", ts), index_level(ts)
    left = 1 - float(world.stress["BTC"][min((ts - START) // (60 * SECOND), MINUTES - 1)])
    for expiry in sorted({o.expiry for o in listed() if o.expiry > ts}):
        own = [o for o in listed() if o.expiry == expiry]
        years = (expiry - ts) / YEAR
        forward = spot * float(np.exp(CARRY * years))
        strikes, is_call = np.array([o.strike for o in own]), np.array([o.is_call for o in own])
        k = np.log(strikes / forward)
        deviation = np.sqrt(total_variance(k, years, level))
        mark = _black(k, deviation, is_call)
        vega = np.exp(-((-k / deviation + deviation / 2) ** 2) / 2) / np.sqrt(2 * np.pi) * np.sqrt(years)
        half = 0.006 / max(left, 0.25) * vega + 0.00005
        grown = 1 + 0.02 * (ts - START) / (48 * HOUR)
        for o, price, spread, iv in zip(own, mark, half, deviation / np.sqrt(years), strict=True):
            bid, ask = _ticks(price - spread, down=True), _ticks(price + spread, down=False)
            rows.append({
                "high": None, "low": None, "last": None, "interest_rate": 0.0, "open_interest": round(o.open_interest * grown, 1),
                "price_change": None, "volume": round(o.open_interest * 0.02, 1), "creation_timestamp": ts // 1_000_000,
                "estimated_delivery_price": round(spot, 2), "mid_price": None, "instrument_name": o.name, "bid_price": bid or None,
                "ask_price": ask, "mark_price": round(float(price), 6), "mark_iv": round(float(iv) * 100, 2),
                "underlying_price": round(forward, 4), "underlying_index": "SYN", "base_currency": "BTC", "quote_currency": "BTC",
            })  # fmt: skip
    return deribit_answer("get_book_summary_by_currency?currency=BTC&kind=option", rows, ts)


def _ticks(price: float, *, down: bool) -> float:
    """Round to the venue's ticks: 0.0001 below 0.005, 0.0005 above; never below nothing."""
    tick = 0.0001 if price < 0.005 else 0.0005
    steps = np.floor(price / tick + 1e-9) if down else np.ceil(price / tick - 1e-9)
    return round(max(float(steps) * tick, 0.0), 4)


def index_push(ts: int) -> Spoken:
    """The published volatility index."""
    data = {"timestamp": ts // 1_000_000, "volatility": round(index_level(ts), 2), "index_name": "btc_usd"}
    return deribit_push("deribit_volatility_index.btc_usd", data)


def trades(world: World, rng: np.random.Generator) -> Iterator[tuple[int, Spoken]]:
    """Yield option prints over the 48 hours, (instant, push): customers buy puts and near calls, and sell calls at 100,000 and above."""
    count = 2400
    near = [abs(np.log(o.strike / 86_000)) < 0.35 and (o.strike > 82_000 if o.is_call else o.strike < 94_000) for o in listed()]
    weight = np.array([o.open_interest * (1.0 if o.expiry - START < 0.12 * YEAR else 0.4) for o in listed()]) * near
    chosen = rng.choice(len(weight), count, p=weight / weight.sum())
    instants = np.sort(rng.integers(START + HOUR, END - HOUR, count))
    for number, (ts, i) in enumerate(zip(instants.tolist(), chosen.tolist(), strict=True), 1):
        o = listed()[i]
        if o.expiry <= ts + HOUR:
            continue
        years, spot = (o.expiry - ts) / YEAR, world.index_price("BTC", ts)
        forward = spot * float(np.exp(CARRY * years))
        k = np.array([np.log(o.strike / forward)])
        deviation = np.sqrt(total_variance(k, years, index_level(ts)))
        bought = 0.68 if not o.is_call else 0.62 if o.strike < 100_000 else 0.35
        side = "buy" if rng.random() < bought else "sell"
        mark = float(_black(k, deviation, np.array([o.is_call]))[0])
        price = max(_ticks(mark * (1.01 if side == "buy" else 0.99), down=side == "sell"), 0.0001)
        amount = round(float(np.exp(rng.normal(0.6, 1.3))), 1) + 0.1
        print_ = {"timestamp": ts // 1_000_000, "price": price, "amount": round(amount, 1), "direction": side,
                  "index_price": round(spot, 2), "instrument_name": o.name, "trade_seq": number, "mark_price": round(mark, 6),
                  "tick_direction": 0, "contracts": round(amount, 1), "iv": round(float(deviation[0] / np.sqrt(years)) * 100, 2),
                  "trade_id": f"o{number}"}  # fmt: skip
        if amount > 25 and rng.random() < 0.5:
            print_["block_trade_id"] = f"BLOCK-{number}"
        yield ts, deribit_push("trades.option.any.100ms", [print_])
