from __future__ import annotations

from plugandtell.analytics.classify.call_intent import MOST_LABELS, callers_turns, decide
from plugandtell.core.findings import IntentClass, Label
from plugandtell.core.transcript import Party
from tests.analytics.classify.said import leaning, transcript

SUPPORT, INFORMATION = IntentClass.SUPPORT, IntentClass.INFORMATION
COMPLAINT, OTHER = IntentClass.COMPLAINT, IntentClass.OTHER


def test_one_sentence_decides_for_itself() -> None:
    decision = decide([leaning(COMPLAINT, 0.7)])
    assert (decision.intent, decision.confidence, decision.sentence) == (COMPLAINT, 0.7, 0)


def test_greetings_and_answers_do_not_hide_the_wish() -> None:
    decision = decide([leaning(OTHER), leaning(OTHER), leaning(SUPPORT), *[leaning(OTHER)] * 20])
    assert (decision.intent, decision.sentence) == (SUPPORT, 2)


def test_what_is_said_first_counts_for_more() -> None:
    first = [leaning(SUPPORT, 0.8)] * 3
    then = [leaning(INFORMATION, 0.8)] * 3
    assert decide([*first, *then]).intent is SUPPORT
    assert decide([*then, *first]).intent is INFORMATION


def test_a_call_of_nothing_but_talk_is_other() -> None:
    decision = decide([leaning(OTHER)] * 30)
    assert (decision.intent, decision.sentence) == (OTHER, 0)
    assert decision.confidence > 0.8


def test_labels_come_from_the_sentences_that_speak_for_the_intent() -> None:
    decision = decide([leaning(OTHER, greeting=0.9), leaning(SUPPORT, billing=0.8, refund=0.1)])
    assert [label.name for label in decision.labels] == ["billing"]


def test_the_surest_labels_come_first_and_no_more_than_a_few() -> None:
    decision = decide([leaning(SUPPORT, a=0.3, b=0.9, c=0.5, d=0.4)])
    assert decision.labels == (Label("b", 0.9), Label("c", 0.5), Label("d", 0.4))
    assert len(decision.labels) == MOST_LABELS


def test_an_own_label_counts_wherever_its_best_fit_is() -> None:
    decision = decide([leaning(SUPPORT), leaning(OTHER)], [{"moving": 0.1}, {"moving": 0.8}])
    assert decision.labels == (Label("moving", 0.8),)


def test_the_caller_is_asked_where_the_caller_can_be_told_apart() -> None:
    agent, caller = (Party.AGENT, 0, 1, "x"), (Party.CALLER, 1, 2, "x")
    assert callers_turns(transcript(agent, caller, agent, caller)) == [1, 3]
    assert callers_turns(transcript((Party.SPEAKER, 0, 1, "x"), (Party.SPEAKER, 1, 2, "x"))) == [0, 1]
    assert callers_turns(transcript(agent, agent)) == [0, 1]
