"""What lies behind the totals: waves, the ladder, the decomposition of a move."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from deleverage.api import anatomy
from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import Document, FlowQuestion, LadderQuestion, Rows, WavesQuestion

router = APIRouter(prefix="/v1")


@router.get("/waves", response_model=Rows)
def waves(request: Request, question: Annotated[WavesQuestion, Query()]) -> dict[str, Any]:
    """The window cut into waves, each with its venues, coins, price, levels, open interest and how it ended; one in progress says so."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, [])
        material = anatomy.read(session, moment.start, moment.at, moment.as_of, question.base)
    return answer | {"data": anatomy.wave_rows(material, question.scale)}


@router.get("/ladder", response_model=Rows)
def ladder(request: Request, question: Annotated[LadderQuestion, Query()]) -> dict[str, Any]:
    """The coins of an event in the order in which they were liquidated, with intervals; where the order cannot be told it says so."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, [])
        material = anatomy.read(session, moment.start, moment.at, moment.as_of, whole=False)
        prices = anatomy.read_prices(session, material, question.reference)
    return answer | {"data": anatomy.ladder_rows(material, question.reference, prices)}


@router.get("/flow", response_model=Document)
def flow(request: Request, question: Annotated[FlowQuestion, Query()]) -> dict[str, Any]:
    """The window's move of one coin by venue: forced closing, voluntary closing, new positions, other taker flow, in coins."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, {})
        material = anatomy.read(session, moment.start, moment.at, moment.as_of, question.base)
    return answer | {"data": anatomy.flow_document(material, question.base)}
