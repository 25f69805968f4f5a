"""The peers' own environment, `benchmarks/.peers`, and the workers that run in it. Never among the project's requirements.

.venv/bin/python benchmarks/peers.py        makes it once; says so when a peer cannot be installed, and goes on
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOME = HERE / ".peers"
PYTHON = HOME / "bin" / "python"
PEERS = {"cryptofeed": ("cryptofeed==2.4.1", "peer_cryptofeed.py"), "ccxt.pro": ("ccxt==4.5.90", "peer_ccxt.py")}
"""What pip is asked for, and the worker, by name."""
OPTION_PEERS = {"vollib": ("vollib==1.0.11", "peer_options.py"), "lets_be_rational": ("lets_be_rational==1.1.2", "peer_options.py")}
"""Likewise, for options.py."""
EVERY = PEERS | OPTION_PEERS


class Worker:
    """One peer in a process of its own, making a pass over a file of messages (or of options) whenever it is asked to."""

    def __init__(self, name: str, messages: Path) -> None:
        """Start the process; `problem` says why there is none."""
        self.name, self.problem, self._process = name, "", None
        if not is_installed(name):
            self.problem = "not installed; benchmarks/peers.py installs it"
            return
        command = [str(PYTHON), str(HERE / EVERY[name][1]), str(messages)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def one_pass(self) -> dict[str, Any] | None:
        """Make one pass and return what it said; None, with `problem` set, when the peer fails."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None or process.stderr is None:
            return None
        try:
            process.stdin.write("\n")
            process.stdin.flush()
            found: dict[str, Any] = json.loads(process.stdout.readline())
            return found
        except (OSError, ValueError):
            self._process = None
            process.kill()
            self.problem = (process.stderr.read().strip().splitlines() or ["no answer"])[-1]
            return None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()


def is_installed(name: str) -> bool:
    """Tell whether the peer can be imported in its environment."""
    module = name.partition(".")[0]
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", f"import {module}"], capture_output=True).returncode == 0


def prepare() -> dict[str, str]:
    """Make the environment and install what is missing. Returns the peers that could not be installed, with the reason."""
    missing = [name for name in EVERY if not is_installed(name)]
    failed: dict[str, str] = {}
    if missing and not PYTHON.exists():
        venv.create(HOME, with_pip=True)
        (HOME / ".gitignore").write_text("*\n")
    for name in missing:
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", EVERY[name][0]]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not is_installed(name):
            failed[name] = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return failed


def main() -> None:
    failed = prepare()
    for name, (wanted, _) in EVERY.items():
        print(f"{wanted}: {'cannot be installed here: ' + failed[name] if name in failed else 'installed'}", file=sys.stderr)


if __name__ == "__main__":
    main()
