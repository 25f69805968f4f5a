"""The linter on sentences as they are heard: its arithmetic, what it quotes, numbers told in turn."""

import pytest
from tests.report.statements_heard import HEARD_FALSE
from tests.report.statements_texts import A_FRIDAY, A_LOOK_BACK, A_TWEET, A_WRAP, QUESTIONS, TEXTS

from deleverage.report.lint import lint


@pytest.mark.parametrize(("text", "rule", "shown"), [row for row in HEARD_FALSE if row[2]])
def test_the_arithmetic_is_that_of_the_statement(text: str, rule: str, shown: str) -> None:
    rows = [row for row in lint(text) if (row["verdict"], row["rule"]) == ("inconsistent", rule)]
    assert any(shown in row["arithmetic"] for row in rows), rows


def test_a_finding_quotes_what_it_judges() -> None:
    text = "Liquidations were heavy. $2.00 billion was liquidated: $1.86 billion of longs and $340.2 million of shorts. Prices fell."
    (row,) = [row for row in lint(text) if row["rule"] == "parts_total"]
    assert row["text"] == "$2.00 billion was liquidated: $1.86 billion of longs and $340.2 million of shorts."
    filler = ", as everyone on the desks of the city had been saying to each other for the better part of the afternoon" * 2
    parts = ("Total liquidations were $2.00 billion", "Long liquidations were $1.86 billion", "Short liquidations were $340.2 million")
    (row,) = [row for row in lint(" ".join(f"{part}{filler}." for part in parts)) if row["rule"] == "parts_total"]
    assert all(part in row["text"] for part in parts) and " … " in row["text"] and len(row["text"]) < 400


def test_what_cannot_be_seen_is_dropped() -> None:
    hidden = "\x1b[31m$2.00 bn\x1b[0m was liqui\u200bdated: $1.86 bn long,\x07 $340.2 M \u202eshort."
    rows = lint(hidden)
    assert [(row["verdict"], row["rule"]) for row in rows] == [("inconsistent", "parts_total")]
    assert rows[0]["text"].isprintable()


@pytest.mark.parametrize("long, short", [(310, 190), (95, 400), (7, 3)])
@pytest.mark.parametrize(
    "words", ["Long and short liquidations were ${} million and ${} million respectively", "Longs vs shorts liquidated: ${}M / ${}M"]
)
def test_numbers_told_in_turn(words: str, long: int, short: int) -> None:
    for total, verdict in ((long + short, "consistent"), (2 * (long + short), "inconsistent")):
        rows = lint(f"{words.format(long, short)}, for a total of ${total}.0 million.")
        assert [row["verdict"] for row in rows if row["rule"] == "parts_total"] == [verdict], rows


@pytest.mark.parametrize(
    "text",
    [
        "Longs lost positions worth $900 million in liquidations.",
        "$2bn wiped out in liquidations.",
        "$2 billion of leveraged positions erased as longs were liquidated.",
    ],
)
def test_what_positions_were_worth_is_no_loss(text: str) -> None:
    assert not [row for row in lint(text) if row["rule"] == "notional_not_loss"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_whole_text_that_is_true_is_left_alone(text: str) -> None:
    assert not [row for row in lint(text) if row["verdict"] == "inconsistent"]


@pytest.mark.parametrize(
    ("text", "said", "wrong", "rule"),
    [
        (A_FRIDAY, "the remaining $131 million", "the remaining $631 million", "parts_total"),
        (A_FRIDAY, "$318 million in liquidations, 28.8%", "$318 million in liquidations, 38.8%", "share_of_amounts"),
        (A_FRIDAY, "a 3.4% decline", "a 8.4% decline", "percent_change"),
        (A_FRIDAY, "longs pay shorts, but", "shorts pay longs, but", "funding_sign"),
        (A_LOOK_BACK, "16.67 billion / $2.46", "16.67 billion / $4.46", "parts_total"),
        (A_LOOK_BACK, "a drop of 14%", "a drop of 24%", "percent_change"),
        (A_LOOK_BACK, "$10.3 billion (54%)", "$10.3 billion (65%)", "share_of_amounts"),
        (A_TWEET, "shorts $140M", "shorts $340M", "parts_total"),
        (A_TWEET, "Binance: 35%", "Binance: 45%", "share_of_amounts"),
        (A_WRAP, "others $52.2M", "others $82.2M", "parts_total"),
        (A_WRAP, "| $31.3M | $86.5M |", "| $31.3M | $96.5M |", "parts_total"),
        (A_WRAP, "65.5% are long", "56.5% are long", "long_short_ratio"),
        (QUESTIONS, "$0.9 billion shorts", "$1.9 billion shorts", "parts_total"),
        (QUESTIONS, "liquidations, 93%", "liquidations, 43%", "most"),
    ],
)
def test_one_figure_changed_in_a_whole_text_is_found(text: str, said: str, wrong: str, rule: str) -> None:
    assert said in text
    found = {row["rule"] for row in lint(text.replace(said, wrong)) if row["verdict"] == "inconsistent"}
    assert rule in found
