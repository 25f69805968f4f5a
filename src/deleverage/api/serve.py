"""`deleverage up`: open what is to be shown, take the port, serve until stopped."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import uvicorn

from deleverage import config
from deleverage.api.app import STATIC, build
from deleverage.api.routes import held
from deleverage.api.server import Server
from deleverage.collect.doctor import answering
from deleverage.config import Settings
from deleverage.errors import BadInput, StoreError
from deleverage.log import configure
from deleverage.recordings import bundled
from deleverage.report.schedule import Scheduler
from deleverage.simulate.reconstruction.recording import DAY, made
from deleverage.store.folder import Folder

Progress = Callable[[str], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def quietly(what: str) -> Iterator[Callable[[int], None]]:
    """Show no progress."""
    yield lambda done: None


def serve(
    source: str | None, *, data: Path | None, port: int | None, host: str | None, speed: float | None, live: bool | None = None,
    progress: Progress = quietly,
) -> None:  # fmt: skip
    """Serve the page and the API until SIGINT or SIGTERM.

    Without a source: collects when `live`, or when it is None and a venue answers; else shows what is stored, else plays the
    reconstruction of 20 and 21 November 2025.
    `progress("frames")` is entered while something is made, and gives what is called with how many there are.
    Raises BadInput for a busy port or a source that cannot be played.
    """
    settings = config.settings()
    folder = Folder(data or settings.data)
    host, port, speed = host or settings.host, port or settings.port, speed or settings.speed
    serving = folder.serving()
    if serving is not None:
        raise StoreError(
            f"{folder.path} is already being served at {serving.url} (process {serving.pid}); stop that, or use another --data"
        )
    configure(settings.log.format, settings.log.level)
    server = Server(folder)
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"
    written = Path(settings.report.folder).expanduser() if settings.report.folder else folder.path / "reports"
    reports = Scheduler(lambda: held(server), settings.report, written)
    with _listen(host, port) as listener:
        folder.create()
        try:
            shown = _open(server, source, speed, settings, live, progress)
            print(f"deleverage shows {shown} at {url}" + ("" if STATIC.is_dir() else " (no page built: make web)"), flush=True)  # noqa: T201 - says where to look
            folder.announce(url)
            for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn takes both, stops, and raises them again: by then all is done
                signal.signal(number, lambda number, frame: None)
            reports.start()
            uvicorn.Server(uvicorn.Config(build(server), log_level="warning", ws_ping_interval=20)).run(sockets=[listener])
        finally:
            reports.stop()
            folder.withdraw()
            server.close()


def _open(server: Server, source: str | None, speed: float, settings: Settings, live: bool | None, progress: Progress) -> str:
    """Open the source, else the venues, else the stored data, else the reconstruction; say what is shown."""
    if source is None and live is not False:
        reasons = asyncio.run(answering(settings))
        answers = [name for name, reason in reasons.items() if not reason]
        if answers or live:
            server.open_live(settings)
            silent = [name for name in reasons if reasons[name]]
            also = f"; {', '.join(silent)} did not answer, see deleverage doctor" if silent else ""
            return f"live data of {len(answers)} of {len(reasons)} venues{also}"
        first = next(iter(reasons.values()), "no venue is enabled in the settings")
        server.notice = f"No venue answered, so this is not live ({first}). deleverage doctor says why."
    if source is None and server.folder.has_data():
        server.open_stored()
        return f"the data stored in {server.folder.path}" + _said(server)
    name = source or DAY
    if name == DAY:
        with progress("frames made") as step:
            made(server.folder.path, progress=step)
        server.open_recording(name, speed)
        return f"a reconstruction of 20 and 21 November 2025, not recorded events,{_said(server)}"
    if name in bundled():
        server.open_recording(name, speed)
        return f"a replay of real recorded data, {bundled()[name].title}," + _said(server)
    if not Path(name).exists():
        raise BadInput(f"no recording {name!r}: neither a file nor one of {DAY}, {', '.join(bundled())}")
    server.open_file(Path(name), speed)
    return f"a replay of {name}"


def _said(server: Server) -> str:
    return " since no venue answered (deleverage doctor says why)" if server.notice else ""


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise BadInput(f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port") from None
    return listener
