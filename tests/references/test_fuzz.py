"""Damaged answers of references give events the tables can hold, or a ParseError; nothing else."""

import os
import random
from datetime import UTC, datetime

import pytest
from tests.references.answers import ADDRESSES, FOLDER, RECEIVED, stored

from deleverage.errors import ParseError
from deleverage.events import Event
from deleverage.references import REFERENCES
from deleverage.store.columns import group, to_arrow
from deleverage.venues.venue import split_route

FRAMES = int(os.environ.get("DELEVERAGE_FUZZ_FRAMES", "50000")) // 20
SEED = int(os.environ.get("DELEVERAGE_FUZZ_SEED", "20261122"))
TOKENS = (
    b"", b"-", b"0", b"0.0", b"nan", b"NaN", b"1e999", b"-1", b"9" * 40, b"(", b")", b",", b"\n", b"\x00", b"\xff\xfe", b'"', b"null",
    b"{}", b"[" * 900, b"<td>", b"</tr>", b"<table>", b'<td rowspan="9999" colspan="9999">', b"<sup>", b"</table>", b"<th>IBIT</th>",
    b"31 Feb 2026", b"99 Dec 9999", b"31 Dec 9999", b"01 Jan 0001", b"9999-12-31", b"0001-01-01", b"2026-02-30", "١٢".encode(),
    b"[]", "²".encode(), b".", b"9223372036854775808", b"observation_date",
)  # fmt: skip


def damaged(payload: bytes, chance: random.Random, pool: list[bytes]) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 5))):
        act = chance.randrange(5)
        start = chance.randrange(len(payload) + 1)
        if act == 0:
            payload = payload[:start]
        elif act == 1:
            payload = payload[:start] + bytes([chance.randrange(256)]) + payload[start + 1 :]
        elif act == 2:
            payload = payload[:start] + chance.choice(TOKENS) + payload[start + chance.choice((0, 1, 5, 30)) :]
        elif act == 3:
            payload = payload[:start] + payload[start + chance.randrange(400) :]
        else:
            other = chance.choice(pool)
            cut = chance.randrange(len(other) + 1)
            payload = payload[:start] + other[cut : cut + 300] + payload[start:]
    return payload


@pytest.mark.parametrize("venue", REFERENCES)
def test_damaged_answers(venue: str) -> None:
    chance, reference = random.Random(f"{SEED} {venue}"), REFERENCES[venue]
    seeds = [(route, stored(name)) for name, (of, route) in ADDRESSES.items() if of == venue]
    pool = [path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix != ".md"]
    kept: list[Event] = []
    refused = 0
    for n in range(FRAMES):
        route, payload = chance.choice(seeds)
        payload = payload if n < len(seeds) else damaged(payload, chance, pool)
        parser = reference.parser(split_route(route), reference.instruments())
        now = RECEIVED + n
        try:
            kept.extend(parser.parse(payload, now))
        except ParseError as error:
            refused += 1
            assert error.channel == parser.channel and error.reason
        except Exception as error:
            raise AssertionError(f"{venue} {route}: {error!r}: {payload!r}") from error
        for poll in reference.polls:
            if poll.due is not None:
                try:
                    due = poll.due(now, payload)
                except ParseError:
                    continue
                assert now < due <= now + 5 * 86_400 * 10**9, payload
    assert kept and 0 < refused < FRAMES
    for rows in group(kept).values():
        to_arrow(rows).validate(full=True)
    last = int(datetime(2262, 1, 1, tzinfo=UTC).timestamp()) * 10**9
    assert all(abs(e.ts_event) < last for e in kept)
