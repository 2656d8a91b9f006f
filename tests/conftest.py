"""What holds for all tests.

Hypothesis tries the same examples at every run, so that a red test is red again; `pytest --hypothesis-profile=explore`
looks for new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.faults.tally import Tally

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where clients spool by default: a folder of the test's own, in child processes too."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many schedules of faults ran."""
    tally = Tally()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "tally":
                tally.add(Tally.from_json(str(value)))
    if tally.runs:
        terminalreporter.write_line(f"faults: {tally}")
