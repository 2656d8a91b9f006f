"""From the source through the gate into the stream."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from plugandtell.client.digital_silence import DigitalSilence
from plugandtell.client.source import Hole, Losses
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import AudioNotSaved, PlugAndTellError
from plugandtell.core.gate import AudioGate, Output, Passed, Quiet, StateChanged
from plugandtell.core.meter import MUTED_MARK
from plugandtell.core.talk import Talk
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from plugandtell.client.reporter import Reporter
    from plugandtell.client.source import Source
    from plugandtell.client.uplink import Uplink
    from plugandtell.core.meter import Meter
    from plugandtell.core.protocol.client import ClientStream

MUTED = "muted"
"""The cause of a hole that the user made."""
_AHEAD_S = 10.0
"""How far a source that can wait may run ahead of the server's acknowledgements. One that cannot has the whole spool,
and loses the oldest audio when that is full."""


class Feed:
    """Moves audio from the source through the gate into the stream.

    What is heard while `talk` is not open becomes a hole before anything else sees it.

    Args:
        source: Where it comes from.
        gate: What it goes through.
        stream: Where it goes.
        uplink: Woken when there is something to send.
        reporter: Told of what happens.
        talk: Says whether it may go there.
        meter: Sees how loud it is, if anybody looks.
    """

    def __init__(  # noqa: PLR0913  (what it moves between, and who is told)
        self,
        source: Source,
        gate: AudioGate,
        stream: ClientStream,
        uplink: Uplink,
        reporter: Reporter,
        *,
        talk: Talk | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._talk = talk or Talk()
        self._meter = meter
        self._source = source
        self._gate = gate
        self._stream = stream
        self._uplink = uplink
        self._reporter = reporter
        self._ahead_samples = None if source.is_live else SPEECH.samples_from_s(_AHEAD_S)
        self._is_stopped = False
        self._lost_samples = 0
        self._index = 0
        self._digital_silence = DigitalSilence()
        self._hole: Hole | None = None  # that lasts still
        self._holes = 0
        self._missing_samples = 0

    @property
    def captured_samples(self) -> int:
        """How long it has captured, holes included."""
        return self._index

    @property
    def is_over(self) -> bool:
        """Whether no more is captured."""
        return self._is_stopped

    def stop(self) -> None:
        """Capture no more; `run` still sends what was captured."""
        self._is_stopped = True
        self._source.stop()
        self._uplink.end_waiting()

    async def run(self) -> PlugAndTellError | None:
        """Move everything, and say that capture is over. Returns what broke the source, if anything did."""
        broken: PlugAndTellError | None = None
        try:
            async for piece in self._source.chunks():
                self._take(piece)
                while self._is_too_far_ahead():
                    await self._uplink.wait_for_progress()
        except PlugAndTellError as error:
            broken = error
        self._is_stopped = True
        self._end_hole()
        self._pass_on(self._gate.flush())
        self._stream.end(self._index)
        self._uplink.wake()
        missing = {"holes": self._holes, "missing_s": SPEECH.seconds_from(self._missing_samples)} if self._holes else {}
        get_logger().info("capture_ended", seconds=SPEECH.seconds_from(self._index), **missing)
        return broken or self._lost()

    def _is_too_far_ahead(self) -> bool:
        if self._ahead_samples is None or self._is_stopped:
            return False
        return self._stream.unacknowledged_samples > self._ahead_samples

    def _take(self, piece: bytes | Hole) -> None:
        if self._talk.is_open or isinstance(piece, Hole):
            self._take_open(piece)
            mark = self._gate.state[0]
        else:
            self._take_open(Hole(SPEECH.samples_in(len(piece)), MUTED))
            mark = MUTED_MARK
        if self._meter is None:
            return
        if isinstance(piece, Hole):
            self._meter.skip(piece.samples, mark)
        else:
            self._meter.feed(piece, mark)

    def _take_open(self, piece: bytes | Hole) -> None:
        if isinstance(piece, Hole):
            if self._hole is not None and (self._hole.cause == MUTED) != (piece.cause == MUTED):
                self._end_hole()  # one is the user's, the other is not
            self._hole = Hole(piece.samples + (self._hole.samples if self._hole else 0), piece.cause)
            self._index += piece.samples
            self._pass_on(self._gate.skip(piece.samples))
        else:
            self._end_hole()
            self._index += SPEECH.samples_in(len(piece))
            if self._source.is_live and self._digital_silence.feed(piece):
                hint = "is it muted, may this program use it, or is another the right one (--device)?"
                get_logger().warning("microphone_silent", source=self._source.name, hint=hint)
            self._pass_on(self._gate.feed(piece))

    def _end_hole(self) -> None:
        """Say how long it was, once."""
        if self._hole is None:
            return
        samples, cause = self._hole.samples, self._hole.cause
        at_s, hole_s = SPEECH.seconds_from(self._index - samples), SPEECH.seconds_from(samples)
        say = get_logger().info if cause == MUTED else get_logger().warning
        say("hole", at_s=at_s, seconds=hole_s, cause=cause)
        self._hole = None
        self._holes += 1
        self._missing_samples += samples

    def _lost(self) -> PlugAndTellError | None:
        """What the source itself had to let go."""
        losses = self._source.losses
        if losses != Losses():
            get_logger().warning("capture_lost_audio", **asdict(losses))
        if losses.dropped_samples:
            return AudioNotSaved(
                losses.dropped_samples, "it was lost, because the server took audio too slowly and the buffer was full"
            )
        return None

    def _pass_on(self, outputs: list[Output]) -> None:
        for output in joined(outputs):
            match output:
                case Passed(start, pcm):
                    self._stream.add_audio(start, pcm)
                    self._reporter.take_audio(len(pcm))
                case Quiet(index, voiced_to):
                    self._stream.add_position(index, voiced_to)
                    self._reporter.take_quiet(output)
                case StateChanged():
                    self._reporter.take_state(output)
        if outputs:
            self._uplink.wake()
            self._reporter.take_losses(self._stream.lost_samples)


def joined(outputs: list[Output]) -> list[Output]:
    """The same, with slices that follow one another made one: each is a record in the spool."""
    found: list[Output] = []
    for output in outputs:
        last = found[-1] if found else None
        if not (isinstance(output, Passed) and isinstance(last, Passed)):
            found.append(output)
        elif last.start + SPEECH.samples_in(len(last.pcm)) == output.start:
            found[-1] = Passed(last.start, last.pcm + output.pcm)
        else:
            found.append(output)
    return found
