"""What all judges have in common, and which one is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from plugandtell.analytics.classify import own_labels
from plugandtell.analytics.classify.chat import ChatClient
from plugandtell.analytics.classify.chat_judges import ChatIntents, ChatMoods
from plugandtell.analytics.classify.embedded import EmbeddedIntents, EmbeddedMoods
from plugandtell.analytics.classify.embedding import Embedder
from plugandtell.analytics.classify.heads import shipped
from plugandtell.analytics.classify.intent_rules import RuleIntents
from plugandtell.analytics.classify.mood_rules import RuleMoods
from plugandtell.analytics.settings import TextEngine
from plugandtell.core.errors import EngineUnavailable
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plugandtell.analytics.classify.chances import Decision, Feeling
    from plugandtell.analytics.settings import EngineSettings
    from plugandtell.core.transcript import Engine


class MoodJudge(Protocol):
    """Says how each turn of a call is said."""

    @property
    def engine(self) -> Engine:
        """What judges, and which version."""
        ...

    def feelings(self, turns: Sequence[str], language: str | None) -> list[Feeling]:
        """One for each turn, in their order; an empty turn is neutral.

        Raises:
            EngineFailed: It may work later.
            EngineUnavailable: It will not.
        """
        ...


class IntentJudge(Protocol):
    """Says what the caller wants."""

    @property
    def engine(self) -> Engine:
        """What judges, and which version."""
        ...

    def decide(self, sentences: Sequence[str], language: str | None) -> Decision:
        """What the caller's sentences, at least one, amount to.

        Raises:
            EngineFailed: It may work later.
            EngineUnavailable: It will not.
        """
        ...


def mood_judge(
    settings: EngineSettings, environment: Mapping[str, str], embedder: Callable[[], Embedder] = Embedder
) -> MoodJudge:
    """The judge of moods that the settings ask for.

    Raises:
        EngineUnavailable: It cannot be used here.
    """
    match settings.text:
        case TextEngine.CHAT:
            return ChatMoods(ChatClient.of(settings, environment))
        case TextEngine.RULES:
            return RuleMoods()
    try:
        return EmbeddedMoods(embedder(), shipped())
    except EngineUnavailable as exc:
        _let_rules_stand_in(settings, exc)
        return RuleMoods()


def intent_judge(
    settings: EngineSettings, environment: Mapping[str, str], embedder: Callable[[], Embedder] = Embedder
) -> IntentJudge:
    """The judge of intents that the settings ask for, with the user's own labels.

    Raises:
        EngineUnavailable: It cannot be used here.
        ConfigurationUnreadable: The file of the user's own labels cannot be used.
    """
    own = own_labels.NONE if settings.intents_file is None else own_labels.read(settings.intents_file)
    match settings.text:
        case TextEngine.CHAT:
            return ChatIntents(ChatClient.of(settings, environment), own)
        case TextEngine.RULES:
            return RuleIntents(own)
    try:
        return EmbeddedIntents(embedder(), shipped(), own)
    except EngineUnavailable as exc:
        _let_rules_stand_in(settings, exc)
        return RuleIntents(own)


def _let_rules_stand_in(settings: EngineSettings, unavailable: EngineUnavailable) -> None:
    """Say so, unless embeddings and nothing else were asked for."""
    if settings.text is TextEngine.EMBEDDINGS:
        raise unavailable
    get_logger().warning("rules_stand_in", error=str(unavailable))
