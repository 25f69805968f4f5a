"""A page of ETF flows as Farside prints it: which columns are funds, which rows are days, and what a cell says. Pure.

Columns are known by the ticker in the header, never by position: they move when funds are launched. A dash is not reported, 0.0 is a
true zero, parentheses are negative, money is in millions of US dollars. The fee row, the seed row, Total, Average, Maximum, Minimum and
footnotes are rows without a date and left out; footnote marks in cells are taken off.
"""

import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from deleverage.errors import ParseError

CHANNEL = "etf_flows"
TOTAL = "TOTAL"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DATE = re.compile(r"^(\d{1,2})[ \-]([A-Za-z]{3,9})\.?[ \-](\d{4})\b", re.ASCII)
TICKER = re.compile(r"^[A-Z][A-Z0-9]{1,5}$")
CELL = re.compile(
    r"^([-−]?)(NUMBER)$|^(\()(NUMBER)\)$".replace("NUMBER", r"\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,6})?|\d{1,12}(?:\.\d{1,6})?"), re.ASCII
)
MARKS = re.compile(r"[*†‡§¹²³]|\[\w{1,3}\]")
BLANK = {"", "-", "–", "—", "n/a", "na"}
WIDEST, MOST_ROWS = 200, 20_000
LARGEST = Decimal(10) ** 6
"""Millions of dollars beyond which a cell is no flow."""
COINS = {"btc": "BTC", "eth": "ETH", "sol": "SOL", "bitcoin": "BTC", "ethereum": "ETH", "solana": "SOL"}
ADDRESS = re.compile(r"farside\.co\.uk/(btc|eth|sol|bitcoin|ethereum|solana)\b", re.I)


class Day(NamedTuple):
    """One row: flows in USD by ticker, `TOTAL` among them; None where the fund did not report."""

    day: str
    flows: dict[str, float | None]

    @property
    def reported(self) -> set[str]:
        """Funds that reported; the total is none."""
        return {fund for fund, flow in self.flows.items() if flow is not None and fund != TOTAL}


class Page(NamedTuple):
    """A page: `base` is the coin its funds hold ("" when it does not say), `days` are oldest first, days off among them."""

    base: str
    days: tuple[Day, ...]


def coin_of(path: str) -> str:
    """Return the coin that the path of an address is about, "" for another one.

    >>> coin_of("/btc/"), coin_of("/ethereum-etf-flow-all-data/"), coin_of("/")
    ('BTC', 'ETH', '')
    """
    return COINS.get(re.split(r"[/\-]", path.strip("/").lower(), maxsplit=1)[0], "")


def read_page(payload: bytes) -> Page:
    """Read a page. Raises ParseError where there is no table of flows, or a cell that says nothing known."""
    tree = LexborHTMLParser(payload)
    for mark in tree.css("sup"):
        mark.decompose()
    tables = [*tree.css("table.etf"), *tree.css("table:not(.etf)")]
    for table in tables:
        grid = _grid(table)
        dated = [(day, cells) for cells in grid if cells and (day := _day(cells[0]))]
        if dated:
            first = next(n for n, cells in enumerate(grid) if cells and _day(cells[0]))
            columns = _columns(grid[:first])
            if columns:
                return Page(_coin(tree, payload), _days(dated, columns))
    raise ParseError(CHANNEL, "no table of flows by fund on the page")


def _grid(table: LexborNode) -> list[list[str]]:
    """Write a table's cells out, spans filled in with the text of their cell."""
    grid: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # column → rows still covered, text
    for row in table.css("tr")[:MOST_ROWS]:
        cells: list[str] = []
        for cell in row.css("td, th"):
            _fill(cells, below)
            text = " ".join(cell.text(separator=" ").split())
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            for _ in range(min(wide, WIDEST - len(cells))):
                if high > 1:
                    below[len(cells)] = (high - 1, text)
                cells.append(text)
        _fill(cells, below)
        grid.append(cells)
    return grid


def _fill(cells: list[str], below: dict[int, tuple[int, str]]) -> None:
    """Put cells of rows above that reach down to here where they belong."""
    while len(cells) < WIDEST and len(cells) in below:
        left, text = below.pop(len(cells))
        if left > 1:
            below[len(cells)] = (left - 1, text)
        cells.append(text)


def _span(cell: LexborNode, name: str) -> int:
    text = (cell.attributes.get(name) or "1").strip()
    return min(max(int(text), 1), WIDEST) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def _day(text: str) -> str:
    """Return a row's day as YYYY-MM-DD, "" where the first cell is no date."""
    found = DATE.match(MARKS.sub("", text).strip())
    if found is None or found[2][:3].lower() not in MONTHS or not "2000" <= found[3] <= "2200":
        return ""
    try:
        return date(int(found[3]), MONTHS.index(found[2][:3].lower()) + 1, int(found[1])).isoformat()
    except ValueError:
        return ""


def _columns(header: list[list[str]]) -> dict[int, str]:
    """Return the ticker of each column: the header row with most tickers names the funds, a heading Total the total."""
    rows = [{n: MARKS.sub("", text).strip() for n, text in enumerate(cells)} for cells in header]
    tickers = [{n: text for n, text in row.items() if TICKER.match(text)} for row in rows]
    best = max(tickers, key=len, default={})
    funds = {n: text for n, text in best.items() if text != TOTAL and n > 0}
    if len(set(funds.values())) < len(funds):
        raise ParseError(CHANNEL, "two columns with one ticker")
    if not funds:
        return {}
    totals = {n for row in rows for n, text in row.items() if text.lower() == "total" and n not in funds}
    return funds | dict.fromkeys(sorted(totals)[-1:], TOTAL)


def _days(dated: list[tuple[str, list[str]]], columns: dict[int, str]) -> tuple[Day, ...]:
    found: dict[str, Day] = {}
    for day, cells in dated:
        flows = {name: _flow(cells[n] if n < len(cells) else "", day, name) for n, name in columns.items()}
        if day in found:
            raise ParseError(CHANNEL, f"{day} stands on the page twice")
        found[day] = Day(day, flows)
    return tuple(found[day] for day in sorted(found))


def _flow(text: str, day: str, fund: str) -> float | None:
    """Read a cell in dollars; None where it is a dash or empty.

    >>> _flow("(1,234.5)", "", ""), _flow("0.0", "", ""), _flow("-", "", "")
    (-1234500000.0, 0.0, None)
    """
    plain = MARKS.sub("", text).replace(" ", "").replace("$", "").strip()
    if plain.lower() in BLANK:
        return None
    found = CELL.match(plain)
    if found is None:
        raise ParseError(CHANNEL, f"{day} {fund}: {text[:40]!r} is no flow")
    millions = Decimal((found[2] or found[4]).replace(",", ""))
    if millions >= LARGEST:
        raise ParseError(CHANNEL, f"{day} {fund}: {text[:40]!r} million dollars cannot be")
    flow = float(millions * 1_000_000)
    return -flow if flow and (found[1] or found[3]) else flow


def _coin(tree: LexborHTMLParser, payload: bytes) -> str:
    """Return the coin a page is about: by the address it gives for itself or was saved from, else by its title."""
    named = [
        tag.attributes.get(key)
        for css, key in (("link[rel=canonical]", "href"), ("meta[property='og:url']", "content"))
        for tag in tree.css(css)
    ]
    saved = re.search(rb"saved from url=\(\d+\)(\S{1,200})", payload[:4000])
    for text in [*named, saved[1].decode(errors="replace") if saved else None]:
        found = ADDRESS.search(text or "")
        if found:
            return COINS[found[1].lower()]
    title = " ".join(tag.text() for tag in tree.css("title, h1")).lower()
    coins = {COINS[name] for name in ("bitcoin", "ethereum", "solana") if name in title}
    return coins.pop() if len(coins) == 1 else ""
