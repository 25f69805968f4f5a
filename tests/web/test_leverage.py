"""The leverage page in a real Chromium: what it shows is what the API says, also where there is nothing."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.api.test_leverage import AT, HOUR, MINUTE, NOW, RATES, head, held, predicted, settled
from tests.outside_rows import stored
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, attribute, use_theme

from deleverage.events import Event, MarkPrice, PositioningRatio

pytestmark = pytest.mark.browser
QUERY = f"window=24h&at={AT}&as_of=now"


def day() -> list[Event]:
    """A day of four venues: rates every hour, settlements, open interest and marks every ten minutes, account ratios."""
    events: list[Event] = []
    for k in range(145):
        at = NOW - (144 - k) * 10 * MINUTE - MINUTE
        price = 100_000 * math.exp(math.sin(k / 9) / 50)
        for n, (venue, (rate, hours, interest, _)) in enumerate(RATES.items()):
            coins = interest * 1000 - k * (n + 1)
            events += [held(venue, at, coins, coins * price), MarkPrice(*head(venue, at), price * (1 + rate), price)]
            if k % 6 == 0:
                events.append(predicted(venue, rate * (1 - k / 288), hours, at))
        events.append(PositioningRatio(*head("binance", at), "accounts", 0.6 - k / 2000, 0.4 + k / 2000, 600))
    for venue, (rate, hours, _, _) in RATES.items():
        events += [settled(venue, rate, NOW // HOUR * HOUR - k * hours * HOUR, hours) for k in range(24 // hours)]
    return events


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(stored(tmp_path_factory.mktemp("leverage"), day())) as server:
        yield server


def opened(page: Page, server: Up, more: str = "") -> None:
    page.goto(f"{server.url}/?{QUERY}&page=leverage{more}")
    page.get_by_test_id("leverage-headline").wait_for(timeout=30_000)


def test_figures_equal_the_api(page: Page, kept: Up) -> None:
    opened(page, kept)
    funding = kept.get(f"funding?{QUERY}")["data"]
    whole = funding["aggregates"]["predicted"]["open_interest"]
    assert float(attribute(page, "funding-by-open-interest", "data-rate")) == whole["rate_8h"]
    for row in funding["venues"]:
        assert float(attribute(page, f"funding-{row['venue']}", "data-rate")) == row["predicted"]["rate_8h"]
    assert "shorts pay longs" in page.get_by_test_id("funding-okx").inner_text()
    page.get_by_test_id("interest-binance").wait_for(timeout=20_000)
    interest = kept.get(f"open-interest?{QUERY}")["data"]
    for row in interest["venues"]:
        assert float(attribute(page, f"interest-{row['venue']}", "data-coins")) == row["coins"]
    heading = page.get_by_test_id("leverage-headline")
    heading.get_by_role("button").nth(3).wait_for(timeout=10_000)
    shown = [float(button.get_attribute("data-value") or "nan") for button in heading.get_by_role("button").all()]
    assert shown[0] == pytest.approx(whole["rate_8h"] * 100) and interest["totals"]["coins"] in shown
    assert heading.inner_text().startswith("Longs pay shorts +0.00")
    page.get_by_test_id("premium-binance").wait_for(timeout=20_000)
    premium = {row["venue"]: row["premium"] for row in kept.get(f"basis?{QUERY}")["data"]["premiums"]}
    assert float(attribute(page, "premium-binance", "data-value")) == premium["binance"]
    assert "Cannot say" in page.get_by_test_id("measure-accounts").inner_text()
    assert page.get_by_test_id("spread").count() == 6


def test_every_panel_says_source_coverage_and_its_call(page: Page, kept: Up) -> None:
    opened(page, kept)
    page.get_by_test_id("depth").wait_for(timeout=30_000)
    panels = page.locator("[data-testid=leverage] section.panel")
    assert panels.count() == 11
    for panel in panels.all():
        assert "Source: " in panel.locator(".origin").inner_text() and "Coverage: " in panel.locator(".origin").inner_text()
        link = panel.get_by_role("link", name="API call").get_attribute("href") or ""
        assert "/v1/" in link and "at=" in link and "base=BTC" in link
    assert "No dated future of BTC" in page.get_by_test_id("term-empty").inner_text()
    assert "not told" in page.get_by_test_id("interest-peak").inner_text() and attribute(page, "interest-peak", "data-value") == ""
    assert "above 0 longs pay shorts" in page.get_by_test_id("funding-strip").inner_text()
    with page.expect_download() as saved:
        page.get_by_label("Save Funding of BTC by venue through time as CSV").click()
    text = Path(saved.value.path()).read_text()
    assert text.startswith("venue,symbol,kind,") and ",settled," in text and ",predicted," in text
    with page.expect_download() as picture:
        page.get_by_label("Save Funding of BTC by venue through time as PNG").click()
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")


def test_by_keyboard_and_from_the_first_page(page: Page, kept: Up) -> None:
    page.goto(f"{kept.url}/?{QUERY}")
    page.get_by_test_id("multiple-funding").wait_for(timeout=20_000)
    page.get_by_test_id("multiples").scroll_into_view_if_needed()  # nothing is asked for a strip that is not seen
    page.wait_for_function("document.querySelector('[data-testid=multiple-open-interest]').dataset.value !== ''", timeout=20_000)
    whole = kept.get(f"funding?{QUERY}")["data"]["aggregates"]["predicted"]["open_interest"]
    page.wait_for_function(f"Number(document.querySelector('[data-testid=multiple-funding]').dataset.value) === {whole['rate_8h']}")
    page.get_by_test_id("multiple-funding").click()
    page.get_by_test_id("leverage-headline").wait_for(timeout=20_000)
    assert "page=leverage" in page.url
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.get_by_test_id("headline").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.get_by_test_id("leverage-headline").wait_for()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_is_narrow_and_legible(page: Page, kept: Up, theme: str) -> None:
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        opened(page, kept)
        page.get_by_test_id("depth").wait_for(timeout=30_000)
        use_theme(page, theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
        assert page.evaluate(CONTRAST) == []


def test_a_coin_of_which_nothing_is_known(page: Page, kept: Up) -> None:
    opened(page, kept, "&base=NOPE")
    assert "No funding rate of NOPE was known by this moment" in page.get_by_test_id("leverage-headline").inner_text()
    page.get_by_test_id("depth").wait_for(timeout=30_000)
    text = page.get_by_test_id("leverage").inner_text()
    assert "No book of NOPE was received" in text and "No open interest of NOPE was read" in text
    assert "NaN" not in text and "undefined" not in text and "null" not in text


def test_real_books_and_tickers(page: Page, tmp_path: Path) -> None:
    with up(tmp_path, "bybit-2026-08-09", "--speed", "100000") as server:
        server.post("playback", {"action": "pause"})
        clock = server.get("health")["data"]["clock"]
        server.post("playback", {"action": "seek", "to_ms": clock["end_ms"]})
        moment = "at=2026-08-09T21:27:40Z&as_of=2026-08-09T21:27:40Z&base=SOL"
        page.goto(f"{server.url}/?window=1h&page=leverage&{moment}")
        page.get_by_test_id("depth-bybit").wait_for(timeout=30_000)
        (book,) = server.get(f"liquidity?window=1h&{moment}")["data"]["venues"]
        cells = page.locator("[data-testid=depth-bybit] td.depth")
        assert cells.count() == 8
        told = [cell.get_attribute("data-value") or "" for cell in cells.all()]
        known = [book["depth"][k // 2][f"{('bid', 'ask')[k % 2]}_usd"] for k in range(8)]
        assert [float(text) if text else None for text in told] == known and any(usd is not None for usd in known)
        page.goto("about:blank")


def test_the_page_does_not_wait_for_the_first_one(page: Page, kept: Up) -> None:
    page.route("**/v1/now?*", lambda route: None)
    page.goto(f"{kept.url}/?{QUERY}&page=leverage")
    page.get_by_test_id("leverage-headline").wait_for(timeout=20_000)
    assert attribute(page, "band", "data-mode") == "stored", "what is shown says what it is from the first moment"
    assert page.get_by_test_id("holders").inner_text().count("Binance") >= 1
