"""The command line. Every command says what went wrong in one line and leaves with 2; nothing is lost."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from deleverage import __version__
from deleverage.commands import AsOf, At, Base, Data, Format, Venue, folder_of, print_rows, reader_of, warn_of_torn
from deleverage.commands import leverage as leverage_commands
from deleverage.commands import options as option_commands
from deleverage.commands import outside as outside_commands
from deleverage.commands import report as report_commands
from deleverage.errors import BadInput, DeleverageError

app = typer.Typer(
    name="deleverage", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Watches crypto-derivatives markets come under stress.\n\nStart with:  deleverage up",
)  # fmt: skip

UsageError = cast(type[Exception], typer.BadParameter.__mro__[2])
"""What the argument parser raises for any wrong use; the parser is the library's own and exports only its subclass."""


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
    settings_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings file (default: deleverage.toml here).")
    ] = None,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if settings_file is not None:
        os.environ["DELEVERAGE_CONFIG"] = str(settings_file)
    if "DELEVERAGE_CONFIG" in os.environ or Path("deleverage.toml").exists() or any(n.startswith("DELEVERAGE_") for n in os.environ):
        from deleverage import config

        config.settings()  # a bad setting is said whatever the command


@app.command()
def up(
    source: Annotated[str | None, typer.Argument(help="A bundled recording's name, a journal, or a JSON Lines file.")] = None,
    data: Data = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port (default 8000).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: this machine only).")] = None,
    speed: Annotated[float | None, typer.Option(min=0.01, max=100_000, help="Recorded seconds played per second (default 20).")] = None,
    live: Annotated[bool | None, typer.Option("--live/--no-live", help="Collect, or do not (default: when a venue answers).")] = None,
) -> None:
    """Serve the page and the API, and collect.

    With a SOURCE, plays it. Without one, collects from the venues when any answers; else shows what the data directory holds, or
    plays the reconstruction of 20 and 21 November 2025 when it is empty (made on first use, in some 20 s).

    \b
    Examples:
      deleverage up
      deleverage up 2025-11-21
      deleverage up --no-live
      deleverage up bybit-2026-10-10 --speed 60
      deleverage up capture.jsonl.gz --port 8001
    """
    from deleverage.api.serve import serve

    _spare_the_collector()
    serve(source, data=data, port=port, host=host, speed=speed, live=live, progress=_progress)


@app.command()
def record(data: Data = None) -> None:
    """Collect only: raw frames into the journal, feed states watched, no page. Stops on SIGTERM or Ctrl-C with nothing lost.

    \b
    Examples:
      deleverage record
      deleverage record --data /var/lib/deleverage
    """
    from deleverage.collect.record import record

    _spare_the_collector()
    record(data)


@app.command()
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


@app.command()
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


@app.command("import")
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


@app.command()
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
        export_raw(folder_of(data), output, start=start, end=end, venue=venue)
        return
    with reader_of(data) as reader:
        if reader.played:
            typer.echo(f"deleverage: these rows are {reader.played}, not recorded data of this directory", err=True)
        export_table(reader, table, form, output, start=start, end=end, venue=venue, base=base, as_of=as_of)


@app.command()
def liquidations(
    window: Annotated[str, typer.Option(metavar="DURATION", help="Length: 1h, 4h, 12h, 24h, 7d …")] = "24h",
    by: Annotated[
        str, typer.Option(metavar="KEYS", help="What to add up by: venue, base, side, size, or several as in venue,side.")
    ] = "venue",
    estimate: Annotated[bool, typer.Option("--estimate", help="Estimate what the feeds left out, with 90 % intervals.")] = False,
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """Liquidated notional over a window, by venue, base, side or size, with coverage.

    \b
    Examples:
      deleverage liquidations --window 24h --by venue --estimate
      deleverage liquidations --at 2025-01-27T17:20:30Z --by base --format json
    """
    from deleverage.answers.liquidations import liquidation_totals, short_estimate

    with reader_of(data) as reader:
        answer = liquidation_totals(reader, window, by, at, as_of, estimate=estimate)
    rows = [short_estimate(row) for row in answer.rows] if estimate and form == "table" and "," not in by and by != "size" else answer.rows
    print_rows(rows, form, title=answer.title, footer=answer.footer)
    if answer.hint:
        typer.echo(answer.hint, err=True)


@app.command()
def waves(
    window: Annotated[str, typer.Option(metavar="DURATION", help="Length: 1h, 4h, 12h, 24h, 7d …")] = "24h",
    scale: Annotated[
        str, typer.Option(metavar="seconds|minutes|hours", help="Bursts of seconds, waves of minutes, tides of hours.")
    ] = "minutes",
    base: Annotated[str, typer.Option("--base", metavar="COIN", help="The coin whose price is told.")] = "BTC",
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """The waves of a window: when, how much, who went first, what broke, and how each ended. JSON tells everything.

    \b
    Examples:
      deleverage waves --at 2025-01-27T17:20:30Z
      deleverage waves --window 7d --scale hours --format json
    """
    from deleverage.answers.liquidations import narrow_wave, short_wave, wave_table

    with reader_of(data) as reader:
        answer = wave_table(reader, window, scale, base, at, as_of)
    rows = answer.rows if form == "json" else [short_wave(row) for row in answer.rows]
    if form == "table":
        rows = [narrow_wave(row) for row in rows]
    print_rows(rows, form, title=answer.title, footer=answer.footer)
    if answer.hint or not answer.rows:
        typer.echo(answer.hint or "no wave in this window: forced orders came too few or too evenly", err=True)


@app.command()
def score(
    what: Annotated[str, typer.Argument(metavar="completeness", help="The model to score.")] = "completeness",
    windows: Annotated[int, typer.Option(min=20, max=20_000, help="Simulated windows to score on.")] = 400,
    form: Format = "table",
) -> None:
    """Score a model where the truth is known: complete feeds are throttled as venues throttle them, estimated, and compared.

    \b
    Examples:
      deleverage score completeness
      deleverage score completeness --windows 3000 --format csv
    """
    from deleverage.answers.liquidations import short_score
    from deleverage.simulate.throttle_lab import report

    if what != "completeness":
        raise BadInput(f"no model {what!r} is scored yet; there is completeness")
    rows, footer = report(windows)
    shown = [short_score(row) for row in rows] if form == "table" else rows
    print_rows(shown, form, title="Completeness under throttling", footer=footer)


@app.command()
def feeds(
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
    channels: Annotated[bool, typer.Option("--channels", help="Every channel of every venue, while collecting.")] = False,
    references: Annotated[bool, typer.Option("--references", help="Sentiment, ETF flows and macro series in place of venues.")] = False,
) -> None:
    """Every venue: the state of its feed with the evidence, and under which coverage rule.

    \b
    Examples:
      deleverage feeds
      deleverage feeds --channels
      deleverage feeds --references
      deleverage feeds --at 2025-01-27T17:00:00Z --format json
    """
    from deleverage.answers.liquidations import feed_states, reference_states

    with reader_of(data) as reader:
        rows = (reference_states if references else feed_states)(reader, at, as_of)
    footer = ""
    if references:
        footer = "\n".join(row["attribution"] for row in rows)
        if form != "json":
            rows = [{"title": r["title"], "state": r["state"], "evidence": r["evidence"].partition(";")[0]} for r in rows]
    elif channels:
        names = ("channel", "state", "rate_per_minute", "expected_per_minute", "lag_seconds", "errors", "evidence")
        rows = [{"venue": r["venue"], **{k: c[k] for k in names}} for r in rows for c in r.get("channels", ())]
        if not rows:
            raise BadInput("channels are known while a server collects into this directory; start one with deleverage up --live")
    elif form != "json":
        rows = [{k: r[k] for k in ("title", "state", "coverage_rule", "frames", "errors", "evidence")} for r in rows]
    print_rows(rows, form, footer=footer)


@app.command()
def doctor(
    venues: Annotated[list[str] | None, typer.Argument(metavar="[VENUE]...", help="Only these.")] = None, form: Format = "table"
) -> None:  # fmt: skip
    """Examine whether the venues can be reached from here, step by step, and say what to do where not.

    \b
    Examples:
      deleverage doctor
      deleverage doctor binance htx --format json
    """
    import asyncio

    import msgspec

    from deleverage import config
    from deleverage.collect.doctor import examine, exit_code
    from deleverage.venues import venue_named

    for name in venues or ():
        venue_named(name)
    found = asyncio.run(examine(config.settings(), venues or None))
    rows = [msgspec.structs.asdict(finding) for finding in found]
    if form == "table":
        rows = [
            {"venue": r["venue"], "step": r["step"], "": "ok" if r["ok"] else "FAILS", "what": r["words"], "do": r["advice"]} for r in rows
        ]
    print_rows(rows, form)
    raise typer.Exit(exit_code(found))


@app.command()
def simulate(
    day: Annotated[str | None, typer.Argument(metavar="[2025-11-21]", help="The day to reconstruct.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another draw of what is generated; the same seed gives the same bytes.")] = None,
    scale: Annotated[float, typer.Option(min=0.05, max=20, help="How many positions, against the usual; the totals stay.")] = 1.0,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to (default: the data directory).")] = None,
    serve: Annotated[
        list[str] | None, typer.Option("--serve", metavar="RECORDING", help="Recording or file to serve; may be repeated.")
    ] = None,
    data: Data = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine (default: any free one).")] = 0,
    speed: Annotated[float, typer.Option(min=0.01, max=100_000, help="Recorded seconds a second.")] = 1.0,
    fault: Annotated[list[str] | None, typer.Option(metavar="KIND[=VENUE]", help="Misbehave so, from the start.")] = None,
) -> None:
    """Reconstruct a day, marked as such in every frame's journal; or serve the six venues on this machine from recordings.

    With a day, writes its frames. With --serve, answers as the venues do, for collectors to be tried against; it can misbehave.
    It prints its address, which goes into the settings: venues.NAME.gateway.

    \b
    Examples:
      deleverage simulate 2025-11-21 --seed 7 -o november.parquet
      deleverage simulate --serve 2025-11-21 --speed 20
      deleverage simulate --serve binance-2025-01-26 --serve bybit-2026-10-10 --port 9000
      deleverage simulate --serve bybit-2026-08-09 --fault wrong_route=binance
    """
    import msgspec

    if (day is None) == (not serve):
        raise BadInput("say a day to reconstruct (2025-11-21), or what to serve with --serve RECORDING")
    if day is not None:
        _reconstruct(day, seed, scale, output, data)
        return
    from deleverage.simulate.faults import Fault, Kind
    from deleverage.simulate.venue_server import recorded
    from deleverage.simulate.venue_server import serve as serve_venues

    faults = []
    for text in fault or ():
        kind, _, venue = text.partition("=")
        try:
            faults.append(msgspec.convert({"kind": kind, "venue": venue}, Fault))
        except msgspec.ValidationError:
            raise BadInput(f"--fault {text!r} is none of {', '.join(get_args(Kind))}; as KIND or KIND=VENUE") from None
    serve_venues(recorded(serve or (), folder_of(data).path), port=port, speed=speed, faults=faults)


@app.command()
def settings(form: Format = "table") -> None:
    """Print every setting in force, with its meaning.

    \b
    Examples:
      deleverage settings
    """
    from deleverage import config

    print_rows(config.effective(config.settings()), form)


leverage_commands.add(app)
report_commands.add(app)


def _reconstruct(day: str, seed: int | None, scale: float, output: Path | None, data: Path | None) -> None:
    """Write a reconstruction, and say what it holds."""
    from deleverage.simulate.reconstruction.recording import DAY, SEED, kept, write

    if day != DAY:
        raise BadInput(f"no reconstruction of {day!r}; there is {DAY}")
    if output is not None and output.suffix != ".parquet":
        raise BadInput(f"{output}: frames are written as Parquet; name a file that ends in .parquet")
    path = output or kept(folder_of(data).path, SEED if seed is None else seed, scale)
    with _progress("frames made") as step:
        frames = write(path, SEED if seed is None else seed, scale, step)
    typer.echo(f"{path}: {frames:,} frames of 20 and 21 November 2025, a reconstruction, not recorded events")


def _whole(reader: Any) -> Any:
    from deleverage.answers.liquidations import everything

    return everything(reader)


def _import_raw(files: list[str], data: Path | None) -> dict[str, Any]:
    from deleverage.collect.ingest import import_sources
    from deleverage.simulate.reconstruction.recording import DAY, made

    _spare_the_collector()
    folder = folder_of(data)
    warn_of_torn(folder)
    if DAY in files and not Path(DAY).exists():
        with _progress("frames made") as step:
            path = made(folder.path, progress=step).path
        files = [str(path) if file == DAY else file for file in files]
    with _progress("frames") as step:
        return import_sources(folder, files, step)


def _spare_the_collector() -> None:
    """Let the garbage collector look less often: events hold no cycles, and it costs a fifth of the time where many pass."""
    import atexit
    import gc

    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.001)  # the stream must not wait for the parser, nor the sockets for an answer


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


@contextmanager
def _progress(what: str) -> Iterator[Any]:
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


option_commands.add(app)
outside_commands.add(app)


def main() -> None:
    """Run the command line; print any error of ours, or of the user's, in one line."""
    started = time.monotonic()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # our matrices are small: threads only wait for each other there
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except DeleverageError as error:
        _fail(str(error))
    except typer.Abort:
        _fail(f"stopped after {time.monotonic() - started:.0f} s", 130)
    except UsageError as error:
        _fail(_words(error))
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        if error.errno == errno.EPIPE or "Broken pipe" in str(error):
            sys.exit(0)
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _words(error: Exception) -> str:
    """Return a usage error's words with the option they are about."""
    format_message = getattr(error, "format_message", None)
    return str(format_message()) if callable(format_message) else str(error)


def _fail(message: str, code: int = 2) -> None:
    print(f"deleverage: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201 - the one place that speaks to the terminal by itself
    sys.exit(code)


if __name__ == "__main__":
    main()
