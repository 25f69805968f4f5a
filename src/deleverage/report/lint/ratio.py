"""The long/short ratio: above one more are long, and what share that is."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.lint.extract import DENIED, LONG, SHORT
from deleverage.report.lint.finding import Finding, judged
from deleverage.report.lint.markdown import Sentence

RATIO = re.compile(
    r"\blongs?\s?(?:/|-to-|-|:| to )\s?shorts?\b(?: \w+){0,2}? ratio\b[^\d;.]{0,40}?(?P<v>\d+(?:\.\d+)?)(?!\d|[.,]\d|\s?%)", re.I
)
_MANY = r"(?:traders|accounts|positions|users|wallets|participants)"
MORE_LONG = re.compile(
    rf"\bmore (?:\w+ )?{_MANY}(?: \w+){{0,2}} (?:are|were|is|hold\w*|lean\w*|being) (?:net )?long\b|\bmore longs than\b"
    rf"|\bmore long than short\b"
    rf"|\b(?:longs|bulls) (?:outnumber\w*|dominat\w*|outweigh\w*)|\bmost {_MANY}(?: \w+){{0,2}} (?:are|were|is|lean\w*) (?:net )?long\b",
    re.I,
)
MORE_SHORT = re.compile(
    rf"\bmore (?:\w+ )?{_MANY}(?: \w+){{0,2}} (?:are|were|is|hold\w*|lean\w*|being) (?:net )?short\b|\bmore shorts than\b"
    rf"|\bmore short than long\b"
    rf"|\b(?:shorts|bears) (?:outnumber\w*|dominat\w*|outweigh\w*)|\bmost {_MANY}(?: \w+){{0,2}} (?:are|were|is|lean\w*) (?:net )?short\b",
    re.I,
)
SHARE = re.compile(
    rf"(?P<p>\d+(?:\.\d+)?)\s?(?:%|percent|per cent)(?: of)?(?: (?:the|all|its))?(?: {_MANY})?(?: (?:are|were|is|was"
    rf"|being))?(?: net)? (?P<s>long|short)s?\b",
    re.I,
)


def long_short_ratio(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """A ratio of longs to shorts against what is said of it: r above one is more longs, of which r / (1 + r) are long."""
    for s in sentences:
        match = RATIO.search(s.text)
        if match is None:
            continue
        ratio, step = float(match["v"]), 0.5 * 10.0 ** -len(match["v"].partition(".")[2])
        if not 0.01 <= ratio <= 100:
            continue
        rest = s.text[match.end() :]
        for pattern, sign in ((MORE_LONG, 1), (MORE_SHORT, -1)):
            if (said := pattern.search(rest)) and not DENIED.search(rest[: said.end()]) and ratio != 1:
                word = "more longs than shorts" if ratio > 1 else "more shorts than longs"
                yield judged((ratio > 1) == (sign > 0), s.text, "long_short_ratio", f"{ratio:g} is {word}, said “{said[0]}”", s.order)
        shares = list(SHARE.finditer(rest))
        if len(shares) == 1 and not LONG.search(rest[: shares[0].start()]) and not SHORT.search(rest[: shares[0].start()]):
            low, high = (100 * r / (1 + r) for r in (max(ratio - step, 0.0), ratio + step))
            is_long = shares[0]["s"].lower() == "long"
            low, high = (low, high) if is_long else (100 - high, 100 - low)
            grain = 0.5 * 10.0 ** -len(shares[0]["p"].partition(".")[2])
            value = 100 * ratio / (1 + ratio) if is_long else 100 / (1 + ratio)
            holds = low - grain - 0.1 <= float(shares[0]["p"]) <= high + grain + 0.1
            words = f"{ratio:g} : 1 is {value:.1f} % {shares[0]['s'].lower()}, said {shares[0]['p']} %"
            yield judged(holds, s.text, "long_short_ratio", words, s.order)
