"""Everything that can go wrong here, as one tree.

DeleverageError
├── BadInput            a user gave something that cannot be used; the message says what would be right
├── ConfigError         a setting is unknown or out of range
├── VenueError
│   ├── Refused         the venue said no (a subscription, a region, a ban)
│   │   └── RateLimited     the venue asked us to slow down
│   └── ParseError      a frame is not what the venue documents
│       └── UnknownFrame    a well-formed frame of a kind nobody has described
├── JournalError        the raw recording cannot be written or read
└── StoreError          the tables cannot be written or read
"""


class DeleverageError(Exception):
    """Root of all errors raised on purpose. `str()` of it is one line fit for a user."""


class BadInput(DeleverageError):
    """A user's input is wrong; the message says what is wrong and what would be right."""


class ConfigError(DeleverageError):
    """A setting is unknown, of the wrong type or out of range."""


class VenueError(DeleverageError):
    """Something a venue said or sent."""


class Refused(VenueError):
    """The venue refused a connection, a question or a subscription. `retry_after` is in seconds, None when not stated."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Refused):
    """The venue asked for fewer requests."""


class ParseError(VenueError):
    """A frame does not parse. It stays in the journal and is counted by (venue, channel, reason)."""

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(f"{channel}: {reason}")
        self.channel = channel
        self.reason = reason


class UnknownFrame(ParseError):
    """A frame is well-formed but of no kind the venue file describes."""


class JournalError(DeleverageError):
    """The journal cannot be written or read (disk full, foreign file, permission)."""


class StoreError(DeleverageError):
    """The store cannot be opened, written or read (locked by another process, damaged)."""
