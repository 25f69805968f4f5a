"""The whole day as frames in the order of receipt: a mark that says what this is, the instruments, then what each venue would have sent."""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deleverage.journal.frame import Frame
from deleverage.journal.segment import COLUMNS
from deleverage.simulate.reconstruction import options, outside, wire
from deleverage.simulate.reconstruction.facts import END, HOUR, SECOND, START, TARGETS
from deleverage.simulate.reconstruction.quotes import Candles, book
from deleverage.simulate.reconstruction.world import MINUTES, World
from deleverage.when import iso

MARK = "reconstruction {start}/{end} seed {seed} scale {scale:g}"
"""Payload of the mark: what this is, and of which stretch."""
LATENCY = 40_000_000
"""Time (ns) from a venue's clock to ours."""
MARKS_EVERY = {"binance": 30, "bybit": 60, "okx": 60, "htx": 60, "hyperliquid": 60, "deribit": 60}
"""Seconds between two looks at the marks."""
BOOKS_EVERY = {"BTC": 60, "ETH": 120, "SOL": 300}
CANDLED = ("BTC", "ETH", "SOL")
CHAIN_EVERY, CHAIN_OFTEN = 3600, 600
"""Seconds between two chains of options: the day through, and in the hours of the fall, `OFTEN`."""
OFTEN = (START + 30 * HOUR, START + 41 * HOUR)
Timed = tuple[int, wire.Spoken]
_encode = msgspec.json.Encoder().encode


def frames(world: World, progress: Callable[[int], None] = lambda done: None) -> Iterator[Frame]:
    """Yield every frame, ordered by `ts_recv`. `progress` is called with the frames so far."""
    streams = [*(_venue(world, venue) for venue in TARGETS), _outside()]
    for done, frame in enumerate(merge(*streams, key=lambda f: (f.ts_recv, f.venue)), 1):
        yield frame
        if done % 2000 == 0:
            progress(done)


def _venue(world: World, venue: str) -> Iterator[Frame]:
    """One venue's frames: its listing, its sockets opened, everything in time order, its sockets closed."""
    mark = MARK.format(start=iso(START), end=iso(END), seed=world.seed, scale=world.scale)
    yield Frame(START, venue, "", mark.encode(), "mark")
    for name, (route, message) in wire.listings():
        if name == venue:
            yield Frame(START, venue, route, _encode(message))
    if venue == "deribit":
        route, message = options.listing(START)
        yield Frame(START, venue, route, _encode(message))
    sockets = SOCKETS[venue]
    for route in sockets:
        yield Frame(START, venue, route, b"reconstructed", "open")
    for ts, (route, message) in merge(*_streams(world, venue), key=lambda item: item[0]):
        if ts + LATENCY < END:
            yield Frame(ts + LATENCY, venue, route, _encode(message))
    for route in sockets:
        yield Frame(END, venue, route, b"end of the reconstruction", "close")


def _outside() -> Iterator[Frame]:
    """What others published: recorded facts, under the same mark, since only a part of them is here."""
    for ts, venue, (route, message) in outside.said():
        yield Frame(ts + LATENCY, venue, route, message if isinstance(message, bytes) else _encode(message))


SOCKETS = {
    "binance": (wire.BINANCE_SOCKET,), "bybit": (wire.BYBIT_SOCKET,), "okx": (wire.OKX_SOCKET,), "htx": (wire.HTX_SOCKET, wire.HTX_NOTICES),
    "hyperliquid": (wire.HYPERLIQUID_SOCKET, "node_fills_by_block"), "deribit": (wire.DERIBIT_SOCKET,),
}  # fmt: skip


def _streams(world: World, venue: str) -> Iterator[Iterable[Timed]]:
    yield _forced(world, venue)
    yield _ticking(MARKS_EVERY[venue], lambda ts: wire.marks(world, venue, ts))
    yield _ticking(60, lambda ts: wire.minutely(world, venue, ts))
    yield _candles(world, venue)
    yield _ticking(300, lambda ts: _accounts(world, venue, ts))
    yield _ticking(8 * 3600, lambda ts: _settled(world, venue, ts))
    for coin, every in BOOKS_EVERY.items():
        if (venue, coin) in world.ledgers:
            yield _ticking(every, lambda ts, coin=coin: [wire.depth(venue, coin, book(world, (venue, coin), ts), ts, ts // SECOND)])  # type: ignore[misc]  # the default binds the loop's value
    if venue == "deribit":
        yield _ticking(60, lambda ts: [options.index_push(ts)])
        yield _ticking(CHAIN_OFTEN, lambda ts: [options.chain(world, ts)] if _is_told(ts) else [])
        yield options.trades(world, np.random.default_rng([world.seed, 7]))


def _is_told(ts: int) -> bool:
    """Whether the chain is asked for at this instant."""
    return ts % (CHAIN_EVERY * SECOND) == 0 or OFTEN[0] <= ts < OFTEN[1]


def _ticking(every: int, speak: Callable[[int], Iterable[wire.Spoken]]) -> Iterator[Timed]:
    for ts in range(START, END, every * SECOND):
        for spoken in speak(ts):
            yield ts, spoken


def _candles(world: World, venue: str) -> Iterator[Timed]:
    candles = Candles(world)
    for minute in range(MINUTES):
        closed = START + (minute + 1) * 60 * SECOND
        for coin in CANDLED:
            if (venue, coin) in world.ledgers:
                yield closed, wire.candle(venue, coin, candles.at((venue, coin), minute), closed)


def _accounts(world: World, venue: str, ts: int) -> Iterator[wire.Spoken]:
    for coin in CANDLED:
        if (venue, coin) in world.ledgers:
            said = wire.accounts(venue, coin, float(world.ledgers[venue, coin].long_accounts[(ts - START) // (60 * SECOND)]), ts)
            if said is not None:
                yield said


def _settled(world: World, venue: str, ts: int) -> Iterator[wire.Spoken]:
    for coin in (c for v, c in world.contracts if v == venue):
        said = wire.settled(venue, coin, list(world.funding[venue, coin]), ts)
        if said is not None and said[1]:
            yield said


def _forced(world: World, venue: str) -> Iterator[Timed]:
    """What a venue's feed showed of its forced orders."""
    orders: list[dict[str, Any]] = [o for o in world.market.orders.iter_rows(named=True) if o["venue"] == venue and o["is_printed"]]
    if venue == "bybit":
        half = SECOND // 2
        for push, together in groupby(orders, key=lambda o: o["ts"] // half + 1):
            by_coin: dict[str, list[dict[str, Any]]] = {}
            for o in together:
                by_coin.setdefault(o["coin"], []).append(o)
            for coin, rows in by_coin.items():
                yield push * half, wire.bybit_forced(coin, push * half // 1_000_000, rows)
    elif venue == "hyperliquid":
        number = 0
        for tick, block in groupby(orders, key=lambda o: o["ts"] // 70_000_000):
            fills = []
            for o in block:
                number += 1
                fills += wire.hyperliquid_fills(o, number)
            ms = fills[-1][1]["time"]
            yield ms * 1_000_000 + 180_000_000, wire.hyperliquid_block(ms, tick, fills)
    else:
        speak = {"binance": wire.binance_forced, "okx": wire.okx_forced, "htx": wire.htx_forced}.get(venue)
        for number, o in enumerate(orders, 1):
            yield o["ts"], speak(o) if speak else wire.deribit_forced(o, number, world.index_price(o["coin"], min(o["ts"], END - HOUR)))


def write(world: World, path: Path, progress: Callable[[int], None] = lambda done: None) -> int:
    """Write the frames as one Parquet file in the journal's own columns; returns how many. The same world gives the same bytes."""
    count = 0
    temporary = path.with_suffix(".part")
    with pq.ParquetWriter(temporary, COLUMNS, compression="zstd", compression_level=9) as writer:
        for batch in _batches(frames(world, progress), 20_000):
            count += len(batch)
            columns = [[getattr(frame, name) for frame in batch] for name in COLUMNS.names]
            writer.write_table(pa.table(columns, schema=COLUMNS))
    temporary.replace(path)
    return count


def _batches(source: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    for frame in source:
        batch.append(frame)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
