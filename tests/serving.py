"""What is served: a recording played to its end in this process, and a real `deleverage up` in one of its own, on a free port."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from deleverage.api.app import build
from deleverage.api.server import Server
from deleverage.api.session import PlaybackSession
from deleverage.collect.ingest import import_frames
from deleverage.journal.frame import Frame
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder


def imported(data: Path, frames: Iterable[Frame]) -> Folder:
    """Make a data directory of frames."""
    folder = Folder(data)
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, frames)
    store.close()
    return folder


@contextmanager
def served(folder: Folder) -> Iterator[TestClient]:
    """A server over the tables of a data directory."""
    server = Server(folder)
    server.open_stored()
    with TestClient(build(server)) as client:
        yield client


@contextmanager
def played(data: Path, recording: str) -> Iterator[tuple[TestClient, PlaybackSession]]:
    """A server that plays a bundled recording, paused at its end."""
    server = Server(Folder(data))
    server.open_recording(recording, 1000)
    playing = server.session
    assert isinstance(playing, PlaybackSession)
    playing.control(playing=False, to=playing.clock().end + 1)
    with TestClient(build(server)) as client:
        yield client, playing


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """A running server: its address, its process, and `get` for JSON."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url, self.process = url, process

    def get(self, route: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/v1/{route}", timeout=20) as answer:
            return json.loads(answer.read())

    def post(self, route: str, body: object) -> Any:
        request = urllib.request.Request(
            f"{self.url}/v1/{route}", json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())


@contextmanager
def up(data: Path, *arguments: str) -> Iterator[Up]:
    """Start `deleverage up`, wait until it answers, stop it by SIGTERM and expect a clean end.

    Not live, unless told `--live`, or `--auto` to let it choose.
    """
    port = free_port()
    live = [] if "--auto" in arguments else ["--live"] if "--live" in arguments else ["--no-live"]
    process = subprocess.Popen(
        [sys.executable, "-m", "deleverage.cli", "up", *live, *(a for a in arguments if a not in ("--auto", "--live")),
         "--data", str(data), "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    server = Up(f"http://127.0.0.1:{port}", process)
    try:
        for _ in range(900):  # the reconstruction is made before it is first served
            if process.poll() is not None:
                raise AssertionError(f"up ended: {process.communicate()[1]}")
            try:
                server.get("health")
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError("up did not answer in 90 s")
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            _, errors = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert "Traceback" not in errors, errors
