"""A client that finds something else where its server was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from plugandtell.client.app import stream_to_server
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import ClientSettings
from plugandtell.core.errors import AudioNotSaved
from plugandtell.core.pace import Pace
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.faults.line import line_of
from tests.faults.schedule import Direction, Fault, Kind
from tests.support.recordings import recordings
from tests.support.speech import sentence, write_wav

if TYPE_CHECKING:
    from pathlib import Path

CUT = Fault(Kind.RESET, Direction.UP, 20_000, 0)


async def _stream(folder: Path, url: str, give_up_after: float = 30.0) -> None:
    settings = ClientSettings(input=str(folder / "in.wav"), pace=Pace.FAST, give_up_after=give_up_after)
    await stream_to_server(settings, GateOptions(vad="none"), url, asyncio.Event(), lambda _saved, _hello: None)


async def _nothing(_kind: Kind) -> None:
    pass


@pytest.mark.parametrize("answer_bytes", [0, 8, 60, 170])
async def test_a_handshake_that_breaks_is_tried_again(tmp_path: Path, answer_bytes: int) -> None:
    whole = write_wav(tmp_path / "in.wav", sentence(0))
    faults = (CUT, Fault(Kind.TRUNCATE, Direction.DOWN, answer_bytes, 0))
    settings = ServerSettings(port=0, audio_dir=tmp_path / "audio")
    async with running_server(settings) as server, line_of(faults, _nothing) as line:
        line.port = int(server.url.rpartition(":")[2])
        await _stream(tmp_path, line.url)
        assert line.injected.total() == len(faults)
    assert b"".join(found.pcm for found in recordings(tmp_path / "audio")) == whole


async def test_a_web_server_in_the_place_of_ours_is_given_up_with_the_count_of_what_is_missing(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", sentence(0))
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    settings = ServerSettings(port=0, audio_dir=tmp_path / "audio")
    web = await asyncio.start_server(answer, "127.0.0.1", 0)

    async def replace(_kind: Kind) -> None:
        line.port = web.sockets[0].getsockname()[1]

    faults = (Fault(Kind.RESTART_SERVER, Direction.UP, 20_000, 0), Fault(Kind.RESET, Direction.UP, 1, 0))
    async with web, running_server(settings) as server, line_of(faults, replace) as line:
        line.port = int(server.url.rpartition(":")[2])
        with pytest.raises(AudioNotSaved, match="HTTP 502"):
            await _stream(tmp_path, line.url, give_up_after=1)
    assert asked >= 1
