from __future__ import annotations

import pytest

from plugandtell.core.talk import HELD_WITHIN_S, Key, Talk, TalkState

APART = 2 * HELD_WITHIN_S


def test_space_ends_and_resumes_talking() -> None:
    talk = Talk()
    assert (talk.state, talk.is_open) == (TalkState.OPEN, True)
    assert talk.press(Key.TALK, 0.0)
    assert (talk.state, talk.is_open) == (TalkState.SILENT, False)
    assert talk.press(Key.TALK, APART)
    assert (talk.state, talk.is_open) == (TalkState.OPEN, True)


def test_push_to_talk_begins_silent() -> None:
    talk = Talk(push_to_talk=True)
    assert (talk.state, talk.is_open) == (TalkState.SILENT, False)
    talk.press(Key.TALK, 0.0)
    assert (talk.state, talk.is_open) == (TalkState.TALKING, True)


@pytest.mark.parametrize("repeats_s", [[0.66, 0.7, 0.74], [0.25, 0.28, 0.31]])
def test_a_space_bar_that_is_held_is_one_press(repeats_s: list[float]) -> None:
    talk = Talk(push_to_talk=True)
    assert [talk.press(Key.TALK, at) for at in (0.0, *repeats_s)] == [True, False, False, False]
    assert talk.is_open


def test_mute_is_over_all_and_at_once() -> None:
    talk = Talk()
    talk.press(Key.TALK, 0.0)
    states = []
    # The last press comes as soon as a key that is held repeats, and is obeyed: it is not to be heard any more.
    for key, at in ((Key.MUTE, 0.1), (Key.TALK, APART), (Key.MUTE, APART), (Key.MUTE, APART + 0.01)):
        assert talk.press(key, at)
        states.append(talk.state)
    assert states == [TalkState.MUTED, TalkState.MUTED, TalkState.OPEN, TalkState.MUTED]


def test_a_mute_key_that_is_held_stays_muted() -> None:
    talk = Talk()
    for repeat in range(50):
        talk.press(Key.MUTE, repeat * 0.03)
    assert talk.state is TalkState.MUTED


def test_quit_is_not_its_business() -> None:
    talk = Talk()
    assert not talk.press(Key.QUIT, 0.0)
    assert talk.state is TalkState.OPEN
