"""Figures of options: the volatility index from the chain beside the published one, skew, dealers' gamma under every convention."""

from typing import Any

import polars as pl

from deleverage.analytics.options import chain, exposure, smile, strikes, term, volatility_index
from deleverage.analytics.options.chain import Chain
from deleverage.analytics.options.exposure import Exposure
from deleverage.analytics.options.smile import Surface
from deleverage.api.option_material import FILTERS, STALE
from deleverage.figure import Figure, Status
from deleverage.report.reading import HOUR, Reading
from deleverage.report.stated import Spec, stated

TENORS = (7.0, 30.0, 90.0)
PUBLISHED_AGE = 30 * HOUR
"""Age (ns) at which a published index is stale: some are kept a day apart."""


def fitted(reading: Reading) -> tuple[Chain, Surface] | None:
    """The chain as of its newest quote, and the surface through it; None without quotes or without a forward."""

    def work() -> tuple[Chain, Surface] | None:
        rows = reading.frames["option_quotes"]
        if rows.is_empty():
            return None
        quotes = rows.drop([c for c in ("row_hash",) if c in rows.columns])
        at, venue = int(quotes["ts_event"].max()), str(quotes["venue"][0])  # type: ignore[arg-type]  # not empty
        built = chain.build(quotes, at, venue=venue, base=reading.question.base, filters=FILTERS)
        return (built, smile.fit(built)) if built.forwards else None

    return reading.once("options", work)


def spot(reading: Reading, built: Chain) -> float:
    """The price options are set against: the index in their quotes, beside them, else the first forward."""
    told = reading.frames["spot"]
    if built.index_price is not None:
        return built.index_price
    return float(told["price"][0]) if len(told) else built.forwards[0].price


def _said(reading: Reading, built: Chain, status: Status) -> dict[str, Any]:
    wanted = built.options.filter(pl.col("why_not") != "in the money")
    covered = int(wanted["is_used"].sum()) / len(wanted) if len(wanted) else None
    return {"at": built.at, "status": "stale" if reading.at - built.at > STALE else status, "coverage": covered}


def option_figures(reading: Reading) -> list[Figure]:
    """The index made from the chain, volatility at the money and skew at constant maturities, puts over calls, dealers' gamma."""
    base, found = reading.question.base, fitted(reading)
    rows = reading.select("option_quotes", base=base)
    if found is None:
        why = "no option quotes of the last two hours are in the data"
        return [stated(reading, f"options.volatility_index.{base}", None, "points", [rows], note=why)]
    built, surface = found
    rows = reading.select("option_quotes", venue=built.venue, base=base, end=built.at + 1)
    index = volatility_index.from_chain(built, surface=surface)
    made = [stated(reading, f"options.volatility_index.{base}", index.points, "points", [rows], note="; ".join(index.reasons),
                   **_said(reading, built, "estimated"))]  # fmt: skip
    for row in term.constant_maturity(surface, TENORS).to_dicts():
        days = f"{row['tenor_days']:.0f}d"
        for name, unit, note in (
            ("atm", "volatility", ""), ("rr25", "volatility", "call less put: below 0 puts are dearer"), ("bf25", "volatility", ""),
        ):  # fmt: skip
            if row[name] is not None:
                made.append(stated(reading, f"options.{name}.{days}.{base}", row[name], unit, [rows], note=note,
                                   **_said(reading, built, "estimated")))  # fmt: skip
    ratio = strikes.put_call(built.options).open_interest
    if ratio is not None:
        made.append(stated(reading, f"options.put_call.{base}", ratio, "ratio", [rows], note="open interest in coins",
                           **_said(reading, built, "measured")))  # fmt: skip
    return made + _gamma(reading, built, rows)


def dealers(reading: Reading) -> Exposure | None:
    """Dealers' exposure under the conventions that need no trades; None without quotes or open interest."""

    def work() -> Exposure | None:
        found = fitted(reading)
        if found is None or not float(found[0].options["open_interest"].fill_null(0.0).sum()):
            return None
        return exposure.dealers(found[0].options, spot(reading, found[0]), surface=found[1])

    return reading.once("dealers", work)


def _gamma(reading: Reading, built: Chain, rows: Any) -> list[Figure]:
    found, base = dealers(reading), reading.question.base
    if found is None:
        return []
    made = []
    for one in found.conventions:
        said = _said(reading, built, "modelled")
        made.append(stated(reading, f"options.gamma.{one.name}.{base}", one.gamma_usd, "usd", [rows], note=one.about, **said))
        near = sorted(one.flips, key=lambda flip: abs(flip.price - spot(reading, built)))[:1]
        for flip in near:
            made.append(stated(reading, f"options.gamma_flip.{one.name}.{base}", flip.price, "price", [rows], note=one.about, **said))
    return made


def published_figures(reading: Reading) -> list[Figure]:
    """The venues' own volatility index: its last value and the change over the window."""
    base = reading.question.base
    of = reading.select("volatility_indices", base=base)
    told = reading.rows(of).sort("ts_event", "venue", "index_name")
    if told.is_empty():
        return [stated(reading, f"options.published_index.{base}", None, "points", [of], note="no published index is in the data")]
    last = told.row(-1, named=True)
    own = told.filter((pl.col("venue") == last["venue"]) & (pl.col("index_name") == last["index_name"]))
    status: Status = "stale" if reading.at - last["ts_event"] > PUBLISHED_AGE else "measured"
    note = f"{last['index_name']} of {last['venue']}"
    made = [stated(reading, f"options.published_index.{base}", last["volatility"], "points", [of], at=last["ts_event"], status=status,
                   note=note)]  # fmt: skip
    before = own.filter(pl.col("ts_event") <= last["ts_event"] - reading.window)
    if len(before) and last["ts_event"] - reading.window - before["ts_event"][-1] <= 2 * HOUR:
        change = last["volatility"] - before["volatility"][-1]
        made.append(stated(reading, f"options.published_index.change.{base}.{reading.length}", change, "points", [of], at=last["ts_event"],
                           status=status, note=note))  # fmt: skip
    return made


SPECS = (
    Spec("options.volatility_index.{base}", "points", "the 30-day volatility index made from the chain", option_figures),
    Spec("options.{atm|rr25|bf25}.{days}.{base}", "volatility", "at constant maturity", option_figures),
    Spec("options.put_call.{base}", "ratio", "puts over calls in open interest", option_figures),
    Spec("options.gamma.{convention}.{base}", "usd", "what dealers must sell per rise of 1 %, under a convention", option_figures),
    Spec("options.gamma_flip.{convention}.{base}", "price", "where that changes sign, nearest to spot", option_figures),
    Spec("options.published_index.{base}", "points", "the published volatility index, and its change over the window", published_figures),
)
