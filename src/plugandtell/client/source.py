"""Where the client's audio comes from: the port that the app consumes, a file, and standard input.

The microphone, the third source, has a module of its own.
"""

from __future__ import annotations

import asyncio
import queue
import select
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import numpy as np

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InputEmpty, InputError, InputNotAudio, InputNotFound
from plugandtell.core.pace import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from io import RawIOBase

    import numpy.typing as npt
    import soundfile

    Block = npt.NDArray[np.float32] | npt.NDArray[np.int16]

BLOCKS_PER_SECOND = 10
READ_BYTES = 16_384
READ_AHEAD_BLOCKS = 8
FULL_SCALE = 32_768  # a float sample of 1.0, the convention of libsndfile
PIPE_HINT = f"pipe raw {SPEECH.sample_rate} Hz mono 16-bit little-endian audio to `--input -`"


class Source(Protocol):
    """Yields audio in the `SPEECH` format, whole samples only, from the first captured sample on.

    Life: `open`, `chunks` once, `close`. All methods are called on one event loop.
    """

    @property
    def name(self) -> str:
        """What logs and messages call it: the file, `-`, or the name of the device."""

    async def open(self) -> None:
        """Make it ready.

        Raises:
            InputError: The file or standard input cannot be used.
            MicrophoneError: The microphone cannot be used.
        """

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield audio until the input ends or `stop` is called.

        Raises:
            InputError: The input broke; what could be read was yielded before.
            MicrophoneLost: The device went away; what was heard was yielded before.
        """

    def stop(self) -> None:
        """End `chunks` as soon as it has yielded what was captured already. Idempotent."""

    async def close(self) -> None:
        """Release the device or file, stopping first if need be. Idempotent; takes a few seconds at worst."""


class Converter:
    """Brings float audio of any rate and any number of channels to `SPEECH`.

    Channels are averaged. How the input is cut into blocks makes no difference to the output.

    Raises:
        ValueError: The rate cannot be converted.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        import soxr  # noqa: PLC0415  (loads a shared library, which `--help` has no use for)

        self._channels = channels
        self._resampler: soxr.ResampleStream | None = None
        if sample_rate != SPEECH.sample_rate:
            try:
                self._resampler = soxr.ResampleStream(sample_rate, SPEECH.sample_rate, 1, dtype="float32", quality="HQ")
            except RuntimeError as exc:
                raise ValueError(f"sample_rate is {sample_rate}, which cannot be converted: {exc}") from exc

    def feed(self, block: npt.NDArray[np.float32]) -> bytes:
        """Convert the next block, of shape (samples, channels) and full scale 1.0.

        The resampler keeps a little back.
        """
        mono = block[:, 0] if self._channels == 1 else block.mean(axis=1, dtype=np.float32)
        # One NaN or infinity would stay in the resampler's memory and spoil everything after it.
        mono = np.nan_to_num(mono, nan=0.0, posinf=1.0, neginf=-1.0)
        return self._resample(mono, last=False)

    def flush(self) -> bytes:
        """What the resampler kept back. Nothing may be fed afterwards."""
        return self._resample(np.empty(0, np.float32), last=True)

    def _resample(self, mono: npt.NDArray[np.float32], *, last: bool) -> bytes:
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        scaled = np.rint(mono * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1)
        return scaled.astype("<i2").tobytes()


class FileSource:
    """An audio file in any format that libsndfile decodes: WAV, FLAC, OGG, MP3 and more.

    A file that already is 16 kHz, mono and 16-bit is passed on bit for bit; everything else is converted. At
    pace `realtime` each chunk comes when a microphone would have delivered it, by deadlines counted from the
    start, so that delays do not add up. At pace `fast` it comes when it is asked for.

    One limit is libsndfile's: it ends an MP3 without a length in its header where it estimates the end.

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
        self._file: soundfile.SoundFile | None = None
        self._converter: Converter | None = None
        self._decoded_samples = 0
        self._first: Block = np.empty(0, np.int16)
        self._damage: InputNotAudio | None = None

    @property
    def name(self) -> str:
        """The file as it was named."""
        return str(self._path)

    async def open(self) -> None:
        """Open the file and decode its first block.

        Raises:
            InputNotFound: There is no such file, or it cannot be opened.
            InputNotAudio: It cannot be decoded.
            InputEmpty: It holds not a single sample.
        """
        try:
            self._open()
        except InputError:
            await self.close()
            raise

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the file in chunks of about 100 ms.

        Raises:
            InputNotAudio: It is damaged; what could be decoded was yielded before.
        """
        file = self._file
        if file is None:
            raise RuntimeError("open() comes before chunks()")
        started_s = self._clock()
        block = self._first
        # Decoding takes microseconds a block, so it stays on the event loop: a thread would cost more, and
        # could still be decoding when a cancelled reader closes the file.
        while len(block):
            await self._wait(started_s + self._decoded_samples / file.samplerate)
            if audio := self._convert(block):
                yield audio
            block = self._read(file)
        if self._converter is not None and (audio := self._converter.flush()):
            yield audio
        if self._damage is not None and not self._stopped:
            raise self._damage

    def stop(self) -> None:
        """Read no further."""
        self._stopped = True

    async def close(self) -> None:
        """Close the file."""
        self.stop()
        if self._file is not None:
            self._file.close()

    def _open(self) -> None:
        self._check_path()
        self._file = file = self._decoder()
        is_speech = (file.samplerate, file.channels) == (SPEECH.sample_rate, SPEECH.channels)
        if not (is_speech and file.subtype == "PCM_16"):
            try:
                self._converter = Converter(file.samplerate, file.channels)
            except ValueError as exc:
                raise InputNotAudio(self.name, f"{exc}: convert it to {SPEECH.sample_rate} Hz first") from exc
        self._first = self._read(file)
        if not len(self._first):
            raise self._damage or InputEmpty(self.name, "it holds no audio: was its recording finished?")

    def _decoder(self) -> soundfile.SoundFile:
        try:
            import soundfile  # noqa: PLC0415  (loads a shared library, which `--help` has no use for)
        except (ImportError, OSError) as exc:
            cause = f"the package soundfile cannot be loaded ({exc}): reinstall it, or {PIPE_HINT}"
            raise InputError(self.name, cause) from exc
        try:
            file = soundfile.SoundFile(self._path)
        except soundfile.SoundFileError as exc:
            cause = f"no audio format that can be decoded ({_reason(exc)}): give a WAV, FLAC, OGG or MP3 file"
            raise InputNotAudio(self.name, cause) from exc
        except TypeError as exc:  # soundfile asks for the format of a file called .raw
            raise InputNotAudio(self.name, f"a raw file says nothing about its format: {PIPE_HINT}") from exc
        # It would seek to where it is after every block, and at each seek an MP3 decoder forgets what it needs for
        # the next frames: the audio has holes. A file that cannot seek is left alone.
        file.seekable = lambda: False
        return file

    def _check_path(self) -> None:
        path = Path(self._path)
        try:
            if path.is_dir():
                raise InputNotFound(self.name, "it is a folder: name one audio file in it")
            if path.exists() and not path.is_file():  # opening a pipe could block for ever
                raise InputNotFound(self.name, f"it is not a regular file: {PIPE_HINT}")
            with path.open("rb") as file:
                empty = not file.read(1)
        except OSError as exc:
            cause = f"{(exc.strerror or str(exc)).lower()}: check the path and its permissions"
            raise InputNotFound(self.name, cause) from exc
        except ValueError as exc:
            raise InputNotFound(self.name, f"{exc}: check the path") from exc
        if empty:
            raise InputEmpty(self.name, "its size is zero bytes: check that it was copied completely")

    def _read(self, file: soundfile.SoundFile) -> Block:
        """The next block; empty at the end, with `_damage` set where that comes too early."""
        import soundfile  # noqa: PLC0415

        done_samples = self._decoded_samples
        shape = max(1, file.samplerate // BLOCKS_PER_SECOND), file.channels
        block: Block = np.zeros(shape, np.int16) if self._converter is None else np.zeros(shape, np.float32)
        if self._damage is not None or self._stopped:
            return block[:0]
        try:
            got_samples = len(file.read(out=block))
        except soundfile.SoundFileError as exc:
            got_samples = file.tell() - done_samples  # decoded before the damage, and already in the block
            self._damage = self._damaged(file, _reason(exc))
            self._damage.__cause__ = exc
        # The length in the header of an MP3 is an estimate; elsewhere it is a promise.
        if not got_samples and done_samples < file.frames and not file.subtype.startswith("MPEG"):
            self._damage = self._damage or self._damaged(file, "the rest is missing")
        self._decoded_samples += got_samples
        return block[:got_samples]

    def _damaged(self, file: soundfile.SoundFile, reason: str) -> InputNotAudio:
        good_s = file.tell() / file.samplerate
        cause = f"damaged after {good_s:.1f} s ({reason}); what came before was used: get an intact copy"
        return InputNotAudio(self.name, cause)

    def _convert(self, block: Block) -> bytes:
        if self._converter is None:
            return block.astype("<i2", copy=False).tobytes()
        return self._converter.feed(cast("npt.NDArray[np.float32]", block))

    async def _wait(self, deadline_s: float) -> None:
        """Give the event loop a turn, and at pace `realtime` wait for the deadline."""
        delay_s = deadline_s - self._clock() if self._pace is Pace.REALTIME else 0.0
        await self._sleep(max(0.0, delay_s))


def _reason(exc: Exception) -> str:
    """Libsndfile's own words, without the path that it puts before them."""
    return str(getattr(exc, "error_string", exc)).strip().rstrip(".")


class StdinSource:
    """Raw 16-bit little-endian audio at 16 kHz, mono, from standard input.

    No way of reading a pipe, a file and a terminal without blocking works on every system, so a daemon thread
    reads: it may stay behind, blocked in its last read, without holding up the end of the program. It reads
    ahead by `READ_AHEAD_BLOCKS` blocks, then waits, and so does whoever feeds the pipe. Nothing is dropped.

    Args:
        stream: Such as `sys.stdin.buffer`; None where the program was started without a standard input.
    """

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self._stopped = False
        self._stray_bytes = 0
        # A block has its slot before it is read, so that whatever was read is handed over even after a stop().
        self._slots = threading.Semaphore(READ_AHEAD_BLOCKS)
        self._blocks: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        self._arrived = asyncio.Event()
        self._opened = False

    @property
    def name(self) -> str:
        """A dash, as on the command line."""
        return "-"

    @property
    def stray_bytes(self) -> int:
        """After the end of input: bytes left over that made no whole sample, 0 or 1."""
        return self._stray_bytes

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
            whole_bytes = SPEECH.bytes_in(SPEECH.samples_in(len(rest)))
            if whole_bytes:
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
        self._arrived.set()

    async def close(self) -> None:
        """Leave the reading thread to itself; standard input is not ours to close."""
        self.stop()

    async def _next(self) -> bytes | None:
        """The next block; empty at the end of input, None once stopped and nothing is left."""
        await asyncio.sleep(0)  # a writer that is always ahead must not starve the event loop
        while self._blocks.empty():
            if self._stopped:
                return None
            self._arrived.clear()
            if self._blocks.empty():
                await self._arrived.wait()
        block = self._blocks.get_nowait()
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
            self._blocks.put(block)
            try:
                loop.call_soon_threadsafe(self._arrived.set)
            except RuntimeError:  # the loop is closed: the program is ending
                return


def _read_some(raw: RawIOBase) -> bytes:
    """Wait for input; empty at its end."""
    while (data := raw.read(READ_BYTES)) is None:  # set to non-blocking by whoever shares it
        select.select([raw], [], [])
    return cast("bytes", data)
