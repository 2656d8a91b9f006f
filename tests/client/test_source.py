from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from plugandtell.client.source import READ_AHEAD_BLOCKS, READ_BYTES, Converter, FileSource, Source, StdinSource
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InputEmpty, InputError, InputNotAudio, InputNotFound
from plugandtell.core.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 10.0  # far beyond what each wait takes: it bounds a hang, nothing else
MAX_CHUNK_SAMPLES = 3_200

Floats = npt.NDArray[np.float64]


def noise(samples: int, seed: int = 1) -> npt.NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-(2**15), 2**15, samples).astype(np.int16)


def tone(samples: int, rate: int, amplitude: float = 0.5, hz: float = 440) -> Floats:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(samples) / rate)


async def read(source: Source) -> bytes:
    pcm = bytearray()
    await source.open()
    await gather(source, pcm)
    await source.close()
    return bytes(pcm)


async def gather(source: Source, pcm: bytearray) -> None:
    async for chunk in source.chunks():
        assert chunk
        assert len(chunk) % SPEECH.bytes_per_sample == 0
        pcm += chunk


async def values_of(path: Path) -> npt.NDArray[np.int16]:
    return np.frombuffer(await read(FileSource(path, Pace.FAST)), "<i2")


class FakeTime:
    """A clock that `sleep` moves, each time by a little more than was asked for."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.now_s = 50.0
        self.late_s = late_s

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds + self.late_s
        await asyncio.sleep(0)


# ---------------------------------------------------------------- files: what comes out


@pytest.mark.parametrize("name", ["speech.wav", "speech.flac", "speech.aiff"])
async def test_our_own_format_comes_out_bit_for_bit(tmp_path: Path, name: str) -> None:
    values = noise(40_123)
    soundfile.write(tmp_path / name, values, 16_000, subtype="PCM_16")
    assert await read(FileSource(tmp_path / name, Pace.FAST)) == values.astype("<i2").tobytes()


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
async def test_any_rate_and_channels_are_converted(tmp_path: Path, rate: int, channels: int) -> None:
    samples = rate + 137
    mono = tone(samples, rate)
    offsets = np.linspace(-0.2, 0.2, channels) if channels > 1 else np.zeros(1)  # they cancel out in the mean
    soundfile.write(tmp_path / "a.wav", mono[:, None] + offsets, rate, subtype="PCM_24")
    values = await values_of(tmp_path / "a.wav")
    assert abs(len(values) - samples * 16_000 / rate) <= 1
    inner = slice(500, -500)  # the ends ring: the tone is cut there
    expected = tone(len(values), 16_000) * 32_768
    assert np.abs(values[inner] - expected[inner]).max() <= 4


@pytest.mark.parametrize(
    ("name", "subtype", "rate"),
    [
        ("a.ogg", "VORBIS", 44_100),
        ("a.ogg", "OPUS", 48_000),
        ("a.mp3", "MPEG_LAYER_III", 44_100),
        ("a.flac", "PCM_24", 48_000),
        ("a.wav", "FLOAT", 16_000),
        ("a.wav", "ULAW", 8_000),
        ("a.wav", "PCM_U8", 16_000),
    ],
)
async def test_any_encoding_is_decoded(tmp_path: Path, name: str, subtype: str, rate: int) -> None:
    soundfile.write(tmp_path / name, tone(2 * rate, rate), rate, subtype=subtype)
    values = await values_of(tmp_path / name)
    assert abs(len(values) - 32_000) <= 1
    decoded, _ = soundfile.read(tmp_path / name, dtype="float32", always_2d=True)
    whole = Converter(rate, 1)
    assert values.tobytes() == whole.feed(decoded) + whole.flush()  # block by block it is the same as at once
    inner = values[4_000:-4_000] / 32_768
    wave = np.exp(-2j * np.pi * 440 * np.arange(len(inner)) / 16_000)
    share = 2 * np.mean(inner * wave)  # of the tone, at whatever phase: an MP3 may start a few milliseconds off
    error = inner - np.real(share * np.conj(wave))
    assert abs(share) == pytest.approx(0.5, abs=0.02)
    assert np.sqrt(np.mean(error**2)) < 0.02


async def test_float_audio_is_rounded_and_clipped_without_wrapping(tmp_path: Path) -> None:
    given_values = np.array([0.0, 0.5, 1.0, 1.5, 9e9, -1.0, -1.5, -9e9, 0.4 / 32_768, 0.6 / 32_768, -0.6 / 32_768])
    soundfile.write(tmp_path / "a.wav", given_values, 16_000, subtype="FLOAT")
    expected = [0, 16_384, 32_767, 32_767, 32_767, -32_768, -32_768, -32_768, 0, 1, -1]
    assert (await values_of(tmp_path / "a.wav")).tolist() == expected


async def test_one_broken_float_does_not_spoil_the_rest(tmp_path: Path) -> None:
    broken = tone(48_000, 48_000).astype(np.float32)
    broken[[10, 20, 30]] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", broken, 48_000, subtype="FLOAT")
    values = await values_of(tmp_path / "a.wav")
    inner = slice(500, -500)
    assert np.abs(values[inner] - 32_768 * tone(len(values), 16_000)[inner]).max() <= 4


async def test_a_loud_tone_is_clipped_after_conversion_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(44_100, 44_100, amplitude=4.0), 44_100, subtype="FLOAT")
    values = (await values_of(tmp_path / "a.wav"))[500:-500]
    wanted = 4 * tone(len(values) + 500, 16_000, amplitude=1.0)[500:]
    loud = np.abs(wanted) > 1.1
    assert np.array_equal(np.sign(values[loud]), np.sign(wanted[loud]))
    assert set(np.unique(values[loud]).tolist()) == {-32_768, 32_767}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([8_000, 16_000, 22_050, 48_000]),
    st.sampled_from([1, 2]),
    st.lists(st.integers(1, 3_000), min_size=1, max_size=12),
)
def test_any_block_size_gives_the_same_bytes(rate: int, channels: int, sizes: list[int]) -> None:
    audio = np.random.default_rng(5).uniform(-1, 1, (sum(sizes), channels)).astype(np.float32)
    whole, cut = Converter(rate, channels), Converter(rate, channels)
    pieces = [cut.feed(block) for block in np.split(audio, np.cumsum(sizes)[:-1])]
    assert b"".join([*pieces, cut.flush()]) == whole.feed(audio) + whole.flush()


# ---------------------------------------------------------------- files: when it comes


async def arrivals(source: FileSource, time: FakeTime) -> list[tuple[float, int]]:
    """After which time how many samples had come."""
    await source.open()
    started_s, samples, seen = time.now_s, 0, []
    async for chunk in source.chunks():
        samples += SPEECH.samples_in(len(chunk))
        seen.append((time.now_s - started_s, samples))
        assert 0 < SPEECH.samples_in(len(chunk)) <= MAX_CHUNK_SAMPLES
    await source.close()
    return seen


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("late_s", [0.0, 0.013])
async def test_real_time_does_not_drift(tmp_path: Path, rate: int, late_s: float) -> None:
    soundfile.write(tmp_path / "a.wav", tone(60 * rate, rate), rate)
    time = FakeTime(late_s)
    seen = await arrivals(FileSource(tmp_path / "a.wav", Pace.REALTIME, clock=time.clock, sleep=time.sleep), time)
    for passed_s, samples in seen[:-1]:
        assert -1e-9 <= passed_s - SPEECH.seconds_from(samples) < late_s + 0.1  # never early, late by a block at most
    assert seen[-1][0] == pytest.approx(60, abs=late_s + 1e-6)
    assert abs(seen[-1][1] - 60 * 16_000) <= 1


async def test_after_a_hold_up_real_time_catches_up(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(32_000), 16_000)
    time = FakeTime()
    source = FileSource(tmp_path / "a.wav", clock=time.clock, sleep=time.sleep)
    await source.open()
    chunks = aiter(source.chunks())
    started_s = time.now_s
    await anext(chunks)
    time.now_s += 1.0  # the reader was busy
    rest = [time.now_s - started_s async for _ in chunks]
    assert rest[0] == pytest.approx(1.1)
    assert rest[8] == pytest.approx(1.1)
    assert rest[-1] == pytest.approx(2.0)


async def test_fast_does_not_wait_but_lets_others_have_their_turn(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(160_000), 16_000)
    time = FakeTime()
    source = FileSource(tmp_path / "a.wav", Pace.FAST, clock=time.clock, sleep=time.sleep)
    turns = 0

    async def neighbour() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(neighbour())
    seen = await arrivals(source, time)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert time.now_s == 50.0
    assert turns >= len(seen)


async def test_nothing_is_read_ahead_of_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(16_000), 16_000)
    source = FileSource(path, Pace.FAST)
    await source.open()
    chunks = aiter(source.chunks())
    first = await anext(chunks)
    size = path.stat().st_size
    with path.open("r+b") as file:  # what is not read yet can still change
        file.seek(44 + 2 * len(first))
        file.write(bytes(size - file.tell()))
    rest = b"".join([chunk async for chunk in chunks])
    await source.close()
    assert not any(rest[2 * len(first) :])


async def test_stop_ends_a_file_early_and_without_an_error(tmp_path: Path) -> None:
    values = noise(32_000)
    soundfile.write(tmp_path / "a.wav", values, 16_000)
    source = FileSource(tmp_path / "a.wav", Pace.FAST)
    await source.open()
    heard = b""
    async for chunk in source.chunks():
        heard += chunk
        source.stop()
        source.stop()
    await source.close()
    await source.close()
    assert heard == values.tobytes()[: len(heard)]
    assert SPEECH.samples_in(len(heard)) <= MAX_CHUNK_SAMPLES


async def test_stop_gives_out_what_the_resampler_keeps_back(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(96_000, 48_000), 48_000)
    source = FileSource(tmp_path / "a.wav", Pace.FAST)
    await source.open()
    samples = 0
    async for chunk in source.chunks():
        samples += SPEECH.samples_in(len(chunk))
        source.stop()
    await source.close()
    assert samples % 1_600 == 0  # whole blocks of 100 ms


# ---------------------------------------------------------------- files that cannot be used


async def failure_of(path: str | Path, kind: type[InputError]) -> str:
    source = FileSource(path, Pace.FAST)
    with pytest.raises(kind) as error:
        await source.open()
    await source.close()
    assert error.value.source == str(path)
    return error.value.cause


async def test_a_file_that_is_missing_or_unreadable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert "no such file" in await failure_of(tmp_path / "gone.wav", InputNotFound)
    assert "it is a folder" in await failure_of(tmp_path, InputNotFound)
    assert "not a directory" in await failure_of(tmp_path / "file" / "a.wav", InputNotFound)
    assert "name too long" in await failure_of("a" * 5_000, InputNotFound)
    assert "null" in await failure_of("a\0b.wav", InputNotFound)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
async def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "--input -" in await failure_of(tmp_path / "pipe", InputNotFound)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
async def test_a_file_without_permission(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(10), 16_000)
    (tmp_path / "a.wav").chmod(0)
    assert "permission denied" in await failure_of(tmp_path / "a.wav", InputNotFound)


@pytest.mark.parametrize("content", [b"just text\n" * 50, b"RIFF", b"RIFF\x24\0\0\0WAVEfmt ", bytes(5_000)])
async def test_a_file_that_is_no_audio(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert "give a WAV, FLAC, OGG or MP3 file" in await failure_of(tmp_path / "a.wav", InputNotAudio)


async def test_a_raw_file_is_to_be_piped(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(320))
    assert "--input -" in await failure_of(tmp_path / "a.raw", InputNotAudio)


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.aiff"])
async def test_audio_without_a_sample(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, np.zeros(0), 16_000)
    assert "no audio" in await failure_of(tmp_path / name, InputEmpty)
    (tmp_path / name).write_bytes(b"")
    assert "zero bytes" in await failure_of(tmp_path / name, InputEmpty)


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def overwritten(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(30_000) + content[middle + 30_000 :]


@pytest.mark.parametrize("damage", [cut_off, overwritten])
async def test_a_damaged_file_is_used_up_to_the_damage(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.flac"
    values = noise(80_000)
    soundfile.write(path, values, 16_000)
    path.write_bytes(damage(path.read_bytes()))
    source = FileSource(path, Pace.FAST)
    await source.open()
    heard = bytearray()
    with pytest.raises(InputNotAudio, match=r"damaged after 2\.\d s"):
        await gather(source, heard)
    await source.close()
    assert heard == values.tobytes()[: len(heard)]
    assert len(heard) > 2 * 35_000  # all blocks of the encoder that are whole


async def test_a_damaged_mp3_is_used_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(220_500, 44_100) + noise(220_500) / 2**18, 44_100)
    content = path.read_bytes()
    path.write_bytes(content[:20_000] + bytes(10_000) + content[30_000:])
    source = FileSource(path, Pace.FAST)
    await source.open()
    heard = bytearray()
    with pytest.raises(InputNotAudio, match="damaged"):
        await gather(source, heard)
    await source.close()
    assert len(heard) > 2 * 16_000


async def test_chunks_come_after_open(tmp_path: Path) -> None:
    for source in (FileSource(tmp_path / "a.wav"), StdinSource(io.BytesIO())):
        with pytest.raises(RuntimeError, match="open"):
            await gather(source, bytearray())
        await source.close()


def test_the_module_does_not_load_what_it_may_not_need() -> None:
    program = "import sys, plugandtell.client.source, plugandtell.client.microphone, plugandtell.client.detector\n"
    program += "assert not {'soundfile', 'soxr', 'sounddevice', 'webrtcvad'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)


# ---------------------------------------------------------------- standard input


class Pipe:
    """A pipe as standard input would be: a buffered reader over a descriptor."""

    def __init__(self) -> None:
        out, into = os.pipe()
        self.reader: BinaryIO = os.fdopen(out, "rb")
        self.writer = os.fdopen(into, "wb", buffering=0)

    def close(self) -> None:
        self.writer.close()
        self.reader.close()


@pytest.fixture
def pipe() -> Any:
    pipe = Pipe()
    yield pipe
    pipe.close()


async def test_a_pipe_is_passed_on_untouched(pipe: Pipe) -> None:
    pcm = noise(100_000).tobytes()
    source = StdinSource(pipe.reader)
    assert source.name == "-"

    def feed() -> None:
        with pipe.writer:
            pipe.writer.write(pcm)

    feeder = threading.Thread(target=feed)
    feeder.start()
    async with asyncio.timeout(PATIENCE_S):
        assert await read(source) == pcm
    feeder.join()
    assert source.stray_bytes == 0


async def test_a_chunk_comes_as_soon_as_it_was_written(pipe: Pipe) -> None:
    source = StdinSource(pipe.reader)
    await source.open()
    chunks = aiter(source.chunks())
    async with asyncio.timeout(PATIENCE_S):
        for i in range(5):
            pipe.writer.write(bytes([i]) * 640)
            assert await anext(chunks) == bytes([i]) * 640
    await source.close()


async def test_samples_cut_in_two_are_joined(pipe: Pipe) -> None:
    source = StdinSource(pipe.reader)
    await source.open()
    chunks = aiter(source.chunks())
    async with asyncio.timeout(PATIENCE_S):
        pipe.writer.write(b"abc")
        assert await anext(chunks) == b"ab"
        pipe.writer.write(b"d")
        assert await anext(chunks) == b"cd"
        pipe.writer.write(b"e")
        pipe.writer.close()
        assert [chunk async for chunk in chunks] == []
    assert source.stray_bytes == 1
    await source.close()


async def test_a_redirected_file_is_read_to_its_end(tmp_path: Path) -> None:
    pcm = noise(300_000).tobytes()
    (tmp_path / "raw").write_bytes(pcm + b"x")
    with (tmp_path / "raw").open("rb") as file:
        source = StdinSource(file)
        assert await read(source) == pcm
    assert source.stray_bytes == 1


@pytest.mark.parametrize("content", [b"", b"x"])
async def test_input_without_a_sample_is_an_error(content: bytes) -> None:
    source = StdinSource(io.BytesIO(content))
    with pytest.raises(InputEmpty, match="without a sample: pipe raw 16000 Hz"):
        await read(source)
    assert source.stray_bytes == len(content)


async def test_no_standard_input_at_all() -> None:
    with pytest.raises(InputNotFound, match="standard input is closed"):
        await StdinSource(None).open()


async def test_what_could_be_read_before_an_error_is_yielded() -> None:
    class Broken(io.RawIOBase):
        def __init__(self) -> None:
            self.blocks = [b"abcd", b"ef"]

        def read(self, _size: int = -1) -> bytes:
            if not self.blocks:
                raise OSError(5, "Input/output error")
            return self.blocks.pop(0)

    source = StdinSource(cast("BinaryIO", Broken()))
    await source.open()
    heard = bytearray()
    with pytest.raises(InputError, match="Input/output error: check what feeds standard input"):
        await gather(source, heard)
    assert heard == b"abcdef"


async def test_a_pipe_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.reader.fileno(), False)
    source = StdinSource(pipe.reader)
    await source.open()
    chunks = aiter(source.chunks())
    async with asyncio.timeout(PATIENCE_S):
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        pipe.writer.write(b"ab")
        assert await waiting == b"ab"
        pipe.writer.close()
        assert [chunk async for chunk in chunks] == []


class Meter(io.RawIOBase):
    """Endless input that counts how much of it was read."""

    def __init__(self, enough: int) -> None:
        self.reads = 0
        self.enough = enough
        self.reached = threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        if self.reads >= self.enough:
            self.reached.set()
        return bytes(size)


async def test_a_slow_reader_holds_the_writer_back() -> None:
    meter = Meter(READ_AHEAD_BLOCKS)
    source = StdinSource(cast("BinaryIO", meter))
    await source.open()
    assert await asyncio.to_thread(meter.reached.wait, PATIENCE_S)
    chunks = aiter(source.chunks())
    for _ in range(100):
        assert len(await anext(chunks)) == READ_BYTES
    assert meter.reads <= 100 + READ_AHEAD_BLOCKS
    await source.close()


async def test_stop_yields_what_was_read_and_ends() -> None:
    meter = Meter(READ_AHEAD_BLOCKS)
    source = StdinSource(cast("BinaryIO", meter))
    await source.open()
    assert await asyncio.to_thread(meter.reached.wait, PATIENCE_S)
    source.stop()
    source.stop()
    heard = bytearray()
    await gather(source, heard)
    assert len(heard) >= READ_AHEAD_BLOCKS * READ_BYTES
    await source.close()
    await source.close()
    assert source.stray_bytes == 0


async def test_stop_works_while_the_read_is_blocked(pipe: Pipe) -> None:
    source = StdinSource(pipe.reader)
    await source.open()
    chunks = aiter(source.chunks())
    async with asyncio.timeout(PATIENCE_S):
        pipe.writer.write(b"ab")
        assert await anext(chunks) == b"ab"
        waiting = asyncio.ensure_future(anext(chunks, b"the end"))
        await asyncio.sleep(0)
        source.stop()
        assert await waiting == b"the end"
    await source.close()


STOP_AT_ONCE = """
import asyncio, sys
from plugandtell.client.source import StdinSource

async def main():
    source = StdinSource(sys.stdin.buffer)
    await source.open()
    chunks = aiter(source.chunks())
    print((await anext(chunks)).decode(), flush=True)
    waiting = asyncio.ensure_future(anext(chunks, None))
    await asyncio.sleep(0.01)
    source.stop()
    assert await waiting is None
    await source.close()

asyncio.run(main())
"""


def stops_while_blocked(stdin: int, writer: int) -> None:
    """Run a program that stops while its standard input is still open, and see that it ends cleanly."""
    os.write(writer, b"ok \n")
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", STOP_AT_ONCE],
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["ok"], "")


def test_a_blocked_read_does_not_hold_up_the_end_of_the_program(pipe: Pipe) -> None:
    stops_while_blocked(pipe.reader.fileno(), pipe.writer.fileno())


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no pseudo-terminals")
def test_a_terminal_neither() -> None:
    master, slave = os.openpty()
    try:
        stops_while_blocked(slave, master)
    finally:
        os.close(master)
        os.close(slave)
