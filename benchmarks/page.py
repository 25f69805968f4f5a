"""The first minute in a real browser: from a bare data directory to a filled page, what it weighs, when it paints, and whether it stutters.

Serves the reconstruction from nothing, opens the first page in Chromium, and lets the fall of 07:00 UTC run past at twenty times its speed.

    .venv/bin/python benchmarks/page.py [--seconds 20]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

PORT = 8096
URL = f"http://127.0.0.1:{PORT}"
OPENS_MS, FALL_MS = 1_763_708_100_000, 1_763_708_460_000
"""Where the playback opens, and where the fall begins in the drawn day."""
FRAMES = """(seconds) => new Promise((done) => {
  const gaps = []; let last = performance.now(); const end = last + seconds * 1000;
  const tick = (now) => { gaps.push(now - last); last = now; if (now < end) requestAnimationFrame(tick); else done(gaps.slice(1)); };
  requestAnimationFrame(tick);
})"""


def ask(route: str) -> Any:
    with urllib.request.urlopen(f"{URL}/v1/{route}", timeout=60) as answer:
        return json.loads(answer.read())["data"]


def weigh(page: Page, session: CDPSession) -> dict[str, float]:
    """Load the page with an empty cache; return what came over the wire and when it painted."""
    sizes: dict[str, int] = {}
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: int(event["encodedDataLength"])}))
    page.goto(URL, wait_until="load")
    page.wait_for_selector("[data-testid=headline]", timeout=60_000)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
    filled = page.evaluate("performance.now()")
    return {"wire_kb": round(sum(sizes.values()) / 1000), "first_paint_ms": round(paint), "headline_ms": round(filled)}


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        started = time.monotonic()
        command = [sys.executable, "-m", "deleverage.cli", "up", "2025-11-21", "--data", folder, "--port", str(PORT), "--no-live"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        try:
            assert server.stdout is not None
            server.stdout.readline()
            served = time.monotonic() - started
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            session = page.context.new_cdp_session(page)
            session.send("Network.enable")
            row: dict[str, Any] = {"served_after_s": round(served, 1), **weigh(page, session)}
            while ask("health")["clock"]["now_ms"] < OPENS_MS:
                time.sleep(0.5)
            row["plays_after_s"] = round(time.monotonic() - started, 1)
            while ask("health")["clock"]["now_ms"] < FALL_MS:
                time.sleep(0.2)
            before = ask("liquidations/totals?window=24h&estimate=false")
            gaps = sorted(page.evaluate(FRAMES, seconds))
            after = ask("liquidations/totals?window=24h&estimate=false")
            orders = sum(r["count"] for r in after) - sum(r["count"] for r in before)
            row |= {
                "orders_per_s": round(orders / seconds), "frames_per_s": round(len(gaps) / seconds, 1),
                "median_gap_ms": round(gaps[len(gaps) // 2], 1), "p99_gap_ms": round(gaps[int(len(gaps) * 0.99)], 1),
                "longest_gap_ms": round(gaps[-1], 1), "frames_over_33_ms": f"{sum(g > 34 for g in gaps) / len(gaps):.1%}",
            }  # fmt: skip
            print(json.dumps(row, indent=2))
        finally:
            browser.close()
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    main(parser.parse_args().seconds)
