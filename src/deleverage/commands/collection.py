"""Commands that serve, collect, examine and simulate."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from deleverage.commands import AsOf, At, Data, Format, folder_of, print_rows, progress, reader_of, spare_the_collector
from deleverage.errors import BadInput


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(record)
    app.command()(feeds)
    app.command()(doctor)
    app.command()(simulate)
    app.command()(settings)


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

    spare_the_collector()
    serve(source, data=data, port=port, host=host, speed=speed, live=live, progress=progress)


def record(data: Data = None) -> None:
    """Collect only: raw frames into the journal, feed states watched, no page. Stops on SIGTERM or Ctrl-C with nothing lost.

    \b
    Examples:
      deleverage record
      deleverage record --data /var/lib/deleverage
    """
    from deleverage.collect.record import record

    spare_the_collector()
    record(data)


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


def settings(form: Format = "table") -> None:
    """Print every setting in force, with its meaning.

    \b
    Examples:
      deleverage settings
    """
    from deleverage import config

    print_rows(config.effective(config.settings()), form)


def _reconstruct(day: str, seed: int | None, scale: float, output: Path | None, data: Path | None) -> None:
    """Write a reconstruction, and say what it holds."""
    from deleverage.simulate.reconstruction.recording import DAY, SEED, kept, write

    if day != DAY:
        raise BadInput(f"no reconstruction of {day!r}; there is {DAY}")
    if output is not None and output.suffix != ".parquet":
        raise BadInput(f"{output}: frames are written as Parquet; name a file that ends in .parquet")
    path = output or kept(folder_of(data).path, SEED if seed is None else seed, scale)
    with progress("frames made") as step:
        frames = write(path, SEED if seed is None else seed, scale, step)
    typer.echo(f"{path}: {frames:,} frames of 20 and 21 November 2025, a reconstruction, not recorded events")
