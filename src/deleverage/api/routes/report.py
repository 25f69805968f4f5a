"""Every figure the system can state of a moment, and the written report of it."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import FiguresQuestion, ReportQuestion, Rows
from deleverage.config import settings
from deleverage.report.bundle import pack
from deleverage.report.compose import compose
from deleverage.report.figures import figures as every
from deleverage.report.reading import read
from deleverage.report.render import render
from deleverage.report.schedule import named
from deleverage.when import iso

router = APIRouter(prefix="/v1")
TYPES = {
    "html": "text/html; charset=utf-8", "fragment": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8",
    "json": "application/json", "pdf": "application/pdf", "zip": "application/zip",
}  # fmt: skip


@router.get("/figures", response_model=Rows)
def figures(request: Request, question: Annotated[FiguresQuestion, Query()]) -> dict[str, Any]:
    """Every figure that can be stated of the moment, in the registry's order: value, unit, status, interval, coverage, the selectors of
    its source rows and a digest of them. What is not known is `missing` with the reason in its note. `at` and `as_of` are ns UTC."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, [])
        reading = read(session, moment.at, moment.as_of, moment.window, question.base)
    rows = [msgspec.to_builtins(figure) | {"at_time": iso(figure.at)} for figure in every(reading).values()]
    return answer | {"data": rows}


@router.get("/report", response_class=Response, responses={200: {"content": {kind.partition(";")[0]: {} for kind in TYPES.values()}}})
def report(request: Request, question: Annotated[ReportQuestion, Query()]) -> Response:
    """The written report of a window: html in one file, md, json, pdf, zip (its data pack, for `deleverage verify`), or fragment, the
    html without a page around it. The same moment of the same data gives the same bytes."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        reading = read(session, moment.at, moment.as_of, moment.window, question.base)
    own = settings().report.templates
    templates = Path(own).expanduser() if own else None
    made = compose(reading)
    if question.format == "zip":
        content = pack(reading, made, ("html", "md", "json", "pdf"), templates)
    else:
        content = render(made, question.format, templates)
    kind = "inline" if question.format in ("html", "fragment", "json") else "attachment"
    said = {"Content-Disposition": f'{kind}; filename="{named(reading.at, question.format)}"'}
    if made.label:
        said["X-Deleverage-Reconstruction"] = made.label
    return Response(content, media_type=TYPES[question.format], headers=said)
