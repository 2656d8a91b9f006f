"""What is around the program: the clock, the terminal, and the versions of what it is made of."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from plugandtell.client.clocks import system_clocks
from plugandtell.doctor.finding import Finding, ok, warning
from plugandtell.terminal.glyphs import ASCII, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

_EARLIEST, _LATEST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_WATCH_S: Final = 0.1
_MOST_APART_S: Final = 0.5
_CLOCK_REMEDY: Final = "let the system set it from the network (NTP): names of recordings and certificates depend on it"
_NARROW, _LOW = 80, 20
_PACKAGES: Final = ("websockets", "sounddevice", "soundfile", "soxr", "numpy", "webrtcvad-wheels")


@dataclass(frozen=True, slots=True)
class Ticks:
    """What two clocks did in the same while: the one of the wall, and the one that is never set.

    Attributes:
        now: The time when it was over.
        wall_s: How far the first went on.
        steady_s: How far the second did.
    """

    now: datetime
    wall_s: float
    steady_s: float


def check_clock() -> Iterator[Finding]:
    """Watch the clocks for a moment."""
    steady = system_clocks().elapsed_s
    wall_s, steady_s = time.time(), steady()
    time.sleep(_WATCH_S)
    yield judge_clock(Ticks(datetime.now(UTC), time.time() - wall_s, steady() - steady_s))


def judge_clock(ticks: Ticks) -> Finding:
    """Whether the date is plausible, and the clocks run as clocks do."""
    name, shown = "clock", f"{ticks.now:%Y-%m-%d %H:%M:%S} UTC"
    if not _EARLIEST <= ticks.now < _LATEST:
        return warning(name, f"it shows {shown}, which cannot be", _CLOCK_REMEDY)
    if ticks.steady_s <= 0:
        remedy = "restart the machine; a virtual one needs another time source"
        return warning(name, "the clock that only goes forward stands still, or goes back", remedy)
    if abs(ticks.wall_s - ticks.steady_s) > _MOST_APART_S:
        return warning(name, f"it was set while we looked; it shows {shown}", _CLOCK_REMEDY)
    return ok(name, shown)


def check_terminal(stream: TextIO | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What a live screen would find."""
    try:
        size = os.get_terminal_size(stream.fileno()) if stream is not None and stream.isatty() else None
    except (OSError, ValueError):
        size = None
    yield judge_terminal(size, getattr(stream, "encoding", None), environ)


def judge_terminal(size: tuple[int, int] | None, encoding: str | None, environ: Mapping[str, str]) -> Finding:
    """Whether the live screen looks as it should.

    Args:
        size: Columns and rows; None where it is no terminal.
        encoding: Of what is written there.
        environ: What it tells of itself.
    """
    name = "terminal"
    if size is None:
        return ok(name, "none: log lines are shown instead of the live screen")
    columns, rows = size
    said = f"{columns} columns, {rows} rows"
    if environ.get("TERM", "dumb") == "dumb":
        return warning(name, f"{said}; it cannot be drawn on (TERM)", "set TERM to what it is, such as xterm-256color")
    if glyphs_for(encoding, environ) is ASCII:
        return warning(name, f"{said}; no UTF-8: bars are drawn with # and -", "set LANG to a locale such as C.UTF-8")
    if columns < _NARROW or rows < _LOW:
        return warning(name, f"{said}, small for the live screen", f"make it {_NARROW} by {_LOW} or larger")
    return ok(name, f"{said}, UTF-8, {'no colours (NO_COLOR)' if environ.get('NO_COLOR') else 'colours'}")


def check_versions() -> Iterator[Finding]:
    """Who asks for help is asked for this line."""
    found = {package: _version(package) for package in _PACKAGES}
    system = f"Python {platform.python_version()} on {platform.platform(terse=True)} ({platform.machine()})"
    listed = ", ".join(f"{package} {number}" for package, number in found.items() if number)
    said = f"plugandtell {_version('plugandtell') or '?'}, {system}, {listed}"
    if missing := [package for package, number in found.items() if number is None]:
        remedy = "install plugandtell anew, with all that it needs"
        yield warning("versions", f"{said}; missing: {', '.join(missing)}", remedy)
    else:
        yield ok("versions", said)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
