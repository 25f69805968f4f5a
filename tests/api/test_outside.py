"""Sentiment, fund flows and macro through the API: constructed rows whose numbers are counted here, and real history if at hand."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.captures import shared
from tests.outside_rows import DAY, EVENING, LAST, flow, flows, market, midnight, observations, readings, stored

from deleverage.analytics.trading_days import trading_days
from deleverage.api.app import build
from deleverage.api.outside import Scope, late
from deleverage.api.server import Server
from deleverage.collect.history import import_table
from deleverage.store.folder import Folder
from deleverage.when import instant

REVISED = "2026-03-14T12:00:00Z"


def served(path: Path) -> TestClient:
    server = Server(Folder(path))
    server.open_stored()
    return TestClient(build(server))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """All tables, and a day later a revision of the last day's second fund with a day after it."""
    later = instant(REVISED, 0) - DAY // 4
    revised = [flow(LAST, "BBBB", -30e6, received=later), flow(date(2026, 3, 13), "AAAA", 1e6, received=later)]
    path = stored(tmp_path_factory.mktemp("outside"), readings(), flows(), observations(), market(), revised)
    with served(path) as client:
        yield client


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with served(stored(tmp_path_factory.mktemp("nothing"), readings(2))) as client:
        yield client


def asked(client: TestClient, route: str, **parameters: str | int) -> dict[str, Any]:
    answer = client.get(f"/v1/{route}", params={"at": EVENING, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]  # type: ignore[no-any-return]


def figures(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {figure["name"]: figure for figure in found["figures"]}


def test_sentiment_says_whose_word_it_is_and_whose_data(client: TestClient) -> None:
    found = asked(client, "sentiment")
    index = found["index"]
    assert (index["value"], index["band"], index["band_by"]) == (20.0, "extreme fear", "deleverage")
    assert (index["source_band"], index["source_band_by"], index["words_differ"]) == ("Extreme Fear", "alternative.me", False)
    assert (index["month_before"], index["month_change"], index["days_in_band"]) == (60.0, -40.0, 4)  # 13 February; 10 to 13 March
    assert index["month_before_at_ms"] == midnight(date(2026, 2, 13)) // 1_000_000
    assert "alternative.me" in index["attribution"] and index["status"] == "measured"
    assert found["headline"] == "Fear & Greed 20, extreme fear for 4 days; a month before 60, greed"
    figure = figures(found)["sentiment.fear_greed"]
    assert (figure["value"], figure["status"], figure["at"]) == (20.0, "measured", "2026-03-13T12:00:00.000Z")
    assert "alternative.me" in figure["note"]
    assert [band["to"] for band in found["bands"]] == [25, 45, 55, 75, 100]


def test_our_own_index_shows_every_part(client: TestClient) -> None:
    own = asked(client, "sentiment")["own"]
    parts = {part["component"]: part for part in own["parts"]}
    assert set(own["missing"]) == {"skew", "liquidations", "etf_flow", "breadth"} and own["present"] == pytest.approx(0.6)
    assert parts["funding"]["percentile"] == parts["drawdown"]["percentile"] == 50  # every day alike: ties count half
    assert sum(part["contribution"] for part in own["parts"]) == pytest.approx(own["value"])
    assert sum(part["share"] for part in own["parts"]) == pytest.approx(1) and own["status"] == "modelled"
    assert "90 are needed" in parts["etf_flow"]["why_missing"] and "option" in parts["skew"]["why_missing"]
    assert parts["volatility"]["source"] == "volatility_indices/deribit/btc_usd" and parts["volatility"]["history"] >= 360


def test_histories_are_short(client: TestClient) -> None:
    found = asked(client, "sentiment", days=120)
    assert len(found["history"]["ts_ms"]) == 120 and len(found["own_history"]["ts_ms"]) <= 120
    long = asked(client, "sentiment", days=5000)
    assert len(long["own_history"]["ts_ms"]) <= 400 and len(long["history"]["value"]) == 120


def test_old_values_are_stale_and_say_why(client: TestClient) -> None:
    late_at = "2026-03-20T12:00:00Z"
    index = asked(client, "sentiment", at=late_at)["index"]
    assert index["status"] == "stale" and index["evidence"] == "the value of 2026-03-20 is not there"
    assert figures(asked(client, "sentiment", at=late_at))["sentiment.fear_greed"]["status"] == "stale"
    funds = asked(client, "etf-flows", at=late_at)
    assert funds["status"] == "stale" and "BTC lacks" in funds["evidence"]
    levels = asked(client, "macro", at=late_at)["levels"]
    assert {row["series"]: row["status"] for row in levels} == {
        "DGS10": "stale", "DFII10": "stale", "BREAKEVEN10": "stale", "DTWEXBGS": "measured",
    }  # fmt: skip  # the dollar index comes once a week
    assert figures(asked(client, "macro", at=late_at))["macro.DGS10"]["status"] == "stale"


def test_flows_add_up_and_the_month_is_not_called_whole(client: TestClient) -> None:
    found = asked(client, "etf-flows")
    summary = found["summary"]
    march = len(trading_days(date(2026, 3, 1), date(2026, 3, 9)))
    february = len(trading_days(date(2026, 2, 1), date(2026, 2, 28)))
    whole = len(trading_days(date(2025, 12, 31), date(2026, 3, 9)))
    assert (summary["trading_day"], summary["net_flow_usd"], summary["is_provisional"]) == ("2026-03-12", -40e6, True)
    assert (summary["month_to_date_usd"], summary["month_days"]) == (march * 6e6 - 120e6, march + 3)
    assert (summary["last_complete_month"], summary["last_complete_month_usd"]) == ("2026-02", february * 6e6)
    assert summary["cumulative_usd"] == whole * 6e6 - 120e6 == found["daily"]["cumulative_usd"][-1]
    assert found["daily"]["is_provisional"][-2:] == [False, True] and found["daily"]["difference_usd"][-1] == 0
    assert [m["month"] for m in found["months"] if m["is_month_to_date"]] == ["2026-03"]
    assert found["streaks"]["current"] == {
        "direction": "outflow", "first": "2026-03-10", "last": "2026-03-12", "days": 3, "net_flow_usd": -120e6,
    }  # fmt: skip
    months = [r for r in found["records"] if r["period"] == "month"]
    assert [(r["when"], r["direction"], r["of"], r["is_whole"]) for r in months] == [("2026-01", "inflow", 2, True)]
    assert months[0]["words"].startswith("Largest told inflow of a complete month: 120.00 M USD, 2026-01, over 2 complete months")
    assert summary["month_untold_days"] == 0
    assert {f["fund"]: f["net_flow_usd"] for f in found["by_fund"]} == {"AAAA": 10e6, "BBBB": -50e6}
    assert found["recent"]["funds"][1]["net_flow_usd"][-3:] == [-50e6] * 3
    assert "Farside" in found["source"]["attribution"] and "not to be passed on" in found["source"]["terms"]
    assert figures(found)["etf.BTC.net_flow.day"]["note"].startswith("provisional")


def test_a_history_that_begins_within_a_month_knows_no_month_to_date(tmp_path: Path) -> None:
    with served(stored(tmp_path, flows(first=LAST))) as client:
        found = asked(client, "etf-flows")
    untold = len(trading_days(date(2026, 3, 1), date(2026, 3, 11)))
    assert (found["summary"]["month_to_date_usd"], found["summary"]["month_untold_days"]) == (None, untold)
    assert figures(found)["etf.BTC.net_flow.month_to_date"]["status"] == "missing"
    assert found["headline"] == "BTC funds on 2026-03-12: 40.00 M USD left, provisional"
    assert f"2026-03 to date: not known, {untold} of the first {untold + 1} trading days of 2026-03 are not told." in found["words"]
    assert found["records"] and not any("Record" in record["words"] for record in found["records"])


def test_what_was_known_then_stays_what_it_was(client: TestClient) -> None:
    assert asked(client, "etf-flows", as_of=EVENING)["summary"]["net_flow_usd"] == -40e6
    revised = asked(client, "etf-flows", as_of=REVISED)
    assert revised["summary"]["trading_day"] == "2026-03-12"  # what of the 13th was known later had not happened
    assert (revised["summary"]["net_flow_usd"], revised["summary"]["is_provisional"]) == (-20e6, False)
    assert revised["daily"]["is_provisional"][-1] is False and not any(f["is_provisional"] for f in revised["by_fund"])
    assert asked(client, "etf-flows", at=REVISED)["summary"]["trading_day"] == "2026-03-13"
    inputs = [figures(asked(client, "etf-flows", as_of=at))["etf.BTC.net_flow.day"]["inputs_hash"] for at in (EVENING, EVENING, REVISED)]
    assert inputs[0] == inputs[1] != inputs[2]


def test_a_hole_in_the_history_forbids_the_word_record(tmp_path: Path) -> None:
    holed = [row for row in flows() if getattr(row, "trading_day", "") != "2026-02-03"]
    with served(stored(tmp_path, holed)) as client:
        found = asked(client, "etf-flows")
    assert found["summary"]["missing_days"] == ["2026-02-03"] and found["figures"][0]["missing"] == ["2026-02-03"]
    assert found["records"] and not any("Record" in record["words"] for record in found["records"])
    assert any("no record is claimed" in sentence for sentence in found["words"])


def test_levels_are_those_that_were_published(client: TestClient) -> None:
    found = asked(client, "macro")
    levels = {row["series"]: row for row in found["levels"]}
    assert {row["observation_date"] for row in levels.values()} == {"2026-03-11"}  # the 12th comes at 21:00 UTC of the 13th
    made = levels["BREAKEVEN10"]
    assert made["value"] == pytest.approx(levels["DGS10"]["value"] - levels["DFII10"]["value"]) and made["is_ours"]
    assert levels["DFII10"]["value"] == 1.5 and levels["DFII10"]["age_days"] == 2 and levels["DTWEXBGS"]["status"] == "measured"
    assert {row["series"] for row in found["absent"]} == {"SP500", "NASDAQCOM", "VIXCLS"}
    assert "deleverage import" in found["absent"][0]["why"]
    assert asked(client, "macro", at="2026-03-13T21:00:00Z")["levels"][0]["observation_date"] == "2026-03-12"
    assert asked(client, "macro", days=30)["lines"][0]["observation_date"][0] > "2026-02-10"


def test_betas_have_intervals_and_a_verdict(client: TestClient) -> None:
    found = asked(client, "macro")
    rows = {(row["series"], row["n"]): row for row in found["betas"]}
    told = rows["DGS10", 30]
    assert told["beta_low"] <= told["beta"] <= told["beta_high"] and told["verdict"] == "not resolvable"  # it alternates, the coin climbs
    assert "not told from 0" in told["words"] and "by chance" in found["betas_note"]
    assert (
        asked(client, "macro", at="2026-03-13T12:00:00Z", as_of=REVISED)["betas"][0]["end_ms"] > told["end_ms"]
    )  # the 12th is known by then
    flat = next(row for row in found["betas"] if row["series"] == "DFII10")
    assert flat["beta"] is None and flat["words"].endswith("changes.")
    figure = figures(found)["macro.beta.BTC.DGS10.30"]
    assert figure["status"] == "estimated" and figure["interval"] == [told["beta_low"], told["beta_high"]] and figure["level"] == 0.95
    without = asked(client, "macro", base="DOGE")
    assert without["betas"] == [] and without["betas_reason"] == "no prices of DOGE go with them" and without["levels"]


@pytest.mark.parametrize("route", ["etf-flows", "macro", "sentiment"])
def test_nothing_says_why_and_how(nothing: TestClient, route: str) -> None:
    found = asked(nothing, route, at="2026-03-01T00:00:00Z")
    assert found["empty"]["reason"].startswith("no ") and "deleverage import" in found["empty"]["how"]
    (missing, *_) = found["figures"]
    assert missing["value"] is None and missing["status"] == "missing" and missing["note"]


def test_what_became_known_later_is_said(nothing: TestClient) -> None:
    found = asked(nothing, "sentiment", at="2026-03-13T00:30:00Z", as_of="2026-03-11T00:00:00Z")
    assert found["index"] is None and found["empty"]["reason"].startswith("2 rows of")


def test_what_cannot_be_asked(client: TestClient) -> None:
    for route, parameters, status in (
        ("sentiment", {"window": "24h"}, 400), ("sentiment", {"days": 0}, 422), ("etf-flows", {"at": "soon"}, 400),
        ("macro", {"days": "x"}, 422),
    ):  # fmt: skip
        assert client.get(f"/v1/{route}", params=parameters).status_code == status
    assert asked(client, "sentiment", index="another")["index"] is None
    assert asked(client, "etf-flows", source="another")["summary"] is None


def test_lateness_is_told_of_one_series_alone() -> None:
    noon = Scope(instant("2026-03-20T16:00:00Z", 0), 0).at
    assert late("farside", "BTC", "2026-03-19", noon) == "" and late("farside", "BTC", "2026-03-12", noon).startswith("BTC lacks")
    assert late("fred", "DTWEXBGS", "2026-03-12", noon) == "" and late("someone", "DGS10", "1999-01-01", noon) == ""


# --- real history -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def november(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = Folder(tmp_path_factory.mktemp("november"))
    folder.create()
    fund = {"trading_day": "Date", "net_flow_usd": "*"}
    take = [
        ("sentiment_readings", "fear_greed/fng.csv", {"ts_event": "timestamp"}, {},
         {"venue": "alternative.me", "index_name": "fear_and_greed"}, "0s"),
        ("etf_flows", "etf_flows/etf_btc.csv", fund, {"net_flow_usd": "million"}, {"venue": "farside", "base": "BTC"}, "1d"),
        *(
            ("macro_observations", f"fred/{name}.csv", {"observation_date": "date", "value": name}, {},
             {"venue": "fred", "series": name}, "1d") for name in ("DGS10", "DFII10", "DTWEXBGS")
        ),
    ]  # fmt: skip
    for table, file, columns, units, constants, lag in take:
        import_table(folder, shared(file), table, columns=columns, units=units, constants=constants, lag=lag)
    with served(folder.path) as client:
        yield client


def test_the_evening_of_21_november_2025(november: TestClient) -> None:
    at = "2025-11-21T22:00:00Z"
    index = asked(november, "sentiment", at=at)["index"]
    assert (index["value"], index["band"], index["month_before"], index["days_in_band"]) == (14, "extreme fear", 34, 10)
    summary = asked(november, "etf-flows", at=at)["summary"]
    assert (summary["trading_day"], summary["net_flow_usd"], summary["month_to_date_usd"]) == ("2025-11-20", -903.2e6, -3775.3e6)
    assert (summary["outflow_rank"], summary["days"]) == (2, 468)
    assert "Record outflow of a complete month" in asked(november, "etf-flows", at=at)["records"][2]["words"]
    records = {(r["period"], r["direction"]): r for r in asked(november, "etf-flows", at=at)["records"]}
    assert records["month", "outflow"]["when"] == "2025-02"  # November is under way: beyond it, and no record
    levels = {row["series"]: row for row in asked(november, "macro", at=at)["levels"]}
    assert {name: row["value"] for name, row in levels.items()} == pytest.approx(
        {"DGS10": 4.10, "DFII10": 1.86, "BREAKEVEN10": 2.24, "DTWEXBGS": 121.6889}
    )
    assert levels["DGS10"]["month_change"] == pytest.approx(0.10) and levels["DGS10"]["status"] == "measured"
