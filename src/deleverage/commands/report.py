"""Commands about what is written: other people's text held against rules and data."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deleverage.commands import AsOf, Data, print_rows, reader_of
from deleverage.errors import BadInput

if TYPE_CHECKING:
    from deleverage.figure import Figure

MOST_BYTES = 4_000_000


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(lint)


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text or Markdown file in English; - is standard input.")],
    data: Data = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="T", help="The moment the text speaks of; with it the tables are asked.")
    ] = None,
    as_of: AsOf = None,
    form: Annotated[str, typer.Option("--format", metavar="table|json|csv", help="How to print.")] = "table",
    strict: Annotated[bool, typer.Option("--strict", help="Leave with 1 when anything is inconsistent.")] = False,
) -> None:
    """Hold a market text against itself, and with --at (or --data) against the tables: rules and arithmetic, no model.

    \b
    Examples:
      deleverage lint article.md
      deleverage lint article.md --data my-data --at 2025-11-21T15:00:00Z
      pbpaste | deleverage lint - --format json --strict
    """
    from deleverage.report.lint import lint as judge

    text = _text(file)
    figures: dict[str, Figure] = {}
    month: str | None = None
    if at is not None or as_of is not None or data is not None:
        figures, month = _figures(data, at, as_of)
        month = month if at is not None or as_of is not None else None
    rows: list[Any] = list(judge(text, figures, month))
    counts = {v: sum(row["verdict"] == v for row in rows) for v in ("consistent", "inconsistent", "not_checkable")}
    footer = ", ".join(f"{n} {v.replace('_', ' ')}" for v, n in counts.items())
    shown = rows
    if form == "table":
        rows.sort(key=lambda row: row["verdict"] != "inconsistent")
        shown = [
            {"verdict": r["verdict"].replace("_", " "), "rule": r["rule"], "what": r["text"], "evidence": r["arithmetic"]} for r in rows
        ]
    print_rows(shown, form, footer=footer)
    if strict and counts["inconsistent"]:
        raise typer.Exit(1)


def _text(file: str) -> str:
    """Read a text, or say in one line why it is none."""
    name = "standard input" if file == "-" else file
    try:
        raw = sys.stdin.buffer.read(MOST_BYTES + 1) if file == "-" else _bytes(Path(file))
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror or error}") from None
    if len(raw) > MOST_BYTES:
        raise BadInput(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; an article is far shorter")
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{name} is not text in UTF-8") from None
    if "\x00" in text or sum(ord(c) < 32 and c not in "\t\n\r\f\v" for c in text[:10_000]) > 20:
        raise BadInput(f"{name} is binary, not text")
    return text


def _bytes(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _figures(data: Path | None, at: str | None, as_of: str | None) -> tuple[dict[str, "Figure"], str]:
    """The system's own figures at a moment, and the name of its month (UTC)."""
    import msgspec

    from deleverage.api.routes import resolve
    from deleverage.api.session import StoredSession
    from deleverage.figure import Figure
    from deleverage.report.extract import MONTHS
    from deleverage.report.figures import figures
    from deleverage.report.reading import DAY, read
    from deleverage.when import iso

    ends, known = resolve(at, as_of, time.time_ns())
    month = MONTHS.split("|")[int(iso(ends)[5:7]) - 1]
    with reader_of(data) as reader:
        if reader.store is not None:
            return dict(figures(read(StoredSession(reader.store, ""), ends, known, DAY))), month
        asked = {"at": f"{ends}ns", "as_of": f"{known}ns", "window": "24h"}
        told = reader.ask_json("figures", asked)
    rows = msgspec.convert(told["data"], list[Figure])
    return {figure.name: figure for figure in rows}, month
