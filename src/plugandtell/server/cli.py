"""The `plugandtell-server` command."""

from typing import NoReturn

from plugandtell.command import Lifeline, LogOptions, Reports, ScreenOptions, new_app, run_to_exit, with_examples
from plugandtell.core import exit_status
from plugandtell.server.settings import ServerSettings

app = new_app(
    "plugandtell-server",
    "Take audio streams and leave one WAV or FLAC, with a JSON sidecar, per spoken segment.",
    ["server"],
    exit_status.SERVER,
)
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell-server",
    "plugandtell-server --audio-dir /srv/audio --format flac",
    "plugandtell-server --host 0.0.0.0 --tokens-file tokens --tls-cert cert.pem --tls-key key.pem",
)


@app.default
def serve(
    settings: ServerSettings | None = None,
    log: LogOptions | None = None,
    screen: ScreenOptions | None = None,
    *,
    lifeline: Lifeline = False,
    reports: Reports = False,
) -> int:
    """Take audio streams and leave one WAV or FLAC, with a JSON sidecar, per spoken segment.

    Prints the address it listens at on standard output, logs to standard error, and ends on Ctrl-C or SIGTERM when
    everything open is saved. On a terminal a live screen takes the place of the log.
    """
    from plugandtell.server.app import serve_until_stopped  # noqa: PLC0415  (keeps --help fast, as does the next)
    from plugandtell.terminal.choosing import viewer_for  # noqa: PLC0415

    plain = (screen or ScreenOptions()).plain
    viewer = viewer_for("server", plain=plain, reports=reports, reads_stdin=lifeline)
    return serve_until_stopped(settings or ServerSettings(), log or LogOptions(), lifeline=lifeline, viewer=viewer)


def main() -> NoReturn:
    """Entry point."""
    run_to_exit(app)
