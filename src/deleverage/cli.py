"""The command line. Every command says what went wrong in one line and leaves with 2; nothing is lost."""

import errno
import os
import sys
import time
from pathlib import Path
from typing import Annotated, cast

import typer

from deleverage import __version__
from deleverage.commands import collection, frames, leverage, liquidations, options, outside, report
from deleverage.errors import DeleverageError

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


for subject in (collection, frames, liquidations, leverage, options, outside, report):
    subject.add(app)


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
