"""The feeds page and live mode in a real Chromium: a real `deleverage up` collects from the venue server, which misbehaves."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, attribute, use_theme

pytestmark = pytest.mark.browser
VENUES = ("binance", "bybit", "okx", "htx", "hyperliquid", "deribit")


def settings(path: Path, gateway: str) -> Path:
    path.write_text("".join(f'[venues.{name}]\ngateway = "{gateway}"\n' for name in VENUES) + '[log]\nlevel = "error"\n')
    return path


def wait_for(server: Up, route: str, wanted: Callable[[Any], bool]) -> Any:
    for _ in range(150):
        found = server.get(route)["data"]
        if wanted(found):
            return found
        time.sleep(0.2)
    raise AssertionError(f"{route} did not come to what was waited for")


def feed(rows: list[dict[str, Any]], venue: str) -> dict[str, Any]:
    return next(row for row in rows if row["venue"] == venue)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Six venues collected; OKX was away for a moment, HTX is gone."""
    folder = tmp_path_factory.mktemp("live")
    venues = subprocess.Popen(
        [sys.executable, "-m", "deleverage.cli", "simulate", "--serve", "bybit-2026-10-10", "--serve", "okx-2026-08-31"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert venues.stdout is not None
    gateway = venues.stdout.readline().strip()

    def misbehave(*faults: dict[str, str]) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{gateway}/-/faults", json.dumps(faults).encode()), timeout=10).close()

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(os.environ, "DELEVERAGE_CONFIG", str(settings(folder / "deleverage.toml", gateway)))
            with up(folder / "data", "--live") as server:
                wait_for(server, "feeds", lambda rows: all(r["state"] == "live" and r["frames"] for r in rows))
                misbehave({"kind": "drop", "venue": "okx"})
                wait_for(server, "feeds", lambda rows: feed(rows, "okx")["state"] == "down")
                misbehave({"kind": "drop", "venue": "htx"})
                wait_for(
                    server,
                    "feeds",
                    lambda rows: (
                        feed(rows, "htx")["state"] == "down"
                        and feed(rows, "okx")["state"] == "live"
                        and any(g["end_ms"] for g in feed(rows, "okx")["gaps"])
                    ),
                )
                yield server
    finally:
        venues.terminate()
        venues.communicate(timeout=20)


def open_feeds(page: Page, server: Up, window: str = "1h") -> None:
    page.goto(f"{server.url}/?window={window}&page=feeds")
    page.get_by_test_id("feeds").wait_for(timeout=15_000)


def test_states_and_evidence_are_the_apis(page: Page, live: Up) -> None:
    open_feeds(page, live)
    for row in live.get("feeds?window=1h")["data"]:
        card = page.get_by_test_id(f"feed-{row['venue']}")
        assert card.get_attribute("data-state") == row["state"] and row["state"] in card.locator(".lamp").first.inner_text()
        assert row["coverage_note"] in card.inner_text()
        assert card.get_by_test_id("feed-line").count() == len(
            {h["channel"] for h in row["history"]} | {c["channel"] for c in row["channels"]}
        )
    down = feed(live.get("feeds?window=1h")["data"], "htx")
    assert down["evidence"] in page.get_by_test_id("evidence-htx").inner_text()
    assert "all channels down" in page.get_by_test_id("lost-htx").inner_text()
    assert page.locator("[data-testid=feed-htx] [data-kind=down]").count() >= 1
    assert "HTX is down" in page.get_by_test_id("feeds-headline").inner_text()


def test_a_gap_is_hatched_and_says_why(page: Page, live: Up) -> None:
    open_feeds(page, live)
    reasons = {gap["reason"] for gap in feed(live.get("feeds?window=1h")["data"], "okx")["gaps"]}
    hatched = page.locator("[data-testid=feed-okx] [data-kind=gap]").first
    assert "repeating-linear-gradient" in hatched.evaluate("node => getComputedStyle(node).backgroundImage")
    hatched.hover()
    shown = page.locator("#tip").inner_text()
    reasons |= {gap["reason"] for gap in feed(live.get("feeds?window=1h")["data"], "okx")["gaps"]}  # what came meanwhile
    assert any(reason in shown for reason in reasons)
    page.get_by_test_id("details-okx").locator("summary").click()
    page.get_by_test_id("outage-okx").first.wait_for()
    page.wait_for_function("[...document.querySelectorAll('[data-testid=outage-okx]')].some(row => row.innerText.includes('not received'))")
    rows = page.get_by_test_id("outage-okx").all_inner_texts()
    reasons |= {gap["reason"] for gap in feed(live.get("feeds?window=1h")["data"], "okx")["gaps"]}
    assert any("not received" in row and any(reason in row for reason in reasons) for row in rows)


def test_intake_is_shown_and_moves(page: Page, live: Up) -> None:
    open_feeds(page, live)
    strip = page.get_by_test_id("intake")
    text = strip.inner_text()
    assert "s of data" in text and "GB a day" in text and "of 50,000" in text
    page.wait_for_function(f"document.querySelector('[data-testid=intake]').innerText != {json.dumps(text)}", timeout=10_000)


def test_channels_open_by_keyboard_and_stay_open(page: Page, live: Up) -> None:
    open_feeds(page, live)
    page.get_by_test_id("details-bybit").locator("summary").focus()
    page.keyboard.press("Enter")
    ticker = page.get_by_test_id("channel-bybit-tickers")
    ticker.wait_for()
    assert ticker.get_attribute("data-state") == "live" and "/s" in ticker.inner_text()
    assert "wss://stream.bybit.com/v5/public/linear" in page.get_by_test_id("feed-bybit").inner_text()
    page.wait_for_timeout(2500)
    assert ticker.is_visible(), "the next answer must not close what a reader opened"


def test_pages_by_key_click_and_address(page: Page, live: Up) -> None:
    page.goto(f"{live.url}/?window=4h")
    page.get_by_test_id("headline").wait_for(timeout=15_000)
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.get_by_test_id("feeds").wait_for()
    assert "page=feeds" in page.url and "window=4h" in page.url
    page.get_by_test_id("window-1h").click()
    page.wait_for_url("**window=1h**")
    page.reload()
    page.get_by_test_id("feeds").wait_for(timeout=15_000)
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.get_by_test_id("headline").wait_for()
    assert attribute(page, "page-now", "aria-current") == "page"
    page.go_back()
    page.get_by_test_id("feeds").wait_for()


def test_live_says_so_and_names_who_is_missing_at_the_number(page: Page, live: Up) -> None:
    page.goto(f"{live.url}/?window=24h")
    page.get_by_test_id("headline").wait_for(timeout=15_000)
    assert attribute(page, "band", "data-mode") == "live"
    assert "HTX (down)" in page.get_by_test_id("band").inner_text()
    assert "Without HTX: down since" in page.get_by_test_id("headline").inner_text()
    for window in ("1h", "24h"):
        missing = page.get_by_test_id(f"missing-{window}")
        assert "without HTX (down)" in missing.inner_text()
        assert "no socket is open" in str(missing.get_attribute("title"))
    assert page.get_by_test_id("play").count() == page.get_by_test_id("seek").count() == page.get_by_test_id("recording").count() == 0
    assert page.locator("[data-testid=venue-htx] .shape.cross").count() == 1


@pytest.mark.parametrize("width", [1440, 360])
def test_it_fits_and_is_readable(browser: Browser, live: Up, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    open_feeds(page, live)
    page.get_by_test_id("details-htx").locator("summary").click()
    for scheme in ("dark", "light"):
        use_theme(page, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
        assert not page.evaluate(CONTRAST), scheme
    context.close()


def test_old_answers_are_marked_when_the_server_does_not_answer(browser: Browser, live: Up) -> None:
    page = browser.new_page()
    open_feeds(page, live)
    page.route("**/v1/feeds*", lambda route: route.abort())
    page.wait_for_selector("main.feeds.stale", timeout=10_000)
    assert "No answer since" in page.get_by_test_id("feeds").inner_text()
    page.unroute("**/v1/feeds*")
    page.wait_for_selector("main.feeds:not(.stale)", timeout=10_000)
    page.close()


def test_a_replay_instead_of_live_says_why(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELEVERAGE_CONFIG", str(settings(tmp_path / "deleverage.toml", "http://127.0.0.1:9")))
    with up(tmp_path / "data", "--auto") as server:
        page.goto(f"{server.url}/?page=feeds")
        page.get_by_test_id("feeds").wait_for(timeout=15_000)
        band = page.get_by_test_id("band")
        assert attribute(page, "band", "data-mode") == "playback" and "Reconstruction, not recorded events" in band.inner_text()
        assert "No venue answered" in page.get_by_test_id("notice").inner_text()
        assert "Nothing is being collected" in page.get_by_test_id("feeds-headline").inner_text()
        assert page.get_by_test_id("intake").count() == 0
        page.goto("about:blank")
