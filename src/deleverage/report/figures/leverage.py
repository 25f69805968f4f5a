"""Figures of the leverage that is left: funding on one scale, open interest in coins and in dollars, how far off its peak."""

from typing import Any

import polars as pl

from deleverage.analytics import funding, open_interest
from deleverage.figure import Figure
from deleverage.report.reading import HOUR, MONTHS, Reading
from deleverage.report.stated import Spec, stated

FRESH = HOUR
"""Oldest reading (ns) of open interest that stands for an instant: venues tell it every few minutes, some every hour."""


def held(reading: Reading) -> pl.DataFrame:
    """Readings of the base's open interest, one shape."""

    def work() -> pl.DataFrame:
        rows, marks = reading.plain("open_interest"), reading.plain("mark_prices")
        return open_interest.shaped(rows, reading.at, prices=marks, as_of=reading.as_of, tolerance=2 * HOUR, by="nearest")

    return reading.once("held", work)


def rates(reading: Reading) -> pl.DataFrame:
    """The last predicted and settled rate of every contract of the base."""
    return reading.once("rates", lambda: funding.latest(reading.plain("funding_rates"), reading.at, as_of=reading.as_of))


def kind(reading: Reading) -> funding.Kind:
    """Predicted rates where any is fresh, else settled ones; they are never mixed."""
    fresh = rates(reading).filter((pl.col("why_not") == "") & (pl.col("funding_kind") == "predicted"))
    return "predicted" if len(fresh) else "settled"


def weights(reading: Reading) -> pl.DataFrame:
    """Fresh open interest by contract, to weigh rates by."""
    return open_interest.weights(open_interest.readings(held(reading), reading.at, tolerance=FRESH))


def weighted(reading: Reading) -> funding.Weighted:
    """The base's rate over venues, weighted by open interest."""
    return funding.aggregate(rates(reading), weights(reading), base=reading.question.base, kind=kind(reading))


def main_contracts(reading: Reading) -> list[dict[str, Any]]:
    """Each venue's main contract with its last rate, by venue."""
    own = rates(reading).filter((pl.col("funding_kind") == kind(reading)) & (pl.col("base") == reading.question.base))
    own = own.drop_nulls("rate_8h")
    return [_first_contract(quoted, weights(reading)) for _, quoted in own.group_by(["venue"], maintain_order=True)]


def funding_figures(reading: Reading) -> list[Figure]:
    """The rate over venues per 8 h, weighted by open interest; each venue's own; the share of venues below 0."""
    base, w = reading.question.base, reading.length
    rows, told, whole = reading.select("funding_rates", start=reading.start, base=base), kind(reading), weighted(reading)
    note = f"{told}; weighted by open interest; {whole.pays}" if whole.rate_8h is not None else _why_no_rate(reading)
    sources = [rows, reading.select("open_interest", start=reading.at - FRESH, base=base)]
    said: dict[str, Any] = {"coverage": whole.coverage, "note": note, "missing": whole.without_rate}
    made = [stated(reading, f"funding.oi_weighted.{base}", whole.rate_8h, "rate_8h", sources, **said)]
    for first in main_contracts(reading):
        status = "stale" if first["why_not"] == "stale" else "measured"
        venue = str(first["venue"])
        of = reading.select("funding_rates", start=reading.start, venue=venue, base=base, symbol=first["symbol"])
        said = {"status": status, "at": int(first["ts_event"]), "note": f"{told}, {first['symbol']}: {first['pays']}{_limits(first)}"}
        made.append(stated(reading, f"funding.venue.{venue}.{base}", first["rate_8h"], "rate_8h", [of], **said))
    if whole.share_negative is not None:
        made.append(stated(reading, f"funding.share_negative.{base}", whole.share_negative, "share", sources, coverage=whole.coverage,
                           note="share of venues whose own rate is below 0: there shorts pay longs"))  # fmt: skip
    past = funding.records(reading.plain("funding_rates"), reading.at, as_of=reading.as_of)
    settled = past.filter((pl.col("funding_kind") == "settled") & (pl.col("base") == base) & (pl.col("funding_time") > reading.start))
    if len(settled):
        mean = float(settled["rate_8h"].drop_nulls().sort().mean() or 0.0)  # type: ignore[arg-type]  # a number
        made.append(stated(reading, f"funding.settled.{base}.{w}", mean, "rate_8h", [reading.within("funding_rates", base=base)],
                           note="mean of the rates settled in the window, not weighted"))  # fmt: skip
    return made


def _first_contract(quoted: pl.DataFrame, amounts: pl.DataFrame) -> dict[str, Any]:
    """A venue's main contract: the fresh one with most open interest, else the first by name."""
    weighed = quoted.join(amounts, on=["venue", "symbol", "base"], how="left").with_columns(fresh=pl.col("why_not") == "")
    return weighed.sort(["fresh", "usd", "symbol"], descending=[True, True, False], nulls_last=True).row(0, named=True)


def _limits(row: dict[str, Any]) -> str:
    return f"; at its {row['hit']}: the market's own rate lies beyond" if row["hit"] else ""


def _why_no_rate(reading: Reading) -> str:
    if rates(reading).is_empty():
        return "no funding rate of the last days is in the data"
    return "no fresh open interest to weigh the rates by" if weights(reading).is_empty() else "every rate known is stale"


def series(reading: Reading) -> pl.DataFrame:
    """Hourly open interest of the base over `MONTHS`, of the venues read now."""

    def work() -> pl.DataFrame:
        rows = held(reading)
        if rows.is_empty():
            return pl.DataFrame()
        first = max(int(rows["ts_event"].min()), reading.at - MONTHS * 31 * 24 * HOUR)  # type: ignore[arg-type]  # not empty
        steps = (reading.at - first) // HOUR
        return open_interest.series(rows, reading.at - steps * HOUR, reading.at, HOUR, base=reading.question.base, tolerance=2 * HOUR)

    return reading.once("open interest series", work)


def open_interest_figures(reading: Reading) -> list[Figure]:
    """What is held open in coins and dollars, its change over the window, by venue, and how far it is off its peak."""
    base, w = reading.question.base, reading.length
    recent = reading.select("open_interest", start=reading.at - 2 * HOUR, base=base)
    now = open_interest.readings(held(reading), reading.at, tolerance=FRESH)
    total = open_interest.total(now, base=base)
    note = "" if total.usd is not None else "no reading of open interest within the hour"
    stale = total.stale if total.usd is not None else ()
    made = [
        stated(reading, f"open_interest.coin.{base}", total.coins, f"coin:{base}", [recent], missing=stale, note=note),
        stated(reading, f"open_interest.usd.{base}", total.usd, "usd", [recent], missing=stale, note=note),
    ]
    for row in open_interest.split(now.filter(pl.col("base") == base), ["venue"]).to_dicts():
        of = reading.select("open_interest", start=reading.at - 2 * HOUR, venue=row["venue"], base=base)
        made.append(stated(reading, f"open_interest.venue.{row['venue']}.{base}", row["usd"], "usd", [of]))
    hourly, whole = series(reading), reading.select("open_interest", base=base)
    if hourly.is_empty():
        return made
    change = open_interest.changes(hourly, int(hourly["ts"][-1]), [reading.window]).row(0, named=True)
    since = reading.select("open_interest", start=reading.start - reading.window // 10, base=base)
    for unit, name in (("coins_share", "coin"), ("usd_share", "usd")):
        if change[unit] is not None:
            made.append(stated(reading, f"open_interest.change.{name}.{base}.{w}", change[unit], "change", [since]))
    for months in range(MONTHS, 0, -1):
        fall = open_interest.drawdown(hourly, int(hourly["ts"][-1]), months=months)
        if fall.coins is not None and fall.usd is not None:
            for name, value in (("coin", fall.coins), ("usd", fall.usd)):
                made.append(stated(reading, f"open_interest.drawdown.{name}.{base}", value, "change", [whole], coverage=fall.coverage,
                                   note=f"against the highest of {months} months"))  # fmt: skip
            break
    else:
        days = (reading.at - int(hourly["ts"][0])) / (24 * HOUR)
        made.append(stated(reading, f"open_interest.drawdown.coin.{base}", None, "change", [whole],
                           note=f"the history is {days:.1f} days long: a peak is looked for over at least a month"))  # fmt: skip
    return made


SPECS = (
    Spec("funding.oi_weighted.{base}", "rate_8h", "funding per 8 h over venues, weighted by open interest", funding_figures),
    Spec("funding.venue.{venue}.{base}", "rate_8h", "a venue's own rate, of its main contract", funding_figures),
    Spec("funding.share_negative.{base}", "share", "share of venues where shorts pay longs", funding_figures),
    Spec("funding.settled.{base}.{window}", "rate_8h", "mean of the rates settled in the window", funding_figures),
    Spec("open_interest.{coin|usd}.{base}", "", "held open: one side, futures and perpetuals", open_interest_figures),
    Spec("open_interest.venue.{venue}.{base}", "usd", "the same by venue", open_interest_figures),
    Spec("open_interest.change.{coin|usd}.{base}.{window}", "change", "its change over the window", open_interest_figures),
    Spec("open_interest.drawdown.{coin|usd}.{base}", "change", "how far it is below its highest of months", open_interest_figures),
)
