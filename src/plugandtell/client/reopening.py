"""How a lost microphone is had again: its stream is closed, and another opened, as often as it takes."""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import TYPE_CHECKING

from plugandtell.core.errors import NoMicrophone
from plugandtell.core.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.client.device_thread import Run
    from plugandtell.client.sound_system import InputStream, SoundSystem

_FIRST_PAUSE_S = 0.125  # left out: the first try is made at once, the second after twice as long
_LONGEST_PAUSE_S = 5.0
_NO_CHANCE = 1.0  # nobody else waits for this device: the pauses need not be drawn at random
_SOUND_S = 5.0  # a stream that lasted as long was no mere flicker
_CLOSE_WITHIN_S = 2.0
_OPEN_WITHIN_S = 10.0
_MOST_LEFT_BEHIND = 3


def close_once_open(opening: Future[InputStream], run: Run) -> Future[None]:
    """Close a stream that nobody waits for any more, should it open yet. Done when that is done."""
    closed: Future[None] = Future()
    closed.set_running_or_notify_cancel()  # whoever waits may give up, but the work goes on

    def close(opened: Future[InputStream]) -> None:
        run(lambda: opened.result().close()).add_done_callback(lambda _: closed.set_result(None))

    opening.add_done_callback(close)
    return closed


class Reopening:
    """Waits for threads, never in them: `look` returns at once.

    A stream that does not close in time is left behind, and tries go on without starting the sound system anew, which
    is safe only where no stream is open. With `_MOST_LEFT_BEHIND` of them, the next try waits for one to close.

    Args:
        sound: The sound system.
        run: Runs what may wait for a device.
        clock: A monotonic clock in seconds.

    Attributes:
        trouble: Why the last try failed, or what is waited for.
    """

    def __init__(self, sound: SoundSystem, run: Run, clock: Callable[[], float]) -> None:
        self.trouble: str | None = None
        self._sound = sound
        self._run = run
        self._clock = clock
        self._retry = Retry(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, math.inf)
        self._closing: Future[None] | None = None
        self._close_by_s = 0.0
        self._left_behind: list[Future[None]] = []
        self._opening: Future[InputStream] | None = None
        self._open_by_s = 0.0
        self._try_at_s = 0.0

    def begin(self, lost: InputStream, heard_s: float) -> None:
        """Close a stream that is lost, and open another.

        Args:
            lost: The stream.
            heard_s: How much audio came from it. A stream that broke at once was one more try that failed.
        """
        now_s = self._clock()
        self.trouble = None
        self._closing = self._run(lost.close)
        self._close_by_s = now_s + _CLOSE_WITHIN_S
        if heard_s >= _SOUND_S:
            self._retry.progress()
        self._pause()

    def look(self, wanted: str | int | None) -> InputStream | None:
        """The next stream, once there is one. To be called again and again until then."""
        if self._opening is None and self._may_try():
            afresh = not self._left_behind
            self._opening = self._run(lambda: self._sound.reopen(wanted, afresh=afresh))
            self._open_by_s = self._clock() + _OPEN_WITHIN_S
        return self._opened() if self._opening is not None else None

    def end(self) -> list[Future[None]]:
        """Look no more. Gives what is still under way: a stream that closes, one that opens and is closed again."""
        opening, closing = self._opening, self._closing
        self._opening = self._closing = None
        return [
            *([] if closing is None else [closing]),
            *([] if opening is None else [close_once_open(opening, self._run)]),
        ]

    def _may_try(self) -> bool:
        if self._closing is not None and not self._closing.done():
            if self._clock() < self._close_by_s:
                return False
            self._left_behind.append(self._closing)
        self._closing = None
        self._left_behind = [closing for closing in self._left_behind if not closing.done()]
        if len(self._left_behind) >= _MOST_LEFT_BEHIND:
            self.trouble = f"{len(self._left_behind)} streams do not close"
            return False
        return self._clock() >= self._try_at_s

    def _opened(self) -> InputStream | None:
        assert self._opening is not None
        if not self._opening.done():
            # Beside a thread that is stuck in the sound system, another would be none the wiser.
            if self._clock() >= self._open_by_s:
                self.trouble = "the sound system does not answer"
            return None
        opening, self._opening = self._opening, None
        try:
            return opening.result()
        except NoMicrophone as error:
            self.trouble = error.cause
        except Exception as error:  # noqa: BLE001  (whatever a driver does, the next try may fare better)
            self.trouble = f"{type(error).__name__}: {error}"
        self._pause()
        return None

    def _pause(self) -> None:
        now_s = self._clock()
        is_first = not self._retry.tries
        pause_s = self._retry.next_pause_s(now_s, _NO_CHANCE)
        assert pause_s is not None, "it was told never to give up"
        self._try_at_s = now_s if is_first else now_s + pause_s
