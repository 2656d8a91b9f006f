"""Sentiment analysis: how each turn is said, how the call goes by quarters, and how the caller feels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plugandtell.analytics.classify.call_mood import sentiment_of
from plugandtell.analytics.classify.judges import mood_judge

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.analytics.classify.judges import MoodJudge
    from plugandtell.analytics.service import CallInput
    from plugandtell.analytics.settings import EngineSettings
    from plugandtell.core.findings import Sentiment


class SentimentAnalysis:
    """The service of that stage (see `service.Service`).

    Raises:
        EngineUnavailable: The judge that the settings ask for cannot be used here.
    """

    def __init__(self, settings: EngineSettings, data_dir: Path) -> None:
        del data_dir  # it keeps nothing
        self._judge: MoodJudge = mood_judge(settings, os.environ)

    def process(self, call: CallInput) -> Sentiment:
        """How the call was.

        Raises:
            EngineFailed: The judge did not answer, and may later.
            EngineUnavailable: It refused.
        """
        transcript = call.transcript
        turns = [turn.text for turn in transcript.turns]
        feelings = self._judge.feelings(turns, transcript.language) if turns else []
        return sentiment_of(transcript, feelings, self._judge.engine)
