"""What the numbers of a text are about: venue, coin, side, share or total, window and day. A statement is a number with its labels."""

import re
from typing import Literal, NamedTuple

from deleverage.report.lint.markdown import Sentence
from deleverage.report.lint.quantities import Quantity

Topic = Literal["liquidations", "flows", "open interest", "volume", "market cap", "gamma", "none"]
Role = Literal["total", "part", "rest"]

LONG = re.compile(
    r"(?<![\w-])(?<!\bas )(?<!\bso )(?<!how )(?:longs|long(?!er)(?![- ](?:term|standing|run|ago|time|dated|end|wick|gamma"
    r"|weekend|vol|enough|before|as)|\s*[/-]\s*short|-to-short)|bulls|bullish (?:bets|wagers|ones|positions|trades|leverage))\b",
    re.I,
)  # fmt: skip
SHORT = re.compile(
    r"(?<![\w/-])(?:shorts|(?:(?<!\bin )|(?=short[- ](?:liquidat|position|bet|trade|seller|contract|exposure|side)))"
    r"short(?![- ](?:term|run|end|dated|of\b|gamma|lived|while|vol|squeeze)|fall|ly)|bears"
    r"|bearish (?:bets|wagers|ones|positions|trades|leverage))\b", re.I
)  # fmt: skip
REST = re.compile(
    r"\b(?:others?\b(?! (?:hand|than|words|side|day))|(?:the )?rest\b|remaind(?:er|ing)|remaining|everything else|elsewhere"
    r"|all else|smaller (?:coins|venues|exchanges))",
    re.I,
)
TOTAL = re.compile(
    r"\b(?:in total|total(?:s|ed|led|ing|ling)?|altogether|overall|in all|combined|together|sums?|market-?wide|aggregate"
    r"|headline|across (?:the market|all|venues|exchanges))\b",
    re.I,
)
GLOBAL = re.compile(r"\b(?:total|all|overall|market-?wide|industry|aggregate|headline|market'?s)\b", re.I)
LIQUIDATED = re.compile(
    r"liquidat|force[- ]?(?:fully )?(?:closed|sold)|forced (?:clos|sell|order|sale)|wiped out|margin call|\brekt\b|stopped out", re.I
)
TOPICS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    ("flows", re.compile(r"\bETFs?\b|\bETPs?\b|\b(?:in|out)flows?\b|redemption|\bIBIT\b|\bFBTC\b|\bGBTC\b", re.I)),
    ("open interest", re.compile(r"[Oo]pen interest|\bOI\b")),
    ("market cap", re.compile(r"market (?:cap|value)|capitali[sz]ation", re.I)),
    ("gamma", re.compile(r"\bgamma\b|\bmax pain\b|\bvega\b", re.I)),
    ("volume", re.compile(r"\bvolumes?\b|turnover|traded (?:value|notional)", re.I)),
)
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
           "twenty-four": 24, "a": 1, "an": 1, "single": 1, "": 1}  # fmt: skip
HOURS = {"minute": 1 / 60, "min": 1 / 60, "hour": 1.0, "hr": 1.0, "h": 1.0, "day": 24.0, "d": 24.0, "week": 168.0, "month": 720.0}
WINDOW = re.compile(
    r"\b(?P<n>\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty-four|single)[- ]?(?P<u>hours?|hrs?|h"
    r"|minutes?|mins?|days?|d|weeks?|months?)\b(?! (?:before|ago|earlier|high|low|peak|average|moving|straight|consecutive|yield|streak))"
    r"|\b(?:(?:past|last|previous|preceding|prior|whole|entire)\s+|(?:in|over|within)\s+(?:an?|the)\s+(?:past |last |single "
    r"|whole |entire |previous )?)(?P<u2>hour|day|week|month)\b"
    r"|\b(?:that|the|this) (?P<u3>hour|day|week|month)['’]s\b|\b(?P<daily>daily|hourly|weekly)\b",
    re.I,
)  # fmt: skip
EARLIER = re.compile(
    r"\b(?:earlier|previously|prior|previous|yesterday|last (?:week|month|year)|(?:a|one|two|three) (?:day|week|month"
    r"|year)s? (?:ago|before|earlier)|worst (?:single )?(?:day|hour|week)|busiest (?:day|hour)|(?:hour|day|minute) (?:with"
    r"|that saw) the (?:most|largest|highest)"
    r"|average|averaged|typical|usual|peak of"
    r"|record (?:of|set)|since|up from|down from|the day before)\b",
    re.I,
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
SHORT_MONTHS = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
DATE = re.compile(
    rf"\b(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(?P<d3>\d{{1,2}}))?(?: of)? (?P<m>{MONTHS}|{SHORT_MONTHS})\b"
    rf"|(?P<m2>{MONTHS}|{SHORT_MONTHS})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd"
    rf"|th)?\b(?:\s?[-–]\s?(?P<d4>\d{{1,2}})\b)?(?!:))(?:,? (?P<y>20\d\d))?"
    r"|\b(?P<iso>20\d\d-\d\d-\d\d)\b"
)

DENIED = re.compile(
    r"\b(?:not|n[o']t|never|no longer|neither|rather than|instead of|isn't|aren't|weren't|wasn't|wrong(?:ly)?|incorrect(?:ly)?|myth)\b",
    re.I,
)


class Statement(NamedTuple):
    """A number and what it is of. `hours` is the window (None when none was said), `when` the day as written ('' without).
    `is_earlier`: of another time than the text's. `near` is the text that belongs to it. `parent` is the number behind which it stands in
    brackets."""

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
    parent: int | None = None

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The subject, whatever the side."""
        return self.venues, self.coins


def window_hours(text: str) -> list[float]:
    """Hours of the windows a text names.

    >>> window_hours("in 24 hours, over the past day and the last 4h")
    [24.0, 24.0, 4.0]
    """
    return [hours for _, hours in windows_in(text)]


def windows_in(text: str) -> list[tuple[int, float]]:
    """The windows a text names, each with its place."""
    found: list[tuple[int, float]] = []
    for match in WINDOW.finditer(text):
        if match["daily"]:
            found.append((match.start(), {"daily": 24.0, "hourly": 1.0, "weekly": 168.0}[match["daily"].lower()]))
            continue
        number, unit = (match["n"] or "").lower(), (match["u"] or match["u2"] or match["u3"]).lower()
        unit = unit if unit in HOURS else unit.rstrip("s")
        found.append((match.start(), (NUMBERS.get(number) or float(number)) * HOURS[unit]))
    return found


def side_of(text: str) -> Literal["long", "short"] | None:
    """The one side a text speaks of, None for neither or both."""
    is_long, is_short = bool(LONG.search(text)), bool(SHORT.search(text))
    return None if is_long == is_short else "long" if is_long else "short"


def topic_of(text: str) -> Topic:
    """What a text is about: the first thing it names, "none" without."""
    named = [(match.start(), topic) for topic, pattern in TOPICS if (match := pattern.search(text))]
    liquidated = LIQUIDATED.search(text)
    if liquidated:
        named.append((liquidated.start(), "liquidations"))
    return min(named)[1] if named else "none"
