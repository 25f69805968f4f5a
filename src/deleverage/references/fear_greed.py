"""alternative.me's Crypto Fear & Greed Index: one value a day, stamped 00:00 UTC, with an attribution that goes where the value goes.

Numbers and timestamps come as text; `time_until_update` only with the newest value; newest first. The day's value can appear minutes
after midnight. Source: https://alternative.me/crypto/fear-and-greed-index/
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from deleverage.errors import ParseError
from deleverage.events import Event, SentimentReading
from deleverage.references.publication import DAY, SECOND
from deleverage.references.reference import Days, Reference, day_of
from deleverage.venues.venue import History, Limits, Parser, Poll

NAME = "alternative.me"
INDEX = "fear_and_greed"
ATTRIBUTION = "Fear & Greed Index: alternative.me (https://alternative.me/crypto/fear-and-greed-index/)"
"""To stand beside every value that is shown: the site requires it."""
API = "https://api.alternative.me/fng/"
HOUR = 3600 * SECOND


class Reading(msgspec.Struct):
    """One day; bounds keep text such as "nan" out."""

    value: Annotated[float, msgspec.Meta(ge=0, le=100)]
    timestamp: Annotated[int, msgspec.Meta(ge=1_400_000_000, le=9_000_000_000)]
    value_classification: Annotated[str, msgspec.Meta(max_length=40)] = ""
    time_until_update: str | int | None = None


class Metadata(msgspec.Struct):
    """`error` is null when all is well."""

    error: str | None = None


class Answer(msgspec.Struct):
    """What the address answers."""

    data: list[Reading]
    metadata: Metadata = msgspec.field(default_factory=Metadata)


_DECODER = msgspec.json.Decoder(Answer, strict=False)


def read(payload: bytes) -> list[Reading]:
    """Return the readings of an answer, in its order. Raises ParseError."""
    try:
        answer = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(INDEX, " ".join(str(error).split())[:160]) from error
    if answer.metadata.error:
        raise ParseError(INDEX, f"refused: {answer.metadata.error[:120]}")
    if not answer.data:
        raise ParseError(INDEX, "an answer without a value")
    return answer.data


class FearGreedParser(Parser):
    """Answers → SentimentReading."""

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        self.channel = INDEX
        return [
            SentimentReading(NAME, "", "", "", r.timestamp * SECOND, ts_recv, INDEX, r.value, r.value_classification) for r in read(payload)
        ]


def saved_answer(payload: bytes) -> dict[str, list[str | float | int]]:
    """Return a saved answer as columns of the table sentiment_readings. Raises ParseError."""
    found = read(payload)
    return {
        "venue": [NAME for _ in found], "index_name": [INDEX for _ in found], "ts_event": [r.timestamp * SECOND for r in found],
        "value": [r.value for r in found], "classification": [r.value_classification for r in found],
    }  # fmt: skip


def due(now: int, payload: bytes) -> int:
    """Return when to ask again: five minutes after the next midnight UTC, and hourly until the day's value is there."""
    newest = max(r.timestamp for r in read(payload)) * SECOND
    midnight = now // DAY * DAY
    return midnight + DAY + 300 * SECOND if newest >= midnight else now + HOUR


def late(newest: Days, now: int) -> str:
    """Say whether the day's value is missing two hours after midnight UTC."""
    expected = day_of(now - 2 * HOUR)
    if INDEX not in newest:
        return "no value was received"
    return "" if newest[INDEX] >= expected else f"the value of {expected} is not there"


REFERENCE = Reference(
    name=NAME,
    title="Fear & Greed",
    docs="https://alternative.me/crypto/fear-and-greed-index/",
    owns=("alternative.me",),
    parser=FearGreedParser,
    setting="fear_greed",
    schedule="five minutes after 00:00 UTC, then once an hour until the day's value is there",
    attribution=ATTRIBUTION,
    terms="free to use, commercially too, with the attribution beside the data",
    late=late,
    polls=(Poll(name="sentiment_readings", url=f"{API}?limit=31&format=json", every=3600, due=due),),
    histories=(
        History(
            name="sentiment_readings", url=f"{API}?limit=0&format=json", longest=1e9, per="venue", on_start=True, back=3.2e8,
            shortest_gap=30 * 86_400,
        ),
    ),
    limits=Limits(weight=5, weight_every=3600, ban=6 * 3600, source="60 questions in ten minutes are allowed; we ask hourly at most"),
)  # fmt: skip
