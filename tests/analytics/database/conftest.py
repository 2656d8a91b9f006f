from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.database import StoredCalls, open_calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[StoredCalls]:
    async with open_calls(None, tmp_path) as calls:
        yield calls
