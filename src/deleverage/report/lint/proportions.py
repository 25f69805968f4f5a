"""Fractions, ranks and multiples said in words: "most", "a third", "led by", "twice", "modest"."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from deleverage.report.lint.extract import REST, Statement, side_of
from deleverage.report.lint.finding import Finding, amount, judged
from deleverage.report.lint.markdown import Sentence
from deleverage.report.lint.quantities import money, percent
from deleverage.report.lint.sums import is_share, near, total_for
from deleverage.report.names import coins_in, venues_in

FRACTIONS: tuple[tuple[str, float, float], ...] = (
    (r"(?:more than|over|above|at least) (?:two[- ]thirds|2/3)", 66.6, 100), (r"(?:more than|over|above"
                                                                              r"|at least) three[- ]quarters", 75, 100),
    (r"(?:more than|over|above|well over|just over) (?:a |one )?half", 50, 100),
    (r"(?:more than|over|above) (?:a|one)[- ]third", 33.3, 100),
    (r"(?:more than|over|above) (?:a|one)[- ]quarter", 25, 100), (r"(?:less than|under|below) (?:a |one )?half", 0, 50),
    (r"(?:less than|under|below) (?:a|one)[- ]third", 0, 33.4), (r"(?:less than|under|below) (?:a|one)[- ]quarter", 0, 25),
    (r"(?:nearly|almost|close to|just under) (?:a )?half", 42, 50.5), (r"(?:about|around|roughly|some) (?:a )?half", 44, 56),
    (r"(?:nearly|almost|about|around|roughly) two[- ]thirds", 60, 70), (r"(?:nearly|almost|about|around"
                                                                        r"|roughly) (?:a|one)[- ]third", 28, 38),
    (r"(?:nearly|almost|about|around|roughly) three[- ]quarters", 69, 80), (r"(?:nearly|almost|about|around|roughly) (?:a"
                                                                            r"|one)[- ]quarter", 20, 29),
    (r"nearly all|almost all|virtually all", 85, 100), (r"(?:the )?(?:vast|overwhelming) (?:majority|bulk)|overwhelmingly", 60, 100),
    (r"(?:the )?(?:large|great) (?:majority|bulk)", 50, 100), (r"the (?:lion'?s|lion’s) share", 33, 100),
    (r"(?:the |a )?majority|the bulk|most(?= (?:of|were|was|came|liquidat))|mostly|mainly|predominantly|the greater part", 50, 100),
    (r"two[- ]thirds", 62, 71), (r"three[- ]quarters", 71, 79),
    (r"(?:a|one)[- ]third", 29, 38), (r"(?:a|one)[- ]quarter", 21, 29), (r"half", 46, 54),
    (r"(?:a )?(?:small )?minority", 0, 50),
)  # fmt: skip
FRACTION = re.compile("|".join(rf"(?P<f{i}>\b(?:{p})\b)" for i, (p, _, _) in enumerate(FRACTIONS)), re.I)
NOT_OF = re.compile(
    r"\b(?:half (?:an|a) (?:hour|day|century)|half-hour|half[- ]?(?:year|life|open)|(?:first|second) half|third[- ]quarter"
    r"|a third (?:wave|day|straight|time|consecutive)|most (?:recent|likely|traders|analysts|of the (?:day|session|week|time)(?!['’]s)))\b",
    re.I,
)
SMALL = re.compile(r"\b(?:modest|small|minor|negligible|marginal|slight|insignificant|tiny)\b", re.I)
LEAD = re.compile(r"\b(?:led|leading|topped|first place|largest|biggest|heaviest|most affected|hardest hit|dominated)\b", re.I)


def fractions(sentences: Sequence[Sentence], found: Sequence[Statement]) -> Iterator[Finding]:
    """A fraction in words against the share printed beside it, or worked out from the amounts of its venues, coins or side."""
    money_ = [s for s in found if s.quantity.kind == "money" and s.topic in ("liquidations", "none") and s.quantity.until is None]
    shares = [s for s in found if s.quantity.kind == "share" and is_share(s) and s.quantity.until is None]
    for s in sentences:
        if NOT_OF.search(s.text):
            continue
        for match in FRACTION.finditer(s.text):
            _, least, most = FRACTIONS[int((match.lastgroup or "f0")[1:])]
            low_open = least == 50
            got = _share_said(s, match, shares, money_)
            if got is None:
                if re.search(r"liquidat|longs?\b|shorts?\b|total|venues|exchanges", s.text, re.I):
                    yield Finding(s.text, "not_checkable", "most", f"“{match[0]}” without the numbers it is of", s.order)
                continue
            low, high, words, of = got
            holds = high > least if low_open else high >= least
            holds = holds and low <= most
            yield judged(holds, s.text, "most", f"“{match[0]}”: {words}", s.order, of)


def _share_said(
    s: Sentence, match: re.Match[str], shares: Sequence[Statement], money_: Sequence[Statement]
) -> tuple[float, float, str, list[Statement]] | None:
    own = [t for t in shares if t.sentence.order == s.order]
    clause = re.split(r"[;]|\bwhile\b|\bwhereas\b", s.text)
    part = next((c for c in clause if match[0] in c), s.text)
    side = side_of(part)
    venues = tuple(dict.fromkeys(n.key for n in venues_in(part)))
    coins = tuple(dict.fromkeys(n.key for n in coins_in(part)))
    close = [t for t in own if t.quantity.text in part]
    beside = [
        t for t in close if re.match(r"[^.;]{0,60}$", s.text[min(match.end(), t.quantity.end) : max(match.start(), t.quantity.start)])
    ]
    if len(beside) == 1 and (beside[0].side in (None, side)):
        q = beside[0].quantity
        return q.low, q.high, q.text, beside
    if len(close) > 1 and side is not None:
        fits = [t for t in close if t.side == side]
        if len(fits) == 1:
            return fits[0].quantity.low, fits[0].quantity.high, fits[0].quantity.text, fits
    direct = _direct(s, match, part, [t for t in money_ if t.sentence.order == s.order])
    if direct is not None:
        top_, whole = direct
        low, high = 100 * top_.quantity.low / whole.quantity.high, 100 * top_.quantity.high / whole.quantity.low
        value = 100 * top_.quantity.value / whole.quantity.value
        return low, high, f"{amount(top_.quantity)} of {amount(whole.quantity)} is {percent(value)}", [top_, whole]
    if re.match(r"\s*of (?:it|them|which|those|that)\b(?! \$)", s.text[match.end() :]):
        return None  # of what stands before, which is not said
    names = [((v,), ()) for v in venues] if venues else [((), (c,)) for c in coins]
    subjects: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(tuple(a), tuple(b)) for a, b in names]
    if not subjects and side is not None:
        subjects = [((), ())]
    top: list[Statement] = []
    anchor: Statement | None = None
    for key in subjects:
        fits = [
            t
            for t in money_
            if t.key == key
            and t.side == (side if not venues and not coins else None)
            and abs(t.sentence.order - s.order) <= 6
            and t.role != "rest"
        ]
        if not fits:
            return None
        anchor = min(fits, key=lambda t: abs(t.sentence.order - s.order))
        top.append(anchor)
    if anchor is None:
        return None
    total = total_for(anchor, money_, whole=True)
    if total is None or total.quantity.low <= 0:
        return None
    low, high = (
        100 * sum(getattr(t.quantity, end) for t in top) / getattr(total.quantity, other)
        for end, other in (("low", "high"), ("high", "low"))
    )
    value = 100 * sum(t.quantity.value for t in top) / total.quantity.value
    return low, high, f"{' + '.join(amount(t.quantity) for t in top)} of {amount(total.quantity)} is {percent(value)}", [*top, total]


_OUT_OF = re.compile(r"\s*(?:out )?of (?:(?:the|a|all|total|overall|some|about|roughly|nearly|almost) ){0,3}", re.I)
_OF_THE = re.compile(r"\s*of (?:(?:the|all|total|overall|some|about|roughly|nearly|almost|market['’]s|day['’]s|those) ){0,3}", re.I)


def _direct(s: Sentence, match: re.Match[str], part: str, own: Sequence[Statement]) -> tuple[Statement, Statement] | None:
    """The amount and the whole that stand beside a fraction: "most, $400 million out of $1 billion", "half of the $800 million,
    $240 million"; None where there are several, or the amount is said to be of something else."""
    begin = s.text.find(part)
    inside = [t for t in own if begin <= t.quantity.start < begin + len(part)]
    pairs = [(a, b) for a, b in pairwise(inside) if _OUT_OF.fullmatch(s.text[a.quantity.end : b.quantity.start])]
    if not pairs and len(inside) == 2 and _OF_THE.fullmatch(s.text[match.end() : inside[0].quantity.start]):
        apart = re.search(
            r"\b(?:another|further|additional|and|but|by|after|before"
            r"|later)\b",
            s.text[inside[0].quantity.end : inside[1].quantity.start],
        )
        pairs = [] if apart else [(inside[1], inside[0])]
    if len(pairs) != 1:
        return None
    top, whole = pairs[0]
    if whole.quantity.low <= 0 or top.hours != whole.hours or top.is_earlier:
        return None
    told = s.text[match.end() : top.quantity.start] if top.quantity.start > match.end() else s.text[: match.start()]
    for named, kept in (
        ({n.key for n in venues_in(told)}, set(top.venues)),
        ({n.key for n in coins_in(told)}, set(top.coins)),
        ({side_of(told)} - {None}, {top.side} - {None}),
    ):
        if named and kept and not kept <= named:
            return None
    return top, whole


def ranks(sentences: Sequence[Sentence], found: Sequence[Statement]) -> Iterator[Finding]:
    """Who is said to lead has the largest amount; "followed by" descends; multiples hold; what is called small is not larger."""
    inside: dict[int, list[Statement]] = {}
    for t in found:
        if t.quantity.kind in ("money", "share") and t.quantity.until is None:
            inside.setdefault(t.sentence.order, []).append(t)
    for s in sentences:
        own = inside.get(s.order, [])
        amounts = [t for t in own if t.quantity.kind == "money" and (len(t.venues) == 1) != (len(t.coins) == 1)]
        amounts = amounts if len({t.side for t in amounts}) == 1 else [t for t in amounts if t.side is None]
        yield from _compared(s, [t for t in own if t.quantity.kind == "money"])
        is_led = re.search(r"\bfollowed by\b|\bthen\b", s.text) and len(amounts) >= 2 and LEAD.search(s.text[: amounts[1].quantity.start])
        if is_led or (len(amounts) >= 2 and (re.search(r"\bahead of\b", s.text) or _in_order(s.text, amounts))):
            falls = all(a.quantity.high >= b.quantity.low for a, b in pairwise(amounts))
            words = ", ".join(f"{(t.venues + t.coins)[0]} {amount(t.quantity)}" for t in amounts)
            yield judged(falls, s.text, "ranking", words, s.order, amounts)
        if len(amounts) == 2 and not is_led:
            between = s.text[amounts[0].quantity.end : amounts[1].quantity.start]
            more = re.search(
                r"\b(?:exceed\w*|surpass\w*|outpac\w*|outstripp\w*|(?:larger|more|greater|higher|bigger|harder|heavier) than"
                r"|above)\b",
                between,
            )
            less = re.search(r"\b(?:(?:less|smaller|lower) than|fell short of)\b", between)
            a, b = amounts[0].quantity, amounts[1].quantity
            if (more or less) and not re.search(r"\b(?:not|n.t)\b", between):
                holds = a.high >= b.low if more else a.low <= b.high
                yield judged(holds, s.text, "ranking", f"{amount(a)} {(more or less)[0]} {amount(b)}", s.order, amounts)  # type: ignore[index]
        yield from _multiple(s, own)
        yield from _small(s, found)


def _in_order(text: str, amounts: Sequence[Statement]) -> bool:
    """Whether places are given in their order: "first with a, second with b"."""
    first, second = re.search(r"\b(?:was|is|came|ranked|in) first\b", text), re.search(r"\bsecond\b", text)
    return bool(first and second and first.start() < amounts[0].quantity.start < second.start() < amounts[-1].quantity.end + 24)


OUTDID = re.compile(
    r"\b(?:outpac\w*|exceed\w*|outweigh\w*|outstripp\w*|surpass\w*|dwarf\w*|eclips\w*|topped|more than|larger than|greater than)\b", re.I
)
BRUNT = re.compile(
    r"\b(?P<who>longs|shorts|long (?:traders|positions|liquidations)|short (?:traders|sellers|positions|liquidations)|bulls"
    r"|bears)\b[^.;]{0,12}?"
    r"\b(?:bore the brunt|took the brunt|were (?:hit|hurt) (?:the )?(?:hardest|harder|most)|dominated|were the bigger|led the)\b",
    re.I,
)


def _compared(s: Sentence, own: Sequence[Statement]) -> Iterator[Finding]:
    """One side's amount against the other's, where the text says which is the larger."""
    pair = [t for t in own if t.side is not None]
    if len(pair) != 2 or {t.side for t in pair} != {"long", "short"} or pair[0].key != pair[1].key or pair[0].hours != pair[1].hours:
        return
    a, b = pair
    between, brunt = s.text[a.quantity.end : b.quantity.start], BRUNT.search(s.text)
    outdid = OUTDID.search(between)
    if outdid and not re.search(r"\b(?:not|n[o']t|by)\b", between, re.I):
        holds, words = a.quantity.high >= b.quantity.low, outdid[0]
    elif brunt:
        first = side_of(brunt["who"]) == a.side
        big, small = (a, b) if first else (b, a)
        holds, words = big.quantity.high >= small.quantity.low, brunt[0]
    else:
        return
    yield judged(holds, s.text, "ranking", f"“{words}”: {a.side} {amount(a.quantity)}, {b.side} {amount(b.quantity)}", s.order, pair)


MULTIPLE = re.compile(
    r"\b(?:(?:more than |over |nearly |almost |about |roughly |at least )?(?P<w>twice|double|triple|quadruple|(?:two|three"
    r"|four|five|ten|\d+(?:\.\d+)?) times))\b",
    re.I,
)
TIMES = {"twice": 2.0, "double": 2.0, "triple": 3.0, "quadruple": 4.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "ten": 10.0}


def _multiple(s: Sentence, own: Sequence[Statement]) -> Iterator[Finding]:
    match = MULTIPLE.search(s.text)
    amounts = [t for t in own if t.quantity.kind == "money"]
    if (
        match is None
        or len(amounts) != 2
        or not re.search(r"\b(?:of|as|that|those|what|the|than)\b", s.text[match.end() : match.end() + 24])
    ):
        return
    between = s.text[amounts[0].quantity.end : amounts[1].quantity.start]
    if re.match(r"\s*(?:\w+ )?(?:than|of|as|that of) (?:either|both|any|all)\b", s.text[match.end() :]) or (
        match.start() > amounts[1].quantity.end and re.search(r"\band\b", between)
    ):
        return
    word = match["w"].lower().split()[0]
    times = TIMES.get(word) or float(word)
    a, b = (t.quantity for t in amounts)
    if min(a.low, b.low) <= 0:
        return
    ratio = a.value / b.value if a.value > b.value else b.value / a.value
    prefix = match[0].lower()
    least, most = (
        (times, 1e9)
        if re.match(r"more than|over|at least", prefix)
        else (times * 0.85, times)
        if re.match(r"nearly|almost", prefix)
        else (times * 0.9, times * 1.12)
    )
    slack = a.step / a.value + b.step / b.value
    yield judged(
        least * (1 - slack) <= ratio <= most * (1 + slack),
        s.text,
        "ranking",
        f"“{match[0]}”: {amount(a)} and {amount(b)}, a ratio of {ratio:.2f}",
        s.order,
        amounts,
    )


def _small(s: Sentence, found: Sequence[Statement]) -> Iterator[Finding]:
    match = SMALL.search(s.text)
    if match is None or not REST.search(s.text) or re.search(r"liquidat\w+ (?:was|were) (?:modest|small)", s.text, re.I):
        return
    close = [
        t
        for t in found
        if t.quantity.kind == "money" and t.topic in ("liquidations", "none") and abs(t.sentence.order - s.order) <= 3 and t.side is None
    ]
    rest = next((t for t in close if t.role == "rest"), None)
    parts = [t for t in close if len(t.coins) == 1 and not t.venues]
    total = next(
        (t for t in found if t.quantity.kind == "money" and t.role == "total" and t.side is None and (not parts or near(t, parts[0]))), None
    )
    low = value = 0.0
    if rest is not None:
        low, value = rest.quantity.low, rest.quantity.value
    elif parts and total is not None:
        low = total.quantity.low - sum(t.quantity.high for t in parts)
        value = total.quantity.value - sum(t.quantity.value for t in parts)
    smaller = [t for t in parts if t.quantity.high < low]
    if not parts or value <= 0:
        return
    most = max(smaller, key=lambda t: t.quantity.value, default=None)
    if most is None:
        return
    words = f"“{match[0]}”: the rest is {money(value)}, more than {most.coins[0]} with {amount(most.quantity)}"
    yield judged(
        False, s.text, "proportion_words", words, s.order, [*parts, *([total] if total and rest is None else []), *([rest] if rest else [])]
    )
