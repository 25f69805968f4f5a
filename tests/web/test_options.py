"""The options page in a real Chromium, over a chain whose truth is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.option_frames import AT, frames
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, attribute, use_theme

from deleverage.collect.ingest import import_frames
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder
from deleverage.when import iso

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = Folder(tmp_path_factory.mktemp("options"))
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, frames())
    store.close()
    with up(folder.path) as server:
        yield server


def visit(page: Page, server: Up, at: str = iso(AT), **more: str) -> None:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    page.goto(f"{server.url}/?window=4h&page=options&at={at}&as_of=now{extra}")


def shown(page: Page, server: Up) -> None:
    visit(page, server)
    page.wait_for_selector("[data-testid=touch-chances]", timeout=60_000)
    page.wait_for_selector("[data-testid=options][data-whole=true]", timeout=60_000)


def test_the_sentence_and_the_figures_say_what_the_chain_says(page: Page, served: Up) -> None:
    shown(page, served)
    words = page.get_by_test_id("options-headline").text_content() or ""
    assert "(published 54.5)" in words and "puts cost 5.0 points more than calls" in words and "85,000" in words
    assert float(attribute(page, "tile-atm-30-days", "data-value")) == pytest.approx(53.01, abs=0.02)
    assert float(attribute(page, "tile-skew-25δ-30-days", "data-value")) == pytest.approx(-5.04, abs=0.02)
    assert attribute(page, "tile-variance-premium", "data-status") == "missing"
    assert float(attribute(page, "tenor-30", "data-rr25")) == pytest.approx(-0.0503646688, rel=5e-3)
    assert float(attribute(page, "published-index", "data-value")) == 54.5
    assert (
        float(attribute(page, "convention-short_everything", "data-gamma")) < 0 < float(attribute(page, "convention-equity", "data-gamma"))
    )
    assert "Conventions disagree" in (page.get_by_test_id("regime").text_content() or "")
    assert "Deribit option quotes of 16 Jan 2026" in (page.get_by_test_id("smile-coverage").text_content() or "")


def test_it_opens_by_key_and_panels_can_be_taken_along(page: Page, served: Up) -> None:
    page.goto(f"{served.url}/?window=4h&at={iso(AT)}&as_of=now")
    page.wait_for_selector("[data-testid=headline]")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_selector("[data-testid=touch-chances]", timeout=60_000)
    page.wait_for_selector("[data-testid=options][data-whole=true]", timeout=60_000)
    assert "page=options" in page.url
    panels = ("smile", "touch", "exposure", "option-interest", "term", "surface", "volatility-index", "skew-history", "density")
    for number, panel in enumerate(panels):
        if number == 4:
            shown(page, served)  # Chromium asks before a page's eleventh download
        box = page.get_by_test_id(panel)
        with page.expect_download() as download:
            box.get_by_role("button", name="PNG").click()
        assert Path(download.value.path()).read_bytes()[:4] == b"\x89PNG"
        with page.expect_download() as download:
            box.get_by_role("button", name="CSV").click()
        assert len(Path(download.value.path()).read_text(encoding="utf-8").splitlines()) > 2, panel
        call = box.get_by_role("link", name="API").get_attribute("href") or ""
        assert "/v1/options/" in call and page.request.get(call).json()["data"]["chain_at_ms"] == AT // 1_000_000


def test_the_sliders_give_the_worked_chances(page: Page, served: Up) -> None:
    shown(page, served)
    page.get_by_test_id("touch-level").fill("80000")
    page.wait_for_function("Math.abs(document.querySelector('[data-testid=touch-chances]').dataset.finish - 0.299084) < 0.001")
    assert float(attribute(page, "touch-chances", "data-low")) == pytest.approx(0.64455, abs=1e-3)
    assert float(attribute(page, "touch-chances", "data-high")) == pytest.approx(0.675726, abs=1e-3)
    assert "64–68 % that BTC touches 80,000 by 15 Feb 26" in (page.locator("#touch-title").text_content() or "")
    assert "not the real-world probability" in (page.get_by_test_id("touch-reminder").text_content() or "")
    page.get_by_test_id("touch-days").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("Number(document.querySelector('[data-testid=touch-chances]').dataset.high) < 0.66")


def test_expiry_and_convention_are_chosen(page: Page, served: Up) -> None:
    shown(page, served)
    choices = page.get_by_test_id("expiry").locator("option").all()
    assert len(choices) == 4
    page.get_by_test_id("expiry").select_option(index=0)
    page.wait_for_function("document.querySelector('#smile-title').textContent.includes('23 Jan 26')")
    page.get_by_role("button", name="Inferred from trades").click()
    assert "inferred from trades" in (page.locator("#exposure-title").text_content() or "")
    page.get_by_role("button", name="by strike", exact=True).click()
    page.get_by_test_id("interest-expiry").select_option(index=2)
    assert "15 Feb 26" in (page.locator("#option-interest-title").text_content() or "")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_is_legible_at_every_width(page: Page, served: Up, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    shown(page, served)
    use_theme(page, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []


def test_without_quotes_it_says_what_would_bring_them(page: Page, served: Up) -> None:
    visit(page, served, base="DOGE")
    empty = page.wait_for_selector("[data-testid=options-empty]", timeout=60_000)
    assert empty is not None and "deleverage up --live" in (empty.text_content() or "")
    visit(page, served, at="2026-02-01T00:00:00Z")
    page.wait_for_selector("[data-testid=options-empty]", timeout=60_000)
    page.get_by_role("button", name="Go to the last ones").click()
    page.wait_for_selector("[data-testid=touch-chances]", timeout=60_000)


def test_the_strip_of_the_first_page_asks_when_it_is_seen(page: Page, served: Up) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/options/" in request.url else None)
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto(f"{served.url}/?window=4h&at={iso(AT)}&as_of=now")
    page.wait_for_selector("[data-testid=headline]", timeout=30_000)
    page.wait_for_timeout(1500)
    assert asked == []
    page.get_by_test_id("multiples").scroll_into_view_if_needed()
    page.wait_for_selector("[data-testid=multiple-skew]:not([data-value=''])", timeout=30_000)
    assert float(attribute(page, "multiple-skew", "data-value")) == pytest.approx(-0.0503646688, rel=5e-3)
    page.wait_for_selector("[data-testid=multiple-volatility-index]:not([data-value=''])", timeout=30_000)
    assert "published 54.5" in page.get_by_test_id("multiple-volatility-index").inner_text()
    assert len(asked) == 2, "one question each"
    page.get_by_test_id("multiple-skew").click()
    page.wait_for_selector("[data-testid=options]", timeout=30_000)
