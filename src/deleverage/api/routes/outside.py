"""The outside world: sentiment, fund flows, the wider economy."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from deleverage.api import etf_flows as flows
from deleverage.api import macro as economy
from deleverage.api import sentiment as mood
from deleverage.api.outside import DAY, Scope
from deleverage.api.routes import envelope, resolve, session_of
from deleverage.api.schemas import Document, EtfFlowsQuestion, MacroQuestion, OutsideQuestion, SentimentQuestion
from deleverage.api.session import Session
from deleverage.api.view import Moment

router = APIRouter(prefix="/v1")


def _began(session: Session, question: OutsideQuestion) -> tuple[dict[str, Any], Scope]:
    """Begin an answer while the session is held."""
    at, as_of = resolve(question.at, question.as_of, session.now())
    return envelope(session, Moment(session, DAY, at, as_of), {}), Scope(at, as_of)


@router.get("/sentiment", response_model=Document)
def sentiment(request: Request, question: Annotated[SentimentQuestion, Query()]) -> dict[str, Any]:
    """A published index with its band by our bounds and in its source's own word, against a month before, with the attribution it asks
    for; and our own index with every part, its share and what is missing. `missing` names venues, which have no part in this."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
        material = mood.read(session, scope, question.index)
    return answer | {"data": mood.document(material, question.days)}


@router.get("/etf-flows", response_model=Document)
def etf_flows(request: Request, question: Annotated[EtfFlowsQuestion, Query()]) -> dict[str, Any]:
    """Net flows of US spot funds of one coin: the last trading day and whether it is provisional, by day, month and fund, streaks, and
    records with the history they are over. One source at a time; the month to date is never compared as if it were whole."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
        material = flows.read(session, scope, question.base, question.source)
    return answer | {"data": flows.document(material, question.days)}


@router.get("/macro", response_model=Document)
def macro(request: Request, question: Annotated[MacroQuestion, Query()]) -> dict[str, Any]:
    """Yields, real yield, breakeven and the broad dollar index as they were known, with age and lateness; a coin's betas and correlations
    to them with intervals and the verdict in words. Equity series only where they are in the data; those absent say why."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
        material = economy.read(session, scope, question.base)
    return answer | {"data": economy.document(material, question.days)}
