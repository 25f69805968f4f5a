"""The documentation is true: generated pages are fresh, links lead somewhere, README commands do what they say."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from deleverage import config
from deleverage.docs import PAGES
from deleverage.venues import VENUES
from tests.cli.test_cli import run

ROOT = Path(__file__).parents[1]
PAGES_BY_HAND = [
    p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")] if "node_modules" not in p.parts
]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("page", PAGES_BY_HAND, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_readme_opens_with_what_it_is_a_picture_and_two_commands() -> None:
    first = (ROOT / "README.md").read_text().splitlines()[:20]
    text = "\n".join(first)
    assert "![" in text and "make run" in text and "make test" in text and "self-hosted" in text


def test_readme_commands_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text()
    commands = [line.split("#")[0].strip() for line in text.splitlines() if line.startswith("deleverage ")]
    assert len(commands) >= 5
    monkeypatch.chdir(tmp_path)
    for command in commands:
        words = shlex.split(command)[1:]
        if words[0] == "up":
            continue  # runs until stopped; tests/api/test_up.py starts it
        if "capture.jsonl.gz" in words:
            run(capsys, "export", "raw", "--data", "my-data", "-o", "capture.jsonl.gz")
        code, out, err = run(capsys, *words)
        assert code == 0 and out, (command, err)


def test_readme_python_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(capsys, "replay", "binance-2025-01-26", "--data", "my-data")
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    names: dict[str, object] = {}
    exec(code, names)  # our own README
    assert len(names["orders"]) == 16  # type: ignore[arg-type]  # counted in the capture by hand


def test_every_setting_route_command_and_venue_is_documented() -> None:
    page = (ROOT / "docs/reference.md").read_text()
    for word in ("GET /v1/intake", "GET /metrics", "deleverage record", "deleverage doctor", "deleverage simulate"):
        assert word in page
    settings = (ROOT / "docs/settings.md").read_text()
    for row in config.effective(config.Settings.model_construct()):
        if not row["setting"].startswith("venues."):
            assert f"`{row['setting']}`" in settings
    for venue in VENUES.values():
        text = (ROOT / f"docs/venues/{venue.name}.md").read_text()
        rules = {c.rule for c in venue.coverage}
        assert rules and all(rule in text or rule.replace("_", " ") in text for rule in rules), f"{venue.name}: {rules}"


def test_nothing_names_a_machine_or_a_registry() -> None:
    if shutil.which("git") is None:
        pytest.skip("no git here")
    import subprocess

    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    hosts = re.compile(r"py" r"pi\.org|registry\.np" r"mjs|pythonhos" r"ted|deb\.deb" r"ian")
    for name in filter(None, files):
        path = ROOT / name
        if (
            path.suffix in {".md", ".py", ".txt", ".toml", ".json", ".ts", ".tsx", ".css", ""}
            and path.is_file()
            and path.stat().st_size < 2_000_000
        ):
            assert not hosts.search(path.read_text(errors="replace")), name
