"""Messages that are a little wrong: see `codec.py`. `make soak` runs thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.codec import run_messages

if TYPE_CHECKING:
    from tests.faults.tally import Record

SESSIONS = 500


def test_whatever_is_said_the_answer_is_documented_and_cheap(record: Record) -> None:
    tally = run_messages(range(SESSIONS))
    assert tally.runs == {"message_sessions": SESSIONS}
    assert tally.faults["mutated_message"] > 0
    record(tally)
