"""`plugandtell doctor` as users start it, on machines with and without what it needs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.processes import Outcome, finished, free_port
from tests.support.virtual_microphone import VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)


@pytest.fixture
def microphone() -> Iterator[VirtualMicrophone]:
    with virtual_microphone() as virtual:
        yield virtual


async def examined(folder: Path, *flags: str, environment: Mapping[str, str] | None = None) -> Outcome:
    """Run it on a port and with a spool of its own."""
    own = [f"--spool-dir={folder / 'spool'}", "--min-free-mb=0", "--spool-mb=1"]
    return await finished(folder, "doctor", f"--port={free_port()}", *own, *flags, environment=environment)


def found_in(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in map(json.loads, outcome.stdout.splitlines())}


@on_linux
async def test_a_machine_that_is_well(tmp_path: Path, microphone: VirtualMicrophone) -> None:
    outcome = await examined(tmp_path, "--json", environment=microphone.environment)
    found = found_in(outcome)
    verdicts = {name: finding["verdict"] for name, finding in found.items()}
    assert (outcome.status, outcome.stderr) == (0, "")
    assert [name for name, verdict in verdicts.items() if verdict == "broken"] == []
    assert [*verdicts][:5] == ["portaudio", "microphone", "permission", "rate", "voice detector"]
    assert verdicts["permission"] == "warning", "nothing is played to it: only zeros come"
    assert found["rate"]["said"] == "records at 16 kHz in one channel"
    assert (verdicts["server"], verdicts["microphone"], verdicts["voice detector"]) == ("warning", "ok", "ok")
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


@on_linux
async def test_what_is_broken_has_a_remedy_and_the_first_decides_the_exit_code(
    tmp_path: Path, microphone: VirtualMicrophone
) -> None:
    (tmp_path / "file").touch()
    flags = ("--device=tape", f"--audio-dir={tmp_path / 'file'}", f"--server=ws://127.0.0.1:{free_port()}")
    outcome = await examined(tmp_path, *flags, environment=microphone.environment)
    lines = outcome.stdout.splitlines()
    broken = [at for at, line in enumerate(lines) if line.startswith("broken")]
    assert outcome.status == 4
    assert [lines[at].split()[1] for at in broken] == ["microphone", "audio", "server"]
    assert all(lines[at + 1].startswith(" " * 20) and "-> " in lines[at + 1] for at in broken)
    assert "default" in lines[broken[0] + 1], "the devices there are"


@on_linux
async def test_a_sound_library_that_crashes_hides_nothing_else(tmp_path: Path) -> None:
    settings = tmp_path / "asound.conf"
    settings.write_text("pcm.null { type null }\n")  # no PCM that PortAudio knows: it aborts its process
    outcome = await examined(tmp_path, "--json", environment={"ALSA_CONFIG_PATH": str(settings)})
    found = found_in(outcome)
    assert outcome.status == 4
    assert (found["sound"]["verdict"], "SIGABRT" in found["sound"]["said"]) == ("broken", True)
    assert found["voice detector"]["verdict"] == "ok"
    assert "versions" in found


@pytest.mark.skipif(Path("/proc/asound/pcm").exists(), reason="this machine has a sound card, which cannot be hidden")
@on_linux
async def test_a_client_that_reads_a_file_needs_no_microphone(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none"}
    outcome = await examined(tmp_path, "--json", "--input=speech.wav", environment=environment)
    assert (outcome.status, found_in(outcome)["microphone"]["verdict"]) == (0, "warning")


async def test_settings_come_from_the_file_as_for_other_commands(tmp_path: Path) -> None:
    (tmp_path / "plugandtell.toml").write_text(
        f'[client]\nserver = "ws://127.0.0.1:{free_port()}"\nvad = "tape"\n[server]\naudio_dir = "plugandtell.toml"\n'
    )
    found = found_in(await examined(tmp_path, "--json"))
    assert (found["server"]["verdict"], found["audio folder"]["verdict"]) == ("broken", "broken")
    assert "must be auto, silero" in found["voice detector"]["said"]


async def test_help_has_examples(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "doctor", "--help")
    assert "plugandtell doctor --json" in outcome.stdout
    assert "--only" not in outcome.stdout
