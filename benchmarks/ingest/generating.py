"""The load generator as a process that is told what to do, line by line."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.building import build_generator
from benchmarks.ingest.processes import start_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.ingest.servers import Peer


WATCHED = 20


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: of each stream a message of so much audio at every interval.

    Attributes:
        first: The number of the first stream: two generators at one server need different ones.
    """

    streams: int = 500
    message_bytes: int = 640
    interval_us: int = 20_000
    first: int = 0

    @property
    def messages_per_s(self) -> float:
        """Of all streams."""
        return self.streams * 1e6 / self.interval_us


class Generator:
    """A running generator, all of whose streams are open."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def watch(self, stream: int, path: Path) -> None:
        """Log when the file of a stream grows."""
        self._tell(f"watch {stream} {path}")

    def start(self) -> None:
        """Stream from now on."""
        self._tell("start")

    def count(self) -> dict[str, Any]:
        """Messages sent so far, and how late they were since the last count."""
        return self._ask("count", "count")

    def stop(self) -> dict[str, Any]:
        """Stream no more; what is still under way?"""
        return self._ask("stop", "stopped")

    def resume(self, times: int) -> dict[str, Any]:
        """Let streams drop and come back, one after another."""
        return self._ask(f"resume {times}", "resumed")

    def end(self) -> dict[str, Any]:
        """End all streams; how did they fare?"""
        return self._ask("end", "ended")

    def hear(self, event: str) -> dict[str, Any]:
        """The next line, which must be this event.

        Raises:
            RuntimeError: It is not; the generator has told why on standard error.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        told: dict[str, Any] = json.loads(line) if line else {}
        if told.get("event") != event:
            raise RuntimeError(f"the load generator was to tell of {event!r}, and said {line!r}")
        return told

    def _ask(self, command: str, event: str) -> dict[str, Any]:
        self._tell(command)
        return self.hear(event)

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()


@contextmanager
def generating(peer: Peer, port: int, load: Load, core: int, log: Path | None = None) -> Iterator[Generator]:
    """A generator with all streams open.

    Args:
        peer: What is spoken to, at this port of 127.0.0.1.
        port: See `peer`.
        load: What it is to send.
        core: Where it runs.
        log: Where it is to leave the times of `WATCHED` streams, evenly spread over all; None for none.
    """
    program = build_generator()
    options: dict[str, object] = {
        "--dialect": peer.dialect,
        "--path": peer.path,
        "--port": port,
        "--streams": load.streams,
        "--bytes": load.message_bytes,
        "--interval-us": load.interval_us,
        "--first": load.first,
    }
    if log is not None:
        options |= {"--watched": WATCHED, "--log": log}
    command = [str(program), *(str(word) for pair in options.items() for word in pair)]
    process = start_on({core}, command, stdin=subprocess.PIPE)
    try:
        generator = Generator(process)
        generator.hear("open")
        yield generator
    finally:
        process.kill()
        process.wait()
