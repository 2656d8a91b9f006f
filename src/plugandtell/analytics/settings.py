"""The settings of call analytics.

Defined once, as annotated fields of frozen dataclasses: the flag, the `PLUGANDTELL_*` variable and the entry in
plugandtell.toml come from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import platformdirs
from cyclopts import Parameter

from plugandtell.command import ENGINES, STORES, check_range
from plugandtell.core.errors import InvalidSetting

DATA_DIR = platformdirs.user_data_path("plugandtell")


class SpeechEngine(StrEnum):
    """What transcribes."""

    WHISPER = "whisper"
    MOONSHINE = "moonshine"
    REMOTE = "remote"


class TextEngine(StrEnum):
    """What judges sentiment and intent."""

    AUTO = "auto"
    EMBEDDINGS = "embeddings"
    RULES = "rules"
    CHAT = "chat"


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where calls and queues live.

    Raises:
        InvalidSetting: A field is out of range.
    """

    queue_url: Annotated[str | None, Parameter(group=STORES)] = None
    """Redis or Valkey, as redis://HOST:PORT or rediss:// with TLS; without it, a store of our own is started."""

    database_url: Annotated[str | None, Parameter(group=STORES)] = None
    """PostgreSQL, as postgresql://USER:PASSWORD@HOST/NAME; without it, an SQLite file in the data folder."""

    data_dir: Annotated[Path, Parameter(group=STORES)] = DATA_DIR
    """Folder of our own queue store and database, and of joined models; created if missing."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What does the work.

    Raises:
        InvalidSetting: A field is out of range.
    """

    speech: Annotated[SpeechEngine, Parameter(group=ENGINES)] = SpeechEngine.WHISPER
    """What transcribes: whisper, moonshine (English only, faster), or remote (an OpenAI-compatible server)."""

    model: Annotated[str, Parameter(group=ENGINES)] = "base"
    """Whisper model: base, a folder that holds one, or a name on the model hub such as large-v3-turbo."""

    languages: Annotated[tuple[str, ...], Parameter(group=ENGINES, name="--languages")] = ("en", "fr")
    """Languages to choose from where a call does not name its own; give the flag once for each."""

    speech_url: Annotated[str | None, Parameter(group=ENGINES)] = None
    """Where the remote speech engine is: the address before /audio/transcriptions, such as https://HOST/v1."""

    speech_model: Annotated[str, Parameter(group=ENGINES)] = "whisper-1"
    """Model that the remote speech engine is asked for."""

    text: Annotated[TextEngine, Parameter(group=ENGINES)] = TextEngine.AUTO
    """What judges sentiment and intent: auto (embeddings where they run, rules elsewhere), one of them, or chat."""

    chat_url: Annotated[str | None, Parameter(group=ENGINES)] = None
    """Where the chat engine is: the address before /chat/completions, such as https://HOST/v1."""

    chat_model: Annotated[str, Parameter(group=ENGINES)] = "gpt-4o-mini"
    """Model that the chat engine is asked for."""

    intents_file: Annotated[Path | None, Parameter(group=ENGINES)] = None
    """TOML file of your own intent labels: [labels], each with a list of example sentences."""

    redact: Annotated[bool, Parameter(group=ENGINES)] = False
    """Keep phone numbers, e-mail addresses and the like out of what is stored."""

    max_audio_hours: Annotated[float, Parameter(group=ENGINES)] = 4.0
    """Longest call that is accepted, in hours."""

    threads: Annotated[int, Parameter(group=ENGINES)] = 0
    """Threads of one transcription; 0 for one a core, at most 4."""

    def __post_init__(self) -> None:
        check_range("--max-audio-hours", self.max_audio_hours, 0.01, 48)
        check_range("--threads", self.threads, 0, 256)
        for language in self.languages:
            if not (len(language) == 2 and language.isascii() and language.islower()):
                raise InvalidSetting("--languages", language, "two small letters each, such as en")
        if not self.languages:
            raise InvalidSetting("--languages", "", "at least one language")
        if self.speech is SpeechEngine.REMOTE and self.speech_url is None:
            raise InvalidSetting("--speech-url", "", "given where --speech is remote")
        if self.text is TextEngine.CHAT and self.chat_url is None:
            raise InvalidSetting("--chat-url", "", "given where --text is chat")
