"""Commands about what leverage is left: funding, open interest, basis, positioning, beta."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deleverage.commands import AsOf, At, Data, Format, print_rows, reader_of

Coin = Annotated[str, typer.Option("--base", metavar="COIN", help="The coin.")]
Window = Annotated[str, typer.Option("--window", metavar="DURATION", help="Length: 1h, 4h, 12h, 24h, 7d …")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(funding)
    app.command("open-interest")(open_interest)
    app.command()(basis)
    app.command()(positioning)
    app.command()(beta)


def funding(
    base: Coin = "BTC",
    window: Window = "24h",
    by: Annotated[str, typer.Option(metavar="venue|spread|history", help="Rates by venue, pairs of venues, or settlements.")] = "venue",
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """Funding of every perpetual of a coin on one scale, who pays whom, all venues together, and what such a level is called.

    \b
    Examples:
      deleverage funding --at 2025-11-21T15:00:00Z
      deleverage funding --by spread --base ETH
      deleverage funding --by history --window 7d --format csv
    """
    from deleverage.answers.leverage import funding_table

    _show(data, form, lambda reader: funding_table(reader, window, base, by, at, as_of, is_short=form == "table"))


def open_interest(
    base: Coin = "BTC",
    window: Window = "24h",
    months: Annotated[int, typer.Option(min=1, max=24, help="Months in which the peak is looked for.")] = 7,
    data: Data = None,
    at: At = None,
    as_of: AsOf = None,
    form: Format = "table",
) -> None:
    """Open interest of a coin by venue, one-sided, in coins and dollars; its changes and its fall from the peak.

    \b
    Examples:
      deleverage open-interest
      deleverage open-interest --base ETH --months 3 --at 2026-01-30T00:00:00Z
    """
    from deleverage.answers.leverage import interest_table

    _show(data, form, lambda reader: interest_table(reader, window, base, months, at, as_of))


def basis(base: Coin = "BTC", window: Window = "24h", data: Data = None, at: At = None, as_of: AsOf = None, form: Format = "table") -> None:
    """What dated futures cost over the spot, by expiry, and the premium of perpetuals.

    \b
    Examples:
      deleverage basis
      deleverage basis --base ETH --format json
    """
    from deleverage.answers.leverage import basis_table

    _show(data, form, lambda reader: basis_table(reader, window, base, at, as_of, is_short=form == "table"))


def positioning(
    base: Coin = "BTC", window: Window = "24h", data: Data = None, at: At = None, as_of: AsOf = None, form: Format = "table"
) -> None:  # fmt: skip
    """How accounts, top traders and takers lean, with what each ratio says and cannot say.

    \b
    Examples:
      deleverage positioning
      deleverage positioning --base SOL --at 2025-11-21T15:00:00Z
    """
    from deleverage.answers.leverage import positioning_table

    _show(data, form, lambda reader: positioning_table(reader, window, base, at, as_of))


def beta(base: Coin = "BTC", window: Window = "24h", data: Data = None, at: At = None, as_of: AsOf = None, form: Format = "table") -> None:
    """How a coin moved with its volatility index, other coins and economic series, with intervals.

    \b
    Examples:
      deleverage beta
      deleverage beta --base ETH --window 4h
    """
    from deleverage.answers.leverage import beta_table

    _show(data, form, lambda reader: beta_table(reader, window, base, at, as_of, is_short=form == "table"))


def _show(data: Path | None, form: str, asked: Any) -> None:
    with reader_of(data) as reader:
        answer = asked(reader)
    print_rows(answer.rows, form, title=answer.title, footer=answer.footer)
    if answer.hint:
        typer.echo(answer.hint, err=True)
