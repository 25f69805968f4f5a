"""Estimates, waves, ladder and flow through the API, on the recorded sell-off of January 2025 and on native frames of six venues."""

import time
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient
from tests import golden
from tests.api.test_api import data, playing, stored

from deleverage.analytics.waves import SECOND, Around
from deleverage.api.anatomy import Material, Prices, Truth, day, ladder_rows, read
from deleverage.api.session import PlaybackSession
from deleverage.live import LONGEST

__all__ = ["playing", "stored"]


def test_totals_have_an_estimate_that_never_changes_what_was_seen(playing: TestClient) -> None:
    answer = playing.get("/v1/liquidations/totals", params={"window": "24h"}).json()
    bare = playing.get("/v1/liquidations/totals", params={"window": "24h", "estimate": "false"}).json()
    (row,) = answer["data"]
    estimate = row["estimate"]
    assert row["total_usd"] == bare["data"][0]["total_usd"] and "estimate" not in bare["data"][0]
    assert estimate["observed_usd"] == pytest.approx(row["total_usd"], abs=1e-3)
    assert row["interval"][0] >= row["total_usd"] - 1e-3
    assert row["interval"][0] <= estimate["estimate_usd"] <= row["interval"][1]
    assert row["status"] == "estimated" and "latest per second" in estimate["method"]
    assert 0 < estimate["seconds_at_cap"] <= row["count"]
    assert answer["total"]["peak_minute_usd"] > 0 and 0 < answer["total"]["gini"] < 1
    corrected = row["long_share_corrected"]
    assert corrected["low"] <= corrected["corrected"] <= corrected["high"]
    assert corrected["cap_points"] == pytest.approx(100 * (corrected["corrected"] - corrected["raw"]))


def test_golden_venues_are_measured_estimated_or_open_by_their_rule(stored: TestClient) -> None:
    rows = {row["venue"]: row for row in data(stored, "liquidations/totals", as_of=golden.AT)}  # type: ignore[attr-defined]
    assert rows["bybit"]["status"] == "measured"
    assert rows["bybit"]["interval"] == pytest.approx([rows["bybit"]["total_usd"]] * 2)
    for venue, row in rows.items():
        throttled = row["coverage_rule"] not in ("full", "presumed_full")
        assert row["status"] in (("estimated", "floor") if throttled else ("measured",)), venue
    assert rows["binance"]["interval"][0] >= rows["binance"]["total_usd"] - 1


def test_totals_break_down_by_several_keys_and_add_up(playing: TestClient) -> None:
    whole = data(playing, "liquidations/totals", window="24h")[0]["total_usd"]  # type: ignore[index]
    for by in ("size", "venue,side", "base,size", "venue,base,side,size"):
        rows = data(playing, "liquidations/totals", window="24h", by=by)
        assert sum(round(row["total_usd"] * 1e6) for row in rows) == round(whole * 1e6)  # type: ignore[attr-defined]
        assert all(set(by.split(",")) <= set(row) for row in rows)  # type: ignore[attr-defined]
    assert playing.get("/v1/liquidations/totals", params={"by": "mood"}).status_code == 422


def test_the_sell_off_has_two_waves(playing: TestClient) -> None:
    rows = data(playing, "waves", window="24h")
    assert [row["number"] for row in rows] == [1, 2]  # type: ignore[attr-defined]
    first, second = rows  # type: ignore[misc]
    assert first["end_ms"] < second["start_ms"]
    assert first["long_usd"] > 10 * first["short_usd"]
    assert first["venues"][0]["name"] == "binance" and first["bases"][0]["lag_seconds"] == 0
    assert first["price"]["base"] == "BTC" and first["price"]["change"] < 0
    assert first["open_interest_removed"] is None and first["taker_sell_usd"] is None
    assert first["branching_low"] < first["branching"] < first["branching_high"]
    assert first["ended"].startswith("forced orders ceased")
    assert data(playing, "waves", window="24h", scale="hours") != rows


def test_a_wave_in_progress_is_told_at_its_time(playing: TestClient) -> None:
    rows = data(playing, "waves", window="24h", as_of="2025-01-27T16:54:00Z")
    assert rows[-1]["is_open"] and rows[-1]["ended"] == "in progress"  # type: ignore[index]


def test_ladder_and_flow_say_what_they_cannot(playing: TestClient) -> None:
    rungs = {row["base"]: row for row in data(playing, "ladder", window="24h")}  # type: ignore[attr-defined]
    assert rungs["BTC"]["verdict"] == "together" and rungs["BTC"]["t10"] <= rungs["BTC"]["t50"]
    assert rungs["FIL"]["verdict"] == "not resolvable"
    flow = data(playing, "flow", window="24h")
    assert flow == {"base": "BTC", "venues": [], "without_trades": ["binance"]}


def test_prices_tell_who_led_where_they_are_known() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(0, 3600, 0.5)
    walk = np.cumsum(0.0003 * rng.normal(size=len(t))) - t * 1e-5
    eth = np.concatenate([np.full(4, walk[0]), walk[:-4]]) * 1.5  # two seconds behind
    prices = Prices("bybit", "trade", {"BTC": (t, walk), "ETH": (t, eth)}, {"ETH": 5e9})
    orders = pl.DataFrame({
        "ts_event": (rng.uniform(0, 3600, 80) * SECOND).astype(np.int64), "venue": "bybit", "notional_usd": 1e5,
        "base": ["BTC", "ETH"] * 40, "position_side": "long",
    })  # fmt: skip
    material = Material(0, 3600 * SECOND, 3600 * SECOND, orders, Around(), {})
    rows = {row["base"]: row for row in ladder_rows(material, "BTC", prices)}
    assert rows["ETH"]["price_lead"]["verdict"] == "leads"
    assert rows["ETH"]["price_lead"]["lag_seconds"] == pytest.approx(2)
    assert rows["ETH"]["elasticity"] == pytest.approx(4e6 / 5e9 / (100 * -np.expm1(walk[-1] - walk[0])))
    assert rows["BTC"]["price_lead"] is None
    assert {row["price_lead"] for row in ladder_rows(material, "BTC", None)} == {None}


def test_the_first_page_comes_to_hold_estimates_and_waves(playing: TestClient) -> None:
    for _ in range(100):
        document = data(playing, "now", window="24h")
        if document["waves"]:  # type: ignore[index,call-overload]
            break
        time.sleep(0.1)
    tile = document["windows"][-1]  # type: ignore[index,call-overload]
    assert tile["estimate"]["estimate_usd"] > tile["total_usd"]
    assert "2 waves; the last ended" in document["headline"]  # type: ignore[index,call-overload]
    past = data(playing, "now", window="24h", at="2025-01-27T17:00:00Z")
    assert len(past["waves"]) == 1 and "One wave" in past["headline"]  # type: ignore[index,call-overload,arg-type]


@pytest.fixture
def session() -> Iterator[PlaybackSession]:
    from deleverage.journal.interchange import read_source
    from deleverage.recordings import recording_named

    recording = recording_named("bybit-2026-10-10")
    extent = (recording.stretches[0][0], recording.stretches[-1][1])
    played = PlaybackSession(
        lambda: read_source(recording.path), "b", recording, speed=1.0, extent=extent, stretches=list(recording.stretches)
    )
    played.control(playing=False, to=extent[1] + 1)
    yield played
    played.close()


def test_truth_is_read_once_and_again_only_when_time_has_moved(session: PlaybackSession) -> None:
    truth, now = Truth(session), session.now()
    assert truth.latest(now) is None
    truth.join()
    found = truth.latest(now)
    assert found is not None and found["at"] == truth.at == now
    assert truth.latest(now) is found
    assert truth.latest(now - 1) is None
    again = day(read(session, now - LONGEST, now, now))
    assert again["windows"] == found["windows"]
    assert found["windows"]["24h"]["all"]["estimate"]["status"] == "measured"


def test_a_reading_that_fails_is_said_and_not_asked_for_again_at_once(
    session: PlaybackSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(material: Material) -> dict[str, object]:
        raise ZeroDivisionError("no slots")

    monkeypatch.setattr("deleverage.api.anatomy.day", broken)
    truth = Truth(session)
    assert truth.latest(session.now()) is None
    truth.join()
    assert truth.latest(session.now()) is None and truth.at == 0
    assert "estimates could not be worked out" in capsys.readouterr().err
