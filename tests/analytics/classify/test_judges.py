from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.classify.judges import intent_judge, mood_judge
from plugandtell.analytics.settings import EngineSettings, TextEngine
from plugandtell.core.errors import ConfigurationUnreadable, EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.analytics.classify.embedding import Embedder

CHAT = EngineSettings(text=TextEngine.CHAT, chat_url="http://127.0.0.1:9/v1", chat_model="big")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (EngineSettings(), "embeddings"),
        (EngineSettings(text=TextEngine.EMBEDDINGS), "embeddings"),
        (EngineSettings(text=TextEngine.RULES), "rules"),
        (CHAT, "chat"),
    ],
)
def test_the_judge_is_the_one_that_the_settings_ask_for(settings: EngineSettings, name: str) -> None:
    assert mood_judge(settings, {}).engine.name == name
    assert intent_judge(settings, {}).engine.name == name


def not_here() -> Embedder:
    raise EngineUnavailable("embeddings", "not installed", "")


def test_rules_stand_in_where_there_are_no_embeddings() -> None:
    assert mood_judge(EngineSettings(), {}, not_here).engine.name == "rules"
    assert intent_judge(EngineSettings(), {}, not_here).engine.name == "rules"


def test_embeddings_that_were_asked_for_and_are_not_there_are_said() -> None:
    settings = EngineSettings(text=TextEngine.EMBEDDINGS)
    with pytest.raises(EngineUnavailable):
        mood_judge(settings, {}, not_here)
    with pytest.raises(EngineUnavailable):
        intent_judge(settings, {}, not_here)


@pytest.mark.parametrize("text", TextEngine)
def test_a_file_of_own_labels_that_cannot_be_used_is_said_by_every_engine(text: TextEngine, tmp_path: Path) -> None:
    settings = EngineSettings(text=text, chat_url="http://127.0.0.1:9/v1", intents_file=tmp_path / "none.toml")
    with pytest.raises(ConfigurationUnreadable, match=r"none\.toml"):
        intent_judge(settings, {})
