"""Holes in the numbers of books are found, and nothing else is taken for one."""

from collections.abc import Sequence
from itertools import islice

import pytest

from deleverage.collect.pipeline import Pipeline
from deleverage.collect.sequences import SequenceWatch
from deleverage.events import BookDepth, Event
from deleverage.journal.interchange import read_source
from deleverage.recordings import bundled


def book(before: int | None, number: int, update: str = "delta", venue: str = "okx") -> BookDepth:
    return BookDepth(venue, "BTC/USDT:USDT", "X", "BTC", 1, 1, update, [], [], "contracts", number, before)  # type: ignore[arg-type]


def holes(*books: BookDepth) -> int:
    watch = SequenceWatch()
    return sum(len(watch.saw([b])) for b in books)


def test_the_published_sequence_of_okx_has_no_hole() -> None:
    """From its documentation: (-1,10) (10,15) (15,15) (15,3) (3,5); the numbers go back once after maintenance."""
    assert holes(book(-1, 10, "snapshot"), book(10, 15), book(15, 15), book(15, 3), book(3, 5)) == 0


def test_a_hole_is_found_once_and_named() -> None:
    watch = SequenceWatch()
    assert watch.saw([book(None, 10, "snapshot"), book(10, 11)]) == []
    ((event, words),) = watch.saw([book(13, 14)])
    assert event.sequence == 14 and "between 11 and 13" in words
    assert watch.saw([book(14, 15)]) == []


@pytest.mark.parametrize("again", [[book(10, 11)], [book(9, 10)], [book(10, 12)]])
def test_repeats_of_an_overlapping_socket_are_no_hole(again: list[BookDepth]) -> None:
    assert holes(book(None, 10, "snapshot"), book(10, 11), *again, book(11 if again[0].sequence != 12 else 12, 13)) == 0


def test_a_new_socket_starts_over() -> None:
    watch = SequenceWatch()
    watch.saw([book(None, 10, "snapshot")])
    watch.reset("okx")
    assert watch.saw([book(50, 51)]) == []


@pytest.mark.parametrize(
    ("name", "holes"),
    [("binance-2024-08-08", 0), ("binance-coin-2024-08-08", 1), ("bybit-2026-08-09", 0), ("okx-2022-05-13", 0), ("htx-2022-02-19", 0)],
)
def test_real_books(name: str, holes: int) -> None:
    """The one hole is real: an update of 2024-08-08 23:54:17.8 is missing in the recording of the coin-margined book."""
    watch, found, seen = SequenceWatch(), 0, 0

    def take(events: Sequence[Event]) -> None:
        nonlocal found, seen
        found += len(watch.saw(events))
        seen += sum(isinstance(e, BookDepth) for e in events)

    pipeline = Pipeline(take)
    for frame in islice(read_source(bundled()[name].path), 20_000):
        pipeline.feed(frame)
    assert seen and found == holes
