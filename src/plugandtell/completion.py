"""Scripts that have a shell complete the commands: their subcommands, flags and values, and files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from plugandtell.core.errors import FolderUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cyclopts import App

_FISH_KNOWS_FILES = "complete -c {name} -n __fish_use_subcommand -f\n"


class Shell(StrEnum):
    """The shells that scripts are made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def script(shell: Shell, name: str, app: App) -> str:
    """The script for one command, to be sourced, or put where the shell looks for it."""
    text = app.generate_completion(prog_name=name, shell=shell.value)
    if shell is Shell.ZSH:
        # zsh calls a file of its fpath as a function of that name; a file that is sourced has to announce itself.
        function = f"_cyclopts_{name}"
        own = f'if [[ $funcstack[1] == _{name} ]]; then {function} "$@"; else compdef {function} {name}; fi'
        return f"{text.rstrip()}\n\n{own}\n"
    if shell is Shell.FISH and list(app):
        return text + _FISH_KNOWS_FILES.format(name=name)  # where a command is due, no file is
    return text


def install(shell: Shell, apps: Mapping[str, App], environ: Mapping[str, str]) -> tuple[list[Path], str]:
    """Write the scripts where the shell looks for them by itself; returns the files, and what is left to be done.

    Raises:
        FolderUnusable: They cannot be written.
    """
    folder, pattern, hint = _places(shell, environ)
    written = []
    for name, app in apps.items():
        path = folder / pattern.format(name=name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(script(shell, name, app), encoding="utf-8")
        except OSError as exc:
            raise FolderUnusable("--install", str(folder), exc.strerror or str(exc)) from exc
        written.append(path)
    return written, hint


def _places(shell: Shell, environ: Mapping[str, str]) -> tuple[Path, str, str]:
    home = Path.home()
    if shell is Shell.BASH:
        data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
        hint = "new shells know them, where the package bash-completion is installed"
        return data / "bash-completion/completions", "{name}", hint
    if shell is Shell.FISH:
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        return config / "fish/completions", "{name}.fish", "new shells know them"
    hint = "new shells know them, if ~/.zshrc has, before compinit: fpath=(~/.zsh/completions $fpath)"
    return home / ".zsh/completions", "_{name}", hint
