"""Fund flows as one document: the last day, the month beside complete ones, streaks, records, and every fund."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import polars as pl

from deleverage.analytics import etf_flows
from deleverage.analytics.etf_flows import TOTAL, Flows, Record
from deleverage.analytics.trading_days import trading_days
from deleverage.analytics.vintages import known
from deleverage.api import outside
from deleverage.api.anatomy import MS
from deleverage.api.outside import Document, Rows, Scope, figure, origin
from deleverage.api.session import Session
from deleverage.figure import Status, dollars
from deleverage.references import etf_flows as reference

METHOD = "docs/methods/etf-flows.md"
ENOUGH = {"day": 60, "month": 6}
"""Days or complete months below which a largest flow is called no record and given no rank."""
RECENT = 10
"""Trading days told fund by fund."""


class Material(NamedTuple):
    """What funds of a base reported of days that had closed by the scope's `at`; `settled`: days of which a later one is known."""

    scope: Scope
    base: str
    source: str | None
    rows: Rows
    settled: frozenset[str]


def read(session: Session, scope: Scope, base: str = "BTC", source: str | None = None) -> Material:
    """Read what is needed; the caller holds the session."""
    rows = outside.read(session, scope, "etf_flows", base=base)
    closed = outside.closed_by(rows.frame, "trading_day", scope.at)
    # asked of the past as known today, the last day of it may have been settled since
    after = outside.read(session, scope._replace(at=scope.as_of), "etf_flows", base=base).frame if scope.as_of > scope.at else rows.frame
    last = after["trading_day"].max() if after.height else None
    flagged = set(known(after, "etf_flows").filter("is_provisional")["trading_day"]) if after.height else set()
    settled = frozenset(day for day in closed["trading_day"].unique() if last is not None and day < str(last) and day not in flagged)
    return Material(scope, base, source, rows._replace(frame=closed), settled)


def document(material: Material, days: int = 250) -> Document:
    """Write the answer with the daily history of the last `days` trading days; `cumulative_usd` counts from the history's first day."""
    scope = material.scope
    found = etf_flows.summary(material.rows.frame, base=material.base, source=material.source)
    head = {**scope.head(), "base": material.base, "method": METHOD}
    if found is None:
        what = f"flow of {material.base} funds" + (f" by {material.source}" if material.source else "")
        return head | {
            "summary": None, "daily": None, "by_fund": [], "recent": None, "months": [], "streaks": None, "records": [], "headline": "",
            "words": [], "empty": outside.nothing(material.rows, scope, what), "figures": _nothing(material), "source": None,
        }  # fmt: skip
    found = _settle(found, material.settled)
    told = etf_flows.fund_days(material.rows.frame, base=material.base, source=material.source)[0]
    is_settled = pl.col("trading_day").cast(pl.String).is_in(list(material.settled))
    by_day = etf_flows.daily(told).with_columns(is_provisional=pl.col("is_provisional") & ~is_settled)
    shown = by_day.tail(days).with_columns(pl.col("trading_day").cast(pl.String), known_at_ms=pl.col("known_at") // MS).drop("known_at")
    months = etf_flows.months(by_day)
    untold = _untold(by_day["trading_day"].to_list())
    why = outside.late(found.source, found.base, found.trading_day, scope.at)
    whose = origin(found.source)
    if found.source == reference.NAME:
        whose = whose._replace(attribution=reference.attribution(told["fund"]))
    return head | {
        "source": whose._asdict() | {"other_sources": list(found.other_sources), "note": "one source at a time: tables differ"},
        "status": "stale" if why else "measured", "evidence": why, "summary": _summary(found, untold),
        "daily": shown.to_dict(as_series=False),
        "by_fund": [msgspec.to_builtins(f) | ({"month_to_date_usd": None} if untold else {}) for f in found.by_fund],
        "recent": _recent(told, by_day["trading_day"].to_list()[-RECENT:]),
        "months": [
            row | {"is_month_to_date": row["month"] == found.month and not row["is_complete"]} for row in months.tail(14).to_dicts()
        ],
        "streaks": {name: None if one is None else msgspec.to_builtins(one) for name, one in (
            ("current", found.streak), ("longest_outflow", found.longest_outflow), ("longest_inflow", found.longest_inflow),
        )},
        "records": [msgspec.to_builtins(r) | {"words": record_words(r, whose.title)} for r in found.records],
        "headline": headline(found, untold), "words": words(found, untold, whose.title), "empty": None,
        "figures": _figures(material, found, untold, "stale" if why else "measured"),
    }  # fmt: skip


def _untold(days: Sequence[date]) -> int:
    """Count the trading days of the last day's month, up to it, of which nothing is told: then its sum is not the month to date."""
    return len(set(trading_days(days[-1].replace(day=1), days[-1])) - set(days))


def _summary(found: Flows, untold: int) -> Document:
    row: Document = msgspec.to_builtins(found)
    for name in ("by_fund", "records", "streak", "longest_outflow", "longest_inflow"):
        row.pop(name)
    if untold:
        row["month_to_date_usd"] = None
    return row | {"known_at_ms": row.pop("known_at") // MS, "month_untold_days": untold}


def _settle(found: Flows, settled: frozenset[str]) -> Flows:
    """Take the word provisional from what has been settled since."""
    if found.trading_day not in settled:
        return found
    replace = msgspec.structs.replace
    days = tuple(replace(r, is_provisional=r.is_provisional and r.when not in settled) for r in found.records)
    funds = tuple(replace(f, is_provisional=f.is_provisional and f.trading_day not in settled) for f in found.by_fund)
    return replace(found, is_provisional=False, records=days, by_fund=funds)


def _recent(told: pl.DataFrame, days: Sequence[date]) -> Document:
    """The last days fund by fund; null where a fund told nothing."""
    rows = told.filter(pl.col("trading_day").is_in(days) & (pl.col("fund") != TOTAL))
    flows = {(fund, day): usd for fund, day, usd in rows.select("fund", "trading_day", "net_flow_usd").iter_rows()}
    names = rows["fund"].unique().sort().to_list()
    return {
        "trading_days": [str(day) for day in days],
        "funds": [{"fund": name, "net_flow_usd": [flows.get((name, day)) for day in days]} for name in names],
    }  # fmt: skip


def _figures(material: Material, found: Flows, untold: int, status: Status) -> list[Document]:
    base, scope = found.base, material.scope
    sources = (f"etf_flows/{found.source}",)
    late = "provisional: may be revised; " if found.is_provisional else ""
    holes = found.missing_days
    inputs = material.rows.frame.select("fund", "trading_day", "net_flow_usd", "ts_recv").sort(pl.all()).rows()
    run = found.streak
    made: list[tuple[str, float | None, str, str]] = [
        ("net_flow.day", found.net_flow_usd, "usd", f"{late}{found.funds} funds on {found.trading_day}"),
        ("net_flow.month_to_date", None if untold else found.month_to_date_usd, "usd", f"{late}{_month_days(found, untold)}"),
        ("net_flow.last_complete_month", found.last_complete_month_usd, "usd", found.last_complete_month or "no complete month is known"),
        ("net_flow.cumulative", found.cumulative_usd, "usd", f"{late}{_days(found.days)} since {found.since}"),
        ("net_flow.robust_z", found.robust_z, "usual deviations", f"against the {_days(found.prior_days)} before"),
        ("streak", float(run.days) if run else None, "trading days", run.direction if run else "a day of nought"),
    ]  # fmt: skip
    return [
        figure(f"etf.{base}.{name}", value, unit, scope, sources=sources, inputs=(inputs, value), status=status, missing=holes, note=note)
        for name, value, unit, note in made
    ]


def _nothing(material: Material) -> list[Document]:
    name = f"etf.{material.base}.net_flow.day"
    return [figure(name, None, "usd", material.scope, sources=(), inputs=(), note="no flow is known")]


def signed(usd: float) -> str:
    """Write a flow with its direction: `903.20 M USD left`."""
    return f"{dollars(abs(usd))} USD {'left' if usd < 0 else 'came in'}" if usd else "nothing moved"


def _days(count: int) -> str:
    return f"{count} trading day{'' if count == 1 else 's'}"


def _month_days(found: Flows, untold: int) -> str:
    if untold:
        return f"{untold} of the first {_days(found.month_days + untold)} of {found.month} are not told"
    return f"{_days(found.month_days)} of {found.month}"


def headline(found: Flows, untold: int) -> str:
    """Say what the last day and the month brought."""
    day = f"{found.base} funds on {found.trading_day}: {signed(found.net_flow_usd)}{', provisional' if found.is_provisional else ''}"
    return day if untold else f"{day}; {found.month} to date {signed(found.month_to_date_usd)} in {_days(found.month_days)}"


def words(found: Flows, untold: int, source: str) -> list[str]:
    """Say in sentences what stands beside the last day: its rank, the streak, the month beside the last complete one."""
    said = []
    if found.outflow_rank is not None and found.days >= ENOUGH["day"]:
        place = "the largest" if found.outflow_rank == 1 else f"number {found.outflow_rank}"
        said.append(f"Outflow of {found.trading_day}: {place} of {_days(found.days)} since {found.since} by {source}.")
    if found.streak is not None and found.streak.days > 1:
        one = found.streak
        said.append(f"{one.days} trading days of {one.direction} in a row since {one.first}, {signed(one.net_flow_usd)} together.")
    month = f"{found.month} to date ({_days(found.month_days)}, under way): {signed(found.month_to_date_usd)}."
    if untold:
        month = f"{found.month} to date: not known, {_month_days(found, untold)}."
    if found.last_complete_month is not None and found.last_complete_month_usd is not None:
        month += f" Last complete month, {found.last_complete_month}: {signed(found.last_complete_month_usd)}."
    said.append(month)
    if found.missing_days:
        said.append(f"{len(found.missing_days)} trading days since {found.since} are not told: no record is claimed.")
    return said


def record_words(found: Record, source: str) -> str:
    """Say a largest flow with the history it is over; "record" only where that history is whole and long enough."""
    what = f"{found.direction} of a {'trading day' if found.period == 'day' else 'complete month'}"
    many = _days(found.of) if found.period == "day" else f"{found.of} complete month{'' if found.of == 1 else 's'}"
    over = f"{many} from {found.since} to {found.until} by {source}"
    name = "Record" if found.is_whole and found.of >= ENOUGH[found.period] else "Largest told"
    note = "" if found.is_whole else "; trading days are missing, so this is no record"
    note += ", provisional" if found.is_provisional else ""
    return f"{name} {what}: {dollars(abs(found.net_flow_usd))} USD, {found.when}, over {over}{note}."
