"""Standard input as a source of raw audio."""

from __future__ import annotations

import asyncio
import select
import threading
from typing import TYPE_CHECKING, BinaryIO, cast

from plugandtell.client.source import PIPE_HINT, Losses
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InputEmpty, InputError, InputNotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from io import RawIOBase

READ_BYTES = 16_384
READ_AHEAD_BLOCKS = 8


class StdinSource:
    """A `Source` that reads raw 16-bit little-endian audio at 16 kHz, mono, from standard input.

    No way of reading a pipe, a file and a terminal without blocking works on every system, so a daemon thread
    reads: it may stay behind, blocked in its last read, without holding up the end of the program. It reads
    ahead by `READ_AHEAD_BLOCKS` blocks, then waits, and so does whoever feeds the pipe. Nothing is dropped.

    Args:
        stream: Such as `sys.stdin.buffer`; None where the program was started without a standard input.
    """

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self._stray_bytes = 0
        self._opened = False
        self._stopped = False
        # Has no bound of its own: a block has its slot before it is read.
        self._blocks: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._slots = threading.Semaphore(READ_AHEAD_BLOCKS)

    @property
    def name(self) -> str:
        """A dash, as on the command line."""
        return "-"

    @property
    def is_live(self) -> bool:
        """Whoever feeds the pipe waits."""
        return False

    @property
    def losses(self) -> Losses:
        """After the end of input: the byte that was left over, if there was one."""
        return Losses(stray_bytes=self._stray_bytes)

    async def open(self) -> None:
        """Start reading.

        Raises:
            InputNotFound: There is no standard input.
        """
        if self._stream is None:
            raise InputNotFound(self.name, "standard input is closed: pipe audio in, or name a file")
        # A thread blocked inside the buffered reader would hold its lock, and the interpreter dies over that at
        # exit; the raw reader has none.
        raw = cast("RawIOBase", getattr(self._stream, "raw", self._stream))
        self._opened = True
        threading.Thread(target=self._pump, args=(raw, asyncio.get_running_loop()), name="stdin", daemon=True).start()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield audio as it arrives.

        Raises:
            InputEmpty: Standard input ended without a single sample.
            InputError: It could not be read any further.
        """
        if not self._opened:
            raise RuntimeError("open() comes before chunks()")
        rest = b""
        heard = False
        while block := await self._next():
            rest += block
            if whole_bytes := SPEECH.bytes_in(SPEECH.samples_in(len(rest))):
                heard = True
                yield rest[:whole_bytes]
                rest = rest[whole_bytes:]
        if block is None:
            return
        self._stray_bytes = len(rest)
        if not heard:
            raise InputEmpty(self.name, f"standard input ended without a sample: {PIPE_HINT}")

    def stop(self) -> None:
        """Read no further."""
        self._stopped = True
        self._slots.release()
        # Not at once: what the thread has handed over already comes first.
        asyncio.get_running_loop().call_soon(self._blocks.put_nowait, None)

    async def close(self) -> None:
        """Leave the reading thread to itself; standard input is not ours to close."""
        self.stop()

    async def _next(self) -> bytes | None:
        """The next block; empty at the end of input, None once stopped and nothing is left."""
        block = await self._blocks.get()
        self._slots.release()
        if isinstance(block, Exception):
            raise InputError(self.name, f"{block}: check what feeds standard input") from block
        return block

    def _pump(self, raw: RawIOBase, loop: asyncio.AbstractEventLoop) -> None:
        block: bytes | Exception = b"-"
        while block and not isinstance(block, Exception):
            self._slots.acquire()
            if self._stopped:
                return
            try:
                block = _read_some(raw)
            except (OSError, ValueError) as exc:  # ValueError: somebody closed it
                block = exc
            try:
                loop.call_soon_threadsafe(self._blocks.put_nowait, block)
            except RuntimeError:  # the loop is closed: the program is ending
                return


def _read_some(raw: RawIOBase) -> bytes:
    """Wait for input; empty at its end."""
    while (data := raw.read(READ_BYTES)) is None:  # set to non-blocking by whoever shares it
        select.select([raw], [], [])
    return cast("bytes", data)
