"""Which Hyperliquid accounts to ask for their positions: no public channel tells them, and asking costs weight.

Accounts are met as buyers and sellers of public trades (`users`, specification of venues 7.4) and ranked by what is known of them:
the notional of their positions, and how near the mark price is to their liquidation price. The watch list sees a share of open
interest, never all of it; the share is stated.
"""

from collections.abc import Iterable, Mapping

import msgspec

from deleverage.events import PositionSnapshot, Trade

WEIGHT = 2.0
"""Weight of one `clearinghouseState` question."""
OFTEN, SELDOM, RARELY = 60.0, 180.0, 1800.0
"""Seconds between two questions about an account near liquidation, a large one, and one that held little."""
NEAR = 0.05
"""Distance of the mark price to the liquidation price below which an account is asked often."""
TRADED_USD = 50_000.0
"""Notional an account must have traded before it is asked for the first time."""


class Account(msgspec.Struct):
    """What is known of one account: notional traded while unknown, open positions by coin, and when it is to be asked again (s)."""

    traded_usd: float = 0.0
    notional_usd: float = 0.0
    distance: float = 1.0
    due: float = 0.0
    is_asked: bool = False


class WatchList:
    """Picks accounts within `weight_per_minute`. Holds at most `capacity` accounts: the ones that matter least go first.

    Times are seconds of any steady clock. Fails to see accounts that opened their position before collection began and have not
    traded since.
    """

    def __init__(
        self, weight_per_minute: float, *, capacity: int = 5_000, least_usd: float = 100_000.0, always: Iterable[str] = ()
    ) -> None:  # fmt: skip
        self.accounts: dict[str, Account] = {name.lower(): Account(traded_usd=TRADED_USD) for name in always}
        self._always = frozenset(self.accounts)
        self._per_second = weight_per_minute / 60 / WEIGHT
        self._capacity, self._least = capacity, least_usd
        self._allowance, self._at = 0.0, 0.0
        self.positions: dict[str, dict[str, float]] = {}

    def traded(self, trades: Iterable[Trade]) -> None:
        """Meet the two sides of public trades."""
        for trade in trades:
            for name in (trade.buyer, trade.seller):
                if name and trade.notional_usd:
                    account = self.accounts.get(name)
                    if account is None:
                        if len(self.accounts) >= 2 * self._capacity:
                            self._forget()
                        account = self.accounts[name] = Account()
                    account.traded_usd += trade.notional_usd

    def due(self, now: float) -> list[str]:
        """Return the accounts to ask now, as many as the budget allows since the last call; the most worthwhile first."""
        self._allowance = min(self._allowance + (now - self._at) * self._per_second, 60 * self._per_second) if self._at else 1.0
        self._at = now
        count = int(self._allowance)
        if not count:
            return []
        ready = [(self._worth(a), name) for name, a in self.accounts.items() if a.due <= now and (a.is_asked or a.traded_usd >= TRADED_USD)]
        chosen = [name for _, name in sorted(ready, reverse=True)[:count]]
        self._allowance -= len(chosen)
        for name in chosen:
            account = self.accounts[name]
            account.is_asked = True
            account.due = now + (OFTEN if account.distance < NEAR else SELDOM if account.notional_usd >= self._least else RARELY)
        return chosen

    def answered(self, name: str, positions: Iterable[PositionSnapshot]) -> None:
        """Take an account's open positions; none means that it holds nothing."""
        account = self.accounts.setdefault(name, Account(is_asked=True))
        held = list(positions)
        account.notional_usd = sum(p.notional_usd or 0.0 for p in held)
        account.distance = min((d for p in held if (d := _distance(p)) is not None), default=1.0)
        account.traded_usd = 0.0
        self.positions.pop(name, None)
        if held:
            self.positions[name] = {}
            for p in held:
                self.positions[name][p.base] = self.positions[name].get(p.base, 0.0) + p.quantity

    def shares(self, open_interest: Mapping[str, float]) -> dict[str, float]:
        """Return the share of each coin's open interest (coins, one side) that the watched positions hold, 0–1.

        A coin's positions of both sides are halved: open interest counts one side.
        """
        held: dict[str, float] = {}
        for positions in self.positions.values():
            for coin, quantity in positions.items():
                held[coin] = held.get(coin, 0.0) + quantity
        return {coin: min(quantity / 2 / open_interest[coin], 1.0) for coin, quantity in held.items() if open_interest.get(coin)}

    def _worth(self, account: Account) -> float:
        near = 10.0 if account.distance < NEAR else 1.0
        return near * account.notional_usd + account.traded_usd

    def _forget(self) -> None:
        """Drop the half of the accounts that matters least."""
        ranked = sorted(self.accounts, key=lambda name: (name in self._always, self._worth(self.accounts[name])))
        for name in ranked[: len(ranked) - self._capacity]:
            del self.accounts[name]
            self.positions.pop(name, None)


def _distance(position: PositionSnapshot) -> float | None:
    if position.liquidation_price is None or not position.notional_usd or not position.quantity:
        return None
    mark = position.notional_usd / position.quantity
    return abs(position.liquidation_price / mark - 1)
