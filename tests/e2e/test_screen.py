"""The live screen, as a person sees it: the real commands in a real terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import running, running_server
from tests.support.recordings import recordings
from tests.support.speech import RATE, sentence, silence, write_wav
from tests.support.terminal import in_terminal

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = shlex.quote(sys.executable)  # as a shell takes it
RUN = ("run", "--no-analytics", "--port=0", "--input=in.wav")


def pid_of(folder: Path, name: str) -> int:
    line = (folder / "logs" / f"{name}.log").read_text().splitlines()[0]
    pid: int = json.loads(line)["pid"]
    return pid


def logged(folder: Path, name: str, event: str) -> list[dict[str, object]]:
    lines = map(json.loads, (folder / "logs" / f"{name}.log").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def captured_s(text: str) -> float:
    """How long the client has listened."""
    found = re.search(r"in\.wav +(\d+\.\d) s", text)
    return float(found[1]) if found else 0.0


async def test_both_halves_from_listening_to_the_saved_recording(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.7), sentence(4), silence(3.5))
    async with in_terminal(tmp_path, *RUN) as terminal:
        await terminal.shows("● listening  ws://127.0.0.1:")
        await terminal.shows("│ ● listening  ")
        await terminal.shows(lambda text: re.search(r"│ ● voice  \d\.\d s", text))
        await terminal.shows(lambda text: re.search(r"recording \d\.\d s", text))
        await terminal.shows("● pause  0.")
        await terminal.shows(re.compile(r"● pause  [12]\.\d of 3 s  █").search)
        text = await terminal.shows("1 recording in ")
        await terminal.shows(lambda text: re.search(r"✓ +\d\.\d s  [▁-█ ]{20}", text))
        assert await terminal.ended() == 0
        assert terminal.is_as_before()
    (found,) = recordings(tmp_path / "audio")
    assert found.path.name in text
    assert f"  {found.path.name}" in terminal.text  # printed once the screen is gone
    assert "server" in text
    assert "client" in text


async def test_q_ends_in_good_order_and_gives_the_terminal_back(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(30))
    async with in_terminal(tmp_path, *RUN) as terminal:
        await terminal.shows("recording 1.")
        assert terminal.is_alternate
        assert not terminal.is_as_before()
        terminal.type("q")
        assert await terminal.ended() == 0
        assert terminal.is_as_before()
        assert "1 recording in " in terminal.text
    (found,) = recordings(tmp_path / "audio")
    assert found.sidecar["reason"] == "end"


@pytest.mark.parametrize(
    ("numbers", "status"),
    [([signal.SIGINT], 0), ([signal.SIGTERM], 0), ([signal.SIGHUP], 0), ([signal.SIGINT] * 2, 130)],
)
async def test_a_client_alone_gives_the_terminal_back_after_signals(
    tmp_path: Path, numbers: list[int], status: int
) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(30))
    async with running_server(tmp_path) as (server, url):
        async with in_terminal(tmp_path, "client", f"--server={url}", "--input=in.wav") as terminal:
            await terminal.shows("● voice")
            if len(numbers) > 1:
                server.process.send_signal(signal.SIGSTOP)  # so that the first cannot be done with
            os.kill(terminal.pid, numbers[0])
            for number in numbers[1:]:
                await terminal.shows("stopping")
                os.kill(terminal.pid, number)
            assert await terminal.ended() == status
            assert terminal.is_as_before()
        server.process.send_signal(signal.SIGCONT)


async def test_run_gives_the_terminal_back_when_it_is_ended_at_once(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(30))
    async with in_terminal(tmp_path, *RUN) as terminal:
        await terminal.shows("recording 1.")
        os.kill(pid_of(tmp_path, "server"), signal.SIGSTOP)  # so that the first cannot be done with
        terminal.type("\x03")
        await terminal.shows("Ctrl-C ends it at once")
        terminal.type("\x03")
        assert await terminal.ended() == 130
        assert terminal.is_as_before()


async def test_keys_are_read_although_standard_input_is_audio(tmp_path: Path) -> None:
    (tmp_path / "in.raw").write_bytes(sentence(2).tobytes())
    async with running_server(tmp_path) as (_, url):
        command = f"(cat in.raw; sleep 60) | {PYTHON} -m plugandtell client --server={url} --input=-"
        async with in_terminal(tmp_path, "-c", command, program=("sh",)) as terminal:
            await terminal.shows("● connected")
            await terminal.shows(lambda text: re.search(r"sent +[1-9]", text))
            terminal.type("q")
            await terminal.shows(lambda text: "╭" not in text and ".wav" in text)  # what it prints, alone
            assert not terminal.is_alternate


async def test_a_second_sigterm_gives_the_terminal_back_too(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(30))
    async with running_server(tmp_path) as (server, url):
        async with in_terminal(tmp_path, "client", f"--server={url}", "--input=in.wav") as terminal:
            await terminal.shows("● voice")
            server.process.send_signal(signal.SIGSTOP)
            os.kill(terminal.pid, signal.SIGTERM)
            await terminal.shows("stopping")
            os.kill(terminal.pid, signal.SIGTERM)
            assert await terminal.ended() == 128 + signal.SIGTERM
            assert terminal.is_as_before()
        server.process.send_signal(signal.SIGCONT)


async def test_a_child_that_dies_is_told_when_the_screen_is_gone(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(30))
    async with in_terminal(tmp_path, *RUN) as terminal:
        await terminal.shows("recording 1.")
        os.kill(pid_of(tmp_path, "server"), signal.SIGKILL)
        assert await terminal.ended() == 7
        assert terminal.is_as_before()
        assert "not confirmed as saved" in terminal.text
        assert "the server ended with exit code 137" in terminal.text
        assert "1 recording unfinished" in terminal.text


async def test_muting_leaves_a_hole_of_its_length(tmp_path: Path) -> None:
    """What is heard while `m` holds never leaves the client, and the recording goes on where it would have."""
    whole = write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), sentence(0), silence(0.4))
    async with (
        running_server(tmp_path) as (_, url),
        in_terminal(tmp_path, "client", f"--server={url}", "--input=in.wav") as terminal,
    ):
        await terminal.shows("● voice  1.")
        terminal.type("m")
        await terminal.shows("● MUTED")
        until_s = captured_s(terminal.text) + 1  # a key that is held repeats sooner
        await terminal.shows(lambda text: captured_s(text) >= until_s)
        terminal.type("m")
        await terminal.shows("● voice")
        assert await terminal.ended() == 0
    (found,) = recordings(tmp_path / "audio")
    (gap,) = found.sidecar["gaps"]
    assert 0.7 * RATE < gap["samples"] < 3 * RATE
    start, hole = found.sidecar["start_index"], slice(2 * gap["start_index"], 2 * (gap["start_index"] + gap["samples"]))
    expected = bytearray(whole[: 2 * found.sidecar["end_index"]])
    expected[hole] = bytes(hole.stop - hole.start)
    assert found.pcm == bytes(expected[2 * start :])
    assert [line["state"] for line in logged(tmp_path, "client", "talk_changed")] == ["muted", "open"]
    assert [line["cause"] for line in logged(tmp_path, "client", "hole")] == ["muted"]


async def test_push_to_talk_sends_nothing_until_space(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", sentence(2), sentence(0), silence(0.3))
    async with in_terminal(tmp_path, *RUN, "--push-to-talk") as terminal:
        await terminal.shows("● not talking  space: talk")
        await terminal.shows(lambda text: re.search(r"level +█{8}", text))  # it hears, and sends nothing
        assert "silent" in terminal.text
        terminal.type(" ")
        await terminal.shows("● voice")
        assert await terminal.ended() == 0
    (found,) = recordings(tmp_path / "audio")
    assert found.sidecar["start_index"] > 0


async def test_it_fits_any_size_and_comes_back(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(60))
    async with in_terminal(tmp_path, *RUN) as terminal:
        await terminal.shows("recording 1.")
        terminal.resize(50, 30)  # one column
        text = await terminal.shows(lambda text: "╭─ client" in text and "╭─ server" in text)
        assert text.index("client") < text.index("server ─")
        terminal.resize(20, 3)  # one line
        text = await terminal.shows(lambda text: text.startswith(("● voice", "● pause")))
        assert not any(text.split("\n")[1:])
        terminal.resize(1, 1)
        await terminal.shows("●")
        terminal.resize(120, 34)
        text = await terminal.shows(lambda text: re.search(r"╭─ client ─+╮╭─ server ─+╮", text))
        terminal.type("q")
        assert await terminal.ended() == 0
        assert terminal.is_as_before()


@pytest.mark.parametrize(
    ("flags", "environment", "has_screen", "has_color"),
    [
        ((), {"NO_COLOR": "1"}, True, False),
        ((), {"LC_ALL": "C"}, True, True),
        (("--plain",), {}, False, True),
        ((), {"PLUGANDTELL_PLAIN": "1"}, False, True),
        ((), {"TERM": "dumb"}, False, False),
    ],
)
async def test_it_shows_what_the_terminal_and_the_user_want(
    tmp_path: Path, flags: tuple[str, ...], environment: dict[str, str], has_screen: bool, has_color: bool
) -> None:
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(4), silence(0.2))
    async with in_terminal(tmp_path, *RUN, *flags, environment=environment) as terminal:
        assert await terminal.ended() == 0
        assert terminal.is_as_before()
    assert (b"\x1b[?1049h" in terminal.raw) is has_screen
    assert terminal.has_color is has_color
    assert (b"all saved" in terminal.raw.rpartition(b"\x1b[?1049l")[2]) is not has_screen
    assert "LC_ALL" not in environment or terminal.raw.isascii()
    assert b"1 recording in" in terminal.raw


async def test_what_is_printed_for_scripts_is_the_same(tmp_path: Path) -> None:
    """Standard output is redirected, standard error is the terminal: the screen is drawn, and the names are written."""
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(4), silence(0.2))
    async with running_server(tmp_path) as (_, url):
        command = f'{PYTHON} -m plugandtell client --server={url} --input=in.wav > names; echo "done $?"'
        async with in_terminal(tmp_path, "-c", command, program=("sh",)) as terminal:
            await terminal.shows("● voice")
            await terminal.shows("done 0")
            await terminal.ended()
    (found,) = recordings(tmp_path / "audio")
    assert (tmp_path / "names").read_text() == f"{found.path.name}\n"
    assert found.path.name not in terminal.text


async def test_the_server_alone_shows_its_half(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(4), silence(0.2))
    async with in_terminal(tmp_path, "server", "--port=0", columns=70) as terminal:
        text = await terminal.shows("● listening  ws://")
        url = text.partition("listening  ")[2].split()[0]
        assert "nobody is connected" in text
        assert "mute" not in text
        async with running(tmp_path, "client", f"--server={url}", "--input=in.wav", "--label=desk") as client:
            await terminal.shows(lambda text: re.search(r"● desk  recording \d\.\d s", text))
            assert (await client.outcome()).status == 0
        await terminal.shows(lambda text: re.search(r"✓ +\d\.\d s  [▁-█ ]{20}", text))
        terminal.type("q")
        assert await terminal.ended() == 0
        assert terminal.is_as_before()
        assert url in terminal.text  # what it prints for scripts


async def test_a_lost_server_is_seen_and_what_waits_is_counted(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), *[sentence(2)] * 4, silence(1))
    async with running_server(tmp_path) as (server, url):
        flags = ("client", f"--server={url}", "--input=in.wav", "--give-up-after=600")
        async with in_terminal(tmp_path, *flags) as terminal:
            await terminal.shows("● connected")
            server.process.send_signal(signal.SIGKILL)
            await terminal.shows("▲ lost, trying again")
            await terminal.shows(lambda text: re.search(r"waiting [2-9]\.\d s, [1-9]\.\d s of it on disk", text))
            assert "connection lost" in terminal.text  # the log's own line, in the strip
            terminal.type("q")
            assert await terminal.ended() == 7
            assert terminal.is_as_before()
            assert "connection lost" in terminal.text  # a warning is told again when the screen is gone


async def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(60))
    async with (
        running_server(tmp_path) as (_, url),
        in_terminal(tmp_path, "-i", program=("sh",), environment={"PS1": "$ "}) as terminal,
    ):
        await terminal.shows("$")
        terminal.type(f"{PYTHON} -m plugandtell client --server={url} --input=in.wav\n")
        await terminal.shows("● voice")
        terminal.type("\x1a")
        await terminal.shows("Stopped")
        assert not terminal.is_alternate
        terminal.type("fg\n")
        await terminal.shows("╭─ client")
        terminal.type("q")
        await terminal.shows("$")
        terminal.type("stty -a; exit\n")
        await terminal.shows("icanon")
        await terminal.ended()


async def test_in_the_background_it_leaves_the_terminal_alone(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(4), silence(0.2))
    async with (
        running_server(tmp_path) as (_, url),
        in_terminal(tmp_path, "-i", program=("sh",), environment={"PS1": "$ "}) as terminal,
    ):
        await terminal.shows("$")
        terminal.type(f"{PYTHON} -m plugandtell client --server={url} --input=in.wav & wait; exit\n")
        await terminal.shows("all saved")
        await terminal.ended()
        assert b"\x1b[?1049h" not in terminal.raw


def test_help_does_not_load_what_only_the_screen_needs(tmp_path: Path) -> None:
    for command in (["--help"], ["client", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "plugandtell", *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "plugandtell.terminal" not in done.stderr
