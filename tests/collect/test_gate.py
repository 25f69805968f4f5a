"""What is asked stays within a venue's limits, and nothing is asked while it has banned us."""

import asyncio
from time import monotonic

import pytest

from deleverage.collect.gate import SHARE, Gate, retry_after
from deleverage.venues.venue import Limits


@pytest.mark.anyio
async def test_weight_is_spent_within_its_window() -> None:
    gate = Gate(Limits(weight=10 / SHARE, weight_every=0.4))
    began = monotonic()
    for _ in range(5):
        await gate.ask(4)
    assert monotonic() - began > 0.7  # two fit into each window of 0.4 s
    assert gate.weight_used <= 10


@pytest.mark.anyio
async def test_a_question_heavier_than_the_budget_is_asked_alone() -> None:
    gate = Gate(Limits(weight=10, weight_every=0.2))
    await asyncio.wait_for(gate.ask(50), 2)


@pytest.mark.anyio
async def test_reserve_leaves_room_for_others() -> None:
    gate = Gate(Limits(weight=10 / SHARE, weight_every=60))
    await gate.ask(5, reserve=0.5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(gate.ask(1, reserve=0.5), 0.2)
    await asyncio.wait_for(gate.ask(1), 1)


@pytest.mark.anyio
async def test_the_venues_own_count_wins_when_it_is_higher() -> None:
    gate = Gate(Limits(weight=100, weight_every=60))
    gate.told(75)
    assert gate.weight_used == 75
    gate.told(10)
    assert gate.weight_used == 75
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(gate.ask(10), 0.2)


@pytest.mark.anyio
async def test_new_sockets_are_spaced() -> None:
    gate = Gate(Limits(opens=3, opens_every=0.3))  # two of three are used
    began = monotonic()
    for _ in range(4):
        await gate.open()
    assert monotonic() - began >= 0.28


@pytest.mark.anyio
async def test_a_ban_holds_everything_and_the_longer_one_counts() -> None:
    gate = Gate(Limits(ban=0.1))
    gate.ban("first", 0.5)
    gate.ban("second", 0.05)
    assert gate.is_banned and gate.ban_reason == "first"
    began = monotonic()
    await gate.ask(1)
    assert monotonic() - began >= 0.45
    assert not gate.is_banned and gate.banned_seconds == 0


@pytest.mark.parametrize(
    ("text", "low", "high"), [("30", 30, 30), ("0", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("1e99", 3 * 86_400, 3 * 86_400)]
)
def test_retry_after_in_both_forms(text: str, low: float, high: float) -> None:
    found = retry_after(text)
    assert found is not None and low <= found <= high


@pytest.mark.parametrize("text", [None, "", "soon", "nan"])
def test_retry_after_nobody_can_read(text: str | None) -> None:
    assert retry_after(text) is None
