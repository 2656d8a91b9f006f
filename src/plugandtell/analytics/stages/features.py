"""The feature extraction service: keywords, entities and figures of a call."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.audio_source import fetched, shown
from plugandtell.analytics.decoding import decode
from plugandtell.analytics.features.entities import find_entities
from plugandtell.analytics.features.keywords import KeywordFinder
from plugandtell.analytics.features.metrics import call_metrics
from plugandtell.analytics.features.redaction import redact_transcript
from plugandtell.core.findings import Features
from plugandtell.core.transcript import Engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugandtell.analytics.service import CallInput
    from plugandtell.analytics.settings import EngineSettings

_WITHOUT_LANGUAGE: Final = "en"


class FeatureExtraction:
    """Finds the features of one call after another.

    Attributes:
        tell_fetching: Is called before the audio is fetched.
        tell_fetched: Is called when it is there.
    """

    def __init__(self, settings: EngineSettings, data_dir: Path) -> None:
        """Load nothing yet: what a language needs is made for its first call."""
        del data_dir
        self._settings = settings
        self.tell_fetching: Callable[[], None] = lambda: None
        self.tell_fetched: Callable[[], None] = lambda: None
        self._finders: dict[str, KeywordFinder] = {}
        self._engine = Engine("plugandtell-features", version("plugandtell"))

    def process(self, call: CallInput) -> Features:
        """The features of a call whose transcript is known.

        Where the transcript is redacted, so is all of this: there is nothing else that it could be made of. It is
        redacted again here, which changes nothing, lest one slips through that was kept before redaction was on.

        Raises:
            AudioUnreachable, WriteFailed: Its audio cannot be had now.
            InputError: Its audio cannot be had, or is none.
        """
        redacts = self._settings.redact or call.options.redact
        transcript = redact_transcript(call.transcript) if redacts else call.transcript
        entities = find_entities(transcript, call.options.started_at)
        keywords = self._finder(transcript.language or _WITHOUT_LANGUAGE).find(transcript, entities)
        self.tell_fetching()
        with fetched(call.audio_url) as path:
            self.tell_fetched()
            audio = decode(path, self._settings.max_audio_hours, shown(call.audio_url))
            metrics = call_metrics(transcript, audio.channels, call.options.agent_channel)
        return Features(keywords, entities, metrics, self._engine)

    def _finder(self, language: str) -> KeywordFinder:
        """The finder of keywords in a language, made once."""
        if language not in self._finders:
            self._finders[language] = KeywordFinder(language)
        return self._finders[language]
