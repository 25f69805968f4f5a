"""One socket: open it, send the subscription, keep it alive in the venue's dialect, hand every message to the intake."""

import asyncio
import ssl
from time import monotonic
from typing import Any

import picows
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from deleverage.collect.addresses import actual
from deleverage.collect.gate import Gate, retry_after
from deleverage.collect.intake import Intake
from deleverage.config import VenueSettings
from deleverage.errors import RateLimited, Refused, VenueError
from deleverage.journal.frame import Frame
from deleverage.venues.venue import Heartbeat, Subscription, Venue

HANDSHAKE = 8.0
"""Seconds for name, TCP, TLS and handshake together."""
LARGEST = 64 * 1024 * 1024
"""Bytes of the largest message taken."""
QUIET = 90.0
"""Seconds without any message, answers to pings included, after which a socket is given up, where the venue names no shorter time."""


class Connection(WSListener):
    """A socket from handshake to close. `closed` is done with the reason when it ends; `first` when the first message has come.

    Every message is stamped with our clock and taken by `intake`; rows say when the socket opened and closed and what was sent.
    """

    def __init__(self, venue: Venue, subscription: Subscription, number: int, intake: Intake, gate: Gate) -> None:
        self.venue, self.subscription, self.number = venue, subscription, number
        self.route = subscription.url
        self.address = ""
        self.opened_at = 0
        self.last_recv = 0
        self.frames = self.bytes = 0
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.first = asyncio.Event()
        self.subscribed = asyncio.Event()
        self._intake, self._gate = intake, gate
        self._reply = venue.heartbeat.reply
        self._parts: list[bytes] = []
        self._parts_size = 0
        self._reason = ""
        self._transport: WSTransport | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._heard = monotonic()

    async def open(self, how: VenueSettings) -> None:
        """Open the socket and begin to send the subscription. Raises VenueError (Refused, RateLimited) with the reason in words."""
        self.address = actual(self.route, how)
        await self._gate.open()
        try:
            async with asyncio.timeout(HANDSHAKE):
                await picows.ws_connect(
                    lambda: self, self.address, proxy=how.proxy or None, websocket_handshake_timeout=HANDSHAKE, max_frame_size=LARGEST,
                    disconnect_on_exception=True, enable_auto_pong=False, max_redirects=0,
                     extra_headers={"User-Agent": "deleverage"},
                )  # fmt: skip
        except picows.WSInvalidStatusError as error:
            raise _refusal(error, self.address) from error
        except TimeoutError:
            raise VenueError(f"no handshake from {self.address} within {HANDSHAKE:.0f} s") from None
        except (OSError, picows.WSError, ssl.SSLError, ValueError) as error:
            raise VenueError(f"cannot open {self.address}: {' '.join(str(error).split())[:160] or type(error).__name__}") from error
        if self._transport is None:  # the library returns as if all were well when the other side hangs up within the handshake
            raise VenueError(f"{self.address} hung up during the handshake")

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Say that the socket is open, and start its tasks."""
        self._transport = transport
        self.opened_at = self._intake.now()
        self._take(self.address.encode(), "open", self.opened_at)
        if self._intake.is_paused:
            self.pause()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._subscribe(transport)), loop.create_task(self._keep_alive(transport, self.venue.heartbeat))]

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame of the wire."""
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            self._reason = f"the venue closed it ({_close_words(frame)})"
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        self._heard = monotonic()
        if kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
            return
        if kind == WSMsgType.PONG:
            return
        if kind == WSMsgType.CONTINUATION or not frame.fin:
            self._assemble(transport, frame)
            return
        self._message(transport, frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Say that the socket is closed, and why."""
        if self._transport is None:
            return  # it never opened
        for task in self._tasks:
            task.cancel()
        reason = self._reason or "the connection broke without a close frame"
        if self._parts:
            reason += f"; {self._parts_size} bytes of an unfinished message were lost with it"
        try:
            self._take(reason.encode(), "close", self._intake.now())
        finally:
            if not self.closed.done():
                self.closed.set_result(reason)

    def close(self, reason: str) -> None:
        """Close the socket from our side."""
        if self._transport is not None and not self.closed.done():
            self._reason = self._reason or reason
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    def pause(self) -> None:
        """Stop reading the socket."""
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def resume(self) -> None:
        """Read the socket again."""
        if self._transport is not None and not self.closed.done():
            self._heard = monotonic()
            self._transport.underlying_transport.resume_reading()

    def _assemble(self, transport: WSTransport, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        self._parts_size += frame.payload_size
        if self._parts_size > LARGEST:
            self._reason = f"a message of more than {LARGEST >> 20} MiB"
            transport.disconnect()
        elif frame.fin:
            message, self._parts, self._parts_size = b"".join(self._parts), [], 0
            self._message(transport, message)

    def _message(self, transport: WSTransport, payload: bytes) -> None:
        now = self._intake.now()
        self.last_recv = now
        self.frames += 1
        self.bytes += len(payload)
        self._intake.take(Frame(now, self.venue.name, self.route, payload, "in", self.number))
        if not self.first.is_set():
            self.first.set()
        if self._reply is not None:
            answer = self._reply(payload)
            if answer is not None:
                transport.send(WSMsgType.TEXT, answer)

    def _take(self, payload: bytes, direction: str, at: int) -> None:
        self._intake.take(Frame(at, self.venue.name, self.route, payload, direction, self.number))

    async def _subscribe(self, transport: WSTransport) -> None:
        pause = 1 / self.venue.limits.sends
        for number, payload in enumerate(self.subscription.frames):
            if number:
                await asyncio.sleep(pause)
            self._take(payload, "out", self._intake.now())
            transport.send(WSMsgType.TEXT, payload)
        self.subscribed.set()

    async def _keep_alive(self, transport: WSTransport, heartbeat: Heartbeat) -> None:
        """Send the venue's heartbeat, and give the socket up when nothing has come for too long."""
        quiet = min(heartbeat.idle_cut or QUIET, QUIET)
        every = min(heartbeat.every or quiet / 4, quiet / 4)
        due = monotonic() + (heartbeat.every or 0)
        while True:
            await asyncio.sleep(every)
            if heartbeat.every and monotonic() >= due - 0.01:
                transport.send(WSMsgType.TEXT, heartbeat.payload)
                due = monotonic() + heartbeat.every
            silent = monotonic() - self._heard
            if silent > quiet and not self._intake.is_paused:
                self._reason = f"nothing came for {silent:.0f} s"
                transport.disconnect()
                return


def _close_words(frame: WSFrame) -> str:
    """Say a close frame's code and message."""
    payload = frame.get_payload_as_bytes()
    if len(payload) < 2:
        return "no code"
    message = payload[2:].decode(errors="replace")[:120]
    return f"{int.from_bytes(payload[:2], 'big')}{': ' if message else ''}{message}"


def _refusal(error: Any, address: str) -> VenueError:
    """Say what a handshake answered with a status other than 101 means."""
    response = error.response
    status = int(response.status)
    delay = retry_after(response.headers.get("Retry-After"))
    words = f"{address} answered {status}"
    if status in (429, 418):
        return RateLimited(f"{words}: too many requests", delay)
    if status in (401, 403, 451):
        return Refused(f"{words}: refused, which is what venues do to regions and networks they do not serve", delay)
    return VenueError(words)
