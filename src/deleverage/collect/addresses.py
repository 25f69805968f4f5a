"""Where a venue's addresses are really asked for: its own host, another one, or a gateway.

The journal keeps the venue's own, without keys.
"""

from urllib.parse import urlsplit

from deleverage.config import VenueSettings


def actual(url: str, how: VenueSettings) -> str:
    """Return the address to open for a venue's own `url`.

    >>> actual("wss://fstream.binance.com/market/ws", VenueSettings(gateway="http://127.0.0.1:9000"))
    'ws://127.0.0.1:9000/fstream.binance.com/market/ws'
    >>> actual("https://api.hbdm.com/heartbeat", VenueSettings(hosts={"api.hbdm.com": "api.hbdm.vn"}))
    'https://api.hbdm.vn/heartbeat'
    """
    if how.query:
        url += ("&" if "?" in url else "?") + how.query
    parts = urlsplit(url)
    host = parts.hostname or ""
    if how.gateway:
        gateway = urlsplit(how.gateway)
        is_secure, is_socket = gateway.scheme in ("https", "wss"), parts.scheme in ("ws", "wss")
        scheme = ("wss" if is_secure else "ws") if is_socket else ("https" if is_secure else "http")
        path = f"{gateway.path.rstrip('/')}/{host}{parts.path}"
        return parts._replace(scheme=scheme, netloc=gateway.netloc, path=path).geturl()
    other = how.hosts.get(host)
    return url if other is None else parts._replace(netloc=other).geturl()
