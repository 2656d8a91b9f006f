"""The `plugandtell-client` command."""

from typing import Annotated, NoReturn

from cyclopts import Parameter

from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import DEFAULT_URL, ClientSettings, check_url
from plugandtell.command import NETWORK, Lifeline, LogOptions, new_app, run_to_exit
from plugandtell.core import exit_status

app = new_app(
    "plugandtell-client",
    "Listen to a microphone or a file, and stream what is spoken to a server.",
    ["client"],
    exit_status.CLIENT,
)


@app.default
def capture(
    *,
    server: Annotated[str, Parameter(group=NETWORK, help="Address of the server.")] = DEFAULT_URL,
    settings: ClientSettings | None = None,
    gate: GateOptions | None = None,
    log: LogOptions | None = None,
    lifeline: Lifeline = False,
) -> int:
    """Listen to a microphone or a file, and stream what is spoken to a server.

    Prints the name of each recording on standard output, logs to standard error, and ends with the input, on Ctrl-C
    or SIGTERM, when everything voiced is saved.
    """
    from plugandtell.client.app import capture_until_stopped  # noqa: PLC0415  (keeps --help fast)

    return capture_until_stopped(
        settings or ClientSettings(),
        gate or GateOptions(),
        check_url(server),
        log or LogOptions(),
        lifeline=lifeline,
    )


def main() -> NoReturn:
    """Entry point."""
    run_to_exit(app)
