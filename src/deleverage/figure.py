"""A published number. Nothing reaches a report, an API answer or a screen as a bare float."""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from deleverage.when import iso

Status = Literal["measured", "estimated", "modelled", "stale", "missing"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number with everything needed to trust or reject it.

    `value` is None exactly when `status` is `missing`. `unit` is a word (`usd`, `share`, `percent`, `count`).
    `at` is where the window ends and `as_of` what was known, both ns UTC. `interval` is (low, high) at `level`.
    `coverage` is the share of the window that was being recorded, 0–1; None where the notion does not apply.
    `sources` names tables and venues; `inputs_hash` is a digest of the exact inputs, see `hash_inputs`.
    """

    name: str
    value: float | None
    unit: str
    at: int
    as_of: int
    status: Status = "measured"
    interval: tuple[float, float] | None = None
    level: float | None = None
    coverage: float | None = None
    sources: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""
    inputs_hash: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.status == "missing"):
            raise ValueError(f"figure {self.name}: a value is absent exactly when its status is 'missing'")
        if self.coverage is not None and not 0.0 <= self.coverage <= 1.0:
            raise ValueError(f"figure {self.name}: coverage {self.coverage} is not a share")
        if self.interval is not None and self.interval[0] > self.interval[1]:
            raise ValueError(f"figure {self.name}: interval {self.interval} is upside down")


def spelled(figure: Figure) -> dict[str, Any]:
    """Write a figure for an answer: its instants in ISO 8601, and in ms.

    >>> spelled(Figure(name="x", value=1.0, unit="usd", at=1763727900123000000, as_of=1763727900123000000))["at_ms"]
    1763727900123
    """
    row: dict[str, Any] = msgspec.to_builtins(figure)
    instants = {"at": figure.at, "as_of": figure.as_of}
    return row | {name: iso(at) for name, at in instants.items()} | {f"{name}_ms": at // 1_000_000 for name, at in instants.items()}


def dollars(usd: float) -> str:
    """Write an amount of dollars rounded to what a reader takes in, without the currency.

    >>> dollars(1_830_970_000.0), dollars(629_110_000.0), dollars(999_960.0), dollars(5_400.0), dollars(0.0)
    ('1.83 bn', '629.11 M', '1.00 M', '5.4 k', '0')
    """
    for size, unit, digits in ((1e9, " bn", 2), (1e6, " M", 2), (1e3, " k", 1)):
        if abs(usd) >= size * (1 - 0.5 * 10**-digits / 10):
            return f"{usd / size:.{digits}f}{unit}"
    return f"{usd:.0f}"


def hash_inputs(parts: Iterable[object]) -> str:
    """Digest inputs in order into 16 hexadecimal digits, the same on every machine and run.

    >>> hash_inputs(["liquidations", 3, 1.5])
    '928a6a9e5f62cf0f'
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\x1f")
    return digest.hexdigest()
