"""Tables on a terminal: numbers right, money readable, null as an empty cell with a dash."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deleverage.figure import dollars

HEADS = {
    "long_usd": "long USD", "short_usd": "short USD", "total_usd": "total USD", "long_share": "long", "coverage_rule": "rule",
    "option_type": "type", "iv_points": "IV", "mark_iv_points": "mark IV", "why_not": "not used",
}  # fmt: skip
WRAPPED = {"title", "evidence", "what", "do", "meaning", "value", "default"}
HIDDEN = {"unpriced_count", "backstop_usd", "adl_usd"}
"""Columns left out when they hold nothing but zeros."""


def print_table(rows: Sequence[Mapping[str, Any]], title: str = "", footer: str = "") -> None:
    """Print rows as a table; no rows print the title and a sentence."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    if not rows:
        console.print(f"{escape(title)}\n  nothing to show", style="dim", highlight=False)
    else:
        columns = [name for name in rows[0] if name not in HIDDEN or any(row.get(name) for row in rows)]
        if len(rows) == 1 and "share" in columns:
            columns.remove("share")
        table = Table(
            title=escape(title) or None, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1)
        )
        for name in columns:
            numeric = any(isinstance(row.get(name), int | float) for row in rows)
            table.add_column(HEADS.get(name, name.replace("_", " ")), justify="right" if numeric else "left", no_wrap=name not in WRAPPED)
        for row in rows:
            table.add_row(*(_cell(name, row.get(name)) for name in columns))
        console.print(table)
    if footer:
        console.print(escape(footer), highlight=False)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "—"
    if name in ("share", "long_share", "coverage"):
        return f"{value:.1%}"
    if name == "coverage_rule":
        return str(value).replace("_per_second", "/s").replace("_", " ")
    if name.endswith("_usd"):
        return dollars(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))
