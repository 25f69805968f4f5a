"""Commands about what was force-closed: totals, waves, and how well the estimates do."""

from typing import Annotated

import typer

from deleverage.commands import AsOf, At, Data, Format, print_rows, reader_of
from deleverage.errors import BadInput


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(liquidations)
    app.command()(waves)
    app.command()(score)


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
