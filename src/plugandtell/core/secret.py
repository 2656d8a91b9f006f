"""A secret that does not tell itself: not in a log, a traceback, an f-string or a debugger's list of variables."""

from __future__ import annotations

from typing import NoReturn

HIDDEN = "***"


class Secret:
    """Text that only `reveal` shows. It cannot be pickled, because what is pickled is written somewhere."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self.__text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be written down")
