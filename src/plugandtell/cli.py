"""The `plugandtell` command: both halves of the capture path at once, or one of them."""

import os
from dataclasses import replace
from typing import NoReturn

from plugandtell.analytics.analyze_cli import app as analyze_app
from plugandtell.analytics.calls_cli import app as calls_app
from plugandtell.analytics.submit_cli import app as submit_app
from plugandtell.client.cli import app as client_app
from plugandtell.client.gate_cli import app as gate_app
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import MICROPHONE, STDIN, ClientSettings
from plugandtell.command import TOKEN_VARIABLE, TOKENS_VARIABLE, LogOptions, flags_of, new_app, run_to_exit
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.sample import sample_path
from plugandtell.server.cli import app as server_app
from plugandtell.server.settings import ServerSettings

app = new_app(
    "plugandtell",
    "Record what is spoken: `plugandtell run` starts a server and a client, and leaves one WAV per spoken segment.",
    ["server", "client"],
    ExitStatus,
)
app.command(server_app, name="server")
app.command(client_app, name="client")
app.command(gate_app, name="gate")
app.command(analyze_app, name="analyze")
app.command(calls_app, name="calls")
app.command(submit_app, name="submit")


@app.command
def run(
    *,
    server: ServerSettings | None = None,
    client: ClientSettings | None = None,
    gate: GateOptions | None = None,
    log: LogOptions | None = None,
) -> int:
    """Start a server and a client, and show what both say, until the input ends or Ctrl-C.

    Without a microphone it streams a sample of speech instead. At the end it prints where the recordings are.
    """
    from plugandtell.supervisor import Flags, run_until_stopped  # noqa: PLC0415  (keeps --help fast)

    server, client, log = server or ServerSettings(), client or ClientSettings(), log or LogOptions()
    if client.input == STDIN:
        raise InvalidSetting("--input", STDIN, "mic or a file; to pipe audio in, run plugandtell-client on its own")
    if client.input == MICROPHONE and client.device is None and client.fallback is None:
        client = replace(client, fallback=sample_path())
    flags = Flags(flags_of(server, log), flags_of(client, gate or GateOptions(), log))
    asks_for_token = server.tokens_file is not None or bool(os.environ.get(TOKENS_VARIABLE))
    has_token = client.token_file is not None or bool(os.environ.get(TOKEN_VARIABLE))
    shares_token = asks_for_token and not has_token
    return run_until_stopped(flags, server.audio_dir, shares_token=shares_token)


def main() -> NoReturn:
    """Entry point."""
    run_to_exit(app)
