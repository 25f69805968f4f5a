"""Farside's tables of ETF flows: net creations by fund and US trading day. What the page looks like: `flow_page.py`.

The newest row is provisional until a later date stands on the page. A day on which no fund reported (a holiday, or an evening on which
nothing is out yet) is no day of flows: its total of 0.0 is not taken. The site often refuses programs: then what is known stays, the feed
is stale, and a page saved from a browser can be imported. Nothing is done to get around a refusal. Source: https://farside.co.uk
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from deleverage.errors import ParseError
from deleverage.events import EtfFlow, Event
from deleverage.references.flow_page import CHANNEL, TOTAL, Page, coin_of, read_page
from deleverage.references.publication import SECOND, instant, is_weekday, new_york, next_time, overdue, weekday_before
from deleverage.references.reference import Days, Reference
from deleverage.venues.venue import History, Limits, Parser, Poll

NAME = "farside"
SITE = "https://farside.co.uk"
ATTRIBUTION = "ETF flows: Farside Investors (https://farside.co.uk)"
TOGETHER = "ALL"
"""Under this name stands a total of all funds that was told without them: no table of funds names a fund so."""
REPORTED = "ETF flows: a total of all funds as the press reported it, in the form of Farside's table and no row of it"
EVENING, NIGHT, MORNING = time(18), time(1), time(9)
"""New York's hours: from the evening on every half hour until the row is complete, at night no more, once in the morning."""
HALF_HOUR = 1800 * SECOND
TOLERATED = {"BTC": 1, "ETH": 1}
"""Weekdays that may be missing: a holiday is one, and Farside prints no flows on it."""


class EtfFlowsParser(Parser):
    """Pages → EtfFlow, a row a fund and day that reported, `TOTAL` with them."""

    def _events(self, payload: bytes, ts_recv: int) -> Sequence[Event]:
        self.channel = CHANNEL
        page = read_page(payload)
        base = coin_of(self.route.path) or page.base
        if not base:
            raise ParseError(CHANNEL, "neither the address nor the page says which coin the funds hold")
        return flows(page, base, ts_recv)


def flows(page: Page, base: str, ts_recv: int) -> list[EtfFlow]:
    """Return the flows of a page, oldest day first."""
    newest = page.days[-1].day
    return [
        EtfFlow(NAME, base, base, base, _midnight(day.day), ts_recv, fund, day.day, flow, day.day == newest)
        for day in page.days
        if day.reported
        for fund, flow in day.flows.items()
        if flow is not None
    ]


def saved_page(payload: bytes) -> dict[str, list[str | float | bool]]:
    """Return a saved page as columns of the table etf_flows, `base` left out where the page does not say. Raises ParseError."""
    page = read_page(payload)
    rows = flows(page, page.base, 0)
    columns: dict[str, list[str | float | bool]] = {
        "venue": [r.venue for r in rows], "fund": [r.fund for r in rows], "trading_day": [r.trading_day for r in rows],
        "net_flow_usd": [r.net_flow_usd for r in rows], "is_provisional": [r.is_provisional for r in rows],
    }  # fmt: skip
    return columns | ({"base": [page.base for _ in rows]} if page.base else {})


def _midnight(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) * SECOND


def due(now: int, payload: bytes) -> int:
    """Return when to ask again: the next evening when the row of the last trading day is complete, else soon. Raises ParseError."""
    local = new_york(now)
    wanted = local.date() if is_weekday(local.date()) and local.time() >= EVENING else weekday_before(local.date())
    if is_complete(read_page(payload), wanted):
        return next_time(now, [EVENING])
    at_night = local.time() < NIGHT and wanted == local.date() - timedelta(days=1)
    if wanted == local.date() or at_night:
        return now + HALF_HOUR
    if local.time() < MORNING:
        return instant(datetime.combine(local.date(), MORNING))
    return next_time(now, [EVENING])


def is_complete(page: Page, wanted: date) -> bool:
    """Tell whether every fund that reported the day before has reported on `wanted`, or a later day stands there."""
    reported = [day for day in page.days if day.reported]
    if not reported or reported[-1].day < wanted.isoformat():
        return False
    before = reported[-2].reported if len(reported) > 1 else set()
    return before <= reported[-1].reported


def late(newest: Days, now: int) -> str:
    """Say which coin's flows are missing on the morning after; one missing day may have been a holiday."""
    local = new_york(now)
    expected = weekday_before(local.date())
    if local.time() < MORNING:
        expected = weekday_before(expected)
    return overdue(newest, expected, TOLERATED)


def attribution(funds: Iterable[str]) -> str:
    """Say whose the flows of these funds are: those of a total told without its funds are no source's table."""
    return REPORTED if set(funds) - {TOTAL} == {TOGETHER} else ATTRIBUTION


_PAGES: Mapping[str, str] = {"btc": "bitcoin", "eth": "ethereum"}
REFERENCE = Reference(
    name=NAME,
    title="Farside",
    docs=SITE,
    owns=("farside.co.uk",),
    parser=EtfFlowsParser,
    setting="farside",
    schedule="weekdays from 18:00 New York time every 30 minutes until the row is complete, until 01:00, and once at 09:00",
    attribution=ATTRIBUTION,
    terms="no licence is stated: fetched for your own use, never bundled, not to be passed on",
    late=late,
    polls=tuple(Poll(name="etf_flows", url=f"{SITE}/{coin}/", every=1800, due=due) for coin in _PAGES),
    histories=tuple(
        History(
            name="etf_flows", url=f"{SITE}/{coin}-etf-flow-all-data/", longest=1e9, per="venue", on_start=True, back=3.2e8,
            shortest_gap=10 * 86_400,
        )
        for coin in _PAGES.values()
    ),
    limits=Limits(weight=10, weight_every=1800, ban=6 * 3600, source="none are stated; a refusal is waited out for six hours"),
)  # fmt: skip
