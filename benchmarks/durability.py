"""What `--durability fsync` costs in CPU and in waiting for acknowledgements, beside `write` in the same run.

    python benchmarks/durability.py [--streams 50] [--seconds 20] [--rounds 3]

Streams speak in real time, in messages of 100 ms, to a real server on this disk.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from real_server import real_server  # noqa: E402
from tests.support.wire import RATE, Wire, hello, pcm  # noqa: E402

from plugandtell.core.protocol.messages import Ack, Audio  # noqa: E402

MESSAGE = RATE // 10


async def speak(url: str, seconds: int, waits_s: list[float]) -> None:
    """One stream; notes how long each half second waited for its acknowledgement."""
    sent_at: dict[int, float] = {}
    async with await Wire.greeted(url, hello()) as wire:

        async def listen() -> None:
            while True:
                stored_to = (await wire.hear(Ack)).stored_to
                now = time.monotonic()
                told = [end for end in sent_at if end <= stored_to]
                waits_s.extend(now - sent_at.pop(end) for end in told)

        listening = asyncio.create_task(listen())
        began = time.monotonic()
        for number in range(seconds * 10):
            await asyncio.sleep(max(0.0, began + number / 10 - time.monotonic()))
            start = number * MESSAGE
            if (start + MESSAGE) % (RATE // 2) == 0:
                sent_at[start + MESSAGE] = time.monotonic()
            await wire.say(Audio(start, pcm(start, MESSAGE)))
        await asyncio.sleep(1.0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await wire.end(seconds * RATE)


async def measure(durability: str, streams: int, seconds: int) -> tuple[float, list[float]]:
    """CPU seconds of the server, and the waits."""
    waits_s: list[float] = []
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        async with real_server(Path(folder), f"--durability={durability}") as (_, url):
            await asyncio.gather(*(speak(url, seconds, waits_s) for _ in range(streams)))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, waits_s


async def main() -> None:
    """Rounds of both, interleaved."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cpu_s: dict[str, list[float]] = {"write": [], "fsync": []}
    waits_s: dict[str, list[float]] = {"write": [], "fsync": []}
    for _ in range(arguments.rounds):
        for durability, spent in cpu_s.items():
            cpu, waits = await measure(durability, arguments.streams, arguments.seconds)
            spent.append(cpu)
            waits_s[durability] += waits
    for durability, spent in cpu_s.items():
        share = statistics.median(spent) / arguments.seconds
        ordered = sorted(waits_s[durability])
        middle, late = (1000 * ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
        print(f"{durability}: {share:.1%} of a core for {arguments.streams} streams; ", end="")
        print(f"acknowledged after {middle:.1f} ms (99 %: {late:.0f} ms)")
    ratio = statistics.median(cpu_s["fsync"]) / statistics.median(cpu_s["write"])
    print(f"fsync costs {ratio:.2f} times the CPU")


if __name__ == "__main__":
    asyncio.run(main())
