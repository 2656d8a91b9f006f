"""The settings of call analytics.

Defined once, as annotated fields of frozen dataclasses: the flag, the `PLUGANDTELL_*` variable and the entry in
plugandtell.toml come from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from cyclopts import Parameter

from plugandtell.command import ALERTS, ENGINES, STORES, WORK, check_range
from plugandtell.core.call import Stage
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.failure import RetryRules

DATA_DIR = platformdirs.user_data_path("plugandtell")


class ServiceName(StrEnum):
    """What a process can do for calls: one of the stages, or error management with the sweep and the alerts."""

    TRANSCRIPTION = "transcription"
    FEATURES = "features"
    SENTIMENT = "sentiment"
    INTENT = "intent"
    ERRORS = "errors"


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


class Cover(StrEnum):
    """What is heard where a recording is not to be."""

    BEEP = "beep"
    MUTE = "mute"


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

    def flags(self) -> list[str]:
        """What of it may stand on the command line of a child process, which everybody on the machine can read."""
        return [f"--data-dir={self.data_dir}"]

    def variables(self) -> dict[str, str]:
        """The rest, which may hold passwords, as environment variables."""
        urls = {"PLUGANDTELL_QUEUE_URL": self.queue_url, "PLUGANDTELL_DATABASE_URL": self.database_url}
        return {name: url for name, url in urls.items() if url is not None}


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


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How calls are worked on, how often what fails is tried, and who hears of it.

    Raises:
        InvalidSetting: A field is out of range.
    """

    concurrency: Annotated[int, Parameter(group=WORK)] = 1
    """Jobs that each service works on at once."""

    attempts: Annotated[int, Parameter(group=WORK)] = 3
    """Tries at a stage, shortly one after another."""

    rounds: Annotated[int, Parameter(group=WORK)] = 10
    """Further tries by way of the retry queue, with growing delays."""

    poison_attempts: Annotated[int, Parameter(group=WORK)] = 2
    """Tries in all for a call that crashes its process or runs beyond its time limit."""

    first_delay_s: Annotated[float, Parameter(group=WORK)] = 2.0
    """Seconds before the second try, and before the first by way of the retry queue; doubled from try to try."""

    longest_delay_s: Annotated[float, Parameter(group=WORK)] = 600.0
    """Seconds that no delay exceeds."""

    limit_s: Annotated[float, Parameter(group=WORK)] = 120.0
    """Seconds that a stage may take for any call, however short."""

    limit_factor: Annotated[float, Parameter(group=WORK)] = 3.0
    """Seconds that it may take beyond that for each second of audio."""

    stage: Annotated[tuple[str, ...], Parameter(group=WORK)] = ()
    """One of the five settings of tries or the two limits, for one stage: transcription.attempts=5; may be repeated."""

    lock_s: Annotated[float, Parameter(group=WORK)] = 10.0
    """Seconds after which what a dead worker had in hand is given to another."""

    max_deaths: Annotated[int, Parameter(group=WORK)] = 5
    """Workers that may die with a call in hand, before it counts as the one that kills them."""

    sweep_every_s: Annotated[float, Parameter(group=WORK)] = 60.0
    """Seconds between two searches for calls that got lost."""

    grace_s: Annotated[float, Parameter(group=WORK)] = 30.0
    """Seconds that work in hand is given when a worker is stopped; what is not done by then is begun anew later."""

    alert_webhook: Annotated[str | None, Parameter(group=ALERTS)] = None
    """Address that alerts are posted to as JSON, when a call has failed for good."""

    alert_command: Annotated[tuple[str, ...], Parameter(group=ALERTS)] = ()
    """Command that is run for each alert, word by word, without a shell; the alert is its standard input as JSON."""

    def __post_init__(self) -> None:
        check_range("--concurrency", self.concurrency, 1, 1000)
        check_range("--lock-s", self.lock_s, 0.3, 3600)
        check_range("--max-deaths", self.max_deaths, 0, 1000)
        check_range("--sweep-every-s", self.sweep_every_s, 0.1, 86_400)
        check_range("--grace-s", self.grace_s, 0, 86_400)
        if self.alert_webhook is not None and not self.alert_webhook.startswith(("http://", "https://")):
            raise InvalidSetting(
                "--alert-webhook", self.alert_webhook, "an address that begins with http:// or https://"
            )
        for of_stage in self._of_stages().values():
            of_stage.check()

    def retry_rules(self, stage: Stage) -> RetryRules:
        """How often this stage is tried."""
        own = self._of_stages()[stage]
        return RetryRules(own.attempts, own.rounds, own.poison_attempts, own.first_delay_s, own.longest_delay_s)

    def time_limit_s(self, stage: Stage, audio_s: float) -> float:
        """How long this stage may take for a call of that length."""
        own = self._of_stages()[stage]
        return own.limit_s + own.limit_factor * audio_s

    def per_audio_s(self, stage: Stage) -> float:
        """What a second of audio adds to that."""
        return self._of_stages()[stage].limit_factor

    def _of_stages(self) -> dict[Stage, _StageSettings]:
        common = _StageSettings(*(getattr(self, name) for name in _StageSettings.__dataclass_fields__))
        known = dict.fromkeys(Stage, common)
        for text in self.stage:
            target, _, value = text.partition("=")
            stage, _, name = target.partition(".")
            if stage not in list(Stage) or name not in _StageSettings.__dataclass_fields__:
                names = ", ".join(_StageSettings.__dataclass_fields__)
                raise InvalidSetting(
                    "--stage", text, f"STAGE.NAME=VALUE, with one of {', '.join(Stage)} and of {names}"
                )
            try:
                number: Any = int(value) if name in _COUNTED else float(value)
            except ValueError as exc:
                raise InvalidSetting("--stage", text, "a number after the =") from exc
            known[Stage(stage)] = replace(known[Stage(stage)], **{name: number})
        return known


_COUNTED = ("attempts", "rounds", "poison_attempts")


@dataclass(frozen=True, slots=True)
class _StageSettings:
    """What can be set for each stage by itself; named as in `WorkerSettings`."""

    attempts: int
    rounds: int
    poison_attempts: int
    first_delay_s: float
    longest_delay_s: float
    limit_s: float
    limit_factor: float

    def check(self) -> None:
        """Raise InvalidSetting where one is out of range."""
        check_range("--attempts", self.attempts, 1, 1000)
        check_range("--rounds", self.rounds, 0, 1000)
        check_range("--poison-attempts", self.poison_attempts, 1, 1000)
        check_range("--first-delay-s", self.first_delay_s, 0, self.longest_delay_s)
        check_range("--longest-delay-s", self.longest_delay_s, 0, 7 * 86_400)
        check_range("--limit-s", self.limit_s, 0.1, 7 * 86_400)
        check_range("--limit-factor", self.limit_factor, 0, 1000)
