"""Commands about frames and tables: recordings, replay, import, export."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deleverage.commands import (
    MADE,
    AsOf,
    Base,
    Data,
    Format,
    Venue,
    folder_of,
    print_rows,
    progress,
    reader_of,
    spare_the_collector,
    warn_of_torn,
)
from deleverage.errors import BadInput


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(recordings)
    app.command()(replay)
    app.command("import")(import_)
    app.command()(export)


def recordings(form: Format = "table") -> None:
    """List the bundled recordings."""
    from deleverage.recordings import bundled
    from deleverage.when import iso

    rows = [
        {"name": r.name, "title": r.title, "venues": ", ".join(r.venues), "frames": r.frames,
         "from": iso(min(s for s, _ in r.stretches)), "to": iso(max(e for _, e in r.stretches)),
         "licence": "; ".join(sorted({p["licence"] for p in r.provenance}))}
        for r in bundled().values()
    ]  # fmt: skip
    if form == "table":
        rows = [{k: row[k] for k in ("name", "title", "frames")} for row in rows]
    print_rows(rows, form, footer="Beside them, made on first use: 2025-11-21, a reconstruction of 20 and 21 November 2025.")


def replay(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Bundled recordings, journals, or JSON Lines files.")],
    data: Data = None,
) -> None:
    """Load recordings into a data directory as fast as possible, and print the totals.

    \b
    Examples:
      deleverage replay binance-2025-01-26 --data my-data
      deleverage replay monday.jsonl.zst tuesday.jsonl.zst --data my-data
    """
    report = _import_raw(sources, data)
    with reader_of(data) as reader:
        moment = _whole(reader)
        if moment is not None:
            print_rows(moment.totals("venue"), "table", title=f"All liquidations in {reader.folder.path}")
    typer.echo(_tally_line(report))


def import_(
    table: Annotated[str, typer.Argument(metavar="raw|TABLE", help="`raw` for frames, else the table the files hold.")],
    files: Annotated[list[str], typer.Argument(metavar="FILE...")],
    data: Data = None,
    report: Annotated[str | None, typer.Option(metavar="json", help="Print what was found, as JSON.")] = None,
    column: Annotated[list[str] | None, typer.Option(metavar="OURS=THEIRS", help="Which column of the file is ours.")] = None,
    unit: Annotated[list[str] | None, typer.Option(metavar="COLUMN=UNIT", help="Unit of a column: ms, percent, musd, 1e6 …")] = None,
    constant: Annotated[list[str] | None, typer.Option("--set", metavar="COLUMN=VALUE", help="A value all rows share.")] = None,
    lag: Annotated[str | None, typer.Option(metavar="DURATION", help="Known this long after ts_event (default: known now).")] = None,
) -> None:
    """Bring in raw frames, or a table of history from CSV or Parquet.

    \b
    Examples:
      deleverage import raw capture.jsonl.gz --report json
      deleverage import open_interest oi.csv --set venue=binance --column ts_event=timestamp --unit ts_event=ms --lag 5m
      deleverage import liquidations sums.csv --set venue=binance --set base=BTC --column long_usd=l --column short_usd=s
    """
    import json

    if report not in (None, "json"):
        raise BadInput(f"unknown report {report!r}; there is json")
    if table == "raw":
        found = _import_raw(files, data)
        typer.echo(json.dumps(found, indent=2) if report else _tally_line(found))
        return
    from deleverage.collect.history import import_table

    for file in files:
        result = import_table(
            folder_of(data), Path(file), table, columns=_pairs(column, "--column"), units=_pairs(unit, "--unit"),
            constants=_pairs(constant, "--set"), lag=lag,
        )  # fmt: skip
        typer.echo(json.dumps(result, indent=2) if report else f"{file}: {result['rows']} rows of {table}, {result['new']} new")


def export(
    table: Annotated[str, typer.Argument(metavar="raw|TABLE", help="`raw` for frames, else a table.")],
    data: Data = None,
    form: Annotated[str, typer.Option("--format", metavar="parquet|csv|arrow", help="Format of a table; raw is JSON Lines.")] = "parquet",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to (default: standard output).")] = None,
    start: Annotated[str | None, typer.Option(metavar="T", help="First instant, inclusive.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help="Last instant, exclusive.")] = None,
    venue: Venue = None,
    base: Base = None,
    as_of: AsOf = None,
) -> None:
    """Write a table, or the raw frames, out.

    \b
    Examples:
      deleverage export liquidations --format csv -o liquidations.csv
      deleverage export raw --venue bybit -o frames.jsonl.zst
    """
    from deleverage.export import export_raw, export_table

    if table == "raw":
        if export_raw(folder_of(data), output, start=start, end=end, venue=venue):
            typer.echo(MADE, err=True)
        return
    with reader_of(data) as reader:
        if reader.played:
            typer.echo(f"deleverage: these rows are {reader.played}, not recorded data of this directory", err=True)
        export_table(reader, table, form, output, start=start, end=end, venue=venue, base=base, as_of=as_of)


def _whole(reader: Any) -> Any:
    from deleverage.answers.liquidations import everything

    return everything(reader)


def _import_raw(files: list[str], data: Path | None) -> dict[str, Any]:
    from deleverage.collect.ingest import import_sources
    from deleverage.simulate.reconstruction.recording import DAY, made

    spare_the_collector()
    folder = folder_of(data)
    warn_of_torn(folder)
    if DAY in files and not Path(DAY).exists():
        with progress("frames made") as step:
            path = made(folder.path, progress=step).path
        files = [str(path) if file == DAY else file for file in files]
    with progress("frames") as step:
        return import_sources(folder, files, step)


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise BadInput(f"{option} {text!r} is not NAME=VALUE")
        pairs[name.strip()] = value
    return pairs


def _tally_line(report: dict[str, Any]) -> str:
    events = ", ".join(f"{n} {name}" for name, n in report["events"].items()) or "no events"
    rest = ", ".join(f"{report[name]} {name}" for name in ("ignored", "unknown", "errors") if report[name])
    return f"{report['frames']} frames ({report['new']} new): {events}{'; ' + rest if rest else ''}"
