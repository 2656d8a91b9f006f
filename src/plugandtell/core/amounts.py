"""Ages and sizes as people write them: `30d`, `5GB`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_AMOUNT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)")
_AGES_S: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SIZES_BYTES: Final = {
    "b": 1,
    **{f"{prefix}{end}": 1000**power for power, prefix in enumerate("kmgt", 1) for end in ("", "b")},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}
_LONGEST_AGE_S: Final = 1000 * 366 * 86_400
_LARGEST_BYTES: Final = 2**60

AGE: Final = "a number with its unit: s, m, h, d or w, such as 30d"
SIZE: Final = "a number with its unit: MB, GB, TB, or MiB and the like, such as 5GB"


def parse_age(text: str) -> timedelta:
    """`90m`, `12h`, `30d`, `1.5w`, in any case.

    Raises:
        ValueError: It is something else, see `AGE`; or longer than a thousand years.
    """
    return timedelta(seconds=_parsed(text, _AGES_S, _LONGEST_AGE_S, AGE))


def parse_size(text: str) -> int:
    """`500MB`, `5 GB`, `5G`, `1.5TiB`, in any case, in whole bytes.

    Raises:
        ValueError: It is something else, see `SIZE`; or an exbibyte or more.
    """
    return round(_parsed(text, _SIZES_BYTES, _LARGEST_BYTES, SIZE))


def size_text(size_bytes: int) -> str:
    """As people read it: `512 B`, `3.2 MB`, `128 GB`."""
    if abs(size_bytes) < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if abs(size) < 999.5:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:,.1f} TB"


def length_text(seconds: float) -> str:
    """A length of time by the clock: `0:06.7`, `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{shown}" if hours else f"{minutes}:{shown}"


def _parsed(text: str, units: dict[str, int], most: int, expected: str) -> float:
    found = _AMOUNT.fullmatch(text.strip().lower())
    unit = units.get(found[2]) if found else None
    if found is None or unit is None or len(found[1]) > 30 or float(found[1]) * unit > most:
        raise ValueError(expected)
    return float(found[1]) * unit
