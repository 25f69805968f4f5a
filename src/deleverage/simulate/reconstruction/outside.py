"""What the outside world published around the day: sentiment, yields and the dollar index as recorded, and one total of fund flows.

Only what was out by then: the day's sentiment five minutes after midnight, yields the next working day in the evening.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from deleverage.references.etf_flows import TOGETHER
from deleverage.simulate.reconstruction.facts import HERE, HOUR, START
from deleverage.simulate.reconstruction.wire import Spoken

MINUTE = HOUR // 60
SERIES = ("DGS10", "DFII10", "DTWEXBGS")
FLOWS = {"20 Nov 2025": "(903.0)"}
"""US spot bitcoin funds together, millions of USD, as the press had it; no table of single funds is shipped: all stand under one name."""
ASKED = (("2025-11-18", "2025-11-14", MINUTE), ("2025-11-19", "2025-11-14", 21 * HOUR + 20 * MINUTE),
         ("2025-11-20", "2025-11-14", 45 * HOUR + 20 * MINUTE))  # fmt: skip
"""Last day of the yields and of the dollar index that were out, and when that is asked, after START."""


@cache
def _published() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((HERE / "outside.json").read_text())
    return found


def said() -> Iterator[tuple[int, str, Spoken]]:
    """Yield (instant, venue, answer) in order of time; text answers are bytes."""
    answers = [(START + day * 24 * HOUR + 5 * MINUTE, "alternative.me", _sentiment(20 + day)) for day in (0, 1)]
    for yields, dollar, after in ASKED:
        answers += [(START + after, "fred", _series(name, dollar if name == "DTWEXBGS" else yields)) for name in SERIES]
    answers.append((START + 26 * HOUR, "farside", _flows()))
    yield from sorted(answers, key=lambda answer: answer[:2])


def _sentiment(day: int) -> Spoken:
    known = [(date, value, word) for date, (value, word) in _published()["fear_and_greed"].items() if date <= f"2025-11-{day}"]
    rows = [
        {"value": str(value), "value_classification": word, "timestamp": str(_seconds(date))} for date, value, word in reversed(known)
    ]  # fmt: skip
    rows[0]["time_until_update"] = "86100"
    answer = {"name": "Fear and Greed Index", "data": rows, "metadata": {"error": None}}
    return "https://api.alternative.me/fng/?limit=0&format=json", answer


def _seconds(date: str) -> int:
    from datetime import UTC, datetime

    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())


def _series(name: str, until: str) -> Spoken:
    rows = [f"{date},{value}" for date, value in _published()[name].items() if date <= until]
    text = "\n".join((f"observation_date,{name}", *rows)) + "\n"
    return f"https://fred.stlouisfed.org/graph/fredgraph.csv?id={name}&cosd=2003-01-01", text.encode()


def _flows() -> Spoken:
    rows = "".join(f"<tr><td>{day}</td><td>{flow}</td><td>{flow}</td></tr>" for day, flow in FLOWS.items())
    page = (
        "<html><head><title>Bitcoin ETF Flow (US$m)</title></head><body><table class=etf>"
        f"<tr><th></th><th>{TOGETHER}</th><th>Total</th></tr>{rows}</table></body></html>"
    )
    return "https://farside.co.uk/btc/", page.encode()
