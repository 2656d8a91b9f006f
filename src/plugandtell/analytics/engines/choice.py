"""Which speech engine is used. Each is imported where it is made: their libraries take seconds to load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.settings import SpeechEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugandtell.analytics.engines.speech_to_text import SpeechToText
    from plugandtell.analytics.settings import EngineSettings

_MOST_THREADS: Final = 4  # beyond them Whisper's base model gains nothing


def make_engine(settings: EngineSettings, data_dir: Path, environment: Mapping[str, str] = os.environ) -> SpeechToText:
    """Load the engine that the settings name.

    Args:
        settings: Which engine, and its model.
        data_dir: Where our own models are kept.
        environment: Holds the key of a remote engine.

    Raises:
        EngineUnavailable: A package or a model that it needs is not there.
        EngineFailed: Its model cannot be fetched or written now.
    """
    match settings.speech:
        case SpeechEngine.WHISPER:
            from plugandtell.analytics.engines.whisper import Whisper  # noqa: PLC0415
            from plugandtell.analytics.engines.whisper_model import find_model  # noqa: PLC0415

            model = find_model(settings.model, data_dir)
            return Whisper(model, name=Path(settings.model).name, threads=threads(settings.threads))
        case SpeechEngine.MOONSHINE:
            from plugandtell.analytics.engines.moonshine import Moonshine  # noqa: PLC0415

            return Moonshine()
        case SpeechEngine.REMOTE:
            from plugandtell.analytics.engines.remote_speech import (  # noqa: PLC0415
                KEY_VARIABLE,
                RemoteSpeech,
                SpeechServer,
            )

            assert settings.speech_url is not None  # the settings have seen to it
            return RemoteSpeech(
                SpeechServer(settings.speech_url, settings.speech_model, environment.get(KEY_VARIABLE, "").strip())
            )


def threads(wanted: int) -> int:
    """How many threads a transcription gets: as many as wanted, or one a core that this process may use."""
    if wanted:
        return wanted
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_THREADS)
