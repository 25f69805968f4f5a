"""What rests in the books."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from deleverage.api import liquidity as books
from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import Document, LiquidityQuestion
from deleverage.errors import BadInput
from deleverage.when import instant

router = APIRouter(prefix="/v1")


@router.get("/liquidity", response_model=Document)
def liquidity(request: Request, question: Annotated[LiquidityQuestion, Query()]) -> dict[str, Any]:
    """Depth, spread, cost of a trade and what was withdrawn, per contract through the window; price × time of one; its walls; by wave what
    was taken. Depth beyond what is visible is null."""
    asked = _asked(question)
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, {})
        reading = books.Reading(
            session, moment.start, moment.at, moment.as_of, question.base, question.venue, question.symbol, question.buckets
        )
        material = None if asked is not None else books.read_prints(session, moment.start, moment.at, moment.as_of)
    for low, high in reading.pieces():
        with session_of(request) as session:
            rows = reading.read(session, low, high)
        reading.take(rows, low, high)
    with session_of(request) as session:
        reading.read_trades(session)
    return answer | {"data": reading.document(material, asked=asked)}


def _asked(question: LiquidityQuestion) -> tuple[int, int, bool] | None:
    """The stretch whose taking is asked for: start, end (ns UTC), whether longs were closed. Raises BadInput for what cannot be read."""
    if question.wave_start is None or question.wave_end is None:
        return None
    start, end = instant(question.wave_start, 0), instant(question.wave_end, 0)
    if end <= start:
        raise BadInput("wave_end is not after wave_start")
    return start, end, question.wave_side == "long"
