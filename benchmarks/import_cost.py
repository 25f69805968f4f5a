"""What `import deleverage` costs beside `import polars`, in fresh processes taken in turn, and that it opens and starts nothing.

    .venv/bin/python benchmarks/import_cost.py [--json] [--rounds 15]

Goal: less than importing polars plus 100 ms. Opening is seen by Python's own audit events, threads by counting them.
"""

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any

MARGIN_MS = 100
CODE = {
    "nothing": "",
    "deleverage": "import deleverage",
    "the whole of deleverage": "import deleverage.reader, deleverage.cli",
    "polars": "import polars",
}
"""What is imported, by name; `the whole` is what the first call needs, for comparison."""
TIMED = "import time; t = time.perf_counter()\n{}\nprint((time.perf_counter() - t) * 1000)"
WATCHED = """
import sys, threading
seen = []
def watch(event, given):
    if event == "open" and isinstance(given[0], (str, bytes)) and not str(given[0]).endswith((".py", ".pyc", ".so", ".pth")):
        seen.append(f"opens {given[0]}")
    if event.startswith(("socket.", "subprocess.", "os.fork", "os.posix_spawn", "_thread.start", "sqlite3.")):
        seen.append(event)
sys.addaudithook(watch)
import deleverage
seen += [f"thread {t.name}" for t in threading.enumerate() if t is not threading.main_thread()]
print(chr(10).join(seen))
"""


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def run(rounds: int) -> dict[str, Any]:
    """Import each in turn, so often; returns medians in ms, and what importing deleverage did besides."""
    times: dict[str, list[float]] = {name: [] for name in CODE}
    for _ in range(rounds + 1):
        for name, code in CODE.items():
            times[name].append(float(_run(TIMED.format(code))))
    found = {name: round(median(values[1:]), 1) for name, values in times.items()}  # the first round fills the disk cache
    limit = found["polars"] + MARGIN_MS
    side_effects = _run(WATCHED).splitlines()
    return {
        "milliseconds": found,
        "limit": round(limit, 1),
        "met": found["deleverage"] < limit,
        "side_effects": side_effects,
        "opens_nothing": not side_effects,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--rounds", type=int, default=15)
    wanted = parser.parse_args()
    report = run(wanted.rounds)
    if wanted.json:
        print(json.dumps(report, indent=1))
        return
    for name, milliseconds in report["milliseconds"].items():
        print(f"import {name:26} {milliseconds:8.1f} ms")
    print(f"{'met   ' if report['met'] else 'MISSED'} less than polars plus {MARGIN_MS} ms ({report['limit']} ms)")
    print(f"{'met   ' if report['opens_nothing'] else 'MISSED'} opens and starts nothing {' · '.join(report['side_effects'])}")


if __name__ == "__main__":
    main()
