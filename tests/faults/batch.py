"""Many runs of a campaign at once, under eyes that see every traceback."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from tests.faults.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    Run = Callable[[int, Path], Awaitable[Tally]]

AT_ONCE = 8


class Watch(logging.Handler):
    """Collects what should not be in a log: tracebacks, and what asyncio finds nobody to tell of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.tracebacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record of the standard library's log."""
        if record.exc_info:
            self.tracebacks.append(f"{record.name}: {record.getMessage()}\n{_text_of(record.exc_info[1])}")

    def take_unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception handler of an event loop."""
        self.tracebacks.append(f"asyncio: {context['message']}\n{_text_of(context.get('exception'))}")


def _text_of(error: BaseException | None) -> str:
    return "".join(traceback.format_exception(error)) if error is not None else ""


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch the log.

    Raises:
        AssertionError: At the end, if there was a traceback in it.
    """
    watch = Watch()
    logging.getLogger().addHandler(watch)
    try:
        with capture_logs() as entries:
            asyncio.get_running_loop().set_exception_handler(watch.take_unhandled)
            yield watch
    finally:
        logging.getLogger().removeHandler(watch)
    watch.tracebacks += [repr(entry) for entry in entries if entry.get("exc_info")]
    assert not watch.tracebacks, "a traceback is in the log:\n" + "\n".join(watch.tracebacks)


async def run_batch(name: str, run: Run, seeds: Iterable[int], at_once: int = AT_ONCE) -> Tally:
    """Run these seeds, several at a time.

    Raises:
        AssertionError: Of each seed that failed, how, and how to run it again.
    """
    tally = Tally()
    failures: list[str] = []
    slots = asyncio.Semaphore(at_once)

    async def one(seed: int) -> None:
        async with slots:
            with tempfile.TemporaryDirectory(prefix="faults-") as folder:
                try:
                    tally.add(await run(seed, Path(folder)))
                except Exception as error:  # noqa: BLE001  (any is a finding)
                    again = f'make soak ARGS="{name} --seed {seed} --count 1"'
                    failures.append(f"{name} {seed} failed; again: {again}\n{_text_of(error)}")

    with watching():
        async with asyncio.TaskGroup() as tasks:
            for seed in seeds:
                tasks.create_task(one(seed))
    assert not failures, "\n".join(failures)
    return tally
