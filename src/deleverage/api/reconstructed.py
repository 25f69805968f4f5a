"""What was made again and not recorded says so in every answer: the stretches that are, and the word for their figures."""

from typing import Any

from deleverage.journal.frame import LATEST, RECONSTRUCTION
from deleverage.store.store import Store
from deleverage.when import instant

LABEL = "Reconstruction, not recorded events"
OWN = ("measured", "estimated")
"""Statuses that speak of recorded events; in a reconstruction every figure is `modelled`."""


def reconstructed(store: Store) -> list[tuple[int, int]]:
    """Return the stretches [start, end), ns UTC, whose rows come from reconstructed frames."""
    rows = store.read("venue_statuses", where={"status": RECONSTRUCTION}).to_pylist()
    return sorted({_stretch(row["detail"]) for row in rows})


def _stretch(detail: str) -> tuple[int, int]:
    """Read `START/END …`; without it the whole of time is meant, so that nothing made passes for recorded."""
    start, slash, end = detail.split(" ")[0].partition("/")
    return (instant(start, 0), instant(end, 0)) if slash else (0, LATEST)


def overlaps(stretches: list[tuple[int, int]], start: int, at: int) -> bool:
    """Tell whether a window [start, at) holds any of it."""
    return any(low < at and start < high for low, high in stretches)


def labelled(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer whose figures say that they are modelled, when it is about a reconstruction."""
    return {key: modelled(value) for key, value in answer.items()} if answer.get("is_reconstruction") else answer


def as_served(stretches: list[tuple[int, int]], start: int, at: int, answer: Any) -> Any:
    """Return what was worked out of files as the server tells it: of a window [start, at) of a reconstruction, its figures are modelled."""
    return modelled(answer) if overlaps(stretches, start, at) else answer


def modelled(value: Any) -> Any:
    """Replace the status of every figure inside.

    >>> modelled({"total": {"status": "measured", "usd": 1.0}, "rows": [{"status": "missing"}]})
    {'total': {'status': 'modelled', 'usd': 1.0}, 'rows': [{'status': 'missing'}]}
    """
    if isinstance(value, dict):
        return {key: "modelled" if key == "status" and inner in OWN else modelled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [modelled(inner) for inner in value]
    return value
