"""`deleverage options`: what option prices say."""

from typing import Annotated

import typer

from deleverage.commands import AsOf, At, Data, Format, print_rows, reader_of
from deleverage.errors import BadInput


def add(app: typer.Typer) -> None:
    """Give the command line its `options`."""
    app.command("options")(options)


def options(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[WHAT]", help="chain, smile, surface, term, index, open-interest, exposure, density, or touch; default: a summary."
        ),
    ] = "summary",
    base: Annotated[str, typer.Option("--base", metavar="COIN", help="The coin.")] = "BTC",
    venue: Annotated[
        str | None, typer.Option("--venue", metavar="NAME", help="Default: deribit, or whichever quotes twice as many.")
    ] = None,
    level: Annotated[float | None, typer.Option(metavar="USD", help="Level to touch (default: a tenth below spot).")] = None,
    by: Annotated[str | None, typer.Option(metavar="DATE", help="Date of density and touch (default: in 30 days).")] = None,
    days: Annotated[float | None, typer.Option(metavar="N", help="The same in days from the chain on.")] = None,
    expiry: Annotated[str | None, typer.Option(metavar="DATE", help="Only this expiry of smile.")] = None,
    window: Annotated[str, typer.Option(metavar="DURATION", help="Window of histories and trades: 1h, 24h, 7d …")] = "24h",
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """Volatility, skew and the index, positions and dealers' exposure, densities and touch probabilities, from one option chain.

    The chain is the last told within two hours of --at. JSON prints the documents of the API, table and CSV their main rows.

    \b
    Examples:
      deleverage options --at 2025-11-21T12:30:00Z --as-of now
      deleverage options term --base ETH --format csv
      deleverage options touch --level 80000 --by 2025-12-26
    """
    from deleverage.answers.options import SUMMARY, documents, summary, table

    if form not in ("table", "json", "csv"):
        raise BadInput(f"unknown format {form!r}; there are table, json and csv")
    whats = SUMMARY if what == "summary" else (what,)
    with reader_of(data) as opened:
        said = documents(
            opened, whats, base=base, venue=venue, at=at, as_of=as_of, window=window, level=level, by=by, days=days, expiry=expiry
        )  # fmt: skip
    if form == "json":
        print_rows(said[0] if len(said) == 1 else dict(zip(whats, said, strict=True)), form)
        return
    answer = summary(said) if what == "summary" else table(what, said[0])
    print_rows(answer.rows, form, title=answer.title, footer=answer.footer)
    if answer.hint:
        typer.echo(answer.hint, err=True)
