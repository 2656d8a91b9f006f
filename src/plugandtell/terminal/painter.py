"""From the lines of a screen to what a terminal is sent: only what changed since the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.color import ColorSystem
from rich.control import Control
from rich.style import Style

from plugandtell.terminal.spans import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.terminal.spans import Line

# The sixteen colours that every theme has made readable on its own background.
STYLES: Final = {
    Look.PLAIN: Style.null(),
    Look.QUIET: Style(dim=True),
    Look.FRAME: Style(dim=True),
    Look.STRONG: Style(bold=True),
    Look.KEY: Style(bold=True, reverse=True),
    Look.GOOD: Style(color="green"),
    Look.BUSY: Style(color="cyan"),
    Look.WARM: Style(color="yellow"),
    Look.BAD: Style(color="red", bold=True),
    Look.CLIENT: Style(color="cyan", bold=True),
    Look.SERVER: Style(color="magenta", bold=True),
}
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"  # while the terminal is narrower than we know yet, nothing may scroll

ENTER: Final = f"{Control.alt_screen(enable=True)}{Control.show_cursor(show=False)}{_NO_WRAP}"
LEAVE: Final = f"{_WRAP}{Control.show_cursor(show=True)}{Control.alt_screen(enable=False)}"


class Painter:
    """Remembers what is on the screen.

    Args:
        color: Whether the terminal gets colours, or any other style.
    """

    def __init__(self, *, color: bool) -> None:
        self._color_system = ColorSystem.STANDARD if color else None
        self._shown: list[Line] = []
        self._size = (0, 0)

    def forget(self) -> None:
        """Somebody else wrote on the screen: the next time, all of it is painted."""
        self._size = (0, 0)

    def paint(self, lines: Sequence[Line], size: tuple[int, int]) -> str:
        """What makes the screen show these lines; empty if it does already."""
        parts: list[str] = []
        if size != self._size:
            parts.append(str(Control.clear()))
            self._shown, self._size = [], size
        for row, line in enumerate(lines):
            if row >= len(self._shown) or line != self._shown[row]:
                parts += [str(Control.move_to(0, row)), self.rendered(line)]
        self._shown = list(lines)
        return "".join(parts)

    def rendered(self, line: Line) -> str:
        """A line with its styles."""
        if self._color_system is None:
            return "".join(span.text for span in line)
        return "".join(STYLES[span.look].render(span.text, color_system=self._color_system) for span in line)
