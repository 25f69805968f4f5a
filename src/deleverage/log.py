"""What the program says while it runs: one line an event on standard error, for people or, as JSON, for machines."""

import logging
import sys
import time
from typing import Any, Literal

import structlog

ONCE_A = 60.0
"""Seconds in which the same complaint is said once."""
_said: dict[str, float] = {}


def configure(form: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Choose how log lines look and which are written; times are UTC."""
    last: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )  # fmt: skip


def log() -> Any:
    """Return the logger."""
    return structlog.get_logger()


def complain(key: str, event: str, **facts: object) -> None:
    """Warn, at most once a minute for the same `key`."""
    now = time.monotonic()
    if now - _said.get(key, -ONCE_A) >= ONCE_A:
        if len(_said) > 10_000:
            _said.clear()
        _said[key] = now
        log().warning(event, **facts)
