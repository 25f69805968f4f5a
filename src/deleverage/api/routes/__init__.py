"""The routes: parse the question, ask, wrap the answer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from fastapi import Request

from deleverage.api.schemas import Windowed
from deleverage.api.server import Server
from deleverage.api.session import Session
from deleverage.api.view import Moment
from deleverage.when import duration, instant, iso


@contextmanager
def held(server: Server) -> Iterator[Session]:
    """Hold the open session still while an answer is made: nothing is played, and nobody closes it meanwhile."""
    while True:
        session = server.session
        with session.held():
            if session.is_closed:
                continue  # another one was opened between the two lines above
            yield session
            return


def session_of(request: Request) -> AbstractContextManager[Session]:
    """Return the session being served, to be held while the answer is made."""
    return held(request.app.state.server)


def moment_of(session: Session, question: Windowed) -> Moment:
    """Turn a question's window into a Moment. Raises BadInput for what cannot be read."""
    now = session.now()
    at, as_of = resolve(question.at, question.as_of, now)
    return Moment(session, duration(question.window), at, as_of)


def resolve(at: str | None, as_of: str | None, now: int) -> tuple[int, int]:
    """Apply the defaults: each of the two is the other, both are now."""
    if at is None and as_of is None:
        return now, now
    ends = instant(at if at is not None else str(as_of), now)
    known = instant(as_of if as_of is not None else str(at), now)
    return ends, known


def envelope(session: Session, moment: Moment, data: object, **more: object) -> dict[str, Any]:
    """Wrap an answer."""
    return {
        "data": data, "at": iso(moment.at), "at_ms": moment.at // 1_000_000, "as_of": iso(moment.as_of), "mode": session.mode,
        "label": session.label, "missing": moment.missing(), "is_reconstruction": moment.is_reconstruction, **more,
    }  # fmt: skip
