"""The rolling state equals the store's answer over the same window, at any instant, whatever the order of arrival."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.liquidations import Sum, micros
from deleverage.events import Liquidation
from deleverage.live import HOUR, WINDOWS, Live
from deleverage.store.duck import DuckStore

START = 1_737_900_000_000_000_000
MINUTE = HOUR // 60


def liquidation(
    ts: int, recv: int, venue: str = "binance", base: str = "BTC", side: str = "long", usd: float | None = 1000.5, n: int = 0
) -> Liquidation:
    return Liquidation(
        venue, f"{base}/USDT:USDT", f"{base}USDT", base, ts, recv, side, 100.0, "fill", 1.0, None, usd, "market", "latest_per_second",  # type: ignore[arg-type]
        ordinal=n,
    )  # fmt: skip


arrivals = st.lists(
    st.tuples(
        st.integers(0, 40 * 60),  # minutes of receipt after the start
        st.integers(-30 * 60, 5),  # minutes the venue's clock is off: far behind (late) to ahead
        st.sampled_from(["binance", "okx"]),
        st.sampled_from(["BTC", "ETH"]),
        st.sampled_from(["long", "short"]),
        st.one_of(st.none(), st.floats(0.01, 1e8)),
        st.sampled_from(["market", "adl", "backstop"]),
        st.integers(0, 1),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(arrivals, st.lists(st.integers(0, 70 * 60), min_size=1, max_size=6))
def test_sums_equal_the_store_at_any_instant(rows: list[tuple], instants: list[int]) -> None:
    store, live = DuckStore(None), Live(START)
    events = sorted(
        (
            msgspec.structs.replace(
                liquidation(START + (minute + off) * MINUTE, START + minute * MINUTE, venue, base, side, usd, n), method=method
            )
            for minute, off, venue, base, side, usd, method, n in rows
        ),
        key=lambda e: e.ts_recv,
    )
    try:
        for at in sorted({START + i * MINUTE for i in instants}):
            for event in [e for e in events if e.ts_recv <= at]:
                live.advance(event.ts_recv)
                live.add([event])
            store.append([e for e in events if e.ts_recv <= at])
            events = [e for e in events if e.ts_recv > at]
            live.advance(at)
            for name, width in WINDOWS.items():
                assert live.sums(name) == store.liquidation_sums(at - width, at, at), name
                grid = list(live.grid(at - width, at, 7 * MINUTE))
                assert grid == list(store.liquidation_grid(at - width, at, 7 * MINUTE, at))
    finally:
        store.close()


def test_window_is_half_open() -> None:
    live = Live(START)
    live.add([liquidation(START, START)])
    assert live.sums("1h") == {}, "an event at the window's end is outside"
    live.advance(START + 1)
    assert live.sums("1h")["binance", "BTC", "long", "market"] == Sum(1_000_500_000, 1, 0)
    live.advance(START + HOUR)
    assert live.sums("1h") != {}, "the window's start is inside"
    live.advance(START + HOUR + 1)
    assert live.sums("1h") == {}


def test_an_event_seen_twice_counts_once_and_a_repeat_within_a_push_counts() -> None:
    live = Live(START + 1)
    first = liquidation(START, START)
    live.add([first, msgspec.structs.replace(first, ts_recv=START + 1), liquidation(START, START, n=1)])
    assert live.sums("1h")["binance", "BTC", "long", "market"].orders == 2


def test_unpriced_orders_are_counted_not_summed() -> None:
    live = Live(START + 1)
    live.add([liquidation(START, START, usd=None)])
    assert live.sums("24h")["binance", "BTC", "long", "market"] == Sum(0, 1, 1)


def test_state_stays_bounded_over_many_days() -> None:
    live = Live(START)
    for minute in range(12 * 24 * 60):
        at = START + minute * MINUTE
        live.advance(at)
        live.add([liquidation(at - k, at) for k in range(1, 41)])
    assert len(live._ts) == len(live._seen) <= 40 * 24 * 60 + 2 * 65_536
    assert live.sums("24h")["binance", "BTC", "long", "market"].orders == 40 * 24 * 60


def test_micros_rounds_half_up() -> None:
    assert micros(0.0000005) == 1 and micros(0.0000004) == 0
