"""FRED: both headers, both ways to say missing, vintages, and New York's hours."""

import csv
from datetime import datetime

import pytest
from tests.captures import SHARED
from tests.references.answers import ADDRESSES, RECEIVED, events, parse, stored

from deleverage.errors import ParseError
from deleverage.events import MacroObservation
from deleverage.references import REFERENCES
from deleverage.references.fred import REFERENCE, late, read_csv, saved_answer
from deleverage.references.publication import instant

DAY = 86_400 * 1_000_000_000


def values(name: str) -> list[tuple[str, str, float | None]]:
    return [(e.series, e.observation_date, e.value) for e in events(name) if isinstance(e, MacroObservation)]


def test_missing_is_null_never_zero_and_what_is_not_out_yet_is_no_row() -> None:
    assert values("fred_new.csv") == [
        ("DGS10", "2026-09-03", 4.10), ("DGS10", "2026-09-04", 4.12), ("DGS10", "2026-09-07", None), ("DGS10", "2026-09-08", 4.05),
        ("DFII10", "2026-09-04", 1.83), ("DFII10", "2026-09-07", None), ("DFII10", "2026-09-08", 1.80), ("DFII10", "2026-09-09", 1.79),
    ]  # fmt: skip
    first = events("fred_new.csv")[0]
    assert first == MacroObservation("fred", "", "", "", 1_788_393_600_000_000_000, RECEIVED, "DGS10", "2026-09-03", 4.10)


def test_the_old_header_is_read_alike() -> None:
    assert values("fred_old.csv") == [
        ("DTWEXBGS", "2026-08-27", 120.4321), ("DTWEXBGS", "2026-08-28", None), ("DTWEXBGS", "2026-08-31", 119.9)
    ]  # fmt: skip


def test_the_api_names_its_series_in_the_address_only() -> None:
    assert values("fred_api.json") == [("DGS10", "2026-09-04", 4.12), ("DGS10", "2026-09-07", None), ("DGS10", "2026-09-08", 4.05)]
    with pytest.raises(ParseError, match="series_id"):
        parse("fred", "https://api.stlouisfed.org/fred/series/observations", stored("fred_api.json"))


def test_of_the_vintages_the_last_is_in_force_and_a_saved_answer_tells_since_when_each_was_known() -> None:
    assert values("fred_api_vintages.json") == [("DTWEXBGS", "2026-08-28", 120.25), ("DTWEXBGS", "2026-08-31", 119.90)]
    saved = saved_answer(stored("fred_api_vintages.json"), RECEIVED * 2)
    assert saved["value"] == [120.10, 120.25, 119.90]
    assert saved["ts_recv"] == [instant(datetime(2026, 9, 9)), instant(datetime(2026, 9, 16)), instant(datetime(2026, 9, 9))]
    assert saved_answer(stored("fred_api_vintages.json"), 5)["ts_recv"] == [5, 5, 5]  # nothing is known later than now


@pytest.mark.parametrize(
    "text",
    [
        "", "<html>", "date", "observation_date\n", "observation_date,DGS10\n2026-09-03,4.1,7\n", "observation_date,DGS10\n03/09/2026,4\n",
        "observation_date,DGS10\n2026-09-03,four\n", "observation_date,DGS10,DGS10\n", "observation_date,DGS10\n2026-09-03,nan\n",
        '{"error_code":400,"error_message":"Bad Request."}', '{"observations":[{"date":"2026-09-03","value":"1e999"}]}',
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse("fred", ADDRESSES["fred_api.json"][1], text.encode())


def at(day: int, hour: int, minute: int = 0) -> int:
    """An instant of New York's clock in September 2026; the 7th is Labor Day, a Monday."""
    return instant(datetime(2026, 9, day, hour, minute))


def test_questions_wait_for_the_hours_of_release() -> None:
    rates = REFERENCE.polls[0]
    assert "DGS10,DFII10" in rates.url and rates.due is not None
    answer = stored("fred_new.csv")
    assert rates.due(at(8, 12), answer) == at(8, 15, 20)
    assert rates.due(at(8, 15, 20), answer) == at(8, 16, 20)
    assert rates.due(at(11, 17, 30), answer) == at(14, 15, 20)  # Friday evening to Monday
    with pytest.raises(ParseError):
        rates.due(at(8, 12), b"<html>")


def test_with_a_key_every_series_is_asked_of_the_api_and_no_key_is_in_an_address() -> None:
    keyed = REFERENCE.with_key()
    assert {p.url.partition("series_id=")[2].partition("&")[0] for p in keyed.polls} == {
        "DGS10", "DFII10", "DTWEXBGS", "SP500", "NASDAQCOM", "VIXCLS",
    }  # fmt: skip
    assert not any("api_key" in p.url for p in keyed.polls) and REFERENCES["fred"].polls != keyed.polls


def test_a_holiday_is_not_late_two_missing_days_are_and_the_dollar_index_has_a_week() -> None:
    known = dict.fromkeys(("DGS10", "DFII10", "SP500", "NASDAQCOM", "VIXCLS"), "2026-09-04") | {"DTWEXBGS": "2026-08-28"}
    assert late(known, at(8, 19)) == ""
    assert "DGS10 lacks 2 weekdays" in late(known, at(9, 18)) and "DTWEXBGS" not in late(known, at(9, 18))
    assert "DTWEXBGS lacks 8" in late(known, at(10, 18))


@pytest.mark.parametrize("series", ["DGS10", "DFII10", "DTWEXBGS"])
def test_decades_of_real_observations_are_read_as_an_independent_reader_reads_them(series: str) -> None:
    path = SHARED / "fred" / f"{series}.csv"
    if not path.exists():
        pytest.skip(f"the file fred/{series}.csv is not on this machine")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    found = read_csv(path.read_bytes())
    assert [(o.day, o.value) for o in found] == [(r["date"], float(r[series])) for r in rows]
