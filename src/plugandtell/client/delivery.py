"""What is to be delivered, in order: what earlier clients left in the spool, then what this one hears."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.client.reporter import Reporter
from plugandtell.client.settings import ClientSettings, Leftovers
from plugandtell.client.spool import Spool, SpooledStream, default_folder, is_same_host
from plugandtell.client.uplink import Uplink
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import AudioNotSaved, PlugAndTellError, Refused, TransientError
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.store import MemoryStore
from plugandtell.logservice import bound_contextvars, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugandtell.client.connecting import LineSettings
    from plugandtell.core.protocol.messages import Hello, SegmentSaved

_MEMORY_S = 600.0
"""How much audio memory holds where there is no spool: 19 MB."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A stream on its way.

    Attributes:
        stream: What is to be told.
        uplink: Its line.
        reporter: Tells the log of it.
        spooled: Where it is in the spool, if it is there.
    """

    stream: ClientStream
    uplink: Uplink
    reporter: Reporter
    spooled: SpooledStream | None


class Packer:
    """Makes parcels of streams.

    Args:
        line: Where they go.
        batch_samples: See `ClientStream`.
        on_saved: Told of every recording, once, and what its stream said of itself.
    """

    def __init__(self, line: LineSettings, batch_samples: int, on_saved: Callable[[SegmentSaved, Hello], None]) -> None:
        self._line = line
        self._batch_samples = batch_samples
        self._on_saved = on_saved

    def new(self, hello: Hello, spool: Spool | None) -> Parcel:
        """A stream that begins now, in the spool if there is one that can be written."""
        spooled = None
        if spool is not None:
            try:
                spooled = spool.begin(hello, self._line.url)
            except OSError as exc:
                get_logger().error("spool_failed", folder=str(spool.folder), error=str(exc), kept_in="memory")
        return self._pack(hello, spooled)

    def leftover(self, spooled: SpooledStream) -> Parcel:
        """A stream of an earlier client, which is over. Reads all that is left of it, so it may take a second."""
        parcel = self._pack(spooled.hello, spooled)
        parcel.stream.end()
        return parcel

    def _pack(self, hello: Hello, spooled: SpooledStream | None) -> Parcel:
        memory_bytes = SPEECH.bytes_in(SPEECH.samples_from_s(_MEMORY_S))
        store = spooled.store if spooled is not None else MemoryStore(SPEECH, memory_bytes)
        stream = ClientStream(hello, SPEECH, self._batch_samples, store)
        reporter = Reporter(lambda saved: self._on_saved(saved, hello), time.monotonic)
        uplink = Uplink(self._line, stream, reporter.take_message, time.monotonic, random.random)
        return Parcel(stream, uplink, reporter, spooled)


class Delivery:
    """Delivers the leftovers, the oldest first, and then the client's own stream.

    A leftover that the server refuses for good stays in the spool, is said, and does not stop the rest.

    Args:
        spool: Where the leftovers are.
        leftovers: Streams of earlier clients.
        own: What this client hears, meanwhile and later.

    Attributes:
        unconfirmed_samples: Audio of leftovers that a server took, and did not say was saved before it ended them.
    """

    def __init__(self, spool: Spool | None, leftovers: Sequence[Parcel], own: Parcel) -> None:
        self.own = own
        self._spool = spool
        self._leftovers = list(leftovers)
        self._lost_samples = 0
        self._recordings = 0
        self.unconfirmed_samples = 0
        self._log = get_logger()

    @property
    def recordings(self) -> int:
        """How many were saved."""
        return self._recordings + sum(parcel.reporter.recordings for parcel in self._parcels)

    @property
    def is_up(self) -> bool:
        """Whether the server is there, for one stream or the other."""
        return any(parcel.uplink.is_up for parcel in self._parcels)

    @property
    def leftovers(self) -> int:
        """How many streams of earlier clients are still to be delivered."""
        return len(self._leftovers)

    @property
    def waiting_samples(self) -> int:
        """Audio that no server has acknowledged."""
        return sum(parcel.stream.unacknowledged_samples for parcel in self._parcels)

    @property
    def unsaved_samples(self) -> int:
        """Audio that no server has confirmed as saved."""
        return sum(parcel.stream.unsaved_samples for parcel in self._parcels)

    @property
    def written_s(self) -> float:
        """Audio that a server has written, in recordings that it has not closed yet."""
        return SPEECH.seconds_from(max(0, self.unsaved_samples - self.waiting_samples))

    @property
    def kept_s(self) -> float:
        """Audio on disk that no server has."""
        spooled = [
            max(0, parcel.stream.unacknowledged_samples - parcel.spooled.store.memory_samples)
            for parcel in self._parcels
            if parcel.spooled is not None
        ]
        return SPEECH.seconds_from(sum(spooled))

    @property
    def lost_samples(self) -> int:
        """Audio that had to be given up."""
        return self._lost_samples + sum(parcel.stream.lost_samples for parcel in self._parcels)

    @property
    def _parcels(self) -> list[Parcel]:
        return [*self._leftovers, self.own]

    async def connect(self) -> int:
        """Connect the first that the server takes; returns its silence in milliseconds.

        Raises:
            PlugAndTellError: As `Uplink.connect` does.
        """
        while self._leftovers:
            first = self._leftovers[0]
            try:
                with bound_contextvars(stream_id=str(first.stream.hello.stream_id)):
                    return (await first.uplink.connect()).silence_ms
            except Refused as error:
                await self._leave(first, error)
        return (await self.own.uplink.connect()).silence_ms

    async def run(self) -> None:
        """Deliver everything.

        Raises:
            PlugAndTellError: As `Uplink.run` does.
        """
        while self._leftovers:
            first = self._leftovers[0]
            hello = first.stream.hello
            with bound_contextvars(stream_id=str(hello.stream_id), client=hello.label):
                try:
                    await first.uplink.run()
                except TransientError:
                    raise
                except PlugAndTellError as error:
                    await self._leave(first, error)
                else:
                    self._log.info("leftover_sent", recordings=first.reporter.recordings)
                    await self._settle(first)
            await first.uplink.close()
        await self.own.uplink.run()

    def hurry(self) -> None:
        """The user wants to go."""
        for parcel in self._parcels:
            parcel.uplink.hurry()

    async def close(self) -> None:
        """Close the lines, and leave in the spool what the server does not have."""
        if self.kept_s:
            self._log.warning("audio_kept", seconds=self.kept_s, folder=str(self._spool and self._spool.folder))
        for parcel in self._parcels:
            await parcel.uplink.close()
            await self._put_away(parcel)

    async def _leave(self, parcel: Parcel, error: PlugAndTellError) -> None:
        if isinstance(error, AudioNotSaved):
            self.unconfirmed_samples += error.samples
        kept_s = SPEECH.seconds_from(parcel.stream.unacknowledged_samples)
        self._log.error("leftover_not_sent", error=str(error), kept_s=kept_s)
        await self._settle(parcel)

    async def _settle(self, parcel: Parcel) -> None:
        self._leftovers.remove(parcel)
        self._recordings += parcel.reporter.recordings
        self._lost_samples += parcel.stream.lost_samples
        await self._put_away(parcel)

    async def _put_away(self, parcel: Parcel) -> None:
        """In a thread: it may have to wait for another client that holds the spool, and capture must not."""
        if self._spool is None or parcel.spooled is None:
            return
        put_away = self._spool.release if parcel.stream.unacknowledged_samples else self._spool.remove
        await asyncio.to_thread(put_away, parcel.spooled)


def prepare(
    settings: ClientSettings, packer: Packer, hello: Hello, server: str, is_stopped: Callable[[], bool]
) -> Delivery:
    """Find what is left in the spool, and make a place for what is heard now. Reads all leftovers: call it in a thread.

    A spool that cannot be used is said; the audio is kept in memory then. Once `is_stopped`, no more of it is read.
    """
    spool, found = _open_spool(settings)
    if spool is None:
        return Delivery(None, [], packer.new(hello, None))
    leftovers = []
    for spooled in found:
        if is_stopped():
            spool.release(spooled)
            continue
        if settings.leftovers is Leftovers.SAME_HOST and not is_same_host(spooled.server, server):
            hint = f"--server={spooled.server} or --leftovers=any sends it"
            get_logger().warning("leftover_of_another_server", server=spooled.server, hint=hint)
            spool.release(spooled)
            continue
        parcel = packer.leftover(spooled)
        if parcel.stream.unacknowledged_samples:
            seconds = SPEECH.seconds_from(parcel.stream.unacknowledged_samples)
            get_logger().info("leftover_found", stream_id=str(spooled.hello.stream_id), seconds=seconds)
            leftovers.append(parcel)
        else:
            spool.remove(spooled)
    return Delivery(spool, leftovers, packer.new(hello, spool))


def _open_spool(settings: ClientSettings) -> tuple[Spool | None, list[SpooledStream]]:
    """The spool, and what is left over in it, if it can be used."""
    if not settings.spool_mb:
        return None, []
    folder = settings.spool_dir or default_folder()
    try:
        spool = Spool(folder, round(settings.spool_mb * 1_000_000), SPEECH)
        return spool, [] if settings.leftovers is Leftovers.NONE else spool.leftovers()
    except OSError as exc:
        get_logger().error("spool_failed", folder=str(folder), error=str(exc), kept_in="memory")
        return None, []
