"""What the numbers of a text are about: venue, coin, side, share or total, window and day. A statement is a number with its labels."""

import re
from typing import Literal, NamedTuple

from deleverage.report.markdown import Sentence
from deleverage.report.names import coins_in, venues_in
from deleverage.report.quantities import Quantity, quantities

Topic = Literal["liquidations", "flows", "open interest", "volume", "market cap", "price", "none"]
Role = Literal["total", "part", "rest"]

LONG = re.compile(
    r"(?<![\w-])(?<!\bas )(?<!\bso )(?<!how )(?:longs|long(?!er)(?![- ](?:term|standing|run|ago|time|dated|end|wick|gamma|weekend|vol|enough|before|as)|\s*[/-]\s*short|-to-short)|bulls|bullish bets)\b",
    re.I,
)  # fmt: skip
SHORT = re.compile(
    r"(?<![\w/-])(?<!\bin )(?:shorts|short(?![- ](?:term|run|end|dated|of\b|gamma|lived|while|vol|squeeze)|fall|ly)|bears|bearish bets)\b", re.I
)  # fmt: skip
REST = re.compile(
    r"\b(?:others?\b(?! (?:hand|than|words|side|day))|(?:the )?rest\b|remaind(?:er|ing)|remaining|everything else|elsewhere|all else|smaller (?:coins|venues|exchanges))",
    re.I,
)
TOTAL = re.compile(
    r"\b(?:in total|total(?:s|ed|led|ing|ling)?|altogether|overall|in all|combined|together|sums?|market-?wide|aggregate|headline|across (?:the market|all|venues|exchanges))\b",
    re.I,
)
GLOBAL = re.compile(r"\b(?:total|all|overall|market-?wide|industry|aggregate|headline|market'?s)\b", re.I)
LIQUIDATED = re.compile(
    r"liquidat|force[- ]?(?:fully )?(?:closed|sold)|forced (?:clos|sell|order|sale)|wiped out|margin call|\brekt\b|stopped out", re.I
)
TOPICS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    ("flows", re.compile(r"\bETFs?\b|\bETPs?\b|\b(?:in|out)flows?\b|redemption|\bIBIT\b|\bFBTC\b|\bGBTC\b", re.I)),
    ("open interest", re.compile(r"open interest|\bOI\b")),
    ("market cap", re.compile(r"market (?:cap|value)|capitali[sz]ation", re.I)),
    ("volume", re.compile(r"\bvolumes?\b|turnover|traded (?:value|notional)", re.I)),
)
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
           "twenty-four": 24, "a": 1, "an": 1, "single": 1, "": 1}  # fmt: skip
HOURS = {"minute": 1 / 60, "min": 1 / 60, "hour": 1.0, "hr": 1.0, "h": 1.0, "day": 24.0, "d": 24.0, "week": 168.0, "month": 720.0}
WINDOW = re.compile(
    r"\b(?P<n>\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty-four|single)[- ]?(?P<u>hours?|hrs?|h|minutes?|mins?|days?|d|weeks?|months?)\b(?! (?:before|ago|earlier|high|low|peak|average|moving|straight|consecutive|yield|streak))"
    r"|\b(?:(?:past|last|previous|preceding|prior|whole|entire)\s+|(?:in|over|within)\s+(?:an?|the)\s+(?:past |last |single |whole |entire |previous )?)(?P<u2>hour|day|week|month)\b|\b(?P<daily>daily|hourly|weekly)\b",
    re.I,
)  # fmt: skip
EARLIER = re.compile(
    r"\b(?:earlier|previously|prior|previous|yesterday|last (?:week|month|year)|(?:a|one|two|three) (?:day|week|month|year)s? (?:ago|before|earlier)|average|averaged|typical|usual|peak of|record (?:of|set)|since|up from|down from|the day before)\b",
    re.I,
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
SHORT_MONTHS = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
DATE = re.compile(
    rf"\b(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(?P<d3>\d{{1,2}}))?(?: of)? (?P<m>{MONTHS}|{SHORT_MONTHS})\b|(?P<m2>{MONTHS}|{SHORT_MONTHS})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:\s?[-–]\s?(?P<d4>\d{{1,2}})\b)?(?!:))(?:,? (?P<y>20\d\d))?"
    r"|\b(?P<iso>20\d\d-\d\d-\d\d)\b"
)
_SPLIT = re.compile(
    r"[;:()/|+]|,|\s[-–—]\s|—|\b(?:and|while|whereas|versus|vs\.?|against|compared|followed|of which|but|with|including|plus|then|as)\b",
    re.I,
)
_PAIR = re.compile(r"\(\s*(?:\x00[$\d.,]+\s?\w{0,2}\s*/\s*[$\d.,]+|[$\d.,]+\s?\w{0,2}\s*/\s*\x00[$\d.,]+)\s?\w{0,2}\s*\)")
"""The number behind the nought byte is one of a pair in brackets, long before short: "(620.80 / 8.02)"."""


class Statement(NamedTuple):
    """A number and what it is of. `hours` is the window (None when none was said), `when` the day as written ('' without).
    `is_earlier`: of another time than the text's. `near` is the text that belongs to it."""

    quantity: Quantity
    topic: Topic
    venues: tuple[str, ...]
    coins: tuple[str, ...]
    side: Literal["long", "short"] | None
    role: Role
    hours: float | None
    when: str
    is_earlier: bool
    near: str
    before: str
    after: str
    sentence: Sentence
    id: int
    is_of: bool = False
    is_parenthesis: bool = False

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The subject, whatever the side."""
        return self.venues, self.coins


def window_hours(text: str) -> list[float]:
    """Hours of the windows a text names.

    >>> window_hours("in 24 hours, over the past day and the last 4h")
    [24.0, 24.0, 4.0]
    """
    found = []
    for match in WINDOW.finditer(text):
        if match["daily"]:
            found.append({"daily": 24.0, "hourly": 1.0, "weekly": 168.0}[match["daily"].lower()])
            continue
        number, unit = (match["n"] or "").lower(), (match["u"] or match["u2"]).lower()
        unit = unit if unit in HOURS else unit.rstrip("s")
        found.append((NUMBERS.get(number) or float(number)) * HOURS[unit])
    return found


def side_of(text: str) -> Literal["long", "short"] | None:
    """The one side a text speaks of, None for neither or both."""
    is_long, is_short = bool(LONG.search(text)), bool(SHORT.search(text))
    return None if is_long == is_short else "long" if is_long else "short"


def statements(sentences: list[Sentence]) -> list[Statement]:
    """Label every number of a text, in order; dates and clocks are no numbers."""
    found: list[Statement] = []
    whole: Topic = "liquidations" if any(LIQUIDATED.search(sentence.text) for sentence in sentences) else "none"
    block, topic, hours = -1, whole, None
    for sentence in sentences:
        if sentence.block != block:
            block, topic, hours = sentence.block, whole, None
        own = _topic(sentence.text)
        topic = own if own != "none" else topic
        said = window_hours(sentence.text)
        if len(set(said)) == 1:
            hours = said[0]
        labelled = _label(sentence, topic, hours if len(set(said)) < 2 else None, len(found))
        found += labelled
    return found


def _topic(text: str) -> Topic:
    named = [(match.start(), topic) for topic, pattern in TOPICS if (match := pattern.search(text))]
    liquidated = LIQUIDATED.search(text)
    if liquidated:
        named.append((liquidated.start(), "liquidations"))
    return min(named)[1] if named else "none"


def _label(sentence: Sentence, topic: str, hours: float | None, first: int) -> list[Statement]:
    text = sentence.text
    dates = [(m.start(), m.end(), m[0]) for m in DATE.finditer(text)]
    numbers = [q for q in _inherited(text) if not any(s <= q.start < e or s < q.end <= e for s, e, _ in dates) and not _is_year(text, q)]
    found: list[Statement] = []
    carried: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    for i, q in enumerate(numbers):
        before = text[: q.start] if i == 0 else _split(text[numbers[i - 1].end : q.start])[1]
        after = text[q.end :] if i + 1 == len(numbers) else _split(text[q.end : numbers[i + 1].start])[0]
        if i + 1 == len(numbers):
            after = _split(after)[0] if not re.match(r"\s*(?:\(|,? (?:was|were|is|are|went|came) )", after) else after
        tail = before[-90:] if i == 0 else before
        near = f"{before} {q.text} {after}"
        venues = tuple(dict.fromkeys(n.key for n in venues_in(after))) or tuple(dict.fromkeys(n.key for n in venues_in(before)))
        coins = tuple(dict.fromkeys(n.key for n in coins_in(after))) or tuple(dict.fromkeys(n.key for n in coins_in(before)))
        side = side_of(after) or side_of(_last_clause(tail)) or side_of(tail)
        is_of = (
            bool(
                re.search(
                    r"\b(?:of|out of|from) (?:the |a |all |its |that |this )?(?:total |overall |whole |entire |market-?wide )*(?:of )?(?:the )?$",
                    before,
                )
            )
            and i > 0
        )
        is_parenthesis = bool(re.search(r"\(\s*$", text[: q.start])) or (i > 0 and text[numbers[i - 1].end : q.start].count("(") == 0
                              and text[: q.start].count("(") > text[: q.start].count(")"))  # fmt: skip
        is_total = is_of or (side is None and bool(GLOBAL.search(near)) and not venues)
        if is_of and not venues_in(after):
            venues, coins, side = (), (), None
        if not venues and not coins and not is_total:
            if side is not None or is_parenthesis or (q.kind == "share" and i and not REST.search(near)):
                venues, coins = carried
        if side is None and is_parenthesis and found and q.kind != found[-1].quantity.kind and not venues_in(before + after):
            side = found[-1].side
        if side is None and _PAIR.search(text[: q.start] + "\x00" + text[q.start :]) and found:
            first_of_pair = text[: q.start].rstrip().endswith("(")
            side = "long" if first_of_pair else "short"
            venues, coins = carried
        role: Role = "rest" if REST.search(near) and not venues and not coins else "part" if venues or coins or side else "total"
        if not is_total:
            carried = (venues, coins) if venues or coins else carried
        elif not venues:
            carried = ((), ())
        own = window_hours(near)
        when = next((d for s, e, d in reversed(dates) if s < q.start), dates[0][2] if dates else "")
        found.append(
            Statement(q, _near_topic(near, topic), venues, coins, side, role, own[-1] if own else hours, when, bool(EARLIER.search(near)),
                      near.strip(), before, after, sentence, first + i, is_of, is_parenthesis)
        )  # fmt: skip
    return found


def _near_topic(near: str, topic: str) -> Topic:
    own = _topic(near)
    return own if own != "none" else topic  # type: ignore[return-value]


def _last_clause(text: str) -> str:
    return re.split(r"[,;:]", text)[-1]


def _split(gap: str) -> tuple[str, str]:
    """What belongs to the number before a gap, and to the one behind it."""
    match = _SPLIT.search(gap)
    if match is None:
        return gap, gap
    return gap[: match.start()], gap[match.start() :]


def _is_year(text: str, q: Quantity) -> bool:
    return q.kind == "number" and q.until is None and bool(re.fullmatch(r"(?:19|20)\d\d", q.text))


def _inherited(text: str) -> list[Quantity]:
    """Numbers of a sentence; a bare one beside a side or venue has the unit of the money before it: "629.11 M (595.43 long / 33.68 short)"."""
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
