"""The API holds to its own schema, whatever is asked of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from deleverage.api.app import build
from deleverage.api.server import Server
from deleverage.api.session import PlaybackSession
from deleverage.store.folder import Folder


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    server = Server(Folder(tmp_path_factory.mktemp("schema")))
    server.open_recording("bybit-2026-10-10", 1000)
    session = server.session
    assert isinstance(session, PlaybackSession)
    session.control(playing=False, to=session.clock().end)
    yield schemathesis.openapi.from_asgi("/openapi.json", build(server))
    server.close()


def test_every_answer_fits_the_schema(api: schemathesis.BaseSchema) -> None:
    asked = 0
    for operation in (found.ok() for found in api.get_all_operations()):

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(operation.as_strategy())
        def holds(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            if isinstance(case.body, dict) and case.body.get("action") == "open":
                return  # opening recordings is tested elsewhere
            response = case.call()
            assert response.status_code < 500, response.text
            case.validate_response(response, checks=[status_code_conformance, content_type_conformance, response_schema_conformance])

        holds()
    assert asked > 200


def test_openapi_lists_every_route() -> None:
    paths = set(build(Server(Folder(Path("nowhere")))).openapi()["paths"])
    assert {"/v1/health", "/v1/feeds", "/v1/liquidations", "/v1/liquidations/totals", "/v1/instruments", "/v1/now"} <= paths
