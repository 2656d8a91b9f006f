"""What monitoring is told: numbers after traffic that is known, who may read them, and whether the server is well."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.protocol.messages import Ack, End, Position, SegmentDiscarded, Welcome
from plugandtell.core.recording import GapPolicy
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.certificates import OTHER_TOKEN, TOKEN, write_secret
from tests.support.scraping import Page, ask, connected, get
from tests.support.wire import RATE, Wire, hello

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


async def numbers(url: str) -> dict[str, float]:
    """What a scrape tells, without our prefix."""
    page = await get(url, "/metrics")
    return {name.removeprefix("plugandtell_"): value for name, value in page.numbers.items()}


async def test_the_numbers_are_those_of_what_was_said(start_server: StartServer) -> None:
    async with start_server(resume_window=30) as url:
        greeting = hello()
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, 2 * RATE)  # 20 messages
            await wire.say(Position(2 * RATE))
            while (await wire.hear(Ack)).stored_to < 2 * RATE:
                pass
            during = await numbers(url)
            acks = len(wire.all_heard(Ack))
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(RATE, 2 * RATE)  # the first second of it comes again
            await wire.end(3 * RATE)
            acks += len(wire.all_heard(Ack))
        after = await numbers(url)
    assert during["streams_connected"] == during["recordings_open"] == 1
    assert during["messages_received_total"] == 22
    assert during["recorded_seconds_total"] == 2
    assert after["streams_connected"] == after["recordings_open"] == after["unsaved_seconds"] == 0
    assert after["messages_received_total"] == 22 + 22
    assert after["recorded_seconds_total"] == 3
    assert after["audio_received_bytes_total"] == 4 * RATE * 2
    assert (after["duplicate_samples_total"], after["dropped_samples_total"]) == (RATE, 0)
    assert after["stream_resumes_total"] == 1
    assert after["acknowledgements_total"] == acks
    saved = {name: value for name, value in after.items() if name.startswith("segments_saved") and value}
    assert saved == {"segments_saved_total{reason=end}": 1}
    assert after["connections_accepted_total"] == 4  # with those that ask
    assert after["recording_processes"] == 1
    assert after[f"build_info{{version={version('plugandtell')}}}"] == 1


async def test_messages_are_counted_however_they_come(start_server: StartServer) -> None:
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.socket.send([bytes(8) + bytes(100), bytes(1200), bytes(1900)])  # one, in three fragments
        await wire.socket.send((1600).to_bytes(8, "little") + bytes(60_000))  # one, in several pieces of the line
        await wire.end(1600 + 30_000)
        counted = await numbers(url)
    assert counted["messages_received_total"] == 4
    assert counted["recorded_seconds_total"] == (1600 + 30_000) / RATE


async def test_filled_gaps_are_no_audio_and_what_holds_no_voice_is_discarded(start_server: StartServer) -> None:
    async with start_server(gaps=GapPolicy.FILL) as url:
        async with await Wire.greeted(url) as wire:
            await wire.speak(0, RATE)
            await wire.speak(2 * RATE, RATE)
            await wire.end(3 * RATE)
        async with await Wire.greeted(url) as wire:
            await wire.speak(0, RATE)
            await wire.say(Position(RATE, voiced_to=0), End(RATE))
            await wire.hear(SegmentDiscarded)
            await wire.hear_out()
        counted = await numbers(url)
    assert counted["recorded_seconds_total"] == 3
    assert counted["segments_saved_total{reason=end}"] == 1
    assert counted["segments_discarded_total{reason=end}"] == 1


async def test_who_is_turned_away_is_counted_by_why(start_server: StartServer) -> None:
    async with start_server(max_streams=1) as url, await Wire.greeted(url):
        async with await Wire.open(url) as late:
            assert await late.hear_out() == 1013
        assert (await get(url, "/v2")).status == 404
        assert (await get(url, "/metrics", method="POST")).status in (400, 405)
        counted = await numbers(url)
    assert counted["connections_refused_total{code=server_full}"] == 1
    assert counted["connections_refused_total{code=http_404}"] == 1
    assert counted["streams_connected"] == 1


async def test_what_cannot_be_put_into_place_is_counted_as_often_as_it_is_tried(
    start_server: StartServer, audio_dir: Path
) -> None:
    blocker = audio_dir / "2026-11-23T15-35-00.848Z_laptop.json"
    async with start_server() as url:
        blocker.mkdir()
        async with await Wire.greeted(url) as wire:
            await wire.speak(0, RATE)
            await wire.say(End(RATE))

            async def failed() -> dict[str, float]:
                while not (counted := await numbers(url))["segment_save_failures_total{reason=end}"]:
                    pass
                return counted

            async with asyncio.timeout(30):
                counted = await failed()
            assert counted["unsaved_seconds"] == 1
            blocker.rmdir()
            assert await wire.hear_out() == 1000
        assert (await numbers(url))["segments_saved_total{reason=end}"] == 1


async def test_the_page_is_what_prometheus_expects(start_server: StartServer) -> None:
    async with start_server() as url:
        page = await get(url, "/metrics?x=1")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert int(page.headers["Content-Length"]) == len(page.body.encode())
    lines = page.body.splitlines()
    helps = [line.split()[2] for line in lines if line.startswith("# HELP ")]
    types = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert helps == types == sorted(set(helps), key=helps.index)
    assert all(name.startswith("plugandtell_") for name in helps)
    for line in lines:
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name.partition("{")[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") in helps
            assert float(value) >= 0


async def test_numbers_are_for_holders_of_a_token_and_health_is_for_everybody(
    start_server: StartServer, tmp_path: Path
) -> None:
    tokens = write_secret(tmp_path / "tokens", f"prometheus: {TOKEN}\n")
    async with start_server(tokens_file=tokens) as url:
        refused = await get(url, "/metrics")
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="plugandtell"')
        assert "plugandtell_" not in refused.body
        assert (await get(url, "/metrics", f"Authorization: Bearer {OTHER_TOKEN}")).status == 401
        page = await get(url, "/metrics", f"Authorization: Bearer {TOKEN}")
        assert page.numbers["plugandtell_connections_refused_total{code=http_401}"] == 2
        healthy = await get(url, "/healthz")
    assert (healthy.status, healthy.body) == (200, "ok\n")


async def test_health_says_that_the_server_stops(audio_dir: Path) -> None:
    """A recording that cannot be moved yet keeps the server from ending; whoever was connected may still ask."""
    settings = ServerSettings(port=0, audio_dir=audio_dir)
    stop, serving = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with running_server(settings) as server:
            serving.set_result(server.url)
            await stop.wait()

    running = asyncio.create_task(serve())
    url = await serving
    wire = await Wire.greeted(url)
    wire.socket.transport.pause_reading()  # it does not hear the goodbye, and the server waits for its answer
    line = await connected(url)
    other = await connected(url)
    assert (await ask(*other, "/healthz")).body == "ok\n"
    stop.set()

    async def refused() -> bool:
        try:
            _, writer = await connected(url)
        except OSError:
            return True
        writer.close()
        return False

    async with asyncio.timeout(30):
        while not await refused():
            pass
    page = await ask(*line, "/healthz")
    assert (page.status, page.body) == (503, "stopping\n")
    await wire.drop()
    await running


async def test_those_who_ask_take_no_streams_place(start_server: StartServer) -> None:
    async with start_server(max_streams=1) as url:
        pages: list[Page] = await asyncio.gather(*(get(url, "/metrics") for _ in range(8)))
        assert {page.status for page in pages} == {200}
        async with await Wire.open(url) as wire:
            lines = [await connected(url) for _ in range(3)]
            await wire.say(hello())
            await wire.hear(Welcome)
            assert (await ask(*lines[0], "/healthz")).status == 200
            assert (await ask(*lines[1], "/metrics")).numbers["plugandtell_streams_connected"] == 1
            lines[2][1].close()


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
async def test_who_leaves_before_the_answer_harms_nobody(start_server: StartServer, path: str) -> None:
    async with start_server() as url:
        for _ in range(5):
            _, writer = await connected(url)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            writer.transport.abort()
        assert (await get(url, "/healthz")).body == "ok\n"
