"""Write the reports of docs/examples: a day of stress and a quiet one, from the bundled recordings, and one of a reconstruction.

    python benchmarks/report_examples.py [--history DIR] [--out docs/examples] [--reconstruction | --recordings]

DIR holds fear_greed/fng.csv and fred/*.csv (see docs/importing-history.md); without it the reports stand on the recordings alone.
Only the quiet day's data pack is kept: it holds nothing but the recording. Runs the command line, so that what is kept is what a user gets.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = [sys.executable, "-m", "deleverage.cli"]
STRESS = ("binance-2025-01-26", "2025-01-27T17:20:30Z", "1h", "stress-2025-01-27")
QUIET = ("bybit-2026-10-10", "2026-10-10T01:10:00Z", "1h", "quiet-2026-10-10")
MADE = ("2025-11-21", "2025-11-21T15:00:00Z", "24h", "reconstruction-2025-11-21")
SERIES = {"DGS10": "1d", "DFII10": "1d", "DTWEXBGS": "7d"}


def run(*arguments: str) -> None:
    subprocess.run([*RUN, *arguments], check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)


def history(folder: Path, data: str) -> None:
    """Bring in sentiment and yields: what may be shown, with its attribution."""
    run("import", "sentiment_readings", str(folder / "fear_greed/fng.csv"), "--column", "ts_event=timestamp",
        "--set", "venue=alternative.me", "--set", "index_name=fear_and_greed", "--lag", "0s", "--data", data)  # fmt: skip
    for series, lag in SERIES.items():
        run("import", "macro_observations", str(folder / f"fred/{series}.csv"), "--column", "observation_date=date", "--column",
            f"value={series}", "--set", "venue=fred", "--lag", lag, "--data", data)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--history", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "examples")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--reconstruction", action="store_true", help="only that of 21 November 2025")
    only.add_argument("--recordings", action="store_true", help="only those of recordings")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for source, at, window, name in (*([] if asked.reconstruction else [STRESS, QUIET]), *([] if asked.recordings else [MADE])):
        with tempfile.TemporaryDirectory() as data:
            run("replay", source, "--data", data)
            if asked.history is not None and name == STRESS[3]:
                history(asked.history, data)
            for form in ("html", "pdf"):
                file = asked.out / f"{name}.{form}"
                more = ["--bundle"] if form == "html" and name == QUIET[3] else []
                run("report", "--at", at, "--window", window, "--format", form, "-o", str(file), "--data", data, *more)
            print(f"{name}: {', '.join(f'{f.name} {f.stat().st_size:,} bytes' for f in sorted(asked.out.glob(f'{name}*')))}")


if __name__ == "__main__":
    main()
