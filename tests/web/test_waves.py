"""The waves page and the whiskers, in a real Chromium over the recorded sell-off of January 2025."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, attribute, use_theme

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("waves"), "binance-2025-01-26", "--speed", "100000") as server:
        yield server


def test_the_first_page_has_whiskers_and_bands(page: Page, played: Up) -> None:
    page.goto(f"{played.url}/?window=24h")
    tile = page.wait_for_selector("[data-testid=estimate-24h]", timeout=30_000)
    assert tile is not None
    low, high = (float(tile.get_attribute(f"data-{name}") or "nan") for name in ("low", "high"))
    total = float(attribute(page, "tile-24h", "data-total") or "nan")
    assert low >= total - 1 and high > total
    assert page.locator("[data-testid=estimate-binance] .estimated").count() == 1
    assert "waves" in (page.locator("h1").text_content() or "")


def test_a_wave_opens_its_anatomy(page: Page, played: Up) -> None:
    page.goto(f"{played.url}/?window=24h")
    page.wait_for_selector("[data-testid=headline]")
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_selector("[data-testid=wave-table]", timeout=30_000)
    assert page.locator("[data-testid=wave-table] tbody tr").count() == 2
    assert attribute(page, "anatomy", "data-wave") == "1"
    page.get_by_label("Anatomy of wave 2").click()
    page.wait_for_selector("[data-testid=anatomy][data-wave='2']")
    assert "page=waves" in page.url
    page.get_by_test_id("wave-books").get_by_text("not known").wait_for(timeout=20_000)  # no book of that day was recorded
    page.get_by_test_id("scale-hours").click()
    page.wait_for_function("document.querySelectorAll('[data-testid=wave-table] tbody tr').length !== 2")
    assert page.locator("[data-testid=rung-BTC]").count() == 1


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_waves_page_is_narrow_and_legible(page: Page, played: Up, theme: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{played.url}/?window=24h&page=waves")
    page.wait_for_selector("[data-testid=anatomy]", timeout=30_000)
    use_theme(page, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(CONTRAST) == []


def test_the_page_is_whole_without_a_wave(page: Page, tmp_path: Path) -> None:
    with up(tmp_path, "okx-2022-05-13", "--speed", "100000") as server:
        page.goto(f"{server.url}/?window=1h&page=waves&at=2022-05-13T00:00:00Z")
        page.wait_for_selector("[data-testid=waves]", timeout=30_000)
        assert "No wave" in (page.get_by_test_id("waves-headline").text_content() or "")
