"""alternative.me: text for numbers, the newest value alone says when the next comes, and the attribution."""

import csv

import msgspec
import pytest
from tests.captures import SHARED
from tests.references.answers import RECEIVED, events, parse, stored

from deleverage.errors import ParseError
from deleverage.events import SentimentReading
from deleverage.references.fear_greed import ATTRIBUTION, REFERENCE, due, late

ADDRESS = "https://api.alternative.me/fng/?limit=31&format=json"
SECOND = 1_000_000_000
MIDNIGHT = 1_777_248_000 * SECOND  # 2026-04-27T00:00:00Z
HOUR = 3600 * SECOND


def test_text_is_read_as_numbers_with_and_without_the_time_until_the_next_value() -> None:
    first, second, third = events("fng_latest.json")
    assert first == SentimentReading("alternative.me", "", "", "", MIDNIGHT, RECEIVED, "fear_and_greed", 47.0, "Neutral")
    assert [e.ts_event for e in (second, third)] == [MIDNIGHT - 24 * HOUR, MIDNIGHT - 48 * HOUR]
    assert [(e.value, e.classification) for e in events("fng_history.json")] == [(75.0, "Extreme Greed"), (5.0, "Extreme Fear")]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["fng_refused.json", "fng_text_dates.json"])
def test_what_is_no_reading_is_refused(name: str) -> None:
    with pytest.raises(ParseError):
        parse("alternative.me", ADDRESS, stored(name))


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "101", "", "forty"])
def test_values_outside_the_index_are_refused(value: str) -> None:
    with pytest.raises(ParseError):
        parse("alternative.me", ADDRESS, stored("fng_latest.json").replace(b'"47"', f'"{value}"'.encode()))


def test_the_attribution_travels_with_the_reference() -> None:
    assert "alternative.me" in ATTRIBUTION and REFERENCE.attribution == ATTRIBUTION


def test_it_is_asked_after_midnight_and_hourly_until_the_value_is_there() -> None:
    answer = stored("fng_latest.json")
    assert due(MIDNIGHT + HOUR, answer) == MIDNIGHT + 24 * HOUR + 300 * SECOND
    just_after = MIDNIGHT + 24 * HOUR + 300 * SECOND  # the answer still ends the day before
    assert due(just_after, answer) == just_after + HOUR
    with pytest.raises(ParseError):
        due(MIDNIGHT, b"<html>")


def test_a_day_without_its_value_is_late_after_two_hours() -> None:
    known = {"fear_and_greed": "2026-04-27"}
    assert late(known, MIDNIGHT + 25 * HOUR) == ""
    assert "2026-04-28" in late(known, MIDNIGHT + 26 * HOUR)
    assert late({}, MIDNIGHT) == "no value was received"


def test_eight_years_of_real_values_pass_through_an_answer_unchanged() -> None:
    path = SHARED / "fear_greed" / "fng.csv"
    if not path.exists():
        pytest.skip("the file fear_greed/fng.csv is not on this machine")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    data = [
        {"value": f"{float(r['value']):.0f}", "value_classification": r["classification"], "timestamp": r["timestamp"]}
        for r in reversed(rows)
    ]
    found = parse("alternative.me", ADDRESS, msgspec.json.encode({"data": data, "metadata": {"error": None}}))
    assert len(found) == 2912 and all(e.ts_event % (24 * HOUR) == 0 for e in found)
    assert [e.value for e in found] == [float(r["value"]) for r in reversed(rows)]  # type: ignore[union-attr]
