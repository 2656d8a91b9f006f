"""A call's audio, whatever its format, as 16 kHz samples of one or two channels. Nothing else imports av.

Formats that name other files or addresses (playlists, scripts for joining files) are not taken: they would let whoever
submits a call read what the worker can read.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import (
    AudioUnreachable,
    InputEmpty,
    InputNotAudio,
    InputNotFound,
    InputTooLong,
    WriteFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.container import InputContainer

Samples: TypeAlias = npt.NDArray[np.float32]

_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,eac3,flac,flv,g722,gsm,ircam,loas,matroska,mov,mp3,mpc,mpc8,"
    "mpeg,mpegts,mxf,nistsphere,nut,ogg,qcp,rm,rso,sln,sox,spx,tak,truehd,tta,voc,w64,wav,webm,wv,xwma"
)
_READ_BYTES = 256 * 1024
_BLOCK_SAMPLES = SPEECH.sample_rate  # frames may be as short as 20 ms, and each block costs some calls into numpy
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000  # beyond them a header is wrong, and a resampler would eat all memory
_MOST_CHANNELS = 64
_TWIN = 2 / 32_768
"""How far two channels with the same sound may be apart: each may have been rounded to 16 bits on its own."""


@dataclass(frozen=True, slots=True)
class CallAudio:
    """The audio of a call.

    Attributes:
        channels: One array a channel, all of the same length, 16 kHz, full scale 1.0 and never beyond it. One or two
            of them: more are mixed, and two that are the same are one. They are read-only maps of temporary files,
            which are gone with them: four hours of stereo are 1.8 GB, of which only what is looked at takes up memory.
        duration_ms: How long it is.
    """

    channels: tuple[Samples, ...]
    duration_ms: int


def decode(path: Path, max_hours: float, name: str | None = None) -> CallAudio:
    """Decode a file: the first audio in it, if it has several, or pictures too.

    A file that is cut short gives what is there, and so does a damaged one, unless most of it cannot be decoded.

    Args:
        path: The file.
        max_hours: The longest that is taken.
        name: What messages call the file; its path unless given.

    Raises:
        InputNotFound: There is no such file, or it cannot be opened.
        InputNotAudio: It is in no format that can be decoded, has no audio in it, or is too damaged.
        InputEmpty: It has not a single sample.
        InputTooLong: It is longer than `max_hours`.
        AudioUnreachable: The disk that it is on fails.
        WriteFailed: There is no room for temporary files.
    """
    name = str(path) if name is None else name
    try:
        with ExitStack() as stack:
            file = stack.enter_context(_opened(path, name))
            decoder = _Decoder(stack.enter_context(_container(file, name)), name)
            tracks = stack.enter_context(_Tracks(name, max_hours))
            for block in decoder.blocks():
                tracks.add(block)
            decoder.check_damage(tracks.samples)
            return CallAudio(tracks.mapped(), SPEECH.ms_from(tracks.samples))
    except FFmpegError as exc:
        raise InputNotAudio(name, f"it cannot be decoded ({exc.strerror})") from exc


def _opened(path: Path, name: str) -> IO[bytes]:
    try:
        if path.exists() and not path.is_file():  # opening a pipe could block for ever
            raise InputNotFound(name, "it is no file")
        file = path.open("rb")
    except OSError as exc:
        raise InputNotFound(name, (exc.strerror or str(exc)).lower()) from exc
    if not file.read(1):
        file.close()
        raise InputEmpty(name, "its size is zero bytes: check that it was copied completely")
    file.seek(0)
    return file


def _container(file: IO[bytes], name: str) -> InputContainer:
    # A file object, and not its name, so that nothing in the name can be taken for a protocol, and so that an error of
    # the disk reaches us as itself. No protocol at all is left for what a format might want to open beside it.
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
    try:
        return av.open(file, "r", options=options, buffer_size=_READ_BYTES, metadata_errors="replace")
    except FFmpegError as exc:
        raise InputNotAudio(name, "no audio format that can be decoded") from exc
    except OSError as exc:
        raise _disk_failed(name, exc) from exc


class _Decoder:
    """Decodes the audio of an open file, and counts what it could not decode."""

    def __init__(self, container: InputContainer, name: str) -> None:
        self._container = container
        self._name = name
        self._good = self._bad = 0

    def blocks(self) -> Iterator[Samples]:
        """Blocks of shape (channels, samples): two channels if the first frame has two, otherwise one."""
        converter, channels = None, 0
        for frame in self._frames():
            if converter is None or not converter.takes(frame):
                yield from _shaped(converter.flush() if converter else [], channels)
                converter = _Converter(frame, self._name)
                channels = channels or (2 if frame.layout.nb_channels == 2 else 1)
            yield from _shaped(converter.feed(frame), channels)
        yield from _shaped(converter.flush() if converter else [], channels)

    def check_damage(self, samples: int) -> None:
        """Check that what was decoded can stand for the file.

        Raises:
            InputNotAudio: Most of it could not be decoded.
            InputEmpty: There is nothing in it.
        """
        if self._bad > self._good:
            cause = f"{self._bad} of its {self._bad + self._good} packets cannot be decoded: get an intact copy"
            raise InputNotAudio(self._name, f"it is damaged, or no audio after all: {cause}")
        if not samples:
            raise InputEmpty(self._name, "there is not a single sample in it")

    def _frames(self) -> Iterator[AudioFrame]:
        stream = next(iter(self._container.streams.audio), None)
        if stream is None:
            raise InputNotAudio(self._name, "there is no audio in it")
        try:
            for packet in self._container.demux(stream):
                try:
                    frames = packet.decode()
                except FFmpegError:
                    self._bad += 1
                    continue
                self._good += bool(frames)
                yield from frames
        except FFmpegError:  # the file's own structure is broken from here on
            self._bad += 1
        except OSError as exc:
            raise _disk_failed(self._name, exc) from exc


class _Converter:
    """Makes frames of one format into blocks of 16 kHz."""

    def __init__(self, like: AudioFrame, name: str) -> None:
        rate, channels = like.sample_rate, like.layout.nb_channels
        if not (_LOWEST_RATE <= rate <= _HIGHEST_RATE and 1 <= channels <= _MOST_CHANNELS):
            raise InputNotAudio(name, f"{channels} channels of {rate} Hz are no speech that could be recorded")
        self._form = _form(like)
        self._channels = channels
        # Interleaved: of planar frames with eight channels or more, av 18.1 reads what is not there, and crashes.
        self._resampler = av.AudioResampler("flt", like.layout, SPEECH.sample_rate, _BLOCK_SAMPLES)

    def takes(self, frame: AudioFrame) -> bool:
        """Whether the frame is of the same format as the first one."""
        return _form(frame) == self._form

    def feed(self, frame: AudioFrame) -> list[Samples]:
        """Convert a frame; a little is kept back."""
        frame.pts = None  # times in a damaged file are not to be trusted, and samples follow one another anyway
        return self._convert(frame)

    def flush(self) -> list[Samples]:
        """What was kept back."""
        return self._convert(None)

    def _convert(self, frame: AudioFrame | None) -> list[Samples]:
        blocks = [out.to_ndarray().astype(np.float32, copy=False) for out in self._resampler.resample(frame)]
        return [block.reshape(-1, self._channels).T for block in blocks]


def _form(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _shaped(blocks: list[Samples], channels: int) -> Iterator[Samples]:
    """The blocks with one channel or two, whatever they had, and free of what is no number."""
    for block in blocks:
        clean = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)
        if channels == 1:
            yield clean.mean(axis=0, keepdims=True, dtype=np.float32)
        elif len(clean) == 2:
            yield clean
        else:  # the format changed on the way
            yield np.repeat(clean.mean(axis=0, keepdims=True, dtype=np.float32), 2, axis=0)


class _Tracks:
    """What was decoded so far, in one temporary file a channel.

    Args:
        name: What messages call the audio.
        max_hours: The longest that is taken.

    Attributes:
        samples: How many there are of each channel.
    """

    def __init__(self, name: str, max_hours: float) -> None:
        self.samples = 0
        self._name = name
        self._max_hours = max_hours
        self._files: list[IO[bytes]] = []
        self._are_twins = True

    def __enter__(self) -> _Tracks:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:  # what is mapped stays until nobody looks at it any more
            file.close()

    def add(self, block: Samples) -> None:
        """Add a block of shape (channels, samples)."""
        self.samples += block.shape[1]
        if self.samples > SPEECH.samples_from_s(3600 * self._max_hours):
            raise InputTooLong(self._name, f"it is longer than {self._max_hours:g} hours (--max-audio-hours)")
        self._are_twins = self._are_twins and bool(np.abs(block[0] - block[-1]).max(initial=0.0) <= _TWIN)
        try:
            self._files = self._files or [tempfile.TemporaryFile() for _ in block]  # noqa: SIM115  (closed in __exit__)
            for file, channel in zip(self._files, block, strict=True):
                file.write(channel.tobytes())
        except OSError as exc:
            raise self._no_room(exc) from exc

    def mapped(self) -> tuple[Samples, ...]:
        """All of it, one array a channel."""
        try:
            for file in self._files:
                file.flush()
            kept = self._files[:1] if self._are_twins else self._files
            return tuple(np.memmap(file, np.float32, "r", shape=(self.samples,)) for file in kept)
        except OSError as exc:
            raise self._no_room(exc) from exc

    def _no_room(self, exc: OSError) -> WriteFailed:
        return WriteFailed(f"the samples of {self._name}, below {tempfile.gettempdir()}", exc.strerror or str(exc))


def _disk_failed(name: str, exc: OSError) -> AudioUnreachable:
    return AudioUnreachable(name, (exc.strerror or str(exc)).lower())
