"""Reports that are written by themselves: every so often, and when a wave has ended."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import cast

from deleverage.api import anatomy
from deleverage.api.session import Session
from deleverage.config import ReportSettings
from deleverage.log import complain
from deleverage.report.bundle import pack
from deleverage.report.compose import compose
from deleverage.report.reading import read
from deleverage.report.render import Form, render
from deleverage.when import SECOND, duration, iso

TICK = 20.0
"""Seconds between two looks at the clock."""
LOOK = 60 * SECOND
"""How often (ns) it is looked whether a wave has ended."""
BEHIND = 2 * 3600 * SECOND
"""How far back (ns) waves are looked for."""
Hold = Callable[[], AbstractContextManager[Session]]


def named(at: int, form: str) -> str:
    """Name the file of a report.

    >>> named(1763737200 * 10**9, "pdf")
    'report-2025-11-21T150000Z.pdf'
    """
    return f"report-{iso(at)[:19].replace(':', '')}Z.{form}"


def write(hold: Hold, at: int, window: int, settings: ReportSettings, folder: Path) -> list[Path]:
    """Write the report of [at − window, at) as known at `at` (ns UTC) in the settings' formats; returns the files."""
    with hold() as session:
        reading = read(session, at, at, window)
    report = compose(reading)
    templates = Path(settings.templates).expanduser() if settings.templates else None
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for form in settings.formats:
        content = pack(reading, report, ("html", "json"), templates) if form == "zip" else render(report, cast(Form, form), templates)
        file = folder / named(at, form)
        beside = file.with_suffix(f".{form}.part")
        beside.write_bytes(content)
        beside.replace(file)  # whoever watches the folder never sees half a report
        files.append(file)
    return files


class Schedule:
    """When the next report is due. `due` is asked the time, and what waves there are; it writes nothing."""

    def __init__(self, settings: ReportSettings, now: int) -> None:
        self.settings = settings
        self.every = duration(settings.every) if settings.every else 0
        self._next = (now // self.every + 1) * self.every if self.every else 0
        self._looked = self._told = now

    def due(self, now: int, wave_ends: Callable[[], list[int]]) -> list[tuple[int, int]]:
        """Return (at, window) of the reports due at `now`, ns UTC; those of a schedule end on its own round instants.

        `wave_ends` gives the ends of waves that are over, and is asked at most once a minute.
        """
        found = []
        if self.every and now >= self._next:
            at = now // self.every * self.every
            found.append((at, self.every))
            self._next = at + self.every
        if self.settings.on_wave_end and now - self._looked >= LOOK:
            self._looked = now
            ended = [end for end in wave_ends() if end > self._told]
            if ended:
                self._told = max(ended)
                found.append((now, duration(self.settings.window)))
        return found


class Scheduler:
    """Writes what is due on a thread of its own, while a session is live."""

    def __init__(self, hold: Hold, settings: ReportSettings, folder: Path) -> None:
        self._hold, self._settings, self._folder = hold, settings, folder
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, where anything is to be written."""
        if self._settings.every or self._settings.on_wave_end:
            self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; a report being written is finished."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        schedule: Schedule | None = None
        while not self._stop.wait(TICK):
            try:
                with self._hold() as session:
                    is_live, now = session.mode == "live", session.now()
                if not is_live:
                    schedule = None
                    continue
                schedule = schedule or Schedule(self._settings, now)
                for at, window in schedule.due(now, lambda until=now: self._ends(until)):  # type: ignore[misc]  # bound at once
                    write(self._hold, at, window, self._settings, self._folder)
            except Exception as error:  # the next report is tried nevertheless, and somebody is told
                complain("report", "a scheduled report could not be written", error=" ".join(str(error).split())[:200])

    def _ends(self, now: int) -> list[int]:
        with self._hold() as session:
            material = anatomy.read(session, now - BEHIND, now, now)
        return [row["end"] for row in anatomy.wave_rows(material, "minutes") if not row["is_open"]]
