"""The first service: what was said in a call, by whom, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.analytics.audio_source import fetched, shown
from plugandtell.analytics.decoding import decode
from plugandtell.analytics.engines.choice import make_engine
from plugandtell.analytics.features.redaction import redact_transcript
from plugandtell.core.call import AgentChannel
from plugandtell.core.hearing import turns_of
from plugandtell.core.transcript import Party, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from plugandtell.analytics.decoding import CallAudio
    from plugandtell.analytics.service import CallInput
    from plugandtell.analytics.settings import EngineSettings
    from plugandtell.core.hearing import Heard


class Transcription:
    """Transcribes calls, each channel by itself.

    Attributes:
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
        self.tell_length: Callable[[int], None] = lambda _: None

    def process(self, call: CallInput) -> Transcript:
        """See `Service`. With `redact` set, what says who somebody is has gone before anybody keeps the transcript."""
        with fetched(call.audio_url) as path:
            audio = decode(path, self._settings.max_audio_hours, shown(call.audio_url))
        self.tell_length(audio.duration_ms)
        parties = _parties(audio, call.options.agent_channel)
        heard = {
            party: self._engine.transcribe(samples, call.options.language, self._settings.languages)
            for party, samples in zip(parties, audio.channels, strict=True)
        }
        ordered = tuple(party for party in Party if party in parties)
        said = Transcript(audio.duration_ms, ordered, _language(heard), turns_of(heard), self._engine.engine)
        return redact_transcript(said) if self._settings.redact else said


def _parties(audio: CallAudio, agent: AgentChannel) -> tuple[Party, ...]:
    """Who speaks on each channel."""
    if len(audio.channels) == 1:
        return (Party.SPEAKER,)
    return (Party.AGENT, Party.CALLER) if agent is AgentChannel.FIRST else (Party.CALLER, Party.AGENT)


def _language(heard: Mapping[Party, Heard]) -> str | None:
    """The language that most was said in."""
    spoken: dict[str, int] = {}
    for channel in heard.values():
        if channel.language is not None:
            letters = sum(len(utterance.text) for utterance in channel.utterances)
            spoken[channel.language] = spoken.get(channel.language, 0) + letters
    return max(spoken, key=lambda language: spoken[language]) if spoken else None
