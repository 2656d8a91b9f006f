"""A room whose time passes when the microphone sleeps, and in which every sample tells when it was heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from plugandtell.client.clocks import Clocks
from plugandtell.client.microphone import Machine, Microphone, MicrophoneSettings
from plugandtell.client.source import Hole
from plugandtell.core.audio import SPEECH
from tests.client.fake_sound import STUDIO, FakeSound, FakeStream, FakeThreads

if TYPE_CHECKING:
    from collections.abc import Callable

LOUDEST = 20_000
LOOK_S = 0.05
"""The length of a block, and so how often a microphone that hears something is looked at."""


def spoken(first: int, last: int, rate: int = SPEECH.sample_rate) -> npt.NDArray[np.int16]:
    """What is heard from one sample to before another, at this rate: no sample of it is zero."""
    at = np.arange(first, last) * SPEECH.sample_rate // rate
    return (at % LOUDEST + 1).astype(np.int16)


class Room:
    """A machine with a microphone, and time that the test can plan."""

    def __init__(self, sound: FakeSound | None = None) -> None:
        self.sound = sound or FakeSound(*STUDIO)
        self.threads = FakeThreads()
        self.now_s = 0.0
        self.asleep_s = 0.0
        self._is_rung = False
        self._plan: list[tuple[float, Callable[[], object]]] = []

    @property
    def stream(self) -> FakeStream:
        """The stream opened last."""
        return self.sound.streams[-1]

    def machine(self) -> Machine:
        clocks = Clocks(lambda: self.now_s + self.asleep_s, lambda: self.now_s)
        return Machine(clocks, lambda: self.sound, self, self.threads)

    async def microphone(self, **settings: object) -> Microphone:
        """One that is open."""
        microphone = Microphone(MicrophoneSettings(**settings), self.machine())  # type: ignore[arg-type]
        await microphone.open()
        return microphone

    def at(self, now_s: float, action: Callable[[], object]) -> None:
        """Have this done when so much time has passed."""
        self._plan.append((now_s, action))

    def ring(self) -> None:
        """As a bell: what is heard rings it."""
        self._is_rung = True

    async def wait(self, at_most_s: float) -> None:
        """As a bell: time passes, block by block."""
        until_s = round(self.now_s + at_most_s, 6)
        while not self._is_rung and self.now_s < until_s:
            await self.sleep(min(LOOK_S, until_s - self.now_s))
        self._is_rung = False

    async def sleep(self, seconds: float) -> None:
        """Let time pass: what is planned is done, and whoever listens hears what was to be heard."""
        before_s = self.now_s + self.asleep_s
        self.now_s = round(self.now_s + seconds, 6)
        due = [item for item in self._plan if item[0] <= self.now_s]
        self._plan = [item for item in self._plan if item not in due]
        for _, action in due:
            action()
        now_s = self.now_s + self.asleep_s
        for stream in self.sound.streams:
            if stream.is_live:
                self._hear(stream, max(before_s, now_s - seconds), now_s)
        await asyncio.sleep(0)

    def _hear(self, stream: FakeStream, from_s: float, to_s: float) -> None:
        rate, channels = stream.settings["samplerate"], stream.settings["channels"]
        stream.hear(np.repeat(spoken(round(from_s * rate), round(to_s * rate), rate), channels).tobytes())


class Tape:
    """What a microphone yielded, by index: zero where there was a hole."""

    def __init__(self) -> None:
        self.samples = np.zeros(0, np.int16)
        self.holes: list[tuple[int, int, str]] = []
        self.pieces = 0

    async def record(self, microphone: Microphone) -> Tape:
        async for piece in microphone.chunks():
            self.pieces += 1
            if isinstance(piece, Hole):
                self._add_hole(piece)
            else:
                assert piece
                self.samples = np.concatenate([self.samples, np.frombuffer(piece, "<i2")])
        return self

    @property
    def hole_s(self) -> list[tuple[float, float]]:
        """Where each hole begins and ends."""
        return [
            (round(SPEECH.seconds_from(at), 3), round(SPEECH.seconds_from(at + samples), 3))
            for at, samples, _ in self.holes
        ]

    @property
    def is_true_to_time(self) -> bool:
        """Whether each sample that was heard lies where it was spoken."""
        expected = spoken(0, len(self.samples))
        return bool(((self.samples == expected) | (self.samples == 0)).all())

    def _add_hole(self, hole: Hole) -> None:
        assert hole.samples > 0
        at = len(self.samples)
        self.samples = np.concatenate([self.samples, np.zeros(hole.samples, np.int16)])
        if self.holes and sum(self.holes[-1][:2]) == at:
            at, before, _ = self.holes.pop()
            hole = Hole(before + hole.samples, hole.cause)
        self.holes.append((at, hole.samples, hole.cause))


async def taped(room: Room, stop_at_s: float, **settings: object) -> Tape:
    """What a microphone in the room yields until then."""
    microphone = await room.microphone(**settings)
    room.at(stop_at_s, microphone.stop)
    tape = await Tape().record(microphone)
    await microphone.close()
    return tape
