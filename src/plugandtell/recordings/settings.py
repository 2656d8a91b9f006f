"""Where recordings are looked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.argument import ArgumentCollection
from cyclopts.config import Toml

from plugandtell.command import CONFIG_FILE, RECORDING

_FLAG = "--audio-dir"


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """Where recordings are looked for."""

    audio_dir: Annotated[Path, Parameter(group=RECORDING, env_var="PLUGANDTELL_AUDIO_DIR")] = Path("audio")
    """Folder of the recordings, as the server has it."""


def folder_in_file() -> Callable[[Any, tuple[str, ...], ArgumentCollection], None]:
    """Takes the folder, and nothing else, from the server's table of the configuration file.

    What else the commands can be told has names that mean something else to a server or a client: a `--device` that
    plays is not the one that records.
    """
    toml = Toml(
        CONFIG_FILE, root_keys=("server",), search_parents=False, use_commands_as_keys=False, allow_unknown=True
    )

    def take(app: Any, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        chosen = arguments.copy()
        chosen[:] = [one for one in arguments if one.name == _FLAG]
        toml(app, commands, chosen)

    return take
