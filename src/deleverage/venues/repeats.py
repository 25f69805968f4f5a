"""What is told over and over: only what is new is an event, and the same again now and then, so that it is known to hold still."""

REPEAT_AFTER = 600_000_000_000
"""Time (ns) after which an unchanged funding rate is told again: a rate may rest for days, and without a word it would look stale."""


class Repeats:
    """What one connection said last of each contract, and when."""

    def __init__(self, after: int = REPEAT_AFTER) -> None:
        self._after = after
        self._said: dict[str, tuple[object, int]] = {}

    def is_news(self, name: str, value: object, ts: int) -> bool:
        """Tell whether `value` at `ts` (ns) is to be said of `name`, and take it as said.

        >>> rates = Repeats(after=60)
        >>> [rates.is_news("BTC", rate, ts) for ts, rate in ((0, 0.1), (59, 0.1), (60, 0.1), (61, 0.2), (30, 0.2))]
        [True, False, True, True, False]
        """
        said = self._said.get(name)
        if said is not None and said[0] == value and ts - said[1] < self._after:
            return False
        self._said[name] = value, ts
        return True
