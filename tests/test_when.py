"""Instants and durations as people write them."""

import pytest

from deleverage.errors import BadInput
from deleverage.when import SECOND, duration, instant, iso

AT = 1_763_727_900 * SECOND


@pytest.mark.parametrize(
    "text",
    ["2025-11-21T12:25:00Z", "2025-11-21T12:25:00", "2025-11-21 12:25", "2025-11-21T14:25:00+02:00", "1763727900", "1763727900000",
     "1763727900000000", "1763727900000000000", " 2025-11-21T12:25Z "],
)  # fmt: skip
def test_one_instant_many_spellings(text: str) -> None:
    assert instant(text, 0) == AT


def test_now_and_fractions() -> None:
    assert instant("now", 7) == 7
    assert instant("2025-11-21T12:25:00.123456Z", 0) == AT + 123_456_000
    assert iso(AT + 123_456_789) == "2025-11-21T12:25:00.123Z"


@pytest.mark.parametrize("text", ["", "soon", "¹", "--5", "1e9", "2025-13-01", "1999-01-01", "2150-01-01", "9" * 30, "2025-11-21T25:00"])
def test_no_instant(text: str) -> None:
    with pytest.raises(BadInput):
        instant(text, 0)


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1.5h", "24", "1y", "²h", "99999999d"])
def test_no_duration(text: str) -> None:
    with pytest.raises(BadInput):
        duration(text)
