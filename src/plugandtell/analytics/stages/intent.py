"""Intent classification: what the caller wants, and the sentence that tells."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plugandtell.analytics.classify.call_intent import MOST_SENTENCES, callers_turns
from plugandtell.analytics.classify.judges import intent_judge
from plugandtell.analytics.classify.sentences import sentences
from plugandtell.core.findings import Intent, IntentClass

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.analytics.classify.judges import IntentJudge
    from plugandtell.analytics.service import CallInput
    from plugandtell.analytics.settings import EngineSettings
    from plugandtell.core.transcript import Transcript


class IntentClassification:
    """The service of that stage (see `service.Service`).

    Raises:
        EngineUnavailable: The judge that the settings ask for cannot be used here.
        ConfigurationUnreadable: The file of the user's own labels cannot be used.
    """

    def __init__(self, settings: EngineSettings, data_dir: Path) -> None:
        del data_dir  # it keeps nothing
        self._judge: IntentJudge = intent_judge(settings, os.environ)

    def process(self, call: CallInput) -> Intent:
        """What the caller wants; `other`, with nothing else, where nobody said anything.

        Raises:
            EngineFailed: The judge did not answer, and may later.
            EngineUnavailable: It refused.
        """
        said = said_by_caller(call.transcript)
        if not said:
            return Intent(IntentClass.OTHER, 1.0, (), None, None, self._judge.engine)
        decision = self._judge.decide([sentence for _, sentence in said], call.transcript.language)
        turn, sentence = said[decision.sentence]
        return Intent(decision.intent, decision.confidence, decision.labels, sentence, turn, self._judge.engine)


def said_by_caller(transcript: Transcript) -> list[tuple[int, str]]:
    """The caller's first sentences, each with its turn; everybody's where nobody can be told apart."""
    said = [(at, sentence) for at in callers_turns(transcript) for sentence in sentences(transcript.turns[at].text)]
    return said[:MOST_SENTENCES]
