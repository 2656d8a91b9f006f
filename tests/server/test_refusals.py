"""Who is turned away, with which words, and what stays of what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus

from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import (
    Audio,
    SegmentStarted,
)
from tests.support.recordings import recordings
from tests.support.wire import Wire, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer

GREETING = {
    "type": "hello",
    "stream_id": "5a2f4a4e-2d4a-4b62-8b7b-0d9a2f1f6a55",
    "sample_rate": 16_000,
    "channels": 1,
    "encoding": "pcm_s16le",
    "started_at": "2026-11-23T15:35:00Z",
    "client": {"name": "wire", "version": "1"},
    "labels": {},
}
AUDIO = bytes(8) + pcm(0, 1600)


@pytest.mark.parametrize(
    ("messages", "close_code", "code"),
    [
        pytest.param(["speak"], 1007, "not_json", id="garbage"),
        pytest.param(["[]"], 1007, "not_json", id="no object"),
        pytest.param([{"type": "position", "index": 1}], 1002, "hello_expected", id="text before hello"),
        pytest.param([AUDIO], 1003, "hello_expected", id="binary before hello"),
        pytest.param([GREETING, GREETING], 1002, "hello_repeated", id="two hellos"),
        pytest.param([GREETING | {"stream_id": "x"}], 1007, "field_invalid", id="no UUID"),
        pytest.param([{"type": "hello"}], 1007, "field_invalid", id="fields missing"),
        pytest.param([GREETING | {"sample_rate": 44_100}], 1008, "format_refused", id="rate"),
        pytest.param([GREETING | {"channels": 2}], 1008, "format_refused", id="channels"),
        pytest.param([GREETING | {"encoding": "opus"}], 1008, "format_refused", id="encoding"),
        pytest.param([GREETING, AUDIO + b"x"], 4000, "audio_malformed", id="odd bytes"),
        pytest.param([GREETING, b"1234567"], 4000, "audio_malformed", id="no index"),
        pytest.param([GREETING, b"\xff" * 10], 4000, "index_out_of_range", id="index out of range"),
        pytest.param(
            [GREETING, AUDIO, {"type": "position", "index": 10**9}], 4000, "index_jumped", id="jump of a position"
        ),
        pytest.param([GREETING, AUDIO, encode(Audio(10**9, b"xx"))], 4000, "index_jumped", id="jump of audio"),
        pytest.param([GREETING, {"type": "dance"}], 1007, "field_invalid", id="unknown type"),
    ],
)
async def test_what_breaks_the_protocol_is_refused_and_loses_nothing(
    start_server: StartServer, audio_dir: Path, messages: list[str | bytes | dict[str, Any]], close_code: int, code: str
) -> None:
    async with start_server() as url, await Wire.open(url) as wire:
        await wire.say_raw(*messages)
        assert await wire.hear_out() == close_code
        assert wire.error.code == code
        assert wire.socket.close_reason
    found = recordings(audio_dir)
    assert [item.pcm for item in found] == ([pcm(0, 1600)] if AUDIO in messages[1:] else [])


async def test_a_message_that_is_too_large_is_refused(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server(max_message_bytes=65_536) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, 1600)
        await wire.hear(SegmentStarted)
        await wire.say_raw(bytes(65_537))
        assert await wire.hear_out() == 1009
    assert recordings(audio_dir)[0].pcm == pcm(0, 1600)


@pytest.mark.parametrize("offered", [None, "plugandtell.v2"])
async def test_another_version_is_told_which_one_is_spoken(start_server: StartServer, offered: str | None) -> None:
    async with start_server() as url, await Wire.open(url, subprotocol=offered) as wire:
        assert await wire.hear_out() == 1002
        assert "plugandtell.v1" in wire.error.message


async def test_another_path_is_not_found(start_server: StartServer) -> None:
    async with start_server() as url:
        with pytest.raises(InvalidStatus, match="404"):
            await Wire.open(url, path="/v9/stream")


async def test_who_does_not_introduce_himself_is_shown_out(start_server: StartServer) -> None:
    async with start_server(hello_timeout=0.1) as url, await Wire.open(url) as wire:
        assert await wire.hear_out() == 4002
        assert wire.error.code == "hello_timeout"


async def test_who_says_nothing_is_shown_out_and_nothing_is_lost(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server(idle_timeout=0.3) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, 1600)
        assert await wire.hear_out() == 4002
        assert wire.error.code == "idle"
    assert recordings(audio_dir)[0].pcm == pcm(0, 1600)


async def test_a_full_server_asks_to_try_again_later(start_server: StartServer) -> None:
    async with start_server(max_streams=1) as url, await Wire.greeted(url), await Wire.open(url) as second:
        assert await second.hear_out() == 1013
        assert second.error.code == "server_full"
