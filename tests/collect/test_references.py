"""References are collected by the collector of venues: asked on loopback, journalled, parsed, believed, and counted among no venues."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.references.answers import stored

from deleverage.collect.collector import Collector
from deleverage.collect.ingest import catch_up
from deleverage.collect.polling import Asked
from deleverage.collect.questions import Question
from deleverage.config import CollectSettings, FredSettings, ReferencesSettings, Settings, VenueSettings
from deleverage.events import EtfFlow, Event, FeedState, MacroObservation, SentimentReading
from deleverage.journal.reading import read_frames
from deleverage.references import REFERENCES
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.venues import VENUES

pytestmark = pytest.mark.anyio
ANSWERS = {
    "/api.alternative.me/fng/": "fng_latest.json", "/farside.co.uk/btc/": "farside_btc.html", "/farside.co.uk/eth/": "farside_moved.html",
    "/farside.co.uk/bitcoin-etf-flow-all-data/": "farside_btc.html", "/fred.stlouisfed.org/graph/fredgraph.csv": "fred_new.csv",
    "/farside.co.uk/ethereum-etf-flow-all-data/": "farside_moved.html", "/api.stlouisfed.org/fred/series/observations": "fred_api.json",
}  # fmt: skip


class Site:
    """The references on one loopback port; `refuses` holds hosts that answer 403."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.refuses: set[str] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = head.split()[1]
        self.asked[target] += 1
        path = target.partition("?")[0]
        status, body = (403, b"no") if path.split("/")[1] in self.refuses else (200, stored(ANSWERS[path]))
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture(autouse=True)
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FEAR_GREED", "FARSIDE", "FRED"):
        monkeypatch.delenv(f"DELEVERAGE_REFERENCES__{name}__ENABLED")
    monkeypatch.setattr("deleverage.collect.polling.random.uniform", lambda low, high: low)


@asynccontextmanager
async def collecting(tmp_path: Path, site: Site, events: list[Event], key: str = "", **how: Any) -> AsyncIterator[Collector]:
    async with await asyncio.start_server(site.answer, "127.0.0.1", 0) as server:
        site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        plain = VenueSettings(gateway=site.url, **how)
        settings = Settings(
            data=tmp_path, venues={name: VenueSettings(enabled=False) for name in VENUES}, collect=CollectSettings(kinds=("trades",)),
            references=ReferencesSettings(fear_greed=plain, farside=plain, fred=FredSettings(gateway=site.url, api_key=key, **how)),
        )  # fmt: skip
        folder = Folder(tmp_path)
        folder.create()
        collector = Collector(settings, folder, lock=threading.RLock(), on_events=events.extend)
        task = asyncio.create_task(collector.run())
        try:
            yield collector
        finally:
            collector.stop()
            await task


async def until(test: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not test():
            await asyncio.sleep(0.05)


async def test_answers_are_journalled_parsed_and_believed(tmp_path: Path) -> None:
    site, events = Site(), []  # type: ignore[var-annotated]  # events of any kind
    async with collecting(tmp_path, site, events) as collector:
        await until(lambda: len(collector.references.states) == 3 and sum(site.asked.values()) >= 9)
        status = collector.status()
    assert {type(e) for e in events} == {SentimentReading, EtfFlow, MacroObservation, FeedState}
    assert status.venues == [] and [r.name for r in status.references] == list(REFERENCES)
    # What is constructed is of September 2026 and older: every reference answers, and every one is late.
    assert {r.state for r in status.references} == {"stale"} and "BTC 2026-09-08" in status.references[1].evidence
    assert "alternative.me" in status.references[0].attribution
    frames = list(read_frames(tmp_path / "journal"))
    assert {f.route for f in frames if f.direction == "in"} >= {
        url for r in REFERENCES.values() for url in (*(p.url for p in r.polls), *(h.url for h in r.histories))
    }
    assert {(f.venue, b'"stale"' in f.payload) for f in frames if f.direction == "state"} == {(name, True) for name in REFERENCES}
    assert not any(f.direction == "gap" for f in frames)
    store = DuckStore(None)
    try:
        assert set(catch_up(Folder(tmp_path), store)) == set(REFERENCES)  # the tables come back from the journal
        assert len(store.read("etf_flows", venue="farside", base="BTC")) == 16
        assert store.spans() == []
    finally:
        store.close()


async def test_a_refusal_makes_it_stale_and_keeps_what_was_known(tmp_path: Path) -> None:
    site, events = Site(), []  # type: ignore[var-annotated]  # events of any kind
    site.refuses = {"farside.co.uk"}
    async with collecting(tmp_path, site, events) as collector:
        await until(lambda: "farside" in collector.references.states and collector.references.states["farside"].state == "stale")
        evidence = collector.references.states["farside"].evidence
        await asyncio.sleep(1.0)
        status = collector.status().references[1]
    assert "answered 403" in evidence and "what was known before is kept" in evidence and "403" in status.ban_reason
    assert sum(n for target, n in site.asked.items() if "farside" in target) <= 4  # refused, it waits: two pages, two histories at most


async def test_a_key_asks_the_api_and_is_never_journalled(tmp_path: Path) -> None:
    site, events = Site(), []  # type: ignore[var-annotated]  # events of any kind
    async with collecting(tmp_path, site, events, key="abc123") as collector:
        await until(lambda: len({e.series for e in events if isinstance(e, MacroObservation)}) == 6)
        assert not any("abc123" in str(collector.status().references[2]) for _ in "1")
    asked = [target for target in site.asked if "api.stlouisfed.org" in target]
    assert len(asked) == 6 and all(target.endswith("&api_key=abc123") for target in asked)
    assert not any("fredgraph" in target for target in site.asked)
    assert not any("abc123" in f.route or b"abc123" in f.payload for f in read_frames(tmp_path / "journal"))


async def test_what_is_off_is_not_asked(tmp_path: Path) -> None:
    site, events = Site(), []  # type: ignore[var-annotated]  # events of any kind
    async with collecting(tmp_path, site, events, enabled=False) as collector:
        await asyncio.sleep(1.5)
        assert collector.status().references == []
    assert not site.asked


def test_failures_are_asked_about_ever_less_often_up_to_six_hours() -> None:
    asked = Asked(Question("etf_flows", "https://x", "GET", "", 1.0, lambda now, answer: now), 1800.0, 0.0)
    waits = []
    for asked.row in range(1, 9):
        waits.append(asked.after_failure())
    assert waits == [1800, 3600, 7200, 14400, 21600, 21600, 21600, 21600]
