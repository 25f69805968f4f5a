"""Each room imports only what stands to its left (ARCHITECTURE.md)."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "deleverage"
ORDER = (
    {"errors", "config", "figure", "when", "log"},
    {"instruments", "events"},
    {"tables"},
    {"venues", "references", "analytics"},
    {"journal", "store", "live", "recordings"},
    {"collect", "simulate"},
    {"reader", "export"},
    {"report", "alerts", "api"},
    {"answers", "directory", "terminal", "commands", "cli", "reference", "docs"},
)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
PURE = {"venues", "references", "analytics", "instruments", "events", "tables", "figure"}
WORLD = {"socket", "asyncio", "time", "random", "os", "threading", "urllib.request", "subprocess", "duckdb", "websockets", "pathlib"}
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Names of the modules a file imports when it is loaded or used; imports for type checkers alone do not count."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_left(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    assert room in LEVEL, f"{room} is a room nobody placed"
    for name in imports(path):
        if not name.startswith("deleverage.") or name == "deleverage":
            continue
        other = name.split(".")[1]
        if other in ("__version__",):
            continue
        assert other in LEVEL, f"{path.name} imports {name}: no such room"
        assert other == room or LEVEL[other] <= LEVEL[room], f"{path.name} ({room}) imports {name}, which stands to its right"


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in PURE], ids=lambda p: str(p.relative_to(SOURCE)))
def test_pure_rooms_touch_no_world(path: Path) -> None:
    assert not imports(path) & WORLD


def test_no_drawer_modules() -> None:
    drawers = {"utils", "common", "helpers", "misc", "core", "manager"}
    assert not [p for p in FILES if p.stem in drawers]
