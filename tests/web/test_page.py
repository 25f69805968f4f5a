"""The page in a real Chromium against a real server: what it shows is what the API says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests import golden
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, attribute, sentence, use_theme

from deleverage.collect.ingest import import_frames
from deleverage.store.duck import DuckStore
from deleverage.store.folder import Folder

pytestmark = pytest.mark.browser
END_MS = 1737998430000
VENUES = ("binance", "bybit", "okx", "htx", "hyperliquid", "deribit")


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The sell-off, paused at its end."""
    with up(tmp_path_factory.mktemp("playing"), "binance-2025-01-26") as server:
        server.post("playback", {"action": "pause"})
        server.post("playback", {"action": "seek", "to_ms": END_MS})
        yield server


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Stored frames that add to the golden table."""
    folder = Folder(tmp_path_factory.mktemp("golden"))
    folder.create()
    store = DuckStore(folder.tables)
    import_frames(folder, store, golden.frames())
    store.close()
    with up(folder.path) as server:
        yield server


def numbers(page: Page, testid: str) -> tuple[float, float, float]:
    long, short, total = (float(attribute(page, testid, f"data-{name}")) for name in ("long", "short", "total"))
    return long, short, total


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_test_id("headline").wait_for(timeout=15_000)


def test_figures_equal_the_api(page: Page, playing: Up) -> None:
    open_page(page, f"{playing.url}/?window=24h&base=BTC")
    for window in ("1h", "4h", "12h", "24h"):
        total = playing.get(f"liquidations/totals?window={window}")["total"]
        assert numbers(page, f"tile-{window}") == (total["long_usd"], total["short_usd"], total["total_usd"])
        assert float(attribute(page, f"coverage-{window}", "data-value")) == total["coverage"]
    (row,) = playing.get("liquidations/totals?window=24h&by=venue")["data"]
    assert numbers(page, "venue-binance") == (row["long_usd"], row["short_usd"], row["total_usd"])
    tree = playing.get("liquidations/treemap?window=24h")["data"]
    for item in tree["items"]:
        assert numbers(page, f"treemap-{item['base']}") == (item["long_usd"], item["short_usd"], item["total_usd"])
    assert sentence(page) == playing.get("now?window=24h")["data"]["headline"]
    newest = playing.get("liquidations?limit=1")["data"][0]
    assert float(attribute(page, "tape-row", "data-value")) == newest["notional_usd"]
    grid = playing.get("liquidations/heatmap?window=24h")["data"]
    assert page.get_by_test_id("heatmap-binance").count() == 1 and len(grid["rows"]) == 6


def test_golden_table_on_the_page(page: Page, stored: Up) -> None:
    open_page(page, f"{stored.url}/")
    for venue, (long_usd, short_usd) in golden.TABLE.items():
        assert numbers(page, f"venue-{venue}") == (long_usd, short_usd, round(long_usd + short_usd, 6))
    assert numbers(page, "tile-24h") == (1_705_430_000.0, 125_540_000.0, 1_830_970_000.0)
    assert "1.83 bn" in sentence(page)
    assert attribute(page, "venue-deribit", "data-recorded") == "false"
    assert attribute(page, "band", "data-mode") == "stored"


def test_a_replay_says_so_and_shows_where_it_is_from(page: Page, playing: Up) -> None:
    open_page(page, playing.url)
    band = page.get_by_test_id("band")
    assert "replay" in band.inner_text().lower() and attribute(page, "band", "data-mode") == "playback"
    band.locator("summary").click()
    assert "PauliusMinialga" in page.get_by_test_id("provenance").inner_text()


def test_a_venue_that_was_not_recorded_is_not_zero(page: Page, playing: Up) -> None:
    open_page(page, f"{playing.url}/?window=24h")
    for venue in VENUES[1:]:
        row = page.get_by_test_id(f"venue-{venue}")
        assert row.get_attribute("data-recorded") == "false" and row.get_attribute("data-total") == ""
        assert "not recorded" in row.inner_text() and "0" not in row.inner_text()


def test_windows_by_click_and_key_and_in_the_address(page: Page, playing: Up) -> None:
    open_page(page, f"{playing.url}/?window=24h")
    page.get_by_test_id("tile-1h").click()
    page.wait_for_url("**window=1h**")
    page.keyboard.press("]")
    page.wait_for_url("**window=4h**")
    page.reload()
    page.get_by_test_id("headline").wait_for()
    assert "in 4 h" in sentence(page)


def test_a_moment_in_the_address_is_reproduced(page: Page, playing: Up) -> None:
    at = "2025-01-26T17:00:00Z"
    open_page(page, f"{playing.url}/?window=1h&at={at}&as_of={at}")
    total = playing.get(f"liquidations/totals?window=1h&at={at}")["total"]
    page.get_by_test_id("as-of").wait_for()
    assert numbers(page, "tile-1h") == (total["long_usd"], total["short_usd"], total["total_usd"]) and total["count"] > 0
    page.get_by_test_id("back-to-now").click()
    page.get_by_test_id("as-of").wait_for(state="detached")
    now = playing.get("liquidations/totals?window=1h")["total"]
    page.wait_for_function(f"document.querySelector('[data-testid=tile-1h]').dataset.total == '{now['total_usd']}'")


def test_filter_by_keyboard(page: Page, playing: Up) -> None:
    open_page(page, f"{playing.url}/?window=24h")
    page.keyboard.press("/")
    page.keyboard.type("TRUMP")
    page.wait_for_function("[...document.querySelectorAll('[data-testid=tape-row]')].every(r => r.innerText.includes('TRUMP'))")
    assert page.get_by_test_id("tape-row").count() >= 1


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 360])
def test_it_fits(browser: Browser, playing: Up, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    open_page(page, playing.url)
    use_theme(page, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
    context.close()


def test_contrast_of_text_is_aa(browser: Browser, playing: Up) -> None:
    for scheme in ("dark", "light"):
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        open_page(page, f"{playing.url}/?window=24h")
        use_theme(page, scheme)
        poor = page.evaluate(CONTRAST)
        assert not poor, f"{scheme}: {poor[:5]}"
        context.close()


def test_new_orders_arrive_by_themselves(browser: Browser, tmp_path: Path) -> None:
    with up(tmp_path, "binance-2025-01-26", "--speed", "60") as server:
        page = browser.new_page()
        open_page(page, server.url)
        before = attribute(page, "clock", "data-value")
        page.wait_for_function(f"document.querySelector('[data-testid=clock]').dataset.value != '{before}'", timeout=10_000)
        first = page.get_by_test_id("tile-24h").get_attribute("data-total")
        page.wait_for_function(f"document.querySelector('[data-testid=tile-24h]').dataset.total != '{first}'", timeout=20_000)
        page.get_by_test_id("play").click()
        page.wait_for_function("document.querySelector('[data-testid=play]').dataset.playing == 'false'", timeout=5_000)
        assert server.get("health")["data"]["clock"]["playing"] is False
        server.process.terminate()
        page.get_by_test_id("connection-lost").wait_for(timeout=15_000)
        page.close()


def test_the_picker_opens_another_recording(page: Page, tmp_path: Path) -> None:
    with up(tmp_path, "binance-2025-01-26") as server:
        open_page(page, server.url)
        page.get_by_test_id("recording").select_option("bybit-2026-10-10")
        page.wait_for_function("document.querySelector('[data-testid=band]').innerText.includes('Bybit')", timeout=10_000)
        assert server.get("health")["data"]["recording"]["name"] == "bybit-2026-10-10"
        page.goto("about:blank")
