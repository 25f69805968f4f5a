"""Write the generated pages: `python -m deleverage.docs` from a checkout."""

from pathlib import Path

from deleverage.reference import collected_page, reference, settings_page
from deleverage.tables import data_dictionary

PAGES = {
    "docs/data-dictionary.md": data_dictionary, "docs/reference.md": reference, "docs/settings.md": settings_page,
    "docs/collected.md": collected_page,
}  # fmt: skip
"""Each generated page, and what writes it."""


def write(root: Path) -> list[Path]:
    """Write every generated page below `root`; return the files that changed."""
    changed = []
    for name, page in PAGES.items():
        path, text = root / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for changed_file in write(Path.cwd()):
        print(changed_file)  # noqa: T201 - a build tool
