"""Whatever breaks, and whenever: what the server stores is what passed the gate."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.support.broken_line import Line, LineRules, Server, new_gate
from tests.support.client_stream import AUDIO


class BrokenLine(LineRules):
    """Whatever breaks, and whenever, the recordings are those of a line that holds."""

    def __init__(self) -> None:
        super().__init__()
        self.captured = bytearray()

    @rule(voiced=st.booleans(), samples=st.integers(1, 20))
    def capture(self, voiced: bool, samples: int) -> None:
        self.captured += self.speak(voiced, samples)

    @rule(samples=st.integers(50, 200))
    def be_silent(self, samples: int) -> None:
        self.capture(voiced=False, samples=samples)

    @invariant()
    def it_is_not_complete_before_its_end(self) -> None:
        assert not self.line.stream.is_complete

    @invariant()
    def the_client_holds_what_the_server_has_not_confirmed_and_no_more(self) -> None:
        passed = sum(AUDIO.samples_in(len(item.pcm)) for item in self.passed)
        assert 0 <= self.line.stream.unacknowledged_samples <= passed
        assert 0 <= self.line.stream.unsaved_samples <= passed

    def teardown(self) -> None:
        self.take(self.gate.flush())
        self.line.stream.end(self.index)
        self.settle()
        assert self.line.stream.is_complete
        assert self.line.stream.unacknowledged_samples == 0
        assert self.line.stream.unsaved_samples == 0
        assert self.line.server.heard() == self._unbroken().heard()
        recorded = b"".join(data for _, data in self.line.server.segments)
        assert recorded == b"".join(item.pcm for item in self.passed)

    def _unbroken(self) -> Server:
        line, gate = Line(), new_gate()
        line.connect()
        for index in range(0, len(self.captured), 2):
            line.take(gate.feed(bytes(self.captured[index : index + 2])))
            line.settle()
        line.take(gate.flush())
        line.stream.end(len(self.captured) // 2)
        line.settle()
        return line.server


TestBrokenLine = BrokenLine.TestCase
TestBrokenLine.settings = settings(max_examples=150, stateful_step_count=40)


@pytest.mark.parametrize(("sent", "delivered"), [(2, 2), (3, 2), (5, 2), (4, 4), (9, 5)])
def test_a_line_that_breaks_every_few_messages_loses_and_doubles_nothing(sent: int, delivered: int) -> None:
    """No answer arrives but those to the hello: everything is learned from the next welcome."""
    spoken = "##......##...##............##.#.##" + "." * 80 + "###"
    chunks = [bytes([letter == "#", index]) for index, letter in enumerate(spoken)]
    broken, whole = Line(), Line()
    for line in (broken, whole):
        gate = new_gate()
        for chunk in chunks:
            line.take(gate.feed(chunk))
        line.take(gate.flush())
        line.stream.end(len(chunks))
    whole.connect()
    whole.settle()
    for _ in range(100):
        broken.connect()
        broken.deliver()
        while broken.down:
            broken.hear()
        for _ in range(sent):
            broken.send()
        for _ in range(delivered):
            broken.deliver()
        if broken.stream.is_complete:
            break
        broken.cut()
    assert broken.stream.is_complete
    assert broken.server.heard() == whole.server.heard()
