"""The frames every benchmark shares: real ones from the bundled recordings, per venue and as Binance aggTrade messages.

Only frames that are read by a decoder of their own are timed; acknowledgements and listings are fed to the parser before.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zlib import decompress

import msgspec

from deleverage.journal.frame import Frame
from deleverage.journal.interchange import read_source
from deleverage.recordings import bundled
from deleverage.venues import binance, bybit, deribit, htx, hyperliquid, okx, venue_named
from deleverage.venues.venue import Parser, split_route

FUTURES, COINS, SELL_OFF = "binance-2024-08-08", "binance-coin-2024-08-08", "binance-2025-01-26"
AT_LEAST = 20_000
"""Frames a venue is measured on; a shorter recording is played again and again."""
FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "deribit"
Decode = Callable[[bytes], Any]


class FrameSet(NamedTuple):
    """Frames of one route, and what they are; `before` are given to the parser first and not timed."""

    venue: str
    route: str
    frames: list[tuple[bytes, int]]
    before: list[tuple[str, bytes, int]]
    about: str

    def parser(self) -> Parser:
        """Return a parser that knows the contracts listed in `before`."""
        venue = venue_named(self.venue)
        book = venue.instruments()
        for route, payload, ts_recv in self.before:
            venue.parser(split_route(route), book).parse(payload, ts_recv)
        return venue.parser(split_route(self.route), book)


def recorded(*names: str) -> list[Frame]:
    """Return the frames of bundled recordings, those of one connection together."""
    return [frame for name in names for frame in read_source(bundled()[name].path)]


def venue_frames() -> list[FrameSet]:
    """Return one set per venue, and a second one of HTX already unpacked."""
    sets = [_set_of("binance", FUTURES, COINS), _set_of("bybit", "bybit-2026-08-09", "bybit-2026-10-10")]
    sets += [_set_of("okx", "okx-2022-05-13", "okx-2026-08-31"), _set_of("htx", "htx-2022-02-19")]
    packed = sets[-1]
    unpacked = [(htx.gunzip(payload), ts_recv) for payload, ts_recv in packed.frames]
    sets.append(packed._replace(frames=unpacked, about=f"{packed.about}, unpacked beforehand"))
    sets.append(_set_of("hyperliquid", "hyperliquid-2025-01-26"))
    return [*sets, _deribit()]


def agg_trades() -> FrameSet:
    """Return the raw trades of the Binance recording as aggTrade messages of a combined stream, five times over."""
    parts = []
    for frame in recorded(FUTURES):
        if b'"e":"trade"' in frame.payload:
            parts.append((_as_agg_trade(frame.payload), frame.ts_recv))
    frames = parts * 5
    about = f"{len(parts):,} real raw trades of {FUTURES}, re-encoded as aggTrade messages, 5 times over"
    return FrameSet("binance", "wss://fstream.binance.com/stream", frames, [], about)


def _as_agg_trade(payload: bytes) -> bytes:
    t = json.loads(payload)["data"]
    agg = {
        "e": "aggTrade",
        "E": t["E"],
        "a": t["t"],
        "s": t["s"],
        "p": t["p"],
        "q": t["q"],
        "f": t["t"],
        "l": t["t"],
        "T": t["T"],
        "m": t["m"],
    }
    return msgspec.json.encode({"stream": f"{t['s'].lower()}@aggTrade", "data": agg})


def _set_of(venue: str, *names: str) -> FrameSet:
    timed: list[tuple[bytes, int]] = []
    before = []
    route = ""
    for frame in recorded(*names):
        if frame.direction != "in":
            continue
        if decoder_of(venue, frame.payload) is None:
            before.append((frame.route, frame.payload, frame.ts_recv))
        else:
            route = route or frame.route
            timed.append((frame.payload, frame.ts_recv))
    return _repeated(FrameSet(venue, route, timed, before, " and ".join(names)))


def _deribit() -> FrameSet:
    """No recording of Deribit's streams is bundled: the documented notifications of the tests' fixtures stand in."""
    frames = []
    for name in (
        "trades_plain",
        "book_snapshot",
        "book_change",
        "ticker_perpetual",
        "trades_plain",
        "book_change",
        "ticker_option",
        "quote",
    ):
        said = json.loads((FIXTURES / f"{name}.json").read_text())
        frames.append((msgspec.json.encode(said["payload"]), int(said["ts_recv"])))
    about = "documented notifications from the fixtures of the tests, no recording of its streams being bundled"
    return _repeated(FrameSet("deribit", "wss://www.deribit.com/ws/api/v2", frames, [], about))


def _repeated(found: FrameSet) -> FrameSet:
    times = -(-AT_LEAST // len(found.frames))
    about = f"{found.about}: {len(found.frames):,} frames"
    return found._replace(frames=found.frames * times, about=f"{about}, {times} times over" if times > 1 else about)


def decoder_of(venue: str, payload: bytes) -> Decode | None:
    """Return the typed decoder the venue's own parser uses for such a frame, in one pass; None for what is no market push."""
    return _DECODERS[venue](payload)


def _binance(payload: bytes) -> Decode | None:
    if b'"e":' not in payload[:80]:
        return None
    return binance.COMBINED.decode if payload.startswith(b'{"stream"') else binance.MESSAGE.decode


def _by_mark(marks: dict[bytes, Decode], payload: bytes) -> Decode | None:
    return next((decode for mark, decode in marks.items() if mark in payload[:100]), None)


BYBIT: dict[bytes, Decode] = {
    b'"topic":"publicTrade': bybit.TRADES.decode, b'"topic":"tickers': bybit.TICKERS.decode, b'"topic":"orderbook': bybit.BOOKS.decode,
    b'"topic":"allLiquidation': bybit.LIQUIDATIONS.decode,
}  # fmt: skip
DERIBIT: dict[bytes, Decode] = {
    b'"channel":"trades': deribit.TRADES.decode, b'"channel":"book': deribit.BOOK.decode, b'"channel":"ticker': deribit.TICKER.decode,
    b'"channel":"quote': deribit.QUOTE.decode,
}  # fmt: skip
HTX: dict[bytes, Decode] = {b".trade.": htx.TRADES.decode, b".depth.": htx.DEPTH.decode, b".bbo": htx.BEST_QUOTE.decode}


def _okx(payload: bytes) -> Decode | None:
    known = okx.PUSHES.get(payload[: payload.find(b'"', 19)])
    return None if known is None else known[1]


def _htx(payload: bytes) -> Decode | None:
    packed = payload.startswith(htx.GZIP)
    text = htx.gunzip(payload) if packed else payload
    decode = _by_mark(HTX, text) if text.startswith(b'{"ch":') else None
    if decode is None or not packed:
        return decode
    return _UNPACKING[decode]


def _unpacking(decode: Decode) -> Decode:
    return lambda payload: decode(decompress(payload, 31))


_UNPACKING = {decode: _unpacking(decode) for decode in HTX.values()}


def _hyperliquid(payload: bytes) -> Decode | None:
    return hyperliquid.MESSAGE.decode if payload.startswith(b'{"channel":"') and b"Response" not in payload[:40] else None


_DECODERS: dict[str, Callable[[bytes], Decode | None]] = {
    "binance": _binance, "bybit": lambda payload: _by_mark(BYBIT, payload), "okx": _okx, "htx": _htx, "hyperliquid": _hyperliquid,
    "deribit": lambda payload: _by_mark(DERIBIT, payload),
}  # fmt: skip
