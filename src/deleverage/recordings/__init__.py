"""The recordings that come with the package: real public captures, each with its provenance."""

import json
from functools import cache
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from deleverage.errors import BadInput

HERE = Path(__file__).parent
DEFAULT = "binance-2025-01-26"
"""What `deleverage up` plays when nothing else is asked for."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One bundled recording. `stretches` are [start, end] of each connection, ns UTC; `venues` those recorded; a playback
    begins at `opens_at` (ns UTC, 0: at the first frame)."""

    name: str
    title: str
    about: str
    provenance: tuple[dict[str, str], ...]
    path: Path
    venues: tuple[str, ...] = ()
    stretches: tuple[tuple[int, int], ...] = ()
    frames: int = 0
    bytes: int = 0
    is_reconstruction: bool = False
    opens_at: int = 0


@cache
def bundled() -> dict[str, Recording]:
    """Return the bundled recordings by name, the default one first."""
    found = {}
    for facts_file in HERE.glob("*/recording.json"):
        facts = json.loads(facts_file.read_text())
        found[facts["name"]] = _described(facts, facts_file.parent / "frames.parquet")
    return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])))


def recording_named(name: str) -> Recording:
    """Return a bundled recording. Raises BadInput naming the known ones."""
    try:
        return bundled()[name]
    except KeyError:
        raise BadInput(f"unknown recording {name!r}; bundled: {', '.join(bundled())}") from None


def _described(facts: dict[str, object], path: Path) -> Recording:
    """Add what the file itself says: venues, stretches, size."""
    rows = pq.read_table(path, columns=["ts_recv", "venue", "route", "direction"]).to_pylist()
    stretches: list[tuple[int, int]] = []
    opened: dict[str, int] = {}
    last: dict[str, int] = {}
    for row in rows:
        route, at = row["route"], row["ts_recv"]
        if route.startswith("http"):
            continue
        if row["direction"] == "open":
            opened[route] = at
        elif row["direction"] == "close" and route in opened:
            stretches.append((opened.pop(route), at))
        last[route] = at
    stretches += [(start, last[route]) for route, start in opened.items()]
    incoming = sum(row["direction"] == "in" for row in rows)
    return msgspec.convert(
        {**facts, "path": path, "venues": sorted({row["venue"] for row in rows}), "stretches": sorted(stretches), "frames": incoming,
         "bytes": path.stat().st_size},
        Recording, dec_hook=lambda kind, value: value,
    )  # fmt: skip
