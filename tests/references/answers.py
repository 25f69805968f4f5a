"""Constructed answers (tests/fixtures/references), parsed as the collector parses them."""

from collections.abc import Sequence
from pathlib import Path

from deleverage.events import Event
from deleverage.references import REFERENCES
from deleverage.venues.venue import split_route

FOLDER = Path(__file__).parents[1] / "fixtures" / "references"
RECEIVED = 1_789_000_000_000_000_000
ADDRESSES = {
    "fng_latest.json": ("alternative.me", "https://api.alternative.me/fng/?limit=31&format=json"),
    "fng_history.json": ("alternative.me", "https://api.alternative.me/fng/?limit=0&format=json"),
    "farside_btc.html": ("farside", "https://farside.co.uk/btc/"),
    "farside_moved.html": ("farside", "https://farside.co.uk/ethereum-etf-flow-all-data/"),
    "fred_new.csv": ("fred", "https://fred.stlouisfed.org/graph/fredgraph.csv?id=DGS10,DFII10&cosd=2003-01-01"),
    "fred_old.csv": ("fred", "https://fred.stlouisfed.org/graph/fredgraph.csv?id=DTWEXBGS"),
    "fred_api.json": ("fred", "https://api.stlouisfed.org/fred/series/observations?series_id=DGS10&file_type=json"),
    "fred_api_vintages.json": ("fred", "https://api.stlouisfed.org/fred/series/observations?series_id=DTWEXBGS&file_type=json"),
}


def stored(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def parse(venue: str, route: str, payload: bytes) -> Sequence[Event]:
    reference = REFERENCES[venue]
    return reference.parser(split_route(route), reference.instruments()).parse(payload, RECEIVED)


def events(name: str) -> Sequence[Event]:
    venue, route = ADDRESSES[name]
    return parse(venue, route, stored(name))
