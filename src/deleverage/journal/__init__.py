"""The raw recording: append-only segments of frames as they were received, from which every table can be rebuilt."""

from deleverage.journal.file import Journal, JournalSummary, Repair, compact, known_frames, read_batches, read_frames, summary
from deleverage.journal.frame import Frame, frame_digest
from deleverage.journal.interchange import read_jsonl, read_source, write_jsonl

__all__ = [
    "Frame",
    "Journal",
    "JournalSummary",
    "Repair",
    "compact",
    "frame_digest",
    "known_frames",
    "read_batches",
    "read_frames",
    "read_jsonl",
    "read_source",
    "summary",
    "write_jsonl",
]
