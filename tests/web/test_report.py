"""The page Report in a real Chromium: what it reads like, what a number tells, what can be taken along."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, use_theme

pytestmark = pytest.mark.browser
THEN = "at=2025-01-27T17:20:30Z&window=1h&page=report"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    from deleverage.collect.ingest import import_sources
    from deleverage.store.folder import Folder

    data = tmp_path_factory.mktemp("stress")
    import_sources(Folder(data), ["binance-2025-01-26"])
    with up(data) as server:
        yield server


def opened(page: Page, server: Up, more: str = "") -> None:
    page.goto(f"{server.url}/?{THEN}{more}")
    page.wait_for_selector("[data-testid=report] .report h1", timeout=30_000)


def test_it_reads_as_the_server_wrote_it(page: Page, server: Up) -> None:
    opened(page, server)
    assert page.locator(".report h1").inner_text().startswith("At least 3.08 M USD liquidated")
    assert page.title().startswith("At least 3.08 M USD")
    assert page.locator(".report figure svg").count() >= 3 and page.locator(".report caption").first.is_visible()


def test_every_number_tells_where_it_is_from(page: Page, server: Up) -> None:
    opened(page, server)
    number = page.locator(".report section p a.n").first
    number.hover()
    tip = number.evaluate("n => getComputedStyle(n, '::after').content")
    assert "liquidations.total.1h" in tip and "hash" in tip and "rows liquidations?" in tip
    number.click()
    expect(page.locator(".report .figures li:target")).to_be_visible()


def test_what_can_be_taken_along(page: Page, server: Up) -> None:
    opened(page, server)
    for form, begins in (("html", b"<!doctype"), ("pdf", b"%PDF"), ("md", b"<!-- dele"), ("json", b"{"), ("zip", b"PK")):
        with page.expect_download() as download:
            page.get_by_test_id(f"report-{form}").click()
        assert download.value.path().read_bytes().startswith(begins), form
    assert page.get_by_test_id("report-print").is_enabled()


def test_the_key_and_the_tab_lead_to_it(page: Page, server: Up) -> None:
    page.goto(f"{server.url}/?at=2025-01-27T17:20:30Z&window=1h")
    page.wait_for_selector("[data-testid=headline]", timeout=30_000)
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_selector("[data-testid=report] .report h1", timeout=30_000)
    assert "page=report" in page.url


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_contrast_in_both_themes(page: Page, server: Up, theme: str) -> None:
    opened(page, server)
    use_theme(page, theme)
    assert page.evaluate(CONTRAST) == []


def test_it_fits_a_narrow_screen(page: Page, server: Up) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    opened(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_moment_without_data_says_so(page: Page, server: Up) -> None:
    page.goto(f"{server.url}/?at=2024-01-01T00:00:00Z&window=1h&page=report")
    page.wait_for_selector("[data-testid=report] .report h1", timeout=30_000)
    assert page.locator(".report h1").inner_text().startswith("Nothing was received in 1 h")
