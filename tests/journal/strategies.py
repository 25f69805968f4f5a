"""Frames for the tests: any that a journal accepts, and small ones with many equal instants."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from deleverage.journal import Frame, Journal
from deleverage.journal.frame import DIRECTIONS, LATEST

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
any_frame = st.builds(
    Frame,
    st.integers(0, LATEST),
    _text.filter(bool),
    _text,
    st.binary(max_size=60) | _text.map(str.encode),
    st.sampled_from(DIRECTIONS),
    st.integers(-(2**63), 2**63 - 1),
)
crowded_frame = st.builds(
    Frame,
    st.integers(0, 12),
    st.sampled_from(["okx", "htx"]),
    st.sampled_from(["", "wss://a", "wss://b"]),
    st.binary(max_size=3),
    st.sampled_from(["in", "out"]),
)


def frame(number: int, ts_recv: int | None = None, venue: str = "okx") -> Frame:
    """A frame that tells which one it is."""
    return Frame(number if ts_recv is None else ts_recv, venue, "wss://x", b'{"n":%d}' % number)


def write(directory: Path, *commits: Sequence[Frame]) -> None:
    """One segment, one record batch for each of `commits`."""
    with Journal(directory, commit_every=1000, fsync=False) as journal:
        for frames in commits:
            for each in frames:
                journal.append(each)
            journal.commit()
