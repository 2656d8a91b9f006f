"""What the three console scripts share: where settings come from, how they are shown, how a command ends.

A setting is defined once, as an annotated field of a frozen dataclass. The command line comes first, then the
environment (`PLUGANDTELL_*`), then `plugandtell.toml` in the working folder, then the default.
"""

from __future__ import annotations

import os
import sys
import tomllib
import traceback
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.config import Env, Toml

from plugandtell.complaint import DEBUG_FLAG, DEBUG_VARIABLE, is_debugging, take_debug_flag, usage_error
from plugandtell.core.errors import ConfigurationUnreadable, InvalidSetting, PlugAndTellError
from plugandtell.core.exit_status import MEANINGS, ExitStatus, exit_status_of
from plugandtell.core.log_level import LogLevel
from plugandtell.core.safe_text import escape_lines

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from typing import Any, NoReturn, TextIO

    from cyclopts.argument import ArgumentCollection

Lifeline = Annotated[bool, Parameter(show=False, negative=(), show_env_var=False)]
"""A flag for the process that starts this one: stop when standard input ends."""

Reports = Annotated[bool, Parameter(name="--reports", show=False, negative=(), show_env_var=False)]
"""A flag for the process that starts this one: what this one is doing goes to standard output, as lines of JSON."""

CONFIG_FILE = "plugandtell.toml"
TOKENS_VARIABLE, TOKEN_VARIABLE = "PLUGANDTELL_TOKENS", "PLUGANDTELL_TOKEN"
"""Hold secrets, the server's and the client's, and are therefore no settings: no flag shows them, and no file."""
CONFIG_TABLES = ("server", "client", "analytics", "log")

_NAMED_AS_COMMANDS = ("--server",)
"""Settings, each with the name of a command."""

NETWORK = Group("Network", sort_key=1)
ACCESS = Group("Access", sort_key=1)
INPUT = Group("Input", sort_key=2)
GATE = Group("Gate", sort_key=3)
RECORDING = Group("Recording", sort_key=4)
LIMITS = Group("Limits", sort_key=5)
SPOOL = Group("Spool", sort_key=6)
STORES = Group("Stores", sort_key=6)
ENGINES = Group("Engines", sort_key=6)
WORK = Group("Work", sort_key=6)
ALERTS = Group("Alerts", sort_key=6)
LOGGING = Group("Log", sort_key=7)
SCREEN = Group("Screen", sort_key=8)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """Where the log goes, and how much of it.

    Raises:
        InvalidSetting: A field is out of range.
    """

    log_dir: Annotated[Path, Parameter(group=LOGGING)] = Path("logs")
    """Folder for the log of each process, such as client.log (JSON lines); created if missing."""

    log_level: Annotated[LogLevel, Parameter(group=LOGGING)] = LogLevel.INFO
    """Least severe events to log."""

    log_max_mb: Annotated[float, Parameter(group=LOGGING)] = 10.0
    """Size in megabytes at which a log file is rotated."""

    log_kept: Annotated[int, Parameter(group=LOGGING)] = 5
    """Rotated log files to keep."""

    def __post_init__(self) -> None:
        check_range("--log-max-mb", self.log_max_mb, 0.01, 10_000)
        check_range("--log-kept", self.log_kept, 1, 1000)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOptions:
    """What is shown on a terminal."""

    plain: Annotated[bool, Parameter(group=SCREEN, negative=())] = False
    """Log lines instead of the live screen; elsewhere than on a terminal there is no screen anyway."""


def check_range(name: str, value: float, lowest: float, highest: float) -> None:
    """Check a number that a user set.

    Raises:
        InvalidSetting: It is below `lowest`, above `highest`, or no number at all.
    """
    if not lowest <= value <= highest:
        raise InvalidSetting(name, value, f"from {lowest:g} to {highest:g}")


def new_app(
    name: str, summary: str, sections: Iterable[str], statuses: Iterable[ExitStatus], *, strict: bool = True
) -> App:
    """A command.

    Args:
        name: What the user types.
        summary: What it does, in a sentence.
        sections: The tables of the configuration file that it reads.
        statuses: The exit codes that it can end with.
        strict: Whether a setting in those tables that it does not know is an error; not if they are another command's.
    """
    sources: list[Callable[..., Any]] = [Env("PLUGANDTELL_", command=False)]
    sources += [_table(section, strict=strict) for section in (*sections, "log")]
    return App(
        name=name,
        help=summary,
        help_epilogue=_epilogue(statuses),
        help_format="plaintext",
        version=lambda: version("plugandtell"),
        config=sources,
    )


def _table(section: str, *, strict: bool) -> Callable[[App, tuple[str, ...], ArgumentCollection], None]:
    """Takes settings from a table of the configuration file."""
    toml, by_command = (
        Toml(CONFIG_FILE, root_keys=(section,), search_parents=False, use_commands_as_keys=by, allow_unknown=not strict)
        for by in (False, True)
    )

    def take(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        if any(one.name in _NAMED_AS_COMMANDS for one in arguments):
            by_command(app, (), arguments)  # the other one would leave them out, for tables of those commands
        else:
            toml(app, commands, arguments)

    return take


def run_to_exit(app: App) -> NoReturn:
    """Run the command and end the process with the exit code that `--help` promises."""
    _occupy_standard_streams()
    arguments = take_debug_flag(sys.argv[1:], os.environ)
    try:
        _check_config_file()
        status = app(arguments, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print_line(sys.stderr, escape_lines(usage_error(app.name[0], error)))
        status = ExitStatus.USAGE
    except PlugAndTellError as error:
        _print_traceback(error)
        print_line(sys.stderr, escape_lines(f"{app.name[0]}: {error}"))
        status = exit_status_of(error)
    except Exception as error:  # noqa: BLE001  (the boundary of the process)
        _print_traceback(error)
        where = "" if is_debugging() else f"; {DEBUG_FLAG} shows where it comes from"
        print_line(sys.stderr, escape_lines(f"{app.name[0]}: {_unexpected(error)}{where}"))
        status = ExitStatus.BUG
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
    sys.exit(status)


def _unexpected(error: Exception) -> str:
    said = str(error).strip().splitlines() or [""]
    return f"an unexpected error, {type(error).__name__}{': ' * bool(said[0])}{said[0]}"


def _print_traceback(error: Exception) -> None:
    if is_debugging():
        print_line(sys.stderr, escape_lines("".join(traceback.format_exception(error)).rstrip()))


def print_line(stream: TextIO | None, line: str) -> None:
    """Write a line for people or scripts. That nobody reads it any more is no reason to stop recording."""
    if stream is None:
        return
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except (OSError, ValueError):  # ValueError: it is closed
        with suppress(OSError, ValueError):  # what is left in its buffer would raise again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run_logged(  # noqa: PLR0913  (what a process may want otherwise, each by name)
    process: str,
    options: LogOptions,
    main: Callable[[], Coroutine[Any, Any, ExitStatus]],
    *,
    on_console: bool = True,
    divert: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    loop_factory: Callable[[], AbstractEventLoop] | None = None,
) -> ExitStatus:
    """Run `main` on an event loop with the log of this process open, in its file and unless told not to on the console.

    Events that `divert` has shown elsewhere are not shown on the console.

    An expected error goes to the log file, and on to `run_to_exit`, which tells the user in plain words. One that
    nobody expected is logged with its traceback.

    Raises:
        PlugAndTellError: What `main` raised.
    """
    import asyncio  # noqa: PLC0415  (keeps --help fast, as does the next)

    from plugandtell.logservice import LogSettings, configure, get_logger  # noqa: PLC0415

    settings = LogSettings(
        process=process,
        folder=options.log_dir,
        level=options.log_level,
        max_file_bytes=round(options.log_max_mb * 1_000_000),
        kept_files=options.log_kept,
        tracebacks=is_debugging(),
    )
    with configure(settings, divert=divert) as service:
        if not on_console:
            service.mute_console()
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(main())
        except PlugAndTellError as error:
            service.mute_console()
            get_logger().error("command_failed", error=str(error), exit_status=exit_status_of(error).value)
            raise
        except Exception as error:  # noqa: BLE001  (the boundary of a task)
            service.mute_console()
            get_logger().exception("command_crashed")
            _print_traceback(error)
            print_line(sys.stderr, escape_lines(f"{_unexpected(error)}; its traceback is in {service.path}"))
            return ExitStatus.BUG


def flags_of(*options: Any) -> list[str]:
    """The command line that sets these options, whatever the environment of the process that reads it says."""
    flags: list[str] = []
    for option in options:
        for field in fields(option):
            value = getattr(option, field.name)
            values = value if isinstance(value, tuple) else () if value is None else (value,)
            flags += [f"--{field.name.replace('_', '-')}={one}" for one in values]
    return flags


def _occupy_standard_streams() -> None:
    """Open what the caller closed, lest a socket or a file of ours gets the number of a standard stream."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _check_config_file() -> None:
    """Read the file once before cyclopts does, whose error would not name it, and which takes no notice of the rest."""
    try:
        tables = tomllib.loads(Path(CONFIG_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as exc:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise ConfigurationUnreadable(CONFIG_FILE, str(exc)) from exc
    if unknown := sorted(tables.keys() - set(CONFIG_TABLES)):
        known = ", ".join(f"[{name}]" for name in CONFIG_TABLES)
        raise ConfigurationUnreadable(CONFIG_FILE, f"{unknown[0]!r} is none of its tables {known}")


def with_examples(epilogue: str | None, *commands: str) -> str:
    """The end of a command's help, led by examples of its use."""
    listed = "\n".join(f"- {command}" for command in commands)
    return f"Examples:\n\n{listed}\n\n{epilogue or ''}".rstrip()


def _epilogue(statuses: Iterable[ExitStatus]) -> str:
    order = f"Settings: flags, then PLUGANDTELL_* variables, then {CONFIG_FILE} in the working folder."
    debug = f"{DEBUG_FLAG}, or {DEBUG_VARIABLE}=1, shows the traceback of an error."
    listed = sorted(statuses)
    return "\n".join(
        [order, debug, "", "Exit codes:", "", *(f"- {status.value}: {MEANINGS[status]}" for status in listed)]
    )
