"""The collection as Prometheus metrics."""

from fastapi import APIRouter, Request, Response

from deleverage.api.routes import session_of
from deleverage.collect.metrics import metrics_text
from deleverage.errors import BadInput

router = APIRouter()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Metrics of the running collection, in Prometheus' text format."""
    with session_of(request) as session:
        status = session.collection()
    if status is None:
        raise BadInput("nothing is being collected, so there is nothing to measure; start with deleverage up --live")
    return Response(metrics_text(status), media_type="text/plain; version=0.0.4; charset=utf-8")
