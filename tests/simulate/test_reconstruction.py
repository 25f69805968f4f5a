"""The reconstructed day: published totals met, real prices kept, books that balance, frames that parse, and never taken for recorded."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient
from tests.cli.test_cli import run

from deleverage.api.app import build
from deleverage.api.server import Server
from deleverage.collect.ingest import import_frames
from deleverage.collect.pipeline import Pipeline
from deleverage.events import EtfFlow, Event, MacroObservation, SentimentReading
from deleverage.journal.frame import Frame
from deleverage.reader import Reader, open_reader
from deleverage.simulate.reconstruction import facts, frames, options
from deleverage.simulate.reconstruction.facts import AT, HOUR, LOW, RECORDED, SECOND, START, hours
from deleverage.simulate.reconstruction.positions import first_crossing, liquidation_price
from deleverage.simulate.reconstruction.world import MINUTES, World, make
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder

SCALE = 0.1


@pytest.fixture(scope="module")
def world() -> World:
    return make(7, SCALE)


@pytest.fixture(scope="module")
def first_hours(world: World) -> list[Frame]:
    return list(islice(frames.frames(world), 25_000))


def printed(world: World) -> pl.DataFrame:
    return world.market.orders.filter(pl.col("is_printed") & (pl.col("ts") >= AT - 24 * HOUR) & (pl.col("ts") < AT))


@pytest.mark.parametrize(("seed", "scale"), [(7, SCALE), (20251121, 1.0)])
def test_what_feeds_would_have_shown_adds_to_what_was_published(seed: int, scale: float) -> None:
    orders = printed(make(seed, scale))
    for venue, target in facts.VENUES.items():
        own = orders.filter(pl.col("venue") == venue)
        assert own.filter("is_long")["usd"].sum() == pytest.approx(target.long * 1e6, rel=0.005), venue
        assert own.filter(~pl.col("is_long"))["usd"].sum() == pytest.approx(target.short * 1e6, rel=0.005), venue
    for coin, target_usd in (("BTC", 1010.0), ("ETH", 423.0), ("SOL", 100.0)):
        assert orders.filter(pl.col("coin") == coin)["usd"].sum() == pytest.approx(target_usd * 1e6, rel=0.005)
    assert orders.filter("is_long")["usd"].sum() == pytest.approx(1.86e9, rel=0.005)
    assert orders.filter(~pl.col("is_long"))["usd"].sum() == pytest.approx(140.2e6, rel=0.005)


def test_throttled_venues_hide_orders_and_full_ones_none(world: World) -> None:
    orders = world.market.orders
    share = dict(orders.group_by("venue").agg(pl.col("is_printed").mean()).iter_rows())
    assert share["binance"] < 0.9 and share["okx"] < 0.95
    assert all(share[venue] == 1.0 for venue in ("bybit", "htx", "hyperliquid", "deribit"))
    shown = orders.filter((pl.col("venue") == "binance") & pl.col("is_printed"))
    assert not shown.select(pl.col("coin"), pl.col("ts") // SECOND).is_duplicated().any(), "one a contract and second"


def test_hours_are_the_recorded_ones(world: World) -> None:
    for coin in RECORDED:
        for venue in ("binance", "bybit"):
            path = world.market.lasts[venue, coin]
            rows = hours(venue, coin, START, START + 48 * HOUR)
            by_hour = np.concatenate([path[:-1].reshape(48, 3600), path[3600::3600, None]], axis=1)
            assert by_hour[:, :-1].max(axis=1) == pytest.approx(np.maximum(rows["h"].to_numpy(), by_hour[:, 0]), rel=1e-9)
            assert by_hour[:, 1:].min(axis=1) == pytest.approx(rows["l"].to_numpy(), rel=1e-9)
            assert path[3600::3600] == pytest.approx(rows["c"].to_numpy(), rel=1e-9)
    btc = world.market.lasts["binance", "BTC"]
    assert int(np.argmin(btc)) * SECOND + START == LOW[0] and btc.min() == pytest.approx(80_600)


def test_longs_and_shorts_are_equal_and_open_interest_is_what_is_held(world: World) -> None:
    for key, ledger in world.ledgers.items():
        held = world.market.positions[key]
        out = np.where(held.forced >= 0, held.forced, held.left)
        for minute in (0, 700, 1900, MINUTES):
            open_now = (held.entered <= 60 * minute) & (out > 60 * minute)
            open_now |= (held.entered > 60 * (minute - 1)) & (held.entered <= 60 * minute) & (out > 60 * minute)
            assert held.size[open_now & held.is_long].sum() == pytest.approx(ledger.long[minute], rel=1e-6, abs=1e-6), key
        longs = ledger.passive + ledger.long + np.maximum(ledger.house, 0)
        shorts = ledger.passive + ledger.short + np.maximum(-ledger.house, 0)
        assert longs == pytest.approx(shorts) and ledger.open_interest == pytest.approx(longs)


def test_a_forced_position_is_as_large_as_its_orders_and_taker_flow_holds_them(world: World) -> None:
    for key, held in world.market.positions.items():
        own = world.market.orders.filter((pl.col("venue") == key[0]) & (pl.col("coin") == key[1]))
        sizes = own.group_by("account").agg(pl.col("size").sum())
        assert held.size[sizes["account"].to_numpy()] == pytest.approx(sizes["size"].to_numpy())
        assert (held.forced[sizes["account"].to_numpy()] >= 0).all()
        minute = ((own["ts"].to_numpy() - START) // (60 * SECOND)).clip(0, MINUTES - 1)
        sold = np.bincount(minute, own["size"].to_numpy() * own["is_long"].to_numpy(), MINUTES)
        assert (world.flows[key].sell >= sold - 1e-9).all()


def test_liquidation_prices_and_crossings() -> None:
    # specs: E 90,000, 10x, m 0.4 %: long 81,325.3012; m 0.5 % deducts nothing here
    price = liquidation_price(np.array([90_000.0]), np.array([10.0]), np.array([0.004]), np.array([1.0]))
    assert price[0] == pytest.approx(81_325.3012, rel=1e-8)
    mark = np.array([100.0, 99.0, 97.0, 98.0, 95.0, 103.0, 104.0])
    ends = np.array([[mark.min()], [mark.max()]])
    found = first_crossing(
        mark, ends, np.array([97.0, 96.0, 90.0, 103.5, 97.0]), np.array([True, True, True, False, True]), np.array([0, 0, 0, 0, 2]),
        np.array([6, 6, 6, 6, 6]), np.array([True, True, True, True, True]),
    )  # fmt: skip
    assert found.tolist() == [2, 4, -1, 6, 4]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path, first_hours: list[Frame]) -> None:
    again = list(islice(frames.frames(make(7, SCALE)), 25_000))
    assert again == first_hours
    assert list(islice(frames.frames(make(8, SCALE)), 2_000)) != first_hours[:2_000]


def test_every_frame_parses_and_the_first_says_what_this_is(first_hours: list[Frame]) -> None:
    kinds: Counter[tuple[str, str]] = Counter()
    pipeline = Pipeline(lambda events: kinds.update((event.venue, type(event).__name__) for event in events))
    for frame in first_hours:
        pipeline.feed(frame)
    tally = pipeline.finish()
    assert tally.errors == tally.unknown == 0, dict(pipeline.tally.by_channel)
    assert [f.direction for f in first_hours[:1]] == ["mark"] and first_hours[0].payload.startswith(b"reconstruction 2025-11-20T00:00")
    assert first_hours == sorted(first_hours, key=lambda frame: frame.ts_recv)
    for venue in facts.TARGETS:
        assert {"Instrument", "MarkPrice", "OpenInterest", "Candle", "BookDepth"} <= {kind for name, kind in kinds if name == venue}, venue
    assert {venue for venue, kind in kinds if kind == "FundingRate"} >= {"binance", "bybit", "okx", "htx", "hyperliquid"}
    assert kinds["deribit", "OptionQuote"] > 1000 and kinds["deribit", "VolatilityIndex"] > 10


def test_the_outside_world_is_told_as_it_was_known(world: World) -> None:
    found: list[Event] = []
    pipeline = Pipeline(found.extend)
    for frame in frames._outside():
        pipeline.feed(frame)
    assert pipeline.finish().errors == 0
    words = {e.ts_event: (e.value, e.classification) for e in found if isinstance(e, SentimentReading)}
    assert words[START] == (11, "Extreme Fear") and words[START + 24 * HOUR] == (14, "Extreme Fear")
    known = {(e.series, e.observation_date): e for e in found if isinstance(e, MacroObservation)}
    assert known["DGS10", "2025-11-19"].value == 4.13 and known["DGS10", "2025-11-19"].ts_recv > START + 20 * HOUR
    assert [(e.fund, e.net_flow_usd) for e in found if isinstance(e, EtfFlow)] == [("ALL", -903e6), ("TOTAL", -903e6)]


def test_the_chain_agrees_with_the_published_index(world: World) -> None:
    from deleverage.analytics.options import chain, volatility_index
    from deleverage.events import OptionQuote
    from deleverage.store.columns import to_arrow

    store: list[OptionQuote] = []
    pipeline = Pipeline(lambda events: store.extend(e for e in events if isinstance(e, OptionQuote)))
    at = START + 24 * HOUR
    for ts, (route, message) in ((START, options.listing(START)), (at, options.chain(world, at))):
        pipeline.feed(Frame(ts, "deribit", route, json.dumps(message).encode()))
    quotes = pl.from_arrow(to_arrow(store))
    assert isinstance(quotes, pl.DataFrame)
    made = chain.build(quotes, at + SECOND, venue="deribit", base="BTC")
    found = volatility_index.from_chain(made)
    assert found.points == pytest.approx(54.7, rel=0.03), "the close of the 20th was 54.7; ticks and spreads are in the chain"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, first_hours: list[Frame]) -> Iterator[TestClient]:
    folder = Folder(tmp_path_factory.mktemp("reconstructed"))
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, first_hours)
    store.close()
    server = Server(folder)
    server.open_stored()
    with TestClient(build(server)) as client:
        yield client


def statuses(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "status" and isinstance(inner, str):
                yield inner
            yield from statuses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statuses(inner)


@pytest.mark.parametrize("route", ["now", "liquidations/totals", "liquidations", "waves", "ladder", "flow", "prices", "liquidity"])
def test_no_answer_calls_it_measured(served: TestClient, route: str) -> None:
    when = "2025-11-20T03:00:00Z"
    answer = served.get(f"/v1/{route}", params={"at": when, "as_of": when}).json()
    assert answer["is_reconstruction"] is True
    assert not {"measured", "estimated"} & set(statuses(answer))
    if route == "now":
        assert answer["data"]["headline"].startswith("Reconstructed, not recorded")
    later = served.get(f"/v1/{route}", params={"at": "2025-11-27T00:00:00Z", "as_of": "2025-11-27T00:00:00Z", "window": "1h"}).json()
    assert later["is_reconstruction"] is False, "outside the stretch nothing was made"


def test_before_any_answer_it_is_known_which_time_was_made(served: TestClient) -> None:
    low, high = served.get("/v1/health").json()["data"]["reconstructed"][0]
    assert low * 10**6 == START and high > low


def test_tables_say_so_too(served: TestClient) -> None:
    assert "not recorded" in served.get("/v1/tables/liquidations").headers["x-deleverage-reconstruction"]
    rows = served.get("/v1/tables/venue_statuses", params={"format": "json"}).json()
    assert {row["status"] for row in rows["data"]} == {"reconstruction"} and len(rows["data"]) == 6


def test_the_command_says_what_would_be_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (("simulate",), "say a day"), (("simulate", "2025-11-22"), "there is 2025-11-21"),
        (("simulate", "2025-11-21", "-o", str(tmp_path / "day.csv")), "ends in .parquet"),
        (("simulate", "2025-11-21", "--serve", "x"), "say a day"),
    ):  # fmt: skip
        code, _, err = run(capsys, *words)
        assert code == 2 and said in err and "\n" not in err.strip()


def test_it_is_written_read_and_called_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "day.parquet"
    code, out, _ = run(capsys, "simulate", "2025-11-21", "--seed", "7", "--scale", "0.05", "-o", str(file))
    assert code == 0 and "not recorded events" in out
    code, out, _ = run(capsys, "replay", str(file), "--data", str(tmp_path / "data"))
    assert code == 0 and "0 errors" not in out
    code, out, err = run(
        capsys, "liquidations", "--at", "2025-11-21T15:00:00Z", "--as-of", "now", "--data", str(tmp_path / "data"), "--format", "json"
    )
    assert code == 0 and "reconstruction" in err
    totals = {row["venue"]: row["total_usd"] for row in json.loads(out)}
    assert totals["bybit"] == pytest.approx(629.11e6, rel=0.005) and totals["hyperliquid"] == pytest.approx(628.82e6, rel=0.005)
    with open_reader(tmp_path / "data", Reader) as reader:
        assert reader.is_reconstruction
        quotes = reader.option_quotes(start="2025-11-21T07:00:00Z", end="2025-11-21T07:10:00Z")
        assert quotes.height > 500
    # a part of the frames carries the mark too, whatever is left of them
    for part in (("--venue", "farside"), ("--start", "2025-11-21T14:59:00Z"), ("--venue", "okx", "--start", "2025-11-21T23:00:00Z")):
        code, _, err = run(capsys, "export", "raw", *part, "-o", str(tmp_path / "part.jsonl"), "--data", str(tmp_path / "data"))
        lines = (tmp_path / "part.jsonl").read_text().splitlines()
        assert code == 0 and "not recorded events" in err and '"reconstruction 2025-11-20' in lines[0] and len(lines) > 1
        run(capsys, "import", "raw", str(tmp_path / "part.jsonl"), "--data", str(tmp_path / part[1]))
        with open_reader(tmp_path / part[1], Reader) as reader:
            assert reader.is_reconstruction
