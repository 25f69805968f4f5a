"""Sentences of the report: printed as known, refused where a rule forbids them; the golden table exact."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import golden

from deleverage.figure import Figure
from deleverage.report import sentences as say
from deleverage.report.claims import Claim, RuleBroken, derived, show, window_of
from deleverage.report.lint import lint
from deleverage.report.rules import RULES
from deleverage.report.tables import sides_table
from deleverage.venues import VENUES

AT = golden.END


def figure(name: str, value: float | None, unit: str = "usd", **more: object) -> Figure:
    status = "missing" if value is None else "measured"
    return Figure(**{"name": name, "value": value, "unit": unit, "at": AT, "as_of": AT, "status": status, "inputs_hash": name, **more})  # type: ignore[arg-type]


def sides(name: str, long: float, short: float) -> tuple[Figure, Figure, Figure]:
    return figure(f"{name}.24h", long + short), figure(f"{name}.long.24h", long), figure(f"{name}.short.24h", short)


HEADLINE = sides("liquidations", 1.86e9, 140.2e6)
BYBIT = sides("liquidations.venue.bybit", 595.43e6, 33.68e6)
LIQUID = sides("liquidations.venue.hyperliquid", 620.80e6, 8.02e6)


def golden_table() -> dict[str, tuple[Figure, Figure, Figure]]:
    return {VENUES[venue].title: sides(f"liquidations.venue.{venue}", *amounts) for venue, amounts in golden.TABLE.items()}


def test_golden_table_renders_exactly_and_lints_as_consistent() -> None:
    total = sides("liquidations", 1_705.43e6, 125.54e6)
    table = sides_table("venue", golden_table(), total)
    assert table.markdown() == "\n".join(
        [
            "| venue | total, M USD | long, M USD | short, M USD | share | long share |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            "| Bybit | 629.11 | 595.43 | 33.68 | 34.4 % | 94.6 % |",
            "| Hyperliquid | 628.82 | 620.80 | 8.02 | 34.3 % | 98.7 % |",
            "| Binance | 282.28 | 228.86 | 53.42 | 15.4 % | 81.1 % |",
            "| HTX | 152.11 | 146.18 | 5.93 | 8.3 % | 96.1 % |",
            "| OKX | 138.65 | 114.16 | 24.49 | 7.6 % | 82.3 % |",
            "| total | 1,830.97 | 1,705.43 | 125.54 | 100.0 % | 93.1 % |",
        ]
    )
    rows = lint(table.markdown())
    assert {row["verdict"] for row in rows} == {"consistent"}
    assert sum(row["rule"] == "parts_total" for row in rows) >= 6 + 3  # six rows of sides, three columns
    assert sum(row["rule"] == "share_of_amounts" for row in rows) == 5 + 6  # shares of the venues, long shares with the total's


def test_golden_table_with_its_rest_reaches_the_headline() -> None:
    table = sides_table("venue", golden_table(), HEADLINE)
    rest = table.rows[-2]
    assert [cell if isinstance(cell, str) else cell.text for cell in rest] == ["rest", "169.23", "154.57", "14.66", "8.5 %", "91.3 %"]
    assert {row["verdict"] for row in lint(table.markdown())} == {"consistent"}


def test_two_venues_are_more_than_half_of_the_headline() -> None:
    two = derived("liquidations.two.24h", sum(f.value or 0 for f in (BYBIT[0], LIQUID[0])), "usd", BYBIT[0], LIQUID[0])
    whole = figure("liquidations.total.24h", 2.00e9)
    assert say.share_of(two, whole, "Bybit and Hyperliquid", "the total").text == (
        "Bybit and Hyperliquid: 1.26 bn USD, 62.9 % of the total (2.00 bn USD)."
    )
    assert say.most_of(two, whole, "on two venues", "what was liquidated").text == "Most of what was liquidated was on two venues: 62.9 %."
    with pytest.raises(RuleBroken, match=r"is 31\.5%, from 31\.5%") as broken:
        say.most_of(BYBIT[0], whole, "on Bybit", "what was liquidated")
    assert broken.value.rule == "most"


def test_headline() -> None:
    claim = say.total_liquidated(*HEADLINE, ["bybit", "okx"], ["bybit", "okx"])
    assert claim.text == (
        "Positions worth 2.00 bn USD were force-closed in 24 h, as seen at 2 venues: 1.86 bn USD long and 140.20 M USD short; "
        "that is their size, not what anyone lost."
    )
    assert [f.value for f in claim.figures] == [2_000_200_000.0, 1.86e9, 140.2e6]
    assert "parts_total" in claim.rules
    blind = say.total_liquidated(*HEADLINE, ["bybit"], ["bybit", "htx"]).text
    assert "at least 2.00 bn USD" in blind and "htx missing" in blind
    assert {row["verdict"] for row in lint(claim.text)} == {"consistent"}


RATE = figure("funding.oi_weighted.BTC", 0.0000688, "rate_8h")
DAY = figure("etf.BTC.net_flow.day", -903.2e6)


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        (lambda: say.funding_sign(RATE), "Funding is 0.0069 % per 8 h, positive: longs pay shorts."),
        (
            lambda: say.funding_sign(figure("f", -0.00002, "rate_8h"), "on OKX"),
            "Funding on OKX is −0.0020 % per 8 h, negative: shorts pay longs.",
        ),
        (lambda: say.funding_sign(figure("f", 0.0, "rate_8h")), "Funding is 0.0000 % per 8 h, as good as zero: neither side pays."),
        (
            lambda: say.sentiment(figure("sentiment.fear_greed", 11.0, "index"), "extreme fear", figure("m", 34.0, "index")),
            "Fear & Greed is 11 (extreme fear), a month before 34 (fear). Source: alternative.me.",
        ),
        (
            lambda: say.etf_flow(DAY, "bitcoin", "2025-11-20", provisional=True),
            "From US spot bitcoin funds 903.20 M USD net flowed out on 2025-11-20; provisional, funds may still revise it.",
        ),
        (
            lambda: say.volatility_index(figure("o", None, "points"), figure("p", 57.4, "points"), "BTC"),
            "Implied volatility of BTC over 30 days: not known by our reading of the chain, 57.4 points as published.",
        ),
        (
            lambda: say.open_interest_change(figure("c", 0.0, "change"), figure("u", -0.276596, "change"), "BTC", "July"),
            "Open interest of BTC since July: +0.0 % in coins, −27.7 % in dollars.",
        ),
        (
            lambda: say.open_interest_change(figure("c", -0.08, "change"), figure("u", -0.2, "change"), "BTC", "July"),
            "Open interest of BTC since July: −8.0 % in coins, −20.0 % in dollars: positions were closed.",
        ),
        (
            lambda: say.macro_level(figure("macro.DGS10", 4.12, "percent"), "Ten-year yield", "2025-11-20"),
            "Ten-year yield: 4.12 % on 2025-11-20.",
        ),
        (
            lambda: say.real_yield(*(figure(n, v, "percent") for n, v in (("n", 4.12), ("r", 1.83), ("b", 2.29))), "2025-11-20"),
            "Ten-year yield 4.12 %, real 1.83 %, breakeven inflation 2.29 % on 2025-11-20.",
        ),
        (
            lambda: say.record(
                DAY,
                "The outflow of February 2025",
                since="January 2024",
                until="October 2025",
                periods=22,
                period="month",
                complete=True,
                whole=True,
            ),
            "The outflow of February 2025, −903.20 M USD, is the record of 22 complete months, January 2024 to October 2025.",
        ),
        (
            lambda: say.larger(BYBIT[0], LIQUID[0], "Bybit", "Hyperliquid"),
            "Bybit (629.11 M USD) was larger than Hyperliquid (628.82 M USD).",
        ),
        (
            lambda: say.trend("falling", figure("s", -0.5, "ratio", interval=(-0.9, -0.1), level=0.95), "Coverage", "a week"),
            "Coverage was falling over a week: −0.50 (−0.90 to −0.10, 95% interval).",
        ),
        (
            lambda: say.dealer_gamma({"a": figure("a", 1e6), "b": figure("b", -2e6)}, "BTC"),
            "BTC options: the conventions disagree on who is short gamma: a 1.00 M USD, b −2.00 M USD.",
        ),
        (
            lambda: say.map_intensity(figure("map.a", 0.8, "relative"), "82,000"),
            "The liquidation map is at 0.80 of the strongest near 82,000.",
        ),
        (
            lambda: say.not_known("Liquidations at Deribit", "the venue names none"),
            "Liquidations at Deribit: not known (the venue names none).",
        ),
        (
            lambda: say.wave(2, BYBIT[0], figure("wave.2.seconds", 240.0, "seconds"), "Bybit", ""),
            "Wave 2 closed 629.11 M USD in 240 s, first at Bybit. It is still running.",
        ),
    ],
)
def test_sentences_and_the_linter_agree(claim: Callable[[], Claim], text: str) -> None:
    said = claim()
    assert said.text == text
    assert set(said.rules) <= set(RULES)
    assert "inconsistent" not in {row["verdict"] for row in lint(said.text)}


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        (lambda: say.total_liquidated(figure("liquidations.total.24h", 2e9), *HEADLINE[1:], [], []), "parts_total"),
        (lambda: say.total_liquidated(figure("liquidations.total.12h", 2_000_200_000.0), *HEADLINE[1:], [], []), "equal_windows"),
        (lambda: say.total_liquidated(figure("liquidations.total.24h", None, note="blind"), *HEADLINE[1:], [], []), "known"),
        (lambda: say.broken_down(HEADLINE[0], {"Bybit": BYBIT[0], "Hyperliquid": LIQUID[0]}), "parts_total"),
        (lambda: say.share_of(HEADLINE[0], BYBIT[0], "all", "Bybit"), "share_over_100"),
        (lambda: say.most_of(figure("a.24h", 50.0), figure("b.24h", 100.0), "a", "b"), "most"),
        (lambda: say.most_of(figure("a.24h", 60.0, interval=(45.0, 75.0)), figure("b.24h", 100.0), "a", "b"), "most"),
        (lambda: say.larger(LIQUID[0], BYBIT[0], "Hyperliquid", "Bybit"), "ranking"),
        (lambda: say.larger(figure("a.24h", 5.0), figure("b.1h", 1.0), "a", "b"), "equal_windows"),
        (lambda: say.funding_sign(figure("f", 0.0001, "percent")), "funding_sign"),
        (lambda: say.sentiment(figure("s", 11.0, "index"), "fear"), "fear_greed_band"),
        (
            lambda: say.record(
                DAY, "November", since="January 2024", until="October 2025", periods=22, period="month", complete=False, whole=True
            ),
            "record",
        ),
        (
            lambda: say.record(
                DAY, "October", since="January 2024", until="October 2025", periods=22, period="month", complete=True, whole=False
            ),
            "record",
        ),
        (lambda: say.trend("rising", figure("s", 0.5, "ratio", interval=(-0.1, 1.1)), "x", "a week"), "trend_test"),
        (lambda: say.trend("soaring", figure("s", 0.5, "ratio", interval=(0.1, 1.1)), "x", "a week"), "trend_test"),
        (lambda: say.map_intensity(figure("map.a", 1e9), "82,000"), "relative_intensity"),
        (lambda: say.volatility_index(figure("o", 5740.0, "points"), figure("p", 57.4, "points"), "BTC"), "volatility_unit"),
        (lambda: say.real_yield(*(figure(n, v, "percent") for n, v in (("n", 4.12), ("r", 1.83), ("b", 2.9))), "d"), "real_yield"),
    ],
)
def test_a_rule_refuses_the_sentence(claim: Callable[[], Claim], rule: str) -> None:
    with pytest.raises(RuleBroken) as broken:
        claim()
    assert broken.value.rule == rule and broken.value.arithmetic
    assert str(broken.value).startswith(RULES[rule])


@pytest.mark.parametrize(
    ("value", "unit", "interval", "text"),
    [
        (1_830_970_000.0, "usd", None, "1.83 bn USD"),
        (-903.2e6, "usd", None, "−903.20 M USD"),
        (0.629, "share", None, "62.9 %"),
        (0.0000688, "rate_8h", None, "0.0069 % per 8 h"),
        (0.0000125, "rate_1h", None, "0.0013 % per 1 h"),
        (57.4, "points", None, "57.4 points"),
        (0.574, "volatility", None, "57.4 %"),
        (11.0, "index", None, "11"),
        (85_123.4, "price", None, "85,123 USD"),
        (2_437_000_000.0, "usd", (1.93e9, 3.11e9), "2.44 bn USD (1.93 bn USD to 3.11 bn USD)"),
        (2_437_000_000.0, "usd", (1.0e9, 9.9e9), "2.4 bn USD (1.0 bn USD to 9.9 bn USD)"),
        (12_345.6, "coin:BTC", None, "12,346 BTC"),
        (0.93, "share", (0.71, 0.99), "93 % (71 % to 99 %)"),
        (None, "usd", None, "not known"),
    ],
)
def test_numbers_are_rounded_to_what_is_known(value: float | None, unit: str, interval: tuple[float, float] | None, text: str) -> None:
    assert show(figure("x", value, unit, interval=interval)).text == text


@pytest.mark.parametrize(("name", "window"), [("liquidations.total.24h", "24h"), ("funding.oi_weighted.BTC", None), ("macro.DGS10", None)])
def test_window_of_a_name(name: str, window: str | None) -> None:
    assert window_of(figure(name, 1.0)) == window


def test_derived_figures_are_no_better_than_their_worst_input() -> None:
    stale = figure("a.24h", 1.0, status="stale", coverage=0.4, missing=("htx",))
    made = derived("c.24h", 3.0, "usd", stale, figure("b.24h", 2.0, coverage=0.9))
    assert (made.status, made.coverage, made.missing) == ("stale", 0.4, ("htx",))
    assert derived("c.24h", 3.0, "usd", figure("a.24h", None)).value is None


@given(st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 10**13)), min_size=1, max_size=6), st.integers(0, 10**13))
def test_any_parts_with_their_rest_make_a_table_that_lints(parts: list[tuple[int, int]], more: int) -> None:
    names = ["Bybit", "Hyperliquid", "Binance", "HTX", "OKX", "Deribit"]
    rows = {
        name: sides(f"liquidations.venue.{name}", 1 + long / 1e4, 1 + short / 1e4)
        for name, (long, short) in zip(names, parts, strict=False)
    }
    long = sum(row[1].value or 0.0 for row in rows.values()) + more / 1e4 + 1
    short = sum(row[2].value or 0.0 for row in rows.values()) + more / 1e4 + 1
    table = sides_table("venue", rows, sides("liquidations", long, short))
    assert "inconsistent" not in {row["verdict"] for row in lint(table.markdown())}


def test_what_is_stale_says_so_also_where_it_is_modelled() -> None:
    assert show(figure("x", 0.5, "share", status="stale")).text == "50.0 % (stale)"
    assert show(figure("x", 0.5, "share", status="modelled", note="call less put; stale")).text == "50.0 % (stale)"
    assert show(figure("x", 0.5, "share", status="modelled", note="hatched where stale, else not")).text == "50.0 %"
