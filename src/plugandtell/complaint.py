"""How a command that cannot go on says so: what is wrong, and the way out; where it broke, if that is asked for."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from cyclopts import UnknownCommandError, UnusedCliTokensError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from cyclopts import App, CycloptsError

DEBUG_FLAG: Final = "--debug"
DEBUG_VARIABLE: Final = "PLUGANDTELL_DEBUG"
_OF_OURS: Final = re.compile(r" Did you mean --(lifeline|only|reports|saved-in|terminal)\?")
"""Advice to use flags that are there for processes of ours."""


def take_debug_flag(arguments: Sequence[str], environ: MutableMapping[str, str]) -> list[str]:
    """The arguments without `--debug`, wherever it is; it is handed on in the environment, to child processes too."""
    ends = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [one for one in arguments[:ends] if one != DEBUG_FLAG]
    if len(rest) < ends:
        environ[DEBUG_VARIABLE] = "1"
    return [*rest, *arguments[ends:]]


def is_debugging(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether tracebacks are wanted on the terminal."""
    return environ.get(DEBUG_VARIABLE, "0").strip().lower() not in ("", "0", "no", "false", "off")


def usage_error(program: str, error: CycloptsError) -> str:
    """Of a command line that cannot be used: what is wrong with it, and where to look."""
    command = " ".join([program, *(error.command_chain or ())])
    said = _OF_OURS.sub("", str(error))
    if isinstance(error, UnusedCliTokensError | UnknownCommandError) and error.app is not None and error.unused_tokens:
        said = _unused(error.app, error.unused_tokens[0])
    return f"{command}: {said}\n`{command} --help` tells more"


def _unused(app: App, word: str) -> str:
    """Of a word that means nothing there."""
    known = [name for name in app if not name.startswith("-")]
    if not known:
        return f"{word!r} is more than it takes"
    close = get_close_matches(word, known, n=1)
    guess = f": did you mean {close[0]}?" if close else "."
    kind = "option" if word.startswith("-") else "command"
    return f"{word!r} is no {kind} of it{guess} Its commands: {', '.join(known)}"
