"""The campaign of attackers: hostile clients against a real server, and one honest stream that must not suffer."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.protocol.messages import Ack, CloseCode
from tests.faults.hostility import Attack, Ending, make_attack
from tests.faults.raw import HANDSHAKE, close_code_in
from tests.faults.tally import Tally
from tests.support.recordings import recordings
from tests.support.wire import Wire, hello, pcm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.nursery import Child, Nursery

WITHIN_S = 60.0
_ENDS_WITHIN_S = 60.0
_AT_ONCE = 24
_MOST_GROWTH_BYTES = 60_000_000
"""What the server may grow by under 24 attackers: each may have a message of 64 KiB in its hands, and buffers of the
kernel's size beside it; add to that what the interpreter does not give back."""
_DOCUMENTED = set(CloseCode) - {CloseCode.INTERNAL_ERROR}
_STATUSES = {"101", "400", "404", "405", "414", "426", "429", "431", "503"}
_STEP_SAMPLES = 1600
_HONEST_PAUSE_S = 0.02
_LIMITS = (
    "--port=0",
    "--hello-timeout=1",
    "--idle-timeout=10",
    "--send-timeout=1",
    "--max-message-bytes=65536",
    "--min-free-mb=0",
)


async def attack(url: str, seed: int) -> Tally:
    """One attack.

    Raises:
        AssertionError: The server answered what no document says, or the connection would not end.
    """
    plan = make_attack(seed)
    answer = b""
    port = int(url.rpartition(":")[2])
    try:
        async with asyncio.timeout(_ENDS_WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            try:
                answer = await _carry_out(plan, reader, writer)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise AssertionError(f"{plan.kind}: the server does not end the connection") from None
    except OSError:
        pass  # it was dropped
    if answer.startswith(b"HTTP"):  # frames that come before the handshake is over may be answered before it, too
        status = answer[:12].decode("latin-1")
        assert status[9:12] in _STATUSES, f"{plan.kind}: it answered {answer[:200]!r}"
        code = close_code_in(answer)
        assert code is None or code in _DOCUMENTED, f"{plan.kind}: close code {code}: {answer[-200:]!r}"
    return Tally(Counter(attacks=1), Counter({plan.kind: 1}))


async def _carry_out(plan: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    answer = bytearray()

    async def listen() -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                answer.extend(data)

    listening: asyncio.Task[None] | None = None
    try:
        with suppress(OSError, EOFError):
            for place, part in enumerate(plan.parts):
                _write(writer, part)
                if part == HANDSHAKE and not place and plan.waits:
                    answer.extend(await reader.readuntil(b"\r\n\r\n"))
                if plan.reads and (place or not plan.waits):
                    listening = listening or asyncio.create_task(listen())
                if plan.reads or plan.pause_s:
                    await writer.drain()
                await asyncio.sleep(plan.pause_s)
            if plan.ending is Ending.HALF_CLOSE:
                writer.write_eof()
        if plan.ending is not Ending.RESET:
            await (listening or listen())
    finally:
        if listening is not None:
            listening.cancel()
    return bytes(answer)


def _write(writer: asyncio.StreamWriter, part: bytes) -> None:
    """Raises `ConnectionAbortedError` where asyncio would only warn that nobody is there any more."""
    if writer.transport.is_closing():
        raise ConnectionAbortedError
    writer.write(part)


async def run_attacks(nursery: Nursery, seeds: Iterable[int], folder: Path) -> Tally:
    """Attack one server with these seeds, many at a time, while an honest stream is recorded.

    Raises:
        AssertionError: A seed that failed and how; or the honest stream, the log or the memory of the server suffered.
    """
    server = await nursery.start(folder, "server", "server", *_LIMITS)
    url = await server.first_line()
    assert url is not None, server.stderr.read_text()
    await attack(url, 0)  # what is loaded once is no growth
    before, idle = _resident_bytes(server), _sockets(server)
    over = asyncio.Event()
    honest = asyncio.create_task(_speak_until(url, over))
    tally, failures = Tally(), []
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(seed: int) -> None:
        async with slots:
            try:
                tally.add(await attack(url, seed))
            except AssertionError as error:
                failures.append(f'attacks {seed}: {error}; again: make soak ARGS="attacks --seed {seed} --count 1"')

    async with asyncio.TaskGroup() as tasks:
        for seed in seeds:
            tasks.create_task(one(seed))
    growth = _resident_bytes(server) - before
    over.set()
    samples = await honest
    async with asyncio.timeout(WITHIN_S):
        while _sockets(server) > idle:  # noqa: ASYNC110  (nothing else tells)
            await asyncio.sleep(0.05)
    server.send(signal.SIGTERM)
    assert (status := await server.ended) == ExitStatus.OK, f"exit code {status}:\n{server.stderr.read_text()[-3000:]}"
    assert not failures, "\n".join(failures)
    assert growth < _MOST_GROWTH_BYTES, f"the server grew by {growth / 1e6:.0f} MB"
    _check_log(folder)
    tally.samples += _check_honest(folder, samples)
    return tally


async def _speak_until(url: str, over: asyncio.Event) -> int:
    """Stream until the attacks are over, but never ahead of the acknowledgements; returns how many samples."""
    wire = await Wire.greeted(url, hello(label="honest"))
    index = 0
    while not over.is_set():
        await wire.speak(index, 10 * _STEP_SAMPLES, _STEP_SAMPLES)
        index += 10 * _STEP_SAMPLES
        while (await wire.hear(Ack)).stored_to < index:
            pass
        await asyncio.sleep(_HONEST_PAUSE_S)
    await wire.end(index)
    return index


def _check_honest(folder: Path, samples: int) -> int:
    (found,) = [item for item in recordings(folder / "audio") if item.sidecar["client"]["label"] == "honest"]
    assert found.pcm == pcm(0, samples), "the honest stream suffered"
    return samples


def _check_log(folder: Path) -> None:
    for path in [*folder.glob("*.err"), *folder.glob("logs/*.log")]:
        content = path.read_text()
        found = re.search(r"Traceback|_crashed|connection.failed|sweep.failed|segment.not.saved", content)
        assert not found, f"{path.name}: {content[max(0, found.start() - 500) : found.end() + 3000]}"


def _resident_bytes(server: Child) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024


def _sockets(server: Child) -> int:
    """Open sockets of the process."""
    count = 0
    for path in Path(f"/proc/{server.pid}/fd").iterdir():
        with suppress(OSError):
            count += str(path.readlink()).startswith("socket:")
    return count
