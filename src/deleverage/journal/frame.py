"""One row of the raw recording: bytes as a venue sent them, and when and where we took them."""

import hashlib
import struct

import msgspec

DIRECTIONS = ("in", "out", "open", "close", "gap", "state", "mark")
"""What a row can be about; see `Frame`."""

RECONSTRUCTION = "reconstruction"
"""First word of a mark before frames that were made, not recorded; `START/END` (ISO 8601) of what they cover comes next."""

LATEST = 2**63 - 1
"""The last instant a frame can carry, ns UTC."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One raw frame, or one row about a connection.

    - `ts_recv`: our clock when it arrived (or left, or happened), int64 nanoseconds UTC since 1970, never negative.
    - `venue`: the venue's name, as in `Venue.name`.
    - `route`: the address it came from or went to, socket or REST, as it was opened.
    - `payload`: the bytes as received or sent, after transport framing and before any parsing.
    - `direction`: what the row is about:
      `in` received · `out` sent · `open`, `close` the connection itself (payload: the reason as text) ·
      `gap` a stretch lost (payload: JSON `{"channel", "start", "end", "reason"}`, `start` and `end` ns UTC, half-open) ·
      `state` what is believed of a feed from now on (payload: JSON `{"channel", "state", "evidence", "since"}`) ·
      `mark` a label (payload: text, `reconstruction` for instance).
    - `connection`: number of the connection within its recording, 0 when there is only one or it is not known.
    """

    ts_recv: int
    venue: str
    route: str
    payload: bytes
    direction: str = "in"
    connection: int = 0


_pack = struct.Struct("<qIII").pack


def frame_digest(frame: Frame) -> bytes:
    """Return 16 bytes (blake2b) that name a frame's (ts_recv, venue, route, direction, payload); `connection` does not count.

    >>> frame_digest(Frame(1, "okx", "", b"{}")) == frame_digest(Frame(1, "okx", "", b"{}", connection=7))
    True
    """
    venue, route, direction = (text.encode("utf-8", "replace") for text in (frame.venue, frame.route, frame.direction))
    head = _pack(frame.ts_recv, len(venue), len(route), len(direction))
    return hashlib.blake2b(b"".join((head, venue, route, direction, frame.payload)), digest_size=16).digest()
