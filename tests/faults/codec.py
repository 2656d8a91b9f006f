"""The campaign of messages: valid ones, a little wrong, against the codec and both machines of the protocol."""

from __future__ import annotations

import json
import tracemalloc
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.codec import decode_client, decode_server
from plugandtell.core.protocol.messages import CloseCode
from plugandtell.core.protocol.server import ServerConnection, ServerLimits
from plugandtell.core.store import MemoryStore
from tests.faults import raw
from tests.faults.mutation import any_value, mutated_bytes, mutated_fields
from tests.faults.tally import Tally
from tests.support.wire import hello, pcm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ID = "00000000-0000-0000-0000-00000000000a"
_FROM_CLIENT: tuple[dict[str, Any], ...] = (
    raw.hello_fields(Random(0)),
    {"type": "position", "index": 10, "voiced_to": 4},
    {"type": "end", "index": 10},
)
FROM_SERVER: tuple[dict[str, Any], ...] = (
    {"type": "welcome", "stream_id": _ID, "resume_from": 0, "silence_ms": 3000, "max_message_bytes": 1_048_576},
    {"type": "ack", "stored_to": 5},
    {"type": "segment_started", "segment_id": _ID, "start_index": 5},
    {
        "type": "segment_saved",
        "segment_id": _ID,
        "file": "a.wav",
        "start_index": 5,
        "end_index": 15,
        "duration_ms": 1,
        "reason": "silence",
    },
    {"type": "segment_discarded", "segment_id": _ID, "start_index": 5, "end_index": 15},
    {"type": "error", "code": "x", "message": "y"},
)
_DOCUMENTED = set(CloseCode)
_MOST_BYTES = 5_000_000
"""What the handling of one message of at most 100 KB may need: some copies of it, and Python objects of its parts."""


def run_messages(seeds: Iterable[int]) -> Tally:
    """Try a session of messages for each seed.

    Raises:
        AssertionError: Something else came out than a message or a documented error, or it took too much memory.
    """
    tally = Tally()
    tracemalloc.start()
    try:
        for seed in seeds:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            tally.faults["mutated_message"] += _session(seed)
            tally.runs["message_sessions"] += 1
            taken = tracemalloc.get_traced_memory()[1] - before
            assert taken < _MOST_BYTES, f"messages {seed} took {taken} bytes"
    finally:
        tracemalloc.stop()
    return tally


def any_raw(dice: Random, fields: tuple[dict[str, Any], ...]) -> str | bytes:
    """A message that might come over the wire: valid, mutated, or noise."""
    match dice.randrange(6):
        case 0:
            return json.dumps(dice.choice(fields))
        case 1 | 2:
            return json.dumps(mutated_fields(dice, dice.choice(fields)))
        case 3:
            return mutated_bytes(dice, json.dumps(dice.choice(fields)).encode()).decode("latin-1")
        case 4:
            start = dice.choice((0, 100, 2**48 - 1, 2**48, 2**64 - 1))
            return mutated_bytes(dice, start.to_bytes(8, "little") + pcm(0, dice.choice((0, 1, 100))))
        case _:
            return json.dumps(any_value(dice))


def _session(seed: int) -> int:
    """One connection of each side; returns how many messages it took."""
    dice = Random(seed)
    connection = ServerConnection(ServerLimits())
    stream = ClientStream(hello(UUID(_ID)), SPEECH, 1600, MemoryStore(SPEECH, 1_000_000))
    stream.add_audio(0, pcm(0, 8000))
    count = dice.randint(1, 12)
    if dice.random() < 0.5:
        connection.receive(json.dumps(_FROM_CLIENT[0]))
        stream.receive(decode_server(json.dumps(FROM_SERVER[0])))
    for _ in range(count):
        message = any_raw(dice, _FROM_CLIENT)
        _only_documented(seed, partial(connection.receive, message), message)
        _only_documented(seed, partial(decode_client, message), message)
        answer = any_raw(dice, FROM_SERVER)
        _only_documented(seed, partial(_receive, stream, answer), answer)
        _only_documented(seed, stream.next_message, answer)
    return count


def _receive(stream: ClientStream, answer: str | bytes) -> None:
    stream.receive(decode_server(answer))


def _only_documented(seed: int, step: Callable[[], object], message: str | bytes) -> None:
    refusal: ProtocolError | None = None
    try:
        step()
    except ProtocolError as error:
        refusal = error
    except Exception as error:
        raise AssertionError(f"messages {seed}: {error!r} for {message[:200]!r}") from error
    if refusal is not None:
        assert refusal.close_code in _DOCUMENTED, f"messages {seed}: {refusal!r}"
        assert len(str(refusal).encode()) < 2000, f"messages {seed}: an error as long as {len(str(refusal))}"
