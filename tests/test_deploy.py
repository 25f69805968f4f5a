"""What is installed for good names commands, options and files that exist."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from deleverage.cli import app
from deleverage.config import load

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


def test_the_settings_of_unit_and_container_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit, container = ((ROOT / "deploy" / name).read_text() for name in ("deleverage.service", "Containerfile"))
    for lines in (re.findall(r"^Environment=(.*)$", unit, re.M), re.findall(r"^ENV (.*)$", container, re.M)):
        variables = dict(pair.split("=", 1) for line in lines for pair in line.split())
        assert variables["DELEVERAGE_LOG__FORMAT"] == "json" and "DELEVERAGE_DATA" in variables
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            (tmp_path / "empty.toml").touch()
            made = load(tmp_path / "empty.toml")
            assert made.log.format == "json" and made.data == Path(variables["DELEVERAGE_DATA"])


def test_the_image_leaves_out_what_was_built_here() -> None:
    lines = (ROOT / "deploy/Containerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    needed = [
        s for line in re.findall(r"^COPY (?!--from)(.*)$", (ROOT / "deploy/Containerfile").read_text(), re.M) for s in line.split()[:-1]
    ]
    assert sorted(set(needed)) == sorted(kept) and lines[1] == "*" and "web/node_modules" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = (ROOT / "deploy/deleverage.service").read_text()
    unit = tmp_path / "deleverage.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M))
    said = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert "deleverage.service" not in said.stderr, said.stderr
