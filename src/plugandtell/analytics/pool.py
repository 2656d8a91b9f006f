"""Runs services in child processes, so that whatever happens in one ends a job, and not the program.

A child makes one service and uses it for one call at a time. It is killed when a job takes too long or too much
memory, is cancelled, or ends in what nobody expected; it gives way to a new one after many jobs, or when it has grown;
it dies with its parent, whatever the parent dies of.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.child_process import Child, ChildLimits, DiedIdle
from plugandtell.analytics.scratch import Scratch
from plugandtell.core.errors import ChildCrashed, EngineFailed, PermanentError, TransientError
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Self

    from plugandtell.analytics.service import CallInput, Service, StageResult
    from plugandtell.core.call import Stage

_TRIES: Final = 3
"""How many children may be found dead, one after another, before a job is given up."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many children there are, and what each may use.

    Attributes:
        children: Of each stage at the most; further jobs wait until one is free, in the order in which they came.
        idle_s: A child without a job for so long is ended, and its memory is free.
        per_audio_s: What is added to the time limit of a stage's job for each second of the call's audio, as soon as
            the service tells how long that is (see `TellsLength`).
        limits: What each may use.

    Raises:
        ValueError: A field is out of range.
    """

    children: int = 1
    idle_s: float = 600.0
    per_audio_s: Mapping[Stage, float] = field(default_factory=dict)
    limits: ChildLimits = field(default_factory=ChildLimits)

    def __post_init__(self) -> None:
        if self.children < 1 or self.idle_s < 0:
            raise ValueError(f"settings that no pool can have: {self}")


class Pool:
    """The children of this process. It belongs to the event loop in which it is entered.

    Args:
        factory: Makes the service of a stage, in a child: it must be possible to pickle it.
        settings: How many children there are, and what each may use.
        data_dir: Below it is a folder for their temporary files.
    """

    def __init__(self, factory: Callable[[Stage], Service], settings: PoolSettings, data_dir: Path) -> None:
        self._factory = factory
        self._settings = settings
        self._data_dir = data_dir
        self._slots: dict[Stage, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.children))
        self._idle: dict[Stage, list[Child]] = defaultdict(list)
        self._patience: dict[Child, asyncio.TimerHandle] = {}
        self._busy: set[Child] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._scratch: Scratch | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        """Raises FolderUnusable where there is no room for temporary files."""
        self._scratch = await asyncio.to_thread(Scratch, self._data_dir / "temporary")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def run(self, stage: Stage, call: CallInput, limit_s: float) -> StageResult:
        """Do a stage's work for a call. Cancelling it ends the work.

        Args:
            stage: The stage.
            call: What is known of the call.
            limit_s: How long it may take from when a child has it in hand, but for what the settings add.

        Raises:
            PlugAndTellError: What the service raised, or making it; EngineFailed for what was not raised on purpose.
            ChildCrashed: The child died of it, or was killed because it took too much memory.
            StageTimedOut: It took too long.
        """
        for _ in range(_TRIES):
            with suppress(DiedIdle):
                async with self._lent(stage) as child:
                    return await child.do(call, limit_s, self._settings.per_audio_s.get(stage, 0.0))
        raise EngineFailed(stage.value, f"{_TRIES} of its processes ended before they took the call in hand")

    async def warm(self, stage: Stage) -> None:
        """Have a child ready, to know that its service can be made here.

        Raises:
            PlugAndTellError: It cannot; see `run`.
        """
        async with self._lent(stage):
            pass

    async def warm_all(self, stages: Iterable[Stage]) -> None:
        """Have a child ready for each, and let pass what another try may mend: a job will be that try.

        Raises:
            PermanentError: The first service that cannot be made here.
        """

        async def warm(stage: Stage) -> PermanentError | None:
            try:
                await self.warm(stage)
            except PermanentError as error:
                return error
            except TransientError as error:
                get_logger().warning("service_not_ready", stage=stage.value, error=str(error))
            return None

        for error in await asyncio.gather(*map(warm, stages)):
            if error is not None:
                raise error

    async def close(self) -> None:
        """End all children, and remove their temporary files. Idempotent; what still runs fails, to be tried again."""
        self._is_closed = True
        for child in [child for children in self._idle.values() for child in children]:
            self._retire(child)
        for child in self._busy:
            self._end(child)
        while self._leaving:
            await asyncio.wait(self._leaving)
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.close)

    @asynccontextmanager
    async def _lent(self, stage: Stage) -> AsyncIterator[Child]:
        """A child for a job, when it is this one's turn."""
        async with self._slots[stage]:
            child = self._waiting_child(stage) or await self._new_child(stage)
            self._busy.add(child)
            try:
                await child.get_ready(self._factory)
                yield child
            except ChildCrashed:
                self._check_open(stage)
                raise
            finally:
                self._busy.discard(child)
                self._give_back(child)

    def _check_open(self, stage: Stage) -> None:
        if self._is_closed:
            raise EngineFailed(stage.value, "the worker is being stopped")

    def _waiting_child(self, stage: Stage) -> Child | None:
        """The one that was used last, so that those that are not needed become idle."""
        while self._idle[stage]:
            child = self._idle[stage].pop()
            self._patience.pop(child).cancel()
            if child.is_usable:
                return child
            self._end(child)
        return None

    async def _new_child(self, stage: Stage) -> Child:
        assert self._scratch is not None, "a pool is entered before it is used"
        self._check_open(stage)
        try:
            folder = await asyncio.to_thread(self._scratch.new_folder)
            child = await Child.start(stage, self._settings.limits, folder)
        except OSError as exc:
            raise EngineFailed(stage.value, f"no process can be started for it: {exc.strerror or exc}") from exc
        if self._is_closed:  # meanwhile
            self._end(child)
            self._check_open(stage)
        get_logger().debug("child_started", stage=stage.value, child=child.pid)
        return child

    def _give_back(self, child: Child) -> None:
        if self._is_closed or not child.is_usable:
            self._end(child)
            return
        self._idle[child.stage].append(child)
        self._patience[child] = asyncio.get_running_loop().call_later(self._settings.idle_s, self._retire, child)

    def _retire(self, child: Child) -> None:
        """End a child that waits for a job."""
        self._idle[child.stage].remove(child)
        self._patience.pop(child).cancel()
        self._end(child)

    def _end(self, child: Child) -> None:
        """Kill a child now, and see to what it leaves."""
        child.kill()
        task = asyncio.create_task(child.end(), context=Context())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
