"""The report: what leads, how long it is, that every number is a footnote to rows, that its bytes are the same twice."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from tests import golden
from tests.report.readings import HOUR, QUIET, STRESS, folder_of, golden_reading, made_reading, quiet, reading_of, stress  # noqa: F401

from deleverage.api.reconstructed import LABEL
from deleverage.errors import BadInput
from deleverage.figure import Figure
from deleverage.report.compose import compose
from deleverage.report.document import Report, Table
from deleverage.report.figures import figures
from deleverage.report.reading import Reading
from deleverage.report.render import FORMS, render
from deleverage.report.revisions import revisions
from deleverage.store.folder import Folder

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
ALLOWED = re.compile(
    r"\d+ (?:h|m|s|d)\b|\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{4})?"
    r"|\d{4}-\d{2}|(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}|\d\d:\d\d UTC"
    r"|at \d+ (?:of \d+ )?venues?|Wave \d+|over 30 days|\d+ complete months|S&P 500|25 delta|10-year|95 % interval|\d+ days"
    r"|The \d+ largest of \d+|at 1 a"
    r"|^\d+$|P/500|\d{1,2} \w{3} \d{4}"
)
"""Numbers that are no figures: dates, the window, how many venues there are, names of things, the number of a wave or a footnote."""


class Text(HTMLParser):
    """Collects the words of a report's body outside numbers that are figures, drawings, and the list of figures."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.linked: list[tuple[str, str]] = []
        self._stack: list[tuple[str, bool]] = []
        self._figure = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("meta", "br"):
            return
        hidden = tag in ("svg", "style", "title", "sup", "ol") or (given.get("class") or "") in ("masthead", "note", "colophon")
        self._stack.append((tag, hidden))
        if given.get("data-figure"):
            self._figure = given["data-figure"] or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Holds no words."""

    def handle_endtag(self, tag: str) -> None:
        while self._stack and self._stack.pop()[0] != tag:
            pass
        if tag == "a":
            self._figure = ""

    def handle_data(self, data: str) -> None:
        if any(hidden for _, hidden in self._stack):
            return
        if self._figure:
            self.linked.append((self._figure, data))
        else:
            self.words.append(data)


def stray(html: str) -> list[str]:
    """Numbers of a report that are no figures."""
    reader = Text()
    reader.feed(html)
    return [words for words in reader.words if re.search(r"\d", ALLOWED.sub("", words.strip()))]


def walked(report: Report, reading: Reading) -> None:
    """Every number printed has a figure, known or missing by name, whose rows are there and give its digest."""
    html = render(report, "html").decode()
    reader = Text()
    reader.feed(html)
    assert not stray(html)
    printed = report.printed()
    assert {name for name, _ in reader.linked} == set(printed)
    assert len(reader.linked) == len(report.shown())
    for name, figure in printed.items():
        assert figure.sources and figure.inputs_hash, name
        for source in figure.sources:
            reading.rows(source)  # names frames that were read
        assert f'id="f{report.numbers()[name]}"' in html and figure.inputs_hash in html


@pytest.fixture(scope="module")
def stressed(stress: Folder) -> tuple[Reading, Report]:  # noqa: F811
    reading = reading_of(stress, STRESS[1], HOUR)
    return reading, compose(reading)


@pytest.fixture(scope="module")
def calm(quiet: Folder) -> tuple[Reading, Report]:  # noqa: F811
    reading = reading_of(quiet, QUIET[1], HOUR)
    return reading, compose(reading)


def test_every_number_of_a_day_of_stress_resolves_to_rows(stressed: tuple[Reading, Report]) -> None:
    walked(stressed[1], stressed[0])


def test_every_number_of_a_quiet_day_resolves_to_rows(calm: tuple[Reading, Report]) -> None:
    walked(calm[1], calm[0])


def test_a_number_that_is_no_figure_would_be_found() -> None:
    assert stray("<main><p>It fell by 7 % that day.</p></main>") == ["It fell by 7 % that day."]
    assert not stray('<main><p>It fell by <a data-figure="x">7 %</a> on 27 January 2025.</p></main>')


def test_a_quiet_day_is_a_short_report(stressed: tuple[Reading, Report], calm: tuple[Reading, Report]) -> None:
    one, other = (len(report.shown()) for _, report in (stressed, calm))
    assert other < one / 2
    assert [s.name for s in stressed[1].sections][:2] == ["liquidated", "waves"]
    assert "waves" not in [s.name for s in calm[1].sections]


def test_the_headline_states_floor_and_side(stressed: tuple[Reading, Report]) -> None:
    words = stressed[1].headline.text
    assert words.startswith("At least 3.08 M USD liquidated in 1 h, 87 % of it longs")  # one of six venues, whose feed leaves orders out


def test_the_golden_table_is_printed_exactly(tmp_path: Path) -> None:
    report = compose(golden_reading(tmp_path))
    table = next(b for s in report.sections for b in s.blocks if isinstance(b, Table) and b.title == "By venue")
    rows = {str(row[0]): [cell if isinstance(cell, str) else cell.text for cell in row[1:4]] for row in table.rows}
    assert rows == {
        "Bybit": ["629.11", "595.43", "33.68"], "Hyperliquid": ["628.82", "620.80", "8.02"], "Binance": ["282.28", "228.86", "53.42"],
        "HTX": ["152.11", "146.18", "5.93"], "OKX": ["138.65", "114.16", "24.49"], "total": ["1,830.97", "1,705.43", "125.54"],
    }  # fmt: skip
    shares = {str(row[0]): row[5].text for row in table.rows}  # type: ignore[union-attr]
    assert shares["Bybit"] == "94.6 %" and shares["Hyperliquid"] == "98.7 %" and shares["OKX"] == "82.3 %"
    text = render(report, "md").decode()
    assert "| 1,830.97[^" in text and "Deribit missing" in text
    assert golden.TABLE["bybit"] == (595_430_000.0, 33_680_000.0)


def test_funding_is_told_with_its_sign() -> None:
    text = json.loads(render(compose(made_reading()), "json"))
    words = json.dumps(text, ensure_ascii=False)
    assert "0.0055 % per 8 h" in words and "positive: longs pay shorts" in words


def test_no_sentence_calls_notional_a_loss(stressed: tuple[Reading, Report]) -> None:
    said = render(stressed[1], "md").decode()
    assert not re.search(r"\b(lost|losses)\b", said.replace("not what anyone lost", ""))


def test_what_was_not_received_is_named(stressed: tuple[Reading, Report]) -> None:
    unknown = next(s for s in stressed[1].sections if s.name == "unknown")
    words = " ".join(claim.text for block in unknown.blocks for claim in block.claims)  # type: ignore[union-attr]
    assert "Bybit, OKX, HTX, Hyperliquid and Deribit: not known" in words and "50.5 %" in words


@pytest.mark.parametrize("form", FORMS)
def test_the_same_bytes_from_another_directory(form: str, stress: Folder, tmp_path: Path) -> None:  # noqa: F811
    again = folder_of(tmp_path, STRESS[0])
    one, other = (render(compose(reading_of(f, STRESS[1], HOUR)), form) for f in (stress, again))  # type: ignore[arg-type]
    assert one == other and len(one) > 5_000


def test_bytes_do_not_depend_on_locale_or_clock(stressed: tuple[Reading, Report]) -> None:
    import locale

    before = render(stressed[1], "html")
    kept = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert render(compose(stressed[0]), "html") == before
    finally:
        locale.setlocale(locale.LC_ALL, kept)
    assert b"D:20250127172030" in render(stressed[1], "pdf")  # the pages' date is what was known when, not today


def test_html_is_one_file_with_text_for_every_picture(stressed: tuple[Reading, Report]) -> None:
    html = render(stressed[1], "html").decode()
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//|@import|<script""", html)
    drawings = re.findall(r"<svg[^>]*>", html)
    assert len(drawings) >= 4 and all(re.search(r'role="img" aria-label="[^"]{20,}"', d) for d in drawings)
    assert html.count("Source: ") >= len(drawings)  # source and coverage are printed on each
    assert re.search(r"51 % of the window received", html)


def test_a_reconstruction_says_so_in_its_first_line() -> None:
    reading = made_reading()
    made = Reading(msgspec.structs.replace(reading.question, is_reconstruction=True), reading.frames)
    report = compose(made)
    assert render(report, "md").decode().splitlines()[0] == f"**{LABEL}**"
    first = re.sub(r"<style>.*?</style>|<head>.*?</head>|<[^>]+>", "\n", render(report, "html").decode(), flags=re.S).split("\n")
    assert next(line for line in first if line.strip()) == LABEL
    assert {f.status for f in report.printed().values()} <= {"modelled", "missing"}


def test_templates_of_the_user_come_first(stressed: tuple[Reading, Report], tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("ours: {{ report.headline.text }} {{ numbers|length }}\n")
    words = render(stressed[1], "md", tmp_path).decode()
    assert words == f"ours: {stressed[1].headline.text} {len(stressed[1].numbers())}\n"
    assert render(stressed[1], "html", tmp_path) == render(stressed[1], "html")


def test_a_template_that_is_no_text_is_named(stressed: tuple[Reading, Report], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"a template in .* is not text in UTF-8"):
        render(stressed[1], "html", tmp_path)


@pytest.mark.parametrize("text", ["{{ nothing }}", "{% for x %}"])
def test_a_template_that_cannot_be_filled_in_is_named(stressed: tuple[Reading, Report], tmp_path: Path, text: str) -> None:
    (tmp_path / "report.md").write_text(text)
    with pytest.raises(BadInput, match=r"report\.md"):
        render(stressed[1], "md", tmp_path)
    with pytest.raises(BadInput, match="no directory"):
        render(stressed[1], "md", tmp_path / "elsewhere")


def test_a_later_report_says_what_was_revised() -> None:
    report = compose(made_reading(later=True))
    section = next(s for s in report.sections if s.name == "revised")
    (table,) = section.blocks
    assert isinstance(table, Table)
    rows = {str(row[0]): [cell.text for cell in row[1:] if not isinstance(cell, str)] for row in table.rows}
    assert rows["sentiment.fear_greed"] == ["14", "15"] and rows["sentiment.fear_greed.change.1m"] == ["-20".replace("-", "−"), "−19"]
    report.printed()  # both stand under names of their own


def test_revisions_hold_what_appeared_and_what_went() -> None:
    def figure(name: str, value: float | None) -> Figure:
        return Figure(name=name, value=value, unit="usd", at=1, as_of=1, status="missing" if value is None else "measured")

    before = {name: figure(name, value) for name, value in (("same", 1.0), ("changed", 1.0), ("gone", 2.0), ("came", None))}
    after = {name: figure(name, value) for name, value in (("same", 1.0), ("changed", 3.0), ("came", 4.0), ("new", 5.0))}
    found = {r.name: (r.before.value, r.after.value) for r in revisions(before, after)}
    assert found == {"changed": (1.0, 3.0), "came": (None, 4.0), "new": (None, 5.0), "gone": (2.0, None)}


def test_figures_of_others_stand_beside_ours(tmp_path: Path) -> None:
    import polars as pl

    reading = golden_reading(tmp_path)
    own = reading.frames["liquidations"]
    row = own.head(1).with_columns(venue=pl.lit("elsewhere"), notional_usd=pl.lit(2_000_000_000.0))
    both = Reading(reading.question, {**reading.frames, "liquidations": pl.concat([own, row])})
    known = figures(both)
    assert known["liquidations.total.24h"].value == 1_830_970_000.0  # never added in
    assert known["liquidations.elsewhere.elsewhere.24h"].value == 2_000_000_000.0
    words = render(compose(both), "md").decode()
    assert "elsewhere states 2.00 bn USD" in words and "the difference is 169.03 M USD" in words and "nothing of Deribit" in words


@pytest.mark.parametrize("name", ["quiet-2026-10-10", "stress-2025-01-27", "reconstruction-2025-11-21"])
def test_the_examples_are_there_and_whole(name: str) -> None:
    html = (EXAMPLES / f"{name}.html").read_text()
    assert not stray(html), stray(html)
    reader = Text()
    reader.feed(html)
    listed = set(re.findall(r"<b>\d+ · ([^<]+)</b>", html))
    assert {figure for figure, _ in reader.linked} == listed
    assert (EXAMPLES / f"{name}.pdf").read_bytes()[:5] == b"%PDF-"


def test_the_quiet_example_is_what_is_written_today(calm: tuple[Reading, Report]) -> None:
    assert (EXAMPLES / "quiet-2026-10-10.html").read_bytes() == render(calm[1], "html")


def test_the_stress_example_is_what_is_written_today(tmp_path: Path) -> None:
    """From the recording and the history of sentiment and yields, which is read in place where it is there."""
    from tests.captures import shared

    from deleverage.collect.history import import_table

    folder = folder_of(tmp_path, STRESS[0])
    index = {"venue": "alternative.me", "index_name": "fear_and_greed"}
    import_table(
        folder, shared("fear_greed/fng.csv"), "sentiment_readings", columns={"ts_event": "timestamp"}, units={}, constants=index, lag="0s"
    )
    for series, lag in (("DGS10", "1d"), ("DFII10", "1d"), ("DTWEXBGS", "7d")):
        named = {"observation_date": "date", "value": series}
        import_table(
            folder, shared(f"fred/{series}.csv"), "macro_observations", columns=named, units={}, constants={"venue": "fred"}, lag=lag
        )
    reading = reading_of(folder, STRESS[1], HOUR)
    report = compose(reading)
    walked(report, reading)
    assert (EXAMPLES / "stress-2025-01-27.html").read_bytes() == render(report, "html")
    assert (EXAMPLES / "stress-2025-01-27.pdf").read_bytes() == render(report, "pdf")


def test_the_example_of_the_reconstruction_is_what_is_written_today(tmp_path: Path) -> None:
    """With every number walked to its rows, and what was published of the day."""
    from deleverage.api.session import StoredSession
    from deleverage.collect.ingest import import_frames
    from deleverage.report.lint import lint
    from deleverage.report.reading import read
    from deleverage.simulate.reconstruction import frames
    from deleverage.simulate.reconstruction.facts import AT
    from deleverage.simulate.reconstruction.recording import SEED
    from deleverage.simulate.reconstruction.world import make
    from deleverage.store.duck import DuckStore

    store = DuckStore(None)
    import_frames(Folder(tmp_path), store, frames.frames(make(SEED)))
    session = StoredSession(store, "")
    reading = read(session, AT, AT, 24 * HOUR)
    session.close()
    report = compose(reading)
    walked(report, reading)
    assert (EXAMPLES / "reconstruction-2025-11-21.html").read_bytes() == render(report, "html")
    assert (EXAMPLES / "reconstruction-2025-11-21.pdf").read_bytes() == render(report, "pdf")
    text = render(report, "md").decode()
    assert text.startswith(f"**{LABEL}**\n") and {f.status for f in report.printed().values()} <= {"modelled", "missing"}
    assert "At least 2.00 bn USD" in text and "1.86 bn USD" in text and "after a low of 80,600 USD" in text
    assert "Of the days known before it, from 15 September 2025 on, 7 %" in text  # 67 days are no year
    assert "ETF flows: a total of all funds as the press reported it" in text and "Farside Investors" not in text
    assert "903.00 M USD" in text and "still under way" not in text  # one day is no month to date
    assert "| 10-year yield, % | 19 Nov 2025 | 4.13 %" in text and "| +0.11 points" in text  # 4.13 after 4.02
    assert not [found for found in lint(text) if found["verdict"] == "inconsistent"]
