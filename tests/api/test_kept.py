"""What is kept between questions is held to what was known, in whatever order is asked: what came late is in the later answer only."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.option_frames import AT, DAY, SECOND, summary
from tests.serving import imported

from deleverage.api import liquidity, options
from deleverage.api.kept import HOLDS
from deleverage.api.option_material import TOGETHER, Asked
from deleverage.api.options import Taken
from deleverage.api.session import StoredSession
from deleverage.events import BookDepth, Candle, OptionQuote
from deleverage.store.duck import DuckStore

HOUR = 3600 * SECOND
BTC = ("BTC/USDT:USDT", "BTCUSDT", "BTC")
SOON = AT + 10 * 60 * SECOND
RECEIVED = SOON + 60 * SECOND
LATE = SOON + HOLDS + SECOND
"""As of when is asked; what comes late is received between."""


def both(answer: Callable[[int], Any]) -> tuple[Any, Any]:
    """What is answered as of SOON and LATE, the same whichever is asked first, and a second time."""
    late, soon = answer(LATE), answer(SOON)
    assert (answer(SOON), answer(LATE), answer(SOON)) == (soon, late, soon)
    return soon, late


@pytest.fixture
def session(tmp_path: Path) -> Iterator[StoredSession]:
    found = StoredSession(DuckStore(imported(tmp_path, [summary(AT - HOUR), summary(AT)]).tables), "")
    yield found
    found.close()


def taken(session: StoredSession, at: int, as_of: int) -> Taken:
    return Taken(lambda: nullcontext(session), Asked("BTC", "deribit", at - 3 * HOUR, at, as_of))


def dearer(session: StoredSession, at: int, received: int) -> list[OptionQuote]:
    """The chain of `at` told once more a second later, a tenth dearer, and received at `received`."""
    rows = session.store.read("option_quotes", start=at, end=at + 1).to_pylist()
    quotes = [OptionQuote(**{name: row[name] for name in OptionQuote.__struct_fields__}) for row in rows]
    told = {"ts_event": at + SECOND, "ts_recv": received}
    return [
        msgspec.structs.replace(q, **told, **{side: getattr(q, side) and getattr(q, side) * 1.1 for side in ("bid_price", "ask_price")})
        for q in quotes
    ]


def test_history_of_volatility(session: StoredSession) -> None:
    session.store.append(dearer(session, AT - HOUR, RECEIVED))
    soon, late = both(lambda as_of: options.term_document(taken(session, AT, as_of))["history"]["atm"])
    assert soon[0] == pytest.approx(0.5301414916, rel=1e-2) and late[0] > 1.05 * soon[0] and late[-1] == soon[-1]


def test_closes_that_realised_volatility_is_made_of(session: StoredSession) -> None:
    def close(at: int, price: float, received: int) -> Candle:
        return Candle("binance", *BTC, at, received, 900, at - 900 * SECOND, price, price, price, price, 1.0)

    steps = range(AT - 2 * DAY, AT + 1, 900 * SECOND)
    session.store.append([close(at, 86_000.0 if k % 2 else 86_860.0, at + SECOND) for k, at in enumerate(steps) if at != AT - HOUR])
    session.store.append([close(AT - HOUR, 120_000.0, RECEIVED)])
    soon, late = both(lambda as_of: options.term_document(taken(session, AT, as_of))["realised"][0]["now"])
    assert late > 1.5 * soon > 0


def test_books_that_a_window_begins_with() -> None:
    session, begun = StoredSession(DuckStore(None), ""), AT - 2 * HOUR

    def book(at: int, received: int, *, update: Any, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> BookDepth:
        return BookDepth("okx", *BTC, at, received, update, bids, asks, "base")

    session.store.append([
        book(begun, begun, update="snapshot", bids=[(99.0, 1.0), (80.0, 1.0)], asks=[(101.0, 1.0), (120.0, 1.0)]),
        *(book(at, at, update="delta", bids=[(99.0, 1.0)], asks=[]) for at in range(begun + 60 * SECOND, AT, 60 * SECOND)),
        book(begun + 90 * SECOND, RECEIVED, update="delta", bids=[(98.5, 100.0)], asks=[]),
    ])  # fmt: skip

    def depth(as_of: int, width: int = HOUR) -> Any:
        return liquidity.answer(session, AT - width, AT, as_of, "BTC")["venues"][0]["depth"][-1]["bid_usd"]

    depth(LATE, 2 * HOUR)  # leaves books where the others begin
    soon, late = both(depth)
    assert soon == pytest.approx(99.0) and late == pytest.approx(99.0 + 9850.0)
    session.close()


def test_what_is_not_over_is_read_again(session: StoredSession, monkeypatch: pytest.MonkeyPatch) -> None:
    now = AT + 5 * 60 * SECOND
    monkeypatch.setattr(StoredSession, "now", lambda _: now)
    future = AT + DAY
    before = taken(session, future, future).fit
    assert before is None  # the chain is a day older than that
    session.store.append(dearer(session, AT, AT + 2 * SECOND))
    session.store.append([msgspec.structs.replace(q, ts_event=future - HOUR, ts_recv=now) for q in dearer(session, AT, now)])
    assert taken(session, future, future).fit is None  # asked again at once: from what was read
    now += TOGETHER + 1
    after = taken(session, future, future).fit
    assert after is not None and after.chain.at == future - HOUR


def test_a_moment_not_known_yet_has_no_chain_but_its_closes(session: StoredSession) -> None:
    """No quote of the two hours before is known, and closes of several contracts are."""
    at = AT + 5 * HOUR
    rows = [Candle(v, *BTC, t, t, 60, t - 60 * SECOND, 1.0, 1.0, 1.0, 1.0, 1.0) for v in ("okx", "bybit") for t in (at - HOUR, at)]
    session.store.append(rows)
    said = options.term_document(taken(session, at, at))
    assert said["tenors"] == [] and "no option quotes" in said["reason"] and "bybit" in said["realised_source"]
