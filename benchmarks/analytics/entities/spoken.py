"""How well entities are found in what a recognizer makes of the labelled sentences, spoken by a synthetic voice.

    python benchmarks/analytics/entities/spoken.py VOICES CACHE [--errors]

Those without figures and signs are spoken, as a telephone lets them through, and transcribed by Whisper's base model.
Where its words are in the text nobody knows, so that an entity counts as found if its kind and value are among those of
the call. VOICES is what assets/make_calls.py needs; CACHE keeps the transcripts.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
from evaluate import print_table
from labels import CALL_TIME, Example, load

from plugandtell.analytics.engines.choice import make_engine
from plugandtell.analytics.features.entities import find_entities
from plugandtell.analytics.settings import EngineSettings
from plugandtell.analytics.wire import from_json, to_json
from plugandtell.core.hearing import turns_of
from plugandtell.core.transcript import Party, Transcript, Turn

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[2] / "assets"))
SPEECH_RATE = 16_000
VOICES = {"en": ("en-us", "af_heart", "am_michael"), "fr": ("fr-fr", "ff_siwis", "ff_siwis")}
SILENCE = np.zeros(SPEECH_RATE // 2, np.float32)


class Recognized:
    """The calls as they are recognized, made when first asked for."""

    def __init__(self, voices: Path, cache: Path) -> None:
        from make_calls import CALL_RATE, Speaker  # noqa: PLC0415  (it is in a folder that is added above)

        self._rate = CALL_RATE
        self._speaker = Speaker(voices)
        self._engine = make_engine(EngineSettings(threads=1), cache)
        self._cache = cache

    def transcript(self, name: str, example: Example) -> Transcript:
        """What is understood of a call."""
        file = self._cache / f"{name}.json"
        if not file.exists():
            file.write_text(to_json(self._heard(example.transcript)), encoding="utf-8")
        return from_json(file.read_text(encoding="utf-8"), Transcript)

    def _heard(self, said: Transcript) -> Transcript:
        """Every turn, spoken and recognized by itself."""
        assert said.language is not None
        accent, agent, caller = VOICES[said.language]
        turns: list[Turn] = []
        for turn in said.turns:
            voice = agent if turn.party is Party.AGENT else caller
            sound = soxr.resample(self._speaker.say(turn.text, accent, {voice: 1.0}, 1.0), self._rate, SPEECH_RATE)
            samples = np.concatenate([SILENCE, np.asarray(sound, np.float32), SILENCE])
            heard = self._engine.transcribe(samples, said.language, (said.language,))
            turns += (replace(one, span=turn.span, words=()) for one in turns_of({turn.party: heard}))
        return replace(said, turns=tuple(turns), engine=self._engine.engine)


def main() -> None:
    """Print a table for each half and language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voices", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--errors", action="store_true", help="show what is wrong in the half to tune on")
    parser.add_argument("--half", choices=("dev", "heldout"), help="only this half")
    parser.add_argument("--language", choices=tuple(VOICES), help="only this language")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    recognized = Recognized(arguments.voices, arguments.cache)
    for half in ("dev", "heldout"):
        for language in VOICES:
            if arguments.half in (None, half) and arguments.language in (None, language):
                _report(recognized, half, language, show_errors=arguments.errors and half == "dev")


def _report(recognized: Recognized, half: str, language: str, *, show_errors: bool) -> None:
    """One half in one language."""
    hits, found, wanted = Counter[str](), Counter[str](), Counter[str]()
    examples = [example for example in load(HERE / f"{half}_{language}.txt", language) if _can_be_spoken(example)]
    for i, example in enumerate(examples):
        transcript = recognized.transcript(f"{half}_{language}_{i:03}", example)
        entities = Counter((str(entity.kind), entity.value) for entity in find_entities(transcript, CALL_TIME))
        labels = Counter((label.kind, label.value) for label in example.labels)
        for counter, values in ((hits, entities & labels), (found, entities), (wanted, labels)):
            counter.update(kind for kind, _ in values.elements())
        if show_errors and entities != labels:
            print(f"\n{example.transcript.text}\n{transcript.text}\n  there: {dict(labels)}\n  found: {dict(entities)}")
    print(f"\n{half}, {language}: {len(examples)} calls, {wanted.total()} entities")
    print_table(hits, found, wanted)


def _can_be_spoken(example: Example) -> bool:
    """Whether no figure and no sign leaves open how it is said."""
    return re.search(r"[\d@$€£%#/_]", example.transcript.text) is None


if __name__ == "__main__":
    main()
