"""Files that let somebody in: tokens, private keys, certificates."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from plugandtell.core.errors import CredentialsUnusable

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = stat.S_IRWXO | stat.S_IWGRP
_LARGEST_BYTES = 1_000_000


def read_secret(flag: str, path: Path) -> str:
    """The text of a file with tokens or a private key.

    Like ssh, it refuses a file that everybody on the machine can read; unlike ssh it lets the group read, because that
    is how services are given secrets. Windows keeps a profile's files from others itself, and is not asked.

    Raises:
        CredentialsUnusable: The file cannot be read, is no text, or is open to others.
    """
    mode, text = _read(flag, path)
    if os.name != "nt" and stat.S_ISREG(mode) and mode & _OTHERS:
        cause = f"its mode {stat.S_IMODE(mode):04o} opens it to others on this machine: chmod 600 it"
        raise CredentialsUnusable(flag, str(path), cause)
    return text


def read_public(flag: str, path: Path) -> str:
    """The text of a file that anybody may know, such as a certificate.

    Raises:
        CredentialsUnusable: The file cannot be read, or is no text.
    """
    return _read(flag, path)[1]


def _read(flag: str, path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LARGEST_BYTES + 1)
    except OSError as exc:
        raise CredentialsUnusable(flag, str(path), exc.strerror or str(exc)) from exc
    if len(data) > _LARGEST_BYTES:
        raise CredentialsUnusable(flag, str(path), "it is larger than a megabyte")
    try:
        return mode, data.decode()
    except UnicodeDecodeError:
        raise CredentialsUnusable(flag, str(path), "it is no text") from None  # that error would show what is in it
