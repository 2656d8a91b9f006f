"""Makes the pictures in this folder, of the program in a terminal: `python docs/captures/make.py`.

Needs what `make setup-dev` installs. The program listens to the sample of speech instead of a microphone, in a folder
of its own: the pictures are the same each time, but for what tells the time.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "assets/sample.flac"
FOLDER = Path("/tmp/speech")  # noqa: S108  (its name is in the pictures, and it must not exist before)
RUN = ("run", "--port=3000", "--label=laptop", "--input=sample.flac")
WITHIN_S = 120.0
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # would be fetched from elsewhere
_ALTERNATE = re.compile(rb"\x1b\[\?1049[hl]")
_COLORS = {"brown": "yellow", "default": None}


class _Screen(pyte.HistoryScreen):
    """The emulator knows nothing of dim text, and the program underlines nothing: the one is kept as the other."""

    def select_graphic_rendition(self, *attributes: int, **flags: bool) -> None:
        """Set how the next letters look."""
        super().select_graphic_rendition(*(4 if one == 2 else one for one in attributes), **flags)


class Picture:
    """A program in a terminal of a size, as long as it lasts.

    Args:
        folder: Where it runs.
        arguments: Of `plugandtell`.
        columns: The width.
        rows: The height.
    """

    def __init__(self, folder: str, arguments: tuple[str, ...], columns: int, rows: int) -> None:
        environment = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": folder, "PWD": folder}
        environment |= {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TZ") if name in os.environ}
        command = ["-m", "plugandtell", *arguments]
        self.screen = _Screen(columns, rows, history=1000)
        self._stream = pyte.ByteStream(self.screen)
        self.program = pexpect.spawn(
            sys.executable, command, cwd=folder, env=environment, dimensions=(rows, columns), timeout=WITHIN_S
        )

    def until(self, holds: Callable[[str], object]) -> None:
        """Go on until what is on the screen is so."""
        end = time.monotonic() + WITHIN_S
        while not holds("\n".join(self.screen.display)):
            if time.monotonic() > end or not self.step():
                raise SystemExit("it never came to that:\n" + "\n".join(self.screen.display))

    def to_the_end(self) -> None:
        """Go on until it ends."""
        while self.step():
            pass
        self.program.close()

    def step(self) -> bool:
        """Take what it wrote; whether there may be more."""
        try:
            data: bytes = self.program.read_nonblocking(65_536, timeout=WITHIN_S)
        except pexpect.EOF:
            return False
        *before, last = _ALTERNATE.split(data)
        if before:  # the other screen, which begins empty; what was on the one before is not wanted
            self._stream.feed(before[0])
            self.screen.reset()
        self._stream.feed(last)
        return True

    def save(self, name: str, title: str) -> None:
        """Draw what is on the screen."""
        rows = [self.screen.buffer[row] for row in range(self.screen.lines)]
        texts = [_text([row[column] for column in range(self.screen.columns)]) for row in rows]
        while texts and not texts[-1].plain.strip():
            texts.pop()
        console = Console(record=True, width=self.screen.columns, file=io.StringIO(), force_terminal=True)
        for text in texts:
            console.print(text, no_wrap=True, overflow="crop")
        path = HERE / f"{name}.svg"
        path.write_text(_FONT_FACE.sub("", console.export_svg(title=title, unique_id=name)), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


def _text(cells: list[pyte.screens.Char]) -> Text:
    segments = Segment.simplify(Segment(cell.data, _style(cell)) for cell in cells)
    return Text.assemble(*((segment.text, segment.style or "") for segment in segments))


def _style(cell: pyte.screens.Char) -> Style:
    color = _COLORS.get(cell.fg, cell.fg)
    return Style(color=color, bold=cell.bold, dim=cell.underscore, reverse=cell.reverse)


@contextmanager
def _folder() -> Iterator[str]:
    """An empty folder with the sample in it."""
    FOLDER.mkdir()
    try:
        shutil.copy(SAMPLE, FOLDER)
        yield str(FOLDER)
    finally:
        shutil.rmtree(FOLDER)


def _main() -> None:
    with _folder() as folder:
        picture = Picture(folder, RUN, 118, 26)
        picture.until(
            lambda text: "2 recordings" in text and "● voice" in text and re.search(r"recording 1\.[2-9]", text)
        )
        picture.save("run", "plugandtell run")
        picture.to_the_end()
        picture.save("told", "plugandtell run")
    with _folder() as folder:
        picture = Picture(folder, (*RUN, "--no-analytics"), 56, 30)
        picture.until(lambda text: "1 recording in" in text and re.search(r"pause  1\.\d of 3 s", text))
        picture.save("narrow", "plugandtell run")
        picture.program.sendintr()
        picture.to_the_end()


_main()
