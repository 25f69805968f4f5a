"""Lines of a file that may be compressed, with an honest answer when it is damaged or cut off."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard

from deleverage.errors import BadInput
from deleverage.journal.segment import reason

_CHUNK = 64 * 1024
_ZSTD_CHUNK = 4 * 1024  # zstandard expands up to some ten thousand times
_BOM = b"\xef\xbb\xbf"


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give the lines of a file that are not blank, stripped, numbered from 1; gzip, zstandard and LZ4 are told by their first bytes.

    Raises BadInput when the file is missing, a directory, unreadable, damaged or cut off.
    """
    number = 0
    pieces: list[bytes] = []  # of the line that has not ended yet
    try:
        for block in _blocks(Path(path)):
            head, *others = block.split(b"\n")
            pieces.append(head)
            for following in others:
                number += 1
                if stripped := b"".join(pieces).strip():
                    yield number, stripped
                pieces = [following]
    except (OSError, zlib.error, zstandard.ZstdError, EOFError, pa.ArrowException) as error:
        where = f"{path} line {number + 1}" if number else f"{path}"
        raise BadInput(f"{where}: {reason(error)}; expected a readable, complete JSON Lines file") from error
    if stripped := b"".join(pieces).strip():
        yield number + 1, stripped


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] == b"\x1f\x8b":
            yield from _expanded(file, _CHUNK, lambda: zlib.decompressobj(wbits=31), "gzip")
        elif head == b"\x28\xb5\x2f\xfd":
            yield from _expanded(file, _ZSTD_CHUNK, zstandard.ZstdDecompressor().decompressobj, "zstandard")
        elif head == b"\x04\x22\x4d\x18":
            with pa.CompressedInputStream(pa.PythonFile(file), "lz4") as plain:
                while block := plain.read(_CHUNK):
                    yield block
        else:
            if head[:3] == _BOM:
                file.seek(3)
            while block := file.read(_CHUNK):
                yield block


def _expanded(file: Any, size: int, new: Callable[[], Any], kind: str) -> Iterator[bytes]:
    """Expand one compressed member after another; the end of the file must be the end of one. Zero padding may follow."""
    member = None
    while chunk := file.read(size):
        while chunk:
            if member is None:
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    break
                member = new()
            if expanded := member.decompress(chunk):
                yield expanded
            if not member.eof:
                break
            chunk, member = member.unused_data, None
    if member is not None:
        raise EOFError(f"the {kind} stream is cut off")
