"""What the tests of this folder count, for the line at the end of `make test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.tally import Record, Tally


@pytest.fixture
def record(record_property: Callable[[str, object], None]) -> Record:
    """Takes what a test has counted."""

    def take(tally: Tally) -> None:
        record_property("tally", tally.as_json())

    return take
