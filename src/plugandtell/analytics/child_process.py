"""A child process as the pool sees it: started, given one job at a time, ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.framing import HEAD, BadFrame, Start, Tag, frame, parse_failure, parse_head, pickled
from plugandtell.analytics.job_limit import JobLimit
from plugandtell.analytics.memory import memory_bytes
from plugandtell.analytics.service import RESULT_OF
from plugandtell.analytics.wire import from_json
from plugandtell.core.errors import ChildCrashed, EngineFailed, PlugAndTellError, StageTimedOut
from plugandtell.logservice import current_level, get_logger, log_forwarded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from plugandtell.analytics.service import CallInput, Service, StageResult
    from plugandtell.core.call import Stage

_MB: Final = 1_000_000
_LAST_WORDS_BYTES: Final = 8_000
_CHECK_MEMORY_EVERY_S: Final = 0.5
_DYING_S: Final = 2.0
"""How long a child that has closed its end of the pipes may take to be gone."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What a child may use.

    Attributes:
        start_s: The longest that making its service may take, in which a model may have to be downloaded.
        fetch_s: The longest that fetching a call's audio may take, which the time limit of its job does not count.
        max_jobs: After so many jobs it gives way to a new one.
        max_mb: So does one that holds more memory than that after a job.
        kill_mb: A child that holds more than that is killed in the midst of its job.

    Raises:
        ValueError: A field is out of range.
    """

    start_s: float = 900.0
    fetch_s: float = 1800.0
    max_jobs: int = 500
    max_mb: float = 1500.0
    kill_mb: float = 4000.0

    def __post_init__(self) -> None:
        if self.start_s <= 0 or self.fetch_s < 0 or self.max_jobs < 1 or not 0 < self.max_mb <= self.kill_mb:
            raise ValueError(f"limits that no child can keep: {self}")


class DiedIdle(Exception):
    """The child was gone before it took the job in hand, so that the job is not to blame."""


class Child:
    """A running child; made by `start`. It does one job at a time; one that is cut off is its last.

    Attributes:
        stage: Whose service it has.
    """

    def __init__(self, process: asyncio.subprocess.Process, stage: Stage, limits: ChildLimits, temporary: Path) -> None:
        self.stage = stage
        self._process = process
        self._limits = limits
        self._temporary = temporary
        self._jobs = 0
        self._is_ready = False
        self._has_taken = False
        self._is_killed = False
        self._grew_too_large = False
        self._last_words = b""
        self._going: asyncio.Task[None] | None = None
        self._listening = asyncio.create_task(self._listen(), context=Context())  # it outlives the call that starts it

    @classmethod
    async def start(cls, stage: Stage, limits: ChildLimits, temporary: Path) -> Child:
        """Start one.

        Args:
            stage: Whose service it will be.
            limits: What the child may use.
            temporary: Folder for its temporary files, which is removed at its end.

        Raises:
            OSError: The system starts no more processes.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a file of the working folder must not stand in for a library
            "-m",
            "plugandtell.analytics.child",
            str(os.getpid()),
            stage.value,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(temporary),
            start_new_session=sys.platform != "win32",  # out of reach of the terminal's Ctrl-C
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        return cls(process, stage, limits, temporary)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """Whether it should be given another job."""
        if self._is_killed or self._process.returncode is not None or self._jobs >= self._limits.max_jobs:
            return False
        return (memory_bytes(self.pid) or 0) <= self._limits.max_mb * _MB

    async def get_ready(self, factory: Callable[[Stage], Service]) -> None:
        """Wait until its service is made. Idempotent.

        Args:
            factory: Makes the service, in the child; can be pickled.

        Raises:
            PlugAndTellError: What making the service raised; EngineFailed for what it did not raise on purpose.
            ChildCrashed: The child died of it.
            StageTimedOut: It took too long.
        """
        if self._is_ready:
            return
        self._has_taken = True
        try:
            async with self._guarded(f"{self.stage.value} (starting)", self._limits.start_s):
                await self._send(Tag.START, pickled(Start(self.stage, factory, current_level())))
                await self._expect(Tag.READY)
        except BaseException:
            self.kill()
            raise
        self._is_ready = True

    async def do(self, call: CallInput, limit_s: float, per_audio_s: float) -> StageResult:
        """Do a job.

        Args:
            call: What is known of the call.
            limit_s: How long it may take, without what fetching its audio takes, where the service tells of that.
            per_audio_s: What is added to that for each second of audio, where the service tells its length.

        Raises:
            PlugAndTellError: What the service raised; EngineFailed for what it did not raise on purpose.
            ChildCrashed: The child died of it, or was killed because it took too much memory.
            StageTimedOut: It took too long.
            DiedIdle: The child was gone already.
        """
        self._jobs += 1
        self._has_taken = False
        async with self._guarded(f"{self.stage.value} of call {call.call_id}", limit_s) as timeout:
            limit = JobLimit(timeout.when() or 0.0, per_audio_s, self._limits.fetch_s)
            await self._send(Tag.JOB, pickled(call))
            await self._expect(Tag.TAKEN)
            self._has_taken = True
            while (answer := await self._next())[0] is not Tag.RESULT:
                limit.heed(*answer, asyncio.get_running_loop().time())
                timeout.reschedule(limit.ends_at_s)
            return from_json(answer[1], RESULT_OF[self.stage])

    def kill(self) -> None:
        """End it now, with whatever it started. Idempotent."""
        self._is_killed = True
        if self._process.returncode is None:
            self._kill_all()

    def _kill_all(self) -> None:
        """Kill the child and what it started, which is in its group; where there are no groups, the child."""
        with suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """End it, wait until it is gone, and remove its temporary files. Idempotent."""
        self.kill()
        await self._gone()
        await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)

    @asynccontextmanager
    async def _guarded(self, work: str, limit_s: float) -> AsyncIterator[asyncio.Timeout]:
        """Hold what happens in the block to limits; but for an error that it tells of, a child that fails is ended."""
        began = asyncio.get_running_loop().time()
        watching = asyncio.create_task(self._watch_memory(), context=Context())
        try:
            async with asyncio.timeout(limit_s) as timeout:
                yield timeout
        except PlugAndTellError:
            raise
        except TimeoutError:
            self.kill()
            raise StageTimedOut(work, round((timeout.when() or began) - began, 3)) from None
        except (EOFError, ConnectionError):
            await self._gone()
            if not self._has_taken:
                raise DiedIdle from None
            raise self._crashed(work) from None
        except ValueError as exc:  # a frame, a length or a result that is none
            self.kill()
            raise EngineFailed(work, f"its answer cannot be read: {exc}") from exc
        except BaseException:
            self.kill()
            raise
        finally:
            watching.cancel()

    async def _send(self, tag: Tag, payload: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(frame(tag, payload))
        await self._process.stdin.drain()

    async def _expect(self, expected: Tag) -> None:
        tag, _ = await self._next()
        if tag is not expected:
            raise BadFrame(f"{tag.name} instead of {expected.name}")

    async def _next(self) -> tuple[Tag, bytes]:
        """The next frame, but for events, which are logged, and errors, which are raised."""
        assert self._process.stdout is not None
        while True:
            tag, length = parse_head(await self._process.stdout.readexactly(HEAD.size))
            payload = await self._process.stdout.readexactly(length)
            if tag is Tag.FAILED:
                raise parse_failure(payload)
            if tag is not Tag.LOG:
                return tag, payload
            with suppress(ValueError):  # it is the child's own loss
                log_forwarded(payload.decode())

    async def _watch_memory(self) -> None:
        while not self._grew_too_large:
            await asyncio.sleep(_CHECK_MEMORY_EVERY_S)
            used_bytes = await asyncio.to_thread(memory_bytes, self.pid)
            self._grew_too_large = (used_bytes or 0) > self._limits.kill_mb * _MB
        self.kill()

    async def _listen(self) -> None:
        """Read standard error to its end, so that the child is never held up by it; its last words may be asked for."""
        assert self._process.stderr is not None
        while said := await self._process.stderr.read(_LAST_WORDS_BYTES):
            self._last_words = (self._last_words + said)[-_LAST_WORDS_BYTES:]
            text = said.decode(errors="replace")
            get_logger().debug("child_wrote", stage=self.stage.value, child=self.pid, text=text)

    async def _gone(self) -> None:
        """Wait until it is gone, with what it started, and kill what takes its time."""
        self._is_killed = True
        if self._going is None:
            self._going = asyncio.create_task(self._go(), context=Context())
        await asyncio.shield(self._going)

    async def _go(self) -> None:
        exiting = asyncio.create_task(self._process.wait())
        await asyncio.wait({exiting}, timeout=_DYING_S)
        # What it started holds its pipes open, and would be an orphan. While one is left, nobody else gets the number
        # of the group; when none is, there was a moment since for somebody to get it, which is as good as none.
        self._kill_all()
        await asyncio.wait({exiting, self._listening})

    def _crashed(self, work: str) -> ChildCrashed:
        error = ChildCrashed(work, self._death())
        if self._last_words:
            error.add_note(f"its last words:\n{self._last_words.decode(errors='replace')}")
        return error

    def _death(self) -> str:
        code = self._process.returncode or 0
        if self._grew_too_large:
            return f"it used more than {self._limits.kill_mb:g} MB of memory"
        if code == -signal.SIGKILL:
            return "signal 9, SIGKILL: something killed it, perhaps the system for want of memory"
        return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _environment(temporary: Path) -> dict[str, str]:
    """The child finds modules where this process does, and leaves temporary files where they will be removed."""
    folder = str(temporary)
    modules = os.pathsep.join(place or os.getcwd() for place in sys.path)  # noqa: PTH109  (text, as the rest of it)
    return os.environ | {"PYTHONPATH": modules, "TMPDIR": folder, "TEMP": folder, "TMP": folder}
