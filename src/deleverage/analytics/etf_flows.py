"""Net flows of exchange-traded funds: by day, month and fund, streaks, records, and how unusual a day was.

One source at a time: tables differ by hundreds of millions a month. A day is provisional while any fund of it is marked so, and until a
later trading day is known. A month under way is never compared with complete ones, and a record is only claimed over a history that is
told along with it. Money is summed exactly, in millionths of a dollar.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from deleverage.analytics.standing import distance
from deleverage.analytics.trading_days import trading_days
from deleverage.analytics.vintages import choose_source, known

Direction = Literal["inflow", "outflow"]
TOTAL = "TOTAL"
"""Name under which a source's own total may stand among its funds."""
MICRO = 1_000_000


def _exact(column: str) -> pl.Expr:
    """Millionths of a dollar as a whole number: the sum is the same in any order."""
    return (pl.col(column) * MICRO).round().cast(pl.Int64)


def _sum(rows: pl.DataFrame) -> float:
    return int(rows.select(_exact("net_flow_usd").sum()).item()) / MICRO


def fund_days(
    flows: pl.DataFrame, as_of: int | None = None, *, base: str = "BTC", source: str | None = None
) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    """Return what each fund of a base reported, as known by `as_of`, the source it is from, and the sources left aside.

    Takes rows of table etf_flows. Columns `trading_day` (Date), `fund` (upper case; TOTAL is the source's own), `net_flow_usd`,
    `is_provisional`, `known_at` (ns UTC), in that order. Without `source` it is the one with most trading days.
    """
    rows = known(flows.filter(pl.col("base") == base), "etf_flows", as_of)
    rows, name, others = choose_source(rows, source, ["trading_day"])
    told = rows.select(
        pl.col("trading_day").str.to_date("%Y-%m-%d"),
        pl.col("fund").str.to_uppercase(),
        "net_flow_usd",
        "is_provisional",
        known_at="ts_recv",
    ).drop_nulls("net_flow_usd")
    return told.sort("trading_day", "fund"), name, others


def daily(told: pl.DataFrame) -> pl.DataFrame:
    """Sum the rows of `fund_days` by trading day, oldest first.

    Columns: `trading_day`, `net_flow_usd` (the funds' sum; the source's total where no fund is told), `funds` (how many), `total_usd` (the
    source's own, null without), `difference_usd` (that less the funds' sum: parts must add up), `is_provisional`, `known_at`,
    `cumulative_usd`, `month_to_date_usd`. A day on which nothing but a total of nought stands is a holiday and left out.
    """
    is_total = pl.col("fund") == TOTAL
    parts, whole = _exact("net_flow_usd").filter(~is_total), _exact("net_flow_usd").filter(is_total)
    days = told.group_by("trading_day").agg(
        parts.sum().alias("parts"), whole.first().alias("whole"), (~is_total).sum().cast(pl.Int64).alias("funds"),
        pl.col("is_provisional").any(), pl.col("known_at").max(),
    ).filter((pl.col("funds") > 0) | (pl.col("whole") != 0)).sort("trading_day")  # fmt: skip
    net = pl.when(pl.col("funds") > 0).then("parts").otherwise("whole")
    days = days.with_columns(net=net, is_provisional=pl.col("is_provisional") | (pl.col("trading_day") == pl.col("trading_day").max()))
    month = pl.col("trading_day").dt.truncate("1mo")
    usd = {
        "net_flow_usd": pl.col("net"), "total_usd": pl.col("whole"), "cumulative_usd": pl.col("net").cum_sum(),
        "difference_usd": pl.when(pl.col("funds") > 0).then(pl.col("whole") - pl.col("parts")),
        "month_to_date_usd": pl.col("net").cum_sum().over(month),
    }  # fmt: skip
    days = days.with_columns(**{name: exact / MICRO for name, exact in usd.items()})
    return days.select(
        "trading_day", "net_flow_usd", "funds", "total_usd", "difference_usd", "is_provisional", "known_at", "cumulative_usd",
        "month_to_date_usd",
    )  # fmt: skip


def missing_days(days: pl.DataFrame) -> list[date]:
    """Return trading days between the first and last told on which nothing is told."""
    if not days.height:
        return []
    held = set(days["trading_day"])
    return [day for day in trading_days(days["trading_day"][0], days["trading_day"][-1]) if day not in held]


def months(days: pl.DataFrame) -> pl.DataFrame:
    """Sum days by month: `month` (2025-11), `net_flow_usd`, `days`, `missing_days`, `is_complete`, `is_provisional`.

    Complete: every trading day of the calendar month is told and a day of a later month too. The month in which a history begins after its
    first trading day is not complete, nor is one with a hole.
    """
    rows = []
    month = pl.col("trading_day").dt.truncate("1mo")
    for (first,), held in days.group_by(month, maintain_order=True):
        assert isinstance(first, date)
        last = pl.Series([first]).dt.month_end()[0]
        absent = len(set(trading_days(first, last)) - set(held["trading_day"]))
        ended = days["trading_day"][-1] > last
        rows.append([f"{first:%Y-%m}", _sum(held), held.height, absent, absent == 0 and ended, bool(held["is_provisional"].any())])
    schema = {
        "month": pl.String, "net_flow_usd": pl.Float64, "days": pl.Int64, "missing_days": pl.Int64, "is_complete": pl.Boolean,
        "is_provisional": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


class Streak(msgspec.Struct, frozen=True):
    """Consecutive days told of one sign, from `first` to `last` (2025-11-20); a day of nought or a trading day not told ends it."""

    direction: Direction
    first: str
    last: str
    days: int
    net_flow_usd: float


def streaks(days: pl.DataFrame) -> list[Streak]:
    """Return all streaks in the order of time; the last one is under way when it ends on the last day told."""
    held = list(zip(days["trading_day"], days["net_flow_usd"], strict=True))
    holes = set(missing_days(days))
    found: list[Streak] = []
    run: list[tuple[date, float]] = []
    for position, (day, usd) in enumerate(held):
        broken = bool(run) and any(run[-1][0] < hole < day for hole in holes)
        if run and (broken or np.sign(usd) != np.sign(run[-1][1])):
            found.append(_streak(run))
            run = []
        if usd != 0:
            run.append((day, usd))
        if run and position == len(held) - 1:
            found.append(_streak(run))
    return found


def _streak(run: Sequence[tuple[date, float]]) -> Streak:
    usd = sum(round(v * MICRO) for _, v in run) / MICRO
    return Streak("inflow" if run[0][1] > 0 else "outflow", str(run[0][0]), str(run[-1][0]), len(run), usd)


def longest(found: Sequence[Streak], direction: Direction) -> Streak | None:
    """Return the longest streak of a direction; of equals the latest; None without one."""
    return max((s for s in found if s.direction == direction), key=lambda s: (s.days, s.last), default=None)


class Record(msgspec.Struct, frozen=True):
    """The largest flow of a kind over `of` days or complete months told from `since` to `until`. `is_whole`: no trading day between is
    missing, without which "record" may not be said. `is_provisional`: it may still be revised."""

    period: Literal["day", "month"]
    direction: Direction
    when: str
    net_flow_usd: float
    of: int
    since: str
    until: str
    is_whole: bool
    is_provisional: bool


def records(days: pl.DataFrame) -> list[Record]:
    """Return the largest out- and inflow by day, and by month among complete months alone; a kind that never happened is left out."""
    whole = not missing_days(days)
    by_month = months(days).filter("is_complete")
    found = []
    periods: tuple[tuple[Literal["day", "month"], pl.DataFrame, str], ...] = (("day", days, "trading_day"), ("month", by_month, "month"))
    for period, frame, name in periods:
        if not frame.height:
            continue
        since, until = str(frame[name][0]), str(frame[name][-1])
        directions: tuple[Direction, ...] = ("outflow", "inflow")
        for direction in directions:
            largest = frame["net_flow_usd"].arg_min() if direction == "outflow" else frame["net_flow_usd"].arg_max()
            assert largest is not None
            usd = frame["net_flow_usd"][largest]
            if (usd < 0) == (direction == "outflow") and usd != 0:
                found.append(Record(
                    period, direction, str(frame[name][largest]), usd, frame.height, since, until, whole,
                    bool(frame["is_provisional"][largest]),
                ))  # fmt: skip
    return found


class FundFlow(msgspec.Struct, frozen=True):
    """One fund: its last trading day told, that day's flow, this month's and all of it, in USD."""

    fund: str
    trading_day: str
    net_flow_usd: float
    is_provisional: bool
    month_to_date_usd: float
    cumulative_usd: float


def funds(told: pl.DataFrame) -> list[FundFlow]:
    """Return each fund of `fund_days`, the largest move of the last trading day first; the month is that of the last day of any fund."""
    rows = told.filter(pl.col("fund") != TOTAL)
    if not rows.height:
        return []
    last = rows["trading_day"].max()
    assert isinstance(last, date)
    found = []
    for (fund,), held in rows.group_by("fund", maintain_order=True):
        this_month = held.filter(pl.col("trading_day") >= last.replace(day=1))
        day, usd = held["trading_day"][-1], held["net_flow_usd"][-1]
        provisional = bool(held["is_provisional"][-1]) or day == last
        found.append(FundFlow(str(fund), str(day), usd, provisional, _sum(this_month), _sum(held)))
    return sorted(found, key=lambda f: (f.trading_day != str(last), -abs(f.net_flow_usd), f.fund))


class Flows(msgspec.Struct, frozen=True):
    """What is known of a base's funds at a moment; all USD net, outflows negative.

    `net_flow_usd` is of `trading_day`, the last told; `outflow_rank` 1 means that no day told had a larger outflow (None on an inflow).
    `z` and `robust_z` are against the `prior_days` before it. `month_to_date_usd` is of the month of that day, which is under way;
    `last_complete_month` stands beside it. `streak` ends on that day. `missing_days` are trading days within the history not told.
    """

    base: str
    source: str
    other_sources: tuple[str, ...]
    since: str
    trading_day: str
    known_at: int
    is_provisional: bool
    net_flow_usd: float
    funds: int
    outflow_rank: int | None
    days: int
    z: float | None
    robust_z: float | None
    prior_days: int
    month: str
    month_to_date_usd: float
    month_days: int
    last_complete_month: str | None
    last_complete_month_usd: float | None
    cumulative_usd: float
    streak: Streak | None
    longest_outflow: Streak | None
    longest_inflow: Streak | None
    records: tuple[Record, ...]
    by_fund: tuple[FundFlow, ...]
    missing_days: tuple[str, ...]
    difference_usd: float | None

    @property
    def month_untold_days(self) -> int:
        """Trading days of `month` up to `trading_day` of which nothing is told: above 0 the sum is not that of the month to date."""
        last = date.fromisoformat(self.trading_day)
        return max(0, len(trading_days(last.replace(day=1), last)) - self.month_days)


def summary(
    flows: pl.DataFrame, as_of: int | None = None, *, base: str = "BTC", source: str | None = None, prior: int = 60
) -> Flows | None:
    """Return what is known of a base's funds by `as_of` (ns UTC; None: all); None where nothing is. `flows`: rows of table etf_flows."""
    told, name, others = fund_days(flows, as_of, base=base, source=source)
    days = daily(told)
    if not days.height:
        return None
    last = days.row(-1, named=True)
    before = days["net_flow_usd"].to_numpy()[:-1][-prior:]
    away = distance(before, last["net_flow_usd"])
    by_month = months(days)
    whole = by_month.filter("is_complete")
    runs = streaks(days)
    usd = last["net_flow_usd"]
    return Flows(
        base=base, source=name, other_sources=others, since=str(days["trading_day"][0]), trading_day=str(last["trading_day"]),
        known_at=last["known_at"], is_provisional=last["is_provisional"], net_flow_usd=usd, funds=last["funds"],
        outflow_rank=1 + int((days["net_flow_usd"] < usd).sum()) if usd < 0 else None, days=days.height, z=away.z,
        robust_z=away.robust_z, prior_days=len(before), month=by_month["month"][-1], month_to_date_usd=last["month_to_date_usd"],
        month_days=by_month["days"][-1],
        last_complete_month=whole["month"][-1] if whole.height else None,
        last_complete_month_usd=whole["net_flow_usd"][-1] if whole.height else None, cumulative_usd=last["cumulative_usd"],
        streak=runs[-1] if runs and runs[-1].last == str(last["trading_day"]) else None, longest_outflow=longest(runs, "outflow"),
        longest_inflow=longest(runs, "inflow"), records=tuple(records(days)), by_fund=tuple(funds(told)),
        missing_days=tuple(str(day) for day in missing_days(days)), difference_usd=last["difference_usd"],
    )  # fmt: skip
