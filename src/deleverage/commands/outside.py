"""Commands about the outside world: sentiment, ETF flows, macro."""

from typing import Annotated, Any

import typer

from deleverage.commands import AsOf, Data, Format, print_rows, reader_of

Coin = Annotated[str, typer.Option("--base", metavar="COIN", help="The coin.")]
At = Annotated[str | None, typer.Option("--at", metavar="T", help="The moment; default: --as-of, else now.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sentiment)
    app.command("etf-flows")(etf_flows)
    app.command()(macro)


def sentiment(
    by: Annotated[str, typer.Option(metavar="index|part|history", help="Both indices, the parts of our own, or the history.")] = "index",
    index: Annotated[str, typer.Option(metavar="NAME", help="The published index.")] = "fear_and_greed",
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """The published sentiment index and our own, each with its band; a month before; every part of ours.

    \b
    Examples:
      deleverage sentiment
      deleverage sentiment --by part --at 2025-11-21T22:00:00Z
    """
    from deleverage.answers.outside import document, sentiment_table

    with reader_of(data) as reader:
        if form == "json":
            print_rows(document(reader, "sentiment", at, as_of, index=index), form)
            return
        _show(sentiment_table(reader, by, index, at, as_of), form)


def etf_flows(
    base: Coin = "BTC",
    by: Annotated[str, typer.Option(metavar="day|fund|month", help="The last trading days, every fund, or months.")] = "day",
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Whose table (default: the one with most days).")] = None,
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """Net flows of US spot funds of a coin, provisional days marked; streaks, and records with the history they are over.

    \b
    Examples:
      deleverage etf-flows
      deleverage etf-flows --base ETH --by fund
      deleverage etf-flows --by month --at 2025-11-21T22:00:00Z --format csv
    """
    from deleverage.answers.outside import document, flows_table

    with reader_of(data) as reader:
        if form == "json":
            print_rows(document(reader, "etf-flows", at, as_of, base=base, source=source), form)
            return
        _show(flows_table(reader, by, base, source, at, as_of), form)


def macro(
    base: Coin = "BTC",
    by: Annotated[str, typer.Option(metavar="level|beta", help="Levels, or how the coin moved with them.")] = "level",
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """Yields, the dollar and inflation expectations as known, with their age; betas of a coin to them, with intervals.

    \b
    Examples:
      deleverage macro
      deleverage macro --by beta --base ETH --at 2025-11-21T22:00:00Z
    """
    from deleverage.answers.outside import document, macro_table

    with reader_of(data) as reader:
        if form == "json":
            print_rows(document(reader, "macro", at, as_of, base=base), form)
            return
        _show(macro_table(reader, by, base, at, as_of), form)


def _show(answer: Any, form: str) -> None:
    print_rows(answer.rows, form, title=answer.title, footer=answer.footer if form == "table" else "")
    if answer.hint:
        typer.echo(answer.hint, err=True)
