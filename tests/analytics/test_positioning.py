import csv
import typing

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage import events
from deleverage.analytics import basis, funding, funding_history, funding_regimes, open_interest
from deleverage.analytics.positioning import MEASURES, latest, series, shaped, taker_flow
from tests.analytics.leverage import DAY, HOUR, MINUTE, columns, ns, table
from tests.captures import shared

AT = ns(2025, 11, 21)
SYMBOL = "BTC/USDT:USDT"


def ratios(*rows: tuple[str, int, float, float], period: int | None = 300) -> pl.DataFrame:
    return table("positioning_ratios", [
        {"venue": "a", "symbol": SYMBOL, "ratio_kind": kind, "ts_event": ts, "long_share": long, "short_share": short}
        for kind, ts, long, short in rows
    ], period_seconds=period)  # fmt: skip


def trades(*rows: tuple[int, str, float | None, str]) -> pl.DataFrame:
    return table("trades", [
        {"venue": "a", "symbol": SYMBOL, "ts_event": ts, "taker_side": side, "notional_usd": usd, "trade_kind": kind}
        for ts, side, usd, kind in rows
    ])  # fmt: skip


def test_every_kind_that_a_table_can_hold_says_what_it_cannot_say() -> None:
    assert set(MEASURES) == set(typing.get_args(events.RatioKind))
    assert all(m.name and m.says and m.cannot_say for m in MEASURES.values()) and len({m.says for m in MEASURES.values()}) == 4


def test_the_last_reading_its_age_and_its_change() -> None:
    rows = shaped(
        ratios(
            ("accounts", AT - DAY - 5 * MINUTE, 0.6, 0.4), ("accounts", AT - 5 * MINUTE, 0.72, 0.28),
            ("top_positions", AT - 3 * HOUR, 0.5, 0.5), ("accounts", AT + 1, 0.1, 0.9),
        ), AT,
    )  # fmt: skip
    found = latest(rows, AT)
    assert found.select("ratio_kind", "long_share", "is_stale").rows() == [("accounts", 0.72, False), ("top_positions", 0.5, True)]
    assert found["ratio"].to_list() == pytest.approx([0.72 / 0.28, 1.0]) and found["change_24h"].to_list() == [pytest.approx(0.12), None]
    assert len(series(rows, "accounts", AT - DAY - 5 * MINUTE, AT - 5 * MINUTE, base="BTC")) == 1
    untold = latest(shaped(ratios(("accounts", AT - DAY, 0.6, 0.4), ("accounts", AT, 0.5, 0.5), period=None), AT), AT)
    assert untold["change_24h"].to_list() == pytest.approx([-0.1]) and untold["period_seconds"].to_list() == [None]


def test_takers_by_hand() -> None:
    rows = trades(
        (AT, "buy", 30.0, "market"), (AT + 1, "sell", 10.0, "aggregate"), (AT + HOUR, "sell", 5.0, "rpi"), (AT + HOUR, "buy", 1e9, "block"),
        (AT + HOUR, "sell", 1e9, "adl"), (AT + 2 * HOUR, "buy", 7.0, "market"), (AT + HOUR, "buy", None, "market"),
    )  # fmt: skip
    found = taker_flow(rows, AT, AT + 2 * HOUR, HOUR)
    assert found.select("buy_usd", "sell_usd", "long_share", "trades").rows() == [(30.0, 10.0, 0.75, 2), (0.0, 5.0, 0.0, 1)]
    assert taker_flow(rows, AT, AT + 2 * HOUR)["ratio"].to_list() == [2.0]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 10), st.sampled_from(["buy", "sell"]), st.floats(1, 1e6)), min_size=1, max_size=30))
def test_steps_add_up_and_shares_are_shares(parts: list[tuple[int, str, float]]) -> None:
    rows = trades(*((AT + h * HOUR, side, usd, "market") for h, side, usd in parts))
    steps, whole = (taker_flow(rows, AT, AT + 11 * HOUR, every) for every in (HOUR, None))
    assert steps["buy_usd"].sum() == pytest.approx(whole["buy_usd"][0]) and steps["trades"].sum() == len(parts)
    assert steps["long_share"].is_between(0, 1).all()
    assert taker_flow(rows.reverse(), AT, AT + 11 * HOUR, HOUR).equals(steps)


def test_accounts_leaned_long_through_the_sell_off_of_july_2024() -> None:
    """Coinalyze's hourly shares of Binance accounts (times run six hours ahead of UTC): the ratio is their quotient."""
    with shared("coinalyze_2024/BTCUSDT_PERP.A_long-short-ratio-history.csv").open() as file:
        lines = list(csv.reader(file))
    frame = pl.DataFrame({
        "ts_event": [ns(*(int(p) for p in x[0][:10].split("-")), int(x[0][11:13])) - 6 * HOUR for x in lines],
        "long_share": [float(x[2]) for x in lines], "short_share": [float(x[3]) for x in lines],
    })  # fmt: skip
    rows = shaped(
        columns("positioning_ratios", frame, venue="binance", symbol=SYMBOL, base="BTC", ratio_kind="accounts", period_seconds=3600),
        ns(2024, 7, 26),
    )
    told = dict(zip(frame["ts_event"], (float(x[1]) for x in lines), strict=True))
    assert len(lines) == 861 and len(rows) == len(told) == 859  # two hours are told twice
    off = [abs(ratio / told[ts] - 1) for ts, ratio in rows.select("ts_event", "ratio").iter_rows()]
    assert sum(o > 2e-3 for o in off) <= 2
    fell = series(rows, "accounts", ns(2024, 7, 4), ns(2024, 7, 6))
    assert len(fell) == 48 and (fell["long_share"] > 0.5).all()


def test_nothing_recorded_gives_nothing_and_no_error() -> None:
    rates, candles, held, marks = (table(name, []) for name in ("funding_rates", "candles", "open_interest", "mark_prices"))
    assert funding.latest(rates, AT).is_empty() and funding.prediction_errors(rates, AT).is_empty()
    read = open_interest.readings(open_interest.shaped(held, AT, prices=marks), AT)
    empty = funding.aggregate(funding.latest(rates, AT), open_interest.weights(read), base="BTC")
    assert (empty.rate_8h, empty.coverage, empty.contracts) == (None, None, 0)
    assert funding.aggregate(funding.latest(rates, AT), funding.volume_weights(candles, AT)).rate_8h is None
    assert funding.spreads(funding.latest(rates, AT), base="BTC").is_empty()
    buckets = funding_history.history(rates, 0, AT)
    assert funding_history.combined(buckets, held).is_empty() and funding_history.combined(buckets).is_empty()
    assert funding_history.cumulative(rates, AT - DAY, AT).is_empty() and funding_history.flips(rates, AT - DAY, AT).is_empty()
    assert funding_regimes.regime(buckets, AT) is None and funding_regimes.regimes(buckets, 0, AT) == []
    assert open_interest.split(read, ["venue", "margin_type"]).is_empty() and open_interest.total(read, base="BTC").usd is None
    totals = open_interest.series(open_interest.shaped(held, AT), AT - DAY, AT, HOUR, base="BTC")
    assert totals.is_empty() and open_interest.quadrants(totals).is_empty() and open_interest.drawdown(totals, AT, months=7).usd is None
    assert open_interest.changes(totals, AT, [HOUR])["coins"].to_list() == [None]
    assert open_interest.counting_breaks(open_interest.shaped(held, AT)).is_empty()
    term = basis.term_structure(marks, AT)
    assert term.is_empty() and basis.constant_maturity(term, 30).is_empty() and basis.premiums(marks, AT).is_empty()
    assert basis.premium_series(marks, AT - DAY, AT, HOUR).is_empty() and latest(shaped(ratios(), AT), AT).is_empty()
    assert taker_flow(trades(), AT - DAY, AT, HOUR).is_empty()
