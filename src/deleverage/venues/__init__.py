"""The venues, one line each. To add one: its file, its line here, its fixtures, its page in docs/venues."""

from deleverage.errors import BadInput
from deleverage.venues.binance import VENUE as BINANCE
from deleverage.venues.bybit import VENUE as BYBIT
from deleverage.venues.deribit import VENUE as DERIBIT
from deleverage.venues.htx import VENUE as HTX
from deleverage.venues.hyperliquid import VENUE as HYPERLIQUID
from deleverage.venues.okx import VENUE as OKX
from deleverage.venues.venue import Venue

VENUES: dict[str, Venue] = {venue.name: venue for venue in (BINANCE, BYBIT, OKX, HTX, HYPERLIQUID, DERIBIT)}


def venue_named(name: str) -> Venue:
    """Return the venue of that name. Raises BadInput naming the known ones."""
    try:
        return VENUES[name]
    except KeyError:
        raise BadInput(f"unknown venue {name!r}; known: {', '.join(VENUES)}") from None
