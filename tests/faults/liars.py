"""The campaign of liars: servers that talk nonsense, against a real client that must not lose its head or its audio."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import soundfile
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from plugandtell.client.app import stream_to_server
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import ClientSettings
from plugandtell.core.errors import PlugAndTellError
from plugandtell.core.exit_status import ExitStatus, exit_status_of
from plugandtell.core.journal import scan
from plugandtell.core.pace import Pace
from plugandtell.core.protocol.codec import decode_client, encode
from plugandtell.core.protocol.messages import SUBPROTOCOL, Ack, Audio, Hello, ServerMessage, Welcome
from tests.faults.codec import FROM_SERVER, any_raw
from tests.faults.tally import Tally
from tests.support.speech import RATE
from tests.support.wire import pcm

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S = 60.0
_LISTENS_S = 0.2
_SAMPLES = 3 * RATE
_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4000, 4001, 4002, 4999)
_EXPECTED = {ExitStatus.NO_SERVER, ExitStatus.REFUSED, ExitStatus.NOT_SAVED}


class Liar:
    """A server that welcomes, listens for a while, and then says something that is not so.

    Attributes:
        acknowledged_to: The highest index that a believable acknowledgement named.
        lies: What it did, by kind.
    """

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._sent_to = 0
        self.acknowledged_to = 0
        self.lies: Counter[str] = Counter()

    async def handle(self, socket: ServerConnection) -> None:
        """One connection."""
        try:
            greeting = decode_client(await socket.recv())
            assert isinstance(greeting, Hello)
            if self._dice.random() < 0.2:
                await self._lie(socket, greeting.stream_id)
            await self._tell(socket, Welcome(greeting.stream_id, self.acknowledged_to, 3000, 1_048_576))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LISTENS_S):
                    for _ in range(self._dice.randrange(20)):
                        await self._listen(socket)
            for _ in range(self._dice.randint(1, 3)):
                await self._lie(socket, greeting.stream_id)
            await socket.close(self._dice.choice(_CODES), self._dice.choice(("", "because", "é" * 60)))
        except ConnectionClosed:
            return

    async def _listen(self, socket: ServerConnection) -> None:
        message = decode_client(await socket.recv())
        if isinstance(message, Audio):
            self._sent_to = max(self._sent_to, message.start + len(message.pcm) // 2)
            if self._dice.random() < 0.5:
                self.acknowledged_to = self._sent_to
                await self._tell(socket, Ack(self._sent_to))

    async def _lie(self, socket: ServerConnection, stream_id: UUID) -> None:
        kind = self._dice.choice(tuple(_LIES))
        self.lies[kind] += 1
        await _LIES[kind](self, socket, stream_id)

    async def _tell(self, socket: ServerConnection, message: ServerMessage) -> None:
        await socket.send(encode(message))

    async def ack_too_much(self, socket: ServerConnection, _stream_id: UUID) -> None:
        """Claim audio that was never sent: of the same seed, always more than there is."""
        await self._tell(socket, Ack(self._dice.choice((_SAMPLES + 1, 2**40))))

    async def ack_backwards(self, socket: ServerConnection, _stream_id: UUID) -> None:
        """Forget what was acknowledged."""
        await self._tell(socket, Ack(self._dice.randint(0, self.acknowledged_to)))

    async def welcome_again(self, socket: ServerConnection, stream_id: UUID) -> None:
        """Welcome twice, or somebody else."""
        other = UUID(int=self._dice.getrandbits(128))
        await self._tell(socket, Welcome(self._dice.choice((stream_id, other)), 0, 3000, 1_048_576))

    async def noise(self, socket: ServerConnection, _stream_id: UUID) -> None:
        """Say what is no message, or one that is a little wrong."""
        raw = any_raw(self._dice, FROM_SERVER)
        if isinstance(raw, str) and '"stored_to"' in raw:
            return  # it might be believable
        if isinstance(raw, str) and '"resume_from"' in raw:
            return
        await socket.send(raw)

    async def flood(self, socket: ServerConnection, _stream_id: UUID) -> None:
        """Say far too much at once."""
        await socket.send(json.dumps({"type": "error", "code": "x", "message": "y" * 200_000}))

    async def drop(self, socket: ServerConnection, _stream_id: UUID) -> None:
        """Leave without a word."""
        socket.transport.abort()


_LIES = {
    "ack_too_much": Liar.ack_too_much,
    "ack_backwards": Liar.ack_backwards,
    "welcome_again": Liar.welcome_again,
    "noise": Liar.noise,
    "flood": Liar.flood,
    "drop": Liar.drop,
}


async def run_liar(seed: int, folder: Path) -> Tally:
    """One client against one liar.

    Raises:
        AssertionError: The client ended in a way that no document says, or let go of what was not acknowledged.
    """
    liar = Liar(Random(seed))
    soundfile.write(folder / "in.wav", np.frombuffer(pcm(0, _SAMPLES), "<i2"), RATE, subtype="PCM_16")
    async with (
        asyncio.timeout(WITHIN_S),
        serve(liar.handle, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None) as server,
    ):
        port = next(iter(server.sockets)).getsockname()[1]
        status = await _status_of(folder, f"ws://127.0.0.1:{port}")
    assert status in _EXPECTED, f"exit code {status}"
    _check_spool(folder, liar.acknowledged_to)
    return Tally(Counter(liars=1), Counter({f"lie_{kind}": count for kind, count in liar.lies.items()}))


async def _status_of(folder: Path, url: str) -> ExitStatus:
    settings = ClientSettings(
        input=str(folder / "in.wav"), pace=Pace.FAST, label="laptop", give_up_after=0.5, spool_dir=folder / "spool"
    )
    try:
        await stream_to_server(settings, GateOptions(vad="none"), url, asyncio.Event(), lambda _saved, _hello: None)
    except PlugAndTellError as error:
        return exit_status_of(error)
    return ExitStatus.OK


def _check_spool(folder: Path, acknowledged_to: int) -> None:
    """What was heard and not acknowledged is in the spool, for the next client to send."""
    kept, first = 0, None
    for path in sorted(folder.glob("spool/*/*.chunk")):
        for item in scan(path.read_bytes()).records:
            if isinstance(item, Audio):
                assert bytes(item.pcm) == pcm(item.start, len(item.pcm) // 2), "the spool holds something else"
                first = item.start if first is None else first
                kept = max(kept, item.start + len(item.pcm) // 2)
    if first is not None:
        assert first <= acknowledged_to <= kept, f"the spool has {first} to {kept}, the server up to {acknowledged_to}"
