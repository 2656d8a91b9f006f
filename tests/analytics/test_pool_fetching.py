from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.child_process import ChildLimits
from plugandtell.analytics.pool import PoolSettings
from plugandtell.core.call import Stage
from plugandtell.core.errors import StageTimedOut
from tests.analytics.test_pool import pid_of, pool_of

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_limit_does_not_count_what_fetching_the_audio_takes(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        await pool.warm(Stage.INTENT)
        await pid_of(pool, "fetch-ok", limit_s=0.6)
        with pytest.raises(StageTimedOut):
            await pid_of(pool, "fetch-hang", limit_s=0.6)


async def test_fetching_has_a_limit_of_its_own(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(limits=ChildLimits(fetch_s=0.3))) as pool:
        await pool.warm(Stage.INTENT)
        with pytest.raises(StageTimedOut, match=r"0\.9 s"):
            await pid_of(pool, "slow", limit_s=0.6)
