"""A copy of a call's audio for others to hear, without what says who somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.analytics.audio_source import fetched, shown
from plugandtell.analytics.decoding import decode
from plugandtell.analytics.features.hidden_audio import write_hidden
from plugandtell.analytics.features.redaction import spans_to_hide
from plugandtell.core.errors import InvalidSetting

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.analytics.settings import Cover
    from plugandtell.core.transcript import Transcript

_MAX_HOURS: Final = 48.0


def hide_in_recording(audio_url: str, transcript: Transcript, target: Path, cover: Cover) -> int:
    """Write a call's audio as a WAV file at 16 kHz, without the sound of what redaction takes out of its transcript.

    The transcript may be redacted already. Returns how many pieces were hidden.

    Raises:
        InvalidSetting: The file to write is the recording.
        AudioUnreachable: The audio cannot be had now.
        InputError: It cannot be had, is none, or is longer than a WAV file can be.
        WriteFailed: The file cannot be written.
    """
    spans = spans_to_hide(transcript)
    if target.exists() and target.resolve().as_uri() == audio_url:
        raise InvalidSetting("--to", str(target), "another file than the recording itself, which is to stay as it is")
    with fetched(audio_url) as path:
        write_hidden(decode(path, _MAX_HOURS, shown(audio_url)).channels, spans, target, cover)
    return len(spans)
