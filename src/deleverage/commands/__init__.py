"""What every command shares: its options, the directory it works on, how it prints. Commands with a file of their own have `add(app)`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from deleverage.errors import BadInput

Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Data directory (default: the settings').")]
At = Annotated[str | None, typer.Option("--at", metavar="T", help="Where the window ends; default: --as-of, else now.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="T", help="What was known then; default: --at, else now.")]
Format = Annotated[str, typer.Option("--format", metavar="table|json|csv", help="How to print.")]
Venue = Annotated[str | None, typer.Option("--venue", metavar="NAME", help="Only this venue.")]
Base = Annotated[str | None, typer.Option("--base", metavar="COIN", help="Only this coin.")]
MADE = "deleverage: this directory holds a reconstruction of 20 and 21 November 2025, not recorded events"


def folder_of(data: Path | None) -> Any:
    """Return the directory named, else the settings'."""
    from deleverage import config
    from deleverage.store.folder import Folder

    return Folder(data or config.settings().data)


def reader_of(data: Path | None) -> Any:
    """Open a directory for reading, through the server that holds it where one does."""
    from deleverage.reader import Reader, open_reader

    folder = folder_of(data)
    reader = open_reader(folder.path, Reader)
    if reader.store is not None:
        warn_of_torn(folder)
    if reader.is_reconstruction:
        typer.echo(MADE, err=True)
    return reader


def warn_of_torn(folder: Any) -> None:
    """Say on standard error when the end of a journal segment cannot be read."""
    from deleverage.journal.reading import summary

    if folder.journal.is_dir():
        found = summary(folder.journal)
        if found.torn_bytes:
            words = f"deleverage: the journal in {folder.path} is torn: {found.torn_bytes:,} bytes at the end of a segment cannot be read;"
            typer.echo(f"{words} the {found.frames:,} rows before them are intact, import the source again to fill the rest", err=True)


def print_rows(rows: Any, form: str, title: str = "", footer: str = "") -> None:
    """Print rows as a table, JSON or CSV."""
    import csv
    import json

    if form == "json":
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif form == "table":
        from deleverage.terminal import print_table

        print_table(rows, title, footer)
    else:
        raise BadInput(f"unknown format {form!r}; there are table, json and csv")


def spare_the_collector() -> None:
    """Let the garbage collector look less often: events hold no cycles, and it costs a fifth of the time where many pass."""
    import atexit
    import gc

    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.001)  # the stream must not wait for the parser, nor the sockets for an answer


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """Show a progress bar on a terminal; stay silent elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} {task.fields[what]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading", total=None, what=what)
        yield lambda done: progress.update(task, completed=done)
