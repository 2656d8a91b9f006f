"""Progress bars, one a call, on a terminal; nothing elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from plugandtell.core.call import CallState, Stage, StageState, call_state
from plugandtell.core.safe_text import escape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import TextIO

_SHARE: Final = {Stage.TRANSCRIPTION: 0.85, Stage.FEATURES: 0.05, Stage.SENTIMENT: 0.05, Stage.INTENT: 0.05}
"""Of the whole work: transcription is nearly all of it."""
_DOING: Final = {
    Stage.TRANSCRIPTION: "transcribing",
    Stage.FEATURES: "extracting features",
    Stage.SENTIMENT: "judging sentiment",
    Stage.INTENT: "judging intent",
}


class CallProgress:
    """Shows where each of several calls stands.

    Args:
        stream: A terminal to show it on. Anything else is left alone.
    """

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[doing]}", markup=False),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, call_id: str, name: str) -> None:
        """Begin to show a call."""
        self._tasks[call_id] = self._progress.add_task(escape(name), total=1.0, doing="waiting")

    def show(self, call_id: str, states: Mapping[Stage, StageState]) -> None:
        """Show where it stands; a stage that is not named has not begun."""
        done = sum(_SHARE[stage] for stage, state in states.items() if state is StageState.DONE)
        self._progress.update(self._tasks[call_id], completed=done, doing=doing(states))


def doing(states: Mapping[Stage, StageState]) -> str:
    """What is being done with a call, in a few words."""
    if (state := call_state(states)).is_end:
        return "done" if state is CallState.COMPLETE else "failed"
    retrying = [stage for stage, its in states.items() if its is StageState.RETRYING]
    running = [stage for stage, its in states.items() if its is StageState.RUNNING]
    if retrying and not running:
        return f"{_DOING[retrying[0]]}: waiting to try again"
    return ", ".join(_DOING[stage] for stage in running) or "waiting"
