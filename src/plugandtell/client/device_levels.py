"""What every input device hears at the moment: all are opened, and those that cannot be say why."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.client.capture import Dropped
from plugandtell.core.errors import NoMicrophone
from plugandtell.core.meter import level_db, peak
from plugandtell.core.safe_text import foreign
from plugandtell.core.status import FLOOR_DB
from plugandtell.terminal.bars import meter
from plugandtell.terminal.spans import Look, Span, cut, fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugandtell.client.input_devices import InputDevice
    from plugandtell.client.sound_system import InputStream
    from plugandtell.terminal.glyphs import Glyphs
    from plugandtell.terminal.spans import Line

_BAR, _LONGEST_NAME = 30, 40
_CLOSE_WITHIN_S: Final = 2.0


@dataclass(slots=True)
class Level:
    """What one device hears.

    Attributes:
        device: The device.
        failure: Why it cannot be heard, or None.
        now_db: The loudest since it was last asked; None before it is heard at all.
        most_db: The loudest ever.
    """

    device: InputDevice
    failure: str | None = None
    now_db: float | None = None
    most_db: float = FLOOR_DB


class Levels:
    """Listens to devices. A device that is stuck keeps those after it from being opened, and nothing else.

    Args:
        devices: Which.
        open_stream: Opens the device of an index.
    """

    def __init__(self, devices: Sequence[InputDevice], open_stream: Callable[[int], InputStream]) -> None:
        self.levels = tuple(map(Level, devices))
        self._open_stream = open_stream
        self._streams: list[tuple[Level, InputStream]] = []
        self._is_closed = False
        self._opening = threading.Thread(target=self._open_all, name="audio device", daemon=True)

    def open(self) -> None:
        """Begin to open them, one after the other."""
        self._opening.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until all are open or known not to open; returns whether that came true."""
        self._opening.join(timeout_s)
        return not self._opening.is_alive()

    def look(self) -> None:
        """Note what was heard since the last time."""
        for level, stream in tuple(self._streams):
            loudest = None
            while (block := stream.capture.take()) is not None:
                if not isinstance(block, Dropped):
                    loudest = max(loudest or 0, peak(block))
            if loudest is not None:
                level.now_db = level_db(loudest)
                level.most_db = max(level.most_db, level.now_db)
            elif stream.capture.finished:
                level.failure = "it went away"

    def close(self) -> None:
        """Release the devices, those that let go."""
        self._is_closed = True
        closing = threading.Thread(target=self._close_all, name="audio device", daemon=True)
        closing.start()
        closing.join(_CLOSE_WITHIN_S)

    def _open_all(self) -> None:
        for level in self.levels:
            if self._is_closed:
                return
            try:
                self._streams.append((level, self._open_stream(level.device.index)))
            except NoMicrophone as error:
                level.failure = error.cause

    def _close_all(self) -> None:
        self._opening.join()
        for _, stream in self._streams:
            stream.close()


def level_line(level: Level, columns: int, glyphs: Glyphs) -> Line:
    """A device and its level, in exactly so many columns."""
    name = f"{level.device.index:>3}  {cut(foreign(level.device.name), _LONGEST_NAME, glyphs.more):{_LONGEST_NAME}}  "
    if columns < len(name) + _BAR + 10:
        name = f"{level.device.index:>3}  "
    told = level.failure or ("opening" if level.now_db is None else "")
    if told:
        cause = cut(foreign(told), max(1, columns - len(name)), glyphs.more)
        return fitted((Span(name), Span(cause, Look.WARM)), columns)
    now_db = FLOOR_DB if level.now_db is None else level.now_db
    bar = meter(now_db, max(1, min(_BAR, columns - len(name) - 10)), glyphs)
    return fitted((Span(name), *bar, Span(f"  {_decibels(now_db)}")), columns)


def level_text(level: Level) -> str:
    """The same in plain words."""
    told = level.failure or ("opening" if level.now_db is None else _decibels(level.now_db).strip())
    return f"{level.device.index}  {foreign(level.device.name)}  {foreign(told)}"


def _decibels(now_db: float) -> str:
    return " silent" if now_db <= FLOOR_DB else f"{round(now_db):>4} dB"
