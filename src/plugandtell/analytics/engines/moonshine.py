"""The light engine: Moonshine's tiny English model, whose weights are in its package."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.engines.speech_to_text import RATE, Capabilities
from plugandtell.analytics.engines.voice_activity import find_speech
from plugandtell.core.errors import EngineFailed, EngineUnavailable
from plugandtell.core.hearing import Heard, Utterance
from plugandtell.core.plausibility import words_of
from plugandtell.core.transcript import Engine, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

NAME: Final = "moonshine-tiny-en"
_LANGUAGES: Final = frozenset({"en"})

# We find the speech ourselves: its own detector takes each piece to be speech at once, and hands no copy of it back.
_OPTIONS: Final = {"vad_threshold": "0.0", "return_audio_data": "false"}


class Moonshine:
    """The model, loaded. It gives no word times and no confidence."""

    def __init__(self) -> None:
        """Load it.

        Raises:
            EngineUnavailable: The package is not installed, or does not run here.
        """
        try:
            from moonshine_voice.moonshine_api import ModelArch  # noqa: PLC0415  (an extra: may be missing)
            from moonshine_voice.transcriber import Transcriber  # noqa: PLC0415
            from moonshine_voice.utils import get_model_path  # noqa: PLC0415

            self._transcriber = Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options=_OPTIONS)
        except ModuleNotFoundError as exc:
            hint = "install plugandtell[moonshine], or choose another engine with --speech"
            raise EngineUnavailable(NAME, f"the package {exc.name} is not installed", hint) from exc
        except Exception as exc:  # its errors derive from nothing of ours, and a missing system library is an OSError
            raise EngineUnavailable(NAME, str(exc), "choose another engine with --speech") from exc
        self._engine = Engine(NAME, version("moonshine-voice"))

    @property
    def engine(self) -> Engine:
        """What it is called in a transcript."""
        return self._engine

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(_LANGUAGES, has_word_times=False, can_stream=True)

    def transcribe(self, samples: NDArray[np.float32], language: str | None, languages: Sequence[str]) -> Heard:
        """See `SpeechToText`. Every language that there is to choose from but English is ruled out."""
        if not self.capabilities.can_hear(language or "en") or "en" not in (language, *languages):
            named = language or ", ".join(languages)
            raise EngineUnavailable(NAME, f"it knows English only, not {named}", "choose another engine with --speech")
        utterances = []
        for piece in find_speech(samples):
            text = self._read(samples[piece.start : piece.end])
            if words_of(text):
                span = Span(piece.start * 1000 // RATE, piece.end * 1000 // RATE)
                utterances.append(Utterance(span, text))
        return Heard("en" if utterances else None, tuple(utterances))

    def _read(self, sound: NDArray[np.float32]) -> str:
        try:
            lines = self._transcriber.transcribe_without_streaming(sound, RATE).lines
        except Exception as exc:
            raise EngineFailed(NAME, str(exc)) from exc
        return " ".join(text for line in lines if (text := line.text.strip()))
