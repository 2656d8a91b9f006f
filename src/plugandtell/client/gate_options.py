"""What can be set of the gate, in the units of people, and the settings of the machine that follow from it."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from plugandtell.command import GATE, check_range
from plugandtell.core.audio import SPEECH
from plugandtell.core.gate import GateSettings

_VAD = (
    "Voice detector: auto (webrtc listens, silero judges what it hears), silero, webrtc, webrtc:MODE with a mode from "
    "0 (believes much) to 3 (believes little), or none (everything is sent)."
)
_KEEP_VOICED_MS = 64
_KEEP_WINDOW_MS = 128
_GAP_MS = 640  # a weak first syllable and the pause after it, as heard in the evaluation
_REACH_MS = 1280


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """When the gate opens and shuts.

    Raises:
        InvalidSetting: A field is out of range.
    """

    vad: Annotated[str, Parameter(group=GATE, help=_VAD)] = "auto"

    voice_on: Annotated[float, Parameter(group=GATE)] = 0.5
    """Probability, 0 to 1, from which a frame is evidence of voice."""

    voice_sure: Annotated[float, Parameter(group=GATE)] = 0.9
    """Probability, 0 to 1, from which it counts in full; between the two it counts in part."""

    voice_off: Annotated[float, Parameter(group=GATE)] = 0.1
    """Probability, 0 to 1, below which voice has not begun yet, or is over."""

    onset_ms: Annotated[int, Parameter(group=GATE)] = 96
    """Milliseconds of sure voice that open the gate: more believes less noise, but may miss a short word."""

    onset_window_ms: Annotated[int, Parameter(group=GATE)] = 256
    """Milliseconds within which that evidence must be heard."""

    pre_roll_ms: Annotated[int, Parameter(group=GATE)] = 800
    """Milliseconds kept before the first voiced frame."""

    hangover_ms: Annotated[int, Parameter(group=GATE)] = 400
    """Milliseconds kept after the last voiced frame; at most the silence that ends a recording."""

    def __post_init__(self) -> None:
        check_range("--voice-sure", self.voice_sure, 0.02, 0.999)
        check_range("--voice-on", self.voice_on, 0.01, self.voice_sure)
        check_range("--voice-off", self.voice_off, 0.01, self.voice_on)
        check_range("--onset-window-ms", self.onset_window_ms, 10, 5000)
        check_range("--onset-ms", self.onset_ms, 10, self.onset_window_ms)
        check_range("--pre-roll-ms", self.pre_roll_ms, 0, 5000)
        check_range("--hangover-ms", self.hangover_ms, 0, 5000)

    def settings(self, frame_samples: int, silence_ms: int) -> GateSettings:
        """The settings for a detector with frames of this length, at a server that ends recordings after this silence.

        The pause that is held is the silence that ends a recording, so that a recording is one slice of what was heard.
        """

        def frames(milliseconds: int) -> int:
            return max(1, round(SPEECH.samples_from_ms(milliseconds) / frame_samples))

        return GateSettings(
            frame_samples=frame_samples,
            pre_roll_samples=SPEECH.samples_from_ms(self.pre_roll_ms),
            hangover_samples=SPEECH.samples_from_ms(min(self.hangover_ms, silence_ms)),
            hold_samples=SPEECH.samples_from_ms(silence_ms),
            start_voiced=frames(self.onset_ms),
            start_window=frames(self.onset_window_ms),
            start_gap_samples=SPEECH.samples_from_ms(max(_GAP_MS, 2 * self.onset_window_ms)),
            start_reach_samples=SPEECH.samples_from_ms(max(_REACH_MS, 4 * self.onset_window_ms)),
            keep_voiced=frames(_KEEP_VOICED_MS),
            keep_window=frames(_KEEP_WINDOW_MS),
            voiced_from=self.voice_off,
            evidence_from=self.voice_on,
            evidence_full=self.voice_sure,
        )
