from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.client.audio_file import AudioFile
from plugandtell.client.converter import Converter
from plugandtell.client.file_source import FileSource
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InputEmpty, InputError, InputNotAudio, InputNotFound
from plugandtell.core.pace import Pace
from tests.client.audio import PATIENCE_S, gather, noise, read, tone

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.client.converter import Block

MAX_CHUNK_SAMPLES = 3_200


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


@pytest.mark.parametrize("name", ["speech.wav", "speech.flac", "speech.aiff"])
async def test_our_own_format_comes_out_bit_for_bit(tmp_path: Path, name: str) -> None:
    values = noise(40_123)
    soundfile.write(tmp_path / name, values, 16_000, subtype="PCM_16")
    assert await read(FileSource(tmp_path / name, Pace.FAST)) == values.astype("<i2").tobytes()


async def test_any_other_format_is_converted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", np.stack([tone(88_200, 44_100)] * 2, axis=1), 44_100)
    decoded, _ = soundfile.read(tmp_path / "a.mp3", dtype="float32")
    whole = Converter(44_100)
    expected = whole.feed(decoded) + whole.flush()
    assert await read(FileSource(tmp_path / "a.mp3", Pace.FAST)) == expected
    assert len(expected) == SPEECH.bytes_in(32_000)


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


async def test_a_file_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "a.wav")
    with pytest.raises(InputNotFound):
        await source.open()
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16_000)
    with pytest.raises(InputEmpty, match="no audio"):
        await source.open()
    await source.close()


async def test_a_damaged_file_is_used_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    values = noise(144_000)
    soundfile.write(path, values, 48_000, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = FileSource(path, Pace.FAST)
    await source.open()
    heard = bytearray()
    with pytest.raises(InputNotAudio, match="damaged"):
        await gather(source, heard)
    await source.close()
    blocks: list[Block] = []
    with suppress(InputNotAudio):
        blocks.extend(AudioFile(path).blocks())
    whole = Converter(48_000)
    expected = whole.feed(np.concatenate(blocks)) + whole.flush()
    assert len(expected) > SPEECH.bytes_in(22_000)
    assert heard == expected


async def test_a_missing_libsndfile_says_what_works_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "plugandtell.client.audio_file", raising=False)
    monkeypatch.setitem(sys.modules, "soundfile", None)  # what Python does with a package that cannot be imported
    with pytest.raises(InputError, match=r"soundfile cannot be loaded .* reinstall it, or pipe raw"):
        await FileSource(tmp_path / "a.wav").open()


async def test_chunks_come_after_open(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "a.wav")
    with pytest.raises(RuntimeError, match="open"):
        await gather(source, bytearray())
    await source.close()


def test_what_only_files_microphones_or_detectors_need_is_loaded_by_them() -> None:
    program = "import sys, plugandtell.client.app\n"
    program += "assert not {'soundfile', 'sounddevice', 'webrtcvad'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)
