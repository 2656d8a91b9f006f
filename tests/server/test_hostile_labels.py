"""What clients say of themselves is data: it names no file but its own, and draws nothing on a terminal."""

from __future__ import annotations

import asyncio
import io
import re
from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import ClientInfo
from plugandtell.logservice import LogSettings, configure
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire, hello

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer

LABELS = [
    "",
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\CON",
    "CON",
    "NUL.wav",
    "-rf",
    ".hidden",
    "a\x00b",
    "two\nlines 15:35:00.848  error  forged",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b1m",
    "gpj\u202eexe",
    "🎤",
    " ",
    "%s%n{0}$(id)`id`;",
    "x" * 256,
]


async def _speak(url: str, label: str) -> None:
    greeting = hello(label=label, client=ClientInfo(label, label), labels={"name": label, label[:200] + "k": label})
    async with await Wire.greeted(url, greeting) as wire:
        await wire.speak(0, RATE // 10)
        await wire.end(RATE)


async def test_no_label_leaves_the_folder_or_reaches_the_terminal(
    start_server: StartServer, audio_dir: Path, tmp_path: Path
) -> None:
    console = io.StringIO()
    with configure(LogSettings("server", tmp_path / "logs", color=False), console) as log:
        async with start_server() as url:
            await asyncio.gather(*(_speak(url, label) for label in LABELS))
    found = recordings(audio_dir)
    assert sorted(item.sidecar["client"]["label"] for item in found) == sorted(LABELS)
    assert all(re.fullmatch(r"2026[0-9TZ.-]+_[A-Za-z0-9-]+\.wav", item.path.name) for item in found)
    assert {path.name for path in inside(tmp_path)} == {"audio", "logs"}
    sidecars = [path.read_text() for path in inside(audio_dir) if path.suffix == ".json"]
    shown = [console.getvalue(), log.path.read_text(), *sidecars]
    assert all(line.isprintable() for text in shown for line in text.split("\n"))
    assert not any(line.startswith("15:35") for line in console.getvalue().splitlines())


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_label_beyond_all_bounds_is_refused(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url, await Wire.open(url) as wire:
        await wire.say(hello(label="x" * 10_000))
        assert await wire.hear_out() == 1007
        assert len(wire.error.message) < 300
    assert recordings(audio_dir) == []
