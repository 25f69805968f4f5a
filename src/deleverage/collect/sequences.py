"""Order books number their updates: a number left out is a frame the venue never sent us, however busy the socket is."""

from collections.abc import Sequence

from deleverage.events import BookDepth, Event

BOOKS = {"binance": "depth", "bybit": "orderbook", "okx": "books", "htx": "depth", "deribit": "book"}
"""The channel on which each venue sends numbered books."""


class SequenceWatch:
    """Follows the numbers of every book. Not thread-safe; fed in the order of receipt.

    An update fits when its `previous_sequence` is the last `sequence`. A smaller one is a repeat (two sockets overlap), a larger one
    a hole. A snapshot, and a new connection (`reset`), start over.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], int] = {}

    def reset(self, venue: str) -> None:
        """Forget a venue's numbers: a socket of it was opened."""
        for key in [key for key in self._last if key[0] == venue]:
            del self._last[key]

    def saw(self, events: Sequence[Event]) -> list[tuple[BookDepth, str]]:
        """Return the updates before which others are missing, each with what is missing in words."""
        holes = []
        for event in events:
            if not isinstance(event, BookDepth) or event.sequence is None or event.update == "top" or event.venue not in BOOKS:
                continue
            key = (event.venue, event.venue_symbol)
            last, before = self._last.get(key), event.previous_sequence
            if event.update == "delta" and last is not None and before is not None:
                if before < last and event.sequence >= last:
                    pass  # starts before what we have and goes beyond it: nothing is missing
                elif before < last:
                    if event.sequence < before:  # the venue's numbers went back, as OKX documents for maintenance
                        self._last[key] = event.sequence
                    continue
                elif before > last:
                    holes.append((event, f"{event.venue_symbol}: updates between {last} and {before} never came"))
            self._last[key] = event.sequence
        return holes
