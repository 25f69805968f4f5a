"""What the tests of the pages share: reading what a page shows, its theme, and the contrast of its text."""

from playwright.sync_api import Page


def attribute(page: Page, testid: str, name: str) -> str:
    value = page.get_by_test_id(testid).first.get_attribute(name)
    assert value is not None
    return value


def sentence(page: Page, testid: str = "headline") -> str:
    """Return a headline with plain spaces: the page keeps numbers beside their units."""
    return page.get_by_test_id(testid).inner_text().replace("\u00a0", " ")


def use_theme(page: Page, theme: str) -> None:
    """Switch to a theme by the key for it, and let the colours settle."""
    if page.evaluate("document.documentElement.dataset.theme ?? 'dark'") != theme:
        page.keyboard.press("t")
    page.wait_for_function(f"(document.documentElement.dataset.theme ?? 'dark') == '{theme}'")
    page.wait_for_timeout(400)


CONTRAST = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const over = (top, under) => { const a = top[3] ?? 1; return [0, 1, 2].map((i) => top[i] * a + under[i] * (1 - a)); };
  const ground = (node) => { const layers = [];
    for (let n = node; n; n = n.parentElement) layers.push(rgb(getComputedStyle(n).backgroundColor));
    return layers.reverse().reduce((under, top) => top.length ? over(top, under) : under, [255, 255, 255]); };
  const poor = [];
  for (const node of document.querySelectorAll('h1, h2, h3, p, td, th, button, a, li, span, time, summary, label, dt, dd')) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    const style = getComputedStyle(node), box = node.getBoundingClientRect();
    if (!own || box.width < 2 || box.height < 2 || style.visibility === 'hidden' || Number(style.opacity) < 1) continue;
    const back = ground(node), front = over(rgb(style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.45) poor.push(`${node.innerText.trim().slice(0, 40)}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return poor;
}"""
"""Texts whose contrast with their ground is below AA, each with its ratio."""
