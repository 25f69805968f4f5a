"""Build the bundled recordings from public captures: `python -m deleverage.recordings.build CAPTURES`.

Rows that others kept of native messages are put back into the frame they came in; what they did not keep is left out, not
made up. Each recording's `recording.json` says where it comes from, under what terms, and what was re-encoded.
"""

import ast
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from deleverage.journal.frame import Frame
from deleverage.journal.segment import COLUMNS

HERE = Path(__file__).parent
MS = 1_000_000
HALF_AN_HOUR = 1_800 * 1_000_000_000
CONNECTION_ROWS = "Connection rows mark the first and the last message of each stretch; the recorder's own were not kept."


def nanoseconds(text: str) -> int:
    """Read a unix time in seconds, written in decimals, without losing digits."""
    return int(Decimal(text) * 1_000_000_000)


def iso(text: str) -> int:
    """Read an ISO instant into ns UTC."""
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


def compact(message: object) -> bytes:
    """Write JSON as venues do, without spaces."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def stretches(frames: Iterable[Frame], silence: int) -> Iterator[Frame]:
    """Put an `open` row before and a `close` row after each stretch, cut where nothing came for `silence` ns."""
    last: Frame | None = None
    for frame in frames:
        if last is None or frame.ts_recv - last.ts_recv > silence:
            if last is not None:
                yield Frame(last.ts_recv, last.venue, last.route, b"end of the stretch", "close")
            yield Frame(frame.ts_recv, frame.venue, frame.route, b"start of the stretch", "open")
        yield frame
        last = frame
    if last is not None:
        yield Frame(last.ts_recv, last.venue, last.route, b"end of the stretch", "close")


def binance_forced_orders(path: Path, first_ms: int, last_ms: int) -> Iterator[Frame]:
    """Re-encode rows `symbol,S,o,f,q,p,ap,X,l,z,T,usd` as forceOrder messages; receipt is the running maximum of T."""
    received = 0
    for symbol, side, kind, force, q, p, ap, status, last, z, at, _ in csv.reader(path.read_text().splitlines()):
        if not first_ms <= int(at) <= last_ms:
            continue
        received = max(received, int(at))
        name = symbol if symbol.endswith("USDC") else symbol + "USDT"
        order = {"s": name, "S": side, "o": kind, "f": force, "q": q, "p": p, "ap": ap, "X": status, "l": last, "z": z, "T": int(at)}
        route = "wss://fstream.binance.com/ws/!forceOrder@arr"
        yield Frame(received * MS, "binance", route, compact({"e": "forceOrder", "o": order}))


def bybit_all_liquidation(path: Path) -> Iterator[Frame]:
    """Put the rows of one push (equal receipt and symbol) back into one allLiquidation message."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for (received, symbol), push in groupby(rows, key=lambda r: (r["recv_ts_utc"], r["symbol"])):
        data = [json.loads(row["raw_json"]) for row in push]
        message = {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "data": data}
        yield Frame(iso(received), "bybit", "wss://stream.bybit.com/v5/public/linear", compact(message))


def okx_liquidation_orders(path: Path) -> Iterator[Frame]:
    """Put each row's `details` back into a liquidation-orders message."""
    for row in csv.DictReader(path.read_text().splitlines()):
        instrument = row["inst_id"]
        family = instrument.removesuffix("-SWAP")
        detail = json.loads(row["raw_json"])
        data = [{"instId": instrument, "instFamily": family, "instType": "SWAP", "details": [detail]}]
        message = {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": data}
        yield Frame(iso(row["recv_ts_utc"]), "okx", "wss://ws.okx.com:8443/ws/v5/public", compact(message))


def prefixed(path: Path, venue: str, route: str) -> Iterator[Frame]:
    """Read lines `receive_unix_ns native JSON`."""
    with gzip.open(path, "rb") as lines:
        for line in lines:
            at, _, payload = line.rstrip(b"\n").partition(b" ")
            yield Frame(int(at), venue, route, payload)


def playback(path: Path, venue: str) -> Iterator[Frame]:
    """Read a socket playback: `url <-> t` opened, `url <- t: sent`, `t: received` (text, or a bytes literal)."""
    route = ""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if " <-> " in text[:4000]:
                route, _, at = text.partition(" <-> ")
                yield Frame(nanoseconds(at), venue, route.partition("?")[0], b"opened", "open")
            elif text.startswith("wss://"):
                _, _, rest = text.partition(" <- ")
                at, _, sent = rest.partition(": ")
                yield Frame(nanoseconds(at), venue, route.partition("?")[0], sent.encode(), "out")
            elif text and text[0].isdigit():
                at, _, body = text.partition(": ")
                payload = ast.literal_eval(body) if body.startswith("b'") or body.startswith('b"') else body.encode()
                yield Frame(nanoseconds(at), venue, route.partition("?")[0], payload)


def bybit_cassette(path: Path) -> Iterator[Frame]:
    """Read JSON lines {t: http|connect|send|recv, ts, addr|url, data}; only the linear socket and its listing."""
    addresses: dict[str, str] = {}  # a received row names only its connection
    with path.open("rb") as raw:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8")
        for line in text:
            row = json.loads(line, parse_float=Decimal)
            kind = row["t"]
            address = addresses.setdefault(row.get("conn") if kind != "http" else row["url"], row.get("addr") or row.get("url") or "")
            if "linear" not in address:
                continue
            payload = row.get("data", "opened").encode()
            direction = {"connect": "open", "send": "out"}.get(kind, "in")
            yield Frame(int(row["ts"] * 1_000_000_000), "bybit", address, payload, direction)


def write(name: str, frames: Iterable[Frame], title: str, about: str, provenance: list[dict[str, str]]) -> None:
    """Write one recording folder."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    kept = sorted(frames, key=lambda frame: frame.ts_recv)
    columns = {name: [getattr(frame, name) for frame in kept] for name in COLUMNS.names}
    pq.write_table(pa.table(columns, schema=COLUMNS), folder / "frames.parquet", compression="zstd", compression_level=12)
    facts = {"name": name, "title": title, "about": about, "provenance": provenance}
    (folder / "recording.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    print(f"{name}: {len(kept)} rows, {(folder / 'frames.parquet').stat().st_size / 1e6:.2f} MB")  # noqa: T201 - a build tool


def main(captures: Path) -> None:
    """Build every bundled recording."""
    stream = "facts of a public venue stream"
    write(
        "binance-2025-01-26", stretches(
            binance_forced_orders(captures / "binance_forceorder_events/binance_forceorder_2025-01-26_27.csv",
                1_737_900_000_000, 1_738_010_000_000,),
            HALF_AN_HOUR,
        ),
        "Binance forced orders, 26–27 January 2025",
        "Forced orders of the late-January sell-off in two stretches of 47 and 30 minutes: 3,494 messages, of which 1,673 repeat an order "
        "already seen, so 1,821 orders. Binance showed at most one order "
        "per contract and second: every sum is a floor. Between the stretches nothing was recorded.",
        [{"source": "github PauliusMinialga/data_streams_for_crypto, binance.csv", "licence": stream,
          "note": "Kept as CSV rows with every native field of the order; re-encoded here as native forceOrder messages. The dropped "
          "USDT of the symbol is put back; the push time E was not kept and is left out; the receipt time was not kept, so ts_recv is "
          f"the running maximum of the order time T. {CONNECTION_ROWS}"}],
    )  # fmt: skip
    write(
        "bybit-2026-10-10", stretches(
            bybit_all_liquidation(captures / "bybit_allliquidation_2026/bybit_liq_2026-10-10_part1.csv"), HALF_AN_HOUR),
        "Bybit all liquidations, 10 October 2026",
        "355 liquidations in 73 minutes on the 100 USDT perpetuals of highest turnover: the whole stream, unthrottled. Prices are "
        "bankruptcy prices.",
        [{"source": "github Kont74/quant-liq-collector, data/bybit_liq_2026-10-10.csv", "licence": stream,
          "note": "Kept as rows with the native object of each event; rows of one push are put back into one allLiquidation message. "
          f"The push time ts was not kept and is left out. {CONNECTION_ROWS}"}],
    )  # fmt: skip
    write(
        "okx-2026-08-31", stretches(
            okx_liquidation_orders(captures / "okx_liquidation_orders_2026/okx_liq_2026-08-31_part1.csv"), HALF_AN_HOUR),
        "OKX liquidation orders, 31 August 2026",
        "74 liquidation orders in two minutes, late and out of order as OKX sends them. Contract sizes of that day were not recorded, "
        "so the orders are counted and not priced.",
        [{"source": "github Kont74/quant-okx-liq, okx_liq_2026-08-31.csv", "licence": stream,
          "note": f"Kept as rows with the native object of each event; put back into liquidation-orders messages. {CONNECTION_ROWS}"}],
    )  # fmt: skip
    hft = {"source": "github nkaz001/hftbacktest", "licence": "MIT", "note": "Byte-exact messages with their receipt times."}
    usdm, coinm = "wss://fstream.binance.com/stream", "wss://dstream.binance.com/stream"
    write(
        "binance-2024-08-08", stretches([
            *prefixed(captures / "hftbacktest/usdm_btcusdt_20240808.gz", "binance", usdm),
        ], HALF_AN_HOUR),
        "Binance BTCUSDT book and trades, 8 August 2024",
        "Every book change, best quote and trade of the BTCUSDT perpetual for six minutes, three days after the crash of 5 August.",
        [hft],
    )  # fmt: skip
    write(
        "binance-coin-2024-08-08", stretches(prefixed(captures / "hftbacktest/cm_btcusd_perp_20240808.gz", "binance", coinm), HALF_AN_HOUR),
        "Binance BTCUSD_PERP book and trades, 8 August 2024",
        "The same six minutes on the coin-margined perpetual.",
        [hft],
    )  # fmt: skip
    write(
        "hyperliquid-2025-01-26", stretches(
            prefixed(captures / "hftbacktest/hyperliquid_btcusd_20250126.gz", "hyperliquid", "wss://api.hyperliquid.xyz/ws"), HALF_AN_HOUR
        ),
        "Hyperliquid BTC book and trades, 26 January 2025",
        "25 seconds of the native socket.",
        [hft],
    )  # fmt: skip
    cryptofeed = {"source": "github bmoscon/cryptofeed (master)", "licence": "XFree86-style, permission granted",
                  "note": "Socket playback, messages as received."}  # fmt: skip
    write(
        "okx-2022-05-13", playback(captures / "cryptofeed/OKX.ws.1.0.gz", "okx"), "OKX books, trades and tickers, 13 May 2022",
        "Half a minute of native messages, two days after the fall of LUNA; liquidations were not subscribed.", [cryptofeed],
    )  # fmt: skip
    write(
        "htx-2022-02-19", playback(captures / "cryptofeed/HUOBI_SWAP.ws.1.0.gz", "htx"), "HTX coin-margined swaps, 19 February 2022",
        "Half a minute of trades and books, gzip frames as received; liquidations were not subscribed.", [cryptofeed],
    )  # fmt: skip
    write(
        "bybit-2026-08-09", bybit_cassette(captures / "cryptofeed/BYBIT.jsonl.zst"), "Bybit books, tickers and trades, 9 August 2026",
        "45 seconds of BTC, ETH, SOL and DOGE with mark prices, funding and open interest; liquidations were not subscribed.", [cryptofeed],
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
