"""Frames as JSON Lines, for exchange with other recorders, and one entrance for everything that can be read as frames.

A line is `{"ts_recv": int ns UTC, "venue": str, "route": str, "payload": str}`; bytes that are not UTF-8 travel as `"payload_base64"`
instead of `"payload"`; `"direction"` and `"connection"` appear only where they differ from `"in"` and 0. Other keys are ignored.
"""

import base64
import gzip
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeAlias

import msgspec
import zstandard

from deleverage.errors import BadInput, JournalError
from deleverage.journal.frame import DIRECTIONS, Frame
from deleverage.journal.lines import lines_of
from deleverage.journal.node_fills import is_node_line, read_node_fills
from deleverage.journal.reading import read_frames, read_segment_file
from deleverage.journal.segment import reason

JSON_LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".lz4")
SEGMENTS = (".arrows", ".parquet")
_ACCEPTED = (
    "a journal directory, a data directory holding journal/, a segment file (.arrows, .parquet) "
    "or JSON Lines (.jsonl, .jsonl.gz, .jsonl.zst, .lz4) of frames or of Hyperliquid node fills"
)
_EXPECTED = '{"ts_recv": int ns UTC, "venue": str, "route": str, "payload": str or "payload_base64": str}'

_Instant: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Connection: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class _Line(msgspec.Struct, omit_defaults=True):
    ts_recv: _Instant
    venue: _Name
    route: str
    payload: str | msgspec.UnsetType = msgspec.UNSET
    payload_base64: str | msgspec.UnsetType = msgspec.UNSET
    direction: Literal["in", "out", "open", "close", "gap", "state", "mark"] = "in"
    connection: _Connection = 0


_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


def read_jsonl(path: Path) -> Iterator[Frame]:
    """Read frames from a JSON Lines file, plain, gzip or zstandard (told by its content), in the order of the file.

    Blank lines are skipped. Raises BadInput, naming file and line, for anything that is not a frame, for a file that is
    missing, a directory, unreadable, damaged or cut off; frames before that point have been given out by then.
    """
    for number, line in lines_of(path):
        try:
            frame = _frame(_decode(line))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BadInput(f"{path} line {number}: {reason(error)}; expected {_EXPECTED}") from error
        yield frame


def write_jsonl(frames: Iterable[Frame], target: Path | BinaryIO) -> int:
    """Write frames as JSON Lines and return how many. The same frames give the same bytes.

    `target`: a path, compressed when it ends in `.gz` or `.zst` and replaced only once all is written, or a binary stream,
    which stays open. Raises BadInput when the path cannot be written and for a frame `read_jsonl` would refuse.
    """
    if not isinstance(target, str | Path):
        return _write(frames, target)
    path = Path(target)
    is_special = path.exists() and not path.is_file()  # /dev/stdout, a pipe
    draft = path if is_special else path.with_name(path.name + ".partial")
    try:
        try:
            with ExitStack() as stack:
                count = _write(frames, _compressed(path, stack.enter_context(draft.open("wb")), stack))
            if not is_special:
                draft.replace(path)
        except BaseException:
            if not is_special:
                draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInput(f"cannot write {path}: {reason(error)}; expected the name of a file in a directory that can be written") from error
    return count


def read_source(path: Path) -> Iterator[Frame]:
    """Read frames from whatever holds them; journals and segments in time order, files of lines in their own order.

    Accepts a journal directory, a data directory holding `journal/`, a segment file, JSON Lines of frames, and JSON Lines as a
    Hyperliquid node writes them (see `node_fills`). Raises BadInput for anything else, and JournalError for a damaged journal.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return read_frames(_journal_in(path))
        if not path.exists():
            raise BadInput(f"{path}: no such file or directory; expected {_ACCEPTED}")
    except OSError as error:
        raise BadInput(f"{path}: {reason(error)}; expected {_ACCEPTED}") from error
    if path.name.endswith(SEGMENTS):
        return _segment(path)
    if path.name.endswith(JSON_LINES):
        return read_node_fills(path) if _first_is_node_line(path) else read_jsonl(path)
    raise BadInput(f"{path}: not a kind of file that can be read; expected {_ACCEPTED}")


def _journal_in(path: Path) -> Path:
    for directory in (path, path / "journal"):
        if any(directory.glob("segment-*.arrows")) or any(directory.glob("segment-*.parquet")) or (directory / "lock").is_file():
            return directory
    raise BadInput(f"{path}: a directory without a journal; expected {_ACCEPTED}")


def _segment(path: Path) -> Iterator[Frame]:
    try:
        return read_segment_file(path)
    except JournalError as error:
        raise BadInput(f"{error}; expected {_ACCEPTED}") from error


def _first_is_node_line(path: Path) -> bool:
    for _, line in lines_of(path):
        return is_node_line(line)
    return False


def _frame(line: _Line) -> Frame:
    if line.payload is not msgspec.UNSET:
        if line.payload_base64 is not msgspec.UNSET:
            raise ValueError("both `payload` and `payload_base64`")
        payload = line.payload.encode()
    elif line.payload_base64 is not msgspec.UNSET:
        try:
            payload = base64.b64decode(line.payload_base64, validate=True)
        except ValueError as error:
            raise ValueError(f"`payload_base64` is not base64: {error}") from error
    else:
        raise ValueError("neither `payload` nor `payload_base64`")
    return Frame(line.ts_recv, line.venue, line.route, payload, line.direction, line.connection)


def _line(frame: Frame) -> bytes:
    if not frame.venue or frame.ts_recv < 0 or frame.direction not in DIRECTIONS:
        raise BadInput(f"cannot write a frame with ts_recv {frame.ts_recv}, venue {frame.venue!r}, direction {frame.direction!r}")
    line = _Line(frame.ts_recv, frame.venue, frame.route, direction=frame.direction, connection=frame.connection)  # type: ignore[arg-type]  # checked on reading
    try:
        line.payload = frame.payload.decode()
    except UnicodeDecodeError:
        line.payload_base64 = base64.b64encode(frame.payload).decode()
    try:
        return _encode(line)
    except UnicodeEncodeError as error:
        raise BadInput(f"cannot write a frame of venue {frame.venue!a}, route {frame.route[:80]!a}: not valid text") from error


def _write(frames: Iterable[Frame], stream: Any) -> int:
    count = 0
    for frame in frames:
        stream.write(_line(frame) + b"\n")
        count += 1
    return count


def _compressed(path: Path, stream: BinaryIO, stack: ExitStack) -> Any:
    if path.suffix == ".gz":
        return stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0))
    if path.suffix == ".zst":
        return stack.enter_context(zstandard.ZstdCompressor(level=3).stream_writer(stream, closefd=False))
    return stream
