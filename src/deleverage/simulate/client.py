"""One client of the venue server: HTTP and WebSocket framing on one TCP connection, nothing of any venue."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import msgspec

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MOST_WAITING = 4 * 1024 * 1024
"""Bytes waiting in a client's buffer above which nothing more is given to it until it has read some."""


class Request(msgspec.Struct, frozen=True):
    """One HTTP request: `host` is the venue's own, taken from the first element of the path."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Client(asyncio.Protocol):
    """Reads requests and messages; `on_request`, `on_message` and `on_gone` are told of them."""

    def __init__(
        self, on_request: Callable[["Client", Request], None], on_message: Callable[["Client", bytes], None],
        on_gone: Callable[["Client"], None],
    ) -> None:  # fmt: skip
        self.transport: asyncio.Transport
        self.is_socket = False
        self.heard_at = 0.0
        self._on_request, self._on_message, self._on_gone = on_request, on_message, on_gone
        self._buffer = bytearray()
        self._parts = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=MOST_WAITING)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that the client is gone."""
        self._on_gone(self)

    def data_received(self, data: bytes) -> None:
        """Read whole requests or messages out of what has come."""
        self._buffer += data
        self.heard_at = asyncio.get_running_loop().time()
        while not self.transport.is_closing() and (self._read_message() if self.is_socket else self._read_request()):
            pass

    @property
    def is_slow(self) -> bool:
        """Whether the client reads more slowly than it is sent to."""
        return self.transport.get_write_buffer_size() > MOST_WAITING

    def accept(self, request: Request) -> bytes:
        """Return the answer that makes this a socket, and read messages from now on."""
        self.is_socket = True
        key = request.headers.get("sec-websocket-key", "").encode()
        token = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()).decode()
        lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {token}", "", "")
        return "\r\n".join(lines).encode()

    def send(self, payload: bytes, opcode: int = 1) -> None:
        """Send one message."""
        self.transport.write(frame(payload, opcode))

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and end the connection."""
        self.transport.write(frame(code.to_bytes(2, "big") + reason.encode()[:100], 8))
        self.transport.close()

    def _read_request(self) -> bool:
        head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0") or 0)
        if len(rest) < size:
            return False
        self._buffer = bytearray(rest[size:])
        method, _, target = first.partition(" ")
        parts = urlsplit(target.rpartition(" ")[0])
        host, _, path = parts.path.lstrip("/").partition("/")
        self._on_request(self, Request(method, host, "/" + path, dict(parse_qsl(parts.query)), headers, rest[:size]))
        return True

    def _read_message(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        first, second = buffer[0], buffer[1]
        size, at = second & 127, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < at + width:
                return False
            size, at = int.from_bytes(buffer[at : at + width], "big"), at + width
        mask_at = at
        at += 4 if second & 128 else 0
        if len(buffer) < at + size:
            return False
        payload = bytes(buffer[at : at + size])
        if second & 128:
            mask = bytes(buffer[mask_at:at]) * (size // 4 + 1)
            payload = bytes(a ^ b for a, b in zip(payload, mask, strict=False))
        del buffer[: at + size]
        self._take(first & 15, bool(first & 128), payload)
        return True

    def _take(self, opcode: int, is_last: bool, payload: bytes) -> None:
        if opcode == 8:
            self.transport.write(frame(payload[:2], 8))
            self.transport.close()
        elif opcode == 9:
            self.send(payload, 10)
        elif opcode in (0, 1, 2):
            self._parts += payload
            if is_last:
                message, self._parts = bytes(self._parts), bytearray()
                self._on_message(self, message)


def frame(payload: bytes, opcode: int) -> bytes:
    """Return a message in the wire format of a server."""
    size = len(payload)
    if size < 126:
        return bytes((128 | opcode, size)) + payload
    if size < 65_536:
        return bytes((128 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((128 | opcode, 127)) + size.to_bytes(8, "big") + payload


def answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """Return an HTTP answer in the wire format."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
