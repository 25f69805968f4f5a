"""Liquidations: orders, totals, heatmap, treemap, and the prices they happened at."""

import base64
import binascii
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request

from deleverage.analytics.liquidations import By
from deleverage.api.anatomy import frame, read, totals_document
from deleverage.api.routes import envelope, moment_of, session_of
from deleverage.api.schemas import (
    Document,
    HeatmapQuestion,
    OrdersQuestion,
    PricesQuestion,
    Rows,
    TotalRows,
    TotalsQuestion,
    TreemapQuestion,
)  # fmt: skip
from deleverage.api.view import Moment
from deleverage.errors import BadInput
from deleverage.venues import venue_named
from deleverage.when import duration, instant

HOUR = 3_600_000_000_000

router = APIRouter(prefix="/v1")


@router.get("/liquidations", response_model=Rows)
def orders(request: Request, question: Annotated[OrdersQuestion, Query()]) -> dict[str, Any]:
    """Single forced closes, newest or largest first. Positions are long or short; the order side is never shown."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        if question.start is not None or question.end is not None:
            end = moment.at if question.end is None else instant(question.end, session.now())
            start = end - moment.window if question.start is None else instant(question.start, session.now())
            if start >= end:
                raise BadInput("start is not before end; start is inclusive, end exclusive")
            moment = Moment(session, end - start, end, moment.as_of)
        if question.venue is not None:
            venue_named(question.venue)
        skip = 0
        if question.cursor is not None:
            start, end, known, skip = _page(question.cursor)
            moment = Moment(session, end - start, end, known)
        rows = moment.orders(
            question.limit + 1, largest=question.order == "size", skip=skip, venue=question.venue, base=question.base,
            where={"position_side": question.position_side}, at_least=question.min_usd,
        )  # fmt: skip
        more = len(rows) > question.limit
        return envelope(session, moment, rows[: question.limit], next_cursor=_cursor(moment, skip + question.limit) if more else None)


@router.get("/liquidations/totals", response_model=TotalRows)
def totals(request: Request, question: Annotated[TotalsQuestion, Query()]) -> dict[str, Any]:
    """Liquidated notional by venue, base, side or size, exact to the millionth of a dollar, with coverage, and an estimate of the truth.

    `estimate` holds the 90 % interval, null at its upper end where nothing bounds it; observed figures are never changed by it.
    """
    with session_of(request) as session:
        moment = moment_of(session, question)
        answer = envelope(session, moment, [], total=moment.totals(None)[0])
        rows = moment.totals(cast(By, question.by)) if question.by in ("venue", "base", "side") else None
        material = read(session, moment.start, moment.at, moment.as_of, flows=question.estimate, whole=False)
        interest = frame(session.store.open_interest_series(moment.start - HOUR, moment.start + HOUR, moment.as_of, HOUR))
        marks = session.store.liquidations_at_mark(moment.start, moment.at, moment.as_of)
    return answer | totals_document(material, question.by, rows, answer["total"], interest, marks, with_estimate=question.estimate)


@router.get("/liquidations/heatmap", response_model=Document)
def heatmap(request: Request, question: Annotated[HeatmapQuestion, Query()]) -> dict[str, Any]:
    """Liquidated notional by venue and time; null where nothing was being received."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        bucket = None if question.bucket is None else duration(question.bucket)
        if bucket is not None and moment.window // bucket > 2000:
            raise BadInput("more than 2000 buckets; take a longer bucket or a shorter window")
        return envelope(session, moment, moment.heatmap(bucket))


@router.get("/liquidations/treemap", response_model=Document)
def treemap(request: Request, question: Annotated[TreemapQuestion, Query()]) -> dict[str, Any]:
    """The bases with the largest liquidated notional, and an explicit rest."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        return envelope(session, moment, moment.treemap(question.top))


@router.get("/prices", response_model=Document)
def prices(request: Request, question: Annotated[PricesQuestion, Query()]) -> dict[str, Any]:
    """The best price series there is of a base, what kind of price it is, and its largest liquidations."""
    with session_of(request) as session:
        moment = moment_of(session, question)
        return envelope(session, moment, moment.prices(question.base))


def _cursor(moment: Moment, position: int) -> str:
    """Write where the next page begins; it holds the moment, so that pages of a moving session belong together."""
    return base64.urlsafe_b64encode(f"{moment.start} {moment.at} {moment.as_of} {position}".encode()).decode()


def _page(cursor: str) -> tuple[int, int, int, int]:
    """Read (start, at, as_of, position) from a cursor. Raises BadInput for one that is none of ours."""
    try:
        start, at, as_of, position = map(int, base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(" "))
    except (ValueError, binascii.Error):
        start = at = as_of = position = -1
    if not (0 <= start < at < 2**63 and 0 <= as_of < 2**63 and 0 <= position < 10**12):
        raise BadInput("this cursor is none of ours; use next_cursor of the page before")
    return start, at, as_of, position
