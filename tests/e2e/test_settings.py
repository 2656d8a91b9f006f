"""Where settings come from, and what the commands tell of themselves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.sample import sample_path
from tests.support.processes import finished, free_port, running

if TYPE_CHECKING:
    from pathlib import Path


async def test_settings_come_from_flags_then_the_environment_then_the_file(tmp_path: Path) -> None:
    (tmp_path / "plugandtell.toml").write_text('[server]\naudio_dir = "from-file"\nport = 0\n[log]\nlog_dir = "log"\n')
    async with running(tmp_path, "server") as server:
        await server.line()
        assert (tmp_path / "from-file").is_dir()
        assert (tmp_path / "log" / "server.log").is_file()
        await server.stop()
    async with running(tmp_path, "server", environment={"PLUGANDTELL_AUDIO_DIR": "from-env"}) as server:
        await server.line()
        assert (tmp_path / "from-env").is_dir()
        await server.stop()
    environment = {"PLUGANDTELL_AUDIO_DIR": "from-env"}
    async with running(tmp_path, "server", "--audio-dir=from-flag", environment=environment) as server:
        await server.line()
        assert (tmp_path / "from-flag").is_dir()
        await server.stop()


async def test_the_servers_address_may_be_in_the_file_although_a_command_has_its_name(tmp_path: Path) -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    (tmp_path / "plugandtell.toml").write_text(f'[client]\nserver = "{url}"\n')
    outcome = await finished(tmp_path, "client", f"--input={sample_path()}")
    assert (outcome.status, f"no server answers at {url}" in outcome.stderr) == (3, True)


async def test_a_mistake_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "plugandtell.toml").write_text("[server]\nprot = 3000\n")
    outcome = await finished(tmp_path, "server")
    assert outcome.status == 2
    assert "prot" in outcome.stderr + outcome.stdout


@pytest.mark.parametrize("command", [["server"], ["client"], ["run"], []])
async def test_help_is_complete_and_loads_nothing_heavy(tmp_path: Path, command: list[str]) -> None:
    probe = (
        "import sys; from plugandtell.cli import app;"
        f"app({[*command, '--help']!r}, result_action='return_value');"
        "heavy = {'numpy', 'websockets', 'sounddevice', 'soundfile', 'soxr', 'webrtcvad', 'structlog', 'asyncio'};"
        "sys.exit(f'loaded {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    result = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", probe], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Exit codes" in result.stdout
    assert "PLUGANDTELL_" in result.stdout


async def test_the_version_is_told(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "--version")
    assert outcome.status == 0
    assert outcome.stdout.strip() == "0.1.0"
