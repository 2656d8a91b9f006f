"""A store that is too small: what it cannot keep is counted, and the rest arrives, in order and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from plugandtell.core.protocol.messages import Ack
from plugandtell.core.store import MemoryStore
from tests.support.broken_line import LineRules
from tests.support.client_stream import AUDIO, new_stream, pcm, saved, told, welcome

if TYPE_CHECKING:
    from plugandtell.core.ranges import Range


class Forgetful(MemoryStore):
    """Loses what a test tells it to lose."""

    def __init__(self) -> None:
        super().__init__(AUDIO, 1_000_000)
        self.losing: list[Range] = []

    def take_lost(self) -> list[Range]:
        lost, self.losing = self.losing, []
        return lost


def test_what_the_store_lost_is_counted_and_no_longer_told() -> None:
    store = Forgetful()
    stream = new_stream(store)
    stream.add_audio(0, pcm("abcdefghij"))
    stream.receive(welcome())
    store.losing = [(0, 3), (5, 7)]
    stream.end(10)
    assert told(stream) == ["3 de", "7 hij", "end 10"]
    assert stream.lost_samples == 5
    assert (stream.unacknowledged_samples, stream.unsaved_samples) == (5, 5)
    stream.receive(Ack(10))
    stream.receive(saved(3, 10))
    assert stream.is_complete


def test_what_was_acknowledged_before_is_not_lost() -> None:
    store = Forgetful()
    stream = new_stream(store)
    stream.receive(welcome())
    stream.add_audio(0, pcm("abcdefgh"))
    assert told(stream) == ["0 abcdefgh"]
    stream.receive(Ack(6))
    store.losing = [(0, 7)]
    assert told(stream) == []
    assert stream.lost_samples == 1
    assert stream.unsaved_samples == 7


def test_the_connection_goes_on_where_it_was_when_what_it_sends_is_lost() -> None:
    store = Forgetful()
    stream = new_stream(store)
    stream.receive(welcome(max_message_bytes=8 + 2 * 4))
    stream.add_audio(0, pcm("abcdefghijkl"))
    stream.add_position(30, 12)
    stream.add_audio(40, pcm("wxyz"))
    assert stream.next_message() is not None
    store.losing = [(2, 10)]
    assert told(stream) == ["10 kl", "quiet 12-30", "40 wxyz"]
    store.losing = [(0, 100)]
    assert told(stream) == []
    stream.add_audio(44, pcm("abcd"))
    assert told(stream) == ["44 abcd"]


def test_audio_that_cannot_be_read_is_lost_too() -> None:
    class Unreadable(Forgetful):
        def read(self, start: int, end: int) -> bytes:
            return super().read(start, end) if start >= 8 else b""

    stream = new_stream(Unreadable())
    stream.receive(welcome(max_message_bytes=8 + 2 * 4))
    stream.add_audio(0, pcm("abcdefghijkl"))
    assert told(stream) == ["8 ijkl"]
    assert stream.lost_samples == 8


def test_of_many_positions_with_nothing_left_between_them_two_stay() -> None:
    store = Forgetful()
    stream = new_stream(store)
    for start in range(0, 200, 20):
        stream.add_audio(start, pcm("abcd"))
        stream.add_position(start + 15, start + 3)
    store.losing = [(4, 200)]
    stream.receive(welcome())
    assert told(stream) == ["0 abcd", "quiet 3-15", "quiet None-75", "quiet None-135", "quiet 183-195"]
    stream.receive(Ack(4))
    stream.add_audio(200, pcm("wxyz"))
    assert told(stream) == ["200 wxyz"]
    stream.receive(Ack(204))
    assert stream.unacknowledged_samples == 0
    stream.disconnected()
    stream.receive(welcome(204))
    assert told(stream) == []


class TooSmall(LineRules):
    """Whatever breaks, and however little room there is: what is stored was heard, once, and the rest is counted."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(AUDIO, 80))

    @rule(voiced=st.booleans(), samples=st.integers(1, 20))
    def capture(self, voiced: bool, samples: int) -> None:
        self.speak(voiced, samples)

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert 0 <= self.line.stream.unacknowledged_samples <= 80

    def teardown(self) -> None:
        self.take(self.gate.flush())
        self.line.stream.end(self.index)
        self.settle()
        stream, stored = self.line.stream, self.line.server.stored
        passed = dict(self.passed_samples())
        assert stream.is_complete
        assert [index for index, _ in stored] == sorted({index for index, _ in stored})
        assert all(passed[index] == value for index, value in stored)
        assert 0 <= len(passed) - len(stored) <= stream.lost_samples


TestTooSmall = TooSmall.TestCase
TestTooSmall.settings = settings(max_examples=150, stateful_step_count=40)
