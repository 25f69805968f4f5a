"""What the program says while it runs: one line an event on standard error, for people or, as JSON, for machines."""

import logging
import sys
import time
from contextlib import suppress
from typing import Any, Literal

import structlog

ONCE_A = 60.0
"""Seconds in which the same complaint is said once."""
_said: dict[str, float] = {}
_unsaid: dict[str, int] = {}


class _Stderr:
    """Standard error as it is now. A line that cannot be written is lost: collecting does not stop for its log."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure(form: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Choose how log lines look and which are written; times are UTC."""
    last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if form == "console":
        last = [_one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), *last],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(_Stderr()),  # type: ignore[arg-type]  # it writes and flushes, no more is asked
        cache_logger_on_first_use=False,
    )


def log() -> Any:
    """Return the logger; standard error, for people, unless `configure` said otherwise."""
    if not structlog.is_configured():
        configure()
    return structlog.get_logger()


def complain(key: str, event: str, **facts: object) -> None:
    """Warn, at most once a minute for the same `key`; `unsaid` is how often it was left out since the line before."""
    now = time.monotonic()
    if now - _said.get(key, -ONCE_A) < ONCE_A:
        _unsaid[key] = _unsaid.get(key, 0) + 1
        return
    if len(_said) > 10_000:
        _said.clear()
        _unsaid.clear()
    _said[key] = now
    left_out = _unsaid.pop(key, 0)
    log().warning(event, **facts, **({"unsaid": left_out} if left_out else {}))


def _one_line(logger: object, method: str, event: Any) -> Any:
    event["event"] = " ".join(str(event["event"]).split())
    return event
