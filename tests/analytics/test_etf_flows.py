"""Fund flows: the worked numbers, months, streaks and records, revisions; and a real table of two years, read in place."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.etf_flows import (
    Record,
    daily,
    fund_days,
    funds,
    longest,
    missing_days,
    months,
    records,
    streaks,
    summary,
)  # fmt: skip
from deleverage.analytics.standing import distance, mid_rank
from deleverage.analytics.trading_days import holidays, trading_days
from deleverage.tables import TABLES
from tests.captures import shared

WORKED = [120, -40, -75, -210, -577, -137, 240, -558, -278, 524, -1, -278, -870, -492, -254, -373, 75, -903, 238]
MILLION = 1e6


def rows(
    days: list[str], usd: list[float], fund: str = "IBIT", ts_recv: int = 0, provisional: bool = False, venue: str = "farside"
) -> pl.DataFrame:
    """Rows of table etf_flows."""
    return pl.DataFrame(
        {
            "venue": venue, "base": "BTC", "fund": fund, "trading_day": days, "net_flow_usd": [float(v) for v in usd],
            "is_provisional": provisional, "ts_recv": ts_recv,
        },
        schema_overrides={"ts_recv": pl.Int64},
    )  # fmt: skip


def made(usd: list[float], first: date = date(2025, 11, 3)) -> pl.DataFrame:
    days = trading_days(first, date(first.year + 1, 12, 31))[: len(usd)]
    return daily(fund_days(rows([str(day) for day in days], usd))[0])


def known_at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def table(base: str = "btc") -> pl.DataFrame:
    """The real table in millions of dollars, each day taken as known at 06:00 UTC of the next."""
    wide = pl.read_csv(shared(f"etf_flows/etf_{base}.csv"), infer_schema=False).filter(pl.col("Date") != "Seed")
    long = wide.unpivot(index="Date", variable_name="fund", value_name="million").drop_nulls()
    day = pl.col("Date").str.to_date("%d %b %Y")
    return long.select(
        venue=pl.lit("farside"), base=pl.lit(base.upper()), fund="fund", trading_day=day.cast(pl.String),
        net_flow_usd=pl.col("million").cast(pl.Float64) * MILLION, is_provisional=pl.lit(False),
        ts_recv=(day.cast(pl.Datetime("ns")).dt.epoch("ns") + 30 * 3600 * 10**9),
    )  # fmt: skip


def test_the_worked_numbers() -> None:
    days = made(WORKED)
    assert days["cumulative_usd"][-1] == -3849
    run = longest(streaks(days), "outflow")
    assert run is not None
    assert (run.days, run.net_flow_usd) == (6, -1 - 278 - 870 - 492 - 254 - 373)
    away = distance(WORKED[:17], -903)
    assert away.z == pytest.approx(-2.117753, abs=5e-7)
    assert away.robust_z == pytest.approx(-2.236469, abs=5e-7)


def test_a_summary_ranks_the_day_among_those_before_it() -> None:
    found = summary(rows([str(d) for d in trading_days(date(2025, 11, 3), date(2025, 12, 31))[:18]], WORKED[:18]), prior=17)
    assert found is not None
    assert (found.z, found.robust_z) == pytest.approx((-2.117753, -2.236469), abs=5e-7)
    assert (found.outflow_rank, found.days, found.prior_days) == (1, 18, 17)
    assert found.streak is not None and (found.streak.direction, found.streak.days) == ("outflow", 1)


def test_standing_is_not_told_where_nothing_varies() -> None:
    assert distance([1, 1, 1, 1], 2) == (None, None)
    assert distance([1, 2], 3) == (None, None)
    assert distance([1, 1, 1, 5], 2).robust_z is None  # most days alike: the median deviation is nought
    assert mid_rank([], 1.0) is None
    assert mid_rank([float("nan"), 1, 1], 1.0) == 0.5


def test_months_are_complete_when_every_day_and_a_later_one_is_told() -> None:
    days = made([1.0] * 60, date(2025, 11, 3))
    assert months(days)["month"].to_list() == ["2025-11", "2025-12", "2026-01"]
    assert months(days)["days"].to_list() == [19, 22, 19]
    assert months(days)["is_complete"].to_list() == [True, True, False]
    assert months(days[:19])["is_complete"].to_list() == [False]
    assert months(days[1:])["is_complete"].to_list() == [False, True, False]
    holed = days.filter(pl.col("trading_day") != date(2025, 12, 10))
    assert months(holed)["is_complete"].to_list() == [True, False, False]
    assert missing_days(holed) == [date(2025, 12, 10)]


def test_a_record_month_is_among_complete_months_alone() -> None:
    usd = [-10.0] * 19 + [-5.0] * 22 + [-400.0] * 5
    found = records(made(usd))
    assert found == [
        Record("day", "outflow", "2026-01-02", -400, 46, "2025-11-03", "2026-01-08", True, False),
        Record("month", "outflow", "2025-11", -190, 2, "2025-11", "2025-12", True, False),
    ]
    assert records(made(usd)[:0]) == []


def test_streaks_end_at_a_day_of_nought_and_at_a_day_not_told() -> None:
    assert [(s.direction, s.days) for s in streaks(made([1, 1, 0, 1, -1, -1]))] == [("inflow", 2), ("inflow", 1), ("outflow", 2)]
    holed = made([-1.0] * 6).filter(pl.col("trading_day") != date(2025, 11, 5))
    assert [(s.days, s.first) for s in streaks(holed)] == [(2, "2025-11-03"), (3, "2025-11-06")]
    assert streaks(made([1])[:0]) == []


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_streaks_months_and_funds_add_up_in_any_order(usd: list[int]) -> None:
    days = [str(day) for day in trading_days(date(2025, 11, 3), date(2026, 6, 30))[: len(usd)]]
    both = pl.concat([rows(days, [v + 0.1 for v in usd], "IBIT"), rows(days, [-0.1] * len(usd), "FBTC")])
    told = fund_days(both.sample(fraction=1, shuffle=True, seed=7))[0]
    held = daily(told)
    assert held["net_flow_usd"].to_list() == [float(v) for v in usd]
    assert sum(s.net_flow_usd for s in streaks(held)) == sum(usd)
    assert sum(s.days for s in streaks(held)) == sum(v != 0 for v in usd)
    assert months(held)["net_flow_usd"].sum() == sum(usd)
    assert sum(f.cumulative_usd for f in funds(told)) == pytest.approx(sum(usd))


def test_what_was_known_then_and_what_is_provisional() -> None:
    flows = pl.concat([
        rows(["2025-11-19", "2025-11-20"], [75, -900], provisional=True, ts_recv=10), rows(["2025-11-20"], [-903], ts_recv=20),
        rows(["2025-11-21"], [238], provisional=True, ts_recv=30), rows(["2025-11-19"], [75], ts_recv=15),
    ])  # fmt: skip
    assert summary(flows, 9) is None
    first, second, third = (daily(fund_days(flows, at)[0]) for at in (10, 20, 30))
    assert first["net_flow_usd"].to_list() == [75, -900]
    assert first["is_provisional"].to_list() == [True, True]
    assert second["net_flow_usd"].to_list() == [75, -903]
    assert second["is_provisional"].to_list() == [False, True]  # no later day is known yet
    assert third["is_provisional"].to_list() == [False, False, True]


def test_sources_and_their_totals_stay_apart() -> None:
    flows = pl.concat([
        rows(["2025-11-19", "2025-11-20"], [60, -355]), rows(["2025-11-19", "2025-11-20"], [15, -500], "FBTC"),
        rows(["2025-11-19", "2025-11-20", "2025-11-27"], [75, -903, 0], "Total"), rows(["2025-11-19"], [80], venue="other"),
    ])  # fmt: skip
    found = summary(flows)
    assert found is not None
    assert (found.source, found.other_sources) == ("farside", ("other",))
    assert (found.trading_day, found.net_flow_usd, found.difference_usd, found.funds) == ("2025-11-20", -855, -48, 2)
    assert [(f.fund, f.month_to_date_usd) for f in found.by_fund] == [("FBTC", -485), ("IBIT", -295)]
    other = summary(flows, source="other")
    assert other is not None and other.net_flow_usd == 80
    assert summary(flows, base="ETH") is None
    assert summary(pl.DataFrame(schema=TABLES["etf_flows"].polars_schema)) is None
    only_total = daily(fund_days(rows(["2025-11-19"], [75], "Total"))[0])
    assert (only_total["net_flow_usd"][0], only_total["funds"][0], only_total["difference_usd"][0]) == (75, 0, None)


# --- real data ----------------------------------------------------------------------------------------------------------


def test_holidays_are_those_of_the_real_table() -> None:
    """The table lists holidays until June 2025 as rows without any fund, and leaves later ones out."""
    flows = table()
    told = set(flows.filter(pl.col("fund") != "Total")["trading_day"].str.to_date().to_list())
    assert sorted(told) == trading_days(date(2024, 1, 11), date(2026, 1, 23))
    assert date(2022, 1, 1) not in holidays(2022)  # a Saturday: not kept
    assert date(2021, 12, 31) not in holidays(2021)
    assert {date(2022, 6, 20), date(2022, 12, 26), date(2026, 7, 3)} <= holidays(2022) | holidays(2026)


def test_the_twentieth_of_november_2025() -> None:
    found = summary(table(), known_at("2025-11-21T12:00"))
    assert found is not None
    assert (found.trading_day, found.net_flow_usd / MILLION) == ("2025-11-20", -903.2)
    assert found.difference_usd == pytest.approx(0, abs=0.15 * MILLION)
    assert found.is_provisional
    assert (found.outflow_rank, found.missing_days) == (2, ())
    assert (found.month, found.last_complete_month, found.last_complete_month_usd) == ("2025-11", "2025-10", 3424.9 * MILLION)
    assert found.by_fund[0].fund == "IBIT"
    # the days of the table's own text, added by hand
    november = [-186.5, -566.4, -137.0, 239.9, -558.4, 1.2, 524.0, -278.1, -866.7, -492.1, -254.6, -372.8, 75.4, -903.2]
    assert found.month_to_date_usd == pytest.approx(sum(november) * MILLION)


def test_november_2025_was_not_the_record_month_of_this_table() -> None:
    """Reports of that day spoke of a record. By this table the month to date was then beyond any complete month, and ended short of it."""
    flows = table()
    for day in ("2025-11-21T12:00", "2025-12-31T12:00"):
        found = summary(flows, known_at(day))
        assert found is not None
        month = next(r for r in found.records if (r.period, r.direction) == ("month", "outflow"))
        assert (month.when, month.net_flow_usd, month.is_whole) == ("2025-02", -3560.4 * MILLION, True)
        if found.month == "2025-11":
            assert found.month_to_date_usd < month.net_flow_usd
        worst = next(r for r in found.records if (r.period, r.direction) == ("day", "outflow"))
        assert (worst.when, worst.net_flow_usd) == ("2025-02-25", -1113.7 * MILLION)
    by_month = {row["month"]: row for row in months(daily(fund_days(flows)[0])).to_dicts()}
    assert by_month["2025-11"]["net_flow_usd"] == -3466.7 * MILLION
    assert by_month["2025-11"]["is_complete"]
    assert not by_month["2024-01"]["is_complete"]  # began on the 11th
    assert not by_month["2026-01"]["is_complete"]


@pytest.mark.parametrize("base", ["btc", "eth"])
def test_funds_add_up_to_the_sources_totals(base: str) -> None:
    told = fund_days(table(base), base=base.upper())[0]
    off = daily(told)["difference_usd"].abs()
    assert off.max() is not None
    assert (off > 0.15 * MILLION).sum() == 0
