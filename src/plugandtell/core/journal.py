"""Records of a stream in a file: audio, positions and the end, each with its length and a checksum.

A record is a header of 32 bytes and PCM behind it. The header holds, little-endian: the four letters `PTS1`, what it
is (1 audio, 2 position, 3 end, 4 acknowledgement), 3 bytes of padding, the length of the PCM (4 bytes), an index (8),
where voice ended (8, all ones if nobody knows), and the CRC-32 (4) of the header with a checksum of 0 and the PCM.

What a dying process or machine leaves at the end of a file is thereby recognised, and so is damage in the middle.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

from plugandtell.core.protocol.messages import Ack, Audio, End, Position

if TYPE_CHECKING:
    from plugandtell.core.ranges import Range

_MAGIC = b"PTS1"
_HEADER = struct.Struct("<4sB3xIQQ")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = _HEADER.size + _CHECKSUM.size
_UNKNOWN = 2**64 - 1
_AUDIO, _POSITION, _END, _ACK = 1, 2, 3, 4

Record = Audio | Position | End | Ack


@dataclass(slots=True)
class Scan:
    """What a file holds.

    Attributes:
        records: In order. Audio is a view into the data.
        damage: The bytes between two records that are none.
        end: Behind the last record: what follows was not written to its end.
    """

    records: list[Record] = field(default_factory=list)
    damage: list[Range] = field(default_factory=list)
    end: int = 0


def record(message: Record) -> bytes:
    """The bytes of a record. Records without audio are all of one size."""
    match message:
        case Audio(start, pcm):
            return _sealed(_AUDIO, start, 0, bytes(pcm))
        case Position(index, voiced_to):
            return _sealed(_POSITION, index, _UNKNOWN if voiced_to is None else voiced_to)
        case End(index):
            return _sealed(_END, index)
        case Ack(stored_to):
            return _sealed(_ACK, stored_to)


def scan(data: bytes) -> Scan:
    """Read all records that there are; whatever the data are, this does not fail."""
    found = Scan()
    view = memoryview(data)
    place = 0
    while place >= 0:
        item = _record_at(view, place)
        if item is None:
            place = data.find(_MAGIC, place + 1)
            continue
        message, after = item
        if place > found.end:
            found.damage.append((found.end, place))
        found.records.append(message)
        found.end = place = after
    return found


def _sealed(kind: int, index: int, voiced_to: int = 0, pcm: bytes = b"") -> bytes:
    header = _HEADER.pack(_MAGIC, kind, len(pcm), index, voiced_to)
    return header + _CHECKSUM.pack(_checksum(header, pcm)) + pcm


def _checksum(header: bytes | memoryview, pcm: bytes | memoryview) -> int:
    return crc32(pcm, crc32(bytes(_CHECKSUM.size), crc32(header)))


def _record_at(data: memoryview, place: int) -> tuple[Record, int] | None:
    """The record that begins there, and where it ends."""
    if len(data) - place < _HEADER_BYTES:
        return None
    magic, kind, length, index, voiced_to = _HEADER.unpack_from(data, place)
    after = place + _HEADER_BYTES + length
    if magic != _MAGIC or after > len(data):
        return None
    pcm = data[place + _HEADER_BYTES : after]
    (checksum,) = _CHECKSUM.unpack_from(data, place + _HEADER.size)
    if checksum != _checksum(data[place : place + _HEADER.size], pcm):
        return None
    message = _message(kind, index, voiced_to, pcm)
    return (message, after) if message is not None else None


def _message(kind: int, index: int, voiced_to: int, pcm: memoryview) -> Record | None:
    if kind == _AUDIO:
        return Audio(index, pcm)
    if kind == _POSITION:
        return Position(index, None if voiced_to == _UNKNOWN else voiced_to)
    if kind == _END:
        return End(index)
    return Ack(index) if kind == _ACK else None
