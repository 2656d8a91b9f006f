"""Much audio through one stream: all of it is there, memory stays flat. `benchmarks/endurance.py` does a whole day."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "endurance.py"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_a_quarter_of_an_hour_needs_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BENCHMARK),
        "--hours=0.25",
        f"--folder={tmp_path}",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "every sample once: True" in output.decode()
