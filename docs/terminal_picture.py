"""Draw what a terminal showed, in colour: `tmux capture-pane -pe | python docs/terminal_picture.py > out.svg`."""

import io
import re
import sys

from rich.console import Console
from rich.text import Text

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # would be fetched from elsewhere
_WIDEST = 300


def main() -> None:
    """Read ANSI text on standard input, write an SVG to standard output."""
    lines = sys.stdin.read().rstrip("\n").split("\n")
    texts = [Text.from_ansi(line) for line in lines]
    width = min(_WIDEST, max(text.cell_len for text in texts))
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    for text in texts:
        console.print(text, no_wrap=True, overflow="crop")
    sys.stdout.write(_FONT_FACE.sub("", console.export_svg(title="plugandtell run")))


main()
