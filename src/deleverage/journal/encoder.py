"""Frames into the bytes of a stream segment, batch by batch, and what they amount to so far."""

import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from deleverage.journal.frame import Frame
from deleverage.journal.segment import COLUMNS, Bounds

_DICTIONARY_BYTES = 4096


class _Names:
    """The dictionary of one text column. It grows while small; past 4 KiB it starts again from the batch at hand, so that
    routes that never repeat (REST questions with a time in them) do not travel with every later batch."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._size = 0
        self._array = pa.array([], pa.string())

    def encode(self, texts: Sequence[str]) -> Any:
        index = self._index
        new = [text for text in dict.fromkeys(texts) if text not in index]
        if new:
            self._size += sum(map(len, new))
            if self._size > _DICTIONARY_BYTES:
                new = list(dict.fromkeys(texts))
                self._size = sum(map(len, new))
                index.clear()
            index.update(zip(new, range(len(index), len(index) + len(new)), strict=True))
            # A lone surrogate has no UTF-8 form; a recorder must not die of an odd route.
            self._array = pa.array([text.encode("utf-8", "replace").decode() for text in index], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(list(map(index.__getitem__, texts)), pa.int32()), self._array)


class Encoder:
    """The stream of one segment; its first batch comes with the schema that opens the stream."""

    def __init__(self) -> None:
        self._sink = io.BytesIO()
        self._writer = ipc.new_stream(self._sink, COLUMNS)
        self._names = (_Names(), _Names(), _Names())
        self._frames = self._payload_bytes = self._first = self._last = self._latest = 0
        self._is_sorted = True
        self._by_venue: Counter[str] = Counter()

    def batch(self, frames: Sequence[Frame]) -> bytes:
        """Return the bytes of one record batch, preceded by the dictionaries that changed. `frames` must not be empty."""
        venue, route, direction = self._names
        columns = [
            pa.array([frame.ts_recv for frame in frames], pa.int64()),
            venue.encode([frame.venue for frame in frames]),
            route.encode([frame.route for frame in frames]),
            direction.encode([frame.direction for frame in frames]),
            pa.array([frame.connection for frame in frames], pa.int64()),
            pa.array([frame.payload for frame in frames], pa.binary()),
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=COLUMNS))
        self._count(columns[0].to_numpy(), columns[1], columns[5])
        encoded = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return encoded

    def bounds(self, file: str, size: int) -> Bounds:
        """Say what the batches so far hold, for the sidecar of `file`, which is `size` bytes."""
        return Bounds(
            file=file,
            bytes=size,
            frames=self._frames,
            first=self._first,
            last=self._last,
            payload_bytes=self._payload_bytes,
            is_sorted=self._is_sorted,
            by_venue=dict(sorted(self._by_venue.items())),
        )

    def _count(self, times: Any, venues: Any, payloads: Any) -> None:
        first, last = int(times.min()), int(times.max())
        self._is_sorted = self._is_sorted and int(times[0]) >= self._latest and bool((times[1:] >= times[:-1]).all())
        self._latest = int(times[-1])
        self._first = min(self._first, first) if self._frames else first
        self._last = max(self._last, last)
        self._frames += len(times)
        offsets = memoryview(payloads.buffers()[1]).cast("i")
        self._payload_bytes += offsets[len(times)] - offsets[0]
        counts = np.bincount(venues.indices.to_numpy(), minlength=len(venues.dictionary)).tolist()
        self._by_venue.update({name: count for name, count in zip(venues.dictionary.to_pylist(), counts, strict=True) if count})
