"""Servers of several processes: whose stream it is, and what they have logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from plugandtell.core.protocol.messages import STREAM_HEADER, Hello
from plugandtell.core.shard import shard_of
from tests.support.watching import until
from tests.support.wire import hello


def stream_for(worker: int, of: int = 2) -> UUID:
    """The id of a stream that belongs to that worker, counted from 1 as in the log."""
    while shard_of(stream_id := uuid4(), of) != worker - 1:
        pass
    return stream_id


def hello_for(worker: int, of: int = 2, **changes: Any) -> Hello:
    """The hello of such a stream."""
    return hello(stream_for(worker, of), **changes)


def naming(greeting: Hello, *, is_named: bool = True) -> dict[str, Any]:
    """What a client that names its stream in its request connects with."""
    return {"additional_headers": {STREAM_HEADER: str(greeting.stream_id)}} if is_named else {}


def logged(folder: Path, event: str) -> list[dict[str, Any]]:
    """Every such event in the log of a server that runs in `folder`."""
    lines = [json.loads(line) for line in (folder / "logs" / "server.log").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


async def pid_of(folder: Path, worker: int, life: int = 1) -> int:
    """The process of a worker in its first life, or a later one."""

    def look() -> int:
        pids = [line["worker_pid"] for line in logged(folder, "worker_started") if line["worker"] == worker]
        return pids[life - 1] if len(pids) >= life else 0

    return await until(look)


def peak_memory_kb(pid: int) -> int:
    """The most memory that a process has held; 0 where the system does not tell."""
    status = Path("/proc", str(pid), "status")
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else 0
