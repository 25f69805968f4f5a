"""What the command line and Python ask of reports: from the directory's own tables, or from the server that holds them."""

import time
from pathlib import Path
from typing import Any, cast

import msgspec

from deleverage.api.routes import resolve
from deleverage.api.session import StoredSession
from deleverage.errors import BadInput
from deleverage.figure import Figure
from deleverage.reader import Reader
from deleverage.report.bundle import pack
from deleverage.report.compose import compose
from deleverage.report.figures import figures
from deleverage.report.reading import Reading, read
from deleverage.report.render import FORMS, Form, render
from deleverage.report.verify import Verdict, verify
from deleverage.when import duration

PACKED: tuple[Form, ...] = ("html", "md", "json")
"""Forms that go into every data pack; PDF joins where it was asked for."""


def reading_of(reader: Reader, window: str, at: str | None, as_of: str | None, base: str) -> Reading:
    """Read what a report needs of an open directory. Raises BadInput for what cannot be read."""
    assert reader.store is not None
    ends, known = resolve(at, as_of, time.time_ns())
    return read(StoredSession(reader.store, ""), ends, known, duration(window), base)


def figures_of(
    reader: Reader, window: str = "24h", at: str | None = None, as_of: str | None = None, base: str = "BTC"
) -> dict[str, Figure]:  # fmt: skip
    """Return every figure that can be stated, by name."""
    if reader.store is None:
        said = reader.ask_json("figures", _asked(window, at, as_of, base))
        return {figure.name: figure for figure in msgspec.convert(said["data"], list[Figure])}
    return figures(reading_of(reader, window, at, as_of, base))


def report_of(
    reader: Reader, form: str = "html", window: str = "24h", at: str | None = None, as_of: str | None = None, base: str = "BTC",
    templates: Path | None = None,
) -> bytes:  # fmt: skip
    """Return a report as html, md, pdf, json or zip (its data pack)."""
    if form not in (*FORMS, "zip"):
        raise BadInput(f"unknown format {form!r}; there are html, md, pdf, json and zip")
    if reader.store is None:
        if templates is not None:
            raise BadInput("a server holds this directory and prints with its own templates; see report.templates in the settings")
        return reader.ask("report", _asked(window, at, as_of, base) | {"format": form})
    reading = reading_of(reader, window, at, as_of, base)
    report = compose(reading)
    return pack(reading, report, (*PACKED, "pdf"), templates) if form == "zip" else render(report, cast(Form, form), templates)


def verdict_of(file: Path, reader: Reader | None, templates: Path | None = None) -> Verdict:
    """Verify a data pack from its own rows, or a report from an open directory."""
    if reader is None:
        return verify(file, None, templates)
    if reader.store is None:
        raise BadInput("a server holds this directory; verify the report's data pack (.zip), or stop the server")
    session = StoredSession(reader.store, "")
    return verify(file, lambda at, as_of, window, base: read(session, at, as_of, window, base), templates)


def _asked(window: str, at: str | None, as_of: str | None, base: str) -> dict[str, str]:
    told: dict[str, Any] = {"window": window, "base": base, "at": at, "as_of": as_of}
    return {name: str(value) for name, value in told.items() if value is not None}
