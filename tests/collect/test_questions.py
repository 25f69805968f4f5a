"""Polls and histories written out: by contract, within what each venue lists, and read by our own readers."""

import pytest

from deleverage.collect.backfill import SECOND, stretches
from deleverage.collect.questions import about, discovery, past, standing
from deleverage.errors import ParseError
from deleverage.instruments import Instrument
from deleverage.venues import VENUES
from deleverage.venues.venue import History, Venue, split_route

NAMES = {
    "binance": ["BTCUSDT", "ETHUSDT", "DOGEUSDT", "BTCUSD_PERP"],
    "bybit": ["BTCUSDT", "DOGEUSDT", "BTCUSD", "BTC-25DEC26-100000-C-USDT"],
    "okx": ["BTC-USDT-SWAP", "DOGE-USDT-SWAP", "BTC-USD-SWAP", "BTC-USDT-261225"],
    "htx": ["BTC-USDT", "DOGE-USDT", "BTC-USD"],
    "hyperliquid": ["BTC", "DOGE"],
    "deribit": ["BTC-PERPETUAL", "BTC-25DEC26", "BTC-25DEC26-100000-C"],
}


def contracts(venue: Venue) -> list[Instrument]:
    found = [venue.infer(name) for name in NAMES[venue.name]]
    assert all(found)
    return [i for i in found if i is not None]


@pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))
def test_every_question_is_filled_in_and_has_a_reader(venue: Venue) -> None:
    asked = standing(venue, contracts(venue), {"BTC"})
    assert asked and discovery(venue)
    for question, every in asked.items():
        assert "{symbol}" not in question.url + question.body and "{family}" not in question.url and every >= 5
        reads(venue, question.url)
    for history in venue.histories:
        for names in past(history, contracts(venue), {"BTC"}):
            question = about(history, names, 1_780_000_000 * SECOND, 1_780_003_600 * SECOND)
            for hole in ("{start}", "{end}", "{before}", "{symbol}", "{family}"):
                assert hole not in question.url + question.body
            reads(venue, question.url)


def reads(venue: Venue, url: str) -> None:
    """An address nobody described raises UnknownFrame even for an empty answer; a described one at most refuses this one."""
    parser = venue.parser(split_route(url), venue.instruments())
    for empty in (
        b"[]",
        b"{}",
        b'{"retCode":0,"result":{"list":[]}}',
        b'{"code":"0","data":[]}',
        b'{"status":"ok","data":[]}',
        b'{"result":[]}',
    ):
        try:
            parser.parse(empty, 1_780_000_000 * SECOND)
        except ParseError as error:
            assert "no such address" not in error.reason, (url, error.reason)


def test_tracked_polls_ask_of_tracked_bases_only() -> None:
    asked = standing(VENUES["binance"], contracts(VENUES["binance"]), {"ETH"})
    ratios = [q.url for q in asked if q.name == "positioning_ratios"]
    assert ratios and all("ETHUSDT" in url for url in ratios)
    interest = {q.url.rpartition("=")[2]: q.url for q in asked if q.name == "open_interest"}
    assert set(interest) == {"BTCUSDT", "ETHUSDT", "DOGEUSDT", "BTCUSD_PERP"}
    assert interest["BTCUSD_PERP"].startswith("https://dapi.") and interest["BTCUSDT"].startswith("https://fapi.")


def test_okx_asks_by_family() -> None:
    asked = standing(VENUES["okx"], contracts(VENUES["okx"]), {"BTC"})
    families = {q.url.partition("instFamily=")[2].partition("&")[0] for q in asked if q.name == "margin_tiers"}
    assert families == {"BTC-USDT", "DOGE-USDT", "BTC-USD"}


def test_stretches_are_as_long_as_allowed_and_not_deeper() -> None:
    history = History(name="candles", url="x?s={symbol}&a={start}&b={end}", longest=100, depth=250, product="linear")
    found = list(stretches(history, contracts(VENUES["binance"])[:1], None, 0, 1_000 * SECOND, 1_000 * SECOND))
    assert [(s.start // SECOND, s.end // SECOND) for s in found] == [(750, 850), (850, 950), (950, 1000)]
    assert about(history, found[0].names, found[0].start, found[0].end).url == "x?s=BTCUSDT&a=750000&b=850000"


def test_a_bound_left_out_by_the_venue_is_asked_one_earlier() -> None:
    history = next(h for h in VENUES["okx"].histories if h.name == "candles")
    assert "before=1779999999999&after=1780003600000" in about(history, {"symbol": "X"}, 1_780_000_000 * SECOND, 1_780_003_600 * SECOND).url
