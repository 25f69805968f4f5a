"""What option prices say: volatility, positions, and where the price may go."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from deleverage.api import option_positions, options
from deleverage.api.option_material import TOGETHER, Asked
from deleverage.api.options import Taken
from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import DensityQuestion, Document, OptionsQuestion, SmileQuestion, TouchQuestion
from deleverage.venues import venue_named

router = APIRouter(prefix="/v1/options")


def take(request: Request, question: OptionsQuestion) -> tuple[dict[str, Any], Taken]:
    """Read and fit what the question is about; return the envelope to fill, and it."""
    if question.venue is not None:
        venue_named(question.venue)
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, {})
    at, as_of = moment.at, moment.as_of  # the moving now stands still while one page asks
    if question.at is None and question.as_of is None:
        at = as_of = at // TOGETHER * TOGETHER
    return answer, Taken(lambda: session_of(request), Asked(question.base, question.venue, at - moment.window, at, as_of))


@router.get("/chain", response_model=Document)
def chain(request: Request, question: Annotated[OptionsQuestion, Query()]) -> dict[str, Any]:
    """Every listed option with its cleaned quote, volatilities and greeks; forwards; who was left out and why."""
    answer, taken = take(request, question)
    return answer | {"data": options.chain_document(taken)}


@router.get("/smile", response_model=Document)
def smile(request: Request, question: Annotated[SmileQuestion, Query()]) -> dict[str, Any]:
    """Fitted smiles without arbitrage, with their quotes, their misfit and g(k)."""
    answer, taken = take(request, question)
    return answer | {"data": options.smile_document(taken, question.expiry)}


@router.get("/surface", response_model=Document)
def surface(request: Request, question: Annotated[OptionsQuestion, Query()]) -> dict[str, Any]:
    """The surface by tenor and moneyness, and by tenor and delta; null where nothing is listed."""
    answer, taken = take(request, question)
    return answer | {"data": options.surface_document(taken)}


@router.get("/term", response_model=Document)
def term(request: Request, question: Annotated[OptionsQuestion, Query()]) -> dict[str, Any]:
    """At-the-money volatility, risk reversals and butterflies by maturity and through the window; realised volatility and the premium."""
    answer, taken = take(request, question)
    return answer | {"data": options.term_document(taken)}


@router.get("/exposure", response_model=Document)
def exposure(request: Request, question: Annotated[OptionsQuestion, Query()]) -> dict[str, Any]:
    """Dealers' gamma, vanna and charm under every convention side by side, with flips, bands and zones."""
    answer, taken = take(request, question)
    return answer | {"data": option_positions.exposure_document(taken)}


@router.get("/density", response_model=Document)
def density(request: Request, question: Annotated[DensityQuestion, Query()]) -> dict[str, Any]:
    """The risk-neutral density of the price at a date, with its quantiles; not the real-world probability."""
    answer, taken = take(request, question)
    return answer | {"data": option_positions.density_document(taken, question.by, question.days)}


@router.get("/touch", response_model=Document)
def touch(request: Request, question: Annotated[TouchQuestion, Query()]) -> dict[str, Any]:
    """The chance of finishing beyond and of touching a level by a date, as a range between models; not the real-world probability."""
    answer, taken = take(request, question)
    return answer | {"data": option_positions.touch_document(taken, question.level, question.by, question.days)}


@router.get("/volatility-index", response_model=Document)
def volatility_index(request: Request, question: Annotated[OptionsQuestion, Query()]) -> dict[str, Any]:
    """The 30-day volatility index made from this chain, with its legs and variants, beside the published one."""
    answer, taken = take(request, question)
    return answer | {"data": options.index_document(taken)}


@router.get("/open-interest", response_model=Document)
def open_interest(request: Request, question: Annotated[OptionsQuestion, Query()]) -> dict[str, Any]:
    """Open interest by strike and expiry, max pain, put/call four ways, notable trades and blocks of the window."""
    answer, taken = take(request, question)
    return answer | {"data": option_positions.interest_document(taken)}
