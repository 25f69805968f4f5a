"""A Markdown text as sentences and tables, marks removed."""

import re
from typing import NamedTuple

_STOP = re.compile(r"(?<=[.!?…])[\"”’)\]*_]*\s+(?=[\"“‘(\[*_$~≈]*[A-Z0-9$\"“(])")
_ABBREVIATED = re.compile(
    r"(?:\b(?:U\.S|U\.K|vs|approx|c|ca|e\.g|i\.e|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|No|Mr|Ms|Dr|St|Inc|Ltd"
    r"|a\.m|p\.m|est)\.)$"
)
_RULE = re.compile(r"^\s*(?:\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?|\|\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)+\|?)\s*$")
MOST = 400_000
"""Characters read of a text; a report is far shorter."""


LONGEST = 900
"""Characters of a sentence."""
SHORT = 72
"""Characters of a line that was ended on purpose."""
_LABELLED = re.compile(r"\W{0,4}[A-Z0-9][\w&/ .-]{0,24}(?:\([^)]{0,12}\))?:\s")
_UNSEEN = re.compile(
    r"\x1b\[[0-9;?]{0,20}[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, and those that turn or hide text: a finding is printed to a terminal."""


class Sentence(NamedTuple):
    """A sentence, its paragraph, and its place in the text. `is_heading`: a line of its own."""

    text: str
    block: int
    order: int
    is_heading: bool = False


class Table(NamedTuple):
    """A table: heads, rows of as many cells, each row's own line, the title over it ('' without), its place."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    title: str
    block: int
    order: int


def read(text: str) -> tuple[list[Sentence], list[Table]]:
    """Cut a text into sentences and Markdown tables, in their order.

    >>> sentences, tables = read("# Day\\n\\n**2.0 bn** went. Longs 1.9 bn.\\n\\n| a | b |\\n|---|---|\\n| x | 1 |")
    >>> [s.text for s in sentences], tables[0].rows
    (['Day', '2.0 bn went.', 'Longs 1.9 bn.'], (('x', '1'),))
    """
    text = text[:MOST].replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\u202f", " ")
    lines = _UNSEEN.sub("", text).split("\n")
    sentences: list[Sentence] = []
    tables: list[Table] = []
    held: list[str] = []
    block = order = 0
    is_code = False

    def flush() -> None:
        nonlocal order, block
        if held:
            for piece in _cut(" ".join(held)):
                sentences.append(Sentence(piece, block, order))
                order += 1
            held.clear()
            block += 1

    i = 0
    while i < len(lines):
        line = lines[i]
        if re.match(r"\s*\[\^[^\]]+\]:", line):
            flush()  # a footnote says where a number is from; it is no claim
        elif line.lstrip().startswith(("```", "~~~")):
            flush()
            is_code = not is_code
        elif "|" in line and i + 1 < len(lines) and _RULE.match(lines[i + 1]) and "-" in lines[i + 1] and not is_code:
            flush()
            heads = _cells(line)
            i += 2
            rows, own = [], []
            while i < len(lines) and "|" in lines[i]:
                cells = _cells(lines[i])
                rows.append(tuple((cells + [""] * len(heads))[: len(heads)]))
                own.append(lines[i].strip())
                i += 1
            title = sentences[-1].text if sentences else ""
            tables.append(Table(tuple(heads), tuple(rows), tuple(own), title, block, order))
            order += 1
            block += 1
            continue
        elif not line.strip():
            flush()
        elif re.match(r"\s*(?:#{1,6}\s|[-*+•]\s|\d{1,2}[.)]\s|>)", line):
            marked = bool(re.match(r"\s*#", line))
            if marked or not held or re.match(r"\s*(?:[-*+•]\s|\d{1,2}[.)]\s)", line):
                keep = block
                flush()
                if not marked and keep != block and sentences:
                    block = keep  # items of a list stay in the paragraph that opens it
            held.append(_clean(re.sub(r"^\s*(?:#{1,6}\s+|[-*+•]\s+|\d{1,2}[.)]\s+|>+\s?)+", "", line)))
            if marked:
                for piece in _cut(held[0]):
                    sentences.append(Sentence(piece, block, order, True))
                    order += 1
                held.clear()
                block += 1
        else:
            if held and len(held[-1]) < SHORT and len(line) < SHORT * 2 and _LABELLED.match(_clean(line)):
                keep = block
                flush()
                block = keep  # lines of a tweet, each of its own
            held.append(_clean(line))
        i += 1
    flush()
    return sentences, tables


def _clean(line: str) -> str:
    line = re.sub(r"!?\[([^\]]*)\]\([^)\s]*\)", r"\1", line.strip())
    line = re.sub(r"\s?\[\^?\d{1,3}\](?!\()", "", line)
    line = re.sub(r"<[a-zA-Z/][^>]{0,200}>", "", line)
    return re.sub(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=[\w.,%])[*_](?!\w)", "", line)


def _cells(line: str) -> list[str]:
    return [_clean(cell) for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _cut(paragraph: str) -> list[str]:
    found: list[str] = []
    for piece in _STOP.split(paragraph):
        if found and _ABBREVIATED.search(found[-1]):
            found[-1] += " " + piece
        elif piece.strip():
            found += _short(piece.strip())
    return found


def _short(sentence: str) -> list[str]:
    """A sentence no writer would write, cut where words end, so that no pattern is held against endless text."""
    pieces = []
    while len(sentence) > LONGEST:
        cut = sentence.rfind(" ", LONGEST // 2, LONGEST)
        cut = cut if cut > 0 else LONGEST
        pieces.append(sentence[:cut])
        sentence = sentence[cut:].lstrip()
    return [*pieces, sentence] if sentence else pieces
