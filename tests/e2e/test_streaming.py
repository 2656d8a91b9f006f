"""Server and client as processes: what is streamed is what is recorded."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.sample import sample_path
from tests.support.processes import finished, running, running_server
from tests.support.recordings import recordings, slices_of
from tests.support.speech import sentence, silence, write_wav
from tests.support.wire import WITHIN_S

if TYPE_CHECKING:
    from pathlib import Path


async def test_every_recording_is_a_slice_of_the_input_sample_for_sample(tmp_path: Path) -> None:
    whole = soundfile.read(sample_path(), dtype="int16")[0].astype("<i2").tobytes()
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", f"--input={sample_path()}", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    slices = slices_of(whole, tmp_path / "audio")
    assert len(slices) == 3
    assert outcome.lines == [found.path.name for found in recordings(tmp_path / "audio")]


async def test_fast_and_real_time_give_the_same_segments(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(3), silence(0.6), sentence(4), silence(0.5))
    slices = []
    for pace in ("fast", "realtime"):
        async with running_server(tmp_path, f"--audio-dir={pace}", "--silence=0.5") as (_, url):
            outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", f"--pace={pace}")
        assert outcome.status == 0, outcome.stderr
        slices.append([(item.sidecar["start_index"], item.pcm) for item in recordings(tmp_path / pace)])
    assert slices[0] == slices[1]
    assert len(slices[0]) == 2


@pytest.mark.parametrize(("pause_s", "expected"), [(2.9, 1), (3.1, 2)])
async def test_the_three_second_rule_holds_for_speech(tmp_path: Path, pause_s: float, expected: int) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(1), sentence(0), silence(pause_s), sentence(1), silence(1))
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    assert len(slices_of(whole, tmp_path / "audio")) == expected


async def test_two_clients_at_once_do_not_mix(tmp_path: Path) -> None:
    left = write_wav(tmp_path / "left.wav", silence(0.5), sentence(0), silence(0.5))
    right = write_wav(tmp_path / "right.wav", silence(0.5), sentence(2), silence(0.5))
    async with running_server(tmp_path) as (_, url):
        outcomes = await asyncio.gather(
            *(
                finished(tmp_path, "client", f"--server={url}", f"--input={name}.wav", f"--label={name}")
                for name in ("left", "right")
            )
        )
    assert [outcome.status for outcome in outcomes] == [0, 0]
    assert {found.sidecar["client"]["label"] for found in recordings(tmp_path / "audio")} == {"left", "right"}
    for found in recordings(tmp_path / "audio"):
        whole = {"left": left, "right": right}[found.sidecar["client"]["label"]]
        start, end = found.sidecar["start_index"], found.sidecar["end_index"]
        assert found.pcm == whole[2 * start : 2 * end]


@pytest.mark.parametrize("flag", [["--input", "-"], ["--input=-"]])
async def test_raw_audio_comes_in_on_standard_input(tmp_path: Path, flag: list[str]) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.5), sentence(1), silence(0.5))
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "client", f"--server={url}", *flag, stdin=subprocess.PIPE) as client,
    ):
        stdout, stderr = await asyncio.wait_for(client.process.communicate(whole + b"x"), WITHIN_S)
    assert client.process.returncode == 0, stderr
    assert stdout
    assert b"stray_bytes=1" in stderr
    assert len(slices_of(whole, tmp_path / "audio")) == 1


async def test_everything_is_sent_when_nothing_judges(tmp_path: Path) -> None:
    noise = (np.arange(20_001) % 7).astype(np.int16)
    whole = write_wav(tmp_path / "in.wav", noise)
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast", "--vad=none")
    assert outcome.status == 0, outcome.stderr
    assert slices_of(whole, tmp_path / "audio") == [(0, 20_001)]


async def test_a_file_without_voice_leaves_no_recording_and_is_no_failure(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(5))
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
    assert (outcome.status, outcome.stdout) == (0, "")
    assert recordings(tmp_path / "audio") == []


async def test_long_silence_is_no_jump_of_the_clock(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", sentence(0), silence(150), sentence(1), silence(150))
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    assert len(slices_of(whole, tmp_path / "audio")) == 2
