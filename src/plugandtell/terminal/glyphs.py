"""The signs that a screen is drawn with, and which of them a terminal can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A set of signs, each one column wide.

    Attributes:
        levels: From nothing to full: how high a column of a graph is.
        eighths: From nothing to full: how far the last cell of a bar is filled.
        track: What is not filled of a bar.
        on: A thing that works.
        off: One that does not.
        done: One that is over, and well.
        alert: One to look at.
        more: Takes the place of what is cut off.
        corners: Top left, top right, bottom left, bottom right of a frame.
        across: Its upper and lower side.
        down: Its left and right side.
    """

    levels: str
    eighths: str
    track: str
    on: str
    off: str
    done: str
    alert: str
    more: str
    corners: str
    across: str
    down: str


UNICODE = Glyphs(
    levels=" ▁▂▃▄▅▆▇█",
    eighths=" ▏▎▍▌▋▊▉█",
    track="░",
    on="●",
    off="○",
    done="✓",
    alert="▲",
    more="…",
    corners="╭╮╰╯",
    across="─",
    down="│",
)
ASCII = Glyphs(
    levels=" .,:-=+*#",
    eighths="        #",
    track="-",
    on="*",
    off="o",
    done="+",
    alert="!",
    more="~",
    corners="++++",
    across="-",
    down="|",
)


def glyphs_for(encoding: str | None, environ: Mapping[str, str]) -> Glyphs:
    """What a terminal shows whose stream is encoded so.

    Python writes UTF-8 in the locale C as well, whose terminals show ASCII; the font of a Linux console has no eighths.
    """
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    is_utf8 = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    return UNICODE if is_utf8 and locale not in ("C", "POSIX") and environ.get("TERM") != "linux" else ASCII
