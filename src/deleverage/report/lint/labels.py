"""Which label belongs to which number of a sentence: what stands before it, or behind it, up to the next separator."""

import re
from typing import Literal, NamedTuple

from deleverage.report.lint.extract import (
    DATE,
    EARLIER,
    GLOBAL,
    LIQUIDATED,
    LONG,
    REST,
    SHORT,
    TOTAL,
    Role,
    Statement,
    Topic,
    side_of,
    topic_of,
    window_hours,
    windows_in,
)
from deleverage.report.lint.markdown import Sentence
from deleverage.report.lint.quantities import Quantity, quantities
from deleverage.report.lint.respectively import Named, respective
from deleverage.report.names import Name, coins_in, venues_in

_SPLIT = re.compile(
    r"[;:()/|+]|,|\s[-–—]\s|—|\b(?:and|while|whereas|versus|vs\.?|against|compared|followed|of which|but|with|including|plus"
    r"|then|as|than|that (?:saw|had|brought)|exceed(?:ed|ing|s)?|surpass(?:ed|ing)?|outpac(?:ed|ing)|topp(?:ed|ing)|outstripp(?:ed|ing))\b",
    re.I,
)
_PAIR = re.compile(r"\(\s*(?:\x00[$\d.,]+\s?\w{0,2}\s*/\s*[$\d.,]+|[$\d.,]+\s?\w{0,2}\s*/\s*\x00[$\d.,]+)\s?\w{0,2}\s*\)")
"""The number behind the nought byte is one of a pair in brackets, long before short: "(620.80 / 8.02)"."""
_DETERMINED = (
    r"(?:(?:the|a|all|its|that|this|those) )?(?:\w+['’]s? )?"
    r"(?:(?:total|overall|whole|entire|market-?wide|roughly|about|some|nearly) )*(?:of )?(?:the )?"
)
_OF_GAP = re.compile(rf"\s*(?:(?!and\b|with\b|liquidations?\b|total\b|sum\b)\w+\s+){{0,3}}?(?:out )?of {_DETERMINED}", re.I)
_OF_START = re.compile(
    rf"(?:^|[;:(]\s*|\b(?:most|half|thirds?|quarters?|majority|bulk|share|percent|part|out|much)\s+)of {_DETERMINED}$", re.I
)
_VERB = re.compile(r"\b(?:came|was|were|is|are|went|hit|fell|belonged|stemmed)\b", re.I)
_BESIDE = re.compile(
    r"[^.;:]{0,40}?(?:,? (?:or|with|at)|,? (?:i\.e\.|that is|which is)|, (?:a|its) (?:share|proportion) of|[(=]"
    r"|[-–—])\s*(?:about |roughly |some |just )?",
    re.I,
)
"""Between a number and another name of the same thing: "$1.86 billion, or 93 %"."""
_BACKGROUND = re.compile(r"\b(?:as|after|when|because|amid|before|while)\b", re.I)
"""What comes before it is not what the number behind it is of: "Bitcoin fell as $2 bn was liquidated"."""
_OF_SHARES = re.compile(r"\b(?:long|short)(?:[- ]side)? shares?\b|\bshares? of (?:longs|shorts)\b", re.I)
_TOGETHER = re.compile(r"\b(?:together|combined|between them|the two|both|jointly)\b", re.I)
_ESTIMATED = re.compile(r"\b(?:(?:is|are|was|were) estimated at|estimated total|interval)\b", re.I)
"""Of what was not seen: such numbers are held against those of their own sentence alone, as those of another time are."""
_OVERALL = re.compile(r"[^,;:]{0,24}?\b(?:overall|in total|in all|altogether|all told|across the (?:market|board))\b", re.I)
_THERE = re.compile(r"\bthere\b|\bon (?:that|the) (?:exchange|venue|platform)\b", re.I)
_ANNOUNCED = re.compile(r"\b(?:majority|most|half|bulk|led|dominated)\b[^:]*:\s*$", re.I)


MOST_NUMBERS = 60
"""Numbers of a sentence that are read; no writer uses as many."""


_LISTED = re.compile(r"\s*(?:\([^)]{0,40}\)?)?\s*(?:,|;|,? and|&)\s+(?P<name>[A-Za-z][\w.-]{1,20})\s*(?:\(|:|at|with|had|saw)?\s*", re.I)
_NO_NAME = re.compile(
    r"(?:and|with|about|at|to|another|further|some|for|in|by|total|totals|the|a|or|over|up|down|from|of|while|nearly"
    r"|longs|shorts|long|short|its|their|that|which|an|all|just|only|then|it|they|this|these|those|both|between"
    r"|roughly|around|almost|more|less|under)",
    re.I,
)


class _Labels(NamedTuple):
    venues: tuple[str, ...] = ()
    coins: tuple[str, ...] = ()
    side: Literal["long", "short"] | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.venues or self.coins or self.side)


def statements(sentences: list[Sentence]) -> list[Statement]:
    """Label every number of a text, in order; dates and clocks are no numbers."""
    found: list[Statement] = []
    whole: Topic = "liquidations" if any(LIQUIDATED.search(sentence.text) for sentence in sentences) else "none"
    windows = (set(window_hours(sentence.text)) for sentence in sentences)
    main = next((min(named) for named in windows if len(named) == 1), None)
    block, topic, hours = -1, whole, main
    for sentence in sentences:
        if sentence.block != block:
            block, topic, hours = sentence.block, whole, main
        own = topic_of(sentence.text)
        topic = own if own != "none" else topic
        said = window_hours(sentence.text)
        if len(set(said)) == 1:
            hours = said[0]
        labelled = _label(sentence, topic, hours if len(set(said)) < 2 else None, len(found))
        found += labelled
    return found


def _label(sentence: Sentence, topic: Topic, hours: float | None, first: int) -> list[Statement]:
    text = sentence.text
    dates = [(m.start(), m.end(), m[0]) for m in DATE.finditer(text)]
    numbers = [q for q in _inherited(text) if not any(s <= q.start < e or s < q.end <= e for s, e, _ in dates) and not _is_year(text, q)]
    numbers = numbers[:MOST_NUMBERS]
    is_estimate = bool(_ESTIMATED.search(text))
    found: list[Statement] = []
    carried, held, parent, running = _Labels(), _Labels(), first, topic
    in_turn = respective(text, numbers)
    windows = windows_in(text) if hours is None else []
    for i, q in enumerate(numbers):
        gap = text[: q.start] if i == 0 else text[numbers[i - 1].end : q.start]
        before = gap if i == 0 else _split(gap)[1]
        after = _behind(text, numbers, i)
        near = f"{before} {q.text} {after}"
        own = _own(_BACKGROUND.split(before)[-1] if i == 0 else before, after, i == 0)
        if i and before == gap and own.side is not None and side_of(after) is None and found[-1].side == own.side and _OVERALL.match(after):
            own = own._replace(side=None)  # the side was told of the number before
        if i and not own.venues and not own.coins and (_TOGETHER.search(before) or re.match(r"\s*(?:together|combined)\b", after, re.I)):
            own = own._replace(
                venues=tuple(dict.fromkeys(v for f in found for v in f.venues)),
                coins=tuple(dict.fromkeys(c for f in found for c in f.coins)),
            )
        told = _OF_SHARES.search(text[: q.start])
        if q.kind == "share" and own.side is None and told:
            own = own._replace(side=side_of(told[0]))
        is_of = q.kind != "share" and bool((i and _OF_GAP.fullmatch(gap)) or _OF_START.search(before))
        is_parenthesis = gap.rstrip().endswith("(") or (
            i > 0 and "(" not in gap and text[: q.start].count("(") > text[: q.start].count(")")
        )
        if i and "(" in gap:
            parent = first + i - 1
        is_about = bool(_VERB.search(after))
        was_held, held = held, _Labels()
        if is_of and (is_about or not venues_in(after)):
            own, held = _Labels(), _own("", after, False) if is_about else _Labels()
        elif own.is_empty and i and (_BESIDE.fullmatch(gap) or (gap.rstrip().endswith(",") and after.startswith(" of "))):
            same = found[-2] if found[-1].is_of and len(found) > 1 else found[-1]
            if not was_held.is_empty:
                own = was_held
            elif {q.kind, same.quantity.kind} == {"share", "money"}:
                own = _Labels(same.venues, same.coins, same.side)
        is_total = is_of or (own.side is None and not own.venues and bool(GLOBAL.search(near)))
        if (
            not own.venues
            and not own.coins
            and not is_total
            and (own.side is not None or is_parenthesis or (q.kind == "share" and i and not REST.search(near)))
        ):
            own = own._replace(venues=carried.venues, coins=carried.coins)
        if found and own.side is None and _PAIR.search(text[: q.start] + "\x00" + text[q.start :]):
            own = carried._replace(side="long" if text[: q.start].rstrip().endswith("(") else "short")
        if i in in_turn:
            own, is_of, is_total = _in_turn(in_turn[i], carried), False, False
        if (own.venues or own.coins) and q.kind != "price":
            carried = own._replace(side=None)
        elif is_total or (own.is_empty and q.kind == "money" and LIQUIDATED.search(near)):
            carried = _Labels()
        if is_parenthesis and q.kind == "share" and found and found[-1].role == "rest" and _BESIDE.fullmatch(gap):
            own, is_rest = _Labels(), True
        else:
            is_rest = False
        if i and own.is_empty and not is_total and not is_rest and (unknown := _unknown(gap, near, found[-1])):
            own = unknown
        role: Role = "rest" if is_rest or (REST.search(near) and not own.venues and not own.coins) else "total" if own.is_empty else "part"
        said = window_hours(near) or [h for at, h in windows if text.rfind(";", 0, q.start) < at < q.start]
        when = next((d for s, _, d in reversed(dates) if s < q.start), dates[0][2] if dates else "")
        about = topic_of(near)
        running = topic if ";" in gap else running
        running = running if about == "none" else about
        found.append(
            Statement(
                q,
                running,
                own.venues,
                own.coins,
                own.side,
                role,
                said[-1] if said else hours,
                when,
                bool(EARLIER.search(near)) or is_estimate,
                near.strip(),
                before,
                after,
                sentence,
                first + i,
                is_of,
                parent if is_parenthesis else None,
            )
        )
    return _placed(found)


def _unknown(gap: str, near: str, last: Statement) -> _Labels | None:
    """The label of a number in a list of venues or coins whose name is not known: "BTC $960 million, and tron about $40 million"."""
    match = _LISTED.fullmatch(gap)
    if match is None or _NO_NAME.fullmatch(match["name"]) or not (last.venues or last.coins) or last.quantity.kind != "money":
        return None
    if LIQUIDATED.search(near) or REST.search(near) or TOTAL.search(near) or side_of(near):
        return None
    return _Labels(venues=(match["name"],)) if last.venues else _Labels(coins=(match["name"],))


def _in_turn(name: Named, carried: _Labels) -> _Labels:
    """The label of a number that is told in turn with others."""
    if name.kind == "side":
        return carried._replace(side="long" if name.key == "long" else "short")
    return _Labels(venues=(name.key,)) if name.kind == "venue" else _Labels(coins=(name.key,))


def _placed(found: list[Statement]) -> list[Statement]:
    """Sides told "there" are of the venue named last."""
    for i in range(len(found) - 1, 0, -1):
        if not found[i].venues and found[i].side is not None and _THERE.search(found[i].after):
            last = next((j for j in range(i - 1, -1, -1) if found[j].venues), None)
            if last is None:
                continue
            for j in range(i, last, -1):
                if found[j].side is not None and not found[j].venues:
                    found[j] = found[j]._replace(venues=found[last].venues)
    return found


def _behind(text: str, numbers: list[Quantity], i: int) -> str:
    """What belongs to a number behind it; behind the last one a sentence may go on for long."""
    end = numbers[i].end
    is_pair = i + 1 < len(numbers) and numbers[i].kind == "money" and numbers[i + 1].kind == "share"
    gap = text[end : numbers[i + 1].start] if is_pair else ""
    is_closed = "(" not in gap or text[numbers[i + 1].end :].startswith(")")  # not "$2.0 billion (93 % long)"
    if is_pair and is_closed and re.fullmatch(r"\s*(?:\(|,? or|,)\s*", gap):
        i, end = i + 1, numbers[i + 1].end + text[numbers[i + 1].end :].startswith(")")  # "$1.86 billion (93 %) came from longs"
    if i + 1 < len(numbers):
        return _split(text[end : numbers[i + 1].start])[0]
    after = text[end:]
    return after if re.match(r"\s*(?:\(|,? (?:was|were|is|are|went|came|of (?:which|them|it|those)) )", after) else _split(after)[0]


def _own(before: str, after: str, is_first: bool) -> _Labels:
    """The labels around a number, those behind it first."""
    tail = "" if _ANNOUNCED.search(before) else before[-90:] if is_first else before
    venues, coins = (
        tuple(dict.fromkeys(n.key for n in find(after))) or tuple(dict.fromkeys(n.key for n in find(before)))
        for find in (_venues, coins_in)
    )
    return _Labels(venues, coins, side_of(after) or side_of(re.split(r"[,;:]", tail)[-1]) or side_of(tail))


def _venues(piece: str) -> list[Name]:
    return venues_in(piece, is_piece=True)


def _split(gap: str) -> tuple[str, str]:
    """What belongs to the number before a gap, and to the one behind it; all of it to both where nothing separates them."""
    match = _SPLIT.search(gap)
    return (gap, gap) if match is None else (gap[: match.start()], gap[match.start() :])


def _is_year(text: str, q: Quantity) -> bool:
    return q.kind == "number" and q.until is None and bool(re.fullmatch(r"(?:19|20)\d\d", q.text))


def _inherited(text: str) -> list[Quantity]:
    """Numbers of a sentence; a bare one beside a side or venue has the unit of the money before it: "629.11 M (595.43 long)"."""
    found: list[Quantity] = []
    scale = 0.0
    for q in quantities(text):
        if q.kind == "money":
            written = re.search(r"\d[\d,]*(?:\.\d+)?", q.text)
            scale = q.value / float(written[0].replace(",", "")) if written and float(written[0].replace(",", "")) else scale
        elif q.kind in ("number", "price") and scale >= 1e6 and "." in q.text and not q.text.startswith(("$", "US")):
            beside = text[q.end : q.end + 14] + text[max(0, q.start - 14) : q.start]
            is_paired = bool(_PAIR.search(text[: q.start] + "\x00" + text[q.start :]))
            if is_paired or LONG.search(beside) or SHORT.search(beside) or venues_in(beside):
                q = q._replace(kind="money", value=q.value * scale, low=q.low * scale, high=q.high * scale, step=q.step * scale)
        found.append(q)
    return found
