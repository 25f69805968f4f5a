"""What was worked out of the past, kept for the next question: never told to one that knew less, nor for long to one that knows more."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

HOLDS = 3_600_000_000_000
"""Time (ns) for which it is told: the past changes only by what arrives late."""
Value = TypeVar("Value")


class Known(NamedTuple, Generic[Value]):
    """A value, and what it was made of: all that was received by `as_of` (ns UTC)."""

    as_of: int
    value: Value


class Kept(Generic[Value]):
    """The last `most` values kept; any thread may ask and put."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._rows: OrderedDict[Hashable, Known[Value]] = OrderedDict()

    def get(self, key: Hashable, as_of: int) -> Known[Value] | None:
        """Return what is kept for a question that knows what was received by `as_of`; None where it has to be worked out.

        >>> kept = Kept(2)
        >>> kept.put("noon", 100, "as it seemed")
        >>> kept.get("noon", 99), kept.get("noon", 100), kept.get("noon", 100 + HOLDS + 1)
        (None, Known(as_of=100, value='as it seemed'), None)
        """
        found = self._rows.get(key)
        return found if found is not None and found.as_of <= as_of <= found.as_of + HOLDS else None

    def put(self, key: Hashable, as_of: int, value: Value) -> None:
        """Keep a value in place of the one before; the oldest goes when there are too many."""
        with self._lock:
            self._rows[key] = Known(as_of, value)
            self._rows.move_to_end(key)
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)

    def __len__(self) -> int:
        return len(self._rows)
