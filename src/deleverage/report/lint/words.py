"""What may not be said whatever the numbers: notional as a loss, intensity as dollars, names, records, trends."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.lint.extract import DENIED, LIQUIDATED
from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence, Table
from deleverage.report.lint.quantities import quantities
from deleverage.report.names import VENUES, venues_in

_MONEY_WORD = (
    r"(?:about |nearly |over |some |almost |around |more than |roughly |up to |an estimated |a (?:combined "
    r"|total (?:of )?)?)?(?:US)?\$?\s?\d[\d.,]*\s?(?:bn|billion|B|M|mn|million|m|k)\b(?: USD| dollars)?"
)
_NOT_POSITIONS = (
    r"(?!\s+(?:in|of|worth of)\s+(?:(?!an?\b|the\b|as\b|one\b|\d)\w+[- ]){0,3}?(?:positions?|bets|contracts|notional|trades|longs"
    r"|shorts|exposure|interest)\b)"
)
"""What was lost is positions, whose size the amount is."""
LOSS = re.compile(
    rf"\b(?:lost|losing|lose|loses)\s+(?:a (?:combined|total of|staggering) )?{_MONEY_WORD}{_NOT_POSITIONS}"
    rf"|\bloss(?:es)? (?:of|worth|totall?ing|totall?ed|mounted to|came in at|exceeding|topping|reaching|at|reached|amounted to"
    r"|hit|exceeded|were|was|came to"
    rf"|stood at)\s+{_MONEY_WORD}"
    rf"|{_MONEY_WORD}(?: \w+){{0,3}}?\s(?:in|of|worth of)\s(?:\w+[- ]){{0,3}}?loss(?:es)?\b"
    rf"|\b(?:cost|costing|costs)\s+(?:\w+\s){{0,3}}?(?:traders|longs|shorts|investors|bulls|bears|them|speculators)\s+{_MONEY_WORD}"
    rf"|\b(?:traders|longs|shorts|bulls|bears|speculators|investors)(?: \w+){{0,3}}? (?:out|down|poorer) (?:of |by )?{_MONEY_WORD}"
    rf"|(?:erased|destroyed|vapou?ri[sz]ed|incinerated|burn(?:ed|t)(?: through)?|evaporated|wiped(?: out| off"
    rf"| away)?)\s+{_MONEY_WORD}\s+(?:of"
    rf"|in|from)\s+(?:\w+[’'s]*\s){{0,2}}?(?:wealth|capital|equity|accounts?|money|collateral|pockets|wallets|savings|balances|money|funds)"
    rf"|{_MONEY_WORD}\s+(?:of|in)\s+(?:\w+[’'s]*\s){{0,2}}?(?:wealth|capital|equity|money|collateral|funds|savings)\s+(?:was|were|got"
    rf"|has been|is)"
    rf"\s+(?:\w+ly )?(?:destroyed|lost|burn(?:ed|t)|erased|wiped(?: out)?|incinerated|vapou?ri[sz]ed)"
    rf"|{_MONEY_WORD}\s+(?:(?:was|were|had been)\s+)?(?:lost|destroyed|burn(?:ed|t))\b",
    re.I,
)  # fmt: skip
NOT_NOTIONAL = re.compile(
    r"reali[sz]ed (?:loss|profit)|on-?chain|market (?:cap|value)|hack|exploit|stolen|\bETFs?\b|quarter(?:ly)?|earnings"
    r"|company|treasury|fund\b|net loss|paper loss|impairment|capitali[sz]ation|insurance fund|bad debt",
    re.I,
)
OF_THE_MARKET = re.compile(
    r"\b(?:markets?|bitcoin|crypto|coins?|tokens?|stocks|ether)\s+(?:(?!\w*traders|\w*investors|longs|shorts|bulls|bears"
    r"|spec)\w+ ){0,2}?(?:lost|loses|losing|shed)\b"
    r"|\bin (?:market )?value\b",
    re.I,
)
ABOUT_FORCED = re.compile(r"liquidat|forced|leverag|\blongs?\b|\bshorts?\b|positions|traders|bulls|bears|deriv|futures|perp", re.I)


def losses(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Liquidated notional is what positions were worth, not what their holders lost."""
    about = any(LIQUIDATED.search(s.text) for s in sentences)
    for s in sentences:
        match = LOSS.search(s.text)
        if (
            match
            and (about or LIQUIDATED.search(s.text))
            and ABOUT_FORCED.search(s.text)
            and not NOT_NOTIONAL.search(s.text)
            and not OF_THE_MARKET.search(s.text)
        ):
            if DENIED.search(s.text[max(0, match.start() - 30) : match.end()]):
                yield judged(True, s.text, "notional_not_loss", "the size is told apart from a loss", s.order)
            else:
                yield judged(
                    False,
                    s.text,
                    "notional_not_loss",
                    f"“{match[0].strip()}”: liquidated notional is the size of positions, margin is a fraction of it",
                    s.order,
                )
        elif LIQUIDATED.search(s.text) and re.search(
            r"\bnot (?:a |the |what \w+ )?(?:loss|losses|lost)\b|\bnot what anyone lost|rather than (?:a )?loss", s.text, re.I
        ):
            yield judged(True, s.text, "notional_not_loss", "the size is told apart from a loss", s.order)


MAP = re.compile(
    r"\b(?:heat ?-?maps?|liquidation[- ](?:maps?|levels?|clusters?|pools?)|liquidity maps?|liq(?:uidation)? map|(?:leverage"
    r"|relative) intensity|intensity)\b",
    re.I,
)
WAITING = re.compile(
    r"\b(?:wait\w*|rest(?:s|ing)|sits?|sitting|cluster\w*|stack\w*|lurk\w*|lies?|lying|would|will|could|if|potential|loom\w*"
    r"|pocket|concentrat\w*|build\w*|pool\w*|at|near|between|around|intensity)\b",
    re.I,
)


def _has_been(text: str, start: int, end: int) -> bool:
    """Whether an amount is of what was liquidated, beside a map."""
    after = re.match(r"[^,;.]{0,44}\b(?:yesterday|earlier|last (?:night|week)|on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b", text[end:])
    return bool(after or re.search(r"\b(?:after|following)\b[^,;.]{0,30}$", text[:start]))


def intensity(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """The colour of a liquidation map is relative; put in dollars it is invented."""
    for s in sentences:
        found = MAP.search(s.text)
        if not found or re.search(
            r"(?:exchange|venue)[- ]heat ?map|(?:past|last|previous) (?:\d+|hour|day|24)|were liquidated|was liquidated"
            r"|Hyperliquid|exact|on-?chain|published positions",
            s.text,
            re.I,
        ):
            continue
        dollars = [q for q in quantities(s.text) if q.kind == "money" and not _has_been(s.text, q.start, q.end)]
        if dollars and WAITING.search(s.text) and not DENIED.search(s.text):
            yield judged(
                False,
                s.text,
                "relative_intensity",
                f"“{found[0]}” and “{dollars[0].text}”: the map is relative to its own strongest level",
                s.order,
            )
        elif re.search(r"\brelative\b", s.text, re.I) and not dollars:
            yield judged(True, s.text, "relative_intensity", "called relative, no dollars", s.order)


def names(sentences: Sequence[Sentence], tables: Sequence[Table]) -> Iterator[Finding]:
    """Venues and sides under a name that is a mistranslation."""

    def wrong(name: str, venue: str) -> str:
        return f"“{name}” is a mistranslation of {VENUES[venue]}"

    for s in sentences:
        for name in venues_in(s.text):
            if name.treatment == "mistranslated":
                yield judged(False, s.text, "venue_name", wrong(name.text, name.key), s.order)
    for table in tables:
        for row, line in zip(table.rows, table.lines, strict=True):
            for name in (n for cell in row for n in venues_in(cell, is_cell=True)):
                if name.treatment == "mistranslated":
                    yield judged(False, line, "venue_name", wrong(name.text, name.key), table.order)
        for head in (*table.heads, *(row[0] for row in table.rows)):
            if re.fullmatch(
                r"\W*(?:length|lengths|long time|many|multi|empty|air|blank|short time|shortness)(?: (?:orders?|position"
                r"|single))?\b[^a-z]*(?:\(?(?:usd|m|mn|million|bn|\$)[^|]*)?",
                head.strip(),
                re.I,
            ):
                side = "short" if re.search(r"empty|air|blank|short", head, re.I) else "long"
                yield judged(False, " | ".join(table.heads), "venue_name", f"“{head.strip()}” is a mistranslation of {side}", table.order)


TREND = re.compile(
    r"\b(?:(?:up|down)trend\w*|trending (?:up|down|higher|lower)|steadily|accelerating|decelerating|gaining momentum"
    r"|losing momentum|momentum (?:is )?(?:building|fading)|relentless(?:ly)?|increasingly)\b",
    re.I,
)
GAMMA = re.compile(
    r"\b(?:dealers?|market[- ]makers?)\b[^.]{0,40}\b(?:short|long|negative|positive) gamma\b|\b(?:negative|positive|short"
    r"|long) (?:dealer )?gamma\b",
    re.I,
)
CLOSED = re.compile(r"\b(?:positions?|leverage)\b[^.]{0,40}\b(?:closed|unwound|flushed|reduced|removed|cut)\b|deleverag", re.I)


def untested(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Trend words without a test, dealers' gamma without its convention, closing told from open interest in dollars."""
    for s in sentences:
        if (match := TREND.search(s.text)) and not re.search(r"\bp ?[<=]|t-stat|confidence|interval|slope|significan", s.text, re.I):
            yield Finding(s.text, "not_checkable", "trend_test", f"“{match[0]}” without a test", s.order)
        if match := GAMMA.search(s.text):
            yield Finding(
                s.text, "not_checkable", "gamma_convention", f"“{match[0]}” depends on a convention about who holds what", s.order
            )
        is_told = re.search(r"open interest|\bOI\b", s.text) and any(q.kind == "money" for q in quantities(s.text))
        if is_told and CLOSED.search(s.text) and not re.search(r"\bin (?:coins?|BTC|coin terms)\b|\b(?:coin|BTC)-denominated\b", s.text):
            why = "open interest in dollars moves with the price; coins are not told"
            yield Finding(s.text, "not_checkable", "open_interest_coin", why, s.order)


_EXECUTED = (
    r"(?:is|are|gets?|was|were) (?:\w+ly )?(?:executed|filled|carried out|done|settled|closed|handled) (?:as|with|by|through"
    r"|via) (?:an? )?(?:market |forced )?"
)


def sides(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A forced sale closes a long, a forced purchase a short."""
    wrong = re.compile(
        rf"\blong liquidations? {_EXECUTED}(?:buy|purchase)|\bshort liquidations? {_EXECUTED}(?:sell|sale)|"
        r"\bforced[- ](?:sell(?:ing|s)?|sales?|sell orders?)\b[^.;]{0,50}\b(?:clos\w+|of|from"
        r"|liquidat\w+)\s+(?:the )?shorts?\b|\bforced[- ](?:buy(?:ing|s)?|purchases?)\b[^.;]{0,50}\b(?:clos\w+|of|from"
        r"|liquidat\w+)\s+(?:the )?longs?\b"
        r"|\bshort liquidations? (?:are|were|is|create|mean|add|trigger|generate)\w* (?:\w+ ){0,2}?(?:sell(?:ing|s)?|sales?)\b"
        r"|\blong liquidations? (?:are|were|is|create|mean|add|trigger|generate)\w* (?:\w+ ){0,2}?(?:buy(?:ing|s)?|purchases?)\b"
        r"|\bshort liquidations? forc\w+ (?:\w+ ){0,3}?(?:to sell\b|selling\b)|\blong liquidations? forc\w+ (?:\w+ ){0,3}?(?:to buy\b"
        r"|buying\b)"
        r"|\b(?:when|as|if) (?:\w+ )?(?:longs|long positions) (?:are|get|were) (?:force-?"
        r"|forcibly )?liquidated,? [^.,;]{0,30}?\b(?:buys?|bought|buying)\b"
        r"|\b(?:when|as|if) (?:\w+ )?(?:shorts|short positions) (?:are|get|were) (?:force-?"
        r"|forcibly )?liquidated,? [^.,;]{0,30}?\b(?:sells?|sold|selling)\b"
        r"|\b(?:longs|long positions) (?:are|were|get|being) (?:force-?)?bought back|\bshorts (?:are|were) (?:force-?"
        r"|forcibly )sold\b", re.I)  # fmt: skip
    right = re.compile(
        rf"\blong liquidations? {_EXECUTED}(?:sell|sale)|\bshort liquidations? {_EXECUTED}(?:buy|purchase)|"
        r"\bforced[- ](?:sell(?:ing|s)?|sales?|sell orders?)\b[^.;]{0,50}\b(?:clos\w+|of|from|liquidat\w+)\s+(?:the "
        r"|a )?longs?\b|\bforced[- ](?:buy(?:ing|s)?|purchases?)\b[^.;]{0,50}\b(?:clos\w+|of|from|liquidat\w+)\s+(?:the |a )?shorts?\b"
        r"|\blong liquidations? (?:are|were|is|create|mean|add|trigger|generate)\w* (?:\w+ ){0,2}?(?:sell(?:ing|s)?|sales?)\b"
        r"|\blong liquidations? forc\w+ (?:\w+ ){0,3}?(?:to sell\b|selling\b)|\bshort liquidations? forc\w+ (?:\w+ ){0,3}?(?:to buy\b"
        r"|buying\b)"
        r"|\bshort liquidations? (?:are|were|is|create|mean|add|trigger|generate)\w* (?:\w+ ){0,2}?(?:buy(?:ing"
        r"|s)?|purchases?)\b", re.I)  # fmt: skip
    for s in sentences:
        match, fits = wrong.search(s.text), right.search(s.text)
        if match and not DENIED.search(s.text):
            yield judged(
                False, s.text, "liquidation_side", f"“{match[0]}”: a forced sale closes a long, a forced purchase a short", s.order
            )
        elif fits and not DENIED.search(s.text):
            yield judged(True, s.text, "liquidation_side", f"“{fits[0]}”", s.order)
