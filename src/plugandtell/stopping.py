"""How a process is asked to stop: Ctrl-C, a signal, or the end of the process that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Windows has neither SIGTERM from outside nor SIGHUP, but lets Ctrl-Break through to a process group of its own.
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
_STDIN = 0


@contextmanager
def stop_requests(
    *,
    lifeline: bool = False,
    finish: asyncio.Event | None = None,
    told: Callable[[str], None] | None = None,
    at_once: Callable[[], None] | None = None,
) -> Iterator[asyncio.Event]:
    """An event that is set when the process should stop.

    The first signal sets it; a second one acts as if this were not here, and ends the process at once.

    Args:
        lifeline: Stop as well when standard input ends. A parent that holds the other end stops its child by closing
            it, on every platform, and cannot leave it behind when it dies.
        finish: Set when such a parent writes anything: what is in hand should be finished first.
        told: Called with each line that such a parent writes.
        at_once: Called before a second signal ends the process.
    """
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    restore = _watch_windows(loop, event) if sys.platform == "win32" else _watch_posix(loop, event, at_once)
    if lifeline:
        threading.Thread(target=_wait_for_end_of_stdin, args=(loop, event, finish, told), daemon=True).start()
    try:
        yield event
    finally:
        restore()


def _watch_posix(
    loop: asyncio.AbstractEventLoop, event: asyncio.Event, at_once: Callable[[], None] | None
) -> Callable[[], None]:
    # nohup ignores SIGHUP for us, and that is to stay. A shell that starts us in the background ignores SIGINT too, but
    # whoever sends it to us then means it.
    ignores_hang_up = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    watched = [number for number in _SIGNALS if number != signal.SIGHUP or not ignores_hang_up]

    def restore() -> None:
        for number in watched:
            loop.remove_signal_handler(number)

    def request() -> None:
        event.set()
        restore()
        if at_once is not None:
            for number in watched:
                if (
                    number != signal.SIGINT
                ):  # which raises KeyboardInterrupt, and so comes past all that is to be undone
                    signal.signal(number, partial(_end_at_once, at_once))

    for number in watched:
        loop.add_signal_handler(number, request)
    return restore


def _end_at_once(before: Callable[[], None], number: int, _frame: object) -> None:
    before()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _watch_windows(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> Callable[[], None]:
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def request(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(event.set)
        restore()

    for number in _SIGNALS:
        signal.signal(number, request)
    return restore


def _wait_for_end_of_stdin(
    loop: asyncio.AbstractEventLoop,
    stop: asyncio.Event,
    finish: asyncio.Event | None,
    told: Callable[[str], None] | None,
) -> None:
    """Read past `sys.stdin`: a daemon thread must not hold its lock while the interpreter ends."""
    rest = b""
    with suppress(OSError, RuntimeError):  # RuntimeError: the loop has ended meanwhile
        while part := os.read(_STDIN, 4096):
            if finish is not None:
                loop.call_soon_threadsafe(finish.set)
            *lines, rest = (rest + part).split(b"\n")
            if told is not None:
                for line in lines:
                    loop.call_soon_threadsafe(told, line.decode(errors="replace"))
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
