"""A client that keeps what is not acknowledged, and tells it again: the real machine, driven over a bare connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from plugandtell.core.audio import SPEECH
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.codec import decode_server
from plugandtell.core.protocol.messages import Welcome
from plugandtell.core.store import MemoryStore
from tests.support.wire import Wire, hello, pcm

if TYPE_CHECKING:
    from plugandtell.core.protocol.messages import Hello, ServerMessage

BATCH = 1600


class Driver:
    """One stream across all its connections.

    Attributes:
        heard: Everything the servers said.
    """

    def __init__(self, greeting: Hello | None = None) -> None:
        self.stream = ClientStream(greeting or hello(), SPEECH, BATCH, MemoryStore(SPEECH, 100_000_000))
        self.heard: list[ServerMessage] = []

    def speak(self, start: int, samples: int) -> None:
        """Capture that much."""
        self.stream.add_audio(start, pcm(start, samples))

    async def run(self, url: str) -> bool:
        """Tell and hear until all is done, or the connection ends; returns whether all is done."""
        self.stream.disconnected()
        async with await Wire.open(url) as wire:
            try:
                await wire.say(self.stream.greeting)
                self._take(await wire.hear(Welcome))
                while (message := self.stream.next_message()) is not None:
                    await wire.say(message)
                while not self.stream.is_complete:
                    self._take(decode_server(await wire.socket.recv()))
            except ConnectionClosed:
                while True:
                    try:  # what came before the end
                        self._take(decode_server(await wire.socket.recv()))
                    except ConnectionClosed:
                        break
        return self.stream.is_complete

    def _take(self, message: ServerMessage) -> None:
        self.heard.append(message)
        self.stream.receive(message)
