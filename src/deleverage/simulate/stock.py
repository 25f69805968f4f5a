"""Recorded frames, ready to be sent again: indexed by venue and topic, with their instants moved to now."""

import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from deleverage.journal.frame import Frame

STAMPS = re.compile(rb"(?<![\d.])(?:1\d{18}|1\d{15}|1\d{12})(?![\d.])")
NEAR = 7 * 86_400_000
"""A number counts as an instant when it lies this near (ms) to the frame's own."""
LONGEST_PAUSE = 60.0
"""Seconds of a pause of the recorder that are replayed at most."""
ANOTHER = 12 * 3600.0
"""Seconds between two frames of one address after which they belong to different recordings."""
SCALES = {13: 1, 16: 1_000, 19: 1_000_000}


class Sendable:
    """One frame cut at its instants. `after` is when it came, in seconds since its recording (`tape`) began."""

    __slots__ = ("after", "base", "is_packed", "parts", "stamps", "tape", "topic", "venue")

    def __init__(self, venue: str, topic: str, payload: bytes, ts_ms: int, after: float, is_packed: bool, tape: str) -> None:
        self.venue, self.topic, self.after, self.base, self.is_packed, self.tape = venue, topic, after, ts_ms, is_packed, tape
        self.parts: list[bytes] = []
        self.stamps: list[tuple[int, int]] = []
        at = 0
        for found in STAMPS.finditer(payload):
            text = found.group()
            scale = SCALES[len(text)]
            if abs(int(text) // scale - ts_ms) <= NEAR:
                self.parts.append(payload[at : found.start()])
                self.stamps.append((int(text), scale))
                at = found.end()
        self.parts.append(payload[at:])

    def at(self, now_ms: int) -> bytes:
        """Return the payload as if it had come at `now_ms`."""
        if not self.stamps:
            payload = self.parts[0]
        else:
            moved = now_ms - self.base
            pieces = []
            for part, (stamp, scale) in zip(self.parts, self.stamps, strict=False):
                pieces.append(part)
                pieces.append(b"%d" % (stamp + moved * scale))
            pieces.append(self.parts[-1])
            payload = b"".join(pieces)
        return pack(payload) if self.is_packed else payload


def pack(payload: bytes) -> bytes:
    """Compress as HTX does, quickly."""
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(payload) + packer.flush()


def load(frames: Iterable[Frame], topics: dict[str, Callable[[Any, str], list[tuple[str, bytes | None]]]]) -> list[Sendable]:
    """Index recorded frames by topic; `topics` reads the topics of a decoded payload by venue.

    Acknowledgements, heartbeats and answers are left out: the server makes its own.
    """
    found: list[Sendable] = []
    last: dict[tuple[str, str], tuple[int, float, int]] = {}
    for frame in frames:
        if frame.direction != "in" or frame.route.startswith("http") or frame.venue not in topics:
            continue
        payload = frame.payload
        is_packed = payload.startswith(b"\x1f\x8b")
        if is_packed:
            payload = zlib.decompress(payload, wbits=31)
        try:
            decoded = msgspec.json.decode(payload)
        except msgspec.MsgspecError:
            continue
        key = (frame.venue, frame.route)
        before, elapsed, tape = last.get(key, (frame.ts_recv, 0.0, 0))
        passed = (frame.ts_recv - before) / 1e9
        if abs(passed) > ANOTHER:
            elapsed, tape = 0.0, tape + 1
        else:
            elapsed += min(max(passed, 0.0), LONGEST_PAUSE)
        last[key] = (frame.ts_recv, elapsed, tape)
        for topic, other in topics[frame.venue](decoded, frame.route):
            name = f"{frame.venue} {frame.route} {tape}"
            found.append(Sendable(frame.venue, topic, other or payload, frame.ts_recv // 1_000_000, elapsed, is_packed, name))
    return found
