"""Threads for what may wait for a device, so that one that is stuck holds up neither the event loop nor the exit."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Run(Protocol):
    """Runs work elsewhere, and gives its outcome when there is one."""

    def __call__(self, work: Callable[[], T], /) -> Future[T]:
        """Begin."""


def in_daemon_thread(work: Callable[[], T], /) -> Future[T]:
    """Run `work`, which may never return."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()  # whoever waits may give up, but the work goes on

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as exc:  # noqa: BLE001  (raised again where it is awaited)
            outcome.set_exception(exc)

    threading.Thread(target=run, name="audio device", daemon=True).start()
    return outcome
