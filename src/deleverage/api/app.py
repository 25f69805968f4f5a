"""The web application: routes, errors as one line, the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from deleverage import __version__
from deleverage.api.routes import anatomy, leverage, liquidations, liquidity, metrics, options, outside, report, system
from deleverage.api.schemas import ErrorAnswer
from deleverage.api.server import Server
from deleverage.api.stream import stream
from deleverage.errors import BadInput, DeleverageError

STATIC = Path(__file__).parent / "static"
ERRORS = {status: {"model": ErrorAnswer} for status in (400, 404, 422, 503)}


def build(server: Server) -> FastAPI:
    """Build the application around an open server; closing the application closes the server."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        server.close()

    app = FastAPI(
        title="deleverage", version=__version__, lifespan=lifespan, responses=ERRORS,  # type: ignore[arg-type]  # a stub too narrow
        description="What was force-closed, where, and how much of it could be seen. Keys may be added; none is removed within v1.",
    )  # fmt: skip
    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=4)
    app.state.server = server
    app.include_router(liquidations.router)
    app.include_router(anatomy.router)
    app.include_router(liquidity.router)
    app.include_router(options.router)
    app.include_router(leverage.router)
    app.include_router(outside.router)
    app.include_router(report.router)
    app.include_router(system.router)
    app.include_router(metrics.router)
    app.add_api_websocket_route("/v1/stream", stream)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DeleverageError, _refused)
    app.add_exception_handler(HTTPException, _http)
    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    return app


def _answer(status: int, message: str, hint: str = "") -> JSONResponse:
    return JSONResponse({"error": {"status": status, "message": message, "hint": hint}}, status_code=status)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Name the parameter that is wrong, in one line; an unknown one is a 400, a bad value a 422."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "body"
    if first["type"] == "extra_forbidden":
        return _answer(400, f"unknown parameter {where!r}", "see /docs for the parameters of this route")
    return _answer(422, f"{where}: {first['msg']}", "see /docs for the values it takes")


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return _answer(400 if isinstance(error, BadInput) else 503, str(error))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, str(error.detail))
