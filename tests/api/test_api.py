"""The API against the tables and the golden table; one envelope for answers, one for errors; time that can be asked for."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from starlette.testclient import TestClient
from tests import golden
from tests.serving import imported, played, served

from deleverage.api.app import build
from deleverage.api.server import Server
from deleverage.store.folder import Folder


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server over stored golden data."""
    with served(imported(tmp_path_factory.mktemp("golden"), golden.frames())) as client:
        yield client


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that plays the sell-off, paused at its end."""
    with played(tmp_path_factory.mktemp("playing"), "binance-2025-01-26") as (client, _):
        yield client


def data(client: TestClient, route: str, **parameters: object) -> object:
    answer = client.get(f"/v1/{route}", params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_golden_totals(stored: TestClient) -> None:
    rows = {row["venue"]: row for row in data(stored, "liquidations/totals", window="24h", by="venue", as_of=golden.AT)}  # type: ignore[attr-defined]
    assert {venue: (row["long_usd"], row["short_usd"]) for venue, row in rows.items()} == golden.TABLE
    answer = stored.get("/v1/liquidations/totals", params={"as_of": golden.AT}).json()
    assert answer["total"]["total_usd"] == 1_830_970_000.0 and answer["missing"] == ["deribit"]


def test_parts_add_to_the_whole(playing: TestClient) -> None:
    for window in ("1h", "4h", "12h", "24h", "7d"):
        overall = playing.get("/v1/liquidations/totals", params={"window": window}).json()["total"]
        for by in ("venue", "base", "side"):
            rows = data(playing, "liquidations/totals", window=window, by=by)
            for field in ("long_usd", "short_usd", "total_usd", "count"):
                assert round(sum(row[field] for row in rows), 6) == overall[field]  # type: ignore[attr-defined]
        tree = data(playing, "liquidations/treemap", window=window, top=5)
        assert round(sum(i["total_usd"] for i in tree["items"]) + tree["rest"]["total_usd"], 6) == overall["total_usd"]  # type: ignore[index]
        grid = data(playing, "liquidations/heatmap", window=window)
        assert round(sum(v or 0 for row in grid["rows"] for v in row["values"]), 6) == overall["total_usd"]  # type: ignore[index]


def test_the_page_document_says_what_the_routes_say(playing: TestClient) -> None:
    document = data(playing, "now", window="24h", base="BTC")
    assert isinstance(document, dict)
    for tile in document["windows"]:
        total = playing.get("/v1/liquidations/totals", params={"window": tile["window"]}).json()["total"]
        assert {f: tile[f] for f in ("long_usd", "short_usd", "total_usd", "count", "coverage")} == {
            f: total[f] for f in ("long_usd", "short_usd", "total_usd", "count", "coverage")
        }
    assert document["treemap"] == data(playing, "liquidations/treemap", window="24h")
    assert document["heatmap"] == data(playing, "liquidations/heatmap", window="24h")
    assert document["prices"] == data(playing, "prices", base="BTC", window="24h")
    assert document["tape"] == data(playing, "liquidations", limit=60)
    rows = {row["venue"]: row for row in document["venues"]}
    assert len(rows) == 6 and rows["binance"]["total_usd"] == document["windows"][-1]["total_usd"]


def test_what_was_not_recorded_is_null_never_zero(playing: TestClient) -> None:
    document = data(playing, "now")
    assert isinstance(document, dict)
    others = [row for row in document["venues"] if row["venue"] != "binance"]
    assert len(others) == 5
    for row in others:
        assert row["recorded"] is False and row["state"] == "not_recorded"
        assert all(row[f] is None for f in ("long_usd", "short_usd", "total_usd", "count", "share"))
    for row in document["heatmap"]["rows"]:
        seen = [v for v in row["values"] if v is not None]
        assert (seen == []) == (row["venue"] != "binance")
    assert document["windows"][-1]["missing"] == ["bybit", "okx", "htx", "hyperliquid", "deribit"]


def test_a_gap_in_the_recording_is_a_gap_in_the_heatmap(playing: TestClient) -> None:
    grid = data(playing, "liquidations/heatmap", window="7d", at="2025-01-27T18:00:00Z", bucket="30m")
    (row,) = [r for r in grid["rows"] if r["venue"] == "binance"]  # type: ignore[index]
    seen = [i for i, v in enumerate(row["values"]) if v is not None]
    assert 3 <= len(seen) <= 6 and max(b - a for a, b in pairwise(seen)) > 40, "two stretches, a day apart"


def test_time_can_be_asked_for(playing: TestClient) -> None:
    first = data(playing, "liquidations/totals", window="1h", at="2025-01-26T17:14:40Z")
    later = data(playing, "liquidations/totals", window="1h", at="2025-01-26T17:14:40Z", as_of="2025-01-26T16:50:00Z")
    assert first[0]["count"] > later[0]["count"] > 0  # type: ignore[index]


def test_orders_page_through_without_loss(playing: TestClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        answer = playing.get("/v1/liquidations", params={"window": "24h", "limit": 500, **({"cursor": cursor} if cursor else {})}).json()
        seen += [f"{o['ts_ns']} {o['symbol']} {o['quantity']} {o['price']}" for o in answer["data"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 1344 == len(set(seen))


def test_orders_filters(playing: TestClient) -> None:
    rows = data(playing, "liquidations", base="BTC", position_side="long", min_usd=10_000, order="size", limit=50)
    assert rows and all(o["base"] == "BTC" and o["position_side"] == "long" and o["notional_usd"] >= 10_000 for o in rows)  # type: ignore[attr-defined]
    sizes = [o["notional_usd"] for o in rows]  # type: ignore[attr-defined]
    assert sizes == sorted(sizes, reverse=True)


def test_replay_cannot_be_taken_for_live(playing: TestClient, stored: TestClient) -> None:
    for client, mode in ((playing, "playback"), (stored, "stored")):
        for route in ("health", "feeds", "recordings", "liquidations", "liquidations/totals", "liquidations/heatmap", "now", "instruments"):
            answer = client.get(f"/v1/{route}").json()
            assert answer["mode"] == mode and answer["label"]
    health = data(playing, "health")
    assert health["recording"]["provenance"][0]["source"] and health["clock"]["finished"]  # type: ignore[index]


def test_tables_stream_arrow(playing: TestClient) -> None:
    answer = playing.get("/v1/tables/liquidations", params={"start": "2025-01-27", "base": "BTC"})
    table = pa.ipc.open_stream(answer.content).read_all()
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert table.num_rows == 37 and set(table["base"].to_pylist()) == {"BTC"}
    assert playing.get("/v1/tables/liquidations", params={"limit": 2, "format": "json"}).json()["data"][0]["venue"] == "binance"


@pytest.mark.parametrize(
    ("route", "parameters", "status", "words"),
    [
        ("liquidations", {"foo": "1"}, 400, "unknown parameter 'foo'"),
        ("liquidations/totals", {"by": "mood"}, 422, "by"),
        ("liquidations/totals", {"window": "soon"}, 400, "cannot read the duration"),
        ("liquidations/totals", {"at": "yesterday"}, 400, "cannot read the time"),
        ("liquidations", {"limit": "0"}, 422, "limit"),
        ("liquidations", {"cursor": "zzz"}, 400, "cursor"),
        ("liquidations", {"venue": "mtgox"}, 400, "unknown venue 'mtgox'"),
        ("liquidations", {"start": "2025-01-02", "end": "2025-01-01"}, 400, "start is not before end"),
        ("liquidations/heatmap", {"window": "7d", "bucket": "1s"}, 400, "2000 buckets"),
        ("tables/feelings", {}, 400, "unknown table"),
        ("nowhere", {}, 404, "Not Found"),
    ],
)
def test_errors_have_one_shape(playing: TestClient, route: str, parameters: dict[str, str], status: int, words: str) -> None:
    answer = playing.get(f"/v1/{route}", params=parameters)
    error = answer.json()["error"]
    assert answer.status_code == error["status"] == status and words in error["message"] and "\n" not in error["message"]


def test_playback_orders(tmp_path: Path) -> None:
    server = Server(Folder(tmp_path))
    server.open_recording("bybit-2026-10-10", 20)
    with TestClient(build(server)) as client:
        assert client.post("/v1/playback", json={"action": "pause"}).json()["data"]["clock"]["playing"] is False
        clock = client.post("/v1/playback", json={"action": "seek", "to_ms": 1791591000000}).json()["data"]["clock"]
        assert clock["now_ms"] == 1791591000000
        forward = client.get("/v1/liquidations/totals").json()["total"]
        client.post("/v1/playback", json={"action": "seek", "to_ms": 1791594000000})
        back = client.post("/v1/playback", json={"action": "seek", "to_ms": 1791591000000})
        assert back.status_code == 200 and client.get("/v1/liquidations/totals").json()["total"] == forward
        assert (
            client.post("/v1/playback", json={"action": "open", "recording": "okx-2026-08-31"}).json()["data"]["recording"]["name"]
            == "okx-2026-08-31"
        )
        for wrong in (
            {"action": "open", "recording": "nope"},
            {"action": "open"},
            {"action": "speed"},
            {"action": "seek"},
            {"action": "dance"},
        ):
            answer = client.post("/v1/playback", json=wrong)
            assert answer.status_code in (400, 422) and answer.json()["error"]["message"]


def test_stored_data_is_not_played(stored: TestClient) -> None:
    assert "not being played" in stored.post("/v1/playback", json={"action": "play"}).json()["error"]["message"]


def test_stream_sends_the_document_and_orders(tmp_path: Path) -> None:
    server = Server(Folder(tmp_path))
    server.open_recording("binance-2025-01-26", 2000)
    with TestClient(build(server)) as client, client.websocket_connect("/v1/stream?window=1h&base=ETH") as socket:
        kinds = set()
        for _ in range(40):
            message = socket.receive_json()
            kinds.add(message["type"])
            if message["type"] == "now":
                assert message["mode"] == "playback" and message["data"]["window"] == "1h" and message["data"]["base"] == "ETH"
            if kinds == {"now", "orders"}:
                break
        assert kinds == {"now", "orders"}
        socket.send_json({"window": "4h"})
        for _ in range(20):
            message = socket.receive_json()
            if message["type"] == "now" and message["data"]["window"] == "4h":
                break
        else:
            pytest.fail("the view did not change")
        socket.send_text("nonsense")
        assert any(socket.receive_json()["type"] == "error" for _ in range(20))
