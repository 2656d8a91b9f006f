"""The cascade, read as letters: a guard that hears `#` and `n`, a judge that believes `#` alone."""

from __future__ import annotations

from plugandtell.core.audio import AudioFormat
from plugandtell.core.cascade import Cascade, CascadeSettings

AUDIO = AudioFormat(16_000, 1)


class Guard:
    frame_samples = 1

    def probability(self, frame: bytes) -> float:
        assert len(frame) == 2
        return float(frame in (b"##", b"nn"))


class Judge:
    """Remembers all that it was shown."""

    def __init__(self, frame_samples: int = 1) -> None:
        self.frame_samples = frame_samples
        self.shown = ""

    def probability(self, frame: bytes) -> float:
        self.shown += frame[::2].decode()
        return 0.9 if b"#" in frame else 0.1


def listen(heard: str, judge: Judge, primed: int = 2, awake: int = 3, settling: int = 0) -> list[float]:
    cascade = Cascade(Guard(), judge, CascadeSettings(primed, awake, settling), AUDIO)
    step = judge.frame_samples
    frames = [heard[at : at + step] for at in range(0, len(heard), step)]
    return [cascade.probability("".join(letter * 2 for letter in frame).encode()) for frame in frames]


def test_the_judge_sleeps_while_nothing_is_heard() -> None:
    judge = Judge()
    assert listen("......", judge) == [0.0] * 6
    assert not judge.shown


def test_the_judge_has_the_say_while_something_is_heard() -> None:
    assert listen("n#n", Judge()) == [0.1, 0.9, 0.1]


def test_on_waking_it_hears_what_came_before() -> None:
    judge = Judge()
    listen("abcd#", judge)
    assert judge.shown == "cd#"


def test_it_stays_awake_for_a_while_and_is_primed_anew_after_a_sleep() -> None:
    judge = Judge()
    listen("ab#cdefghi#", judge)
    assert judge.shown == "ab#cdhi#"


def test_what_it_heard_itself_is_not_shown_again() -> None:
    judge = Judge()
    listen("#abc#", judge)
    assert judge.shown == "#abc#"


def test_frames_of_other_lengths_are_put_together_for_the_guard() -> None:
    judge = Judge(frame_samples=3)
    assert listen("......#..", judge) == [0.0, 0.0, 0.9]
    assert judge.shown == "......#.."


def test_at_the_start_the_guard_is_not_believed_but_nothing_is_lost() -> None:
    judge = Judge()
    assert listen("nn......", judge, settling=2) == [0.0] * 8
    assert not judge.shown
    woken = Judge()
    listen("###", woken, settling=2)
    assert woken.shown == "###"
