"""Other people's text: what is false is found by its rule, what is true is left alone, and nothing makes the linter fall over."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import golden
from tests.cli.test_cli import golden_data, run  # noqa: F401 - a fixture
from tests.report.statements import FALSE, TRUE

from deleverage.figure import Figure
from deleverage.report.lint import lint
from deleverage.report.lint.quantities import quantities
from deleverage.report.names import MISTRANSLATED, VENUES, venues_in
from deleverage.report.rules import RULES

VERDICTS = {"consistent", "inconsistent", "not_checkable"}


@pytest.mark.parametrize(("text", "rule"), FALSE)
def test_what_is_false_is_found(text: str, rule: str) -> None:
    found = [row for row in lint(text) if row["verdict"] == "inconsistent"]
    assert rule in {row["rule"] for row in found}, lint(text)
    assert all(row["arithmetic"] and row["rule"] in RULES for row in found)


@pytest.mark.parametrize(("text", "rule"), TRUE)
def test_what_is_true_is_left_alone(text: str, rule: str | None) -> None:
    rows = lint(text)
    assert not [row for row in rows if row["verdict"] == "inconsistent"]
    if rule is not None:
        assert ("consistent", rule) in {(row["verdict"], row["rule"]) for row in rows}, rows


def test_there_are_enough_and_at_least_half_are_true() -> None:
    assert len(FALSE) + len(TRUE) >= 40 and len(TRUE) >= len(FALSE)


ARTICLE = """# Bitcoin tumbles as $2 billion in leverage is flushed

**21 November 2025** — Bitcoin rebounded to $85,000 from a low of $81,600. Over the past 24 hours 2.00 bn USD was
liquidated: 1.86 bn of longs and 140.2 M of shorts.

| Exchange | Liquidated | Length | Short | Share |
|---|---|---|---|---|
| Bybit | $629.11 million | $595.43 million | $33.68 million | 31.46% |
| Superfluidity | $628.82 million | $620.80 million | $8.02 million | 31.44% |
| Binance | $282.28 million | $228.86 million | $53.42 million | 14.11% |
| Cooperative | $152.11 million | $146.18 million | $5.93 million | 7.61% |
| OKX | $138.65 million | $114.16 million | $24.49 million | 6.93% |

Bybit and Hyperliquid together account for more than half of the total. Bitcoin liquidations were about
$1.01 billion, ether's nearly $423 million and Solana's over
$100 million; the contribution of other tokens was modest.

Funding compressed toward neutral on major venues, with some briefly negative. At marginally positive funding, longs are being paid to wait.

The Fear & Greed Index read 10-15, "extreme fear".
"""


def test_the_seed_articles_own_mistakes_and_nothing_else() -> None:
    """Its funding sign, two venue names, the side's name, and a rest called modest that is larger than a coin it names (methods, 0)."""
    rows = lint(ARTICLE)
    wrong = sorted(row["rule"] for row in rows if row["verdict"] == "inconsistent")
    assert wrong == ["funding_sign", "proportion_words", "venue_name", "venue_name", "venue_name"]
    said = {row["arithmetic"] for row in rows if row["rule"] == "most"}
    assert said == {"“more than half”: 629.11 M + 628.82 M of 2,000.00 M is 62.90 %"}


TABLE = "| venue | total, M USD | long | short |\n|---|---|---|---|\n"


@pytest.mark.parametrize(
    ("rows", "is_wrong"),
    [
        ("| Bybit | 629.11 | 595.43 | 33.68 |\n| OKX | 138.65 | 114.16 | 24.49 |\n| Total | 767.76 | 709.59 | 58.17 |", False),
        ("| Bybit | 629.11 | 595.43 | 33.68 |\n| OKX | 138.65 | 114.16 | 24.49 |\n| Total | 867.76 | 709.59 | 158.17 |", True),
        ("| Bybit | 629.11 | 595.43 | 43.68 |", True),
        ("| Bybit | 629.1 | 595.43 | 33.68 |", False),
        ("| Bybit | 629.11 | 595.43 | 33.68 |\n| Other | 138.65 | 114.16 | 24.49 |\n| Total | 767.8 | 709.6 | 58.2 |", False),
    ],
)
def test_tables_add_up_or_are_found(rows: str, is_wrong: bool) -> None:
    assert ("inconsistent" in {row["verdict"] for row in lint(TABLE + rows)}) == is_wrong


@pytest.mark.parametrize(
    ("shares", "rule"),
    [
        (("60 %", "30 %", "10 %"), None),
        (("60 %", "50 %", "10 %"), "share_over_100"),
        (("130 %", "1 %", "2 %"), "share_over_100"),
        (("60 %", "20 %", "10 %"), "parts_total"),
    ],
)
def test_a_column_of_shares_makes_a_whole(shares: tuple[str, ...], rule: str | None) -> None:
    body = "\n".join(f"| {name} | {share} |" for name, share in zip(("Bybit", "OKX", "rest"), shares, strict=True))
    rows = lint(f"| venue | share |\n|---|---|\n{body}")
    assert {row["rule"] for row in rows if row["verdict"] == "inconsistent"} == ({rule} if rule else set())


def test_fund_flows_of_a_table_add_up() -> None:
    table = "| Date | IBIT | FBTC | GBTC | Total |\n|---|---|---|---|---|\n| 20 Nov 2025 | (355.5) | (190.4) | (199.4) | {} |\n"
    assert {row["verdict"] for row in lint(table.format("(745.3)"))} == {"consistent"}
    assert "inconsistent" in {row["verdict"] for row in lint(table.format("(903.2)"))}


@pytest.mark.parametrize("name", ["superfluidity", "Superfluidity", "Superfluid", "cooperative", "Co-operative"])
def test_mistranslated_venues_in_a_table(name: str) -> None:
    rows = lint(f"| venue | M USD |\n|---|---|\n| {name} | 152.11 |\n")
    assert [row["rule"] for row in rows if row["verdict"] == "inconsistent"] == ["venue_name"]


def test_every_mistranslation_leads_to_a_venue_with_a_name() -> None:
    assert set(MISTRANSLATED.values()) <= set(VENUES)
    assert [n.key for n in venues_in("Huobi, OKEx, OKX and Hyperliquid")] == ["htx", "okx", "okx", "hyperliquid"]
    assert {n.treatment for n in venues_in("Huobi and OKEx")} == {"former"}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0, "extreme fear"),
        (24, "extreme fear"),
        (25, "fear"),
        (44, "fear"),
        (45, "neutral"),
        (54, "neutral"),
        (55, "greed"),
        (74, "greed"),
        (75, "extreme greed"),
        (100, "extreme greed"),
    ],
)
def test_bands_of_sentiment(value: int, word: str) -> None:
    for said in ("extreme fear", "fear", "neutral", "greed", "extreme greed"):
        rows = lint(f"The Fear & Greed Index stands at {value} ({said}).")
        assert [row["verdict"] for row in rows if row["rule"] == "fear_greed_band"] == ["consistent" if said == word else "inconsistent"]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1.86 bn", 1.855e9, 1.865e9),
        ("$2 billion", 1.8e9, 2.2e9),
        ("140.2 M", 140.15e6, 140.25e6),
        ("nearly $423 million", 380.7e6, 423.5e6),
        ("over 100 M", 98.5e6, 125e6),
        ("$629,110,000", 629_105_000.0, 629_115_000.0),
    ],
)
def test_what_a_printed_number_may_be(text: str, low: float, high: float) -> None:
    (q,) = quantities(text)
    assert (q.low, q.high) == pytest.approx((low, high), rel=1e-3)


def test_records_know_the_month_they_are_written_in() -> None:
    text = "The outflow of November is the largest month on record."
    assert {row["verdict"] for row in lint(text)} == {"not_checkable"}
    assert {row["verdict"] for row in lint(text, month="November")} == {"inconsistent"}
    assert {row["verdict"] for row in lint(text, month="December")} == {"not_checkable"}


def known(name: str, value: float | None, unit: str = "usd", **more: object) -> dict[str, Figure]:
    status = "missing" if value is None else "measured"
    return {name: Figure(**{"name": name, "value": value, "unit": unit, "at": 0, "as_of": 0, "status": status, "coverage": 1.0, **more})}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "figures", "verdict"),
    [
        ("In 24 hours 1.83 bn USD was liquidated.", known("liquidations.total.24h", 1_830_970_000.0), "consistent"),
        ("In 24 hours 2.5 bn USD was liquidated.", known("liquidations.total.24h", 1_830_970_000.0), "inconsistent"),
        ("In 24 hours 2.5 bn USD was liquidated.", known("liquidations.total.24h", 1_830_970_000.0, missing=("htx",)), "not_checkable"),
        ("In 24 hours 1.2 bn USD was liquidated.", known("liquidations.total.24h", 1_830_970_000.0, missing=("htx",)), "inconsistent"),
        ("In 24 hours 2.5 bn USD was liquidated.", known("liquidations.total.24h", None), "not_checkable"),
        ("In the past hour 120 M USD was liquidated.", known("liquidations.total.1h", 119.9e6), "consistent"),
        ("Bybit liquidated $629 million.", known("liquidations.venue.bybit.24h", 629.11e6), "consistent"),
        ("The Fear & Greed Index is at 11.", known("sentiment.fear_greed", 14.0, "index"), "inconsistent"),
        ("The Fear & Greed Index is at 14.", known("sentiment.fear_greed", 14.0, "index"), "consistent"),
        ("Bitcoin ETFs saw a net outflow of $903 million on the day.", known("etf.BTC.net_flow.day", -903.2e6), "consistent"),
        ("Bitcoin ETFs saw a net inflow of $903 million on the day.", known("etf.BTC.net_flow.day", -903.2e6), "inconsistent"),
        ("DVOL closed at 57.4.", known("options.published_index.BTC", 57.4, "points"), "consistent"),
        ("The 10-year yield stood at 4.5 %.", known("macro.DGS10", 4.10, "percent"), "inconsistent"),
        ("Funding is 0.0069 % per 8 hours.", known("funding.oi_weighted.BTC", 0.0000688, "rate_8h"), "consistent"),
    ],
)
def test_against_the_systems_own_figures(text: str, figures: dict[str, Figure], verdict: str) -> None:
    assert [row["verdict"] for row in lint(text, figures) if row["rule"] == "data"] == [verdict]


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from(["M USD", "million dollars", "mn"]))
def test_sides_scaled_as_one_add_up_and_a_part_changed_does_not(long: int, short: int, unit: str) -> None:
    def text(total: int) -> str:
        return f"{total / 100:,.2f} {unit} was liquidated in 24 hours: {long / 100:,.2f} {unit} long and {short / 100:,.2f} {unit} short."

    assert [row["verdict"] for row in lint(text(long + short)) if row["rule"] == "parts_total"] == ["consistent"]
    assert "inconsistent" in {row["verdict"] for row in lint(text(2 * (long + short) + 2))}


WORDS = [
    "Bybit",
    "cooperative",
    "$2.0 bn",
    "1.86 bn",
    "longs",
    "short",
    "93 %",
    "-0.01%",
    "funding",
    "positive",
    "paid",
    "| a | b |",
    "|---|---|",
    "\n",
    "of the",
    "from",
    "to",
    "82-88k",
    "Fear & Greed",
    "11",
    "extreme fear",
    "record",
    "November",
    "24h",
    "(",
    ")",
    "=",
    "+",
    "half",
    "ETF",
    "outflow",
    "(903.2)",
    ".",
    ":",
    ",",
    "31 Feb 2025",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.text(max_size=300))
def test_no_text_makes_it_fall_over(text: str) -> None:
    rows = lint(text)
    assert all(
        set(row) == {"text", "verdict", "rule", "arithmetic"} and row["verdict"] in VERDICTS and row["rule"] in RULES for row in rows
    )
    assert rows == lint(text)


def test_long_hostile_text_ends() -> None:
    for piece in ("(", "|", "of the ", "1,", "longs ", "$1 bn ", "from 1 to 2 ", "- ", "most of the $1 bn, $2 bn ", "\x1b[31m", "x"):
        lint(piece * 3000)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "article.md"
    file.write_text(ARTICLE)
    code, out, _ = run(capsys, "lint", file, "--format", "json")
    rows = json.loads(out)
    assert code == 0 and rows == lint(ARTICLE)
    assert run(capsys, "lint", file, "--strict")[0] == 1
    file.write_text("2.00 bn USD was liquidated: 1.86 bn long, 140.2 M short.")
    code, out, _ = run(capsys, "lint", file, "--strict")
    assert code == 0 and "1 consistent, 0 inconsistent" in out
    file.write_text("")
    code, out, _ = run(capsys, "lint", file, "--format", "json")
    assert code == 0 and json.loads(out) == []


@pytest.mark.parametrize("what", ["missing", "folder", "binary", "bytes"])
def test_what_is_no_text_is_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x"
    if what == "folder":
        file.mkdir()
    elif what != "missing":
        file.write_bytes(b"\x00\x01\x02" * 99 if what == "binary" else b"caf\xe9")
    code, out, err = run(capsys, "lint", file)
    assert code == 2 and not out and err.startswith("deleverage: ") and err.count("\n") == 1


def test_command_against_data(golden_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    file = tmp_path / "article.md"
    file.write_text(
        "In 24 hours 1.83 bn USD was liquidated, 1.71 bn of it long. Bybit had 629.11 M USD. Liquidations at Binance were 250 M USD."
    )
    code, out, _ = run(capsys, "lint", file, "--data", golden_data, "--at", golden.AT, "--format", "json")
    told = {(row["text"].split(" ")[0], row["verdict"]) for row in json.loads(out) if row["rule"] == "data"}
    assert code == 0 and told == {("In", "consistent"), ("Bybit", "consistent"), ("Liquidations", "inconsistent")}


def test_the_page_of_rules_names_them_all_and_its_examples_break_them() -> None:
    page = (Path(__file__).parents[2] / "docs/methods/claims.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line.startswith("| `")]
    assert set(RULES) == {name.strip("`") for row in rows for name in row[0].split(", ")}
    examples = [(row[0].strip("`"), row[2]) for row in rows if len(row) > 2 and row[2].strip(" |")[:1] not in ("", "(")]
    assert len(examples) >= 24
    for rule, text in examples:
        assert ("inconsistent", rule) in {(row["verdict"], row["rule"]) for row in lint(text.strip(" |"))}, text


def test_footnotes_are_no_claims() -> None:
    text = "2.00 bn USD[^1] was liquidated: 1.86 bn USD[^2] long and 140.2 M USD[3] short.\n\n[^1]: liquidations.total.24h 9 bn USD\n"
    assert [(row["verdict"], row["rule"]) for row in lint(text)] == [("consistent", "parts_total")]
