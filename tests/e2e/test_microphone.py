"""From a real sound stream to a WAV: what is spoken into a microphone is in the file, sample for sample."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.processes import running, running_server
from tests.support.recordings import recordings
from tests.support.speech import RATE, sentence, silence
from tests.support.virtual_microphone import VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)


@pytest.fixture
def microphone() -> Iterator[VirtualMicrophone]:
    with virtual_microphone() as virtual:
        yield virtual


async def speak(microphone: VirtualMicrophone, spoken: bytes) -> None:
    """Play audio into the microphone, to its end."""
    environment = os.environ | microphone.environment
    player = await asyncio.create_subprocess_exec(*microphone.player(), stdin=subprocess.PIPE, env=environment)
    await player.communicate(spoken)
    assert player.returncode == 0


async def test_what_is_spoken_is_in_the_recordings_sample_for_sample(
    tmp_path: Path, microphone: VirtualMicrophone
) -> None:
    sentences = [sentence(4), sentence(3)]
    spoken = np.concatenate([silence(0.5), sentences[0], silence(1.5), sentences[1], silence(0.2)])
    async with (
        running_server(tmp_path, "--silence=1") as (_, url),
        running(tmp_path, "client", f"--server={url}", environment=microphone.environment) as client,
    ):
        await client.logged("connected")
        await speak(microphone, spoken.astype("<i2").tobytes())
        await client.logged("segment saved")
        await client.logged("segment saved")
        outcome = await client.stop()
    assert outcome.status == 0, outcome.stderr
    found = recordings(tmp_path / "audio")
    assert len(found) == 2
    for item, said in zip(found, sentences, strict=True):
        assert said.astype("<i2").tobytes() in item.pcm
        assert item.sidecar["gaps"] == []


async def test_a_microphone_that_is_gone_for_good_has_an_exit_code_and_loses_nothing(
    tmp_path: Path, microphone: VirtualMicrophone
) -> None:
    said = sentence(2)
    async with (
        running_server(tmp_path) as (_, url),
        running(
            tmp_path, "client", f"--server={url}", "--mic-give-up-after=0.5", environment=microphone.environment
        ) as client,
    ):
        await client.logged("connected")
        await speak(microphone, np.concatenate([said, silence(0.3)]).astype("<i2").tobytes())
        microphone.kill()
        outcome = await client.outcome()
    assert outcome.status == 4, outcome.stderr
    assert "stopped" in outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert said.astype("<i2").tobytes() in found.pcm
    assert found.sidecar["samples"] < 10 * RATE


async def test_who_stops_while_the_microphone_is_away_has_everything_that_was_heard_and_no_error(
    tmp_path: Path, microphone: VirtualMicrophone
) -> None:
    said = sentence(4)
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "client", f"--server={url}", environment=microphone.environment) as client,
    ):
        await client.logged("connected")
        await speak(microphone, np.concatenate([said, silence(0.3)]).astype("<i2").tobytes())
        microphone.kill()
        await client.logged("microphone lost")
        outcome = await client.stop()
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert said.astype("<i2").tobytes() in found.pcm


@asynccontextmanager
async def no_sound_daemon(microphone: VirtualMicrophone) -> AsyncIterator[Callable[[], None]]:
    microphone.kill()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(microphone.restarted())


@asynccontextmanager
async def no_device(microphone: VirtualMicrophone) -> AsyncIterator[Callable[[], None]]:
    microphone.unplug()
    yield microphone.plug_in


@asynccontextmanager
async def no_callbacks(microphone: VirtualMicrophone) -> AsyncIterator[Callable[[], None]]:
    microphone.suspend()
    yield microphone.resume


@pytest.mark.parametrize("loss", [no_sound_daemon, no_device, no_callbacks])
async def test_a_microphone_that_is_lost_and_comes_back_leaves_a_gap_that_is_named(
    tmp_path: Path, microphone: VirtualMicrophone, loss: Callable[..., AbstractAsyncContextManager[Callable[[], None]]]
) -> None:
    before, after = sentence(4), sentence(3)
    async with (
        running_server(tmp_path, "--silence=60") as (_, url),
        running(tmp_path, "client", f"--server={url}", environment=microphone.environment) as client,
    ):
        await client.logged("connected")
        await speak(microphone, np.concatenate([before, silence(0.3)]).astype("<i2").tobytes())
        lost_at_s = time.monotonic()
        async with loss(microphone) as mend:
            await client.logged("microphone lost")
            noticed_after_s = time.monotonic() - lost_at_s
            mend()
            reopened = await client.logged("microphone reopened")
            away_s = time.monotonic() - lost_at_s
            await speak(microphone, np.concatenate([silence(0.3), after, silence(0.3)]).astype("<i2").tobytes())
            outcome = await client.stop()
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    (gap,) = found.sidecar["gaps"]
    starts_at = gap["start_index"] - found.sidecar["start_index"]
    assert before.astype("<i2").tobytes() in found.pcm[: 2 * starts_at]
    assert after.astype("<i2").tobytes() in found.pcm[2 * (starts_at + gap["samples"]) :]
    assert f"hole_s={round(gap['samples'] / RATE, 3)}" in reopened
    # The sound system is ahead of or behind what it delivers by less than this.
    assert noticed_after_s - 0.5 < gap["samples"] / RATE < away_s + 0.5


async def test_run_listens_to_the_microphone(tmp_path: Path, microphone: VirtualMicrophone) -> None:
    said = sentence(4)
    async with running(tmp_path, "run", "--no-analytics", "--port=0", environment=microphone.environment) as run:
        await run.logged("capture started")
        await speak(microphone, np.concatenate([silence(0.5), said, silence(0.5)]).astype("<i2").tobytes())
        outcome = await run.stop()
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert said.astype("<i2").tobytes() in found.pcm
