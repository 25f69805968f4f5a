"""Whether the venues can be reached from here, and if not, why: each step by itself, with what to do about it."""

import asyncio
import resource
import socket
import ssl
import statistics
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx2 as httpx
import msgspec
import picows
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from deleverage.collect.addresses import actual
from deleverage.config import Settings, VenueSettings
from deleverage.instruments import Instrument
from deleverage.journal.upkeep import free_gb
from deleverage.tables import TABLES
from deleverage.venues import VENUES
from deleverage.venues.venue import Subscription, Venue, Wanted, split_route

STEP = 8.0
"""Seconds a step may take."""
SKEW = 2.0
ELSEWHERE = {
    "htx": 'api.hbdm.vn serves more regions: venues.htx.hosts = {"api.hbdm.com" = "api.hbdm.vn"}',
    "bybit": "other hosts serve other regions: "
    'venues.bybit.hosts = {"stream.bybit.com" = "stream.bytick.com", "api.bybit.com" = "api.bytick.com"}',
}
"""Hosts a venue has for networks its first one refuses."""


class Finding(msgspec.Struct, frozen=True):
    """One step of an examination: whether it went well, in words, and what to do where it did not. `seconds` it took."""

    venue: str
    step: str
    ok: bool
    words: str
    advice: str = ""
    seconds: float = 0.0


async def answering(settings: Settings, timeout: float = 5.0) -> dict[str, str]:
    """Ask every enabled venue for its time, side by side; return "" for those that answered, else why not."""
    names = [name for name in VENUES if settings.venue(name).enabled]
    answers = await asyncio.gather(*(_time(VENUES[name], settings.venue(name), timeout) for name in names))
    return {name: "" if isinstance(found, float) else found for name, found in zip(names, answers, strict=True)}


async def examine(settings: Settings, names: Iterable[str] | None = None) -> list[Finding]:
    """Examine this machine and every enabled venue (or those of `names`), step by step."""
    chosen = [name for name in VENUES if settings.venue(name).enabled and (names is None or name in names)]
    found = machine(settings)
    offsets = await asyncio.gather(*(_time(VENUES[name], settings.venue(name), STEP) for name in chosen))
    known = {name: offset for name, offset in zip(chosen, offsets, strict=True) if isinstance(offset, float)}
    parts = await asyncio.gather(*(_venue(VENUES[name], settings.venue(name), known) for name in chosen))
    return found + [finding for part in parts for finding in part]


def exit_code(findings: Iterable[Finding]) -> int:
    """0 when everything is well, else 1."""
    return 0 if all(f.ok for f in findings) else 1


def machine(settings: Settings) -> list[Finding]:
    """Examine what needs no network: the disk, open files."""
    found = []
    path = settings.data.expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        found.append(Finding("", "data", False, f"{path} cannot be written: {error.strerror}", "choose another with data = … or --data"))
    else:
        free, least = free_gb(path), settings.journal.least_free_gb
        words = f"{path} has {free:.0f} GB free, collecting stops below {least:g}"
        found.append(Finding("", "disk", free >= least, words, "" if free >= least else "free some space"))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found.append(Finding("", "open files", files >= 256, f"{files} files may be open", "" if files >= 256 else "raise it: ulimit -n 4096"))
    return found


async def _venue(venue: Venue, how: VenueSettings, offsets: dict[str, float]) -> list[Finding]:
    assert venue.clock is not None
    address = actual(venue.clock.url, how)
    found = [await _reach(venue.name, address, how)]
    if not found[0].ok:
        return found
    found.append(_clock(venue, how, offsets) if venue.name in offsets else await _answer(venue, how))
    if not found[-1].ok and venue.name not in offsets:
        return found
    listed, finding = await _contracts(venue, how)
    found.append(finding)
    wanted = Wanted(kinds=frozenset(TABLES), instruments=listed, detail=frozenset({"BTC"}))
    sockets = {s.url: s for s in reversed(venue.subscribe(wanted))}
    for subscription in list(sockets.values())[::-1]:
        found.append(await _socket(venue, subscription, how))
    return found


async def _reach(name: str, address: str, how: VenueSettings) -> Finding:
    """Name, TCP and TLS of the REST host, or of the proxy in front of it."""
    parts = urlsplit(how.proxy or address)
    host, is_secure = parts.hostname or "", parts.scheme in ("https", "wss")
    port = parts.port or (443 if is_secure else 80)
    what = f"the proxy {host}" if how.proxy else host
    began = time.monotonic()
    try:
        async with asyncio.timeout(STEP):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        words = f"the name {host} is not known here ({error})" if isinstance(error, OSError) else f"no answer about the name {host}"
        return Finding(name, "name", False, words, "check the network and its DNS, or set a proxy: venues." + name + ".proxy")
    try:
        async with asyncio.timeout(STEP):
            context = ssl.create_default_context() if is_secure else None
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
    except ssl.SSLError as error:
        return Finding(
            name,
            "TLS",
            False,
            f"{what} broke off TLS: {error.reason or error}",
            "something between here and the venue intercepts or refuses; try a proxy",
        )
    except (OSError, TimeoutError) as error:
        words = f"{what} port {port} cannot be reached: {getattr(error, 'strerror', None) or 'no answer'}"
        return Finding(name, "TCP", False, words, ELSEWHERE.get(name, "check the network, or set a proxy"))
    return Finding(name, "reach", True, f"{what} port {port}", "", round(time.monotonic() - began, 2))


def _clock(venue: Venue, how: VenueSettings, offsets: dict[str, float]) -> Finding:
    offset, others = offsets[venue.name], [o for name, o in offsets.items() if name != venue.name]
    if abs(offset) <= SKEW:
        return Finding(venue.name, "clock", True, f"{offset:+.2f} s from ours")
    ours = len(others) >= 2 and abs(statistics.median(others)) > SKEW
    advice = (
        "every venue says so: this machine's clock is wrong, start its time service"
        if ours
        else "only this venue is off: it will show as skewed"
    )
    return Finding(venue.name, "clock", False, f"the venue's clock is {offset:+.1f} s from ours", advice)


async def _answer(venue: Venue, how: VenueSettings) -> Finding:
    reason = await _time(venue, how, STEP)
    words = reason if isinstance(reason, str) else "answers now"
    advice = ""
    if " 403" in words or " 451" in words:
        advice = ELSEWHERE.get(venue.name, f"this region or network is refused; set venues.{venue.name}.proxy, or disable the venue")
    elif " 429" in words or " 418" in words:
        advice = "too many questions from this address: wait, and see who else asks"
    elif " 407" in words:
        advice = f"the proxy wants other credentials: venues.{venue.name}.proxy = http://user:password@host:port"
    return Finding(venue.name, "question", not isinstance(reason, str), words, advice)


async def _contracts(venue: Venue, how: VenueSettings) -> tuple[tuple[Instrument, ...], Finding]:
    """Ask for the list of contracts."""
    listed: dict[str, Instrument] = {}
    began = time.monotonic()
    words = ""
    for poll in venue.polls:
        if poll.name != "instruments" or poll.per != "venue":
            continue
        try:
            answer = await _ask(poll.method, poll.url, poll.body, how, 3 * STEP)
            if answer.status_code != 200:
                words = f"{poll.url} answered {answer.status_code}"
                continue
            events = venue.parser(split_route(poll.url), venue.instruments()).parse(answer.content, time.time_ns())
            listed |= {e.venue_symbol: e for e in events if isinstance(e, Instrument) and e.is_trading}
        except Exception as error:  # whatever it was, the examination goes on and says it
            words = f"{poll.url}: {' '.join(str(error).split())[:120] or type(error).__name__}"
    ok = bool(listed)
    said = f"{len(listed)} contracts trade" + (f"; {words}" if words else "")
    return tuple(listed.values()), Finding(
        venue.name, "contracts", ok, said, "" if ok else "see the step before", round(time.monotonic() - began, 2)
    )


async def _socket(venue: Venue, subscription: Subscription, how: VenueSettings) -> Finding:
    """Open one planned socket, subscribe, and see whether anything but acknowledgements comes."""
    address, began = actual(subscription.url, how), time.monotonic()
    heard = _Heard(venue, subscription)
    step = "socket " + (urlsplit(subscription.url).path or "/")
    try:
        async with asyncio.timeout(STEP):
            transport, _ = await picows.ws_connect(lambda: heard, address, proxy=how.proxy or None, max_redirects=0)
    except (OSError, picows.WSError, ssl.SSLError, TimeoutError) as error:
        said = f"{address}: {' '.join(str(error).split())[:140] or 'no handshake'}"
        return Finding(
            venue.name,
            step,
            False,
            said,
            ELSEWHERE.get(venue.name, "the handshake is refused where questions are answered: a proxy that knows WebSocket is needed"),
        )
    try:
        pause = 1 / venue.limits.sends
        for payload in subscription.frames[:20]:
            transport.send(WSMsgType.TEXT, payload)
            await asyncio.sleep(pause)
        try:
            async with asyncio.timeout(STEP):
                await heard.data.wait()
        except TimeoutError:
            pass
    finally:
        transport.disconnect()
    took = round(time.monotonic() - began, 2)
    if heard.data.is_set():
        return Finding(venue.name, step, True, f"{heard.channel} came {took:.1f} s after opening", "", took)
    if heard.error:
        return Finding(
            venue.name,
            step,
            False,
            f"the subscription was refused: {heard.error}",
            "the venue changed its channels, or this version is old",
            took,
        )
    if heard.acks and not any(
        b in b"".join(subscription.frames) for b in (b"aggTrade", b"ticker", b"mark-price", b"funding_rate", b"allMids")
    ):
        return Finding(venue.name, step, True, "subscribed; nothing yet, which is normal for what it carries", "", took)
    words = "opened and acknowledged, and nothing came" if heard.acks else "opened, and nothing came"
    return Finding(
        venue.name,
        step,
        False,
        words,
        "a route that acknowledges and stays silent is how Binance's old addresses fail since April 2026; look for a newer version",
        took,
    )


class _Heard(WSListener):
    """Remembers the first acknowledgement, error and data frame of a socket."""

    def __init__(self, venue: Venue, subscription: Subscription) -> None:
        self.data = asyncio.Event()
        self.channel = self.error = ""
        self.acks = 0
        self._venue = venue
        self._parser = venue.parser(split_route(subscription.url), venue.instruments())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Look at one frame."""
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        payload = frame.get_payload_as_bytes()
        if self._venue.heartbeat.reply is not None and (reply := self._venue.heartbeat.reply(payload)) is not None:
            transport.send(WSMsgType.TEXT, reply)
        try:
            events = self._parser.parse(payload, time.time_ns())
        except Exception:  # a frame that does not parse is data as well
            events = ()
        channel = self._parser.channel
        if channel == "error":
            self.error = payload[:160].decode(errors="replace")
        elif channel in ("ack", "heartbeat"):
            self.acks += 1
        elif events or channel:
            self.channel = channel
            self.data.set()


async def _time(venue: Venue, how: VenueSettings, timeout: float) -> float | str:
    """Return the venue's clock minus ours in seconds, or why it did not tell."""
    clock = venue.clock
    if clock is None:
        return "tells no time"
    before = time.time_ns()
    try:
        answer = await _ask(clock.method, clock.url, clock.body, how, timeout)
        if answer.status_code != 200:
            return f"{actual(clock.url, how)} answered {answer.status_code}"
        return (clock.read(answer.content) - (before + time.time_ns()) // 2) / 1e9
    except TimeoutError:
        return f"{actual(clock.url, how)} did not answer within {timeout:.0f} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"{actual(clock.url, how)}: {' '.join(str(error).split())[:140] or type(error).__name__}"
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError):
        return f"{actual(clock.url, how)} answered something that is no time"


async def _ask(method: str, url: str, body: str, how: VenueSettings, timeout: float) -> httpx.Response:
    async with asyncio.timeout(timeout), httpx.AsyncClient(proxy=how.proxy or None, timeout=timeout, trust_env=False) as client:
        headers = {"Content-Type": "application/json"} if body else {}
        return await client.request(method, actual(url, how), content=body or None, headers=headers)
