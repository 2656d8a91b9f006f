"""The first service: what was said in a call, by whom, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from plugandtell.analytics.audio_source import fetched, shown
from plugandtell.analytics.decoding import decode
from plugandtell.analytics.engines.choice import make_engine
from plugandtell.analytics.engines.speech_to_text import RATE
from plugandtell.analytics.features.redaction import redact_transcript
from plugandtell.core.call import AgentChannel
from plugandtell.core.crosstalk import without_echoes
from plugandtell.core.hearing import turns_of
from plugandtell.core.transcript import Party, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from plugandtell.analytics.decoding import CallAudio
    from plugandtell.analytics.service import CallInput
    from plugandtell.analytics.settings import EngineSettings
    from plugandtell.core.hearing import Heard
    from plugandtell.core.transcript import Span

LEAST_FOR_LANGUAGE_MS: Final = 5000
"""With less speech than this on a channel, its language is that of the call: "oui" sounds like "we"."""

_SOFTEST: Final = 1e-10


class Transcription:
    """Transcribes calls, each channel by itself.

    Attributes:
        tell_fetching: Is called before the audio is fetched.
        tell_fetched: Is called when it is there.
        tell_length: Is told how long the audio is, in milliseconds, before the work begins.
    """

    def __init__(self, settings: EngineSettings, data_dir: Path) -> None:
        """Load the engine.

        Raises:
            EngineUnavailable: A package or a model that it needs is not there.
            EngineFailed: Its model cannot be fetched or written now.
        """
        self._settings = settings
        self._engine = make_engine(settings, data_dir)
        self.tell_fetching: Callable[[], None] = lambda: None
        self.tell_fetched: Callable[[], None] = lambda: None
        self.tell_length: Callable[[int], None] = lambda _: None

    def process(self, call: CallInput) -> Transcript:
        """See `Service`. With `redact` set, what says who somebody is has gone before anybody keeps the transcript."""
        self.tell_fetching()
        with fetched(call.audio_url) as path:
            self.tell_fetched()
            audio = decode(path, self._settings.max_audio_hours, shown(call.audio_url))
        self.tell_length(audio.duration_ms)
        channels = dict(zip(_parties(audio, call.options.agent_channel), audio.channels, strict=True))
        heard = self._hear_all(channels, call.options.language)
        parties = tuple(party for party in Party if party in channels)
        said = Transcript(audio.duration_ms, parties, _language(heard), turns_of(heard), self._engine.engine)
        return redact_transcript(said) if self._settings.redact or call.options.redact else said

    def _hear_all(self, channels: Mapping[Party, NDArray[np.float32]], language: str | None) -> Mapping[Party, Heard]:
        heard = {party: self._hear(samples, language) for party, samples in channels.items()}
        main = _language(heard)
        for party, own in heard.items():
            if own.language not in (None, main) and _spoken_ms(own) < LEAST_FOR_LANGUAGE_MS:
                heard[party] = self._hear(channels[party], main)
        return without_echoes(heard, lambda party, span: _loudness_db(channels[party], span))

    def _hear(self, samples: NDArray[np.float32], language: str | None) -> Heard:
        return self._engine.transcribe(samples, language, self._settings.languages)


def _parties(audio: CallAudio, agent: AgentChannel) -> tuple[Party, ...]:
    """Who speaks on each channel."""
    if len(audio.channels) == 1:
        return (Party.SPEAKER,)
    return (Party.AGENT, Party.CALLER) if agent is AgentChannel.FIRST else (Party.CALLER, Party.AGENT)


def _spoken_ms(heard: Heard) -> int:
    return sum(utterance.span.length_ms for utterance in heard.utterances)


def _loudness_db(samples: NDArray[np.float32], span: Span) -> float:
    """How loud it is there, relative to full scale; the noise below 16 bits counts as the softest there is."""
    part = samples[span.start_ms * RATE // 1000 : span.end_ms * RATE // 1000].astype(np.float64)
    return 10 * float(np.log10(max(np.square(part).mean() if len(part) else 0.0, _SOFTEST)))


def _language(heard: Mapping[Party, Heard]) -> str | None:
    """The language that most was said in."""
    spoken: dict[str, int] = {}
    for channel in heard.values():
        if channel.language is not None:
            letters = sum(len(utterance.text) for utterance in channel.utterances)
            spoken[channel.language] = spoken.get(channel.language, 0) + letters
    return max(spoken, key=lambda language: spoken[language]) if spoken else None
