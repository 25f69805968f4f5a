"""Figures and the report through the API: the same objects and bytes as the library's; wrong questions are one line."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient
from tests import golden

from deleverage.api.app import build
from deleverage.api.server import Server
from deleverage.api.session import StoredSession
from deleverage.collect.ingest import import_frames
from deleverage.config import ReportSettings
from deleverage.errors import ConfigError
from deleverage.figure import Figure
from deleverage.report.compose import compose
from deleverage.report.figures import figures
from deleverage.report.reading import read
from deleverage.report.render import render
from deleverage.report.schedule import Schedule, named, write
from deleverage.report.verify import verify
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.when import UNITS

HOUR = UNITS["h"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("golden"))
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, golden.frames())
    store.close()
    return folder


@pytest.fixture(scope="module")
def client(folder: Folder) -> Iterator[TestClient]:
    server = Server(folder)
    server.open_stored()
    with TestClient(build(server)) as client:
        yield client


THEN = {"at": golden.AT}


def test_figures_are_those_of_the_library(client: TestClient) -> None:
    answer = client.get("/v1/figures", params=THEN).json()
    session = client.app.state.server.session  # type: ignore[attr-defined]  # the application's own
    mine = figures(read(session, golden.END, golden.END, 24 * HOUR))
    assert msgspec.convert(answer["data"], list[Figure]) == list(mine.values())
    assert answer["missing"] == ["deribit"]


def test_the_rows_of_a_figure_can_be_asked_for(client: TestClient) -> None:
    rows = client.get("/v1/figures", params=THEN).json()["data"]
    figure = next(row for row in rows if row["name"] == "liquidations.venue.okx.24h")
    found = client.get(f"/v1/tables/{figure['sources'][0]}&format=json").json()["data"]
    assert sum(row["notional_usd"] for row in found) == pytest.approx(figure["value"]) and len(found) == 2 * golden.PARTS


@pytest.mark.parametrize("form, kind", [
    ("html", "text/html"), ("md", "text/markdown"), ("json", "application/json"), ("pdf", "application/pdf"), ("fragment", "text/html"),
])  # fmt: skip
def test_a_report_is_the_bytes_of_the_library(client: TestClient, form: str, kind: str) -> None:
    answer = client.get("/v1/report", params={**THEN, "format": form})
    session = client.app.state.server.session  # type: ignore[attr-defined]
    mine = render(compose(read(session, golden.END, golden.END, 24 * HOUR)), form)  # type: ignore[arg-type]
    assert answer.status_code == 200 and answer.content == mine and answer.headers["content-type"].startswith(kind)
    assert named(golden.END, form) in answer.headers["content-disposition"]


def test_the_data_pack_verifies(client: TestClient, tmp_path: Path) -> None:
    file = tmp_path / "report.zip"
    file.write_bytes(client.get("/v1/report", params={**THEN, "format": "zip"}).content)
    assert verify(file).differences == ()


@pytest.mark.parametrize("question, status", [
    ({"format": "doc"}, 422), ({"window": "soon"}, 400), ({"at": "then"}, 400), ({"colour": "red"}, 400), ({"base": "B" * 50}, 422),
])  # fmt: skip
def test_wrong_questions_are_one_line(client: TestClient, question: dict[str, str], status: int) -> None:
    answer = client.get("/v1/report", params=question)
    assert answer.status_code == status and "\n" not in answer.json()["error"]["message"]


def test_a_coin_nobody_knows_is_a_report_of_what_is_not_known(client: TestClient) -> None:
    answer = client.get("/v1/report", params={**THEN, "base": "<b>&\"'", "format": "html"})
    assert answer.status_code == 200 and "<b>&\"'" not in answer.text.replace("&lt;", "")


def test_a_schedule_is_due_on_round_instants_and_once() -> None:
    start = 1_763_737_200 * 10**9 + 5 * 60 * 10**9  # 15:05
    schedule = Schedule(ReportSettings(every="12h"), start)
    assert schedule.due(start + HOUR, list) == []
    late = 1_763_769_600 * 10**9 + 7 * 10**9  # 00:00:07
    assert schedule.due(late, list) == [(1_763_769_600 * 10**9, 12 * HOUR)]
    assert schedule.due(late + 60 * 10**9, list) == []
    assert schedule.due(late + 30 * HOUR, list) == [(1_763_769_600 * 10**9 + 24 * HOUR, 12 * HOUR)]  # what was missed is not made up


def test_a_wave_that_has_ended_is_told_once() -> None:
    minute, now = 60 * 10**9, 1_763_737_200 * 10**9
    schedule = Schedule(ReportSettings(on_wave_end=True, window="4h"), now)
    asked: list[int] = []

    def ends(*found: int) -> list[int]:
        asked.append(1)
        return list(found)

    assert schedule.due(now + minute, lambda: ends(now - minute)) == []  # over before the start
    assert schedule.due(now + minute + 10**9, lambda: ends(now + 1)) == [] and len(asked) == 1  # not looked again within the minute
    assert schedule.due(now + 3 * minute, lambda: ends(now - minute, now + minute)) == [(now + 3 * minute, 4 * HOUR)]
    assert schedule.due(now + 5 * minute, lambda: ends(now + minute)) == []


def test_a_scheduled_report_is_written_whole(tmp_path: Path) -> None:
    from contextlib import contextmanager

    session = StoredSession(DuckStore(None), "")

    @contextmanager
    def hold() -> Iterator[StoredSession]:
        yield session

    files = write(hold, golden.END, 24 * HOUR, ReportSettings(formats=("html", "zip")), tmp_path / "reports")
    assert sorted(file.name for file in (tmp_path / "reports").iterdir()) == sorted(file.name for file in files)
    assert verify(files[1]).differences == ()
    session.close()


@pytest.mark.parametrize("settings", [{"every": "10s"}, {"every": "daily"}, {"formats": ["doc"]}])
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    from pydantic import ValidationError

    with pytest.raises((ValidationError, ConfigError, ValueError)):
        ReportSettings(**settings)  # type: ignore[arg-type]
