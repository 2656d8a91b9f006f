"""A day of audio through one stream, as fast as it goes: is every sample recorded, and does memory stay flat?

    python benchmarks/endurance.py [--hours 24] [--folder FOLDER] [--durability write]

A real client reads raw audio from standard input and streams it to a real server. Each sample tells its index. At the
end the recordings are read and compared with what was fed; the memory of both processes is printed along the way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from real_server import real_server

RATE = 16_000
HEADER_BYTES = 44
PERIOD = 65_521
BLOCK_S = 10
FLAT_MB = 10.0


def pcm(start: int, samples: int) -> bytes:
    """Audio in which every sample tells its index."""
    return ((np.arange(start, start + samples) * 7919) % PERIOD - 32_760).astype("<i2").tobytes()


@dataclass
class Memory:
    """What a process has resident, over time."""

    name: str
    pid: int
    megabytes: list[float] = field(default_factory=list)

    def look(self) -> float:
        """Note what it is now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        self.megabytes.append(int(line.split()[1]) / 1000)
        return self.megabytes[-1]

    @property
    def growth_mb(self) -> float:
        """From when everything was loaded to the largest."""
        settled = self.megabytes[len(self.megabytes) // 10 :]
        return max(settled) - settled[0]

    def summary(self) -> str:
        """The range after the first tenth, in which everything is loaded."""
        settled = self.megabytes[len(self.megabytes) // 10 :]
        quarters = [settled[len(settled) * place // 4] for place in range(4)] + [settled[-1]]
        course = " ".join(f"{size:.1f}" for size in quarters)
        return f"{self.name}: {min(settled):.1f} to {max(settled):.1f} MB resident, in course {course}"


async def main() -> int:
    """Feed, watch, compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--durability", default="write")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        return await measure(folder, round(arguments.hours * 3600), arguments.durability)
    finally:
        shutil.rmtree(folder)


async def measure(folder: Path, seconds: int, durability: str) -> int:
    """Run both processes; the exit code says whether every sample was found, and memory stayed flat."""
    environment = os.environ | {"XDG_STATE_HOME": str(folder / "state")}
    async with real_server(folder, f"--durability={durability}") as (server, url):
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "plugandtell", "client"),
            f"--server={url}",
            "--input=-",
            "--vad=none",
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        memories = [Memory("client", client.pid), Memory("server", server.pid)]
        began = time.monotonic()
        await feed(client, seconds, memories)
        client_status = await client.wait()
        took_s = time.monotonic() - began
    right, files = compare(folder / "audio", seconds * RATE)
    print(
        f"{seconds / 3600:g} h of audio in {took_s:.0f} s: {seconds / took_s:.0f} times real time, {files} recordings"
    )
    print(f"exit codes: client {client_status}, server {server.returncode}; every sample once: {right}")
    for memory in memories:
        print(memory.summary())
    is_flat = all(memory.growth_mb < FLAT_MB for memory in memories)
    return 0 if right and is_flat and client_status == server.returncode == 0 else 1


async def feed(client: asyncio.subprocess.Process, seconds: int, memories: list[Memory]) -> None:
    """As fast as the client reads."""
    assert client.stdin is not None
    report_every = max(1, seconds // BLOCK_S // 24)
    for block, second in enumerate(range(0, seconds, BLOCK_S)):
        client.stdin.write(pcm(second * RATE, min(BLOCK_S, seconds - second) * RATE))
        await client.stdin.drain()
        sizes = [memory.look() for memory in memories]
        if block % report_every == 0:
            shown = ", ".join(f"{memory.name} {size:.1f} MB" for memory, size in zip(memories, sizes, strict=True))
            print(f"{second / 3600:6.2f} h  {shown}", flush=True)
    client.stdin.close()


def compare(audio_dir: Path, samples: int) -> tuple[bool, int]:
    """Whether the recordings, in the order of their audio, are what was fed."""
    sidecars = [json.loads(path.read_text(encoding="utf-8")) for path in audio_dir.glob("*.json")]
    index = 0
    for sidecar in sorted(sidecars, key=lambda sidecar: int(sidecar["start_index"])):
        if sidecar["start_index"] != index:
            return False, len(sidecars)
        with (audio_dir / sidecar["file"]).open("rb") as file:
            file.seek(HEADER_BYTES)
            while content := file.read(2 * RATE * BLOCK_S):
                if content != pcm(index, len(content) // 2):
                    return False, len(sidecars)
                index += len(content) // 2
    return index == samples, len(sidecars)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
