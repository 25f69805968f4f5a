"""A data directory: where the journal, the tables and imported files of one installation live."""

import fcntl
import json
import os
from pathlib import Path
from typing import NamedTuple, TextIO

from deleverage.errors import BadInput


class Serving(NamedTuple):
    """The server that holds a data directory at the moment."""

    pid: int
    url: str


class Folder:
    """Paths inside one data directory. Making one touches nothing; `create` makes the directories.

    journal/ raw frames · tables.duckdb the tables · imports/ tabular files taken in, as Parquet · serving.json who serves it now ·
    backfilled.json what of the past was asked for on first start
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser()
        self.journal = self.path / "journal"
        self.tables = self.path / "tables.duckdb"
        self.imports = self.path / "imports"
        self.begun = self.path / "backfilled.json"
        self.serving_file = self.path / "serving.json"
        self._announced: TextIO | None = None

    def create(self) -> None:
        """Make the directories. Raises BadInput in one line when the path cannot be one."""
        try:
            self.journal.mkdir(parents=True, exist_ok=True)
            self.imports.mkdir(exist_ok=True)
        except OSError as error:
            raise BadInput(f"cannot use {self.path} as data directory: {error.strerror or error}") from None

    def has_data(self) -> bool:
        """Tell whether anything was ever recorded or imported here."""
        return any(self.journal.glob("segment-*")) or any(self.imports.glob("*.parquet"))

    def announce(self, url: str) -> None:
        """Say that this process serves the directory at `url`, for as long as it lives: the file is locked meanwhile."""
        self._announced = self.serving_file.open("a+")
        fcntl.flock(self._announced, fcntl.LOCK_EX)
        self._announced.truncate(0)
        self._announced.write(json.dumps({"pid": os.getpid(), "url": url}))
        self._announced.flush()

    def withdraw(self) -> None:
        """Take the announcement back if it is ours."""
        if self._announced is not None:
            self.serving_file.unlink(missing_ok=True)
            self._announced.close()
            self._announced = None

    def serving(self) -> Serving | None:
        """Return who serves the directory, None when nobody does: an announcement nobody holds the lock of is a dead one's."""
        try:
            with self.serving_file.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    return None
                except BlockingIOError:
                    said = json.loads(file.read())
                    return Serving(int(said["pid"]), str(said["url"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
