"""Bearer tokens: how they are written down, and who a presented one belongs to.

One entry a line, `name: token` or `name token`; `#` starts a comment line. In a variable of the environment, commas
part entries as well: no token holds one. Errors name lines and names, never a token.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from plugandtell.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 22
"""Characters of base64 that hold 128 bits."""
_LONGEST = 512
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{1,{_LONGEST}}}=*")  # token68, RFC 7235, section 2.1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


class MalformedTokens(ValueError):
    """A text that holds no usable tokens; the error says where and why, and shows none of it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who may come in. Only digests are kept, so that nothing that shows this object shows a token.

    Attributes:
        digests: SHA-256 of each token, by the name of its holder.
    """

    digests: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.digests)

    @property
    def names(self) -> list[str]:
        """The holders."""
        return list(self.digests)

    def holder_of(self, token: str) -> str | None:
        """Whose token this is; None if nobody's.

        Takes the same time whoever holds it: all digests are compared, each in constant time.
        """
        presented = _digest(token)
        found = None
        for name, digest in self.digests.items():
            if hmac.compare_digest(presented, digest):
                found = name
        return found

    def joined(self, others: Tokens) -> Tokens:
        """These and those.

        Raises:
            MalformedTokens: A name, or a token, is in both.
        """
        digests = dict(self.digests)
        for name, digest in others.digests.items():
            _add(digests, name, digest, f"{name!r}")
        return Tokens(digests)


def parse_tokens(text: str) -> Tokens:
    """The tokens of a server.

    Raises:
        MalformedTokens: A line that is no entry, a token too short, a name or a token given twice, or no entry at all.
    """
    digests: dict[str, bytes] = {}
    for number, line in _lines(text):
        name, token = _entry(line, number)
        _check(token, f"what follows the name in line {number}")
        _add(digests, name, _digest(token), f"line {number}")
    if not digests:
        raise MalformedTokens("it holds no token")
    return Tokens(digests)


def parse_token(text: str) -> Secret:
    """The one token of a client.

    Raises:
        MalformedTokens: There is none, more than one, or one that no server takes.
    """
    lines = [line for _, line in _lines(text)]
    if len(lines) != 1:
        raise MalformedTokens(f"it must hold one token and nothing else, but holds {len(lines)} entries")
    _check(lines[0], "what it holds")
    return Secret(lines[0])


def presented_token(authorization: str) -> str | None:
    """The token in an `Authorization` header; None if it has another form."""
    match = _BEARER.fullmatch(authorization)
    return match[1] if match else None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for entry in line.split(","):
            if entry.strip():
                yield number, entry.strip()


def _entry(line: str, number: int) -> tuple[str, str]:
    parts = line.replace(":", " ", 1).split()
    if len(parts) != 2 or not _NAME.fullmatch(parts[0]):
        expected = "`name: token`, the name of letters, digits, `.`, `_` and `-`"
        raise MalformedTokens(f"line {number} is not {expected}")
    return parts[0], parts[1]


def _check(token: str, where: str) -> None:
    if not _TOKEN.fullmatch(token):
        allowed = "letters, digits and - . _ ~ + /, with = at the end only"
        raise MalformedTokens(f"{where} is no token: those are made of {allowed}, at most {_LONGEST} of them")
    if len(token) < SHORTEST:
        raise MalformedTokens(f"{where} is too short: {len(token)} characters, where {SHORTEST} are the least")


def _add(digests: dict[str, bytes], name: str, digest: bytes, where: str) -> None:
    if name in digests:
        raise MalformedTokens(f"{where} gives {name!r} a second token")
    if digest in digests.values():
        raise MalformedTokens(f"{where} gives {name!r} a token that another has")
    digests[name] = digest


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
