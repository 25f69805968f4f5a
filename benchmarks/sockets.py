"""picows against websockets: receiving the same recorded frames over loopback, from one sender in a process of its own.

.venv/bin/python benchmarks/sockets.py
"""

import asyncio
import json
import multiprocessing
import time
from itertools import cycle, islice
from multiprocessing.connection import Connection as Pipe
from typing import Any

import picows
from websockets.asyncio.client import connect

from deleverage.journal.interchange import read_source
from deleverage.recordings import bundled
from deleverage.simulate.client import Client, Request, frame

FRAMES = 200_000
SIZES = {
    "forced orders, 168 B": "binance-2025-01-26",
    "trades and books, 330 B": "binance-2024-08-08",
    "books, 1.7 kB": "hyperliquid-2025-01-26",
}


def send(name: str, pipe: Pipe) -> None:
    """Serve one client `FRAMES` recorded frames as fast as it reads."""
    payloads = [f.payload for f in islice((f for f in read_source(bundled()[name].path) if f.direction == "in"), 20_000)]
    wire = [frame(p, 1) for p in islice(cycle(payloads), FRAMES)]

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        pouring = []

        def accept(client: Client, request: Request) -> None:
            client.transport.write(client.accept(request))
            pouring.append(loop.create_task(pour(client)))

        async def pour(client: Client) -> None:
            for at in range(0, len(wire), 500):
                client.transport.write(b"".join(wire[at : at + 500]))
                while client.transport.get_write_buffer_size() > 1 << 20 and not client.transport.is_closing():
                    await asyncio.sleep(0.001)

        server = await loop.create_server(lambda: Client(accept, lambda c, m: None, lambda c: None), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.sleep(120)

    asyncio.run(serve())


async def with_picows(port: int) -> int:
    """Receive with picows."""
    done, total = asyncio.get_running_loop().create_future(), 0

    class Listener(picows.WSListener):
        count = 0

        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            nonlocal total
            total += len(frame.get_payload_as_bytes())
            self.count += 1
            if self.count == FRAMES:
                done.set_result(None)

    transport, _ = await picows.ws_connect(Listener, f"ws://127.0.0.1:{port}/-x/")
    await done
    transport.disconnect()
    return total


async def with_websockets(port: int) -> int:
    """Receive with websockets."""
    total = 0
    async with connect(f"ws://127.0.0.1:{port}/-x/", compression=None, max_size=None, ping_interval=None) as socket:
        for _ in range(FRAMES):
            total += len(await socket.recv(decode=False))
    return total


def measure(receive: Any, name: str) -> tuple[float, float, int]:
    """Return wall and CPU seconds and bytes."""
    here, there = multiprocessing.Pipe()
    sender = multiprocessing.get_context("spawn").Process(target=send, args=(name, there), daemon=True)
    sender.start()
    port = here.recv()
    wall, cpu = time.perf_counter(), time.process_time()
    total = asyncio.run(receive(port))
    found = time.perf_counter() - wall, time.process_time() - cpu, total
    sender.kill()
    sender.join()
    return found


if __name__ == "__main__":
    for words, recording in SIZES.items():
        results = {
            label: min(measure(receive, recording) for _ in range(3))
            for label, receive in (("picows", with_picows), ("websockets", with_websockets))
        }
        assert results["picows"][2] == results["websockets"][2]
        row = {
            label: {"frames/s": round(FRAMES / wall), "cpu_us_a_frame": round(cpu / FRAMES * 1e6, 2)}
            for label, (wall, cpu, _) in results.items()
        }
        ratio = results["websockets"][1] / results["picows"][1]
        print(json.dumps({"frames": words, **row, "cpu of websockets / cpu of picows": round(ratio, 1)}))
