"""The user's command for each recording that was saved."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from plugandtell.command import TOKEN_VARIABLE, TOKENS_VARIABLE
from plugandtell.core.errors import InvalidSetting
from plugandtell.logservice import get_logger
from plugandtell.user_command import UserCommand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from plugandtell.client.settings import ClientSettings
    from plugandtell.core.protocol.messages import Hello, SegmentSaved

VARIABLES: Final = "PLUGANDTELL_SAVED_"
"""What the names of the command's variables begin with: not those of settings, which a command of ours would read."""
END_WITHIN_S: Final = 3.0
_MOST_WAITING: Final = 100


class SavedHook:
    """Runs a command for each recording, one after the other, in the order in which they were saved.

    Whatever becomes of it, the recording is safe: a failure is logged, and no more. When a hundred wait, what is saved
    further runs no command, which is logged as well.

    Args:
        command: The program and its arguments.
        within_s: How long each may take.
        server: The server's address.
        folder: The server's audio folder, if it is known.
    """

    def __init__(self, command: list[str], within_s: float, server: str, folder: Path | None) -> None:
        self._command = UserCommand(command, VARIABLES, within_s, withheld=(TOKEN_VARIABLE, TOKENS_VARIABLE))
        self._server = server
        self._folder = folder
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_MOST_WAITING)
        self._skipped = 0
        self._log = get_logger()

    def take(self, saved: SegmentSaved, hello: Hello) -> None:
        """A recording of a stream was saved."""
        try:
            self._waiting.put_nowait(self._facts(saved, hello))
        except asyncio.QueueFull:
            self._skipped += 1
            self._log.warning("hook_skipped", file=saved.file, skipped=self._skipped, cause=f"{_MOST_WAITING} wait")

    def kill(self) -> None:
        """End the command that runs; safe to call from a signal's handler."""
        self._command.kill()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run commands while this lasts; on the way out, what waits has a moment, and is ended then."""
        task = asyncio.create_task(self._run())
        try:
            yield
            with suppress(TimeoutError):
                async with asyncio.timeout(END_WITHIN_S):
                    await self._waiting.join()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            facts = await self._waiting.get()
            try:
                if cause := await self._command.run(facts):
                    self._log.warning("hook_failed", file=facts["file"], error=cause)
                else:
                    self._log.debug("hook_done", file=facts["file"])
            except asyncio.CancelledError:
                unfinished = self._waiting.qsize() + 1
                self._log.warning("hook_ended", file=facts["file"], unfinished=unfinished, cause="the client ends")
                raise
            except Exception:  # noqa: BLE001  (the boundary of a task)
                self._log.exception("hook_failed", file=facts["file"])
            finally:
                self._waiting.task_done()

    def _facts(self, saved: SegmentSaved, hello: Hello) -> dict[str, Any]:
        facts = {
            "file": saved.file,
            "segment_id": str(saved.segment_id),
            "stream_id": str(hello.stream_id),
            "start_index": saved.start_index,
            "end_index": saved.end_index,
            "duration_ms": saved.duration_ms,
            "reason": saved.reason.value,
            "label": hello.label,
            "server": self._server,
        }
        return facts if self._folder is None else facts | {"path": str(self._folder.resolve() / saved.file)}


def hook_of(settings: ClientSettings, server: str, folder: Path | None) -> SavedHook | None:
    """The hook that the settings ask for.

    Args:
        settings: The client's.
        server: The server's address.
        folder: The server's audio folder, if it is known.

    Raises:
        InvalidSetting: The command names no program that can be found.
    """
    if settings.on_saved is None:
        return None
    command = shlex.split(settings.on_saved)
    if shutil.which(command[0]) is None:
        raise InvalidSetting("--on-saved", settings.on_saved, "a program that is installed, and its arguments")
    return SavedHook(command, settings.on_saved_timeout, server, folder)
