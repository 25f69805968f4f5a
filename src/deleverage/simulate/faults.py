"""How the venue server may misbehave."""

import random
from collections import Counter
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "drop",  # the TCP connection is aborted
    "close",  # the socket is closed properly
    "stall",  # the socket stays open, nothing is sent
    "half_frame",  # part of a frame, then abort
    "garbage",  # frames of random bytes, broken JSON, broken UTF-8
    "wrong_route",  # subscriptions are acknowledged, nothing is sent
    "silent_topic",  # one topic is dead, others go on
    "duplicate",  # frames are sent twice
    "reorder",  # two frames change places
    "sequence_gap",  # frames are left out
    "clock_skew",  # event times and the server's time are off
    "status_429", "status_418", "status_403",  # answers to questions and handshakes
    "slow_loris",  # answers and handshakes come a byte at a time
    "list", "delist",  # a contract comes or goes
    "cut_off",  # sockets are closed, as after 24 hours
    "gzip_error",  # frames that do not unpack
    "bad_ack",  # subscriptions are answered with an error
    "no_pong",  # pings are not answered
]  # fmt: skip


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One misbehaviour, in force until taken back.

    - `venue`: empty for all. `topic`: text the topic must contain, for those about frames.
    - `share`: part of the frames or requests concerned, 0–1. `amount`: seconds of skew, seconds a ban asks for (0: says nothing),
      frames left out at a time, by kind. `name`: the contract listed or delisted.
    """

    kind: Kind
    venue: str = ""
    topic: str = ""
    share: float = 1.0
    amount: float = 0.0
    name: str = ""


class Faults:
    """The misbehaviours in force, and how often each was shown."""

    def __init__(self, faults: list[Fault] | None = None, seed: int = 1) -> None:
        self.shown: Counter[str] = Counter()
        self._random = random.Random(seed)
        self.faults: list[Fault] = []
        self.set(faults or [])

    def set(self, faults: list[Fault]) -> None:
        """Put these in force in place of those before."""
        self.faults = list(faults)
        self._kinds = {fault.kind for fault in faults}

    def now(self, kind: Kind, venue: str, topic: str = "") -> Fault | None:
        """Return the fault of that kind to be shown now, if any."""
        if kind not in self._kinds:
            return None
        for fault in self.faults:
            if fault.kind == kind and fault.venue in ("", venue) and fault.topic in topic:
                if fault.share < 1 and self._random.random() >= fault.share:
                    continue
                self.shown[f"{venue}/{kind}"] += 1
                return fault
        return None

    def bytes(self, size: int) -> bytes:
        """Return random bytes."""
        return self._random.randbytes(size)
