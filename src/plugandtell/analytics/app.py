"""Opens what call analytics works with: the database, the queue store and the queues in it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from plugandtell.analytics.database import open_calls
from plugandtell.analytics.embedded_store import open_store
from plugandtell.analytics.flow import Flow
from plugandtell.analytics.queues import open_queues
from plugandtell.analytics.runtime import utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from plugandtell.analytics.settings import StoreSettings


@asynccontextmanager
async def open_flow(stores: StoreSettings, environ: Mapping[str, str]) -> AsyncIterator[Flow]:
    """The stores that the settings name, or our own in the data folder, until the end of the block.

    Args:
        stores: Which.
        environ: What our own store's program inherits.

    Raises:
        InvalidSetting: An address is none.
        FolderUnusable: The data folder cannot be used.
        StoreUnreachable: A store does not answer.
        StoreUnusable: One cannot be used as it is.
    """
    async with (
        open_calls(stores.database_url, stores.data_dir) as calls,
        open_store(stores.queue_url, stores.data_dir, environ) as url,
        open_queues(url) as queues,
    ):
        yield Flow(calls, queues, utc_now)
