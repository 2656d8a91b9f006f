"""What RFC 6455 wants of a server, asked over a real socket of a connection that echoes.

Every case is asked of four servers, with and without the bypass for whole binary frames, on asyncio's event loop and on
the server's own; of each at once, frame by frame, and octet by octet. Whatever the way, all that the server says must
be what the case expects, up to the end of the connection.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from plugandtell.server.app import loop_factory
from plugandtell.server.masking import find_unmask
from tests.faults.raw import Op, frame
from tests.server.conformance import CASES, GOODBYE, NORMAL, PING, PONG, WRONG, Case
from tests.server.echo import echo_server, talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugandtell.server.masking import Unmask
    from tests.server.echo import Frame

WITHIN_S = 30.0
OCTETS, ODD_BYTES = 40, 997
UNMASKS = {"bypass": find_unmask(), "no bypass": None}
LOOPS = {"asyncio": asyncio.new_event_loop, "the server's loop": loop_factory()}


def at_once(sent: tuple[bytes, ...]) -> list[bytes]:
    return [b"".join(sent)]


def frame_by_frame(sent: tuple[bytes, ...]) -> list[bytes]:
    return list(sent)


def octet_by_octet(sent: tuple[bytes, ...]) -> list[bytes]:
    """Where a frame is long, only its beginning; what follows has lengths that fit nothing."""
    pieces = []
    for part in sent:
        pieces += [part[at : at + 1] for at in range(min(OCTETS, len(part)))]
        pieces += [part[at : at + ODD_BYTES] for at in range(OCTETS, len(part), ODD_BYTES)]
    return pieces


CUTS: list[Callable[[tuple[bytes, ...]], list[bytes]]] = [at_once, frame_by_frame, octet_by_octet]


class Line:
    """Leads to an echo, in a loop of its own that stands still unless something is said."""

    def __init__(self, stack: ExitStack, loop: str, unmask: Unmask | None) -> None:
        self._runner = stack.enter_context(asyncio.Runner(loop_factory=LOOPS[loop]))
        server = echo_server(unmask)
        self._port = self._runner.run(server.__aenter__())
        stack.callback(lambda: self._runner.run(server.__aexit__(None, None, None)))

    def answers(self, sent: tuple[bytes, ...]) -> dict[str, list[Frame]]:
        """All that is said to what is sent, however it is cut; each on a connection of its own."""
        return self._runner.run(self._answers(sent))

    async def _answers(self, sent: tuple[bytes, ...]) -> dict[str, list[Frame]]:
        async with asyncio.timeout(WITHIN_S):
            return {cut.__name__: await talk(self._port, cut(sent)) for cut in CUTS}


@pytest.fixture(scope="module")
def lines() -> Iterator[dict[str, Line]]:
    with ExitStack() as stack:
        yield {f"{way}, {loop}": Line(stack, loop, unmask) for way, unmask in UNMASKS.items() for loop in LOOPS}


def answers(lines: dict[str, Line], *sent: bytes) -> Iterator[tuple[str, list[Frame]]]:
    """All that is said to what is sent, and the way on which it went."""
    for name, line in lines.items():
        for cut, heard in line.answers(sent).items():
            yield f"{name}, {cut}", heard


def code_of(goodbye: bytes) -> int | None:
    return int.from_bytes(goodbye[:2], "big") if goodbye else None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_said_is_what_is_due(lines: dict[str, Line], case: Case) -> None:
    for way, (*heard, (op, goodbye)) in answers(lines, *case.sent):
        assert heard == list(case.heard), way
        assert (op, code_of(goodbye)) == (Op.CLOSE, case.closed), way


@pytest.mark.parametrize("words", [b"", b"thank you", b"y" * 123])
def test_a_goodbye_is_given_back_as_it_came(lines: dict[str, Line], words: bytes) -> None:
    goodbye = b"\x0f\xa0" + words
    for way, heard in answers(lines, frame(Op.CLOSE, goodbye)):
        assert heard == [(Op.CLOSE, goodbye)], way


def test_a_goodbye_within_a_message_is_the_end_of_both(lines: dict[str, Line]) -> None:
    """The RFC wants an answer, and leaves open whether it gives back the code or complains of the message."""
    begun, rest = frame(Op.TEXT, b"begun", final=False), frame(Op.CONTINUATION, b"and late")
    for way, (pong, (op, goodbye)) in answers(lines, begun, PING, GOODBYE, rest):
        assert (pong, op) == (PONG, Op.CLOSE), way
        assert code_of(goodbye) in (NORMAL, WRONG), way
