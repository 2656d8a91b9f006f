"""The `plugandtell devices` command."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Group, Parameter

from plugandtell.command import check_range, new_app
from plugandtell.core import exit_status
from plugandtell.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugandtell.client.device_levels import Levels
    from plugandtell.client.device_report import DeviceReport
    from plugandtell.client.sound_system import SoundSystem

OUTPUT = Group("Output", sort_key=7)
_BLOCK_MS: Final = 50
_OPEN_WITHIN_S: Final = 10.0
_DRAW_EVERY_S, _TELL_EVERY_S = 0.1, 1.0
_SECONDS_FOR_SCRIPTS: Final = 3.0
_EXAMPLES: Final = """Examples:

- plugandtell devices
- plugandtell devices --meter
- plugandtell devices --meter --seconds 5 --json
- plugandtell client --device 3
- plugandtell client --device "usb desk"
"""

app = new_app(
    "devices",
    "List the microphones and other inputs, and show what each hears.",
    ["client"],
    exit_status.DEVICES,
    strict=False,
)
app.help_epilogue = f"{_EXAMPLES}\n{app.help_epilogue}"


@app.default
def devices(
    *,
    meter: Annotated[
        bool, Parameter(group=OUTPUT, negative=(), help="Listen to each, and show how loud it is, until Ctrl-C.")
    ] = False,
    seconds: Annotated[
        float | None, Parameter(group=OUTPUT, help="End the meter after so long; with --json after 3 unless given.")
    ] = None,
    as_json: Annotated[
        bool, Parameter(name="--json", group=OUTPUT, negative=(), help="Print JSON, an object a line.")
    ] = False,
) -> int:
    """List the microphones and other inputs: index, name, channels, their own rate, and whether 16 kHz works.

    The index, or any part of a name that no other has, is what --device of the client takes.
    """
    from plugandtell.client.device_report import report_on_devices, table  # noqa: PLC0415  (keeps --help fast)
    from plugandtell.client.sound_system import SoundSystem  # noqa: PLC0415
    from plugandtell.console import say, say_object  # noqa: PLC0415
    from plugandtell.portaudio import load_sound_library, stderr_silenced  # noqa: PLC0415

    if seconds is not None:
        check_range("--seconds", seconds, 0.1, 86_400)
    sound = SoundSystem(load_sound_library, time.monotonic, lambda: None, _BLOCK_MS)
    with stderr_silenced():
        reports = report_on_devices(sound.library())
    if not as_json:
        say(table(reports))
    if not meter:
        for report in reports if as_json else ():
            say_object(report.fields())
        return ExitStatus.OK
    with stderr_silenced():
        _listen(sound, reports, _SECONDS_FOR_SCRIPTS if as_json and seconds is None else seconds, as_json=as_json)
    return ExitStatus.OK


def _listen(sound: SoundSystem, reports: Sequence[DeviceReport], seconds: float | None, *, as_json: bool) -> None:
    from plugandtell.client.device_levels import Levels  # noqa: PLC0415  (keeps --help fast, as does the next)
    from plugandtell.console import say_object  # noqa: PLC0415

    levels = Levels([report.device for report in reports], sound.open)
    levels.open()
    try:
        show, every_s = (lambda _: None, _DRAW_EVERY_S) if as_json else _shower()
        _follow(levels, show, every_s, seconds)
    except KeyboardInterrupt:
        pass  # how it ends
    finally:
        levels.close()
    if as_json:
        for report, level in zip(reports, levels.levels, strict=True):
            heard_db = None if level.now_db is None else round(level.most_db, 1)
            say_object(report.fields() | {"loudest_db": heard_db, "failure": level.failure})


def _follow(levels: Levels, show: Callable[[Levels], None], every_s: float, seconds: float | None) -> None:
    """Show the levels again and again; the seconds count from when all devices are open."""
    began_s = time.monotonic()
    while not levels.wait(every_s) and time.monotonic() < began_s + _OPEN_WITHIN_S:
        levels.look()
        show(levels)
    began_s = time.monotonic()
    while seconds is None or time.monotonic() < began_s + seconds:
        left_s = every_s if seconds is None else began_s + seconds - time.monotonic()
        time.sleep(max(0.0, min(every_s, left_s)))
        levels.look()
        show(levels)


def _shower() -> tuple[Callable[[Levels], None], float]:
    """How levels are shown, and how often: a picture on a terminal, and lines elsewhere."""
    from plugandtell.client.device_levels import level_line, level_text  # noqa: PLC0415  (keeps --help fast)
    from plugandtell.console import say  # noqa: PLC0415
    from plugandtell.terminal.choosing import shows_screen  # noqa: PLC0415
    from plugandtell.terminal.glyphs import glyphs_for  # noqa: PLC0415
    from plugandtell.terminal.painter import Painter  # noqa: PLC0415

    if not shows_screen(sys.stdout, os.environ):
        return lambda levels: say("\n".join(map(level_text, levels.levels))), _TELL_EVERY_S
    glyphs, painter = glyphs_for(sys.stdout.encoding, os.environ), Painter(color=not os.environ.get("NO_COLOR"))
    drawn = 0

    def draw(levels: Levels) -> None:
        nonlocal drawn
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        lines = [level_line(level, columns - 1, glyphs) for level in levels.levels[: max(1, rows - 1)]]
        up = f"\r\x1b[{drawn}A" if drawn else ""
        say(up + "\n".join(f"{painter.rendered(line)}\x1b[K" for line in lines))
        drawn = len(lines)

    return draw, _DRAW_EVERY_S
