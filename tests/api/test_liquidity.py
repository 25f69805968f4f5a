"""Liquidity through the API and from Python, on the recorded books of August 2024 and August 2026."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.serving import played

import deleverage
from deleverage.analytics.liquidity import COLUMNS, liquidity
from deleverage.api import liquidity as books
from deleverage.api.anatomy import frame
from deleverage.api.session import PlaybackSession
from deleverage.directory import Directory
from deleverage.when import iso


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, PlaybackSession]]:
    with played(tmp_path_factory.mktemp("books"), "binance-2024-08-08") as found:
        yield found


def asked(client: TestClient, **parameters: object) -> dict[str, Any]:
    answer = client.get("/v1/liquidity", params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]  # type: ignore[no-any-return]


def test_the_answer_is_what_the_rows_say(session: tuple[TestClient, PlaybackSession]) -> None:
    client, playing = session
    found = asked(client, window="5m", buckets=150)
    (venue,) = found["venues"]
    assert (venue["venue"], venue["symbol"]) == ("binance", "BTC/USDT:USDT") and venue["holes"] == 0
    assert len(found["ts_ms"]) <= 151 and found["bucket_ms"] == 2000
    now = playing.clock().now
    rows = frame(playing.store.book_rows("BTC", 0, now, now))
    direct = liquidity(rows, now - 300 * 10**9, now, 2 * 10**9)
    assert venue["series"]["mid"] == direct["mid"].to_list()
    assert venue["series"]["ask_usd"]["0.1"] == direct["ask_usd_10bps"].round(0).to_list()
    assert venue["depth"][0]["ask_usd"] == direct["ask_usd_10bps"][-1]
    assert venue["depth"][3] | {"bid_at_least_usd": 0, "ask_at_least_usd": 0} == {
        "distance_percent": 2.0, "bid_usd": None, "ask_usd": None, "bid_at_least_usd": 0, "ask_at_least_usd": 0,
    }  # fmt: skip
    assert venue["status"].startswith("visible to 0.1")


@pytest.mark.parametrize(("side", "hit"), [("long", "bid"), ("short", "ask")])
def test_what_a_named_stretch_took_is_told_alone(session: tuple[TestClient, PlaybackSession], side: str, hit: str) -> None:
    client, playing = session
    now = playing.clock().now
    start, end = now - 180 * 10**9, now - 60 * 10**9
    found = asked(client, window="5m", buckets=300, wave_start=iso(start), wave_end=iso(end), wave_side=side)
    (wave,) = found["waves"]
    assert (wave["start_ms"], wave["end_ms"], wave["side"]) == (start // 10**6, end // 10**6, hit)
    series = found["venues"][0]["series"][f"{hit}_usd"]
    near = [k for k, ts in enumerate(found["ts_ms"]) if start // 10**6 - 60_000 <= ts <= end // 10**6]
    if all(sum(depth[k] is None for k in near) > 0.1 * len(near) for depth in series.values()):
        assert wave["contracts"] == [], "what was not seen is not told"
        return
    (taken,) = wave["contracts"]
    of_time = list(zip(found["ts_ms"], series[f"{taken['distance_percent']:g}"], strict=True))
    before = [usd for ts, usd in of_time if start // 10**6 - 60_000 < ts <= start // 10**6 and usd is not None]
    during = [usd for ts, usd in of_time if start // 10**6 < ts <= end // 10**6 and usd is not None]
    assert taken["before_usd"] == pytest.approx(statistics.median(before), abs=1)
    assert taken["least_usd"] == pytest.approx(min(during), abs=1)
    assert taken["consumed_usd"] == pytest.approx(max(statistics.median(before) - min(during), 0), abs=2)
    assert client.get("/v1/liquidity", params={"wave_start": iso(end), "wave_end": iso(start)}).status_code == 400


def test_the_map_and_the_walls_are_of_one_contract(session: tuple[TestClient, PlaybackSession]) -> None:
    client, _ = session
    found = asked(client, window="5m")
    heat = found["heatmap"]
    cells = heat["usd"]
    assert len(cells) == len(heat["ts_ms"]) == len(heat["mid"]) and len(cells[0]) == len(heat["price_edges"]) - 1 <= 120
    assert any(cell is None for cell in cells[0]) and any(cell for cell in cells[-1])
    largest = found["walls"][0]
    assert largest["side"] == "ask" and largest["price"] == 61_800.0 and largest["usd"] > 30e6  # 502 coins, in the frames themselves
    assert {wall["kind"] for wall in found["walls"]} == {"flickering", "unresolved"}  # nothing can stand ten minutes in six
    assert any(wall["cancel_to_trade"] is not None for wall in found["walls"])
    assert asked(client, window="5m", symbol="BTC/USDC:USDC")["heatmap"] is None


def test_pieces_give_what_one_reading_gives(session: tuple[TestClient, PlaybackSession], monkeypatch: pytest.MonkeyPatch) -> None:
    client, playing = session
    whole = asked(client, window="4m")
    monkeypatch.setattr(books, "PIECE", 60 * 10**9)
    assert asked(client, window="4m")["venues"][0]["series"] == whole["venues"][0]["series"]  # more pieces
    now = playing.clock().now
    assert len(books._KEPT[playing.store])  # books stand ready where the pieces ended
    later = asked(client, window="2m", buckets=120)["venues"][0]["series"]
    rows = frame(playing.store.book_rows("BTC", 0, now, now))
    direct = liquidity(rows, now - 120 * 10**9, now, 10**9)
    assert later["mid"] == direct["mid"].to_list()
    assert len(COLUMNS) + 3 == direct.width


def test_what_cannot_be_answered(session: tuple[TestClient, PlaybackSession]) -> None:
    client, _ = session
    assert asked(client, window="24h")["is_cut"] and asked(client, base="DOGE")["venues"] == []
    assert asked(client, base="DOGE", venue="okx")["reason"] == "no order book of DOGE on okx was told in this window"
    assert asked(client, window="5m")["reason"] == ""
    assert "no book of BTC/USDC:USDC was known" in asked(client, window="5m", symbol="BTC/USDC:USDC")["reason"]
    nobody = client.get("/v1/liquidity", params={"venue": "nobody"})
    assert nobody.status_code == 400 and "unknown venue 'nobody'" in nobody.json()["error"]["message"]
    assert client.get("/v1/liquidity", params={"buckets": 5}).status_code == 422
    assert client.get("/v1/liquidity", params={"depth": 5}).status_code == 400


def test_from_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.cli.test_cli import run

    run(capsys, "replay", "bybit-2026-08-09", "--data", str(tmp_path / "d"))
    with deleverage.open(tmp_path / "d") as directory:
        assert isinstance(directory, Directory)
        found = directory.liquidity("1m", "SOL", at="2026-08-09T21:27:40Z", as_of="now")
    (venue,) = found["venues"]
    assert venue["venue"] == "bybit" and venue["known_share"] > 0.5
    known = [usd for usd in venue["series"]["bid_usd"]["2"] if usd is not None]
    assert known and np.median(known) > 1e6
