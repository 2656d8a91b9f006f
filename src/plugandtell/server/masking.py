"""The one thing that is taken from inside `websockets`: its compiled unmasking (RFC 6455, section 5.3).

It is not documented, so a release may lack it. It is worth it because Python's own arithmetic costs ten times as much.
Where it is missing, or does not do what the RFC says, there is none: every frame then goes through the library's
documented parser, which costs more and comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Unmask: TypeAlias = Callable[[bytes | bytearray, bytes | bytearray], bytes]
"""Takes a payload and the four bytes of its mask; gives the payload in clear."""

_CLEAR, _MASK, _MASKED = b"Hello", b"\x37\xfa\x21\x3d", b"\x7f\x9f\x4d\x51\x58"  # the RFC's example, section 5.7


def find_unmask() -> Unmask | None:
    """The library's, if it has the one that we know."""
    try:
        from websockets.speedups import apply_mask  # noqa: PLC0415  (there may be none)

        is_known = apply_mask(_MASKED, _MASK) == _CLEAR
    except (ImportError, TypeError, ValueError):
        return None
    return apply_mask if is_known else None
