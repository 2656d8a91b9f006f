"""What the client says about its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.audio import SPEECH
from plugandtell.core.gate import GateState, Quiet, StateChanged
from plugandtell.core.protocol.messages import SegmentSaved, SegmentStarted, ServerMessage
from plugandtell.logservice import Throttle, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID


class Reporter:
    """Tells the log what happens, at most once a second where it happens all the time.

    The server names a segment a moment after the first voice was sent: lines before that have no `segment_id`.

    Attributes:
        recordings: How many were saved.
        latest: The file of the last of them.
        passed_bytes: How much audio passed the gate since it opened last.
        total_bytes: How much passed it in all.
    """

    def __init__(self, on_saved: Callable[[SegmentSaved], None], monotonic: Callable[[], float]) -> None:
        self.recordings = 0
        self.latest: str | None = None
        self.passed_bytes = 0
        self.total_bytes = 0
        self._on_saved = on_saved
        self._monotonic = monotonic
        self._saved: set[UUID] = set()
        self._state = GateState.LISTENING
        self._segment: dict[str, str] = {}
        self._lost_samples = 0
        self._throttle = Throttle()
        self._log = get_logger()

    def take_message(self, message: ServerMessage) -> None:
        """What the server said. It repeats itself after a reconnection."""
        if isinstance(message, SegmentStarted):
            self._segment = {"segment_id": str(message.segment_id)}
            self._log.debug("segment_started", **self._segment)
        if isinstance(message, SegmentSaved) and message.segment_id not in self._saved:
            self._saved.add(message.segment_id)
            self.recordings += 1
            self.latest = message.file
            self._log.info(
                "segment_saved",
                segment_id=str(message.segment_id),
                file=message.file,
                seconds=message.duration_ms / 1000,
                reason=message.reason.value,
            )
            self._on_saved(message)

    def take_state(self, change: StateChanged) -> None:
        """The gate opened, holds, or shut."""
        was, self._state = self._state, change.state
        at_s = SPEECH.seconds_from(change.index)
        if change.state is GateState.LISTENING:
            self._log.info("silence_ended_segment", at_s=at_s, **self._segment)
            self._segment = {}
        elif was is GateState.LISTENING:
            self.passed_bytes = 0
            self._log.info("voice_detected", at_s=at_s)
        else:
            self._log.debug("gate_changed", state=change.state.value, at_s=at_s)

    def take_audio(self, size_bytes: int) -> None:
        """Audio passed the gate."""
        self.passed_bytes += size_bytes
        self.total_bytes += size_bytes
        if self._throttle.is_due("transfer_in_progress", self._monotonic()):
            seconds = SPEECH.seconds_from(SPEECH.samples_in(self.passed_bytes))
            self._log.info("transfer_in_progress", bytes=self.passed_bytes, seconds=seconds, **self._segment)

    def take_losses(self, lost_samples: int) -> None:
        """So much audio in all had to be given up: said at once, and then at most once a second."""
        if lost_samples > self._lost_samples and self._throttle.is_due("audio_lost", self._monotonic()):
            self._lost_samples = lost_samples
            self._log.error("audio_lost", seconds=SPEECH.seconds_from(lost_samples), cause="no room for what waits")

    def take_quiet(self, quiet: Quiet) -> None:
        """The clock advances in silence."""
        if self._state is GateState.PAUSE and self._throttle.is_due("silence_growing", self._monotonic()):
            silence_s = SPEECH.seconds_from(quiet.index - quiet.voiced_to)
            self._log.info("silence_growing", silence_s=silence_s, **self._segment)
