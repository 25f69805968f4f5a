"""Six venues on one loopback port, speaking their dialects from recorded frames, and misbehaving on request.

Reached by settings only: `venues.X.gateway = "http://127.0.0.1:PORT"`; every address is asked for as /its-host/its-path.
`/-/stats` tells what was sent, `/-/faults`, `/-/rate` and `/-/burst` change what happens.
"""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from deleverage.journal.frame import Frame
from deleverage.simulate.answers import Answers
from deleverage.simulate.client import Client, Request, answer
from deleverage.simulate.constructed import USER, beats, fills
from deleverage.simulate.dialects import DIALECTS, HOSTS, Dialect, Hyperliquid
from deleverage.simulate.faults import Fault, Faults
from deleverage.simulate.stock import Sendable, load, pack
from deleverage.simulate.topics import TOPICS
from deleverage.venues import VENUES
from deleverage.venues.venue import split_route

TICK = 0.01
"""Seconds between two looks at what is due."""
SLOW_BYTE = 0.05
"""Seconds between two bytes of a slow loris."""
FILLS_A_FRAME = 25


class VenueServer:
    """Serves recorded `frames` of any venues, and constructed ones for streams they lack, at `speed`, again and again.

    Use as an asynchronous context manager; `gateway` is its address. `rate` frames a second in all replace the recorded pace;
    `is_quiet` holds everything back.
    """

    def __init__(self, frames: Iterable[Frame], *, port: int = 0, speed: float = 1.0, faults: list[Fault] | None = None) -> None:
        kept = list(frames)
        self.faults = Faults(faults)
        self.gateway = ""
        self.rate = 0.0
        self.is_quiet = False
        self.sent: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()
        self._port, self._speed = port, speed
        self._stock: dict[str, list[Sendable]] = defaultdict(list)
        for sendable in sorted(load(kept, TOPICS), key=lambda s: s.after):
            self._stock[sendable.tape].append(sendable)
        self._answers = Answers(_recorded_answers(kept), _names(kept))
        self._clients: dict[Client, tuple[str, Dialect]] = {}
        self._by_topic: dict[tuple[str, str], list[Client]] = defaultdict(list)
        self._held: dict[Client, bytes] = {}
        self._skips: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self._last_fill = 0
        self._timers: dict[Client, asyncio.Task[None]] = {}

    async def __aenter__(self) -> "VenueServer":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Client(self._request, self._message, self._gone), "127.0.0.1", self._port)
        self.gateway = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._spawn(self._play())
        recorded_topics = {(s.venue, s.topic) for stock in self._stock.values() for s in stock}
        for beat in beats():
            if (beat.venue, beat.topic) not in recorded_topics:
                self._spawn(self._beat(beat.venue, beat.topic, beat.every, beat.frame))
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for client in list(self._clients):
            client.transport.abort()
        for task in [*self._tasks, *self._timers.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def settings(self) -> dict[str, dict[str, str]]:
        """Return the `venues` settings that lead here."""
        return {name: {"gateway": self.gateway} for name in VENUES}

    def set_faults(self, faults: list[Fault]) -> None:
        """Put faults in force in place of those before; those about connections act on the open ones at once."""
        self.faults.set(faults)
        for fault in faults:
            if fault.kind in ("list", "delist"):
                (self._answers.trade if fault.kind == "list" else self._answers.halt)(fault.venue, fault.name)
                self.faults.shown[f"{fault.venue}/{fault.kind}"] += 1
            for client, (venue, _) in list(self._clients.items()):
                if fault.venue not in ("", venue):
                    continue
                if fault.kind == "drop":
                    self.faults.shown[f"{venue}/drop"] += 1
                    client.transport.abort()
                elif fault.kind in ("close", "cut_off"):
                    self.faults.shown[f"{venue}/{fault.kind}"] += 1
                    client.close(1001, "24 hours have passed" if fault.kind == "cut_off" else "going away")

    def stats(self) -> dict[str, Any]:
        """Tell what was sent (frames written to sockets, by venue and topic), asked and shown."""
        return {
            "sent": dict(self.sent), "requests": dict(self.requests), "connections": dict(self.connections),
            "open": Counter(venue for venue, _ in self._clients.values()), "faults": dict(self.faults.shown),
            "recordings": {tape: len(stock) for tape, stock in self._stock.items()}, "fills": self._last_fill,
        }  # fmt: skip

    def burst(self, count: int, ms: int | None = None) -> int:
        """Send `count` liquidation fills of a watched Hyperliquid account within this second; return how many were sent."""
        ms = int(time.time() * 1000) if ms is None else ms
        clients = self._by_topic.get(("hyperliquid", f"userFills:{USER}"), [])
        done = 0
        while clients and done < count:
            size = min(FILLS_A_FRAME, count - done)
            payload = fills(self._last_fill + 1, size, ms + done * 1000 // count)
            self._last_fill += size
            done += size
            for client in clients:
                self._give(client, "hyperliquid", f"userFills:{USER}", payload, False)
        return done

    # --- what clients say ---

    def _request(self, client: Client, request: Request) -> None:
        if request.host == "-":
            self._control(client, request)
            return
        venue = HOSTS.get(request.host)
        if venue is None:
            client.transport.write(answer(404, b"no such host here"))
            return
        self.requests[venue] += 1
        refused = self._refusal(venue)
        if refused is not None:
            self._write(client, venue, refused)
            return
        if request.headers.get("upgrade", "").lower() != "websocket":
            status, body = self._answers.answer(venue, request.host, request.path, request.query, request.body, self._ms(venue))
            headers = {"X-MBX-USED-WEIGHT-1M": "1"} if venue == "binance" else None
            self._write(client, venue, answer(status, body, headers))
            return
        if self.faults.now("drop", venue) is not None:
            client.transport.abort()
            return
        if venue == "hyperliquid":
            dialect: Dialect = Hyperliquid(
                request.host, request.path, request.query, lambda asked: self._answers.info(asked, self._ms(venue))
            )
        else:
            dialect = DIALECTS[venue](request.host, request.path, request.query)
        self._clients[client] = (venue, dialect)
        self.connections[venue] += 1
        self._write(client, venue, client.accept(request))
        self._follow(client, venue, dialect)
        self._timers[client] = asyncio.get_running_loop().create_task(self._tend(client, venue, dialect))

    def _refusal(self, venue: str) -> bytes | None:
        for kind, status in (("status_429", 429), ("status_418", 418), ("status_403", 403)):
            fault = self.faults.now(kind, venue)  # type: ignore[arg-type]
            if fault is not None:
                return answer(status, b'{"code":-1003,"msg":"refused"}', {"Retry-After": f"{fault.amount:.0f}"} if fault.amount else None)
        return None

    def _write(self, client: Client, venue: str, content: bytes) -> None:
        if self.faults.now("slow_loris", venue) is None:
            client.transport.write(content)
        else:
            self._spawn(self._slowly(client, content))

    async def _slowly(self, client: Client, content: bytes) -> None:
        for n in range(len(content)):
            if client.transport.is_closing():
                return
            client.transport.write(content[n : n + 1])
            await asyncio.sleep(SLOW_BYTE)

    def _message(self, client: Client, text: bytes) -> None:
        venue, dialect = self._clients[client]
        dialect.refuses = self.faults.now("bad_ack", venue) is not None if b"sub" in text.lower() else False
        if (b"ping" in text or b"pong" in text) and self.faults.now("no_pong", venue) is not None:
            return
        for reply in dialect.hear(text):
            if self.faults.now("stall", venue) is None:
                self._reply(client, dialect, reply)
        if dialect.aborts:
            client.transport.abort()
        self._follow(client, venue, dialect)

    def _reply(self, client: Client, dialect: Dialect, text: bytes) -> None:
        client.send(pack(text) if dialect.binary else text, 2 if dialect.binary else 1)

    def _follow(self, client: Client, venue: str, dialect: Dialect) -> None:
        for topic in dialect.topics:
            clients = self._by_topic[venue, topic]
            if client not in clients:
                clients.append(client)

    def _gone(self, client: Client) -> None:
        found = self._clients.pop(client, None)
        if found is None:
            return
        timer = self._timers.pop(client, None)
        if timer is not None:
            timer.cancel()
        for topic in found[1].topics:
            clients = self._by_topic[found[0], topic]
            if client in clients:
                clients.remove(client)
        self._held.pop(client, None)

    async def _tend(self, client: Client, venue: str, dialect: Dialect) -> None:
        """Ping as the venue does, and cut a client that stays silent too long."""
        loop = asyncio.get_running_loop()
        due = loop.time() + 1.0
        while True:
            await asyncio.sleep(0.5)
            if dialect.quiet_limit and loop.time() - client.heard_at > dialect.quiet_limit:
                client.close(4004, "no data for too long")
                return
            if dialect.pings_every and loop.time() >= due:
                due = loop.time() + dialect.pings_every
                if self.faults.now("stall", venue) is None:
                    for text in dialect.ping(self._ms(venue)):
                        self._reply(client, dialect, text)
            if dialect.closes:
                client.close(1000, dialect.closes)
                return

    # --- what is sent ---

    def _ms(self, venue: str) -> int:
        fault = self.faults.now("clock_skew", venue)
        return int((time.time() + (0 if fault is None else fault.amount)) * 1000)

    async def _play(self) -> None:
        """Send the recordings, each venue's over and over."""
        begun = last = time.monotonic()
        where = dict.fromkeys(self._stock, (0, 0.0))
        owed = 0.0
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            if self.rate:
                owed = min(owed + (now - last) * self.rate, self.rate)
                owed -= self._send_some(int(owed), where)
                last = now
                continue
            last, owed = now, 0.0
            elapsed = (now - begun) * self._speed
            for tape, stock in self._stock.items():
                at, offset = where[tape]
                while stock[at].after + offset <= elapsed:
                    self._send(stock[at])
                    at += 1
                    if at == len(stock):
                        at, offset = 0, max(offset + stock[-1].after + 1.0, elapsed - stock[0].after)
                where[tape] = (at, offset)

    def _send_some(self, count: int, where: dict[str, tuple[int, float]]) -> int:
        """Send `count` frames of the recordings in turn, to whoever listens; return how many went out."""
        done, idle = 0, 0
        while done < count and idle < 2000:
            before = done
            for tape, stock in self._stock.items():
                at, offset = where[tape]
                done += self._send(stock[at])
                where[tape] = ((at + 1) % len(stock), offset)
            idle = 0 if done > before else idle + 1
        return done if idle < 2000 else count

    def _send(self, sendable: Sendable) -> int:
        clients = self._by_topic.get((sendable.venue, sendable.topic))
        if not clients:
            return 0
        payload = sendable.at(self._ms(sendable.venue))
        for client in tuple(clients):
            self._give(client, sendable.venue, sendable.topic, payload, sendable.is_packed)
        return len(clients)

    async def _beat(self, venue: str, topic: str, every: float, make: Any) -> None:
        while True:
            await asyncio.sleep(every)
            clients = self._by_topic.get((venue, topic))
            if clients:
                payload = msgspec.json.encode(make(self._ms(venue)))
                is_packed = venue == "htx"
                for client in tuple(clients):
                    self._give(client, venue, topic, pack(payload) if is_packed else payload, is_packed)

    def _give(self, client: Client, venue: str, topic: str, payload: bytes, is_packed: bool) -> None:
        """Send one payload to one client, as faults in force have it."""
        _, dialect = self._clients[client]
        if client.is_slow or self.is_quiet:
            return
        wrapped = dialect.wrap(topic, payload)
        if self.faults.faults and not self._misbehave(client, venue, topic, wrapped):
            return
        client.send(wrapped, 2 if is_packed else 1)
        self.sent[venue] += 1
        held = self._held.pop(client, None)
        if held is not None:
            client.send(held)
            self.sent[venue] += 1

    def _misbehave(self, client: Client, venue: str, topic: str, payload: bytes) -> bool:
        """Show what faults are in force for a frame; False when it must not be sent as it is."""
        faults = self.faults
        for kind in ("stall", "wrong_route", "silent_topic"):
            if faults.now(kind, venue, topic) is not None:
                return False
        gap = faults.now("sequence_gap", venue, topic)
        if gap is not None:
            self._skips[venue] = (self._skips[venue] + 1) % 10
            if self._skips[venue] < max(gap.amount, 1):
                return False
        if faults.now("half_frame", venue, topic) is not None:
            client.transport.write(b"\x81\x7e\xff\xff" + payload[:20])
            client.transport.close()
            return False
        if faults.now("garbage", venue, topic) is not None:
            client.send(faults.bytes(40), 2)
            client.send(b'{"broken":', 1)
            client.send(b'\xff\xfe{"x":1}', 2)
        if faults.now("gzip_error", venue, topic) is not None:
            client.send(b"\x1f\x8b\x08\x00" + faults.bytes(30), 2)
        if faults.now("duplicate", venue, topic) is not None:
            client.send(payload, 2 if venue == "htx" else 1)
        if venue != "htx" and client not in self._held and faults.now("reorder", venue, topic) is not None:
            self._held[client] = payload
            return False
        return True

    def _control(self, client: Client, request: Request) -> None:
        """Answer what is asked of the server itself."""
        try:
            if request.path == "/faults" and request.method == "POST":
                self.set_faults(msgspec.json.decode(request.body, type=list[Fault]))
            elif request.path == "/rate" and request.method == "POST":
                self.rate = float(msgspec.json.decode(request.body)["rate"])
            elif request.path == "/burst" and request.method == "POST":
                self.burst(int(msgspec.json.decode(request.body)["count"]))
            elif request.path != "/stats":
                client.transport.write(answer(404, b'{"error":"there are /-/stats, /-/faults, /-/rate and /-/burst"}'))
                return
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
            client.transport.write(answer(400, msgspec.json.encode({"error": str(error)})))
            return
        client.transport.write(answer(200, msgspec.json.encode(self.stats())))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _recorded_answers(frames: Iterable[Frame]) -> dict[str, bytes]:
    """Return recorded answers to the lists of contracts, by path and category."""
    found = {}
    for frame in frames:
        if frame.direction == "in" and frame.route.startswith("http"):
            route = split_route(frame.route)
            found[f"{route.path}?{route.query.get('category', '')}"] = frame.payload
    return found


def _names(frames: Iterable[Frame]) -> dict[str, list[str]]:
    """Return the contract names seen in recordings by venue, by parsing them."""
    from deleverage.collect.pipeline import Pipeline

    names: dict[str, dict[str, None]] = defaultdict(dict)

    def see(events: Any) -> None:
        for event in events:
            if event.venue_symbol and getattr(event, "status", "trading") == "trading":
                names[event.venue][event.venue_symbol] = None

    pipeline = Pipeline(see)
    for frame in frames:
        if len(names[frame.venue]) < 1000:
            pipeline.feed(frame)
    return {venue: list(found) for venue, found in names.items()}


async def serve_until_cancelled(frames: Iterable[Frame], *, port: int, speed: float, faults: list[Fault]) -> None:
    """Serve, say where, and go on until cancelled."""
    async with VenueServer(frames, port=port, speed=speed, faults=faults) as server:
        print(server.gateway, flush=True)  # noqa: T201 - whoever started it reads the address here
        await asyncio.Event().wait()


def serve(frames: Iterable[Frame], *, port: int = 0, speed: float = 1.0, faults: list[Fault] | None = None) -> None:
    """Serve in this process until interrupted."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve_until_cancelled(frames, port=port, speed=speed, faults=faults or []))


def recorded(names: Iterable[str], data: Path | None = None) -> Iterator[Frame]:
    """Read bundled recordings or files one after the other; without names, all bundled ones.

    The reconstructed day is one of the names; it is kept in the data directory `data`."""
    from pathlib import Path

    from deleverage.journal.interchange import read_source
    from deleverage.recordings import bundled
    from deleverage.simulate.reconstruction.recording import DAY, made

    for name in names or bundled():
        if name == DAY and data is not None:
            yield from read_source(made(data).path)
            continue
        yield from read_source(bundled()[name].path if name in bundled() else Path(name))
