"""Fills as a Hyperliquid node writes them (`node_fills_by_block`): one line per block, all coins, all users.

https://github.com/hyperliquid-dex/node, `--write-fills --batch-by-block`:
`{"local_time", "block_time", "block_number", "events": [[user, fill], …]}`.
`local_time` is the node's own clock, UTC without a zone, to the nanosecond: it is when the block was known, hence `ts_recv`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from deleverage.errors import BadInput
from deleverage.journal.frame import LATEST, Frame
from deleverage.journal.lines import lines_of
from deleverage.journal.segment import reason

VENUE = "hyperliquid"
ROUTE = "node_fills_by_block"
_EXPECTED = '{"local_time": "2025-10-27T17:00:00.063787823", "block_time": str, "events": [[user, fill], …]}'
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?", re.ASCII)


class _Block(msgspec.Struct):
    local_time: str
    block_time: str
    events: list[msgspec.Raw]


class _Glance(msgspec.Struct):
    block_time: msgspec.Raw
    events: msgspec.Raw


_decode = msgspec.json.Decoder(_Block).decode


def is_node_line(line: bytes) -> bool:
    """Tell whether a line has the two keys every node line has."""
    try:
        msgspec.json.decode(line, type=_Glance)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def read_node_fills(path: Path) -> Iterator[Frame]:
    """Read a node's lines as frames in the order of the file: venue `hyperliquid`, route `node_fills_by_block`, payload the line.

    `ts_recv` is the line's `local_time`, ns UTC. Raises BadInput, naming file and line, as `read_jsonl` does.
    """
    for number, line in lines_of(path):
        try:
            received = nanoseconds(_decode(line).local_time)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BadInput(f"{path} line {number}: {reason(error)}; expected {_EXPECTED}") from error
        yield Frame(received, VENUE, ROUTE, line)


def nanoseconds(text: str) -> int:
    """Read an instant written to the nanosecond, UTC. Raises ValueError.

    >>> nanoseconds("2025-10-27T17:00:00.063787823")
    1761584400063787823
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time: {text[:40]!r}")
    seconds = int(datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp())
    instant = seconds * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))
    if not 0 <= instant <= LATEST:
        raise ValueError(f"time out of range: {text[:40]!r}")
    return instant
