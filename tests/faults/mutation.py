"""Valid bytes and valid messages, a little wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

_EDGES = (0, 1, -1, 2**15, 2**16, 2**31, 2**32, 2**48 - 1, 2**48, 2**53, 2**63, 2**64, 10**30, 0.5, 1e300)
_WORDS = (
    "",
    "hello",
    "position",
    "end",
    "ack",
    "\x00",
    "\ud800",
    "\u202e",
    "../../etc/passwd",
    "x" * 300,
    "x" * 70_000,
)


def mutated_bytes(dice: Random, data: bytes) -> bytes:
    """Flip, cut, repeat, insert, overwrite: a few of these at random places."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        first = dice.randrange(len(changed) + 1)
        last = min(len(changed), first + dice.choice((1, 2, 4, 8, 64, 1024)))
        match dice.randrange(5):
            case 0 if changed:
                changed[min(first, len(changed) - 1)] ^= 1 << dice.randrange(8)
            case 1:
                del changed[first:last]
            case 2:
                changed[first:first] = changed[first:last]
            case 3:
                changed[first:first] = dice.randbytes(dice.choice((1, 2, 8, 100)))
            case _:
                changed[first:last] = dice.randbytes(last - first)
    return bytes(changed)


def mutated_fields(dice: Random, fields: dict[str, Any]) -> dict[str, Any]:
    """Take away, replace or add some of the fields."""
    changed = dict(fields)
    for _ in range(dice.randint(1, 3)):
        name = dice.choice((*fields, "more"))
        if dice.random() < 0.2:
            changed.pop(name, None)
        else:
            changed[name] = any_value(dice)
    return changed


def any_value(dice: Random, depth: int = 3) -> Any:
    """Any value that JSON can spell."""
    match dice.randrange(6 if depth else 4):
        case 0:
            return dice.choice((None, True, False))
        case 1:
            return dice.choice(_EDGES)
        case 2:
            return dice.choice(_WORDS)
        case 3:
            return dice.randint(-(2**50), 2**50)
        case 4:
            return [any_value(dice, depth - 1) for _ in range(dice.randrange(4))]
        case _:
            return {str(dice.choice(_WORDS)): any_value(dice, depth - 1) for _ in range(dice.randrange(4))}
