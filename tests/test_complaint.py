"""What a command says that cannot go on, and what its help says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.cli import app
from plugandtell.complaint import is_debugging, take_debug_flag
from tests.support.processes import finished, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cyclopts import App

_PROGRAM = """
from plugandtell.command import LogOptions, new_app, run_logged, run_to_exit
app = new_app("program", "Breaks.", [], [])

async def main():
    raise ValueError("first line\\nsecond line")

@app.default
def go(*, logged: bool = False, log: LogOptions | None = None):
    if logged:
        return run_logged("client", log or LogOptions(), main)
    raise ValueError("first line\\nsecond line")

run_to_exit(app)
"""


async def broken(folder: Path, *flags: str, **environment: str) -> tuple[int, str]:
    """How a program ends that raises what nobody expected; its standard error."""
    async with running(folder, *flags, python=("-c", _PROGRAM), environment=environment) as program:
        outcome = await program.outcome()
    return outcome.status, outcome.stderr


async def test_an_unexpected_error_is_one_line(tmp_path: Path) -> None:
    status, said = await broken(tmp_path)
    assert status == 1
    expected = "program: an unexpected error, ValueError: first line; --debug shows where it comes from\n"
    assert said == expected


async def test_an_unexpected_error_of_what_logs_names_the_log(tmp_path: Path) -> None:
    status, said = await broken(tmp_path, "--logged")
    assert status == 1
    path = "logs/client.log"
    assert said == f"an unexpected error, ValueError: first line; its traceback is in {path}\n"
    assert "Traceback" in (tmp_path / path).read_text()


@pytest.mark.parametrize(("flags", "variable"), [(["--debug"], ""), ([], "1"), (["--debug", "--logged"], "")])
async def test_a_traceback_is_shown_on_request(tmp_path: Path, flags: list[str], variable: str) -> None:
    status, said = await broken(tmp_path, *flags, PLUGANDTELL_DEBUG=variable)
    assert status == 1
    assert "Traceback (most recent call last)" in said
    assert "in main" in said or "in go" in said


async def test_an_expected_error_has_a_traceback_on_request_only(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "recordings", "show", "none")
    assert outcome.status == 5
    assert "Traceback" not in outcome.stderr
    assert "Traceback" in (await finished(tmp_path, "recordings", "show", "none", "--debug")).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recordings", "lis"], "'lis' is no command of it: did you mean list? Its commands: list, show, play"),
        (["recordings", "list", "zz"], "'zz' is more than it takes"),
        (["nonsense"], "'nonsense' is no command of it. Its commands: server, client, devices"),
        (["server", "--foo"], "Unknown option: --foo"),
        (["client", "--silence", "3"], "Unknown option: --silence.\n"),
        (["server", "--silence", "x\x1b[2J"], "Invalid value for --silence"),
    ],
)
async def test_a_wrong_command_line_is_answered_in_two_lines(tmp_path: Path, arguments: list[str], said: str) -> None:
    outcome = await finished(tmp_path, *arguments)
    assert outcome.status == 2
    assert said in outcome.stderr
    assert "\x1b" not in outcome.stderr
    first, second = outcome.stderr.splitlines()
    command = first.partition(":")[0]
    assert second == f"`{command} --help` tells more"
    assert (await finished(tmp_path, *command.split()[1:], "--help")).status == 0


def test_the_debug_flag_may_be_anywhere_before_what_is_no_flag() -> None:
    environ: dict[str, str] = {}
    assert take_debug_flag(["a", "--debug", "b"], environ) == ["a", "b"]
    assert is_debugging(environ)
    environ = {}
    assert take_debug_flag(["a", "--", "--debug"], environ) == ["a", "--", "--debug"]
    assert not is_debugging(environ)
    assert not is_debugging({"PLUGANDTELL_DEBUG": "0"})


def commands_of(one: App, path: str = "plugandtell") -> Iterator[tuple[str, App]]:
    """A command and those below it."""
    yield path, one
    for name in one:
        if not name.startswith("-"):
            yield from commands_of(one[name], f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), [pytest.param(*one, id=one[0]) for one in commands_of(app)])
def test_every_command_has_examples_of_itself(path: str, command: App) -> None:
    epilogue = str(command.help_epilogue)
    assert "Examples:" in epilogue
    assert path in epilogue.replace("plugandtell-", "plugandtell ")
    assert command.help
