"""A report printed: HTML in one file, Markdown, JSON, PDF. The same report gives the same bytes, whoever prints it and when."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import jinja2
import msgspec
from markupsafe import Markup

from deleverage.errors import BadInput
from deleverage.figure import Figure
from deleverage.report.charts.canvas import LIGHT, NIGHT, RAMP, ramp_properties, style
from deleverage.report.claims import Claim, Shown
from deleverage.report.document import Block, Picture, Report, Table
from deleverage.report.selector import written
from deleverage.when import iso

Form = Literal["html", "md", "pdf", "json", "fragment"]
FORMS: tuple[Form, ...] = get_args(Form)
TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = {"html": "report.html", "fragment": "report.html", "md": "report.md", "pdf": "report.typ"}
PAPER = style(LIGHT, "'Libertinus Serif'")
COLOPHON = (
    "Written by deleverage from the rows it names, by rules and without a language model. Notional is the size of what was force-closed, "
    "not what anyone lost. “deleverage verify” recomputes every figure."
)
MARKS = ("at", "as_of", "window", "base")


def render(report: Report, form: Form, templates: Path | None = None) -> bytes:
    """Print a report. `templates` is a directory whose files come before the package's: report.html, .css, .md, .typ (Jinja).

    Raises BadInput for an unknown form, and where a template cannot be filled in, naming it.
    """
    if form not in FORMS:
        raise BadInput(f"unknown format {form!r}; there are html, md, pdf and json")
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(document(report)), indent=1) + b"\n"
    environment = _environment(templates)
    name = TEMPLATE[form]
    try:
        css = environment.get_template("report.css").render(day=ramp_properties(RAMP), night=ramp_properties(NIGHT)) + style()
        text = environment.get_template(name).render(
            report=report, numbers=report.numbers(), printed=report.printed(), fragment=form == "fragment", css=Markup(css), tip=tip,
            line=line, value=value, marks=marks(report), colophon=COLOPHON, paper=on_paper, wide=is_wide, date=_typst_date(report),
        )  # fmt: skip
    except jinja2.TemplateError as error:
        raise BadInput(f"the template {getattr(error, 'name', None) or name} cannot be filled in: {error}") from None
    except UnicodeDecodeError:
        raise BadInput(f"a template in {templates} is not text in UTF-8") from None
    if form == "pdf":
        return _pdf(text)
    return ((text if form != "md" else _tidy(text)).strip() + "\n").encode()


def _environment(templates: Path | None) -> jinja2.Environment:
    if templates is not None and not templates.is_dir():
        raise BadInput(f"no directory of templates at {templates}")
    places = [*([templates] if templates is not None else []), TEMPLATES]
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(place) for place in places]), undefined=jinja2.StrictUndefined, keep_trailing_newline=False,
        autoescape=lambda name: name is not None and name.endswith(".html"),
    )  # fmt: skip
    found.filters |= {"md": markdown, "typ": typst, "loose": loose}
    return found


def marks(report: Report) -> str:
    """What a file says of itself, so that it can be made again: at=…, as_of=…, window=…, base=…"""
    asked = report.question
    return f"at={asked.at}ns as_of={asked.as_of}ns window={asked.window}ns base={asked.base}"


def value(figure: Figure) -> str:
    """Write a figure's exact value."""
    return "missing" if figure.value is None else repr(figure.value)


def line(figure: Figure) -> str:
    """Write a footnote: exact value, status, interval, coverage, both times, note, hash."""
    parts = [f"{value(figure)} {figure.unit}", figure.status]
    if figure.interval is not None:
        level = "" if figure.level is None else f" ({figure.level:.0%})"
        parts.append(f"interval {figure.interval[0]!r} to {figure.interval[1]!r}{level}")
    if figure.coverage is not None:
        parts.append(f"coverage {figure.coverage:.4f}")
    parts += [f"at {written(figure.at)}", f"as of {written(figure.as_of)}"]
    if figure.missing:
        parts.append(f"missing {', '.join(figure.missing[:8])}{' …' if len(figure.missing) > 8 else ''}")
    if figure.note:
        parts.append(figure.note)
    return " · ".join([*parts, f"hash {figure.inputs_hash}"])


def tip(figure: Figure) -> str:
    """Write what hovering over a number shows."""
    return f"{figure.name}\n" + "\n".join([*line(figure).split(" · "), *(f"rows {s}" for s in figure.sources[:3])])


def on_paper(svg: str) -> str:
    """Give a drawing its colours for print."""
    head, mark, rest = svg.partition("<defs>")
    return f"{head}<style>{PAPER}</style>{mark}{rest}"


def is_wide(table: Table) -> bool:
    """Tell whether the second column of a table holds words."""
    return any(isinstance(row[1], str) and len(row[1]) > 24 for row in table.rows if len(row) > 1)


def markdown(text: str) -> str:
    """Escape what Markdown would read as more than words."""
    for mark in ("\\", "`", "*", "_", "[", "]", "<", "|"):
        text = text.replace(mark, f"\\{mark}")
    return text


def typst(text: str) -> str:
    """Write a string of Typst."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def loose(text: str) -> str:
    """Let an address break where it has a joint."""
    for mark in ("?", "&", "#", ",", "|", "="):
        text = text.replace(mark, f"{mark}\u200b")
    return text


def _tidy(text: str) -> str:
    """Leave one empty line where several stand."""
    lines = [each.rstrip() for each in text.splitlines()]
    return "\n".join(each for number, each in enumerate(lines) if each or (number and lines[number - 1]))


def _typst_date(report: Report) -> str:
    at = datetime.fromtimestamp(min(max(report.question.as_of, 0), 4_102_444_800 * 10**9) // 10**9, UTC)
    return f"datetime(year: {at.year}, month: {at.month}, day: {at.day}, hour: {at.hour}, minute: {at.minute}, second: {at.second})"


def _pdf(text: str) -> bytes:
    """Set the pages. Only the fonts inside the compiler are used, so that every machine sets alike; the pages' date is the report's."""
    import typst as compiler

    try:
        return bytes(compiler.compile(text.encode(), ignore_system_fonts=True, format="pdf"))
    except RuntimeError as error:
        raise BadInput(f"the template report.typ cannot be set: {' '.join(str(error).split())[:300]}") from None


def document(report: Report) -> dict[str, Any]:
    """The report as JSON: its sentences with their figures' names, every figure, and what a rule forbade."""
    asked = report.question
    return {
        "label": report.label, "report": marks(report), "at": iso(asked.at), "as_of": iso(asked.as_of), "window": report.length,
        "base": asked.base, "is_reconstruction": asked.is_reconstruction, "kicker": report.kicker, "headline": _claim(report.headline),
        "lede": [_claim(claim) for claim in report.lede],
        "sections": [{"name": s.name, "title": s.title, "blocks": [_block(b) for b in s.blocks]} for s in report.sections],
        "figures": {name: figure_document(f) for name, f in {**report.figures, **report.printed()}.items()},
        "withheld": [{"rule": rule, "arithmetic": arithmetic} for rule, arithmetic in report.withheld],
    }  # fmt: skip


def figure_document(figure: Figure) -> dict[str, Any]:
    """A figure as JSON; times in ISO 8601, exact."""
    found: dict[str, Any] = msgspec.to_builtins(figure)
    return found | {"at": written(figure.at), "as_of": written(figure.as_of)}


def _claim(claim: Claim) -> dict[str, Any]:
    return {"text": claim.text, "parts": [_part(part) for part in claim.parts], "rules": list(claim.rules)}


def _part(part: str | Shown) -> Any:
    return part if isinstance(part, str) else {"figure": part.figure.name, "text": part.text}


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Table):
        return {
            "kind": block.kind, "title": block.title, "heads": list(block.heads),
            "rows": [[_part(cell) for cell in row] for row in block.rows], "note": block.note, "has_total": block.has_total,
        }  # fmt: skip
    if isinstance(block, Picture):
        return {"kind": block.kind, "title": _claim(block.title), "chart": block.chart.name, "alt": block.chart.alt}
    return {"kind": block.kind, "claims": [_claim(claim) for claim in block.claims]}
