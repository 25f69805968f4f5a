"""Commands about what is written: figures, the report and its verification; other people's text held against rules and data."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deleverage.commands import AsOf, At, Data, Format, print_rows, reader_of
from deleverage.errors import BadInput

if TYPE_CHECKING:
    from deleverage.figure import Figure

MOST_BYTES = 4_000_000


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(figures)
    app.command()(report)
    app.command()(verify)
    app.command()(lint)


Window = Annotated[str, typer.Option("--window", metavar="DURATION", help="Length: 1h, 4h, 12h, 24h, 7d …")]
Coin = Annotated[str, typer.Option("--base", metavar="COIN", help="The coin whose price, leverage and options are told.")]
Templates = Annotated[Path | None, typer.Option("--templates", metavar="DIR", help="Templates that come before the package's.")]


def figures(
    window: Window = "24h",
    base: Coin = "BTC",
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
    about: Annotated[bool, typer.Option("--about", help="What kinds of figures there are, in place of their values.")] = False,
) -> None:
    """Every figure that can be stated of a moment, each with its status, coverage, source rows and a digest of them.

    \b
    Examples:
      deleverage figures --as-of 2025-01-27T17:20:30Z --format json
      deleverage figures --at 2025-11-21T15:00:00Z --window 4h
      deleverage figures --about
    """
    if about:
        from deleverage.report.figures import REGISTRY

        print_rows([{"name": s.name, "unit": s.unit or "various", "meaning": s.about} for s in REGISTRY.values()], form)
        return
    from deleverage.answers.report import figures_of
    from deleverage.report.render import figure_document

    with reader_of(data) as reader:
        found = figures_of(reader, window, at, as_of, base)
    rows: list[Any] = [figure_document(figure) for figure in found.values()]
    if form != "json":
        rows = [{"name": r["name"], "figure": _shown(found[r["name"]]), "status": r["status"], "coverage": r["coverage"],
                 "hash": r["inputs_hash"]} for r in rows]  # fmt: skip
    print_rows(rows, form, title=f"Figures, {window}")


def _shown(figure: "Figure") -> str:
    from deleverage.report.claims import show

    return show(figure).text if figure.unit != "time" else f"{figure.value:.3f}"


def report(
    window: Window = "24h",
    base: Coin = "BTC",
    form: Annotated[str, typer.Option("--format", metavar="html|md|pdf|json", help="How to print.")] = "html",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to (default: standard output).")] = None,
    bundle: Annotated[bool, typer.Option("--bundle", help="Write the data pack beside it: FILE.zip, for deleverage verify.")] = False,
    templates: Templates = None,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Go on: one this often, into the directory of --output (with up: settings).")
    ] = None,
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
) -> None:
    """The written report of a window: what was liquidated, the waves, leverage, options, sentiment, flows, the economy, what is not known.

    Every number is a footnote to its figure. The same data gives the same bytes. With --as-of later than --at it says what was revised.

    \b
    Examples:
      deleverage report --at 2025-01-27T17:20:30Z --window 1h -o report.html --bundle
      deleverage report --at 2025-11-21T15:00:00Z --format pdf -o november.pdf
      deleverage report --every 1d -o reports/
    """
    from deleverage.answers.report import report_of

    if bundle and output is None:
        raise BadInput("a data pack needs a file: add -o FILE")
    if every is not None:
        _go_on(every, window, base, form, output, bundle, templates, data, at or as_of)
        return
    with reader_of(data) as reader:
        content = report_of(reader, form, window, at, as_of, base, templates)
        packed = report_of(reader, "zip", window, at, as_of, base, templates) if bundle else b""
    if output is None:
        sys.stdout.buffer.write(content)
        return
    _write(output, content)
    if bundle:
        _write(output.with_name(f"{output.name}.zip"), packed)


def _write(path: Path, content: bytes) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(f"cannot write {path}: {'it is a directory' if path.is_dir() else f'there is no directory {path.parent}'}")
    path.write_bytes(content)


def _go_on(
    every: str, window: str, base: str, form: str, output: Path | None, bundle: bool, templates: Path | None, data: Path | None,
    when: str | None,
) -> None:  # fmt: skip
    """Write a report at every round instant, until stopped."""
    from deleverage.answers.report import report_of
    from deleverage.report.schedule import named
    from deleverage.when import duration

    step = duration(every)
    if when is not None:
        raise BadInput("--every goes on from now; --at and --as-of are of one report")
    if output is None:
        raise BadInput("--every needs a directory to write into: add -o DIRECTORY")
    if not output.is_dir():
        raise BadInput(f"--every writes into a directory, and {output} is none")
    if step < 60_000_000_000:
        raise BadInput("a report every minute at most")
    while True:
        now = time.time_ns()
        instant = (now // step + 1) * step
        time.sleep(max((instant - now) / 1e9, 0.0))
        with reader_of(data) as reader:
            for kind in (form, *(["zip"] if bundle else [])):
                content = report_of(reader, kind, window, f"{instant}ns", None, base, templates)
                (output / named(instant, kind)).write_bytes(content)
        typer.echo(str(output / named(instant, form)))


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A data pack (.zip), or a report: html, md, json, pdf.")],
    data: Data = None,
    templates: Templates = None,
    form: Format = "table",
) -> None:
    """Make every figure of a report again from its rows, and print what differs: values, words, hashes. Leaves with 1 when anything does.

    A data pack has its rows with it; a report by itself is compared with the data directory it was written from.

    \b
    Examples:
      deleverage verify report.html.zip
      deleverage verify report.pdf --data my-data
    """
    from deleverage.answers.report import verdict_of

    if not file.is_file() or _bytes(file, 2) == b"PK":
        found = verdict_of(file, None)
    else:
        with reader_of(data) as reader:
            found = verdict_of(file, reader, templates)
    most = 34 if form == "table" else 10_000
    rows = [{name: words if len(words) <= most else f"{words[:most]}…" for name, words in d._asdict().items()} for d in found.differences]
    words = f"{found.file}: {found.figures} figures made again from {found.against}; "
    words += f"{len(rows)} differences" if rows else "every value, word and hash agrees"
    if form == "table" and not rows:
        typer.echo(words)
    else:
        print_rows(rows, form, footer=words)
    if rows:
        raise typer.Exit(1)


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


def _bytes(path: Path, most: int = MOST_BYTES + 1) -> bytes:
    with path.open("rb") as opened:
        return opened.read(most)


def _figures(data: Path | None, at: str | None, as_of: str | None) -> tuple[dict[str, "Figure"], str]:
    """The system's own figures at a moment, and the name of its month (UTC)."""
    import msgspec

    from deleverage.api.routes import resolve
    from deleverage.api.session import StoredSession
    from deleverage.figure import Figure
    from deleverage.report.figures import figures
    from deleverage.report.lint.extract import MONTHS
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
