"""The microphone as a source: it is listened to, lost, and had again."""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plugandtell.client.absence import Absence
from plugandtell.client.bell import Bell, LoopBell
from plugandtell.client.device_thread import in_daemon_thread
from plugandtell.client.listening import Listening
from plugandtell.client.reopening import Reopening, close_once_open
from plugandtell.client.sound_system import SoundSystem
from plugandtell.client.source import Losses
from plugandtell.client.watchdog import LOOK_EVERY_S, LOOK_WHILE_AWAY_EVERY_S
from plugandtell.core.errors import MicrophoneLost, NoMicrophone
from plugandtell.logservice import Throttle, get_logger
from plugandtell.portaudio import load_sound_library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Future
    from types import ModuleType

    from plugandtell.client.clocks import Clocks
    from plugandtell.client.device_thread import Run
    from plugandtell.client.source import Hole

_STILL_AWAY_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class MicrophoneSettings:
    """Which microphone, and how long it may take.

    Attributes:
        device: See `choose_device`. One that was named is waited for when it is lost; where none was, the default at
            the time serves.
        open_within_s: How long it may take to open at first, the start of PortAudio included.
        close_within_s: How long it may take to close, while the user waits.
        give_up_after_s: How long to wait for one that is lost.
        block_ms: How much audio comes at a time: less than the 160 ms after which its absence is looked at.
    """

    device: str | int | None = None
    open_within_s: float = 10.0
    close_within_s: float = 2.0
    give_up_after_s: float = math.inf
    block_ms: int = 100


@dataclass(frozen=True, slots=True)
class Machine:
    """What a microphone needs of the computer.

    Attributes:
        clocks: What tells how long a hole is.
        load: Where sounddevice comes from.
        bell: Rings when something was heard.
        run: Runs what may wait for a device.
    """

    clocks: Clocks
    load: Callable[[], ModuleType] = load_sound_library
    bell: Bell = field(default_factory=LoopBell)
    run: Run = in_daemon_thread


class Microphone:
    """A `Source` that listens to an input device, and when it is lost, goes on as soon as there is one again."""

    def __init__(self, settings: MicrophoneSettings, machine: Machine) -> None:
        self._settings = settings
        self._wanted = settings.device
        self._clocks = machine.clocks
        self._bell = machine.bell
        self._run = machine.run
        self._sound = SoundSystem(machine.load, self._clocks.elapsed_s, self._bell.ring, settings.block_ms)
        self._reopening = Reopening(self._sound, self._run, self._clocks.awake_s)
        self._name = "default" if settings.device is None else str(settings.device)
        self._listening: Listening | None = None
        self._absence: Absence | None = None
        self._throttle = Throttle(_STILL_AWAY_EVERY_S)
        self._past_losses = Losses()
        self._stopped = False
        self._closed = False

    @property
    def name(self) -> str:
        """The device's name; until it is open, what was asked for."""
        return self._name

    @property
    def is_live(self) -> bool:
        """It does not wait."""
        return True

    @property
    def losses(self) -> Losses:
        """What was heard too fast for us, in the `SPEECH` format, and how often the sound system was too slow."""
        return self._past_losses + self._listening.losses if self._listening else self._past_losses

    async def open(self) -> None:
        """Find the device and start listening.

        Raises:
            NoMicrophone: It cannot be found or opened.
        """
        opening = self._run(lambda: self._sound.open(self._wanted))
        try:
            async with asyncio.timeout(self._settings.open_within_s):
                stream = await asyncio.wrap_future(opening)
        except TimeoutError as exc:
            cause = f"the microphone {self.name!r} did not open within {self._settings.open_within_s:.0f} s"
            hint = "plug it in again, or choose another with --device"
            close_once_open(opening, self._run)
            raise NoMicrophone(cause, hint=hint) from exc
        except asyncio.CancelledError:
            await self._settled([close_once_open(opening, self._run)])
            raise
        self._listening = Listening(stream, self._clocks)
        self._name = stream.device.name
        if isinstance(self._wanted, int):  # the numbers may be others when the sound system is started anew
            self._wanted = stream.device.full_name

    async def chunks(self) -> AsyncIterator[bytes | Hole]:
        """Yield what is heard, block by block, and while the microphone is away, the hole as it grows.

        Raises:
            MicrophoneLost: It did not come back in time; what was heard was yielded before.
        """
        if self._listening is None:
            raise RuntimeError("open() comes before chunks()")
        while not self._stopped:
            for piece in self._look():
                yield piece
            self._give_up_if_gone_too_long()
            # Once stopped, too: the block that is under way holds what was said until then.
            await self._bell.wait(LOOK_EVERY_S if self._listening else LOOK_WHILE_AWAY_EVERY_S)
        for piece in self._end():
            yield piece

    def stop(self) -> None:
        """Listen no longer."""
        self._stopped = True

    async def close(self) -> None:
        """Release the device. One that does not answer is left behind once its deadline has passed."""
        self.stop()
        if self._closed:
            return
        self._closed = True
        closing = self._reopening.end()
        if self._listening is not None:
            closing.append(self._run(self._listening.stream.close))
        await self._settled(closing)

    async def _settled(self, work: list[Future[None]]) -> None:
        """Wait for it, within a deadline: a program that ends with a thread in a sound library may crash."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.close_within_s):
                await asyncio.gather(*map(asyncio.wrap_future, work), return_exceptions=True)

    def _look(self) -> list[bytes | Hole]:
        if self._listening is None and (stream := self._reopening.look(self._wanted)) is not None:
            self._listening = Listening(stream, self._clocks)
        if (listening := self._listening) is None:
            return self._while_away()
        pieces = listening.look()
        if self._absence is not None:
            pieces = [*self._come_back(listening), *pieces] if listening.has_heard else self._while_away()
        if listening.lost:
            pieces += listening.end()
            self._lose(listening, listening.lost)
        return pieces

    def _end(self) -> list[bytes | Hole]:
        """What is left when we stop, whatever becomes of the device."""
        listening, absence = self._listening, self._absence
        if absence is not None and (listening is None or not listening.has_heard):
            return [*absence.end(self._clocks.elapsed_s())]
        assert listening is not None
        pieces = listening.look()
        before = [] if absence is None else self._come_back(listening)
        return [*before, *pieces, *listening.end()]

    def _lose(self, listening: Listening, cause: str) -> None:
        self._past_losses += listening.losses
        self._listening = None
        self._reopening.begin(listening.stream, listening.heard_s)
        if self._absence is not None:  # it came back, but not to life
            self._reopening.trouble = cause
            return
        self._absence = Absence(self._name, cause, listening.heard_to_s, self._clocks.awake_s())
        get_logger().warning("microphone_lost", microphone=self._name, cause=cause)

    def _come_back(self, listening: Listening) -> list[Hole]:
        """The rest of the hole, up to the first sample of the new stream."""
        absence, self._absence = self._absence, None
        assert absence is not None
        rest = absence.end(listening.heard_from_s)
        self._name = listening.stream.device.name
        other = {"instead_of": absence.name} if self._name != absence.name else {}
        get_logger().warning("microphone_reopened", microphone=self._name, hole_s=absence.hole_s, **other)
        return rest

    def _while_away(self) -> list[bytes | Hole]:
        absence, trouble, now_s = self._absence, self._reopening.trouble, self._clocks.awake_s()
        assert absence is not None
        if trouble is not None and self._throttle.is_due("microphone_away", now_s):
            get_logger().warning(
                "microphone_away", microphone=absence.name, trouble=trouble, away_s=now_s - absence.noticed_s
            )
        return [*absence.grow(self._clocks.elapsed_s())]

    def _give_up_if_gone_too_long(self) -> None:
        if (absence := self._absence) is None:
            return
        if self._clocks.awake_s() - absence.noticed_s >= self._settings.give_up_after_s:
            raise MicrophoneLost(absence.name, absence.cause)
