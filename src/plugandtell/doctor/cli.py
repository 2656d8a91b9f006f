"""The `plugandtell doctor` command."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Group, Parameter

from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import MICROPHONE, ClientSettings
from plugandtell.command import NETWORK, LogOptions, flags_of, new_app
from plugandtell.core import exit_status
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plugandtell.doctor.examination import Check
    from plugandtell.doctor.finding import Finding

OUTPUT = Group("Output", sort_key=7)
Only = Annotated[str | None, Parameter(name="--only", show=False, negative=(), show_env_var=False)]
"""For the process that starts this one: one check, in this process."""
_EXAMPLES: Final = """Examples:

- plugandtell doctor
- plugandtell doctor --server wss://host.example:3000 --ca ca.pem --token-file token
- plugandtell doctor --device "usb desk" --port 4000 --audio-dir /srv/audio
- plugandtell doctor --json
"""

app = new_app(
    "doctor",
    "Find out why recording does not work on this machine, and what to do about it.",
    ["server", "client"],
    exit_status.DOCTOR,
)
app.help_epilogue = f"{_EXAMPLES}\n{app.help_epilogue}"


@app.default
def doctor(  # noqa: PLR0913  (each a group of settings, or what a parent asks for)
    *,
    server: Annotated[
        str | None,
        Parameter(group=NETWORK, help="Server to ask; unless given, one on this machine, if it runs."),
    ] = None,
    as_json: Annotated[
        bool, Parameter(name="--json", group=OUTPUT, negative=(), help="Print JSON, an object a line.")
    ] = False,
    of_server: ServerSettings | None = None,
    of_client: ClientSettings | None = None,
    gate: GateOptions | None = None,
    log: LogOptions | None = None,
    only: Only = None,
) -> int:
    """Find out why recording does not work on this machine, and what to do about it.

    Checks the microphone and what it lets us hear, the voice detector, port, folders, disk, clock, terminal and server,
    with the settings that `plugandtell run` would have: give it the same flags. Each is ok, a warning, or broken. Ends
    with the exit code of the first that is broken, or 0.
    """
    from plugandtell.console import say, say_object  # noqa: PLC0415  (keeps --help fast, as do the next)
    from plugandtell.doctor.examination import END, examine, guarded, in_child  # noqa: PLC0415

    groups = (of_server or ServerSettings(), of_client or ClientSettings(), gate or GateOptions(), log or LogOptions())
    checks = _checks(server, *groups)
    if only is not None:
        chosen = next((check for check in checks if check.name == only), None)
        if chosen is None:
            raise InvalidSetting("--only", only, "the name of a check")
        status = _tell(guarded(chosen), lambda finding: say_object(finding.fields()))
        say(END)
        return status
    arguments = [*flags_of(*groups), *([] if server is None else [f"--server={server}"])]
    isolated = [in_child(check, arguments) if check.is_isolated else check for check in checks]
    return _tell(examine(isolated), (lambda finding: say_object(finding.fields())) if as_json else _shower())


def _checks(
    url: str | None, server: ServerSettings, client: ClientSettings, gate: GateOptions, log: LogOptions
) -> list[Check]:
    from plugandtell.client.spool import default_folder  # noqa: PLC0415  (keeps --help fast, as do the next)
    from plugandtell.doctor import hearing, line, places, surroundings  # noqa: PLC0415
    from plugandtell.doctor.examination import Check  # noqa: PLC0415

    spool = client.spool_dir or default_folder()
    needs_microphone = client.input == MICROPHONE and client.fallback is None
    folder, unusable = places.check_folder, ExitStatus.FOLDER_UNUSABLE
    sound = partial(hearing.check_sound, client.device, is_needed=needs_microphone)
    room = partial(places.check_disk, server.audio_dir, server.min_free_mb, spool, client.spool_mb)
    asked = url if url is not None else line.address_of(server)
    detectors = partial(hearing.check_detectors, gate.vad)
    visit = partial(line.check_server, asked, client, os.environ, is_asked=url is not None)
    checks = [
        Check("sound", ExitStatus.NO_MICROPHONE, sound, 20, is_isolated=True),
        Check("voice detector", ExitStatus.NO_DETECTOR, detectors, 20, is_isolated=True),
        Check("audio folder", unusable, partial(folder, "audio folder", "--audio-dir", server.audio_dir), 10),
        Check("log folder", unusable, partial(folder, "log folder", "--log-dir", log.log_dir), 10),
        Check("spool folder", unusable, partial(folder, "spool folder", "--spool-dir", spool), 10),
        Check("disk", unusable, room, 10),
        Check("port", ExitStatus.CANNOT_LISTEN, partial(line.check_port, server), 15),
        Check("tls", ExitStatus.USAGE, partial(line.check_access, server, os.environ), 10),
        Check("server", ExitStatus.NO_SERVER, visit, 20, is_isolated=True),
        Check("clock", ExitStatus.BUG, surroundings.check_clock, 10),
        Check("terminal", ExitStatus.BUG, partial(surroundings.check_terminal, sys.stderr, os.environ), 10),
        Check("versions", ExitStatus.BUG, surroundings.check_versions, 10),
    ]
    is_nowhere = url is None and server.port == 0
    return [check for check in checks if not (check.name == "server" and is_nowhere)]


def _tell(findings: Iterable[Finding], show: Callable[[Finding], None]) -> ExitStatus:
    """Show what is found as it is found; gives the exit code of the first that is broken."""
    status = ExitStatus.OK
    for finding in findings:
        show(finding)
        if status is ExitStatus.OK:
            status = finding.status
    return status


def _shower() -> Callable[[Finding], None]:
    from plugandtell.console import say  # noqa: PLC0415  (keeps --help fast, as do the next)
    from plugandtell.doctor.finding import Verdict  # noqa: PLC0415
    from plugandtell.terminal.choosing import shows_screen  # noqa: PLC0415
    from plugandtell.terminal.painter import Painter  # noqa: PLC0415
    from plugandtell.terminal.spans import Look, Span  # noqa: PLC0415

    painter = Painter(color=shows_screen(sys.stdout, os.environ) and not os.environ.get("NO_COLOR"))
    looks = {Verdict.OK: Look.GOOD, Verdict.WARNING: Look.WARM, Verdict.BROKEN: Look.BAD}

    def show(finding: Finding) -> None:
        verdict = Span(f"{finding.verdict.value:7}", looks[finding.verdict])
        said = Span(f"  {finding.name:14}  {finding.said}")
        say(painter.rendered((verdict, said)))
        if finding.remedy:
            say(painter.rendered((Span(f"{'':25}-> {finding.remedy}", Look.STRONG),)))

    return show
