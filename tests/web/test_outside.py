"""The page of sentiment, fund flows and macro, in a real Chromium over constructed rows and over a replay that holds none."""

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from tests.outside_rows import EVENING, LAST, flow, flows, market, observations, readings, stored
from tests.serving import Up, up
from tests.web.browsing import CONTRAST, attribute, use_theme

from deleverage.analytics.trading_days import trading_days

pytestmark = pytest.mark.browser
THEN = f"at={EVENING}&as_of={EVENING}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Everything of bitcoin, and a fund of ether that took a million a day in March."""
    ether = [flow(day, "EEEE", 1e6, base="ETH") for day in trading_days(date(2026, 3, 2), LAST)]
    data = stored(tmp_path_factory.mktemp("outside"), readings(), flows(), observations(), market(), ether)
    with up(data) as server:
        yield server


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("nothing"), "bybit-2026-10-10", "--speed", "100000") as server:
        yield server


def opened(page: Page, server: Up, more: str = "") -> None:
    page.goto(f"{server.url}/?{THEN}&page=economy{more}")
    page.wait_for_selector("[data-testid=macro-betas]", timeout=30_000)
    page.wait_for_selector("[data-testid=etf-funds]")


def test_the_sentence_is_made_of_figures_that_open(page: Page, told: Up) -> None:
    opened(page, told)
    words = page.get_by_test_id("outside-headline").inner_text()
    assert "Fear & Greed 20, extreme fear, after 60 a month before" in words
    assert "−40.0 M USD on 12 Mar, provisional" in words and "10-year yield" in words
    page.get_by_test_id("outside-headline").locator("button.num").first.hover()
    tip = page.locator("#tip").inner_text()
    assert tip.startswith("20 of 100") and "sentiment.fear_greed" in tip and "sentiment_readings/alternative.me" in tip
    assert page.title().startswith("Fear & Greed 20")


def test_whose_word_it_is_stands_beside_the_value(page: Page, told: Up) -> None:
    opened(page, told)
    assert page.get_by_test_id("sentiment-band").inner_text() == "extreme fear"
    assert "alternative.me's word: “Extreme Fear”" in page.get_by_test_id("sentiment-source-word").inner_text()
    link = page.get_by_test_id("attribution").locator("a")
    assert link.get_attribute("href") == "https://alternative.me/crypto/fear-and-greed-index/" and link.is_visible()


def test_our_own_index_is_drawn_part_by_part(page: Page, told: Up) -> None:
    opened(page, told)
    own = told.get(f"sentiment?{THEN}")["data"]["own"]
    drawn = page.locator("[data-testid=own-index] tbody tr")
    assert drawn.count() == 8
    points = [float(attribute(page, f"part-{p['component']}", "data-points") or "nan") for p in own["parts"] if p["percentile"] is not None]
    assert sum(points) == pytest.approx(own["value"])
    assert "missing: needs a year of daily option chains" in page.get_by_test_id("part-skew").inner_text()


def test_flows_by_day_month_and_fund(page: Page, told: Up) -> None:
    opened(page, told)
    assert page.get_by_test_id("flow-state").inner_text() == "12 Mar 2026, provisional"
    assert "3 days of outflow in a row, −120.0 M USD" in page.get_by_test_id("streak").inner_text()
    row = page.get_by_test_id("month-2026-03")
    assert "to date" in row.inner_text() and row.locator("i.to-date").count() == 1
    assert page.get_by_test_id("month-2026-02").locator("i.to-date").count() == 0
    fund = page.get_by_test_id("fund-BBBB").locator("td")
    assert fund.first.inner_text() == "−50.0 M" and page.locator("[data-testid=etf-funds] thead th").nth(1).inner_text() == "12 Mar*"
    page.get_by_test_id("flows-ETH").click()
    expect(page.get_by_test_id("fund-EEEE")).to_be_visible()
    assert "ETH funds: +1.0 M USD on 12 Mar" in page.get_by_test_id("outside-headline").inner_text()
    page.get_by_test_id("etf-flows").locator("summary").click()
    assert page.locator("[data-testid=etf-flows] .as-table tbody tr").count() == len(trading_days(date(2026, 3, 2), LAST))


def test_levels_betas_and_what_is_not_there(page: Page, told: Up) -> None:
    opened(page, told)
    found = told.get(f"macro?{THEN}")["data"]
    assert float(attribute(page, "level-DGS10", "data-value")) == found["levels"][0]["value"]
    assert "not in the data" in page.get_by_test_id("absent-SP500").inner_text()
    assert attribute(page, "beta-DGS10-30", "data-verdict") == "not resolvable"
    whisker = page.get_by_test_id("beta-DGS10-30").get_by_test_id("whisker")
    assert whisker.locator(".unresolved").count() == 1
    reach, middle = whisker.locator(".reach").bounding_box(), whisker.locator(".middle").bounding_box()
    assert reach is not None and middle is not None and reach["x"] <= middle["x"] <= reach["x"] + reach["width"]
    assert page.get_by_test_id("beta-DFII10-30").get_by_test_id("whisker").count() == 0  # a flat yield has no beta, nor a whisker


def test_what_is_old_says_so(page: Page, told: Up) -> None:
    page.goto(f"{told.url}/?at=2026-03-20T12:00:00Z&as_of=2026-03-20T12:00:00Z&page=economy")
    page.wait_for_selector("[data-testid=macro-betas]", timeout=30_000)
    assert (
        attribute(page, "level-DGS10", "data-status") == "stale" and "stale: DGS10 lacks" in page.get_by_test_id("level-DGS10").inner_text()
    )
    assert "Stale: the value of 2026-03-20 is not there" in page.get_by_test_id("sentiment").inner_text()
    assert page.locator(".aged-panel").count() == 2


def test_nothing_is_not_drawn_as_zero(page: Page, nothing: Up) -> None:
    page.goto(f"{nothing.url}/?page=economy")
    page.wait_for_selector("[data-testid=macro-empty]", timeout=30_000)
    assert "Nothing of the outside world" in page.get_by_test_id("outside-headline").inner_text()
    for panel in ("sentiment", "etf-flows", "macro"):
        assert "deleverage import" in page.get_by_test_id(f"{panel}-empty").locator("code").inner_text()
    assert "Our own index: not told" in page.get_by_test_id("own-index").inner_text()


def test_the_first_page_has_both_on_its_strip(page: Page, told: Up) -> None:
    page.goto(f"{told.url}/?{THEN}")
    page.get_by_test_id("multiples").scroll_into_view_if_needed(timeout=30_000)
    page.wait_for_selector("[data-testid=multiple-sentiment][data-value='20']", timeout=30_000)
    assert "alternative.me" in page.get_by_test_id("multiple-sentiment").inner_text()
    page.wait_for_selector("[data-testid=multiple-etf-flow][data-value='-40000000']")
    page.get_by_test_id("multiple-etf-flow").click()
    page.wait_for_selector("[data-testid=outside]")
    assert "page=economy" in page.url


def test_by_keyboard_in_both_themes_and_at_360_pixels(page: Page, told: Up) -> None:
    page.goto(f"{told.url}/?{THEN}")
    page.wait_for_selector("[data-testid=headline]", timeout=30_000)
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_selector("[data-testid=macro-betas]", timeout=30_000)
    for theme in ("dark", "light"):
        use_theme(page, theme)
        assert page.evaluate(CONTRAST) == []
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("canvas").count() >= 3
