"""The stream: the first page's document when it changes, and new orders as they come. One bounded queue per client.

A client that cannot keep up is dropped (close code 1013); it never slows the others or the recording down.
"""

import contextlib
import time
from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any

import anyio
import anyio.to_thread
import msgspec
from fastapi import WebSocket, WebSocketDisconnect

from deleverage.api.reconstructed import labelled
from deleverage.api.routes import envelope, held, resolve
from deleverage.api.server import LISTENERS, Server
from deleverage.api.view import Moment, order
from deleverage.errors import DeleverageError
from deleverage.events import Liquidation
from deleverage.when import duration

ORDERS_EVERY = 0.05
"""Seconds between two messages with orders at least."""
EVERY = 0.25
"""Seconds between two documents at least."""
EVERY_LIVE = 1.0
"""The same while collecting: a document costs the machine that collects; orders come at once all the same."""
EVERY_HURRY = 3.0
"""The same while a playback makes for where it opens."""
NEWEST = 200
"""Orders one message holds at most, the newest; its `count` tells of all."""
SLOW = 5.0
"""Seconds a send may take."""


class View(msgspec.Struct):
    """What a client looks at."""

    window: Annotated[str, msgspec.Meta(max_length=12)] = "24h"
    base: str = "BTC"


class Waiting:
    """Orders that came since the last message: the newest of them, and how many they were. Added on one thread, taken on another."""

    def __init__(self) -> None:
        self._newest: deque[Liquidation] = deque(maxlen=NEWEST)
        self._added = self._taken = 0

    def add(self, orders: Sequence[Liquidation]) -> None:
        """Take orders."""
        self._newest.extend(orders)
        self._added += len(orders)

    def take(self) -> tuple[list[Liquidation], int]:
        """Return what came since the last call."""
        count, self._taken = self._added - self._taken, self._added
        newest = []
        while self._newest:
            newest.append(self._newest.popleft())
        return newest, count


async def stream(socket: WebSocket, window: str = "24h", base: str = "BTC") -> None:
    """Serve one client until it leaves or falls behind."""
    server: Server = socket.app.state.server
    await socket.accept()
    if len(server.listeners) >= LISTENERS:
        await socket.close(1013, "too many clients")
        return
    view = View(window, base)
    waiting = Waiting()
    server.listeners.add(waiting.add)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_listen, socket, view)
            tasks.start_soon(_send, socket, server, view, waiting)
    except* (WebSocketDisconnect, RuntimeError):
        pass  # the client has left
    except* TimeoutError:
        with contextlib.suppress(RuntimeError):
            await socket.close(1013, "too slow")
    finally:
        server.listeners.discard(waiting.add)


async def _listen(socket: WebSocket, view: View) -> None:
    """Take changes of view; anything else is answered with one error message."""
    while True:
        text = await socket.receive_text()
        try:
            asked = msgspec.json.decode(text, type=dict[str, str])
            duration(asked.get("window", view.window))
            view.window, view.base = asked.get("window", view.window), asked.get("base", view.base)[:40]
        except (msgspec.MsgspecError, DeleverageError) as error:
            await socket.send_text(msgspec.json.encode({"type": "error", "message": str(error)}).decode())


async def _send(socket: WebSocket, server: Server, view: View, waiting: "Waiting") -> None:
    shown: tuple[Any, ...] = ()
    said = 0.0
    while True:
        session = server.session
        orders, count = waiting.take()
        if count:
            await _say(socket, {"type": "orders", "data": [order(msgspec.structs.asdict(o)) for o in orders], "count": count})
        clock = session.clock()
        pause = EVERY_HURRY if session.is_hurrying else EVERY_LIVE if session.mode == "live" else EVERY
        state = (
            id(session),
            view.window,
            view.base,
            clock.now // 1_000_000_000,
            clock.playing,
            clock.finished,
            session.tally.frames,
            server.worked_out,
        )
        if state != shown and time.monotonic() - said >= pause:
            shown, said = state, time.monotonic()
            try:
                await _say(socket, await anyio.to_thread.run_sync(document, server, view.window, view.base))
            except DeleverageError as error:
                await _say(socket, {"type": "error", "message": str(error)})
        await anyio.sleep(ORDERS_EVERY)


async def _say(socket: WebSocket, message: object) -> None:
    with anyio.fail_after(SLOW):
        await socket.send_text(msgspec.json.encode(message).decode())


def document(server: Server, window: str, base: str) -> dict[str, Any]:
    """Build the first page's document at the session's now."""
    with held(server) as session:
        at, as_of = resolve(None, None, session.now())
        moment = Moment(session, duration(window), at, as_of)
        return {"type": "now", **labelled(envelope(session, moment, server.document(moment, window, base)))}
