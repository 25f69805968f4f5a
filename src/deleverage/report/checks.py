"""Amounts and shares held against each other: sides and parts against totals, shares against amounts, fractions said in words."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from deleverage.report.extract import GLOBAL, LIQUIDATED, REST, TOTAL, Statement
from deleverage.report.finding import Finding, amount, judged, span
from deleverage.report.quantities import money, percent

NEAR = 4
"""Sentences apart that numbers may be and still speak of one thing."""
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


def amounts_and_shares(found: Sequence[Statement]) -> Iterator[Finding]:
    """Every check of this file over the labelled numbers of a text and its tables."""
    money_ = [s for s in found if s.quantity.kind == "money" and s.topic in ("liquidations", "none") and s.quantity.until is None]
    shares = [s for s in found if s.quantity.kind == "share" and s.topic in ("liquidations", "none") and is_share(s)]
    yield from _sides(money_)
    yield from _parts(money_, lambda s: s.venues)
    yield from _parts(money_, lambda s: s.coins)
    yield from _over(found)
    yield from _partition(shares)
    for share in shares:
        yield from _recomputed(share, money_)
    yield from stated_sums(found, money_)
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
    own = [t for t in fits if t.sentence.order == s.sentence.order and (t.is_of or not t.is_earlier)]
    fits = (
        own
        or [t for t in fits if near(s, t)]
        or [t for t in fits if whole and not t.is_earlier and _same_window(s, t) and not s.is_earlier][:1]
    )
    return min(fits, key=lambda t: (abs(t.sentence.order - s.sentence.order), not t.is_of, t.quantity.step, t.id), default=None)


def _same_window(s: Statement, t: Statement) -> bool:
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
        yield judged(holds, _joined(total, long, short), "parts_total", words if holds else f"{words}; rounding allows {span(low, high)}",
                     total.id if total.id > long.id else long.id, (long, short, total))  # fmt: skip


def _within(part: Statement, money_: Sequence[Statement]) -> Iterator[Finding]:
    total = total_for(part, money_) or (total_for(part, money_, whole=True) if part.key != ((), ()) else None)
    is_whole = total is not None and (
        total.is_of or bool(GLOBAL.search(total.near)) or bool(LIQUIDATED.search(total.near)) or bool(total.venues)
    )
    if total is not None and is_whole and part.quantity.low > total.quantity.high:
        words = f"{amount(part.quantity)} is more than the whole, {amount(total.quantity)}"
        yield judged(False, _joined(part, total), "parts_total", words, part.id, (part, total))


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
            s for s in money_ if s.role == "rest" and any(near(s, m) and abs(s.sentence.order - m.sentence.order) <= 1 for m in members)
        ]
        every = members + rests[:1]
        low, high = sum(s.quantity.low for s in every), sum(s.quantity.high for s in every)
        if len(every) == 1:
            yield from _within(every[0], money_)
        elif rests:
            words = f"{_added(every)}, total {amount(total.quantity)}"
            yield judged(total.quantity.within(low, high), _joined(*every, total), "parts_total", words, every[-1].id, (*every, total))
        else:
            holds = low <= total.quantity.high
            words = f"{_added(every)}, {'within' if holds else 'more than'} the total {amount(total.quantity)}"
            yield judged(holds, _joined(*every, total), "parts_total", words, every[-1].id, (*every, total))


def _over(found: Sequence[Statement]) -> Iterator[Finding]:
    for s in found:
        q = s.quantity
        if q.kind == "share" and q.low > 100 and SHARE.search(s.near) and is_share(s) and s.topic != "open interest":
            yield judged(False, s.sentence.text, "share_over_100", f"{q.value:g} % is more than the whole", s.id, (s,))


def _partition(shares: Sequence[Statement]) -> Iterator[Finding]:
    """Two sides of one subject make 100 %; venues or coins of one sentence do not pass it, and reach it with a rest."""
    used: set[int] = set()
    for long in (s for s in shares if s.side == "long"):
        fits = [
            s for s in shares if s.side == "short" and s.key == long.key and s.sentence.order == long.sentence.order and s.id not in used
        ]
        if fits:
            short = min(fits, key=lambda s: abs(s.id - long.id))
            used |= {long.id, short.id}
            low, high = long.quantity.low + short.quantity.low, long.quantity.high + short.quantity.high
            words = f"{long.quantity.value:g} % + {short.quantity.value:g} % = {long.quantity.value + short.quantity.value:g} %"
            rule = "share_over_100" if low > 100 else "parts_total"
            yield judged(low <= 100 <= high, long.sentence.text, rule, f"{words} of one whole", long.id, (long, short))
    by_sentence: dict[int, list[Statement]] = {}
    for s in shares:
        if s.side is None and (len(s.venues) + len(s.coins) == 1 or REST.search(s.near)) and s.quantity.until is None:
            by_sentence.setdefault(s.sentence.order, []).append(s)
    for members in by_sentence.values():
        kinds = {bool(s.venues) for s in members if s.role != "rest"}
        if len(members) < 2 or len(kinds) != 1 or len({s.key for s in members}) < len(members):
            continue
        low, high = sum(s.quantity.low for s in members), sum(s.quantity.high for s in members)
        is_whole = any(s.role == "rest" for s in members)
        holds = low <= 100 and (high >= 100 or not is_whole)
        words = f"{' + '.join(f'{s.quantity.value:g}' for s in members)} = {sum(s.quantity.value for s in members):g} %"
        if re.search(
            r"\b(?:long|short) shares?\b|\bshares? of (?:longs|shorts)|% (?:of (?:its|their)|long|short)|were (?:long|short)",
            members[0].sentence.text,
            re.I,
        ):
            continue
        if not holds or is_whole:
            yield judged(holds, members[0].sentence.text, "share_over_100" if low > 100 else "parts_total", words, members[0].id, members)


def _recomputed(share: Statement, money_: Sequence[Statement]) -> Iterator[Finding]:
    """A share against the amounts it is of: those of its venues, coins or side over the total."""
    q = share.quantity
    top = _amounts_of(share, money_)
    bottom = total_for(share, money_) if share.side is not None else None
    if bottom is None and (share.side is None or share.key == ((), ())):
        bottom = total_for(share, money_, whole=True)
    if not top or bottom is None or any(t.id == bottom.id for t in top) or bottom.quantity.low <= 0:
        return
    low, high = sum(t.quantity.low for t in top), sum(t.quantity.high for t in top)
    value = sum(t.quantity.value for t in top)

    def fits(whole: Statement) -> bool:
        least, most = 100 * low / whole.quantity.high, 100 * high / whole.quantity.low
        return q.within(least, most) if q.until is None else q.low <= most and least <= q.until.high

    if not fits(bottom) and share.side is None:  # a text may state two totals; the share is of either
        others = [t for t in money_ if t.role == "total" and t.side is None and not t.venues and not t.coins and t.quantity.low > 0]
        bottom = next((t for t in others if _same_window(share, t) and fits(t)), bottom)
    named = " + ".join(amount(t.quantity) for t in top)
    words = f"{named if len(top) == 1 else f'({named})'} / {amount(bottom.quantity)} = {percent(100 * value / bottom.quantity.value)}"
    text = _joined(share, *top, bottom)
    yield judged(fits(bottom), text, "share_of_amounts", f"{words}, said {q.value:g} %", share.id, (share, *top, bottom))
    known = (
        100 * value / bottom.quantity.value * (sum(t.quantity.step for t in top) / value + bottom.quantity.step / bottom.quantity.value)
        if value
        else 0
    )
    if fits(bottom) and known > 300 * q.step:
        words = f"printed to ±{q.step:g} points; the amounts fix it to ±{known:.2g}"
        yield judged(False, share.sentence.text, "rounding", words, share.id, (share,))


def _amounts_of(share: Statement, money_: Sequence[Statement]) -> list[Statement]:
    def first(fits: list[Statement]) -> list[Statement]:
        own = sorted(
            (s for s in fits if near(s, share)), key=lambda s: (abs(s.sentence.order - share.sentence.order), abs(s.id - share.id))
        )
        return own[:1]

    names: list[tuple[tuple[str, ...], tuple[str, ...]]] = (
        [((v,), ()) for v in share.venues] or [((), (c,)) for c in share.coins] or [((), ())]
    )
    if share.key == ((), ()) and share.side is None:
        return first([s for s in money_ if s.role == "rest"]) if share.role == "rest" else []
    got = [first([s for s in money_ if s.key == name and s.side == share.side and s.role != "rest"]) for name in names]
    return [s for one in got for s in one] if all(got) else []


ADDED = re.compile(r"[^+;:,(]*(?:\+[^+;:(]*?)+(?:=|\bsums? to|\bequals?|\bmakes?|\bgives?|\badds? up to|\btotals?|\bis)\s*$")
COUNT = re.compile(
    r"\b(?:the |these |all |top )?(?P<n>two|three|four|five|six|2|3|4|5|6)(?: named| listed| largest| biggest"
    r"| big)? (?:venues|exchanges|platforms|coins|sides)\b",
    re.I,
)
WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def stated_sums(found: Sequence[Statement], money_: Sequence[Statement]) -> Iterator[Finding]:
    """ "a + b = c", and "the five venues sum to c" against the amounts of that many venues."""
    for s in money_:
        text = s.sentence.text
        chain = ADDED.search(text[: s.quantity.start])
        terms = [t for t in money_ if chain and t.sentence is s.sentence and chain.start() <= t.quantity.start < s.quantity.start]
        if len(terms) >= 2:
            low, high = sum(t.quantity.low for t in terms), sum(t.quantity.high for t in terms)
            words = f"{_added(terms)}, said {amount(s.quantity)}"
            yield judged(s.quantity.within(low, high), text, "sum_stated", words, s.id, (*terms, s))
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


def _windows(money_: Sequence[Statement]) -> Iterator[Finding]:
    """Amounts of one subject over nested windows do not shrink as the window grows."""
    told = [s for s in money_ if s.hours is not None and s.role != "rest" and not s.is_earlier]
    for a, b in combinations(told, 2):
        small, large = sorted((a, b), key=lambda s: s.hours or 0.0)
        if small.hours == large.hours or (a.key, a.side) != (b.key, b.side) or abs(a.sentence.order - b.sentence.order) > 1:
            continue
        nested = re.search(r"\b(?:past|last|24|12|4|1)\b", a.near) and not re.search(
            r"\b(?:first|another|then|following|previous|preceding|average|peak)\b", a.near + b.near, re.I
        )
        if nested and (a.when == b.when):
            holds = small.quantity.low <= large.quantity.high
            words = f"{small.hours:g} h {amount(small.quantity)}, {large.hours:g} h {amount(large.quantity)}"
            yield judged(holds, _joined(a, b), "equal_windows", words, max(a.id, b.id), (a, b))


def _added(of: Sequence[Statement]) -> str:
    return f"{' + '.join(amount(s.quantity) for s in of)} = {money(sum(s.quantity.value for s in of))}"


def _joined(*of: Statement) -> str:
    """The sentences the numbers stand in, in their order, each once."""
    return " … ".join(dict.fromkeys(s.sentence.text for s in sorted(of, key=lambda s: s.id)))
