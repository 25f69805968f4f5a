"""Public captures, each format read into the frames it holds: those under permissive terms from `tests/recordings`, the others in
place beside this checkout, never shipped.

A folder that is absent is a skipped test with its name as the reason, never an empty reading.
"""

import ast
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest
import zstandard

from deleverage.recordings import bundled

SHARED = Path(__file__).parents[2] / "shared" / "data"
SHIPPED = Path(__file__).parent / "recordings"
NOT_RECORDED = 1_795_305_600_000_000_000
"""Receipt time (2026-11-22) of frames whose own was not kept: later than all of them."""


class Capture(NamedTuple):
    """One frame as a venue sent it. `route` is the address as far as the capture tells; `ts_recv` ns UTC."""

    folder: str
    venue: str
    route: str
    payload: bytes
    ts_recv: int


def shared(name: str) -> Path:
    """Return a folder or file of the captures; skips the test when it is not here."""
    path = SHIPPED / name if (SHIPPED / name).exists() else SHARED / name
    if not path.exists():
        pytest.skip(f"the capture {name} is not beside this checkout")
    return path


def captures(folder: str) -> Iterator[Capture]:
    """Read every frame of one folder, in the order of its files."""
    shared(folder)
    return FORMATS[folder](folder)


def recorded(name: str) -> Iterator[Capture]:
    """Read the received frames of one bundled recording."""
    for row in pq.read_table(bundled()[name].path).to_pylist():
        if row["direction"] == "in":
            yield Capture(name, row["venue"], row["route"], row["payload"], row["ts_recv"])


def nanoseconds(seconds: str | Decimal) -> int:
    return int(Decimal(seconds) * 1_000_000_000)


def iso(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


# --- formats ----------------------------------------------------------------------------------------------------------


def prefixed(folder: str, name: str, venue: str, route: str) -> Iterator[Capture]:
    """Read lines `receive_unix_ns native JSON`."""
    with gzip.open(shared(f"{folder}/{name}")) as lines:
        for line in lines:
            at, _, payload = line.rstrip(b"\n").partition(b" ")
            yield Capture(folder, venue, route, payload, int(at))


def playback(folder: str, name: str, venue: str) -> Iterator[Capture]:
    """Read `url <-> t` opened, `url <- t: sent`, `t: received` (text, or a bytes literal)."""
    route = ""
    with gzip.open(shared(f"{folder}/{name}"), "rt", encoding="utf-8") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if text.startswith("wss://"):
                route = text.partition(" <")[0]
            elif text and text[0].isdigit():
                at, _, body = text.partition(": ")
                payload = ast.literal_eval(body) if body[:2] in ("b'", 'b"') else body.encode()
                yield Capture(folder, venue, route, payload, nanoseconds(at))


def answers(folder: str, name: str, venue: str) -> Iterator[Capture]:
    """Read lines `url -> t: answer`; the last line holds the recorder's own configuration."""
    with gzip.open(shared(f"{folder}/{name}"), "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("http"):
                route, _, rest = line.rstrip("\n").partition(" -> ")
                at, _, body = rest.partition(": ")
                yield Capture(folder, venue, route, body.encode(), nanoseconds(at))


def journal(folder: str, name: str, venue: str) -> Iterator[Capture]:
    """Read JSON lines {t: header|http|connect|send|recv, ts, conn, addr|url, data}; a received row names only its connection."""
    addresses: dict[str, str] = {}
    with shared(f"{folder}/{name}").open("rb") as raw:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8"):
            row = json.loads(line, parse_float=Decimal)
            if row["t"] == "connect":
                addresses[row["conn"]] = row["addr"]
            elif row["t"] in ("http", "recv"):
                route = row["url"] if row["t"] == "http" else addresses[row["conn"]]
                yield Capture(folder, venue, route, row["data"].encode(), nanoseconds(row["ts"]))


def lines(folder: str) -> Iterator[Capture]:
    """Read bare messages, one a line; the file's name starts with the venue's."""
    for path in sorted(shared(folder).glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            if line.strip():
                yield Capture(folder, path.name.removesuffix(".jsonl").partition("-")[0], path.name, line, NOT_RECORDED)


def files(folder: str) -> Iterator[Capture]:
    """Read one message a file, in a folder per venue."""
    for path in sorted(shared(folder).glob("*/*.json")):
        yield Capture(folder, path.parent.name, path.name, path.read_bytes(), NOT_RECORDED)


HOSTS = {
    "binance": ("https://fapi.binance.com", "wss://fstream.binance.com/stream"),
    "bybit": ("https://api.bybit.com", "wss://stream.bybit.com/v5/public/linear"),
    "okx": ("https://www.okx.com", "wss://ws.okx.com:8443/ws/v5/public"),
    "htx": ("https://api.hbdm.com", "wss://api.hbdm.com/linear-swap-ws"),
    "hyperliquid": ("https://api.hyperliquid.xyz", "wss://api.hyperliquid.xyz/ws"),
}


def examples(folder: str) -> Iterator[Capture]:
    """Read `method, path, flag, answer` for REST, `> sent`, `< acknowledged`, `= pushed` for sockets; a folder per venue."""
    for path in sorted(shared(folder).glob("*/*.txt")):
        venue, text = path.parent.name, path.read_text(encoding="utf-8-sig").replace("|1|", "1").replace("\r\n", "\n")
        rest, socket = HOSTS[venue]
        if not path.name.startswith("Subscriptions"):
            _, address, _, body = text.split("\n", 3)
            yield Capture(folder, venue, rest + address.strip(), body.encode(), NOT_RECORDED)
            continue
        head, _, pushed = text.partition("\n=")
        for line in head.split("\n"):
            if line.startswith("<"):
                yield Capture(folder, venue, socket, line[1:].strip().encode(), NOT_RECORDED)
        yield Capture(folder, venue, socket, pushed.strip().encode(), NOT_RECORDED)


def cassettes(folder: str) -> Iterator[Capture]:
    """Read questions and answers of `POST /info`; what was asked becomes the query of the route."""
    yaml = pytest.importorskip("yaml")
    for path in sorted(shared(folder).glob("*.yaml")):
        for exchange in yaml.safe_load(path.read_text())["interactions"]:
            asked = json.loads(exchange["request"]["body"])
            query = "&".join(f"{name}={value}" for name, value in asked.items() if isinstance(value, str))
            body = exchange["response"]["body"]["string"]
            payload = body if isinstance(body, bytes) else body.encode()
            yield Capture(folder, "hyperliquid", f"{exchange['request']['uri']}?{query}", payload, NOT_RECORDED)


def node_fills(folder: str) -> Iterator[Capture]:
    """Read a node's lines, one a block."""
    for path in sorted(shared(folder).glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            local_time = json.loads(line)["local_time"]
            yield Capture(folder, "hyperliquid", "node_fills_by_block", line, iso(local_time[:26] + "+00:00"))


def bybit_rows(folder: str) -> Iterator[Capture]:
    """Put the rows of one push (equal receipt and contract) back into one allLiquidation message."""
    for path in sorted(shared(folder).glob("*.csv")):
        rows = csv.DictReader(path.read_text().splitlines())
        for (received, symbol), push in groupby(rows, key=lambda row: (row["recv_ts_utc"], row["symbol"])):
            message = {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "data": [json.loads(row["raw_json"]) for row in push]}
            payload = json.dumps(message, separators=(",", ":")).encode()
            yield Capture(folder, "bybit", "wss://stream.bybit.com/v5/public/linear", payload, iso(received))


def okx_rows(folder: str) -> Iterator[Capture]:
    """Put each row's details back into a liquidation-orders message."""
    for path in sorted(shared(folder).glob("*.csv")):
        for row in csv.DictReader(path.read_text().splitlines()):
            data = [{"instId": row["inst_id"], "instType": "SWAP", "details": [json.loads(row["raw_json"])]}]
            message = {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": data}
            payload = json.dumps(message, separators=(",", ":")).encode()
            yield Capture(folder, "okx", "wss://ws.okx.com:8443/ws/v5/public", payload, iso(row["recv_ts_utc"]))


def cryptofeed(folder: str) -> Iterator[Capture]:
    yield from answers(folder, "BINANCE_FUTURES.0.gz", "binance")
    yield from playback(folder, "BINANCE_FUTURES.ws.1.0.gz", "binance")
    yield from answers(folder, "OKX.0.gz", "okx")
    yield from playback(folder, "OKX.ws.1.0.gz", "okx")
    yield from playback(folder, "HUOBI_SWAP.ws.1.0.gz", "htx")
    yield from answers(folder, "DERIBIT.0.gz", "deribit")
    yield from journal(folder, "BYBIT.jsonl.zst", "bybit")


def hftbacktest(folder: str) -> Iterator[Capture]:
    yield from prefixed(folder, "usdm_btcusdt_20240808.gz", "binance", "wss://fstream.binance.com/stream")
    yield from prefixed(folder, "cm_btcusd_perp_20240808.gz", "binance", "wss://dstream.binance.com/stream")
    yield from prefixed(folder, "hyperliquid_btcusd_20250126.gz", "hyperliquid", "wss://api.hyperliquid.xyz/ws")


FORMATS: dict[str, Callable[[str], Iterator[Capture]]] = {
    "cryptofeed": cryptofeed, "hftbacktest": hftbacktest, "hyperliquid_node_fills": node_fills, "hyperliquid_sdk_cassettes": cassettes,
    "tardis_native_messages": lines, "nautilus_fixtures": files, "jkorf_fixtures": examples, "bybit_allliquidation_2026": bybit_rows,
    "okx_liquidation_orders_2026": okx_rows,
}  # fmt: skip
