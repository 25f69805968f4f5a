"""Whether a report says what its rows say: every figure made again, its value, words and hash compared, the whole printed again."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from polars.exceptions import PolarsError

from deleverage.errors import BadInput
from deleverage.report.bundle import Manifest, reading_of, unpack
from deleverage.report.compose import compose
from deleverage.report.document import Report
from deleverage.report.reading import Reading
from deleverage.report.render import FORMS, Form, figure_document, render

MARK = re.compile(rb"at=(\d{1,19})ns as_of=(\d{1,19})ns window=(\d{1,19})ns base=([A-Za-z0-9.-]{1,20})")
WORD = re.compile(r"[^\s<>]+")
NAMED = re.compile(r'data-figure="([^"]+)"|id="f\d+"[^>]*><b>\d+ · ([^<]+)</b>|"figure": "([^"]+)"|^\[\^\d+\]: `([^`]+)`')
MOST = 50


class Difference(NamedTuple):
    """One thing that is not as the rows have it: where, what was said, what was found."""

    where: str
    said: str
    found: str


class Verdict(NamedTuple):
    """How a verification ended: `figures` compared, `from_rows` of the pack or of a data directory, and the differences."""

    file: str
    figures: int
    against: str
    differences: tuple[Difference, ...]


Read = Callable[[int, int, int, str], Reading]
"""Reads (at, as_of, window, base) of a data directory."""


def verify(path: Path, read: Read | None = None, templates: Path | None = None) -> Verdict:
    """Verify a data pack from its own rows, or a report by itself from a data directory (`read`).

    Raises BadInput for a file that is neither, or a report without a directory to compare with.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    if content[:2] == b"PK":
        return _pack(content, path.name)
    found = MARK.search(content)
    if found is None:
        raise BadInput(f"{path.name} is no report or data pack of deleverage: it does not say its moment")
    if read is None:
        raise BadInput(f"{path.name} has no rows of its own; name the data directory it was written from with --data, or verify its .zip")
    at, as_of, window = (int(part) for part in found.groups()[:3])
    if not window:
        raise BadInput(f"{path.name} speaks of an empty window")
    report = compose(read(at, as_of, window, found[4].decode()))
    form = _form(content)
    compared: list[Difference] = []
    if form == "json":
        compared += _figures(_said_figures(content, path.name), report)
    compared += _text(path.name, content, render(report, form, templates))
    return Verdict(path.name, len(report.printed()), "the data directory", tuple(compared[:MOST]))


def _form(content: bytes) -> Form:
    head = content[:200].lstrip()
    if head.startswith(b"%PDF"):
        return "pdf"
    if head.startswith(b"{"):
        return "json"
    if head.startswith(b"<!doctype"):
        return "html"
    return "fragment" if head.startswith(b"<style") else "md"


def _pack(content: bytes, name: str) -> Verdict:
    files = unpack(content, name)
    compared = _hashes(files)
    reading = reading_of(files)
    try:
        report = compose(reading)
    except (KeyError, ValueError, TypeError, ArithmeticError, PolarsError) as error:  # rows that were tampered with need not make sense
        lost = Difference("rows", "rows a report can be made of", f"none can: {type(error).__name__} {' '.join(str(error).split())[:120]}")
        return Verdict(name, 0, "its own rows", (*compared, lost))
    compared += _figures(_said_figures(files.get("figures.json", b"{}"), "figures.json"), report)
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        for each, text in files.items():
            if each.startswith("templates/") and "/" not in each.removeprefix("templates/"):
                (own / each.removeprefix("templates/")).write_bytes(text)
        for each in sorted(files):
            form = each.removeprefix("report.")
            if each.startswith("report.") and form in FORMS:
                compared += _text(each, files[each], render(report, form, own if any(own.iterdir()) else None))
    return Verdict(name, len({**report.figures, **report.printed()}), "its own rows", tuple(compared[:MOST]))


def _hashes(files: Mapping[str, bytes]) -> list[Difference]:
    try:
        manifest = msgspec.json.decode(files.get("manifest.json", b""), type=Manifest)
    except msgspec.MsgspecError:
        return [Difference("manifest.json", "a list of files with their hashes", "none that can be read")]
    found = []
    for name in sorted({*manifest.files, *files} - {"manifest.json"}):
        said, is_there = manifest.files.get(name), name in files
        actual = hashlib.sha256(files[name]).hexdigest() if is_there else "no such file"
        if said != actual:
            found.append(Difference(f"{name}: SHA-256", said or "not listed", actual))
    return found


def _said_figures(content: bytes, name: str) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(content)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{name} cannot be read: {error}") from None
    found = said.get("figures", said) if isinstance(said, dict) else None
    if not isinstance(found, dict):
        raise BadInput(f"{name} holds no figures")
    return found


def _figures(said: Mapping[str, Any], report: Report) -> list[Difference]:
    """Compare figures field by field, exactly: what a model gives is kept to the digits that mean anything."""
    made = {name: _plain(figure_document(figure)) for name, figure in {**report.figures, **report.printed()}.items()}
    found = []
    for name in dict.fromkeys([*said, *made]):
        if name not in made or name not in said:
            is_said = name in said
            found.append(
                Difference(f"figure {name}", "stated" if is_said else "not stated", "no such figure" if is_said else "there is one")
            )
            continue
        if not isinstance(said[name], dict):
            found.append(Difference(f"figure {name}", str(said[name])[:60], "a figure"))
            continue
        for field in dict.fromkeys([*made[name], *said[name]]):
            one, other = said[name].get(field), made[name].get(field)
            if one != other:
                found.append(Difference(f"figure {name}: {field}", str(one), str(other)))
    return found


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """A figure as it comes back from JSON."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return found


def _text(name: str, said: bytes, made: bytes) -> list[Difference]:
    """Compare what was printed, byte by byte, and name the words that differ and the figure they speak of."""
    if said == made:
        return []
    if said[:4] == b"%PDF":
        at = next((i for i, (a, b) in enumerate(zip(said, made, strict=False)) if a != b), min(len(said), len(made)))
        return [Difference(name, f"{len(said)} bytes", f"the pages set again differ from byte {at} on ({len(made)} bytes)")]
    found = []
    ours, theirs = made.decode().splitlines(), said.decode(errors="replace").splitlines()
    for kind, a, b, c, d in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
        if kind != "equal":
            found += _words(name, "\n".join(theirs[a:b]), "\n".join(ours[c:d]), "\n".join(theirs[max(a - 40, 0) : a]), b)
    return found or [Difference(name, "the bytes as they are", "line ends or spaces differ")]


def _words(name: str, said: str, made: str, before: str, line: int) -> list[Difference]:
    """Say which words differ; the figure is the last one named up to there, in the lines `before` at most."""
    one, other = WORD.findall(said), WORD.findall(made)
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        words = " ".join(one[a:b]) or "nothing", " ".join(other[c:d]) or "nothing"
        place = len(before) + 1 + (said.find(one[a]) if a < len(one) else len(said))
        named = list(NAMED.finditer(f"{before}\n{said}", 0, place + 1))
        figure = next((g for g in named[-1].groups() if g), "") if named else ""
        found.append(Difference(f"{name}, line {line}{f', {figure}' if figure else ''}", words[0][:160], words[1][:160]))
    return found
