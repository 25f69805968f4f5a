"""Flows of funds: the sign of an outflow, and of days in a row."""

import re
from collections.abc import Iterator, Sequence

from deleverage.report.finding import Finding, judged
from deleverage.report.markdown import Sentence


def flows(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Outflows are negative, inflows positive."""
    out = re.compile(
        r"\b(?:net )?outflows? (?:of|at|was|were|reached|totall?ed|hit)\s+(?:about |nearly "
        r"|over )?(\+\s?\$?\d[\d.,]*)",
        re.I,
    )
    into = re.compile(
        r"\b(?:net )?inflows? (?:of|at|was|were|reached|totall?ed|hit)\s+(?:about |nearly |over )?([-−]\s?\$?\d[\d.,]*)", re.I
    )
    for s in sentences:
        for pattern, word in ((out, "outflow"), (into, "inflow")):
            if match := pattern.search(s.text):
                yield judged(False, s.text, "flow_sign", f"an {word} of {match[1]}", s.order)
