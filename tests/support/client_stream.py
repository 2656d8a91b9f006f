"""The client's machine at 1 Hz, so that the longest jump is sixty samples; a letter is a sample."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from plugandtell.core.audio import AudioFormat
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.messages import (
    Audio,
    ClientInfo,
    End,
    EndReason,
    Hello,
    Position,
    SegmentSaved,
    Welcome,
)
from plugandtell.core.store import AudioStore, MemoryStore

AUDIO = AudioFormat(1, 1)
HELLO = Hello(UUID(int=1), 1, 1, datetime(2026, 1, 1, tzinfo=UTC), ClientInfo("test", "1"))
BATCH = 4


def pcm(letters: str) -> bytes:
    return letters.encode("utf-16-le")


def letters(data: bytes | memoryview) -> str:
    return bytes(data).decode("utf-16-le")


def welcome(resume_from: int = 0, max_message_bytes: int = 1_000_000) -> Welcome:
    return Welcome(HELLO.stream_id, resume_from, 10, max_message_bytes)


def saved(start: int, end: int) -> SegmentSaved:
    return SegmentSaved(UUID(int=2), "a.wav", start, end, end - start, EndReason.SILENCE)


def new_stream(store: AudioStore | None = None) -> ClientStream:
    return ClientStream(HELLO, AUDIO, BATCH, store or MemoryStore(AUDIO, 1_000_000))


def connected(resume_from: int = 0, max_message_bytes: int = 1_000_000) -> ClientStream:
    stream = new_stream()
    stream.receive(welcome(resume_from, max_message_bytes))
    return stream


def told(stream: ClientStream) -> list[str]:
    """Everything the stream has to tell at the moment, readable."""
    found: list[str] = []
    while (message := stream.next_message()) is not None:
        match message:
            case Audio(start, data):
                found.append(f"{start} {letters(data)}")
            case Position(index, voiced_to):
                found.append(f"quiet {voiced_to}-{index}")
            case End(index):
                found.append(f"end {index}")
            case Hello():
                found.append("hello")
    return found
