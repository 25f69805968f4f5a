"""The whole live path under load: six venues on loopback, in a process of their own, against `deleverage up --live` in another.

Raises the rate step by step; a step holds when nothing is lost and the parser is not behind at its end. Then 11,279 liquidation
fills in one second, the measured peak of 10 October 2025, and whether all of them are shown, exactly.

    .venv/bin/python benchmarks/collect.py [--seconds 60] [--rates 5000 10000 15000 20000] [--reconstruction]
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # no stubs are installed
from websockets.asyncio.client import connect

from deleverage.simulate.reconstruction.recording import DAY
from deleverage.venues import VENUES

RECORDINGS = (  # without those of liquidations alone: at a constant rate they would be a third of all frames
    "binance-2024-08-08", "binance-coin-2024-08-08", "bybit-2026-08-09", "htx-2022-02-19", "hyperliquid-2025-01-26", "okx-2022-05-13",
)  # fmt: skip
PEAK = 11_279
PORT = 8097


def ask(url: str, body: object = None) -> Any:
    """GET, or POST a JSON body; return the JSON answer."""
    with urllib.request.urlopen(urllib.request.Request(url, None if body is None else json.dumps(body).encode()), timeout=60) as answer:
        return json.loads(answer.read())


def taken(base: str) -> int:
    """Return the data frames the collector has parsed, over all venues."""
    return sum(c["frames"] for row in ask(f"{base}/v1/feeds?window=1h")["data"] for c in row["channels"])


class Listener:
    """A subscriber of the stream: when each Hyperliquid order came after the venue sent it, in ms."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.orders = 0

    async def run(self, base: str) -> None:
        async with connect(base.replace("http", "ws") + "/v1/stream?window=1h", compression=None, max_size=None) as socket:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "orders":
                    now = time.time() * 1000
                    self.orders += message["count"]
                    self.delays += [now - o["ts_ms"] for o in message["data"] if o["venue"] == "hyperliquid"]


def share(values: list[float], part: float) -> float:
    """Return a quantile."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)] if values else float("nan")


async def step(rate: float, seconds: float, gateway: str, base: str, listener: Listener, process: psutil.Process) -> dict[str, Any]:
    """Hold one rate."""
    sent0, taken0 = sum(ask(f"{gateway}/-/stats")["sent"].values()), await asyncio.to_thread(taken, base)
    listener.delays.clear()
    cpu0, memory0, began = sum(process.cpu_times()[:2]), process.memory_info().rss, time.monotonic()
    await asyncio.to_thread(ask, f"{gateway}/-/rate", {"rate": rate})
    most = 0.0
    while time.monotonic() - began < seconds:
        await asyncio.to_thread(ask, f"{gateway}/-/burst", {"count": 1})
        await asyncio.sleep(0.1)
        if int(time.monotonic() - began) % 5 == 0:
            most = max(most, (await asyncio.to_thread(ask, f"{base}/v1/intake"))["data"]["lag_seconds"])
    await asyncio.to_thread(ask, f"{gateway}/-/rate", {"rate": 1})
    took = time.monotonic() - began
    behind = (await asyncio.to_thread(ask, f"{base}/v1/intake"))["data"]["lag_seconds"]
    memory = process.memory_info().rss
    cpu = (sum(process.cpu_times()[:2]) - cpu0) / took
    for _ in range(100):
        sent, got = (
            sum((await asyncio.to_thread(ask, f"{gateway}/-/stats"))["sent"].values()) - sent0,
            await asyncio.to_thread(taken, base) - taken0,
        )
        if got >= sent - 50:
            break
        await asyncio.sleep(0.3)
    return {
        "asked": rate, "sent/s": round(sent / took), "lost": sent - got if sent - got > 50 else 0, "behind_s": round(behind, 2),
        "most_behind_s": round(most, 2), "p50_ms": round(share(listener.delays, 0.5)), "p99_ms": round(share(listener.delays, 0.99)),
        "orders": len(listener.delays), "cpu": round(cpu, 2), "rss_mb": round(memory / 1e6), "grew_mb": round((memory - memory0) / 1e6),
    }  # fmt: skip


async def burst(gateway: str, base: str, listener: Listener) -> dict[str, Any]:
    """Send the peak within one second, and compare what is shown."""

    def shown() -> tuple[int, float]:
        rows = ask(f"{base}/v1/liquidations/totals?window=1h&by=venue")["data"]
        return next(((r["count"], r["total_usd"]) for r in rows if r["venue"] == "hyperliquid"), (0, 0.0))

    before, orders, began = await asyncio.to_thread(shown), listener.orders, time.monotonic()
    for part in range(10):
        await asyncio.to_thread(ask, f"{gateway}/-/burst", {"count": PEAK // 10 + (PEAK % 10 if part == 9 else 0)})
        await asyncio.sleep(max(0.0, began + (part + 1) * 0.1 - time.monotonic()))
    took = time.monotonic() - began
    for _ in range(100):
        after = await asyncio.to_thread(shown)
        if after[0] - before[0] >= PEAK and listener.orders - orders >= PEAK:
            break
        await asyncio.sleep(0.1)
    return {
        "sent": PEAK, "sent_in_s": round(took, 2), "shown": after[0] - before[0], "streamed": listener.orders - orders,
        "usd": round(after[1] - before[1], 2), "usd_expected": round(PEAK * 9_200.0, 2),
        "complete_after_s": round(time.monotonic() - began, 2),
    }  # fmt: skip


async def main(rates: list[float], seconds: float, recordings: tuple[str, ...]) -> None:
    """Start everything, run the steps, print rows."""
    serve = [part for name in recordings for part in ("--serve", name)]
    server = subprocess.Popen([sys.executable, "-m", "deleverage.cli", "simulate", *serve], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    gateway = server.stdout.readline().strip()
    with tempfile.TemporaryDirectory() as directory:
        environment = dict(os.environ, DELEVERAGE_LOG__LEVEL="error", DELEVERAGE_COLLECT__BACKFILL="false")
        environment |= {f"DELEVERAGE_REFERENCES__{name}__ENABLED": "false" for name in ("FEAR_GREED", "FARSIDE", "FRED")}
        environment |= {f"DELEVERAGE_VENUES__{name.upper()}__GATEWAY": gateway for name in VENUES}
        command = [sys.executable, "-m", "deleverage.cli", "up", "--live", "--data", str(Path(directory) / "data"), "--port", str(PORT)]
        collector = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        base = f"http://127.0.0.1:{PORT}"
        try:
            for _ in range(300):
                await asyncio.sleep(0.2)
                try:
                    if ask(f"{base}/v1/intake")["data"].get("frames", 0) > 500:
                        break
                except OSError:
                    pass
            await asyncio.sleep(15)
            listener = Listener()
            listening = asyncio.create_task(listener.run(base))
            process = psutil.Process(collector.pid)
            for rate in rates:
                print(json.dumps(await step(rate, seconds, gateway, base, listener, process)), flush=True)
            print(json.dumps({"burst": await burst(gateway, base, listener)}), flush=True)
            listening.cancel()
        finally:
            collector.terminate()
            collector.wait(30)
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[5_000, 10_000, 15_000, 20_000])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--reconstruction", action="store_true", help="serve the reconstructed day instead of the real recordings")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.rates, chosen.seconds, (DAY,) if chosen.reconstruction else RECORDINGS))
