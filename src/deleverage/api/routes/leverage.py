"""What leverage is left: funding, open interest, basis, positioning, beta."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from deleverage.api import basis as bases
from deleverage.api import beta as betas
from deleverage.api import funding as rates
from deleverage.api import open_interest as interest
from deleverage.api import positioning as ratios
from deleverage.api.leverage import Scope
from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import Document, LeverageQuestion, OpenInterestQuestion
from deleverage.api.session import Session

router = APIRouter(prefix="/v1")


def _began(session: Session, question: LeverageQuestion) -> tuple[dict[str, Any], Scope]:
    """Begin an answer while the session is held."""
    moment = moment_of(session, question)
    return envelope(session, moment, {}), Scope(moment.start, moment.at, moment.as_of, question.base)


@router.get("/funding", response_model=Document)
def funding(request: Request, question: Annotated[LeverageQuestion, Query()]) -> dict[str, Any]:
    """Funding of every perpetual of a coin per its own interval and on one scale, predicted and settled apart: weighted by open interest
    and volume, named relative to where it rests, compared pair by pair, added up over the window. Above 0 longs pay shorts."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
    return answer | {"data": rates.document(rates.read(lambda: session_of(request), scope))}


@router.get("/open-interest", response_model=Document)
def open_interest(request: Request, question: Annotated[OpenInterestQuestion, Query()]) -> dict[str, Any]:
    """Open interest of a coin, one-sided, in coins and dollars: by venue and margin type, changes, the fall from the peak of `months`
    (null while the history is shorter), and who seems to have acted, by price and coins."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
    return answer | {"data": interest.document(interest.read(lambda: session_of(request), scope, question.months))}


@router.get("/basis", response_model=Document)
def basis(request: Request, question: Annotated[LeverageQuestion, Query()]) -> dict[str, Any]:
    """What futures cost over the spot: dated ones by expiry and at constant maturities, perpetuals as a premium, now and through time."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
        material = bases.read(session, scope)
    return answer | {"data": bases.document(material)}


@router.get("/positioning", response_model=Document)
def positioning(request: Request, question: Annotated[LeverageQuestion, Query()]) -> dict[str, Any]:
    """Long shares of accounts, top traders and takers by venue, each kind with what it says and what it cannot say."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
        material = ratios.read(session, scope)
    return answer | {"data": ratios.document(material)}


@router.get("/beta", response_model=Document)
def beta(request: Request, question: Annotated[LeverageQuestion, Query()]) -> dict[str, Any]:
    """How a coin moved with its volatility index and other coins through the window, and with economic series over 30 and 90 daily
    changes, each with its interval; a beta whose interval holds 0 is not resolvable."""
    with session_of(request) as session:
        answer, scope = _began(session, question)
        material = betas.read(session, scope)
    return answer | {"data": betas.document(material)}
