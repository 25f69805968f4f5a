"""Frames into a data directory: journalled first, then the tables of every venue they touch are made anew from the journal.

Tables are a function of the set of frames, ordered by (ts_recv, sequence): importing in two halves, in either order, or
twice, gives the same tables. A venue's tables are replaced in one transaction, so a crash leaves the old ones.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from deleverage.collect.pipeline import Pipeline, Tally
from deleverage.errors import BadInput, StoreError
from deleverage.events import Event
from deleverage.instruments import Instrument
from deleverage.journal.file import Journal
from deleverage.journal.frame import Frame, frame_digest
from deleverage.journal.interchange import read_source
from deleverage.journal.reading import known_frames, read_frames, summary
from deleverage.journal.upkeep import retired
from deleverage.recordings import bundled
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.store.store import JOURNAL, Ingested, Store

BATCH = 50_000
"""Events appended to the tables at a time."""


class ListedLate(Exception):
    """A contract's listing came after events it explains: the venue has to be read once more, with its listings known."""

    def __init__(self, listed: Mapping[str, Sequence[Instrument]]) -> None:
        super().__init__("listed late")
        self.listed = listed


def import_frames(
    folder: Folder, store: Store, *sources: Iterable[Frame], progress: Callable[[int], None] = lambda frames: None
) -> tuple[Tally, int]:
    """Bring sources of frames in; returns what was in them and how many were new. `progress` is called with the frames so far.

    Frames the journal or an earlier source already holds (same receipt time, venue, route and payload) are not taken again;
    repeats within one source are. Nothing is written to the tables if reading fails; what was journalled before the
    failure is picked up by `catch_up`.
    """
    held: Counter[bytes] = known_frames(folder.journal)
    remember = bool(held) or len(sources) > 1
    pipeline = Pipeline(lambda events: None)
    touched: set[str] = set()
    new = seen = 0
    with Journal(folder.journal) as journal:
        for source in sources:
            known = held.copy()
            for frame in source:
                pipeline.feed(frame)
                seen += 1
                if seen % 5000 == 0:
                    progress(seen)
                if remember:
                    digest = frame_digest(frame)
                    if known[digest] > 0:
                        known[digest] -= 1
                        continue
                    held[digest] += 1
                journal.append(frame)
                new += 1
                touched.add(frame.venue)
    for venue in sorted(touched):
        rebuild(folder, store, venue)
    return pipeline.finish(), new


def rebuild(folder: Folder, store: Store, venue: str) -> None:
    """Make a venue's tables anew from the journal. Reads it twice when a listing came after the events it explains."""
    listed = {venue: known_contracts(store, venue)} if retired(folder.journal).get(venue) else {}
    try:
        _rebuild(folder, store, venue, listed)
    except ListedLate as late:
        _rebuild(folder, store, venue, late.listed)


def _rebuild(folder: Folder, store: Store, venue: str, listed: Mapping[str, Sequence[Instrument]]) -> None:
    waiting: list[Event] = []
    pipeline = Pipeline(waiting.extend, listed)
    gone = retired(folder.journal).get(venue, 0)  # what was let go cannot be read again: its rows and spans stay
    since = (summary(folder.journal).first or 0) if gone else 0
    before = [s for s in store.spans() if s.venue == venue and s.basis != "import" and s.start < since]
    kept = [msgspec.structs.replace(s, end=since if s.end is None else min(s.end, since)) for s in before]
    with store.rebuilding(venue, since):
        rows, last = gone, 0
        for frame in read_frames(folder.journal, venue=venue):
            pipeline.feed(frame)
            rows, last = rows + 1, frame.ts_recv
            if len(waiting) >= BATCH:
                store.append(waiting)
                waiting.clear()
        if pipeline.stale and not listed:
            raise ListedLate({name: list(found.values()) for name, found in pipeline.first_listed.items()})
        store.append(waiting)
        store.write_spans([*kept, *pipeline.spans()], venue)
        tally = pipeline.finish()
        made = Ingested(rows, sum(tally.events.values()), tally.errors + tally.unknown, last, pipeline.resume(venue, last))
        store.set_ingested(venue, made)


def catch_up(folder: Folder, store: Store) -> list[str]:
    """Bring the venues whose journal holds another number of rows than their tables were made from up to it; returns their names.

    Tables that live collection left without closing them go on where its last checkpoint was; all others are made anew.
    """
    ingested = store.ingested()
    gone = retired(folder.journal)
    journalled = {venue: rows + gone.get(venue, 0) for venue, rows in summary(folder.journal).by_venue.items()}
    behind = [v for v, rows in sorted(journalled.items()) if v not in ingested or ingested[v].is_open or ingested[v].rows != rows]
    for venue in behind:
        found = ingested.get(venue)
        if found is None or not found.until or not _resume(folder, store, venue, found, journalled[venue]):
            rebuild(folder, store, venue)
    return behind


def _resume(folder: Folder, store: Store, venue: str, ingested: Ingested, journalled: int) -> bool:
    """Read on from a checkpoint; False when the journal is not what the checkpoint was taken of, and nothing but time was lost."""
    listed = known_contracts(store, venue)
    waiting: list[Event] = []
    is_new = False
    pipeline = Pipeline(lambda events: waiting.extend(events) if is_new else None, {venue: listed})
    kept = [s for s in store.spans() if s.venue == venue and s.end is not None and (s.basis == "import" or s.start < ingested.resume)]
    store.forget(venue, ingested.until + 1)
    rows, parsed, failures, last = ingested.rows, 0, 0, ingested.until
    for frame in read_frames(folder.journal, start=ingested.resume, venue=venue):
        if not is_new and frame.ts_recv > ingested.until:
            is_new, tally = True, pipeline.finish()
            parsed, failures = sum(tally.events.values()), tally.errors + tally.unknown
        rows, last = rows + is_new, frame.ts_recv
        pipeline.feed(frame)
        if len(waiting) >= BATCH:
            store.append(waiting)
            waiting.clear()
    if rows != journalled or pipeline.stale:
        return False
    store.append(waiting)
    spans = [*(s for s in kept if s.basis != "import"), *(s for s in pipeline.spans() if s.start >= ingested.resume)]
    store.write_spans(spans, venue)
    tally = pipeline.finish()
    events, failed = sum(tally.events.values()) - parsed, tally.errors + tally.unknown - failures
    resume = pipeline.resume(venue, last)
    store.set_ingested(venue, Ingested(rows, ingested.events + events, ingested.failures + failed, last, resume))
    return True


def known_contracts(store: Store, venue: str) -> list[Instrument]:
    """Return the venue's contracts as last listed in the tables."""
    rows = store.read("instruments", venue=venue, collapse=True, source=JOURNAL).to_pylist()
    names = Instrument.__struct_fields__
    return [Instrument(**{name: row[name] for name in names if name in row}) for row in rows]


def import_sources(folder: Folder, sources: Sequence[str], progress: Callable[[int], None] = lambda frames: None) -> dict[str, Any]:
    """Bring in bundled recordings (by name), journals and JSON Lines files; returns the report, with `new` frames.

    Raises BadInput naming the file and line for what cannot be read; frames before it stay.
    """
    paths = [bundled()[name].path if name in bundled() else Path(name) for name in sources]
    for path in paths:
        if not path.exists():
            raise BadInput(f"no such file or recording: {path}; bundled recordings: {', '.join(bundled())}")
    folder.create()
    store = open_tables(folder)
    try:
        tally, new = import_frames(folder, store, *map(read_source, paths), progress=progress)
    finally:
        store.close()
    return {**tally.report(), "new": new}


def open_tables(folder: Folder) -> DuckStore:
    """Open the tables for writing. Raises StoreError when a server or another process holds them."""
    serving = folder.serving()
    if serving is not None:
        raise StoreError(f"{folder.path} is being served at {serving.url} (process {serving.pid}); stop it first, or use another --data")
    return DuckStore(folder.tables)
