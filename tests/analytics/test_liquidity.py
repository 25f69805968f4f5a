"""Books against books made by hand, against every venue's own numbering, and against real recordings."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deleverage.analytics.book_map import BookMap
from deleverage.analytics.liquidity import (
    DEPTHS,
    DISTANCES,
    SECOND,
    SIZES,
    consumption,
    grid,
    liquidity,
    measure,
    observe,
    totals,
    unit_of,
    withdrawal,
)
from deleverage.analytics.order_book import TOP, OrderBook, rows_of
from deleverage.collect.pipeline import Pipeline
from deleverage.events import BookDepth
from deleverage.journal.frame import Frame
from deleverage.store.columns import to_arrow
from tests.captures import recorded

Level = tuple[float, float]


def row(update: str, bids: list[Level], asks: list[Level], number: int | None = None, before: int | None = None, ts: int = 0, **more: str) -> BookDepth:  # fmt: skip  # noqa: E501
    fields = {"venue": "okx", "symbol": "BTC/USDT:USDT", "venue_symbol": "BTCUSDT", "size_unit": "base"} | more
    return BookDepth(
        fields["venue"], fields["symbol"], fields["venue_symbol"], "BTC", ts, ts, update, bids, asks, fields["size_unit"], number, before,  # type: ignore[arg-type]
    )  # fmt: skip


def framed(rows: list[BookDepth]) -> pl.DataFrame:
    found = pl.from_arrow(to_arrow(rows))
    assert isinstance(found, pl.DataFrame)
    return found


def built(venue: str, rows: list[BookDepth], cuts: tuple[int, ...] = ()) -> OrderBook:
    """Rebuild a book, loading the rows in pieces."""
    book = OrderBook(venue)
    for low, high in zip((0, *cuts), (*cuts, len(rows)), strict=True):
        book.load(rows_of(framed(rows[low:high])))
        book.advance()
        book = book.copy()
    return book


SIMPLE = row("snapshot", [(99.95, 1000.0), (99.5, 3000.0), (98.0, 50_000.0), (97.0, 1.0)],
             [(100.05, 2000.0), (100.5, 4000.0), (101.0, 90_000.0), (103.0, 1.0)], 10)  # fmt: skip


def measured(rows: list[BookDepth], venue: str = "okx", **more: object) -> dict[str, float | None]:
    frame = framed(rows)
    end = int(frame["ts_event"].max()) + 1  # type: ignore[arg-type]
    series = liquidity(frame, end - 1, end, SECOND, **more)  # type: ignore[arg-type]
    assert series["venue"].to_list() == [venue]
    return series.row(-1, named=True)


def test_depth_spread_and_cost_are_arithmetic() -> None:
    found = measured([SIMPLE])
    assert found["mid"] == pytest.approx(100.0) and found["spread_bps"] == pytest.approx(10.0)
    bid = [99.95 * 1000, 99.95 * 1000 + 99.5 * 3000]
    assert [found[f"bid_usd_{d * 1e4:g}bps"] for d in DISTANCES] == pytest.approx([bid[0], bid[1], bid[1], bid[1] + 98.0 * 50_000])
    ask = [100.05 * 2000, 100.05 * 2000 + 100.5 * 4000]
    assert [found[f"ask_usd_{d * 1e4:g}bps"] for d in DISTANCES] == pytest.approx([ask[0], ask[1]] + [ask[1] + 101.0 * 90_000] * 2)
    assert found["buy_bps_100k"] == pytest.approx(5.0)  # all of it at 100.05
    coins = 2000 + 4000 + (1e6 - ask[1]) / 101.0
    assert found["buy_bps_1000k"] == pytest.approx((1e6 / coins / 100 - 1) * 1e4)
    sold = 1000 + (1e5 - bid[0]) / 99.5
    assert found["sell_bps_100k"] == pytest.approx((1 - 1e5 / sold / 100) * 1e4)
    assert found["sell_bps_10000k"] is None  # 5.3 million rest on that side


def test_what_is_not_visible_is_null_and_never_a_smaller_number() -> None:
    thin = row("snapshot", [(99.95, 1000.0), (99.4, 10.0)], [(100.05, 1000.0), (100.08, 10.0)], 1)
    found = measured([thin])
    assert found["bid_usd_50bps"] == pytest.approx(99_950.0) and found["bid_usd_100bps"] is None
    assert found["bid_at_least_usd_100bps"] == pytest.approx(99_950.0 + 994.0)
    assert found["ask_usd_10bps"] is None and found["ask_at_least_usd_10bps"] == pytest.approx(100_050.0 + 1000.8)
    assert found["bid_reach"] == pytest.approx(0.006) and found["ask_reach"] == pytest.approx(0.0008)
    assert found["buy_bps_1000k"] is None


def test_contracts_and_dollars_become_dollars() -> None:
    inverse = row("snapshot", [(99.95, 10.0), (90.0, 1.0)], [(100.05, 20.0), (110.0, 1.0)], 1, size_unit="contracts")
    sized = {("okx", "BTCUSDT"): (100.0, "inverse")}
    assert measured([inverse], contracts=sized)["bid_usd_50bps"] == pytest.approx(1000.0)
    linear = {("okx", "BTCUSDT"): (0.1, "linear")}
    assert measured([inverse], contracts=linear)["ask_usd_50bps"] == pytest.approx(20 * 0.1 * 100.05)
    unsized = measured([inverse])
    assert unsized["spread_bps"] == pytest.approx(10.0) and unsized["bid_usd_50bps"] is None and unsized["buy_bps_100k"] is None
    dollars = row("snapshot", [(99.95, 10.0), (90.0, 1.0)], [(100.05, 20.0), (110.0, 1.0)], 1, size_unit="usd")
    assert measured([dollars])["ask_usd_50bps"] == pytest.approx(20.0)
    assert unit_of("base") == (1.0, False)


def test_the_published_sequence_is_one_chain() -> None:
    """OKX's own example: (-1, 10) (10, 15) (15, 15) (15, 3) (3, 5) is valid throughout."""
    rows = [row("snapshot", [(99.0, 1.0)], [(101.0, 1.0)], 10)]
    rows += [
        row("delta", [(98.0, float(i))], [], number, before) for i, (before, number) in enumerate([(10, 15), (15, 15), (15, 3), (3, 5)], 1)
    ]
    book = built("okx", rows)
    assert book.levels() == ([(99.0, 1.0), (98.0, 4.0)], [(101.0, 1.0)]) and book.holes == 0


def test_a_left_out_number_makes_the_book_unknown_until_a_snapshot() -> None:
    rows = [SIMPLE, row("delta", [(99.95, 5.0)], [], 12, 11), row("delta", [(99.95, 7.0)], [], 13, 12)]
    gone = built("okx", rows)
    assert not gone.is_known and gone.holes == 1
    assert measured(rows)["bid_usd_10bps"] is None and measured(rows)["mid"] is None
    back = built("okx", [*rows, row("snapshot", [(99.0, 1.0)], [(101.0, 2.0)], 20), row("delta", [], [(101.0, 0.0), (102.0, 3.0)], 21, 20)])
    assert back.levels() == ([(99.0, 1.0)], [(102.0, 3.0)]) and back.is_known


def test_repeats_are_passed_over_and_overlaps_applied() -> None:
    rows = [
        SIMPLE,
        row("delta", [(99.95, 5.0)], [], 12, 10),
        row("delta", [(99.95, 9.0)], [], 11, 10),
        row("delta", [(99.5, 0.0)], [], 13, 11),
    ]
    assert built("deribit", rows).levels()[0][:2] == [(99.95, 5.0), (98.0, 50_000.0)]


def test_bybit_restarts_with_a_snapshot_numbered_1() -> None:
    rows = [
        SIMPLE,
        row("delta", [(99.95, 0.0)], [], 11, 10),
        row("snapshot", [(90.0, 1.0)], [(91.0, 1.0)], 1),
        row("delta", [(90.0, 2.0)], [], 2, 1),
    ]
    assert built("bybit", rows).levels() == ([(90.0, 2.0)], [(91.0, 1.0)])


def test_snapshots_without_numbers_replace_each_other() -> None:
    rows = [row("snapshot", [(99.0, 1.0)], [(101.0, 1.0)]), row("snapshot", [(98.0, 1.0)], [(100.0, 1.0)])]
    assert built("hyperliquid", rows).levels() == ([(98.0, 1.0)], [(100.0, 1.0)])


def test_binances_answers_without_changes_replace_each_other() -> None:
    """Where its socket is not recorded, or fell silent, the book of the first answer must not stay for ever."""
    answers = [row("snapshot", [(99.0 - n, 1.0)], [(101.0 - n, 1.0)], 10 + n, ts=n) for n in range(4)]
    assert built("binance", answers).levels() == ([(96.0, 1.0)], [(98.0, 1.0)])
    assert built("binance", answers, cuts=(1, 3)).levels() == ([(96.0, 1.0)], [(98.0, 1.0)])
    silent = [answers[0], row("delta", [(99.0, 2.0)], [], 11, 10), *answers[2:]]
    book = built("binance", silent[:3])
    assert book.levels() == ([(99.0, 2.0)], [(101.0, 1.0)]), "a lone newer answer waits for the changes up to it"
    book = built("binance", silent)
    assert book.levels() == ([(96.0, 1.0)], [(98.0, 1.0)])
    assert built("binance", [*silent, row("delta", [(96.0, 3.0)], [], 15, 12)]).levels() == ([(96.0, 3.0)], [(98.0, 1.0)])


@pytest.mark.parametrize("number", [9, 10, 11, 12, 13])
def test_an_answer_joins_changes_that_came_before_it(number: int) -> None:
    """Binance: changes (8, 10], (10, 12] come first, then the book as of `number`, then (12, 14]."""
    changes = [row("delta", [(98.0, 2.0)], [], 10, 8), row("delta", [(99.0, 5.0)], [(101.0, 0.0)], 12, 10)]
    answer = row("snapshot", [(99.0, 5.0 if number >= 12 else 1.0), (98.0, 2.0), (97.0, 4.0)],
                 [(102.0, 6.0)] if number >= 12 else [(101.0, 3.0), (102.0, 6.0)], number)  # fmt: skip
    last = row("delta", [(97.0, 8.0)], [], 14, 12)
    book = built("binance", [*changes, answer, last])
    assert book.levels() == ([(99.0, 5.0), (98.0, 2.0), (97.0, 8.0)], [(102.0, 6.0)])


def test_an_answer_that_cannot_join_is_not_used() -> None:
    book = built(
        "binance",
        [row("delta", [(98.0, 2.0)], [], 12, 10), row("snapshot", [(99.0, 1.0)], [(101.0, 1.0)], 9), row("delta", [], [], 13, 12)],
    )
    assert not book.is_known


@st.composite
def markets(draw: st.DrawFn) -> list[tuple[dict[int, float], dict[int, float]]]:
    """Successive states of a whole book on integer prices; bids below asks throughout."""
    mid, states = 50, []
    bids: dict[int, float] = {p: 1.0 + p % 3 for p in range(40, 50)}
    asks: dict[int, float] = {p: 1.0 + p % 4 for p in range(51, 61)}
    for _ in range(draw(st.integers(3, 25))):
        mid += draw(st.integers(-3, 3))
        bids = {p: s for p, s in bids.items() if p < mid}
        asks = {p: s for p, s in asks.items() if p > mid}
        for away in draw(st.lists(st.integers(1, 12), max_size=4)):
            bids[mid - away] = float(draw(st.integers(0, 5)))
        for away in draw(st.lists(st.integers(1, 12), max_size=4)):
            asks[mid + away] = float(draw(st.integers(0, 5)))
        bids, asks = {p: s for p, s in bids.items() if s} or {mid - 1: 1.0}, {p: s for p, s in asks.items() if s} or {mid + 1: 1.0}
        states.append((dict(bids), dict(asks)))
    return states


def best(state: tuple[dict[int, float], dict[int, float]], most: int) -> tuple[list[Level], list[Level]]:
    bids, asks = state
    return [(float(p), bids[p]) for p in sorted(bids, reverse=True)[:most]], [(float(p), asks[p]) for p in sorted(asks)[:most]]


def between(one: dict[int, float], other: dict[int, float]) -> list[Level]:
    return [(float(p), other.get(p, 0.0)) for p in {*one, *other} if one.get(p) != other.get(p)]


@given(markets(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_known_of_a_book_is_the_book(states: list[tuple[dict[int, float], dict[int, float]]], data: st.DataObject) -> None:
    """Changes, some left out; answers of a few levels, early and late; best quotes; cut into pieces anywhere."""
    rows = []
    for k in range(1, len(states)):
        step = data.draw(st.sampled_from(["", "", "", "", "lost", "answer", "late answer", "early answer", "quote"]))
        if step.endswith("answer"):
            of = {"answer": k - 1, "late answer": max(k - 3, 0), "early answer": min(k + 1, len(states) - 1)}[step]
            rows.append(row("snapshot", *best(states[of], data.draw(st.integers(1, 6))), of))
        if step == "quote":
            rows.append(row("top", *best(states[k], 1), k))
        if step != "lost":
            (b0, a0), (b1, a1) = states[k - 1], states[k]
            rows.append(row("delta", between(b0, b1), between(a0, a1), k, k - 1))
    if not rows:
        return
    book, cut = OrderBook("binance"), data.draw(st.integers(0, len(rows)))
    for part in (rows[:cut], rows[cut:]):
        if not part:
            continue
        book = book.copy()
        book.load(rows_of(framed(part)))
        for i in range(len(part)):
            book.advance(i + 1)
            low, high = book.edges
            if low > high:
                continue
            bids, asks = best(states[book.number], 10**6)
            assert book.levels() == ([x for x in bids if x[0] >= low], [x for x in asks if x[0] <= high])


@given(markets())
@settings(max_examples=50, deadline=None)
def test_a_book_from_changes_is_the_book_from_snapshots(states: list[tuple[dict[int, float], dict[int, float]]]) -> None:
    rows = [row("snapshot", *best(states[0], 10**6), 0)]
    for k in range(1, len(states)):
        (b0, a0), (b1, a1) = states[k - 1], states[k]
        rows.append(row("delta", between(b0, b1), between(a0, a1), k, k - 1))
        book = built("deribit", rows, cuts=(k // 2,) if k > 1 else ())
        assert book.levels() == best(states[k], 10**6) == built("hyperliquid", [row("snapshot", *best(states[k], 10**6))]).levels()


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0.1, 1e6)), min_size=2, max_size=60), st.lists(st.tuples(st.integers(1, 400), st.floats(0.1, 1e6)), min_size=2, max_size=60))  # fmt: skip  # noqa: E501
def test_depth_rises_with_distance_and_cost_with_size(bids: list[tuple[int, float]], asks: list[tuple[int, float]]) -> None:
    snapshot = row("snapshot", [(100 - p / 100, s) for p, s in dict(bids).items()], [(100 + p / 100, s) for p, s in dict(asks).items()], 1)
    found = measured([snapshot])
    for side, way in (("bid", "sell"), ("ask", "buy")):
        for names in ([f"{side}_usd_{d * 1e4:g}bps" for d in DISTANCES], [f"{way}_bps_{s / 1000:g}k" for s in SIZES]):
            values = [found[name] for name in names]
            known = [v for v in values if v is not None]
            assert values[: len(known)] == known  # null from some distance or size on
            assert all(b >= a - 1e-9 * abs(a) for a, b in pairwise(known))
        floors = [found[f"{side}_at_least_usd_{d * 1e4:g}bps"] for d in DISTANCES]
        assert floors == sorted(floors)  # type: ignore[type-var]


def test_a_book_unheard_of_for_a_minute_is_not_known() -> None:
    series = liquidity(framed([SIMPLE]), 0, 120 * SECOND, 30 * SECOND)
    assert series["ts"].to_list() == [t * SECOND for t in (30, 60, 90, 120)]
    assert series["mid"].is_null().to_list() == [False, False, True, True]
    assert grid(5, 25, 10).tolist() == [10, 20, 25]


def stressed() -> pl.DataFrame:
    """Depth of 100 on the bid until 100 s, then 20, back to 60 at 130 s and to 90 at 160 s, by the second."""
    rows = []
    for second in range(200):
        size = 1000.0 if second < 100 else 200.0 if second < 130 else 600.0 if second < 160 else 900.0
        rows.append(row("snapshot", [(99.9, size), (90.0, 1.0)], [(100.1, 1000.0), (110.0, 1.0)], second, ts=second * SECOND))
    return liquidity(framed(rows), 0, 200 * SECOND, SECOND)


def test_withdrawal_and_refill_are_told() -> None:
    series = stressed()
    (bid, *_) = [w for w in withdrawal(series, 120 * SECOND) if w.side == "bid" and w.distance == 0.005]
    assert bid.change == pytest.approx(-0.8) and bid.median_usd == pytest.approx(99_900.0)
    assert withdrawal(series, 5 * SECOND) == []
    (taken,) = consumption(series, 100 * SECOND, 120 * SECOND, sells=True)
    assert (taken.side, taken.distance) == ("bid", 0.02)
    assert taken.before_usd == pytest.approx(99_900.0) and taken.consumed_usd == pytest.approx(0.8 * 99_900.0)
    assert taken.refill_seconds == pytest.approx(30.0)  # 60 is half of what was gone, seen at the end of its second
    assert taken.half_depth_seconds == pytest.approx(30.0)
    (other,) = consumption(series, 100 * SECOND, 120 * SECOND, sells=False)
    assert other.consumed_usd == 0 and other.refill_seconds == 0
    assert consumption(series, 400 * SECOND, 420 * SECOND, sells=True) == []


def test_sums_over_contracts_lack_what_one_of_them_lacks() -> None:
    thin = row("snapshot", [(99.95, 1.0)], [(100.05, 1.0)], 1, symbol="BTC/USDC:USDC", venue_symbol="BTCUSDC")
    series = liquidity(framed([SIMPLE, thin]), 0, SECOND, SECOND)
    summed = totals(series).row(0, named=True)
    assert summed["contracts"] == 2 and summed["bid_usd_10bps"] is None and set(DEPTHS) <= set(summed)


def drawn(steady: float, cancelled: bool = False) -> BookMap:
    """Twenty minutes: a wall of 500 coins at 99 throughout, one of 400 at 101 for one sample in four."""
    ladder = [(99.9 - k / 10, 1.0) for k in range(30)]
    rows = []
    for k in range(80):
        bids = [(p, steady if round(p, 6) == 99.0 else s) for p, s in ladder]
        asks = [(200 - p, 400.0 if round(p, 6) == 99.0 and k % 4 == 0 else s) for p, s in ladder]
        rows.append(row("delta" if k else "snapshot", bids, asks, k, k - 1 if k else None, ts=k * 15 * SECOND))
        if cancelled:
            rows[-1] = (
                row("delta" if k else "snapshot", [(99.0, steady / (1 + k % 2))], [], k, k - 1, ts=k * 15 * SECOND) if k else rows[-1]
            )
    frame = framed(rows)
    instants = grid(0, 80 * 15 * SECOND, 15 * SECOND)
    book, seen = OrderBook("okx"), BookMap(instants, unit_of("base"))
    observe(book, rows_of(frame), instants, unit_of("base"), lambda k: seen.take(k, book))
    seen.count_removed(book)
    return seen


def test_walls_that_stay_are_told_from_those_that_flicker() -> None:
    walls = {(w.side, round(w.price, 6)): w for w in drawn(500.0).walls()}
    assert set(walls) == {("bid", 99.0), ("ask", 101.0)}
    stays, flickers = walls["bid", 99.0], walls["ask", 101.0]
    assert stays.kind == "persistent" and stays.share == 1 and stays.survival_seconds == 79 * 15 and stays.usd == pytest.approx(49_500.0)
    assert stays.ratio == pytest.approx(500 * 99 / np.mean([99.9 - k / 10 for k in range(20) if k != 9]), rel=1e-3)
    assert flickers.kind == "flickering" and flickers.times == 20 and flickers.share == pytest.approx(0.25, abs=0.01)
    assert flickers.removed_usd == pytest.approx(20 * 399 * 101.0) and flickers.cancel_to_trade is None


def test_a_wall_cancelled_twenty_times_what_it_trades_is_not_persistent() -> None:
    seen = drawn(500.0, cancelled=True)
    (price,) = {w.price for w in seen.walls() if round(w.price, 6) == 99.0}
    removed = 40 * 250 * 99.0
    spoof = next(w for w in seen.walls({("bid", price): removed / 30}) if w.price == price)
    assert spoof.cancel_to_trade == pytest.approx(29.0) and spoof.kind == "unresolved"
    real = next(w for w in seen.walls({("bid", price): removed / 2}) if w.price == price)
    assert real.cancel_to_trade == pytest.approx(1.0) and real.kind == "persistent"


def test_the_map_holds_every_dollar_within_its_bins() -> None:
    image = drawn(500.0).image(40)
    assert image is not None and image.usd.shape[1] <= 40 and len(image.edges) == image.usd.shape[1] + 1
    prices = [round(99.9 - k / 10, 6) for k in range(30)]
    rests = [(p, (500.0 if p == 99.0 else 1.0) * p) for p in prices] + [
        (200 - p, (200 - p) * (400.0 if p == 99.0 else 1.0)) for p in prices
    ]
    for j in np.flatnonzero(~np.isnan(image.usd[0])):
        low, high = image.edges[j], image.edges[j + 1]
        if all(min(abs(p - low), abs(p - high)) > 1e-6 for p, _ in rests):
            assert image.usd[0, j] == pytest.approx(sum(usd for p, usd in rests if low <= p < high), rel=1e-6)
    assert np.nansum(image.usd[0]) > 80_000


# --- real recordings --------------------------------------------------------------------------------------------------


@cache
def recorded_books(name: str) -> pl.DataFrame:
    rows: list[BookDepth] = []
    pipeline = Pipeline(lambda events: rows.extend(e for e in events if isinstance(e, BookDepth)))
    for capture in recorded(name):
        pipeline.feed(Frame(capture.ts_recv, capture.venue, capture.route, capture.payload))
    return framed(rows)


def contracts_of(name: str) -> Iterator[tuple[str, str, pl.DataFrame]]:
    for (venue, symbol), part in recorded_books(name).group_by(["venue", "symbol"], maintain_order=True):
        yield str(venue), str(symbol), part


def test_the_rebuilt_best_is_the_quoted_best_on_binance() -> None:
    """No snapshot was recorded: what is known grows from the quotes, and where both have one number they agree."""
    ((venue, _, part),) = contracts_of("binance-2024-08-08")
    rows, book = rows_of(part), OrderBook(venue)
    book.load(rows)
    quotes = {
        int(rows.sequence[i]): (rows.bid_prices[rows.bid_starts[i]], rows.bid_sizes[rows.bid_starts[i]],
                                rows.ask_prices[rows.ask_starts[i]], rows.ask_sizes[rows.ask_starts[i]])
        for i in np.flatnonzero(rows.update == TOP)
    }  # fmt: skip
    compared = 0
    for i in np.flatnonzero(rows.update != TOP):
        book.advance(int(i) + 1)
        quote = quotes.get(int(rows.sequence[i]))
        if quote is not None and book.is_known:
            (bid, ask), (b, a) = book.best, book.best_places
            assert (bid, book.bids[b], ask, book.asks[a]) == quote
            compared += 1
    assert compared > 500 and book.holes == 0
    low, high = book.edges
    assert low < book.best[0] * 0.999 and high > book.best[1] * 1.002


def test_binance_depth_of_the_recording() -> None:
    frame = recorded_books("binance-2024-08-08")
    start, end = int(frame["ts_event"].min()), int(frame["ts_event"].max())  # type: ignore[arg-type]
    series = liquidity(frame, start, end, SECOND)
    assert series["spread_bps"].median() == pytest.approx(0.1 / 61_700 * 1e4, rel=0.01)  # one tick of 0.1
    assert series["bid_usd_200bps"].null_count() == len(series)  # its reach is a quarter of a percent
    assert series["ask_usd_10bps"].count() > 200 and 1e6 < series["ask_usd_10bps"].median() < 1e8  # type: ignore[operator]


def test_hyperliquid_reaches_as_far_as_twenty_levels() -> None:
    frame = recorded_books("hyperliquid-2025-01-26")
    start, end = int(frame["ts_event"].min()), int(frame["ts_event"].max())  # type: ignore[arg-type]
    series = liquidity(frame, start, end + 1, SECOND)
    last = frame.row(-1, named=True)
    bids, asks = last["bids"], last["asks"]
    mid = (bids[0]["price"] + asks[0]["price"]) / 2
    found = series.row(-1, named=True)
    assert found["bid_reach"] == pytest.approx(1 - bids[-1]["price"] / mid) and found["bid_reach"] < 0.001
    assert all(found[name] is None for name in DEPTHS)
    assert found["bid_at_least_usd_10bps"] == pytest.approx(sum(x["price"] * x["size"] for x in bids))


def test_htx_and_okx_books_need_the_size_of_a_contract() -> None:
    for name, venue in (("htx-2022-02-19", "htx"), ("okx-2022-05-13", "okx")):
        frame = recorded_books(name)
        start, end = int(frame["ts_event"].min()), int(frame["ts_event"].max())  # type: ignore[arg-type]
        sizes = {(venue, s): (100.0 if s.startswith("BTC") else 10.0, "inverse") for s in frame["venue_symbol"].unique()}
        without, sized = liquidity(frame, start, end, SECOND), liquidity(frame, start, end, SECOND, sizes)
        assert without["mid"].count() > 10 and without["bid_usd_200bps"].count() == 0
        assert sized["bid_usd_200bps"].count() > 10
        for _, symbol, part in contracts_of(name):
            book = OrderBook(venue)
            book.load(rows_of(part))
            book.advance()
            if part["update"][-1] == "snapshot":
                bids, asks = book.levels()
                assert bids == sorted((x["price"], x["size"]) for x in part["bids"][-1])[::-1], symbol
                assert asks == sorted((x["price"], x["size"]) for x in part["asks"][-1]), symbol
            assert book.is_known and book.holes == 0, symbol


def test_bybit_keeps_two_hundred_levels() -> None:
    """The venue moves the window itself: after hundreds of changes there are as many levels as in the snapshot."""
    seen = 0
    for venue, symbol, part in contracts_of("bybit-2026-08-09"):
        book = OrderBook(venue)
        book.load(rows_of(part))
        book.advance()
        assert book.is_known and book.holes == 0, symbol
        bids, asks = book.levels()
        assert abs(len(bids) - 200) <= 1 and abs(len(asks) - 200) <= 1, symbol
        out = np.empty(4 + 4 * len(DISTANCES) + 2 * len(SIZES))
        measure(book, unit_of("base"), out)
        assert out[0] == pytest.approx((bids[0][0] + asks[0][0]) / 2)
        seen += len(part)
    assert seen == 1598
