"""Shares: of one whole, and against the amounts they are of."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.lint.extract import REST, Statement
from deleverage.report.lint.finding import Finding, amount, judged
from deleverage.report.lint.quantities import percent
from deleverage.report.lint.sums import SHARE, is_share, joined, near, same_window, total_for


def shares(found: Sequence[Statement]) -> Iterator[Finding]:
    """Every check of this file over the labelled numbers of a text and its tables."""
    money_ = [s for s in found if s.quantity.kind == "money" and s.topic in ("liquidations", "none") and s.quantity.until is None]
    of_venues = [
        s for s in found if s.quantity.kind == "share" and s.topic in ("open interest", "volume") and len(s.venues) == 1 and is_share(s)
    ]
    shares_ = [s for s in found if s.quantity.kind == "share" and s.topic in ("liquidations", "none") and is_share(s)]
    yield from _over(found)
    yield from _partition([*shares_, *of_venues])
    told: set[int] = set()
    for share, part, whole in triples(found):
        told.add(share.id)
        yield from _of(share, [part], whole)
    for share in shares_:
        if share.id not in told:
            yield from _recomputed(share, money_)


_WHOLE = (
    r"(?:(?:all|the|of|day['’]s|total|overall|some|about|roughly|nearly|almost|a|whole|entire|market['’]?s?|hour['’]s|week['’]s)\s+){0,4}"
)
_SHARE_OF = re.compile(rf"\s*(?:of|out of)\s+{_WHOLE}", re.I)
_BESIDE = re.compile(
    r"\s*(?:[(=]|,?\s?(?:or|i\.e\.,?|that is,?|which is|meaning)\b|,|—|–|-)\s*(?:(?:or|just|only|a|some|about|roughly|nearly|almost"
    r"|over|share|of|at|with|equal|equivalent|to|i\.e\.,?)\s+){0,3}",
    re.I,
)
_AT = re.compile(
    r"(?:\s+(?:in|of|liquidations?|total|liquidated|positions|the|all|crypto|forced|sales)){0,4}\s*(?:,\s*(?:at|or|with|i\.e\.)\s+|\("
    r"|—\s*|–\s*)",
    re.I,
)


_BRACKET = re.compile(r"[^,;.$%()]{0,60}\(")
_OR = re.compile(r"[^,;.:$]{0,40}?(?:,? or|:|,? i\.e\.,?|\s—)\s*(?:about |some |roughly |nearly )?", re.I)


def triples(found: Sequence[Statement]) -> Iterator[tuple[Statement, Statement, Statement]]:
    """A share, its amount and its whole where they stand beside each other: "64 % ($310M) of the $775M", "$60M, just 6 % of the $400M",
    "58 percent of the day's $1 billion in liquidations, at $380 million"; and "$500 million of $1 billion, or 40 %"."""
    for i, s in enumerate(found):
        if s.quantity.kind != "share" or s.quantity.until is not None or s.quantity.is_signed:
            continue
        text = s.sentence.text

        def at(j: int, share: Statement = s) -> Statement | None:
            t = found[j] if 0 <= j < len(found) else None
            fits = t is not None and t.sentence is share.sentence and t.quantity.kind == "money" and t.quantity.until is None
            return t if fits else None

        def gap(a: Statement, b: Statement, of: str = text) -> str:
            return of[a.quantity.end : b.quantity.start]

        one, two, back, back2 = at(i + 1), at(i + 2), at(i - 1), at(i - 2)
        if one and two and _SHARE_OF.fullmatch(gap(one, two)) and _OR.fullmatch(gap(s, one)):
            yield s, one, two  # 82 % of liquidations, or $410 million of $600 million
            continue
        if (
            one
            and two
            and gap(s, one).strip() == "("
            and re.match(r"\s*\)", gap(one, two))
            and _SHARE_OF.fullmatch(gap(one, two).strip(" )") + " ")
        ):
            yield s, one, two  # 64 % ($310M) of the $775M
        elif back and one and _SHARE_OF.fullmatch(gap(s, one)) and _BESIDE.fullmatch(gap(back, s)):
            yield s, back, one  # $60M, just 6 % of the $400M
        elif one and two and _SHARE_OF.fullmatch(gap(s, one)) and (_AT.fullmatch(gap(one, two)) or _BRACKET.fullmatch(gap(one, two))):
            yield s, two, one  # 58 percent of the $1 billion in liquidations, at $380 million
        elif back and back2 and _SHARE_OF.fullmatch(gap(back2, back)) and _BESIDE.fullmatch(gap(back, s)):
            yield s, back2, back  # $500 million of $1 billion, or 40 %


def _of(share: Statement, top: Sequence[Statement], bottom: Statement) -> Iterator[Finding]:
    """A share against its amounts and its whole."""
    if bottom.quantity.low <= 0:
        return
    low, high = (
        100 * sum(getattr(t.quantity, a) for t in top) / getattr(bottom.quantity, b) for a, b in (("low", "high"), ("high", "low"))
    )
    value = 100 * sum(t.quantity.value for t in top) / bottom.quantity.value
    words = f"{' + '.join(amount(t.quantity) for t in top)} / {amount(bottom.quantity)} = {percent(value)}, said {share.quantity.value:g} %"
    yield judged(share.quantity.within(low, high), joined(share, *top, bottom), "share_of_amounts", words, share.id, (share, *top, bottom))


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
        bottom = next((t for t in others if same_window(share, t) and fits(t)), bottom)
    named = " + ".join(amount(t.quantity) for t in top)
    words = f"{named if len(top) == 1 else f'({named})'} / {amount(bottom.quantity)} = {percent(100 * value / bottom.quantity.value)}"
    text = joined(share, *top, bottom)
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
