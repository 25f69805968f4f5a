"""Numbers of a text with what they are, and the interval of values that would have been printed so."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["money", "share", "price", "coin", "points", "basis_points", "number"]
SCALE = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "mln": 1e6,
    "mm": 1e6,
    "mio": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "bln": 1e9,
    "billion": 1e9,
    "billions": 1e9,
    "t": 1e12,
    "tn": 1e12,
    "trillion": 1e12,
}
_SCALES = r"(?:k|K|thousand|millions?|mln|mn|mm|mio|MM|Mn|M|m|billions?|bln|bn|Bn|BN|B|b|trillion|tn|T)"
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_MONEY = r"(?:US\s?\$|USD|US dollars|USDT|USDC|\$)"
_QUALIFIER = (
    r"(?P<q>(?<![A-Za-z])(?i:(?:just |well |slightly |a little |only )?(?:over|more than|above|at least|exceeding|exceeded|north of"
    r"|upwards of|in excess of|topping|topped)"
    r"|(?:just )?(?:under|less than|below|(?<!\badd )(?<!\badds )(?<!\badding )(?<!\badded )(?<!\bsums )(?<!\bsum )up to"
    r"|at most"
    r"|no more than|shy of)|nearly|almost|close to|approaching|about|around"
    r"|roughly|approximately|approx\.?|"
    r"some|circa|c\.|near|~|≈|>|<|≥|≤))?\s*"
)
QUANTITY = re.compile(
    _QUALIFIER + rf"(?<![\w.])(?P<sign>[-−+–](?=[$\d.]))?(?P<cur>{_MONEY})?\s?(?P<sign2>[-−+](?=\d))?"
    rf"(?P<n>{_NUMBER})(?P<s>\s?[-]?{_SCALES}(?![A-Za-z]))?"
    rf"(?P<cur2>\s?(?:{_MONEY}|dollars|U\.S\. dollars)(?![A-Za-z]))?"
    r"(?P<u>\s?(?:%|percentage[- ]points?|per ?cent|pct\b|pp\b|bps\b|bp\b|basis points|points\b|pts\b|(?:vol(?:atility)?|vega) points))?"
)
RANGE = re.compile(r"^(?:\s[-–—−]\s|[-–—−]|\s(?:to|and|through)\s)$")
ABOUT = {"about", "around", "roughly", "approximately", "approx", "some", "circa", "c", "near", "~", "≈"}
UNDER = {"under", "less than", "below", "up to", "at most", "no more than", "shy of", "<", "≤"}
NEARLY = {"nearly", "almost", "close to", "approaching"}
COUNTED = re.compile(
    r"\s?-?(?:hours?|hrs?|h\b|minutes?|mins?|days?|weeks?|months?|years?|yr|seconds?|th\b|st\b|nd\b|rd\b|traders|accounts"
    r"|venues|exchanges|"
    r"orders|positions|contracts|times|x\b|coins|session|trading|straight|consecutive|UTC|a\.?m\b|p\.?m\b|:\d)"
)
COIN_AFTER = re.compile(r"\s?(BTC|ETH|SOL|XRP|bitcoins?|ether|coins)\b")


class Quantity(NamedTuple):
    """A number: `low` to `high` are the values that print so (rounding by its last digit, and words such as "nearly"); `step` is half of
    its last printed digit. Money and prices in USD, shares in percent, rates as written. A range of two numbers has `until`."""

    kind: Kind
    value: float
    low: float
    high: float
    step: float
    start: int
    end: int
    text: str
    until: "Quantity | None" = None
    is_signed: bool = False

    def within(self, low: float, high: float) -> bool:
        """Whether it may be what lies between `low` and `high`."""
        slack = 1e-9 * max(abs(low), abs(high), abs(self.value))
        return self.low <= high + slack and low <= self.high + slack


def quantities(text: str, unit: float = 1.0) -> list[Quantity]:
    """Find the numbers of a sentence, in order; a range such as "82-88k" is one, of the first with `until`.

    >>> [(q.kind, q.value) for q in quantities("$2.00bn, of which 1.86 billion long; BTC near 85k, 62.9 %")]
    [('money', 2000000000.0), ('money', 1860000000.0), ('price', 85000.0), ('share', 62.9)]
    >>> [(q.value, q.until.value) for q in quantities("a range of 82-88k")]
    [(82000.0, 88000.0)]
    """
    return list(_quantities(text, unit))


@lru_cache(maxsize=1024)  # every check reads the same sentences
def _quantities(text: str, unit: float) -> tuple[Quantity, ...]:
    matches = [m for m in QUANTITY.finditer(text) if not _is_word(text, m)]
    found: list[Quantity] = []
    skip = False
    for i, match in enumerate(matches):
        if skip:
            skip = False
            continue
        following = matches[i + 1] if i + 1 < len(matches) else None
        if following is not None and _is_range(text, match, following):
            upper = _read(text, following, unit)
            lower = _read(text, match, unit, like=following)
            if lower is not None and upper is not None and lower.kind == upper.kind:
                found.append(lower._replace(until=upper, end=upper.end, text=text[lower.start : upper.end]))
                skip = True
                continue
        read = _read(text, match, unit)
        if read is not None:
            found.append(read)
    return tuple(found)


def _is_word(text: str, match: re.Match[str]) -> bool:
    """Whether digits belong to a word, a date or a clock."""
    before = text[max(0, match.start("n") - 1) : match.start("n")]
    if before == "±":
        return True
    after = text[match.end("n") : match.end("n") + 3]
    return (
        (before.isalpha() and not match["cur"])
        or bool(
            re.match(r"[A-Za-z_]{2,}", after)
            and not match["s"]
            and not match["cur2"]
            and not match["u"]
            and not COUNTED.match(text[match.end("n") :])
        )
        or bool(re.match(r":\d", after))
    )


def _is_range(text: str, match: re.Match[str], following: re.Match[str]) -> bool:
    gap = text[match.end() : following.start()]
    joined = gap + text[following.start() : following.start("cur") if following["cur"] else following.start("n")]
    if not RANGE.match(joined) or (match["u"] and not following["u"]):
        return False
    word = joined.strip()
    if word == "—" and joined != word and match["cur"] and following["cur"]:
        return False  # a dash between clauses
    before = text[max(0, match.start() - 26) : match.start()].lower()
    if word == "and":
        return bool(re.search(r"\bbetween\b[^.]{0,12}$", before + (match["q"] or "")))
    if word in ("to", "through"):
        return (
            not re.search(
                r"\b(?:from|rose|fell|dropped|climbed|declined|slid|up|down|compressed|increased|decreased|moved"
                r"|surged|jumped|eased)\b[^,;.]{0,18}$",
                before,
            )
            and (bool(match["s"]) or bool(following["s"]) or bool(following["u"]) or bool(match["cur"]))
        ) or bool(re.search(r"\brange[sd]?\b[^.]{0,12}from $", before))
    return not (
        re.fullmatch(r"(?:19|20)\d\d", match["n"])
        or re.match(
            r"\s?[A-Z][a-z]+ \d{4}|\s?(?:January|February|March|April|May|June|July|August|Sept|Oct|Nov|Dec)", text[following.end() :]
        )
    )


def _read(text: str, match: re.Match[str], unit: float, like: re.Match[str] | None = None) -> Quantity | None:
    digits = match["n"].replace(",", "")
    scale_word = (match["s"] or (like["s"] if like is not None and not (match["cur2"]) else "") or "").strip().lstrip("-")
    scale = SCALE.get(scale_word.lower(), 1.0) if scale_word else 1.0
    unit_word = (match["u"] or (like["u"] if like is not None else "") or "").strip().lower()
    currency = bool(match["cur"] or match["cur2"] or (like is not None and (like["cur"] or like["cur2"])))
    number = float(digits)
    if scale == 1e3 and like is not None and number >= 1000 and not match["s"]:
        scale = 1.0
    kind = _kind(text, match, scale, scale_word, unit_word, currency, number)
    if kind is None:
        return None
    factor = scale * (unit if kind == "money" and scale == 1.0 and unit != 1.0 else 1.0)
    negative = (match["sign"] or match["sign2"] or "") in ("-", "−", "–") and (
        match["sign"] != "–" or not text[: match.start("sign")].rstrip()[-1:].isdigit()
    )
    value = (-number if negative else number) * factor
    step = 0.5 * 10.0 ** -len(digits.partition(".")[2]) * factor
    low, high = _interval(value, step, digits, (match["q"] or "").strip().lower())
    start = (
        match.start("q")
        if match["q"]
        else (match.start("sign") if match["sign"] else match.start("cur") if match["cur"] else match.start("n"))
    )
    return Quantity(
        kind, value, low, high, step, start, match.end(), text[start : match.end()].strip(), None, bool(match["sign"] or match["sign2"])
    )


def _kind(text: str, match: re.Match[str], scale: float, scale_word: str, unit_word: str, currency: bool, number: float) -> Kind | None:
    after = text[match.end() : match.end() + 24]
    if unit_word:
        if unit_word.startswith(("percentage", "pp", "points", "pts", "vol", "vega")):
            return "points"
        return "basis_points" if unit_word.startswith(("b",)) else "share"
    if COIN_AFTER.match(after) and not currency:
        return "coin"
    if not currency and COUNTED.match(text[match.end("n") if not match["s"] else match.end() :]):
        return None if scale == 1.0 else ("number" if scale_word != "m" else None)
    if scale >= 1e6:
        return "money"
    if scale == 1e3:
        return "price" if 1e3 <= number * 1e3 < 2e6 else "money"
    if currency:
        return "money" if number >= 2e6 else "price"
    if 1000 <= number < 2e6 and "," in match["n"]:
        return "price"
    return "number"


def _interval(value: float, step: float, digits: str, qualifier: str) -> tuple[float, float]:
    """Values that print so. Noughts at the end of a whole number may be rounding: up to 1.5 % of it; a single digit up to a tenth of it."""
    size = abs(value)
    slack = step
    if "." not in digits:
        zeros = len(digits) - len(digits.rstrip("0"))
        if zeros:
            slack = max(step, min(step * 10**zeros, 0.015 * size))
        elif len(digits) == 1:
            slack = min(step, 0.1 * size) if size else step
    word = re.sub(r"^(?:just|well|slightly|a little|only) ", "", qualifier).rstrip(".")
    if not word:
        return value - slack, value + slack
    if word in ABOUT:
        return value - max(slack, 0.05 * size), value + max(slack, 0.05 * size)
    if word in NEARLY:
        return value - max(slack, 0.1 * size), value + slack
    if word in UNDER:
        return (value - 0.1 * size if qualifier.startswith("just") or word == "shy of" else min(0.0, value)) - slack, value + slack
    return value - slack, value + max(slack, 0.25 * size)


def percent(value: float) -> str:
    """Print a share in percent as arithmetic is shown.

    >>> percent(62.8965)
    '62.90 %'
    """
    return f"{value:.2f} %"


def money(value: float) -> str:
    """Print dollars as arithmetic is shown.

    >>> money(1.83097e9), money(-903.2e6), money(85_000)
    ('1,830.97 M', '−903.20 M', '85,000')
    """
    size = abs(value)
    text = f"{size / 1e6:,.2f} M" if size >= 1e6 else f"{size:,.0f}" if size >= 100 else f"{size:g}"
    return "−" + text if value < 0 else text
