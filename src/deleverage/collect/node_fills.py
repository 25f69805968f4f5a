"""Follows the fills a Hyperliquid node of yours writes: hourly files that grow, complete lines only, on from where it left off."""

import asyncio
from pathlib import Path

import msgspec

from deleverage.collect.intake import Intake
from deleverage.journal.frame import Frame
from deleverage.journal.node_fills import ROUTE, VENUE, is_node_line, nanoseconds
from deleverage.log import complain, log

LOOK = 0.5
"""Seconds between two looks at the folder."""
AT_ONCE = 8 * 1024 * 1024
"""Bytes read at a time."""


class _Stamped(msgspec.Struct):
    local_time: str


class Place(msgspec.Struct):
    """Where reading stands: the file, relative to the folder, and the bytes of it that were taken."""

    file: str = ""
    offset: int = 0


class NodeFills:
    """Tails `folder`, whose files sort by time (`hourly/YYYYMMDD/H`); `place` remembers how far it came.

    Lines are taken as frames of the route `node_fills_by_block` with the line's own `local_time`, so that reading late changes nothing.
    A first start begins with the newest file.
    """

    def __init__(self, folder: Path, place: Path, intake: Intake) -> None:
        self.folder, self.lines, self.bad = folder, 0, 0
        self._place_file, self._intake = place, intake
        try:
            self.place = msgspec.json.decode(place.read_bytes(), type=Place)
        except (OSError, msgspec.MsgspecError):
            self.place = Place()

    async def run(self) -> None:
        """Follow the folder until cancelled."""
        while True:
            try:
                more = self.read()
            except OSError as error:
                complain("node fills", "the node's folder cannot be read", folder=str(self.folder), reason=str(error))
                more = False
            await asyncio.sleep(0 if more and not self._intake.is_paused else LOOK)

    def read(self) -> bool:
        """Take what has been written since the last call, some megabytes at most; True when there is more."""
        files = sorted((p for p in self.folder.rglob("*") if p.is_file() and not p.name.startswith(".")), key=_order)
        if not files:
            return False
        names = [str(p.relative_to(self.folder)) for p in files]
        if self.place.file not in names:
            later = [n for n, p in zip(names, files, strict=True) if self.place.file and _order(p) > _order(self.folder / self.place.file)]
            self.place = Place(later[0] if later else names[-1])
            log().info("following a node's fills", file=self.place.file)
        at = names.index(self.place.file)
        with files[at].open("rb") as handle:
            handle.seek(self.place.offset)
            content = handle.read(AT_ONCE)
        end = content.rfind(b"\n") + 1
        for line in content[:end].splitlines():
            self._take(line)
        if end:
            self.place.offset += end
        elif at + 1 < len(names) and not content:
            self.place = Place(names[at + 1])
        self._remember()
        return end > 0 or at + 1 < len(names)

    def _take(self, line: bytes) -> None:
        try:
            received = nanoseconds(msgspec.json.decode(line, type=_Stamped).local_time) if is_node_line(line) else 0
        except (msgspec.MsgspecError, ValueError):
            received = 0
        if not received:
            self.bad += 1
            complain("node fills line", "a line of the node's files is no block of fills", bad=self.bad)
            return
        self.lines += 1
        self._intake.take(Frame(received, VENUE, ROUTE, line))

    def _remember(self) -> None:
        spare = self._place_file.with_suffix(".new")
        spare.write_bytes(msgspec.json.encode(self.place))
        spare.replace(self._place_file)


def _order(path: Path) -> tuple[str, int, str]:
    """Order hourly files by day and hour: `20251010/9` comes before `20251010/10`."""
    stem = path.name.partition(".")[0]
    return (path.parent.name, int(stem) if stem.isdigit() else -1, path.name)
