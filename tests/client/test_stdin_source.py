from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pytest

from plugandtell.client.stdin_source import READ_AHEAD_BLOCKS, READ_BYTES, StdinSource
from plugandtell.core.errors import InputEmpty, InputError, InputNotFound
from tests.client.audio import PATIENCE_S, gather, noise, read

if TYPE_CHECKING:
    from pathlib import Path


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
    assert source.losses.stray_bytes == 0


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
    assert source.losses.stray_bytes == 1
    await source.close()


async def test_a_redirected_file_is_read_to_its_end(tmp_path: Path) -> None:
    pcm = noise(300_000).tobytes()
    (tmp_path / "raw").write_bytes(pcm + b"x")
    with (tmp_path / "raw").open("rb") as file:
        source = StdinSource(file)
        assert await read(source) == pcm
    assert source.losses.stray_bytes == 1


@pytest.mark.parametrize("content", [b"", b"x"])
async def test_input_without_a_sample_is_an_error(content: bytes) -> None:
    source = StdinSource(io.BytesIO(content))
    with pytest.raises(InputEmpty, match="without a sample: pipe raw 16000 Hz"):
        await read(source)
    assert source.losses.stray_bytes == len(content)


async def test_chunks_come_after_open() -> None:
    source = StdinSource(io.BytesIO())
    with pytest.raises(RuntimeError, match="open"):
        await gather(source, bytearray())
    await source.close()


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
    assert meter.reached.wait(PATIENCE_S)  # the event loop is busy meanwhile, and has seen nothing of it yet
    source.stop()
    source.stop()
    heard = bytearray()
    await gather(source, heard)
    assert len(heard) >= (READ_AHEAD_BLOCKS - 1) * READ_BYTES  # the last may still be on its way
    await source.close()
    await source.close()
    assert source.losses.stray_bytes == 0


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
from plugandtell.client.stdin_source import StdinSource

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
