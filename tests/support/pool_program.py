"""A program with a pool, to be killed: `python -m tests.support.pool_program FOLDER DEED...`, a child for each deed."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from plugandtell.analytics.pool import Pool, PoolSettings
from plugandtell.analytics.service import CallInput
from plugandtell.core.call import Stage
from tests.support.services import Obedient


async def main(folder: Path, deeds: list[str]) -> None:
    """Have everything done; end when all of it is."""
    async with Pool(Obedient(folder), PoolSettings(children=len(deeds)), folder / "data") as pool:
        await asyncio.gather(*(pool.run(Stage.INTENT, CallInput(deed, "file:///a.wav"), 600.0) for deed in deeds))
    sys.stdout.write("done\n")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
