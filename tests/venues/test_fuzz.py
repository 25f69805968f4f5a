"""Damaged frames of every venue give events that the tables can hold, or a ParseError; nothing else.

Real frames are damaged by byte and by structure, from a seed, and fed to parsers that live as long as a short connection. A failure
prints venue, route and payload, ready to become a fixture. `DELEVERAGE_FUZZ_FRAMES` is the number of frames over all venues.
"""

import base64
import copy
import gzip
import json
import os
import random
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.captures import FORMATS, SHARED, captures, recorded

from deleverage.errors import DeleverageError, ParseError
from deleverage.events import Event
from deleverage.instruments import Instrument
from deleverage.recordings import bundled
from deleverage.store.columns import group, to_arrow
from deleverage.tables import LEVELS
from deleverage.venues import VENUES
from deleverage.venues.venue import Venue, split_route

FRAMES = int(os.environ.get("DELEVERAGE_FUZZ_FRAMES", "50000"))
SEED = int(os.environ.get("DELEVERAGE_FUZZ_SEED", "20261122"))
FIXTURES = Path(__file__).parents[1] / "fixtures"
CONNECTION = 200
"""Frames a parser, and its book of contracts, lives for."""
BATCH = 2_000
"""Events turned into columns at a time."""
LONGEST = 20_000
"""Bytes of the longest frame that is damaged; longer ones are cut in whole rows where they can be."""

Seed = tuple[str, bytes, int]
Suspect = tuple[Event, str, bytes]

HOSTILE: tuple[object, ...] = (
    None, True, False, "", " ", "0", "-1", "nan", "NaN", "inf", "-Infinity", "1e400", "1e308", "-1e308", "1e-320", "0x10", "1_000",
    "١٢٣", "é\u0000", "\U0001f600", "ﷺ" * 50, "A" * 5000, "9" * 400, 0, -0.0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64,
    10**30, 1e-320, 5e-324, 1e18, 1e308, -1e308, float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, [1e308, "x"],
    9_223_372_036_854, 9_300_000_000_000_000, "1970-01-01T00:00:00Z", "2999-12-31T23:59:59.999Z", "BTCUSDT", "BTC-USD-SWAP", "buy", "SELL",
)  # fmt: skip
TOKENS = (
    b"null", b"true", b"-1", b"0", b"1e308", b"1e400", b"-1e308", b"9" * 30, b"NaN", b"Infinity", b'""', b"[]", b"{}", b'"\\ud800"',
    b'"\xff\xfe"', b"[" * 5000, b"[" * 900 + b"]" * 900, b'{"a":' * 300, b"9223372036854775808", b"1e-400", b'"nan"', b'"inf"',
    b'"\\u0000"', b"",
)  # fmt: skip
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


# --- seeds ------------------------------------------------------------------------------------------------------------


def seeds(venue: str) -> list[Seed]:
    """Return the venue's fixtures and a spread of its recorded frames: (route, payload, ts_recv)."""
    found: list[Seed] = []
    for path in sorted((FIXTURES / venue).glob("*.json")):
        case = json.loads(path.read_text())
        body = case.get("payload")
        payload = (
            base64.b64decode(case["payload_base64"])
            if body is None
            else body.encode()
            if isinstance(body, str)
            else json.dumps(body).encode()
        )
        found.append((case["route"], payload, case["ts_recv"]))
    for name, recording in bundled().items():
        if venue in recording.venues:
            found += spread((c.route, c.payload, c.ts_recv) for c in recorded(name) if c.venue == venue)
    for folder in FORMATS:
        if (SHARED / folder).exists():
            found += spread((c.route, c.payload, c.ts_recv) for c in captures(folder) if c.venue == venue)
    return [(route, shortened(payload), at) for route, payload, at in found]


def spread(frames: Iterator[Seed]) -> list[Seed]:
    """Take the first frames and some of the later ones, at growing distances."""
    return [frame for n, frame in enumerate(islice(frames, 6000)) if n < 40 or n % 97 == 0]


def shortened(payload: bytes) -> bytes:
    if len(payload) <= LONGEST:
        return payload
    try:
        value = json.loads(payload)
    except ValueError:
        return payload[:LONGEST]
    cut_lists(value, 3)
    return json.dumps(value, separators=(",", ":")).encode()


def cut_lists(value: Any, most: int) -> None:
    for part in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        cut_lists(part, most)
    if isinstance(value, list):
        del value[most:]


# --- damage -----------------------------------------------------------------------------------------------------------


def flip(frame: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    damaged = bytearray(frame)
    for _ in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def truncate(frame: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    return frame[: chance.randrange(len(frame))] if chance.random() < 0.7 else frame[chance.randrange(len(frame)) :]


def duplicate(frame: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    start = chance.randrange(len(frame))
    end = min(len(frame), start + chance.randint(1, 60))
    return frame[:end] + frame[start:end] * chance.randint(1, 3) + frame[end:]


def splice(frame: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    other = unpacked(chance.choice(pool)[1])
    return frame[: chance.randrange(len(frame))] + other[chance.randrange(len(other)) if other else 0 :]


def overwrite(frame: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    """Put something hostile where a number stood, or anywhere."""
    spans = [match.span() for match in NUMBER.finditer(frame)]
    start, end = chance.choice(spans) if spans and chance.random() < 0.8 else (at := chance.randrange(len(frame)), at)
    return frame[:start] + chance.choice(TOKENS) + frame[end:]


def structure(frame: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    """Change what the JSON holds: values, keys, order, depth; valid JSON but for NaN and infinities."""
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return flip(frame, chance, pool)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        value = changed(value, chance)
    text = json.dumps(value, separators=chance.choice(((",", ":"), (", ", ": "))), ensure_ascii=chance.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def changed(value: Any, chance: random.Random) -> Any:
    places = list(walk(value))
    if not places:
        return chance.choice(HOSTILE)
    holder, name = chance.choice(places)
    act = chance.randrange(9)
    if act <= 3:
        holder[name] = copy.deepcopy(chance.choice(HOSTILE))
    elif act == 4:
        del holder[name]
    elif act == 5:
        other, key = chance.choice(places)
        if not contains(holder[name], other) and not contains(other[key], holder):
            holder[name], other[key] = other[key], holder[name]
    elif act == 6 and isinstance(holder, dict):
        holder[chance.choice(("", "x", str(name).upper(), str(name).lower(), f"{name}\u0000"))] = holder.pop(name)
    elif act == 7:
        holder[name] = nested(holder[name], chance.choice((1, 2, 70)), chance)
    elif isinstance(holder, list):
        holder.extend(copy.deepcopy(holder) * chance.choice((1, 1, 3)))
    elif isinstance(holder[name], int | float) and not isinstance(holder[name], bool):
        holder[name] = chance.choice((str(holder[name]), -holder[name], holder[name] * 10**6, holder[name] + 0.5))
    elif isinstance(holder[name], str):
        holder[name] = chance.choice(
            (holder[name] + "0" * 40, "-" + holder[name], holder[name][::-1], holder[name] + "é", holder[name].swapcase())
        )
    return value


def nested(value: Any, depth: int, chance: random.Random) -> Any:
    for _ in range(depth):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def contains(outer: Any, inner: Any) -> bool:
    parts = outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
    return outer is inner or any(contains(part, inner) for part in parts)


def walk(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Give every place of a structure as (holder, key)."""
    if depth > 40:
        return
    for name, part in list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []:
        yield value, name
        yield from walk(part, depth + 1)


DAMAGES: tuple[Callable[[bytes, random.Random, list[Seed]], bytes], ...] = (
    structure, structure, structure, structure, overwrite, overwrite, flip, truncate, duplicate, splice,
)  # fmt: skip


def unpacked(payload: bytes) -> bytes:
    return zlib.decompress(payload, 31) if payload.startswith(b"\x1f\x8b") else payload


def damaged(payload: bytes, chance: random.Random, pool: list[Seed]) -> bytes:
    """Damage one frame; a packed one inside its packing, or the packing itself."""
    is_packed = payload.startswith(b"\x1f\x8b")
    if is_packed and chance.random() < 0.2:
        return chance.choice((flip, truncate, duplicate))(payload, chance, pool)
    frame = unpacked(payload)
    if not frame:
        return chance.choice(TOKENS)
    frame = chance.choice(DAMAGES)(frame, chance, pool)
    return gzip.compress(frame, compresslevel=1) if is_packed else frame


# --- the test ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VENUES)
def test_damaged_frames_give_events_or_parse_errors(name: str) -> None:
    venue, pool = VENUES[name], seeds(name)
    routes = sorted({route for route, _, _ in pool} | {"", "capture.gz"})
    chance = random.Random(f"{SEED} {name}")
    suspects: list[Suspect] = []
    parsed = refused = 0
    book, parsers = venue.instruments(), {}
    for number in range(FRAMES // len(VENUES)):
        if number % CONNECTION == 0:
            book, parsers = venue.instruments(), {}
        route, payload, at = chance.choice(pool)
        if chance.random() < 0.05:
            route = chance.choice(routes)
        payload = damaged(payload, chance, pool)
        parser = parsers.get(route) or parsers.setdefault(route, venue.parser(split_route(route), book))
        try:
            events = parser.parse(payload, at)
        except ParseError as error:
            refused += 1
            assert error.channel and error.reason, shown(venue, route, payload, "an error without a channel or a reason")
            continue
        except Exception as error:
            pytest.fail(shown(venue, route, payload, f"{type(error).__name__}: {error}"))
        parsed += 1
        assert parser.channel, shown(venue, route, payload, "no channel")
        for event in events:
            if isinstance(event, Instrument):
                book.add(event)
            suspects.append((event, route, payload))
        if len(suspects) >= BATCH:
            hold(venue, suspects)
    hold(venue, suspects)
    assert parsed > 0.05 * (parsed + refused) and refused > 0.2 * (parsed + refused), "the damage is neither too little nor too much"
    for text in (payload for _, payload, _ in pool[:200]):
        if venue.heartbeat.reply is not None:
            venue.heartbeat.reply(damaged(text, chance, pool))


def hold(venue: Venue, suspects: list[Suspect]) -> None:
    """Hold a batch of events against their tables; find the one to blame."""
    for rows in group([event for event, _, _ in suspects]).values():
        if why(rows):
            event, route, payload = next(suspect for suspect in suspects if type(suspect[0]) is type(rows[0]) and why([suspect[0]]))
            pytest.fail(shown(venue, route, payload, f"{why([event])}: {event}"))
    suspects.clear()


def why(rows: list[Any]) -> str:
    """Return why events do not fit their table; empty when they do."""
    try:
        table = to_arrow(rows)
        table.validate(full=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, DeleverageError) as error:
        return f"{type(error).__name__}: {error}"
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_floating(column.type):
            parts = [column]
        elif column.type == LEVELS:
            flat = pc.list_flatten(column)
            parts = [pc.struct_field(flat, [0]), pc.struct_field(flat, [1])]
        else:
            parts = []
        if any(pc.all(pc.is_finite(part.drop_null())).as_py() is False for part in parts):
            return f"{name} is not finite"
        if not table.schema.field(name).nullable and column.null_count:
            return f"{name} is missing"
    if pc.min(table["ts_event"]).as_py() < 0:
        return "ts_event is before 1970"
    return ""


def shown(venue: Venue, route: str, payload: bytes, reason: str) -> str:
    """Write a failure so that it can become a fixture; a packed frame as what was packed, where it can be unpacked."""
    try:
        text = repr(unpacked(payload))
    except zlib.error:
        text = repr(payload)
    return f"{venue.name} at {route!r}: {reason[:600]}\npayload ({len(payload)} bytes): {text[:3000]}"
