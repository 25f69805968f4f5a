"""Large and endangered accounts are asked first, within the weight, and what they cover is a share of open interest."""

import pytest

from deleverage.events import PositionSnapshot, Trade
from deleverage.venues.hyperliquid_watch import NEAR, OFTEN, SELDOM, TRADED_USD, WEIGHT, WatchList


def trade(buyer: str, seller: str, usd: float) -> Trade:
    return Trade(
        "hyperliquid", "BTC/USDC:USDC", "BTC", "BTC", 1, 1, "1", "buy", 100.0, usd / 100, usd / 100, usd, "market", "unknown", buyer, seller
    )


def position(account: str, quantity: float, liquidation: float | None, price: float = 100.0) -> PositionSnapshot:
    return PositionSnapshot(
        "hyperliquid", "BTC/USDC:USDC", "BTC", "BTC", 1, 1, account, "long", quantity, 100.0, liquidation, quantity * price, 10.0, "cross",
        1.0, 0.0, 1000.0,
    )  # fmt: skip


def asked(watch: WatchList, start: float, seconds: int) -> list[str]:
    found: list[str] = []
    for n in range(seconds):
        found += watch.due(start + n)
    return found


def test_small_traders_are_not_asked_and_large_ones_are_within_the_weight() -> None:
    watch = WatchList(120.0)  # one question a second
    watch.traded([trade("0xlarge", "0xsmall", 10.0)])
    watch.traded([trade(f"0x{n}", "0xmaker", 2 * TRADED_USD) for n in range(500)])
    found = asked(watch, 1000.0, 61)
    assert "0xsmall" not in found and "0xlarge" not in found and found[0] == "0xmaker"
    assert len(found) * WEIGHT <= 120 + 4 and len(set(found)) == len(found)


def test_endangered_positions_are_asked_most_often() -> None:
    watch = WatchList(1000.0, least_usd=1000)
    watch.traded([trade("0xnear", "0xfar", 2 * TRADED_USD), trade("0xflat", "0xflat2", 2 * TRADED_USD)])
    assert set(asked(watch, 0.1, 3)) >= {"0xnear", "0xfar"}
    watch.answered("0xnear", [position("0xnear", 100, 100 * (1 - NEAR / 2))])
    watch.answered("0xfar", [position("0xfar", 100, 50.0)])
    watch.answered("0xflat", [])
    for name in watch.accounts:
        watch.accounts[name].due = 0.0
    counts = asked(watch, 10.0, int(SELDOM) + 5)
    near, far = counts.count("0xnear"), counts.count("0xfar")
    assert near >= SELDOM / OFTEN and far in (1, 2) and counts.count("0xflat") == 1


def test_the_list_is_bounded_and_forgets_what_matters_least() -> None:
    watch = WatchList(100.0, capacity=50, always=["0xMINE"])
    watch.answered("0xbig", [position("0xbig", 1e6, None)])
    for n in range(1000):
        watch.traded([trade(f"0x{n}", f"0xs{n}", 1.0)])
    assert len(watch.accounts) <= 101 and {"0xmine", "0xbig"} <= set(watch.accounts)


def test_shares_count_one_side() -> None:
    watch = WatchList(100.0)
    watch.answered("0xa", [position("0xa", 30, None)])
    watch.answered("0xb", [position("0xb", 10, None)])
    assert watch.shares({"BTC": 100.0, "ETH": 5.0}) == {"BTC": pytest.approx(0.2)}
    watch.answered("0xa", [])
    assert watch.shares({"BTC": 100.0}) == {"BTC": pytest.approx(0.05)} and watch.shares({}) == {}
