"""Figures of the outside world: sentiment, flows of exchange-traded funds, yields and the dollar, and how the price moves with them."""

from typing import Any

import polars as pl

from deleverage.analytics import etf_flows, macro, sentiment
from deleverage.analytics.etf_flows import Flows
from deleverage.analytics.sentiment import Sentiment
from deleverage.figure import Figure, Status
from deleverage.report.reading import DAY, Reading
from deleverage.report.stated import Spec, stated

FEAR_GREED = "fear_and_greed"
FUNDS = ("BTC", "ETH")
FLOWS_STALE = 5 * DAY
"""Age (ns) of a trading day from which flows are stale: a weekend and a holiday lie between two of them at most."""
MACRO_STALE = {"DTWEXBGS": 12 * DAY}
"""Age (ns) from which a series is stale; the dollar index comes once a week, the others with a day's delay."""
WINDOW = 90


def index_name(reading: Reading) -> str:
    """The sentiment index in the data with most readings."""
    rows = reading.frames["sentiment_readings"]
    named = rows.group_by("index_name").len().sort(["len", "index_name"], descending=[True, False])
    return str(named["index_name"][0]) if len(named) else FEAR_GREED


def mood(reading: Reading) -> Sentiment | None:
    """The last reading of the sentiment index, and what it compares with."""
    rows = reading.plain("sentiment_readings")
    return reading.once("mood", lambda: sentiment.latest(rows.filter(pl.col("ts_event") <= reading.at), index_name(reading), reading.as_of))


def sentiment_figures(reading: Reading) -> list[Figure]:
    """The published index: level, change in a day and in a month, rank of the year, days in its band."""
    of, found = reading.select("sentiment_readings", index_name=index_name(reading)), mood(reading)
    if found is None:
        return [stated(reading, "sentiment.fear_greed", None, "index", [of], note="no reading of a sentiment index is in the data")]
    said: dict[str, Any] = {"at": found.ts_event, "status": "stale" if reading.at - found.ts_event >= sentiment.STALE else "measured"}
    note = f"{found.source}: {found.source_band or found.band}"
    made = [stated(reading, "sentiment.fear_greed", found.value, "index", [of], note=note, **said)]
    for name, value, unit in (
        ("change.1d", found.change, "index"), ("month_before", found.month_before, "index"), ("change.1m", found.month_change, "index"),
        ("year_rank", found.year_rank, "share"), ("days_in_band", float(found.days_in_band), "days"),
    ):  # fmt: skip
        if value is not None:
            made.append(stated(reading, f"sentiment.fear_greed.{name}", value, unit, [of], **said))
    return made


def flows(reading: Reading, base: str) -> Flows | None:
    """What is known of a coin's funds."""
    rows = reading.plain("etf_flows").filter(pl.col("ts_event") <= reading.at)
    return reading.once(f"flows {base}", lambda: etf_flows.summary(rows, reading.as_of, base=base))


def flow_figures(reading: Reading) -> list[Figure]:
    """Net flows by coin: the last day told, month to date, the last complete month, streak, how unusual, records with their history."""
    made: list[Figure] = []
    for base in FUNDS:
        found = flows(reading, base)
        if found is None:
            if base == "BTC":
                made.append(stated(reading, "etf.BTC.net_flow.day", None, "usd", [reading.select("etf_flows", base=base)],
                                   note="no flows of exchange-traded funds are in the data"))  # fmt: skip
            continue
        made += _flows(reading, found)
    return made


def _flows(reading: Reading, found: Flows) -> list[Figure]:
    base = found.base
    of = reading.select("etf_flows", venue=found.source, base=base)
    day = int(reading.rows(of)["ts_event"].max())  # type: ignore[arg-type]  # there are rows
    status: Status = "stale" if reading.at - day > FLOWS_STALE else "measured"
    provisional = "; provisional" if found.is_provisional else "; settled"
    numbers: list[tuple[str, float | None, str, str]] = [
        ("net_flow.day", found.net_flow_usd, "usd", f"{found.trading_day}{provisional}"),
        (
            "month_to_date",
            None if found.month_untold_days else found.month_to_date_usd,
            "usd",
            f"{found.month}, {found.month_days} trading days, under way",
        ),
        ("last_complete_month", found.last_complete_month_usd, "usd", f"{found.last_complete_month}"),
        ("cumulative", found.cumulative_usd, "usd", f"since {found.since}"),
        ("robust_z", found.robust_z, "ratio", f"against the {found.prior_days} trading days before"),
        ("days_told", float(found.days), "count", f"since {found.since}"),
    ]
    if found.outflow_rank is not None:
        numbers.append(("outflow_rank", float(found.outflow_rank), "count", f"1: the largest outflow of {found.days} days told"))
    if found.streak is not None:
        words = f"{found.streak.direction}s from {found.streak.first} to {found.streak.last}"
        numbers += [("streak", float(found.streak.days), "days", words), ("streak.sum", found.streak.net_flow_usd, "usd", words)]
    for record in found.records:
        whole = "" if record.is_whole else "; days are missing from it"
        words = f"{record.when}, of {record.of} from {record.since} to {record.until}{whole}"
        numbers.append((f"record.{record.period}.{record.direction}", record.net_flow_usd, "usd", words))
    said: dict[str, Any] = {"status": status, "missing": found.missing_days}
    made = [stated(reading, f"etf.{base}.{name}", value, unit, [of], note=f"{found.source}: {words}", **said)
            for name, value, unit, words in numbers if value is not None]  # fmt: skip
    for fund in found.by_fund[:12]:
        if fund.trading_day == found.trading_day:
            own = reading.select("etf_flows", venue=found.source, base=base, fund=fund.fund)
            made.append(
                stated(reading, f"etf.{base}.fund.{fund.fund}", fund.net_flow_usd, "usd", [own], note=fund.trading_day, status=status)
            )
    return made


def macro_figures(reading: Reading) -> list[Figure]:
    """Levels as they were known, their change in a month, and the price's beta to each over ninety changes."""
    rows = reading.plain("macro_observations")
    known = sorted(set(rows["series"].to_list())) if len(rows) else []
    made = []
    names = [name for name in macro.KINDS if name in known or (name == macro.BREAKEVEN and {macro.NOMINAL, macro.REAL} <= set(known))]
    for name in [*names, *(n for n in known if n not in macro.KINDS)]:
        held = macro.observed(rows, name, reading.as_of).filter(pl.col("ts") < reading.at)
        if len(held):
            made += _level(reading, name, held)
    if not made:
        made.append(stated(reading, "macro.DGS10", None, "percent", [reading.select("macro_observations")],
                           note="no macro series is in the data"))  # fmt: skip
    return made


def _level(reading: Reading, name: str, held: pl.DataFrame) -> list[Figure]:
    of = reading.select("macro_observations", series=f"{macro.NOMINAL}|{macro.REAL}" if name == macro.BREAKEVEN else name)
    at, value, unit = int(held["ts"][-1]), float(held["value"][-1]), macro.UNITS.get(name, "points")
    status: Status = "stale" if reading.at - at > MACRO_STALE.get(name, 6 * DAY) else "measured"
    day = f"observation of {held['observation_date'][-1]}"
    made = [stated(reading, f"macro.{name}", value, unit, [of], at=at, status=status, note=day)]
    month = pl.Series([at]).cast(pl.Datetime("ns")).dt.offset_by("-1mo").dt.epoch("ns")[0]
    before = held.filter(pl.col("ts") <= month)
    if len(before) and month - before["ts"][-1] <= 6 * DAY:
        kind = macro.KINDS.get(name, "log")
        change = value - before["value"][-1] if kind == "difference" else value / before["value"][-1] - 1
        words = f"{before['observation_date'][-1]} to {held['observation_date'][-1]}"
        made.append(stated(reading, f"macro.{name}.change.1m", change, unit if kind == "difference" else "change", [of], at=at,
                           status=status, note=words))  # fmt: skip
    beta = _beta(reading, name, held, of)
    return made if beta is None else [*made, beta]


def _beta(reading: Reading, name: str, held: pl.DataFrame, of: Any) -> Figure | None:
    """The price's beta to a series; None where there are too few changes."""
    prices = reading.frames["prices"].filter(series="hourly").sort("ts_event").select(ts="ts_event", price="price")
    if prices.is_empty():
        return None
    kind = macro.KINDS.get(name, "log")
    found = macro.beta(macro.changes(prices, held.select("ts", "value"), kind=kind), name, window=WINDOW, kind=kind)
    if found.beta is None or found.beta_low is None or found.beta_high is None:
        return None
    per = "per log change" if kind == "log" else "per point"
    return stated(
        reading, f"macro.{name}.beta.{reading.question.base}", found.beta, "beta", [of, reading.priced("hourly", 0)], status="estimated",
        interval=(found.beta_low, found.beta_high), level=0.95, note=f"log change of the price {per}, {found.n} changes: {found.verdict}",
    )  # fmt: skip


SPECS = (
    Spec("sentiment.fear_greed", "index", "the published index, 0 fear to 100 greed", sentiment_figures),
    Spec("sentiment.fear_greed.{what}", "", "its change in a day and in a month, rank of the year, days in its band", sentiment_figures),
    Spec("etf.{base}.net_flow.day", "usd", "net flow of the last trading day told", flow_figures),
    Spec("etf.{base}.{what}", "", "month_to_date, last_complete_month, cumulative, streak, records, by fund", flow_figures),
    Spec("macro.{series}", "", "the last observation as it was known; also .change.1m and .beta", macro_figures),
)
