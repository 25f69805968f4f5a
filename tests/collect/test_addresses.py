"""A venue's own address stays the route; where it is really asked follows the settings."""

import pytest

from deleverage.collect.addresses import actual
from deleverage.config import VenueSettings


@pytest.mark.parametrize(
    ("url", "how", "found"),
    [
        ("wss://ws.okx.com:8443/ws/v5/public", VenueSettings(), "wss://ws.okx.com:8443/ws/v5/public"),
        ("wss://ws.okx.com:8443/ws/v5/public", VenueSettings(gateway="http://127.0.0.1:9"), "ws://127.0.0.1:9/ws.okx.com/ws/v5/public"),
        ("https://api.bybit.com/v5/market/time?x=1", VenueSettings(gateway="https://g/p/"), "https://g/p/api.bybit.com/v5/market/time?x=1"),
        ("wss://stream.bybit.com/v5/public/linear", VenueSettings(gateway="https://g"), "wss://g/stream.bybit.com/v5/public/linear"),
        ("https://api.hbdm.com/a", VenueSettings(hosts={"api.hbdm.com": "api.hbdm.vn"}), "https://api.hbdm.vn/a"),
        ("https://api.hbdm.com/a", VenueSettings(hosts={"other.host": "api.hbdm.vn"}), "https://api.hbdm.com/a"),
    ],
)
def test_actual(url: str, how: VenueSettings, found: str) -> None:
    assert actual(url, how) == found
