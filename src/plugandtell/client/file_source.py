"""A file as a source, read as fast as a microphone would deliver it or as fast as it can be."""

from __future__ import annotations

import asyncio
import time
from itertools import chain
from typing import TYPE_CHECKING

from plugandtell.client.converter import Converter
from plugandtell.client.source import PIPE_HINT, Losses
from plugandtell.core.errors import InputEmpty, InputError, InputNotAudio
from plugandtell.core.pace import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from plugandtell.client.audio_file import AudioFile
    from plugandtell.client.converter import Block


class FileSource:
    """A `Source` that plays a file; see `AudioFile` for its formats.

    At pace `realtime` each chunk comes when a microphone would have delivered it, by deadlines counted from the
    start, so that delays do not add up. At pace `fast` it comes when it is asked for.

    Args:
        path: The file.
        pace: How fast to read it.
        clock: A monotonic clock, in seconds.
        sleep: Sleeps for so many seconds.
    """

    def __init__(
        self,
        path: str | Path,
        pace: Pace = Pace.REALTIME,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._path = path
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._stopped = False
        self._file: AudioFile | None = None
        self._blocks: Iterator[Block] = iter(())

    @property
    def name(self) -> str:
        """The file as it was named."""
        return str(self._path)

    @property
    def is_live(self) -> bool:
        """A file waits."""
        return False

    @property
    def losses(self) -> Losses:
        """Nothing is lost."""
        return Losses()

    async def open(self) -> None:
        """Open the file and decode its first block.

        Raises:
            InputNotFound: There is no such file, or it cannot be opened.
            InputNotAudio: It cannot be decoded.
            InputEmpty: It holds not a single sample.
            InputError: libsndfile is not installed.
        """
        self._file = self._audio_file()
        blocks = self._file.blocks()
        first = next(blocks, None)
        if first is None:
            raise InputEmpty(self.name, "it holds no audio: was its recording finished?")
        self._blocks = chain([first], blocks)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the file in chunks of about 100 ms.

        Raises:
            InputNotAudio: It is damaged; what could be decoded was yielded before.
        """
        if self._file is None:
            raise RuntimeError("open() comes before chunks()")
        sample_rate = self._file.sample_rate
        converter = Converter(sample_rate)
        started_s = self._clock()
        samples = 0
        damage: InputNotAudio | None = None
        # Decoding takes microseconds a block, so it stays on the event loop: a thread would cost more, and
        # could still be decoding when a cancelled reader closes the file.
        try:
            for block in self._blocks:
                samples += len(block)
                await self._wait(started_s + samples / sample_rate)
                if audio := converter.feed(block):
                    yield audio
                if self._stopped:
                    break
        except InputNotAudio as exc:
            damage = exc
        if audio := converter.flush():
            yield audio
        if damage is not None:
            raise damage

    def stop(self) -> None:
        """Read no further."""
        self._stopped = True

    async def close(self) -> None:
        """Close the file."""
        self.stop()
        if self._file is not None:
            self._file.close()

    def _audio_file(self) -> AudioFile:
        try:
            from plugandtell.client.audio_file import AudioFile  # noqa: PLC0415  (libsndfile: only files need it)
        except (ImportError, OSError) as exc:
            cause = f"the package soundfile cannot be loaded ({exc}): reinstall it, or {PIPE_HINT}"
            raise InputError(self.name, cause) from exc
        return AudioFile(self._path)

    async def _wait(self, deadline_s: float) -> None:
        """Give the event loop a turn, and at pace `realtime` wait for the deadline."""
        delay_s = deadline_s - self._clock() if self._pace is Pace.REALTIME else 0.0
        await self._sleep(max(0.0, delay_s))
