"""References are sources but no venues; what is believed of them; and every way in leads to the same rows."""

import json
from pathlib import Path

import pytest
from tests.cli.test_cli import run
from tests.references.answers import ADDRESSES, FOLDER, RECEIVED, stored

from deleverage.errors import BadInput
from deleverage.references import REFERENCES, SOURCES, source_named
from deleverage.references.fear_greed import ATTRIBUTION
from deleverage.references.reference import believed
from deleverage.venues import VENUES

ROOT = Path(__file__).parents[2]
PAGES = {"alternative.me": "fear-greed", "farside": "farside", "fred": "fred"}
DAY = 86_400 * 1_000_000_000


def test_they_are_sources_and_no_venues() -> None:
    assert not set(REFERENCES) & set(VENUES) and set(SOURCES) == set(REFERENCES) | set(VENUES)
    assert source_named("fred").name == "fred" and source_named("okx") is VENUES["okx"]
    with pytest.raises(BadInput, match="unknown venue 'frd'; known: binance"):
        source_named("frd")


@pytest.mark.parametrize("name", REFERENCES)
def test_every_reference_says_its_terms_and_has_a_page(name: str) -> None:
    reference, page = REFERENCES[name], (ROOT / "docs" / "references" / f"{PAGES[name]}.md").read_text()
    assert reference.attribution and reference.terms and reference.schedule and reference.limits.source
    assert f"references.{reference.setting}.enabled" in page and f"`{reference.polls[0].name}`" in page and "bundled" in page
    assert all(poll.due is not None and poll.url.startswith("https://") for poll in (*reference.polls, *reference.keyed_polls))
    assert not reference.carries_liquidations("anything") and reference.coverage_at(RECEIVED).rule == "none"


def test_failing_or_late_is_stale_and_the_rest_is_live() -> None:
    reference, now = REFERENCES["alternative.me"], 1_777_248_000_000_000_000  # 2026-04-27
    fresh = {"fear_and_greed": "2026-04-27"}
    assert believed(reference, fresh, now + DAY // 2) == ("live", "newest: fear_and_greed 2026-04-27")
    state, words = believed(reference, fresh, now + DAY // 2, failed=2, error="it answered 403")
    assert state == "stale" and words == (
        "the last 2 questions failed: it answered 403; the newest values known are kept: fear_and_greed 2026-04-27"
    )
    state, words = believed(reference, fresh, now + 2 * DAY)
    assert state == "stale" and words.startswith("the value of 2026-04-28 is not there; the newest values known are kept")


def test_raw_answers_come_in_by_their_addresses_and_no_total_misses_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = tmp_path / "answers.jsonl", str(tmp_path / "data")
    lines = [{"ts_recv": RECEIVED, "venue": v, "route": r, "payload": stored(name).decode()} for name, (v, r) in ADDRESSES.items()]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, out, _ = run(capsys, "import", "raw", str(file), "--report", "json", "--data", data)
    report = json.loads(out)
    assert code == 0 and report["errors"] == report["unknown"] == 0 and report["new"] == len(ADDRESSES)
    assert report["events"] == {"etf_flows": 23, "macro_observations": 16, "sentiment_readings": 5}
    code, out, _ = run(capsys, "import", "raw", str(file), "--report", "json", "--data", data)
    assert json.loads(out)["new"] == 0
    code, out, _ = run(
        capsys,
        "feeds",
        "--references",
        "--format",
        "json",
        "--data",
        data,
        "--at",
        "2026-09-09T00:00:00Z",
        "--as-of",
        "2030-01-01T00:00:00Z",
    )
    rows = {row["reference"]: row for row in json.loads(out)}
    assert rows["alternative.me"]["attribution"] == ATTRIBUTION and rows["alternative.me"]["state"] == "stale"
    assert rows["farside"]["newest"] == {"BTC": "2026-09-08", "ETH": "2026-09-08"} and rows["farside"]["state"] == "live"
    code, out, _ = run(capsys, "feeds", "--format", "json", "--data", data)
    assert {row["venue"] for row in json.loads(out)} == set(VENUES)


@pytest.mark.parametrize(
    ("table", "file", "options", "rows"),
    [
        ("etf_flows", "farside_btc.html", "", 16), ("etf_flows", "farside_moved.html", "--lag 1d", 7),
        ("macro_observations", "fred_api_vintages.json", "--set series=DTWEXBGS", 3),
        ("macro_observations", "fred_new.csv", "--column value=* --set venue=fred --lag 1d", 10),
        ("macro_observations", "fred_old.csv", "--column observation_date=DATE --column value=* --set venue=fred --lag 1d", 3),
        ("sentiment_readings", "fng_history.json", "--lag 0s", 2),
    ],
)  # fmt: skip
def test_saved_answers_are_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, file: str, options: str, rows: int
) -> None:
    code, out, err = run(capsys, "import", table, str(FOLDER / file), "--data", str(tmp_path), *options.split())
    assert code == 0 and f"{rows} rows of {table}, {rows} new" in out, err
    code, out, _ = run(capsys, "export", table, "--format", "csv", "--data", str(tmp_path))
    assert len(out.splitlines()) == rows + 1


@pytest.mark.parametrize(
    ("table", "file", "options", "words"),
    [
        ("etf_flows", "farside_refused.html", "", "no table of flows by fund on the page"),
        ("macro_observations", "fred_api.json", "", "series"), ("sentiment_readings", "fng_refused.json", "", "limit must be a number"),
        ("liquidations", "farside_btc.html", "", "expected .csv, .csv.gz or .parquet"),
    ],
)  # fmt: skip
def test_what_is_no_saved_answer_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, file: str, options: str, words: str
) -> None:
    code, _, err = run(capsys, "import", table, str(FOLDER / file), "--data", str(tmp_path), *options.split())
    assert code == 2 and words in err and err.count("\n") == 1
