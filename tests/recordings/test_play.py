"""Playing, on real PortAudio streams into a sink whose monitor is listened to, and on devices that do not play."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import subprocess
import sys
import termios
import threading
from contextlib import asynccontextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugandtell.core.errors import InputNotAudio, NoLoudspeaker
from plugandtell.recordings.loudspeaker import OutputStream, open_loudspeaker
from plugandtell.recordings.playing import Player, progress_line
from plugandtell.recordings.sound import Sound
from tests.recordings.leaving import SECOND, leave
from tests.support.processes import WITHIN_S, finished, running
from tests.support.virtual_microphone import SECOND as SECOND_SINK
from tests.support.virtual_microphone import VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from plugandtell.recordings.sound import Block

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual loudspeaker is made by PulseAudio, which only Linux has"
)


@pytest.fixture
def speaker() -> Iterator[VirtualMicrophone]:
    with virtual_microphone() as virtual:
        yield virtual


def noise(samples: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """No two stretches of it are alike, and no sample is silent."""
    return np.random.default_rng(samples).integers(1, 8000, samples).astype(np.int16)


@asynccontextmanager
async def listening(speaker: VirtualMicrophone) -> AsyncIterator[asyncio.StreamReader]:
    """What is heard on the monitor, from before the block on."""
    recorder = await asyncio.create_subprocess_exec(
        *speaker.recorder(), stdout=subprocess.PIPE, env=os.environ | speaker.environment
    )
    assert recorder.stdout is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            await recorder.stdout.readexactly(2)
        yield recorder.stdout
    finally:
        with suppress(ProcessLookupError):
            recorder.kill()
        await recorder.communicate()


async def heard_until(heard: asyncio.StreamReader, wanted: bytes) -> bool:
    """Whether these samples are heard."""
    everything = b""
    async with asyncio.timeout(WITHIN_S):
        while wanted not in everything:
            everything += await heard.read(65_536)
    return True


@on_linux
@pytest.mark.parametrize("ending", [".wav", ".flac"])
async def test_what_is_played_is_the_recording_from_its_first_sample_to_its_last(
    tmp_path: Path, speaker: VirtualMicrophone, ending: str
) -> None:
    sound = noise(SECOND)
    path = leave(tmp_path / "audio", 1, sound, ending=ending)
    async with listening(speaker) as heard:
        outcome = await finished(tmp_path, "recordings", "play", "last", environment=speaker.environment)
        assert (outcome.status, outcome.stderr) == (0, "")
        assert outcome.stdout == f"{path.name}  0:01.0\n"
        assert await heard_until(heard, sound.astype("<i2").tobytes())


class Terminal:
    """A terminal that a command runs in."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        self.shown = b""

    async def until(self, text: bytes) -> None:
        """Wait until the command has shown this."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(WITHIN_S):
            while text not in self.shown:
                readable = asyncio.Event()
                loop.add_reader(self.ours, readable.set)
                await readable.wait()
                loop.remove_reader(self.ours)
                self.shown += os.read(self.ours, 4096)


@on_linux
async def test_ctrl_c_silences_it_and_leaves_the_terminal_as_it_was(tmp_path: Path, speaker: VirtualMicrophone) -> None:
    leave(tmp_path / "audio", 1, noise(60 * SECOND))
    terminal = Terminal()
    before = termios.tcgetattr(terminal.theirs)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "plugandtell", "recordings", "play", "last"),
        cwd=tmp_path,
        env=os.environ | speaker.environment,
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    await terminal.until("━".encode())
    os.write(terminal.ours, b"\x03")
    async with asyncio.timeout(WITHIN_S):
        assert await process.wait() == 130
    await terminal.until(b"1:00.0\r\n")
    assert termios.tcgetattr(terminal.theirs) == before
    assert b"Traceback" not in terminal.shown
    assert b"\x1b[?" not in terminal.shown  # no mode of the terminal was changed on the way
    os.close(terminal.ours)
    os.close(terminal.theirs)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@on_linux
async def test_a_device_that_is_stuck_does_not_hold_up_ctrl_c(tmp_path: Path, speaker: VirtualMicrophone) -> None:
    leave(tmp_path / "audio", 1, noise(60 * SECOND))
    speaker.suspend()
    async with running(tmp_path, "recordings", "play", "last", environment=speaker.environment) as playing:
        assert await playing.line() == "2026-11-24T12-01-00.000Z_reception.wav  1:00.0"
        outcome = await playing.stop()
    assert outcome.status == 130
    assert outcome.stderr == ""


@on_linux
async def test_a_device_that_goes_away_is_said_in_a_line(tmp_path: Path, speaker: VirtualMicrophone) -> None:
    leave(tmp_path / "audio", 1, sound := noise(60 * SECOND))
    async with (
        listening(speaker) as heard,
        running(tmp_path, "recordings", "play", "last", environment=speaker.environment) as playing,
    ):
        await heard_until(heard, sound[:1000].astype("<i2").tobytes())
        speaker.kill()
        outcome = await playing.outcome()
    assert outcome.status == 4
    assert "stopped playing" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


@on_linux
async def test_a_device_that_is_not_there_is_an_error_that_lists_what_is(
    tmp_path: Path, speaker: VirtualMicrophone
) -> None:
    leave(tmp_path / "audio", 1)
    command = ("recordings", "play", "last", "--device=headphones")
    # The variable is the client's, and names a microphone.
    environment = speaker.environment | {"PLUGANDTELL_DEVICE": SECOND_SINK}
    outcome = await finished(tmp_path, *command, environment=environment)
    assert outcome.status == 4
    assert "'headphones' does not name one that plays" in outcome.stderr
    assert "default" in outcome.stderr


def test_without_an_output_device_the_way_out_is_said() -> None:
    library = ModuleType("sounddevice")
    library.query_devices = lambda *_, **__: []  # type: ignore[attr-defined]
    with pytest.raises(NoLoudspeaker, match="no output device was found: connect"):
        open_loudspeaker(lambda: library, None, SECOND, 1)


def test_a_machine_without_portaudio_is_told_what_to_install() -> None:
    def load() -> ModuleType:
        raise OSError("PortAudio library not found")

    with pytest.raises(NoLoudspeaker, match="apt install libportaudio2"):
        open_loudspeaker(load, None, SECOND, 1)


class Deaf(Exception):
    pass


class FakeStream:
    """Takes samples at once, or at the third block never again."""

    samplerate, channels = SECOND, 1

    def __init__(self, *, is_stuck: bool = False) -> None:
        self.blocks: list[Block] = []
        self.ends: list[str] = []
        self.never = threading.Event()
        self.is_stuck = is_stuck

    def write(self, block: Block) -> None:
        self.blocks.append(block)
        if self.is_stuck and len(self.blocks) == 3:
            self.never.wait()

    def abort(self) -> None:
        self.ends.append("abort")

    def close(self) -> None:
        self.ends.append("close")


def test_the_device_is_released_and_the_end_shown(tmp_path: Path) -> None:
    stream, shown = FakeStream(), list[float]()
    with Sound(leave(tmp_path / "audio", 1, sound := noise(SECOND))) as played:
        Player(played, lambda: OutputStream("fake", stream, Deaf, 0.5)).play(shown.append)
    written = np.concatenate(stream.blocks)[:, 0]
    assert np.array_equal(written[:SECOND], sound)
    assert not written[SECOND:].any()
    assert len(written) - SECOND >= SECOND // 2
    assert stream.ends == ["abort", "close"]
    assert shown[-1] == 1.0


def test_a_write_that_never_returns_is_left_behind(tmp_path: Path) -> None:
    stream = FakeStream(is_stuck=True)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with Sound(leave(tmp_path / "audio", 1)) as played, pytest.raises(KeyboardInterrupt):
        Player(played, lambda: OutputStream("fake", stream, Deaf, 0.5)).play(interrupt)
    assert stream.ends == []
    stream.never.set()


def test_damage_is_said_after_what_came_before_it_was_played(tmp_path: Path) -> None:
    stream, path = FakeStream(), leave(tmp_path / "audio", 1, noise(4 * SECOND), ending=".flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with Sound(path) as played, pytest.raises(InputNotAudio, match="damaged"):
        Player(played, lambda: OutputStream("fake", stream, Deaf, 0.5)).play(lambda _: None)
    assert len(np.concatenate(stream.blocks)) > SECOND
    assert stream.ends == ["abort", "close"]


@pytest.mark.parametrize(
    ("heard_s", "length_s", "line"),
    [
        (0.0, 10.0, "0:00.0 ---------- 0:10.0"),
        (5.0, 10.0, "0:05.0 =====----- 0:10.0"),
        (99.0, 10.0, "0:10.0 ========== 0:10.0"),
        (60.0, 3600.0, "   1:00.0 ---- 1:00:00.0"),
        (0.0, 0.0, "0:00.0 ========== 0:00.0"),
    ],
)
def test_progress_fits_into_the_terminal(heard_s: float, length_s: float, line: str) -> None:
    assert progress_line(heard_s, length_s, 25, is_plain=True) == line
    assert "-" not in progress_line(heard_s, length_s, 5, is_plain=True)
