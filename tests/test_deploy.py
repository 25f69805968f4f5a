"""What is installed for good names commands, options and files that exist."""

import configparser
import re
from pathlib import Path

from typer.main import get_command

from deleverage.cli import app

ROOT = Path(__file__).parents[1]


def commands() -> dict[str, set[str]]:
    found = get_command(app).commands  # type: ignore[attr-defined]  # a group; its class is not exported
    return {name: {o for p in command.params for o in (*p.opts, *p.secondary_opts)} for name, command in found.items()}


def test_the_unit_starts_a_command_that_exists() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    unit.read_string(re.sub(r"^Environment=.*\n", "", (ROOT / "deploy/deleverage.service").read_text(), flags=re.M))
    program, command, *options = unit["Service"]["ExecStart"].split()
    assert program.endswith("/deleverage") and command in commands() and set(options) <= commands()[command]
    assert unit["Service"]["KillSignal"] == "SIGTERM" and unit["Service"]["Restart"] == "on-failure"


def test_the_container_copies_what_is_there() -> None:
    text = (ROOT / "deploy/Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.M):
        *sources, _ = line.split()
        assert all((ROOT / source).exists() for source in sources), line
    assert "USER deleverage" in text and "HEALTHCHECK" in text and 'CMD ["up", "--live"]' in text
