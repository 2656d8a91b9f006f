"""The server's end of one connection: is this message allowed here?"""

from __future__ import annotations

from dataclasses import dataclass

from plugandtell.core.audio import AudioFormat
from plugandtell.core.errors import ProtocolError
from plugandtell.core.json_object import shown
from plugandtell.core.protocol.codec import INDEX_BYTES, decode_client
from plugandtell.core.protocol.messages import (
    ENCODING,
    MAX_INDEX,
    MAX_JUMP_S,
    Audio,
    ClientMessage,
    CloseCode,
    End,
    Hello,
)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a server takes.

    Attributes:
        sample_rates: Allowed rates in Hz.
        channels: Allowed channel counts.
        max_jump_s: How far a message may start ahead of all before it on the same connection.
    """

    sample_rates: tuple[int, ...] = (16_000,)
    channels: tuple[int, ...] = (1,)
    max_jump_s: float = MAX_JUMP_S


class ServerConnection:
    """Raw messages in, checked messages out; the first is the hello, the last the end."""

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._audio: AudioFormat | None = None
        self._bytes_per_sample = 1
        self._latest: int | None = None
        self._ended = False

    @property
    def latest(self) -> int | None:
        """The highest index that the client has got to on this connection."""
        return self._latest

    @property
    def is_over(self) -> bool:
        """Whether the client said that capture is over."""
        return self._ended

    def receive(self, raw: str | bytes) -> ClientMessage:
        """Decode and check the next message.

        Raises:
            ProtocolError: The connection must be closed with the code that it carries.
        """
        if self._ended:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "message_after_end", "a message came after end", raw)
        if self._audio is None and isinstance(raw, bytes):
            raise ProtocolError(CloseCode.UNSUPPORTED_DATA, "hello_expected", "binary before hello", raw)
        message = decode_client(raw)
        if isinstance(message, Hello):
            self._greet(message, raw)
            return message
        if self._audio is None:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "hello_expected", "the first message must be hello", raw)
        if isinstance(message, Audio):
            self._check_audio(message, self._audio, raw)
        else:
            self._advance(message.index, message.index, self._audio, raw)
            self._ended = isinstance(message, End)
        return message

    def receive_audio(self, raw: bytes) -> int:
        """Check the next message, which is binary; returns the index of its first sample.

        The PCM begins at byte `INDEX_BYTES`. Audio that goes on where the message before it ended takes a short way.

        Raises:
            ProtocolError: The connection must be closed with the code that it carries.
        """
        start = int.from_bytes(raw[:INDEX_BYTES], "little")
        if start == self._latest and start < MAX_INDEX and not self._ended:
            samples, rest = divmod(len(raw) - INDEX_BYTES, self._bytes_per_sample)
            if samples > 0 and not rest:
                self._latest = start + samples
                return start
        message = self.receive(raw)
        assert isinstance(message, Audio)  # nothing else is binary
        return message.start

    def _greet(self, hello: Hello, raw: str | bytes) -> None:
        if self._audio is not None:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "hello_repeated", "hello was said twice", raw)
        formats: tuple[tuple[str, object, tuple[object, ...]], ...] = (
            ("encoding", hello.encoding, (ENCODING,)),
            ("sample_rate", hello.sample_rate, self._limits.sample_rates),
            ("channels", hello.channels, self._limits.channels),
        )
        for name, value, allowed in formats:
            if value not in allowed:
                listed = " or ".join(map(str, allowed))
                raise ProtocolError(
                    CloseCode.POLICY_VIOLATION,
                    "format_refused",
                    f"{name} is {shown(value)}, but must be {listed}",
                    raw,
                )
        self._audio = AudioFormat(hello.sample_rate, hello.channels)
        self._bytes_per_sample = self._audio.bytes_per_sample

    def _check_audio(self, message: Audio, audio: AudioFormat, raw: str | bytes) -> None:
        size = len(message.pcm)
        if size % audio.bytes_per_sample:
            raise ProtocolError(
                CloseCode.INVALID_AUDIO,
                "audio_malformed",
                f"{size} bytes of audio are no whole number of samples of {audio.bytes_per_sample} bytes",
                raw,
            )
        self._advance(message.start, message.start + audio.samples_in(size), audio, raw)

    def _advance(self, start: int, end: int, audio: AudioFormat, raw: str | bytes) -> None:
        """Move the clock. The first message after the hello may stand anywhere: capture may long have been running."""
        allowed = audio.samples_from_s(self._limits.max_jump_s)
        if self._latest is not None and start - self._latest > allowed:
            raise ProtocolError(
                CloseCode.INVALID_AUDIO,
                "index_jumped",
                f"the index jumped from {self._latest} to {start}, by more than {allowed} samples",
                raw,
            )
        self._latest = max(end, self._latest or 0)
