"""The `plugandtell` command: both halves of the capture path at once, or one of them."""

import os
import sys
from dataclasses import replace
from typing import Annotated, NoReturn

from cyclopts import Parameter

from plugandtell.analytics.analyze_cli import app as analyze_app
from plugandtell.analytics.calls_cli import app as calls_app
from plugandtell.analytics.settings import EngineSettings, StoreSettings
from plugandtell.analytics.settings_table import check_table
from plugandtell.analytics.submit_cli import app as submit_app
from plugandtell.analytics.worker_cli import app as worker_app
from plugandtell.client.cli import app as client_app
from plugandtell.client.devices_cli import app as devices_app
from plugandtell.client.gate_cli import app as gate_app
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import MICROPHONE, STDIN, ClientSettings
from plugandtell.command import (
    ENGINES,
    TOKEN_VARIABLE,
    TOKENS_VARIABLE,
    LogOptions,
    ScreenOptions,
    flags_of,
    new_app,
    print_line,
    run_to_exit,
    with_examples,
)
from plugandtell.completion import Shell
from plugandtell.completion import install as install_scripts
from plugandtell.completion import script as script_for
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.cli import app as doctor_app
from plugandtell.recordings.cli import app as recordings_app
from plugandtell.sample import sample_path
from plugandtell.server.cli import app as server_app
from plugandtell.server.settings import ServerSettings

app = new_app(
    "plugandtell",
    "Record what is spoken and tell what was said: `plugandtell run` does both, `plugandtell analyze` takes files.",
    ["server", "client", "analytics"],
    ExitStatus,
)
app.command(server_app, name="server")
app.command(client_app, name="client")
app.command(devices_app, name="devices")
app.command(doctor_app, name="doctor")
app.command(gate_app, name="gate")
app.command(recordings_app, name="recordings")
app.command(analyze_app, name="analyze")
app.command(calls_app, name="calls")
app.command(worker_app, name="worker")
app.command(submit_app, name="submit")

_COMPLETION_EXAMPLES = """Examples:

- source <(plugandtell completion bash)     for this shell, or in ~/.bashrc
- source <(plugandtell completion zsh)      in ~/.zshrc, after compinit
- plugandtell completion fish | source      in ~/.config/fish/config.fish
- plugandtell completion bash --install     writes files, once and for all"""

_GRACE_S = 5  # of analytics that is stopped: less than the supervisor waits for it


_EPILOGUE = app.help_epilogue
app.help_epilogue = with_examples(
    _EPILOGUE,
    "plugandtell run",
    "plugandtell doctor",
    "plugandtell recordings play last",
    "plugandtell analyze call.wav",
)


@app.command(
    help_epilogue=with_examples(
        _EPILOGUE,
        "plugandtell run",
        'plugandtell run --device "usb desk" --format flac --no-analytics',
        "plugandtell run --input talk.mp3 --pace fast --plain",
        'plugandtell run --push-to-talk --bell --on-saved "notify-send Recorded"',
    )
)
def run(  # noqa: PLR0913  (each a group of settings)
    *,
    analytics: Annotated[bool, Parameter(group=ENGINES, help="Tell what was said in what is recorded.")] = True,
    server: ServerSettings | None = None,
    client: ClientSettings | None = None,
    gate: GateOptions | None = None,
    engines: EngineSettings | None = None,
    stores: StoreSettings | None = None,
    log: LogOptions | None = None,
    screen: ScreenOptions | None = None,
) -> int:
    """Record, and tell what was said, until the input ends or Ctrl-C: server, client and analytics at once.

    Without a microphone it streams a sample of speech instead. At the end it
    waits until what was recorded is analysed, which another Ctrl-C leaves for
    the next start, and prints where the recordings are. On a terminal a live
    screen shows client and server side by side: space stops and resumes
    talking, m mutes, q quits.
    """
    from plugandtell.supervisor import Flags, run_until_stopped  # noqa: PLC0415  (keeps --help fast, as does the next)
    from plugandtell.terminal.ringing import terminal_here  # noqa: PLC0415

    server, client, log = server or ServerSettings(), client or ClientSettings(), log or LogOptions()
    if client.input == STDIN:
        raise InvalidSetting("--input", STDIN, "mic or a file; to pipe audio in, run plugandtell-client on its own")
    if client.input == MICROPHONE and client.device is None and client.fallback is None:
        client = replace(client, fallback=sample_path())
    check_table()
    stores = stores or StoreSettings()
    of_worker = [f"--watch={server.audio_dir}", f"--grace-s={_GRACE_S}", *stores.flags()]
    of_analytics = [*of_worker, *flags_of(engines or EngineSettings(), log)]
    of_client = [*flags_of(client, gate or GateOptions(), log), f"--saved-in={server.audio_dir}"]
    if client.bell and (terminal := terminal_here()):
        of_client.append(f"--terminal={terminal}")
    flags = Flags(flags_of(server, log), of_client, of_analytics if analytics else None)
    asks_for_token = server.tokens_file is not None or bool(os.environ.get(TOKENS_VARIABLE))
    has_token = client.token_file is not None or bool(os.environ.get(TOKEN_VARIABLE))
    shares_token = asks_for_token and not has_token
    plain = (screen or ScreenOptions()).plain
    return run_until_stopped(flags, server.audio_dir, stores.variables(), shares_token=shares_token, plain=plain)


@app.command(help_epilogue=_COMPLETION_EXAMPLES)
def completion(
    shell: Annotated[Shell, Parameter(show_env_var=False, help="bash, zsh or fish.")],
    /,
    *,
    install: Annotated[
        bool, Parameter(negative=(), show_env_var=False, help="Write files where the shell looks for them.")
    ] = False,
) -> int:
    """Print what has a shell complete plugandtell, plugandtell-client and plugandtell-server."""
    apps = {"plugandtell": app, "plugandtell-client": client_app, "plugandtell-server": server_app}
    if install:
        written, hint = install_scripts(shell, apps, os.environ)
        for path in written:
            print_line(sys.stdout, str(path))
        print_line(sys.stderr, hint)
    else:
        print_line(sys.stdout, "\n".join(script_for(shell, name, one) for name, one in apps.items()).rstrip())
    return ExitStatus.OK


def main() -> NoReturn:
    """Entry point."""
    run_to_exit(app)
