"""Whether the packages are there that call analytics needs and recording does not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from plugandtell.core.errors import EngineUnavailable

_NEEDED: Final = ("sqlalchemy", "alembic", "bullmq", "msgspec", "rich")
"""One for each part that is used first; they come together or not at all."""


def check_installed() -> None:
    """Say how to get them where they are missing.

    Raises:
        EngineUnavailable: One is not there.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            hint = "install them with `pip install 'plugandtell[analytics]'`"
            raise EngineUnavailable("call analytics", f"the package {name} is missing", hint)
