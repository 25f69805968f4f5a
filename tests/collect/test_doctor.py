"""The doctor finds what is wrong, says it in words, and says what to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest

from deleverage.collect import doctor
from deleverage.collect.doctor import answering, examine, exit_code
from deleverage.config import JournalSettings, Settings, VenueSettings
from deleverage.journal.frame import Frame
from deleverage.simulate.faults import Fault
from deleverage.simulate.venue_server import VenueServer, recorded
from deleverage.venues import VENUES

pytestmark = pytest.mark.anyio


@cache
def frames() -> tuple[Frame, ...]:
    return tuple(recorded(["binance-2025-01-26", "bybit-2026-10-10"]))


def only(venue: str, **how: object) -> dict[str, VenueSettings]:
    return {name: VenueSettings(**({"enabled": name == venue} | (how if name == venue else {}))) for name in VENUES}  # type: ignore[arg-type]


@asynccontextmanager
async def listening(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_healthy(tmp_path: Path) -> None:
    async with VenueServer(frames()) as server:
        settings = Settings(data=tmp_path, venues=only("binance", gateway=server.gateway))
        assert await answering(settings) == {"binance": ""}
        found = await examine(settings)
    assert exit_code(found) == 0, [f for f in found if not f.ok]
    assert {f.step for f in found} >= {"disk", "reach", "clock", "contracts", "socket /market/stream"}


async def test_a_route_that_acknowledges_and_stays_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "STEP", 2.0)
    async with VenueServer(frames(), faults=[Fault("wrong_route", venue="binance")]) as server:
        found = await examine(Settings(data=tmp_path, venues=only("binance", gateway=server.gateway)))
    bad = [f for f in found if not f.ok]
    assert bad and exit_code(found) == 1 and "acknowledged, and nothing came" in bad[0].words and "April 2026" in bad[0].advice


@pytest.mark.parametrize(("kind", "words"), [("status_403", "refused"), ("status_429", "too many")])
async def test_refused(tmp_path: Path, kind: str, words: str) -> None:
    async with VenueServer(frames(), faults=[Fault(kind, venue="okx")]) as server:  # type: ignore[arg-type]
        settings = Settings(data=tmp_path, venues=only("okx", gateway=server.gateway))
        found = await examine(settings)
        assert "answered 4" in (await answering(settings))["okx"]
    bad = next(f for f in found if not f.ok)
    assert bad.step == "question" and words in bad.advice


async def test_a_clock_that_is_off(tmp_path: Path) -> None:
    async with VenueServer(frames(), faults=[Fault("clock_skew", venue="binance", amount=-30)]) as server:
        found = await examine(Settings(data=tmp_path, venues=only("binance", gateway=server.gateway)))
    bad = next(f for f in found if f.step == "clock")
    assert not bad.ok and "-30" in bad.words


async def test_nothing_listens(tmp_path: Path) -> None:
    found = await examine(Settings(data=tmp_path, venues=only("htx", gateway="http://127.0.0.1:1")))
    bad = next(f for f in found if not f.ok)
    assert bad.step == "TCP" and "hbdm.vn" in bad.advice


async def test_a_name_nobody_knows(tmp_path: Path) -> None:
    found = await examine(Settings(data=tmp_path, venues=only("okx", hosts={"www.okx.com": "nowhere.invalid"})))
    bad = next(f for f in found if not f.ok)
    assert bad.step == "name" and "nowhere.invalid" in bad.words and "proxy" in bad.advice


async def test_an_answer_that_never_comes(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        await asyncio.sleep(1.0)
        writer.close()
        await writer.wait_closed()

    async with listening(silent) as url:
        found = await answering(Settings(data=tmp_path, venues=only("okx", gateway=url)), timeout=0.5)
        await asyncio.sleep(1.0)
    assert "did not answer within" in found["okx"]


async def test_an_answer_that_is_no_time(tmp_path: Path) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with listening(nonsense) as url:
        found = await answering(Settings(data=tmp_path, venues=only("okx", gateway=url)), timeout=2)
    assert "no time" in found["okx"]


async def test_a_disk_that_is_too_full(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, venues=only("okx", gateway="http://127.0.0.1:1"), journal=JournalSettings(least_free_gb=1e9))
    assert not next(f for f in await examine(settings) if f.step == "disk").ok
