"""The client, put together: source, gate, stream and uplink, and the order in which they end."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import sys
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from plugandtell.client.clocks import system_clocks
from plugandtell.client.connecting import LineSettings
from plugandtell.client.credentials import ANONYMOUS, Credentials, load_credentials
from plugandtell.client.delivery import Delivery, Packer, prepare
from plugandtell.client.detector import choose_detector
from plugandtell.client.feed import Feed
from plugandtell.client.file_source import FileSource
from plugandtell.client.microphone import Machine, Microphone, MicrophoneSettings
from plugandtell.client.saved_hook import hook_of
from plugandtell.client.settings import MICROPHONE, STDIN
from plugandtell.client.stdin_source import StdinSource
from plugandtell.client.window import Window
from plugandtell.command import print_line, run_logged
from plugandtell.core.audio import SPEECH
from plugandtell.core.batch import batch_of
from plugandtell.core.errors import AudioNotSaved, NoMicrophone, PlugAndTellError, ServerUnreachable, TransientError
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.gate import AudioGate
from plugandtell.core.pace import Pace
from plugandtell.core.protocol.messages import ClientInfo, Hello
from plugandtell.logservice import bind_contextvars, get_logger
from plugandtell.stopping import stop_requests
from plugandtell.terminal.ringing import OWN_TERMINAL, ring

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from plugandtell.client.gate_options import GateOptions
    from plugandtell.client.settings import ClientSettings
    from plugandtell.client.source import Source
    from plugandtell.command import LogOptions
    from plugandtell.core.protocol.messages import SegmentSaved
    from plugandtell.terminal.viewers import Viewer

T = TypeVar("T")

_SHUTDOWN_WITHIN_S = 10.0
_TAKE_WITHIN_S = 2.0
_GIVE_UP_AFTER_S = 30.0
_USUAL_SILENCE_MS = 3000  # a server's default: what the gate holds back until it has met one


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a client runs.

    Attributes:
        lifeline: Whether a parent holds the other end of standard input: it may close it, and write the names of keys.
        saved_in: The server's audio folder, if it is known.
        terminal: Where the bell rings.
    """

    lifeline: bool = False
    saved_in: Path | None = None
    terminal: str = OWN_TERMINAL


def capture_until_stopped(  # noqa: PLR0913  (what the command was told)
    settings: ClientSettings,
    gate: GateOptions,
    url: str,
    log: LogOptions,
    *,
    surroundings: Surroundings,
    viewer: Viewer,
) -> ExitStatus:
    """Stream until the input ends or the process is asked to stop; print each recording's name on standard output.

    Args:
        settings: What to stream, and how.
        gate: When the gate opens and shuts.
        url: The server.
        log: Where the log goes.
        surroundings: Where it runs.
        viewer: Looks on.

    Raises:
        CredentialsUnusable: The token or the certificates to trust cannot be used.
        InvalidSetting: The token would go over the network in clear, or there is no such command for what is saved.
        PlugAndTellError: Not everything voiced was acknowledged and saved, or there was nothing to stream.
    """
    credentials = load_credentials(settings, url, os.environ)
    window = Window(url, time.monotonic, push_to_talk=settings.push_to_talk, is_watched=viewer.is_watching)
    hook = hook_of(settings, url, surroundings.saved_in)

    def on_saved(saved: SegmentSaved, hello: Hello) -> None:
        if not viewer.takes_stdout:
            print_line(sys.stdout, saved.file)
        if settings.bell:
            ring(surroundings.terminal)
        if hook is not None:
            hook.take(saved, hello)

    def leave() -> None:
        viewer.leave()
        if hook is not None:
            hook.kill()

    async def main() -> ExitStatus:
        with stop_requests(lifeline=surroundings.lifeline, told=window.press_named, at_once=leave) as stop:
            async with viewer.viewing(window.look, window.press), hook.running() if hook else nullcontext():
                await stream_to_server(settings, gate, url, stop, on_saved, credentials=credentials, window=window)
        return ExitStatus.OK

    return run_logged("client", log, main, divert=viewer.divert)


async def stream_to_server(  # noqa: PLR0913  (the whole client in one call)
    settings: ClientSettings,
    gate: GateOptions,
    url: str,
    stop: asyncio.Event,
    on_saved: Callable[[SegmentSaved, Hello], None],
    *,
    credentials: Credentials = ANONYMOUS,
    window: Window | None = None,
) -> None:
    """Stream one source to one server, from its opening to the last acknowledgement.

    Args:
        settings: What to stream, and how.
        gate: When the gate opens and shuts.
        url: The server.
        stop: Ends capture when it is set; what was captured is still sent and saved.
        on_saved: Told of every recording, once, and what its stream said of itself.
        credentials: What the client shows the server, and asks of it.
        window: Through which others look at it, and switch it.

    Raises:
        InvalidSetting: The detector is unknown, or the gate cannot be set this way.
        DetectorUnavailable: No detector can be loaded.
        InputError: The input cannot be used, or broke; what could be read is saved.
        MicrophoneError: There is no microphone, or it went away for good; what was heard is saved.
        ServerUnreachable: There is no server.
        NotOurServer: Something else answers.
        ServerNotTrusted: Its certificate is not that of the server.
        Refused: The server will not take the stream.
        AudioNotSaved: The client had to stop before everything was saved.
    """
    window = window or Window(url, time.monotonic, push_to_talk=settings.push_to_talk)
    choice = choose_detector(gate.vad)
    if choice.missing is not None:
        get_logger().error("detector_replaced", error=str(choice.missing), using=choice.name)
    batch = batch_of(settings.batch_ms, choice.detector.frame_samples)
    source = await _unless_stopped(_open_source(settings, batch.block_samples), stop)
    if source is None:
        return
    try:
        hello = _hello(settings, datetime.now(UTC))
        bind_contextvars(stream_id=str(hello.stream_id), client=hello.labels["name"])
        get_logger().info("capture_started", source=source.name, vad=choice.name)
        window.listens(source.name)
        line = LineSettings(url, _patience_s(settings, source), settings.keepalive, credentials)
        packer = Packer(line, batch.message_samples, on_saved)
        delivery = await asyncio.to_thread(prepare, settings, packer, hello, url, stop.is_set)
        window.delivers(delivery)
        try:
            silence_ms = await _unless_stopped(_silence_ms(delivery, settings), stop)
            if silence_ms is None:
                raise ServerUnreachable(url, "asked to stop before it answered")
            gate_settings = gate.settings(choice.detector.frame_samples, silence_ms)
            own, audio_gate = delivery.own, AudioGate(choice.detector, gate_settings)
            talk, meter = window.talk, window.meter
            feed = Feed(source, audio_gate, own.stream, own.uplink, own.reporter, talk=talk, meter=meter)
            window.captures(feed, audio_gate, silence_ms / 1000)
            await _run(feed, delivery, stop)
        finally:
            window.finishes()
            await delivery.close()
        get_logger().info("all_saved", recordings=delivery.recordings)
    finally:
        await source.close()


async def _unless_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T | None:
    """The outcome of `work`; None if `stop` is set before it has one."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _silence_ms(delivery: Delivery, settings: ClientSettings) -> int:
    """Connect; returns the silence that ends a segment there."""
    try:
        return await delivery.connect()
    except TransientError as error:
        if not settings.wait_for_server:
            raise
        get_logger().warning("server_awaited", error=str(error))
        return _USUAL_SILENCE_MS


async def _run(feed: Feed, delivery: Delivery, stop: asyncio.Event) -> None:
    """Capture and send until all is saved: as long as it takes, but within a deadline once `stop` is set."""
    try:
        async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as tasks:
            stopping = tasks.create_task(_stop_when(stop, feed, delivery, deadline))
            capturing = tasks.create_task(feed.run())
            try:
                await delivery.run()
            except PlugAndTellError:
                await _take_the_rest(feed, capturing)
                raise
            stopping.cancel()
    except TimeoutError as exc:
        cause = f"not done within {_SHUTDOWN_WITHIN_S:g} s"
        raise AudioNotSaved(delivery.unsaved_samples, cause, delivery.kept_s, delivery.written_s) from exc
    except ExceptionGroup as group:
        error = group.exceptions[0]  # the first to fail; the others ended because of it
        if isinstance(error, TransientError) and delivery.unsaved_samples:
            raise AudioNotSaved(delivery.unsaved_samples, str(error), delivery.kept_s, delivery.written_s) from error
        raise error from error.__cause__
    if broken := capturing.result():
        raise broken
    if delivery.lost_samples:
        raise AudioNotSaved(delivery.lost_samples, "there was no room for what waited, and the oldest had to go")
    if delivery.unconfirmed_samples:
        raise AudioNotSaved(delivery.unconfirmed_samples, "the server ended what was left over without saving it")


async def _take_the_rest(feed: Feed, capturing: asyncio.Task[Any]) -> None:
    """Nothing can be sent any more: what was captured still goes into the spool."""
    feed.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(_TAKE_WITHIN_S):
            await asyncio.wait({capturing})


async def _stop_when(stop: asyncio.Event, feed: Feed, delivery: Delivery, deadline: asyncio.Timeout) -> None:
    await stop.wait()
    feed.stop()
    delivery.hurry()
    deadline.reschedule(asyncio.get_running_loop().time() + _SHUTDOWN_WITHIN_S)


def _patience_s(settings: ClientSettings, source: Source) -> float:
    """What can be read again need not wait for ever; what was heard once has the spool to wait in."""
    if settings.give_up_after is not None:
        return settings.give_up_after
    return math.inf if source.is_live else _GIVE_UP_AFTER_S


async def _open_source(settings: ClientSettings, block_samples: int) -> Source:
    source = _source_of(settings, block_samples)
    try:
        await source.open()
    except NoMicrophone as error:
        if settings.fallback is None:
            raise
        get_logger().warning("no_microphone", error=str(error), streaming_instead=str(settings.fallback))
        source = FileSource(settings.fallback, Pace.REALTIME)
        await source.open()
    return source


def _source_of(settings: ClientSettings, block_samples: int) -> Source:
    if settings.input == MICROPHONE:
        return Microphone(_microphone_settings(settings, block_samples), Machine(system_clocks()))
    if settings.input == STDIN:
        return StdinSource(sys.stdin.buffer if sys.stdin else None)
    return FileSource(settings.input, settings.pace)


def _microphone_settings(settings: ClientSettings, block_samples: int) -> MicrophoneSettings:
    device = settings.device
    return MicrophoneSettings(
        device=int(device) if device and device.isdecimal() else device,
        give_up_after_s=math.inf if settings.mic_give_up_after is None else settings.mic_give_up_after,
        block_ms=SPEECH.ms_from(block_samples),
    )


def _hello(settings: ClientSettings, started_at: datetime) -> Hello:
    return Hello(
        stream_id=uuid4(),
        sample_rate=SPEECH.sample_rate,
        channels=SPEECH.channels,
        started_at=started_at,
        client=ClientInfo("plugandtell-client", version("plugandtell")),
        labels={"name": settings.label or socket.gethostname()},
    )
