"""The pictures of the pages in the readme and the docs, taken of the reconstruction at a telling moment.

.venv/bin/python benchmarks/pictures.py [--only leverage]
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PORT = 8095
URL = f"http://127.0.0.1:{PORT}"
AT = "2025-11-21T13:06:00Z"
"""The low is forty minutes past, and option quotes of the hour have come."""
PLAYED_TO_MS = 1_763_733_600_000
FOLDER = Path(__file__).parents[1] / "docs" / "images"
COLOURS = 256


class Shot(NamedTuple):
    """A page, how much of it (pixels from the top; None: all), and the width of the picture."""

    page: str
    height: int | None
    width: int


SHOTS = (Shot("now", None, 1440), Shot("leverage", 1180, 1080), Shot("options", 1120, 1080), Shot("economy", 1000, 1080))


def tell(order: dict[str, object]) -> None:
    request = urllib.request.Request(f"{URL}/v1/playback", json.dumps(order).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=120).close()


def listening() -> bool:
    try:
        urllib.request.urlopen(f"{URL}/v1/health", timeout=60).close()
    except urllib.error.URLError:
        return False
    return True


def settle(page: Page, name: str) -> None:
    """Wait until the page is filled."""
    page.wait_for_selector("main:not(.waiting)", timeout=60_000)
    if name == "now":
        page.get_by_test_id("multiples").scroll_into_view_if_needed()
        for part in ("skew", "volatility-index", "etf-flow"):
            page.wait_for_selector(f"[data-testid=multiple-{part}]:not([data-value=''])", timeout=60_000)
        page.evaluate("scrollTo(0, 0)")
    if name == "options":
        page.wait_for_selector("[data-testid=options][data-whole=true]", timeout=60_000)
    page.wait_for_timeout(5000)


def main(only: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "deleverage.cli", "up", "2025-11-21", "--data", folder, "--port", str(PORT), "--no-live"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        try:
            assert server.stdout is not None
            server.stdout.readline()
            while not listening():
                time.sleep(0.2)
            tell({"action": "seek", "to_ms": PLAYED_TO_MS})
            tell({"action": "pause"})
            for shot in SHOTS:
                if only not in (None, shot.page):
                    continue
                page = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme="dark")
                page.goto(f"{URL}/?window=24h&base=BTC&recording=2025-11-21&at={AT}&page={shot.page}")
                settle(page, shot.page)
                image = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
                page.close()
                image = image.crop((0, 0, image.width, min(shot.height or image.height, image.height)))
                image = image.resize((shot.width, round(image.height * shot.width / image.width)), Image.Resampling.LANCZOS)
                few = image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
                path = FOLDER / f"{shot.page}.png"
                few.save(path, optimize=True)
                sys.stdout.write(f"{path.name} {few.width} × {few.height}, {path.stat().st_size / 1000:.0f} kB\n")
        finally:
            browser.close()
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[shot.page for shot in SHOTS])
    main(parser.parse_args().only)
