"""Tables of a text: rows and columns that add up, shares of their totals, and the statements they make for the rest of the text."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from deleverage.report.lint.extract import REST, Statement, window_hours
from deleverage.report.lint.finding import Finding, amount
from deleverage.report.lint.markdown import Sentence, Table
from deleverage.report.lint.quantities import Quantity, percent, quantities
from deleverage.report.names import coins_in, venues_in

Role = Literal["total", "long", "short", "share", "long share", "short share", "amount", "other"]
UNIT = re.compile(
    r"\b(?P<bn>bn|billions?|B)\b|(?P<m>\bmn\b|\bmillions?\b|\bmln\b|(?<![A-Za-z])M(?![A-Za-z])|\$m\b|\bm USD)"
    r"|(?P<k>\bthousands?\b|\bk USD\b)|(?P<usd>\bUSD\b|\$|\bdollars?\b)"
)
UNIT_IN_TITLE = re.compile(
    r"(?:\bin|\(|,)\s*(?:US ?\$|\$|USD )?\s*(?:(?P<bn>bn|billions?)|(?P<m>mn|millions?|mln|M|m)|(?P<k>thousands?)|(?P<usd>USD"
    r"|dollars))\b(?!\s*\d)"
)
NOT_ADDITIVE = re.compile(
    r"\b(?:prices?|rates?|levels?|funding|index|avg|average|mean|median|changes?|vol|volatility|ratio|rank|no|dates?|days?"
    r"|yield|scores?|z|coverage|beta|"
    r"correlation|strike|max|min|high|low|peak|first|last|cumulative|interval|APR|APY)\b|^#",
    re.I,
)
TOTAL_ROW = re.compile(
    r"\W*(?:grand |overall )?(?:totals?|sum|all|market|whole)(?: (?:venues|exchanges|coins|liquidations|market))?(?:\s*\([^)]*\))?\W*", re.I
)
FUNDS = re.compile(r"\b(?:IBIT|FBTC|BITB|ARKB|BTCO|EZBC|BRRR|HODL|BTCW|GBTC|BTC|ETHA|FETH|ETHW|CETH|ETHV|QETH|EZET|ETHE|ETH)\b")


class Column(NamedTuple):
    """A column of numbers: what they are, and by how much a bare number is multiplied (None: the unit is not said)."""

    role: Role
    unit: float | None
    cells: tuple[Quantity | None, ...]


def columns(table: Table) -> list[Column]:
    """Read every column behind the first."""
    found: list[Column] = []
    heads = {_factor(UNIT.search(head)) for head in table.heads[1:] if _role(head) in ("total", "long", "short", "amount")} - {None}
    shared = next(iter(heads)) if len(heads) == 1 else None
    titled = UNIT_IN_TITLE.search(table.title) or (UNIT.search(table.heads[0]) if table.heads else None)
    for i, head in enumerate(table.heads):
        own = UNIT.search(head)
        role = _role(head) if i else "other"
        unit = _factor(own) or (_factor(titled) or shared if role in ("total", "long", "short", "amount") else None)
        cells = [_cell(row[i], role, unit) for row in table.rows] if i else [None] * len(table.rows)
        kinds = {c.kind for c in cells if c is not None}
        if role in ("long", "short", "total", "amount") and kinds == {"share"}:
            role = "long share" if role == "long" else "short share" if role == "short" else "other"
        if any(c is not None and c.kind == "money" for c in cells) and unit is None:
            unit = 1.0
        found.append(Column(role, unit, tuple(cells)))
    return found


def _role(head: str) -> Role:
    text = head.lower()
    if re.search(r"\bshares?\b|\bproportion\b|\bof (?:the )?(?:total|whole|all)\b|^\W*%\W*$|^\W*percent\W*$", text):
        return "long share" if re.search(r"\blongs?\b|length", text) else "short share" if re.search(r"\bshorts?\b", text) else "share"
    if NOT_ADDITIVE.search(text):
        return "other"
    if re.search(r"\blongs?\b|\blength\b", text):
        return "long"
    if re.search(r"\bshorts?\b", text):
        return "short"
    return "total" if re.search(r"\btotals?\b|\bsum\b|\ball\b", text) else "amount"


def _factor(match: re.Match[str] | None) -> float | None:
    return None if match is None else 1e9 if match["bn"] else 1e6 if match["m"] else 1e3 if match["k"] else 1.0


def _cell(text: str, role: Role, unit: float | None) -> Quantity | None:
    stripped = text.strip().strip("*_` ")
    bracketed = re.fullmatch(r"\(\s*([$\d.,]+[^)]*)\)", stripped)
    read = quantities(bracketed[1] if bracketed else stripped)
    if len(read) != 1 or len(re.sub(r"[\d.,\s$%()~≈<>+−–-]", "", stripped)) > 12:
        return None
    q = read[0]
    factor = (unit or 1.0) if q.kind in ("number", "price") and role not in ("share", "long share", "short share") else 1.0
    sign = -1 if bracketed else 1
    ends = sorted((q.low * factor * sign, q.high * factor * sign))
    is_share = role in ("share", "long share", "short share") and q.kind == "number"
    kind = "share" if is_share else "money" if q.kind in ("number", "price") and unit and role not in ("other",) else q.kind
    slack = q.step * factor  # a table prints all its digits
    value = q.value * factor * sign
    exact = q.low == q.value - q.step or "%" not in stripped
    low, high = (value - slack, value + slack) if exact else (ends[0], ends[1])
    return q._replace(kind=kind, value=value, low=low, high=high, step=slack)


def check(table: Table, wholes: Sequence[Statement]) -> Iterator[Finding]:
    """Sums and shares of one table; `wholes` are totals that the text states."""
    found = columns(table)
    total_row = next((i for i, row in enumerate(table.rows) if TOTAL_ROW.fullmatch(row[0].strip())), None)
    by_role = {c.role: c for c in reversed(found)}
    long, short, total = by_role.get("long"), by_role.get("short"), by_role.get("total") or by_role.get("amount")
    for i, line in enumerate(table.lines):
        parts = [c.cells[i] for c in (long, short) if c is not None]
        whole = None if total is None else total.cells[i]
        if len(parts) == 2 and whole is not None and all(parts):
            yield _sum(line, [p for p in parts if p], whole, table.order, "long + short")
        if whole is not None:
            for role, part in (("long share", long), ("short share", short)):
                said = by_role[role].cells[i] if role in by_role else None
                top = None if part is None else part.cells[i]
                if said is not None and top is not None and whole.value:
                    yield _share(line, said, [top], [whole], table.order)
        elif len(parts) == 2 and all(parts) and table.rows[i][0]:
            both = [p for p in parts if p]
            for role, side in zip(("long share", "short share"), both, strict=True):
                said = by_role[role].cells[i] if role in by_role else None
                if said is not None and both[0].kind == both[1].kind and _summed(both).low > 0:
                    yield _share(line, said, [side], [_summed(both)], table.order)
        funds = [c.cells[i] for c, head in zip(found, table.heads, strict=True) if FUNDS.fullmatch(head.strip()) and c.cells[i]]
        if len(funds) >= 2 and whole is not None and by_role.get("total"):
            yield _sum(line, [f for f in funds if f], whole, table.order, "funds")
    for column, head in zip(found, table.heads, strict=True):
        rows = [(i, c) for i, c in enumerate(column.cells) if c is not None and i != total_row]
        last = None if total_row is None else column.cells[total_row]
        if column.role in ("share", "long share", "short share"):
            for i, c in rows:
                if c.low > 100:
                    yield Finding(table.lines[i], "inconsistent", "share_over_100", f"{c.value:g} % is more than the whole", table.order)
        if column.role == "share":
            yield from _share_column(table, column, rows, last, total, total_row, wholes)
        elif column.role in ("total", "long", "short", "amount") and last is not None and len(rows) >= 2:
            listed = [c for _, c in rows]
            if total_row is not None and len({c.kind for c in listed}) == 1 and not _has_dates(table):
                yield _sum(f"{head}: {table.lines[total_row]}", listed, last, table.order, "rows")


def _has_dates(table: Table) -> bool:
    return sum(bool(re.match(r"\W*\d{1,2} \w{3}|\W*20\d\d-|\W*\w{3,9} \d", row[0])) for row in table.rows) >= 2 and not FUNDS.search(
        " ".join(table.heads)
    )


def _sum(line: str, parts: Sequence[Quantity], whole: Quantity, order: int, what: str) -> Finding:
    low, high = sum(p.low for p in parts), sum(p.high for p in parts)
    got = _summed(parts)
    words = f"{what}: {' + '.join(amount(p) for p in parts)} = {amount(got)}, total {amount(whole)}"
    return Finding(line, "consistent" if whole.within(low, high) else "inconsistent", "parts_total", words, order)


def _summed(of: Sequence[Quantity]) -> Quantity:
    return Quantity(of[0].kind, sum(q.value for q in of), sum(q.low for q in of), sum(q.high for q in of), 0, 0, 0, "")


def _share(line: str, said: Quantity, top: Sequence[Quantity], bottoms: Sequence[Quantity], order: int) -> Finding:
    """A share against its amounts over the whole that fits best of those it may be of."""
    tried = []
    for bottom in bottoms:
        low, high = (100 * sum(getattr(t, a) for t in top) / getattr(bottom, b) for a, b in (("low", "high"), ("high", "low")))
        value = 100 * sum(t.value for t in top) / bottom.value
        words = f"{' + '.join(amount(t) for t in top)} / {amount(bottom)} = {percent(value)}, said {said.value:g} %"
        tried.append((not said.within(low, high), abs(value - said.value), words))
    is_wrong, _, words = min(tried)
    return Finding(line, "inconsistent" if is_wrong else "consistent", "share_of_amounts", words, order)


def _share_column(
    table: Table, column: Column, rows: Sequence[tuple[int, Quantity]], last: Quantity | None, total: Column | None, total_row: int | None,
    wholes: Sequence[Statement],
) -> Iterator[Finding]:  # fmt: skip
    shares = [c for _, c in rows]
    if len(shares) < 2:
        return
    low, high = sum(c.low for c in shares), sum(c.high for c in shares)
    has_rest = any(REST.search(table.rows[i][0]) for i, _ in rows)
    named = sum(bool(venues_in(row[0], is_cell=True) or coins_in(row[0]) or REST.search(row[0])) for row in table.rows)
    if named < 2 and last is None:
        return
    words = f"{' + '.join(f'{c.value:g}' for c in shares)} = {sum(c.value for c in shares):g} %"
    if low > 100:
        yield Finding(words, "inconsistent", "share_over_100", f"{words} of one whole", table.order)
    elif last is not None:
        yield Finding(
            table.lines[total_row or 0],
            "consistent" if last.within(low, high) else "inconsistent",
            "parts_total",
            f"{words}, total {last.value:g} %",
            table.order,
        )
    elif has_rest:
        yield Finding(words, "consistent" if high >= 100 else "inconsistent", "parts_total", f"{words} of one whole", table.order)
    if total is None:
        return
    listed = [c for i, c in enumerate(total.cells) if c is not None and i != total_row]
    whole = None if total_row is None else total.cells[total_row]
    bottoms = [whole] if whole is not None and whole.value > 0 else [
        *(w.quantity for w in wholes if total.unit is not None and total.unit * 1e-12 <= w.quantity.value),
        *([_summed(listed)] if listed else []),
    ]  # fmt: skip
    bottoms = [b for b in bottoms if b.low > 0 and b.kind == (listed[0].kind if listed else b.kind)]
    for i, c in rows:
        top = total.cells[i]
        if top is not None and bottoms and c.until is None:
            yield _share(table.lines[i], c, [top], bottoms, table.order)


def statements(tables: Sequence[Table], first: int) -> list[Statement]:
    """The amounts a table states, labelled as those of sentences are; only those whose unit is said."""
    found: list[Statement] = []
    for table in tables:
        hours = window_hours(f"{table.title} {' '.join(table.heads)}")
        for column in columns(table):
            if column.unit is None or column.role not in ("total", "long", "short", "amount"):
                continue
            for i, q in enumerate(column.cells):
                name = table.rows[i][0]
                if q is None or q.kind != "money":
                    continue
                venues, coins = tuple(n.key for n in venues_in(name, is_cell=True)), tuple(n.key for n in coins_in(name))
                is_total = bool(TOTAL_ROW.fullmatch(name.strip()))
                if not venues and not coins and not is_total and not REST.search(name):
                    continue
                side: Literal["long", "short"] | None = "long" if column.role == "long" else "short" if column.role == "short" else None
                role: Literal["total", "part", "rest"] = (
                    "rest" if REST.search(name) and not venues and not coins else "total" if is_total and side is None else "part"
                )
                at = Sentence(table.lines[i], table.block, table.order)
                window = hours[0] if len(set(hours)) == 1 else None
                coin = () if venues else coins[:1]
                found.append(
                    Statement(q, "liquidations", venues[:1], coin, side, role, window, "", False, name, name, "", at, first + len(found))
                )
    return found
