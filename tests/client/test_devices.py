"""`plugandtell devices`, on real microphones, on a machine without any, and on devices that do not open."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugandtell.client.device_levels import Levels, level_line, level_text
from plugandtell.client.device_report import report_on_devices, table
from plugandtell.client.input_devices import input_devices
from plugandtell.client.sound_system import SoundSystem
from plugandtell.core.errors import NoMicrophone
from plugandtell.terminal.glyphs import ASCII
from tests.client.fake_sound import STUDIO, FakeSound
from tests.support.processes import WITHIN_S, finished, running
from tests.support.terminal import in_terminal
from tests.support.virtual_microphone import VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugandtell.client.sound_system import InputStream

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)
HALF_SCALE = np.full(160_000, 16_384, "<i2").tobytes()


@pytest.fixture
def microphone() -> Iterator[VirtualMicrophone]:
    with virtual_microphone() as virtual:
        yield virtual


@pytest.fixture
def tone(microphone: VirtualMicrophone, tmp_path: Path) -> Iterator[None]:
    """Ten seconds at half of full scale, heard by the first microphone alone."""
    sound = tmp_path / "tone.raw"
    sound.write_bytes(HALF_SCALE)
    with sound.open("rb") as audio:
        player = subprocess.Popen(microphone.player(), stdin=audio, env=microphone.environment)
    yield
    player.kill()
    player.wait()


def levels_of(sound: FakeSound) -> tuple[Levels, FakeSound]:
    system = SoundSystem(lambda: sound, lambda: 0.0, lambda: None, 50)
    levels = Levels(input_devices(sound), system.open)
    levels.open()
    assert levels.wait(WITHIN_S)
    return levels, sound


@on_linux
async def test_devices_are_listed_with_what_there_is_to_know(tmp_path: Path, microphone: VirtualMicrophone) -> None:
    listed = await finished(tmp_path, "devices", environment=microphone.environment)
    assert (listed.status, listed.stderr) == (0, "")
    assert listed.stdout.splitlines()[0].split() == ["ID", "NAME", "CHANNELS", "RATE", "16", "KHZ"]
    assert "* is used unless --device names another" in listed.stdout
    told = await finished(tmp_path, "devices", "--json", environment=microphone.environment)
    devices = [json.loads(line) for line in told.stdout.splitlines()]
    assert [one["name"] for one in devices if one["is_default"]] == ["default"]
    assert all(one["takes_16_khz"] and one["refusal"] is None for one in devices)
    assert all(f"{one['index']}  {one['name']}, {one['host_api']}" in listed.stdout for one in devices)


@on_linux
@pytest.mark.usefixtures("tone")
async def test_a_script_is_told_what_each_heard(tmp_path: Path, microphone: VirtualMicrophone) -> None:
    flags = ("devices", "--meter", "--seconds=0.3", "--json")
    told = await finished(tmp_path, *flags, environment=microphone.environment)
    heard = {one["name"]: one["loudest_db"] for one in map(json.loads, told.stdout.splitlines())}
    assert (told.status, heard["default"], heard["second"]) == (0, -6.0, -60.0)


@on_linux
@pytest.mark.usefixtures("tone")
async def test_a_terminal_shows_bars_until_ctrl_c(tmp_path: Path, microphone: VirtualMicrophone) -> None:
    environment = microphone.environment | {"LC_ALL": "C.UTF-8"}
    async with in_terminal(tmp_path, "devices", "--meter", environment=environment) as terminal:
        await terminal.shows(lambda text: "█" in text and "-6 dB" in text and "silent" in text)
        terminal.type("\x03")
        assert await terminal.ended() == 0
        assert terminal.is_as_before()


@on_linux
@pytest.mark.usefixtures("tone")
async def test_elsewhere_there_are_lines(tmp_path: Path, microphone: VirtualMicrophone) -> None:
    async with running(tmp_path, "devices", "--meter", environment=microphone.environment) as command:
        lines = set[str]()
        while not any(line.endswith("default  -6 dB") for line in lines):
            lines.add(await command.line())
        stopped = await command.stop()
        assert (stopped.status, "\x1b" in stopped.stdout) == (0, False)


@pytest.mark.skipif(Path("/proc/asound/pcm").exists(), reason="this machine has a sound card, which cannot be hidden")
@on_linux
async def test_a_machine_without_inputs_says_so_in_a_line(tmp_path: Path) -> None:
    nowhere = {"HOME": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none"}
    for flags in ((), ("--json",), ("--meter",)):
        told = await finished(tmp_path, "devices", *flags, environment=nowhere)
        assert (told.status, told.stdout, told.stderr.count("\n")) == (4, "", 1)
        assert told.stderr.startswith("plugandtell: no input device was found: connect a microphone")


def test_the_default_and_what_takes_another_rate_are_marked() -> None:
    sound = FakeSound(*STUDIO, default=2)
    sound.accepts = lambda rate, _: rate != 16_000
    reports = report_on_devices(sound)
    assert [(one.device.index, one.is_default, one.refusal) for one in reports] == [
        (0, False, "Invalid sample rate"),
        (2, True, "Invalid sample rate"),
        (3, False, "Invalid sample rate"),
    ]
    assert " *  2  USB Desk, ALSA             1   48000 Hz  no, converted" in table(reports).splitlines()


def test_no_default_is_told() -> None:
    assert table(report_on_devices(FakeSound(*STUDIO, default=-1))).endswith("choose with --device")


def test_no_inputs_are_an_error() -> None:
    with pytest.raises(NoMicrophone, match="no input device was found"):
        report_on_devices(FakeSound(("Speakers", 0, 48_000)))


def test_levels_are_the_loudest_since_the_last_look() -> None:
    levels, sound = levels_of(FakeSound(*STUDIO))
    assert level_text(levels.levels[0]) == "0  Built-in  opening"
    first = levels.levels[0]
    sound.streams[0].hear(np.array([100, -16_384, 3], "<i2").tobytes())
    sound.streams[0].hear(np.array([100, 50], "<i2").tobytes())
    levels.look()
    assert level_text(first) == "0  Built-in  -6 dB"
    sound.streams[0].hear(bytes(8))
    levels.look()
    assert (level_text(first), round(first.most_db)) == ("0  Built-in  silent", -6)
    levels.close()
    assert all(stream.closed.is_set() for stream in sound.streams)


def test_a_device_that_cannot_be_opened_says_so_in_its_line_and_the_others_are_heard() -> None:
    sound = FakeSound(*STUDIO)
    sound.accepts = lambda _, channels: channels == 1 and len(sound.streams) != 1
    levels, _ = levels_of(sound)
    failures = [level.failure or "" for level in levels.levels]
    assert [bool(failure) for failure in failures] == [False, True, True]
    shown = "".join(span.text for span in level_line(levels.levels[1], 120, ASCII))
    assert "cannot be opened (Invalid sample rate)" in shown
    levels.close()


def test_a_device_that_goes_away_says_so() -> None:
    levels, sound = levels_of(FakeSound(*STUDIO))
    sound.streams[1].finish()
    levels.look()
    assert level_text(levels.levels[1]) == "2  USB Desk  it went away"
    levels.close()


def test_a_device_that_is_stuck_keeps_no_other_from_being_heard() -> None:
    sound = FakeSound(*STUDIO)
    system, release = SoundSystem(lambda: sound, lambda: 0.0, lambda: None, 50), threading.Event()
    reached = threading.Event()

    def open_stream(index: int) -> InputStream:
        if index:
            reached.set()
            assert release.wait(WITHIN_S)
        return system.open(index)

    levels = Levels(input_devices(sound), open_stream)
    levels.open()
    assert reached.wait(WITHIN_S)
    assert not levels.wait(0)
    sound.streams[0].hear(np.array([32_767], "<i2").tobytes())
    levels.look()
    assert [level_text(level).split("  ")[-1] for level in levels.levels] == ["0 dB", "opening", "opening"]
    release.set()
    levels.close()


@pytest.mark.parametrize("columns", [1, 8, 20, 79, 200])
def test_a_line_is_as_wide_as_the_terminal(columns: int) -> None:
    levels, sound = levels_of(FakeSound(*STUDIO))
    sound.streams[0].hear(np.array([32_767], "<i2").tobytes())
    levels.look()
    for level in levels.levels:
        assert len("".join(span.text for span in level_line(level, columns, ASCII))) == columns
    levels.close()
