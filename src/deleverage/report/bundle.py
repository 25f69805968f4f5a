"""A report's data pack: a zip with the report, its figures, and the rows they were made of as Parquet. The same report, the same bytes."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import polars as pl

from deleverage import __version__
from deleverage.errors import BadInput
from deleverage.report.document import Report
from deleverage.report.reading import Question, Reading
from deleverage.report.render import TEMPLATES, Form, figure_document, render

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the format begins there."""
LARGEST = 4 << 30
README = """This is the data pack of a report by deleverage.

report.*       the report
figures.json   every figure that could be stated: value, unit, times, status, interval, coverage, source rows, hash
question.json  the window asked for (ns UTC)
rows/*.parquet the rows it was all made of; a figure's `sources` name them by table and filters
manifest.json  SHA-256 of every file

deleverage verify FILE recomputes each figure from the rows and prints every difference.
"""


class Manifest(msgspec.Struct, frozen=True):
    """SHA-256 by file name, and the version that made them."""

    version: str
    files: dict[str, str]


def pack(reading: Reading, report: Report, forms: tuple[Form, ...], templates: Path | None = None) -> bytes:
    """Write the data pack of a report in some forms; templates of the user's own go with it."""
    files: dict[str, bytes] = {"README.txt": README.encode(), "question.json": _json(reading.question)}
    for form in forms:
        files[f"report.{form}"] = render(report, form, templates)
    every = {**report.figures, **report.printed()}
    files["figures.json"] = _json({name: figure_document(figure) for name, figure in every.items()})
    for name in reading.frames:
        files[f"rows/{name}.parquet"] = _parquet(reading.plain(name))
    if reading.before is not None:
        for name in reading.before.frames:
            files[f"rows/before/{name}.parquet"] = _parquet(reading.before.plain(name))
    if templates is not None:
        for path in sorted(templates.iterdir()):
            if path.name in {own.name for own in TEMPLATES.iterdir()}:
                files[f"templates/{path.name}"] = path.read_bytes()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files["manifest.json"] = _json(Manifest(__version__, sums))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return sink.getvalue()


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _parquet(rows: pl.DataFrame) -> bytes:
    """Write rows in a total order."""
    flat = [name for name, kind in rows.schema.items() if not kind.is_nested()]
    sink = io.BytesIO()
    rows.sort(flat, nulls_last=False).write_parquet(sink, compression="zstd", statistics=True)
    return sink.getvalue()


def unpack(content: bytes, name: str) -> dict[str, bytes]:
    """Return the files of a pack by name. Raises BadInput for what is no pack, or would not fit in memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise BadInput(f"{name} unpacks to over {LARGEST >> 30} GB: no report is that large")
            files = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise BadInput(f"{name} cannot be read as a data pack: {error}") from None
    if "question.json" not in files:
        raise BadInput(f"{name} holds no question.json: it is no data pack of a report")
    return files


def reading_of(files: Mapping[str, bytes]) -> Reading:
    """Make the reading of a pack's rows. Raises BadInput naming the file that cannot be read."""
    try:
        question = msgspec.json.decode(files["question.json"], type=Question)
    except msgspec.MsgspecError as error:
        raise BadInput(f"question.json cannot be read: {error}") from None
    found = Reading(question, _frames(files, "rows/"))
    if any(name.startswith("rows/before/") for name in files):
        found.before = Reading(msgspec.structs.replace(question, as_of=question.at), _frames(files, "rows/before/"))
    return found


def _frames(files: Mapping[str, bytes], folder: str) -> dict[str, pl.DataFrame]:
    frames = {}
    for name, content in files.items():
        inside = name.removeprefix(folder)
        if name.startswith(folder) and "/" not in inside and inside.endswith(".parquet"):
            try:
                frames[inside.removesuffix(".parquet")] = pl.read_parquet(io.BytesIO(content))
            except (pl.exceptions.PolarsError, OSError) as error:
                raise BadInput(f"{name} cannot be read: {' '.join(str(error).split())[:160]}") from None
    return frames
