from __future__ import annotations

from plugandtell.core.crosstalk import without_echoes
from plugandtell.core.hearing import Heard, Utterance
from plugandtell.core.transcript import Party, Span, Word

AGENT, CALLER = Party.AGENT, Party.CALLER
QUESTION = Utterance(Span(0, 2000), "How can I help you today?")
ECHO = Utterance(Span(100, 2100), "how can I held you today")
ANSWER = Utterance(Span(2500, 3500), "My order is late.")


def left(agent: tuple[Utterance, ...], caller: tuple[Utterance, ...], softer_db: float) -> tuple[list[str], list[str]]:
    """What is left of each where the caller's channel is so much softer than the agent's."""
    heard = {AGENT: Heard("en", agent), CALLER: Heard("en", caller)}
    kept = without_echoes(heard, lambda party, _: 0.0 if party is AGENT else -softer_db)
    agents, callers = ([said.text for said in kept[party].utterances] for party in (AGENT, CALLER))
    return agents, callers


def test_the_same_words_at_the_same_time_but_softer_are_an_echo() -> None:
    assert left((QUESTION,), (ECHO, ANSWER), 20.0) == ([QUESTION.text], [ANSWER.text])


def test_what_is_as_loud_is_said_by_both() -> None:
    assert left((QUESTION,), (ECHO,), 3.0) == ([QUESTION.text], [ECHO.text])


def test_other_words_are_not_an_echo_however_soft() -> None:
    aside = Utterance(Span(100, 2100), "No, put it over there.")
    assert left((QUESTION,), (aside,), 20.0) == ([QUESTION.text], [aside.text])


def test_the_same_words_at_another_time_are_not_an_echo() -> None:
    later = Utterance(Span(5000, 7000), QUESTION.text)
    assert left((QUESTION,), (later,), 20.0) == ([QUESTION.text], [later.text])


def test_only_the_words_at_that_time_count() -> None:
    words = tuple(Word(f"word{index}", Span(index * 1000, index * 1000 + 900)) for index in range(10))
    long = Utterance(Span(0, 10_000), " ".join(word.text for word in words), words)
    early = Utterance(Span(8000, 9900), "word0 word1")
    assert left((long,), (early,), 20.0)[1] == [early.text]


def test_who_only_echoes_has_said_nothing() -> None:
    heard = {AGENT: Heard("en", (QUESTION,)), CALLER: Heard("en", (ECHO,))}
    kept = without_echoes(heard, lambda party, _: 0.0 if party is AGENT else -20.0)
    assert kept[CALLER] == Heard(None)


def test_one_channel_has_no_echo() -> None:
    heard = {Party.SPEAKER: Heard("en", (QUESTION,))}
    assert without_echoes(heard, lambda *_: 0.0) == heard
