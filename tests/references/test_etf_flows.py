"""Farside's page: dashes, true zeros, parentheses, footnotes, moved columns, days off, the provisional row, and when it is asked."""

import csv
from datetime import date, datetime

import pytest
from tests.captures import SHARED
from tests.references.answers import RECEIVED, events, parse, stored

from deleverage.errors import ParseError
from deleverage.events import EtfFlow
from deleverage.references.etf_flows import NAME, due, is_complete, late
from deleverage.references.flow_page import TOTAL, read_page
from deleverage.references.publication import instant

ADDRESS = "https://farside.co.uk/btc/"


def by_day(found: object) -> dict[str, dict[str, float]]:
    days: dict[str, dict[str, float]] = {}
    for event in found:  # type: ignore[attr-defined]  # events
        assert isinstance(event, EtfFlow)
        days.setdefault(event.trading_day, {})[event.fund] = event.net_flow_usd
    return days


def test_a_page_becomes_flows_in_dollars() -> None:
    found = events("farside_btc.html")
    assert by_day(found) == {
        "2026-09-03": {"IBIT": 111.7e6, "FBTC": 227e6, "BITB": 0.0, "GBTC": -95.1e6, TOTAL: 243.6e6},
        "2026-09-04": {"IBIT": 1_234_500_000.0, "FBTC": 0.0, "BITB": -1_234_500_000.0, "GBTC": -3.2e6, "BTC": 5e6, TOTAL: 1.8e6},
        "2026-09-08": {"FBTC": 12e6, "BITB": 0.0, "GBTC": -1.5e6, "BTC": 0.0, TOTAL: 10.5e6},
    }
    first = found[0]
    assert first == EtfFlow(NAME, "BTC", "BTC", "BTC", 1_788_393_600_000_000_000, RECEIVED, "IBIT", "2026-09-03", 111.7e6, False)


def test_only_the_newest_row_is_provisional_and_a_day_off_is_no_day_of_flows() -> None:
    found = events("farside_btc.html")
    assert {e.trading_day for e in found if e.is_provisional} == {"2026-09-08"}  # type: ignore[union-attr]
    assert not any(e.trading_day == "2026-09-07" for e in found)  # type: ignore[union-attr]


def test_columns_go_by_ticker_wherever_they_stand() -> None:
    found = events("farside_moved.html")
    assert by_day(found) == {
        "2026-09-08": {"FETH": 12e6, "ETHA": 3e6, TOTAL: 15e6},
        "2026-09-09": {"FETH": -7.5e6, "ETHB": 2e6, "ETHA": 1.25e6, TOTAL: -4.25e6},
    }
    assert {e.base for e in found} == {"ETH"}


def test_the_coin_is_read_from_the_page_when_the_address_says_nothing() -> None:
    assert {e.base for e in parse(NAME, "saved", stored("farside_btc.html"))} == {"BTC"}
    assert {e.base for e in parse(NAME, "saved", stored("farside_moved.html"))} == {"ETH"}  # from the comment a browser leaves
    nameless = stored("farside_moved.html").replace(b"farside.co.uk/eth/", b"example.org")
    with pytest.raises(ParseError, match="which coin"):
        parse(NAME, "saved", nameless)


@pytest.mark.parametrize(
    ("cell", "flow"),
    [("-", None), ("", None), ("–", None), ("0.0", 0.0), ("(0.0)", 0.0), ("(1,234.5)", -1234.5e6), ("−3", -3e6), ("2.5 [1]", 2.5e6)],
)
def test_cells(cell: str, flow: float | None) -> None:
    page = read_page(stored("farside_btc.html").replace(b"111.7", cell.encode()))
    assert page.days[0].flows["IBIT"] == flow


@pytest.mark.parametrize("cell", ["abc", "1,23.4", "--3", "((3))", "1.2.3", "nan", "1e5", "9999999", "(", "12%"])
def test_a_cell_nobody_knows_refuses_the_page(cell: str) -> None:
    with pytest.raises(ParseError, match="2026-09-03 IBIT"):
        read_page(stored("farside_btc.html").replace(b"111.7", cell.encode()))


def test_a_page_without_the_table_is_refused() -> None:
    for payload in (stored("farside_refused.html"), b"", b"\x00\xff", stored("farside_btc.html").replace(b"FBTC", b"IBIT")):
        with pytest.raises(ParseError):
            read_page(payload)


def at(day: int, hour: int, minute: int = 0) -> int:
    """An instant of New York's clock in September 2026; the 8th is a Tuesday."""
    return instant(datetime(2026, 9, day, hour, minute))


def test_an_incomplete_row_is_asked_for_every_half_hour_of_the_evening_and_once_in_the_morning() -> None:
    page = stored("farside_btc.html")  # IBIT has not reported on the 8th
    assert not is_complete(read_page(page), date(2026, 9, 8))
    assert due(at(8, 18, 10), page) == at(8, 18, 40)
    assert due(at(9, 0, 45), page) == at(9, 1, 15)
    assert due(at(9, 1, 15), page) == at(9, 9)
    assert due(at(9, 9), page) == at(9, 18)


def test_a_complete_row_is_left_alone_until_the_next_evening() -> None:
    page = stored("farside_btc.html").replace(b"<td>08 Sep 2026</td><td>-</td>", b"<td>08 Sep 2026</td><td>3.0</td>")
    assert is_complete(read_page(page), date(2026, 9, 8))
    assert due(at(8, 21), page) == at(9, 18)
    friday = page.replace(b"08 Sep 2026", b"11 Sep 2026")
    assert due(at(11, 22), friday) == at(14, 18)  # over the weekend


def test_one_missing_day_may_be_a_holiday_two_are_late() -> None:
    known = {"BTC": "2026-09-04", "ETH": "2026-09-04"}
    assert late(known, at(8, 12)) == ""  # the 7th may have been a holiday, and was one
    assert late(known, at(9, 8)) == ""
    assert late(known, at(9, 9)) == "BTC lacks 2 weekdays up to 2026-09-08, ETH lacks 2 weekdays up to 2026-09-08"
    assert late({"BTC": "2026-09-08"}, at(9, 12)) == "ETH was never received"


@pytest.mark.parametrize(("name", "coin"), [("etf_btc.csv", "btc"), ("etf_eth.csv", "eth")])
def test_two_years_of_real_flows_pass_through_a_page_unchanged(name: str, coin: str) -> None:
    path = SHARED / "etf_flows" / name
    if not path.exists():
        pytest.skip(f"the file etf_flows/{name} is not on this machine")
    with path.open() as file:
        header, *rows = list(csv.reader(file))

    def cell(text: str) -> str:
        return "-" if not text else f"({float(text.lstrip('-')):,})" if text.startswith("-") else f"{float(text):,}"

    lines = ["".join(f"<td>{row[0] if n == 0 else cell(text)}</td>" for n, text in enumerate(row)) for row in rows]
    table = "".join(f"<tr>{line}</tr>" for line in ["".join(f"<th>{h}</th>" for h in header), *lines])
    found = parse(NAME, f"https://farside.co.uk/{coin}/", f'<table class="etf">{table}</table>'.encode())
    expected = {
        (datetime.strptime(row[0], "%d %b %Y").date().isoformat(), "TOTAL" if fund == "Total" else fund): float(text)
        for row in rows
        if row[0] != "Seed" and any(row[1:-1])
        for fund, text in zip(header[1:], row[1:], strict=True)
        if text
    }
    assert {(e.trading_day, e.fund): e.net_flow_usd / 1e6 for e in found} == pytest.approx(expected, abs=1e-9)  # type: ignore[union-attr]
    assert len(expected) == len(found) > 3000
