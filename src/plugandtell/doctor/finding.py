"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from plugandtell.core.exit_status import ExitStatus, exit_status_of
from plugandtell.core.safe_text import foreign

_LONGEST: Final = 400


class Verdict(StrEnum):
    """How bad it is: nothing, something to know, or a reason why recording fails."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """A line for people, with a line of remedy.

    Attributes:
        name: What was looked at.
        verdict: How bad it is.
        said: What was found.
        remedy: What to do about it; empty if it is well.
        status: The exit code that goes with it; OK unless it is broken.
    """

    name: str
    verdict: Verdict
    said: str
    remedy: str = ""
    status: ExitStatus = ExitStatus.OK

    def fields(self) -> dict[str, Any]:
        """For scripts, and for the process that asked for it."""
        told = {"name": self.name, "verdict": self.verdict.value, "said": self.said, "remedy": self.remedy}
        return told | {"exit_status": self.status.value}


def ok(name: str, said: str) -> Finding:
    """All is well."""
    return Finding(name, Verdict.OK, one_line(said))


def warning(name: str, said: str, remedy: str) -> Finding:
    """It may work all the same."""
    return Finding(name, Verdict.WARNING, one_line(said), one_line(remedy))


def broken(name: str, status: ExitStatus, said: str, remedy: str) -> Finding:
    """It cannot work."""
    return Finding(name, Verdict.BROKEN, one_line(said), one_line(remedy), status)


def failed(name: str, error: Exception, remedy: str) -> Finding:
    """What an error says."""
    return broken(name, exit_status_of(error), str(error), remedy)


def finding_of(fields: dict[str, Any]) -> Finding:
    """What `Finding.fields` told.

    Raises:
        KeyError: Something is missing.
        ValueError: Something has no such value.
    """
    status = ExitStatus(fields["exit_status"])
    return Finding(fields["name"], Verdict(fields["verdict"]), fields["said"], fields["remedy"], status)


def one_line(text: str) -> str:
    """Whatever it holds, it takes one line, and not a long one."""
    return foreign("; ".join(line.strip() for line in text.splitlines() if line.strip()), _LONGEST)
