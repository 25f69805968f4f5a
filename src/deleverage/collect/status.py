"""How a collection stands: what the feeds page, `/metrics` and the log tell, in one document. Instants are ns UTC, 0: never."""

import msgspec


class ConnectionStatus(msgspec.Struct, frozen=True):
    """One planned subscription: the socket in use (`connection` 0: none is open), and what became of those before it."""

    connection: int
    route: str
    address: str
    opened_at: int
    frames: int
    bytes: int
    last_recv: int
    reconnects: int
    last_error: str


class ChannelStatus(msgspec.Struct, frozen=True):
    """One channel: what is believed of it and why; rates are frames a minute, of the last ten minutes and usual at
    this hour; `lag_seconds` is how long ago it was last heard."""

    channel: str
    state: str
    since: int
    evidence: str
    rate_per_minute: float
    expected_per_minute: float
    last_recv: int
    lag_seconds: float | None
    frames: int
    events: int
    errors: int


class PollStatus(msgspec.Struct, frozen=True):
    """Standing questions of one table: how many there are, were asked, failed, and why the last one that did."""

    name: str
    questions: int
    asked: int
    failed: int
    last_error: str


class VenueStatus(msgspec.Struct, frozen=True):
    """One venue. The clock is how far the venue's is ahead of ours, None until known; weights are of REST limits in their window. `note`
    says how much is seen where that is a share.
    """

    venue: str
    state: str
    evidence: str
    since: int
    contracts: int
    clock_offset_ns: int | None
    clock_error_ns: int | None
    weight_used: float
    weight_limit: float
    banned_seconds: float
    ban_reason: str
    last_error: str
    backfill_waiting: int
    backfill_asked: int
    backfill_failed: int
    connections: list[ConnectionStatus]
    channels: list[ChannelStatus]
    polls: list[PollStatus]
    note: str = ""


class ReferenceStatus(msgspec.Struct, frozen=True):
    """One reference: `live`, `stale` or `unknown` (not answered yet), why, and the newest day of each series. `attribution` must stand
    beside its values, `terms` say what may be done with them."""

    name: str
    title: str
    state: str
    evidence: str
    since: int
    newest: dict[str, str]
    attribution: str
    terms: str
    ban_reason: str
    polls: list[PollStatus]


class IntakeStatus(msgspec.Struct, frozen=True):
    """The way from sockets to parsers: frames waiting of how many that may, and the age of the oldest in seconds of data."""

    queued_frames: int
    capacity: int
    lag_seconds: float
    is_paused: bool
    frames: int
    bytes: int
    parsed: int
    durable: int


class CollectorStatus(msgspec.Struct, frozen=True):
    """The whole collection. `expected_gb_a_day` is an estimate for the journal before compaction, None until contracts are known."""

    started_at: int
    now: int
    failure: str
    expected_gb_a_day: float | None
    free_gb: float
    intake: IntakeStatus
    venues: list[VenueStatus]
    references: list[ReferenceStatus] = []
