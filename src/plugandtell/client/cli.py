"""The `plugandtell-client` command."""

from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import Parameter

from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import DEFAULT_URL, STDIN, ClientSettings, check_url
from plugandtell.command import (
    NETWORK,
    Lifeline,
    LogOptions,
    Reports,
    ScreenOptions,
    new_app,
    run_to_exit,
    with_examples,
)
from plugandtell.core import exit_status

app = new_app(
    "plugandtell-client",
    "Listen to a microphone or a file, and stream what is spoken to a server.",
    ["client"],
    exit_status.CLIENT,
)
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell-client",
    'plugandtell-client --device "usb desk" --server wss://host.example:3000',
    "plugandtell-client --input talk.mp3 --pace fast",
    'plugandtell-client --on-saved "notify-send Recorded" --bell',
)


@app.default
def capture(  # noqa: PLR0913  (each a group of settings, or what a parent asks for)
    *,
    server: Annotated[str, Parameter(group=NETWORK, help="Address of the server.")] = DEFAULT_URL,
    settings: ClientSettings | None = None,
    gate: GateOptions | None = None,
    log: LogOptions | None = None,
    screen: ScreenOptions | None = None,
    lifeline: Lifeline = False,
    reports: Reports = False,
    saved_in: Annotated[Path | None, Parameter(show=False, show_env_var=False)] = None,
    terminal: Annotated[str | None, Parameter(show=False, show_env_var=False)] = None,
) -> int:
    """Listen to a microphone or a file, and stream what is spoken to a server.

    Prints the name of each recording on standard output, logs to standard error, and ends with the input, on Ctrl-C
    or SIGTERM, when everything voiced is saved. On a terminal a live screen takes the place of the log: space stops and
    resumes talking, m mutes, q quits.
    """
    from plugandtell.client.app import Surroundings, capture_until_stopped  # noqa: PLC0415  (keeps --help fast, as do the next)
    from plugandtell.terminal.choosing import viewer_for  # noqa: PLC0415
    from plugandtell.terminal.ringing import OWN_TERMINAL  # noqa: PLC0415

    settings, screen = settings or ClientSettings(), screen or ScreenOptions()
    url = check_url(server)
    reads_stdin = lifeline or settings.input == STDIN
    viewer = viewer_for("client", plain=screen.plain, reports=reports, reads_stdin=reads_stdin)
    gate, log = gate or GateOptions(), log or LogOptions()
    surroundings = Surroundings(lifeline=lifeline, saved_in=saved_in, terminal=terminal or OWN_TERMINAL)
    return capture_until_stopped(settings, gate, url, log, surroundings=surroundings, viewer=viewer)


def main() -> NoReturn:
    """Entry point."""
    run_to_exit(app)
