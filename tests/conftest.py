"""What holds for all tests.

Hypothesis tries the same examples at every run, so that a red test is red again; `pytest --hypothesis-profile=explore`
looks for new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings

from tests.faults.tally import Tally

if TYPE_CHECKING:
    import pytest

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile("same")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many schedules of faults ran."""
    tally = Tally()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "tally":
                tally.add(Tally.from_json(str(value)))
    if tally.runs:
        terminalreporter.write_line(f"faults: {tally}")
