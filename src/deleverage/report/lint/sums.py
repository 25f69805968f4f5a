"""Amounts and shares held against each other: sides and parts against totals, shares against amounts, fractions said in words."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise

from deleverage.report.lint.extract import GLOBAL, LIQUIDATED, TOTAL, Statement, window_hours
from deleverage.report.lint.finding import Finding, amount, judged, span
from deleverage.report.lint.quantities import money
from deleverage.report.names import coins_in, venues_in

NEAR = 4
"""Sentences apart that numbers may be and still speak of one thing."""
LONG_QUOTE = 360
"""Characters of quoted sentences above which each is cut to what stands around its numbers."""
CHANGE = re.compile(
    r"\b(?:rose|rise|up|down|fell|fall|gain(?:ed|s)?|drop(?:ped)?|lost|jump(?:ed)?|surg(?:ed|e)|climb(?:ed)?|increas\w+"
    r"|decreas\w+|declin\w+|grew|growth|"
    r"chang\w+|higher|lower|return(?:ed|s)?|rall\w+|slid|plunged|tumbled|annuali[sz]ed|a year|yield|per (?:year|annum)|APR"
    r"|APY|volatility|DVOL|premium|leverage|"
    r"drawdown|interval|confidence|bootstrap|percentile|quantile|coverage|dominance|below|above|off its|retrac\w+|correlat\w+"
    r"|probability|chance|collateral\w*|margin|reached|times)\b",
    re.I,
)  # fmt: skip
SHARE = re.compile(
    r"\bshares?\b|account(?:ed|s|ing)? for|represent|(?:made|make|making) up|compris|\bof (?:the|all|total|that|this|those"
    r"|its|every|which)\b|\bwere (?:long|short)|"
    r"\b(?:long|short)s?\b|contribut|dominat|portion|proportion|came from|belong",
    re.I,
)  # fmt: skip


def sums(found: Sequence[Statement]) -> Iterator[Finding]:
    """Every check of this file over the labelled numbers of a text and its tables."""
    money_ = [s for s in found if s.quantity.kind == "money" and s.topic in ("liquidations", "none") and s.quantity.until is None]
    yield from _sides(money_)
    yield from _parts(money_, lambda s: s.venues)
    yield from _parts(money_, lambda s: s.coins)
    yield from stated_sums(found, money_)
    yield from _pieces(money_)
    yield from _windows(money_)


def is_share(s: Statement) -> bool:
    """Whether a percentage is a share of a whole rather than a change, a rate or a level."""
    around = s.near
    return (
        bool(SHARE.search(around) or s.venues or s.side or s.coins)
        and not CHANGE.search(re.sub(r"\bmade up\b|\bmak(?:e|ing) up\b", "", around))
        and not s.quantity.is_signed
    )


def near(a: Statement, b: Statement) -> bool:
    """Whether two numbers may speak of one thing: close by, of one window and day, and neither of an earlier time unless side by side."""
    apart = abs(a.sentence.order - b.sentence.order)
    hours = a.hours is None or b.hours is None or abs(a.hours - b.hours) < 1e-9
    return (
        apart <= NEAR and hours and (apart == 0 or (not (a.is_earlier or b.is_earlier) and (a.when == b.when or not a.when or not b.when)))
    )


def total_for(s: Statement, money_: Sequence[Statement], *, whole: bool = False) -> Statement | None:
    """The total a part belongs to: the nearest of the same subject (or, with `whole`, of everything), behind an "of the" first."""
    fits = [t for t in money_ if t.side is None and t.role == "total" and t.id != s.id and not t.venues and not t.coins] if whole else [
        t for t in money_ if t.side is None and t.role != "rest" and t.id != s.id and t.key == s.key]  # fmt: skip
    fits = [t for t in fits if t.quantity.value > 0 and not t.quantity.is_signed]
    own = [t for t in fits if t.sentence.order == s.sentence.order and (t.is_of or not t.is_earlier) and same_window(s, t)]
    fits = (
        own
        or [t for t in fits if near(s, t)]
        or [t for t in fits if whole and not t.is_earlier and same_window(s, t) and not s.is_earlier][:1]
    )
    if whole and not own:  # of several close by, one that is called the total
        fits = [t for t in fits if t.is_of or GLOBAL.search(t.near) or TOTAL.search(t.near)] or fits
    return min(fits, key=lambda t: (abs(t.sentence.order - s.sentence.order), not t.is_of, t.quantity.step, t.id), default=None)


def same_window(s: Statement, t: Statement) -> bool:
    return (s.hours is None or t.hours is None or s.hours == t.hours) and (not s.when or not t.when or s.when == t.when)


def _sides(money_: Sequence[Statement]) -> Iterator[Finding]:
    longs, shorts = ([s for s in money_ if s.side == side] for side in ("long", "short"))
    used: set[int] = set()
    for long in longs:
        fits = [s for s in shorts if s.key == long.key and near(long, s) and s.id not in used]
        if not fits:
            yield from _within(long, money_)
            continue
        short = min(fits, key=lambda s: abs(s.id - long.id))
        used.add(short.id)
        if long.sentence.text == short.sentence.text and long.sentence.text.startswith("|"):
            continue  # a row of a table, which is added up where tables are
        total = next((t for t in money_ if t.id == long.parent == short.parent and t.side is None), None) or total_for(long, money_)
        if total is None or not near(total, short):
            continue
        low, high = long.quantity.low + short.quantity.low, long.quantity.high + short.quantity.high
        sums = money(long.quantity.value + short.quantity.value)
        words = f"{amount(long.quantity)} + {amount(short.quantity)} = {sums}, total {amount(total.quantity)}"
        holds = total.quantity.within(low, high)
        if high < total.quantity.low and total.is_of and _of_a_part(long):
            continue
        yield judged(holds, joined(total, long, short), "parts_total", words if holds else f"{words}; rounding allows {span(low, high)}",
                     total.id if total.id > long.id else long.id, (long, short, total))  # fmt: skip


def _of_a_part(long: Statement) -> bool:
    """Whether a venue or coin is named before a pair of sides that bears no name: "Binance was 35 % of $1 bn, with longs at ..."."""
    before = long.sentence.text[: long.quantity.start]
    return long.key == ((), ()) and bool(venues_in(before) or coins_in(before))


def _within(part: Statement, money_: Sequence[Statement]) -> Iterator[Finding]:
    total = total_for(part, money_) or (total_for(part, money_, whole=True) if part.key != ((), ()) else None)
    is_whole = total is not None and (
        total.is_of or bool(GLOBAL.search(total.near)) or bool(LIQUIDATED.search(total.near)) or bool(total.venues)
    )
    if total is not None and is_whole and part.quantity.low > total.quantity.high:
        words = f"{amount(part.quantity)} is more than the whole, {amount(total.quantity)}"
        yield judged(False, joined(part, total), "parts_total", words, part.id, (part, total))


def _parts(money_: Sequence[Statement], subject: Callable[[Statement], tuple[str, ...]]) -> Iterator[Finding]:
    """Parts of one kind (venues, or coins) of one whole: the sum reaches it where a rest is named, and never passes it."""
    parts = [s for s in money_ if s.side is None and len(subject(s)) == 1 and len(s.venues) + len(s.coins) == 1 and not s.is_earlier]
    groups: dict[int, list[Statement]] = {}
    wholes: dict[int, Statement] = {}
    for part in parts:
        total = total_for(part, money_, whole=True)
        if total is None:
            continue
        kept = groups.setdefault(total.id, [])
        wholes[total.id] = total
        if not any(subject(k) == subject(part) for k in kept):
            kept.append(part)
    for key, members in groups.items():
        total = wholes[key]
        rests = [
            s
            for s in money_
            if s.role == "rest" and s.side is None and any(near(s, m) and abs(s.sentence.order - m.sentence.order) <= 1 for m in members)
        ]
        every = members + rests[:1]
        low, high = sum(s.quantity.low for s in every), sum(s.quantity.high for s in every)
        if len(every) == 1:
            yield from _within(every[0], money_)
        elif rests or FOR_A_TOTAL.search(total.before):
            words = f"{_added(every)}, total {amount(total.quantity)}"
            yield judged(total.quantity.within(low, high), joined(*every, total), "parts_total", words, every[-1].id, (*every, total))
        else:
            holds = low <= total.quantity.high
            words = f"{_added(every)}, {'within' if holds else 'more than'} the total {amount(total.quantity)}"
            yield judged(holds, joined(*every, total), "parts_total", words, every[-1].id, (*every, total))


ADDS_TO = re.compile(r"(?:=|\b(?:sums? to|equals?|makes?|gives?|adds? up to|totals?|is|are)\b)\s*$", re.I)
ADDED = re.compile(r"[^;$\d=]{0,40}(?:\+|\bplus\b)[^;$\d=]{0,40}", re.I)
FOR_A_TOTAL = re.compile(
    r"\bfor (?:a|an) (?:combined |grand |net |overall |aggregate )?(?:total|sum|tally)\b|\b(?:add(?:s|ing)? up to|summing to|totall?ing)\b",
    re.I,
)
"""What follows is the sum of the list before it, not a larger whole."""
PART_OF = re.compile(r"\bpart of (?:the|a|an|some)\s*$", re.I)
FUND = re.compile(r"\b(?:IBIT|FBTC|BITB|ARKB|BTCO|EZBC|BRRR|HODL|BTCW|GBTC|ETHA|FETH|ETHW|CETH|ETHV|QETH|EZET|ETHE)\b")
COUNT = re.compile(
    r"\b(?:the |these |all |top )?(?P<n>two|three|four|five|six|2|3|4|5|6)(?: named| listed| largest| biggest"
    r"| big)? (?:venues|exchanges|platforms|coins|sides)\b",
    re.I,
)
WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def stated_sums(found: Sequence[Statement], money_: Sequence[Statement]) -> Iterator[Finding]:
    """ "a + b = c", and "the five venues sum to c" against the amounts of that many venues."""
    for s in (*money_, *(t for t in found if t.quantity.kind == "money" and t.topic == "flows" and t.quantity.until is None)):
        text = s.sentence.text
        terms = _terms(s, money_ if s.topic != "flows" else found)
        if len(terms) >= 2:
            low, high = sum(t.quantity.low for t in terms), sum(t.quantity.high for t in terms)
            words = f"{_added(terms)}, said {amount(s.quantity)}"
            yield judged(s.quantity.within(low, high), text, "sum_stated", words, s.id, (*terms, s))
            continue
        if (
            len(s.venues) + len(s.coins) >= 2
            and s.side is None
            and re.search(r"\b(?:together|combined|between them|jointly)\b", s.near, re.I)
        ):
            names: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((v,), ()) for v in s.venues] or [((), (c,)) for c in s.coins]
            each = [next((t for t in money_ if t.key == name and t.side is None and near(t, s)), None) for name in names]
            known = [t for t in each if t is not None]
            if len(known) == len(names):
                low, high = sum(t.quantity.low for t in known), sum(t.quantity.high for t in known)
                words = f"{_added(known)}, said {amount(s.quantity)}"
                yield judged(s.quantity.within(low, high), joined(*known, s), "parts_total", words, s.id, (*known, s))
            continue
        counted = COUNT.search(text)
        if counted is None or not TOTAL.search(text) or s.side is not None or s.is_of or (s.venues and len(s.venues) < 2):
            continue
        wanted = WORDS.get(counted["n"].lower()) or int(counted["n"])
        by_venue: dict[tuple[str, ...], Statement] = {}
        for t in money_:
            if t.id != s.id and len(t.venues) == 1 and not t.coins and t.side is None and not t.is_earlier:
                by_venue.setdefault(t.venues, t)
        if len(by_venue) == wanted:
            terms = list(by_venue.values())
            low, high = sum(t.quantity.low for t in terms), sum(t.quantity.high for t in terms)
            words = f"{_added(terms)}, said {amount(s.quantity)}"
            yield judged(s.quantity.within(low, high), text, "parts_total", words, s.id, (*terms, s))


def _pieces(money_: Sequence[Statement]) -> Iterator[Finding]:
    """ "a is part of the b": no part is more than its whole."""
    for a, b in pairwise(money_):
        if a.sentence is b.sentence and PART_OF.search(a.sentence.text[a.quantity.end : b.quantity.start]) and not b.is_earlier:
            holds = a.quantity.low <= b.quantity.high
            words = f"{amount(a.quantity)} is {'within' if holds else 'more than'} the whole, {amount(b.quantity)}"
            yield judged(holds, a.sentence.text, "parts_total", words, a.id, (a, b))


def _terms(s: Statement, found: Sequence[Statement]) -> list[Statement]:
    """The amounts an addition in words or signs ends in: "a + b = s", "a plus b equals s", "IBIT a and FBTC b, for a total of s"."""
    own = [t for t in found if t.sentence is s.sentence and t.id < s.id and t.quantity.kind == "money" and t.quantity.until is None]
    text = s.sentence.text
    if not own or s.is_earlier:
        return []
    lead = text[own[-1].quantity.end : s.quantity.start]
    if ADDS_TO.search(lead):
        terms = own[-1:]
        for t in reversed(own[:-1]):
            if not ADDED.fullmatch(text[t.quantity.end : terms[0].quantity.start]):
                break
            terms.insert(0, t)
        return terms if len(terms) >= 2 else []
    funds = [FUND.findall(t.before) for t in own]
    listed = all(len(f) == 1 for f in funds) and len({f[0] for f in funds}) == len(own)
    return own if listed and FOR_A_TOTAL.search(lead) else []


def _windows(money_: Sequence[Statement]) -> Iterator[Finding]:
    """Amounts of one subject over nested windows do not shrink as the window grows."""
    told = [s for s in money_ if s.hours is not None and s.role != "rest" and not s.is_earlier]
    for a, b in combinations(told, 2):
        small, large = sorted((a, b), key=lambda s: s.hours or 0.0)
        if not window_hours(a.near) or not window_hours(b.near):
            continue  # a window that is only carried on compares nothing
        if small.hours == large.hours or (a.key, a.side) != (b.key, b.side) or abs(a.sentence.order - b.sentence.order) > 1:
            continue
        nested = re.search(r"\b(?:past|last|(?:24|12|4|1)(?:[- ]?h(?:ours?|rs?)?)?)\b", a.near) and not re.search(
            r"\b(?:first|another|then|following|previous|preceding|average|peak)\b", a.near + b.near, re.I
        )
        if nested and (a.when == b.when):
            holds = small.quantity.low <= large.quantity.high
            words = f"{small.hours:g} h {amount(small.quantity)}, {large.hours:g} h {amount(large.quantity)}"
            yield judged(holds, joined(a, b), "equal_windows", words, max(a.id, b.id), (a, b))


def _added(of: Sequence[Statement]) -> str:
    return f"{' + '.join(amount(s.quantity) for s in of)} = {money(sum(s.quantity.value for s in of))}"


def joined(*of: Statement) -> str:
    """The sentences the numbers stand in, in their order, each once; where that is long, of each what stands around its numbers."""
    placed = sorted(of, key=lambda s: (s.sentence.order, s.id))
    texts = list(dict.fromkeys(s.sentence.text for s in placed))
    whole = " … ".join(texts)
    if len(texts) == 1 or len(whole) <= LONG_QUOTE:
        return whole
    around: dict[str, tuple[int, int]] = {}
    for s in placed:
        q, (first, last) = s.quantity, around.get(s.sentence.text, (s.quantity.start, s.quantity.end))
        around[s.sentence.text] = (min(first, q.start), max(last, q.end))
    return " … ".join(dict.fromkeys(_cut(text, *around[text]) for text in texts))


def _cut(text: str, first: int, last: int) -> str:
    """A sentence around its numbers, cut where words end."""
    if len(text) <= 160:
        return text
    start, end = max(text.rfind(" ", 0, max(first - 60, 0)), 0), text.find(" ", last + 60)
    return text[start : len(text) if end < 0 else end].strip()
