"""The one object behind the routes: which session is open, who listens to it, and what may be done to it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deleverage import __version__
from deleverage.api.anatomy import Truth, day, raised, read
from deleverage.api.live_session import LiveSession
from deleverage.api.schemas import PlaybackOrder
from deleverage.api.session import Clock, PlaybackSession, Session, StoredSession
from deleverage.api.view import MS, Moment, headline, tile
from deleverage.collect.history import open_up_to_date
from deleverage.config import Settings, settings
from deleverage.errors import BadInput
from deleverage.events import Event, Liquidation
from deleverage.journal.interchange import read_source
from deleverage.live import LONGEST, WINDOWS
from deleverage.recordings import Recording, bundled, recording_named
from deleverage.references import source_named
from deleverage.simulate.reconstruction.recording import DAY, described, kept, made
from deleverage.store.folder import Folder

NEARLY_NOW = 2_000_000_000
"""A moment this near (ns) to the session's now is served what the background last worked out."""
DAYS = 4
"""Past moments whose estimates are kept."""
LISTENERS = 64
"""Clients of the stream at a time; one more is refused."""


class Server:
    """Holds the open session. Opening another one closes it."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.listeners: set[Callable[[Sequence[Liquidation]], None]] = set()
        self.notice = ""
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._truth: Truth | None = None
        self._days: dict[tuple[int, int, int], dict[str, Any]] = {}

    @property
    def session(self) -> Session:
        """The session being shown. Raises BadInput when nothing was opened."""
        if self._session is None:
            raise BadInput("nothing is open yet")
        return self._session

    def open_stored(self) -> None:
        """Show the tables of the data directory."""
        self._replace(StoredSession(open_up_to_date(self.folder), f"Stored data in {self.folder.path.name}"))

    def open_live(self, settings: Settings) -> None:
        """Collect from the venues, into the data directory."""
        session = LiveSession(self.folder, settings)
        session.on_events = self._tell
        self._replace(session)
        session.start()

    def open_recording(self, name: str, speed: float) -> None:
        """Play a bundled recording, or the reconstruction, which is made first where it is not kept yet (some 20 s)."""
        recording = made(self.folder.path) if name == DAY else recording_named(name)
        self._play(recording.path, recording.title, recording, speed)

    def open_file(self, path: Path, speed: float) -> None:
        """Play a recording of the user's. Raises BadInput when it cannot be read or holds no frame."""
        self._play(path, path.name, None, speed)

    def _play(self, path: Path, label: str, recording: Recording | None, speed: float) -> None:
        first = last = 0
        stretches: list[tuple[int, int]] = [] if recording is None else list(recording.stretches)
        if recording is None:
            for frame in read_source(path):
                source_named(frame.venue)
                first, last = min(first or frame.ts_recv, frame.ts_recv), max(last, frame.ts_recv)
            if not first:
                raise BadInput(f"{path} holds no frame")
            stretches = [(first, last)]
        extent = (min(low for low, _ in stretches), max(high for _, high in stretches))
        session = PlaybackSession(lambda: read_source(path), label, recording, speed=speed, extent=extent, stretches=stretches)
        session.on_events = self._tell
        self._replace(session)
        session.start()

    def _replace(self, session: Session) -> None:
        with self._opening:
            before, self._session = self._session, session
        if before is not None:
            before.close()

    def _tell(self, events: Sequence[Event]) -> None:
        orders = [event for event in events if isinstance(event, Liquidation)]
        if orders:
            for listener in tuple(self.listeners):
                listener(orders)

    def control(self, order: PlaybackOrder) -> None:
        """Carry out an order to the playback. Raises BadInput saying what the order lacks."""
        if order.action == "open":
            if order.recording is None:
                raise BadInput(f"name a recording to open: {DAY}, {', '.join(bundled())}, or stored")
            if isinstance(self._session, LiveSession):
                raise BadInput(
                    "collecting goes on here; play recordings with another server: deleverage up NAME --data elsewhere --port 8001"
                )
            if order.recording == "stored":
                self.open_stored()
            else:
                self.open_recording(order.recording, order.speed or self._speed())
            return
        session = self.session
        if isinstance(session, LiveSession):
            raise BadInput("live data is not being played; open a recording to play it")
        if not isinstance(session, PlaybackSession):
            raise BadInput("stored data is not being played; open a recording to play it")
        if order.action == "speed":
            if order.speed is None:
                raise BadInput("say the speed: recorded seconds per second, such as 20")
            session.control(speed=order.speed)
        elif order.action == "seek":
            if order.to_ms is None:
                raise BadInput("say where to: to_ms, unix milliseconds")
            session.control(to=order.to_ms * MS)
        else:
            session.control(playing=order.action == "play")

    def _speed(self) -> float:
        return (self._session.clock().speed if self._session else 0.0) or settings().speed

    def health(self) -> dict[str, Any]:
        """What `/v1/health` says."""
        session = self.session
        tally = session.tally
        return {
            "status": "failing" if session.failure else "ok", "failure": session.failure, "version": __version__, "mode": session.mode,
            "label": session.label, "notice": self.notice, "recording": describe(session.recording),
            "clock": clock_document(session.clock()), "reconstructed": [[low // MS, high // MS] for low, high in session.reconstructed()],
            "frames": tally.frames, "events": sum(tally.events.values()), "errors": tally.errors + tally.unknown,
        }  # fmt: skip

    def recordings(self) -> list[dict[str, Any]]:
        """What can be opened: the bundled recordings, and the data directory when it holds anything."""
        kept_ones = (described(kept(self.folder.path)), *bundled().values())
        found = [d for d in map(describe, kept_ones) if d is not None]
        if self.folder.has_data():
            about = "What was recorded or imported here."
            found.append({"name": "stored", "title": "Stored data", "about": about, "provenance": [], "venues": [], "stretches": []})
        return found

    def document(self, moment: Moment, window: str, base: str) -> dict[str, Any]:
        """Everything the first page shows; see the routes for each part by itself."""
        session = moment.session
        found = self._truth_at(moment)
        windows = {} if found is None else found["windows"]
        tiles = [
            {**tile(name, Moment(session, width, moment.at, moment.as_of)), **_estimated(windows.get(name, {}).get("all"))}
            for name, width in WINDOWS.items()
        ]
        for one in tiles:
            one["estimate"] = raised(windows.get(one["window"], {}).get("all"), one["total_usd"])
        venues = moment.venues()
        by_venue = windows.get(window, {}).get("venues", {})
        for row in venues:
            row |= {**_estimated(by_venue.get(row["venue"])), "estimate": raised(by_venue.get(row["venue"]), row["total_usd"])}
        waves = [w for w in (found["waves"] if found else []) if w["end_ms"] > moment.start // MS]
        return {
            "headline": headline(window, moment, waves), "windows": tiles, "window": window, "base": base, "bases": moment.bases(),
            "venues": venues, "heatmap": moment.heatmap(), "treemap": moment.treemap(12), "prices": moment.prices(base),
            "last": session.last_prices(base), "tape": moment.orders(60), "largest": moment.orders(10, largest=True),
            "waves": waves, "worked_out_ms": None if found is None else found["at"] // MS, "clock": clock_document(session.clock()),
            "recording": describe(session.recording), "mode": session.mode, "label": session.label, "failure": session.failure,
            "notice": self.notice, "is_reconstruction": moment.is_reconstruction,
        }  # fmt: skip

    @property
    def worked_out(self) -> int:
        """The moment (ns UTC) of the newest estimates and waves; 0 while there are none. A document made before it is out of date."""
        return 0 if self._truth is None or self._truth.session is not self._session else self._truth.at

    def _truth_at(self, moment: Moment) -> dict[str, Any] | None:
        """Estimates and waves: of a session that moves, the last worked out in the background; of a past moment, worked out now."""
        session = moment.session
        if moment.at == moment.as_of and abs(session.now() - moment.at) < NEARLY_NOW:
            if self._truth is None or self._truth.session is not session:
                self._truth = Truth(session)
            return self._truth.latest(moment.at)
        key = (id(session), moment.at, moment.as_of)
        if key not in self._days:
            while len(self._days) >= DAYS:
                self._days.pop(next(iter(self._days)))
            self._days[key] = day(read(session, moment.at - LONGEST, moment.at, moment.as_of))
        return self._days[key]

    def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _estimated(found: dict[str, Any] | None) -> dict[str, Any]:
    """The corrected long share beside a total; the estimate itself is put upon the present total."""
    return {"long_share_corrected": None if found is None else found["long_share_corrected"]}


def clock_document(clock: Clock) -> dict[str, Any]:
    """Write a clock for an answer."""
    return {
        "now_ms": clock.now // MS, "start_ms": clock.start // MS, "end_ms": clock.end // MS, "speed": clock.speed,
        "playing": clock.playing, "finished": clock.finished, "opens_ms": clock.opens_at // MS,
    }  # fmt: skip


def describe(recording: Recording | None) -> dict[str, Any] | None:
    """Write a recording for an answer."""
    if recording is None:
        return None
    return {
        "name": recording.name, "title": recording.title, "about": recording.about, "venues": list(recording.venues),
        "start_ms": recording.stretches[0][0] // MS if recording.stretches else None,
        "end_ms": max(high for _, high in recording.stretches) // MS if recording.stretches else None,
        "stretches": [[low // MS, high // MS] for low, high in recording.stretches], "bytes": recording.bytes,
        "frames": recording.frames, "provenance": list(recording.provenance), "is_reconstruction": recording.is_reconstruction,
    }  # fmt: skip
