"""Completion, asked of the real shells: somebody types in a terminal, and presses the tabulator."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.processes import finished
from tests.support.terminal import in_terminal

SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "-i"),
}
BEFORE = {"bash": "", "zsh": "autoload -U compinit; compinit -u -d dump; ", "fish": ""}
TYPED = [
    ("plugandtell rec", "plugandtell recordings"),
    ("plugandtell recordings exp", "plugandtell recordings export"),
    ("plugandtell server --form", "plugandtell server --format"),
    ("plugandtell server --format fl", "plugandtell server --format flac"),
    ("plugandtell-server --durability fs", "plugandtell-server --durability fsync"),
    ("plugandtell-client --on-saved-t", "plugandtell-client --on-saved-timeout"),
]

shells = pytest.mark.parametrize(
    "shell",
    [pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason="not installed")) for name in SHELLS],
)


async def script(folder: Path, shell: str) -> str:
    """What the command prints for a shell."""
    outcome = await finished(folder, "completion", shell)
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


async def ask(folder: Path, shell: str, sourcing: str) -> None:
    """Type all of it in the shell, once it has the scripts."""
    program, *flags = SHELLS[shell]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # fish knows of commands that exist
    environment = {"HOME": str(folder), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "PATH": path}
    async with in_terminal(folder, program=(program, *flags), environment=environment, rows=50) as terminal:
        terminal.type(f"{BEFORE[shell]}{sourcing}; echo rea''dy\r")
        await terminal.shows("ready")
        for typed, completed in TYPED:
            terminal.type(f"{typed}\t")
            await terminal.shows(completed)
            terminal.type("\x15\x03")  # this line is not to be run
        terminal.type("exit\r")


@shells
async def test_a_shell_that_sourced_the_script_completes_the_commands(tmp_path: Path, shell: str) -> None:
    (tmp_path / "script").write_text(await script(tmp_path, shell))
    await ask(tmp_path, shell, "source ./script")


@shells
async def test_a_shell_finds_what_was_installed_by_itself(tmp_path: Path, shell: str) -> None:
    environment = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
    outcome = await finished(tmp_path, "completion", shell, "--install", environment=environment)
    assert outcome.status == 0, outcome.stderr
    assert sum(Path(line).is_relative_to(tmp_path) for line in outcome.lines) == 3
    # bash needs a package to look there by itself: the test does what it does.
    sourcing = {
        "bash": "for one in .local/share/bash-completion/completions/*; do source $one; done",
        "zsh": "fpath=(~/.zsh/completions $fpath); compinit -u -d other",
        "fish": "true",
    }
    await ask(tmp_path, shell, sourcing[shell])


async def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    outcome = await finished(tmp_path, "completion", "fish", "--install", environment={"XDG_CONFIG_HOME": "home"})
    assert outcome.status == 9
    assert len(outcome.stderr.splitlines()) == 1


async def test_a_shell_that_is_not_known_is_answered_with_those_that_are(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "completion", "tcsh")
    assert outcome.status == 2
    assert all(shell in outcome.stderr for shell in SHELLS)
