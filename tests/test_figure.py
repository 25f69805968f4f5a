"""A published number says what it is, or is refused."""

import pytest

from deleverage.figure import Figure, hash_inputs


def figure(**changes: object) -> Figure:
    return Figure(**{"name": "x", "value": 1.0, "unit": "usd", "at": 2, "as_of": 2, **changes})  # type: ignore[arg-type]


def test_a_value_is_absent_exactly_when_missing() -> None:
    assert figure(value=None, status="missing").value is None
    with pytest.raises(ValueError, match="absent exactly"):
        figure(value=None)
    with pytest.raises(ValueError, match="absent exactly"):
        figure(status="missing")


@pytest.mark.parametrize("changes", [{"coverage": 1.01}, {"coverage": -0.1}, {"interval": (2.0, 1.0)}])
def test_nonsense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="figure x"):
        figure(**changes)


def test_hash_depends_on_every_input_and_its_order() -> None:
    hashes = {hash_inputs(parts) for parts in ([1, 2], [2, 1], [12], ["1", "2"], [1, 2, ""], [1.0, 2])}
    assert len(hashes) == 6 and all(len(h) == 16 for h in hashes)
