"""Figures of the price and of the waves: when, how much, how far the price went, what was removed, how self-exciting."""

import math
from typing import Any, NamedTuple

import polars as pl

from deleverage.analytics import waves as cut
from deleverage.analytics.coverage import stretches
from deleverage.analytics.waves import SECOND, Around, Wave
from deleverage.api.anatomy import LEAD
from deleverage.figure import Figure
from deleverage.report.figures.liquidations import hidden
from deleverage.report.reading import Reading
from deleverage.report.selector import Selector
from deleverage.report.stated import Spec, stated

CENTS = 2
"""Decimals of sums of floats: the last bits depend on how many threads added."""
FEWEST = 10
"""Prices below which nothing is said of where the price went."""
TOLD = 12
"""Waves told one by one: the largest."""


def found(reading: Reading) -> list[Wave]:
    """The waves of the window, earliest first."""
    return reading.once("waves", lambda: _found(reading))


def _found(reading: Reading) -> list[Wave]:
    if reading.prints.is_empty():
        return []
    prices = reading.frames["prices"].filter(series="window").sort("ts_event").select("ts_event", "price")
    kind = "" if prices.is_empty() else str(reading.frames["prices"].filter(series="window")["price_kind"][0])
    spans = [span for span in reading.spans if span.liquidations]
    around = Around(
        reading.question.base, kind, _filled(prices), _filled(reading.frames["open_interest_minutes"]),
        _filled(reading.frames["taker_flow"]), _filled(reading.frames["book_depth"].drop_nulls(["bid_usd", "ask_usd"])),
        stretches(spans, reading.start, reading.at) or None,
    )  # fmt: skip
    return cut.waves(hidden(reading), reading.start, reading.at, "minutes", around)


def _filled(rows: pl.DataFrame) -> pl.DataFrame | None:
    return None if rows.is_empty() else rows.drop([c for c in ("row_hash",) if c in rows.columns])


def told(reading: Reading) -> list[Wave]:
    """The largest waves, earliest first."""
    largest = sorted(found(reading), key=lambda w: (-(w.long_usd + w.short_usd), w.start))[:TOLD]
    return sorted(largest, key=lambda w: w.start)


class Broken(NamedTuple):
    """A level that broke in a wave: its price, and what it was."""

    price: float
    words: str


def levels(wave: Wave) -> list[Broken]:
    """The levels that broke in a wave in its own direction, roundest words first as they came."""
    found = []
    for text in wave.levels_broken:
        what, direction = text.rsplit(" ", 1)
        named, _, number = what.rpartition(" ")
        if (direction == "down") == (wave.long_usd >= wave.short_usd):
            price = float(number.replace(",", ""))
            found.append(Broken(price, f"{named} {price:,.0f}".strip() if price > 1000 else what))
    return found


def wave_figures(reading: Reading) -> list[Figure]:
    """How many waves, and of each of the largest what is known."""
    w, rows = reading.length, reading.within("liquidations")
    count = float(len(found(reading))) if reading.seen else None
    made = [stated(reading, f"waves.count.{w}", count, "count", [rows], status="estimated", coverage=reading.coverage,
                   note="cut by burst states over contract-seconds, see docs/methods/waves.md")]  # fmt: skip
    for wave in told(reading):
        made += _wave(reading, wave)
    return made


def _wave(reading: Reading, wave: Wave) -> list[Figure]:
    name, orders = f"wave.{wave.number}", reading.select("liquidations", start=wave.start, end=wave.end)
    prices, total = reading.priced("window", wave.start - LEAD), round(wave.long_usd + wave.short_usd, CENTS)
    said: dict[str, Any] = {"at": wave.end, "coverage": reading.coverage}
    made = [
        stated(reading, f"{name}.start", wave.start / SECOND, "time", [orders], note="the first order of the wave", **said),
        stated(reading, f"{name}.seconds", (wave.end - wave.start) / SECOND, "seconds", [orders], **said),
        stated(reading, f"{name}.total", total, "usd", [orders], **said),
        stated(reading, f"{name}.orders", float(wave.orders), "count", [orders], **said),
        stated(reading, f"{name}.long_share", round(wave.long_usd, CENTS) / total if total else None, "share", [orders], **said),
    ]
    guess = wave.estimate
    if guess.status != "measured":
        band = None if guess.high_usd is None else (guess.low_usd, guess.high_usd)
        bound = "" if band else "; nothing bounds it from above: read it as at least"
        made.append(stated(reading, f"{name}.estimate", guess.estimate_usd, "usd", [orders], status="estimated", interval=band, level=0.9,
                           note=guess.method + bound, **said))  # fmt: skip
    if wave.price is not None:
        move = wave.price
        for kind, value, unit in (("before", move.before, "price"), ("extreme", move.extreme, "price"), ("after", move.after, "price"),
                                  ("price_change", move.change, "change")):  # fmt: skip
            made.append(stated(reading, f"{name}.{kind}", value, unit, [prices], note=move.kind, **said))
    for number, level in enumerate(levels(wave), 1):
        made.append(stated(reading, f"{name}.broken.{number}", level.price, "price", [prices], note=level.words, **said))
    if wave.open_interest_removed:
        minutes = reading.select("open_interest", start=wave.start - 2 * LEAD, end=wave.end + LEAD, series="minutes")
        removed = round(math.fsum(wave.open_interest_removed.values()), CENTS)
        made.append(stated(reading, f"{name}.open_interest_removed", removed, "usd", [minutes], **said))
    if wave.branching is not None:
        made.append(_branching(reading, wave, orders, said))
    return made


def _branching(reading: Reading, wave: Wave, orders: Selector, said: dict[str, Any]) -> Figure:
    low, high = wave.branching_low, wave.branching_high
    band = None if low is None or high is None else (low, high)
    return stated(reading, f"wave.{wave.number}.branching", wave.branching, "ratio", [orders], status="estimated", interval=band,
                  level=0.95, note="orders set off per order, across seconds", digits=3, **said)  # fmt: skip


def price_figures(reading: Reading) -> list[Figure]:
    """Last, highest and lowest price of the window and its change, of the base's best price series."""
    w, base = reading.length, reading.question.base
    of = reading.priced("window", reading.start)
    rows = reading.rows(of).sort("ts_event")
    if len(rows) < FEWEST:
        note = "too few prices of the window are in the data" if len(rows) else "no price of the window is in the data"
        return [stated(reading, f"price.{base}.last", None, "price", [of], note=note)]
    note = f"{rows['price_kind'][0]} of {rows['symbol'][0]} on {rows['venue'][0]}"
    first, last = float(rows["price"][0]), float(rows["price"][-1])
    high, low = rows["price"].max(), rows["price"].min()
    covered = min((rows["ts_event"][-1] - rows["ts_event"][0]) / reading.window, 1.0)
    numbers = (
        ("last", last, "price"),
        (f"high.{w}", high, "price"),
        (f"low.{w}", low, "price"),
        (f"change.{w}", last / first - 1, "change"),
    )
    return [stated(reading, f"price.{base}.{kind}", float(value), unit, [of], note=note, coverage=covered)  # type: ignore[arg-type]
            for kind, value, unit in numbers]  # fmt: skip


SPECS = (
    Spec("price.{base}.last", "price", "the last price of the window, its highest, lowest and change", price_figures),
    Spec("price.{base}.{high|low|change}.{window}", "", "the same over the window", price_figures),
    Spec("waves.count.{window}", "count", "waves the window's liquidations fall into", wave_figures),
    Spec("wave.{number}.{what}", "", "of each wave: start, seconds, total, orders, long_share, estimate, price, branching", wave_figures),
)  # fmt: skip
