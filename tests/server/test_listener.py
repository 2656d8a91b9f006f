"""The server as its clients see it: real sockets, real files."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from plugandtell.core.errors import AudioNotSaved, CannotListen, FolderUnusable
from plugandtell.core.protocol.messages import (
    Ack,
    Audio,
    End,
    Position,
    SegmentDiscarded,
    SegmentSaved,
    SegmentStarted,
    Welcome,
)
from plugandtell.core.recording import GapPolicy
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.recordings import read_wav, recordings
from tests.support.wire import RATE, Wire, hello, pcm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugandtell.core.protocol.messages import Hello
    from tests.server.conftest import StartServer

SECOND = RATE


async def test_what_is_spoken_is_in_the_file_sample_for_sample(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.speak(4000, 2 * SECOND)
        (saved,) = await wire.end(3 * SECOND)
    (found,) = recordings(audio_dir)
    assert found.pcm == pcm(4000, 2 * SECOND)
    assert found.path.name == saved.file == "2026-11-23T15-35-01.098Z_laptop.wav"
    assert (saved.start_index, saved.end_index, saved.duration_ms, saved.reason) == (4000, 36_000, 2000, "end")


async def test_the_sidecar_tells_where_the_recording_comes_from(start_server: StartServer, audio_dir: Path) -> None:
    greeting = hello()
    async with start_server() as url, await Wire.greeted(url, greeting) as wire:
        await wire.speak(4000, 2 * SECOND)
        await wire.say(Position(4000 + 2 * SECOND, 4000 + SECOND))
        (saved,) = await wire.end(3 * SECOND)
    sidecar = recordings(audio_dir)[0].sidecar
    assert {key: sidecar[key] for key in sidecar if key not in ("sha256", "size_bytes", "file")} == {
        "version": 1,
        "segment_id": str(saved.segment_id),
        "stream_id": str(greeting.stream_id),
        "continues": None,
        "client": {"name": "wire", "version": "1", "label": "laptop", "token_name": None},
        "labels": {"name": "laptop"},
        "format": {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 16_000, "channels": 1},
        "gap_policy": "fill",
        "reason": "end",
        "recovered": False,
        "started_at": "2026-11-23T15:35:01.098Z",
        "ended_at": "2026-11-23T15:35:03.098Z",
        "start_index": 4000,
        "end_index": 36_000,
        "samples": 32_000,
        "duration_ms": 2000,
        "voiced_samples": 16_000,
        "voiced_share": 0.5,
        "gaps": [],
        "duplicate_samples": 0,
        "dropped_samples": 0,
    }


async def test_everything_written_is_acknowledged(start_server: StartServer) -> None:
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.speak(0, SECOND)
        assert (await wire.hear(Ack)).stored_to == SECOND // 2
        assert (await wire.hear(Ack)).stored_to == SECOND
        await wire.speak(SECOND, 1600)
        await wire.say(Position(SECOND + 1600))
        assert (await wire.hear(Ack)).stored_to == SECOND + 1600


async def test_two_clients_at_once_give_two_recordings(start_server: StartServer, audio_dir: Path) -> None:
    async with (
        start_server() as url,
        await Wire.greeted(url, hello(label="left")) as left,
        await Wire.greeted(url, hello(label="right")) as right,
    ):
        for start in range(0, SECOND, 1600):
            await left.speak(start, 1600)
            await right.speak(100_000 + start, 1600)
        await asyncio.gather(left.end(SECOND), right.end(100_000 + SECOND))
    by_label = {found.sidecar["client"]["label"]: found.pcm for found in recordings(audio_dir)}
    assert by_label == {"left": pcm(0, SECOND), "right": pcm(100_000, SECOND)}


async def test_two_clients_of_one_name_at_one_time_do_not_collide(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url, await Wire.greeted(url) as first, await Wire.greeted(url) as second:
        await first.speak(0, SECOND)
        await second.speak(0, SECOND)
        await asyncio.gather(first.end(SECOND), second.end(SECOND))
    assert [found.path.name for found in recordings(audio_dir)] == [
        "2026-11-23T15-35-00.848Z_laptop-2.wav",
        "2026-11-23T15-35-00.848Z_laptop.wav",
    ]


@pytest.mark.parametrize("told_by", ["position", "audio"])
@pytest.mark.parametrize(("pause_s", "expected"), [(2.9, 1), (3.1, 2)])
async def test_three_seconds_of_silence_part_two_recordings(
    start_server: StartServer, audio_dir: Path, told_by: str, pause_s: float, expected: int
) -> None:
    resumed = SECOND + round(pause_s * SECOND)
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.speak(0, SECOND)
        if told_by == "position":
            await wire.say(*(Position(index) for index in range(SECOND + 4000, resumed, 4000)))
        await wire.speak(resumed, SECOND)
        saved = await wire.end(resumed + SECOND)
    assert len(saved) == expected
    found = recordings(audio_dir)
    if expected == 1:
        assert found[0].pcm == pcm(0, SECOND) + bytes(2 * (resumed - SECOND)) + pcm(resumed, SECOND)
        assert found[0].sidecar["gaps"] == [{"start_index": SECOND, "samples": resumed - SECOND}]
    else:
        assert [item.pcm for item in found] == [pcm(0, SECOND), pcm(resumed, SECOND)]
        assert [item.sidecar["reason"] for item in found] == ["silence", "end"]


async def test_silence_is_counted_in_audio_time_not_in_ours(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server(silence=0.2) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, 1600)
        await wire.hear(SegmentStarted)
        await asyncio.sleep(0.5)  # longer than the silence: a pause of the line is none of the speaker's
        await wire.speak(1600, 1600)
        assert len(await wire.end(3200)) == 1
    assert recordings(audio_dir)[0].pcm == pcm(0, 3200)


async def test_dropped_gaps_close_up(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server(gaps=GapPolicy.DROP) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, SECOND)
        await wire.speak(2 * SECOND, SECOND)
        (saved,) = await wire.end(3 * SECOND)
    (found,) = recordings(audio_dir)
    assert found.pcm == pcm(0, SECOND) + pcm(2 * SECOND, SECOND)
    assert found.sidecar["gaps"] == [{"start_index": SECOND, "samples": SECOND}]
    assert (saved.end_index, saved.duration_ms) == (3 * SECOND, 2000)


async def test_speech_longer_than_allowed_goes_on_in_the_next_recording(
    start_server: StartServer, audio_dir: Path
) -> None:
    async with start_server(max_duration=1) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, 5 * SECOND // 2, message_samples=7000)
        await wire.end(5 * SECOND // 2)
    found = recordings(audio_dir)
    assert b"".join(item.pcm for item in found) == pcm(0, 5 * SECOND // 2)
    assert [item.sidecar["reason"] for item in found] == ["max_duration", "max_duration", "end"]
    assert [item.sidecar["continues"] for item in found] == [None, *(item.sidecar["segment_id"] for item in found[:2])]


async def test_a_dropped_connection_resumes_in_the_same_recording(start_server: StartServer, audio_dir: Path) -> None:
    greeting = hello()
    async with start_server() as url:
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, SECOND)
            await wire.hear(Ack)
        async with await Wire.open(url) as wire:
            await wire.say(greeting)
            resume_from = (await wire.hear(Welcome)).resume_from
            assert resume_from in (SECOND // 2, SECOND)
            await wire.speak(4000, 2 * SECOND - 4000)  # more than asked for: the overlap is trimmed
            await wire.end(2 * SECOND)
    (found,) = recordings(audio_dir)
    assert found.pcm == pcm(0, 2 * SECOND)
    assert found.sidecar["duplicate_samples"] == resume_from - 4000


async def test_who_returns_late_goes_on_in_a_recording_that_names_the_one_before(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting = hello()
    async with start_server(resume_window=0.1) as url:
        await _leave_after_a_second(url, greeting)
        await _wait_until(lambda: len(list(audio_dir.glob("*.json"))) == 1)
        async with await Wire.open(url) as wire:
            await wire.say(greeting)
            assert (await wire.hear(Welcome)).resume_from == SECOND
            assert (await wire.hear(SegmentSaved)).end_index == SECOND  # told again: we were away when it happened
            await wire.speak(0, 2 * SECOND)
            await wire.end(2 * SECOND)
    first, second = recordings(audio_dir)
    assert first.pcm + second.pcm == pcm(0, 2 * SECOND)
    assert first.sidecar["reason"] == "disconnect"
    assert second.sidecar["continues"] == first.sidecar["segment_id"]
    assert second.sidecar["dropped_samples"] == SECOND


async def test_who_returns_late_names_the_one_before_even_after_a_long_silence(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting = hello()
    async with start_server(resume_window=0) as url:
        await _leave_after_a_second(url, greeting)
        async with await Wire.greeted(url, greeting) as wire:
            await wire.say(Position(20 * SECOND, SECOND))
            await wire.speak(20 * SECOND, SECOND)
            await wire.end(21 * SECOND)
    first, second = recordings(audio_dir)
    assert (first.sidecar["reason"], second.sidecar["continues"]) == ("disconnect", first.sidecar["segment_id"])


@pytest.mark.parametrize("how", ["closed", "dropped with no window"])
async def test_a_connection_that_will_not_return_ends_the_segment_at_once(
    start_server: StartServer, audio_dir: Path, how: str
) -> None:
    window_s = 3600 if how == "closed" else 0
    async with start_server(resume_window=window_s) as url:
        async with await Wire.greeted(url) as wire:
            await wire.speak(0, SECOND)
            await _acknowledged(wire, SECOND)
            if how == "closed":
                await wire.socket.close()
        await _wait_until(lambda: len(list(audio_dir.glob("*.json"))) == 1)
    (found,) = recordings(audio_dir)
    assert found.pcm == pcm(0, SECOND)
    assert found.sidecar["reason"] == "disconnect"


async def test_a_stream_that_is_connected_elsewhere_is_refused(start_server: StartServer, audio_dir: Path) -> None:
    greeting = hello()
    async with start_server() as url, await Wire.greeted(url, greeting) as wire:
        await wire.speak(0, SECOND)
        listening = asyncio.create_task(wire.hear_out())  # answers the server's ping
        async with await Wire.open(url) as twin:
            await twin.say(greeting)
            assert await twin.hear_out() == 4001
            assert twin.error.code == "stream_in_use"
        await wire.say(End(SECOND))
        assert await listening == 1000
    assert recordings(audio_dir)[0].pcm == pcm(0, SECOND)


async def test_a_dead_connection_gives_way_to_its_successor(start_server: StartServer, audio_dir: Path) -> None:
    greeting = hello()
    with capture_logs() as lines:
        async with start_server() as url, await Wire.greeted(url, greeting) as dead:
            await dead.speak(0, SECOND)
            await _acknowledged(dead, SECOND)
            dead.socket.transport.pause_reading()
            async with await Wire.greeted(url, greeting) as alive:
                await alive.speak(SECOND, SECOND)
                await alive.end(2 * SECOND)
    assert [line["stream_id"] for line in lines if line["event"] == "dead_connection_replaced"] == [
        str(greeting.stream_id)
    ]
    (found,) = recordings(audio_dir)
    assert found.pcm == pcm(0, 2 * SECOND)


async def test_a_stop_saves_what_is_open_and_says_goodbye(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url:
        wire = await Wire.greeted(url)
        await wire.speak(0, 1600)
        await wire.hear(SegmentStarted)
        listening = asyncio.create_task(wire.hear_out())
    assert await listening == 1001
    (saved,) = wire.all_heard(SegmentSaved)
    assert saved.reason == "shutdown"
    assert wire.all_heard(Ack)[-1].stored_to == 1600
    assert recordings(audio_dir)[0].pcm == pcm(0, 1600)


async def test_a_stream_without_audio_leaves_no_file(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.say(Position(SECOND), Audio(SECOND, b""), Position(2 * SECOND))
        assert await wire.end(2 * SECOND) == []
    assert recordings(audio_dir) == []


async def test_a_segment_without_voice_leaves_no_file_and_is_told_of(
    start_server: StartServer, audio_dir: Path
) -> None:
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.speak(0, SECOND)
        await wire.say(Position(5 * SECOND, 0))
        discarded = await wire.hear(SegmentDiscarded)
        assert (discarded.start_index, discarded.end_index) == (0, SECOND)
        assert discarded.segment_id == wire.all_heard(SegmentStarted)[0].segment_id
        assert await wire.end(6 * SECOND) == []
    assert recordings(audio_dir) == []


async def test_a_discarded_segment_is_told_of_again_after_a_reconnection(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting = hello()
    async with start_server() as url:
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, SECOND)
            await wire.say(Position(5 * SECOND, 0))
            await wire.hear(SegmentDiscarded)
        async with await Wire.greeted(url, greeting) as wire:
            await wire.hear(SegmentDiscarded)
            await wire.speak(6 * SECOND, SECOND)
            await wire.end(7 * SECOND)
    assert recordings(audio_dir)[0].sidecar["continues"] is None


async def test_the_growing_file_is_valid_though_little_comes(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url, await Wire.greeted(url) as wire:
        await wire.speak(0, 1600)  # far less than the second after which a write alone would mend the header
        await wire.hear(SegmentStarted)
        growing = audio_dir / "2026-11-23T15-35-00.848Z_laptop.wav.part"
        await _wait_until(lambda: len(read_wav(growing)) == 3200)
        assert read_wav(growing) == pcm(0, 1600)


async def test_all_lines_about_a_stream_name_it(start_server: StartServer, audio_dir: Path) -> None:
    greeting = hello()
    with capture_logs() as lines:
        async with start_server() as url, await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, SECOND)
            await wire.hear(SegmentStarted)
    ids = {"stream_id": str(greeting.stream_id), "client": "laptop"}
    about = [line for line in lines if "segment_id" in line]
    assert {line["event"] for line in about} >= {"voice_detected", "segment_ended", "segment_saved"}
    assert all(line.items() >= ids.items() for line in about)


async def test_a_disk_that_is_nearly_full_takes_no_more_streams(audio_dir: Path) -> None:
    settings = ServerSettings(port=0, audio_dir=audio_dir)
    free_bytes = iter([100_000_000, 100_000_000, 99_999_999])  # at the start, and for each of the two
    async with (
        running_server(settings, free_bytes=lambda: next(free_bytes)) as server,
        await Wire.greeted(server.url) as first,
        await Wire.open(server.url) as second,
    ):
        await second.say(hello())
        assert await second.hear_out() == 1013
        assert second.error.code == "disk_nearly_full"
        await first.speak(0, SECOND)  # who is there already may stay
        await first.end(SECOND)
    assert recordings(audio_dir)[0].pcm == pcm(0, SECOND)


@pytest.mark.parametrize(("min_free_mb", "warnings"), [(100, [20.0]), (80, []), (0, [])])
async def test_a_disk_that_is_nearly_full_is_said_at_the_start(
    audio_dir: Path, min_free_mb: float, warnings: list[float]
) -> None:
    settings = ServerSettings(port=0, audio_dir=audio_dir, min_free_mb=min_free_mb)
    with capture_logs() as logs:
        async with running_server(settings, free_bytes=lambda: 80_000_000):
            pass
    said = [event for event in logs if event["event"] == "disk_nearly_full"]
    assert [(event["log_level"], event["lacking_mb"]) for event in said] == [("warning", mb) for mb in warnings]
    assert all("--min-free-mb" in event["remedy"] for event in said)


async def test_a_disk_may_be_filled_to_the_end_where_that_is_wanted(audio_dir: Path) -> None:
    settings = ServerSettings(port=0, audio_dir=audio_dir, min_free_mb=0)
    async with running_server(settings, free_bytes=lambda: 0) as server, await Wire.greeted(server.url) as wire:
        await wire.speak(0, SECOND)
        await wire.end(SECOND)
    assert recordings(audio_dir)[0].pcm == pcm(0, SECOND)


async def test_of_two_newcomers_for_a_dead_connection_one_gets_the_stream(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting = hello()
    async with start_server() as url, await Wire.greeted(url, greeting) as dead:
        await dead.speak(0, SECOND)
        await _acknowledged(dead, SECOND)
        dead.socket.transport.pause_reading()
        async with await Wire.open(url) as one, await Wire.open(url) as other:
            await one.say(greeting)
            await other.say(greeting)
            ends = [asyncio.create_task(wire.hear_out()) for wire in (one, other)]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            assert [end.result() for end in done] == [4001]
            winner = other if ends[0] in done else one
            await winner.speak(SECOND, SECOND)
            await winner.say(End(2 * SECOND))
            await asyncio.wait(ends)
            assert winner.all_heard(SegmentSaved)[0].end_index == 2 * SECOND
    assert recordings(audio_dir)[0].pcm == pcm(0, 2 * SECOND)


async def test_a_stop_keeps_its_deadline_though_a_client_neither_reads_nor_rests(audio_dir: Path) -> None:
    settings = ServerSettings(port=0, audio_dir=audio_dir)
    async with running_server(settings, shutdown_within_s=6.0) as server:
        good = await Wire.greeted(server.url, hello(label="good"))
        await good.speak(0, SECOND)
        await _acknowledged(good, SECOND)
        listening = asyncio.create_task(good.hear_out())
        deaf = await Wire.greeted(server.url, hello(label="deaf"))
        deaf.socket.transport.pause_reading()
        flood = asyncio.create_task(_flood(deaf))
    assert await listening == 1001
    assert good.all_heard(SegmentSaved)[0].reason == "shutdown"
    flood.cancel()
    await deaf.drop()
    assert any(found.pcm == pcm(0, SECOND) for found in recordings(audio_dir))


async def test_a_stop_that_cannot_save_in_time_says_so(audio_dir: Path) -> None:
    may_save = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    running = running_server(ServerSettings(port=0, audio_dir=audio_dir), shutdown_within_s=0.2)
    server = await running.__aenter__()
    wire = await Wire.greeted(server.url)
    await wire.speak(0, SECOND)
    await _acknowledged(wire, SECOND)
    blocked = loop.run_in_executor(None, may_save.wait)
    with pytest.raises(AudioNotSaved, match=r"^speech of 1\.0 s "):
        await running.__aexit__(None, None, None)
    may_save.set()
    await blocked
    await wire.drop()
    async with asyncio.timeout(30):  # a process would end here; in this one, nothing may be left open
        while not list(audio_dir.glob("*.wav")):  # noqa: ASYNC110, ASYNC240  (the only sign)
            await asyncio.sleep(0.01)


async def test_a_client_that_ends_segments_faster_than_they_are_saved_is_slowed(
    start_server: StartServer, audio_dir: Path
) -> None:
    may_save = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with start_server() as url, await Wire.greeted(url) as wire:
        blocked = asyncio.get_running_loop().run_in_executor(None, may_save.wait)
        for start in range(0, 30 * 5 * SECOND, 5 * SECOND):
            await wire.say(Audio(start, pcm(start, 10)), Position(start + 4 * SECOND))
        for _ in range(9):
            await wire.hear(SegmentStarted)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await wire.hear(SegmentStarted)
        may_save.set()
        await blocked
        assert len(await wire.end(150 * SECOND)) == 30
    assert len(recordings(audio_dir)) == 30


async def test_a_label_is_no_path(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url, await Wire.greeted(url, hello(label="../../etc/\x1b[31mpasswd\n")) as wire:
        await wire.speak(0, 1600)
        (saved,) = await wire.end(1600)
    assert saved.file == "2026-11-23T15-35-00.848Z_etc-31mpasswd.wav"
    assert [found.path.name for found in recordings(audio_dir)] == [saved.file]


async def test_a_port_in_use_is_said(start_server: StartServer, tmp_path: Path) -> None:
    async with start_server() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(CannotListen, match=str(port)):
            async with start_server(port=port, audio_dir=tmp_path / "other"):
                pass


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70])
async def test_a_host_that_is_none_is_said(start_server: StartServer, host: str) -> None:
    with pytest.raises(CannotListen, match=host):
        async with start_server(host=host):
            pass


async def test_an_audio_folder_belongs_to_one_server(start_server: StartServer) -> None:
    async with start_server():
        with pytest.raises(FolderUnusable, match="another server"):
            async with start_server():
                pass
    async with start_server():
        pass


async def test_an_audio_folder_that_cannot_be_written_is_said(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderUnusable, match="--audio-dir"):
        async with start_server(audio_dir=tmp_path / "file" / "audio"):
            pass


async def test_streams_are_kept_apart_by_id_not_by_label(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server() as url:
        for _ in range(2):
            async with await Wire.greeted(url, hello(uuid4())) as wire:
                await wire.speak(0, 1600)
                await wire.end(1600)
    assert [found.pcm for found in recordings(audio_dir)] == [pcm(0, 1600)] * 2


async def _leave_after_a_second(url: str, greeting: Hello) -> None:
    """Speak for a second, hear that it is stored, and drop the connection."""
    async with await Wire.greeted(url, greeting) as wire:
        await wire.speak(0, SECOND)
        await wire.say(Position(SECOND))
        await _acknowledged(wire, SECOND)


async def _acknowledged(wire: Wire, stored_to: int) -> None:
    while (await wire.hear(Ack)).stored_to < stored_to:
        pass


async def _wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what only the file system can tell."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _flood(wire: Wire) -> None:
    """End as many segments as go, as fast as they go."""
    start = 0
    while True:
        await wire.say(Audio(start, pcm(start, 1)), Position(start + 4 * SECOND))
        await asyncio.sleep(0)  # the server runs in the same loop
        start += 5 * SECOND
