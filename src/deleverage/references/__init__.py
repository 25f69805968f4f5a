"""The references, one line each: asked like venues, journalled like venues, parsed like venues; never counted among them."""

from deleverage.references.etf_flows import REFERENCE as FARSIDE
from deleverage.references.fear_greed import REFERENCE as FEAR_GREED
from deleverage.references.fred import REFERENCE as FRED
from deleverage.references.reference import Reference
from deleverage.venues import VENUES, venue_named
from deleverage.venues.venue import Venue

REFERENCES: dict[str, Reference] = {reference.name: reference for reference in (FEAR_GREED, FARSIDE, FRED)}
SOURCES: dict[str, Venue] = {**VENUES, **REFERENCES}
"""Whatever frames can come from."""


def source_named(name: str) -> Venue:
    """Return the venue or reference of that name. Raises BadInput naming the known venues."""
    return REFERENCES.get(name) or venue_named(name)
