"""How much of a window was being received, from the spans of the connections that carried it."""

from collections.abc import Iterable, Sequence

import msgspec


class Span(msgspec.Struct, frozen=True):
    """A stretch [start, end) in which a venue was being received; `end` None: still open. ns UTC on our clock.

    `liquidations` tells whether the connection carried liquidations. `basis`: `connection` (opened and closed rows),
    `inferred` (from the frames alone: a silence of ten minutes ends it) or `import` (first to last row of a file).
    `known` is when the span itself became known (0: with its frames), ns UTC.
    """

    venue: str
    route: str
    start: int
    end: int | None
    liquidations: bool
    basis: str
    known: int = 0


def stretches(spans: Iterable[Span], start: int, end: int) -> list[tuple[int, int]]:
    """Merge the parts of spans inside [start, end) into disjoint stretches, in order. An open span reaches to `end`.

    >>> stretches([Span("a", "", 0, 4, True, ""), Span("a", "", 2, 6, True, ""), Span("a", "", 9, None, True, "")], 1, 10)
    [(1, 6), (9, 10)]
    """
    merged: list[tuple[int, int]] = []
    for low, high in sorted((max(s.start, start), min(end if s.end is None else s.end, end)) for s in spans):
        if low >= high:
            continue
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def coverage(spans: Iterable[Span], start: int, end: int) -> float:
    """Return the share of [start, end), in ns, that the spans cover, 0–1.

    >>> coverage([Span("a", "", 0, 5, True, "")], 0, 10)
    0.5
    """
    if end <= start:
        return 0.0
    return sum(high - low for low, high in stretches(spans, start, end)) / (end - start)


def of_liquidations(spans: Sequence[Span], venue: str) -> list[Span]:
    """Keep the spans in which a venue's liquidations were being received."""
    return [s for s in spans if s.venue == venue and s.liquidations]


def cut(span: Span, venue: str, start: int, end: int | None) -> list[Span]:
    """Say of a span that no liquidations were received in [start, end) of it; `end` None: up to its end.

    >>> [(p.start, p.end, p.liquidations) for p in cut(Span("a", "", 0, 9, True, ""), "a", 3, 5)]
    [(0, 3, True), (3, 5, False), (5, 9, True)]
    """
    low, high = max(start, span.start), _sooner(end, span.end)
    if span.venue != venue or not span.liquidations or (high is not None and low >= high) or (span.end is not None and low >= span.end):
        return [span]
    parts = [(span.start, low, True), (low, high, False)]
    if high is not None and high != span.end:
        parts.append((high, span.end, True))
    return [msgspec.structs.replace(span, start=a, end=b, liquidations=heard) for a, b, heard in parts if b is None or a < b]


def _sooner(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else min(a, b)
