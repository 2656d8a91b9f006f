"""Whether what a client hears may leave it: talk and mute, as keys switch them.

A terminal tells no release of a key, and repeats one that is held. So the space bar toggles, and what comes so soon
after the last press that it may be a repetition changes nothing: who holds it talks, and goes on talking.
"""

from __future__ import annotations

import math
from enum import StrEnum

HELD_WITHIN_S = 0.7
"""Longest pause between two repetitions of a key that is held, the first, and longest, included."""


class Key(StrEnum):
    """What a key asks for."""

    TALK = "talk"
    MUTE = "mute"
    QUIT = "quit"


class TalkState(StrEnum):
    """What becomes of what is heard. Only in the first two it may be sent."""

    OPEN = "open"
    TALKING = "talking"
    SILENT = "silent"
    MUTED = "muted"


class Talk:
    """Keys and times in, the state out.

    Args:
        push_to_talk: Whether nothing is sent until the first `Key.TALK`.
    """

    def __init__(self, *, push_to_talk: bool = False) -> None:
        self._push_to_talk = push_to_talk
        self._is_on = not push_to_talk
        self._is_muted = False
        self._pressed_at = dict.fromkeys(Key, -math.inf)

    @property
    def is_open(self) -> bool:
        """Whether what is heard may be sent."""
        return self._is_on and not self._is_muted

    @property
    def state(self) -> TalkState:
        """What to show."""
        if self._is_muted:
            return TalkState.MUTED
        if not self._is_on:
            return TalkState.SILENT
        return TalkState.TALKING if self._push_to_talk else TalkState.OPEN

    def press(self, key: Key, now_s: float) -> bool:
        """Take a key, on a monotonic clock; returns whether anything changed. To mute is never put off."""
        is_held = now_s - self._pressed_at[key] < HELD_WITHIN_S
        self._pressed_at[key] = now_s
        if key is Key.MUTE and not (is_held and self._is_muted):
            self._is_muted = not self._is_muted
            return True
        if key is Key.TALK and not is_held:
            self._is_on = not self._is_on
            return True
        return False
