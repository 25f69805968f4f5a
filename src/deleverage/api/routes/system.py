"""The system about itself: health, feeds, recordings, playback; the first page's document; tables and instruments."""

import io
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from deleverage.api.feeds import feed_rows, intake, reference_rows
from deleverage.api.reconstructed import LABEL, labelled
from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import Document, FeedsQuestion, InstrumentsQuestion, NowQuestion, PlaybackOrder, Rows, TableQuestion, Windowed
from deleverage.api.view import Moment
from deleverage.store.duck import table_named
from deleverage.venues import venue_named
from deleverage.when import instant

router = APIRouter(prefix="/v1")


@router.get("/health", response_model=Document)
def health(request: Request) -> dict[str, Any]:
    """Whether the server works, what it shows, and where its clock stands."""
    with session_of(request) as session:
        return envelope(session, moment_of(session, Windowed()), request.app.state.server.health())


@router.get("/feeds", response_model=Rows)
def feeds(request: Request, question: Annotated[FeedsQuestion, Query()]) -> dict[str, Any]:
    """Every venue: the state of its feed with the evidence in words, its channels, sockets, gaps, and what was believed before."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        return envelope(session, moment, feed_rows(moment))


@router.get("/references", response_model=Rows)
def references(request: Request, question: Annotated[FeedsQuestion, Query()]) -> dict[str, Any]:
    """Sentiment, ETF flows, macro: whether each source is live or stale and why, its newest days, its attribution and terms."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        return envelope(session, moment, reference_rows(moment))


@router.get("/intake", response_model=Document)
def intake_state(request: Request) -> dict[str, Any]:
    """The way from sockets to parsers: frames a second, lag in seconds of data, what waits, the journal, the disk."""
    with session_of(request) as session:
        return envelope(session, moment_of(session, Windowed()), intake(session))


@router.get("/recordings", response_model=Rows)
def recordings(request: Request) -> dict[str, Any]:
    """The recordings that can be opened."""
    with session_of(request) as session:
        return envelope(session, moment_of(session, Windowed()), request.app.state.server.recordings())


@router.post("/playback", response_model=Document)
def playback(request: Request, order: PlaybackOrder) -> dict[str, Any]:
    """Open a recording, play, pause, change speed, seek."""
    server = request.app.state.server
    server.control(order)
    return health(request)


@router.get("/now", response_model=Document)
def now(request: Request, question: Annotated[NowQuestion, Query()]) -> dict[str, Any]:
    """Everything the first page shows, in one document."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        return envelope(session, moment, request.app.state.server.document(moment, question.window, question.base))


@router.get("/instruments", response_model=Rows)
def instruments(request: Request, question: Annotated[InstrumentsQuestion, Query()]) -> dict[str, Any]:
    """Listed contracts as last known."""
    with session_of(request) as session:
        if question.venue is not None:
            venue_named(question.venue)
        session.flush()
        table = session.store.read("instruments", venue=question.venue, base=question.base, collapse=True)
        return envelope(session, moment_of(session, Windowed()), table.to_pylist())


@router.get(
    "/tables/{table}",
    response_class=Response,
    responses={200: {"content": {"application/vnd.apache.arrow.stream": {}, "application/json": {}}}},
)
def rows(request: Request, table: str, question: Annotated[TableQuestion, Query()]) -> Response:
    """Rows of any table, as an Arrow stream or as JSON."""
    with session_of(request) as session:
        spec, now = table_named(table), session.now()
        start, end, as_of = (None if text is None else instant(text, now) for text in (question.start, question.end, question.as_of))
        session.flush()
        found = session.store.read(
            spec.name, start=start, end=end, as_of=as_of, venue=question.venue, base=question.base, limit=question.limit
        )
        if question.format == "json":
            import msgspec

            moment = Moment(session, 1, now, now)
            return Response(msgspec.json.encode(labelled(envelope(session, moment, found.to_pylist()))), media_type="application/json")
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, found.schema) as writer:
            writer.write_table(found)
        said = {"X-Deleverage-Reconstruction": LABEL} if session.reconstructed() else {}
        return Response(sink.getvalue(), media_type="application/vnd.apache.arrow.stream", headers=said)
