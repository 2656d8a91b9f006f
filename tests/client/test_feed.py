"""What the feed makes of holes: nothing is sent of them, and the index goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from structlog.testing import capture_logs

from plugandtell.client.detector import NoDetector
from plugandtell.client.feed import Feed
from plugandtell.client.reporter import Reporter
from plugandtell.client.source import Hole, Losses
from plugandtell.core.audio import SPEECH
from plugandtell.core.gate import AudioGate, GateSettings
from plugandtell.core.meter import Meter
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.messages import Audio, ClientInfo, ClientMessage, End, Hello, Position, Welcome
from plugandtell.core.store import MemoryStore
from plugandtell.core.talk import Talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from plugandtell.client.uplink import Uplink

STREAM_ID = UUID(int=1)
FRAME = 320
SECOND = SPEECH.sample_rate


class ScriptedSource:
    name = "scripted"
    is_live = True
    losses = Losses()

    def __init__(self, *pieces: bytes | Hole) -> None:
        self._pieces = pieces

    async def open(self) -> None: ...

    async def chunks(self) -> AsyncIterator[bytes | Hole]:
        for piece in self._pieces:
            yield piece

    def stop(self) -> None: ...

    async def close(self) -> None: ...


class SilentLine:
    """Stands for an uplink: the test asks the stream itself what there is to tell."""

    def wake(self) -> None: ...


async def told(*pieces: bytes | Hole, talk: Talk | None = None, meter: Meter | None = None) -> list[ClientMessage]:
    """What the server would be told."""
    hello = Hello(STREAM_ID, SECOND, 1, datetime(2026, 1, 1, tzinfo=UTC), ClientInfo("test", "1"), {})
    stream = ClientStream(hello, SPEECH, 1, MemoryStore(SPEECH, 10_000_000))
    gate = AudioGate(NoDetector(), GateSettings(frame_samples=FRAME))
    reporter = Reporter(lambda _saved: None, lambda: 0.0)
    line = cast("Uplink", SilentLine())
    feed = Feed(ScriptedSource(*pieces), gate, stream, line, reporter, talk=talk, meter=meter)
    assert await feed.run() is None
    stream.receive(Welcome(STREAM_ID, 0, 3000, 1_048_576))
    return list(iter(stream.next_message, None))


def audio(samples: int) -> bytes:
    return b"\1\2" * samples


def stretches(messages: list[ClientMessage]) -> list[tuple[int, int]]:
    return [(item.start, SPEECH.samples_in(len(item.pcm))) for item in messages if isinstance(item, Audio)]


async def test_nothing_is_sent_of_a_hole_and_the_index_goes_on() -> None:
    messages = await told(audio(SECOND), Hole(SECOND, "unplugged"), audio(SECOND))
    assert stretches(messages) == [(0, SECOND), (2 * SECOND, SECOND)]
    assert messages[-1] == End(3 * SECOND)


async def test_a_hole_that_lasts_lets_the_server_end_the_recording() -> None:
    messages = await told(audio(SECOND), *[Hole(SECOND // 4, "unplugged")] * 20)
    assert stretches(messages) == [(0, SECOND)]
    assert messages[1:] == [Position(6 * SECOND, SECOND), End(6 * SECOND)]


async def test_a_hole_is_said_once_with_its_length_and_counted_at_the_end() -> None:
    pieces = (audio(SECOND), Hole(SECOND, "unplugged"), Hole(SECOND, "unplugged"), audio(SECOND), Hole(8, "buffer"))
    with capture_logs() as lines:
        await told(*pieces)
    holes = [(line["at_s"], line["seconds"], line["cause"]) for line in lines if line["event"] == "hole"]
    assert holes == [(1.0, 2.0, "unplugged"), (4.0, 0.0005, "buffer")]
    (ended,) = [line for line in lines if line["event"] == "capture_ended"]
    assert (ended["seconds"], ended["holes"], ended["missing_s"]) == (4.0005, 2, 2.0005)


async def test_capture_without_a_hole_speaks_of_none() -> None:
    with capture_logs() as lines:
        await told(audio(SECOND))
    assert "holes" not in lines[-1]
    assert not any(line["event"] == "hole" for line in lines)


async def test_a_microphone_without_any_sound_is_said_once_until_sound_came_in_between() -> None:
    zeros = bytes(2 * SECOND)
    for pieces, warnings in (([zeros] * 4, 0), ([zeros] * 20, 1), ([*[zeros] * 9, audio(1), *[zeros] * 9], 2)):
        with capture_logs() as logs:
            await told(*pieces)
        assert [line["event"] for line in logs].count("microphone_silent") == warnings


class Switched(Talk):
    """Open or not as the script says, at each look."""

    def __init__(self, script: str) -> None:
        super().__init__()
        self._script = iter(script)

    @property
    def is_open(self) -> bool:
        return next(self._script) == "o"


async def test_what_is_muted_is_a_hole_and_never_gets_further() -> None:
    with capture_logs() as lines:
        messages = await told(*[audio(SECOND)] * 4, talk=Switched("ommo"))
    assert stretches(messages) == [(0, SECOND), (3 * SECOND, SECOND)]
    holes = [(line["at_s"], line["seconds"], line["cause"]) for line in lines if line["event"] == "hole"]
    assert holes == [(1.0, 2.0, "muted")]


async def test_a_hole_of_the_microphone_within_a_mute_is_told_apart() -> None:
    with capture_logs() as lines:
        await told(audio(SECOND), Hole(SECOND, "unplugged"), audio(SECOND), talk=Switched("mom"))
    levels = [(line["cause"], line["log_level"]) for line in lines if line["event"] == "hole"]
    assert levels == [("muted", "info"), ("unplugged", "warning"), ("muted", "info")]


async def test_the_meter_sees_what_is_heard_and_what_became_of_it() -> None:
    meter = Meter()
    await told(audio(SECOND // 10), audio(SECOND // 10), Hole(SECOND // 10, "x"), talk=Switched("mooo"), meter=meter)
    assert meter.heard.marks == "mvv"
    assert meter.heard.levels_db == (-36, -36, -60)
